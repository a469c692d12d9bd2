/*
 * neon.c: the micro-kernels for NEON of AArch64.
 * Compiled with that set's flags (cmake/isa.cmake); reached only through dispatch.c, which asks the CPU first.
 */
#include "kernels/vec_neon.h"
#define LC_ISA_NAME neon
#include "kernels/simd_table.inc"
