#!/bin/sh
# prune.sh: litec convert --prune, --cluster, --sparse: what is said, that the file compresses, and what is refused.
. "$(dirname "$0")/lib.inc"
model=$models/keras3_cnn.keras

ok 'half of the weights' '20992 weights in 2 constants: 50\.0 % are zero' '^gzip: 8[0-9.]+ KB -> [45][0-9.]+ KB \([56][0-9.]+ %\)$' -- \
    litec convert "$model" -o half.tflite --prune 0.5
check 'a file that runs' -- litec run half.tflite --input "$digits/seven.png"
ok 'percent, and another for one layer' '^[0-9]+ weights in 1 constant: 80\.0 %' -- \
    litec convert "$model" -o one.tflite --prune 80% --prune-layers 'conv*=0'
ok 'neighbours' 'constants: 50\.0 % are zero' -- litec convert "$model" -o 24.tflite --prune 2:4
ok 'all layers together' 'constants: 80\.0 % are zero' -- litec convert "$model" -o global.tflite --prune .8 --prune-global
ok 'clusters' '20992 weights in 2 constants: 0\.0 % are zero' '^gzip: .* \(2[0-9.]+ %\)$' -- litec convert "$model" -o c.tflite --cluster 16
ok 'then quantised' 'constants: 80\.0 % are zero' '^quantised 2 of 9 operators' '^gzip: .* \(1[0-9.]+ %\)$' -- \
    litec convert "$model" -o all.tflite --prune 0.8 --cluster 16 --quantize dynamic
ok 'sparse' '^2 constants stored sparsely$' -- litec convert "$model" -o sparse.tflite --prune 0.8 --sparse
check 'smaller as it lies' -- [ "$(wc -c <sparse.tflite)" -lt 40000 ]
check 'the same, dense' -- litec convert "$model" -o dense.tflite --prune 0.8 -q
ok 'it runs alike' '^the outputs agree within 0: they are equal' -- litec compare dense.tflite sparse.tflite --tolerance 0 -q
ok 'nothing to store sparsely' '^no constant stored sparsely' -- litec convert "$model" -o no.tflite --sparse
ok 'JSON' '"pruning":\{"constants":2,"weights":20992,"zeros":10496,"relative_error":0\.[0-9]+,"sparse_constants":0,"gzip_bytes_before":[0-9]+,"gzip_bytes":[0-9]+\}' -- \
    litec convert "$model" -o half.tflite --prune 0.5 --json
cp half.tflite first.tflite
check 'once more' -- litec convert "$model" -o half.tflite --prune 0.5 -q
check 'the same bytes' -- cmp -s half.tflite first.tflite

bad 'no sparsity' '"lots" is no sparsity' '0.8 or 80%' -- litec convert "$model" -o x.tflite --prune lots
bad 'all of it' '"1.0" is no sparsity' -- litec convert "$model" -o x.tflite --prune 1.0
bad 'no such layer' 'no layer with weights is called "lstm\*"' -- litec convert "$model" -o x.tflite --prune 0.5 --prune-layers 'lstm*=0.9'
bad 'no pattern' 'no PATTERN=SPARSITY' -- litec convert "$model" -o x.tflite --prune 0.5 --prune-layers conv
bad 'nothing to do' 'nothing to do: the sparsity is 0' -- litec convert "$model" -o x.tflite --prune 0
bad 'quantised before' 'no float weights to prune' 'prune and cluster the float model' -- litec convert "$ROOT/tests/data/tflite/conv_int8.tflite" -o x.tflite --prune 0.5
usage 'one cluster' -- litec convert "$model" -o x.tflite --cluster 1
usage 'global alone' 'does nothing without --prune' -- litec convert "$model" -o x.tflite --cluster 4 --prune-global
check 'no file of a failure' -- [ ! -e x.tflite ]
finish
