/*
 * rnn_run.c: a stack of cells over a sequence.
 *
 *   x [batch, time, ...] ─▶ x W + b of the first cell, for all steps at once ─▶ WHILE: row i, the cells' steps, row i of the output
 *
 * The loop's values are the states, the output's rows when they are wanted, the projected input and the mask. Unrolled, the rows come from
 * one UNPACK and the steps stand one behind the other. An LSTM or SimpleRNN that TFLite's operator can do is written as the loop that
 * src/pass/fuse_lstm.c makes that operator of: there it is known whether the sequence's shape comes out of the run, which the operator does not bear.
 *
 * A masked step changes no state, and its output is the one before (zeros at first), or zeros where the layer says so. As long as the states
 * begin with zeros, the output before is the first state.
 *
 * Stays true: builtin operators only; any batch and any length, open ones too; steps that are unrolled are charged as calls.
 *
 * Facts: rnn() of keras/src/backend/tensorflow/rnn.py.
 */
#include "lower/rnn.h"
#include "lower/training.h"
#include "lower/tf_impl.h"

#include <string.h>

typedef struct run {
    lc_call *c; /* of the layer's graph */
    lc_rnn *r;
    const lc_cell *last;
    int32_t (*slots)[LC_LOWER_SLOTS]; /* of the cells, in the graph of the steps */
    bool fuses, keeps;                /* keeps: the output before is a value of its own */
    int32_t x, mask;                  /* projected input; mask [batch, time, 1 ...] */
    uint32_t value_count, list, before, input, masks;
    int32_t values[LC_TF_LOOP_VALUES];
} run;

/* ---- one step -------------------------------------------------------------------------------------------------------- */

static lc_call call_in(const run *p, uint32_t cell, lc_tf_call *maker) {
    lc_call c = p->r->cells[cell].call;
    c.b = maker->b;
    c.maker = maker;
    c.slots = p->slots[cell];
    return c;
}

static int32_t select(lc_tf_call *t, int32_t mask, int32_t yes, int32_t no) { return lc_build_select(t->b, mask, yes, no); }

/* What x adds to the gates, where the cell drops parts of x in training: of all that the gates read, or of each gate's own. shared: the dimension
 * of time, bit d set for dimension d. */
static int32_t project(lc_call *c, const lc_cell *cell, int32_t x, uint32_t shared,
                       int32_t (*of)(lc_call *c, const lc_cell *cell, int32_t x, int32_t gate)) {
    int32_t gates[LC_CELL_GATES];
    if (cell->dropout <= 0) return of(c, cell, x, LC_ALL_GATES);
    for (int32_t g = 0; g < cell->masks; g++) {
        const int32_t dropped = lc_training_dropout(c, x, cell->dropout, cell->dropout_stream + (uint32_t)g, shared);
        gates[g] = of(c, cell, dropped, cell->masks == 1 ? LC_ALL_GATES : g);
    }
    return lc_cell_join(c, gates, cell->masks);
}

/* x: row of the input. before: output of the step before, replaced by this one's. Returns what is written as this step's output. */
static int32_t run_cells(const run *p, lc_tf_call *t, int32_t x, int32_t mask, int32_t *states, int32_t *before) {
    int32_t next[LC_RNN_STATES], at = 0;
    const lc_rnn *r = p->r;
    memcpy(next, states, r->state_count * sizeof *next);
    for (uint32_t k = 0; k < r->cell_count; k++) {
        lc_call c = call_in(p, k, t);
        const lc_cell *cell = &r->cells[k];
        if (k || p->fuses) x = project(&c, cell, x, 0, cell->kind->project);
        cell->kind->step(&c, cell, x, next + at);
        x = next[at];
        at += (int32_t)cell->kind->states;
    }
    if (mask >= 0)
        for (uint32_t i = 0; i < r->state_count; i++) next[i] = select(t, mask, next[i], states[i]);
    int32_t out = next[at - (int32_t)p->last->kind->states];
    if (mask >= 0 && r->zero_masked && r->sequences) out = select(t, mask, x, lc_build_scalar(t->b, "zero", 0));
    else if (p->keeps) out = select(t, mask, x, *before);
    *before = out;
    memcpy(states, next, r->state_count * sizeof *next);
    return out;
}

/* ---- the loop ---------------------------------------------------------------------------------------------------------- */

/* rows[i] = row, along the axis of time */
static int32_t write_row(lc_tf_call *t, int32_t rows, int32_t i, int32_t row, int32_t axis) {
    const int32_t rank = lc_tf_ranked(t, rows).rank;
    int32_t at[LC_MAX_RANK], zeros[LC_MAX_RANK] = {0};
    for (int32_t d = 0; d < LC_MAX_RANK; d++) at[d] = d == axis ? i : LC_ABSENT;
    const int32_t in[3] = {rows, lc_tf_expand(t, row, axis), lc_tf_vector_of(t, at, zeros, rank)};
    return lc_build_op(t->b, LC_OP_DYNAMIC_UPDATE_SLICE, LC_TABLE_NONE, NULL, in, 3);
}

static void step(lc_tf_call *t, int32_t i, int32_t *values, void *user) {
    const run *p = user;
    const int32_t axis = p->fuses ? 0 : 1, x = lc_tf_gather(t, values[p->input], i, axis, 0);
    const int32_t mask = p->mask >= 0 ? lc_tf_gather(t, values[p->masks], i, 1, 0) : -1;
    int32_t before = p->keeps ? values[p->before] : -1;
    const int32_t out = run_cells(p, t, x, mask, values, &before);
    if (p->keeps) values[p->before] = before;
    if (p->r->sequences) values[p->list] = write_row(t, values[p->list], i, out, axis);
}

static uint32_t add_value(run *p, int32_t tensor) {
    p->values[p->value_count] = tensor;
    return p->value_count++;
}

/* The same of the input's own elements, so that LiteRT knows their shape before the run, and with it that of what stands behind the loop
 * (src/pass/fuse_lstm_build.c): some of its channels, or one of them beside a row of zeros. */
static int32_t zeros_of_input(const run *p, const lc_cell *cell, bool steps) {
    lc_shape s;
    int32_t begin[LC_MAX_RANK] = {0}, end[LC_MAX_RANK], one[LC_MAX_RANK];
    if (!lc_call_shape(p->c, p->x, &s) || s.rank != cell->state_rank + 2) return -1;
    bool enough = true;
    for (int32_t d = 2; d < s.rank; d++) enough &= s.dims[d] >= cell->state_dims[d - 2];
    lc_StridedSliceOptions o = {.begin_mask = steps ? 3 : 1, .end_mask = steps ? 3 : 1, .shrink_axis_mask = steps ? 0 : 2};
    for (int32_t d = 0; d < s.rank; d++) {
        end[d] = d < 2 || !enough ? 1 : cell->state_dims[d - 2];
        one[d] = 1;
    }
    const int32_t in[4] = {p->x, lc_build_ints(p->c->b, "begin", begin, (uint32_t)s.rank),
                           lc_build_ints(p->c->b, "end", end, (uint32_t)s.rank), lc_build_ints(p->c->b, "stride", one, (uint32_t)s.rank)};
    const int32_t some = lc_build_op(p->c->b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, &o, in, 4);
    const int32_t zeros = lc_build_op(p->c->b, LC_OP_ZEROS_LIKE, LC_TABLE_ZerosLikeOptions, NULL, &some, 1);
    if (enough || p->c->b->status != LC_OK) return zeros;
    const int32_t row = lc_tf_vector(lc_eager_maker(p->c), cell->state_dims, cell->state_rank);
    const int32_t wide = lc_tf_fill(lc_eager_maker(p->c), row, lc_build_scalar(p->c->b, "zero", 0));
    return lc_build_binary(p->c->b, LC_OP_ADD, zeros, wide, LC_LOWER_ACT(NONE));
}

/* Zeros [batch, (steps,) state ...]; rows_first: [steps, batch, ...]. */
static int32_t zeros(const run *p, const lc_cell *cell, bool steps, bool rows_first) {
    lc_tf_call *t = lc_eager_maker(p->c);
    lc_shape s;
    int32_t tensors[LC_MAX_RANK], values[LC_MAX_RANK], n = 0;
    if (!lc_call_shape(p->c, p->x, &s)) return -1;
    if (cell->state_rank + 2 > LC_MAX_RANK)
        return lc_build_fail(p->c->b, LC_UNSUPPORTED, "its states have %d dimensions, litec runs up to %d", cell->state_rank + 1,
                             LC_MAX_RANK - 1);
    const int32_t axes[2] = {rows_first ? 1 : 0, rows_first ? 0 : 1}; /* of x: batch, time */
    const bool open = s.dims[axes[0]] < 0 || (steps && s.dims[axes[1]] < 0);
    const int32_t of_input = open && !p->fuses && s.dims[axes[1]] != 0 ? zeros_of_input(p, cell, steps) : -1;
    if (of_input >= 0) return of_input;
    for (int k = 0; k < (steps ? 2 : 1); k++) {
        const int32_t axis = steps ? k : axes[0];
        tensors[n] = s.dims[axis] < 0 ? lc_tf_dim(t, p->x, axis) : LC_ABSENT;
        values[n++] = s.dims[axis];
    }
    for (int32_t d = 0; d < cell->state_rank; d++) {
        tensors[n] = LC_ABSENT;
        values[n++] = cell->state_dims[d];
    }
    return lc_tf_fill(t, lc_tf_vector_of(t, tensors, values, n), lc_build_scalar(p->c->b, "zero", 0));
}

static int32_t loop(run *p) {
    lc_rnn *r = p->r;
    lc_tf_call *t = lc_eager_maker(p->c);
    const int32_t steps = lc_tf_dim(t, p->x, p->fuses ? 0 : 1);
    for (uint32_t i = 0; i < r->state_count; i++) add_value(p, r->states[i]);
    if (r->sequences) p->list = add_value(p, zeros(p, p->last, true, p->fuses));
    if (p->keeps) p->before = add_value(p, zeros(p, p->last, false, p->fuses));
    p->input = add_value(p, p->x);
    if (p->mask >= 0) p->masks = add_value(p, p->mask);
    if (!lc_tf_loop(t, steps, p->values, p->value_count, step, p)) return -1;
    memcpy(r->states, p->values, r->state_count * sizeof *r->states);
    if (!r->sequences) return p->keeps ? p->values[p->before] : p->values[r->state_count - p->last->kind->states];
    const int32_t y = p->values[p->list], swap[3] = {1, 0, 2};
    return p->fuses ? lc_build_transpose(p->c->b, y, swap, 3) : y;
}

/* ---- unrolled ------------------------------------------------------------------------------------------------------------ */

/* Rows of x along its axis 1. */
static int32_t *unpack(run *p, int32_t x, int32_t steps) {
    int32_t *rows = lc_arena_array(&p->c->lower->scratch, (size_t)steps, sizeof *rows);
    const lc_UnpackOptions o = {.num = steps, .axis = 1};
    if (!rows) lc_build_check(p->c->b, lc_fail_memory(p->c->b->err, "steps"));
    return rows && lc_build_op_multi(p->c->b, LC_OP_UNPACK, LC_TABLE_UnpackOptions, &o, &x, 1, rows, (uint32_t)steps) ? rows : NULL;
}

static int32_t unrolled(run *p, int32_t steps) {
    lc_rnn *r = p->r;
    lc_tf_call *t = lc_eager_maker(p->c);
    lc_lower *lower = p->c->lower;
    lower->calls += (uint64_t)steps * r->cell_count;
    if (lower->calls > lower->budget.limits.max_nodes)
        return lc_build_fail(p->c->b, LC_LIMIT, "unrolled, the model makes more than %u calls of layers (limit max_nodes)",
                             lower->budget.limits.max_nodes);
    int32_t before = p->keeps ? zeros(p, p->last, false, false) : -1, out = -1;
    int32_t *rows = unpack(p, p->x, steps), *masks = p->mask >= 0 ? unpack(p, p->mask, steps) : NULL;
    int32_t *outs = lc_arena_array(&lower->scratch, (size_t)steps, sizeof *outs);
    if (!outs) lc_build_check(p->c->b, lc_fail_memory(p->c->b->err, "steps"));
    for (int32_t i = 0; i < steps && p->c->b->status == LC_OK; i++)
        outs[i] = out = run_cells(p, t, rows[i], masks ? masks[i] : -1, r->states, &before);
    return r->sequences && p->c->b->status == LC_OK ? lc_tf_pack(t, outs, (uint32_t)steps, 1) : out;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------------- */

/* Dimensions of x with two of the first changed places; last to second or back for channels_first. */
static int32_t swap_time(lc_call *c, int32_t x) {
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    if (s.rank < 2) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs at least 3", s.rank);
    int32_t perm[LC_MAX_RANK] = {1, 0};
    for (int32_t d = 2; d < s.rank; d++) perm[d] = d;
    return lc_build_transpose(c->b, x, perm, s.rank);
}

/* [lead ..., channels, space ...] to [lead ..., space ..., channels], or back */
static int32_t turn_channels(lc_call *c, int32_t x, int32_t lead, bool last) {
    lc_shape s;
    int32_t perm[LC_MAX_RANK];
    if (!lc_call_shape(c, x, &s)) return -1;
    if (s.rank <= lead) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs more", s.rank);
    for (int32_t d = 0; d < s.rank; d++) perm[d] = d < lead ? d : last ? (d + 1 < s.rank ? d + 1 : lead) : d == lead ? s.rank - 1 : d - 1;
    return lc_build_transpose(c->b, x, perm, s.rank);
}

/* The batch of a state is that of the sequence, though each may be an input with an open batch of its own. */
static void same_batch(run *p, int32_t state, int32_t x) {
    if (p->c->b->status != LC_OK) return;
    lc_tf_known known = *lc_tf_known_of(p->c->b, state);
    const lc_tf_known of_x = *lc_tf_known_of(p->c->b, x);
    for (int w = 0; w < 2; w++) {
        if (known.shape[w].rank < 1 || of_x.shape[w].rank < 1) return;
        known.shape[w].dims[0] = of_x.shape[w].dims[0];
    }
    lc_tf_know(p->c->b, state, &known);
}

static bool has_state_shape(run *p, const lc_cell *cell, int32_t state) {
    lc_shape s;
    if (!lc_call_shape(p->c, state, &s)) return false;
    bool same = s.rank == cell->state_rank + 1;
    for (int32_t d = 0; same && d < cell->state_rank; d++) same = s.dims[d + 1] < 0 || s.dims[d + 1] == cell->state_dims[d];
    if (same) return true;
    lc_build_fail(p->c->b, LC_INVALID, "an initial state of it has %d dimensions and %d at the end, needs %d and %d", s.rank,
                  s.rank ? s.dims[s.rank - 1] : 0, cell->state_rank + 1, cell->state_dims[cell->state_rank - 1]);
    return false;
}

/* What the states begin with. */
static void begin_states(run *p, int32_t x) {
    lc_rnn *r = p->r;
    lc_shape s;
    uint32_t at = 0;
    if (!lc_call_shape(p->c, x, &s)) return;
    if (r->stateful && s.dims[0] < 0) {
        lc_opt_fail(p->c, "stateful", "needs a fixed batch, which its input does not have");
        return;
    }
    for (uint32_t k = 0; k < r->cell_count; k++)
        for (uint32_t i = 0; i < r->cells[k].kind->states && p->c->b->status == LC_OK; i++, at++) {
            const lc_cell *cell = &r->cells[k];
            int32_t dims[LC_MAX_RANK];
            dims[0] = s.dims[0];
            memcpy(dims + 1, cell->state_dims, (size_t)cell->state_rank * sizeof *dims);
            if (r->given_count) {
                r->states[at] = lc_build_cast(p->c->b, r->given[at], LC_FLOAT32);
                if (cell->channels_first) r->states[at] = turn_channels(p->c, r->states[at], 1, true);
                if (has_state_shape(p, cell, r->states[at])) same_batch(p, r->states[at], x);
            } else if (r->stateful) r->states[at] = lc_rnn_read(p->c, at, dims, cell->state_rank + 1);
            else r->states[at] = zeros(p, cell, false, p->fuses);
        }
}

/* The mask as [batch, time, 1 ...], so that a step's broadcasts over its states. */
static int32_t wide_mask(run *p, int32_t mask) {
    lc_shape s;
    lc_tf_call *t = lc_eager_maker(p->c);
    if (!lc_call_shape(p->c, mask, &s)) return -1;
    mask = lc_build_cast(p->c->b, mask, LC_BOOL);
    if (s.rank < 2) return lc_build_fail(p->c->b, LC_INVALID, "its mask has %d dimensions, needs 2", s.rank);
    for (int32_t rank = s.rank; rank < p->last->state_rank + 2; rank++) mask = lc_tf_expand(t, mask, rank);
    return mask;
}

/* The same of all steps' images [batch, time, ...] at once. */
static int32_t project_images(lc_call *c, const lc_cell *cell, int32_t x, int32_t gate) {
    lc_tf_call *t = lc_eager_maker(c);
    lc_shape s;
    const int32_t y = cell->kind->project(c, cell, lc_tf_merge_dims(t, x, 0, 2), gate);
    if (!lc_call_shape(c, x, &s)) return -1;
    int32_t tensors[LC_MAX_RANK], values[LC_MAX_RANK], n = 2;
    const bool both = s.dims[0] < 0 && s.dims[1] < 0;
    for (int32_t d = 0; d < 2; d++) {
        tensors[d] = both ? lc_tf_dim(t, x, d) : LC_ABSENT;
        values[d] = s.dims[d];
    }
    for (int32_t d = 0; d <= cell->state_rank - 1; d++) {
        tensors[n] = LC_ABSENT;
        values[n++] = d < cell->state_rank - 1 ? cell->state_dims[d] : gate == LC_ALL_GATES ? 4 * cell->units : cell->units;
    }
    return both ? lc_tf_reshape_like(t, y, lc_tf_vector_of(t, tensors, values, n)) : lc_tf_reshape(t, y, values, n);
}

/* x as the steps read it: projected, or for the operator as it is with the time in front. */
static int32_t prepare(run *p, int32_t x) {
    const lc_cell *cell = &p->r->cells[0];
    lc_call c = cell->call;
    if (p->fuses) return swap_time(p->c, x);
    return project(&c, cell, x, 1U << 1, cell->rank ? project_images : cell->kind->project);
}

/* What is dropped in training, as Keras does it, by masks of a step's input and of the state that are the same in all steps: one of each; one a
 * gate in convolutions, and wherever parts of the state are dropped (Keras's implementation 1, which files of Keras 2 may also ask for). */
static void read_dropout(lc_call *c, lc_cell *cell) {
    uint32_t more;
    cell->masks = 1;
    if (!lc_training_mode(c)) return;
    cell->dropout = (float)lc_opt_num(c, "dropout", 0);
    cell->recurrent_dropout = (float)lc_opt_num(c, "recurrent_dropout", 0);
    if (!(cell->dropout >= 0 && cell->dropout < 1)) lc_opt_fail(c, "dropout", "needs a part from 0 to less than 1");
    if (!(cell->recurrent_dropout >= 0 && cell->recurrent_dropout < 1))
        lc_opt_fail(c, "recurrent_dropout", "needs a part from 0 to less than 1");
    if (cell->rank || cell->recurrent_dropout > 0 || lc_opt_num(c, "implementation", 2) == 1) cell->masks = cell->kind->gates;
    if (cell->dropout > 0) lc_training_counter(c, &cell->dropout_stream);
    for (int32_t g = 1; g < cell->masks && cell->dropout > 0; g++) lc_training_counter(c, &more);
    if (cell->recurrent_dropout > 0) lc_training_counter(c, &cell->recurrent_stream);
    for (int32_t g = 1; g < cell->masks && cell->recurrent_dropout > 0; g++) lc_training_counter(c, &more);
}
int32_t lc_rnn_run(lc_call *c, lc_rnn *r, int32_t x) {
    run p = {.c = c, .r = r, .last = &r->cells[r->cell_count - 1], .mask = -1};
    lc_tf_call *t = lc_eager_maker(c);
    lc_shape s;
    int32_t mask = r->mask, y = -1;
    p.slots = lc_arena_array(&c->lower->scratch, r->cell_count, sizeof *p.slots);
    if (!p.slots) return lc_build_check(c->b, lc_fail_memory(c->b->err, "cells")) ? -1 : -1;
    if (r->time_major) x = swap_time(c, x);
    if (r->time_major && mask >= 0) mask = swap_time(c, mask);
    if (r->cells[0].channels_first) x = turn_channels(c, x, 2, true);
    if (r->backwards) x = lc_tf_reverse(t, x, 1);
    if (r->backwards && mask >= 0) mask = lc_tf_reverse(t, mask, 1);
    if (!lc_call_shape(c, x, &s)) return -1;
    if (s.rank < 3) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs at least 3", s.rank);
    lc_shape row = {.rank = s.rank - 1, .dims = {s.dims[0]}};
    for (int32_t d = 2; d < s.rank; d++) row.dims[d - 1] = s.dims[d];
    uint32_t states = 0;
    for (uint32_t k = 0; k < r->cell_count && c->b->status == LC_OK; k++) {
        lc_cell *cell = &r->cells[k];
        lc_call of_cell = cell->call;
        cell->kind->read(&of_cell, cell, &row);
        read_dropout(&of_cell, cell);
        if (c->b->status != LC_OK) return -1;
        row.dims[row.rank - 1] = cell->units;
        states += cell->kind->states;
    }
    r->state_count = states;
    if (r->given_count && r->given_count != states)
        return lc_build_fail(c->b, LC_INVALID, "it is called with %u initial states, needs %u", r->given_count, states);
    const bool plain = r->cell_count == 1 && mask < 0 && lc_cell_fuses(&r->cells[0]);
    if (plain && r->stateful && !lc_trains(c) && !r->give_state && !r->given_count && s.dims[0] > 0 && s.dims[1] != 0) {
        y = lc_rnn_stateful(c, r, x);
    } else {
        const bool unroll = (r->unroll || c->lower->options->unroll) && s.dims[1] > 0 && s.dims[1] <= LC_RNN_UNROLL;
        p.fuses = plain && !r->stateful && !lc_trains(c); /* what is learned is learned through steps */
        p.keeps = mask >= 0 && !(r->zero_masked && r->sequences) && (r->given_count || r->stateful);
        p.x = prepare(&p, x);
        begin_states(&p, x);
        if (mask >= 0) p.mask = wide_mask(&p, mask);
        if (c->b->status != LC_OK) return -1;
        if (unroll && !p.fuses)
            for (uint32_t k = 0; k < r->cell_count; k++) p.slots[k][0] = 0;
        y = unroll && !p.fuses ? unrolled(&p, s.dims[1]) : loop(&p);
        for (uint32_t i = 0; r->stateful && i < states; i++) lc_rnn_write(c, i, r->states[i]);
        if (p.mask >= 0 && r->zero_masked && !r->sequences)
            y = lc_build_select(c->b, lc_tf_pick(t, p.mask, 1, -1), y, lc_build_scalar(c->b, "zero", 0));
    }
    if (r->cells[0].channels_first) {
        y = turn_channels(c, y, r->sequences ? 2 : 1, false);
        for (uint32_t i = 0; r->give_state && i < states; i++) r->states[i] = turn_channels(c, r->states[i], 1, false);
    }
    return r->time_major && r->sequences ? swap_time(c, y) : y;
}
