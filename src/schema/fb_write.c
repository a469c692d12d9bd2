/*
 * fb_write.c: structs into a flatbuffer, front to back.
 *
 *   root offset "TFL3" │ vtable, table, its strings, vectors and tables ... (the structure, built in memory)
 *                      │ bytes of Buffer.data, each with its length, at multiples of 16 (never in memory: caller → sink)
 *                      │ bytes behind the flatbuffer (Buffer.offset, Operator.large_custom_options_offset), at multiples of 16
 *                      │ 16 zero bytes, because fast kernels read past the end of the last weights
 *
 * A table is written before what it refers to, so every reference points forward as the format demands; the place of a
 * reference stays zero until its target is placed. Equal vtables are shared through a hash of what was written; equal vectors of int64,
 * which are the zero points of weights and biases with a scale a channel, come last and once: of MobileNetV2 they are a tenth.
 *
 * Stays true: the same structs give the same bytes; every scalar is aligned to its size from the start of the file; fields
 * equal to their default (bit for bit) take no place. When the whole would pass 2 GiB the structure is built once more with
 * all Buffer.data behind. Refused: a structure that alone passes 2 GiB, a union of a type the schema does not know, a
 * Buffer that says "behind" without having bytes.
 */
#include "schema/fb_view.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_IDS = 64, ALIGN = 16, TAIL = 16 };

#define LC_TABLE(T)
#define LC_FIELD(T, id, name, kind, sub, def) _Static_assert((id) < MAX_IDS, #T "." #name);
#define LC_TABLE_END(T)
#include "schema/tables.def"

/* Bytes that are streamed after the structure. */
typedef struct piece {
    uint64_t patch; /* where the structure says where they are: u32 relative, or u64 from the start when behind */
    const void *data;
    uint64_t size;
    uint64_t at; /* of the data itself */
    bool behind;
} piece;

/* A vector that others may equal. */
typedef struct common {
    uint64_t patch, at; /* what refers to it; where it is, 0 until it is written */
    const void *data;
    uint32_t n;
} common;

typedef struct writing {
    uint8_t *data;
    size_t size, capacity; /* the structure */
    piece *pieces;
    size_t piece_count, piece_capacity;
    common *commons;
    size_t common_count, common_capacity;
    uint32_t *slots;
    size_t slot_count, vtables; /* hash of vtables: positions in data, 0 for a free slot */
    uint64_t limit;
    bool all_behind;
    lc_error *err;
} writing;

/* ---- the growing structure ---------------------------------------------------------------------------------- */

static lc_status too_large(writing *w) {
    lc_fail(w->err, LC_LIMIT, "the model's structure without its buffers is larger than the %" PRIu64 " bytes a .tflite file allows",
            w->limit);
    lc_error_hint(w->err, "split the model, or put large custom options behind the flatbuffer");
    return LC_LIMIT;
}

/* n zero bytes at the end; *at: where they start. */
static lc_status append(writing *w, uint64_t n, uint64_t *at) {
    uint64_t size;
    if (!lc_add_u64(w->size, n, &size) || size > w->limit) return too_large(w);
    if (size > w->capacity) {
        size_t wider = w->capacity ? w->capacity : 4096;
        while (wider < size)
            if (!lc_mul_size(wider, 2, &wider)) return lc_fail_memory(w->err, "flatbuffer");
        uint8_t *p = lc_realloc(w->data, wider);
        if (!p) return lc_fail_memory(w->err, "flatbuffer");
        w->data = p;
        w->capacity = wider;
    }
    if (n) memset(w->data + w->size, 0, (size_t)n);
    *at = w->size;
    w->size = (size_t)size;
    return LC_OK;
}

/* Pads so that what comes `ahead` bytes later is aligned. */
static lc_status pad(writing *w, uint32_t align, uint32_t ahead) {
    uint64_t at, over = (w->size + ahead) % align;
    return over ? append(w, align - over, &at) : LC_OK;
}

static void put(writing *w, uint64_t at, const void *value, size_t bytes) {
    if (bytes) memcpy(w->data + at, value, bytes);
}

static void put_u32(writing *w, uint64_t at, uint32_t v) { put(w, at, &v, sizeof v); }

/* Makes the reference at `patch` lead to `target`. */
static void refer(writing *w, uint64_t patch, uint64_t target) { put_u32(w, patch, (uint32_t)(target - patch)); }

/* A vector with its length; *elements: where its elements go. */
static lc_status begin_vector(writing *w, uint64_t n, uint32_t each, uint32_t align, uint64_t patch, uint64_t *elements) {
    uint64_t at, bytes;
    if (n > LC_FB_MAX || !lc_mul_u64(n, each, &bytes)) return too_large(w);
    LC_TRY(pad(w, align > 4 ? align : 4, 4));
    LC_TRY(append(w, 4, &at));
    LC_TRY(append(w, bytes, elements));
    put_u32(w, at, (uint32_t)n);
    refer(w, patch, at);
    return LC_OK;
}

/* Room for one more of what has `each` bytes. */
static lc_status grow(writing *w, void **items, size_t *capacity, size_t count, size_t each) {
    size_t wider = *capacity ? *capacity : 32, bytes;
    if (count < *capacity) return LC_OK;
    if (!lc_mul_size(wider, 2, &wider) || !lc_mul_size(wider, each, &bytes)) return lc_fail_memory(w->err, "buffers");
    void *p = lc_realloc(*items, bytes);
    if (!p) return lc_fail_memory(w->err, "buffers");
    *items = p;
    *capacity = wider;
    return LC_OK;
}

static lc_status add_piece(writing *w, piece p) {
    void *items = w->pieces;
    const lc_status status = grow(w, &items, &w->piece_capacity, w->piece_count, sizeof p);
    w->pieces = items;
    if (status == LC_OK) w->pieces[w->piece_count++] = p;
    return status;
}

static lc_status add_common(writing *w, common c) {
    void *items = w->commons;
    const lc_status status = grow(w, &items, &w->common_capacity, w->common_count, sizeof c);
    w->commons = items;
    if (status == LC_OK) w->commons[w->common_count++] = c;
    return status;
}

/* ---- vtables ------------------------------------------------------------------------------------------------- */

static lc_status grow_slots(writing *w) {
    size_t count = w->slot_count ? w->slot_count * 2 : 256;
    uint32_t *slots = lc_calloc(count, sizeof *slots);
    if (!slots) return lc_fail_memory(w->err, "vtables");
    for (size_t i = 0; i < w->slot_count; i++) {
        uint16_t bytes;
        if (!w->slots[i]) continue;
        memcpy(&bytes, w->data + w->slots[i], sizeof bytes);
        size_t k = (size_t)lc_hash(w->data + w->slots[i], bytes, 0) & (count - 1);
        while (slots[k]) k = (k + 1) & (count - 1);
        slots[k] = w->slots[i];
    }
    lc_free(w->slots);
    w->slots = slots;
    w->slot_count = count;
    return LC_OK;
}

/* Position of a vtable with these bytes, written now when it is new. vtable[0] is its size. */
static lc_status place_vtable(writing *w, const uint16_t *vtable, uint64_t *at) {
    if (w->vtables * 2 >= w->slot_count) LC_TRY(grow_slots(w));
    size_t k = (size_t)lc_hash(vtable, vtable[0], 0) & (w->slot_count - 1);
    for (; w->slots[k]; k = (k + 1) & (w->slot_count - 1)) {
        const uint8_t *other = w->data + w->slots[k];
        if (memcmp(other, vtable, 2) == 0 && memcmp(other, vtable, vtable[0]) == 0) return *at = w->slots[k], LC_OK;
    }
    LC_TRY(pad(w, 2, 0));
    LC_TRY(append(w, vtable[0], at));
    put(w, *at, vtable, vtable[0]);
    w->slots[k] = (uint32_t)*at;
    w->vtables++;
    return LC_OK;
}

/* ---- tables -------------------------------------------------------------------------------------------------- */

/* Bytes of each id inside the table, 0 for those left out; then where each lies. */
typedef struct layout {
    uint8_t bytes[MAX_IDS];
    uint16_t vtable[MAX_IDS + 2];
    bool wide; /* has 8-byte fields */
} layout;

static lc_status present(writing *w, lc_table_id table, const lc_field *f, const uint8_t *p, bool *is) {
    lc_kind kind = (lc_kind)f->kind;
    if (kind < LC_KIND_str) {
        *is = !lc_fb_is_default(f, p);
    } else if (kind == LC_KIND_union) {
        lc_union u;
        memcpy(&u, p, sizeof u);
        *is = u.type != 0;
        if (u.type != 0 && (!u.value || lc_schema_union_table((lc_union_id)f->sub, u.type) == LC_TABLE_NONE)) {
            lc_fail(w->err, LC_UNSUPPORTED, "%s.%s: type %u of %s cannot be written: %s", lc_table_name(table), lc_field_name(f), u.type,
                    lc_schema_unions[f->sub].name, u.value ? "the schema does not have it" : "its value is missing");
            lc_error_hint(w->err, "the model comes from a newer converter than this litec knows; use a newer litec");
            return LC_UNSUPPORTED;
        }
    } else {
        const void *first; /* strings, vectors and tables all start with their pointer */
        memcpy(&first, p, sizeof first);
        *is = first != NULL;
    }
    return LC_OK;
}

/* Where the bytes of a Buffer or of custom options go. */
typedef enum place { NOWHERE, IN_STRUCTURE, STREAMED, BEHIND } place;

static lc_status place_of(writing *w, lc_table_id table, const lc_fb_behind *b, const uint8_t *value, place *to) {
    bool has = lc_vec_get(value + b->vec).data != NULL, asked = lc_fb_u64(value, b->offset) > 1;
    uint64_t length = lc_fb_behind_length(b, value);
    if (!has && asked)
        return lc_fail(w->err, LC_ARGUMENT, "%s: says that its bytes lie behind the flatbuffer but has none", lc_table_name(table));
    if (!has) *to = NOWHERE;
    else if (asked) *to = BEHIND;
    else if (table != LC_TABLE_Buffer || length == 0) *to = IN_STRUCTURE;
    else *to = w->all_behind ? BEHIND : STREAMED;
    return LC_OK;
}

static lc_status choose_fields(writing *w, lc_table_id table, const uint8_t *value, place to, layout *l) {
    const lc_fb_behind *b = lc_fb_behind_of(table);
    for (LC_EACH_FIELD(f, table)) {
        bool is;
        if (b && f->id == b->vec_id) is = to == IN_STRUCTURE || to == STREAMED;
        else if (b && to != NOWHERE && (f->id == b->offset_id || f->id == b->size_id)) is = to == BEHIND;
        else LC_TRY(present(w, table, f, value + f->offset, &is));
        if (!is) continue;
        l->bytes[f->id] = (uint8_t)lc_kind_bytes((lc_kind)f->kind);
        if (f->kind == LC_KIND_union) l->bytes[f->id - 1] = 1;
    }
    return LC_OK;
}

/* Fields by falling size, so that only the table's start needs padding. */
static void lay_out(layout *l) {
    uint16_t at = 4, last = 0;
    for (uint8_t bytes = 8; bytes; bytes /= 2)
        for (uint16_t id = 0; id < MAX_IDS; id++) {
            if (l->bytes[id] != bytes) continue;
            l->vtable[id + 2] = at;
            at = (uint16_t)(at + bytes);
            if (bytes == 8) l->wide = true;
            if (id + 1 > last) last = (uint16_t)(id + 1);
        }
    l->vtable[0] = (uint16_t)((last + 2) * 2);
    l->vtable[1] = at;
}

static lc_status write_table(writing *w, lc_table_id table, const void *value, uint64_t patch);

static lc_status write_vector(writing *w, lc_kind kind, int16_t sub, lc_vec v, uint64_t patch) {
    uint32_t each = lc_kind_element(kind);
    uint64_t at;
    if (kind == LC_KIND_vec_i64 && v.n > 1) return add_common(w, (common){patch, 0, v.data, v.n});
    LC_TRY(begin_vector(w, v.n, each, kind == LC_KIND_vec_u8_a16 ? ALIGN : each, patch, &at));
    if (kind != LC_KIND_vec_table) {
        put(w, at, v.data, (size_t)v.n * each);
        return LC_OK;
    }
    const uint8_t *item = (const uint8_t *)v.data;
    for (uint32_t i = 0; i < v.n; i++, item += lc_schema_tables[sub].size, at += 4) LC_TRY(write_table(w, (lc_table_id)sub, item, at));
    return LC_OK;
}

static lc_status write_string(writing *w, lc_str s, uint64_t patch) {
    uint64_t at, end;
    LC_TRY(begin_vector(w, s.size, 1, 4, patch, &at));
    put(w, at, s.data, s.size);
    return append(w, 1, &end); /* the NUL */
}

static lc_status write_field(writing *w, const lc_field *f, const uint8_t *p, uint64_t at, uint64_t type_at) {
    lc_kind kind = (lc_kind)f->kind;
    if (kind < LC_KIND_str) {
        put(w, at, p, lc_kind_bytes(kind));
        return LC_OK;
    }
    if (kind == LC_KIND_str) {
        lc_str s;
        memcpy(&s, p, sizeof s);
        return write_string(w, s, at);
    }
    if (kind == LC_KIND_table) {
        const void *sub;
        memcpy(&sub, p, sizeof sub);
        return write_table(w, (lc_table_id)f->sub, sub, at);
    }
    if (kind == LC_KIND_union) {
        lc_union u;
        memcpy(&u, p, sizeof u);
        put(w, type_at, &u.type, 1);
        return write_table(w, lc_schema_union_table((lc_union_id)f->sub, u.type), u.value, at);
    }
    return write_vector(w, kind, f->sub, lc_vec_get(p), at);
}

/* Writes a table and all below it; recursion is as deep as the schema nests, which is five tables. */
static lc_status write_table(writing *w, lc_table_id table, const void *value, uint64_t patch) {
    const lc_fb_behind *b = lc_fb_behind_of(table);
    const uint8_t *in = (const uint8_t *)value;
    layout l = {0};
    uint64_t vtable, at;
    place to = IN_STRUCTURE;
    if (b) LC_TRY(place_of(w, table, b, in, &to));
    LC_TRY(choose_fields(w, table, in, to, &l));
    lay_out(&l);
    LC_TRY(place_vtable(w, l.vtable, &vtable));
    LC_TRY(l.wide ? pad(w, 8, 4) : pad(w, 4, 0));
    LC_TRY(append(w, l.vtable[1], &at));
    put_u32(w, at, (uint32_t)(at - vtable));
    refer(w, patch, at);
    if (to == STREAMED)
        LC_TRY(add_piece(w, (piece){at + l.vtable[b->vec_id + 2], lc_vec_get(in + b->vec).data, lc_fb_behind_length(b, in), 0, false}));
    if (to == BEHIND) {
        uint64_t length = lc_fb_behind_length(b, in);
        put(w, at + l.vtable[b->size_id + 2], &length, sizeof length);
        LC_TRY(add_piece(w, (piece){at + l.vtable[b->offset_id + 2], lc_vec_get(in + b->vec).data, length, 0, true}));
    }
    for (LC_EACH_FIELD(f, table)) {
        if (!l.bytes[f->id]) continue;
        if (b && ((to == STREAMED && f->id == b->vec_id) || (to == BEHIND && (f->id == b->offset_id || f->id == b->size_id)))) continue;
        uint64_t type_at = f->kind == LC_KIND_union ? at + l.vtable[f->id - 1 + 2] : 0;
        LC_TRY(write_field(w, f, in + f->offset, at + l.vtable[f->id + 2], type_at));
    }
    return LC_OK;
}

/* Vectors that may be equal: each once, where the first of its kind has its turn. */
static lc_status write_commons(writing *w) {
    size_t slots = 16;
    if (!w->common_count) return LC_OK;
    while (slots < 2 * w->common_count) slots *= 2;
    const common **seen = lc_calloc(slots, sizeof *seen);
    lc_status status = seen ? LC_OK : lc_fail_memory(w->err, "vectors");
    for (size_t i = 0; status == LC_OK && i < w->common_count; i++) {
        common *c = &w->commons[i];
        const size_t bytes = (size_t)c->n * sizeof(int64_t);
        size_t k = (size_t)lc_hash(c->data, bytes, 0) & (slots - 1);
        while (seen[k] && (seen[k]->n != c->n || memcmp(seen[k]->data, c->data, bytes) != 0)) k = (k + 1) & (slots - 1);
        if (seen[k]) {
            refer(w, c->patch, seen[k]->at);
            continue;
        }
        status = begin_vector(w, c->n, sizeof(int64_t), sizeof(int64_t), c->patch, &c->at);
        if (status) break;
        put(w, c->at, c->data, bytes);
        c->at -= 4; /* its length */
        seen[k] = c;
    }
    lc_free(seen);
    return status;
}

/* ---- the whole ----------------------------------------------------------------------------------------------- */

static lc_status build(writing *w, const lc_Model *model, bool all_behind) {
    uint64_t at;
    w->size = w->piece_count = w->common_count = w->vtables = 0;
    if (w->slots) memset(w->slots, 0, w->slot_count * sizeof *w->slots);
    w->all_behind = all_behind;
    LC_TRY(append(w, 8, &at));
    put(w, 4, "TFL3", 4);
    LC_TRY(write_table(w, LC_TABLE_Model, model, 0));
    return write_commons(w);
}

/* Places the streamed pieces. *total: bytes of the file; *front: of its flatbuffer part. False on overflow. */
static bool place_pieces(writing *w, uint64_t *front, uint64_t *total) {
    uint64_t end = w->size;
    for (int behind = 0; behind < 2; behind++) {
        for (size_t i = 0; i < w->piece_count; i++) {
            piece *p = &w->pieces[i];
            if (p->behind != (behind == 1)) continue;
            /* The length word of a vector goes in front of the aligned bytes. */
            if (!lc_add_u64(end, behind ? 0 : 4, &end) || !lc_align_u64(end, ALIGN, &p->at) || !lc_add_u64(p->at, p->size, &end))
                return false;
        }
        if (!behind) *front = end;
    }
    *total = end;
    return w->piece_count == 0 || (lc_add_u64(end, TAIL, &end) && lc_align_u64(end, ALIGN, total));
}

static lc_status zeros(const lc_sink *sink, uint64_t n, lc_error *err) {
    static const uint8_t zero[ALIGN + TAIL];
    return n ? sink->write(sink->user, zero, (size_t)n, err) : LC_OK;
}

static lc_status stream(writing *w, const lc_sink *sink, uint64_t total) {
    uint64_t end = w->size;
    LC_TRY(sink->write(sink->user, w->data, w->size, w->err));
    for (int behind = 0; behind < 2; behind++)
        for (size_t i = 0; i < w->piece_count; i++) {
            const piece *p = &w->pieces[i];
            size_t bytes;
            if (p->behind != (behind == 1)) continue;
            if (!lc_u64_to_size(p->size, &bytes))
                return lc_fail(w->err, LC_LIMIT, "a buffer of %" PRIu64 " bytes is too large for this machine", p->size);
            uint32_t length = (uint32_t)p->size;
            LC_TRY(zeros(sink, p->at - end - (behind ? 0 : 4), w->err));
            if (!behind) LC_TRY(sink->write(sink->user, &length, sizeof length, w->err));
            if (bytes) LC_TRY((sink->write_buffer ? sink->write_buffer : sink->write)(sink->user, p->data, bytes, w->err));
            end = p->at + p->size;
        }
    return zeros(sink, total - end, w->err);
}

static lc_status write_all(writing *w, const lc_Model *model, const lc_sink *sink, uint64_t *size) {
    uint64_t front, total;
    LC_TRY(build(w, model, false));
    bool fits = place_pieces(w, &front, &total) && front <= w->limit;
    if (!fits) {
        LC_TRY(build(w, model, true));
        if (!place_pieces(w, &front, &total)) return lc_fail(w->err, LC_LIMIT, "the buffers' sizes sum up to more than 2^64 bytes");
    }
    for (size_t i = 0; i < w->piece_count; i++) {
        const piece *p = &w->pieces[i];
        if (p->behind) put(w, p->patch, &p->at, sizeof p->at);
        else refer(w, p->patch, p->at - 4);
    }
    LC_TRY(stream(w, sink, total));
    if (size) *size = total;
    return LC_OK;
}

lc_status lc_fb_write_within(const lc_Model *model, const lc_sink *sink, uint64_t limit, uint64_t *size, lc_error *err) {
    writing w = {.limit = limit < LC_FB_MAX ? limit : LC_FB_MAX, .err = err};
    if (size) *size = 0;
    lc_status s = write_all(&w, model, sink, size);
    lc_free(w.data);
    lc_free(w.pieces);
    lc_free(w.commons);
    lc_free(w.slots);
    return s;
}

lc_status lc_fb_write(const lc_Model *model, const lc_sink *sink, uint64_t *size, lc_error *err) {
    return lc_fb_write_within(model, sink, LC_FB_MAX, size, err);
}
