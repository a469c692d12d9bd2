"""CONV_2D: float, int8 (per tensor, per channel, int4), uint8, int16 (both biases), hybrid; strides, dilation, groups, padding, activations."""
import numpy as np
from op_models import INT4, M, case, rng, values

F, I8, U8, I16, I32, I64 = np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64


def scales(n, low=0.01, high=0.05):
    return [float(F(v)) for v in rng.uniform(low, high, n)]


def conv(name, kind, shape=(1, 5, 5, 3), filter=(4, 3, 3, 3), per_channel=True, bias=True, version=3, out_scale=0.4, runs=1, within=0, use='ref',
         tolerance=1e-5, **options):
    o = dict(padding=0, stride_w=1, stride_h=1, fused_activation_function=0)
    o.update(options)
    m, n = M(), filter[0]
    w4 = kind.endswith('int4')
    act = kind.split('_')[0]
    if act == 'float' and kind == 'float':
        x, w = m.input(F, shape), m.const(values(F, filter))
        b, y = m.const(values(F, [n])), m.output(F)
    elif act == 'hybrid':
        x = m.input(F, shape)
        s = scales(n) if per_channel else 0.02
        if kind == 'hybrid_uint8':
            w = m.const(values(I8, filter, -127, 127).view(U8), scale=0.02)
        else:
            w = m.const(values(I8, filter, *((-8, 7) if w4 else (-127, 127))), INT4 if w4 else None, scale=s)
        b, y = m.const(values(F, [n])), m.output(F)
    elif act == 'uint8':
        x, w = m.input(U8, shape, scale=0.05, zero=120), m.const(values(U8, filter), scale=0.03, zero=140)
        b, y = m.const(values(I32, [n], -3000, 3000), scale=float(F(0.05) * F(0.03))), m.output(U8, scale=out_scale, zero=130)
    else:
        t = {'int8': I8, 'int16': I16}[act]
        s = scales(n) if per_channel else 0.03
        x = m.input(t, shape, scale=0.05 if t == I8 else 0.0005, zero=-5 if t == I8 else 0)
        w = m.const(values(I8, filter, *((-8, 7) if w4 else (-127, 127))), INT4 if w4 else None, scale=s)
        wide = t == I16 and o.get('quantized_bias_type', 4) == 4
        b = m.const(values(I64 if wide else I32, [n], -3000, 3000), scale=1.0)
        y = m.output(t, scale=out_scale if t == I8 else out_scale / 100, zero=7 if t == I8 else 0)
    m.op('CONV_2D', [x, w, b], [y], version=version, **o)
    dtype = {'float': F, 'hybrid': F, 'uint8': U8, 'int8': I8, 'int16': I16}[act]
    case('%s: %s' % (kind, name), m, *[[values(dtype, shape)] for _ in range(runs)], within=within, use=use, tolerance=tolerance)


for kind in ('float', 'int8', 'uint8', 'int16', 'int8_int4', 'hybrid', 'hybrid_int4', 'hybrid_uint8'):
    conv('same', kind)
    conv('valid, stride 2', kind, padding=1, stride_w=2, stride_h=2, shape=(2, 7, 6, 3))
    if kind == 'hybrid_uint8':
        continue
    conv('relu6', kind, fused_activation_function=3)
    if 'int4' not in kind:
        conv('relu', kind, fused_activation_function=1, stride_h=2)
    conv('relu -1 to 1', kind, fused_activation_function=2, out_scale=0.03, shape=(1, 3, 3, 3))
    conv('1x1', kind, filter=(7, 1, 1, 5), shape=(2, 3, 4, 5))
    conv('dilated', kind, dilation_w_factor=2, dilation_h_factor=3, shape=(1, 8, 7, 3))
    if kind in ('float', 'int8', 'int16', 'uint8'):
        conv('groups', kind, filter=(6, 3, 2, 2), shape=(1, 5, 5, 6), version=6)
        conv('groups, dilated', kind, filter=(4, 2, 2, 1), shape=(1, 5, 5, 4), version=6, dilation_w_factor=2)
    if kind not in ('float', 'uint8', 'hybrid_uint8'):
        conv('per tensor', kind, per_channel=False)
        conv('per tensor, stride 2', kind, per_channel=False, stride_w=2, padding=1)
conv('many positions', 'int8', shape=(1, 13, 15, 4), filter=(3, 3, 3, 4))
conv('many positions', 'hybrid', shape=(2, 7, 6, 2), filter=(3, 3, 3, 2))
conv('deep', 'int8', shape=(1, 1, 1, 1500), filter=(2, 1, 1, 1500), out_scale=8)
conv('deep', 'int16', shape=(1, 1, 1, 600), filter=(2, 1, 1, 600), out_scale=8)
conv('bias int32', 'int16', quantized_bias_type=2, version=8)
conv('bias int32, per tensor', 'int16', quantized_bias_type=2, version=8, per_channel=False)
conv('int4 weights', 'int16_int4')
conv('hybrid groups', 'hybrid', filter=(6, 3, 2, 2), shape=(2, 5, 5, 6), version=6)
conv('output smaller than a scale', 'int8', out_scale=0.001)
conv('large steps', 'int8', out_scale=20.0)
conv('two runs', 'hybrid', runs=2)
