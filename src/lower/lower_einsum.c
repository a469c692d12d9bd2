/*
 * Layers that are one product of two tensors over named dimensions: EinsumDense and Dot. The product itself is TensorFlow's Einsum
 * (tf_einsum.c), or one FULLY_CONNECTED where the dimensions stand as in a dense layer:
 *
 *   [batch..., k...] , [k..., n...] -> [batch..., n...]
 *
 * EinsumDense's equation is  X,Y->Z,  ...X,Y->...Z  or  X...,Y->Z...; what the dots stand for gets letters of its own.
 */
#include "ir/constant.h"
#include "lower/image.h"
#include "lower/quantised.h"
#include "lower/training.h"

#include <string.h>

#define LETTERS 52

static bool letter(char ch) { return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z'); }
static uint8_t label_of(char ch) { return (uint8_t)(ch >= 'a' ? ch - 'a' : ch - 'A' + 26); }

/* Letters up to the next that is none. */
static const char *take(const char *at, uint8_t *labels, int32_t *n, bool *fits) {
    for (*n = 0; letter(*at); at++) {
        if (*n >= LC_MAX_RANK) *fits = false;
        else labels[(*n)++] = label_of(*at);
    }
    return at;
}

static const char *skip(const char *at, const char *what) {
    const size_t n = strlen(what);
    return strncmp(at, what, n) == 0 ? at + n : NULL;
}

/* `elided` dimensions in front of the labels, or behind them. */
static void elide(uint8_t *labels, int32_t *n, const uint8_t *free_labels, int32_t elided, bool left) {
    if (left) memmove(labels + elided, labels, (size_t)*n);
    memcpy(left ? labels : labels + *n, free_labels, (size_t)elided);
    *n += elided;
}

/* Reads the option "equation" for an input of this rank; false when failed. */
static bool read_equation(lc_call *c, lc_equation *e, int32_t rank) {
    const lc_json *v = lc_opt(c, "equation");
    bool fits = true;
    *e = (lc_equation){0};
    if (c->b->status != LC_OK) return false;
    if (!lc_json_is(v, LC_JSON_STRING)) return lc_opt_fail(c, "equation", "needs a string such as \"abc,cd->abd\"") == 0;
    const char *at = v->string, *next = skip(at, "...");
    const bool left = next != NULL;
    at = take(left ? next : at, e->x, &e->x_n, &fits);
    next = skip(at, "...");
    const bool right = !left && next;
    at = skip(right ? next : at, ",");
    if (at) at = take(at, e->w, &e->w_n, &fits);
    if (at) at = skip(at, "->");
    if (at && left) at = skip(at, "...");
    if (at) at = take(at, e->y, &e->y_n, &fits);
    if (at && right) at = skip(at, "...");
    const int32_t elided = rank - e->x_n;
    if (!at || *at || !e->x_n || !e->w_n || !e->y_n)
        return lc_opt_fail(c, "equation", "needs the form of \"ab,bc->ac\", \"...b,bc->...c\" or \"ab...,bc->ac...\"") == 0;
    if (!fits || e->y_n + elided > LC_MAX_RANK) return lc_opt_fail(c, "equation", "litec takes up to %d dimensions", LC_MAX_RANK) == 0;
    if (elided < 0 || (elided && !left && !right)) return lc_opt_fail(c, "equation", "its input has %d dimensions", rank) == 0;
    bool used[LETTERS] = {false};
    const uint8_t *lists[3] = {e->x, e->w, e->y};
    const int32_t counts[3] = {e->x_n, e->w_n, e->y_n};
    for (int k = 0; k < 3; k++) {
        bool here[LETTERS] = {false};
        for (int32_t i = 0; i < counts[k]; i++) {
            if (here[lists[k][i]]) return lc_opt_fail(c, "equation", "names a dimension twice in one tensor") == 0;
            if (k == 2 && !used[lists[k][i]]) return lc_opt_fail(c, "equation", "its result has a dimension that no input has") == 0;
            here[lists[k][i]] = used[lists[k][i]] = true;
        }
    }
    uint8_t spare[LC_MAX_RANK], next_label = 0;
    for (int32_t i = 0; i < elided; i++) {
        while (used[next_label]) next_label++; /* 24 letters are used at most */
        used[next_label] = true;
        spare[i] = next_label;
    }
    elide(e->x, &e->x_n, spare, elided, left);
    elide(e->y, &e->y_n, spare, elided, left);
    e->left = left ? elided : 0;
    e->right = left ? 0 : elided;
    return true;
}

static int32_t find(const uint8_t *labels, int32_t n, uint8_t label) {
    for (int32_t i = 0; i < n; i++)
        if (labels[i] == label) return i;
    return -1;
}

/* Sizes of the kernel's dimensions: of the input, or of output_shape, which has neither the batch nor what the dots stand for. */
static bool kernel_shape(lc_call *c, const lc_equation *e, const lc_shape *s, int32_t *dims) {
    const lc_json *out = lc_opt(c, "output_shape");
    const bool list = lc_json_is(out, LC_JSON_ARRAY);
    const int32_t first = e->left ? e->left : 1;
    if (c->b->status != LC_OK) return false;
    for (int32_t i = 0; i < e->w_n; i++) {
        const int32_t x = find(e->x, e->x_n, e->w[i]), y = find(e->y, e->y_n, e->w[i]);
        const lc_json *v = y < first || y >= e->y_n - e->right ? NULL
                           : list                              ? lc_json_at(out, (uint32_t)(y - first))
                           : y == first                        ? out
                                                               : NULL;
        if (lc_json_is(v, LC_JSON_INT) && v->integer >= 1 && v->integer <= INT32_MAX) dims[i] = (int32_t)v->integer;
        else if (x >= 0) dims[i] = lc_call_known(c, s, x, "a size of the kernel");
        else return lc_opt_fail(c, "output_shape", "does not say the size of a dimension of the kernel") == 0;
    }
    return c->b->status == LC_OK;
}

/* How many dimensions are summed over when the product is that of a dense layer; 0: it is not. */
static int32_t dense_form(const lc_equation *e) {
    int32_t k = 0;
    while (k < e->w_n && k < e->x_n && find(e->y, e->y_n, e->w[k]) < 0) k++;
    const int32_t batch = e->x_n - k, n = e->w_n - k;
    if (!k || batch < 1 || n < 1 || e->y_n != batch + n) return 0;
    return memcmp(e->x + batch, e->w, (size_t)k) == 0 && memcmp(e->y, e->x, (size_t)batch) == 0 &&
                   memcmp(e->y + batch, e->w + k, (size_t)n) == 0
               ? k
               : 0;
}

/* Whether the bias has all new dimensions of the result and no other: it goes into FULLY_CONNECTED. */
static bool dense_bias(lc_call *c, const lc_equation *e, int32_t k) {
    const lc_json *axes = lc_opt(c, "bias_axes");
    int32_t n = 0;
    if (!lc_json_is(axes, LC_JSON_STRING)) return false;
    for (const char *at = axes->string; *at; at++) n += letter(*at) && find(e->w + k, e->w_n - k, label_of(*at)) >= 0 ? 1 : LC_MAX_RANK;
    return n == e->w_n - k;
}

/* FULLY_CONNECTED of [batch..., k] and back; with the bias, weight 1, when `bias` is true. */
static int32_t dense(lc_call *c, const lc_equation *e, int32_t x, int32_t k, const int32_t *dims, bool bias, int8_t act) {
    lc_tf_call *m = lc_eager_maker(c);
    int64_t depth = 1, units = 1;
    const int32_t batch = e->x_n - k;
    for (int32_t i = 0; i < e->w_n; i++)
        if (!lc_mul_i64(i < k ? depth : units, dims[i], i < k ? &depth : &units) || depth > INT32_MAX || units > INT32_MAX)
            return lc_build_fail(c->b, LC_LIMIT, "its kernel is too large");
    const int32_t wanted[2] = {(int32_t)units, (int32_t)depth};
    int32_t filter;
    if (e->w_n - k == 1) filter = lc_weight_transposed(c, 0, 0, "kernel", dims, e->w_n, wanted, 2);
    else {
        const lc_keras_weight *w = lc_weight(c, 0, "kernel", dims, e->w_n);
        if (!w) return -1;
        if (lc_trains(c)) {
            if (!c->slots[0]) c->slots[0] = lc_weight_turned(c, lc_training_input(c, w, "kernel", true), wanted[1], wanted[0]) + 1;
        }
        const lc_deferred made = {.type = w->type, .data = w->data, .rows = (size_t)depth, .cols = (size_t)units};
        if (!c->slots[0]) c->slots[0] = lc_build_deferred(c->b, "kernel", wanted, 2, &made) + 1;
        filter = c->slots[0] - 1;
    }
    const int32_t front = lc_tf_sizes(m, x, 0, batch), row[2] = {front, lc_tf_size_const(m, depth)},
                  result[2] = {front, lc_build_ints(c->b, "units", dims + k, (uint32_t)(e->w_n - k))};
    if (k > 1) x = lc_tf_reshape_like(m, x, lc_tf_concat(m, row, 2, 0));
    const int32_t width = (int32_t)units;
    const int32_t in[3] = {x, filter, bias ? lc_weight_const(c, 1, 1, "bias", dims + k, e->w_n - k, &width, 1) : LC_ABSENT};
    const lc_FullyConnectedOptions o = {.keep_num_dims = batch > 1, .fused_activation_function = act};
    x = lc_build_op(c->b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &o, in, 3);
    if (e->w_n - k == 1) return x;
    return lc_tf_reshape_like(m, x, lc_tf_concat(m, result, 2, 0));
}

/* The shape of the bias: from its first dimension on, 1 where it is the same for all. Returns its rank, -1 when failed. */
static int32_t bias_shape(lc_call *c, const lc_equation *e, int32_t y, int32_t *dims) {
    const lc_json *axes = lc_opt(c, "bias_axes");
    bool has[LC_MAX_RANK] = {false};
    int32_t first = LC_MAX_RANK;
    lc_shape s;
    if (!lc_call_shape(c, y, &s)) return -1;
    if (!lc_json_is(axes, LC_JSON_STRING) || !axes->string[0]) return lc_opt_fail(c, "bias_axes", "needs letters of the result");
    for (const char *at = axes->string; *at; at++) {
        int32_t i = letter(*at) ? find(e->y + e->left, e->y_n - e->left - e->right, label_of(*at)) : -1;
        if (i < 0) return lc_opt_fail(c, "bias_axes", "names a dimension that the result does not have");
        has[i += e->left] = true;
        if (i < first) first = i;
    }
    for (int32_t i = first; i < e->y_n; i++) dims[i - first] = has[i] ? lc_call_known(c, &s, i, "a size of the bias") : 1;
    return e->y_n - first;
}

/* What is summed over: the kernel's dimensions that the result does not have. */
static void fan_in(lc_call *c, const lc_equation *e, const int32_t *dims) {
    size_t n = 1;
    for (int32_t i = 0; i < e->w_n; i++)
        if (find(e->y, e->y_n, e->w[i]) < 0) n *= (size_t)dims[i];
    lc_training_fan(c, n);
}

int32_t lc_lower_einsum_dense(lc_call *c) {
    int32_t x = lc_call_float(c, 0), dims[LC_MAX_RANK], bias_dims[LC_MAX_RANK], y;
    lc_equation e;
    lc_shape s;
    if (!lc_call_shape(c, x, &s) || !read_equation(c, &e, s.rank) || !kernel_shape(c, &e, &s, dims)) return -1;
    const bool bias = lc_opt(c, "bias_axes") != NULL;
    x = lc_quantised_input(c, &e, dims, bias, x);
    if (!lc_weights(c, bias ? 2 : 1, bias ? "kernel, bias" : "kernel")) return -1;
    const int32_t k = dense_form(&e);
    fan_in(c, &e, dims);
    const bool inside = k && bias && dense_bias(c, &e, k);
    int8_t act = LC_LOWER_ACT(NONE);
    const bool fused = k && (inside || !bias) && lc_lower_fusable(lc_opt(c, "activation"), &act);
    if (k) y = dense(c, &e, x, k, dims, inside, act);
    else
        y = lc_tf_contract(lc_eager_maker(c), x, e.x, lc_weight_const(c, 0, 0, "kernel", dims, e.w_n, dims, e.w_n), e.w, e.y,
                           (uint32_t)e.y_n);
    if (bias && !inside) {
        const int32_t rank = bias_shape(c, &e, y, bias_dims);
        if (rank < 0) return -1;
        y = lc_build_binary(c->b, LC_OP_ADD, y, lc_weight_const(c, 1, 1, "bias", bias_dims, rank, bias_dims, rank), LC_LOWER_ACT(NONE));
    }
    return fused ? y : lc_lower_activation(c, "activation", lc_opt(c, "activation"), y);
}

/* ---- Dot --------------------------------------------------------------------------------------------------------------- */

/* The sum of products over one dimension of each input, example by example: [n, rest of x, rest of y], and [n, 1] for two rows. */
int32_t lc_lower_dot(lc_call *c) {
    const lc_json *axes = lc_opt(c, "axes");
    const bool list = lc_json_is(axes, LC_JSON_ARRAY), normalize = lc_opt_bool(c, "normalize", false);
    int32_t t[2], at[2], n = 1;
    lc_shape s[2];
    uint8_t labels[2][LC_MAX_RANK], out[2 * LC_MAX_RANK], label = 2;
    if (list && axes->count != 2) return lc_opt_fail(c, "axes", "needs an axis, or one for each input");
    for (int i = 0; i < 2; i++) {
        const lc_json *one = list ? lc_json_at(axes, (uint32_t)i) : axes;
        t[i] = lc_call_float(c, (uint32_t)i);
        if (!lc_call_shape(c, t[i], &s[i])) return -1;
        if (!lc_json_is(one, LC_JSON_INT)) return lc_opt_fail(c, "axes", "needs whole numbers");
        at[i] = lc_call_axis(c, "axes", one->integer, s[i].rank);
        if (c->b->status == LC_OK && at[i] == 0) return lc_opt_fail(c, "axes", "names the batch");
        if (normalize) t[i] = lc_lower_unit(c, t[i], &at[i], 1, 1e-7);
    }
    if (c->b->status != LC_OK) return -1;
    if (s[0].dims[at[0]] >= 0 && s[1].dims[at[1]] >= 0 && s[0].dims[at[0]] != s[1].dims[at[1]])
        return lc_opt_fail(c, "axes", "these dimensions are %d and %d", s[0].dims[at[0]], s[1].dims[at[1]]);
    if (s[0].rank + s[1].rank - 3 > LC_MAX_RANK) return lc_build_fail(c->b, LC_UNSUPPORTED, "its result has too many dimensions");
    out[0] = 0;
    for (int i = 0; i < 2; i++)
        for (int32_t d = 0; d < s[i].rank; d++) {
            labels[i][d] = d == 0 ? 0 : d == at[i] ? 1 : label++;
            if (d && d != at[i]) out[n++] = labels[i][d];
        }
    if (s[0].rank == 2 && s[1].rank == 2) {
        const int32_t axis = 1;
        return lc_build_reduce(c->b, LC_OP_SUM, lc_build_binary(c->b, LC_OP_MUL, t[0], t[1], LC_LOWER_ACT(NONE)), &axis, 1, true);
    }
    return lc_tf_contract(lc_eager_maker(c), t[0], labels[0], t[1], labels[1], out, (uint32_t)n);
}
