/*
 * qat.c: steps that are in the graph already. A model of quantisation-aware training says by FAKE_QUANT with what steps a tensor is to be kept
 * (Jacob et al. 2018); one that is an integer model in part says it by QUANTIZE and DEQUANTIZE. For plan.c and integer.c all three are the
 * same thing: rounding, which makes no number, asks the operator in front to write these steps and hands them to those behind.
 *
 *   x -> FAKE_QUANT a -> CONV_2D(w, b) -> RELU6 -> FAKE_QUANT c -> SOFTMAX
 *   x -> QUANTIZE a   -> CONV_2D int8 with steps c                -> SOFTMAX int8 -> DEQUANTIZE
 *
 * Without samples these steps are all that is known: what lacks them stays float32. With samples the rest is calibrated, and the steps of the
 * graph win. FAKE_QUANT of other widths than 8 bits is a float operator that rounds.
 */
#include "quant/quant.h"

#include <math.h>

/* min is -zero scale, max 255 steps above; in int8 everything is 128 lower. */
static bool fake_steps(const lc_node *n, lc_steps *s) {
    const lc_FakeQuantOptions *o = n->attrs ? LC_OP_ATTRS(n, FakeQuantOptions) : NULL;
    if (!o || o->num_bits != 8 || o->narrow_range) return false;
    *s = (lc_steps){.type = LC_INT8, .scale = (o->max - o->min) / 255};
    if (!(s->scale >= 1e-30f) || !isfinite(s->scale)) return false;
    const float zero = roundf(-o->min / s->scale);
    s->zero = (int32_t)(zero < 0 ? 0 : zero > 255 ? 255 : zero) - 128;
    return true;
}

/* The steps of an integer tensor that has one scale; int16 is symmetric. */
static bool kept_steps(const lc_tensor *t, lc_steps *s) {
    const lc_QuantizationParameters *q = t->quant;
    if ((t->type != LC_INT8 && t->type != LC_INT16) || !q || q->scale.n != 1 || q->zero_point.n != 1) return false;
    *s = (lc_steps){.type = t->type, .scale = q->scale.data[0], .zero = (int32_t)q->zero_point.data[0]};
    return s->scale > 0 && (t->type == LC_INT8 || s->zero == 0);
}

bool lc_quant_rounds(const lc_graph *g, const lc_node *n, lc_steps *s) {
    if (n->op != LC_OP_FAKE_QUANT && n->op != LC_OP_QUANTIZE && n->op != LC_OP_DEQUANTIZE) return false;
    const lc_tensor *x = &g->tensors[n->inputs[0]], *y = &g->tensors[n->outputs[0]];
    if (lc_tensor_is_const(x) || x->is_variable || y->is_variable) return false;
    if (n->op == LC_OP_DEQUANTIZE) return y->type == LC_FLOAT32 && kept_steps(x, s);
    if (x->type != LC_FLOAT32) return false;
    return n->op == LC_OP_QUANTIZE ? kept_steps(y, s) : fake_steps(n, s);
}

lc_range lc_quant_range_of(lc_steps s) {
    const float low = s.type == LC_INT8 ? -128 : -32767, high = s.type == LC_INT8 ? 127 : 32767, zero = (float)s.zero;
    return (lc_range){(low - zero) * s.scale, (high - zero) * s.scale, true};
}

/* Whether any operator rounds; fake: any FAKE_QUANT. */
static bool any_rounds(const lc_model *m, bool fake) {
    lc_steps s;
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t i = 0; i < m->graphs[g]->node_count; i++) {
            const lc_node *n = &m->graphs[g]->nodes[i];
            if ((!fake || n->op == LC_OP_FAKE_QUANT) && lc_quant_rounds(m->graphs[g], n, &s)) return true;
        }
    return false;
}

bool lc_quant_has_steps(const lc_model *m) { return any_rounds(m, false); }

lc_status lc_quant_aware(lc_model *model, bool *changed, lc_error *err) {
    static const lc_quantize_options options = {.scheme = LC_SCHEME_INT8, .input_type = LC_FLOAT32, .output_type = LC_FLOAT32};
    lc_quant_report report = {0};
    lc_status status = LC_OK;
    *changed = any_rounds(model, true);
    if (*changed) {
        lc_quant_job job = {.model = model, .options = &options, .report = &report, .err = err};
        status = lc_recipe_read(NULL, &report.arena, &job.recipe, err);
        if (status == LC_OK) status = lc_quant_integer(&job);
        lc_arena_deinit(&report.arena);
    }
    for (size_t k = 0; status == LC_OK && k < model->graph_count; k++) {
        const lc_graph *g = model->graphs[k];
        for (size_t t = 0; t < g->tensor_count; t++) { /* annotations of weights that stay float32 */
            lc_tensor *p = &g->tensors[t];
            if (p->type != LC_FLOAT32 || !p->quant || !lc_tensor_is_const(p) || p->quant->scale.n == 0) continue;
            p->quant = NULL;
            *changed = true;
        }
    }
    return status;
}
