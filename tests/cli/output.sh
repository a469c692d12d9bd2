#!/bin/sh
# output.sh: a file appears whole or not at all, the source is never touched, and what cannot be written says so.
. "$(dirname "$0")/lib.inc"
cp "$models/keras2_mlp.h5" model.h5
before=$(cksum <model.h5)

bad 'directory that is not there' 'no/where' -- litec convert model.h5 -o no/where/out.tflite
mkdir place
bad 'output is a directory' 'place' -- litec convert model.h5 -o place
bad 'output is the input' 'model.h5' -- litec convert model.h5 -o model.h5
bad 'output is the input by another way' -- litec convert model.h5 -o ./place/../model.h5
ln -s model.h5 link.h5
ln model.h5 hard.h5
bad 'output is a symbolic link to the input' -- litec convert model.h5 -o link.h5
bad 'output is a hard link to the input' -- litec convert model.h5 -o hard.h5
litec convert model.h5 -o m.tflite --quiet
good=$(cksum <m.tflite)
bad 'a .tflite onto itself' 'm.tflite' -- litec convert m.tflite -o m.tflite
check 'the source is unchanged' -- [ "$before" = "$(cksum <model.h5)" ]
check 'the model is unchanged' -- [ "$good" = "$(cksum <m.tflite)" ]

if [ "$(id -u)" != 0 ]; then
    mkdir locked
    chmod a-w locked
    bad 'directory without permission' 'locked' -- litec convert model.h5 -o locked/out.tflite
fi
[ ! -e /dev/full ] || bad 'onto a device' '/dev/full' -- litec convert model.h5 -o /dev/full

# A failure leaves what was there before.
cp m.tflite kept.tflite
bad 'a failed conversion' -- litec convert "$bad_files/lambda.h5" -o kept.tflite
check 'keeps the old file' -- [ "$good" = "$(cksum <kept.tflite)" ]

# A limit on file size stands for a disk that becomes full half way.
split_and_run 'file size limit' -- sh -c 'ulimit -f 64; "$0" convert model.h5 -o out.tflite' "$LITEC"
[ "$code" = 1 ] && [ "$(grep -c . .stderr)" = 2 ] && [ ! -e out.tflite ] || complain "$name" "exit $code"
check 'leaves nothing' -- [ -z "$(ls -A | grep -v -E '^(model.h5|place|link.h5|hard.h5|locked|m.tflite|kept.tflite|\.stdout|\.stderr|\.patterns)$')" ]

# A real full disk, where mounting one is allowed.
if unshare -m sh -c 'mount -t tmpfs -o size=64k none place' 2>/dev/null; then
    split_and_run 'full disk' -- unshare -m sh -c 'mount -t tmpfs -o size=64k none place && "$0" convert model.h5 -o place/out.tflite; code=$?; ls -A place; exit $code' "$LITEC"
    [ "$code" = 1 ] && [ ! -s .stdout ] && grep -qi 'space' .stderr || complain "$name" "exit $code"
fi

# Killed at any moment: the target is the old file or the new one, and nothing lies beside it. Where an old file is replaced, the finished
# new one has a temporary name for the instant between linkat and rename (src/base/file.c); kill -9 may hit that, seldom, and what is left is whole.
mkdir kill
cp m.tflite kill/t.tflite
round=0 instants=0
while [ $round -lt 60 ]; do
    "$LITEC" convert model.h5 -o kill/t.tflite --quiet 2>/dev/null &
    pid=$!
    [ $((round % 3)) = 0 ] || sleep 0.00$((round % 10))
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    cases=$((cases + 1))
    for left in kill/.litec-*; do
        [ ! -e "$left" ] || [ "$good" != "$(cksum <"$left")" ] || { instants=$((instants + 1)); rm "$left"; }
    done
    [ "$(ls -A kill)" = t.tflite ] && [ "$good" = "$(cksum <kill/t.tflite)" ] || complain "killed, round $round" "$(ls -lA kill)"
    round=$((round + 1))
done
[ $instants -le 3 ] || complain 'killed between two names' "$instants of $round times"
rm kill/t.tflite
round=0
while [ $round -lt 60 ]; do
    "$LITEC" convert model.h5 -o kill/t.tflite --quiet 2>/dev/null &
    pid=$!
    [ $((round % 3)) = 0 ] || sleep 0.00$((round % 10))
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    cases=$((cases + 1))
    left=$(ls -A kill)
    if [ -n "$left" ]; then
        [ "$left" = t.tflite ] && [ "$good" = "$(cksum <kill/t.tflite)" ] || complain "killed without an old file, round $round" "$left"
        rm -f kill/t.tflite
    fi
    round=$((round + 1))
done
# What the program itself takes before it does anything comes on top of 2.5 times the model.
peak() { litec convert "$1" -o m.tflite --json | sed 's/.*"peak_bytes":\([0-9]*\).*/\1/'; }
base=$(peak "$bad_files/good.h5")
[ -n "$sanitized" ] || check 'no more than 2.5 times the memory of the model' -- [ $(($(peak model.h5) - base)) -lt $((1247864 * 5 / 2)) ]
# The peak is that of litec, not of the shell that started it.
large=$(head -c 40000000 /dev/zero | tr '\000' x)
[ -n "$sanitized" ] || [ ! -r /proc/self/status ] || check "the caller's memory does not count" -- [ $(($(peak model.h5) + 0)) -lt 20000000 ]
large=
finish
