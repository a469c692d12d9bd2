/*
 * fb_print.c: structs of tables as text for people and as JSON for programs.
 *
 *   text   padding=SAME stride_w=1 new_shape=[1, 784]      all scalars, and what else is there; long vectors are cut
 *   JSON   {"padding": "SAME", "stride_w": 1}               everything, or without defaults when `brief`
 *
 * Enums appear by name, by number when they have none (and BuiltinOperator, whose names are a layer above). JSON is always
 * valid: strings as base/str.h spells them (in text too), numbers JSON lacks as the strings "NaN", "Infinity", "-Infinity".
 * Bytes that lie behind the flatbuffer are printed like all others; their place in the file is not.
 */
#include "schema/fb_view.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_ELEMENTS = 16 };

/* ---- pieces --------------------------------------------------------------------------------------------------- */

/* The shortest decimal that reads back as the same float; the point is a point in every locale. */
static void add_float(float v, bool json, lc_text *out) {
    if (!isfinite(v)) {
        const char *name = isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity";
        lc_text_printf(out, json ? "\"%s\"" : "%s", name);
        return;
    }
    char text[40];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)v);
        if (strtof(text, NULL) == v) break;
    }
    for (char *p = text; *p; p++)
        if (*p == ',') *p = '.';
    lc_text_add(out, text);
}

static void add_enum(int16_t id, int64_t value, bool json, lc_text *out) {
    const char *name = lc_schema_enum_name((lc_enum_id)id, value);
    if (name) lc_text_printf(out, json ? "\"%s\"" : "%s", name);
    else lc_text_printf(out, "%" PRId64, value);
}

/* One number of a scalar kind at p. `sub`: enum of enum kinds. */
static void add_scalar(lc_kind kind, int16_t sub, const void *p, bool json, lc_text *out) {
    /* clang-format off */
    int8_t i8; int32_t i32; uint32_t u32; int64_t i64; uint64_t u64; float f32;
    switch (kind) {
    case LC_KIND_bool: memcpy(&i8, p, 1); lc_text_add(out, i8 ? "true" : "false"); break;
    case LC_KIND_i8: memcpy(&i8, p, 1); lc_text_printf(out, "%d", i8); break;
    case LC_KIND_enum_i8: memcpy(&i8, p, 1); add_enum(sub, i8, json, out); break;
    case LC_KIND_i32: memcpy(&i32, p, 4); lc_text_printf(out, "%" PRId32, i32); break;
    case LC_KIND_enum_i32: memcpy(&i32, p, 4); add_enum(sub, i32, json, out); break;
    case LC_KIND_u32: memcpy(&u32, p, 4); lc_text_printf(out, "%" PRIu32, u32); break;
    case LC_KIND_enum_u32: memcpy(&u32, p, 4); add_enum(sub, u32, json, out); break;
    case LC_KIND_i64: memcpy(&i64, p, 8); lc_text_printf(out, "%" PRId64, i64); break;
    case LC_KIND_u64: memcpy(&u64, p, 8); lc_text_printf(out, "%" PRIu64, u64); break;
    case LC_KIND_f32: memcpy(&f32, p, 4); add_float(f32, json, out); break;
    default: break;
    }
    /* clang-format on */
}

/* The scalar kind of a vector's elements. Unsigned 8 and 16 bits have no scalar kind of their own: see add_element. */
static lc_kind element_kind(lc_kind kind) {
    switch (kind) {
    case LC_KIND_vec_bool: return LC_KIND_bool;
    case LC_KIND_vec_i32: return LC_KIND_i32;
    case LC_KIND_vec_i64: return LC_KIND_i64;
    case LC_KIND_vec_f32: return LC_KIND_f32;
    case LC_KIND_vec_enum_u32: return LC_KIND_enum_u32;
    default: return LC_KIND_u32;
    }
}

static void add_element(lc_kind kind, int16_t sub, const uint8_t *p, bool json, lc_text *out) {
    uint32_t each = lc_kind_element(kind), small = 0;
    if (kind != LC_KIND_vec_bool && each < 4) {
        memcpy(&small, p, each); /* little-endian host */
        p = (const uint8_t *)&small;
    }
    add_scalar(element_kind(kind), sub, p, json, out);
}

static void add_vector(lc_kind kind, int16_t sub, const uint8_t *data, uint64_t n, bool json, lc_text *out) {
    uint64_t shown = !json && n > TEXT_ELEMENTS ? TEXT_ELEMENTS : n;
    lc_text_add(out, "[");
    for (uint64_t i = 0; i < shown && !out->failed; i++) {
        if (i) lc_text_add(out, ", ");
        add_element(kind, sub, data + i * lc_kind_element(kind), json, out);
    }
    if (shown < n) lc_text_printf(out, ", ... %" PRIu64 " more", n - shown);
    lc_text_add(out, "]");
}

/* ---- fields --------------------------------------------------------------------------------------------------- */

static void add_table(lc_table_id table, const void *value, bool json, bool brief, lc_text *out);

/* Whether there is anything to print; *u: pointer and, for a union, its type. */
static bool something(const lc_field *f, const uint8_t *p, bool brief, lc_union *u) {
    *u = (lc_union){0, NULL};
    if (f->kind < LC_KIND_str) return !brief || !lc_fb_is_default(f, p);
    if (f->kind == LC_KIND_union) memcpy(u, p, sizeof *u);
    else memcpy(&u->value, p, sizeof u->value);
    return u->value != NULL || u->type != 0;
}

static void add_value(lc_table_id table, const lc_field *f, const uint8_t *value, const lc_union *u, bool json, bool brief, lc_text *out) {
    const uint8_t *p = value + f->offset;
    lc_kind kind = (lc_kind)f->kind;
    const lc_fb_behind *behind = lc_fb_behind_of(table);
    if (kind < LC_KIND_str) {
        add_scalar(kind, f->sub, p, json, out);
    } else if (kind == LC_KIND_str) {
        lc_str s;
        memcpy(&s, p, sizeof s);
        lc_text_add_json(out, s.data, s.size);
    } else if (kind == LC_KIND_table) {
        add_table((lc_table_id)f->sub, u->value, json, brief, out);
    } else if (kind == LC_KIND_union) {
        lc_table_id member = lc_schema_union_table((lc_union_id)f->sub, u->type);
        if (member != LC_TABLE_NONE && u->value) add_table(member, u->value, json, brief, out);
        else lc_text_add(out, json ? "null" : "?");
    } else if (kind == LC_KIND_vec_table) {
        lc_vec v = lc_vec_get(p);
        lc_text_add(out, "[");
        for (uint32_t i = 0; i < v.n && !out->failed; i++) {
            if (i) lc_text_add(out, ", ");
            add_table((lc_table_id)f->sub, (const uint8_t *)v.data + (size_t)i * lc_schema_tables[f->sub].size, json, brief, out);
        }
        lc_text_add(out, "]");
    } else {
        lc_vec v = lc_vec_get(p);
        add_vector(kind, f->sub, (const uint8_t *)v.data, behind && f->id == behind->vec_id ? lc_fb_behind_length(behind, value) : v.n,
                   json, out);
    }
}

static void add_fields(lc_table_id table, const uint8_t *value, bool json, bool brief, lc_text *out) {
    const lc_fb_behind *behind = lc_fb_behind_of(table);
    const char *between = "";
    for (LC_EACH_FIELD(f, table)) {
        if (out->failed) break;
        lc_union u;
        if (behind && (f->id == behind->offset_id || f->id == behind->size_id)) continue;
        if (!something(f, value + f->offset, brief, &u)) continue;
        lc_text_add(out, between);
        between = json ? ", " : " ";
        if (f->kind == LC_KIND_union) {
            lc_table_id member = lc_schema_union_table((lc_union_id)f->sub, u.type);
            const char *name = member == LC_TABLE_NONE ? NULL : lc_table_name(member);
            lc_text_printf(out, json ? "\"%s_type\": " : "%s_type=", lc_field_name(f));
            if (name) lc_text_printf(out, json ? "\"%s\"" : "%s", name);
            else lc_text_printf(out, "%u", u.type);
            lc_text_add(out, between);
        }
        lc_text_printf(out, json ? "\"%s\": " : "%s=", lc_field_name(f));
        add_value(table, f, value, &u, json, brief, out);
    }
}

static void add_table(lc_table_id table, const void *value, bool json, bool brief, lc_text *out) {
    lc_text_add(out, "{");
    add_fields(table, (const uint8_t *)value, json, brief, out);
    lc_text_add(out, "}");
}

void lc_fb_print_json(lc_table_id table, const void *value, bool brief, lc_text *out) { add_table(table, value, true, brief, out); }

void lc_fb_print_text(lc_table_id table, const void *value, lc_text *out) { add_fields(table, (const uint8_t *)value, false, false, out); }
