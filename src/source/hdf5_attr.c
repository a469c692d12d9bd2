/*
 * hdf5_attr.c: what data looks like (datatypes, dataspaces) and the attributes of an object.
 *
 * The idea: a type is one of five kinds: a number litec knows, a string of fixed size, a string in the global heap, bytes, or
 * something else that only has a size and a name. Something else is no error until somebody wants its data: model files
 * carry attributes that no reader needs. Attributes are listed once an object, from the header's messages or from a fractal
 * heap when there are many (or long ones), and their data stays where it is in the file.
 *
 * Stays true: the data of a value has exactly count x size bytes inside its message; dimensions multiply without overflow.
 *
 * Refuses: types deeper than one level where a string or bool is meant; shared types and spaces inside attributes.
 *
 * Spec: HDF5 File Format Specification Version 3.0, sections IV.A.2.b, d, m, v; numpy's bool is h5py's enum {FALSE, TRUE}.
 */
#include "source/hdf5_impl.h"

#include <stdlib.h>
#include <string.h>

/* ---- datatypes ---- */

static bool integer_type(lc_h5_type *t, uint32_t bits, uint32_t offset, uint32_t precision) {
    static const lc_dtype of[2][4] = {{LC_UINT8, LC_UINT16, LC_UINT32, LC_UINT64}, {LC_INT8, LC_INT16, LC_INT32, LC_INT64}};
    uint32_t width = t->size == 1 ? 0 : t->size == 2 ? 1 : t->size == 4 ? 2 : t->size == 8 ? 3 : 4;
    t->what = "integer of unusual width";
    if (width == 4 || offset != 0 || precision != t->size * 8) return false; /* checked: size is 1, 2, 4 or 8 here */
    t->dtype = of[bits >> 3 & 1][width];
    t->big_endian = bits & 1 && t->size > 1;
    return true;
}

static bool float_type(lc_h5_type *t, uint32_t bits, lc_cursor *c) {
    /* size, exponent place and size, mantissa size, bias: IEEE binary16, bfloat16, binary32, binary64 */
    static const struct {
        uint32_t size, exponent_at, exponent, mantissa, bias;
        lc_dtype type;
    } known[] = {
        {2, 10, 5, 10, 15, LC_FLOAT16},
        {2, 7, 8, 7, 127, LC_BFLOAT16},
        {4, 23, 8, 23, 127, LC_FLOAT32},
        {8, 52, 11, 52, 1023, LC_FLOAT64},
    };
    uint16_t offset = lc_read_u16(c), precision = lc_read_u16(c);
    uint8_t exponent_at = lc_read_u8(c), exponent = lc_read_u8(c), mantissa_at = lc_read_u8(c), mantissa = lc_read_u8(c);
    uint32_t bias = lc_read_u32(c), sign_at = bits >> 8 & 0xFF;
    t->what = "float of unusual width or layout";
    if (offset != 0 || mantissa_at != 0 || bits & 0x40) return false; /* 0x40: VAX byte order */
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (t->size == known[i].size && precision == known[i].size * 8 && sign_at == known[i].size * 8 - 1 &&
            exponent_at == known[i].exponent_at && exponent == known[i].exponent && mantissa == known[i].mantissa &&
            bias == known[i].bias) {
            t->dtype = known[i].type;
            t->big_endian = bits & 1;
            return true;
        }
    return false;
}

/* numpy's bool: an enum over int8 whose members are FALSE = 0 and TRUE = 1. */
static bool bool_type(const lc_h5 *h5, lc_h5_type *t, uint32_t bits, uint8_t version, lc_cursor *c) {
    (void)h5;
    uint32_t base_head = lc_read_u32(c), base_size = lc_read_u32(c);
    lc_cursor_skip(c, 4);
    if (c->failed || (base_head & 15) != 0 || base_size != 1 || t->size != 1 || (bits & 0xFFFF) != 2) return false;
    const char *names[2];
    for (int i = 0; i < 2; i++) {
        size_t length;
        names[i] = lc_read_cstr(c, &length);
        if (!names[i]) return false;
        if (version < 3) { /* padded to 8 with its NUL */
            size_t pad = 7 - length % 8;
            lc_cursor_skip(c, pad);
        }
    }
    uint8_t first = lc_read_u8(c), second = lc_read_u8(c);
    if (c->failed || strcmp(names[0], "FALSE") != 0 || strcmp(names[1], "TRUE") != 0 || first != 0 || second != 1) return false;
    t->dtype = LC_BOOL;
    return true;
}

lc_status lc_h5_parse_type(const lc_h5 *h5, lc_cursor *c, lc_h5_type *t, lc_error *err) {
    static const char *const names[] = {"integer", "float",    "time",      "string", "bit field",
                                        "opaque",  "compound", "reference", "enum",   "variable-length sequence",
                                        "array",   "complex"};
    *t = (lc_h5_type){.kind = LC_H5_OTHER};
    uint32_t head = lc_read_u32(c), class = head & 15, version = head >> 4 & 15, bits = head >> 8;
    t->size = lc_read_u32(c);
    if (c->failed) return LC_H5_BAD(h5, c, H5_TYPE, "a datatype is cut short");
    if (version < 1 || version > 5 || class > 11)
        return LC_H5_BAD(h5, c, H5_TYPE, "datatype class %u version %u is unknown", class, version);
    if (t->size == 0) return LC_H5_BAD(h5, c, H5_TYPE, "a datatype (%s) has size 0", names[class]);
    t->what = names[class];
    bool number = false;
    if (class == 0) {
        uint16_t offset = lc_read_u16(c), precision = lc_read_u16(c);
        number = integer_type(t, bits, offset, precision);
    } else if (class == 1) {
        number = float_type(t, bits, c);
    } else if (class == 3) {
        t->kind = LC_H5_STRING;
        t->padding = bits & 15;
        if (t->padding > 2) return LC_H5_BAD(h5, c, H5_TYPE, "a string type with padding %u (known: 0 to 2)", t->padding);
    } else if (class == 5) {
        t->kind = LC_H5_OPAQUE;
    } else if (class == 8) {
        number = bool_type(h5, t, bits, (uint8_t)version, c);
        if (c->failed) return LC_H5_BAD(h5, c, H5_TYPE, "an enum type is cut short");
    } else if (class == 9 && (bits & 15) == 1) {
        t->kind = LC_H5_VLEN_STRING;
        if (t->size != 8u + h5->offset_size)
            return LC_H5_BAD(h5, c, H5_TYPE, "a variable-length string of %u bytes, %u are needed", t->size, 8u + h5->offset_size);
    }
    if (c->failed) return LC_H5_BAD(h5, c, H5_TYPE, "a datatype (%s) is cut short", names[class]);
    if (number) {
        t->kind = LC_H5_NUMBER;
        t->what = lc_dtype_name(t->dtype);
    } else if (t->kind == LC_H5_STRING) {
        t->what = "string";
    } else if (t->kind == LC_H5_VLEN_STRING) {
        t->what = "variable-length string";
    }
    return LC_OK;
}

lc_status lc_h5_parse_space(const lc_h5 *h5, lc_cursor *c, lc_h5_value *v, uint64_t *max_dims, lc_error *err) {
    uint8_t version = lc_read_u8(c), rank = lc_read_u8(c), flags = lc_read_u8(c), kind = 1;
    if (version == 1) lc_cursor_skip(c, 5);
    else kind = lc_read_u8(c);
    if (c->failed || version < 1 || version > 2 || rank > LC_H5_MAX_RANK || kind > 2)
        return LC_H5_BAD(h5, c, H5_SPACE, "a dataspace of version %u with %u dimensions (known: versions 1 and 2, at most %d dimensions)",
                         version, rank, LC_H5_MAX_RANK);
    if (version == 1 && flags & 2) return LC_H5_BAD(h5, c, H5_SPACE, "a dataspace with a permutation");
    v->rank = rank;
    v->count = kind == 2 ? 0 : 1;
    for (uint8_t i = 0; i < rank; i++) v->dims[i] = lc_h5_length(h5, c);
    uint64_t all = h5->length_size == 8 ? UINT64_MAX : UINT64_MAX >> (64 - 8 * h5->length_size);
    for (uint8_t i = 0; i < rank; i++) {
        uint64_t most = flags & 1 ? lc_h5_length(h5, c) : v->dims[i];
        if (most == all) most = UINT64_MAX;
        if (max_dims) max_dims[i] = most;
        if (!c->failed && most < v->dims[i])
            return LC_H5_BAD(h5, c, H5_SPACE, "dimension %u is %llu, more than its maximum", i, (unsigned long long)v->dims[i]);
    }
    if (c->failed) return LC_H5_BAD(h5, c, H5_SPACE, "a dataspace is cut short");
    bool empty = kind == 2;
    for (uint8_t i = 0; i < rank; i++) empty |= v->dims[i] == 0;
    if (empty) v->count = 0;
    for (uint8_t i = 0; i < rank && !empty; i++)
        if (!lc_mul_u64(v->count, v->dims[i], &v->count))
            return LC_H5_BAD(h5, c, H5_SPACE, "the product of a dataspace's dimensions overflows");
    return LC_OK;
}

/* ---- attributes ---- */

/* The three parts are padded to 8 in version 1 only. */
static lc_cursor take_part(lc_cursor *c, uint64_t size, uint8_t version) {
    lc_cursor part = lc_cursor_take(c, size);
    if (version == 1 && size % 8) lc_cursor_skip(c, 8 - size % 8);
    return part;
}

static lc_status parse_attribute(lc_h5 *h5, lc_h5_object *object, lc_cursor *c, lc_error *err) {
    uint8_t version = lc_read_u8(c), flags = lc_read_u8(c);
    uint16_t name_size = lc_read_u16(c), type_size = lc_read_u16(c), space_size = lc_read_u16(c);
    if (version == 3) lc_read_u8(c); /* character set of the name */
    if (c->failed || version < 1 || version > 3)
        return LC_H5_BAD(h5, c, H5_ATTRIBUTE, "an attribute of '%s' is malformed (version %u, known: 1 to 3)", object->path, version);
    lc_cursor name = take_part(c, name_size, version), type = take_part(c, type_size, version), space = take_part(c, space_size, version);
    size_t length = 0;
    lc_h5_attr a = {0};
    const char *text = lc_read_cstr(&name, &length);
    if (c->failed || !text) return LC_H5_BAD(h5, c, H5_ATTRIBUTE, "an attribute of '%s' is cut short or has no name", object->path);
    a.name = (lc_str){text, length};
    if (version > 1 && flags & 3) {
        a.value.type = (lc_h5_type){.kind = LC_H5_OTHER, .what = "type that is shared with another object"};
        a.value.data = (const uint8_t *)"";
    } else {
        LC_TRY(lc_h5_parse_type(h5, &type, &a.value.type, err));
        LC_TRY(lc_h5_parse_space(h5, &space, &a.value, NULL, err));
        uint64_t bytes;
        a.value.at = lc_h5_at(h5, c);
        if (!lc_mul_u64(a.value.count, a.value.type.size, &bytes) || !lc_u64_to_size(bytes, &a.value.size) ||
            !(a.value.data = lc_read_bytes(c, bytes)))
            return LC_H5_BAD(h5, c, H5_ATTRIBUTE, "attribute '%.100s' of '%s' states more data than it has", text, object->path);
    }
    void *items = object->attrs;
    if (!lc_arena_grow(h5->arena, &items, &object->attr_capacity, object->attr_count + 1, sizeof *object->attrs))
        return lc_fail_memory(err, "HDF5 attributes");
    object->attrs = items;
    object->attrs[object->attr_count++] = a;
    return lc_h5_count(h5, 1, err);
}

typedef struct dense_attrs {
    lc_h5_object *object;
    lc_h5_heap heap;
} dense_attrs;

static lc_status visit_attribute(lc_h5 *h5, void *user, lc_cursor *record, lc_error *err) {
    dense_attrs *d = user;
    lc_cursor attribute, flags = *record;
    lc_cursor_skip(&flags, d->heap.id_size);
    if (lc_read_u8(&flags) & 0x02)
        return LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_SHARED, lc_h5_at(h5, record),
                              "'%s' has an attribute that is shared with another object", d->object->path);
    LC_TRY(lc_h5_heap_get(h5, &d->heap, record, &attribute, err));
    return parse_attribute(h5, d->object, &attribute, err);
}

static lc_status read_attributes(lc_h5 *h5, lc_h5_object *object, lc_error *err) {
    for (size_t i = 0; i < object->message_count; i++) {
        const lc_h5_message *m = &object->messages[i];
        lc_cursor c = m->body;
        if (m->type == LC_H5_MSG_ATTRIBUTE) {
            if (m->flags & 0x02)
                return LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_SHARED, lc_h5_at(h5, &c),
                                      "'%s' has an attribute that is shared with another object", object->path);
            LC_TRY(parse_attribute(h5, object, &c, err));
        }
        if (m->type != LC_H5_MSG_ATTRIBUTE_INFO) continue;
        uint8_t version = lc_read_u8(&c), flags = lc_read_u8(&c);
        if (flags & 0x01) lc_read_u16(&c); /* highest creation index */
        dense_attrs d = {.object = object};
        uint64_t heap = lc_h5_offset(h5, &c), tree = lc_h5_offset(h5, &c);
        if (c.failed || version != 0)
            return LC_H5_BAD(h5, &c, H5_ATTRIBUTE, "the attribute information of '%s' is malformed", object->path);
        if (heap == LC_H5_NOWHERE) continue; /* all attributes are messages */
        LC_TRY(lc_h5_heap_open(h5, heap, &d.heap, err));
        LC_TRY(lc_h5_tree2(h5, tree, 8, visit_attribute, &d, err));
    }
    return LC_OK;
}

static int compare_attrs(const void *a, const void *b) {
    return lc_h5_compare(((const lc_h5_attr *)a)->name, ((const lc_h5_attr *)b)->name);
}

lc_status lc_h5_attribute(lc_h5 *h5, lc_h5_object *object, const char *name, lc_h5_value *value, bool *found, lc_error *err) {
    *found = false;
    if (!object->attrs_read) {
        object->attr_count = 0;
        LC_TRY(read_attributes(h5, object, err));
        if (object->attr_count) qsort(object->attrs, object->attr_count, sizeof *object->attrs, compare_attrs);
        for (size_t i = 1; i < object->attr_count; i++)
            if (compare_attrs(&object->attrs[i - 1], &object->attrs[i]) == 0)
                return LC_SOURCE_FAIL(err, LC_INVALID, H5_ATTRIBUTE, LC_NO_OFFSET, "'%s' has two attributes named '%.100s'", object->path,
                                      object->attrs[i].name.data);
        object->attrs_read = true;
    }
    lc_h5_attr key = {.name = lc_str_of(name)};
    const lc_h5_attr *found_at = object->attr_count ? bsearch(&key, object->attrs, object->attr_count, sizeof key, compare_attrs) : NULL;
    *found = found_at != NULL;
    if (found_at) *value = found_at->value;
    return LC_OK;
}

/* ---- strings ---- */

static lc_str trim(const uint8_t *data, size_t size, uint8_t padding) {
    const uint8_t *nul = memchr(data, 0, size);
    if (nul && padding != 2) size = (size_t)(nul - data);
    while (padding == 2 && size && data[size - 1] == ' ') size--;
    return (lc_str){(const char *)data, size};
}

lc_status lc_h5_strings(lc_h5 *h5, const lc_h5_value *v, const char *what, lc_str **strings, size_t *count, lc_error *err) {
    *strings = NULL;
    *count = 0;
    if (v->count == 0) return LC_OK;
    if (v->type.kind != LC_H5_STRING && v->type.kind != LC_H5_VLEN_STRING)
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_ATTRIBUTE, v->at, "%s is of type %s, strings are expected", what, v->type.what);
    size_t n;
    uint64_t bytes;
    if (!lc_u64_to_size(v->count, &n) || !lc_mul_u64(v->count, sizeof **strings, &bytes))
        return lc_fail(err, LC_INVALID, "%s has too many strings", what);
    LC_TRY(lc_budget_memory(h5->budget, bytes, what, err));
    lc_str *list = lc_arena_array(h5->arena, n, sizeof *list);
    if (!list) return lc_fail_memory(err, what);
    lc_cursor c = lc_cursor_make(v->data, v->size);
    for (size_t i = 0; i < n; i++) {
        lc_cursor element = lc_cursor_take(&c, v->type.size);
        if (v->type.kind == LC_H5_STRING) {
            const uint8_t *p = lc_read_bytes(&element, v->type.size);
            if (!p) return lc_fail(err, LC_INVALID, "%s is cut short", what);
            list[i] = trim(p, v->type.size, v->type.padding);
            continue;
        }
        uint32_t length = lc_read_u32(&element);
        uint64_t address = lc_h5_offset(h5, &element);
        uint32_t index = lc_read_u32(&element);
        list[i] = LC_STR("");
        if (!length) continue;
        lc_cursor object;
        LC_TRY(lc_h5_global(h5, address, index, &object, err));
        const uint8_t *p = lc_read_bytes(&object, length);
        if (!p)
            return LC_SOURCE_FAIL(err, LC_INVALID, H5_HEAP, v->at, "%s states a string of %u bytes, the heap holds fewer", what, length);
        list[i] = trim(p, length, 0);
    }
    *strings = list;
    *count = n;
    return LC_OK;
}
