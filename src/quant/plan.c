/*
 * plan.c: which operators become integer ones, and what steps their tensors have (ops/quant.def, and the range of each tensor).
 *
 *   FREE, FIXED   an output has a set of its own
 *   SAME          the output joins its input's set. Of several inputs (CONCATENATION) those join that lose little by it; the others are
 *                 rounded anew where they are read
 *
 * Steps that are in the graph already (qat.c) are fixed from the beginning. What rounds makes no operator of the new graph but where its
 * input is kept in other steps.
 *
 * What has no integer form, no range, no constant weights, or is left out by the recipe stays float; the reason is noted.
 */
#include "quant/plan.h"

#include <math.h>
#include <stdio.h>

/* An input joins the set of its reader's output when that makes its own steps at most this much wider. */
#define WIDER 1.5f
/* A constant that would make the steps of the data beside it this much wider is cut to their range instead: padding with the lowest float. */
#define CUT 65536

static bool is_float(const lc_graph *g, int32_t t) { return t >= 0 && g->tensors[t].type == LC_FLOAT32; }
static bool is_const(const lc_graph *g, int32_t t) { return t >= 0 && lc_tensor_is_const(&g->tensors[t]); }

bool lc_quant_is_real(const lc_graph *g, const lc_node *n) {
    bool real = false;
    lc_steps s;
    if (n->op == LC_NODE_DEAD || n->op == LC_OP_QUANTIZE || n->op == LC_OP_DEQUANTIZE || lc_op_calls(n, NULL, 0)) return false;
    if (lc_quant_rounds(g, n, &s)) return false;
    const lc_op_quant_def *rule = lc_op_quant(n->op);
    if (rule && rule->scales == LC_QUANT_ANY) return false;
    for (uint32_t i = 0; i < n->input_count; i++) real |= is_float(g, n->inputs[i]);
    for (uint32_t i = 0; i < n->output_count; i++) real |= is_float(g, n->outputs[i]);
    return real;
}

/* ---- sets ----------------------------------------------------------------------------------------------------------------- */

static int32_t root(const lc_quant_plan *p, int32_t t) {
    for (; p->of[t].parent != t; t = p->of[t].parent) p->of[t].parent = p->of[p->of[t].parent].parent; /* next time it is half as far */
    return t;
}

static lc_quant_set *set_of(const lc_quant_plan *p, int32_t t) { return &p->of[root(p, t)]; }

static lc_range both(lc_range a, lc_range b) {
    if (!a.seen) return b;
    if (!b.seen) return a;
    return (lc_range){fminf(a.low, b.low), fmaxf(a.high, b.high), true};
}

/* `with` and all of its set take the steps of `t`'s set, whose range becomes `range`. */
static void join(lc_quant_plan *p, int32_t t, int32_t with, lc_range range) {
    const int32_t a = root(p, t), b = root(p, with);
    p->of[a].range = range;
    if (a == b) return;
    p->of[b].parent = a;
    p->of[a].members += p->of[b].members;
}

lc_steps lc_quant_plan_steps(const lc_quant_plan *p, int32_t t, lc_dtype type) {
    const lc_quant_set *s = set_of(p, t);
    if (s->fixed.type == type) return s->fixed;
    return s->range.seen ? lc_steps_over(type, s->range.low, s->range.high) : (lc_steps){.type = LC_FLOAT32};
}

/* Steps with the zero point 0 over all that the operator reads and writes. */
static lc_steps symmetric(const lc_quant_plan *p, const lc_node *n, lc_dtype type) {
    float most = 0;
    for (uint32_t i = 0; i < n->input_count + n->output_count; i++) {
        const int32_t t = i < n->input_count ? n->inputs[i] : n->outputs[i - n->input_count];
        if (is_float(p->graph, t)) most = fmaxf(most, fmaxf(-set_of(p, t)->range.low, set_of(p, t)->range.high));
    }
    return lc_steps_over(type, -most, most);
}

static float width(lc_range r) { return fmaxf(r.high, 0) - fminf(r.low, 0); }

/* ---- can it be? ------------------------------------------------------------------------------------------------------------ */

static bool is_weight(const lc_op_quant_def *r, uint32_t i) { return (int32_t)i == r->weights || (int32_t)i == r->bias; }

/* NULL: the operator can be an integer one of this type. Else why not. */
static const char *hindrance(const lc_quant_job *job, const lc_quant_plan *p, const lc_node *n, const lc_op_quant_def *r, lc_dtype type) {
    const lc_graph *g = p->graph;
    bool reached = job->ranges; /* without samples: by steps of the graph, at an input or the output */
    if (!r) return "the format has no integer form of it";
    const bool cell = r->scales == LC_QUANT_CELL; /* all but its first input is weights and state, which lstm.c and svdf.c look at */
    const char *why = cell ? lc_quant_cell_hindrance(g, n) : NULL;
    if (why) return why;
    if (cell && !job->ranges) return "only samples tell the ranges inside of it";
    if (type == LC_INT16 && !r->int16) return "it has no form with int16 activations";
    if (r->weights >= 0 && !((uint32_t)r->weights < n->input_count && is_const(g, n->inputs[r->weights])))
        return "its weights are not constant";
    if (r->weights >= 0 && (!is_float(g, n->inputs[r->weights]) || g->tensors[n->inputs[r->weights]].sparsity))
        return "its weights are quantised or sparse already";
    if (r->bias >= 0 && (uint32_t)r->bias < n->input_count && n->inputs[r->bias] >= 0 && !is_const(g, n->inputs[r->bias]))
        return "its bias is not constant";
    for (uint32_t i = 0; i < (cell ? 1 : n->input_count); i++) {
        const int32_t t = n->inputs[i];
        if (!is_float(g, t) || is_weight(r, i)) continue;
        if (g->tensors[t].is_variable) return "it keeps a state from run to run";
        if (is_const(g, t)) continue;
        if (!set_of(p, t)->range.seen) return job->ranges ? "no sample reached its input" : "its input has no range";
        reached = true;
    }
    for (uint32_t i = 0; i < n->output_count; i++)
        if (n->outputs[i] >= 0 && g->tensors[n->outputs[i]].is_variable) return "it writes the state of an operator that stays float";
    for (uint32_t i = 0; i < n->output_count; i++) {
        if (!is_float(g, n->outputs[i])) continue;
        const bool seen = p->of[n->outputs[i]].range.seen;
        if (!seen && (cell || r->scales == LC_QUANT_FREE)) return job->ranges ? "no sample reached it" : "its output has no range";
        reached |= seen;
    }
    return reached ? NULL : "no range is known";
}

static bool is_input(const lc_graph *g, int32_t t) {
    for (size_t i = 0; i < g->input_count; i++)
        if (g->inputs[i] == t) return true;
    return false;
}

/* NULL: its kernel can compute with such numbers. Else what is in the way. */
static const char *unfit(const lc_quant_plan *p, const lc_node *n, const lc_op_quant_def *r, lc_dtype type, lc_arena *temporary) {
    const lc_graph *g = p->graph;
    float coarsest = 0; /* scale of its inputs: they are told apart no better than that */
    for (uint32_t i = 0; i < n->input_count; i++) {
        const int32_t t = n->inputs[i];
        if (!is_float(g, t) || is_weight(r, i)) continue;
        const lc_range range = is_const(g, t) ? lc_quant_constant_range(&g->tensors[t], temporary) : set_of(p, t)->range;
        if (is_const(g, t) && r->scales != LC_QUANT_SAME && !(isfinite(range.low) && isfinite(range.high)))
            return "a constant holds infinity or NaN";
        if (is_input(g, t) && range.seen && range.low == 0 && range.high == 0 && set_of(p, t)->fixed.type == LC_FLOAT32)
            return "its input is 0 in all samples";
        if (range.seen && width(range) > 0) coarsest = fmaxf(coarsest, lc_steps_over(type, range.low, range.high).scale);
    }
    if (r->scales == LC_QUANT_NONE && coarsest > 0 && coarsest < lc_op_least_scale(n->op))
        return "its numbers are too small for its integer kernel";
    return NULL;
}

/* NULL: the target runtime has the operator in this type. Else which release has, in `text`. */
static const char *too_new(const lc_quant_job *job, const lc_graph *g, const lc_node *n, const lc_op_quant_def *r, lc_dtype type,
                           char text[96]) {
    const uint32_t target = job->options->target_runtime;
    char release[16];
    lc_quant_form form = {0};
    if (!target) return NULL;
    for (uint32_t i = 0; i < LC_QUANT_FORM_IN && i < n->input_count; i++)
        if (is_float(g, n->inputs[i]) && (int32_t)i != r->bias) form.in[i] = (int32_t)i == r->weights ? LC_INT8 : type;
    for (uint32_t i = 0; i < LC_QUANT_FORM_OUT && i < n->output_count; i++)
        if (is_float(g, n->outputs[i])) form.out[i] = type;
    const uint32_t carried = lc_op_runtime_version(LC_OP_DEQUANTIZE, type == LC_INT16 ? 3 : 2), own = lc_quant_release(g, n, &form);
    if (own && own <= target && carried <= target) return NULL;
    if (!own) return "no runtime is known to have its integer form";
    snprintf(text, 96, "its %s form needs the runtime of TensorFlow %s", lc_dtype_name(type),
             lc_op_release_text(own > carried ? own : carried, release));
    return text;
}

/* ---- decisions ---------------------------------------------------------------------------------------------------------------- */

/* The only input of an operator whose output has its steps; -1: there are several, or one is constant. */
static int32_t sole_data(const lc_graph *g, const lc_node *n) {
    int32_t found = -1;
    for (uint32_t i = 0; i < n->input_count; i++) {
        if (!is_float(g, n->inputs[i])) continue;
        if (is_const(g, n->inputs[i])) return -1; /* of SELECT_V2, say: its values may lie far from the data's */
        if (found >= 0 && found != n->inputs[i]) return -1;
        found = n->inputs[i];
    }
    return found;
}

static lc_range range_of(const lc_quant_plan *p, int32_t t, lc_arena *temporary) {
    return is_const(p->graph, t) && !p->of[t].range.seen ? lc_quant_constant_range(&p->graph->tensors[t], temporary) : set_of(p, t)->range;
}

/* All of the inputs flow in the same fixed steps, which then are the output's, too. */
static bool fixed_alike(const lc_quant_plan *p, const lc_node *n, lc_dtype type, lc_quant_set *alike) {
    const lc_quant_set *first = NULL;
    for (uint32_t i = 0; i < n->input_count; i++) {
        const int32_t t = n->inputs[i];
        if (!is_float(p->graph, t)) continue;
        const lc_quant_set *s = set_of(p, t);
        if (is_const(p->graph, t) || s->fixed.type != type || (first && !lc_steps_equal(first->fixed, s->fixed))) return false;
        first = s;
    }
    if (first) *alike = *first;
    return first;
}

/* What the output's steps hold: what was seen, unless constants leave nothing of them to the data. */
static lc_range without_extremes(const lc_quant_plan *p, const lc_node *n, lc_range all) {
    lc_range data = {0};
    for (uint32_t i = 0; i < n->input_count; i++)
        if (is_float(p->graph, n->inputs[i]) && !is_const(p->graph, n->inputs[i])) data = both(data, set_of(p, n->inputs[i])->range);
    return data.seen && width(data) > 0 && width(all) > CUT * width(data) ? data : all;
}

/* What a FAKE_QUANT makes for this reader alone is written in the reader's steps at once, where the graph says those, too, and they reach no
 * further: what training cut off stays cut off. */
static void follow(lc_quant_plan *p, int32_t t, lc_quant_set *to, lc_dtype type) {
    lc_quant_set *y = &p->of[t], *x = y->rounded ? &p->of[y->from] : NULL;
    if (!x || to->fixed.type != type || y->uses != 1 || x->uses != 1 || y->members != 1 || x->members != 1 || x->kept != type) return;
    if (x->parent != y->from || y->parent != t || !lc_steps_equal(x->fixed, y->fixed)) return;
    const float step = to->fixed.scale;
    if (y->range.low > to->range.low + step || y->range.high < to->range.high - step) return;
    x->fixed = y->fixed = to->fixed;
    x->range = y->range = to->range;
}

/* Fixed steps of an input that hold the whole output, such as what a variable kept of former samples, are the output's, too. */
static void take_fixed(lc_quant_plan *p, const lc_node *n, lc_dtype type, lc_range all) {
    lc_quant_set *out = &p->of[n->outputs[0]];
    for (uint32_t i = 0; i < n->input_count && out->fixed.type == LC_FLOAT32; i++) {
        const int32_t t = n->inputs[i];
        if (!is_float(p->graph, t) || is_const(p->graph, t)) continue;
        const lc_quant_set *s = set_of(p, t);
        const lc_range r = lc_quant_range_of(s->fixed);
        if (s->fixed.type != type || r.low > all.low + s->fixed.scale || r.high < all.high - s->fixed.scale) continue;
        if (width(r) > WIDER * width(all)) continue;
        out->fixed = s->fixed;
        out->range = r;
    }
}

/* Inputs that lose little by it join the output's set. */
static void join_inputs(lc_quant_plan *p, const lc_node *n, lc_dtype type, lc_arena *temporary) {
    const int32_t out = n->outputs[0];
    lc_quant_set alike;
    if (p->of[out].fixed.type == LC_FLOAT32 && fixed_alike(p, n, type, &alike)) {
        p->of[out].fixed = alike.fixed;
        p->of[out].range = alike.range;
        return;
    }
    lc_range all = p->of[out].range;
    const bool table = is_const(p->graph, n->inputs[0]); /* what no sample asked for must be in it, too */
    for (uint32_t i = 0; i < n->input_count && (i == 0 ? table || !all.seen : !p->of[out].range.seen); i++)
        if (is_float(p->graph, n->inputs[i])) all = both(all, range_of(p, n->inputs[i], temporary));
    p->of[out].range = all = without_extremes(p, n, all);
    take_fixed(p, n, type, all);
    for (uint32_t i = 0; i < n->input_count; i++) {
        const int32_t t = n->inputs[i];
        if (!is_float(p->graph, t) || is_const(p->graph, t)) continue;
        const lc_quant_set *s = set_of(p, t);
        follow(p, t, set_of(p, out), type);
        const bool ours = p->of[t].kept == type && s->fixed.type == LC_FLOAT32;
        if (ours && s->members == 1 && p->of[t].uses == 1) join(p, out, t, set_of(p, out)->range);
        else if (ours && width(all) <= WIDER * width(s->range)) join(p, out, t, both(set_of(p, out)->range, s->range));
    }
}

/* Steps of at least this scale: a wider range than was seen. */
static void widen(lc_quant_set *s, lc_dtype type, float least) {
    const bool wide = type == LC_INT16;
    if (!s->range.seen || s->fixed.type != LC_FLOAT32 || lc_steps_over(type, s->range.low, s->range.high).scale >= least) return;
    s->range.high = fmaxf(s->range.high, wide ? least * 32768 : fminf(s->range.low, 0) + least * 256);
}

/* LiteRT multiplies what ADD, SUB and SQUARED_DIFFERENCE make of their inputs by a number below 1, or aborts: steps of the output so much finer
 * than those of the inputs have nothing to tell, and become as much coarser. */
static void keep_multipliable(lc_quant_plan *p, const lc_node *n, lc_dtype type, lc_arena *temporary) {
    const bool square = n->op == LC_OP_SQUARED_DIFFERENCE;
    if (n->output_count != 1 || !is_float(p->graph, n->outputs[0]) || !(square || n->op == LC_OP_ADD || n->op == LC_OP_SUB)) return;
    float coarsest = 0;
    for (uint32_t i = 0; i < n->input_count; i++) {
        const lc_range r = is_float(p->graph, n->inputs[i]) ? range_of(p, n->inputs[i], temporary) : (lc_range){0};
        if (r.seen) coarsest = fmaxf(coarsest, lc_steps_over(type, r.low, r.high).scale);
    }
    /* inputs may yet become WIDER: four times what the kernel needs */
    const float least = square ? coarsest * coarsest * 0x1p-10f : coarsest * (type == LC_INT16 ? 0x1p-12f : 0x1p-17f);
    widen(set_of(p, n->outputs[0]), type, least);
}

static void choose(lc_quant_plan *p, size_t index, const lc_op_quant_def *r, lc_dtype type, lc_arena *temporary) {
    const lc_graph *g = p->graph;
    const lc_node *n = &g->nodes[index];
    p->choice[index] = (lc_quant_choice){.rule = r, .type = type};
    const int32_t from = r->scales == LC_QUANT_SAME ? sole_data(g, n) : -1;
    if (r->scales == LC_QUANT_ZERO) p->choice[index].zero = symmetric(p, n, type);
    if (r->scales == LC_QUANT_FREE) keep_multipliable(p, n, type, temporary);
    for (uint32_t i = 0; i < n->output_count; i++) {
        const int32_t out = n->outputs[i];
        if (!is_float(g, out)) continue;
        p->of[out].kept = type;
        if (r->scales == LC_QUANT_FIXED) {
            p->of[out].fixed.type = type;
            lc_op_fixed_scale(n->op, type, &p->of[out].fixed.scale, &p->of[out].fixed.zero);
            if (!p->of[out].range.seen) p->of[out].range = lc_quant_range_of(p->of[out].fixed);
        }
        if (r->scales == LC_QUANT_ZERO) p->of[out].fixed = p->choice[index].zero;
        /* an input kept in another type is rounded to this one over the same range */
        if (from >= 0 && p->of[from].kept == type) join(p, from, out, set_of(p, from)->range);
        else if (from >= 0) p->of[out].range = set_of(p, from)->range;
    }
    if (r->scales != LC_QUANT_SAME || n->output_count == 0 || !is_float(g, n->outputs[0])) return;
    if (from < 0) join_inputs(p, n, type, temporary);
    for (uint32_t i = 1; i < n->output_count; i++) /* SPLIT: of a constant, too, or of what is kept in another type */
        if (is_float(g, n->outputs[i]))
            join(p, n->outputs[0], n->outputs[i], both(set_of(p, n->outputs[0])->range, set_of(p, n->outputs[i])->range));
}

/* Kernels count in 32 bits the steps up to the bound of an activation, and softmax those to the largest of its inputs. Where numbers are so
 * small that these would be too many, coarser steps lose nothing that could be seen. */
static void keep_countable(lc_quant_plan *p, const lc_node *n, const lc_op_quant_def *r, lc_dtype type) {
    const int8_t *act = lc_op_fused_act(n);
    const bool bounded = act && *act != LC_ActivationFunctionType_NONE && *act != LC_ActivationFunctionType_RELU;
    for (uint32_t i = 0; i < n->output_count && bounded; i++)
        if (is_float(p->graph, n->outputs[i])) widen(set_of(p, n->outputs[i]), type, 0x1p-28f);
    for (uint32_t i = 0; i < n->input_count && r->scales == LC_QUANT_FIXED; i++)
        if (is_float(p->graph, n->inputs[i]) && !is_const(p->graph, n->inputs[i]))
            widen(set_of(p, n->inputs[i]), type, lc_op_least_scale(n->op));
}

/* LiteRT's MEAN over height and width of int8 takes the zero point of its input off as a whole number of the output's steps: up to half a step
 * is missing everywhere, unless the steps are so much coarser that it is a whole number. */
static void keep_mean(lc_quant_plan *p, const lc_node *n) {
    if (!n->attrs || !LC_OP_ATTRS(n, ReducerOptions)->keep_dims || !is_float(p->graph, n->outputs[0])) return;
    const lc_steps in = lc_quant_plan_steps(p, n->inputs[0], LC_INT8), out = lc_quant_plan_steps(p, n->outputs[0], LC_INT8);
    lc_quant_set *s = set_of(p, n->outputs[0]);
    const float off = fabsf((float)in.zero) * in.scale / out.scale, whole = floorf(off);
    if (s->fixed.type != LC_FLOAT32 || !(whole >= 32 && whole < 1e6f)) return; /* too much coarser, or too fine to matter */
    s->range.low *= off / whole;
    s->range.high *= off / whole;
}

/* Of STATE: integers where its variable holds them, whatever the operators around are; integer.c writes it as one that calls a graph. */
static lc_status decide_variable(const lc_quant_job *job, const lc_graph *g, const lc_node *n, const lc_quant_variable *v) {
    const char *why = v ? v->why : "only samples tell the range of a variable";
    if (why) return lc_quant_note_add(job->report, &job->report->floats, g, n, why, job->err);
    job->report->integer++;
    return LC_OK;
}

/* What reads the cell state of an integer LSTM reads the state's own steps, and gives them on. */
static void choose_reader(const lc_quant_job *job, size_t graph, lc_quant_plan *p, size_t cell) {
    const lc_node *n = &p->graph->nodes[cell];
    const size_t reader = n->op == LC_OP_SVDF ? SIZE_MAX : lc_quant_lstm_reader(p->graph, n);
    lc_steps steps[2];
    if (reader == SIZE_MAX) return;
    lc_quant_lstm_state_steps((lc_steps){0}, &job->ranges->states[graph][cell], steps);
    p->choice[reader] = (lc_quant_choice){.rule = lc_op_quant(LC_OP_SELECT_V2), .type = LC_INT16};
    lc_quant_set *out = &p->of[p->graph->nodes[reader].outputs[0]];
    out->kept = LC_INT16;
    out->fixed = steps[LC_LSTM_CELL_STATE];
}

static lc_status decide(const lc_quant_job *job, const lc_quant_ports *ports, size_t graph, lc_quant_plan *p, size_t index,
                        lc_arena *temporary) {
    const lc_graph *g = p->graph;
    const lc_node *n = &g->nodes[index];
    const lc_op_quant_def *r = n->op == LC_NODE_DEAD ? NULL : lc_op_quant(n->op);
    if (r && r->scales == LC_QUANT_ANY && n->input_count && is_float(g, n->inputs[0]) && p->of[n->inputs[0]].kept != LC_FLOAT32)
        p->choice[index] = (lc_quant_choice){.rule = r, .type = p->of[n->inputs[0]].kept};
    if (!lc_quant_is_real(g, n)) return LC_OK;
    job->report->operators++;
    if (p->choice[index].rule) return job->report->integer++, LC_OK; /* with the cell before it */
    const lc_scheme scheme = lc_recipe_scheme(job->recipe, g, n, job->options->scheme);
    if (scheme != LC_SCHEME_INT8 && scheme != LC_SCHEME_INT16X8) return LC_OK;
    const lc_dtype type = scheme == LC_SCHEME_INT8 ? LC_INT8 : LC_INT16;
    if (r && r->scales == LC_QUANT_STATE) return decide_variable(job, g, n, lc_quant_port_variable(ports, graph, n));
    char late[96];
    const char *why = hindrance(job, p, n, r, type);
    if (!why && r->scales != LC_QUANT_CELL) why = unfit(p, n, r, type, temporary);
    if (!why) why = too_new(job, g, n, r, type, late);
    if (why) return lc_quant_note_add(job->report, &job->report->floats, g, n, why, job->err);
    choose(p, index, r, type, temporary);
    if (r->scales == LC_QUANT_CELL) choose_reader(job, graph, p, index);
    keep_countable(p, n, r, type);
    job->report->integer++;
    return LC_OK;
}

/* ZEROS_LIKE has no integer form, but x - x has one, which is exactly zero. States of recurrent layers begin with it where the batch is open
 * (pass/fuse_lstm_build.c). */
static lc_status subtract_for_zeros(const lc_quant_job *job, lc_graph *g) {
    lc_arena *arena = &job->model->arena;
    for (size_t i = 0; i < g->node_count; i++) {
        lc_node *n = &g->nodes[i];
        if (n->op != LC_OP_ZEROS_LIKE || !job->ranges || !is_float(g, n->inputs[0])) continue;
        const lc_scheme scheme = lc_recipe_scheme(job->recipe, g, n, job->options->scheme);
        if (scheme != LC_SCHEME_INT8 && scheme != LC_SCHEME_INT16X8) continue;
        lc_SubOptions *o = lc_arena_alloc(arena, sizeof *o);
        int32_t *both = lc_arena_array(arena, 2, sizeof *both);
        if (!o || !both) return lc_fail_memory(job->err, "operators");
        lc_schema_init(LC_TABLE_SubOptions, o);
        both[0] = both[1] = n->inputs[0];
        n->op = LC_OP_SUB;
        n->version = 0;
        n->attrs_table = LC_TABLE_SubOptions;
        n->attrs = o;
        n->inputs = both;
        n->input_count = 2;
    }
    return LC_OK;
}

/* Before anything is decided: who writes the state of an LSTM that becomes an integer one may become integer with it. */
static void free_states(const lc_quant_job *job, size_t graph) {
    lc_graph *g = job->model->graphs[graph];
    const lc_range *ranges = job->ranges ? job->ranges->of[graph] : NULL;
    for (size_t i = 0; ranges && i < g->node_count; i++) {
        const lc_node *n = &g->nodes[i];
        const lc_op_quant_def *r = n->op == LC_NODE_DEAD ? NULL : lc_op_quant(n->op);
        char late[96];
        if (!r || r->scales != LC_QUANT_CELL || lc_quant_lstm_hindrance(g, n) || too_new(job, g, n, r, LC_INT8, late)) continue;
        if (lc_recipe_scheme(job->recipe, g, n, job->options->scheme) == LC_SCHEME_INT8 && ranges[n->inputs[0]].seen &&
            ranges[n->outputs[0]].seen)
            lc_quant_lstm_free_states(g, n);
    }
}

/* ---- steps of the graph ------------------------------------------------------------------------------------------------------- */

static void fix(lc_quant_set *s, lc_steps steps) {
    s->fixed = steps;
    s->range = lc_quant_range_of(steps);
}

/* What no sample saw has the range of its steps. What is assigned to a variable is written in its steps at once, where these are not much wider. */
static void meet_ports(lc_quant_plan *p, const lc_quant_ports *ports, size_t graph) {
    const lc_graph *g = p->graph;
    for (size_t t = 0; t < g->tensor_count; t++)
        if (p->of[t].fixed.type != LC_FLOAT32 && !p->of[t].range.seen) p->of[t].range = lc_quant_range_of(p->of[t].fixed);
    for (size_t i = 0; i < g->node_count; i++) {
        const lc_steps s = g->nodes[i].input_count == 2 ? lc_quant_port_input(ports, graph, &g->nodes[i], 1) : (lc_steps){0};
        const int32_t t = g->nodes[i].op == LC_OP_ASSIGN_VARIABLE ? g->nodes[i].inputs[1] : LC_ABSENT;
        if (!is_float(g, t) || s.type == LC_FLOAT32 || p->of[t].fixed.type != LC_FLOAT32) continue;
        if (width(lc_quant_range_of(s)) <= WIDER * width(p->of[t].range)) fix(&p->of[t], s);
    }
}

/* What rounding makes is kept in its steps, and so is what nothing but rounding reads (the first one's steps). */
static lc_status fix_rounded(lc_quant_plan *p, lc_arena *temporary, lc_error *err) {
    const lc_graph *g = p->graph;
    lc_steps s, *first = lc_arena_array(temporary, g->tensor_count + 1, sizeof *first);
    uint32_t *rounding = lc_arena_array(temporary, g->tensor_count + 1, sizeof *rounding);
    if (!first || !rounding) return lc_fail_memory(err, "quantisation");
    for (size_t i = 0; i < g->node_count; i++) {
        const lc_node *n = &g->nodes[i];
        if (!lc_quant_rounds(g, n, &s)) continue;
        p->choice[i].rounds = s;
        const int32_t x = n->inputs[0], y = n->outputs[0];
        if (is_float(g, x) && rounding[x]++ == 0) first[x] = s;
        if (!is_float(g, y)) continue;
        fix(&p->of[y], s);
        p->of[y].kept = s.type;
        p->of[y].rounded = true;
        p->of[y].from = x;
    }
    for (size_t t = 0; t < g->tensor_count; t++)
        if (rounding[t] && rounding[t] == p->of[t].uses && p->of[t].fixed.type == LC_FLOAT32) fix(&p->of[t], first[t]);
    return LC_OK;
}

/* A FAKE_QUANT of floats that no integer operator reads stays a float operator. */
static lc_status leave_unread(const lc_quant_job *job, bool entry, lc_quant_plan *p, lc_arena *temporary) {
    const lc_graph *g = p->graph;
    bool *read = lc_arena_array(temporary, g->tensor_count + 1, sizeof *read);
    if (!read) return lc_fail_memory(job->err, "quantisation");
    for (size_t i = 0; i < g->node_count; i++)
        for (uint32_t k = 0; p->choice[i].rule && k < g->nodes[i].input_count; k++)
            if (g->nodes[i].inputs[k] >= 0) read[g->nodes[i].inputs[k]] = true;
    for (size_t i = 0; i < g->output_count && entry && job->options->output_type != LC_FLOAT32; i++) read[g->outputs[i]] = true;
    for (size_t i = 0; i < g->node_count; i++) {
        const lc_node *n = &g->nodes[i];
        if (n->op != LC_OP_FAKE_QUANT || !p->of[n->outputs[0]].rounded) continue;
        lc_quant_set *y = &p->of[n->outputs[0]];
        if (p->of[n->inputs[0]].kept != LC_FLOAT32 || read[n->outputs[0]]) continue;
        y->kept = LC_FLOAT32;
        y->rounded = false;
    }
    return LC_OK;
}

lc_status lc_quant_plan_graph(const lc_quant_job *job, const lc_quant_ports *ports, size_t graph, bool entry, lc_arena *temporary,
                              lc_quant_plan *p) {
    const lc_dtype in = job->options->input_type;
    const lc_graph *g = job->model->graphs[graph];
    LC_TRY(subtract_for_zeros(job, job->model->graphs[graph]));
    free_states(job, graph);
    uint32_t *uses = lc_arena_array(temporary, g->tensor_count + 1, sizeof *uses);
    *p = (lc_quant_plan){.graph = g};
    p->of = lc_arena_array(temporary, g->tensor_count + 1, sizeof *p->of);
    p->choice = lc_arena_array(temporary, g->node_count + 1, sizeof *p->choice);
    if (!uses || !p->of || !p->choice) return lc_fail_memory(job->err, "quantisation");
    lc_graph_count_uses(g, uses);
    for (size_t t = 0; t < g->tensor_count; t++)
        p->of[t] = (lc_quant_set){.parent = (int32_t)t,
                                  .members = 1,
                                  .uses = uses[t],
                                  .range = job->ranges ? job->ranges->of[graph][t] : (lc_range){0},
                                  .fixed = ports->of[graph][t],
                                  .kept = ports->of[graph][t].type};
    meet_ports(p, ports, graph);
    LC_TRY(fix_rounded(p, temporary, job->err));
    for (size_t i = 0; i < g->input_count && entry; i++) { /* integer inputs are there in their steps from the beginning */
        const int32_t t = g->inputs[i];
        if (is_float(g, t) && p->of[t].range.seen && in != LC_FLOAT32) p->of[t].kept = in == LC_INT16 ? LC_INT16 : LC_INT8;
    }
    if (entry) LC_TRY(lc_quant_fix_indices(job, p, temporary));
    for (size_t n = 0; n < g->node_count; n++) LC_TRY(decide(job, ports, graph, p, n, temporary));
    for (size_t n = 0; n < g->node_count; n++)
        if (g->nodes[n].op == LC_OP_MEAN && p->choice[n].rule && p->choice[n].type == LC_INT8) keep_mean(p, &g->nodes[n]);
    return leave_unread(job, entry, p, temporary);
}
