/*
 * net_summary.c: the summary of a net. The shapes of all layers are what a lowering gives them: the model is lowered once with every tensor of
 * every layer as an output, and the tensors are looked at. Nothing is run.
 */
#include "api/net.h"

#include "train/summary.h"

#include <string.h>

static bool is_class(const lc_keras_layer *l, const char *name) { return strcmp(l->class_name, name) == 0; }

/* How many tensors a call of the layer gives. */
static uint32_t output_count(const lc_keras_layer *l) {
    if (l->model) return l->model->output_count;
    const lc_json *of = is_class(l, "Bidirectional") ? lc_json_get(lc_json_get(l->config, "layer"), "config") : l->config;
    const lc_json *state = lc_json_get(of, "return_state");
    if (!lc_json_is(state, LC_JSON_BOOL) || !state->boolean) return 1;
    const char *cell = is_class(l, "Bidirectional") ? lc_json_str(lc_json_get(l->config, "layer"), "class_name", "") : l->class_name;
    const uint32_t states = strcmp(cell, "LSTM") == 0 ? 2 : 1;
    return 1 + (is_class(l, "Bidirectional") ? 2 * states : states);
}

/* Of the weights that are stored; `l` may be a model. */
static uint64_t count_params(const lc_keras_layer *l) {
    uint64_t n = 0;
    for (uint32_t i = 0; i < l->weight_count; i++) {
        uint64_t one = 1;
        for (int32_t k = 0; k < l->weights[i].rank; k++) one *= (uint64_t)l->weights[i].dims[k];
        n += one;
    }
    for (uint32_t i = 0; l->model && i < l->model->layer_count; i++) n += count_params(&l->model->layers[i]);
    return l->inner ? n + count_params(l->inner) : n;
}

static void add_config_shape(const lc_keras_layer *input, lc_text *out) {
    const lc_json *shape = lc_json_get(input->config, "batch_shape");
    int32_t dims[LC_MAX_RANK], rank = 0;
    if (!shape) shape = lc_json_get(input->config, "batch_input_shape");
    for (; lc_json_is(shape, LC_JSON_ARRAY) && rank < LC_MAX_RANK && (uint32_t)rank < shape->count; rank++) {
        const lc_json *d = lc_json_at(shape, (uint32_t)rank);
        dims[rank] = lc_json_is(d, LC_JSON_INT) ? (int32_t)d->integer : -1;
    }
    lc_summary_shape(out, dims, rank);
}

/* The model with every layer's last call as an output: refs[at[i]] and on are those of layer i. */
static lc_status probe(const lc_net *net, lc_arena *arena, uint32_t **at, lc_keras_model *m, lc_error *err) {
    size_t capacity = 0;
    void *refs = NULL;
    *m = *net->keras;
    m->output_names = NULL;
    m->output_count = 0;
    *at = lc_arena_array(arena, m->layer_count + 1u, sizeof **at);
    if (!*at) return lc_fail_memory(err, "a summary");
    for (uint32_t i = 0; i < m->layer_count; i++) {
        const lc_keras_layer *l = &m->layers[i];
        (*at)[i] = m->output_count;
        const uint32_t n = l->call_count ? output_count(l) : 0;
        if (!lc_arena_grow(arena, &refs, &capacity, m->output_count + n, sizeof *m->outputs)) return lc_fail_memory(err, "a summary");
        m->outputs = refs;
        for (uint32_t t = 0; t < n; t++) m->outputs[m->output_count++] = (lc_keras_ref){(int32_t)i, (int32_t)l->call_count - 1, (int32_t)t};
    }
    (*at)[m->layer_count] = m->output_count;
    return LC_OK;
}

/* Fills in the shapes; what cannot be lowered has none. */
static lc_status find_shapes(const lc_net *net, lc_arena *arena, lc_summary_layer *layers, lc_error *err) {
    lc_keras_model m;
    lc_model *model;
    uint32_t *at;
    LC_TRY(probe(net, arena, &at, &m, err));
    LC_TRY(lc_model_new(&net->limits, &model, err));
    lc_status status = m.output_count ? lc_lower_keras(&m, NULL, model, err) : LC_OK;
    const bool known = status == LC_OK;
    if (status != LC_NO_MEMORY) status = LC_OK;
    for (uint32_t i = 0; status == LC_OK && i < m.layer_count; i++) {
        lc_text text = {0};
        const uint32_t n = at[i + 1] - at[i];
        if (!n && is_class(&m.layers[i], "InputLayer")) add_config_shape(&m.layers[i], &text);
        if (n > 1) lc_text_add(&text, "[");
        for (uint32_t k = at[i]; known && k < at[i + 1]; k++) {
            const lc_tensor *t = &model->graphs[0]->tensors[model->graphs[0]->outputs[k]];
            int32_t dims[LC_MAX_RANK];
            for (int32_t d = 0; d < t->rank; d++) dims[d] = lc_tensor_dim(t, d);
            if (k > at[i]) lc_text_add(&text, ", ");
            lc_summary_shape(&text, dims, t->rank);
        }
        if (n > 1) lc_text_add(&text, "]");
        if (text.size && (known || !n)) layers[i].shape = lc_arena_strndup(arena, text.data, text.size);
        if (text.failed || (text.size && (known || !n) && !layers[i].shape)) status = lc_fail_memory(err, "a summary");
        lc_text_deinit(&text);
    }
    lc_model_destroy(model);
    return status;
}

lc_status lc_net_summary(lc_net *net, char **text, lc_error *err) {
    *text = NULL;
    LC_TRY(lc_net_build(net, err));
    lc_arena arena = {0};
    lc_text out = {0};
    lc_summary s = {.model = net->keras};
    lc_summary_layer *layers = lc_arena_array(&arena, net->keras->layer_count + 1u, sizeof *layers);
    lc_status status = layers ? find_shapes(net, &arena, layers, err) : lc_fail_memory(err, "a summary");
    for (uint32_t i = 0; status == LC_OK && i < net->keras->layer_count; i++) layers[i].params = count_params(&net->keras->layers[i]);
    s.layers = layers;
    for (uint32_t i = 0; i < net->variable_count; i++) {
        lc_summary_counts *c = net->variables[i].trainable ? &s.trainable : &s.frozen;
        c->params += net->variables[i].n;
        c->bytes += net->variables[i].n * sizeof(float);
    }
    if (status == LC_OK && net->optimizer) {
        uint32_t n;
        const lc_slot *slots = lc_optimizer_slots(net->optimizer, &n);
        s.has_optimizer = true;
        for (uint32_t i = 0; i < n; i++) {
            s.optimizer.params += slots[i].n;
            s.optimizer.bytes += slots[i].n * lc_dtype_bits(slots[i].type) / 8;
        }
    }
    if (status == LC_OK) status = lc_summary_write(&s, &out, err);
    if (status == LC_OK && !(*text = lc_text_take(&out))) status = lc_fail_memory(err, "a summary");
    lc_text_deinit(&out);
    lc_arena_deinit(&arena);
    return status;
}
