/*
 * Tests of what the integer kernels share (kernels/integer.h) and of what their prepare refuses: sums against plain ones on every
 * instruction set, at the ends of int16; hybrid quantisation of rows that are no numbers; damaged quantisation parameters.
 */
#include "case.h"
#include "kernels/integer.h"

#include <math.h>

static lc_error err;
static uint32_t seed = 1;

static uint32_t next_random(void) { return (seed = seed * 1664525u + 1013904223u) >> 8; }

static void check_dots(const lc_simd *simd, int64_t limit) {
    int16_t w[300], x[9 * 300];
    int64_t sums[9];
    const int32_t most = limit > 1 << 20 ? 32768 : 255;
    for (int64_t depth = 0; depth < 300; depth += depth < 70 ? 1 : 37)
        for (int64_t n = 0; n <= 9; n += depth % 3 + 1) {
            for (int64_t k = 0; k < 300; k++) w[k] = (int16_t)(next_random() % 4 ? -most : (int32_t)(next_random() % (uint32_t)most));
            for (int64_t k = 0; k < 9 * 300; k++) x[k] = (int16_t)(next_random() % 4 ? -most : (int32_t)(next_random() % (uint32_t)most));
            lc_int_dots(simd, w, x, depth, depth, n, limit, sums);
            for (int64_t i = 0; i < n; i++) {
                int64_t want = 0;
                for (int64_t k = 0; k < depth; k++) want += (int64_t)w[k] * x[i * depth + k];
                assert_int_equal(sums[i], want);
            }
        }
}

/* A number of the 8-bit kinds: their centred values. */
static int16_t centred(void) {
    return (int16_t)(next_random() % 5 ? (int32_t)(next_random() % 511) - 255 : next_random() % 2 ? 255 : -255);
}

static void check_igemm(const lc_simd *simd) {
    static int16_t rows[16 * 40], panel[40 * 64];
    static int32_t sums[16 * 64];
    const size_t nr = simd->nr;
    for (size_t pairs = 0; pairs < 20; pairs++)
        for (size_t mr = 1; mr <= simd->mr; mr++) {
            for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) rows[i] = centred();
            for (size_t i = 0; i < sizeof panel / sizeof *panel; i++) panel[i] = centred();
            simd->igemm(&(lc_int_tile){.rows = rows, .row_step = 40, .mr = mr, .panel = panel, .pairs = pairs, .sums = sums});
            for (size_t r = 0; r < mr; r++)
                for (size_t j = 0; j < nr; j++) {
                    int32_t want = 0;
                    for (size_t k = 0; k < 2 * pairs; k++) want += rows[r * 40 + k] * panel[(k / 2 * nr + j) * 2 + k % 2];
                    assert_int_equal(sums[r * nr + j], want);
                }
        }
}

static void check_itaps(const lc_simd *simd) {
    static int16_t rows[9][80], weights[9][80];
    const int16_t *row[9], *weight[9];
    int32_t sums[80];
    for (int t = 0; t < 9; t++) {
        row[t] = rows[t], weight[t] = weights[t];
        for (int c = 0; c < 80; c++) rows[t][c] = centred(), weights[t][c] = centred();
    }
    for (size_t n = 0; n <= 80; n++)
        for (size_t taps = 0; taps <= 9; taps += n % 4 + 1) {
            simd->itaps(&(lc_int_taps){.rows = row, .weights = weight, .taps = taps, .n = n, .sums = sums});
            for (size_t c = 0; c < n; c++) {
                int32_t want = 0;
                for (size_t t = 0; t < taps; t++) want += rows[t][c] * weights[t][c];
                assert_int_equal(sums[c], want);
            }
        }
}

static void check_requant(const lc_simd *simd) {
    enum { N = 37 };
    int32_t sums[N], bias[N], factor[N], left[N], right[N];
    uint8_t out[N];
    for (int round = 0; round < 2000; round++) {
        const int32_t zero = (int32_t)(next_random() % 256) - 128;
        lc_multiplier m[N];
        for (int i = 0; i < N; i++) {
            const int32_t any = (int32_t)(next_random() << 8 ^ next_random());
            sums[i] = next_random() % 3 ? any >> next_random() % 20 : next_random() % 2 ? INT32_MIN : INT32_MAX;
            bias[i] = next_random() % 2 ? 0 : any >> 7;
            m[i] = lc_multiplier_of(ldexp(1 + next_random() % 1000 / 1000.0, (int)(next_random() % 45) - 35));
            factor[i] = m[i].factor, left[i] = m[i].shift > 0 ? m[i].shift : 0, right[i] = m[i].shift < 0 ? -m[i].shift : 0;
        }
        const lc_int_requant q = {bias, factor, left, right, zero, -128, 100};
        simd->requant(&q, sums, N, out);
        for (int i = 0; i < N; i++) {
            const int64_t y = (int64_t)lc_scale_i32((int32_t)((uint32_t)sums[i] + (uint32_t)bias[i]), m[i]) + zero;
            assert_int_equal((int8_t)out[i], y < -128 ? -128 : y > 100 ? 100 : y);
        }
    }
}

static void check_widen(const lc_simd *simd) {
    uint8_t in[77];
    int16_t out[77];
    for (int i = 0; i < 77; i++) in[i] = (uint8_t)next_random();
    for (size_t n = 0; n <= 77; n++)
        for (int u = 0; u < 2; u++) {
            simd->widen(in, u, u ? 200 : -100, n, out);
            for (size_t i = 0; i < n; i++) assert_int_equal(out[i], u ? in[i] - 200 : (int8_t)in[i] + 100);
        }
}

static void test_dots(void **state) {
    (void)state;
    static const char *const names[] = {"ref", "portable", "avx2", "avx512", "neon"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const lc_simd *simd;
        if (lc_simd_get(names[i], &simd, NULL)) continue; /* not on this machine */
        check_dots(simd, 255 * 255);
        check_dots(simd, (int64_t)32768 * 32768);
        if (!simd) continue;
        check_igemm(simd);
        check_itaps(simd);
        check_requant(simd);
        check_widen(simd);
    }
}

static void test_hybrid(void **state) {
    (void)state;
    int16_t q[4];
    /* -1 ... 1 in steps of 1 / 127 */
    assert_true(fabsf(lc_hybrid_symmetric((const float[]){-1, 0, 0.5f, 1}, 4, q) - 1 / 127.0f) < 1e-9f);
    assert_true(q[0] == -127 && q[1] == 0 && q[2] == 64 && q[3] == 127);
    /* 0 ... 255: what is 0 stays 0 */
    assert_true(lc_hybrid_asymmetric((const float[]){0, 10, 254, 255}, 4, q) == 1);
    assert_true(q[0] == 0 && q[1] == 10 && q[2] == 254 && q[3] == 255);
    static const float rows[][4] = {{NAN, 1, -1, NAN},    {1, NAN, INFINITY, 2}, {-INFINITY, INFINITY, NAN, 0},
                                    {0, 0, 0, -0.0f},     {1e-45f, 0, 0, 0},     {3.4e38f, -3.4e38f, 1, 0},
                                    {NAN, NAN, NAN, NAN}, {5, 5, 5, 5},          {-5, -5, -5, -5}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int asymmetric = 0; asymmetric < 2; asymmetric++) {
            lc_hybrid_row(asymmetric, rows[r], 4, q);
            for (int i = 0; i < 4; i++) {
                assert_true(q[i] >= -255 && q[i] <= 255);
                if (isnan(rows[r][i]) || rows[r][i] == 0) assert_int_equal(q[i], 0);
            }
        }
    assert_true(lc_hybrid_symmetric(NULL, 0, q) == 1 && lc_hybrid_asymmetric(NULL, 0, q) == 1);
}

/* ---- refusals -------------------------------------------------------------------------------------------------------- */

typedef struct quant {
    float scale[4];
    int64_t zero[4];
    uint32_t scales, zeros;
    int32_t axis;
} quant;

static const struct {
    const char *op, *options, *in, *out;
    quant q[4]; /* inputs 0 to 2 and the output */
    lc_status status;
    const char *why;
} rows[] = {
#define CONV "CONV_2D", "stride_w=1 stride_h=1", "i8[1,2,2,2] i8[3,1,1,2] i32[3]", "i8[1,2,2,3]"
#define ONE \
    { {0.5f}, {0}, 1, 1, 0 }
#define NONE \
    { {0}, {0}, 0, 0, 0 }
    {CONV, {ONE, {{0.5f, 1, 2}, {0}, 3, 3, 0}, ONE, ONE}, LC_OK, ""},
    {CONV, {ONE, {{0.5f, 1, 2}, {0}, 3, 0, 0}, NONE, ONE}, LC_OK, ""},
    {CONV, {{{0.5f}, {-128}, 1, 1, 0}, ONE, NONE, {{1e-30f}, {127}, 1, 1, 0}}, LC_OK, ""},
    {CONV, {{{1e30f}, {-128}, 1, 1, 0}, ONE, NONE, {{1e-30f}, {127}, 1, 1, 0}}, LC_OK, ""},
    {CONV, {NONE, ONE, NONE, ONE}, LC_INVALID, "input (\"\", int8) is not quantised"},
    {CONV, {ONE, NONE, NONE, ONE}, LC_INVALID, "filter (\"\", int8) is not quantised"},
    {CONV, {ONE, ONE, NONE, NONE}, LC_INVALID, "output (\"\", int8) is not quantised"},
    {CONV, {{{NAN}, {0}, 1, 1, 0}, ONE, NONE, ONE}, LC_INVALID, "not a positive number"},
    {CONV, {ONE, {{0}, {0}, 1, 1, 0}, NONE, ONE}, LC_INVALID, "not a positive number"},
    {CONV, {ONE, {{1, INFINITY, 1}, {0}, 3, 3, 0}, NONE, ONE}, LC_INVALID, "not a positive number"},
    {CONV, {ONE, ONE, NONE, {{-1}, {0}, 1, 1, 0}}, LC_INVALID, "not a positive number"},
    {CONV, {ONE, {{1, 1}, {0}, 2, 2, 0}, NONE, ONE}, LC_INVALID, "another dimension or number of channels"},
    {CONV, {ONE, {{1, 1}, {0}, 2, 2, 3}, NONE, ONE}, LC_INVALID, "another dimension or number of channels"},
    {CONV, {ONE, {{1, 1, 1}, {0}, 3, 3, 77}, NONE, ONE}, LC_INVALID, "another dimension or number of channels"},
    {CONV, {ONE, {{1, 1, 1}, {0, 0, 1}, 3, 3, 0}, NONE, ONE}, LC_INVALID, "must be 0 here"},
    {CONV, {{{1, 1}, {0}, 2, 2, 3}, ONE, NONE, ONE}, LC_INVALID, "quantised per channel"},
    {CONV, {{{1}, {128}, 1, 1, 0}, ONE, NONE, ONE}, LC_INVALID, "zero point outside its type"},
    {CONV, {ONE, ONE, NONE, {{1}, {INT64_MIN}, 1, 1, 0}}, LC_INVALID, "zero point outside its type"},
    {"CONV_2D",
     "stride_w=1 stride_h=1 fused_activation_function=4",
     "i8[1,2,2,2] i8[3,1,1,2] i32[3]",
     "i8[1,2,2,3]",
     {ONE, ONE, NONE, ONE},
     LC_UNSUPPORTED,
     "activation"},
    {"CONV_2D",
     "stride_w=1 stride_h=1",
     "i8[1,2,2,2] i8[3,1,1,2] f32[3]",
     "i8[1,2,2,3]",
     {ONE, ONE, NONE, ONE},
     LC_UNSUPPORTED,
     "CONV_2D kernel for float32"},
    {"CONV_2D",
     "stride_w=1 stride_h=1",
     "i16[1,2,2,2] i8[3,1,1,2] i64[3]",
     "i16[1,2,2,3]",
     {{{1}, {4}, 1, 1, 0}, ONE, NONE, ONE},
     LC_INVALID,
     "int16 activations have a zero point"},
    {"CONV_2D",
     "stride_w=1 stride_h=1",
     "u8[1,2,2,2] u8[3,1,1,2] i32[3]",
     "u8[1,2,2,3]",
     {ONE, ONE, {{0.25f}, {0}, 1, 1, 0}, ONE},
     LC_OK,
     ""},
    {"CONV_2D",
     "stride_w=1 stride_h=1",
     "u8[1,2,2,2] u8[3,1,1,2] i32[3]",
     "u8[1,2,2,3]",
     {ONE, ONE, {{0.5f}, {0}, 1, 1, 0}, ONE},
     LC_INVALID,
     "the bias has another scale"},
    {"CONV_2D",
     "stride_w=1 stride_h=1",
     "u8[1,2,2,2] u8[3,1,1,2]",
     "u8[1,2,2,3]",
     {ONE, {{1, 1, 1}, {0}, 3, 3, 0}, ONE, NONE},
     LC_INVALID,
     "output"},
    {"DEPTHWISE_CONV_2D",
     "stride_w=1 stride_h=1",
     "i8[1,2,2,2] i8[1,1,1,2] i32[2]",
     "i8[1,2,2,2]",
     {ONE, {{1, 2}, {0}, 2, 2, 3}, NONE, ONE},
     LC_OK,
     ""},
    {"DEPTHWISE_CONV_2D",
     "stride_w=1 stride_h=1",
     "i8[1,2,2,2] i8[1,1,1,2] i32[2]",
     "i8[1,2,2,2]",
     {ONE, {{1, 2}, {0}, 2, 2, 0}, NONE, ONE},
     LC_INVALID,
     "another dimension"},
    {"DEPTHWISE_CONV_2D",
     "stride_w=1 stride_h=1",
     "f32[1,2,2,2] i8[1,1,1,2]",
     "f32[1,2,2,2]",
     {NONE, NONE, NONE, NONE},
     LC_INVALID,
     "filter (\"\", int8) is not quantised"},
    {"FULLY_CONNECTED", "", "f32[1,2] i8[2,2] i32[2]", "f32[1,2]", {NONE, ONE, NONE, NONE}, LC_UNSUPPORTED, "kernel for int32"},
    {"FULLY_CONNECTED",
     "",
     "f32[1,2] i8[2,2] -",
     "f32[1,2]",
     {NONE, {{1, NAN}, {0}, 2, 2, 0}, NONE, NONE},
     LC_INVALID,
     "not a positive number"},
    {"FULLY_CONNECTED", "", "i8[1,2] i4[2,2] -", "i8[1,2]", {ONE, {{1}, {1}, 1, 1, 0}, ONE, NONE}, LC_INVALID, "output"},
    {"FULLY_CONNECTED",
     "",
     "i16[1,2] i16[2,2] i32[2]",
     "i16[1,2]",
     {ONE, {{1}, {1}, 1, 1, 0}, {{0.5f}, {0}, 1, 1, 0}, ONE},
     LC_INVALID,
     "an int16 filter has a zero point"},
    {"BATCH_MATMUL", "", "i8[2,2] i8[2,2]", "i8[2,2]", {ONE, {{1, 1}, {0}, 2, 2, 1}, NONE, ONE}, LC_OK, ""},
    {"BATCH_MATMUL", "", "i8[2,2] i8[2,2]", "i8[2,2]", {ONE, {{1, 1}, {0}, 2, 2, 0}, NONE, ONE}, LC_INVALID, "another dimension"},
    {"BATCH_MATMUL", "", "i8[2,2] i8[2,2]", "i32[2,2]", {NONE, NONE, NONE, NONE}, LC_OK, ""},
    {"BATCH_MATMUL", "", "f32[2,2] i8[2,2]", "f32[2,2]", {NONE, {{1, 1}, {0}, 2, 2, 1}, NONE, NONE}, LC_OK, ""},
    {"BATCH_MATMUL", "", "f32[2,2] i8[2,2]", "f32[2,2]", {NONE, {{1, 1}, {0}, 2, 2, 0}, NONE, NONE}, LC_INVALID, "another dimension"},
    {"TRANSPOSE_CONV",
     "stride_w=1 stride_h=1",
     "i32[4]={1,2,2,1} i8[1,1,1,1] i8[1,2,2,1]",
     "i8[1,2,2,1]",
     {NONE, ONE, NONE, ONE},
     LC_INVALID,
     "input (\"\", int8) is not quantised"},
    {"TRANSPOSE_CONV",
     "stride_w=1 stride_h=1",
     "i32[4]={1,3,2,1} i8[1,1,1,1] i8[1,2,2,1]",
     "i8[1,2,2,1]",
     {NONE, ONE, ONE, ONE},
     LC_INVALID,
     "another output shape"},
};

static lc_value value_of(const case_tensor *t, const lc_tensor *def, lc_arena *arena) {
    uint64_t n = 0, bytes = 0;
    assert_true(lc_shape_elements(&t->shape, &n) && lc_dtype_bytes(t->type, n, &bytes));
    lc_value v = {.type = t->type, .shape = t->shape, .size = (size_t)bytes, .def = def, .data = case_alloc(arena, (size_t)bytes)};
    memset(v.data, 0x81, v.size); /* large negative numbers */
    if (t->data) memcpy(v.data, t->data, t->size);
    return v;
}

static void test_refusals(void **state) {
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        lc_arena arena = {0};
        op_case c;
        lc_value values[4], *in[3], *out[1] = {&values[3]};
        lc_QuantizationParameters q[4];
        lc_tensor def[4] = {{.rank = 0}};
        lc_error_clear(&err);
        case_parse(&c, &arena, rows[r].op, rows[r].options, rows[r].in);
        case_parse_tensor(rows[r].out, &c.out[0], &arena);
        for (uint32_t i = 0; i < 4; i++) {
            const quant *from = &rows[r].q[i];
            q[i] = (lc_QuantizationParameters){
                .scale = {from->scale, from->scales}, .zero_point = {from->zero, from->zeros}, .quantized_dimension = from->axis};
            if (from->scales) def[i].quant = &q[i];
            if (i == 3 || (i < c.in_count && c.in[i].present)) values[i] = value_of(i == 3 ? &c.out[0] : &c.in[i], &def[i], &arena);
            if (i < c.in_count) in[i] = c.in[i].present ? &values[i] : NULL;
        }
        const lc_status status = lc_kernel_run_once(&c.node, in, c.in_count, out, 1, NULL, &arena, &err);
        if (status != rows[r].status || !strstr(err.message, rows[r].why))
            fail_msg("row %zu, %s %s: %s '%s', want %s '%s'", r, rows[r].op, rows[r].in, lc_status_name(status), err.message,
                     lc_status_name(rows[r].status), rows[r].why);
        lc_arena_deinit(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dots), cmocka_unit_test(test_hybrid), cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
