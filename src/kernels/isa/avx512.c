/*
 * avx512.c: the micro-kernels for AVX-512 (F, VL, BW, DQ): Intel from Skylake-X, AMD from Zen 4.
 * Compiled with that set's flags (cmake/isa.cmake); reached only through dispatch.c, which asks the CPU first.
 */
#include "kernels/vec_avx512.h"
#define LC_ISA_NAME avx512
#include "kernels/simd_table.inc"
