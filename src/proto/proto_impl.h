/*
 * proto_impl.h: what the files of src/proto share: the descriptors that messages.def makes, failing by a rule, and the walk over a struct.
 * Nobody else includes it.
 */
#ifndef LC_PROTO_IMPL_H
#define LC_PROTO_IMPL_H

#include "proto/proto.h"

/* ---- descriptors ------------------------------------------------------------------------------------------------- */

typedef enum lc_pb_kind {
#define LC_PB_KIND_ENUM(kind) LC_PB_KIND_##kind,
    LC_PB_KIND_LIST(LC_PB_KIND_ENUM)
#undef LC_PB_KIND_ENUM
        LC_PB_KIND_COUNT
} lc_pb_kind;

typedef enum lc_pb_place { LC_PB_PLAIN, LC_PB_MAP_FIELD, LC_PB_OF_FIELD } lc_pb_place;

typedef enum lc_pb_wire { LC_PB_VARINT, LC_PB_64, LC_PB_LENGTH, LC_PB_START, LC_PB_STOP, LC_PB_32 } lc_pb_wire;

typedef struct lc_pb_field {
    const char *name;
    uint16_t number;
    uint16_t offset; /* in the struct */
    int16_t sub;     /* lc_pb_id of a message, lc_pb_enum_id of an enum; -1 */
    uint8_t kind;    /* lc_pb_kind */
    bool many;
    uint8_t place; /* lc_pb_place */
} lc_pb_field;

typedef struct lc_pb_desc {
    const char *name;
    const lc_pb_field *fields;
    const uint8_t *rows; /* [number] -> index into fields, plus 1; 0: no such field */
    uint16_t size;       /* of the struct */
    uint8_t field_count;
    uint8_t numbers; /* entries of rows */
    bool has_many;   /* has repeated fields */
} lc_pb_desc;

extern const lc_pb_desc lc_pb_descs[LC_PB_COUNT];

/* Fields of the widest message: the reader counts them on the stack. */
#define LC_PB_MOST_ROWS 18

typedef struct lc_pb_kind_desc {
    uint8_t wire; /* lc_pb_wire */
    uint8_t size; /* of one value in memory; 0: message */
} lc_pb_kind_desc;
extern const lc_pb_kind_desc lc_pb_kinds[LC_PB_KIND_COUNT];

static inline const lc_pb_field *lc_pb_field_of(const lc_pb_desc *d, uint64_t number) {
    const unsigned row = number < d->numbers ? d->rows[number] : 0;
    return row ? &d->fields[row - 1] : NULL;
}
/* Bytes of one element of a repeated field, or of a singular message. */
static inline size_t lc_pb_element_size(const lc_pb_field *f) {
    return f->kind == LC_PB_KIND_message ? lc_pb_descs[f->sub].size : lc_pb_kinds[f->kind].size;
}
static inline bool lc_pb_packs(const lc_pb_field *f) { return lc_pb_kinds[f->kind].wire != LC_PB_LENGTH; }

/* Any repeated field, seen without its type. */
typedef struct lc_pb_vec {
    void *data;
    uint32_t n;
} lc_pb_vec;
lc_pb_vec lc_pb_vec_get(const void *field);
void lc_pb_vec_set(void *field, void *data, uint32_t n);

/* ---- enums -------------------------------------------------------------------------------------------------------- */

typedef enum lc_pb_enum_id {
    LC_PB_ENUM_DataType,
#define LC_PB_ENUM(E) LC_PB_ENUM_##E,
#define LC_PB_VALUE(E, NAME, number)
#define LC_PB_ENUM_END(E)
#include "proto/enums.def"
    LC_PB_ENUM_COUNT
} lc_pb_enum_id;

/* NULL for a number that the enum lacks. */
const char *lc_pb_enum_name(lc_pb_enum_id id, int32_t number);
bool lc_pb_enum_number(lc_pb_enum_id id, lc_str name, int32_t *number);
/* A name that looks like `word`; NULL when there is none. */
const char *lc_pb_enum_nearest(lc_pb_enum_id id, const char *word);

/* ---- rules -------------------------------------------------------------------------------------------------------- */

typedef enum lc_pb_rule {
#define LC_PB_RULE(NAME, id, text) LC_PB_RULE_##NAME,
#include "proto/proto_rules.def"
    LC_PB_RULE_COUNT
} lc_pb_rule;
extern const char *const lc_pb_rule_ids[LC_PB_RULE_COUNT];

/* ---- the wire -------------------------------------------------------------------------------------------------------- */

/* Writes v and returns how many bytes it took. */
static inline unsigned lc_pb_put_varint(uint8_t to[10], uint64_t v) {
    unsigned n = 0;
    for (; v >= 0x80; v >>= 7) to[n++] = (uint8_t)(v | 0x80);
    to[n++] = (uint8_t)v;
    return n;
}
static inline unsigned lc_pb_varint_size(uint64_t v) {
    unsigned n = 1;
    while (v >>= 7) n++;
    return n;
}

/* ---- the walk over a struct, for everything that is written ------------------------------------------------------------- */

/*
 * Goes through a message and all below it, fields in the order of their numbers, and tells of everything that is there (proto.h says what
 * that is). It keeps its place on a stack of its own, so a struct may be as deep as memory goes.
 *
 *     lc_pb_walk w; lc_pb_step s;
 *     lc_pb_walk_begin(&w, id, message);
 *     while (lc_pb_walk_next(&w, &s)) ...
 *     failed = lc_pb_walk_end(&w);
 */
typedef enum lc_pb_move { LC_PB_VALUE_MOVE, LC_PB_ENTER_MOVE, LC_PB_LEAVE_MOVE } lc_pb_move;
typedef struct lc_pb_step {
    lc_pb_move move;
    const lc_pb_field *field; /* ENTER, LEAVE: the field that holds the message */
    const void *values;       /* VALUE: n of them, one behind the other */
    uint32_t n;               /* VALUE: 1 for a singular field */
    uint32_t depth;           /* messages around it: 0 for fields of the root */
    size_t *note;             /* ENTER, LEAVE: a number for the caller; what is put here at ENTER is here at LEAVE */
} lc_pb_step;
struct lc_pb_frame;
typedef struct lc_pb_walk {
    struct lc_pb_frame *frames;
    size_t depth, capacity;
    bool failed;
} lc_pb_walk;
void lc_pb_walk_begin(lc_pb_walk *w, lc_pb_id id, const void *message);
bool lc_pb_walk_next(lc_pb_walk *w, lc_pb_step *step); /* false at the end and when memory is out */
bool lc_pb_walk_end(lc_pb_walk *w);                    /* frees the stack; false when memory was out */

#endif
