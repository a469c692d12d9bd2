/*
 * flex_write.c: FlexBuffers for the options of custom operators, byte for byte as the official writer lays them out (flex.c has the
 * format): strings and lists first, in the order they are given, then the vector of keys, the values, the root.
 *
 * A vector's elements all have one width: the smallest in which every number, and every way back from an element to what it points to,
 * fits. That depends on where the vector begins, which depends on its width, so the widths are tried from the smallest on.
 */
#include "schema/flex.h"

#include <string.h>

enum { KEY = 4, STRING = 5, MAP = 9, VECTOR = 10, INTS = 11, FLOATS = 13, KEYS = 14, STRINGS = 15, BOOL = 26 };

/* A value as an element of a vector: a number, or where something lies. */
typedef struct element {
    uint8_t type, width; /* width: the least a number needs; of what is pointed to, that of its own numbers */
    bool points;
    uint64_t bits; /* the number (a float's bits), or the place */
} element;

static uint8_t unsigned_width(uint64_t v) { return v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8; }

static uint8_t signed_width(int64_t v) { return v == (int8_t)v ? 1 : v == (int16_t)v ? 2 : v == (int32_t)v ? 4 : 8; }

static uint8_t width_code(uint8_t width) { return width == 1 ? 0 : width == 2 ? 1 : width == 4 ? 2 : 3; }

static void put(lc_text *out, uint64_t v, uint8_t width) {
    char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (char)(uint8_t)(v >> (8 * i));
    lc_text_add_n(out, bytes, width);
}

static size_t aligned(size_t at, uint8_t width) { return (at + width - 1) / width * width; }

static void align(lc_text *out, uint8_t width) {
    static const char zeros[8];
    lc_text_add_n(out, zeros, aligned(out->size, width) - out->size);
}

static element put_string(lc_text *out, lc_str s) {
    const uint8_t width = unsigned_width(s.size);
    align(out, width);
    put(out, s.size, width);
    const element e = {STRING, width, true, out->size};
    if (s.size) lc_text_add_n(out, s.data, s.size);
    lc_text_add_n(out, "", 1);
    return e;
}

/* keys: what a map's keys are, NULL for any other vector. typed: no types follow. */
static element put_vector(lc_text *out, uint8_t type, const element *keys, const element *e, uint32_t n, bool typed) {
    uint8_t width = 1;
    const uint64_t before = keys ? 3 : 1; /* fields in front of the first element */
    for (; width < 8; width *= 2) {
        const size_t at = aligned(out->size, width);
        bool fits = unsigned_width(n) <= width && (!keys || unsigned_width(at - keys->bits) <= width);
        for (uint32_t i = 0; fits && i < n; i++)
            fits = (e[i].points ? unsigned_width(at + (before + i) * width - e[i].bits) : e[i].width) <= width;
        if (fits) break;
    }
    align(out, width);
    if (keys) {
        put(out, out->size - keys->bits, width);
        put(out, keys->width, width);
    }
    put(out, n, width);
    const element made = {type, width, true, out->size};
    for (uint32_t i = 0; i < n; i++) {
        uint64_t bits = e[i].points ? out->size - e[i].bits : e[i].bits;
        if (!e[i].points && e[i].type == 3 && width == 8) { /* a float in a vector of wide numbers is a double */
            const uint32_t narrow = (uint32_t)bits;
            float f;
            memcpy(&f, &narrow, sizeof f);
            const double d = (double)f;
            memcpy(&bits, &d, sizeof bits);
        }
        put(out, bits, width);
    }
    for (uint32_t i = 0; !typed && i < n; i++) put(out, (uint64_t)(e[i].type << 2 | width_code(e[i].points ? e[i].width : width)), 1);
    return made;
}

static void put_root(lc_text *out, element root) {
    uint8_t width = 1;
    while (width < 8 && unsigned_width(aligned(out->size, width) - root.bits) > width) width *= 2;
    align(out, width);
    put(out, out->size - root.bits, width);
    put(out, (uint64_t)(root.type << 2 | width_code(root.width)), 1);
    put(out, width, 1);
}

static element float_element(float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return (element){3, 4, false, bits};
}

static element int_element(int64_t i) { return (element){1, signed_width(i), false, (uint64_t)i}; }

/* room: n elements, of the longest list there is. */
static element put_value(lc_text *out, const lc_flex_value *v, element *room) {
    switch (v->kind) {
    case LC_FLEX_KIND_INT: return int_element(v->i);
    case LC_FLEX_KIND_BOOL: return (element){BOOL, 1, false, v->i != 0};
    case LC_FLEX_KIND_FLOAT: return float_element(v->f);
    case LC_FLEX_KIND_STRING: return put_string(out, v->s);
    case LC_FLEX_KIND_INTS:
        for (uint32_t i = 0; i < v->n; i++) room[i] = int_element(v->ints[i]);
        return put_vector(out, INTS, NULL, room, v->n, true);
    case LC_FLEX_KIND_FLOATS:
        for (uint32_t i = 0; i < v->n; i++) room[i] = float_element(v->floats[i]);
        return put_vector(out, FLOATS, NULL, room, v->n, true);
    default:
        for (uint32_t i = 0; i < v->n; i++) room[i] = put_string(out, v->strings[i]);
        return put_vector(out, STRINGS, NULL, room, v->n, true);
    }
}

void lc_flex_write_map(lc_text *out, const lc_flex_value *values, uint32_t n, lc_arena *scratch) {
    uint32_t longest = n;
    for (uint32_t i = 0; i < n; i++)
        if (values[i].n > longest) longest = values[i].n;
    element *keys = lc_arena_array(scratch, n ? n : 1, sizeof *keys), *e = lc_arena_array(scratch, n ? n : 1, sizeof *e);
    element *room = lc_arena_array(scratch, longest ? longest : 1, sizeof *room);
    if (!keys || !e || !room) {
        out->failed = true;
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = (element){KEY, 1, true, out->size};
        lc_text_add_n(out, values[i].key.data, values[i].key.size);
        lc_text_add_n(out, "", 1);
        e[i] = put_value(out, &values[i], room);
    }
    const element names = put_vector(out, KEYS, NULL, keys, n, true);
    put_root(out, put_vector(out, MAP, &names, e, n, false));
}

void lc_flex_write_strings(lc_text *out, const lc_str strings[2]) {
    element e[2];
    for (int i = 0; i < 2; i++) e[i] = put_string(out, strings[i]);
    put_root(out, put_vector(out, VECTOR, NULL, e, 2, false));
}
