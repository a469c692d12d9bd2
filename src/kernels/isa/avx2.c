/*
 * avx2.c: the micro-kernels for AVX2 with FMA: x86-64 from about 2013.
 * Compiled with that set's flags (cmake/isa.cmake); reached only through dispatch.c, which asks the CPU first.
 */
#include "kernels/vec_avx2.h"
#define LC_ISA_NAME avx2
#include "kernels/simd_table.inc"
