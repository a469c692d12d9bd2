"""RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR: larger, smaller, the same, one pixel; align_corners, half_pixel_centers; size computed in the run."""
import numpy as np
from op_models import M, case, values

F, I8, U8, I16, I32 = np.float32, np.int8, np.uint8, np.int16, np.int32
for op in ('RESIZE_BILINEAR', 'RESIZE_NEAREST_NEIGHBOR'):
    for t in (F, U8, I8, I16) + ((I32,) if op != 'RESIZE_BILINEAR' else ()):
        for align, half in ((0, 0), (1, 0), (0, 1)) + (((1, 1),) if op != 'RESIZE_BILINEAR' else ()):
            for shape, size in (([1, 2, 3, 2], [5, 7]), ([2, 5, 4, 3], [2, 3]), ([1, 3, 3, 1], [3, 3]), ([1, 4, 6, 2], [8, 12]), ([1, 6, 5, 1], [1, 1]), ([1, 1, 1, 2], [3, 2])):
                m = M()
                q = dict(scale=0.1, zero=0) if t in (I8, U8, I16) else {}
                x, y = m.input(t, shape, **q), m.output(t, **q)
                m.op(op, [x, m.const(np.array(size, I32))], [y], align_corners=bool(align), half_pixel_centers=bool(half))
                # LiteRT's optimised uint8 kernel doubles an image in integers; the float of the two is one off here and there
                case('%s %s %s to %s align %d half %d' % (op, t.__name__, shape, size, align, half), m, [values(t, shape)], within=1 if t in (U8, I8) and op == 'RESIZE_BILINEAR' else 0)
    for t in (F, I8):
        m = M()
        x, s, y = m.input(t, [1, 2, 3, 2]), m.input(I32, [2]), m.output(t)
        m.op(op, [x, s], [y], half_pixel_centers=True)
        case('%s %s computed size' % (op, t.__name__), m, [values(t, [1, 2, 3, 2]), np.array([4, 4], I32)], [values(t, [1, 2, 3, 2]), np.array([1, 5], I32)], within=1)
