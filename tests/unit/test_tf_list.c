/*
 * test_tf_list.c: TensorList and TensorArray as tensors: made, filled, read, grown, cut; element shapes that only the loop tells; rows
 * chosen by a condition as long as the batch (dynamic_rnn with sequence_length); and what has no tensor, refused.
 */
#include "support/tf_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define X "x = Placeholder dtype=float shape={?,2}\nzero = const int32 {} 0\none = const int32 {} 1\n"

static void test_straight(void **state) {
    (void)state;
    const double in[] = {1, 2, 3, 4, 5, 6};
    tf_expect(X "e = const int32 {1} 2\nl = TensorListFromTensor(x, e) element_dtype=float\ny = TensorListGetItem(l, one, e) "
                "element_dtype=float\n",
              "y", "3,2", in, (double[]){3, 4}, 2, 0);
    tf_expect(X "e = const int32 {1} 2\nl = TensorListFromTensor(x, e) element_dtype=float\n"
                "v = const float {2} 7 8\nm = TensorListSetItem(l, one, v) element_dtype=float\n"
                "y = TensorListStack(m, e) element_dtype=float\n",
              "y", "3,2", in, (double[]){1, 2, 7, 8, 5, 6}, 6, 0);
    tf_expect(
        X "e = const int32 {1} 2\nl = TensorListFromTensor(x, e) element_dtype=float\n"
          "v = const float {2} 7 8\nm = TensorListPushBack(l, v) element_dtype=float\nn = TensorListPushBack(m, v) element_dtype=float\n"
          "p = TensorListPopBack(n, e) element_dtype=float\ny = TensorListStack(p, e) element_dtype=float\n",
        "y", "1,2", in, (double[]){1, 2, 7, 8}, 4, 0);
    tf_expect(X "e = const int32 {1} 2\nfour = const int32 {} 4\nl = TensorListFromTensor(x, e) element_dtype=float\n"
                "m = TensorListResize(l, four)\ny = TensorListStack(m, e) element_dtype=float\n",
              "y", "3,2", in, (double[]){1, 2, 3, 4, 5, 6, 0, 0}, 8, 0);
    tf_expect(X "e = const int32 {1} 2\nl = TensorListFromTensor(x, e) element_dtype=float\ny = TensorListLength(l)\n", "y", "3,2", in,
              (double[]){3}, 1, 0);
}

/* Elements of [?,2], as long as the input's batch: the list is made before the loop. */
static void test_pending(void **state) {
    (void)state;
    lc_model *m =
        tf_make("def less(i: int32, l: float, x: float) -> (o: p:z:0)\n  n = const int32 {} 2\n  p = Less(i, n) T=int32\n"
                "def step(i: int32, l: float, x: float) -> (o0: i1:z:0, o1: k:output_handle:0, o2: d:z:0)\n"
                "  one = const int32 {} 1\n  i1 = AddV2(i, one) T=int32\n  d = AddV2(x, x) T=float\n"
                "  k = TensorListSetItem(l, i, d) element_dtype=float\n" X
                "e = const int32 {2} -1 2\ntwo = const int32 {} 2\nl = TensorListReserve(e, two) element_dtype=float\n"
                "y = While(zero, l, x) cond=@less body=@step T=[int32,float,float]\ns = TensorListStack(y:1, e) element_dtype=float\n",
                "x", "s");
    double out[8];
    char dims[32];
    assert_int_equal(tf_run(m, 1, (const char *[]){"2,2"}, (const double *[]){(double[]){1, 2, 3, 4}}, 0, out, 8, dims), 8);
    assert_string_equal(dims, "2,2,2");
    for (int i = 0; i < 4; i++) assert_true(out[i] == 2 * (i + 1) && out[4 + i] == 4 * (i + 1));
    lc_model_destroy(m);
}

/* Which rows go on is said by another input, whose length nothing ties to the batch but Select. */
static void test_chosen(void **state) {
    (void)state;
    lc_model *m = tf_make(
        "def less(i: int32, l: float, x: float, n: int32) -> (o: p:z:0)\n  m = const int32 {} 3\n  p = Less(i, m) T=int32\n"
        "def step(i: int32, l: float, x: float, n: int32) -> (o0: i1:z:0, o1: k:output_handle:0, o2: s:output:0, o3: n)\n"
        "  one = const int32 {} 1\n  i1 = AddV2(i, one) T=int32\n  d = AddV2(x, x) T=float\n  g = GreaterEqual(i, n) T=int32\n"
        "  s = Select(g, x, d) T=float\n  k = TensorListSetItem(l, i, s) element_dtype=float\n" X
        "n = Placeholder dtype=int32 shape={?}\ne = const int32 {2} -1 2\nthree = const int32 {} 3\n"
        "l = TensorListReserve(e, three) element_dtype=float\n"
        "y = While(zero, l, x, n) cond=@less body=@step T=[int32,float,float,int32]\ns = TensorListStack(y:1, e) element_dtype=float\n",
        "x n", "s");
    double out[12];
    const double x[] = {1, 2, 3, 4}, n[] = {1, 3};
    assert_int_equal(tf_run(m, 2, (const char *[]){"2,2", "2"}, (const double *[]){x, n}, 0, out, 12, NULL), 12);
    for (int t = 0; t < 3; t++)
        for (int i = 0; i < 4; i++) assert_true(out[t * 4 + i] == x[i] * (1 << (t < n[i / 2] ? t + 1 : (int)n[i / 2])));
    lc_model_destroy(m);
}

/* What is written is as large as two inputs together, of which one may be a single row: no tensor has that shape before the loop. */
static void test_meets(void **state) {
    (void)state;
    static const char loop[] =
        "def less(i: int32, l: float, x: float, h: float) -> (o: p:z:0)\n  m = const int32 {} 2\n  p = Less(i, m) T=int32\n"
        "def step(i: int32, l: float, x: float, h: float) -> (o0: i1:z:0, o1: k:output_handle:0, o2: x, o3: d:z:0)\n"
        "  one = const int32 {} 1\n  i1 = AddV2(i, one) T=int32\n  c = const int32 {} 1\n  w = ConcatV2(d, x, c) N=2 T=float\n"
        "  d = AddV2(h, x) T=float\n  z = const int32 {2} 0 0\n  q = const int32 {2} -1 2\n  f = Slice(w, z, q) T=float\n"
        "  k = TensorListSetItem(l, i, f) element_dtype=float\n" X
        "h = Placeholder dtype=float shape={?,2}\ne = const int32 {2} -1 2\ntwo = const int32 {} 2\n"
        "l = TensorListReserve(e, two) element_dtype=float\n"
        "y = While(zero, l, x, h) cond=@less body=@step T=[int32,float,float,float]\ns = TensorListStack(y:1, e) element_dtype=float\n";
    lc_model *m = tf_make(loop, "x h", "s");
    double out[12];
    char dims[32];
    const double x[] = {1, 2, 3, 4, 5, 6}, h[] = {10, 20, 30, 40, 50, 60};
    for (int rows = 1; rows < 4; rows++) {
        char shape[16] = {(char)('0' + rows), ',', '2', 0};
        const size_t n = (size_t)rows * 2;
        assert_int_equal(tf_run(m, 2, (const char *[]){shape, shape}, (const double *[]){x, h}, 0, out, 12, dims), 2 * n);
        assert_true(dims[0] == '2' && dims[2] == '0' + rows);
        for (size_t i = 0; i < n; i++) assert_true(out[i] == h[i] + x[i] && out[n + i] == h[i] + 2 * x[i]);
    }
    lc_model_destroy(m);
}

/* Nobody knows the elements' shape before the branches write them; which one did, the run says. */
static void test_branches(void **state) {
    (void)state;
    lc_model *m = tf_make("def yes(l: float, x: float) -> (o: k:output_handle:0)\n  i = const int32 {} 0\n"
                          "  k = TensorListSetItem(l, i, x) element_dtype=float\n"
                          "def no(l: float, x: float) -> (o: k:output_handle:0)\n  i = const int32 {} 1\n  n = Neg(x) T=float\n"
                          "  k = TensorListSetItem(l, i, n) element_dtype=float\n" X
                          "c = Placeholder dtype=bool shape={}\ne = const int32 {2} -1 2\ntwo = const int32 {} 2\n"
                          "l = TensorListReserve(e, two) element_dtype=float\n"
                          "b = If(c, l, x) then_branch=@yes else_branch=@no Tcond=bool Tin=[float,float] Tout=[float]\n"
                          "s = TensorListStack(b, e) element_dtype=float\n",
                          "x c", "s");
    double out[8];
    for (int c = 0; c < 2; c++) {
        const double x[] = {1, 2, 3, 4}, condition[] = {c};
        assert_int_equal(tf_run(m, 2, (const char *[]){"2,2", ""}, (const double *[]){x, condition}, 0, out, 8, NULL), 8);
        for (int i = 0; i < 4; i++) assert_true(out[i] == (c ? x[i] : 0) && out[4 + i] == (c ? 0 : -x[i]));
    }
    lc_model_destroy(m);
}

/* As many elements as are written: each write behind the end makes the list longer, with zeros where none was written. */
static void test_grows(void **state) {
    (void)state;
    lc_model *m = tf_make(
        "def less(i: int32, l: float, x: float) -> (o: p:z:0)\n  m = Shape(x) T=float\n  z = const int32 {1} 0\n  one = const int32 {1} 1\n"
        "  n = StridedSlice(m, z, one, one) T=int32 Index=int32 shrink_axis_mask=1\n  p = Less(i, n) T=int32\n"
        "def step(i: int32, l: float, x: float) -> (o0: i1:z:0, o1: k:output_handle:0, o2: x)\n"
        "  one = const int32 {} 1\n  i1 = AddV2(i, one) T=int32\n  axis = const int32 {} 0\n  g = GatherV2(x, i, axis) Tparams=float\n"
        "  j = AddV2(i, i) T=int32\n  k = TensorListSetItem(l, j, g) element_dtype=float resize_if_index_out_of_bounds=true\n" X
        "e = const int32 {1} 2\nl = TensorListReserve(e, zero) element_dtype=float\n"
        "y = While(zero, l, x) cond=@less body=@step T=[int32,float,float]\ns = TensorListStack(y:1, e) element_dtype=float\n",
        "x", "s");
    double out[10];
    const double x[] = {1, 2, 3, 4, 5, 6}, want[] = {1, 2, 0, 0, 3, 4, 0, 0, 5, 6};
    assert_int_equal(tf_run(m, 1, (const char *[]){"3,2"}, (const double *[]){x}, 0, out, 10, NULL), 10);
    for (int i = 0; i < 10; i++) assert_true(out[i] == want[i]);
    assert_int_equal(tf_run(m, 1, (const char *[]){"1,2"}, (const double *[]){x}, 0, out, 10, NULL), 2);
    lc_model_destroy(m);
    tf_expect("x = Placeholder dtype=float shape={?,2}\nzero = const int32 {} 0\ntwo = const int32 {} 2\n"
              "a = TensorArrayV3(zero) dtype=float element_shape={2} dynamic_size=true\naxis = const int32 {} 0\n"
              "g = GatherV2(x, zero, axis) Tparams=float\nf = TensorArrayWriteV3(a, two, g, a:1) T=float\n"
              "n = TensorArraySizeV3(a, f)\ny = Identity(n) T=int32\n",
              "y", "3,2", x, (double[]){3}, 1, 0);
}

/* The first list's elements are read from the second, which has no shape before the first round either. */
static void test_one_after_another(void **state) {
    (void)state;
    lc_model *m = tf_make(
        "def less(i: int32, a: float, b: float, x: float) -> (o: p:z:0)\n  m = const int32 {} 2\n  p = Less(i, m) T=int32\n"
        "def step(i: int32, a: float, b: float, x: float) -> (o0: i1:z:0, o1: ka:output_handle:0, o2: kb:output_handle:0, o3: d:z:0)\n"
        "  one = const int32 {} 1\n  i1 = AddV2(i, one) T=int32\n  d = AddV2(x, x) T=float\n  e = const int32 {2} -1 2\n"
        "  kb = TensorListSetItem(b, i, d) element_dtype=float\n"
        "  g = TensorListGetItem(kb, i, e) element_dtype=float\n  n = Neg(g) T=float\n  f = AddV2(n, d) T=float\n  "
        "ka = TensorListSetItem(a, i, n) element_dtype=float\n" X
        "e = const int32 {2} -1 2\ntwo = const int32 {} 2\na = TensorListReserve(e, two) element_dtype=float\n"
        "b = TensorListReserve(e, two) element_dtype=float\n"
        "y = While(zero, a, b, x) cond=@less body=@step T=[int32,float,float,float]\ns = TensorListStack(y:1, e) element_dtype=float\n",
        "x", "s");
    double out[8];
    assert_int_equal(tf_run(m, 1, (const char *[]){"2,2"}, (const double *[]){(double[]){1, 2, 3, 4}}, 0, out, 8, NULL), 8);
    for (int i = 0; i < 4; i++) assert_true(out[i] == -2 * (i + 1) && out[4 + i] == -4 * (i + 1));
    lc_model_destroy(m);
}

static void test_refused(void **state) {
    (void)state;
    tf_refused(X "y = TensorListStack(x, zero) element_dtype=float\n", "x", "y", "is no list of tensors");
    tf_refused(X
               "e = const int32 {} -1\nl = TensorListReserve(e, one) element_dtype=float\ny = TensorListStack(l, e) element_dtype=float\n",
               "x", "y", "element shape is not known");
    tf_refused(X "y = TensorListStack() element_dtype=float\n", "x", "y", "it has 0 inputs");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_straight),
                                       cmocka_unit_test(test_pending),
                                       cmocka_unit_test(test_chosen),
                                       cmocka_unit_test(test_meets),
                                       cmocka_unit_test(test_branches),
                                       cmocka_unit_test(test_grows),
                                       cmocka_unit_test(test_one_after_another),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
