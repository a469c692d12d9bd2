"""TILE, BROADCAST_TO, FILL, ZEROS_LIKE: every type, strings, shapes computed in the run."""
import numpy as np
from op_models import M, case, values

F, H, I8, U8, I16, I32, I64, B, STR = np.float32, np.float16, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_, np.object_


def data(t, shape):
    return np.array(['t' * (i % 3) + str(i) for i in range(int(np.prod(shape)))], object).reshape(shape) if t is STR else values(t, shape)


for t in (F, H, I8, U8, I16, I32, I64, B, STR):
    for it in (I32, I64):
        for shape, by in (([2, 3], [2, 1]), ([2, 1, 3], [1, 3, 2]), ([4], [3]))[:3 if it is I32 else 1]:
            m = M()
            m.op('TILE', [m.input(t, shape), m.const(np.array(by, it))], [m.output(t)])
            case('TILE %s[%s] %s' % (np.dtype(t).name, it.__name__, shape), m, [data(t, shape)])
        if t is not STR:
            for shape, to in (([3], [2, 3]), ([2, 1, 3], [2, 4, 3]), ([], [2, 2]), ([1, 1], [3, 2, 2, 2]))[:4 if it is I32 else 1]:
                m = M()
                m.op('BROADCAST_TO', [m.input(t, shape), m.const(np.array(to, it))], [m.output(t)], version=2)
                case('BROADCAST_TO %s[%s] %s to %s' % (np.dtype(t).name, it.__name__, shape, to), m, [data(t, shape)])
        # a string is a constant: Python cannot set a scalar one
        value = np.array('a word' if t is STR else values(t, []), t)
        m = M()
        d = m.input(it, [2])
        m.op('FILL', [d, m.const(value)], [m.output(t, [])])
        case('FILL %s[%s] computed' % (np.dtype(t).name, it.__name__), m, [np.array([2, 2], it)], [np.array([1, 3], it)])
        if t is not STR:
            m = M()
            m.op('FILL', [m.const(np.array([2, 3], it)), m.input(t, [])], [m.output(t)])
            case('FILL %s[%s]' % (np.dtype(t).name, it.__name__), m, [values(t, [])])
    m = M()
    x, by = m.input(t, [2, 2]), m.input(I32, [2])
    m.op('TILE', [x, by], [m.output(t, [])])
    case('TILE %s computed' % np.dtype(t).name, m, *[[data(t, [2, 2]), np.array(b, I32)] for b in ([2, 1], [1, 3])])
    if t is not STR:
        m = M()
        x, s = m.input(t, [2, 1]), m.input(I32, [3])
        m.op('BROADCAST_TO', [x, s], [m.output(t, [])], version=2)
        case('BROADCAST_TO %s computed' % np.dtype(t).name, m, *[[data(t, [2, 1]), np.array(b, I32)] for b in ([3, 2, 1], [1, 2, 4])])
    if t in (F, I32, I64):
        m = M()
        m.op('ZEROS_LIKE', [m.input(t, [2, 3])], [m.output(t)])
        case('ZEROS_LIKE %s' % t.__name__, m, [data(t, [2, 3])])
for t in (I8, U8, I16):
    q = dict(scale=0.1, zero=0)
    m = M()
    m.op('FILL', [m.const(np.array([3], I32)), m.input(t, [], **q)], [m.output(t, **q)])
    case('FILL %s quantised' % t.__name__, m, [values(t, [])])
