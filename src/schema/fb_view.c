/*
 * fb_view.c: the bounds of a flatbuffer, each in one place.
 *
 *   0        u32 root ─▶ table        table    i32 ─▶ vtable (table - value), then fields
 *   4        "TFL3"                    vtable   u16 bytes of vtable, u16 bytes of table, u16 offset of field 0, 1 ... (0: absent)
 *                                      vector   u32 count, elements          string   u32 bytes, bytes, NUL
 *   references inside tables and vectors are u32, forward from where they are stored.
 *
 * Stays true: no byte is read but through a cursor, no number of the file is added or multiplied but checked, and a position
 * is handed out only when all of what it names lies in the file. https://flatbuffers.dev/internals/
 */
#include "schema/fb_view.h"

#include <string.h>

const char *lc_fb_rule_id(lc_fb_rule rule) {
    static const char *const ids[] = {
        "",
#define LC_FB_RULE(NAME, id, text) id,
#include "schema/fb_rules.def"
    };
    return (unsigned)rule < LC_FB_RULE_COUNT ? ids[rule] : "?";
}

const char *lc_fb_rule_text(lc_fb_rule rule) {
    static const char *const texts[] = {
        "",
#define LC_FB_RULE(NAME, id, text) text,
#include "schema/fb_rules.def"
    };
    return (unsigned)rule < LC_FB_RULE_COUNT ? texts[rule] : "?";
}

lc_fb_bytes lc_fb_bytes_make(const void *data, size_t size) {
    lc_fb_bytes b = {.all = lc_cursor_make(data, size)};
    b.front = lc_cursor_window(&b.all, 0, size < LC_FB_MAX ? size : LC_FB_MAX);
    return b;
}

bool lc_fb_broken(lc_fb_bytes *b, lc_fb_rule rule, uint64_t where, uint64_t found) {
    b->rule = rule;
    b->where = where;
    b->found = found;
    return false;
}

static uint64_t front_size(const lc_fb_bytes *b) { return (uint64_t)(b->front.end - b->front.base); }
static bool inside(const lc_fb_bytes *b, uint64_t at, uint64_t bytes) { return lc_range_ok(at, bytes, front_size(b)); }

/* A cursor at `at` with the `bytes` bytes there and no more. */
static lc_cursor look(const lc_fb_bytes *b, uint64_t at, uint64_t bytes) { return lc_cursor_window(&b->front, at, bytes); }

bool lc_fb_root(lc_fb_bytes *b, uint64_t *at) {
    if (!inside(b, 0, 8)) return lc_fb_broken(b, LC_FB_SIZE, 0, front_size(b));
    lc_cursor c = look(b, 0, 8);
    uint32_t root = lc_read_u32(&c);
    const uint8_t *ident = lc_read_bytes(&c, 4);
    if (!ident || memcmp(ident, "TFL3", 4) != 0) return lc_fb_broken(b, LC_FB_IDENT, 4, 0);
    if (root < 8 || !inside(b, root, 4)) return lc_fb_broken(b, LC_FB_ROOT, 0, root);
    *at = root;
    return true;
}

bool lc_fb_table_at(lc_fb_bytes *b, uint64_t at, lc_fb_table *table) {
    if (at % 4 != 0) return lc_fb_broken(b, LC_FB_ALIGN, at, at % 4);
    if (!inside(b, at, 4)) return lc_fb_broken(b, LC_FB_TABLE, at, front_size(b));
    lc_cursor c = look(b, at, 4);
    int64_t back = (int32_t)lc_read_u32(&c), vtable = 0;
    /* `at` is under 2^31 here, so its negation and the sum cannot leave 64 bits; checked all the same. */
    if (!lc_add_i64((int64_t)at, -back, &vtable) || vtable < 0 || vtable % 2 != 0 || !inside(b, (uint64_t)vtable, 4))
        return lc_fb_broken(b, LC_FB_VTABLE, at, (uint64_t)vtable);
    c = look(b, (uint64_t)vtable, 4);
    uint16_t vtable_size = lc_read_u16(&c), size = lc_read_u16(&c);
    if (vtable_size < 4 || vtable_size % 2 != 0 || !inside(b, (uint64_t)vtable, vtable_size))
        return lc_fb_broken(b, LC_FB_VTABLE, (uint64_t)vtable, vtable_size);
    if (size < 4 || !inside(b, at, size)) return lc_fb_broken(b, LC_FB_TABLE, at, size);
    *table = (lc_fb_table){at, (uint64_t)vtable, vtable_size, size};
    return true;
}

bool lc_fb_field_at(lc_fb_bytes *b, const lc_fb_table *table, uint16_t id, uint32_t bytes, uint64_t *at) {
    *at = 0;
    uint64_t slot = 4 + 2 * (uint64_t)id; /* in the vtable; id is ours, not the file's */
    if (!lc_range_ok(slot, 2, table->vtable_size)) return true;
    uint64_t where, field;
    if (!lc_add_u64(table->vtable, slot, &where)) return lc_fb_broken(b, LC_FB_VTABLE, table->vtable, slot);
    lc_cursor c = look(b, where, 2);
    uint16_t offset = lc_read_u16(&c);
    if (c.failed) return lc_fb_broken(b, LC_FB_VTABLE, where, 0);
    if (offset == 0) return true;
    if (offset < 4 || !lc_range_ok(offset, bytes, table->size) || !lc_add_u64(table->at, offset, &field))
        return lc_fb_broken(b, LC_FB_FIELD, where, offset);
    if (field % bytes != 0) return lc_fb_broken(b, LC_FB_FIELD_ALIGN, field, field % bytes);
    *at = field;
    return true;
}

bool lc_fb_number(lc_fb_bytes *b, uint64_t at, uint32_t bytes, uint64_t *value) {
    lc_cursor c = look(b, at, bytes);
    *value = lc_read_uint(&c, bytes);
    return !c.failed || lc_fb_broken(b, LC_FB_FIELD, at, bytes);
}

bool lc_fb_follow(lc_fb_bytes *b, uint64_t at, uint64_t *target) {
    lc_cursor c = look(b, at, 4);
    uint32_t offset = lc_read_u32(&c);
    if (c.failed || offset == 0 || offset > LC_FB_MAX || !lc_add_u64(at, offset, target) || !inside(b, *target, 4))
        return lc_fb_broken(b, LC_FB_OFFSET, at, offset);
    if (*target % 4 != 0) return lc_fb_broken(b, LC_FB_ALIGN, *target, *target % 4);
    return true;
}

/* Reads the length at `at` and proves that the elements behind it are there. */
static bool counted(lc_fb_bytes *b, uint64_t at, uint32_t bytes, lc_fb_rule rule, lc_fb_span *span) {
    lc_cursor c = look(b, at, 4);
    uint32_t n = lc_read_u32(&c);
    uint64_t first, size;
    if (c.failed || !lc_add_u64(at, 4, &first) || !lc_mul_u64(n, bytes, &size) || !inside(b, first, size))
        return lc_fb_broken(b, rule, at, n);
    c = look(b, first, size);
    *span = (lc_fb_span){first, n, lc_read_bytes(&c, size)};
    return true;
}

bool lc_fb_vector_at(lc_fb_bytes *b, uint64_t at, uint32_t bytes, lc_fb_span *span) {
    if (!counted(b, at, bytes, LC_FB_VECTOR, span)) return false;
    /* An empty vector has no elements that could be misplaced; writers do not pad for it. */
    if (span->n && span->at % bytes != 0) return lc_fb_broken(b, LC_FB_VECTOR_ALIGN, span->at, span->at % bytes);
    return true;
}

bool lc_fb_string_at(lc_fb_bytes *b, uint64_t at, lc_fb_span *span) {
    if (!counted(b, at, 1, LC_FB_STRING, span)) return false;
    uint64_t end;
    if (!lc_add_u64(span->at, span->n, &end)) return lc_fb_broken(b, LC_FB_STRING, at, span->n);
    lc_cursor c = look(b, end, 1);
    uint8_t last = lc_read_u8(&c);
    if (c.failed || last != 0) return lc_fb_broken(b, LC_FB_STRING_END, end, last);
    return true;
}

bool lc_fb_element_at(lc_fb_bytes *b, lc_fb_span span, uint32_t i, uint64_t *at) {
    uint64_t step;
    if (i >= span.n || !lc_mul_u64(i, 4, &step) || !lc_add_u64(span.at, step, at)) return lc_fb_broken(b, LC_FB_VECTOR, span.at, i);
    return true;
}

/* ---- kinds ------------------------------------------------------------------------------------------------- */

uint32_t lc_kind_bytes(lc_kind kind) {
    switch (kind) {
    case LC_KIND_bool:
    case LC_KIND_i8:
    case LC_KIND_enum_i8: return 1;
    case LC_KIND_i64:
    case LC_KIND_u64: return 8;
    default: return 4; /* 32-bit scalars and every reference */
    }
}

uint32_t lc_kind_element(lc_kind kind) {
    switch (kind) {
    case LC_KIND_vec_bool:
    case LC_KIND_vec_u8:
    case LC_KIND_vec_u8_a16: return 1;
    case LC_KIND_vec_u16: return 2;
    case LC_KIND_vec_i32:
    case LC_KIND_vec_f32:
    case LC_KIND_vec_enum_u32:
    case LC_KIND_vec_table: return 4;
    case LC_KIND_vec_i64: return 8;
    default: return 0;
    }
}

bool lc_fb_is_default(const lc_field *f, const void *value) {
    const uint64_t def = (uint64_t)f->def;
    return memcmp(value, &def, lc_kind_bytes((lc_kind)f->kind)) == 0; /* little-endian host: the low bytes come first */
}

lc_vec lc_vec_get(const void *field) {
    lc_vec v;
    memcpy(&v, field, sizeof v);
    return v;
}

void lc_vec_set(void *field, const void *data, uint32_t n) {
    lc_vec v = {data, n};
    memcpy(field, &v, sizeof v);
}

const lc_fb_behind *lc_fb_behind_of(lc_table_id table) {
    static const lc_fb_behind buffer = {offsetof(lc_Buffer, data), offsetof(lc_Buffer, offset), offsetof(lc_Buffer, size), 0, 1, 2};
    static const lc_fb_behind op = {offsetof(lc_Operator, custom_options),
                                    offsetof(lc_Operator, large_custom_options_offset),
                                    offsetof(lc_Operator, large_custom_options_size),
                                    5,
                                    9,
                                    10};
    return table == LC_TABLE_Buffer ? &buffer : table == LC_TABLE_Operator ? &op : NULL;
}

uint64_t lc_fb_u64(const void *value, uint16_t offset) {
    uint64_t v;
    memcpy(&v, (const uint8_t *)value + offset, sizeof v);
    return v;
}

uint64_t lc_fb_behind_length(const lc_fb_behind *behind, const void *value) {
    lc_vec v = lc_vec_get((const uint8_t *)value + behind->vec);
    if (!v.data) return 0;
    return lc_fb_u64(value, behind->offset) > 1 ? lc_fb_u64(value, behind->size) : v.n;
}
