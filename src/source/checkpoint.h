/*
 * checkpoint.h: the variables of a TensorFlow checkpoint, of either format.
 *
 *     lc_ckpt *ckpt; const lc_ckpt_entry *v; const void *data; size_t size;
 *     lc_ckpt_open("export/variables/variables", &budget, &arena, &ckpt, err)
 *     lc_ckpt_get(ckpt, LC_STR("dense/kernel"), &v, err)
 *     lc_ckpt_read(ckpt, v, &data, &size, err)            borrowed from the mapped file, its checksum right
 *     lc_ckpt_take_maps(ckpt, &maps, &count)              for a model that borrows the data
 *     lc_ckpt_close(ckpt)
 *
 * V2 ("tensor bundle", what TensorFlow has written since 0.12): PREFIX.index is a table of entries, PREFIX.data-00000-of-0000N hold the
 * bytes. V1: PREFIX, or PREFIX-00000-of-0000N, each a table with the bytes in it. The files behind this header: ckpt_path.c       what was
 * given -> which files       checkpoint.c      the calls below, variables put together from slices bundle.c          V2 checkpoint_v1.c V1
 *   ckpt_slice.c      slices: their keys, specs, copying  table.c, snappy.c the tables
 *
 * One checkpoint is for one thread at a time.
 */
#ifndef LC_SOURCE_CHECKPOINT_H
#define LC_SOURCE_CHECKPOINT_H

#include "base/base.h"

/* Most dimensions of a variable; TensorFlow has no more. */
#define LC_CKPT_MAX_RANK 254

typedef struct lc_ckpt lc_ckpt;

typedef struct lc_ckpt_entry {
    lc_str name;       /* with a NUL behind it */
    lc_dtype type;     /* of the elements that lc_ckpt_read gives: for qint8 and its like the integer; LC_DTYPE_COUNT: none litec has */
    int32_t data_type; /* TensorFlow's DataType as the file has it (LC_DT_FLOAT ... of proto/proto.h), which may be unknown; never a _REF */
    int32_t rank;      /* 0: scalar */
    const int64_t *dims; /* [rank] */
    uint64_t elements;
    uint64_t bytes;  /* in the file, of all slices together; V1: elements * size of one, 0 for strings */
    uint32_t slices; /* parts it is stored in; 1: whole, or a partitioned variable with one partition */
} lc_ckpt_entry;

/*
 * Finds the checkpoint and reads what is in it, not the values. `path` is what TensorFlow takes (a prefix; for V1 also
 * "PREFIX-?????-of-00002"), or one of its files, or a `checkpoint` state file, or a directory: with a state file, of a SavedModel, or with
 * one checkpoint in it. *ckpt and all it hands out lie in `arena`; budget and arena must outlive it. Errors: LC_NOT_FOUND (hint: what is
 * there), LC_INVALID, LC_UNSUPPORTED, LC_LIMIT, LC_IO, LC_NO_MEMORY.
 */
lc_status lc_ckpt_open(const char *path, lc_budget *budget, lc_arena *arena, lc_ckpt **ckpt, lc_error *err);
/* The prefix that was found: tells which checkpoint a directory led to. */
const char *lc_ckpt_prefix(const lc_ckpt *ckpt);
/* 1 or 2. */
int lc_ckpt_version(const lc_ckpt *ckpt);

/* Variables, sorted by name (as bytes). i < count. */
size_t lc_ckpt_count(const lc_ckpt *ckpt);
const lc_ckpt_entry *lc_ckpt_at(const lc_ckpt *ckpt, size_t i);
/* NULL when there is none of that name. */
const lc_ckpt_entry *lc_ckpt_find(const lc_ckpt *ckpt, lc_str name);
/* As lc_ckpt_find; LC_NOT_FOUND with a hint that names the nearest. */
lc_status lc_ckpt_get(const lc_ckpt *ckpt, lc_str name, const lc_ckpt_entry **entry, lc_error *err);

/*
 * The values, dense, row-major, little-endian, unaligned; checksums are compared once. Borrowed from a mapped file (valid until it is
 * closed) or from the arena; never NULL. Strings: a buffer as ir/strings.h describes. int4, uint4, int2: packed, the first element lowest,
 * as TFLite has them (TensorFlow stores one a byte). Opens the shards that it needs. LC_UNSUPPORTED for a type that litec does not have.
 */
lc_status lc_ckpt_read(lc_ckpt *ckpt, const lc_ckpt_entry *entry, const void **data, size_t *size, lc_error *err);
/* A part, given as RestoreV2 has it in shape_and_slices: "10 20 0,5:-" is rows 0 to 4 of a variable of shape [10, 20]; "" all of it.
 * dims [entry->rank] receives the part's shape. */
lc_status lc_ckpt_read_slice(lc_ckpt *ckpt, const lc_ckpt_entry *entry, lc_str spec, int64_t *dims, const void **data, size_t *size,
                             lc_error *err);

/* Moves the ownership of all files mapped so far to the caller, who closes each; *maps lies in the arena. After it only lc_ckpt_close may
 * follow. */
void lc_ckpt_take_maps(lc_ckpt *ckpt, lc_map **maps, size_t *count);
/* Closes the maps that were not taken. NULL is fine. */
void lc_ckpt_close(lc_ckpt *ckpt);

#endif
