#!/bin/sh
# operators.sh: models with operators litec does not have: the error names the operator and says what to do, and everything but running still works.
. "$(dirname "$0")/lib.inc"
model=$ROOT/tests/data/tflite/custom_op.tflite # ADD, ATAN2, and the custom operator Betainc
renamed() { LC_ALL=C sed "s/Betainc/$1/g" "$model" >"$2"; } # a name of seven letters

bad 'run: an unknown custom operator' 'node 2 CUSTOM Betainc .*the custom operator "Betainc"' 'custom_ops.*TFLite_Detection_PostProcess' -- litec run "$model"
bad 'bench: the same' '"Betainc"' -- litec bench "$model"
renamed FlexErf erf.tflite
bad 'run: an operator of TensorFlow' 'FlexErf is TensorFlow.s own' 'SELECT_TF_OPS' -- litec run erf.tflite
renamed FlexSin sin.tflite
bad 'run: one that has a builtin' 'FlexSin is TensorFlow.s own' 'litec has SIN: .*TFLITE_BUILTINS' -- litec run sin.tflite
renamed FlexAdd add.tflite
bad 'run: another' 'FlexAdd' 'litec has ADD:' -- litec run add.tflite
for file in "$model" erf.tflite sin.tflite; do
    ok "inspect $file" '3 operators' 'ADD' 'ATAN2' 'not planned: .*CUSTOM' -- litec inspect "$file"
    ok "inspect --json $file" '"operators"' -- litec inspect "$file" --json
    ok "verify $file" -- litec verify "$file"
done
ok 'inspect names it' '  2  FlexErf  ' -- litec inspect erf.tflite
check 'a clean copy' -- litec convert erf.tflite -o copy.tflite
ok 'the copy has it' '  2  FlexErf  ' -- litec inspect copy.tflite

finish
