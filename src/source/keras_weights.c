/*
 * keras_weights.c: the weights of a Keras model in a file of their own, found by content:
 *
 *   save_weights("x.h5") of Keras 1 and 2       groups by the names of layers, with layer_names         keras_h5.c
 *   save_weights("x.weights.h5")                layers/dense/vars/0 ...                                 keras_zip.c
 *   save_weights(..., max_shard_size=...)       x.weights.json, an index, and x_00000.weights.h5 ... beside it
 *   a whole model, .h5 or .keras                what it has of weights
 *
 * The index of shards is {"metadata": ..., "weight_map": {"/layers/dense/vars": "x_00000.weights.h5" or a list of such names, ...}}. It is believed
 * in the names of the files only, and compared with what is in them.
 *
 * Stays true: every file stays mapped as long as the weights (lc_keras_maps); a shard is a plain name beside its index.
 *
 * Refuses: shards elsewhere, groups that are not in the shard of the index, other files, by what they look like.
 *
 * Facts: keras/src/saving/saving_lib.py (ShardedH5IOStore), keras/src/saving/saving_api.py.
 */
#include "source/keras_legacy.h"

#include <string.h>

#define MAX_SHARDS 4096

/* ---- files ------------------------------------------------------------------------------------------------------------- */

void lc_keras_maps_close(lc_keras_maps *maps) {
    for (size_t i = 0; i < maps->count; i++) lc_map_close(&maps->items[i]);
    lc_free(maps->items);
    *maps = (lc_keras_maps){0};
}

/* *map is a copy; the file stays mapped until r->maps are closed. */
static lc_status open_map(const lc_keras_reading *r, const char *path, lc_map *map, lc_error *err) {
    lc_keras_maps *maps = r->maps;
    size_t bytes;
    LC_TRY(lc_map_open(map, path, &r->budget->limits, err));
    lc_map *items = lc_mul_size(maps->count + 1, sizeof *items, &bytes) ? lc_realloc(maps->items, bytes) : NULL;
    if (!items) {
        lc_map_close(map);
        return lc_fail_memory(err, "mapped files");
    }
    maps->items = items;
    maps->items[maps->count++] = *map;
    return LC_OK;
}

/* ---- shards ------------------------------------------------------------------------------------------------------------ */

typedef struct shards {
    const lc_keras_reading *r;
    lc_keras_open_fn open;
    void *user;
    const char **names; /* [store->count] */
    lc_h5 **files;
    lc_error *err;
} shards;

/* The file of a shard, opened when it is met first. */
static lc_status shard_of(shards *s, const lc_json *v, lc_keras_store *store, lc_h5 **file) {
    if (!lc_json_is(v, LC_JSON_STRING) || !*v->string || strlen(v->string) > 1000 || strpbrk(v->string, "/\\") ||
        strcmp(v->string, "..") == 0 || strcmp(v->string, ".") == 0) {
        LC_SOURCE_FAIL(s->err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "weight_map names a shard '%.200s', which is no plain file name",
                       lc_json_is(v, LC_JSON_STRING) ? v->string : "");
        lc_error_hint(s->err, "shards lie beside their index: save the weights again with model.save_weights(..., max_shard_size=...)");
        return LC_INVALID;
    }
    LC_TRY(lc_budget_tables(s->r->budget, store->count, "shards of weights", s->err));
    for (size_t i = 0; i < store->count; i++)
        if (strcmp(s->names[i], v->string) == 0) {
            *file = s->files[i];
            return LC_OK;
        }
    if (store->count == MAX_SHARDS) {
        LC_SOURCE_FAIL(s->err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "weight_map names more than %d shards", MAX_SHARDS);
        lc_error_hint(s->err, "save the weights again with a larger max_shard_size");
        return LC_INVALID;
    }
    const lc_status status = s->open(s->user, s->r, v->string, file, s->err);
    if (status != LC_OK) {
        if (status != LC_NO_MEMORY) lc_error_prefix(s->err, "shard '%s'", v->string);
        if (status == LC_NOT_FOUND || (s->err && !s->err->hint[0]))
            lc_error_hint(s->err, "all shards that the index names are needed, each beside it under its own name");
        return status;
    }
    s->names[store->count] = v->string;
    s->files[store->count++] = *file;
    return LC_OK;
}

/* One entry: the group is in each of its shards. */
static lc_status take_entry(shards *s, const lc_json *entry, const lc_json *shard, lc_keras_store *store) {
    lc_h5 *file;
    lc_h5_object *group;
    lc_str path = lc_str_of(entry->key);
    LC_TRY(shard_of(s, shard, store, &file));
    while (path.size && path.data[0] == '/') path.data++, path.size--;
    LC_TRY(lc_h5_find(file, lc_h5_root(file), path, &group, s->err));
    if (group) return LC_OK;
    LC_SOURCE_FAIL(s->err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET,
                   "weight_map says that '%.200s' is in shard '%.200s', which does not have it", entry->key, shard->string);
    lc_error_hint(s->err, "the index belongs to other shards: copy all files of one model.save_weights(...) again");
    return LC_INVALID;
}

lc_status lc_keras_open_shards(const lc_keras_reading *r, const lc_json *index, lc_keras_open_fn open, void *user, lc_keras_store *store,
                               lc_error *err) {
    const lc_json *map = lc_json_get(index, "weight_map");
    if (!lc_json_is(map, LC_JSON_OBJECT) || !map->count) {
        LC_SOURCE_FAIL(err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "an index of weights without a weight_map");
        lc_error_hint(err, "save the weights again with model.save_weights(..., max_shard_size=...)");
        return LC_INVALID;
    }
    shards s = {.r = r, .open = open, .user = user, .err = err};
    s.names = lc_arena_array(r->arena, MAX_SHARDS, sizeof *s.names);
    s.files = lc_arena_array(r->arena, MAX_SHARDS, sizeof *s.files);
    if (!s.names || !s.files) return lc_fail_memory(err, "shards");
    store->files = s.files;
    store->count = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        const lc_json *entry = &map->items[i];
        const bool list = entry->kind == LC_JSON_ARRAY;
        for (uint32_t k = 0; k < (list ? entry->count : 1); k++) LC_TRY(take_entry(&s, entry, list ? &entry->items[k] : entry, store));
    }
    return LC_OK;
}

/* A shard beside the index. user: the path of the index. */
static lc_status open_beside(void *user, const lc_keras_reading *r, const char *name, lc_h5 **h5, lc_error *err) {
    const char *index = user, *slash = strrchr(index, '/');
    const int directory = slash ? (int)(slash - index + 1) : 0;
    lc_map map;
    char *path = lc_arena_printf(r->arena, "%.*s%s", directory, index, name);
    if (!path) return lc_fail_memory(err, "path");
    LC_TRY(open_map(r, path, &map, err));
    return lc_h5_open(map.data, map.size, 0, r->budget, r->arena, r->data, h5, err);
}

/* ---- a file ------------------------------------------------------------------------------------------------------------ */

static lc_status read_h5(const lc_keras_reading *r, lc_keras_model *m, lc_error *err) {
    static const char *const signs[] = {"layers", "_layer_checkpoint_dependencies", "vars"};
    lc_h5 *h5;
    lc_h5_object *o;
    LC_TRY(lc_h5_open(r->map->data, r->map->size, 0, r->budget, r->arena, r->data, &h5, err));
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        lc_h5_value v;
        bool legacy;
        LC_TRY(lc_h5_attribute(h5, lc_h5_root(h5), "layer_names", &v, &legacy, err));
        LC_TRY(lc_h5_find(h5, lc_h5_root(h5), lc_str_of(signs[i]), &o, err));
        if (!legacy && o) return lc_keras_read_store(r, &(lc_keras_store){.files = &h5, .count = 1}, m, err);
    }
    return lc_keras_h5_weights(r, h5, m, err);
}

static lc_status read_index(const lc_keras_reading *r, const char *path, lc_keras_model *m, lc_error *err) {
    const lc_json *index;
    lc_keras_store store = {0};
    LC_TRY(lc_json_parse((const char *)r->map->data, r->map->size, r->budget, r->arena, &index, err));
    LC_TRY(lc_keras_open_shards(r, index, open_beside, (void *)(uintptr_t)path, &store, err));
    return lc_keras_read_store(r, &store, m, err);
}

static lc_status refuse(const lc_map *map, lc_error *err) {
    const lc_source *source = lc_source_find(map, err); /* says what else it looks like */
    if (source) LC_SOURCE_FAIL(err, LC_INVALID, SOURCE, LC_NO_OFFSET, "no file of Keras weights, but a %s", source->what);
    lc_error_hint(err,
                  "give a file of model.save_weights(...) as .h5, .weights.h5 or .weights.json; weights that were saved as a checkpoint of "
                  "TensorFlow are read with their model as a SavedModel: model.export(...)");
    return LC_INVALID;
}

lc_status lc_keras_read_weights(const lc_keras_reading *r, lc_keras_model *m, lc_error *err) {
    lc_keras_reading here = *r;
    lc_map map;
    LC_TRY(open_map(r, r->weights, &map, err));
    here.map = &map;
    here.weights = NULL;
    const char *text = (const char *)map.data;
    size_t at = 0;
    while (at < map.size && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) at++;
    lc_status status;
    if (lc_zip_probe(map.data, map.size)) status = lc_keras_zip_weights(&here, m, err);
    else if (lc_h5_probe(map.data, map.size)) status = read_h5(&here, m, err);
    else if (at < map.size && text[at] == '{') status = read_index(&here, r->weights, m, err);
    else status = refuse(&map, err);
    if (status != LC_OK && status != LC_NO_MEMORY) lc_error_prefix(err, "weights %s", r->weights);
    return status;
}
