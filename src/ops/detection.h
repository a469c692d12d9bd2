/*
 * detection.h: the options of TFLite_Detection_PostProcess, read from its FlexBuffer map and checked.
 */
#ifndef LC_OPS_DETECTION_H
#define LC_OPS_DETECTION_H

#include "ops/op.h"

typedef struct lc_detection_options {
    int32_t max_detections, max_classes_per_detection; /* the outputs hold their product */
    int32_t detections_per_class;                      /* of regular suppression; 100 where the model does not say */
    int32_t num_classes;                               /* without background */
    bool regular;
    float score_threshold, iou_threshold;
    float y_scale, x_scale, h_scale, w_scale;
} lc_detection_options;

lc_status lc_detection_read(const lc_node *node, lc_detection_options *options, lc_error *err);

#endif
