/*
 * Keras models for tests of src/lower; see keras_fixture.h.
 */
#include "support/keras_fixture.h"

#include "ops/op.h"
#include "source/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void *take(fixture *f, size_t count, size_t size) {
    void *p = lc_arena_array(&f->arena, count, size);
    assert_non_null(p);
    return p;
}

void fixture_begin(fixture *f, const char *keras_version) {
    memset(f, 0, sizeof *f);
    f->keras = (lc_keras_model){.name = "model",
                                .class_name = "Functional",
                                .keras_version = keras_version,
                                .layers = f->layers,
                                .inputs = f->inputs,
                                .outputs = f->outputs};
}

void fixture_end(fixture *f) { lc_arena_deinit(&f->arena); }

float fixture_value(uint32_t seed, size_t k) {
    uint32_t h = (uint32_t)k * 2654435761u + seed * 40503u + 12345u;
    h ^= h >> 15;
    h *= 2246822519u;
    h ^= h >> 13;
    return (float)(h >> 8) / (float)(1 << 23) - 1.0f;
}

const lc_json *fixture_json(fixture *f, const char *text) {
    lc_budget budget;
    lc_error err;
    const lc_json *root;
    lc_budget_init(&budget, NULL);
    if (lc_json_parse(text, strlen(text), &budget, &f->arena, &root, &err) != LC_OK) fail_msg("%s: %s", text, err.message);
    return root;
}

int fixture_input(fixture *f, const char *name, const char *batch_shape) {
    int i = (int)f->keras.layer_count++;
    char *config = lc_arena_printf(&f->arena, "{\"name\": \"%s\", \"dtype\": \"float32\", \"batch_shape\": %s}", name, batch_shape);
    assert_non_null(config);
    f->layers[i] = (lc_keras_layer){.name = name, .class_name = "InputLayer", .config = fixture_json(f, config)};
    f->inputs[f->keras.input_count++] = (lc_keras_ref){i, 0, 0};
    return i;
}

static void add_weights(fixture *f, lc_keras_layer *layer, uint32_t seed, const char *shapes) {
    layer->weights = take(f, 16, sizeof *layer->weights);
    while (*shapes) {
        lc_keras_weight *w = &layer->weights[layer->weight_count];
        *w = (lc_keras_weight){.name = lc_arena_printf(&f->arena, "%s/w%u", layer->name, layer->weight_count), .type = LC_FLOAT32};
        size_t n = 1;
        while (*shapes && *shapes != ' ') {
            char *end;
            long d = strtol(shapes, &end, 10);
            if (end != shapes) {
                w->dims[w->rank++] = (int32_t)d;
                n *= (size_t)d;
            }
            shapes = end + (*end == 'x' || *end == '-');
        }
        shapes += *shapes == ' ';
        float *data = take(f, n, sizeof *data);
        for (size_t k = 0; k < n; k++)
            data[k] = f->positive ? 1 + fixture_value(seed + layer->weight_count, k) / 2 : fixture_value(seed + layer->weight_count, k);
        w->data = data;
        w->size = n * sizeof *data;
        layer->weight_count++;
    }
}

int fixture_layer(fixture *f, const char *class_name, const char *name, const char *config, const char *weights, uint32_t n,
                  const int *from) {
    int i = (int)f->keras.layer_count++;
    assert_true(i < FIXTURE_LAYERS);
    f->layers[i] = (lc_keras_layer){
        .name = name, .class_name = class_name, .config = fixture_json(f, config), .calls = take(f, 16, sizeof(lc_keras_call))};
    add_weights(f, &f->layers[i], (uint32_t)i * 10, weights);
    lc_keras_ref *refs = take(f, n, sizeof *refs);
    for (uint32_t k = 0; k < n; k++) refs[k] = (lc_keras_ref){from[k], 0, 0};
    fixture_call(f, i, n, refs);
    return i;
}

int fixture_call(fixture *f, int layer, uint32_t n, const lc_keras_ref *from) {
    lc_keras_layer *l = &f->layers[layer];
    lc_keras_call *call = &l->calls[l->call_count];
    call->inputs = take(f, n, sizeof *call->inputs);
    for (uint32_t i = 0; i < n; i++) call->inputs[i] = from[i];
    call->input_count = n;
    return (int)l->call_count++;
}

void fixture_output_of(fixture *f, int layer, int node, int tensor) {
    f->outputs[f->keras.output_count++] = (lc_keras_ref){layer, node, tensor};
}
void fixture_output(fixture *f, int layer) { fixture_output_of(f, layer, 0, 0); }

int fixture_nested(fixture *f, const char *name, const fixture *inner, uint32_t n, const int *from) {
    int i = fixture_layer(f, "Functional", name, "{}", "", n, from);
    f->layers[i].model = (lc_keras_model *)&inner->keras;
    return i;
}

lc_model *fixture_lower(const fixture *f, const lc_lower_options *options, lc_error *err) {
    lc_model *model;
    if (lc_model_new(NULL, &model, err) != LC_OK) return NULL;
    if (lc_lower_keras(&f->keras, options, model, err) != LC_OK) {
        lc_model_destroy(model);
        return NULL;
    }
    lc_error why;
    if (lc_model_check(model, &why) != LC_OK) fail_msg("%s", why.message);
    return model;
}

const float *fixture_weight(const fixture *f, int layer, uint32_t i) { return f->layers[layer].weights[i].data; }

void fixture_ops(const lc_model *model, lc_text *out) {
    const lc_graph *g = model->graphs[0];
    lc_text_add(out, "");
    for (size_t i = 0; i < g->node_count; i++) lc_text_printf(out, "%s%s", i ? " " : "", lc_op_name(g->nodes[i].op));
}

void fixture_run(lc_model *model, float scale, float *out, size_t *n, int32_t *dims, int32_t *rank) {
    lc_session *s;
    lc_error err;
    if (lc_session_create(model, &(lc_session_options){.isa = "ref"}, &s, &err) != LC_OK) fail_msg("%s", err.message);
    int32_t shapes[8][LC_MAX_RANK], ranks[8];
    const int32_t *shape_of[8];
    size_t count = lc_session_input_count(s);
    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++) {
        lc_tensor_view v = lc_session_input(s, i);
        for (int32_t k = 0; k < v.rank; k++) shapes[i][k] = v.signature[k] < 0 ? 2 : v.dims[k];
        ranks[i] = v.rank;
        shape_of[i] = shapes[i];
    }
    if (lc_session_resize_inputs(s, shape_of, ranks, &err) != LC_OK) fail_msg("%s", err.message);
    for (size_t i = 0; i < count; i++) {
        lc_tensor_view v = lc_session_input(s, i);
        assert_int_equal(v.type, LC_FLOAT32);
        for (size_t k = 0; k < v.size / sizeof(float); k++) ((float *)v.data)[k] = fixture_value((uint32_t)(100 + i), k) * scale;
    }
    if (lc_session_run(s, &err) != LC_OK) fail_msg("%s", err.message);
    lc_tensor_view v = lc_session_output(s, 0);
    assert_true(v.size / sizeof(float) <= *n);
    memcpy(out, v.data, v.size);
    *n = v.size / sizeof(float);
    *rank = v.rank;
    memcpy(dims, v.dims, sizeof v.dims);
    lc_session_destroy(s);
}
