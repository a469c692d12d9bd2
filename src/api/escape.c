/*
 * escape.c: strings from files made safe to show. Names in a model may hold any byte; on a terminal they must not act, in
 * JSON they must stay valid UTF-8 (RFC 8259, RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF).
 */
#include "api/api.h"

void lc_text_add_safe(lc_text *t, const char *s, size_t n) {
    const unsigned char *p = (const unsigned char *)s;
    for (size_t i = 0; i < n;) {
        uint32_t code = 0;
        const size_t length = lc_utf8_length(s + i, n - i, &code);
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
    lc_text_add(t, "\"");
    for (size_t i = 0; i < n;) {
        uint32_t code = 0;
        const size_t length = lc_utf8_length(s + i, n - i, &code);
        if (!length) lc_text_add(t, "\xef\xbf\xbd");
        else if (code == '"' || code == '\\') lc_text_printf(t, "\\%c", (char)code);
        else if (code == '\n') lc_text_add(t, "\\n");
        else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) lc_text_printf(t, "\\u%04x", (unsigned)code);
        else lc_text_add_n(t, s + i, length);
        i += length ? length : 1;
    }
    lc_text_add(t, "\"");
}
