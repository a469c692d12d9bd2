/*
 * test_tf_frame.c: the control flow of TensorFlow 1: loops, loops in loops, conditions in loops and loops in conditions, values that do not
 * change, conditions whose predicate is known, and frames that are broken.
 */
#include "support/fault.h"
#include "support/tf_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define X "x = Placeholder dtype=float shape={?,2}\n"
#define NUMBERS "zero = const int32 {} 0\none = const int32 {} 1\ntwo = const float {} 2\nthree = const int32 {} 3\n"

/* i from 0 while i < n: a = a * 2 */
#define LOOP \
    "e0 = Enter(zero) frame_name=\"f\" T=int32\ne1 = Enter(x) frame_name=\"f\" T=float\nen = Enter(n) frame_name=\"f\" is_constant=true T=int32\n" \
    "m0 = Merge(e0, n0) N=2 T=int32\nm1 = Merge(e1, n1) N=2 T=float\n" \
    "l = Less(m0, en) T=int32\nlc = LoopCond(l)\n" \
    "s0 = Switch(m0, lc) T=int32\ns1 = Switch(m1, lc) T=float\n" \
    "i0 = Identity(s0:1) T=int32\ni1 = Identity(s1:1) T=float\n" \
    "a = AddV2(i0, eone) T=int32\nb = Mul(i1, etwo) T=float\n" \
    "eone = Enter(one) frame_name=\"f\" is_constant=true T=int32\netwo = Enter(two) frame_name=\"f\" is_constant=true T=float\n" \
    "n0 = NextIteration(a) T=int32\nn1 = NextIteration(b) T=float\n" \
    "x0 = Exit(s0) T=int32\nx1 = Exit(s1) T=float\n"

static void test_loop(void **state) {
    (void)state;
    lc_model *m = tf_make(X NUMBERS "n = Placeholder dtype=int32 shape={}\n" LOOP "y = Neg(x1) T=float\n", "x n", "y x0");
    double out[4];
    const double x[] = {1, 2, 3, 4};
    for (int n = 0; n < 4; n++) {
        assert_int_equal(tf_run(m, 2, (const char *[]){"2,2", ""}, (const double *[]){x, (double[]){n}}, 0, out, 4, NULL), 4);
        for (int i = 0; i < 4; i++) assert_true(out[i] == -x[i] * (1 << n));
        tf_run(m, 2, (const char *[]){"2,2", ""}, (const double *[]){x, (double[]){n}}, 1, out, 4, NULL);
        assert_true(out[0] == n);
    }
    lc_model_destroy(m);
}

/* for i in 1 ... 3: a = sum of i times a */
static void test_nested(void **state) {
    (void)state;
    lc_model *m = tf_make(
        X NUMBERS "four = const int32 {} 4\n"
                  "e0 = Enter(one) frame_name=\"o\"\ne1 = Enter(x) frame_name=\"o\"\nef = Enter(four) frame_name=\"o\" is_constant=true\n"
                  "eo = Enter(one) frame_name=\"o\" is_constant=true\nez = Enter(zero) frame_name=\"o\" is_constant=true\n"
                  "m0 = Merge(e0, n0) N=2\nm1 = Merge(e1, n1) N=2\nl = Less(m0, ef) T=int32\nlc = LoopCond(l)\n"
                  "s0 = Switch(m0, lc)\ns1 = Switch(m1, lc)\nx0 = Exit(s0)\nx1 = Exit(s1)\n"
                  /* inside: j from 0 while j < i: t = t + a */
                  "f0 = Enter(ez) frame_name=\"i\"\nzl = ZerosLike(s1:1) T=float\nf1 = Enter(zl) frame_name=\"i\"\n"
                  "fi = Enter(s0:1) frame_name=\"i\" is_constant=true\nfa = Enter(s1:1) frame_name=\"i\" is_constant=true\n"
                  "fo = Enter(eo) frame_name=\"i\" is_constant=true\n"
                  "p0 = Merge(f0, q0) N=2\np1 = Merge(f1, q1) N=2\nk = Less(p0, fi) T=int32\nkc = LoopCond(k)\n"
                  "t0 = Switch(p0, kc)\nt1 = Switch(p1, kc)\nu0 = AddV2(t0:1, fo) T=int32\nu1 = AddV2(t1:1, fa) T=float\n"
                  "q0 = NextIteration(u0)\nq1 = NextIteration(u1)\nv1 = Exit(t1)\n"
                  "a = AddV2(s0:1, eo) T=int32\nn0 = NextIteration(a)\nn1 = NextIteration(v1)\n",
        "x", "x1");
    double out[2];
    tf_run(m, 1, (const char *[]){"1,2"}, (const double *[]){(double[]){1, -5}}, 0, out, 2, NULL);
    assert_true(out[0] == 6 && out[1] == -30);
    lc_model_destroy(m);
}

/* c ? x * 2 : -x, as tf.cond writes it */
#define CONDITION \
    "p = Identity(c) T=bool\n" \
    "sp = Switch(c, c) T=bool\nst = Identity(sp:1) T=bool\nsf = Identity(sp) T=bool\n" \
    "d = Switch(x, p) T=float\nw = Switch(two, p) T=float\nt = Mul(d:1, w:1) T=float\n" \
    "g = Switch(x, p) T=float\nf = Neg(g) T=float\n" \
    "y = Merge(f, t) N=2 T=float\n"

static void test_condition(void **state) {
    (void)state;
    lc_model *m = tf_make(X NUMBERS "c = Placeholder dtype=bool shape={}\n" CONDITION "z = Square(y) T=float\n", "x c", "y z");
    double out[2];
    for (int c = 0; c < 2; c++) {
        tf_run(m, 2, (const char *[]){"1,2", ""}, (const double *[]){(double[]){3, 4}, (double[]){c}}, 0, out, 2, NULL);
        assert_true(out[0] == (c ? 6 : -3) && out[1] == (c ? 8 : -4));
    }
    lc_model_destroy(m);
    /* is_training = false: the branch is all there is */
    m = tf_make(X NUMBERS "c = const bool {} false\n" CONDITION, "x", "y");
    tf_expect_ops(m, "NEG");
    lc_model_destroy(m);
    /* a side that only a control edge ties to the predicate, and which side was taken */
    m = tf_make(X NUMBERS "c = Placeholder dtype=bool shape={}\n" CONDITION
                          "k = AddN(three, ^st) N=1 T=int32\nj = AddN(one, ^sf) N=1 T=int32\nh = Merge(j, k) N=2 T=int32\n",
                "x c", "h");
    for (int c = 0; c < 2; c++) {
        tf_run(m, 2, (const char *[]){"1,2", ""}, (const double *[]){(double[]){3, 4}, (double[]){c}}, 0, out, 2, NULL);
        assert_true(out[0] == (c ? 3 : 1));
    }
    lc_model_destroy(m);
}

/* A condition inside a loop's body: while i < n: a = i < 1 ? a * 2 : -a */
static void test_condition_in_loop(void **state) {
    (void)state;
    lc_model *m = tf_make(
        X NUMBERS "n = Placeholder dtype=int32 shape={}\n"
                  "e0 = Enter(zero) frame_name=\"f\"\ne1 = Enter(x) frame_name=\"f\"\nen = Enter(n) frame_name=\"f\" is_constant=true\n"
                  "eone = Enter(one) frame_name=\"f\" is_constant=true\netwo = Enter(two) frame_name=\"f\" is_constant=true\n"
                  "m0 = Merge(e0, n0) N=2\nm1 = Merge(e1, n1) N=2\nl = Less(m0, en) T=int32\nlc = LoopCond(l)\n"
                  "s0 = Switch(m0, lc)\ns1 = Switch(m1, lc)\nx1 = Exit(s1)\n"
                  "c = Less(s0:1, eone) T=int32\np = Identity(c)\n"
                  "d = Switch(s1:1, p)\nw = Switch(etwo, p)\nt = Mul(d:1, w:1) T=float\ng = Switch(s1:1, p)\nf = Neg(g) T=float\n"
                  "y = Merge(f, t) N=2\n"
                  "a = AddV2(s0:1, eone) T=int32\nn0 = NextIteration(a)\nn1 = NextIteration(y)\n",
        "x n", "x1");
    double out[2];
    const double want[] = {5, 10, -10, 10};
    for (int n = 0; n < 4; n++) {
        tf_run(m, 2, (const char *[]){"1,2", ""}, (const double *[]){(double[]){5, 0}, (double[]){n}}, 0, out, 2, NULL);
        assert_true(out[0] == want[n]);
    }
    lc_model_destroy(m);
}

/* A Switch whose value is asked for itself. */
static void test_bare_switch(void **state) {
    (void)state;
    tf_expect(X "c = const bool {} true\ns = Switch(x, c) T=float\ny = Neg(s:1) T=float\n", "y", "1,2", (double[]){1, 2},
              (double[]){-1, -2}, 2, 0);
}

static void test_refused(void **state) {
    (void)state;
    /* a Merge of what no predicate tells apart */
    tf_refused(X "a = Neg(x) T=float\nb = Square(x) T=float\ny = Merge(a, b) N=2 T=float\n", "x", "y", "no predicate tells");
    /* both sides of the same way */
    tf_refused(
        X "c = Placeholder dtype=bool shape={}\ns = Switch(x, c)\na = Neg(s:1) T=float\nb = Square(s:1) T=float\ny = Merge(a, b) N=2\n",
        "x c", "y", "no predicate tells");
    /* a loop without a condition */
    tf_refused(X "e = Enter(x) frame_name=\"f\"\nm = Merge(e, n) N=2\nb = Neg(m) T=float\nn = NextIteration(b)\ny = Exit(m)\n", "x", "y",
               "has no condition");
    /* a loop that runs into another without being inside it */
    tf_refused(X NUMBERS "e = Enter(x) frame_name=\"f\"\nm = Merge(e, n) N=2\nt = const bool {} true\nlc = LoopCond(t)\ns = Switch(m, lc)\n"
                         "o = Enter(x) frame_name=\"g\"\nb = AddV2(s:1, o) T=float\nn = NextIteration(b)\ny = Exit(s)\n",
               "x", "y", "runs into another loop");
    tf_refused(X "y = Merge(x, q) N=2\n", "x", "y", "there is no node \"q\"");
}

static lc_status lower_text(void *text, lc_error *err) {
    lc_model *m = tf_lower(text, "x n", "y", NULL, err);
    if (!m) return err->status;
    lc_model_destroy(m);
    return LC_OK;
}

static void test_memory(void **state) {
    (void)state;
    lc_arena arena = {0};
    const char *text = tf_text(X NUMBERS "n = Placeholder dtype=int32 shape={}\n" LOOP
                                         "c = Less(n, three) T=int32\nd = Switch(x1, c)\nt = Neg(d:1) T=float\nf = Square(d) T=float\n"
                                         "y = Merge(f, t) N=2\n",
                               &arena);
    fault_check(lower_text, (void *)(uintptr_t)text, NULL);
    lc_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loop),        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_condition),   cmocka_unit_test(test_condition_in_loop),
        cmocka_unit_test(test_bare_switch), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
