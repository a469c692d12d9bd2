/*
 * proto_text.c: the text form of a message. It is turned into the wire form, which proto_read.c reads: so there is one place that counts,
 * merges and makes structs.
 *
 * The text is gone through twice: to find its mistakes and the size of its wire form, then to write that into a block of this size. The
 * length of a sub-message stands in front of it and is known behind it, so it is written as five bytes, whatever it is.
 *
 * Taken is what TensorFlow's users have: files of tf.io.write_graph and text_format, written by hand too: comments, adjacent strings, all
 * escapes of C and Unicode, `a { }`, `a: { }`, `a < >`, lists, enums by name or number, hexadecimal and octal integers, inf and nan, `;`
 * and
 * `,` behind a field. A field that is there twice is taken as text_format.Merge does: the last value counts, messages are merged.
 *
 * Fields that messages.def lacks are skipped when they are well formed, as a binary message's are: a graph written by another version of
 * TensorFlow has some, and so has what lies in an Any. The price is that a misspelt name is not told.
 *
 * protobuf.dev/reference/protobuf/textformat-spec
 */
#include "proto/proto_impl.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES 5 /* 35 bits */

typedef struct parser {
    const char *text, *at, *end;
    const char *first; /* behind a byte order mark */
    lc_error *err;
    locale_t c_locale; /* the decimal point is a point whatever the program's locale */
    uint32_t depth;
    uint8_t *wire; /* NULL the first time */
    uint64_t room, filled;
    bool mute;           /* in a value that is kept nowhere */
    bool known;          /* the message itself, not one in it, has a field that is in messages.def */
    const char *unknown; /* the first field of it that is not; NULL */
} parser;

/* ---- failing --------------------------------------------------------------------------------------------------------------- */

/* "line 3, column 14: ..."; columns are characters. */
static lc_status wrong(const parser *p, lc_pb_rule rule, const char *at, const char *format, ...) __attribute__((format(printf, 4, 5)));
static lc_status wrong(const parser *p, lc_pb_rule rule, const char *at, const char *format, ...) {
    char text[400];
    size_t line = 1, column = 1;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (const char *s = p->first; s < at; s++) {
        if (*s == '\n') line++, column = 1;
        else column += ((unsigned char)*s & 0xc0) != 0x80;
    }
    lc_fail_rule(p->err, LC_INVALID, lc_pb_rule_ids[rule], (uint64_t)(at - p->text), "line %zu, column %zu: %s", line, column, text);
    lc_error_hint(p->err, "correct the text there, or write it again with tf.io.write_graph or text_format.MessageToString");
    return LC_INVALID;
}

/* What stands at a place, to be named in a message: a word, a character or the end. */
static const char *found(const parser *p, const char *at, char text[40]) {
    size_t n = 0;
    if (at >= p->end) return "the end of the text";
    while (at + n < p->end && n < 24 && (unsigned char)at[n] > ' ' && (unsigned char)at[n] < 0x7f && !(n && strchr("{}<>[]:;,\"'#", at[n])))
        n++;
    if (n) snprintf(text, 40, "'%.*s'", (int)n, at);
    else snprintf(text, 40, "byte 0x%02x", (unsigned)(unsigned char)*at);
    return text;
}

/* ---- bytes out --------------------------------------------------------------------------------------------------------------- */

static void put(parser *p, const void *data, size_t size) {
    if (p->mute) return;
    if (p->wire && size && lc_range_ok(p->filled, size, p->room)) memcpy(p->wire + p->filled, data, size);
    p->filled += size;
}

static void put_varint(parser *p, uint64_t v) {
    uint8_t bytes[10];
    put(p, bytes, lc_pb_put_varint(bytes, v));
}

static void put_tag(parser *p, const lc_pb_field *f) { put_varint(p, (uint64_t)f->number << 3 | lc_pb_kinds[f->kind].wire); }

/* Leaves room for a length; says where. */
static uint64_t open_length(parser *p) {
    static const uint8_t none[LENGTH_BYTES] = {0};
    const uint64_t at = p->filled;
    put(p, none, LENGTH_BYTES);
    return at;
}

static lc_status close_length(parser *p, uint64_t at) {
    uint64_t size = p->filled - at - LENGTH_BYTES;
    if (size >> (7 * LENGTH_BYTES)) return lc_fail(p->err, LC_LIMIT, "a message in text is over 32 GiB");
    for (unsigned i = 0; p->wire && i < LENGTH_BYTES; i++, size >>= 7)
        p->wire[at + i] = (uint8_t)((size & 0x7f) | (i + 1 < LENGTH_BYTES ? 0x80 : 0));
    return LC_OK;
}

/* ---- tokens -------------------------------------------------------------------------------------------------------------------- */

static int peek(const parser *p) { return p->at < p->end ? (unsigned char)*p->at : -1; }
static bool is_letter(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(int c) { return c >= '0' && c <= '9'; }

/* To the next token. */
static void space(parser *p) {
    while (p->at < p->end) {
        if (*p->at == '#') {
            const char *line = memchr(p->at, '\n', (size_t)(p->end - p->at));
            p->at = line ? line : p->end;
        } else if (*p->at == ' ' || (*p->at >= '\t' && *p->at <= '\r')) {
            p->at++;
        } else {
            return;
        }
    }
}

static bool accept(parser *p, char c) {
    space(p);
    if (peek(p) != c) return false;
    p->at++;
    return true;
}

/* A word or number: letters, digits, points, and the sign of an exponent. No bytes when there is none here. */
static lc_str word(parser *p) {
    space(p);
    const char *begin = p->at;
    const bool number = is_digit(peek(p)) || peek(p) == '.';
    const bool hex = p->end - p->at > 1 && p->at[0] == '0' && (p->at[1] == 'x' || p->at[1] == 'X');
    for (int c; (c = peek(p)) >= 0; p->at++) {
        const bool exponent = number && !hex && p->at > begin && (c == '-' || c == '+') && (p->at[-1] == 'e' || p->at[-1] == 'E');
        if (!is_letter(c) && !is_digit(c) && c != '.' && !exponent) break;
    }
    return (lc_str){begin, (size_t)(p->at - begin)};
}

/* ---- strings --------------------------------------------------------------------------------------------------------------------- */

static int hex_of(int c) { return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

/* Up to `most` digits; how many there were is returned. */
static unsigned digits(parser *p, unsigned base, unsigned most, uint32_t *v) {
    unsigned n = 0;
    for (*v = 0; n < most; n++, p->at++) {
        const int d = hex_of(peek(p));
        if (d < 0 || (unsigned)d >= base) break;
        *v = *v * base + (unsigned)d;
    }
    return n;
}

static lc_status escape(parser *p) {
    static const char names[] = "nrtabfv\\'\"?", bytes[] = "\n\r\t\a\b\f\v\\'\"?";
    const char *begin = p->at;
    uint32_t v;
    p->at++; /* the backslash */
    const int c = peek(p);
    const char *simple = c > 0 ? strchr(names, c) : NULL;
    if (simple) {
        p->at++;
        put(p, &bytes[simple - names], 1);
        return LC_OK;
    }
    if (c >= '0' && c <= '7') {
        digits(p, 8, 3, &v);
        if (v > 255) return wrong(p, LC_PB_RULE_TEXT_STRING, begin, "the escape \\%o is larger than a byte", (unsigned)v);
        put(p, &(uint8_t){(uint8_t)v}, 1);
        return LC_OK;
    }
    if (c == 'x' || c == 'X') {
        p->at++;
        if (!digits(p, 16, 2, &v)) return wrong(p, LC_PB_RULE_TEXT_STRING, begin, "the escape \\x has no digits");
        put(p, &(uint8_t){(uint8_t)v}, 1);
        return LC_OK;
    }
    if (c == 'u' || c == 'U') {
        const unsigned want = c == 'u' ? 4 : 8;
        char utf8[4];
        p->at++;
        if (digits(p, 16, want, &v) != want || v > 0x10ffff)
            return wrong(p, LC_PB_RULE_TEXT_STRING, begin, "the escape \\%c needs the %u digits of a character", c, want);
        uint32_t low;
        if (v >= 0xd800 && v < 0xdc00 && p->end - p->at >= 6 && p->at[0] == '\\' && p->at[1] == 'u') { /* the first half of a pair */
            p->at += 2;
            if (digits(p, 16, 4, &low) == 4 && low >= 0xdc00 && low < 0xe000) v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
        }
        if (v >= 0xd800 && v < 0xe000)
            return wrong(p, LC_PB_RULE_TEXT_STRING, begin, "the escape \\%c%04x is half a character", c, (unsigned)v);
        put(p, utf8, lc_utf8_put(v, utf8));
        return LC_OK;
    }
    char text[40];
    return wrong(p, LC_PB_RULE_TEXT_STRING, begin, "an unknown escape: a backslash before %s", found(p, p->at, text));
}

/* One or more strings in quotes, which are one. Written as they are, without a length. */
static lc_status strings(parser *p) {
    do {
        const char *begin = p->at, quote = *p->at++;
        for (;;) {
            const char *plain = p->at;
            while (p->at < p->end && *p->at != quote && *p->at != '\\' && *p->at != '\n') p->at++;
            put(p, plain, (size_t)(p->at - plain));
            if (p->at == p->end || *p->at == '\n')
                return wrong(p, LC_PB_RULE_TEXT_STRING, begin, "a string that begins here does not end on its line");
            if (*p->at == quote) break;
            LC_TRY(escape(p));
        }
        p->at++;
        space(p);
    } while (peek(p) == '"' || peek(p) == '\'');
    return LC_OK;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------------------------- */

static lc_status wrong_value(const parser *p, const lc_pb_field *f, const char *at, const char *want) {
    char text[40];
    return wrong(p, LC_PB_RULE_TEXT_VALUE, at, "field '%s' is %s, needs %s", f->name, found(p, at, text), want);
}

/* Decimal, 0x hexadecimal or 0 octal. */
static bool integer_of(lc_str s, uint64_t *v) {
    unsigned base = 10;
    size_t i = 0;
    if (s.size > 2 && s.data[0] == '0' && (s.data[1] == 'x' || s.data[1] == 'X')) base = 16, i = 2;
    else if (s.size > 1 && s.data[0] == '0') base = 8, i = 1;
    if (i == s.size) return false;
    for (*v = 0; i < s.size; i++) {
        const int d = hex_of((unsigned char)s.data[i]);
        if (d < 0 || (unsigned)d >= base || !lc_mul_u64(*v, base, v) || !lc_add_u64(*v, (uint64_t)d, v)) return false;
    }
    return true;
}

static lc_status integer(parser *p, const lc_pb_field *f, bool is_signed, bool wide, uint64_t *v) {
    space(p);
    const char *begin = p->at;
    const bool minus = accept(p, '-');
    const uint64_t most = is_signed ? (wide ? INT64_MAX : INT32_MAX) : (wide ? UINT64_MAX : UINT32_MAX);
    if (!integer_of(word(p), v) || (minus ? *v > (is_signed ? most + 1 : 0) : *v > most))
        return wrong_value(p, f, begin,
                           is_signed
                               ? (wide ? "an integer of 64 bits" : "an integer of 32 bits")
                               : (wide ? "an integer of 64 bits that is not negative" : "an integer of 32 bits that is not negative"));
    if (minus) *v = 0 - *v;
    return LC_OK;
}

static bool same_word(lc_str s, const char *lower) {
    size_t i = 0;
    for (; i < s.size && lower[i]; i++)
        if ((s.data[i] | 0x20) != lower[i]) return false;
    return i == s.size && !lower[i];
}

/* Digits with a point and an exponent, and the f of C. */
static bool is_decimal(lc_str s, size_t *length) {
    size_t i = 0, n = 0;
    while (i < s.size && is_digit((unsigned char)s.data[i])) i++, n++;
    if (i < s.size && s.data[i] == '.')
        for (i++; i < s.size && is_digit((unsigned char)s.data[i]);) i++, n++;
    if (!n) return false;
    if (i < s.size && (s.data[i] == 'e' || s.data[i] == 'E')) {
        i++;
        if (i < s.size && (s.data[i] == '-' || s.data[i] == '+')) i++;
        if (i == s.size || !is_digit((unsigned char)s.data[i])) return false;
        while (i < s.size && is_digit((unsigned char)s.data[i])) i++;
    }
    *length = i;
    if (i < s.size && (s.data[i] == 'f' || s.data[i] == 'F')) i++;
    return i == s.size;
}

static lc_status real(parser *p, const lc_pb_field *f, double *v) {
    char copy[512];
    size_t length;
    space(p);
    const char *begin = p->at;
    const bool minus = accept(p, '-');
    const lc_str s = word(p);
    if (same_word(s, "inf") || same_word(s, "infinity")) {
        *v = (double)__builtin_inf();
    } else if (same_word(s, "nan")) {
        *v = (double)__builtin_nan("");
    } else {
        if (!is_decimal(s, &length) || length >= sizeof copy) return wrong_value(p, f, begin, "a number");
        memcpy(copy, s.data, length);
        copy[length] = 0;
        *v = strtod_l(copy, NULL, p->c_locale);
    }
    if (minus) *v = -*v;
    return LC_OK;
}

static lc_status boolean(parser *p, const lc_pb_field *f, uint64_t *v) {
    static const char *const yes[] = {"true", "True", "t", "1"}, *const no[] = {"false", "False", "f", "0"};
    space(p);
    const char *begin = p->at;
    const lc_str s = word(p);
    for (unsigned i = 0; i < 4; i++) {
        *v = lc_str_is(s, yes[i]);
        if (*v || lc_str_is(s, no[i])) return LC_OK;
    }
    return wrong_value(p, f, begin, "true or false");
}

static lc_status enumerator(parser *p, const lc_pb_field *f, uint64_t *v) {
    space(p);
    const char *begin = p->at;
    int32_t number;
    if (!is_letter(peek(p))) return integer(p, f, true, false, v);
    const lc_str s = word(p);
    if (lc_pb_enum_number((lc_pb_enum_id)f->sub, s, &number)) {
        *v = (uint64_t)(int64_t)number;
        return LC_OK;
    }
    char name[65], text[40];
    snprintf(name, sizeof name, "%.*s", (int)(s.size < 64 ? s.size : 64), s.data);
    const lc_status status = wrong(p, LC_PB_RULE_TEXT_ENUM, begin, "field '%s' has no value %s", f->name, found(p, begin, text));
    const char *near = lc_pb_enum_nearest((lc_pb_enum_id)f->sub, name);
    if (near) lc_error_hint(p->err, "did you mean %s?", near);
    else lc_error_hint(p->err, "write one of the names of the enum in TensorFlow's .proto files, or its number");
    return status;
}

/* ---- values and fields -----------------------------------------------------------------------------------------------------------------
 */

static lc_status fields(parser *p, const lc_pb_desc *d, char close, const char *opened);

static lc_status message(parser *p, const lc_pb_desc *d) {
    const char *begin = p->at;
    const char close = accept(p, '{') ? '}' : '>';
    if (close == '>') p->at++;
    if (p->depth == LC_PB_MAX_DEPTH) return wrong(p, LC_PB_RULE_DEPTH, begin, "messages are nested more than %d deep", LC_PB_MAX_DEPTH);
    p->depth++;
    LC_TRY(fields(p, d, close, begin));
    p->depth--;
    return LC_OK;
}

static bool at_message(parser *p) {
    space(p);
    return peek(p) == '{' || peek(p) == '<';
}

static lc_status value(parser *p, const lc_pb_field *f) {
    uint64_t v = 0;
    double d = 0;
    float d32;
    space(p);
    const lc_pb_kind kind = (lc_pb_kind)f->kind;
    if (lc_pb_kinds[kind].wire == LC_PB_LENGTH) {
        if (kind == LC_PB_KIND_message ? !at_message(p) : peek(p) != '"' && peek(p) != '\'')
            return wrong_value(p, f, p->at, kind == LC_PB_KIND_message ? "a message in braces" : "a string in quotes");
        put_tag(p, f);
        const uint64_t at = open_length(p);
        LC_TRY(kind == LC_PB_KIND_message ? message(p, &lc_pb_descs[f->sub]) : strings(p));
        return close_length(p, at);
    }
    switch (kind) {
    case LC_PB_KIND_bool: LC_TRY(boolean(p, f, &v)); break;
    case LC_PB_KIND_enum: LC_TRY(enumerator(p, f, &v)); break;
    case LC_PB_KIND_uint32:
    case LC_PB_KIND_fixed32: LC_TRY(integer(p, f, false, false, &v)); break;
    case LC_PB_KIND_uint64:
    case LC_PB_KIND_fixed64: LC_TRY(integer(p, f, false, true, &v)); break;
    case LC_PB_KIND_float:
        LC_TRY(real(p, f, &d));
        d32 = (float)d;
        memcpy(&v, &d32, sizeof d32);
        break;
    case LC_PB_KIND_double:
        LC_TRY(real(p, f, &d));
        memcpy(&v, &d, sizeof d);
        break;
    default: LC_TRY(integer(p, f, true, lc_pb_kinds[kind].size == 8, &v)); break;
    }
    if (kind == LC_PB_KIND_sint32 || kind == LC_PB_KIND_sint64) v = v << 1 ^ (0 - (v >> 63));
    put_tag(p, f);
    if (lc_pb_kinds[kind].wire == LC_PB_VARINT) put_varint(p, v);
    else put(p, &v, lc_pb_kinds[kind].size); /* the lower bytes: the host is little-endian */
    return LC_OK;
}

/* A value that is kept nowhere. */
static lc_status skip_value(parser *p) {
    char text[40];
    space(p);
    if (at_message(p)) return message(p, NULL);
    if (peek(p) == '"' || peek(p) == '\'') {
        p->mute = true;
        LC_TRY(strings(p));
        p->mute = false;
        return LC_OK;
    }
    const char *begin = p->at;
    accept(p, '-');
    if (word(p).size == 0) return wrong(p, LC_PB_RULE_TEXT, begin, "found %s, needs a value", found(p, begin, text));
    return LC_OK;
}

/* `[a, b]`, the bracket read. */
static lc_status list(parser *p, const lc_pb_field *f, const char *opened) {
    char text[40];
    if (accept(p, ']')) return LC_OK;
    for (;;) {
        LC_TRY(f ? value(p, f) : skip_value(p));
        if (accept(p, ']')) return LC_OK;
        if (peek(p) < 0) return wrong(p, LC_PB_RULE_TEXT, opened, "a list that begins here does not end");
        if (!accept(p, ',')) return wrong(p, LC_PB_RULE_TEXT, p->at, "found %s, needs , or ] in a list", found(p, p->at, text));
    }
}

/* The name of a field, or of an extension in brackets, which is none that litec knows. */
static lc_status field_name(parser *p, lc_str *name) {
    char text[40];
    const char *begin = p->at;
    *name = (lc_str){NULL, 0};
    if (is_letter(peek(p))) {
        while (is_letter(peek(p)) || is_digit(peek(p))) p->at++;
        *name = (lc_str){begin, (size_t)(p->at - begin)};
        return LC_OK;
    }
    if (accept(p, '[')) {
        while (p->at < p->end && (is_letter(peek(p)) || is_digit(peek(p)) || strchr("./-%+:", *p->at))) p->at++;
        if (p->at - begin > 1 && accept(p, ']')) return LC_OK;
    }
    return wrong(p, LC_PB_RULE_TEXT, p->at, "found %s, needs the name of a field", found(p, p->at, text));
}

static const lc_pb_field *field_named(const lc_pb_desc *d, lc_str name) {
    for (unsigned i = 0; d && name.data && i < d->field_count; i++)
        if (lc_str_is(name, d->fields[i].name)) return &d->fields[i];
    return NULL;
}

/* Fields up to `close`, which was opened at `opened`; 0: up to the end. d NULL: nothing is kept. */
static lc_status fields(parser *p, const lc_pb_desc *d, char close, const char *opened) {
    char text[40];
    lc_str name;
    for (;;) {
        space(p);
        if (close && accept(p, close)) return LC_OK;
        if (p->at == p->end)
            return close ? wrong(p, LC_PB_RULE_TEXT, opened, "a message that begins here does not end with %c", close) : LC_OK;
        const char *at = p->at;
        LC_TRY(field_name(p, &name));
        const lc_pb_field *f = field_named(d, name);
        if (p->depth == 0) {
            if (f) p->known = true;
            else if (!p->unknown) p->unknown = at;
        }
        const bool colon = accept(p, ':');
        space(p);
        const char *begin = p->at;
        if (accept(p, '[')) {
            if (f && !f->many) return wrong(p, LC_PB_RULE_TEXT_VALUE, begin, "field '%s' is a list, needs one value", f->name);
            LC_TRY(list(p, f, begin));
        } else {
            if (!colon && !at_message(p))
                return wrong(p, LC_PB_RULE_TEXT, begin, "found %s, needs : or { behind the name '%.*s'", found(p, begin, text),
                             (int)(name.size < 40 ? name.size : 40), name.data ? name.data : "");
            LC_TRY(f ? value(p, f) : skip_value(p));
        }
        if (!accept(p, ';')) accept(p, ',');
    }
}

/* Unknown fields are skipped, but a text that has no others is something else. */
static lc_status other_message(const parser *p, lc_pb_id id) {
    char text[40];
    const lc_status status =
        wrong(p, LC_PB_RULE_TEXT, p->unknown, "%s is no field of a %s, nor is any other there", found(p, p->unknown, text), lc_pb_name(id));
    lc_error_hint(p->err, "the file holds something else than a %s", lc_pb_name(id));
    return status;
}

lc_status lc_pb_read_text(lc_pb_id id, lc_str text, lc_budget *budget, lc_arena *arena, void **message_out, lc_error *err) {
    *message_out = NULL;
    if ((unsigned)id >= LC_PB_COUNT) return lc_fail(err, LC_ARGUMENT, "no protocol buffer has number %d", (int)id);
    const char *begin = text.data ? text.data : "";
    const bool marked = text.size >= 3 && memcmp(begin, "\xef\xbb\xbf", 3) == 0;
    parser p = {.text = begin, .first = begin + (marked ? 3 : 0), .end = begin + text.size, .err = err};
    p.at = p.first;
    p.c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!p.c_locale) return lc_fail_memory(err, lc_pb_name(id));
    lc_status status = fields(&p, &lc_pb_descs[id], 0, p.at);
    if (status == LC_OK && p.unknown && !p.known) status = other_message(&p, id);
    if (status == LC_OK) status = lc_budget_memory(budget, p.filled, lc_pb_name(id), err);
    if (status == LC_OK) {
        p.room = p.filled;
        p.filled = 0;
        p.at = p.first;
        p.wire = p.room <= SIZE_MAX ? lc_arena_alloc(arena, (size_t)p.room) : NULL;
        status = p.wire ? fields(&p, &lc_pb_descs[id], 0, p.at) : lc_fail_memory(err, lc_pb_name(id));
    }
    freelocale(p.c_locale);
    return status == LC_OK ? lc_pb_read(id, p.wire, (size_t)p.room, budget, arena, message_out, err) : status;
}
