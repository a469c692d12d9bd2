/*
 * lower_operation.c: what stands between the layers of a functional model: keras.ops and Python's operators of Keras 3 (operation.def),
 * TensorFlow's functions of Keras 2 (TFOpLambda, SlicingOpLambda: function.def) and single operators of TensorFlow 2.0 to 2.3
 * (TensorFlowOpLayer, whose config.node_def is a NodeDef as JSON or as text, with its constant inputs beside it).
 *
 * The tables say in a formula what each computes (formula.h); the result is what TensorFlow's operators make of it (eager.h).
 *
 * Refused: functions that no table has, by name; methods of ragged and sparse tensors (ClassMethod, InstanceMethod, InstanceProperty).
 */
#include "lower/formula.h"
#include "proto/proto.h"

#include <stdio.h>
#include <string.h>

static const lc_formula_row operations[] = {
#define LC_OPERATION(name, signature, formula) {name, signature, formula},
#include "lower/operation.def"
};
static const lc_formula_row functions[] = {
#define LC_FUNCTION(name, signature, formula) {name, signature, formula},
#include "lower/function.def"
};

static const lc_formula_row *find(const lc_formula_row *rows, size_t n, const char *name) {
    for (size_t i = 0; name && i < n; i++)
        if (strcmp(rows[i].name, name) == 0) return &rows[i];
    return NULL;
}
#define FIND(rows, name) find(rows, sizeof rows / sizeof *rows, name)

/* ---- Keras 3 ---------------------------------------------------------------------------------------------------------------- */

static int32_t lower(lc_call *c) {
    const lc_formula_row *row = FIND(operations, c->layer->class_name);
    const lc_json *sparse = lc_opt(c, "sparse");
    lc_opt_known(c, row->signature);
    if (lc_json_is(sparse, LC_JSON_BOOL) && sparse->boolean) return lc_opt_fail(c, "sparse", "litec has no sparse tensors");
    return lc_formula_run(c, row);
}

const lc_lower_row *lc_lower_find_operation(const char *class_name) {
    static const lc_lower_row row = {"operation", lower, 0, -1, false, LC_MASK_DROP};
    return FIND(operations, class_name) ? &row : NULL;
}

int32_t lc_lower_no_operation(lc_call *c) {
    static const struct {
        const char *classes, *why;
    } reasons[] = {
        {"Map Scan AssociativeScan ForiLoop WhileLoop Cond Switch VectorizedMap", "it calls Python code, which is not in the file"},
        {"CTCLoss", "it is a loss, for training"},
        {"CTCDecode", "it searches for the likeliest sequence, which no operator of TFLite does"},
        {"Eig",
         "its results are complex numbers found by iteration, which no operator of TFLite does; Eigh, for symmetric matrices, converts"},
        {"Histogram", "it counts over the whole batch"},
        {"Unique", "the size of what it gives depends on the data of the whole batch"},
        {"ElasticTransform", "it distorts images at random, for training"},
    };
    const char *why = NULL;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons && c->layer->class_name; i++)
        if (lc_word_among(reasons[i].classes, c->layer->class_name)) why = reasons[i].why;
    lc_build_fail(c->b, LC_UNSUPPORTED, "litec does not know this operation of keras.ops%s%s", why ? ": " : "", why ? why : "");
    return lc_build_hint(c->b,
                         "compute it before or behind the model; or export the model as SavedModel (model.export) and convert that, with "
                         "--select-tf-ops where TFLite has no operator; or use --allow-custom-ops to keep it as a CUSTOM operator");
}

bool lc_keras_is_operation(const lc_keras_layer *layer) {
    const char *module = lc_json_str(layer->entry, "module", NULL);
    if (module) return strncmp(module, "keras.", 6) == 0 && strstr(module, ".ops.") != NULL;
    const lc_json *config = layer->config;
    if (!layer->call_count || !layer->calls[0].args || layer->weight_count) return false;
    if (config && !lc_json_is(config, LC_JSON_OBJECT)) return false;
    return lc_json_get(config, "trainable") == NULL &&
           (FIND(operations, layer->class_name) || (config && config->count == 1 && lc_json_get(config, "name")));
}

/* ---- functions of Keras 2 -------------------------------------------------------------------------------------------------------- */

/* The row of a function: by its name, then without what says only where TensorFlow keeps it. */
static const lc_formula_row *find_function(const char *name) {
    static const char *const modules[] = {
        "tf.",           "compat.v1.",     "compat.v2.",         "math.",    "nn.",     "linalg.", "dtypes.", "bitwise.",
        "quantization.", "__operators__.", "keras.activations.", "strings.", "raw_ops."};
    const lc_formula_row *row = FIND(functions, name);
    for (size_t i = 0; !row && i < sizeof modules / sizeof *modules; i++) {
        const size_t n = strlen(modules[i]);
        if (strncmp(name, modules[i], n) != 0) continue;
        name += n;
        row = FIND(functions, name);
    }
    return row;
}

int32_t lc_lower_tf_function(lc_call *c) {
    const char *name = lc_opt_str(c, "function", NULL);
    if (!name) return lc_opt_fail(c, "function", "needs the name of a function of TensorFlow");
    const lc_formula_row *row = find_function(name);
    if (row) return lc_formula_run(c, row);
    if (c->lower->options->allow_custom_ops) return lc_lower_custom(c);
    lc_build_fail(c->b, LC_UNSUPPORTED, "litec does not know the function tf.%.100s", name);
    return lc_build_hint(
        c->b, "replace it by Keras layers or other functions, export the model as SavedModel, or use --allow-custom-ops to keep it "
              "as a CUSTOM operator");
}

/* ClassMethod, InstanceMethod, InstanceProperty: of tensors that are no plain ones. */
int32_t lc_lower_tf_method(lc_call *c) {
    const char *name = lc_opt_str(c, "method_name", lc_opt_str(c, "attr_name", "?"));
    if (c->lower->options->allow_custom_ops) return lc_lower_custom(c);
    lc_build_fail(c->b, LC_UNSUPPORTED, "\"%.100s\" belongs to ragged or sparse tensors, which litec does not have", name);
    return lc_build_hint(c->b,
                         "use dense tensors, export the model as SavedModel, or use --allow-custom-ops to keep it as a CUSTOM operator");
}

/* ---- operators of TensorFlow 2.0 to 2.3 -------------------------------------------------------------------------------------------- */

enum { NODE_INPUTS = 64 };

/* One attribute out of JSON: {"type": "DT_FLOAT"}, {"i": "3"}, {"b": true}, {"f": 0.5}, {"s": base64}, {"list": {"i": ["1", "2"]}},
 * {"shape": ...}: written as protocol-buffer text, which the reader of pbtxt knows. */
static void write_text(const lc_json *v, lc_text *out, uint32_t depth);

static bool is_number(const char *s) { return *s && s[strspn(s, "-+.0123456789eE")] == 0; }

/* base64 of "s" as a quoted string. */
static void write_bytes(const char *s, lc_text *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0, have = 0;
    lc_text_add(out, "\"");
    for (; *s && *s != '='; s++) {
        const char *at = strchr(digits, *s == '-' ? '+' : *s == '_' ? '/' : *s);
        if (!at) continue;
        bits = bits << 6 | (uint32_t)(at - digits);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        lc_text_printf(out, "\\%03o", bits >> have & 255);
    }
    lc_text_add(out, "\"");
}

static void write_field(const char *key, const lc_json *v, lc_text *out, uint32_t depth) {
    if (v->kind == LC_JSON_ARRAY) {
        for (uint32_t i = 0; i < v->count && !out->failed; i++) write_field(key, &v->items[i], out, depth);
        return;
    }
    if (v->kind == LC_JSON_NULL) return;
    lc_text_printf(out, "%s", key);
    if (v->kind == LC_JSON_OBJECT) {
        lc_text_add(out, " { ");
        write_text(v, out, depth + 1);
        lc_text_add(out, "} ");
        return;
    }
    lc_text_add(out, ": ");
    if (v->kind == LC_JSON_STRING && (strcmp(key, "s") == 0 || strcmp(key, "tensor_content") == 0)) write_bytes(v->string, out);
    else if (v->kind == LC_JSON_STRING && (is_number(v->string) || strncmp(v->string, "DT_", 3) == 0)) lc_text_add(out, v->string);
    else if (v->kind == LC_JSON_STRING) lc_text_add_json(out, v->string, strlen(v->string));
    else lc_json_write(v, out);
    lc_text_add(out, " ");
}

/* camelCase of JSON as snake_case. */
static void field_name(const char *from, char *to, size_t size) {
    size_t n = 0;
    for (; *from && n + 2 < size; from++) {
        const bool upper = *from >= 'A' && *from <= 'Z';
        if (upper) to[n++] = '_';
        to[n++] = upper ? (char)(*from + 'a' - 'A') : *from;
    }
    to[n] = 0;
}

static void write_text(const lc_json *v, lc_text *out, uint32_t depth) {
    for (uint32_t i = 0; i < v->count && !out->failed; i++) {
        char key[40];
        field_name(v->items[i].key ? v->items[i].key : "", key, sizeof key);
        if (!*key || key[strspn(key, "abcdefghijklmnopqrstuvwxyz_0123456789")] != 0) continue;
        if (depth == 0 && strcmp(key, "attr") == 0) {
            const lc_json *attrs = &v->items[i];
            for (uint32_t k = 0; k < attrs->count && attrs->kind == LC_JSON_OBJECT; k++) {
                lc_text_add(out, "attr { key: ");
                lc_text_add_json(out, attrs->items[k].key, strlen(attrs->items[k].key));
                lc_text_add(out, " value { ");
                if (attrs->items[k].kind == LC_JSON_OBJECT) write_text(&attrs->items[k], out, 1);
                lc_text_add(out, "} } ");
            }
        } else write_field(key, &v->items[i], out, depth);
    }
}

static lc_pb_NodeDef *read_node(lc_call *c, const lc_json *v) {
    lc_text text = {0};
    void *message = NULL;
    if (lc_json_is(v, LC_JSON_OBJECT)) write_text(v, &text, 0);
    else lc_text_add(&text, v->string);
    if (text.failed) lc_build_check(c->b, lc_fail_memory(c->b->err, "a node"));
    else {
        const lc_status status = lc_pb_read_text(LC_PB_NodeDef, (lc_str){text.data ? text.data : "", text.size}, &c->lower->budget,
                                                 &c->lower->scratch, &message, c->b->err);
        if (status != LC_OK) lc_opt_fail(c, "node_def", "it is no NodeDef of TensorFlow");
    }
    lc_text_deinit(&text);
    return c->b->status == LC_OK ? message : NULL;
}

/* Operators whose inputs are all of one type: what else stands beside a tensor of floats are axes and sizes. */
static bool of_one_type(lc_str op) {
    static const char *const all[] = {"Add",
                                      "AddV2",
                                      "Sub",
                                      "Mul",
                                      "Div",
                                      "RealDiv",
                                      "DivNoNan",
                                      "FloorDiv",
                                      "FloorMod",
                                      "Maximum",
                                      "Minimum",
                                      "Pow",
                                      "SquaredDifference",
                                      "Less",
                                      "LessEqual",
                                      "Greater",
                                      "GreaterEqual",
                                      "Equal",
                                      "NotEqual",
                                      "SelectV2",
                                      "Select",
                                      "BiasAdd",
                                      "MatMul",
                                      "BatchMatMul",
                                      "BatchMatMulV2",
                                      "ClipByValue",
                                      "Pack",
                                      "AddN",
                                      "Atan2"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (op.size == strlen(all[i]) && memcmp(op.data, all[i], op.size) == 0) return true;
    return false;
}

/* The inputs in order: constants stand at the places that config.constants names, the tensors of the call at the others. */
int32_t lc_lower_tf_node(lc_call *c) {
    const lc_json *node = lc_opt(c, "node_def"), *constants = lc_opt(c, "constants");
    if (!lc_json_is(node, LC_JSON_OBJECT) && !lc_json_is(node, LC_JSON_STRING))
        return lc_opt_fail(c, "node_def", "needs a NodeDef of TensorFlow");
    const lc_pb_NodeDef *def = read_node(c, node);
    if (!def) return -1;
    lc_formula f = {.c = c, .maker = lc_eager_maker(c), .signature = "", .at = ""};
    const uint32_t more = lc_json_is(constants, LC_JSON_OBJECT) ? constants->count : 0;
    if (more > NODE_INPUTS || c->in_count > NODE_INPUTS - more)
        return lc_build_fail(c->b, LC_LIMIT, "it has more than %d inputs", NODE_INPUTS);
    int32_t in[NODE_INPUTS];
    const uint32_t n = c->in_count + more;
    uint32_t next = 0;
    lc_dtype type = c->in_count ? lc_build_type(c->b, c->in[c->in_count - 1]) : LC_DTYPE_COUNT; /* the last: the first may be a condition */
    for (uint32_t i = 0; i < n && c->b->status == LC_OK; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        const lc_json *constant = more ? lc_json_get(constants, key) : NULL;
        if (constant) {
            const lc_arg value = {.tensor = -1, .json = constant};
            in[i] = lc_arg_any(&f, value);
            if (c->b->status == LC_OK && (lc_build_type(c->b, in[i]) == LC_FLOAT32 || of_one_type(def->op)) && type != LC_DTYPE_COUNT)
                in[i] = lc_arg_to(&f, lc_arg_tensor(in[i]), type);
        } else if (next < c->in_count) in[i] = c->in[next++];
        else return lc_build_fail(c->b, LC_INVALID, "its constants leave input %u open", i);
    }
    if (next != c->in_count)
        return lc_build_fail(c->b, LC_INVALID, "it has %u tensors and %u constants, which do not fit", c->in_count, more);
    lc_eager *e = lc_eager_node(c, def, in, n);
    const int32_t out = lc_eager_run(e);
    for (uint32_t k = 1; c->b->status == LC_OK && k < lc_eager_outs(e); k++) lc_call_give(c, k, lc_eager_out(e, k));
    return out;
}
