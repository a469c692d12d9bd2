"""SHAPE, RANK, BROADCAST_ARGS, RESHAPE, SQUEEZE, EXPAND_DIMS, BITCAST: every type, strings, shapes computed in the run, -1 and zeros."""
import numpy as np
from op_models import M, case, values

F, I8, U8, I16, I32, I64, B, STR = np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_, np.object_


def data(t, shape):
    return np.array(['r' * (i % 4) + str(i) for i in range(int(np.prod(shape)))], object).reshape(shape) if t is STR else values(t, shape)


for t in (F, I8, U8, I16, I32, I64, B, STR):
    for out in (I32, I64):
        m = M()
        m.op('SHAPE', [m.input(t, [2, 3, 1])], [m.output(out)], out_type=2 if out is I32 else 4)
        case('SHAPE %s %s' % (np.dtype(t).name, out.__name__), m, [data(t, [2, 3, 1])])
    m = M()
    m.op('RANK', [m.input(t, [2, 3, 1])], [m.output(I32)])
    case('RANK %s' % np.dtype(t).name, m, [data(t, [2, 3, 1])])
    for shape, to in (([2, 3], [3, 2]), ([2, 6], [-1, 4]), ([4], [2, 1, 2]), ([1, 1], []), ([2, 3, 2], [-1])):
        m = M()
        m.op('RESHAPE', [m.input(t, shape), m.const(np.array(to, I32))], [m.output(t)])
        case('RESHAPE %s %s to %s' % (np.dtype(t).name, shape, to), m, [data(t, shape)])
    m = M()
    m.op('RESHAPE', [m.input(t, [2, 3])], [m.output(t)], new_shape=[3, -1])
    case('RESHAPE %s by option' % np.dtype(t).name, m, [data(t, [2, 3])])
    m = M()
    x, s = m.input(t, [2, 6]), m.input(I32, [2])
    m.op('RESHAPE', [x, s], [m.output(t, [])])
    case('RESHAPE %s computed' % np.dtype(t).name, m, *[[data(t, [2, 6]), np.array(s, I32)] for s in ([3, 4], [-1, 2])])
    for dims in ([], [0], [-1, 2]):
        m = M()
        m.op('SQUEEZE', [m.input(t, [1, 2, 1, 3, 1])], [m.output(t)], squeeze_dims=dims)
        case('SQUEEZE %s %s' % (np.dtype(t).name, dims), m, [data(t, [1, 2, 1, 3, 1])])
    for axis in (0, 1, -1):
        for it in (I32, I64):
            m = M()
            m.op('EXPAND_DIMS', [m.input(t, [2, 3]), m.const(np.array(axis, it))], [m.output(t)])
            case('EXPAND_DIMS %s %d %s' % (np.dtype(t).name, axis, it.__name__), m, [data(t, [2, 3])])
m = M()
x, a = m.input(F, [2, 3]), m.input(I32, [1])
m.op('EXPAND_DIMS', [x, a], [m.output(F, [])])
case('EXPAND_DIMS computed', m, *[[values(F, [2, 3]), np.array([a], I32)] for a in (0, 2)])
for t in (I32, I64):
    for a, b in (([2, 1, 3], [4, 1]), ([3], [3]), ([1], [5, 1, 2]), ([7, 1], [1, 6])):
        m = M()
        m.op('BROADCAST_ARGS', [m.input(t, [len(a)]), m.input(t, [len(b)])], [m.output(t)])
        case('BROADCAST_ARGS %s %s %s' % (t.__name__, a, b), m, [np.array(a, t), np.array(b, t)])
# a computed shape: SHAPE, BROADCAST_ARGS, BROADCAST_TO
m = M()
x, y = m.input(F, [3, 1]), m.input(F, [2])
s, r, t, o = m.tensor(I32, [2]), m.tensor(I32, [1]), m.tensor(I32, [2]), m.output(F, [])
m.op('SHAPE', [x], [s], out_type=2)
m.op('SHAPE', [y], [r], out_type=2)
m.op('BROADCAST_ARGS', [s, r], [t])
m.op('BROADCAST_TO', [x, t], [o], version=2)
case('broadcast to computed shape', m, [values(F, [3, 1]), values(F, [2])])
