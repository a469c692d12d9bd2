/*
 * recipe.c: which scheme a layer gets, by patterns of names: "conv_1*=float;op:SOFTMAX=float". Later patterns count more. Patterns that
 * fit nothing are remembered, so that a misspelt one is told and not passed over.
 */
#include "quant/quant.h"

#include <string.h>

typedef struct part {
    const char *pattern;
    lc_scheme scheme;
    bool used;
} part;

struct lc_recipe {
    part *parts;
    size_t count, capacity;
};

static const char *const names[] = {"float", "dynamic", "float16", "int8", "int16x8", "int4"};

const char *lc_scheme_name(lc_scheme scheme) { return (size_t)scheme < sizeof names / sizeof *names ? names[scheme] : "?"; }

lc_status lc_scheme_named(const char *name, lc_scheme *scheme, lc_error *err) {
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return *scheme = (lc_scheme)i, LC_OK;
    lc_fail(err, LC_NOT_FOUND, "there is no scheme \"%s\"", name ? name : "");
    lc_error_hint(err, "schemes are float, dynamic, float16, int8, int16x8, int4");
    return LC_NOT_FOUND;
}

static lc_status add(lc_recipe *r, const char *text, size_t size, lc_arena *arena, lc_error *err) {
    const char *equals = NULL;
    for (size_t i = 0; i < size; i++)
        if (text[i] == '=') equals = text + i;
    void *items = r->parts;
    if (!equals || equals == text) {
        lc_fail(err, LC_ARGUMENT, "\"%.*s\" is no PATTERN=SCHEME", (int)(size > 200 ? 200 : size), text);
        lc_error_hint(err, "for example conv_1*=float;op:SOFTMAX=float");
        return LC_ARGUMENT;
    }
    if (!lc_arena_grow(arena, &items, &r->capacity, r->count + 1, sizeof *r->parts)) return lc_fail_memory(err, "recipe");
    r->parts = items;
    part *p = &r->parts[r->count++];
    const char *scheme = lc_arena_strndup(arena, equals + 1, (size_t)(text + size - equals - 1));
    *p = (part){.pattern = lc_arena_strndup(arena, text, (size_t)(equals - text))};
    if (!p->pattern || !scheme) return lc_fail_memory(err, "recipe");
    return lc_scheme_named(scheme, &p->scheme, err);
}

lc_status lc_recipe_read(const char *text, lc_arena *arena, lc_recipe **recipe, lc_error *err) {
    *recipe = lc_arena_alloc(arena, sizeof **recipe);
    if (!*recipe) return lc_fail_memory(err, "recipe");
    for (const char *at = text; at && *at;) {
        const size_t size = strcspn(at, ";");
        if (size) LC_TRY(add(*recipe, at, size, arena, err));
        at += size + (at[size] == ';');
    }
    return LC_OK;
}

bool lc_recipe_fits(const char *pattern, const lc_graph *graph, const lc_node *node) {
    if (strncmp(pattern, "op:", 3) == 0) {
        const char *op = lc_op_name(node->op);
        return lc_str_fits(lc_str_of(op), pattern + 3);
    }
    if (lc_str_fits(lc_str_of(node->layer), pattern)) return true;
    for (uint32_t i = 0; i < node->output_count; i++) {
        if (node->outputs[i] < 0) continue;
        if (lc_str_fits(graph->tensors[node->outputs[i]].name, pattern)) return true;
    }
    return false;
}

lc_scheme lc_recipe_scheme(lc_recipe *recipe, const lc_graph *graph, const lc_node *node, lc_scheme otherwise) {
    for (size_t i = 0; i < recipe->count; i++) {
        if (!lc_recipe_fits(recipe->parts[i].pattern, graph, node)) continue;
        recipe->parts[i].used = true;
        otherwise = recipe->parts[i].scheme;
    }
    return otherwise;
}

const char *lc_recipe_unused(const lc_recipe *recipe) {
    for (size_t i = 0; i < recipe->count; i++)
        if (!recipe->parts[i].used) return recipe->parts[i].pattern;
    return NULL;
}
