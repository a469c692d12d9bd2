#!/bin/sh
# train_graph.sh: litec train on models that are no files of Keras: a SavedModel, a frozen graph, a checkpoint, .tflite files: frozen by the names
# of their weights, trained, saved.
. "$(dirname "$0")/lib.inc"
data="-d $mnist/t10k-images-idx3-ubyte.gz -l $mnist/t10k-labels-idx1-ubyte.gz -s 0.00392157 -n 600 --loss sparse_categorical_crossentropy -m accuracy"
printf 'name digits\ninput 28 28\nreshape 28 28 1\nconv2d 4 3 relu name=conv\nmaxpooling2d\nflatten\ndense 10 softmax name=head\n' >model.txt
train() { litec train $data "$@"; }

check 'a model of Keras' -- train model.txt -q -o saved
check 'the same' -- train model.txt -q -o m.tflite
check 'the same once more' -- train model.txt -q -o m.ckpt
ok 'frozen' 'became constants' -- litec freeze m.ckpt.meta --output_graph frozen.pb --output_node_names head
for m in saved m.tflite m.ckpt frozen.pb; do
    ok "$m" 'loss: 0\.|loss: 1\.' -- train $m -e 2 -o learned.tflite
    ok "$m learned" '(8|9)[0-9]\.[0-9]+ ?%' -- litec eval learned.tflite -d "$mnist/t10k-images-idx3-ubyte.gz" -l "$mnist/t10k-labels-idx1-ubyte.gz" -n 200
done

ok 'frozen in part' 'Trainable params: [0-9,]+' 'Non-trainable params: 40 ' -- train saved --freeze conv --summary -o trained
ok 'by a pattern' 'Non-trainable params: 40 ' -- train saved --freeze 'co*' --summary -o trained
bad 'no such weight' 'has a name that fits "dense"' 'names like "conv/kernel" and "head/bias"' -- train saved --freeze dense -o trained
bad 'not as Keras file' 'graph of a TensorFlow or .tflite file' 'SavedModel' -- train saved -o out.keras -e 1000000
bad 'no backup of it' 'no file of Keras can hold' -- train saved -o out --backup here -e 1000000
bad 'an integer model' 'integer model' 'float model' -- train "$ROOT/tests/data/tflite/conv_int8.tflite" -o trained
bad 'a loop' 'operator WHILE "while" has other graphs in it' 'features' -- train "$ROOT/tests/data/tflite/if_while.tflite" -o trained
check 'weights alone' -- train saved -q -o w.weights.h5
check 'and back' -- train saved -w w.weights.h5 -q -o trained
finish
