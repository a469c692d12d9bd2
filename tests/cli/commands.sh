#!/bin/sh
# commands.sh: each command on the bundled models: what it prints, what it writes, and that the ways to it agree.
. "$(dirname "$0")/lib.inc"

for model in keras2_mlp.h5 keras3_mlp.keras keras2_cnn.h5 keras3_cnn.keras; do
    before=$(cksum <"$models/$model")
    ok "convert $model" "^$model -> m.tflite: [0-9]+ layers, [0-9]+ operators, [0-9.]+ KB, [0-9.]+ (us|ms|s)\$" -- \
        litec convert "$models/$model" -o m.tflite
    check "$model is unchanged" -- [ "$before" = "$(cksum <"$models/$model")" ]
    ok "verify $model" "$model: .*[0-9]" -- litec verify "$models/$model"
    ok "verify m.tflite of $model" '^m.tflite: valid TFLite v3: 1 graph' -- litec verify m.tflite
    ok "inspect $model" 'graph 0 "main"' 'inputs' 'outputs' 'signature "serving_default"' 'parameters [0-9,]+' 'memory: arena' FULLY_CONNECTED SOFTMAX -- \
        litec inspect "$models/$model"
    ok "run $model" '^  1\. +[0-9.e-]+  seven$' '^  3\. ' -- \
        litec run "$models/$model" --input "$digits/seven.png" --labels "$digits/labels.txt" --top 3
    ok "run m.tflite of $model" '^  1\. +[0-9.e-]+  seven$' -- litec run m.tflite -i "$digits/seven.png" -l "$digits/labels.txt"
    # the same answer from the source and from what it became, to the last bit
    check "run $model -o a" -- litec run "$models/$model" --input "$digits/four.png" --output-dir a
    check "run m.tflite -o b" -- litec run m.tflite --input "$digits/four.png" --output-dir b
    check "$model and its .tflite agree" -- cmp a/output0.npy b/output0.npy
    # twice the same bytes
    check "convert $model again" -- litec convert "$models/$model" -o n.tflite
    check "$model converts to the same bytes" -- cmp m.tflite n.tflite
    # a .tflite is taken as it stands
    ok "convert m.tflite of $model" '^m.tflite -> n.tflite' -- litec convert m.tflite -o n.tflite
    check "m.tflite of $model is copied" -- cmp m.tflite n.tflite
done

# found by content, not by name
cp "$models/keras3_cnn.keras" zip.h5
cp "$models/keras2_cnn.h5" hdf5.keras
ok 'a zip named .h5' '^zip.h5 -> m.tflite' -- litec convert zip.h5 -o m.tflite
ok 'an HDF5 named .keras' '^hdf5.keras -> m.tflite' -- litec convert hdf5.keras -o m.tflite
cp m.tflite model.bin
ok 'a .tflite of another name' '^model.bin: valid TFLite' -- litec verify model.bin

# ---- convert
ok 'quiet' -- litec convert "$models/keras2_cnn.h5" -o m.tflite --quiet
check 'quiet is quiet' -- [ ! -s .stdout ]
ok 'json' '^\{"source":".*keras2_cnn.h5","output":"m.tflite","format":"keras-h5","layers":[0-9]+,"operators":[0-9]+,.*"peak_bytes":[0-9]+\}$' -- \
    litec convert "$models/keras2_cnn.h5" -o m.tflite --json
odd=$(printf 'a\tb\302\233\377\303(.tflite')
cp m.tflite "$odd"
ok 'json of a name with control characters' '"source":"a\\tb\\u009b��[(][.]tflite"' -- litec convert "$odd" -o m.tflite --json
ok 'no-optimize has more operators' -- litec convert "$models/keras2_cnn.h5" -o plain.tflite --no-optimize
plain=$(sed 's/.*, \([0-9]*\) operators.*/\1/' .stdout)
litec convert "$models/keras2_cnn.h5" -o m.tflite >.stdout
best=$(sed 's/.*, \([0-9]*\) operators.*/\1/' .stdout)
check 'the rewrites save operators' -- [ "$plain" -gt "$best" ]
ok 'a loop' -- litec convert "$ROOT/tests/data/cli/gru.keras" -o loop.tflite
ok 'GRU is a loop' 'graph 1' -- litec inspect loop.tflite
ok 'its steps, and a fixed batch' -- litec convert "$ROOT/tests/data/cli/gru.keras" -o steps.tflite --unroll --input-shape 2,7,5
ok 'unrolled there is one graph' 'float32\[2,7,5\]' -- litec inspect steps.tflite
check 'no second graph' -- sh -c '! grep -q "graph 1" .stdout'
bad 'a shape of no input' 'there is no such input' -- litec convert "$ROOT/tests/data/cli/gru.keras" -o steps.tflite --input-shape x=2,7,5
bad 'a shape that contradicts' 'has shape' -- litec convert "$ROOT/tests/data/cli/gru.keras" -o steps.tflite --input-shape 2,7,4
check 'a .tflite is not rewritten' -- litec convert plain.tflite -o copy.tflite
check 'it is copied' -- cmp plain.tflite copy.tflite
ok 'and what is not rewritten answers the same' 'seven' -- litec run plain.tflite -i "$digits/seven.png" -l "$digits/labels.txt" -k 1

# ---- inspect
ok 'ops only' 'CONV_2D .*\[\?,26,26,16\]' 'DEPTHWISE_CONV_2D' -- litec inspect m.tflite --ops
cp .stdout ops.txt
check 'ops only has no summary' -- sh -c '! grep -q parameters ops.txt'
ok 'tensors only' 'float32\[16,3,3,1\]' -- litec inspect m.tflite --tensors
ok 'memory only' '^arena [0-9.]+ KB, 1\.0[0-4][0-9] of its lower bound; [0-9]+ blocks' 'AAA\|$' '\| most$' -- litec inspect m.tflite --memory
ok 'all as json' '^\{"file":"m.tflite","format":"tflite","layers":9,"schema_version":3,.*"signatures":\[\{"key":"serving_default"' '"op":"CONV_2D"' '"macs":[1-9]' '"arena_bytes":[1-9]' '"tensors":\[' -- \
    litec inspect m.tflite --json
ok 'ops as json' '"operators":\[\{"index":0,"op":"CONV_2D"' '"options":\{"padding": ?"VALID"' -- litec inspect m.tflite --json --ops
ok 'operators of a model' 'LC_WITH_SOFTMAX 1' -- litec ops m.tflite
cases=$((cases + 1))
litec ops "$models/keras3_cnn.keras" | cmp -s - "$ROOT/tests/device/cnn_ops.h" || complain 'ops is what tests/device/cnn_ops.h says'
cases=$((cases + 1))
one=$(litec ops "$models/keras2_mlp.h5" "$models/keras3_cnn.keras" | sort)
both=$({ litec ops "$models/keras2_mlp.h5"; litec ops "$models/keras3_cnn.keras"; } | sort -u)
[ "$one" = "$both" ] || complain 'ops of two models are those of each'
ok 'ops of an integer model' 'LC_WITH_CONV_2D 1' 'LC_WITH_INTEGER 1' -- litec ops "$ROOT/tests/data/tflite/conv_int8.tflite"
ok 'ops of a custom operator' 'the program must bring: ' -- litec ops "$ROOT/tests/data/tflite/custom_op.tflite"
bad 'ops of a broken file' 'labels.txt: not a model' -- litec ops "$ROOT/examples/digits/labels.txt" m.tflite
ok 'memory as json' '"blocks":\[\{"tensor":' -- litec inspect m.tflite --json --memory

# ---- verify
ok 'verify as json' '^\{"file":"m.tflite","valid":true,"summary":"valid TFLite' -- litec verify m.tflite --json
head -c 1000 m.tflite >cut.tflite
split_and_run 'verify a broken file as json' -- litec verify cut.tflite --json
[ "$code" = 1 ] && grep -q '^{"file":"cut.tflite","valid":false,"status":"LC_INVALID","rule":"[A-Z-]*"' .stdout || complain "$name" "exit $code"

# ---- run
zeros 3136 | npy one.npy '<f4' '1, 28, 28, 1'
zeros 3136 | npy row.npy '<f4' '28, 28, 1'
zeros 9408 | npy three.npy '<f4' '3, 28, 28, 1'
ok 'npy' '^output .*float32\[1,10\]$' '^\[\[' -- litec run m.tflite --input one.npy
cp .stdout one.txt
ok 'npy without its batch' 'float32\[1,10\]' -- litec run m.tflite --input row.npy
cp .stdout row.txt
check 'is the same' -- cmp one.txt row.txt
ok 'npy with another batch' 'float32\[3,10\]' -- litec run m.tflite --input three.npy
ok 'a file behind the model is an input' 'float32\[1,10\]' -- litec run m.tflite one.npy
input=$(litec inspect m.tflite | sed -n 's/^signature "serving_default": "\(.*\)" ->.*/\1/p')
ok 'by name' 'float32\[1,10\]' -- litec run m.tflite --input "$input=one.npy"
cp one.npy 'a=b.npy'
ok 'a file with = in its name' 'float32\[1,10\]' -- litec run m.tflite --input a=b.npy
ok 'ranking by number' '^  1\. .*  7$' -- litec run m.tflite -i "$digits/seven.png" --top 1
ok 'ranking of a batch' '^0: .*, .*' '^2: ' -- litec run m.tflite -i three.npy --top 2
ok 'threads' '^  1\. .*  7$' -- litec run m.tflite -i "$digits/seven.png" --top 1 --threads 2
check 'mean and std' -- litec run m.tflite -i "$digits/seven.png" --mean 0.5 --std 0.5
gzip -dc "$mnist/t10k-images-idx3-ubyte.gz" | { printf '\000\000\010\003\000\000\000\005\000\000\000\034\000\000\000\034'; tail -c +17 | head -c 3920; } >five.idx
ok 'five pictures of an IDX file' '^0: 7 ' '^1: 2 ' '^2: 1 ' '^3: 0 ' '^4: 4 ' -- litec run m.tflite -i five.idx --top 1
gzip -k five.idx
ok 'also compressed' '^4: 4 ' -- litec run m.tflite -i five.idx.gz --top 1
ok 'into a directory' -- litec run m.tflite -i three.npy --output-dir made/
check 'the array is there' -- grep -aq "'shape': (3, 10)" made/output0.npy
ok 'output as the input of nothing else' -- litec run m.tflite -i one.npy --output-dir made
check 'it is overwritten' -- grep -aq "'shape': (1, 10)" made/output0.npy

# several inputs and outputs: by order, by name, in any order
two=$ROOT/tests/data/keras/k3_keyed.keras
zeros 16 | npy a.npy '<f4' '1, 4'
head -c 16 /dev/zero | tr '\000' '@' | npy b.npy '<f4' '1, 4' # four times 3.0039215
ok 'two inputs by order' '^output x float32\[1,4\]' '^output y float32\[1,4\]' -- litec run "$two" -i b.npy -i a.npy
cp .stdout order.txt
for form in "-i b=b.npy -i a=a.npy" "-i a=a.npy -i b=b.npy" "-i a=a.npy -i b.npy" "-i b.npy a=a.npy" "--input=a=a.npy b.npy"; do
    ok "two inputs: $form" -- litec run "$two" $form
    cp .stdout form.txt
    check "two inputs: $form is the same" -- cmp order.txt form.txt
done
ok 'the other way round' -- litec run "$two" -i b=a.npy -i a=b.npy
cp .stdout form.txt
check 'is not the same' -- sh -c '! cmp -s order.txt form.txt'
check 'two outputs' -- litec run "$two" -i b.npy -i a.npy -o both
check 'both are written' -- [ -s both/output0.npy -a -s both/output1.npy ]
bad 'one of two' 'input a is missing' '--input a=FILE' -- litec run "$two" -i b.npy
bad 'the same one twice' 'input b is given twice' -- litec run "$two" -i b=b.npy -i b=a.npy
bad 'three for two' '3 input files, but the model has 2 inputs' -- litec run "$two" -i b.npy -i a.npy -i a.npy
ok 'a signature by its key' '^output x ' -- litec run "$two" -i b=b.npy -i a=a.npy --signature serving_default

# ---- lint
ok 'lint' 'keras2_cnn.h5: converts: 11 layers -> 9 operators' 'file +[0-9.]+ KB, of which weights [0-9.]+ KB' 'one run +897,408 multiply-accumulates; arena [0-9.]+ KB' \
    'int8 +9 of 9 operators' 'runtime +TensorFlow Lite 1[.]5[.]0 or later' -- litec lint "$models/keras2_cnn.h5"
ok 'lint as json' '"converts":true,"problems":\[\],"unseen":0,"format":"keras-h5","layers":11,"operators":9,.*"int8":\{"operators":9,"integer":9,"float":\[\],"file_bytes":2[0-9]*,"arena_bytes":3[0-9]*\}' -- \
    litec lint "$models/keras2_cnn.h5" --json
litec convert "$models/keras2_cnn.h5" -o m.tflite --quiet
check 'lint knows the size of the file' -- sh -c '"$0" lint "$1" --json | grep -q "\"file_bytes\":$(wc -c <m.tflite),"' "$LITEC" "$models/keras2_cnn.h5"
check 'lint fails where the conversion would' -- sh -c '! "$0" lint "$1" >lint.txt' "$LITEC" "$bad_files/lambda.h5"
check 'and says what and why' -- grep -q 'layer "squares" (Lambda): a Lambda layer holds Python code' lint.txt
check 'and what to do' -- grep -q 'hint: replace it by Keras layers' lint.txt
ok 'lint with custom operators' 'with kernels of your own for FancyAttention' 'float stays FancyAttention' -- litec lint "$bad_files/unknown_layer.h5" --allow-custom-ops
bad 'lint nothing' 'nothing.h5' -- litec lint nothing.h5

# ---- bench
ok 'bench' 'load' 'plan' 'first' 'run .*median of 20 \(p10 .*, p90' 'arena' 'peak' -- litec bench m.tflite --runs 20
ok 'bench as json' '"runs":3,.*"median":0\.[0-9]+.*"peak_bytes":[1-9]' -- litec bench m.tflite --runs 3 --warmup 1 --json
ok 'bench with profile' '^ +0  CONV_2D ' 'GFLOP/s' -- litec bench m.tflite --runs 3 --profile
ok 'bench another shape' 'median of 3' -- litec bench m.tflite --runs 3 --input-shape 4,28,28,1
ok 'bench another shape by name' 'median of 3' -- litec bench "$models/keras2_mlp.h5" --runs 3 --threads 2 --input-shape "$(litec inspect "$models/keras2_mlp.h5" | sed -n 's/^signature "serving_default": "\(.*\)" ->.*/\1/p')=4,28,28"
usage 'bench a shape that is none' 'is no shape' -- litec bench m.tflite --input-shape 4,x
bad 'bench a shape that does not fit' -- litec bench m.tflite --input-shape 4,28,28,7
bad 'bench unknown input' 'no input named nobody' -- litec bench m.tflite --input-shape nobody=1
check 'forced kernels' -- sh -c 'LC_ISA=ref "$0" run m.tflite -i "$1" --top 1 | grep -q "  7$"' "$LITEC" "$digits/seven.png"
split_and_run 'unknown kernels' -- env LC_ISA=mmx "$LITEC" run m.tflite -i one.npy
[ "$code" = 1 ] || complain "$name" "exit $code"
finish
