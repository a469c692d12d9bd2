/*
 * compare_result.c: from sums to figures: one row a tensor that both models have, those that run in the order of B's operators, then the
 * constants, which need no run. Everything is copied, so that the models may go.
 */
#include "api/compare.h"

#include <math.h>
#include <string.h>

/* The caller's part first. */
typedef struct holder {
    lc_comparison c;
    lc_arena arena;
} holder;

void lc_comparison_destroy(lc_comparison *comparison) {
    holder *h = (holder *)comparison;
    if (!h) return;
    lc_arena_deinit(&h->arena);
    lc_free(h);
}

typedef struct making {
    const lc_comparing *from;
    holder *to;
    lc_compared *rows;
    size_t count;
    bool failed; /* memory was out */
} making;

static const char *copy(making *m, const char *s, size_t n) {
    const char *text = lc_arena_strndup(&m->to->arena, s ? s : "", s ? n : 0);
    m->failed |= !text;
    return text;
}
static const char *copy_str(making *m, lc_str s) { return copy(m, s.data, s.size); }

static const char *op_of(const lc_cmp_side *s, const lc_cmp_value *v) {
    const lc_node *n = lc_cmp_node(s, v);
    return !n ? "" : n->op == LC_OP_CUSTOM && n->custom_code.data ? n->custom_code.data : lc_op_name(n->op);
}

/* What names the operator for `--layer`: the source's layer, or as much of the tensor's name as such a pattern can say. */
static const char *layer_of(making *m, const lc_cmp_side *s, const lc_cmp_value *v) {
    const lc_node *n = lc_cmp_node(s, v);
    const lc_str name = lc_cmp_tensor(s, v)->name;
    if (n && n->layer) return copy(m, n->layer, strlen(n->layer));
    size_t end = 0;
    while (end < name.size && name.data[end] != ';' && name.data[end] != '=') end++;
    char *text = lc_arena_printf(&m->to->arena, "%.*s%s", (int)end, name.data ? name.data : "", end < name.size ? "*" : "");
    m->failed |= !text;
    return text;
}

static lc_compared *add_row(making *m, const lc_cmp_value *vb) {
    const lc_cmp_side *a = &m->from->a, *b = &m->from->b;
    const lc_cmp_value *va = &a->values[vb->pair];
    const lc_tensor *ta = lc_cmp_tensor(a, va), *tb = lc_cmp_tensor(b, vb);
    lc_compared *r = &m->rows[m->count++];
    *r = (lc_compared){.name_a = copy_str(m, ta->name),
                       .name_b = copy_str(m, tb->name),
                       .op_a = copy_str(m, lc_str_of(op_of(a, va))),
                       .op_b = copy_str(m, lc_str_of(op_of(b, vb))),
                       .layer = layer_of(m, a, va),
                       .input_op = "",
                       .type_a = ta->type,
                       .type_b = tb->type,
                       .graph_b = (uint32_t)vb->graph,
                       .step = vb->node < 0 ? 0 : (uint32_t)vb->node,
                       .tensor_a = va->tensor,
                       .tensor_b = vb->tensor,
                       .snr_in = (double)INFINITY,
                       .channel = -1,
                       .constant = vb->constant};
    lc_tensor_scale(tb, &r->scale, &r->zero_point);
    return r;
}

/* ---- tensors that run ---------------------------------------------------------------------------------------------------- */

static double share(uint64_t part, uint64_t all) { return all ? (double)part / (double)all : 0; }

static const uint64_t *copy_bins(making *m, const uint64_t *bins) {
    uint64_t *copied = lc_arena_array(&m->to->arena, LC_COMPARE_BINS, sizeof *copied);
    m->failed |= !copied;
    if (copied) memcpy(copied, bins, LC_COMPARE_BINS * sizeof *copied);
    return copied;
}

static double snr_in(const lc_comparing *c, const lc_cmp_value *v) {
    const lc_node *n = lc_cmp_node(&c->b, v);
    double worst = (double)INFINITY;
    for (uint32_t i = 0; n && i < n->input_count; i++) {
        const int32_t in = lc_cmp_input(&c->b, v, n, i);
        if (in < 0 || c->b.values[in].constant || c->b.values[in].pair < 0 || !c->seen[in].runs) continue;
        worst = fmin(worst, lc_cmp_difference(&c->seen[in].total).snr);
    }
    return worst;
}

/* Whether B's operator hands the steps of its input on: it has none of its own to be blamed for. */
static bool keeps_steps(const lc_cmp_side *b, const lc_cmp_value *v) {
    const lc_node *n = lc_cmp_node(b, v);
    const int32_t in = n && n->input_count ? lc_cmp_input(b, v, n, 0) : -1;
    float scale, scale_in;
    int64_t zero, zero_in;
    if (in < 0 || b->values[in].constant) return false;
    lc_tensor_scale(lc_cmp_tensor(b, v), &scale, &zero);
    lc_tensor_scale(lc_cmp_tensor(b, &b->values[in]), &scale_in, &zero_in);
    return scale > 0 && scale == scale_in && zero == zero_in;
}

static void add_tensor(making *m, size_t i) {
    const lc_comparing *c = m->from;
    const lc_cmp_seen *s = &c->seen[i];
    lc_compared *r = add_row(m, &c->b.values[i]);
    int64_t first, last;
    r->runs = s->runs;
    r->total = lc_cmp_difference(&s->total);
    r->has_local = s->local_runs > 0;
    r->local = lc_cmp_difference(&s->local);
    r->snr_in = snr_in(c, &c->b.values[i]);
    r->keeps_steps = keeps_steps(&c->b, &c->b.values[i]);
    if (s->runs == 0) return;
    const uint64_t all = r->total.count;
    const double runs = s->runs;
    r->run_elements = s->run_elements / runs;
    r->run_stddev = s->run_stddev / runs;
    r->run_mean_error = s->run_mean / runs;
    r->run_max_abs_error = s->run_max / runs;
    r->run_mean_squared_error = s->run_square / runs;
    r->bins_a = copy_bins(m, s->bins_a);
    r->bins_b = copy_bins(m, s->bins_b);
    r->bin_first = s->bin_first;
    r->bin_width = s->bin_width;
    if (r->scale <= 0 || !lc_cmp_step_range(r->type_b, &first, &last)) return;
    r->rmse_steps = sqrt(r->total.mean_squared_error) / (double)r->scale;
    r->used = ((r->total.high_b - r->total.low_b) / (double)r->scale + 1) / (double)(last - first + 1);
    r->at_low = share(s->at_low, all);
    r->at_high = share(s->at_high, all);
    r->cut_low = share(s->cut_low, all);
    r->cut_high = share(s->cut_high, all);
}

/* ---- constants -------------------------------------------------------------------------------------------------------------- */

static const void *bytes_of(const lc_tensor *t) { return t->sparsity ? t->dense : t->data; }

static bool is_weight(const lc_tensor *t) {
    const bool real = t->type == LC_FLOAT32 || t->type == LC_FLOAT16 || t->type == LC_BFLOAT16 || t->type == LC_FLOAT64;
    return bytes_of(t) && (real || (t->quant && (t->quant->scale.n > 0 || t->quant->details.value)));
}

/* Sums over all, for each channel of B when it has several; blocks of one scale are no channels. */
static lc_status sum_constants(const lc_tensor *a, const lc_tensor *b, const lc_cmp_steps *sa, const lc_cmp_steps *sb, uint64_t n,
                               lc_compared *r, lc_error *err) {
    double x[LC_CMP_BLOCK], y[LC_CMP_BLOCK];
    const uint64_t inner = sb->inner, channels = sb->n > 1 ? sb->channels : 1;
    lc_cmp_sums *sums = lc_calloc((size_t)channels, sizeof *sums), all = {0};
    if (!sums) return lc_fail_memory(err, "comparison");
    for (uint64_t from = 0; from < n;) {
        uint64_t count = n - from < LC_CMP_BLOCK ? n - from : LC_CMP_BLOCK;
        if (channels > 1 && inner > 1 && count > inner - from % inner) count = inner - from % inner; /* stays in one channel */
        lc_cmp_reals(a->type, bytes_of(a), sa, from, (size_t)count, x);
        lc_cmp_reals(b->type, bytes_of(b), sb, from, (size_t)count, y);
        if (channels > 1 && inner == 1)
            for (uint64_t k = 0; k < count; k++) lc_cmp_sums_add(&sums[(from + k) % channels], x + k, y + k, 1);
        else lc_cmp_sums_add(&sums[from / inner % channels], x, y, (size_t)count);
        from += count;
    }
    for (uint64_t k = 0; k < channels; k++) {
        const double snr = lc_cmp_difference(&sums[k]).snr;
        if (channels > 1 && sums[k].count && (r->channel < 0 || snr < r->channel_snr)) {
            r->channel = (int32_t)k;
            r->channel_snr = snr;
        }
        lc_cmp_sums_join(&all, &sums[k]);
    }
    lc_free(sums);
    r->total = lc_cmp_difference(&all);
    return LC_OK;
}

static const lc_node *reader_of(const lc_cmp_side *s, const lc_cmp_value *v) {
    return v->reader < 0 ? NULL : &s->model->graphs[v->graph]->nodes[v->reader];
}

static lc_status add_constant(making *m, const lc_cmp_value *vb, lc_error *err) {
    const lc_comparing *c = m->from;
    const lc_cmp_value *va = &c->a.values[vb->pair];
    const lc_tensor *a = lc_cmp_tensor(&c->a, va), *b = lc_cmp_tensor(&c->b, vb);
    lc_dtype ta = a->type, tb = b->type;
    uint64_t na, nb, need_a, need_b;
    lc_cmp_steps sa, sb;
    lc_arena arena = {0};
    if (!is_weight(a) || !is_weight(b) || !lc_tensor_elements(a, &na) || !lc_tensor_elements(b, &nb) || na != nb || na == 0) return LC_OK;
    if (!lc_dtype_bytes(a->type, na, &need_a) || !lc_dtype_bytes(b->type, nb, &need_b)) return LC_OK;
    if (lc_cmp_numbers(&ta, na) != na || lc_cmp_numbers(&tb, nb) != nb) return LC_OK; /* complex */
    lc_compared *r = add_row(m, vb);
    const lc_node *n = reader_of(&c->b, vb), *of_a = reader_of(&c->a, va);
    if (n) r->input_op = lc_op_name(n->op);
    r->layer = of_a && of_a->layer ? copy(m, of_a->layer, strlen(of_a->layer)) : "";
    lc_status status = lc_cmp_steps_of(c->a.model->graphs[va->graph], a, &arena, &sa, err);
    if (status == LC_OK) status = lc_cmp_steps_of(c->b.model->graphs[vb->graph], b, &arena, &sb, err);
    if (status == LC_OK) status = sum_constants(a, b, &sa, &sb, na, r, err);
    lc_arena_deinit(&arena);
    r->runs = 1;
    if (r->scale > 0) r->rmse_steps = sqrt(r->total.mean_squared_error) / (double)r->scale;
    r->run_elements = (double)r->total.count;
    r->run_stddev = r->total.stddev;
    r->run_mean_error = r->total.mean_error;
    r->run_max_abs_error = r->total.max_abs_error;
    r->run_mean_squared_error = r->total.mean_squared_error;
    return status;
}

/* ---- the rest ----------------------------------------------------------------------------------------------------------------- */

static const char *const *list_alone(making *m, const lc_cmp_side *s, size_t *count) {
    const char **list = lc_arena_array(&m->to->arena, s->count + 1, sizeof *list);
    m->failed |= !list;
    *count = 0;
    for (size_t i = 0; list && i < s->count; i++)
        if (s->values[i].pair < 0 && !s->values[i].constant) list[(*count)++] = copy_str(m, lc_cmp_tensor(s, &s->values[i])->name);
    return list;
}

static void add_outputs(making *m) {
    const lc_comparing *c = m->from;
    lc_comparison *to = &m->to->c;
    to->output_count = c->sa->output_count;
    lc_compared_output *list = lc_arena_array(&m->to->arena, to->output_count + 1, sizeof *list);
    m->failed |= !list;
    to->outputs = list;
    for (size_t i = 0; list && i < to->output_count; i++) {
        const lc_tensor_view va = lc_session_output(c->sa, i), vb = lc_session_output(c->sb, (size_t)c->output_of_b[i]);
        const lc_difference d = lc_cmp_difference(&c->outputs[i]);
        list[i] = (lc_compared_output){.name = copy(m, va.name, strlen(va.name)),
                                       .type_a = va.type,
                                       .type_b = vb.type,
                                       .total = d,
                                       .rows = c->rows[i],
                                       .same_top = c->same[i]};
        const double size = fmax(1, fmax(fabs(d.low_a), fabs(d.high_a)));
        to->apart = d.bad_apart ? (double)INFINITY : fmax(to->apart, d.max_abs_error / size);
    }
}

lc_status lc_cmp_result(const lc_comparing *c, bool random, lc_comparison **result, lc_error *err) {
    holder *h = lc_calloc(1, sizeof *h);
    if (!h) return lc_fail_memory(err, "comparison");
    making m = {.from = c, .to = h, .rows = lc_arena_array(&h->arena, c->b.count + 1, sizeof *m.rows)};
    lc_status status = m.rows ? LC_OK : lc_fail_memory(err, "comparison");
    h->c.samples = c->samples;
    h->c.random = random;
    h->c.name_a = copy_str(&m, lc_str_of(c->o->name_a));
    h->c.name_b = copy_str(&m, lc_str_of(c->o->name_b));
    for (size_t i = 0; status == LC_OK && i < c->b.count; i++)
        if (c->b.values[i].pair >= 0 && !c->b.values[i].constant) add_tensor(&m, i);
    for (size_t i = 0; i < c->b.count && status == LC_OK; i++)
        if (c->b.values[i].pair >= 0 && c->b.values[i].constant) status = add_constant(&m, &c->b.values[i], err);
    h->c.tensors = m.rows;
    h->c.tensor_count = m.count;
    h->c.only_a = list_alone(&m, &c->a, &h->c.only_a_count);
    h->c.only_b = list_alone(&m, &c->b, &h->c.only_b_count);
    if (status == LC_OK) add_outputs(&m);
    h->c.tolerance = c->o->tolerance ? *c->o->tolerance : (double)NAN;
    h->c.agree = !c->o->tolerance || h->c.apart <= *c->o->tolerance;
    if (status == LC_OK && m.failed) status = lc_fail_memory(err, "comparison");
    if (status) lc_comparison_destroy(&h->c);
    else *result = &h->c;
    return status;
}
