/*
 * hdf5_heap.c: where HDF5 keeps small things that do not fit into an object header: the fractal heap (names of many links,
 * many or large attributes), the B-tree of version 2 that finds them, and the global heap (strings of variable length).
 *
 * The idea of a fractal heap: one address space cut into blocks by a doubling table. Row 0 and 1 have `width` blocks of the
 * starting size, every further row has blocks twice as large as the row before:
 *
 *     offset ──▶ row, column ──▶ direct block (holds the bytes) or indirect block (a table of its own for that part)
 *
 * Stays true: every block and tree node names its heap or has its signature and its checksum is right before it is used;
 * the depth of a descent is bounded by the 64 bits of the address space, of a tree by its stated depth (at most 16).
 *
 * Refuses: filtered heaps, ids of other kinds than managed, tiny and huge, trees of another type than the caller's.
 *
 * Spec: HDF5 File Format Specification Version 3.0, sections III.A.2, III.E, III.G.
 */
#include "source/hdf5_impl.h"

#include <stdlib.h>

/* ---- small arithmetic of the format ---- */

static unsigned log2_floor(uint64_t v) { return v ? 63u - (unsigned)__builtin_clzll(v) : 0; }
static bool power_of_two(uint64_t v) { return v && !(v & (v - 1)); }
/* Bytes that hold numbers up to `limit`. */
static unsigned bytes_for(uint64_t limit) { return log2_floor(limit) / 8 + 1; }

lc_status lc_h5_checksum_once(lc_h5 *h5, uint64_t address, uint64_t size, size_t hole, const char *what, lc_error *err) {
    lc_cursor block;
    LC_TRY(lc_h5_block(h5, address, size, what, &block, err));
    const uint8_t *end = lc_h5_table_get(&h5->checked, address);
    if (end && end == block.end) return LC_OK;
    LC_TRY(lc_h5_checksum(h5, address, size, hole, what, err));
    if (!lc_h5_table_put(&h5->checked, h5->arena, address, (void *)(uintptr_t)block.end)) return lc_fail_memory(err, "HDF5 blocks");
    return LC_OK;
}

/* ---- fractal heap ---- */

lc_status lc_h5_heap_open(lc_h5 *h5, uint64_t address, lc_h5_heap *heap, lc_error *err) {
    *heap = (lc_h5_heap){.address = address};
    uint64_t left = lc_cursor_left(&h5->file);
    lc_cursor c;
    LC_TRY(lc_h5_signed_block(h5, address, address < left ? left - address : 4, "FRHP", &c, err));
    uint8_t version = lc_read_u8(&c);
    heap->id_size = lc_read_u16(&c);
    uint16_t filters = lc_read_u16(&c);
    heap->checksums = lc_read_u8(&c) & 0x02;
    heap->max_managed = lc_read_u32(&c);
    lc_h5_length(h5, &c); /* next huge id */
    heap->huge_tree = lc_h5_offset(h5, &c);
    lc_h5_length(h5, &c);                             /* free space */
    lc_h5_offset(h5, &c);                             /* its manager */
    for (int i = 0; i < 8; i++) lc_h5_length(h5, &c); /* statistics */
    heap->width = lc_read_u16(&c);
    heap->start = lc_h5_length(h5, &c);
    heap->max_direct = lc_h5_length(h5, &c);
    heap->bits = lc_read_u16(&c);
    lc_read_u16(&c); /* rows at the beginning */
    heap->root = lc_h5_offset(h5, &c);
    heap->rows = lc_read_u16(&c);
    if (c.failed) return LC_H5_BAD(h5, &c, H5_HEAP, "a fractal heap's header is cut short");
    if (version != 0) return LC_H5_BAD(h5, &c, H5_HEAP, "fractal heap version %u (known: 0)", version);
    if (filters) {
        LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_HEAP, lc_h5_at(h5, &c), "a fractal heap with filters");
        lc_error_hint(err, "Keras does not write such files: save the model again with model.save(...)");
        return LC_UNSUPPORTED;
    }
    uint64_t size;
    if (!lc_add_u64(lc_cursor_at(&c) - address, 4, &size)) return LC_H5_BAD(h5, &c, H5_HEAP, "a fractal heap's header is cut short");
    LC_TRY(lc_h5_checksum_once(h5, address, size, SIZE_MAX, "a fractal heap's header", err));
    if (!power_of_two(heap->width) || !power_of_two(heap->start) || !power_of_two(heap->max_direct) || heap->max_direct < heap->start ||
        heap->bits < 8 || heap->bits > 64 || heap->rows > 64 || heap->id_size < 1 || heap->id_size > 64)
        return LC_H5_BAD(h5, &c, H5_HEAP,
                         "a fractal heap's doubling table makes no sense (width %u, blocks of %llu to %llu bytes, %u bits, %u rows)",
                         heap->width, (unsigned long long)heap->start, (unsigned long long)heap->max_direct, heap->bits, heap->rows);
    heap->start_bits = log2_floor(heap->start);
    heap->width_bits = log2_floor(heap->width);
    unsigned direct_bits = log2_floor(heap->max_direct);
    heap->direct_rows = direct_bits - heap->start_bits + 2;
    heap->offset_bytes = (heap->bits + 7) / 8; /* checked: at most 64 */
    unsigned by_block = (direct_bits + 7) / 8, by_object = bytes_for(heap->max_managed);
    heap->size_bytes = by_block < by_object ? by_block : by_object;
    if (heap->size_bytes < 1) heap->size_bytes = 1;
    return LC_OK;
}

/* What direct and indirect blocks have in front: version, heap address, offset. Returns false when it does not fit. */
static bool block_prefix(const lc_h5 *h5, const lc_h5_heap *heap, lc_cursor *c, uint64_t offset) {
    uint8_t version = lc_read_u8(c);
    uint64_t owner = lc_h5_offset(h5, c), at = lc_read_uint(c, heap->offset_bytes);
    return !c->failed && version == 0 && owner == heap->address && at == offset;
}

/* Bytes [skip, skip + size) of the direct block that begins at `offset` of the heap. */
static lc_status direct_bytes(lc_h5 *h5, const lc_h5_heap *heap, uint64_t address, uint64_t block, uint64_t offset, uint64_t skip,
                              uint64_t size, lc_cursor *object, lc_error *err) {
    lc_cursor c;
    LC_TRY(lc_h5_signed_block(h5, address, block, "FHDB", &c, err));
    if (!block_prefix(h5, heap, &c, offset)) return LC_H5_BAD(h5, &c, H5_HEAP, "a heap block does not belong where it is");
    if (heap->checksums) {
        /* The checksum lies behind the prefix and counts as zero in itself; it is stored in front, not at the end. */
        uint64_t hole = lc_cursor_at(&c) - address;
        uint32_t want = lc_read_u32(&c);
        if (c.failed) return LC_H5_BAD(h5, &c, H5_HEAP, "a heap block is cut short");
        const uint8_t *whole = c.base, *known = lc_h5_table_get(&h5->checked, address);
        lc_cursor all = lc_cursor_window(&h5->file, address, block);
        if (known != all.end) {
            if (!lc_add_u64(h5->hashed, block, &h5->hashed) || h5->hashed / 2 > lc_cursor_left(&h5->file))
                return LC_H5_BAD(h5, &c, H5_OVERLAP, "metadata blocks overlap: together they are larger than the file");
            const uint8_t *end = all.end;
            whole = lc_read_bytes(&all, block);
            if (!whole || LC_H5_SUMS_DIFFER(lc_h5_lookup3(whole, (size_t)block, (size_t)hole), want))
                return LC_H5_BAD(h5, &c, H5_CHECKSUM, "the checksum of a heap block is wrong");
            if (!lc_h5_table_put(&h5->checked, h5->arena, address, (void *)(uintptr_t)end)) return lc_fail_memory(err, "HDF5 blocks");
        }
    }
    uint64_t from;
    if (skip < lc_cursor_at(&c) - address || !lc_range_ok(skip, size, block) || !lc_add_u64(address, skip, &from))
        return LC_H5_BAD(h5, &c, H5_HEAP, "a heap object of %llu bytes does not fit into its block", (unsigned long long)size);
    return lc_h5_block(h5, from, size, "heap object", object, err);
}

/* Finds the direct block that holds `offset` of the heap by going down the doubling tables. */
static lc_status managed_bytes(lc_h5 *h5, const lc_h5_heap *heap, uint64_t offset, uint64_t size, lc_cursor *object, lc_error *err) {
    uint64_t address = heap->root, begin = 0;
    uint32_t rows = heap->rows;
    if (rows == 0) return direct_bytes(h5, heap, address, heap->start, 0, offset, size, object, err);
    for (int depth = 0; depth < 64; depth++) {
        uint64_t inside = offset - begin, first = inside >> heap->width_bits >> heap->start_bits;
        uint32_t row = first ? log2_floor(first) + 1 : 0;
        unsigned block_bits = heap->start_bits + (row ? row - 1 : 0);
        if (row >= rows || block_bits > 62) return LC_SOURCE_FAIL(err, LC_INVALID, H5_HEAP, address, "a heap object lies outside its heap");
        uint64_t row_begin = row ? (uint64_t)1 << (heap->width_bits + block_bits) : 0;
        if (row && heap->width_bits + block_bits > 62)
            return LC_SOURCE_FAIL(err, LC_INVALID, H5_HEAP, address, "a heap object lies outside its heap");
        uint64_t column = (inside - row_begin) >> block_bits;
        /* The table: prefix, then width * rows addresses, then the checksum. */
        uint64_t prefix = (uint64_t)5 + h5->offset_size + heap->offset_bytes, entries, table, entry;
        if (!lc_mul_u64(heap->width, rows, &entries) || !lc_mul_u64(entries, h5->offset_size, &table) ||
            !lc_add_u64(table, prefix, &table) || !lc_add_u64(table, 4, &table) ||
            !lc_mul_u64((uint64_t)row << heap->width_bits | column, h5->offset_size, &entry))
            return LC_SOURCE_FAIL(err, LC_INVALID, H5_HEAP, address, "a heap's table is too large");
        lc_cursor c;
        LC_TRY(lc_h5_signed_block(h5, address, table, "FHIB", &c, err));
        if (!block_prefix(h5, heap, &c, begin)) return LC_H5_BAD(h5, &c, H5_HEAP, "a heap table does not belong where it is");
        LC_TRY(lc_h5_checksum_once(h5, address, table, SIZE_MAX, "a heap table", err));
        lc_cursor_skip(&c, entry);
        uint64_t child = lc_h5_offset(h5, &c), child_begin = begin + row_begin + (column << block_bits);
        if (row < heap->direct_rows)
            return direct_bytes(h5, heap, child, (uint64_t)1 << block_bits, child_begin, offset - child_begin, size, object, err);
        if (block_bits < heap->start_bits + heap->width_bits) return LC_H5_BAD(h5, &c, H5_HEAP, "a heap table does not belong where it is");
        address = child;
        begin = child_begin;
        rows = block_bits - heap->start_bits - heap->width_bits + 1;
    }
    return LC_SOURCE_FAIL(err, LC_INVALID, H5_HEAP, address, "a heap's tables are nested too deep");
}

typedef struct huge_search {
    uint64_t id, address, size;
    bool found;
} huge_search;

static lc_status visit_huge(lc_h5 *h5, void *user, lc_cursor *record, lc_error *err) {
    (void)err;
    huge_search *s = user;
    uint64_t address = lc_h5_offset(h5, record), size = lc_h5_length(h5, record), id = lc_h5_length(h5, record);
    if (!record->failed && id == s->id) *s = (huge_search){id, address, size, true};
    return LC_OK;
}

lc_status lc_h5_heap_get(lc_h5 *h5, const lc_h5_heap *heap, lc_cursor *from, lc_cursor *object, lc_error *err) {
    lc_cursor id = lc_cursor_take(from, heap->id_size);
    uint8_t first = lc_read_u8(&id);
    if (id.failed || first >> 6) return LC_H5_BAD(h5, &id, H5_HEAP, "a heap id is malformed");
    uint64_t size;
    switch (first >> 4 & 3) {
    case 0: { /* managed: offset and size in the heap's blocks */
        uint64_t offset = lc_read_uint(&id, heap->offset_bytes);
        size = lc_read_uint(&id, heap->size_bytes);
        if (id.failed) return LC_H5_BAD(h5, &id, H5_HEAP, "a heap id is cut short");
        return managed_bytes(h5, heap, offset, size, object, err);
    }
    case 1: /* huge: a block of its own, stated in the id when there is room, else found in a tree */
        if (heap->id_size >= 1 + h5->offset_size + h5->length_size) {
            uint64_t address = lc_h5_offset(h5, &id);
            size = lc_h5_length(h5, &id);
            return lc_h5_block(h5, address, size, "huge heap object", object, err);
        } else {
            /* checked: id_size is 1 to 64 */
            unsigned width = heap->id_size - 1 < h5->length_size ? heap->id_size - 1 : h5->length_size;
            huge_search s = {.id = width ? lc_read_uint(&id, width) : 0};
            LC_TRY(lc_h5_tree2(h5, heap->huge_tree, 1, visit_huge, &s, err));
            if (!s.found) return LC_H5_BAD(h5, &id, H5_HEAP, "a heap id names a huge object that is not there");
            return lc_h5_block(h5, s.address, s.size, "huge heap object", object, err);
        }
    case 2: /* tiny: the bytes lie in the id */
        size = (uint64_t)(first & 0x0F) + 1;
        if (heap->id_size > 18) size = ((uint64_t)(first & 0x0F) << 8 | lc_read_u8(&id)) + 1;
        *object = lc_cursor_take(&id, size);
        if (object->failed) return LC_H5_BAD(h5, &id, H5_HEAP, "a tiny heap object is longer than its id");
        return LC_OK;
    default: return LC_H5_BAD(h5, &id, H5_HEAP, "a heap id of unknown kind 3");
    }
}

/* ---- B-tree, version 2 ---- */

#define MAX_TREE_DEPTH 16

typedef struct tree2 {
    uint8_t type;
    uint32_t node_size;
    uint16_t record_size, depth;
    unsigned count_bytes;                     /* of a child's own record count */
    unsigned total_bytes[MAX_TREE_DEPTH + 1]; /* of the count of all records under a child at that depth */
    lc_h5_visit visit;
    void *user;
} tree2;

/* The widths of child pointers follow from how many records a node of each level can hold. */
static bool tree_widths(const lc_h5 *h5, tree2 *t) {
    if (t->node_size < 14 || t->record_size < 1 || t->depth > MAX_TREE_DEPTH) return false;
    uint64_t most = (t->node_size - 10) / t->record_size, all = most;
    if (!most) return false;
    t->count_bytes = bytes_for(most);
    for (uint16_t d = 1; d <= t->depth; d++) {
        uint64_t pointer = (uint64_t)h5->offset_size + t->count_bytes + t->total_bytes[d - 1];
        if (t->node_size <= 10 + pointer) return false;
        uint64_t here = (t->node_size - 10 - pointer) / (t->record_size + pointer), under;
        if (!here || !lc_mul_u64(here + 1, all, &under) || !lc_add_u64(under, here, &all)) return false;
        t->total_bytes[d] = bytes_for(all);
    }
    return true;
}

static lc_status visit_node(lc_h5 *h5, const tree2 *t, uint64_t address, uint64_t records, uint16_t depth, lc_error *err) {
    lc_cursor c;
    LC_TRY(lc_h5_count(h5, records, err));
    LC_TRY(lc_h5_signed_block(h5, address, t->node_size, depth ? "BTIN" : "BTLF", &c, err));
    uint8_t version = lc_read_u8(&c), type = lc_read_u8(&c);
    unsigned total = depth > 1 ? t->total_bytes[depth - 1] : 0;
    uint64_t bytes, pointers = 0, used;
    bool ok = version == 0 && type == t->type && lc_mul_u64(records, t->record_size, &bytes);
    if (ok && depth) ok = lc_mul_u64(records + 1, (uint64_t)h5->offset_size + t->count_bytes + total, &pointers);
    ok = ok && lc_add_u64(bytes, pointers, &used) && lc_add_u64(used, 10, &used) && used <= t->node_size;
    if (!ok) return LC_H5_BAD(h5, &c, H5_BTREE, "a B-tree node with %llu records is malformed", (unsigned long long)records);
    LC_TRY(lc_h5_checksum(h5, address, used, SIZE_MAX, "a B-tree node", err));
    lc_cursor children = c;
    lc_cursor_skip(&children, bytes);
    for (uint64_t i = 0; i <= records; i++) {
        if (depth) {
            uint64_t child = lc_h5_offset(h5, &children), count = lc_read_uint(&children, t->count_bytes);
            if (total) lc_read_uint(&children, total);
            if (children.failed) return LC_H5_BAD(h5, &children, H5_BTREE, "a B-tree node is cut short");
            LC_TRY(visit_node(h5, t, child, count, depth - 1, err));
        }
        if (i == records) break;
        lc_cursor record = lc_cursor_take(&c, t->record_size);
        LC_TRY(t->visit(h5, t->user, &record, err));
        if (record.failed) return LC_H5_BAD(h5, &record, H5_BTREE, "a B-tree record is cut short");
    }
    return LC_OK;
}

lc_status lc_h5_tree2(lc_h5 *h5, uint64_t address, uint8_t type, lc_h5_visit visit, void *user, lc_error *err) {
    uint64_t left = lc_cursor_left(&h5->file);
    lc_cursor c;
    LC_TRY(lc_h5_signed_block(h5, address, address < left ? left - address : 4, "BTHD", &c, err));
    uint8_t version = lc_read_u8(&c);
    tree2 t = {.visit = visit, .user = user};
    t.type = lc_read_u8(&c);
    t.node_size = lc_read_u32(&c);
    t.record_size = lc_read_u16(&c);
    t.depth = lc_read_u16(&c);
    lc_cursor_skip(&c, 2); /* when to split and merge */
    uint64_t root = lc_h5_offset(h5, &c), records = lc_read_u16(&c);
    lc_h5_length(h5, &c); /* all records: the walk counts for itself */
    uint64_t size;
    if (c.failed || version != 0 || !lc_add_u64(lc_cursor_at(&c) - address, 4, &size))
        return LC_H5_BAD(h5, &c, H5_BTREE, "a B-tree's header is malformed");
    LC_TRY(lc_h5_checksum_once(h5, address, size, SIZE_MAX, "a B-tree's header", err));
    if (t.type != type) return LC_H5_BAD(h5, &c, H5_BTREE, "a B-tree of type %u where type %u is expected", t.type, type);
    if (!tree_widths(h5, &t))
        return LC_H5_BAD(h5, &c, H5_BTREE, "a B-tree with nodes of %u bytes, records of %u bytes and depth %u makes no sense", t.node_size,
                         t.record_size, t.depth);
    if (root == LC_H5_NOWHERE || !records) return LC_OK;
    return visit_node(h5, &t, root, records, t.depth, err);
}

/* ---- global heap ---- */

/* One collection: its objects, sorted by number. */
typedef struct numbered {
    uint32_t number;
    lc_cursor bytes;
} numbered;
typedef struct collection {
    numbered *objects;
    size_t count;
} collection;

static int compare_numbers(const void *a, const void *b) {
    uint32_t x = ((const numbered *)a)->number, y = ((const numbered *)b)->number;
    return (x > y) - (x < y);
}

static lc_status index_collection(lc_h5 *h5, uint64_t address, collection *all, lc_error *err) {
    lc_cursor c;
    uint64_t left = lc_cursor_left(&h5->file);
    LC_TRY(lc_h5_signed_block(h5, address, address < left ? left - address : 4, "GCOL", &c, err));
    uint8_t version = lc_read_u8(&c);
    lc_cursor_skip(&c, 3);
    uint64_t size = lc_h5_length(h5, &c), head = lc_cursor_at(&c) - address;
    if (c.failed || version != 1 || size < head || size > left - address)
        return LC_H5_BAD(h5, &c, H5_HEAP, "a global heap collection is malformed");
    lc_cursor body = lc_cursor_take(&c, size - head);
    size_t capacity = 0;
    while (lc_cursor_left(&body) >= 8u + h5->length_size) {
        uint16_t number = lc_read_u16(&body);
        lc_cursor_skip(&body, 6);
        uint64_t bytes = lc_h5_length(h5, &body), pad = bytes % 8 ? 8 - bytes % 8 : 0;
        if (number == 0) break; /* the rest is free */
        lc_cursor object = lc_cursor_take(&body, bytes);
        if (object.failed)
            return LC_H5_BAD(h5, &body, H5_HEAP, "an object of %llu bytes does not fit into its global heap collection",
                             (unsigned long long)bytes);
        lc_cursor_skip(&body, pad < lc_cursor_left(&body) ? pad : lc_cursor_left(&body));
        LC_TRY(lc_h5_count(h5, 1, err));
        void *items = all->objects;
        if (!lc_arena_grow(h5->arena, &items, &capacity, all->count + 1, sizeof *all->objects)) return lc_fail_memory(err, "HDF5 heap");
        all->objects = items;
        all->objects[all->count++] = (numbered){number, object};
    }
    if (all->count) qsort(all->objects, all->count, sizeof *all->objects, compare_numbers);
    return LC_OK;
}

lc_status lc_h5_global(lc_h5 *h5, uint64_t address, uint32_t index, lc_cursor *object, lc_error *err) {
    collection *all = lc_h5_table_get(&h5->collections, address);
    if (!all) {
        LC_TRY(lc_budget_tables(h5->budget, 1, "HDF5 heap collections", err));
        all = lc_arena_alloc(h5->arena, sizeof *all);
        if (!all) return lc_fail_memory(err, "HDF5 heap");
        LC_TRY(index_collection(h5, address, all, err));
        if (!lc_h5_table_put(&h5->collections, h5->arena, address, all)) return lc_fail_memory(err, "HDF5 heap");
    }
    numbered key = {.number = index};
    const numbered *found = all->count ? bsearch(&key, all->objects, all->count, sizeof key, compare_numbers) : NULL;
    if (!found) return LC_SOURCE_FAIL(err, LC_INVALID, H5_HEAP, LC_NO_OFFSET, "a string's global heap object %u is not there", index);
    *object = found->bytes;
    return LC_OK;
}
