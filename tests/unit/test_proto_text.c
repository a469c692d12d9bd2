/*
 * test_proto_text.c: protocol buffers as text: everything that people and TensorFlow write is read as what it means, what is printed looks
 * as protobuf prints it and reads back. The pairs of tests/fuzz/corpus/proto (x and x.text) were made by TensorFlow of one message each.
 */
#include "proto/proto.h"
#include "support/fault.h"

#include <dirent.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static lc_error err;
static lc_arena arena;

static int end(void **state) {
    (void)state;
    lc_arena_deinit(&arena);
    return 0;
}

static void *read_text(lc_pb_id id, const char *text, size_t size) {
    lc_budget budget;
    void *message;
    lc_budget_init(&budget, NULL);
    /* An exact block, so that the sanitizer sees a byte too far. */
    char *copy = malloc(size ? size : 1);
    memcpy(copy, text, size);
    const lc_status status = lc_pb_read_text(id, (lc_str){copy, size}, &budget, &arena, &message, &err);
    memset(copy, '?', size); /* nothing may point there */
    free(copy);
    if (status != LC_OK) fail_msg("[%s] %s in: %s", err.rule, err.message, text);
    return message;
}
#define READ(M, text) ((lc_pb_##M *)read_text(LC_PB_##M, text, sizeof(text) - 1))

static void assert_prints(lc_pb_id id, const void *message, const char *want) {
    lc_text out = {0};
    lc_pb_print(id, message, &out);
    assert_false(out.failed);
    assert_string_equal(out.data ? out.data : "", want);
    lc_text_deinit(&out);
}

static void test_graph(void **state) {
    (void)state;
    const lc_pb_GraphDef *g = READ(GraphDef, "# a comment\n"
                                             "node {\n"
                                             "  name: \"x\" # another\n"
                                             "  op: 'Placeholder'\n"
                                             "  attr { key: \"dtype\" value { type: DT_FLOAT } }\n"
                                             "  attr: < key: \"shape\"; value: { shape { dim { size: -1 }, dim: { size: 0x10 } } } >\n"
                                             "}\n"
                                             "node { name:\"y\" op:\"Neg\" input:\"x\" input:[\"^a\", '^b'] }\n"
                                             "versions { producer: 1087 bad_consumers: [1, 2,3] bad_consumers: 010 bad_consumers: [] }");
    assert_int_equal(g->node.n, 2);
    assert_true(lc_str_is(g->node.data[0].op, "Placeholder"));
    assert_int_equal(lc_pb_find(g->node.data[0].attr, LC_STR("dtype"))->value->type, LC_DT_FLOAT);
    const lc_pb_TensorShapeProto *shape = lc_pb_find(g->node.data[0].attr, LC_STR("shape"))->value->shape;
    assert_true(shape->dim.n == 2 && shape->dim.data[0].size == -1 && shape->dim.data[1].size == 16);
    assert_int_equal(g->node.data[1].input.n, 3);
    assert_true(lc_str_is(g->node.data[1].input.data[2], "^b"));
    assert_int_equal(g->versions->producer, 1087);
    assert_int_equal(g->versions->bad_consumers.n, 4);
    assert_int_equal(g->versions->bad_consumers.data[3], 8); /* octal */
    assert_prints(
        LC_PB_GraphDef, g,
        "node {\n  name: \"x\"\n  op: \"Placeholder\"\n  attr {\n    key: \"dtype\"\n    value {\n      type: DT_FLOAT\n    }\n  }\n"
        "  attr {\n    key: \"shape\"\n    value {\n      shape {\n        dim {\n          size: -1\n        }\n        dim {\n"
        "          size: 16\n        }\n      }\n    }\n  }\n}\n"
        "node {\n  name: \"y\"\n  op: \"Neg\"\n  input: \"x\"\n  input: \"^a\"\n  input: \"^b\"\n}\n"
        "versions {\n  producer: 1087\n  bad_consumers: 1\n  bad_consumers: 2\n  bad_consumers: 3\n  bad_consumers: 8\n}\n");
}

static void test_strings(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        const char *value;
    } cases[] = {
        {"''", 0, ""},
        {"\"a\" 'b'\n  # c\n  \"d\"", 3, "abd"},
        {"\"\\n\\r\\t\\a\\b\\f\\v\\\\\\'\\\"\\?\"", 11, "\n\r\t\a\b\f\v\\'\"?"},
        {"\"\\0\\00\\000\\1234\\377\"", 6, "\0\0\0S4\377"},
        {"\"\\x41\\X7a\\x9\\xfff\"", 5,
         "Az\t\xff"
         "f"},
        {"\"\\u00e9\\U0001f600\\ud83d\\ude00\"", 10, "\xc3\xa9\xf0\x9f\x98\x80\xf0\x9f\x98\x80"},
        {"\"it's # no comment\"", 17, "it's # no comment"},
        {"'\"'", 1, "\""},
        {"\"\xc3\xa9\xff\"", 3, "\xc3\xa9\xff"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        snprintf(text, sizeof text, "tensor_content: %s version_number: 3", cases[i].text);
        const lc_pb_TensorProto *t = read_text(LC_PB_TensorProto, text, strlen(text));
        assert_int_equal(t->tensor_content.size, cases[i].size);
        assert_memory_equal(t->tensor_content.data, cases[i].value, cases[i].size);
        assert_int_equal(t->version_number, 3);
    }
    const lc_pb_TensorProto t = {.tensor_content = LC_STR("a\0\n\r\t\"'\\\x7f\x80\xff z?")};
    assert_prints(LC_PB_TensorProto, &t, "tensor_content: \"a\\000\\n\\r\\t\\\"\\'\\\\\\177\\200\\377 z?\"\n");
}

static void test_numbers(void **state) {
    (void)state;
    const lc_pb_TensorProto *t =
        READ(TensorProto, "float_val: [1, -2.5, 3e2, .5, 5., 1.5f, 2F, inf, -inf, -Infinity, nan, 1e39, 0.1] float_val: -0 "
                          "double_val: 0.1 double_val: 1e-320 double_val: - 7 double_val: 012 "
                          "int_val: 2147483647 int_val: -2147483648 int_val: 0xFf int_val: -0x1 int_val: - 5 "
                          "int64_val: 9223372036854775807 int64_val: -9223372036854775808 int64_val: -01 "
                          "uint32_val: 4294967295 uint64_val: 18446744073709551615 uint64_val: -0 "
                          "bool_val: [true, false, True, False, t, f, 1, 0]");
    static const float want[] = {1, -2.5f, 300, .5f, 5, 1.5f, 2, INFINITY, -INFINITY, -INFINITY};
    assert_int_equal(t->float_val.n, 14);
    for (size_t i = 0; i < 10; i++) assert_true(t->float_val.data[i] == want[i]);
    assert_true(isnan(t->float_val.data[10]) && t->float_val.data[11] == INFINITY && t->float_val.data[12] == 0.1f);
    assert_true(t->float_val.data[13] == 0 && signbit(t->float_val.data[13]));
    assert_true(t->double_val.n == 4 && t->double_val.data[0] == 0.1 && t->double_val.data[1] == 1e-320);
    assert_true(t->double_val.data[2] == -7 && t->double_val.data[3] == 12);
    static const int32_t ints[] = {INT32_MAX, INT32_MIN, 255, -1, -5};
    assert_true(t->int_val.n == 5 && memcmp(t->int_val.data, ints, sizeof ints) == 0);
    assert_true(t->int64_val.data[0] == INT64_MAX && t->int64_val.data[1] == INT64_MIN && t->int64_val.data[2] == -1);
    assert_true((uint32_t)t->uint32_val.data[0] == UINT32_MAX && (uint64_t)t->uint64_val.data[0] == UINT64_MAX &&
                t->uint64_val.data[1] == 0);
    assert_int_equal(t->bool_val.n, 8);
    for (size_t i = 0; i < 8; i++) assert_true(t->bool_val.data[i] == (i % 2 == 0));
    /* sint64 and the fixed ones */
    assert_true(READ(StructuredValue, "int64_value: -9223372036854775808")->int64_value == INT64_MIN);
    assert_true(READ(StructuredValue, "int64_value: 5")->int64_value == 5);
    assert_true(READ(BundleEntryProto, "crc32c: 4000000000")->crc32c == 4000000000u);
    assert_true((uint64_t)READ(GraphDebugInfo_StackTrace, "frame_id: 0xffffffffffffffff")->frame_id.data[0] == UINT64_MAX);
}

/* Floating-point numbers are as short as they can be and come back the same, in any locale. */
static void test_print_numbers(void **state) {
    (void)state;
    float f[] = {0, -0.0f, 1, 0.1f, 16777217.0f, 3.40282347e38f, 1e-45f, INFINITY, -INFINITY, NAN, 1.0f / 3};
    double d[] = {0.1, 1e308, 5e-324, 1.0 / 3, 100000};
    lc_pb_TensorProto t = {0};
    t.float_val.data = f;
    t.float_val.n = sizeof f / sizeof *f;
    t.double_val.data = d;
    t.double_val.n = sizeof d / sizeof *d;
    const char *want = "float_val: 0\nfloat_val: -0\nfloat_val: 1\nfloat_val: 0.1\nfloat_val: 16777216\nfloat_val: 3.40282347e+38\n"
                       "float_val: 1.4013e-45\nfloat_val: inf\nfloat_val: -inf\nfloat_val: nan\nfloat_val: 0.333333343\n"
                       "double_val: 0.1\ndouble_val: 1e+308\ndouble_val: 4.94065645841247e-324\ndouble_val: 0.333333333333333315\n"
                       "double_val: 100000\n";
    static const char *const locales[] = {"C", "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ps_AF.UTF-8"};
    lc_text out = {0};
    lc_pb_print(LC_PB_TensorProto, &t, &out);
    /* 17 digits where 16 do not come back: what printf gives, so only the value is compared. */
    const lc_pb_TensorProto *back = read_text(LC_PB_TensorProto, out.data, out.size);
    assert_int_equal(back->float_val.n, t.float_val.n);
    for (uint32_t i = 0; i < t.float_val.n; i++)
        assert_true(isnan(f[i]) ? isnan(back->float_val.data[i]) : memcmp(&f[i], &back->float_val.data[i], sizeof *f) == 0);
    assert_memory_equal(back->double_val.data, d, sizeof d);
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        if (!setlocale(LC_ALL, locales[i])) continue; /* not on every machine */
        lc_text again = {0};
        lc_pb_print(LC_PB_TensorProto, &t, &again);
        assert_string_equal(again.data, out.data);
        assert_true(READ(TensorProto, "double_val: 1.5")->double_val.data[0] == 1.5);
        lc_text_deinit(&again);
    }
    setlocale(LC_ALL, "C");
    assert_memory_equal(out.data, want, strlen("float_val: 0\nfloat_val: -0\nfloat_val: 1\nfloat_val: 0.1\nfloat_val: 16777216\n"));
    lc_text_deinit(&out);
}

/* Any bits but those of a NaN come back. */
static void test_round_trip(void **state) {
    (void)state;
    enum { COUNT = 20000 };
    float *f = calloc(COUNT, sizeof *f);
    double *d = calloc(COUNT, sizeof *d);
    uint64_t bits = 1;
    for (size_t i = 0; i < COUNT; i++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        const uint32_t high = (uint32_t)(bits >> 32);
        memcpy(&f[i], &high, sizeof *f);
        memcpy(&d[i], &bits, sizeof *d);
        if (isnan(f[i])) f[i] = 0;
        if (isnan(d[i])) d[i] = 0;
    }
    lc_pb_TensorProto t = {0};
    t.float_val.data = f;
    t.double_val.data = d;
    t.float_val.n = t.double_val.n = COUNT;
    lc_text out = {0};
    lc_pb_print(LC_PB_TensorProto, &t, &out);
    assert_false(out.failed);
    const lc_pb_TensorProto *back = read_text(LC_PB_TensorProto, out.data, out.size);
    assert_true(back->float_val.n == COUNT && back->double_val.n == COUNT);
    assert_memory_equal(back->float_val.data, f, COUNT * sizeof *f);
    assert_memory_equal(back->double_val.data, d, COUNT * sizeof *d);
    lc_text_deinit(&out);
    free(f);
    free(d);
}

/* Unknown fields are skipped with all that is in them. */
static void test_unknown(void **state) {
    (void)state;
    const lc_pb_NodeDef *n = READ(
        NodeDef,
        "name: \"n\" new_number: -5 new_word: SOME_NAME new_real: 1.5e+3 new_list: [1, -2, \"x\" 'y', { a: 1 }, <b {}>] new_empty: []\n"
        "[type.googleapis.com/some.Message-1] { a: 1 b { c: \"}\\\"\\303\" } } [ext.x]: 5\n"
        "new_message { name: \"inner\" deeper { op: 'x' } } new_string: 'a' \"b\" device: \"d\", op: \"o\";");
    assert_true(lc_str_is(n->name, "n") && lc_str_is(n->device, "d") && lc_str_is(n->op, "o"));
    assert_prints(LC_PB_NodeDef, n, "name: \"n\"\nop: \"o\"\ndevice: \"d\"\n");
    /* In an Any they are all there is. */
    const lc_pb_CollectionDef *c =
        READ(CollectionDef, "any_list { value { [type.googleapis.com/tensorflow.VariableDef] { variable_name: \"v\" } } }");
    assert_int_equal(c->any_list->value.n, 1);
    assert_null(c->any_list->value.data[0].type_url.data);
}

/* As text_format.Merge: the last value, merged messages, maps with each key once. */
static void test_merge(void **state) {
    (void)state;
    const lc_pb_GraphDef *g = READ(GraphDef, "version: 1 versions { producer: 4 } version: 2 versions { min_consumer: 5 }\n"
                                             "node { attr { key: \"a\" value { i: 1 } } attr { key: \"a\" value { i: 2 } } }");
    assert_int_equal(g->version, 2);
    assert_true(g->versions->producer == 4 && g->versions->min_consumer == 5);
    assert_true(g->node.data[0].attr.n == 1 && g->node.data[0].attr.data[0].value->i == 2);
    const lc_pb_AttrValue *v = READ(AttrValue, "i: 5 s: \"x\" b: false");
    assert_true(v->has == (uint64_t)1 << LC_PB_ROW_AttrValue_b);
    assert_prints(LC_PB_AttrValue, v, "b: false\n");
}

static void test_enums(void **state) {
    (void)state;
    assert_int_equal(READ(TensorProto, "dtype: DT_HALF_REF")->dtype, LC_DT_HALF_REF);
    assert_int_equal(READ(TensorProto, "dtype: 14")->dtype, LC_DT_BFLOAT16);
    assert_int_equal(READ(TensorProto, "dtype: -3")->dtype, -3);
    assert_int_equal(READ(SaverDef, "version: V2")->version, LC_PB_SaverDef_CheckpointFormatVersion_V2);
    assert_int_equal(READ(AttrValue_ListValue, "type: [DT_INT32, 1, DT_BOOL]")->type.data[2], LC_DT_BOOL);
    lc_pb_TensorProto t = {.dtype = LC_DT_QUINT8};
    assert_prints(LC_PB_TensorProto, &t, "dtype: DT_QUINT8\n");
    t.dtype = 77;
    assert_prints(LC_PB_TensorProto, &t, "dtype: 77\n");
}

static void test_nothing(void **state) {
    (void)state;
    assert_true(READ(GraphDef, "")->has == 0);
    assert_true(READ(GraphDef, " \t\r\n\v\f# only a comment")->has == 0);
    assert_true(READ(GraphDef, "\xef\xbb\xbfversion: 3")->version == 3); /* a byte order mark */
    const lc_pb_GraphDef *g = READ(GraphDef, "node {} library <>");
    assert_true(g->node.n == 1 && g->library && g->library->has == 0);
    assert_prints(LC_PB_GraphDef, g, "node {\n}\nlibrary {\n}\n");
}

/* What TensorFlow wrote, in both forms: the same message, and the very bytes of the wire form come out. */
static void test_corpus(void **state) {
    (void)state;
    static const char *const names[] = {"graph_def",          "saved_model",         "meta_graph_def",         "node_def",
                                        "attr_value",         "tensor_proto",        "function_def",           "op_list",
                                        "saved_object_graph", "structured_value",    "trackable_object_graph", "bundle_header_proto",
                                        "bundle_entry_proto", "saved_tensor_slices", "checkpoint_state",       "variable_def",
                                        "while_context_def",  "graph_debug_info",    "signature_def",          "collection_def"};
    static const lc_pb_id ids[] = {LC_PB_GraphDef,         LC_PB_SavedModel,        LC_PB_MetaGraphDef,         LC_PB_NodeDef,
                                   LC_PB_AttrValue,        LC_PB_TensorProto,       LC_PB_FunctionDef,          LC_PB_OpList,
                                   LC_PB_SavedObjectGraph, LC_PB_StructuredValue,   LC_PB_TrackableObjectGraph, LC_PB_BundleHeaderProto,
                                   LC_PB_BundleEntryProto, LC_PB_SavedTensorSlices, LC_PB_CheckpointState,      LC_PB_VariableDef,
                                   LC_PB_WhileContextDef,  LC_PB_GraphDebugInfo,    LC_PB_SignatureDef,         LC_PB_CollectionDef};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[600];
        lc_map map, text;
        lc_budget budget;
        lc_text from_wire = {0}, from_text = {0}, printed = {0};
        void *message;
        snprintf(path, sizeof path, LC_TEST_DIR "/fuzz/corpus/proto/%s", names[i]);
        assert_int_equal(lc_map_open(&map, path, NULL, &err), LC_OK);
        snprintf(path, sizeof path, LC_TEST_DIR "/fuzz/corpus/proto/%s.text", names[i]);
        assert_int_equal(lc_map_open(&text, path, NULL, &err), LC_OK);
        lc_budget_init(&budget, NULL);
        if (lc_pb_read(ids[i], map.data + 1, map.size - 1, &budget, &arena, &message, &err) != LC_OK)
            fail_msg("%s: %s", names[i], err.message);
        lc_pb_write(ids[i], message, &from_wire);
        lc_pb_write(ids[i], read_text(ids[i], (const char *)text.data + 1, text.size - 1), &from_text);
        if (from_wire.size != map.size - 1 || memcmp(from_wire.data, map.data + 1, from_wire.size) != 0)
            fail_msg("%s: other bytes", names[i]);
        if (from_text.size != map.size - 1 || memcmp(from_text.data, map.data + 1, from_text.size) != 0)
            fail_msg("%s: text differs", names[i]);
        lc_pb_print(ids[i], message, &printed);
        assert_true(printed.size > 0);
        lc_text_deinit(&from_wire);
        lc_text_deinit(&from_text);
        lc_text_deinit(&printed);
        lc_map_close(&map);
        lc_map_close(&text);
    }
}

static lc_status life(void *arg, lc_error *e) {
    lc_budget budget;
    lc_arena a = {0};
    void *message;
    lc_budget_init(&budget, NULL);
    const lc_status status = lc_pb_read_text(LC_PB_GraphDef, lc_str_of(arg), &budget, &a, &message, e);
    lc_arena_deinit(&a);
    return status;
}

static void test_faults(void **state) {
    (void)state;
    char text[3000] = "";
    for (int i = 0; i < 40; i++) {
        const size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "node { name: 'n%d' attr { key: 'k' value { i: %d } } }\n", i, i);
    }
    fault_check(life, text, NULL);
}

int main(void) {
#define T(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {T(test_graph),      T(test_strings), T(test_numbers), T(test_print_numbers),
                                       T(test_round_trip), T(test_unknown), T(test_merge),   T(test_enums),
                                       T(test_nothing),    T(test_corpus),  T(test_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
