/*
 * tf_table.c: hash tables. What fills a table runs when TensorFlow loads the model, so it is worked out now: the initialiser is walked
 * first, into a graph that is thrown away, and leaves each table with constant keys and values.
 *
 *   string -> int64, int64 -> string   the tables TFLite has: HASHTABLE and FIND, with a HASHTABLE_IMPORT in the graph that CALL_ONCE runs
 *   string -> anything                 such a table from the strings to their places, and a GATHER of the values
 *   a run of integers -> anything      place = key - first, where that is in range; GATHER
 *   other numbers -> anything          compared with every key; ARG_MAX finds the place; GATHER
 *
 * The default of the last three is one more value behind the others. Refused: tables that are changed in the run, values of more than one
 * number, a default that is not constant where the values are strings.
 */
#include "ir/strings.h"
#include "lower/tf_array.h"
#include "lower/tf_impl.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ID = 1 << 24 };

/* ---- records ---------------------------------------------------------------------------------------------------------- */

static int32_t table_of(lc_tf_call *c, lc_str name) {
    lc_tf_lower *l = c->lower;
    for (size_t i = 0; i < l->table_count; i++)
        if (lc_str_eq(l->tables[i].name, name)) return (int32_t)i;
    void *items = l->tables;
    if (!lc_arena_grow(&l->scratch, &items, &l->table_capacity, l->table_count + 1, sizeof *l->tables)) {
        lc_build_check(c->b, lc_fail_memory(l->err, "tables"));
        return -1;
    }
    l->tables = items;
    l->tables[l->table_count] = (lc_tf_table){.name = name,
                                              .key = lc_tf_attr_type(c, "key_dtype"),
                                              .value = lc_tf_attr_type(c, "value_dtype"),
                                              .changes = lc_str_has_prefix(c->node->op, "Mutable")};
    return (int32_t)l->table_count++;
}

void lc_tf_op_table(lc_tf_call *c) {
    lc_str name = lc_tf_attr_str(c, "shared_name", "");
    if (!name.size || lc_tf_attr_bool(c, "use_node_name_sharing", false)) name = c->node->name;
    lc_tf_give_value(c, 0, (lc_tf_value){LC_TF_TABLE, -1, table_of(c, name)});
}

static lc_tf_table *table_in(lc_tf_call *c, uint32_t i) {
    if (!lc_tf_ok(c)) return NULL;
    if (i < c->in_count && c->in[i].kind == LC_TF_TABLE && c->in[i].object >= 0) return &c->lower->tables[c->in[i].object];
    lc_tf_fail(c, LC_UNSUPPORTED, "its input %u is no table that the model keeps", i);
    return NULL;
}

/* ---- filling, while the initialiser is walked ------------------------------------------------------------------------------ */

/* The array of a constant. */
static bool constant_in(lc_tf_call *c, uint32_t i, lc_tf_array *array) {
    const int32_t x = lc_tf_in(c, i);
    const lc_tensor *t = lc_build_tensor(c->b, x);
    uint64_t n;
    if (!t) return false;
    if (!t->data || !lc_tensor_elements(t, &n))
        return lc_tf_fail(c, LC_UNSUPPORTED, "its input %u is not constant: the table cannot be known now", i) > 0;
    *array = (lc_tf_array){.type = t->type, .rank = 1, .dims = {(int32_t)n}, .data = t->data, .size = t->size};
    return true;
}

/* [table, keys, values] */
void lc_tf_op_table_import(lc_tf_call *c) {
    lc_tf_array keys, values;
    lc_tf_table *t = table_in(c, 0);
    if (!t || !c->lower->filling) {
        if (t) lc_tf_missing(c, "tables that are filled in the run have no TFLite form");
        return;
    }
    if (!constant_in(c, 1, &keys) || !constant_in(c, 2, &values)) return;
    if (keys.dims[0] != values.dims[0]) {
        lc_tf_fail(c, LC_UNSUPPORTED, "%d keys have %d values; litec has tables of one value a key", keys.dims[0], values.dims[0]);
        return;
    }
    t->keys = keys;
    t->values = values;
    t->key = keys.type;
    t->value = values.type;
    t->filled = true;
}

typedef struct lines {
    lc_str *key, *value;
    uint32_t n;
} lines;

/* Column `index` of a line: -2 all of it, -1 its number. */
static lc_str column(lc_str line, int64_t index, char delimiter, lc_arena *arena, uint64_t number) {
    if (index == -2) return line;
    if (index == -1) {
        char *text = lc_arena_printf(arena, "%llu", (unsigned long long)number);
        return text ? lc_str_of(text) : (lc_str){0};
    }
    const char *p = line.data, *end = line.data + line.size;
    for (; index > 0; index--) {
        const char *q = memchr(p, delimiter, (size_t)(end - p));
        if (!q) return (lc_str){0};
        p = q + 1;
    }
    const char *q = memchr(p, delimiter, (size_t)(end - p));
    return (lc_str){p, (size_t)((q ? q : end) - p)};
}

/* The number that a text spells, all of it. */
static bool number_of(lc_str s, lc_dtype type, locale_t plain, void *at) {
    char number[64] = {0}, *end = number;
    if (!s.size || s.size >= sizeof number) return false;
    memcpy(number, s.data, s.size);
    errno = 0;
    if (type == LC_FLOAT32 || type == LC_FLOAT64) {
        const double wide = strtod_l(number, &end, plain);
        const float narrow = type == LC_FLOAT32 ? strtof_l(number, &end, plain) : 0;
        if (type == LC_FLOAT32) memcpy(at, &narrow, sizeof narrow);
        else memcpy(at, &wide, sizeof wide);
        return end == number + s.size;
    }
    const long long v = strtoll(number, &end, 10);
    const int64_t wide = v;
    const int32_t narrow = (int32_t)v;
    if (type == LC_INT64) memcpy(at, &wide, sizeof wide);
    else memcpy(at, &narrow, sizeof narrow);
    return end == number + s.size && errno == 0 && (type == LC_INT64 || v == narrow);
}

/* Strings as an array of a type: text, or the numbers it spells. */
static bool parsed(lc_tf_call *c, const lc_str *text, uint32_t n, lc_dtype type, lc_tf_array *array) {
    lc_arena *arena = &c->b->model->arena;
    *array = (lc_tf_array){.type = type, .rank = 1, .dims = {(int32_t)n}};
    if (type != LC_STRING && type != LC_INT64 && type != LC_INT32 && type != LC_FLOAT32 && type != LC_FLOAT64)
        return lc_tf_fail(c, LC_INVALID, "a table of this type is not filled from a file") > 0;
    size_t size = n * (lc_dtype_bits(type) / 8);
    if (type == LC_STRING && !lc_strings_size(text, n, &size)) return lc_tf_fail(c, LC_LIMIT, "the table's file is too large") > 0;
    if (!lc_tf_take(c, lc_budget_memory(&c->lower->budget, size, "table", c->lower->err))) return false;
    void *data = lc_arena_data(arena, size ? size : 1);
    if (!data) return lc_build_check(c->b, lc_fail_memory(c->lower->err, "table"));
    array->data = data;
    array->size = size;
    if (type == LC_STRING) return lc_strings_write(text, n, data), true;
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* whatever the program's locale writes for a point */
    if (!plain) return lc_build_check(c->b, lc_fail_memory(c->lower->err, "table"));
    for (uint32_t i = 0; i < n; i++) {
        if (number_of(text[i], type, plain, (char *)data + i * (lc_dtype_bits(type) / 8))) continue;
        lc_tf_fail(c, LC_INVALID, "line %u of the table's file has \"%.*s\", needs a number of type %s", i + 1, LC_TF_NAME(text[i]),
                   lc_dtype_name(type));
        break;
    }
    freelocale(plain);
    return lc_tf_ok(c);
}

/* [table, file name] */
void lc_tf_op_table_text_file(lc_tf_call *c) {
    lc_tf_lower *l = c->lower;
    lc_tf_array name;
    lc_str file = {0}, bytes = {0};
    lc_tf_table *t = table_in(c, 0);
    const int64_t key = lc_tf_attr_int(c, "key_index", -2), value = lc_tf_attr_int(c, "value_index", -1),
                  most = lc_tf_attr_int(c, "vocab_size", -1);
    const int64_t offset = lc_tf_attr_int(c, "offset", 0);
    const lc_str delimiter = lc_tf_attr_str(c, "delimiter", "\t");
    if (!t || !constant_in(c, 1, &name)) return;
    if (name.type != LC_STRING || !lc_strings_find(name.data, name.size, 1, 0, &file)) {
        lc_tf_fail(c, LC_INVALID, "the name of its file is no string");
        return;
    }
    if (!l->tf->asset) {
        lc_tf_fail(c, LC_NOT_FOUND, "the table's file \"%.*s\" does not come with the model", LC_TF_NAME(file));
        return;
    }
    if (!lc_tf_take(c, l->tf->asset(l->tf->user, file, &bytes, l->err))) return;
    uint64_t n = 0, count = 0;
    for (size_t i = 0; i < bytes.size; i++) count += bytes.data[i] == '\n';
    count++;
    if (!lc_tf_take(c, lc_budget_memory(&l->budget, count * 2 * sizeof(lc_str), "table", l->err))) return;
    lc_str *keys = lc_arena_array(&l->scratch, (size_t)count, sizeof *keys),
           *values = lc_arena_array(&l->scratch, (size_t)count, sizeof *values);
    if (!keys || !values) {
        lc_build_check(c->b, lc_fail_memory(l->err, "table"));
        return;
    }
    const char *p = bytes.data, *end = bytes.data + bytes.size;
    for (uint64_t number = 0; p < end && (most < 0 || n < (uint64_t)most); number++) {
        const char *q = memchr(p, '\n', (size_t)(end - p));
        lc_str line = {p, (size_t)((q ? q : end) - p)};
        p = q ? q + 1 : end;
        if (line.size && line.data[line.size - 1] == '\r') line.size--; /* a file of Windows */
        if (number < (uint64_t)(offset > 0 ? offset : 0)) continue;
        keys[n] = column(line, key, delimiter.size ? delimiter.data[0] : '\t', &l->scratch, n);
        values[n] = column(line, value, delimiter.size ? delimiter.data[0] : '\t', &l->scratch, n);
        if (!keys[n].data || !values[n].data) {
            lc_tf_fail(c, LC_INVALID, "line %llu of \"%.*s\" has too few columns", (unsigned long long)number + 1, LC_TF_NAME(file));
            return;
        }
        n++;
    }
    t->filled = n <= INT32_MAX && parsed(c, keys, (uint32_t)n, t->key, &t->keys) && parsed(c, values, (uint32_t)n, t->value, &t->values);
}

/* ---- looking up ---------------------------------------------------------------------------------------------------------------- */

static int32_t constant(lc_tf_call *c, const char *name, const lc_tf_array *a) { return lc_tf_constant(c->b, name, a); }

/* The handle of a TFLite table with this number. */
static int32_t handle(lc_builder *b, int32_t id, lc_dtype key, lc_dtype value) {
    int32_t out;
    /* LiteRT keeps tables and variables in one list, and numbers variables from 0 */
    const lc_HashtableOptions o = {.table_id = FIRST_ID + id, .key_dtype = (int8_t)key, .value_dtype = (int8_t)value};
    const lc_dtype type = LC_RESOURCE;
    const lc_tf_known known = {.set = true, .shape = {{.rank = 1, .dims = {1}}, {.rank = 1, .dims = {1}}}};
    return lc_tf_emit(b, LC_OP_HASHTABLE, LC_TABLE_HashtableOptions, &o, NULL, 0, &type, &known, &out, 1) ? out : -1;
}

static int32_t find(lc_tf_call *c, int32_t table, int32_t keys, int32_t otherwise, lc_dtype type) {
    int32_t out;
    const int32_t in[3] = {table, keys, otherwise};
    if (!lc_tf_ok(c)) return -1;
    lc_tf_known known = *lc_tf_known_of(c->b, keys);
    memset(known.value, 0, sizeof known.value);
    return lc_tf_emit(c->b, LC_OP_HASHTABLE_FIND, LC_TABLE_HashtableFindOptions, NULL, in, 3, &type, &known, &out, 1) ? out : -1;
}

static bool is_native(lc_dtype key, lc_dtype value) {
    return (key == LC_STRING && value == LC_INT64) || (key == LC_INT64 && value == LC_STRING);
}

static int64_t key_at(const lc_tf_array *a, int64_t i) {
    int64_t wide;
    int32_t narrow;
    if (a->type == LC_INT64) return memcpy(&wide, (const char *)a->data + i * 8, sizeof wide), wide;
    return memcpy(&narrow, (const char *)a->data + i * 4, sizeof narrow), narrow;
}

/* Integer keys that go up one by one. */
static bool is_run(const lc_tf_array *keys) {
    if (keys->type != LC_INT64 && keys->type != LC_INT32) return false;
    for (int64_t i = 1; i < keys->dims[0]; i++)
        if (key_at(keys, i) - 1 != key_at(keys, i - 1)) return false;
    return keys->dims[0] > 0 && key_at(keys, 0) > INT64_MIN + INT32_MAX;
}

/* Where each key stands among the table's (int32), n for one that is not there. */
static int32_t places(lc_tf_call *c, lc_tf_table *t, int32_t id, int32_t keys) {
    const int32_t n = t->keys.dims[0];
    if (t->key == LC_STRING) {
        t->used = t->places = true;
        const int32_t at = find(c, handle(c->b, id, LC_STRING, LC_INT64), keys, lc_tf_scalar(c, n, LC_INT64), LC_INT64);
        return lc_build_cast(c->b, at, LC_INT32);
    }
    if (is_run(&t->keys)) { /* compared in the key's own type: a difference might not fit */
        const double first = (double)key_at(&t->keys, 0);
        const int64_t low[1] = {key_at(&t->keys, 0)}, high[1] = {key_at(&t->keys, n - 1)};
        const int32_t l = lc_tf_reshape(c, lc_tf_const_ints(c, low, 1, t->key), NULL, 0),
                      h = lc_tf_reshape(c, lc_tf_const_ints(c, high, 1, t->key), NULL, 0);
        const int32_t in_range =
            lc_tf_binary(c, LC_OP_LOGICAL_AND, lc_tf_binary(c, LC_OP_GREATER_EQUAL, keys, l), lc_tf_binary(c, LC_OP_LESS_EQUAL, keys, h));
        const int32_t safe = lc_tf_binary(c, LC_OP_MINIMUM, lc_tf_binary(c, LC_OP_MAXIMUM, keys, l), h);
        const int32_t at = first == 0 ? safe : lc_tf_binary(c, LC_OP_SUB, safe, l);
        return lc_build_select(c->b, in_range, lc_build_cast(c->b, at, LC_INT32), lc_tf_scalar(c, n, LC_INT32));
    }
    const lc_shape s = lc_tf_ranked(c, keys);
    const int32_t wide = lc_tf_expand(c, keys, s.rank), equal = lc_tf_binary(c, LC_OP_EQUAL, wide, constant(c, "keys", &t->keys));
    const int32_t axis = s.rank, all = lc_build_cast(c->b, equal, LC_INT32),
                  any = lc_build_reduce(c->b, LC_OP_REDUCE_ANY, equal, &axis, 1, false);
    const lc_ArgMaxOptions o = {.output_type = LC_INT32};
    const int32_t in[2] = {all, lc_tf_scalar(c, axis, LC_INT32)};
    return lc_build_select(c->b, any, lc_build_op(c->b, LC_OP_ARG_MAX, LC_TABLE_ArgMaxOptions, &o, in, 2), lc_tf_scalar(c, n, LC_INT32));
}

/* Strings a and the one string b, behind each other. */
static bool join_strings(lc_tf_call *c, const lc_tf_array *a, const lc_tensor *b, lc_tf_array *out) {
    const uint32_t n = (uint32_t)a->dims[0];
    lc_str *list = lc_arena_array(&c->lower->scratch, (size_t)n + 1, sizeof *list);
    size_t size;
    if (!list) return lc_build_check(c->b, lc_fail_memory(c->lower->err, "strings"));
    bool fine = lc_strings_check(a->data, a->size, n) == NULL && lc_strings_find(b->data, b->size, 1, 0, &list[n]);
    const lc_strings all = {a->data, n};
    for (uint32_t i = 0; fine && i < n; i++) list[i] = lc_strings_at(&all, i);
    if (!fine || !lc_strings_size(list, n + 1, &size)) return lc_tf_fail(c, LC_INVALID, "the strings of its table are wrong") > 0;
    void *data = lc_arena_data(&c->b->model->arena, size);
    if (!data) return lc_build_check(c->b, lc_fail_memory(c->lower->err, "strings"));
    lc_strings_write(list, n + 1, data);
    *out = (lc_tf_array){.type = LC_STRING, .rank = 1, .dims = {(int32_t)n + 1}, .data = data, .size = size};
    return true;
}

/* The table's values with the default behind them. */
static int32_t values_and(lc_tf_call *c, lc_tf_table *t, int32_t otherwise) {
    if (!lc_tf_ok(c)) return -1;
    if (t->value == LC_STRING) {
        lc_tf_array all;
        const lc_tensor *d = lc_build_tensor(c->b, otherwise);
        if (!d->data) return lc_tf_fail(c, LC_UNSUPPORTED, "the default of a table of strings is not constant");
        return join_strings(c, &t->values, d, &all) ? constant(c, "values", &all) : -1;
    }
    const int32_t one[1] = {1}, parts[2] = {constant(c, "values", &t->values), lc_tf_reshape(c, otherwise, one, 1)};
    return lc_tf_concat(c, parts, 2, 0);
}

/* *kept: the handle that an earlier one made in this graph, -1 for none; NULL: nobody keeps it. */
static int32_t look_up(lc_tf_call *c, int32_t id, int32_t *kept, int32_t keys, int32_t otherwise) {
    lc_tf_table *t = &c->lower->tables[id];
    if (t->keys.dims[0] == 0) return lc_tf_fill(c, lc_tf_shape_tensor(c, keys), otherwise); /* nothing is there: the default everywhere */
    if (is_native(t->key, t->value) && !t->places) {
        t->used = true;
        const int32_t table = kept && *kept >= 0 ? *kept : handle(c->b, id, t->key, t->value);
        if (kept) *kept = table;
        return find(c, table, keys, otherwise, t->value);
    }
    const int32_t values = values_and(c, t, otherwise);
    return lc_tf_gather(c, values, places(c, t, id, keys), 0, 0);
}

int32_t lc_tf_table_look_up(lc_tf_call *c, const lc_tf_array *keys, const lc_tf_array *values, int32_t id[2], int32_t x,
                            int32_t otherwise) {
    lc_tf_lower *l = c->lower;
    void *items = l->tables;
    if (!lc_tf_ok(c)) return -1;
    if (id[0] < 0) {
        if (!lc_arena_grow(&l->scratch, &items, &l->table_capacity, l->table_count + 1, sizeof *l->tables)) {
            lc_build_check(c->b, lc_fail_memory(l->err, "tables"));
            return -1;
        }
        l->tables = items;
        l->tables[l->table_count] =
            (lc_tf_table){.key = keys->type, .value = values->type, .filled = true, .keys = *keys, .values = *values};
        id[0] = (int32_t)l->table_count++;
    }
    return look_up(c, id[0], &id[1], x, otherwise);
}

/* [table, keys, default] */
void lc_tf_op_table_find(lc_tf_call *c) {
    lc_tf_table *t = table_in(c, 0);
    const int32_t keys = lc_tf_in(c, 1), otherwise = lc_tf_in(c, 2);
    if (!t || !lc_tf_ok(c)) return;
    if (!t->filled) {
        lc_tf_fail(c, LC_UNSUPPORTED, "nothing that can be known before the run fills its table");
        lc_tf_hint(c, "%s",
                   t->changes ? "TFLite's tables do not change: use tf.lookup.StaticHashTable, filled when it is made"
                              : "save the model as a SavedModel: that keeps what initialises its tables");
        return;
    }
    if (lc_tf_type(c, keys) != t->key || lc_tf_type(c, otherwise) != t->value) {
        lc_tf_fail(c, LC_INVALID, "its table is from %s to %s, it looks up %s and defaults to %s", lc_dtype_name(t->key),
                   lc_dtype_name(t->value), lc_dtype_name(lc_tf_type(c, keys)), lc_dtype_name(lc_tf_type(c, otherwise)));
        return;
    }
    lc_tf_give(c, 0, look_up(c, c->in[0].object, NULL, keys, otherwise));
}

void lc_tf_op_table_size(lc_tf_call *c) {
    const lc_tf_table *t = table_in(c, 0);
    if (t && t->filled) lc_tf_give(c, 0, lc_tf_scalar(c, t->keys.dims[0], LC_INT64));
    else if (t) lc_tf_missing(c, "nothing that can be known before the run fills its table");
}

/* keys, values */
void lc_tf_op_table_export(lc_tf_call *c) {
    const lc_tf_table *t = table_in(c, 0);
    if (!t) return;
    if (!t->filled) {
        lc_tf_missing(c, "nothing that can be known before the run fills its table");
        return;
    }
    lc_tf_give(c, 0, constant(c, "keys", &t->keys));
    lc_tf_give(c, 1, constant(c, "values", &t->values));
}

void lc_tf_op_table_change(lc_tf_call *c) { lc_tf_missing(c, "tables that change in the run have no TFLite form"); }

/* ---- the initialiser -------------------------------------------------------------------------------------------------------------- */

bool lc_tf_tables_used(const lc_tf_lower *l) {
    for (size_t i = 0; i < l->table_count; i++)
        if (l->tables[i].used) return true;
    return false;
}

void lc_tf_tables_init(lc_tf_lower *l, lc_builder *b) {
    for (size_t i = 0; i < l->table_count && b->status == LC_OK; i++) {
        const lc_tf_table *t = &l->tables[i];
        if (!t->needed) continue;
        lc_tf_array values = t->values;
        if (t->places) { /* string -> where it stands */
            int64_t *n = lc_arena_data(&l->model->arena, (size_t)t->keys.dims[0] * sizeof *n + 1);
            if (!n) {
                lc_build_check(b, lc_fail_memory(l->err, "table"));
                return;
            }
            for (int32_t k = 0; k < t->keys.dims[0]; k++) n[k] = k;
            values = (lc_tf_array){
                .type = LC_INT64, .rank = 1, .dims = {t->keys.dims[0]}, .data = n, .size = (size_t)t->keys.dims[0] * sizeof *n};
        }
        const int32_t in[3] = {handle(b, (int32_t)i, t->key, values.type), lc_tf_constant(b, "keys", &t->keys),
                               lc_tf_constant(b, "values", &values)};
        if (in[0] >= 0 && in[1] >= 0 && in[2] >= 0)
            lc_tf_emit(b, LC_OP_HASHTABLE_IMPORT, LC_TABLE_HashtableImportOptions, NULL, in, 3, NULL, NULL, NULL, 0);
    }
}
