/*
 * test_lower_layers.c: every layer of keras.def: which operators it becomes, the shape, and the values, against the layer's
 * maths written out plainly here (double, loops).
 */
#include "support/keras_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MANY 20000

typedef struct shape {
    int32_t rank;
    int32_t dims[LC_MAX_RANK];
} shape;

static size_t elements(const shape *s) {
    size_t n = 1;
    for (int32_t i = 0; i < s->rank; i++) n *= (size_t)s->dims[i];
    return n;
}

/* What a case gets to compute the expected output: input, weights, config numbers are in the closure of the function. */
typedef struct io {
    const float *in; /* input 0 */
    shape is;
    const fixture *f;
    int layer;
    float *out;
    shape os; /* as the model gave it */
} io;
typedef void (*truth)(const io *c);

static const float *weight(const io *c, uint32_t i) { return fixture_weight(c->f, c->layer, i); }

/* Lowers a model of one layer on one input and checks operators, shape ("2x3x4"; the open batch is run as 2) and values. */
static void check(const char *version, const char *class_name, const char *config, const char *input, const char *weights, const char *ops,
                  const char *out_shape, float scale, truth expect) {
    fixture f;
    lc_error err;
    fixture_begin(&f, version);
    f.positive = strstr(class_name, "Normalization") != NULL; /* variances */
    int x = fixture_input(&f, "x", input), layer = fixture_layer(&f, class_name, "layer", config, weights, 1, &x);
    fixture_output(&f, layer);
    lc_model *m = fixture_lower(&f, NULL, &err);
    if (!m) fail_msg("%s %s: %s", class_name, config, err.message);
    lc_text text = {0};
    fixture_ops(m, &text);
    if (strcmp(text.data, ops) != 0) fail_msg("%s %s: operators %s, wanted %s", class_name, config, text.data, ops);
    lc_text_deinit(&text);

    static float got[MANY], want[MANY], in[MANY];
    size_t n = MANY;
    io c = {.in = in, .f = &f, .layer = layer, .out = want};
    fixture_run(m, scale, got, &n, c.os.dims, &c.os.rank);
    char found[128] = "";
    for (int32_t i = 0; i < c.os.rank; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%d", i ? "x" : "", c.os.dims[i]);
    if (strcmp(found, out_shape) != 0) fail_msg("%s %s: shape %s, wanted %s", class_name, config, found, out_shape);
    lc_tensor_view v = lc_model_input(m, 0);
    c.is.rank = v.rank;
    for (int32_t i = 0; i < v.rank; i++) c.is.dims[i] = v.signature[i] < 0 ? 2 : v.dims[i];
    for (size_t k = 0; k < elements(&c.is); k++) in[k] = fixture_value(100, k) * scale;
    assert_int_equal(n, elements(&c.os));
    expect(&c);
    for (size_t k = 0; k < n; k++)
        if (!(fabs((double)got[k] - want[k]) <=
              1e-5 * (1 + fabs(want[k])) + 6e-8 * scale)) /* an ulp of the input: squareplus cancels far out */
            fail_msg("%s %s: element %zu is %g, wanted %g", class_name, config, k, (double)got[k], (double)want[k]);
    if (strcmp(ops, "") != 0) assert_string_equal(lc_model_output(m, 0).name, "layer");
    lc_model_destroy(m);
    fixture_end(&f);
}

/* ---- truths --------------------------------------------------------------------------------------------------------- */

static void same(const io *c) { memcpy(c->out, c->in, elements(&c->is) * sizeof *c->in); }

static void dense(const io *c) {
    int32_t in = c->is.dims[c->is.rank - 1], out = c->os.dims[c->os.rank - 1];
    size_t rows = elements(&c->is) / (size_t)in;
    for (size_t r = 0; r < rows; r++)
        for (int32_t o = 0; o < out; o++) {
            double sum = c->f->layers[c->layer].weight_count > 1 ? weight(c, 1)[o] : 0;
            for (int32_t i = 0; i < in; i++) sum += (double)c->in[r * (size_t)in + (size_t)i] * weight(c, 0)[i * out + o];
            c->out[r * (size_t)out + (size_t)o] = (float)sum;
        }
}
static void dense_relu(const io *c) {
    dense(c);
    for (size_t k = 0; k < elements(&c->os); k++) c->out[k] = fmaxf(c->out[k], 0);
}
static void dense_tanh(const io *c) {
    dense(c);
    for (size_t k = 0; k < elements(&c->os); k++) c->out[k] = (float)tanh(c->out[k]);
}

/* Convolution, channels last; the parameters the config says. */
static struct {
    int kh, kw, sh, sw, dh, dw, groups, multiplier;
    bool same, depthwise;
} conv_is;
static void conv_with(const io *c, const float *in, const shape *is, float *out, const shape *os, const float *w, const float *bias) {
    int H = is->dims[1], W = is->dims[2], C = is->dims[3], OH = os->dims[1], OW = os->dims[2], F = os->dims[3];
    int eh = (conv_is.kh - 1) * conv_is.dh + 1, ew = (conv_is.kw - 1) * conv_is.dw + 1;
    int ph = conv_is.same ? ((OH - 1) * conv_is.sh + eh - H) : 0, pw = conv_is.same ? ((OW - 1) * conv_is.sw + ew - W) : 0;
    ph = ph < 0 ? 0 : ph / 2;
    pw = pw < 0 ? 0 : pw / 2;
    int depth = conv_is.depthwise ? 1 : C / conv_is.groups;
    (void)c;
    for (int n = 0; n < is->dims[0]; n++)
        for (int y = 0; y < OH; y++)
            for (int x = 0; x < OW; x++)
                for (int f = 0; f < F; f++) {
                    double sum = bias ? bias[f] : 0;
                    int first = conv_is.depthwise ? f / conv_is.multiplier : f / (F / conv_is.groups) * depth;
                    for (int i = 0; i < conv_is.kh; i++)
                        for (int j = 0; j < conv_is.kw; j++) {
                            int iy = y * conv_is.sh - ph + i * conv_is.dh, ix = x * conv_is.sw - pw + j * conv_is.dw;
                            if (iy < 0 || iy >= H || ix < 0 || ix >= W) continue;
                            for (int d = 0; d < depth; d++) {
                                double v = in[((n * H + iy) * W + ix) * C + first + d];
                                sum += v * (conv_is.depthwise
                                                ? w[((i * conv_is.kw + j) * C + first) * conv_is.multiplier + f % conv_is.multiplier]
                                                : w[((i * conv_is.kw + j) * depth + d) * F + f]);
                            }
                        }
                    out[((n * OH + y) * OW + x) * F + f] = (float)sum;
                }
}
static void conv(const io *c) {
    conv_with(c, c->in, &c->is, c->out, &c->os, weight(c, 0), c->f->layers[c->layer].weight_count > 1 ? weight(c, 1) : NULL);
}
static void conv_relu(const io *c) {
    conv(c);
    for (size_t k = 0; k < elements(&c->os); k++) c->out[k] = fmaxf(c->out[k], 0);
}
static void to_last(const float *in, const shape *s, float *out, shape *os) {
    *os = (shape){4, {s->dims[0], s->dims[2], s->dims[3], s->dims[1]}};
    size_t area = (size_t)s->dims[2] * (size_t)s->dims[3], channels = (size_t)s->dims[1];
    for (size_t n = 0; n < (size_t)s->dims[0]; n++)
        for (size_t k = 0; k < channels; k++)
            for (size_t p = 0; p < area; p++) out[(n * area + p) * channels + k] = in[(n * channels + k) * area + p];
}
static void conv_first(const io *c) {
    static float in[MANY], out[MANY];
    shape is, os = {4, {c->os.dims[0], c->os.dims[2], c->os.dims[3], c->os.dims[1]}};
    to_last(c->in, &c->is, in, &is);
    conv_with(c, in, &is, out, &os, weight(c, 0), weight(c, 1));
    size_t area = (size_t)os.dims[1] * (size_t)os.dims[2], channels = (size_t)os.dims[3];
    for (size_t n = 0; n < (size_t)os.dims[0]; n++)
        for (size_t p = 0; p < area; p++)
            for (size_t k = 0; k < channels; k++) c->out[(n * channels + k) * area + p] = out[(n * area + p) * channels + k];
}
static void separable(const io *c) {
    static float mid[MANY];
    shape ms = c->os;
    ms.dims[3] = c->is.dims[3] * conv_is.multiplier;
    conv_is.depthwise = true;
    conv_with(c, c->in, &c->is, mid, &ms, weight(c, 0), NULL);
    conv_is.depthwise = false;
    conv_is.kh = conv_is.kw = conv_is.sh = conv_is.sw = conv_is.groups = 1;
    conv_with(c, mid, &ms, c->out, &c->os, weight(c, 1), weight(c, 2));
}
/* A row is an image of height 1; causal: zeros in front. */
static int causal;
static void conv1d(const io *c) {
    static float in[MANY];
    int L = c->is.dims[1] + causal, C = c->is.dims[2];
    memset(in, 0, sizeof in);
    for (int n = 0; n < c->is.dims[0]; n++)
        memcpy(in + (n * L + causal) * C, c->in + n * c->is.dims[1] * C, (size_t)(c->is.dims[1] * C) * sizeof *in);
    shape is = {4, {c->is.dims[0], 1, L, C}}, os = {4, {c->os.dims[0], 1, c->os.dims[1], c->os.dims[2]}};
    conv_with(c, in, &is, c->out, &os, weight(c, 0), weight(c, 1));
}

/* Pooling over windows of ph x pw. */
static struct {
    int h, w, sh, sw;
    bool same, average;
} pool_is;
static void pool(const io *c) {
    bool row = c->is.rank == 3;
    int H = row ? 1 : c->is.dims[1], W = c->is.dims[row ? 1 : 2], C = c->is.dims[c->is.rank - 1], OH = row ? 1 : c->os.dims[1],
        OW = c->os.dims[row ? 1 : 2];
    int ph = pool_is.same ? ((OH - 1) * pool_is.sh + pool_is.h - H) : 0, pw = pool_is.same ? ((OW - 1) * pool_is.sw + pool_is.w - W) : 0;
    ph = ph < 0 ? 0 : ph / 2;
    pw = pw < 0 ? 0 : pw / 2;
    for (int n = 0; n < c->is.dims[0]; n++)
        for (int y = 0; y < OH; y++)
            for (int x = 0; x < OW; x++)
                for (int k = 0; k < C; k++) {
                    double sum = 0, top = -1e30;
                    int count = 0;
                    for (int i = 0; i < pool_is.h; i++)
                        for (int j = 0; j < pool_is.w; j++) {
                            int iy = y * pool_is.sh - ph + i, ix = x * pool_is.sw - pw + j;
                            if (iy < 0 || iy >= H || ix < 0 || ix >= W) continue;
                            double v = c->in[((n * H + iy) * W + ix) * C + k];
                            sum += v;
                            top = fmax(top, v);
                            count++;
                        }
                    c->out[((n * OH + y) * OW + x) * C + k] = (float)(pool_is.average ? sum / count : top);
                }
}
static bool global_max, global_first;
static void global(const io *c) {
    int area = 1, C = c->is.dims[global_first ? 1 : c->is.rank - 1];
    for (int32_t i = 1; i < c->is.rank; i++) area *= c->is.dims[i];
    area /= C;
    for (int n = 0; n < c->is.dims[0]; n++)
        for (int k = 0; k < C; k++) {
            double sum = 0, top = -1e30;
            for (int p = 0; p < area; p++) {
                double v = global_first ? c->in[(n * C + k) * area + p] : c->in[(n * area + p) * C + k];
                sum += v;
                top = fmax(top, v);
            }
            c->out[n * C + k] = (float)(global_max ? top : sum / area);
        }
}

/* Batch normalisation along an axis; which of the weights there are. */
static struct {
    int axis;
    bool scale, center;
    double epsilon;
} bn_is;
static void batch_norm(const io *c) {
    uint32_t at = 0;
    const float *gamma = bn_is.scale ? weight(c, at++) : NULL, *beta = bn_is.center ? weight(c, at++) : NULL, *mean = weight(c, at),
                *var = weight(c, at + 1);
    size_t inner = 1, n = (size_t)c->is.dims[bn_is.axis];
    for (int32_t i = bn_is.axis + 1; i < c->is.rank; i++) inner *= (size_t)c->is.dims[i];
    for (size_t k = 0; k < elements(&c->is); k++) {
        size_t i = k / inner % n;
        c->out[k] = (float)((c->in[k] - mean[i]) / sqrt(var[i] + bn_is.epsilon) * (gamma ? gamma[i] : 1) + (beta ? beta[i] : 0));
    }
}
static void layer_norm(const io *c) { /* over the last axis */
    size_t n = (size_t)c->is.dims[c->is.rank - 1];
    for (size_t r = 0; r < elements(&c->is) / n; r++) {
        double mean = 0, var = 0;
        for (size_t i = 0; i < n; i++) mean += c->in[r * n + i];
        mean /= (double)n;
        for (size_t i = 0; i < n; i++) var += pow(c->in[r * n + i] - mean, 2);
        for (size_t i = 0; i < n; i++)
            c->out[r * n + i] = (float)((c->in[r * n + i] - mean) / sqrt(var / (double)n + 1e-3) * weight(c, 0)[i] + weight(c, 1)[i]);
    }
}
static void normalization(const io *c) {
    size_t n = (size_t)c->is.dims[c->is.rank - 1];
    for (size_t k = 0; k < elements(&c->is); k++) c->out[k] = (float)((c->in[k] - weight(c, 0)[k % n]) / sqrt(weight(c, 1)[k % n]));
}

/* out[k] = in[index of k]: what moves elements. Padding and cropping by the amounts before; outside is 0. */
static int before[2];
static void move(const io *c) {
    int H = c->is.rank == 4 ? c->is.dims[1] : 1, W = c->is.dims[c->is.rank - 2], C = c->is.dims[c->is.rank - 1];
    int OH = c->os.rank == 4 ? c->os.dims[1] : 1, OW = c->os.dims[c->os.rank - 2];
    for (int n = 0; n < c->is.dims[0]; n++)
        for (int y = 0; y < OH; y++)
            for (int x = 0; x < OW; x++)
                for (int k = 0; k < C; k++) {
                    int iy = y - before[0], ix = x - before[1];
                    c->out[((n * OH + y) * OW + x) * C + k] =
                        iy < 0 || iy >= H || ix < 0 || ix >= W ? 0 : c->in[((n * H + iy) * W + ix) * C + k];
                }
}
static void permute_312(const io *c) {
    int A = c->is.dims[1], B = c->is.dims[2], D = c->is.dims[3];
    for (int n = 0; n < c->is.dims[0]; n++)
        for (int a = 0; a < A; a++)
            for (int b = 0; b < B; b++)
                for (int d = 0; d < D; d++) c->out[((n * D + d) * A + a) * B + b] = c->in[((n * A + a) * B + b) * D + d];
}
static void flatten_first(const io *c) {
    shape os;
    to_last(c->in, &c->is, c->out, &os);
}
static double slope_is, offset_is;
static void affine(const io *c) {
    for (size_t k = 0; k < elements(&c->is); k++) c->out[k] = (float)(c->in[k] * slope_is + offset_is);
}
static void affine_list(const io *c) {
    static const double scale[] = {0.5, 2, -1}, offset[] = {1, 0, 3};
    for (size_t k = 0; k < elements(&c->is); k++) c->out[k] = (float)(c->in[k] * scale[k % 3] + offset[k % 3]);
}

static void layer_scale(const io *c) {
    const size_t depth = (size_t)c->is.dims[c->is.rank - 1];
    for (size_t k = 0; k < elements(&c->is); k++) c->out[k] = c->in[k] * weight(c, 0)[k % depth];
}

/* ---- tests ------------------------------------------------------------------------------------------------------------ */

static void test_core(void **state) {
    (void)state;
    check("3.1", "Dense", "{\"units\": 5}", "[null, 4]", "4x5 5", "FULLY_CONNECTED", "2x5", 1, dense);
    check("3.1", "Dense", "{\"units\": 5, \"activation\": \"relu\"}", "[null, 4]", "4x5 5", "FULLY_CONNECTED", "2x5", 1, dense_relu);
    check("3.1", "Dense", "{\"units\": 5, \"activation\": \"tanh\"}", "[null, 3, 4]", "4x5 5", "FULLY_CONNECTED TANH", "2x3x5", 1,
          dense_tanh);
    check("3.1", "Dense", "{\"units\": 70, \"use_bias\": false}", "[null, 2, 3, 67]", "67x70", "FULLY_CONNECTED", "2x2x3x70", 1, dense);
    check("3.1", "LayerScale", "{\"init_values\": 1e-6, \"projection_dim\": 4}", "[null, 3, 4]", "4", "MUL", "2x3x4", 1, layer_scale);
    check("2.15", "StochasticDepth", "{\"drop_path_rate\": 0.1}", "[null, 4]", "", "", "2x4", 1, same);
    check("3.1", "Dropout", "{\"rate\": 0.5}", "[null, 4]", "", "", "2x4", 1, same);
    check("3.1", "RandomFlip", "{\"mode\": \"horizontal\"}", "[null, 4, 4, 1]", "2", "", "2x4x4x1", 1, same);
    check("3.1", "Flatten", "{}", "[null, 4, 3, 2]", "", "RESHAPE", "2x24", 1, same);
    check("3.1", "Flatten", "{\"data_format\": \"channels_first\"}", "[null, 4, 3, 2]", "", "TRANSPOSE RESHAPE", "2x24", 1, flatten_first);
    check("3.1", "Flatten", "{}", "[null, 6]", "", "", "2x6", 1, same);
    check("3.1", "Flatten", "{}", "[null]", "", "RESHAPE", "2x1", 1, same);
    check("3.1", "Reshape", "{\"target_shape\": [3, 8]}", "[null, 4, 6]", "", "RESHAPE", "2x3x8", 1, same);
    check("3.1", "Reshape", "{\"target_shape\": [-1, 2, 2]}", "[null, 4, 6]", "", "RESHAPE", "2x6x2x2", 1, same);
    check("3.1", "Permute", "{\"dims\": [3, 1, 2]}", "[null, 4, 5, 3]", "", "TRANSPOSE", "2x3x4x5", 1, permute_312);
    slope_is = 0.25, offset_is = 0;
    check("3.1", "Rescaling", "{\"scale\": 0.25}", "[null, 4]", "", "MUL", "2x4", 1, affine);
    offset_is = -1;
    check("3.1", "Rescaling", "{\"scale\": 0.25, \"offset\": -1}", "[null, 4]", "", "MUL ADD", "2x4", 1, affine);
    check("3.1", "Rescaling", "{\"scale\": [0.5, 2, -1], \"offset\": {\"class_name\": \"__numpy__\", \"config\": {\"value\": [1, 0, 3]}}}",
          "[null, 4, 3]", "", "MUL ADD", "2x4x3", 1, affine_list);
}

static void conv_case(int kh, int kw, int sh, int sw, int dh, int dw, bool is_same) {
    memset(&conv_is, 0, sizeof conv_is);
    conv_is.kh = kh, conv_is.kw = kw, conv_is.sh = sh, conv_is.sw = sw, conv_is.dh = dh, conv_is.dw = dw, conv_is.same = is_same;
    conv_is.groups = conv_is.multiplier = 1;
}

static void test_conv(void **state) {
    (void)state;
    conv_case(3, 3, 1, 1, 1, 1, false);
    check("3.1", "Conv2D", "{\"filters\": 5, \"kernel_size\": 3, \"activation\": \"relu\"}", "[null, 7, 6, 3]", "3x3x3x5 5", "CONV_2D",
          "2x5x4x5", 1, conv_relu);
    check("3.1", "Conv2D", "{\"filters\": 5, \"kernel_size\": [3, 3], \"data_format\": \"channels_first\"}", "[null, 3, 7, 6]", "3x3x3x5 5",
          "TRANSPOSE CONV_2D TRANSPOSE", "2x5x5x4", 1, conv_first);
    conv_case(2, 3, 2, 1, 1, 1, true);
    check("3.1", "Conv2D", "{\"filters\": 4, \"kernel_size\": [2, 3], \"strides\": [2, 1], \"padding\": \"same\", \"use_bias\": false}",
          "[null, 7, 6, 3]", "2x3x3x4", "CONV_2D", "2x4x6x4", 1, conv);
    conv_case(2, 2, 1, 1, 2, 3, false);
    check("3.1", "Conv2D", "{\"filters\": 4, \"kernel_size\": 2, \"dilation_rate\": [2, 3]}", "[null, 7, 8, 3]", "2x2x3x4 4", "CONV_2D",
          "2x5x5x4", 1, conv);
    conv_case(1, 1, 1, 1, 1, 1, false);
    conv_is.groups = 3;
    check("3.1", "Conv2D", "{\"filters\": 6, \"kernel_size\": 1, \"groups\": 3}", "[null, 3, 3, 9]", "1x1x3x6 6", "CONV_2D", "2x3x3x6", 1,
          conv);
    conv_case(3, 3, 2, 2, 1, 1, true);
    conv_is.depthwise = true;
    conv_is.multiplier = 2;
    check("3.1", "DepthwiseConv2D", "{\"kernel_size\": 3, \"strides\": 2, \"padding\": \"same\", \"depth_multiplier\": 2}",
          "[null, 7, 6, 3]", "3x3x3x2 6", "DEPTHWISE_CONV_2D", "2x4x3x6", 1, conv);
    conv_case(3, 2, 1, 1, 1, 1, true);
    conv_is.multiplier = 2;
    check("3.1", "SeparableConv2D", "{\"filters\": 5, \"kernel_size\": [3, 2], \"padding\": \"same\", \"depth_multiplier\": 2}",
          "[null, 5, 6, 3]", "3x2x3x2 1x1x6x5 5", "DEPTHWISE_CONV_2D CONV_2D", "2x5x6x5", 1, separable);
    conv_case(1, 3, 1, 2, 1, 1, true);
    causal = 0;
    check("3.1", "Conv1D", "{\"filters\": 4, \"kernel_size\": 3, \"strides\": 2, \"padding\": \"same\"}", "[null, 9, 3]", "3x3x4 4",
          "RESHAPE CONV_2D RESHAPE", "2x5x4", 1, conv1d);
    conv_case(1, 3, 1, 1, 1, 2, false);
    causal = 4;
    check("3.1", "Conv1D", "{\"filters\": 4, \"kernel_size\": 3, \"dilation_rate\": 2, \"padding\": \"causal\"}", "[null, 9, 3]", "3x3x4 4",
          "PAD RESHAPE CONV_2D RESHAPE", "2x9x4", 1, conv1d);
}

static void test_norm(void **state) {
    (void)state;
    bn_is.axis = 3, bn_is.scale = bn_is.center = true, bn_is.epsilon = 1e-3;
    check("3.1", "BatchNormalization", "{\"axis\": -1}", "[null, 3, 4, 5]", "5 5 5 5", "MUL ADD", "2x3x4x5", 1, batch_norm);
    check("2.9", "BatchNormalization", "{\"axis\": [3], \"renorm\": true}", "[null, 3, 4, 5]", "5 5 5 5 5 5", "MUL ADD", "2x3x4x5", 1,
          batch_norm);
    bn_is.axis = 1;
    check("3.1", "BatchNormalization", "{\"axis\": 1}", "[null, 3, 4, 5]", "3 3 3 3", "MUL ADD", "2x3x4x5", 1, batch_norm);
    bn_is.axis = 2, bn_is.scale = false, bn_is.epsilon = 0.1;
    check("3.1", "BatchNormalization", "{\"scale\": false, \"epsilon\": 0.1}", "[null, 3, 4]", "4 4 4", "MUL ADD", "2x3x4", 1, batch_norm);
    bn_is.center = false;
    check("3.1", "BatchNormalization", "{\"scale\": false, \"center\": false, \"epsilon\": 0.1}", "[null, 3, 4]", "4 4", "MUL ADD", "2x3x4",
          1, batch_norm);
    check("3.1", "LayerNormalization", "{}", "[null, 3, 4]", "4 4", "MEAN SQUARED_DIFFERENCE MEAN ADD RSQRT SUB MUL MUL ADD", "2x3x4", 1,
          layer_norm);
    check("3.1", "Normalization", "{\"axis\": -1}", "[null, 3, 4]", "4 4 -", "MUL ADD", "2x3x4", 1, normalization);
}

static void test_pool(void **state) {
    (void)state;
    pool_is.h = 2, pool_is.w = 2, pool_is.sh = 2, pool_is.sw = 2;
    check("3.1", "MaxPooling2D", "{}", "[null, 7, 6, 3]", "", "MAX_POOL_2D", "2x3x3x3", 1, pool);
    pool_is.h = 3, pool_is.sh = 1, pool_is.sw = 3, pool_is.same = pool_is.average = true;
    check("3.1", "AveragePooling2D", "{\"pool_size\": [3, 2], \"strides\": [1, 3], \"padding\": \"same\"}", "[null, 7, 6, 3]", "",
          "AVERAGE_POOL_2D", "2x7x2x3", 1, pool);
    pool_is.h = 1, pool_is.w = 3, pool_is.sw = 3, pool_is.average = false;
    check("3.1", "MaxPooling1D", "{\"pool_size\": 3, \"padding\": \"same\"}", "[null, 7, 3]", "", "RESHAPE MAX_POOL_2D RESHAPE", "2x3x3", 1,
          pool);
    check("3.1", "GlobalAveragePooling2D", "{}", "[null, 7, 6, 3]", "", "MEAN", "2x3", 1, global);
    check("3.1", "GlobalAveragePooling1D", "{\"keepdims\": true}", "[null, 7, 3]", "", "MEAN", "2x1x3", 1, global);
    global_first = true;
    check("3.1", "GlobalAveragePooling2D", "{\"data_format\": \"channels_first\", \"keepdims\": true}", "[null, 7, 6, 3]", "", "MEAN",
          "2x7x1x1", 1, global);
    global_first = false, global_max = true;
    check("3.1", "GlobalMaxPooling2D", "{}", "[null, 7, 6, 3]", "", "REDUCE_MAX", "2x3", 1, global);
}

static void test_pad(void **state) {
    (void)state;
    before[0] = 1, before[1] = 3;
    check("3.1", "ZeroPadding2D", "{\"padding\": [[1, 2], [3, 0]]}", "[null, 4, 5, 2]", "", "PAD", "2x7x8x2", 1, move);
    before[0] = 0, before[1] = 2;
    check("3.1", "ZeroPadding1D", "{\"padding\": [2, 1]}", "[null, 4, 3]", "", "PAD", "2x7x3", 1, move);
    before[0] = -1, before[1] = 0;
    check("3.1", "Cropping2D", "{\"cropping\": [[1, 2], [0, 1]]}", "[null, 6, 5, 2]", "", "STRIDED_SLICE", "2x3x4x2", 1, move);
    before[0] = 0, before[1] = -1;
    check("3.1", "Cropping1D", "{\"cropping\": 1}", "[null, 6, 2]", "", "STRIDED_SLICE", "2x4x2", 1, move);
}

/* ---- activations --------------------------------------------------------------------------------------------------------- */

static double f_linear(double x) { return x; }
static double f_relu(double x) { return fmax(x, 0); }
static double f_relu6(double x) { return fmin(fmax(x, 0), 6); }
static double f_leaky(double x) { return x > 0 ? x : 0.2 * x; }
static double f_elu(double x) { return x > 0 ? x : expm1(x); }
static double f_selu(double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x)); }
static double f_sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double f_tanh(double x) { return tanh(x); }
static double f_exp(double x) { return exp(x); }
static double f_silu(double x) { return x * f_sigmoid(x); }
static double f_hard_sigmoid3(double x) { return f_relu6(x + 3) / 6; }
static double f_hard_sigmoid2(double x) { return fmin(fmax(0.2 * x + 0.5, 0), 1); }
static double f_hard_silu(double x) { return x * f_hard_sigmoid3(x); }
static double f_gelu(double x) { return 0.5 * x * (1 + erf(x / sqrt(2))); }
static double f_softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static double f_mish(double x) { return x * tanh(f_softplus(x)); }
static double f_softsign(double x) { return x / (1 + fabs(x)); }
static double f_log_sigmoid(double x) { return -f_softplus(-x); }
static double f_hard_tanh(double x) { return fmin(fmax(x, -1), 1); }
static double f_tanh_shrink(double x) { return x - tanh(x); }
static double f_soft_shrink(double x) { return x > 0.5 ? x - 0.5 : x < -0.5 ? x + 0.5 : 0; }
static double f_hard_shrink(double x) { return fabs(x) > 0.5 ? x : 0; }
static double f_squareplus(double x) { return (x + sqrt(x * x + 4)) / 2; }
static double f_sparse_plus(double x) { return x <= -1 ? 0 : x >= 1 ? x : 0.25 * (x + 1) * (x + 1); }
static double f_sparse_sigmoid(double x) { return x <= -1 ? 0 : x >= 1 ? 1 : 0.5 * (x + 1); }

static double (*function_is)(double);
static void elementwise(const io *c) {
    for (size_t k = 0; k < elements(&c->is); k++) c->out[k] = (float)function_is(c->in[k]);
}

static const struct {
    const char *name;
    double (*f)(double);
    const char *ops;
    const char *version;
} names[] = {
    {"linear", f_linear, "", "3.1"},
    {"relu", f_relu, "RELU", "3.1"},
    {"relu6", f_relu6, "RELU6", "3.1"},
    {"leaky_relu", f_leaky, "LEAKY_RELU", "3.1"},
    {"elu", f_elu, "ELU", "3.1"},
    {"celu", f_elu, "ELU", "3.1"},
    {"selu", f_selu, "ELU LEAKY_RELU MUL", "3.1"},
    {"sigmoid", f_sigmoid, "LOGISTIC", "3.1"},
    {"tanh", f_tanh, "TANH", "3.1"},
    {"silu", f_silu, "LOGISTIC MUL", "3.1"},
    {"swish", f_silu, "LOGISTIC MUL", "2.9"},
    {"hard_sigmoid", f_hard_sigmoid3, "ADD MUL", "3.1"},
    {"hard_sigmoid", f_hard_sigmoid2, "MUL ADD RELU_0_TO_1", "2.9"},
    {"hard_silu", f_hard_silu, "HARD_SWISH", "3.1"},
    {"hard_swish", f_hard_silu, "HARD_SWISH", "3.1"},
    {"gelu", f_gelu, "GELU", "3.1"},
    {"softplus", f_softplus, "MINIMUM EXP ADD LOG MAXIMUM", "3.1"},
    {"mish", f_mish, "EXP ADD LOG TANH MUL", "3.1"},
    {"softsign", f_softsign, "ABS ADD DIV", "3.1"},
    {"log_sigmoid", f_log_sigmoid, "MAXIMUM LOGISTIC LOG MINIMUM", "3.1"},
    {"hard_tanh", f_hard_tanh, "RELU_N1_TO_1", "3.1"},
    {"tanh_shrink", f_tanh_shrink, "TANH SUB", "3.1"},
    {"soft_shrink", f_soft_shrink, "MAXIMUM MINIMUM SUB", "3.1"},
    {"hard_shrink", f_hard_shrink, "ABS GREATER SELECT_V2", "3.1"},
    {"squareplus", f_squareplus, "SQUARE ADD SQRT ADD MUL", "3.1"},
    {"sparse_plus", f_sparse_plus, "RELU_N1_TO_1 ADD SQUARE MUL MAXIMUM", "3.1"},
    {"sparse_sigmoid", f_sparse_sigmoid, "MUL ADD RELU_0_TO_1", "3.1"},
};

static void test_activation_names(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        static const char *const forms[] = {"{\"activation\": \"%s\"}",
                                            "{\"activation\": {\"class_name\": \"function\", \"config\": \"%s\"}}"};
        for (int k = 0; k < 2; k++) {
            char config[128];
            snprintf(config, sizeof config, k ? forms[1] : forms[0], names[i].name);
            function_is = names[i].f;
            check(names[i].version, "Activation", config, "[null, 5, 8]", "", names[i].ops, "2x5x8", 8, elementwise);
            /* far out: no form may overflow into a NaN or an infinity the function does not have */
            check(names[i].version, "Activation", config, "[null, 40]", "", names[i].ops, "2x40", 3000, elementwise);
        }
    }
    function_is = f_exp;
    check("3.1", "Activation", "{\"activation\": \"exponential\"}", "[null, 8]", "", "EXP", "2x8", 8, elementwise);
}

/* Softmax over `axis`, or its logarithm. */
static int softmax_axis;
static bool softmax_log;
static void softmax(const io *c) {
    size_t inner = 1, n = (size_t)c->is.dims[softmax_axis];
    for (int32_t i = softmax_axis + 1; i < c->is.rank; i++) inner *= (size_t)c->is.dims[i];
    for (size_t o = 0; o < elements(&c->is) / n / inner; o++)
        for (size_t i = 0; i < inner; i++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++) sum += exp(c->in[(o * n + k) * inner + i]);
            for (size_t k = 0; k < n; k++) {
                double p = exp(c->in[(o * n + k) * inner + i]) / sum;
                c->out[(o * n + k) * inner + i] = (float)(softmax_log ? log(p) : p);
            }
        }
}
/* Over two of the last three axes of [n, a, b, c]: all but axis `softmax_over`. */
static int softmax_over;
static void softmax_several(const io *c) {
    const size_t d[3] = {(size_t)c->is.dims[1], (size_t)c->is.dims[2], (size_t)c->is.dims[3]}, each = d[0] * d[1] * d[2];
    const int kept = softmax_over == 2 ? 0 : 1; /* [2, 3] keep a, [1, 3] keep b */
    for (size_t n = 0; n < (size_t)c->is.dims[0]; n++)
        for (size_t k = 0; k < d[kept]; k++) {
            double sum = 0;
            for (int pass = 0; pass < 2; pass++)
                for (size_t e = 0; e < each; e++) {
                    const size_t at[2] = {e / (d[1] * d[2]), e / d[2] % d[1]};
                    if (at[kept] != k) continue;
                    const double p = exp(c->in[n * each + e]);
                    if (pass == 0) sum += p;
                    else c->out[n * each + e] = (float)(p / sum);
                }
        }
}
static void glu(const io *c) {
    size_t n = (size_t)c->is.dims[c->is.rank - 1], half = n / 2;
    for (size_t r = 0; r < elements(&c->is) / n; r++)
        for (size_t i = 0; i < half; i++) c->out[r * half + i] = (float)(c->in[r * n + i] * f_sigmoid(c->in[r * n + half + i]));
}
static double g_relu(double x) { return x >= 2 ? 2 : x >= 0.3 ? x : 0.1 * (x - 0.3); }
static double g_capped(double x) { return fmin(fmax(x, 0), 3); }
static double g_one(double x) { return fmin(fmax(x, 0), 1); }
static double g_threshold(double x) { return x > 0.5 ? x : 0; }
static double g_slope(double x) { return x > 0 ? fmin(x, 1) : 0.1 * x; }
static double g_elu(double x) { return x > 0 ? x : 0.7 * expm1(x); }
static double g_leaky(double x) { return x > 0 ? x : 0.3 * x; }
static void prelu(const io *c) {
    size_t n = (size_t)c->is.dims[2];
    for (size_t k = 0; k < elements(&c->is); k++) c->out[k] = c->in[k] > 0 ? c->in[k] : c->in[k] * weight(c, 0)[k % n];
}

static void test_activation_layers(void **state) {
    (void)state;
    softmax_axis = 2;
    check("3.1", "Softmax", "{}", "[null, 3, 5]", "", "SOFTMAX", "2x3x5", 3, softmax);
    check("3.1", "Activation", "{\"activation\": \"softmax\"}", "[null, 3, 5]", "", "SOFTMAX", "2x3x5", 3, softmax);
    softmax_log = true;
    check("3.1", "Activation", "{\"activation\": \"log_softmax\"}", "[null, 3, 5]", "", "LOG_SOFTMAX", "2x3x5", 3, softmax);
    softmax_log = false, softmax_axis = 1;
    check("3.1", "Softmax", "{\"axis\": [1]}", "[null, 3, 4, 5]", "", "TRANSPOSE SOFTMAX TRANSPOSE", "2x3x4x5", 3, softmax);
    softmax_axis = 2; /* both of the last two axes as one; then the first and the last */
    softmax_over = 2;
    check("3.1", "Softmax", "{\"axis\": [3, 2]}", "[null, 3, 4, 5]", "", "RESHAPE SOFTMAX RESHAPE", "2x3x4x5", 3, softmax_several);
    softmax_over = 1;
    check("2.9", "Softmax", "{\"axis\": [1, -1]}", "[null, 3, 4, 5]", "", "TRANSPOSE RESHAPE SOFTMAX RESHAPE TRANSPOSE", "2x3x4x5", 3,
          softmax_several);
    softmax_axis = 2;
    check("2.4", "Activation", "{\"activation\": \"softmax_v2\"}", "[null, 3, 5]", "", "SOFTMAX", "2x3x5", 3, softmax);
    check("3.1", "Activation", "{\"activation\": \"glu\"}", "[null, 3, 6]", "", "SPLIT LOGISTIC MUL", "2x3x3", 3, glu);
    check("3.1", "PReLU", "{\"shared_axes\": [1]}", "[null, 3, 4]", "1x4", "PRELU", "2x3x4", 1, prelu);
    static const struct {
        const char *class_name, *config, *ops;
        double (*f)(double);
    } cases[] = {
        {"ReLU", "{}", "RELU", f_relu},
        {"ReLU", "{\"max_value\": 6.0, \"negative_slope\": 0.0, \"threshold\": 0.0}", "RELU6", f_relu6},
        {"ReLU", "{\"max_value\": 1}", "RELU_0_TO_1", g_one},
        {"ReLU", "{\"max_value\": 3}", "RELU MINIMUM", g_capped},
        {"ReLU", "{\"negative_slope\": 0.3}", "LEAKY_RELU", g_leaky},
        {"ReLU", "{\"threshold\": 0.5}", "GREATER SELECT_V2", g_threshold},
        {"ReLU", "{\"max_value\": 1, \"negative_slope\": 0.1}", "RELU_0_TO_1 MINIMUM MUL ADD", g_slope},
        {"ReLU", "{\"max_value\": 2, \"negative_slope\": 0.1, \"threshold\": 0.3}", "GREATER SELECT_V2 RELU MINIMUM SUB MINIMUM MUL ADD",
         g_relu},
        {"LeakyReLU", "{\"alpha\": 0.2}", "LEAKY_RELU", f_leaky},
        {"LeakyReLU", "{\"negative_slope\": 0.2}", "LEAKY_RELU", f_leaky},
        {"LeakyReLU", "{}", "LEAKY_RELU", g_leaky},
        {"ThresholdedReLU", "{\"theta\": 0.5}", "GREATER SELECT_V2", g_threshold},
        {"ELU", "{}", "ELU", f_elu},
        {"ELU", "{\"alpha\": 0.7}", "ELU LEAKY_RELU", g_elu},
        {"Activation", "{\"activation\": {\"class_name\": \"LeakyReLU\", \"config\": {\"alpha\": 0.2}}}", "LEAKY_RELU", f_leaky},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        function_is = cases[i].f;
        check("3.1", cases[i].class_name, cases[i].config, "[null, 5, 8]", "", cases[i].ops, "2x5x8", 8, elementwise);
    }
}

/* ---- merging
 * ------------------------------------------------------------------------------------------------------------------ */

/* Two inputs, or n copies of shapes; the values are checked on the first and last element by hand. */
static void merge(const char *class_name, const char *config, uint32_t n, const char *const *inputs, const char *ops, const char *out_shape,
                  double (*f)(const double *v, uint32_t n), const uint32_t *inner) {
    fixture fx;
    lc_error err;
    int from[4];
    fixture_begin(&fx, "3.1");
    for (uint32_t i = 0; i < n; i++) from[i] = fixture_input(&fx, i == 0 ? "a" : i == 1 ? "b" : "c", inputs[i]);
    fixture_output(&fx, fixture_layer(&fx, class_name, "merge", config, "", n, from));
    lc_model *m = fixture_lower(&fx, NULL, &err);
    if (!m) fail_msg("%s: %s", class_name, err.message);
    lc_text text = {0};
    fixture_ops(m, &text);
    assert_string_equal(text.data, ops);
    lc_text_deinit(&text);
    static float got[MANY];
    size_t count = MANY;
    shape os;
    fixture_run(m, 1, got, &count, os.dims, &os.rank);
    char found[128] = "";
    for (int32_t i = 0; i < os.rank; i++) snprintf(found + strlen(found), sizeof found - strlen(found), "%s%d", i ? "x" : "", os.dims[i]);
    assert_string_equal(found, out_shape);
    for (size_t k = 0; f && k < count; k++) { /* input i is indexed by k % inner[i] within its example (inner 0: like the output) */
        double v[4];
        size_t each = count / (size_t)os.dims[0];
        for (uint32_t i = 0; i < n; i++) {
            size_t in = inner && inner[i] ? inner[i] : each;
            v[i] = fixture_value(100 + i, k / each * in + k % each % in);
        }
        double want = f(v, n);
        if (!(fabs(got[k] - want) <= 1e-6)) fail_msg("%s: element %zu is %g, wanted %g", class_name, k, (double)got[k], want);
    }
    lc_model_destroy(m);
    fixture_end(&fx);
}

static double m_add(const double *v, uint32_t n) {
    double s = 0;
    for (uint32_t i = 0; i < n; i++) s += v[i];
    return s;
}
static double m_sub(const double *v, uint32_t n) { return (void)n, v[0] - v[1]; }
static double m_mul(const double *v, uint32_t n) {
    double s = 1;
    for (uint32_t i = 0; i < n; i++) s *= v[i];
    return s;
}
static double m_scaled(const double *v, uint32_t n) { return (void)n, v[0] + v[1] * 0.25; }
static double m_mean(const double *v, uint32_t n) { return m_add(v, n) / n; }
static double m_max(const double *v, uint32_t n) {
    double s = v[0];
    for (uint32_t i = 1; i < n; i++) s = fmax(s, v[i]);
    return s;
}
static double m_min(const double *v, uint32_t n) {
    double s = v[0];
    for (uint32_t i = 1; i < n; i++) s = fmin(s, v[i]);
    return s;
}

static void test_merge(void **state) {
    (void)state;
    const char *const alike[] = {"[null, 3, 4]", "[null, 3, 4]", "[null, 3, 4]"};
    merge("Add", "{}", 1, alike, "", "2x3x4", m_add, NULL);
    merge("Add", "{}", 2, alike, "ADD", "2x3x4", m_add, NULL);
    merge("Add", "{}", 3, alike, "ADD ADD", "2x3x4", m_add, NULL);
    merge("Subtract", "{}", 2, alike, "SUB", "2x3x4", m_sub, NULL);
    merge("Multiply", "{}", 3, alike, "MUL MUL", "2x3x4", m_mul, NULL);
    merge("Average", "{}", 3, alike, "ADD ADD MUL", "2x3x4", m_mean, NULL);
    merge("Maximum", "{}", 3, alike, "MAXIMUM MAXIMUM", "2x3x4", m_max, NULL);
    merge("Minimum", "{}", 2, alike, "MINIMUM", "2x3x4", m_min, NULL);
    merge("CustomScaleLayer", "{\"scale\": 0.25}", 2, alike, "MUL ADD", "2x3x4", m_scaled, NULL);
    const char *const ranks[] = {"[null, 3, 5, 4]", "[null, 4]"};
    merge("Add", "{}", 2, ranks, "RESHAPE ADD", "2x3x5x4", m_add, (uint32_t[]){0, 4}); /* [n, 4] -> [n, 1, 1, 4] */
    const char *const open[] = {"[null, 3, null, 4]", "[null, null, 4]"};
    merge("Multiply", "{}", 2, open, "EXPAND_DIMS MUL", "2x3x2x4", m_mul, (uint32_t[]){0, 8}); /* two open sizes */
    const char *const cat[] = {"[null, 3, 4]", "[null, 3, 2]", "[null, 3, 1]"};
    merge("Concatenate", "{\"axis\": -1}", 3, cat, "CONCATENATION", "2x3x7", NULL, NULL);
    const char *const cat1[] = {"[null, 3, 4]", "[null, 5, 4]"};
    merge("Concatenate", "{\"axis\": 1}", 2, cat1, "CONCATENATION", "2x8x4", NULL, NULL);
}

/* ---- operations of Keras 3
 * ------------------------------------------------------------------------------------------------------ */

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_core),
        cmocka_unit_test(test_conv),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_pad),
        cmocka_unit_test(test_activation_names),
        cmocka_unit_test(test_activation_layers),
        cmocka_unit_test(test_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
