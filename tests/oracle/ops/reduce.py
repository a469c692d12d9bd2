"""MEAN, SUM, REDUCE_PROD, REDUCE_MAX, REDUCE_MIN, REDUCE_ANY, REDUCE_ALL, REDUCE_WINDOW: every type, axes (negative, twice, none, computed), keep_dims.

LiteRT's reference SUM reads int8 and int16 as uint8, so its other kernel is the oracle there; the quantised means and sums of its two kernels differ by one
(one rounds in float); litec's are the integer ones. A largest of -infinity alone is the lowest finite number to the reference, and so here; the other says -infinity.
So they differ over NaN and over products of one factor, which the other does not rescale."""
import numpy as np
from op_models import M, case, values

F, I8, U8, I16, I32, I64, B = np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_
IN = {I8: dict(scale=0.05, zero=-7), U8: dict(scale=0.05, zero=120), I16: dict(scale=0.001, zero=0)}
OUT = {I8: dict(scale=0.04, zero=3), U8: dict(scale=0.04, zero=100), I16: dict(scale=0.0008, zero=0)}
SUM = {I8: dict(scale=0.31, zero=3), U8: dict(scale=0.31, zero=100), I16: dict(scale=0.0081, zero=0)}


def one(op, t, shape, axes, keep=True, quant=None, data=None, dynamic=False, **more):
    m = M()
    q = quant or ({}, {})
    x = m.input(t, shape, **q[0])
    a = m.input(I32, [len(axes)]) if dynamic else m.const(np.array(axes, I32))
    y = m.output(t, **q[1])
    m.op(op, [x, a], [y], keep_dims=keep)
    data = values(t, shape) if data is None else data
    run = [data, np.array(axes, I32)] if dynamic else [data]
    case('%s %s %s axes %s%s%s%s' % (op, t.__name__, shape, axes, ' keep' if keep else '', ' quantised' if quant else '', ' dynamic' if dynamic else ''), m, run, **more)


AXES = (([2, 5, 3, 3], [1, 2], True), ([2, 5, 3, 3], [1, 2], False), ([3, 4, 5], [-1], False), ([3, 4, 5], [0, -3, 2], True), ([2, 3, 2, 3, 2], [0, 2, 4], False),
        ([7], [0], False), ([4, 3], [], True), ([1, 8, 8, 5], [2, 1], True))
for op in ('MEAN', 'SUM'):
    for t in (I8, U8, I16):
        for shape, axes, keep in AXES[:7] + AXES[7:] * (t is I8):
            fast = dict(use='fast', within=1) if op == 'SUM' and t is not U8 else dict(within=1)
            one(op, t, shape, axes, keep, (IN[t], OUT[t] if op == 'MEAN' else SUM[t]), **fast)
        one(op, t, [3, 4], [0], False, (IN[t], IN[t]), data=np.full([3, 4], np.iinfo(t).max, t), **(dict(use='fast') if op == 'SUM' and t is not U8 else dict(within=1)))
        one(op, t, [3, 4], [0], True, (IN[t], IN[t]), dynamic=True, **(dict(use='fast', within=1) if op == 'SUM' and t is not U8 else dict(within=1)))
for op in ('MEAN', 'SUM', 'REDUCE_PROD', 'REDUCE_MAX', 'REDUCE_MIN'):
    for t in (F, I32, I64):
        for shape, axes, keep in AXES[:7] if t is F else AXES[2:6]:
            one(op, t, shape, axes, keep, data=values(t, shape) if t is F else values(t, shape, -40, 40), tolerance=1e-4 if op in ('REDUCE_PROD',) else 1e-5)
        one(op, t, [2, 3], [1], False, dynamic=True)
        one(op, t, [2, 3], [0], True, dynamic=True)
    one(op, F, [], [0], False)
    one(op, F, [6, 5], [0], False, data=values(F, [6, 5], special=False))
for op in ('REDUCE_PROD', 'REDUCE_MAX', 'REDUCE_MIN'):
    for t in (I8, U8, I16):
        for shape, axes, keep in AXES[2:4]:
            one(op, t, shape, axes, keep)
for op in ('REDUCE_MAX', 'REDUCE_MIN'):
    for t in (I8, U8, I16):
        one(op, t, [2, 5, 6, 3], [1, 2], True, (IN[t], IN[t]))
    one(op, B, [3, 4], [1], False)
    one(op, F, [5, 7], [1], True, data=values(F, [5, 7], special=True))
for t in (I8, I16):
    for shape, axes, keep in (([3, 4], [1], False), ([2, 3, 2], [0, 2], True), ([4], [0], False)):
        low = dict(data=values(t, shape, -90, 90)) if t is I8 else dict(data=values(t, shape, -3000, 3000))
        one('REDUCE_PROD', t, shape, axes, keep, (dict(scale=0.02, zero=5 if t is I8 else 0), dict(scale=0.05, zero=-4 if t is I8 else 0)), **low)
for op in ('REDUCE_ANY', 'REDUCE_ALL'):
    for shape, axes, keep in AXES[:5]:
        one(op, B, shape, axes, keep, data=np.random.default_rng(5).uniform(size=shape) < (0.1 if op == 'REDUCE_ANY' else 0.9))
    one(op, B, [2, 3], [1], False, dynamic=True)

# nothing finite
for op in ('REDUCE_MAX', 'REDUCE_MIN'):
    for axes in ([1], [0]):
        x = np.full([4, 9], -np.inf if op == 'REDUCE_MAX' else np.inf, F)
        x[1, 3], x[2, 2:5] = 5, np.nan
        one(op, F, [4, 9], axes, False, data=x)
    one(op, F, [2, 0], [1], False)

# nothing to reduce
for op in ('SUM', 'REDUCE_PROD', 'REDUCE_MAX', 'REDUCE_MIN', 'MEAN'):
    one(op, I32, [2, 0, 3], [1], False)
one('SUM', F, [2, 0, 3], [1], False)
one('MEAN', F, [2, 0, 3], [1], False)
one('REDUCE_PROD', F, [2, 0, 3], [1], False)

for t in (F, I32, I64, I16, I8, U8, B):
    for fn in (1, 2, 3, 4, 5, 6) if t is not B else (5, 6):
        for shape, window, strides, dilations in (([4, 5], [2, 2], [1, 1], [1, 1]), ([3, 6, 5], [1, 3, 2], [2, 1, 2], [1, 2, 3]), ([7], [3], [2], [2]), ([2, 2], [3, 1], [1, 1], [1, 1]))[:4 if t in (F, I32) else 2]:
            m = M()
            x = m.input(t, shape)
            i = m.const(np.array(0 if fn in (1, 6) else 1, t))
            y = m.output(t)
            m.op('REDUCE_WINDOW', [x, i] + [m.const(np.array(v, I64)) for v in (window, strides, dilations)], [y], reduce_function=fn)
            data = values(t, shape) if t in (F, B) else values(t, shape, -5 if t is not U8 else 0, 5)
            case('REDUCE_WINDOW %s function %d %s window %s' % (t.__name__, fn, shape, window), m, [data])

# axes in a matrix, a scalar: LiteRT counts elements
for axes in ([[1], [0]], [[-1]], 1):
    m = M()
    m.op('SUM', [m.input(F, [2, 3]), m.const(np.array(axes, I32))], [m.output(F)])
    m.op('REDUCE_MAX', [m.t.inputs[0], m.const(np.array(axes, I32))], [m.output(F)])
    case('axes %s' % axes, m, [values(F, [2, 3])])
