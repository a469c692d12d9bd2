"""SPACE_TO_DEPTH, DEPTH_TO_SPACE, SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND: every type, zero points in the padding, computed blocks."""
import numpy as np
from op_models import M, case, values

F, I8, U8, I16, I32, I64 = np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64
QUANT = {I8: dict(scale=0.05, zero=-7), U8: dict(scale=0.05, zero=120), I16: dict(scale=0.001, zero=0)}
for t in (F, I8, U8, I32, I64):
    q = QUANT.get(t, {})
    for op, shape, b in (('SPACE_TO_DEPTH', [1, 4, 6, 3], 2), ('SPACE_TO_DEPTH', [2, 3, 3, 1], 3), ('DEPTH_TO_SPACE', [1, 2, 3, 8], 2), ('DEPTH_TO_SPACE', [2, 1, 1, 9], 3)):
        m = M()
        m.op(op, [m.input(t, shape, **q)], [m.output(t, **q)], block_size=b)
        case('%s %s %s' % (op, t.__name__, shape), m, [values(t, shape)])
for t in (F, I8, U8, I16, I32, I64):
    q = QUANT.get(t, {})
    for shape, block, pads in (([1, 4, 4, 2], [2, 2], [[0, 0], [0, 0]]), ([2, 3, 5, 1], [2, 3], [[1, 0], [0, 1]]), ([1, 4, 3], [3], [[1, 1]])):
        m = M()
        m.op('SPACE_TO_BATCH_ND', [m.input(t, shape, **q), m.const(np.array(block, I32)), m.const(np.array(pads, I32))], [m.output(t, **q)])
        case('SPACE_TO_BATCH_ND %s %s' % (t.__name__, shape), m, [values(t, shape)])
    for shape, block, crops in (([4, 2, 2, 3], [2, 2], [[0, 0], [0, 0]]), ([6, 2, 2, 1], [2, 3], [[1, 0], [0, 2]]), ([3, 2, 2], [3], [[1, 2]])):
        m = M()
        m.op('BATCH_TO_SPACE_ND', [m.input(t, shape, **q), m.const(np.array(block, I32)), m.const(np.array(crops, I32))], [m.output(t, **q)])
        case('BATCH_TO_SPACE_ND %s %s' % (t.__name__, shape), m, [values(t, shape)])
for op, shape in (('SPACE_TO_BATCH_ND', [2, 3, 4, 1]), ('BATCH_TO_SPACE_ND', [6, 3, 4, 1])):
    m = M()
    x, b, p = m.input(F, shape), m.input(I32, [2]), m.input(I32, [2, 2])
    m.op(op, [x, b, p], [m.output(F, [])])
    case('%s computed' % op, m, [values(F, shape), np.array([1, 2], I32), np.array([[0, 0], [0, 2]], I32)], [values(F, shape), np.array([3, 1], I32), np.array([[0, 0], [0, 0]], I32)])
