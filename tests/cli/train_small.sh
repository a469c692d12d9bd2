#!/bin/sh
# train_small.sh: litec train --prune and --quantize-aware: the zeros are in the file and survive its conversion, the .tflite file is an integer model.
. "$(dirname "$0")/lib.inc"
printf 'name digits\ninput 28 28\nreshape 28 28 1\nconv2d 4 3 relu\nmaxpooling2d\nflatten\ndense 10 softmax\n' >model.txt
go() { # OUT [option ...]
    out=$1
    shift
    "$LITEC" train model.txt -d "$mnist/t10k-images-idx3-ubyte.gz" -l "$mnist/t10k-labels-idx1-ubyte.gz" -s 0.00392157 -n 600 \
        --loss sparse_categorical_crossentropy -q -o "$out" "$@"
}

# What is left of the kernels shows where they are stored sparsely, with a table of the places of those that are not zero.
check 'pruned' -- go pruned.keras --prune 0.8 -e 2
check 'as it was' -- go plain.keras -e 2
for m in pruned plain; do check "$m, compressed" -- litec convert $m.keras -o $m.tflite -q; done
[ $(($(gzip -c pruned.tflite | wc -c) * 2)) -lt "$(gzip -c plain.tflite | wc -c)" ] || complain 'zeros compress' 'the pruned file is no smaller'
cases=$((cases + 1))
check 'two of four' -- go nm.keras --prune 2:4
bad 'no sparsity' '"much" is no sparsity' '0\.8' -- go out.keras --prune much
check 'trained for integers' -- go int8.tflite --quantize-aware -e 2
ok 'all of it is integers' '^ *[0-9]+ +CONV_2D +int8' '^ *[0-9]+ +MAX_POOL_2D +int8' '^ *[0-9]+ +FULLY_CONNECTED +int8' '^ *[0-9]+ +SOFTMAX +int8' -- litec inspect int8.tflite
check 'and runs' -- litec eval int8.tflite -d "$mnist/t10k-images-idx3-ubyte.gz" -l "$mnist/t10k-labels-idx1-ubyte.gz" -n 200 -q
finish
