/*
 * extent.c: where the structure of a .tflite file ends, what lies behind it, and whether it has fields we do not know.
 *
 * Files carry bytes that no table names: the zip of a model's associated files (labels, vocabularies) is appended to it, and
 * compilers for accelerators append their code and name its place in custom options that only they can read. A rewrite that
 * dropped these bytes would break the model without a word, so the model keeps them (lc_model.tail), and the writer puts them
 * back, at the same offset when what it wrote leaves room.
 *
 * The end is the furthest byte of all tables, vtables, strings and vectors that the schema reaches, and of the ranges behind
 * the flatbuffer. What follows it starts with the first byte that is not zero, for the rest is padding.
 *
 * Schemas grow by fields at the end of a table, so a vtable that has more of them than ours comes from a newer converter.
 */
#include "runtime/check.h"
#include <string.h>

/* How many ids behind the last one we know are looked at: no release adds as many to one table, and time stays linear in the
 * file, for many tables may share one long vtable. */
enum { FURTHER = 16 };

typedef struct walk {
    const uint8_t *data;
    uint64_t size, end;
    lc_table_id unknown;
    uint16_t unknown_id;
} walk;

static void reach(walk *w, uint64_t end) {
    if (end > w->end && end <= w->size) w->end = end;
}

/* Bytes that lie in the file; a vector that lc_fb_read had to copy does not, and is passed over. */
static void reach_bytes(walk *w, const void *p, uint64_t bytes) {
    uintptr_t at = (uintptr_t)p, start = (uintptr_t)w->data;
    uint64_t end;
    if (p && at >= start && lc_range_ok(at - start, bytes, w->size) && lc_add_u64(at - start, bytes, &end)) reach(w, end);
}

static void reach_vector(walk *w, const void *p, uint32_t n, uint64_t each) {
    uint64_t bytes;
    if (lc_mul_u64(n, each, &bytes)) reach_bytes(w, p, bytes);
}

/* The first field of the vtable at c that the table's description does not have. */
static void find_unknown(walk *w, lc_table_id table, lc_cursor c, uint64_t vtable_size) {
    const lc_table_desc *d = &lc_schema_tables[table];
    uint16_t first = d->field_count ? (uint16_t)(lc_table_fields(table)[d->field_count - 1].id + 1) : 0;
    lc_cursor_skip(&c, 2 * (uint64_t)first);
    for (uint16_t id = first; id < first + FURTHER && lc_range_ok(4 + 2 * (uint64_t)id, 2, vtable_size); id++) {
        if (lc_read_u16(&c) == 0) continue;
        w->unknown = table;
        w->unknown_id = id;
        return;
    }
}

/* The table's own bytes and its vtable, which may lie behind it. */
static void reach_table(walk *w, lc_table_id table, uint64_t at) {
    lc_cursor c = lc_cursor_make(w->data, (size_t)w->size);
    lc_cursor_seek(&c, at);
    int64_t vtable;
    if (!lc_add_i64((int64_t)at, -(int64_t)(int32_t)lc_read_u32(&c), &vtable) || vtable < 0) return;
    lc_cursor_seek(&c, (uint64_t)vtable);
    uint64_t vtable_size = lc_read_u16(&c), table_size = lc_read_u16(&c), end;
    if (c.failed) return;
    if (w->unknown == LC_TABLE_NONE) find_unknown(w, table, c, vtable_size);
    if (lc_add_u64((uint64_t)vtable, vtable_size, &end)) reach(w, end);
    if (lc_add_u64(at, table_size, &end)) reach(w, end);
}

static uint64_t element_bytes(lc_kind kind) {
    switch (kind) {
    case LC_KIND_vec_bool:
    case LC_KIND_vec_u8:
    case LC_KIND_vec_u8_a16: return 1;
    case LC_KIND_vec_u16: return 2;
    case LC_KIND_vec_i64: return 8;
    default: return 4;
    }
}

/* As deep as the schema nests; lc_fb_verify bounded it. */
static void walk_table(walk *w, lc_table_id table, const void *value) {
    uint64_t at;
    memcpy(&at, value, sizeof at); /* every struct starts with it */
    reach_table(w, table, at);
    for (LC_EACH_FIELD(f, table)) {
        const char *p = (const char *)value + f->offset;
        lc_kind kind = (lc_kind)f->kind;
        if (kind < LC_KIND_str) continue;
        if (kind == LC_KIND_str) {
            lc_str s;
            memcpy(&s, p, sizeof s);
            if (s.data) reach_vector(w, s.data, 1, (uint64_t)s.size);
        } else if (kind == LC_KIND_table) {
            const void *sub;
            memcpy(&sub, p, sizeof sub);
            if (sub) walk_table(w, (lc_table_id)f->sub, sub);
        } else if (kind == LC_KIND_union) {
            lc_union u;
            memcpy(&u, p, sizeof u);
            if (u.value) walk_table(w, lc_schema_union_table((lc_union_id)f->sub, u.type), u.value);
        } else {
            lc_vec v;
            memcpy(&v, p, sizeof v);
            size_t size = kind == LC_KIND_vec_table ? lc_schema_tables[f->sub].size : 0;
            if (kind != LC_KIND_vec_table) reach_vector(w, v.data, v.n, element_bytes(kind));
            for (uint32_t k = 0; size && k < v.n; k++) walk_table(w, (lc_table_id)f->sub, (const char *)v.data + (size_t)k * size);
        }
    }
}

/* Vectors that say "behind" (schema.h) carry their true size apart. */
static void walk_behind(walk *w, const lc_Model *m) {
    for (size_t i = 0; i < m->buffers.n; i++) reach_bytes(w, m->buffers.data[i].data.data, lc_buffer_size(&m->buffers.data[i]));
    for (size_t g = 0; g < m->subgraphs.n; g++) {
        for (size_t i = 0; i < m->subgraphs.data[g].operators.n; i++) {
            const lc_Operator *o = &m->subgraphs.data[g].operators.data[i];
            reach_bytes(w, o->custom_options.data, lc_custom_options_size(o));
        }
    }
}

lc_extent lc_tflite_extent(const lc_Model *model, const void *data, size_t size) {
    walk w = {.data = data, .size = size, .end = 8, .unknown = LC_TABLE_NONE};
    walk_table(&w, LC_TABLE_Model, model);
    walk_behind(&w, model);
    uint64_t at = w.end;
    while (at < size && w.data[at] == 0) at++;
    return (lc_extent){at, w.unknown, w.unknown_id};
}
