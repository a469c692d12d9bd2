/*
 * keras_legacy.c: files of Keras 1 in the words of Keras 2, so that nobody else has to know the old ones. Two things are changed:
 *
 *   the configuration   layers and arguments of other names (keras_legacy.def); a Merge layer is the layer its mode names; paddings that are
 *                       written as {"top_pad": 1, ...} or as four numbers are pairs. A name is old only in a layer that had it, and gives
 *                       way to the new one, so that newer configurations stay as they are: the same tree, nothing is copied.
 *   the weights         of files that state no keras_version of 2: kernels of convolutions whose channels come first, of transposed ones and of
 *                       one dimension lie in another order. (Recurrent layers: lower/cell_weights.c.)
 *   kernels of Theano   it convolves where others correlate: they are turned around.
 *
 * Facts: keras/legacy/interfaces.py and preprocess_weights_for_loading of Keras 2.
 */
#include "source/keras_legacy.h"

#include <string.h>

/* ---- names ----------------------------------------------------------------------------------------------------------- */

enum { DENSE = 1, CONV = 2, POOL = 4, SPATIAL = 8, RECURRENT = 16, INPUT = 32, MERGE = 64 };
typedef enum how { KEEP, FORMAT } how;

static const struct {
    const char *old, *now;
} classes[] = {
#define LC_OLD_CLASS(old_name, new_name) {#old_name, #new_name},
#define LC_OLD_ARGUMENT(layers, old_name, new_name, kind)
#include "source/keras_legacy.def"
};

static const struct {
    const char *old, *now;
    unsigned layers;
    how change;
} arguments[] = {
#define LC_OLD_CLASS(old_name, new_name)
#define LC_OLD_ARGUMENT(which, old_name, new_name, kind) {#old_name, #new_name, which, kind},
#include "source/keras_legacy.def"
};
enum { ARGUMENTS = sizeof arguments / sizeof *arguments };

/* Which sets of the .def a class is in. */
static unsigned layers_of(const char *class_name) {
    static const struct {
        const char *part;
        unsigned set;
    } parts[] = {{"ConvLSTM", CONV | RECURRENT}, {"LSTM", RECURRENT},   {"GRU", RECURRENT},      {"SimpleRNN", RECURRENT},
                 {"LocallyConnected", CONV},     {"Conv", CONV},        {"Deconv", CONV},        {"Pooling", POOL},
                 {"Padding", SPATIAL},           {"Cropping", SPATIAL}, {"UpSampling", SPATIAL}, {"Dropout", SPATIAL},
                 {"InputLayer", INPUT},          {"Merge", MERGE},      {"Dense", DENSE},        {"Highway", DENSE}};
    for (size_t i = 0; class_name && i < sizeof parts / sizeof *parts; i++)
        if (strstr(class_name, parts[i].part)) return parts[i].set;
    return 0;
}

static const char *const merge_modes[][2] = {
    {"sum", "Add"}, {"mul", "Multiply"}, {"ave", "Average"}, {"max", "Maximum"}, {"concat", "Concatenate"}, {"dot", "Dot"}, {"cos", "Dot"}};

static bool same(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

static const char *class_now(const char *name, const lc_json *config) {
    const char *mode = lc_json_str(config, "mode", NULL);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (same(name, classes[i].old)) return classes[i].now;
    for (size_t i = 0; same(name, "Merge") && i < sizeof merge_modes / sizeof *merge_modes; i++)
        if (same(mode, merge_modes[i][0])) return merge_modes[i][1];
    return name;
}

/* ---- configurations ---------------------------------------------------------------------------------------------------- */

typedef struct copier {
    lc_budget *budget;
    lc_arena *arena;
    lc_error *err;
    lc_status status;
} copier;

static lc_json *room(copier *c, uint32_t n) {
    if (c->status == LC_OK) c->status = lc_budget_memory(c->budget, (uint64_t)n * sizeof(lc_json), "an old configuration", c->err);
    lc_json *items = c->status == LC_OK ? lc_arena_array(c->arena, n ? n : 1, sizeof *items) : NULL;
    if (!items && c->status == LC_OK) c->status = lc_fail_memory(c->err, "an old configuration");
    return items;
}

static lc_json value_now(const lc_json *v, how change, const char *key) {
    lc_json out = *v;
    if (change == FORMAT && v->kind == LC_JSON_STRING) {
        if (same(v->string, "th")) out.string = "channels_first";
        else if (same(v->string, "tf") || same(v->string, "default")) out.string = "channels_last";
    }
    out.key = key;
    return out;
}

/* Where an old argument of these layers is in the list; ARGUMENTS: it is none, or has its new name beside it. */
static size_t argument_of(const lc_json *config, const lc_json *member, unsigned layers) {
    size_t i = 0;
    while (i < ARGUMENTS && !((arguments[i].layers & layers) && same(member->key, arguments[i].old))) i++;
    return i < ARGUMENTS && !lc_json_get(config, arguments[i].now) ? i : ARGUMENTS;
}

/* Paddings of one or two dimensions as {"left_pad": ...} or four numbers: pairs. NULL: it is none of these. */
static const lc_json *padding_now(copier *c, const lc_json *v) {
    static const char *const sides[] = {"top_pad", "bottom_pad", "left_pad", "right_pad"};
    const bool four = lc_json_is(v, LC_JSON_ARRAY) && v->count == 4 && lc_json_is(&v->items[0], LC_JSON_INT),
               row = lc_json_is(v, LC_JSON_OBJECT) && !lc_json_get(v, "top_pad") && !lc_json_get(v, "bottom_pad");
    if (!four &&
        !(lc_json_is(v, LC_JSON_OBJECT) && (lc_json_get(v, "left_pad") || lc_json_get(v, "top_pad") || lc_json_get(v, "right_pad"))))
        return NULL;
    lc_json *all = room(c, 7);
    if (!all) return NULL;
    for (uint32_t i = 0; i < 4; i++) {
        const lc_json *side = four ? &v->items[i] : lc_json_get(v, sides[i]);
        all[3 + i] = side ? *side : (lc_json){.kind = LC_JSON_INT};
        all[3 + i].key = NULL;
    }
    for (uint32_t i = 0; i < 2; i++) all[1 + i] = (lc_json){.kind = LC_JSON_ARRAY, .items = all + 3 + 2 * (size_t)i, .count = 2};
    all[0] = (lc_json){.kind = LC_JSON_ARRAY, .key = "padding", .items = all + 1, .count = 2};
    if (row) all[2].key = "padding";
    return row ? &all[2] : &all[0];
}

/* The layer's configuration in the new words; itself when it has no old ones. */
static const lc_json *config_now(copier *c, const char *class_name, const lc_json *config) {
    const unsigned layers = layers_of(class_name);
    const bool cosine = layers == MERGE && same(lc_json_str(config, "mode", NULL), "cos");
    bool old = cosine;
    if (!layers || !lc_json_is(config, LC_JSON_OBJECT)) return config;
    for (uint32_t i = 0; i < config->count; i++)
        old = old || argument_of(config, &config->items[i], layers) < ARGUMENTS ||
              (layers == SPATIAL && same(config->items[i].key, "padding") && padding_now(c, &config->items[i]));
    if (!old || c->status != LC_OK) return config;
    lc_json *items = room(c, config->count + 1), *made = room(c, 1);
    if (!items || !made) return config;
    uint32_t n = 0;
    for (uint32_t i = 0; i < config->count; i++) {
        const lc_json *v = &config->items[i];
        const size_t at = argument_of(config, v, layers);
        if (at == ARGUMENTS) {
            const lc_json *padding = layers == SPATIAL && same(v->key, "padding") ? padding_now(c, v) : NULL;
            items[n++] = padding ? *padding : *v;
            continue;
        }
        uint32_t parts = 0; /* of a list: nb_row, nb_col */
        bool first = true;
        for (size_t k = 0; k < ARGUMENTS; k++) {
            const lc_json *other =
                same(arguments[k].now, arguments[at].now) && (arguments[k].layers & layers) ? lc_json_get(config, arguments[k].old) : NULL;
            parts += other != NULL;
            first = first && (!other || k >= at);
        }
        if (!first) continue;
        items[n] = value_now(v, arguments[at].change, arguments[at].now);
        if (parts > 1) {
            lc_json *list = room(c, parts);
            if (!list) return config;
            parts = 0;
            for (size_t k = at; k < ARGUMENTS; k++) {
                const lc_json *other = same(arguments[k].now, arguments[at].now) ? lc_json_get(config, arguments[k].old) : NULL;
                if (other) list[parts++] = value_now(other, KEEP, NULL);
            }
            items[n] = (lc_json){.kind = LC_JSON_ARRAY, .key = arguments[at].now, .items = list, .count = parts};
        }
        n++;
    }
    if (cosine) items[n++] = (lc_json){.kind = LC_JSON_BOOL, .key = "normalize", .boolean = true};
    *made = *config;
    made->items = items;
    made->count = n;
    return made;
}

/* The tree with every layer in it in the new words; itself when nothing changes. As deep as the JSON, which its reader has limited. */
static const lc_json *now(copier *c, const lc_json *v) {
    lc_json *items = NULL, *made;
    if (c->status != LC_OK || (v->kind != LC_JSON_ARRAY && v->kind != LC_JSON_OBJECT)) return v;
    const char *class_name = v->kind == LC_JSON_OBJECT ? lc_json_str(v, "class_name", NULL) : NULL;
    const lc_json *config = class_name ? lc_json_get(v, "config") : NULL;
    for (uint32_t i = 0; i < v->count && c->status == LC_OK; i++) {
        const lc_json *before = &v->items[i], *after = now(c, before);
        lc_json one;
        if (config && before == config) after = config_now(c, class_name, after);
        if (config && same(before->key, "class_name") && before->kind == LC_JSON_STRING) {
            one = *before;
            one.string = class_now(class_name, config);
            if (one.string != before->string) after = &one;
        }
        if (after == before) continue;
        if (!items && (items = room(c, v->count))) memcpy(items, v->items, v->count * sizeof *items);
        if (!items) return v;
        items[i] = *after;
        items[i].key = before->key;
    }
    if (!items || !(made = room(c, 1))) return v;
    *made = *v;
    made->items = items;
    return made;
}

lc_status lc_keras_modernise(const lc_json *root, lc_budget *budget, lc_arena *arena, const lc_json **out, lc_error *err) {
    copier c = {.budget = budget, .arena = arena, .err = err};
    *out = now(&c, root);
    return c.status;
}

/* ---- weights ------------------------------------------------------------------------------------------------------------ */

/* Copies an array with its dimensions in another order, those of `turned` (bits of the result's) backwards. */
static lc_status rearrange(const lc_keras_reading *r, lc_keras_weight *w, const int32_t *order, uint32_t turned, lc_error *err) {
    const uint32_t size = lc_dtype_bits(w->type) / 8;
    uint64_t count = 1, bytes;
    size_t strides[LC_MAX_RANK], step = 1;
    int32_t dims[LC_MAX_RANK];
    for (int32_t i = w->rank - 1; i >= 0; i--) {
        if (!lc_mul_u64(count, (uint64_t)w->dims[i], &count)) return LC_OK; /* the lowering says what is wrong with it */
        strides[i] = step;
        step = (size_t)count;
    }
    if (!size || !lc_mul_u64(count, size, &bytes) || bytes != w->size || !w->data || !count) return LC_OK;
    LC_TRY(lc_budget_memory(r->budget, bytes, "the weights of an old file", err));
    uint8_t *out = lc_arena_array(r->data, (size_t)count, size);
    if (!out) return lc_fail_memory(err, "the weights of an old file");
    for (int32_t i = 0; i < w->rank; i++) dims[i] = w->dims[order[i]];
    for (size_t i = 0; i < (size_t)count; i++) {
        size_t rest = i, from = 0;
        for (int32_t d = w->rank - 1; d >= 0; d--) {
            size_t at = rest % (size_t)dims[d];
            rest /= (size_t)dims[d];
            if (turned & (1u << d)) at = (size_t)dims[d] - 1 - at;
            from += at * strides[order[d]];
        }
        memcpy(out + i * size, (const uint8_t *)w->data + from * size, size);
    }
    memcpy(w->dims, dims, (size_t)w->rank * sizeof *dims);
    w->data = out;
    return LC_OK;
}

static int32_t first_number(const lc_json *config, const char *key) {
    const lc_json *v = lc_json_get(config, key);
    if (lc_json_is(v, LC_JSON_ARRAY)) v = lc_json_at(v, 0);
    return lc_json_is(v, LC_JSON_INT) && v->integer >= 0 && v->integer <= INT32_MAX ? (int32_t)v->integer : -1;
}

static lc_status layer_weights(const lc_keras_reading *r, lc_keras_layer *l, bool old, bool theano, lc_error *err) {
    static const int32_t row[] = {2, 3, 1, 0}, image[] = {2, 3, 1, 0}, last[] = {0, 1, 3, 2}, first_transposed[] = {2, 3, 0, 1},
                         volume[] = {2, 3, 4, 1, 0}, none[] = {0, 1, 2, 3, 4};
    static const char *const kinds[][2] = {{"Conv1D", "Convolution1D"},
                                           {"Conv2D", "Convolution2D"},
                                           {"Conv3D", "Convolution3D"},
                                           {"Conv2DTranspose", "Convolution2DTranspose"},
                                           {"ConvLSTM2D", "ConvLSTM2D"}};
    size_t kind = 0;
    while (kind < 5 && !same(l->class_name, kinds[kind][0]) && !same(l->class_name, kinds[kind][1])) kind++;
    if (kind == 5 || !l->weight_count || l->registered_name) return LC_OK;
    lc_keras_weight *w = &l->weights[0];
    const bool first = same(lc_json_str(l->config, "data_format", NULL), "channels_first");
    if (old && kind == 0 && w->rank == 4) {
        if (w->dims[0] != first_number(l->config, "kernel_size") || w->dims[1] != 1 || w->dims[3] != first_number(l->config, "filters"))
            LC_TRY(rearrange(r, w, row, 0, err));
        if (w->dims[1] == 1) { /* [length, 1, in, out] */
            w->dims[1] = w->dims[2];
            w->dims[2] = w->dims[3];
            w->rank = 3;
        }
    }
    if (old && kind == 1 && first && w->rank == 4) LC_TRY(rearrange(r, w, image, 0, err));
    if (old && kind == 2 && first && w->rank == 5) LC_TRY(rearrange(r, w, volume, 0, err));
    if (old && kind == 3 && w->rank == 4) LC_TRY(rearrange(r, w, first ? first_transposed : last, 0, err));
    if (!theano || w->rank < 3 || w->rank > 5) return LC_OK;
    const uint32_t turned = (1u << (w->rank - 2)) - 1;
    LC_TRY(rearrange(r, w, none, turned, err));
    return kind == 4 && l->weight_count > 1 && l->weights[1].rank == 4 ? rearrange(r, &l->weights[1], none, turned, err) : LC_OK;
}

lc_status lc_keras_modernise_weights(const lc_keras_reading *r, lc_keras_model *m, bool old, bool theano, lc_error *err) {
    for (uint32_t i = 0; i < m->layer_count && (old || theano); i++) {
        lc_keras_layer *l = &m->layers[i];
        while (l->inner) l = l->inner;
        if (l->model) LC_TRY(lc_keras_modernise_weights(r, l->model, old, theano, err));
        else LC_TRY(layer_weights(r, l, old, theano, err));
    }
    return LC_OK;
}
