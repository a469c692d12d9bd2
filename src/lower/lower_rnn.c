/*
 * lower_rnn.c: the recurrent layers: what their configuration says, their states and masks. What computes is in rnn_run.c.
 *
 * Inputs of a call: the sequence, then initial states in Keras's order (of every cell of a stack), and a mask where the call names one;
 * otherwise the mask that comes with the sequence counts. Outputs: the sequence or its last row, then the last states (return_state). The
 * mask goes on from a layer that returns sequences.
 *
 * Refused: cells that are not Keras's own, constants handed to a cell, dropout in training.
 */
#include "lower/rnn.h"

#include <string.h>

static lc_cell *add_cells(lc_call *c, lc_rnn *r, uint32_t n) {
    r->cells = lc_arena_array(&c->lower->scratch, n, sizeof *r->cells);
    r->cell_count = n;
    if (!r->cells) lc_build_check(c->b, lc_fail_memory(c->b->err, "cells"));
    return r->cells;
}

static void set_call(lc_call *c, lc_cell *cell) {
    cell->call = *c;
    cell->call.layer = &cell->layer;
    cell->call.config = cell->layer.config;
    cell->call.slots = cell->slots;
}

/* The one cell that is the layer itself. */
static lc_cell *own_cell(lc_call *c, lc_rnn *r, const lc_cell_kind *kind) {
    lc_cell *cell = add_cells(c, r, 1);
    if (!cell) return NULL;
    cell->kind = kind;
    cell->layer = *c->layer;
    cell->layer.config = c->config;
    set_call(c, cell);
    return cell;
}

/* ---- RNN(cell) ------------------------------------------------------------------------------------------------------------ */

static bool read_cell(lc_call *c, lc_cell *cell, const lc_json *json, const char *prefix, uint32_t *first) {
    const char *class_name = lc_json_str(json, "class_name", NULL);
    cell->kind = strchr(lc_json_str(json, "registered_name", ""), '>') ? NULL : lc_cell_find(class_name);
    if (!cell->kind) {
        lc_build_fail(c->b, LC_UNSUPPORTED, "its cell is of class %.100s; litec knows LSTMCell, GRUCell and SimpleRNNCell",
                      class_name ? class_name : "unknown");
        lc_build_hint(c->b,
                      "export the model as SavedModel (model.export): there a cell of your own is operators; or build it of Keras's cells");
        return false;
    }
    const lc_json *bias = lc_json_get(lc_json_get(json, "config"), "use_bias");
    const uint32_t count = lc_json_is(bias, LC_JSON_BOOL) && !bias->boolean ? 2 : 3;
    if (!lc_part(c, json, prefix, *first, count, &cell->layer)) return false;
    *first += count;
    set_call(c, cell);
    return true;
}

/* The n-th of a class in a list, as .keras files name it. */
static bool read_stack(lc_call *c, lc_rnn *r, const lc_json *cells) {
    uint32_t first = 0;
    if (!lc_json_is(cells, LC_JSON_ARRAY) || !cells->count) {
        lc_opt_fail(c, "cells", "needs a list of cells");
        return false;
    }
    if (cells->count > LC_RNN_STATES / LC_CELL_STATES) {
        lc_build_fail(c->b, LC_UNSUPPORTED, "it is a stack of %u cells, litec runs up to %d", cells->count, LC_RNN_STATES / LC_CELL_STATES);
        lc_build_hint(c->b, "split the stack in two: an RNN that returns its sequence, and one behind it");
        return false;
    }
    if (!add_cells(c, r, cells->count)) return false;
    for (uint32_t k = 0; k < cells->count; k++) {
        const lc_json *json = lc_json_at(cells, k);
        const lc_cell_kind *kind = lc_cell_find(lc_json_str(json, "class_name", NULL));
        char prefix[80] = "";
        uint32_t number = 0;
        for (uint32_t i = 0; i < k; i++) number += lc_cell_find(lc_json_str(lc_json_at(cells, i), "class_name", NULL)) == kind;
        if (kind && number) snprintf(prefix, sizeof prefix, "cell/cells/%s_%u/", kind->snake, number);
        else if (kind) snprintf(prefix, sizeof prefix, "cell/cells/%s/", kind->snake);
        if (!read_cell(c, &r->cells[k], json, prefix, &first)) return false;
    }
    if (!lc_part_by_name(c->layer) && first != c->layer->weight_count) {
        lc_build_fail(c->b, LC_INVALID, "the file holds %u arrays for it, its %u cells need %u", c->layer->weight_count, cells->count,
                      first);
        return false;
    }
    return true;
}

static bool read_cells(lc_call *c, lc_rnn *r) {
    const lc_json *cell = lc_opt(c, "cell"), *constants = lc_opt(c, "num_constants");
    uint32_t first = 0;
    if (constants && !(lc_json_is(constants, LC_JSON_INT) && constants->integer == 0)) {
        lc_opt_fail(c, "num_constants", "litec hands no constants to cells");
        return false;
    }
    if (lc_json_is(cell, LC_JSON_ARRAY)) return read_stack(c, r, cell);
    if (strcmp(lc_json_str(cell, "class_name", ""), "StackedRNNCells") == 0)
        return read_stack(c, r, lc_json_get(lc_json_get(cell, "config"), "cells"));
    return add_cells(c, r, 1) && read_cell(c, r->cells, cell, "cell/", &first);
}

/* ---- the layer --------------------------------------------------------------------------------------------------------------- */

/* States and mask among the call's tensors. */
static void read_inputs(lc_call *c, lc_rnn *r) {
    const lc_json *argument = lc_call_argument(c, 2, "mask");
    const int32_t mask = argument ? lc_call_tensor(c, argument) : -1;
    bool taken = false;
    r->mask = mask >= 0 ? mask : lc_call_mask(c, 0);
    for (uint32_t i = 1; i < c->in_count; i++) {
        if (mask >= 0 && !taken && c->in[i] == mask) {
            taken = true;
            continue;
        }
        if (r->given_count == LC_RNN_STATES) {
            lc_build_fail(c->b, LC_UNSUPPORTED, "it is called with more than %d initial states", LC_RNN_STATES);
            return;
        }
        r->given[r->given_count++] = c->in[i];
    }
    /* Keras 3 hands a mask on by itself only where a call has one tensor argument. */
    if (!c->lower->keras2 && c->call && !argument && r->given_count) r->mask = -1;
}

static bool drops(lc_call *c, const char *key) { return lc_opt_num(c, key, 0) > 0; }

static int32_t finish(lc_call *c, lc_rnn *r) {
    r->sequences = lc_opt_bool(c, "return_sequences", false);
    r->give_state = lc_opt_bool(c, "return_state", false);
    r->backwards = lc_opt_bool(c, "go_backwards", false);
    r->stateful = lc_opt_bool(c, "stateful", false);
    r->unroll = lc_opt_bool(c, "unroll", false);
    r->time_major = lc_opt_bool(c, "time_major", false);
    r->zero_masked = lc_opt_bool(c, "zero_output_for_mask", false);
    if ((drops(c, "dropout") || drops(c, "recurrent_dropout")) && !lc_call_inference(c)) return -1;
    read_inputs(c, r);
    const int32_t y = lc_rnn_run(c, r, lc_call_float(c, 0));
    for (uint32_t i = 0; r->give_state && i < r->state_count; i++) lc_call_give(c, i + 1, r->states[i]);
    if (r->sequences) lc_call_give_mask(c, r->mask >= 0 ? r->mask : lc_call_mask(c, 0));
    return y;
}

static int32_t simple(lc_call *c, const char *cell) {
    lc_rnn r = {0};
    return own_cell(c, &r, lc_cell_find(cell)) ? finish(c, &r) : -1;
}

int32_t lc_lower_lstm(lc_call *c) { return simple(c, "LSTMCell"); }
int32_t lc_lower_gru(lc_call *c) { return simple(c, "GRUCell"); }
int32_t lc_lower_simple_rnn(lc_call *c) { return simple(c, "SimpleRNNCell"); }

int32_t lc_lower_rnn(lc_call *c) {
    lc_rnn r = {0};
    return read_cells(c, &r) ? finish(c, &r) : -1;
}

static int32_t conv_lstm(lc_call *c, int32_t rank) {
    lc_rnn r = {0};
    lc_cell *cell = own_cell(c, &r, &lc_cell_conv_lstm);
    if (!cell) return -1;
    cell->rank = rank;
    cell->channels_first = lc_opt_channels_first(c);
    return finish(c, &r);
}

int32_t lc_lower_conv_lstm1d(lc_call *c) { return conv_lstm(c, 1); }
int32_t lc_lower_conv_lstm2d(lc_call *c) { return conv_lstm(c, 2); }
int32_t lc_lower_conv_lstm3d(lc_call *c) { return conv_lstm(c, 3); }
