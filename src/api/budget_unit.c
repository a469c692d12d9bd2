/*
 * budget_unit.c: what a search can choose for. A unit is the operators of a source layer, or, in a .tflite, one operator by the name of its
 * output: what the text of a recipe can name, so that a recipe which was found can be saved, read and used again. An operator that only
 * moves the values of one input about (a reshape, a pooling) goes with the operator that made them: left behind as an integer one it would
 * round what was to be kept.
 */
#include "api/budget.h"
#include "quant/plan.h"

#include <string.h>

/* Constants of fewer elements stay as they are under every scheme. */
enum { LEAST_WEIGHTS = 64 };

/* A name as a pattern: what means something in a recipe, and what no JSON holds, becomes the sign for any one byte. */
static const char *pattern_of(const char *name, size_t size, lc_arena *arena) {
    char *p = lc_arena_strndup(arena, name, size);
    for (size_t i = 0, n = p ? strlen(p) : 0; i < n;) {
        const size_t length = lc_utf8_length(p + i, n - i, NULL);
        if (!length || p[i] == ';' || p[i] == '=') p[i] = '?';
        i += length ? length : 1;
    }
    if (p && strncmp(p, "op:", 3) == 0) p[0] = '?';
    return p;
}

static lc_str name_of(const lc_graph *g, const lc_node *n) {
    if (n->layer && n->layer[0]) return lc_str_of(n->layer);
    const lc_str none = {0};
    return n->output_count && n->outputs[0] >= 0 && g->tensors[n->outputs[0]].name.data ? g->tensors[n->outputs[0]].name : none;
}

static uint64_t count_weights(const lc_graph *g, const lc_node *n) {
    uint64_t sum = 0, elements;
    for (uint32_t i = 0; i < n->input_count; i++) {
        const lc_tensor *t = n->inputs[i] >= 0 ? &g->tensors[n->inputs[i]] : NULL;
        if (t && t->type == LC_FLOAT32 && lc_tensor_is_const(t) && lc_tensor_elements(t, &elements) && elements >= LEAST_WEIGHTS)
            sum += elements;
    }
    return sum;
}

/* The tensor whose values the operator hands on, and nothing else; -1: it computes. */
static int32_t handed_on(const lc_graph *g, const lc_node *n) {
    const lc_op_quant_def *rule = lc_op_quant(n->op);
    int32_t found = -1;
    if (!rule || rule->scales != LC_QUANT_SAME) return -1;
    for (uint32_t i = 0; i < n->input_count; i++) {
        const int32_t t = n->inputs[i];
        if (t < 0 || g->tensors[t].type != LC_FLOAT32) continue;
        if (found >= 0 || lc_tensor_is_const(&g->tensors[t])) return -1;
        found = t;
    }
    return found;
}

static lc_status add_pattern(lc_bud_job *j, lc_bud_unit *u, const char *pattern) {
    void *items = u->patterns;
    for (size_t i = 0; i < u->pattern_count; i++)
        if (strcmp(u->patterns[i], pattern) == 0) return LC_OK;
    if (!lc_arena_grow(j->arena, &items, &u->pattern_capacity, u->pattern_count + 1, sizeof *u->patterns))
        return lc_fail_memory(j->err, "layers");
    u->patterns = items;
    u->patterns[u->pattern_count++] = pattern;
    return LC_OK;
}

/* The unit with this pattern, made where there is none; `at` where it is not to be a new one. */
static lc_status take_unit(lc_bud_job *j, lc_str name, int32_t at, int32_t *unit) {
    const char *pattern = pattern_of(name.data, name.size, j->arena);
    if (!pattern) return lc_fail_memory(j->err, "layers");
    for (size_t i = 0; i < j->unit_count; i++)
        for (size_t k = 0; k < j->units[i].pattern_count; k++)
            if (strcmp(j->units[i].patterns[k], pattern) == 0) return *unit = (int32_t)i, LC_OK;
    if (at < 0) {
        void *items = j->units;
        if (!lc_arena_grow(j->arena, &items, &j->unit_capacity, j->unit_count + 1, sizeof *j->units))
            return lc_fail_memory(j->err, "layers");
        j->units = items;
        at = (int32_t)j->unit_count++;
        j->units[at] = (lc_bud_unit){.name = lc_arena_strndup(j->arena, name.data, name.size), .int16 = true, .scheme = j->options->scheme};
        if (!j->units[at].name) return lc_fail_memory(j->err, "layers");
        for (int s = 0; s < LC_BUD_SCHEMES; s++) j->units[at].noise[s] = -1;
    }
    *unit = at;
    return add_pattern(j, &j->units[at], pattern);
}

/* Whether the caller's recipe names the operator: then its scheme does not depend on what the others get. */
static bool is_fixed(lc_recipe *recipe, const lc_graph *g, const lc_node *n) {
    return lc_recipe_scheme(recipe, g, n, LC_SCHEME_FLOAT) == lc_recipe_scheme(recipe, g, n, LC_SCHEME_INT8);
}

static lc_status find_in_graph(lc_bud_job *j, const lc_graph *g, lc_recipe *recipe, lc_arena *temporary) {
    int32_t *made_by = lc_arena_array(temporary, g->tensor_count + 1, sizeof *made_by);
    if (!made_by) return lc_fail_memory(j->err, "layers");
    for (size_t t = 0; t < g->tensor_count; t++) made_by[t] = -1;
    for (size_t i = 0; i < g->node_count; i++) {
        const lc_node *n = &g->nodes[i];
        int32_t unit = -1;
        if (n->op == LC_NODE_DEAD || !lc_quant_is_real(g, n) || is_fixed(recipe, g, n)) continue;
        const lc_str name = name_of(g, n);
        const int32_t from = handed_on(g, n);
        if (!name.data || !name.size) continue; /* no recipe could name it */
        LC_TRY(take_unit(j, name, from >= 0 ? made_by[from] : -1, &unit));
        const lc_op_quant_def *rule = lc_op_quant(n->op);
        j->units[unit].weights += count_weights(g, n);
        j->units[unit].int16 &= rule && rule->int16;
        for (uint32_t k = 0; k < n->output_count; k++)
            if (n->outputs[k] >= 0) made_by[n->outputs[k]] = unit;
    }
    return LC_OK;
}

lc_status lc_bud_find_units(lc_bud_job *j) {
    const lc_model *m = j->source->model;
    lc_arena temporary = {0};
    lc_recipe *recipe;
    lc_status status = lc_recipe_read(j->options->recipe, &temporary, &recipe, j->err);
    for (size_t g = 0; status == LC_OK && g < m->graph_count; g++) status = find_in_graph(j, m->graphs[g], recipe, &temporary);
    lc_arena_deinit(&temporary);
    return status;
}

/* ---- text --------------------------------------------------------------------------------------------------------------- */

static void put_unit(lc_text *out, const lc_bud_unit *u, lc_scheme scheme) {
    for (size_t i = 0; i < u->pattern_count; i++) lc_text_printf(out, ";%s=%s", u->patterns[i], lc_scheme_name(scheme));
}

static lc_status take(const lc_bud_job *j, lc_text *from, char **text) {
    return (*text = lc_text_take(from)) ? LC_OK : lc_fail_memory(j->err, "recipe");
}

lc_status lc_bud_recipe(const lc_bud_job *j, lc_scheme otherwise, char **text) {
    lc_text out = {0};
    lc_text_printf(&out, "*=%s", lc_scheme_name(otherwise));
    for (size_t i = 0; i < j->unit_count; i++)
        if (j->units[i].scheme != otherwise) put_unit(&out, &j->units[i], j->units[i].scheme);
    if (j->options->recipe && j->options->recipe[0]) lc_text_printf(&out, ";%s", j->options->recipe);
    return take(j, &out, text);
}

lc_status lc_bud_recipe_of(const lc_bud_job *j, const lc_bud_unit *unit, lc_scheme scheme, char **text) {
    lc_text out = {0};
    lc_text_printf(&out, "*=%s", lc_scheme_name(LC_SCHEME_FLOAT));
    put_unit(&out, unit, scheme);
    return take(j, &out, text);
}
