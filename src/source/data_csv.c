/*
 * data_csv.c: samples from tables of text (RFC 4180): rows of fields between commas, semicolons or tabs, quoted where they hold one.
 *
 * The first row may name the columns: it does when no field of it is a number, or when one is the name of a label column or of an input's
 * column. A column named label, labels, class, target or y (in any case) is the label; without names it is the only column that is no number.
 * A first column without a name, as pandas writes its index, is passed over. Of the other columns the only input takes all, in order. Of
 * several inputs, input "x" takes the column "x", or the columns "x[0]", "x[1]" ... in that order. A name that is a number, and that no column has,
 * is the place of a column, counted from 0: of a table without names.
 *
 * The file is read once when it is opened, which counts the rows and gathers the labels, and then again for the samples; one row is in
 * memory at a time.
 */
#include "source/data.h"

#include "source/rules.h"

#include <math.h>
#include <string.h>

#define LONGEST ((size_t)1 << 26) /* bytes of a row */
#define NONE UINT32_MAX

typedef struct csv {
    lc_map map;
    lc_stream stream;
    lc_arena arena;
    lc_budget budget; /* of a row's memory */
    char delimiter;
    bool header;
    uint64_t line, at_line; /* where the reader stands; where the row began; counted from 1 */
    char *text;             /* of the row, without quotes; owned */
    size_t size, capacity;
    size_t *ends; /* [fields]: where each field ends in the text; owned */
    size_t fields, field_capacity;
    bool done;          /* there are no more rows */
    bool passed;        /* whatever was wrong with the last row, the next one can be read */
    const char **names; /* [columns] of the header, or "" */
    size_t columns;
    uint32_t *place; /* [columns]: element of the sample, or NONE */
    size_t elements;
    size_t label; /* column, or `columns` */
} csv;

static void close_csv(lc_series *s) {
    csv *c = s->state;
    if (!c) return;
    lc_stream_close(&c->stream);
    lc_arena_deinit(&c->arena);
    lc_map_close(&c->map);
    lc_free(c->text);
    lc_free(c->ends);
    lc_free(c);
    s->state = NULL;
}

/* ---- rows -------------------------------------------------------------------------------------------------------------- */

static lc_str field(const csv *c, size_t i) {
    const size_t from = i ? c->ends[i - 1] : 0;
    if (!c->text) return LC_STR(""); /* no row so far had a byte in a field */
    return (lc_str){c->text + from, c->ends[i] - from};
}

static lc_status add_byte(csv *c, char byte, lc_error *err) {
    if (c->size == c->capacity) {
        const size_t capacity = c->capacity ? c->capacity * 2 : 4096;
        if (capacity > LONGEST)
            return LC_SOURCE_FAIL(err, LC_LIMIT, CSV_ROW, LC_NO_OFFSET, "the row at line %llu is longer than %zu bytes",
                                  (unsigned long long)c->at_line, LONGEST);
        LC_TRY(lc_budget_memory(&c->budget, capacity, "a row", err));
        char *text = lc_realloc(c->text, capacity);
        if (!text) return lc_fail_memory(err, "row");
        c->text = text;
        c->capacity = capacity;
    }
    c->text[c->size++] = byte;
    return LC_OK;
}

static lc_status end_field(csv *c, lc_error *err) {
    if (c->fields == c->field_capacity) {
        const size_t capacity = c->field_capacity ? c->field_capacity * 2 : 64;
        LC_TRY(lc_budget_memory(&c->budget, capacity * sizeof *c->ends, "a row", err));
        size_t *ends = lc_realloc(c->ends, capacity * sizeof *ends);
        if (!ends) return lc_fail_memory(err, "row");
        c->ends = ends;
        c->field_capacity = capacity;
    }
    c->ends[c->fields++] = c->size;
    return LC_OK;
}

/* The next byte, '\n' for all ends of lines, -1 at the end of the file. */
static lc_status next_byte(csv *c, int *byte, lc_error *err) {
    LC_TRY(lc_stream_fill(&c->stream, err));
    *byte = lc_cursor_left(&c->stream.window) ? lc_read_u8(&c->stream.window) : -1;
    if (*byte == '\n') c->line++;
    return LC_OK;
}

static lc_status open_quote(const csv *c, lc_error *err) {
    LC_SOURCE_FAIL(err, LC_INVALID, CSV_ROW, LC_NO_OFFSET, "the quote in the row at line %llu does not end",
                   (unsigned long long)c->at_line);
    lc_error_hint(err, "a quote in a quoted field is written twice");
    return LC_INVALID;
}

/* Bytes of a quoted field up to its end; *byte is what follows. */
static lc_status read_quoted(csv *c, int *byte, lc_error *err) {
    while (true) {
        LC_TRY(next_byte(c, byte, err));
        if (*byte < 0) return open_quote(c, err);
        if (*byte == '"') {
            LC_TRY(next_byte(c, byte, err));
            if (*byte != '"') return LC_OK;
        }
        LC_TRY(add_byte(c, (char)*byte, err));
    }
}

/* One row; c->done when there is none. */
static lc_status read_line(csv *c, lc_error *err) {
    int byte;
    bool start = true;
    c->size = c->fields = 0;
    c->at_line = c->line;
    LC_TRY(next_byte(c, &byte, err));
    if (byte < 0) {
        c->done = true;
        return LC_OK;
    }
    while (true) {
        if (byte == '"' && start) { LC_TRY(read_quoted(c, &byte, err)); }
        start = byte == c->delimiter;
        if (byte == '\n' || byte < 0) return end_field(c, err);
        if (start) LC_TRY(end_field(c, err));
        else if (byte != '\r') LC_TRY(add_byte(c, (char)byte, err));
        LC_TRY(next_byte(c, &byte, err));
    }
}

/* The next row that is not empty; it must have as many fields as the first had. */
static lc_status read_row(csv *c, lc_error *err) {
    c->passed = false;
    do LC_TRY(read_line(c, err));
    while (!c->done && c->fields == 1 && c->size == 0);
    c->passed = true;
    if (c->done || !c->columns || c->fields == c->columns) return LC_OK;
    LC_SOURCE_FAIL(err, LC_INVALID, CSV_ROW, LC_NO_OFFSET, "the row at line %llu has %zu fields, the first has %zu",
                   (unsigned long long)c->at_line, c->fields, c->columns);
    lc_error_hint(err, "a field that holds '%c' is written in quotes", c->delimiter == '\t' ? ' ' : c->delimiter);
    return LC_INVALID;
}

static lc_status begin(csv *c, lc_error *err) {
    LC_TRY(lc_stream_rewind(&c->stream, err));
    c->line = 1;
    c->done = false;
    LC_TRY(lc_stream_fill(&c->stream, err));
    lc_cursor mark = c->stream.window; /* Windows begins its texts with one */
    if (lc_read_u8(&mark) == 0xef && lc_read_u8(&mark) == 0xbb && lc_read_u8(&mark) == 0xbf) c->stream.window = mark;
    return LC_OK;
}

static lc_status no_number(const csv *c, size_t column, lc_str text, lc_error *err) {
    lc_text shown = {0};
    lc_text_add_safe(&shown, text.data, text.size < 40 ? text.size : 40);
    LC_SOURCE_FAIL(err, LC_INVALID, CSV_NUMBER, LC_NO_OFFSET, "line %llu, column %zu%s%.60s: \"%s\" is no number",
                   (unsigned long long)c->at_line, column + 1, c->names[column][0] ? " " : "", c->names[column],
                   shown.data ? shown.data : "");
    lc_error_hint(err, "columns that go into the model are numbers like 12, -0.5 or 1e-3; name the column of the labels \"label\"");
    lc_text_deinit(&shown);
    return LC_INVALID;
}

/* ---- columns ------------------------------------------------------------------------------------------------------------ */

static bool is_label_name(const char *name) {
    static const char *const names[] = {"label", "labels", "class", "target", "y"};
    char low[8];
    size_t n = 0;
    for (; name[n] && n < sizeof low; n++) low[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] - 'A' + 'a' : name[n]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (n < sizeof low && strlen(names[i]) == n && memcmp(names[i], low, n) == 0) return true;
    return false;
}

/* "x" or "x[3]" for input "x": which element; NONE for another. */
static uint32_t element_of(const char *column, const char *input) {
    const size_t n = strlen(input);
    uint64_t value = 0;
    if (strncmp(column, input, n) != 0) return NONE;
    if (!column[n]) return 0;
    if (column[n] != '[') return NONE;
    const char *p = column + n + 1;
    while (*p >= '0' && *p <= '9' && value < NONE) value = value * 10 + (uint64_t)(*p++ - '0');
    return p > column + n + 1 && p[0] == ']' && !p[1] && value < NONE ? (uint32_t)value : NONE;
}

/* The column that a name says by its place; `columns`: it is no number, or too large. */
static size_t column_at(const char *name, size_t columns) {
    size_t n = 0;
    const char *p = name;
    for (; *p >= '0' && *p <= '9' && n < columns; p++) n = n * 10 + (size_t)(*p - '0'); /* checked: n is below the number of columns */
    return *name && !*p && n < columns ? n : columns;
}

/* Whether a column is meant by this name. */
static uint32_t element_at(const csv *c, size_t column, const char *name) {
    const uint32_t element = element_of(c->names[column], name);
    if (element != NONE || column_at(name, c->columns) != column) return element;
    for (size_t i = 0; i < c->columns && c->header; i++)
        if (element_of(c->names[i], name) != NONE) return NONE; /* a column is called so */
    return 0;
}

static bool is_digits(const char *name) { return *name && !name[strspn(name, "0123456789")]; }

/* Numbers of the first row, and whether it has a name that means something to us. */
static bool is_header(const csv *c, const char *input) {
    bool known = false;
    size_t numbers = 0;
    double x;
    for (size_t i = 0; i < c->columns; i++) {
        numbers += lc_number_read(lc_str_of(c->names[i]), &x);
        known = known || is_label_name(c->names[i]) || (!is_digits(input) && element_of(c->names[i], input) != NONE);
    }
    return known || numbers == 0;
}

/* The first row as texts. */
static lc_status keep_names(csv *c, lc_budget *budget, lc_error *err) {
    LC_TRY(lc_budget_tables(budget, c->fields, "columns", err));
    c->columns = c->fields;
    c->names = lc_arena_array(&c->arena, c->columns, sizeof *c->names);
    c->place = lc_arena_array(&c->arena, c->columns, sizeof *c->place);
    if (!c->names || !c->place) return lc_fail_memory(err, "columns");
    for (size_t i = 0; i < c->columns; i++) {
        lc_str name = field(c, i);
        while (name.size && name.data[0] == ' ') name.data++, name.size--;
        while (name.size && name.data[name.size - 1] == ' ') name.size--;
        if (!(c->names[i] = lc_arena_strndup(&c->arena, name.data, name.size))) return lc_fail_memory(err, "columns");
    }
    return LC_OK;
}

static lc_status find_label(csv *c, lc_error *err) {
    size_t found = 0;
    double x;
    c->label = c->columns;
    for (size_t i = 0; i < c->columns; i++) {
        if (c->header ? !is_label_name(c->names[i]) : lc_number_read(lc_str_of(c->names[i]), &x)) continue;
        if (found++ == 0) c->label = i;
    }
    if (found < 2) return LC_OK;
    if (!c->header) return no_number(c, c->label, lc_str_of(c->names[c->label]), err);
    LC_SOURCE_FAIL(err, LC_INVALID, CSV_COLUMN, LC_NO_OFFSET, "several columns may be the label: label, labels, class, target, y");
    lc_error_hint(err, "rename or leave out all but one");
    return LC_INVALID;
}

static lc_status wrong_columns(const lc_series_wish *wish, const char *what, const char *hint, lc_error *err) {
    LC_SOURCE_FAIL(err, LC_INVALID, CSV_COLUMN, LC_NO_OFFSET, "the file has %s, input %.200s wants %s", what, wish->input.name,
                   lc_data_wish(&wish->input).text);
    lc_error_hint(err, "%s", hint);
    return LC_INVALID;
}

/* A label is asked for by a name that no column has. */
static lc_status no_label(const csv *c, const char *name, lc_error *err) {
    const char *near = NULL;
    lc_text names = {0};
    char some[33][64];
    const char *list[33];
    size_t n = 0;
    for (size_t i = 0; i < c->columns && c->header && n < 32; i++) {
        lc_text one = {0};
        lc_text_add_safe(&one, c->names[i], strlen(c->names[i]) < 40 ? strlen(c->names[i]) : 40);
        snprintf(some[n], sizeof some[n], "%.63s", one.data ? one.data : "");
        if (names.size < 200) lc_text_printf(&names, "%s%s", n ? ", " : "", some[n]);
        list[n] = some[n];
        n++;
        lc_text_deinit(&one);
    }
    list[n] = NULL;
    if (c->header) near = lc_nearest(name, list);
    LC_SOURCE_FAIL(err, LC_INVALID, CSV_COLUMN, LC_NO_OFFSET, "there is no column \"%.100s\" for the label", name);
    if (!c->header)
        lc_error_hint(err, "the first line has no names: say the column by its number, 0 to %zu: 0=FILE for the first", c->columns - 1);
    else
        lc_error_hint(err, "%s%s%sthe columns are: %s%s", near ? "did you mean \"" : "", near ? near : "", near ? "\"? " : "",
                      names.data ? names.data : "", names.size >= 200 ? " ..." : "");
    lc_text_deinit(&names);
    return LC_INVALID;
}

/* The columns of an input by name; each of its elements once. */
static lc_status place_named(csv *c, const lc_series_wish *wish, lc_error *err) {
    char text[80];
    for (size_t i = 0; i < c->columns; i++) {
        c->place[i] = element_at(c, i, wish->input.name);
        c->elements += c->place[i] != NONE;
    }
    if (!c->elements && wish->target) return no_label(c, wish->input.name, err);
    if (!c->elements)
        return wrong_columns(wish, "no column for it", "name the columns as the inputs: x for one number, x[0], x[1] ... for more", err);
    uint8_t *seen = lc_arena_array(&c->arena, c->elements, 1);
    if (!seen) return lc_fail_memory(err, "columns");
    for (size_t i = 0; i < c->columns; i++) {
        if (c->place[i] == NONE) continue;
        if (c->place[i] >= c->elements || seen[c->place[i]]) {
            snprintf(text, sizeof text, "%zu columns for it, but not each of [0] to [%zu] once", c->elements, c->elements - 1);
            return wrong_columns(wish, text, "number the columns of an input from 0: x[0], x[1] ...", err);
        }
        seen[c->place[i]] = 1;
    }
    return LC_OK;
}

static lc_status place_all(csv *c, const lc_series_wish *wish, lc_error *err) {
    uint64_t wanted = 1;
    char text[80];
    for (size_t i = 0; i < c->columns; i++) {
        bool other = i == c->label || (c->header && i == 0 && !c->names[0][0]);
        for (size_t k = 0; k < wish->other_count; k++) other = other || element_at(c, i, wish->others[k]) != NONE;
        c->place[i] = other ? NONE : (uint32_t)c->elements++;
    }
    if (wish->input.any_rank) return LC_OK;
    for (int32_t d = 1; d < wish->input.rank; d++) {
        if (wish->input.signature[d] < 0) return LC_OK; /* whatever there is: data_fit.c looks */
        if (!lc_mul_u64(wanted, (uint64_t)wish->input.signature[d], &wanted)) wanted = UINT64_MAX;
    }
    if (wanted == c->elements || wish->input.rank == 0) return LC_OK;
    snprintf(text, sizeof text, "%zu columns of numbers%s", c->elements, c->label < c->columns ? " beside the label" : "");
    return wrong_columns(wish, text,
                         wanted + 1 == c->elements && c->label == c->columns
                             ? "if a column holds the labels, name it \"label\" in a first line with the names of the columns"
                             : "give a column for each number of a sample, in order",
                         err);
}

/* Counts rows and gathers labels. */
static lc_status scan(lc_series *s, csv *c, const lc_series_wish *wish, lc_error *err) {
    lc_labels *labels = wish->labels && !wish->labels->count && c->label < c->columns ? wish->labels : NULL;
    LC_TRY(begin(c, err));
    if (c->header) LC_TRY(read_row(c, err));
    for (s->count = 0;; s->count++) {
        const lc_status status = read_row(c, err);
        if (status && !(wish->skips && c->passed)) return status;
        if (c->done) break;
        if (labels) LC_TRY(lc_labels_fill(labels, s->count, wish->budget, err));
        if (!labels || status) continue;
        lc_str text = field(c, c->label);
        while (text.size && text.data[0] == ' ') text.data++, text.size--;
        while (text.size && text.data[text.size - 1] == ' ') text.size--;
        if (!text.size) return no_number(c, c->label, text, err);
        LC_TRY(lc_labels_add(labels, text, wish->budget, err));
    }
    if (labels) LC_TRY(lc_labels_fill(labels, s->count, wish->budget, err));
    return labels ? lc_labels_finish(labels, err) : LC_OK;
}

/* ---- samples -------------------------------------------------------------------------------------------------------------- */

static lc_status read_samples(lc_series *s, uint32_t n, lc_array *batch, lc_error *err) {
    csv *c = s->state;
    lc_budget budget;
    lc_array made;
    lc_status status = LC_OK;
    lc_budget_init(&budget, &s->limits);
    LC_TRY(lc_array_make(&made, LC_FLOAT64, (int32_t[]){(int32_t)n, (int32_t)c->elements}, 2, &budget, err));
    for (uint32_t row = 0; row < n && status == LC_OK; row++) {
        status = read_row(c, err);
        if (status == LC_OK && c->done) status = lc_fail(err, LC_IO, "the file became shorter while it was read");
        double *to = (double *)made.data + row * c->elements;
        for (size_t i = 0; i < c->columns && status == LC_OK; i++)
            if (c->place[i] != NONE && !lc_number_read(field(c, i), &to[c->place[i]])) status = no_number(c, i, field(c, i), err);
    }
    if (status) lc_array_deinit(&made);
    else *batch = made;
    return status;
}

static lc_status rewind_csv(lc_series *s, lc_error *err) {
    csv *c = s->state;
    LC_TRY(begin(c, err));
    return c->header ? read_row(c, err) : LC_OK;
}

static const lc_series_kind csv_kind = {read_samples, rewind_csv, close_csv, NULL, NULL};

/* What stands most often in the first line. */
static char find_delimiter(lc_cursor head) {
    size_t counts[3] = {0};
    static const char delimiters[] = ",;\t";
    bool quoted = false;
    while (lc_cursor_left(&head)) {
        const char byte = (char)lc_read_u8(&head);
        if (byte == '"') quoted = !quoted;
        if (byte == '\n' && !quoted) break;
        for (size_t i = 0; i < 3 && !quoted; i++) counts[i] += byte == delimiters[i];
    }
    const size_t best = counts[1] > counts[0] ? counts[2] > counts[1] ? 2 : 1 : counts[2] > counts[0] ? 2 : 0;
    return delimiters[best];
}

lc_status lc_series_open_csv(lc_series *s, const lc_series_wish *wish, lc_error *err) {
    csv *c = s->state = lc_calloc(1, sizeof *c);
    if (!c) return lc_fail_memory(err, "data");
    s->kind = &csv_kind;
    lc_budget_init(&c->budget, &s->limits);
    LC_TRY(lc_map_open(&c->map, s->path, &s->limits, err));
    LC_TRY(lc_stream_open(&c->stream, lc_cursor_make(c->map.data, c->map.size), err));
    LC_TRY(begin(c, err));
    c->delimiter = find_delimiter(c->stream.window);
    LC_TRY(read_row(c, err));
    if (!c->done) LC_TRY(keep_names(c, wish->budget, err));
    if (c->columns) {
        c->header = is_header(c, wish->input.name);
        LC_TRY(find_label(c, err));
        for (size_t i = 0; i < c->columns && !c->header; i++) c->names[i] = "";
        LC_TRY((wish->only || wish->named) && !wish->exact ? place_all(c, wish, err) : place_named(c, wish, err));
        LC_TRY(scan(s, c, wish, err));
    }
    s->split = true;
    s->type = LC_FLOAT64;
    s->rank = 1;
    s->dims[0] = (int32_t)c->elements;
    return s->count ? rewind_csv(s, err) : LC_OK;
}
