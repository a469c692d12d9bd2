"""PAD, PADV2, MIRROR_PAD, DILATE: every type, zero points, widths of paddings, paddings computed in the run, dimensions without elements."""
import ml_dtypes
import numpy as np
from op_models import M, case, values

F, I8, U8, I16, I32, I64, B = np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_
QUANT = {I8: dict(scale=0.05, zero=-7), U8: dict(scale=0.05, zero=120), I16: dict(scale=0.001, zero=0)}
PADS = (([2, 3], [[1, 0], [2, 3]]), ([1, 3, 2, 2], [[0, 0], [1, 1], [2, 0], [0, 0]]), ([2, 1, 2, 1, 2], [[0, 1]] * 5), ([3], [[0, 0]]), ([2, 0], [[1, 1], [1, 0]]))
for t in (F, I8, U8, I16, I32, I64, B, np.float16, ml_dtypes.bfloat16):
    for shape, pads in PADS:
        for pt in (I32, I64) if t in (F, I8) else (I32,):
            m = M()
            q = QUANT.get(t, {})
            m.op('PAD', [m.input(t, shape, **q), m.const(np.array(pads, pt))], [m.output(t, **q)])
            case('PAD %s %s %s' % (np.dtype(t).name, shape, pt.__name__), m, [values(t, shape)])
            m = M()
            m.op('PADV2', [m.input(t, shape, **q), m.const(np.array(pads, pt)), m.const(values(t, []), **q)], [m.output(t, **q)])
            case('PADV2 %s %s %s' % (np.dtype(t).name, shape, pt.__name__), m, [values(t, shape)])
for t in (F, I8):
    for op in ('PAD', 'PADV2', 'MIRROR_PAD'):
        m = M()
        q = QUANT.get(t, {})
        ins = [m.input(t, [2, 3], **q), m.input(I32, [2, 2])] + ([m.input(t, [], **q)] if op == 'PADV2' else [])
        m.op(op, ins, [m.output(t, **q)])
        extra = [values(t, [])] if op == 'PADV2' else []
        case('%s %s computed' % (op, t.__name__), m, [values(t, [2, 3]), np.array([[1, 1], [0, 2]], I32)] + extra, [values(t, [2, 3]), np.array([[0, 0], [0, 0]], I32)] + extra)
for t in (F, I8, U8, I16, I32, I64):
    for mode in (0, 1):
        for shape, pads in (([2, 3], [[1, 0], [2, 1]]), ([1, 3, 2, 2], [[0, 0], [2, 1], [1, 0], [0, 1]]), ([4], [[3, 2]])):
            m = M()
            q = QUANT.get(t, {})
            m.op('MIRROR_PAD', [m.input(t, shape, **q), m.const(np.array(pads, I32))], [m.output(t, **q)], mode=mode)
            case('MIRROR_PAD %s mode %d %s' % (t.__name__, mode, shape), m, [values(t, shape)])
for t in (F, I8, I32, I64, B):
    for shape, by in (([2, 3], [2, 3]), ([3], [1]), ([1, 2, 2], [4, 1, 2]), ([2, 2, 2], [3, 1, 1])):
        m = M()
        m.op('DILATE', [m.input(t, shape), m.const(np.array(by, I32)), m.const(values(t, []))], [m.output(t)])
        case('DILATE %s %s by %s' % (t.__name__, shape, by), m, [values(t, shape)])
m = M()
m.op('DILATE', [m.input(F, [2, 2]), m.input(I32, [2]), m.const(np.array(0, F))], [m.output(F)])
case('DILATE computed', m, [values(F, [2, 2]), np.array([2, 1], I32)], [values(F, [2, 2]), np.array([1, 3], I32)])
