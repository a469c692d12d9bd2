/*
 * Models of one or a few operators with the answers of LiteRT's reference kernels: tests/data/runs/<family>.gz, made by
 * tests/oracle/make_runs.py, which states the format. Each runs as a user runs it (load, session, set inputs, run, read outputs), on every
 * instruction set of this machine and with the reference kernels; the inputs of one case follow each other in one session, so state is
 * carried.
 *
 * With arguments: test_runs FAMILY [CASE] runs only these and says how far off each answer is.
 */
#include "kernels/kernel.h"
#include "runs.h"

#include <math.h>

static const char *only_case;
static lc_error err;

/* ---- comparing -------------------------------------------------------------------------------------------------- */

static double float_at(const runs_tensor *t, const uint8_t *data, size_t i) {
    switch (t->type) {
    case LC_FLOAT32: {
        float v;
        memcpy(&v, data + i * 4, 4);
        return v;
    }
    case LC_FLOAT64: {
        double v;
        memcpy(&v, data + i * 8, 8);
        return v;
    }
    case LC_BFLOAT16: {
        uint16_t h;
        memcpy(&h, data + i * 2, 2);
        uint32_t bits = (uint32_t)h << 16;
        float v;
        memcpy(&v, &bits, 4);
        return v;
    }
    default: {
        uint16_t h;
        memcpy(&h, data + i * 2, 2);
        const int e = h >> 10 & 31, m = h & 1023;
        const double v = e == 31 ? (m ? NAN : INFINITY) : e ? ldexp(1024 + m, e - 25) : ldexp(m, -24);
        return h & 0x8000 ? -v : v;
    }
    }
}

static int64_t int_at(const runs_tensor *t, const uint8_t *data, size_t i) {
    switch (t->type) {
    case LC_INT8: return (int8_t)data[i];
    case LC_INT16: {
        int16_t v;
        memcpy(&v, data + i * 2, 2);
        return v;
    }
    case LC_INT32: {
        int32_t v;
        memcpy(&v, data + i * 4, 4);
        return v;
    }
    case LC_INT64: {
        int64_t v;
        memcpy(&v, data + i * 8, 8);
        return v;
    }
    case LC_UINT16: {
        uint16_t v;
        memcpy(&v, data + i * 2, 2);
        return v;
    }
    case LC_UINT32: {
        uint32_t v;
        memcpy(&v, data + i * 4, 4);
        return v;
    }
    default: return data[i];
    }
}

static bool close_enough(double a, double b, double tolerance) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    return a == b || fabs(a - b) <= tolerance + tolerance * fabs(b);
}

/* "" when right, else what is wrong. */
static const char *compare(const runs_tensor *want, const lc_tensor_view *got, float tolerance, uint32_t within) {
    static char text[256];
    if (got->type != want->type)
        return snprintf(text, sizeof text, "type %s, wanted %s", lc_dtype_name(got->type), lc_dtype_name(want->type)), text;
    bool shape = got->rank == want->rank;
    for (int32_t d = 0; shape && d < want->rank; d++) shape = got->dims[d] == want->dims[d];
    if (!shape) {
        int n = snprintf(text, sizeof text, "shape [");
        for (int32_t d = 0; d < got->rank; d++) n += snprintf(text + n, sizeof text - (size_t)n, "%d ", got->dims[d]);
        n += snprintf(text + n, sizeof text - (size_t)n, "], wanted [");
        for (int32_t d = 0; d < want->rank; d++) n += snprintf(text + n, sizeof text - (size_t)n, "%d ", want->dims[d]);
        snprintf(text + n, sizeof text - (size_t)n, "]");
        return text;
    }
    if (got->size != want->size) return snprintf(text, sizeof text, "%zu bytes, wanted %zu", got->size, want->size), text;
    const uint8_t *data = got->data;
    const size_t width = lc_dtype_bits(want->type) / 8;
    const bool real = want->type == LC_FLOAT32 || want->type == LC_FLOAT16 || want->type == LC_FLOAT64 || want->type == LC_BFLOAT16;
    const bool complex_pair = want->type == LC_COMPLEX64;
    runs_tensor part = *want;
    if (complex_pair) part.type = LC_FLOAT32;
    if (!real && !complex_pair && !within) {
        if (want->size == 0 || memcmp(data, want->data, want->size) == 0) return "";
    }
    size_t wrong = 0, first = 0;
    const size_t n = complex_pair ? want->size / 4 : width ? want->size / width : want->size;
    for (size_t i = 0; i < n; i++) {
        bool ok = real || complex_pair ? close_enough(float_at(&part, data, i), float_at(&part, want->data, i), (double)tolerance)
                  : width > 0 && width < 8
                      ? llabs(int_at(want, data, i) - int_at(want, want->data, i)) <= within
                      : memcmp(data + i * (width ? width : 1), want->data + i * (width ? width : 1), width ? width : 1) == 0;
        if (!ok && wrong++ == 0) first = i;
    }
    if (!wrong) return "";
    if (real || complex_pair)
        snprintf(text, sizeof text, "%zu of %zu elements differ, first [%zu]: %.9g, wanted %.9g", wrong, n, first,
                 float_at(&part, data, first), float_at(&part, want->data, first));
    else
        snprintf(text, sizeof text, "%zu of %zu elements differ, first [%zu]: %lld, wanted %lld", wrong, n, first,
                 width ? (long long)int_at(want, data, first) : data[first],
                 width ? (long long)int_at(want, want->data, first) : want->data[first]);
    return text;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static const char *set_input(lc_session *s, size_t i, const runs_tensor *t) {
    lc_tensor_view v = lc_session_input(s, i);
    bool same = v.rank == t->rank;
    for (int32_t d = 0; same && d < t->rank; d++) same = v.dims[d] == t->dims[d];
    if (!v.name) return "there is no such input";
    if (!same && lc_session_resize_input(s, i, t->dims, t->rank, &err)) return err.message;
    v = lc_session_input(s, i);
    if (t->type == LC_STRING) {
        const uint32_t *words = (const uint32_t *)(const void *)t->data;
        uint32_t n;
        memcpy(&n, t->data, 4);
        const char **strings = calloc(n + 1, sizeof *strings);
        size_t *lengths = calloc(n + 1, sizeof *lengths);
        for (uint32_t k = 0; k < n; k++) {
            uint32_t from, to;
            memcpy(&from, words + k + 1, 4);
            memcpy(&to, words + k + 2, 4);
            strings[k] = (const char *)t->data + from;
            lengths[k] = to - from;
        }
        const lc_status status = lc_session_set_strings(s, i, strings, lengths, n, &err);
        free(strings);
        free(lengths);
        return status ? err.message : NULL;
    }
    if (v.type != t->type || v.size != t->size) return "it has another type or size";
    if (t->size) memcpy(v.data, t->data, t->size);
    return NULL;
}

/* Runs the case once; "" or what went wrong. */
static const char *run_case(const runs_case *c, const char *isa) {
    static char text[1400];
    lc_model *m = NULL;
    lc_session *s = NULL;
    runs_reader at = c->first, *r = &at;
    text[0] = 0;
    if (lc_model_from_memory(c->model, c->model_size, NULL, &m, &err) || lc_session_create(m, &(lc_session_options){.isa = isa}, &s, &err))
        snprintf(text, sizeof text, "%s", err.message);
    for (uint32_t run = 0; run < c->runs; run++) {
        const uint32_t inputs = runs_u32(r);
        for (uint32_t i = 0; i < inputs; i++) {
            const runs_tensor t = runs_take(r);
            const char *why = text[0] ? NULL : set_input(s, i, &t);
            if (why) snprintf(text, sizeof text, "run %u, input %u: %s", run, i, why);
        }
        if (!text[0] && lc_session_run(s, &err)) snprintf(text, sizeof text, "run %u: %s", run, err.message);
        const uint32_t outputs = runs_u32(r);
        for (uint32_t i = 0; i < outputs; i++) {
            const runs_tensor want = runs_take(r);
            if (text[0]) continue;
            const lc_tensor_view got = lc_session_output(s, i);
            const char *why = compare(&want, &got, c->tolerance, c->within);
            if (why[0]) snprintf(text, sizeof text, "run %u, output %u: %s", run, i, why);
        }
    }
    lc_session_destroy(s);
    lc_model_destroy(m);
    return text;
}

static uint32_t failures;

static void run_on_all(const char *path, const runs_case *c) {
    static const char *const isas[] = {"ref", "portable", "avx2", "avx512", "neon"};
    if (only_case && !strstr(c->name, only_case)) return;
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        const struct lc_simd *simd;
        if (lc_simd_get(isas[i], &simd, NULL) != LC_OK) continue; /* not on this machine */
        const char *why = run_case(c, isas[i]);
        if (!why[0]) continue;
        failures++;
        print_error("%s: %s (%s): %s\n", path, c->name, isas[i], why);
        return;
    }
}

static const char *only_family;

static void test_runs(void **state) {
    (void)state;
    const uint32_t total = runs_for_all(only_family, run_on_all);
    print_message("%u cases, %u failed\n", total, failures);
    assert_int_equal(failures, 0);
}

int main(int argc, char **argv) {
    only_family = argc > 1 ? argv[1] : NULL;
    only_case = argc > 2 ? argv[2] : NULL;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
