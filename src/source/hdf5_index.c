/*
 * hdf5_index.c: where the chunks of a dataset lie: all six ways in which HDF5 files say it.
 *
 *   B-tree v1           files of the default library version
 *   single, implicit    one chunk; or all chunks one after the other
 *   fixed array         dimensions that cannot grow        numbers of chunks ──▶ (pages of) one data block
 *   extensible array    one dimension that can grow        ... ──▶ index block ──▶ super blocks ──▶ data blocks ──▶ pages
 *   B-tree v2           several that can grow
 *
 * The idea: each is turned into the same calls, one for every chunk that has storage. Trees are walked and give their chunks
 * in their own order; arrays are asked for every chunk of the grid by its number.
 *
 * Stays true: checksums of version 4 structures are right before an address in them is used (each once); places lie in
 * the grid; depth and number of tree nodes are bounded as everywhere (lc_h5_count). That no chunk comes twice is up to the
 * caller, who sees them all.
 *
 * Spec: HDF5 File Format Specification Version 3.0, sections III.A, VII.A to VII.D (appendix C of the chunk indices).
 */
#include "source/hdf5_impl.h"

static unsigned log2_floor(uint64_t v) { return v ? 63u - (unsigned)__builtin_clzll(v) : 0; }

typedef struct walk {
    const lc_h5_chunks *k;
    lc_h5_chunk_fn fn;
    void *user;
} walk;

/* ---- trees ---- */

/* Offsets of version 1 count elements, of version 2 chunks. */
static lc_status give(lc_h5 *h5, const walk *w, lc_cursor *offsets, bool scaled, uint64_t address, uint64_t size, uint32_t mask,
                      lc_error *err) {
    uint64_t place[LC_H5_MAX_RANK];
    for (int32_t d = 0; d < w->k->rank; d++) {
        place[d] = lc_read_u64(offsets);
        bool whole = scaled || place[d] % w->k->chunk[d] == 0;
        if (!scaled) place[d] /= w->k->chunk[d];
        if (offsets->failed || !whole) return LC_H5_BAD(h5, offsets, H5_CHUNK, "a chunk does not lie on the grid of its dataset");
        /* Chunks outside are left behind by a dataset that was made smaller. */
        if (place[d] >= w->k->grid[d]) return LC_OK;
    }
    return w->fn(h5, w->user, place, address, size, mask, err);
}

static lc_status walk_tree1(lc_h5 *h5, const walk *w, uint64_t address, int level, lc_error *err) {
    lc_cursor c;
    uint8_t stored;
    uint16_t count;
    LC_TRY(lc_h5_tree1_node(h5, address, 1, level, &c, &stored, &count, err));
    for (uint16_t i = 0; i < count; i++) {
        uint32_t size = lc_read_u32(&c), mask = lc_read_u32(&c);
        lc_cursor offsets = lc_cursor_take(&c, 8u * ((uint64_t)w->k->rank + 1));
        uint64_t child = lc_h5_offset(h5, &c);
        if (c.failed) return LC_H5_BAD(h5, &c, H5_BTREE, "a chunk B-tree node is cut short");
        if (stored) LC_TRY(walk_tree1(h5, w, child, stored - 1, err));
        else LC_TRY(give(h5, w, &offsets, false, child, size, mask, err));
    }
    return LC_OK;
}

static lc_status visit_chunk(lc_h5 *h5, void *user, lc_cursor *record, lc_error *err) {
    const walk *w = user;
    uint64_t total = lc_cursor_left(record), places = 8u * (uint64_t)w->k->rank, size = w->k->bytes;
    uint64_t address = lc_h5_offset(h5, record);
    uint32_t mask = 0;
    if (w->k->filtered) {
        uint64_t rest = h5->offset_size + 4 + places;
        size = total > rest ? lc_read_uint(record, (unsigned)(total - rest)) : 0;
        mask = lc_read_u32(record);
    }
    if (record->failed || lc_cursor_left(record) != places)
        return LC_H5_BAD(h5, record, H5_BTREE, "a chunk record of %llu bytes is malformed", (unsigned long long)total);
    return give(h5, w, record, true, address, size, mask, err);
}

/* ---- arrays ---- */

/* Reads one element: an address, and size and mask when the chunks are filtered. */
static bool read_element(const lc_h5 *h5, const lc_h5_chunks *k, lc_cursor *c, unsigned width, uint64_t *address, uint64_t *size,
                         uint32_t *mask) {
    *address = lc_h5_offset(h5, c);
    *size = k->bytes;
    *mask = 0;
    if (k->filtered) {
        *size = lc_read_uint(c, width - h5->offset_size - 4);
        *mask = lc_read_u32(c);
    }
    return !c->failed;
}

static bool element_width_ok(const lc_h5 *h5, const lc_h5_chunks *k, unsigned width) {
    return k->filtered ? width > h5->offset_size + 4 && width <= h5->offset_size + 12 : width == h5->offset_size;
}

/* Number of a chunk: row-major over the grid of the largest allowed dimensions, dimension `first` taken in front. */
static bool chunk_number(const lc_h5_chunks *k, const uint64_t *place, int32_t first, uint64_t *number) {
    uint64_t n = place[first];
    for (int32_t d = 0; d < k->rank; d++) {
        if (d == first) continue;
        uint64_t most = k->max_dims[d] == UINT64_MAX ? 0 : k->max_dims[d] / k->chunk[d] + (k->max_dims[d] % k->chunk[d] != 0);
        if (!most || !lc_mul_u64(n, most, &n) || !lc_add_u64(n, place[d], &n)) return false;
    }
    *number = n;
    return true;
}

typedef struct fixed_array {
    uint64_t block, count, page; /* data block, elements, elements of a page */
    unsigned width;
} fixed_array;

static lc_status open_fixed(lc_h5 *h5, const lc_h5_chunks *k, fixed_array *a, lc_error *err) {
    lc_cursor c;
    uint64_t size = (uint64_t)12 + h5->length_size + h5->offset_size;
    LC_TRY(lc_h5_signed_block(h5, k->address, size, "FAHD", &c, err));
    uint8_t version = lc_read_u8(&c), client = lc_read_u8(&c);
    *a = (fixed_array){.width = lc_read_u8(&c)};
    uint8_t page_bits = lc_read_u8(&c);
    a->count = lc_h5_length(h5, &c);
    a->block = lc_h5_offset(h5, &c);
    if (c.failed || version != 0 || client != k->filtered || !element_width_ok(h5, k, a->width) || page_bits > 32)
        return LC_H5_BAD(h5, &c, H5_CHUNK, "a fixed array's header is malformed");
    a->page = (uint64_t)1 << page_bits;
    return lc_h5_checksum(h5, k->address, size, SIZE_MAX, "a fixed array's header", err);
}

static lc_status fixed_element(lc_h5 *h5, const lc_h5_chunks *k, fixed_array *a, uint64_t n, uint64_t *address, uint64_t *size,
                               uint32_t *mask, lc_error *err) {
    *address = LC_H5_NOWHERE;
    if (a->block == LC_H5_NOWHERE) return LC_OK;
    if (n >= a->count)
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_CHUNK, a->block, "a fixed array has no element %llu", (unsigned long long)n);
    bool paged = a->count > a->page;
    uint64_t pages = a->count / a->page + (a->count % a->page != 0), bitmap = paged ? pages / 8 + (pages % 8 != 0) : 0;
    uint64_t head = (uint64_t)6 + h5->offset_size, body, whole, at;
    if (!lc_mul_u64(paged ? 0 : a->count, a->width, &body) || !lc_add_u64(head, bitmap, &head) || !lc_add_u64(head, body, &whole) ||
        !lc_add_u64(whole, 4, &whole))
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_CHUNK, a->block, "a fixed array is too large");
    lc_cursor c;
    LC_TRY(lc_h5_signed_block(h5, a->block, whole, "FADB", &c, err));
    uint8_t version = lc_read_u8(&c), client = lc_read_u8(&c);
    uint64_t owner = lc_h5_offset(h5, &c);
    if (c.failed || version != 0 || client != k->filtered || owner != k->address)
        return LC_H5_BAD(h5, &c, H5_CHUNK, "a fixed array's block does not belong where it is");
    LC_TRY(lc_h5_checksum_once(h5, a->block, whole, SIZE_MAX, "a fixed array's block", err));
    if (!paged) {
        if (!lc_mul_u64(n, a->width, &at)) return LC_H5_BAD(h5, &c, H5_CHUNK, "a fixed array is too large");
        lc_cursor_skip(&c, at);
    } else {
        uint64_t page = n / a->page, inside = n % a->page, page_bytes, elements = a->page, start;
        lc_cursor_skip(&c, page / 8);
        if (!(lc_read_u8(&c) >> (7 - page % 8) & 1)) return LC_OK; /* nothing was ever written to this page */
        if (!lc_mul_u64(a->page, a->width, &page_bytes) || !lc_add_u64(page_bytes, 4, &page_bytes) ||
            !lc_mul_u64(page, page_bytes, &start) || !lc_add_u64(start, whole, &start) || !lc_add_u64(start, a->block, &start))
            return LC_H5_BAD(h5, &c, H5_CHUNK, "a fixed array is too large");
        if (page + 1 == pages && a->count % a->page) {
            elements = a->count % a->page;
            page_bytes = elements * a->width + 4; /* smaller than a whole page, which did not overflow */
        }
        LC_TRY(lc_h5_checksum_once(h5, start, page_bytes, SIZE_MAX, "a fixed array's page", err));
        LC_TRY(lc_h5_block(h5, start, page_bytes, "fixed array page", &c, err));
        lc_cursor_skip(&c, inside * a->width);
    }
    if (!read_element(h5, k, &c, a->width, address, size, mask)) return LC_H5_BAD(h5, &c, H5_CHUNK, "a fixed array is cut short");
    return LC_OK;
}

typedef struct extensible_array {
    unsigned width, bits, offset_bytes; /* element bytes; bits of the largest number; bytes of a block's offset */
    uint64_t in_index, least, page;     /* elements in the index block; of the smallest data block; of a page */
    uint64_t index_block, block_slots, super_slots;
    unsigned direct; /* super blocks whose data blocks the index block lists itself */
} extensible_array;

static lc_status open_extensible(lc_h5 *h5, const lc_h5_chunks *k, extensible_array *a, lc_error *err) {
    lc_cursor c;
    uint64_t size = (uint64_t)16 + 6u * h5->length_size + h5->offset_size;
    LC_TRY(lc_h5_signed_block(h5, k->address, size, "EAHD", &c, err));
    uint8_t version = lc_read_u8(&c), client = lc_read_u8(&c);
    *a = (extensible_array){.width = lc_read_u8(&c)};
    a->bits = lc_read_u8(&c);
    a->in_index = lc_read_u8(&c);
    a->least = lc_read_u8(&c);
    uint64_t pointers = lc_read_u8(&c);
    uint8_t page_bits = lc_read_u8(&c);
    for (int i = 0; i < 6; i++) lc_h5_length(h5, &c); /* statistics */
    a->index_block = lc_h5_offset(h5, &c);
    bool powers = a->least && !(a->least & (a->least - 1)) && pointers && !(pointers & (pointers - 1));
    if (c.failed || version != 0 || client != k->filtered || !element_width_ok(h5, k, a->width) || !powers || a->bits > 64 ||
        a->bits < log2_floor(a->least) || page_bits > 32 || pointers < 2)
        return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array's header is malformed");
    unsigned supers = 1 + a->bits - log2_floor(a->least);
    a->direct = 2 * log2_floor(pointers);
    if (a->direct > supers) return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array's header is malformed");
    a->page = (uint64_t)1 << page_bits;
    a->offset_bytes = (a->bits + 7) / 8;
    a->block_slots = 2 * (pointers - 1);
    a->super_slots = supers - a->direct;
    return lc_h5_checksum(h5, k->address, size, SIZE_MAX, "an extensible array's header", err);
}

/* Common front of super and data blocks: signature, version, client, owner, offset. */
static bool array_prefix(const lc_h5 *h5, const lc_h5_chunks *k, const extensible_array *a, lc_cursor *c) {
    uint8_t version = lc_read_u8(c), client = lc_read_u8(c);
    uint64_t owner = lc_h5_offset(h5, c);
    lc_read_uint(c, a->offset_bytes ? a->offset_bytes : 1);
    return !c->failed && version == 0 && client == k->filtered && owner == k->address;
}

/* Element `n` of a data block with `count` elements. `present`: the page bits of a super block (NULL when there are none),
 * where this block's begin at bit `first_page`. */
static lc_status data_element(lc_h5 *h5, const lc_h5_chunks *k, extensible_array *a, uint64_t block, uint64_t count, uint64_t n,
                              const lc_cursor *present, uint64_t first_page, uint64_t *address, uint64_t *size, uint32_t *mask,
                              lc_error *err) {
    if (block == LC_H5_NOWHERE) return LC_OK;
    bool paged = count > a->page;
    uint64_t head = (uint64_t)6 + h5->offset_size + a->offset_bytes, body, whole;
    if (!lc_mul_u64(paged ? 0 : count, a->width, &body) || !lc_add_u64(head, body, &whole) || !lc_add_u64(whole, 4, &whole))
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_CHUNK, block, "an extensible array is too large");
    lc_cursor c;
    LC_TRY(lc_h5_signed_block(h5, block, whole, "EADB", &c, err));
    if (!array_prefix(h5, k, a, &c)) return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array's data block does not belong where it is");
    LC_TRY(lc_h5_checksum_once(h5, block, whole, SIZE_MAX, "an extensible array's data block", err));
    uint64_t at, start, page_bytes;
    if (!paged) {
        if (!lc_mul_u64(n, a->width, &at)) return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array is too large");
        lc_cursor_skip(&c, at);
    } else {
        uint64_t page = n / a->page;
        if (present) {
            lc_cursor bits = *present;
            uint64_t bit;
            if (!lc_add_u64(first_page, page, &bit)) return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array is too large");
            lc_cursor_skip(&bits, bit / 8);
            if (!(lc_read_u8(&bits) >> (7 - bit % 8) & 1)) return LC_OK;
        }
        if (!lc_mul_u64(a->page, a->width, &page_bytes) || !lc_add_u64(page_bytes, 4, &page_bytes) ||
            !lc_mul_u64(page, page_bytes, &start) || !lc_add_u64(start, whole, &start) || !lc_add_u64(start, block, &start))
            return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array is too large");
        LC_TRY(lc_h5_checksum_once(h5, start, page_bytes, SIZE_MAX, "an extensible array's page", err));
        LC_TRY(lc_h5_block(h5, start, page_bytes, "extensible array page", &c, err));
        lc_cursor_skip(&c, n % a->page * a->width);
    }
    if (!read_element(h5, k, &c, a->width, address, size, mask)) return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array is cut short");
    return LC_OK;
}

static lc_status extensible_element(lc_h5 *h5, const lc_h5_chunks *k, extensible_array *a, uint64_t n, uint64_t *address, uint64_t *size,
                                    uint32_t *mask, lc_error *err) {
    *address = LC_H5_NOWHERE;
    if (a->index_block == LC_H5_NOWHERE) return LC_OK;
    uint64_t inline_bytes = a->in_index * a->width; /* both are bytes of the header */
    uint64_t whole = (uint64_t)10 + h5->offset_size + inline_bytes + (a->block_slots + a->super_slots) * h5->offset_size;
    lc_cursor c;
    LC_TRY(lc_h5_signed_block(h5, a->index_block, whole, "EAIB", &c, err));
    uint8_t version = lc_read_u8(&c), client = lc_read_u8(&c);
    uint64_t owner = lc_h5_offset(h5, &c);
    if (c.failed || version != 0 || client != k->filtered || owner != k->address)
        return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array's index does not belong where it is");
    LC_TRY(lc_h5_checksum_once(h5, a->index_block, whole, SIZE_MAX, "an extensible array's index", err));
    if (n < a->in_index) {
        lc_cursor_skip(&c, n * a->width);
        if (!read_element(h5, k, &c, a->width, address, size, mask)) return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array is cut short");
        return LC_OK;
    }
    lc_cursor_skip(&c, inline_bytes);
    n -= a->in_index;
    /* Super block s has 2^(s/2) data blocks of least * 2^((s+1)/2) elements; the ones before it hold least * (2^s - 1). */
    uint64_t ratio = n / a->least;
    if (ratio == UINT64_MAX) return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array has no element %llu", (unsigned long long)n);
    unsigned s = log2_floor(ratio + 1);
    uint64_t blocks = (uint64_t)1 << (s / 2), elements, before;
    if (s >= a->direct + a->super_slots || !lc_mul_u64(a->least, (uint64_t)1 << ((s + 1) / 2), &elements) ||
        !lc_mul_u64(a->least, ((uint64_t)1 << s) - 1, &before))
        return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array has no element %llu", (unsigned long long)n);
    uint64_t block = (n - before) / elements, inside = (n - before) % elements;
    if (s < a->direct) {
        /* Data blocks before those of super block s: 1 + 1 + 2 + 2 + 4 + 4 ... */
        uint64_t first = ((uint64_t)1 << ((s + 1) / 2)) + ((uint64_t)1 << (s / 2)) - 2;
        lc_cursor_skip(&c, (first + block) * h5->offset_size);
        uint64_t at = lc_h5_offset(h5, &c);
        if (c.failed) return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array's index is cut short");
        return data_element(h5, k, a, at, elements, inside, NULL, 0, address, size, mask, err);
    }
    lc_cursor_skip(&c, (a->block_slots + s - a->direct) * h5->offset_size);
    uint64_t super = lc_h5_offset(h5, &c);
    if (c.failed) return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array's index is cut short");
    if (super == LC_H5_NOWHERE) return LC_OK;
    uint64_t pages = elements > a->page ? elements / a->page : 0, bitmap = pages / 8 + (pages % 8 != 0), bitmaps, slots;
    if (!lc_mul_u64(bitmap, blocks, &bitmaps) || !lc_mul_u64(blocks, h5->offset_size, &slots) || !lc_add_u64(bitmaps, slots, &whole) ||
        !lc_add_u64(whole, (uint64_t)10 + h5->offset_size + a->offset_bytes, &whole))
        return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array is too large");
    LC_TRY(lc_h5_signed_block(h5, super, whole, "EASB", &c, err));
    if (!array_prefix(h5, k, a, &c)) return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array's super block does not belong where it is");
    LC_TRY(lc_h5_checksum_once(h5, super, whole, SIZE_MAX, "an extensible array's super block", err));
    lc_cursor present = c;
    lc_cursor_skip(&c, bitmaps);
    lc_cursor_skip(&c, block * h5->offset_size);
    uint64_t at = lc_h5_offset(h5, &c);
    if (c.failed) return LC_H5_BAD(h5, &c, H5_CHUNK, "an extensible array's super block is cut short");
    return data_element(h5, k, a, at, elements, inside, pages ? &present : NULL, block * pages, address, size, mask, err);
}

/* ---- all ---- */

/* The one dimension without a maximum goes in front in an extensible array. */
static int32_t growing_dimension(const lc_h5_chunks *k) {
    for (int32_t d = 0; d < k->rank; d++)
        if (k->max_dims[d] == UINT64_MAX) return d;
    return 0;
}

static lc_status each_numbered(lc_h5 *h5, const walk *w, lc_error *err) {
    const lc_h5_chunks *k = w->k;
    fixed_array fixed = {0};
    extensible_array extensible;
    int32_t first = 0;
    if (k->index == LC_H5_INDEX_FIXED) LC_TRY(open_fixed(h5, k, &fixed, err));
    if (k->index == LC_H5_INDEX_EXTENSIBLE) {
        LC_TRY(open_extensible(h5, k, &extensible, err));
        first = growing_dimension(k);
    }
    uint64_t place[LC_H5_MAX_RANK] = {0};
    for (uint64_t i = 0; i < k->count; i++) {
        uint64_t n, address = k->address, size = k->bytes, skip;
        uint32_t mask = 0;
        if (!chunk_number(k, place, first, &n))
            return LC_SOURCE_FAIL(err, LC_INVALID, H5_CHUNK, k->address, "a chunk index cannot number its chunks");
        if (k->index == LC_H5_INDEX_IMPLICIT) {
            if (!lc_mul_u64(n, k->bytes, &skip) || !lc_add_u64(address, skip, &address))
                return LC_SOURCE_FAIL(err, LC_INVALID, H5_CHUNK, k->address, "chunks reach past the end of the file");
        } else if (k->index == LC_H5_INDEX_FIXED) {
            LC_TRY(fixed_element(h5, k, &fixed, n, &address, &size, &mask, err));
        } else {
            LC_TRY(extensible_element(h5, k, &extensible, n, &address, &size, &mask, err));
        }
        if (address != LC_H5_NOWHERE) LC_TRY(w->fn(h5, w->user, place, address, size, mask, err));
        for (int32_t d = k->rank; d-- > 0;) {
            if (++place[d] < k->grid[d]) break;
            place[d] = 0;
        }
    }
    return LC_OK;
}

lc_status lc_h5_each_chunk(lc_h5 *h5, const lc_h5_chunks *k, lc_h5_chunk_fn fn, void *user, lc_error *err) {
    if (k->address == LC_H5_NOWHERE || !k->count) return LC_OK;
    walk w = {k, fn, user};
    uint64_t place[LC_H5_MAX_RANK] = {0};
    switch (k->index) {
    case LC_H5_INDEX_TREE1: return walk_tree1(h5, &w, k->address, -1, err);
    case LC_H5_INDEX_TREE2: return lc_h5_tree2(h5, k->address, k->filtered ? 11 : 10, visit_chunk, &w, err);
    case LC_H5_INDEX_SINGLE:
        if (k->count != 1)
            return LC_SOURCE_FAIL(err, LC_INVALID, H5_CHUNK, k->address, "a single-chunk dataset needs %llu chunks",
                                  (unsigned long long)k->count);
        return fn(h5, user, place, k->address, k->filtered ? k->single_size : k->bytes, k->single_mask, err);
    default: return each_numbered(h5, &w, err);
    }
}
