/*
 * detection_op.c: TFLite_Detection_PostProcess, the last operator of SSD models: box encodings [1, boxes, 4 or more], class scores [1,
 * boxes, classes, with or without a background class in front] and anchors [boxes, 4] to detections: boxes [1, n, 4], classes [1, n],
 * scores [1, n] and their number [1], where n = max_detections * max_classes_per_detection.
 */
#include "ops/detection.h"
#include "ops/infer.h"
#include "schema/flex.h"

static int32_t count(lc_flex *map, const char *name, int32_t otherwise) {
    const int64_t v = lc_flex_int(map, name, otherwise);
    return v < INT32_MIN ? INT32_MIN : v > INT32_MAX ? INT32_MAX : (int32_t)v;
}

static lc_status at_least(const char *name, int32_t value, int32_t least, lc_error *err) {
    return value >= least ? LC_OK : lc_fail(err, LC_INVALID, "%s is %d, needs %d or more", name, value, least);
}

lc_status lc_detection_read(const lc_node *node, lc_detection_options *o, lc_error *err) {
    lc_flex map;
    LC_TRY(lc_flex_open(node->custom_options, &map, err));
    *o = (lc_detection_options){
        .max_detections = count(&map, "max_detections", 0),
        .max_classes_per_detection = count(&map, "max_classes_per_detection", 0),
        .detections_per_class = count(&map, "detections_per_class", 100),
        .num_classes = count(&map, "num_classes", 0),
        .regular = lc_flex_bool(&map, "use_regular_nms", false),
        .score_threshold = (float)lc_flex_float(&map, "nms_score_threshold", 0),
        .iou_threshold = (float)lc_flex_float(&map, "nms_iou_threshold", 0),
        .y_scale = (float)lc_flex_float(&map, "y_scale", 0),
        .x_scale = (float)lc_flex_float(&map, "x_scale", 0),
        .h_scale = (float)lc_flex_float(&map, "h_scale", 0),
        .w_scale = (float)lc_flex_float(&map, "w_scale", 0),
    };
    LC_TRY(lc_flex_check(&map, err));
    LC_TRY(at_least("max_detections", o->max_detections, 0, err));
    LC_TRY(at_least("max_classes_per_detection", o->max_classes_per_detection, o->regular ? 0 : 1, err));
    LC_TRY(at_least("num_classes", o->num_classes, 1, err));
    if (o->regular)
        LC_TRY(at_least("the smaller of detections_per_class and max_detections",
                        o->detections_per_class < o->max_detections ? o->detections_per_class : o->max_detections, 1, err));
    if (!(o->iou_threshold > 0) || o->iou_threshold > 1)
        return lc_fail(err, LC_INVALID, "nms_iou_threshold is %g, needs a number above 0 and up to 1", (double)o->iou_threshold);
    return LC_OK;
}

lc_status lc_infer_custom_DETECTION(lc_infer_ctx *ctx) {
    const lc_shape *boxes = &ctx->in[0].shape, *scores = &ctx->in[1].shape, *anchors = &ctx->in[2].shape;
    lc_detection_options o;
    int32_t n, both;
    uint64_t elements;
    LC_TRY(lc_detection_read(ctx->node, &o, ctx->err));
    LC_TRY(lc_infer_rank(ctx, 0, 3, "box encodings"));
    LC_TRY(lc_infer_rank(ctx, 1, 3, "class scores"));
    LC_TRY(lc_infer_rank(ctx, 2, 2, "anchors"));
    if ((boxes->dims[0] >= 0 && boxes->dims[0] != 1) || (scores->dims[0] >= 0 && scores->dims[0] != 1))
        return LC_OP_FAIL(ctx, "its batch is %d, needs 1", boxes->dims[0] == 1 ? scores->dims[0] : boxes->dims[0]);
    if (!lc_infer_meet(boxes->dims[1], scores->dims[1], &both))
        return LC_OP_FAIL(ctx, "%d box encodings have %d rows of class scores", boxes->dims[1], scores->dims[1]);
    if (boxes->dims[2] >= 0 && boxes->dims[2] < 4) return LC_OP_FAIL(ctx, "a box encoding has %d numbers, needs 4 or more", boxes->dims[2]);
    if (scores->dims[2] >= 0 && scores->dims[2] != o.num_classes && scores->dims[2] - 1 != o.num_classes)
        return LC_OP_FAIL(ctx, "%d scores a box for num_classes %d: needs as many, or one more for the background", scores->dims[2],
                          o.num_classes);
    if (both >= 0 && lc_shape_elements(anchors, &elements) && elements < (uint64_t)both * 4)
        return LC_OP_FAIL(ctx, "the anchors have %llu numbers, %d boxes need %llu", (unsigned long long)elements, both,
                          (unsigned long long)both * 4);
    LC_TRY(lc_infer_dim_mul(ctx, o.max_detections, o.max_classes_per_detection, &n));
    for (uint32_t i = 0; i < 4; i++) ctx->out[i].type = LC_FLOAT32;
    ctx->out[0].shape = (lc_shape){.rank = 3, .dims = {1, n, 4}};
    ctx->out[1].shape = ctx->out[2].shape = (lc_shape){.rank = 2, .dims = {1, n}};
    ctx->out[3].shape = (lc_shape){.rank = 1, .dims = {1}};
    return LC_OK;
}
