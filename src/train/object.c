/*
 * Objects as JSON: one writer for all classes, from the tables that the lists of the public headers make.
 */
#include "train/object.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- tables ------------------------------------------------------------------------------------------------------- */

/* A default is a number for some kinds, a text or the name of a class for others. */
#define LC_DEFAULT_number(otherwise) (otherwise), NULL
#define LC_DEFAULT_integer(otherwise) (otherwise), NULL
#define LC_DEFAULT_pair(otherwise) (otherwise), NULL
#define LC_DEFAULT_text(otherwise) 0, otherwise
#define LC_DEFAULT_yes(otherwise) 0, NULL
#define LC_DEFAULT_no(otherwise) 0, NULL
#define LC_DEFAULT_dims(otherwise) (otherwise), NULL
#define LC_DEFAULT_object(otherwise) 0, #otherwise /* of NULL, what the C library spells it as: no name begins like that */
#define LC_DEFAULT_whole(otherwise) (otherwise), NULL
#define LC_DEFAULT_numbers(otherwise) 0, NULL
#define LC_DEFAULT_call(otherwise) 0, NULL
#define LC_DEFAULT_ids(otherwise) 0, otherwise
#define LC_DEFAULT_axes(otherwise) 0, NULL
#define LC_DEFAULT_title(otherwise) 0, NULL

/* What all classes of a kind have after their own fields. */
#define LC_COMMON_LAYER(F)
#define LC_COMMON_OPTIMIZER(F)
#define LC_COMMON_SCHEDULE(F)
#define LC_COMMON_LOSS(F) LC_FIELDS_LOSS(F)
#define LC_COMMON_METRIC(F) LC_FIELDS_METRIC(F)
#define LC_COMMON_INITIALIZER(F)
#define LC_COMMON_REGULARIZER(F)
#define LC_COMMON_CONSTRAINT(F)
#define LC_DEFAULT_single(otherwise) (otherwise), NULL
#define LC_DEFAULT_triple(otherwise) (otherwise), NULL
#define LC_DEFAULT_shape(otherwise) (otherwise), NULL
#define LC_DEFAULT_margin1(otherwise) (otherwise), NULL
#define LC_DEFAULT_margin2(otherwise) (otherwise), NULL
#define LC_DEFAULT_margin3(otherwise) (otherwise), NULL
#define LC_DEFAULT_around(otherwise) (otherwise), NULL
#define LC_DEFAULT_upto(otherwise) (otherwise), NULL
#define LC_DEFAULT_extra(otherwise) 0, #otherwise
#define LC_DEFAULT_layer(otherwise) 0, #otherwise
#define LC_DEFAULT_policy(otherwise) 0, otherwise
#define LC_DEFAULT_fixed(otherwise) 0, otherwise

#define LC_ROW(kind, name, argument, otherwise) {argument, LC_FK_##kind, offsetof(LC_ROW_OF, name), LC_DEFAULT_##kind(otherwise)},

/* offsetof needs the type by one name: each list of rows is made inside a function where LC_ROW_OF is that type. */
#define LC_CLASS(kind, class, type, list, alias) \
    static const lc_argument *fields_##kind##_##class(uint32_t * count) { \
        typedef type LC_ROW_OF; \
        static const lc_argument fields[] = {list(LC_ROW) LC_COMMON_##kind(LC_ROW){NULL, LC_FK_yes, 0, 0, NULL}}; \
        (void)sizeof(LC_ROW_OF); /* a class may have no fields */ \
        *count = (uint32_t)(sizeof fields / sizeof fields[0]) - 1; \
        return fields; \
    }
#include "train/classes.def"

typedef struct row {
    lc_class_kind kind;
    const char *name, *alias;
    const lc_argument *(*fields)(uint32_t *count);
    size_t size;
} row;

static const row rows[] = {
#define LC_CLASS(kind, class, type, list, alias) {LC_CLASS_##kind, #class, alias, fields_##kind##_##class, sizeof(type)},
#include "train/classes.def"
};
#define ROWS (sizeof rows / sizeof rows[0])

static lc_class class_of(const row *r) {
    lc_class c = {.kind = r->kind, .name = r->name, .alias = r->alias, .size = r->size};
    c.fields = r->fields(&c.field_count);
    return c;
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

/* Equal but for case and underscores: "GlorotUniform" is "glorot_uniform". b ends at a space, too. */
static bool same_name(const char *a, const char *b) {
    for (;; a++, b++) {
        while (*a == '_') a++;
        while (*b == '_') b++;
        const char y = *b == ' ' ? '\0' : *b;
        if (tolower((unsigned char)*a) != tolower((unsigned char)y)) return false;
        if (!*a) return true;
    }
}

static bool has_name(const row *r, const char *name) {
    if (same_name(name, r->name)) return true;
    for (const char *word = r->alias; word && *word;) {
        if (same_name(name, word)) return true;
        word = strchr(word, ' ');
        if (word) word++;
    }
    return false;
}

bool lc_class_find(lc_class_kind kind, const char *name, lc_class *class) {
    for (size_t i = 0; name && i < ROWS; i++)
        if (rows[i].kind == kind && has_name(&rows[i], name)) return *class = class_of(&rows[i]), true;
    return false;
}

bool lc_class_at(uint32_t index, lc_class *class) { return index < ROWS && (*class = class_of(&rows[index]), true); }

static const char *const kind_text[] = {
#define LC_CLASS_KIND(NAME, text, module) text,
    LC_CLASS_KINDS(LC_CLASS_KIND)
#undef LC_CLASS_KIND
};
static const char *const kind_module[] = {
#define LC_CLASS_KIND(NAME, text, module) module,
    LC_CLASS_KINDS(LC_CLASS_KIND)
#undef LC_CLASS_KIND
};

enum { MOST_NAMES = 4 * ROWS, PLAIN = 48 };

/* In small letters, without underscores; ends at a space. */
static void plain_name(const char *from, char out[PLAIN]) {
    size_t k = 0;
    for (; *from && *from != ' ' && k < PLAIN - 1; from++)
        if (*from != '_') out[k++] = (char)tolower((unsigned char)*from);
    out[k] = '\0';
}

/* The name nearest to that of a class of a kind, or to another name of it, or one that begins so: letters of either case and underscores do
 * not count. False: none is near. */
static bool nearest_class(lc_class_kind kind, const char *name, char out[PLAIN]) {
    char plain[MOST_NAMES][PLAIN], wanted[PLAIN];
    const char *names[MOST_NAMES + 1], *written[MOST_NAMES];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].kind != kind) continue;
        for (const char *word = rows[i].name; word && *word && n < MOST_NAMES;) {
            plain_name(word, plain[n]);
            names[n] = plain[n];
            written[n++] = word;
            word = word == rows[i].name ? rows[i].alias : strchr(word, ' ');
            if (word && *word == ' ') word++;
        }
    }
    names[n] = NULL;
    plain_name(name, wanted);
    const char *near = lc_nearest(wanted, names);
    for (size_t i = 0; i < n && !near && strlen(wanted) > 1; i++)
        if (strncmp(names[i], wanted, strlen(wanted)) == 0) near = names[i];
    for (size_t i = 0; near && i < n; i++) {
        if (names[i] != near) continue;
        snprintf(out, PLAIN, "%.*s", (int)strcspn(written[i], " "), written[i]);
        return true;
    }
    return false;
}

lc_status lc_class_named(lc_class_kind kind, const char *name, lc_class *class, lc_error *err) {
    if (lc_class_find(kind, name, class)) return LC_OK;
    char near[PLAIN];
    const char *first = "";
    for (size_t i = ROWS; i-- > 0;)
        if (rows[i].kind == kind) first = rows[i].name;
    lc_fail(err, LC_ARGUMENT, "there is no %s \"%.100s\"", kind_text[kind], name ? name : "");
    if (name && nearest_class(kind, name, near)) lc_error_hint(err, "did you mean \"%s\"?", near);
    else lc_error_hint(err, "the names are those of %s, e.g. \"%s\"", kind_module[kind], first);
    return LC_ARGUMENT;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

/* The kind of class that an argument takes. */
static lc_class_kind kind_of_argument(const char *argument) {
    if (strstr(argument, "initializer")) return LC_CLASS_INITIALIZER;
    if (strstr(argument, "regularizer")) return LC_CLASS_REGULARIZER;
    if (strstr(argument, "constraint")) return LC_CLASS_CONSTRAINT;
    if (strstr(argument, "learning_rate")) return LC_CLASS_SCHEDULE;
    return LC_CLASS_LAYER;
}

static void add_or_null(lc_text *out, double v, bool whole) {
    if (v == LC_NONE) lc_text_add(out, "null");
    else if (whole) lc_text_printf(out, "%.0f", v);
    else lc_text_add_number(out, v);
}

/* Sizes for each dimension: [a, b, c], where those not given are the first. */
static void write_sizes(lc_text *out, const int32_t *v, int count, double otherwise) {
    const double first = v && v[0] ? v[0] : otherwise;
    if (first == LC_NONE) {
        lc_text_add(out, "null");
        return;
    }
    for (int i = 0; i < count; i++) lc_text_printf(out, "%s%.0f", i ? ", " : "[", v && v[i] ? v[i] : first);
    lc_text_add(out, "]");
}

static void write_dims(lc_text *out, const int32_t *v, double otherwise) {
    if (!(v && v[0]) && otherwise == LC_NONE) {
        lc_text_add(out, "null");
        return;
    }
    lc_text_add(out, "[");
    if (!(v && v[0]) && otherwise != 0) lc_text_printf(out, "%.0f", otherwise);
    for (int i = 0; v && i < 8 && v[i]; i++) lc_text_printf(out, "%s%d", i ? ", " : "", v[i]);
    lc_text_add(out, "]");
}

static void write_shape(lc_text *out, const int32_t *v, double otherwise) {
    if (!(v && v[0]) && otherwise == LC_NONE) {
        lc_text_add(out, "null");
        return;
    }
    lc_text_add(out, "[null");
    for (int i = 0; v && i < 8 && v[i]; i++) {
        if (v[i] < 0) lc_text_add(out, ", null");
        else lc_text_printf(out, ", %d", v[i]);
    }
    lc_text_add(out, "]");
}

static void write_margins(lc_text *out, const int32_t *v, int count, double otherwise) {
    bool given = false;
    for (int i = 0; v && i < 2 * count; i++) given |= v[i] != 0;
    if (count > 1) lc_text_add(out, "[");
    for (int i = 0; i < count; i++)
        lc_text_printf(out, "%s[%.0f, %.0f]", i ? ", " : "", given ? v[2 * i] : otherwise, given ? v[2 * i + 1] : otherwise);
    if (count > 1) lc_text_add(out, "]");
}

/* mirrored: {x} begins at -x, else at 0. */
static void write_range(lc_text *out, const double *v, bool mirrored, double otherwise) {
    double from = v ? v[0] : 0, to = v ? v[1] : 0;
    if (to == 0 && from >= 0) {
        to = from != 0 ? from : otherwise;
        from = mirrored ? -to : 0;
    }
    lc_text_add(out, "[");
    lc_text_add_number(out, from);
    lc_text_add(out, ", ");
    lc_text_add_number(out, to);
    lc_text_add(out, "]");
}

static bool is_given(double v) { return v != 0 || signbit(v); }

static void write_numbers(lc_text *out, const double *v, bool whole, const char *otherwise) {
    if (!v || !is_given(v[0])) {
        lc_text_add(out, otherwise);
        return;
    }
    for (int i = 0; i < 16 && is_given(v[i]); i++) {
        lc_text_add(out, i ? ", " : "[");
        add_or_null(out, v[i] == 0 ? 0 : v[i], whole);
    }
    lc_text_add(out, "]");
}

/* One axis is a number, several are a list. */
static void write_axes(lc_text *out, const int32_t *v) {
    int n = 1;
    while (v && v[0] >= 0 && n < 8 && v[n] > v[n - 1]) n++;
    if (n > 1) lc_text_add(out, "[");
    for (int i = 0; i < n; i++) lc_text_printf(out, "%s%d", i ? ", " : "", v ? v[i] : 0);
    if (n > 1) lc_text_add(out, "]");
}

static lc_status write_object(const lc_argument *f, const void *at, lc_text *out, lc_error *err) {
    lc_object v = at ? *(const lc_object *)at : (lc_object){0};
    /* The default is the name of a class, None, or NULL as the compiler sees it. */
    if (!v.class_name && isupper((unsigned char)f->text[0]) && strcmp(f->text, "None") != 0 && strcmp(f->text, "NULL") != 0)
        v.class_name = f->text;
    return lc_object_write(kind_of_argument(f->argument), &v, out, err);
}

lc_status lc_field_write(const lc_argument *f, const void *options, lc_text *out, lc_error *err) {
    const void *at = options ? (const char *)options + f->offset : NULL;
    const int32_t *whole = at;
    switch (f->kind) {
    case LC_FK_number:
    case LC_FK_whole: {
        const double v = at ? *(const double *)at : 0;
        add_or_null(out, v == 0 && !signbit(v) ? f->number : v == 0 ? 0 : v, f->kind == LC_FK_whole);
        break;
    }
    case LC_FK_numbers: write_numbers(out, at, false, "null"); break;
    case LC_FK_ids: write_numbers(out, at, true, f->text); break;
    case LC_FK_axes: write_axes(out, whole); break;
    case LC_FK_integer:
        if (!(whole && *whole) && f->number == LC_BEFORE) return lc_field_write(f - 1, options, out, err);
        add_or_null(out, whole && *whole ? *whole : f->number, true);
        break;
    case LC_FK_title:
    case LC_FK_text: {
        const char *v = at ? *(const char *const *)at : NULL;
        if (!v) v = f->text;
        if (v) lc_text_add_json(out, v, strlen(v));
        else lc_text_add(out, "null");
        break;
    }
    case LC_FK_policy: {
        const char *v = at ? *(const char *const *)at : NULL;
        if (!v) v = f->text;
        lc_text_add(out, "{\"module\": \"keras\", \"class_name\": \"DTypePolicy\", \"config\": {\"name\": ");
        lc_text_add_json(out, v, strlen(v));
        lc_text_add(out, "}, \"registered_name\": null}");
        break;
    }
    case LC_FK_call:
    case LC_FK_yes: lc_text_add(out, at && *(const bool *)at ? "true" : "false"); break;
    case LC_FK_no: lc_text_add(out, at && *(const bool *)at ? "false" : "true"); break;
    case LC_FK_single:
    case LC_FK_pair:
    case LC_FK_triple:
        if (!(whole && *whole) && f->number == LC_BEFORE) return lc_field_write(f - 1, options, out, err);
        write_sizes(out, whole, f->kind == LC_FK_single ? 1 : f->kind == LC_FK_pair ? 2 : 3, f->number);
        break;
    case LC_FK_dims: write_dims(out, whole, f->number); break;
    case LC_FK_shape: write_shape(out, whole, f->number); break;
    case LC_FK_margin1: write_margins(out, whole, 1, f->number); break;
    case LC_FK_margin2: write_margins(out, whole, 2, f->number); break;
    case LC_FK_margin3: write_margins(out, whole, 3, f->number); break;
    case LC_FK_around: write_range(out, at, true, f->number); break;
    case LC_FK_upto: write_range(out, at, false, f->number); break;
    case LC_FK_object:
    case LC_FK_extra:
    case LC_FK_layer: return write_object(f, at, out, err);
    case LC_FK_fixed: lc_text_add(out, f->text); break;
    }
    return LC_OK;
}

bool lc_field_is_left_out(const lc_argument *f, const void *options) {
    return f->kind == LC_FK_call ||
           (f->kind == LC_FK_extra && !(options && ((const lc_object *)(const void *)((const char *)options + f->offset))->class_name));
}

bool lc_field_is_wide(const lc_argument *f) { return f->kind == LC_FK_object || f->kind == LC_FK_dims || f->kind == LC_FK_numbers; }

bool lc_field_gives_way(const lc_class *class, const lc_argument *f, const void *options) {
    for (uint32_t i = 0; i < class->field_count; i++) {
        const lc_argument *other = &class->fields[i], *wide = lc_field_is_wide(f) ? f : other;
        if (other == f || strcmp(other->argument, f->argument) != 0) continue;
        const void *at = options ? (const char *)options + wide->offset : NULL;
        const bool given = at && (wide->kind == LC_FK_object ? ((const lc_object *)at)->class_name != NULL
                                  : wide->kind == LC_FK_dims ? *(const int32_t *)at != 0
                                                             : is_given(*(const double *)at));
        return given != (f == wide);
    }
    return false;
}

lc_status lc_object_write_config(const lc_class *class, const void *options, const char *before, lc_text *out, lc_error *err) {
    lc_text_add(out, "{");
    if (before) lc_text_add(out, before);
    lc_status status = LC_OK;
    bool more = before != NULL;
    for (uint32_t i = 0; i < class->field_count && status == LC_OK; i++) {
        const lc_argument *f = &class->fields[i];
        if (lc_field_is_left_out(f, options) || lc_field_gives_way(class, f, options)) continue;
        lc_text_printf(out, "%s\"%s\": ", more ? ", " : "", f->argument);
        if (f->kind == LC_FK_title && !(options && *(const char *const *)(const void *)((const char *)options + f->offset)))
            lc_text_add_json(out, class->alias, strcspn(class->alias, " "));
        else status = lc_field_write(f, options, out, err);
        more = true;
    }
    lc_text_add(out, "}");
    return status == LC_OK && out->failed ? lc_fail_memory(err, "a configuration") : status;
}

lc_status lc_object_write(lc_class_kind kind, const lc_object *object, lc_text *out, lc_error *err) {
    if (!object->class_name) {
        lc_text_add(out, "null");
        return LC_OK;
    }
    lc_class class;
    lc_status status = lc_class_named(kind, object->class_name, &class, err);
    if (status != LC_OK) return status;
    if ((kind == LC_CLASS_LOSS || kind == LC_CLASS_METRIC) && !object->options && !object->config) {
        lc_text_add_json(out, object->class_name, strlen(object->class_name));
        return out->failed ? lc_fail_memory(err, "a configuration") : LC_OK;
    }
    lc_text_printf(out, "{\"module\": \"%s\", \"class_name\": \"%s\", \"config\": ", kind_module[kind], class.name);
    if (object->config) lc_text_add(out, object->config);
    else status = lc_object_write_config(&class, object->options, NULL, out, err);
    lc_text_add(out, ", \"registered_name\": null}");
    return status == LC_OK && out->failed ? lc_fail_memory(err, "a configuration") : status;
}
