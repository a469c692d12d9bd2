/*
 * Configurations of objects: each argument is looked up in the JSON, checked against the kind that its class states, and is its default
 * otherwise. An argument that the class does not have is refused, because a spelling mistake would train with the default in silence.
 */
#include "train/config.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What changes nothing here, or what older versions of Keras wrote. Any other argument that the classes here do not have may be None or
 * false, its default. */
static const char *const ignored[] = {"name", "dtype", "decay", "jit_compile", "is_legacy_optimizer", "fn", NULL};

bool lc_config_is_none(const lc_json *object) { return !object || object->kind == LC_JSON_NULL; }

void lc_config_fail(lc_config *c, const char *format, ...) {
    if (c->status != LC_OK) return;
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    static const char *const kinds[] = {
#define LC_CLASS_KIND(NAME, word, module) word,
        LC_CLASS_KINDS(LC_CLASS_KIND)
#undef LC_CLASS_KIND
    };
    c->status = lc_fail(c->err, LC_ARGUMENT, "%s %s: %s", kinds[c->class.kind], c->class.name, text);
}

static const lc_argument *field_of(const lc_class *class, const char *argument) {
    for (uint32_t i = 0; i < class->field_count; i++)
        if (strcmp(class->fields[i].argument, argument) == 0) return &class->fields[i];
    return NULL;
}

bool lc_config_has(const lc_config *c, const char *argument) { return field_of(&c->class, argument) != NULL; }

static bool is_ignored(const lc_json *member) {
    for (const char *const *name = ignored; *name; name++)
        if (strcmp(*name, member->key) == 0) return true;
    return member->kind == LC_JSON_NULL || (member->kind == LC_JSON_BOOL && !member->boolean);
}

lc_status lc_config_open(lc_class_kind kind, const lc_json *object, lc_config *c, lc_error *err) {
    *c = (lc_config){.err = err};
    const char *name = NULL;
    if (lc_json_is(object, LC_JSON_STRING)) name = object->string;
    else if (lc_json_is(object, LC_JSON_OBJECT)) {
        name = lc_json_str(object, "class_name", NULL);
        c->json = lc_json_get(object, "config");
        if (name && strcmp(name, "function") == 0 && lc_json_is(c->json, LC_JSON_STRING)) {
            name = c->json->string;
            c->json = NULL;
        }
        if (name && strcmp(name, "MeanMetricWrapper") == 0) name = lc_json_str(c->json, "fn", name); /* Keras 2: a metric by its function */
        if (name && strrchr(name, '>')) name = strrchr(name, '>') + 1; /* "Custom>Adam" of TensorFlow 2.11 to 2.15 */
    }
    LC_TRY(c->status = lc_class_named(kind, name, &c->class, err));
    if (lc_config_is_none(c->json)) c->json = NULL;
    else if (!lc_json_is(c->json, LC_JSON_OBJECT)) lc_config_fail(c, "its configuration is not an object of JSON");
    for (uint32_t i = 0; c->status == LC_OK && c->json && i < c->json->count; i++) {
        const lc_json *member = &c->json->items[i];
        if (field_of(&c->class, member->key) || is_ignored(member)) continue;
        const char *names[65];
        uint32_t n = 0;
        for (; n < c->class.field_count && n < 64; n++) names[n] = c->class.fields[n].argument;
        names[n] = NULL;
        const char *near = lc_nearest(member->key, names);
        lc_config_fail(c, "there is no argument \"%.60s\"", member->key);
        if (near) lc_error_hint(err, "did you mean \"%s\"?", near);
    }
    return c->status;
}

const lc_json *lc_config_json(const lc_config *c, const char *argument) {
    const lc_json *v = lc_json_get(c->json, argument);
    return lc_config_is_none(v) ? NULL : v;
}

double lc_config_number(lc_config *c, const char *argument) {
    const lc_json *v = lc_config_json(c, argument);
    const lc_argument *f = field_of(&c->class, argument);
    const double otherwise = !f || f->number == LC_NONE ? (double)NAN : f->number;
    if (!v) return otherwise;
    if (v->kind == LC_JSON_INT || v->kind == LC_JSON_REAL) {
        if (isfinite(v->real)) return v->real;
        lc_config_fail(c, "%s is not a finite number", argument);
    } else lc_config_fail(c, "%s is not a number", argument);
    return otherwise;
}

double lc_config_between(lc_config *c, const char *argument, double least, double most) {
    const double v = lc_config_number(c, argument);
    if (v < least) lc_config_fail(c, "%s is %g, at least %g is wanted", argument, v, least);
    if (v > most) lc_config_fail(c, "%s is %g, at most %g is wanted", argument, v, most);
    return v;
}

int64_t lc_config_integer(lc_config *c, const char *argument) {
    const double v = lc_config_number(c, argument);
    if (isnan(v)) return LC_NONE;
    if (v != floor(v) || fabs(v) > 9007199254740992.0) {
        lc_config_fail(c, "%s is %g, a whole number is wanted", argument, v);
        return 0;
    }
    return (int64_t)v;
}

bool lc_config_flag(lc_config *c, const char *argument) {
    const lc_json *v = lc_config_json(c, argument);
    const lc_argument *f = field_of(&c->class, argument);
    if (!v) return f && f->kind == LC_FK_no;
    if (v->kind != LC_JSON_BOOL) lc_config_fail(c, "%s is neither true nor false", argument);
    return v->boolean;
}

const char *lc_config_text(lc_config *c, const char *argument) {
    const lc_json *v = lc_config_json(c, argument);
    const lc_argument *f = field_of(&c->class, argument);
    if (lc_json_is(v, LC_JSON_STRING)) return v->string;
    if (v) lc_config_fail(c, "%s is not a text", argument);
    return f ? f->text : NULL;
}

int lc_config_word(lc_config *c, const char *argument, const char *const *words) {
    const char *text = lc_config_text(c, argument);
    for (int i = 0; words[i]; i++)
        if (text && strcasecmp(text, words[i]) == 0) return i;
    if (c->status == LC_OK) {
        lc_config_fail(c, "%s is \"%.60s\", which it cannot be", argument, text ? text : "");
        const char *near = text ? lc_nearest(text, words) : NULL;
        if (near) lc_error_hint(c->err, "did you mean \"%s\"?", near);
        else lc_error_hint(c->err, "it is one of those that Keras has, e.g. \"%s\"", words[0]);
    }
    return 0;
}

uint32_t lc_config_numbers(lc_config *c, const char *argument, uint32_t most, double *out) {
    const lc_json *v = lc_config_json(c, argument);
    if (v && strcmp(lc_json_str(v, "class_name", ""), "__tensor__") == 0) v = lc_json_get(lc_json_get(v, "config"), "value");
    if (!v) return 0;
    const bool list = v->kind == LC_JSON_ARRAY;
    const uint32_t count = list ? v->count : 1;
    if (count > most) {
        lc_config_fail(c, "%s has %u numbers, at most %u are read", argument, count, most);
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const lc_json *one = list ? &v->items[i] : v;
        if ((one->kind != LC_JSON_INT && one->kind != LC_JSON_REAL) || !isfinite(one->real)) {
            lc_config_fail(c, "%s has a value that is not a finite number", argument);
            return 0;
        }
        out[i] = one->real;
    }
    return count;
}

const char *lc_config_name(const lc_config *c, char buffer[64]) {
    const lc_json *v = lc_config_json(c, "name");
    if (lc_json_is(v, LC_JSON_STRING)) return v->string;
    snprintf(buffer, 64, "%.*s", (int)strcspn(c->class.alias, " "), c->class.alias);
    return buffer;
}
