#!/bin/sh
# train_resume.sh: litec train --backup: killed again and again, at any moment, and run again, it ends with the bits of a run that nobody killed:
# the saved model with the optimizer's state, the log, and the best epoch. With dropout, shuffling, early stopping, a rate that is reduced.
. "$(dirname "$0")/lib.inc"
printf 'name digits\ninput 28 28\nflatten\ndense 16 relu\ndropout 0.3\nbatchnormalization\ndense 10 softmax\n' >model.txt
epochs=12 seed=5 go= end=keras
train() { # OUT [option ...]
    out=$1
    shift
    $go "$LITEC" train model.txt -d "$mnist/t10k-images-idx3-ubyte.gz" -l "$mnist/t10k-labels-idx1-ubyte.gz" -s 0.00392157 -n 1500 -e $epochs -o "$out.$end" \
        --loss sparse_categorical_crossentropy -m accuracy -m sparse_top_k_categorical_accuracy --validation-split 0.05 -r 0.02 --csv "$out.csv" \
        --best "$out-best.keras" --early-stopping 5 --restore-best --reduce-lr 2 --seed $seed -q "$@"
}
random() { od -An -N2 -tu2 /dev/urandom | tr -d ' '; }

# killed OUT [option ...]: trains until it is through, killed up to 6 times before. How often it really was: $kills.
killed() {
    kills=0
    for i in 1 2 3 4 5 6; do
        (go=exec; train "$@") &
        pid=$!
        sleep "0.$(printf '%03d' $(($(random) % 250 + 30)))"
        kill -9 $pid 2>/dev/null && kills=$((kills + 1))
        wait $pid 2>/dev/null
        [ ! -f "$1.$end" ] || return 0
    done
    train "$@"
}
same() { # NAME OUT
    check "$1: model and optimizer" -- cmp whole.keras "$2.keras"
    check "$1: log" -- cmp whole.csv "$2.csv"
    check "$1: best epoch" -- cmp whole-best.keras "$2-best.keras"
}

check 'without a kill' -- train whole
check 'with three threads' -- train three -t 3
same 'three threads' three
killed epochs --backup backup
same "killed $kills times" epochs
check 'the backup is gone' -- test ! -e backup/backup.keras
killed steps --backup other --backup-steps 7
same "in the middle of epochs, killed $kills times" steps

# ---- trained for int8: the ranges that the batches moved go on, too
epochs=6
for end in tflite keras; do
    check "for int8, without a kill: .$end" -- train "int8-whole" --quantize-aware
    rm -f int8.$end
    killed int8 --quantize-aware --backup int8-backup --backup-steps 7
    check "for int8, killed $kills times: .$end" -- cmp "int8-whole.$end" "int8.$end"
    check "for int8: log of .$end" -- cmp int8-whole.csv int8.csv
done
epochs=12

# ---- what a backup is not taken for
(go=exec; train cut --backup kept --backup-steps 20) &
pid=$!
for i in $(seq 400); do [ -f kept/backup.keras ] && break; sleep 0.01; done
kill -9 $pid
wait $pid 2>/dev/null
cp kept/backup.keras kept.keras
seed=6
bad 'another seed' 'another training: the seed of the data differs' 'remove it to begin anew' -- train out --backup kept --backup-steps 20
seed=5
bad 'rounded or not' 'another training: whether it rounds for int8 .--quantize-aware. differs' 'remove it to begin anew' -- train out --backup kept --backup-steps 20 --quantize-aware
sed 's/16/17/' model.txt >wider.txt
mv model.txt saved.txt
cp wider.txt model.txt
bad 'another model' 'another model: "dense/kernel" differs' 'remove it to begin anew' -- train out --backup kept --backup-steps 20
mv saved.txt model.txt
bad 'a model that is no backup' 'backup.keras: it is no backup of a training' -- sh -c 'mkdir plain; cp whole.keras plain/backup.keras; shift; "$0" "$@"' "$LITEC" - \
    train whole.keras -d "$mnist/t10k-images-idx3-ubyte.gz" -l "$mnist/t10k-labels-idx1-ubyte.gz" -n 100 --backup plain -q
head -c 20000 kept.keras >kept/backup.keras
bad 'a backup that is cut' 'backup.keras' -- train out --backup kept --backup-steps 20
finish
