/*
 * test_prune.c: pruning, clustering and sparse storage: exactly which weights become zero, which values remain, that zeros stay zeros through
 * what comes after, and that the tables of a sparse constant say the same elements.
 */
#include "quant/prune.h"

#include "ir/sparse.h"
#include "ops/build.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct bench {
    lc_model *model;
    lc_builder b;
    lc_error err;
    int32_t x;
} bench;

static void begin(bench *t, const int32_t *dims, int32_t rank) {
    *t = (bench){0};
    assert_int_equal(lc_model_new(NULL, &t->model, &t->err), LC_OK);
    lc_builder_init(&t->b, t->model, t->model->graphs[0], &t->err);
    t->x = lc_build_placeholder(&t->b, "x", LC_FLOAT32, dims, rank);
    assert_int_equal(lc_graph_add_input(t->b.graph, t->x, &t->err), LC_OK);
}

static void output(bench *t, int32_t tensor) {
    if (t->b.status) fail_msg("%s", t->err.message);
    assert_int_equal(lc_graph_add_output(t->b.graph, tensor, &t->err), LC_OK);
}

/* A dense layer x[?, inputs] -> [?, units]. */
static void add_dense(bench *t, const char *layer, int32_t units, int32_t inputs, const float *values) {
    const size_t n = (size_t)units * (size_t)inputs;
    float *data = lc_build_data(&t->b, n * sizeof *data);
    memcpy(data, values, n * sizeof *data);
    t->b.layer = layer;
    const int32_t w = lc_build_const(&t->b, "w", LC_FLOAT32, (int32_t[]){units, inputs}, 2, data, n * sizeof *data, true);
    const lc_FullyConnectedOptions o = {0};
    output(t, lc_build_op(&t->b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &o, (int32_t[]){t->x, w, LC_ABSENT}, 3));
}

static void begin_dense(bench *t, int32_t units, int32_t inputs, const float *values) {
    begin(t, (int32_t[]){-1, inputs}, 2);
    add_dense(t, "fc", units, inputs, values);
}

static const lc_tensor *in(const lc_model *m, size_t node, uint32_t k) {
    const lc_graph *g = m->graphs[0];
    return &g->tensors[g->nodes[node].inputs[k]];
}
static const float *weights(const lc_model *m, size_t node) { return in(m, node, 1)->data; }

static lc_model *pruned(bench *t, lc_prune_options o) {
    lc_model *m;
    o.min_weights = 1;
    if (lc_model_prune(t->model, &o, &m, &t->err)) fail_msg("%s", t->err.message);
    if (lc_model_check(m, &t->err)) fail_msg("%s", t->err.message);
    return m;
}

static void refused(bench *t, lc_prune_options o, const char *message) {
    lc_model *m;
    assert_int_equal(lc_model_prune(t->model, &o, &m, &t->err), LC_ARGUMENT);
    assert_null(m);
    assert_non_null(strstr(t->err.message, message));
    assert_true(t->err.hint[0]);
}

/* ---- sparsity --------------------------------------------------------------------------------------------------------- */

static void test_words(void **unused) {
    (void)unused;
    static const struct {
        const char *text;
        lc_sparsity want;
    } good[] = {{"0", {0, 0, 0}},   {"0.8", {0.8, 0, 0}}, {".5", {0.5, 0, 0}},      {"80%", {0.8, 0, 0}},
                {"2:4", {0, 2, 4}}, {"1:2", {0, 1, 2}},   {"62.5%", {0.625, 0, 0}}, {"0.999999", {0.999999, 0, 0}}};
    static const char *const bad[] = {"",     "1",  "1.0", "100%",  "-0.5", "0.8x", "0,8", "4:2",       "2:2", "0:4",
                                      "2:65", "2:", ":4",  "2:4:8", "nan",  ".",    "0.",  "0.1234567", "%"};
    lc_sparsity s;
    lc_error err;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(lc_sparsity_read(good[i].text, strlen(good[i].text), &s, &err), LC_OK);
        assert_true(fabs(s.fraction - good[i].want.fraction) < 1e-12);
        assert_true(s.keep == good[i].want.keep && s.of == good[i].want.of);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (lc_sparsity_read(bad[i], strlen(bad[i]), &s, &err) != LC_ARGUMENT) fail_msg("\"%s\" was taken", bad[i]);
}

static void test_fraction(void **unused) {
    (void)unused;
    static const float w[12] = {5, -1, 2, 0.5f, -3, 1, 1, 4, -1, 6, NAN, -7};
    /* six of twelve: 0.5, the four ones, 2; three: 0.5 and the first two of the ones */
    static const float half[12] = {5, 0, 0, 0, -3, 0, 0, 4, 0, 6, NAN, -7}, quarter[12] = {5, 0, 2, 0, -3, 0, 1, 4, -1, 6, NAN, -7};
    bench t;
    lc_prune_stats stats;
    begin_dense(&t, 3, 4, w);
    lc_model *m = pruned(&t, (lc_prune_options){.sparsity = "0.5", .stats = &stats});
    assert_memory_equal(weights(m, 0), half, sizeof half);
    assert_memory_equal(weights(t.model, 0), w, sizeof w);
    assert_int_equal(stats.constants, 1);
    assert_int_equal(stats.weights, 12);
    assert_int_equal(stats.zeros, 6);
    assert_true(fabs(stats.error - sqrt(8.25 / 143.25)) < 1e-9); /* 1 + 4 + 0.25 + 1 + 1 + 1, of all but NaN */
    lc_model_destroy(m);
    m = pruned(&t, (lc_prune_options){.sparsity = "25%"});
    assert_memory_equal(weights(m, 0), quarter, sizeof quarter);
    lc_model_destroy(m);
    lc_model_destroy(t.model);
}

static void test_global(void **unused) {
    (void)unused;
    static const float small[4] = {1, 2, 3, 4}, large[4] = {10, 20, 30, 4};
    bench t;
    begin(&t, (int32_t[]){-1, 2}, 2);
    add_dense(&t, "small", 2, 2, small);
    add_dense(&t, "large", 2, 2, large);
    lc_model *m = pruned(&t, (lc_prune_options){.sparsity = "0.5", .global = true});
    assert_memory_equal(weights(m, 0), ((float[4]){0, 0, 0, 0}), sizeof small);
    assert_memory_equal(weights(m, 1), large, sizeof large);
    lc_model_destroy(m);
    m = pruned(&t, (lc_prune_options){.sparsity = "0.5", .global = true, .layers = "small=0;"});
    assert_memory_equal(weights(m, 0), small, sizeof small);
    assert_memory_equal(weights(m, 1), ((float[4]){0, 20, 30, 0}), sizeof small);
    lc_model_destroy(m);
    lc_model_destroy(t.model);
}

static void test_neighbours(void **unused) {
    (void)unused;
    static const float w[12] = {1, -2, 3, 4, 5, 6, 2, 2, 2, 2, 0, 9};
    static const float want[12] = {0, 0, 3, 4, 5, 6, 0, 0, 2, 2, 0, 9}; /* rows of 6: four, then two that may both stay */
    bench t;
    begin_dense(&t, 2, 6, w);
    lc_model *m = pruned(&t, (lc_prune_options){.sparsity = "2:4"});
    assert_memory_equal(weights(m, 0), want, sizeof want);
    lc_model_destroy(m);
    lc_model_destroy(t.model);

    /* CONV_3D sums over the last dimension but one */
    const float filter[8] = {1, 8, 2, 7, 3, 6, 4, 5};
    begin(&t, (int32_t[]){1, 2, 2, 2, 4}, 5);
    float *data = lc_build_data(&t.b, sizeof filter);
    memcpy(data, filter, sizeof filter);
    const int32_t f = lc_build_const(&t.b, "f", LC_FLOAT32, (int32_t[]){1, 1, 1, 4, 2}, 5, data, sizeof filter, true);
    const lc_Conv3DOptions o = {
        .stride_d = 1, .stride_w = 1, .stride_h = 1, .dilation_d_factor = 1, .dilation_w_factor = 1, .dilation_h_factor = 1};
    output(&t, lc_build_op(&t.b, LC_OP_CONV_3D, LC_TABLE_Conv3DOptions, &o, (int32_t[]){t.x, f}, 2));
    m = pruned(&t, (lc_prune_options){.sparsity = "1:2"});
    assert_memory_equal(weights(m, 0), ((float[8]){0, 8, 2, 0, 0, 6, 4, 0}), sizeof filter);
    lc_model_destroy(m);
    lc_model_destroy(t.model);
}

/* Filters of depthwise convolutions want a pattern that names them. */
static void test_layers(void **unused) {
    (void)unused;
    bench t;
    float w[18];
    for (int i = 0; i < 18; i++) w[i] = (float)i + 1;
    begin(&t, (int32_t[]){1, 5, 5, 2}, 4);
    const lc_DepthwiseConv2DOptions o = {
        .stride_w = 1, .stride_h = 1, .depth_multiplier = 1, .dilation_w_factor = 1, .dilation_h_factor = 1};
    float *data = lc_build_data(&t.b, sizeof w);
    memcpy(data, w, sizeof w);
    t.b.layer = "depthwise";
    const int32_t f = lc_build_const(&t.b, "f", LC_FLOAT32, (int32_t[]){1, 3, 3, 2}, 4, data, sizeof w, true);
    output(&t, lc_build_op(&t.b, LC_OP_DEPTHWISE_CONV_2D, LC_TABLE_DepthwiseConv2DOptions, &o,
                           (int32_t[]){t.x, f, lc_build_floats(&t.b, "b", (float[2]){1, 2}, 2)}, 3));
    refused(&t, (lc_prune_options){.sparsity = "0.5", .min_weights = 1}, "nothing to do: the sparsity is 0");
    refused(&t, (lc_prune_options){.sparsity = "0.5"}, "no constant of 1024 elements");
    refused(&t, (lc_prune_options){.sparsity = "0.5", .min_weights = 1, .layers = "dens*=0.5"}, "\"dens*\"");
    refused(&t, (lc_prune_options){.layers = "depthwise"}, "no PATTERN=SPARSITY");
    refused(&t, (lc_prune_options){.layers = "=0.5"}, "no PATTERN=SPARSITY");
    refused(&t, (lc_prune_options){.sparsity = "half"}, "\"half\" is no sparsity");
    refused(&t, (lc_prune_options){0}, "nothing to do: neither");
    refused(&t, (lc_prune_options){.clusters = 1}, "1 clusters");
    refused(&t, (lc_prune_options){.clusters = 257}, "257 clusters");
    lc_model *m = pruned(&t, (lc_prune_options){.sparsity = "0.9", .layers = "*=0;depth*=0.5"});
    const float *now = weights(m, 0);
    for (int i = 0; i < 18; i++) assert_true(now[i] == (i < 9 ? 0 : w[i]));
    lc_model_destroy(m);
    lc_model_destroy(t.model);
}

/* ---- clusters --------------------------------------------------------------------------------------------------------- */

static void test_clusters(void **unused) {
    (void)unused;
    static const float w[8] = {1, 5.25f, 0, 0.75f, -3, 4.75f, 1.25f, 5};
    static const float want[8] = {1, 5, 0, 1, -3, 5, 1, 5};
    bench t;
    begin_dense(&t, 2, 4, w);
    lc_model *m = pruned(&t, (lc_prune_options){.clusters = 4});
    assert_memory_equal(weights(m, 0), want, sizeof want);
    lc_model_destroy(m);
    m = pruned(&t, (lc_prune_options){.clusters = 8}); /* as many as there are */
    assert_memory_equal(weights(m, 0), w, sizeof w);
    lc_model_destroy(m);
    lc_model_destroy(t.model);

    float odd[8];
    memcpy(odd, w, sizeof w);
    odd[3] = INFINITY;
    begin_dense(&t, 2, 4, odd);
    m = pruned(&t, (lc_prune_options){.clusters = 2});
    assert_memory_equal(weights(m, 0), odd, sizeof odd);
    lc_model_destroy(m);
    lc_model_destroy(t.model);
}

static int by_value(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Many values: no assignment may be improved by taking another cluster, and a value is the mean of its own. */
static void test_optimum(void **unused) {
    (void)unused;
    enum { UNITS = 40, INPUTS = 50, N = UNITS * INPUTS, CLUSTERS = 16 };
    float w[N], at[N];
    uint32_t noise = 1, distinct = 0;
    for (int i = 0; i < N; i++) {
        noise = noise * 1664525u + 1013904223u;
        const float a = (float)(noise >> 8) / 16777216.0f;
        noise = noise * 1664525u + 1013904223u;
        w[i] = a + (float)(noise >> 8) / 16777216.0f - 1;
    }
    bench t;
    lc_prune_stats stats;
    begin_dense(&t, UNITS, INPUTS, w);
    lc_model *m = pruned(&t, (lc_prune_options){.sparsity = "0.5", .clusters = CLUSTERS, .stats = &stats});
    const float *now = weights(m, 0);
    assert_int_equal(stats.zeros, N / 2);
    memcpy(at, now, sizeof at);
    qsort(at, N, sizeof *at, by_value);
    for (int i = 0; i < N; i++)
        if (i == 0 || at[i] != at[i - 1]) at[distinct++] = at[i];
    assert_int_equal(distinct, CLUSTERS);
    for (uint32_t c = 0; c < distinct; c++) {
        double sum = 0;
        int count = 0;
        for (int i = 0; i < N; i++) {
            if (now[i] != at[c]) continue;
            sum += (double)w[i];
            count++;
            for (uint32_t k = 0; at[c] != 0 && k < distinct; k++)
                assert_true(at[k] == 0 || fabsf(w[i] - at[c]) <= fabsf(w[i] - at[k]) + 1e-6f);
        }
        if (at[c] != 0) assert_true(fabs(sum / count - (double)at[c]) < 1e-6);
    }
    lc_model_destroy(m);
    lc_model_destroy(t.model);
}

/* What is zero is the integer zero afterwards. */
static void test_then_quantise(void **unused) {
    (void)unused;
    enum { UNITS = 16, INPUTS = 64, N = UNITS * INPUTS };
    float w[N];
    for (int i = 0; i < N; i++) w[i] = (float)(i * 37 % 101 - 50) / 7;
    bench t;
    lc_model *q;
    begin_dense(&t, UNITS, INPUTS, w);
    lc_model *m = pruned(&t, (lc_prune_options){.sparsity = "0.7", .clusters = 8});
    const lc_quantize_options how = {.scheme = LC_SCHEME_DYNAMIC};
    if (lc_model_quantize(m, &how, &q, &t.err)) fail_msg("%s", t.err.message);
    assert_int_equal(in(q, 0, 1)->type, LC_INT8);
    const int8_t *integers = in(q, 0, 1)->data;
    for (int i = 0; i < N; i++) assert_int_equal(integers[i] == 0, weights(m, 0)[i] == 0);
    lc_model_destroy(q);
    lc_model_destroy(m);
    lc_model_destroy(t.model);
}

/* ---- sparse storage --------------------------------------------------------------------------------------------------- */

static void test_sparse(void **unused) {
    (void)unused;
    enum { UNITS = 5, INPUTS = 300, N = UNITS * INPUTS };
    static float w[N];
    for (int i = 0; i < N; i += 7) w[i] = (float)i + 1; /* 215 elements, indices of two bytes */
    bench t;
    lc_prune_stats stats;
    begin_dense(&t, UNITS, INPUTS, w);
    lc_model *m = pruned(&t, (lc_prune_options){.sparse = true, .stats = &stats});
    assert_int_equal(stats.sparse, 1);
    assert_int_equal(m->graphs[0]->nodes[0].op, LC_OP_DENSIFY);
    assert_int_equal(m->graphs[0]->nodes[1].op, LC_OP_FULLY_CONNECTED);
    lc_tensor *s = &m->graphs[0]->tensors[m->graphs[0]->nodes[0].inputs[0]];
    assert_non_null(s->sparsity);
    assert_int_equal(s->size, 215 * sizeof(float));
    const lc_DimensionMetadata *last = &s->sparsity->dim_metadata.data[1];
    assert_int_equal(last->array_segments.type, LC_SparseIndexVector_Uint8Vector);
    assert_int_equal(last->array_indices.type, LC_SparseIndexVector_Uint16Vector);
    assert_int_equal(lc_tensor_densify(m, s, &t.err), LC_OK);
    assert_memory_equal(s->dense, w, sizeof w);

    /* as a file: the checks of a model that is loaded, and the same answer */
    void *file;
    size_t size, before;
    uint64_t plain, packed;
    assert_int_equal(lc_model_to_memory(t.model, &file, &before, &t.err), LC_OK);
    lc_free(file);
    assert_int_equal(lc_model_to_memory(m, &file, &size, &t.err), LC_OK);
    assert_true(size < before);
    assert_int_equal(lc_model_gzip_size(m, &plain, &packed, &t.err), LC_OK);
    assert_int_equal(plain, size);
    assert_true(packed < size);
    lc_model *loaded;
    if (lc_model_from_memory(file, size, NULL, &loaded, &t.err)) fail_msg("%s", t.err.message);
    lc_session *a, *b;
    assert_int_equal(lc_session_create(t.model, NULL, &a, &t.err), LC_OK);
    if (lc_session_create(loaded, NULL, &b, &t.err)) fail_msg("%s", t.err.message);
    for (int i = 0; i < INPUTS; i++) ((float *)lc_session_input(a, 0).data)[i] = ((float *)lc_session_input(b, 0).data)[i] = (float)(i % 5);
    assert_int_equal(lc_session_run(a, &t.err), LC_OK);
    assert_int_equal(lc_session_run(b, &t.err), LC_OK);
    assert_memory_equal(lc_session_output(a, 0).data, lc_session_output(b, 0).data, UNITS * sizeof(float));
    lc_session_destroy(a);
    lc_session_destroy(b);
    lc_model_destroy(loaded);
    lc_free(file);
    lc_model_destroy(m);
    lc_model_destroy(t.model);

    for (int i = 0; i < N; i++) w[i] = i % 4 ? 1 : 0; /* three in four: it would be larger */
    begin_dense(&t, UNITS, INPUTS, w);
    m = pruned(&t, (lc_prune_options){.sparse = true, .stats = &stats});
    assert_int_equal(stats.sparse, 0);
    assert_int_equal(m->graphs[0]->node_count, 1);
    lc_model_destroy(m);
    lc_model_destroy(t.model);
}

/* ---- memory ----------------------------------------------------------------------------------------------------------- */

static lc_status prune_all(void *arg, lc_error *err) {
    lc_model *m;
    uint64_t size;
    const lc_prune_options o = {.sparsity = "0.8", .layers = "fc=0.9", .clusters = 4, .sparse = true};
    LC_TRY(lc_model_prune(arg, &o, &m, err));
    const lc_status status = lc_model_gzip_size(m, NULL, &size, err);
    lc_model_destroy(m);
    return status;
}

static void test_memory(void **unused) {
    (void)unused;
    static float w[1200];
    for (int i = 0; i < 1200; i++) w[i] = (float)(i % 31) - 15;
    bench t;
    begin_dense(&t, 4, 300, w);
    fault_check(prune_all, t.model, NULL);
    assert_memory_equal(weights(t.model, 0), w, sizeof w);
    lc_model_destroy(t.model);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words),   cmocka_unit_test(test_fraction),
                                       cmocka_unit_test(test_global),  cmocka_unit_test(test_neighbours),
                                       cmocka_unit_test(test_layers),  cmocka_unit_test(test_clusters),
                                       cmocka_unit_test(test_optimum), cmocka_unit_test(test_then_quantise),
                                       cmocka_unit_test(test_sparse),  cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
