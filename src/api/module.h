/*
 * module.h: the inside of lc_module: module.c traces and runs, module_save.c writes.
 */
#ifndef LC_API_MODULE_H
#define LC_API_MODULE_H

#include "base/base.h"
#include "litec/module.h"
#include "ops/build.h"

enum { LC_MODULE_INPUTS = 32, LC_MODULE_VARIABLES = 256, LC_MODULE_READS = 1024 };

typedef struct lc_module_variable_ {
    const char *name;
    float *value; /* owned */
    size_t count;
    int32_t rank, dims[LC_MAX_RANK];
    bool trainable;
} lc_module_variable_;

typedef struct lc_module_function_ {
    const char *name;
    lc_trace_fn body;
    void *user;
} lc_module_function_;

/* A function for inputs of these types and shapes. */
typedef struct lc_concrete {
    const char *name; /* as signature */
    lc_module_function_ *function;
    lc_array *inputs; /* without data */
    uint32_t input_count, output_count;
    bool assigns;
    lc_model *model;
    lc_session *session;
} lc_concrete;

struct lc_module {
    lc_limits limits;
    lc_budget budget;
    lc_arena arena;
    lc_module_variable_ *variables;
    size_t variable_count, variable_capacity;
    lc_module_function_ *functions;
    size_t function_count, function_capacity;
    lc_concrete *concrete;
    size_t concrete_count, concrete_capacity;
};

typedef struct lc_traced_variable {
    uint32_t variable;
    int32_t tensor;
} lc_traced_variable;

/* What a trace found: which inputs of the graph are variables, what is assigned to which (the last of it), the outputs; and the tensors that the
 * function was given for a variable after it had assigned it. */
typedef struct lc_traced {
    lc_traced_variable reads[LC_MODULE_VARIABLES], assigns[LC_MODULE_VARIABLES];
    lc_traced_variable later[LC_MODULE_READS];
    uint32_t read_count, assign_count, later_count, output_count;
    int32_t outputs[LC_MODULE_INPUTS];
    const char *names[LC_MODULE_INPUTS]; /* of the outputs, in the model's arena */
} lc_traced;

lc_module_variable_ *lc_module_find(const lc_module *m, const char *name);
/* Calls the function with placeholders; the graph's inputs are its inputs and the variables it reads, its outputs the function's. */
lc_status lc_module_trace_into(lc_module *m, const lc_concrete *c, lc_model *model, lc_graph *graph, lc_traced *out, lc_error *err);

#endif
