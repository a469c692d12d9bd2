/*
 * sparse.h: the dense bytes of a constant that a file stores sparsely (lc_tensor.sparsity).
 */
#ifndef LC_IR_SPARSE_H
#define LC_IR_SPARSE_H

#include "ir/ir.h"

/* Bytes lc_tensor_densify would add to the model: 0 for a dense tensor and for one that has them already. */
uint64_t lc_tensor_dense_bytes(const lc_tensor *t);
/* Makes t->dense in the model's arena. Nothing to do for a dense tensor, for one that is no constant, and the second time. LC_UNSUPPORTED
 * for types whose elements are no whole bytes; LC_INVALID for tables that point outside (a loaded model has none:
 * runtime/check_sparsity.c). */
lc_status lc_tensor_densify(lc_model *model, lc_tensor *t, lc_error *err);

#endif
