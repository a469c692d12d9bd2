"""DEPTHWISE_CONV_2D: float, int8 (per tensor, per channel, int4), uint8, int16, hybrid; multipliers, strides, dilation, activations."""
import numpy as np
from op_models import INT4, M, case, rng, values

F, I8, U8, I16, I32, I64 = np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64


def conv(name, kind, shape=(1, 5, 5, 4), m=1, kernel=(3, 3), per_channel=True, out_scale=0.2, **options):
    o = dict(padding=0, stride_w=1, stride_h=1, fused_activation_function=0, depth_multiplier=m)
    o.update(options)
    g, n = M(), shape[3] * m
    filter, w4 = (1,) + kernel + (n,), kind.endswith('int4')
    act = kind.split('_')[0]
    s = [float(F(v)) for v in rng.uniform(0.01, 0.05, n)] if per_channel else 0.03
    if act == 'float':
        x, w, b, y = g.input(F, shape), g.const(values(F, filter)), g.const(values(F, [n])), g.output(F)
    elif act == 'hybrid':
        x, w = g.input(F, shape), g.const(values(I8, filter, -127, 127), scale=s, axis=3)
        b, y = g.const(values(F, [n])), g.output(F)
    elif act == 'uint8':
        x, w = g.input(U8, shape, scale=0.05, zero=120), g.const(values(U8, filter), scale=0.03, zero=140)
        b, y = g.const(values(I32, [n], -3000, 3000), scale=float(F(0.05) * F(0.03))), g.output(U8, scale=out_scale, zero=130)
    else:
        t = {'int8': I8, 'int16': I16}[act]
        x = g.input(t, shape, scale=0.05 if t == I8 else 0.0005, zero=-5 if t == I8 else 0)
        w = g.const(values(I8, filter, *((-8, 7) if w4 else (-127, 127))), INT4 if w4 else None, scale=s, axis=3)
        b = g.const(values(I32 if t == I8 else I64, [n], -3000, 3000), scale=1.0)
        y = g.output(t, scale=out_scale if t == I8 else out_scale / 100, zero=7 if t == I8 else 0)
    g.op('DEPTHWISE_CONV_2D', [x, w, b], [y], version=3, **o)
    case('%s: %s' % (kind, name), g, [values({'float': F, 'hybrid': F, 'uint8': U8, 'int8': I8, 'int16': I16}[act], shape)])


for kind in ('float', 'int8', 'uint8', 'int16', 'int8_int4', 'hybrid'):
    conv('same', kind)
    conv('valid, stride 2', kind, padding=1, stride_w=2, stride_h=2, shape=(2, 7, 6, 3))
    conv('relu6', kind, fused_activation_function=3)
    conv('relu', kind, fused_activation_function=1, stride_h=2)
    conv('relu -1 to 1', kind, fused_activation_function=2, out_scale=0.03)
    conv('multiplier 3', kind, m=3, shape=(1, 4, 4, 2))
    conv('one channel, multiplier 8', kind, m=8, shape=(1, 5, 4, 1))
    conv('dilated', kind, dilation_w_factor=2, dilation_h_factor=3, shape=(1, 8, 7, 3))
    conv('5x2, stride 3', kind, kernel=(5, 2), stride_w=3, stride_h=2, shape=(1, 9, 8, 5))
    if kind not in ('float', 'uint8', 'hybrid'):
        conv('per tensor', kind, per_channel=False)
conv('many channels', 'int8', shape=(1, 6, 6, 37))
conv('many channels', 'hybrid', shape=(2, 6, 6, 19))
