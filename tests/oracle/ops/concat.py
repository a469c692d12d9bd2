"""CONCATENATION, PACK, ADD_N: every type, axes, inputs of other scales, inputs without elements, int4."""
import ml_dtypes
import numpy as np
from op_models import INT4, M, case, rng, values

F, I8, U8, I16, I32, I64, B, U32 = np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_, np.uint32
for t in (F, np.float16, ml_dtypes.bfloat16, I8, U8, I16, I32, I64, B, U32):
    for axis, shapes in ((0, ([2, 3], [1, 3])), (-1, ([2, 1, 3], [2, 1, 2], [2, 1, 1])), (1, ([2, 2], [2, 0], [2, 3]))):
        m = M()
        xs = [m.input(t, s) for s in shapes]
        m.op('CONCATENATION', xs, [m.output(t)], axis=axis)
        case('CONCATENATION %s axis %d %s' % (np.dtype(t).name, axis, shapes), m, [values(t, s) for s in shapes])
for t in (F, I8, U8, I16, I32, I64, U32):
    for axis in (0, 1, -1):
        m = M()
        xs = [m.input(t, [2, 3]) for _ in range(3)]
        m.op('PACK', xs, [m.output(t)], axis=axis, values_count=3)
        case('PACK %s axis %d' % (np.dtype(t).name, axis), m, [values(t, [2, 3]) for _ in range(3)])
m = M()
m.op('PACK', [m.input(I32, []), m.input(I32, [])], [m.output(I32)], axis=0, values_count=2)
case('PACK scalars', m, [values(I32, []), values(I32, [])])

# scales of their own: uint8 as LiteRT; the optimised kernel multiplies otherwise
for name, scales, zeros in (('same', (0.1, 0.1, 0.1), (3, 3, 3)), ('differ', (0.1, 0.073, 0.2), (3, 128, 250)), ('far', (0.001, 40.0, 0.1), (0, 255, 7))):
    m = M()
    xs = [m.input(U8, [2, 4], scale=s, zero=z) for s, z in zip(scales, zeros)]
    m.op('CONCATENATION', xs, [m.output(U8, scale=0.1, zero=3)], axis=1)
    case('CONCATENATION uint8 scales %s' % name, m, [values(U8, [2, 4]) for _ in range(3)])
for t, zero in ((I8, -3), (I16, 0)):
    m = M()
    xs = [m.input(t, [2, 2], scale=0.1, zero=zero) for _ in range(2)]
    m.op('CONCATENATION', xs, [m.output(t, scale=0.1, zero=zero)], axis=0)
    case('CONCATENATION %s one scale' % t.__name__, m, [values(t, [2, 2]) for _ in range(2)])
# LiteRT refuses int8 inputs of another scale: what the numbers stand for is expected
m = M()
xs = [m.input(I8, [1, 4], scale=0.1, zero=0), m.input(I8, [1, 4], scale=0.05, zero=-10)]
m.op('CONCATENATION', xs, [m.output(I8, scale=0.1, zero=0)], axis=1)
case('CONCATENATION int8 scales differ', m, [np.array([[1, -2, 127, -128]], I8), np.array([[-10, 0, 90, -128]], I8)],
     expect=[[np.array([[1, -2, 127, -128, 0, 5, 50, -59]], I8)]])

for n in (1, 2, 5):
    for t in (F, I32):
        m = M()
        m.op('ADD_N', [m.input(t, [3, 2]) for _ in range(n)], [m.output(t)])
        case('ADD_N %s of %d' % (t.__name__, n), m, [values(t, [3, 2]) for _ in range(n)])
