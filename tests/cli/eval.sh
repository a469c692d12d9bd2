#!/bin/sh
# eval.sh: litec eval on the bundled models and digits: the accuracy that Keras measured, the forms of data, what is printed and refused.
. "$(dirname "$0")/lib.inc"
images=$mnist/t10k-images-idx3-ubyte.gz
labels=$mnist/t10k-labels-idx1-ubyte.gz

for model in keras2_mlp.h5 keras3_mlp.keras keras2_cnn.h5 keras3_cnn.keras; do
    wanted=$(sed -n 's/.*"'"$model"'": 0\.\([0-9][0-9]\)\([0-9][0-9]\).*/\1.\2/p' "$models/scores.json")
    ok "$model is right as often as Keras says" '^10,000 samples, 10 classes$' "^$model .* $wanted % +9[0-9.]+ to 9[0-9.]+ % +9[0-9.]+ % +0\.[0-9]{4} ± 0\.00" -- \
        litec eval "$models/$model" --data "$images" --labels "$labels"
done

# ---- several models, any number of threads
check 'a model' -- litec convert "$models/keras3_cnn.keras" -o m.tflite
ok 'side by side' '^keras3_cnn.keras ' '^beside keras3_cnn.keras$' '^m.tflite +\+0\.00 ± 0\.00 points +100\.00 % +0 +0$' \
    '^keras3_mlp.keras +-[0-9.]+ ± 0\.[0-9]+ points' -- \
    litec eval "$models/keras3_cnn.keras" m.tflite "$models/keras3_mlp.keras" -d "$images" -l "$labels" -n 3000
ok 'one thread' -- litec eval m.tflite "$models/keras2_mlp.h5" -d "$images" -l "$labels" -n 1000 --json --threads 1 --confusion
cp .stdout one.json
ok 'five threads' '"confusion":\[\[[0-9]+,' '"top5":\{"value":' '"only_right":' -- \
    litec eval m.tflite "$models/keras2_mlp.h5" -d "$images" -l "$labels" -n 1000 --json --threads 5 --confusion
cp .stdout five.json
check 'are the same' -- cmp five.json one.json
cp m.tflite 'm".tflite'
ok 'CSV' '^model,samples,classes,right,top1,' '^"m.tflite",100,10,' '^"m"".tflite",100,10,' -- litec eval m.tflite 'm".tflite' -d "$images" -l "$labels" -n 100 --csv
ok 'the matrix as CSV' '^"m.tflite","7","7",15$' -- litec eval m.tflite -d "$images" -l "$labels" -n 100 --csv --confusion
ok 'precision and recall' '^  7 +15 +100\.00 % +100\.00 %$' '^  rows: what a sample is' '^  7 +(\. +){7}15' -- litec eval m.tflite -d "$images" -l "$labels" -n 100 --confusion

# ---- a folder for each class
mkdir -p folder/two folder/four folder/seven
for digit in two four seven; do cp "$digits/$digit.png" "folder/$digit/a.png"; done
ok 'folders, in the order of the model' '^3 samples, 10 classes$' ' 100\.00 %' -- litec eval m.tflite --data folder --classes "$digits/labels.txt"
ok 'names of classes' '^  seven +1 +100.00 % +100.00 %$' -- litec eval m.tflite --data folder --classes "$digits/labels.txt" --confusion
bad 'a class the model does not have' 'labels has no class "four"' 'letter by letter' -- sh -c 'printf "zero\none\n" >labels; "$0" eval m.tflite --data folder --classes labels' "$LITEC"
ok 'sorted, which is wrong here but for the two' ' 33\.33 %' -- litec eval m.tflite --data folder
cp "$digits/two.png" two.png
printf '2\n' >two.txt
ok 'a picture' ' 1 +100\.00 %' -- litec eval m.tflite -d two.png -l two.txt

# ---- a table
gzip -dc "$images" | tail -c +17 | head -c 1568 | od -An -v -tu1 | tr -s ' \n' ',,' | tr ',' '\n' | awk 'NF { printf "%.9g%s", $1 / 255, ++n % 784 ? "," : "\n" }' >rows
{ awk 'BEGIN { for (i = 0; i < 784; i++) printf "p%d,", i; print "label" }'; sed '1s/$/,7/;2s/$/,2/' rows; } >digits.csv
ok 'CSV' '^2 samples' ' 2 +100\.00 %' -- litec eval m.tflite --data digits.csv

# ---- what is refused
usage 'no data' 'needs --data' -- litec eval m.tflite
usage 'both forms' 'not both' -- litec eval m.tflite -d two.png --json --csv
usage 'the other name' '.*' -- litec eval m.tflite -d two.png --most 3
bad 'no labels' 'no labels' '--labels' -- litec eval m.tflite -d "$images"
printf '3\n4\n' >wrong.txt
bad 'too many labels' 'wrong.txt: 2 labels for the 1 samples of two.png' 'one label for each' -- litec eval m.tflite -d two.png -l wrong.txt
printf '10\n' >wrong.txt
bad 'a label that is no class' 'the label of sample 0 is 10, but the model has 10 classes' 'counted from 1' -- litec eval m.tflite -d two.png -l wrong.txt
bad 'no such output' 'no output named x' 'its outputs are: ' -- litec eval m.tflite -d two.png -l two.txt --output x
head -c 60 two.png >cut.png
bad 'half a picture' 'cut.png: not a readable PNG' -- litec eval m.tflite -d cut.png -l two.txt
head -c 100000 "$images" >cut.gz
bad 'half a data set' 'cut.gz: gzip data is damaged or cut short' 'again' -- litec eval m.tflite -d cut.gz -l "$labels"
: >empty.csv
bad 'nothing' 'empty.csv: the file is empty' -- litec eval m.tflite -d empty.csv
sed 's/,0,/,nan,/' digits.csv >nan.csv
bad 'NaN' 'nan.csv: element [0-9]+ of sample 0 is nan' 'counted from 0' -- litec eval m.tflite -d nan.csv
bad 'no model' 'nothing.h5' -- litec eval nothing.h5 -d two.png -l two.txt
bad 'no such input' 'no input named y' "are: " -- litec eval m.tflite -d y=two.png -l two.txt
finish
