"""ARG_MAX, ARG_MIN, TOPK_V2, CUMSUM: every type, axes, equal elements, NaN, computed k."""
import numpy as np
from op_models import M, case, values

F, I8, U8, I16, I32, I64, B = np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_
for op in ('ARG_MAX', 'ARG_MIN'):
    for t in (F, I8, U8, I32, B):
        for out in (I32, I64):
            for shape, axis in (([4, 5], 1), ([2, 3, 4], -2), ([3, 4], 0), ([6], 0)):
                m = M()
                m.op(op, [m.input(t, shape), m.const(np.array(axis, I32))], [m.output(out)], output_type=2 if out is I32 else 4)
                case('%s %s %s axis %d %s' % (op, t.__name__, shape, axis, out.__name__), m, [values(t, shape) if t in (F, B) else values(t, shape, 0, 4)])
    m = M()
    x, a = m.input(F, [3, 3]), m.input(I32, [])
    m.op(op, [x, a], [m.output(I32, [])], output_type=2)
    case('%s computed axis' % op, m, [values(F, [3, 3]), np.array(0, I32)], [values(F, [3, 3]), np.array(-1, I32)])
for t in (F, I8, U8, I16, I32, I64):
    for kt in (I32, I16):
        for out in (I32, I16):
            for shape, k in (([2, 7], 3), ([9], 9), ([2, 2, 5], 1)):
                m = M()
                m.op('TOPK_V2', [m.input(t, shape), m.const(np.array(k, kt))], [m.output(t), m.output(out)])
                case('TOPK_V2 %s[%s,%s] %s k %d' % (t.__name__, kt.__name__, out.__name__, shape, k), m, [values(t, shape)], [values(I32, shape, 0, 3).astype(t)])
m = M()
m.op('TOPK_V2', [m.input(F, [3, 12]), m.const(np.array(12, I32))], [m.output(F), m.output(I32)])
case('TOPK_V2 special', m, [values(F, [3, 12], special=True)], [np.full([3, 12], np.nan, F)])
m = M()
m.op('TOPK_V2', [m.input(F, [2, 300]), m.const(np.array(40, I32))], [m.output(F), m.output(I32)])
case('TOPK_V2 of 300', m, [values(F, [2, 300])], [np.round(values(F, [2, 300]))])
m = M()
x, k = m.input(F, [2, 6]), m.input(I32, [])
m.op('TOPK_V2', [x, k], [m.output(F, []), m.output(I32, [])])
case('TOPK_V2 computed', m, [values(F, [2, 6]), np.array(2, I32)], [values(F, [2, 6]), np.array(5, I32)])
for t in (F, I32, I64):
    for shape, axis in (([4], 0), ([2, 3, 4], 1), ([3, 4], -1)):
        for exclusive in (False, True):
            for reverse in (False, True):
                m = M()
                m.op('CUMSUM', [m.input(t, shape), m.const(np.array(axis, I32))], [m.output(t)], exclusive=exclusive, reverse=reverse)
                case('CUMSUM %s %s axis %d %d%d' % (t.__name__, shape, axis, exclusive, reverse), m, [values(t, shape)])
