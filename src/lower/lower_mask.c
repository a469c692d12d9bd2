/*
 * lower_mask.c: where Keras's masks come from, Embedding(mask_zero) and Masking, and what becomes of them where inputs meet. A mask
 * [batch, time] of bool travels with the tensor (lower.h); nobody who does not ask for it sees it, and then its operators go.
 *
 *                  Keras 2                                       Keras 3
 *   Add ...        a step counts when it counts in all that      ... in one of them; no mask where an input has none
 *                  have a mask
 *   Concatenate    of features: as above; of steps: one mask     the same, an input without mask counts everywhere
 *                  behind the other
 *
 * Facts: compute_mask of keras/src/layers/merging/ and tf_keras/src/layers/merging/.
 */
#include "lower/eager.h"
#include "lower/quantised.h"
#include "lower/tf_array.h"

/* Rows of a table. Indices come as whole numbers, or as floats that are some: Keras cuts them off. */
int32_t lc_lower_embedding(lc_call *c) {
    const int32_t rows = lc_opt_int(c, "input_dim", 1, INT32_MAX, 0), width = lc_opt_int(c, "output_dim", 1, INT32_MAX, 0);
    int32_t x = c->in[0];
    const lc_dtype type = lc_build_type(c->b, x);
    if (type == LC_STRING) return lc_build_fail(c->b, LC_INVALID, "its input is string, needs numbers");
    const int32_t dims[2] = {rows, width};
    const int32_t index = type == LC_INT64 ? x : lc_build_cast(c->b, x, LC_INT32), rows_of = lc_quantised_embedding(c, dims, index);
    if (rows_of < 0 && !lc_weights(c, 1, "embeddings")) return -1;
    const int32_t table = rows_of < 0 ? lc_weight_const(c, 0, 0, "embeddings", dims, 2, dims, 2) : -1;
    if (lc_opt_bool(c, "mask_zero", false))
        lc_call_give_mask(
            c, lc_tf_binary(lc_eager_maker(c), LC_OP_NOT_EQUAL, index, lc_tf_scalar(lc_eager_maker(c), 0, lc_build_type(c->b, index))));
    return rows_of < 0 ? lc_tf_gather(lc_eager_maker(c), table, index, 0, 0) : rows_of;
}

/* Rows whose features are all mask_value become zeros, and are masked. */
int32_t lc_lower_masking(lc_call *c) {
    const int32_t x = lc_call_float(c, 0);
    lc_tf_call *t = lc_eager_maker(c);
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    if (s.rank < 2) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs at least 2", s.rank);
    const int32_t last = s.rank - 1,
                  other = lc_build_with_scalar(c->b, LC_OP_NOT_EQUAL, x, "mask_value", (float)lc_opt_num(c, "mask_value", 0));
    const int32_t seen = lc_build_reduce(c->b, LC_OP_REDUCE_ANY, other, &last, 1, true);
    lc_call_give_mask(c, lc_tf_squeeze(t, seen, last));
    return lc_build_binary(c->b, LC_OP_MUL, x, lc_build_cast(c->b, seen, LC_FLOAT32), LC_LOWER_ACT(NONE));
}

/* ---- where inputs meet ------------------------------------------------------------------------------------------------ */

void lc_mask_of_merge(lc_call *c) {
    const bool keras2 = c->lower->keras2;
    int32_t mask = -1;
    for (uint32_t i = 0; i < c->in_count; i++) {
        const int32_t m = lc_call_mask(c, i);
        if (m < 0 && !keras2) return;
        if (m < 0 || m == mask) continue;
        mask = mask < 0 ? m : lc_tf_binary(lc_eager_maker(c), keras2 ? LC_OP_LOGICAL_AND : LC_OP_LOGICAL_OR, mask, m);
    }
    lc_call_give_mask(c, mask);
}

/* One behind the other; inputs without a mask count everywhere. */
static void concat_masks(lc_call *c, int32_t axis) {
    lc_tf_call *t = lc_eager_maker(c);
    int32_t *masks = lc_arena_array(&c->lower->scratch, c->in_count, sizeof *masks);
    if (!masks) lc_build_check(c->b, lc_fail_memory(c->b->err, "masks"));
    for (uint32_t i = 0; i < c->in_count && c->b->status == LC_OK; i++) {
        if ((masks[i] = lc_call_mask(c, i)) >= 0) continue;
        int32_t sizes[2] = {lc_tf_dim(t, c->in[i], 0), lc_tf_dim(t, c->in[i], 1)}, none[2] = {0, 0};
        masks[i] = lc_tf_fill(t, lc_tf_vector_of(t, sizes, none, 2), lc_tf_scalar(t, 1, LC_BOOL));
    }
    if (c->b->status == LC_OK) lc_call_give_mask(c, lc_tf_concat(t, masks, c->in_count, axis));
}

void lc_mask_of_concat(lc_call *c, int32_t axis, int32_t rank) {
    bool any = false;
    lc_shape s;
    for (uint32_t i = 0; i < c->in_count; i++) {
        const int32_t mask = lc_call_mask(c, i);
        any = any || mask >= 0;
        if (mask >= 0 && (!lc_call_shape(c, mask, &s) || s.rank != 2)) return;
    }
    if (!any) return;
    if (axis < 2 && rank > 2) concat_masks(c, axis);
    else lc_mask_of_merge(c);
}
