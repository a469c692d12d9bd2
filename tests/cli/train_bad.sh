#!/bin/sh
# train_bad.sh: what litec train refuses, and what it says: options, data that do not fit the model, a training that goes wrong. Nothing that was
# saved before is touched.
. "$(dirname "$0")/lib.inc"
images=$mnist/t10k-images-idx3-ubyte.gz
labels=$mnist/t10k-labels-idx1-ubyte.gz
printf 'input 28 28\nflatten\ndense 8 relu\ndense 10 softmax name=digit\n' >model.txt
sparse=sparse_categorical_crossentropy
train() { litec train model.txt -d "$images" -l "$labels" -s 0.00392157 -n 200 -q "$@"; }

# ---- options
usage 'no data' 'needs data' -- litec train model.txt
usage 'one-hot without classes' 'classes' -- train --one-hot --loss mse
usage 'the best of nothing' 'early stopping' -- train --restore-best --loss $sparse
usage 'no epochs' '--epochs: 0' -- train -e 0 --loss $sparse
bad 'no loss' 'does not say what it learns by$' 'give --loss' -- train -o out.keras
bad 'another loss' 'there is no loss "sparse_categorical_crosentropy"' 'did you mean "SparseCategoricalCrossentropy"' -- train --loss sparse_categorical_crosentropy
bad 'another optimizer' 'there is no optimizer "adm"' 'did you mean "Adam"' -- train --loss $sparse --optimizer adm
for slip in mes=mse mea=mae mape2=mape bcee=bce kdl=kld; do
    bad "the loss $slip" "there is no loss \"${slip%=*}\"" "did you mean \"${slip#*=}\"" -- train --loss ${slip%=*}
done
bad 'the metric f1' 'there is no metric "f1"' 'did you mean "F1Score"' -- train --loss $sparse -m f1
bad 'the metric top_k' 'there is no metric "top_k"' 'did you mean "TopKCategoricalAccuracy"' -- train --loss $sparse -m top_k
printf 'inptu 28 28\nflatten\n' >slip.txt
bad 'a slip in the first word' 'line 1: there is no layer "inptu"' 'did you mean "Input"' -- litec train slip.txt -d "$images" --loss mse
printf '# nothing yet\n' >none.txt
bad 'only a comment' 'there are no layers in the text' 'input 28 28' -- litec train none.txt -d "$images" --loss mse
printf 'input 28 28\nflatten\ndropout 1.5\n' >value.txt
bad 'a wrong value' 'line 3: .*rate is 1.5, needs 0 to 1' 'correct the line' -- litec train value.txt -d "$images" --loss mse
bad 'another metric' 'there is no metric "acuracy"' 'did you mean "Accuracy"' -- train --loss $sparse -m acuracy
bad 'nothing to freeze' 'no layer of the model has a name that fits "x\*"' -- train --loss $sparse --freeze 'x*'
bad 'a class without its weight' '--class-weight 3 says no weight of a class$' '3=2.5' -- train --loss $sparse --class-weight 3
bad 'a weight below zero' '--class-weight 3=-1 says' -- train --loss $sparse --class-weight 3=-1
bad 'a class far away' '--class-weight 99999=1 says' -- train --loss $sparse --class-weight 99999=1
bad 'a part that is none' 'validation_split is not between 0 and 1' -- train --loss $sparse --validation-split 1.5
bad 'a name of no format, before training' 'out.txt: the name.s end says no format' '\.keras' -- train --loss $sparse -o out.txt -e 1000000
bad 'no checkpoint' 'cannot be saved as "best.txt"' '\.keras or \.h5' -- train --loss $sparse --best best.txt
bad 'a path that cannot be filled in' '\{los:.2f\}" cannot be filled in' '\{epoch:02d\}' -- train --loss $sparse --checkpoint 'out-{los:.2f}.keras'
bad 'nothing to watch' '"val_acc", which is not measured; there are: loss, val_loss$' -- train --loss $sparse --validation-split 0.2 --early-stopping 2 --monitor val_acc
bad 'a typing error' 'did you mean "val_loss"' -- train --loss $sparse --validation-split 0.2 --reduce-lr 2 --monitor val_los
bad 'no folder for the log' 'cannot write: there is no directory /nowhere' 'mkdir' -- train --loss $sparse --csv /nowhere/log.csv
bad 'a file where the backup goes' 'model.txt' 'in the way' -- train --loss $sparse --backup model.txt
bad 'a file where the events go' 'model.txt' 'in the way' -- train --loss $sparse --tensorboard model.txt

# ---- data
printf 'input 27 28\nflatten\ndense 10 softmax\n' >narrow.txt
bad 'another size' 'input "[a-z_]*" of the model needs \[batch, 27, 28\], the data gives \[32, 28, 28\]' -- litec train narrow.txt -d "$images" -l "$labels" --loss $sparse -q
printf 'input 28 28\nflatten\ndense 5 softmax name=digit\n' >five.txt
bad 'more classes than units' 'epoch 1, step 1: output "digit": sparse_categorical_crossentropy: label [5-9] of row [0-9]+ of the batch is none of the 5 classes, 0 to 4' \
    'a unit for each class' -- litec train five.txt -d "$images" -l "$labels" --loss $sparse -q
bad 'classes and a loss of numbers' 'output "digit": mse: targets of shape \[32\] do not fit an output of shape \[32, 10\]' 'one-hot' -- train --loss mse
bad 'one-hot and a loss of classes' 'targets of shape \[32, 10\] do not fit' '"categorical_crossentropy"' -- train --loss $sparse --one-hot --classes 10
printf 'input 2\ndense 2 softmax\n' >two.txt
printf 'a,b,label\n1,2,0\nnan,2,1\n' >nan.csv
bad 'no number' 'sample 1 \(nan.csv\): input 0 holds NaN' 'leave it out' -- litec train two.txt -d nan.csv --loss $sparse -q
printf 'a,b,label\n1,2,0\n1,2,-1\n' >below.csv
bad 'a class below zero' 'label -1 of row [01] of the batch is none of the 2 classes, 0 to 1' -- litec train two.txt -d below.csv --loss $sparse -q
printf 'a,b,label\n' >none.csv
bad 'no sample' 'the data set is empty' -- litec train two.txt -d none.csv --loss $sparse -q
: >empty.csv
bad 'an empty file' 'empty.csv: the file is empty' -- litec train two.txt -d empty.csv --loss $sparse -q
printf 'a,b,label\n1,2,0\n1,3,1\n' >few.csv
check 'a batch larger than the data' -- litec train two.txt -d few.csv --loss $sparse -b 512 -q
bad 'no labels' 'the data has 0 targets a sample, the model has 1 output' 'labels' -- litec train model.txt -d "$images" --loss $sparse -q

# ---- a training that goes wrong
check 'a good one' -- train --loss $sparse --best best.keras -o good.keras
cp best.keras before.keras
bad 'the loss is NaN' 'epoch [12], step [0-9]+: the loss is (NaN|infinite).*that of (dense|digit)/(kernel|bias)' 'smaller learning rate' -- \
    train --loss $sparse -r 1e30 -e 2 -o out.keras --best best.keras --backup kept
check 'the best one is as it was' -- cmp best.keras before.keras
finish
