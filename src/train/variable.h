/*
 * variable.h: a variable of a model: what training changes. Values lie in Keras's layout and belong to the net; the gradient is where the
 * session writes it.
 */
#ifndef LC_TRAIN_VARIABLE_H
#define LC_TRAIN_VARIABLE_H

#include "base/json.h"
#include "litec/train.h"

/* What a regulariser adds to the loss. Zeroed: nothing. */
typedef struct lc_regularizer {
    float l1, l2;     /* factors of the sum of the absolute values, of the squares */
    float orthogonal; /* factor of the mean absolute cosine of two different rows, or columns */
    bool columns;     /* of the matrix, not rows */
} lc_regularizer;

/* What holds after each step. Zeroed: anything does. */
typedef enum lc_constraint_kind { LC_UNCONSTRAINED, LC_NON_NEGATIVE, LC_MAXIMAL_NORM, LC_NORM_OF_ONE, LC_NORM_BETWEEN } lc_constraint_kind;
typedef struct lc_constraint {
    lc_constraint_kind kind;
    float least, most, rate; /* of norms */
    uint32_t axes;           /* bits: the axes a norm is taken over; those that the variable does not have are an error of the caller */
    bool from_end;           /* the only axis is counted from the end: bit 0 is the last */
} lc_constraint;

typedef struct lc_variable {
    const char *path;    /* "dense/kernel" */
    float *value, *grad; /* [n]; grad NULL: this step gave it none, and it stays as it is */
    size_t n;
    int32_t rank, dims[LC_MAX_RANK];
    bool trainable; /* an optimizer passes over the others */
    lc_regularizer regularizer;
    lc_constraint constraint;
} lc_variable;

/* object: JSON of the class; NULL or null: none. LC_ARGUMENT. */
lc_status lc_regularizer_read(const lc_json *object, lc_regularizer *regularizer, lc_error *err);
lc_status lc_constraint_read(const lc_json *object, lc_constraint *constraint, lc_error *err);
/* Does it fit the variable? (an axis it does not have, a regulariser of matrices on something else) */
lc_status lc_variable_check(const lc_variable *v, lc_error *err);
/* The value of the regulariser over the variable, times factor; added to grad where it is not NULL. LC_NO_MEMORY. */
lc_status lc_regularizer_run(const lc_variable *v, float factor, double *value, lc_error *err);
/* The axes that norms are taken over, as bits of the variable's dimensions. */
uint32_t lc_constraint_axes(const lc_variable *v);
/* Moves the variable to where its constraint holds. */
void lc_constraint_run(const lc_variable *v);

#endif
