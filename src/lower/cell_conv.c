/*
 * cell_conv.c: one step of ConvLSTM1D, 2D and 3D: an LSTM whose products are convolutions, over data with channels last.
 *
 *   i, f, g, o = conv(x, W) + b + conv(h, U)      W with the layer's strides, padding and dilation; U always SAME, by single steps
 *
 * A row is an image of height 1, as in lower_conv.c. Sizes in space must be known, as Keras demands.
 *
 * Facts: keras/src/layers/rnn/conv_lstm.py.
 */
#include "lower/rnn.h"

enum { KERNEL, RECURRENT, BIAS, NO_BIAS, GATE, RECURRENT_GATE = GATE + LC_CELL_GATES };

static void read(lc_call *c, lc_cell *cell, const lc_shape *x) {
    static const char *const paddings[] = {"valid", "same", NULL};
    const int32_t rank = cell->rank;
    cell->units = lc_opt_size(c, lc_cell_key(c, "filters", "nb_filter"));
    cell->use_bias = lc_opt_bool(c, "use_bias", true);
    cell->same = lc_opt_choice(c, "padding", paddings) == 1;
    lc_opt_sizes(c, "kernel_size", 1, 0, cell->kernel, (uint32_t)rank);
    lc_opt_sizes(c, "strides", 1, 1, cell->stride, (uint32_t)rank);
    lc_opt_sizes(c, "dilation_rate", 1, 1, cell->dilation, (uint32_t)rank);
    if (c->b->status != LC_OK) return;
    if (cell->units > INT32_MAX / 8) lc_opt_fail(c, "filters", "is too large");
    if (x->rank != rank + 2) lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs %d", x->rank + 1, rank + 3);
    else cell->depth = lc_call_known(c, x, rank + 1, "the number of channels");
    if (c->b->status != LC_OK) return;
    int32_t kernel[5], recurrent[5];
    cell->state_rank = rank + 1;
    for (int32_t d = 0; d < rank; d++) {
        const int64_t size = lc_call_known(c, x, d + 1, "a size in space"), k = cell->kernel[d],
                      window = (k - 1) * (int64_t)cell->dilation[d] + 1;
        if (!cell->same && size < window) {
            lc_opt_fail(c, "kernel_size", "is larger than its input, which has %lld there", (long long)size);
            return;
        }
        cell->state_dims[d] = (int32_t)((cell->same ? size - 1 : size - window) / cell->stride[d] + 1);
        kernel[d] = recurrent[d] = cell->kernel[d];
    }
    cell->state_dims[rank] = cell->units;
    kernel[rank] = cell->depth;
    recurrent[rank] = cell->units;
    kernel[rank + 1] = recurrent[rank + 1] = 4 * cell->units;
    if (!lc_weights(c, cell->use_bias ? 3 : 2, cell->use_bias ? "kernel, recurrent_kernel, bias" : "kernel, recurrent_kernel")) return;
    lc_weight(c, 0, "kernel", kernel, rank + 2);
    lc_weight(c, 1, "recurrent_kernel", recurrent, rank + 2);
    if (cell->use_bias) lc_weight(c, 2, "bias", &kernel[rank + 1], 1);
}

/* The part of weights w of shape `dims` that is a gate's, along dimension `axis`; all of them without a gate. */
static int32_t part_of(lc_call *c, const lc_cell *cell, bool recurrent, int32_t w, int32_t *dims, int32_t rank, int32_t axis,
                       int32_t gate) {
    const uint32_t slot = (uint32_t)((recurrent ? RECURRENT_GATE : GATE) + gate);
    int32_t begin[LC_MAX_RANK] = {0};
    if (gate == LC_ALL_GATES || c->b->status != LC_OK) return w;
    begin[axis] = gate * cell->units;
    dims[axis] = cell->units;
    if (!c->slots[slot]) c->slots[slot] = lc_weight_slice(c, w, begin, dims, rank) + 1;
    return c->slots[slot] - 1;
}

static int32_t conv_2d(lc_call *c, const lc_cell *cell, bool recurrent, int32_t x, int32_t bias, int32_t gate) {
    const int32_t rank = cell->rank, depth = recurrent ? cell->units : cell->depth, width = 4 * cell->units, at = 2 - rank;
    int32_t k[2] = {1, 1}, s[2] = {1, 1}, d[2] = {1, 1}, stored[4], wanted[4] = {width};
    lc_shape shape;
    for (int32_t i = 0; i < rank; i++) {
        k[at + i] = stored[i] = cell->kernel[i];
        if (recurrent) continue;
        s[at + i] = cell->stride[i];
        d[at + i] = cell->dilation[i];
    }
    stored[rank] = depth;
    stored[rank + 1] = width;
    wanted[1] = k[0];
    wanted[2] = k[1];
    wanted[3] = depth;
    int32_t w = lc_weight_transposed(c, recurrent ? RECURRENT : KERNEL, recurrent ? 1 : 0, recurrent ? "recurrent_kernel" : "kernel",
                                     stored, rank + 2, wanted, 4);
    w = part_of(c, cell, recurrent, w, wanted, 4, 0, gate);
    if (!lc_call_shape(c, x, &shape)) return -1;
    if (rank == 1) x = lc_build_reshape(c->b, x, (int32_t[]){-1, 1, shape.dims[1], depth}, 4);
    const int32_t in[3] = {x, w, bias};
    const lc_Conv2DOptions o = {.padding = recurrent || cell->same ? LC_Padding_SAME : LC_Padding_VALID,
                                .stride_h = s[0],
                                .stride_w = s[1],
                                .dilation_h_factor = d[0],
                                .dilation_w_factor = d[1]};
    x = lc_build_op(c->b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &o, in, 3);
    return rank == 1 ? lc_build_reshape(c->b, x, (int32_t[]){-1, cell->state_dims[0], wanted[0]}, 3) : x;
}

static int32_t conv_3d(lc_call *c, const lc_cell *cell, bool recurrent, int32_t x, int32_t bias, int32_t gate) {
    const int32_t *k = cell->kernel, *s = cell->stride, *d = cell->dilation, depth = recurrent ? cell->units : cell->depth;
    int32_t dims[5] = {k[0], k[1], k[2], depth, 4 * cell->units};
    int32_t w =
        lc_weight_const(c, recurrent ? RECURRENT : KERNEL, recurrent ? 1 : 0, recurrent ? "recurrent_kernel" : "kernel", dims, 5, dims, 5);
    w = part_of(c, cell, recurrent, w, dims, 5, 4, gate);
    const int32_t in[3] = {x, w, bias};
    const lc_Conv3DOptions o = {.padding = recurrent || cell->same ? LC_Padding_SAME : LC_Padding_VALID,
                                .stride_d = recurrent ? 1 : s[0],
                                .stride_h = recurrent ? 1 : s[1],
                                .stride_w = recurrent ? 1 : s[2],
                                .dilation_d_factor = recurrent ? 1 : d[0],
                                .dilation_h_factor = recurrent ? 1 : d[1],
                                .dilation_w_factor = recurrent ? 1 : d[2]};
    return lc_build_op(c->b, LC_OP_CONV_3D, LC_TABLE_Conv3DOptions, &o, in, 3);
}

static int32_t conv(lc_call *c, const lc_cell *cell, bool recurrent, int32_t x, int32_t gate) {
    const bool biased = cell->use_bias && !recurrent;
    int32_t bias = lc_weight_bias(c, biased ? BIAS : NO_BIAS, 2, 4 * cell->units, biased);
    if (gate != LC_ALL_GATES) bias = lc_weight_slice(c, bias, (int32_t[]){gate * cell->units}, &cell->units, 1);
    return cell->rank == 3 ? conv_3d(c, cell, recurrent, x, bias, gate) : conv_2d(c, cell, recurrent, x, bias, gate);
}

static int32_t project(lc_call *c, const lc_cell *cell, int32_t x, int32_t gate) { return conv(c, cell, false, x, gate); }

/* What the state adds to the gates. */
static int32_t recur(lc_call *c, const lc_cell *cell, int32_t h) {
    int32_t gates[LC_CELL_GATES];
    if (cell->recurrent_dropout <= 0) return conv(c, cell, true, h, LC_ALL_GATES);
    for (int32_t g = 0; g < LC_CELL_GATES; g++) gates[g] = conv(c, cell, true, lc_cell_dropped(c, cell, h, g), g);
    return lc_cell_join(c, gates, LC_CELL_GATES);
}

static int32_t binary(lc_call *c, int32_t op, int32_t x, int32_t y) { return lc_build_binary(c->b, op, x, y, LC_LOWER_ACT(NONE)); }

static void step(lc_call *c, const lc_cell *cell, int32_t x, int32_t *states) {
    int32_t g[4];
    const char *gate = "recurrent_activation";
    if (!lc_cell_split(c, binary(c, LC_OP_ADD, x, recur(c, cell, states[0])), 4, g)) return;
    const char *sigmoid = c->lower->keras2 ? "hard_sigmoid" : "sigmoid";
    const int32_t old = binary(c, LC_OP_MUL, lc_cell_activation(c, gate, sigmoid, g[1]), states[1]);
    const int32_t fresh =
        binary(c, LC_OP_MUL, lc_cell_activation(c, gate, sigmoid, g[0]), lc_cell_activation(c, "activation", "tanh", g[2]));
    states[1] = binary(c, LC_OP_ADD, old, fresh);
    states[0] = binary(c, LC_OP_MUL, lc_cell_activation(c, gate, sigmoid, g[3]), lc_cell_activation(c, "activation", "tanh", states[1]));
}

const lc_cell_kind lc_cell_conv_lstm = {"ConvLSTMCell", NULL, 2, read, 4, project, step};
