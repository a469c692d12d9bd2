"""TFLite_Detection_PostProcess: fast and regular suppression, every option, float and uint8 inputs, with and without a background class."""
import numpy as np
from flatbuffers import flexbuffers
from op_models import M, case, rng, values

F, U8 = np.float32, np.uint8


def options(**changes):
    o = dict(max_detections=6, max_classes_per_detection=1, nms_score_threshold=0.1, nms_iou_threshold=0.5, num_classes=3, y_scale=10.0, x_scale=10.0,
             h_scale=5.0, w_scale=5.0)
    o.update(changes)
    return bytes(flexbuffers.Dumps({k: v for k, v in o.items() if v is not None}))


def inputs(boxes, classes, numbers, spread):
    """Boxes in `spread` groups, so that some overlap; anchors of a size of about 0.3."""
    centre = rng.uniform(0, 1, [spread, 2])[rng.integers(0, spread, boxes)]
    anchors = np.concatenate([centre + rng.uniform(-.03, .03, [boxes, 2]), rng.uniform(.2, .4, [boxes, 2])], 1)
    steps = lambda a, n: (np.round(a * n) / n).astype(F)  # few bits, so that the file stays small
    return steps(values(F, [1, boxes, numbers], -2, 2), 16), steps(values(F, [1, boxes, classes], 0, 1), 512), steps(anchors, 256)


def model(opts, boxes, classes, numbers, anchors, quantised=(False, False)):
    m = M()
    b, s = quantised
    e = m.input(U8 if b else F, [1, boxes, numbers], **(dict(scale=0.03, zero=120) if b else {}))
    c = m.input(U8 if s else F, [1, boxes, classes], **(dict(scale=1 / 256, zero=0) if s else {}))
    a = m.const(np.clip(np.round(anchors / 0.005), 0, 255).astype(U8), scale=0.005, zero=0) if b else m.const(anchors)
    m.op('CUSTOM', [e, c, a], [m.output(F, [1, 1, 4]), m.output(F, [1, 1]), m.output(F, [1, 1]), m.output(F, [1])], custom='TFLite_Detection_PostProcess',
         custom_options=opts)
    return m


def run(name, boxes=14, classes=4, numbers=4, spread=5, quantised=(False, False), **changes):
    e, c, anchors = inputs(boxes, classes, numbers, spread)
    m = model(options(**changes), boxes, classes, numbers, anchors, quantised)
    runs = []
    for _ in range(2):
        e, c, _a = inputs(boxes, classes, numbers, spread)
        if quantised[0]:
            e = np.clip(np.round(e / 0.03) + 120, 0, 255).astype(U8)
        if quantised[1]:
            c = np.round(c * 255).astype(U8)
        runs.append([e, c])
    case(name, m, *runs)


for regular in (None, False, True):
    for quantised in ((False, False), (True, True), (True, False), (False, True)):
        run('regular %s, quantised %s' % (regular, quantised), use_regular_nms=regular, quantised=quantised)
    run('regular %s, no background' % regular, use_regular_nms=regular, classes=3)
    run('regular %s, wide encodings' % regular, use_regular_nms=regular, numbers=7)
    run('regular %s, threshold of overlap' % regular, use_regular_nms=regular, nms_iou_threshold=0.05, max_detections=2)
    run('regular %s, overlap 1' % regular, use_regular_nms=regular, nms_iou_threshold=1.0, max_detections=10)
    run('regular %s, scores as a negative integer' % regular, use_regular_nms=regular, nms_score_threshold=-1)
    run('regular %s, integer scales' % regular, use_regular_nms=regular, y_scale=10, x_scale=8, h_scale=4, w_scale=3)
    run('regular %s, one class' % regular, use_regular_nms=regular, num_classes=1, classes=2)
    run('regular %s, many' % regular, use_regular_nms=regular, boxes=90, spread=25, max_detections=15, num_classes=5, classes=6)
for n in (1, 3, 100):
    run('detections per class %d' % n, use_regular_nms=True, detections_per_class=n, max_detections=8)
    run('detections per class %d, fast' % n, use_regular_nms=False, detections_per_class=n)
for n in (2, 3):
    run('%d classes a detection' % n, max_classes_per_detection=n)
    run('%d classes a detection, uint8 boxes' % n, max_classes_per_detection=n, quantised=(True, False))
run('as integers of one byte', max_detections=4, nms_score_threshold=0, use_regular_nms=1)

# equal scores: the first box wins
e, c, anchors = inputs(16, 3, 4, 16)
for regular in (False, True):
    m = model(options(num_classes=2, use_regular_nms=regular, max_detections=4), 16, 3, 4, anchors)
    case('equal scores, regular %s' % regular, m, [e, np.full([1, 16, 3], .5, F)], [e, np.round(c * 2).astype(F) / 2 + F(.5)])
