#!/bin/sh
# tensorflow.sh: what TensorFlow writes, by all roads: the same model as frozen graph, graph and checkpoint, MetaGraph, SavedModel gives
# TensorFlow's numbers; and what is said when something is missing or wrong. The files are those of tests/oracle/make_tf_files.py.
. "$(dirname "$0")/lib.inc"
tf=$LC_BUILD_DIR/tests/tf
bin=$(dirname "$LITEC")

# FILE OTHER: two .npy of float32 agree to 1e-5. Their headers are 128 bytes.
near() {
    od -An -v -tf4 -w4 -j128 "$1" >.a && od -An -v -tf4 -w4 -j128 "$2" >.b || return 1
    [ -s .a ] && paste .a .b | awk 'NF != 2 { exit 1 } { d = $1 - $2; if (d < 0) d = -d; if (d > 1e-5) exit 1 }'
}

# NAME WORDS...: converts, runs and compares with TensorFlow's output.
road() {
    name=$1
    shift
    check "$name converts" -- litec "$@" -o road.tflite
    check "$name runs" -- litec run road.tflite --input "$tf/softmax/x.npy" --output-dir ran
    check "$name gives TensorFlow's numbers" -- near ran/output0.npy "$tf/softmax/y.npy"
    rm -rf road.tflite ran
}

# ---- one graph by all roads
s=$tf/softmax
road 'frozen graph' convert "$s/frozen.pb"
road 'checkpoint of version 1' convert "$s/v1/model.ckpt"
road 'checkpoint of version 2' convert "$s/v2/model.ckpt"
road 'its index' convert "$s/v2/model.ckpt.index"
road 'a directory with a checkpoint' convert "$s/v1"
road 'MetaGraph of version 1' convert "$s/v1/model.ckpt.meta"
road 'MetaGraph of version 2' convert "$s/v2/model.ckpt.meta"
road 'MetaGraph, checkpoint elsewhere' convert "$s/v2/model.ckpt.meta" --checkpoint "$s/v1/model.ckpt"
road 'named' convert "$s/frozen.pb" --input-arrays x --output-arrays softmax:0 --fix keep_prob=1 --fix 'is_training=false'

# what was decided is said once, on stderr; --quiet does not
litec convert "$s/v2/model.ckpt" -o road.tflite 2>notes >/dev/null
check 'inputs and outputs are told' -- grep -qx 'note: inputs: x; outputs: softmax (others: --input-arrays, --output-arrays)' notes
check 'switches are told' -- grep -q '^note: placeholder "is_training" is fixed to false' notes
check 'rates are told' -- grep -q '^note: placeholder "keep_prob" is fixed to 1' notes
ok 'quiet' -- litec convert "$s/v2/model.ckpt" -o road.tflite --quiet

# ---- frozen by litec, read again
for graph in v1/model.ckpt.meta v2/model.ckpt.meta v1/model.ckpt; do
    ok "freeze $graph" '^3 variables became constants, 26 nodes in the frozen graph' -- \
        litec freeze "$s/$graph" --output_node_names=softmax --output_graph frozen.pb
    road "frozen from $graph" convert frozen.pb
done
ok 'freeze by its own name' '^3 variables' -- "$bin/freeze_graph" --input_meta_graph="$s/v2/model.ckpt.meta" --input_checkpoint "$s/v2/model.ckpt" \
    --input_binary=true --output_graph=again.pb --output_node_names softmax --clear_devices --restore_op_name save/restore_all
check 'the same bytes' -- cmp frozen.pb again.pb
bad 'freeze without outputs' 'no output nodes are named' 'softmax' -- litec freeze "$s/v2/model.ckpt.meta" --output_graph out.pb
bad 'freeze, wrong output' 'no node "sofmax"' 'did you mean "softmax"' -- litec freeze "$s/v2/model.ckpt.meta" --output_graph out.pb --output_node_names sofmax
bad 'freeze a Keras model' 'nothing to freeze' -- litec freeze "$models/keras2_cnn.h5" --output_graph out.pb --output_node_names x
bad 'freeze, unknown variable' 'no node "v"' -- litec freeze "$s/v2/model.ckpt.meta" --output_graph out.pb --output_node_names softmax --variable_names_denylist v
usage 'freeze nothing' 'needs a graph' -- litec freeze --output_graph out.pb
usage 'freeze two' 'not 2' -- litec freeze a.pb --input_graph b.pb --output_graph out.pb
usage 'freeze without a file to write' 'file to write' -- litec freeze a.pb
ok 'freeze all but one' '^2 variables became' -- litec freeze "$s/v2/model.ckpt.meta" --output_graph part.pb --output_node_names softmax --variable_names_denylist w
ok 'freeze only one' '^1 variable became constant,' -- litec freeze "$s/v2/model.ckpt.meta" --output_graph part.pb --output_node_names softmax --variable_names_whitelist w

# ---- SavedModels
n=$tf/named/saved_model
ok 'SavedModel' '^saved_model -> named.tflite: 22 nodes, ' -- litec convert "$n" -o named.tflite
check 'it runs' -- litec run named.tflite --input "wide=$tf/named/wide.npy" --input "narrow=$tf/named/narrow.npy" --output-dir ran
check 'outputs in the signature'\''s order, first' -- near ran/output0.npy "$tf/named/all.npy"
check 'outputs in the signature'\''s order, second' -- near ran/output1.npy "$tf/named/product.npy"
ok 'both signatures, inputs as the function has them' '^signature "serving_default".*: "wide", "narrow" -> "all", "product"' '^signature "find".*: "words" -> "number"' -- litec inspect named.tflite
ok 'one signature' -- litec convert "$n" -o one.tflite --signature find
ok 'it alone' '"signatures":\[\{"key":"find"[^]]*\],"outputs":\[[^]]*\]\}\]' -- litec inspect one.tflite --json
ok 'both by name' -- litec convert "$n" -o one.tflite --signature find,serving_default
ok 'a function' -- litec convert "$n" -o one.tflite --function join
ok 'under its name' '^signature "join".*: "wide", "narrow" -> "all", "product"' -- litec inspect one.tflite
ok 'saved_model.pb itself' 'saved_model.pb -> one.tflite' -- litec convert "$n/saved_model.pb" -o one.tflite
ok 'an open dimension fixed' -- litec convert "$n" -o one.tflite --signature serving_default --input-shape wide=4,3 --input-shape narrow=4,2
ok 'it is fixed' 'float32\[4,3\] +"wide"' -- litec inspect one.tflite
k=$tf/keras2/saved_model
ok 'Keras 2' -- litec convert "$k" -o keras.tflite
ok 'inputs and outputs in the order Keras has them' '^signature "serving_default".*: "zulu", "alpha" -> "second", "first"' -- litec inspect keras.tflite
rm -rf ran
check 'Keras 2 runs' -- litec run keras.tflite --input "$tf/keras2/zulu.npy" --input "$tf/keras2/alpha.npy" --output-dir ran
check 'Keras 2, first output' -- near ran/output0.npy "$tf/keras2/second.npy"
check 'Keras 2, second output' -- near ran/output1.npy "$tf/keras2/first.npy"
cp -r "$k" no_order && chmod -R u+w no_order && rm no_order/keras_metadata.pb
ok 'Keras 2 without its metadata' -- litec convert no_order -o keras.tflite
ok 'outputs in the order of names then' '-> "first", "second"' -- litec inspect keras.tflite

bad 'no such signature' 'no signature "fin"' '"serving_default", "find"' -- litec convert "$n" -o out.tflite --signature fin
bad 'no such tags' 'no graph with the tags "gpu"' 'there is: serve' -- litec convert "$n" -o out.tflite --tags gpu
bad 'no such function' 'no function "jion"' 'find, join' -- litec convert "$n" -o out.tflite --function jion
bad 'two ways to say it' 'three ways' -- litec convert "$n" -o out.tflite --function join --signature find
bad 'shape of no input' 'no such input' 'inputs are wide, narrow, words' -- litec convert "$n" -o out.tflite --input-shape long=1,3
bad 'shape of which input' 'which of the 2 inputs' -- litec convert "$n" -o out.tflite --signature serving_default --input-shape=-1,-1
bad 'shape that does not fit' 'input "wide" has shape \[\?,3\]' -- litec convert "$n" -o out.tflite --input-shape wide=1,4
bad 'shape that is none' 'a list of at most 8 sizes' -- litec convert "$n" -o out.tflite --input-shape wide=1,x
bad 'no such input' 'no tensor "xx"' 'did you mean "x"|lists likely' -- litec convert "$s/frozen.pb" -o out.tflite --input-arrays xx --output-arrays softmax
bad 'no such output' 'no tensor "softmx"' 'did you mean "softmax"' -- litec convert "$s/frozen.pb" -o out.tflite --output-arrays softmx
bad 'a fixed node that is none' 'no such node' 'did you mean "keep_prob"' -- litec convert "$s/frozen.pb" -o out.tflite --fix keep_prop=1
bad 'fixed to nonsense' 'is no number' -- litec convert "$s/frozen.pb" -o out.tflite --fix keep_prob=much
bad 'fix without a value' 'NAME=VALUE' -- litec convert "$s/frozen.pb" -o out.tflite --fix keep_prob
bad 'fix what is computed' 'not a placeholder' '--input-arrays' -- litec convert "$s/frozen.pb" -o out.tflite --fix softmax=1
bad 'a placeholder forgotten' 'need placeholder "x"' '--input-arrays' -- litec convert "$s/frozen.pb" -o out.tflite --input-arrays MatMul --output-arrays add,softmax
bad 'no values' 'nothing says where their values are' '--checkpoint' -- litec convert "$s/graph.pbtxt" -o out.tflite --quiet
bad 'a part of a variable' 'no variable .parts/b/part_0' 'partitioned variable' -- litec convert "$s/graph.pbtxt" -o out.tflite --checkpoint "$s/v1/model.ckpt" --quiet
bad 'options of TensorFlow for Keras' 'this is a Keras' -- litec convert "$models/keras2_cnn.h5" -o out.tflite --signature x
ok 'a Keras model with its batch fixed' -- litec convert "$models/keras2_cnn.h5" -o batch.tflite --input-shape 4,28,28,1
ok 'all of it' 'inputs +0 +float32\[4,28,28,1\]' 'outputs +0 +float32\[4,10\]' -- litec inspect batch.tflite

# a part of a graph: an inner tensor becomes the input
ok 'cut' -- litec convert "$s/frozen.pb" -o cut.tflite --input-arrays MatMul --output-arrays softmax --input-shape 1,3 --quiet
ok 'what is before it is gone' 'inputs +0 +float32\[1,3\] +"MatMul"' -- litec inspect cut.tflite

# ---- damage
cut() { # FILE BYTES: the first bytes of a file, under its name
    head -c "$2" "$1" >"$(basename "$1")"
}
cut "$s/frozen.pb" 3000
bad 'graph cut short' 'PB-' 'damaged or cut short' -- litec convert frozen.pb -o out.tflite
cp -r "$n" broken && chmod -R u+w broken
cut "$n/saved_model.pb" 9000 && mv saved_model.pb broken/
bad 'SavedModel cut short' 'PB-' -- litec convert broken -o out.tflite
cp "$n/saved_model.pb" broken/
printf 'XXXX' | dd of=broken/variables/variables.data-00000-of-00001 bs=1 conv=notrunc 2>/dev/null
bad 'a value that was changed' 'variable' 'CKPT-CHECKSUM' -- litec convert broken -o out.tflite
bad 'verify sees it' 'CKPT-CHECKSUM' -- litec verify broken
rm broken/variables/variables.data-00000-of-00001
bad 'no data shard' 'variables.data-00000-of-00001' -- litec convert broken -o out.tflite
rm -r broken/variables
bad 'no variables' 'variables' -- litec convert broken -o out.tflite
cp -r "$n" less && chmod -R u+w less && rm less/assets/words.txt
bad 'no asset' 'words.txt' -- litec convert less -o out.tflite
sed 's/op: "MatMul"/op: "MatMul/' "$s/graph.pbtxt" >graph.pbtxt
bad 'text cut in a string' 'line [0-9]+' -- litec convert graph.pbtxt -o out.tflite
mkdir empty split && : >split/saved_model.cpb
bad 'an empty directory' 'it is empty' -- litec convert empty -o out.tflite
bad 'a split SavedModel' 'saved_model.cpb' -- litec convert split -o out.tflite
mkdir versions && cp -r "$n" versions/3
bad 'a directory of versions' 'directory of SavedModels' 'versions/3' -- litec convert versions -o out.tflite
bad 'the variables of one' 'part of a SavedModel' 'directory above' -- litec convert "$n/variables" -o out.tflite
bad 'the index of one' 'no graph' 'part of a SavedModel' -- litec convert "$n/variables/variables.index" -o out.tflite
printf 'layer {\n  name: "data"\n}\n' >net.prototxt
bad 'text of another kind' 'text file' -- litec convert net.prototxt -o out.tflite

# ---- looking
ok 'inspect a SavedModel' '^signature "serving_default"' 'float32\[\?,3\] +"wide" +serving_default_wide:0' '^variables: 1 with 6 numbers' 'join\(wide: float32\[\?,3\], narrow: float32\[\?,2\]\)' -- litec inspect "$n"
ok 'inspect a graph' 'likely inputs and outputs' 'inputs +float32\[\?,4\] +"x"' '"softmax"' 'fixed +float32\[...\] +"keep_prob"|fixed +bool' -- litec inspect "$s/graph.pbtxt"
ok 'inspect a checkpoint' 'variables: 2 with 16 numbers in 64 B \(checkpoint of version 2\)' 'float32\[4,3\] +w' 'parts/b  \(2 parts\)' -- litec inspect "$s/v2/model.ckpt"
ok 'inspect as JSON' '^\{"file":.*"format":"saved-model".*"signatures":\[\{"key":"serving_default"' '"operators":\[' -- litec inspect "$n" --json
ok 'inspect the model it becomes' 'FULLY_CONNECTED' -- litec inspect "$n" --ops
ok 'verify a SavedModel' 'valid SavedModel: 22 nodes, [0-9]+ functions, 2 signatures, 1 variable with 6 numbers' -- litec verify "$n"
ok 'verify a graph' 'valid TensorFlow graph: 26 nodes' -- litec verify "$s/frozen.pb"
ok 'verify a checkpoint' 'valid checkpoint of version 1: 2 variables with 16 numbers' -- litec verify "$s/v1/model.ckpt"

# ---- the official command line
t=$bin/tflite_convert
ok 'tflite_convert' 'official' -- "$t" --help
ok 'the same by litec' 'official' -- litec tflite_convert --help
ok 'from a SavedModel' 'a.tflite' -- "$t" --saved_model_dir="$n" --output_file=a.tflite
ok 'space in place of =' 'b.tflite' -- litec tflite_convert --saved_model_dir "$n" --output_file b.tflite
check 'the same file' -- cmp a.tflite b.tflite
ok 'keys and tags' -- "$t" --saved_model_dir="$n" --output_file=a.tflite --saved_model_signature_key=find --saved_model_tag_set=serve --experimental_new_converter=true --experimental_new_quantizer false
ok 'from a Keras model' -- "$t" --keras_model_file="$models/keras3_cnn.keras" --output_file=a.tflite
check 'from a graph' -- "$t" --enable_v1_converter --graph_def_file="$s/frozen.pb" --input_arrays=x --output_arrays=softmax --input_shapes=5,4 --output_file=road.tflite --allow_custom_ops=false --inference_type=FLOAT --target_ops=TFLITE_BUILTINS
check 'it runs' -- litec run road.tflite --input "$s/x.npy" --output-dir v1
check 'as TensorFlow' -- near v1/output0.npy "$s/y.npy"
usage 'unknown flag, near' 'no option --saved_model_di$' 'did you mean --saved_model_dir' -- "$t" --saved_model_di=x --output_file=out.tflite
usage 'unknown flag, far' 'no option --nonsense' -- "$t" --saved_model_dir=x --output_file=out.tflite --nonsense=3
usage 'a name of TOCO' 'it is --graph_def_file now' -- "$t" --input_file=x --output_file=out.tflite
usage 'a flag of version 1' 'add --enable_v1_converter' -- "$t" --saved_model_dir=x --output_file=out.tflite --allow_custom_ops
usage 'no output' '--output_file' -- "$t" --saved_model_dir=x
usage 'no model' 'needs a model' -- "$t" --output_file=out.tflite
usage 'two models' 'not 2' -- "$t" --saved_model_dir=x --keras_model_file=y --output_file=out.tflite
usage 'a graph without names' '--input_arrays and --output_arrays' -- "$t" --enable_v1_converter --graph_def_file=x --output_file=out.tflite
usage 'shapes without names' 'needs --input_arrays' -- "$t" --enable_v1_converter --saved_model_dir=x --input_shapes=1,2 --output_file=out.tflite
usage 'neither true nor false' 'neither TRUE nor FALSE' -- "$t" --enable_v1_converter --saved_model_dir=x --output_file=out.tflite --change_concat_input_ranges=yes
bad 'hints name its own flags' 'W|w' '^hint: choose one with --saved_model_tag_set; there is: serve' -- "$t" --saved_model_dir="$n" --saved_model_tag_set=gpu --output_file=out.tflite
bad 'and those of version 1' '--input_arrays: the graph has no tensor "xx"' -- "$t" --enable_v1_converter --graph_def_file="$s/frozen.pb" --input_arrays=xx --output_arrays=softmax --output_file=out.tflite
ok 'what is empty is not given' '^3 variables' -- litec freeze --input_graph="$s/v2/model.ckpt.meta" --output_graph=frozen.pb --output_node_names=softmax --initializer_nodes= --variable_names_whitelist= --variable_names_denylist '' --input_saver=
usage 'too few shapes' '1 shapes, --input_arrays 2 names' -- "$t" --enable_v1_converter --saved_model_dir=x --input_arrays=a,b --input_shapes=1,2 --output_file=out.tflite
usage 'means without deviations' 'go together' -- "$t" --enable_v1_converter --saved_model_dir=x --mean_values=1 --output_file=out.tflite
usage 'neither true nor false' 'neither true nor false' -- "$t" --saved_model_dir=x --output_file=out.tflite --experimental_new_converter=maybe
usage 'no such type' 'no type INT3' -- "$t" --enable_v1_converter --saved_model_dir=x --inference_type=INT3 --output_file=out.tflite
usage 'no such set' 'no set TFLITE' -- "$t" --enable_v1_converter --saved_model_dir=x --target_ops=TFLITE --output_file=out.tflite
for flag in --dump_graphviz_dir=x --conversion_summary_dir=x --target_ops=EXPERIMENTAL_STABLEHLO_OPS --experimental_new_converter=false --experimental_select_user_tf_ops=X; do
    bad "refused by name: $flag" "^error: ${flag%%=*}: litec does not" -- "$t" --enable_v1_converter --saved_model_dir="$n" --output_file=out.tflite $flag
done
k="--enable_v1_converter --keras_model_file=$models/keras3_cnn.keras --output_file=small.tflite"
ok 'weights quantised' '^quantised 2 of 9 operators' -- "$t" $k --post_training_quantize
ok 'float16 weights' '^size 90.4 KB -> ' -- "$t" $k --post_training_quantize=true --quantize_to_float16
ok 'dummy quantisation' '^quantised 9 of 9 operators' -- "$t" $k --inference_type=QUANTIZED_UINT8 --mean_values=0 --std_dev_values=255 --default_ranges_min=0 --default_ranges_max=6
ok 'types as asked for' 'uint8' -- litec inspect small.tflite
bad 'integers without ranges' 'needs samples' -- "$t" --enable_v1_converter --keras_model_file="$models/keras3_cnn.keras" --output_file=out.tflite --inference_type=INT8
bad 'a set that needs samples' 'needs samples' -- "$t" --enable_v1_converter --saved_model_dir="$n" --output_file=out.tflite --target_ops=TFLITE_BUILTINS_INT8
usage 'integer inputs of a float model' 'add --inference_type=INT8' -- "$t" --enable_v1_converter --saved_model_dir=x --output_file=out.tflite --inference_input_type=QUANTIZED_UINT8
usage 'no number' '--mean_values=a' -- "$t" --enable_v1_converter --saved_model_dir=x --output_file=out.tflite --mean_values=a --std_dev_values=1
finish
