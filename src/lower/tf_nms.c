/*
 * tf_nms.c: non-maximum suppression. TFLite's operator fills its result up to max_output_size and says how many count; where TensorFlow's gives
 * that many only, a SLICE follows.
 *
 * CombinedNonMaxSuppression runs it for each class of each image, and takes the best of all classes with TOPK_V2: what does not count
 * has a score below every other. Classes and images must be fixed numbers for that.
 */
#include "lower/tf_nn.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct found {
    int32_t indices, scores, valid; /* scores: of soft suppression, -1 without */
} found;

/* sigma -1: the hard form. */
static found suppress(lc_tf_call *c, int32_t boxes, int32_t scores, int32_t most, int32_t iou, int32_t threshold, int32_t sigma) {
    const int32_t in[6] = {boxes, scores, most, iou, threshold, sigma};
    int32_t out[3] = {-1, -1, -1};
    if (sigma < 0) {
        lc_build_op_multi(c->b, LC_OP_NON_MAX_SUPPRESSION_V4, LC_TABLE_NonMaxSuppressionV4Options, NULL, in, 5, out, 2);
        return (found){out[0], -1, out[1]};
    }
    lc_build_op_multi(c->b, LC_OP_NON_MAX_SUPPRESSION_V5, LC_TABLE_NonMaxSuppressionV5Options, NULL, in, 6, out, 3);
    return (found){out[0], out[1], out[2]};
}

/* The first `valid` of a vector. */
static int32_t first(lc_tf_call *c, int32_t x, int32_t valid) {
    const int32_t zero = 0, one = 1, begin = lc_tf_vector(c, &zero, 1);
    const int32_t in[3] = {x, begin, lc_tf_reshape(c, valid, &one, 1)};
    return lc_build_op(c->b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, in, 3);
}

/* TFLite drops a box from the threshold on, TensorFlow above it: a constant becomes the next number. Not from 1 on: TFLite counts on a box
 * dropping itself. */
static int32_t above(lc_tf_call *c, int32_t iou) {
    float v;
    uint32_t n;
    if (!lc_tf_floats(c, iou, &v, 1, &n) || n != 1 || !(v >= 0 && v < 1)) return iou;
    return lc_tf_scalar(c, nextafterf(v, 2), LC_FLOAT32);
}

/* With soft suppression TensorFlow drops no box for its overlap. */
static int32_t unless_soft(lc_tf_call *c, int32_t iou, int32_t sigma) {
    const int32_t soft = lc_tf_with(c, LC_OP_GREATER, sigma, 0), one = lc_tf_scalar(c, 1, LC_FLOAT32);
    return lc_build_select(c->b, soft, one, above(c, iou));
}

/* boxes, scores, max_output_size and, as the version has them, iou_threshold, score_threshold, soft_nms_sigma. */
void lc_tf_op_nms(lc_tf_call *c) {
    const char version = c->node->op.data[c->node->op.size - 1]; /* "NonMaxSuppressionV3" */
    const bool v1 = version == 'n', v2 = version == '2', v5 = version == '5';
    const bool padded = (version == '4' || v5) && lc_tf_attr_bool(c, "pad_to_max_output_size", false);
    const lc_dtype type = lc_tf_type(c, lc_tf_in(c, 1));
    const int32_t boxes = lc_tf_float32(c, lc_tf_in(c, 0)), scores = lc_tf_float32(c, lc_tf_in(c, 1)), most = lc_tf_in(c, 2);
    const int32_t iou = v1 ? lc_tf_scalar(c, lc_tf_attr_float(c, "iou_threshold", 0.5f), LC_FLOAT32) : lc_tf_float32(c, lc_tf_in(c, 3));
    const int32_t threshold = v1 || v2 ? lc_tf_scalar(c, -FLT_MAX, LC_FLOAT32) : lc_tf_float32(c, lc_tf_in(c, 4));
    const int32_t sigma = v5 ? lc_tf_float32(c, lc_tf_in(c, 5)) : -1;
    found f = suppress(c, boxes, scores, most, v5 ? unless_soft(c, iou, sigma) : above(c, iou), threshold, sigma);
    if (!padded) f.indices = first(c, f.indices, f.valid);
    lc_tf_give(c, 0, f.indices);
    if (v5) {
        if (!padded) f.scores = first(c, f.scores, f.valid);
        lc_tf_give(c, 1, lc_tf_back(c, f.scores, type));
    }
    lc_tf_give(c, v5 ? 2 : 1, f.valid);
}

/* ---- of all classes -------------------------------------------------------------------------------------------------- */

enum { MOST_CLASSES = 1024 }; /* times images */

typedef struct combined {
    int32_t classes, box_classes, per_class, total;
    int32_t per_class_scalar, iou, threshold;
    bool clip;
} combined;

static int32_t ramp(lc_tf_call *c, int32_t n) {
    int32_t *data = lc_build_data(c->b, (size_t)n * sizeof *data);
    for (int32_t i = 0; data && i < n; i++) data[i] = i;
    return lc_build_const(c->b, "index", LC_INT32, &n, 1, data, (size_t)n * sizeof *data, true);
}

/* The number of its class for each candidate. */
static int32_t class_of(lc_tf_call *c, const combined *k, int32_t candidates) {
    float *data = lc_build_data(c->b, (size_t)candidates * sizeof *data);
    for (int32_t i = 0; data && i < candidates; i++) data[i] = i / k->per_class < k->classes ? (float)(i / k->per_class) : 0;
    return lc_build_const(c->b, "classes", LC_FLOAT32, &candidates, 1, data, (size_t)candidates * sizeof *data, true);
}

/* One image: boxes [n, q, 4], scores [n, classes]. out: boxes, scores, classes, valid. */
static void image(lc_tf_call *c, const combined *k, int32_t boxes, int32_t scores, int32_t *out) {
    lc_arena temporary = {0};
    int32_t *s = lc_arena_array(&temporary, (size_t)k->classes + 1, sizeof *s),
            *b = lc_arena_array(&temporary, (size_t)k->classes + 1, sizeof *b);
    if (!s || !b) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "classes"));
        lc_arena_deinit(&temporary);
        return;
    }
    const int32_t lowest = lc_tf_scalar(c, -FLT_MAX, LC_FLOAT32), zero = lc_tf_scalar(c, 0, LC_FLOAT32), place = ramp(c, k->per_class);
    for (int32_t i = 0; i < k->classes && lc_tf_ok(c); i++) {
        const int32_t own = lc_tf_pick(c, scores, 1, i), where = lc_tf_pick(c, boxes, 1, k->box_classes == 1 ? 0 : i);
        const found f = suppress(c, where, own, k->per_class_scalar, k->iou, k->threshold, -1);
        const int32_t counts = lc_tf_binary(c, LC_OP_LESS, place, f.valid), taken = lc_tf_gather(c, own, f.indices, 0, 0);
        s[i] = lc_build_select(c->b, counts, taken, lowest);
        b[i] = lc_tf_gather(c, where, f.indices, 0, 0);
    }
    int32_t candidates = k->classes * k->per_class, all_scores = lc_tf_concat(c, s, (uint32_t)k->classes, 0),
            all_boxes = lc_tf_concat(c, b, (uint32_t)k->classes, 0);
    lc_arena_deinit(&temporary);
    if (candidates < k->total) {
        const int32_t more[4] = {0, k->total - candidates, 0, 0};
        all_scores = lc_tf_padv2(c, all_scores, more, 1, lowest);
        all_boxes = lc_tf_padv2(c, all_boxes, more, 2, zero);
        candidates = k->total;
    }
    const int32_t in[2] = {all_scores, lc_tf_scalar(c, k->total, LC_INT32)};
    int32_t best[2];
    if (!lc_build_op_multi(c->b, LC_OP_TOPK_V2, LC_TABLE_TopKV2Options, NULL, in, 2, best, 2)) return;
    const int32_t counts = lc_tf_with(c, LC_OP_GREATER, best[0], -FLT_MAX), axis = 0;
    int32_t picked = lc_tf_gather(c, all_boxes, best[1], 0, 0);
    if (k->clip) picked = lc_tf_unary(c, LC_OP_RELU_0_TO_1, picked);
    out[0] = lc_build_select(c->b, lc_tf_expand(c, counts, 1), picked, zero);
    out[1] = lc_build_select(c->b, counts, best[0], zero);
    out[2] = lc_build_select(c->b, counts, lc_tf_gather(c, class_of(c, k, candidates), best[1], 0, 0), zero);
    out[3] = lc_build_reduce(c->b, LC_OP_SUM, lc_build_cast(c->b, counts, LC_INT32), &axis, 1, false);
}

/* boxes [images, n, 1 or classes, 4], scores [images, n, classes] */
void lc_tf_op_combined_nms(lc_tf_call *c) {
    const int32_t boxes = lc_tf_in(c, 0), scores = lc_tf_in(c, 1);
    const lc_shape b = lc_tf_rank_of(c, boxes, 4), s = lc_tf_rank_of(c, scores, 3);
    const int64_t per_class = lc_tf_need_int(c, lc_tf_in(c, 2), "max_output_size_per_class"),
                  total = lc_tf_need_int(c, lc_tf_in(c, 3), "max_total_size");
    const bool pad = lc_tf_attr_bool(c, "pad_per_class", false);
    int32_t out[4][MOST_CLASSES];
    if (!lc_tf_ok(c)) return;
    const int32_t images = s.dims[0] >= 0 ? s.dims[0] : b.dims[0], n = s.dims[1] >= 0 ? s.dims[1] : b.dims[1];
    if (images < 0 || s.dims[2] < 0 || b.dims[2] < 0) {
        lc_tf_missing(c, "it runs for each class of each image, and their number is open; fix the shape with --input-shape");
        return;
    }
    if (per_class < 1 || total < 1 || per_class > 1 << 24 || total > 1 << 24 || s.dims[2] < 1 || images < 1 ||
        (b.dims[2] != 1 && b.dims[2] != s.dims[2])) {
        lc_tf_fail(c, LC_INVALID, "its sizes do not fit: %d images, %d classes, boxes for %d, %lld a class, %lld in all", images, s.dims[2],
                   b.dims[2], (long long)per_class, (long long)total);
        return;
    }
    if ((int64_t)images * s.dims[2] > MOST_CLASSES) {
        lc_tf_missing(c, "%d images of %d classes are too many to write out", images, s.dims[2]);
        return;
    }
    combined k = {.classes = s.dims[2], .box_classes = b.dims[2], .total = (int32_t)total, .per_class = (int32_t)per_class};
    if (n >= 0 && n < k.per_class) k.per_class = n < 1 ? 1 : n;
    if ((int64_t)k.per_class * k.classes > INT32_MAX) {
        lc_tf_fail(c, LC_LIMIT, "it has too many candidates");
        return;
    }
    if (pad && k.total > per_class * k.classes) k.total = (int32_t)(per_class * k.classes);
    k.per_class_scalar = lc_tf_scalar(c, k.per_class, LC_INT32);
    k.iou = above(c, lc_tf_in(c, 4));
    k.threshold = lc_tf_in(c, 5);
    k.clip = lc_tf_attr_bool(c, "clip_boxes", true);
    for (int32_t i = 0; i < images && lc_tf_ok(c); i++) {
        int32_t one[4] = {-1, -1, -1, -1};
        const int32_t where = lc_tf_pick(c, boxes, 0, i);
        image(c, &k, where, lc_tf_pick(c, scores, 0, i), one);
        for (int o = 0; o < 4; o++) out[o][i] = one[o];
    }
    for (uint32_t o = 0; o < 4 && lc_tf_ok(c); o++) lc_tf_give(c, o, lc_tf_pack(c, out[o], (uint32_t)images, 0));
}
