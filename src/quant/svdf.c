/*
 * svdf.c: SVDF as an integer operator, the form that TFLite has of it (kernels/svdf_quant.c):
 *
 *   input, output      int8
 *   feature weights    int8, symmetric, one scale for all
 *   state              int16, symmetric: the products of inputs with the feature weights, over their range
 *   time weights       int16, symmetric, in steps so coarse that the sum over the memory of all filters of a unit fits int32: at most 512 of
 *                      them (the official quantiser's 10 bits), fewer where the memory is long
 *   bias               int32 on state x time weights
 *
 * Stays float: another activation than RELU, which is all that integer kernels have; weights that are computed; a state that others use.
 */
#include "quant/cell.h"

#include <math.h>

enum { INPUT, FEATURE, TIME, BIAS, STATE };
enum { MOST_STEPS = 512, LONGEST = 4096 };

static const lc_tensor *operand(const lc_graph *g, const lc_node *n, uint32_t i) {
    return i < n->input_count && n->inputs[i] >= 0 ? &g->tensors[n->inputs[i]] : NULL;
}

static bool is_weights(const lc_tensor *t, int32_t rank) {
    bool known = t && t->type == LC_FLOAT32 && lc_tensor_is_const(t) && !t->sparsity && t->rank == rank;
    for (int32_t d = 0; known && d < rank; d++) known = t->dims[d] > 0;
    return known;
}

/* Steps of a unit's memory, of which the kernel makes one sum; 0: more than it could. */
static int32_t memory_of(const lc_graph *g, const lc_node *n) {
    const int64_t all = (int64_t)LC_OP_ATTRS(n, SVDFOptions)->rank * operand(g, n, TIME)->dims[1];
    return all > 0 && all <= LONGEST ? (int32_t)all : 0;
}

const char *lc_quant_svdf_hindrance(const lc_graph *g, const lc_node *n) {
    const lc_tensor *x = operand(g, n, INPUT), *bias = operand(g, n, BIAS), *state = operand(g, n, STATE);
    const lc_tensor *feature = operand(g, n, FEATURE), *time = operand(g, n, TIME);
    if (LC_OP_ATTRS(n, SVDFOptions)->fused_activation_function != LC_ActivationFunctionType_RELU)
        return "an integer SVDF has RELU as its activation";
    if (!x || lc_tensor_is_const(x) || x->rank != 2) return "its input is constant";
    if (!is_weights(feature, 2) || !is_weights(time, 2) || (bias && !is_weights(bias, 1)))
        return "its weights are not constant float matrices";
    if (x->dims[1] != feature->dims[1] || time->dims[0] != feature->dims[0] || !memory_of(g, n)) return "its memory is too long for int32";
    return state && state->is_variable && lc_quant_use_count(g, n->inputs[STATE]) == 1 ? NULL : "its state is used elsewhere, too";
}

/* Symmetric int16 weights of at most `most` steps to a side. */
static lc_steps time_steps(lc_range r, int32_t most, float least) {
    const float scale = fmaxf(fmaxf(-r.low, r.high) / (float)most, least);
    return (lc_steps){.type = LC_INT16, .scale = scale >= 1e-30f ? scale : 1};
}

static float reach(lc_range r) { return r.seen ? fmaxf(-r.low, r.high) : 0; }

lc_status lc_quant_svdf(lc_graph *g, lc_node *n, const lc_range_state *range, lc_arena *temporary, lc_error *err) {
    const float most = reach(range->cell);
    const lc_steps state = lc_steps_over(LC_INT16, -most, most);
    const float bias = operand(g, n, BIAS) ? reach(lc_quant_constant_range(operand(g, n, BIAS), temporary)) : 0;
    const int32_t steps = 60000 / memory_of(g, n); /* times 32768 they stay below 2^31, with room for a bias of 2^27 */
    const lc_range time = lc_quant_constant_range(operand(g, n, TIME), temporary);
    LC_TRY(lc_quant_weights(g, n->inputs[FEATURE], LC_INT8, -1, NULL, temporary, &n->inputs[FEATURE], err));
    LC_TRY(lc_quant_operand(g, n->inputs[TIME], time_steps(time, steps < MOST_STEPS ? steps : MOST_STEPS, bias / state.scale * 0x1p-27f),
                            temporary, &n->inputs[TIME], err));
    if (operand(g, n, BIAS)) {
        const lc_steps as_int32 = {.type = LC_INT32, .scale = state.scale};
        LC_TRY(lc_quant_bias(g, n->inputs[BIAS], as_int32, n->inputs[TIME], temporary, &n->inputs[BIAS], err));
    }
    n->version = 0;
    return lc_quant_annotate(g, n->inputs[STATE], state, err);
}
