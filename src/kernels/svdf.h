/*
 * svdf.h: the integer kernel of SVDF, for the choice in svdf_ref.c.
 */
#ifndef LC_KERNELS_SVDF_H
#define LC_KERNELS_SVDF_H

#include "kernels/kernel.h"

extern const lc_kernel lc_svdf_quant;

#endif
