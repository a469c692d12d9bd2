/*
 * proto.h: the protocol buffers that TensorFlow writes, as C structs, from one list (messages.def) and one generic reader, writer and
 * printer over it. Only what litec uses is in the list; other fields of a binary message are skipped, in text they are skipped too when
 * they are well formed.
 *
 *   wire bytes ──lc_pb_read──▶ struct lc_pb_GraphDef ◀──lc_pb_read_text── text
 *                                     │
 *              lc_pb_write ◀──────────┴──────────▶ lc_pb_print
 *
 * Strings and bytes of a binary message are borrowed from it: a tensor_content of 400 MB is a pointer into the mapped file. Everything
 * else lies in an arena. Declared sizes are charged to a budget, nesting has a limit. Encoding: protobuf.dev/programming-guides/encoding.
 */
#ifndef LC_PROTO_H
#define LC_PROTO_H

#include "base/base.h"

/* The structs. A row LC_PB_ONE(M, 2, op, string) makes `lc_str op`, LC_PB_MANY(M, 3, input, string) makes `lc_pb_strings input` with
 * .data and .n; LC_PB_ONE_MESSAGE(M, 1, shape, TensorShapeProto) a pointer that is NULL when absent, LC_PB_MANY_MESSAGE(M, 1, node,
 * NodeDef) a `struct { lc_pb_NodeDef *data; uint32_t n; }`. A map is MANY_MESSAGE of its entries {key, value}. */
/* clang-format off */
typedef struct lc_pb_strings { lc_str *data; uint32_t n; } lc_pb_strings; /* also bytes */
typedef struct lc_pb_int64s { int64_t *data; uint32_t n; } lc_pb_int64s; /* also uint64 and fixed64 */
typedef struct lc_pb_int32s { int32_t *data; uint32_t n; } lc_pb_int32s; /* also uint32 and enums */
typedef struct lc_pb_floats { float *data; uint32_t n; } lc_pb_floats;
typedef struct lc_pb_doubles { double *data; uint32_t n; } lc_pb_doubles;
typedef struct lc_pb_bools { bool *data; uint32_t n; } lc_pb_bools;

/* Lists, a row a line. */

/* Every kind of field protobuf has. */
#define LC_PB_KIND_LIST(X) \
    X(bool) X(int32) X(sint32) X(uint32) X(enum) X(int64) X(sint64) X(uint64) \
    X(fixed32) X(sfixed32) X(float) X(fixed64) X(sfixed64) X(double) X(string) X(bytes) X(message)

#define LC_PB_TYPE_ONE_bool(sub) bool
#define LC_PB_TYPE_ONE_int32(sub) int32_t
#define LC_PB_TYPE_ONE_sint32(sub) int32_t
#define LC_PB_TYPE_ONE_uint32(sub) uint32_t
#define LC_PB_TYPE_ONE_enum(sub) int32_t
#define LC_PB_TYPE_ONE_int64(sub) int64_t
#define LC_PB_TYPE_ONE_sint64(sub) int64_t
#define LC_PB_TYPE_ONE_uint64(sub) uint64_t
#define LC_PB_TYPE_ONE_fixed32(sub) uint32_t
#define LC_PB_TYPE_ONE_sfixed32(sub) int32_t
#define LC_PB_TYPE_ONE_float(sub) float
#define LC_PB_TYPE_ONE_fixed64(sub) uint64_t
#define LC_PB_TYPE_ONE_sfixed64(sub) int64_t
#define LC_PB_TYPE_ONE_double(sub) double
#define LC_PB_TYPE_ONE_string(sub) lc_str
#define LC_PB_TYPE_ONE_bytes(sub) lc_str
#define LC_PB_TYPE_ONE_message(sub) struct lc_pb_##sub *
#define LC_PB_TYPE_MANY_bool(sub) lc_pb_bools
#define LC_PB_TYPE_MANY_int32(sub) lc_pb_int32s
#define LC_PB_TYPE_MANY_sint32(sub) lc_pb_int32s
#define LC_PB_TYPE_MANY_uint32(sub) lc_pb_int32s
#define LC_PB_TYPE_MANY_enum(sub) lc_pb_int32s
#define LC_PB_TYPE_MANY_int64(sub) lc_pb_int64s
#define LC_PB_TYPE_MANY_sint64(sub) lc_pb_int64s
#define LC_PB_TYPE_MANY_uint64(sub) lc_pb_int64s
#define LC_PB_TYPE_MANY_fixed32(sub) lc_pb_int32s
#define LC_PB_TYPE_MANY_sfixed32(sub) lc_pb_int32s
#define LC_PB_TYPE_MANY_float(sub) lc_pb_floats
#define LC_PB_TYPE_MANY_fixed64(sub) lc_pb_int64s
#define LC_PB_TYPE_MANY_sfixed64(sub) lc_pb_int64s
#define LC_PB_TYPE_MANY_double(sub) lc_pb_doubles
#define LC_PB_TYPE_MANY_string(sub) lc_pb_strings
#define LC_PB_TYPE_MANY_bytes(sub) lc_pb_strings
#define LC_PB_TYPE_MANY_message(sub) struct { struct lc_pb_##sub *data; uint32_t n; }

#define LC_PB_MESSAGE(M) typedef struct lc_pb_##M lc_pb_##M;
#define LC_PB_FIELD(M, number, name, how, sub, place)
#define LC_PB_END(M)
#include "proto/messages.def"

/* struct lc_pb_NodeDef { uint64_t has; lc_str name; ... };  `has`: bit i for row i, see lc_pb_has. */
#define LC_PB_MESSAGE(M) struct lc_pb_##M { uint64_t has;
#define LC_PB_FIELD(M, number, name, how, sub, place) LC_PB_TYPE_##how(sub) name;
#define LC_PB_END(M) };
#include "proto/messages.def"

/* LC_PB_GraphDef ...: what the calls below take to know which struct a pointer is. */
typedef enum lc_pb_id {
#define LC_PB_MESSAGE(M) LC_PB_##M,
#define LC_PB_FIELD(M, number, name, how, sub, place)
#define LC_PB_END(M)
#include "proto/messages.def"
    LC_PB_COUNT,
    LC_PB_NONE = -1
} lc_pb_id;

/* LC_PB_ROW_NodeDef_device ...: the bit of a field in `has`. */
#define LC_PB_MESSAGE(M) enum {
#define LC_PB_FIELD(M, number, name, how, sub, place) LC_PB_ROW_##M##_##name,
#define LC_PB_END(M) LC_PB_ROWS_##M };
#include "proto/messages.def"

/* LC_PB_VariableAggregation_VARIABLE_AGGREGATION_SUM ... */
#define LC_PB_ENUM(E) enum {
#define LC_PB_VALUE(E, NAME, number) LC_PB_##E##_##NAME = number,
#define LC_PB_ENUM_END(E) };
#include "proto/enums.def"

/* LC_DT_FLOAT = 1, LC_DT_FLOAT_REF = 101 ...: TensorFlow's DataType. */
enum {
    LC_DT_INVALID = 0,
#define LC_PB_DATA_TYPE(NAME, number, lc, text) LC_DT_##NAME = number, LC_DT_##NAME##_REF = number + 100,
#include "proto/datatype.def"
};
/* clang-format on */

/* Whether a field was in what was read: lc_pb_has(node, NodeDef, device). A number that is there and zero is not the same as one that is
 * not there where the .proto has oneofs: lc_pb_has(attr, AttrValue, b). Of a oneof only the member that came last has its bit. */
#define lc_pb_has(message, M, field) ((((message)->has >> LC_PB_ROW_##M##_##field) & 1) != 0)
/* For a struct made by hand. Not needed where the value is not zero, not absent, not NULL. */
#define lc_pb_set(message, M, field) ((message)->has |= (uint64_t)1 << LC_PB_ROW_##M##_##field)

/* The entry of a map whose keys are strings, or NULL: lc_pb_find(node->attr, LC_STR("T")). In what was read each key is there once, and
 * every entry has its key and its value: ->value is never NULL. */
#define lc_pb_find(map, wanted) \
    ((__typeof__((map).data))lc_pb_entry((map).data, (map).n, sizeof *(map).data, offsetof(__typeof__(*(map).data), key), wanted))
void *lc_pb_entry(const void *entries, uint32_t n, size_t size, size_t key, lc_str wanted);

/* "GraphDef". */
const char *lc_pb_name(lc_pb_id id);

/* ---- reading --------------------------------------------------------------------------------------------------- */

/* Nesting that a message may have: protobuf's own limit. What is deeper TensorFlow does not read either. */
#define LC_PB_MAX_DEPTH 100

/*
 * Reads the wire form of a message. *message becomes a struct of `id` in `arena` (NULL on failure); strings and bytes point into `data`,
 * which must outlive it. No bytes at all are a message in which nothing is set. The error says where: "GraphDef.node[12].attr[3]: ...". Of a
 * number that is there twice the last counts, messages are merged, as protobuf does. Rules: proto_rules.def. Charged to the budget: the bytes
 * of every struct and array, a table for every repeated message.
 * Errors: LC_INVALID (rule, offset), LC_LIMIT, LC_NO_MEMORY.
 */
lc_status lc_pb_read(lc_pb_id id, const void *data, size_t size, lc_budget *budget, lc_arena *arena, void **message, lc_error *err);

/*
 * Reads the text form. All of *message lies in `arena`; `text` is not needed after. Errors say line and column. Fields that messages.def
 * lacks are skipped when they are well formed: files of other versions of TensorFlow have some, as binary ones do (a text that has no other
 * fields is refused). A name that an enum lacks is an error, since it cannot be kept.
 */
lc_status lc_pb_read_text(lc_pb_id id, lc_str text, lc_budget *budget, lc_arena *arena, void **message, lc_error *err);

/* ---- writing --------------------------------------------------------------------------------------------------- */

/*
 * Written is: a repeated field that has elements, a message that is not NULL, anything else whose `has` bit is set or that is not zero (a
 * string: not empty). In the order of field numbers, packed, so that equal structs give equal bytes.
 */

/* Appends the wire form. Out of memory: out->failed. */
void lc_pb_write(lc_pb_id id, const void *message, lc_text *out);
/* Hands the wire form to `write`, piece by piece: sizes are worked out first, long strings and bytes go straight from where they lie. */
lc_status lc_pb_write_to(lc_pb_id id, const void *message, lc_status (*write)(void *user, const void *data, size_t size, lc_error *err),
                         void *user, lc_error *err);
/* Bytes of the wire form. */
lc_status lc_pb_size(lc_pb_id id, const void *message, uint64_t *size, lc_error *err);
/* Appends the text form, two spaces a level, a field a line, as protobuf prints it. Out of memory: out->failed. */
void lc_pb_print(lc_pb_id id, const void *message, lc_text *out);

/* ---- DataType ---------------------------------------------------------------------------------------------------- */

/* Type of the elements (of what a reference refers to); LC_DTYPE_COUNT for a type that lc_dtype lacks and a number that is none. */
lc_dtype lc_pb_dtype(int32_t data_type);
/* DataType of a type: LC_DT_FLOAT for LC_FLOAT32; LC_DT_INVALID for one that TensorFlow lacks. */
int32_t lc_pb_data_type(lc_dtype type);
/* "DT_FLOAT", "DT_FLOAT_REF"; "?" for a number that is no DataType. */
const char *lc_pb_data_type_name(int32_t data_type);
/* "float32", "float32_ref", as TensorFlow's Python names it; "?". */
const char *lc_pb_data_type_text(int32_t data_type);
static inline bool lc_pb_is_ref(int32_t data_type) { return data_type > 100 && data_type < 200; }

#endif
