/*
 * fill.h: structs of the .tflite schema with every field set to something other than its default, made from the descriptors,
 * and writing flatbuffers into memory. For tests of src/schema.
 *
 * Unions take another member with every `pick`, so that over enough picks every table of the schema occurs. (The one deep
 * structure the schema has, Model, therefore holds all of them.)
 */
#ifndef TESTS_SUPPORT_FILL_H
#define TESTS_SUPPORT_FILL_H

#include "schema/schema.h"

#include <stdio.h>
#include <string.h>

typedef struct filler {
    lc_arena *arena;
    uint32_t pick;  /* which union members */
    uint32_t count; /* numbers used so far: every value differs from the one before */
    bool seen[LC_TABLE_COUNT];
} filler;

static inline void fill_table(filler *f, lc_table_id table, void *value);

static inline uint32_t fill_element_size(lc_kind kind) {
    switch (kind) {
    case LC_KIND_vec_bool:
    case LC_KIND_vec_u8:
    case LC_KIND_vec_u8_a16: return 1;
    case LC_KIND_vec_u16: return 2;
    case LC_KIND_vec_i64: return 8;
    default: return 4;
    }
}

static inline void fill_vec(filler *f, lc_kind kind, int16_t sub, void *field) {
    uint32_t n = 1 + f->count % 5, each = kind == LC_KIND_vec_table ? lc_schema_tables[sub].size : fill_element_size(kind);
    uint8_t *data = (uint8_t *)lc_arena_array(f->arena, n, each);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *p = data + (size_t)i * each;
        f->count++;
        if (kind == LC_KIND_vec_table) fill_table(f, (lc_table_id)sub, p);
        else if (kind == LC_KIND_vec_bool) p[0] = i % 2 == 0;
        else
            for (uint32_t k = 0; k < each; k++) p[k] = (uint8_t)(f->count * 7 + k);
    }
    lc_vec v = {data, n};
    memcpy(field, &v, sizeof v);
}

/* A scalar that is not the default: small, and the default plus something. */
static inline void fill_scalar(filler *f, const lc_field *d, void *field) {
    int64_t v = d->def + 1 + f->count % 100;
    int8_t i8 = (int8_t)v;
    int32_t i32 = (int32_t)v;
    float f32 = 0.1f * (float)v;
    switch ((lc_kind)d->kind) {
    case LC_KIND_bool:
        i8 = (int8_t)!d->def;
        memcpy(field, &i8, 1);
        break;
    case LC_KIND_i8:
    case LC_KIND_enum_i8: memcpy(field, &i8, 1); break;
    case LC_KIND_i64:
    case LC_KIND_u64:
        v = (int64_t)((uint64_t)v << 33);
        memcpy(field, &v, 8);
        break;
    case LC_KIND_f32: memcpy(field, &f32, 4); break;
    default: memcpy(field, &i32, 4); break;
    }
}

static inline void fill_field(filler *f, const lc_field *d, void *field) {
    f->count++;
    if (d->kind < LC_KIND_str) {
        fill_scalar(f, d, field);
    } else if (d->kind == LC_KIND_str) {
        char *text = lc_arena_printf(f->arena, "%s %u", lc_field_name(d), f->count);
        lc_str s = {text, strlen(text)};
        memcpy(field, &s, sizeof s);
    } else if (d->kind == LC_KIND_table) {
        void *sub = lc_arena_alloc(f->arena, lc_schema_tables[d->sub].size);
        fill_table(f, (lc_table_id)d->sub, sub);
        memcpy(field, &sub, sizeof sub);
    } else if (d->kind == LC_KIND_union) {
        lc_union u = {(uint8_t)(1 + (f->pick + f->count) % (lc_schema_unions[d->sub].count - 1u)), NULL};
        lc_table_id member = lc_schema_union_table((lc_union_id)d->sub, u.type);
        u.value = lc_arena_alloc(f->arena, lc_schema_tables[member].size);
        fill_table(f, member, u.value);
        memcpy(field, &u, sizeof u);
    } else {
        fill_vec(f, (lc_kind)d->kind, d->sub, field);
    }
}

static inline void fill_table(filler *f, lc_table_id table, void *value) {
    f->seen[table] = true;
    for (LC_EACH_FIELD(d, table)) fill_field(f, d, (uint8_t *)value + d->offset);
    /* Bytes are in the flatbuffer here; tests that want them behind say so. */
    if (table == LC_TABLE_Buffer) ((lc_Buffer *)value)->offset = ((lc_Buffer *)value)->size = 0;
    if (table == LC_TABLE_Operator)
        ((lc_Operator *)value)->large_custom_options_offset = ((lc_Operator *)value)->large_custom_options_size = 0;
}

/* A complete model. */
static inline lc_Model *fill_model(filler *f) {
    lc_Model *m = (lc_Model *)lc_arena_alloc(f->arena, sizeof *m);
    fill_table(f, LC_TABLE_Model, m);
    return m;
}

/* ---- memory sink ---- */

typedef struct fill_bytes {
    uint8_t *data;
    size_t size, capacity;
} fill_bytes;

static inline lc_status fill_sink(void *user, const void *data, size_t size, lc_error *err) {
    fill_bytes *b = (fill_bytes *)user;
    if (b->size + size > b->capacity) {
        uint8_t *p = (uint8_t *)lc_realloc(b->data, (b->size + size) * 2);
        if (!p) return lc_fail_memory(err, "test sink");
        b->data = p;
        b->capacity = (b->size + size) * 2;
    }
    if (size) memcpy(b->data + b->size, data, size);
    b->size += size;
    return LC_OK;
}

/* Whole file in memory; lc_free(b->data). limit 0: 2 GiB. */
static inline lc_status fill_write(const lc_Model *m, uint64_t limit, fill_bytes *b, lc_error *err) {
    lc_sink sink = {.write = fill_sink, .user = b};
    uint64_t size;
    lc_status s = limit ? lc_fb_write_within(m, &sink, limit, &size, err) : lc_fb_write(m, &sink, &size, err);
    if (s == LC_OK && size != b->size) return lc_fail(err, LC_INVALID, "said %llu bytes, wrote %zu", (unsigned long long)size, b->size);
    return s;
}

#endif
