"""Two-input arithmetic: every type LiteRT has, quantised and not, fused activations, broadcasts up to 8 dimensions, saturation, zero sizes."""
import ml_dtypes
import numpy as np
from op_models import M, case, values

F, H, BF, I8, U8, I16, U16, I32, U32, I64, C64 = (np.float32, np.float16, ml_dtypes.bfloat16, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32,
                                                 np.int64, np.complex64)
SHAPES = [([2, 3], [2, 3]), ([4], []), ([1, 3], [2, 1]), ([2, 1, 3, 1], [3, 1, 2]), ([2, 1, 2, 1, 2, 1, 1, 1], [1, 2, 1, 1, 1, 2, 1, 2]), ([0, 3], [1, 3])]
NONE, RELU, N1, RELU6 = 0, 1, 2, 3


def all_shapes(op, t, shapes, qa=None, qb=None, qo=None, version=1, **options):
    """One model with a node for each pair of shapes: inputs two by two, one output each."""
    m = M()
    for a, b in shapes:
        q = [dict(scale=p[0], zero=p[1]) if p else {} for p in (qa, qb, qo)]
        m.op(op, [m.input(t, a, **q[0]), m.input(t, b, **q[1])], [m.output(t, np.broadcast_shapes(a, b), **q[2])], version=version, **options)
    return m


def one(op, t, shapes, qa=None, qb=None, qo=None, out=None, version=1, **options):
    m = M()
    q = [dict(scale=p[0], zero=p[1]) if p else {} for p in (qa, qb, qo)]
    a, b = m.input(t, shapes[0], **q[0]), m.input(t, shapes[1], **q[1])
    m.op(op, [a, b], [m.output(out or t, np.broadcast_shapes(*shapes), **q[2])], version=version, **options)
    return m


def name(t):
    return np.dtype(t).name


def pair(t, shapes, *args, **more):
    return [values(t, shapes[0], *args, **more), values(t, shapes[1], *args, **more)]


def dividends(a, b, scales, zeros):
    """a without the numbers for which LiteRT's kernel shifts by more than 31 bits, which C++ does not define (quotients that round to 0)."""
    x, y = a.astype(int) - zeros[0], b.astype(int) - zeros[1]
    x = np.where(y < 0, -x, x)
    up = np.frexp(np.float32(scales[0]) / (np.float32(scales[1]) * np.float32(scales[2])))[1]
    room = 30 - np.floor(np.log2(np.maximum(np.where(x < 0, ~x, x), 0.5)))
    return np.where(np.broadcast_to(np.floor(np.log2(np.abs(y))) + room - up <= 31, a.shape), a, np.iinfo(a.dtype).max).astype(a.dtype)


BIG = [200], [200]
for op in ('ADD', 'SUB', 'MUL', 'DIV', 'SQUARED_DIFFERENCE'):
    for t, zeros in ((I8, (-5, 12, 3)), (U8, (120, 131, 7)), (I16, (0, 0, 0))):
        if op == 'SQUARED_DIFFERENCE' and t != I8:
            continue
        s = 1 / 256 if t == I16 else 1
        for k, (x, y, z) in enumerate(((0.05, 0.02, 0.08), (0.011, 0.7 if op != 'DIV' else 0.07, 0.9 if op != 'DIV' else 0.02), (0.5, 0.5, 0.013), (0.0031, 0.004, 1.0))):
            options = {} if op == 'SQUARED_DIFFERENCE' else dict(fused_activation_function=k)
            if op in ('ADD', 'SUB') and t == I16:
                options['pot_scale_int16'] = False
            v = 2 if op != 'DIV' else 1
            q = (x * s, zeros[0]), (y * s, zeros[1]), (z * s, zeros[2])
            a = pair(t, BIG)
            if op == 'DIV':
                a[1][a[1] == zeros[1]] += 1
                a[0] = dividends(*a, (x, y * s, z), zeros)
            if k == 0:
                case('%s %s quantised' % (op, name(t)), one(op, t, BIG, *q, version=v, **options), a)
            else:
                case('%s %s quantised, scales %d' % (op, name(t), k), one(op, t, ([40], [40]), *q, version=v, **options), [a[0][:40], a[1][:40]])
        a = sum((pair(t, shapes) for shapes in SHAPES), [])
        if op == 'DIV':
            a = [np.where(v == zeros[1], v + 1, v).astype(t) for v in a]
        case('%s %s quantised, broadcast' % (op, name(t)), all_shapes(op, t, SHAPES, (0.05 * s, zeros[0]), (0.02 * s, zeros[1]), (0.08 * s, zeros[2]), version=2), a)

for op in ('ADD', 'SUB'):
    for k, (x, y, z) in enumerate(((-15, -12, -12), (-12, -14, -12), (-12, -12, -12))):
        for act in (NONE, RELU):
            m = one(op, I16, ([40], [40]), (2.0 ** x, 0), (2.0 ** y, 0), (2.0 ** z, 0), version=2, fused_activation_function=act, pot_scale_int16=True)
            case('%s int16 powers of two %d, activation %d' % (op, k, act), m, pair(I16, ([40], [40])))
case('SUB int16 powers of two, broadcast', one('SUB', I16, ([2, 3], [3]), (2.0 ** -12, 0), (2.0 ** -14, 0), (2.0 ** -12, 0), version=2, pot_scale_int16=True),
     pair(I16, ([2, 3], [3])))
case('ADD int16 powers asked for, scales are none', one('ADD', I16, ([50], [50]), (0.003, 0), (0.001, 0), (0.005, 0), version=2, pot_scale_int16=True),
     pair(I16, ([50], [50])))
for out, zero in ((I8, -3), (U8, 128)):
    case('MUL int16 to %s' % name(out), one('MUL', I16, ([60], [60]), (2.0 ** -15, 0), (2.0 ** -15, 0), (2.0 ** -7, zero), out=out), pair(I16, ([60], [60])))

PLAIN = {'ADD': (F, H, I16, I32, I64), 'SUB': (F, I32, I64), 'MUL': (F, H, I16, I32, U32, I64, C64), 'DIV': (F, I32),
         'MAXIMUM': (F, H, BF, I8, U8, I16, I32, I64), 'MINIMUM': (F, H, BF, I8, U8, I16, I32, I64), 'SQUARED_DIFFERENCE': (F, I32),
         'FLOOR_DIV': (F, I8, I16, I32), 'FLOOR_MOD': (F, I8, I16, I32, I64), 'POW': (F, I32), 'ATAN2': (F, H, BF, np.float64),
         'BITWISE_XOR': (I8, U8, I16, U16, I32, U32), 'RIGHT_SHIFT': (I8, U8, I16, U16, I32, U32)}
for op, types in PLAIN.items():
    for t in types:
        a = []
        for shapes in [SHAPES[0], SHAPES[-2][:1] * 2] if op == 'ATAN2' else SHAPES:  # LiteRT's ATAN2 does not broadcast
            x, y = pair(t, shapes)
            if op == 'POW':
                x, y = np.abs(x) if t == F else x % 7, y if t == F else y % 5
            elif op in ('ADD', 'SUB', 'MUL', 'SQUARED_DIFFERENCE') and t in (I16, I32, I64, U32):
                x, y = (np.asarray(v % 181 - (90 if t != U32 else 0)).astype(t) for v in (x, y))
            elif op in ('DIV', 'FLOOR_DIV', 'FLOOR_MOD') and t != F:
                y = np.where(y == 0, 3, y).astype(t)
                if t in (I32, I64):
                    y = np.asarray(y % 9 - 13).astype(t)
            elif op == 'RIGHT_SHIFT':
                y = np.asarray(y % 45 - (3 if t in (I8, I16, I32) else 0)).astype(t)
            a += [x, y]
        shapes = [[np.shape(a[i]), np.shape(a[i + 1])] for i in range(0, len(a), 2)]
        case('%s %s' % (op, name(t)), all_shapes(op, t, shapes), a, tolerance=1e-2 if t == BF else 1e-3 if t == H else 1e-5)
for op, types in (('ADD', (F, H, I16, I32, I64)), ('SUB', (F, I32, I64)), ('MUL', (F, H, I16, I32, I64)), ('DIV', (F, I32))):
    for t in types:
        for act in (RELU, N1, RELU6):
            shapes = [2, 5], [5]
            a = [v if t in (F, H) else (v % 13 - 6).astype(t) for v in pair(t, shapes)]
            a[1] = np.where(a[1] == 0, 2, a[1]).astype(t)
            case('%s %s activation %d' % (op, name(t), act), one(op, t, shapes, fused_activation_function=act), a, tolerance=1e-3 if t == H else 1e-5)
for t in (F, I32):
    m, inputs = M(), []
    for n, shape in ((2, [3, 2]), (3, [5]), (5, [1]), (4, []), (2, [0, 2])):
        x = [m.input(t, shape) for _ in range(n)]
        inputs += [values(t, shape, -100, 100) for _ in range(n)]
        m.op('ADD_N', x, [m.output(t, shape)])
    case('ADD_N %s' % name(t), m, inputs)

# where a quotient leaves its type
edge = np.array([-2**31, 5, -2**31, 7], I32), np.array([-1, -1, 1, 2], I32)
m = M()
a, b = m.input(I32, [4]), m.input(I32, [4])
for op in ('DIV', 'FLOOR_DIV'):
    m.op(op, [a, b], [m.output(I32, [4])])
case('DIV, FLOOR_DIV of the lowest int32', m, list(edge))
