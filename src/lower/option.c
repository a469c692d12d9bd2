/*
 * Reading a layer's config. The config comes from a file: every value is checked for kind and range before it is used, and a
 * refusal shows option and value: 'layer "c" (Conv2D): option "strides" is [0, 1]: needs at least 1'. A missing option takes
 * the default of the Keras class (old files leave out options that later versions added).
 */
#include "lower/lower.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int32_t fail_option(lc_call *c, lc_status status, const char *key, const char *why) {
    const lc_json *v = lc_json_get(c->config, key);
    if (!v) return lc_build_fail(c->b, LC_INVALID, "option \"%s\" is missing: %s", key, why);
    lc_text text = {0};
    lc_json_write(v, &text);
    const char *shown = text.data && !text.failed ? text.data : "?";
    lc_build_fail(c->b, status, "option \"%s\" is %.200s%s: %s", key, shown, strlen(shown) > 200 ? "..." : "", why);
    lc_text_deinit(&text);
    return -1;
}

int32_t lc_opt_fail(lc_call *c, const char *key, const char *format, ...) {
    char why[600];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return fail_option(c, LC_UNSUPPORTED, key, why);
}

/* A value that Keras itself refuses, so none that a saved model has. */
static void fail_invalid(lc_call *c, const char *key, const char *why) {
    fail_option(c, LC_INVALID, key, why);
    lc_build_hint(c->b, "Keras builds no layer with this value: the file is damaged or was changed by hand; save the model again");
}

/* ---- values -------------------------------------------------------------------------------------------------- */

const lc_json *lc_opt(lc_call *c, const char *key) {
    const lc_json *v = lc_opt_given(c, key);
    return lc_json_is(v, LC_JSON_NULL) ? NULL : v;
}

bool lc_opt_bool(lc_call *c, const char *key, bool otherwise) {
    const lc_json *v = lc_opt(c, key);
    if (!v) return otherwise;
    if (v->kind == LC_JSON_BOOL) return v->boolean;
    if (v->kind == LC_JSON_INT && (v->integer == 0 || v->integer == 1)) return v->integer == 1;
    fail_invalid(c, key, "needs true or false");
    return otherwise;
}

const char *lc_opt_str(lc_call *c, const char *key, const char *otherwise) {
    const lc_json *v = lc_opt(c, key);
    return lc_json_is(v, LC_JSON_STRING) ? v->string : otherwise;
}

/* What Keras serialised NumPy's numbers and arrays as: {"class_name": "__numpy__", "config": {"value": [..]}}. */
static const lc_json *unwrapped(const lc_json *v) {
    for (int i = 0; i < 4 && lc_json_is(v, LC_JSON_OBJECT); i++) {
        const lc_json *value = lc_json_get(v, "value");
        v = value ? value : lc_json_get(v, "config");
    }
    return v;
}

static const lc_json *number(const lc_json *v) {
    v = unwrapped(v);
    return lc_json_is(v, LC_JSON_INT) || lc_json_is(v, LC_JSON_REAL) ? v : NULL;
}

double lc_opt_num(lc_call *c, const char *key, double otherwise) {
    const lc_json *v = lc_opt(c, key);
    if (!v) return otherwise;
    const lc_json *n = number(v);
    if (n) return n->real;
    fail_invalid(c, key, "needs a number");
    return otherwise;
}

/* A whole number in [low, high] out of a JSON value; false when it is none. */
static bool whole(const lc_json *v, int32_t low, int32_t high, int32_t *out) {
    if (lc_json_is(v, LC_JSON_REAL)) {
        if (!(v->real >= low && v->real <= high) || v->real != floor(v->real)) return false;
        *out = (int32_t)v->real;
        return true;
    }
    if (!lc_json_is(v, LC_JSON_INT) || v->integer < low || v->integer > high) return false;
    *out = (int32_t)v->integer;
    return true;
}

static void fail_range(lc_call *c, const char *key, int32_t low, int32_t high) {
    char why[80];
    snprintf(why, sizeof why, "needs a whole number from %d to %d", low, high);
    fail_invalid(c, key, why);
}

int32_t lc_opt_int(lc_call *c, const char *key, int32_t low, int32_t high, int32_t otherwise) {
    const lc_json *v = lc_opt(c, key);
    int32_t n = otherwise;
    if (!v ? otherwise < low || otherwise > high : !whole(number(v), low, high, &n)) fail_range(c, key, low, high);
    return n;
}

int32_t lc_opt_size(lc_call *c, const char *key) { return lc_opt_int(c, key, 1, INT32_MAX, 0); }

void lc_opt_sizes(lc_call *c, const char *key, int32_t low, int32_t otherwise, int32_t *out, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) out[i] = otherwise;
    const lc_json *v = lc_opt(c, key);
    if (!v) {
        if (otherwise < low) lc_opt_fail(c, key, "needs %u whole numbers", n);
        return;
    }
    bool list = v->kind == LC_JSON_ARRAY;
    if (list && v->count != n && v->count != 1) {
        lc_opt_fail(c, key, "needs a whole number or a list of %u", n);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const lc_json *item = list ? lc_json_at(v, v->count == 1 ? 0 : i) : v;
        if (!whole(item, low, INT32_MAX, &out[i])) {
            fail_range(c, key, low, INT32_MAX);
            return;
        }
    }
}

int32_t lc_opt_choice(lc_call *c, const char *key, const char *const *choices) {
    const lc_json *v = lc_opt(c, key);
    if (!v) return 0;
    lc_text list = {0};
    for (int32_t i = 0; choices[i]; i++) {
        if (v->kind == LC_JSON_STRING && strcmp(v->string, choices[i]) == 0) {
            lc_text_deinit(&list);
            return i;
        }
        lc_text_printf(&list, "%s\"%s\"", i == 0 ? "" : choices[i + 1] ? ", " : " and ", choices[i]);
    }
    lc_opt_fail(c, key, "litec knows %s", list.data ? list.data : "other values");
    lc_text_deinit(&list);
    return 0;
}

bool lc_opt_channels_first(lc_call *c) {
    static const char *const formats[] = {"channels_last", "channels_first", NULL};
    return lc_opt_choice(c, "data_format", formats) == 1;
}

/* Counts (out NULL) or stores the numbers of a nested list. False on anything else. */
static bool flatten(const lc_json *v, double *out, uint32_t *n) {
    if (lc_json_is(v, LC_JSON_INT) || lc_json_is(v, LC_JSON_REAL)) {
        if (out) out[*n] = v->real;
        return ++*n < UINT32_MAX;
    }
    if (!lc_json_is(v, LC_JSON_ARRAY)) return false;
    for (uint32_t i = 0; i < v->count; i++)
        if (!flatten(&v->items[i], out, n)) return false;
    return true;
}

uint32_t lc_opt_floats(lc_call *c, const char *key, const double **values) {
    *values = NULL;
    if (c->b->status != LC_OK) return 0;
    const lc_json *v = unwrapped(lc_opt(c, key));
    uint32_t n = 0;
    if (!v || !flatten(v, NULL, &n) || n == 0) {
        lc_opt_fail(c, key, "needs a number or a list of numbers");
        return 0;
    }
    if (!lc_build_check(c->b, lc_budget_memory(&c->lower->budget, (uint64_t)n * sizeof(double), key, c->b->err))) return 0;
    double *out = lc_arena_array(&c->lower->scratch, n, sizeof *out);
    if (!out) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "an option's numbers"));
        return 0;
    }
    n = 0;
    flatten(v, out, &n);
    *values = out;
    return n;
}

int32_t lc_opt_list_rank(lc_call *c, const char *key, int32_t *dims) {
    int32_t rank = 0;
    for (const lc_json *v = unwrapped(lc_opt(c, key)); lc_json_is(v, LC_JSON_ARRAY); v = lc_json_at(v, 0)) {
        if (rank == LC_MAX_RANK || v->count > INT32_MAX) {
            lc_opt_fail(c, key, "needs a list of up to %d dimensions", LC_MAX_RANK);
            return 0;
        }
        dims[rank++] = (int32_t)v->count;
    }
    return rank;
}

/* ---- inputs --------------------------------------------------------------------------------------------------- */

bool lc_call_shape(lc_call *c, int32_t x, lc_shape *shape) { return lc_build_shape(c->b, x, shape); }

int32_t lc_call_float(lc_call *c, uint32_t i) {
    if (i >= c->in_count) return lc_build_fail(c->b, LC_INVALID, "it has no input %u", i);
    lc_dtype type = lc_build_type(c->b, c->in[i]);
    switch (type) {
    case LC_FLOAT32: return c->in[i];
    case LC_BOOL:
    case LC_INT8:
    case LC_UINT8:
    case LC_INT16:
    case LC_UINT16:
    case LC_INT32:
    case LC_UINT32:
    case LC_INT64: return lc_build_cast(c->b, c->in[i], LC_FLOAT32);
    default: return lc_build_fail(c->b, LC_UNSUPPORTED, "its input is %s, needs numbers", lc_dtype_name(type));
    }
}

int32_t lc_call_ranked(lc_call *c, uint32_t i, int32_t rank, lc_shape *shape) {
    int32_t x = lc_call_float(c, i);
    if (lc_call_shape(c, x, shape) && shape->rank != rank)
        lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs %d", shape->rank, rank);
    return x;
}

int32_t lc_call_known(lc_call *c, const lc_shape *shape, int32_t axis, const char *what) {
    if (c->b->status != LC_OK) return 1;
    int32_t n = shape->dims[axis];
    if (n < 0) {
        lc_build_fail(c->b, LC_UNSUPPORTED, "%s (dimension %d of its input) is not known", what, axis);
        lc_build_hint(c->b, "give the Input of the model a complete shape (only the batch may be None) and save it again");
        return 1;
    }
    return n;
}

int32_t lc_call_axis(lc_call *c, const char *key, int64_t axis, int32_t rank) {
    if (axis < -rank || axis >= rank) {
        lc_build_fail(c->b, LC_INVALID, "option \"%s\" names axis %lld of an input with %d dimensions", key, (long long)axis, rank);
        return 0;
    }
    return (int32_t)(axis < 0 ? axis + rank : axis);
}

int32_t lc_call_channels_last(lc_call *c, int32_t x, bool channels_first) {
    lc_shape s;
    if (!channels_first || !lc_call_shape(c, x, &s)) return x;
    int32_t perm[LC_MAX_RANK];
    for (int32_t i = 0; i < s.rank; i++) perm[i] = i == 0 ? 0 : i + 1 < s.rank ? i + 1 : 1;
    return lc_build_transpose(c->b, x, perm, s.rank);
}

int32_t lc_call_channels_back(lc_call *c, int32_t x, bool channels_first) {
    lc_shape s;
    if (!channels_first || !lc_call_shape(c, x, &s)) return x;
    int32_t perm[LC_MAX_RANK];
    for (int32_t i = 0; i < s.rank; i++) perm[i] = i == 0 ? 0 : i == 1 ? s.rank - 1 : i - 1;
    return lc_build_transpose(c->b, x, perm, s.rank);
}
