/*
 * test_tf.c: the walk over a TensorFlow graph: references, order, dead code, functions and their attributes, branches and loops, what is
 * known of shapes, variables without values, every refusal with its message, and every allocation failing.
 */
#include "support/fault.h"
#include "support/tf_fixture.h"

#include "lower/tf_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_shape(const lc_model *m, size_t output, const char *want) {
    const lc_graph *g = m->graphs[0];
    const lc_tensor *t = &g->tensors[g->outputs[output]];
    lc_shape s = {.rank = t->rank};
    char text[LC_SHAPE_TEXT];
    for (int32_t d = 0; d < t->rank; d++) s.dims[d] = lc_tensor_dim(t, d);
    assert_string_equal(lc_shape_text(&s, text), want);
}

/* ---- order ------------------------------------------------------------------------------------------------------------ */

static void test_order(void **state) {
    (void)state;
    /* nodes stand in any order; what nobody needs goes; control edges to what has no effect are nothing */
    lc_model *m = tf_make("z = AddV2(y, c, ^a) T=float\n"
                          "y = Mul(x, x) T=float\n"
                          "dead = Neg(x) T=float\n"
                          "a = Assert(b, x)\n"
                          "b = const bool {} true\n"
                          "c = const float {} 1\n"
                          "x = Placeholder dtype=float shape={?,2}\n",
                          "x", "z");
    tf_expect_ops(m, "MUL ADD");
    expect_shape(m, 0, "[?,2]");
    double out[4];
    assert_int_equal(tf_run(m, 1, (const char *[]){"1,2"}, (const double *[]){(double[]){3, -2}}, 0, out, 4, NULL), 2);
    assert_true(out[0] == 10 && out[1] == 5);
    assert_true(lc_str_is(m->graphs[0]->tensors[m->graphs[0]->outputs[0]].name, "z"));
    lc_model_destroy(m);
}

static void test_cut(void **state) {
    (void)state;
    /* an inner tensor as input */
    lc_model *m = tf_make("x = Placeholder dtype=float shape={?,2}\n"
                          "y = Mul(x, x) T=float\n"
                          "z = Neg(y) T=float\n",
                          "y:?,2", "z");
    tf_expect_ops(m, "NEG");
    lc_model_destroy(m);
}

static void test_refused(void **state) {
    (void)state;
#define X "x = Placeholder dtype=float shape={2}\n"
    tf_refused(X "y = Neg(z) T=float\nz = Neg(y) T=float\n", "x", "y", "cycle");
    tf_refused(X "y = Neg(w) T=float\n", "x", "y", "there is no node \"w\"");
    tf_refused(X "y = Neg(x) T=float\n", "x", "yy", "there is no node \"yy\"");
    tf_refused(X "y = Neg(x:1) T=float\n", "x", "y", "reads output 1");
    tf_refused(X "x = Placeholder dtype=float\n", "x", "x", "two nodes are called \"x\"");
    tf_refused(X "y = Neg() T=float\n", "x", "y", "has 0 inputs");
    tf_refused("node { name: 'x' op: 'Placeholder' attr { key: 'dtype' value { type: DT_FLOAT } } } node { name: 'y' input: 'x' }", "x",
               "y", "\"y\" has no operator");
    tf_refused(
        "node { name: 'y' op: 'Const' attr { key: 'dtype' value { type: DT_FLOAT } } attr { key: 'value' value { tensor { dtype: DT_INT32 "
        "tensor_shape {} int_val: 3 } } } }",
        "", "y", "its dtype is float32, but its value is int32");
    tf_refused("node { name: 'y' op: 'Const' attr { key: 'value' value { tensor { dtype: 77 tensor_shape {} } } } }", "", "y",
               "type 77, which is none");
    tf_refused(X "y = Frobnicate(x) T=float\nz = Blub(y)\n", "x", "z", "Frobnicate (\"y\" on float32)");
    tf_refused(X "p = Placeholder dtype=float shape={2}\ny = AddV2(x, p) T=float\n", "x", "y", "node \"p\" (Placeholder)");
    tf_refused(X "v = VariableV2 dtype=float shape={2}\ny = AddV2(x, v) T=float\n", "x", "y", "not frozen");
    tf_refused(X "y = PartitionedCall(x) f=@g Tout=[float]\n", "x", "y", "there is no function \"g\"");
    tf_refused("def g(a: float) -> (o: n:output:0)\n  n = PartitionedCall(a) f=@g Tout=[float]\n" X
               "y = PartitionedCall(x) f=@g Tout=[float]\n",
               "x", "y", "calls itself");
    tf_refused("def g(a: float, b: float) -> (o: a)\n" X "y = PartitionedCall(x) f=@g Tout=[float]\n", "x", "y",
               "takes 2 arguments and is given 1");
    tf_refused(X "c = Const dtype=float\ny = AddV2(x, c) T=float\n", "x", "y", "has no value");
    tf_refused(X "y = Softmax(x) T=3\nz = Cast(x) DstT=1\n", "x", "z", "attribute \"DstT\" is not a type");
#undef X
}

/* Functions that call functions: a few lines, billions of nodes. */
static void test_bomb(void **state) {
    (void)state;
    lc_text t = {0};
    lc_text_add(&t, "def f0(a: float) -> (o: n:y:0)\n  n = Neg(a) T=float\n");
    for (int i = 1; i < 40; i++)
        lc_text_printf(
            &t,
            "def f%d(a: float) -> (o: m:output:0)\n  n = PartitionedCall(a) f=@f%d Tout=[float]\n  m = PartitionedCall(n:output:0) f=@f%d Tout=[float]\n",
            i, i - 1, i - 1);
    lc_text_add(&t, "x = Placeholder dtype=float shape={2}\ny = PartitionedCall(x) f=@f39 Tout=[float]\n");
    tf_refused(t.data, "x", "y", "has more than");
    lc_text_deinit(&t);
}

/* ---- functions ---------------------------------------------------------------------------------------------------------- */

static void test_functions(void **state) {
    (void)state;
    /* nested calls, several results, an attribute bound by the caller, a result that is an argument */
    tf_expect("def inner(a: float) -> (u: m:z:0, v: a)\n  m = Mul(a, a) T=$T\n"
              "def outer(a: float) -> (o: s:z:0)\n"
              "  c = PartitionedCall(a) f=@inner Tout=[float,float]\n"
              "  s = Sub(c:output:0, c:output:1) T=float\n"
              "x = Placeholder dtype=float shape={?}\n"
              "y = StatefulPartitionedCall(x) f=@outer Tout=[float]\n",
              "y", "3", (double[]){1, 2, 5}, (double[]){0, 2, 20}, 3, 0);
    /* an operator that is a function's name */
    tf_expect("def twice(a: float) -> (o: s:z:0)\n  s = AddV2(a, a) T=float\n"
              "x = Placeholder dtype=float shape={?}\ny = twice(x)\n",
              "y", "2", (double[]){1, 2}, (double[]){2, 4}, 2, 0);
}

/* ---- shapes ------------------------------------------------------------------------------------------------------------------ */

static void test_open_batch(void **state) {
    (void)state;
    /* shape arithmetic on an open batch leaves one RESHAPE */
    lc_model *m = tf_make("x = Placeholder dtype=float shape={?,28,28}\n"
                          "s = Shape(x) T=float\n"
                          "b = const int32 {1} 0\ne = const int32 {1} 1\n"
                          "n = StridedSlice(s, b, e, e) T=int32 Index=int32 shrink_axis_mask=1\n"
                          "k = const int32 {} 784\n"
                          "p = Pack(n, k) N=2 T=int32\n"
                          "y = Reshape(x, p) T=float\n",
                          "x", "y");
    tf_expect_ops(m, "RESHAPE");
    expect_shape(m, 0, "[?,784]");
    lc_model_destroy(m);
    /* the product of dimensions that are fixed */
    m = tf_make("x = Placeholder dtype=float shape={?,7,5,3}\n"
                "s = Shape(x) T=float\n"
                "b = const int32 {1} 1\ne = const int32 {1} 4\no = const int32 {1} 1\n"
                "t = StridedSlice(s, b, e, o) T=int32 Index=int32\n"
                "z = const int32 {1} 0\n"
                "q = Prod(t, z) T=int32 Tidx=int32\n"
                "minus = const int32 {} -1\n"
                "p = Pack(minus, q) N=2 T=int32\n"
                "y = Reshape(x, p) T=float\n",
                "x", "y");
    tf_expect_ops(m, "RESHAPE");
    expect_shape(m, 0, "[?,105]");
    lc_model_destroy(m);
    /* two open dimensions stay a computed shape; the known one is known */
    m = tf_make("x = Placeholder dtype=float shape={?,?,6}\n"
                "s = Shape(x) T=float\n"
                "b0 = const int32 {1} 0\nb1 = const int32 {1} 1\nb2 = const int32 {1} 2\no = const int32 {1} 1\n"
                "n = StridedSlice(s, b0, b1, o) T=int32 Index=int32 shrink_axis_mask=1\n"
                "t = StridedSlice(s, b1, b2, o) T=int32 Index=int32 shrink_axis_mask=1\n"
                "two = const int32 {} 2\nthree = const int32 {} 3\n"
                "p = Pack(n, t, two, three) N=4 T=int32\n"
                "y = Reshape(x, p) T=float\n",
                "x", "y");
    expect_shape(m, 0, "[?,?,2,3]");
    double in[24], out[24];
    char dims[64];
    for (int i = 0; i < 24; i++) in[i] = i;
    assert_int_equal(tf_run(m, 1, (const char *[]){"2,2,6"}, (const double *[]){in}, 0, out, 24, dims), 24);
    assert_string_equal(dims, "2,2,2,3");
    assert_memory_equal(in, out, sizeof in);
    lc_model_destroy(m);
}

/* ---- branches and loops --------------------------------------------------------------------------------------------------------- */

#define BRANCHES \
    "def yes(a: float, w: float) -> (o: n:z:0)\n  n = Mul(a, w) T=float\n" \
    "def no(a: float, w: float) -> (o: n:y:0)\n  n = Neg(a) T=float\n"

static void test_if(void **state) {
    (void)state;
    lc_model *m =
        tf_make(BRANCHES "x = Placeholder dtype=float shape={?,2}\nc = Placeholder dtype=bool shape={}\nw = const float {2} 10 100\n"
                         "y = If(c, x, w) then_branch=@yes else_branch=@no Tout=[float] Tin=[float,float] Tcond=bool\n",
                "x c", "y");
    tf_expect_ops(m, "IF | MUL | NEG");
    expect_shape(m, 0, "[?,2]");
    double out[4];
    const double x[] = {1, 2, 3, 4};
    tf_run(m, 2, (const char *[]){"2,2", ""}, (const double *[]){x, (double[]){1}}, 0, out, 4, NULL);
    assert_true(out[0] == 10 && out[3] == 400);
    tf_run(m, 2, (const char *[]){"2,2", ""}, (const double *[]){x, (double[]){0}}, 0, out, 4, NULL);
    assert_true(out[0] == -1 && out[3] == -4);
    lc_model_destroy(m);
    /* a condition that is known */
    m = tf_make(BRANCHES "x = Placeholder dtype=float shape={?,2}\nc = const bool {} false\nw = const float {2} 10 100\n"
                         "y = StatelessIf(c, x, w) then_branch=@yes else_branch=@no Tout=[float] Tin=[float,float] Tcond=bool\n",
                "x", "y");
    tf_expect_ops(m, "NEG");
    lc_model_destroy(m);
}

static void test_case(void **state) {
    (void)state;
    lc_model *m = tf_make("def f0(a: float) -> (o: n:y:0)\n  n = Neg(a) T=float\n"
                          "def f1(a: float) -> (o: n:z:0)\n  n = Mul(a, a) T=float\n"
                          "def f2(a: float) -> (o: a)\n"
                          "x = Placeholder dtype=float shape={2}\ni = Placeholder dtype=int32 shape={}\n"
                          "y = Case(i, x) branches=[@f0,@f1,@f2] Tout=[float] Tin=[float]\n",
                          "x i", "y");
    const double x[] = {3, 4}, want[5] = {3, -3, 9, 3, 3};
    for (int i = -1; i < 4; i++) { /* an index that no branch has takes the last */
        double out[2];
        tf_run(m, 2, (const char *[]){"2", ""}, (const double *[]){x, (double[]){i}}, 0, out, 2, NULL);
        assert_true(out[0] == want[i + 1]);
    }
    lc_model_destroy(m);
}

#define LOOP \
    "def less(i: int32, a: float, n: int32, w: float) -> (o: l:z:0)\n  l = Less(i, n) T=int32\n" \
    "def step(i: int32, a: float, n: int32, w: float) -> (o0: j:z:0, o1: b:z:0, o2: n, o3: w)\n" \
    "  one = const int32 {} 1\n  j = AddV2(i, one) T=int32\n  b = Mul(a, w) T=float\n"

static void test_while(void **state) {
    (void)state;
    lc_model *m = tf_make(
        LOOP
        "x = Placeholder dtype=float shape={?,2}\nn = Placeholder dtype=int32 shape={}\nw = const float {2} 2 3\nz = const int32 {} 0\n"
        "y = While(z, x, n, w) cond=@less body=@step T=[int32,float,int32,float]\n",
        "x n", "y:1");
    expect_shape(m, 0, "[?,2]");
    double out[4];
    const double x[] = {1, 1, 5, 5};
    for (int n = 0; n < 4; n++) { /* no round, too */
        tf_run(m, 2, (const char *[]){"2,2", ""}, (const double *[]){x, (double[]){n}}, 0, out, 4, NULL);
        double a = 1, b = 1;
        for (int i = 0; i < n; i++) a *= 2, b *= 3;
        assert_true(out[0] == a && out[1] == b && out[2] == 5 * a && out[3] == 5 * b);
    }
    lc_model_destroy(m);
}

/* A value that grows in the loop: its dimension is open, whatever it is at the beginning. */
static void test_growing(void **state) {
    (void)state;
    lc_model *m = tf_make("def less(i: int32, a: float) -> (o: l:z:0)\n  n = const int32 {} 3\n  l = Less(i, n) T=int32\n"
                          "def step(i: int32, a: float) -> (o0: j:z:0, o1: b:output:0)\n"
                          "  one = const int32 {} 1\n  zero = const int32 {} 0\n  j = AddV2(i, one) T=int32\n"
                          "  b = ConcatV2(a, a, zero) T=float N=2 Tidx=int32\n"
                          "x = Placeholder dtype=float shape={1,2}\nz = const int32 {} 0\n"
                          "y = StatelessWhile(z, x) cond=@less body=@step T=[int32,float]\n",
                          "x", "y:1");
    expect_shape(m, 0, "[?,2]");
    double out[16];
    char dims[64];
    assert_int_equal(tf_run(m, 1, (const char *[]){"1,2"}, (const double *[]){(double[]){7, 8}}, 0, out, 16, dims), 16);
    assert_string_equal(dims, "8,2");
    assert_true(out[14] == 7 && out[15] == 8);
    lc_model_destroy(m);
}

/* ---- memory -------------------------------------------------------------------------------------------------------------------------- */

static lc_status lower_text(void *text, lc_error *err) {
    lc_model *m = tf_lower(text, "x n", "u", NULL, err);
    if (!m) return err->status;
    lc_model_destroy(m);
    return LC_OK;
}

static void test_memory(void **state) {
    (void)state;
    lc_arena arena = {0};
    const char *text =
        tf_text(LOOP BRANCHES "x = Placeholder dtype=float shape={?,2}\nn = Placeholder dtype=int32 shape={}\n"
                              "w = const float {2} 2 3\nz = const int32 {} 0\n"
                              "y = While(z, x, n, w) cond=@less body=@step T=[int32,float,int32,float]\n"
                              "c = Less(n, z) T=int32\n"
                              "v = If(c, y:1, w) then_branch=@yes else_branch=@no Tout=[float] Tin=[float,float] Tcond=bool\n"
                              "s = Shape(v) T=float\nu = Reshape(v, s) T=float\n",
                &arena);
    fault_check(lower_text, (void *)(uintptr_t)text, NULL);
    lc_arena_deinit(&arena);
}

/* ---- names ------------------------------------------------------------------------------------------------------------------------------
 */

static void test_names(void **state) {
    (void)state;
    lc_arena arena = {0};
    lc_names n;
    char text[50][32], near[64];
    assert_true(lc_names_init(&n, &arena, 50));
    for (int i = 0; i < 50; i++) {
        snprintf(text[i], sizeof text[i], "node_%d", i);
        assert_int_equal(lc_names_add(&n, lc_str_of(text[i]), NULL), i);
    }
    int32_t first = -1;
    assert_int_equal(lc_names_add(&n, LC_STR("node_7"), &first), -1);
    assert_int_equal(first, 7);
    assert_int_equal(lc_names_find(&n, LC_STR("node_49")), 49);
    assert_int_equal(lc_names_find(&n, LC_STR("node_50")), -1);
    assert_string_equal(lc_names_nearest(&n, LC_STR("noed_12"), near, sizeof near), "node_12");
    assert_null(lc_names_nearest(&n, LC_STR("weights"), near, sizeof near));
    lc_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),     cmocka_unit_test(test_cut),        cmocka_unit_test(test_refused), cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_functions), cmocka_unit_test(test_open_batch), cmocka_unit_test(test_if),      cmocka_unit_test(test_case),
        cmocka_unit_test(test_while),     cmocka_unit_test(test_growing),    cmocka_unit_test(test_memory),  cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
