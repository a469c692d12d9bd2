/*
 * proto_print.c: the text form of a message, as protobuf prints it: a field a line, two spaces a level, enums by name, strings with the
 * escapes of C, every byte that is not printable ASCII in octal.
 *
 * Stays true: what is printed reads back as the same values (but for the payload of a NaN). Floating-point numbers are as short as that
 * allows, with a point whatever the program's locale.
 */
#include "proto/proto_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_indent(lc_text *out, uint32_t depth) {
    for (; depth >= 8; depth -= 8) lc_text_add_n(out, "                ", 16);
    lc_text_add_n(out, "                ", (size_t)2 * depth);
}

static void add_string(lc_text *out, lc_str s) {
    char piece[1024];
    size_t n = 0;
    piece[n++] = '"';
    for (size_t i = 0; i < s.size && !out->failed; i++) {
        const unsigned char c = (unsigned char)s.data[i];
        const char *short_form = c == '\n'   ? "\\n"
                                 : c == '\r' ? "\\r"
                                 : c == '\t' ? "\\t"
                                 : c == '"'  ? "\\\""
                                 : c == '\'' ? "\\'"
                                 : c == '\\' ? "\\\\"
                                             : NULL;
        if (n + 5 > sizeof piece) {
            lc_text_add_n(out, piece, n);
            n = 0;
        }
        if (short_form) {
            piece[n++] = short_form[0];
            piece[n++] = short_form[1];
        } else if (c < 0x20 || c >= 0x7f) {
            piece[n++] = '\\';
            piece[n++] = (char)('0' + (c >> 6));
            piece[n++] = (char)('0' + (c >> 3 & 7));
            piece[n++] = (char)('0' + (c & 7));
        } else {
            piece[n++] = (char)c;
        }
    }
    piece[n++] = '"';
    lc_text_add_n(out, piece, n);
}

/* printf puts in the locale's decimal point, which may be several bytes: whatever is no part of a number otherwise. */
static void add_digits(lc_text *out, const char *digits) {
    for (const char *p = digits; *p; p++) {
        if (strchr("0123456789+-e", *p)) lc_text_add_n(out, p, 1);
        else if (p == digits || strchr("0123456789+-e", p[-1])) lc_text_add(out, ".");
    }
}

static void add_double(lc_text *out, double v, bool is_float) {
    char digits[64];
    if (isnan(v)) {
        lc_text_add(out, "nan");
    } else if (isinf(v)) {
        lc_text_add(out, v < 0 ? "-inf" : "inf");
    } else {
        for (int precision = is_float ? 6 : 15; precision <= (is_float ? 9 : 17); precision++) {
            snprintf(digits, sizeof digits, "%.*g", precision, v);
            if (is_float ? (float)strtod(digits, NULL) == (float)v : strtod(digits, NULL) == v) break;
        }
        add_digits(out, digits);
    }
}

static void add_value(lc_text *out, const lc_pb_field *f, const uint8_t *at) {
    int32_t i32 = 0;
    int64_t i64 = 0;
    float f32;
    double f64;
    lc_str s;
    const char *name;
    if (lc_pb_kinds[f->kind].size == 4) memcpy(&i32, at, 4);
    if (lc_pb_kinds[f->kind].size == 8) memcpy(&i64, at, 8);
    switch ((lc_pb_kind)f->kind) {
    case LC_PB_KIND_bool: lc_text_add(out, *at ? "true" : "false"); break;
    case LC_PB_KIND_enum:
        name = lc_pb_enum_name((lc_pb_enum_id)f->sub, i32);
        if (name) lc_text_add(out, name);
        else lc_text_printf(out, "%ld", (long)i32);
        break;
    case LC_PB_KIND_int32:
    case LC_PB_KIND_sint32:
    case LC_PB_KIND_sfixed32: lc_text_printf(out, "%ld", (long)i32); break;
    case LC_PB_KIND_uint32:
    case LC_PB_KIND_fixed32: lc_text_printf(out, "%lu", (unsigned long)(uint32_t)i32); break;
    case LC_PB_KIND_int64:
    case LC_PB_KIND_sint64:
    case LC_PB_KIND_sfixed64: lc_text_printf(out, "%lld", (long long)i64); break;
    case LC_PB_KIND_uint64:
    case LC_PB_KIND_fixed64: lc_text_printf(out, "%llu", (unsigned long long)i64); break;
    case LC_PB_KIND_float:
        memcpy(&f32, at, 4);
        add_double(out, (double)f32, true);
        break;
    case LC_PB_KIND_double:
        memcpy(&f64, at, 8);
        add_double(out, f64, false);
        break;
    case LC_PB_KIND_string:
    case LC_PB_KIND_bytes:
        memcpy(&s, at, sizeof s);
        add_string(out, s);
        break;
    case LC_PB_KIND_message:
    case LC_PB_KIND_COUNT: break; /* the walk gives no values of these */
    }
}

void lc_pb_print(lc_pb_id id, const void *message, lc_text *out) {
    lc_pb_walk w;
    lc_pb_step s;
    if ((unsigned)id >= LC_PB_COUNT) return;
    lc_pb_walk_begin(&w, id, message);
    while (!out->failed && lc_pb_walk_next(&w, &s)) {
        if (s.move == LC_PB_LEAVE_MOVE) {
            add_indent(out, s.depth);
            lc_text_add(out, "}\n");
        } else if (s.move == LC_PB_ENTER_MOVE) {
            add_indent(out, s.depth);
            lc_text_add(out, s.field->name);
            lc_text_add(out, " {\n");
        } else {
            for (uint32_t i = 0; i < s.n && !out->failed; i++) {
                add_indent(out, s.depth);
                lc_text_add(out, s.field->name);
                lc_text_add(out, ": ");
                add_value(out, s.field, (const uint8_t *)s.values + (size_t)lc_pb_kinds[s.field->kind].size * i);
                lc_text_add(out, "\n");
            }
        }
    }
    if (!lc_pb_walk_end(&w)) out->failed = true;
}
