/*
 * keras_shapes.c: shapes that a caller gives to the inputs of a Keras model, before it is lowered: they take the place of those in the
 * InputLayers' configuration, so every layer sees them (a recurrent one with a known batch needs fewer operators).
 *
 * Refuses: inputs that are not there, shapes that contradict the file's. Errors are those of --input-shape (shape_list.h).
 */
#include "source/keras_read.h"
#include "source/shape_list.h"

#include <string.h>

static const char *shape_key(const lc_keras_layer *l) {
    return lc_json_get(l->config, "batch_shape") ? "batch_shape" : "batch_input_shape";
}

/* Rank unknown when the file says something else than sizes: the lowering has the error for it. */
static lc_shape declared_shape(const lc_keras_layer *l) {
    const lc_json *v = lc_json_get(l->config, shape_key(l));
    lc_shape s = {.rank = LC_RANK_UNKNOWN};
    if (!lc_json_is(v, LC_JSON_ARRAY) || v->count > LC_MAX_RANK) return s;
    for (uint32_t d = 0; d < v->count; d++) {
        const lc_json *size = lc_json_at(v, d);
        const bool fixed = lc_json_is(size, LC_JSON_INT) && size->integer >= 1 && size->integer <= INT32_MAX;
        if (!fixed && !lc_json_is(size, LC_JSON_NULL)) return s;
        s.dims[d] = fixed ? (int32_t)size->integer : -1;
    }
    s.rank = (int32_t)v->count;
    return s;
}

/* The layer's configuration with this shape. */
static lc_status put_shape(lc_keras_layer *l, const lc_shape *shape, lc_arena *arena, lc_error *err) {
    const lc_json *old = l->config;
    lc_json *config = lc_arena_alloc(arena, sizeof *config), *members = lc_arena_array(arena, (size_t)old->count + 1, sizeof *members),
            *sizes = lc_arena_array(arena, LC_MAX_RANK, sizeof *sizes);
    if (!config || !members || !sizes) return lc_fail_memory(err, "shape of an input");
    for (int32_t d = 0; d < shape->rank; d++)
        sizes[d] = shape->dims[d] < 0 ? (lc_json){.kind = LC_JSON_NULL}
                                      : (lc_json){.kind = LC_JSON_INT, .integer = shape->dims[d], .real = shape->dims[d]};
    const char *key = shape_key(l);
    for (uint32_t i = 0; i < old->count; i++) {
        members[i] = old->items[i];
        if (members[i].key && strcmp(members[i].key, key) == 0)
            members[i] = (lc_json){.kind = LC_JSON_ARRAY, .key = members[i].key, .items = sizes, .count = (uint32_t)shape->rank};
    }
    *config = *old;
    config->items = members;
    l->config = config;
    return LC_OK;
}

static lc_status set_one(lc_keras_model *m, const lc_named_shape *s, lc_arena *arena, lc_error *err) {
    lc_text names = {0};
    bool hit = false;
    lc_status status = LC_OK;
    for (uint32_t i = 0; i < m->input_count; i++) lc_text_printf(&names, "%s%.200s", i ? ", " : "", m->layers[m->inputs[i].layer].name);
    const char *listed = names.data ? names.data : "";
    if (!s->name.data && m->input_count > 1) status = lc_shape_which_input(s, m->input_count, listed, err);
    for (uint32_t i = 0; i < m->input_count && status == LC_OK; i++) {
        lc_keras_layer *l = &m->layers[m->inputs[i].layer];
        const lc_str name = lc_str_of(l->name);
        const lc_shape declared = declared_shape(l);
        lc_shape merged;
        if (s->name.data && !lc_str_eq(name, s->name)) continue;
        hit = true;
        status = declared.rank != LC_RANK_UNKNOWN && lc_shape_merge(&declared, &s->shape, &merged)
                     ? put_shape(l, &merged, arena, err)
                     : lc_shape_misfit(s, name, &declared, err);
    }
    if (!hit && status == LC_OK) status = lc_shape_no_input(s, listed, err);
    lc_text_deinit(&names);
    return status;
}

lc_status lc_keras_set_shapes(lc_keras_model *m, const char *text, lc_arena *arena, lc_error *err) {
    lc_named_shape *shapes;
    uint32_t n;
    LC_TRY(lc_shape_list_read(text, arena, &shapes, &n, err));
    for (uint32_t i = 0; i < n; i++) LC_TRY(set_one(m, &shapes[i], arena, err));
    return LC_OK;
}
