/*
 * Attention. The layers with heads (MultiHeadAttention, GroupedQueryAttention) are four dense layers around two products of matrices:
 *
 *   x [b, t.., d] ─▶ FULLY_CONNECTED ─▶ [b, t.., heads, size] ─▶ TRANSPOSE ─▶ [b.., heads, t, size]     for query, key and value
 *   query key' ─▶ mask ─▶ SOFTMAX ─▶ times value ─▶ TRANSPOSE ─▶ [b, t.., heads size] ─▶ FULLY_CONNECTED
 *
 * The factor 1 / sqrt(size) goes into the query's weights. Attention over several axes is attention over one that has them all. Grouped
 * queries stand in a dimension of their own, over which keys and values broadcast: nothing is repeated. Attention and AdditiveAttention are
 * the same without dense layers.
 *
 * Masks come with the inputs (Keras's own), in the call's arguments, or are the layer's: causal, sliding window. Where one says no, the score
 * becomes -1e9, as Keras does; the layers of Keras 3 that work the scores out one by one clear the share of such a place, too, which shows
 * where a whole row is masked.
 *
 * Weights lie in the order they were made in .h5 files (query, key, gate, value, output) and under the names of the parts in .keras files.
 *
 * Facts: keras/src/layers/attention, tf_keras/src/layers/attention.
 */
#include "ir/constant.h"
#include "lower/eager.h"
#include "lower/tf_nn.h"
#include "lower/training.h"

#include <math.h>
#include <string.h>

#define MASKED (-1e9)

/* ---- arguments of the call --------------------------------------------------------------------------------------------- */

typedef struct argument {
    int32_t tensor, mask; /* -1: not given */
} argument;

/* The argument of this place and name; with no places known (a fixture, a Sequential) the inputs in order. */
static argument argument_at(lc_call *c, uint32_t place, const char *name) {
    argument a = {-1, -1};
    if (!c->call || !c->call->leaves) {
        if (place < c->in_count) a = (argument){c->in[place], lc_call_mask(c, place)};
        return a;
    }
    a.tensor = lc_call_tensor(c, lc_call_argument(c, place, name));
    if (a.tensor >= 0) a.mask = lc_call_mask(c, c->leaf - 1);
    return a;
}

static int32_t mask_argument(lc_call *c, const lc_json *value) {
    const int32_t mask = lc_call_tensor(c, value);
    if (value && mask < 0) lc_build_fail(c->b, LC_UNSUPPORTED, "it is called with a mask that is no tensor of the model");
    return mask < 0 ? -1 : lc_build_cast(c->b, mask, LC_BOOL);
}

/* A flag of the call. */
static bool flag(lc_call *c, uint32_t place, const char *name) {
    const lc_json *v = lc_call_argument(c, place, name);
    return v && ((v->kind == LC_JSON_BOOL && v->boolean) || (v->kind == LC_JSON_INT && v->integer != 0));
}

/* ---- masks -------------------------------------------------------------------------------------------------------------- */

static int32_t both(lc_tf_call *m, int32_t a, int32_t b) { return a < 0 ? b : b < 0 ? a : lc_tf_binary(m, LC_OP_LOGICAL_AND, a, b); }

/* [1, queries, keys]: which key each query may look at. window 0: any distance. */
static int32_t band(lc_tf_call *m, int32_t queries, int32_t keys, bool causal, int32_t window) {
    const int32_t rows = lc_tf_expand(m, lc_tf_expand(m, lc_tf_range(m, queries), 1), 0), cols = lc_tf_range(m, keys);
    int32_t mask = -1;
    if (causal) mask = lc_tf_binary(m, LC_OP_GREATER_EQUAL, rows, cols);
    if (window) mask = both(m, mask, lc_tf_with(m, LC_OP_LESS, lc_tf_unary(m, LC_OP_ABS, lc_tf_binary(m, LC_OP_SUB, rows, cols)), window));
    return mask;
}

/* The mask with dimensions of 1 before its last `last`, so that it has `rank`. */
static int32_t widened(lc_tf_call *m, int32_t mask, int32_t rank, int32_t last) {
    lc_shape s = lc_tf_ranked(m, mask);
    if (!lc_tf_ok(m)) return -1;
    if (s.rank > rank) return lc_build_fail(m->b, LC_INVALID, "its mask has %d dimensions, the scores have %d", s.rank, rank);
    for (; s.rank < rank; s.rank++) mask = lc_tf_expand(m, mask, s.rank < last ? 0 : s.rank - last);
    return mask;
}

/* scores where the mask holds, else `other`. The kernel of SELECT_V2 takes five dimensions. */
static int32_t masked(lc_tf_call *m, int32_t scores, int32_t mask, double other) {
    const lc_shape s = lc_tf_ranked(m, scores);
    if (mask < 0 || !lc_tf_ok(m)) return scores;
    if (s.rank <= 5) return lc_build_select(m->b, mask, scores, lc_tf_scalar(m, other, LC_FLOAT32));
    const int32_t keep = lc_build_cast(m->b, mask, LC_FLOAT32);
    if (other == 0) return lc_tf_binary(m, LC_OP_MUL, scores, keep);
    return lc_tf_binary(m, LC_OP_ADD, scores, lc_tf_with(m, LC_OP_SUB, lc_tf_with(m, LC_OP_MUL, keep, -other), -other));
}

/* The scores that the values are weighted by: in training some are dropped. The scores that are an output stay whole. */
static int32_t dropped(lc_call *c, int32_t scores) {
    const double rate = lc_opt_num(c, "dropout", 0);
    uint32_t stream;
    if (!lc_training_mode(c) || !(rate > 0 && rate < 1)) return scores;
    lc_training_counter(c, &stream);
    return lc_training_dropout(c, scores, (float)rate, stream, 0);
}

static int32_t softmax(lc_call *c, int32_t x) {
    lc_shape s;
    return lc_call_shape(c, x, &s) ? lc_lower_softmax(c, LC_OP_SOFTMAX, x, s.rank - 1) : -1;
}

/* ---- the dense layers inside ------------------------------------------------------------------------------------------------ */

typedef struct part {
    const char *h5, *zip; /* what files call it */
    uint32_t place;       /* among the parts, as they are made */
} part;

/* "any/query/kernel:0" or "[_]query_dense/vars/0" */
static bool is_part(const char *name, const part *p, uint32_t number) {
    const char *at = name + (*name == '_'), *colon = strrchr(name, ':');
    const size_t n = strlen(p->zip), size = colon ? (size_t)(colon - name) : strlen(name);
    if (strncmp(at, p->zip, n) == 0 && strncmp(at + n, "/vars/", 6) == 0 && at[n + 6] == (char)('0' + number) && !at[n + 7]) return true;
    const char *leaf = number ? "/bias" : "/kernel";
    const size_t tail = strlen(leaf), middle = strlen(p->h5);
    if (size < tail + middle || memcmp(name + size - tail, leaf, tail) != 0) return false;
    const char *begin = name + size - tail - middle;
    return memcmp(begin, p->h5, middle) == 0 && (begin == name || begin[-1] == '/');
}

static uint32_t weight_of(const lc_call *c, const part *p, uint32_t number, bool bias) {
    for (uint32_t i = 0; i < c->layer->weight_count; i++)
        if (c->layer->weights[i].name && is_part(c->layer->weights[i].name, p, number)) return i;
    return p->place * (bias ? 2 : 1) + number;
}

static bool product(lc_call *c, const int32_t *dims, int32_t n, int32_t *out) {
    int64_t size = 1;
    for (int32_t i = 0; i < n; i++)
        if (!lc_mul_i64(size, dims[i], &size) || size > INT32_MAX)
            return lc_build_fail(c->b, LC_LIMIT, "the product of its sizes is over 2147483647") > 0;
    *out = (int32_t)size;
    return c->b->status == LC_OK;
}

/* x [.., product of in] by this part's kernel [in.., out..]: [.., product of out], times `scale`. */
static int32_t dense(lc_call *c, const part *p, int32_t x, const int32_t *in, int32_t n_in, const int32_t *out, int32_t n_out, bool bias,
                     double scale) {
    int32_t dims[LC_MAX_RANK], rows = 0, cols = 0;
    const uint32_t slot = p->place * 2;
    if (c->b->status != LC_OK) return -1;
    if (n_in + n_out > LC_MAX_RANK) return lc_build_fail(c->b, LC_UNSUPPORTED, "its %s has %d dimensions", p->h5, n_in + n_out);
    memcpy(dims, in, (size_t)n_in * sizeof *dims);
    memcpy(dims + n_in, out, (size_t)n_out * sizeof *dims);
    if (!product(c, in, n_in, &rows) || !product(c, out, n_out, &cols)) return -1;
    char name[64];
    snprintf(name, sizeof name, "%s/kernel", p->h5);
    lc_training_fan(c, (size_t)rows);
    const lc_keras_weight *w = lc_weight(c, weight_of(c, p, 0, bias), name, dims, n_in + n_out);
    if (w && !c->slots[slot] && lc_trains(c)) {
        const int32_t kernel = lc_weight_turned(c, lc_training_input(c, w, name, true), rows, cols);
        c->slots[slot] = (scale == 1 ? kernel : lc_build_with_scalar(c->b, LC_OP_MUL, kernel, "scale", (float)scale)) + 1;
    } else if (w && !c->slots[slot]) {
        lc_deferred made = {.type = w->type, .data = w->data, .rows = (size_t)rows, .cols = (size_t)cols};
        float *scales = scale == 1 ? NULL : lc_build_data(c->b, (size_t)cols * sizeof *scales);
        for (int32_t i = 0; scales && i < cols; i++) scales[i] = (float)scale;
        made.scale = scales;
        const int32_t shape[2] = {cols, rows};
        c->slots[slot] = lc_build_deferred(c->b, name, shape, 2, &made) + 1;
    }
    snprintf(name, sizeof name, "%s/bias", p->h5);
    const lc_keras_weight *added = bias ? lc_weight(c, weight_of(c, p, 1, bias), name, out, n_out) : NULL;
    if (added && !c->slots[slot + 1] && lc_trains(c)) {
        const int32_t vector = lc_weight_shaped(c, lc_training_input(c, added, name, true), &cols, 1);
        c->slots[slot + 1] = (scale == 1 ? vector : lc_build_with_scalar(c->b, LC_OP_MUL, vector, "scale", (float)scale)) + 1;
    } else if (added && !c->slots[slot + 1]) {
        float *values = lc_build_data(c->b, (size_t)cols * sizeof *values);
        for (int32_t i = 0; values && i < cols; i++) values[i] = (float)(lc_weight_at(added, (size_t)i) * scale);
        c->slots[slot + 1] = lc_build_const(c->b, name, LC_FLOAT32, &cols, 1, values, (size_t)cols * sizeof *values, true) + 1;
    }
    if (c->b->status != LC_OK) return -1;
    const lc_FullyConnectedOptions o = {.keep_num_dims = true};
    const int32_t inputs[3] = {x, c->slots[slot] - 1, bias ? c->slots[slot + 1] - 1 : LC_ABSENT};
    return lc_build_op(c->b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &o, inputs, 3);
}

/* ---- MultiHeadAttention ----------------------------------------------------------------------------------------------------- */

static const part query_part = {"query", "query_dense", 0}, key_part = {"key", "key_dense", 1};

typedef struct heads {
    int32_t rank;              /* of an input: batch, places .., features */
    int32_t heads;             /* key.. value heads; query heads are `group` times as many */
    int32_t group;             /* over 1: a dimension behind the heads */
    bool attends[LC_MAX_RANK]; /* which of the places are looked over */
    int32_t over;              /* how many of them */
    bool bias, gate;
    struct {
        int32_t like, sizes;
    } known[3]; /* sizes but the features' of inputs, worked out in the run */
    uint32_t known_count;
} heads;

/* Batch and places of an input as a vector, made once. */
static int32_t sizes_of(lc_tf_call *m, heads *h, int32_t like) {
    for (uint32_t i = 0; i < h->known_count; i++)
        if (h->known[i].like == like) return h->known[i].sizes;
    const int32_t sizes = lc_tf_sizes(m, like, 0, h->rank - 1);
    if (h->known_count < 3) {
        h->known[h->known_count].like = like;
        h->known[h->known_count++].sizes = sizes;
    }
    return sizes;
}

/* x, whose first dimensions are those of the input `like`, with `parts` behind these. RESHAPE has room for one open size. */
static int32_t shaped(lc_call *c, heads *h, int32_t x, int32_t like, const int32_t *parts, int32_t n) {
    lc_tf_call *m = lc_eager_maker(c);
    int32_t dims[LC_MAX_RANK], open = 0;
    const lc_shape s = lc_tf_ranked(m, like);
    if (!lc_tf_ok(m)) return -1;
    for (int32_t i = 0; i < h->rank - 1; i++) {
        dims[i] = s.dims[i];
        open += s.dims[i] < 0;
    }
    memcpy(dims + h->rank - 1, parts, (size_t)n * sizeof *parts);
    if (open < 2) return lc_tf_reshape(m, x, dims, h->rank - 1 + n);
    const int32_t ends[2] = {sizes_of(m, h, like), lc_build_ints(c->b, "sizes", parts, (uint32_t)n)};
    return lc_tf_reshape_like(m, x, lc_tf_concat(m, ends, 2, 0));
}

/* The order [batch.., heads, group, attended.., size] of [batch, places.., heads, group, size]. */
static int32_t order(const heads *h, int32_t *perm) {
    int32_t n = 0;
    for (int32_t i = 0; i < h->rank - 1; i++)
        if (!h->attends[i]) perm[n++] = i;
    perm[n++] = h->rank - 1;
    if (h->group > 1) perm[n++] = h->rank;
    for (int32_t i = 0; i < h->rank - 1; i++)
        if (h->attends[i]) perm[n++] = i;
    perm[n] = n;
    return n + 1;
}

/* y [batch, places.., heads size] as [batch.., heads, (group,) attended, size]. */
static int32_t by_heads(lc_call *c, heads *h, int32_t y, int32_t like, int32_t group, int32_t size) {
    lc_tf_call *m = lc_eager_maker(c);
    int32_t perm[LC_MAX_RANK], parts[3] = {h->heads, group, size};
    if (h->group == 1) parts[1] = size;
    y = shaped(c, h, y, like, parts, h->group > 1 ? 3 : 2);
    const int32_t rank = order(h, perm);
    y = lc_tf_transpose(m, y, perm, rank);
    return h->over == 1 ? y : lc_tf_merge_dims(m, y, rank - 1 - h->over, rank - 1);
}

/* And back to [batch, places.., all], `all` being heads group size; the attended places are those of `like`. */
static int32_t from_heads(lc_call *c, heads *h, int32_t y, int32_t like, int32_t all) {
    lc_tf_call *m = lc_eager_maker(c);
    int32_t perm[LC_MAX_RANK], back[LC_MAX_RANK], sizes[LC_MAX_RANK], n = 0;
    const int32_t rank = order(h, perm);
    if (h->over != 1) {
        for (int32_t i = 0; i < rank - 1 - h->over; i++) sizes[n++] = lc_tf_size(m, y, i);
        for (int32_t i = 0; i < h->rank - 1; i++)
            if (h->attends[i]) sizes[n++] = lc_tf_size(m, like, i);
        sizes[n++] = lc_tf_size(m, y, rank - h->over); /* the last of y */
        y = lc_tf_reshape_sizes(m, y, sizes, (uint32_t)n);
    }
    for (int32_t i = 0; i < rank; i++) back[perm[i]] = i;
    return shaped(c, h, lc_tf_transpose(m, y, back, rank), like, &all, 1);
}

/* scores [.., queries, keys] with the attended places one by one. */
static int32_t unrolled(lc_call *c, const heads *h, int32_t scores, int32_t query, int32_t key) {
    lc_tf_call *m = lc_eager_maker(c);
    int32_t sizes[LC_MAX_RANK], n = 0;
    const lc_shape s = lc_tf_ranked(m, scores);
    if (!lc_tf_ok(m) || h->over == 1) return scores;
    if (s.rank - 2 + 2 * h->over > LC_MAX_RANK)
        return lc_build_fail(c->b, LC_UNSUPPORTED, "its scores have over %d dimensions", LC_MAX_RANK);
    for (int32_t i = 0; i < s.rank - 2; i++) sizes[n++] = lc_tf_size(m, scores, i);
    for (int k = 0; k < 2; k++)
        for (int32_t i = 0; i < h->rank - 1; i++)
            if (h->attends[i]) sizes[n++] = lc_tf_size(m, k ? key : query, i);
    return lc_tf_reshape_sizes(m, scores, sizes, (uint32_t)n);
}

typedef struct asked { /* what the call says */
    argument query, value, key;
    int32_t mask;    /* all of them, -1: none */
    bool scores;     /* are wanted, too */
    bool one_by_one; /* Keras works the scores out as it says itself, not by its backend's kernel */
    bool may_close;  /* the mask may close a whole row */
} asked;

static bool read_call(lc_call *c, bool grouped, asked *a) {
    lc_tf_call *m = lc_eager_maker(c);
    const bool keras2 = c->lower->keras2;
    a->query = argument_at(c, 0, "query");
    a->value = argument_at(c, 1, "value");
    a->key = argument_at(c, 2, "key");
    a->scores = flag(c, keras2 ? 4 : 7, "return_attention_scores");
    const bool causal = flag(c, keras2 ? 6 : 9, "use_causal_mask");
    const int32_t window = keras2 || !lc_opt(c, "sliding_window") ? 0 : lc_opt_int(c, "sliding_window", 1, INT32_MAX, 0);
    if (!lc_call_inference(c)) return false;
    if (a->query.tensor < 0 || a->value.tensor < 0)
        return lc_build_fail(c->b, LC_INVALID, "it is called without %s", a->query.tensor < 0 ? "query" : "value") > 0;
    int32_t query_mask = a->query.mask, value_mask = a->value.mask, key_mask = a->key.mask, given = -1;
    if (keras2) given = mask_argument(c, lc_call_argument(c, 3, "attention_mask"));
    else {
        const lc_json *q = lc_call_argument(c, 3, "query_mask"), *v = lc_call_argument(c, 4, "value_mask"),
                      *k = lc_call_argument(c, 5, "key_mask");
        if (q && grouped) query_mask = mask_argument(c, q); /* MultiHeadAttention looks at the query's own only */
        if (v) value_mask = mask_argument(c, v);
        if (k) key_mask = mask_argument(c, k);
        given = mask_argument(c, lc_call_argument(c, 6, "attention_mask"));
    }
    if (query_mask >= 0 && a->query.mask >= 0) lc_call_give_mask(c, a->query.mask);
    a->mask = -1;
    if (query_mask >= 0) a->mask = lc_tf_expand(m, query_mask, 2);
    if (value_mask >= 0) a->mask = both(m, a->mask, lc_tf_expand(m, value_mask, 1));
    if (key_mask >= 0) a->mask = both(m, a->mask, lc_tf_expand(m, key_mask, 1));
    a->may_close = a->mask >= 0 || given >= 0 || window;
    if (causal || window) {
        const int32_t queries = lc_tf_dim(m, a->query.tensor, 1), keys = lc_tf_dim(m, a->value.tensor, 1);
        a->mask = both(m, a->mask, band(m, queries, keys, causal, window));
    }
    a->mask = both(m, given, a->mask);
    if (a->key.tensor < 0) a->key.tensor = a->value.tensor;
    a->query.tensor = lc_build_cast(c->b, a->query.tensor, LC_FLOAT32);
    a->value.tensor = lc_build_cast(c->b, a->value.tensor, LC_FLOAT32);
    a->key.tensor = lc_build_cast(c->b, a->key.tensor, LC_FLOAT32);
    a->one_by_one = !keras2 && (a->scores || lc_opt_num(c, "dropout", 0) > 0);
    return c->b->status == LC_OK;
}

/* What the projections share: the numbers of features, which must be known; the ranks, which must agree. */
static bool features(lc_call *c, const asked *a, heads *h, int32_t depth[3]) {
    const int32_t x[3] = {a->query.tensor, a->key.tensor, a->value.tensor};
    for (int i = 0; i < 3; i++) {
        lc_shape s;
        if (!lc_call_shape(c, x[i], &s)) return false;
        if (i == 0) h->rank = s.rank;
        if (s.rank < 3 || s.rank != h->rank || s.rank + 1 > LC_MAX_RANK)
            return lc_build_fail(c->b, LC_UNSUPPORTED, "its %s has %d dimensions, needs %d",
                                 i == 0   ? "query"
                                 : i == 1 ? "key"
                                          : "value",
                                 s.rank, i ? h->rank : 3) > 0;
        depth[i] = lc_call_known(c, &s, s.rank - 1, "the number of features");
    }
    return c->b->status == LC_OK;
}

static void attended(lc_call *c, heads *h) {
    const lc_json *axes = lc_opt(c, "attention_axes");
    const bool list = lc_json_is(axes, LC_JSON_ARRAY);
    for (uint32_t i = 0; axes && i < (list ? axes->count : 1) && c->b->status == LC_OK; i++) {
        const lc_json *one = list ? lc_json_at(axes, i) : axes;
        if (one->kind != LC_JSON_INT) {
            lc_opt_fail(c, "attention_axes", "needs whole numbers");
            return;
        }
        const int32_t at = lc_call_axis(c, "attention_axes", one->integer, h->rank);
        if (c->b->status != LC_OK) return;
        if (at == 0 || at == h->rank - 1 || h->attends[at] || (i && !h->attends[at] && lc_json_at(axes, i - 1)->integer > one->integer)) {
            lc_opt_fail(c, "attention_axes", "needs axes between batch and features, each once, in rising order");
            return;
        }
        h->attends[at] = true;
        h->over++;
    }
    for (int32_t i = 1; !h->over && i < h->rank - 1; i++) h->attends[i] = true;
    if (!h->over) h->over = h->rank - 2;
}

/* The mask as the scores [batch.., heads, (group,) queries.., keys..] need it. */
static int32_t fitted(lc_call *c, const heads *h, int32_t mask, int32_t rank) {
    lc_tf_call *m = lc_eager_maker(c);
    if (mask < 0) return -1;
    const int32_t plain = rank - (h->group > 1);
    mask = widened(m, mask, plain, 2 * h->over);
    if (h->group == 1 || !lc_tf_ok(m)) return mask;
    const lc_shape s = lc_tf_ranked(m, mask); /* a mask for each head, or one for all */
    const int32_t split[2] = {h->heads, h->group};
    if (!lc_tf_ok(m)) return -1;
    return s.dims[1] == 1 ? lc_tf_expand(m, mask, 1) : lc_tf_split_dim(m, mask, 1, split, 2);
}

static int32_t attend(lc_call *c, heads *h, const asked *a, int32_t size, int32_t value_size, const int32_t *out, int32_t n_out) {
    lc_tf_call *m = lc_eager_maker(c);
    int32_t depth[3], all, features_out;
    const part gate_part = {"gate", "gate_dense", 2}, value_part = {"value", "value_dense", 2u + h->gate},
               output_part = {"attention_output", "output_dense", 3u + h->gate};
    const uint32_t parts = 4u + h->gate;
    if (!features(c, a, h, depth)) return -1;
    if (!lc_weights(c, parts * (h->bias ? 2 : 1),
                    h->gate ? "kernels, and biases if use_bias, of query, key, gate, value, output"
                            : "kernels, and biases if use_bias, of query, key, value, output"))
        return -1;
    if (!lc_mul_i32(h->heads, h->group, &all) || !lc_mul_i32(all, value_size, &features_out))
        return lc_build_fail(c->b, LC_LIMIT, "it has too many heads");
    const int32_t query_out[2] = {all, size}, key_out[2] = {h->heads, size}, value_out[2] = {h->heads, value_size},
                  gate_out[2] = {all, value_size};
    int32_t q = dense(c, &query_part, a->query.tensor, &depth[0], 1, query_out, 2, h->bias, 1 / sqrt((double)size));
    int32_t k = dense(c, &key_part, a->key.tensor, &depth[1], 1, key_out, 2, h->bias, 1);
    int32_t v = dense(c, &value_part, a->value.tensor, &depth[2], 1, value_out, 2, h->bias, 1);
    q = by_heads(c, h, q, a->query.tensor, h->group, size);
    k = by_heads(c, h, k, a->key.tensor, 1, size);
    v = by_heads(c, h, v, a->value.tensor, 1, value_size);
    int32_t scores = lc_tf_batch_matmul(m, q, k, false, true);
    const bool apart = h->over > 1 && (a->mask >= 0 || a->scores);
    int32_t mask = -1, rank = 0;
    if (a->mask >= 0) {
        scores = unrolled(c, h, scores, a->query.tensor, a->key.tensor);
        lc_shape s;
        if (!lc_call_shape(c, scores, &s)) return -1;
        rank = s.rank;
        mask = fitted(c, h, a->mask, rank);
        scores = masked(m, scores, mask, MASKED);
        if (h->over > 1)
            scores = lc_tf_merge_dims(m, lc_tf_merge_dims(m, scores, rank - h->over, rank), rank - 2 * h->over, rank - h->over);
    }
    scores = softmax(c, scores);
    int32_t shown = apart && (a->scores || a->one_by_one) ? unrolled(c, h, scores, a->query.tensor, a->key.tensor) : scores;
    if (mask >= 0 && a->may_close && (a->one_by_one || (!c->lower->keras2 && h->rank != 3))) {
        if (h->over > 1 && shown == scores) shown = unrolled(c, h, scores, a->query.tensor, a->key.tensor);
        shown = masked(m, shown, mask, 0);
        scores = h->over == 1 ? shown
                              : lc_tf_merge_dims(m, lc_tf_merge_dims(m, shown, rank - h->over, rank), rank - 2 * h->over, rank - h->over);
    }
    if (a->scores) lc_call_give(c, 1, h->group > 1 ? lc_tf_merge_dims(m, shown, 1, 3) : shown);
    int32_t y = from_heads(c, h, lc_tf_batch_matmul(m, dropped(c, scores), v, false, false), a->query.tensor, features_out);
    if (h->gate) {
        const int32_t gate = dense(c, &gate_part, a->query.tensor, &depth[0], 1, gate_out, 2, h->bias, 1);
        y = lc_tf_binary(m, LC_OP_MUL, y, lc_tf_unary(m, LC_OP_LOGISTIC, gate));
    }
    y = dense(c, &output_part, y, gate_out, 2, n_out ? out : &depth[0], n_out ? n_out : 1, h->bias, 1);
    return n_out > 1 ? lc_tf_split_dim(m, y, h->rank - 1, out, n_out) : y;
}

int32_t lc_lower_multi_head_attention(lc_call *c) {
    asked a = {0};
    heads h = {.group = 1, .bias = lc_opt_bool(c, "use_bias", true), .gate = lc_opt_bool(c, "use_gate", false)};
    int32_t out[LC_MAX_RANK], n_out = 0;
    lc_shape s;
    h.heads = lc_opt_size(c, "num_heads");
    const int32_t size = lc_opt_size(c, "key_dim"), value_size = lc_opt(c, "value_dim") ? lc_opt_size(c, "value_dim") : size;
    const lc_json *shape = lc_opt(c, "output_shape");
    if (shape) {
        n_out = lc_json_is(shape, LC_JSON_ARRAY) ? (int32_t)shape->count : 1;
        if (n_out < 1 || n_out > LC_MAX_RANK - 2) return lc_opt_fail(c, "output_shape", "needs from 1 to %d sizes", LC_MAX_RANK - 2);
        lc_opt_sizes(c, "output_shape", 1, 0, out, (uint32_t)n_out);
    }
    if (!read_call(c, false, &a) || !lc_call_shape(c, a.query.tensor, &s)) return -1;
    h.rank = s.rank;
    attended(c, &h);
    return c->b->status == LC_OK ? attend(c, &h, &a, size, value_size, out, n_out) : -1;
}

int32_t lc_lower_grouped_query_attention(lc_call *c) {
    asked a = {0};
    heads h = {.rank = 3, .bias = lc_opt_bool(c, "use_bias", true), .gate = lc_opt_bool(c, "use_gate", false), .over = 1};
    lc_shape s;
    h.attends[1] = true;
    const int32_t size = lc_opt_size(c, "head_dim"), queries = lc_opt_size(c, "num_query_heads");
    h.heads = lc_opt_size(c, "num_key_value_heads");
    if (c->b->status != LC_OK) return -1;
    if (queries % h.heads) return lc_opt_fail(c, "num_query_heads", "needs a multiple of num_key_value_heads (%d)", h.heads);
    h.group = queries / h.heads;
    if (!read_call(c, true, &a) || !lc_call_shape(c, a.query.tensor, &s)) return -1;
    if (s.rank != 3) return lc_build_fail(c->b, LC_INVALID, "its query has %d dimensions, needs 3", s.rank);
    return attend(c, &h, &a, size, size, NULL, 0);
}

/* ---- Attention, AdditiveAttention ---------------------------------------------------------------------------------------------- */

typedef int32_t (*score_fn)(lc_call *c, int32_t q, int32_t k);

/* q [.., queries, 1, size] + k [.., 1, keys, size] */
static int32_t pairs(lc_call *c, int32_t q, int32_t k) {
    lc_tf_call *m = lc_eager_maker(c);
    lc_shape a, b;
    if (!lc_call_shape(c, q, &a) || !lc_call_shape(c, k, &b)) return -1;
    const int32_t queries = lc_tf_expand(m, q, a.rank - 1), keys = lc_tf_expand(m, k, b.rank - 2);
    return lc_tf_binary(m, LC_OP_ADD, queries, keys);
}

static int32_t sum_last(lc_call *c, int32_t x) {
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    const int32_t axis = s.rank - 1;
    return lc_build_reduce(c->b, LC_OP_SUM, x, &axis, 1, false);
}

/* Times a weight that is one number. */
static int32_t times(lc_call *c, int32_t x, const lc_keras_weight *w, const char *name) {
    lc_tf_call *m = lc_eager_maker(c);
    return lc_trains(c) ? lc_tf_binary(m, LC_OP_MUL, x, lc_training_input(c, w, name, true))
                        : lc_tf_with(m, LC_OP_MUL, x, lc_weight_at(w, 0));
}

static int32_t dot_scores(lc_call *c, int32_t q, int32_t k) {
    static const char *const modes[] = {"dot", "concat", NULL};
    const bool use_scale = lc_opt_bool(c, "use_scale", false), concat = lc_opt_choice(c, "score_mode", modes) == 1;
    lc_tf_call *m = lc_eager_maker(c);
    if (!lc_weights(c, 0u + use_scale + concat, "scale if use_scale, concat_score_weight if score_mode is concat")) return -1;
    const lc_keras_weight *scale = use_scale ? lc_weight(c, 0, "scale", NULL, 0) : NULL,
                          *weight = concat ? lc_weight(c, use_scale, "concat_score_weight", NULL, 0) : NULL;
    if (c->b->status != LC_OK) return -1;
    int32_t y = concat ? pairs(c, q, k) : lc_tf_batch_matmul(m, q, k, false, true);
    if (scale) y = times(c, y, scale, "scale");
    return concat ? times(c, sum_last(c, lc_tf_unary(m, LC_OP_TANH, y)), weight, "concat_score_weight") : y;
}

static int32_t additive_scores(lc_call *c, int32_t q, int32_t k) {
    const bool use_scale = lc_opt_bool(c, "use_scale", true);
    lc_tf_call *m = lc_eager_maker(c);
    lc_shape s;
    if (!lc_call_shape(c, q, &s) || !lc_weights(c, use_scale, "scale if use_scale")) return -1;
    const int32_t n = lc_call_known(c, &s, s.rank - 1, "the number of features");
    int32_t y = lc_tf_unary(m, LC_OP_TANH, pairs(c, q, k));
    if (use_scale) y = lc_tf_binary(m, LC_OP_MUL, y, lc_weight_const(c, 0, 0, "scale", &n, 1, &n, 1));
    return sum_last(c, y);
}

/* What stands in the list of masks that the call gives, or came with the input. */
static int32_t list_mask(lc_call *c, const lc_json *list, uint32_t i) {
    if (!list) return lc_call_mask(c, i);
    const lc_json *one = lc_json_at(list, i);
    return lc_json_is(one, LC_JSON_NULL) ? -1 : mask_argument(c, one);
}

static int32_t dense_attention(lc_call *c, score_fn score) {
    lc_tf_call *m = lc_eager_maker(c);
    const lc_json *masks = lc_call_argument(c, 1, "mask"), *first = lc_call_argument(c, 0, "inputs");
    const bool listed = lc_json_is(masks, LC_JSON_ARRAY);
    uint32_t n = c->in_count;
    if (listed) { /* the tensors behind the inputs are masks */
        n = lc_json_is(first, LC_JSON_ARRAY) ? first->count : 2;
        if (n > c->in_count) n = c->in_count;
    }
    if (masks && !listed) return lc_build_fail(c->b, LC_INVALID, "argument \"mask\" is no list of masks");
    const bool causal = flag(c, 4, "use_causal_mask") || lc_opt_bool(c, "causal", false), scores = flag(c, 3, "return_attention_scores");
    if (!lc_call_inference(c)) return -1;
    if (n < 2 || n > 3) return lc_build_fail(c->b, LC_INVALID, "it is called with %u tensors, needs query, value and perhaps key", n);
    int32_t x[3], rank = 0;
    for (uint32_t i = 0; i < n; i++) {
        lc_shape s;
        x[i] = lc_call_float(c, i);
        if (!lc_call_shape(c, x[i], &s)) return -1;
        if (i == 0) rank = s.rank;
        if (s.rank < 2 || s.rank != rank || rank >= LC_MAX_RANK)
            return lc_build_fail(c->b, LC_UNSUPPORTED, "its input %u has %d dimensions, needs %d", i, s.rank, i ? rank : 3);
    }
    const int32_t query_mask = list_mask(c, masks, 0), value_mask = list_mask(c, masks, 1), k = n > 2 ? x[2] : x[1];
    int32_t y = score(c, x[0], k), mask = -1;
    if (value_mask >= 0) mask = lc_tf_expand(m, value_mask, 1);
    if (causal) {
        const int32_t queries = lc_tf_dim(m, x[0], rank - 2), keys = lc_tf_dim(m, k, rank - 2);
        mask = both(m, mask, band(m, queries, keys, true, 0));
    }
    y = softmax(c, masked(m, y, mask, MASKED));
    if (scores) lc_call_give(c, 1, y);
    y = lc_tf_batch_matmul(m, dropped(c, y), x[1], false, false);
    if (query_mask >= 0) {
        y = masked(m, y, lc_tf_expand(m, query_mask, 2), 0);
        lc_call_give_mask(c, query_mask);
    }
    return y;
}

int32_t lc_lower_attention(lc_call *c) { return dense_attention(c, dot_scores); }
int32_t lc_lower_additive_attention(lc_call *c) { return dense_attention(c, additive_scores); }
