/*
 * json.h: a JSON value as a plain read-only tree in an arena. source/json_read.c makes it; everything below
 * reads it, so no layer under source/ sees a third-party header. Every getter accepts NULL and the wrong kind.
 * lc_json_write gives its text again.
 */
#ifndef LC_BASE_JSON_H
#define LC_BASE_JSON_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum lc_json_kind {
    LC_JSON_NULL,
    LC_JSON_BOOL,
    LC_JSON_INT,
    LC_JSON_REAL,
    LC_JSON_STRING,
    LC_JSON_ARRAY,
    LC_JSON_OBJECT,
} lc_json_kind;

typedef struct lc_json {
    lc_json_kind kind;
    const char *key; /* member name inside an object, else NULL */
    bool boolean;
    int64_t integer;
    double real;                 /* also set for INT */
    const char *string;          /* NUL-terminated, no NUL inside */
    const struct lc_json *items; /* ARRAY, OBJECT: [count] */
    uint32_t count;
} lc_json;

const lc_json *lc_json_get(const lc_json *object, const char *key); /* NULL when there is none or it is not an object */
const lc_json *lc_json_at(const lc_json *array, uint32_t index);    /* NULL when out of range */
bool lc_json_is(const lc_json *v, lc_json_kind kind);               /* false for NULL */
/* The string object[key], or `otherwise` when missing, null or of another kind. */
const char *lc_json_str(const lc_json *object, const char *key, const char *otherwise);
/* The text of a value as Python's json has it ("1e-07", "1.0", NaN); of NULL: null. */
void lc_json_write(const lc_json *v, lc_text *out);

#endif
