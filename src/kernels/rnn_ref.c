/*
 * rnn_ref.c: RNN, UNIDIRECTIONAL_SEQUENCE_RNN, BIDIRECTIONAL_SEQUENCE_RNN: h = act(W x + A aux + R h + bias) at each step; h is the output
 * of the step and a variable that stays from run to run. Weights are float32, or int8 (hybrid).
 *
 * Two habits of LiteRT's bidirectional kernel are kept, since models give the answers they were made with: the rows of an auxiliary input
 * that is deeper than the input are read `depth` apart (not in float32 with the batch first), and the hybrid kernel with time first goes
 * through the whole sequence as many times as it has steps. The latter is refused for sequences so long that it would not end.
 */
#include "kernels/recurrent.h"
#include "ops/rnn.h"

#include <string.h>

enum { LONGEST_REPEATED = 4096 };

typedef struct cell {
    lc_rnn_slots slot;
    bool backward;
    int32_t batch, time, depth, aux_depth, units;
    int32_t out, out_at, out_row; /* which output, first column, columns */
    int64_t aux_row;              /* distance of auxiliary rows from step to step, of one row of the batch to the next */
    int64_t aux_batch;
    float weights, recurrent, aux_weights; /* scales; hybrid */
} cell;

typedef struct state {
    int cells;
    bool hybrid, time_major, asymmetric;
    int8_t activation;
    int64_t repeats;
    size_t y_at, x_at, aux_at, h_at;
    cell cell[2];
} state;

static void read_options(const lc_node *node, state *s, bool *merged) {
    *merged = false;
    if (node->op == LC_OP_RNN) {
        const lc_RNNOptions *o = LC_OP_ATTRS(node, RNNOptions);
        s->activation = o->fused_activation_function;
        s->asymmetric = o->asymmetric_quantize_inputs;
        s->time_major = true; /* one step */
    } else if (node->op == LC_OP_UNIDIRECTIONAL_SEQUENCE_RNN) {
        const lc_SequenceRNNOptions *o = LC_OP_ATTRS(node, SequenceRNNOptions);
        s->activation = o->fused_activation_function;
        s->asymmetric = o->asymmetric_quantize_inputs;
        s->time_major = o->time_major;
    } else {
        const lc_BidirectionalSequenceRNNOptions *o = LC_OP_ATTRS(node, BidirectionalSequenceRNNOptions);
        s->activation = o->fused_activation_function;
        s->asymmetric = o->asymmetric_quantize_inputs;
        s->time_major = o->time_major;
        *merged = o->merge_outputs;
    }
}

static lc_status prepare_cell(lc_kernel_ctx *ctx, const state *s, cell *c, bool backward, bool merged) {
    const uint32_t real = LC_T(FLOAT32), weights = s->hybrid ? LC_T(INT8) | LC_T(UINT8) : real;
    const bool both = ctx->in_count > LC_RNN_AUX_WEIGHTS;
    *c = (cell){.slot = lc_rnn_slots_of(ctx->node, backward, both && ctx->in[LC_RNN_AUX], both && ctx->in[LC_RNN_AUX_WEIGHTS]),
                .backward = backward,
                .out = backward && !merged};
    const lc_shape *in = &ctx->in[c->slot.input]->shape;
    c->time = in->rank == 2 ? 1 : in->dims[s->time_major ? 0 : 1];
    c->batch = in->rank == 2 ? in->dims[0] : in->dims[s->time_major ? 1 : 0];
    c->units = ctx->in[c->slot.weights]->shape.dims[0];
    c->depth = ctx->in[c->slot.weights]->shape.dims[1];
    c->aux_depth = c->slot.aux >= 0 ? ctx->in[c->slot.aux]->shape.dims[2] : 0;
    c->out_row = ctx->out[c->out]->shape.dims[in->rank - 1];
    c->out_at = backward && merged ? c->out_row - c->units : 0;
    const int64_t near = s->time_major || s->hybrid ? (c->depth < c->aux_depth ? c->depth : c->aux_depth) : c->aux_depth;
    c->aux_row = s->time_major ? near * c->batch : near;
    c->aux_batch = s->time_major ? c->aux_depth : near * c->time;
    LC_TRY(lc_ref_input(ctx, (uint32_t)c->slot.input, real));
    LC_TRY(lc_recurrent_operand(ctx, c->slot.aux, real, "auxiliary input", NULL));
    LC_TRY(lc_recurrent_operand(ctx, c->slot.weights, weights, "weights", &c->weights));
    LC_TRY(lc_recurrent_operand(ctx, c->slot.recurrent, weights, "recurrent weights", &c->recurrent));
    LC_TRY(lc_recurrent_operand(ctx, c->slot.aux_weights, weights, "auxiliary weights", &c->aux_weights));
    LC_TRY(lc_recurrent_operand(ctx, c->slot.bias, real, "bias", NULL));
    return lc_recurrent_state(ctx, c->slot.hidden, LC_FLOAT32);
}

static int32_t most(int32_t a, int32_t b) { return a > b ? a : b; }

static lc_status prepare(lc_kernel_ctx *ctx, bool hybrid) {
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    bool merged;
    int32_t units = 0, depth = 0, aux = 0;
    s->hybrid = hybrid;
    s->cells = ctx->node->op == LC_OP_BIDIRECTIONAL_SEQUENCE_RNN ? 2 : 1;
    read_options(ctx->node, s, &merged);
    for (int i = 0; i < s->cells; i++) {
        cell *c = &s->cell[i];
        LC_TRY(prepare_cell(ctx, s, c, i == 1, merged));
        units = most(units, c->units);
        depth = most(depth, c->depth);
        aux = most(aux, c->aux_depth);
    }
    s->repeats = s->cells == 2 && hybrid && s->time_major ? s->cell[0].time : 1;
    if (s->repeats > LONGEST_REPEATED)
        return lc_fail(ctx->err, LC_LIMIT, "has %lld steps, which the hybrid kernel repeats as often; litec runs up to %d",
                       (long long)s->repeats, (int)LONGEST_REPEATED);
    size_t size = 0;
    bool fits = lc_recurrent_reserve(&size, &s->y_at, units, sizeof(float));
    if (hybrid)
        fits = fits && lc_recurrent_reserve(&size, &s->x_at, depth, sizeof(int16_t)) &&
               lc_recurrent_reserve(&size, &s->aux_at, aux, sizeof(int16_t)) &&
               lc_recurrent_reserve(&size, &s->h_at, units, sizeof(int16_t));
    if (!fits) return lc_fail(ctx->err, LC_LIMIT, "its scratch memory is too large");
    ctx->scratch_size = size;
    ctx->label = hybrid ? "hybrid" : NULL;
    return LC_OK;
}

static lc_status prepare_float(lc_kernel_ctx *ctx) { return prepare(ctx, false); }
static lc_status prepare_hybrid(lc_kernel_ctx *ctx) { return prepare(ctx, true); }

static void run_row(const lc_kernel_ctx *ctx, const state *s, const cell *c, int64_t b) {
    char *scratch = ctx->scratch;
    float *y = (float *)(void *)(scratch + s->y_at), *h = (float *)ctx->in[c->slot.hidden]->data + b * c->units;
    int16_t *qx = s->hybrid ? (int16_t *)(void *)(scratch + s->x_at) : NULL,
            *qa = s->hybrid ? (int16_t *)(void *)(scratch + s->aux_at) : NULL;
    int16_t *qh = s->hybrid ? (int16_t *)(void *)(scratch + s->h_at) : NULL;
    const float *in = ctx->in[c->slot.input]->data, *bias = ctx->in[c->slot.bias]->data;
    const float *aux = c->slot.aux >= 0 ? ctx->in[c->slot.aux]->data : NULL;
    const lc_value *w = ctx->in[c->slot.weights], *r = ctx->in[c->slot.recurrent], *a = aux ? ctx->in[c->slot.aux_weights] : NULL;
    for (int64_t k = 0; k < c->time; k++) {
        const int64_t t = c->backward ? c->time - 1 - k : k, row = s->time_major ? t * c->batch + b : b * c->time + t;
        const lc_vector x = lc_vector_of(in + row * c->depth, c->depth, qx, s->asymmetric),
                        old = lc_vector_of(h, c->units, qh, s->asymmetric);
        const lc_vector more =
            aux ? lc_vector_of(aux + t * c->aux_row + b * c->aux_batch, c->aux_depth, qa, s->asymmetric) : (lc_vector){0};
        for (int64_t u = 0; u < c->units; u++) {
            double sum = (double)bias[u] + lc_vector_product(w, c->weights, u, &x) + lc_vector_product(r, c->recurrent, u, &old);
            if (a) sum += lc_vector_product(a, c->aux_weights, u, &more);
            y[u] = (float)sum;
        }
        lc_ref_activate(y, c->units, s->activation);
        memcpy(h, y, (size_t)c->units * sizeof *h);
        memcpy((float *)ctx->out[c->out]->data + row * c->out_row + c->out_at, y, (size_t)c->units * sizeof *y);
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    for (int64_t n = 0; n < s->repeats; n++)
        for (int i = 0; i < s->cells; i++)
            for (int64_t b = 0; b < s->cell[i].batch; b++) run_row(ctx, s, &s->cell[i], b);
    return LC_OK;
}

static const lc_kernel real = {.prepare = prepare_float, .run = run};
static const lc_kernel hybrid = {.prepare = prepare_hybrid, .run = run};

static const lc_kernel *choose(const lc_kernel_ctx *ctx) {
    const lc_dtype in = ctx->in[0]->type, weights = ctx->in[1]->type;
    if (in != LC_FLOAT32) return NULL;
    return weights == LC_FLOAT32 ? &real : weights == LC_INT8 || weights == LC_UINT8 ? &hybrid : NULL;
}

const lc_kernel lc_kernel_RNN = {.choose = choose};
const lc_kernel lc_kernel_UNIDIRECTIONAL_SEQUENCE_RNN = {.choose = choose};
const lc_kernel lc_kernel_BIDIRECTIONAL_SEQUENCE_RNN = {.choose = choose};
