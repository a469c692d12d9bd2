/*
 * error.c: filling in an lc_error.
 *
 * Stays true: the message is always one printable line of UTF-8 that ends inside its array. Names in messages come from hostile
 * files, so control characters (line ends, terminal escapes) are replaced, and a message that is cut is cut between
 * two UTF-8 characters. The text is made in a buffer of its own first, so that an error's old message may be an argument
 * of its new one.
 */
#include "base/error.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The start of the character that byte n of text is in: bytes 10xxxxxx continue one. */
static size_t start_of(const char *text, size_t n) {
    while (n > 0 && ((unsigned char)text[n] & 0xC0u) == 0x80u) n--;
    return n;
}

/* Copies text into out[size], made safe for a terminal: '?' for a control character and for a byte that is no UTF-8. */
static void put_line(char *out, size_t size, const char *text) {
    size_t n = strlen(text);
    if (n >= size) n = start_of(text, size - 1);
    size_t used = 0;
    for (size_t i = 0; i < n;) {
        uint32_t code = 0;
        const size_t length = lc_utf8_length(text + i, n - i, &code);
        if (length && !lc_is_control(code)) {
            memcpy(out + used, text + i, length);
            used += length;
        } else {
            out[used++] = '?';
        }
        i += length ? length : 1;
    }
    out[used] = 0;
}

static void put_message(lc_error *err, const char *format, va_list args) {
    char text[sizeof err->message + 8];
    if (vsnprintf(text, sizeof text, format, args) < 0) text[0] = 0;
    put_line(err->message, sizeof err->message, text);
}

void lc_error_clear(lc_error *err) {
    if (!err) return;
    err->status = LC_OK;
    err->rule[0] = 0;
    err->offset = LC_NO_OFFSET;
    err->message[0] = 0;
    err->hint[0] = 0;
}

static void fill(lc_error *err, lc_status status, const char *rule, uint64_t offset, const char *format, va_list args) {
    put_message(err, format, args);
    err->status = status;
    put_line(err->rule, sizeof err->rule, rule ? rule : "");
    err->offset = offset;
    err->hint[0] = 0;
}

lc_status lc_fail(lc_error *err, lc_status status, const char *format, ...) {
    if (!err) return status;
    va_list args;
    va_start(args, format);
    fill(err, status, "", LC_NO_OFFSET, format, args);
    va_end(args);
    return status;
}

lc_status lc_fail_rule(lc_error *err, lc_status status, const char *rule, uint64_t offset, const char *format, ...) {
    if (!err) return status;
    va_list args;
    va_start(args, format);
    fill(err, status, rule, offset, format, args);
    va_end(args);
    return status;
}

lc_status lc_fail_memory(lc_error *err, const char *what) {
    return lc_fail(err, LC_NO_MEMORY, what && *what ? "out of memory (%s)" : "out of memory%s", what ? what : "");
}

void(lc_error_hint)(lc_error *err, const char *format, ...) { /* in parentheses: not the macro of LC_NO_HINTS */
    if (!err) return;
    char text[sizeof err->hint + 8];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0) text[0] = 0;
    va_end(args);
    put_line(err->hint, sizeof err->hint, text);
}

void lc_error_prefix(lc_error *err, const char *format, ...) {
    if (!err) return;
    char text[sizeof err->message + 8];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0) return;
    /* Of what does not fit, the middle goes: where it happened comes first, and what it was stands at the end. */
    const size_t room = sizeof err->message - 1, length = strlen(err->message), half = room / 2;
    size_t used = strlen(text), from = 0;
    if (used + 2 + length > room) {
        if (used > half) used = start_of(text, half);
        const size_t left = room - used - 5;
        if (length > left) from = length - left;
        while (((unsigned char)err->message[from] & 0xC0u) == 0x80u) from++;
    }
    snprintf(text + used, sizeof text - used, "%s%s", from ? ": ..." : ": ", err->message + from);
    put_line(err->message, sizeof err->message, text);
}
