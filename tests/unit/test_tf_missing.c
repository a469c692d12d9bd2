/*
 * test_tf_missing.c: operators without a builtin form: the error that lists them and its ways out, Flex operators, custom operators with
 * their options, operators of the user's, what follows an output of unknown rank, and what cannot be kept. That the options are the
 * official converter's, byte for byte, tests/oracle/check_tf_flex.py checks; some of its bytes stand here.
 */
#include "support/fault.h"
#include "support/tf_fixture.h"

#include "proto/proto.h"
#include "schema/flex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const lc_lower_options flex = {.select_tf_ops = true}, custom = {.allow_custom_ops = true},
                              both = {.select_tf_ops = true, .allow_custom_ops = true};

static lc_model *lowered(const char *graph, const char *inputs, const char *outputs, const lc_lower_options *options) {
    lc_error err;
    lc_model *m = tf_lower(graph, inputs, outputs, options, &err);
    if (!m) fail_msg("%s", err.message);
    return m;
}

static void refused(const char *graph, const char *inputs, const char *outputs, const lc_lower_options *options, const char *message,
                    const char *hint) {
    lc_error err;
    lc_model *m = tf_lower(graph, inputs, outputs, options, &err);
    assert_null(m);
    if (!strstr(err.message, message)) fail_msg("\"%s\" is not in \"%s\"", message, err.message);
    if (hint && !strstr(err.hint, hint)) fail_msg("\"%s\" is not in \"%s\"", hint, err.hint);
}

static const lc_node *node_at(const lc_model *m, size_t i) {
    assert_true(i < m->graphs[0]->node_count);
    return &m->graphs[0]->nodes[i];
}

static const lc_tensor *output_at(const lc_model *m, size_t node, uint32_t k) {
    assert_true(k < node_at(m, node)->output_count);
    return &m->graphs[0]->tensors[node_at(m, node)->outputs[k]];
}

static void expect_code(const lc_model *m, size_t i, const char *code) {
    const lc_str is = node_at(m, i)->custom_code;
    if (!is.data || !lc_str_is(is, code)) fail_msg("operator %zu is \"%.*s\"", i, (int)is.size, is.data ? is.data : "");
}

static void expect_options(const lc_model *m, size_t i, const char *hex) {
    const lc_vec_u8 o = node_at(m, i)->custom_options;
    lc_text text = {0};
    for (size_t k = 0; k < o.n; k++) lc_text_printf(&text, "%02x", o.data[k]);
    assert_string_equal(text.data, hex);
    lc_text_deinit(&text);
}

#define PNG "x = Placeholder dtype=string shape={}\np = DecodePng(x) channels=1\n"

/* ---- the error -------------------------------------------------------------------------------------------------- */

static void test_list(void **state) {
    (void)state;
    const char *graph = "x = Placeholder dtype=float shape={2}\n"
                        "model/layer/glimpse = ExtractGlimpse(x, x, x)\n"
                        "b = ExtractGlimpse(x, x, x)\n"
                        "c = SpellBackwards(x) T=float\n"
                        "d = Neg(c) T=float\n"
                        "e = WholeFileReaderTwo(d)\n" /* not listed: nothing to say about it before its input is there */
                        "y = AddN(model/layer/glimpse, b, d, e) N=4 T=float\n";
    refused(graph, "x", "y", NULL,
            "2 operators have no TFLite form: ExtractGlimpse (2 nodes, first \"model/layer/glimpse\" on float32, float32, float32): "
            "nothing in TFLite does the same; SpellBackwards (\"c\" on float32): it is no operator of TensorFlow 2.21",
            "crop_and_resize");
    lc_error err;
    assert_null(tf_lower(graph, "x", "y", NULL, &err));
    assert_null(strstr(err.hint, "--select-tf-ops")); /* Flex has neither */
    assert_non_null(strstr(err.hint, "--allow-custom-ops"));
    /* the Flex delegate has one of two */
    refused(PNG "c = SpellBackwards(p)\n", "x", "p c", NULL, "1 operator has no TFLite form: DecodePng",
            "or --select-tf-ops: the Flex delegate runs it");
    refused(PNG "c = SpellBackwards(x)\n", "x", "p c", NULL, "2 operators have", "the Flex delegate runs DecodePng;");
    refused(PNG "c = SpellBackwards(x)\n", "x", "p c", &flex, "1 operator has no TFLite form: SpellBackwards", "--allow-custom-ops");
}

/* More than the message has room for: as many as fit, whole, and how many more. */
static void test_long_list(void **state) {
    (void)state;
    static const char layer[] = "functional/a_rather_long_name_of_a_layer/that_lies_in_a_model/that_lies_in_a_model";
    lc_text text = {0}, sum = {0};
    lc_text_add(&text, "x = Placeholder dtype=float shape={2}\n");
    for (int i = 0; i < 60; i++) {
        lc_text_printf(&text, "%s/n%d = Unheard%d(x) T=float\n", layer, i, i);
        lc_text_printf(&sum, "%s%s/n%d", i ? ", " : "", layer, i);
    }
    lc_text_printf(&text, "y = AddN(%s) N=60 T=float\n", sum.data);
    lc_error err;
    assert_null(tf_lower(text.data, "x", "y", NULL, &err));
    assert_true(strlen(err.message) < sizeof err.message - 1); /* nothing was cut */
    assert_non_null(strstr(err.message, "60 operators have no TFLite form: Unheard0 ("));
    assert_non_null(strstr(err.message, "; and 5"));
    assert_non_null(strstr(err.message, " more: Unheard"));
    lc_text_deinit(&text);
    lc_text_deinit(&sum);
}

/* ---- Flex ------------------------------------------------------------------------------------------------------------ */

static void test_flex(void **state) {
    (void)state;
    lc_model *m = lowered("x = Placeholder dtype=string shape={1}\ny = DecodeRaw(x) out_type=float _class=\"note\"\n", "x", "y", &flex);
    expect_code(m, 0, "FlexDecodeRaw");
    const lc_tensor *y = output_at(m, 0, 0);
    assert_true(y->type == LC_FLOAT32 && !y->has_rank);
    /* [name, NodeDef]: the defaults are there, notes are not, the input has no name */
    const lc_vec_u8 o = node_at(m, 0)->custom_options;
    static const uint8_t begin[] = "\x09"
                                   "DecodeRaw\0";
    assert_true(o.n > sizeof begin && !memcmp(o.data, begin, sizeof begin - 1));
    const uint8_t size = o.data[11];
    lc_arena arena = {0};
    lc_budget budget;
    lc_error err;
    lc_pb_NodeDef *def;
    lc_budget_init(&budget, NULL);
    assert_int_equal(lc_pb_read(LC_PB_NodeDef, o.data + 12, size, &budget, &arena, (void **)&def, &err), LC_OK);
    assert_true(lc_str_is(def->op, "DecodeRaw") && def->input.n == 1 && def->input.data[0].size == 0 && def->attr.n == 2);
    assert_true(lc_pb_find(def->attr, LC_STR("little_endian"))->value->b);
    assert_int_equal(lc_pb_find(def->attr, LC_STR("out_type"))->value->type, LC_DT_FLOAT);
    assert_int_equal(o.data[12 + size], 0);
    static const uint8_t end[] = {2, 0, 0, 0x14, 0x14, 4, 0x28, 1};
    assert_int_equal(o.n, 13 + size + sizeof end);
    assert_true(o.data[13 + size] == 2 && !memcmp(o.data + o.n - 5, end + 3, 5));
    lc_arena_deinit(&arena);
    lc_model_destroy(m);
}

/* Outputs by name, lists of them, their types; shapes that are certain. */
static void test_outputs(void **state) {
    (void)state;
    lc_model *m = lowered("def f(x: string) -> (a: p:dense_values:1, b: p:sparse_shapes:0)\n"
                          "  e = const string {0}\n  k = const string {1} \"k\"\n  d = const int64 {} 3\n  g = const float {0}\n"
                          "  p = ParseExampleV2(x, e, k, k, e, d, g) num_sparse=1 sparse_types=[int64] Tdense=[int64,float] "
                          "ragged_value_types=[] ragged_split_types=[]\n"
                          "x = Placeholder dtype=string shape={}\n"
                          "y = PartitionedCall(x) f=@f Tout=[float,int64]\n",
                          "x", "y y:1", &flex);
    expect_code(m, 0, "FlexParseExampleV2");
    assert_int_equal(node_at(m, 0)->output_count, 5);
    assert_int_equal(output_at(m, 0, 3)->type, LC_INT64);
    assert_int_equal(output_at(m, 0, 4)->type, LC_FLOAT32);
    assert_int_equal(m->graphs[0]->outputs[0], node_at(m, 0)->outputs[4]);
    assert_int_equal(m->graphs[0]->outputs[1], node_at(m, 0)->outputs[2]);
    lc_model_destroy(m);
    /* a shape that a rule gives, that the node notes, that an operand has */
    m = lowered("x = Placeholder dtype=string shape={?,3}\ns = StringStrip(x)\n", "x", "s", &flex);
    expect_code(m, 0, "FlexStringStrip");
    assert_true(output_at(m, 0, 0)->has_rank && output_at(m, 0, 0)->rank == 2 && lc_tensor_dim(output_at(m, 0, 0), 1) == 3);
    assert_int_equal(lc_tensor_dim(output_at(m, 0, 0), 0), -1);
    lc_model_destroy(m);
}

/* What follows a tensor of unknown rank: builtin where the rank does not matter, else Flex too. */
static void test_behind(void **state) {
    (void)state;
    lc_model *m = lowered("x = Placeholder dtype=string shape={}\np = DecodeImage(x) channels=3\n"
                          "c = Cast(p) SrcT=uint8 DstT=float\nk = const float {} 2\nm = Mul(c, k) T=float\n"
                          "q = const int32 {4} 0 1 2 3\nt = Transpose(m, q) T=float Tperm=int32\n"
                          "o = MaxPool(m) T=float ksize=[1,2,2,1] strides=[1,2,2,1] padding=\"VALID\"\n",
                          "x", "m t o", &flex);
    lc_text ops = {0};
    for (size_t i = 0; i < m->graphs[0]->node_count; i++) {
        const lc_node *n = node_at(m, i);
        lc_text_printf(&ops, "%s%.*s", i ? " " : "", n->op == LC_OP_CUSTOM ? (int)n->custom_code.size : (int)strlen(lc_op_name(n->op)),
                       n->op == LC_OP_CUSTOM ? n->custom_code.data : lc_op_name(n->op));
    }
    assert_non_null(strstr(ops.data, "FlexDecodeImage CAST MUL"));
    assert_non_null(strstr(ops.data, "FlexMaxPool"));
    lc_text_deinit(&ops);
    assert_int_equal(m->graphs[0]->output_count, 3);
    lc_model_destroy(m);
    /* without the option the reason is said */
    refused("x = Placeholder dtype=float\no = MaxPool(x) T=float ksize=[1,2,2,1] strides=[1,2,2,1] padding=\"VALID\"\n", "x", "o", NULL,
            "number of dimensions", NULL);
}

/* ---- custom -------------------------------------------------------------------------------------------------------- */

static void test_custom(void **state) {
    (void)state;
    /* the official converter's bytes for the same operators */
    lc_model *m = lowered("x = Placeholder dtype=string shape={1}\ny = DecodeRaw(x) out_type=float\n", "x", "y", &custom);
    expect_code(m, 0, "DecodeRaw");
    expect_options(m, 0, "6c6974746c655f656e6469616e006f75745f747970650002180b02010201006804042401");
    lc_model_destroy(m);
    m = lowered("x = Placeholder dtype=float shape={1,8,8,1}\n"
                "y = FractionalMaxPool(x) T=float pooling_ratio=[1.0,1.44,1.73,1.0] seed=3 seed2=4\n",
                "x", "y y:1 y:2", &both); /* Flex lacks it */
    expect_code(m, 0, "FractionalMaxPool");
    expect_options(
        m, 0,
        "540064657465726d696e6973746963006f7665726c617070696e6700706f6f6c696e675f726174696f000000040000000000803fec51b83fa470dd3f0000"
        "803f70736575646f5f72616e646f6d007365656400736565643200075a594c411e110d07010700000037000304046868366804040e2401");
    assert_true(output_at(m, 0, 0)->type == LC_FLOAT32 && output_at(m, 0, 1)->type == LC_INT64);
    lc_model_destroy(m);
    /* an operator that nobody knows: its attributes, and types as its usual attributes say */
    m = lowered("x = Placeholder dtype=float shape={2}\ny = MyOp(x, x) Tout=[int32,string] \nz = Neg(y:0) T=int32\n", "x", "z y:1",
                &custom);
    expect_code(m, 0, "MyOp");
    assert_true(output_at(m, 0, 0)->type == LC_INT32 && output_at(m, 0, 1)->type == LC_STRING && !output_at(m, 0, 0)->has_rank);
    lc_model_destroy(m);
}

static void test_opdef(void **state) {
    (void)state;
    lc_str text[2] = {
        LC_STR("name: \"MyOp\" input_arg { name: \"x\" type_attr: \"T\" }\n"
               "output_arg { name: \"first\" type: DT_INT64 } output_arg { name: \"rest\" type_attr: \"T\" number_attr: \"N\" }\n"
               "attr { name: \"T\" type: \"type\" } attr { name: \"N\" type: \"int\" }\n"
               "attr { name: \"alpha\" type: \"float\" default_value { f: 0.5 } }"),
        LC_STR("# two\nop { name: \"Neg\" output_arg { name: \"o\" type: DT_STRING } } op { name: \"Unused\" }")};
    const lc_lower_options own = {.custom_opdefs = text, .custom_opdef_count = 2};
    lc_model *m = lowered("def f(x: float) -> (a: m:rest:1, b: m:first:0)\n  m = MyOp(x) T=float N=2\n"
                          "x = Placeholder dtype=float shape={2}\ny = PartitionedCall(x) f=@f Tout=[float,int64]\nz = Neg(y)\n",
                          "x", "y y:1 z", &own);
    expect_code(m, 0, "MyOp");
    assert_int_equal(node_at(m, 0)->output_count, 3);
    assert_true(output_at(m, 0, 0)->type == LC_INT64 && output_at(m, 0, 2)->type == LC_FLOAT32);
    assert_int_equal(m->graphs[0]->outputs[0], node_at(m, 0)->outputs[2]);
    lc_flex map;
    lc_error err;
    assert_int_equal(lc_flex_open(node_at(m, 0)->custom_options, &map, &err), LC_OK);
    assert_true(lc_flex_float(&map, "alpha", 0) == 0.5 && lc_flex_int(&map, "N", 0) == 2 && lc_flex_int(&map, "T", 9) == LC_FLOAT32);
    expect_code(m, 1, "Neg"); /* on purpose, though TFLite has it */
    assert_int_equal(output_at(m, 1, 0)->type, LC_STRING);
    lc_model_destroy(m);
    /* bad ones */
    const char *x = "x = Placeholder dtype=float shape={2}\n";
    text[0] = LC_STR("name: \"MyOp\" output_arg {");
    refused(x, "x", "x", &own, "OpDef 1 of the custom operators", "as TensorFlow prints it");
    text[0] = LC_STR("input_arg { name: \"x\" }");
    refused(x, "x", "x", &own, "has no name", NULL);
    text[0] = LC_STR("name: \"Unused\"");
    refused(x, "x", "x", &own, "two OpDefs are called \"Unused\"", NULL);
}

/* ---- what cannot be kept ----------------------------------------------------------------------------------------------- */

static void test_kept_out(void **state) {
    (void)state;
    refused("x = Placeholder dtype=float shape={2}\nv = VarHandleOp dtype=float shape={2}\ny = MyOp(v, x) T=float\n", "x", "y", &custom,
            "it works on a variable itself", NULL);
    /* absurd numbers of outputs */
    refused("x = Placeholder dtype=float shape={2}\ny = ShardedFilename(x) N=3\nz = Unpack(x) T=variant num=1048575\n", "x", "z:3", &flex,
            "", NULL);
    /* an attribute of the wrong kind is no type */
    refused("x = Placeholder dtype=string shape={1}\ny = DecodeRaw(x) out_type=3\n", "x", "y", &flex, "", NULL);
    refused("x = Placeholder dtype=string shape={1}\ny = DecodeRaw(x) out_type=[float]\n", "x", "y:7", &flex, "", NULL);
    /* nor are there ten million outputs because somebody reads the last */
    refused("x = Placeholder dtype=float shape={2}\ny = MyOp(x) T=float\nz = Neg(y:9999999) T=float\n", "x", "z", &custom, "", NULL);
    /* a graph that is wrong stays wrong */
    refused("x = Placeholder dtype=float shape={2}\ny = Transpose(x)\n", "x", "y", &both, "", NULL);
}

/* A function is called, whatever operator has its name. */
static void test_function_name(void **state) {
    (void)state;
    lc_model *m = lowered("def FresnelCos(a: float) -> (o: s:z:0)\n  s = AddV2(a, a) T=float\n"
                          "x = Placeholder dtype=float shape={2}\ny = FresnelCos(x)\n",
                          "x", "y", &both);
    assert_int_equal(node_at(m, 0)->op, LC_OP_ADD);
    lc_model_destroy(m);
}

/* ---- the writer ------------------------------------------------------------------------------------------------------------ */

static void test_writer(void **state) {
    (void)state;
    char long_text[70000];
    memset(long_text, 'a', sizeof long_text);
    const int64_t ints[3] = {-1, 300, INT64_C(1) << 40};
    const float reals[2] = {0.5F, -2};
    const lc_str words[2] = {LC_STR("one"), LC_STR("")};
    const lc_flex_value v[] = {{.key = LC_STR("b"), .kind = LC_FLEX_KIND_BOOL, .i = 1},
                               {.key = LC_STR("f"), .kind = LC_FLEX_KIND_FLOAT, .f = 1.5F},
                               {.key = LC_STR("i"), .kind = LC_FLEX_KIND_INT, .i = INT64_MIN},
                               {.key = LC_STR("k"), .kind = LC_FLEX_KIND_INTS, .ints = ints, .n = 3},
                               {.key = LC_STR("l"), .kind = LC_FLEX_KIND_STRING, .s = {long_text, sizeof long_text}},
                               {.key = LC_STR("r"), .kind = LC_FLEX_KIND_FLOATS, .floats = reals, .n = 2},
                               {.key = LC_STR("s"), .kind = LC_FLEX_KIND_STRING, .s = {NULL, 0}},
                               {.key = LC_STR("w"), .kind = LC_FLEX_KIND_STRINGS, .strings = words, .n = 2}};
    lc_text out = {0};
    lc_arena arena = {0};
    lc_flex map;
    lc_error err;
    lc_flex_write_map(&out, v, sizeof v / sizeof *v, &arena);
    assert_false(out.failed);
    assert_int_equal(lc_flex_open((lc_vec_u8){(const uint8_t *)out.data, out.size}, &map, &err), LC_OK);
    assert_true(lc_flex_bool(&map, "b", false) && lc_flex_float(&map, "f", 0) == 1.5 && lc_flex_int(&map, "i", 0) == INT64_MIN);
    const lc_str l = lc_flex_string(&map, "l", (lc_str){0}), s = lc_flex_string(&map, "s", LC_STR("x"));
    assert_true(l.size == sizeof long_text && !memcmp(l.data, long_text, l.size) && s.size == 0);
    assert_true(lc_flex_has(&map, "k") && lc_flex_has(&map, "r") && lc_flex_has(&map, "w"));
    assert_int_equal(lc_flex_check(&map, &err), LC_OK);
    lc_text_deinit(&out);
    lc_flex_write_map(&out, NULL, 0, &arena);
    assert_int_equal(lc_flex_open((lc_vec_u8){(const uint8_t *)out.data, out.size}, &map, &err), LC_OK);
    assert_false(lc_flex_has(&map, "b"));
    lc_text_deinit(&out);
    lc_arena_deinit(&arena);
}

/* ---- memory ------------------------------------------------------------------------------------------------------------------ */

static lc_status lower_text(void *text, lc_error *err) {
    const lc_str own = LC_STR("name: \"Mine\" output_arg { name: \"o\" type: DT_INT32 } attr { name: \"a\" default_value { i: 3 } }");
    lc_lower_options o = both;
    o.custom_opdefs = &own;
    o.custom_opdef_count = 1;
    lc_model *m = tf_lower(text, "x", "t m q", &o, err);
    if (!m) return err->status;
    lc_model_destroy(m);
    return LC_OK;
}

static lc_status list_text(void *text, lc_error *err) {
    lc_model *m = tf_lower(text, "x", "t m q", NULL, err);
    assert_null(m);
    return err->status == LC_UNSUPPORTED ? LC_OK : err->status;
}

static void test_memory(void **state) {
    (void)state;
    lc_arena arena = {0};
    const char *text = tf_text("x = Placeholder dtype=string shape={}\np = DecodeImage(x) channels=3\n"
                               "t = MaxPool(p) T=uint8 ksize=[1,2,2,1] strides=[1,2,2,1] padding=\"VALID\"\n"
                               "m = Mine(t)\nq = EncodeProto(p) names=[1,2]\n",
                               &arena);
    fault_check(lower_text, (void *)(uintptr_t)text, NULL);
    fault_check(list_text, (void *)(uintptr_t)text, NULL);
    lc_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),    cmocka_unit_test(test_long_list), cmocka_unit_test(test_flex),
        cmocka_unit_test(test_outputs), cmocka_unit_test(test_behind),    cmocka_unit_test(test_custom),
        cmocka_unit_test(test_opdef),   cmocka_unit_test(test_kept_out),  cmocka_unit_test(test_function_name),
        cmocka_unit_test(test_writer),  cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
