/*
 * summary.h: the table that Keras's model.summary() prints, for 80 columns: the same characters.
 */
#ifndef LC_TRAIN_SUMMARY_H
#define LC_TRAIN_SUMMARY_H

#include "base/base.h"
#include "lower/keras.h"

/* What the configuration does not say of a layer. */
typedef struct lc_summary_layer {
    const char *shape; /* of its outputs, "(None, 10)" or "[(None, 5), (None, 3)]"; NULL: not known, printed as "?" */
    uint64_t params;
    bool unbuilt; /* its weights are not made yet */
} lc_summary_layer;

typedef struct lc_summary_counts {
    uint64_t params, bytes;
} lc_summary_counts;

typedef struct lc_summary {
    const lc_keras_model *model;
    const lc_summary_layer *layers; /* [model->layer_count] */
    lc_summary_counts trainable, frozen, optimizer;
    bool has_optimizer; /* its variables are made: Keras counts them then */
} lc_summary;

/* Appends the table. A model that is no chain of layers has a column of what each is connected to. */
lc_status lc_summary_write(const lc_summary *s, lc_text *out, lc_error *err);
/* Appends "(None, 28, 28)"; dims below 0 are None. */
void lc_summary_shape(lc_text *out, const int32_t *dims, int32_t rank);

#endif
