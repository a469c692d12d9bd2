/*
 * eager.h: TensorFlow's operators one at a time, inside the lowering of a Keras layer. Keras itself computes with them and litec lowers
 * all of them (tf.def): what has no shorter form of its own is written as Keras writes it.
 *
 *     lc_eager *e = lc_eager_op(c, "Conv3D");
 *     lc_eager_in(e, x);
 *     lc_eager_in(e, kernel);
 *     lc_eager_ints(e, "strides", strides, 5);
 *     lc_eager_str(e, "padding", "SAME");
 *     int32_t y = lc_eager_run(e);
 *
 * Sticky like everything here: after a failure lc_eager_op gives NULL, which the others take. Attributes that are not given have the
 * default of TensorFlow's OpDef; types of inputs (T, Tidx ...) need not be given. With --select-tf-ops an operator without a TFLite form
 * becomes Flex.
 */
#ifndef LC_LOWER_EAGER_H
#define LC_LOWER_EAGER_H

#include "lower/tf_lower.h"

/* A call for the makers of tf_lower.h and its like (lc_tf_binary, lc_tf_reshape, lc_tf_loop ...), which builds into c's graph. Never NULL;
 * valid as long as c. */
lc_tf_call *lc_eager_maker(lc_call *c);

typedef struct lc_eager lc_eager;
/* `maker` may be one inside a loop's body (tf_loop.h). */
lc_eager *lc_eager_make(lc_tf_call *maker, const char *op);
static inline lc_eager *lc_eager_op(lc_call *c, const char *op) { return lc_eager_make(lc_eager_maker(c), op); }
/* The next input. */
void lc_eager_in(lc_eager *e, int32_t tensor);
/* Attributes. Strings live as long as the lowering. */
void lc_eager_int(lc_eager *e, const char *name, int64_t value);
void lc_eager_float(lc_eager *e, const char *name, float value);
void lc_eager_bool(lc_eager *e, const char *name, bool value);
void lc_eager_str(lc_eager *e, const char *name, const char *value);
void lc_eager_type(lc_eager *e, const char *name, lc_dtype value);
void lc_eager_ints(lc_eager *e, const char *name, const int64_t *values, uint32_t n);
void lc_eager_floats(lc_eager *e, const char *name, const float *values, uint32_t n);
/* Lowers it; output 0. */
int32_t lc_eager_run(lc_eager *e);
/* Output k after lc_eager_run. */
int32_t lc_eager_out(lc_eager *e, uint32_t k);
/* How many outputs it has. */
uint32_t lc_eager_outs(const lc_eager *e);
/* Shorthands: operators of tensors alone. */
int32_t lc_eager_1(lc_call *c, const char *op, int32_t x);
int32_t lc_eager_2(lc_call *c, const char *op, int32_t x, int32_t y);
int32_t lc_eager_3(lc_call *c, const char *op, int32_t x, int32_t y, int32_t z);
/* A node as a file holds it (TensorFlowOpLayer of Keras 2); its inputs are these tensors. */
lc_eager *lc_eager_node(lc_call *c, const lc_pb_NodeDef *def, const int32_t *in, uint32_t n);

/* The builder of the lowering and what stands behind it. (keras.c) */
lc_status lc_eager_begin(lc_lower *lower, lc_model *model, lc_error *err);
/* What the whole model needs once: the graph that fills its tables. */
lc_status lc_eager_finish(lc_lower *lower);
void lc_eager_end(lc_lower *lower);

#endif
