/*
 * flex.c: see flex.h. The format is FlexBuffers (flatbuffers.dev, "FlexBuffers: internals"): values are 1, 2, 4 or 8 bytes wide, offsets
 * count backwards from where they stand, the last three fields of the buffer are the root's value, its type and its width.
 *
 *   map at M, width w:  [M - 3w] offset of the keys   [M - 2w] width of the keys' vector   [M - w] count   [M] values   [M + w * count]
 * types keys at K, width k: [K - k] count                 [K] offsets of strings that end with NUL
 *
 * Nothing is copied and nothing allocated. Every offset is checked when it is followed; a name is found by looking at each key once, so
 * that a map whose keys are not sorted gives the same answer, and a hostile one costs no more than its bytes times the length of the name.
 */
#include "schema/flex.h"

#include <math.h>
#include <string.h>

enum {
    FLEX_NULL,
    FLEX_INT,
    FLEX_UINT,
    FLEX_FLOAT,
    FLEX_KEY,
    FLEX_STRING,
    FLEX_INDIRECT_INT,
    FLEX_INDIRECT_UINT,
    FLEX_INDIRECT_FLOAT,
    FLEX_MAP,
    FLEX_BOOL = 26
};

/* The unsigned number of `width` bytes at `at`. */
static bool number(const lc_flex *f, uint64_t at, uint8_t width, uint64_t *value) {
    lc_cursor c = lc_cursor_window(&f->all, at, width);
    *value = lc_read_uint(&c, width);
    return !c.failed;
}

/* Where the offset at `at` leads. */
static bool follow(const lc_flex *f, uint64_t at, uint8_t width, uint64_t *target) {
    uint64_t back;
    if (!number(f, at, width, &back) || back > at) return false;
    *target = at - back;
    return true;
}

/* [at, at + count * width) lies in the buffer. */
static bool holds(const lc_flex *f, uint64_t at, uint64_t count, uint8_t width, uint64_t *end) {
    uint64_t bytes;
    if (!lc_mul_u64(count, width, &bytes) || !lc_add_u64(at, bytes, end)) return false;
    return lc_range_ok(at, bytes, (uint64_t)(f->all.end - f->all.base));
}

static bool is_width(uint64_t w) { return w == 1 || w == 2 || w == 4 || w == 8; }

static bool open_map(lc_flex *f, uint64_t at, uint8_t width) {
    uint64_t key_width, key_count, end;
    f->value_width = width;
    f->values = at;
    if (at < (uint64_t)3 * width || !number(f, at - width, width, &f->count) || !number(f, at - (uint64_t)2 * width, width, &key_width) ||
        !is_width(key_width) || !follow(f, at - (uint64_t)3 * width, width, &f->keys))
        return false;
    f->key_width = (uint8_t)key_width;
    return holds(f, at, f->count, width, &end) && holds(f, end, f->count, 1, &end) && f->keys >= key_width &&
           number(f, f->keys - key_width, f->key_width, &key_count) && key_count == f->count &&
           holds(f, f->keys, f->count, f->key_width, &end);
}

lc_status lc_flex_open(lc_vec_u8 bytes, lc_flex *map, lc_error *err) {
    const uint64_t n = bytes.data ? bytes.n : 0;
    *map = (lc_flex){.all = lc_cursor_make(n ? bytes.data : NULL, n)};
    if (n == 0) return LC_OK;
    uint64_t width = 0, type = 0, at;
    if (n < 3 || !number(map, n - 1, 1, &width) || !number(map, n - 2, 1, &type) || !is_width(width) || n < 2 + width)
        return lc_fail(err, LC_INVALID, "the %llu bytes of its options are no FlexBuffer", (unsigned long long)n);
    if (type >> 2 != FLEX_MAP)
        return lc_fail(err, LC_INVALID, "its options are a FlexBuffer of type %u, needs a map", (unsigned)(type >> 2));
    if (!follow(map, n - 2 - width, (uint8_t)width, &at) || !open_map(map, at, (uint8_t)(1u << (type & 3)))) {
        *map = (lc_flex){0};
        return lc_fail(err, LC_INVALID, "the map of its options lies outside of their %llu bytes", (unsigned long long)n);
    }
    return LC_OK;
}

static bool key_is(const lc_flex *f, uint64_t index, const char *name) {
    uint64_t at;
    const size_t size = strlen(name) + 1;                                            /* with its NUL */
    if (!follow(f, f->keys + index * f->key_width, f->key_width, &at)) return false; /* checked: the table lies in the buffer */
    lc_cursor c = lc_cursor_window(&f->all, at, size);
    const uint8_t *key = lc_read_bytes(&c, size);
    return key && memcmp(key, name, size) == 0;
}

typedef struct value {
    uint8_t type, width; /* width: of the number, or of a string's length */
    uint64_t at;         /* where it lies */
} value;

/* The value called `name`; type FLEX_NULL when there is none. False: its bytes lie outside. */
static bool find(const lc_flex *f, const char *name, value *v) {
    *v = (value){.type = FLEX_NULL};
    for (uint64_t i = 0; i < f->count; i++) {
        if (!key_is(f, i, name)) continue;
        uint64_t packed;
        const uint64_t at = f->values + i * f->value_width; /* checked: open_map saw that all of them lie in the buffer */
        if (!number(f, f->values + f->count * f->value_width + i, 1, &packed)) return false; /* checked: as above */
        *v = (value){.type = (uint8_t)(packed >> 2), .width = f->value_width, .at = at};
        if (v->type <= FLEX_FLOAT || v->type == FLEX_BOOL) return true;
        v->width = (uint8_t)(1u << (packed & 3));
        return follow(f, at, f->value_width, &v->at);
    }
    return true;
}

static double real(uint64_t bits, uint8_t width) {
    float narrow;
    double wide;
    if (width == 4) {
        const uint32_t low = (uint32_t)bits;
        memcpy(&narrow, &low, sizeof narrow);
        return (double)narrow;
    }
    memcpy(&wide, &bits, sizeof wide);
    return wide;
}

static int64_t to_int(double x) {
    if (isnan(x)) return 0;
    return x >= 0x1p63 ? INT64_MAX : x < -0x1p63 ? INT64_MIN : (int64_t)x;
}

/* Reads a number of any kind as an integer (*i) and a real (*r). False: absent, or broken (then noted). */
static bool read_number(lc_flex *f, const char *name, int64_t *i, double *r) {
    value v;
    uint64_t bits;
    bool ok = find(f, name, &v);
    if (ok && v.type == FLEX_NULL) return false;
    ok = ok && number(f, v.at, v.width, &bits);
    if (ok) {
        switch (v.type) {
        case FLEX_INT:
        case FLEX_INDIRECT_INT: {
            const int unused = 64 - 8 * v.width;
            *i = (int64_t)(bits << unused) >> unused;
            *r = (double)*i;
            return true;
        }
        case FLEX_UINT:
        case FLEX_INDIRECT_UINT:
        case FLEX_BOOL:
            *i = bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
            *r = (double)bits;
            return true;
        case FLEX_FLOAT:
        case FLEX_INDIRECT_FLOAT:
            if (v.width < 4) break; /* no writer makes these */
            *r = real(bits, v.width);
            *i = to_int(*r);
            return true;
        default: break;
        }
    }
    if (!f->wrong) f->wrong = name;
    return false;
}

bool lc_flex_has(const lc_flex *map, const char *name) {
    value v;
    return !find(map, name, &v) || v.type != FLEX_NULL;
}

int64_t lc_flex_int(lc_flex *map, const char *name, int64_t otherwise) {
    int64_t i;
    double r;
    return read_number(map, name, &i, &r) ? i : otherwise;
}

double lc_flex_float(lc_flex *map, const char *name, double otherwise) {
    int64_t i;
    double r;
    return read_number(map, name, &i, &r) ? r : otherwise;
}

bool lc_flex_bool(lc_flex *map, const char *name, bool otherwise) {
    int64_t i;
    double r;
    return read_number(map, name, &i, &r) ? i != 0 : otherwise;
}

lc_str lc_flex_string(lc_flex *map, const char *name, lc_str otherwise) {
    value v;
    uint64_t size;
    bool ok = find(map, name, &v);
    if (ok && v.type == FLEX_NULL) return otherwise;
    if (ok && v.type == FLEX_STRING && v.at >= v.width && number(map, v.at - v.width, v.width, &size)) {
        lc_cursor c = lc_cursor_window(&map->all, v.at, size);
        const uint8_t *text = lc_read_bytes(&c, size);
        if (text && !c.failed) return (lc_str){(const char *)text, (size_t)size};
    }
    if (!map->wrong) map->wrong = name;
    return otherwise;
}

lc_status lc_flex_check(const lc_flex *map, lc_error *err) {
    return map->wrong ? lc_fail(err, LC_INVALID, "its option \"%.80s\" is broken or of the wrong kind", map->wrong) : LC_OK;
}
