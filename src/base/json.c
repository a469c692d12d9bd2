/*
 * json.c: reading a JSON tree. Every getter takes NULL and the wrong kind, so that a chain of them through a hostile
 * config ends in "missing", never in a crash. Of two members with one name the first is meant. And its text.
 */
#include "base/json.h"

#include <string.h>

bool lc_json_is(const lc_json *v, lc_json_kind kind) { return v && v->kind == kind; }

const lc_json *lc_json_get(const lc_json *object, const char *key) {
    if (!lc_json_is(object, LC_JSON_OBJECT) || !key) return NULL;
    for (uint32_t i = 0; i < object->count; i++)
        if (object->items[i].key && strcmp(object->items[i].key, key) == 0) return &object->items[i];
    return NULL;
}

const lc_json *lc_json_at(const lc_json *array, uint32_t index) {
    return lc_json_is(array, LC_JSON_ARRAY) && index < array->count ? &array->items[index] : NULL;
}

const char *lc_json_str(const lc_json *object, const char *key, const char *otherwise) {
    const lc_json *v = lc_json_get(object, key);
    return lc_json_is(v, LC_JSON_STRING) && v->string ? v->string : otherwise;
}

/* Recursion is as deep as the JSON, which its reader has limited (limits.max_depth). */
void lc_json_write(const lc_json *v, lc_text *out) {
    if (!v) {
        lc_text_add(out, "null");
        return;
    }
    switch (v->kind) {
    case LC_JSON_NULL: lc_text_add(out, "null"); break;
    case LC_JSON_BOOL: lc_text_add(out, v->boolean ? "true" : "false"); break;
    case LC_JSON_INT: lc_text_printf(out, "%lld", (long long)v->integer); break;
    case LC_JSON_REAL: lc_text_add_number(out, v->real); break;
    case LC_JSON_STRING: lc_text_add_json(out, v->string, strlen(v->string)); break;
    case LC_JSON_ARRAY:
    case LC_JSON_OBJECT:
        lc_text_add(out, v->kind == LC_JSON_ARRAY ? "[" : "{");
        for (uint32_t i = 0; i < v->count && !out->failed; i++) {
            if (i) lc_text_add(out, ", ");
            if (v->kind == LC_JSON_OBJECT) {
                const char *key = v->items[i].key ? v->items[i].key : "";
                lc_text_add_json(out, key, strlen(key));
                lc_text_add(out, ": ");
            }
            lc_json_write(&v->items[i], out);
        }
        lc_text_add(out, v->kind == LC_JSON_ARRAY ? "]" : "}");
        break;
    }
}
