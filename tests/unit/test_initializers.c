/*
 * test_initializers.c: how variables begin: the distributions (moments, ends, quantiles), fans as Keras computes them, orthogonal matrices, and
 * that numbers are fixed by seed and stream: a few are written down, so that no machine may give others.
 */
#include "support/learning.h"
#include "train/initializer.h"

enum { N = 60000 };
static float values[N];

static const lc_json *object_of(parsed *p, const char *text) { return parse(p, text, strlen(text)); }

static lc_status fill(const char *text, const int32_t *dims, int32_t rank, uint64_t seed, uint64_t stream, float *out, lc_error *err) {
    parsed p;
    const lc_status status = lc_initializer_fill(object_of(&p, text), dims, rank, 0, seed, stream, out, err);
    lc_arena_deinit(&p.arena);
    return status;
}

static int by_size(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Mean, deviation and quantiles of N numbers; ends: that none lies beyond. */
static void check_moments(const char *text, const int32_t *dims, double mean, double deviation, double most) {
    assert_int_equal(fill(text, dims, 2, 1, 2, values, NULL), LC_OK);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        sum += (double)values[i];
        squares += ((double)values[i] - mean) * ((double)values[i] - mean);
        if (fabs((double)values[i] - mean) > most) fail_msg("%s: %g", text, (double)values[i]);
    }
    /* five standard errors */
    if (fabs(sum / N - mean) > 5 * deviation / sqrt(N)) fail_msg("%s: mean %g", text, sum / N);
    if (fabs(sqrt(squares / N) / deviation - 1) > 0.015) fail_msg("%s: deviation %g, not %g", text, sqrt(squares / N), deviation);
}

static void test_distributions(void **state) {
    (void)state;
    const int32_t dims[2] = {200, 300};
    const double avg = 250, cut = 0.87962566103423978;
    check_moments("\"glorot_uniform\"", dims, 0, sqrt(1 / avg), sqrt(3 / avg));
    check_moments("\"GlorotNormal\"", dims, 0, sqrt(1 / avg), 2 * sqrt(1 / avg) / cut);
    check_moments("\"he_uniform\"", dims, 0, sqrt(2.0 / 200), sqrt(6.0 / 200));
    check_moments("\"he_normal\"", dims, 0, sqrt(2.0 / 200), 2 * sqrt(2.0 / 200) / cut);
    check_moments("\"lecun_uniform\"", dims, 0, sqrt(1.0 / 200), sqrt(3.0 / 200));
    check_moments("\"lecun_normal\"", dims, 0, sqrt(1.0 / 200), 2 * sqrt(1.0 / 200) / cut);
    check_moments("{\"class_name\": \"RandomNormal\", \"config\": {\"mean\": 3, \"stddev\": 2}}", dims, 3, 2, 10);
    check_moments("{\"class_name\": \"TruncatedNormal\", \"config\": {\"mean\": 1, \"stddev\": 2}}", dims, 1, 2 * cut, 4);
    check_moments("{\"class_name\": \"RandomUniform\", \"config\": {\"minval\": 2, \"maxval\": 4}}", dims, 3, 1 / sqrt(3), 1);
    check_moments("{\"class_name\": \"VarianceScaling\", \"config\": {\"scale\": 4, \"mode\": \"fan_out\", \"distribution\": \"uniform\"}}",
                  dims, 0, sqrt(4.0 / 300), sqrt(12.0 / 300));
    check_moments("{\"class_name\": \"VarianceScaling\", \"config\": {\"distribution\": \"untruncated_normal\"}}", dims, 0, sqrt(1.0 / 200),
                  1);
    /* quantiles of the normal distribution, to four standard errors; its tails are there */
    assert_int_equal(fill("{\"class_name\": \"RandomNormal\", \"config\": {\"stddev\": 1}}", dims, 2, 5, 0, values, NULL), LC_OK);
    qsort(values, N, sizeof *values, by_size);
    const double share[] = {0.00135, 0.02275, 0.15866, 0.5, 0.84134, 0.97725, 0.99865};
    for (int i = 0; i < 7; i++) {
        const double error = 4 * sqrt(share[i] * (1 - share[i]) * N);
        const int low = (int)(share[i] * N - error), high = (int)(share[i] * N + error);
        assert_true(values[low] < (float)(i - 3) && values[high] > (float)(i - 3));
    }
    assert_true(values[0] < -3.5f && values[N - 1] > 3.5f);
}

/* A convolution's kernel [3, 3, 4, 8] has 36 inputs and 72 outputs; a bias of 5 has 5 of both. */
static void test_fans(void **state) {
    (void)state;
    const int32_t kernel[4] = {3, 3, 4, 8}, bias[1] = {5};
    float out[288], most = 0;
    assert_int_equal(fill("\"lecun_uniform\"", kernel, 4, 1, 0, out, NULL), LC_OK);
    for (int i = 0; i < 288; i++) most = fmaxf(most, fabsf(out[i]));
    assert_true(most < sqrtf(3.0f / 36) && most > 0.97f * sqrtf(3.0f / 36));
    assert_int_equal(fill("\"glorot_uniform\"", kernel, 4, 1, 0, out, NULL), LC_OK);
    most = 0;
    for (int i = 0; i < 288; i++) most = fmaxf(most, fabsf(out[i]));
    assert_true(most < sqrtf(3.0f / 54) && most > 0.97f * sqrtf(3.0f / 54));
    assert_int_equal(fill("\"he_uniform\"", bias, 1, 1, 0, out, NULL), LC_OK);
    for (int i = 0; i < 5; i++) assert_true(fabsf(out[i]) <= sqrtf(6.0f / 5));
}

static void test_orthogonal(void **state) {
    (void)state;
    static const int32_t shapes[3][3] = {{5, 4, 7}, {2, 3, 4}, {1, 6, 6}};
    for (int s = 0; s < 3; s++) {
        const int rows = shapes[s][0] * shapes[s][1], columns = shapes[s][2];
        const bool tall = rows >= columns;
        float q[140];
        assert_int_equal(fill("{\"class_name\": \"Orthogonal\", \"config\": {\"gain\": 2}}", shapes[s], 3, 9, (uint64_t)s, q, NULL), LC_OK);
        for (int a = 0; a < (tall ? columns : rows); a++)
            for (int b = 0; b <= a; b++) {
                double dot = 0;
                for (int i = 0; i < (tall ? rows : columns); i++)
                    dot += tall ? (double)q[i * columns + a] * q[i * columns + b] : (double)q[a * columns + i] * q[b * columns + i];
                assert_true(fabs(dot - (a == b ? 4 : 0)) < 1e-6);
            }
    }
}

static void test_plain(void **state) {
    (void)state;
    const int32_t dims[2] = {2, 3};
    float out[6];
    assert_int_equal(fill("\"zeros\"", dims, 2, 0, 0, out, NULL), LC_OK);
    for (int i = 0; i < 6; i++) assert_true(out[i] == 0);
    assert_int_equal(fill("\"ones\"", dims, 2, 0, 0, out, NULL), LC_OK);
    for (int i = 0; i < 6; i++) assert_true(out[i] == 1);
    assert_int_equal(fill("{\"class_name\": \"Constant\", \"config\": {\"value\": 0.1}}", dims, 2, 0, 0, out, NULL), LC_OK);
    for (int i = 0; i < 6; i++) assert_true(out[i] == 0.1f);
    assert_int_equal(fill("{\"class_name\": \"Identity\", \"config\": {\"gain\": 2}}", dims, 2, 0, 0, out, NULL), LC_OK);
    assert_memory_equal(out, ((float[6]){2, 0, 0, 0, 2, 0}), sizeof out);
}

/* The same seed and stream, the same bits; another of either, other numbers; a seed of the configuration counts instead of both. */
static void test_seeds(void **state) {
    (void)state;
    const int32_t dims[2] = {2, 4}, part[1] = {5};
    const char *plain = "{\"class_name\": \"RandomNormal\", \"config\": {\"stddev\": 1, \"seed\": null}}";
    const char *seeded = "{\"class_name\": \"RandomNormal\", \"config\": {\"stddev\": 1, \"seed\": 42}}";
    const char *generator =
        "{\"class_name\": \"RandomNormal\", \"config\": {\"stddev\": 1, \"seed\": {\"class_name\": \"SeedGenerator\"}}}";
    float a[8], b[8], c[8], d[8], e[8];
    assert_int_equal(fill(plain, dims, 2, 42, 0, a, NULL), LC_OK);
    const float fixed[8] = {0.287041903f, -0.0788234696f, -1.45213711f,  -0.410112947f,
                            2.24821162f,  -0.448036641f,  0.0348646045f, -0.114765234f};
    assert_memory_equal(a, fixed, sizeof a);
    assert_int_equal(fill(plain, part, 1, 42, 0, b, NULL), LC_OK);
    assert_memory_equal(a, b, 5 * sizeof *a); /* element by element */
    assert_int_equal(fill(seeded, dims, 2, 7, 9, b, NULL), LC_OK);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(fill(generator, dims, 2, 42, 0, b, NULL), LC_OK);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(fill(plain, dims, 2, 42, 1, c, NULL), LC_OK);
    assert_int_equal(fill(plain, dims, 2, 43, 0, d, NULL), LC_OK);
    assert_int_equal(fill("\"glorot_uniform\"", dims, 2, 42, 0, e, NULL), LC_OK);
    const float uniform[8] = {0.225919724f, -0.0628269911f, -0.853536606f, -0.318277001f,
                              0.975437284f, -0.345873356f,  0.0278122425f, -0.0913689137f};
    assert_memory_equal(e, uniform, sizeof e);
    for (int i = 0; i < 8; i++) assert_true(a[i] != c[i] && a[i] != d[i] && c[i] != d[i]);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *object;
        int32_t rank;
        const char *message;
    } cases[] = {
        {"\"glorot_unifrom\"", 2, "there is no initializer \"glorot_unifrom\""},
        {"\"orthogonal\"", 1, "initializer Orthogonal: a variable of 1 dimensions; at least 2 are needed"},
        {"\"identity\"", 3, "initializer Identity: a variable of 3 dimensions"},
        {"{\"class_name\": \"VarianceScaling\", \"config\": {\"scale\": -1}}", 2, "scale is -1"},
        {"{\"class_name\": \"VarianceScaling\", \"config\": {\"mode\": \"fan_it\"}}", 2, "mode is \"fan_it\""},
        {"{\"class_name\": \"HeNormal\", \"config\": {\"seed\": \"x\"}}", 2, "seed is not a number"},
        {"{\"class_name\": \"HeNormal\", \"config\": {\"sed\": 1}}", 2, "there is no argument \"sed\""},
        {"null", 2, "there is no initializer"},
    };
    const int32_t dims[3] = {2, 2, 2};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float out[8];
        lc_error err;
        assert_int_equal(fill(cases[i].object, dims, cases[i].rank, 0, 0, out, &err), LC_ARGUMENT);
        if (!strstr(err.message, cases[i].message)) fail_msg("\"%s\" instead of \"%s\"", err.message, cases[i].message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distributions), cmocka_unit_test(test_fans),  cmocka_unit_test(test_orthogonal),
        cmocka_unit_test(test_plain),         cmocka_unit_test(test_seeds), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
