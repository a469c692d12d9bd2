/*
 * test_tf_math.c: mathematical operators of TensorFlow beyond their numbers (which test_tf_cases.c compares): which operators they become,
 * random numbers, refusals with their messages, types that TFLite lacks, and every allocation failing.
 */
#include "support/fault.h"
#include "support/tf_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define X "x = Placeholder dtype=float shape={?,4}\n"
#define I "x = Placeholder dtype=int32 shape={?,4}\n"
#define L "x = Placeholder dtype=int64 shape={?,4}\n"

/* ---- what they become ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *graph, *ops;
} forms[] = {
    /* one operator stays one */
    {X "y = Exp(x)\n", "EXP"},
    {X "y = Rint(x)\n", "ROUND"},
    {X "y = IsNan(x)\n", "NOT_EQUAL"},
    {X "y = Asin(x)\n", "SUB ADD MUL SQRT ATAN2"},
    {X "y = Atan(x)\n", "POW ATAN2"},
    {X "y = Atan2(x, x)\n", "ATAN2"},
    {X "y = Sinh(x)\n", "TANH ABS MUL EXP MUL MUL DIV ADD MUL"},
    /* ranges and powers by constants */
    {X "a = const float {} 0\nb = const float {} 6\ny = ClipByValue(x, a, b)\n", "RELU6"},
    {X "a = const float {} 0\nb = const float {} 1\ny = ClipByValue(x, a, b)\n", "RELU_0_TO_1"},
    {X "a = const float {} -1\nb = const float {} 1\ny = ClipByValue(x, a, b)\n", "RELU_N1_TO_1"},
    {X "a = const float {} 0\nb = const float {} 2\ny = ClipByValue(x, a, b)\n", "MINIMUM MAXIMUM"},
    {X "e = const float {} 2\ny = Pow(x, e)\n", "SQUARE"},
    {X "e = const float {} 0.5\ny = Pow(x, e)\n", "SQRT"},
    {X "e = const float {} 3\ny = Pow(x, e)\n", "POW"},
    {L "e = const int64 {} 5\ny = Pow(x, e)\n", "MUL MUL MUL"},
    /* a variance's square of a difference */
    {X "m = const float {} 3\nd = Sub(x, m)\ny = Square(d)\n", "SQUARED_DIFFERENCE"},
    /* integers in the type that has a kernel, and back */
    {I "y = FloorDiv(x, x)\n", "FLOOR_DIV"},
    {"x = Placeholder dtype=uint8 shape={?,4}\ny = AddV2(x, x)\n", "CAST ADD CAST"},
    {"x = Placeholder dtype=int8 shape={?,4}\ny = Maximum(x, x)\n", "MAXIMUM"},
    {"x = Placeholder dtype=uint64 shape={?,4}\ny = Mul(x, x)\n", "BITCAST MUL BITCAST"},
    {I "m = const int32 {} 255\ny = BitwiseAnd(x, m)\n", "FLOOR_MOD"},
    {I "y = BitwiseAnd(x, x)\n", "STABLEHLO_AND"},
    {I "y = Invert(x)\n", "BITWISE_XOR"},
    {I "n = const int32 {} 3\ny = LeftShift(x, n)\n", "MUL"},
    {I "n = const int32 {} 3\ny = RightShift(x, n)\n", "RIGHT_SHIFT"},
    /* no axis reduces nothing */
    {X "a = const int32 {0}\ny = Sum(x, a)\n", ""},
    {X "a = const int32 {1} -1\ny = Mean(x, a) keep_dims=true\n", "MEAN"},
    {X "a = const int32 {} 1\ny = ArgMax(x, a) output_type=int32\n", "ARG_MAX"},
    {L "a = const int32 {} 1\ny = ArgMax(x, a)\n", "REDUCE_MAX EQUAL ARG_MAX"},
    /* complex numbers that nobody sees as such are two real ones */
    {X "z = Complex(x, x) T=float\nw = Mul(z, z)\nv = Exp(w)\ny = Real(v)\n", "MUL SUB ADD EXP COS MUL"},
    {X "z = Complex(x, x) T=float\nw = Conj(z)\ny = ComplexAbs(w)\n", "NEG SQUARE SQUARE ADD SQRT"},
    {X "n = const int32 {1} 4\nz = RFFT(x, n)\ny = ComplexAbs(z)\n", "RESHAPE RFFT2D RESHAPE COMPLEX_ABS"},
    {"x = Placeholder dtype=complex64 shape={?,4}\ny = Mul(x, x)\n", "MUL"},
    /* shapes that never broadcast */
    {X "c = const float {3} 1 2 3\ne = Equal(x, c) incompatible_shape_error=false\nf = Cast(e) SrcT=bool DstT=float\ny = AddV2(x, f)\n",
     "ADD"},
    /* key and counter of a seed are constants, and so are the numbers */
    {X "s = const int32 {2} 1 2\nd = const int32 {1} 4\nr = StatelessRandomUniform(d, s)\ny = AddV2(x, r)\n", "ADD"},
    /* the same random operator twice is two */
    {X "d = const int32 {1} 4\na = RandomUniform(d) dtype=float\nb = RandomUniform(d) dtype=float\nc = Sub(a, b)\ny = AddV2(x, c)\n",
     "RANDOM_UNIFORM RANDOM_UNIFORM SUB ADD"},
};

static void test_forms(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        lc_model *m = tf_make(forms[i].graph, "x", "y");
        lc_text text = {0};
        tf_ops(m, &text);
        const char *got = text.data ? text.data : "";
        if (strcmp(got, forms[i].ops)) fail_msg("%s becomes %s, not %s", forms[i].graph, got, forms[i].ops);
        lc_text_deinit(&text);
        lc_model_destroy(m);
    }
}

/* ---- random numbers ------------------------------------------------------------------------------------------------------ */

enum { MANY = 4000 };

/* y of 4000 numbers from a graph with the input x, a float [1]. */
static void draw(const char *nodes, double *out) {
    char graph[1024];
    snprintf(graph, sizeof graph, "x = Placeholder dtype=float shape={1}\nd = const int32 {1} %d\n%s", MANY, nodes);
    lc_model *m = tf_make(graph, "x", "y");
    const double zero = 0;
    assert_int_equal(tf_run(m, 1, (const char *[]){"1"}, (const double *[]){&zero}, 0, out, MANY, NULL), MANY);
    lc_model_destroy(m);
}

static double mean_of(const double *v, double *spread) {
    double sum = 0, squares = 0;
    for (int i = 0; i < MANY; i++) sum += v[i];
    for (int i = 0; i < MANY; i++) squares += (v[i] - sum / MANY) * (v[i] - sum / MANY);
    *spread = sqrt(squares / MANY);
    return sum / MANY;
}

static void expect_numbers(const char *nodes, double low, double high, double mean, double spread) {
    double v[MANY], s;
    draw(nodes, v);
    const double m = mean_of(v, &s);
    for (int i = 0; i < MANY; i++)
        if (!(v[i] >= low && v[i] <= high)) fail_msg("%s: %g is not in [%g, %g]", nodes, v[i], low, high);
    if (fabs(m - mean) > 5 * spread / sqrt(MANY)) fail_msg("%s: mean %g, not %g", nodes, m, mean);
    if (fabs(s / spread - 1) > 0.05) fail_msg("%s: spread %g, not %g", nodes, s, spread);
}

static void test_random(void **state) {
    (void)state;
#define ADD_X "y = AddV2(x, r)\n"
    expect_numbers("r = RandomUniform(d) dtype=float\n" ADD_X, 0, 1, 0.5, sqrt(1.0 / 12));
    expect_numbers("r = RandomStandardNormal(d) dtype=float\n" ADD_X, -6, 6, 0, 1);
    expect_numbers("r = TruncatedNormal(d) dtype=float\n" ADD_X, -2, 2, 0, 0.8796256);
    expect_numbers("s = const int32 {2} 4 5\nr = StatelessTruncatedNormal(d, s)\n" ADD_X, -2, 2, 0, 0.8796256);
    expect_numbers(
        "a = const int32 {} -3\nb = const int32 {} 9\ni = RandomUniformInt(d, a, b) seed=3\nr = Cast(i) SrcT=int32 DstT=float\n" ADD_X, -3,
        8, 2.5, sqrt(143.0 / 12));
    expect_numbers("g = const float {1,3} 0 1.0986123 -inf\nn = const int32 {} 4000\nf = const int32 {1} -1\nm = Multinomial(g, n)\n"
                   "v = Reshape(m, f)\nr = Cast(v) SrcT=int64 DstT=float\n" ADD_X,
                   0, 1, 0.75, sqrt(0.1875));
    expect_numbers("g = const float {1,3} 0 1.0986123 -inf\nn = const int32 {} 4000\nf = const int32 {1} -1\ns = const int64 {2} 7 9\n"
                   "m = StatelessMultinomial(g, n, s)\nv = Reshape(m, f)\nr = Cast(v) SrcT=int64 DstT=float\n" ADD_X,
                   0, 1, 0.75, sqrt(0.1875));
#undef ADD_X
}

static void test_shuffle(void **state) {
    (void)state;
    static const char *const graphs[] = {
        "x = Placeholder dtype=int16 shape={?,1}\ny = RandomShuffle(x)\n",
        "x = Placeholder dtype=int16 shape={?,1}\ns = const int32 {2} 1 2\nk = StatelessRandomGetKeyCounter(s)\na = StatelessRandomGetAlg()\n"
        "y = StatelessShuffle(x, k, k:1, a)\n",
    };
    for (size_t g = 0; g < 2; g++) {
        lc_model *m = tf_make(graphs[g], "x", "y");
        double in[100], out[100];
        bool seen[100] = {false}, moved = false;
        const double *data = in;
        for (int i = 0; i < 100; i++) in[i] = i;
        assert_int_equal(tf_run(m, 1, (const char *[]){"100,1"}, &data, 0, out, 100, NULL), 100);
        for (int i = 0; i < 100; i++) {
            assert_true(out[i] >= 0 && out[i] < 100 && !seen[(int)out[i]]);
            seen[(int)out[i]] = true;
            moved = moved || out[i] != i;
        }
        assert_true(moved);
        lc_model_destroy(m);
    }
}

/* ---- refusals --------------------------------------------------------------------------------------------------------------- */

static void test_refused(void **state) {
    (void)state;
    /* types */
    tf_refused(I "y = Exp(x)\n", "x", "y", "needs a floating-point type");
    tf_refused(X "y = BitwiseOr(x, x)\n", "x", "y", "needs integers");
    tf_refused("x = Placeholder dtype=int32 shape={2}\nc = const int64 {} 1\ny = AddV2(x, c)\n", "x", "y", "needs one type");
    tf_refused("x = Placeholder dtype=int32 shape={2}\nc = const int64 {} 1\ny = Less(x, c)\n", "x", "y", "needs one type");
    tf_refused("x = Placeholder dtype=string shape={2}\ny = Add(x, x)\n", "x", "y", "no TFLite operator does this for string");
    tf_refused("x = Placeholder dtype=string shape={2}\nc = const bool {} true\ny = SelectV2(c, x, x)\n", "x", "y",
               "chooses between tensors of string");
    tf_refused("x = Placeholder dtype=uint64 shape={2}\ny = FloorDiv(x, x)\n", "x", "y", "no TFLite operator does this for uint64");
    tf_refused("x = Placeholder dtype=complex64 shape={2}\ny = Asin(x)\n", "x", "y", "computes it of real numbers only");
    tf_refused(X "y = Real(x)\n", "x", "y", "needs a complex type");
    tf_refused(X "y = Cast(x) SrcT=float DstT=string\n", "x", "y", "no TFLite operator casts float32 to string");
    tf_refused(X "y = ArgMax(x, a) output_type=string\na = const int32 {} 0\n", "x", "y", "needs a type of numbers");
    tf_refused(X "y = NextAfter(x, h)\nh = Cast(x) SrcT=float DstT=half\n", "x", "y", "");
    /* axes */
    tf_refused(X "a = const int32 {1} 2\ny = Sum(x, a)\n", "x", "y", "its axis is 2");
    tf_refused(X "a = const int64 {1} -9000000000\ny = Max(x, a)\n", "x", "y", "its axis is -9000000000");
    tf_refused(X "a = const int32 {} 5\ny = Cumprod(x, a)\n", "x", "y", "its axis is 5");
    tf_refused(X "a = const float {} 1\ny = Sum(x, a)\n", "x", "y", "needs integers");
    tf_refused(X "p = Placeholder dtype=int32 shape={}\ny = Cumprod(x, p)\n", "x p", "y", "computed in the run");
    tf_refused(X "a = const int32 {} 4000000000\ny = ArgMax(x, a)\n", "x", "y", "");
    /* shapes */
    tf_refused("x = Placeholder dtype=float shape={}\ny = Cross(x, x)\n", "x", "y", "needs vectors of 3");
    tf_refused("x = Placeholder dtype=complex64 shape={?}\ny = FFT(x)\n", "x", "y", "dimension 0 of its input is open");
    tf_refused("x = Placeholder dtype=complex64 shape={4}\ny = FFT2D(x)\n", "x", "y", "needs at least 2");
    tf_refused(X "n = const int32 {2} 4 4\ny = RFFT(x, n)\n", "x", "y", "fft_length");
    tf_refused(X "n = const int32 {1} 0\ny = RFFT(x, n)\n", "x", "y", "a transform of length 0");
    tf_refused(X "n = const int32 {1} 2000000000\ny = RFFT(x, n)\n", "x", "y", "a transform of length 2000000000");
    tf_refused(X "n = const int32 {1} 9999991\ny = RFFT(x, n)\n", "x", "y", "a length with the factor 9999991"); /* a prime */
    tf_refused("x = Placeholder dtype=float shape={1,1,1,1,1,1,1,2}\ny = Complex(x, x) T=float\n", "x", "y", "8 dimensions");
    tf_refused("x = Placeholder dtype=float shape={}\ns = const float {} 0\nn = const int32 {} 0\ny = LinSpace(s, x, n)\n", "x", "y",
               "its num is 0");
    tf_refused(X "y = Bucketize(x) boundaries=[2.5,1.5]\n", "x", "y", "boundary 1");
    /* counts */
    tf_refused(X "y = AddN() N=0 T=float\n", "x", "y", "needs at least 1");
    tf_refused(X "y = AddV2(x)\n", "x", "y", "has 1 inputs");
    tf_refused("x = Placeholder dtype=int32 shape={2}\nd = const int32 {2} 50000 50000\ny = StatelessRandomUniform(d, x)\n", "x", "y",
               "random numbers");
    tf_refused("x = Placeholder dtype=uint64 shape={1}\nc = const uint64 {2} 0 0\na = const int32 {} 2\nd = const int32 {1} 3\n"
               "y = StatelessRandomUniformV2(d, x, c, a)\n",
               "x", "y", "ThreeFry");
    /* attributes of the wrong kind */
    tf_refused(X "a = const int32 {1} 1\ny = Sum(x, a) keep_dims=3\n", "x", "y", "keep_dims");
    tf_refused(X "y = ApproximateEqual(x, x) tolerance=true\n", "x", "y", "tolerance");
}

/* ---- types and shapes that need care -------------------------------------------------------------------------------------------- */

static void test_unknown_rank(void **state) {
    (void)state;
    /* elementwise operators and reductions ask for no rank */
    static const char *const ops[] = {"y = Exp(x)\n",
                                      "y = Atan(x)\n",
                                      "y = Erf(x)\n",
                                      "y = AddV2(x, x)\n",
                                      "y = Log1p(x)\n",
                                      "y = Select(c, x, x)\nc = Less(x, x)\n",
                                      "a = const int32 {1} -1\ny = Sum(x, a)\n",
                                      "y = OnesLike(x)\n"};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        char graph[256];
        snprintf(graph, sizeof graph, "x = Placeholder dtype=float shape={unknown}\n%s", ops[i]);
        lc_model_destroy(tf_make(graph, "x", "y"));
    }
    /* the rank and the shape are what they are in the run; one that refuses scalars, which a tensor of unknown rank may be */
#define ANY "x = Placeholder dtype=float shape={unknown}\n"
    static const char *const shapes[] = {"2,3", "6", "1,1,6,1"};
    static const double in[6] = {1, 2, 3, 4, 5, 6}, ranks[] = {2, 1, 4};
    for (size_t i = 0; i < 3; i++) {
        tf_expect(ANY "y = Rank(x) T=float\n", "y", shapes[i], in, &ranks[i], 1, 0);
        tf_expect(ANY "y = Size(x) T=float\n", "y", shapes[i], in, (const double[]){6}, 1, 0);
        tf_expect(ANY "l = const int32 {1} -1\nf = Reshape(x, l) T=float\ns = Shape(x) T=float\ny = Reshape(f, s) T=float\n", "y",
                  shapes[i], in, in, 6, 0);
    }
    tf_expect(ANY "y = Shape(x) T=float\n", "y", "2,3", in, (const double[]){2, 3}, 2, 0);
    tf_expect(ANY "y = Softmax(x) T=float\n", "y", "2,1", (const double[]){7, 8}, (const double[]){1, 1}, 2, 1e-6);
    lc_model *m = tf_make(ANY "y = Softmax(x) T=float\n", "x", "y");
    assert_true(!m->graphs[0]->tensors[m->graphs[0]->outputs[0]].has_rank);
    lc_model_destroy(m);
#undef ANY
    tf_refused("x = Placeholder dtype=float shape={unknown}\na = const int32 {} -1\ny = ArgMax(x, a)\n", "x", "y", "number of dimensions");
    tf_refused("x = Placeholder dtype=float shape={unknown}\na = const int32 {} -1\ny = Cumsum(x, a)\n", "x", "y", "number of dimensions");
}

/* An operator on tensors that do not fit is an error of the lowering, not of the run. */
static void test_misfits(void **state) {
    (void)state;
    tf_refused("x = Placeholder dtype=float shape={2,4}\nc = const float {3} 1 2 3\ny = AddV2(x, c)\n", "x", "y", "");
    tf_refused("x = Placeholder dtype=float shape={2,4}\nc = const bool {3} true true true\ny = Select(c, x, x)\n", "x", "y", "");
    tf_refused("x = Placeholder dtype=float shape={2,4}\ny = Cross(x, c)\nc = const float {3} 1 2 3\n", "x", "y", "");
    tf_refused("x = Placeholder dtype=float shape={3}\ny = Bitcast(x) T=float type=double\n", "x", "y", "");
}

/* An ellipsis that stands for no dimension goes: LiteRT would take it for one. */
static void test_empty_ellipsis(void **state) {
    (void)state;
    const double in[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const double *data = in;
    double out[12];
    char dims[64];
    lc_model *m =
        tf_make("x = Placeholder dtype=float shape={3,4}\nb = const int32 {3} 0 1 0\ne = const int32 {3} 0 3 0\n"
                "s = const int32 {3} 1 1 1\ny = StridedSlice(x, b, e, s) T=float Index=int32 ellipsis_mask=1 begin_mask=4 end_mask=4\n",
                "x", "y");
    tf_expect_ops(m, "STRIDED_SLICE");
    const lc_StridedSliceOptions *o = m->graphs[0]->nodes[0].attrs;
    assert_int_equal(o->ellipsis_mask, 0);
    assert_int_equal(o->end_mask, 2);
    assert_int_equal(tf_run(m, 1, (const char *[]){"3,4"}, &data, 0, out, 12, dims), 8);
    assert_string_equal(dims, "2,4");
    for (int i = 0; i < 8; i++) assert_true(out[i] == i + 4);
    lc_model_destroy(m);
}

/* Matrix products of complex numbers are four real ones. */
static void test_complex_product(void **state) {
    (void)state;
    lc_model *m =
        tf_make("x = Placeholder dtype=float shape={2,2}\nz = Complex(x, x) T=float\nw = MatMul(z, z) T=complex64 transpose_b=true\n"
                "v = BatchMatMulV2(z, z) T=complex64 adj_y=true\nr = Imag(w) T=complex64\ny = Real(v) T=complex64\n",
                "x", "y r");
    const double in[4] = {1, 2, 3, 4}; /* (1 + i)^2 = 2 i, (1 + i)(1 - i) = 2 */
    const double *data = in, want[4] = {10, 22, 22, 50};
    for (size_t k = 0; k < 2; k++) {
        double out[4];
        assert_int_equal(tf_run(m, 1, (const char *[]){"2,2"}, &data, k, out, 4, NULL), 4);
        for (int i = 0; i < 4; i++) assert_true(fabs(out[i] - want[i]) < 1e-4);
    }
    lc_model_destroy(m);
}

/* ---- memory -------------------------------------------------------------------------------------------------------------------------- */

static lc_status lower_text(void *text, lc_error *err) {
    lc_model *m = tf_lower(text, "x s", "u", NULL, err);
    if (!m) return err->status;
    lc_model_destroy(m);
    return LC_OK;
}

static void test_memory(void **state) {
    (void)state;
    lc_arena arena = {0};
    const char *text =
        tf_text("x = Placeholder dtype=float shape={?,6}\ns = Placeholder dtype=int32 shape={2}\n"
                "n = const int32 {1} 6\nf = RFFT(x, n)\nb = Bucketize(x) boundaries=[0.5,1.5]\n"
                "k = StatelessRandomGetKeyCounter(s)\na = const int32 {} 1\nd = const int32 {1} 4\n"
                "r = StatelessRandomNormalV2(d, k, k:1, a) dtype=float\ne = ComplexAbs(f)\ng = Cast(b) SrcT=int32 DstT=float\n"
                "i = Igamma(x, g)\np = Cumprod(i, z)\nz = const int32 {} 1\nv = AddN(x, p, i) N=3\nw = Mul(v, e)\nu = Mul(w, r)\n",
                &arena);
    lc_error err;
    lc_model *m = tf_lower(text, "x s", "u", NULL, &err);
    assert_null(m); /* 6 and 4 do not broadcast: the error's way out is a way, too */
    text = tf_text("x = Placeholder dtype=float shape={?,6}\ns = Placeholder dtype=int32 shape={2}\n"
                   "n = const int32 {1} 6\nf = RFFT(x, n)\nb = Bucketize(x) boundaries=[0.5,1.5]\n"
                   "k = StatelessRandomGetKeyCounter(s)\na = const int32 {} 1\nd = const int32 {1} 6\n"
                   "r = StatelessRandomNormalV2(d, k, k:1, a) dtype=float\ne = IRFFT(f, n)\ng = Cast(b) SrcT=int32 DstT=float\n"
                   "p = Cumprod(g, z)\nz = const int32 {} 1\nv = AddN(x, p, g) N=3\nw = Mul(v, e)\nu = Mul(w, r)\n",
                   &arena);
    fault_check(lower_text, (void *)(uintptr_t)text, NULL);
    lc_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_random),         cmocka_unit_test(test_shuffle),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_misfits),        cmocka_unit_test(test_unknown_rank),
        cmocka_unit_test(test_memory),  cmocka_unit_test(test_empty_ellipsis), cmocka_unit_test(test_complex_product),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
