/*
 * hdf5_impl.h: what the hdf5_*.c files share. Nobody else includes it.
 *
 * Counters keep the whole reading linear in the size of the file, however its structures point at each other:
 *   records   links, messages and tree records seen: each takes at least 4 bytes of its own in an honest file
 *   stored    bytes of dataset storage handed out or decoded: an honest file stores no byte twice
 *   decoded   bytes made by filters and fill values: deflate cannot make more than 1032 from one
 *   hashed    bytes under a checksum
 */
#ifndef LC_SOURCE_HDF5_IMPL_H
#define LC_SOURCE_HDF5_IMPL_H

#include "source/hdf5.h"
#include "source/rules.h"

#define LC_H5_NOWHERE UINT64_MAX /* the undefined address */

/* Object header messages this reader knows (HDF5 File Format Specification 3.0, section IV.A.2). */
enum {
    LC_H5_MSG_SPACE = 0x01,
    LC_H5_MSG_LINK_INFO = 0x02,
    LC_H5_MSG_TYPE = 0x03,
    LC_H5_MSG_FILL_OLD = 0x04,
    LC_H5_MSG_FILL = 0x05,
    LC_H5_MSG_LINK = 0x06,
    LC_H5_MSG_EXTERNAL = 0x07,
    LC_H5_MSG_LAYOUT = 0x08,
    LC_H5_MSG_FILTERS = 0x0B,
    LC_H5_MSG_ATTRIBUTE = 0x0C,
    LC_H5_MSG_CONTINUATION = 0x10,
    LC_H5_MSG_SYMBOLS = 0x11,
    LC_H5_MSG_ATTRIBUTE_INFO = 0x15,
    LC_H5_MSG_LAST_KNOWN = 0x18
};

typedef struct lc_h5_message {
    lc_cursor body;
    uint16_t type;
    uint8_t flags;
} lc_h5_message;

typedef struct lc_h5_attr {
    lc_str name;
    lc_h5_value value;
} lc_h5_attr;

struct lc_h5_object {
    uint64_t address;
    const char *path;
    lc_h5_message *messages;
    size_t message_count, message_capacity;
    lc_h5_link *links; /* sorted by name, once links_read */
    size_t link_count, link_capacity;
    lc_h5_attr *attrs;
    size_t attr_count, attr_capacity;
    lc_h5_value value; /* once value_read */
    bool links_read, attrs_read, value_read, marked;
};

/* A set of addresses with a pointer each: open addressing, power-of-two capacity. */
typedef struct lc_h5_table {
    uint64_t *keys; /* address + 1; 0: free */
    void **values;
    size_t count, capacity;
} lc_h5_table;

struct lc_h5 {
    lc_cursor file;  /* from the superblock to the stored end of the file; addresses count from its base */
    uint64_t origin; /* of file.base in the input */
    unsigned offset_size, length_size;
    lc_budget *budget;
    lc_arena *arena, *decoded_arena;
    lc_h5_object *root;
    lc_h5_table objects;
    lc_h5_table checked;     /* blocks whose checksum was verified */
    lc_h5_table collections; /* global heap collections, indexed */
    uint64_t records, stored, decoded, hashed;
};

/* ---- hdf5_file.c ---- */

/* A number of the file's width of addresses; the undefined address of any width becomes LC_H5_NOWHERE. */
uint64_t lc_h5_offset(const lc_h5 *h5, lc_cursor *c);
uint64_t lc_h5_length(const lc_h5 *h5, lc_cursor *c);
/* [address, address + size) of the file, or LC_INVALID naming `what`. */
lc_status lc_h5_block(const lc_h5 *h5, uint64_t address, uint64_t size, const char *what, lc_cursor *block, lc_error *err);
/* As above, and the block must begin with the 4 letters of `signature`, which are skipped. */
lc_status lc_h5_signed_block(const lc_h5 *h5, uint64_t address, uint64_t size, const char *signature, lc_cursor *block, lc_error *err);
/* The head of a version 1 B-tree node (type 0: groups, 1: chunks) at `level` (-1: any; the root), with *c behind it. */
lc_status lc_h5_tree1_node(lc_h5 *h5, uint64_t address, uint8_t type, int level, lc_cursor *c, uint8_t *stored, uint16_t *count,
                           lc_error *err);
/* The last 4 bytes of [address, address + size) must be the lookup3 of those before. Each block of an honest file is
 * verified once: together they are smaller than the file. */
lc_status lc_h5_checksum(lc_h5 *h5, uint64_t address, uint64_t size, size_t hole, const char *what, lc_error *err);
/* A fuzzer cannot guess checksums: in its builds (this is the name libFuzzer's manual gives the switch) they are all right, so
 * that it gets to what lies behind them. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define LC_H5_SUMS_DIFFER(a, b) ((void)(a), (void)(b), false)
#else
#define LC_H5_SUMS_DIFFER(a, b) ((a) != (b))
#endif
/* Jenkins' lookup3 of data, reading the 4 bytes at `hole` as zeros (SIZE_MAX: no hole). */
uint32_t lc_h5_lookup3(const uint8_t *data, size_t size, size_t hole);
/* Input offset for messages. */
static inline uint64_t lc_h5_at(const lc_h5 *h5, const lc_cursor *c) {
    uint64_t at;
    return lc_add_u64(h5->origin, lc_cursor_at(c), &at) ? at : LC_NO_OFFSET;
}
/* LC_INVALID with a rule id at the cursor's place. */
#define LC_H5_BAD(h5, cursor, NAME, ...) LC_SOURCE_FAIL(err, LC_INVALID, NAME, lc_h5_at(h5, cursor), __VA_ARGS__)
/* Counts n links, messages or records. */
lc_status lc_h5_count(lc_h5 *h5, uint64_t n, lc_error *err);
/* Value of `key`, NULL when it is not in the table. */
void *lc_h5_table_get(const lc_h5_table *table, uint64_t key);
/* false when memory is out. */
bool lc_h5_table_put(lc_h5_table *table, lc_arena *arena, uint64_t key, void *value);
/* The object whose header lies at `address` (parsed once); `name` is its last path part, under `parent`. */
lc_status lc_h5_object_at(lc_h5 *h5, uint64_t address, const lc_h5_object *parent, lc_str name, lc_h5_object **object, lc_error *err);
/* First message of a type, NULL when there is none. */
const lc_h5_message *lc_h5_find_message(const lc_h5_object *object, uint16_t type);
/* Body of a message of a type: LC_INVALID when it is missing, LC_UNSUPPORTED when it is shared. */
lc_status lc_h5_body(const lc_h5 *h5, const lc_h5_object *object, uint16_t type, const char *what, lc_cursor *body, lc_error *err);

/* ---- hdf5_group.c ---- */

/* Order of names: bytes, then length. */
int lc_h5_compare(lc_str a, lc_str b);

/* ---- hdf5_heap.c ---- */

/* As lc_h5_checksum, but a block that was verified before is not hashed again. */
lc_status lc_h5_checksum_once(lc_h5 *h5, uint64_t address, uint64_t size, size_t hole, const char *what, lc_error *err);

typedef struct lc_h5_heap {
    uint64_t address, root, huge_tree;
    unsigned id_size, bits; /* bytes of an id; bits of the heap's address space */
    unsigned offset_bytes, size_bytes;
    uint32_t width, rows, direct_rows;
    uint64_t start, max_direct, max_managed;
    unsigned start_bits, width_bits;
    bool checksums;
} lc_h5_heap;
lc_status lc_h5_heap_open(lc_h5 *h5, uint64_t address, lc_h5_heap *heap, lc_error *err);
/* Bytes of the object with this id (the cursor stands at the id and moves past it). */
lc_status lc_h5_heap_get(lc_h5 *h5, const lc_h5_heap *heap, lc_cursor *id, lc_cursor *object, lc_error *err);
typedef lc_status (*lc_h5_visit)(lc_h5 *h5, void *user, lc_cursor *record, lc_error *err);
/* Calls visit for every record of a B-tree v2, in order. The tree must be of `type`. */
lc_status lc_h5_tree2(lc_h5 *h5, uint64_t address, uint8_t type, lc_h5_visit visit, void *user, lc_error *err);
/* Object `index` of the global heap collection at `address`. */
lc_status lc_h5_global(lc_h5 *h5, uint64_t address, uint32_t index, lc_cursor *object, lc_error *err);

/* ---- hdf5_attr.c ---- */

lc_status lc_h5_parse_type(const lc_h5 *h5, lc_cursor *c, lc_h5_type *type, lc_error *err);
/* max_dims (may be NULL) receives UINT64_MAX for an unlimited dimension. */
lc_status lc_h5_parse_space(const lc_h5 *h5, lc_cursor *c, lc_h5_value *value, uint64_t *max_dims, lc_error *err);

/* ---- hdf5_filter.c ---- */

#define LC_H5_MAX_FILTERS 32
typedef struct lc_h5_filter {
    uint16_t id;
    uint32_t element;
} lc_h5_filter; /* element: of shuffle */
typedef struct lc_h5_pipeline {
    lc_h5_filter filters[LC_H5_MAX_FILTERS];
    uint32_t count;
} lc_h5_pipeline;
lc_status lc_h5_parse_filters(const lc_h5 *h5, lc_cursor *c, const lc_h5_object *object, lc_h5_pipeline *pipeline, lc_error *err);
/* Undoes the filters on one stored chunk. The result has exactly `size` bytes and lies in one of the two scratch blocks of
 * lc_h5_filter_room(pipeline, size) bytes, or is `stored` itself. */
lc_status lc_h5_unfilter(const lc_h5 *h5, const lc_h5_pipeline *pipeline, uint32_t mask, lc_cursor stored, size_t size, uint8_t *scratch[2],
                         const uint8_t **result, lc_error *err);
bool lc_h5_filter_room(const lc_h5_pipeline *pipeline, uint64_t size, uint64_t *room);

/* ---- hdf5_index.c ---- */

typedef enum lc_h5_index_kind {
    LC_H5_INDEX_TREE1 = 0, /* the numbers 1 to 5 are those of layout version 4 */
    LC_H5_INDEX_SINGLE = 1,
    LC_H5_INDEX_IMPLICIT = 2,
    LC_H5_INDEX_FIXED = 3,
    LC_H5_INDEX_EXTENSIBLE = 4,
    LC_H5_INDEX_TREE2 = 5
} lc_h5_index_kind;

/* How a dataset's chunks are laid out and found. */
typedef struct lc_h5_chunks {
    lc_h5_index_kind index;
    uint64_t address;
    int32_t rank;
    uint64_t dims[LC_H5_MAX_RANK]; /* of the dataset */
    uint64_t max_dims[LC_H5_MAX_RANK];
    uint64_t chunk[LC_H5_MAX_RANK];
    uint64_t grid[LC_H5_MAX_RANK]; /* chunks along each dimension */
    uint64_t count;                /* product of grid */
    uint64_t bytes;                /* of one whole chunk, unfiltered */
    bool filtered;
    uint64_t single_size; /* SINGLE with filters */
    uint32_t single_mask;
} lc_h5_chunks;

/* Told once for each chunk that has storage: its place in the grid, where its bytes are and which filters were skipped. */
typedef lc_status (*lc_h5_chunk_fn)(lc_h5 *h5, void *user, const uint64_t *place, uint64_t address, uint64_t size, uint32_t mask,
                                    lc_error *err);
lc_status lc_h5_each_chunk(lc_h5 *h5, const lc_h5_chunks *chunks, lc_h5_chunk_fn fn, void *user, lc_error *err);

#endif
