/*
 * late.h: operators whose shapes only the run can tell.
 *
 * An operator is late when an input is dynamic, when its rule leaves an output open although all its inputs' shapes are known (WHERE,
 * UNIQUE, RANGE of computed limits ...), or when it makes strings. Its outputs are dynamic then, and so all that follows. At each run a
 * late operator is inferred with the inputs' data at hand, its outputs get memory, its kernel is prepared (unless the shapes are those of
 * the run before) and run. What infer still leaves open the kernel sizes itself (lc_kernel_resize).
 */
#ifndef LC_RUNTIME_LATE_H
#define LC_RUNTIME_LATE_H

#include "runtime/exec.h"

/* Makes `step` a late one and its outputs dynamic. */
lc_status lc_late_init(lc_exec *exec, lc_step *step, lc_error *err);
lc_status lc_late_run(lc_exec *exec, lc_step *step, lc_error *err);

/* Bytes of a dense value; a RESOURCE takes 4 an element. False when open, too large, or of a type without size. */
bool lc_value_bytes(lc_dtype type, const lc_shape *shape, size_t *bytes);
/* Marks a value dynamic: no memory of the plan, no shape yet. */
void lc_value_make_dynamic(lc_value *v);
/* Gives a dynamic value a shape and memory. bytes: of a STRING value's buffer; else 0. Contents are undefined. */
lc_status lc_value_resize(lc_exec *exec, lc_value *v, const lc_shape *shape, size_t bytes, lc_error *err);
/* Copies shape and bytes: into a dynamic value whatever they are, into another when they are the same. Types must agree. */
lc_status lc_value_assign(lc_exec *exec, lc_value *to, const lc_value *from, lc_error *err);
/* lc_kernel_ctx.resize in a session. */
lc_status lc_exec_resize(lc_kernel_ctx *ctx, uint32_t out, const lc_shape *shape, size_t bytes);

#endif
