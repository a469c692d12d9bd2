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

static void test_refused(void **state) {
    (void)state;
    tf_refused(X "y = TensorListStack(x, zero) element_dtype=float\n", "x", "y", "is no list of tensors");
    tf_refused(X
               "e = const int32 {} -1\nl = TensorListReserve(e, one) element_dtype=float\ny = TensorListStack(l, e) element_dtype=float\n",
               "x", "y", "element shape is not known");
    tf_refused(X "y = TensorListStack() element_dtype=float\n", "x", "y", "it has 0 inputs");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_straight), cmocka_unit_test(test_pending), cmocka_unit_test(test_chosen),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
