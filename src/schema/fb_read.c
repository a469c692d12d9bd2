/*
 * fb_read.c: a verified flatbuffer into structs.
 *
 * Tables become structs in the arena; strings and vectors stay in the file and are pointed to. Two kinds of vectors are
 * copied: those whose elements do not lie aligned in this process (the caller's block starts at an odd address), and bool
 * vectors with bytes other than 0 and 1, which no C code should ever see as a bool.
 *
 * Every look at the bytes is bounded again by fb_view.c. After lc_fb_verify none of them fails, unless the mapped file was
 * changed since: that is the one LC_INVALID this can return.
 */
#include "schema/fb_view.h"

#include <inttypes.h>
#include <string.h>

typedef struct reading {
    lc_fb_bytes bytes;
    lc_arena *arena;
    lc_error *err;
} reading;

static lc_status changed(reading *r) {
    lc_fail_rule(r->err, LC_INVALID, lc_fb_rule_id(r->bytes.rule), r->bytes.where,
                 "the file changed while it was read: at byte %" PRIu64 " %s", r->bytes.where, lc_fb_rule_text(r->bytes.rule));
    lc_error_hint(r->err, "stop what writes to the file and try again");
    return LC_INVALID;
}

static lc_status read_table(reading *r, lc_table_id table, uint64_t at, void *out);

static lc_status read_new(reading *r, lc_table_id table, uint64_t at, void **out) {
    *out = lc_arena_alloc(r->arena, lc_schema_tables[table].size);
    return *out ? read_table(r, table, at, *out) : lc_fail_memory(r->err, lc_table_name(table));
}

static lc_status read_tables(reading *r, lc_table_id table, lc_fb_span span, void *field) {
    size_t size = lc_schema_tables[table].size;
    uint8_t *items = lc_arena_array(r->arena, span.n, size);
    if (!items) return lc_fail_memory(r->err, lc_table_name(table));
    uint8_t *item = items;
    for (uint32_t i = 0; i < span.n; i++, item += size) {
        uint64_t at, target;
        if (!lc_fb_element_at(&r->bytes, span, i, &at) || !lc_fb_follow(&r->bytes, at, &target)) return changed(r);
        LC_TRY(read_table(r, table, target, item));
    }
    lc_vec_set(field, items, span.n);
    return LC_OK;
}

static bool all_bool(const uint8_t *p, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (p[i] > 1) return false;
    return true;
}

static lc_status read_vector(reading *r, lc_kind kind, lc_fb_span span, void *field) {
    uint32_t each = lc_kind_element(kind);
    const uint8_t *data = span.data;
    bool odd = (uintptr_t)data % each != 0, normalise = kind == LC_KIND_vec_bool && !all_bool(data, span.n);
    if (odd || normalise) {
        uint8_t *copy = lc_arena_array(r->arena, span.n, each);
        if (!copy) return lc_fail_memory(r->err, "vector");
        if (span.n) memcpy(copy, data, (size_t)span.n * each); /* the span fits in the file, so the product in size_t */
        for (uint32_t i = 0; normalise && i < span.n; i++) copy[i] = copy[i] != 0;
        data = copy;
    }
    lc_vec_set(field, data, span.n);
    return LC_OK;
}

static lc_status read_string(reading *r, uint64_t at, void *field) {
    lc_fb_span span;
    if (!lc_fb_string_at(&r->bytes, at, &span)) return changed(r);
    lc_str s = {(const char *)span.data, span.n};
    memcpy(field, &s, sizeof s);
    return LC_OK;
}

static lc_status read_union(reading *r, const lc_fb_table *t, const lc_field *f, void *field) {
    uint64_t type_at, at, code = 0, target;
    lc_union u = {0, NULL};
    if (!lc_fb_field_at(&r->bytes, t, (uint16_t)(f->id - 1), 1, &type_at) || !lc_fb_field_at(&r->bytes, t, f->id, 4, &at) ||
        (type_at && !lc_fb_number(&r->bytes, type_at, 1, &code)))
        return changed(r);
    u.type = (uint8_t)code;
    lc_table_id member = lc_schema_union_table((lc_union_id)f->sub, u.type);
    if (at && member != LC_TABLE_NONE) {
        if (!lc_fb_follow(&r->bytes, at, &target)) return changed(r);
        LC_TRY(read_new(r, member, target, &u.value));
    }
    memcpy(field, &u, sizeof u);
    return LC_OK;
}

static lc_status read_scalar(reading *r, lc_kind kind, uint64_t at, void *field) {
    uint64_t v;
    uint32_t bytes = lc_kind_bytes(kind);
    if (!lc_fb_number(&r->bytes, at, bytes, &v)) return changed(r);
    if (kind == LC_KIND_bool) v = v != 0;
    memcpy(field, &v, bytes); /* little-endian host: the low bytes come first */
    return LC_OK;
}

static lc_status read_field(reading *r, const lc_fb_table *t, const lc_field *f, void *field) {
    lc_kind kind = (lc_kind)f->kind;
    if (kind == LC_KIND_union) return read_union(r, t, f, field);
    uint64_t at, target;
    lc_fb_span span;
    if (!lc_fb_field_at(&r->bytes, t, f->id, lc_kind_bytes(kind), &at)) return changed(r);
    if (!at) return LC_OK;
    if (kind < LC_KIND_str) return read_scalar(r, kind, at, field);
    if (!lc_fb_follow(&r->bytes, at, &target)) return changed(r);
    if (kind == LC_KIND_str) return read_string(r, target, field);
    if (kind == LC_KIND_table) {
        void *value;
        LC_TRY(read_new(r, (lc_table_id)f->sub, target, &value));
        memcpy(field, &value, sizeof value);
        return LC_OK;
    }
    if (!lc_fb_vector_at(&r->bytes, target, lc_kind_element(kind), &span)) return changed(r);
    return kind == LC_KIND_vec_table ? read_tables(r, (lc_table_id)f->sub, span, field) : read_vector(r, kind, span, field);
}

/* Points the vector at the bytes behind the flatbuffer, or clears offset and size where the vector itself is there (readers
 * of the format look at them only when it is not). */
static lc_status read_behind(reading *r, const lc_fb_behind *behind, uint8_t *out) {
    uint64_t offset = lc_fb_u64(out, behind->offset), size = lc_fb_u64(out, behind->size);
    if (lc_vec_get(out + behind->vec).data) {
        memset(out + behind->offset, 0, sizeof offset);
        memset(out + behind->size, 0, sizeof size);
    } else if (offset > 1) {
        lc_cursor c = lc_cursor_window(&r->bytes.all, offset, size);
        const uint8_t *data = lc_read_bytes(&c, size);
        if (!data) {
            lc_fb_broken(&r->bytes, LC_FB_BEHIND, offset, size);
            return changed(r);
        }
        lc_vec_set(out + behind->vec, data, size < UINT32_MAX ? (uint32_t)size : UINT32_MAX);
    }
    return LC_OK;
}

static lc_status read_table(reading *r, lc_table_id table, uint64_t at, void *out) {
    lc_fb_table t;
    if (!lc_fb_table_at(&r->bytes, at, &t)) return changed(r);
    lc_schema_init(table, out);
    memcpy(out, &at, sizeof at); /* every struct starts with `at` */
    for (LC_EACH_FIELD(f, table)) LC_TRY(read_field(r, &t, f, (uint8_t *)out + f->offset));
    const lc_fb_behind *behind = lc_fb_behind_of(table);
    return behind ? read_behind(r, behind, (uint8_t *)out) : LC_OK;
}

lc_status lc_fb_read(const void *data, size_t size, lc_arena *arena, lc_Model **model, lc_error *err) {
    reading r = {lc_fb_bytes_make(data, size), arena, err};
    uint64_t at;
    void *root = NULL;
    *model = NULL;
    if (!lc_fb_root(&r.bytes, &at)) return changed(&r);
    LC_TRY(read_new(&r, LC_TABLE_Model, at, &root));
    *model = root;
    return LC_OK;
}
