"""L2_NORMALIZATION: float32, int8, uint8, ranks 1 to 4, rows of zeros and of one number. LOCAL_RESPONSE_NORMALIZATION: LiteRT's reference leaves the last
channel of the window out, its optimised kernel and TensorFlow do not: that one is kept (it is what the stock interpreter runs)."""
import numpy as np
from op_models import M, case, values

F, I8, U8 = np.float32, np.int8, np.uint8

for shape in ([7], [3, 5], [2, 3, 4], [1, 2, 2, 70], [0, 3], [2, 1]):
    m, inputs = M(), []
    for t, zero, out in ((F, 0, 0), (I8, 0, 0), (I8, -7, 0), (U8, 128, 128), (U8, 3, 128)):
        q, r = (dict(scale=0.1, zero=zero), dict(scale=1 / 128, zero=out)) if t != F else ({}, {})
        m.op('L2_NORMALIZATION', [m.input(t, shape, **q)], [m.output(t, shape, **r)], version=2, fused_activation_function=0)
        v = values(t, shape)
        if len(shape) > 1 and v.size:
            v.reshape(-1, shape[-1])[0] = zero
        if len(shape) > 2:
            v.reshape(-1, shape[-1])[1] = zero + 1
        inputs.append(v)
    # the optimised float kernel reads the first row's length for every row; the reference is right
    case('L2 %s' % shape, m, inputs)
for radius, alpha, beta, bias in ((1, 1.0, 0.5, 1.0), (2, 0.1, 0.75, 2.0), (5, 1e-4, 0.75, 1.0), (0, 0.5, 1.0, 0.5)):
    m = M()
    m.op('LOCAL_RESPONSE_NORMALIZATION', [m.input(F, [1, 2, 2, 7])], [m.output(F, [1, 2, 2, 7])], radius=radius, alpha=alpha, beta=beta, bias=bias)
    case('LRN radius %d' % radius, m, [values(F, [1, 2, 2, 7])], use='fast')
