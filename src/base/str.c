/*
 * str.c: strings with a length, text that grows, "did you mean", and the hash of bytes.
 *
 * The hash is for tables and for finding equal constants among many megabytes of weights, so it reads 32 bytes a round in
 * four independent lanes. It is fixed (same bytes, same number, on every machine) because the order of what we write must
 * not depend on the run; it is not meant to stand against someone who looks for collisions: callers compare the bytes.
 */
#include "base/str.h"

#include "base/alloc.h"
#include "base/checked.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lc_str lc_str_of(const char *s) { return s ? (lc_str){s, strlen(s)} : (lc_str){NULL, 0}; }

bool lc_str_eq(lc_str a, lc_str b) {
    if (!a.data || !b.data) return a.data == b.data;
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool lc_str_is(lc_str a, const char *s) { return lc_str_eq(a, lc_str_of(s)); }

int lc_str_compare(lc_str a, lc_str b) {
    const size_t n = a.size < b.size ? a.size : b.size;
    const int d = n ? memcmp(a.data, b.data, n) : 0;
    return d ? d : (a.size > b.size) - (a.size < b.size);
}

bool lc_str_has_prefix(lc_str s, const char *prefix) {
    size_t n = strlen(prefix);
    return s.data && s.size >= n && memcmp(s.data, prefix, n) == 0;
}

bool lc_str_has_suffix(lc_str s, const char *suffix) {
    const size_t n = strlen(suffix);
    return s.data && s.size >= n && memcmp(s.data + s.size - n, suffix, n) == 0;
}

bool lc_str_fits(lc_str s, const char *pattern) {
    const char *text = s.data, *end = text ? text + s.size : NULL, *star = NULL, *back = NULL;
    while (text < end) {
        if (*pattern == '*') {
            star = ++pattern;
            back = text;
        } else if (*pattern && (*pattern == '?' || *pattern == *text)) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++back;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return text && !*pattern;
}

/* ---- text ---- */

/* Room for n more bytes and the NUL. */
static bool text_reserve(lc_text *t, size_t n) {
    size_t need, wider = t->capacity ? t->capacity : 128;
    if (t->failed) return false;
    if (!lc_add_size(t->size, n, &need) || !lc_add_size(need, 1, &need)) return !(t->failed = true);
    if (need <= t->capacity) return true;
    while (wider < need)
        if (!lc_mul_size(wider, 2, &wider)) return !(t->failed = true);
    char *p = lc_realloc(t->data, wider);
    if (!p) return !(t->failed = true);
    t->data = p;
    t->capacity = wider;
    return true;
}

void lc_text_add_n(lc_text *t, const char *s, size_t n) {
    if (!text_reserve(t, n)) return;
    if (n) memcpy(t->data + t->size, s, n);
    t->size += n;
    t->data[t->size] = 0;
}

void lc_text_add(lc_text *t, const char *s) { lc_text_add_n(t, s, strlen(s)); }

void lc_text_printf(lc_text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        t->failed = true;
        return;
    }
    if (!text_reserve(t, (size_t)n)) return;
    va_start(args, format);
    vsnprintf(t->data + t->size, (size_t)n + 1, format, args);
    va_end(args);
    t->size += (size_t)n;
}

void lc_text_add_safe(lc_text *t, const char *s, size_t n) {
    const unsigned char *p = (const unsigned char *)s;
    for (size_t i = 0; i < n;) {
        uint32_t code = 0;
        const size_t length = lc_utf8_length(s + i, n - i, &code);
        if (length && !lc_is_control(code)) {
            lc_text_add_n(t, s + i, length);
            i += length;
        } else {
            lc_text_printf(t, "\\x%02x", p[i]);
            i++;
        }
    }
}

void lc_text_add_number(lc_text *t, double v) {
    char text[40];
    int digits = 1, point;
    if (!isfinite(v)) {
        lc_text_add(t, isnan(v) ? "NaN" : v < 0 ? "-Infinity" : "Infinity");
        return;
    }
    for (;; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, v);
        if (digits == 17 || strtod(text, NULL) == v) break;
    }
    const char *exponent = strchr(text, 'e');
    point = exponent ? (int)strtol(exponent + 1, NULL, 10) : 0;
    if (point >= -4 && point < 16) snprintf(text, sizeof text, "%.*f", digits - 1 - point > 1 ? digits - 1 - point : 1, v);
    lc_text_add(t, text);
}

void lc_text_add_json(lc_text *t, const char *s, size_t n) {
    lc_text_add(t, "\"");
    for (size_t i = 0; i < n && !t->failed;) {
        uint32_t code = 0;
        const size_t length = lc_utf8_length(s + i, n - i, &code);
        if (!length) lc_text_add(t, "\xef\xbf\xbd");
        else if (code == '"' || code == '\\') lc_text_printf(t, "\\%c", (char)code);
        else if (code == '\n' || code == '\t') lc_text_add(t, code == '\n' ? "\\n" : "\\t");
        else if (lc_is_control(code)) lc_text_printf(t, "\\u%04x", (unsigned)code);
        else lc_text_add_n(t, s + i, length);
        i += length ? length : 1;
    }
    lc_text_add(t, "\"");
}

char *lc_text_take(lc_text *t) {
    text_reserve(t, 0); /* text that nothing was added to is "" */
    char *p = NULL;
    if (t->failed) {
        lc_free(t->data);
    } else {
        p = t->data;
        p[t->size] = 0;
    }
    *t = (lc_text){NULL, 0, 0, false};
    return p;
}

void lc_text_deinit(lc_text *t) {
    lc_free(t->data);
    *t = (lc_text){NULL, 0, 0, false};
}

/* ---- the nearest name ---- */

#define WORD_MAX 64

static size_t min2(size_t a, size_t b) { return a < b ? a : b; }

/* Edit distance with insertions, deletions, substitutions and swaps of neighbours (optimal string alignment): the
 * slips of a typing hand. Both words are at most WORD_MAX long. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb) {
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= nb; j++) rows[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *now = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t d = up[j - 1] + (a[i - 1] != b[j - 1]);
            d = min2(d, min2(up[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d = min2(d, up2[j - 2] + 1);
            now[j] = d;
        }
    }
    return rows[na % 3][nb];
}

const char *lc_nearest(const char *word, const char *const *names) {
    size_t n = word ? strlen(word) : 0;
    if (n == 0 || n > WORD_MAX) return NULL;
    const char *best = NULL;
    size_t best_distance = n == 2 ? 2 : n / 3 + 1; /* "ll" may be l1, "x" may be anything */
    for (; *names; names++) {
        size_t m = strlen(*names);
        if (m > WORD_MAX) continue;
        size_t d = distance(word, n, *names, m);
        if (d < best_distance) {
            best_distance = d;
            best = *names;
        }
    }
    return best;
}

/* ---- hash ---- */

static uint64_t load64(const unsigned char *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static uint64_t rotate(uint64_t v, unsigned by) { return v << by | v >> (64 - by); }

/* Odd constants with about as many ones as zeros: digits of the golden ratio, sqrt(3) and sqrt(5). */
#define K1 0x9E3779B97F4A7C15ull
#define K2 0xBB67AE8584CAA73Bull
#define K3 0x3C6EF372FE94F82Bull

static uint64_t stir(uint64_t lane, uint64_t v) { return rotate((lane ^ v * K1) * K2, 29); }

uint64_t lc_hash(const void *data, size_t size, uint64_t seed) {
    const unsigned char *p = data;
    uint64_t h = seed ^ (uint64_t)size * K3;
    if (size >= 32) {
        uint64_t a = h, b = h ^ K1, c = h ^ K2, d = h ^ K3;
        for (; size >= 32; size -= 32, p += 32) {
            a = stir(a, load64(p));
            b = stir(b, load64(p + 8));
            c = stir(c, load64(p + 16));
            d = stir(d, load64(p + 24));
        }
        h = stir(stir(stir(a, b), c), d);
    }
    for (; size >= 8; size -= 8, p += 8) h = stir(h, load64(p));
    uint64_t tail = 0;
    for (size_t i = 0; i < size; i++) tail |= (uint64_t)p[i] << (8 * i);
    h = stir(h, tail);
    /* Every bit of the input reaches every bit of the result. */
    h = (h ^ h >> 32) * K1;
    h = (h ^ h >> 29) * K2;
    return h ^ h >> 32;
}

/* ---- characters and digits ----------------------------------------------------------------------------------- */

size_t lc_utf8_length(const char *s, size_t n, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)s;
    const size_t length = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    if (length == 0 || length > n) return 0;
    uint32_t v = length == 1 ? p[0] : p[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (p[i] >> 6 != 2) return 0;
        v = v << 6 | (p[i] & 0x3fu);
    }
    if (v < least[length] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff)) return 0;
    if (code) *code = v;
    return length;
}

size_t lc_utf8_put(uint32_t code, char out[4]) {
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    const size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(first[length] | code);
    return length;
}

const char *lc_grouped(uint64_t v, char buffer[32]) {
    char digits[24];
    const int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)v);
    char *p = buffer;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) *p++ = ',';
        *p++ = digits[i];
    }
    *p = 0;
    return buffer;
}

const char *lc_sized(uint64_t bytes, char buffer[32]) {
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
    double v = (double)bytes;
    size_t u = 0;
    while (v >= 999.95 && u + 1 < sizeof units / sizeof *units) {
        v /= 1000;
        u++;
    }
    snprintf(buffer, 32, u ? "%.1f %s" : "%.0f %s", v, units[u]);
    return buffer;
}
