"""AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D: every type, padding, stride, window larger than the image, fused activations."""
import numpy as np
from op_models import M, case, values

F, I8, U8, I16 = np.float32, np.int8, np.uint8, np.int16
QUANT = {I8: dict(scale=0.05, zero=-7), U8: dict(scale=0.05, zero=120), I16: dict(scale=0.001, zero=0), F: {}}

for op in ('AVERAGE_POOL_2D', 'MAX_POOL_2D', 'L2_POOL_2D'):
    for t in (F, I8, U8, I16):
        if op == 'L2_POOL_2D' and t is not F:
            continue
        for shape, window, stride, padding, act in (([2, 5, 6, 3], (2, 3), (2, 2), 0, 0), ([1, 7, 5, 2], (3, 3), (1, 2), 1, 1), ([1, 4, 4, 5], (4, 4), (1, 1), 1, 3),
                                                    ([1, 3, 3, 2], (5, 7), (1, 1), 0, 2), ([1, 1, 9, 17], (1, 2), (1, 3), 0, 3), ([1, 6, 6, 1], (2, 2), (3, 3), 1, 0)):
            m = M()
            x = m.input(t, shape, **QUANT[t])
            y = m.output(t, **QUANT[t])
            m.op(op, [x], [y], padding=padding, stride_h=stride[0], stride_w=stride[1], filter_height=window[0], filter_width=window[1],
                 fused_activation_function=act)
            case('%s %s %s window %s stride %s padding %d activation %d' % (op, t.__name__, shape, window, stride, padding, act), m, [values(t, shape)])

# no scale, no activation: only the numbers count; sums of halves round away from zero
for t in (I8, U8, I16):
    m = M()
    x, y = m.input(t, [1, 2, 2, 4]), m.output(t)
    m.op('AVERAGE_POOL_2D', [x], [y], padding=1, stride_h=1, stride_w=1, filter_height=2, filter_width=1)
    case('average of halves %s' % t.__name__, m, [np.array([[[[1, 2, 3, 4], [5, 6, 7, 8]], [[2, 3, 4, 5], [0, 1, 2, 127]]]]).astype(t)],
         *([[-np.array([[[[1, 2, 3, 4], [5, 6, 7, 8]], [[2, 3, 4, 5], [0, 1, 2, 127]]]]).astype(t)]] if t is not U8 else []))

# an empty batch
for t in (F, I8):
    m = M()
    x, y = m.input(t, [-1, 4, 4, 2], **QUANT[t]), m.output(t, **QUANT[t])
    m.op('MAX_POOL_2D', [x], [y], padding=1, stride_h=2, stride_w=2, filter_height=2, filter_width=2)
    case('other batch %s' % t.__name__, m, [values(t, [3, 4, 4, 2])])
