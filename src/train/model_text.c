/*
 * model_text.c: the text form of a model. A line is split into words; the first says the class, and each further one is put into the struct of
 * options of that class as the list of its fields says, exactly where a designated initialiser of C would put it. The struct then is
 * described like one that was written in C, so that there is one set of checks and one writer.
 *
 *   line  = [ NAME "=" ] CLASS { value | NAME "=" value } [ "#" comment ]
 *   value = number | number { "x" | "," number } | word | CLASS "(" value { "," value } ")"
 *
 * A number goes to the next field that is a number, a word to the next that is a word: "same" and "valid" to the padding, others to the
 * activation. A word that names what an earlier line gave is an input of the layer.
 *
 * Stays true: a line that is refused is named with its number and the word; what is made is charged to the budget before.
 *
 * Refuses: more than 10,000 layers and calls, lines over 64 words, objects in objects deeper than 8, control characters and bytes that are not UTF-8.
 */
#include "train/model_text.h"

#include "base/budget.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_CALLS 10000 /* of layers, new ones or called again */
#define SLOTS 32768
#define MAX_WORDS 64
#define MAX_DEPTH 8
#define MAX_WORD 4096

/* A name of what a line gave. */
typedef struct value {
    const char *name;
    lc_symbol symbol;
} value;

typedef struct reading {
    lc_description *d;
    lc_arena arena; /* words and options, until the end */
    lc_budget *budget;
    lc_error *err;
    uint32_t line;
    value *values; /* [SLOTS], found by a hash of the name; NULL: none yet */
    uint32_t calls;
    lc_symbol *outputs;
    size_t output_count, output_capacity;
    lc_symbol last;
} reading;

/* LC_INVALID with the number of the line before it. */
static lc_status bad(reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static lc_status bad(reading *r, const char *format, ...) {
    char text[300];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    lc_fail(r->err, LC_INVALID, "line %u: %s", r->line, text);
    lc_error_hint(r->err, "correct the line; docs/training.md says how a model is written as text");
    return LC_INVALID;
}

static lc_status out_of_memory(reading *r) { return lc_fail_memory(r->err, "a model"); }

/* ---- one field ---------------------------------------------------------------------------------------------------- */

static lc_status put_object(reading *r, lc_class_kind kind, const char *word, uint32_t depth, lc_object *object);

/* Numbers with "x" or "," between them: how many, at most `room`; 0: they are none. */
static int numbers(const char *word, double *v, int room) {
    for (int n = 0; n < room;) {
        char *end;
        if (isspace((unsigned char)*word)) return 0;
        errno = 0;
        v[n] = strtod(word, &end);
        if (end == word || !isfinite(v[n]) || (word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))) {
            /* "0x1" is hexadecimal to strtod, and two numbers here */
            if (word[0] != '0' || (word[1] != 'x' && word[1] != 'X')) return 0;
            v[n] = 0;
            end = (char *)word + 1;
        }
        n++;
        if (!*end) return n;
        if (*end != 'x' && *end != ',') return 0;
        word = end + 1;
    }
    return 0;
}

static bool is_number(const char *word) {
    double v[8];
    return numbers(word, v, 8) > 0;
}

/* How many whole numbers a field holds; 0: it holds none. */
static int whole_count(lc_argument_kind kind) {
    switch (kind) {
    case LC_FK_integer:
    case LC_FK_single: return 1;
    case LC_FK_pair:
    case LC_FK_margin1: return 2;
    case LC_FK_triple: return 3;
    case LC_FK_margin2: return 4;
    case LC_FK_margin3: return 6;
    case LC_FK_dims:
    case LC_FK_axes:
    case LC_FK_shape: return 8;
    default: return 0;
    }
}

static lc_status put_whole(reading *r, const lc_argument *f, const char *word, int32_t *at) {
    double v[8];
    const int room = whole_count(f->kind), n = numbers(word, v, room);
    const bool margin = f->kind == LC_FK_margin1 || f->kind == LC_FK_margin2 || f->kind == LC_FK_margin3;
    const bool list = room == 8;
    if (!n || (n != room && n != 1 && !list))
        return bad(r, "'%.40s' is not what %s takes: %s%.0d", word, f->argument,
                   n || room == 1 ? "a whole number" : "whole numbers, up to ", n || room == 1 ? 0 : room);
    for (int i = 0; i < n; i++) {
        if (v[i] != floor(v[i]) || fabs(v[i]) > INT32_MAX) return bad(r, "%s is %.40s, needs whole numbers", f->argument, word);
        /* 0 stands for the default in a struct of options. */
        if (v[i] == 0 && !margin && f->number != 0) return bad(r, "%s cannot be 0", f->argument);
        at[i] = (int32_t)v[i];
    }
    for (int i = 1; margin && n == 1 && i < room; i++) at[i] = at[0];
    return LC_OK;
}

static lc_status put_real(reading *r, const lc_argument *f, const char *word, double *at) {
    double v[15];
    const int room = f->kind == LC_FK_numbers || f->kind == LC_FK_ids ? 15 : f->kind == LC_FK_around || f->kind == LC_FK_upto ? 2 : 1;
    const int n = numbers(word, v, room);
    if (!n) return bad(r, "'%.40s' is no number for %s", word, f->argument);
    for (int i = 0; i < n; i++) at[i] = v[i] == 0 && (room == 1 || room == 15) ? -0.0 : v[i]; /* 0 itself, not the default */
    return LC_OK;
}

static lc_status put_truth(reading *r, const lc_argument *f, const char *word, bool *at) {
    const bool yes = strcasecmp(word, "true") == 0 || strcmp(word, "1") == 0 || strcasecmp(word, "yes") == 0;
    const bool no = strcasecmp(word, "false") == 0 || strcmp(word, "0") == 0 || strcasecmp(word, "no") == 0;
    if (!yes && !no) return bad(r, "%s is '%.40s', needs true or false", f->argument, word);
    *at = f->kind == LC_FK_no ? no : yes;
    return LC_OK;
}

static lc_class_kind kind_of(const lc_argument *f) {
    if (strstr(f->argument, "initializer")) return LC_CLASS_INITIALIZER;
    if (strstr(f->argument, "regularizer")) return LC_CLASS_REGULARIZER;
    return strstr(f->argument, "constraint") ? LC_CLASS_CONSTRAINT : LC_CLASS_LAYER;
}

static lc_status put(reading *r, const lc_argument *f, const char *word, uint32_t depth, void *options) {
    void *at = (char *)options + f->offset;
    switch (f->kind) {
    case LC_FK_number:
    case LC_FK_whole:
    case LC_FK_numbers:
    case LC_FK_ids:
    case LC_FK_around:
    case LC_FK_upto: return put_real(r, f, word, at);
    case LC_FK_call:
    case LC_FK_yes:
    case LC_FK_no: return put_truth(r, f, word, at);
    case LC_FK_text:
    case LC_FK_title:
    case LC_FK_policy: {
        const char *copy = lc_arena_strndup(&r->arena, word, strlen(word));
        if (!copy) return out_of_memory(r);
        memcpy(at, &copy, sizeof copy);
        return LC_OK;
    }
    case LC_FK_object:
    case LC_FK_extra:
    case LC_FK_layer: return put_object(r, kind_of(f), word, depth, at);
    case LC_FK_fixed: return bad(r, "%s cannot be chosen", f->argument);
    default: return put_whole(r, f, word, at);
    }
}

/* ---- which field -------------------------------------------------------------------------------------------------- */

/* An object while its words come: which fields have a value. */
typedef struct filling {
    lc_class class;
    void *options;
    uint64_t given; /* bit i: field i; classes have fewer than 64 fields */
    int listed;     /* dims and shape that come as several words: the field; -1: none */
    int list_size;
} filling;

static lc_status begin(reading *r, filling *f, lc_class_kind kind, const char *name) {
    lc_error e;
    lc_error_clear(&e);
    if (lc_class_named(kind, name, &f->class, &e) != LC_OK) {
        bad(r, "%.250s", e.message);
        lc_error_hint(r->err, "%s", e.hint);
        return LC_INVALID;
    }
    /* The struct, its text as JSON, and what the description keeps of it. */
    LC_TRY(lc_budget_memory(r->budget, f->class.size + 4096, "a layer", r->err));
    f->options = lc_arena_alloc(&r->arena, f->class.size);
    f->listed = -1;
    return f->options ? LC_OK : out_of_memory(r);
}

static bool is_list(const lc_argument *f) { return f->kind == LC_FK_dims || f->kind == LC_FK_shape; }
static bool is_real(const lc_argument *f) {
    return f->kind == LC_FK_number || f->kind == LC_FK_whole || f->kind == LC_FK_around || f->kind == LC_FK_upto;
}

/* Is this a field for a word that stands without a name? */
static bool takes(const lc_argument *f, const char *word, bool number) {
    static const char *const paddings[] = {"same", "valid", "causal"};
    if (number) return whole_count(f->kind) || is_real(f);
    if (f->kind == LC_FK_layer) return true;
    if (f->kind != LC_FK_text || strcmp(f->argument, "name") == 0 || strcmp(f->argument, "dtype") == 0 ||
        strcmp(f->argument, "data_format") == 0)
        return strcmp(f->argument, "dtype") == 0 && f->kind == LC_FK_text && strstr(word, "int");
    bool padding = false;
    for (size_t i = 0; i < 3; i++) padding |= strcasecmp(word, paddings[i]) == 0;
    return padding == (strcmp(f->argument, "padding") == 0);
}

static lc_status add_word(reading *r, filling *f, const char *word, uint32_t depth) {
    const bool number = is_number(word);
    double v;
    if (number && f->listed >= 0 && numbers(word, &v, 1) == 1) { /* input 28 28 */
        const lc_argument *field = &f->class.fields[f->listed];
        int32_t *at = (int32_t *)(void *)((char *)f->options + field->offset);
        if (f->list_size == 8) return bad(r, "%s of %s has more than 8 numbers", field->argument, f->class.name);
        return put_whole(r, field, word, &at[f->list_size++]);
    }
    for (uint32_t i = 0; i < f->class.field_count; i++) {
        const lc_argument *field = &f->class.fields[i];
        if (f->given & (UINT64_C(1) << i) || !takes(field, word, number)) continue;
        f->given |= UINT64_C(1) << i;
        LC_TRY(put(r, field, word, depth, f->options));
        f->listed = is_list(field) && numbers(word, &v, 1) == 1 ? (int)i : -1;
        f->list_size = 1;
        return LC_OK;
    }
    bad(r, "%s has no place for '%.60s'", f->class.name, word);
    lc_error_hint(r->err, "say what it is for, as in Keras: argument=%.40s", word);
    return LC_INVALID;
}

/* Whether another field for the same argument can hold the word, which this one cannot: axis=1,2 or activation=leaky_relu(0.2). */
static bool is_of_twin(const filling *f, const lc_argument *field, const char *word) {
    double v[8];
    for (uint32_t i = 0; i < f->class.field_count; i++) {
        const lc_argument *other = &f->class.fields[i];
        if (other == field || strcmp(other->argument, field->argument) != 0) continue;
        const lc_argument *wide = lc_field_is_wide(field) ? field : other;
        const bool more = wide->kind == LC_FK_dims     ? numbers(word, v, 8) > 1
                          : wide->kind == LC_FK_object ? strchr(word, '(') != NULL
                                                       : numbers(word, v, 8) > 1;
        return more != (field == wide);
    }
    return false;
}

static lc_status add_named(reading *r, filling *f, const char *name, const char *word, uint32_t depth) {
    const char *names[64];
    size_t n = 0;
    f->listed = -1;
    if (strcmp(f->class.name, "InputLayer") == 0 && strcmp(name, "shape") == 0) name = "batch_shape"; /* keras.Input's name for it */
    for (uint32_t i = 0; i < f->class.field_count; i++) {
        const lc_argument *field = &f->class.fields[i];
        if (field->kind == LC_FK_fixed) continue;
        if (strcmp(field->argument, name) != 0 || is_of_twin(f, field, word)) {
            if (n < 63) names[n++] = field->argument;
            continue;
        }
        if (f->given & (UINT64_C(1) << i)) return bad(r, "%s of %s is given twice", name, f->class.name);
        f->given |= UINT64_C(1) << i;
        return put(r, field, word, depth, f->options);
    }
    names[n] = NULL;
    const char *near = lc_nearest(name, names);
    bad(r, "%s has no argument '%.60s'", f->class.name, name);
    if (near) lc_error_hint(r->err, "did you mean %s?", near);
    else lc_error_hint(r->err, "the arguments are those of keras.layers.%s", f->class.name);
    return LC_INVALID;
}

/* "name=value" or "value"; the word is taken apart where it lies. */
static lc_status add(reading *r, filling *f, char *word, uint32_t depth) {
    char *mark = word + strcspn(word, "=(");
    if (*mark != '=') return add_word(r, f, word, depth);
    *mark = '\0';
    if (!*word || !mark[1]) return bad(r, "'%.40s=%.40s' needs a name and a value", word, mark + 1);
    return add_named(r, f, word, mark + 1, depth);
}

/* "l2(0.001)", "lstm(64,return_sequences=true)", "zeros" */
static lc_status put_object(reading *r, lc_class_kind kind, const char *text, uint32_t depth, lc_object *object) {
    if (depth > MAX_DEPTH) return bad(r, "objects are nested deeper than %d", MAX_DEPTH);
    char *word = lc_arena_strndup(&r->arena, text, strlen(text));
    if (!word) return out_of_memory(r);
    char *open = strchr(word, '(');
    const size_t n = strlen(word);
    if (open) {
        if (word[n - 1] != ')') return bad(r, "'%.60s' has no ) at its end", text);
        word[n - 1] = '\0';
        *open = '\0';
    }
    filling f = {0};
    LC_TRY(begin(r, &f, kind, word));
    for (char *at = open ? open + 1 : NULL; at && *at;) {
        int depth_here = 0;
        char *end = at;
        for (; *end && (*end != ',' || depth_here > 0); end++) depth_here += *end == '(' ? 1 : *end == ')' ? -1 : 0;
        char *next = *end ? end + 1 : NULL;
        *end = '\0';
        if (!*at || depth_here) return bad(r, "'%.60s' is no list of arguments", text);
        LC_TRY(add(r, &f, at, depth + 1));
        at = next;
        if (at && !*at) return bad(r, "'%.60s' ends with a comma", text);
    }
    *object = (lc_object){f.class.name, f.options, NULL};
    return LC_OK;
}

/* ---- a line ------------------------------------------------------------------------------------------------------- */

/* Where the value of this name is, or would be: there are more slots than calls. */
static value *slot_of(const reading *r, const char *name) {
    size_t i = (size_t)lc_hash(name, strlen(name), 0) % SLOTS;
    while (r->values[i].name && strcmp(r->values[i].name, name) != 0) i = (i + 1) % SLOTS;
    return &r->values[i];
}

static const value *find_value(const reading *r, const char *name) {
    const value *v = r->values ? slot_of(r, name) : NULL;
    return v && v->name ? v : NULL;
}

static bool is_name(const char *word) {
    if (!isalpha((unsigned char)*word) && *word != '_') return false;
    for (; *word; word++)
        if (!isalnum((unsigned char)*word) && *word != '_') return false;
    return true;
}

/* Names the symbol of this line. */
static lc_status keep(reading *r, const char *name, lc_symbol symbol) {
    r->last = symbol;
    if (!name) return LC_OK;
    if (find_value(r, name)) return bad(r, "'%.60s' has a value already", name);
    if (!r->values) {
        LC_TRY(lc_budget_memory(r->budget, SLOTS * sizeof *r->values, "the names of a model", r->err));
        r->values = lc_arena_array(&r->arena, SLOTS, sizeof *r->values);
        if (!r->values) return out_of_memory(r);
    }
    *slot_of(r, name) = (value){name, symbol};
    return LC_OK;
}

/* The first error of the description is of this line. */
static lc_status described(reading *r) {
    if (r->d->status == LC_OK) return LC_OK;
    const lc_error e = r->d->error;
    if (r->d->status == LC_NO_MEMORY) return out_of_memory(r);
    bad(r, "%s", e.message);
    const char *field = strstr(e.hint, ": ."); /* of C: ".units = ..." */
    if (field) lc_error_hint(r->err, "give it as in Keras: %.*s=...", (int)strcspn(field + 3, " "), field + 3);
    else if (e.hint[0]) lc_error_hint(r->err, "%s", e.hint);
    return LC_INVALID;
}

/* The layer that this line gave. */
static int32_t put_down(reading *r, const lc_object *layer) {
    const int32_t index = lc_describe_layer(r->d, layer);
    if (index >= 0) r->d->layers[index].line = r->line;
    return index;
}

static lc_status read_outputs(reading *r, char **words, size_t count) {
    if (!count) return bad(r, "output of what?");
    for (size_t i = 0; i < count; i++) {
        const value *v = find_value(r, words[i]);
        if (!v) return bad(r, "output '%.60s' is no name that was given", words[i]);
        void *items = r->outputs;
        if (!lc_arena_grow(&r->arena, &items, &r->output_capacity, r->output_count + 1, sizeof *r->outputs)) return out_of_memory(r);
        r->outputs = items;
        r->outputs[r->output_count++] = v->symbol;
    }
    return LC_OK;
}

/* One more layer or call with so many inputs. */
static lc_status count_call(reading *r, size_t inputs) {
    if (r->calls++ == MAX_CALLS)
        return lc_fail(r->err, LC_LIMIT, "line %u: the model has more than %d layers and calls", r->line, MAX_CALLS);
    return lc_budget_memory(r->budget, 256 * (uint64_t)inputs, "a call", r->err);
}

/* call NAME inputs */
static lc_status read_call(reading *r, char **words, size_t count, const char *name) {
    lc_symbol in[MAX_WORDS];
    size_t n = 0;
    LC_TRY(count_call(r, count));
    const int32_t layer = count ? lc_described_find(r->d, words[0]) : -1;
    if (layer < 0) return bad(r, "there is no layer named '%.60s' to call", count ? words[0] : "");
    for (size_t i = 1; i < count; i++) {
        const value *v = find_value(r, words[i]);
        if (!v) return bad(r, "'%.60s' is no name that was given", words[i]);
        in[n++] = v->symbol;
    }
    if (!n) in[n++] = r->last;
    const lc_symbol s = lc_describe_call(r->d, layer, in, n);
    LC_TRY(described(r));
    return keep(r, name, s);
}

static lc_status read_layer(reading *r, char **words, size_t count, const char *name) {
    filling f = {0};
    lc_symbol in[MAX_WORDS];
    size_t n = 0;
    LC_TRY(count_call(r, count));
    LC_TRY(begin(r, &f, LC_CLASS_LAYER, words[0]));
    for (size_t i = 1; i < count; i++) {
        const value *v = find_value(r, words[i]);
        if (v) in[n++] = v->symbol;
        else LC_TRY(add(r, &f, words[i], 0));
    }
    const lc_object layer = {f.class.name, f.options, NULL};
    const bool input = strcmp(f.class.name, "InputLayer") == 0;
    if (r->d->sequential) {
        put_down(r, &layer);
        return described(r);
    }
    if (!input && !n && !r->last.of) {
        bad(r, "layer %s has nothing before it", f.class.name);
        lc_error_hint(r->err, "the first line of a model is its input: input 28 28");
        return LC_INVALID;
    }
    if (!input && !n) in[n++] = r->last;
    const lc_symbol s = input ? lc_describe_input(r->d, &layer) : lc_describe_call(r->d, put_down(r, &layer), in, n);
    LC_TRY(described(r));
    return keep(r, name, s);
}

static lc_status read_words(reading *r, char **words, size_t count) {
    const char *name = NULL;
    if (count >= 2 && strcmp(words[1], "=") == 0) {
        if (!is_name(words[0])) return bad(r, "'%.60s' is no name", words[0]);
        name = words[0];
        words += 2;
        count -= 2;
        if (!count) return bad(r, "nothing behind '%.60s ='", name);
    }
    if (strcmp(words[0], "name") == 0) {
        if (count != 2 || name || r->d->layer_count) return bad(r, "the name of the model is one word, before its layers");
        r->d->name = lc_arena_strndup(&r->d->arena, words[1], strlen(words[1]));
        return r->d->name ? LC_OK : out_of_memory(r);
    }
    if (strcmp(words[0], "output") == 0) return name ? bad(r, "outputs have their names already") : read_outputs(r, words + 1, count - 1);
    if (strcmp(words[0], "call") == 0) return read_call(r, words + 1, count - 1, name);
    return read_layer(r, words, count, name);
}

/* ---- the text ----------------------------------------------------------------------------------------------------- */

/* Splits a line, which ends with a zero, into words; "=" that stands alone or behind the first word is a word of its own. */
static lc_status split(reading *r, char *line, char **words, size_t *count) {
    *count = 0;
    for (char *at = line; *at && *at != '#';) {
        at += strspn(at, " \t\r");
        if (!*at || *at == '#') break;
        const size_t n = strcspn(at, " \t\r#");
        if (*count == MAX_WORDS) return lc_fail(r->err, LC_LIMIT, "line %u has more than %d words", r->line, MAX_WORDS);
        if (n > MAX_WORD) return lc_fail(r->err, LC_LIMIT, "line %u has a word of more than %d characters", r->line, MAX_WORD);
        words[(*count)++] = at;
        at += n;
        if (*at == '#') *at = '\0';
        else if (*at) *at++ = '\0';
    }
    return LC_OK;
}

/* Names, outputs, calls or several inputs make it functional. */
static bool is_functional(const char *text, size_t size) {
    size_t inputs = 0;
    for (size_t at = 0; at < size;) {
        size_t end = at;
        while (end < size && text[end] != '\n') end++;
        while (at < end && (text[at] == ' ' || text[at] == '\t')) at++;
        size_t word = at;
        while (word < end && text[word] != ' ' && text[word] != '\t' && text[word] != '\r' && text[word] != '#') word++;
        const size_t n = word - at;
        inputs += (n == 5 && memcmp(text + at, "input", 5) == 0) || (n == 10 && memcmp(text + at, "InputLayer", 10) == 0);
        if (n == 6 && memcmp(text + at, "output", 6) == 0) return true;
        if (n == 4 && memcmp(text + at, "call", 4) == 0) return true;
        while (word < end && (text[word] == ' ' || text[word] == '\t')) word++;
        if (n && word + 1 < end && text[word] == '=' && (text[word + 1] == ' ' || text[word + 1] == '\t')) return true;
        at = end + 1;
    }
    return inputs > 1;
}

static lc_status check_text(reading *r, const char *text, size_t size) {
    for (size_t i = 0; i < size;) {
        uint32_t code;
        const size_t n = lc_utf8_length(text + i, size - i, &code);
        if (!n) return bad(r, "byte 0x%02x is no UTF-8: this is no text", (unsigned char)text[i]);
        if (lc_is_control(code) && code != '\n' && code != '\t' && code != '\r')
            return bad(r, "character U+%04X is no text", (unsigned)code);
        if (code == '\n') r->line++;
        i += n;
    }
    return LC_OK;
}

static lc_status read_lines(reading *r, char *text) {
    char *words[MAX_WORDS];
    for (r->line = 1; text; r->line++) {
        char *end = strchr(text, '\n');
        if (end) *end++ = '\0';
        size_t count;
        LC_TRY(split(r, text, words, &count));
        if (count) LC_TRY(read_words(r, words, count));
        text = end;
    }
    r->line--;
    if (!r->d->layer_count) {
        bad(r, "there are no layers in the text");
        lc_error_hint(r->err, "write a layer a line, the input first: input 28 28");
        return LC_INVALID;
    }
    if (r->d->sequential) return LC_OK;
    if (r->output_count) lc_describe_outputs(r->d, r->outputs, r->output_count);
    else lc_describe_outputs(r->d, &r->last, 1);
    return described(r);
}

lc_status lc_model_text_read(const char *text, size_t size, lc_budget *budget, lc_description *d, lc_error *err) {
    reading r = {.d = d, .budget = budget, .err = err, .line = 1, .last = {NULL, -1, -1, -1}};
    lc_describe_begin(d, !is_functional(text, size), NULL);
    lc_status status = lc_budget_memory(budget, size, "the text of a model", err);
    if (status == LC_OK) status = check_text(&r, text, size);
    char *copy = status == LC_OK ? lc_arena_strndup(&r.arena, text, size) : NULL;
    if (status == LC_OK) status = copy ? read_lines(&r, copy) : out_of_memory(&r);
    if (status == LC_OK && d->status != LC_OK) status = out_of_memory(&r); /* all else was told with its line */
    lc_arena_deinit(&r.arena);
    if (status != LC_OK) lc_describe_end(d);
    return status;
}

bool lc_model_text_probe(const char *text, size_t size) {
    size_t at = 0;
    while (at < size) {
        while (at < size && strchr(" \t\r\n", text[at]) && text[at]) at++;
        if (at == size || text[at] != '#') break;
        while (at < size && text[at] != '\n') at++;
    }
    if (at == size) return size > 0; /* comments: a model without layers */
    size_t n = 0;
    char word[64];
    while (at + n < size && n < sizeof word - 1 && (isalnum((unsigned char)text[at + n]) || text[at + n] == '_'))
        word[n] = text[at + n], n++;
    word[n] = '\0';
    lc_class class;
    if (!n || (at + n < size && !strchr(" \t\r\n=#", text[at + n]))) return false;
    if (strcmp(word, "name") == 0 || lc_class_find(LC_CLASS_LAYER, word, &class)) return true;
    lc_error near = {0};
    lc_class_named(LC_CLASS_LAYER, word, &class, &near);
    if (strncmp(near.hint, "did you mean", 12) == 0) return true; /* a slip in its first word */
    while (at + n < size && (text[at + n] == ' ' || text[at + n] == '\t')) n++;
    return at + n < size && text[at + n] == '=';
}
