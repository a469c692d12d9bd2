/*
 * compare.c: two models on the same data. For each batch A runs first and the values that have a partner are kept as they are; then B
 * runs, and each of its values goes into sums beside its partner's; then each operator of B alone on A's inputs. So memory is one batch of
 * A's values, however many samples there are. A loop runs its body many times: the values of all rounds are kept one behind the other and
 * meet those of B's rounds in order.
 */
#include "api/compare.h"

#include <math.h>
#include <string.h>

#define RANDOM_SAMPLES 8

/* ---- keeping A's values ----------------------------------------------------------------------------------------------- */

static lc_status keep(lc_comparing *c, lc_cmp_kept *k, const lc_tensor_view *v) {
    if (v->size > c->most_bytes - c->kept_bytes) {
        lc_fail(c->err, LC_LIMIT, "the values of one batch need more than %llu bytes", (unsigned long long)c->most_bytes);
        lc_error_hint(c->err, "compare on smaller batches, or raise --max-memory");
        return LC_LIMIT;
    }
    if (v->size > k->capacity - k->size) {
        const size_t need = k->size + v->size; /* checked: below most_bytes */
        void *data = lc_realloc(k->data, need);
        if (!data) return lc_fail_memory(c->err, "values of one batch");
        k->data = data;
        k->capacity = need;
    }
    if (v->size) memcpy(k->data + k->size, v->data, v->size);
    k->size += v->size;
    c->kept_bytes += v->size;
    return LC_OK;
}

uint64_t lc_cmp_elements(const lc_tensor_view *v) {
    uint64_t n = v->data && v->rank >= 0;
    for (int32_t d = 0; d < v->rank; d++) n *= (uint64_t)v->dims[d]; /* checked: it is there in memory */
    return n;
}

/* The value of `side` that a watched tensor is, NULL: none that stands in a pair. */
static const lc_cmp_value *watched_value(const lc_cmp_side *side, const lc_watched *w) {
    const int32_t i = side->value_of[w->graph] ? side->value_of[w->graph][w->tensor] : -1;
    const lc_cmp_value *v = i < 0 ? NULL : &side->values[i];
    return v && v->pair >= 0 && !v->constant && v->tensor == w->tensor ? v : NULL;
}

static void watch_a(void *user, const lc_watched *w) {
    lc_comparing *c = user;
    const lc_cmp_value *v = watched_value(&c->a, w);
    if (!v || c->status) return;
    lc_cmp_kept *k = &c->kept[v - c->a.values];
    k->type = w->view.type;
    const uint64_t n = lc_cmp_numbers(&k->type, lc_cmp_elements(&w->view));
    /* Elements below a byte of two rounds would not lie one behind the other. */
    if (n == 0 || (k->times && lc_dtype_bits(k->type) < 8)) return;
    c->status = keep(c, k, &w->view);
    k->elements += n;
    k->times++;
}

/* ---- comparing B's with them ------------------------------------------------------------------------------------------ */

static lc_status begin_bins(lc_comparing *c, lc_cmp_seen *s, const lc_cmp_kept *k, lc_dtype type_b) {
    int64_t first, last;
    s->binned = true;
    s->bins_a = lc_arena_array(&c->arena, LC_COMPARE_BINS, sizeof *s->bins_a);
    s->bins_b = lc_arena_array(&c->arena, LC_COMPARE_BINS, sizeof *s->bins_b);
    if (!s->bins_a || !s->bins_b) return lc_fail_memory(c->err, "comparison");
    if (s->steps_b.n == 1 && lc_cmp_step_range(type_b, &first, &last)) {
        const double scale = (double)s->steps_b.scale[0], zero = s->steps_b.zero_n ? (double)s->steps_b.zero[0] : 0;
        const double steps = (double)(last - first + 1);
        s->bin_width = scale * fmax(steps / LC_COMPARE_BINS, 1);
        s->bin_first = ((double)first - zero - 0.5) * scale;
        return LC_OK;
    }
    double block[LC_CMP_BLOCK], low = (double)INFINITY, high = -(double)INFINITY;
    for (uint64_t from = 0; from < k->elements; from += LC_CMP_BLOCK) {
        const size_t n = k->elements - from < LC_CMP_BLOCK ? (size_t)(k->elements - from) : LC_CMP_BLOCK;
        lc_cmp_reals(k->type, k->data, &s->steps_a, from, n, block);
        for (size_t i = 0; i < n; i++) {
            if (isfinite(block[i]) && block[i] < low) low = block[i];
            if (isfinite(block[i]) && block[i] > high) high = block[i];
        }
    }
    s->bin_width = high > low ? (high - low) / (LC_COMPARE_BINS - 1) : 1;
    s->bin_first = (high >= low ? low : 0) - s->bin_width / 2;
    return LC_OK;
}

static size_t bin_of(const lc_cmp_seen *s, double x) {
    const double bin = (x - s->bin_first) / s->bin_width;
    return bin >= LC_COMPARE_BINS - 1 ? LC_COMPARE_BINS - 1 : bin > 0 ? (size_t)bin : 0;
}

static void count_steps(lc_cmp_seen *s, lc_dtype type, const double *a, const double *b, size_t n) {
    int64_t first, last;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(a[i])) s->bins_a[bin_of(s, a[i])]++;
        if (isfinite(b[i])) s->bins_b[bin_of(s, b[i])]++;
    }
    if (s->steps_b.n != 1 || !lc_cmp_step_range(type, &first, &last)) return;
    const double scale = (double)s->steps_b.scale[0], zero = s->steps_b.zero_n ? (double)s->steps_b.zero[0] : 0;
    const double low = ((double)first - zero) * scale, high = ((double)last - zero) * scale;
    for (size_t i = 0; i < n; i++) {
        s->at_low += b[i] <= low;
        s->at_high += b[i] >= high;
        s->cut_low += a[i] < low - scale;
        s->cut_high += a[i] > high + scale;
    }
}

static void watch_b(void *user, const lc_watched *w) {
    lc_comparing *c = user;
    const lc_cmp_value *v = watched_value(&c->b, w);
    if (!v || c->status) return;
    lc_cmp_seen *s = &c->seen[v - c->b.values];
    const lc_cmp_kept *k = &c->kept[v->pair];
    lc_dtype type = w->view.type;
    const uint64_t n = lc_cmp_numbers(&type, lc_cmp_elements(&w->view));
    s->shape.rank = w->view.rank;
    memcpy(s->shape.dims, w->view.dims, sizeof s->shape.dims);
    if (n == 0 || n > k->elements - s->met) return; /* another shape, or more rounds than in A: no partner */
    if (!s->binned) c->status = begin_bins(c, s, k, w->view.type);
    if (c->status) return;
    double a[LC_CMP_BLOCK], b[LC_CMP_BLOCK];
    for (uint64_t from = 0; from < n; from += LC_CMP_BLOCK) {
        const size_t count = n - from < LC_CMP_BLOCK ? (size_t)(n - from) : LC_CMP_BLOCK;
        lc_cmp_reals(k->type, k->data, &s->steps_a, s->met + from, count, a);
        lc_cmp_reals(type, w->view.data, &s->steps_b, from, count, b);
        lc_cmp_sums_add(&s->run, a, b, count);
        count_steps(s, w->view.type, a, b, count);
    }
    s->met += n;
}

/* Two outputs; in how many rows of the last dimension the largest stands at the same place. */
static void compare_output(lc_comparing *c, size_t i, const lc_tensor_view *va, const lc_tensor_view *vb, double *a, double *b,
                           uint64_t room) {
    lc_dtype ta = va->type, tb = vb->type;
    const uint64_t n = lc_cmp_numbers(&ta, lc_cmp_elements(va));
    const lc_cmp_steps sa = {.scale = &va->scale, .zero = &va->zero_point, .n = va->scale > 0, .zero_n = 1};
    const lc_cmp_steps sb = {.scale = &vb->scale, .zero = &vb->zero_point, .n = vb->scale > 0, .zero_n = 1};
    const uint64_t row = va->rank > 0 ? (uint64_t)va->dims[va->rank - 1] : 1;
    const bool ranked = row > 1 && row <= room && ta == va->type;
    for (uint64_t from = 0; from < n;) {
        const size_t count = (size_t)(ranked ? row : n - from < room ? n - from : room);
        size_t top = 0, top_b = 0;
        lc_cmp_reals(ta, va->data, &sa, from, count, a);
        lc_cmp_reals(tb, vb->data, &sb, from, count, b);
        lc_cmp_sums_add(&c->outputs[i], a, b, count);
        for (size_t k = 1; k < count; k++) {
            if (a[k] > a[top]) top = k;
            if (b[k] > b[top_b]) top_b = k;
        }
        if (ranked) c->rows[i]++, c->same[i] += b[top] >= b[top_b];
        from += count;
    }
}

/* Strings, and types that nothing here calculates with: the same or not. */
static void compare_equal(lc_comparing *c, size_t i, const lc_tensor_view *va, const lc_tensor_view *vb, uint64_t n) {
    lc_cmp_sums *s = &c->outputs[i];
    if (va->type != LC_STRING) {
        const bool same = va->type == vb->type && va->size == vb->size && (va->size == 0 || memcmp(va->data, vb->data, va->size) == 0);
        s->count += same ? n : 0;
        s->bad_apart += same ? 0 : n;
        return;
    }
    for (uint64_t k = 0; k < n; k++) {
        size_t length_a, length_b;
        const char *a = lc_tensor_string(va, (size_t)k, &length_a), *b = lc_tensor_string(vb, (size_t)k, &length_b);
        const bool same = length_a == length_b && (length_a == 0 || memcmp(a, b, length_a) == 0);
        s->count += same;
        s->bad_apart += !same;
    }
}

static lc_status compare_outputs(lc_comparing *c) {
    enum { ROOM = 65536 };
    double *block = lc_malloc(2 * ROOM * sizeof *block);
    if (!block) return lc_fail_memory(c->err, "comparison");
    lc_status status = LC_OK;
    for (size_t i = 0; i < lc_session_output_count(c->sa) && status == LC_OK; i++) {
        const lc_tensor_view va = lc_session_output(c->sa, i), vb = lc_session_output(c->sb, (size_t)c->output_of_b[i]);
        lc_dtype ta = va.type, tb = vb.type;
        const uint64_t na = lc_cmp_elements(&va), nb = lc_cmp_elements(&vb);
        const uint64_t numbers_a = lc_cmp_numbers(&ta, na), numbers_b = lc_cmp_numbers(&tb, nb); /* two for a complex one */
        if (na != nb)
            status = lc_fail(c->err, LC_INVALID, "output \"%.80s\" has %llu values, \"%.80s\" of the other model %llu", va.name,
                             (unsigned long long)na, vb.name, (unsigned long long)nb);
        else if (numbers_a && numbers_a == numbers_b) compare_output(c, i, &va, &vb, block, block + ROOM, ROOM);
        else compare_equal(c, i, &va, &vb, na);
    }
    lc_free(block);
    return status;
}

/* ---- one batch --------------------------------------------------------------------------------------------------------- */

static void begin_batch(lc_comparing *c) {
    for (size_t i = 0; i < c->a.count; i++) c->kept[i].size = c->kept[i].elements = c->kept[i].times = 0;
    for (size_t i = 0; i < c->b.count; i++) {
        c->seen[i].met = 0;
        c->seen[i].run = (lc_cmp_sums){0};
    }
    c->kept_bytes = 0;
}

static void end_batch(lc_comparing *c) {
    for (size_t i = 0; i < c->b.count; i++) {
        lc_cmp_seen *s = &c->seen[i];
        if (s->met == 0) continue;
        const lc_difference d = lc_cmp_difference(&s->run);
        s->runs++;
        s->run_elements += (double)s->met;
        s->run_stddev += d.stddev;
        s->run_mean += d.mean_error;
        s->run_max += d.max_abs_error;
        s->run_square += d.mean_squared_error;
        lc_cmp_sums_join(&s->total, &s->run);
    }
}

static lc_status run_session(lc_comparing *c, lc_session *s, const char *which) {
    lc_status status = lc_session_run(s, c->err);
    if (status == LC_OK) status = c->status;
    else if (c->err) lc_error_prefix(c->err, "%s", which);
    return status;
}

static lc_status run_batch(lc_comparing *c) {
    begin_batch(c);
    lc_session_reset(c->sa);
    lc_session_reset(c->sb);
    LC_TRY(run_session(c, c->sa, "running A"));
    LC_TRY(run_session(c, c->sb, "running B"));
    LC_TRY(compare_outputs(c));
    if (!c->o->no_local) LC_TRY(lc_cmp_locals_run(c));
    end_batch(c);
    return LC_OK;
}

static lc_status next_batch(lc_comparing *c, lc_data *data, uint64_t *state, uint32_t *samples) {
    if (data) {
        LC_TRY(lc_data_next(data, c->sa, samples, c->err));
        return *samples ? lc_data_again(data, c->sb, c->err) : LC_OK;
    }
    *samples = c->samples < (c->o->samples ? c->o->samples : RANDOM_SAMPLES);
    return *samples ? lc_cmp_made_up(c->sa, c->sb, c->input_of_b, c->spans, state, c->err) : LC_OK;
}

static lc_status run_all(lc_comparing *c, lc_data *data) {
    uint64_t state = c->o->seed, count = data ? lc_data_count(data) : RANDOM_SAMPLES;
    if (count == UINT64_MAX) count = 0;
    if (c->o->samples && (!data || count == 0 || c->o->samples < count)) count = c->o->samples;
    while (!c->o->samples || c->samples < c->o->samples) {
        uint32_t samples = 0;
        LC_TRY(next_batch(c, data, &state, &samples));
        if (samples == 0) break;
        LC_TRY(run_batch(c));
        c->samples += samples;
        if (c->o->progress) c->o->progress(c->o->progress_user, c->samples < count || !count ? c->samples : count, count);
    }
    for (size_t i = 0; c->samples && i < c->sa->output_count; i++)
        if (c->outputs[i].count + c->outputs[i].bad_a + c->outputs[i].bad_b + c->outputs[i].bad_apart) return LC_OK;
    if (c->samples) {
        lc_fail(c->err, LC_INVALID, "the outputs have no values: there is nothing to compare");
        lc_error_hint(c->err, "%s", data ? "check the shape of the samples" : "give samples of a size the model is for: --data FILE");
        return LC_INVALID;
    }
    lc_fail(c->err, LC_INVALID, "the data has no samples");
    lc_error_hint(c->err, "give data with at least one sample, or none: made-up numbers are used then");
    return LC_INVALID;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------- */

static lc_status prepare(lc_comparing *c, lc_model *a, lc_model *b) {
    const lc_session_options of_a = {
        .threads = c->o->threads, .max_memory = c->o->max_memory, .signature = c->o->signature, .watch = watch_a, .watch_user = c};
    lc_session_options of_b = of_a;
    of_b.watch = watch_b;
    LC_TRY(lc_session_create(a, &of_a, &c->sa, c->err));
    LC_TRY(lc_session_create(b, &of_b, &c->sb, c->err));
    const size_t inputs = c->sa->input_count, outputs = c->sa->output_count;
    c->input_of_b = lc_arena_array(&c->arena, inputs + 1, sizeof *c->input_of_b);
    c->output_of_b = lc_arena_array(&c->arena, outputs + 1, sizeof *c->output_of_b);
    c->spans = lc_arena_array(&c->arena, inputs + 1, sizeof *c->spans);
    c->outputs = lc_arena_array(&c->arena, outputs + 1, sizeof *c->outputs);
    c->rows = lc_arena_array(&c->arena, outputs + 1, sizeof *c->rows);
    c->same = lc_arena_array(&c->arena, outputs + 1, sizeof *c->same);
    int32_t *in = lc_arena_array(&c->arena, inputs + 1, sizeof *in), *out = lc_arena_array(&c->arena, outputs + 1, sizeof *out);
    if (!c->input_of_b || !c->output_of_b || !c->spans || !c->outputs || !c->rows || !c->same || !in || !out)
        return lc_fail_memory(c->err, "comparison");
    LC_TRY(lc_cmp_match(c, lc_session_input, lc_session_find_input, inputs, c->sb->input_count, "input", c->input_of_b));
    LC_TRY(lc_cmp_match(c, lc_session_output, lc_session_find_output, outputs, c->sb->output_count, "output", c->output_of_b));
    for (size_t i = 0; i < inputs; i++) in[i] = c->sb->inputs[c->input_of_b[i]];
    for (size_t i = 0; i < outputs; i++) out[i] = c->sb->outputs[c->output_of_b[i]];
    const lc_cmp_ends ends = {.graph_a = lc_cmp_graph_index(a, c->sa->graph),
                              .graph_b = lc_cmp_graph_index(b, c->sb->graph),
                              .inputs_a = c->sa->inputs,
                              .inputs_b = in,
                              .input_count = inputs,
                              .outputs_a = c->sa->outputs,
                              .outputs_b = out,
                              .output_count = outputs};
    LC_TRY(lc_cmp_side_init(&c->a, a, ends.graph_a, c->err));
    LC_TRY(lc_cmp_side_init(&c->b, b, ends.graph_b, c->err));
    LC_TRY(lc_cmp_pair(&c->a, &c->b, &ends, c->err));
    c->kept = lc_calloc(c->a.count ? c->a.count : 1, sizeof *c->kept);
    c->seen = lc_calloc(c->b.count ? c->b.count : 1, sizeof *c->seen);
    if (!c->kept || !c->seen) return lc_fail_memory(c->err, "comparison");
    for (size_t i = 0; i < inputs; i++) c->spans[i] = lc_cmp_span_of(c, i);
    for (size_t i = 0; i < c->b.count; i++) {
        const lc_cmp_value *v = &c->b.values[i], *of = v->pair < 0 ? NULL : &c->a.values[v->pair];
        if (!of || v->constant) continue;
        LC_TRY(lc_cmp_steps_of(a->graphs[of->graph], lc_cmp_tensor(&c->a, of), &c->arena, &c->seen[i].steps_a, c->err));
        LC_TRY(lc_cmp_steps_of(b->graphs[v->graph], lc_cmp_tensor(&c->b, v), &c->arena, &c->seen[i].steps_b, c->err));
    }
    return c->o->no_local ? LC_OK : lc_cmp_locals_make(c);
}

static void end(lc_comparing *c) {
    for (size_t i = 0; c->kept && i < c->a.count; i++) lc_free(c->kept[i].data);
    for (size_t i = 0; c->seen && i < c->b.count; i++) lc_cmp_local_deinit(&c->seen[i].alone);
    lc_free(c->kept);
    lc_free(c->seen);
    lc_cmp_side_deinit(&c->a);
    lc_cmp_side_deinit(&c->b);
    lc_session_destroy(c->sa);
    lc_session_destroy(c->sb);
    lc_arena_deinit(&c->arena);
}

lc_status lc_compare(lc_model *a, lc_model *b, lc_data *data, const lc_compare_options *options, lc_comparison **result, lc_error *err) {
    static const lc_compare_options defaults = {0};
    lc_error local;
    if (!err) err = &local;
    lc_error_clear(err);
    if (!result) return lc_fail(err, LC_ARGUMENT, "lc_compare needs a place for the result");
    *result = NULL;
    if (!a || !b) return lc_fail(err, LC_ARGUMENT, "lc_compare needs two models");
    lc_comparing c = {.o = options ? options : &defaults, .err = err};
    c.most_bytes = c.o->max_memory ? c.o->max_memory : LC_SESSION_MAX_MEMORY;
    lc_status status = prepare(&c, a, b);
    if (status == LC_OK) status = run_all(&c, data);
    if (status == LC_OK) status = lc_cmp_result(&c, !data, result, err);
    end(&c);
    return status;
}
