/*
 * test_tf_control.c: what a WHILE carries: values that nobody needs go, constants are constants inside, counters that are one go on as one;
 * what an effect, the condition or a result needs stays. Zero rounds, nesting, and a graph that nobody calls any more.
 */
#include "support/tf_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define X "x = Placeholder dtype=float shape={?,2}\n"

static uint32_t carried(const lc_model *m) {
    for (size_t n = 0; n < m->graphs[0]->node_count; n++)
        if (m->graphs[0]->nodes[n].op == LC_OP_WHILE) return m->graphs[0]->nodes[n].input_count;
    return 0;
}

static void expect_run(lc_model *m, const double *x, size_t k, const double *want, size_t n) {
    double out[16];
    assert_int_equal(tf_run(m, 1, (const char *[]){"1,2"}, (const double *[]){x}, k, out, 16, NULL), n);
    for (size_t i = 0; i < n; i++) assert_true(out[i] == want[i]);
}

/* Counted twice, a maximum, a value that only feeds itself: two values are left. */
#define TWICE(limit) \
    "def less(k: int32, max: int32, i: int32, a: float, s: float) -> (o: b:z:0)\n  n = const int32 {} " limit \
    "\n  p = Less(i, n) T=int32\n  q = Less(k, max) T=int32\n  b = LogicalAnd(q, p)\n" \
    "def step(k: int32, max: int32, i: int32, a: float, s: float) -> (o0: k1:z:0, o1: max, o2: i1:z:0, o3: d:z:0, o4: e:z:0)\n" \
    "  one = const int32 {} 1\n  two = const float {} 2\n  k1 = AddV2(k, one) T=int32\n  i1 = AddV2(i, one) T=int32\n" \
    "  d = Mul(a, two) T=float\n  e = Mul(s, d) T=float\n" X "z = const int32 {} 0\nmax = const int32 {} 3\n" \
    "y = While(z, max, z, x, x) cond=@less body=@step T=[int32,int32,int32,float,float]\n"

static void test_lean(void **state) {
    (void)state;
    lc_model *m = tf_make(TWICE("3"), "x", "y:3");
    assert_int_equal(carried(m), 2);
    tf_expect_ops(m, "WHILE | ADD MUL | LESS");
    expect_run(m, (double[]){1, 5}, 0, (double[]){8, 40}, 2);
    lc_model_destroy(m);
    m = tf_make(TWICE("2"), "x", "y:3 y"); /* two bounds: both hold; the counter is a result */
    expect_run(m, (double[]){1, 5}, 0, (double[]){4, 20}, 2);
    expect_run(m, (double[]){1, 5}, 1, (double[]){2}, 1);
    lc_model_destroy(m);
    m = tf_make(TWICE("2"), "x", "y:4");
    assert_int_equal(carried(m), 3);
    expect_run(m, (double[]){1, 5}, 0, (double[]){8, 5 * 10 * 20}, 2);
    lc_model_destroy(m);
    m = tf_make(TWICE("3"), "x", "y:1 x"); /* only what is passed on: no loop is left, nor its graphs */
    assert_int_equal(carried(m), 0);
    assert_int_equal(m->graph_count, 1);
    lc_model_destroy(m);
}

/* Counters that look alike and are not: another start, another step. */
static void test_alike(void **state) {
    (void)state;
    static const struct {
        const char *start, *step;
        double want;
    } cases[] = {{"0", "1", 3}, {"1", "1", 4}, {"0", "2", 6}};
    for (size_t i = 0; i < 3; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "def less(i: int32, j: int32, a: float) -> (o: p:z:0)\n  n = const int32 {} 3\n  p = Less(i, n) T=int32\n"
                 "def step(i: int32, j: int32, a: float) -> (o0: i1:z:0, o1: j1:z:0, o2: d:z:0)\n  one = const int32 {} 1\n"
                 "  more = const int32 {} %s\n  i1 = AddV2(i, one) T=int32\n  j1 = AddV2(j, more) T=int32\n  f = Cast(j1) SrcT=int32 "
                 "DstT=float\n  d = AddV2(a, f) T=float\n" X "z = const int32 {} 0\ns = const int32 {} %s\n"
                 "y = While(z, s, x) cond=@less body=@step T=[int32,int32,float]\nj = Cast(y:1) SrcT=int32 DstT=float\n",
                 cases[i].step, cases[i].start);
        lc_model *m = tf_make(text, "x", "j y:2");
        expect_run(m, (double[]){0, 10}, 0, &cases[i].want, 1);
        double sum = 0;
        for (int k = 1; k <= 3; k++) sum += (cases[i].start[0] - '0') + k * (cases[i].step[0] - '0');
        expect_run(m, (double[]){0, 10}, 1, (double[]){sum, 10 + sum}, 2);
        lc_model_destroy(m);
    }
}

/* Values that go round: nothing may go while one of them is read. */
static void test_swap(void **state) {
    (void)state;
    lc_model *m = tf_make("def less(i: int32, a: float, b: float) -> (o: p:z:0)\n  n = const int32 {} 3\n  p = Less(i, n) T=int32\n"
                          "def step(i: int32, a: float, b: float) -> (o0: i1:z:0, o1: b, o2: a)\n  one = const int32 {} 1\n"
                          "  i1 = AddV2(i, one) T=int32\n" X "z = const int32 {} 0\nw = Neg(x) T=float\n"
                          "y = While(z, x, w) cond=@less body=@step T=[int32,float,float]\n",
                          "x", "y:1");
    assert_int_equal(carried(m), 3);
    expect_run(m, (double[]){1, 5}, 0, (double[]){-1, -5}, 2);
    lc_model_destroy(m);
}

/* No round, and a loop within a loop that begins anew each time. */
static void test_nested(void **state) {
    (void)state;
    static const char text[] =
        "def less(i: int32, n: int32, a: float) -> (o: p:z:0)\n  p = Less(i, n) T=int32\n"
        "def inner(i: int32, n: int32, a: float) -> (o0: i1:z:0, o1: n, o2: d:z:0)\n  one = const int32 {} 1\n  two = const float {} 2\n"
        "  i1 = AddV2(i, one) T=int32\n  d = Mul(a, two) T=float\n"
        "def step(i: int32, n: int32, a: float) -> (o0: i1:z:0, o1: n, o2: w:output:2)\n  one = const int32 {} 1\n  zero = const int32 {} 0\n"
        "  i1 = AddV2(i, one) T=int32\n  w = While(zero, i, a) cond=@less body=@inner T=[int32,int32,float]\n"
        "x = Placeholder dtype=float shape={?,2}\nn = Placeholder dtype=int32 shape={}\nz = const int32 {} 0\n"
        "y = While(z, n, x) cond=@less body=@step T=[int32,int32,float]\n";
    lc_model *m = tf_make(text, "x n", "y:2");
    for (int n = 0; n < 4; n++) {
        double out[2];
        tf_run(m, 2, (const char *[]){"1,2", ""}, (const double *[]){(double[]){1, 3}, (double[]){n}}, 0, out, 2, NULL);
        const double by = 1 << (n * (n - 1) / 2);
        assert_true(out[0] == by && out[1] == 3 * by);
    }
    lc_model_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lean), cmocka_unit_test(test_alike), cmocka_unit_test(test_swap),
                                       cmocka_unit_test(test_nested)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
