/*
 * str.h: strings with a length (lc_str, borrowed) and a growing text buffer (lc_text, owned).
 */
#ifndef LC_BASE_STR_H
#define LC_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes. data is NULL only when absent; an empty string has data != NULL and size 0. */
typedef struct lc_str {
    const char *data;
    size_t size;
} lc_str;

#define LC_STR(literal) ((lc_str){literal, sizeof(literal) - 1})
lc_str lc_str_of(const char *nul_terminated); /* NULL gives the absent string */
bool lc_str_eq(lc_str a, lc_str b);
bool lc_str_is(lc_str a, const char *nul_terminated);
int lc_str_compare(lc_str a, lc_str b); /* as memcmp; what is shorter comes before what it begins */
bool lc_str_has_prefix(lc_str s, const char *prefix);
bool lc_str_has_suffix(lc_str s, const char *suffix);
/* Whether the whole of s fits a pattern: * is any text, ? any one byte. Takes the product of the lengths at most: only the last * is gone
 * back to. */
bool lc_str_fits(lc_str s, const char *pattern);

/* Text that grows. A zeroed lc_text is valid and empty. After a failed allocation `failed` stays set and later
 * appends do nothing: check once at the end. */
typedef struct lc_text {
    char *data; /* NUL-terminated when not NULL; owned */
    size_t size, capacity;
    bool failed;
} lc_text;
void lc_text_add(lc_text *t, const char *s);
void lc_text_add_n(lc_text *t, const char *s, size_t n);
void lc_text_printf(lc_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds text for people: control bytes and bytes that are not UTF-8 come out as \xNN, so that no name in a file can move the cursor of a
 * terminal or break a line. */
void lc_text_add_safe(lc_text *t, const char *s, size_t n);
/* Adds a JSON string with its quotes (RFC 8259), spelt the same everywhere: UTF-8 as it is; \" \\ \n \t; other control characters,
 * those of C1 too, as \u00xx; each byte that is no UTF-8 as U+FFFD. */
void lc_text_add_json(lc_text *t, const char *s, size_t n);
/* Adds a number as Python prints it, in JSON too: the shortest text that reads back the same; 1.0 for a whole one, 1e-07, NaN. */
void lc_text_add_number(lc_text *t, double v);
/* Moves the buffer to the caller, who frees it with lc_free; NULL when an append failed. The text is empty after. */
char *lc_text_take(lc_text *t);
void lc_text_deinit(lc_text *t);

/* Bytes of the UTF-8 character at s, 0 when there is none in its n (at least 1) bytes: cut, overlong, a surrogate, above U+10FFFF
 * (RFC 3629). *code (may be NULL) receives its number. */
size_t lc_utf8_length(const char *s, size_t n, uint32_t *code);
/* Writes a character (at most U+10FFFF) as UTF-8, 1 to 4 bytes, and returns how many. */
size_t lc_utf8_put(uint32_t code, char out[4]);
/* Characters that act on a terminal instead of being shown: C0, DEL and C1 (0x9b starts an escape sequence). */
static inline bool lc_is_control(uint32_t code) { return code < 0x20 || (code >= 0x7f && code < 0xa0); }
/* "102,042": digits in groups of three, written into buffer, which is returned. */
const char *lc_grouped(uint64_t v, char buffer[32]);
/* "409.1 KB": decimal units, as file managers use. Returns buffer. */
const char *lc_sized(uint64_t bytes, char buffer[32]);

/* The closest of `names` (NULL-terminated list) to `word` by edit distance, or NULL when none is near enough to be
 * what was meant (distance over a third of its length, or over 1 of two letters). For "did you mean" hints. */
const char *lc_nearest(const char *word, const char *const *names);
/* Hash of bytes (64-bit, fixed seed, the same on every machine): tables and constant merging. */
uint64_t lc_hash(const void *data, size_t size, uint64_t seed);

#endif
