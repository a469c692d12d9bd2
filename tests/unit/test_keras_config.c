/*
 * test_keras_config.c: JSON text to trees (compared with jansson), and configurations of Keras models in every form that a
 * generation writes them, each refusal beside a good twin.
 */
#include "source/keras_read.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

typedef struct parsed {
    lc_budget budget;
    lc_arena arena;
    lc_error err;
    const lc_json *root;
    lc_keras_model *model;
} parsed;

static lc_status parse(parsed *p, const char *text, size_t size) {
    *p = (parsed){0};
    lc_budget_init(&p->budget, &(lc_limits){.max_memory = 64u << 20});
    lc_error_clear(&p->err);
    char *exact = malloc(size ? size : 1); /* so that a read past the end is seen */
    memcpy(exact, text, size);
    lc_status status = lc_json_parse(exact, size, &p->budget, &p->arena, &p->root, &p->err);
    free(exact);
    return status;
}

static lc_status configure(parsed *p, const char *text, const char *version) {
    LC_TRY(parse(p, text, strlen(text)));
    return lc_keras_config(p->root, version, &p->budget, &p->arena, &p->model, &p->err);
}

/* ---- JSON ---- */

static bool same(const lc_json *a, const json_t *b) {
    switch (json_typeof(b)) {
    case JSON_NULL: return a->kind == LC_JSON_NULL;
    case JSON_TRUE:
    case JSON_FALSE: return a->kind == LC_JSON_BOOL && a->boolean == json_is_true(b);
    case JSON_INTEGER: return a->kind == LC_JSON_INT && a->integer == json_integer_value(b) && a->real == (double)a->integer;
    case JSON_REAL: return a->kind == LC_JSON_REAL && a->real == json_real_value(b);
    case JSON_STRING: return a->kind == LC_JSON_STRING && strcmp(a->string, json_string_value(b)) == 0;
    case JSON_ARRAY:
        if (a->kind != LC_JSON_ARRAY || a->count != json_array_size(b)) return false;
        for (uint32_t i = 0; i < a->count; i++)
            if (!same(&a->items[i], json_array_get(b, i))) return false;
        return true;
    case JSON_OBJECT:
        if (a->kind != LC_JSON_OBJECT || a->count != json_object_size(b)) return false;
        for (uint32_t i = 0; i < a->count; i++) {
            const json_t *v = json_object_get(b, a->items[i].key);
            if (!v || !same(&a->items[i], v)) return false;
        }
        return true;
    }
    return false;
}

/* What both must take, and take alike; and what both must refuse. */
static void test_json_like_jansson(void **state) {
    (void)state;
    static const char *const texts[] = {
        "null",
        "true",
        " false ",
        "0",
        "-0",
        "1",
        "-17",
        "9223372036854775807",
        "-9223372036854775808",
        "1.5",
        "-0.25e-3",
        "1E400",
        "1e-400",
        "123456789012345678.25",
        "0.1",
        "2.5E+10",
        "\"\"",
        "\"a\"",
        "\"\\u0041\\u20ac\\b\\f\\r\"",
        "\"\\u00e9\\n\\t\\\\\\/\\\"\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\\ud83d\"",
        "\"\xc3\xa9\"",
        "\"\xc3\"",
        "\"\xed\xa0\x80\"",
        "\"\xf0\x9f\x98\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xc0\x80\"",
        "\"\x01\"",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "[]",
        "[1]",
        "[1,2,[3,[]]]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[",
        "]",
        "{}",
        "{\"a\":1}",
        "{\"a\":{\"b\":[{}]}}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":[}",
        "[1}",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e+",
        "-",
        "--1",
        "tru",
        "nul",
        "truex",
        "1 2",
        "",
        " ",
        "\xef\xbb\xbf{}",
        "/**/1",
        "'a'",
        "[1]x",
        "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":10,\"k\":11,\"l\":12,\"m\":13,\"n\":14,"
        "\"o\":15,\"p\":16,\"q\":17,\"r\":18}",
        "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":10,\"k\":11,\"l\":12,\"m\":13,\"n\":14,"
        "\"o\":15,\"p\":16,\"q\":17,\"a\":18}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        parsed p;
        json_t *j = json_loadb(texts[i], strlen(texts[i]), JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        lc_status status = parse(&p, texts[i], strlen(texts[i]));
        if ((status == LC_OK) != (j != NULL))
            fail_msg("'%s': jansson %s, we say %s %s", texts[i], j ? "takes it" : "refuses", lc_status_name(status), p.err.message);
        if (j && !same(p.root, j)) fail_msg("'%s' reads differently", texts[i]);
        if (!j && !p.err.message[0]) fail_msg("'%s': no message", texts[i]);
        if (j) json_decref(j);
        lc_arena_deinit(&p.arena);
    }
}

static void test_json_python(void **state) {
    (void)state;
    parsed p;
    const char *text = "{\"a\": [NaN, Infinity, -Infinity], \"big\": 9223372036854775808, \"point\": 0.5}";
    assert_int_equal(parse(&p, text, strlen(text)), LC_OK);
    const lc_json *a = lc_json_get(p.root, "a");
    assert_true(isnan(lc_json_at(a, 0)->real));
    assert_true(lc_json_at(a, 1)->real == INFINITY);
    assert_true(lc_json_at(a, 2)->real == -INFINITY);
    assert_int_equal(lc_json_at(a, 1)->kind, LC_JSON_REAL);
    assert_int_equal(lc_json_get(p.root, "big")->kind, LC_JSON_REAL);
    assert_true(lc_json_get(p.root, "point")->real == 0.5);
    lc_arena_deinit(&p.arena);
    assert_int_equal(parse(&p, "-NaN", 4), LC_INVALID);
    lc_arena_deinit(&p.arena);
    assert_int_equal(parse(&p, "[1\0]", 4), LC_INVALID);
    lc_arena_deinit(&p.arena);
    /* the byte code in a Lambda of Keras 1: nothing behind the NUL may be lost, and two names may not become one */
    text = "{\"a\": \"x\\u0000y\", \"b\\u0000\": 1, \"b\": 2}";
    assert_int_equal(parse(&p, text, strlen(text)), LC_OK);
    assert_string_equal(lc_json_str(p.root, "a", ""), "x\xef\xbf\xbdy");
    assert_int_equal(lc_json_get(p.root, "b\xef\xbf\xbd")->integer, 1);
    assert_int_equal(lc_json_get(p.root, "b")->integer, 2);
    lc_arena_deinit(&p.arena);
}

static void test_json_limits(void **state) {
    (void)state;
    parsed p;
    char deep[300];
    for (int depth = 63; depth <= 66; depth++) {
        for (int i = 0; i < depth; i++) deep[i] = '[', deep[depth + i] = ']';
        assert_int_equal(parse(&p, deep, (size_t)depth * 2), depth <= 64 ? LC_OK : LC_LIMIT);
        lc_arena_deinit(&p.arena);
    }
    /* Small text that makes many values: charged as values, not as text. */
    size_t n = 4u << 20;
    char *zeros = malloc(n);
    for (size_t i = 0; i < n; i++) zeros[i] = i == 0 ? '[' : i == n - 1 ? ']' : i & 1 ? '0' : ',';
    zeros[n - 2] = '0', zeros[n - 3] = ' ';
    assert_int_equal(parse(&p, zeros, n), LC_LIMIT);
    lc_arena_deinit(&p.arena);
    free(zeros);
    assert_int_equal(parse(&p, "{\n \"a\": x}", 10), LC_INVALID);
    assert_non_null(strstr(p.err.message, "line 2 column 7"));
    lc_arena_deinit(&p.arena);
}

/* ---- configurations ---- */

#define INPUT(name) \
    "{\"class_name\":\"InputLayer\",\"name\":\"" name "\",\"config\":{\"name\":\"" name \
    "\",\"batch_input_shape\":[null,4]},\"inbound_nodes\":[]}"
#define LAYER(class_name, name, nodes) \
    "{\"class_name\":\"" class_name "\",\"name\":\"" name "\",\"config\":{\"name\":\"" name "\"},\"inbound_nodes\":" nodes "}"
#define TENSOR(name, node, tensor) \
    "{\"class_name\":\"__keras_tensor__\",\"config\":{\"shape\":[null,4],\"dtype\":\"float32\",\"keras_history\":[\"" name "\"," node \
    "," tensor "]}}"
#define MODEL(layers, inputs, outputs) \
    "{\"class_name\":\"Functional\",\"config\":{\"name\":\"m\",\"layers\":[" layers "],\"input_layers\":" inputs \
    ",\"output_layers\":" outputs "}}"
#define SUBMODEL(class_name, name, layers, nodes) \
    "{\"class_name\":\"" class_name "\",\"name\":\"" name "\",\"config\":{\"name\":\"" name "\",\"layers\":[" layers \
    "],\"input_layers\":[[\"in\",0,0]],\"output_layers\":[[\"out\",0,0]]},\"inbound_nodes\":" nodes "}"
#define INNER INPUT("in") "," LAYER("Dense", "out", "[[[\"in\",0,0,{}]]]")

static void describe(const lc_keras_model *m, const lc_keras_ref *refs, uint32_t count, char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s:%d:%d", i ? " " : "", m->layers[refs[i].layer].name, refs[i].node,
                                 refs[i].tensor);
}

/* Inputs | outputs | calls of the last layer: "i:0:0 | d:0:0 | i:0:0 / d:0:0" */
static void expect(const char *text, const char *version, const char *want) {
    parsed p;
    char got[1000], part[400];
    if (configure(&p, text, version) != LC_OK) fail_msg("%s: %s", want, p.err.message);
    const lc_keras_model *m = p.model;
    describe(m, m->inputs, m->input_count, part, sizeof part);
    size_t used = (size_t)snprintf(got, sizeof got, "%s | ", part);
    describe(m, m->outputs, m->output_count, part, sizeof part);
    used += (size_t)snprintf(got + used, sizeof got - used, "%s |", part);
    const lc_keras_layer *last = &m->layers[m->layer_count - 1];
    for (uint32_t k = 0; k < last->call_count; k++) {
        describe(m, last->calls[k].inputs, last->calls[k].input_count, part, sizeof part);
        used += (size_t)snprintf(got + used, sizeof got - used, "%s %s", k ? " /" : "", part);
    }
    assert_string_equal(got, want);
    lc_arena_deinit(&p.arena);
}

static void refuse(const char *text, const char *version, lc_status status, const char *message) {
    parsed p;
    lc_status got = configure(&p, text, version);
    if (got != status || !strstr(p.err.message, message))
        fail_msg("wanted %s '%s', got %s '%s'", lc_status_name(status), message, lc_status_name(got), p.err.message);
    lc_arena_deinit(&p.arena);
}

static void test_keras2_calls(void **state) {
    (void)state;
    const char *v = "2.15.0";
    expect(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[[\"i\",0,0,{}]]]"), "[[\"i\",0,0]]", "[[\"d\",0,0]]"), v, "i:0:0 | d:0:0 | i:0:0");
    /* several tensors, several calls, with and without the empty kwargs */
    expect(MODEL(INPUT("i") "," INPUT("k") "," LAYER("Add", "a", "[[[\"i\",0,0],[\"k\",0,0,{}]],[[\"a\",0,0,{}],[\"a\",0,0,{}]]]"),
                 "[[\"i\",0,0],[\"k\",0,0]]", "[[\"a\",1,0]]"),
           v, "i:0:0 k:0:0 | a:1:0 | i:0:0 k:0:0 / a:0:0 a:0:0");
    /* a triple without its list; single input and output without theirs */
    expect(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[\"i\",0,0,{\"training\":null}]]"), "[\"i\",0,0]", "[\"d\",0,0]"), v,
           "i:0:0 | d:0:0 | i:0:0");
    /* tensors as keyword arguments, constants as first argument */
    expect(MODEL(INPUT("i") "," INPUT("k") "," LAYER("TFOpLambda", "d", "[[\"i\",0,0,{\"y\":[\"k\",0,0],\"name\":null,\"axes\":[1,2,3]}]]"),
                 "[[\"i\",0,0],[\"k\",0,0]]", "[[\"d\",0,0]]"),
           v, "i:0:0 k:0:0 | d:0:0 | i:0:0 k:0:0");
    expect(MODEL(INPUT("i") "," LAYER("TFOpLambda", "d", "[[\"_CONSTANT_VALUE\",-1,1.5,{\"y\":[\"i\",0,0]}]]"), "[[\"i\",0,0]]",
                 "[[\"d\",0,0]]"),
           v, "i:0:0 | d:0:0 | i:0:0");
    /* structures of inputs and outputs: by key, and inside lists */
    expect(MODEL(INPUT("i") "," INPUT("k") "," LAYER("Add", "a", "[[[\"i\",0,0],[\"k\",0,0]]]"), "{\"z\":[\"i\",0,0],\"b\":[\"k\",0,0]}",
                 "[[[\"a\",0,0]],{\"q\":[\"i\",0,0]}]"),
           v, "k:0:0 i:0:0 | a:0:0 i:0:0 | i:0:0 k:0:0");
}

static void test_keras3_calls(void **state) {
    (void)state;
    const char *v = "3.9.0";
    expect(MODEL(INPUT("i") "," LAYER("Dense", "d", "[{\"args\":[" TENSOR("i", "0", "0") "],\"kwargs\":{}}]"), "[[\"i\",0,0]]",
                 "[[\"d\",0,0]]"),
           v, "i:0:0 | d:0:0 | i:0:0");
    expect(MODEL(INPUT("i") "," INPUT("k") "," LAYER("Add", "a",
                                                     "[{\"args\":[[" TENSOR("i", "0", "0") "," TENSOR(
                                                         "k", "0", "0") "]],\"kwargs\":{\"mask\":" TENSOR("i", "0", "0") "}}]"),
                 "[[\"i\",0,0],[\"k\",0,0]]", "[[\"a\",0,0]]"),
           v, "i:0:0 k:0:0 | a:0:0 | i:0:0 k:0:0 i:0:0");
    parsed p;
    assert_int_equal(
        configure(&p,
                  MODEL(INPUT("i") "," LAYER("Dense", "d", "[{\"args\":[" TENSOR("i", "0", "0") ",2.5],\"kwargs\":{\"training\":false}}]"),
                        "[\"i\",0,0]", "{\"o\":[\"d\",0,0],\"a\":[\"i\",0,0]}"),
                  v),
        LC_OK);
    assert_string_equal(p.model->output_names[0], "a");
    assert_string_equal(p.model->output_names[1], "o");
    assert_true(lc_json_at(p.model->layers[1].calls[0].args, 1)->real == 2.5);
    assert_true(lc_json_is(lc_json_get(p.model->layers[1].calls[0].kwargs, "training"), LC_JSON_BOOL));
    assert_false(lc_json_get(p.model->layers[1].calls[0].kwargs, "training")->boolean);
    lc_arena_deinit(&p.arena);
}

/* A dict of tensors is taken by the names of its keys, as Keras flattens it; a model with a list of inputs may be called with a
 * dict of their names. Keyword arguments stay in the order of the call. */
static void test_dicts(void **state) {
    (void)state;
#define TWO_IN(ends) \
    "{\"name\":\"n\",\"layers\":[" INPUT("q") "," INPUT("p") "," LAYER( \
        "Add", "s", "[[[\"q\",0,0],[\"p\",0,0]]]") "],\"input_layers\":" ends ",\"output_layers\":[[\"s\",0,0]]}"
#define NODED(ends, node) \
    MODEL(INPUT("i") "," INPUT("k") "," \
                                    "{\"class_name\":\"Functional\",\"name\":\"n\",\"config\":" TWO_IN(ends) ",\"inbound_nodes\":[" node \
                                                                                                             "]}", \
          "[[\"i\",0,0],[\"k\",0,0]]", "[[\"n\",1,0]]")
#define CALLED(ends, args, kwargs) NODED(ends, "{\"args\":[" args "],\"kwargs\":" kwargs "}")
    static const struct {
        const char *text, *refs;
    } cases[] = {
        /* keys z and a name q and p: sorted by key on both sides */
        {CALLED("{\"z\":[\"q\",0,0],\"a\":[\"p\",0,0]}", "{\"z\":" TENSOR("i", "0", "0") ",\"a\":" TENSOR("k", "0", "0") "}", "{}"), "k i"},
        /* a list of inputs, called with their names */
        {CALLED("[[\"q\",0,0],[\"p\",0,0]]", "{\"p\":" TENSOR("i", "0", "0") ",\"q\":" TENSOR("k", "0", "0") "}", "{}"), "k i"},
        /* other names: sorted */
        {CALLED("[[\"q\",0,0],[\"p\",0,0]]", "{\"y\":" TENSOR("i", "0", "0") ",\"x\":" TENSOR("k", "0", "0") "}", "{}"), "k i"},
        {CALLED("[[\"q\",0,0],[\"p\",0,0]]", "", "{\"y\":" TENSOR("i", "0", "0") ",\"x\":" TENSOR("k", "0", "0") "}"), "i k"},
        {CALLED("[[\"q\",0,0],[\"p\",0,0]]", "[" TENSOR("i", "0", "0") "," TENSOR("k", "0", "0") "]", "{}"), "i k"},
        /* as Keras 2 writes the first two */
        {NODED("{\"z\":[\"q\",0,0],\"a\":[\"p\",0,0]}", "{\"z\":[\"i\",0,0,{}],\"a\":[\"k\",0,0,{}]}"), "k i"},
        {NODED("[[\"q\",0,0],[\"p\",0,0]]", "{\"p\":[\"i\",0,0,{}],\"q\":[\"k\",0,0,{}]}"), "k i"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parsed p;
        if (configure(&p, cases[i].text, NULL) != LC_OK) fail_msg("case %zu: %s", i, p.err.message);
        const lc_keras_call *call = &p.model->layers[2].calls[0];
        char refs[64];
        assert_int_equal(call->input_count, 2);
        snprintf(refs, sizeof refs, "%s %s", p.model->layers[call->inputs[0].layer].name, p.model->layers[call->inputs[1].layer].name);
        if (strcmp(refs, cases[i].refs) != 0) fail_msg("case %zu takes %s, wanted %s", i, refs, cases[i].refs);
        lc_arena_deinit(&p.arena);
    }
}

/* The call that made a nested model counts in Keras 2, and in Keras 3 for outputs of Functional models only. */
static void test_nested_numbers(void **state) {
    (void)state;
    const char *ins = "i:0:0 | n:0:0 | n:0:0";
    expect(MODEL(INPUT("i") "," SUBMODEL("Functional", "n", INNER, "[[[\"i\",0,0,{}]]]") "," LAYER("Dense", "d", "[[[\"n\",1,0,{}]]]"),
                 "[[\"i\",0,0]]", "[[\"n\",1,0]]"),
           "2.15.0", ins);
    expect(MODEL(INPUT("i") "," SUBMODEL("Model", "n", INNER, "[[[\"i\",0,0,{}]]]") "," LAYER("Dense", "d", "[[[\"n\",1,0,{}]]]"),
                 "[[\"i\",0,0]]", "[[\"n\",1,0]]"),
           NULL, ins);
    expect(MODEL(INPUT("i") "," SUBMODEL("Functional", "n", INNER, "[{\"args\":[" TENSOR("i", "0", "0") "],\"kwargs\":{}}]") "," LAYER(
                     "Dense", "d", "[{\"args\":[" TENSOR("n", "0", "0") "],\"kwargs\":{}}]"),
                 "[[\"i\",0,0]]", "[[\"n\",1,0]]"),
           "3.9.0", ins);
    /* twice: 0 and 1, or 1 and 2 */
    expect(MODEL(INPUT("i") "," SUBMODEL("Functional", "n", INNER,
                                         "[[[\"i\",0,0,{}]],[[\"n\",1,0,{}]]]") "," LAYER("Add", "d", "[[[\"n\",1,0,{}],[\"n\",2,0,{}]]]"),
                 "[[\"i\",0,0]]", "[[\"d\",0,0]]"),
           "2.15.0", "i:0:0 | d:0:0 | n:0:0 n:1:0");
    /* a file that counts against the rule of its generation, but so that only one reading fits */
    expect(MODEL(INPUT("i") "," SUBMODEL("Functional", "n", INNER, "[[[\"i\",0,0,{}]]]") "," LAYER("Dense", "d", "[[[\"n\",0,0,{}]]]"),
                 "[[\"i\",0,0]]", "[[\"n\",0,0]]"),
           "2.15.0", ins);
    /* Sequential: counts when it has an InputLayer */
    expect(MODEL(INPUT("i") ",{\"class_name\":\"Sequential\",\"name\":\"n\",\"config\":{\"name\":\"n\",\"layers\":[" INPUT(
                     "x") ",{\"class_name\":\"Dense\",\"config\":{\"name\":\"e\"}}]},\"inbound_nodes\":[[[\"i\",0,0,{}]]]}"
                          "," LAYER("Dense", "d", "[[[\"n\",1,0,{}]]]"),
                 "[[\"i\",0,0]]", "[[\"n\",1,0]]"),
           "2.15.0", ins);
    refuse(MODEL(INPUT("i") "," SUBMODEL("Functional", "n", INNER, "[[[\"i\",0,0,{}]]]") "," LAYER("Dense", "d", "[[[\"n\",2,0,{}]]]"),
                 "[[\"i\",0,0]]", "[[\"d\",0,0]]"),
           "2.15.0", LC_INVALID, "takes tensor 0 of call 2 of layer 'n', which was called 1 times");
    refuse(MODEL(INPUT("i") "," SUBMODEL("Functional", "n", INNER, "[[[\"i\",0,0,{}]]]") "," LAYER("Dense", "d", "[[[\"n\",1,1,{}]]]"),
                 "[[\"i\",0,0]]", "[[\"d\",0,0]]"),
           "2.15.0", LC_INVALID, "takes output 1 of 'n', which has 1");
}

static void test_sequential(void **state) {
    (void)state;
    expect("{\"class_name\":\"Sequential\",\"config\":[{\"class_name\":\"Dense\",\"config\":{\"name\":\"d\",\"batch_input_"
           "shape\":[null,4]}},{\"class_name\":\"Dense\",\"config\":{\"name\":\"e\"}}]}",
           NULL, "d_input:0:0 | e:0:0 | d:0:0");
    expect("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[" INPUT(
               "i") ",{\"class_name\":\"Dense\",\"config\":{\"name\":\"d\"}}]}}",
           "2.15.0", "i:0:0 | d:0:0 | i:0:0");
    expect("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"build_input_shape\":[null,4],\"layers\":[{\"class_"
           "name\":\"Dense\",\"config\":{\"name\":\"d\"}}]}}",
           "3.4.0", "input_layer:0:0 | d:0:0 | input_layer:0:0");
    expect("{\"class_name\":\"Sequential\",\"build_config\":{\"input_shape\":[null,4]},\"config\":{\"name\":\"s\",\"layers\":[{"
           "\"class_name\":\"Dense\",\"config\":{\"name\":\"d\"}}]}}",
           "3.4.0", "input_layer:0:0 | d:0:0 | input_layer:0:0");
    expect("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[{\"class_name\":\"Dense\",\"build_config\":{"
           "\"input_shape\":[null,4]},\"config\":{\"name\":\"d\"}}]}}",
           "2.14.0", "d_input:0:0 | d:0:0 | d_input:0:0");
    /* the first layer is a model that knows its input */
    expect("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[" SUBMODEL("Functional", "n", INNER, "[]") "]}}",
           "2.14.0", "n_input:0:0 | n:0:0 | n_input:0:0");
    parsed p;
    assert_int_equal(configure(&p,
                               "{\"class_name\":\"Sequential\",\"config\":[{\"class_name\":\"my>Dense\",\"config\":{\"name\":"
                               "\"d\",\"dtype\":\"float16\",\"batch_input_shape\":[null,4,2]}}]}",
                               NULL),
                     LC_OK);
    assert_string_equal(p.model->layers[1].class_name, "Dense");
    assert_string_equal(p.model->layers[1].registered_name, "my>Dense");
    assert_string_equal(lc_json_str(p.model->layers[0].config, "dtype", ""), "float16");
    assert_int_equal(lc_json_get(p.model->layers[0].config, "batch_input_shape")->count, 3);
    lc_arena_deinit(&p.arena);
    refuse("{\"class_name\":\"Sequential\",\"config\":[{\"class_name\":\"Dense\",\"config\":{\"name\":\"d\"}}]}", NULL, LC_INVALID,
           "does not say the shape of its input");
    refuse("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[]}}", NULL, LC_INVALID, "has no layers");
    refuse("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[" INPUT("i") "," INPUT("k") "]}}", NULL, LC_INVALID,
           "only the first may be");
    refuse("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[" INPUT("i") "," LAYER("Dense", "i", "[]") "]}}", NULL,
           LC_INVALID, "two layers named 'i'");
    refuse(
        "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[" INPUT("i") ",{\"class_name\":\"Dense\",\"config\":{}}]}}",
        NULL, LC_INVALID, "layer 1 (Dense) of model 's' has no name");
    refuse("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[" INPUT("i") ",{\"config\":{\"name\":\"d\"}}]}}", NULL,
           LC_INVALID, "no class_name");
    refuse("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[" INPUT("i") ",7]}}", NULL, LC_INVALID, "no class_name");
}

/* Keras 1 and the first of Keras 2 wrote a Sequential as a list, inside another one without its name. */
static void test_lists(void **state) {
    (void)state;
    parsed p;
    assert_int_equal(configure(&p,
                               "{\"class_name\": \"Sequential\", \"config\": ["
                               "{\"class_name\": \"Sequential\", \"config\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"a\", "
                               "\"batch_input_shape\": [null, 4]}}]},"
                               "{\"class_name\": \"Sequential\", \"config\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"b\", "
                               "\"batch_input_shape\": [null, 3]}}]}]}",
                               "2.0.5"),
                     LC_OK);
    assert_int_equal(p.model->layer_count, 3);
    assert_string_equal(p.model->layers[1].name, "sequential_1");
    assert_string_equal(p.model->layers[2].name, "sequential_2");
    assert_string_equal(p.model->layers[2].model->layers[1].name, "b");
    lc_arena_deinit(&p.arena);
}

static void test_refusals(void **state) {
    (void)state;
    const char *v = "2.15.0";
    refuse("[]", v, LC_INVALID, "no JSON object");
    refuse("{\"config\":{}}", v, LC_INVALID, "no class_name");
    refuse("{\"class_name\":\"Functional\"}", v, LC_INVALID, "has no config");
    refuse("{\"class_name\":\"Functional\",\"config\":{\"name\":\"m\"}}", v, LC_INVALID, "has no layers, input_layers and output_layers");
    refuse("{\"class_name\":\"MyModel\",\"config\":{\"name\":\"m\"}}", v, LC_UNSUPPORTED,
           "model 'm' is of class MyModel, which is neither");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[[\"x\",0,0,{}]]]"), "[[\"i\",0,0]]", "[[\"d\",0,0]]"), v, LC_INVALID,
           "layer 'd' of model 'm' takes its input from layer 'x', which is not there");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[[\"i\",0,0,{}]]]"), "[[\"i\",0,0]]", "[[\"x\",0,0]]"), v, LC_INVALID,
           "output_layers of model 'm' takes its input from layer 'x'");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[[\"i\",0,0,{}]]]"), "[[\"i\",0,0]]", "[[\"d\",1,0]]"), v, LC_INVALID,
           "'m' takes tensor 0 of call 1 of layer 'd', which was called 1 times");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[[\"i\",0,1,{}]]]"), "[[\"i\",0,0]]", "[[\"d\",0,0]]"), v, LC_INVALID,
           "takes tensor 1 of call 0 of layer 'i'");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[[\"i\",-1,0,{}]]]"), "[[\"i\",0,0]]", "[[\"d\",0,0]]"), v, LC_INVALID, "call -1");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[[\"i\",0,99999999999,{}]]]"), "[[\"i\",0,0]]", "[[\"d\",0,0]]"), v, LC_INVALID,
           "tensor 99999999999");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[7]"), "[[\"i\",0,0]]", "[[\"d\",0,0]]"), v, LC_INVALID, "malformed inbound node");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[7]]"), "[[\"i\",0,0]]", "[[\"d\",0,0]]"), v, LC_INVALID, "malformed inbound node");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "7"), "[[\"i\",0,0]]", "[[\"d\",0,0]]"), v, LC_INVALID,
           "inbound_nodes that are no list");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[{\"kwargs\":{}}]"), "[[\"i\",0,0]]", "[[\"d\",0,0]]"), v, LC_INVALID, "without args");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[{\"args\":[{\"class_name\":\"__keras_tensor__\",\"config\":{}}]}]"), "[[\"i\",0,0]]",
                 "[[\"d\",0,0]]"),
           v, LC_INVALID, "malformed keras_history");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[[\"i\",0,0,{}]]]"), "[[\"i\",0,0]]", "[]"), v, LC_INVALID, "has no outputs");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[[\"i\",0,0,{}]]]"), "[[\"i\",0,0]]", "7"), v, LC_INVALID,
           "output_layers of model 'm' is malformed");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[[\"i\",0,0,{}]]]"), "[[\"d\",0,0]]", "[[\"d\",0,0]]"), v, LC_INVALID,
           "an InputLayer is needed");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "i", "[[[\"i\",0,0,{}]]]"), "[[\"i\",0,0]]", "[[\"i\",0,0]]"), v, LC_INVALID,
           "two layers named 'i'");
    refuse(MODEL(INPUT("i") "," LAYER("Add", "a", "[[[\"i\",0,0],[\"b\",0,0]]]") "," LAYER("Add", "b", "[[[\"a\",0,0],[\"i\",0,0]]]"),
                 "[[\"i\",0,0]]", "[[\"b\",0,0]]"),
           v, LC_INVALID, "lead in a circle: each of 'a', 'b' waits");
    /* a layer's own later call is no circle, its own result is */
    expect(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[[\"i\",0,0,{}]],[[\"d\",0,0,{}]]]"), "[[\"i\",0,0]]", "[[\"d\",1,0]]"), v,
           "i:0:0 | d:1:0 | i:0:0 / d:0:0");
    refuse(MODEL(INPUT("i") "," LAYER("Dense", "d", "[[[\"i\",0,0,{}]],[[\"d\",1,0,{}]]]"), "[[\"i\",0,0]]", "[[\"d\",1,0]]"), v,
           LC_INVALID, "lead in a circle: each of 'd'");
}

/* A chain of 20,000 layers, written from back to front: time stays linear, nothing recurses. */
static void test_long_chain(void **state) {
    (void)state;
    lc_text t = {0};
    enum { N = 20000 };
    lc_text_add(&t, "{\"class_name\":\"Functional\",\"config\":{\"name\":\"m\",\"layers\":[");
    for (int i = N; i > 0; i--) {
        lc_text_printf(&t,
                       "{\"class_name\":\"ReLU\",\"name\":\"r%d\",\"config\":{\"name\":\"r%d\"},\"inbound_nodes\":[[[\"%s%d\",0,0,{}]]]},",
                       i, i, i > 1 ? "r" : "i", i - 1);
    }
    lc_text_add(&t, "{\"class_name\":\"InputLayer\",\"name\":\"i0\",\"config\":{\"name\":\"i0\",\"batch_shape\":[null,4]},"
                    "\"inbound_nodes\":[]}],\"input_layers\":[\"i0\",0,0],\"output_layers\":[\"r20000\",0,0]}}");
    parsed p;
    assert_false(t.failed);
    if (configure(&p, t.data, "3.0.0") != LC_OK) fail_msg("%s", p.err.message);
    assert_int_equal(p.model->layer_count, N + 1);
    lc_arena_deinit(&p.arena);
    lc_arena arena = {0};
    lc_budget budget;
    lc_keras_model *m;
    const lc_json *root;
    lc_error err;
    lc_budget_init(&budget, &(lc_limits){.max_nodes = 1000});
    assert_int_equal(lc_json_parse(t.data, t.size, &budget, &arena, &root, &err), LC_OK);
    assert_int_equal(lc_keras_config(root, NULL, &budget, &arena, &m, &err), LC_LIMIT);
    lc_arena_deinit(&arena);
    lc_text_deinit(&t);
}

static lc_status work(void *arg, lc_error *err) {
    parsed p;
    lc_status status = configure(&p, arg, "3.0.0");
    *err = p.err;
    lc_arena_deinit(&p.arena);
    return status;
}

static void test_allocations(void **state) {
    (void)state;
    static const char text[] =
        MODEL(INPUT("i") "," INPUT("k") "," SUBMODEL(
                  "Functional", "n", INNER,
                  "[{\"args\":[" TENSOR("i", "0", "0") "],\"kwargs\":{}}]") "," LAYER("Add", "a",
                                                                                      "[{\"args\":[[" TENSOR("n", "0", "0") "," TENSOR(
                                                                                          "k", "0", "0") "]],\"kwargs\":{}}]"),
              "[[\"i\",0,0],[\"k\",0,0]]", "{\"b\":[\"a\",0,0],\"a\":[\"n\",1,0]}");
    fault_check(work, (void *)(uintptr_t)text, NULL);
    fault_check(work,
                (void *)(uintptr_t) "{\"class_name\":\"Sequential\",\"build_config\":{\"input_shape\":[null,4]},\"config\":{"
                                    "\"name\":\"s\",\"layers\":[{\"class_name\":\"Dense\",\"config\":{\"name\":\"d\"}}]}}",
                NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_like_jansson), cmocka_unit_test(test_json_python),  cmocka_unit_test(test_json_limits),
        cmocka_unit_test(test_keras2_calls),      cmocka_unit_test(test_keras3_calls), cmocka_unit_test(test_dicts),
        cmocka_unit_test(test_nested_numbers),    cmocka_unit_test(test_sequential),   cmocka_unit_test(test_lists),
        cmocka_unit_test(test_refusals),          cmocka_unit_test(test_long_chain),   cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
