/*
 * case.h: one operator case: operator, options, inputs, expected outputs. They come from tests/data/ops/<family>.case, made by LiteRT
 * (tests/oracle/make_op_cases.py, which states the format), or from a line of text in a test:
 *
 *     case_parse(&c, "CONV_2D", "padding=1 stride_w=1 stride_h=1", "f32[1,4,?,2] f32[3,1,1,2] -")
 *
 * Tensors are type[dims] with an optional ={constants}; "?" is an open dimension, "-" an absent input. Options are set by the field
 * names of the schema, so a case can reach every field of every options table.
 */
#ifndef TESTS_OPS_CASE_H
#define TESTS_OPS_CASE_H

#include "kernels/kernel.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASE_TENSORS 48

typedef struct case_tensor {
    bool present, constant;
    lc_dtype type;
    lc_shape shape;
    uint8_t *data; /* in the case's arena; NULL: no constant given */
    size_t size;
} case_tensor;

typedef struct op_case {
    char name[64];
    int32_t op;
    float tolerance;
    lc_node node;
    case_tensor in[CASE_TENSORS], out[CASE_TENSORS];
    uint32_t in_count, out_count;
} op_case;

static inline int32_t case_op(const char *name) {
    for (int32_t i = 0; i < LC_OP_COUNT; i++)
        if (!strcmp(lc_op_name(i), name)) return i;
    fail_msg("no operator %s", name);
    return -1;
}

static inline void *case_alloc(lc_arena *arena, size_t size) {
    void *p = lc_arena_data(arena, size ? size : 1);
    assert_non_null(p);
    return p;
}

/* Gives the node an options struct with the schema's defaults. */
static inline void case_options(op_case *c, lc_arena *arena) {
    lc_table_id table = lc_op_get(c->op)->options;
    c->node.op = c->op;
    c->node.attrs_table = table;
    if (table == LC_TABLE_NONE) return;
    const size_t size = lc_schema_tables[table].size;
    c->node.attrs = case_alloc(arena, size);
    memset(c->node.attrs, 0, size);
    for (LC_EACH_FIELD(f, table)) {
        char *at = (char *)c->node.attrs + f->offset;
        switch (f->kind) {
        case LC_KIND_bool:
        case LC_KIND_i8:
        case LC_KIND_enum_i8: *(int8_t *)at = (int8_t)f->def; break;
        case LC_KIND_i32:
        case LC_KIND_u32:
        case LC_KIND_enum_i32:
        case LC_KIND_enum_u32: *(int32_t *)at = (int32_t)f->def; break;
        case LC_KIND_i64: *(int64_t *)at = f->def; break;
        default: break;
        }
    }
}

static inline void case_set(op_case *c, lc_arena *arena, const char *field, const int32_t *values, uint32_t n, float real) {
    if (c->node.attrs_table == LC_TABLE_NONE) fail_msg("%s: has no options", c->name);
    for (LC_EACH_FIELD(f, c->node.attrs_table)) {
        if (strcmp(lc_field_name(f), field)) continue;
        char *at = (char *)c->node.attrs + f->offset;
        switch (f->kind) {
        case LC_KIND_bool:
        case LC_KIND_i8:
        case LC_KIND_enum_i8: *(int8_t *)at = (int8_t)values[0]; return;
        case LC_KIND_i32:
        case LC_KIND_u32:
        case LC_KIND_enum_i32:
        case LC_KIND_enum_u32: *(int32_t *)at = values[0]; return;
        case LC_KIND_i64: *(int64_t *)at = values[0]; return;
        case LC_KIND_f32: *(float *)at = real; return;
        case LC_KIND_vec_i32: {
            int32_t *v = case_alloc(arena, n * 4);
            memcpy(v, values, n * 4);
            ((lc_vec_i32 *)at)->data = v;
            ((lc_vec_i32 *)at)->n = n;
            return;
        }
        default: fail_msg("%s: field %s has a kind no case sets", c->name, field);
        }
    }
    fail_msg("%s: %s has no option %s", c->name, lc_op_name(c->op), field);
}

/* ---- from a line of text ------------------------------------------------------------------------------------------ */

static inline const char *case_parse_tensor(const char *s, case_tensor *t, lc_arena *arena) {
    static const struct {
        const char *name;
        lc_dtype type;
    } types[] = {{"f32", LC_FLOAT32}, {"i32", LC_INT32}, {"i64", LC_INT64},  {"u8", LC_UINT8},  {"i8", LC_INT8},      {"bool", LC_BOOL},
                 {"f16", LC_FLOAT16}, {"i4", LC_INT4},   {"str", LC_STRING}, {"i16", LC_INT16}, {"c64", LC_COMPLEX64}};
    *t = (case_tensor){.present = true};
    size_t k = 0, length = strcspn(s, "[");
    while (k < sizeof types / sizeof *types && (strlen(types[k].name) != length || strncmp(types[k].name, s, length))) k++;
    if (k == sizeof types / sizeof *types) fail_msg("no type at '%s'", s);
    t->type = types[k].type;
    s += length + 1;
    while (*s != ']') {
        char *end = NULL;
        int32_t d = *s == '?' ? -1 : (int32_t)strtol(s, &end, 10);
        if (t->shape.rank < LC_MAX_RANK) t->shape.dims[t->shape.rank] = d;
        t->shape.rank++;
        s = *s == '?' ? s + 1 : end;
        if (*s == ',') s++;
    }
    s++;
    if (*s != '=') return s;
    s += 2;
    t->constant = true;
    t->data = case_alloc(arena, 64 * 8);
    size_t width = lc_dtype_bits(t->type) / 8;
    while (*s != '}') {
        char *end;
        long long v = strtoll(s, &end, 10);
        float f = (float)v;
        if (t->type == LC_FLOAT32) memcpy(t->data + t->size, &f, 4);
        else memcpy(t->data + t->size, &v, width);
        t->size += width;
        s = *end == ',' ? end + 1 : end;
    }
    return s + 1;
}

static inline uint32_t case_parse_tensors(const char *s, case_tensor *t, lc_arena *arena) {
    uint32_t n = 0;
    while (*s) {
        if (*s == ' ') {
            s++;
        } else if (*s == '-') {
            t[n++] = (case_tensor){0};
            s++;
        } else {
            s = case_parse_tensor(s, &t[n++], arena);
        }
        assert_true(n < CASE_TENSORS);
    }
    return n;
}

static inline void case_parse(op_case *c, lc_arena *arena, const char *op, const char *options, const char *inputs) {
    memset(c, 0, sizeof *c);
    snprintf(c->name, sizeof c->name, "%s", op);
    c->op = case_op(op);
    case_options(c, arena);
    if (!strcmp(options, "none")) {
        c->node.attrs = NULL;
        c->node.attrs_table = LC_TABLE_NONE;
        options = "";
    }
    while (*options) {
        char field[64];
        int32_t values[16];
        uint32_t n = 0;
        size_t length = strcspn(options, "=");
        snprintf(field, sizeof field, "%.*s", (int)length, options);
        options += length + 1;
        float real = strtof(options, NULL);
        while (*options && *options != ' ') {
            char *end;
            values[n++] = (int32_t)strtol(options, &end, 10);
            if (*end == '.') end += strcspn(end, ", ");
            options = *end == ',' ? end + 1 : end;
        }
        case_set(c, arena, field, values, n, real);
        while (*options == ' ') options++;
    }
    c->in_count = case_parse_tensors(inputs, c->in, arena);
}

/* ---- from a file --------------------------------------------------------------------------------------------------- */

static inline void case_read_str(lc_cursor *f, char *out, size_t size) {
    uint16_t n = lc_read_u16(f);
    const uint8_t *p = lc_read_bytes(f, n);
    assert_non_null(p);
    assert_true(n < size);
    memcpy(out, p, n);
    out[n] = 0;
}

static inline void case_read_tensor(lc_cursor *f, case_tensor *t, lc_arena *arena) {
    uint8_t present = lc_read_u8(f);
    t->present = present != 0;
    t->constant = present == 2;
    t->type = (lc_dtype)lc_read_u8(f);
    t->shape.rank = lc_read_u8(f);
    assert_true(t->shape.rank <= LC_MAX_RANK);
    for (int32_t i = 0; i < t->shape.rank; i++) t->shape.dims[i] = (int32_t)lc_read_u32(f);
    uint64_t n, bytes = 0;
    if (!t->present) return;
    assert_true(lc_shape_elements(&t->shape, &n) && lc_dtype_bytes(t->type, n, &bytes));
    t->size = (size_t)bytes;
    t->data = case_alloc(arena, t->size);
    const uint8_t *p = lc_read_bytes(f, bytes);
    assert_non_null(p);
    if (bytes) memcpy(t->data, p, t->size);
}

static inline void case_read(lc_cursor *f, op_case *c, lc_arena *arena) {
    char text[64];
    memset(c, 0, sizeof *c);
    case_read_str(f, c->name, sizeof c->name);
    case_read_str(f, text, sizeof text);
    c->op = case_op(text);
    case_options(c, arena);
    uint32_t bits = lc_read_u32(f), fields = lc_read_u32(f);
    memcpy(&c->tolerance, &bits, 4);
    for (uint32_t i = 0; i < fields; i++) {
        case_read_str(f, text, sizeof text);
        uint8_t kind = lc_read_u8(f);
        uint32_t n = lc_read_u32(f);
        int32_t values[32] = {0};
        float real = 0;
        assert_true(n <= 32);
        for (uint32_t k = 0; k < n; k++) values[k] = (int32_t)lc_read_u32(f);
        if (kind == 1) memcpy(&real, values, 4);
        if (c->node.attrs_table != LC_TABLE_NONE) case_set(c, arena, text, values, n, real);
    }
    c->in_count = lc_read_u32(f);
    assert_true(c->in_count <= CASE_TENSORS);
    for (uint32_t i = 0; i < c->in_count; i++) case_read_tensor(f, &c->in[i], arena);
    c->out_count = lc_read_u32(f);
    assert_true(c->out_count <= CASE_TENSORS);
    for (uint32_t i = 0; i < c->out_count; i++) case_read_tensor(f, &c->out[i], arena);
    assert_false(f->failed);
}

/* Calls each(case, arena) for every case of every file. */
static inline uint32_t case_for_all(void (*each)(op_case *c, lc_arena *arena)) {
    static const char *const files[] = {"activation",      "binary", "cast",    "compare", "concat",    "conv", "depthwise",
                                        "fully_connected", "gather", "image",   "matmul",  "pad",       "pool", "reduce",
                                        "reshape",         "slices", "softmax", "tile",    "transpose", "unary"};
    uint32_t total = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[512];
        lc_map map;
        lc_error err;
        snprintf(path, sizeof path, "%s/data/ops/%s.case", LC_TEST_DIR, files[i]);
        if (lc_map_open(&map, path, NULL, &err) != LC_OK) fail_msg("%s", err.message);
        lc_cursor f = lc_cursor_make(map.data, map.size);
        assert_memory_equal(lc_read_bytes(&f, 8), "LCOPS2\0\0", 8);
        uint32_t n = lc_read_u32(&f);
        for (uint32_t k = 0; k < n; k++, total++) {
            lc_arena arena = {0};
            op_case *c = case_alloc(&arena, sizeof *c);
            case_read(&f, c, &arena);
            each(c, &arena);
            lc_arena_deinit(&arena);
        }
        assert_int_equal(lc_cursor_left(&f), 0);
        lc_map_close(&map);
    }
    return total;
}

/* ---- as the library's structures ------------------------------------------------------------------------------------- */

static inline void case_infer_tensors(const case_tensor *t, uint32_t n, lc_infer_tensor *to) {
    for (uint32_t i = 0; i < n; i++)
        to[i] = (lc_infer_tensor){.present = t[i].present,
                                  .type = t[i].type,
                                  .shape = t[i].shape,
                                  .data = t[i].constant ? t[i].data : NULL,
                                  .size = t[i].constant ? t[i].size : 0};
}

/* Infers the case's node; out has the declared types. */
static inline lc_status case_infer(op_case *c, lc_infer_tensor *out, lc_error *err) {
    lc_infer_tensor in[CASE_TENSORS];
    case_infer_tensors(c->in, c->in_count, in);
    case_infer_tensors(c->out, c->out_count, out);
    for (uint32_t i = 0; i < c->out_count; i++) {
        out[i].present = true;
        out[i].shape = (lc_shape){0};
        out[i].data = NULL;
    }
    lc_infer_ctx ctx = {&c->node, in, c->in_count, out, c->out_count, err};
    return lc_op_infer(&ctx);
}

#endif
