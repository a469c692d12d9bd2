/*
 * net_step.c: the graph of one training step, and its session.
 *
 *     x, variables ──▶ forward ──▶ predictions ──▶ LOSS ──▶ d predictions ──▶ backward ──▶ gradients
 *
 * Variables and gradients are bound tensors: the session reads and writes the net's memory. LOSS is an operator of the caller (lc_custom_op): it
 * computes value and gradient in one pass (train/loss.h) from the batch's targets, which never enter the graph. Where the model ends with the
 * activation that the loss would have to undo (softmax before a cross entropy), LOSS reads what went into it, as Keras does.
 *
 * A graph has one size of batch; the few that a training meets (the last batch of an epoch is smaller) are all kept.
 */
#include "api/net.h"

#include "grad/grad.h"
#include "lower/rounding.h"
#include "lower/training.h"
#include "pass/rewrite.h"
#include "runtime/session.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the operator LOSS ------------------------------------------------------------------------------------------------ */

/* Of output k, for the batch that runs. */
typedef struct loss_op {
    lc_loss *loss;
    lc_pool *pool;
    float factor;
    int32_t mask; /* the session's output; -1: none */
    const lc_session *session;
    lc_array pred, y_true; /* views */
    const float *weights;
    size_t weight_count;
    double total;
    lc_error why; /* of a failure, in its own words; status LC_OK: none */
} loss_op;

static lc_status loss_prepare(lc_custom_node *node, void *user, lc_error *err) {
    (void)user;
    const lc_tensor_view x = lc_custom_input(node, 0);
    return lc_custom_set_shape(node, 0, x.dims, x.rank, 0, err);
}

static lc_status loss_run(lc_custom_node *node, void *user, lc_error *err) {
    loss_op *op = user;
    const lc_tensor_view x = lc_custom_input(node, 0), d = lc_custom_output(node, 0);
    op->pred = lc_net_array_of(&x);
    const lc_target t = {.y_true = &op->y_true,
                         .y_pred = &op->pred,
                         .weights = op->weights,
                         .weight_count = op->weight_count,
                         .mask = lc_net_mask_of(op->session, op->mask)};
    lc_status status = lc_loss_run(op->loss, &t, op->factor, op->pool, &op->total, d.data, err);
    if (op->factor != 0) op->total /= (double)op->factor;
    else if (status == LC_OK) status = lc_loss_run(op->loss, &t, 1, op->pool, &op->total, NULL, err);
    if (status != LC_OK && err) op->why = *err;
    return status;
}

/* ---- building --------------------------------------------------------------------------------------------------------- */

typedef struct building {
    lc_net *net;
    lc_net_step *step;
    lc_builder b;
    lc_training training;
    lc_penalties penalties;
    int32_t *wrt, *grads;   /* [variables] of what learns */
    lc_variable **learning; /* [learning_count] */
    uint32_t learning_count;
} building;

/* A convolution that pads by itself multiplies no zeros: of the passes the one that pays in every step. Tensors keep their numbers, which are
 * known here. */
static lc_status fold_pads(lc_graph *graph, lc_error *err) {
    lc_rewrite rw;
    lc_status status = lc_rewrite_begin(&rw, graph, err);
    if (status == LC_OK) status = lc_pass_fold_pad(&rw);
    lc_arena_deinit(&rw.temporary);
    size_t kept = 0;
    for (size_t k = 0; k < graph->node_count; k++)
        if (graph->nodes[k].op != LC_NODE_DEAD) graph->nodes[kept++] = graph->nodes[k];
    graph->node_count = kept;
    return status;
}

static lc_status lower(building *g, const lc_net_shapes *shapes, lc_error *err) {
    LC_TRY(lc_model_new(&g->net->limits, &g->step->model, err));
    g->training = (lc_training){.batch = (int32_t)shapes->rows, .x = shapes->x, .counter = -1};
    lc_rounding rounding;
    const lc_lower_options options = {.unroll = true,
                                      .training = &g->training,
                                      .rounding = lc_net_rounding(g->net, &rounding),
                                      .penalties = &g->penalties,
                                      .masks = g->step->masks};
    LC_TRY(lc_lower_keras(g->net->keras, &options, g->step->model, err));
    LC_TRY(fold_pads(g->step->model->graphs[0], err));
    lc_builder_init(&g->b, g->step->model, g->step->model->graphs[0], err);
    return LC_OK;
}

int32_t lc_net_read_by_loss(lc_net *net, const lc_graph *graph, uint32_t k) {
    const int32_t out = graph->outputs[k];
    if (!net->losses || !net->losses[k]) return out;
    for (size_t n = graph->node_count; n-- > 0;) {
        const lc_node *node = &graph->nodes[n];
        if (node->output_count != 1 || node->outputs[0] != out) continue;
        const char *activation = node->op == LC_OP_SOFTMAX && LC_OP_ATTRS(node, SoftmaxOptions)->beta == 1 ? "softmax"
                                 : node->op == LC_OP_LOGISTIC                                              ? "sigmoid"
                                                                                                           : "";
        if (!lc_loss_reads_behind(net->losses[k], activation)) return out;
        lc_loss_take_logits(net->losses[k]);
        return node->inputs[0];
    }
    return out;
}

void lc_net_decide_loss(lc_net *net, const lc_graph *graph, uint32_t k, const lc_array *y_true) {
    const lc_tensor *t = &graph->tensors[graph->outputs[k]];
    lc_array y_pred = {.type = t->type, .rank = t->rank};
    for (int32_t i = 0; i < t->rank && i < LC_MAX_RANK; i++) y_pred.dims[i] = t->dims[i];
    lc_loss_decide(net->losses[k], y_true, &y_pred);
}

/* *seed_count of them: outputs without a loss have none. */
static lc_status append_losses(building *g, const lc_net_feed *feed, lc_grad_seed *seeds, uint32_t *seed_count, lc_error *err) {
    const uint32_t n = g->net->keras->output_count;
    for (uint32_t k = 0; k < n; k++) {
        if (!g->net->losses[k]) continue;
        lc_net_decide_loss(g->net, g->b.graph, k, &feed->batch->y[feed->y[k]]);
        const int32_t pred = lc_net_read_by_loss(g->net, g->b.graph, k);
        if (lc_build_type(&g->b, pred) != LC_FLOAT32)
            return lc_fail(err, LC_UNSUPPORTED, "output \"%.100s\" is %s: nothing can be learned from it", lc_net_output_name(g->net, k),
                           lc_dtype_name(lc_build_type(&g->b, pred)));
        char code[24];
        snprintf(code, sizeof code, "LOSS_%u", k);
        seeds[(*seed_count)++] = (lc_grad_seed){pred, lc_build_custom(&g->b, code, "", 0, &pred, 1, pred)};
    }
    return g->b.status;
}

/* Their values come out in the step's memory, each on a line of its own. */
static lc_status append_penalties(building *g, uint32_t rows, lc_grad_seed *seeds, lc_error *err) {
    const uint32_t n = g->step->penalty_count = g->penalties.count;
    if (!n) return LC_OK;
    int32_t *values = lc_arena_array(&g->step->model->arena, n, sizeof *values);
    g->step->penalties = lc_build_data(&g->b, (size_t)n * LC_NET_PENALTY_STEP * sizeof *g->step->penalties);
    if (!values || !g->step->penalties) return lc_fail_memory(err, "regularisers");
    LC_TRY(lc_net_penalties(&g->b, &g->penalties, rows, values, seeds));
    for (uint32_t i = 0; i < n; i++) g->b.graph->tensors[values[i]].bound = g->step->penalties + (size_t)i * LC_NET_PENALTY_STEP;
    return LC_OK;
}

static lc_status list_learning(building *g, lc_error *err) {
    lc_arena *arena = &g->step->model->arena;
    const uint32_t n = g->training.count;
    g->wrt = lc_arena_array(arena, n + 1, sizeof *g->wrt);
    g->grads = lc_arena_array(arena, n + 1, sizeof *g->grads);
    g->learning = lc_arena_array(arena, n + 1, sizeof *g->learning);
    g->step->grads = lc_arena_array(arena, g->net->variable_count + 1, sizeof *g->step->grads);
    if (!g->wrt || !g->grads || !g->learning || !g->step->grads) return lc_fail_memory(err, "variables");
    for (uint32_t i = 0; i < n; i++) {
        lc_variable *v = lc_net_variable_of(g->net, g->training.list[i].data);
        if (!g->training.list[i].learns || !v) continue;
        g->wrt[g->learning_count] = g->training.list[i].tensor;
        g->learning[g->learning_count++] = v;
    }
    return LC_OK;
}

/* The gradients come out in the variables' memory. */
static lc_status bind_gradients(building *g, lc_error *err) {
    for (uint32_t i = 0; i < g->learning_count; i++) {
        lc_variable *v = g->learning[i];
        int32_t d = g->grads[i];
        if (d < 0) continue;
        if (g->b.graph->tensors[d].bound || lc_tensor_is_const(&g->b.graph->tensors[d])) /* the gradient of two: one gets a copy */
            d = lc_build_reshape(&g->b, d, v->dims, v->rank);
        if (g->b.status != LC_OK) return g->b.status;
        if (!g->step->grads[v - g->net->variables]) {
            float *memory = lc_calloc_aligned((v->n ? v->n : 1) * sizeof *memory);
            if (!memory) return lc_fail_memory(err, "a gradient");
            g->step->grads[v - g->net->variables] = memory;
        }
        g->b.graph->tensors[d].bound = g->step->grads[v - g->net->variables];
    }
    return LC_OK;
}

static lc_status open_session(building *g, int32_t threads, uint64_t max_memory, lc_error *err) {
    lc_net_step *step = g->step;
    const uint32_t n = g->net->keras->output_count;
    lc_custom_op *ops = lc_arena_array(&step->model->arena, n, sizeof *ops);
    step->ops = lc_arena_array(&step->model->arena, n, sizeof(loss_op));
    if (!ops || !step->ops) return lc_fail_memory(err, "a training step");
    for (uint32_t k = 0; k < n; k++) {
        const char *name = lc_arena_printf(&step->model->arena, "LOSS_%u", k);
        if (!name) return lc_fail_memory(err, "a training step");
        ops[k] = (lc_custom_op){.name = name, .user = (loss_op *)step->ops + k, .prepare = loss_prepare, .run = loss_run};
        ((loss_op *)step->ops)[k].loss = g->net->losses[k];
    }
    const lc_session_options o = {.threads = threads, .max_memory = max_memory, .custom_ops = ops, .custom_op_count = n};
    return lc_session_create(step->model, &o, &step->session, err);
}

static int32_t input_index(const lc_graph *graph, int32_t tensor) {
    for (size_t i = 0; i < graph->input_count; i++)
        if (graph->inputs[i] == tensor) return (int32_t)i;
    return -1;
}

static lc_status build(building *g, const lc_net_shapes *shapes, const lc_net_feed *feed, int32_t threads, uint64_t max_memory,
                       lc_error *err) {
    lc_net_step *step = g->step;
    const lc_keras_model *k = g->net->keras;
    LC_TRY(lower(g, shapes, err));
    lc_graph *graph = g->b.graph;
    const lc_signature *s = &step->model->signatures[0];
    step->x = lc_arena_array(&step->model->arena, k->input_count, sizeof *step->x);
    uint32_t seed_count = 0;
    lc_grad_seed *seeds = lc_arena_array(&step->model->arena, k->output_count + g->penalties.count, sizeof *seeds);
    if (!step->x || !seeds) return lc_fail_memory(err, "a training step");
    for (uint32_t i = 0; i < k->input_count; i++) step->x[i] = input_index(graph, s->inputs[i].tensor);
    LC_TRY(list_learning(g, err));
    LC_TRY(append_losses(g, feed, seeds, &seed_count, err));
    LC_TRY(append_penalties(g, shapes->rows, seeds + seed_count, err));
    LC_TRY(lc_grad_append(&g->b, seeds, seed_count + g->penalties.count, g->wrt, g->learning_count, g->grads));
    LC_TRY(bind_gradients(g, err));
    LC_TRY(lc_grad_keep_layout(graph, err));
    step->counter = g->training.counter < 0 ? -1 : input_index(graph, g->training.counter);
    return open_session(g, threads, max_memory, err);
}

static void step_free(lc_net *net, lc_net_step *step) {
    for (uint32_t i = 0; step->grads && i < net->variable_count; i++) lc_free_aligned(step->grads[i]);
    lc_session_destroy(step->session);
    lc_model_destroy(step->model);
    lc_free(step->shapes);
    lc_free(step);
}

void lc_net_steps_forget(lc_net *net) {
    while (net->steps) {
        lc_net_step *step = net->steps;
        net->steps = step->next;
        step_free(net, step);
    }
    for (uint32_t i = 0; i < net->variable_count; i++) net->variables[i].grad = NULL;
}

/* ---- asking for one -------------------------------------------------------------------------------------------------- */

static bool same_shape(const lc_shape *s, const lc_array *a) {
    if (s->rank != a->rank) return false;
    for (int32_t i = 0; i < s->rank; i++)
        if (s->dims[i] != a->dims[i]) return false;
    return true;
}

lc_status lc_net_step_get(lc_net *net, const lc_net_feed *feed, uint64_t max_memory, lc_net_step **out, lc_error *err) {
    const lc_batch *batch = feed->batch;
    const uint32_t *places = feed->x;
    const uint32_t n = net->keras->input_count;
    for (lc_net_step *s = net->steps; s; s = s->next) {
        bool same = s->rows == batch->rows;
        for (uint32_t i = 0; same && i < n; i++) same = same_shape(&s->shapes[i], &batch->x[places[i]]);
        if (same) return *out = s, LC_OK;
    }
    lc_net_step *step = lc_calloc(1, sizeof *step);
    lc_array *x = lc_calloc(n ? n : 1, sizeof *x);
    lc_status status = step && x ? LC_OK : lc_fail_memory(err, "a training step");
    if (status == LC_OK) {
        step->rows = batch->rows;
        step->shapes = lc_calloc(n ? n : 1, sizeof *step->shapes);
        if (!step->shapes) status = lc_fail_memory(err, "a training step");
        for (uint32_t i = 0; status == LC_OK && i < n; i++) {
            x[i] = batch->x[places[i]];
            step->shapes[i].rank = x[i].rank;
            memcpy(step->shapes[i].dims, x[i].dims, sizeof x[i].dims);
        }
        building g = {.net = net, .step = step};
        const lc_net_shapes shapes = {batch->rows, x};
        if (status == LC_OK) status = build(&g, &shapes, feed, net->threads, max_memory, err);
    }
    lc_free(x);
    if (status != LC_OK) {
        if (step) step_free(net, step);
        return status;
    }
    step->next = net->steps;
    net->steps = *out = step;
    return LC_OK;
}

/* ---- running ------------------------------------------------------------------------------------------------------------ */

lc_status lc_net_step_run(lc_net *net, lc_net_step *step, const lc_net_feed *feed, uint64_t number, double *loss, lc_error *err) {
    const lc_keras_model *k = net->keras;
    const lc_batch *batch = feed->batch;
    for (uint32_t i = 0; i < k->input_count; i++) {
        const lc_tensor_view to = lc_session_input(step->session, (size_t)step->x[i]);
        const lc_array *from = &batch->x[feed->x[i]];
        LC_TRY(lc_net_copy(to.type, to.data, from->type, from->data, lc_array_count(from), err));
    }
    if (step->counter >= 0) {
        int32_t *counter = lc_session_input(step->session, (size_t)step->counter).data;
        counter[0] = (int32_t)(uint32_t)(net->seed ^ net->seed >> 32);
        counter[1] = (int32_t)(uint32_t)number;
    }
    loss_op *ops = step->ops;
    for (uint32_t i = 0; i < k->output_count; i++) {
        ops[i].y_true = batch->y[feed->y[i]];
        ops[i].weights = feed->weight;
        ops[i].weight_count = feed->weight ? batch->rows : 0;
        ops[i].pool = net->pool;
        ops[i].mask = step->masks[i];
        ops[i].session = step->session;
        ops[i].why = (lc_error){0};
        ops[i].factor = net->loss_weights ? net->loss_weights[i] : 1;
    }
    const lc_status status = lc_session_run(step->session, err);
    for (uint32_t i = 0; status != LC_OK && err && i < k->output_count; i++) {
        if (ops[i].why.status == LC_OK) continue;
        *err = ops[i].why; /* without the name that the operator has in the graph */
        lc_error_prefix(err, "output \"%.100s\"", lc_net_output_name(net, i));
    }
    LC_TRY(status);
    const float scale = lc_optimizer_loss_scale(net->optimizer);
    *loss = 0;
    for (uint32_t i = 0; i < k->output_count; i++) *loss += ops[i].total * (double)ops[i].factor;
    for (uint32_t i = 0; i < step->penalty_count; i++) *loss += (double)step->penalties[(size_t)i * LC_NET_PENALTY_STEP] / step->rows;
    for (uint32_t i = 0; i < net->variable_count; i++) {
        lc_variable *v = &net->variables[i];
        v->grad = step->grads[i];
        double value = 0;
        if (!v->trainable) continue;
        LC_TRY(lc_regularizer_run(v, 1, &value, err));
        *loss += value;
        for (size_t at = 0; scale != 1 && v->grad && at < v->n; at++) v->grad[at] *= scale;
    }
    return LC_OK;
}

lc_array lc_net_step_prediction(const lc_net_step *step, uint32_t k) {
    const lc_tensor_view v = lc_session_output(step->session, k);
    return lc_net_array_of(&v);
}
lc_mask lc_net_mask_of(const lc_session *session, int32_t output) {
    if (output < 0) return (lc_mask){0};
    const lc_tensor_view v = lc_session_output(session, (size_t)output);
    return (lc_mask){v.data, v.size};
}
lc_mask lc_net_step_mask(const lc_net_step *step, uint32_t k) { return lc_net_mask_of(step->session, step->masks[k]); }

double lc_net_step_loss(const lc_net_step *step, uint32_t k) { return ((const loss_op *)step->ops)[k].total; }
