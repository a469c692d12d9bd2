/*
 * test_tf_table.c: hash tables: every way they are looked up in, tables that are empty, have gaps or keys twice, and tables that are wrong.
 */
#include "support/tf_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A table of these keys and values, and a look-up of x [?] with a default. */
#define TABLE(key, value, keys, values, otherwise) \
    "x = Placeholder dtype=" key " shape={?}\n" \
    "t = HashTableV2 key_dtype=" key " value_dtype=" value " shared_name=\"t\"\n" \
    "k = const " key " " keys "\nv = const " value " " values "\n" \
    "i = LookupTableImportV2(t, k, v) Tin=" key " Tout=" value "\n" \
    "d = const " value " {} " otherwise "\n" \
    "y = LookupTableFindV2(t, x, d) Tin=" key " Tout=" value "\n"

static void test_integers(void **state) {
    (void)state;
    const double in[4] = {5, 6, 7, -100};
    tf_expect(TABLE("int32", "float", "{3} 5 6 7", "{3} 0.5 0.6 0.7", "-1"), "y", "4", in, (double[]){0.5, 0.6, 0.7, -1}, 4, 1e-6);
    tf_expect(TABLE("int64", "int32", "{3} 7 100 5", "{3} 70 1000 50", "9"), "y", "4", in, (double[]){50, 9, 70, 9}, 4, 0);
    tf_expect(TABLE("int32", "bool", "{2} 7 5", "{2} true false", "true"), "y", "4", in, (double[]){0, 1, 1, 1}, 4, 0);
    tf_expect(TABLE("int64", "int64", "{1} 6", "{1} 60", "0"), "y", "4", in, (double[]){0, 60, 0, 0}, 4, 0);
    /* the same key twice, with the same value: TensorFlow takes that */
    tf_expect(TABLE("int64", "int64", "{3} 6 7 6", "{3} 60 70 60", "0"), "y", "4", in, (double[]){0, 60, 70, 0}, 4, 0);
}

static void test_empty(void **state) {
    (void)state;
    const double in[2] = {5, 6};
    tf_expect(TABLE("int32", "float", "{0}", "{0}", "2.5"), "y", "2", in, (double[]){2.5, 2.5}, 2, 0);
    tf_expect(TABLE("int64", "int64", "{0}", "{0}", "-3"), "y", "2", in, (double[]){-3, -3}, 2, 0);
}

static void test_refused(void **state) {
    (void)state;
    /* what the initialiser cannot fill is said where the table is used */
    tf_refused(TABLE("int32", "float", "{3} 5 6 7", "{2} 0.5 0.6", "-1"), "x", "y",
               "nothing that can be known before the run fills its table");
    tf_refused("x = Placeholder dtype=int32 shape={?}\nt = HashTableV2 key_dtype=int32 value_dtype=float shared_name=\"t\"\n"
               "f = const string {} \"vocabulary\"\n"
               "i = InitializeTableFromTextFileV2(t, f) key_index=-1 value_index=-2\n"
               "d = const float {} 1\ny = LookupTableFindV2(t, x, d) Tin=int32 Tout=float\n",
               "x", "y", "nothing that can be known before the run fills its table");
    tf_refused("x = Placeholder dtype=int32 shape={?}\nt = HashTableV2 key_dtype=int32 value_dtype=float shared_name=\"t\"\n"
               "d = const float {} 1\nn = Neg(t) T=float\n",
               "x", "n", "is a hash table");
    /* of other types than the table's */
    tf_refused(TABLE("int32", "float", "{1} 5", "{1} 0.5", "-1") "e = const int32 {} 1\nz = LookupTableFindV2(t, x, e)\n", "x", "z",
               "its table is from int32 to float32");
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static lc_status asset(void *user, lc_str name, lc_str *bytes, lc_error *err) {
    if (!lc_str_is(name, "vocabulary")) return lc_fail(err, LC_NOT_FOUND, "there is no file");
    *bytes = lc_str_of(user);
    return LC_OK;
}

/* Looks 0 ... 3 up in a table from the lines' numbers to the numbers in them. */
static void look_up(const char *file, bool fine, double a, double b, double c) {
    lc_arena arena = {0};
    lc_budget budget;
    lc_error err;
    lc_pb_GraphDef *graph;
    const char *text =
        tf_text("x = Placeholder dtype=int64 shape={?}\nt = HashTableV2 key_dtype=int64 value_dtype=float shared_name=\"t\"\n"
                "f = const string {} \"vocabulary\"\n"
                "i = InitializeTableFromTextFileV2(t, f) key_index=-1 value_index=-2\n"
                "d = const float {} -1\ny = LookupTableFindV2(t, x, d) Tin=int64 Tout=float\n",
                &arena);
    lc_budget_init(&budget, NULL);
    assert_int_equal(lc_pb_read_text(LC_PB_GraphDef, lc_str_of(text), &budget, &arena, (void **)&graph, &err), LC_OK);
    lc_tf_port x = {.name = LC_STR("x"), .tensor = LC_STR("x"), .type = LC_INT64, .shape = {.rank = 1, .dims = {-1}}};
    lc_tf_port y = {.name = LC_STR("y"), .tensor = LC_STR("y"), .type = LC_FLOAT32, .shape = {.rank = LC_RANK_UNKNOWN}};
    const lc_tf_signature s = {.key = LC_STR("main"), .inputs = &x, .input_count = 1, .outputs = &y, .output_count = 1};
    const lc_tf_model tf = {.graph = graph, .signatures = &s, .signature_count = 1, .asset = asset, .user = (void *)(uintptr_t)file};
    lc_model *m;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    const lc_status status = lc_lower_tf(&tf, NULL, m, &err);
    assert_int_equal(status, fine ? LC_OK : LC_UNSUPPORTED);
    double out[4];
    if (fine) {
        assert_int_equal(tf_run(m, 1, (const char *[]){"4"}, (const double *[]){(double[]){0, 1, 2, 3}}, 0, out, 4, NULL), 4);
        assert_true(out[0] == a && out[1] == b && out[2] == c && out[3] == -1);
    }
    lc_model_destroy(m);
    lc_arena_deinit(&arena);
}

static void test_file(void **state) {
    (void)state;
    look_up("4\n0.5\n6\n", true, 4, 0.5, 6);
    look_up("4\r\n0.5\r\n6\r", true, 4, 0.5, 6); /* of Windows */
    look_up("", true, -1, -1, -1);
    look_up("4\n5 x\n", false, 0, 0, 0);
    look_up("4\n\n5\n", false, 0, 0, 0);
}

/* LiteRT numbers variables from 0, in the same list. */
static void test_number(void **state) {
    (void)state;
    lc_model *m = tf_make(TABLE("string", "int64", "{2} \"a\" \"b\"", "{2} 1 2", "-1"), "x", "y");
    bool met = false;
    for (size_t i = 0; i < m->graphs[0]->node_count; i++) {
        const lc_node *n = &m->graphs[0]->nodes[i];
        if (n->op != LC_OP_HASHTABLE) continue;
        met = true;
        assert_true(((const lc_HashtableOptions *)n->attrs)->table_id >= 1 << 20);
    }
    assert_true(met);
    lc_model_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_integers), cmocka_unit_test(test_empty), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_file), cmocka_unit_test(test_number)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
