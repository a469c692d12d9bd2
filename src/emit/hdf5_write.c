/*
 * hdf5_write.c: an HDF5 file in the oldest form there is (superblock 0, object headers 1, groups as B-trees), which every reader knows.
 *
 *   superblock │ texts (global heap) │ each node: entries, names, B-tree, header; children first │ the numbers of all arrays
 *
 * Everything refers to everything by its place in the file, so a file is written twice: first to nowhere, which tells the places, then to
 * the sink. Both times do the same, so no size is worked out on its own.
 *
 * Stays true: texts are of variable length and lie in the heap, as h5py has it, so none is too long for an attribute (64 KB); members of a
 * group are in the order of their bytes; equal contents give equal bytes (no times); every block begins at a multiple of 8.
 *
 * Refuses: two things under one name, names that are empty or ".", attributes over 64 KB.
 *
 * Spec: HDF5 File Format Specification 3.0, III.A (B-trees 1), III.C-E (heaps), IV.A (object headers and messages).
 */
#include "emit/hdf5_write.h"

#include <stdlib.h>
#include <string.h>

enum {
    LEAF_K = 4,  /* half of the entries of a group node */
    TREE_K = 16, /* half of the children of a B-tree node */
    ENTRIES = 2 * LEAF_K,
    CHILDREN = 2 * TREE_K,
    ENTRY_SIZE = 40,
    LEAF_SIZE = 8 + ENTRIES * ENTRY_SIZE,
    TREE_SIZE = 24 + (CHILDREN + 1) * 8 + CHILDREN * 8,
    OBJECT_HEAD = 16,      /* of an object in a heap, of a heap, and of an object header */
    HEAP_LEAST = 4096,     /* readers take no smaller heap */
    HEAP_ENOUGH = 1 << 16, /* then the next one begins */
    REFERENCE = 16,        /* a text where it is mentioned: its length, its heap, its number there */
};
#define NOWHERE UINT64_MAX

/* Messages of an object header. */
enum { DATASPACE = 1, DATATYPE = 3, FILL = 5, LAYOUT = 8, ATTRIBUTE = 12, SYMBOL_TABLE = 17 };

typedef struct attribute {
    struct attribute *next;
    const char *name;
    size_t first, count; /* of the writer's texts */
    bool list;
} attribute;

struct lc_h5_node {
    const char *name;
    lc_h5_node *parent, *same_hash;
    lc_h5_node **children;
    size_t count, capacity;
    attribute *attributes, **last;
    size_t attribute_count;
    const lc_keras_weight *array; /* NULL: a group */
    uint64_t header_at, tree_at, names_at, data_at;
    uint64_t name_at; /* in the names of its group */
};

typedef struct text {
    lc_str text;
    uint64_t heap_at;
    uint32_t number;
} text;

struct lc_h5_writer {
    lc_arena *arena;
    lc_h5_node **nodes; /* parents first; [0] the root */
    size_t count, capacity;
    text *texts;
    size_t text_count, text_capacity;
    lc_h5_node **heads; /* by name and parent */
    size_t head_count;
};

/* ---- contents ------------------------------------------------------------------------------------------------------------ */

static uint64_t hash_of(const lc_h5_node *parent, lc_str name) { return lc_hash(name.data, name.size, (uint64_t)(uintptr_t)parent); }

/* More heads when there are as many nodes. */
static bool grow_heads(lc_h5_writer *w) {
    if (w->count < w->head_count) return true;
    const size_t n = w->head_count ? w->head_count * 2 : 64;
    lc_h5_node **heads = lc_arena_array(w->arena, n, sizeof *heads);
    if (!heads) return false;
    for (size_t i = 0; i < w->count; i++) {
        lc_h5_node *node = w->nodes[i], **head = &heads[hash_of(node->parent, lc_str_of(node->name)) & (n - 1)];
        node->same_hash = *head;
        *head = node;
    }
    w->heads = heads;
    w->head_count = n;
    return true;
}

static lc_h5_node *find(const lc_h5_writer *w, const lc_h5_node *parent, lc_str name) {
    lc_h5_node *n = w->heads[hash_of(parent, name) & (w->head_count - 1)];
    while (n && (n->parent != parent || !lc_str_is(name, n->name))) n = n->same_hash;
    return n;
}

static bool grow(lc_arena *arena, void *items, size_t *capacity, size_t need, size_t size) {
    void *block;
    memcpy(&block, items, sizeof block);
    if (!lc_arena_grow(arena, &block, capacity, need, size)) return false;
    memcpy(items, &block, sizeof block);
    return true;
}

static lc_h5_node *add(lc_h5_writer *w, lc_h5_node *parent, lc_str name) {
    lc_h5_node *n = lc_arena_alloc(w->arena, sizeof *n);
    if (!n || !grow_heads(w) || !grow(w->arena, &w->nodes, &w->capacity, w->count + 1, sizeof *w->nodes)) return NULL;
    if (parent && !grow(w->arena, &parent->children, &parent->capacity, parent->count + 1, sizeof *parent->children)) return NULL;
    lc_h5_node **head = &w->heads[hash_of(parent, name) & (w->head_count - 1)];
    *n = (lc_h5_node){.name = lc_arena_strndup(w->arena, name.data, name.size), .parent = parent, .same_hash = *head};
    if (!n->name) return NULL;
    n->last = &n->attributes;
    *head = w->nodes[w->count++] = n;
    if (parent) parent->children[parent->count++] = n;
    return n;
}

lc_h5_writer *lc_h5_writer_new(lc_arena *arena) {
    lc_h5_writer *w = lc_arena_alloc(arena, sizeof *w);
    if (!w) return NULL;
    w->arena = arena;
    return add(w, NULL, LC_STR("/")) ? w : NULL;
}

lc_h5_node *lc_h5_writer_root(lc_h5_writer *w) { return w->nodes[0]; }

/* Takes the first name off a path. */
static lc_str next_name(const char **path) {
    const size_t n = strcspn(*path, "/");
    const lc_str name = {*path, n};
    *path += (*path)[n] == '/' ? n + 1 : n;
    return name;
}

lc_h5_node *lc_h5_written(const lc_h5_writer *w, const lc_h5_node *parent, const char *path) {
    const lc_h5_node *at = parent;
    lc_h5_node *found = NULL;
    while (*path && at) at = found = find(w, at, next_name(&path));
    return found;
}

static lc_status put(lc_h5_writer *w, lc_h5_node *parent, const char *path, bool array, lc_h5_node **out, lc_error *err) {
    const char *whole = path;
    lc_h5_node *at = parent;
    bool made = false;
    do {
        const lc_str name = next_name(&path);
        lc_h5_node *below = find(w, at, name);
        if (!name.size || lc_str_is(name, ".")) return lc_fail(err, LC_ARGUMENT, "'%.200s' is no name for what is in an HDF5 file", whole);
        made = !below;
        if (made && !(below = add(w, at, name))) return lc_fail_memory(err, "HDF5 file");
        if (below->array && (!array || *path))
            return lc_fail(err, LC_ARGUMENT, "'%.200s' in an HDF5 file is an array already, and no group", whole);
        at = below;
    } while (*path);
    if (array && !made) return lc_fail(err, LC_ARGUMENT, "'%.200s' is in the HDF5 file already", whole);
    *out = at;
    return LC_OK;
}

lc_status lc_h5_put_group(lc_h5_writer *w, lc_h5_node *parent, const char *path, lc_h5_node **group, lc_error *err) {
    return put(w, parent, path, false, group, err);
}

static lc_status add_attribute(lc_h5_writer *w, lc_h5_node *node, const char *name, const lc_str *strings, size_t count, bool list,
                               lc_error *err) {
    attribute *a = lc_arena_alloc(w->arena, sizeof *a);
    const char *copy = lc_arena_strndup(w->arena, name, strlen(name));
    if (strlen(name) > 1000 || count > LC_H5_MOST_STRINGS || node->attribute_count == 1000)
        return lc_fail(err, LC_ARGUMENT, "attribute '%.200s' does not fit into an HDF5 file", name);
    if (!a || !copy || !grow(w->arena, &w->texts, &w->text_capacity, w->text_count + count + 1, sizeof *w->texts))
        return lc_fail_memory(err, "HDF5 file");
    *a = (attribute){.name = copy, .first = w->text_count, .count = count, .list = list};
    for (size_t i = 0; i < count; i++) {
        const char *bytes = lc_arena_strndup(w->arena, strings[i].data ? strings[i].data : "", strings[i].size);
        if (!bytes || strings[i].size > UINT32_MAX) return lc_fail_memory(err, "HDF5 file");
        w->texts[w->text_count++] = (text){.text = {bytes, strings[i].size}};
    }
    *node->last = a;
    node->last = &a->next;
    node->attribute_count++;
    return LC_OK;
}

lc_status lc_h5_put_text(lc_h5_writer *w, lc_h5_node *node, const char *name, lc_str value, lc_error *err) {
    return add_attribute(w, node, name, &value, 1, false, err);
}

lc_status lc_h5_put_strings(lc_h5_writer *w, lc_h5_node *node, const char *name, const lc_str *strings, size_t count, lc_error *err) {
    return add_attribute(w, node, name, strings, count, true, err);
}

/* ---- bytes --------------------------------------------------------------------------------------------------------------- */

typedef struct out {
    const lc_sink *sink; /* NULL: nowhere */
    uint64_t at;
    lc_status status;
    lc_error *err;
    size_t used;
    unsigned char buffer[8192]; /* small pieces on their way to the sink */
} out;

static void flush(out *o) {
    if (o->status == LC_OK && o->sink && o->used) o->status = o->sink->write(o->sink->user, o->buffer, o->used, o->err);
    o->used = 0;
}

static void bytes(out *o, const void *data, size_t size) {
    o->at += size;
    if (!o->sink || !size) return;
    if (size > sizeof o->buffer - o->used) flush(o);
    if (size > sizeof o->buffer) {
        if (o->status == LC_OK) o->status = o->sink->write(o->sink->user, data, size, o->err);
        return;
    }
    memcpy(o->buffer + o->used, data, size);
    o->used += size;
}

static void number(out *o, uint64_t v, int size) {
    unsigned char b[8];
    for (int i = 0; i < size; i++) b[i] = (unsigned char)(v >> 8 * i);
    bytes(o, b, (size_t)size);
}
static void u8(out *o, unsigned v) { number(o, v, 1); }
static void u16(out *o, size_t v) { number(o, v, 2); }
static void u32(out *o, size_t v) { number(o, v, 4); }
static void u64(out *o, uint64_t v) { number(o, v, 8); }

static void zeros(out *o, uint64_t n) {
    static const unsigned char none[512];
    for (; n > 0; n -= n < sizeof none ? n : sizeof none) bytes(o, none, n < sizeof none ? (size_t)n : sizeof none);
}

static uint64_t round8(uint64_t n) { return (n + 7) & ~(uint64_t)7; }
static void align(out *o) { zeros(o, round8(o->at) - o->at); }

/* ---- messages ------------------------------------------------------------------------------------------------------------ */

static void message(out *o, unsigned kind, size_t size) {
    u16(o, kind);
    u16(o, size);
    zeros(o, 4);
}

static size_t dataspace_size(size_t rank) { return 8 + 8 * rank; }

static void dataspace_head(out *o, size_t rank) {
    u8(o, 1);
    u8(o, (unsigned)rank);
    zeros(o, 6);
}

/* A text of variable length in UTF-8: a sequence of unsigned bytes. */
enum { TEXT_TYPE_SIZE = 24 };
static void text_type(out *o) {
    u8(o, 0x19);
    u8(o, 1);
    u8(o, 1);
    u8(o, 0);
    u32(o, REFERENCE);
    u8(o, 0x10);
    zeros(o, 3);
    u32(o, 1);
    u16(o, 0);
    u16(o, 8);
    zeros(o, 4);
}

/* Type messages of arrays: size as it is in the message, and what is in it. */
typedef struct number_type {
    lc_dtype type;
    enum { INTEGER, FLOAT, BYTES } kind;
    bool is_signed;
    uint8_t exponent, mantissa; /* bits */
} number_type;
static const number_type number_types[] = {
    {LC_FLOAT16, FLOAT, true, 5, 10},  {LC_FLOAT32, FLOAT, true, 8, 23},  {LC_FLOAT64, FLOAT, true, 11, 52},
    {LC_BFLOAT16, BYTES, false, 0, 0}, /* HDF5 has none: Keras stores the bytes and says what they are */
    {LC_INT8, INTEGER, true, 0, 0},    {LC_INT16, INTEGER, true, 0, 0},   {LC_INT32, INTEGER, true, 0, 0},
    {LC_INT64, INTEGER, true, 0, 0},   {LC_UINT8, INTEGER, false, 0, 0},  {LC_UINT16, INTEGER, false, 0, 0},
    {LC_UINT32, INTEGER, false, 0, 0}, {LC_UINT64, INTEGER, false, 0, 0}, {LC_BOOL, INTEGER, false, 0, 0},
};

static const number_type *type_of(lc_dtype type) {
    for (size_t i = 0; i < sizeof number_types / sizeof *number_types; i++)
        if (number_types[i].type == type) return &number_types[i];
    return NULL;
}

static size_t type_size(const number_type *t) { return t->kind == FLOAT ? 24 : t->kind == INTEGER ? 16 : 8; }

static void array_type(out *o, const number_type *t) {
    const size_t bits = (size_t)lc_dtype_bits(t->type);
    u8(o, t->kind == FLOAT ? 0x11 : t->kind == INTEGER ? 0x10 : 0x15);
    if (t->kind == FLOAT) {
        u8(o, 0x20); /* the first bit of the mantissa is not stored */
        u8(o, (unsigned)bits - 1);
        u8(o, 0);
    } else {
        u8(o, t->kind == INTEGER && t->is_signed ? 8 : 0);
        zeros(o, 2);
    }
    u32(o, bits / 8);
    if (t->kind == BYTES) return;
    u16(o, 0);
    u16(o, bits);
    if (t->kind == FLOAT) {
        u8(o, t->mantissa);
        u8(o, t->exponent);
        u8(o, 0);
        u8(o, t->mantissa);
        u32(o, ((size_t)1 << (t->exponent - 1)) - 1);
    }
    zeros(o, 4);
}

static size_t attribute_size(const attribute *a) {
    return 8 + (size_t)round8(strlen(a->name) + 1) + TEXT_TYPE_SIZE + dataspace_size(a->list) + REFERENCE * a->count;
}

static void put_attribute(out *o, const lc_h5_writer *w, const attribute *a) {
    const size_t length = strlen(a->name) + 1;
    message(o, ATTRIBUTE, attribute_size(a));
    u8(o, 1);
    u8(o, 0);
    u16(o, length);
    u16(o, TEXT_TYPE_SIZE);
    u16(o, dataspace_size(a->list));
    bytes(o, a->name, length);
    align(o);
    text_type(o);
    dataspace_head(o, a->list);
    if (a->list) u64(o, a->count);
    for (size_t i = 0; i < a->count; i++) {
        const text *t = &w->texts[a->first + i];
        u32(o, t->text.size);
        u64(o, t->text.size ? t->heap_at : 0); /* an empty one is nowhere */
        u32(o, t->text.size ? t->number : 0);
    }
}

/* The head of an object header, the attributes behind the messages of which there are `own` of this size. */
static void begin_header(out *o, lc_h5_node *n, size_t own, size_t size) {
    for (const attribute *a = n->attributes; a; a = a->next) size += 8 + attribute_size(a);
    align(o);
    n->header_at = o->at;
    u8(o, 1);
    u8(o, 0);
    u16(o, own + n->attribute_count);
    u32(o, 1);
    u32(o, size);
    zeros(o, 4);
}

static void end_header(out *o, const lc_h5_writer *w, const lc_h5_node *n) {
    for (const attribute *a = n->attributes; a; a = a->next) put_attribute(o, w, a);
}

/* ---- texts --------------------------------------------------------------------------------------------------------------- */

static void put_heap(out *o, text *texts, size_t n, uint64_t used) {
    const uint64_t least = used + OBJECT_HEAD, size = least < HEAP_LEAST ? HEAP_LEAST : least, heap_at = o->at;
    bytes(o, "GCOL\1\0\0", 8);
    u64(o, size);
    for (size_t i = 0; i < n; i++) {
        text *t = &texts[i];
        t->heap_at = heap_at;
        t->number = (uint32_t)i + 1;
        u16(o, t->number);
        u16(o, 1);
        zeros(o, 4);
        u64(o, t->text.size);
        bytes(o, t->text.data, t->text.size);
        align(o);
    }
    zeros(o, 8); /* number 0: what is free */
    u64(o, size - used);
    zeros(o, size - least);
}

static void put_texts(out *o, lc_h5_writer *w) {
    for (size_t i = 0, n; i < w->text_count; i += n) {
        uint64_t used = OBJECT_HEAD;
        for (n = 0; i + n < w->text_count && used < HEAP_ENOUGH; n++) used += OBJECT_HEAD + round8(w->texts[i + n].text.size);
        put_heap(o, w->texts + i, n, used);
    }
}

/* ---- groups -------------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) { return strcmp((*(lc_h5_node *const *)a)->name, (*(lc_h5_node *const *)b)->name); }

/* Where the name of the last member below unit i of a level stands; 0, which is the empty name, before all. A unit has `span` members. */
static uint64_t last_name(const lc_h5_node *g, size_t units, size_t span) {
    const size_t end = units > g->count / span ? g->count : units * span;
    return end ? g->children[end - 1]->name_at : 0;
}

/* One level of the B-tree over `units` blocks of unit_size bytes from units_at on. Gives how many nodes it has, from *at on. */
static size_t put_level(out *o, const lc_h5_node *g, unsigned level, size_t units, size_t span, uint64_t units_at, uint64_t unit_size,
                        uint64_t *at) {
    const size_t nodes = units ? (units + CHILDREN - 1) / CHILDREN : 1;
    *at = o->at;
    for (size_t k = 0; k < nodes; k++) {
        const size_t first = k * CHILDREN, n = units - first < CHILDREN ? units - first : CHILDREN;
        bytes(o, "TREE", 4);
        u8(o, 0);
        u8(o, level);
        u16(o, n);
        u64(o, k ? *at + (k - 1) * TREE_SIZE : NOWHERE);
        u64(o, k + 1 < nodes ? *at + (k + 1) * TREE_SIZE : NOWHERE);
        u64(o, last_name(g, first, span));
        for (size_t i = 0; i < n; i++) {
            u64(o, units_at + (first + i) * unit_size);
            u64(o, last_name(g, first + i + 1, span));
        }
        zeros(o, (CHILDREN - n) * 16);
    }
    return nodes;
}

static void put_entries(out *o, const lc_h5_node *g) {
    for (size_t i = 0; i < g->count; i += ENTRIES) {
        const size_t n = g->count - i < ENTRIES ? g->count - i : ENTRIES;
        bytes(o, "SNOD\1", 6);
        u16(o, n);
        for (size_t k = 0; k < n; k++) {
            u64(o, g->children[i + k]->name_at);
            u64(o, g->children[i + k]->header_at);
            zeros(o, 24);
        }
        zeros(o, (ENTRIES - n) * ENTRY_SIZE);
    }
}

static void put_names(out *o, lc_h5_node *g) {
    uint64_t size = 8;
    for (size_t i = 0; i < g->count; i++) {
        g->children[i]->name_at = size;
        size += round8(strlen(g->children[i]->name) + 1);
    }
    g->names_at = o->at;
    bytes(o, "HEAP\0\0\0", 8);
    u64(o, size);
    u64(o, 1); /* nothing is free */
    u64(o, o->at + 8);
    zeros(o, 8);
    for (size_t i = 0; i < g->count; i++) {
        bytes(o, g->children[i]->name, strlen(g->children[i]->name) + 1);
        align(o);
    }
}

static void put_group(out *o, const lc_h5_writer *w, lc_h5_node *g) {
    if (g->count) qsort(g->children, g->count, sizeof *g->children, by_name);
    align(o);
    put_names(o, g);
    uint64_t units_at = o->at, unit_size = LEAF_SIZE;
    size_t units = (g->count + ENTRIES - 1) / ENTRIES, span = ENTRIES;
    put_entries(o, g);
    for (unsigned level = 0;; level++) {
        units = put_level(o, g, level, units, span, units_at, unit_size, &g->tree_at);
        if (units == 1) break;
        units_at = g->tree_at;
        unit_size = TREE_SIZE;
        span *= CHILDREN;
    }
    begin_header(o, g, 1, 8 + 16);
    message(o, SYMBOL_TABLE, 16);
    u64(o, g->tree_at);
    u64(o, g->names_at);
    end_header(o, w, g);
}

/* ---- arrays -------------------------------------------------------------------------------------------------------------- */

static void put_array(out *o, const lc_h5_writer *w, lc_h5_node *n) {
    const lc_keras_weight *a = n->array;
    const number_type *t = type_of(a->type);
    const size_t space = dataspace_size((size_t)a->rank), type = type_size(t);
    begin_header(o, n, 4, 8 + space + 8 + type + 8 + 8 + 8 + 24);
    message(o, DATASPACE, space);
    dataspace_head(o, (size_t)a->rank);
    for (int32_t d = 0; d < a->rank; d++) u64(o, (uint64_t)a->dims[d]);
    message(o, DATATYPE, type);
    array_type(o, t);
    message(o, FILL, 8); /* none was chosen: zeros */
    bytes(o, "\2\2\2\1\0\0\0", 8);
    message(o, LAYOUT, 24);
    u8(o, 3);
    u8(o, 1); /* in one piece */
    u64(o, a->size ? n->data_at : NOWHERE);
    u64(o, a->size);
    zeros(o, 6);
    end_header(o, w, n);
}

lc_status lc_h5_put_array(lc_h5_writer *w, lc_h5_node *parent, const char *path, const lc_keras_weight *array, lc_error *err) {
    uint64_t size = lc_dtype_bits(array->type) / 8;
    lc_h5_node *n;
    for (int32_t d = 0; d < array->rank; d++)
        if (array->dims[d] < 0 || !lc_mul_u64(size, (uint64_t)array->dims[d], &size)) size = NOWHERE;
    if (!type_of(array->type) || array->rank < 0 || array->rank > LC_MAX_RANK || size != array->size || (size && !array->data))
        return lc_fail(err, LC_ARGUMENT, "'%.200s': an array of %s with %zu bytes cannot be put into an HDF5 file", path,
                       lc_dtype_name(array->type), array->size);
    LC_TRY(put(w, parent, path, true, &n, err));
    lc_keras_weight *copy = lc_arena_alloc(w->arena, sizeof *copy);
    if (!copy) return lc_fail_memory(err, "HDF5 file");
    *copy = *array;
    n->array = copy;
    return array->type == LC_BFLOAT16 ? lc_h5_put_text(w, n, "dtype", LC_STR("bfloat16"), err) : LC_OK;
}

/* ---- the file ------------------------------------------------------------------------------------------------------------ */

static void put_superblock(out *o, const lc_h5_node *root, uint64_t size) {
    bytes(o, "\x89HDF\r\n\x1a\n", 8);
    zeros(o, 5);
    u8(o, 8); /* bytes of an address */
    u8(o, 8);
    u8(o, 0);
    u16(o, LEAF_K);
    u16(o, TREE_K);
    zeros(o, 4);
    u64(o, 0);
    u64(o, NOWHERE);
    u64(o, size);
    u64(o, NOWHERE);
    u64(o, 0);
    u64(o, root->header_at);
    u32(o, 1); /* what follows is known */
    u32(o, 0);
    u64(o, root->tree_at);
    u64(o, root->names_at);
}

static uint64_t put_file(out *o, lc_h5_writer *w, uint64_t size) {
    put_superblock(o, w->nodes[0], size);
    put_texts(o, w);
    for (size_t i = w->count; i-- > 0;) {
        if (w->nodes[i]->array) put_array(o, w, w->nodes[i]);
        else put_group(o, w, w->nodes[i]);
    }
    for (size_t i = 0; i < w->count; i++) {
        const lc_keras_weight *a = w->nodes[i]->array;
        if (!a) continue;
        align(o);
        w->nodes[i]->data_at = o->at;
        bytes(o, a->data, a->size);
    }
    align(o);
    flush(o);
    return o->at;
}

lc_status lc_h5_write(lc_h5_writer *w, const lc_sink *sink, uint64_t *size, lc_error *err) {
    out nowhere = {.err = err}, o = {.sink = sink, .err = err};
    const uint64_t whole = put_file(&nowhere, w, 0);
    put_file(&o, w, whole);
    if (size) *size = whole;
    return o.status;
}
