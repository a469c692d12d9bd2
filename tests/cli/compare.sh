#!/bin/sh
# compare.sh: litec compare: what it says and prints, its exit codes, and what it refuses.
. "$(dirname "$0")/lib.inc"
tflite=$ROOT/tests/data/tflite

for model in keras2_mlp.h5 keras3_cnn.keras; do
    check "convert $model" -- litec convert "$models/$model" -o m.tflite
    ok "$model and what it became" '^the outputs agree within 0: they are equal \(8 samples of made-up numbers\)$' 'SOFTMAX +exact +exact' \
        'weights: ([0-9]+) of \1 are equal' -- litec compare "$models/$model" m.tflite --tolerance 0
    ok "$model on a picture" '\(1 sample\)$' 'same largest' ' 1 of 1$' -- litec compare "$models/$model" m.tflite --data "$digits/seven.png"
done
ok 'the same on many' '\(100 samples\)$' -- litec compare "$models/keras3_cnn.keras" m.tflite --data "$mnist/t10k-images-idx3-ubyte.gz" --quiet
check 'quiet is one line' -- [ "$(wc -l <.stdout)" = 1 ]
ok 'as many as asked for' '\(30 samples\)$' -- litec compare m.tflite m.tflite -q -d "$mnist/t10k-images-idx3-ubyte.gz" -n 30 --batch 10

# rewrites change the operators, not the numbers
check 'plain' -- litec convert "$models/keras3_cnn.keras" -o plain.tflite --no-optimize
ok 'with and without rewrites' '^the outputs agree within 1e-05: ' 'without a partner \(fused, or made otherwise\): 0 tensors of A, [1-9][0-9]* of B' -- \
    litec compare m.tflite plain.tflite --tolerance 1e-5
ok 'all of it' '    B  conv2d' -- litec compare m.tflite plain.tflite --all

# several signatures: each, or those that are named
two=$tflite/variables_two_signatures.tflite
ok 'each signature' '^signature add: the outputs are equal' '^signature get: the outputs are equal' -- litec compare "$two" "$two" --quiet
ok 'one of them' '^signature get: ' -- litec compare "$two" "$two" --quiet --signature get
check 'and no other' -- sh -c '! grep -q add .stdout'
ok 'one as JSON' '^\{"a":' -- litec compare "$two" "$two" --signature add --json
zeros 8 | npy pair.npy '<f4' '1, 2'
litec compare "$two" "$two" --quiet --data add:x=pair.npy >named.txt 2>note.txt
check 'that of the data' -- grep -q '^signature add: .*(1 sample)$' named.txt
check 'the other is said' -- grep -q '^note: not compared, for there is no --data for them: signature get$' note.txt
litec compare "$two" "$two" --quiet --data x=pair.npy >first.txt 2>note.txt
check 'data without a signature' -- grep -q '^note: compared is the first graph alone' note.txt
usage 'both as JSON' 'of one signature, and there are 2' '--signature' -- litec compare "$two" "$two" --json
usage 'both on one page' 'of one signature' -- litec compare "$two" "$two" --html out.html

# a quantised model
ok 'float and int8' '^the outputs agree within ' 'FULLY_CONNECTED +[0-9.]+ dB +[0-9.]+ dB' 'RMSE/step' 'worst channel' 'lie beyond its steps .*: the numbers are made up' -- \
    litec compare "$tflite/conv_float.tflite" "$tflite/conv_int8.tflite"
ok 'another seed, other numbers' -- litec compare "$tflite/conv_float.tflite" "$tflite/conv_int8.tflite" --json --seed 7
cp .stdout seven.json
ok 'the same seed' -- litec compare "$tflite/conv_float.tflite" "$tflite/conv_int8.tflite" --json --seed 7
cp .stdout again.json
check 'the same numbers' -- cmp -s again.json seven.json
ok 'a third' -- litec compare "$tflite/conv_float.tflite" "$tflite/conv_int8.tflite" --json --seed 8
cp .stdout eight.json
check 'other numbers' -- sh -c '! cmp -s eight.json seven.json'
ok 'csv' '^op_name,tensor_idx,num_elements,stddev,mean_error,max_abs_error,mean_squared_error,scale,zero_point,tensor_name,kind,' '^"CONV_2D",' -- \
    litec compare "$tflite/conv_float.tflite" "$tflite/conv_int8.tflite" --csv
ok 'without the operators alone' '"local_snr_db":null' -- litec compare "$tflite/conv_float.tflite" "$tflite/conv_int8.tflite" --json --no-local
ok 'a page' -- litec compare "$tflite/conv_float.tflite" "$tflite/conv_int8.tflite" --html page.html
check 'it is there' -- grep -q '<svg' page.html
check 'it loads nothing' -- sh -c '! grep -Eq "(src|href)=" page.html'

# not within the tolerance: exit 1, with the whole report
litec compare "$tflite/conv_float.tflite" "$tflite/conv_int8.tflite" --tolerance 1e-6 >apart.txt 2>talk.txt
check 'exit 1' -- [ $? = 1 ]
check 'and says so' -- grep -q '^the outputs do not agree within 1e-06: they are at most' apart.txt
check 'nothing on stderr' -- [ ! -s talk.txt ]

check 'standard input' -- sh -c '"$0" compare - m.tflite --tolerance 0 -q <m.tflite' "$LITEC"
usage 'twice' 'one model, not two' -- litec compare - -
bad 'no such model' 'nothing.h5' -- litec compare nothing.h5 m.tflite
bad 'models that do not fit' 'the models do not fit: input ".*" float32\[[?],28,28(,1)?\] beside ".*" float32\[' 'litec inspect MODEL' -- litec compare m.tflite "$tflite/conv_int8.tflite"
bad 'other numbers of inputs' '2 inputs beside 1' -- litec compare "$tflite/if_while.tflite" "$tflite/conv_int8.tflite"
bad 'no such data' 'nothing.npy' -- litec compare m.tflite m.tflite --data nothing.npy
zeros 40 | npy small.npy '<f4' '1, 10'
bad 'data of another shape' 'small.npy' -- litec compare m.tflite m.tflite --data small.npy
bad 'no such signature' 'signature' -- litec compare m.tflite m.tflite --signature nothing
bad 'too little memory' -- litec compare m.tflite m.tflite --max-memory 1K
bad 'a page nowhere' -- litec compare m.tflite m.tflite --html nowhere/out.html
usage 'one model' -- litec compare m.tflite
usage 'json and csv' 'not both' -- litec compare m.tflite m.tflite --json --csv
usage 'no tolerance' 'needs a number' -- litec compare m.tflite m.tflite --tolerance small
usage 'a negative one' 'needs a number' -- litec compare m.tflite m.tflite --tolerance -1
finish
