#!/bin/sh
# budget.sh: litec convert --max-drop: what it prints, the recipe it saves, and what it refuses.
. "$(dirname "$0")/lib.inc"

# idx FILE COUNT: the first samples of the test set, as IDX files of their own
idx() {
    count=$(printf '\\%03o' "$2")
    { printf "\\000\\000\\010\\003\\000\\000\\000$count\\000\\000\\000\\034\\000\\000\\000\\034"
      gzip -dc "$mnist/t10k-images-idx3-ubyte.gz" | tail -c +17 | head -c $((784 * $2)); } >"$1.idx"
    { printf "\\000\\000\\010\\001\\000\\000\\000$count"; gzip -dc "$mnist/t10k-labels-idx1-ubyte.gz" | tail -c +9 | head -c "$2"; } >"$1-labels.idx"
}
idx few 20
idx many 200
cnn=$models/keras3_cnn.keras
quantize="--quantize int8 --representative few.idx"

ok 'all of it fits' '^quantised 9 of 9 operators$' '^budget: top-1 on 200 labelled samples at most 2 points under the float model' \
    '^\* +0 +9 +0 +0 .* points +200$' '^int8 in the whole model is within the budget$' -- \
    litec convert "$cnn" -o m.tflite $quantize --max-drop 2% --eval many.idx --labels many-labels.idx --save-recipe r.json
check 'the recipe' -- grep -qx '{"default": "int8"}' r.json
ok 'by the class of the float model' 'on 200 samples without labels the class of the float model in all but 3 %' -- \
    litec convert "$cnn" -o m.tflite $quantize --max-drop 3 --eval many.idx

ok 'a mixed recipe' '^budget: signal to noise on 20 samples at most 20 dB under the [0-9.]+ dB of float16 weights$' '  over$' '^not int8 ' \
    '^  (float16|int16x8|dynamic|float) +[0-9.]+ dB +[a-z]+' '^samples: 16 to measure layers, 16 to search; the last word has all$' -- \
    litec convert "$cnn" -o m.tflite $quantize --max-drop 20dB --eval few.idx --search-samples 16 --save-recipe r.json
cp .stdout said.txt
check 'an error or none' -- sh -c '! grep -q "largest error.*no error" said.txt'
check 'names layers' -- grep -Eq '^ +"[a-z0-9_]+": "(float16|int16x8|dynamic|float)",?$' r.json
ok 'it can be used again' -- litec convert "$cnn" -o again.tflite $quantize --recipe r.json
check 'with the same result' -- cmp -s m.tflite again.tflite
ok 'as JSON' '"budget":\{"score":"snr_db","scheme":"int8",' '"rows":\[\{"layers":0,"integer":0,' '"recipe":"\*=int8;' -- \
    litec convert "$cnn" -o m.tflite $quantize --max-drop 20dB --eval few.idx --json
ok 'quiet' -- litec convert "$cnn" -o m.tflite $quantize --max-drop 20dB --eval few.idx --quiet
check 'says nothing' -- [ ! -s .stdout ]
ok 'other schemes' '^\* .*9' -- litec convert "$cnn" -o m.tflite --quantize dynamic --max-drop 5% --eval many.idx --labels many-labels.idx

usage 'nothing to judge by' 'needs --eval' -- litec convert "$cnn" -o out.tflite $quantize --max-drop 1%
for drop in -1% 101% nan inf '' 1%% 1x '1 %' 0x10Q 151dB 1e999dB; do
    usage "a budget of $drop" '(--max-drop|dB)' -- litec convert "$cnn" -o out.tflite $quantize "--max-drop=$drop" --eval few.idx
done
usage 'no scheme' '--max-drop does nothing without --quantize' -- litec convert "$cnn" -o out.tflite --max-drop 1% --eval few.idx
usage 'no budget' '--eval does nothing without --max-drop' -- litec convert "$cnn" -o out.tflite $quantize --eval few.idx
usage 'no budget to save' '--save-recipe does nothing' -- litec convert "$cnn" -o out.tflite $quantize --save-recipe out.json
usage 'labels and decibels' 'looks at no labels' -- litec convert "$cnn" -o out.tflite $quantize --max-drop 9dB --eval few.idx --labels few-labels.idx
bad 'no such samples' 'nothing.npy' -- litec convert "$cnn" -o out.tflite $quantize --max-drop 1% --eval nothing.npy
bad 'labels of other samples' 'many-labels.idx' -- litec convert "$cnn" -o out.tflite $quantize --max-drop 1% --eval few.idx --labels many-labels.idx
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo 10; done >ten.txt
bad 'a class there is not' 'the label of sample 0 is .*, but the model has 10 classes' -- \
    litec convert "$cnn" -o out.tflite $quantize --max-drop 1% --eval few.idx --labels ten.txt
bad 'a recipe nowhere' -- litec convert "$cnn" -o out.tflite $quantize --max-drop 9% --eval few.idx --save-recipe nowhere/out.json
bad 'layers that were fixed' 'no form of the model is within the budget: the mildest, float16 .* dB of 10 that may be lost' 'max-drop' -- \
    litec convert "$cnn" -o out.tflite $quantize --max-drop 10dB --eval few.idx --layer 'dense*=int4' --layer 'conv*=int8'
finish
