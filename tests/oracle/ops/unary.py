"""One number in, one out: ABS ... SIGN: every type; all 256 int8 numbers (those SQRT and RSQRT take), int16 across its range, several scales."""
import ml_dtypes
import numpy as np
from op_models import M, case, values

F, H, BF, D, I8, I16, I32, I64 = np.float32, np.float16, ml_dtypes.bfloat16, np.float64, np.int8, np.int16, np.int32, np.int64
I8S = np.arange(-128, 128).astype(I8)
I16S = np.concatenate([np.arange(-32768, 32768, 1021), [-1, 0, 1, 32767, 127, 128, -128, -129]]).astype(I16)


def name(t):
    return np.dtype(t).name


for op, t, scales in (('ABS', I8, (((0.05, -3), (0.05, 7)), ((0.05, 10), (0.02, -128)), ((0.0123, -128), (0.7, 3)))),
                      ('ABS', I16, (((0.0005, 0), (0.0005, 0)), ((0.0005, 0), (0.0002, 0)))),
                      ('SQRT', I8, (((0.05, -128), (0.02, -128)), ((0.05, 0), (0.01, -100)), ((1.5, -20), (0.3, 5)))),
                      ('SQRT', I16, (((0.001, 0), (0.0002, 0)), ((0.3, 0), (0.01, 0)))),
                      ('RSQRT', I8, (((0.05, -128), (0.02, -128)), ((0.05, 0), (0.01, -100)), ((1.5, -20), (0.003, 5)))),
                      ('RSQRT', I16, (((0.001, 0), (0.0002, 0)), ((0.3, 0), (0.01, 0)))),
                      ('EXP', I8, (((0.02, -3), (0.07, -128)), ((0.01, 100), (0.005, -120)))),
                      ('EXP', I16, (((0.0001, 0), (0.001, 0)), ((0.00003, 0), (0.0001, 0)), ((0.01, 0), (1.0, 0)))), # the last leaves float's range
                      ('LOG', I8, (((0.05, -128), (0.02, 40)), ((0.05, 0), (0.01, -100)))),
                      ('LOG', I16, (((0.001, 0), (0.0002, 0)), ((0.0003, 0), (0.0003, 0))))):
    m, inputs = M(), []
    for a, b in scales:
        v = I8S if t == I8 else I16S
        if op in ('SQRT', 'RSQRT'):
            v = v[v >= a[1]]
        x = m.input(t, v.shape, scale=a[0], zero=a[1])
        m.op(op, [x], [m.output(t, v.shape, scale=b[0], zero=b[1])], version={'RSQRT': 3 if t == I16 else 2, 'ABS': 2}.get(op, 2))
        inputs.append(v)
    case('%s %s quantised' % (op, name(t)), m, inputs)

x = np.concatenate([values(F, [30], -8, 8), np.array([0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3, 1e-20, 60], F)])
for op, types in (('ABS', (F, I16, I32)), ('NEG', (F, H, BF, I8, I16, I32, I64)), ('SQUARE', (F,)), ('SQRT', (F,)), ('RSQRT', (F,)), ('EXP', (F,)), ('LOG', (F,)),
                  ('SIN', (F, H)), ('COS', (F, H)), ('FLOOR', (F, H, BF)), ('CEIL', (F,)), ('ROUND', (F, H, BF)), ('SIGN', (F, D, I32))):
    for t in types:
        v = x if t in (F, D, H, BF) else values(I32, [40], -100, 100)
        v = np.abs(v) if op in ('SQRT', 'RSQRT', 'LOG') else v
        for shape in ([len(v)], [0, 2], []):
            part = v.astype(t) if shape == [len(v)] else np.zeros([0, 2], t) if shape else np.asarray(v[3]).astype(t)
            m = M()
            m.op(op, [m.input(t, shape)], [m.output(t, shape)], version=2 if t == H and op in ('SIN', 'COS') else 1)
            case('%s %s %s' % (op, name(t), shape), m, [part], tolerance=2e-2 if t == BF else 2e-3 if t == H else 1e-5)
