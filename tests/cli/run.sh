#!/bin/sh
# run.sh: what goes into `litec run` and how: pictures of all kinds, arrays as NumPy writes them, and large batches, which are run
# in slices where that cannot be told from the outside. tests/oracle/make_cli_cases.py makes the data.
. "$(dirname "$0")/lib.inc"
data=$ROOT/tests/data/cli
check 'a model' -- litec convert "$models/keras3_cnn.keras" -o m.tflite
answers() { tail -c +129 "$1"; } # the elements of a .npy that litec wrote

# ---- pictures
for form in grey rgb progressive large turned; do
    ok "a JPEG: $form" '^  1\. +0\.99[0-9]*  7$' -- litec run m.tflite -i "$data/$form.jpg" --top 1
done
check 'a JPEG that asks to be turned' -- litec run m.tflite -i "$data/turned.jpg" -o turned
check 'the same, that does not' -- litec run m.tflite -i "$data/grey.jpg" -o upright
check 'it is taken as stored' -- cmp turned/output0.npy upright/output0.npy
head -c 400 "$data/grey.jpg" >cut.jpg
bad 'half a JPEG' 'cut.jpg' -- litec run m.tflite -i cut.jpg
printf 'GIF89a..........' >picture.gif
bad 'a GIF' 'picture.gif' 'png, .jpg' -- litec run m.tflite -i picture.gif
ok 'mean and std change the numbers' '^  1\. ' -- litec run m.tflite -i "$data/grey.jpg" --mean 0.5 --std 0.25 --top 1
cp .stdout scaled.txt
litec run m.tflite -i "$data/grey.jpg" --top 1 >plain.txt
check 'they do' -- sh -c '! cmp -s plain.txt scaled.txt'

# ---- arrays
fours() { i=0; while [ $i -lt 784 ]; do printf "$1"; i=$((i + 1)); done; }
fours '\000\000\200\077' | npy little.npy '<f4' '1, 28, 28, 1'
fours '\077\200\000\000' | npy big.npy '>f4' '1, 28, 28, 1'
check 'big-endian' -- litec run m.tflite -i big.npy -o big
check 'little-endian' -- litec run m.tflite -i little.npy -o little
check 'mean the same' -- cmp big/output0.npy little/output0.npy
bad 'mean for an array' 'little.npy is an array' -- litec run m.tflite -i little.npy --mean 0.5
bad 'std for an array' '--std' -- litec run m.tflite -i little.npy --std 2
fours '\000\000\300\177' | npy nan.npy '<f4' '1, 28, 28, 1'
ok 'not a number is ranked and shown' '^  1\. +nan  0$' '^  2\. +nan  1$' -- litec run m.tflite -i nan.npy --top 2
zeros 0 | npy none.npy '<f4' '0, 28, 28, 1'
ok 'no rows' 'float32\[0,10\]' -- litec run m.tflite -i none.npy
{ printf 'PK\003\004'; zeros 100; } >arrays.npz
bad 'a .npz' 'arrays.npz' 'numpy.save' -- litec run m.tflite -i arrays.npz

# ---- an input of unknown rank takes any shape
for dims in '2, 3' '6,' '1, 2, 1, 3'; do
    printf '\000\000\200\077\000\000\000\100\000\000\100\100\000\000\200\100\000\000\240\100\000\000\300\100' | npy six.npy '<f4' "$dims"
    ok "any rank: $dims" "float32.$(echo "$dims" | sed 's/ //g; s/,$//')\\]" ' 12' -- litec run "$data/any_rank.tflite" -i six.npy
done
printf '\001\000\000\000' | npy one.npy '<i4' '1,'
bad 'of another type' 'wants float32\[\.\.\.\]' -- litec run "$data/any_rank.tflite" -i one.npy
ok 'no rank is shown' 'inputs   0  float32\[\.\.\.\]' 'MUL +float32\[\.\.\.\]' -- litec inspect "$data/any_rank.tflite"
ok 'nor in JSON' '"type":"float32","shape":null' -- litec inspect "$data/any_rank.tflite" --json

# ---- text: string inputs of a model with two signatures
text=$data/text.tflite
printf 'one\000\000zwei\000\303\251\000\000\000\000\000\000\000\000' | npy bytes.npy '|S5' '4,'
printf 'o\000\000\000n\000\000\000e\000\000\000\351\000\000\000\000\000\000\000\000\000\000\000' | npy wide.npy '<U3' '2,'
printf '\000\000\000o\000\000\000n\000\000\000e\000\000\000\351\000\000\000\000\000\000\000\000' | npy wide_big.npy '>U3' '2,'
printf '\001\000\000\000\003\000\000\000\000\000\000\000' | npy which.npy '<i4' '3,'
ok 'bytes looked up' '^output numbers int64\[4\]' '1 +2 +3 +-1\]' -- litec run "$text" --signature look -i words=bytes.npy
ok 'characters looked up' ' 1 +3\]' -- litec run "$text" --signature look -i words=wide.npy
ok 'big-endian characters' ' 1 +3\]' -- litec run "$text" -s look wide_big.npy
ok 'strings printed' '^output picked string\[3\]' '^\["zwei"$' '^ ""$' '^ "one"\]$' -- litec run "$text" -s pick -i which=which.npy -i words=bytes.npy
check 'strings written' -- litec run "$text" -s pick -i words=bytes.npy -i which=which.npy -o picked
printf 'zwei\000\000\000\000one\000' >few
check 'as bytes' -- grep -aq "'descr': '|S4', 'fortran_order': False, 'shape': (3,)" picked/output0.npy
answers picked/output0.npy >many
check 'of the longest' -- cmp few many
ok 'what was written is read' ' 2 +-1 +1\]' -- litec run "$text" -s look picked/output0.npy
printf '\000\330\000\000' | npy half.npy '<U1' '1,'
bad 'half a surrogate pair' 'half.npy.*no character.*NPY-TEXT' -- litec run "$text" -s look half.npy
printf 'one' | npy cut_text.npy '|S5' '1,'
bad 'half a string' 'cut short' -- litec run "$text" -s look cut_text.npy
bad 'numbers for strings' "holds int32\[3\], input words wants string" "astype\('U'\)" -- litec run "$text" -s look which.npy
bad 'strings for numbers' 'holds string\[4\]' -- litec run m.tflite -i bytes.npy
bad 'Python objects' "type '.O'.*" "astype\('U'\)" -- sh -c 'npy() { :; }; printf "\223NUMPY\001\000\066\000{'"'descr': '|O', 'fortran_order': False, 'shape': (2,), }"'" >objects.npy; "$0" run "$1" -s look objects.npy' "$LITEC" "$text"
bad 'an index out of the data' 'index 3 is outside \[0, 2\)' 'see whether the inputs hold' -- litec run "$text" -s pick -i words=wide.npy -i which=which.npy
ok 'bench feeds text' 'median of 2' -- litec bench "$text" --runs 2

# ---- outputs of types that NumPy does not have become the next larger ones; a name with =
printf '\000\000\000\301\000\000\200\277\000\000\000\100\000\000\340\100' | npy four.npy '<f4' '4,'
ok 'int4 and bfloat16' 'int4\[4\]' '-8 +-1 +2 +7\]' 'bfloat16\[4\]' -- litec run "$data/odd.tflite" -i x=1=2=four.npy
check 'written' -- litec run "$data/odd.tflite" four.npy -o odd
check 'int4 as int8' -- grep -aq "'descr': '|i1'" odd/output0.npy
printf '\370\377\002\007' >few
answers odd/output0.npy >many
check 'the same numbers' -- cmp few many
answers odd/output1.npy >many
answers four.npy >few
check 'bfloat16 as float32' -- cmp few many

# ---- large batches: 64 MB hold a few hundred rows of this model's activations, not 10,000
t10k=$mnist/t10k-images-idx3-ubyte.gz
check '10,000 pictures' -- litec run m.tflite -i "$t10k" -o all --max-memory 64M
check 'all answers' -- grep -aq "'shape': (10000, 10)" all/output0.npy
idx() { # $1: pictures to skip; five pictures
    printf '\000\000\010\003\000\000\000\005\000\000\000\034\000\000\000\034'
    gzip -dc "$t10k" | tail -c +$((17 + 784 * $1)) | head -c 3920
}
for first in 0 3000 9995; do
    idx $first >five.idx
    check "pictures from $first by themselves" -- litec run m.tflite -i five.idx -o five
    answers five/output0.npy >few
    answers all/output0.npy | tail -c +$((1 + 40 * first)) | head -c 200 >many
    check "pictures from $first, the same to the last bit" -- cmp few many
done
check 'on two threads' -- litec run m.tflite -i "$t10k" -o two --max-memory 64M --threads 2
check 'the same' -- cmp all/output0.npy two/output0.npy

# Rows of which each costs 128 KB: x, and what the models make of it
floats() { printf '%b' "$(awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "\\0000\\0%03o\\0%03o\\0077", i * 37 % 256, 128 + i % 64 }')"; }
floats 6000 | npy x.npy '<f4' '1500, 4'
floats 80 | npy first.npy '<f4' '20, 4'
check 'rows by themselves' -- litec run "$data/rows.tflite" -i x.npy -o rows --max-memory 64M
check 'the first of them' -- litec run "$data/rows.tflite" -i first.npy -o first --max-memory 64M
answers first/output0.npy >few
answers rows/output0.npy | head -c 320 >many
check 'are the same' -- cmp few many
for model in less_mean running_sum; do
    bad "$model: rows that matter to each other are not torn apart" 'activations need' -- litec run "$data/$model.tflite" -i x.npy --max-memory 64M
    ok "$model: but run, when there is room" 'float32\[1500,4\]' -- litec run "$data/$model.tflite" -i x.npy
done

# ---- standard input and output
pipe() { # NAME EXPECTED-FILE -- producer | litec: stdout must be this file
    name=$1 wanted=$2
    shift 3
    cases=$((cases + 1))
    "$@" >.stdout 2>.stderr || complain "$name" "failed"
    cmp -s .stdout "$wanted" || complain "$name" "not $wanted"
}
pipe 'a model through pipes' m.tflite -- sh -c 'cat "$1" | "$0" convert - -o - | cat' "$LITEC" "$models/keras3_cnn.keras"
pipe 'a redirected model' m.tflite -- sh -c '"$0" convert --output=- - <"$1"' "$LITEC" "$models/keras3_cnn.keras"
litec run m.tflite -i little.npy >plain.txt
pipe 'data through a pipe' plain.txt -- sh -c 'cat little.npy | "$0" run m.tflite -i -' "$LITEC"
pipe 'a model to run' plain.txt -- sh -c 'cat m.tflite | "$0" run - little.npy' "$LITEC"
check 'inspect, verify and bench' -- sh -c 'for c in inspect verify "bench --runs 1"; do cat m.tflite | "$0" $c - >/dev/null || exit 1; done' "$LITEC"
check 'no file named -' -- [ ! -e ./- ]
usage 'model and JSON to one place' 'standard output' -- litec convert m.tflite -o - --json
bad 'half a model through a pipe' '/dev/stdin' -- sh -c 'head -c 1000 m.tflite | "$0" convert - -o -' "$LITEC"
bad 'an endless pipe' 'more than 1048576 bytes' '--max-memory' -- sh -c 'yes | "$0" verify - --max-memory 1M' "$LITEC"
bad 'nothing' '/dev/stdin' -- litec verify -
bad 'standard input is closed' -- sh -c '"$0" verify - <&-' "$LITEC"

# ---- pictures as keras.applications wants them
ok 'preprocess' -- litec run "$models/keras2_cnn.h5" -i "$digits/seven.png" --preprocess mobilenet_v2
cp .stdout by_name.txt
ok 'preprocess by hand' -- litec run "$models/keras2_cnn.h5" -i "$digits/seven.png" --mean 0.5 --std 0.5
cp .stdout by_hand.txt
check 'is the same' -- cmp by_name.txt by_hand.txt
bad 'preprocess of nobody' 'no module "mobilenet_v9"' 'one of convnext, densenet' -- litec run m.tflite -i "$digits/seven.png" -p mobilenet_v9
usage 'preprocess twice' -- litec run m.tflite -i "$digits/seven.png" -p xception --mean 1
bad 'preprocess an array' 'are for pictures' -- litec run m.tflite -i little.npy -p xception

# Without standard output the summary goes nowhere; it must not go into the model.
sh -c '"$0" convert m.tflite -o closed.tflite >&- 2>&- <&-' "$LITEC"
check 'closed descriptors' -- cmp m.tflite closed.tflite
finish
