"""The activations that are operators of their own: every type, all 256 numbers of the 8-bit ones, scales above and below one another, PRELU with broadcasts."""
import ml_dtypes
import numpy as np
from op_models import M, case, values

F, H, BF, I8, U8, I16 = np.float32, np.float16, ml_dtypes.bfloat16, np.int8, np.uint8, np.int16
ALL = {I8: np.arange(-128, 128).astype(I8), U8: np.arange(256).astype(U8),
       I16: np.concatenate([np.arange(-32768, 32768, 1021), [-1, 0, 1, 32767, 127, 128, -128, -129]]).astype(I16)}


def name(t):
    return np.dtype(t).name


def many(op, t, scales, options=({},), version=2):
    """A node for each pair of scales and zero points, and options, all on one input shape."""
    m, inputs = M(), []
    for (a, b) in scales:
        for o in options:
            x = m.input(t, ALL[t].shape, scale=a[0], zero=a[1])
            m.op(op, [x], [m.output(t, ALL[t].shape, scale=b[0], zero=b[1])], version=version, **o)
            inputs.append(ALL[t])
    case('%s %s' % (op, name(t)), m, inputs)


RELU_SCALES = [(0.05, 0.05), (0.05, 0.02), (0.0123, 0.7), (0.1, 0.03)]
for op in ('RELU', 'RELU6', 'RELU_N1_TO_1', 'RELU_0_TO_1', 'LEAKY_RELU'):
    for t, za, zb in ((I8, -3, 10), (U8, 120, 131), (I16, 0, 0)):
        if t == I16 and op in ('RELU_N1_TO_1', 'RELU_0_TO_1'):
            continue
        s = 1 / 256 if t == I16 else 1
        scales = [((a * s, za), (b * s, zb)) for a, b in RELU_SCALES]
        many(op, t, scales, [dict(alpha=0.1), dict(alpha=1.7), dict(alpha=0.0)] if op == 'LEAKY_RELU' else [{}], version=1 if '_TO_1' in op else 2)
for t, za, zb in ((I8, -3, 10), (U8, 120, 131)):
    many('HARD_SWISH', t, [((0.05, za), (0.05, zb)), ((0.03, za), (0.01, zb)), ((0.4, za), (0.3, zb)), ((0.008, za), (1.0, zb)), ((0.05, 0), (0.03, 0))], version=1)
    z = np.iinfo(t).min
    many('LOGISTIC', t, [((s, zero), (1 / 256, z)) for s, zero in ((0.05, za), (0.2, zb), (0.001, 0), (1.7, za))])
    z += 128
    many('TANH', t, [((s, zero), (1 / 128, z)) for s, zero in ((0.05, za), (0.02, zb), (0.001, 0), (0.7, za))] + [((0.04, za), (0.01, zb))])
    many('GELU', t, [((0.05, za), (0.04, zb)), ((0.02, zb), (0.1, za))], [dict(approximate=False), dict(approximate=True)])
many('ELU', I8, [((0.05, -3), (0.04, 10)), ((0.02, 4), (0.1, -7))], version=1)
many('GELU', I16, [((0.0003, 0), (0.0003, 0)), ((0.0001, 0), (0.0002, 0))], [dict(approximate=False), dict(approximate=True)], version=3)
for op in ('LOGISTIC', 'TANH'):
    # powers of two are where the optimised kernel differs (by the last bits): the reference is kept
    many(op, I16, [((s, 0), (2.0 ** -15, 0)) for s in (2.0 ** -12, 2.0 ** -11, 2.0 ** -13, 0.0003, 0.001, 0.00001, 0.01)], version=3)

x = np.concatenate([values(F, [40], -8, 8), np.array([0, -0.0, 1e-30, 20, -20, 100, -100, 0.5, -3, 3, 6], F)])
for op, options in (('RELU', [{}]), ('RELU6', [{}]), ('RELU_N1_TO_1', [{}]), ('RELU_0_TO_1', [{}]), ('ELU', [{}]), ('HARD_SWISH', [{}]), ('LOGISTIC', [{}]), ('TANH', [{}]),
                    ('LEAKY_RELU', [dict(alpha=0.2), dict(alpha=-0.5), dict(alpha=3)]), ('GELU', [dict(approximate=True), dict(approximate=False)])):
    for t in [F] + [H, BF] * (op in ('LOGISTIC', 'TANH')) + [H] * (op == 'GELU'):
        m = M()
        for o in options:
            m.op(op, [m.input(t, x.shape)], [m.output(t, x.shape)], **o)
        v = x.astype(t) if t != H else np.clip(x, -10, 10).astype(t)
        case('%s %s' % (op, name(t)), m, [v] * len(options), tolerance=2e-2 if t == BF else 4e-3 if t == H else 1e-5)

for shape, slopes in (([2, 3, 4], [4]), ([2, 3, 4], [1, 1, 4]), ([2, 3, 4], [2, 3, 4]), ([1, 2, 2, 3], [2, 2, 3]), ([2, 2, 3], [1, 2, 1]), ([5], [])):
    m, inputs = M(), []
    for t, ta, za, zb, zo in ((F, F, None, None, None), (I8, I8, -3, 4, 10), (U8, U8, 120, 131, 99), (I16, I8, 0, 5, 0)):
        q = [dict(scale=s, zero=z) if z is not None else {} for s, z in ((0.05, za), (0.01, zb), (0.04, zo))]
        x, a = m.input(t, shape, **q[0]), m.input(ta, slopes, **q[1])
        m.op('PRELU', [x, a], [m.output(t, shape, **q[2])])
        inputs += [values(t, shape), values(ta, slopes)]
    case('PRELU %s %s' % (shape, slopes), m, inputs)
