/*
 * escape.c: strings from files made safe to show. Names in a model may hold any byte; on a terminal they must not act, in
 * JSON they must stay valid UTF-8 (RFC 8259, RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF).
 */
#include "api/api.h"

/* Length of the valid UTF-8 character at s[0..n), 0 when there is none. *code receives it. */
static size_t utf8(const unsigned char *s, size_t n, uint32_t *code) {
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char c = s[0];
    const size_t length = c < 0x80 ? 1 : c >= 0xf0 && c < 0xf8 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 0;
    if (length == 0 || length > n || c >= 0xf8) return 0;
    if (length == 1) {
        *code = c;
        return 1;
    }
    uint32_t v = c & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
        v = v << 6 | (s[i] & 0x3fu);
    }
    if (v < least[length] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff)) return 0;
    *code = v;
    return length;
}

void lc_text_add_safe(lc_text *t, const char *s, size_t n) {
    const unsigned char *p = (const unsigned char *)s;
    for (size_t i = 0; i < n;) {
        uint32_t code = 0;
        const size_t length = utf8(p + i, n - i, &code);
        const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
        if (length && !control) {
            lc_text_add_n(t, s + i, length);
            i += length;
        } else {
            lc_text_printf(t, "\\x%02x", p[i]);
            i++;
        }
    }
}

void lc_text_add_json(lc_text *t, const char *s, size_t n) {
    const unsigned char *p = (const unsigned char *)s;
    lc_text_add(t, "\"");
    for (size_t i = 0; i < n;) {
        uint32_t code = 0;
        const size_t length = utf8(p + i, n - i, &code);
        if (!length) lc_text_add(t, "\xef\xbf\xbd");
        else if (code == '"' || code == '\\') lc_text_printf(t, "\\%c", (char)code);
        else if (code == '\n') lc_text_add(t, "\\n");
        else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) lc_text_printf(t, "\\u%04x", (unsigned)code);
        else lc_text_add_n(t, s + i, length);
        i += length ? length : 1;
    }
    lc_text_add(t, "\"");
}
