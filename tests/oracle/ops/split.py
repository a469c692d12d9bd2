"""SPLIT, SPLIT_V, UNPACK: every type, axes, parts without elements, the rest, computed axes and sizes."""
import ml_dtypes
import numpy as np
from op_models import M, case, values

F, H, I8, U8, I16, I32, I64, B = np.float32, np.float16, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_
for t in (F, I8, U8, I16, I32, I64):
    for shape, axis, n in (([4, 6], 1, 3), ([4, 2], -2, 2), ([2, 3, 4], 2, 4), ([3], 0, 1)):
        m = M()
        m.op('SPLIT', [m.const(np.array(axis, I32)), m.input(t, shape)], [m.output(t) for _ in range(n)], num_splits=n)
        case('SPLIT %s %s axis %d' % (t.__name__, shape, axis), m, [values(t, shape)])
    for shape, axis, sizes in (([4, 6], 1, [1, 2, 3]), ([4, 2], 0, [3, -1]), ([2, 5, 2], -2, [-1, 1, 1])):
        for it in (I32, I64):
            m = M()
            m.op('SPLIT_V', [m.input(t, shape), m.const(np.array(sizes, it)), m.const(np.array(axis, I32))], [m.output(t) for _ in sizes], num_splits=len(sizes))
            case('SPLIT_V %s %s axis %d %s' % (t.__name__, shape, axis, it.__name__), m, [values(t, shape)])
for t in (F, H, ml_dtypes.bfloat16, I8, U8, I16, I32, B):
    for shape, axis in (([3, 2], 0), ([2, 3, 2], 1), ([2, 4], -1), ([3], 0)):
        m = M()
        m.op('UNPACK', [m.input(t, shape)], [m.output(t) for _ in range(shape[axis])], axis=axis, num=shape[axis])
        case('UNPACK %s %s axis %d' % (np.dtype(t).name, shape, axis), m, [values(t, shape)])
m = M()
a, x = m.input(I32, []), m.input(F, [4, 4])
m.op('SPLIT', [a, x], [m.output(F, []) for _ in range(2)], num_splits=2)
case('SPLIT computed axis', m, [np.array(0, I32), values(F, [4, 4])], [np.array(-1, I32), values(F, [4, 4])])
m = M()
x, s, a = m.input(F, [4, 4]), m.input(I32, [2]), m.input(I32, [])
m.op('SPLIT_V', [x, s, a], [m.output(F, []) for _ in range(2)], num_splits=2)
case('SPLIT_V computed', m, [values(F, [4, 4]), np.array([1, 3], I32), np.array(0, I32)], [values(F, [4, 4]), np.array([-1, 1], I32), np.array(1, I32)])
m = M()
n = 70
m.op('SPLIT_V', [m.input(I32, [n]), m.const(np.ones(n, I32)), m.const(np.array(0, I32))], [m.output(I32) for _ in range(n)], num_splits=n)
case('SPLIT_V of 70 parts', m, [values(I32, [n])])
