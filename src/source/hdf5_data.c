/*
 * hdf5_data.c: the data of a dataset.
 *
 * The idea: Keras writes contiguous datasets, and those are handed out as they lie in the mapped file. Everything else is
 * put together in the arena: chunks are found by their index, undone by their filters and laid into place; where nothing is
 * stored stands the fill value; big-endian numbers are turned around.
 *
 * Stays true: shape x type is computed without overflow, charged to the budget before a byte is allocated, and equals what
 * the layout states; over the whole file no more bytes are handed out than it has, and no more are made by filters and fill
 * values than deflate could make of it (1032 from one byte): a few bytes that declare terabytes fail here, singly or summed.
 * A chunk comes at most once.
 *
 * Refuses: external storage and virtual datasets (they read other files), types that are neither numbers nor bytes, layouts
 * above 4.
 *
 * Spec: HDF5 File Format Specification Version 3.0, sections IV.A.2.f (fill value), IV.A.2.i (layout).
 */
#include "source/hdf5_impl.h"

#include <string.h>

#define EXPANSION 2064u      /* the most that deflate makes of one byte, counted when it is decoded and where it is laid */
#define ALWAYS_OK (1u << 20) /* bytes that any file may declare without storing them */

typedef struct layout {
    uint8_t class;          /* 0 compact, 1 contiguous, 2 chunked */
    uint64_t address, size; /* contiguous; size LC_H5_NOWHERE: not stated */
    lc_cursor compact;
    uint8_t flags; /* of version 4 */
    lc_h5_chunks chunks;
} layout;

/* ---- parsing ---- */

static lc_status unknown_layout(lc_h5 *h5, const lc_h5_object *object, const lc_cursor *c, unsigned version, unsigned class,
                                lc_error *err) {
    if (class == 3) {
        LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_STORAGE, lc_h5_at(h5, c), "'%s' is a virtual dataset: its data lies in other files",
                       object->path);
        lc_error_hint(err, "a model file must hold its weights itself: save it again with model.save(...)");
        return LC_UNSUPPORTED;
    }
    return LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_LAYOUT, lc_h5_at(h5, c),
                          "'%s' has a layout of version %u, class %u (known: versions 1 to 4, compact, contiguous, chunked)", object->path,
                          version, class);
}

/* Chunk dimensions as stated: rank + 1 of them, the last being the element's size. */
static lc_status parse_chunk_dims(lc_h5 *h5, const lc_h5_object *object, lc_cursor *c, unsigned count, unsigned width, const lc_h5_value *v,
                                  lc_h5_chunks *k, lc_error *err) {
    if (count != (unsigned)v->rank + 1)
        return LC_H5_BAD(h5, c, H5_LAYOUT, "'%s' has %d dimensions, its chunks have %u", object->path, v->rank, count ? count - 1 : 0);
    k->rank = v->rank;
    k->bytes = v->type.size;
    for (int32_t d = 0; d < v->rank; d++) {
        k->chunk[d] = lc_read_uint(c, width);
        if (c->failed || k->chunk[d] == 0 || !lc_mul_u64(k->bytes, k->chunk[d], &k->bytes))
            return LC_H5_BAD(h5, c, H5_LAYOUT, "'%s' has chunks whose dimension %d is %llu", object->path, d,
                             (unsigned long long)k->chunk[d]);
    }
    uint64_t element = lc_read_uint(c, width);
    if (c->failed || element != v->type.size)
        return LC_H5_BAD(h5, c, H5_LAYOUT, "'%s' has elements of %u bytes, its chunks have elements of %llu", object->path, v->type.size,
                         (unsigned long long)element);
    return LC_OK;
}

static lc_status parse_old_layout(lc_h5 *h5, const lc_h5_object *object, lc_cursor *c, const lc_h5_value *v, layout *l, unsigned version,
                                  lc_error *err) {
    uint8_t count = lc_read_u8(c);
    l->class = lc_read_u8(c);
    lc_cursor_skip(c, 5);
    if (l->class > 2) return unknown_layout(h5, object, c, version, l->class, err);
    if (l->class != 0) l->address = lc_h5_offset(h5, c);
    if (l->class == 2) {
        l->chunks.address = l->address;
        return parse_chunk_dims(h5, object, c, count, 4, v, &l->chunks, err);
    }
    lc_cursor_skip(c, 4u * (uint64_t)count); /* the dimensions once more */
    l->size = LC_H5_NOWHERE;
    if (l->class == 0) l->compact = lc_cursor_take(c, lc_read_u32(c));
    return LC_OK;
}

static lc_status parse_chunked_v4(lc_h5 *h5, const lc_h5_object *object, lc_cursor *c, const lc_h5_value *v, layout *l, lc_error *err) {
    l->flags = lc_read_u8(c);
    uint8_t count = lc_read_u8(c), width = lc_read_u8(c);
    if (c->failed || width < 1 || width > 8)
        return LC_H5_BAD(h5, c, H5_LAYOUT, "'%s' states its chunks in numbers of %u bytes", object->path, width);
    LC_TRY(parse_chunk_dims(h5, object, c, count, width, v, &l->chunks, err));
    uint8_t index = lc_read_u8(c);
    if (index < LC_H5_INDEX_SINGLE || index > LC_H5_INDEX_TREE2)
        return LC_H5_BAD(h5, c, H5_LAYOUT, "'%s' has a chunk index of kind %u (known: 1 to 5)", object->path, index);
    l->chunks.index = (lc_h5_index_kind)index;
    switch (l->chunks.index) { /* what follows repeats the header of the index, except for the single chunk */
    case LC_H5_INDEX_SINGLE:
        l->chunks.single_size = l->chunks.bytes;
        l->chunks.single_mask = UINT32_MAX;
        if (l->flags & 2) {
            l->chunks.single_size = lc_h5_length(h5, c);
            l->chunks.single_mask = lc_read_u32(c);
        }
        break;
    case LC_H5_INDEX_FIXED: lc_cursor_skip(c, 1); break;
    case LC_H5_INDEX_EXTENSIBLE: lc_cursor_skip(c, 5); break;
    case LC_H5_INDEX_TREE2: lc_cursor_skip(c, 6); break;
    default: break;
    }
    l->chunks.address = lc_h5_offset(h5, c);
    return LC_OK;
}

static lc_status parse_layout(lc_h5 *h5, const lc_h5_object *object, lc_cursor *c, const lc_h5_value *v, layout *l, lc_error *err) {
    uint8_t version = lc_read_u8(c);
    if (version < 1 || version > 4) return unknown_layout(h5, object, c, version, 0, err);
    if (version < 3) {
        LC_TRY(parse_old_layout(h5, object, c, v, l, version, err));
    } else {
        l->class = lc_read_u8(c);
        if (l->class > 2) return unknown_layout(h5, object, c, version, l->class, err);
        if (l->class == 0) {
            l->compact = lc_cursor_take(c, lc_read_u16(c));
        } else if (l->class == 1) {
            l->address = lc_h5_offset(h5, c);
            l->size = lc_h5_length(h5, c);
        } else if (version == 3) {
            uint8_t count = lc_read_u8(c);
            l->chunks.address = lc_h5_offset(h5, c);
            LC_TRY(parse_chunk_dims(h5, object, c, count, 4, v, &l->chunks, err));
        } else {
            LC_TRY(parse_chunked_v4(h5, object, c, v, l, err));
        }
    }
    if (c->failed || l->compact.failed) return LC_H5_BAD(h5, c, H5_LAYOUT, "the layout of '%s' is cut short", object->path);
    return LC_OK;
}

/* The fill value, when it is defined and not all zeros; else NULL. */
static lc_status parse_fill(lc_h5 *h5, const lc_h5_object *object, uint32_t element, const uint8_t **fill, lc_error *err) {
    *fill = NULL;
    const lc_h5_message *m = lc_h5_find_message(object, LC_H5_MSG_FILL);
    bool old = !m;
    if (!m) m = lc_h5_find_message(object, LC_H5_MSG_FILL_OLD);
    if (!m || m->flags & 0x02) return LC_OK;
    lc_cursor c = m->body;
    uint32_t size = 0;
    if (old) {
        size = lc_read_u32(&c);
    } else {
        uint8_t version = lc_read_u8(&c);
        if (version == 3) {
            if (lc_read_u8(&c) & 0x20) size = lc_read_u32(&c);
        } else if (version == 1 || version == 2) {
            lc_cursor_skip(&c, 2);
            uint8_t defined = lc_read_u8(&c);
            if (version == 1 || defined) size = lc_read_u32(&c);
        } else {
            return LC_H5_BAD(h5, &c, H5_LAYOUT, "the fill value of '%s' has version %u (known: 1 to 3)", object->path, version);
        }
    }
    if (size == UINT32_MAX) size = 0; /* "undefined" in old files */
    const uint8_t *p = lc_read_bytes(&c, size);
    if (c.failed) return LC_H5_BAD(h5, &c, H5_LAYOUT, "the fill value of '%s' is cut short", object->path);
    if (!size) return LC_OK;
    if (size != element)
        return LC_H5_BAD(h5, &c, H5_LAYOUT, "the fill value of '%s' has %u bytes, its elements have %u", object->path, size, element);
    for (uint32_t i = 0; i < size; i++)
        if (p[i]) *fill = p;
    return LC_OK;
}

/* ---- memory ---- */

/* Bytes of storage that are handed out or decoded. */
static lc_status charge_stored(lc_h5 *h5, const lc_h5_object *object, uint64_t bytes, lc_error *err) {
    if (lc_add_u64(h5->stored, bytes, &h5->stored) && h5->stored <= lc_cursor_left(&h5->file)) return LC_OK;
    return LC_SOURCE_FAIL(err, LC_INVALID, H5_OVERLAP, LC_NO_OFFSET,
                          "datasets overlap: up to '%s' they store %llu bytes, the whole file has %llu", object->path,
                          (unsigned long long)h5->stored, (unsigned long long)lc_cursor_left(&h5->file));
}

/* Bytes that are made without being stored as such. */
static lc_status charge_decoded(lc_h5 *h5, const lc_h5_object *object, uint64_t bytes, lc_error *err) {
    uint64_t most;
    if (!lc_mul_u64(lc_cursor_left(&h5->file), EXPANSION, &most) || !lc_add_u64(most, ALWAYS_OK, &most)) most = UINT64_MAX;
    if (lc_add_u64(h5->decoded, bytes, &h5->decoded) && h5->decoded <= most) return LC_OK;
    LC_SOURCE_FAIL(err, LC_LIMIT, H5_BOMB, LC_NO_OFFSET,
                   "'%s' declares more data than any compression could have put into a file of %llu bytes", object->path,
                   (unsigned long long)lc_cursor_left(&h5->file));
    lc_error_hint(err, "the file is damaged or made to exhaust memory: do not use it");
    return LC_LIMIT;
}

static lc_status allocate(lc_h5 *h5, const lc_h5_object *object, size_t size, uint32_t element, const uint8_t *fill, uint8_t **data,
                          lc_error *err) {
    LC_TRY(charge_decoded(h5, object, size, err));
    LC_TRY(lc_budget_memory(h5->budget, size, object->path, err));
    *data = lc_arena_data(h5->decoded_arena, size);
    if (!*data) return lc_fail_memory(err, "dataset");
    for (size_t i = 0; fill && i < size; i += element) memcpy(*data + i, fill, element);
    return LC_OK;
}

/* ---- chunks ---- */

typedef struct assembly {
    const lc_h5_object *object;
    const lc_h5_chunks *k;
    const lc_h5_pipeline *pipeline;
    bool edges_unfiltered; /* chunks that reach over the dataset's edge are stored as they are */
    uint32_t element;
    uint8_t *out;
    uint8_t *seen; /* a bit a chunk */
    uint8_t *scratch[2];
} assembly;

/* Lays the part of a chunk that is inside the dataset into place, a row at a time. */
static void lay(const assembly *a, const uint64_t *place, const uint8_t *chunk) {
    const lc_h5_chunks *k = a->k;
    size_t from_step[LC_H5_MAX_RANK], to_step[LC_H5_MAX_RANK]; /* bytes from one index to the next */
    uint64_t extent[LC_H5_MAX_RANK], at[LC_H5_MAX_RANK] = {0};
    size_t from = a->element, to = a->element, to_at = 0;
    for (int32_t d = k->rank; d-- > 0;) {
        from_step[d] = from;
        to_step[d] = to;
        from *= (size_t)k->chunk[d]; /* checked: at most k->bytes, a product that parse_chunk_dims made without overflow */
        to *= (size_t)k->dims[d];
        /* checked: below dims[d], since the place is on the grid */
        uint64_t begin = place[d] * k->chunk[d], left = k->dims[d] - begin;
        extent[d] = left < k->chunk[d] ? left : k->chunk[d];
        to_at += (size_t)begin * to_step[d];
    }
    int32_t last = k->rank - 1;
    size_t row = last < 0 ? a->element : (size_t)extent[last] * a->element, from_at = 0;
    for (;;) {
        memcpy(a->out + to_at, chunk + from_at, row);
        int32_t d = last - 1;
        for (; d >= 0; d--) {
            from_at += from_step[d];
            to_at += to_step[d];
            if (++at[d] < extent[d]) break;
            from_at -= (size_t)extent[d] * from_step[d];
            to_at -= (size_t)extent[d] * to_step[d];
            at[d] = 0;
        }
        if (d < 0) return;
    }
}

static lc_status take_chunk(lc_h5 *h5, void *user, const uint64_t *place, uint64_t address, uint64_t size, uint32_t mask, lc_error *err) {
    assembly *a = user;
    uint64_t number = 0;
    bool edge = false;
    for (int32_t d = 0; d < a->k->rank; d++) {
        number = number * a->k->grid[d] + place[d]; /* below k->count, which is in memory as bits */
        edge |= place[d] + 1 == a->k->grid[d] && a->k->dims[d] % a->k->chunk[d] != 0;
    }
    if (a->seen[number / 8] >> number % 8 & 1)
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_CHUNK, address, "'%s' has two chunks for one place", a->object->path);
    a->seen[number / 8] = (uint8_t)(a->seen[number / 8] | 1u << number % 8);
    if (address == LC_H5_NOWHERE) return LC_OK;
    lc_cursor stored;
    LC_TRY(lc_h5_block(h5, address, size, "a chunk", &stored, err));
    LC_TRY(charge_stored(h5, a->object, size, err));
    LC_TRY(charge_decoded(h5, a->object, a->k->bytes, err));
    if (edge && a->edges_unfiltered) mask = UINT32_MAX;
    const uint8_t *chunk;
    lc_status status = lc_h5_unfilter(h5, a->pipeline, mask, stored, (size_t)a->k->bytes, a->scratch, &chunk, err);
    if (status != LC_OK) {
        lc_error_prefix(err, "'%s'", a->object->path);
        return status;
    }
    lay(a, place, chunk);
    return LC_OK;
}

static lc_status read_chunks(lc_h5 *h5, lc_h5_object *object, layout *l, const lc_h5_value *v, uint8_t *out, lc_error *err) {
    lc_h5_chunks *k = &l->chunks;
    lc_h5_pipeline pipeline = {.count = 0};
    if (lc_h5_find_message(object, LC_H5_MSG_FILTERS)) {
        lc_cursor c;
        LC_TRY(lc_h5_body(h5, object, LC_H5_MSG_FILTERS, "filters", &c, err));
        LC_TRY(lc_h5_parse_filters(h5, &c, object, &pipeline, err));
    }
    k->filtered = pipeline.count > 0;
    k->count = 1;
    for (int32_t d = 0; d < k->rank; d++) {
        k->dims[d] = v->dims[d];
        /* checked: a quotient and one */
        k->grid[d] = v->dims[d] / k->chunk[d] + (v->dims[d] % k->chunk[d] != 0);
        k->count *= k->grid[d]; /* no more than elements */
    }
    assembly a = {.object = object, .k = k, .pipeline = &pipeline, .edges_unfiltered = l->flags & 1, .element = v->type.size, .out = out};
    uint64_t room, scratch, seen = k->count / 8 + 1;
    size_t bytes;
    if (!lc_h5_filter_room(&pipeline, k->bytes, &room) || !lc_mul_u64(room, 2, &scratch) || !lc_add_u64(scratch, seen, &scratch) ||
        !lc_u64_to_size(scratch, &bytes))
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_LAYOUT, LC_NO_OFFSET, "the chunks of '%s' are too large", object->path);
    /* Room for one chunk twice, given back at the end: charged while it is there. */
    if (!pipeline.count) room = 0;
    uint64_t charge = room ? scratch : seen;
    LC_TRY(charge_decoded(h5, object, charge, err));
    h5->decoded -= charge;
    LC_TRY(lc_budget_memory(h5->budget, charge, object->path, err));
    a.seen = lc_calloc(1, (size_t)seen);
    if (room) a.scratch[0] = lc_malloc((size_t)room), a.scratch[1] = lc_malloc((size_t)room);
    lc_status status = LC_OK;
    if (!a.seen || (room && (!a.scratch[0] || !a.scratch[1]))) status = lc_fail_memory(err, "chunks");
    if (status == LC_OK) status = lc_h5_each_chunk(h5, k, take_chunk, &a, err);
    lc_free(a.seen);
    lc_free(a.scratch[0]);
    lc_free(a.scratch[1]);
    h5->budget->memory -= charge;
    return status;
}

/* ---- datasets ---- */

static void turn_around(uint8_t *data, size_t size, uint32_t element) {
    for (size_t i = 0; i + element <= size; i += element)
        for (uint32_t a = 0, b = element - 1; a < b; a++, b--) {
            uint8_t t = data[i + a];
            data[i + a] = data[i + b];
            data[i + b] = t;
        }
}

static lc_status read_value(lc_h5 *h5, lc_h5_object *object, lc_h5_value *v, lc_error *err) {
    layout l = {.address = LC_H5_NOWHERE};
    lc_cursor type, space, c;
    if (!lc_h5_is_dataset(object))
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_LINK, LC_NO_OFFSET, "'%s' is a group, a dataset is expected", object->path);
    LC_TRY(lc_h5_body(h5, object, LC_H5_MSG_TYPE, "datatype", &type, err));
    LC_TRY(lc_h5_body(h5, object, LC_H5_MSG_SPACE, "dataspace", &space, err));
    LC_TRY(lc_h5_body(h5, object, LC_H5_MSG_LAYOUT, "layout", &c, err));
    if (lc_h5_find_message(object, LC_H5_MSG_EXTERNAL)) {
        LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_STORAGE, LC_NO_OFFSET, "'%s' keeps its data in another file (external storage)",
                       object->path);
        lc_error_hint(err, "a model file must hold its weights itself: save it again with model.save(...)");
        return LC_UNSUPPORTED;
    }
    LC_TRY(lc_h5_parse_type(h5, &type, &v->type, err));
    LC_TRY(lc_h5_parse_space(h5, &space, v, l.chunks.max_dims, err));
    if (v->type.kind != LC_H5_NUMBER && v->type.kind != LC_H5_OPAQUE)
        return LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_TYPE, lc_h5_at(h5, &type), "'%s' is of type %s, which litec does not read",
                              object->path, v->type.what);
    LC_TRY(parse_layout(h5, object, &c, v, &l, err));
    uint64_t bytes;
    if (!lc_mul_u64(v->count, v->type.size, &bytes) || !lc_u64_to_size(bytes, &v->size))
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_SPACE, lc_h5_at(h5, &space), "the size of '%s' overflows", object->path);
    v->at = LC_NO_OFFSET;
    if (!v->size) {
        v->data = (const uint8_t *)"";
        return LC_OK;
    }
    lc_cursor stored = l.compact;
    bool borrowed = l.class == 0 || (l.class == 1 && l.address != LC_H5_NOWHERE);
    uint64_t stated = l.class == 0 ? lc_cursor_left(&l.compact) : l.class == 1 ? l.size : bytes;
    if (stated != bytes && stated != LC_H5_NOWHERE)
        return LC_H5_BAD(h5, &c, H5_LAYOUT, "the shape of '%s' needs %llu bytes, %llu are stored", object->path, (unsigned long long)bytes,
                         (unsigned long long)stated);
    if (borrowed) {
        if (l.class == 1) LC_TRY(lc_h5_block(h5, l.address, bytes, object->path, &stored, err));
        LC_TRY(charge_stored(h5, object, bytes, err));
        v->at = lc_h5_at(h5, &stored);
        v->data = lc_read_bytes(&stored, bytes);
        if (!v->data) return LC_H5_BAD(h5, &stored, H5_RANGE, "the data of '%s' is cut short", object->path);
        if (!v->type.big_endian) return LC_OK;
    }
    const uint8_t *fill;
    uint8_t *data;
    LC_TRY(parse_fill(h5, object, v->type.size, &fill, err));
    LC_TRY(allocate(h5, object, v->size, v->type.size, borrowed ? NULL : fill, &data, err));
    if (borrowed) memcpy(data, v->data, v->size);
    if (l.class == 2) LC_TRY(read_chunks(h5, object, &l, v, data, err));
    if (v->type.big_endian) turn_around(data, v->size, v->type.size);
    v->data = data;
    v->at = LC_NO_OFFSET;
    return LC_OK;
}

lc_status lc_h5_read(lc_h5 *h5, lc_h5_object *dataset, lc_h5_value *value, lc_error *err) {
    if (!dataset->value_read) {
        dataset->value = (lc_h5_value){0};
        LC_TRY(read_value(h5, dataset, &dataset->value, err));
        dataset->value_read = true;
    }
    *value = dataset->value;
    return LC_OK;
}
