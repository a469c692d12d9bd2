/*
 * portable.c: the micro-kernels for any host: what LC_ISA=portable or an unknown CPU runs.
 * Compiled with that set's flags (cmake/isa.cmake); reached only through dispatch.c, which asks the CPU first.
 */
#include "kernels/vec_portable.h"
#define LC_ISA_NAME portable
#include "kernels/simd_table.inc"
