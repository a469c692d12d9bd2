"""WHERE, UNIQUE, NON_MAX_SUPPRESSION_V4/V5, RANGE: outputs as long as the data makes them; what follows them is dynamic, too."""
import numpy as np
from op_models import M, case, rng, values

F, I8, U8, I16, I32, I64, B, U32 = np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_, np.uint32
for t in (B, F, I64, I32, I8, U8, U32):
    for shape in ([5], [3, 4], [2, 3, 2], [1, 2, 3, 2]):
        m = M()
        m.op('WHERE', [m.input(t, shape)], [m.output(I64, [])])
        runs = [[values(t, shape, 0, 1 if t is not F else 2).astype(t) if t is not B else values(t, shape)] for _ in range(2)]
        case('WHERE %s %s' % (t.__name__, shape), m, *runs)
    # nothing is set: Python cannot read LiteRT's tensor without elements
    case('WHERE %s nowhere' % t.__name__, m, [np.zeros(shape, t)], expect=[[np.zeros([0, len(shape)], I64)]])
# GATHER_ND of WHERE, then a sum: all late
m = M()
x = m.input(F, [4, 5])
g, w, v, y = m.tensor(B, []), m.tensor(I64, []), m.tensor(F, []), m.output(F, [])
m.op('GREATER', [x, m.const(F(1))], [g])
m.op('WHERE', [g], [w])
m.op('GATHER_ND', [x, w], [v])
m.op('SUM', [v, m.const(np.array([0], I32))], [y], keep_dims=False)
case('WHERE, GATHER_ND, SUM', m, [values(F, [4, 5])], [values(F, [4, 5])], [np.zeros([4, 5], F)])

for t in (F, I8, U8, I16, I32, I64):
    for index in (I32, I64):
        m = M()
        x = m.input(t, [12])
        m.op('UNIQUE', [x], [m.output(t, []), m.output(index, [12])], idx_out_type=2 if index is I32 else 4)
        case('UNIQUE %s %s' % (t.__name__, index.__name__), m, [values(I32, [12], 0, 5).astype(t)], [values(I32, [12], -2 if t is not U8 else 0, 2).astype(t)], [np.arange(12)[::-1].astype(t)])
m = M()
m.op('UNIQUE', [m.input(I32, [-1])], [m.output(I32, []), m.output(I32, [])], idx_out_type=2)
case('UNIQUE of 200', m, [values(I32, [200], 0, 99)])
case('UNIQUE of 1', m, [np.array([7], I32)])


def boxes(n, spread=3.0):
    at = rng.uniform(0, spread, [n, 2])
    size = rng.uniform(0.2, 2, [n, 2])
    b = np.concatenate([at, at + size], 1)
    flip = rng.integers(0, 2, n).astype(bool)
    b[flip] = b[flip][:, [2, 3, 0, 1]]
    return b.astype(F)


for n, size, iou, low in ((8, 4, 0.5, 0.1), (20, 30, 0.3, -10), (6, 0, 0.5, 0), (15, 15, 1.1, -10), (30, 10, 0.0, 0.5)):
    for constant in (True, False)[:1 if size == 0 else 2]:
        for sigma in (None, 0.0, 0.4):
            m = M()
            b, s = m.input(F, [n, 4]), m.input(F, [n])
            k = m.const(I32(size)) if constant else m.input(I32, [])
            ins = [b, s, k, m.const(F(iou)), m.const(F(low))] + ([m.const(F(sigma))] if sigma is not None else [])
            outs = [m.output(I32, [size] if constant else [])] + ([m.output(F, [size] if constant else [])] if sigma is not None else []) + [m.output(I32, [])]
            m.op('NON_MAX_SUPPRESSION_V4' if sigma is None else 'NON_MAX_SUPPRESSION_V5', ins, outs)
            extra = [] if constant else [np.array(size, I32)]
            case('NMS n %d size %d iou %g score %g sigma %s%s' % (n, size, iou, low, sigma, '' if constant else ' computed'), m,
                 [boxes(n), rng.uniform(-1, 1, n).astype(F)] + extra, [boxes(n), np.round(rng.uniform(0, 1, n) * 4).astype(F) / 4] + extra, [boxes(n), np.full(n, 0.75, F)] + extra)
# boxes without area, boxes far apart with one score
m = M()
m.op('NON_MAX_SUPPRESSION_V4', [m.input(F, [6, 4]), m.input(F, [6]), m.const(I32(6)), m.const(F(0.5)), m.const(F(0))], [m.output(I32, [6]), m.output(I32, [])])
case('NMS without area', m, [np.array([[1, 1, 1, 2], [0, 0, 1, 1], [3, 3, 3, 3], [5, 5, 6, 6], [5, 5, 6, 6], [2, 2, 1, 1]], F), np.array([.9, .8, .7, .6, .6, .5], F)])
m = M()
m.op('NON_MAX_SUPPRESSION_V4', [m.input(F, [17, 4]), m.input(F, [17]), m.const(I32(17)), m.const(F(0.5)), m.const(F(0))], [m.output(I32, [17]), m.output(I32, [])])
far = np.array([[3 * i, 0, 3 * i + 1, 1] for i in range(17)], F)
case('NMS equal scores', m, [far, np.ones(17, F)], [far, np.array([1, 2] * 8 + [1], F)], [far, np.array([1, 1, 2, 3, 3] * 3 + [2, 2], F)])

for t, runs in ((I32, ((0, 5, 1), (5, 0, -2), (-4, 9, 3))), (I64, ((0, 5, 2), (10, 0, -3))), (F, ((0, 1, 0.1), (2, -1, -0.7)))):
    m = M()
    m.op('RANGE', [m.input(t, []) for _ in range(3)], [m.output(t, [])])
    case('RANGE %s' % t.__name__, m, *[[np.array(v, t) for v in r] for r in runs])
    for r in runs:
        m = M()
        x, t1, y = m.input(t, []), m.tensor(t, []), m.output(t, [])
        m.op('RANGE', [m.const(np.array(v, t)) for v in r], [t1])
        m.op('ADD', [x, t1], [y])
        case('RANGE %s constant %s' % (t.__name__, r), m, [np.array(1, t)])
m = M()
m.op('RANGE', [m.input(I32, []) for _ in range(3)], [m.output(I32, [])])
case('RANGE of nothing', m, [np.array(3, I32), np.array(3, I32), np.array(1, I32)], expect=[[np.zeros([0], I32)]])
