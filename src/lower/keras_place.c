/*
 * keras_place.c: where a layer's weights are in the files of Keras; keras_place.h.
 *
 * Weights of a .keras file bear their places as names, those of an .h5 file come in the order in which Keras makes them. Here each gets both.
 * The parts of a layer and their order are in keras_place.def; cells of an RNN and the two layers of a Bidirectional in its configuration.
 *
 * The same list says which weights a layer has that nobody has stored yet.
 *
 * Stays true: every weight gets a place, also one that nobody expects: behind the others, where its name says.
 */
#include "lower/keras_place.h"

#include <stdio.h>
#include <string.h>

/* ---- names of layers --------------------------------------------------------------------------------------------------- */

static bool upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool lower(char c) { return c >= 'a' && c <= 'z'; }
static bool word(char c) { return upper(c) || lower(c) || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80; }

/* Drop what is no word; "_" before an upper-case letter that lower-case ones follow, then between a lower- and an upper-case letter; all
 * lower. Both steps go on behind what they matched. */
bool lc_keras_snake_case(const char *name, char *out, size_t size) {
    char a[512], b[1024];
    size_t n = 0, k = 0, used = 0;
    if (strcmp(name, "GroupQueryAttention") == 0) name = "GroupedQueryAttention"; /* files bear the name of the Python class */
    for (const char *s = name; *s; s++)
        if (word(*s)) {
            if (n + 1 >= sizeof a) return false;
            a[n++] = *s;
        }
    a[n] = 0;
    for (size_t i = 0; i < n;) {
        b[k++] = a[i++];
        if (i + 1 >= n || !upper(a[i]) || !lower(a[i + 1])) continue;
        b[k++] = '_';
        b[k++] = a[i++];
        while (i < n && lower(a[i])) b[k++] = a[i++];
    }
    b[k] = 0;
    for (size_t i = 0; i < k;) {
        if (used + 4 > size) return false;
        bool split = i + 1 < k && lower(b[i]) && upper(b[i + 1]);
        out[used++] = upper(b[i]) ? (char)(b[i] - 'A' + 'a') : b[i];
        i++;
        if (!split) continue;
        out[used++] = '_';
        out[used++] = (char)(b[i] - 'A' + 'a');
        i++;
    }
    out[used] = 0;
    return true;
}

bool lc_keras_path(char *out, size_t size, const char *container, const char *class_name, uint32_t number) {
    int n = number ? snprintf(out, size, "%s/%s_%u", container, class_name, number) : snprintf(out, size, "%s/%s", container, class_name);
    return n > 0 && (size_t)n < size;
}

bool lc_keras_in_container(const lc_keras_model *m, const lc_keras_layer *l) {
    bool input = strcmp(l->class_name, "InputLayer") == 0;
    return l->entry && !lc_keras_is_operation(l) && !(input && strcmp(m->class_name, "Sequential") == 0);
}

lc_status lc_keras_names_init(lc_keras_names *names, lc_arena *arena, size_t expected, lc_error *err) {
    size_t n = 16;
    while (n < expected && n < 65536) n <<= 1;
    *names = (lc_keras_names){arena, lc_arena_array(arena, n, sizeof *names->heads), n - 1};
    return names->heads ? LC_OK : lc_fail_memory(err, "layer names");
}

lc_keras_name **lc_keras_names_head(const lc_keras_names *names, const char *name) {
    return &names->heads[lc_hash(name, strlen(name), 0) & names->mask];
}

lc_status lc_keras_names_add(lc_keras_names *names, const char *name, lc_keras_name **out, lc_error *err) {
    lc_keras_name **head = lc_keras_names_head(names, name), *made = lc_arena_alloc(names->arena, sizeof *made);
    const char *copy = lc_arena_strndup(names->arena, name, strlen(name));
    if (!made || !copy) return lc_fail_memory(err, "layer names");
    *made = (lc_keras_name){.next = *head, .name = copy};
    *head = *out = made;
    return LC_OK;
}

lc_status lc_keras_names_get(lc_keras_names *names, const char *name, lc_keras_name **out, lc_error *err) {
    for (lc_keras_name *n = *lc_keras_names_head(names, name); n; n = n->next)
        if (strcmp(n->name, name) == 0) {
            *out = n;
            return LC_OK;
        }
    return lc_keras_names_add(names, name, out, err);
}

/* ---- parts of a layer ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *class_name, *zip, *h5, *variables;
} rows[] = {
#define LC_KERAS_PART(class_name, zip, h5, variables) {#class_name, zip, h5, variables},
#include "lower/keras_place.def"
};

typedef struct part {
    const char *zip, *h5; /* with the path to it */
    const char *variables;
    const lc_json *config; /* of the layer or cell: it may leave variables out */
} part;

typedef struct placing {
    lc_arena *arena;
    part *parts;
    size_t count, capacity;
    bool failed;
} placing;

static bool is(const char *a, const char *b) { return a && strcmp(a, b) == 0; }

static bool yes(const lc_json *config, const char *argument) {
    const lc_json *v = lc_json_get(config, argument);
    return !lc_json_is(v, LC_JSON_BOOL) || v->boolean;
}

/* Two paths, either of which may be empty, as one. NULL when memory is out. */
static const char *join(placing *p, const char *a, const char *b) {
    const char *joined = lc_arena_printf(p->arena, "%s%s%s", a, *a && *b ? "/" : "", b);
    p->failed = p->failed || !joined;
    return joined ? joined : "";
}

static void add_part(placing *p, const char *zip, const char *h5, const char *variables, const lc_json *config) {
    void *parts = p->parts;
    if (!lc_arena_grow(p->arena, &parts, &p->capacity, p->count + 1, sizeof *p->parts)) {
        p->failed = true;
        return;
    }
    p->parts = parts;
    p->parts[p->count++] = (part){zip, h5, variables, config};
}

/* Configurations nest no deeper than their JSON. */
static void add_layer(placing *p, const lc_json *json, const char *zip, const char *h5);

static void add_direction(placing *p, const lc_json *json, const char *direction, bool as_is, const char *zip, const char *h5) {
    const char *name = lc_json_str(lc_json_get(json, "config"), "name", "layer");
    const size_t n = strlen(direction);
    if (strncmp(name, "forward_", 8) == 0) name += 8; /* of a backward layer that is made of the forward one */
    const char *called = as_is || strncmp(name, direction, n) == 0 ? name : lc_arena_printf(p->arena, "%s_%s", direction, name);
    const char *place = lc_arena_printf(p->arena, "%s_layer", direction);
    p->failed = p->failed || !place || !called;
    add_layer(p, json, join(p, zip, place ? place : ""), join(p, h5, called ? called : ""));
}

static void add_cells(placing *p, const lc_json *cells, const char *zip, const char *h5) {
    lc_keras_names classes;
    char snake[600], path[700];
    if (lc_keras_names_init(&classes, p->arena, 0, NULL) != LC_OK) {
        p->failed = true;
        return;
    }
    for (uint32_t i = 0; cells && i < cells->count; i++) {
        lc_keras_name *class;
        const lc_json *cell = &cells->items[i];
        if (!lc_keras_snake_case(lc_json_str(cell, "class_name", "cell"), snake, sizeof snake)) continue;
        if (lc_keras_names_get(&classes, snake, &class, NULL) != LC_OK) {
            p->failed = true;
            return;
        }
        const uint32_t number = class->number++;
        if (!lc_keras_path(path, sizeof path, "cells", snake, number)) continue;
        const char *name = lc_json_str(lc_json_get(cell, "config"), "name", path + strlen("cells/"));
        add_layer(p, cell, join(p, zip, path), join(p, h5, name));
    }
}

static void add_class(placing *p, const char *class_name, const lc_json *config, const char *zip, const char *h5) {
    const lc_json *cell = lc_json_get(config, "cell"), *inner = lc_json_get(config, "layer"), *back = lc_json_get(config, "backward_layer");
    if (is(class_name, "Bidirectional") && inner) {
        const bool own = lc_json_is(back, LC_JSON_OBJECT);
        add_direction(p, inner, "forward", false, zip, h5);
        add_direction(p, own ? back : inner, "backward", own, zip, h5);
        return;
    }
    if (is(class_name, "RNN") && cell) {
        char snake[600];
        const char *name = lc_json_str(lc_json_get(cell, "config"), "name", NULL);
        if (!name) name = lc_keras_snake_case(lc_json_str(cell, "class_name", "cell"), snake, sizeof snake) ? snake : "cell";
        add_layer(p, cell, join(p, zip, "cell"), join(p, h5, name));
        return;
    }
    if (is(class_name, "StackedRNNCells")) {
        add_cells(p, lc_json_get(config, "cells"), zip, h5);
        return;
    }
    bool found = false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!is(class_name, rows[i].class_name)) continue;
        found = true;
        const lc_json *gate = lc_json_get(config, "use_gate");
        if (is(rows[i].h5, "gate") && !(lc_json_is(gate, LC_JSON_BOOL) && gate->boolean)) continue;
        add_part(p, join(p, zip, rows[i].zip), join(p, h5, rows[i].h5), rows[i].variables, config);
    }
    if (!found) add_part(p, zip, h5, "", config);
}

static void add_layer(placing *p, const lc_json *json, const char *zip, const char *h5) {
    const char *registered = lc_json_str(json, "registered_name", NULL);
    const bool own = registered && strchr(registered, '>') && strncmp(registered, "keras", 5) != 0;
    add_class(p, own ? "" : lc_json_str(json, "class_name", ""), lc_json_get(json, "config"), zip, h5);
}

/* ---- variables of a part ------------------------------------------------------------------------------------------------- */

/* Whether the layer has this variable: an argument may leave it out. */
static bool has_variable(const lc_json *config, lc_str name) {
    static const struct {
        const char *name, *argument, *value; /* value NULL: it must not be false; "": it must be null */
    } optional[] = {
        {"bias", "use_bias", NULL},
        {"gamma", "scale", NULL},
        {"beta", "center", NULL},
        {"scale", "use_scale", NULL},
        {"concat_score_weight", "score_mode", "concat"},
        {"mean", "mean", ""},
        {"variance", "mean", ""},
        {"count", "mean", ""},
    };
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        const char *value = optional[i].value;
        const lc_json *given = lc_json_get(config, optional[i].argument);
        if (!lc_str_is(name, optional[i].name)) continue;
        if (!value   ? !yes(config, optional[i].argument)
            : *value ? !is(lc_json_str(config, optional[i].argument, NULL), value)
                     : given && given->kind != LC_JSON_NULL)
            return false;
    }
    return true;
}

/* Variable `number` of a part; false when it has no more that are known. */
static bool variable(const part *p, uint32_t number, lc_str *name, bool *trainable) {
    for (const char *at = p->variables; *at; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        const bool kept = *at == '-';
        *name = (lc_str){at + kept, n - kept};
        *trainable = !kept;
        at += n;
        if (has_variable(p->config, *name) && number-- == 0) return true;
    }
    return false;
}

/* A weight of a part: in .keras files under `number`, in .h5 files under its name. */
static void place(placing *p, const part *in, const lc_keras_weight *w, const char *number, uint32_t k, bool by_place,
                  lc_keras_place *out) {
    lc_str name = {0}, known;
    bool trainable = true;
    const bool expected = variable(in, k, &known, &trainable);
    if (!by_place && w->name && *w->name) { /* its own name: "dense/kernel:0" */
        const char *slash = strrchr(w->name, '/');
        const char *last = slash ? slash + 1 : w->name;
        name = (lc_str){last, strcspn(last, ":")};
    }
    if (!name.size) name = expected ? known : (lc_str){0};
    const char *leaf = name.size ? lc_arena_printf(p->arena, "%.*s", (int)(name.size < 500 ? name.size : 500), name.data)
                                 : lc_arena_printf(p->arena, k ? "variable_%u" : "variable", k);
    const char *vars = lc_arena_printf(p->arena, "vars/%s", number);
    *out = (lc_keras_place){w, join(p, in->zip, vars ? vars : ""), join(p, in->h5, leaf ? leaf : ""), !expected || trainable};
    p->failed = p->failed || !leaf || !vars;
}

/* Splits "cell/vars/0". False when the name is no place. */
static bool split(const char *name, lc_str *group, const char **number) {
    for (const char *at = name ? strstr(name, "vars/") : NULL; at; at = strstr(at + 1, "vars/")) {
        if ((at != name && at[-1] != '/') || !at[5] || strchr(at + 5, '/')) continue;
        *group = (lc_str){name, at == name ? 0 : (size_t)(at - name) - 1};
        *number = at + 5;
        return true;
    }
    return false;
}

/* What is of no part: its name is all that is known. */
static bool place_other(placing *p, const lc_keras_weight *w, lc_str group, const char *number, lc_keras_place *out) {
    const char *path = lc_arena_strndup(p->arena, group.data, group.size);
    const part other = {path, path, "", NULL};
    const bool digits = strspn(number, "0123456789") == strlen(number) && strlen(number) < 10;
    uint32_t k = 0;
    for (const char *d = number; digits && *d; d++) k = k * 10 + (uint32_t)(*d - '0');
    if (path) place(p, &other, w, number, k, true, out);
    return path != NULL;
}

/* Sorted by parts, those of one in their order. A file decides how many of both there are. */
static lc_status place_by_name(placing *p, const lc_keras_layer *l, lc_keras_place *places, lc_error *err) {
    lc_keras_names names;
    lc_keras_name *found;
    const uint32_t none = (uint32_t)p->count;
    uint32_t *of = lc_arena_array(p->arena, (size_t)l->weight_count + 1, sizeof *of),
             *next = lc_arena_array(p->arena, p->count + 2, sizeof *next), *first = lc_arena_array(p->arena, p->count + 2, sizeof *first);
    lc_str group;
    const char *number;
    if (!of || !next || !first) return lc_fail_memory(err, "places of weights");
    LC_TRY(lc_keras_names_init(&names, p->arena, p->count, err));
    for (uint32_t i = 0; i < none; i++) {
        LC_TRY(lc_keras_names_get(&names, p->parts[i].zip, &found, err));
        if (!found->number) found->number = i + 1;
    }
    for (uint32_t i = 0; i < l->weight_count; i++) {
        split(l->weights[i].name, &group, &number);
        const char *path = lc_arena_strndup(p->arena, group.data, group.size);
        if (!path) return lc_fail_memory(err, "places of weights");
        LC_TRY(lc_keras_names_get(&names, path, &found, err));
        if (!found->number && *path == '_') LC_TRY(lc_keras_names_get(&names, path + 1, &found, err)); /* Keras 2: "_query_dense" */
        of[i] = found->number ? found->number - 1 : none;
        next[of[i] + 1]++;
    }
    for (uint32_t i = 0; i <= none; i++) first[i] = next[i] += i ? next[i - 1] : 0;
    for (uint32_t i = 0; i < l->weight_count; i++) {
        const uint32_t in = of[i], at = next[in]++;
        split(l->weights[i].name, &group, &number);
        if (in < none) place(p, &p->parts[in], &l->weights[i], number, at - first[in], true, &places[at]);
        else if (!place_other(p, &l->weights[i], group, number, &places[at])) return lc_fail_memory(err, "places of weights");
    }
    return LC_OK;
}

static void place_in_order(placing *p, const lc_keras_layer *l, lc_keras_place *places) {
    uint32_t n = 0;
    for (size_t i = 0; i < p->count; i++) {
        lc_str name;
        bool trainable;
        char number[24];
        const bool last = i + 1 == p->count;
        for (uint32_t k = 0; n < l->weight_count && (last || variable(&p->parts[i], k, &name, &trainable)); k++, n++) {
            snprintf(number, sizeof number, "%u", k);
            place(p, &p->parts[i], &l->weights[n], number, k, false, &places[n]);
        }
    }
}

static lc_status find_parts(placing *p, const lc_keras_layer *layer, lc_error *err) {
    add_class(p, layer->registered_name ? "" : layer->class_name, layer->config, "", "");
    if (!p->count) add_part(p, "", "", "", NULL);
    return p->failed ? lc_fail_memory(err, "places of weights") : LC_OK;
}

lc_status lc_keras_places(const lc_keras_layer *layer, lc_arena *arena, lc_keras_place **places, lc_error *err) {
    placing p = {.arena = arena};
    bool by_place = true;
    lc_str group;
    const char *number;
    *places = lc_arena_array(arena, layer->weight_count + 1, sizeof **places);
    if (!*places) return lc_fail_memory(err, "places of weights");
    LC_TRY(find_parts(&p, layer, err));
    for (uint32_t i = 0; i < layer->weight_count; i++) by_place = by_place && split(layer->weights[i].name, &group, &number);
    if (!by_place) place_in_order(&p, layer, *places);
    else LC_TRY(place_by_name(&p, layer, *places, err));
    return p.failed ? lc_fail_memory(err, "places of weights") : LC_OK;
}

lc_status lc_keras_expect(lc_keras_layer *layer, lc_arena *arena, lc_error *err) {
    placing p = {.arena = arena};
    lc_str name;
    bool trainable;
    uint32_t n = 0;
    LC_TRY(find_parts(&p, layer, err));
    for (size_t i = 0; i < p.count; i++)
        for (uint32_t k = 0; variable(&p.parts[i], k, &name, &trainable); k++) n++;
    layer->weights = lc_arena_array(arena, (size_t)n + 1, sizeof *layer->weights);
    if (!layer->weights) return lc_fail_memory(err, "weights");
    for (size_t i = 0; i < p.count; i++)
        for (uint32_t k = 0; variable(&p.parts[i], k, &name, &trainable); k++) {
            const char *place = lc_arena_printf(arena, "%s%svars/%u", p.parts[i].zip, *p.parts[i].zip ? "/" : "", k);
            if (!place) return lc_fail_memory(err, "weights");
            layer->weights[layer->weight_count++] = (lc_keras_weight){.name = place, .type = LC_FLOAT32};
        }
    return LC_OK;
}
