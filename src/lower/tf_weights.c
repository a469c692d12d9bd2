/*
 * tf_weights.c: the weights of a TensorFlow graph that is to be trained on. In a conversion a weight is a constant like all others: it is brought
 * into TFLite's layout, and what depends on it alone is worked out. Who trains wants it as the source has it, with its name, and operators that
 * read it: so its value is hidden while the graph is lowered, and nothing can be worked out from it.
 *
 * Weights are the floats of at least one dimension that are variables; in a frozen graph, which has none, that are constants. Where an operator
 * must know the value, the lowering fails: the caller lowers again without this.
 */
#include "ir/constant.h"
#include "lower/tf_impl.h"

struct lc_tf_weight {
    lc_graph *graph;
    int32_t tensor;
    const void *data;
    const lc_deferred *deferred;
};

void lc_tf_weight(lc_tf_lower *l, lc_builder *b, int32_t tensor) {
    if (!l->options->weights || l->filling || tensor < 0 || b->status != LC_OK) return;
    lc_tensor *t = &b->graph->tensors[tensor];
    if (t->type != LC_FLOAT32 || t->rank < 1 || !t->size) return;
    void *items = l->weights;
    if (!lc_arena_grow(&l->scratch, &items, &l->weight_capacity, l->weight_count + 1, sizeof *l->weights)) {
        lc_build_check(b, lc_fail_memory(l->err, "weights"));
        return;
    }
    l->weights = items;
    l->weights[l->weight_count++] = (struct lc_tf_weight){b->graph, tensor, t->data, t->deferred};
    t->data = NULL;
    t->deferred = NULL;
    t->is_weight = true;
    if (l->weights_are_constants && b->layer) lc_build_rename(b, tensor, b->layer);
}

void lc_tf_weights_end(lc_tf_lower *l) {
    for (size_t i = 0; i < l->weight_count; i++) {
        const struct lc_tf_weight *w = &l->weights[i];
        lc_tensor *t = &w->graph->tensors[w->tensor];
        t->data = w->data;
        t->deferred = w->deferred;
    }
    l->weight_count = 0;
}
