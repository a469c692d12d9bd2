/*
 * rounding.c: the rounding of quantisation-aware training in a lowering. The idea is in rounding.h.
 */
#include "lower/rounding.h"

#include "lower/fake_quant.h"
#include "lower/lower.h"
#include "lower/training.h"

#include "grad/own.h"
#include <string.h>

/* Numbers come out as they went in. */
static const char movers[] =
    "Flatten Reshape Permute RepeatVector MaxPooling1D MaxPooling2D MaxPooling3D GlobalMaxPooling1D GlobalMaxPooling2D "
    "Cropping1D Cropping2D Cropping3D ZeroPadding1D ZeroPadding2D ZeroPadding3D Dropout SpatialDropout1D "
    "SpatialDropout2D SpatialDropout3D Identity";
/* Joined with the layer before it. */
static const char joined[] =
    "BatchNormalization BatchNormalizationV1 BatchNormalizationV2 SyncBatchNormalization ReLU Dropout SpatialDropout1D "
    "SpatialDropout2D SpatialDropout3D Identity";

static lc_rounding *of(const lc_call *c) { return c->b->status == LC_OK ? c->lower->options->rounding : NULL; }

/* The tensor on steps: another, or itself; -1: there is none yet. */
static int32_t on_steps(const lc_rounding *r, int32_t tensor) {
    for (uint32_t i = r->count; i-- > 0;)
        if (r->list[i].from == tensor || r->list[i].to == tensor) return r->list[i].to;
    return -1;
}

static void add(lc_call *c, lc_rounding *r, int32_t from, int32_t to) {
    void *list = r->list;
    if (!lc_arena_grow(&c->b->model->arena, &list, &r->capacity, r->count + 1, sizeof *r->list)) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "quantisation"));
        return;
    }
    r->list = list;
    r->list[r->count++] = (lc_rounded){from, to};
}

/* The range is read and written where it lies. */
static int32_t round_now(lc_call *c, const lc_rounding *r, int32_t x, float *range) {
    const lc_round_options o = {.bits = r->bits, .decay = r->decay};
    const int32_t three = 3, state = lc_build_placeholder(c->b, "range", LC_FLOAT32, &three, 1), in[2] = {x, state};
    int32_t out[2];
    if (state < 0 || !lc_build_check(c->b, lc_graph_add_input(c->b->graph, state, c->b->err))) return -1;
    c->b->graph->tensors[state].bound = range;
    if (!lc_build_own(c->b, &lc_own_ROUND, &o, sizeof o, in, 2, out, 2)) return -1;
    lc_training_update(c, state, out[1]);
    return out[0];
}

int32_t lc_round(lc_call *c, int32_t x, const char *what) {
    lc_rounding *r = of(c);
    char name[256];
    if (!r || x < 0 || lc_build_type(c->b, x) != LC_FLOAT32 || lc_tensor_is_const(&c->b->graph->tensors[x])) return x;
    if (on_steps(r, x) >= 0) return on_steps(r, x);
    snprintf(name, sizeof name, "%.200s/%.40s", c->b->layer ? c->b->layer : "", what);
    float *range = r->range(r->user, name, c->b->err);
    if (!range) return lc_build_check(c->b, lc_fail_memory(c->b->err, "quantisation")) ? -1 : -1;
    int32_t y = x;
    if (lc_training_mode(c)) y = round_now(c, r, x, range);
    else if (range[2] > 0 && lc_fake_usable(range[0], range[1])) {
        const lc_fake_steps steps = lc_fake_steps_of(range[0], range[1], r->bits, false);
        y = lc_fake_quant(c->b, x, &steps, r->bits, false);
    }
    if (y >= 0) add(c, r, x, y);
    return y;
}

void lc_round_inputs(lc_call *c) {
    const char *activation = lc_json_str(c->config, "activation", "");
    if (!of(c) || lc_word_among(joined, c->layer->class_name)) return;
    if (strcmp(c->layer->class_name, "Activation") == 0 && lc_word_among("linear relu relu6", activation)) return;
    int32_t *in = lc_arena_array(&c->lower->scratch, (size_t)c->in_count + 1, sizeof *in);
    if (!in) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "quantisation"));
        return;
    }
    for (uint32_t i = 0; i < c->in_count; i++) {
        char what[24];
        snprintf(what, sizeof what, "input_%u", i);
        in[i] = lc_round(c, c->in[i], what);
    }
    c->in = in;
}

void lc_round_moved(lc_call *c, int32_t out) {
    lc_rounding *r = of(c);
    if (r && out >= 0 && c->in_count == 1 && lc_word_among(movers, c->layer->class_name) && on_steps(r, c->in[0]) == c->in[0])
        add(c, r, out, out);
}

int32_t lc_round_before(lc_call *c, int32_t x, const char *activation) {
    if (!of(c) || !lc_word_among("Dense Conv*D Convolution*D DepthwiseConv*D SeparableConv*D Activation Softmax", c->layer->class_name))
        return x;
    return lc_word_among("linear relu relu6", activation) ? x : lc_round(c, x, "activation");
}

int32_t lc_round_weights(lc_call *c, int32_t w, int32_t axis) {
    const lc_round_weights_options o = {.bits = 8, .axis = axis};
    return of(c) && w >= 0 && lc_training_mode(c) ? lc_build_own_one(c->b, &lc_own_ROUND_WEIGHTS, &o, sizeof o, &w, 1) : w;
}
