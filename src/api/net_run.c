/*
 * net_run.c: evaluate and predict: the model as it would be converted now, run over batches. The graph is made anew each time, from the values
 * that the variables have: a few milliseconds, and then it runs with everything a converted model has (batch normalisation folded, weights packed).
 */
#include "api/api.h"
#include "api/net.h"

#include "lower/rounding.h"
#include "pass/pass.h"

#include <math.h>
#include <string.h>

/* They are outputs behind all others. */
static lc_status add_penalties(lc_net_runner *r, const lc_penalties *p, lc_error *err) {
    lc_graph *graph = r->model->graphs[0];
    lc_builder b;
    r->penalty = (uint32_t)graph->output_count;
    r->penalty_count = p->count;
    if (!p->count) return LC_OK;
    int32_t *values = lc_arena_array(&r->model->arena, p->count, sizeof *values);
    if (!values) return lc_fail_memory(err, "regularisers");
    lc_builder_init(&b, r->model, graph, err);
    LC_TRY(lc_net_penalties(&b, p, 0, values, NULL));
    for (uint32_t i = 0; i < p->count; i++) LC_TRY(lc_graph_add_output(graph, values[i], err));
    return LC_OK;
}

/* The model of this moment, which borrows the net's memory. What the losses read are outputs, too, behind the model's. */
static lc_status model_now(lc_net *net, lc_net_runner *r, lc_error *err) {
    LC_TRY(lc_model_new(&net->limits, &r->model, err));
    lc_rounding rounding;
    lc_penalties penalties = {0};
    const lc_lower_options options = {.rounding = lc_net_rounding(net, &rounding), .penalties = &penalties, .masks = r->masks};
    LC_TRY(lc_lower_keras(net->keras, &options, r->model, err));
    lc_graph *graph = r->model->graphs[0];
    for (uint32_t k = 0; k < net->keras->output_count; k++) {
        const int32_t read = lc_net_read_by_loss(net, graph, k);
        r->logits[k] = k;
        if (read == graph->outputs[k]) continue;
        r->logits[k] = (uint32_t)graph->output_count;
        LC_TRY(lc_graph_add_output(graph, read, err));
    }
    LC_TRY(add_penalties(r, &penalties, err));
    return lc_optimize(r->model, err);
}

lc_status lc_net_run_open(lc_net *net, int32_t threads, uint64_t max_memory, lc_net_runner *r, lc_error *err) {
    memset(r, 0, sizeof *r);
    LC_TRY(lc_net_ports_fit(net, err));
    LC_TRY(lc_net_pool(net, threads, err));
    LC_TRY(model_now(net, r, err));
    const lc_session_options o = {.threads = net->threads, .max_memory = max_memory};
    return lc_session_create(r->model, &o, &r->session, err);
}

void lc_net_run_close(lc_net_runner *r) {
    lc_session_destroy(r->session);
    lc_model_destroy(r->model);
    memset(r, 0, sizeof *r);
}

lc_status lc_net_run_batch(lc_net *net, lc_net_runner *r, const lc_batch *batch, const uint32_t *places, lc_error *err) {
    const uint32_t n = net->keras->input_count;
    const int32_t *dims[LC_NET_MOST];
    int32_t ranks[LC_NET_MOST];
    bool same = true;
    for (uint32_t i = 0; i < n; i++) {
        const lc_array *a = &batch->x[places[i]];
        const lc_tensor_view v = lc_session_input(r->session, i);
        dims[i] = a->dims;
        ranks[i] = a->rank;
        same = same && v.rank == a->rank && memcmp(v.dims, a->dims, (size_t)a->rank * sizeof *v.dims) == 0;
    }
    if (!same) LC_TRY(lc_session_resize_inputs(r->session, dims, ranks, err));
    for (uint32_t i = 0; i < n; i++) {
        const lc_tensor_view to = lc_session_input(r->session, i);
        const lc_array *from = &batch->x[places[i]];
        LC_TRY(lc_net_copy(to.type, to.data, from->type, from->data, lc_array_count(from), err));
    }
    return lc_session_run(r->session, err);
}

lc_array lc_net_array_of(const lc_tensor_view *v) {
    lc_array a = {.type = v->type, .rank = v->rank, .data = v->data, .size = v->size};
    memcpy(a.dims, v->dims, sizeof a.dims);
    return a;
}

lc_array lc_net_run_output(const lc_net_runner *r, uint32_t k) {
    const lc_tensor_view v = lc_session_output(r->session, k);
    return lc_net_array_of(&v);
}

/* ---- evaluate --------------------------------------------------------------------------------------------------------- */

static lc_status evaluate_batch(lc_net *net, lc_net_runner *r, const lc_net_feed *given, lc_net_sums *sums, lc_error *err) {
    lc_net_fitted fitted;
    lc_net_feed adjusted = *given, *feed = &adjusted;
    const uint32_t n = net->keras->output_count;
    lc_array pred[LC_NET_MOST];
    lc_target targets[LC_NET_MOST];
    double loss = 0, value, losses[LC_NET_MOST];
    LC_TRY(lc_net_fit_inputs(net, given->batch, given->x, &fitted, err));
    adjusted.batch = &fitted.batch;
    LC_TRY(lc_net_run_batch(net, r, feed->batch, feed->x, err));
    for (uint32_t k = 0; k < n; k++) {
        pred[k] = lc_net_run_output(r, k);
        targets[k] = (lc_target){.y_true = &feed->batch->y[feed->y[k]],
                                 .y_pred = &pred[k],
                                 .weights = feed->weight,
                                 .weight_count = feed->weight ? feed->batch->rows : 0,
                                 .mask = lc_net_mask_of(r->session, r->masks[k])};
        losses[k] = 0;
        if (!net->losses[k]) continue;
        const lc_array read = lc_net_run_output(r, r->logits[k]);
        lc_loss_decide(net->losses[k], targets[k].y_true, targets[k].y_pred);
        lc_target target = targets[k];
        target.y_pred = &read;
        LC_TRY(lc_loss_run(net->losses[k], &target, 1, net->pool, &losses[k], NULL, err));
        loss += losses[k] * (double)net->loss_weights[k];
    }
    for (uint32_t i = 0; i < r->penalty_count; i++) {
        const lc_array v = lc_net_run_output(r, r->penalty + i);
        loss += (double)*(const float *)v.data / feed->batch->rows;
    }
    for (uint32_t i = 0; i < net->variable_count; i++) {
        if (!net->variables[i].trainable) continue;
        lc_variable v = net->variables[i];
        v.grad = NULL;
        LC_TRY(lc_regularizer_run(&v, 1, &value, err));
        loss += value;
    }
    return lc_net_sums_add(net, sums, targets, feed->batch->rows, loss, losses, err);
}

lc_status lc_net_evaluate(lc_net *net, lc_pipeline *data, const lc_evaluate_options *o, lc_net_sums *sums, lc_error *err) {
    uint32_t x[LC_NET_MOST], y[LC_NET_MOST];
    lc_batch batch;
    lc_net_runner r;
    LC_TRY(lc_net_match(net, data, false, x, err));
    LC_TRY(lc_net_match(net, data, true, y, err));
    lc_net_sums_reset(net, sums);
    lc_status status = lc_net_run_open(net, o->threads, o->max_memory, &r, err);
    for (uint64_t step = 0; status == LC_OK && (!o->steps || step < o->steps); step++) {
        status = lc_pipeline_next(data, &batch, err);
        if (status != LC_OK || !batch.rows) break;
        const lc_net_feed feed = {.batch = &batch, .x = x, .y = y, .weight = batch.weight};
        status = evaluate_batch(net, &r, &feed, sums, err);
    }
    lc_net_run_close(&r);
    if (status == LC_OK && !sums->rows) status = lc_fail(err, LC_INVALID, "there is no data to evaluate on");
    return status;
}

lc_status lc_evaluate(lc_net *net, lc_pipeline *data, const lc_evaluate_options *options, const lc_log **logs, size_t *count,
                      lc_error *err) {
    static const lc_evaluate_options defaults = {0};
    lc_net_sums sums = {0};
    if (logs) *logs = NULL;
    if (count) *count = 0;
    LC_TRY(lc_net_is_compiled(net, err));
    LC_TRY(lc_pipeline_seek_epoch(data, 0, err));
    LC_TRY(lc_net_evaluate(net, data, options ? options : &defaults, &sums, err));
    lc_free(net->logs);
    net->logs = lc_calloc(lc_net_log_most(net), sizeof *net->logs);
    if (!net->logs) return lc_fail_memory(err, "results");
    const size_t n = lc_net_sums_logs(net, &sums, net->logs);
    if (logs) *logs = net->logs;
    if (count) *count = n;
    return LC_OK;
}

/* ---- predict ------------------------------------------------------------------------------------------------------------ */

lc_status lc_net_append(lc_array *to, size_t *room, const lc_array *part, lc_error *err) {
    if (to->size + part->size > *room) {
        size_t more = *room ? *room : 4096;
        while (more < to->size + part->size)
            if (!lc_mul_size(more, 2, &more)) return lc_fail_memory(err, "predictions");
        void *data = lc_realloc(to->data, more);
        if (!data) return lc_fail_memory(err, "predictions");
        to->data = data;
        *room = more;
    }
    if (part->size) memcpy((char *)to->data + to->size, part->data, part->size);
    to->size += part->size;
    if (to->rank && part->rank && to->dims[0] > INT32_MAX - part->dims[0])
        return lc_fail(err, LC_LIMIT, "more than 2147483647 predictions");
    const int32_t rows = to->rank ? to->dims[0] : 0;
    to->type = part->type;
    to->rank = part->rank;
    memcpy(to->dims, part->dims, sizeof to->dims);
    if (to->rank) to->dims[0] += rows;
    return LC_OK;
}

lc_status lc_predict(lc_net *net, lc_pipeline *data, const lc_evaluate_options *options, lc_array *outputs, size_t room, lc_error *err) {
    static const lc_evaluate_options defaults = {0};
    const lc_evaluate_options *o = options ? options : &defaults;
    uint32_t x[LC_NET_MOST];
    size_t rooms[LC_NET_MOST] = {0};
    lc_batch batch;
    lc_net_runner r;
    for (size_t k = 0; k < room; k++) outputs[k] = (lc_array){0};
    LC_TRY(lc_net_build(net, err));
    const uint32_t n = net->keras->output_count;
    if (room < n) return lc_fail(err, LC_ARGUMENT, "the model has %u outputs, there is room for %zu", n, room);
    LC_TRY(lc_net_match(net, data, false, x, err));
    LC_TRY(lc_pipeline_seek_epoch(data, 0, err));
    lc_status status = lc_net_run_open(net, o->threads, o->max_memory, &r, err);
    for (uint64_t step = 0; status == LC_OK && (!o->steps || step < o->steps); step++) {
        status = lc_pipeline_next(data, &batch, err);
        if (status != LC_OK || !batch.rows) break;
        lc_net_fitted fitted;
        status = lc_net_fit_inputs(net, &batch, x, &fitted, err);
        if (status == LC_OK) status = lc_net_run_batch(net, &r, &fitted.batch, x, err);
        for (uint32_t k = 0; status == LC_OK && k < n; k++) {
            const lc_array part = lc_net_run_output(&r, k);
            status = lc_net_append(&outputs[k], &rooms[k], &part, err);
        }
    }
    lc_net_run_close(&r);
    for (size_t k = 0; status != LC_OK && k < room; k++) lc_array_deinit(&outputs[k]);
    return status;
}
