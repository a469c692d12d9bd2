/*
 * cell_weights.c: the weights of a recurrent layer as other ages stored them, in the order of today: kernel [in, gates units], recurrent
 * kernel [units, gates units], bias.
 *
 *   Keras 1    W, U, b of each gate on its own; an LSTM's gates in the order i, c, f, o
 *   CuDNN      kernels of each gate as a matrix [units, in] under the shape [in, units], two biases one behind the other. An LSTM has their
 *              sum, a GRU with reset_after both
 *
 * Weights of any other count or shape are left as they are: who reads them says what is wrong with them.
 *
 * Facts: preprocess_weights_for_loading of keras/src/saving/legacy/hdf5_format.py (Keras 2).
 */
#include "lower/rnn.h"

#include "ir/constant.h"

#include <string.h>

typedef struct joining {
    lc_call *c;
    lc_keras_weight *out; /* [3] */
    int32_t units, depth, gates;
} joining;

static float *make(const joining *j, int i, const char *name, int32_t rows, int32_t cols) {
    const size_t n = (size_t)(rows ? rows : 1) * (size_t)cols;
    float *data = lc_build_data(j->c->b, n * sizeof *data);
    j->out[i] = (lc_keras_weight){
        .name = name, .type = LC_FLOAT32, .rank = rows ? 2 : 1, .dims = {rows ? rows : cols, cols}, .data = data, .size = n * sizeof *data};
    return data;
}

static bool has_shape(const lc_keras_weight *w, int32_t rows, int32_t cols) {
    uint64_t bytes;
    if (w->rank != (rows ? 2 : 1) || w->dims[0] != (rows ? rows : cols) || (rows && w->dims[1] != cols)) return false;
    return lc_floats_can_load(w->type) && w->data && lc_dtype_bytes(w->type, (uint64_t)(rows ? rows : 1) * (uint64_t)cols, &bytes) &&
           bytes == w->size;
}

/* A gate's matrix [rows, units] into columns of [rows, gates units]. */
static void put(const joining *j, float *to, int32_t gate, const lc_keras_weight *from, size_t row_step, size_t col_step, size_t first,
                int32_t rows) {
    const size_t u = (size_t)j->units, width = u * (size_t)j->gates;
    for (size_t r = 0; to && r < (size_t)rows; r++)
        for (size_t k = 0; k < u; k++)
            lc_floats_load(from->type, from->data, first + r * row_step + k * col_step, 1, &to[r * width + (size_t)gate * u + k]);
}

static bool from_keras1(const joining *j, const lc_keras_layer *l) {
    static const int lstm[] = {0, 2, 1, 3}; /* where the file has gate i, f, c, o */
    for (int g = 0; g < j->gates; g++)
        if (!has_shape(&l->weights[3 * g], j->depth, j->units) || !has_shape(&l->weights[3 * g + 1], j->units, j->units) ||
            !has_shape(&l->weights[3 * g + 2], 0, j->units))
            return false;
    const int32_t width = j->gates * j->units;
    float *kernel = make(j, 0, "kernel", j->depth, width), *recurrent = make(j, 1, "recurrent_kernel", j->units, width),
          *bias = make(j, 2, "bias", 0, width);
    const size_t u = (size_t)j->units;
    for (int g = 0; g < j->gates; g++) {
        const lc_keras_weight *w = &l->weights[3 * (j->gates == 4 ? lstm[g] : g)];
        put(j, kernel, g, &w[0], u, 1, 0, j->depth);
        put(j, recurrent, g, &w[1], u, 1, 0, j->units);
        put(j, bias, g, &w[2], 0, 1, 0, 1);
    }
    return bias != NULL;
}

static bool from_cudnn(const joining *j, const lc_keras_layer *l) {
    const int32_t width = j->gates * j->units;
    const lc_keras_weight *w = l->weights;
    if (!has_shape(&w[0], j->depth, width) || !has_shape(&w[1], j->units, width)) return false;
    float *kernel = make(j, 0, w[0].name, j->depth, width), *recurrent = make(j, 1, w[1].name, j->units, width);
    float *bias = make(j, 2, w[2].name, j->gates == 4 ? 0 : 2, width), one;
    if (!kernel || !recurrent || !bias) return false;
    /* A gate's block [rows, units] of the stored matrix, read row by row, is the matrix [units, rows]. */
    for (int m = 0; m < 2; m++) {
        const size_t rows = m ? (size_t)j->units : (size_t)j->depth, u = (size_t)j->units, stride = (size_t)width;
        float *to = m ? recurrent : kernel;
        for (size_t g = 0; g < (size_t)j->gates; g++)
            for (size_t k = 0; k < rows * u; k++) {
                const size_t unit = k / rows, row = k % rows;
                lc_floats_load(w[m].type, w[m].data, k / u * stride + g * u + k % u, 1, &to[row * stride + g * u + unit]);
            }
    }
    for (size_t k = 0; k < 2 * (size_t)width; k++) {
        lc_floats_load(w[2].type, w[2].data, k, 1, &one);
        if (j->gates == 4) bias[k % (size_t)width] += one;
        else bias[k] = one;
    }
    return true;
}

void lc_cell_modernise(lc_call *c, lc_keras_layer *layer, const lc_cell_kind *kind, int32_t units, int32_t depth, bool cudnn) {
    lc_keras_weight *out = lc_arena_array(&c->lower->scratch, 3, sizeof *out);
    if (!out) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "weights"));
        return;
    }
    const joining j = {c, out, units, depth,
                       strcmp(kind->class_name, "LSTMCell") == 0  ? 4
                       : strcmp(kind->class_name, "GRUCell") == 0 ? 3
                                                                  : 1};
    int64_t elements;
    if (j.gates == 1 || !lc_mul_i64((int64_t)units * j.gates, (int64_t)units + depth, &elements) || elements > INT32_MAX) return;
    bool done = false;
    if (layer->weight_count == 3 * (uint32_t)j.gates) done = from_keras1(&j, layer);
    else if (layer->weight_count == 3 && (cudnn || has_shape(&layer->weights[2], 0, 2 * j.gates * units)) &&
             has_shape(&layer->weights[2], 0, 2 * j.gates * units))
        done = from_cudnn(&j, layer);
    if (!done) return;
    layer->weights = out;
    layer->weight_count = 3;
}
