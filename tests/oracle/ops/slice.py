"""SLICE, STRIDED_SLICE, DYNAMIC_UPDATE_SLICE: every type, masks, negative and out-of-range ends, offset, operands computed in the run, strings, int4."""
import ml_dtypes
import numpy as np
from op_models import INT4, M, case, rng, values

F, H, I8, U8, I16, I32, I64, B, C = np.float32, np.float16, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_, np.complex64
BF, STR = ml_dtypes.bfloat16, np.object_


def data(t, shape):
    return np.array(['s' * (i % 5) + str(i) for i in range(int(np.prod(shape)))], object).reshape(shape) if t is STR else values(t, shape)


for t in (F, H, BF, I8, U8, I16, I32, I64, B, C, STR):
    for it in (I32, I64):
        for shape, begin, size in (([4, 5], [1, 2], [2, 3]), ([2, 3, 4], [0, 1, 1], [-1, 2, -1]), ([5], [5], [0]), ([2, 1, 3, 2, 2], [1, 0, 0, 0, 1], [1, 1, 3, 2, 1]))[:4 if t in (F, I8) else 2]:
            if 0 in size and t is STR:
                continue
            m = M()
            m.op('SLICE', [m.input(t, shape), m.const(np.array(begin, it)), m.const(np.array(size, it))], [m.output(t)])
            if 0 not in size:
                case('SLICE %s[%s] %s' % (np.dtype(t).name, it.__name__, shape), m, [data(t, shape)])
    m = M()
    x, b, s = m.input(t, [4, 5]), m.input(I32, [2]), m.input(I32, [2])
    m.op('SLICE', [x, b, s], [m.output(t, [])])
    case('SLICE %s computed' % np.dtype(t).name, m, [data(t, [4, 5]), np.array([1, 2], I32), np.array([-1, 2], I32)], [data(t, [4, 5]), np.array([0, 0], I32), np.array([4, 5], I32)])
m = M()
m.op('SLICE', [m.input(F, [2, 2, 1, 2, 1, 2]), m.const(np.array([0, 1, 0, 0, 0, 1], I32)), m.const(np.array([2, 1, 1, -1, 1, 1], I32))], [m.output(F)])
case('SLICE rank 6', m, [values(F, [2, 2, 1, 2, 1, 2])])
for shape, begin, size in (([3, 5], [1, 1], [2, 3]), ([7], [2], [4])):
    m = M()
    w = values(I8, shape, -8, 7)
    t = m.tensor(INT4, scale=1.0)
    m.op('SLICE', [m.const(w, INT4, scale=1.0), m.const(np.array(begin, I32)), m.const(np.array(size, I32))], [t])
    q, y = m.tensor(F), m.output(F)
    m.op('DEQUANTIZE', [t], [q])
    m.op('ADD', [q, m.input(F, [1])], [y])
    cut = w[tuple(slice(b, b + s) for b, s in zip(begin, size))]
    case('SLICE int4 %s' % shape, m, [np.zeros([1], F)], expect=[[cut.astype(F)]])

STRIDED = (
    ([5, 4], [1, 0], [4, 3], [2, 1], {}), ([5, 4], [-1, -1], [-4, -5], [-1, -2], {}), ([5, 4], [9, -9], [-9, 9], [-2, 3], {}), ([4, 3, 2], [1], [3], [1], {}),
    ([4, 3, 2], [0, 1], [0, 2], [1, 1], dict(begin_mask=1, end_mask=1, shrink_axis_mask=2)), ([4, 3, 2], [2, 0, 1], [3, 0, 2], [1, 1, 1], dict(shrink_axis_mask=5, begin_mask=2, end_mask=2)),
    ([4, 3, 2], [0, 1], [0, 2], [1, 1], dict(ellipsis_mask=1)), ([4, 3, 2], [1, 0, -1], [3, 0, 2], [1, 1, 1], dict(ellipsis_mask=2, shrink_axis_mask=4)),
    ([4, 3], [0, 1, 0], [0, 3, 3], [1, 1, 2], dict(new_axis_mask=1)), ([4, 3], [0, 0, 0, 0], [0, 0, 0, 2], [1, 1, 1, 1], dict(new_axis_mask=5, ellipsis_mask=2)),
    ([3, 2], [-3, 1], [-2, 2], [1, 1], dict(shrink_axis_mask=3)), ([6], [5], [0], [-2], dict(end_mask=1)), ([6], [0], [0], [-1], dict(begin_mask=1, end_mask=1)),
    ([2, 3, 4, 2, 2], [0, 0, 1, 0, 0], [2, 3, 4, 2, 2], [1, 2, 2, 1, 1], {}))
for t in (F, H, I8, U8, I16, I32, I64, B, C, STR):
    for shape, begin, end, strides, masks in STRIDED if t in (F, I8, STR) else STRIDED[:5]:
        m = M()
        m.op('STRIDED_SLICE', [m.input(t, shape)] + [m.const(np.array(v, I32)) for v in (begin, end, strides)], [m.output(t)], **masks)
        case('STRIDED_SLICE %s %s %s %s %s %s' % (np.dtype(t).name, shape, begin, end, strides, masks), m, [data(t, shape)])
for t in (F, I8):
    m = M()
    x, b, e = m.input(t, [5, 4]), m.input(I32, [2]), m.input(I32, [2])
    m.op('STRIDED_SLICE', [x, b, e, m.const(np.array([1, 2], I32))], [m.output(t, [])], shrink_axis_mask=0)
    case('STRIDED_SLICE %s computed' % t.__name__, m, [data(t, [5, 4]), np.array([1, 0], I32), np.array([3, 4], I32)], [data(t, [5, 4]), np.array([-2, 1], I32), np.array([9, 2], I32)])
    m = M()
    x, b = m.input(t, [5, 4]), m.input(I32, [2])
    m.op('STRIDED_SLICE', [x, b, m.const(np.array([2, 3], I32)), m.const(np.array([1, 1], I32))], [m.output(t)], offset=True)
    case('STRIDED_SLICE %s offset' % t.__name__, m, [data(t, [5, 4]), np.array([1, 0], I32)], [data(t, [5, 4]), np.array([3, 1], I32)])

for t in (F, H, I8, U8, I16, I32, I64, B):
    for it in (I32, I64):
        for shape, ushape in (([4, 5], [2, 3]), ([6], [2]), ([2, 3, 4], [1, 3, 2]), ([3, 2], [3, 2]))[:4 if t in (F, I8) else 1]:
            m = M()
            m.op('DYNAMIC_UPDATE_SLICE', [m.input(t, shape), m.input(t, ushape), m.input(it, [len(shape)])], [m.output(t)])
            case('DYNAMIC_UPDATE_SLICE %s[%s] %s' % (np.dtype(t).name, it.__name__, shape), m, [data(t, shape), data(t, ushape), np.array([1] * len(shape), it)],
                 [data(t, shape), data(t, ushape), np.array([-3] * len(shape), it)], [data(t, shape), data(t, ushape), np.array([9] * len(shape), it)])
