/*
 * rnn_op.c: RNN, UNIDIRECTIONAL_SEQUENCE_RNN, BIDIRECTIONAL_SEQUENCE_RNN.
 *
 *   input [batch, depth], or for a sequence [batch, time, depth] or [time, batch, depth]   weights [units, depth]
 *   recurrent [units, units]   bias [units]   hidden state [batch, units], a variable
 *   output: input's shape with `units` last; merge_outputs puts forward and backward side by side
 *
 * The auxiliary input of BIDIRECTIONAL_SEQUENCE_RNN goes with weights of its own into both cells, or, when there are none, it is the
 * backward cell's input in place of the first.
 */
#include "ops/rnn.h"
#include "ops/infer.h"

lc_rnn_slots lc_rnn_slots_of(const lc_node *node, bool backward, bool aux, bool aux_weights) {
    if (node->op != LC_OP_BIDIRECTIONAL_SEQUENCE_RNN) return (lc_rnn_slots){0, LC_ABSENT, 1, LC_ABSENT, 2, 3, 4};
    const int32_t at = backward ? 5 : 1;
    /* LiteRT takes the first input for both cells when the batch comes first */
    const bool own = backward && aux && !aux_weights && LC_OP_ATTRS(node, BidirectionalSequenceRNNOptions)->time_major;
    return (lc_rnn_slots){.input = own ? LC_RNN_AUX : 0,
                          .aux = aux_weights ? LC_RNN_AUX : LC_ABSENT,
                          .weights = at,
                          .aux_weights = aux_weights ? LC_RNN_AUX_WEIGHTS + backward : LC_ABSENT,
                          .recurrent = at + 1,
                          .bias = at + 2,
                          .hidden = at + 3};
}

static lc_status needs(lc_infer_ctx *ctx, int32_t slot, const char *what, int32_t rank, int32_t rows, int32_t columns) {
    if (!ctx->in[slot].present) return LC_OP_FAIL(ctx, "has no %s (input %d)", what, slot);
    LC_TRY(lc_infer_rank(ctx, (uint32_t)slot, rank, what));
    const int32_t *dims = ctx->in[slot].shape.dims;
    int32_t met;
    char text[LC_SHAPE_TEXT];
    if ((rows >= 0 && !lc_infer_meet(dims[0], rows, &met)) || (rank == 2 && columns >= 0 && dims[1] != columns))
        return LC_OP_FAIL(ctx, "%s (input %d) is %s, needs [%d%s%.0d]", what, slot, lc_shape_text(&ctx->in[slot].shape, text), rows,
                          rank == 2 ? "," : "", rank == 2 ? columns : 0);
    return LC_OK;
}

static lc_status check_cell(lc_infer_ctx *ctx, bool backward, int32_t batch, int32_t *units) {
    const bool both = ctx->in_count > LC_RNN_AUX_WEIGHTS;
    const lc_rnn_slots s =
        lc_rnn_slots_of(ctx->node, backward, both && ctx->in[LC_RNN_AUX].present, both && ctx->in[LC_RNN_AUX_WEIGHTS].present);
    char text[LC_SHAPE_TEXT];
    int32_t met;
    LC_TRY(needs(ctx, s.weights, "weights", 2, -1, -1));
    const int32_t *w = ctx->in[s.weights].shape.dims;
    const lc_shape *in = &ctx->in[s.input].shape;
    *units = w[0];
    if (w[0] < 1 || w[1] < 0)
        return LC_OP_FAIL(ctx, "weights are %s, their sizes must be known and 1 or more", lc_shape_text(&ctx->in[s.weights].shape, text));
    if (!lc_infer_meet(in->dims[in->rank - 1], w[1], &met))
        return LC_OP_FAIL(ctx, "input is %s, the weights take a depth of %d", lc_shape_text(in, text), w[1]);
    LC_TRY(needs(ctx, s.recurrent, "recurrent weights", 2, w[0], w[0]));
    LC_TRY(needs(ctx, s.bias, "bias", 1, w[0], -1));
    if (s.aux >= 0) LC_TRY(needs(ctx, s.aux_weights, "auxiliary weights", 2, w[0], ctx->in[s.aux].shape.dims[2]));
    LC_TRY(needs(ctx, s.hidden, "hidden state", 2, -1, w[0]));
    const lc_infer_tensor *h = &ctx->in[s.hidden];
    if ((h->def && !h->def->is_variable) || h->data) return LC_OP_FAIL(ctx, "the hidden state (input %d) is no variable tensor", s.hidden);
    if (!lc_infer_meet(h->shape.dims[0], batch, &met)) {
        LC_OP_FAIL(ctx, "the hidden state (input %d) is %s, the batch is %d", s.hidden, lc_shape_text(&h->shape, text), batch);
        lc_error_hint(ctx->err, "a stateful operator runs with the batch it was converted for");
        return LC_INVALID;
    }
    return LC_OK;
}

lc_status lc_infer_RNN(lc_infer_ctx *ctx) {
    LC_TRY(lc_infer_activation(ctx, LC_OP_ATTRS(ctx->node, RNNOptions)->fused_activation_function));
    LC_TRY(lc_infer_rank(ctx, 0, 2, "input"));
    lc_shape out = ctx->in[0].shape;
    LC_TRY(check_cell(ctx, false, out.dims[0], &out.dims[1]));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_UNIDIRECTIONAL_SEQUENCE_RNN(lc_infer_ctx *ctx) {
    const lc_SequenceRNNOptions *o = LC_OP_ATTRS(ctx->node, SequenceRNNOptions);
    LC_TRY(lc_infer_activation(ctx, o->fused_activation_function));
    LC_TRY(lc_infer_rank(ctx, 0, 3, "input"));
    lc_shape out = ctx->in[0].shape;
    LC_TRY(check_cell(ctx, false, out.dims[o->time_major ? 1 : 0], &out.dims[2]));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_BIDIRECTIONAL_SEQUENCE_RNN(lc_infer_ctx *ctx) {
    const lc_BidirectionalSequenceRNNOptions *o = LC_OP_ATTRS(ctx->node, BidirectionalSequenceRNNOptions);
    const uint32_t outputs = o->merge_outputs ? 1 : 2;
    char text[LC_SHAPE_TEXT];
    if (ctx->out_count != outputs)
        return LC_OP_FAIL(ctx, "has %u outputs, needs %u as merge_outputs is %s", ctx->out_count, outputs,
                          o->merge_outputs ? "true" : "false");
    LC_TRY(lc_infer_activation(ctx, o->fused_activation_function));
    if (!ctx->in[0].present) return LC_OP_FAIL(ctx, "has no input");
    LC_TRY(lc_infer_rank(ctx, 0, 3, "input"));
    lc_shape out = ctx->in[0].shape;
    const bool aux = ctx->in[LC_RNN_AUX].present, crossed = ctx->in[LC_RNN_AUX_WEIGHTS].present;
    if (crossed != ctx->in[LC_RNN_AUX_WEIGHTS + 1].present || (crossed && !aux))
        return LC_OP_FAIL(ctx, "has auxiliary weights for one cell only, or no auxiliary input for them");
    if (aux) {
        const int32_t *a = ctx->in[LC_RNN_AUX].shape.dims;
        LC_TRY(lc_infer_rank(ctx, LC_RNN_AUX, 3, "auxiliary input"));
        if (!lc_infer_meet(out.dims[0], a[0], &out.dims[0]) || !lc_infer_meet(out.dims[1], a[1], &out.dims[1]) || (crossed && a[2] < 0) ||
            (!crossed && a[2] != out.dims[2]))
            return LC_OP_FAIL(ctx, "the auxiliary input is %s, which does not go with the input",
                              lc_shape_text(&ctx->in[LC_RNN_AUX].shape, text));
    }
    const int32_t batch = out.dims[o->time_major ? 1 : 0];
    int32_t forward, backward;
    LC_TRY(check_cell(ctx, false, batch, &forward));
    LC_TRY(check_cell(ctx, true, batch, &backward));
    out.dims[2] = forward;
    if (o->merge_outputs) LC_TRY(lc_infer_dim_add(ctx, forward, backward, &out.dims[2]));
    LC_TRY(lc_infer_give(ctx, ctx->in[0].type, &out));
    if (o->merge_outputs) return LC_OK;
    out.dims[2] = backward;
    ctx->out[1].type = ctx->in[0].type;
    ctx->out[1].shape = out;
    return LC_OK;
}
