/*
 * parts.c: operators without an integer form as others that have one, which compute the same. Before calibration, so that what is between the
 * parts has a range, too.
 *
 *   DIV(x, constant)               MUL(x, 1 / constant)
 *   SQUARED_DIFFERENCE, int16x8    d = SUB(x, y), MUL(d, d)
 *   UNIDIRECTIONAL_SEQUENCE_RNN    a loop (rnn.c), where only integers are wanted
 *
 * DIV by data stays float. LiteRT has a kernel for it as integers since its own releases, but a divisor that is rounded to 0 is no number there.
 */
#include "quant/quant.h"

#include "ops/build.h"

#include <math.h>
#include <string.h>

lc_status lc_quant_replace_node(lc_graph *g, size_t at, size_t first, lc_error *err) {
    const size_t n = g->node_count - first;
    lc_arena temporary = {0};
    lc_node *made = lc_arena_array(&temporary, n, sizeof *made);
    if (made) {
        memcpy(made, g->nodes + first, n * sizeof *made);
        memmove(g->nodes + at + n, g->nodes + at + 1, (first - at - 1) * sizeof *g->nodes);
        memcpy(g->nodes + at, made, n * sizeof *made);
        g->node_count--;
    }
    lc_arena_deinit(&temporary);
    return made ? LC_OK : lc_fail_memory(err, "operators");
}

/* 1 / constant; LC_ABSENT: one of them is no number, or the constant is not made yet. */
static lc_status reciprocal(lc_builder *b, int32_t constant, int32_t *made) {
    const lc_tensor t = b->graph->tensors[constant];
    const size_t n = t.size / sizeof(float);
    const float *x = t.data;
    *made = LC_ABSENT;
    if (!x || t.quant || t.sparsity) return LC_OK;
    for (size_t i = 0; i < n; i++)
        if (!isnormal(1 / x[i]) || !isfinite(x[i])) return LC_OK;
    float *y = lc_build_data(b, t.size ? t.size : 1);
    for (size_t i = 0; y && i < n; i++) y[i] = 1 / x[i];
    if (y) *made = lc_build_const(b, "reciprocal", LC_FLOAT32, t.dims, t.rank, y, t.size, true);
    return b->status;
}

static lc_status multiply(lc_builder *b, lc_node *n) {
    const lc_DivOptions *div = n->attrs ? LC_OP_ATTRS(n, DivOptions) : NULL;
    int32_t by;
    LC_TRY(reciprocal(b, n->inputs[1], &by));
    if (by < 0) return LC_OK;
    lc_MulOptions *o = lc_arena_alloc(&b->model->arena, sizeof *o);
    int32_t *in = lc_arena_array(&b->model->arena, 2, sizeof *in);
    if (!o || !in) return lc_fail_memory(b->err, "operators");
    o->fused_activation_function = div ? div->fused_activation_function : LC_ActivationFunctionType_NONE;
    in[0] = n->inputs[0];
    in[1] = by;
    n->op = LC_OP_MUL;
    n->attrs_table = LC_TABLE_MulOptions;
    n->attrs = o;
    n->inputs = in;
    n->version = 0;
    return LC_OK;
}

static lc_status square(lc_builder *b, size_t at) {
    const size_t first = b->graph->node_count;
    const lc_node n = b->graph->nodes[at];
    const int32_t d = lc_build_binary(b, LC_OP_SUB, n.inputs[0], n.inputs[1], LC_ActivationFunctionType_NONE);
    const lc_MulOptions none = {.fused_activation_function = LC_ActivationFunctionType_NONE};
    const int32_t in[] = {d, d};
    lc_node *made;
    LC_TRY(b->status);
    LC_TRY(lc_graph_add_node(b->graph, LC_OP_MUL, LC_TABLE_MulOptions, &none, in, 2, n.outputs, 1, &made, b->err));
    made->layer = n.layer;
    return lc_quant_replace_node(b->graph, at, first, b->err);
}

static bool is_float(const lc_graph *g, int32_t t) { return t >= 0 && g->tensors[t].type == LC_FLOAT32; }

lc_status lc_quant_parts(lc_model *m, const lc_quantize_options *o, lc_recipe *recipe, lc_error *err) {
    for (size_t k = 0; k < m->graph_count; k++)
        for (size_t i = 0; i < m->graphs[k]->node_count; i++) {
            lc_graph *g = m->graphs[k];
            lc_node *n = &g->nodes[i];
            lc_builder b;
            if ((n->op != LC_OP_DIV && n->op != LC_OP_SQUARED_DIFFERENCE) || !is_float(g, n->inputs[0])) continue;
            /* a scheme of its own goes by the operator's name, which the parts have not */
            if (lc_recipe_scheme(recipe, g, n, o->scheme) != o->scheme) continue;
            lc_builder_init(&b, m, g, err);
            b.layer = n->layer;
            const bool integer = o->scheme == LC_SCHEME_INT8 || o->scheme == LC_SCHEME_INT16X8;
            if (n->op == LC_OP_DIV && integer && is_float(g, n->inputs[1])) LC_TRY(multiply(&b, n));
            else if (n->op == LC_OP_SQUARED_DIFFERENCE && o->scheme == LC_SCHEME_INT16X8) LC_TRY(square(&b, i));
        }
    return o->only_integer ? lc_quant_rnn_loops(m, err) : LC_OK;
}
