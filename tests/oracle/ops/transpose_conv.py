"""TRANSPOSE_CONV: float, int8, uint8, int16, hybrid; with and without bias, activations, an output shape that comes with the run."""
import numpy as np
from op_models import M, case, rng, values

F, I8, U8, I16, I32, I64 = np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64


def conv(name, kind, shape=(1, 3, 3, 2), filter=(4, 3, 3, 2), out=(6, 6), per_channel=True, bias=True, out_scale=0.2, late=False, version=4, **options):
    o = dict(padding=0, stride_w=2, stride_h=2, fused_activation_function=0)
    o.update(options)
    m, n = M(), filter[0]
    s = [float(F(v)) for v in rng.uniform(0.01, 0.05, n)] if per_channel else 0.03
    want = np.array([shape[0], out[0], out[1], n], I32)
    size = m.input(I32, [4]) if late else m.const(want)
    if kind == 'float':
        x, w, b, y = m.input(F, shape), m.const(values(F, filter)), values(F, [n]), m.output(F)
    elif kind == 'hybrid':
        x, w = m.input(F, shape), m.const(values(I8, filter, -127, 127), scale=s)
        b, y = values(F, [n]), m.output(F)
    elif kind == 'uint8':
        x, w = m.input(U8, shape, scale=0.05, zero=120), m.const(values(U8, filter), scale=0.03, zero=140)
        b, y = values(I32, [n], -3000, 3000), m.output(U8, scale=out_scale, zero=130)
    else:
        t = {'int8': I8, 'int16': I16}[kind]
        x = m.input(t, shape, scale=0.05 if t == I8 else 0.0005, zero=-5 if t == I8 else 0)
        w = m.const(values(I8, filter, -127, 127), scale=s)
        b = values(I64 if t == I16 and o.get('quantized_bias_type', 4) == 4 else I32, [n], -3000, 3000)
        y = m.output(t, scale=out_scale if t == I8 else out_scale / 100, zero=7 if t == I8 else 0)
    inputs = [size, w, x]
    if bias:
        inputs.append(m.const(b, scale=None if b.dtype == F else float(F(0.05) * F(0.03))))
    m.op('TRANSPOSE_CONV', inputs, [y], version=version, **o)
    a = values({'float': F, 'hybrid': F, 'uint8': U8, 'int8': I8, 'int16': I16}[kind], shape)
    case('%s: %s' % (kind, name), m, [want, a] if late else [a])


for kind in ('float', 'int8', 'uint8', 'int16', 'hybrid'):
    conv('same, stride 2', kind)
    conv('odd output', kind, out=(5, 6))
    conv('valid, stride 2', kind, padding=1, out=(7, 7))
    conv('stride 1', kind, stride_w=1, stride_h=1, out=(3, 3))
    conv('stride 3 x 2, kernel 2 x 4', kind, stride_w=3, filter=(3, 2, 4, 2), out=(6, 9), shape=(2, 3, 3, 2))
    conv('no bias', kind, bias=False)
    conv('relu', kind, fused_activation_function=1)
    conv('relu6', kind, fused_activation_function=3)
    conv('shape from the run', kind, late=True)
    if kind in ('int8', 'int16', 'hybrid'):
        conv('per tensor', kind, per_channel=False)
conv('bias int32', 'int16', quantized_bias_type=2, version=5)
conv('no bias, 32 bits', 'int16', quantized_bias_type=2, version=5, bias=False)
