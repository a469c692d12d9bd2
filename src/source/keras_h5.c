/*
 * keras_h5.c: a whole model in one HDF5 file, as Keras 1 to 3 write it with model.save("x.h5").
 *
 *   /                 attributes model_config (JSON), keras_version, backend, training_config
 *   /model_weights    attribute layer_names; a group a layer: attribute weight_names, and the datasets under those names
 *
 * Attributes that are too long for an object header are split: weight_names0, weight_names1 ...
 *
 * The idea: layers are found by name, weights taken in the order of weight_names. That order is trainable weights first, which
 * for a plain layer is the order in which it made them. A nested model has all weights of its layers in one group, those of
 * frozen layers and the moving averages behind all others, so there each weight goes to the layer whose name is in its own:
 * "block1/bn/gamma:0" to the layer "bn". Where several layers have that name the names of the models around it decide (Keras 3
 * writes those of Sequential models only), and each layer is taken once.
 *
 * Stays true: a weight's bytes are its shape times its type; a layer's names are unique; optimizer weights are not touched.
 *
 * save_weights("x.h5") writes what is in model_weights at the root, without a configuration, which is elsewhere then. Its names are those
 * of another session often ("dense_5" for "dense_2"): then the layers are matched in their order, as Keras does.
 *
 * Refuses: files without model_config (weights only), layers that the file does not list, weights that belong to no layer.
 *
 * Facts: keras/src/legacy/saving/legacy_h5_format.py.
 */
#include "source/keras_legacy.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PARTS 32 /* parts of a weight's name that are looked at */
#define MAX_SPLIT 10000

/* ---- attributes ---- */

lc_status lc_keras_read_names(lc_h5 *h5, lc_h5_object *o, const char *name, const lc_keras_reading *r, lc_str **names, size_t *count,
                              bool *found, lc_error *err) {
    lc_h5_value v;
    char what[256], part[64];
    *names = NULL;
    *count = 0;
    snprintf(what, sizeof what, "attribute '%s' of '%.150s'", name, lc_h5_path(o));
    LC_TRY(lc_h5_attribute(h5, o, name, &v, found, err));
    if (*found) return lc_h5_strings(h5, &v, what, names, count, err);
    size_t capacity = 0;
    for (unsigned k = 0; k < MAX_SPLIT; k++) {
        bool more;
        lc_str *some;
        size_t n, need;
        snprintf(part, sizeof part, "%s%u", name, k);
        LC_TRY(lc_h5_attribute(h5, o, part, &v, &more, err));
        if (!more) break;
        LC_TRY(lc_h5_strings(h5, &v, what, &some, &n, err));
        *found = true;
        void *items = *names;
        if (!lc_add_size(*count, n, &need) || !lc_arena_grow(r->arena, &items, &capacity, need, sizeof *some))
            return lc_fail_memory(err, "names");
        *names = items;
        if (n) memcpy(*names + *count, some, n * sizeof *some);
        *count = need;
    }
    return LC_OK;
}

lc_status lc_keras_read_text(lc_h5 *h5, lc_h5_object *o, const char *name, lc_str *text, lc_error *err) {
    lc_h5_value v;
    bool found;
    lc_str *strings;
    size_t count;
    *text = (lc_str){0};
    LC_TRY(lc_h5_attribute(h5, o, name, &v, &found, err));
    if (!found) return LC_OK;
    LC_TRY(lc_h5_strings(h5, &v, name, &strings, &count, err));
    if (count != 1) return LC_SOURCE_FAIL(err, LC_INVALID, KERAS_H5, v.at, "attribute '%s' has %zu strings, one is expected", name, count);
    *text = strings[0];
    return LC_OK;
}

/* ---- weights ---- */

/* HDF5 has no bfloat16: Keras 3 stores its bytes and says what they are in an attribute. */
static lc_status settle_type(lc_h5 *h5, lc_h5_object *dataset, lc_h5_value *v, lc_error *err) {
    lc_str text;
    if (v->type.kind == LC_H5_NUMBER) return LC_OK;
    LC_TRY(lc_keras_read_text(h5, dataset, "dtype", &text, err));
    if (v->type.size != 2 || !lc_str_is(text, "bfloat16"))
        return LC_SOURCE_FAIL(err, LC_UNSUPPORTED, KERAS_WEIGHT, v->at, "'%s' is of type %s, which litec does not read",
                              lc_h5_path(dataset), v->type.what);
    v->type.dtype = LC_BFLOAT16;
    return LC_OK;
}

lc_status lc_keras_weight_read(const lc_keras_reading *r, lc_h5 *h5, lc_h5_object *dataset, lc_str name, lc_keras_weight *w,
                               lc_error *err) {
    lc_h5_value v;
    LC_TRY(lc_h5_read(h5, dataset, &v, err));
    LC_TRY(settle_type(h5, dataset, &v, err));
    if (v.rank > LC_MAX_RANK)
        return LC_SOURCE_FAIL(err, LC_UNSUPPORTED, KERAS_WEIGHT, v.at, "'%s' has %d dimensions, litec knows at most %d",
                              lc_h5_path(dataset), v.rank, LC_MAX_RANK);
    LC_TRY(lc_budget_memory(r->budget, name.size, "names of weights", err));
    *w = (lc_keras_weight){.type = v.type.dtype, .rank = v.rank, .data = v.data, .size = v.size};
    for (int32_t d = 0; d < v.rank; d++) {
        if (v.dims[d] > INT32_MAX)
            return LC_SOURCE_FAIL(err, LC_UNSUPPORTED, KERAS_WEIGHT, v.at, "dimension %d of '%s' is %llu, litec knows at most %d", d,
                                  lc_h5_path(dataset), (unsigned long long)v.dims[d], INT32_MAX);
        w->dims[d] = (int32_t)v.dims[d];
    }
    w->name = lc_arena_strndup(r->arena, name.data, name.size);
    return w->name ? LC_OK : lc_fail_memory(err, "name of a weight");
}

lc_status lc_keras_weight_add(const lc_keras_reading *r, lc_keras_layer *layer, const lc_keras_weight *weight, lc_error *err) {
    /* Layers have few weights: room is made in powers of two, so the count alone says when it is used up. */
    uint32_t n = layer->weight_count;
    if ((n & (n - 1)) == 0) {
        lc_keras_weight *wider = lc_arena_array(r->arena, n ? (size_t)n << 1 : 2, sizeof *wider);
        if (!wider) return lc_fail_memory(err, "weights");
        if (n) memcpy(wider, layer->weights, n * sizeof *wider);
        layer->weights = wider;
    }
    layer->weights[layer->weight_count++] = *weight;
    return LC_OK;
}

/* ---- nested models ---- */

/* A layer inside a nested model, and the models around it. */
typedef struct leaf {
    lc_str name;
    lc_keras_layer *layer;
    const struct leaf_path *around; /* innermost first */
    size_t place;                   /* in the order of the configuration */
    lc_str taken;                   /* the part of a weight's name, up to the layer's, that was settled to mean this layer */
} leaf;
typedef struct leaf_path {
    const struct leaf_path *above;
    lc_str name;
} leaf_path;
typedef struct leaf_list {
    leaf *items;
    size_t count, capacity;
} leaf_list;

/* The layer that has the weights: in a TimeDistributed the one in it. */
static lc_keras_layer *holder(lc_keras_layer *l) {
    while (l->inner) l = l->inner;
    return l;
}

static leaf_path *go_into(const lc_keras_reading *r, const leaf_path *above, const char *name) {
    leaf_path *around = lc_arena_alloc(r->arena, sizeof *around);
    if (around) *around = (leaf_path){above, lc_str_of(name)};
    return around;
}

static lc_status add_leaf(const lc_keras_reading *r, const char *name, lc_keras_layer *l, const leaf_path *around, leaf_list *list,
                          lc_error *err) {
    void *items = list->items;
    if (!lc_arena_grow(r->arena, &items, &list->capacity, list->count + 1, sizeof *list->items))
        return lc_fail_memory(err, "nested models");
    list->items = items;
    list->items[list->count] = (leaf){.name = lc_str_of(name), .layer = l, .around = around, .place = list->count};
    list->count++;
    return LC_OK;
}

static lc_status list_leaves(const lc_keras_reading *r, const lc_keras_layer *nested, const leaf_path *above, leaf_list *list,
                             lc_error *err) {
    const leaf_path *around = go_into(r, above, nested->name);
    const char *version = nested->model->keras_version;
    if (!around) return lc_fail_memory(err, "nested models");
    for (uint32_t i = 0; i < nested->model->layer_count; i++) {
        lc_keras_layer *named = &nested->model->layers[i], *l = holder(named);
        const leaf_path *inside = around;
        /* The layer in a TimeDistributed bears its own name in Keras 3; in Keras 2 it has that of the TimeDistributed. */
        for (; version && version[0] >= '3' && named->inner && inside; named = named->inner) inside = go_into(r, inside, named->name);
        if (!inside) return lc_fail_memory(err, "nested models");
        if (l->model) LC_TRY(list_leaves(r, l, inside, list, err));
        else LC_TRY(add_leaf(r, named->name, l, inside, list, err));
    }
    return LC_OK;
}

static int compare_names(const void *a, const void *b) {
    lc_str x = *(const lc_str *)a, y = *(const lc_str *)b;
    size_t n = x.size < y.size ? x.size : y.size;
    int order = n ? memcmp(x.data, y.data, n) : 0;
    return order ? order : (x.size > y.size) - (x.size < y.size);
}

/* By name; those of one name in their order. */
static int compare_leaves(const void *a, const void *b) {
    const leaf *x = a, *y = b;
    int order = compare_names(&x->name, &y->name);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}
static int compare_name_to_leaf(const void *name, const void *l) { return compare_names(name, &((const leaf *)l)->name); }

/* How many of the models around a leaf occur in the part of the name in front of it. */
static unsigned matches_around(const leaf *l, lc_str front) {
    unsigned n = 0;
    for (const leaf_path *p = l->around; p; p = p->above)
        for (size_t i = 0; i + p->name.size <= front.size; i++) {
            bool starts = i == 0 || front.data[i - 1] == '/', ends = i + p->name.size == front.size || front.data[i + p->name.size] == '/';
            if (starts && ends && memcmp(front.data + i, p->name.data, p->name.size) == 0) {
                n++;
                break;
            }
        }
    return n;
}

/* Does the name in front of the leaf's own end with the model that holds it? Keras writes so for layers of a Sequential. */
static bool directly_in(const leaf *l, lc_str front) {
    lc_str model = l->around->name;
    if (front.size < model.size || memcmp(front.data + front.size - model.size, model.data, model.size) != 0) return false;
    return front.size == model.size || front.data[front.size - model.size - 1] == '/';
}

/* The leaves that a weight's name may mean: those named by its parts (some layers have a '/' in their name), as far to the right
 * as possible. */
typedef struct candidates {
    leaf *first;
    size_t count;
    lc_str front, upto; /* the weight's name in front of the leaf's, and up to its end */
} candidates;

static candidates find_candidates(const leaf_list *list, lc_str weight) {
    size_t ends[MAX_PARTS + 1], parts = 0; /* where parts end; the last part is the weight's own name */
    for (size_t i = 0; i < weight.size && parts < MAX_PARTS; i++)
        if (weight.data[i] == '/') ends[parts++] = i;
    for (size_t to = parts; to-- > 0 && list->count;)
        for (size_t from = 0; from <= to; from++) {
            size_t begin = from ? ends[from - 1] + 1 : 0;
            lc_str name = {weight.data + begin, ends[to] - begin};
            leaf *found = bsearch(&name, list->items, list->count, sizeof *found, compare_name_to_leaf);
            if (!found) continue;
            leaf *last = found + 1;
            while (found > list->items && compare_names(&found[-1].name, &name) == 0) found--;
            while (last < list->items + list->count && compare_names(&last->name, &name) == 0) last++;
            return (candidates){found, (size_t)(last - found), {weight.data, begin ? begin - 1 : 0}, {weight.data, ends[to]}};
        }
    return (candidates){0};
}

/* The leaf a weight belongs to; *out NULL when there is none, or, while only `certain` ones are settled, none that the name tells
 * for sure. Where names leave a choice, it is the first that no other name took. */
static lc_status find_leaf(const lc_keras_reading *r, const leaf_list *list, lc_str weight, bool certain, leaf **out, lc_error *err) {
    const candidates c = find_candidates(list, weight);
    leaf *best = NULL;
    unsigned most = 0;
    *out = NULL;
    if (c.count == 1) {
        *out = c.first;
        return LC_OK;
    }
    LC_TRY(lc_budget_tables(r->budget, c.count, "layers of one name", err));
    for (size_t i = 0; i < c.count && !*out; i++)
        if (c.first[i].taken.data && lc_str_eq(c.first[i].taken, c.upto)) *out = &c.first[i];
    if (*out) return LC_OK;
    for (size_t i = 0; i < c.count; i++) {
        leaf *l = &c.first[i];
        unsigned matches = matches_around(l, c.front);
        if (l->taken.data || (certain && !directly_in(l, c.front)) || (best && matches <= most)) continue;
        best = l, most = matches;
    }
    if (best) best->taken = c.upto;
    *out = best;
    return LC_OK;
}

/* ---- layers ---- */

static lc_status check_unique(const lc_keras_reading *r, const lc_str *names, size_t count, const char *where, lc_error *err) {
    if (count < 2) return LC_OK;
    lc_str *sorted = lc_arena_array(r->arena, count, sizeof *sorted);
    if (!sorted) return lc_fail_memory(err, "names");
    memcpy(sorted, names, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 1; i < count; i++)
        if (compare_names(&sorted[i - 1], &sorted[i]) == 0)
            return LC_SOURCE_FAIL(err, LC_INVALID, KERAS_H5, LC_NO_OFFSET, "'%s' lists '%.*s' twice", where,
                                  (int)(sorted[i].size < 200 ? sorted[i].size : 200), sorted[i].data);
    return LC_OK;
}

static lc_status read_layer(const lc_keras_reading *r, lc_h5 *h5, lc_h5_object *weights, lc_str called, lc_keras_layer *l, lc_error *err) {
    lc_h5_object *group, *dataset;
    lc_str *names;
    size_t count;
    bool found;
    LC_TRY(lc_h5_find(h5, weights, called, &group, err));
    if (!group) {
        LC_SOURCE_FAIL(err, LC_INVALID, KERAS_H5, LC_NO_OFFSET, "layer '%s' (%s) has no group '%.*s' in '%s'", l->name, l->class_name,
                       (int)(called.size < 200 ? called.size : 200), called.data, lc_h5_path(weights));
        lc_error_hint(err, "configuration and weights do not belong together: save the whole model again with model.save(...)");
        return LC_INVALID;
    }
    LC_TRY(lc_keras_read_names(h5, group, "weight_names", r, &names, &count, &found, err));
    LC_TRY(lc_budget_tables(r->budget, count, "weights", err));
    LC_TRY(check_unique(r, names, count, lc_h5_path(group), err));
    leaf_list leaves = {0};
    lc_keras_layer *held = holder(l);
    if (held->model) {
        leaf *at;
        LC_TRY(list_leaves(r, held, NULL, &leaves, err));
        if (leaves.count) qsort(leaves.items, leaves.count, sizeof *leaves.items, compare_leaves);
        for (size_t i = 0; i < count; i++) LC_TRY(find_leaf(r, &leaves, names[i], true, &at, err));
    }
    for (size_t i = 0; i < count; i++) {
        lc_keras_layer *owner = held;
        int shown = (int)(names[i].size < 200 ? names[i].size : 200);
        if (held->model) {
            leaf *at;
            LC_TRY(find_leaf(r, &leaves, names[i], false, &at, err));
            if (!at) {
                LC_SOURCE_FAIL(err, LC_INVALID, KERAS_H5, LC_NO_OFFSET,
                               "weight '%.*s' of the nested model '%s' belongs to none of its layers", shown, names[i].data, l->name);
                lc_error_hint(err, "layers were renamed after they were made: save the model as .keras instead");
                return LC_INVALID;
            }
            owner = at->layer;
        }
        lc_keras_weight w;
        lc_status status = lc_h5_get(h5, group, names[i], &dataset, err);
        if (status == LC_OK) status = lc_keras_weight_read(r, h5, dataset, names[i], &w, err);
        if (status == LC_NOT_FOUND)
            status =
                LC_SOURCE_FAIL(err, LC_INVALID, KERAS_H5, LC_NO_OFFSET, "weight '%.*s' is listed but has no dataset", shown, names[i].data);
        if (status == LC_OK) status = lc_keras_weight_add(r, owner, &w, err);
        if (status != LC_OK) {
            if (status != LC_NO_MEMORY) lc_error_prefix(err, "layer '%s' (%s)", owner->name, owner->class_name);
            return status;
        }
    }
    return LC_OK;
}

static bool is_input(const lc_keras_layer *l) { return strcmp(l->class_name, "InputLayer") == 0; }

/* InputLayers and layers that were put in are not always listed, and have nothing. */
static bool may_be_missing(const lc_keras_layer *l) {
    if (is_input(l) || !l->entry) return true;
    return l->call_count && l->calls[0].args && !lc_json_get(l->config, "trainable"); /* an operation with a configuration of its own */
}

/* Layers that Keras lists. */
static bool has_place(const lc_keras_layer *l) { return l->entry && !lc_keras_is_operation(l) && (is_input(l) || !may_be_missing(l)); }

/* Does each of the names stand in the sorted list? */
static bool all_in(const lc_str *names, size_t count, const lc_str *sorted, size_t n) {
    size_t i = 0;
    while (i < count && n && bsearch(&names[i], sorted, n, sizeof *sorted, compare_names)) i++;
    return i == count;
}

/* The names under which the file has the layers: their own, when there is a layer for each name that is listed, or the other way round; else
 * those at their place, when there are as many as layers, or layers that are no input. NULL: none of it. */
static lc_status match_layers(const lc_keras_reading *r, const lc_keras_model *m, const lc_str *names, const lc_str *sorted, size_t count,
                              lc_str **called, size_t *expected, lc_error *err) {
    lc_str *own = lc_arena_array(r->arena, m->layer_count, sizeof *own), *needed = lc_arena_array(r->arena, m->layer_count, sizeof *needed);
    if (!own || !needed) return lc_fail_memory(err, "names");
    size_t layers = 0, inputs = 0, n = 0;
    *called = own;
    for (uint32_t i = 0; i < m->layer_count; i++) {
        const lc_keras_layer *l = &m->layers[i];
        own[i] = lc_str_of(l->name);
        if (!has_place(l)) continue;
        layers++;
        if (is_input(l)) inputs++;
        else needed[n++] = own[i];
    }
    if (all_in(needed, n, sorted, count)) return LC_OK;
    memcpy(needed, own, m->layer_count * sizeof *own);
    qsort(needed, m->layer_count, sizeof *needed, compare_names);
    if (all_in(names, count, needed, m->layer_count)) return LC_OK;
    const bool all = count == layers;
    *expected = layers - inputs;
    *called = NULL;
    if (!all && count != layers - inputs) return LC_OK;
    size_t k = 0;
    for (uint32_t i = 0; i < m->layer_count; i++)
        own[i] = has_place(&m->layers[i]) && (all || !is_input(&m->layers[i])) ? names[k++] : (lc_str){0};
    *called = own;
    return LC_OK;
}

static lc_status read_weights(const lc_keras_reading *r, lc_h5 *h5, lc_h5_object *weights, lc_keras_model *m, lc_error *err) {
    lc_str *names, *called = NULL;
    size_t count, expected = 0;
    bool found;
    LC_TRY(lc_keras_read_names(h5, weights, "layer_names", r, &names, &count, &found, err));
    LC_TRY(check_unique(r, names, count, "layer_names", err));
    /* Also to tell an operation or a layer of a subclass, which Keras does not list, from a damaged file. */
    lc_str *sorted = lc_arena_array(r->arena, count, sizeof *sorted);
    if (!sorted) return lc_fail_memory(err, "names");
    if (count) memcpy(sorted, names, count * sizeof *sorted);
    if (count) qsort(sorted, count, sizeof *sorted, compare_names);
    LC_TRY(match_layers(r, m, names, sorted, count, &called, &expected, err));
    if (!called) {
        LC_SOURCE_FAIL(err, LC_INVALID, KERAS_H5, LC_NO_OFFSET,
                       "'%s' lists %zu layers, others than the %zu of model '%s': neither names nor their number fit", lc_h5_path(weights),
                       count, expected, m->name);
        lc_error_hint(err, "configuration and weights do not belong together: save the whole model again with model.save(...)");
        return LC_INVALID;
    }
    for (uint32_t i = 0; i < m->layer_count; i++) {
        bool listed = count && called[i].data && bsearch(&called[i], sorted, count, sizeof *sorted, compare_names);
        if (!listed && (may_be_missing(&m->layers[i]) || lc_keras_is_operation(&m->layers[i]))) continue;
        if (!listed && found) {
            LC_SOURCE_FAIL(err, LC_INVALID, KERAS_H5, LC_NO_OFFSET, "layer '%s' (%s) is not listed in layer_names of '%s'",
                           m->layers[i].name, m->layers[i].class_name, lc_h5_path(weights));
            lc_error_hint(err, "configuration and weights do not belong together: save the whole model again with model.save(...)");
            return LC_INVALID;
        }
        LC_TRY(read_layer(r, h5, weights, called[i], &m->layers[i], err));
    }
    return LC_OK;
}

/* keras_version and backend, at the root or beside the weights. */
static lc_status read_about(lc_h5 *h5, lc_h5_object *weights, const char *name, lc_str *text, lc_error *err) {
    LC_TRY(lc_keras_read_text(h5, lc_h5_root(h5), name, text, err));
    return text->data || !weights ? LC_OK : lc_keras_read_text(h5, weights, name, text, err);
}

lc_status lc_keras_h5_weights(const lc_keras_reading *r, lc_h5 *h5, lc_keras_model *m, lc_error *err) {
    lc_h5_object *weights;
    lc_str version, backend;
    bool found;
    lc_h5_value v;
    LC_TRY(lc_h5_find(h5, lc_h5_root(h5), LC_STR("model_weights"), &weights, err));
    LC_TRY(read_about(h5, weights, "keras_version", &version, err));
    LC_TRY(read_about(h5, weights, "backend", &backend, err));
    if (!weights) {
        LC_TRY(lc_h5_attribute(h5, lc_h5_root(h5), "layer_names", &v, &found, err));
        if (!found) LC_TRY(lc_h5_attribute(h5, lc_h5_root(h5), "layer_names0", &v, &found, err));
        if (found) weights = lc_h5_root(h5);
    }
    if (!weights) {
        LC_SOURCE_FAIL(err, LC_INVALID, KERAS_H5, LC_NO_OFFSET, "the file has no group 'model_weights'");
        lc_error_hint(err, "save the whole model again with model.save(...)");
        return LC_INVALID;
    }
    LC_TRY(read_weights(r, h5, weights, m, err));
    return lc_keras_modernise_weights(r, m, !version.size || version.data[0] == '1', lc_str_is(backend, "theano"), err);
}

/* ---- the file ---- */

static lc_status no_config(lc_h5 *h5, lc_error *err) {
    lc_h5_object *o = NULL;
    bool weights = false;
    lc_h5_value v;
    static const char *const signs[] = {"model_weights", "layers", "_layer_checkpoint_dependencies"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs && !weights; i++)
        weights = lc_h5_find(h5, lc_h5_root(h5), lc_str_of(signs[i]), &o, NULL) == LC_OK && o;
    if (!weights && lc_h5_attribute(h5, lc_h5_root(h5), "layer_names", &v, &weights, NULL) != LC_OK) weights = false;
    if (weights) {
        LC_SOURCE_FAIL(err, LC_INVALID, KERAS_H5, LC_NO_OFFSET,
                       "the file has no model_config: it holds the weights of a Keras model, not the model");
        lc_error_hint(err, "save the whole model with model.save(...), not model.save_weights(...); or write its architecture with "
                           "model.to_json(), give that, and this file with --weights (lc_convert_options.weights)");
    } else {
        LC_SOURCE_FAIL(err, LC_INVALID, KERAS_H5, LC_NO_OFFSET, "an HDF5 file that holds no Keras model: it has no attribute model_config");
        lc_error_hint(err, "give a file written by model.save(...) of Keras");
    }
    return LC_INVALID;
}

lc_status lc_keras_read_h5(const lc_keras_reading *r, lc_keras_model **model, lc_error *err) {
    *model = NULL;
    lc_h5 *h5;
    lc_h5_object *weights;
    lc_str config, version;
    const lc_json *root;
    const char *version_text = NULL;
    lc_keras_model *m;
    LC_TRY(lc_h5_open(r->map->data, r->map->size, 0, r->budget, r->arena, r->data, &h5, err));
    LC_TRY(lc_keras_read_text(h5, lc_h5_root(h5), "model_config", &config, err));
    if (!config.data) return no_config(h5, err);
    LC_TRY(lc_h5_find(h5, lc_h5_root(h5), LC_STR("model_weights"), &weights, err));
    LC_TRY(read_about(h5, weights, "keras_version", &version, err));
    if (version.data && version.size < 64 && !(version_text = lc_arena_strndup(r->arena, version.data, version.size)))
        return lc_fail_memory(err, "version");
    lc_status status = lc_json_parse(config.data, config.size, r->budget, r->arena, &root, err);
    if (status == LC_INVALID) lc_error_prefix(err, "attribute model_config");
    if (status != LC_OK) return status;
    LC_TRY(lc_keras_config(root, version_text, r->budget, r->arena, &m, err));
    LC_TRY(r->weights ? lc_keras_read_weights(r, m, err) : lc_keras_h5_weights(r, h5, m, err));
    *model = m;
    return LC_OK;
}
