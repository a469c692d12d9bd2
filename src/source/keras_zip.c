/*
 * keras_zip.c: a .keras file: a zip with config.json, metadata.json and model.weights.h5, which is read in place; and such a weights file
 * by itself, as save_weights writes it, in one piece or in shards.
 *
 * In the weights file a layer is not found by its name but by its class and its number among the layers of that class:
 *
 *   layers/conv2d/vars/0   layers/conv2d_1/vars/0   layers/sequential/layers/dense/vars/0 ...
 *
 * so the naming must be Keras's own, letter for letter (lower/keras_place.h). Weights of parts of a layer lie below it
 * under the names of its attributes ("forward_layer/cell/vars/0"); they follow the layer's own.
 *
 * Three ways of naming exist:
 *   Keras 3                  "layers" without a Sequential's InputLayer; a layer that was saved before is counted again
 *   Keras 2.13 and later     the same, but a layer that was saved before is not counted
 *   Keras 2.12 and before    "_layer_checkpoint_dependencies" in place of "layers"; every layer has a group, but the numbers
 * may have gaps On Windows the first versions put '\' for '/', inside one name.
 *
 * A layer that the model holds twice (in itself and in a nested model) is saved once, where it comes first. Where a group is
 * missing, the weights are those of a layer of the same name, class and configuration that came before. (shared_object_id would
 * say it, but Keras loses it when it copies the configuration of nested models.)
 *
 * Shards are weights files that hold parts of one tree: a group is looked for in all of them, and its members are those of all.
 *
 * Refuses: a zip without config.json or weights, weights as .npz.
 *
 * Facts: keras/src/saving/saving_lib.py, tf_keras/src/saving/saving_lib.py.
 */
#include "lower/keras_place.h"
#include "source/keras_read.h"
#include "source/zip.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PATH 4000
#define MAX_GAP 16 /* numbers that are tried */

typedef struct walk {
    const lc_keras_reading *r;
    const lc_zip *zip; /* where assets are; NULL: there are none */
    lc_h5 *const *files;
    size_t file_count;
    lc_keras_names saved; /* layers met so far */
    bool keras2;
    bool dependencies; /* "_layer_checkpoint_dependencies" */
    lc_error *err;
} walk;

/* A group, in each of the files: NULL in those that do not have it. A NULL spot is in none. */
typedef lc_h5_object **spot;

static lc_status new_spot(walk *w, spot *out) {
    *out = lc_arena_array(w->r->arena, w->file_count, sizeof **out);
    return *out ? LC_OK : lc_fail_memory(w->err, "groups of weights");
}

/* What a name, or a path, leads to below a spot; below the roots when `at` is NULL. */
static lc_status find_below(walk *w, spot at, lc_str path, spot *out) {
    bool any = false;
    LC_TRY(new_spot(w, out));
    if (w->file_count > 1) LC_TRY(lc_budget_tables(w->r->budget, w->file_count, "shards of weights", w->err));
    for (size_t f = 0; f < w->file_count; f++) {
        lc_h5_object *from = at ? at[f] : lc_h5_root(w->files[f]);
        if (from) LC_TRY(lc_h5_find(w->files[f], from, path, &(*out)[f], w->err));
        any = any || (*out)[f];
    }
    if (!any) *out = NULL;
    return LC_OK;
}

/* A group by path below the root; as '\' of Windows when there is none with '/'. */
static lc_status find_group(walk *w, const char *path, spot *group) {
    LC_TRY(find_below(w, NULL, lc_str_of(path), group));
    if (*group) return LC_OK;
    char turned[MAX_PATH + 1];
    size_t n = strlen(path);
    if (n > MAX_PATH) return LC_OK;
    for (size_t i = 0; i <= n; i++) turned[i] = path[i] == '/' ? '\\' : path[i];
    return find_below(w, NULL, (lc_str){turned, n}, group);
}

/* Where a spot is first, for messages. */
static const char *path_of(const walk *w, spot at) {
    for (size_t f = 0; f < w->file_count; f++)
        if (at[f]) return lc_h5_path(at[f]);
    return "";
}

/* ---- weights of a layer ---- */

/* "0", "1" ... "10": in the order of numbers, not of names. Everything in a group of variables must be one. A few layers give theirs
 * names instead (idf_weights). */
static lc_status read_vars(walk *w, spot vars, const char *front, lc_keras_layer *l) {
    const lc_h5_link *links;
    size_t count = 0;
    bool named = true;
    for (size_t f = 0; f < w->file_count; f++) {
        size_t n = 0;
        if (!vars[f]) continue;
        LC_TRY(lc_h5_links(w->files[f], vars[f], &links, &n, w->err));
        for (size_t i = 0; i < n && named; i++) named = links[i].name.size && (links[i].name.data[0] < '0' || links[i].name.data[0] > '9');
        count += n;
    }
    char name[MAX_PATH + 1], number[24];
    lc_keras_weight weight;
    lc_h5_object *dataset;
    for (size_t f = 0; named && f < w->file_count; f++) {
        size_t n = 0;
        if (vars[f]) LC_TRY(lc_h5_links(w->files[f], vars[f], &links, &n, w->err));
        for (size_t i = 0; i < n; i++) {
            snprintf(name, sizeof name, "%svars/%.*s", front, (int)(links[i].name.size < 200 ? links[i].name.size : 200),
                     links[i].name.data);
            LC_TRY(lc_h5_follow(w->files[f], vars[f], &links[i], &dataset, w->err));
            LC_TRY(lc_keras_weight_read(w->r, w->files[f], dataset, lc_str_of(name), &weight, w->err));
            LC_TRY(lc_keras_weight_add(w->r, l, &weight, w->err));
        }
    }
    for (size_t i = 0; !named && i < count; i++) {
        spot at;
        snprintf(number, sizeof number, "%zu", i);
        snprintf(name, sizeof name, "%svars/%zu", front, i);
        LC_TRY(find_below(w, vars, lc_str_of(number), &at));
        if (!at)
            return LC_SOURCE_FAIL(w->err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "'%s' has %zu variables but none with number %zu",
                                  path_of(w, vars), count, i);
        size_t f = 0;
        while (!at[f]) f++;
        LC_TRY(lc_keras_weight_read(w->r, w->files[f], at[f], lc_str_of(name), &weight, w->err));
        LC_TRY(lc_keras_weight_add(w->r, l, &weight, w->err));
    }
    return LC_OK;
}

static lc_status read_parts(walk *w, spot group, const char *front, uint32_t depth, lc_keras_layer *l);

/* The part of a layer that a link of file `from` names, unless an earlier file has it, too. */
static lc_status read_part(walk *w, spot group, size_t from, const lc_h5_link *link, const char *front, uint32_t depth, lc_keras_layer *l) {
    spot part;
    char below[MAX_PATH + 1];
    /* The state of random numbers is not a weight. */
    if (lc_str_is(link->name, "vars") || lc_str_is(link->name, "seed_generator")) return LC_OK;
    if (w->file_count == 1) {
        LC_TRY(new_spot(w, &part));
        LC_TRY(lc_h5_follow(w->files[0], group[0], link, &part[0], w->err));
    } else {
        LC_TRY(find_below(w, group, link->name, &part));
    }
    for (size_t f = 0; part && f < from; f++)
        if (part[f]) return LC_OK;
    if (!part || !part[from] || !lc_h5_is_group(part[from])) return LC_OK;
    const int n =
        snprintf(below, sizeof below, "%s%.*s/", front, (int)(link->name.size < MAX_PATH ? link->name.size : MAX_PATH), link->name.data);
    if (n < 0 || (size_t)n >= sizeof below - 32)
        return LC_SOURCE_FAIL(w->err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "'%s': names of groups are too long", path_of(w, group));
    return read_parts(w, part, below, depth + 1, l);
}

/* The layer's own variables, then those of its parts. */
static lc_status read_parts(walk *w, spot group, const char *front, uint32_t depth, lc_keras_layer *l) {
    const lc_h5_link *links;
    size_t count;
    spot vars;
    for (size_t f = 0; f < w->file_count; f++)
        if (group[f] && lc_h5_mark(group[f]))
            return LC_SOURCE_FAIL(w->err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "'%s': a group of weights is there twice",
                                  lc_h5_path(group[f]));
    if (depth > w->r->budget->limits.max_depth)
        return LC_SOURCE_FAIL(w->err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "'%s': groups of weights are nested too deep",
                              path_of(w, group));
    LC_TRY(find_below(w, group, LC_STR("vars"), &vars));
    if (vars) LC_TRY(read_vars(w, vars, front, l));
    for (size_t f = 0; f < w->file_count; f++) {
        if (!group[f]) continue;
        LC_TRY(lc_h5_links(w->files[f], group[f], &links, &count, w->err));
        for (size_t i = 0; i < count; i++) LC_TRY(read_part(w, group, f, &links[i], front, depth, l));
    }
    return LC_OK;
}

/* ---- layers that are there twice ---- */

/* Equal but for shared_object_id, which Keras loses in copies. */
static bool json_equal(const lc_json *a, const lc_json *b) {
    if (!a || !b || a->kind != b->kind) return a == b;
    switch (a->kind) {
    case LC_JSON_STRING: return strcmp(a->string, b->string) == 0;
    case LC_JSON_INT: return a->integer == b->integer;
    case LC_JSON_REAL: return a->real == b->real;
    case LC_JSON_BOOL: return a->boolean == b->boolean;
    default: break;
    }
    uint32_t i = 0, k = 0;
    bool object = a->kind == LC_JSON_OBJECT;
    for (;; i++, k++) {
        while (object && i < a->count && strcmp(a->items[i].key, "shared_object_id") == 0) i++;
        while (object && k < b->count && strcmp(b->items[k].key, "shared_object_id") == 0) k++;
        if (i == a->count || k == b->count) return i == a->count && k == b->count;
        if (object && strcmp(a->items[i].key, b->items[k].key) != 0) return false;
        if (!json_equal(&a->items[i], &b->items[k])) return false;
    }
}

/* The layer saved before that `l` may be: of the same name, class and configuration; NULL when there is none. */
static lc_status saved_before(walk *w, const lc_keras_layer *l, lc_keras_layer **before) {
    *before = NULL;
    for (const lc_keras_name *i = *lc_keras_names_head(&w->saved, l->name); i && !*before; i = i->next) {
        LC_TRY(lc_budget_tables(w->r->budget, 1, "layers of one name", w->err));
        bool same = strcmp(i->name, l->name) == 0 && i->layer != l && strcmp(i->layer->class_name, l->class_name) == 0 &&
                    json_equal(i->layer->config, l->config);
        if (same) *before = i->layer;
    }
    return LC_OK;
}

static lc_status remember(walk *w, lc_keras_layer *l) {
    lc_keras_name *i;
    LC_TRY(lc_keras_names_add(&w->saved, l->name, &i, w->err));
    i->layer = l;
    return LC_OK;
}

static void adopt(lc_keras_layer *to, const lc_keras_layer *from) {
    to->weights = from->weights;
    to->weight_count = from->weight_count;
    to->vocabulary = from->vocabulary;
    if (to->inner && from->inner) adopt(to->inner, from->inner);
    if (!to->model || !from->model || to->model->layer_count != from->model->layer_count) return;
    for (uint32_t i = 0; i < to->model->layer_count; i++) adopt(&to->model->layers[i], &from->model->layers[i]);
}

/* ---- models ---- */

static lc_status read_model(walk *w, lc_keras_model *m, const char *path, uint32_t depth);

/* What a lookup keeps beside its weights: "assets/<path>/vocabulary.txt". */
static lc_status read_vocabulary(walk *w, lc_keras_layer *l, const char *path) {
    const size_t n = strlen(l->class_name);
    char name[MAX_PATH + 64];
    const uint8_t *text;
    size_t size;
    if (!w->zip || n < 6 || strcmp(l->class_name + n - 6, "Lookup") != 0) return LC_OK;
    LC_TRY(lc_budget_tables(w->r->budget, w->zip->count, "members of a zip", w->err));
    const int length = snprintf(name, sizeof name, "assets/%s/vocabulary.txt", path);
    const lc_zip_member *member = length > 0 && (size_t)length < sizeof name ? lc_zip_find(w->zip, name) : NULL;
    if (!member) return LC_OK;
    LC_TRY(lc_zip_read(w->zip, member, w->r->budget, w->r->data, &text, &size, w->err));
    l->vocabulary = (lc_str){(const char *)text, size};
    return LC_OK;
}

static lc_status read_layer(walk *w, lc_keras_layer *l, const char *path, uint32_t depth) {
    spot group;
    lc_keras_layer *before;
    LC_TRY(read_vocabulary(w, l, path));
    LC_TRY(find_group(w, path, &group));
    if (!group) {
        /* A layer without weights need not be there. One that should have some is missed when it is lowered. */
        LC_TRY(saved_before(w, l, &before));
        if (before) adopt(l, before);
        return LC_OK;
    }
    LC_TRY(remember(w, l));
    if (l->model) return read_model(w, l->model, path, depth + 1);
    if (l->inner) {
        char below[MAX_PATH + 1];
        const int n = snprintf(below, sizeof below, "%s/layer", path);
        if (n < 0 || (size_t)n >= sizeof below)
            return LC_SOURCE_FAIL(w->err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "layer '%s': names of groups are too long", l->name);
        return read_layer(w, l->inner, below, depth);
    }
    lc_status status = read_parts(w, group, "", 0, l);
    if (status != LC_OK && status != LC_NO_MEMORY) lc_error_prefix(w->err, "layer '%s' (%s)", l->name, l->class_name);
    return status;
}

/* The path of the next layer of a class in a container; in the numbering with gaps the next one that is there, if it is near.
 */
static lc_status next_path(walk *w, const char *container, lc_keras_name *class, char *out, size_t size, bool *fits) {
    uint32_t tries = w->dependencies ? MAX_GAP : 1, number = class->number;
    for (uint32_t k = 0; k < tries; k++, number++) {
        spot group;
        *fits = lc_keras_path(out, size, container, class->name, number);
        if (!*fits || tries == 1) break;
        LC_TRY(find_group(w, out, &group));
        if (group) break;
    }
    class->number = number + 1;
    return LC_OK;
}

/* Keras 2 gives every layer a group but those that were saved before, and these do not count. So when a class has more layers
 * than groups, its layers that were saved before are the ones without. */
static lc_status count_groups(walk *w, lc_keras_model *m, const char *container, lc_keras_names *classes) {
    char class_name[600], path[MAX_PATH + 1];
    for (uint32_t i = 0; i < m->layer_count; i++) {
        lc_keras_name *class;
        spot group;
        if (!lc_keras_in_container(m, &m->layers[i]) || !lc_keras_snake_case(m->layers[i].class_name, class_name, sizeof class_name))
            continue;
        LC_TRY(lc_keras_names_get(classes, class_name, &class, w->err));
        class->layers++;
        if (class->groups + 1 < class->layers || !lc_keras_path(path, sizeof path, container, class_name, class->groups)) continue;
        LC_TRY(find_group(w, path, &group));
        class->groups += group != NULL;
    }
    return LC_OK;
}

static lc_status read_model(walk *w, lc_keras_model *m, const char *path, uint32_t depth) {
    lc_keras_names classes;
    char container[MAX_PATH + 1], class_name[600], child[MAX_PATH + 1];
    if (depth > w->r->budget->limits.max_depth)
        return lc_fail(w->err, LC_LIMIT, "models are nested deeper than %u", w->r->budget->limits.max_depth);
    int n = snprintf(container, sizeof container, "%s%s%s", path, *path ? "/" : "",
                     w->dependencies ? "_layer_checkpoint_dependencies" : "layers");
    bool fits = n > 0 && (size_t)n < sizeof container, counted = w->keras2 && !w->dependencies;
    LC_TRY(lc_keras_names_init(&classes, w->r->arena, m->layer_count, w->err));
    if (counted && fits) LC_TRY(count_groups(w, m, container, &classes));
    for (uint32_t i = 0; i < m->layer_count && fits; i++) {
        lc_keras_layer *l = &m->layers[i], *before = NULL;
        lc_keras_name *class;
        if (!lc_keras_in_container(m, l)) continue;
        if (!(fits = lc_keras_snake_case(l->class_name, class_name, sizeof class_name))) break;
        LC_TRY(lc_keras_names_get(&classes, class_name, &class, w->err));
        if (counted && class->groups < class->layers) LC_TRY(saved_before(w, l, &before));
        if (before) {
            adopt(l, before);
            continue;
        }
        LC_TRY(next_path(w, container, class, child, sizeof child, &fits));
        if (fits) LC_TRY(read_layer(w, l, child, depth));
    }
    if (!fits)
        return LC_SOURCE_FAIL(w->err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "model '%s': names of classes or models are too long", m->name);
    return LC_OK;
}

/* ---- the file ---- */

static lc_status no_member(const char *what, const char *hint, lc_error *err) {
    LC_SOURCE_FAIL(err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "%s", what);
    lc_error_hint(err, "%s", hint);
    return LC_INVALID;
}

/* A zip without config.json is something else: says what. */
static lc_status not_keras(const lc_zip *zip, lc_error *err) {
    static const struct {
        const char *suffix, *what;
    } signs[] = {
        {"data.pkl", "a zip archive that looks like a PyTorch model"},
        {"saved_model.pb", "a zip archive with a SavedModel"},
        {".npy", "a zip archive of NumPy arrays (.npz)"},
        {".h5", "a zip archive with an HDF5 file"},
        {".keras", "a zip archive with a .keras file in it"},
        {".tflite", "a zip archive with a .tflite file"},
    };
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
        for (size_t i = 0; i < zip->count; i++)
            if (lc_str_has_suffix(zip->members[i].name, signs[k].suffix)) {
                LC_SOURCE_FAIL(err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "%s, not a .keras file: it has no config.json", signs[k].what);
                lc_error_hint(err, "%s",
                              k >= 3 ? "unpack it and give the model inside" : "give a file written by model.save(\"x.keras\") of Keras");
                return LC_INVALID;
            }
    return no_member("a zip archive without config.json: it is no .keras file", "give a file written by model.save(\"x.keras\") of Keras",
                     err);
}

static lc_status read_json(const lc_keras_reading *r, const lc_zip *zip, const lc_zip_member *member, const lc_json **root, lc_error *err) {
    const uint8_t *text;
    size_t size;
    LC_TRY(lc_zip_read(zip, member, r->budget, r->arena, &text, &size, err));
    lc_status status = lc_json_parse((const char *)text, size, r->budget, r->arena, root, err);
    if (status == LC_INVALID) lc_error_prefix(err, "%.*s", (int)(member->name.size < 100 ? member->name.size : 100), member->name.data);
    return status;
}

lc_status lc_keras_read_store(const lc_keras_reading *r, const lc_keras_store *store, lc_keras_model *m, lc_error *err) {
    const char *version = m->keras_version;
    walk w = {.r = r,
              .zip = store->zip,
              .files = store->files,
              .file_count = store->count,
              .err = err,
              .keras2 = version && version[0] >= '0' && version[0] < '3'};
    spot at;
    LC_TRY(lc_keras_names_init(&w.saved, r->arena, m->layer_count, err));
    LC_TRY(find_group(&w, "_layer_checkpoint_dependencies", &at));
    w.dependencies = at != NULL;
    return read_model(&w, m, "", 0);
}

/* A shard among the members. */
static lc_status open_member(void *user, const lc_keras_reading *r, const char *name, lc_h5 **h5, lc_error *err) {
    const lc_zip *zip = user;
    const lc_zip_member *member = lc_zip_find(zip, name);
    const uint8_t *data;
    size_t size;
    if (!member) return LC_SOURCE_FAIL(err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "the archive has no member '%s'", name);
    LC_TRY(lc_zip_read(zip, member, r->budget, r->data, &data, &size, err));
    return lc_h5_open(data, size, member->method == 0 ? member->at : 0, r->budget, r->arena, r->data, h5, err);
}

/* The weights in an archive: in one member, or in an index and its shards. */
static lc_status read_members(const lc_keras_reading *r, const lc_zip *zip, lc_keras_model *m, lc_error *err) {
    const lc_zip_member *weights_at = lc_zip_find(zip, "model.weights.h5"), *index_at = lc_zip_find(zip, "model.weights.json");
    lc_keras_store store = {.zip = zip};
    const uint8_t *weights;
    size_t size;
    lc_h5 *h5;
    lc_status status;
    if (!weights_at && lc_zip_find(zip, "model.weights.npz"))
        return no_member("a .keras file whose weights are an .npz", "load it in Keras and save it again with model.save(\"x.keras\")", err);
    if (!weights_at && !index_at)
        return no_member("a .keras file without model.weights.h5", "copy or save the file again: it is not complete", err);
    if (weights_at) {
        LC_TRY(lc_zip_read_checking(zip, weights_at, r->budget, r->data, &weights, &size, r->check, err));
        status = lc_h5_open(weights, size, weights_at->method == 0 ? weights_at->at : 0, r->budget, r->arena, r->data, &h5, err);
        store.files = &h5;
        store.count = 1;
    } else {
        const lc_json *index;
        LC_TRY(read_json(r, zip, index_at, &index, err));
        status = lc_keras_open_shards(r, index, open_member, (void *)(uintptr_t)zip, &store, err);
    }
    if (status == LC_OK) status = lc_keras_read_store(r, &store, m, err);
    if (status != LC_OK && status != LC_NO_MEMORY) lc_error_prefix(err, weights_at ? "model.weights.h5" : "model.weights.json");
    return status;
}

static lc_status open_zip(const lc_keras_reading *r, lc_zip **zip, lc_error *err) {
    *zip = lc_arena_alloc(r->arena, sizeof **zip); /* lives as long as its checksum is being computed */
    return *zip ? lc_zip_open(r->map, r->budget, r->arena, *zip, err) : lc_fail_memory(err, "zip");
}

lc_status lc_keras_zip_weights(const lc_keras_reading *r, lc_keras_model *m, lc_error *err) {
    lc_zip *zip;
    LC_TRY(open_zip(r, &zip, err));
    return read_members(r, zip, m, err);
}

lc_status lc_keras_read_zip(const lc_keras_reading *r, lc_keras_model **model, lc_error *err) {
    *model = NULL;
    lc_zip *zip;
    const lc_json *config, *metadata = NULL;
    lc_keras_model *m;
    LC_TRY(open_zip(r, &zip, err));
    const lc_zip_member *config_at = lc_zip_find(zip, "config.json"), *metadata_at = lc_zip_find(zip, "metadata.json");
    if (!config_at) return not_keras(zip, err);
    LC_TRY(read_json(r, zip, config_at, &config, err));
    if (metadata_at) LC_TRY(read_json(r, zip, metadata_at, &metadata, err));
    LC_TRY(lc_keras_config(config, lc_json_str(metadata, "keras_version", NULL), r->budget, r->arena, &m, err));
    LC_TRY(r->weights ? lc_keras_read_weights(r, m, err) : read_members(r, zip, m, err));
    *model = m;
    return LC_OK;
}
