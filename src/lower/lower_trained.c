/*
 * lower_trained.c: the wrappers that TensorFlow's model optimisation toolkit (tfmot) puts around layers of tf_keras.
 *
 *   QuantizeWrapper, V2   the layer with its kernel rounded, its activation rounded in front or behind, and its output rounded; the ranges
 *                         are variables of the wrapper, which follow each other as Keras made them: of each kernel, of the activation, of
 *                         the output
 *   QuantizeLayer         its input rounded
 *   QuantizeAnnotate      the layer: it was marked, but never trained that way
 *   PruneLowMagnitude     the layer: its zeros are in its weights
 *   ClusterWeights        the layer with each weight moved to the nearest of its centroids
 *
 * Rounding becomes FAKE_QUANT and annotated weights (fake_quant.h), of which quant/qat.c makes integers.
 *
 * In .keras files variables have no names: the wrapper's own are the layer's that are trained, the rounded kernels once more, a step of the
 * optimiser (the only whole number), the ranges. A model that was loaded and saved again has the rounded kernels there, the rest in the layer.
 *
 * Refuses configurations of one's own (their quantizers are code), centroids of each channel, and ranges that do not hold zero.
 * Facts: tfmot core/quantization/keras/quantize_wrapper.py, quantize_aware_activation.py, default_8bit/.
 */
#include "lower/fake_quant.h"
#include "lower/rnn.h"

#include "base/checked.h"
#include "ir/constant.h"

#include <math.h>
#include <string.h>

enum { MOST_CHANNELS = 1 << 16 };

/* The variables of a wrapper. */
typedef struct variables {
    lc_keras_weight *inner; /* of the layer in it, the rounded ones first */
    uint32_t inner_count;
    const lc_keras_weight **range; /* minimum, maximum, minimum ... */
    uint32_t range_count, used;
} variables;

/* ---- variables ------------------------------------------------------------------------------------------------------------ */

/* "quant_dense/kernel_min:0" is called kernel_min. */
static lc_str own_name(const lc_keras_weight *w) {
    const char *name = w->name ? w->name : "", *last = strrchr(name, '/');
    name = last ? last + 1 : name;
    return (lc_str){name, strcspn(name, ":")};
}

/* Elements of an array of real numbers that is whole; false and failed otherwise. */
static bool whole(lc_call *c, const lc_keras_weight *w, const char *what, size_t *count) {
    uint64_t n = 1, bytes = 0;
    bool sound = w->rank >= 0 && w->rank <= LC_MAX_RANK && lc_floats_can_load(w->type);
    for (int32_t d = 0; sound && d < w->rank; d++) sound = w->dims[d] >= 0 && lc_mul_u64(n, (uint64_t)w->dims[d], &n);
    sound = sound && lc_dtype_bytes(w->type, n, &bytes) && bytes == w->size && (!bytes || w->data);
    *count = sound ? (size_t)n : 0;
    if (!sound && c->b->status == LC_OK)
        lc_build_fail(c->b, LC_INVALID, "the array of its %s is not whole, or holds no real numbers", what);
    return sound;
}

static bool is_step(const lc_keras_weight *w) { return w->rank == 0 && (w->type == LC_INT32 || w->type == LC_INT64); }

/* Weight i goes in front of the others. */
static void move_first(lc_keras_weight *weights, uint32_t i) {
    const lc_keras_weight w = weights[i];
    memmove(weights + 1, weights, i * sizeof w);
    weights[0] = w;
}

/* .h5: by their names. */
static void sort_named(const lc_keras_layer *l, const lc_json *rounded, variables *v) {
    for (uint32_t i = 0; i < l->weight_count; i++) {
        const lc_str name = own_name(&l->weights[i]);
        if (lc_str_has_suffix(name, "_min") || lc_str_has_suffix(name, "_max")) v->range[v->range_count++] = &l->weights[i];
        else if (!lc_str_has_suffix(name, "optimizer_step")) v->inner[v->inner_count++] = l->weights[i];
    }
    for (uint32_t k = rounded ? rounded->count : 0; k-- > 0;) /* the first version of the wrapper has them behind the bias */
        for (uint32_t i = 1; i < v->inner_count; i++)
            if (lc_json_is(&rounded->items[k], LC_JSON_STRING) && lc_str_is(own_name(&v->inner[i]), rounded->items[k].string))
                move_first(v->inner, i);
}

/* .keras: by their places. */
static void sort_placed(lc_call *c, const lc_json *layer, const lc_json *rounded, variables *v) {
    const lc_keras_layer *l = c->layer;
    const uint32_t again = rounded ? rounded->count : 0;
    lc_keras_layer part;
    bool behind = false;
    for (uint32_t i = 0; i < l->weight_count; i++) {
        const lc_keras_weight *w = &l->weights[i];
        if (strncmp(w->name, "vars/", 5) != 0) continue;
        if (is_step(w)) behind = true;
        else if (behind) v->range[v->range_count++] = w;
        else v->inner[v->inner_count++] = *w;
    }
    if (again && v->inner_count > again) v->inner_count -= again;
    else if (lc_part(c, layer, "layer/", 0, l->weight_count, &part)) {
        if (!again) v->inner_count = 0; /* its layer has them all */
        for (uint32_t i = 0; i < part.weight_count && v->inner_count < l->weight_count; i++) v->inner[v->inner_count++] = part.weights[i];
    }
}

static bool read_variables(lc_call *c, const lc_json *layer, const lc_json *rounded, variables *v) {
    const uint32_t n = c->layer->weight_count;
    *v = (variables){.inner = lc_arena_array(&c->lower->scratch, (size_t)n + 1, sizeof *v->inner),
                     .range = lc_arena_array(&c->lower->scratch, (size_t)n + 1, sizeof *v->range)};
    if (!v->inner || !v->range) return lc_build_check(c->b, lc_fail_memory(c->b->err, "weights"));
    if (lc_part_by_name(c->layer)) sort_placed(c, layer, rounded, v);
    else sort_named(c->layer, rounded, v);
    return c->b->status == LC_OK;
}

/* The steps of the next range, one for each of n channels or (*n becomes 1) one for all. */
static lc_fake_steps *next_steps(lc_call *c, variables *v, const char *what, int32_t bits, bool narrow, uint32_t *n) {
    const lc_keras_weight *low = v->used + 1 < v->range_count ? v->range[v->used] : NULL, *high = low ? v->range[v->used + 1] : NULL;
    v->used += 2;
    if (!low || low->rank > 1 || low->rank != high->rank || (low->rank == 1 && low->dims[0] != high->dims[0])) {
        lc_build_fail(c->b, LC_INVALID, "the file has no range for its %s", what);
        lc_build_hint(c->b, "save the whole quantised model again with model.save()");
        return NULL;
    }
    size_t count;
    if (!whole(c, low, what, &count) || !whole(c, high, what, &count)) return NULL;
    const uint32_t have = (uint32_t)count;
    if (have != 1 && have != *n) {
        lc_build_fail(c->b, LC_INVALID, "its %s has %u ranges and %u channels", what, have, *n);
        return NULL;
    }
    lc_fake_steps *s = lc_arena_array(&c->lower->scratch, (size_t)have + 1, sizeof *s);
    if (!s) lc_build_check(c->b, lc_fail_memory(c->b->err, "quantisation"));
    for (uint32_t i = 0; s && i < have; i++) {
        const float min = (float)lc_weight_at(low, i), max = (float)lc_weight_at(high, i);
        if (!lc_fake_usable(min, max)) {
            lc_build_fail(c->b, LC_INVALID, "the range of its %s is [%g, %g], which does not hold zero and something else", what,
                          (double)min, (double)max);
            lc_build_hint(c->b, "train the quantised model for some steps before it is saved: that sets the ranges");
            return NULL;
        }
        s[i] = lc_fake_steps_of(min, max, bits, narrow);
    }
    *n = have;
    return s;
}

static int32_t rounded(lc_call *c, variables *v, const char *what, int32_t bits, int32_t x) {
    uint32_t one = 1;
    const lc_fake_steps *s = next_steps(c, v, what, bits, false, &one);
    return s ? lc_fake_quant(c->b, x, s, bits, false) : -1;
}

/* ---- kernels ---------------------------------------------------------------------------------------------------------------- */

typedef struct kernel {
    lc_fake_steps *steps;
    uint32_t n;
} kernel;

/* Weight w with its values on their steps; channels are its last dimension. */
static void round_kernel(lc_call *c, lc_keras_weight *w, variables *v, int32_t bits, kernel *k) {
    size_t count;
    if (!whole(c, w, "kernel", &count)) return;
    k->n = w->rank > 0 && w->dims[w->rank - 1] <= MOST_CHANNELS ? (uint32_t)w->dims[w->rank - 1] : 1;
    k->steps = next_steps(c, v, "kernel", bits, true, &k->n);
    float *data = k->steps ? lc_build_data(c->b, count * sizeof *data + 1) : NULL;
    if (!data) return;
    for (size_t i = 0; i < count; i++) data[i] = lc_fake_round(&k->steps[i % k->n], (float)lc_weight_at(w, i));
    w->data = data;
    w->size = count * sizeof *data;
    w->type = LC_FLOAT32;
}

/* The operators made since `first` whose weights these are: their constants are on these steps. */
static void annotate(lc_call *c, size_t first, const kernel *k, int32_t bits) {
    const lc_graph *g = c->b->graph;
    for (size_t i = first; c->b->status == LC_OK && i < g->node_count; i++) {
        const lc_node *n = &g->nodes[i];
        const lc_op_quant_def *rule = lc_op_quant(n->op);
        const int32_t t = rule && rule->weights >= 0 && (uint32_t)rule->weights < n->input_count ? n->inputs[rule->weights] : -1;
        if (t < 0 || !lc_tensor_is_const(&g->tensors[t]) || g->tensors[t].type != LC_FLOAT32) continue;
        const uint32_t slices = rule->axis < g->tensors[t].rank ? (uint32_t)g->tensors[t].dims[rule->axis] : 0;
        lc_fake_steps *s = k->steps;
        if (k->n > 1 && (slices == 0 || slices % k->n)) continue;
        if (k->n > 1 && slices != k->n) { /* DEPTHWISE_CONV_2D: channels times multiplier */
            s = lc_arena_array(&c->lower->scratch, slices, sizeof *s);
            if (!s) lc_build_check(c->b, lc_fail_memory(c->b->err, "quantisation"));
            for (uint32_t j = 0; s && j < slices; j++) s[j] = k->steps[j % k->n];
        }
        if (s) lc_fake_annotate(c->b, t, s, k->n > 1 ? slices : 1, rule->axis, bits);
    }
}

/* ---- the layer in it --------------------------------------------------------------------------------------------------------- */

/* The name of an activation: "relu", {"class_name": "QuantizeAwareActivation", "config": {"activation": ...}}, a function. */
static const char *activation_name(const lc_json *a) {
    for (int depth = 0; depth < 4; depth++) {
        if (lc_json_is(a, LC_JSON_STRING)) return a->string;
        const lc_json *config = lc_json_get(a, "config");
        if (lc_json_is(config, LC_JSON_STRING)) return config->string;
        const lc_json *in = lc_json_get(config, "activation");
        if (!in) return lc_json_str(a, "class_name", "linear");
        a = in;
    }
    return "linear";
}

static bool among(const char *name, const char *const *names) {
    for (; *names; names++)
        if (strcmp(name, *names) == 0) return true;
    return false;
}

/* The activation of the layer, which was left out of it, with what the wrapper rounds in front and behind. */
static int32_t activate(lc_call *c, const char *name, variables *v, int32_t bits, int32_t x) {
    static const char *const before[] = {"softmax", "sigmoid", "tanh", "gelu", NULL};
    static const char *const behind[] = {"linear", "relu", "swish", "silu", "gelu", NULL};
    if (strcmp(name, "NoOpActivation") == 0) return x;
    if (among(name, before)) x = rounded(c, v, "activation", bits, x);
    x = lc_lower_activation_name(c, "activation", name, x);
    return among(name, behind) ? rounded(c, v, "activation", bits, x) : x;
}

static int32_t bits_of(lc_call *c, const lc_json *config, const char *key) {
    const lc_json *bits = lc_json_get(config, key);
    if (!bits) return 8;
    if (lc_json_is(bits, LC_JSON_INT) && bits->integer >= 2 && bits->integer <= 16) return (int32_t)bits->integer;
    return lc_opt_fail(c, "quantize_config", "its %s needs 2 to 16", key), 8;
}

/* Of tfmot's own configurations, whose quantizers are known; OutputOnlyConfig holds another one and leaves kernels alone. */
static const lc_json *known_config(lc_call *c, const lc_json *q, bool *output_only) {
    static const char *const known[] = {"NoOpQuantizeConfig",
                                        "Default8BitQuantizeConfig",
                                        "Default8BitConvQuantizeConfig",
                                        "Default8BitConvTransposeQuantizeConfig",
                                        "Default8BitActivationQuantizeConfig",
                                        "Default8BitOutputQuantizeConfig",
                                        "DefaultNBitQuantizeConfig",
                                        "DefaultNBitConvQuantizeConfig",
                                        "DefaultNBitConvTransposeQuantizeConfig",
                                        "DefaultNBitActivationQuantizeConfig",
                                        "DefaultNBitOutputQuantizeConfig",
                                        NULL};
    const char *name = lc_json_str(q, "class_name", "");
    const lc_json *config = lc_json_get(q, "config");
    if (strcmp(name, "OutputOnlyConfig") == 0) {
        *output_only = true;
        return known_config(c, lc_json_get(config, "quantize_config"), output_only);
    }
    if (among(name, known) && lc_json_is(config, LC_JSON_OBJECT)) return config;
    lc_opt_fail(c, "quantize_config", "litec knows tfmot's Default8Bit and DefaultNBit configurations, not %.100s",
                *name ? name : "one without a name");
    lc_build_hint(c->b, "convert the model as a SavedModel: there the rounding is in the graph");
    return NULL;
}

/* Calls the layer in it; its mask goes on. */
static int32_t call_inner(lc_call *c, const lc_keras_layer *part) {
    lc_call done;
    int32_t *masks = lc_arena_array(&c->lower->scratch, (size_t)c->in_count + 1, sizeof *masks);
    if (!masks) return lc_build_check(c->b, lc_fail_memory(c->b->err, "masks")) ? -1 : -1;
    for (uint32_t i = 0; i < c->in_count; i++) masks[i] = lc_call_mask(c, i);
    const int32_t y = lc_part_call(c, part, c->in, masks, c->in_count, &done);
    if (c->b->status != LC_OK) return -1;
    for (size_t i = 0; i < done.more_count; i++) lc_call_give(c, (uint32_t)i + 1, done.more[i]);
    if (done.mask >= 0) lc_call_give_mask(c, done.mask);
    return y;
}

/* Only what `v` says are its weights. */
static bool make_part(lc_call *c, const lc_json *layer, const variables *v, lc_keras_layer *part) {
    if (!lc_part(c, layer, "layer/", 0, c->layer->weight_count, part)) return false;
    part->weights = v->inner;
    part->weight_count = v->inner_count;
    return true;
}

int32_t lc_lower_quantize_wrapper(lc_call *c) {
    const lc_json *layer = lc_opt(c, "layer"), *config;
    bool output_only = false;
    variables v;
    lc_keras_layer *part = lc_arena_alloc(&c->lower->scratch, sizeof *part);
    if (!part) return lc_build_check(c->b, lc_fail_memory(c->b->err, "a layer")) ? -1 : -1;
    if (!layer) return lc_opt_fail(c, "layer", "needs a layer");
    if (!(config = known_config(c, lc_opt(c, "quantize_config"), &output_only))) return -1;
    const int32_t weight_bits = bits_of(c, config, "num_bits_weight"), bits = bits_of(c, config, "num_bits_activation");
    const lc_json *kernels = output_only ? NULL : lc_json_get(config, "weight_attrs"),
                  *activations = lc_json_get(config, "activation_attrs");
    const char *activation = NULL;
    if (activations && activations->count) {
        static const lc_json linear = {.kind = LC_JSON_STRING, .key = "activation", .string = "linear"};
        activation = activation_name(lc_json_get(lc_json_get(layer, "config"), "activation"));
        layer = lc_part_with(c, layer, &linear, 1);
    }
    if (!layer || !read_variables(c, layer, kernels, &v) || !make_part(c, layer, &v, part)) return -1;
    const uint32_t kernel_count = kernels ? kernels->count : 0;
    kernel k = {0};
    if (kernel_count > v.inner_count || kernel_count > 1)
        return lc_build_fail(c->b, LC_UNSUPPORTED, "it rounds %u weights of a layer that has %u; litec knows layers with one kernel",
                             kernel_count, v.inner_count);
    if (kernel_count) round_kernel(c, &v.inner[0], &v, weight_bits, &k);
    const size_t first = c->b->graph->node_count;
    if (c->b->status != LC_OK) return -1;
    int32_t y = call_inner(c, part);
    if (kernel_count && weight_bits <= 8) annotate(c, first, &k, weight_bits);
    if (activation) y = activate(c, activation, &v, bits, y);
    if (v.used < v.range_count) y = rounded(c, &v, "output", bits, y); /* whether it has one hangs on the layer's kind; the file tells */
    if (c->b->status == LC_OK && v.used < v.range_count)
        return lc_build_fail(c->b, LC_INVALID, "the file has %u ranges for it, of which %u have a place", v.range_count / 2, v.used / 2);
    return c->b->status == LC_OK ? y : -1;
}

int32_t lc_lower_quantize_layer(lc_call *c) {
    const lc_json *config = lc_json_get(lc_opt(c, "quantizer"), "config");
    const int32_t bits = bits_of(c, config, "num_bits"), x = lc_call_float(c, 0);
    const lc_keras_weight *range[2];
    variables v = {.range = range};
    for (uint32_t i = 0; i < c->layer->weight_count && v.range_count < 2; i++)
        if (!is_step(&c->layer->weights[i])) range[v.range_count++] = &c->layer->weights[i];
    return rounded(c, &v, "input", bits, x);
}

int32_t lc_lower_quantize_annotate(lc_call *c) {
    const lc_json *layer = lc_opt(c, "layer");
    lc_keras_layer *part = lc_arena_alloc(&c->lower->scratch, sizeof *part);
    lc_opt_known(c, "quantize_config");
    if (!part) return lc_build_check(c->b, lc_fail_memory(c->b->err, "a layer")) ? -1 : -1;
    if (!layer) return lc_opt_fail(c, "layer", "needs a layer");
    return lc_part(c, layer, "layer/", 0, c->layer->weight_count, part) ? call_inner(c, part) : -1;
}

/* The layer with the weights `v` has for it; nothing is rounded. */
static int32_t call_with(lc_call *c, const lc_json *layer, const variables *v) {
    lc_keras_layer *part = lc_arena_alloc(&c->lower->scratch, sizeof *part);
    if (!part) return lc_build_check(c->b, lc_fail_memory(c->b->err, "a layer")) ? -1 : -1;
    return make_part(c, layer, v, part) ? call_inner(c, part) : -1;
}

/* Its own variables are masks, thresholds and a step; masked weights are zeros already. In .keras files its layer has all of its own. */
int32_t lc_lower_prune_wrapper(lc_call *c) {
    const lc_json *layer = lc_opt(c, "layer");
    const lc_keras_layer *l = c->layer;
    variables v = {.inner = lc_arena_array(&c->lower->scratch, (size_t)l->weight_count + 1, sizeof *v.inner)};
    lc_opt_known(c, "pruning_schedule block_size block_pooling_type sparsity_m_by_n");
    if (!v.inner) return lc_build_check(c->b, lc_fail_memory(c->b->err, "weights")) ? -1 : -1;
    if (!layer) return lc_opt_fail(c, "layer", "needs a layer");
    const bool placed = lc_part_by_name(l);
    for (uint32_t i = 0; i < l->weight_count; i++) {
        const lc_str name = own_name(&l->weights[i]);
        const bool own =
            placed ? strncmp(l->weights[i].name, "layer/", 6) != 0
                   : lc_str_has_suffix(name, "mask") || lc_str_has_suffix(name, "threshold") || lc_str_has_suffix(name, "pruning_step");
        if (!own) v.inner[v.inner_count++] = l->weights[i];
    }
    return call_with(c, layer, &v);
}

/* Each element of w becomes the nearest centroid, the first of two. keep: zeros stay. */
static void cluster(lc_call *c, lc_keras_weight *w, const lc_keras_weight *centroids, bool keep) {
    size_t count, n;
    if (!whole(c, w, "clustered weight", &count) || !whole(c, centroids, "centroids", &n)) return;
    if (centroids->rank != 1 || centroids->dims[0] < 1 || centroids->dims[0] > MOST_CHANNELS) {
        lc_build_fail(c->b, LC_UNSUPPORTED, "its centroids have %d dimensions; litec knows one list for all channels", centroids->rank);
        lc_build_hint(c->b, "call tfmot.clustering.keras.strip_clustering(model) before it is saved");
        return;
    }
    float *data = lc_build_data(c->b, count * sizeof *data + 1);
    for (size_t i = 0; data && i < count; i++) {
        const double v = lc_weight_at(w, i);
        double nearest = lc_weight_at(centroids, 0);
        for (int32_t k = 1; k < centroids->dims[0]; k++) {
            const double at = lc_weight_at(centroids, (size_t)k);
            if (fabs(v - at) < fabs(v - nearest)) nearest = at;
        }
        data[i] = keep && v == 0 ? 0 : (float)nearest;
    }
    w->data = data;
    w->size = count * sizeof *data;
    w->type = LC_FLOAT32;
}

static bool is_whole(const lc_keras_weight *w) { return w->type == LC_INT64 || w->type == LC_INT32; }

/* .keras files: the wrapper's own variables are three for each clustered weight: it, the centroids, and whole numbers (which is nearest). */
static void cluster_placed(lc_call *c, bool keep, variables *v) {
    const lc_keras_layer *l = c->layer;
    for (uint32_t i = 0; i < l->weight_count; i++) {
        const bool centroids = i + 1 < l->weight_count && is_whole(&l->weights[i + 1]);
        if (centroids && v->inner_count) cluster(c, &v->inner[v->inner_count - 1], &l->weights[i], keep);
        else if (!is_whole(&l->weights[i])) v->inner[v->inner_count++] = l->weights[i];
    }
}

/* .h5 files: "cluster_centroids_kernel" are those of "kernel". */
static void cluster_named(lc_call *c, bool keep, variables *v) {
    static const char prefix[] = "cluster_centroids_";
    const size_t skip = sizeof prefix - 1;
    const lc_keras_layer *l = c->layer;
    for (uint32_t i = 0; i < l->weight_count; i++) {
        const lc_str name = own_name(&l->weights[i]);
        if (!is_whole(&l->weights[i]) && !(name.size > skip && memcmp(name.data, prefix, skip) == 0))
            v->inner[v->inner_count++] = l->weights[i];
    }
    for (uint32_t i = l->weight_count; i-- > 0;) { /* from behind, for each goes to the front */
        const lc_str name = own_name(&l->weights[i]);
        if (name.size <= skip || memcmp(name.data, prefix, skip) != 0) continue;
        for (uint32_t k = 0; k < v->inner_count; k++) {
            const lc_str of = own_name(&v->inner[k]);
            if (of.size != name.size - skip || memcmp(of.data, name.data + skip, of.size) != 0) continue;
            cluster(c, &v->inner[k], &l->weights[i], keep);
            move_first(v->inner, k);
            break;
        }
    }
}

/* The wrapper keeps weights as they were before they were clustered, and does that each time it is called. */
int32_t lc_lower_cluster_wrapper(lc_call *c) {
    const lc_json *layer = lc_opt(c, "layer");
    const bool keep = lc_opt_bool(c, "preserve_sparsity", false);
    variables v = {.inner = lc_arena_array(&c->lower->scratch, (size_t)c->layer->weight_count + 1, sizeof *v.inner)};
    lc_opt_known(c, "number_of_clusters cluster_centroids_init cluster_gradient_aggregation cluster_per_channel");
    if (!v.inner) return lc_build_check(c->b, lc_fail_memory(c->b->err, "weights")) ? -1 : -1;
    if (!layer) return lc_opt_fail(c, "layer", "needs a layer");
    if (lc_part_by_name(c->layer)) cluster_placed(c, keep, &v);
    else cluster_named(c, keep, &v);
    return c->b->status == LC_OK ? call_with(c, layer, &v) : -1;
}
