/*
 * shape_list.h: shapes of inputs as a caller writes them: "image=1,224,224,3;size=2", or "1,224,224,3" for the only input.
 */
#ifndef LC_SOURCE_SHAPE_LIST_H
#define LC_SOURCE_SHAPE_LIST_H

#include "ops/op.h"

typedef struct lc_named_shape {
    lc_str item; /* as written, for messages */
    lc_str name; /* absent: there is to be one input */
    lc_shape shape;
} lc_named_shape;

/* The items of a list with a separator, spaces around them dropped; empty ones left out. They point into `text`. */
lc_status lc_list_split(lc_str text, char separator, lc_arena *arena, lc_str **items, uint32_t *count, lc_error *err);
/* "NAME=VALUE" into its two parts; false without a '='. */
bool lc_list_pair(lc_str item, lc_str *name, lc_str *value);
/* LC_ARGUMENT for what is no shape. */
lc_status lc_shape_list_read(const char *text, lc_arena *arena, lc_named_shape **shapes, uint32_t *count, lc_error *err);
/* A declared shape (rank LC_RANK_UNKNOWN: none) with what was asked for put into its open dimensions. False when they disagree. */
bool lc_shape_merge(const lc_shape *declared, const lc_shape *asked, lc_shape *out);
/* The errors of --input-shape: an input is not there, or not meant for certain; its shape is another. `inputs`: "a, b". */
lc_status lc_shape_no_input(const lc_named_shape *s, const char *inputs, lc_error *err);
lc_status lc_shape_which_input(const lc_named_shape *s, uint32_t count, const char *inputs, lc_error *err);
lc_status lc_shape_misfit(const lc_named_shape *s, lc_str input, const lc_shape *declared, lc_error *err);
/* "?,28,28" */
void lc_shape_add_dims(lc_text *t, const lc_shape *shape);

/* Gives inputs of the model's first graph these shapes, and everything behind them what follows. */
lc_status lc_model_set_shapes(lc_model *model, const char *text, lc_error *err);

#endif
