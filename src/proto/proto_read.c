/*
 * proto_read.c: the wire form of a message, read into structs.
 *
 * The bytes of a message that can hold repeated fields are gone through twice: first to count these, so that each array is made once and at
 * its size, then to read. What is inside a sub-message is skipped both times and gone through when its own turn comes, so every tag and
 * length is looked at twice: linear. A singular message that is there several times is read from all its pieces as if they stood one behind
 * the other, which is what protobuf's merging means.
 *
 * Stays true: strings and bytes point into the input; every array and struct is charged to the budget before it is made; nothing is deeper
 * than LC_PB_MAX_DEPTH. Refused (proto_rules.def): tags, lengths and numbers that are cut or do not fit, a known field with the wire type
 * of another kind (protobuf takes that for an unknown field and goes on without its value; a file where it happens is broken or is another
 * message), groups that do not end. Fields that messages.def lacks are skipped, groups among them.
 *
 * protobuf.dev/programming-guides/encoding
 */
#include "proto/proto_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a message lies in the input, or a part of it. */
typedef struct piece {
    uint64_t offset, size;
    struct piece *next; /* the next part of the same message */
} piece;

typedef struct reader {
    lc_cursor whole;
    lc_budget *budget;
    lc_arena *arena;
    lc_error *err;
    const lc_pb_desc *root;
    struct {
        const lc_pb_field *field;
        uint32_t index;
    } path[LC_PB_MAX_DEPTH]; /* from the root to the message being read */
    uint32_t depth;
} reader;

/* ---- failing --------------------------------------------------------------------------------------------------------- */

/* "GraphDef.node[12].attr[3]"; what does not fit is cut at the end. */
static void path_text(const reader *r, char *text, size_t room) {
    size_t n = (size_t)snprintf(text, room, "%s", r->root->name);
    for (uint32_t i = 0; i < r->depth && n < room; i++) {
        const lc_pb_field *f = r->path[i].field;
        n += (size_t)(f->many ? snprintf(text + n, room - n, ".%s[%u]", f->name, (unsigned)r->path[i].index)
                              : snprintf(text + n, room - n, ".%s", f->name));
    }
    if (n >= room) memcpy(text + room - 4, "...", 4);
}

static lc_status broken(const reader *r, lc_pb_rule rule, uint64_t at, const char *format, ...) __attribute__((format(printf, 4, 5)));
static lc_status broken(const reader *r, lc_pb_rule rule, uint64_t at, const char *format, ...) {
    char path[300], text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    path_text(r, path, sizeof path);
    lc_fail_rule(r->err, LC_INVALID, lc_pb_rule_ids[rule], at, "%s: %s", path, text);
    lc_error_hint(r->err, "the file is damaged, cut, or holds something else than a %s", r->root->name);
    return LC_INVALID;
}

static lc_status no_memory(const reader *r) {
    char path[300];
    path_text(r, path, sizeof path);
    return lc_fail_memory(r->err, path);
}

/* ---- pieces of the wire ------------------------------------------------------------------------------------------------ */

static lc_status read_varint(const reader *r, lc_cursor *c, uint64_t *v) {
    *v = lc_read_varint(c);
    if (!c->failed) return LC_OK;
    return broken(r, LC_PB_RULE_VARINT, lc_cursor_at(c), "a number is %s",
                  lc_cursor_left(c) < 10 ? "cut short by the end of the message" : "longer than 10 bytes or larger than 64 bits");
}

static lc_status read_tag(const reader *r, lc_cursor *c, uint64_t *number, lc_pb_wire *wire) {
    const uint64_t at = lc_cursor_at(c);
    uint64_t tag;
    LC_TRY(read_varint(r, c, &tag));
    *number = tag >> 3;
    *wire = (lc_pb_wire)(tag & 7);
    if (tag < 8 || tag > UINT32_MAX || *wire > LC_PB_32)
        return broken(r, LC_PB_RULE_TAG, at, "a field with number %llu and wire type %u; numbers go from 1 to 536870911, types from 0 to 5",
                      (unsigned long long)*number, (unsigned)*wire);
    return LC_OK;
}

/* The payload of a field with a length: where it is, and how long. */
static lc_status read_payload(const reader *r, lc_cursor *c, uint64_t number, const uint8_t **bytes, size_t *size) {
    const uint64_t at = lc_cursor_at(c);
    uint64_t length;
    LC_TRY(read_varint(r, c, &length));
    const size_t left = lc_cursor_left(c);
    *bytes = lc_read_bytes(c, length);
    *size = (size_t)length;
    if (*bytes) return LC_OK;
    return broken(r, LC_PB_RULE_LENGTH, at, "field %llu has %llu bytes, but the message ends after %zu", (unsigned long long)number,
                  (unsigned long long)length, left);
}

static lc_status skip_fixed(const reader *r, lc_cursor *c, uint64_t number, uint32_t bytes) {
    const uint64_t at = lc_cursor_at(c);
    const size_t left = lc_cursor_left(c);
    lc_cursor_skip(c, bytes);
    if (!c->failed) return LC_OK;
    return broken(r, LC_PB_RULE_LENGTH, at, "field %llu has %u bytes, but the message ends after %zu", (unsigned long long)number, bytes,
                  left);
}

/* A value that is not a group. */
static lc_status skip_plain(const reader *r, lc_cursor *c, uint64_t number, lc_pb_wire wire) {
    uint64_t unused;
    const uint8_t *bytes;
    size_t size;
    if (wire == LC_PB_LENGTH) return read_payload(r, c, number, &bytes, &size);
    if (wire == LC_PB_VARINT) return read_varint(r, c, &unused);
    return skip_fixed(r, c, number, wire == LC_PB_64 ? 8 : 4);
}

/* All up to the end of a group whose start was just read. */
static lc_status skip_group(const reader *r, lc_cursor *c, uint64_t number) {
    uint32_t open[LC_PB_MAX_DEPTH], depth = 0;
    open[depth++] = (uint32_t)number;
    while (depth) {
        const uint64_t at = lc_cursor_at(c);
        uint64_t inner;
        lc_pb_wire wire;
        if (!lc_cursor_left(c)) return broken(r, LC_PB_RULE_GROUP, at, "group %u does not end", (unsigned)open[depth - 1]);
        LC_TRY(read_tag(r, c, &inner, &wire));
        if (wire == LC_PB_START) {
            if (depth + r->depth >= LC_PB_MAX_DEPTH)
                return broken(r, LC_PB_RULE_DEPTH, at, "messages and groups are nested more than %d deep", LC_PB_MAX_DEPTH);
            open[depth++] = (uint32_t)inner;
        } else if (wire == LC_PB_STOP) {
            if (inner != open[--depth])
                return broken(r, LC_PB_RULE_GROUP, at, "group %u ends with number %llu", (unsigned)open[depth], (unsigned long long)inner);
        } else {
            LC_TRY(skip_plain(r, c, inner, wire));
        }
    }
    return LC_OK;
}

/* The value of a field that messages.def lacks. */
static lc_status skip_unknown(const reader *r, lc_cursor *c, uint64_t number, lc_pb_wire wire, uint64_t at) {
    if (wire == LC_PB_START) return skip_group(r, c, number);
    if (wire == LC_PB_STOP) return broken(r, LC_PB_RULE_GROUP, at, "group %llu ends without having begun", (unsigned long long)number);
    return skip_plain(r, c, number, wire);
}

/* ---- values -------------------------------------------------------------------------------------------------------------- */

/* Numbers are kept as C casts them: protobuf too cuts a number that is too wide for its field. */
static void store_varint(const lc_pb_field *f, uint64_t v, void *to) {
    if (f->kind == LC_PB_KIND_bool) {
        const bool b = v != 0;
        memcpy(to, &b, sizeof b);
        return;
    }
    if (f->kind == LC_PB_KIND_sint64) v = (v >> 1) ^ (0 - (v & 1));
    if (f->kind == LC_PB_KIND_sint32) v = ((uint32_t)v >> 1) ^ (0 - (uint32_t)(v & 1));
    if (lc_pb_kinds[f->kind].size == 8) {
        memcpy(to, &v, 8);
    } else {
        const uint32_t v32 = (uint32_t)v;
        memcpy(to, &v32, 4);
    }
}

/* One number of f's own wire type. */
static lc_status read_number(const reader *r, lc_cursor *c, const lc_pb_field *f, void *to) {
    uint64_t v;
    if (lc_pb_kinds[f->kind].wire == LC_PB_VARINT) {
        LC_TRY(read_varint(r, c, &v));
        store_varint(f, v, to);
        return LC_OK;
    }
    if (lc_cursor_left(c) < lc_pb_kinds[f->kind].size) return skip_fixed(r, c, f->number, lc_pb_kinds[f->kind].size);
    if (lc_pb_kinds[f->kind].size == 8) {
        v = lc_read_u64(c);
        memcpy(to, &v, 8);
    } else {
        const uint32_t v32 = lc_read_u32(c);
        memcpy(to, &v32, 4);
    }
    return LC_OK;
}

/* How many numbers a packed field holds, which lies at `at`. */
static lc_status count_packed(const reader *r, const lc_pb_field *f, const uint8_t *bytes, size_t size, uint64_t at, uint64_t *n) {
    if (lc_pb_kinds[f->kind].wire != LC_PB_VARINT) {
        const uint8_t each = lc_pb_kinds[f->kind].size;
        *n = size / each;
        if (size % each == 0) return LC_OK;
        return broken(r, LC_PB_RULE_PACKED, at, "field '%s' packs numbers of %u bytes into %zu bytes", f->name, each, size);
    }
    *n = 0;
    for (size_t i = 0; i < size; i++) *n += bytes[i] < 0x80; /* the last byte of each */
    if (size == 0 || bytes[size - 1] < 0x80) return LC_OK;
    return broken(r, LC_PB_RULE_PACKED, at, "the last of the numbers packed into field '%s' is cut", f->name);
}

/* ---- messages ------------------------------------------------------------------------------------------------------------ */

/* What is known of each field of the message being read. */
typedef struct level {
    const lc_pb_desc *d;
    uint8_t *message;
    uint32_t seen;                    /* bit i: row i is there; what follows is set for these rows alone */
    uint32_t counts[LC_PB_MOST_ROWS]; /* elements of a repeated field */
    uint32_t filled[LC_PB_MOST_ROWS]; /* of these read so far */
    piece first[LC_PB_MOST_ROWS];     /* of a singular message: where it lies */
    piece *last[LC_PB_MOST_ROWS];
} level;

static lc_cursor open_piece(const reader *r, const piece *s) { return lc_cursor_window(&r->whole, s->offset, s->size); }

static lc_status wrong_wire(const reader *r, const lc_pb_field *f, lc_pb_wire wire, uint64_t at) {
    return broken(r, LC_PB_RULE_TYPE, at, "field '%s' has wire type %u, needs %u", f->name, (unsigned)wire, lc_pb_kinds[f->kind].wire);
}

static lc_status add_count(const reader *r, level *l, const lc_pb_field *f, uint64_t n) {
    const size_t row = (size_t)(f - l->d->fields);
    uint64_t sum;
    if (!(l->seen >> row & 1)) {
        l->seen |= 1u << row;
        l->counts[row] = l->filled[row] = 0;
    }
    if (lc_add_u64(l->counts[row], n, &sum) && sum <= UINT32_MAX) {
        l->counts[row] = (uint32_t)sum;
        return LC_OK;
    }
    char path[300];
    path_text(r, path, sizeof path);
    return lc_fail(r->err, LC_LIMIT, "%s: field '%s' has more than %u elements", path, f->name, UINT32_MAX);
}

/* The first time through: how much of what is repeated is there? */
static lc_status count_fields(const reader *r, level *l, const piece *from) {
    lc_cursor c = open_piece(r, from);
    while (lc_cursor_left(&c)) {
        const uint64_t at = lc_cursor_at(&c);
        uint64_t number, n = 1;
        lc_pb_wire wire;
        LC_TRY(read_tag(r, &c, &number, &wire));
        const lc_pb_field *f = lc_pb_field_of(l->d, number);
        if (!f) {
            LC_TRY(skip_unknown(r, &c, number, wire, at));
            continue;
        }
        if (wire == lc_pb_kinds[f->kind].wire) {
            LC_TRY(skip_plain(r, &c, number, wire));
        } else if (f->many && wire == LC_PB_LENGTH) {
            const uint8_t *bytes;
            size_t size;
            LC_TRY(read_payload(r, &c, number, &bytes, &size));
            LC_TRY(count_packed(r, f, bytes, size, at, &n));
        } else {
            return wrong_wire(r, f, wire, at);
        }
        if (f->many) LC_TRY(add_count(r, l, f, n));
    }
    return LC_OK;
}

/* n blocks of memory for a field, charged and zeroed. */
static lc_status make(const reader *r, const char *what, uint32_t n, size_t size, void **block) {
    uint64_t bytes;
    if (!lc_mul_u64(n, size, &bytes)) return no_memory(r);
    LC_TRY(lc_budget_memory(r->budget, bytes, what, r->err));
    *block = lc_arena_array(r->arena, n, size);
    return *block ? LC_OK : no_memory(r);
}

static lc_status make_arrays(const reader *r, level *l) {
    for (uint32_t left = l->seen; left; left &= left - 1) {
        const int row = __builtin_ctz(left);
        const lc_pb_field *f = &l->d->fields[row];
        void *block;
        if (f->kind == LC_PB_KIND_message) LC_TRY(lc_budget_tables(r->budget, l->counts[row], f->name, r->err));
        LC_TRY(make(r, f->name, l->counts[row], lc_pb_element_size(f), &block));
        lc_pb_vec_set(l->message + f->offset, block, 0);
    }
    return LC_OK;
}

/* Sets the bit of a field; of a oneof it clears the other members, whose values are gone. */
static void mark(level *l, const lc_pb_field *f) {
    uint64_t has;
    const uint64_t bit = (uint64_t)1 << (f - l->d->fields);
    memcpy(&has, l->message, sizeof has);
    if (f->place == LC_PB_OF_FIELD && (has & ~bit)) {
        for (unsigned row = 0; row < l->d->field_count; row++) {
            const lc_pb_field *other = &l->d->fields[row];
            if (other == f || other->place != LC_PB_OF_FIELD || !(has >> row & 1)) continue;
            has &= ~((uint64_t)1 << row);
            l->seen &= ~(1u << row);
            if (other->kind != LC_PB_KIND_message) memset(l->message + other->offset, 0, lc_pb_element_size(other));
        }
    }
    has |= bit;
    memcpy(l->message, &has, sizeof has);
}

/* The bytes changed between the two times: another process writes to the mapped file. */
static lc_status changed(const reader *r, const lc_cursor *c) {
    return broken(r, LC_PB_RULE_LENGTH, lc_cursor_at(c), "the file changes while it is read");
}

/* Where the next n elements of a repeated field go; NULL: there is no room. */
static uint8_t *next_elements(level *l, const lc_pb_field *f, uint64_t n) {
    const size_t row = (size_t)(f - l->d->fields);
    if (!(l->seen >> row & 1) || n > l->counts[row] - l->filled[row]) return NULL;
    uint8_t *to = (uint8_t *)lc_pb_vec_get(l->message + f->offset).data + lc_pb_element_size(f) * l->filled[row];
    l->filled[row] += (uint32_t)n;
    return to;
}

/* Notes where (a piece of) a singular message is. */
static lc_status note_piece(const reader *r, level *l, const lc_pb_field *f, piece at) {
    const size_t row = (size_t)(f - l->d->fields);
    if (!(l->seen >> row & 1)) {
        l->seen |= 1u << row;
        l->first[row] = at;
        l->last[row] = &l->first[row];
        return LC_OK;
    }
    void *block;
    LC_TRY(make(r, f->name, 1, sizeof at, &block));
    memcpy(block, &at, sizeof at);
    l->last[row] = l->last[row]->next = block;
    return LC_OK;
}

static lc_status read_message(reader *r, const lc_pb_desc *d, const piece *pieces, void *message);

static lc_status enter(reader *r, const lc_pb_field *f, uint32_t index, const piece *pieces, void *message) {
    if (r->depth == LC_PB_MAX_DEPTH)
        return broken(r, LC_PB_RULE_DEPTH, pieces->offset, "messages are nested more than %d deep", LC_PB_MAX_DEPTH);
    r->path[r->depth].field = f;
    r->path[r->depth++].index = index;
    LC_TRY(read_message(r, &lc_pb_descs[f->sub], pieces, message));
    r->depth--;
    return LC_OK;
}

static lc_status read_packed(const reader *r, level *l, const lc_pb_field *f, const uint8_t *bytes, size_t size, const lc_cursor *c) {
    const size_t each = lc_pb_kinds[f->kind].size;
    uint8_t *to;
    if (lc_pb_kinds[f->kind].wire != LC_PB_VARINT) { /* as they lie in memory: the host is little-endian */
        to = next_elements(l, f, size / each);
        if (!to || size % each != 0) return changed(r, c);
        if (size) memcpy(to, bytes, size);
        return LC_OK;
    }
    lc_cursor payload = lc_cursor_window(&r->whole, lc_cursor_at(c) - size, size);
    while (lc_cursor_left(&payload)) {
        to = next_elements(l, f, 1);
        if (!to) return changed(r, c);
        LC_TRY(read_number(r, &payload, f, to));
    }
    return LC_OK;
}

/* A field with a length: string, message, packed numbers. */
static lc_status read_long(reader *r, level *l, const lc_pb_field *f, lc_cursor *c) {
    const uint8_t *bytes;
    size_t size;
    LC_TRY(read_payload(r, c, f->number, &bytes, &size));
    if (lc_pb_packs(f)) return read_packed(r, l, f, bytes, size, c);
    const piece at = {lc_cursor_at(c) - size, size, NULL};
    if (f->kind == LC_PB_KIND_message && !f->many) return note_piece(r, l, f, at);
    uint8_t *to = f->many ? next_elements(l, f, 1) : l->message + f->offset;
    if (!to) return changed(r, c);
    if (f->kind == LC_PB_KIND_message) return enter(r, f, l->filled[f - l->d->fields] - 1, &at, to);
    const lc_str s = {(const char *)bytes, size};
    memcpy(to, &s, sizeof s);
    return LC_OK;
}

/* The second time through. Singular messages are only noted: their pieces are read together, at the end. */
static lc_status read_fields(reader *r, level *l, const piece *from) {
    lc_cursor c = open_piece(r, from);
    while (lc_cursor_left(&c)) {
        const uint64_t at = lc_cursor_at(&c);
        uint64_t number;
        lc_pb_wire wire;
        LC_TRY(read_tag(r, &c, &number, &wire));
        const lc_pb_field *f = lc_pb_field_of(l->d, number);
        if (!f) {
            LC_TRY(skip_unknown(r, &c, number, wire, at));
            continue;
        }
        mark(l, f);
        if (wire == LC_PB_LENGTH && (f->many || !lc_pb_packs(f))) {
            LC_TRY(read_long(r, l, f, &c));
        } else if (wire != lc_pb_kinds[f->kind].wire) {
            return wrong_wire(r, f, wire, at);
        } else {
            uint8_t *to = f->many ? next_elements(l, f, 1) : l->message + f->offset;
            if (!to) return changed(r, &c);
            LC_TRY(read_number(r, &c, f, to));
        }
    }
    return LC_OK;
}

/* ---- maps: a key that comes again replaces its entry ----------------------------------------------------------------------- */

/* Every entry begins so. */
typedef struct entry {
    uint64_t has;
    union {
        lc_str text;
        uint64_t u64;
        uint32_t u32;
    } key;
} entry;
_Static_assert(offsetof(lc_str, data) == 0, "a string begins with its pointer");
_Static_assert(offsetof(lc_pb_NodeDef_AttrEntry, key) == offsetof(entry, key), "a key stands behind the bits");
_Static_assert(offsetof(lc_pb_FunctionDef_ArgAttrEntry, key) == offsetof(entry, key), "a key stands behind the bits");
_Static_assert(offsetof(lc_pb_GraphDebugInfo_FramesByIdEntry, key) == offsetof(entry, key), "a key stands behind the bits");

static int key_order(const uint8_t *a, const uint8_t *b, size_t key_size) {
    lc_str s, t;
    if (key_size != sizeof(lc_str)) return memcmp(a + offsetof(entry, key), b + offsetof(entry, key), key_size);
    memcpy(&s, a + offsetof(entry, key), sizeof s);
    memcpy(&t, b + offsetof(entry, key), sizeof t);
    if (s.size != t.size) return s.size < t.size ? -1 : 1;
    return s.size ? memcmp(s.data, t.data, s.size) : 0;
}

/* Entries lie in one array, so their addresses are their order. */
static int then_place(const uint8_t *a, const uint8_t *b, int order) { return order ? order : (a > b) - (a < b); }
#define LC_PB_COMPARE(name, type) \
    static int name(const void *a, const void *b) { \
        const uint8_t *const *x = a, *const *y = b; \
        return then_place(*x, *y, key_order(*x, *y, sizeof(type))); \
    }
LC_PB_COMPARE(compare_texts, lc_str)
LC_PB_COMPARE(compare_u64s, uint64_t)
LC_PB_COMPARE(compare_u32s, uint32_t)

#define REPLACED UINT64_MAX /* in `has`: an entry has two bits */
#define FEW 12              /* entries that are quicker compared each with each */

static lc_status mark_replaced(const reader *r, uint8_t *data, uint32_t n, size_t size, size_t key_size) {
    const uint64_t replaced = REPLACED;
    if (n <= FEW) {
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t k = i + 1; k < n; k++)
                if (key_order(data + size * i, data + size * k, key_size) == 0) {
                    memcpy(data + size * i, &replaced, sizeof replaced);
                    break;
                }
        return LC_OK;
    }
    size_t bytes;
    uint8_t **sorted = lc_mul_size(n, sizeof *sorted, &bytes) ? lc_malloc(bytes) : NULL;
    if (!sorted) return no_memory(r);
    for (uint32_t i = 0; i < n; i++) sorted[i] = data + size * i;
    qsort(sorted, n, sizeof *sorted, key_size == sizeof(lc_str) ? compare_texts : key_size == 8 ? compare_u64s : compare_u32s);
    for (uint32_t i = 0; i + 1 < n; i++)
        if (key_order(sorted[i], sorted[i + 1], key_size) == 0) memcpy(sorted[i], &replaced, sizeof replaced);
    lc_free(sorted);
    return LC_OK;
}

/* An entry without key or value has the default one, as protobuf says: nobody who looks one up finds a message that is not there. */
static lc_status complete(const reader *r, const lc_pb_desc *d, uint8_t *entry_at) {
    const uint64_t both = 3;
    for (unsigned row = 0; row < 2; row++) {
        const lc_pb_field *f = &d->fields[row];
        uint8_t *at = entry_at + f->offset;
        lc_str s;
        void *below;
        if (lc_pb_packs(f)) continue;
        memcpy(&below, at, sizeof below); /* a string too begins with a pointer */
        if (below) continue;
        if (f->kind == LC_PB_KIND_message) {
            LC_TRY(make(r, f->name, 1, lc_pb_element_size(f), &below));
            memcpy(at, &below, sizeof below);
        } else {
            s = LC_STR("");
            memcpy(at, &s, sizeof s);
        }
    }
    memcpy(entry_at, &both, sizeof both);
    return LC_OK;
}

static lc_status finish_map(const reader *r, const lc_pb_field *f, uint8_t *data, uint32_t *n) {
    const lc_pb_desc *d = &lc_pb_descs[f->sub];
    const size_t size = d->size;
    uint32_t kept = 0;
    LC_TRY(mark_replaced(r, data, *n, size, lc_pb_element_size(&d->fields[0])));
    for (uint32_t i = 0; i < *n; i++) {
        uint64_t has;
        memcpy(&has, data + size * i, sizeof has);
        if (has == REPLACED) continue;
        if (kept != i) memcpy(data + size * kept, data + size * i, size);
        LC_TRY(complete(r, d, data + size * kept++));
    }
    *n = kept;
    return LC_OK;
}

/* ---- ----------------------------------------------------------------------------------------------------------------------- */

static lc_status read_message(reader *r, const lc_pb_desc *d, const piece *pieces, void *message) {
    level l;
    l.d = d;
    l.message = message;
    l.seen = 0;
    for (const piece *p = pieces; p && d->has_many; p = p->next) LC_TRY(count_fields(r, &l, p));
    LC_TRY(make_arrays(r, &l));
    for (const piece *p = pieces; p; p = p->next) LC_TRY(read_fields(r, &l, p));
    for (uint32_t left = l.seen; left; left &= left - 1) {
        const int row = __builtin_ctz(left);
        const lc_pb_field *f = &d->fields[row];
        if (f->many) {
            uint8_t *data = lc_pb_vec_get(l.message + f->offset).data;
            if (f->place == LC_PB_MAP_FIELD) LC_TRY(finish_map(r, f, data, &l.filled[row]));
            lc_pb_vec_set(l.message + f->offset, data, l.filled[row]);
        } else {
            void *below;
            LC_TRY(make(r, f->name, 1, lc_pb_element_size(f), &below));
            LC_TRY(enter(r, f, 0, &l.first[row], below));
            memcpy(l.message + f->offset, &below, sizeof below);
        }
    }
    return LC_OK;
}

lc_status lc_pb_read(lc_pb_id id, const void *data, size_t size, lc_budget *budget, lc_arena *arena, void **message, lc_error *err) {
    *message = NULL;
    if ((unsigned)id >= LC_PB_COUNT) return lc_fail(err, LC_ARGUMENT, "no protocol buffer has number %d", (int)id);
    if (!data) data = "", size = 0;
    reader r = {.whole = lc_cursor_make(data, size), .budget = budget, .arena = arena, .err = err, .root = &lc_pb_descs[id]};
    void *root;
    LC_TRY(make(&r, r.root->name, 1, r.root->size, &root));
    LC_TRY(read_message(&r, r.root, &(piece){0, size, NULL}, root));
    *message = root;
    return LC_OK;
}
