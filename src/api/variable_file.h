/*
 * variable_file.h: variables of a .tflite file (VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE) that all its signatures share; a graph that CALL_ONCE
 * runs gives them the values they begin with.
 */
#ifndef LC_API_VARIABLE_FILE_H
#define LC_API_VARIABLE_FILE_H

#include "ops/build.h"

typedef struct lc_file_variable {
    const char *name;
    const void *value; /* floats, as it begins; NULL: zeros */
    int32_t rank, dims[LC_MAX_RANK];
    size_t bytes;
} lc_file_variable;

/* Those of a model that is being made; the list lies in its arena. */
typedef struct lc_variable_file {
    lc_model *model;
    lc_error *err;
    lc_file_variable *list;
    uint32_t count, capacity;
} lc_variable_file;

/* The variable of this name, which must live as long as the model; the first declaration counts. */
lc_status lc_variables_declare(lc_variable_file *f, const char *name, const void *value, const int32_t *dims, int32_t rank);
/* Appends a reading of a declared variable, or one into a tensor that is there. */
int32_t lc_variables_reading(const lc_variable_file *f, lc_builder *b, const char *name);
void lc_variables_read_into(lc_builder *b, const char *name, int32_t tensor);
void lc_variables_assign(lc_builder *b, const char *name, int32_t value);
/* Fills graph `index` with the first values; a graph that uses variables begins with a call of it. */
lc_status lc_variables_initialise(const lc_variable_file *f, size_t index);
lc_status lc_variables_call_once(const lc_variable_file *f, lc_graph *g, int32_t init);

/* The nodes from `first` on come before all others. */
lc_status lc_graph_to_front(lc_graph *g, size_t first, lc_error *err);
void lc_graph_drop_input(lc_graph *g, int32_t tensor);

#endif
