#!/bin/sh
# train_options.sh: options of litec train: what the model has said already, sizes of the data, what is refused before the training and not after it.
. "$(dirname "$0")/lib.inc"
images=$mnist/t10k-images-idx3-ubyte.gz
labels=$mnist/t10k-labels-idx1-ubyte.gz
sparse=sparse_categorical_crossentropy
printf 'input 28 28\nflatten\ndense 8 relu\ndense 10 softmax name=digit\n' >model.txt
train() { litec train model.txt -d "$images" -l "$labels" -s 0.00392157 -n 200 -q "$@"; }

# ---- the model's own
check 'a compiled model' -- train --loss $sparse --optimizer sgd -r 0.25 -m accuracy -o first.keras
again() { litec train first.keras -d "$images" -l "$labels" -s 0.00392157 -n 200 "$@"; }
ok 'only a metric' 'loss: .*- sparse_top_k_categorical_accuracy: ' -- again -m sparse_top_k_categorical_accuracy
ok 'only an optimizer' 'accuracy: .*- loss' -- again --optimizer adam
ok 'only a rate' 'accuracy: .*- loss' -- again -r 0.01
ok 'only a loss' 'accuracy: .*- loss' -- again --loss $sparse --csv loss.csv
ok 'nothing' 'accuracy: .*- loss' -- again --csv nothing.csv
check 'the same optimizer' -- cmp loss.csv nothing.csv
bad 'no loss' 'does not say what it learns by$' -- train -m accuracy
usage 'a rate of 0' '--learning-rate 0: nothing' -- train --loss $sparse -r 0
usage 'a rate below 0' '--learning-rate -1: nothing' -- train --loss $sparse -r -1
usage 'inputs of 0' '--scale 0' -- litec train model.txt -d "$images" -s 0 --loss mse

# ---- weights
check 'weights alone' -- litec train first.keras -d "$images" -l "$labels" -n 1 -r 1e-30 -q -o w.weights.h5
check 'another format' -- litec train first.keras -d "$images" -l "$labels" -n 1 -r 1e-30 -q -o w.H5
for file in first.keras w.weights.h5 w.H5; do
    check "a text begins with $file" -- train --loss $sparse --optimizer sgd -r 1e-30 -w $file --csv w.csv -o again.keras
    check "and $file as it is" -- again --optimizer sgd -r 1e-30 -q --csv as.csv
    tail -n 1 as.csv | cut -d, -f3 >b && tail -n 1 w.csv | cut -d, -f2 >a
    check "$file was read" -- cmp a b
done
bad 'weights that are not there' 'nothere.h5' -- train --loss $sparse -w nothere.h5
bad 'weights that are none' 'model.txt' -- train --loss $sparse -w model.txt
bad 'of an application, too' 'nothere.h5' -- litec train MobileNetV2 --height 32 --width 32 --classes 3 -d "$images" --loss mse -w nothere.h5

# ---- sizes
row() { awk -v n="$1" -v label="$2" 'BEGIN { printf "%s", label; for (i = 0; i < n; i++) printf ",%d", i % 7; print "" }'; }
for i in 0 1 2 3 4 5 6 7; do row 784 $((i % 10)); done >plain.csv
{ row 784 label | awk -F, '{ printf "%s", $1; for (i = 2; i <= NF; i++) printf ",p%d", i; print "" }' && cat plain.csv; } >named.csv
printf 'input 28 28 1\nconv2d 2 3\nflatten\ndense 10 softmax\n' >picture.txt
for model in model.txt picture.txt; do
    check "rows that are pictures for $model" -- litec train $model -d named.csv --loss $sparse -q
    check "a label by its number for $model" -- litec train $model -d plain.csv -l 0=plain.csv --loss $sparse -q
done
bad 'no such number' 'plain.csv: there is no column "900" for the label' '0 to 784' -- litec train model.txt -d plain.csv -l 900=plain.csv --loss $sparse
bad 'a label by a wrong name' 'there is no column "lable" for the label' 'did you mean "label"\? the columns are: label, p2' -- litec train model.txt -d named.csv -l lable=named.csv --loss $sparse
bad 'another size' 'needs \[batch, 28, 28\], the data gives \[[0-9]*, 784\]' '--height, --width, --channels' -- litec train model.txt -d plain.csv -l 0=plain.csv --loss $sparse --height 4 --width 4
mkdir -p folder/a folder/b
cp "$digits"/*.png folder/a/ 2>/dev/null || :
cp "$digits"/*.png folder/b/ 2>/dev/null || :
if [ -n "$(ls folder/a)" ]; then check 'pictures of the size of the model' -- litec train picture.txt -d folder --loss $sparse -q; fi

# ---- validation
ok 'data goes before a part' 'val_loss' -- litec train model.txt -d "$images" -l "$labels" -n 64 --validation-data "$images" --validation-labels "$labels" --validation-split 0.5 --loss $sparse --csv both.csv
ok 'and is not cut by -n' 'val_loss' -- litec train model.txt -d "$images" -l "$labels" -n 64 --validation-data "$images" --validation-labels "$labels" --loss $sparse --csv one.csv
check 'the split changes nothing' -- cmp both.csv one.csv
usage 'labels of nothing' '--validation-labels' -- train --loss $sparse --validation-labels "$labels"
printf 'a,b,label\n1,2,3\n' >other.csv
bad 'validation data of another shape' '^error: validation data: input .* needs \[batch, 28, 28\]' -- train --loss $sparse --validation-data other.csv -e 1000000 -o out.keras
bad 'and without labels' '^error: validation data: the data has 0 targets' -- train --loss $sparse --validation-data "$images" -e 1000000

# ---- what could not be written
bad 'no folder' 'there is no directory nowhere' 'mkdir -p nowhere' -- train --loss $sparse -e 1000000 -o nowhere/out.keras
bad 'a file in the way' 'model.txt is in the way' -- train --loss $sparse -e 1000000 --best model.txt/best.keras
mkdir dir.keras
bad 'a directory of the name' 'dir.keras: cannot write: a directory of this name is in the way' -- train --loss $sparse -e 1000000 -o dir.keras
bad 'no end of a device' '--on-device d.keras: .*ends with .tflite' -- train --loss $sparse -e 1000000 --on-device d.keras
bad 'no folder of a device' 'there is no directory nowhere' -- train --loss $sparse -e 1000000 --on-device nowhere/d.tflite
printf 'input 28 28\nflatten\ndense 10 softmax\n' >soft.txt
check 'a device' -- litec train soft.txt -d "$images" -l "$labels" -n 64 --loss $sparse -q --on-device d.TFLITE
check 'is there' -- test -s d.TFLITE
check 'letters of either case' -- train --loss $sparse -o upper.KERAS --best upper.HDF5
check 'are both there' -- test -s upper.KERAS -a -s upper.HDF5

# ---- samples
printf 'input 2\ndense 2 softmax\n' >two.txt
printf 'a,b,label\n1,2,0\nnan,2,1\n1,x,1\n3,2,1\n' >bad.csv
bad 'a bad one' 'line 4, column 2 b: "x" is no number' -- litec train two.txt -d bad.csv --loss $sparse -q
printf 'a,b,label\n1,2,0\nnan,2,1\n3,2,1\n' >nan.csv
bad 'NaN' 'holds NaN' '--skip-corrupt.*--allow-nan' -- litec train two.txt -d nan.csv --loss $sparse -q
check 'NaN left out' -- litec train two.txt -d nan.csv --loss $sparse -q --skip-corrupt
litec train two.txt -d bad.csv --loss $sparse --skip-corrupt >.stdout 2>.stderr
mv .stderr told
check 'what was left out is told' -- grep -q '^note: data: 2 corrupt samples were left out, counted in each epoch; the last: .*NaN' told
bad 'NaN as it is' 'the loss is NaN' -- litec train two.txt -d nan.csv --loss $sparse -q --allow-nan

# ---- options that need others
usage 'nothing to go by' '--monitor' -- train --loss $sparse --monitor loss
usage 'often, but where' '--backup-steps' -- train --loss $sparse --backup-steps 3
bad 'a class that is none' '--class-weight 12=...: the model has 10 classes, 0 to 9' -- train --loss $sparse --class-weight 12=2
ok 'quiet as in Keras' -- litec train model.txt -d "$images" -l "$labels" -n 64 --loss $sparse --verbose 0
check 'says nothing' -- test ! -s .stdout
if command -v script >/dev/null && script -qec true /dev/null </dev/null >.log 2>&1; then # without terminals there are no colours
    for how in 'NO_COLOR=1' 'TERM=dumb' 'TERM=xterm'; do
        script -qec "env TERM=xterm $how '$LITEC' train model.txt -d '$images' -l '$labels' -n 64 --loss $sparse" /dev/null </dev/null >.stdout 2>.stderr
        colours=$(grep -c "$(printf '\033')\\[[0-9]*m" .stdout)
        cases=$((cases + 1))
        [ $((colours > 0)) = $([ "$how" = TERM=xterm ] && echo 1 || echo 0) ] || complain "colours with $how" "$colours lines have some"
    done
fi
finish
