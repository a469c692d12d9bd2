/*
 * checkpoint.c: the variables of a checkpoint, whichever format it has: looked up by name, read, put together from slices.
 *
 * What a format gives is a list of variables, each with the pieces it is stored in, and the values of one piece (bundle.c,
 * checkpoint_v1.c). A variable that is wanted as it is stored, or a run of rows of it, is handed out where it lies; anything else is copied
 * once, together.
 *
 * Stays true: sizes are those of type and shape, checked when the checkpoint is opened; what is copied is charged to the budget; a piece
 * is checked once however often it is read. Files are opened when the first piece in them is wanted.
 */
#include "source/ckpt_impl.h"

#include "ir/strings.h"

#include <string.h>

#define BAD LC_CKPT_BAD

/* ---- types ------------------------------------------------------------------------------------------------------------- */

/* The type of what is handed out: a quantised type is its integer here, its scale is in the graph. */
static lc_dtype type_of(int32_t data_type) {
    switch (data_type) {
    case LC_DT_QINT8: return LC_INT8;
    case LC_DT_QUINT8: return LC_UINT8;
    case LC_DT_QINT16: return LC_INT16;
    case LC_DT_QUINT16: return LC_UINT16;
    case LC_DT_QINT32: return LC_INT32;
    default: return lc_pb_dtype(data_type);
    }
}

uint32_t lc_ckpt_element_size(int32_t data_type) {
    const lc_dtype type = type_of(data_type);
    if (type != LC_DTYPE_COUNT) return (lc_dtype_bits(type) + 7) / 8; /* 4 and 2 bits are a byte each */
    return *lc_pb_data_type_name(data_type) == '?' ? 0 : 1;           /* the small floats that litec has no name for, uint2 */
}

static bool can_read(const lc_ckpt_entry *e) { return e->type == LC_STRING || (e->type != LC_DTYPE_COUNT && lc_dtype_bits(e->type) > 0); }

/* ---- what the formats share -------------------------------------------------------------------------------------------- */

static lc_status read_shape(lc_ckpt *ckpt, const char *path, const lc_pb_TensorShapeProto *shape, lc_ckpt_entry *e, lc_error *err) {
    const uint32_t rank = shape ? shape->dim.n : 0;
    uint64_t elements = 1;
    if (rank > LC_CKPT_MAX_RANK || (shape && shape->unknown_rank))
        return BAD(CKPT_SHAPE, LC_NO_OFFSET, "%s: variable '%.*s' has a shape of %s", path, LC_CKPT_SHOWN(e->name),
                   rank ? "more than 254 dimensions" : "unknown rank");
    int64_t *dims = lc_arena_array(ckpt->arena, rank, sizeof *dims);
    if (!dims) return lc_fail_memory(err, "shape");
    for (uint32_t d = 0; d < rank; d++) {
        dims[d] = shape->dim.data[d].size;
        if (dims[d] < 0)
            return BAD(CKPT_SHAPE, LC_NO_OFFSET, "%s: dimension %u of variable '%.*s' is %lld", path, d, LC_CKPT_SHOWN(e->name),
                       (long long)dims[d]);
        if (!lc_mul_u64(elements, (uint64_t)dims[d], &elements) || elements > INT64_MAX)
            return BAD(CKPT_SHAPE, LC_NO_OFFSET, "%s: variable '%.*s' has more elements than 63 bits count", path, LC_CKPT_SHOWN(e->name));
    }
    e->rank = (int32_t)rank;
    e->dims = dims;
    e->elements = elements;
    return LC_OK;
}

lc_status lc_ckpt_describe(lc_ckpt *ckpt, const char *path, lc_str name, int32_t data_type, const lc_pb_TensorShapeProto *shape,
                           lc_ckpt_entry *e, lc_error *err) {
    uint64_t bytes;
    if (lc_pb_is_ref(data_type)) data_type -= LC_DT_FLOAT_REF - LC_DT_FLOAT;
    if (name.size && memchr(name.data, 0, name.size))
        return BAD(CKPT_NAME, LC_NO_OFFSET, "%s: a variable's name has a zero byte in it: '%.*s'", path, LC_CKPT_SHOWN(name));
    if (data_type <= LC_DT_INVALID)
        return BAD(CKPT_TYPE, LC_NO_OFFSET, "%s: variable '%.*s' has no data type (%d)", path, LC_CKPT_SHOWN(name), data_type);
    LC_TRY(lc_budget_tables(ckpt->budget, 1, path, err));
    LC_TRY(lc_budget_memory(ckpt->budget, sizeof(lc_ckpt_variable) + name.size, "the list of variables", err));
    const char *kept = lc_arena_strndup(ckpt->arena, name.data ? name.data : "", name.size);
    if (!kept) return lc_fail_memory(err, "list of variables");
    *e = (lc_ckpt_entry){.name = {kept, name.size}, .type = type_of(data_type), .data_type = data_type};
    LC_TRY(read_shape(ckpt, path, shape, e, err));
    if (!lc_mul_u64(e->elements, lc_ckpt_element_size(data_type), &bytes))
        return BAD(CKPT_SHAPE, LC_NO_OFFSET, "%s: variable '%.*s' has more bytes than 64 bits count", path, LC_CKPT_SHOWN(name));
    e->bytes = bytes;
    return LC_OK;
}

bool lc_ckpt_same_shape(const lc_pb_TensorShapeProto *shape, int32_t rank, const int64_t *dims) {
    if ((shape ? shape->dim.n : 0) != (uint32_t)rank) return false;
    for (int32_t d = 0; d < rank; d++)
        if (shape->dim.data[d].size != dims[d]) return false;
    return true;
}

lc_status lc_ckpt_make_pieces(lc_ckpt *ckpt, size_t n, lc_ckpt_piece **pieces, lc_error *err) {
    LC_TRY(lc_budget_memory(ckpt->budget, (uint64_t)n * sizeof **pieces, "the list of slices", err));
    *pieces = lc_arena_array(ckpt->arena, n, sizeof **pieces);
    return *pieces ? LC_OK : lc_fail_memory(err, "list of slices");
}

lc_status lc_ckpt_add_map(lc_ckpt *ckpt, size_t at, uint32_t id, const char *path, lc_error *err) {
    const size_t need = ckpt->map_count + 1, behind = ckpt->map_count - at;
    lc_map map;
    if (!lc_arena_grow(ckpt->arena, (void **)&ckpt->maps, &ckpt->map_room, need, sizeof *ckpt->maps) ||
        !lc_arena_grow(ckpt->arena, (void **)&ckpt->files, &ckpt->file_room, need, sizeof *ckpt->files))
        return lc_fail_memory(err, "list of files");
    LC_TRY(lc_map_open(&map, path, &ckpt->budget->limits, err));
    memmove(ckpt->maps + at + 1, ckpt->maps + at, behind * sizeof *ckpt->maps);
    memmove(ckpt->files + at + 1, ckpt->files + at, behind * sizeof *ckpt->files);
    ckpt->maps[at] = map;
    ckpt->files[at] = (lc_ckpt_file){id, path};
    ckpt->map_count++;
    ckpt->mapped += map.size; /* checked: of maps that are in memory */
    return LC_OK;
}

lc_status lc_ckpt_make_strings(lc_ckpt *ckpt, lc_str name, const lc_str *strings, size_t n, const uint8_t **data, size_t *size,
                               lc_error *err) {
    if (!lc_strings_size(strings, n, size)) {
        LC_SOURCE_FAIL(err, LC_UNSUPPORTED, CKPT_STRING, LC_NO_OFFSET, "variable '%.*s' has 2 GiB of text or more", LC_CKPT_SHOWN(name));
        lc_error_hint(err, "a string tensor of TFLite holds at most 2 GiB: split it");
        return LC_UNSUPPORTED;
    }
    LC_TRY(lc_budget_memory(ckpt->budget, *size, "text in a checkpoint", err));
    uint8_t *buffer = lc_arena_data(ckpt->arena, *size);
    if (!buffer) return lc_fail_memory(err, "text in a checkpoint");
    lc_strings_write(strings, n, buffer);
    *data = buffer;
    return LC_OK;
}

lc_status lc_ckpt_check_versions(const char *path, const lc_pb_VersionDef *versions, int32_t ours, lc_error *err) {
    static const lc_pb_VersionDef none;
    const lc_pb_VersionDef *v = versions ? versions : &none;
    bool bad = v->min_consumer > ours || v->producer < 0;
    for (uint32_t i = 0; i < v->bad_consumers.n; i++) bad = bad || v->bad_consumers.data[i] == ours;
    if (!bad) return LC_OK;
    LC_SOURCE_FAIL(err, LC_UNSUPPORTED, CKPT_VERSION, LC_NO_OFFSET,
                   "%s: is of version %d, for readers of version %d and later; litec reads version %d", path, v->producer, v->min_consumer,
                   ours);
    lc_error_hint(err, "load the checkpoint in TensorFlow and save it again");
    return LC_UNSUPPORTED;
}

/* ---- opening and looking up -------------------------------------------------------------------------------------------- */

lc_status lc_ckpt_open(const char *path, lc_budget *budget, lc_arena *arena, lc_ckpt **out, lc_error *err) {
    *out = NULL;
    lc_ckpt *ckpt = lc_arena_alloc(arena, sizeof *ckpt);
    if (!ckpt) return lc_fail_memory(err, "checkpoint");
    ckpt->budget = budget;
    ckpt->arena = arena;
    LC_TRY(lc_ckpt_locate(path, budget, arena, &ckpt->place, err));
    const lc_status status = ckpt->place.v1 ? lc_ckpt_open_v1(ckpt, err) : lc_ckpt_open_v2(ckpt, err);
    if (status != LC_OK) {
        lc_ckpt_close(ckpt);
        return status;
    }
    *out = ckpt;
    return LC_OK;
}

const char *lc_ckpt_prefix(const lc_ckpt *ckpt) { return ckpt->place.prefix; }
int lc_ckpt_version(const lc_ckpt *ckpt) { return ckpt->place.v1 ? 1 : 2; }
size_t lc_ckpt_count(const lc_ckpt *ckpt) { return ckpt->count; }
const lc_ckpt_entry *lc_ckpt_at(const lc_ckpt *ckpt, size_t i) { return &ckpt->variables[i].entry; }

const lc_ckpt_entry *lc_ckpt_find(const lc_ckpt *ckpt, lc_str name) {
    size_t low = 0, high = ckpt->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int d = lc_str_compare(ckpt->variables[middle].entry.name, name);
        if (d == 0) return &ckpt->variables[middle].entry;
        if (d < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

/* How TensorFlow 2 names what hangs below an object. */
#define ATTRIBUTE "/.ATTRIBUTES/VARIABLE_VALUE"

/* The name that was probably meant; NULL: none, or no memory to look for one. */
static const char *nearest(const lc_ckpt *ckpt, lc_str name) {
    lc_text text = {0};
    const lc_ckpt_entry *found = NULL;
    lc_text_add_n(&text, name.data, name.size);
    lc_text_add(&text, ATTRIBUTE);
    if (!text.failed) found = lc_ckpt_find(ckpt, (lc_str){text.data, text.size});
    if (!found && name.size > 2 && memcmp(name.data + name.size - 2, ":0", 2) == 0)
        found = lc_ckpt_find(ckpt, (lc_str){name.data, name.size - 2});
    const char *best = found ? found->name.data : NULL;
    const char **names = found || text.failed ? NULL : lc_calloc(ckpt->count + 1, sizeof *names);
    if (names) {
        for (size_t i = 0; i < ckpt->count; i++) names[i] = ckpt->variables[i].entry.name.data;
        text.data[name.size] = 0;
        best = lc_nearest(text.data, names);
        lc_free((void *)names);
    }
    lc_text_deinit(&text);
    return best;
}

lc_status lc_ckpt_get(const lc_ckpt *ckpt, lc_str name, const lc_ckpt_entry **entry, lc_error *err) {
    *entry = lc_ckpt_find(ckpt, name);
    if (*entry) return LC_OK;
    LC_SOURCE_FAIL(err, LC_NOT_FOUND, CKPT_MISSING, LC_NO_OFFSET, "%s: the checkpoint has no variable '%.*s' (it has %zu)",
                   ckpt->place.prefix, LC_CKPT_SHOWN(name), ckpt->count);
    const char *near = nearest(ckpt, name);
    if (near) lc_error_hint(err, "did you mean '%.200s'?", near);
    else if (ckpt->count)
        lc_error_hint(err, "litec inspect %.200s lists what it has, for example '%.200s'", ckpt->place.prefix,
                      ckpt->variables[ckpt->count - 1].entry.name.data);
    return LC_NOT_FOUND;
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static lc_status read_piece(lc_ckpt *ckpt, const lc_ckpt_entry *e, lc_ckpt_piece *piece, lc_error *err) {
    static const uint8_t nothing[1] = {0};
    if (piece->data) return LC_OK;
    LC_TRY(ckpt->place.v1 ? lc_ckpt_read_v1(ckpt, e, piece, err) : lc_ckpt_read_v2(ckpt, e, piece, err));
    if (!piece->data) piece->data = nothing;
    return LC_OK;
}

static lc_status unsupported(const lc_ckpt_entry *e, lc_error *err) {
    LC_SOURCE_FAIL(err, LC_UNSUPPORTED, CKPT_TYPE, LC_NO_OFFSET, "variable '%.*s' is of type %s (%d), which litec cannot hold",
                   LC_CKPT_SHOWN(e->name), lc_pb_data_type_text(e->data_type), e->data_type);
    lc_error_hint(err, "cast it to another type in TensorFlow, then save again");
    return LC_UNSUPPORTED;
}

/* A box of a variable with elements of fixed size: where it lies, or put together. */
static lc_status read_box(lc_ckpt *ckpt, lc_ckpt_variable *v, const lc_ckpt_box *box, const uint8_t **data, lc_error *err) {
    const lc_ckpt_entry *e = &v->entry;
    const size_t each = lc_ckpt_element_size(e->data_type);
    const uint64_t bytes = box->elements * each; /* checked: at most e->bytes */
    uint64_t at, elements = 0;
    lc_ckpt_box part;
    for (uint32_t i = 0; i < e->slices; i++) {
        lc_ckpt_piece_box(e, &v->pieces[i], &part);
        if (!lc_ckpt_box_inside(e->rank, box, &part, &at)) continue;
        LC_TRY(read_piece(ckpt, e, &v->pieces[i], err));
        *data = v->pieces[i].data + at * each;
        return LC_OK;
    }
    LC_TRY(lc_budget_memory(ckpt->budget, bytes, "a variable in slices", err));
    size_t size, marks;
    if (!lc_u64_to_size(bytes, &size) || !lc_u64_to_size(box->elements / 8 + 1, &marks)) return lc_fail_memory(err, "variable in slices");
    uint8_t *to = lc_arena_data(ckpt->arena, size), *done = lc_calloc(marks, 1);
    lc_status status = to && done ? LC_OK : lc_fail_memory(err, "variable in slices");
    for (uint32_t i = 0; i < e->slices && status == LC_OK; i++) {
        lc_ckpt_piece_box(e, &v->pieces[i], &part);
        if (!lc_ckpt_box_touches(e->rank, box, &part)) continue;
        status = read_piece(ckpt, e, &v->pieces[i], err);
        if (status == LC_OK && !lc_ckpt_box_copy(e->rank, each, &part, v->pieces[i].data, box, to, done, &elements))
            status = BAD(CKPT_SLICE, LC_NO_OFFSET, "%s: slices of variable '%.*s' overlap", ckpt->place.prefix, LC_CKPT_SHOWN(e->name));
    }
    if (status == LC_OK && elements != box->elements)
        status = BAD(CKPT_SLICE, LC_NO_OFFSET, "%s: the slices of variable '%.*s' have %llu of the %llu elements that are wanted",
                     ckpt->place.prefix, LC_CKPT_SHOWN(e->name), (unsigned long long)elements, (unsigned long long)box->elements);
    lc_free(done);
    *data = to;
    return status;
}

/* Elements of less than a byte, which TensorFlow keeps one a byte, as TFLite keeps them. */
static lc_status pack(lc_ckpt *ckpt, const lc_ckpt_entry *e, uint64_t elements, const uint8_t **data, size_t *size, lc_error *err) {
    const uint32_t bits = lc_dtype_bits(e->type), in_byte = 8 / bits, mask = (1u << bits) - 1;
    const size_t bytes = (size_t)(elements / in_byte + (elements % in_byte != 0));
    LC_TRY(lc_budget_memory(ckpt->budget, bytes, "a variable of small integers", err));
    uint8_t *to = lc_arena_data(ckpt->arena, bytes);
    if (!to) return lc_fail_memory(err, "variable of small integers");
    for (size_t i = 0; i < elements; i++) to[i / in_byte] |= (uint8_t)(((*data)[i] & mask) << i % in_byte * bits);
    *data = to;
    *size = bytes;
    return LC_OK;
}

static lc_status read_part(lc_ckpt *ckpt, lc_ckpt_variable *v, const lc_ckpt_box *box, const uint8_t **data, size_t *size, lc_error *err) {
    const lc_ckpt_entry *e = &v->entry;
    if (!can_read(e)) return unsupported(e, err);
    if (e->type == LC_STRING) {
        if (e->slices != 1 || box->elements != e->elements) {
            LC_SOURCE_FAIL(err, LC_UNSUPPORTED, CKPT_SLICE, LC_NO_OFFSET,
                           "%s: variable '%.*s' is of strings, and a part of it is wanted or stored", ckpt->place.prefix,
                           LC_CKPT_SHOWN(e->name));
            lc_error_hint(err, "TensorFlow does not put strings together from slices either: save it without a partitioner");
            return LC_UNSUPPORTED;
        }
        LC_TRY(read_piece(ckpt, e, &v->pieces[0], err));
        *data = v->pieces[0].data;
        *size = v->pieces[0].size;
        return LC_OK;
    }
    LC_TRY(read_box(ckpt, v, box, data, err));
    *size = (size_t)(box->elements * lc_ckpt_element_size(e->data_type)); /* checked: of what is in memory */
    return lc_dtype_bits(e->type) < 8 ? pack(ckpt, e, box->elements, data, size, err) : LC_OK;
}

lc_status lc_ckpt_read(lc_ckpt *ckpt, const lc_ckpt_entry *entry, const void **data, size_t *size, lc_error *err) {
    lc_ckpt_variable *v = &ckpt->variables[(const lc_ckpt_variable *)(const void *)entry - ckpt->variables];
    *data = NULL;
    *size = 0;
    if (!v->data) {
        lc_ckpt_box all;
        const uint8_t *bytes;
        lc_ckpt_piece_box(entry, &(lc_ckpt_piece){0}, &all);
        LC_TRY(read_part(ckpt, v, &all, &bytes, &v->size, err));
        v->data = bytes;
    }
    *data = v->data;
    *size = v->size;
    return LC_OK;
}

lc_status lc_ckpt_read_slice(lc_ckpt *ckpt, const lc_ckpt_entry *entry, lc_str spec, int64_t *dims, const void **data, size_t *size,
                             lc_error *err) {
    lc_ckpt_variable *v = &ckpt->variables[(const lc_ckpt_variable *)(const void *)entry - ckpt->variables];
    lc_ckpt_box box;
    const uint8_t *bytes;
    *data = NULL;
    *size = 0;
    LC_TRY(lc_ckpt_spec_read(entry, spec, &box, err));
    if (entry->rank) memcpy(dims, box.length, (size_t)entry->rank * sizeof *dims);
    if (box.elements == entry->elements) return lc_ckpt_read(ckpt, entry, data, size, err); /* all of it, perhaps read before */
    LC_TRY(read_part(ckpt, v, &box, &bytes, size, err));
    *data = bytes;
    return LC_OK;
}

/* ---- the end ----------------------------------------------------------------------------------------------------------- */

void lc_ckpt_take_maps(lc_ckpt *ckpt, lc_map **maps, size_t *count) {
    *maps = ckpt->maps;
    *count = ckpt->map_count;
    ckpt->map_count = 0;
}

void lc_ckpt_close(lc_ckpt *ckpt) {
    for (size_t i = 0; ckpt && i < ckpt->map_count; i++) lc_map_close(&ckpt->maps[i]);
    if (ckpt) ckpt->map_count = 0;
}
