/*
 * bias.c: rounded weights shift the mean of what a layer gives: sum (w' - w) x has the mean sum (w' - w) mean(x), which calibration knows for
 * each channel of the input. It is taken off the bias (Nagel et al. 2019, section 4.2). Before the activation, so that it is exact whatever
 * that is; at the borders of a padded picture it is a little too much.
 */
#include "quant/quant.h"

#include <string.h>

bool lc_quant_has_bias(const lc_node *n) {
    return n->input_count >= 2 && (n->op == LC_OP_CONV_2D || n->op == LC_OP_DEPTHWISE_CONV_2D || n->op == LC_OP_FULLY_CONNECTED);
}

/* Scale of the slice of integer weights that element e is in. */
static float scale_at(const lc_tensor *t, size_t e) {
    const lc_QuantizationParameters *q = t->quant;
    if (q->scale.n == 1) return q->scale.data[0];
    size_t inner = 1;
    for (int32_t d = q->quantized_dimension + 1; d < t->rank; d++) inner *= (size_t)t->dims[d];
    return q->scale.data[e / inner % q->scale.n];
}

lc_status lc_quant_correct_bias(lc_graph *graph, int32_t op, int32_t weights, int32_t integer_weights, const double *means,
                                uint32_t channels, int32_t bias, lc_arena *temporary, int32_t *made, lc_error *err) {
    const lc_tensor w = graph->tensors[weights], q = graph->tensors[integer_weights];
    const bool depthwise = op == LC_OP_DEPTHWISE_CONV_2D;
    const size_t last = (size_t)w.dims[w.rank - 1], outputs = depthwise ? last : (size_t)w.dims[0];
    const float *from = lc_quant_floats(&w, temporary), *old = bias >= 0 ? lc_quant_floats(&graph->tensors[bias], temporary) : NULL;
    const int8_t *to = q.data;
    double *shift = lc_arena_array(temporary, outputs, sizeof *shift);
    float *sum = lc_arena_data(&graph->model->arena, outputs * sizeof *sum);
    *made = bias;
    if (!from || !shift || !sum || (bias >= 0 && !old)) return lc_fail_memory(err, "a bias");
    /* grouped convolutions meet a part of the channels each */
    if (q.type != LC_INT8 || channels == 0 || (depthwise ? outputs % channels : channels < last ? last % channels : channels != last))
        return LC_OK;
    uint64_t n;
    if (!lc_tensor_elements(&w, &n) || outputs == 0) return LC_OK;
    const size_t row = (size_t)n / outputs;
    for (size_t e = 0; e < n; e++) {
        const size_t out = depthwise ? e % last : e / row;
        const size_t channel = depthwise ? out / (outputs / channels) : e % last % channels;
        shift[out] += ((double)from[e] - (double)scale_at(&q, e) * to[e]) * means[channel];
    }
    for (size_t i = 0; i < outputs; i++) sum[i] = (float)((old ? (double)old[i] : 0) + shift[i]);
    const int32_t dims[] = {(int32_t)outputs};
    const lc_str name = graph->tensors[bias >= 0 ? bias : weights].name;
    const char *called = bias >= 0 ? NULL
                                   : lc_arena_printf(&graph->model->arena, "%.*s_bias", (int)(name.size > 4096 ? 4096 : name.size),
                                                     name.data ? name.data : "");
    if (bias < 0 && !called) return lc_fail_memory(err, "a bias");
    const lc_tensor t = {.name = called ? lc_str_of(called) : name,
                         .type = LC_FLOAT32,
                         .rank = 1,
                         .dims = (int32_t *)dims,
                         .has_rank = true,
                         .data = sum,
                         .size = outputs * sizeof *sum,
                         .data_at = LC_NO_OFFSET,
                         .data_owned = true};
    return lc_graph_add_tensor(graph, &t, made, err);
}
