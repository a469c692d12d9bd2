/*
 * Activations: the functions Keras knows by name, and the layers that are one. Each is written with the TFLite operators that
 * say it directly, else in the form that stays finite for every finite input:
 *
 *   softplus     max(x, log(1 + exp(min(x, 80))))         the plain form overflows from 89 on
 *   log_sigmoid  min(x, log(sigmoid(max(x, -20))))        sigmoid underflows below -87
 *   mish         x tanh(log(1 + exp(x)))                  an overflow in it is harmless: tanh(inf) = 1
 *   elu(alpha)   leaky_relu(elu(x), alpha)                elu keeps the sign, so the slope acts on the exp part alone
 *
 * Keras 2 and 3 differ in hard_sigmoid: clip(0.2 x + 0.5, 0, 1) against relu6(x + 3) / 6.
 */
#include "lower/lower.h"
#include "lower/rounding.h"

#include <ctype.h>
#include <string.h>

static int32_t unary(lc_call *c, int32_t op, int32_t x) { return lc_build_unary(c->b, op, x); }
static int32_t binary(lc_call *c, int32_t op, int32_t x, int32_t y) { return lc_build_binary(c->b, op, x, y, LC_LOWER_ACT(NONE)); }
static int32_t scalar(lc_call *c, int32_t op, int32_t x, const char *name, double v) {
    return lc_build_with_scalar(c->b, op, x, name, (float)v);
}

/* ---- building blocks -------------------------------------------------------------------------------------------- */

int32_t lc_lower_leaky(lc_call *c, int32_t x, double slope) {
    lc_LeakyReluOptions o = {.alpha = (float)slope};
    return lc_build_op(c->b, LC_OP_LEAKY_RELU, LC_TABLE_LeakyReluOptions, &o, &x, 1);
}

int32_t lc_lower_elu_alpha(lc_call *c, int32_t x, double alpha) {
    x = unary(c, LC_OP_ELU, x);
    return alpha == 1 ? x : lc_lower_leaky(c, x, alpha);
}

int32_t lc_lower_softmax(lc_call *c, int32_t op, int32_t x, int32_t axis) {
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    if (s.rank < 1) return lc_build_fail(c->b, LC_INVALID, "softmax of a single number");
    int32_t perm[LC_MAX_RANK];
    for (int32_t i = 0; i < s.rank; i++) perm[i] = i;
    perm[axis] = s.rank - 1;
    perm[s.rank - 1] = axis;
    if (axis != s.rank - 1) x = lc_build_transpose(c->b, x, perm, s.rank);
    lc_SoftmaxOptions o = {.beta = 1};
    x = op == LC_OP_SOFTMAX ? lc_build_op(c->b, op, LC_TABLE_SoftmaxOptions, &o, &x, 1) : unary(c, op, x);
    return axis != s.rank - 1 ? lc_build_transpose(c->b, x, perm, s.rank) : x;
}

static int32_t softmax_last(lc_call *c, int32_t op, int32_t x) {
    lc_shape s;
    return lc_call_shape(c, x, &s) ? lc_lower_softmax(c, op, x, s.rank - 1) : -1;
}

/* log(1 + exp(x)), good up to 88 */
static int32_t log1p_exp(lc_call *c, int32_t x) { return unary(c, LC_OP_LOG, scalar(c, LC_OP_ADD, unary(c, LC_OP_EXP, x), "one", 1)); }

/* ---- the functions Keras knows by name ---------------------------------------------------------------------------- */

static int32_t act_linear(lc_call *c, int32_t x) { return (void)c, x; }
static int32_t act_relu(lc_call *c, int32_t x) { return unary(c, LC_OP_RELU, x); }
static int32_t act_relu6(lc_call *c, int32_t x) { return unary(c, LC_OP_RELU6, x); }
static int32_t act_leaky_relu(lc_call *c, int32_t x) { return lc_lower_leaky(c, x, 0.2); }
static int32_t act_elu(lc_call *c, int32_t x) { return unary(c, LC_OP_ELU, x); }
static int32_t act_celu(lc_call *c, int32_t x) { return unary(c, LC_OP_ELU, x); } /* alpha 1: the same function */
static int32_t act_selu(lc_call *c, int32_t x) {
    return scalar(c, LC_OP_MUL, lc_lower_elu_alpha(c, x, 1.6732632423543772848170429916717), "scale", 1.0507009873554804934193349852946);
}
static int32_t act_sigmoid(lc_call *c, int32_t x) { return unary(c, LC_OP_LOGISTIC, x); }
static int32_t act_tanh(lc_call *c, int32_t x) { return unary(c, LC_OP_TANH, x); }
static int32_t act_softmax(lc_call *c, int32_t x) { return softmax_last(c, LC_OP_SOFTMAX, x); }
static int32_t act_log_softmax(lc_call *c, int32_t x) { return softmax_last(c, LC_OP_LOG_SOFTMAX, x); }
static int32_t act_exponential(lc_call *c, int32_t x) { return unary(c, LC_OP_EXP, x); }
static int32_t act_silu(lc_call *c, int32_t x) { return binary(c, LC_OP_MUL, x, unary(c, LC_OP_LOGISTIC, x)); }
static int32_t act_hard_silu(lc_call *c, int32_t x) { return unary(c, LC_OP_HARD_SWISH, x); }

static int32_t act_gelu(lc_call *c, int32_t x) {
    lc_GeluOptions o = {.approximate = false};
    return lc_build_op(c->b, LC_OP_GELU, LC_TABLE_GeluOptions, &o, &x, 1);
}

static int32_t act_hard_sigmoid(lc_call *c, int32_t x) {
    if (c->lower->keras2) return unary(c, LC_OP_RELU_0_TO_1, scalar(c, LC_OP_ADD, scalar(c, LC_OP_MUL, x, "slope", 0.2), "half", 0.5));
    int32_t y = lc_build_binary(c->b, LC_OP_ADD, x, lc_build_scalar(c->b, "three", 3), LC_LOWER_ACT(RELU6));
    return scalar(c, LC_OP_MUL, y, "sixth", 1.0 / 6);
}

static int32_t act_softplus(lc_call *c, int32_t x) {
    return binary(c, LC_OP_MAXIMUM, x, log1p_exp(c, scalar(c, LC_OP_MINIMUM, x, "high", 80)));
}
static int32_t act_mish(lc_call *c, int32_t x) { return binary(c, LC_OP_MUL, x, unary(c, LC_OP_TANH, log1p_exp(c, x))); }
static int32_t act_softsign(lc_call *c, int32_t x) {
    return binary(c, LC_OP_DIV, x, scalar(c, LC_OP_ADD, unary(c, LC_OP_ABS, x), "one", 1));
}
static int32_t act_log_sigmoid(lc_call *c, int32_t x) {
    return binary(c, LC_OP_MINIMUM, x, unary(c, LC_OP_LOG, unary(c, LC_OP_LOGISTIC, scalar(c, LC_OP_MAXIMUM, x, "low", -20))));
}
static int32_t act_hard_tanh(lc_call *c, int32_t x) { return unary(c, LC_OP_RELU_N1_TO_1, x); }
static int32_t act_tanh_shrink(lc_call *c, int32_t x) { return binary(c, LC_OP_SUB, x, unary(c, LC_OP_TANH, x)); }
static int32_t act_soft_shrink(lc_call *c, int32_t x) { /* x less its part in [-0.5, 0.5] */
    return binary(c, LC_OP_SUB, x, scalar(c, LC_OP_MINIMUM, scalar(c, LC_OP_MAXIMUM, x, "low", -0.5), "high", 0.5));
}
static int32_t act_hard_shrink(lc_call *c, int32_t x) {
    int32_t outside = scalar(c, LC_OP_GREATER, unary(c, LC_OP_ABS, x), "threshold", 0.5);
    return lc_build_select(c->b, outside, x, lc_build_scalar(c->b, "zero", 0));
}
static int32_t act_squareplus(lc_call *c, int32_t x) { /* (x + sqrt(x x + 4)) / 2 */
    int32_t root = unary(c, LC_OP_SQRT, scalar(c, LC_OP_ADD, unary(c, LC_OP_SQUARE, x), "b", 4));
    return scalar(c, LC_OP_MUL, binary(c, LC_OP_ADD, x, root), "half", 0.5);
}
/* 0 up to -1, (x + 1)^2 / 4 up to 1, then x: with t = clip(x, -1, 1) it is (t + 1)^2 / 4 + (x - t) where x > t, which is max(.,
 * x) */
static int32_t act_sparse_plus(lc_call *c, int32_t x) {
    int32_t t = scalar(c, LC_OP_ADD, unary(c, LC_OP_RELU_N1_TO_1, x), "one", 1);
    return binary(c, LC_OP_MAXIMUM, x, scalar(c, LC_OP_MUL, unary(c, LC_OP_SQUARE, t), "quarter", 0.25));
}
static int32_t act_sparse_sigmoid(lc_call *c, int32_t x) {
    return unary(c, LC_OP_RELU_0_TO_1, scalar(c, LC_OP_ADD, scalar(c, LC_OP_MUL, x, "half", 0.5), "shift", 0.5));
}

/* The first half of the last dimension times the sigmoid of the second. */
static int32_t act_glu(lc_call *c, int32_t x) {
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    if (s.rank < 1) return lc_build_fail(c->b, LC_INVALID, "glu of a single number");
    int32_t axis = s.rank - 1, last = lc_call_known(c, &s, axis, "the size glu halves"), half[2] = {-1, -1};
    if (last % 2 != 0) return lc_build_fail(c->b, LC_INVALID, "glu halves the last dimension, which is %d", last);
    const int32_t in[2] = {lc_build_ints(c->b, "axis", &axis, 1), x};
    lc_SplitOptions o = {.num_splits = 2};
    lc_build_op_multi(c->b, LC_OP_SPLIT, LC_TABLE_SplitOptions, &o, in, 2, half, 2);
    return binary(c, LC_OP_MUL, half[0], unary(c, LC_OP_LOGISTIC, half[1]));
}

/* clang-format off */
#define SAME_NAME(X) \
    X(linear) X(relu) X(relu6) X(leaky_relu) X(elu) X(celu) X(selu) X(sigmoid) X(tanh) X(softmax) X(log_softmax) X(exponential) \
    X(silu) X(hard_silu) X(gelu) X(hard_sigmoid) X(softplus) X(mish) X(softsign) X(log_sigmoid) X(hard_tanh) X(tanh_shrink) \
    X(soft_shrink) X(hard_shrink) X(squareplus) X(sparse_plus) X(sparse_sigmoid) X(glu)
/* clang-format on */

static const struct {
    const char *name;
    int32_t (*make)(lc_call *, int32_t);
} activations[] = {
#define ROW(name) {#name, act_##name},
    SAME_NAME(ROW){"swish", act_silu},   {"hard_swish", act_hard_silu}, {"exp", act_exponential},
    {"softmax_v2", act_softmax}, /* what tf.nn.softmax calls itself in files of TensorFlow 2 */
    {"log_softmax_v2", act_log_softmax},
};

int32_t lc_lower_activation_name(lc_call *c, const char *key, const char *name, int32_t x) {
    const char *names[sizeof activations / sizeof *activations + 1] = {0};
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
        if (strcmp(activations[i].name, name) == 0) return activations[i].make(c, x);
        names[i] = activations[i].name;
    }
    if (strcmp(name, "sparsemax") == 0) {
        lc_opt_fail(c, key, "sparsemax sorts, which the operators litec writes cannot do");
        return lc_build_hint(c->b, "use softmax instead");
    }
    lc_opt_fail(c, key, "Keras has no activation \"%.100s\"", name);
    char small[64];
    size_t n = 0;
    for (; name[n] && n < sizeof small - 1; n++) small[n] = (char)tolower((unsigned char)name[n]);
    small[n] = '\0';
    const char *near = lc_nearest(small, names);
    if (near) return lc_build_hint(c->b, "did you mean \"%s\"?", near);
    if (c->lower->options->described) return lc_build_hint(c->b, "those of Keras are relu, gelu, sigmoid, softmax, tanh ...");
    return lc_build_hint(c->b,
                         "a function of your own cannot be read from a file: use a Keras activation, or export the model as SavedModel");
}

/* ---- as layers serialise them -------------------------------------------------------------------------------------- */

/* Name of {"class_name": "function", "config": "relu"} and of a plain string; NULL for anything else. */
static const char *function_name(const lc_json *value) {
    if (lc_json_is(value, LC_JSON_STRING)) return value->string;
    const char *class_name = lc_json_str(value, "class_name", "");
    return strcmp(class_name, "function") == 0 ? lc_json_str(value, "config", NULL) : NULL;
}

bool lc_lower_fusable(const lc_json *value, int8_t *fused) {
    const char *name = function_name(value);
    *fused = LC_LOWER_ACT(NONE);
    if (!value || lc_json_is(value, LC_JSON_NULL)) return true;
    if (!name) return false;
    if (strcmp(name, "relu") == 0) *fused = LC_LOWER_ACT(RELU);
    else if (strcmp(name, "relu6") == 0) *fused = LC_LOWER_ACT(RELU6);
    else return strcmp(name, "linear") == 0;
    return true;
}

int32_t lc_lower_activation(lc_call *c, const char *key, const lc_json *value, int32_t x) {
    if (c->b->status != LC_OK) return -1;
    if (!value || lc_json_is(value, LC_JSON_NULL)) return x;
    const char *name = function_name(value);
    if (name) return lc_lower_activation_name(c, key, name, lc_round_before(c, x, name));
    const char *class_name = lc_json_str(value, "class_name", NULL);
    if (!class_name) return lc_opt_fail(c, key, "needs the name of an activation");
    /* "package>ReLU" is somebody's own class, whatever it is called. */
    const lc_lower_row *row = strchr(lc_json_str(value, "registered_name", ""), '>') ? NULL : lc_lower_find(class_name);
    if (!row) return lc_lower_activation_name(c, key, class_name, x);
    if (!row->activation) return lc_opt_fail(c, key, "litec cannot use a %s layer as an activation", class_name);
    int32_t slots[LC_LOWER_SLOTS] = {0};
    lc_keras_layer layer = *c->layer;
    layer.class_name = class_name;
    layer.config = lc_json_get(value, "config");
    lc_call inner = {.lower = c->lower, .b = c->b, .layer = &layer, .config = layer.config, .in = &x, .in_count = 1, .slots = slots};
    return row->lower(&inner);
}

int32_t lc_lower_activation_layer(lc_call *c) { return lc_lower_activation(c, "activation", lc_opt(c, "activation"), lc_call_float(c, 0)); }

/* max_value where x >= max_value, x from threshold on, negative_slope * (x - threshold) below. */
int32_t lc_lower_re_lu(lc_call *c) {
    bool clip = lc_opt(c, "max_value") != NULL;
    double max = lc_opt_num(c, "max_value", 0), slope = lc_opt_num(c, "negative_slope", 0), threshold = lc_opt_num(c, "threshold", 0);
    int32_t x = lc_call_float(c, 0), y;
    if (clip && !(max >= 0)) return lc_opt_fail(c, "max_value", "needs a number of at least 0");
    if (slope != 0 && !clip && threshold == 0) return lc_lower_leaky(c, x, slope);
    if (threshold != 0) {
        int32_t above = scalar(c, LC_OP_GREATER, x, "threshold", threshold);
        y = lc_build_select(c->b, above, x, lc_build_scalar(c->b, "zero", 0));
        if (clip) y = scalar(c, LC_OP_MINIMUM, unary(c, LC_OP_RELU, y), "max_value", max);
    } else if (clip && max == 6) y = unary(c, LC_OP_RELU6, x);
    else if (clip && max == 1) y = unary(c, LC_OP_RELU_0_TO_1, x);
    else {
        y = unary(c, LC_OP_RELU, x);
        if (clip) y = scalar(c, LC_OP_MINIMUM, y, "max_value", max);
    }
    if (slope == 0) return y;
    int32_t below = threshold == 0 ? x : scalar(c, LC_OP_SUB, x, "threshold", threshold);
    return binary(c, LC_OP_ADD, y, scalar(c, LC_OP_MUL, scalar(c, LC_OP_MINIMUM, below, "zero", 0), "negative_slope", slope));
}

/* alpha in Keras 2, negative_slope in Keras 3; both 0.3 */
int32_t lc_lower_leaky_re_lu(lc_call *c) {
    double slope = lc_opt_num(c, lc_opt(c, "negative_slope") ? "negative_slope" : "alpha", 0.3);
    return lc_lower_leaky(c, lc_call_float(c, 0), slope);
}

int32_t lc_lower_thresholded_re_lu(lc_call *c) {
    int32_t x = lc_call_float(c, 0);
    int32_t above = scalar(c, LC_OP_GREATER, x, "theta", lc_opt_num(c, "theta", 1));
    return lc_build_select(c->b, above, x, lc_build_scalar(c->b, "zero", 0));
}

int32_t lc_lower_elu(lc_call *c) { return lc_lower_elu_alpha(c, lc_call_float(c, 0), lc_opt_num(c, "alpha", 1)); }

/* alpha has the shape of one example, with 1 at the shared axes (which count the batch as 0). */
int32_t lc_lower_p_re_lu(lc_call *c) {
    int32_t x = lc_call_float(c, 0);
    const lc_json *shared = lc_opt(c, "shared_axes");
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    if (s.rank < 2) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs at least 2", s.rank);
    if (shared && shared->kind != LC_JSON_ARRAY && shared->kind != LC_JSON_INT)
        return lc_opt_fail(c, "shared_axes", "needs a list of axes");
    uint32_t n = !shared ? 0 : shared->kind == LC_JSON_ARRAY ? shared->count : 1;
    for (uint32_t i = 0; i < n; i++) {
        const lc_json *axis = shared->kind == LC_JSON_ARRAY ? lc_json_at(shared, i) : shared;
        if (!lc_json_is(axis, LC_JSON_INT) || axis->integer == 0) return lc_opt_fail(c, "shared_axes", "needs axes from 1 on");
        s.dims[lc_call_axis(c, "shared_axes", axis->integer, s.rank)] = 1;
    }
    for (int32_t i = 1; i < s.rank; i++) lc_call_known(c, &s, i, "a size of alpha");
    if (!lc_weights(c, 1, "alpha")) return -1;
    return binary(c, LC_OP_PRELU, x, lc_weight_const(c, 0, 0, "alpha", s.dims + 1, s.rank - 1, s.dims + 1, s.rank - 1));
}

/* Over several axes at once: they are brought to the end and made one. axes[i]: axis i is among them. */
static int32_t softmax_over(lc_call *c, int32_t x, const lc_shape *s, const bool *axes) {
    int32_t perm[LC_MAX_RANK], back[LC_MAX_RANK], kept[LC_MAX_RANK], flat[LC_MAX_RANK], n = 0, at = 0;
    int64_t size = 1;
    for (int last = 0; last < 2; last++)
        for (int32_t i = 0; i < s->rank; i++)
            if (axes[i] == (last == 1)) perm[at++] = i;
    bool moved = false, open = false;
    for (int32_t i = 0; i < s->rank; i++) {
        const int32_t from = perm[i];
        back[from] = i;
        moved = moved || from != i;
        kept[i] = s->dims[from] < 0 && !axes[from] && !open ? -1 : lc_call_known(c, s, from, "a size of softmax");
        open = open || kept[i] < 0; /* RESHAPE has room for one open size */
        if (!axes[from]) flat[n++] = kept[i];
        else if (!lc_mul_i64(size, kept[i], &size) || size > INT32_MAX)
            return lc_opt_fail(c, "axis", "the product of these sizes is over 2147483647");
    }
    flat[n++] = (int32_t)size;
    if (moved) x = lc_build_transpose(c->b, x, perm, s->rank);
    x = lc_lower_softmax(c, LC_OP_SOFTMAX, lc_build_reshape(c->b, x, flat, n), n - 1);
    x = lc_build_reshape(c->b, x, kept, s->rank);
    return moved ? lc_build_transpose(c->b, x, back, s->rank) : x;
}

/* Softmax over the axes of the option. */
static int32_t plain_softmax(lc_call *c, int32_t x) {
    int32_t at = 0;
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    const lc_json *axis = lc_opt(c, "axis");
    if (!axis) return lc_lower_softmax(c, LC_OP_SOFTMAX, x, lc_call_axis(c, "axis", -1, s.rank));
    const bool list = axis->kind == LC_JSON_ARRAY;
    const uint32_t count = list ? axis->count : 1;
    bool axes[LC_MAX_RANK] = {false};
    for (uint32_t i = 0; i < count && c->b->status == LC_OK; i++) {
        const lc_json *one = list ? lc_json_at(axis, i) : axis;
        if (one->kind != LC_JSON_INT) return lc_opt_fail(c, "axis", "needs a whole number or a list of them");
        at = lc_call_axis(c, "axis", one->integer, s.rank);
        if (axes[at]) return lc_opt_fail(c, "axis", "names axis %d twice", at);
        axes[at] = true;
    }
    if (c->b->status != LC_OK) return -1;
    if (!count) return lc_opt_fail(c, "axis", "needs at least one axis");
    return count == 1 ? lc_lower_softmax(c, LC_OP_SOFTMAX, x, at) : softmax_over(c, x, &s, axes);
}

/*
 * What the mask holds false counts as -1e9. Keras 3 gives 0 there even if nothing is true; Keras 2 adds -1e9 instead (robust_masking: puts
 * it there), and gives what comes out.
 */
static int32_t masked_softmax(lc_call *c, int32_t x, int32_t mask) {
    const bool adds = c->lower->keras2 && !lc_opt_bool(c, "robust_masking", false);
    if (lc_build_type(c->b, mask) != LC_BOOL) {
        mask = lc_build_cast(c->b, mask, LC_FLOAT32);
        if (adds) {
            const int32_t less = scalar(c, LC_OP_MUL, binary(c, LC_OP_SUB, lc_build_scalar(c->b, "one", 1), mask), "large", -1e9);
            return plain_softmax(c, binary(c, LC_OP_ADD, x, less));
        }
        mask = scalar(c, LC_OP_GREATER, mask, "half", 0.5);
    }
    const int32_t low = adds ? scalar(c, LC_OP_ADD, x, "large", -1e9) : lc_build_scalar(c->b, "large", -1e9F);
    const int32_t y = plain_softmax(c, lc_build_select(c->b, mask, x, low));
    return c->lower->keras2 ? y : lc_build_select(c->b, mask, y, lc_build_scalar(c->b, "zero", 0));
}

int32_t lc_lower_softmax_layer(lc_call *c) {
    const int32_t x = lc_call_float(c, 0), given = lc_call_given_mask(c, 1), mask = given >= 0 ? given : lc_call_mask(c, 0);
    return mask >= 0 ? masked_softmax(c, x, mask) : plain_softmax(c, x);
}
