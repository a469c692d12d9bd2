"""QUANTIZE (floats, and every pair of integer types), DEQUANTIZE, FAKE_QUANT: per tensor and per channel, edges of the range, halves, zero sizes."""
import numpy as np
from op_models import INT2, INT4, UINT4, M, case, raw, values

F, I8, U8, I16, I32 = np.float32, np.int8, np.uint8, np.int16, np.int32


def one(op, tin, tout, shape, given=(), taken=(), version=3, **options):
    m = M()
    x = m.input(tin, shape, **dict(given))
    m.op(op, [x], [m.output(tout, shape, **dict(taken))], version=version, **options)
    return m


def q(scale, zero=0, axis=0):
    return dict(scale=scale, zero=zero, axis=axis)


halves = (np.arange(21, dtype=F).reshape(3, 7) - 10) * F(0.025)
for t, zero in ((I8, -3), (U8, 131), (I16, 0)):
    name = np.dtype(t).name
    case('dequantize %s' % name, one('DEQUANTIZE', t, F, [2, 50], q(0.0123, zero)), [values(t, [2, 50])])
    case('quantize to %s' % name, one('QUANTIZE', F, t, [3, 7], (), q(0.05, zero)), [values(F, [3, 7], -10, 10)], [halves], [halves * 1000])
    case('quantize to %s, scale not a power of two' % name, one('QUANTIZE', F, t, [200], (), q(0.00731, zero)), [values(F, [200], -2, 2)])
    for axis in (0, 1, 2):
        shape, n = [2, 3, 4], [2, 3, 4][axis]
        p = q([0.01 * (k + 1) for k in range(n)], [zero + k for k in range(n)] if t != I16 else 0, axis)
        case('quantize to %s per channel of %d' % (name, axis), one('QUANTIZE', F, t, shape, (), p), [values(F, shape, -2, 2)])
        if t != I16:
            case('dequantize %s per channel of %d' % (name, axis), one('DEQUANTIZE', t, F, shape, p, version=5), [values(t, shape)])
case('quantize scalar', one('QUANTIZE', F, I8, [], (), q(0.1)), [np.array(0.25, F)])
case('dequantize nothing', one('DEQUANTIZE', I8, F, [0, 3], q(0.1)), [np.zeros([0, 3], I8)])

for f, t in ((I8, I8), (I8, U8), (I8, I16), (U8, I8), (U8, U8), (U8, I16), (I16, I8), (I16, I16), (I16, I32), (I32, I8), (I32, I16)):
    for k, (a, b) in enumerate(((0.05, 0.05), (0.05, 0.011), (0.003, 0.71), (1.0, 0.5))):
        za = {I8: -7, U8: 140}.get(f, 0)
        zb = {I8: 5, U8: 120}.get(t, 0)
        if k == 0 and {f, t} == {I8, U8}:
            za, zb = (0, 128) if f == I8 else (128, 0)
        big = 1 << 20
        x = [values(f, [64])] if f != I32 else [values(I32, [64], -big, big)]
        case('requantize %s to %s, %d' % (np.dtype(f).name, np.dtype(t).name, k), one('QUANTIZE', f, t, [64], q(a, za), q(b, zb)), x)

for code, name, low, high in ((INT4, 'int4', -8, 7), (UINT4, 'uint4', 0, 15), (INT2, 'int2', -2, 1)):
    for p, shape in ((q(0.3, 1), [3, 5]), (q([0.1, 0.2, 0.4], [0, 1, 0], 0), [3, 5]), (q([0.1, 0.2, 0.3, 0.4, 0.5], 0, 1), [3, 5])):
        m = M()
        x = m.const(values(I32, shape, low, high), code, **p)
        y = m.tensor(F, shape)
        m.op('DEQUANTIZE', [x], [y], version=6)
        m.op('ADD', [y, m.input(F, shape)], [m.output(F, shape)])
        case('dequantize %s, %d scales' % (name, len(np.atleast_1d(p['scale']))), m, [np.zeros(shape, F)])
for code, name in ((INT4, 'int4'), (UINT4, 'uint4')):
    m = M()
    x, y = m.input(F, [9]), m.tensor(code, [9], scale=0.5, zero=2)
    m.op('QUANTIZE', [x], [y], version=4)
    m.op('DEQUANTIZE', [y], [m.output(F, [9])], version=6)
    case('quantize to %s and back' % name, m, [values(F, [9], -6, 6)], [values(F, [9], -1e3, 1e3)])

m = M()
y = m.tensor(F, [6])
m.op('DEQUANTIZE', [m.const(np.array([0, 1, -2.5, 65504, 6e-8, -0.0], np.float16))], [y], version=3)
m.op('ADD', [y, m.input(F, [6])], [m.output(F, [6])])
case('dequantize float16 constant', m, [values(F, [6])])
case('dequantize float16', one('DEQUANTIZE', np.float16, F, [40]), [values(np.float16, [40], special=True)])

for bits, low, high in ((8, -6, 6), (8, 0, 6), (4, -1.3, 2.7), (16, -3, 3.1), (8, -0.01, 255), (8, 0.5, 6), (8, -3, -1)):
    case('fake quant %d [%g, %g]' % (bits, low, high), one('FAKE_QUANT', F, F, [60], version=2, min=low, max=high, num_bits=bits, narrow_range=False),
         [values(F, [60], -8, 8)])
