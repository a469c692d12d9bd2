# Thin front: CMake does the work (CMakePresets.json names the builds).
#
#   make              build the libraries and the program: build/release
#   make demo         set up, build, convert trained models and read handwritten digits
#   make test         set up, build, run all tests
#   make check-all    the tests under address, undefined and thread sanitizers and with clang, and a round of fuzzing
#   make check-arm    the runtime's tests on aarch64 (emulated) and with 32 bits, armhf compiled, and how large each is
#   make sizes        how large the device runtime is
#   make bench        speed and memory, beside LiteRT and Keras where they are installed
#   make install      PREFIX=/usr/local, DESTDIR for packagers
#   make format       clang-format over the sources
#   make clean        remove build/
#
# JOBS=n: parallel jobs (default: one for each core). TESTS=regex: only these tests. CC=clang: another compiler, after make clean.
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
TESTS ?= .
FUZZ_SECONDS ?= 20
BUILD = build/release

.PHONY: all build demo test check-all check-arm sizes bench install format clean help
.DEFAULT_GOAL := all

all: build

# $(1): preset
define build_preset
@mkdir -p build/$(1)
@[ -f build/$(1)/build.ninja ] || cmake --preset $(1) > build/$(1)/configure.log 2>&1 || { cat build/$(1)/configure.log; echo "hint: tools/setup installs what building needs" >&2; exit 1; }
@cmake --build --preset $(1) -j $(JOBS) $(2)
endef

define run_tests
@ctest --test-dir build/$(1) -j $(JOBS) -R '$(TESTS)' --output-on-failure --no-tests=error $(2)
endef

build:
	$(call build_preset,release)

demo:
	@tools/setup
	$(call build_preset,release,--target litec example_mnist)
	@tools/demo

test:
	@tools/setup
	$(call build_preset,release)
	$(call run_tests,release)

# The asan build checks undefined behaviour too. Its allocator makes huge allocations return NULL, as a machine would.
check-all: export ASAN_OPTIONS = allocator_may_return_null=1:detect_stack_use_after_return=1
check-all: export UBSAN_OPTIONS = print_stacktrace=1
check-all: export TSAN_OPTIONS = halt_on_error=1:allocator_may_return_null=1
check-all: test
	@command -v clang >/dev/null || { echo "error: make check-all needs clang" >&2; echo "hint: apt-get install clang" >&2; exit 1; }
	$(call build_preset,asan)
	$(call run_tests,asan)
	$(call build_preset,tsan)
	$(call run_tests,tsan,-LE fuzz)
	$(call build_preset,clang)
	$(call run_tests,clang,-LE fuzz)
	$(call build_preset,fuzz,--target fuzzers)
	@tools/fuzz $(FUZZ_SECONDS)
	@echo "check-all: release, asan+ubsan, tsan, clang and fuzzing are clean"

check-arm:
	@tools/setup
	@tools/setup arm
	$(call build_preset,release,--target litec)
	@tools/check_arm $(JOBS)

sizes: build
	@tools/sizes $(BUILD)

bench:
	@tools/setup
	$(call build_preset,release)
	@tools/bench $(BUILD)

install: build
	DESTDIR="$(DESTDIR)" cmake --install $(BUILD) --prefix "$(PREFIX)"
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ! command -v ldconfig >/dev/null || ldconfig

format:
	@find src include examples bench tests -path tests/cli -prune -o '(' -name '*.[ch]' -o -name '*.inc' ')' -print | xargs clang-format -i

clean:
	rm -rf build

help:
	@sed -n '3,15s/^# \{0,1\}//p' Makefile
