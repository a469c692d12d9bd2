/*
 * features.c: a model that does not learn, run over all samples once: what it gives is the data of the model behind it, which trains without
 * running the first one again in each epoch.
 */
#include "api/net.h"

#include "train/target.h"

#include <string.h>

struct lc_features {
    lc_array x[LC_NET_MOST], y[LC_NET_MOST], weights;
    const char *names[LC_NET_MOST];
    char *text; /* of the names */
    uint32_t x_count, y_count;
};

void lc_features_destroy(lc_features *f) {
    if (!f) return;
    for (uint32_t k = 0; k < LC_NET_MOST; k++) {
        lc_array_deinit(&f->x[k]);
        lc_array_deinit(&f->y[k]);
    }
    lc_array_deinit(&f->weights);
    lc_free(f->text);
    lc_free(f);
}

/* The pipeline's names of its targets, as ours. */
static lc_status keep_names(lc_features *f, const lc_pipeline *data, lc_error *err) {
    size_t size = 1;
    for (uint32_t k = 0; k < f->y_count; k++) {
        const char *name = lc_pipeline_part_name(data, lc_pipeline_x_count(data) + k);
        size += name ? strlen(name) + 1 : 0;
    }
    char *at = f->text = lc_calloc(1, size);
    if (!at) return lc_fail_memory(err, "features");
    for (uint32_t k = 0; k < f->y_count; k++) {
        const char *name = lc_pipeline_part_name(data, lc_pipeline_x_count(data) + k);
        if (!name) continue;
        const size_t n = strlen(name) + 1;
        f->names[k] = memcpy(at, name, n);
        at += n;
    }
    return LC_OK;
}

static lc_status set_inputs(lc_session *session, const lc_batch *batch, lc_error *err) {
    const size_t n = lc_session_input_count(session);
    const int32_t *dims[LC_NET_MOST];
    int32_t ranks[LC_NET_MOST];
    bool same = true;
    for (size_t i = 0; i < n; i++) {
        const lc_tensor_view v = lc_session_input(session, i);
        dims[i] = batch->x[i].dims;
        ranks[i] = batch->x[i].rank;
        same = same && v.rank == ranks[i] && memcmp(v.dims, dims[i], (size_t)ranks[i] * sizeof *v.dims) == 0;
    }
    if (!same) LC_TRY(lc_session_resize_inputs(session, dims, ranks, err));
    for (size_t i = 0; i < n; i++) {
        const lc_tensor_view to = lc_session_input(session, i);
        const size_t count = lc_array_count(&batch->x[i]);
        if (batch->x[i].type == LC_FLOAT32 && to.type != LC_FLOAT32) { /* quantised: by its scale */
            if (lc_tensor_put_reals(&to, 0, count, batch->x[i].data)) continue;
        }
        LC_TRY(lc_net_copy(to.type, to.data, batch->x[i].type, batch->x[i].data, count, err));
    }
    return LC_OK;
}

/* Output k as real numbers, appended. */
static lc_status take_output(lc_features *f, size_t *rooms, const lc_session *session, uint32_t k, uint32_t rows, lc_error *err) {
    const lc_tensor_view v = lc_session_output(session, k);
    lc_array part = {.type = LC_FLOAT32, .rank = v.rank};
    memcpy(part.dims, v.dims, sizeof part.dims);
    if (!v.rank || v.dims[0] != (int32_t)rows)
        return lc_fail(err, LC_UNSUPPORTED, "output %u of the model has no row a sample (%u samples, first dimension %d)", k, rows,
                       v.rank ? v.dims[0] : 0);
    const size_t n = lc_array_count(&part);
    part.size = n * sizeof(float);
    double *reals = lc_malloc(n ? n * sizeof *reals : 1);
    if (!reals) return lc_fail_memory(err, "features");
    lc_status status = lc_tensor_reals(&v, 0, n, reals) ? LC_OK : lc_fail(err, LC_UNSUPPORTED, "output %u of the model is no numbers", k);
    float *floats = part.data = (float *)(void *)reals; /* in the same place: a float is never behind its double */
    for (size_t i = 0; status == LC_OK && i < n; i++) {
        const float number = (float)reals[i];
        memcpy(&floats[i], &number, sizeof number);
    }
    if (status == LC_OK) status = lc_net_append(&f->x[k], &rooms[k], &part, err);
    lc_free(reals);
    return status;
}

static lc_status take_batch(lc_features *f, size_t *rooms, lc_session *session, const lc_batch *batch, lc_error *err) {
    LC_TRY(set_inputs(session, batch, err));
    LC_TRY(lc_session_run(session, err));
    for (uint32_t k = 0; k < f->x_count; k++) LC_TRY(take_output(f, rooms, session, k, batch->rows, err));
    for (uint32_t k = 0; k < f->y_count; k++) LC_TRY(lc_net_append(&f->y[k], &rooms[LC_NET_MOST + k], &batch->y[k], err));
    if (!batch->weight) return LC_OK;
    const lc_array weights = {.type = LC_FLOAT32,
                              .rank = 1,
                              .dims = {(int32_t)batch->rows},
                              .data = (void *)(uintptr_t)batch->weight,
                              .size = batch->rows * sizeof(float)};
    return lc_net_append(&f->weights, &rooms[2 * LC_NET_MOST], &weights, err);
}

lc_status lc_features_of_model(lc_model *base, lc_pipeline *data, const lc_evaluate_options *options, lc_features **out, lc_error *err) {
    static const lc_evaluate_options defaults = {0};
    const lc_evaluate_options *o = options ? options : &defaults;
    const lc_session_options so = {.threads = o->threads, .max_memory = o->max_memory};
    size_t rooms[2 * LC_NET_MOST + 1] = {0};
    lc_session *session = NULL;
    lc_batch batch;
    *out = NULL;
    if (lc_model_input_count(base) > LC_NET_MOST || lc_model_output_count(base) > LC_NET_MOST || lc_pipeline_y_count(data) > LC_NET_MOST)
        return lc_fail(err, LC_LIMIT, "more than %d inputs, outputs or targets", LC_NET_MOST);
    if (lc_pipeline_x_count(data) < lc_model_input_count(base))
        return lc_fail(err, LC_INVALID, "the data has %u inputs a sample, the model has %zu", lc_pipeline_x_count(data),
                       lc_model_input_count(base));
    lc_features *f = lc_calloc(1, sizeof *f);
    if (!f) return lc_fail_memory(err, "features");
    f->x_count = (uint32_t)lc_model_output_count(base);
    f->y_count = lc_pipeline_y_count(data);
    lc_status status = keep_names(f, data, err);
    if (status == LC_OK) status = lc_pipeline_seek_epoch(data, 0, err);
    if (status == LC_OK) status = lc_session_create(base, &so, &session, err);
    for (uint64_t step = 0; status == LC_OK && (!o->steps || step < o->steps); step++) {
        status = lc_pipeline_next(data, &batch, err);
        if (status != LC_OK || !batch.rows) break;
        status = take_batch(f, rooms, session, &batch, err);
    }
    lc_session_destroy(session);
    if (status == LC_OK) *out = f;
    else lc_features_destroy(f);
    return status;
}

lc_status lc_features_of_net(lc_net *base, lc_pipeline *data, const lc_evaluate_options *options, lc_features **out, lc_error *err) {
    lc_model *model;
    *out = NULL;
    LC_TRY(lc_net_convert(base, NULL, &model, err));
    const lc_status status = lc_features_of_model(model, data, options, out, err);
    lc_model_destroy(model);
    return status;
}

lc_pipeline_arrays lc_features_arrays(const lc_features *f) {
    return (lc_pipeline_arrays){.x = f->x,
                                .y = f->y,
                                .x_count = f->x_count,
                                .y_count = f->y_count,
                                .y_names = f->y_count && f->names[0] ? f->names : NULL,
                                .weights = f->weights.data ? &f->weights : NULL};
}
