/*
 * Pipeline: preprocessing layers one after another, inside one layer. Their weights are some of the pipeline's: in .keras files below
 * "layers/<class>_<number>/", as in a model; in .h5 files in order, where only Normalization has some.
 */
#include "lower/rnn.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 1000 }; /* layers: paths are numbered by comparing them all */

/* The class's name as Keras writes it in paths: CenterCrop, center_crop. */
static void snake_case(const char *class_name, char *out, size_t size) {
    size_t n = 0;
    for (const char *s = class_name; *s && n + 2 < size; s++) {
        const bool upper = isupper((unsigned char)*s) != 0, starts = upper && s > class_name && islower((unsigned char)s[1]);
        const bool ends = upper && s > class_name && islower((unsigned char)s[-1]);
        if (starts || ends) out[n++] = '_';
        out[n++] = (char)tolower((unsigned char)*s);
    }
    out[n] = 0;
}

static bool of_class(const lc_json *layer, const char *class_name) { return strcmp(lc_json_str(layer, "class_name", ""), class_name) == 0; }

int32_t lc_lower_pipeline(lc_call *c) {
    const lc_json *layers = lc_opt(c, "layers");
    int32_t x = c->in[0], mask = lc_call_mask(c, 0);
    uint32_t first = 0;
    if (!lc_call_single(c, 2)) return -1;
    if (!lc_json_is(layers, LC_JSON_ARRAY)) return lc_opt_fail(c, "layers", "needs a list of layers");
    if (layers->count > MOST) return lc_opt_fail(c, "layers", "litec takes up to %d", MOST);
    for (uint32_t i = 0; i < layers->count && c->b->status == LC_OK; i++) {
        const lc_json *json = lc_json_at(layers, i);
        const char *class_name = lc_json_str(json, "class_name", "");
        char name[200], prefix[256];
        uint32_t before = 0;
        for (uint32_t k = 0; k < i; k++) before += of_class(lc_json_at(layers, k), class_name);
        snake_case(class_name, name, sizeof name);
        if (before) snprintf(prefix, sizeof prefix, "layers/%s_%u/", name, before);
        else snprintf(prefix, sizeof prefix, "layers/%s/", name);
        const bool counts = of_class(json, "Normalization") && lc_json_is(lc_json_get(lc_json_get(json, "config"), "mean"), LC_JSON_NULL);
        lc_keras_layer *part = lc_arena_alloc(&c->lower->scratch, sizeof *part);
        lc_call *done = lc_arena_alloc(&c->lower->scratch, sizeof *done);
        if (!part || !done) lc_build_check(c->b, lc_fail_memory(c->b->err, "layers inside layers"));
        else if (lc_part(c, json, prefix, first, counts ? 3 : 0, part)) {
            x = lc_part_call(c, part, &x, &mask, 1, done);
            mask = done->mask;
        }
        first += counts ? 3 : 0;
    }
    return x;
}
