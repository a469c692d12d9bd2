/*
 * test_proto_bad.c: what of protocol buffers is refused: for every rule of proto_rules.def a message that breaks it, with the id, the place
 * and the words that come out; and every cut and changed byte of good ones, which may be refused but do no harm.
 */
#include "proto/proto_impl.h"
#include "support/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static lc_error err;
static bool seen[LC_PB_RULE_COUNT];

static lc_status read_any(lc_pb_id id, bool is_text, const void *bytes, size_t size) {
    lc_arena arena = {0};
    lc_budget budget;
    void *message;
    uint8_t *exact = malloc(size ? size : 1); /* so that the sanitizer sees a byte too far */
    memcpy(exact, bytes, size);
    lc_error_clear(&err);
    lc_budget_init(&budget, &(lc_limits){.max_memory = 1 << 20});
    const lc_status status = is_text ? lc_pb_read_text(id, (lc_str){(const char *)exact, size}, &budget, &arena, &message, &err)
                                     : lc_pb_read(id, exact, size, &budget, &arena, &message, &err);
    assert_true((status == LC_OK) == (message != NULL));
    lc_arena_deinit(&arena);
    free(exact);
    return status;
}

static void assert_refused(lc_pb_rule rule, uint64_t offset, const char *words, const char *what) {
    if (strcmp(err.rule, lc_pb_rule_ids[rule]) != 0 || err.offset != offset || !strstr(err.message, words))
        fail_msg("%s: got [%s] at %llu, %s\nwanted [%s] at %llu, %s", what, err.rule, (unsigned long long)err.offset, err.message,
                 lc_pb_rule_ids[rule], (unsigned long long)offset, words);
    seen[rule] = true;
}

/* ---- wire -------------------------------------------------------------------------------------------------------- */

static wire w;

static void refuse(lc_pb_id id, lc_pb_rule rule, uint64_t offset, const char *words) {
    if (read_any(id, false, w.bytes, w.size) != LC_INVALID) fail_msg("\"%s\" was not refused: %s", words, err.message);
    assert_refused(rule, offset, words, lc_pb_name(id));
    w = (wire){0};
}

static void test_wire(void **state) {
    (void)state;
    w = (wire){0};
    wire_varint(&w, 0, 1);
    refuse(LC_PB_GraphDef, LC_PB_RULE_TAG, 0, "GraphDef: a field with number 0");
    wire_varint(&w, 3, 1);
    wire_tag(&w, 1, 6);
    refuse(LC_PB_GraphDef, LC_PB_RULE_TAG, 2, "wire type 6");
    wire_tag(&w, 1u << 29, 0);
    refuse(LC_PB_GraphDef, LC_PB_RULE_TAG, 0, "number 536870912");
    wire_tag(&w, 3, 0);
    refuse(LC_PB_GraphDef, LC_PB_RULE_VARINT, 1, "cut short");
    wire_raw(&w, "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11);
    refuse(LC_PB_GraphDef, LC_PB_RULE_VARINT, 1, "larger than 64 bits");
    wire_raw(&w, "\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12);
    refuse(LC_PB_GraphDef, LC_PB_RULE_VARINT, 1, "longer than 10 bytes");
    wire_raw(&w, "\x80", 1);
    refuse(LC_PB_GraphDef, LC_PB_RULE_VARINT, 0, "cut short");
    wire_raw(&w, "\x0a\x05xyz", 5);
    refuse(LC_PB_GraphDef, LC_PB_RULE_LENGTH, 1, "field 1 has 5 bytes, but the message ends after 3");
    wire_raw(&w, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
    refuse(LC_PB_GraphDef, LC_PB_RULE_LENGTH, 1, "field 1 has 18446744073709551615 bytes");
    wire_raw(&w, "\x2d\1\2\3", 4);
    refuse(LC_PB_TensorProto, LC_PB_RULE_LENGTH, 1, "field 5 has 4 bytes, but the message ends after 3");
    wire_raw(&w, "\x35\1\2\3", 4); /* crc32c, cut */
    refuse(LC_PB_BundleEntryProto, LC_PB_RULE_LENGTH, 1, "field 6");
    /* An inner message that goes beyond the outer one, which has more bytes behind it. */
    wire_open(&w, 1);
    wire_string(&w, 1, "n");
    wire_open(&w, 5);
    wire_tag(&w, 1, 2);
    wire_number(&w, 7);
    wire_raw(&w, "key", 3);
    wire_close(&w);
    wire_close(&w);
    wire_varint(&w, 3, 100000000000);
    refuse(LC_PB_GraphDef, LC_PB_RULE_LENGTH, 8, "GraphDef.node[0].attr[0]: field 1 has 7 bytes, but the message ends after 3");
    /* Known fields with the wire type of another kind. */
    wire_string(&w, 3, "text");
    refuse(LC_PB_GraphDef, LC_PB_RULE_TYPE, 0, "GraphDef: field 'version' has wire type 2, needs 0");
    wire_varint(&w, 1, 5);
    refuse(LC_PB_GraphDef, LC_PB_RULE_TYPE, 0, "field 'node' has wire type 0, needs 2");
    wire_open(&w, 4);
    wire_open(&w, 1);
    wire_close(&w);
    wire_close(&w);
    refuse(LC_PB_GraphDef, LC_PB_RULE_TYPE, 2, "GraphDef.versions: field 'producer' has wire type 2");
    wire_32(&w, 7, "1234");
    refuse(LC_PB_TensorProto, LC_PB_RULE_TYPE, 0, "field 'int_val' has wire type 5");
    wire_tag(&w, 1, 3);
    wire_tag(&w, 1, 4);
    refuse(LC_PB_NodeDef, LC_PB_RULE_TYPE, 0, "field 'name' has wire type 3");
    wire_bytes(&w, 5, "1234567", 7);
    refuse(LC_PB_TensorProto, LC_PB_RULE_PACKED, 0, "field 'float_val' packs numbers of 4 bytes into 7");
    wire_bytes(&w, 7, "\x01\x80", 2);
    refuse(LC_PB_TensorProto, LC_PB_RULE_PACKED, 0, "the last of the numbers packed into field 'int_val' is cut");
    wire_bytes(&w, 7, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12);
    refuse(LC_PB_TensorProto, LC_PB_RULE_VARINT, 2, "longer than 10 bytes");
    wire_tag(&w, 99, 3);
    wire_varint(&w, 1, 1);
    refuse(LC_PB_GraphDef, LC_PB_RULE_GROUP, w.size, "group 99 does not end");
    wire_tag(&w, 99, 3);
    wire_tag(&w, 98, 4);
    refuse(LC_PB_GraphDef, LC_PB_RULE_GROUP, 2, "group 99 ends with number 98");
    wire_tag(&w, 99, 4);
    refuse(LC_PB_GraphDef, LC_PB_RULE_GROUP, 0, "group 99 ends without having begun");
    for (int i = 0; i < LC_PB_MAX_DEPTH + 1; i++) wire_tag(&w, 99, 3);
    refuse(LC_PB_GraphDef, LC_PB_RULE_DEPTH, 2 * LC_PB_MAX_DEPTH, "nested more than 100 deep");
    for (int i = 0; i < LC_PB_MAX_DEPTH + 1; i++) wire_open(&w, 2);
    for (int i = 0; i < LC_PB_MAX_DEPTH + 1; i++) wire_close(&w);
    const uint64_t at = w.size;
    refuse(LC_PB_FullTypeDef, LC_PB_RULE_DEPTH, at, "nested more than 100 deep");
    assert_non_null(strstr(err.message, "FullTypeDef.args[0].args[0]"));
    assert_non_null(strstr(err.message, "..."));
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static const struct {
    lc_pb_id id;
    lc_pb_rule rule;
    const char *text;
    const char *words;
    unsigned offset;
} texts[] = {
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "node { name: 'a'\n", "line 1, column 6: a message that begins here does not end with }", 5},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "node < name: 'a' }", "line 1, column 18: found '}', needs the name of a field", 17},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "version: 1\n}", "line 2, column 1: found '}'", 11},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "version 1", "line 1, column 9: found '1', needs : or { behind the name 'version'", 8},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "node", "found the end of the text, needs : or {", 4},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "{\"node\": 1}", "found '{', needs the name of a field", 0},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "\n\t\x93zz: 1", "line 2, column 2: found byte 0x93", 2},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "5: 1", "found '5', needs the name of a field", 0},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "[] { }", "needs the name of a field", 1},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "[a b] { }", "found 'b', needs the name", 3},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "dict_value { } kind: 5",
     "line 1, column 1: 'dict_value' is no field of a GraphDef, nor is any other", 0},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "version: 1 other: }", "found '}', needs a value", 18},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT, "version: 1 other: { a: [ }", "needs a value", 25},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT, "input: ['a', 'b'", "a list that begins here does not end", 7},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT, "input: ['a' : 'b']", "found ':', needs , or ] in a list", 12},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_VALUE, "input: ['a',]", "field 'input' is ']', needs a string in quotes", 12},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_VALUE, "name: ['a']", "field 'name' is a list, needs one value", 6},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_STRING, "name: 'ab\ncd'", "a string that begins here does not end on its line", 6},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_STRING, "name: \"abc", "does not end on its line", 6},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_STRING, "name: \"abc\\", "a backslash before the end of the text", 10},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_STRING, "name: 'a' 'b", "does not end on its line", 10},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_STRING, "name: '\\q'", "an unknown escape: a backslash before 'q'", 7},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_STRING, "name: '\\777'", "larger than a byte", 7},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_STRING, "name: '\\xg'", "\\x has no digits", 7},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_STRING, "name: '\\u12'", "\\u needs the 4 digits", 7},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_STRING, "name: '\\U00110000'", "\\U needs the 8 digits", 7},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_STRING, "name: '\\ud800x'", "half a character", 7},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_STRING, "name: '\\udc00'", "half a character", 7},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_STRING, "name: '\\ud800\\u0041'", "half a character", 7},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_VALUE, "name: n", "field 'name' is 'n', needs a string in quotes", 6},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_VALUE, "name { }", "needs a string in quotes", 5},
    {LC_PB_NodeDef, LC_PB_RULE_TEXT_VALUE, "name: 'n' attr: 5", "field 'attr' is '5', needs a message in braces", 16},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT_VALUE, "version: 2147483648", "needs an integer of 32 bits", 9},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT_VALUE, "version: -2147483649", "field 'version' is '-2147483649', needs an integer of 32 bits", 9},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT_VALUE, "version: 1.0", "is '1.0', needs an integer", 9},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT_VALUE, "version: 08", "needs an integer", 9},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT_VALUE, "version: 0x", "needs an integer", 9},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT_VALUE, "version: one", "is 'one', needs an integer", 9},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT_VALUE, "version:", "is the end of the text, needs an integer", 8},
    {LC_PB_GraphDef, LC_PB_RULE_TEXT_VALUE, "version: +1", "is '+1', needs an integer", 9},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_VALUE, "uint32_val: -1", "32 bits that is not negative", 12},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_VALUE, "uint64_val: 18446744073709551616", "64 bits that is not negative", 12},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_VALUE, "int64_val: 9223372036854775808", "an integer of 64 bits", 11},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_VALUE, "float_val: 1.5x", "field 'float_val' is '1.5x', needs a number", 11},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_VALUE, "float_val: 1e", "needs a number", 11},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_VALUE, "float_val: .", "needs a number", 11},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_VALUE, "float_val: 1.2.3", "needs a number", 11},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_VALUE, "float_val: 0x10", "needs a number", 11},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_VALUE, "float_val: infinite", "needs a number", 11},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_VALUE, "bool_val: yes", "field 'bool_val' is 'yes', needs true or false", 10},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_VALUE, "bool_val: 2", "needs true or false", 10},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_VALUE, "dtype: \"DT_FLOAT\"", "field 'dtype' is '\"DT_FLOAT'", 7},
    {LC_PB_TensorProto, LC_PB_RULE_TEXT_ENUM, "dtype: DT_FLAOT", "line 1, column 8: field 'dtype' has no value 'DT_FLAOT'", 7},
    {LC_PB_SaverDef, LC_PB_RULE_TEXT_ENUM, "version: V3", "field 'version' has no value 'V3'", 9},
};

static void test_text(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (read_any(texts[i].id, true, texts[i].text, strlen(texts[i].text)) != LC_INVALID) fail_msg("%s: not refused", texts[i].text);
        assert_refused(texts[i].rule, texts[i].offset, texts[i].words, texts[i].text);
    }
    /* Columns are characters, whatever their bytes. */
    static const char wide[] = "name: 'x' # \xc3\xa9\n'\xc3\xa9\xe4\xb8\xad' op: Add";
    assert_int_equal(read_any(LC_PB_NodeDef, true, wide, sizeof wide - 1), LC_INVALID);
    assert_refused(LC_PB_RULE_TEXT_VALUE, 27, "line 2, column 10: field 'op' is 'Add'", wide);
    /* The nearest name. */
    assert_int_equal(read_any(LC_PB_TensorProto, true, "dtype: DT_FLAOT", 15), LC_INVALID);
    assert_string_equal(err.hint, "did you mean DT_FLOAT?");
    assert_int_equal(read_any(LC_PB_TensorProto, true, "dtype: QQQQQQQQ", 15), LC_INVALID);
    assert_non_null(strstr(err.hint, "its number"));
    /* A name longer than any. */
    char longest[300] = "dtype: ";
    memset(longest + 7, 'D', 280);
    assert_int_equal(read_any(LC_PB_TensorProto, true, longest, 287), LC_INVALID);
    assert_refused(LC_PB_RULE_TEXT_ENUM, 7, "has no value 'DDD", "a long name");
    char digits[700] = "float_val: ";
    memset(digits + 11, '1', 600);
    assert_int_equal(read_any(LC_PB_TensorProto, true, digits, 611), LC_INVALID);
    assert_refused(LC_PB_RULE_TEXT_VALUE, 11, "needs a number", "many digits");
}

/* Known messages and unknown ones, in all the ways there are to nest them. */
static void test_text_deep(void **state) {
    (void)state;
    static const char *const open[] = {"args{", "x<", "args:[{", "x:[<"}, *const close[] = {"}", ">", "}]", ">]"};
    for (size_t way = 0; way < 4; way++)
        for (int depth = LC_PB_MAX_DEPTH; depth <= 20000; depth = depth == LC_PB_MAX_DEPTH ? LC_PB_MAX_DEPTH + 1 : depth * 14) {
            lc_text text = {0};
            lc_text_add(&text, "type_id: TFT_VAR ");
            for (int i = 0; i < depth; i++) lc_text_add(&text, open[way]);
            const size_t middle = text.size;
            for (int i = 0; i < depth; i++) lc_text_add(&text, close[way]);
            const lc_status status = read_any(LC_PB_FullTypeDef, true, text.data, text.size);
            const size_t at = 17 + (LC_PB_MAX_DEPTH + 1) * strlen(open[way]) - 1;
            if (depth == LC_PB_MAX_DEPTH) assert_int_equal(status, LC_OK);
            else assert_refused(LC_PB_RULE_DEPTH, at, "nested more than 100 deep", open[way]);
            /* without the ends */
            assert_int_equal(read_any(LC_PB_FullTypeDef, true, text.data, middle), LC_INVALID);
            lc_text_deinit(&text);
        }
}

/* ---- all else ------------------------------------------------------------------------------------------------------ */

static void test_varied(void **state) {
    (void)state;
    static const char *const files[] = {"graph_def",    "graph_def.text",    "saved_model",
                                        "tensor_proto", "tensor_proto.text", "structured_value.text"};
    static const lc_pb_id ids[] = {LC_PB_GraphDef,    LC_PB_GraphDef,    LC_PB_SavedModel,
                                   LC_PB_TensorProto, LC_PB_TensorProto, LC_PB_StructuredValue};
    size_t refused = 0, taken = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[600];
        lc_map map;
        const bool is_text = strstr(files[i], ".text") != NULL;
        snprintf(path, sizeof path, LC_TEST_DIR "/fuzz/corpus/proto/%s", files[i]);
        assert_int_equal(lc_map_open(&map, path, NULL, &err), LC_OK);
        uint8_t *copy = malloc(map.size);
        memcpy(copy, map.data, map.size);
        for (size_t at = 1; at < map.size; at++) {
            static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, '"', '{'};
            lc_status status = read_any(ids[i], is_text, copy + 1, at);
            for (size_t v = 0; v < sizeof values; v++) {
                copy[at] = values[v];
                status = read_any(ids[i], is_text, copy + 1, map.size - 1);
                if (status == LC_OK) taken++;
                else if (err.status != status || !err.message[0]) fail_msg("%s, byte %zu: nothing said", files[i], at);
                else refused++;
            }
            copy[at] = map.data[at];
        }
        free(copy);
        lc_map_close(&map);
    }
    assert_true(refused > 1000 && taken > 1000);
}

static void test_every_rule(void **state) {
    (void)state;
    for (int i = 0; i < LC_PB_RULE_COUNT; i++)
        if (!seen[i]) fail_msg("nothing is refused by %s", lc_pb_rule_ids[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wire), cmocka_unit_test(test_text), cmocka_unit_test(test_text_deep),
                                       cmocka_unit_test(test_varied), cmocka_unit_test(test_every_rule)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
