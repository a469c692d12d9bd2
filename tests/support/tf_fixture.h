/*
 * tf_fixture.h: TensorFlow graphs written down as text, for tests of src/lower/tf_*.c.
 *
 *     lc_error err;
 *     lc_model *m = tf_lower("node { name: \"x\" op: \"Placeholder\" ... }", "x:?,3", "y", NULL, &err);     NULL when it failed
 *     tf_run(m, "2,3", (float[]){...}, out, &n)
 *
 * The short form of a graph: one node a line, "name = Op(input, input:1, ^control) attr=value ...". Values: 3, 0.5, true, "text", a type
 * (float int32 ...), [2,3] a list of numbers, {1,2} a shape (? open), @f a function. A constant: "c = const float {2} 1 2". Functions:
 * "def f(a: float, b: int32) -> (out0: ref, out1: ref)" followed by indented nodes.
 */
#ifndef TESTS_SUPPORT_TF_FIXTURE_H
#define TESTS_SUPPORT_TF_FIXTURE_H

#include "lower/tf.h"

/* Inputs and outputs: names of the main graph separated by blanks; an input may have a shape behind a colon ("x:?,3"; "x:" is a scalar;
 * no colon: as the placeholder says). short_form as above, or text protobuf when it begins with "node" or "library". */
lc_model *tf_lower(const char *graph, const char *inputs, const char *outputs, const lc_lower_options *options, lc_error *err);
/* Text protobuf of the short form, in an arena of the caller's. */
const char *tf_text(const char *short_form, lc_arena *arena);
/* As tf_lower, then the rewrites of src/pass; fails the test when either fails. */
lc_model *tf_make(const char *graph, const char *inputs, const char *outputs);
/* Runs the model's first graph. Input i is of shape shapes[i] ("2,3") with the values of data[i], as many as it has, converted to its type.
 * Output k, converted to double, goes to out (room for max); returns how many; dims (may be NULL) gets "2,3". Fails the test on error. */
size_t tf_run(lc_model *model, size_t input_count, const char *const *shapes, const double *const *data, size_t k, double *out, size_t max,
              char *dims);
/* Lowers (with rewrites), runs one input, compares output 0 with `want` [n] within tolerance (relative to 1 + |want|). */
void tf_expect(const char *graph, const char *outputs, const char *shape, const double *in, const double *want, size_t n, double tolerance);
/* Lowering fails with this text in the message. */
void tf_refused(const char *graph, const char *inputs, const char *outputs, const char *text);
/* Operators of the model, graph by graph: "ADD WHILE | LESS | ADD ADD". */
void tf_ops(const lc_model *model, lc_text *out);
void tf_expect_ops(const lc_model *model, const char *want);

#endif
