/*
 * fuzz.h: what a fuzz target defines. It reads `data` in whatever way its reader is used, frees everything, and returns 0. Bad
 * data is no failure; a crash, a leak, a sanitizer's report or more than 20 seconds is.
 *
 * A target should bound what a file may ask for (lc_limits), so that a find is a mistake of ours and not a large file.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
