/*
 * shape_list.c: see shape_list.h. Only open dimensions can be fixed: a shape that contradicts the model's own is an error, since what
 * follows would be another model.
 */
#include "source/shape_list.h"

#include <stdlib.h>
#include <string.h>

#define NAMED(s) (int)((s).size < 120 ? (s).size : 120), (s).data ? (s).data : ""

static lc_str trimmed(const char *from, const char *to) {
    while (from < to && (*from == ' ' || *from == '\n' || *from == '\t')) from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\n' || to[-1] == '\t')) to--;
    return (lc_str){from, (size_t)(to - from)};
}

lc_status lc_list_split(lc_str text, char separator, lc_arena *arena, lc_str **items, uint32_t *count, lc_error *err) {
    const char *end = text.data + text.size;
    size_t most = 1;
    for (const char *p = text.data; p < end; p++) most += *p == separator;
    *count = 0;
    *items = most < 100000 ? lc_arena_array(arena, most, sizeof **items) : NULL;
    if (!*items) return most < 100000 ? lc_fail_memory(err, "list") : lc_fail(err, LC_ARGUMENT, "a list of %zu names is too long", most);
    for (const char *p = text.data; p <= end;) {
        const char *to = memchr(p, separator, (size_t)(end - p));
        if (!to) to = end;
        const lc_str item = trimmed(p, to);
        if (item.size) (*items)[(*count)++] = item;
        p = to + 1;
    }
    return LC_OK;
}

bool lc_list_pair(lc_str item, lc_str *name, lc_str *value) {
    const char *equals = memchr(item.data, '=', item.size);
    if (!equals) return false;
    *name = trimmed(item.data, equals);
    *value = trimmed(equals + 1, item.data + item.size);
    return true;
}

static bool read_size(lc_str s, int32_t *size) {
    char text[16], *end;
    if (lc_str_is(s, "?") || lc_str_is(s, "None")) {
        *size = -1;
        return true;
    }
    if (!s.size || s.size >= sizeof text) return false;
    memcpy(text, s.data, s.size);
    text[s.size] = 0;
    const long v = strtol(text, &end, 10);
    *size = (int32_t)v;
    return !*end && v >= -1 && v <= INT32_MAX;
}

lc_status lc_shape_list_read(const char *text, lc_arena *arena, lc_named_shape **shapes, uint32_t *count, lc_error *err) {
    lc_str *items, *sizes;
    uint32_t n;
    LC_TRY(lc_list_split(lc_str_of(text), ';', arena, &items, count, err));
    *shapes = lc_arena_array(arena, (size_t)*count + 1, sizeof **shapes);
    if (!*shapes) return lc_fail_memory(err, "shapes");
    for (uint32_t i = 0; i < *count; i++) {
        lc_named_shape *s = &(*shapes)[i];
        lc_str list = items[i];
        *s = (lc_named_shape){.item = items[i]};
        if (!lc_list_pair(items[i], &s->name, &list)) s->name = (lc_str){NULL, 0};
        if (list.size >= 2 && list.data[0] == '[' && list.data[list.size - 1] == ']') list = (lc_str){list.data + 1, list.size - 2};
        LC_TRY(lc_list_split(list, ',', arena, &sizes, &n, err));
        bool right = n <= LC_MAX_RANK;
        s->shape.rank = (int32_t)n;
        for (uint32_t d = 0; right && d < n; d++) right = read_size(sizes[d], &s->shape.dims[d]);
        if (right) continue;
        lc_fail(err, LC_ARGUMENT, "--input-shape %.*s: a list of at most %d sizes is wanted", NAMED(items[i]), LC_MAX_RANK);
        lc_error_hint(err, "write --input-shape NAME=1,224,224,3; -1 leaves a dimension open");
        return LC_ARGUMENT;
    }
    return LC_OK;
}

bool lc_shape_merge(const lc_shape *declared, const lc_shape *asked, lc_shape *out) {
    *out = *asked;
    if (declared->rank == LC_RANK_UNKNOWN) return true;
    if (declared->rank != asked->rank) return false;
    for (int32_t d = 0; d < asked->rank; d++) {
        if (asked->dims[d] < 0) out->dims[d] = declared->dims[d];
        else if (declared->dims[d] >= 0 && declared->dims[d] != asked->dims[d]) return false;
    }
    return true;
}

void lc_shape_add_dims(lc_text *t, const lc_shape *shape) {
    for (int32_t d = 0; d < shape->rank; d++) {
        if (shape->dims[d] < 0) lc_text_add(t, d ? ",?" : "?");
        else lc_text_printf(t, d ? ",%d" : "%d", shape->dims[d]);
    }
}

lc_status lc_shape_no_input(const lc_named_shape *s, const char *inputs, lc_error *err) {
    lc_fail(err, LC_NOT_FOUND, "--input-shape %.*s: there is no such input", NAMED(s->item));
    lc_error_hint(err, "inputs are %s", inputs ? inputs : "none");
    return LC_NOT_FOUND;
}

lc_status lc_shape_which_input(const lc_named_shape *s, uint32_t count, const char *inputs, lc_error *err) {
    lc_fail(err, LC_ARGUMENT, "--input-shape %.*s: which of the %u inputs has this shape?", NAMED(s->item), count);
    lc_error_hint(err, "write --input-shape NAME=%.*s; inputs are %s", NAMED(s->item), inputs ? inputs : "none");
    return LC_ARGUMENT;
}

lc_status lc_shape_misfit(const lc_named_shape *s, lc_str input, const lc_shape *declared, lc_error *err) {
    lc_text t = {0};
    lc_shape_add_dims(&t, declared);
    lc_fail(err, LC_ARGUMENT, "--input-shape %.*s: input \"%.*s\" has shape [%s]", NAMED(s->item), NAMED(input), t.data ? t.data : "");
    lc_error_hint(err, "only its open dimensions (?) can be fixed");
    lc_text_deinit(&t);
    return LC_ARGUMENT;
}

/* ---- a model that is made already ---- */

static lc_shape shape_of(const lc_tensor *t) {
    lc_shape s = {.rank = t->rank > LC_MAX_RANK ? LC_RANK_UNKNOWN : t->rank};
    for (int32_t d = 0; d < s.rank; d++) s.dims[d] = lc_tensor_dim(t, d);
    return s;
}

static lc_status put_shape(lc_model *model, lc_tensor *t, const lc_shape *shape, lc_error *err) {
    bool open = false;
    for (int32_t d = 0; d < shape->rank; d++) open |= shape->dims[d] < 0;
    for (int32_t d = 0; d < shape->rank; d++) t->dims[d] = shape->dims[d] < 0 ? 1 : shape->dims[d];
    if (!open) t->signature = NULL;
    else if (!t->signature && !(t->signature = lc_arena_array(&model->arena, (size_t)shape->rank, sizeof *t->signature)))
        return lc_fail_memory(err, "shape");
    for (int32_t d = 0; open && d < shape->rank; d++) t->signature[d] = shape->dims[d];
    return LC_OK;
}

/* The name of an input in the signature, else its own. */
static lc_str input_name(const lc_model *m, int32_t tensor) {
    for (size_t s = 0; s < m->signature_count; s++)
        for (uint32_t i = 0; m->signatures[s].graph == 0 && i < m->signatures[s].input_count; i++)
            if (m->signatures[s].inputs[i].tensor == tensor) return m->signatures[s].inputs[i].name;
    return m->graphs[0]->tensors[tensor].name;
}

static lc_status set_one(lc_model *model, const lc_named_shape *s, lc_error *err) {
    lc_graph *g = model->graphs[0];
    lc_text names = {0};
    bool hit = false;
    lc_status status = LC_OK;
    for (size_t i = 0; i < g->input_count; i++) {
        const lc_str name = input_name(model, g->inputs[i]);
        lc_text_printf(&names, "%s%.*s", i ? ", " : "", NAMED(name));
    }
    if (!s->name.data && g->input_count > 1) status = lc_shape_which_input(s, (uint32_t)g->input_count, names.data, err);
    for (size_t i = 0; i < g->input_count && status == LC_OK; i++) {
        lc_tensor *t = &g->tensors[g->inputs[i]];
        const lc_str name = input_name(model, g->inputs[i]);
        const lc_shape declared = shape_of(t);
        lc_shape merged;
        if (s->name.data && !lc_str_eq(name, s->name) && !lc_str_eq(t->name, s->name)) continue;
        hit = true;
        status = lc_shape_merge(&declared, &s->shape, &merged) && declared.rank != LC_RANK_UNKNOWN
                     ? put_shape(model, t, &merged, err)
                     : lc_shape_misfit(s, name, &declared, err);
    }
    if (!hit && status == LC_OK) status = lc_shape_no_input(s, names.data, err);
    lc_text_deinit(&names);
    return status;
}

lc_status lc_model_set_shapes(lc_model *model, const char *text, lc_error *err) {
    lc_named_shape *shapes;
    uint32_t n;
    lc_arena arena = {0};
    lc_status status = lc_shape_list_read(text, &arena, &shapes, &n, err);
    for (uint32_t i = 0; i < n && status == LC_OK; i++) status = set_one(model, &shapes[i], err);
    for (size_t i = 0; i < model->graphs[0]->node_count && status == LC_OK; i++) status = lc_graph_infer_node(model->graphs[0], i, err);
    lc_arena_deinit(&arena);
    return status;
}
