#!/bin/sh
# install_test: installs the build into a temporary directory, moves it (it must be relocatable), and builds and runs programs
# against it in every way that is promised: pkg-config and find_package, C and C++, shared and static. The program that is
# linked with liblitec_runtime.a gets -lm and -lpthread and nothing else.
# Environment: LC_SOURCE_DIR, LC_BUILD_DIR, CMAKE, CC.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
here=$LC_SOURCE_DIR/tests/house
fail() {
    echo "install_test: $*" >&2
    exit 1
}

DESTDIR="$tmp/stage" "$CMAKE" --install "$LC_BUILD_DIR" --prefix /opt/litec >"$tmp/log" || fail "cmake --install: $(cat "$tmp/log")"
mv "$tmp/stage/opt/litec" "$tmp/moved"
prefix=$tmp/moved
for file in bin/litec bin/tflite_convert bin/freeze_graph include/litec/runtime.h include/litec/litec.h; do
    [ -e "$prefix/$file" ] || fail "$file was not installed"
done
if grep -rlF -e "$LC_BUILD_DIR" -e "$tmp/stage" "$prefix/lib" --include='*.pc' --include='*.cmake' >"$tmp/log"; then
    fail "paths of the build are in: $(cat "$tmp/log")"
fi

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name litec.pc)")
export PKG_CONFIG_PATH
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export LD_LIBRARY_PATH
lib=$LD_LIBRARY_PATH
strict="-Wall -Wextra -Wpedantic -Werror"

"$CC" -std=c11 $strict "$here/convert_model.c" $(pkg-config --cflags --libs litec) -o "$tmp/convert_c"
"$tmp/convert_c" "$LC_SOURCE_DIR/examples/models/keras3_mlp.keras" "$tmp/mlp.tflite" || fail "the C program cannot convert"
"$CC" -std=c11 $strict "$here/run_model.c" $(pkg-config --cflags --libs litec_runtime) -lm -o "$tmp/run_c"
"$tmp/run_c" "$tmp/mlp.tflite" || fail "the C program cannot run the model"

# The device runtime alone: this archive, libm, libpthread.
"$CC" -std=c11 $strict "$here/run_model.c" -I"$prefix/include" "$lib/liblitec_runtime.a" -lm -lpthread -o "$tmp/run_alone"
env -u LD_LIBRARY_PATH "$tmp/run_alone" "$tmp/mlp.tflite" || fail "the program with liblitec_runtime.a alone cannot run the model"
for need in $(readelf -d "$tmp/run_alone" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'); do
    case "$need" in libc.so* | libm.so* | libpthread.so* | ld-linux*) ;; *) fail "the runtime alone needs $need" ;; esac
done

if command -v c++ >/dev/null 2>&1; then
    c++ -std=c++11 $strict -x c++ "$here/convert_model.c" -x none $(pkg-config --cflags --libs litec) -o "$tmp/convert_cc"
    "$tmp/convert_cc" "$LC_SOURCE_DIR/examples/models/keras3_mlp.keras" "$tmp/cc.tflite" || fail "the C++ program cannot convert"
    cmp "$tmp/mlp.tflite" "$tmp/cc.tflite" || fail "C and C++ made different files"
    c++ -std=c++11 $strict -x c++ "$here/run_model.c" -x none $(pkg-config --cflags --libs litec_runtime) -lm -o "$tmp/run_cc"
    "$tmp/run_cc" "$tmp/mlp.tflite" || fail "the C++ program cannot run the model"
else
    echo "install_test: no C++ compiler: the headers were not tried with C++"
fi

"$CMAKE" -S "$here/consumer" -B "$tmp/consumer" -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH="$prefix" >"$tmp/log" 2>&1 ||
    fail "find_package: $(tail -n 20 "$tmp/log")"
"$CMAKE" --build "$tmp/consumer" >"$tmp/log" 2>&1 || fail "building with find_package: $(tail -n 20 "$tmp/log")"
for way in "" _static; do
    "$tmp/consumer/convert$way" "$LC_SOURCE_DIR/examples/models/keras3_mlp.keras" "$tmp/cm.tflite" || fail "convert$way of the CMake project"
    cmp "$tmp/mlp.tflite" "$tmp/cm.tflite" || fail "convert$way made a different file"
    "$tmp/consumer/run$way" "$tmp/mlp.tflite" || fail "run$way of the CMake project"
done
"$prefix/bin/litec" --version || fail "the installed program does not start"
echo "install_test: pkg-config and find_package, C and C++, shared and static: all work"
