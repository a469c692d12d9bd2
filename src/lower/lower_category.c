/*
 * Numbers as categories, categories as vectors.
 *
 *   CategoryEncoding   ONE_HOT; one of a row of them (REDUCE_MAX) or their SUM where an example has several
 *   Discretization     BUCKETIZE, then the same
 *
 * Where an example has several indices they are the second dimension, whatever comes behind; without a batch the whole input is one example.
 *
 * Refused, with a way out: what hashes (Hashing, HashedCrossing): no operator computes FarmHash or SipHash; layers that take text apart;
 * wrappers of other frameworks' programs.
 *
 * Facts: keras/src/utils/numerical_utils.py, tf_keras preprocessing_utils.py.
 */
#include "lower/category.h"
#include "lower/tf_array.h"

#include <string.h>

/* ---- options ------------------------------------------------------------------------------------------------------------- */

lc_category_mode lc_category_output(lc_call *c, lc_category_mode otherwise) {
    static const struct {
        const char *name;
        lc_category_mode mode;
    } names[] = {{"int", LC_CATEGORY_INT},      {"one_hot", LC_CATEGORY_ONE_HOT},  {"multi_hot", LC_CATEGORY_MULTI_HOT},
                 {"count", LC_CATEGORY_COUNT},  {"binary", LC_CATEGORY_MULTI_HOT}, {"tf_idf", LC_CATEGORY_TF_IDF},
                 {"tf-idf", LC_CATEGORY_TF_IDF}};
    const lc_json *v = lc_opt(c, "output_mode");
    if (!v) return otherwise;
    for (size_t i = 0; v->kind == LC_JSON_STRING && i < sizeof names / sizeof *names; i++)
        if (strcmp(v->string, names[i].name) == 0) return names[i].mode;
    lc_opt_fail(c, "output_mode", "needs int, one_hot, multi_hot, count or tf_idf");
    return otherwise;
}

lc_dtype lc_category_type(lc_call *c, lc_dtype otherwise) {
    const lc_json *v = lc_opt(c, "dtype");
    const char *name = lc_json_is(v, LC_JSON_STRING) ? v->string : lc_json_str(lc_json_get(v, "config"), "name", NULL);
    static const lc_dtype known[] = {LC_INT32, LC_INT64, LC_INT8, LC_UINT8, LC_BOOL};
    if (!name) return otherwise;
    if (strstr(name, "float")) return LC_FLOAT32;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, lc_dtype_name(known[i])) == 0) return known[i];
    lc_opt_fail(c, "dtype", "litec does not convert this layer with it");
    return otherwise;
}

/* ---- encoding ------------------------------------------------------------------------------------------------------------ */

static int32_t one_hot(lc_tf_call *m, int32_t indices, int32_t depth, lc_dtype type) {
    const lc_OneHotOptions o = {.axis = -1};
    const int32_t in[4] = {indices, lc_tf_scalar(m, depth, LC_INT32), lc_tf_scalar(m, 1, type), lc_tf_scalar(m, 0, type)};
    return lc_build_op(m->b, LC_OP_ONE_HOT, LC_TABLE_OneHotOptions, &o, in, 4);
}

int32_t lc_category_encode(lc_call *c, lc_category_mode mode, int32_t indices, int32_t depth, int32_t weights, lc_dtype type) {
    lc_tf_call *m = lc_eager_maker(c);
    lc_shape s;
    if (mode == LC_CATEGORY_INT) return lc_build_cast(c->b, indices, type);
    if (lc_build_type(c->b, indices) != LC_INT64) indices = lc_build_cast(c->b, indices, LC_INT32);
    if (!lc_call_shape(c, indices, &s)) return -1;
    if (s.rank >= LC_MAX_RANK) return lc_build_fail(c->b, LC_UNSUPPORTED, "its input has %d dimensions", s.rank);
    const bool narrow = s.rank > 1 && s.dims[s.rank - 1] == 1; /* one index an example: nothing to gather */
    if (mode == LC_CATEGORY_ONE_HOT || (narrow && s.rank == 2 && weights < 0)) {
        if (mode == LC_CATEGORY_ONE_HOT && c->lower->keras2 && s.rank > (narrow ? 2 : 1))
            return lc_opt_fail(c, "output_mode", "its input has %d dimensions, Keras takes one index an example", s.rank);
        if (narrow) indices = lc_tf_squeeze(m, indices, s.rank - 1);
        return one_hot(m, indices, depth, type);
    }
    int32_t y = one_hot(m, indices, depth, weights >= 0 ? LC_FLOAT32 : type);
    const int32_t axis = s.rank > 1 ? 1 : 0;
    if (mode == LC_CATEGORY_MULTI_HOT) return lc_build_reduce(c->b, LC_OP_REDUCE_MAX, y, &axis, 1, false);
    if (weights >= 0) y = lc_tf_binary(m, LC_OP_MUL, y, lc_tf_expand(m, weights, s.rank));
    return lc_build_cast(c->b, lc_build_reduce(c->b, LC_OP_SUM, y, &axis, 1, false), type);
}

/* Dense output only. */
static bool is_dense(lc_call *c) { return !lc_opt_bool(c, "sparse", false) || lc_opt_fail(c, "sparse", "litec has no sparse tensors") > 0; }

int32_t lc_lower_category_encoding(lc_call *c) {
    const lc_category_mode mode = lc_category_output(c, LC_CATEGORY_MULTI_HOT);
    const char *key = lc_opt(c, "max_tokens") && !lc_opt(c, "num_tokens") ? "max_tokens" : "num_tokens"; /* its name in Keras 2.5 */
    const int32_t depth = lc_opt_size(c, key);
    if (!is_dense(c)) return -1;
    if (mode == LC_CATEGORY_INT || mode == LC_CATEGORY_TF_IDF) return lc_opt_fail(c, "output_mode", "needs one_hot, multi_hot or count");
    int32_t weights = lc_call_tensor(c, lc_call_argument(c, 1, "count_weights"));
    if (weights < 0 && c->in_count > 1) weights = c->in[1];
    if (weights >= 0 && mode != LC_CATEGORY_COUNT) return lc_opt_fail(c, "output_mode", "it is called with count_weights: needs count");
    if (weights >= 0) weights = lc_build_cast(c->b, weights, LC_FLOAT32);
    return lc_category_encode(c, mode, c->in[0], depth, weights, lc_category_type(c, LC_FLOAT32));
}

/* y at x on the line through the points (xs, ys), level outside. */
static double between(const double *xs, const double *ys, size_t n, double x) {
    size_t i = 0;
    while (i < n && xs[i] < x) i++;
    if (i == 0 || i == n) return ys[i ? n - 1 : 0];
    return ys[i - 1] + (ys[i] - ys[i - 1]) * (x - xs[i - 1]) / (xs[i] - xs[i - 1]);
}

/* What adapt() of Keras 2 keeps: values and how often each came, [2, n]. Boundaries are where each further share of 1 / num_bins is full. */
static uint32_t from_summary(lc_call *c, const double **out) {
    const lc_keras_layer *l = c->layer;
    const int32_t bins = lc_opt_int(c, "num_bins", 1, 1 << 20, 0);
    const int32_t n = l->weights[0].rank == 2 ? l->weights[0].dims[1] : 0, dims[2] = {2, n};
    const lc_keras_weight *w = lc_weight(c, 0, "summary", dims, 2);
    double *values = lc_arena_array(&c->lower->scratch, (size_t)n * 2 + (size_t)bins + 1, sizeof *values);
    if (!values) lc_build_check(c->b, lc_fail_memory(c->b->err, "bin_boundaries"));
    if (!w || !values || !n || (int64_t)n * bins > 1 << 28) {
        if (c->b->status == LC_OK) lc_build_fail(c->b, LC_INVALID, "what adapt() left in the file gives no %d bins", bins);
        return 0;
    }
    double *share = values + n, *bounds = share + n, sum = 0;
    for (size_t i = 0; i < (size_t)n; i++) {
        values[i] = lc_weight_at(w, i);
        share[i] = sum += lc_weight_at(w, (size_t)n + i);
    }
    for (size_t i = 0; i < (size_t)n; i++) share[i] /= sum;
    *out = n < bins ? values : bounds;
    for (int32_t i = 0; i < bins - 1; i++) bounds[i] = between(share, values, (size_t)n, (i + 1.0) / bins);
    return (uint32_t)(n < bins ? n : bins) - 1;
}

/* bin_boundaries of the config, or what adapt() found. */
static uint32_t boundaries(lc_call *c, const double **values) {
    const lc_json *given = lc_opt(c, "bin_boundaries");
    if (lc_json_is(given, LC_JSON_ARRAY) && !given->count) return 0;
    if (given) return lc_opt_floats(c, "bin_boundaries", values);
    if (c->layer->weight_count) return from_summary(c, values);
    lc_build_fail(c->b, LC_INVALID, "it has no bin_boundaries, neither in its config nor among its weights");
    lc_build_hint(c->b, "call adapt(data) before model.save(...), or give bin_boundaries=[...]");
    return 0;
}

int32_t lc_lower_discretization(lc_call *c) {
    const lc_category_mode mode = lc_category_output(c, LC_CATEGORY_INT);
    const double *values = NULL;
    const uint32_t n = boundaries(c, &values);
    const int32_t x = lc_call_float(c, 0);
    if (!is_dense(c) || c->b->status != LC_OK) return -1;
    if (mode == LC_CATEGORY_TF_IDF) return lc_opt_fail(c, "output_mode", "needs int, one_hot, multi_hot or count");
    if (n >= INT32_MAX) return lc_opt_fail(c, "bin_boundaries", "needs fewer of them");
    float *bins = lc_build_data(c->b, n ? n * sizeof *bins : 1);
    for (uint32_t i = 0; bins && i < n; i++) {
        bins[i] = (float)values[i];
        if (i && bins[i] < bins[i - 1]) return lc_opt_fail(c, "bin_boundaries", "needs numbers in rising order");
    }
    if (!bins) return -1;
    const lc_BucketizeOptions o = {.boundaries = {bins, n}};
    const int32_t y = lc_build_op(c->b, LC_OP_BUCKETIZE, LC_TABLE_BucketizeOptions, &o, &x, 1);
    const lc_dtype type = mode != LC_CATEGORY_INT ? lc_category_type(c, LC_FLOAT32)
                          : c->lower->keras2      ? lc_category_type(c, LC_INT64)
                                                  : LC_INT32;
    return lc_category_encode(c, mode, y, (int32_t)n + 1, -1, type);
}

/* ---- what no operator can do ------------------------------------------------------------------------------------------------- */

int32_t lc_lower_hashing(lc_call *c) {
    lc_build_fail(c->b, LC_UNSUPPORTED, "it hashes text (FarmHash64, SipHash): no operator of TFLite does");
    return lc_build_hint(c->b, "compute the bins before the model and feed them as integers; or use StringLookup or IntegerLookup with a "
                               "vocabulary, which become hash tables; or --allow-custom-ops to write the operator yourself");
}

int32_t lc_lower_text(lc_call *c) {
    lc_build_fail(c->b, LC_UNSUPPORTED, "it takes text apart into words: no operator of TFLite does");
    return lc_build_hint(c->b,
                         "split the text before the model and feed the words to StringLookup(vocabulary=layer.get_vocabulary()), which "
                         "becomes a hash table; or feed token numbers; or export a SavedModel and convert it with --select-tf-ops");
}

int32_t lc_lower_feature_space(lc_call *c) {
    lc_build_fail(c->b, LC_UNSUPPORTED, "a FeatureSpace is a model of its own, with one input a feature, and not one layer");
    return lc_build_hint(c->b,
                         "build the model on feature_space.get_encoded_features() as inputs and keep the preprocessing outside, or write "
                         "its features as layers (StringLookup, Normalization, CategoryEncoding ...) in the model");
}

int32_t lc_lower_wrapped(lc_call *c) {
    lc_build_fail(c->b, LC_UNSUPPORTED, "it wraps a program of another framework, of which the file holds no operators");
    return lc_build_hint(c->b, "convert what it wraps by itself (a SavedModel: litec convert DIR), or export the whole model with "
                               "model.export(DIR) and convert that; or --allow-custom-ops to keep it as a CUSTOM operator");
}

int32_t lc_lower_clahe(lc_call *c) {
    lc_build_fail(c->b, LC_UNSUPPORTED,
                  "it equalises histograms of tiles, also when the model runs (not only in training): litec does not convert that");
    return lc_build_hint(c->b, "do it before the model, on the images that are fed, and leave the layer out");
}
