/*
 * lstm_op.c: LSTM, UNIDIRECTIONAL_SEQUENCE_LSTM, BIDIRECTIONAL_SEQUENCE_LSTM.
 *
 *   input [batch, depth], or [batch, time, depth], or [time, batch, depth] when time_major
 *   weights [cells, depth]   recurrent [cells, units], or [cells] for a diagonal matrix   bias, peephole, norm [cells]
 *   projection [units, cells]   hidden state: batch * units elements   cell state: batch * cells elements, both variables
 *   output: input's shape with `units` last; merge_outputs puts forward and backward side by side
 *
 * Without projection units = cells. The input gate may be absent as a whole (it is then 1 - forget gate); peephole weights and norms are
 * there for all gates or for none. LSTM of kernel type BASIC is another operator: input [batch, depth], previous output [batch, units],
 * weights [4 * units, depth + units], bias [4 * units], previous state [batch, units]; it gives output, state and two intermediate results.
 * Refused: states of another size than the batch needs, since they are memory that lives as long as the session.
 */
#include "ops/lstm.h"
#include "ops/infer.h"

static const char *const gate_names[] = {"input", "forget", "cell", "output"};

lc_lstm_slots lc_lstm_slots_of(uint32_t in_count) {
    const bool norm = in_count > 20;
    const int32_t none = LC_ABSENT;
    return (lc_lstm_slots){.input = 0,
                           .aux = none,
                           .weights = {1, 2, 3, 4},
                           .recurrent = {5, 6, 7, 8},
                           .aux_weights = {none, none, none, none},
                           .peephole = {9, 10, none, 11},
                           .bias = {12, 13, 14, 15},
                           .projection = 16,
                           .projection_bias = 17,
                           .hidden = 18,
                           .cell = 19,
                           .norm = {norm ? 20 : none, norm ? 21 : none, norm ? 22 : none, norm ? 23 : none}};
}

lc_lstm_slots lc_lstm_slots_bidirectional(bool backward, bool has_aux, bool aux_weights) {
    const int32_t at = backward ? 17 : 0, state = backward ? 37 : 35, aux = backward ? 44 : 40, none = LC_ABSENT;
    lc_lstm_slots s = {.input = backward && has_aux && !aux_weights ? LC_LSTM_AUX : 0,
                       .aux = aux_weights ? LC_LSTM_AUX : none,
                       .projection = at + 16,
                       .projection_bias = at + 17,
                       .hidden = state,
                       .cell = state + 1,
                       .peephole = {at + 9, at + 10, none, at + 11},
                       .norm = {none, none, none, none}};
    for (int32_t g = 0; g < LC_LSTM_GATES; g++) {
        s.weights[g] = at + 1 + g;
        s.recurrent[g] = at + 5 + g;
        s.bias[g] = at + 12 + g;
        s.aux_weights[g] = aux_weights ? aux + g : none;
    }
    return s;
}

/* ---- one cell ------------------------------------------------------------------------------------------------------ */

typedef struct cell_sizes {
    int32_t batch, depth, aux_depth, cells, units;
} cell_sizes;

static bool given(const lc_infer_ctx *ctx, int32_t slot) { return slot >= 0 && (uint32_t)slot < ctx->in_count && ctx->in[slot].present; }

/* An operand that must (or, `needed` false, may) be there, [rows, columns], or [rows] when columns is -1. */
static lc_status check_operand(lc_infer_ctx *ctx, int32_t slot, bool needed, const char *gate, const char *what, int32_t rows,
                               int32_t columns) {
    if (!given(ctx, slot)) return needed ? LC_OP_FAIL(ctx, "has no %s%s%s", gate, *gate ? " gate's " : "", what) : LC_OK;
    const lc_shape *s = &ctx->in[slot].shape;
    char text[LC_SHAPE_TEXT];
    const int32_t rank = columns < 0 ? 1 : 2;
    if (s->rank != rank || s->dims[0] != rows || (rank == 2 && s->dims[1] != columns))
        return rank == 2 ? LC_OP_FAIL(ctx, "%s%s%s (input %d) is %s, needs [%d,%d]", gate, *gate ? " gate's " : "", what, slot,
                                      lc_shape_text(s, text), rows, columns)
                         : LC_OP_FAIL(ctx, "%s%s%s (input %d) is %s, needs [%d]", gate, *gate ? " gate's " : "", what, slot,
                                      lc_shape_text(s, text), rows);
    return LC_OK;
}

static lc_status check_absent(lc_infer_ctx *ctx, int32_t slot, const char *what) {
    return given(ctx, slot) ? LC_OP_FAIL(ctx, "has %s (input %d) although what it belongs to is absent", what, slot) : LC_OK;
}

static lc_status check_state(lc_infer_ctx *ctx, int32_t slot, const char *what, int32_t batch, int32_t width) {
    if (!given(ctx, slot)) return LC_OP_FAIL(ctx, "has no %s (input %d)", what, slot);
    const lc_infer_tensor *t = &ctx->in[slot];
    if ((t->def && !t->def->is_variable) || t->data) {
        LC_OP_FAIL(ctx, "the %s (input %d) is no variable tensor", what, slot);
        lc_error_hint(ctx->err, "the file is damaged, or older than variable tensors: convert the model again");
        return LC_INVALID;
    }
    uint64_t n;
    char text[LC_SHAPE_TEXT];
    if (batch < 0) return LC_OK;
    if (!lc_shape_elements(&t->shape, &n) || n != (uint64_t)batch * (uint64_t)width) {
        LC_OP_FAIL(ctx, "the %s (input %d) is %s, a batch of %d needs %llu elements", what, slot, lc_shape_text(&t->shape, text), batch,
                   (unsigned long long)batch * (unsigned long long)width);
        lc_error_hint(ctx->err, "a stateful operator runs with the batch it was converted for");
        return LC_INVALID;
    }
    return LC_OK;
}

/* The sizes that the output gate's weights give, which no other operand may contradict. */
static lc_status read_sizes(lc_infer_ctx *ctx, const lc_lstm_slots *s, bool diagonal, cell_sizes *z) {
    const int32_t w = s->weights[LC_LSTM_OUTPUT], r = s->recurrent[LC_LSTM_OUTPUT];
    char text[LC_SHAPE_TEXT];
    if (!given(ctx, w) || !given(ctx, r)) return LC_OP_FAIL(ctx, "has no weights of the output gate (inputs %d and %d)", w, r);
    LC_TRY(lc_infer_rank(ctx, (uint32_t)w, 2, "output gate's weights"));
    const lc_shape *ws = &ctx->in[w].shape, *rs = &ctx->in[r].shape;
    z->cells = ws->dims[0];
    z->depth = ws->dims[1];
    if (rs->rank != 2 && !(diagonal && rs->rank == 1))
        return LC_OP_FAIL(ctx, "output gate's recurrent weights (input %d) are %s, need 2 dimensions", r, lc_shape_text(rs, text));
    z->units = rs->dims[rs->rank - 1];
    if (z->cells < 1 || z->units < 1 || z->depth < 0)
        return LC_OP_FAIL(ctx, "has %d cells, %d units and an input depth of %d, which must be known and 1 or more", z->cells, z->units,
                          z->depth);
    const lc_shape *in = &ctx->in[s->input].shape;
    int32_t met;
    if (!lc_infer_meet(in->dims[in->rank - 1], z->depth, &met))
        return LC_OP_FAIL(ctx, "input is %s, the weights take a depth of %d", lc_shape_text(in, text), z->depth);
    if (!given(ctx, s->projection) && z->units != z->cells)
        return LC_OP_FAIL(ctx, "has %d units and %d cells, which must be equal without a projection", z->units, z->cells);
    z->aux_depth = s->aux >= 0 ? ctx->in[s->aux].shape.dims[2] : 0;
    if (s->aux >= 0 && z->aux_depth < 0) return LC_OP_FAIL(ctx, "the auxiliary input's depth must be known");
    return LC_OK;
}

static lc_status check_gate(lc_infer_ctx *ctx, const lc_lstm_slots *s, int32_t g, bool diagonal, bool peephole, bool norm,
                            const cell_sizes *z) {
    const char *name = gate_names[g];
    const int32_t r = s->recurrent[g];
    LC_TRY(check_operand(ctx, s->weights[g], true, name, "weights", z->cells, z->depth));
    const bool is_diagonal = diagonal && given(ctx, r) && ctx->in[r].shape.rank == 1;
    if (is_diagonal && z->units != z->cells)
        return LC_OP_FAIL(ctx, "has a diagonal recurrent matrix of %d cells for %d units", z->cells, z->units);
    LC_TRY(check_operand(ctx, r, true, name, "recurrent weights", z->cells, is_diagonal ? -1 : z->units));
    if (s->aux_weights[g] >= 0) LC_TRY(check_operand(ctx, s->aux_weights[g], true, name, "auxiliary weights", z->cells, z->aux_depth));
    if (s->peephole[g] >= 0) LC_TRY(check_operand(ctx, s->peephole[g], peephole, name, "peephole weights", z->cells, -1));
    if (!peephole && s->peephole[g] >= 0) LC_TRY(check_absent(ctx, s->peephole[g], "peephole weights"));
    if (norm) LC_TRY(check_operand(ctx, s->norm[g], true, name, "layer norm", z->cells, -1));
    return check_operand(ctx, s->bias[g], true, name, "bias", z->cells, -1);
}

static lc_status check_cell(lc_infer_ctx *ctx, const lc_lstm_slots *s, bool diagonal, cell_sizes *z) {
    LC_TRY(read_sizes(ctx, s, diagonal, z));
    const bool coupled = !given(ctx, s->weights[LC_LSTM_INPUT]);
    const bool peephole = given(ctx, s->peephole[LC_LSTM_OUTPUT]), norm = given(ctx, s->norm[LC_LSTM_FORGET]);
    for (int32_t g = coupled ? LC_LSTM_FORGET : LC_LSTM_INPUT; g < LC_LSTM_GATES; g++)
        LC_TRY(check_gate(ctx, s, g, diagonal, peephole, norm, z));
    if (coupled) {
        LC_TRY(check_absent(ctx, s->recurrent[LC_LSTM_INPUT], "the input gate's recurrent weights"));
        LC_TRY(check_absent(ctx, s->bias[LC_LSTM_INPUT], "the input gate's bias"));
        if (norm) LC_TRY(check_absent(ctx, s->norm[LC_LSTM_INPUT], "the input gate's layer norm"));
    }
    LC_TRY(check_operand(ctx, s->projection, false, "", "projection", z->units, z->cells));
    LC_TRY(check_operand(ctx, s->projection_bias, false, "", "projection's bias", z->units, -1));
    if (!given(ctx, s->projection)) LC_TRY(check_absent(ctx, s->projection_bias, "a projection's bias"));
    LC_TRY(check_state(ctx, s->hidden, "hidden state", z->batch, z->units));
    return check_state(ctx, s->cell, "cell state", z->batch, z->cells);
}

static lc_status check_clips(lc_infer_ctx *ctx, float cell, float projection) {
    return cell >= 0 && projection >= 0
               ? LC_OK
               : LC_OP_FAIL(ctx, "cell_clip is %g and proj_clip %g, which must be 0 or more", (double)cell, (double)projection);
}

/* ---- the operators -------------------------------------------------------------------------------------------------- */

static lc_status infer_basic(lc_infer_ctx *ctx) {
    static const char *const names[] = {"input", "previous output", "weights", "bias", "previous state"};
    char text[LC_SHAPE_TEXT];
    if (ctx->in_count != 5 || ctx->out_count != 4)
        return LC_OP_FAIL(ctx, "has %u inputs and %u outputs, kernel_type BASIC needs 5 and 4", ctx->in_count, ctx->out_count);
    for (uint32_t i = 0; i < 5; i++) {
        if (!ctx->in[i].present) return LC_OP_FAIL(ctx, "has no %s (input %u)", names[i], i);
        LC_TRY(lc_infer_rank(ctx, i, i == 3 ? 1 : 2, names[i]));
    }
    const int32_t *in = ctx->in[0].shape.dims, *hidden = ctx->in[1].shape.dims, *weights = ctx->in[2].shape.dims,
                  *state = ctx->in[4].shape.dims;
    const int32_t units = hidden[1], rows = weights[0];
    int32_t batch, met;
    if (units < 1 || rows < 1 || rows % 4 || rows / 4 != units || weights[1] < units)
        return LC_OP_FAIL(ctx, "previous output has %d units, so weights need [%lld,depth+%d], found %s", units, 4 * (long long)units,
                          units, lc_shape_text(&ctx->in[2].shape, text));
    if (!lc_infer_meet(in[1], weights[1] - units, &met))
        return LC_OP_FAIL(ctx, "input has a depth of %d, the weights take %d", in[1], weights[1] - units);
    if (ctx->in[3].shape.dims[0] != rows) return LC_OP_FAIL(ctx, "bias has %d elements, needs %d", ctx->in[3].shape.dims[0], rows);
    if (!lc_infer_meet(in[0], hidden[0], &batch) || !lc_infer_meet(batch, state[0], &batch) || state[1] != units)
        return LC_OP_FAIL(ctx, "previous state is %s, needs the batch of the input (%d) and %d units",
                          lc_shape_text(&ctx->in[4].shape, text), in[0], units);
    const bool real = ctx->in[0].type == LC_FLOAT32;
    const lc_shape shapes[] = {{2, {batch, units}}, {2, {batch, units}}, {2, {batch, weights[1]}}, {2, {batch, rows}}};
    for (uint32_t i = 0; i < 4; i++) {
        ctx->out[i].shape = shapes[i];
        ctx->out[i].type = i % 2 == 0 ? ctx->in[0].type : real ? LC_FLOAT32 : LC_INT16;
    }
    return LC_OK;
}

static lc_status check_counts(lc_infer_ctx *ctx) {
    if ((ctx->in_count == 20 || ctx->in_count == 24) && ctx->out_count == 1) return LC_OK;
    return LC_OP_FAIL(ctx, "has %u inputs and %u outputs, needs 20 or 24 inputs and 1 output", ctx->in_count, ctx->out_count);
}

lc_status lc_infer_LSTM(lc_infer_ctx *ctx) {
    const lc_LSTMOptions *o = LC_OP_ATTRS(ctx->node, LSTMOptions);
    if (o->kernel_type == LC_LSTMKernelType_BASIC) return infer_basic(ctx);
    if (o->kernel_type != LC_LSTMKernelType_FULL)
        return LC_OP_FAIL(ctx, "kernel_type is %d, must be FULL (0) or BASIC (1)", o->kernel_type);
    LC_TRY(check_counts(ctx));
    LC_TRY(lc_infer_activation(ctx, o->fused_activation_function));
    LC_TRY(check_clips(ctx, o->cell_clip, o->proj_clip));
    if (!ctx->in[0].present) return LC_OP_FAIL(ctx, "has no input");
    LC_TRY(lc_infer_rank(ctx, 0, 2, "input"));
    const lc_lstm_slots s = lc_lstm_slots_of(ctx->in_count);
    cell_sizes z = {.batch = ctx->in[0].shape.dims[0]};
    LC_TRY(check_cell(ctx, &s, false, &z));
    const lc_shape out = {2, {z.batch, z.units}};
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_UNIDIRECTIONAL_SEQUENCE_LSTM(lc_infer_ctx *ctx) {
    const lc_UnidirectionalSequenceLSTMOptions *o = LC_OP_ATTRS(ctx->node, UnidirectionalSequenceLSTMOptions);
    LC_TRY(check_counts(ctx));
    LC_TRY(lc_infer_activation(ctx, o->fused_activation_function));
    LC_TRY(check_clips(ctx, o->cell_clip, o->proj_clip));
    if (!ctx->in[0].present) return LC_OP_FAIL(ctx, "has no input");
    LC_TRY(lc_infer_rank(ctx, 0, 3, "input"));
    const lc_lstm_slots s = lc_lstm_slots_of(ctx->in_count);
    lc_shape out = ctx->in[0].shape;
    cell_sizes z = {.batch = out.dims[o->time_major ? 1 : 0]};
    LC_TRY(check_cell(ctx, &s, true, &z));
    out.dims[2] = z.units;
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_BIDIRECTIONAL_SEQUENCE_LSTM(lc_infer_ctx *ctx) {
    const lc_BidirectionalSequenceLSTMOptions *o = LC_OP_ATTRS(ctx->node, BidirectionalSequenceLSTMOptions);
    const bool aux = ctx->in[LC_LSTM_AUX].present, aux_weights = ctx->in[LC_LSTM_AUX_WEIGHTS].present;
    const uint32_t outputs = o->merge_outputs ? 1 : 2;
    char text[LC_SHAPE_TEXT];
    if (ctx->out_count != outputs)
        return LC_OP_FAIL(ctx, "has %u outputs, needs %u as merge_outputs is %s", ctx->out_count, outputs,
                          o->merge_outputs ? "true" : "false");
    LC_TRY(lc_infer_activation(ctx, o->fused_activation_function));
    LC_TRY(check_clips(ctx, o->cell_clip, o->proj_clip));
    if (!ctx->in[0].present) return LC_OP_FAIL(ctx, "has no input");
    LC_TRY(lc_infer_rank(ctx, 0, 3, "input"));
    lc_shape out = ctx->in[0].shape;
    if (aux_weights && !aux) return LC_OP_FAIL(ctx, "has auxiliary weights and no auxiliary input");
    if (aux) {
        const int32_t *dims = ctx->in[LC_LSTM_AUX].shape.dims;
        LC_TRY(lc_infer_rank(ctx, LC_LSTM_AUX, 3, "auxiliary input"));
        if (!lc_infer_meet(out.dims[0], dims[0], &out.dims[0]) || !lc_infer_meet(out.dims[1], dims[1], &out.dims[1]) ||
            (!aux_weights && dims[2] != out.dims[2]))
            return LC_OP_FAIL(ctx, "the auxiliary input is %s, which does not go with the input",
                              lc_shape_text(&ctx->in[LC_LSTM_AUX].shape, text));
    }
    cell_sizes z[2];
    for (int backward = 0; backward < 2; backward++) {
        const lc_lstm_slots s = lc_lstm_slots_bidirectional(backward, aux, aux_weights);
        z[backward] = (cell_sizes){.batch = out.dims[o->time_major ? 1 : 0]};
        LC_TRY(check_cell(ctx, &s, false, &z[backward]));
    }
    out.dims[2] = z[0].units;
    if (o->merge_outputs) LC_TRY(lc_infer_dim_add(ctx, z[0].units, z[1].units, &out.dims[2]));
    LC_TRY(lc_infer_give(ctx, ctx->in[0].type, &out));
    if (o->merge_outputs) return LC_OK;
    out.dims[2] = z[1].units;
    ctx->out[1].type = ctx->in[0].type;
    ctx->out[1].shape = out;
    return LC_OK;
}
