/*
 * Keras models with Keras's own results; see keras_corpus.h.
 */
#include "support/keras_corpus.h"

#include "support/fault.h"
#include "support/keras_fixture.h"

#include "base/half.h"
#include "source/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

void keras_corpus_open(keras_corpus *c, const char *directory, const char *family) {
    char path[512];
    size_t size = 0, capacity = 1 << 20;
    snprintf(path, sizeof path, "%s/data/layers/%s.gz", directory, family);
    gzFile f = gzopen(path, "rb");
    if (!f) fail_msg("%s is not there", path);
    char *text = malloc(capacity);
    assert_non_null(text);
    for (int n; (n = gzread(f, text + size, (unsigned)(capacity - size - 1))) > 0;) {
        size += (size_t)n;
        if (capacity - size < 65536) text = realloc(text, capacity *= 2);
        assert_non_null(text);
    }
    gzclose(f);
    *c = (keras_corpus){text, text, text + size};
}

void keras_corpus_close(keras_corpus *c) { free(c->text); }

const lc_json *keras_corpus_next(keras_corpus *c, lc_arena *arena) {
    char *end = c->next < c->end ? memchr(c->next, '\n', (size_t)(c->end - c->next)) : NULL;
    lc_budget budget;
    lc_error err;
    const lc_json *entry;
    if (!end) return NULL;
    lc_budget_init(&budget, NULL);
    if (lc_json_parse(c->next, (size_t)(end - c->next), &budget, arena, &entry, &err)) fail_msg("%.60s: %s", c->next, err.message);
    c->next = end + 1;
    return entry;
}

uint32_t keras_each_layer(lc_keras_model *m, uint32_t first, keras_layer_fn *each, void *user) {
    for (uint32_t i = 0; i < m->layer_count; i++) {
        for (lc_keras_layer *l = &m->layers[i]; l; l = l->inner) {
            each(user, first++, l);
            if (l->model) first = keras_each_layer(l->model, first, each, user);
        }
    }
    return first;
}

/* ---- numbers ---------------------------------------------------------------------------------------------------------------------- */

lc_dtype keras_corpus_dtype(const char *name) {
    int type = 0;
    while (type < LC_DTYPE_COUNT && strcmp(lc_dtype_name((lc_dtype)type), name)) type++;
    return (lc_dtype)type;
}

double keras_corpus_get(lc_dtype type, const void *data, size_t k) {
    switch (type) {
    case LC_FLOAT32: return ((const float *)data)[k];
    case LC_FLOAT64: return ((const double *)data)[k];
    case LC_FLOAT16: return lc_half_to_float(((const uint16_t *)data)[k]);
    case LC_INT8: return ((const int8_t *)data)[k];
    case LC_UINT8:
    case LC_BOOL: return ((const uint8_t *)data)[k];
    case LC_INT16: return ((const int16_t *)data)[k];
    case LC_UINT16: return ((const uint16_t *)data)[k];
    case LC_INT32: return ((const int32_t *)data)[k];
    case LC_UINT32: return ((const uint32_t *)data)[k];
    case LC_INT64: return (double)((const int64_t *)data)[k];
    default: fail_msg("numbers of type %s", lc_dtype_name(type)); return 0;
    }
}

void keras_corpus_put(lc_dtype type, void *data, size_t k, double v) {
    switch (type) {
    case LC_FLOAT32: ((float *)data)[k] = (float)v; break;
    case LC_FLOAT64: ((double *)data)[k] = v; break;
    case LC_FLOAT16: ((uint16_t *)data)[k] = lc_float_to_half((float)v); break;
    case LC_INT8: ((int8_t *)data)[k] = (int8_t)v; break;
    case LC_UINT8:
    case LC_BOOL: ((uint8_t *)data)[k] = (uint8_t)v; break;
    case LC_INT16: ((int16_t *)data)[k] = (int16_t)v; break;
    case LC_UINT16: ((uint16_t *)data)[k] = (uint16_t)v; break;
    case LC_INT32: ((int32_t *)data)[k] = (int32_t)v; break;
    case LC_UINT32: ((uint32_t *)data)[k] = (uint32_t)v; break;
    case LC_INT64: ((int64_t *)data)[k] = (int64_t)v; break;
    default: fail_msg("numbers of type %s", lc_dtype_name(type));
    }
}

void keras_corpus_input(const lc_json *input, uint32_t number, lc_dtype type, void *data, size_t n) {
    const lc_json *values = lc_json_at(input, 2);
    for (size_t k = 0; k < n; k++) {
        const float v = fixture_value(1000 + number, k);
        double x = (int32_t)((v + 1) * 50);
        if (values) x = values->items[k].real;
        else if (type == LC_BOOL) x = v > 0;
        else if (type == LC_FLOAT32 || type == LC_FLOAT64 || type == LC_FLOAT16) x = v * 2;
        keras_corpus_put(type, data, k, x);
    }
}

/* ---- weights ---------------------------------------------------------------------------------------------------------------------- */

typedef struct filling {
    const lc_json *weights;
    lc_arena *arena;
} filling;

static const uint8_t *bytes_of(const char *hex, lc_arena *arena, size_t *size) {
    *size = strlen(hex) / 2;
    uint8_t *data = lc_arena_data(arena, *size ? *size : 1);
    assert_non_null(data);
    for (size_t i = 0; i < *size; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        data[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return data;
}

static const float *values_of(const lc_json *w, lc_arena *arena, size_t n) {
    const uint32_t seed = (uint32_t)lc_json_at(w, 4)->integer;
    const float amplitude = (float)lc_json_at(w, 5)->real, offset = (float)lc_json_at(w, 6)->real;
    float *data = lc_arena_data(arena, n ? n * sizeof *data : 1);
    assert_non_null(data);
    for (size_t k = 0; k < n; k++) data[k] = offset + amplitude * fixture_value(seed, k);
    return data;
}

static void fill_counted(void *user, uint32_t place, lc_keras_layer *l) {
    const filling *f = user;
    uint32_t count = 0;
    for (uint32_t i = 0; i < f->weights->count; i++) count += lc_json_at(&f->weights->items[i], 0)->integer == place;
    l->weights = lc_arena_array(f->arena, count ? count : 1, sizeof *l->weights);
    l->weight_count = 0;
    assert_non_null(l->weights);
    for (uint32_t i = 0; i < f->weights->count; i++) {
        const lc_json *w = &f->weights->items[i], *dims = lc_json_at(w, 3), *what = lc_json_at(w, 4);
        lc_keras_weight weight = {.name = lc_json_at(w, 1)->string, .rank = (int32_t)dims->count};
        size_t n = 1, size;
        if (lc_json_at(w, 0)->integer != place) continue;
        if (strcmp(lc_json_at(w, 2)->string, "vocabulary") == 0) {
            l->vocabulary.data = (const char *)bytes_of(what->string, f->arena, &size);
            l->vocabulary.size = size;
            continue;
        }
        weight.type = keras_corpus_dtype(lc_json_at(w, 2)->string);
        assert_true(weight.type < LC_DTYPE_COUNT && dims->count <= LC_MAX_RANK);
        for (uint32_t d = 0; d < dims->count; d++) n *= (size_t)(weight.dims[d] = (int32_t)dims->items[d].integer);
        weight.size = n * lc_dtype_bits(weight.type) / 8;
        if (what->kind == LC_JSON_STRING) {
            weight.data = bytes_of(what->string, f->arena, &size);
            assert_int_equal(size, weight.size);
        } else {
            weight.data = values_of(w, f->arena, n);
        }
        l->weights[l->weight_count++] = weight;
    }
}

/* The fixture's own memory is not what an allocation test is about. */
static void fill(void *user, uint32_t place, lc_keras_layer *l) {
    fault_pause(true);
    fill_counted(user, place, l);
    fault_pause(false);
}

void keras_corpus_weights(const lc_json *entry, lc_keras_model *m, lc_arena *arena) {
    filling f = {lc_json_get(entry, "weights"), arena};
    keras_each_layer(m, 0, fill, &f);
}
