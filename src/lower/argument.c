/*
 * argument.c: arguments of a layer's config that nobody read. While a layer is lowered, each argument that is asked for is written down with
 * the config it was looked for in (a layer may hold others); afterwards a member that nobody asked for, and that arguments.def does not
 * list, becomes a note: the file was made by another release of Keras, or by hand, and the argument has no effect here.
 *
 * Keras itself refuses an argument that a class does not have, so a name close to one that was asked for is named too. A member that is null
 * says nothing. One note for all layers of a class.
 */
#include "lower/lower.h"

#include <string.h>

/* What was asked for in which config, of a layer of which class; of notes: config is NULL. */
typedef struct lc_asked {
    const char *class_name;
    const lc_json *config;
    const char *key;
} lc_asked;

static const struct {
    const char *classes, *arguments;
} known[] = {
#define LC_ARGUMENTS(classes, arguments) {classes, arguments},
#include "lower/arguments.def"
};

static bool push(lc_call *c, lc_asked **list, size_t *count, size_t *capacity, lc_asked one) {
    void *items = *list;
    if (!lc_arena_grow(&c->lower->scratch, &items, capacity, *count + 1, sizeof one))
        return lc_build_check(c->b, lc_fail_memory(c->b->err, "the arguments of a layer"));
    *list = items;
    (*list)[(*count)++] = one;
    return true;
}

static void ask(lc_call *c, const char *key) {
    lc_lower *l = c->lower;
    if (!l->options->note || c->b->status != LC_OK) return;
    for (size_t i = l->asked_count; i-- > 0;)
        if (l->asked[i].config == c->config && l->asked[i].key == key) return;
    push(c, &l->asked, &l->asked_count, &l->asked_capacity, (lc_asked){c->layer->class_name, c->config, key});
}

const lc_json *lc_opt_given(lc_call *c, const char *key) {
    ask(c, key);
    return lc_json_get(c->config, key);
}

/* "a*x" matches what begins with a and ends with x; either may be empty. */
static bool matches(const char *pattern, size_t n, const char *word) {
    const char *star = memchr(pattern, '*', n);
    const size_t size = strlen(word), front = star ? (size_t)(star - pattern) : n, back = star ? n - front - 1 : 0;
    if (star ? front + back > size : n != size) return false;
    return strncmp(pattern, word, front) == 0 && strncmp(pattern + n - back, word + size - back, back) == 0;
}

/* What separates words: spaces, and what a formula's parameters have. */
bool lc_word_among(const char *words, const char *word) {
    static const char separators[] = " =/|";
    while (*(words += strspn(words, separators))) {
        const size_t n = strcspn(words, separators);
        if (matches(words, n, word)) return true;
        words += n;
    }
    return false;
}

void lc_opt_known(lc_call *c, const char *words) {
    for (uint32_t i = 0; lc_json_is(c->config, LC_JSON_OBJECT) && i < c->config->count; i++) {
        const char *key = c->config->items[i].key;
        if (key && lc_word_among(words, key)) ask(c, key);
    }
}

static bool is_quiet(const char *class_name, const char *key) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (lc_word_among(known[i].classes, class_name) && lc_word_among(known[i].arguments, key)) return true;
    return false;
}

static bool was_asked(const lc_lower *l, size_t from, const lc_json *config, const char *key) {
    for (size_t i = from; i < l->asked_count; i++)
        if (l->asked[i].config == config && strcmp(l->asked[i].key, key) == 0) return true;
    return false;
}

static bool was_told(const lc_lower *l, const char *class_name, const char *key) {
    for (size_t i = 0; i < l->told_count; i++)
        if (strcmp(l->told[i].class_name, class_name) == 0 && strcmp(l->told[i].key, key) == 0) return true;
    return false;
}

/* The argument closest to `key` that was looked for and is not there. */
static const char *nearest(const lc_lower *l, size_t from, const lc_json *config, const char *key) {
    const char *names[64];
    size_t n = 0;
    for (size_t i = from; i < l->asked_count && n + 1 < sizeof names / sizeof *names; i++)
        if (l->asked[i].config == config && !lc_json_get(config, l->asked[i].key)) names[n++] = l->asked[i].key;
    names[n] = NULL;
    return lc_nearest(key, names);
}

static void tell(lc_call *c, size_t from, const char *class_name, const lc_json *config, const lc_json *v) {
    lc_lower *l = c->lower;
    if (was_told(l, class_name, v->key) ||
        !push(c, &l->told, &l->told_count, &l->told_capacity, (lc_asked){.class_name = class_name, .key = v->key}))
        return;
    lc_text value = {0};
    lc_json_write(v, &value);
    const char *near = nearest(l, from, config, v->key), *shown = value.data && !value.failed ? value.data : "?";
    char text[600];
    snprintf(text, sizeof text,
             "layer \"%.100s\" (%.80s): argument \"%.80s\" (%.60s%s) is none that litec knows for this class%s%s%s; it has no effect",
             c->b->layer ? c->b->layer : "?", class_name, v->key, shown, strlen(shown) > 60 ? "..." : "", near ? " (did you mean \"" : "",
             near ? near : "", near ? "\"?)" : "");
    lc_text_deinit(&value);
    l->options->note(l->options->note_user, text);
}

static void check(lc_call *c, size_t from, const char *class_name, const lc_json *config) {
    for (uint32_t i = 0; class_name && lc_json_is(config, LC_JSON_OBJECT) && i < config->count; i++) {
        const lc_json *v = &config->items[i];
        if (v->key && v->kind != LC_JSON_NULL && !was_asked(c->lower, from, config, v->key) && !is_quiet(class_name, v->key))
            tell(c, from, class_name, config, v);
    }
}

void lc_arguments_end(lc_call *c, size_t from) {
    lc_lower *l = c->lower;
    if (l->options->note && c->b->status == LC_OK) {
        check(c, from, c->layer->class_name, c->config);
        for (size_t i = from; i < l->asked_count; i++) {
            bool first = l->asked[i].config != c->config;
            for (size_t k = from; first && k < i; k++) first = l->asked[k].config != l->asked[i].config;
            if (first) check(c, from, l->asked[i].class_name, l->asked[i].config);
        }
    }
    l->asked_count = from;
}
