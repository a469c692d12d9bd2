/*
 * fb_value.c: comparing and copying structs of tables.
 *
 * Equal means: a reader of the format sees no difference. Scalars are compared bit for bit (a NaN equals itself, -0 is not
 * 0), an absent vector or string differs from an empty one, and where bytes lie (in the flatbuffer or behind it) does not
 * count. Recursion is as deep as the schema nests.
 */
#include "schema/fb_view.h"

#include <string.h>

static bool equal_str(const void *a, const void *b) {
    lc_str x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return lc_str_eq(x, y);
}

static bool equal_bytes(const void *a, uint64_t an, const void *b, uint64_t bn) {
    return (a == NULL) == (b == NULL) && an == bn && (an == 0 || a == b || memcmp(a, b, (size_t)an) == 0);
}

static bool equal_vec(const lc_field *f, const void *a, const void *b) {
    lc_vec x = lc_vec_get(a), y = lc_vec_get(b);
    if (f->kind != LC_KIND_vec_table) {
        uint64_t each = lc_kind_element((lc_kind)f->kind);
        return equal_bytes(x.data, x.n * each, y.data, y.n * each);
    }
    if ((x.data == NULL) != (y.data == NULL) || x.n != y.n) return false;
    size_t size = lc_schema_tables[f->sub].size;
    for (uint32_t i = 0; i < x.n; i++)
        if (!lc_fb_equal((lc_table_id)f->sub, (const uint8_t *)x.data + i * size, (const uint8_t *)y.data + i * size)) return false;
    return true;
}

static bool equal_table(lc_table_id table, const void *a, const void *b) { return a && b ? lc_fb_equal(table, a, b) : a == b; }

static bool equal_field(const lc_field *f, const void *a, const void *b) {
    lc_kind kind = (lc_kind)f->kind;
    if (kind < LC_KIND_str) return memcmp(a, b, lc_kind_bytes(kind)) == 0;
    if (kind == LC_KIND_str) return equal_str(a, b);
    if (kind == LC_KIND_table) {
        const void *x, *y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return equal_table((lc_table_id)f->sub, x, y);
    }
    if (kind == LC_KIND_union) {
        lc_union x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        lc_table_id member = lc_schema_union_table((lc_union_id)f->sub, x.type);
        return x.type == y.type && (member == LC_TABLE_NONE || equal_table(member, x.value, y.value));
    }
    return equal_vec(f, a, b);
}

bool lc_fb_equal(lc_table_id table, const void *a, const void *b) {
    const lc_fb_behind *behind = lc_fb_behind_of(table);
    const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;
    bool bytes = behind && (lc_vec_get(x + behind->vec).data || lc_vec_get(y + behind->vec).data);
    if (bytes && !equal_bytes(lc_vec_get(x + behind->vec).data, lc_fb_behind_length(behind, x), lc_vec_get(y + behind->vec).data,
                              lc_fb_behind_length(behind, y)))
        return false;
    for (LC_EACH_FIELD(f, table)) {
        if (bytes && (f->id == behind->vec_id || f->id == behind->offset_id || f->id == behind->size_id)) continue;
        if (!equal_field(f, x + f->offset, y + f->offset)) return false;
    }
    return true;
}

/* ---- copy ---------------------------------------------------------------------------------------------------- */

static bool clone_into(lc_table_id table, const uint8_t *src, uint8_t *dst, lc_arena *arena);

static bool clone_bytes(const void *src, uint64_t n, lc_arena *arena, const void **out) {
    size_t bytes;
    *out = NULL;
    if (!src) return true;
    if (!lc_u64_to_size(n, &bytes)) return false;
    void *p = lc_arena_alloc(arena, bytes);
    if (!p) return false;
    if (bytes) memcpy(p, src, bytes);
    *out = p;
    return true;
}

static bool clone_vec(const lc_field *f, const uint8_t *src, uint8_t *dst, lc_arena *arena) {
    lc_vec v = lc_vec_get(src);
    if (f->kind != LC_KIND_vec_table) {
        const void *copy;
        if (!clone_bytes(v.data, (uint64_t)v.n * lc_kind_element((lc_kind)f->kind), arena, &copy)) return false;
        lc_vec_set(dst, copy, v.n);
        return true;
    }
    if (!v.data) return true;
    size_t size = lc_schema_tables[f->sub].size;
    uint8_t *items = lc_arena_array(arena, v.n, size);
    if (!items) return false;
    for (uint32_t i = 0; i < v.n; i++)
        if (!clone_into((lc_table_id)f->sub, (const uint8_t *)v.data + i * size, items + i * size, arena)) return false;
    lc_vec_set(dst, items, v.n);
    return true;
}

/* *value becomes a copy of what it points to; NULL stays, and what the schema does not know becomes NULL. */
static bool clone_table(lc_table_id table, void **value, lc_arena *arena) {
    const void *src = table == LC_TABLE_NONE ? NULL : *value;
    *value = src ? lc_fb_clone(table, src, arena) : NULL;
    return !src || *value;
}

static bool clone_field(const lc_field *f, const uint8_t *src, uint8_t *dst, lc_arena *arena) {
    lc_kind kind = (lc_kind)f->kind;
    if (kind < LC_KIND_str) return true; /* came with the struct */
    if (kind == LC_KIND_str) {
        lc_str s;
        memcpy(&s, src, sizeof s);
        if (s.data && !(s.data = lc_arena_strndup(arena, s.data, s.size))) return false;
        memcpy(dst, &s, sizeof s);
        return true;
    }
    if (kind == LC_KIND_table) {
        void *value;
        memcpy(&value, src, sizeof value);
        if (!clone_table((lc_table_id)f->sub, &value, arena)) return false;
        memcpy(dst, &value, sizeof value);
        return true;
    }
    if (kind == LC_KIND_union) {
        lc_union u;
        memcpy(&u, src, sizeof u);
        if (!clone_table(lc_schema_union_table((lc_union_id)f->sub, u.type), &u.value, arena)) return false;
        memcpy(dst, &u, sizeof u);
        return true;
    }
    return clone_vec(f, src, dst, arena);
}

static bool clone_into(lc_table_id table, const uint8_t *src, uint8_t *dst, lc_arena *arena) {
    const lc_fb_behind *behind = lc_fb_behind_of(table);
    memcpy(dst, src, lc_schema_tables[table].size);
    for (LC_EACH_FIELD(f, table)) {
        if (behind && f->id == behind->vec_id) {
            const void *copy;
            lc_vec v = lc_vec_get(src + f->offset);
            if (!clone_bytes(v.data, lc_fb_behind_length(behind, src), arena, &copy)) return false;
            lc_vec_set(dst + f->offset, copy, v.n);
        } else if (!clone_field(f, src + f->offset, dst + f->offset, arena)) {
            return false;
        }
    }
    return true;
}

void *lc_fb_clone(lc_table_id table, const void *src, lc_arena *arena) {
    uint8_t *copy = lc_arena_alloc(arena, lc_schema_tables[table].size);
    return copy && clone_into(table, (const uint8_t *)src, copy, arena) ? copy : NULL;
}
