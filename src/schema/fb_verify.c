/*
 * fb_verify.c: proves the structure of a .tflite file before anything of it is used.
 *
 * A walk over every table the schema can reach, with the bounds of fb_view.c at each step. After it, each reference leads
 * to something whole, each string ends, each union knows what it holds. What the numbers mean (indices, shapes, enum values)
 * is not asked here but by runtime/tflite_check.c.
 *
 * Tables may be shared in a flatbuffer, so a small file can unfold to more tables than there are atoms: every visit is
 * charged to the budget, and so is the memory fb_read will need for it. The schema has no table that contains itself; depth
 * is limited all the same, so that a later schema cannot make this recursion unbounded.
 *
 * Accepted and passed over: fields the schema does not know, unions whose type it does not know (their offset must still
 * lie in the file), bool bytes other than 0 and 1.
 */
#include "schema/fb_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where the walk is, for messages: Model.subgraphs[0].tensors[3].name. One frame a level, on the stack. */
typedef struct frame {
    const struct frame *up;
    const char *name;
    int64_t index; /* -1: not an element */
} frame;

typedef struct walk {
    lc_fb_bytes bytes;
    lc_budget *budget;
    lc_error *err;
} walk;

static void path_of(const frame *f, char *out, size_t size) {
    const frame *frames[16];
    size_t n = 0, used = 0;
    for (; f && n < 16; f = f->up) frames[n++] = f;
    out[0] = 0;
    while (n-- > 0 && used < size) {
        int k = frames[n]->index < 0
                    ? snprintf(out + used, size - used, "%s%s", used ? "." : "", frames[n]->name)
                    : snprintf(out + used, size - used, "%s%s[%" PRId64 "]", used ? "." : "", frames[n]->name, frames[n]->index);
        used += k > 0 ? (size_t)k : 0;
    }
}

/* Reports the rule that bytes.rule names. */
static lc_status broken(walk *w, const frame *f) {
    char path[256];
    path_of(f, path, sizeof path);
    const lc_fb_bytes *b = &w->bytes;
    lc_fail_rule(w->err, LC_INVALID, lc_fb_rule_id(b->rule), b->where, "%s: %s (found %" PRIu64 " at byte %" PRIu64 ")", path,
                 lc_fb_rule_text(b->rule), b->found, b->where);
    lc_error_hint(w->err, b->rule == LC_FB_IDENT || b->rule == LC_FB_SIZE
                              ? "this is not a .tflite file; check that it was downloaded whole and is not another format"
                              : "the file is damaged or cut short: get it again from where it came from");
    return LC_INVALID;
}

/* Turns a limit of the budget into the rule's error. */
static lc_status limited(walk *w, const frame *f, lc_status status, lc_fb_rule rule, uint64_t at) {
    if (status == LC_OK || !w->err) return status;
    char path[256];
    path_of(f, path, sizeof path);
    lc_error_prefix(w->err, "%s", path);
    snprintf(w->err->rule, sizeof w->err->rule, "%s", lc_fb_rule_id(rule));
    w->err->offset = at;
    return status;
}

static lc_status charge(walk *w, const frame *f, uint64_t count, uint64_t each, uint64_t at) {
    uint64_t bytes = UINT64_MAX;
    if (!lc_mul_u64(count, each, &bytes)) bytes = UINT64_MAX;
    return limited(w, f, lc_budget_memory(w->budget, bytes, "the flatbuffer", w->err), LC_FB_MEMORY, at);
}

static lc_status verify_table(walk *w, lc_table_id table, uint64_t at, uint32_t depth, const frame *f);

static lc_status verify_tables(walk *w, lc_table_id table, lc_fb_span span, uint32_t depth, const frame *f) {
    frame element = *f;
    for (uint32_t i = 0; i < span.n; i++) {
        uint64_t at, target;
        element.index = i;
        if (!lc_fb_element_at(&w->bytes, span, i, &at) || !lc_fb_follow(&w->bytes, at, &target)) return broken(w, &element);
        LC_TRY(verify_table(w, table, target, depth, &element));
    }
    return LC_OK;
}

/* The type of a union is the field before its value. */
static lc_status verify_union(walk *w, const lc_fb_table *t, const lc_field *field, uint32_t depth, const frame *f) {
    uint64_t type_at, at, code = 0, target;
    if (!lc_fb_field_at(&w->bytes, t, (uint16_t)(field->id - 1), 1, &type_at) || !lc_fb_field_at(&w->bytes, t, field->id, 4, &at))
        return broken(w, f);
    if (type_at && !lc_fb_number(&w->bytes, type_at, 1, &code)) return broken(w, f);
    if ((code != 0) != (at != 0)) {
        lc_fb_broken(&w->bytes, LC_FB_UNION, at ? at : type_at, code);
        return broken(w, f);
    }
    if (!at) return LC_OK;
    if (!lc_fb_follow(&w->bytes, at, &target)) return broken(w, f);
    lc_table_id member = lc_schema_union_table((lc_union_id)field->sub, (uint8_t)code);
    return member == LC_TABLE_NONE ? LC_OK : verify_table(w, member, target, depth, f);
}

static lc_status verify_field(walk *w, lc_table_id table, const lc_fb_table *t, const lc_field *field, uint32_t depth, const frame *f) {
    lc_kind kind = (lc_kind)field->kind;
    if (kind == LC_KIND_union) return verify_union(w, t, field, depth, f);
    uint64_t at, target;
    lc_fb_span span;
    if (!lc_fb_field_at(&w->bytes, t, field->id, lc_kind_bytes(kind), &at)) return broken(w, f);
    if (!at || kind < LC_KIND_str) return LC_OK;
    if (!lc_fb_follow(&w->bytes, at, &target)) return broken(w, f);
    if (kind == LC_KIND_table) return verify_table(w, (lc_table_id)field->sub, target, depth, f);
    if (kind == LC_KIND_str) {
        if (!lc_fb_string_at(&w->bytes, target, &span)) return broken(w, f);
        return charge(w, f, span.n, 1, target);
    }
    if (!lc_fb_vector_at(&w->bytes, target, lc_kind_element(kind), &span)) return broken(w, f);
    if (kind == LC_KIND_vec_table) return verify_tables(w, (lc_table_id)field->sub, span, depth, f);
    /* Weights stay in the file whatever happens; every other vector may be copied by a reader or a rewrite. */
    return table == LC_TABLE_Buffer ? LC_OK : charge(w, f, span.n, lc_kind_element(kind), target);
}

/* Bytes behind the flatbuffer: named by offset and size when the vector is absent. */
static lc_status verify_behind(walk *w, const lc_fb_behind *behind, const lc_fb_table *t, const frame *f) {
    uint64_t vec, offset_at, size_at, offset = 0, size = 0;
    lc_fb_bytes *b = &w->bytes;
    if (!lc_fb_field_at(b, t, behind->vec_id, 4, &vec) || !lc_fb_field_at(b, t, behind->offset_id, 8, &offset_at) ||
        !lc_fb_field_at(b, t, behind->size_id, 8, &size_at) || (offset_at && !lc_fb_number(b, offset_at, 8, &offset)) ||
        (size_at && !lc_fb_number(b, size_at, 8, &size)))
        return broken(w, f);
    if (vec || offset <= 1) return LC_OK;
    if (lc_cursor_window(&b->all, offset, size).failed) {
        lc_fb_broken(b, LC_FB_BEHIND, offset_at, offset);
        return broken(w, f);
    }
    return LC_OK;
}

static lc_status verify_table(walk *w, lc_table_id table, uint64_t at, uint32_t depth, const frame *f) {
    const lc_table_desc *desc = &lc_schema_tables[table];
    lc_fb_table t;
    if (depth == 0) {
        lc_fb_broken(&w->bytes, LC_FB_DEPTH, at, w->budget->limits.max_depth);
        broken(w, f);
        lc_error_hint(w->err, "if the file is what it should be, raise lc_limits.max_depth");
        if (w->err) w->err->status = LC_LIMIT;
        return LC_LIMIT;
    }
    LC_TRY(limited(w, f, lc_budget_tables(w->budget, 1, "the flatbuffer", w->err), LC_FB_TABLES, at));
    LC_TRY(charge(w, f, 1, desc->size, at));
    if (!lc_fb_table_at(&w->bytes, at, &t)) return broken(w, f);
    for (LC_EACH_FIELD(field, table)) {
        frame child = {f, lc_field_name(field), -1};
        LC_TRY(verify_field(w, table, &t, field, depth - 1, &child));
    }
    const lc_fb_behind *behind = lc_fb_behind_of(table);
    return behind ? verify_behind(w, behind, &t, f) : LC_OK;
}

lc_status lc_fb_verify(const void *data, size_t size, lc_budget *budget, lc_error *err) {
    walk w = {lc_fb_bytes_make(data, size), budget, err};
    const frame root = {NULL, lc_table_name(LC_TABLE_Model), -1};
    uint64_t at;
    if (!lc_fb_root(&w.bytes, &at)) return broken(&w, &root);
    return verify_table(&w, LC_TABLE_Model, at, budget->limits.max_depth, &root);
}
