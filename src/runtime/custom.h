/*
 * custom.h: custom operators of the caller (lc_session_options.custom_ops), seen from the runtime.
 */
#ifndef LC_RUNTIME_CUSTOM_H
#define LC_RUNTIME_CUSTOM_H

#include "runtime/exec.h"

/* The caller's operator for this node; NULL when the node is not custom or nobody gave one. */
const lc_custom_op *lc_custom_of(const lc_exec_options *options, const lc_node *node);
/* Prepares the node with the caller's functions: its outputs get the shapes that `prepare` sets; those it leaves open become dynamic. */
lc_status lc_custom_prepare(lc_exec *exec, lc_step *step, const lc_custom_op *op, lc_error *err);

#endif
