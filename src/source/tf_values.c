/*
 * tf_values.c: the values of a graph's variables, read when they are asked for: what training keeps besides (Adam's slots, the step) is
 * never looked at. The checkpoint of a SavedModel lies in variables/variables, that of model.ckpt.meta is model.ckpt; any other graph needs
 * --checkpoint. A value is found by the graph's restoring part (tf_restore.c), by the object graph, or by the variable's name, in this
 * order.
 *
 * Stays true: data is borrowed from the checkpoint's mapped files, which the model takes over; type and shape agree with what the graph
 * declares. Assets are read from the directory `assets` beside the graph only.
 */
#include "source/tf_read.h"

#include <string.h>

/* The directory of the file, with its slash; "" for none. */
static size_t directory_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

lc_status lc_tf_values_init(lc_tf_reading *r) {
    const char *path = r->path;
    lc_tf_values *v = &r->values;
    if (r->options->tf.checkpoint) {
        v->prefix = lc_arena_printf(r->arena, "%s", r->options->tf.checkpoint);
    } else if (!path) {
        return LC_OK;
    } else if (r->saved) {
        v->prefix = lc_arena_printf(r->arena, "%.*svariables/variables", (int)directory_of(path), path);
    } else if (r->meta) {
        const size_t n = strlen(path);
        if (n <= 5 || strcmp(path + n - 5, ".meta") != 0) return LC_OK;
        v->prefix = lc_arena_strndup(r->arena, path, n - 5);
    } else {
        return LC_OK;
    }
    return v->prefix ? LC_OK : lc_fail_memory(r->err, "path");
}

/* ---- the checkpoint ---- */

/* What the checkpoint says of its objects: a string in it that is a message. */
static lc_status read_tracked(lc_tf_reading *r, lc_error *err) {
    const lc_ckpt_entry *e = lc_ckpt_find(r->values.ckpt, LC_STR(LC_TF_OBJECTS));
    const void *data;
    size_t size;
    lc_str bytes;
    void *message;
    if (!e || e->type != LC_STRING || e->elements != 1) return LC_OK;
    LC_TRY(lc_ckpt_read(r->values.ckpt, e, &data, &size, err));
    if (!lc_strings_find(data, size, 1, 0, &bytes)) return LC_OK;
    const lc_status status = lc_pb_read(LC_PB_TrackableObjectGraph, bytes.data, bytes.size, r->budget, r->arena, &message, err);
    if (status) {
        lc_error_prefix(err, "%s: " LC_TF_OBJECTS, r->values.prefix);
        return status;
    }
    r->values.tracked = message;
    return LC_OK;
}

/* The graph does not say where its values are; the directory it lies in may. */
static lc_status no_values(lc_tf_reading *r, lc_error *err) {
    lc_ckpt *near = NULL;
    const char *directory = r->path ? lc_arena_printf(r->arena, "%.*s", (int)directory_of(r->path), r->path) : NULL;
    lc_error ignored;
    const bool found = directory && lc_ckpt_open(*directory ? directory : ".", r->budget, r->arena, &near, &ignored) == LC_OK;
    lc_fail(err, LC_NOT_FOUND, "the graph has variables, but nothing says where their values are");
    if (found) lc_error_hint(err, "there is a checkpoint beside it: --checkpoint %s", lc_ckpt_prefix(near));
    else lc_error_hint(err, "name the checkpoint: --checkpoint PREFIX, or freeze the graph first: litec freeze");
    lc_ckpt_close(near);
    return LC_NOT_FOUND;
}

lc_status lc_tf_values_open(lc_tf_reading *r, lc_error *err) {
    lc_tf_values *v = &r->values;
    if (!v->ckpt) {
        if (!v->prefix) { return no_values(r, err); }
        LC_TRY(lc_ckpt_open(v->prefix, r->budget, r->data, &v->ckpt, err));
    }
    if (v->indexed) return LC_OK;
    v->indexed = true;
    lc_error *own = r->err;
    r->err = err;
    lc_status status = lc_tf_restore_map(r);
    if (status == LC_OK) status = lc_tf_object_map(r);
    r->err = own;
    if (status == LC_OK) status = read_tracked(r, err);
    return status;
}

/* ---- one value ---- */

/* The name an object's value has; absent when the checkpoint does not tell. */
static lc_str tracked_key(const lc_pb_TrackableObjectGraph *tracked, int32_t object) {
    if (!tracked || object < 0 || (uint32_t)object >= tracked->nodes.n) return (lc_str){NULL, 0};
    const lc_pb_TrackableObjectGraph_TrackableObject *o = &tracked->nodes.data[object];
    for (uint32_t i = 0; i < o->attributes.n; i++)
        if (lc_str_is(o->attributes.data[i].name, "VARIABLE_VALUE")) return o->attributes.data[i].checkpoint_key;
    return (lc_str){NULL, 0};
}

/* The names variables had when they were made, from the checkpoint's objects. */
static lc_status index_full_names(lc_tf_reading *r, lc_error *err) {
    lc_tf_values *v = &r->values;
    uint64_t n = 0;
    if (v->full_keys || !v->tracked) return LC_OK;
    for (uint32_t i = 0; i < v->tracked->nodes.n; i++) n += v->tracked->nodes.data[i].attributes.n;
    v->full_keys = n < UINT32_MAX / 2 ? lc_arena_array(r->arena, (size_t)n + 1, sizeof *v->full_keys) : NULL;
    if (!v->full_keys || !lc_names_init(&v->full_names, r->arena, (uint32_t)n)) return lc_fail_memory(err, "variables");
    for (uint32_t i = 0; i < v->tracked->nodes.n; i++) {
        const lc_pb_TrackableObjectGraph_TrackableObject *o = &v->tracked->nodes.data[i];
        for (uint32_t k = 0; k < o->attributes.n; k++) {
            const int32_t number =
                o->attributes.data[k].full_name.data ? lc_names_add(&v->full_names, o->attributes.data[k].full_name, NULL) : -1;
            if (number >= 0) v->full_keys[number] = o->attributes.data[k].checkpoint_key;
        }
    }
    return LC_OK;
}

static lc_status find_entry(lc_tf_reading *r, const lc_pb_NodeDef *handle, const lc_ckpt_entry **entry, lc_str *spec, lc_error *err) {
    lc_tf_values *v = &r->values;
    const lc_pb_AttrValue *shared = lc_tf_attribute(handle, "shared_name");
    const lc_str name = shared && shared->s.size ? shared->s : handle->name;
    const int32_t number = handle->name.data ? lc_names_find(&v->handles, handle->name) : -1;
    *spec = LC_STR("");
    if (number >= 0) {
        *spec = v->specs[number];
        return lc_ckpt_get(v->ckpt, v->keys[number], entry, err);
    }
    const int32_t position = lc_tf_graph_find(&r->index, handle->name);
    const lc_str key = v->objects && position >= 0 ? tracked_key(v->tracked, v->objects[position]) : (lc_str){NULL, 0};
    if (key.data && (*entry = lc_ckpt_find(v->ckpt, key)) != NULL) return LC_OK;
    if ((*entry = lc_ckpt_find(v->ckpt, name)) != NULL) return LC_OK;
    if ((*entry = lc_ckpt_find(v->ckpt, handle->name)) != NULL) return LC_OK;
    LC_TRY(index_full_names(r, err));
    const int32_t full = v->full_keys && name.data ? lc_names_find(&v->full_names, name) : -1;
    if (full >= 0 && v->full_keys[full].data && (*entry = lc_ckpt_find(v->ckpt, v->full_keys[full])) != NULL) return LC_OK;
    const lc_status status = lc_ckpt_get(v->ckpt, name, entry, err);
    for (size_t i = 0; status == LC_NOT_FOUND && i + 6 < name.size; i++)
        if (memcmp(name.data + i, "/part_", 6) == 0)
            lc_error_hint(err, "it is a part of a partitioned variable: give the checkpoint's .meta, which says what goes where");
    return status;
}

static lc_status check_declared(const lc_pb_NodeDef *handle, lc_tf_array *value, int32_t data_type, lc_error *err) {
    const lc_pb_AttrValue *type = lc_tf_attribute(handle, "dtype"), *shape = lc_tf_attribute(handle, "shape");
    lc_shape declared;
    if (type && lc_pb_dtype(type->type) != LC_DTYPE_COUNT && lc_pb_dtype(type->type) != value->type)
        return lc_fail(err, LC_INVALID, "variable \"%.*s\" is %s in the graph but %s in the checkpoint", LC_NAMED(handle->name),
                       lc_pb_data_type_text(type->type), lc_pb_data_type_text(data_type));
    if (!shape || !shape->shape) return LC_OK;
    LC_TRY(lc_tf_shape_of(shape->shape, &declared, err));
    bool same = declared.rank == LC_RANK_UNKNOWN || declared.rank == value->rank;
    for (int32_t d = 0; same && d < declared.rank; d++) same = declared.dims[d] < 0 || declared.dims[d] == value->dims[d];
    if (same) return LC_OK;
    lc_text a = {0}, b = {0};
    for (int32_t d = 0; d < declared.rank; d++) lc_text_printf(&a, d ? ",%d" : "%d", declared.dims[d]);
    for (int32_t d = 0; d < value->rank; d++) lc_text_printf(&b, d ? ",%d" : "%d", value->dims[d]);
    const bool memory = !a.failed && !b.failed;
    if (memory)
        lc_fail(err, LC_INVALID, "variable \"%.*s\" is [%s] in the graph but [%s] in the checkpoint", LC_NAMED(handle->name),
                a.data ? a.data : "", b.data ? b.data : "");
    lc_text_deinit(&a);
    lc_text_deinit(&b);
    return memory ? LC_INVALID : lc_fail_memory(err, "message");
}

lc_status lc_tf_variable(void *user, const lc_pb_NodeDef *handle, lc_tf_array *value, lc_error *err) {
    lc_tf_reading *r = user;
    const lc_ckpt_entry *entry;
    lc_str spec;
    int64_t dims[LC_CKPT_MAX_RANK];
    *value = (lc_tf_array){0};
    lc_status status = lc_tf_values_open(r, err);
    if (status == LC_OK) {
        status = find_entry(r, handle, &entry, &spec, err);
        if (status == LC_OK && entry->type == LC_DTYPE_COUNT)
            status = lc_fail(err, LC_UNSUPPORTED, "its type, %s, is none that TFLite has", lc_pb_data_type_text(entry->data_type));
        if (status == LC_OK && entry->rank > LC_MAX_RANK)
            status = lc_fail(err, LC_UNSUPPORTED, "it has %d dimensions, at most %d can be run", entry->rank, LC_MAX_RANK);
        if (status == LC_OK) status = lc_ckpt_read_slice(r->values.ckpt, entry, spec, dims, &value->data, &value->size, err);
    }
    if (status) {
        if (status != LC_NO_MEMORY) lc_error_prefix(err, "variable \"%.*s\"", LC_NAMED(handle->name));
        return status;
    }
    value->type = entry->type;
    value->rank = entry->rank;
    for (int32_t d = 0; d < entry->rank; d++) {
        if (dims[d] > INT32_MAX)
            return lc_fail(err, LC_LIMIT, "variable \"%.*s\" has a dimension of %lld", LC_NAMED(handle->name), (long long)dims[d]);
        value->dims[d] = (int32_t)dims[d];
    }
    uint64_t numbers = 1;
    for (int32_t d = 0; d < value->rank; d++)
        if (!lc_mul_u64(numbers, (uint64_t)value->dims[d], &numbers)) numbers = UINT64_MAX;
    if (!lc_add_u64(r->values.numbers, numbers, &r->values.numbers)) r->values.numbers = UINT64_MAX;
    status = check_declared(handle, value, entry->data_type, err);
    if (status == LC_INVALID) lc_error_hint(err, "the checkpoint is of another version of this graph: give the one that was saved with it");
    return status;
}

/* ---- assets ---- */

/* A plain path below the directory: no part of it leads out. */
static bool stays_inside(lc_str name) {
    size_t part = 0;
    if (!name.size || name.size > 1000) return false;
    for (size_t i = 0; i <= name.size; i++) {
        const char c = i < name.size ? name.data[i] : '/';
        if (c == 0 || c == '\\') return false;
        if (c != '/') continue;
        const size_t n = i - part;
        if (n == 0 || (n == 1 && name.data[part] == '.') || (n == 2 && name.data[part] == '.' && name.data[part + 1] == '.')) return false;
        part = i + 1;
    }
    return true;
}

static lc_status read_asset(lc_tf_reading *r, lc_str name, lc_str *bytes, lc_error *err) {
    lc_tf_values *v = &r->values;
    *bytes = (lc_str){NULL, 0};
    /* A graph that was saved without a list of its assets names the file where it lay; it may have been put with them all the same. */
    const lc_str whole = name;
    for (size_t i = name.size; i-- > 0 && name.data[0] == '/';)
        if (name.data[i] == '/') {
            name = (lc_str){name.data + i + 1, name.size - i - 1};
            break;
        }
    if (!stays_inside(name))
        return lc_fail(err, LC_INVALID, "the asset \"%.*s\" is not the name of a file in the SavedModel", LC_NAMED(whole));
    if (!r->path || !r->saved) return lc_fail(err, LC_NOT_FOUND, "the asset \"%.*s\" is in no SavedModel", LC_NAMED(name));
    void *items = v->assets;
    if (!lc_arena_grow(r->arena, &items, &v->asset_capacity, v->asset_count + 1, sizeof *v->assets)) return lc_fail_memory(err, "assets");
    v->assets = items;
    const char *path = lc_arena_printf(r->arena, "%.*sassets/%.*s", (int)directory_of(r->path), r->path, (int)name.size, name.data);
    if (!path) return lc_fail_memory(err, "assets");
    LC_TRY(lc_map_open(&v->assets[v->asset_count], path, &r->budget->limits, err));
    const lc_map *map = &v->assets[v->asset_count++];
    *bytes = (lc_str){(const char *)map->data, map->size};
    return LC_OK;
}

lc_status lc_tf_asset(void *user, lc_str name, lc_str *bytes, lc_error *err) {
    lc_tf_reading *r = user;
    const lc_status status = read_asset(r, name, bytes, err);
    if (status && !r->values.asset_error.status && err) r->values.asset_error = *err;
    return status;
}

/* ---- ending ---- */

lc_status lc_tf_values_give(lc_tf_reading *r, lc_model *model) {
    lc_map *maps = NULL;
    size_t count = 0;
    LC_TRY(lc_model_take_maps(model, r->values.assets, r->values.asset_count, r->err));
    r->values.asset_count = 0;
    if (!r->values.ckpt) return LC_OK;
    lc_ckpt_take_maps(r->values.ckpt, &maps, &count);
    return lc_model_take_maps(model, maps, count, r->err);
}

void lc_tf_values_close(lc_tf_reading *r) {
    for (size_t i = 0; i < r->values.asset_count; i++) lc_map_close(&r->values.assets[i]);
    r->values.asset_count = 0;
    lc_ckpt_close(r->values.ckpt);
    r->values.ckpt = NULL;
}
