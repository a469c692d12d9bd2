/*
 * proto.c: the descriptors of every message and enum, made from messages.def, enums.def and datatype.def, and what is looked up in them.
 *
 * Nothing here lists a message: a row that is added to the lists is read, written and printed from then on. The descriptors are constant
 * data; there is no state.
 */
#include "proto/proto_impl.h"

#include <string.h>

/* Lists, a row a line. */
/* clang-format off */

#define LC_PB_SUB_ONE_bool(sub) -1
#define LC_PB_SUB_ONE_int32(sub) -1
#define LC_PB_SUB_ONE_sint32(sub) -1
#define LC_PB_SUB_ONE_uint32(sub) -1
#define LC_PB_SUB_ONE_enum(sub) LC_PB_ENUM_##sub
#define LC_PB_SUB_ONE_int64(sub) -1
#define LC_PB_SUB_ONE_sint64(sub) -1
#define LC_PB_SUB_ONE_uint64(sub) -1
#define LC_PB_SUB_ONE_fixed32(sub) -1
#define LC_PB_SUB_ONE_sfixed32(sub) -1
#define LC_PB_SUB_ONE_float(sub) -1
#define LC_PB_SUB_ONE_fixed64(sub) -1
#define LC_PB_SUB_ONE_sfixed64(sub) -1
#define LC_PB_SUB_ONE_double(sub) -1
#define LC_PB_SUB_ONE_string(sub) -1
#define LC_PB_SUB_ONE_bytes(sub) -1
#define LC_PB_SUB_ONE_message(sub) LC_PB_##sub
#define LC_PB_SUB_MANY_bool(sub) -1
#define LC_PB_SUB_MANY_int32(sub) -1
#define LC_PB_SUB_MANY_sint32(sub) -1
#define LC_PB_SUB_MANY_uint32(sub) -1
#define LC_PB_SUB_MANY_enum(sub) LC_PB_ENUM_##sub
#define LC_PB_SUB_MANY_int64(sub) -1
#define LC_PB_SUB_MANY_sint64(sub) -1
#define LC_PB_SUB_MANY_uint64(sub) -1
#define LC_PB_SUB_MANY_fixed32(sub) -1
#define LC_PB_SUB_MANY_sfixed32(sub) -1
#define LC_PB_SUB_MANY_float(sub) -1
#define LC_PB_SUB_MANY_fixed64(sub) -1
#define LC_PB_SUB_MANY_sfixed64(sub) -1
#define LC_PB_SUB_MANY_double(sub) -1
#define LC_PB_SUB_MANY_string(sub) -1
#define LC_PB_SUB_MANY_bytes(sub) -1
#define LC_PB_SUB_MANY_message(sub) LC_PB_##sub

/* HOW_MANY_int32 / 2 is the kind, its lowest bit says "many". */
enum {
#define HOW(kind) HOW_ONE_##kind, HOW_MANY_##kind,
    LC_PB_KIND_LIST(HOW)
};
enum { PLACE_PLAIN = LC_PB_PLAIN, PLACE_MAP = LC_PB_MAP_FIELD, PLACE_OF = LC_PB_OF_FIELD };

/* One array a message, ended by an empty entry so that a message without fields has an array too. */
#define LC_PB_MESSAGE(M) static const lc_pb_field fields_##M[] = {
#define LC_PB_FIELD(M, number, name, how, sub, place) \
    {#name, number, offsetof(lc_pb_##M, name), LC_PB_SUB_##how(sub), HOW_##how / 2, HOW_##how % 2 != 0, PLACE_##place},
#define LC_PB_END(M) {NULL, 0, 0, 0, 0, false, 0}};
#include "proto/messages.def"

#define LC_PB_MESSAGE(M) static const uint8_t rows_##M[] = {[0] = 0,
#define LC_PB_FIELD(M, number, name, how, sub, place) [number] = LC_PB_ROW_##M##_##name + 1,
#define LC_PB_END(M) };
#include "proto/messages.def"

#define LC_PB_MESSAGE(M) _Static_assert((int)LC_PB_ROWS_##M <= LC_PB_MOST_ROWS && sizeof(lc_pb_##M) <= UINT16_MAX, #M " is too wide");
#define LC_PB_FIELD(M, number, name, how, sub, place)
#define LC_PB_END(M)
#include "proto/messages.def"

const lc_pb_desc lc_pb_descs[LC_PB_COUNT] = {
#define LC_PB_MESSAGE(M) {#M, fields_##M, rows_##M, sizeof(lc_pb_##M), LC_PB_ROWS_##M, sizeof rows_##M, (0
#define LC_PB_FIELD(M, number, name, how, sub, place) + HOW_##how % 2
#define LC_PB_END(M) ) != 0},
#include "proto/messages.def"
};

const lc_pb_kind_desc lc_pb_kinds[LC_PB_KIND_COUNT] = {
    [LC_PB_KIND_bool] = {LC_PB_VARINT, sizeof(bool)},
    [LC_PB_KIND_int32] = {LC_PB_VARINT, 4},
    [LC_PB_KIND_sint32] = {LC_PB_VARINT, 4},
    [LC_PB_KIND_uint32] = {LC_PB_VARINT, 4},
    [LC_PB_KIND_enum] = {LC_PB_VARINT, 4},
    [LC_PB_KIND_int64] = {LC_PB_VARINT, 8},
    [LC_PB_KIND_sint64] = {LC_PB_VARINT, 8},
    [LC_PB_KIND_uint64] = {LC_PB_VARINT, 8},
    [LC_PB_KIND_fixed32] = {LC_PB_32, 4},
    [LC_PB_KIND_sfixed32] = {LC_PB_32, 4},
    [LC_PB_KIND_float] = {LC_PB_32, 4},
    [LC_PB_KIND_fixed64] = {LC_PB_64, 8},
    [LC_PB_KIND_sfixed64] = {LC_PB_64, 8},
    [LC_PB_KIND_double] = {LC_PB_64, 8},
    [LC_PB_KIND_string] = {LC_PB_LENGTH, sizeof(lc_str)},
    [LC_PB_KIND_bytes] = {LC_PB_LENGTH, sizeof(lc_str)},
    [LC_PB_KIND_message] = {LC_PB_LENGTH, 0},
};

const char *const lc_pb_rule_ids[LC_PB_RULE_COUNT] = {
#define LC_PB_RULE(NAME, id, text) id,
#include "proto/proto_rules.def"
};

/* ---- enums -------------------------------------------------------------------------------------------------------- */

typedef struct named { const char *name; int32_t number; } named;

static const named enum_DataType[] = {
    {"DT_INVALID", 0},
#define LC_PB_DATA_TYPE(NAME, number, lc, text) {"DT_" #NAME, number}, {"DT_" #NAME "_REF", number + 100},
#include "proto/datatype.def"
};
#define LC_PB_ENUM(E) static const named enum_##E[] = {
#define LC_PB_VALUE(E, NAME, number) {#NAME, number},
#define LC_PB_ENUM_END(E) };
#include "proto/enums.def"

static const struct { const named *values; size_t n; } enums[LC_PB_ENUM_COUNT] = {
    {enum_DataType, sizeof enum_DataType / sizeof *enum_DataType},
#define LC_PB_ENUM(E) {enum_##E, sizeof enum_##E / sizeof *enum_##E},
#define LC_PB_VALUE(E, NAME, number)
#define LC_PB_ENUM_END(E)
#include "proto/enums.def"
};

static const struct data_type { lc_dtype type; int32_t number; const char *text, *ref_text; } data_types[] = {
#define LC_PB_DATA_TYPE(NAME, number, lc, text) {lc, number, text, text "_ref"},
#include "proto/datatype.def"
};

/* clang-format on */

const char *lc_pb_enum_name(lc_pb_enum_id id, int32_t number) {
    for (size_t i = 0; i < enums[id].n; i++)
        if (enums[id].values[i].number == number) return enums[id].values[i].name;
    return NULL;
}

bool lc_pb_enum_number(lc_pb_enum_id id, lc_str name, int32_t *number) {
    for (size_t i = 0; i < enums[id].n; i++)
        if (lc_str_is(name, enums[id].values[i].name)) {
            *number = enums[id].values[i].number;
            return true;
        }
    return false;
}

const char *lc_pb_enum_nearest(lc_pb_enum_id id, const char *word) {
    enum { MOST = sizeof enum_DataType / sizeof *enum_DataType }; /* the longest enum */
    const char *names[MOST + 1] = {NULL};
    for (size_t i = 0; i < enums[id].n && i < MOST; i++) names[i] = enums[id].values[i].name;
    return lc_nearest(word, names);
}

/* ---- DataType ------------------------------------------------------------------------------------------------------ */

static const struct data_type *data_type_of(int32_t number) {
    const int32_t plain = lc_pb_is_ref(number) ? number - 100 : number;
    for (size_t i = 0; i < sizeof data_types / sizeof *data_types; i++)
        if (data_types[i].number == plain) return &data_types[i];
    return NULL;
}

lc_dtype lc_pb_dtype(int32_t number) {
    const struct data_type *t = data_type_of(number);
    return t ? t->type : LC_DTYPE_COUNT;
}

int32_t lc_pb_data_type(lc_dtype type) {
    for (size_t i = 0; i < sizeof data_types / sizeof *data_types; i++)
        if (data_types[i].type == type && type != LC_DTYPE_COUNT) return data_types[i].number;
    return LC_DT_INVALID;
}

const char *lc_pb_data_type_name(int32_t number) {
    const char *name = lc_pb_enum_name(LC_PB_ENUM_DataType, number);
    return name ? name : "?";
}

const char *lc_pb_data_type_text(int32_t number) {
    const struct data_type *t = data_type_of(number);
    return !t ? "?" : lc_pb_is_ref(number) ? t->ref_text : t->text;
}

/* ---- structs ------------------------------------------------------------------------------------------------------- */

/* Through memcpy: the struct has a typed pointer there. */
lc_pb_vec lc_pb_vec_get(const void *field) {
    lc_pb_vec v;
    memcpy(&v, field, sizeof v);
    return v;
}

void lc_pb_vec_set(void *field, void *data, uint32_t n) {
    const lc_pb_vec v = {data, n};
    memcpy((char *)field + offsetof(lc_pb_vec, data), &v.data, sizeof v.data);
    memcpy((char *)field + offsetof(lc_pb_vec, n), &v.n, sizeof v.n);
}

const char *lc_pb_name(lc_pb_id id) { return (unsigned)id < LC_PB_COUNT ? lc_pb_descs[id].name : "?"; }

void *lc_pb_entry(const void *entries, uint32_t n, size_t size, size_t key, lc_str wanted) {
    const char *at = entries;
    for (uint32_t i = 0; i < n; i++, at += size) {
        lc_str k;
        memcpy(&k, at + key, sizeof k);
        if (k.size == wanted.size && (k.size == 0 || memcmp(k.data, wanted.data, k.size) == 0)) return (void *)(uintptr_t)at;
    }
    return NULL;
}
