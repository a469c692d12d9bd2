/*
 * test_quantised.c: every row of ops/quant.def is kept: of the models of one operator with LiteRT's answers (tests/data/runs), some become
 * integer models under int8, and where the row says so under int16x8, whose answers are near LiteRT's float ones. For operators whose cases
 * there are not such models: models made here, against their own float answers. Variables: test_quant_state.c.
 */
#include "runs.h"

#include "litec/litec.h"
#include "ops/build.h"

#include <math.h>

enum { SCHEMES = 2 };
static const lc_scheme schemes[SCHEMES] = {LC_SCHEME_INT8, LC_SCHEME_INT16X8};
static double best[SCHEMES][LC_OP_COUNT]; /* signal to noise; 0: it never became an integer operator */
static int which;

/* The operator of the case that is in quant.def; -1: none, or nothing but integers. */
static int32_t op_of(const lc_model *m) {
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t i = 0; i < m->graphs[g]->node_count; i++)
            if (lc_op_quant(m->graphs[g]->nodes[i].op)) return m->graphs[g]->nodes[i].op;
    return -1;
}

/* Whether the operator is there with int8 or int16 at an input or output. */
static bool is_integer(const lc_model *m, int32_t op) {
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t i = 0; i < m->graphs[g]->node_count; i++) {
            const lc_node *n = &m->graphs[g]->nodes[i];
            if (n->op != op) continue;
            for (uint32_t k = 0; k < n->input_count + n->output_count; k++) {
                const int32_t t = k < n->input_count ? n->inputs[k] : n->outputs[k - n->input_count];
                const lc_dtype type = t >= 0 ? m->graphs[g]->tensors[t].type : LC_FLOAT32;
                if (type == LC_INT8 || type == LC_INT16) return true;
            }
        }
    return false;
}

static bool feed(lc_session *s, runs_reader *at) {
    const uint32_t n = runs_u32(at);
    bool fits = true;
    for (uint32_t i = 0; i < n; i++) {
        const runs_tensor t = runs_take(at);
        const lc_tensor_view v = lc_session_input(s, i);
        fits = fits && v.size == t.size && v.type == t.type;
        if (fits && t.size) memcpy(v.data, t.data, t.size);
    }
    return fits;
}

typedef struct feeder {
    const runs_case *c;
    runs_reader at;
    uint64_t run;
} feeder;

static lc_status next(void *user, uint64_t index, lc_session *session, bool *end, lc_error *err) {
    feeder *f = user;
    if (index == 0) f->at = f->c->first;
    *end = index >= f->c->runs;
    if (*end) return LC_OK;
    if (!feed(session, &f->at)) return lc_fail(err, LC_UNSUPPORTED, "other inputs");
    for (uint32_t n = runs_u32(&f->at); n > 0; n--) runs_take(&f->at); /* the answers */
    return LC_OK;
}

/* Element i, wherever its bytes lie. */
static double value(const void *data, lc_dtype type, size_t i) {
    const size_t width = lc_dtype_bits(type) / 8;
    uint8_t bytes[8] = {0};
    float f;
    int32_t n;
    int64_t l;
    memcpy(bytes, (const uint8_t *)data + i * width, width);
    memcpy(&f, bytes, sizeof f);
    memcpy(&n, bytes, sizeof n);
    memcpy(&l, bytes, sizeof l);
    return type == LC_FLOAT32 ? (double)f : type == LC_INT64 ? (double)l : type == LC_BOOL ? bytes[0] : n;
}

/* Signal to noise of the first output over all runs; 0: not comparable. */
static double decibels(lc_model *q, const runs_case *c) {
    runs_reader at = c->first;
    lc_session *s;
    double signal = 0, noise = 0;
    bool same = true;
    if (lc_session_create(q, NULL, &s, NULL)) return 0;
    for (uint32_t run = 0; run < c->runs && same; run++) {
        same = feed(s, &at) && lc_session_run(s, NULL) == LC_OK;
        for (uint32_t k = 0, n = runs_u32(&at); k < n; k++) {
            const runs_tensor t = runs_take(&at);
            if (k || !same) continue;
            const lc_tensor_view v = lc_session_output(s, 0);
            same = v.type == t.type && v.size == t.size &&
                   (t.type == LC_FLOAT32 || t.type == LC_INT32 || t.type == LC_INT64 || t.type == LC_BOOL);
            for (size_t i = 0; same && i < t.size / (lc_dtype_bits(t.type) / 8); i++) {
                const double x = value(t.data, t.type, i), y = value(v.data, v.type, i);
                signal += x * x;
                noise += (x - y) * (x - y);
            }
        }
    }
    lc_session_destroy(s);
    return !same || signal == 0 ? 0 : noise == 0 ? 200 : 10 * log10(signal / noise);
}

static void look(const char *path, const runs_case *c) {
    lc_model *m, *q = NULL;
    lc_data *data;
    feeder f = {.c = c};
    lc_error err;
    (void)path;
    if (lc_model_from_memory(c->model, c->model_size, NULL, &m, NULL)) return;
    const int32_t op = op_of(m);
    if (op >= 0 && best[which][op] < 60 && lc_data_from(next, &f, &data, &err) == LC_OK) {
        const lc_quantize_options how = {.scheme = schemes[which], .data = &data, .data_count = 1, .threads = 1};
        if (lc_model_quantize(m, &how, &q, &err) == LC_OK && is_integer(q, op)) best[which][op] = fmax(best[which][op], decibels(q, c));
        lc_model_destroy(q);
        lc_data_close(data);
    }
    lc_model_destroy(m);
}

/* ---- models made here ------------------------------------------------------------------------------------------------------ */

enum { ELEMENTS = 32, SAMPLES = 4 };

/* Multiples of 1/4 from -2 to 2, the ends among them. */
static lc_status fill(void *user, uint64_t index, lc_session *session, bool *end, lc_error *err) {
    (void)user;
    (void)err;
    *end = index >= SAMPLES;
    for (size_t k = 0; k < lc_session_input_count(session); k++) {
        const lc_tensor_view v = lc_session_input(session, k);
        for (size_t i = 0; i < v.size / sizeof(float); i++) ((float *)v.data)[i] = (float)((i * (k ? 5 : 7) + index) % 17) / 4 - 2;
    }
    return LC_OK;
}

/* x, y -> op(x, y), or op(x + y) of one input. */
static lc_model *make(int32_t op) {
    lc_error err;
    lc_builder b;
    lc_model *m;
    const int32_t dims[] = {op == LC_OP_SHAPE ? -1 : 1, ELEMENTS}; /* a shape that is known is no operator */
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    lc_builder_init(&b, m, m->graphs[0], &err);
    const int32_t in[] = {lc_build_placeholder(&b, "x", LC_FLOAT32, dims, 2), lc_build_placeholder(&b, "y", LC_FLOAT32, dims, 2)};
    const bool two = lc_op_get(op)->in_min == 2;
    const int32_t sum = two ? -1 : lc_build_binary(&b, LC_OP_ADD, in[0], in[1], LC_ActivationFunctionType_NONE);
    const lc_ShapeOptions shape = {.out_type = LC_INT32};
    const lc_table_id table = lc_op_get(op)->options;
    const int32_t y = lc_build_op(&b, op, table, op == LC_OP_SHAPE ? &shape : NULL, two ? in : &sum, two ? 2 : 1);
    if (b.status) fail_msg("%s: %s", lc_op_name(op), err.message);
    for (int i = 0; i < 2; i++) assert_int_equal(lc_graph_add_input(b.graph, in[i], &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, y, &err) | (two ? LC_OK : lc_graph_add_output(b.graph, sum, &err)), LC_OK);
    return m;
}

static void compare(int32_t op) {
    lc_model *m = make(op), *q = NULL;
    lc_data *data;
    lc_error err;
    lc_session *s[2];
    double signal = 0, noise = 0;
    bool end;
    assert_int_equal(lc_data_from(fill, NULL, &data, &err), LC_OK);
    const lc_quantize_options how = {.scheme = schemes[which], .data = &data, .data_count = 1, .threads = 1};
    if (lc_model_quantize(m, &how, &q, &err)) fail_msg("%s: %s", lc_op_name(op), err.message);
    lc_data_close(data);
    assert_int_equal(lc_session_create(m, NULL, &s[0], &err) | lc_session_create(q, NULL, &s[1], &err), LC_OK);
    for (uint64_t k = 0; k < SAMPLES; k++) {
        for (int i = 0; i < 2; i++) assert_int_equal(fill(NULL, k, s[i], &end, &err) | lc_session_run(s[i], &err), LC_OK);
        const lc_tensor_view x = lc_session_output(s[0], 0), y = lc_session_output(s[1], 0);
        assert_true(x.type == y.type && x.size == y.size);
        for (size_t i = 0; i < x.size / (lc_dtype_bits(x.type) / 8); i++) {
            const double a = value(x.data, x.type, i), b = value(y.data, y.type, i);
            signal += a * a;
            noise += (a - b) * (a - b);
        }
    }
    assert_true(signal > 0);
    if (is_integer(q, op)) best[which][op] = fmax(best[which][op], noise == 0 ? 200 : 10 * log10(signal / noise));
    for (int i = 0; i < 2; i++) lc_session_destroy(s[i]);
    lc_model_destroy(q);
    lc_model_destroy(m);
}

static void test_rows(void **unused) {
    (void)unused;
    bool failed = false;
    for (which = 0; which < SCHEMES; which++) {
        static const int32_t here[] = {LC_OP_MAXIMUM,       LC_OP_MINIMUM, LC_OP_LESS,      LC_OP_LESS_EQUAL, LC_OP_GREATER,
                                       LC_OP_GREATER_EQUAL, LC_OP_EQUAL,   LC_OP_NOT_EQUAL, LC_OP_SHAPE,      LC_OP_SQUARED_DIFFERENCE,
                                       LC_OP_RELU_0_TO_1};
        assert_true(runs_for_all(NULL, look) > 1000);
        for (size_t i = 0; i < sizeof here / sizeof *here; i++)
            if (!which || lc_op_quant(here[i])->int16) compare(here[i]);
        for (int32_t op = 0; op < LC_OP_COUNT; op++) {
            const lc_op_quant_def *rule = lc_op_quant(op);
            if (!rule || (which && !rule->int16) || best[which][op] >= 20) continue;
            if (rule->scales == LC_QUANT_STATE || op == LC_OP_QUANTIZE) continue; /* QUANTIZE is in every one of these models */
            print_message("%s as %s: %.1f dB\n", lc_op_name(op), which ? "int16x8" : "int8", best[which][op]);
            failed = true;
        }
    }
    assert_false(failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
