/*
 * prune.h: the float weights of a model, as prune.c and cluster.c change them.
 */
#ifndef LC_QUANT_PRUNE_H
#define LC_QUANT_PRUNE_H

#include "litec/litec.h"
#include "quant/operand.h"

/* How many weights become zero: a fraction of all, or all but `keep` of each `of` neighbours. Neither: none. */
typedef struct lc_sparsity {
    double fraction;
    uint32_t keep, of;
} lc_sparsity;

/* One constant of weights. */
typedef struct lc_weights {
    lc_graph *graph;
    int32_t tensor;
    int32_t inputs; /* dimension over which products are summed; LC_OPERAND_NO_AXIS: none */
    lc_sparsity sparsity;
    bool pooled; /* pruned together with others */
    size_t count;
    float *data; /* the constant's own floats; NULL: it does not change */
} lc_weights;

typedef struct lc_weights_list {
    lc_weights *items;
    size_t count, capacity;
} lc_weights_list;

/* "0.8", "80%", "2:4" or "0". */
lc_status lc_sparsity_read(const char *text, size_t size, lc_sparsity *sparsity, lc_error *err);

/* The steps of a pruning; `model` is a fork, whose constants get memory of their own. */
lc_status lc_weights_collect(lc_model *model, const lc_prune_options *options, lc_arena *temporary, lc_weights_list *list, lc_error *err);
lc_status lc_weights_prune(const lc_weights_list *list, lc_error *err);
/* All but `keep` of each `of` neighbours along `axis` become zero. */
void lc_prune_pattern(float *data, const int32_t *dims, int32_t rank, int32_t axis, const lc_sparsity *sparsity);
lc_status lc_weights_cluster(const lc_weights_list *list, uint32_t clusters, lc_error *err);
/* float32 constants that are smaller so become sparse, with a DENSIFY in front of their readers. *count: how many. */
lc_status lc_weights_sparsify(lc_model *model, const lc_prune_options *options, uint32_t *count, lc_error *err);

#endif
