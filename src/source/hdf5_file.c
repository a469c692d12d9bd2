/*
 * hdf5_file.c: the frame of an HDF5 file: superblock, object headers, metadata checksum.
 *
 * The idea: an object header is a list of typed messages, in one block or spread over continuation blocks. It is parsed
 * once into windows over the mapped file and kept under its address, so that hard links that lead in a circle find the
 * same object again and cost nothing. Nothing is copied; what a message means is the business of the other hdf5_*.c.
 *
 * Stays true: every window lies inside [superblock, stored end of file); a version 2 header or block is only read after
 * its checksum was right; an object's blocks together are no larger than the file.
 *
 * Refuses: files cut short, split over several files (driver information), left open by their writer, shared messages,
 * unknown versions of anything.
 *
 * Spec: HDF5 File Format Specification Version 3.0, sections II and IV.A; checksum: Bob Jenkins, lookup3.c, 2006.
 */
#include "source/hdf5_impl.h"

#include <string.h>

#define SIGNATURE "\211HDF\r\n\032\n"
#define MAX_BLOCKS 4096u     /* header blocks of one object */
#define MAX_MESSAGES 262144u /* messages of one object */
#define MAX_PATH 200u        /* characters of a path in messages */

/* ---- numbers and blocks ---- */

uint64_t lc_h5_offset(const lc_h5 *h5, lc_cursor *c) {
    uint64_t v = lc_read_uint(c, h5->offset_size), all = UINT64_MAX >> (64 - 8 * h5->offset_size);
    return v == all ? LC_H5_NOWHERE : v;
}

uint64_t lc_h5_length(const lc_h5 *h5, lc_cursor *c) { return lc_read_uint(c, h5->length_size); }

lc_status lc_h5_block(const lc_h5 *h5, uint64_t address, uint64_t size, const char *what, lc_cursor *block, lc_error *err) {
    *block = lc_cursor_window(&h5->file, address, size);
    if (!block->failed) return LC_OK;
    if (address == LC_H5_NOWHERE) return LC_SOURCE_FAIL(err, LC_INVALID, H5_RANGE, LC_NO_OFFSET, "%s has no address", what);
    return LC_SOURCE_FAIL(err, LC_INVALID, H5_RANGE, LC_NO_OFFSET,
                          "%s at %llu with %llu bytes reaches past the end of the file (%llu bytes)", what, (unsigned long long)address,
                          (unsigned long long)size, (unsigned long long)lc_cursor_left(&h5->file));
}

lc_status lc_h5_signed_block(const lc_h5 *h5, uint64_t address, uint64_t size, const char *signature, lc_cursor *block, lc_error *err) {
    LC_TRY(lc_h5_block(h5, address, size, signature, block, err));
    const uint8_t *p = lc_read_bytes(block, 4);
    if (!p || memcmp(p, signature, 4) != 0)
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_SIGNATURE, address, "no '%s' block where one is expected, at %llu", signature,
                              (unsigned long long)address);
    return LC_OK;
}

/* More levels than a file of 2^64 bytes can need. */
#define MAX_TREE_LEVEL 32

lc_status lc_h5_tree1_node(lc_h5 *h5, uint64_t address, uint8_t type, int level, lc_cursor *c, uint8_t *stored, uint16_t *count,
                           lc_error *err) {
    const char *what = type == 0 ? "a group" : "a chunk";
    const uint64_t left = lc_cursor_left(&h5->file);
    LC_TRY(lc_h5_signed_block(h5, address, address < left ? left - address : 4, "TREE", c, err));
    const uint8_t found = lc_read_u8(c);
    *stored = lc_read_u8(c);
    *count = lc_read_u16(c);
    lc_h5_offset(h5, c), lc_h5_offset(h5, c); /* siblings */
    if (c->failed || found != type) return LC_H5_BAD(h5, c, H5_BTREE, "%s B-tree node is malformed", what);
    if (*stored > MAX_TREE_LEVEL || (level >= 0 && *stored != level))
        return LC_H5_BAD(h5, c, H5_BTREE, "%s B-tree has a node of level %u in the wrong place", what, *stored);
    return lc_h5_count(h5, (uint64_t)*count + 1, err); /* checked: 16 bits and one */
}

#define ROTATE(x, k) ((x) << (k) | (x) >> (32 - (k)))

/* The word at i, with the bytes of the hole as zeros. */
static uint32_t hash_word(const uint8_t *p, size_t i, size_t n, size_t hole) {
    uint32_t v = 0;
    for (size_t k = 0; k < n; k++) {
        bool in_hole = i + k >= hole && i + k - hole < 4;
        v |= (uint32_t)(in_hole ? 0 : p[i + k]) << 8 * k;
    }
    return v;
}

uint32_t lc_h5_lookup3(const uint8_t *data, size_t size, size_t hole) {
    uint32_t a, b, c;
    a = b = c = 0xdeadbeefu + (uint32_t)size;
    size_t i = 0, left = size;
    for (; left > 12; i += 12, left -= 12) {
        a += hash_word(data, i, 4, hole);
        b += hash_word(data, i + 4, 4, hole);
        c += hash_word(data, i + 8, 4, hole);
        a -= c, a ^= ROTATE(c, 4), c += b;
        b -= a, b ^= ROTATE(a, 6), a += c;
        c -= b, c ^= ROTATE(b, 8), b += a;
        a -= c, a ^= ROTATE(c, 16), c += b;
        b -= a, b ^= ROTATE(a, 19), a += c;
        c -= b, c ^= ROTATE(b, 4), b += a;
    }
    if (!left) return c;
    a += hash_word(data, i, left < 4 ? left : 4, hole);
    if (left > 4) b += hash_word(data, i + 4, left < 8 ? left - 4 : 4, hole);
    if (left > 8) c += hash_word(data, i + 8, left - 8, hole);
    c ^= b, c -= ROTATE(b, 14);
    a ^= c, a -= ROTATE(c, 11);
    b ^= a, b -= ROTATE(a, 25);
    c ^= b, c -= ROTATE(b, 16);
    a ^= c, a -= ROTATE(c, 4);
    b ^= a, b -= ROTATE(a, 14);
    c ^= b, c -= ROTATE(b, 24);
    return c;
}

lc_status lc_h5_checksum(lc_h5 *h5, uint64_t address, uint64_t size, size_t hole, const char *what, lc_error *err) {
    lc_cursor block;
    LC_TRY(lc_h5_block(h5, address, size, what, &block, err));
    if (size < 4) return LC_H5_BAD(h5, &block, H5_CHECKSUM, "%s has no room for its checksum", what);
    /* Blocks of an honest file do not overlap: each byte is hashed once. */
    if (!lc_add_u64(h5->hashed, size, &h5->hashed) || h5->hashed / 2 > lc_cursor_left(&h5->file))
        return LC_H5_BAD(h5, &block, H5_OVERLAP, "metadata blocks overlap: together they are larger than the file");
    lc_cursor stored = block;
    const uint8_t *data = lc_read_bytes(&stored, size - 4);
    uint32_t want = lc_read_u32(&stored), found = data ? lc_h5_lookup3(data, (size_t)size - 4, hole) : 0;
    if (stored.failed || LC_H5_SUMS_DIFFER(want, found))
        return LC_H5_BAD(h5, &block, H5_CHECKSUM, "the checksum of %s is 0x%08x, its bytes give 0x%08x", what, want, found);
    return LC_OK;
}

/* ---- address table ---- */

static size_t slot_of(const lc_h5_table *t, uint64_t key) {
    size_t mask = t->capacity - 1, i = (size_t)lc_hash(&key, sizeof key, 0) & mask;
    while (t->keys[i] && t->keys[i] != key) i = (i + 1) & mask;
    return i;
}

void *lc_h5_table_get(const lc_h5_table *t, uint64_t key) {
    if (!t->capacity || key == UINT64_MAX) return NULL;
    size_t i = slot_of(t, key + 1);
    return t->keys[i] ? t->values[i] : NULL;
}

bool lc_h5_table_put(lc_h5_table *t, lc_arena *arena, uint64_t key, void *value) {
    if (key == UINT64_MAX) return false;
    if (t->count >= t->capacity / 2) {
        lc_h5_table wider = {.capacity = t->capacity ? t->capacity * 2 : 64, .count = t->count};
        wider.keys = lc_arena_array(arena, wider.capacity, sizeof *wider.keys);
        wider.values = lc_arena_array(arena, wider.capacity, sizeof *wider.values);
        if (!wider.keys || !wider.values) return false;
        for (size_t k = 0; k < t->capacity; k++) {
            if (!t->keys[k]) continue;
            size_t i = slot_of(&wider, t->keys[k]);
            wider.keys[i] = t->keys[k];
            wider.values[i] = t->values[k];
        }
        *t = wider;
    }
    size_t i = slot_of(t, key + 1);
    if (!t->keys[i]) t->count++;
    t->keys[i] = key + 1;
    t->values[i] = value;
    return true;
}

/* ---- counting ---- */

lc_status lc_h5_count(lc_h5 *h5, uint64_t n, lc_error *err) {
    if (lc_add_u64(h5->records, n, &h5->records) && h5->records <= lc_cursor_left(&h5->file) / 4) return LC_OK;
    return LC_SOURCE_FAIL(err, LC_INVALID, H5_OVERLAP, LC_NO_OFFSET,
                          "the file's structures lead in a circle or overlap: more entries than its %llu bytes can hold",
                          (unsigned long long)lc_cursor_left(&h5->file));
}

/* ---- object headers ---- */

const lc_h5_message *lc_h5_find_message(const lc_h5_object *object, uint16_t type) {
    for (size_t i = 0; i < object->message_count; i++)
        if (object->messages[i].type == type) return &object->messages[i];
    return NULL;
}

lc_status lc_h5_body(const lc_h5 *h5, const lc_h5_object *object, uint16_t type, const char *what, lc_cursor *body, lc_error *err) {
    const lc_h5_message *m = lc_h5_find_message(object, type);
    if (!m) return LC_SOURCE_FAIL(err, LC_INVALID, H5_HEADER, object->address, "'%s' has no %s", object->path, what);
    if (m->flags & 0x02) {
        LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_SHARED, lc_h5_at(h5, &m->body), "'%s': its %s is shared with another object", object->path,
                       what);
        lc_error_hint(err, "Keras does not write such files: save the model again with model.save(...)");
        return LC_UNSUPPORTED;
    }
    *body = m->body;
    return LC_OK;
}

typedef struct blocks {
    uint64_t address[64], size[64]; /* waiting continuation blocks, a ring */
    uint32_t head, count, seen;
    uint64_t bytes;
} blocks;

static lc_status add_block(const lc_h5 *h5, blocks *b, uint64_t address, uint64_t size, lc_error *err) {
    if (b->count == 64 || ++b->seen > MAX_BLOCKS || !lc_add_u64(b->bytes, size, &b->bytes) || b->bytes > lc_cursor_left(&h5->file))
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_HEADER, address, "an object header's continuation blocks lead in a circle");
    uint32_t i = (b->head + b->count++) % 64;
    b->address[i] = address;
    b->size[i] = size;
    return LC_OK;
}

static lc_status add_message(lc_h5 *h5, lc_h5_object *object, blocks *b, uint16_t type, uint8_t flags, lc_cursor body, lc_error *err) {
    if (type == LC_H5_MSG_CONTINUATION) {
        uint64_t address = lc_h5_offset(h5, &body), size = lc_h5_length(h5, &body);
        if (body.failed) return LC_H5_BAD(h5, &body, H5_HEADER, "a continuation message is cut short");
        return add_block(h5, b, address, size, err);
    }
    if (type == 0) return LC_OK; /* NIL: free space */
    if (type > LC_H5_MSG_LAST_KNOWN && (flags & 0x80))
        return LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_HEADER, lc_h5_at(h5, &body),
                              "header message of unknown type 0x%x, which a reader must know", type);
    if (object->message_count >= MAX_MESSAGES)
        return LC_H5_BAD(h5, &body, H5_HEADER, "an object header has more than %u messages", MAX_MESSAGES);
    LC_TRY(lc_h5_count(h5, 1, err));
    void *items = object->messages;
    if (!lc_arena_grow(h5->arena, &items, &object->message_capacity, object->message_count + 1, sizeof *object->messages))
        return lc_fail_memory(err, "HDF5 messages");
    object->messages = items;
    object->messages[object->message_count++] = (lc_h5_message){body, type, flags};
    return LC_OK;
}

static lc_status parse_messages_v1(lc_h5 *h5, lc_h5_object *object, blocks *b, lc_cursor c, lc_error *err) {
    while (lc_cursor_left(&c) >= 8) {
        uint16_t type = lc_read_u16(&c), size = lc_read_u16(&c);
        uint8_t flags = lc_read_u8(&c);
        lc_cursor_skip(&c, 3);
        lc_cursor body = lc_cursor_take(&c, size);
        if (body.failed) return LC_H5_BAD(h5, &c, H5_HEADER, "a header message of %u bytes does not fit into its block", size);
        LC_TRY(add_message(h5, object, b, type, flags, body, err));
    }
    return LC_OK;
}

static lc_status parse_messages_v2(lc_h5 *h5, lc_h5_object *object, blocks *b, lc_cursor c, bool ordered, lc_error *err) {
    while (lc_cursor_left(&c) >= (ordered ? 6u : 4u)) {
        uint8_t type = lc_read_u8(&c);
        uint16_t size = lc_read_u16(&c);
        uint8_t flags = lc_read_u8(&c);
        if (ordered) lc_cursor_skip(&c, 2);
        lc_cursor body = lc_cursor_take(&c, size);
        if (body.failed) return LC_H5_BAD(h5, &c, H5_HEADER, "a header message of %u bytes does not fit into its block", size);
        LC_TRY(add_message(h5, object, b, type, flags, body, err));
    }
    return LC_OK;
}

static lc_status parse_header_v1(lc_h5 *h5, lc_h5_object *object, lc_error *err) {
    lc_cursor c;
    LC_TRY(lc_h5_block(h5, object->address, 16, "object header", &c, err));
    lc_cursor_skip(&c, 8); /* version, reserved, number of messages, reference count */
    uint64_t size = lc_read_u32(&c), first;
    blocks b = {0};
    if (!lc_add_u64(object->address, 16, &first)) return LC_H5_BAD(h5, &c, H5_HEADER, "an object header lies past the end of the file");
    LC_TRY(add_block(h5, &b, first, size, err));
    for (; b.count; b.count--, b.head = (b.head + 1) % 64) {
        LC_TRY(lc_h5_block(h5, b.address[b.head], b.size[b.head], "object header block", &c, err));
        LC_TRY(parse_messages_v1(h5, object, &b, c, err));
    }
    return LC_OK;
}

static lc_status parse_header_v2(lc_h5 *h5, lc_h5_object *object, lc_error *err) {
    lc_cursor c = lc_cursor_window(&h5->file, object->address, lc_cursor_left(&h5->file) - object->address);
    lc_cursor_skip(&c, 4);
    uint8_t version = lc_read_u8(&c), flags = lc_read_u8(&c);
    if (version != 2)
        return LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_HEADER, lc_h5_at(h5, &c), "object header version %u (known: 1 and 2)", version);
    if (flags & 0x20) lc_cursor_skip(&c, 16); /* four times */
    if (flags & 0x10) lc_cursor_skip(&c, 4);  /* when attributes become dense */
    uint64_t size = lc_read_uint(&c, 1u << (flags & 3)), start = lc_cursor_at(&c), whole;
    bool ordered = flags & 0x04;
    if (c.failed || !lc_add_u64(start - object->address, size, &whole) || !lc_add_u64(whole, 4, &whole))
        return LC_H5_BAD(h5, &c, H5_HEADER, "an object header is cut short");
    LC_TRY(lc_h5_checksum(h5, object->address, whole, SIZE_MAX, "an object header", err));
    blocks b = {0};
    LC_TRY(parse_messages_v2(h5, object, &b, lc_cursor_window(&h5->file, start, size), ordered, err));
    for (; b.count; b.count--, b.head = (b.head + 1) % 64) {
        uint64_t length = b.size[b.head];
        LC_TRY(lc_h5_signed_block(h5, b.address[b.head], length, "OCHK", &c, err));
        LC_TRY(lc_h5_checksum(h5, b.address[b.head], length, SIZE_MAX, "an object header block", err));
        if (lc_cursor_left(&c) < 4) return LC_H5_BAD(h5, &c, H5_HEADER, "an object header block is too small");
        LC_TRY(parse_messages_v2(h5, object, &b, lc_cursor_take(&c, lc_cursor_left(&c) - 4), ordered, err));
    }
    return LC_OK;
}

/* parent/name with what is not printable as '?', shortened in front: for messages only. */
static char *make_path(lc_h5 *h5, const lc_h5_object *parent, lc_str name) {
    if (!parent) return lc_arena_strndup(h5->arena, "/", 1);
    const char *above = parent->path[1] ? parent->path : "";
    int n = (int)(name.size < MAX_PATH / 2 ? name.size : MAX_PATH / 2);
    size_t keep = strlen(above);
    if (keep > MAX_PATH / 2) above += keep - MAX_PATH / 2;
    char *path = lc_arena_printf(h5->arena, "%s/%.*s%s", above, n, name.data, (size_t)n < name.size ? "..." : "");
    for (char *p = path; p && *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
    return path;
}

lc_status lc_h5_object_at(lc_h5 *h5, uint64_t address, const lc_h5_object *parent, lc_str name, lc_h5_object **out, lc_error *err) {
    *out = lc_h5_table_get(&h5->objects, address);
    if (*out) return LC_OK;
    LC_TRY(lc_budget_tables(h5->budget, 1, "HDF5 objects", err));
    lc_h5_object *object = lc_arena_alloc(h5->arena, sizeof *object);
    if (!object) return lc_fail_memory(err, "HDF5 object");
    object->address = address;
    object->path = make_path(h5, parent, name);
    if (!object->path) return lc_fail_memory(err, "HDF5 path");
    lc_cursor c;
    lc_status status = lc_h5_block(h5, address, 4, "object header", &c, err);
    const uint8_t *p = status ? NULL : lc_read_bytes(&c, 4);
    if (p && memcmp(p, "OHDR", 4) == 0) status = parse_header_v2(h5, object, err);
    else if (p && p[0] == 1) status = parse_header_v1(h5, object, err);
    else if (p)
        status = LC_SOURCE_FAIL(err, LC_INVALID, H5_HEADER, lc_h5_at(h5, &c),
                                "no object header where a link points (its first byte is 0x%02x)", p[0]);
    if (status != LC_OK) {
        lc_error_prefix(err, "'%s'", object->path);
        return status;
    }
    if (!lc_h5_table_put(&h5->objects, h5->arena, address, object)) return lc_fail_memory(err, "HDF5 objects");
    *out = object;
    return LC_OK;
}

/* ---- superblock ---- */

/* Offset of the superblock: 0, or a power of two from 512 on when a user block lies in front. */
static bool find_superblock(const void *data, size_t size, uint64_t *at) {
    lc_cursor all = lc_cursor_make(data, size);
    for (uint64_t offset = 0; offset < size; offset = offset ? offset << 1 : 512) {
        lc_cursor c = lc_cursor_window(&all, offset, 8);
        const uint8_t *p = lc_read_bytes(&c, 8);
        if (p && memcmp(p, SIGNATURE, 8) == 0) {
            *at = offset;
            return true;
        }
    }
    return false;
}

bool lc_h5_probe(const void *data, size_t size) {
    uint64_t at;
    return find_superblock(data, size, &at);
}

static lc_status check_widths(lc_h5 *h5, const lc_cursor *c, lc_error *err) {
    unsigned o = h5->offset_size, l = h5->length_size;
    if ((o == 2 || o == 4 || o == 8) && (l == 2 || l == 4 || l == 8)) return LC_OK;
    return LC_H5_BAD(h5, c, H5_SUPERBLOCK, "addresses of %u bytes and lengths of %u bytes (known: 2, 4, 8)", o, l);
}

/* Reads the superblock; *end is the stored end of the file and *root the root group's header. */
static lc_status parse_superblock(lc_h5 *h5, uint64_t *end, uint64_t *root, lc_error *err) {
    uint64_t base;
    lc_cursor c = h5->file;
    lc_cursor_skip(&c, 8);
    uint8_t version = lc_read_u8(&c);
    if (version > 3) {
        LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_SUPERBLOCK, lc_h5_at(h5, &c), "HDF5 superblock version %u (known: 0 to 3)", version);
        lc_error_hint(err, "save the model again with h5py's default libver");
        return LC_UNSUPPORTED;
    }
    uint64_t driver = LC_H5_NOWHERE;
    if (version < 2) {
        lc_cursor_skip(&c, 4); /* versions of the parts, reserved */
        h5->offset_size = lc_read_u8(&c);
        h5->length_size = lc_read_u8(&c);
        LC_TRY(check_widths(h5, &c, err));
        lc_cursor_skip(&c, version == 1 ? 13 : 9); /* reserved, B-tree sizes, flags */
        base = lc_h5_offset(h5, &c);
        lc_h5_offset(h5, &c); /* free space */
        *end = lc_h5_offset(h5, &c);
        driver = lc_h5_offset(h5, &c);
        lc_h5_offset(h5, &c); /* name of the root link */
        *root = lc_h5_offset(h5, &c);
    } else {
        h5->offset_size = lc_read_u8(&c);
        h5->length_size = lc_read_u8(&c);
        LC_TRY(check_widths(h5, &c, err));
        uint8_t flags = lc_read_u8(&c);
        base = lc_h5_offset(h5, &c);
        lc_h5_offset(h5, &c); /* extension: nothing in it that a reader of Keras files needs */
        *end = lc_h5_offset(h5, &c);
        *root = lc_h5_offset(h5, &c);
        if (c.failed) return LC_H5_BAD(h5, &c, H5_SUPERBLOCK, "the superblock is cut short");
        uint64_t size;
        if (!lc_add_u64(lc_cursor_at(&c), 4, &size)) return LC_H5_BAD(h5, &c, H5_SUPERBLOCK, "the superblock is cut short");
        LC_TRY(lc_h5_checksum(h5, 0, size, SIZE_MAX, "the superblock", err));
        if (version == 3 && (flags & 0x01)) {
            LC_SOURCE_FAIL(err, LC_INVALID, H5_SUPERBLOCK, h5->origin, "the HDF5 file was not closed by the program that wrote it");
            lc_error_hint(err, "write it again, or clear the mark with: h5clear -s FILE");
            return LC_INVALID;
        }
    }
    if (c.failed) return LC_H5_BAD(h5, &c, H5_SUPERBLOCK, "the superblock is cut short");
    /* Addresses count from the superblock, wherever it lies now; only the end of the file counts from the base it had. */
    if (*end < base) return LC_H5_BAD(h5, &c, H5_SUPERBLOCK, "the superblock's addresses make no sense");
    *end -= base;
    if (driver != LC_H5_NOWHERE)
        return LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_SUPERBLOCK, h5->origin,
                              "an HDF5 file that is split over several files (driver information block)");
    return LC_OK;
}

lc_status lc_h5_open(const void *data, size_t size, uint64_t origin, lc_budget *budget, lc_arena *arena, lc_arena *decoded, lc_h5 **out,
                     lc_error *err) {
    *out = NULL;
    uint64_t at, end = 0, root = 0;
    if (!find_superblock(data, size, &at))
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_SUPERBLOCK, origin, "not an HDF5 file: it has no HDF5 signature");
    lc_h5 *h5 = lc_arena_alloc(arena, sizeof *h5);
    if (!h5) return lc_fail_memory(err, "HDF5 file");
    h5->budget = budget;
    h5->arena = arena;
    h5->decoded_arena = decoded;
    lc_cursor all = lc_cursor_make(data, size);
    lc_cursor_skip(&all, at);
    size_t left = lc_cursor_left(&all);
    h5->file = lc_cursor_make(lc_read_bytes(&all, left), left);
    if (!lc_add_u64(origin, at, &h5->origin)) return lc_fail(err, LC_INVALID, "the HDF5 file lies past the end of its container");
    LC_TRY(parse_superblock(h5, &end, &root, err));
    if (end > left) {
        LC_SOURCE_FAIL(err, LC_INVALID, H5_TRUNCATED, h5->origin, "the HDF5 file is cut short: it says it has %llu bytes, %llu are there",
                       (unsigned long long)end, (unsigned long long)left);
        lc_error_hint(err, "copy or download the file again");
        return LC_INVALID;
    }
    h5->file = lc_cursor_window(&h5->file, 0, end);
    LC_TRY(lc_h5_object_at(h5, root, NULL, LC_STR("/"), &h5->root, err));
    *out = h5;
    return LC_OK;
}

lc_h5_object *lc_h5_root(const lc_h5 *h5) { return h5->root; }
const char *lc_h5_path(const lc_h5_object *object) { return object->path; }

bool lc_h5_mark(lc_h5_object *object) {
    bool before = object->marked;
    object->marked = true;
    return before;
}
