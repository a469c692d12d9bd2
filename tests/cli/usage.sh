#!/bin/sh
# usage.sh: the command line itself: help, versions, options in all forms, and what is said of wrong ones.
. "$(dirname "$0")/lib.inc"

ok version '^litec [0-9]+\.[0-9]+\.[0-9]+$' -- litec --version
ok 'help lists the commands' '^  convert +' '^  run +' '^  inspect +' '^  verify +' '^  bench +' '^  ops +' -- litec help
ok 'help by option' '^usage: litec COMMAND' -- litec --help
for command in convert run inspect verify bench; do
    ok "help $command" "^usage: litec $command " '^options:' '--help' "^  litec $command " -- litec help $command
    ok "$command --help" "^usage: litec $command " -- litec $command --help
    ok "$command -h" "^usage: litec $command " -- litec $command -h
    ok "$command --help wins" "^usage: litec $command " -- litec $command x --help
    usage "$command without arguments" "litec $command" "usage: litec $command" -- litec $command
    usage "$command with an unknown option" 'no option --nonsense' -- litec $command x --nonsense=3
done
usage 'no command' 'needs a command' -- litec
usage 'unknown command, near' 'no command convrt' 'did you mean `litec convert`' -- litec convrt
usage 'unknown command, far' 'no command xyzzy' 'litec help' -- litec xyzzy
usage 'help of an unknown command' 'no command ispect' 'litec inspect' -- litec help ispect
usage 'help of two' -- litec help run bench
usage 'version as a command' 'did you mean `litec --version`' -- litec version
usage 'version misspelt' 'did you mean `litec --version`' -- litec --verison

usage 'unknown option, near' 'no option --allow-custom-op$' 'did you mean --allow-custom-ops' -- litec convert m -o out.tflite --allow-custom-op
usage 'unknown option, swapped letters' 'did you mean --output' -- litec convert m --otuput out.tflite
usage 'unknown option, the start of one' 'did you mean --output' -- litec convert m --out out.tflite
usage 'unknown option, one dash' 'no option -threads' 'did you mean --threads' -- litec bench m -threads 2
usage 'unknown letter' 'no option -z' -- litec convert m -z
usage 'missing value at the end' '--output needs a value' '--output OUT.tflite' -- litec convert m -o
usage 'missing value before an option' '--output needs a value' -- litec convert m -o --quiet
usage 'empty value' '--output needs a value' -- litec convert m --output=
usage 'empty value of a list' '--input needs a value' -- litec run m --input=
usage 'value for a flag' '--quiet takes no value' -- litec convert m -o out.tflite --quiet=yes
usage 'no output' 'file to write' '-o OUT.tflite' -- litec convert m
usage 'given twice' '--output is given twice' -- litec convert m -o out.tflite -o out2.tflite
usage 'too many arguments' 'does not know what to do with n' -- litec convert m n -o out.tflite
usage 'more files than inputs can be' 'up to 256 input files' -- litec run m $(seq -f '-i%g' 1 200) $(seq 1 100)
usage 'threads: word' '--threads: many is no whole number from 1 to 256' -- litec bench m --threads many
usage 'threads: zero' '--threads: 0 is no' -- litec bench m --threads 0
usage 'threads: beyond' '--threads: 257 is no' -- litec bench m --threads 257
usage 'threads: overflow' '--threads' -- litec bench m --threads 99999999999999999999
usage 'threads: trailing' '--threads: 2x is no' -- litec bench m -t 2x
usage 'memory: word' '--max-memory: lots is no size' '512M' -- litec convert m -o out.tflite --max-memory lots
usage 'memory: negative' '--max-memory: -1 is no size' -- litec convert m -o out.tflite --max-memory -1
usage 'memory: overflow' '--max-memory' -- litec convert m -o out.tflite --max-memory 99999999999G
usage 'mean: word' '--mean: grey is no number' -- litec run m --mean grey
usage 'mean: nan' '--mean: nan is no number' -- litec run m --mean nan
usage 'std: zero' '--std needs a number above 0' -- litec run m --std 0
usage 'std: negative' '--std needs a number above 0' -- litec run m --std -1

# every form of an option
for form in "-o one.tflite" "-oone.tflite" "-o=one.tflite" "--output one.tflite" "--output=one.tflite"; do
    ok "form $form" '^keras2_cnn.h5 -> one.tflite: ' -- litec convert "$models/keras2_cnn.h5" $form
    check "form $form writes" -- rm one.tflite
done
ok 'options before the model' 'one.tflite' -- litec convert -o one.tflite "$models/keras2_cnn.h5"
cp one.tflite ./-dash
ok 'after -- all is a file' '^-dash: ' -- litec verify -- -dash
ok 'memory units' -- litec convert "$models/keras2_cnn.h5" -o one.tflite --max-memory 64MiB --quiet

# a name that would act on a terminal is shown, not obeyed
usage 'control bytes in names' 'no command .x1b\[31mred' -- litec "$(printf '\033[31mred')"
bad 'bytes that are no UTF-8 in files' 'a[^a-z]*(xff)?b.h5' -- litec verify "$(printf 'a\377b.h5')"
bad 'control bytes in files' -- litec verify "$(printf 'a\033]0;t\007\nb')"

# colours only on a terminal, so never here
check 'no colour in a pipe' -- sh -c 'TERM=xterm "$0" convert nothing -o out.tflite 2>&1 | grep -q "^error:"' "$LITEC"

if script -qec true /dev/null </dev/null >/dev/null 2>&1; then # needs a pseudo terminal, which a bare chroot has not
    on_terminal() { env TERM=xterm "$@" script -qec "'$LITEC' convert nothing" /dev/null </dev/null 2>/dev/null | tr -d '\r'; }
    esc=$(printf '\033')
    check 'colour on a terminal' -- sh -c 'case $1 in *"$2["*error:*) ;; *) exit 1 ;; esac' - "$(on_terminal)" "$esc"
    check 'none with NO_COLOR' -- sh -c 'case $1 in *"$2"*) exit 1 ;; *error:*) ;; *) exit 1 ;; esac' - "$(on_terminal NO_COLOR=1)" "$esc"
    check 'none on a dumb one' -- sh -c 'case $1 in *"$2"*) exit 1 ;; *error:*) ;; *) exit 1 ;; esac' - "$(on_terminal TERM=dumb)" "$esc"
fi

# a full disk is noticed
if [ -w /dev/full ]; then
    cp "$models/keras2_cnn.h5" full.h5
    for line in --version help 'inspect full.h5' 'inspect full.h5 --json' 'convert full.h5 -o -'; do
        split_and_run "stdout full: $line" -- sh -c '"$0" $1 >/dev/full' "$LITEC" "$line"
        [ "$code" = 1 ] && grep -q '^error: writing to standard output failed' .stderr || complain "$name" "exit $code"
    done
fi

finish
