/*
 * litec/module.h: models in free form: C functions that are called with symbolic tensors, the counterpart of tf.Module and tf.function, and of
 * TensorFlow 1's graph of placeholders, variables and a training step.
 *
 *     static void softmax_step(void *user, lc_trace *t, const int32_t *in, uint32_t n) {     in: x [100, 784], labels [100, 10]
 *         int32_t w = lc_trace_variable(t, "w"), b = lc_trace_variable(t, "b");
 *         int32_t z = lc_add_to(t, lc_matmul(t, in[0], w), b);
 *         int32_t loss = lc_softmax_cross_entropy(t, z, in[1]), g[2];
 *         lc_gradients(t, loss, (int32_t[]){w, b}, 2, g);
 *         lc_assign_sub(t, w, lc_times(t, g[0], 0.5f));
 *         lc_assign_sub(t, b, lc_times(t, g[1], 0.5f));
 *         lc_trace_output(t, "loss", loss);
 *     }
 *     ...
 *     lc_module_variable(m, "w", (int32_t[]){784, 10}, 2, NULL, true, &err);
 *     lc_module_function(m, "step", softmax_step, NULL, &err);
 *     lc_module_call(m, "step", batch, 2, &loss, 1, &err);
 *
 * A function is traced when it is called with types and shapes that it has not met: what it builds is kept (a concrete function) and runs from
 * then on. A trace with open sizes (-1) serves every call that fits it. Concrete functions are the signatures of what lc_module_save writes.
 */
#ifndef LITEC_MODULE_H
#define LITEC_MODULE_H

#include "litec/litec.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lc_module lc_module; /* variables and functions; one thread at a time */
typedef struct lc_trace lc_trace;   /* a function while it is traced */

/* Caller owns *module. */
LC_API lc_status lc_module_create(const lc_limits *limits, lc_module **module, lc_error *err);
LC_API void lc_module_destroy(lc_module *module); /* NULL is fine */

/* A float32 variable; values NULL: zeros, else copied. LC_ARGUMENT: the name is taken. */
LC_API lc_status lc_module_variable(lc_module *module, const char *name, const int32_t *dims, int32_t rank, const float *values,
                                    bool trainable, lc_error *err);
/* Its numbers, row-major, to be read and written between calls; *count: how many. NULL: there is none of this name. */
LC_API float *lc_module_get(lc_module *module, const char *name, size_t *count);

/* What is traced. Tensors are numbers; after a failure every call below gives -1 and does nothing, and who asked for the trace hears why. */
typedef void (*lc_trace_fn)(void *user, lc_trace *t, const int32_t *in, uint32_t n);
/* user must live as long as the module. LC_ARGUMENT: the name is taken. */
LC_API lc_status lc_module_function(lc_module *module, const char *name, lc_trace_fn body, void *user, lc_error *err);

/* Traces the function for inputs of these types and shapes (no data is looked at), if it was not before. Errors: LC_NOT_FOUND; those of the trace,
 * which name the function. */
LC_API lc_status lc_module_trace(lc_module *module, const char *function, const lc_array *inputs, uint32_t n, lc_error *err);
/* Runs it: outputs[k] is output k, which the caller frees with lc_array_deinit; room: how many there is place for. */
LC_API lc_status lc_module_call(lc_module *module, const char *function, const lc_array *inputs, uint32_t n, lc_array *outputs,
                                uint32_t room, lc_error *err);
/* The concrete functions there are: name of the signature ("step", of a second trace "step_1"), its inputs and outputs as views without data. */
LC_API size_t lc_module_concrete_count(const lc_module *module);
LC_API const char *lc_module_concrete_name(const lc_module *module, size_t index);
LC_API size_t lc_module_concrete_inputs(const lc_module *module, size_t index);
LC_API lc_tensor_view lc_module_concrete_input(const lc_module *module, size_t index, size_t input);

/* Every concrete function as a signature, by the name's end: .tflite (variables and assignments too, in builtin operators), NAME or NAME/: a
 * SavedModel; .ckpt: a checkpoint of TensorFlow 1 with its graph (the first concrete function). Functions that assign variables have a form in .tflite
 * alone; they are left out of the others. Whole or not at all. */
LC_API lc_status lc_module_save(lc_module *module, const char *path, lc_error *err);

/* ---- while tracing -------------------------------------------------------------------------------------------------------- */

/* A variable of the module as a tensor: its value here. Asked for again after an assignment it is what was assigned; a tensor that was asked for
 * before stays what it was. */
LC_API int32_t lc_trace_variable(lc_trace *t, const char *name);
/* name NULL: "output", "output_1" ... Two outputs with one name are refused. */
LC_API void lc_trace_output(lc_trace *t, const char *name, int32_t tensor);
/* Any operator of TFLite by its name and options as JSON, constants, casts: the calls lc_layer_op, lc_layer_constant, lc_layer_cast, lc_layer_shape
 * of litec.h with this. */
LC_API lc_layer_builder *lc_trace_builder(lc_trace *t);
/* Fails the trace. */
LC_API void lc_trace_fail(lc_trace *t, const char *message);

LC_API int32_t lc_number(lc_trace *t, float value);
LC_API int32_t lc_add_to(lc_trace *t, int32_t x, int32_t y); /* broadcasting, as the next three */
LC_API int32_t lc_subtract(lc_trace *t, int32_t x, int32_t y);
LC_API int32_t lc_multiply(lc_trace *t, int32_t x, int32_t y);
LC_API int32_t lc_divide(lc_trace *t, int32_t x, int32_t y);
LC_API int32_t lc_times(lc_trace *t, int32_t x, float by);
LC_API int32_t lc_matmul(lc_trace *t, int32_t x, int32_t y);
/* RELU, LOGISTIC, TANH, EXP, LOG, SQRT, SQUARE, NEG, SOFTMAX ...: an operator of one tensor with default options. */
LC_API int32_t lc_unary(lc_trace *t, const char *op, int32_t x);
/* Sum, mean over all dimensions (axes NULL), or these. */
LC_API int32_t lc_reduce_sum(lc_trace *t, int32_t x, const int32_t *axes, uint32_t n);
LC_API int32_t lc_reduce_mean(lc_trace *t, int32_t x, const int32_t *axes, uint32_t n);
LC_API int32_t lc_reshape(lc_trace *t, int32_t x, const int32_t *dims, int32_t rank);
/* The mean over rows of -sum(labels log softmax(logits)), labels [rows, classes]. */
LC_API int32_t lc_softmax_cross_entropy(lc_trace *t, int32_t logits, int32_t labels);
/* The share of rows whose largest value is at the same place. */
LC_API int32_t lc_same_largest(lc_trace *t, int32_t x, int32_t y);

/* gradients[i]: of the scalar with respect to the tensor wrt[i] (a variable, an input, anything before it); zeros where it does not depend on it.
 * Shapes must be known. */
LC_API void lc_gradients(lc_trace *t, int32_t scalar, const int32_t *wrt, uint32_t n, int32_t *gradients);
/* The variable (any tensor that lc_trace_variable gave for it) becomes this, or less by this than it is here. Of several assignments each sees those
 * before it, as in tf.function. */
LC_API void lc_assign(lc_trace *t, int32_t variable, int32_t value);
LC_API void lc_assign_sub(lc_trace *t, int32_t variable, int32_t by);

#ifdef __cplusplus
}
#endif
#endif
