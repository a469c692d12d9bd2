/*
 * test_tf_uniform.c: dropout that keeps everything leaves nothing behind, in every spelling TensorFlow 1 and 2 have had; one that drops
 * something, or whose numbers are needed elsewhere, stays.
 */
#include "support/tf_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define X(shape) "x0 = Placeholder dtype=float shape={" shape "}\nx = Exp(x0) T=float\nsh = Shape(x) T=float\n"
#define UNIFORM "u = RandomUniform(sh) T=int32 dtype=float\n"
/* as tf.random_uniform wrote it */
#define SCALED \
    "u0 = RandomUniform(sh) T=int32 dtype=float\nlow = const float {} 0\nhigh = const float {} 1\nd = Sub(high, low) T=float\n" \
    "u1 = Mul(u0, d) T=float\nu = Add(u1, low) T=float\n"
#define RATE "c1 = const float {} 1\nr = Sub(c1, k) T=float\n"

static const char *const spellings[] = {
    "s = Add(k, u) T=float\nf = Floor(s) T=float\nq = Div(x, k) T=float\ny = Mul(q, f) T=float\n",
    "s = Add(u, k) T=float\nf = Floor(s) T=float\nq = RealDiv(x, k) T=float\ny = Mul(f, q) T=float\n",
    "i = Reciprocal(k) T=float\ns = Add(k, u) T=float\nf = Floor(s) T=float\nq = Mul(x, i) T=float\ny = Mul(q, f) T=float\n",
    RATE "l = GreaterEqual(u, r) T=float\nm = Cast(l) SrcT=bool DstT=float\nt = Sub(c1, r) T=float\ng = RealDiv(c1, t) T=float\n"
         "q = Mul(x, g) T=float\ny = Mul(q, m) T=float\n",
    RATE "l = GreaterEqual(u, r) T=float\nz = const float {} 0\nq = Mul(x, k) T=float\ny = SelectV2(l, q, z) T=float\n",
    RATE "l = LessEqual(r, u) T=float\nz = ZerosLike(x) T=float\nq = Mul(x, k) T=float\ny = Select(l, q, z) T=float\n",
    RATE "l = Less(u, r) T=float\nz = const float {} 0\nq = Mul(x, k) T=float\ny = SelectV2(l, z, q) T=float\n",
};

static bool draws(const lc_model *m) {
    lc_text ops = {0};
    tf_ops(m, &ops);
    const bool found = strstr(ops.data, "RANDOM_UNIFORM") != NULL;
    lc_text_deinit(&ops);
    return found;
}

static void test_spellings(void **state) {
    (void)state;
    static const char *const begins[] = {X("?,4") UNIFORM, X("?,?,4") SCALED, X("2,3") SCALED, X("") UNIFORM};
    char text[2048];
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        for (size_t k = 0; k < sizeof spellings / sizeof *spellings; k++) {
            for (int keep = 0; keep < 2; keep++) {
                assert_true(snprintf(text, sizeof text, "%sk = const float {} %s\n%s", begins[i], keep ? "1" : ".75", spellings[k]) > 0);
                lc_model *m = tf_make(text, "x0", "y");
                if (keep) tf_expect_ops(m, "EXP");
                else assert_true(draws(m));
                lc_model_destroy(m);
            }
        }
}

/* The mask has a shape that x has not: what it keeps is as large as both. */
static void test_shapes(void **state) {
    (void)state;
    const double x[] = {1, 2, 3};
    tf_expect("x = Placeholder dtype=float shape={3}\nsh = const int32 {2} 2 3\n" UNIFORM
              "k = const float {} 1\ns = Add(k, u) T=float\nf = Floor(s) T=float\ny = Mul(x, f) T=float\n",
              "y", "3", x, (double[]){1, 2, 3, 1, 2, 3}, 6, 0);
    tf_expect("x = Placeholder dtype=float shape={3}\nsh = const int32 {2} 2 3\n" UNIFORM
              "z = const float {} 0\nm = GreaterEqual(u, z) T=float\ny = SelectV2(m, x, z) T=float\n",
              "y", "3", x, (double[]){1, 2, 3, 1, 2, 3}, 6, 0);
    tf_expect("x = Placeholder dtype=float shape={?}\nsh = Shape(x) T=float\n" UNIFORM
              "z = const float {} 0\nm = Less(u, z) T=float\ny = Cast(m) SrcT=bool DstT=float\n",
              "y", "3", x, (double[]){0, 0, 0}, 3, 0);
}

/* Numbers that are read, or could be on either side. */
static void test_stays(void **state) {
    (void)state;
    static const char *const graphs[] = {
        X("?,4") UNIFORM "y = Add(u, x) T=float\n",
        X("?,4") UNIFORM "k = const float {} 1.5\ns = Add(k, u) T=float\ny = Floor(s) T=float\n",
        X("?,4") UNIFORM "z = const float {} 0\ny = Greater(u, z) T=float\n",
        X("?,4") "n = RandomStandardNormal(sh) T=int32 dtype=float\nu = RandomUniform(sh) T=int32 dtype=float\nz = const float {} 0\n"
                 "l = GreaterEqual(n, z) T=float\nw = SelectV2(l, u, z) T=float\ny = Identity(w) T=float\n",
    };
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        lc_model *m = tf_make(graphs[i], "x0", "y");
        assert_true(draws(m));
        lc_model_destroy(m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_spellings), cmocka_unit_test(test_shapes), cmocka_unit_test(test_stays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
