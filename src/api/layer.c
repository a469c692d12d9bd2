/*
 * layer.c: layers of the caller's own (lc_convert_options.layer). A layer whose class litec does not know is shown to the caller's function,
 * which writes operators in its place by their names in TFLite's schema, options as JSON.
 *
 * What stays true: the builder is sticky (ops/build.h), so the caller need not check; a number that is no tensor, an unknown operator or
 * option, an operator that calls graphs is refused with the layer's name; what the caller's function gives is inferred and checked as litec's
 * own operators are.
 */
#include "api/api.h"
#include "lower/lower.h"

#include <math.h>
#include <string.h>

static bool is_well(const lc_layer_builder *b) { return b && b->c->b->status == LC_OK; }

/* ---- options as JSON ------------------------------------------------------------------------------------------------------ */

/* An enum's number from its name. */
static bool enum_number(lc_enum_id id, const char *name, int64_t *out) {
    for (int64_t v = -1; v < 256; v++) {
        const char *known = lc_schema_enum_name(id, v);
        if (known && strcmp(known, name) == 0) return *out = v, true;
    }
    return false;
}

/* A whole number, or an enum's name, within [low, high]. */
static bool whole(const lc_json *v, int16_t sub, bool named, int64_t low, int64_t high, int64_t *out) {
    if (v->kind == LC_JSON_STRING) return named && enum_number((lc_enum_id)sub, v->string, out);
    if (v->kind == LC_JSON_INT) *out = v->integer;
    else if (v->kind == LC_JSON_REAL && v->real == floor(v->real) && fabs(v->real) < 9e15) *out = (int64_t)v->real;
    else return false;
    return *out >= low && *out <= high;
}

/* A scalar of this kind at `at`. */
static bool put_scalar(lc_kind kind, int16_t sub, const lc_json *v, void *at) {
    int64_t n = 0;
    const bool named = kind == LC_KIND_enum_i8 || kind == LC_KIND_enum_i32 || kind == LC_KIND_enum_u32;
    if (kind == LC_KIND_bool) {
        if (v->kind != LC_JSON_BOOL) return false;
        const int8_t flag = v->boolean;
        return memcpy(at, &flag, sizeof flag), true;
    }
    if (kind == LC_KIND_f32) {
        if (v->kind != LC_JSON_INT && v->kind != LC_JSON_REAL) return false;
        const float f = (float)v->real;
        return memcpy(at, &f, sizeof f), true;
    }
    if (kind == LC_KIND_i8 || kind == LC_KIND_enum_i8) {
        if (!whole(v, sub, named, INT8_MIN, INT8_MAX, &n)) return false;
        const int8_t small = (int8_t)n;
        return memcpy(at, &small, sizeof small), true;
    }
    if (kind == LC_KIND_i32 || kind == LC_KIND_enum_i32) {
        if (!whole(v, sub, named, INT32_MIN, INT32_MAX, &n)) return false;
        const int32_t word = (int32_t)n;
        return memcpy(at, &word, sizeof word), true;
    }
    if (kind == LC_KIND_u32 || kind == LC_KIND_enum_u32) {
        if (!whole(v, sub, named, 0, UINT32_MAX, &n)) return false;
        const uint32_t word = (uint32_t)n;
        return memcpy(at, &word, sizeof word), true;
    }
    if (kind != LC_KIND_i64 || !whole(v, sub, false, INT64_MIN, INT64_MAX, &n)) return false;
    return memcpy(at, &n, sizeof n), true;
}

/* The kind of a vector's elements; LC_KIND_str: no vector that options have. */
static lc_kind element_of(lc_kind kind) {
    return kind == LC_KIND_vec_bool  ? LC_KIND_bool
           : kind == LC_KIND_vec_i32 ? LC_KIND_i32
           : kind == LC_KIND_vec_i64 ? LC_KIND_i64
           : kind == LC_KIND_vec_f32 ? LC_KIND_f32
                                     : LC_KIND_str;
}

static bool put_vector(lc_layer_builder *b, lc_kind kind, const lc_json *v, void *at) {
    const lc_kind of = element_of(kind);
    const size_t each = of == LC_KIND_bool ? 1 : of == LC_KIND_i64 ? 8 : 4;
    if (of == LC_KIND_str || v->kind != LC_JSON_ARRAY) return false;
    char *data = lc_build_data(b->c->b, v->count ? v->count * each : 1);
    for (uint32_t i = 0; data && i < v->count; i++)
        if (!put_scalar(of, -1, lc_json_at(v, i), data + i * each)) return false;
    const lc_vec vector = {data, v->count};
    if (data) memcpy(at, &vector, sizeof vector);
    return true;
}

/* The options table of an operator filled from JSON; NULL: the schema's defaults, or failed. */
static void *options_of(lc_layer_builder *b, const char *op, lc_table_id table, const char *json) {
    lc_builder *at = b->c->b;
    lc_lower *lower = b->c->lower;
    const lc_json *root;
    if (!json || !*json) return NULL;
    if (!lc_build_check(at, lc_json_parse(json, strlen(json), &lower->budget, &lower->scratch, &root, at->err))) return NULL;
    if (!lc_json_is(root, LC_JSON_OBJECT)) return lc_build_fail(at, LC_ARGUMENT, "the options of %s are no JSON object", op), NULL;
    if (table == LC_TABLE_NONE) {
        if (root->count) lc_build_fail(at, LC_ARGUMENT, "%s has no options", op);
        return NULL;
    }
    void *value = lc_arena_array(&lower->scratch, 1, lc_schema_tables[table].size);
    if (!value) return lc_build_check(at, lc_fail_memory(at->err, "options")), NULL;
    lc_schema_init(table, value);
    for (uint32_t i = 0; i < root->count && is_well(b); i++) {
        const lc_json *v = &root->items[i];
        const lc_field *field = NULL;
        for (LC_EACH_FIELD(f, table))
            if (strcmp(lc_field_name(f), v->key) == 0) field = f;
        if (!field) {
            lc_build_fail(at, LC_ARGUMENT, "%s has no option \"%.100s\"", op, v->key);
            return lc_build_hint(at, "options are named as in TFLite's schema (table %s)", lc_table_name(table)), NULL;
        }
        void *place = (char *)value + field->offset;
        if (!put_scalar((lc_kind)field->kind, field->sub, v, place) && !put_vector(b, (lc_kind)field->kind, v, place))
            lc_build_fail(at, LC_ARGUMENT, "option \"%.100s\" of %s has a value it does not take", v->key, op);
    }
    return value;
}

/* ---- what the caller's function makes ---------------------------------------------------------------------------------------- */

/* Each is a tensor of the graph, or -1 for none. */
static bool are_tensors(lc_layer_builder *b, const int32_t *tensors, uint32_t n) {
    const size_t count = b->c->b->graph->tensor_count;
    for (uint32_t i = 0; i < n; i++)
        if (tensors[i] < -1 || (tensors[i] >= 0 && (size_t)tensors[i] >= count))
            return lc_build_fail(b->c->b, LC_ARGUMENT, "%d is no tensor", tensors[i]) > 0;
    return true;
}

int32_t lc_layer_constant(lc_layer_builder *b, const char *name, lc_dtype type, const int32_t *dims, int32_t rank, const void *data) {
    uint64_t n = 1, bytes;
    if (!is_well(b)) return -1;
    lc_builder *at = b->c->b;
    if (rank < 0 || rank > LC_MAX_RANK || (rank && !dims)) return lc_build_fail(at, LC_ARGUMENT, "a constant of %d dimensions", rank);
    for (int32_t i = 0; i < rank; i++)
        if (dims[i] < 0 || !lc_mul_u64(n, (uint64_t)dims[i], &n))
            return lc_build_fail(at, LC_ARGUMENT, "dimension %d of a constant is %d", i, dims[i]);
    if (type == LC_STRING || !lc_dtype_bytes(type, n, &bytes) || n > INT32_MAX || (bytes && !data))
        return lc_build_fail(at, LC_ARGUMENT, "no constant of type %s can be made of this", lc_dtype_name(type));
    if (!lc_build_check(at, lc_budget_memory(&b->c->lower->budget, bytes, "constants", at->err))) return -1;
    void *copy = lc_build_data(at, bytes ? (size_t)bytes : 1);
    if (!copy) return -1;
    if (bytes) memcpy(copy, data, (size_t)bytes);
    return lc_build_const(at, name ? name : "constant", type, dims, rank, copy, (size_t)bytes, true);
}

int32_t lc_layer_weight(lc_layer_builder *b, uint32_t i) {
    if (!is_well(b)) return -1;
    const lc_keras_layer *layer = b->c->layer;
    if (i >= layer->weight_count) return lc_build_fail(b->c->b, LC_ARGUMENT, "it has no weight %u (%u in all)", i, layer->weight_count);
    const lc_keras_weight *w = &layer->weights[i];
    if ((w->type == LC_FLOAT16 || w->type == LC_BFLOAT16 || w->type == LC_FLOAT64) && i < LC_LOWER_SLOTS)
        return lc_weight_const(b->c, i, i, w->name ? w->name : "weight", w->dims, w->rank, w->dims, w->rank);
    const int32_t t = lc_lower_stored(b->c, i);
    return w->type == LC_FLOAT16 || w->type == LC_BFLOAT16 || w->type == LC_FLOAT64 ? lc_build_cast(b->c->b, t, LC_FLOAT32) : t;
}

/* The operator of this name; LC_OP_COUNT and failed when a layer cannot have it. */
static int32_t find_operator(lc_layer_builder *b, const char *name) {
    for (int32_t op = 0; name && op < LC_OP_COUNT; op++) {
        const lc_op_def *def = lc_op_get(op);
        if (!def || strcmp(lc_op_def_name(def), name) != 0) continue;
        if (op == LC_OP_CUSTOM) lc_build_fail(b->c->b, LC_ARGUMENT, "CUSTOM is made by lc_layer_custom");
        else if (op == LC_OP_CAST) lc_build_fail(b->c->b, LC_ARGUMENT, "CAST is made by lc_layer_cast");
        else if (def->flags & LC_OPF_CALLS) lc_build_fail(b->c->b, LC_ARGUMENT, "%s calls other graphs, which a layer cannot make", name);
        else return op;
        return LC_OP_COUNT;
    }
    lc_build_fail(b->c->b, LC_ARGUMENT, "TFLite has no operator \"%.100s\"", name ? name : "");
    lc_build_hint(b->c->b, "operators are named as in TFLite's schema: docs/ops.md lists them");
    return LC_OP_COUNT;
}

lc_status lc_layer_op_outputs(lc_layer_builder *b, const char *op, const char *options, const int32_t *inputs, uint32_t input_count,
                              int32_t *outputs, uint32_t output_count) {
    for (uint32_t i = 0; outputs && i < output_count; i++) outputs[i] = -1;
    if (!b) return LC_ARGUMENT;
    if (!is_well(b)) return b->c->b->status;
    if (!outputs || (input_count && !inputs))
        lc_build_fail(b->c->b, LC_ARGUMENT, "an operator is made without %s", outputs ? "inputs" : "outputs");
    const int32_t id = is_well(b) ? find_operator(b, op) : LC_OP_COUNT;
    if (!is_well(b) || !are_tensors(b, inputs, input_count)) return b->c->b->status;
    const lc_table_id table = (lc_table_id)lc_op_get(id)->options;
    const void *attrs = options_of(b, op, table, options);
    if (is_well(b)) lc_build_op_multi(b->c->b, id, table, attrs, inputs, input_count, outputs, output_count);
    return b->c->b->status;
}

int32_t lc_layer_op(lc_layer_builder *b, const char *op, const char *options, const int32_t *inputs, uint32_t input_count) {
    int32_t out = -1;
    return lc_layer_op_outputs(b, op, options, inputs, input_count, &out, 1) == LC_OK ? out : -1;
}

int32_t lc_layer_custom(lc_layer_builder *b, const char *code, const void *options, size_t size, const int32_t *inputs,
                        uint32_t input_count, int32_t like) {
    if (!is_well(b)) return -1;
    if (!code || !*code || (size && !options) || size > UINT32_MAX || (input_count && !inputs) || like < 0)
        return lc_build_fail(b->c->b, LC_ARGUMENT, "a custom operator needs a code, its options and a tensor that its output is like");
    if (!are_tensors(b, inputs, input_count) || !are_tensors(b, &like, 1)) return -1;
    return lc_build_custom(b->c->b, code, options, (uint32_t)size, inputs, input_count, like);
}

int32_t lc_layer_cast(lc_layer_builder *b, int32_t tensor, lc_dtype type) {
    if (!is_well(b) || !are_tensors(b, &tensor, 1)) return -1;
    if (tensor < 0 || (unsigned)type >= LC_DTYPE_COUNT) return lc_build_fail(b->c->b, LC_ARGUMENT, "nothing to cast, or to no type");
    return lc_build_cast(b->c->b, tensor, type);
}

lc_status lc_layer_shape(lc_layer_builder *b, int32_t tensor, lc_dtype *type, int32_t *dims, int32_t *rank) {
    lc_shape s = {0};
    if (rank) *rank = 0;
    if (!b) return LC_ARGUMENT;
    if (!is_well(b) || !are_tensors(b, &tensor, 1)) return b->c->b->status;
    if (tensor < 0) lc_build_fail(b->c->b, LC_ARGUMENT, "-1 is no tensor");
    else if (lc_build_shape(b->c->b, tensor, &s)) {
        if (type) *type = lc_build_type(b->c->b, tensor);
        if (rank) *rank = s.rank;
        for (int32_t i = 0; dims && i < s.rank; i++) dims[i] = s.dims[i];
    }
    return b->c->b->status;
}

void lc_layer_output(lc_layer_builder *b, uint32_t k, int32_t tensor) {
    if (!is_well(b) || !are_tensors(b, &tensor, 1)) return;
    if (tensor < 0 || k > 255) lc_build_fail(b->c->b, LC_ARGUMENT, "tensor %d cannot be output %u", tensor, k);
    else if (k) lc_call_give(b->c, k, tensor);
    else b->out = tensor;
}

lc_status lc_layer_fail(lc_layer_builder *b, lc_status status, const char *message) {
    if (status == LC_OK) status = LC_INVALID;
    if (is_well(b)) lc_build_fail(b->c->b, status, "%s", message ? message : "the program's function for it failed");
    return status;
}

/* ---- asking ------------------------------------------------------------------------------------------------------------------ */

bool lc_layer_ask(void *user, lc_call *c, int32_t *out) {
    const lc_convert_options *o = user;
    const lc_keras_layer *l = c->layer;
    lc_text json = {0};
    lc_layer_array *weights = lc_arena_array(&c->lower->scratch, l->weight_count ? l->weight_count : 1, sizeof *weights);
    lc_json_write(l->config, &json);
    if (!weights || json.failed) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "a layer"));
        lc_text_deinit(&json);
        return true;
    }
    for (uint32_t i = 0; i < l->weight_count; i++) {
        const lc_keras_weight *w = &l->weights[i];
        weights[i] = (lc_layer_array){.name = w->name, .type = w->type, .rank = w->rank, .dims = w->dims, .data = w->data, .size = w->size};
    }
    const lc_layer layer = {.name = c->b->layer,
                            .class_name = l->class_name,
                            .registered_name = l->registered_name,
                            .config = json.data ? json.data : "{}",
                            .weights = weights,
                            .weight_count = l->weight_count,
                            .inputs = c->in,
                            .input_count = c->in_count};
    lc_layer_builder b = {.c = c, .out = -1};
    const lc_status status = o->layer(o->layer_user, &b, &layer);
    lc_text_deinit(&json);
    *out = b.out;
    if (!is_well(&b)) return true;
    if (status == LC_UNSUPPORTED) return false;
    if (status) lc_layer_fail(&b, status, NULL);
    else if (b.out < 0) lc_layer_fail(&b, LC_INVALID, "the program's function for it gave no output 0");
    for (size_t k = 0; k < c->more_count && is_well(&b); k++)
        if (c->more[k] < 0) lc_build_fail(c->b, LC_INVALID, "the program's function for it gave no output %zu", k + 1);
    return true;
}
