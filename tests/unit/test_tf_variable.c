/*
 * test_tf_variable.c: variables that the run changes: in what order they are read and assigned, through data and control edges, in branches
 * and loops, rows of them, reference variables of TensorFlow 1.
 */
#include "support/tf_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define X "x = Placeholder dtype=float shape={2}\n"
#define V X "v = VarHandleOp dtype=float shape={2} shared_name=\"v\"\ni = AssignVariableOp(v, x) dtype=float\n"

/* The first thing each graph does is to assign x; [3, 5] goes in. */
static void expect(const char *graph, const char *outputs, double a, double b) {
    tf_expect(graph, outputs, "2", (double[]){3, 5}, (double[]){a, b}, 2, 0);
}

static void test_order(void **state) {
    (void)state;
    /* a read before an assignment has the old value, whoever uses it afterwards; one behind it the new */
    expect(V "before = ReadVariableOp(v, ^i) dtype=float\nc = const float {} 1\ns = AddV2(before, c) T=float\n"
             "set = AssignVariableOp(v, s, ^before) dtype=float\nafter = ReadVariableOp(v, ^set) dtype=float\n"
             "y = Mul(before, after) T=float\n",
           "y", 12, 30);
    expect(V
           "c = const float {2} 10 20\nadd = AssignAddVariableOp(v, c, ^i) dtype=float\nsub = AssignSubVariableOp(v, x, ^add) dtype=float\n"
           "y = ReadVariableOp(v, ^sub) dtype=float\n",
           "y", 10, 20);
}

static void test_rows(void **state) {
    (void)state;
    expect(V "k = const int32 {1} 1\nu = const float {1} 4\nw = ResourceScatterAdd(v, k, u, ^i) dtype=float Tindices=int32\n"
             "y = ReadVariableOp(v, ^w) dtype=float\n",
           "y", 3, 9);
    expect(V "k = const int32 {1} 0\nu = const float {1} 4\nw = ResourceScatterUpdate(v, k, u, ^i) dtype=float Tindices=int32\n"
             "y = ReadVariableOp(v, ^w) dtype=float\n",
           "y", 4, 5);
}

static void test_control(void **state) {
    (void)state;
    /* nothing in the function needs the assignment, but it runs: also one that lies a call deeper */
    expect("def inner(h: resource, a: float) -> (o: a)\n  s = AssignAddVariableOp(h, a) dtype=float\n"
           "def outer(h: resource, a: float) -> (o: a)\n  c = StatefulPartitionedCall(h, a) f=@inner Tout=[float]\n" V
           "c = StatefulPartitionedCall(v, x, ^i) f=@outer Tout=[float]\ny = ReadVariableOp(v, ^c) dtype=float\n",
           "y", 6, 10);
    expect("def yes(h: resource, a: float) -> (o: t:output:0)\n  r = ReadVariableOp(h) dtype=float\n  p = AddV2(r, a) T=float\n"
           "  s = AssignVariableOp(h, p) dtype=float\n  t = Identity(a, ^s) T=float\n"
           "def no(h: resource, a: float) -> (o: a)\n" V
           "z = const float {} 0\nm = Max(x, q) T=float Tidx=int32\nq = const int32 {1} 0\nc = Greater(m, z) T=float\n"
           "b = If(c, v, x, ^i) then_branch=@yes else_branch=@no Tin=[resource,float] Tout=[float] Tcond=bool\n"
           "y = ReadVariableOp(v, ^b) dtype=float\n",
           "y", 6, 10);
    expect("def less(i: int32, h: resource) -> (o: l:z:0)\n  n = const int32 {} 3\n  l = Less(i, n) T=int32\n"
           "def step(i: int32, h: resource) -> (o0: j:z:0, o1: h)\n  one = const int32 {} 1\n  j = AddV2(i, one, ^s) T=int32\n"
           "  r = ReadVariableOp(h) dtype=float\n  p = AddV2(r, r) T=float\n  s = AssignVariableOp(h, p) dtype=float\n" V
           "zero = const int32 {} 0\nw = While(zero, v, ^i) cond=@less body=@step T=[int32,resource]\n"
           "y = ReadVariableOp(v, ^w) dtype=float\n",
           "y", 24, 40);
}

/* Assign gives a reference: what reads it reads the variable as it is then. */
static void test_reference(void **state) {
    (void)state;
    expect(X "v = VariableV2 dtype=float shape={2}\na = Assign(v, x) T=float\nc = const float {} 2\nb = AssignAdd(a, x) T=float\n"
             "y = Mul(b, c) T=float\n",
           "y", 12, 20);
    expect(X "v = VariableV2 dtype=float shape={2}\na = Assign(v, x) T=float\nr = Identity(v, ^a) T=float\n"
             "b = AssignSub(v, x, ^r) T=float\ns = Identity(v, ^b) T=float\ny = Sub(s, r) T=float\n",
           "y", -3, -5);
}

static void test_refused(void **state) {
    (void)state;
    tf_refused(X "v = VarHandleOp dtype=float shape={2} shared_name=\"v\"\ny = ReadVariableOp(v) dtype=float\n", "x", "y", "has no value");
    tf_refused(X "y = AssignVariableOp(x, x) dtype=float\nz = Neg(x, ^y) T=float\n", "x", "z", "is no variable");
    tf_refused("def f(a: float) -> (o: r:value:0)\n  v = VarHandleOp dtype=float shape={2}\n  r = ReadVariableOp(v) dtype=float\n" X
               "y = PartitionedCall(x) f=@f Tout=[float]\n",
               "x", "y", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_rows), cmocka_unit_test(test_control),
                                       cmocka_unit_test(test_reference), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
