/*
 * hdf5.h: the part of HDF5 that Keras models use, read from memory and never from anywhere else.
 *
 *     lc_h5 *h5; lc_h5_object *root, *d; lc_h5_value v;
 *     lc_h5_open(data, size, 0, &budget, &arena, &arena, &h5, err)
 *     lc_h5_get(h5, lc_h5_root(h5), LC_STR("model_weights/dense/dense/kernel:0"), &d, err)
 *     lc_h5_read(h5, d, &v, err)                       v.data is borrowed from `data` when it is stored contiguously
 *
 * Everything handed out lives in the arenas or borrows `data`; there is nothing to close. The files behind this header:
 *   hdf5_file.c   superblock, object headers, checksum      hdf5_heap.c   fractal heap, B-tree v2, global heap
 *   hdf5_group.c  links of both group styles                hdf5_attr.c   datatypes, dataspaces, attributes, strings
 *   hdf5_data.c   layouts, borrowed and decoded data        hdf5_index.c  where a chunk lies    hdf5_filter.c  inflate ...
 */
#ifndef LC_SOURCE_HDF5_H
#define LC_SOURCE_HDF5_H

#include "base/base.h"

#define LC_H5_MAX_RANK 32

typedef struct lc_h5 lc_h5;
typedef struct lc_h5_object lc_h5_object;

typedef enum lc_h5_kind {
    LC_H5_NUMBER,      /* dtype says which */
    LC_H5_STRING,      /* fixed size */
    LC_H5_VLEN_STRING, /* in the global heap */
    LC_H5_OPAQUE,      /* bytes: Keras 3 stores bfloat16 so */
    LC_H5_OTHER        /* `what` names it: only an error if somebody wants its data */
} lc_h5_kind;

typedef struct lc_h5_type {
    lc_h5_kind kind;
    lc_dtype dtype;   /* NUMBER */
    bool big_endian;  /* NUMBER: as stored; lc_h5_read hands out little-endian */
    uint8_t padding;  /* STRING: 0 ends with NUL, 1 padded with NUL, 2 padded with spaces */
    uint32_t size;    /* bytes of one element as stored */
    const char *what; /* "compound type", "float of 80 bits" ... for messages; static text */
} lc_h5_type;

typedef struct lc_h5_value {
    lc_h5_type type;
    int32_t rank; /* 0: scalar */
    uint64_t dims[LC_H5_MAX_RANK];
    uint64_t count;      /* elements; 0 for an empty (null) dataspace too */
    const uint8_t *data; /* [size], unaligned; never NULL on success */
    size_t size;
    uint64_t at; /* offset of data in the input file, LC_NO_OFFSET when decoded */
} lc_h5_value;

typedef enum lc_h5_link_kind { LC_H5_HARD, LC_H5_SOFT, LC_H5_EXTERNAL, LC_H5_USER } lc_h5_link_kind;
typedef struct lc_h5_link {
    lc_str name;
    uint64_t address; /* HARD: of the object */
    lc_h5_link_kind kind;
} lc_h5_link;

/* True when the bytes hold an HDF5 superblock where the format allows one (0, 512, 1024 ...). */
bool lc_h5_probe(const void *data, size_t size);
/* Reads the superblock and the root group's header. `origin` is where `data` begins in the input file (for messages).
 * *h5 and all structures lie in `arena`, data of datasets that is not borrowed in `decoded` (which may be the same). */
lc_status lc_h5_open(const void *data, size_t size, uint64_t origin, lc_budget *budget, lc_arena *arena, lc_arena *decoded, lc_h5 **h5,
                     lc_error *err);
lc_h5_object *lc_h5_root(const lc_h5 *h5);
/* "/model_weights/dense" (printable, shortened), for messages. */
const char *lc_h5_path(const lc_h5_object *object);

/* Marks an object; true when it was marked before. For walks that must end. */
bool lc_h5_mark(lc_h5_object *object);
bool lc_h5_is_group(const lc_h5_object *object);
bool lc_h5_is_dataset(const lc_h5_object *object);
/* The group's links sorted by name. Borrowed from the arena. LC_INVALID when it is no group. */
lc_status lc_h5_links(lc_h5 *h5, lc_h5_object *group, const lc_h5_link **links, size_t *count, lc_error *err);
/* Follows one link. Soft, external and user-defined links are refused by name. */
lc_status lc_h5_follow(lc_h5 *h5, lc_h5_object *group, const lc_h5_link *link, lc_h5_object **object, lc_error *err);
/* Follows a path of links from `group`. A missing name is LC_NOT_FOUND. */
lc_status lc_h5_get(lc_h5 *h5, lc_h5_object *group, lc_str path, lc_h5_object **object, lc_error *err);
/* As lc_h5_get, but a missing name gives *object NULL and LC_OK. */
lc_status lc_h5_find(lc_h5 *h5, lc_h5_object *group, lc_str path, lc_h5_object **object, lc_error *err);

/* An attribute by name; *found says whether there is one. */
lc_status lc_h5_attribute(lc_h5 *h5, lc_h5_object *object, const char *name, lc_h5_value *value, bool *found, lc_error *err);
/* The strings of a value (fixed or variable), borrowed and without their padding. A value without elements gives none,
 * whatever its type: numpy stores an empty list as numbers. `what` names the value in messages. */
lc_status lc_h5_strings(lc_h5 *h5, const lc_h5_value *value, const char *what, lc_str **strings, size_t *count, lc_error *err);
/* The data of a dataset: borrowed when stored contiguously or compactly as little-endian, else decoded into the arena. */
lc_status lc_h5_read(lc_h5 *h5, lc_h5_object *dataset, lc_h5_value *value, lc_error *err);

#endif
