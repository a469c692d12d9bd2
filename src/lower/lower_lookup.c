/*
 * IntegerLookup and StringLookup: hash tables. All of a lookup is one table:
 *
 *   mask token ─▶ 0 (or no category)      first out-of-vocabulary index + i <─ any other, by default or, of integers, by their remainder
 *   token i    ─▶ mask + oov + i          invert: the other way round
 *
 * Tables of strings to integers and back are TFLite's own (HASHTABLE_FIND), integers are compared (tf_table.c). The vocabulary lies in the
 * config, or in the file's assets when adapt() made it; .h5 files lose that one. Keras stops where a vocabulary without room for others is
 * asked for something else; here -1 comes out (no category in a vector).
 *
 * Refused: several out-of-vocabulary indices for strings or with a salt, which are hashed; an unknown vocabulary.
 *
 * Facts: keras/src/layers/preprocessing/index_lookup.py.
 */
#include "ir/strings.h"
#include "lower/category.h"
#include "lower/tf_impl.h"

#include <stdlib.h>
#include <string.h>

enum { NO_CATEGORY = -2 };

typedef struct vocabulary {
    bool text; /* of strings */
    bool masks, invert;
    uint32_t n;
    lc_str *words;      /* text: [n] */
    int64_t *numbers;   /* else */
    lc_str mask, other; /* mask_token, oov_token */
    int64_t mask_number, other_number;
    int32_t oov;  /* out-of-vocabulary indices */
    bool special; /* the special tokens stood in front of the list, and were taken away */
    lc_category_mode mode;
} vocabulary;

static lc_str text_of(const lc_json *v) { return lc_json_is(v, LC_JSON_STRING) ? lc_str_of(v->string) : (lc_str){0}; }

static void *room(lc_call *c, size_t count, size_t size) {
    void *p = lc_arena_array(&c->lower->scratch, count ? count : 1, size);
    if (!p) lc_build_check(c->b, lc_fail_memory(c->b->err, "a vocabulary"));
    return p;
}

static bool number_of(lc_str line, int64_t *out) {
    char digits[32] = {0}, *end;
    if (!line.size || line.size >= sizeof digits) return false;
    memcpy(digits, line.data, line.size);
    *out = strtoll(digits, &end, 10);
    return *end == 0;
}

/* A list of the config; serialised tuples and the like hold it one level down. */
static const lc_json *list_of(const lc_json *v) {
    if (lc_json_is(v, LC_JSON_OBJECT) && lc_json_get(v, "items")) v = lc_json_get(v, "items");
    if (lc_json_is(v, LC_JSON_OBJECT) && lc_json_get(v, "config")) v = lc_json_get(lc_json_get(v, "config"), "value");
    return lc_json_is(v, LC_JSON_ARRAY) ? v : NULL;
}

static bool from_config(lc_call *c, const lc_json *list, vocabulary *v) {
    v->n = list->count;
    if (v->text) v->words = room(c, v->n, sizeof *v->words);
    else v->numbers = room(c, v->n, sizeof *v->numbers);
    if (c->b->status != LC_OK) return false;
    for (uint32_t i = 0; i < v->n; i++) {
        const lc_json *one = lc_json_at(list, i);
        if (v->text ? one->kind != LC_JSON_STRING : one->kind != LC_JSON_INT)
            return lc_opt_fail(c, "vocabulary", "entry %u is no %s", i, v->text ? "string" : "whole number") > 0;
        if (v->text) v->words[i] = lc_str_of(one->string);
        else v->numbers[i] = one->integer;
    }
    return true;
}

/* One token a line; empty lines at the end count for nothing. */
static bool from_assets(lc_call *c, lc_str file, vocabulary *v) {
    size_t lines = 1, size = file.size;
    while (size && file.data[size - 1] == '\n') size--;
    for (size_t i = 0; i < size; i++) lines += file.data[i] == '\n';
    if (lines > INT32_MAX || !lc_build_check(c->b, lc_budget_memory(&c->lower->budget, lines * sizeof(lc_str), "vocabulary", c->b->err)))
        return false;
    if (v->text) v->words = room(c, lines, sizeof *v->words);
    else v->numbers = room(c, lines, sizeof *v->numbers);
    const char *at = file.data, *end = file.data + size;
    for (; c->b->status == LC_OK && v->n < lines; v->n++) {
        const char *next = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        lc_str line = {at, (size_t)((next ? next : end) - at)};
        if (line.size && line.data[line.size - 1] == '\r') line.size--;
        if (v->text) v->words[v->n] = line;
        else if (!number_of(line, &v->numbers[v->n]))
            return lc_build_fail(c->b, LC_INVALID, "line %u of its vocabulary is \"%.*s\", needs a whole number", v->n + 1,
                                 (int)(line.size < 100 ? line.size : 100), line.data) > 0;
        at = next ? next + 1 : end;
    }
    return c->b->status == LC_OK;
}

static bool is_special(const vocabulary *v, uint32_t i) {
    const bool mask = v->masks && v->mode == LC_CATEGORY_INT && i == 0;
    if (v->text) return lc_str_eq(v->words[i], mask ? v->mask : v->other);
    return v->numbers[i] == (mask ? v->mask_number : v->other_number);
}

static int compare_words(const void *a, const void *b) {
    const lc_str x = *(const lc_str *)a, y = *(const lc_str *)b;
    const size_t n = x.size < y.size ? x.size : y.size;
    const int order = n ? memcmp(x.data, y.data, n) : 0;
    return order ? order : (x.size > y.size) - (x.size < y.size);
}
static int compare_numbers(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* No token stands twice. */
static bool unique(lc_call *c, const vocabulary *v) {
    const size_t size = v->text ? sizeof *v->words : sizeof *v->numbers;
    char *sorted = room(c, v->n, size);
    if (!sorted || !v->n) return sorted != NULL;
    memcpy(sorted, v->text ? (const void *)v->words : v->numbers, v->n * size);
    int (*compare)(const void *, const void *) = v->text ? compare_words : compare_numbers;
    qsort(sorted, v->n, size, compare);
    for (size_t i = 1; i < v->n; i++)
        if (compare(sorted + (i - 1) * size, sorted + i * size) == 0)
            return lc_build_fail(c->b, LC_INVALID, "its vocabulary has a token twice") > 0;
    return true;
}

static bool read(lc_call *c, bool text, vocabulary *v) {
    const lc_json *mask = lc_opt(c, "mask_token"), *other = lc_opt(c, "oov_token"), *list = list_of(lc_opt(c, "vocabulary"));
    *v = (vocabulary){.text = text,
                      .masks = mask != NULL,
                      .invert = lc_opt_bool(c, "invert", false),
                      .mask = text_of(mask),
                      .other = other ? text_of(other) : LC_STR("[UNK]"),
                      .mask_number = mask && mask->kind == LC_JSON_INT ? mask->integer : 0,
                      .other_number = other && other->kind == LC_JSON_INT ? other->integer : -1,
                      .oov = lc_opt_int(c, "num_oov_indices", 0, 1 << 24, 1),
                      .mode = lc_category_output(c, LC_CATEGORY_INT)};
    if (mask && mask->kind != (text ? LC_JSON_STRING : LC_JSON_INT)) return lc_opt_fail(c, "mask_token", "needs a token") > 0;
    if (lc_opt_bool(c, "sparse", false)) return lc_opt_fail(c, "sparse", "litec has no sparse tensors") > 0;
    if (v->invert && v->mode != LC_CATEGORY_INT) return lc_opt_fail(c, "output_mode", "needs int when invert is true") > 0;
    if (c->b->status != LC_OK) return false;
    if (list ? !from_config(c, list, v) : c->layer->vocabulary.data && !from_assets(c, c->layer->vocabulary, v)) return false;
    if (!v->n) {
        lc_build_fail(c->b, LC_INVALID, "the file does not hold its vocabulary");
        lc_build_hint(c->b, "save the model as .keras, which keeps what adapt() found; or give the layer vocabulary=[...]");
        return false;
    }
    const uint32_t specials = (uint32_t)v->oov + (v->masks && v->mode == LC_CATEGORY_INT);
    v->special = v->n >= specials && specials > 0;
    for (uint32_t i = 0; v->special && i < specials; i++) v->special = is_special(v, i);
    if (v->special) {
        v->n -= specials;
        if (v->text) v->words += specials;
        else v->numbers += specials;
    }
    return unique(c, v);
}

/* ---- arrays of a table ------------------------------------------------------------------------------------------------------ */

/* The mask token, when there is one, then all tokens. */
static bool tokens(lc_call *c, const vocabulary *v, lc_tf_array *out) {
    const uint32_t n = v->n + v->masks;
    size_t size = n * sizeof(int64_t);
    lc_str *words = NULL;
    *out = (lc_tf_array){.type = v->text ? LC_STRING : LC_INT64, .rank = 1, .dims = {(int32_t)n}};
    if (v->text) {
        words = room(c, n, sizeof *words);
        if (!words) return false;
        if (v->masks) words[0] = v->mask;
        if (v->n) memcpy(words + v->masks, v->words, v->n * sizeof *words);
        if (!lc_strings_size(words, n, &size)) return lc_build_fail(c->b, LC_LIMIT, "its vocabulary is too large") > 0;
    }
    void *data = lc_build_data(c->b, size ? size : 1);
    if (!data) return false;
    if (v->text) lc_strings_write(words, n, data);
    else {
        if (v->masks) memcpy(data, &v->mask_number, sizeof v->mask_number);
        if (v->n) memcpy((char *)data + v->masks * sizeof(int64_t), v->numbers, v->n * sizeof *v->numbers);
    }
    out->data = data;
    out->size = size;
    return true;
}

/* The index of each of them. */
static bool indices(lc_call *c, const vocabulary *v, lc_tf_array *out) {
    const uint32_t n = v->n + v->masks, first = (uint32_t)v->oov + (v->masks && v->mode == LC_CATEGORY_INT);
    int64_t *data = lc_build_data(c->b, n ? n * sizeof *data : 1);
    if (!data) return false;
    if (v->masks) data[0] = v->mode == LC_CATEGORY_INT ? 0 : NO_CATEGORY;
    for (uint32_t i = 0; i < v->n; i++) data[v->masks + i] = (int64_t)first + i;
    *out = (lc_tf_array){.type = LC_INT64, .rank = 1, .dims = {(int32_t)n}, .data = data, .size = n * sizeof *data};
    return true;
}

static int32_t word(lc_call *c, lc_str text) {
    size_t size;
    if (!text.data) text = LC_STR("");
    if (!lc_strings_size(&text, 1, &size)) return lc_build_fail(c->b, LC_LIMIT, "a token is too long");
    void *data = lc_build_data(c->b, size);
    if (!data) return -1;
    lc_strings_write(&text, 1, data);
    return lc_build_const(c->b, "oov_token", LC_STRING, NULL, 0, data, size, true);
}

/* The weight of each index: those of the config, or of the file. Special tokens without one have the average, what is behind all nothing. */
static int32_t weights_of(lc_call *c, const vocabulary *v, int32_t depth) {
    const uint32_t first = (uint32_t)v->oov;
    const double *given = NULL;
    uint32_t n = 0;
    if (c->b->status != LC_OK) return -1;
    if (lc_opt(c, "idf_weights")) n = lc_opt_floats(c, "idf_weights", &given);
    else if (c->layer->weight_count) {
        const lc_keras_weight *w = lc_weight(c, 0, "idf_weights", c->layer->weights[0].dims, 1);
        n = w ? (uint32_t)w->dims[0] : 0;
        double *copy = room(c, n, sizeof *copy);
        for (uint32_t i = 0; w && copy && i < n; i++) copy[i] = lc_weight_at(w, i);
        given = copy;
    }
    if (c->b->status != LC_OK) return -1;
    const bool whole = n == v->n + first || n == (uint32_t)depth; /* special tokens have theirs among them */
    if (!given || (!whole && n != v->n)) return lc_build_fail(c->b, LC_INVALID, "it has %u idf_weights for %u tokens", n, v->n);
    const uint64_t bytes = (uint64_t)depth * sizeof(float); /* a few bytes of the config say how many */
    if (!lc_build_check(c->b, lc_budget_memory(&c->lower->budget, bytes, "idf_weights", c->b->err))) return -1;
    float *data = lc_build_data(c->b, (size_t)bytes);
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += given[i];
    for (uint32_t i = 0; data && i < (uint32_t)depth; i++) {
        if (whole) data[i] = i < n ? (float)given[i] : 0;
        else data[i] = (float)(i < first ? sum / n : i - first < n ? given[i - first] : 0);
    }
    return data ? lc_build_const(c->b, "idf_weights", LC_FLOAT32, &depth, 1, data, (size_t)depth * sizeof *data, true) : -1;
}

/* ---- layers ------------------------------------------------------------------------------------------------------------------ */

/* The input in the table's type. */
static int32_t asked(lc_call *c, const vocabulary *v) {
    const lc_dtype type = lc_build_type(c->b, c->in[0]);
    const bool text = v->text && !v->invert;
    if (c->b->status != LC_OK) return -1;
    if ((type == LC_STRING) != text) {
        lc_build_fail(c->b, LC_INVALID, "its input is %s, needs %s", lc_dtype_name(type), text ? "string" : "whole numbers");
        return lc_build_hint(c->b, "give the model's input this dtype: keras.Input(shape, dtype=\"%s\")", text ? "string" : "int64");
    }
    return text ? c->in[0] : lc_build_cast(c->b, c->in[0], LC_INT64);
}

/* Integers outside the vocabulary have one of several indices, by their remainder. */
static int32_t hashed(lc_call *c, const vocabulary *v, int32_t found, int32_t x) {
    lc_tf_call *m = lc_eager_maker(c);
    const int32_t first = v->masks && v->mode == LC_CATEGORY_INT;
    lc_eager *e = lc_eager_op(c, "FloorMod");
    lc_eager_in(e, x);
    lc_eager_in(e, lc_tf_scalar(m, v->oov, LC_INT64));
    int32_t other = lc_eager_run(e);
    if (first) other = lc_tf_with(m, LC_OP_ADD, other, first);
    return lc_build_select(c->b, lc_tf_with(m, LC_OP_EQUAL, found, -1), other, found);
}

static int32_t lookup(lc_call *c, bool text) {
    vocabulary v;
    lc_tf_array keys, values;
    lc_tf_call *m = lc_eager_maker(c);
    if (!read(c, text, &v)) return -1;
    const bool farm = lc_opt(c, "salt") || strcmp(lc_opt_str(c, "oov_method", "floormod"), "farmhash") == 0;
    if (!v.invert && v.oov > 1 && (text || farm)) {
        lc_opt_fail(c, "num_oov_indices",
                    "text outside the vocabulary is spread over them by a hash (FarmHash64, SipHash), which no operator "
                    "of TFLite computes");
        return lc_build_hint(c->b, "use num_oov_indices=1, or do the lookup before the model and feed indices");
    }
    const int32_t x = asked(c, &v);
    if (x < 0 || !tokens(c, &v, &keys) || !indices(c, &v, &values)) return -1;
    int32_t id[2] = {c->slots[0] - 1, c->slots[1] - 1}, otherwise;
    if (v.invert) otherwise = text ? word(c, v.other) : lc_tf_scalar(m, (double)v.other_number, LC_INT64);
    else otherwise = lc_tf_scalar(m, v.oov == 1 ? v.masks && v.mode == LC_CATEGORY_INT : -1, LC_INT64);
    int32_t y = lc_tf_table_look_up(m, v.invert ? &values : &keys, v.invert ? &keys : &values, id, x, otherwise);
    c->slots[0] = id[0] + 1;
    c->slots[1] = id[1] + 1;
    if (v.invert) return y;
    if (v.oov > 1) y = hashed(c, &v, y, x);
    if (v.mode == LC_CATEGORY_INT) return y;
    const int32_t depth = lc_opt_bool(c, "pad_to_max_tokens", false) ? lc_opt_size(c, "max_tokens") : (int32_t)v.n + v.oov;
    const bool idf = v.mode == LC_CATEGORY_TF_IDF;
    y = lc_category_encode(c, idf ? LC_CATEGORY_COUNT : v.mode, y, depth, -1, idf || c->lower->keras2 ? LC_FLOAT32 : LC_INT64);
    return idf ? lc_tf_binary(m, LC_OP_MUL, y, weights_of(c, &v, depth)) : y;
}

int32_t lc_lower_integer_lookup(lc_call *c) { return lookup(c, false); }
int32_t lc_lower_string_lookup(lc_call *c) { return lookup(c, true); }
