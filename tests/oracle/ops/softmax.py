"""SOFTMAX and LOG_SOFTMAX: every type, ranks 1 to 5, beta, wide and narrow scales, rows of one, of equal and of far numbers, many columns.
The optimised 8-bit kernels of LiteRT work in float32 and are one off here and there; the reference is kept."""
import numpy as np
from op_models import M, case, values

F, H, I8, U8, I16 = np.float32, np.float16, np.int8, np.uint8, np.int16


def one(op, t, shape, scale=None, zero=0, out=None, out_scale=None, out_zero=0, version=2, **options):
    m = M()
    q, r = (dict(scale=scale, zero=zero), dict(scale=out_scale, zero=out_zero)) if scale else ({}, {})
    m.op(op, [m.input(t, shape, **q)], [m.output(out or t, shape, **r)], version=version, **options)
    return m


def rows(t):
    v = values(t, [6, 10])
    v[0], v[1] = 3, np.arange(10)
    v[2, 1:] = np.iinfo(t).min if t in (I8, U8, I16) else -30
    v[3] = v[3] // 16 if t != F else v[3]
    return v


for t, name in ((I8, 'int8'), (U8, 'uint8')):
    low = np.iinfo(t).min
    for scale in (0.1, 0.01, 0.7, 0.0005, 3.0):
        case('SOFTMAX %s, scale %g' % (name, scale), one('SOFTMAX', t, [6, 10], scale, 5, None, 1 / 256, low, beta=1.0), [rows(t)])
        case('SOFTMAX %s to int16, scale %g' % (name, scale), one('SOFTMAX', t, [6, 10], scale, 5, I16, 1 / 65536, 0 if t == U8 else -32768, beta=1.0), [rows(t)])
        case('LOG_SOFTMAX %s, scale %g' % (name, scale), one('LOG_SOFTMAX', t, [6, 10], scale, 5, None, 16 / 256, np.iinfo(t).max), [rows(t)])
    for shape in ([5], [1, 1], [2, 3, 4], [1, 2, 2, 3], [2, 1, 2, 2, 3], [0, 4], [1, 700]):
        case('SOFTMAX %s %s' % (name, shape), one('SOFTMAX', t, shape, 0.05, 5, None, 1 / 256, low, beta=0.5), [values(t, shape)])
        case('LOG_SOFTMAX %s %s' % (name, shape), one('LOG_SOFTMAX', t, shape, 0.05, 5, None, 16 / 256, np.iinfo(t).max), [values(t, shape)])
for scale in (0.0001, 0.001, 0.00001, 0.02):
    case('SOFTMAX int16, scale %g' % scale, one('SOFTMAX', I16, [6, 10], scale, 0, None, 1 / 32768, 0, beta=1.0, version=3), [rows(I16)])
for shape in ([5], [1, 1], [2, 3, 4], [0, 4], [1, 400]):
    case('SOFTMAX int16 %s' % shape, one('SOFTMAX', I16, shape, 0.0003, 0, None, 1 / 32768, 0, beta=2.0, version=3), [values(I16, shape)])
for shape in ([5], [1, 1], [2, 3, 4], [1, 2, 2, 3], [2, 1, 2, 2, 3], [0, 4], [1, 70]):
    for t in (F, H):
        if t == H and shape[0] == 0:
            continue
        case('SOFTMAX %s %s' % (np.dtype(t).name, shape), one('SOFTMAX', t, shape, beta=1.0 if t == H else 0.7, version=4 if t == H else 1), [values(t, shape)],
             tolerance=2e-3 if t == H else 1e-5)
    case('LOG_SOFTMAX float32 %s' % shape, one('LOG_SOFTMAX', F, shape, version=1), [values(F, shape)])
