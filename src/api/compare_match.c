/*
 * compare_match.c: which input and output of B is which of A: by name where both have it, else by order and shape. Models that do not fit
 * are refused with both sides named.
 */
#include "api/compare.h"

#include <string.h>

int32_t lc_cmp_graph_index(const lc_model *m, const lc_graph *g) {
    int32_t i = 0;
    while (m->graphs[i] != g) i++;
    return i;
}

/* "name float32[?,10]" */
static void add_end(const lc_tensor_view *v, lc_text *out) {
    lc_text_add(out, "\"");
    lc_text_add_safe(out, v->name, strlen(v->name));
    lc_text_printf(out, "\" %s[", lc_dtype_name(v->type));
    for (int32_t d = 0; d < v->rank; d++)
        if (v->signature[d] < 0) lc_text_add(out, d ? ",?" : "?");
        else lc_text_printf(out, d ? ",%d" : "%d", (int)v->dims[d]);
    lc_text_add(out, "]");
}

static bool ends_fit(const lc_tensor_view *a, const lc_tensor_view *b, bool input) {
    const bool strings = (a->type == LC_STRING) != (b->type == LC_STRING);
    if (strings) return false;
    if (a->any_rank || b->any_rank || a->rank < 0 || b->rank < 0) return true;
    if (a->rank != b->rank) return !input; /* what an output holds is counted after a run */
    for (int32_t d = 0; d < a->rank; d++) {
        const int32_t x = a->signature[d] < 0 ? -1 : a->dims[d], y = b->signature[d] < 0 ? -1 : b->dims[d];
        if (x != y && x >= 0 && y >= 0 && (input || d > 0)) return false;
    }
    return true;
}

static lc_status misfit(const lc_tensor_view *a, const lc_tensor_view *b, const char *what, lc_error *err) {
    lc_text text = {0};
    lc_text_printf(&text, "the models do not fit: %s ", what);
    add_end(a, &text);
    lc_text_add(&text, " beside ");
    add_end(b, &text);
    char *message = lc_text_take(&text);
    if (!message) return lc_fail_memory(err, "comparison");
    lc_fail(err, LC_INVALID, "%s", message);
    lc_error_hint(err, "compare two forms of one model; `litec inspect MODEL` shows its %ss", what);
    lc_free(message);
    return LC_INVALID;
}

/* An end of B for one of A that no name gave a partner: the first that is free and fits, else the first that is free. */
static int32_t first_free(const lc_comparing *c, lc_cmp_end_fn end, const lc_tensor_view *a, const bool *taken, size_t count) {
    int32_t found = -1;
    for (size_t i = 0; i < count; i++) {
        const lc_tensor_view b = end(c->sb, i);
        if (taken[i]) continue;
        if (ends_fit(a, &b, false)) return (int32_t)i;
        if (found < 0) found = (int32_t)i;
    }
    return found;
}

lc_status lc_cmp_match(lc_comparing *c, lc_cmp_end_fn end, int32_t (*find)(const lc_session *, const char *), size_t count_a,
                       size_t count_b, const char *what, int32_t *of_b) {
    const bool input = what[0] == 'i';
    size_t named = 0;
    if (count_a != count_b) {
        lc_fail(c->err, LC_INVALID, "the models do not fit: %zu %s%s beside %zu", count_a, what, count_a == 1 ? "" : "s", count_b);
        lc_error_hint(c->err, "compare two forms of one model; `litec inspect MODEL` shows its %ss, --signature KEY chooses", what);
        return LC_INVALID;
    }
    bool *taken = lc_arena_array(&c->arena, count_b, sizeof *taken);
    if (!taken) return lc_fail_memory(c->err, "comparison");
    for (size_t i = 0; i < count_a; i++) {
        of_b[i] = find(c->sb, end(c->sa, i).name);
        if (of_b[i] >= 0 && taken[of_b[i]]) of_b[i] = -1;
        if (of_b[i] >= 0) taken[of_b[i]] = true, named++;
    }
    for (size_t i = 0; i < count_a; i++) {
        const lc_tensor_view a = end(c->sa, i);
        if (input && named < count_a) of_b[i] = (int32_t)i; /* all by name or none, as lc_data_again has it */
        else if (of_b[i] < 0) of_b[i] = first_free(c, end, &a, taken, count_b);
        taken[of_b[i]] = true;
        const lc_tensor_view b = end(c->sb, (size_t)of_b[i]);
        if (!ends_fit(&a, &b, input)) return misfit(&a, &b, what, c->err);
    }
    return LC_OK;
}

lc_cmp_span lc_cmp_span_of(const lc_comparing *c, size_t i) {
    const lc_cmp_side *sides[2] = {&c->b, &c->a};
    const int32_t tensors[2] = {c->sb->inputs[c->input_of_b[i]], c->sa->inputs[i]};
    const lc_session *sessions[2] = {c->sb, c->sa};
    for (int k = 0; k < 2; k++) {
        const lc_graph *g = sessions[k]->graph;
        const int32_t graph = lc_cmp_graph_index(sides[k]->model, g);
        const int32_t value = sides[k]->value_of[graph][tensors[k]];
        if (value < 0) continue;
        const lc_tensor *t = lc_cmp_tensor(sides[k], &sides[k]->values[value]);
        float scale;
        int64_t zero, first, last;
        lc_tensor_scale(t, &scale, &zero);
        if (scale > 0 && lc_cmp_step_range(t->type, &first, &last))
            return (lc_cmp_span){(double)(first - zero) * (double)scale, (double)(last - zero) * (double)scale};
    }
    return (lc_cmp_span){-1, 1};
}
