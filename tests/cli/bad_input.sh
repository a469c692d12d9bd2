#!/bin/sh
# bad_input.sh: files that are broken, hostile or not what they seem. Each ends with exit 1, one error: and one hint: line and
# nothing left behind; where people will meet the error, the text must name what is wrong. The files are made by
# tests/oracle/make_bad.py, or here by cutting and changing good ones.
. "$(dirname "$0")/lib.inc"
# A bomb that goes off fails here, not on the machine. (Sanitizers need more address space than that.)
[ -n "$sanitized" ] || ulimit -v 4000000

# ---- files that are no models
bad 'missing file' 'nothing.h5' -- litec convert nothing.h5 -o out.tflite
mkdir directory
bad directory 'directory' -- litec convert directory -o out.tflite
: >empty.h5
bad empty 'empty' -- litec convert empty.h5 -o out.tflite
mkfifo pipe 2>/dev/null && bad 'named pipe' 'pipe' -- litec convert pipe -o out.tflite
bad device -- litec convert /dev/zero -o out.tflite
cp "$digits/seven.png" picture.h5
bad 'a PNG named .h5' 'picture.h5' 'PNG' -- litec convert picture.h5 -o out.tflite
printf 'hello' >text.keras
bad 'text' 'text.keras' -- litec convert text.keras -o out.tflite
awk 'BEGIN { srand(7); for (i = 0; i < 20000; i++) printf "%c", int(rand() * 94) + 33 }' >random.h5
bad 'random text' 'random.h5' -- litec convert random.h5 -o out.tflite
head -c 8192 "$LITEC" | tail -c 4096 >random.tflite
bad 'random bytes' -- litec convert random.tflite -o out.tflite
{ head -c 8 "$bad_files/good.h5"; head -c 8192 "$LITEC" | tail -c 4096; } >random2.h5
bad 'random bytes behind an HDF5 signature' -- litec convert random2.h5 -o out.tflite
for command in run inspect verify bench; do
    bad "$command: missing file" 'nothing.h5' -- litec $command nothing.h5
    bad "$command: PNG" 'PNG' -- litec $command picture.h5
done

# ---- the list: file, then what the two lines must say
check 'the good twin, .h5' -- litec convert "$bad_files/good.h5" -o good.tflite
check 'the good twin, .keras' -- litec convert "$bad_files/good.keras" -o good.tflite
while IFS='|' read -r file patterns; do
    case $file in '' | '#'*) continue ;; esac
    set -- "$file"
    old_ifs=$IFS
    IFS='|'
    for pattern in $patterns; do set -- "$@" "$pattern"; done
    IFS=$old_ifs
    bad "$@" -- litec convert "$bad_files/$file" -o out.tflite
done <<LIST
weights_only.h5|weights|model.save
wrong_shape.h5|fc|5|4
wrong_type.h5|fc|kernel
missing_dataset.h5|fc|kernel
missing_bias.h5|fc
no_weights.h5|fc
config_not_json.h5|model_config
config_deep.h5|nested deeper
config_list.h5|configuration
config_number.h5|class_name|config
unknown_layer.h5|fancy|FancyAttention|allow-custom-ops
lambda.h5|squares|Lambda
unknown_activation.h5|fc|wiggle
negative_units.h5|fc|-3
zero_units.h5|fc|0
huge_units.h5|fc
negative_shape.h5|-4
huge_reshape.h5|shape
huge_input.h5|in|flat
huge_padding.h5|pad
zero_strides.h5|conv|stride
negative_filters.h5|conv|-2
kernel_too_large.h5|conv
zero_pool.h5|pool
cyclic.h5|circle|sum
self_loop.h5|a
unknown_inbound.h5|nowhere
add_shapes.h5|sum
soft_link.h5|soft link
external_link.h5|external link
external_storage.h5|external
virtual_dataset.h5|virtual
terabytes.h5|fc|kernel
unknown_filter.h5|filter|lzf
group_loop.h5|fc|loop
summed_bomb.h5|d[0-9]
no_config.keras|config.json
no_weights.keras|weights
not_a_model.keras|config.json
deep_config.keras|nested deeper
deflate_bomb.keras|config.json
twice.keras|config.json
wrong_crc.keras|config.json|checksum
lying_offset.keras|config.json
absurd_size.keras|model.weights.h5
sizes_disagree.keras|config.json
encrypted.keras|config.json|encrypt
unknown_method.keras|config.json|method
directory_outside.keras|directory
absurd_count.keras|directory
zip64_terabytes.keras|config.json
LIST
alone=$ROOT/tests/data/keras/weights
ok 'an architecture and its weights' 'seq.json -> alone.tflite: 4 layers' -- litec convert "$alone/seq.json" --weights "$alone/seq.weights.h5" -o alone.tflite
ok 'an architecture and its weights, seen' 'FULLY_CONNECTED' -- litec inspect "$alone/seq.json" --weights "$alone/seq.weights.h5" --ops
sed 's/"use_bias": /"use_biass": true, "use_bias": /' "$alone/seq.json" >misspelt.json
check 'an argument nobody knows is no error' -- sh -c '"$LITEC" convert misspelt.json --weights "$0" -o out.tflite >/dev/null 2>notes' "$alone/seq.weights.h5"
check 'but is told once' -- sh -c 'grep -c "^note: .*use_biass" notes | grep -qx 1'
rm -f out.tflite
bad 'an architecture alone' 'without its weights' '--weights' -- litec convert "$alone/seq.json" -o out.tflite
bad 'weights alone' 'not the model' '--weights' -- litec convert "$alone/seq.weights.h5" -o out.tflite
bad 'weights of another model' 'lists 5 layers' 'the 3 of model' -- litec convert "$alone/seq.json" --weights "$alone/too_many.h5" -o out.tflite
bad 'weights of other shapes' 'first_1' '3, 2' '4, 3' -- litec convert "$alone/seq.json" --weights "$alone/swapped.h5" -o out.tflite
bad 'a picture for weights' 'seven.png' 'PNG' -- litec convert "$alone/seq.json" --weights "$digits/seven.png" -o out.tflite
bad 'weights that are not there' 'none.h5' -- litec convert "$alone/seq.json" --weights none.h5 -o out.tflite
bad 'a shard elsewhere' 'plain file name' -- litec convert "$alone/seq.json" --weights "$alone/bad_outside.weights.json" -o out.tflite
bad 'a shard that is missing' 'none_00000.weights.h5' 'all shards' -- litec convert "$alone/seq.json" --weights "$alone/bad_missing.weights.json" -o out.tflite
bad 'an index that lies' 'does not have it' -- litec convert "$alone/seq.json" --weights "$alone/bad_lies.weights.json" -o out.tflite
bad 'TensorFlow.js' 'TensorFlow.js' 'tensorflowjs_converter' -- litec convert "$alone/tfjs.json" -o out.tflite
ok 'an unknown layer is kept when asked for' 'operators' -- litec convert "$bad_files/unknown_layer.h5" -o kept.tflite --allow-custom-ops
ok 'and is named' 'FancyAttention' -- litec inspect kept.tflite --ops
bad 'but cannot run' 'FancyAttention' -- litec bench kept.tflite

# ---- cut anywhere
litec convert "$models/keras2_cnn.h5" -o good.tflite --quiet
for model in "$bad_files/good.h5" "$bad_files/good.keras" good.tflite; do
    size=$(wc -c <"$model")
    for percent in 0 1 2 5 10 20 30 40 50 60 70 80 90 95 99; do
        at=$((size * percent / 100 + 1))
        head -c $at "$model" >cut
        bad "$(basename "$model") cut at $at of $size" 'cut' -- litec convert cut -o out.tflite
    done
    head -c $((size - 1)) "$model" >cut
    [ "$model" = good.tflite ] || bad "$(basename "$model") without its last byte" -- litec convert cut -o out.tflite
done
i=1
while [ $i -le 64 ]; do
    head -c $i good.tflite >cut
    bad "first $i bytes of a .tflite" -- litec convert cut -o out.tflite
    i=$((i + 7))
done

# ---- memory declared over the limit is refused before it is used
bad 'limit' 'limit|memory' -- litec convert "$models/keras2_mlp.h5" -o out.tflite --max-memory 1K

# ---- inputs of run
litec convert "$models/keras2_cnn.h5" -o good.tflite --quiet
zeros 3136 | npy one.npy '<f4' '1, 28, 28, 1'
zeros 6272 | npy double.npy '<f8' '1, 28, 28, 1'
zeros 3136 | npy shape.npy '<f4' '1, 28, 28'
zeros 2916 | npy small.npy '<f4' '1, 27, 27, 1'
zeros 100 | npy short.npy '<f4' '1, 28, 28, 1'
zeros 0 | npy huge.npy '<f4' '1000000000, 1000000000, 1000000000'
zeros 16 | npy object.npy '|O' '2,'
bad 'no input' 'is missing' 'float32\[\?,28,28,1\]' -- litec run good.tflite
bad 'wrong type' 'double.npy holds float64\[1,28,28,1\]' 'wants float32\[\?,28,28,1\]' -- litec run good.tflite -i double.npy
zeros 3136 | npy whole.npy '<i4' '1, 28, 28, 1'
bad 'wrong type of the same size' 'whole.npy holds int32\[1,28,28,1\]' "astype\('float32'\)" -- litec run good.tflite -i whole.npy
bad 'wrong rank' 'holds float32\[1,28,28\]' 'wants float32' -- litec run good.tflite -i shape.npy
bad 'wrong size' 'holds float32\[1,27,27,1\]' -- litec run good.tflite -i small.npy
bad 'data too short' 'short.npy' -- litec run good.tflite -i short.npy
bad 'absurd shape' 'huge.npy' -- litec run good.tflite -i huge.npy
bad 'objects' 'object.npy' -- litec run good.tflite -i object.npy
bad 'unknown name' 'no input named nobody' "the model's inputs are" -- litec run good.tflite -i nobody=one.npy
bad 'too many' '2 input files, but the model has 1 input' -- litec run good.tflite -i one.npy -i one.npy
bad 'missing input file' 'nothing.npy' -- litec run good.tflite -i nothing.npy
bad 'a model as input' -- litec run good.tflite -i good.tflite
bad 'IDX labels as input' -- litec run good.tflite -i "$mnist/t10k-labels-idx1-ubyte.gz"
head -c 100 "$digits/seven.png" >cut.png
bad 'half a picture' 'cut.png' -- litec run good.tflite -i cut.png
printf 'one\ntwo\n' >few.txt
bad 'too few labels' '2 labels' '10 classes' -- litec run good.tflite -i one.npy -l few.txt
bad 'no labels' 'nolabels.txt' -- litec run good.tflite -i one.npy -l nolabels.txt
bad 'output directory in nowhere' 'no/where' -- litec run good.tflite -i one.npy -o no/where
bad 'output directory is a file' 'few.txt' -- litec run good.tflite -i one.npy -o few.txt
bad 'unknown signature' 'signature' 'serving_default' -- litec run good.tflite -i one.npy -s nobody
finish
