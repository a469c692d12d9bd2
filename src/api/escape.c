/*
 * escape.c: strings from files made safe to show. Names in a model may hold any byte; on a terminal they must not act: what is
 * no UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF) or a control character appears as \xNN. In JSON
 * base/str.h spells them.
 */
#include "api/api.h"

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
