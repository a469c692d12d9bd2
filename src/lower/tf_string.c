/*
 * tf_string.c: text. TFLite has no operators that change strings, so what works on constants is done here, once, and everything else is
 * missing with a reason; and what reads pictures, sound or serialised examples at the head of a graph is missing with the way around it:
 * cut the graph behind it.
 *
 * StringLower, StringUpper, StringStrip, StringLength, StringJoin, StringSplitV2, StringToNumber, StringToHashBucketFast, AsString, Substr,
 * StaticRegexReplace and RegexReplace (of patterns that are plain text) are TensorFlow's on bytes; letters beyond ASCII are left alone,
 * as TensorFlow does without encoding="utf-8".
 */
#include "ir/strings.h"
#include "lower/tf_array.h"
#include "lower/tf_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- constant strings ---------------------------------------------------------------------------------------------- */

typedef struct text {
    lc_strings s;
    lc_shape shape;
    size_t n;
} text;

/* Input i, when it is constant; missing otherwise. */
static bool text_in(lc_tf_call *c, uint32_t i, text *t) {
    const int32_t x = lc_tf_in(c, i);
    const lc_tensor *def = lc_build_tensor(c->b, x);
    uint64_t n;
    memset(t, 0, sizeof *t);
    if (!def) return false;
    if (def->type != LC_STRING) {
        lc_tf_fail(c, LC_INVALID, "its input %u is %s, needs string", i, lc_dtype_name(def->type));
        return false;
    }
    t->shape = lc_tf_shape(c, x);
    if (!def->data || t->shape.rank == LC_RANK_UNKNOWN || !lc_shape_elements(&t->shape, &n)) {
        lc_tf_missing(c, "TFLite has no operators on text, and this text is not constant");
        return false;
    }
    const char *wrong = lc_strings_check(def->data, def->size, n);
    if (wrong) {
        lc_tf_fail(c, LC_INVALID, "its input %u %s", i, wrong);
        return false;
    }
    t->s = (lc_strings){def->data, (size_t)n};
    t->n = (size_t)n;
    return true;
}

/* Memory for the time of the lowering, counted: text that is joined with itself again and again grows fast. */
static void *scratch(lc_tf_call *c, size_t n, size_t size) {
    if (!lc_tf_ok(c) || !lc_tf_take(c, lc_budget_memory(&c->lower->budget, (uint64_t)n * size, "text", c->lower->err))) return NULL;
    void *p = lc_arena_array(&c->lower->scratch, n ? n : 1, size);
    if (!p) lc_build_check(c->b, lc_fail_memory(c->b->err, "text"));
    return p;
}

/* A copy of what was put together, which is emptied. */
static lc_str keep(lc_tf_call *c, lc_text *made) {
    char *copy = made->failed ? NULL : scratch(c, made->size + 1, 1);
    const lc_str s = {copy, made->size};
    if (copy && made->size) memcpy(copy, made->data, made->size);
    if (!copy && lc_tf_ok(c)) lc_build_check(c->b, lc_fail_memory(c->b->err, "text"));
    lc_text_deinit(made);
    return s;
}

static int32_t make_text(lc_tf_call *c, const lc_str *strings, size_t n, const lc_shape *shape) {
    size_t bytes;
    if (!lc_tf_ok(c) || !strings) return -1;
    if (!lc_strings_size(strings, n, &bytes)) return lc_tf_fail(c, LC_LIMIT, "%zu strings are too long for one tensor", n);
    void *data = lc_tf_table_data(c, bytes, 1);
    if (!data) return -1;
    lc_strings_write(strings, n, data);
    return lc_build_const(c->b, "text", LC_STRING, shape->dims, shape->rank, data, bytes, true);
}

static int32_t make_numbers(lc_tf_call *c, lc_dtype type, void *data, size_t n, const lc_shape *shape) {
    return lc_build_const(c->b, "numbers", type, shape->dims, shape->rank, data, n * (lc_dtype_bits(type) / 8), true);
}

/* ---- one string to one string ------------------------------------------------------------------------------------------ */

static bool is_space(char ch) { return ch == ' ' || (ch >= '\t' && ch <= '\r'); }

/* Letters of ASCII from `first` on change by `by`. False where UTF-8 letters would have to. */
static void change_case(lc_tf_call *c, char first, int by) {
    text t;
    const bool utf8 = lc_tf_attr_is(c, "encoding", "", "utf-8");
    if (!text_in(c, 0, &t)) return;
    lc_str *out = scratch(c, t.n, sizeof *out);
    for (size_t i = 0; out && i < t.n; i++) {
        const lc_str s = lc_strings_at(&t.s, i);
        char *to = scratch(c, s.size, 1);
        if (!to) return;
        for (size_t k = 0; k < s.size; k++) {
            if (utf8 && (uint8_t)s.data[k] >= 0x80) {
                lc_tf_missing(c, "letters beyond ASCII in UTF-8");
                return;
            }
            to[k] = s.data[k] >= first && s.data[k] < first + 26 ? (char)(s.data[k] + by) : s.data[k];
        }
        out[i] = (lc_str){to, s.size};
    }
    lc_tf_give(c, 0, make_text(c, out, t.n, &t.shape));
}

void lc_tf_op_string_lower(lc_tf_call *c) { change_case(c, 'A', 'a' - 'A'); }
void lc_tf_op_string_upper(lc_tf_call *c) { change_case(c, 'a', 'A' - 'a'); }

void lc_tf_op_string_strip(lc_tf_call *c) {
    text t;
    if (!text_in(c, 0, &t)) return;
    lc_str *out = scratch(c, t.n, sizeof *out);
    for (size_t i = 0; out && i < t.n; i++) {
        lc_str s = lc_strings_at(&t.s, i);
        while (s.size && is_space(s.data[s.size - 1])) s.size--;
        for (; s.size && is_space(s.data[0]); s.size--) s.data++;
        out[i] = s;
    }
    lc_tf_give(c, 0, make_text(c, out, t.n, &t.shape));
}

/* A pattern without anything that means more than itself. */
static bool is_plain(lc_str s) {
    for (size_t i = 0; i < s.size; i++)
        if (strchr("\\.+*?()[]{}|^$", s.data[i])) return false;
    return s.size > 0;
}

static void replace(lc_tf_call *c, const text *t, lc_str pattern, lc_str with) {
    const bool all = lc_tf_attr_bool(c, "replace_global", true);
    if (!is_plain(pattern) || (with.size && memchr(with.data, '\\', with.size))) {
        lc_tf_missing(c, "TFLite has no regular expressions");
        return;
    }
    lc_str *out = scratch(c, t->n, sizeof *out);
    for (size_t i = 0; out && i < t->n; i++) {
        const lc_str s = lc_strings_at(&t->s, i);
        lc_text made = {0};
        bool met = false;
        for (size_t k = 0; k < s.size;) {
            if ((all || !met) && s.size - k >= pattern.size && !memcmp(s.data + k, pattern.data, pattern.size)) {
                lc_text_add_n(&made, with.data ? with.data : "", with.size);
                k += pattern.size;
                met = true;
            } else {
                lc_text_add_n(&made, s.data + k++, 1);
            }
        }
        out[i] = keep(c, &made);
        if (!lc_tf_ok(c)) return;
    }
    lc_tf_give(c, 0, make_text(c, out, t->n, &t->shape));
}

void lc_tf_op_static_regex_replace(lc_tf_call *c) {
    text t;
    if (text_in(c, 0, &t)) replace(c, &t, lc_tf_attr_str(c, "pattern", ""), lc_tf_attr_str(c, "rewrite", ""));
}

void lc_tf_op_regex_replace(lc_tf_call *c) {
    text t, pattern, with;
    if (!text_in(c, 0, &t) || !text_in(c, 1, &pattern) || !text_in(c, 2, &with)) return;
    if (pattern.n != 1 || with.n != 1)
        lc_tf_fail(c, LC_INVALID, "its pattern and rewrite are %zu and %zu strings, needs one each", pattern.n, with.n);
    else replace(c, &t, lc_strings_at(&pattern.s, 0), lc_strings_at(&with.s, 0));
}

/* Bytes from pos (negative: from the end) on, len at most. pos and len: one for all or one for each. */
void lc_tf_op_substr(lc_tf_call *c) {
    text t;
    int64_t at[2][256];
    uint32_t n[2];
    if (!text_in(c, 0, &t)) return;
    if (!lc_tf_attr_is(c, "unit", "BYTE", "BYTE")) {
        lc_tf_missing(c, "characters of UTF-8 are not cut");
        return;
    }
    for (uint32_t k = 0; k < 2; k++) n[k] = lc_tf_need_ints(c, lc_tf_in(c, k + 1), k ? "len" : "pos", at[k], 256);
    if (lc_tf_ok(c) && (n[0] != n[1] || (n[0] != 1 && n[0] != t.n))) {
        lc_tf_missing(c, "its positions do not have the shape of the text");
        return;
    }
    lc_str *out = scratch(c, t.n, sizeof *out);
    for (size_t i = 0; out && i < t.n; i++) {
        const lc_str s = lc_strings_at(&t.s, i);
        const int64_t size = (int64_t)s.size, len = at[1][n[1] > 1 ? i : 0];
        int64_t from = at[0][n[0] > 1 ? i : 0];
        if (from > size || from < -size) {
            lc_tf_fail(c, LC_INVALID, "position %" PRId64 " of a string of %zu bytes", from, s.size);
            return;
        }
        if (from < 0) from += size;
        out[i] = (lc_str){s.data + from, len < 0 ? 0 : (size_t)(len < size - from ? len : size - from)};
    }
    lc_tf_give(c, 0, make_text(c, out, t.n, &t.shape));
}

/* ---- many strings to one ------------------------------------------------------------------------------------------------- */

/* String i of one that may be one for all. */
static lc_str string_of(const text *t, size_t i) { return lc_strings_at(&t->s, t->n == 1 ? 0 : i); }

void lc_tf_op_string_join(lc_tf_call *c) {
    const lc_str between = lc_tf_attr_str(c, "separator", "");
    lc_shape shape = {0};
    size_t n = 1;
    text *t = scratch(c, c->in_count, sizeof *t);
    for (uint32_t k = 0; t && k < c->in_count; k++) {
        if (!text_in(c, k, &t[k])) return;
        if (t[k].shape.rank == 0) continue;
        if (shape.rank && !lc_shape_equal(&shape, &t[k].shape)) {
            lc_tf_fail(c, LC_INVALID, "its inputs are of different shapes");
            return;
        }
        shape = t[k].shape;
        n = t[k].n;
    }
    lc_str *out = t ? scratch(c, n, sizeof *out) : NULL;
    for (size_t i = 0; out && i < n; i++) {
        lc_text made = {0};
        for (uint32_t k = 0; k < c->in_count; k++) {
            const lc_str s = t[k].shape.rank ? lc_strings_at(&t[k].s, i) : string_of(&t[k], 0);
            if (k) lc_text_add_n(&made, between.data ? between.data : "", between.size);
            lc_text_add_n(&made, s.data, s.size);
        }
        out[i] = keep(c, &made);
        if (!lc_tf_ok(c)) return;
    }
    lc_tf_give(c, 0, make_text(c, out, n, &shape));
}

/* ---- numbers --------------------------------------------------------------------------------------------------------------- */

void lc_tf_op_string_length(lc_tf_call *c) {
    text t;
    const bool characters = lc_tf_attr_is(c, "unit", "BYTE", "UTF8_CHAR");
    if (!text_in(c, 0, &t)) return;
    int32_t *out = lc_build_data(c->b, t.n * sizeof *out + 1);
    for (size_t i = 0; out && i < t.n; i++) {
        const lc_str s = lc_strings_at(&t.s, i);
        for (size_t k = 0; k < s.size; k++) out[i] += !characters || (s.data[k] & 0xc0) != 0x80;
    }
    if (out) lc_tf_give(c, 0, make_numbers(c, LC_INT32, out, t.n, &t.shape));
}

/* The whole string as a number; false when it is none. */
static bool number_of(lc_str s, lc_dtype type, locale_t plain, void *at) {
    char copy[64], *end = copy;
    while (s.size && is_space(s.data[s.size - 1])) s.size--;
    for (; s.size && is_space(s.data[0]); s.size--) s.data++;
    if (!s.size || s.size >= sizeof copy) return false;
    memcpy(copy, s.data, s.size);
    copy[s.size] = 0;
    errno = 0;
    if (type == LC_FLOAT32 || type == LC_FLOAT64) {
        const double d = strtod_l(copy, &end, plain);
        const float f = type == LC_FLOAT32 ? strtof_l(copy, &end, plain) : 0;
        if (type == LC_FLOAT32) memcpy(at, &f, sizeof f);
        else memcpy(at, &d, sizeof d);
        return *end == 0;
    }
    const int64_t v = strtoll(copy, &end, 10);
    const int32_t narrow = (int32_t)v;
    if (type == LC_INT32) memcpy(at, &narrow, sizeof narrow);
    else memcpy(at, &v, sizeof v);
    return *end == 0 && errno == 0 && (type == LC_INT64 || (v >= INT32_MIN && v <= INT32_MAX));
}

void lc_tf_op_string_to_number(lc_tf_call *c) {
    text t;
    lc_dtype type = lc_tf_attr_type(c, "out_type");
    if (type == LC_DTYPE_COUNT) type = LC_FLOAT32;
    if (lc_tf_ok(c) && type != LC_FLOAT32 && type != LC_FLOAT64 && type != LC_INT32 && type != LC_INT64)
        lc_tf_fail(c, LC_INVALID, "attribute \"out_type\" is %s", lc_dtype_name(type));
    if (!text_in(c, 0, &t)) return;
    const size_t width = lc_dtype_bits(type) / 8;
    uint8_t *out = lc_build_data(c->b, t.n * width + 1);
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) lc_build_check(c->b, lc_fail_memory(c->b->err, "locale"));
    for (size_t i = 0; out && plain && lc_tf_ok(c) && i < t.n; i++) {
        const lc_str s = lc_strings_at(&t.s, i);
        if (!number_of(s, type, plain, out + i * width))
            lc_tf_fail(c, LC_INVALID, "\"%.*s\" is no %s", (int)(s.size < 60 ? s.size : 60), s.data, lc_dtype_name(type));
    }
    if (plain) freelocale(plain);
    if (out && lc_tf_ok(c)) lc_tf_give(c, 0, make_numbers(c, type, out, t.n, &t.shape));
}

/* ---- FarmHash's Fingerprint64 (github.com/google/farmhash, "na"): what StringToHashBucketFast means by a hash -------------- */

#define K0 0xc3a5c85c97cb3127u
#define K1 0xb492b66fbe98f273u
#define K2 0x9ae16a3b2f90404fu

static uint64_t word(const char *s) {
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v |= (uint64_t)(uint8_t)s[i] << (8 * i);
    return v;
}
static uint64_t half(const char *s) {
    uint64_t v = 0;
    for (int i = 0; i < 4; i++) v |= (uint64_t)(uint8_t)s[i] << (8 * i);
    return v;
}
static uint64_t turn(uint64_t v, int by) { return v >> by | v << (64 - by); }
static uint64_t mix(uint64_t v) { return v ^ v >> 47; }
static uint64_t hash_pair(uint64_t u, uint64_t v, uint64_t mul) { return mix((v ^ mix((u ^ v) * mul)) * mul) * mul; }

static uint64_t hash_short(const char *s, size_t n) {
    const uint64_t mul = K2 + n * 2;
    if (n >= 8) {
        const uint64_t a = word(s) + K2, b = word(s + n - 8);
        return hash_pair(turn(b, 37) * mul + a, (turn(a, 25) + b) * mul, mul);
    }
    if (n >= 4) return hash_pair(n + (half(s) << 3), half(s + n - 4), mul);
    if (n == 0) return K2;
    const uint64_t y = (uint64_t)(uint8_t)s[0] + ((uint64_t)(uint8_t)s[n / 2] << 8), z = n + ((uint64_t)(uint8_t)s[n - 1] << 2);
    return mix(y * K2 ^ z * K0) * K2;
}

static uint64_t hash_medium(const char *s, size_t n) {
    const uint64_t mul = K2 + n * 2, a = word(s) * (n <= 32 ? K1 : K2), b = word(s + 8), c = word(s + n - 8) * mul,
                   d = word(s + n - 16) * K2;
    const uint64_t y = turn(a + b, 43) + turn(c, 30) + d, z = hash_pair(y, a + turn(b + K2, 18) + c, mul);
    if (n <= 32) return z;
    const uint64_t e = word(s + 16) * mul, f = word(s + 24), g = (y + word(s + n - 32)) * mul, h = (z + word(s + n - 24)) * mul;
    return hash_pair(turn(e + f, 43) + turn(g, 30) + h, e + turn(f + a, 18) + g, mul);
}

typedef struct two {
    uint64_t a, b;
} two;

static two weak(const char *s, uint64_t a, uint64_t b) {
    const uint64_t w = word(s), x = word(s + 8), y = word(s + 16), z = word(s + 24), first = a + w;
    b = turn(b + first + z, 21);
    const uint64_t second = first + x + y;
    return (two){second + z, b + turn(second, 44) + first};
}

static uint64_t fingerprint(const char *s, size_t n) {
    if (n <= 16) return hash_short(s, n);
    if (n <= 64) return hash_medium(s, n);
    uint64_t x = 81, y = 81 * K1 + 113, z = mix(y * K2 + 113) * K2, t;
    two v = {0, 0}, w = {0, 0};
    const size_t end = (n - 1) / 64 * 64, rest = (n - 1) & 63;
    x = x * K2 + word(s);
    for (size_t at = 0;; at += 64) {
        const bool last = at == end; /* the last round is over the last 64 bytes, with another factor */
        const char *p = last ? s + end + rest - 63 : s + at;
        const uint64_t mul = last ? K1 + ((z & 0xff) << 1) : K1;
        if (last) {
            w.a += rest;
            v.a += w.a;
            w.a += v.a;
        }
        x = turn(x + y + v.a + word(p + 8), 37) * mul;
        y = turn(y + v.b + word(p + 48), 42) * mul;
        x ^= last ? w.b * 9 : w.b;
        y += (last ? v.a * 9 : v.a) + word(p + 40);
        z = turn(z + w.a, 33) * mul;
        v = weak(p, v.b * mul, x + w.a);
        w = weak(p + 32, z + w.b, y + word(p + 16));
        t = z;
        z = x;
        x = t;
        if (last) return hash_pair(hash_pair(v.a, w.a, mul) + mix(y) * K0 + z, hash_pair(v.b, w.b, mul) + x, mul);
    }
}

void lc_tf_op_string_to_hash_bucket_fast(lc_tf_call *c) {
    text t;
    const int64_t buckets = lc_tf_attr_int(c, "num_buckets", 0);
    if (lc_tf_ok(c) && buckets < 1) lc_tf_fail(c, LC_INVALID, "attribute \"num_buckets\" is %" PRId64, buckets);
    if (lc_tf_ok(c) && buckets == 1) { /* the usual bucket for words that a vocabulary lacks */
        const int32_t x = lc_tf_in(c, 0);
        lc_tf_give(c, 0, lc_tf_fill(c, lc_tf_shape_tensor(c, x), lc_tf_scalar(c, 0, LC_INT64)));
        return;
    }
    if (!text_in(c, 0, &t)) return;
    int64_t *out = lc_build_data(c->b, t.n * sizeof *out + 1);
    for (size_t i = 0; out && i < t.n; i++) {
        const lc_str s = lc_strings_at(&t.s, i);
        out[i] = (int64_t)(fingerprint(s.data, s.size) % (uint64_t)buckets);
    }
    if (out) lc_tf_give(c, 0, make_numbers(c, LC_INT64, out, t.n, &t.shape));
}

/* ---- splitting ------------------------------------------------------------------------------------------------------------------ */

static void skip_space(lc_str *s) {
    for (; s->size && is_space(s->data[0]); s->size--) s->data++;
}

/* The bytes before the next separator, without a separator before white space; s.size when there is none. */
static size_t next_break(lc_str s, lc_str sep) {
    for (size_t at = 0; at + (sep.size ? sep.size : 1) <= s.size; at++)
        if (sep.size ? !memcmp(s.data + at, sep.data, sep.size) : is_space(s.data[at])) return at;
    return s.size;
}

/* Parts of a string into parts[], which may be NULL to count them. After `most` (over 0) separators what is left is one part. Without a
 * separator runs of white space part, and those at the ends count for nothing; but what is left after `most` of them is a part even
 * when it is empty: TensorFlow's way. */
static size_t split(lc_str s, lc_str sep, int64_t most, lc_str *parts) {
    size_t n = 0;
    if (!sep.size) skip_space(&s);
    while (sep.size || s.size) {
        const size_t end = next_break(s, sep);
        const bool last = sep.size && end == s.size;
        if (parts) parts[n] = (lc_str){s.data, end};
        n++;
        if (last) return n;
        s = (lc_str){s.data + end + sep.size, s.size - end - sep.size};
        if (!sep.size) skip_space(&s);
        if (most <= 0 || (int64_t)n < most) continue;
        if (parts) parts[n] = s;
        return n + 1;
    }
    return n;
}

void lc_tf_op_string_split_v2(lc_tf_call *c) {
    text t, sep;
    const int64_t most = lc_tf_attr_int(c, "maxsplit", -1);
    if (!text_in(c, 0, &t) || !text_in(c, 1, &sep)) return;
    if (t.shape.rank != 1 || sep.n != 1) {
        lc_tf_fail(c, LC_INVALID, "its text has %d dimensions, needs 1, and one separator", t.shape.rank);
        return;
    }
    size_t n = 0, widest = 0, k = 0;
    for (size_t i = 0; i < t.n; i++) {
        const size_t parts = split(lc_strings_at(&t.s, i), lc_strings_at(&sep.s, 0), most, NULL);
        n += parts;
        if (parts > widest) widest = parts;
    }
    lc_str *values = scratch(c, n, sizeof *values);
    int64_t *places = lc_build_data(c->b, n * 2 * sizeof *places + 1);
    if (!values || !places) return;
    for (size_t i = 0; i < t.n; i++) {
        const size_t parts = split(lc_strings_at(&t.s, i), lc_strings_at(&sep.s, 0), most, values + k);
        for (size_t p = 0; p < parts; p++, k++) {
            places[2 * k] = (int64_t)i;
            places[2 * k + 1] = (int64_t)p;
        }
    }
    const int64_t sizes[2] = {(int64_t)t.n, (int64_t)widest};
    lc_tf_give(c, 0, make_numbers(c, LC_INT64, places, n * 2, &(lc_shape){2, {(int32_t)n, 2}}));
    lc_tf_give(c, 1, make_text(c, values, n, &(lc_shape){1, {(int32_t)n}}));
    lc_tf_give(c, 2, lc_tf_const_ints(c, sizes, 2, LC_INT64));
}

/* ---- numbers to text ----------------------------------------------------------------------------------------------------------- */

/* As printf would: integers and bools plainly, floating-point numbers as "%f", "%e" or "%g". */
void lc_tf_op_as_string(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape shape = lc_tf_shape(c, x);
    const int64_t precision = lc_tf_attr_int(c, "precision", -1), width = lc_tf_attr_int(c, "width", -1);
    const lc_str fill = lc_tf_attr_str(c, "fill", "");
    const bool scientific = lc_tf_attr_bool(c, "scientific", false), shortest = lc_tf_attr_bool(c, "shortest", false);
    int64_t ints[256];
    float floats[256];
    uint32_t n;
    if (!lc_tf_ok(c)) return;
    const bool real = !lc_tf_ints(c, x, ints, 256, &n) && type != LC_FLOAT64 && lc_tf_floats(c, x, floats, 256, &n);
    if (!real && !lc_tf_ints(c, x, ints, 256, &n)) {
        lc_tf_missing(c, "TFLite has no operators on text, and these numbers are not constant");
        return;
    }
    if (width > 100 || precision > 100 || fill.size > 1) {
        lc_tf_fail(c, LC_INVALID, "attributes \"width\", \"precision\" or \"fill\" make no sense");
        return;
    }
    char format[24] = "%", *at = format + 1;
    if (fill.size) *at++ = fill.data[0];
    if (fill.size && !strchr(" +-0#", fill.data[0])) {
        lc_tf_fail(c, LC_INVALID, "attribute \"fill\" is none of \" +-0#\"");
        return;
    }
    if (width >= 0) at += snprintf(at, 8, "%d", (int)width);
    if (real && precision >= 0) at += snprintf(at, 8, ".%d", (int)precision);
    snprintf(at, 4, "%s", real ? scientific ? "e" : shortest ? "g" : "f" : PRId64);
    lc_str *out = scratch(c, n, sizeof *out);
    for (uint32_t i = 0; out && i < n; i++) {
        char buffer[256];
        if (type == LC_BOOL) snprintf(buffer, sizeof buffer, "%s", ints[i] ? "true" : "false");
        else if (real) snprintf(buffer, sizeof buffer, format, (double)floats[i]);
        else snprintf(buffer, sizeof buffer, format, ints[i]);
        char *copy = lc_arena_strndup(&c->lower->scratch, buffer, strlen(buffer));
        if (!copy) {
            lc_build_check(c->b, lc_fail_memory(c->b->err, "text"));
            return;
        }
        out[i] = lc_str_of(copy);
    }
    lc_tf_give(c, 0, make_text(c, out, n, &shape));
}

/* ---- what TFLite cannot do at all ------------------------------------------------------------------------------------------------- */

void lc_tf_op_text_only(lc_tf_call *c) { lc_tf_missing(c, "TFLite has no operators that change text; do this before the model runs"); }

void lc_tf_op_reads_files(lc_tf_call *c) {
    const lc_str name = c->node->name;
    lc_tf_missing(c, "TFLite models are given decoded data: cut the graph behind it with --input-arrays %.*s", LC_TF_NAME(name));
}
