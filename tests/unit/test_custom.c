/*
 * test_custom.c: operators of the caller (lc_custom_op): fixed and run-time shapes, strings, state, options, errors, dynamic inputs,
 * several nodes, called graphs; operators nobody has.
 */
#include "runtime/session.h"

#include "ops/op.h"
#include "support/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static lc_error err;

/* ---- models ------------------------------------------------------------------------------------------------------- */

static int32_t tensor(lc_graph *g, const char *name, lc_dtype type, int32_t n) {
    int32_t index = -1, dims[] = {n};
    assert_int_equal(lc_graph_add_tensor(g, &(lc_tensor){.name = lc_str_of(name), .type = type, .rank = 1, .dims = dims, .has_rank = true},
                                         &index, &err),
                     LC_OK);
    return index;
}

static int32_t input(lc_graph *g, const char *name, lc_dtype type, int32_t n) {
    const int32_t t = tensor(g, name, type, n);
    assert_int_equal(lc_graph_add_input(g, t, &err), LC_OK);
    return t;
}

static int32_t output(lc_graph *g, const char *name, lc_dtype type, int32_t n) {
    const int32_t t = tensor(g, name, type, n);
    assert_int_equal(lc_graph_add_output(g, t, &err), LC_OK);
    return t;
}

static void node(lc_graph *g, const char *custom, int32_t op, const int32_t *in, uint32_t ins, int32_t out, const void *options,
                 uint32_t bytes) {
    lc_node *n;
    assert_int_equal(lc_graph_add_node(g, op, LC_TABLE_NONE, NULL, in, ins, &out, 1, &n, &err), LC_OK);
    n->custom_code = lc_str_of(custom);
    n->custom_options = (lc_vec_u8){options, bytes};
}

static void custom(lc_graph *g, const char *name, int32_t in, int32_t out) { node(g, name, LC_OP_CUSTOM, &in, 1, out, NULL, 0); }

static lc_model *empty(void) {
    lc_model *m;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    return m;
}

/* x[4] of a type -> name -> y of a type */
static lc_model *one(const char *name, lc_dtype in, lc_dtype out) {
    lc_model *m = empty();
    const int32_t x = input(m->graphs[0], "x", in, 4), y = output(m->graphs[0], "y", out, 4);
    custom(m->graphs[0], name, x, y);
    return m;
}

static lc_session *session(lc_model *m, const lc_custom_op *ops, size_t count) {
    lc_session *s;
    if (lc_session_create(m, &(lc_session_options){.custom_ops = ops, .custom_op_count = count}, &s, &err) != LC_OK)
        fail_msg("%s", err.message);
    return s;
}

static void run(lc_session *s) {
    if (lc_session_run(s, &err) != LC_OK) fail_msg("%s", err.message);
}

static void set_floats(lc_session *s, const float *x, size_t n) {
    const lc_tensor_view v = lc_session_input(s, 0);
    assert_int_equal(v.size, n * sizeof *x);
    memcpy(v.data, x, v.size);
}

static void floats_are(lc_session *s, size_t i, const float *want, int32_t n) {
    const lc_tensor_view v = lc_session_output(s, i);
    assert_int_equal(v.rank, 1);
    assert_int_equal(v.dims[0], n);
    assert_int_equal(v.size, (size_t)n * sizeof *want);
    if (n) assert_memory_equal(v.data, want, v.size);
}

static void end(lc_session *s, lc_model *m) {
    lc_session_destroy(s);
    lc_model_destroy(m);
}

/* ---- Scale: a fixed shape, options, state ---------------------------------------------------------------------------- */

typedef struct counts {
    int prepared, ran, destroyed, made;
} counts;
typedef struct scale_state {
    float factor;
    int runs;
} scale_state;

static lc_status scale_prepare(lc_custom_node *n, void *user, lc_error *e) {
    size_t size;
    const float *factor = lc_custom_options(n, &size);
    const lc_tensor_view x = lc_custom_input(n, 0);
    ((counts *)user)->prepared++;
    if (lc_custom_input_count(n) != 1 || lc_custom_output_count(n) != 1 || !x.name)
        return lc_fail(e, LC_INVALID, "Scale needs one input and one output");
    if (size && size != sizeof *factor) return lc_fail(e, LC_INVALID, "Scale has %zu bytes of options, needs %zu", size, sizeof *factor);
    scale_state *s = lc_custom_state(n);
    if (!s) {
        s = lc_calloc(1, sizeof *s);
        if (!s) return lc_fail_memory(e, "Scale");
        ((counts *)user)->made++;
        lc_custom_set_state(n, s);
    }
    s->factor = 2;
    if (size) memcpy(&s->factor, factor, sizeof *factor);
    return lc_custom_set_shape(n, 0, x.dims, x.rank, 0, e);
}

static lc_status scale_run(lc_custom_node *n, void *user, lc_error *e) {
    (void)e;
    ((counts *)user)->ran++;
    scale_state *s = lc_custom_state(n);
    const lc_tensor_view x = lc_custom_input(n, 0), y = lc_custom_output(n, 0);
    for (size_t i = 0; i < x.size / sizeof(float); i++) ((float *)y.data)[i] = ((const float *)x.data)[i] * s->factor;
    s->runs++;
    return LC_OK;
}

static void scale_destroy(void *state, void *user) {
    ((counts *)user)->destroyed++;
    lc_free(state);
}

static lc_custom_op scale_op(counts *c) {
    return (lc_custom_op){.name = "Scale", .user = c, .prepare = scale_prepare, .run = scale_run, .destroy = scale_destroy};
}

static lc_model *two_scales(void) {
    static const float three = 3;
    lc_model *m = empty();
    lc_graph *g = m->graphs[0];
    const int32_t x = input(g, "x", LC_FLOAT32, 4), t = tensor(g, "t", LC_FLOAT32, 4), y = output(g, "y", LC_FLOAT32, 4);
    custom(g, "Scale", x, t);
    node(g, "Scale", LC_OP_CUSTOM, &t, 1, y, &three, sizeof three);
    return m;
}

static void test_fixed_shape(void **unused) {
    (void)unused;
    counts c = {0};
    const lc_custom_op op = scale_op(&c);
    lc_model *m = two_scales();
    lc_session *s = session(m, &op, 1);
    assert_int_equal(lc_session_output(s, 0).dims[0], 4); /* known before the first run */
    set_floats(s, (float[]){1, 2, -3, 4}, 4);
    fault_install();
    run(s);
    run(s);
    assert_int_equal(fault_count(), 0);
    fault_remove();
    floats_are(s, 0, (float[]){6, 12, -18, 24}, 4);
    assert_true(c.prepared == 2 && c.ran == 4 && c.made == 2 && c.destroyed == 0);
    const lc_profile_entry p = lc_session_profile(s, 1);
    assert_string_equal(p.kernel, "custom");

    const int32_t dims[] = {2};
    assert_int_equal(lc_session_resize_input(s, 0, dims, 1, &err), LC_OK);
    assert_true(c.prepared == 4 && c.made == 4 && c.destroyed == 2);
    set_floats(s, (float[]){5, 6}, 2);
    run(s);
    floats_are(s, 0, (float[]){30, 36}, 2);
    end(s, m);
    assert_int_equal(c.destroyed, 4);
}

/* ---- Positive: the run decides the shape ------------------------------------------------------------------------------- */

static lc_status positive_run(lc_custom_node *n, void *user, lc_error *e) {
    const lc_tensor_view x = lc_custom_input(n, 0);
    int32_t count = 0;
    (void)user;
    for (size_t i = 0; i < x.size / sizeof(float); i++) count += ((const float *)x.data)[i] > 0;
    LC_TRY(lc_custom_set_shape(n, 0, &count, 1, 0, e));
    float *y = lc_custom_output(n, 0).data;
    for (size_t i = 0; i < x.size / sizeof(float); i++)
        if (((const float *)x.data)[i] > 0) *y++ = ((const float *)x.data)[i];
    return LC_OK;
}

/* x -> Positive -> Scale -> NEG -> y: everything behind the first is dynamic */
static lc_model *dynamic_model(void) {
    lc_model *m = empty();
    lc_graph *g = m->graphs[0];
    const int32_t x = input(g, "x", LC_FLOAT32, 5), a = tensor(g, "a", LC_FLOAT32, 1), b = tensor(g, "b", LC_FLOAT32, 1),
                  y = output(g, "y", LC_FLOAT32, 1);
    custom(g, "Positive", x, a);
    custom(g, "Scale", a, b);
    node(g, "", LC_OP_NEG, &b, 1, y, NULL, 0);
    return m;
}

static void test_run_time_shape(void **unused) {
    (void)unused;
    counts c = {0};
    const lc_custom_op ops[] = {scale_op(&c), {.name = "Positive", .run = positive_run}};
    lc_model *m = dynamic_model();
    lc_session *s = session(m, ops, 2);
    assert_int_equal(lc_session_output(s, 0).rank, -1);
    assert_int_equal(c.prepared, 0); /* its input has no shape yet */
    set_floats(s, (float[]){-1, 2, -3, 4, 5}, 5);
    run(s);
    floats_are(s, 0, (float[]){-4, -8, -10}, 3);
    set_floats(s, (float[]){1, 2, 3, 4, 5}, 5);
    run(s);
    floats_are(s, 0, (float[]){-2, -4, -6, -8, -10}, 5);
    set_floats(s, (float[]){0, -2, -3, -4, -5}, 5);
    run(s);
    floats_are(s, 0, NULL, 0);
    assert_true(c.prepared == 3 && c.made == 1); /* with each run, and its state stays */
    end(s, m);
    assert_int_equal(c.destroyed, 1);
}

/* ---- strings ------------------------------------------------------------------------------------------------------------ */

/* int32 -> decimal words */
static lc_status words_run(lc_custom_node *n, void *user, lc_error *e) {
    const lc_tensor_view x = lc_custom_input(n, 0);
    const int32_t count = (int32_t)(x.size / sizeof(int32_t));
    char text[400];
    int32_t table[32], at = 4 * (count + 2);
    (void)user;
    table[0] = count;
    size_t size = 0;
    for (int32_t i = 0; i < count; i++) {
        table[i + 1] = at + (int32_t)size;
        size += (size_t)snprintf(text + size, sizeof text - size, "%d", ((const int32_t *)x.data)[i]);
    }
    table[count + 1] = at + (int32_t)size;
    LC_TRY(lc_custom_set_shape(n, 0, &count, 1, (size_t)at + size, e));
    char *y = lc_custom_output(n, 0).data;
    memcpy(y, table, (size_t)at);
    memcpy(y + at, text, size);
    return LC_OK;
}

/* strings -> lengths */
static lc_status lengths_prepare(lc_custom_node *n, void *user, lc_error *e) {
    const lc_tensor_view x = lc_custom_input(n, 0);
    (void)user;
    return lc_custom_set_shape(n, 0, x.dims, x.rank, 0, e);
}

static lc_status lengths_run(lc_custom_node *n, void *user, lc_error *e) {
    const lc_tensor_view x = lc_custom_input(n, 0), y = lc_custom_output(n, 0);
    (void)user;
    for (size_t i = 0; i < y.size / sizeof(int32_t); i++) {
        size_t length;
        if (!lc_tensor_string(&x, i, &length)) return lc_fail(e, LC_INVALID, "string %zu is missing", i);
        ((int32_t *)y.data)[i] = (int32_t)length;
    }
    return LC_OK;
}

static const lc_custom_op text_ops[] = {{.name = "Words", .run = words_run},
                                        {.name = "Lengths", .prepare = lengths_prepare, .run = lengths_run}};

static void string_is(const lc_tensor_view *v, size_t i, const char *want) {
    size_t n;
    const char *s = lc_tensor_string(v, i, &n);
    assert_non_null(s);
    assert_int_equal(n, strlen(want));
    assert_memory_equal(s, want, n);
}

static void test_string_output(void **unused) {
    (void)unused;
    lc_model *m = one("Words", LC_INT32, LC_STRING);
    lc_session *s = session(m, text_ops, 2);
    lc_tensor_view v = lc_session_output(s, 0);
    assert_null(lc_tensor_string(&v, 0, NULL)); /* nothing yet */
    memcpy(lc_session_input(s, 0).data, (int32_t[]){7, -12, 0, 123456}, 16);
    run(s);
    v = lc_session_output(s, 0);
    assert_true(v.type == LC_STRING && v.rank == 1 && v.dims[0] == 4);
    string_is(&v, 0, "7");
    string_is(&v, 1, "-12");
    string_is(&v, 3, "123456");
    assert_null(lc_tensor_string(&v, 4, NULL));
    assert_null(lc_tensor_string(NULL, 0, NULL));
    v.size = 20; /* cut: what is left is no buffer of four strings */
    size_t length = 9;
    assert_null(lc_tensor_string(&v, 0, &length));
    assert_int_equal(length, 0);
    end(s, m);
}

static void test_string_input(void **unused) {
    (void)unused;
    lc_model *m = one("Lengths", LC_STRING, LC_INT32);
    lc_session *s = session(m, text_ops, 2);
    static const char *const words[] = {"a", "", "\xc3\xa9t\xc3\xa9", "word"};
    assert_int_equal(lc_session_run(s, &err), LC_INVALID); /* never set */
    assert_int_equal(lc_session_set_strings(s, 0, words, NULL, 4, &err), LC_OK);
    run(s);
    assert_memory_equal(lc_session_output(s, 0).data, ((int32_t[]){1, 0, 5, 4}), 16);
    run(s); /* they stay */
    assert_memory_equal(lc_session_output(s, 0).data, ((int32_t[]){1, 0, 5, 4}), 16);
    static const size_t lengths[] = {1, 0, 3, 2}; /* with a NUL inside, cut */
    static const char *const bytes[] = {"\0", NULL, "a\0b", "word"};
    assert_int_equal(lc_session_set_strings(s, 0, bytes, lengths, 4, &err), LC_OK);
    run(s);
    assert_memory_equal(lc_session_output(s, 0).data, ((int32_t[]){1, 0, 3, 2}), 16);
    const lc_tensor_view in = lc_session_input(s, 0);
    size_t n;
    assert_memory_equal(lc_tensor_string(&in, 2, &n), "a\0b", 3);

    assert_int_equal(lc_session_set_strings(s, 0, words, NULL, 3, &err), LC_ARGUMENT); /* as many as elements */
    assert_non_null(strstr(err.message, "needs 4 strings, got 3"));
    assert_int_equal(lc_session_set_strings(s, 1, words, NULL, 4, &err), LC_ARGUMENT);
    assert_int_equal(lc_session_set_strings(s, 0, NULL, NULL, 4, &err), LC_ARGUMENT);
    assert_int_equal(lc_session_set_strings(s, 0, bytes, NULL, 4, &err), LC_ARGUMENT); /* one of them is NULL */
    assert_int_equal(lc_session_set_strings(s, 0, words, (size_t[]){1, 0, SIZE_MAX / 2, 4}, 4, &err), LC_LIMIT);
    run(s); /* a refused call changes nothing */
    assert_memory_equal(lc_session_output(s, 0).data, ((int32_t[]){1, 0, 3, 2}), 16);

    assert_int_equal(lc_session_resize_input(s, 0, (int32_t[]){0, 3}, 2, &err), LC_OK);
    assert_int_equal(lc_session_set_strings(s, 0, NULL, NULL, 0, &err), LC_OK);
    run(s);
    assert_int_equal(lc_session_output(s, 0).size, 0);
    end(s, m);
    m = one("Scale", LC_FLOAT32, LC_FLOAT32);
    counts c = {0};
    s = session(m, &(lc_custom_op){.name = "Scale", .user = &c, .prepare = scale_prepare, .run = scale_run, .destroy = scale_destroy}, 1);
    assert_int_equal(lc_session_set_strings(s, 0, words, NULL, 4, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "float32, not string"));
    end(s, m);
}

/* ---- errors -------------------------------------------------------------------------------------------------------------- */

typedef enum trouble {
    PREPARE_SAYS,
    PREPARE_SILENT,
    RUN_SAYS,
    RUN_SILENT,
    NO_SHAPE,
    NO_SUCH_OUTPUT,
    NEGATIVE,
    RANK_9,
    NO_DIMS,
    TOO_LARGE,
    CHANGED,
    TROUBLES
} trouble;

static lc_status trouble_prepare(lc_custom_node *n, void *user, lc_error *e) {
    const int32_t four = 4;
    switch (*(const trouble *)user) {
    case PREPARE_SAYS: return lc_fail(e, LC_UNSUPPORTED, "it is Monday");
    case PREPARE_SILENT: return LC_LIMIT;
    case NO_SUCH_OUTPUT: return lc_custom_set_shape(n, 1, &four, 1, 0, e);
    case NEGATIVE: return lc_custom_set_shape(n, 0, (int32_t[]){3, -1}, 2, 0, e);
    case RANK_9: return lc_custom_set_shape(n, 0, (int32_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1}, 9, 0, e);
    case NO_DIMS: return lc_custom_set_shape(n, 0, NULL, 1, 0, e);
    case TOO_LARGE: return lc_custom_set_shape(n, 0, (int32_t[]){INT32_MAX, INT32_MAX}, 2, 0, e);
    case NO_SHAPE: return LC_OK;
    default: return lc_custom_set_shape(n, 0, &four, 1, 0, e);
    }
}

static lc_status trouble_run(lc_custom_node *n, void *user, lc_error *e) {
    const int32_t five = 5;
    assert_null(lc_custom_input(n, 1).name);
    assert_null(lc_custom_output(n, 1).name);
    switch (*(const trouble *)user) {
    case RUN_SAYS: return lc_fail(e, LC_IO, "the sensor is off");
    case RUN_SILENT: return LC_INVALID;
    case CHANGED: return lc_custom_set_shape(n, 0, &five, 1, 0, e);
    default: return LC_OK;
    }
}

static void test_errors(void **unused) {
    (void)unused;
    static const struct {
        bool at_run;
        lc_status status;
        const char *message;
    } wanted[TROUBLES] = {
        [PREPARE_SAYS] = {false, LC_UNSUPPORTED, "node 0 CUSTOM Trouble \"y\": it is Monday"},
        [PREPARE_SILENT] = {false, LC_LIMIT, "its prepare failed"},
        [RUN_SAYS] = {true, LC_IO, "node 0 CUSTOM Trouble \"y\": the sensor is off"},
        [RUN_SILENT] = {true, LC_INVALID, "its run failed"},
        [NO_SHAPE] = {true, LC_INVALID, "output 0 did not get a shape"},
        [NO_SUCH_OUTPUT] = {false, LC_ARGUMENT, "no output 1"},
        [NEGATIVE] = {false, LC_ARGUMENT, "dimension 1 is -1"},
        [RANK_9] = {false, LC_ARGUMENT, "rank 9"},
        [NO_DIMS] = {false, LC_ARGUMENT, "rank 1"},
        [TOO_LARGE] = {false, LC_LIMIT, "too large"},
        [CHANGED] = {true, LC_ARGUMENT, "run cannot change it"},
    };
    for (trouble t = 0; t < TROUBLES; t++) {
        lc_model *m = one("Trouble", LC_FLOAT32, LC_FLOAT32);
        const lc_custom_op op = {.name = "Trouble", .user = &t, .prepare = trouble_prepare, .run = trouble_run};
        lc_session *s;
        memset(&err, 'x', sizeof err); /* as a caller's stack may look */
        lc_status status = lc_session_create(m, &(lc_session_options){.custom_ops = &op, .custom_op_count = 1}, &s, &err);
        assert_int_equal(status == LC_OK, wanted[t].at_run);
        if (wanted[t].at_run) {
            memset(&err, 'x', sizeof err);
            status = lc_session_run(s, &err);
            assert_int_equal(lc_session_run(s, NULL), status); /* and without an error to fill */
            lc_session_destroy(s);
        } else {
            assert_null(s);
        }
        assert_int_equal(status, wanted[t].status);
        if (!strstr(err.message, wanted[t].message)) fail_msg("case %d: %s", (int)t, err.message);
        lc_model_destroy(m);
    }
}

static void test_arguments(void **unused) {
    (void)unused;
    lc_session *s;
    lc_model *m = one("Trouble", LC_FLOAT32, LC_FLOAT32);
    const lc_custom_op nameless = {.run = trouble_run}, idle = {.name = "Trouble"};
    assert_int_equal(lc_session_create(m, &(lc_session_options){.custom_ops = &nameless, .custom_op_count = 1}, &s, &err), LC_ARGUMENT);
    assert_int_equal(lc_session_create(m, &(lc_session_options){.custom_ops = &idle, .custom_op_count = 1}, &s, &err), LC_ARGUMENT);
    assert_int_equal(lc_session_create(m, &(lc_session_options){.custom_op_count = 1}, &s, &err), LC_ARGUMENT);
    lc_model_destroy(m);
}

/* A string output whose buffer is nonsense must not hurt who reads it. */
static lc_status garbage_run(lc_custom_node *n, void *user, lc_error *e) {
    (void)user;
    LC_TRY(lc_custom_set_shape(n, 0, (int32_t[]){2}, 1, 12, e));
    memset(lc_custom_output(n, 0).data, 0x7f, 12);
    return LC_OK;
}

static void test_string_garbage(void **unused) {
    (void)unused;
    lc_model *m = empty();
    lc_graph *g = m->graphs[0];
    const int32_t x = input(g, "x", LC_FLOAT32, 1), t = output(g, "t", LC_STRING, 2), y = output(g, "y", LC_INT32, 2);
    custom(g, "Garbage", x, t);
    custom(g, "Lengths", t, y);
    const lc_custom_op ops[] = {{.name = "Garbage", .run = garbage_run}, text_ops[1]};
    lc_session *s = session(m, ops, 2);
    assert_int_equal(lc_session_run(s, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "string 0 is missing"));
    end(s, m);
}

/* ---- whose operator it is --------------------------------------------------------------------------------------------------- */

/* IF whose second branch has the operator: found when the session is made, though that branch may never run. */
static lc_model *branches(const char *name) {
    lc_model *m = empty();
    lc_graph *g = m->graphs[0], *yes = lc_model_add_graph(m, LC_STR("yes")), *no = lc_model_add_graph(m, LC_STR("no"));
    int32_t x = input(yes, "x", LC_FLOAT32, 4);
    node(yes, "", LC_OP_NEG, &x, 1, output(yes, "y", LC_FLOAT32, 4), NULL, 0);
    x = input(no, "x", LC_FLOAT32, 4);
    custom(no, name, x, output(no, "y", LC_FLOAT32, 4));
    const int32_t data = input(g, "x", LC_FLOAT32, 4), condition = input(g, "condition", LC_BOOL, 1), in[] = {condition, data},
                  y = output(g, "y", LC_FLOAT32, 4);
    const lc_IfOptions o = {.then_subgraph_index = 1, .else_subgraph_index = 2};
    lc_node *n;
    assert_int_equal(lc_graph_add_node(g, LC_OP_IF, LC_TABLE_IfOptions, &o, in, 2, &y, 1, &n, &err), LC_OK);
    return m;
}

static void test_called_graph(void **unused) {
    (void)unused;
    counts c = {0};
    const lc_custom_op op = scale_op(&c);
    lc_model *m = branches("Scale");
    lc_session *s = session(m, &op, 1);
    set_floats(s, (float[]){1, 2, 3, 4}, 4);
    *(uint8_t *)lc_session_input(s, 1).data = 0;
    run(s);
    floats_are(s, 0, (float[]){2, 4, 6, 8}, 4);
    *(uint8_t *)lc_session_input(s, 1).data = 1;
    run(s);
    floats_are(s, 0, (float[]){-1, -2, -3, -4}, 4);
    end(s, m);
    assert_int_equal(c.made, c.destroyed);
}

static void test_unknown(void **unused) {
    (void)unused;
    static const struct {
        const char *name, *message, *hint;
    } cases[] = {
        {"MyOp", "does not know the custom operator \"MyOp\"", "lc_session_options.custom_ops"},
        {"", "does not know the custom operator \"\"", "TFLite_Detection_PostProcess"},
        {"Flex", "custom operator \"Flex\"", "custom_ops"},
        {"FlexMatMulV2", "FlexMatMulV2 is TensorFlow's own", "SELECT_TF_OPS"},
        {"FlexAddV2", "FlexAddV2 is TensorFlow's own", "litec has ADD:"},
        {"FlexArgMax", "FlexArgMax", "litec has ARG_MAX:"},
        {"FlexReverseV2", "FlexReverseV2", "litec has REVERSE_V2:"},
        {"FlexConv2D", "FlexConv2D", "litec has CONV_2D:"},
        {"FlexV2", "FlexV2", "SELECT_TF_OPS"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int called = 0; called < 2; called++) {
            lc_model *m = called ? branches(cases[i].name) : one(cases[i].name, LC_FLOAT32, LC_FLOAT32);
            lc_session *s;
            assert_int_equal(lc_session_create(m, NULL, &s, &err), LC_UNSUPPORTED);
            if (!strstr(err.message, cases[i].message) || !strstr(err.message, called ? "graph \"no\": node 0 CUSTOM" : "node 0 CUSTOM"))
                fail_msg("%s: %s", cases[i].name, err.message);
            if (!strstr(err.hint, cases[i].hint)) fail_msg("%s: %s", cases[i].name, err.hint);
            lc_model_destroy(m);
        }
    }
    lc_model *m = one("", LC_FLOAT32, LC_FLOAT32); /* a builtin that nobody runs */
    m->graphs[0]->nodes[0].op = LC_OP_STABLEHLO_TANH;
    lc_session *s;
    assert_int_equal(lc_session_create(m, NULL, &s, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "no kernel for STABLEHLO_TANH"));
    lc_model_destroy(m);
}

/* The caller's operator comes before litec's own of the same name. */
static void test_callers_first(void **unused) {
    (void)unused;
    counts c = {0};
    lc_custom_op op = scale_op(&c);
    op.name = "AudioSpectrogram";
    lc_model *m = one(op.name, LC_FLOAT32, LC_FLOAT32);
    lc_session *s;
    assert_int_equal(lc_session_create(m, NULL, &s, &err), LC_INVALID); /* litec's wants options */
    s = session(m, &op, 1);
    set_floats(s, (float[]){1, 2, 3, 4}, 4);
    run(s);
    floats_are(s, 0, (float[]){2, 4, 6, 8}, 4);
    end(s, m);
}

/* ---- memory runs out ----------------------------------------------------------------------------------------------------------- */

typedef struct life {
    lc_model *model;
    const lc_custom_op *ops;
    size_t count;
} life;

static lc_status live(void *arg, lc_error *e) {
    const life *l = arg;
    lc_session *s;
    LC_TRY(lc_session_create(l->model, &(lc_session_options){.custom_ops = l->ops, .custom_op_count = l->count}, &s, e));
    lc_tensor_view v = lc_session_input(s, 0);
    lc_status status = LC_OK;
    if (v.type == LC_STRING) status = lc_session_set_strings(s, 0, (const char *const[]){"one", "two", "three", ""}, NULL, 4, e);
    else memset(v.data, 0x3f, v.size);
    if (status == LC_OK) status = lc_session_run(s, e);
    if (status == LC_OK && v.type != LC_STRING) status = lc_session_resize_input(s, 0, (int32_t[]){3}, 1, e);
    lc_session_destroy(s);
    return status;
}

static void test_allocation_failures(void **unused) {
    (void)unused;
    counts c = {0};
    const lc_custom_op ops[] = {scale_op(&c), {.name = "Positive", .run = positive_run}, text_ops[0], text_ops[1]};
    lc_model *models[] = {two_scales(), dynamic_model(), one("Words", LC_INT32, LC_STRING), one("Lengths", LC_STRING, LC_INT32),
                          branches("Scale")};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        life l = {models[i], ops, 4};
        assert_true(fault_check(live, &l, NULL) > 0);
        lc_model_destroy(models[i]);
    }
    assert_int_equal(c.made, c.destroyed);
    lc_model *m = one("Nobody", LC_FLOAT32, LC_FLOAT32);
    life l = {m, NULL, 0};
    fault_check(live, &l, &(fault_options){.want = LC_UNSUPPORTED});
    lc_model_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_shape),
        cmocka_unit_test(test_run_time_shape),
        cmocka_unit_test(test_string_output),
        cmocka_unit_test(test_string_input),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_string_garbage),
        cmocka_unit_test(test_called_graph),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_callers_first),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
