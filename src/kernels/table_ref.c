/*
 * table_ref.c: HASHTABLE, HASHTABLE_IMPORT, HASHTABLE_FIND, HASHTABLE_SIZE. A table lives in the session's store (resource.h) under the
 * model's table_id. It is filled once: a later import does nothing, as converters leave the import in graphs that run often. Of equal keys
 * the first counts.
 *
 * The entries are kept sorted by key and searched by halving, so no choice of keys makes a table slow.
 */
#include "kernels/ref.h"
#include "kernels/resource.h"
#include "kernels/string_value.h"

#include <string.h>

typedef struct entry {
    lc_str text;    /* the key or the value, whichever is a string */
    int64_t number; /* the other */
    uint32_t order; /* position in the import */
} entry;

typedef struct table {
    lc_dtype key, value;
    bool filled;
    size_t count;
    entry *entries; /* and behind them the bytes of all strings */
} table;

static void destroy(void *object) {
    lc_free(((table *)object)->entries);
    lc_free(object);
}

/* ---- handle ----------------------------------------------------------------------------------------------------- */

static lc_status prepare_handle(lc_kernel_ctx *ctx) {
    const lc_HashtableOptions *o = LC_OP_ATTRS(ctx->node, HashtableOptions);
    int32_t *handle = lc_kernel_state(ctx, sizeof *handle);
    if (!handle) return LC_NO_MEMORY;
    if (!ctx->resources) return lc_fail(ctx->err, LC_UNSUPPORTED, "tables need a session");
    return lc_resource_find(ctx->resources, LC_RESOURCE_TABLE, (lc_str){(const char *)&o->table_id, sizeof o->table_id}, handle, ctx->err);
}

static lc_status give_handle(lc_kernel_ctx *ctx) {
    const lc_HashtableOptions *o = LC_OP_ATTRS(ctx->node, HashtableOptions);
    memcpy(ctx->out[0]->data, ctx->state, sizeof(int32_t));
    lc_resource *r = lc_resource_of(ctx, ctx->out[0], LC_RESOURCE_TABLE);
    if (!r) return LC_INVALID;
    if (r->object) return LC_OK;
    table *t = lc_calloc(1, sizeof *t);
    if (!t) return lc_fail_memory(ctx->err, "table");
    *t = (table){.key = (lc_dtype)o->key_dtype, .value = (lc_dtype)o->value_dtype};
    r->object = t;
    r->destroy = destroy;
    return LC_OK;
}

/* The table that input 0 names, which must be of these types. NULL, and the error, when there is none. */
static table *table_of(lc_kernel_ctx *ctx, lc_dtype key, lc_dtype value) {
    const lc_resource *r = lc_resource_of(ctx, ctx->in[0], LC_RESOURCE_TABLE);
    if (!r) return NULL;
    table *t = r->object;
    if (t && (key == value || (t->key == key && t->value == value))) return t;
    if (t)
        lc_fail(ctx->err, LC_INVALID, "the table goes from %s to %s, wanted %s to %s", lc_dtype_name(t->key), lc_dtype_name(t->value),
                lc_dtype_name(key), lc_dtype_name(value));
    else lc_fail(ctx->err, LC_INVALID, "the table is used before it is made");
    return NULL;
}

/* ---- import ----------------------------------------------------------------------------------------------------- */

static int compare_text(lc_str a, lc_str b) {
    const size_t both = a.size < b.size ? a.size : b.size;
    const int c = both ? memcmp(a.data, b.data, both) : 0;
    return c ? c : (a.size > b.size) - (a.size < b.size);
}

static int compare(const table *t, const entry *a, const entry *b) {
    return t->key == LC_STRING ? compare_text(a->text, b->text) : (a->number > b->number) - (a->number < b->number);
}

static bool after(const table *t, const entry *a, const entry *b) {
    const int c = compare(t, a, b);
    return c > 0 || (c == 0 && a->order > b->order);
}

/* Heap sort by key, of equal keys by order. */
static void sort(const table *t, entry *e, size_t n) {
    for (size_t start = n / 2, end = n; end > 1;) {
        entry moving;
        size_t at = 0;
        if (start > 0) {
            at = --start;
            moving = e[at];
        } else {
            moving = e[--end];
            e[end] = e[0];
        }
        for (size_t child; (child = 2 * at + 1) < end; at = child) {
            if (child + 1 < end && after(t, &e[child + 1], &e[child])) child++;
            if (!after(t, &e[child], &moving)) break;
            e[at] = e[child];
        }
        e[at] = moving;
    }
}

static lc_status import(lc_kernel_ctx *ctx) {
    const bool by_text = ctx->in[1]->type == LC_STRING;
    const lc_value *numbers = ctx->in[by_text ? 2 : 1];
    table *t = table_of(ctx, ctx->in[1]->type, ctx->in[2]->type);
    lc_strings strings;
    if (!t) return LC_INVALID;
    if (t->filled) return LC_OK;
    LC_TRY(lc_strings_open(ctx, ctx->in[by_text ? 1 : 2], by_text ? "keys" : "values", &strings));
    const size_t n = strings.count;
    if (numbers->size / sizeof(int64_t) != n)
        return lc_fail(ctx->err, LC_INVALID, "there are %zu strings and %zu numbers", n, numbers->size / sizeof(int64_t));
    size_t bytes, all = 0;
    bool fits = lc_mul_size(n, sizeof(entry), &bytes);
    for (size_t i = 0; i < n; i++) fits &= lc_add_size(all, lc_strings_at(&strings, i).size, &all);
    if (!fits || !lc_add_size(bytes, all, &all) || all > INT64_MAX || n > UINT32_MAX)
        return lc_fail(ctx->err, LC_LIMIT, "the table is too large");
    LC_TRY(lc_resources_charge(ctx->resources, (int64_t)all, ctx->err));
    t->entries = lc_malloc(all ? all : 1);
    if (!t->entries) {
        LC_TRY(lc_resources_charge(ctx->resources, -(int64_t)all, ctx->err));
        return lc_fail_memory(ctx->err, "table");
    }
    char *to = (char *)(t->entries + n);
    for (size_t i = 0; i < n; i++) {
        const lc_str s = lc_strings_at(&strings, i);
        t->entries[i] = (entry){.text = {to, s.size}, .order = (uint32_t)i};
        memcpy(&t->entries[i].number, (const char *)numbers->data + i * sizeof(int64_t), sizeof(int64_t));
        if (s.size) memcpy(to, s.data, s.size);
        to += s.size;
    }
    sort(t, t->entries, n);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || compare(t, &t->entries[t->count - 1], &t->entries[i]) != 0) t->entries[t->count++] = t->entries[i];
    t->filled = true;
    return LC_OK;
}

/* ---- find ------------------------------------------------------------------------------------------------------- */

static lc_status prepare_find(lc_kernel_ctx *ctx) {
    uint64_t n = 0, bytes;
    if (ctx->out[0]->type != LC_STRING) return LC_OK;
    if (!lc_shape_elements(&ctx->in[1]->shape, &n) || !lc_mul_u64(n, sizeof(lc_str), &bytes) || !lc_u64_to_size(bytes, &ctx->scratch_size))
        return lc_fail(ctx->err, LC_LIMIT, "looks too many keys up");
    return LC_OK;
}

static const entry *search(const table *t, const entry *key) {
    size_t low = 0, high = t->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int c = compare(t, &t->entries[middle], key);
        if (c == 0) return &t->entries[middle];
        if (c < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

static lc_status find(lc_kernel_ctx *ctx) {
    const lc_value *keys = ctx->in[1], *otherwise = ctx->in[2];
    const bool by_text = keys->type == LC_STRING;
    const table *t = table_of(ctx, keys->type, otherwise->type);
    const size_t n = (size_t)lc_ref_elements(keys);
    lc_strings strings, first;
    if (!t) return LC_INVALID;
    if (!t->filled) {
        lc_fail(ctx->err, LC_INVALID, "the table is read before anything is imported into it");
        lc_error_hint(ctx->err, "run the signature that initialises the model's tables first, and let the sessions share them");
        return LC_INVALID;
    }
    if (by_text) {
        if (otherwise->size < sizeof(int64_t)) return lc_fail(ctx->err, LC_INVALID, "its default value is empty");
        LC_TRY(lc_strings_open(ctx, keys, "keys", &strings));
        for (size_t i = 0; i < n; i++) {
            const entry *e = search(t, &(entry){.text = lc_strings_at(&strings, i)});
            memcpy((int64_t *)ctx->out[0]->data + i, e ? (const void *)&e->number : otherwise->data, sizeof(int64_t));
        }
        return LC_OK;
    }
    LC_TRY(lc_strings_open(ctx, otherwise, "default value", &first));
    if (first.count < 1) return lc_fail(ctx->err, LC_INVALID, "its default value is empty");
    lc_str *found = ctx->scratch;
    for (size_t i = 0; i < n; i++) {
        entry key = {0};
        memcpy(&key.number, (const char *)keys->data + i * sizeof(int64_t), sizeof(int64_t));
        const entry *e = search(t, &key);
        found[i] = e ? e->text : lc_strings_at(&first, 0);
    }
    return lc_strings_put(ctx, 0, &keys->shape, found, n);
}

static lc_status size(lc_kernel_ctx *ctx) {
    const table *t = table_of(ctx, LC_INT64, LC_INT64); /* of any types */
    if (!t) return LC_INVALID;
    const int64_t n = (int64_t)t->count;
    memcpy(ctx->out[0]->data, &n, sizeof n);
    return LC_OK;
}

const lc_kernel lc_kernel_HASHTABLE = {.prepare = prepare_handle, .run = give_handle}, lc_kernel_HASHTABLE_IMPORT = {.run = import},
                lc_kernel_HASHTABLE_FIND = {.prepare = prepare_find, .run = find}, lc_kernel_HASHTABLE_SIZE = {.run = size};
