/*
 * test_calibrate.c: the ranges of tensors over samples. Each method against what it is defined as, computed here the long way round; the same
 * bits for any number of threads; what has no range is refused by name.
 */
#include "quant/observe.h"

#include "ops/build.h"
#include "support/ranges.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t noise_state;
static float noise(void) { return (float)((noise_state = noise_state * 1664525u + 1013904223u) >> 8) / 16777216.0f; }
/* A sum of three: near a bell curve, -1.5 ... 1.5. */
static float bell(void) { return noise() + noise() + noise() - 1.5f; }

/* ---- methods ---------------------------------------------------------------------------------------------------- */

static lc_histogram *count(const float *x, size_t n, lc_range *extremes) {
    lc_histogram *h = calloc(1, sizeof *h);
    assert_non_null(h);
    *extremes = (lc_range){0};
    assert_true(lc_observe_extremes(x, n, extremes));
    h->most = fmaxf(-extremes->low, extremes->high);
    lc_observe_count(x, n, h);
    return h;
}

static void test_extremes(void **unused) {
    (void)unused;
    float x[103];
    for (size_t n = 1; n <= 103; n++)
        for (size_t at = 0; at < n; at += 7) {
            lc_range r = {0};
            for (size_t i = 0; i < n; i++) x[i] = 2 + (float)i / 1000;
            x[at] = 1;
            assert_true(lc_observe_extremes(x, n, &r));
            assert_true(r.seen && r.low == 1 && r.high == (n - 1 == at ? n == 1 ? 1 : x[n - 2] : x[n - 1]));
            x[at] = NAN;
            assert_false(lc_observe_extremes(x, n, &r));
            x[at] = -INFINITY;
            assert_false(lc_observe_extremes(x, n, &r));
            x[at] = -5;
            assert_true(lc_observe_extremes(x, n, &r));
            assert_true(r.low == -5);
        }
    lc_range r = {0};
    assert_true(lc_observe_extremes(x, 0, &r));
    assert_false(r.seen);
}

static void test_percentile(void **unused) {
    (void)unused;
    enum { N = 10000 };
    static float x[N];
    lc_range e, r;
    for (int i = 0; i < N; i++) x[i] = (float)(i + 1) / N; /* one side: all that is cut is cut there */
    lc_histogram *h = count(x, N, &e);
    r = lc_observe_percentile(h, e, 99);
    assert_float_equal(r.high, 0.99f, 1.01f / LC_BINS);
    assert_true(r.low == e.low);
    r = lc_observe_percentile(h, e, 100);
    assert_true(r.low == e.low && r.high == e.high);
    free(h);
    for (int i = 0; i < N; i++) x[i] = (float)(i - N / 2 + (i >= N / 2)) / N; /* both sides: half of it on each */
    h = count(x, N, &e);
    r = lc_observe_percentile(h, e, 98);
    assert_float_equal(r.low, -0.49f, 0.51f / LC_BINS);
    assert_float_equal(r.high, 0.49f, 0.51f / LC_BINS);
    free(h);
    for (int i = 0; i < N; i++) x[i] = i < N - 50 ? 0 : 7; /* zeros count, and nothing is cut below */
    h = count(x, N, &e);
    r = lc_observe_percentile(h, e, 99.9);
    assert_true(r.low == 0 && r.high == 7);
    r = lc_observe_percentile(h, e, 99);
    assert_true(r.low == 0 && r.high == 0);
    free(h);
}

/* The divergence as its definition has it: P with the outliers in the last bin, Q spread evenly over the bins of a step that hold something. */
static double divergence(const lc_histogram *h, int bins, int levels) {
    static double p[LC_BINS], q[LC_BINS];
    double all = 0, inside = 0, sum = 0;
    for (int i = 0; i < LC_BINS; i++) {
        const double n = (double)(h->below[i] + h->above[i]);
        all += n;
        p[i < bins ? i : bins - 1] = i < bins ? n : p[bins - 1] + n;
        if (i < bins) inside += n, q[i] = n;
    }
    for (int b = 0; b < levels; b++) {
        double n = 0, places = 0;
        for (int i = b * bins / levels; i < (b + 1) * bins / levels; i++) n += q[i], places += q[i] > 0;
        for (int i = b * bins / levels; i < (b + 1) * bins / levels; i++)
            if (q[i] > 0) q[i] = n / places / inside;
    }
    for (int i = 0; i < bins; i++)
        if (p[i] > 0) sum += p[i] / all * log(p[i] / all / (q[i] > 0 ? q[i] : 1e-6));
    return sum;
}

static void test_entropy(void **unused) {
    (void)unused;
    enum { N = 20000 };
    static float x[N];
    for (int sided = 1; sided <= 2; sided++) {
        lc_range e;
        noise_state = 7;
        for (int i = 0; i < N; i++) {
            x[i] = bell();
            if (sided == 1) x[i] = fmaxf(x[i], 0);
        }
        x[5] = 10; /* far from the others */
        lc_histogram *h = count(x, N, &e);
        int best = 0;
        double least = INFINITY;
        for (int bins = sided == 2 ? 128 : 256; bins <= LC_BINS; bins++) {
            const double d = divergence(h, bins, sided == 2 ? 128 : 256);
            if (d < least - 1e-12) {
                least = d;
                best = bins;
            }
        }
        const lc_range r = lc_observe_entropy(h, e);
        assert_float_equal(r.high, (float)best * h->most / LC_BINS, 1e-5);
        assert_true(r.high < 3 && r.high > 0.8f);
        assert_float_equal(r.low, sided == 2 ? fmaxf(e.low, -r.high) : 0, 1e-6);
        free(h);
    }
}

/* Mean square error of int8 steps over a range, each value rounded. */
static double error_of(const float *x, size_t n, lc_range r, bool symmetric) {
    const double from = symmetric ? -fmax(-(double)r.low, (double)r.high) : (double)r.low;
    const double to = symmetric ? -from : (double)r.high, step = (to - from) / 255;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double v = (double)x[i] < (double)r.low ? (double)r.low : (double)x[i] > (double)r.high ? (double)r.high : (double)x[i];
        const double d = nearbyint(v / step) * step - (double)x[i];
        sum += d * d;
    }
    return sum / (double)n;
}

static void test_mse(void **unused) {
    (void)unused;
    enum { N = 20000 };
    static float x[N];
    lc_range e;
    noise_state = 3;
    for (int i = 0; i < N; i++) x[i] = bell();
    x[0] = 3;
    x[1] = -20;
    lc_histogram *h = count(x, N, &e);
    const lc_range r = lc_observe_mse(h, e, 255, false);
    double least = INFINITY;
    for (int a = 1; a <= 100; a++)
        for (int b = 1; b <= 30; b++) {
            const double d = error_of(x, N, (lc_range){-0.2f * (float)a, 0.1f * (float)b, true}, false);
            least = d < least ? d : least;
        }
    const double found = error_of(x, N, r, false);
    assert_true(found < 1.02 * least);
    assert_true(found < 0.99 * error_of(x, N, e, false));
    assert_true(r.low > -20);
    /* symmetric steps of 16 bits are so fine that nothing is worth clipping */
    const lc_range wide = lc_observe_mse(h, e, 65534, true);
    assert_true(wide.low == e.low && wide.high == e.high);
    free(h);
    for (int i = 0; i < N; i++) x[i] = fmaxf(bell(), 0); /* what a RELU gives keeps zero as its least */
    h = count(x, N, &e);
    assert_true(lc_observe_mse(h, e, 255, false).low == 0);
    free(h);
}

/* ---- runs ------------------------------------------------------------------------------------------------------- */

/* x[?,8] -> 2 x -> LOG of its RELU + bias; and a constant that is computed. */
static lc_model *make_model(float bias, bool state) {
    lc_error err;
    lc_model *model;
    lc_builder b;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder_init(&b, model, model->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){-1, 8}, 2);
    const int32_t twice = lc_build_binary(&b, LC_OP_MUL, x, lc_build_scalar(&b, "two", 2), LC_ActivationFunctionType_NONE);
    const int32_t positive = lc_build_unary(&b, LC_OP_RELU, twice);
    const int32_t known = lc_build_unary(&b, LC_OP_NEG, lc_build_scalar(&b, "bias", -bias));
    const int32_t sum = lc_build_binary(&b, LC_OP_ADD, positive, known, LC_ActivationFunctionType_NONE);
    int32_t y = lc_build_unary(&b, LC_OP_LOG, sum);
    if (state) { /* random numbers go on from run to run */
        const int32_t shape = lc_build_ints(&b, "shape", (int32_t[]){1, 8}, 2);
        const int32_t random =
            lc_build_op(&b, LC_OP_RANDOM_UNIFORM, LC_TABLE_RandomOptions, &(lc_RandomOptions){.seed = 1, .seed2 = 2}, &shape, 1);
        y = lc_build_binary(&b, LC_OP_MUL, y, random, LC_ActivationFunctionType_NONE);
    }
    lc_build_rename(&b, positive, "positive");
    lc_build_rename(&b, known, "known");
    lc_build_rename(&b, sum, "sum");
    lc_build_rename(&b, y, "log");
    if (b.status != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, y, &err), LC_OK);
    return model;
}

/* Samples: `count` of them in batches of `batch`. Sample `poisoned` has a bad number in place 3. */
typedef struct source {
    uint32_t count, batch, at, rewinds;
    uint32_t poisoned; /* UINT32_MAX: none */
    float poison;
} source;

static lc_status next(void *user, lc_session *session, uint32_t *samples, lc_error *err) {
    source *s = user;
    const uint32_t n = s->count - s->at < s->batch ? s->count - s->at : s->batch;
    *samples = n;
    if (n == 0) return LC_OK;
    LC_TRY(lc_session_resize_input(session, 0, (int32_t[]){(int32_t)n, 8}, 2, err));
    float *to = lc_session_input(session, 0).data;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < 8; k++) {
            noise_state = (s->at + i) * 8 + k;
            noise();
            to[i * 8 + k] = s->at + i == s->poisoned && k == 3 ? s->poison : 4 * bell();
        }
    s->at += n;
    return LC_OK;
}

static lc_status rewind_source(void *user, lc_error *err) {
    source *s = user;
    (void)err;
    s->at = 0;
    s->rewinds++;
    return LC_OK;
}

static void calibrate(lc_model *model, source *s, const lc_quantize_options *o, lc_ranges *r, uint64_t *samples) {
    lc_error err;
    assert_int_equal(lc_ranges_init(model, r, &err), LC_OK);
    const lc_feed feed = {.next = next, .rewind = rewind_source, .user = s};
    if (lc_calibrate(model, &feed, 1, o, r, samples, &err) != LC_OK) fail_msg("%s", err.message);
}

static void test_minmax(void **unused) {
    (void)unused;
    lc_model *model = make_model(0.5f, false);
    source s = {.count = 23, .batch = 5, .poisoned = 11, .poison = -9}; /* a last batch that is smaller */
    lc_ranges r;
    uint64_t samples = 0;
    float low = INFINITY, high = -INFINITY;
    for (uint32_t i = 0; i < 23; i++)
        for (uint32_t k = 0; k < 8; k++) {
            noise_state = i * 8 + k;
            noise();
            const float v = i == 11 && k == 3 ? -9 : 4 * bell();
            low = fminf(low, v);
            high = fmaxf(high, v);
        }
    calibrate(model, &s, &(lc_quantize_options){.threads = 2}, &r, &samples);
    assert_int_equal(samples, 23);
    assert_int_equal(s.rewinds, 0);
    const lc_range x = range_named(&r, "x"), positive = range_named(&r, "positive"), sum = range_named(&r, "sum");
    assert_true(x.seen && x.low == low && x.low == -9 && x.high == high);
    assert_true(positive.low == 0 && positive.high == 2 * high);
    assert_true(sum.low == 0.5f && sum.high == 2 * high + 0.5f);
    assert_float_equal(range_named(&r, "log").low, logf(0.5f), 1e-6);
    const lc_range known = range_named(&r, "known"); /* computed when the graph was prepared */
    assert_true(known.seen && known.low == 0.5f && known.high == 0.5f);
    assert_false(range_named(&r, "two").seen);
    lc_ranges_deinit(&r);
    lc_model_destroy(model);
}

static void test_average(void **unused) {
    (void)unused;
    lc_model *model = make_model(0.5f, false);
    source s = {.count = 30, .batch = 3, .poisoned = 29, .poison = 100};
    lc_ranges r;
    double high = 0;
    for (uint32_t i = 0; i < 30; i += 3) {
        float most = -INFINITY;
        for (uint32_t k = 0; k < 24; k++) {
            noise_state = i * 8 + k;
            noise();
            most = fmaxf(most, i == 27 && k == 19 ? 100 : 4 * bell());
        }
        high = i == 0 ? (double)most : (double)(float)(high * 0.99 + 0.01 * (double)most);
    }
    calibrate(model, &s, &(lc_quantize_options){.calibration = LC_CALIBRATE_AVERAGE, .threads = 3}, &r, NULL);
    assert_float_equal(range_named(&r, "x").high, (float)high, 1e-5);
    lc_ranges_deinit(&r);
    lc_model_destroy(model);
}

static void test_threads(void **unused) {
    (void)unused;
    for (int state = 0; state < 2; state++) {
        lc_model *model = make_model(0.5f, state);
        for (int method = LC_CALIBRATE_MINMAX; method <= LC_CALIBRATE_MSE; method++) {
            lc_ranges r[4];
            for (int32_t threads = 1; threads <= 4; threads++) {
                source s = {.count = 41, .batch = 2, .poisoned = 7, .poison = 60};
                calibrate(model, &s, &(lc_quantize_options){.calibration = (lc_calibration)method, .percentile = 99, .threads = threads},
                          &r[threads - 1], NULL);
                assert_int_equal(s.rewinds, method >= LC_CALIBRATE_PERCENTILE);
                const size_t n = model->graphs[0]->tensor_count;
                for (size_t t = 0; t < n; t++) {
                    const lc_range a = r[0].of[0][t], b = r[threads - 1].of[0][t];
                    assert_true(a.seen == b.seen && a.low == b.low && a.high == b.high);
                }
            }
            const lc_range x = range_named(&r[0], "x");
            if (method == LC_CALIBRATE_MINMAX) assert_true(x.high == 60);
            if (method == LC_CALIBRATE_AVERAGE || method == LC_CALIBRATE_PERCENTILE) assert_true(x.high < 60 && x.high > 3);
            assert_true(range_named(&r[0], "positive").low == 0);
            for (int i = 0; i < 4; i++) lc_ranges_deinit(&r[i]);
        }
        lc_model_destroy(model);
    }
}

static void refuse(lc_model *model, source *s, const lc_quantize_options *o, lc_status want, const char *text) {
    lc_error err;
    lc_ranges r;
    assert_int_equal(lc_ranges_init(model, &r, &err), LC_OK);
    const lc_feed feed = {.next = next, .rewind = rewind_source, .user = s};
    assert_int_equal(lc_calibrate(model, &feed, s ? 1 : 0, o, &r, NULL, &err), want);
    if (!strstr(err.message, text)) fail_msg("\"%s\" instead of \"%s\"", err.message, text);
    if (want == LC_INVALID && err.hint[0] == 0) fail_msg("no hint");
    lc_ranges_deinit(&r);
}

static void test_refused(void **unused) {
    (void)unused;
    lc_model *model = make_model(0.5f, false), *zero = make_model(0, false);
    const lc_quantize_options o = {.threads = 2};
    refuse(model, NULL, &o, LC_INVALID, "no sample");
    refuse(model, &(source){.batch = 1}, &o, LC_INVALID, "no sample");
    refuse(model, &(source){.count = 20, .batch = 5, .poisoned = 12, .poison = NAN}, &o, LC_INVALID, "sample 12: input x holds NaN");
    refuse(model, &(source){.count = 20, .batch = 1, .poisoned = 12, .poison = -INFINITY}, &o, LC_INVALID,
           "sample 12: input x holds -infinity");
    refuse(model, &(source){.count = 20, .batch = 5, .poisoned = 12, .poison = 3e38f}, &o, LC_INVALID, "(MUL) gives infinity");
    refuse(zero, &(source){.count = 1, .batch = 1}, &o, LC_INVALID, "sample 0: layer log (LOG) gives -infinity");
    refuse(model, &(source){.count = 1, .batch = 1, .poisoned = UINT32_MAX}, &(lc_quantize_options){.percentile = 101}, LC_ARGUMENT,
           "percentile");
    lc_model_destroy(model);
    lc_model_destroy(zero);
}

static void progress(void *user, uint64_t done, uint64_t all) {
    uint64_t *last = user;
    assert_true(done > last[0]);
    last[0] = done;
    last[1] = all;
}

static void test_progress(void **unused) {
    (void)unused;
    lc_model *model = make_model(0.5f, false);
    lc_error err;
    lc_ranges r;
    for (int known = 0; known < 2; known++) {
        source s = {.count = 10, .batch = 4, .poisoned = UINT32_MAX};
        uint64_t last[2] = {0};
        const lc_feed feed = {.next = next, .rewind = rewind_source, .user = &s, .count = known ? 10 : 0};
        const lc_quantize_options o = {.calibration = LC_CALIBRATE_MSE, .progress = progress, .progress_user = last};
        assert_int_equal(lc_ranges_init(model, &r, &err), LC_OK);
        assert_int_equal(lc_calibrate(model, &feed, 1, &o, &r, NULL, &err), LC_OK);
        assert_int_equal(last[0], 20); /* both looks */
        assert_true(last[1] == (known ? 20 : UINT64_MAX));
        lc_ranges_deinit(&r);
    }
    lc_model_destroy(model);
}

/* Two signatures of one graph: the samples of both widen the same ranges. An error names the signature. */
static void test_signatures(void **unused) {
    (void)unused;
    lc_model *model = make_model(0.5f, false);
    lc_signature_entry in = {lc_str_of("x"), model->graphs[0]->inputs[0]}, out = {lc_str_of("y"), model->graphs[0]->outputs[0]};
    lc_signature keys[] = {{.key = lc_str_of("small"), .inputs = &in, .input_count = 1, .outputs = &out, .output_count = 1},
                           {.key = lc_str_of("large"), .inputs = &in, .input_count = 1, .outputs = &out, .output_count = 1}};
    lc_error err;
    lc_ranges r;
    uint64_t samples = 0;
    source s[] = {{.count = 9, .batch = 2, .poisoned = 3, .poison = -50}, {.count = 4, .batch = 1, .poisoned = 2, .poison = 70}};
    const lc_feed feeds[] = {{.next = next, .user = &s[0], .signature = "small"}, {.next = next, .user = &s[1], .signature = "large"}};
    const lc_quantize_options o = {.threads = 3};
    model->signatures = keys;
    model->signature_count = 2;
    assert_int_equal(lc_ranges_init(model, &r, &err), LC_OK);
    if (lc_calibrate(model, feeds, 2, &o, &r, &samples, &err) != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(samples, 13);
    assert_true(range_named(&r, "x").low == -50 && range_named(&r, "x").high == 70);
    s[0].at = s[1].at = 0;
    s[1].poison = NAN;
    assert_int_equal(lc_calibrate(model, feeds, 2, &o, &r, &samples, &err), LC_INVALID);
    assert_string_equal(err.message, "signature large: sample 2: input x holds NaN");
    lc_ranges_deinit(&r);
    model->signatures = NULL;
    model->signature_count = 0;
    lc_model_destroy(model);
}

static lc_status work(void *arg, lc_error *err) {
    source s = {.count = 3, .batch = 2, .poisoned = UINT32_MAX};
    const lc_feed feed = {.next = next, .rewind = rewind_source, .user = &s};
    lc_ranges r;
    LC_TRY(lc_ranges_init(arg, &r, err));
    const lc_status status =
        lc_calibrate(arg, &feed, 1, &(lc_quantize_options){.calibration = LC_CALIBRATE_MSE, .threads = 1}, &r, NULL, err);
    lc_ranges_deinit(&r);
    return status;
}

static void test_memory(void **unused) {
    (void)unused;
    lc_model *model = make_model(0.5f, false);
    lc_error err;
    assert_int_equal(work(model, &err), LC_OK); /* what a model keeps for its sessions is made once */
    fault_check(work, model, NULL);
    lc_model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extremes), cmocka_unit_test(test_percentile), cmocka_unit_test(test_entropy), cmocka_unit_test(test_mse),
        cmocka_unit_test(test_minmax),   cmocka_unit_test(test_average),    cmocka_unit_test(test_threads), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_progress), cmocka_unit_test(test_signatures), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
