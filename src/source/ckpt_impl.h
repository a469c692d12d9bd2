/*
 * ckpt_impl.h: what the files behind checkpoint.h share. Nobody else includes it.
 */
#ifndef LC_SOURCE_CKPT_IMPL_H
#define LC_SOURCE_CKPT_IMPL_H

#include "proto/proto.h"
#include "source/checkpoint.h"
#include "source/rules.h"
#include "source/table.h"

/* Fails by a rule with the hint that damaged files get. */
#define LC_CKPT_BAD(NAME, at, ...) (LC_SOURCE_FAIL(err, LC_INVALID, NAME, at, __VA_ARGS__), lc_table_damaged(err))
/* A name for %.*s, shortened. */
#define LC_CKPT_SHOWN(name) (int)((name).size < 200 ? (name).size : 200), (name).data

/* ---- where it is (ckpt_path.c) ---------------------------------------------------------------------------------------- */

typedef struct lc_ckpt_place {
    const char *prefix;
    uint32_t shards; /* V1: files PREFIX-00000-of-N; 0: PREFIX itself is the file, or V2 */
    bool v1;
} lc_ckpt_place;

/* Texts lie in the arena. */
lc_status lc_ckpt_locate(const char *path, lc_budget *budget, lc_arena *arena, lc_ckpt_place *place, lc_error *err);

/* ---- what is in it ------------------------------------------------------------------------------------------------------ */

/* A part of a variable, as it is stored. */
typedef struct lc_ckpt_piece {
    /* Where it lies in the variable, [rank] each, a length below 0 being all of a dimension; both NULL: all of the variable. */
    const int64_t *start, *length;
    uint32_t file;       /* V2: shard; V1: table */
    uint32_t crc;        /* V2: of the bytes */
    uint64_t at, stored; /* V2: in the shard */
    const uint8_t *data; /* its values; NULL: not read yet */
    size_t size;
} lc_ckpt_piece;

typedef struct lc_ckpt_variable {
    lc_ckpt_entry entry; /* first: a pointer to it is one to the variable */
    lc_ckpt_piece *pieces;
    const uint8_t *data; /* of the whole; NULL: not read yet */
    size_t size;
} lc_ckpt_variable;

typedef struct lc_ckpt_file {
    uint32_t id; /* rises */
    const char *path;
} lc_ckpt_file;

struct lc_ckpt {
    lc_budget *budget;
    lc_arena *arena;
    lc_ckpt_place place;
    lc_ckpt_variable *variables; /* sorted by name */
    size_t count;
    lc_map *maps;        /* open files with values; owned */
    lc_ckpt_file *files; /* what each map is */
    size_t map_count, map_room, file_room;
    uint64_t mapped, summed; /* bytes of the files, and of values whose checksums were made */
    uint32_t stated_shards;  /* V2 */
    lc_table *tables;        /* V1: one a map */
};

/* Bytes of one element as stored; 0: strings, and types not known. */
uint32_t lc_ckpt_element_size(int32_t data_type);
/* Fills name, type, data_type, rank, dims, elements of a new variable; `path` is for messages. */
lc_status lc_ckpt_describe(lc_ckpt *ckpt, const char *path, lc_str name, int32_t data_type, const lc_pb_TensorShapeProto *shape,
                           lc_ckpt_entry *entry, lc_error *err);
bool lc_ckpt_same_shape(const lc_pb_TensorShapeProto *shape, int32_t rank, const int64_t *dims);
/* Room for n pieces. */
lc_status lc_ckpt_make_pieces(lc_ckpt *ckpt, size_t n, lc_ckpt_piece **pieces, lc_error *err);
/* Maps `path` (kept) as number `id`, at this place of the list. */
lc_status lc_ckpt_add_map(lc_ckpt *ckpt, size_t at, uint32_t id, const char *path, lc_error *err);
/* A buffer of these strings in the arena. */
lc_status lc_ckpt_make_strings(lc_ckpt *ckpt, lc_str name, const lc_str *strings, size_t n, const uint8_t **data, size_t *size,
                               lc_error *err);
/* Refuses versions that TensorFlow's own readers refuse: `ours` is the version they are of. */
lc_status lc_ckpt_check_versions(const char *path, const lc_pb_VersionDef *versions, int32_t ours, lc_error *err);

/* Each format: fill ckpt->variables; read a piece whose data is NULL into piece->data and ->size. */
lc_status lc_ckpt_open_v2(lc_ckpt *ckpt, lc_error *err);
lc_status lc_ckpt_read_v2(lc_ckpt *ckpt, const lc_ckpt_entry *entry, lc_ckpt_piece *piece, lc_error *err);
lc_status lc_ckpt_open_v1(lc_ckpt *ckpt, lc_error *err);
lc_status lc_ckpt_read_v1(lc_ckpt *ckpt, const lc_ckpt_entry *entry, lc_ckpt_piece *piece, lc_error *err);

/* ---- slices (ckpt_slice.c) ----------------------------------------------------------------------------------------------- */

/* A box in a variable, lengths made out. */
typedef struct lc_ckpt_box {
    int64_t start[LC_CKPT_MAX_RANK], length[LC_CKPT_MAX_RANK];
    uint64_t elements;
} lc_ckpt_box;

/* The place of a slice, checked against the variable's shape, as start and length of a piece. */
lc_status lc_ckpt_slice_read(lc_ckpt *ckpt, const char *path, const lc_ckpt_entry *entry, const lc_pb_TensorSliceProto *slice,
                             lc_ckpt_piece *piece, lc_error *err);
/* Appends the key under which TensorFlow keeps a slice. Out of memory: key->failed. */
void lc_ckpt_slice_key(const lc_ckpt_entry *entry, const lc_ckpt_piece *piece, lc_text *key);
/* The part that a spec of RestoreV2 asks for; "" is all. */
lc_status lc_ckpt_spec_read(const lc_ckpt_entry *entry, lc_str spec, lc_ckpt_box *box, lc_error *err);
void lc_ckpt_piece_box(const lc_ckpt_entry *entry, const lc_ckpt_piece *piece, lc_ckpt_box *box);
/* True when the boxes share an element. */
bool lc_ckpt_box_touches(int32_t rank, const lc_ckpt_box *a, const lc_ckpt_box *b);
/* True when `wanted` lies in `piece` as one run of elements, which begins at *at. */
bool lc_ckpt_box_inside(int32_t rank, const lc_ckpt_box *wanted, const lc_ckpt_box *piece, uint64_t *at);
/* Copies what both have from the piece's values to those of `wanted`. `done` has a bit for each element of `wanted`; *elements counts those
 * copied. False when an element was there already. */
bool lc_ckpt_box_copy(int32_t rank, size_t element_size, const lc_ckpt_box *piece, const uint8_t *from, const lc_ckpt_box *wanted,
                      uint8_t *to, uint8_t *done, uint64_t *elements);

#endif
