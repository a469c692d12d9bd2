/*
 * schema.h: the .tflite file format as data. tables.def and enums.def list it once; from them come
 *
 *   structs       lc_Tensor, lc_Conv2DOptions ...: what a table looks like in memory (made here)
 *   descriptors   lc_schema_tables[LC_TABLE_Tensor]: fields with name, id, kind, offset, default (schema.c)
 *   one generic   verify (fb_verify.c)  read (fb_read.c)  write (fb_write.c)  print (fb_print.c)
 *
 * In memory a vector is a borrowed pointer with a count, a sub-table a pointer (NULL: absent), a vector of tables an array of
 * structs, a union a type code and a pointer. Vectors and strings read from a file point into that file.
 */
#ifndef LC_SCHEMA_H
#define LC_SCHEMA_H

#include "base/base.h"

/* Lists, a row a line. */
/* clang-format off */

typedef struct lc_vec { const void *data; uint32_t n; } lc_vec; /* any vector, seen without its type */
typedef struct lc_vec_bool { const uint8_t *data; uint32_t n; } lc_vec_bool;
typedef struct lc_vec_u8 { const uint8_t *data; uint32_t n; } lc_vec_u8; /* data NULL: absent; n 0 with data: present, empty */
typedef struct lc_vec_u16 { const uint16_t *data; uint32_t n; } lc_vec_u16;
typedef struct lc_vec_i32 { const int32_t *data; uint32_t n; } lc_vec_i32;
typedef struct lc_vec_u32 { const uint32_t *data; uint32_t n; } lc_vec_u32;
typedef struct lc_vec_i64 { const int64_t *data; uint32_t n; } lc_vec_i64;
typedef struct lc_vec_f32 { const float *data; uint32_t n; } lc_vec_f32;
typedef struct lc_union { uint8_t type; void *value; } lc_union; /* type 0: none; value: struct of the member table */

#define LC_CTYPE_bool(sub) uint8_t
#define LC_CTYPE_i8(sub) int8_t
#define LC_CTYPE_i32(sub) int32_t
#define LC_CTYPE_u32(sub) uint32_t
#define LC_CTYPE_i64(sub) int64_t
#define LC_CTYPE_u64(sub) uint64_t
#define LC_CTYPE_f32(sub) float
#define LC_CTYPE_enum_i8(sub) int8_t
#define LC_CTYPE_enum_i32(sub) int32_t
#define LC_CTYPE_enum_u32(sub) uint32_t
#define LC_CTYPE_str(sub) lc_str
#define LC_CTYPE_table(sub) struct lc_##sub *
#define LC_CTYPE_union(sub) lc_union
#define LC_CTYPE_vec_bool(sub) lc_vec_bool
#define LC_CTYPE_vec_u8(sub) lc_vec_u8
#define LC_CTYPE_vec_u8_a16(sub) lc_vec_u8 /* bytes aligned to 16 in the file */
#define LC_CTYPE_vec_u16(sub) lc_vec_u16
#define LC_CTYPE_vec_i32(sub) lc_vec_i32
#define LC_CTYPE_vec_i64(sub) lc_vec_i64
#define LC_CTYPE_vec_f32(sub) lc_vec_f32
#define LC_CTYPE_vec_enum_u32(sub) lc_vec_u32
#define LC_CTYPE_vec_table(sub) struct { struct lc_##sub *data; uint32_t n; }

typedef enum lc_kind {
    LC_KIND_bool, LC_KIND_i8, LC_KIND_i32, LC_KIND_u32, LC_KIND_i64, LC_KIND_u64, LC_KIND_f32,
    LC_KIND_enum_i8, LC_KIND_enum_i32, LC_KIND_enum_u32,
    LC_KIND_str, LC_KIND_table, LC_KIND_union,
    LC_KIND_vec_bool, LC_KIND_vec_u8, LC_KIND_vec_u8_a16, LC_KIND_vec_u16, LC_KIND_vec_i32, LC_KIND_vec_i64, LC_KIND_vec_f32,
    LC_KIND_vec_enum_u32, LC_KIND_vec_table,
} lc_kind;

/* struct lc_Tensor { uint64_t at; ...fields... };  `at`: byte offset of the table in the file it was read from, else 0. */
#define LC_TABLE(T) typedef struct lc_##T lc_##T;
#define LC_FIELD(T, id, name, kind, sub, def)
#define LC_TABLE_END(T)
#include "schema/tables.def"

#define LC_TABLE(T) struct lc_##T { uint64_t at;
#define LC_FIELD(T, id, name, kind, sub, def) LC_CTYPE_##kind(sub) name;
#define LC_TABLE_END(T) };
#include "schema/tables.def"

/* LC_TABLE_Model, LC_TABLE_SubGraph ... : index into lc_schema_tables */
typedef enum lc_table_id {
#define LC_TABLE(T) LC_TABLE_##T,
#define LC_FIELD(T, id, name, kind, sub, def)
#define LC_TABLE_END(T)
#include "schema/tables.def"
    LC_TABLE_COUNT,
    LC_TABLE_NONE = -1
} lc_table_id;

/* LC_Padding_SAME, LC_ActivationFunctionType_RELU6 ... and LC_BuiltinOptions_Conv2DOptions = 1 ... */
#define LC_ENUM(E, base) enum {
#define LC_ENUM_VALUE(E, name, value) LC_##E##_##name = value,
#define LC_ENUM_END(E) };
#define LC_UNION(U) enum { LC_##U##_NONE = 0,
#define LC_UNION_MEMBER(U, T, code) LC_##U##_##T = code,
#define LC_UNION_END(U) };
#include "schema/enums.def"

/* LC_ENUM_ID_Padding ... then LC_UNION_ID_BuiltinOptions ... : index into lc_schema_enums / lc_schema_unions */
typedef enum lc_enum_id {
    LC_ENUM_ID_BuiltinOperator,
#define LC_ENUM(E, base) LC_ENUM_ID_##E,
#define LC_ENUM_VALUE(E, name, value)
#define LC_ENUM_END(E)
#define LC_UNION(U)
#define LC_UNION_MEMBER(U, T, code)
#define LC_UNION_END(U)
#include "schema/enums.def"
    LC_ENUM_ID_COUNT
} lc_enum_id;
typedef enum lc_union_id {
#define LC_ENUM(E, base)
#define LC_ENUM_VALUE(E, name, value)
#define LC_ENUM_END(E)
#define LC_UNION(U) LC_UNION_ID_##U,
#define LC_UNION_MEMBER(U, T, code)
#define LC_UNION_END(U)
#include "schema/enums.def"
    LC_UNION_ID_COUNT
} lc_union_id;

/* clang-format on */

/* Descriptors hold numbers, no pointers: these would be as large as the rest, and relocated at every start of a program. */
typedef struct lc_field {
    uint16_t name;   /* lc_field_name */
    uint16_t offset; /* in the struct */
    uint8_t kind;    /* lc_kind */
    uint8_t id;      /* vtable position; of the value for a union */
    int16_t sub;     /* lc_table_id, lc_enum_id or lc_union_id; -1: none */
    int16_t def;     /* default of a scalar (float fields: all defaults are 0) */
} lc_field;

typedef struct lc_table_desc {
    uint16_t name;  /* lc_table_name */
    uint16_t first; /* field: lc_table_fields */
    uint16_t field_count;
    uint16_t size; /* of the struct */
} lc_table_desc;

typedef struct lc_union_desc {
    const char *name;
    const int16_t *tables; /* [code] -> lc_table_id; [0] is LC_TABLE_NONE */
    uint8_t count;         /* codes, NONE included */
} lc_union_desc;

extern const lc_table_desc lc_schema_tables[LC_TABLE_COUNT];
extern const lc_field lc_schema_fields[];
extern const lc_union_desc lc_schema_unions[LC_UNION_ID_COUNT];
/* "Tensor", "shape" */
const char *lc_table_name(lc_table_id table);
const char *lc_field_name(const lc_field *f);
/* The field_count fields of a table. */
static inline const lc_field *lc_table_fields(lc_table_id table) { return lc_schema_fields + lc_schema_tables[table].first; }
/* for (each field f of a table) */
#define LC_EACH_FIELD(f, table) \
    const lc_field *f = lc_table_fields(table), *f##_end = f + lc_schema_tables[table].field_count; \
    f < f##_end; \
    f++
/* "SAME" for (LC_ENUM_ID_Padding, 0); NULL for a number the enum does not have. (Not for BuiltinOperator: ops/op.h.) */
const char *lc_schema_enum_name(lc_enum_id id, int64_t value);
/* Member table of a union's code; LC_TABLE_NONE for NONE and for a code the union does not have. */
lc_table_id lc_schema_union_table(lc_union_id id, uint8_t code);
/* Code of a table in a union; 0 (NONE) when it is no member. */
uint8_t lc_schema_union_code(lc_union_id id, lc_table_id table);
/* Fills a struct with its table's defaults: what a file says that mentions no field. */
void lc_schema_init(lc_table_id table, void *value);

/* ---- the generic operations -------------------------------------------------------------------------------- */

/*
 * Bytes behind the flatbuffer (files over 2 GB): Buffer.data and Operator.custom_options may lie there, found by
 * Buffer.offset/size and Operator.large_custom_options_offset/size. In the structs:
 *
 *   data.data set, offset <= 1   the bytes lie in the flatbuffer: data.n of them (offset and size are read as 0)
 *   data.data set, offset  > 1   they lie behind: `size` of them at data.data (data.n is min(size, UINT32_MAX)). lc_fb_read
 *                                points data.data into the file; for lc_fb_write any offset > 1 means "put it behind"
 *   data.data NULL               none; offset and size are 0, or 1 as LiteRT leaves them for a buffer without data
 *
 * A union whose type code is not in the schema (a newer file) is read as { type, NULL }; lc_fb_write refuses it.
 */
static inline uint64_t lc_buffer_size(const lc_Buffer *b) { return !b->data.data ? 0 : b->offset > 1 ? b->size : b->data.n; }
static inline uint64_t lc_custom_options_size(const lc_Operator *o) {
    return !o->custom_options.data ? 0 : o->large_custom_options_offset > 1 ? o->large_custom_options_size : o->custom_options.n;
}

/* Checks the structure of a whole flatbuffer with identifier "TFL3": offsets, vtables, alignment, vector lengths, string
 * ends, union types, depth and number of tables (budget). After this fb_read cannot fail but for memory. */
lc_status lc_fb_verify(const void *data, size_t size, lc_budget *budget, lc_error *err);
/* Reads a verified file into structs in `arena`; vectors and strings borrow `data`. */
lc_status lc_fb_read(const void *data, size_t size, lc_arena *arena, lc_Model **model, lc_error *err);

/* Where the bytes of a flatbuffer go: appended in order. */
typedef struct lc_sink {
    lc_status (*write)(void *user, const void *data, size_t size, lc_error *err);
    void *user;
    /* How the bytes of a Buffer that stand outside the structure are written; NULL: as all others. Lets a caller make them at
     * the last moment: Buffer.data.data is then whatever this function understands. */
    lc_status (*write_buffer)(void *user, const void *data, size_t size, lc_error *err);
} lc_sink;
/* Writes the structs as a flatbuffer. Buffer data is not copied: it goes from where it lies to the sink, after the tables,
 * each aligned to 16. When all of it would pass 2 GiB, buffers are placed behind the flatbuffer (Buffer.offset/size).
 * Scalars equal to their default are left out; equal vtables are shared; bytes are deterministic. *size (may be NULL)
 * receives the bytes written. */
lc_status lc_fb_write(const lc_Model *model, const lc_sink *sink, uint64_t *size, lc_error *err);
/* As lc_fb_write with another limit than 2 GiB for the flatbuffer part: lets a test see the layout of huge files. */
lc_status lc_fb_write_within(const lc_Model *model, const lc_sink *sink, uint64_t limit, uint64_t *size, lc_error *err);
/* Compares two structs of a table by value. */
bool lc_fb_equal(lc_table_id table, const void *a, const void *b);
/* Deep copy into an arena (vectors and strings too). NULL when memory is out. */
void *lc_fb_clone(lc_table_id table, const void *src, lc_arena *arena);
/* Adds the fields of a struct as JSON (an object), enums by name; fields at their default are left out when `brief`. */
void lc_fb_print_json(lc_table_id table, const void *value, bool brief, lc_text *out);
/* Adds the fields as text: "padding=SAME stride_w=1". */
void lc_fb_print_text(lc_table_id table, const void *value, lc_text *out);

#endif
