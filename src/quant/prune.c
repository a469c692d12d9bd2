/*
 * prune.c: the smallest weights become zero: a fraction of each constant, or of several together, or all but N of each M neighbours along
 * the inputs of the operator (the last ones of a row may be fewer than M). Of weights as large as each other the first go first, so that
 * the same model always gives the same zeros. A constant that several operators read is pruned once, as the first of them wants it.
 *
 * What is pruned: constants of weights (operand.c) in float32, dense, of min_weights elements or more. Without a pattern that names them, filters
 * of depthwise convolutions and tables stay: there an output has few weights, and misses each.
 */
#include "quant/prune.h"

#include "ir/constant.h"
#include "quant/quant.h"

#include <math.h>
#include <string.h>

enum { LEAST = 1024, MOST_NEIGHBOURS = 64, BINS = 1 << 16 };

/* ---- what is asked for ---------------------------------------------------------------------------------------------------- */

static lc_status no_sparsity(const char *text, size_t size, lc_error *err) {
    lc_fail(err, LC_ARGUMENT, "\"%.*s\" is no sparsity", (int)(size > 100 ? 100 : size), text);
    lc_error_hint(err, "a fraction under 1 that becomes zero, 0.8 or 80%%, or how many of so many neighbours stay, 2:4");
    return LC_ARGUMENT;
}

/* Up to six digits; false: none, or more. */
static bool digits(const char **at, const char *end, uint32_t *value, uint32_t *power) {
    const char *from = *at;
    *value = 0;
    *power = 1;
    for (; *at < end && **at >= '0' && **at <= '9' && *at - from < 6; ++*at, *power *= 10) *value = *value * 10 + (uint32_t)(**at - '0');
    return *at > from && !(*at < end && **at >= '0' && **at <= '9');
}

lc_status lc_sparsity_read(const char *text, size_t size, lc_sparsity *sparsity, lc_error *err) {
    const char *at = text, *end = text + size;
    uint32_t whole, part = 0, power = 1;
    *sparsity = (lc_sparsity){0};
    if (at < end && *at == '.') whole = 0;
    else if (!digits(&at, end, &whole, &power)) return no_sparsity(text, size, err);
    power = 1;
    if (at < end && *at == ':') {
        at++;
        if (!digits(&at, end, &part, &power) || at < end || !whole || whole >= part || part > MOST_NEIGHBOURS)
            return no_sparsity(text, size, err);
        sparsity->keep = whole;
        sparsity->of = part;
        return LC_OK;
    }
    if (at < end && *at == '.') {
        at++;
        if (!digits(&at, end, &part, &power)) return no_sparsity(text, size, err);
    }
    const bool percent = at < end && *at == '%';
    sparsity->fraction = (whole + (double)part / power) / (percent ? 100 : 1);
    return at + percent == end && sparsity->fraction < 1 ? LC_OK : no_sparsity(text, size, err);
}

/* One part of `layers`: a pattern and what it asks for. */
typedef struct part {
    const char *pattern;
    lc_sparsity sparsity;
    bool used;
} part;

typedef struct choice {
    lc_sparsity usual;
    part *parts;
    size_t count, capacity;
} choice;

static lc_status read_part(const char *text, size_t size, lc_arena *arena, choice *c, lc_error *err) {
    const char *equals = memchr(text, '=', size);
    void *items = c->parts;
    if (!equals || equals == text) {
        lc_fail(err, LC_ARGUMENT, "\"%.*s\" is no PATTERN=SPARSITY", (int)(size > 200 ? 200 : size), text);
        lc_error_hint(err, "for example dense_1=0.9;conv*=2:4");
        return LC_ARGUMENT;
    }
    if (!lc_arena_grow(arena, &items, &c->capacity, c->count + 1, sizeof *c->parts)) return lc_fail_memory(err, "layers");
    c->parts = items;
    part *p = &c->parts[c->count++];
    *p = (part){.pattern = lc_arena_strndup(arena, text, (size_t)(equals - text))};
    if (!p->pattern) return lc_fail_memory(err, "layers");
    return lc_sparsity_read(equals + 1, (size_t)(text + size - equals - 1), &p->sparsity, err);
}

static lc_status read_choice(const lc_prune_options *o, lc_arena *arena, choice *c, lc_error *err) {
    *c = (choice){0};
    if (o->sparsity) LC_TRY(lc_sparsity_read(o->sparsity, strlen(o->sparsity), &c->usual, err));
    for (const char *at = o->layers; at && *at;) {
        const size_t size = strcspn(at, ";");
        if (size) LC_TRY(read_part(at, size, arena, c, err));
        at += size + (at[size] == ';');
    }
    return LC_OK;
}

/* What is asked for the weights of a node; *named: by a pattern. */
static lc_sparsity choose(choice *c, const lc_graph *graph, const lc_node *node, bool *named) {
    lc_sparsity s = c->usual;
    *named = false;
    for (size_t i = 0; i < c->count; i++) {
        if (!lc_recipe_fits(c->parts[i].pattern, graph, node)) continue;
        c->parts[i].used = *named = true;
        s = c->parts[i].sparsity;
    }
    return s;
}

/* ---- the weights ------------------------------------------------------------------------------------------------------------ */

static bool is_float_weights(const lc_tensor *t, uint64_t least) {
    uint64_t n;
    return t->type == LC_FLOAT32 && lc_tensor_is_const(t) && !t->is_variable && !t->sparsity && lc_tensor_elements(t, &n) && n >= least &&
           n <= SIZE_MAX / sizeof(float);
}

static int32_t summed_over(const lc_graph *graph, const lc_node *node, const lc_operand *o) {
    if (!o) return 1; /* of a cell: [cells, depth] */
    if (node->op != LC_OP_BATCH_MATMUL) return o->inputs;
    return graph->tensors[node->inputs[1]].rank - (LC_OP_ATTRS(node, BatchMatMulOptions)->adj_y ? 1 : 2);
}

/* The constant's floats in memory of its own, to be changed. */
static lc_status own_floats(lc_weights *w, lc_error *err) {
    lc_tensor *t = &w->graph->tensors[w->tensor];
    float *f = lc_arena_data(&w->graph->model->arena, w->count * sizeof *f);
    if (!f) return lc_fail_memory(err, "weights");
    if (t->data) memcpy(f, t->data, w->count * sizeof *f);
    else lc_deferred_fill(t->deferred, 0, t->deferred->cols, f);
    t->data = w->data = f;
    t->deferred = NULL;
    t->size = w->count * sizeof *f;
    t->data_at = LC_NO_OFFSET;
    t->data_owned = true;
    return LC_OK;
}

static lc_status add_weights(lc_graph *graph, const lc_node *node, int32_t slot, const lc_operand *o, choice *c,
                             const lc_prune_options *options, bool *seen, lc_arena *temporary, lc_weights_list *list, lc_error *err) {
    const int32_t t = node->inputs[slot];
    const uint64_t least = options->min_weights ? options->min_weights : LEAST;
    void *items = list->items;
    uint64_t n = 0;
    bool named;
    if (t < 0 || !is_float_weights(&graph->tensors[t], least)) return LC_OK;
    lc_sparsity s = choose(c, graph, node, &named);
    if (seen[t]) return LC_OK;
    seen[t] = true;
    if (!lc_arena_grow(temporary, &items, &list->capacity, list->count + 1, sizeof *list->items)) return lc_fail_memory(err, "weights");
    list->items = items;
    lc_tensor_elements(&graph->tensors[t], &n);
    lc_weights w = {.graph = graph, .tensor = t, .inputs = summed_over(graph, node, o), .count = (size_t)n};
    if (w.inputs >= graph->tensors[t].rank) w.inputs = LC_OPERAND_NO_AXIS;
    if ((named || w.inputs >= 0) && !(s.of && w.inputs < 0)) w.sparsity = s;
    w.pooled = options->global && !named && w.sparsity.fraction > 0;
    if (w.sparsity.fraction > 0 || w.sparsity.of || options->clusters) LC_TRY(own_floats(&w, err));
    list->items[list->count++] = w;
    return LC_OK;
}

static lc_status collect_graph(lc_graph *graph, choice *c, const lc_prune_options *options, lc_arena *temporary, lc_weights_list *list,
                               lc_error *err) {
    bool *seen = lc_arena_array(temporary, graph->tensor_count, sizeof *seen), cell;
    if (!seen) return lc_fail_memory(err, "weights");
    for (size_t i = 0; i < graph->node_count; i++) {
        const lc_node *node = &graph->nodes[i];
        int32_t slots[LC_OPERAND_MOST_SLOTS];
        const lc_operand *o = lc_operand_of(node, -1);
        uint32_t count = lc_operand_cell(node, slots, &cell);
        if (o) slots[count++] = o->input;
        for (uint32_t k = 0; k < count; k++) LC_TRY(add_weights(graph, node, slots[k], o, c, options, seen, temporary, list, err));
    }
    return LC_OK;
}

lc_status lc_weights_collect(lc_model *model, const lc_prune_options *options, lc_arena *temporary, lc_weights_list *list, lc_error *err) {
    choice c;
    *list = (lc_weights_list){0};
    LC_TRY(read_choice(options, temporary, &c, err));
    for (size_t g = 0; g < model->graph_count; g++) LC_TRY(collect_graph(model->graphs[g], &c, options, temporary, list, err));
    if (list->count == 0) {
        lc_fail(err, LC_ARGUMENT, "the model has no float weights to prune or cluster: no constant of %u elements or more",
                options->min_weights ? options->min_weights : (unsigned)LEAST);
        lc_error_hint(err, "prune and cluster the float model, then quantise what comes out");
        return LC_ARGUMENT;
    }
    for (size_t i = 0; i < c.count; i++) {
        if (c.parts[i].used) continue;
        lc_fail(err, LC_ARGUMENT, "no layer with weights is called \"%s\"", c.parts[i].pattern);
        lc_error_hint(err, "litec inspect prints the names; * stands for any text, op:CONV_2D for an operator");
        return LC_ARGUMENT;
    }
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].data) return LC_OK;
    lc_fail(err, LC_ARGUMENT, "nothing to do: the sparsity is 0 for each of the model's %zu constants of weights", list->count);
    lc_error_hint(err, "depthwise filters and tables are pruned where a pattern names them; others by the sparsity of all");
    return LC_ARGUMENT;
}

/* ---- pruning ---------------------------------------------------------------------------------------------------------------- */

/* Orders floats by magnitude; NaN is the largest. */
static uint32_t magnitude(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits & 0x7fffffff;
}

/* Which of the weights are visited: one constant, or all that are pooled. */
static bool visits(const lc_weights *w, const lc_weights *one) { return one ? w == one : w->pooled; }

/* Counts the bins of 16 bits of magnitudes; low: of those whose high bits are `high`. */
static void count_bins(const lc_weights_list *list, const lc_weights *one, bool low, uint32_t high, uint64_t *bins) {
    memset(bins, 0, BINS * sizeof *bins);
    for (size_t k = 0; k < list->count; k++) {
        const lc_weights *w = &list->items[k];
        for (size_t i = 0; visits(w, one) && i < w->count; i++) {
            const uint32_t m = magnitude(w->data[i]);
            if (!low) bins[m >> 16]++;
            else if (m >> 16 == high) bins[m & 0xffff]++;
        }
    }
}

/* The bin in which item *rank (from 0) lies; *rank becomes its place in it. */
static uint32_t bin_of(const uint64_t *bins, uint64_t *rank) {
    uint32_t b = 0;
    while (b < BINS - 1 && *rank >= bins[b]) *rank -= bins[b++];
    return b;
}

static void prune_fraction(const lc_weights_list *list, const lc_weights *one, double fraction, uint64_t *bins) {
    uint64_t all = 0;
    for (size_t k = 0; k < list->count; k++) all += visits(&list->items[k], one) ? list->items[k].count : 0;
    uint64_t rank = (uint64_t)((double)all * fraction + 1e-6); /* that many go: the weight of this rank stays, and the larger ones */
    if (rank == 0) return;
    count_bins(list, one, false, 0, bins);
    const uint32_t high = bin_of(bins, &rank);
    count_bins(list, one, true, high, bins);
    const uint32_t threshold = high << 16 | bin_of(bins, &rank); /* now rank: how many as large as it go */
    for (size_t k = 0; k < list->count; k++) {
        const lc_weights *w = &list->items[k];
        for (size_t i = 0; visits(w, one) && i < w->count; i++) {
            const uint32_t m = magnitude(w->data[i]);
            if (m > threshold || (m == threshold && rank == 0)) continue;
            if (m == threshold) rank--;
            w->data[i] = 0;
        }
    }
}

/* All but `keep` of the n weights at x, x + step ... */
static void prune_neighbours(float *x, size_t n, size_t step, uint32_t keep) {
    size_t left = 0;
    for (size_t i = 0; i < n; i++) left += x[i * step] != 0;
    for (; left > keep; left--) {
        float *least = NULL;
        for (size_t i = 0; i < n; i++)
            if (x[i * step] != 0 && (!least || magnitude(x[i * step]) < magnitude(*least))) least = x + i * step;
        *least = 0;
    }
}

void lc_prune_pattern(float *data, const int32_t *dims, int32_t rank, int32_t axis, const lc_sparsity *sparsity) {
    size_t inner = 1, rows = 1;
    for (int32_t d = 0; d < rank; d++) {
        if (d < axis) rows *= (size_t)dims[d];
        if (d > axis) inner *= (size_t)dims[d];
    }
    const size_t n = (size_t)dims[axis], of = sparsity->of;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < inner; c++)
            for (size_t i = 0; i < n; i += of)
                prune_neighbours(data + (r * n + i) * inner + c, n - i < of ? n - i : of, inner, sparsity->keep);
}

lc_status lc_weights_prune(const lc_weights_list *list, lc_error *err) {
    double pooled = 0;
    uint64_t *bins = lc_malloc(BINS * sizeof *bins);
    if (!bins) return lc_fail_memory(err, "pruning");
    for (size_t i = 0; i < list->count; i++) {
        const lc_weights *w = &list->items[i];
        if (w->pooled) pooled = w->sparsity.fraction;
        else if (w->sparsity.of) {
            const lc_tensor *t = &w->graph->tensors[w->tensor];
            lc_prune_pattern(w->data, t->dims, t->rank, w->inputs, &w->sparsity);
        } else if (w->sparsity.fraction > 0) prune_fraction(list, w, w->sparsity.fraction, bins);
    }
    if (pooled > 0) prune_fraction(list, NULL, pooled, bins);
    lc_free(bins);
    return LC_OK;
}
