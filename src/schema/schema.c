/*
 * schema.c: the descriptors of every table, union and enum, made from tables.def and enums.def.
 *
 * Nothing here is written by hand but the tables of kinds: a field, table or enum value that is added to the two lists is
 * verified, read, written and printed from then on. The descriptors are constant data; there is no state.
 *
 * Files hold little-endian numbers and vectors are borrowed from them as they lie, so the host must be little-endian too:
 * a big-endian build stops here instead of computing nonsense.
 */
#include "schema/schema.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "litec borrows vectors from .tflite files as they lie and needs a little-endian host"
#endif

/* Lists, a row a line. */
/* clang-format off */

/* ---- names: of tables and fields, one behind the other, found by their place ---------------------------------- */

static const struct names {
#define LC_TABLE(T) char T[sizeof #T];
#define LC_FIELD(T, id, name, kind, sub, def) char T##_##name[sizeof #name];
#define LC_TABLE_END(T)
#include "schema/tables.def"
} names = {
#define LC_TABLE(T) #T,
#define LC_FIELD(T, id, name, kind, sub, def) #name,
#define LC_TABLE_END(T)
#include "schema/tables.def"
};

/* ---- fields: those of all tables, one behind the other --------------------------------------------------------- */

#define LC_SUB_bool(sub) -1
#define LC_SUB_i8(sub) -1
#define LC_SUB_i32(sub) -1
#define LC_SUB_u32(sub) -1
#define LC_SUB_i64(sub) -1
#define LC_SUB_u64(sub) -1
#define LC_SUB_f32(sub) -1
#define LC_SUB_enum_i8(sub) LC_ENUM_ID_##sub
#define LC_SUB_enum_i32(sub) LC_ENUM_ID_##sub
#define LC_SUB_enum_u32(sub) LC_ENUM_ID_##sub
#define LC_SUB_str(sub) -1
#define LC_SUB_table(sub) LC_TABLE_##sub
#define LC_SUB_union(sub) LC_UNION_ID_##sub
#define LC_SUB_vec_bool(sub) -1
#define LC_SUB_vec_u8(sub) -1
#define LC_SUB_vec_u8_a16(sub) -1
#define LC_SUB_vec_u16(sub) -1
#define LC_SUB_vec_i32(sub) -1
#define LC_SUB_vec_i64(sub) -1
#define LC_SUB_vec_f32(sub) -1
#define LC_SUB_vec_enum_u32(sub) LC_ENUM_ID_##sub
#define LC_SUB_vec_table(sub) LC_TABLE_##sub

const lc_field lc_schema_fields[] = {
#define LC_TABLE(T)
#define LC_FIELD(T, id, name, kind, sub, def) \
    {offsetof(struct names, T##_##name), offsetof(lc_##T, name), LC_KIND_##kind, id, LC_SUB_##kind(sub), def},
#define LC_TABLE_END(T)
#include "schema/tables.def"
};

/* FIRST_T and END_T count the fields before a table, and those with it. */
enum {
#define LC_TABLE(T) FIRST_##T, BEFORE_##T = FIRST_##T - 1,
#define LC_FIELD(T, id, name, kind, sub, def) AT_##T##_##name,
#define LC_TABLE_END(T) END_##T, LAST_##T = END_##T - 1,
#include "schema/tables.def"
};

const lc_table_desc lc_schema_tables[LC_TABLE_COUNT] = {
#define LC_TABLE(T) {offsetof(struct names, T), FIRST_##T, END_##T - FIRST_##T, sizeof(lc_##T)},
#define LC_FIELD(T, id, name, kind, sub, def)
#define LC_TABLE_END(T)
#include "schema/tables.def"
};

/* ---- unions: code -> table ----------------------------------------------------------------------------------- */

#define LC_ENUM(E, base)
#define LC_ENUM_VALUE(E, name, value)
#define LC_ENUM_END(E)
#define LC_UNION(U) static const int16_t members_##U[] = {LC_TABLE_NONE,
#define LC_UNION_MEMBER(U, T, code) [code] = LC_TABLE_##T,
#define LC_UNION_END(U) };
#include "schema/enums.def"

const lc_union_desc lc_schema_unions[LC_UNION_ID_COUNT] = {
#define LC_ENUM(E, base)
#define LC_ENUM_VALUE(E, name, value)
#define LC_ENUM_END(E)
#define LC_UNION(U) {#U, members_##U, sizeof members_##U / sizeof members_##U[0]},
#define LC_UNION_MEMBER(U, T, code)
#define LC_UNION_END(U)
#include "schema/enums.def"
};

/* ---- enums ---------------------------------------------------------------------------------------------------- */

/* Names one behind the other, each with its NUL, and the values beside them: a pointer for each name would be three times as large, and
 * relocated at every start of a program. */
#define LC_ENUM(E, base) static const char names_##E[] =
#define LC_ENUM_VALUE(E, name, value) #name "\0"
#define LC_ENUM_END(E) ;
#define LC_UNION(U)
#define LC_UNION_MEMBER(U, T, code)
#define LC_UNION_END(U)
#include "schema/enums.def"
#define LC_ENUM(E, base) static const int32_t values_##E[] = {
#define LC_ENUM_VALUE(E, name, value) value,
#define LC_ENUM_END(E) };
#define LC_UNION(U)
#define LC_UNION_MEMBER(U, T, code)
#define LC_UNION_END(U)
#include "schema/enums.def"

static const struct { const char *names; const int32_t *values; uint16_t count; } enums[LC_ENUM_ID_COUNT] = {
    {"", NULL, 0}, /* BuiltinOperator: its list is ops/ops.def, a layer above */
#define LC_ENUM(E, base) {names_##E, values_##E, sizeof values_##E / sizeof values_##E[0]},
#define LC_ENUM_VALUE(E, name, value)
#define LC_ENUM_END(E)
#define LC_UNION(U)
#define LC_UNION_MEMBER(U, T, code)
#define LC_UNION_END(U)
#include "schema/enums.def"
};

/* clang-format on */

_Static_assert(sizeof names <= UINT16_MAX, "names are found by 16 bits");

const char *lc_table_name(lc_table_id table) { return (const char *)&names + lc_schema_tables[table].name; }
const char *lc_field_name(const lc_field *f) { return (const char *)&names + f->name; }

const char *lc_schema_enum_name(lc_enum_id id, int64_t value) {
    if ((unsigned)id >= LC_ENUM_ID_COUNT) return NULL;
    const char *name = enums[id].names;
    for (uint16_t i = 0; i < enums[id].count; i++, name += strlen(name) + 1)
        if (enums[id].values[i] == value) return name;
    return NULL;
}

lc_table_id lc_schema_union_table(lc_union_id id, uint8_t code) {
    if ((unsigned)id >= LC_UNION_ID_COUNT || code >= lc_schema_unions[id].count) return LC_TABLE_NONE;
    return (lc_table_id)lc_schema_unions[id].tables[code];
}

uint8_t lc_schema_union_code(lc_union_id id, lc_table_id table) {
    if ((unsigned)id >= LC_UNION_ID_COUNT || table == LC_TABLE_NONE) return 0;
    for (uint8_t code = 1; code < lc_schema_unions[id].count; code++)
        if (lc_schema_unions[id].tables[code] == (int16_t)table) return code;
    return 0;
}

void lc_schema_init(lc_table_id table, void *value) {
    const lc_table_desc *t = &lc_schema_tables[table];
    memset(value, 0, t->size);
    for (LC_EACH_FIELD(f, table)) {
        if (f->def == 0) continue;
        uint8_t *p = (uint8_t *)value + f->offset;
        switch ((lc_kind)f->kind) {
        case LC_KIND_bool:
        case LC_KIND_i8:
        case LC_KIND_enum_i8: {
            int8_t v = (int8_t)f->def;
            memcpy(p, &v, sizeof v);
            break;
        }
        case LC_KIND_i32:
        case LC_KIND_u32:
        case LC_KIND_enum_i32:
        case LC_KIND_enum_u32: {
            int32_t v = (int32_t)f->def;
            memcpy(p, &v, sizeof v);
            break;
        }
        case LC_KIND_i64:
        case LC_KIND_u64: {
            int64_t v = f->def;
            memcpy(p, &v, sizeof v);
            break;
        }
        default: break; /* floats and references have no default but zero */
        }
    }
}
