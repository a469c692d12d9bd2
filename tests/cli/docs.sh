#!/bin/sh
# docs.sh [PAGE.md]: what the documentation shows runs: every block marked ```sh of README.md and docs/*.md, top to bottom, in a directory
# that holds the bundled models and data under the names the text uses. A line "# =>" inside a block states what the output
# of the block must contain; a first line "# needs: PROGRAM ..." leaves the block out where one of these is not installed.
# docs/embedding.md builds a runtime each time and has a test of its own (embedding.sh).
. "$(dirname "$0")/lib.inc"
bin=$(dirname "$LITEC")
PATH=$bin:$PATH
export PATH

extract() { # $1: file, $2: directory: block001.sh ...
    awk -v dir="$2" '
        /^```sh$/ { n++; file = sprintf("%s/block%03d.sh", dir, n); print "set -e" > file; inside = 1; next }
        /^```/ && inside { close(file); inside = 0; next }
        inside { print >> file }
    ' "$1"
}
for document in "$ROOT/README.md" "$ROOT"/docs/*.md; do
    page=$(basename "$document" .md)
    case $page in embedding) [ "${only-}" = embedding ] ;; *) [ -z "${only-}" ] ;; esac || continue
    mkdir "$page" "$page.blocks"
    cp "$models"/*.h5 "$models"/*.keras "$page/"
    cp "$models/keras3_cnn.keras" "$page/model.keras"
    cp "$models/keras2_cnn.h5" "$page/model.h5"
    cp "$digits"/* "$page/"
    cp "$digits/seven.png" "$page/digit.png"
    cp "$mnist"/* "$page/"
    cp -r "$LC_BUILD_DIR/tests/tf/named/saved_model" "$LC_BUILD_DIR"/tests/tf/softmax/*.pb "$LC_BUILD_DIR"/tests/tf/softmax/v2/model.ckpt* "$page/"
    ln -s "$ROOT" "$page/litec"
    extract "$document" "$scratch/$page.blocks"
    cd "$page" || exit 1
    for block in "$scratch/$page.blocks"/block*.sh; do
        [ -e "$block" ] || continue
        lacking=
        for program in $(sed -n 's/^# needs: *//p' "$block"); do command -v "$program" >/dev/null 2>&1 || lacking="$lacking $program"; done
        if [ -n "$lacking" ]; then
            echo "left out, without$lacking: $page: $(sed -n 3p "$block")"
            continue
        fi
        cases=$((cases + 1))
        code=0
        sh "$block" >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null || code=$?
        cd "$scratch"
        if [ "$code" != 0 ]; then complain "$page: $(sed -n 2p "$block")" "exit $code"; fi
        sed -n 's/^# => *//p' "$block" >.patterns
        missing=$(while IFS= read -r line; do grep -Fq -e "$line" .stdout || { printf '%s' "$line"; break; }; done <.patterns)
        if [ -n "$missing" ]; then complain "$page: $(sed -n 2p "$block")" "the output lacks: $missing"; fi
        cd "$page"
    done
    cd "$scratch"
done

if [ -n "${only-}" ]; then return 0; fi

# What is shown as C compiles, inside a function that has what a reader would have: the picture, and a place to go. ```c function stands alone.
if command -v "${CC:-cc}" >/dev/null 2>&1; then
    for document in "$ROOT/README.md" "$ROOT"/docs/*.md; do
        awk '
            /^```c function$/ { inside = 2; next }
            /^```/ && inside == 2 { inside = 0; next }
            /^```c$/ { n++; printf "static int block%d(const void *pixels, size_t bytes) {\n", n; inside = 1; next }
            /^```/ && inside { print "return 0; failed: return 1; }"; inside = 0; next }
            inside && !/^#include/ { print }
        ' "$document" >blocks.txt
        [ -s blocks.txt ] || continue
        { printf '#include <litec/train.h>\n#include <stdio.h>\n#include <string.h>\n'; cat blocks.txt; } >blocks.c
        check "the C of $(basename "$document")" -- "${CC:-cc}" -std=c17 -fsyntax-only -Werror -Wno-unused -I"$ROOT/include" blocks.c
    done
fi

# Links lead somewhere, and files that are named exist.
for document in "$ROOT"/*.md "$ROOT"/docs/*.md; do
    grep -o ']([^)#]*' "$document" | sed 's/^](//' | grep -v '^https\{0,1\}:' >links || :
    while IFS= read -r link; do
        cases=$((cases + 1))
        [ -n "$link" ] && [ -e "$(dirname "$document")/$link" ] || complain "$(basename "$document")" "links to $link, which is not there"
    done <links
    grep -o '`\(src\|include\|tools\|tests\|docs\|examples\|cmake\|bench\)/[A-Za-z0-9_./-]*`' "$document" | tr -d '\140' | sort -u >links || :
    while IFS= read -r link; do
        cases=$((cases + 1))
        [ -e "$ROOT/$link" ] || complain "$(basename "$document")" "names $link, which is not there"
    done <links
done
finish
