/*
 * formula_value.c: the values of formulas (formula.h): what a call's arguments and a layer's configuration hold, as tensors where an
 * operator wants them.
 *
 *   {"class_name": "__keras_tensor__"}, ["layer", 0, 0]      a tensor of the call, known by where it stands (call.c)
 *   ["_CONSTANT_VALUE", -1, v]                               v: Keras 2, a first argument that is no tensor
 *   {"class_name": "__numpy__" or "__tensor__", "config": {"value", "dtype"}}    an array
 *   2, 2.0, True, [..]                                       Python's own; a list with tensors in it is stacked
 *
 * Refused: lists of unequal lengths, numbers that are out of range for their type, unknown types.
 */
#include "lower/formula.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

lc_arg lc_formula_fail(lc_formula *f, const char *format, ...) {
    char why[500];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    if (!lc_formula_ok(f)) return lc_arg_none();
    lc_build_fail(f->c->b, LC_UNSUPPORTED, "%s", why);
    lc_build_hint(f->c->b,
                  "its parameters are (%s); write this step with Keras layers or other operations, export the model as SavedModel, or "
                  "use --allow-custom-ops to keep it as a CUSTOM operator",
                  f->signature);
    return lc_arg_none();
}

static void *room(lc_formula *f, size_t count, size_t size) {
    void *p = lc_arena_array(&f->c->lower->scratch, count ? count : 1, size);
    if (!p) lc_build_check(f->c->b, lc_fail_memory(f->c->b->err, "an argument"));
    return p;
}

/* ---- questions --------------------------------------------------------------------------------------------------------- */

static bool is_kind(lc_arg a, lc_json_kind kind) { return a.json && a.json->kind == kind; }
bool lc_arg_is_number(lc_arg a) { return is_kind(a, LC_JSON_INT) || is_kind(a, LC_JSON_REAL); }
const char *lc_arg_text(lc_arg a) { return is_kind(a, LC_JSON_STRING) ? a.json->string : NULL; }
bool lc_arg_is_text(lc_arg a, const char *text) { return is_kind(a, LC_JSON_STRING) && strcmp(a.json->string, text) == 0; }
bool lc_arg_is_list(lc_arg a) { return a.list || is_kind(a, LC_JSON_ARRAY); }
uint32_t lc_arg_count(lc_arg a) { return a.list ? a.count : is_kind(a, LC_JSON_ARRAY) ? a.json->count : 0; }

bool lc_arg_true(lc_arg a) {
    if (a.list) return a.count > 0;
    if (!a.json) return a.tensor >= 0;
    switch (a.json->kind) {
    case LC_JSON_NULL: return false;
    case LC_JSON_BOOL: return a.json->boolean;
    case LC_JSON_INT:
    case LC_JSON_REAL: return a.json->real != 0;
    case LC_JSON_STRING: return a.json->string[0] != 0;
    default: return a.json->count > 0;
    }
}

/* ---- makers ---------------------------------------------------------------------------------------------------------------- */

static lc_arg number(lc_formula *f, lc_json v) {
    lc_json *j = room(f, 1, sizeof *j);
    if (!j) return lc_arg_none();
    *j = v;
    return (lc_arg){.tensor = -1, .json = j};
}

lc_arg lc_arg_int(lc_formula *f, int64_t v) { return number(f, (lc_json){.kind = LC_JSON_INT, .integer = v, .real = (double)v}); }
lc_arg lc_arg_real(lc_formula *f, double v) { return number(f, (lc_json){.kind = LC_JSON_REAL, .real = v}); }

lc_arg lc_arg_list(lc_formula *f, const lc_arg *items, uint32_t n) {
    lc_arg *copy = room(f, n, sizeof *copy);
    if (!copy) return lc_arg_none();
    for (uint32_t i = 0; i < n; i++) copy[i] = items[i];
    return (lc_arg){.tensor = -1, .items = copy, .count = n, .list = true};
}

lc_arg lc_arg_ints(lc_formula *f, const int32_t *values, uint32_t n) {
    lc_json *list = room(f, (size_t)n + 1, sizeof *list);
    if (!list) return lc_arg_none();
    for (uint32_t i = 0; i < n; i++) list[i + 1] = (lc_json){.kind = LC_JSON_INT, .integer = values[i], .real = values[i]};
    *list = (lc_json){.kind = LC_JSON_ARRAY, .items = list + 1, .count = n};
    return (lc_arg){.tensor = -1, .json = list};
}

/* ["_CONSTANT_VALUE", -1, v, {...}] to v. */
static const lc_json *unwrap(const lc_json *v) {
    while (lc_json_is(v, LC_JSON_ARRAY) && v->count >= 3 && v->count <= 4 && v->items[0].kind == LC_JSON_STRING &&
           strcmp(v->items[0].string, "_CONSTANT_VALUE") == 0)
        v = &v->items[2];
    return v;
}

/* Whether a tensor, or a constant in the words of Keras 2, stands in a list. */
static bool has_tensor(lc_formula *f, const lc_json *v) {
    if (lc_call_tensor(f->c, v) >= 0 || unwrap(v) != v) return true;
    if (!lc_json_is(v, LC_JSON_ARRAY)) return false;
    for (uint32_t i = 0; i < v->count; i++) {
        if (v->items[i].kind != LC_JSON_ARRAY && v->items[i].kind != LC_JSON_OBJECT) continue;
        if (has_tensor(f, &v->items[i])) return true;
    }
    return false;
}

lc_arg lc_arg_of(lc_formula *f, const lc_json *json) {
    const int32_t t = lc_call_tensor(f->c, json);
    if (t >= 0) return lc_arg_tensor(t);
    json = unwrap(json);
    if (!json || json->kind == LC_JSON_NULL || !lc_formula_ok(f)) return lc_arg_none();
    if (json->kind != LC_JSON_ARRAY || !has_tensor(f, json)) return (lc_arg){.tensor = -1, .json = json};
    lc_arg *items = room(f, json->count, sizeof *items);
    for (uint32_t i = 0; items && i < json->count; i++) items[i] = lc_arg_of(f, &json->items[i]);
    return items ? (lc_arg){.tensor = -1, .items = items, .count = json->count, .list = true} : lc_arg_none();
}

lc_arg lc_arg_item(lc_formula *f, lc_arg a, uint32_t i) {
    if (i >= lc_arg_count(a)) return lc_formula_fail(f, "a list of %u or more values is needed, there are %u", i + 1, lc_arg_count(a));
    return a.list ? a.items[i] : lc_arg_of(f, &a.json->items[i]);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------------ */

/* The value of {"class_name": "__numpy__", "config": {"value": ...}}, other JSON as it is. */
static const lc_json *plain(const lc_json *v, const char **dtype) {
    const char *name = lc_json_str(v, "class_name", "");
    if (strcmp(name, "__numpy__") == 0 || strcmp(name, "__tensor__") == 0) {
        const lc_json *config = lc_json_get(v, "config");
        const char *type = lc_json_str(config, "dtype", NULL);
        if (type && dtype) *dtype = type;
        return lc_json_get(config, "value");
    }
    return v;
}

static bool whole(const lc_json *v, int64_t *out) {
    v = plain(v, NULL);
    if (lc_json_is(v, LC_JSON_INT)) *out = v->integer;
    else if (lc_json_is(v, LC_JSON_BOOL)) *out = v->boolean;
    else if (lc_json_is(v, LC_JSON_REAL) && v->real == floor(v->real) && fabs(v->real) < 9e15) *out = (int64_t)v->real;
    else return false;
    return true;
}

int32_t lc_arg_whole(lc_formula *f, lc_arg a, int32_t low, int32_t high, const char *what) {
    int64_t v = 0;
    if (!lc_formula_ok(f)) return low;
    if (lc_arg_is_tensor(a)) {
        uint32_t n = 0;
        if (!lc_tf_ints(f->maker, a.tensor, &v, 1, &n) || n != 1) {
            lc_formula_fail(f, "\"%s\" is a tensor, needs a whole number that is known", what);
            return low;
        }
    } else if (lc_arg_is_list(a) && lc_arg_count(a) == 1) return lc_arg_whole(f, lc_arg_item(f, a, 0), low, high, what);
    else if (!whole(a.json, &v)) {
        lc_formula_fail(f, "\"%s\" needs a whole number", what);
        return low;
    }
    if (v >= low && v <= high) return (int32_t)v;
    lc_formula_fail(f, "\"%s\" is %lld, needs a whole number from %d to %d", what, (long long)v, low, high);
    return low;
}

uint32_t lc_arg_wholes(lc_formula *f, lc_arg a, int32_t *out, uint32_t max, const char *what) {
    if (!lc_formula_ok(f)) return 0;
    const lc_json *v = plain(a.json, NULL);
    if (v && v != a.json) a = lc_arg_of(f, v);
    if (!lc_arg_is_list(a)) {
        if (lc_arg_is_tensor(a)) {
            int64_t values[32];
            uint32_t n = 0;
            if (lc_tf_ints(f->maker, a.tensor, values, max < 32 ? max : 32, &n)) {
                for (uint32_t i = 0; i < n; i++) out[i] = (int32_t)values[i];
                return n;
            }
        }
        out[0] = lc_arg_whole(f, a, INT32_MIN, INT32_MAX, what);
        return 1;
    }
    const uint32_t n = lc_arg_count(a);
    if (n > max) {
        lc_formula_fail(f, "\"%s\" has %u values, needs at most %u", what, n, max);
        return 0;
    }
    for (uint32_t i = 0; i < n; i++) out[i] = lc_arg_whole(f, lc_arg_item(f, a, i), INT32_MIN, INT32_MAX, what);
    return n;
}

lc_dtype lc_arg_dtype(lc_formula *f, lc_arg a) {
    const char *name = NULL;
    if (a.json && a.json->kind == LC_JSON_STRING) name = a.json->string;
    else if (a.json) {
        name = lc_json_str(a.json, "name", NULL);
        if (!name) name = lc_json_str(lc_json_get(a.json, "config"), "name", NULL);
        if (!name) name = lc_json_str(a.json, "config", NULL);
        if (lc_json_is(a.json, LC_JSON_INT)) return lc_tf_dtype((int32_t)a.json->integer);
    }
    const char *quote = name ? strstr(name, "dtype: '") : NULL; /* <dtype: 'float32'> */
    if (quote) name = quote + 8;
    size_t n = name ? strcspn(name, "' >") : 0;
    for (int32_t t = 0; name && t < LC_DTYPE_COUNT; t++) {
        const char *known = lc_dtype_name((lc_dtype)t);
        if (strlen(known) == n && strncmp(known, name, n) == 0) return (lc_dtype)t;
    }
    if (name && strcmp(name, "int") == 0) return LC_INT32;
    if (name && strcmp(name, "float") == 0) return LC_FLOAT32;
    lc_formula_fail(f, "\"%.60s\" is no type of tensors", name ? name : "dtype");
    return LC_DTYPE_COUNT;
}

/* ---- tensors --------------------------------------------------------------------------------------------------------------------- */

typedef struct shape_of {
    int32_t dims[LC_MAX_RANK];
    int32_t rank;
    uint64_t count;
    bool real, all_bool;
} shape_of;

/* Measures a nested list at `depth`; the first item at each depth says how long all are. */
static bool measure(const lc_json *v, int32_t depth, shape_of *s, bool first) {
    if (lc_json_is(v, LC_JSON_ARRAY)) {
        if (depth >= LC_MAX_RANK) return false;
        if (first) s->dims[depth] = (int32_t)v->count, s->rank = depth + 1;
        if (depth >= s->rank || s->dims[depth] != (int32_t)v->count) return false;
        for (uint32_t i = 0; i < v->count; i++)
            if (!measure(&v->items[i], depth + 1, s, first && i == 0)) return false;
        return true;
    }
    if (first) s->rank = depth;
    if (depth != s->rank) return false;
    s->count++;
    if (lc_json_is(v, LC_JSON_REAL)) s->real = true;
    else if (lc_json_is(v, LC_JSON_STRING)) { /* "Infinity", "-Infinity", "NaN" of some writers */
        if (strstr(v->string, "nf") == NULL && strcmp(v->string, "NaN") != 0) return false;
        s->real = true;
    } else if (!lc_json_is(v, LC_JSON_INT) && !lc_json_is(v, LC_JSON_BOOL)) return false;
    if (!lc_json_is(v, LC_JSON_BOOL)) s->all_bool = false;
    return true;
}

static double value_of(const lc_json *v) {
    if (v->kind == LC_JSON_BOOL) return v->boolean;
    if (v->kind == LC_JSON_STRING)
        return strcmp(v->string, "NaN") == 0 ? (double)NAN : v->string[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    return v->real;
}

static void store(const lc_json *v, lc_dtype type, void *data, size_t *at) {
    if (v->kind == LC_JSON_ARRAY) {
        for (uint32_t i = 0; i < v->count; i++) store(&v->items[i], type, data, at);
        return;
    }
    const size_t i = (*at)++;
    const double real = value_of(v);
    const int64_t wide = v->kind == LC_JSON_INT ? v->integer : fabs(real) < 9.2e18 ? (int64_t)real : 0;
    if (type == LC_FLOAT32) ((float *)data)[i] = (float)real;
    else if (type == LC_BOOL) ((uint8_t *)data)[i] = real != 0;
    else if (type == LC_INT32) ((int32_t *)data)[i] = (int32_t)(wide < INT32_MIN ? INT32_MIN : wide > INT32_MAX ? INT32_MAX : wide);
    else ((int64_t *)data)[i] = wide;
}

/* A constant out of numbers; other types than the four are cast from them, which leaves a constant again. */
static int32_t constant(lc_formula *f, const lc_json *v, lc_dtype type) {
    shape_of s = {.all_bool = true};
    if (!measure(v, 0, &s, true)) {
        lc_formula_fail(f, "an argument is neither a tensor nor an array of numbers of at most %d dimensions", LC_MAX_RANK);
        return -1;
    }
    if (type == LC_DTYPE_COUNT) type = s.real || !s.count ? LC_FLOAT32 : s.all_bool ? LC_BOOL : LC_INT32;
    lc_dtype made = type;
    if (type != LC_FLOAT32 && type != LC_BOOL && type != LC_INT32 && type != LC_INT64)
        made = type == LC_FLOAT16 || type == LC_BFLOAT16 || type == LC_FLOAT64 || type == LC_COMPLEX64 ? LC_FLOAT32 : LC_INT64;
    const size_t width = made == LC_BOOL ? 1 : made == LC_INT64 ? 8 : 4;
    if (!lc_build_check(f->c->b, lc_budget_memory(&f->c->lower->budget, s.count * width, "a constant argument", f->c->b->err))) return -1;
    void *data = lc_build_data(f->c->b, (size_t)s.count * width);
    if (!data) return -1;
    size_t at = 0;
    store(v, made, data, &at);
    const int32_t t = lc_build_const(f->c->b, "argument", made, s.dims, s.rank, data, (size_t)s.count * width, true);
    return lc_build_cast(f->c->b, t, type);
}

int32_t lc_arg_to(lc_formula *f, lc_arg a, lc_dtype type) {
    if (!lc_formula_ok(f)) return -1;
    if (lc_arg_is_tensor(a)) {
        if (type == LC_DTYPE_COUNT || lc_build_type(f->c->b, a.tensor) == type) return a.tensor;
        lc_eager *e = lc_eager_make(f->maker, "Cast");
        lc_eager_in(e, a.tensor);
        lc_eager_type(e, "DstT", type);
        return lc_eager_run(e);
    }
    if (a.list) {
        if (type == LC_DTYPE_COUNT) {
            lc_formula_kind kinds[LC_FORMULA_ARGS];
            uint32_t n = 0;
            for (uint32_t i = 0; i < a.count && n < LC_FORMULA_ARGS; i++)
                if (!a.items[i].list) kinds[n++] = lc_formula_kind_of(f, a.items[i]);
            type = n ? lc_formula_common(kinds, n, false) : LC_INT32;
        }
        lc_eager *e = lc_eager_make(f->maker, "Pack");
        for (uint32_t i = 0; i < a.count && lc_formula_ok(f); i++) lc_eager_in(e, lc_arg_to(f, a.items[i], type));
        return lc_eager_run(e);
    }
    const char *name = NULL;
    const lc_json *v = plain(a.json, &name);
    if (!v || v->kind == LC_JSON_NULL) {
        lc_formula_fail(f, "an argument is missing");
        return -1;
    }
    if (name && type == LC_DTYPE_COUNT) {
        const lc_json text = {.kind = LC_JSON_STRING, .string = name};
        type = lc_arg_dtype(f, (lc_arg){.tensor = -1, .json = &text});
        if (type == LC_FLOAT64) type = LC_FLOAT32;
    }
    return lc_formula_ok(f) ? constant(f, v, type) : -1;
}

int32_t lc_arg_rank(lc_formula *f, lc_arg a) {
    lc_shape s;
    const int32_t t = lc_arg_any(f, a);
    return t >= 0 && lc_build_shape(f->c->b, t, &s) && s.rank >= 0 ? s.rank : 0;
}

int32_t lc_arg_axis(lc_formula *f, lc_arg a, int32_t rank) {
    const int32_t axis = lc_arg_whole(f, a, INT32_MIN, INT32_MAX, "axis");
    if (lc_formula_ok(f) && (axis < -rank || axis >= rank)) lc_formula_fail(f, "axis %d of a tensor with %d dimensions", axis, rank);
    return !lc_formula_ok(f) ? 0 : axis < 0 ? axis + rank : axis;
}

int32_t lc_formula_op(lc_formula *f, const char *op, const int32_t *in, uint32_t n) {
    lc_eager *e = lc_formula_ok(f) ? lc_eager_make(f->maker, op) : NULL;
    for (uint32_t i = 0; i < n; i++) lc_eager_in(e, in[i]);
    return lc_eager_run(e);
}
