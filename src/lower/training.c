/*
 * training.c: the arrays of layers as inputs of the graph. The idea is in training.h.
 */
#include "lower/training.h"

#include "grad/own.h"
#include "lower/lower.h"

#include <string.h>

static lc_training *of(const lc_call *c) { return c->lower->options->training; }

static bool learns_here(const lc_call *c) {
    const lc_json *v = lc_json_get(c->config, "trainable");
    return !of(c)->frozen && !(lc_json_is(v, LC_JSON_BOOL) && !v->boolean);
}

bool lc_trains(const lc_call *c) { return of(c) && (of(c)->everything || learns_here(c)); }
bool lc_training_now(const lc_call *c) { return of(c) && !of(c)->inference && learns_here(c); }
bool lc_training_mode(const lc_call *c) { return of(c) && !of(c)->inference; }

bool lc_training_refused(lc_call *c, const char *why) {
    if (!lc_training_now(c) || of(c)->make) return false;
    lc_build_fail(c->b, LC_UNSUPPORTED, "litec does not train it: %s", why);
    lc_build_hint(c->b, "freeze it (trainable = false; litec train --freeze): the others learn, and it does what it does in inference");
    return true;
}

static lc_trained *add(lc_call *c) {
    lc_training *t = of(c);
    if (t->count == t->capacity) {
        const uint32_t capacity = t->capacity ? 2 * t->capacity : 64;
        lc_trained *list = lc_arena_array(&c->b->model->arena, capacity, sizeof *list);
        if (!list) return lc_build_check(c->b, lc_fail_memory(c->b->err, "variables")) ? NULL : NULL;
        if (t->count) memcpy(list, t->list, t->count * sizeof *list);
        t->list = list;
        t->capacity = capacity;
    }
    return &t->list[t->count++];
}

int32_t lc_training_input(lc_call *c, const lc_keras_weight *w, const char *what, bool learns) {
    lc_training *t = of(c);
    if (c->b->status != LC_OK) return -1;
    for (uint32_t i = 0; i < t->count; i++)
        if (t->list[i].data == w->data) return t->list[i].tensor;
    lc_trained *v = add(c);
    if (!v) return -1;
    const int32_t tensor = lc_build_placeholder(c->b, what, LC_FLOAT32, w->dims, w->rank);
    char *name = lc_arena_printf(&c->b->model->arena, "%.200s/%.200s", c->b->layer ? c->b->layer : "", what);
    if (tensor < 0 || !name) {
        t->count--;
        return lc_build_check(c->b, lc_fail_memory(c->b->err, "variables")) ? -1 : -1;
    }
    *v = (lc_trained){.name = name, .what = what, .config = c->config, .data = w->data, .tensor = tensor, .latest = -1, .rank = w->rank};
    memcpy(v->dims, w->dims, sizeof v->dims);
    v->learns = learns && learns_here(c);
    v->what = name + strlen(name) - strlen(what);
    lc_build_rename(c->b, tensor, name);
    c->b->graph->tensors[tensor].bound = (void *)(uintptr_t)w->data;
    lc_build_check(c->b, lc_graph_add_input(c->b->graph, tensor, c->b->err));
    return tensor;
}

int32_t lc_training_counter(lc_call *c, uint32_t *stream) {
    lc_training *t = of(c);
    const int32_t two = 2;
    *stream = t->streams++;
    if (t->counter >= 0 || c->b->status != LC_OK) return t->counter;
    const int32_t tensor = lc_build_placeholder(c->b, "counter", LC_INT32, &two, 1);
    if (tensor >= 0) lc_build_check(c->b, lc_graph_add_input(c->b->graph, tensor, c->b->err));
    return t->counter = tensor;
}

void lc_training_fan(const lc_call *c, size_t fan_in) {
    if (of(c)) of(c)->fan_in = fan_in;
}

int32_t lc_training_random(lc_call *c, const int32_t *dims, int32_t rank, bool normal) {
    lc_random_options o = {.rank = rank, .normal = normal};
    memcpy(o.dims, dims, (size_t)rank * sizeof *dims);
    const int32_t counter = lc_training_counter(c, &o.stream);
    return lc_build_own_one(c->b, &lc_own_RANDOM, &o, sizeof o, &counter, 1);
}

int32_t lc_training_dropout(lc_call *c, int32_t x, float rate, uint32_t stream, uint32_t shared) {
    lc_dropout_options o = {.rate = rate, .stream = stream};
    for (int32_t i = 0; i < LC_MAX_RANK; i++) o.noise[i] = !(shared >> i & 1);
    return lc_build_own_one(c->b, &lc_own_DROPOUT, &o, sizeof o, (const int32_t[]){x, of(c)->counter}, 2);
}

/* Layers are read-only to the lowering but for what is made here: their owner has asked for it. */
void lc_training_make(lc_call *c, uint32_t i, const char *what, const int32_t *dims, int32_t rank) {
    if (c->b->status != LC_OK || !of(c) || !of(c)->make) return;
    const size_t fan_in = of(c)->fan_in;
    of(c)->fan_in = 0; /* also of an array that is there already */
    if (c->layer->weights[i].data) return;
    uint64_t elements = 1;
    for (int32_t k = 0; k < rank; k++)
        if (dims[k] < 0 || !lc_mul_u64(elements, (uint64_t)dims[k], &elements) || elements > INT32_MAX) {
            lc_build_fail(c->b, LC_INVALID, "its %s would have a dimension of %d", what, dims[k]);
            return;
        }
    const lc_made array = {c->b->layer ? c->b->layer : "", what, c->config, rank, dims, fan_in};
    void *data = of(c)->make(of(c)->user, &array, c->b->err);
    if (!data) {
        lc_build_check(c->b, c->b->err && c->b->err->status ? c->b->err->status : LC_NO_MEMORY);
        return;
    }
    lc_keras_weight *w = (lc_keras_weight *)(uintptr_t)&c->layer->weights[i];
    w->rank = rank;
    if (rank) memcpy(w->dims, dims, (size_t)rank * sizeof *dims);
    w->data = data;
    w->size = (size_t)elements * sizeof(float);
    if (!c->layer->homes) return;
    const char *name = c->layer->homes[i]->name; /* of the whole layer */
    *c->layer->homes[i] = *w;
    c->layer->homes[i]->name = name;
}

static lc_trained *with_tensor(const lc_call *c, int32_t tensor) {
    for (uint32_t i = 0; i < of(c)->count; i++)
        if (of(c)->list[i].tensor == tensor) return &of(c)->list[i];
    return NULL;
}

int32_t lc_training_latest(const lc_call *c, int32_t to) {
    const lc_trained *v = c->b->status == LC_OK ? with_tensor(c, to) : NULL;
    return v && v->latest >= 0 ? v->latest : to;
}

void lc_training_update(lc_call *c, int32_t to, int32_t t) {
    if (c->b->status != LC_OK) return;
    lc_trained *v = with_tensor(c, to);
    lc_tensor *tensors = c->b->graph->tensors;
    if (v && v->latest >= 0) tensors[v->latest].bound = NULL;
    if (v) v->latest = t;
    tensors[t].bound = tensors[to].bound;
}
