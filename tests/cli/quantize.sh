#!/bin/sh
# quantize.sh: litec convert --quantize: the accuracy of every scheme, types of inputs and outputs, choices by layer, what is said and refused.
. "$(dirname "$0")/lib.inc"
images=$mnist/t10k-images-idx3-ubyte.gz
labels=$mnist/t10k-labels-idx1-ubyte.gz
model=$models/keras3_cnn.keras
samples="--representative $images --samples 100"

# ---- accuracy: of the float model, but for a quarter of a point (one digit of 2,000 is 0.05)
for file in keras2_mlp.h5 keras3_cnn.keras; do
    check 'as floats' -- litec convert "$models/$file" -o float.tflite -q
    for scheme in dynamic float16 int8 int16x8 int4; do
        case $scheme in int8 | int16x8) data=$samples ;; *) data= ;; esac
        ok "$file as $scheme" '^quantised [0-9]+ of [0-9]+ operators' -- litec convert "$models/$file" -o "$scheme.tflite" --quantize "$scheme" $data
    done
    ok "$file: all of them" -- litec eval float.tflite dynamic.tflite float16.tflite int8.tflite int16x8.tflite int4.tflite \
        --data "$images" --labels "$labels" --samples 2000 --csv
    check 'are as often right' -- awk -F, 'NR == 2 { want = $4 } NR > 2 && NR < 8 && ($4 < want - 5 || $4 > want + 5) { exit 1 }' .stdout
done

# ---- inputs and outputs
for type in int8 uint8; do
    ok "inputs of $type" -- litec convert "$model" -o "$type.tflite" --quantize int8 $samples --input-type $type --output-type $type --int8-only
    ok 'are what they say' "^  inputs   0  $type" "^  outputs  0  $type" -- litec inspect "$type.tflite"
    ok 'take a picture' '^  1\. .* seven$' -- litec run "$type.tflite" --input "$digits/seven.png" --labels "$digits/labels.txt" --top 1
done
ok 'int16' -- litec convert "$model" -o int16.tflite --quantize int16x8 $samples --input-type int16 --output-type int16
ok 'from a .tflite' '^quantised 9 of 9 operators' -- litec convert float.tflite -o again.tflite --quantize int8 $samples
check 'weights of floats' -- litec convert "$model" -o half.tflite --quantize float16 -q
ok 'from one with float16 weights' '^quantised 9 of 9 operators' -- litec convert half.tflite -o again.tflite --quantize int8 $samples
ok 'as JSON' '"quantization":\{"scheme":"int8","operators":9,"integer":9,' '"snr_db":[1-9]' -- litec convert "$model" -o json.tflite --quantize int8 $samples --json
ok 'the same bytes' -- litec convert "$model" -o one.tflite --quantize int8 $samples --threads 1
check 'whatever the threads' -- cmp one.tflite json.tflite
for method in average percentile entropy mse; do
    ok "ranges by $method" '^quantised 9 of 9 operators' -- litec convert "$model" -o method.tflite --quantize int8 $samples --calibration $method
done
ok 'an old runtime' -- litec convert "$model" -o old.tflite --quantize int8 $samples --target-runtime 2.8
ok 'int4 where there is none' '^not as small as asked for:' 'CONV_2D: int8: the target runtime does not know int4' -- litec convert "$model" -o old4.tflite --quantize int4 --target-runtime 2.8
ok 'from a .tflite, not quantised' -- litec convert float.tflite -o old32.tflite --target-runtime 2.8
ok 'has what it needs' 'runtime +TensorFlow Lite (1\.[0-9]+|2\.[0-8])\.' -- litec lint old.tflite

# ---- bytes that nothing scales
{ printf '\223NUMPY\001\000\166\000'; printf '%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 28, 28, 1), }"
  gzip -dc "$mnist/t10k-images-idx3-ubyte.gz" | tail -c +17 | head -c 1568; } >bytes.npy
check 'bytes as they stand' -- sh -c '"$0" convert "$1" -o bytes.tflite --quantize int8 --representative bytes.npy 2>noted >/dev/null' "$LITEC" "$model"
check 'are said so once' -- test "$(grep -c 'the samples are bytes and go in as they stand, 0 ... 255' noted)" = 1
check 'scaled as pictures' -- sh -c '"$0" convert "$1" -o bytes.tflite --quantize int8 --representative bytes.npy --preprocess mobilenet 2>noted >/dev/null' "$LITEC" "$model"
check 'are not' -- test ! -s noted

# ---- by layer
ok 'a layer stays float' '^quantised 8 of 9 operators' -- litec convert "$model" -o mixed.tflite --quantize int8 $samples --layer dense_3=float --layer op:SOFTMAX=int8
printf '{"default": "int8", "layers": {"dense_3": "float"}}' >recipe.json
ok 'the same from a file' -- litec convert "$model" -o recipe.tflite --recipe recipe.json $samples --layer op:SOFTMAX=int8
check 'is the same' -- cmp mixed.tflite recipe.tflite

# ---- refused
bad 'no samples' 'int8 needs samples' 'representative' -- litec convert "$model" -o out.tflite --quantize int8
bad 'a file that is not there' 'none.npy' -- litec convert "$model" -o out.tflite --quantize int8 --representative none.npy
bad 'no such layer' 'no layer is called "dens_3"' -- litec convert "$model" -o out.tflite --quantize int8 $samples --layer dens_3=float
bad 'no such scheme' 'no scheme "int7"' -- litec convert "$model" -o out.tflite --quantize int8 $samples --layer dense_3=int7
bad 'no choice' 'is no PATTERN=SCHEME' -- litec convert "$model" -o out.tflite --quantize int8 $samples --layer dense_3
bad 'integers already' 'nothing to quantise' -- litec convert int8.tflite -o out.tflite --quantize int8 $samples
bad 'a recipe with a member that is none' 'no "layer"' -- sh -c 'printf "{\"layer\": {}}" >r.json; "$0" convert "$1" -o out.tflite --recipe r.json' "$LITEC" "$model"
bad 'a recipe that is no JSON' 'r.json' 'a recipe looks like' -- sh -c 'printf "{" >r.json; "$0" convert "$1" -o out.tflite --recipe r.json' "$LITEC" "$model"
bad 'types that do not go together' 'do not go with the scheme int8' -- litec convert "$model" -o out.tflite --quantize int8 $samples --input-type int16
bad 'a sample that is no number' 'NaN|nan|finite' -- sh -c 'awk "BEGIN { for (i = 0; i < 784; i++) printf \"%s\", (i ? \",\" : \"\") (i == 5 ? \"nan\" : 0); print \"\" }" >n.csv; "$0" convert "$1" -o out.tflite --quantize int8 --representative n.csv' "$LITEC" "$model"
bad 'samples of another shape' '784|28' -- sh -c 'printf "1,2,3\n4,5,6\n" >s.csv; "$0" convert "$1" -o out.tflite --quantize int8 --representative s.csv' "$LITEC" "$model"
usage 'blocks of what is not int4' 'block goes with int4, not with int8' -- litec convert "$model" -o out.tflite --quantize int8 $samples --block 32
usage 'float16 for storage alone' 'weights-only goes with dynamic and int4' -- litec convert "$model" -o out.tflite --quantize float16 --weights-only
usage 'ranges where none are used' 'calibration goes with int8 and int16x8' -- litec convert "$model" -o out.tflite --quantize dynamic --calibration mse
usage 'biases without samples' 'correct-bias goes with int8 and int16x8' -- litec convert "$model" -o out.tflite --quantize dynamic --correct-bias
usage 'a scheme that is none' 'quantize int9' 'did you mean int8' -- litec convert "$model" -o out.tflite --quantize int9
usage 'nothing to follow' 'does nothing without --quantize' -- litec convert "$model" -o out.tflite --int8-only
usage 'a release that is none' 'target-runtime two' -- litec convert "$model" -o out.tflite --quantize dynamic --target-runtime two
usage 'a percentile of another method' 'calibration percentile' -- litec convert "$model" -o out.tflite --quantize int8 $samples --percentile 99
bad 'what an old runtime lacks' 'its int8 form needs the runtime of TensorFlow 1\.14' 'later one with --target-runtime' -- litec convert "$model" -o out.tflite --quantize int8 $samples --target-runtime 1.4
bad 'without quantising, too' 'TensorFlow 1.4 lacks .*SOFTMAX' 'TensorFlow [0-9.]+ has all' -- litec convert "$model" -o out.tflite --target-runtime 1.4
bad 'blocks of another size' 'blocks of 48' -- litec convert "$model" -o out.tflite --quantize int4 --block 48
finish
