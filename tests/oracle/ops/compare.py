"""EQUAL ... GREATER_EQUAL: every type, quantised with different scales, strings, broadcasts; LOGICAL_AND, OR, NOT."""
import ml_dtypes
import numpy as np
from op_models import M, case, values

F, H, BF, I8, U8, I16, I32, I64, B = np.float32, np.float16, ml_dtypes.bfloat16, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_
SHAPES = [([2, 30], [2, 30]), ([40], []), ([1, 3], [2, 1]), ([2, 1, 3, 1], [3, 1, 2]), ([2, 1, 2, 1, 2, 1, 1, 1], [1, 2, 1, 1, 1, 2, 1, 2]), ([0, 3], [1, 3])]
OPS = ('EQUAL', 'NOT_EQUAL', 'LESS', 'LESS_EQUAL', 'GREATER', 'GREATER_EQUAL')


def name(t):
    return np.dtype(t).name


def every(ops, t, scales, shapes, make, out=B, **kw):
    m, inputs = M(), []
    for a, b in shapes:
        x, y = m.input(t, a, **scales[0]), m.input(t, b, **scales[1])
        inputs += [make(a), make(b)]
        for op in ops:
            m.op(op, [x, y], [m.output(B, np.broadcast_shapes(a, b))], **kw)
    return m, inputs


for t in (F, H, BF, I32, I64, B, I16):
    ops = [o for o in OPS if (t != B or 'EQUAL' in o[:9] and '_' not in o[4:]) and (t != BF or o in ('LESS', 'GREATER')) and (t != I16 or o not in ('NOT_EQUAL',))]
    if t == B:
        ops = ['EQUAL', 'NOT_EQUAL']
    m, inputs = every(ops, t, ({}, {}), SHAPES, lambda s: values(B, s) if t == B else values(I32, s, -3, 3).astype(t))
    case('compare %s' % name(t), m, inputs)
m, inputs = every(OPS, F, ({}, {}), [([60], [60])], lambda s: values(F, s, special=True))
case('compare float32 with NaN and infinities', m, inputs)
for t, za, zb in ((I8, -3, 5), (U8, 120, 131), (I16, 0, 0)):
    for k, (a, b) in enumerate(((0.05, 0.05), (0.05, 0.1), (0.3, 0.07))):
        m, inputs = every(OPS, t, (dict(scale=a, zero=za), dict(scale=b, zero=zb)), SHAPES if k == 1 else SHAPES[:1],
                          lambda s: np.asarray(values(I32, s, -5, 5) + (za + zb) // 2).astype(t))
        case('compare %s quantised, scales %d' % (name(t), k), m, inputs)
words = np.array([b'', b'a', b'b', b'ab', 'é'.encode(), b'a\0b'], object)
m = M()
inputs = []
for a, b in (([2, 3], [2, 3]), ([2, 3], [3]), ([4, 1], [1, 5]), ([3], [])):
    x, y = m.input(np.object_, a), m.input(np.object_, b)
    inputs += [words[np.asarray(values(I32, s, 0, 5))] if s else np.array(b'a', object) for s in (a, b)]
    for op, v in (('EQUAL', 3), ('NOT_EQUAL', 3)):
        m.op(op, [x, y], [m.output(B, np.broadcast_shapes(a, b))], version=v)
case('strings', m, inputs)

m, inputs = every(('LOGICAL_AND', 'LOGICAL_OR'), B, ({}, {}), SHAPES, lambda s: values(B, s))
case('logical', m, inputs)
m = M()
m.op('LOGICAL_NOT', [m.input(B, [3, 3])], [m.output(B, [3, 3])])
case('not', m, [values(B, [3, 3])])
