/*
 * test_state.c: what outlives a run: variables and tables that sessions share (lc_session_options.share), variable tensors and
 * lc_session_reset; and what ends one: max_loops.
 */
#include "runtime/session.h"

#include "kernels/string_value.h"
#include "ops/op.h"
#include "support/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define TWO_SIGNATURES LC_TEST_DIR "/data/tflite/variables_two_signatures.tflite"

static lc_error err;

static lc_model *opened(void) {
    lc_model *m;
    if (lc_model_open(TWO_SIGNATURES, NULL, &m, &err) != LC_OK) fail_msg("%s", err.message);
    return m;
}

static lc_session *session(lc_model *m, const char *signature, lc_session *share) {
    lc_session *s;
    if (lc_session_create(m, &(lc_session_options){.signature = signature, .share = share}, &s, &err) != LC_OK) fail_msg("%s", err.message);
    return s;
}

static void run(lc_session *s) {
    if (lc_session_run(s, &err) != LC_OK) fail_msg("%s", err.message);
}

static void add(lc_session *s, float a, float b) {
    memcpy(lc_session_input(s, 0).data, (float[]){a, b}, 2 * sizeof a);
    run(s);
}

static void holds(lc_session *s, float a, float b) {
    run(s);
    const float *v = lc_session_output(s, 0).data;
    assert_int_equal(lc_session_output(s, 0).size, 2 * sizeof *v);
    if (v[0] != a || v[1] != b) fail_msg("%g %g, wanted %g %g", (double)v[0], (double)v[1], (double)a, (double)b);
}

/* The model keeps v += x ("add") and says v ("get"); v begins as [1, 2] or whatever its initialisation says. */
static void test_share(void **unused) {
    (void)unused;
    lc_model *m = opened(), *other = opened();
    lc_session *get = session(m, "get", NULL);
    run(get);
    const float *v = lc_session_output(get, 0).data, a = v[0], b = v[1];
    lc_session *adds = session(m, "add", get), *own = session(m, "add", NULL), *late = session(m, "get", adds);
    add(adds, 10, 20);
    holds(get, a + 10, b + 20);
    holds(late, a + 10, b + 20);
    add(own, 100, 100); /* has variables of its own */
    holds(get, a + 10, b + 20);
    add(adds, 1, 1);
    holds(late, a + 11, b + 21);
    lc_session_reset(adds); /* variables that operators assign stay */
    holds(get, a + 11, b + 21);
    lc_session_destroy(get); /* whoever made them may go first */
    add(adds, 1, 1);
    lc_session_destroy(adds);
    holds(late, a + 12, b + 22);
    lc_session *s;
    assert_int_equal(lc_session_create(other, &(lc_session_options){.signature = "get", .share = late}, &s, &err), LC_ARGUMENT);
    assert_null(s);
    lc_session_destroy(late);
    lc_session_destroy(own);
    lc_model_destroy(m);
    lc_model_destroy(other);
}

static lc_status shared_life(void *model, lc_error *e) {
    lc_session *a, *b = NULL;
    LC_TRY(lc_session_create(model, &(lc_session_options){.signature = "add"}, &a, e));
    memcpy(lc_session_input(a, 0).data, (float[]){1, 1}, 8);
    lc_status status = lc_session_run(a, e);
    if (status == LC_OK) status = lc_session_create(model, &(lc_session_options){.signature = "get", .share = a}, &b, e);
    lc_session_destroy(a);
    if (b && status == LC_OK) status = lc_session_run(b, e);
    lc_session_destroy(b);
    return status;
}

static void test_share_without_memory(void **unused) {
    (void)unused;
    lc_model *m = opened();
    fault_check(shared_life, m, NULL);
    lc_model_destroy(m);
}

/* ---- models by hand ------------------------------------------------------------------------------------------------- */

static lc_model *empty(void) {
    lc_model *m;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    return m;
}

static int32_t tensor(lc_graph *g, lc_tensor t, int32_t n) {
    int32_t index = -1, dims[] = {n};
    t.name = LC_STR("t");
    t.rank = 1;
    t.dims = dims;
    t.has_rank = true;
    assert_int_equal(lc_graph_add_tensor(g, &t, &index, &err), LC_OK);
    return index;
}

static int32_t plain(lc_graph *g, lc_dtype type, int32_t n) { return tensor(g, (lc_tensor){.type = type}, n); }
static int32_t given(lc_graph *g, lc_dtype type, int32_t n, const void *data, size_t size) {
    return tensor(g, (lc_tensor){.type = type, .data = data, .size = size}, n);
}
static int32_t input(lc_graph *g, lc_dtype type, int32_t n) {
    const int32_t t = plain(g, type, n);
    assert_int_equal(lc_graph_add_input(g, t, &err), LC_OK);
    return t;
}
static int32_t output(lc_graph *g, lc_dtype type, int32_t n) {
    const int32_t t = plain(g, type, n);
    assert_int_equal(lc_graph_add_output(g, t, &err), LC_OK);
    return t;
}

static lc_node *node(lc_graph *g, int32_t op, lc_table_id table, const void *attrs, const int32_t *in, uint32_t ins, int32_t out) {
    lc_node *n;
    assert_int_equal(lc_graph_add_node(g, op, table, attrs, in, ins, &out, out < 0 ? 0 : 1, &n, &err), LC_OK);
    return n;
}

/* ---- reset ------------------------------------------------------------------------------------------------------------ */

/* Adds its input to the variable tensor that is its second input, as LSTM does with its state. */
static lc_status sum_prepare(lc_custom_node *n, void *user, lc_error *e) {
    const int32_t two = 2;
    (void)user;
    return lc_custom_set_shape(n, 0, &two, 1, 0, e);
}

static lc_status sum_run(lc_custom_node *n, void *user, lc_error *e) {
    const float *x = lc_custom_input(n, 0).data;
    float *sum = lc_custom_input(n, 1).data, *y = lc_custom_output(n, 0).data;
    (void)user;
    (void)e;
    for (int i = 0; i < 2; i++) y[i] = sum[i] += x[i];
    return LC_OK;
}

static void test_reset(void **unused) {
    (void)unused;
    const lc_custom_op op = {.name = "Sum", .prepare = sum_prepare, .run = sum_run};
    for (int called = 0; called < 2; called++) { /* the state of a called graph is reset as well */
        lc_model *m = empty();
        lc_graph *g = called ? lc_model_add_graph(m, LC_STR("body")) : m->graphs[0];
        const int32_t in[] = {input(g, LC_FLOAT32, 2), tensor(g, (lc_tensor){.type = LC_FLOAT32, .is_variable = true}, 2)};
        node(g, LC_OP_CUSTOM, LC_TABLE_NONE, NULL, in, 2, output(g, LC_FLOAT32, 2))->custom_code = LC_STR("Sum");
        if (called) {
            const int32_t x = input(m->graphs[0], LC_FLOAT32, 2);
            node(m->graphs[0], LC_OP_STABLEHLO_COMPOSITE, LC_TABLE_StableHLOCompositeOptions,
                 &(lc_StableHLOCompositeOptions){.decomposition_subgraph_index = 1}, &x, 1, output(m->graphs[0], LC_FLOAT32, 2));
        }
        lc_session *s;
        if (lc_session_create(m, &(lc_session_options){.custom_ops = &op, .custom_op_count = 1}, &s, &err) != LC_OK)
            fail_msg("%s", err.message);
        memcpy(lc_session_input(s, 0).data, (float[]){1, 2}, 8);
        holds(s, 1, 2);
        memcpy(lc_session_input(s, 0).data, (float[]){1, 2}, 8);
        holds(s, 2, 4);
        lc_session_reset(s);
        memcpy(lc_session_input(s, 0).data, (float[]){1, 2}, 8);
        holds(s, 1, 2);
        lc_session_reset(NULL);
        lc_session_destroy(s);
        lc_model_destroy(m);
    }
}

/* ---- inputs with data ------------------------------------------------------------------------------------------------------ */

/* A graph input that is a constant: it has that value until the caller writes another, and nothing of the file is written. */
static void test_constant_input(void **unused) {
    (void)unused;
    static const float file[] = {1, 2};
    static const uint8_t text[] = {1, 0, 0, 0, 12, 0, 0, 0, 14, 0, 0, 0, 'h', 'i'};
    lc_model *m = empty();
    lc_graph *g = m->graphs[0];
    const int32_t x = given(g, LC_FLOAT32, 2, file, sizeof file), t = given(g, LC_STRING, 1, text, sizeof text);
    assert_int_equal(lc_graph_add_input(g, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_input(g, t, &err), LC_OK);
    node(g, LC_OP_NEG, LC_TABLE_NONE, NULL, &x, 1, output(g, LC_FLOAT32, 2));
    lc_session *s = session(m, NULL, NULL);
    holds(s, -1, -2);
    lc_tensor_view v = lc_session_input(s, 1);
    size_t n;
    assert_memory_equal(lc_tensor_string(&v, 0, &n), "hi", 2);
    float *data = lc_session_input(s, 0).data;
    assert_ptr_not_equal(data, file);
    data[0] = 5;
    holds(s, -5, -2);
    assert_int_equal(lc_session_set_strings(s, 1, (const char *const[]){"a longer one than there was"}, NULL, 1, &err), LC_OK);
    run(s);
    assert_int_equal(lc_session_resize_input(s, 0, (int32_t[]){3}, 1, &err), LC_OK);
    run(s); /* its data are for another shape: zeros or whatever, but its own memory */
    lc_session_destroy(s);
    s = session(m, NULL, NULL);
    holds(s, -1, -2);
    lc_session_destroy(s);
    lc_model_destroy(m);
}

/* ---- loops -------------------------------------------------------------------------------------------------------------- */

static const int32_t one = 1;

/* while (i < n) i = i + 1 */
static lc_model *loop(void) {
    lc_model *m = empty();
    lc_graph *g = m->graphs[0], *condition = lc_model_add_graph(m, LC_STR("condition")), *body = lc_model_add_graph(m, LC_STR("body"));
    int32_t in[] = {input(condition, LC_INT32, 1), input(condition, LC_INT32, 1)};
    node(condition, LC_OP_LESS, LC_TABLE_NONE, NULL, in, 2, output(condition, LC_BOOL, 1));
    const int32_t i = input(body, LC_INT32, 1), n = input(body, LC_INT32, 1), next[] = {i, given(body, LC_INT32, 1, &one, sizeof one)};
    node(body, LC_OP_ADD, LC_TABLE_NONE, NULL, next, 2, output(body, LC_INT32, 1));
    assert_int_equal(lc_graph_add_output(body, n, &err), LC_OK);
    in[0] = input(g, LC_INT32, 1);
    in[1] = input(g, LC_INT32, 1);
    const int32_t out[] = {output(g, LC_INT32, 1), output(g, LC_INT32, 1)};
    const lc_WhileOptions o = {.cond_subgraph_index = 1, .body_subgraph_index = 2};
    lc_node *made;
    assert_int_equal(lc_graph_add_node(g, LC_OP_WHILE, LC_TABLE_WhileOptions, &o, in, 2, out, 2, &made, &err), LC_OK);
    return m;
}

static lc_status loop_until(lc_session *s, int32_t n) {
    *(int32_t *)lc_session_input(s, 0).data = 0;
    *(int32_t *)lc_session_input(s, 1).data = n;
    return lc_session_run(s, &err);
}

static void test_max_loops(void **unused) {
    (void)unused;
    lc_model *m = loop();
    lc_session *s;
    assert_int_equal(lc_session_create(m, &(lc_session_options){.max_loops = 5}, &s, &err), LC_OK);
    for (int again = 0; again < 3; again++) { /* each run counts for itself */
        assert_int_equal(loop_until(s, 5), LC_OK);
        assert_int_equal(*(const int32_t *)lc_session_output(s, 0).data, 5);
        assert_int_equal(loop_until(s, 6), LC_LIMIT);
        assert_non_null(strstr(err.message, "5 iterations"));
        assert_non_null(strstr(err.hint, "max_loops"));
    }
    assert_int_equal(loop_until(s, -1), LC_OK);
    lc_session_destroy(s);
    assert_int_equal(lc_session_create(m, NULL, &s, &err), LC_OK);
    assert_int_equal(loop_until(s, 1000), LC_OK);
    lc_session_destroy(s);
    lc_model_destroy(m);
}

/* ---- tables, handles ------------------------------------------------------------------------------------------------------ */

static uint8_t words[1024], default_word[32];
static size_t words_size, default_size;
static int64_t numbers[100] = {7, -1, 9};

/* Three words and `more` of one letter. */
static void make_words(size_t more) {
    lc_str list[100] = {LC_STR("seven"), LC_STR("minus one"), LC_STR("")}, other = LC_STR("?");
    for (size_t i = 3; i < 3 + more; i++) {
        list[i] = LC_STR("x");
        numbers[i] = (int64_t)i + 1000;
    }
    assert_true(lc_strings_size(list, 3 + more, &words_size) && words_size <= sizeof words);
    lc_strings_write(list, 3 + more, words);
    assert_true(lc_strings_size(&other, 1, &default_size) && default_size <= sizeof default_word);
    lc_strings_write(&other, 1, default_word);
}

static const lc_HashtableOptions table = {.table_id = 5, .key_dtype = LC_INT64, .value_dtype = LC_STRING};

/* x -> words; the graph fills the table itself with so many entries */
static lc_model *lookup(int32_t entries) {
    lc_model *m = empty();
    lc_graph *g = m->graphs[0];
    const int32_t x = input(g, LC_INT64, 2), h = plain(g, LC_RESOURCE, 1);
    node(g, LC_OP_HASHTABLE, LC_TABLE_HashtableOptions, &table, NULL, 0, h);
    const int32_t fill[] = {h, given(g, LC_INT64, entries, numbers, (size_t)entries * sizeof *numbers),
                            given(g, LC_STRING, entries, words, words_size)};
    if (entries) node(g, LC_OP_HASHTABLE_IMPORT, LC_TABLE_NONE, NULL, fill, 3, -1);
    const int32_t find[] = {h, x, given(g, LC_STRING, 1, default_word, default_size)};
    node(g, LC_OP_HASHTABLE_FIND, LC_TABLE_NONE, NULL, find, 3, output(g, LC_STRING, 2));
    return m;
}

static lc_status lookup_life(void *model, lc_error *e) {
    lc_session *s;
    LC_TRY(lc_session_create(model, NULL, &s, e));
    memcpy(lc_session_input(s, 0).data, (int64_t[]){-1, 8}, 16);
    lc_status status = lc_session_run(s, e);
    if (status == LC_OK) status = lc_session_run(s, e);
    const lc_tensor_view v = lc_session_output(s, 0);
    size_t n;
    if (status == LC_OK && (memcmp(lc_tensor_string(&v, 0, &n), "minus one", 9) != 0 || n != 9 || *lc_tensor_string(&v, 1, &n) != '?'))
        status = LC_IO;
    lc_session_destroy(s);
    return status;
}

static void test_table(void **unused) {
    (void)unused;
    make_words(0);
    lc_model *m = lookup(3);
    fault_check(lookup_life, m, NULL);
    lc_session *s;
    lc_model_destroy(m);
    make_words(97);
    m = lookup(100); /* what a table takes is counted: more than 3,200 bytes */
    assert_int_equal(lc_session_create(m, &(lc_session_options){.max_memory = 2000}, &s, &err), LC_OK);
    assert_int_equal(lc_session_run(s, &err), LC_LIMIT);
    assert_int_equal(lc_session_run(s, &err), LC_LIMIT); /* and not half made */
    lc_session_destroy(s);
    assert_int_equal(lookup_life(m, &err), LC_OK);
    lc_model_destroy(m);
    m = lookup(0);
    assert_int_equal(lc_session_create(m, NULL, &s, &err), LC_OK);
    assert_int_equal(lc_session_run(s, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "before anything is imported"));
    assert_non_null(strstr(err.hint, "initialises"));
    lc_session_destroy(s);
    lc_model_destroy(m);
}

/* A handle that names nothing, one of another kind, a table of other types. */
static void test_wrong_handles(void **unused) {
    (void)unused;
    make_words(0);
    static const struct {
        int32_t maker;
        const char *message;
    } cases[] = {{-1, "handle 12345 names no table"},
                 {LC_OP_VAR_HANDLE, "handle 0 names no table"},
                 {LC_OP_HASHTABLE, "goes from string to int64, wanted int64 to string"}};
    static const lc_HashtableOptions opposite = {.table_id = 5, .key_dtype = LC_STRING, .value_dtype = LC_INT64};
    for (size_t i = 0; i < 3; i++) {
        static const int32_t wrong = 12345;
        lc_model *m = empty();
        lc_graph *g = m->graphs[0];
        const int32_t x = input(g, LC_INT64, 2),
                      h = cases[i].maker < 0 ? given(g, LC_INT32, 1, &wrong, sizeof wrong) : plain(g, LC_RESOURCE, 1);
        if (cases[i].maker == LC_OP_HASHTABLE) node(g, LC_OP_HASHTABLE, LC_TABLE_HashtableOptions, &opposite, NULL, 0, h);
        if (cases[i].maker == LC_OP_VAR_HANDLE) node(g, LC_OP_VAR_HANDLE, LC_TABLE_NONE, NULL, NULL, 0, h);
        const int32_t find[] = {h, x, given(g, LC_STRING, 1, default_word, default_size)};
        node(g, LC_OP_HASHTABLE_FIND, LC_TABLE_NONE, NULL, find, 3, output(g, LC_STRING, 2));
        lc_session *s;
        if (lc_session_create(m, NULL, &s, &err) != LC_OK) fail_msg("%s", err.message);
        assert_int_equal(lc_session_run(s, &err), LC_INVALID);
        if (!strstr(err.message, cases[i].message)) fail_msg("%s", err.message);
        lc_session_destroy(s);
        lc_model_destroy(m);
    }
}

/* LiteRT takes handles of type int32 too. */
static void test_int32_handle(void **unused) {
    (void)unused;
    lc_model *m = empty();
    lc_graph *g = m->graphs[0];
    const int32_t x = input(g, LC_FLOAT32, 2), h = plain(g, LC_INT32, 1), assign[] = {h, x};
    node(g, LC_OP_VAR_HANDLE, LC_TABLE_NONE, NULL, NULL, 0, h);
    node(g, LC_OP_ASSIGN_VARIABLE, LC_TABLE_NONE, NULL, assign, 2, -1);
    node(g, LC_OP_READ_VARIABLE, LC_TABLE_NONE, NULL, &h, 1, output(g, LC_FLOAT32, 2));
    lc_session *s;
    if (lc_session_create(m, NULL, &s, &err) != LC_OK) fail_msg("%s", err.message);
    memcpy(lc_session_input(s, 0).data, (float[]){3, 4}, 8);
    holds(s, 3, 4);
    lc_session_destroy(s);
    lc_model_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_share),         cmocka_unit_test(test_share_without_memory),
                                       cmocka_unit_test(test_reset),         cmocka_unit_test(test_constant_input),
                                       cmocka_unit_test(test_max_loops),     cmocka_unit_test(test_table),
                                       cmocka_unit_test(test_wrong_handles), cmocka_unit_test(test_int32_handle)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
