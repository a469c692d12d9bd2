/*
 * json_read.c: JSON text to a tree in an arena.
 *
 * The idea: one pass with a stack of its own. Values that are complete wait on the stack; when their array or object ends they
 * move to the arena as one block. So nothing recurses, a tree costs what it holds, and every block is charged to the budget
 * before it is made. DESIGN.md names jansson for this. It does not fit: its allocator is one global of the process (a
 * library must not change it under the program that uses both), it refuses the NaN and Infinity that Python's json module
 * writes, and it would hold a second copy of everything. The tests compare the two.
 *
 * Stays true: the text is valid UTF-8 and strict JSON (RFC 8259), except that NaN, Infinity and -Infinity are numbers, as
 * Python writes them; they become the real numbers of that name. Whole numbers that fit are INT, all others REAL.
 *
 * A NUL in a string (the byte code that Keras 1 keeps of a Lambda is full of them) becomes U+FFFD: strings end with NUL here,
 * and whoever looks at a name must see all of it.
 *
 * Refuses: nesting deeper than max_depth, two members of one name, half surrogates, anything behind the value.
 */
#include "source/source.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NUMBER 400 /* characters of a number */

typedef struct frame {
    size_t first;    /* where its values begin on the stack */
    const char *key; /* of the container itself, inside its object */
    bool object;
} frame;

typedef struct parser {
    const char *text, *at, *end;
    lc_budget *budget;
    lc_arena *arena;
    lc_json *values; /* waiting; owned */
    size_t count, capacity;
    frame *frames; /* open containers; owned */
    size_t depth, frame_capacity;
    const char *key;   /* of the value that comes next */
    locale_t c_locale; /* the decimal point is a point whatever the program's locale */
    lc_error *err;
} parser;

static lc_status bad(const parser *p, const char *what) {
    size_t line = 1, column = 1;
    for (const char *s = p->text; s < p->at && s < p->end; s++) {
        column++;
        if (*s == '\n') line++, column = 1;
    }
    return LC_SOURCE_FAIL(p->err, LC_INVALID, JSON, LC_NO_OFFSET, "JSON, line %zu column %zu: %s", line, column, what);
}

/* ---- text ---- */

static void skip_space(parser *p) {
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')) p->at++;
}

static bool take_word(parser *p, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0) return false;
    p->at += n;
    return true;
}

static bool take_hex4(parser *p, unsigned *code) {
    if (p->end - p->at < 4) return false;
    *code = 0;
    for (int i = 0; i < 4; i++) {
        char c = *p->at++;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;
        if (digit > 15) return false;
        *code = *code << 4 | digit;
    }
    return true;
}

/* Stands behind the opening quote; ends behind the closing one. No escape is shorter than what it stands for. */
static lc_status take_string(parser *p, const char **string) {
    const char *scan = p->at;
    while (scan < p->end && *scan != '"') scan += *scan == '\\' && p->end - scan > 1 ? 2 : 1;
    if (scan >= p->end) return bad(p, "a string does not end");
    size_t room = (size_t)(scan - p->at) + 1;
    LC_TRY(lc_budget_memory(p->budget, room, "JSON text", p->err));
    char *out = lc_arena_alloc(p->arena, room);
    if (!out) return lc_fail_memory(p->err, "JSON text");
    *string = out;
    while (*p->at != '"') {
        unsigned char c = (unsigned char)*p->at;
        if (c < 0x20) return bad(p, "a control character inside a string");
        if (c != '\\') {
            size_t n = lc_utf8_length(p->at, (size_t)(scan - p->at), NULL);
            if (!n) return bad(p, "a string is not UTF-8");
            memcpy(out, p->at, n);
            out += n;
            p->at += n;
            continue;
        }
        p->at++;
        char escape = *p->at++; /* scan saw that there is one */
        switch (escape) {
        case '"': *out++ = '"'; break;
        case '\\': *out++ = '\\'; break;
        case '/': *out++ = '/'; break;
        case 'b': *out++ = '\b'; break;
        case 'f': *out++ = '\f'; break;
        case 'n': *out++ = '\n'; break;
        case 'r': *out++ = '\r'; break;
        case 't': *out++ = '\t'; break;
        case 'u': {
            unsigned code, low;
            if (!take_hex4(p, &code)) return bad(p, "\\u needs four hexadecimal digits");
            if (code == 0) code = 0xFFFD;
            if (code >= 0xD800 && code < 0xDC00) {
                if (!take_word(p, "\\u") || !take_hex4(p, &low) || low < 0xDC00 || low > 0xDFFF) return bad(p, "half of a surrogate pair");
                code = 0x10000 + ((code - 0xD800) << 10 | (low - 0xDC00));
            } else if (code >= 0xDC00 && code < 0xE000) {
                return bad(p, "half of a surrogate pair");
            }
            out += lc_utf8_put(code, out);
            break;
        }
        default: return bad(p, "unknown escape in a string");
        }
    }
    p->at++;
    return LC_OK;
}

static size_t digits(parser *p) {
    const char *from = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9') p->at++;
    return (size_t)(p->at - from);
}

static lc_status take_number(parser *p, lc_json *v) {
    const char *from = p->at;
    bool whole = true;
    if (*p->at == '-') p->at++;
    bool negative = p->at != from;
    if (take_word(p, "Infinity")) {
        *v = (lc_json){.kind = LC_JSON_REAL, .real = negative ? -INFINITY : INFINITY};
        return LC_OK;
    }
    bool zero = p->at < p->end && *p->at == '0';
    size_t n = digits(p);
    if (n == 0 || (zero && n > 1)) return bad(p, "a value is expected here");
    if (p->at < p->end && *p->at == '.') {
        p->at++;
        whole = false;
        if (!digits(p)) return bad(p, "digits are missing behind the point");
    }
    if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
        p->at++;
        whole = false;
        if (p->at < p->end && (*p->at == '+' || *p->at == '-')) p->at++;
        if (!digits(p)) return bad(p, "digits are missing in the exponent");
    }
    size_t length = (size_t)(p->at - from);
    char text[MAX_NUMBER + 1];
    if (length > MAX_NUMBER) return bad(p, "a number is too long");
    memcpy(text, from, length);
    text[length] = 0;
    *v = (lc_json){.kind = LC_JSON_REAL, .real = strtod_l(text, NULL, p->c_locale)};
    int64_t value = 0;
    for (const char *s = text + negative; whole && *s; s++)
        whole = lc_mul_i64(value, 10, &value) && (negative ? lc_add_i64(value, -(*s - '0'), &value) : lc_add_i64(value, *s - '0', &value));
    if (whole) {
        v->kind = LC_JSON_INT;
        v->integer = value;
    } else if (isinf(v->real)) {
        return bad(p, "a number is too large");
    }
    return LC_OK;
}

/* ---- tree ---- */

/* Room for one more item in a growing block; the block's growth is charged. */
static lc_status make_room(parser *p, void **items, size_t *capacity, size_t need, size_t item) {
    if (need <= *capacity) return LC_OK;
    size_t wider = *capacity ? *capacity * 2 : 32, bytes;
    if (!lc_mul_size(wider, item, &bytes)) return lc_fail_memory(p->err, "JSON");
    LC_TRY(lc_budget_memory(p->budget, bytes / 2, "JSON values", p->err));
    void *grown = lc_realloc(*items, bytes);
    if (!grown) return lc_fail_memory(p->err, "JSON");
    *items = grown;
    *capacity = wider;
    return LC_OK;
}

static lc_status push(parser *p, lc_json v) {
    void *items = p->values;
    LC_TRY(make_room(p, &items, &p->capacity, p->count + 1, sizeof *p->values));
    p->values = items;
    v.key = p->key;
    p->key = NULL;
    p->values[p->count++] = v;
    return LC_OK;
}

static lc_status open_container(parser *p, bool object) {
    if (p->depth >= p->budget->limits.max_depth) {
        LC_SOURCE_FAIL(p->err, LC_LIMIT, JSON, LC_NO_OFFSET, "JSON is nested deeper than %u values", p->budget->limits.max_depth);
        lc_error_hint(p->err, "if the file is what it should be, raise lc_limits.max_depth");
        return LC_LIMIT;
    }
    void *items = p->frames;
    LC_TRY(make_room(p, &items, &p->frame_capacity, p->depth + 1, sizeof *p->frames));
    p->frames = items;
    p->frames[p->depth++] = (frame){p->count, p->key, object};
    p->key = NULL;
    return LC_OK;
}

static int compare_keys(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static lc_status check_unique(parser *p, const lc_json *members, size_t n) {
    const char *twice = NULL;
    if (n <= 16) {
        for (size_t i = 1; i < n && !twice; i++)
            for (size_t k = 0; k < i; k++)
                if (strcmp(members[i].key, members[k].key) == 0) twice = members[i].key;
    } else {
        const char **keys = lc_calloc(n, sizeof *keys);
        if (!keys) return lc_fail_memory(p->err, "JSON");
        for (size_t i = 0; i < n; i++) keys[i] = members[i].key;
        qsort(keys, n, sizeof *keys, compare_keys);
        for (size_t i = 1; i < n && !twice; i++)
            if (strcmp(keys[i - 1], keys[i]) == 0) twice = keys[i];
        lc_free(keys);
    }
    return twice ? LC_SOURCE_FAIL(p->err, LC_INVALID, JSON, LC_NO_OFFSET, "JSON: an object has two members named '%.100s'", twice) : LC_OK;
}

static lc_status close_container(parser *p) {
    const frame *f = &p->frames[--p->depth];
    size_t n = p->count - f->first;
    lc_json v = {.kind = f->object ? LC_JSON_OBJECT : LC_JSON_ARRAY};
    if (n > UINT32_MAX) return bad(p, "an array is too long");
    if (f->object && n) LC_TRY(check_unique(p, p->values + f->first, n));
    if (n) {
        size_t bytes;
        if (!lc_mul_size(n, sizeof v, &bytes)) return lc_fail_memory(p->err, "JSON");
        LC_TRY(lc_budget_memory(p->budget, bytes, "JSON values", p->err));
        lc_json *items = lc_arena_array(p->arena, n, sizeof v);
        if (!items) return lc_fail_memory(p->err, "JSON");
        memcpy(items, p->values + f->first, bytes);
        v.items = items;
        v.count = (uint32_t)n;
    }
    p->count = f->first;
    p->key = f->key;
    return push(p, v);
}

/* What may come next: a value; a name; a comma or the end of the container; nothing more. */
enum { VALUE, FIRST_VALUE, NAME, FIRST_NAME, NEXT, DONE };

static lc_status take_value(parser *p, int *state) {
    lc_json v = {.kind = LC_JSON_NULL};
    char c = *p->at;
    if (c == '{' || c == '[') {
        p->at++;
        LC_TRY(open_container(p, c == '{'));
        *state = c == '{' ? FIRST_NAME : FIRST_VALUE;
        return LC_OK;
    }
    if (c == '"') {
        p->at++;
        v.kind = LC_JSON_STRING;
        LC_TRY(take_string(p, &v.string));
    } else if (take_word(p, "true")) {
        v = (lc_json){.kind = LC_JSON_BOOL, .boolean = true};
    } else if (take_word(p, "false")) {
        v = (lc_json){.kind = LC_JSON_BOOL, .boolean = false};
    } else if (take_word(p, "NaN")) {
        v = (lc_json){.kind = LC_JSON_REAL, .real = NAN};
    } else if (!take_word(p, "null")) {
        LC_TRY(take_number(p, &v));
    }
    LC_TRY(push(p, v));
    *state = p->depth ? NEXT : DONE;
    return LC_OK;
}

static lc_status parse(parser *p) {
    int state = VALUE;
    for (;;) {
        skip_space(p);
        if (p->at >= p->end) return state == DONE ? LC_OK : bad(p, "the text ends too early");
        char c = *p->at;
        bool object = p->depth && p->frames[p->depth - 1].object;
        if (state == DONE) return bad(p, "something follows the value");
        if ((state == FIRST_VALUE && c == ']') || (state == FIRST_NAME && c == '}') || (state == NEXT && c == (object ? '}' : ']'))) {
            p->at++;
            LC_TRY(close_container(p));
            state = p->depth ? NEXT : DONE;
        } else if (state == NEXT) {
            if (c != ',') return bad(p, object ? "a ',' or '}' is expected here" : "a ',' or ']' is expected here");
            p->at++;
            state = object ? NAME : VALUE;
        } else if (state == NAME || state == FIRST_NAME) {
            if (c != '"') return bad(p, "a name in quotes is expected here");
            p->at++;
            LC_TRY(take_string(p, &p->key));
            skip_space(p);
            if (p->at >= p->end || *p->at != ':') return bad(p, "a ':' is expected here");
            p->at++;
            state = VALUE;
        } else {
            LC_TRY(take_value(p, &state));
        }
    }
}

lc_status lc_json_parse(const char *text, size_t size, lc_budget *budget, lc_arena *arena, const lc_json **root, lc_error *err) {
    *root = NULL;
    parser p = {.text = text, .at = text, .end = text + size, .budget = budget, .arena = arena, .err = err};
    p.c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!p.c_locale) return lc_fail_memory(err, "JSON");
    lc_status status = parse(&p);
    if (status == LC_OK) {
        lc_json *v = lc_arena_alloc(arena, sizeof *v);
        if (v) {
            *v = p.values[0];
            *root = v;
        } else {
            status = lc_fail_memory(err, "JSON");
        }
    }
    freelocale(p.c_locale);
    lc_free(p.values);
    lc_free(p.frames);
    return status;
}
