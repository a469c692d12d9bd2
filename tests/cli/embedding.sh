#!/bin/sh
# embedding.sh: what docs/embedding.md shows runs: the runtime built alone, and with a model's operators only; its size; what happens to
# a model with another operator. The rest of the page is checked by docs.sh.
only=embedding
. "$(dirname "$0")/docs.sh"
cd "$scratch/embedding" || exit 1

# The promise of the page, on the machine it is made for.
cases=$((cases + 1))
bytes=$(wc -c <embedded 2>/dev/null || echo 999999)
case $(uname -m) in
x86_64) [ "$bytes" -lt 150000 ] || complain "the runtime for one model" "embedded has $bytes bytes, 150,000 are promised" ;;
esac
echo "embedded: $bytes bytes"

# The same model through the whole program gives the same class.
ok 'the whole litec agrees' '7' -- litec run model.tflite --input t10k-images-idx3-ubyte.gz --top 1

# A model with an operator that was left out: read, refused, named.
others=0
for model in "$ROOT"/tests/data/tflite/*.tflite; do
    case $(litec ops "$model" 2>/dev/null | sed -n 's/^#define LC_WITH_//p' | grep -v -e '^CONV_2D ' -e '^DEPTHWISE_CONV_2D ' -e '^FULLY_CONNECTED ' \
        -e '^MAX_POOL_2D ' -e '^RESHAPE ' -e '^SOFTMAX ') in '') continue ;; esac
    others=$((others + 1))
    cases=$((cases + 1))
    if ./embedded "$model" <picture.raw >.stdout 2>.stderr; then complain "a model with other operators runs" "$model"; fi
    grep -q '^error: ' .stderr || complain "a model with other operators" "$model: no message"
done
[ "$others" -gt 0 ] || complain "no model with other operators was found"

# A list that names what is no operator, and one that is not there.
printf '#define LC_WITH_CONV_3 1\n' >wrong.h
for list in wrong.h not_there.h; do
    cases=$((cases + 1))
    if cmake -S litec -B wrong -G Ninja -DLC_SMALL=ON "-DLC_OPERATORS=$list" >.stdout 2>.stderr; then complain "a wrong list is taken: $list"; fi
    grep -q -e CONV_3 -e not_there .stderr || complain "the message about $list does not name what is wrong"
done
finish
