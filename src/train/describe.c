/*
 * describe.c: layers and calls are noted as they are made, each layer with its configuration as text and a name that is settled at once.
 *
 * How several tensors are passed to a layer is a table by class, because Keras writes it in four ways: one argument that is a list, one
 * argument each, the states of a recurrent layer by keyword, or one tensor only.
 *
 * Stays true: names are unique; a symbol names a layer and a call that are there, of this description. So calls can only take what
 * calls before them gave, and the graph has no cycles.
 *
 * Refuses: a layer without what it must be told (Dense without units), a symbol of another model, the wrong number of tensors, a rate
 * outside 0 to 1, two layers of one name.
 */
#include "train/describe.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- errors, names ------------------------------------------------------------------------------------------------ */

void lc_describe_begin(lc_description *d, bool sequential, const char *name) {
    *d = (lc_description){.sequential = sequential};
    lc_error_clear(&d->error);
    if (!name || !*name) name = sequential ? "sequential" : "functional";
    d->name = lc_arena_strndup(&d->arena, name, strlen(name));
    if (!d->name) d->status = lc_fail_memory(&d->error, "a model");
}

void lc_describe_end(lc_description *d) {
    lc_arena_deinit(&d->arena);
    *d = (lc_description){0};
}

lc_status lc_describe_fail(lc_description *d, lc_status status, const char *format, ...) {
    if (d->status != LC_OK) return d->status;
    char message[sizeof d->error.message];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    return d->status = lc_fail(&d->error, status, "%s", message);
}

static lc_status no_memory(lc_description *d) {
    if (d->status == LC_OK) d->status = lc_fail_memory(&d->error, "a model");
    return d->status;
}

/* Grows one of the arrays of a description so that one more fits. */
static bool room(lc_description *d, void *array, size_t *capacity, size_t count, size_t size) {
    void *items;
    memcpy(&items, array, sizeof items);
    if (!lc_arena_grow(&d->arena, &items, capacity, count + 1, size)) return no_memory(d), false;
    memcpy(array, &items, sizeof items);
    return true;
}

int32_t lc_described_find(const lc_description *d, const char *name) {
    for (size_t i = 0; i < d->layer_count; i++)
        if (strcmp(d->layers[i].name, name) == 0) return (int32_t)i;
    return -1;
}

/* MaxPooling2D: max_pooling2d, PReLU: p_re_lu. */
static void snake(const char *class_name, char *out, size_t size) {
    size_t n = 0;
    for (const char *s = class_name; *s && n + 2 < size; s++) {
        if (s > class_name && isupper((unsigned char)*s) && (islower((unsigned char)s[1]) || islower((unsigned char)s[-1]))) out[n++] = '_';
        out[n++] = (char)tolower((unsigned char)*s);
    }
    out[n] = '\0';
}

typedef struct lc_name_count {
    const char *base;
    uint32_t count;
} lc_name_count;

/* The next free name of Keras's kind: base, base_1, base_2. NULL after an error. */
static const char *automatic(lc_description *d, const char *base) {
    size_t at = 0;
    while (at < d->count_count && strcmp(d->counts[at].base, base) != 0) at++;
    lc_name_count *c = at < d->count_count ? &d->counts[at] : NULL;
    if (!c) {
        char *copy = lc_arena_strndup(&d->arena, base, strlen(base));
        if (!copy) return no_memory(d), NULL;
        if (!room(d, &d->counts, &d->count_capacity, d->count_count, sizeof *c)) return NULL;
        c = &d->counts[d->count_count++];
        *c = (lc_name_count){copy, 0};
    }
    char *name;
    do {
        name = c->count ? lc_arena_printf(&d->arena, "%s_%u", base, c->count) : lc_arena_strndup(&d->arena, base, strlen(base));
        if (!name) return no_memory(d), NULL;
        c->count++;
    } while (lc_described_find(d, name) >= 0);
    return name;
}

static const char *name_of(const lc_class *class, const void *options) {
    for (uint32_t i = 0; options && i < class->field_count; i++)
        if (strcmp(class->fields[i].argument, "name") == 0)
            return *(const char *const *)(const void *)((const char *)options + class->fields[i].offset);
    return NULL;
}

static const char *layer_name(lc_description *d, const lc_class *class, const void *options) {
    const char *given = name_of(class, options);
    if (given && *given) {
        char *copy = lc_arena_strndup(&d->arena, given, strlen(given));
        if (!copy) no_memory(d);
        return copy;
    }
    char base[64];
    snake(class->name, base, sizeof base);
    return automatic(d, base);
}

/* ---- configurations ----------------------------------------------------------------------------------------------- */

/* Sizes end at the first 0: one behind it was meant otherwise. */
static lc_status check_sizes(lc_description *d, const lc_class *class, const lc_argument *f, const int32_t *v, const char *name) {
    int n = 0;
    while (n < 8 && v[n]) n++;
    for (int i = n; i < 8; i++)
        if (v[i]) return lc_describe_fail(d, LC_ARGUMENT, "layer '%.100s' (%s): %s has a 0 in it", name, class->name, f->argument);
    for (int i = 0; i < n; i++)
        if (v[i] < -1 && strncmp(f->argument, "ax", 2) != 0) /* axes may be counted from the last */
            return lc_describe_fail(d, LC_ARGUMENT, "layer '%.100s' (%s): %s has %d in it", name, class->name, f->argument, v[i]);
    return LC_OK;
}

/* The largest of a field's sizes; 1 where there is none. */
static int32_t largest(const lc_class *class, const void *options, const char *argument) {
    for (uint32_t i = 0; options && i < class->field_count; i++) {
        const lc_argument *f = &class->fields[i];
        const int n = f->kind == LC_FK_single ? 1 : f->kind == LC_FK_pair ? 2 : f->kind == LC_FK_triple ? 3 : 0;
        if (!n || strcmp(f->argument, argument) != 0) continue;
        const int32_t *v = (const int32_t *)(const void *)((const char *)options + f->offset);
        int32_t most = 1;
        for (int k = 0; k < n; k++) most = v[k] > most ? v[k] : most;
        return most;
    }
    return 1;
}

/* Keras has convolutions with steps or with gaps, not with both. */
static lc_status check_windows(lc_description *d, const lc_class *class, const void *options, const char *name) {
    const int32_t strides = largest(class, options, "strides"), gaps = largest(class, options, "dilation_rate");
    if (strides == 1 || gaps == 1) return LC_OK;
    lc_describe_fail(d, LC_ARGUMENT, "layer '%.100s' (%s): strides of %d together with a dilation_rate of %d", name, class->name, strides,
                     gaps);
    lc_error_hint(&d->error, "one of them must be 1, as in Keras; a layer with gaps and a pooling or cropping layer behind it do the same");
    return d->status;
}

/* What must be given has 0 for a default, which no layer can have. */
static lc_status check_options(lc_description *d, const lc_class *class, const void *options, const char *name) {
    for (uint32_t i = 0; i < class->field_count; i++) {
        const lc_argument *f = &class->fields[i];
        const void *at = options ? (const char *)options + f->offset : NULL;
        const bool size = f->kind == LC_FK_integer || f->kind == LC_FK_single || f->kind == LC_FK_pair || f->kind == LC_FK_triple;
        if (size && f->number == 0 && strcmp(f->argument, "axes") != 0) {
            const int32_t v = at ? *(const int32_t *)at : 0;
            if (v == 0) {
                lc_describe_fail(d, LC_ARGUMENT, "layer '%.100s' (%s) has no %s", name, class->name, f->argument);
                lc_error_hint(&d->error, "give it as in Keras: .%s = ...", f->argument);
                return d->status;
            }
            if (v < 0)
                return lc_describe_fail(d, LC_ARGUMENT, "layer '%.100s' (%s): %s is %d, needs at least 1", name, class->name, f->argument,
                                        v);
        }
        if (at && (f->kind == LC_FK_shape || f->kind == LC_FK_dims)) LC_TRY(check_sizes(d, class, f, at, name));
        if (f->kind == LC_FK_number && (strcmp(f->argument, "rate") == 0 || strstr(f->argument, "dropout"))) {
            const double v = at ? *(const double *)at : 0;
            if (!(v >= 0 && v <= 1))
                return lc_describe_fail(d, LC_ARGUMENT, "layer '%.100s' (%s): %s is %g, needs 0 to 1", name, class->name, f->argument, v);
        }
    }
    return check_windows(d, class, options, name);
}

/* Options that came as JSON, as they are; Keras has defaults for the others. */
static lc_status copy_config(lc_description *d, const lc_class *class, const char *json, const char *name, lc_text *out) {
    const char *open = json + strspn(json, " \t\r\n");
    if (*open != '{' || strstr(open, "\"name\"")) {
        lc_describe_fail(d, LC_ARGUMENT, "the options of a layer %s are %s", class->name, *open == '{' ? "named" : "no JSON object");
        lc_error_hint(&d->error, "write {\"argument\": value, ...} without a name, which is given");
        return d->status;
    }
    lc_text_add(out, "{\"name\": ");
    lc_text_add_json(out, name, strlen(name));
    open++;
    lc_text_add(out, open[strspn(open, " \t\r\n")] == '}' ? "" : ", ");
    lc_text_add(out, open);
    return out->failed ? no_memory(d) : LC_OK;
}

static lc_status write_config(lc_description *d, const lc_class *class, const void *options, const char *name, bool reversed, lc_text *out);

/* The configuration of a layer, given either way. */
static lc_status write_options(lc_description *d, const lc_class *class, const lc_object *layer, const char *name, bool reversed,
                               lc_text *out) {
    if (!layer->config) return write_config(d, class, layer->options, name, reversed, out);
    if (!reversed) return copy_config(d, class, layer->config, name, out);
    lc_describe_fail(d, LC_ARGUMENT, "layer '%.100s' (%s): which way it runs is not known of options in JSON", name, class->name);
    lc_error_hint(&d->error, "give the backward_layer, too");
    return d->status;
}

/* The layer within a layer. prefix: what its name begins with; reversed: it runs the other way than it says. */
static lc_status write_inner(lc_description *d, const lc_object *object, const char *own, const char *prefix, bool reversed, lc_text *out) {
    lc_class class;
    lc_status status = lc_class_named(LC_CLASS_LAYER, object->class_name, &class, &d->error);
    if (status != LC_OK) return d->status = status;
    const char *name = lc_arena_printf(&d->arena, "%s%s", strncmp(own, prefix, strlen(prefix)) == 0 ? "" : prefix, own);
    if (!name) return no_memory(d);
    lc_text_printf(out, "{\"module\": \"keras.layers\", \"class_name\": \"%s\", \"config\": ", class.name);
    status = write_options(d, &class, object, name, reversed, out);
    lc_text_add(out, ", \"registered_name\": null}");
    return status;
}

/* The first option for calls that is chosen, from field `from` on; NULL: none. */
static const lc_argument *call_option(const lc_class *class, const void *options, uint32_t from) {
    for (uint32_t i = from; options && i < class->field_count; i++) {
        const lc_argument *f = &class->fields[i];
        if (f->kind == LC_FK_call && *(const bool *)((const char *)options + f->offset)) return f;
    }
    return NULL;
}

/* The members "layer" and "backward_layer" of a wrapper. */
static lc_status write_wrapped(lc_description *d, const lc_class *class, const void *options, const char *name, lc_text *out) {
    lc_object layer = {0}, backward = {0};
    for (uint32_t i = 0; options && i < class->field_count; i++) {
        const lc_argument *f = &class->fields[i];
        if (f->kind != LC_FK_layer) continue;
        const lc_object *o = (const lc_object *)(const void *)((const char *)options + f->offset);
        if (strcmp(f->argument, "layer") == 0) layer = *o;
        else backward = *o;
    }
    lc_class inner;
    if (!layer.class_name) return lc_describe_fail(d, LC_ARGUMENT, "layer '%.100s' (%s) has no layer in it", name, class->name);
    if (lc_class_named(LC_CLASS_LAYER, layer.class_name, &inner, &d->error) != LC_OK) return d->status = LC_ARGUMENT;
    const lc_argument *of_calls = call_option(&inner, layer.options, 0);
    if (of_calls)
        return lc_describe_fail(d, LC_ARGUMENT, "layer '%.100s' (%s): it calls the layer in it without %s", name, class->name,
                                of_calls->argument);
    const char *own = layer_name(d, &inner, layer.options);
    if (!own) return d->status;
    const bool both = strcmp(class->name, "Bidirectional") == 0;
    lc_text_add(out, ", \"layer\": ");
    LC_TRY(write_inner(d, &layer, own, both ? "forward_" : "", false, out));
    if (!both) return LC_OK;
    const bool mirrored = !backward.class_name;
    if (!mirrored) {
        if (lc_class_named(LC_CLASS_LAYER, backward.class_name, &inner, &d->error) != LC_OK) return d->status = LC_ARGUMENT;
        own = layer_name(d, &inner, backward.options);
        if (!own) return d->status;
    } else if (strncmp(own, "forward_", 8) == 0) {
        own += 8;
    }
    lc_text_add(out, ", \"backward_layer\": ");
    return write_inner(d, mirrored ? &layer : &backward, own, "backward_", mirrored, out);
}

static lc_status write_config(lc_description *d, const lc_class *class, const void *options, const char *name, bool reversed,
                              lc_text *out) {
    LC_TRY(check_options(d, class, options, name));
    lc_text_add(out, "{\"name\": ");
    lc_text_add_json(out, name, strlen(name));
    bool wraps = false;
    for (uint32_t i = 0; i < class->field_count; i++) {
        const lc_argument *f = &class->fields[i];
        wraps |= f->kind == LC_FK_layer;
        if (strcmp(f->argument, "name") == 0 || f->kind == LC_FK_layer || lc_field_is_left_out(f, options) ||
            lc_field_gives_way(class, f, options))
            continue;
        lc_text_printf(out, ", \"%s\": ", f->argument);
        if (reversed && strcmp(f->argument, "go_backwards") == 0) {
            const bool back = options && *(const bool *)((const char *)options + f->offset);
            lc_text_add(out, back ? "false" : "true");
        } else {
            const lc_status status = lc_field_write(f, options, out, &d->error);
            if (status != LC_OK) return d->status = status;
        }
    }
    if (wraps) LC_TRY(write_wrapped(d, class, options, name, out));
    lc_text_add(out, "}");
    return out->failed ? no_memory(d) : LC_OK;
}

/* ---- layers and calls --------------------------------------------------------------------------------------------- */

static void add_text(lc_text *out, const char *s) { lc_text_add_json(out, s, strlen(s)); }

static int32_t add_layer(lc_description *d, const lc_described_layer *layer, lc_text *config) {
    int32_t index = -1;
    if (d->status == LC_OK && config->failed) no_memory(d);
    if (d->status == LC_OK && strchr(layer->name, '/'))
        lc_describe_fail(d, LC_ARGUMENT, "layer '%.100s': a name cannot have / in it", layer->name);
    if (d->status == LC_OK && lc_described_find(d, layer->name) >= 0)
        lc_describe_fail(d, LC_ARGUMENT, "two layers of model '%.100s' are named '%.100s'", d->name, layer->name);
    char *copy = d->status == LC_OK ? lc_arena_strndup(&d->arena, config->data, config->size) : NULL;
    if (d->status == LC_OK && !copy) no_memory(d);
    if (d->status == LC_OK && room(d, &d->layers, &d->layer_capacity, d->layer_count, sizeof *d->layers)) {
        index = (int32_t)d->layer_count++;
        d->layers[index] = *layer;
        d->layers[index].config = copy;
    }
    lc_text_deinit(config);
    return index;
}

/* What the calls of the layer are given besides tensors. */
static void read_call_options(lc_description *d, const lc_class *class, const void *options, lc_described_layer *layer) {
    lc_text text = {0};
    for (const lc_argument *f = class->fields; (f = call_option(class, options, (uint32_t)(f - class->fields))); f++) {
        if (strcmp(f->argument, "attention_mask") == 0) layer->masked = true;
        else lc_text_printf(&text, "%s\"%s\": true", text.size ? ", " : "", f->argument);
    }
    if (text.size) layer->call_keywords = lc_arena_strndup(&d->arena, text.data, text.size);
    if (d->status == LC_OK && (text.failed || (text.size && !layer->call_keywords))) no_memory(d);
    lc_text_deinit(&text);
}

int32_t lc_describe_layer(lc_description *d, const lc_object *layer) {
    if (d->status != LC_OK) return -1;
    lc_class class;
    if ((d->status = lc_class_named(LC_CLASS_LAYER, layer->class_name, &class, &d->error)) != LC_OK) return -1;
    const char *name = layer_name(d, &class, layer->options);
    if (!name) return -1;
    const bool input = strcmp(class.name, "InputLayer") == 0;
    if (input && d->sequential && d->layer_count > 0) {
        lc_describe_fail(d, LC_ARGUMENT, "an input in the middle of model '%.100s', after layer '%.100s'", d->name,
                         d->layers[d->layer_count - 1].name);
        lc_error_hint(&d->error, "the input is the first layer of a sequential model; with several use lc_functional");
        return -1;
    }
    lc_text config = {0};
    (void)write_options(d, &class, layer, name, false, &config); /* what fails is in d->status */
    lc_described_layer described = {.name = name, .class_name = class.name, .is_input = input};
    read_call_options(d, &class, layer->options, &described);
    return add_layer(d, &described, &config);
}

int32_t lc_describe_model(lc_description *d, const lc_description *model) {
    if (d->status != LC_OK) return -1;
    if (model->status != LC_OK) {
        d->error = model->error;
        d->status = model->status;
        return -1;
    }
    const char *name = automatic(d, model->name);
    if (!name) return -1;
    lc_text text = {0};
    lc_status status = lc_describe_json(model, name, &text, &d->error);
    if (status != LC_OK) d->status = status;
    return add_layer(d,
                     &(lc_described_layer){.name = name,
                                           .class_name = model->sequential ? "Sequential" : "Functional",
                                           .is_sequential = model->sequential,
                                           .is_functional = !model->sequential},
                     &text);
}

int32_t lc_describe_config(lc_description *d, const lc_json *model, const char *keras_version) {
    if (d->status != LC_OK) return -1;
    const lc_json *config = lc_json_get(model, "config");
    const bool sequential = strcmp(lc_json_str(model, "class_name", ""), "Sequential") == 0;
    const char *name = automatic(d, lc_json_str(config, "name", sequential ? "sequential" : "functional"));
    if (!name) return -1;
    lc_text text = {0};
    lc_text_printf(&text, "{\"module\": \"%s\", \"class_name\": \"%s\", \"config\": {\"name\": ",
                   sequential ? "keras" : "keras.src.models.functional", sequential ? "Sequential" : "Functional");
    add_text(&text, name);
    for (uint32_t i = 0; config && i < config->count; i++) {
        if (strcmp(config->items[i].key, "name") == 0) continue;
        lc_text_add(&text, ", ");
        add_text(&text, config->items[i].key);
        lc_text_add(&text, ": ");
        lc_json_write(&config->items[i], &text);
    }
    lc_text_add(&text, "}");
    if (keras_version) {
        lc_text_add(&text, ", \"keras_version\": ");
        add_text(&text, keras_version);
    }
    lc_text_add(&text, sequential ? ", \"registered_name\": null}" : ", \"registered_name\": \"Functional\"}");
    const lc_described_layer layer = {
        .name = name, .class_name = sequential ? "Sequential" : "Functional", .is_sequential = sequential, .is_functional = !sequential};
    return add_layer(d, &layer, &text);
}

/* How a class takes several tensors. */
typedef enum manner { ONE, LIST, EACH, STATES } manner;
typedef struct passing {
    const char *class_name;
    manner how;
    uint32_t least, most;
    const char *keywords; /* what Keras writes besides */
} passing;

static const passing passings[] = {
    {"Add", LIST, 2, UINT32_MAX, ""},
    {"Subtract", LIST, 2, 2, ""},
    {"Multiply", LIST, 2, UINT32_MAX, ""},
    {"Average", LIST, 2, UINT32_MAX, ""},
    {"Maximum", LIST, 2, UINT32_MAX, ""},
    {"Minimum", LIST, 2, UINT32_MAX, ""},
    {"Concatenate", LIST, 2, UINT32_MAX, ""},
    {"Dot", LIST, 2, 2, ""},
    {"Attention", LIST, 2, 3, ""},
    {"AdditiveAttention", LIST, 2, 3, ""},
    {"MultiHeadAttention", EACH, 2, 3, ""},
    {"LSTM", STATES, 1, 3, "\"mask\": null"},
    {"GRU", STATES, 1, 2, "\"mask\": null"},
    {"SimpleRNN", STATES, 1, 2, "\"mask\": null"},
    {"Bidirectional", STATES, 1, 5, "\"mask\": null"},
    {"TimeDistributed", ONE, 1, 1, "\"mask\": null"},
    {"BatchNormalization", ONE, 1, 1, "\"mask\": null"},
    {"GlobalAveragePooling1D", ONE, 1, 1, "\"mask\": null"},
    {"Softmax", ONE, 1, 1, "\"mask\": null"},
    {"Sequential", ONE, 1, 1, "\"mask\": null"},
    {"Functional", LIST, 1, UINT32_MAX, "\"mask\": null"},
};

static passing passing_of(const lc_described_layer *l) {
    for (size_t i = 0; i < sizeof passings / sizeof passings[0]; i++)
        if (strcmp(l->class_name, passings[i].class_name) == 0) {
            passing p = passings[i];
            if (l->masked) p.least++, p.most++;
            return p;
        }
    return (passing){l->class_name, ONE, 1, 1, ""};
}

static const lc_symbol nothing = {NULL, -1, -1, -1};

/* Notes one call and gives its first output. */
static lc_symbol note_call(lc_description *d, int32_t layer, const lc_symbol *inputs, size_t count) {
    lc_symbol *copy = lc_arena_array(&d->arena, count, sizeof *copy);
    if (!copy) return no_memory(d), nothing;
    if (count) memcpy(copy, inputs, count * sizeof *copy);
    if (!room(d, &d->calls, &d->call_capacity, d->call_count, sizeof *d->calls)) return nothing;
    lc_described_layer *l = &d->layers[layer];
    d->calls[d->call_count++] =
        (lc_described_call){.layer = layer, .number = (int32_t)l->call_count, .inputs = copy, .input_count = (uint32_t)count};
    return (lc_symbol){d, layer, (int32_t)l->call_count++, 0};
}

lc_symbol lc_describe_input(lc_description *d, const lc_object *layer) {
    const int32_t index = lc_describe_layer(d, layer);
    if (index < 0) return nothing;
    if (!d->layers[index].is_input) {
        lc_describe_fail(d, LC_ARGUMENT, "the input of model '%.100s' is a layer %s", d->name, d->layers[index].class_name);
        lc_error_hint(&d->error, "an input is LC_INPUT({28, 28})");
        return nothing;
    }
    const lc_symbol s = note_call(d, index, NULL, 0);
    if (d->status != LC_OK || !room(d, &d->inputs, &d->input_capacity, d->input_count, sizeof s)) return nothing;
    return d->inputs[d->input_count++] = s;
}

static lc_status check_symbols(lc_description *d, const lc_symbol *symbols, size_t count, const char *who) {
    for (size_t i = 0; i < count; i++) {
        const lc_symbol *s = &symbols[i];
        const bool known = s->of == d && s->layer >= 0 && (size_t)s->layer < d->layer_count && s->call >= 0 &&
                           (uint32_t)s->call < d->layers[s->layer].call_count && s->tensor >= 0;
        if (!known) return lc_describe_fail(d, LC_ARGUMENT, "input %zu of %s is no tensor of model '%.100s'", i, who, d->name);
    }
    return LC_OK;
}

lc_symbol lc_describe_call(lc_description *d, int32_t layer, const lc_symbol *inputs, size_t count) {
    if (d->status != LC_OK) return nothing;
    if (d->sequential || layer < 0 || (size_t)layer >= d->layer_count || d->layers[layer].is_input) {
        lc_describe_fail(d, LC_ARGUMENT, "model '%.100s': %s", d->name,
                         d->sequential ? "layers of a sequential model are not called" : "this is no layer to call");
        return nothing;
    }
    const lc_described_layer *l = &d->layers[layer];
    const passing p = passing_of(l);
    char who[200];
    snprintf(who, sizeof who, "layer '%.100s' (%s)", l->name, l->class_name);
    if (check_symbols(d, inputs, count, who) != LC_OK) return nothing;
    if (count < p.least || count > p.most) {
        if (p.least == p.most) lc_describe_fail(d, LC_ARGUMENT, "%s is given %zu tensors, takes %u", who, count, p.least);
        else
            lc_describe_fail(d, LC_ARGUMENT, "%s is given %zu tensors, takes at %s %u", who, count, count < p.least ? "least" : "most",
                             count < p.least ? p.least : p.most);
        return nothing;
    }
    return note_call(d, layer, inputs, count);
}

void lc_describe_outputs(lc_description *d, const lc_symbol *outputs, size_t count) {
    if (d->status != LC_OK || check_symbols(d, outputs, count, "the outputs") != LC_OK) return;
    lc_symbol *copy = lc_arena_array(&d->arena, count, sizeof *copy);
    if (!copy) {
        no_memory(d);
        return;
    }
    if (count) memcpy(copy, outputs, count * sizeof *copy);
    d->outputs = copy;
    d->output_count = count;
}

/* ---- order -------------------------------------------------------------------------------------------------------- */

/* What of a functional model leads to its outputs, in Keras's order. */
typedef struct order {
    int32_t *layers; /* by depth from the outputs, deepest first; of one depth as a walk from the outputs meets them */
    size_t layer_count;
    int32_t *call_at; /* [layer_count] where its calls begin in `calls` */
    int32_t *calls;   /* all calls, by layer and number */
    bool *used;       /* [call_count] */
    int32_t *number;  /* [call_count] of the calls of its layer that are used */
} order;

typedef struct walk {
    const lc_description *d;
    int32_t *stack, *next;
    int32_t *met;    /* [layer] when the walk met it first; -1: not */
    int32_t *finish; /* calls as the walk leaves them */
    size_t finished;
    int32_t met_count;
} walk;

static int32_t call_of(const order *o, const lc_symbol *s) { return o->calls[o->call_at[s->layer] + s->call]; }

/* Depth first, from one output. A stack instead of recursion: the depth is the caller's. */
static void visit(walk *w, order *o, int32_t call) {
    size_t n = 0;
    if (o->used[call]) return;
    w->stack[n++] = call;
    for (bool fresh = true; n > 0;) {
        const int32_t c = w->stack[n - 1];
        const lc_described_call *k = &w->d->calls[c];
        if (fresh) {
            o->used[c] = true;
            w->next[c] = 0;
            if (w->met[k->layer] < 0) w->met[k->layer] = w->met_count++;
        }
        fresh = false;
        if ((uint32_t)w->next[c] == k->input_count) {
            w->finish[w->finished++] = c;
            n--;
            continue;
        }
        const int32_t from = call_of(o, &k->inputs[w->next[c]++]);
        if (!o->used[from]) {
            w->stack[n++] = from;
            fresh = true;
        }
    }
}

static void sort_layers(const lc_description *d, const walk *w, const int32_t *depth, order *o) {
    int32_t deepest = 0;
    for (size_t i = 0; i < d->layer_count; i++)
        if (w->met[i] >= 0 && depth[i] > deepest) deepest = depth[i];
    /* by[m]: the layer met m-th; then one counting sort by depth keeps that order */
    int32_t *by = w->stack, *start = w->next;
    for (size_t i = 0; i < d->layer_count; i++)
        if (w->met[i] >= 0) by[w->met[i]] = (int32_t)i;
    memset(start, 0, ((size_t)deepest + 2) * sizeof *start);
    for (int32_t m = 0; m < w->met_count; m++) start[deepest - depth[by[m]] + 1]++;
    for (int32_t k = 1; k <= deepest; k++) start[k] += start[k - 1];
    for (int32_t m = 0; m < w->met_count; m++) o->layers[start[deepest - depth[by[m]]]++] = by[m];
    o->layer_count = (size_t)w->met_count;
}

static lc_status find_order(const lc_description *d, lc_arena *arena, order *o, lc_error *err) {
    const size_t calls = d->call_count, layers = d->layer_count, most = (calls > layers ? calls : layers) + 2;
    walk w = {.d = d};
    int32_t *depth = lc_arena_array(arena, layers + 1, sizeof *depth), *call_depth = lc_arena_array(arena, calls + 1, sizeof *depth);
    o->call_at = lc_arena_array(arena, layers + 1, sizeof *o->call_at);
    o->calls = lc_arena_array(arena, calls + 1, sizeof *o->calls);
    w.stack = lc_arena_array(arena, most, sizeof *w.stack);
    w.next = lc_arena_array(arena, most, sizeof *w.next);
    w.met = lc_arena_array(arena, layers + 1, sizeof *w.met);
    w.finish = lc_arena_array(arena, calls + 1, sizeof *w.finish);
    o->layers = lc_arena_array(arena, layers + 1, sizeof *o->layers);
    o->used = lc_arena_array(arena, calls + 1, sizeof *o->used);
    o->number = lc_arena_array(arena, calls + 1, sizeof *o->number);
    if (!depth || !call_depth || !o->call_at || !o->calls || !w.stack || !w.next || !w.met || !w.finish || !o->layers || !o->used ||
        !o->number)
        return lc_fail_memory(err, "a model");
    for (size_t i = 0; i < layers; i++) w.met[i] = -1;
    for (size_t i = 0, at = 0; i < layers; at += d->layers[i++].call_count) o->call_at[i] = (int32_t)at;
    for (size_t c = 0; c < calls; c++) o->calls[o->call_at[d->calls[c].layer] + d->calls[c].number] = (int32_t)c;
    for (size_t i = 0; i < d->output_count; i++) visit(&w, o, call_of(o, &d->outputs[i]));
    /* From the outputs back: a call is one deeper than the deepest that takes its tensors, and no less deep than its layer already is. */
    for (size_t i = w.finished; i-- > 0;) {
        const int32_t c = w.finish[i];
        const lc_described_call *k = &d->calls[c];
        if (depth[k->layer] > call_depth[c]) call_depth[c] = depth[k->layer];
        depth[k->layer] = call_depth[c];
        for (uint32_t j = 0; j < k->input_count; j++) {
            const int32_t from = call_of(o, &k->inputs[j]);
            if (call_depth[from] < call_depth[c] + 1) call_depth[from] = call_depth[c] + 1;
        }
    }
    /* An input that leads nowhere stays; of all layers of no depth it is the first. */
    for (size_t i = d->input_count; i-- > 0;) {
        const int32_t layer = d->inputs[i].layer;
        if (w.met[layer] >= 0) continue;
        for (size_t k = 0; k < layers; k++)
            if (w.met[k] >= 0) w.met[k]++;
        w.met[layer] = 0;
        w.met_count++;
        o->used[call_of(o, &d->inputs[i])] = true;
    }
    sort_layers(d, &w, depth, o);
    for (size_t i = 0; i < layers; i++)
        for (int32_t k = 0, n = 0; k < (int32_t)d->layers[i].call_count; k++) {
            const int32_t c = o->calls[o->call_at[i] + k];
            o->number[c] = n;
            n += o->used[c];
        }
    return LC_OK;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static void write_ref(lc_text *out, const char *layer, int32_t call, int32_t tensor) {
    lc_text_add(out, "[");
    add_text(out, layer);
    lc_text_printf(out, ", %d, %d]", call, tensor);
}

/* The shape is what nobody reads: Keras works it out again, and here it is not known. */
static void write_tensor(const lc_description *d, const order *o, const lc_symbol *s, lc_text *out) {
    lc_text_add(out, "{\"class_name\": \"__keras_tensor__\", \"config\": {\"shape\": [null], \"dtype\": \"float32\", \"keras_history\": ");
    write_ref(out, d->layers[s->layer].name, o->number[call_of(o, s)], s->tensor);
    lc_text_add(out, "}}");
}

static void write_tensors(const lc_description *d, const order *o, const lc_symbol *s, uint32_t count, lc_text *out) {
    for (uint32_t i = 0; i < count; i++) {
        if (i) lc_text_add(out, ", ");
        write_tensor(d, o, &s[i], out);
    }
}

static void write_call(const lc_description *d, const order *o, const lc_described_call *c, lc_text *out) {
    const passing p = passing_of(&d->layers[c->layer]);
    const bool list = p.how == LIST && (c->input_count > 1 || p.least > 1);
    const lc_described_layer *l = &d->layers[c->layer];
    const uint32_t first = p.how == STATES ? 1 : c->input_count - l->masked;
    const char *comma = *p.keywords ? ", " : "";
    lc_text_add(out, list ? "{\"args\": [[" : "{\"args\": [");
    write_tensors(d, o, c->inputs, first, out);
    lc_text_printf(out, "%s, \"kwargs\": {%s", list ? "]]" : "]", p.keywords);
    if (l->call_keywords) {
        lc_text_printf(out, "%s%s", comma, l->call_keywords);
        comma = ", ";
    }
    if (l->masked) {
        lc_text_printf(out, "%s\"attention_mask\": ", comma);
        write_tensor(d, o, &c->inputs[first], out);
    } else if (c->input_count > first) {
        lc_text_printf(out, "%s\"initial_state\": [", comma);
        write_tensors(d, o, c->inputs + first, c->input_count - first, out);
        lc_text_add(out, "]");
    }
    lc_text_add(out, "}}");
}

/* Without the brace at the end, so that the caller may go on. */
static void write_layer(const lc_described_layer *l, lc_text *out) {
    if (l->is_sequential || l->is_functional) {
        lc_text_add_n(out, l->config, strlen(l->config) - 1);
        return;
    }
    lc_text_printf(out, "{\"module\": \"keras.layers\", \"class_name\": \"%s\", \"config\": ", l->class_name);
    lc_text_add(out, l->config);
    lc_text_add(out, ", \"registered_name\": null");
}

static void write_sequential(const lc_description *d, const char *name, lc_text *out) {
    lc_text_add(out, "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": ");
    add_text(out, name);
    lc_text_add(out, ", \"trainable\": true, \"dtype\": {\"module\": \"keras\", \"class_name\": \"DTypePolicy\", "
                     "\"config\": {\"name\": \"float32\"}, \"registered_name\": null}, \"layers\": [");
    for (size_t i = 0; i < d->layer_count; i++) {
        if (i) lc_text_add(out, ", ");
        write_layer(&d->layers[i], out);
        lc_text_add(out, "}");
    }
    lc_text_add(out, "]}, \"registered_name\": null}");
}

static void write_ends(const lc_description *d, const order *o, const char *member, const lc_symbol *s, size_t count, lc_text *out) {
    lc_text_printf(out, ", \"%s\": %s", member, count == 1 ? "" : "[");
    for (size_t i = 0; i < count; i++) {
        const lc_described_layer *l = &d->layers[s[i].layer];
        if (i) lc_text_add(out, ", ");
        /* Of a model within, Keras counts the call that made it, here and nowhere else. */
        write_ref(out, l->name, o->number[call_of(o, &s[i])] + l->is_functional, s[i].tensor);
    }
    if (count != 1) lc_text_add(out, "]");
}

static void write_functional(const lc_description *d, const order *o, const char *name, lc_text *out) {
    lc_text_add(out, "{\"module\": \"keras.src.models.functional\", \"class_name\": \"Functional\", \"config\": {\"name\": ");
    add_text(out, name);
    lc_text_add(out, ", \"trainable\": true, \"layers\": [");
    for (size_t i = 0; i < o->layer_count; i++) {
        const lc_described_layer *l = &d->layers[o->layers[i]];
        if (i) lc_text_add(out, ", ");
        write_layer(l, out);
        lc_text_add(out, ", \"name\": ");
        add_text(out, l->name);
        lc_text_add(out, ", \"inbound_nodes\": [");
        const int32_t *calls = &o->calls[o->call_at[o->layers[i]]];
        for (uint32_t k = 0, n = 0; k < l->call_count && !l->is_input; k++) {
            if (!o->used[calls[k]]) continue;
            if (n++) lc_text_add(out, ", ");
            write_call(d, o, &d->calls[calls[k]], out);
        }
        lc_text_add(out, "]}");
    }
    lc_text_add(out, "]");
    write_ends(d, o, "input_layers", d->inputs, d->input_count, out);
    write_ends(d, o, "output_layers", d->outputs, d->output_count, out);
    lc_text_add(out, "}, \"registered_name\": \"Functional\"}");
}

lc_status lc_describe_json(const lc_description *d, const char *name, lc_text *out, lc_error *err) {
    if (d->status != LC_OK) {
        if (err) *err = d->error;
        return d->status;
    }
    if (d->sequential && !d->layer_count) {
        lc_fail(err, LC_ARGUMENT, "model '%.100s' has no layers", d->name);
        lc_error_hint(err, "add them: lc_add(net, LC_DENSE(10))");
        return LC_ARGUMENT;
    }
    if (!d->sequential && !d->output_count) {
        lc_fail(err, LC_ARGUMENT, "model '%.100s' has no outputs", d->name);
        lc_error_hint(err, "say what it gives: lc_outputs(net, &y, 1)");
        return LC_ARGUMENT;
    }
    if (d->sequential) {
        write_sequential(d, name ? name : d->name, out);
    } else {
        lc_arena arena = {0};
        order o = {0};
        lc_status status = find_order(d, &arena, &o, err);
        if (status == LC_OK) write_functional(d, &o, name ? name : d->name, out);
        lc_arena_deinit(&arena);
        if (status != LC_OK) return status;
    }
    return out->failed ? lc_fail_memory(err, "a configuration") : LC_OK;
}
