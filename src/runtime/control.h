/*
 * control.h: operators that run other graphs of the model: IF, STABLEHLO_CASE, WHILE, STABLEHLO_WHILE, CALL, CALL_ONCE,
 * STABLEHLO_COMPOSITE.
 */
#ifndef LC_RUNTIME_CONTROL_H
#define LC_RUNTIME_CONTROL_H

#include "ops/select.h"
#include "runtime/exec.h"

/* Whether this build has such operators (ops/select.h): without them the linker finds nothing that leads to control.c. */
enum {
    LC_CONTROL_CHOSEN = 0
#define LC_CONTROL_graph(ID) | LC_HAS(ID)
#define LC_CONTROL_yes(ID)
#define LC_CONTROL_no(ID)
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast, flags) \
    LC_CONTROL_##kernel(ID)
#include "ops/ops.def"
};

bool lc_control_runs(int32_t op);
/* True for an operator that control.c runs. */
static inline bool lc_control_is(int32_t op) { return LC_CONTROL_CHOSEN && lc_control_runs(op); }
/* Prepares such an operator: its graphs, and the shapes of its outputs, which become dynamic when they can differ from run to run. */
lc_status lc_control_prepare(lc_exec *exec, lc_step *step, lc_error *err);
/* lc_exec_reset for the graphs it runs. */
void lc_control_reset(lc_step *step);

#endif
