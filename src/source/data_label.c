/*
 * data_label.c: which class each sample has.
 *
 * Labels come as integers, which are classes as they stand, or as texts. When every text is a whole number they are classes too; else they are
 * names, and classes are counted in the sorted order of the names, as Keras and scikit-learn do. A number with a fraction is no class: such a
 * column is something to be predicted, and is refused. Names that may be many are found by a hash table.
 */
#include "source/data.h"

#include "ir/strings.h"
#include "source/rules.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 4096 /* bytes of a label */

bool lc_number_read(lc_str text, double *number) {
    char copy[64];
    char *end = copy;
    while (text.size && (text.data[0] == ' ' || text.data[0] == '\t')) text.data++, text.size--;
    while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) text.size--;
    if (!text.size || text.size >= sizeof copy) return false;
    uint32_t value = 0;
    size_t i = 0;
    while (i < text.size && i < 9 && text.data[i] >= '0' && text.data[i] <= '9') value = value * 10 + (uint32_t)(text.data[i++] - '0');
    if (i == text.size) { /* most numbers are small integers */
        *number = value;
        return true;
    }
    for (i = 0; i < text.size; i++)
        if (!strchr("+-.0123456789eEnaifINFAyTtY", text.data[i]) || !text.data[i]) return false; /* "0x10" and "nan(1)" are none */
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* the system keeps this one: it takes no memory */
    if (!plain) return false;
    *number = strtod_l(copy, &end, plain);
    freelocale(plain);
    return end == copy + text.size;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static lc_status grow_table(lc_labels *l, lc_budget *budget, lc_error *err) {
    const size_t size = l->table_size ? l->table_size * 2 : 64;
    LC_TRY(lc_budget_memory(budget, size * sizeof *l->table, "the labels", err));
    uint32_t *table = lc_calloc(size, sizeof *table);
    if (!table) return lc_fail_memory(err, "labels");
    for (size_t i = 0; i < l->name_count; i++) {
        size_t at = lc_hash(l->names[i], strlen(l->names[i]), 0) & (size - 1);
        while (table[at]) at = (at + 1) & (size - 1);
        table[at] = (uint32_t)i + 1;
    }
    lc_free(l->table);
    l->table = table;
    l->table_size = size;
    return LC_OK;
}

/* The number of a name, which is added when it is new. */
static lc_status find_name(lc_labels *l, lc_str name, lc_budget *budget, uint32_t *index, lc_error *err) {
    if (name.size > LONGEST || memchr(name.data, 0, name.size))
        return LC_SOURCE_FAIL(err, LC_INVALID, LABELS, LC_NO_OFFSET, "a label is longer than %d bytes or holds a zero byte", LONGEST);
    if (l->name_count * 2 >= l->table_size) LC_TRY(grow_table(l, budget, err));
    size_t at = lc_hash(name.data, name.size, 0) & (l->table_size - 1);
    for (; l->table[at]; at = (at + 1) & (l->table_size - 1)) {
        *index = l->table[at] - 1;
        if (lc_str_is(name, l->names[*index])) return LC_OK;
    }
    LC_TRY(lc_budget_memory(budget, name.size + sizeof *l->names, "the names of classes", err));
    if (l->name_count == UINT32_MAX - 1) return lc_fail(err, LC_LIMIT, "the labels have too many names");
    void *names = (void *)l->names;
    if (!lc_arena_grow(&l->arena, &names, &l->name_capacity, l->name_count + 1, sizeof *l->names)) return lc_fail_memory(err, "labels");
    l->names = names;
    if (!(l->names[l->name_count] = lc_arena_strndup(&l->arena, name.data, name.size))) return lc_fail_memory(err, "labels");
    *index = (uint32_t)l->name_count++;
    l->table[at] = *index + 1;
    return LC_OK;
}

static lc_status add_number(lc_labels *l, int64_t number, lc_budget *budget, lc_error *err) {
    if (l->count == l->capacity) {
        const uint64_t capacity = l->capacity ? l->capacity * 2 : 256;
        size_t bytes;
        if (!lc_u64_to_size(capacity * sizeof *l->of, &bytes)) return lc_fail_memory(err, "labels");
        LC_TRY(lc_budget_memory(budget, bytes, "the labels", err));
        int64_t *of = lc_realloc(l->of, bytes);
        if (!of) return lc_fail_memory(err, "labels");
        l->of = of;
        l->capacity = capacity;
    }
    l->of[l->count++] = number;
    return LC_OK;
}

lc_status lc_labels_add(lc_labels *l, lc_str text, lc_budget *budget, lc_error *err) {
    uint32_t index;
    LC_TRY(find_name(l, text, budget, &index, err));
    return add_number(l, index, budget, err);
}

lc_status lc_labels_fill(lc_labels *l, uint64_t count, lc_budget *budget, lc_error *err) {
    while (l->count && l->count < count) LC_TRY(add_number(l, 0, budget, err)); /* the first name, which is there */
    return LC_OK;
}

lc_status lc_labels_add_class(lc_labels *l, lc_str name, lc_budget *budget, lc_error *err) {
    uint32_t index;
    l->named = true; /* folders are classes whatever they are called */
    return find_name(l, name, budget, &index, err);
}

typedef struct sorted_name {
    const char *name;
    uint32_t was;
} sorted_name;

static int compare_names(const void *a, const void *b) { return strcmp(((const sorted_name *)a)->name, ((const sorted_name *)b)->name); }

static lc_status not_whole(const char *text, lc_error *err) {
    LC_SOURCE_FAIL(err, LC_INVALID, LABELS, LC_NO_OFFSET, "the label %.60s is a number, but no whole one: a class is wanted", text);
    lc_error_hint(err, "labels are classes, counted from 0, or their names; a number to be predicted is a target to train on: NAME=FILE");
    return LC_INVALID;
}

/* Texts as the numbers they spell. `numbers` has room for them. */
static lc_status read_numbers(const lc_labels *l, int64_t *numbers, lc_error *err) {
    for (size_t i = 0; i < l->name_count; i++) {
        double x = 0;
        lc_number_read(lc_str_of(l->names[i]), &x);
        if (!(fabs(x) < 0x1p53) || x != floor(x)) return not_whole(l->names[i], err);
        numbers[i] = (int64_t)x;
    }
    return LC_OK;
}

static lc_status sort_names(lc_labels *l, int64_t *place, lc_error *err) {
    sorted_name *sorted = lc_calloc(l->name_count + 1, sizeof *sorted);
    if (!sorted) return lc_fail_memory(err, "labels");
    for (size_t i = 0; i < l->name_count; i++) sorted[i] = (sorted_name){l->names[i], (uint32_t)i};
    qsort(sorted, l->name_count, sizeof *sorted, compare_names);
    for (size_t i = 0; i < l->name_count; i++) {
        l->names[i] = sorted[i].name;
        place[sorted[i].was] = (int64_t)i;
    }
    lc_free(sorted);
    return LC_OK;
}

/* Names as places in the list that was given. */
static lc_status find_in_order(const lc_labels *l, int64_t *place, lc_error *err) {
    for (size_t i = 0; i < l->name_count; i++) {
        size_t k = 0;
        while (k < l->order_count && strcmp(l->names[i], l->order[k]) != 0) k++;
        place[i] = (int64_t)k;
        if (k < l->order_count) continue;
        LC_SOURCE_FAIL(err, LC_INVALID, LABELS, LC_NO_OFFSET, "%s has no class \"%.100s\"", l->order_path, l->names[i]);
        lc_error_hint(err, "the names of the classes and those of the labels must be the same, letter by letter");
        return LC_INVALID;
    }
    return LC_OK;
}

lc_status lc_labels_finish(lc_labels *l, lc_error *err) {
    double x;
    for (size_t i = 0; i < l->name_count && !l->named; i++) l->named = !lc_number_read(lc_str_of(l->names[i]), &x);
    int64_t *meaning = lc_calloc(l->name_count + 1, sizeof *meaning);
    if (!meaning) return lc_fail_memory(err, "labels");
    const lc_status status = !l->named  ? read_numbers(l, meaning, err)
                             : l->order ? find_in_order(l, meaning, err)
                                        : sort_names(l, meaning, err);
    for (uint64_t i = 0; i < l->count && status == LC_OK; i++) l->of[i] = meaning[l->of[i]];
    lc_free(meaning);
    lc_free(l->table);
    l->table = NULL;
    l->table_size = 0;
    if (!l->named) l->name_count = 0;
    return status;
}

const char *lc_labels_name(const lc_labels *l, int64_t label) {
    if (label < 0) return NULL;
    if (l->order) return (uint64_t)label < l->order_count ? l->order[label] : NULL;
    return l->named && (uint64_t)label < l->name_count ? l->names[label] : NULL;
}

void lc_labels_deinit(lc_labels *l) {
    lc_free(l->of);
    lc_free(l->table);
    lc_arena_deinit(&l->arena);
    *l = (lc_labels){0};
}

/* ---- from arrays --------------------------------------------------------------------------------------------------- */

/* A class from `width` elements: the element itself, or the place of the largest. */
static lc_status class_of(const lc_array *a, size_t row, size_t width, int64_t *label, lc_error *err) {
    double x = 0, best = 0;
    if (width == 1) {
        char text[40];
        x = lc_data_real(a, row);
        snprintf(text, sizeof text, "%g", x);
        if (!(fabs(x) < 0x1p53) || x != floor(x)) return not_whole(text, err);
        *label = (int64_t)x;
        return LC_OK;
    }
    *label = 0;
    for (size_t i = 0; i < width; i++) {
        x = lc_data_real(a, row * width + i);
        if (i == 0 || x > best) best = x, *label = (int64_t)i;
    }
    return LC_OK;
}

lc_status lc_labels_from_array(lc_labels *l, const lc_array *a, lc_budget *budget, lc_error *err) {
    uint64_t elements;
    LC_TRY(lc_array_elements(a->dims, a->rank, &elements, err));
    const uint64_t rows = a->rank ? (uint64_t)a->dims[0] : 1, width = rows ? elements / rows : 0;
    int32_t wide = 0;
    for (int32_t d = 1; d < a->rank; d++) wide += a->dims[d] != 1;
    if (rows && (width == 0 || wide > 1 || (a->type == LC_STRING && wide) || (a->type != LC_STRING && !lc_data_is_number(a->type)))) {
        LC_SOURCE_FAIL(err, LC_INVALID, LABELS, LC_NO_OFFSET, "labels of the form %s", lc_data_shape(a->type, a->dims, a->rank).text);
        lc_error_hint(err, "give one class a sample, int32[samples], or rows with a 1 at the class, float32[samples,classes]");
        return LC_INVALID;
    }
    const lc_strings strings = {a->data, (size_t)rows};
    for (uint64_t i = 0; i < rows; i++) {
        int64_t label = 0;
        if (a->type == LC_STRING) {
            LC_TRY(lc_labels_add(l, lc_strings_at(&strings, (size_t)i), budget, err));
            continue;
        }
        LC_TRY(class_of(a, (size_t)i, (size_t)width, &label, err));
        LC_TRY(add_number(l, label, budget, err));
    }
    return a->type == LC_STRING ? lc_labels_finish(l, err) : LC_OK;
}

/* ---- from files ----------------------------------------------------------------------------------------------------- */

static lc_status read_lines(lc_labels *l, lc_stream *s, lc_budget *budget, lc_error *err) {
    char line[LONGEST + 1];
    size_t n = 0;
    bool first = true;
    while (true) {
        LC_TRY(lc_stream_fill(s, err));
        const bool end = !lc_cursor_left(&s->window);
        const char c = end ? '\n' : (char)lc_read_u8(&s->window);
        if (c != '\n') {
            if (n == LONGEST)
                return LC_SOURCE_FAIL(err, LC_INVALID, LABELS, LC_NO_OFFSET, "line %llu is longer than %d bytes",
                                      (unsigned long long)l->count + 1, LONGEST);
            line[n++] = c;
            continue;
        }
        while (n && (line[n - 1] == '\r' || line[n - 1] == ' ' || line[n - 1] == '\t')) n--;
        const size_t mark = first && n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* Windows begins its texts so */
        if (n > mark) LC_TRY(lc_labels_add(l, (lc_str){line + mark, n - mark}, budget, err));
        first = false;
        n = 0;
        if (end) return LC_OK;
    }
}

static bool is_array(lc_cursor c) {
    const uint8_t *magic = lc_read_bytes(&c, 6);
    return magic && (memcmp(magic, "\x93NUMPY", 6) == 0 || (magic[0] == 0 && magic[1] == 0));
}

lc_status lc_labels_load(lc_labels *l, const char *path, const lc_limits *limits, lc_error *err) {
    lc_map map;
    lc_budget budget;
    lc_stream stream;
    lc_cursor head;
    lc_array array = {0};
    lc_budget_init(&budget, limits);
    LC_TRY(lc_map_open(&map, path, limits, err));
    lc_status status = lc_stream_open(&stream, lc_cursor_make(map.data, map.size), err);
    if (status == LC_OK) {
        status = lc_stream_head(&stream, &head, err);
        if (status == LC_OK && is_array(head)) {
            status = lc_array_read(map.data, map.size, true, &budget, &array, err);
            if (status == LC_OK) status = lc_labels_from_array(l, &array, &budget, err);
        } else if (status == LC_OK) {
            status = read_lines(l, &stream, &budget, err);
            if (status == LC_OK) status = lc_labels_finish(l, err);
        }
        lc_stream_close(&stream);
    }
    lc_array_deinit(&array);
    lc_map_close(&map);
    if (status) lc_error_prefix(err, "%s", path);
    return status;
}

static lc_status copy_names(const lc_labels *l, lc_arena *arena, const char *const **names, size_t *count, lc_error *err) {
    if (l->count != l->name_count || !l->count) {
        LC_SOURCE_FAIL(err, LC_INVALID, LABELS, LC_NO_OFFSET, l->count ? "two classes have one name" : "there are no names of classes");
        lc_error_hint(err, "give the name of each class on a line of its own, in the order of the model's outputs");
        return LC_INVALID;
    }
    const char **list = lc_arena_array(arena, l->name_count, sizeof *list);
    if (!list) return lc_fail_memory(err, "classes");
    for (size_t i = 0; i < l->name_count; i++)
        if (!(list[i] = lc_arena_strndup(arena, l->names[i], strlen(l->names[i])))) return lc_fail_memory(err, "classes");
    *names = list;
    *count = l->name_count;
    return LC_OK;
}

lc_status lc_classes_load(const char *path, const lc_limits *limits, lc_arena *arena, const char *const **names, size_t *count,
                          lc_error *err) {
    lc_labels l = {0};
    lc_map map;
    lc_budget budget;
    lc_stream stream;
    lc_budget_init(&budget, limits);
    LC_TRY(lc_map_open(&map, path, limits, err));
    lc_status status = lc_stream_open(&stream, lc_cursor_make(map.data, map.size), err);
    if (status == LC_OK) status = read_lines(&l, &stream, &budget, err);
    if (status == LC_OK) status = copy_names(&l, arena, names, count, err);
    lc_stream_close(&stream);
    lc_labels_deinit(&l);
    lc_map_close(&map);
    if (status) lc_error_prefix(err, "%s", path);
    return status;
}
