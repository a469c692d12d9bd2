"""FULLY_CONNECTED: float, int8 (per tensor with zero points, per channel, int4, int2), uint8 to uint8 and int16, int16, shuffled, hybrid."""
import numpy as np
from op_models import INT2, INT4, M, S, case, rng, values

F, I8, U8, I16, I32, I64 = np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64
RANGE = {'': (-127, 127), 'int4': (-8, 7), 'int2': (-2, 1)}
CODE = {'': None, 'int4': INT4, 'int2': INT2}


def fc(name, kind, shape=(2, 10), units=5, per_channel=False, bias=True, out_scale=0.4, zero=0, depth=None, within=0, inputs=None, version=4,
       use='ref', tolerance=1e-5, out=None, **options):
    depth = depth or shape[-1]
    m = M()
    act, _, w_kind = kind.partition('_')
    s = [float(F(v)) for v in rng.uniform(0.01, 0.05, units)] if per_channel else 0.03
    filter = values(I8, [units, depth], *RANGE.get(w_kind, (-127, 127)))
    b = None
    if act == 'float':
        x, w, y = m.input(F, shape), m.const(values(F, [units, depth])), m.output(F)
        b = m.const(values(F, [units])) if bias else None
    elif act == 'hybrid':
        x, y = m.input(F, shape), m.output(F)
        w = m.const(filter.view(U8), scale=s) if w_kind == 'uint8' else m.const(filter, CODE[w_kind], scale=s)
        b = m.const(values(F, [units])) if bias else None
    elif act == 'uint8':
        x, w = m.input(U8, shape, scale=0.05, zero=120), m.const(values(U8, [units, depth]), scale=0.03, zero=140)
        y = m.output(out or U8, scale=out_scale if not out else 0.004, zero=130 if not out else 0)
        b = m.const(values(I32, [units], -3000, 3000), scale=float(F(0.05) * F(0.03))) if bias else None
    else:
        t = {'int8': I8, 'int16': I16}[act]
        xs = 0.05 if t == I8 else 0.0005
        x = m.input(t, shape, scale=xs, zero=-5 if t == I8 else 0)
        if w_kind == 'int16':
            w = m.const(values(I16, [units, depth]), scale=[v / 300 for v in s] if per_channel else s / 300)
            xs /= 300
        else:
            w = m.const(filter, CODE[w_kind], scale=s, zero=zero)
        wide = t == I16 and options.get('quantized_bias_type', 4) == 4
        b = m.const(values(I64 if wide else I32, [units], -3000, 3000), scale=float(F(xs) * F(0.03))) if bias else None
        y = m.output(t, scale=out_scale if t == I8 else out_scale / 100, zero=7 if t == I8 else 0)
    m.op('FULLY_CONNECTED', [x, w, b], [y], version=version, **options)
    dtype = {'float': F, 'hybrid': F, 'uint8': U8, 'int8': I8, 'int16': I16}[act]
    case('%s: %s' % (kind, name), m, *(inputs or [[values(dtype, shape)]]), within=within, use=use, tolerance=tolerance)


for kind in ('float', 'int8', 'uint8', 'int16', 'int8_int4', 'int8_int2', 'int16_int4', 'hybrid', 'hybrid_int4', 'hybrid_int2', 'hybrid_uint8'):
    w = 1 if kind.startswith('int') or kind == 'uint8' else 0  # LiteRT's default kernels round twice, its reference once, in double
    fc('plain', kind, within=w)
    fc('no bias', kind, bias=False, within=w)
    fc('relu', kind, fused_activation_function=1, within=w)
    fc('relu6', kind, fused_activation_function=3, out_scale=0.1, within=w)
    fc('keep_num_dims', kind, shape=(2, 3, 4), keep_num_dims=True, version=5, within=w)
    fc('flattened', kind, shape=(2, 3, 4), depth=12, within=w)
    fc('batch 1, wide', kind, shape=(1, 37), units=19, within=w)
    if kind not in ('float', 'uint8', 'hybrid_uint8'):
        fc('per channel', kind, per_channel=True, version=12, within=w)
        fc('per channel, no bias, relu', kind, per_channel=True, bias=False, version=12, fused_activation_function=1, within=w)
    if kind.startswith('hybrid'):
        zero = [np.zeros((2, 10), F)]
        half = [np.concatenate([np.zeros((1, 10), F), values(F, (1, 10))])]
        fc('zeros', kind, inputs=[zero, half])
        fc('asymmetric', kind, asymmetric_quantize_inputs=True, version=9)
        fc('asymmetric, positive', kind, asymmetric_quantize_inputs=True, version=9, inputs=[[values(F, (2, 10), 1, 3)], half])
        fc('tanh', kind, fused_activation_function=4)
        fc('sign bit', kind, fused_activation_function=5)
fc('weights with a zero point', 'int8', zero=3, within=1)
fc('many rows', 'int8', shape=(70, 9), per_channel=True, version=12, within=1)
fc('deep', 'int8', shape=(1, 3000), units=3, out_scale=4.0, within=1)
fc('to int16', 'uint8', out=I16, within=1)
fc('to int16, relu', 'uint8', out=I16, fused_activation_function=1, within=1)
fc('bias int32', 'int16', quantized_bias_type=2, version=11, within=1)
fc('bias int32, per channel', 'int16', quantized_bias_type=2, version=11, per_channel=True, within=1)
fc('plain', 'int16_int16', version=14)
fc('per channel', 'int16_int16', version=14, per_channel=True)
fc('large 4 bit', 'hybrid_int4', shape=(3, 64), units=8, per_channel=True, version=12, asymmetric_quantize_inputs=True, tolerance=1e-4)


def shuffle(w):
    """Blocks of 4 units x 16 inputs with the sign bit flipped."""
    u, d = w.shape
    return (w.reshape(u // 4, 4, d // 16, 16).transpose(0, 2, 1, 3).reshape(u, d) ^ 0x80).astype(U8)


for batch in (1, 4):
    m = M()
    x = m.input(U8, [batch, 32], scale=0.0078125, zero=128)
    w = m.const(shuffle(values(U8, [8, 32])), scale=0.03, zero=128)
    b = m.const(values(I32, [8], -3000, 3000), scale=0.0078125 * float(F(0.03)))
    m.op('FULLY_CONNECTED', [x, w, b], [m.output(I16, scale=2.0 ** -12), m.tensor(U8, [batch, 32])], version=2, weights_format=1)
    case('shuffled, batch %d' % batch, m, [values(U8, [batch, 32])])

# a filter without inputs gives zeros
m = M()
x = m.input(F, [3, 0])
m.op('FULLY_CONNECTED', [x, m.const(np.zeros((4, 0), F)), None], [m.output(F)], version=1)
case('no inputs', m, [np.zeros((3, 0), F)], expect=[[np.zeros((3, 4), F)]])  # LiteRT has no buffer to give us

# block-wise: LiteRT's reference kernel looks for other scales; its default one has these
for bias in (True, False):
    m = M()
    x = m.input(F, [3, 64])
    q = S.QuantizationParametersT()
    q.detailsType, q.details = S.QuantizationDetails.BlockwiseQuantization, S.BlockwiseQuantizationT()
    s = m.const(values(np.float16, [8, 2], 0.01, 0.1))
    q.details.scales, q.details.blockSize, q.details.zeroPoints = s, 32, -1
    w = m.const(values(I8, [8, 64], -8, 7), INT4, blockwise=q)
    m.op('FULLY_CONNECTED', [x, w, m.const(values(F, [8])) if bias else None], [m.output(F)], version=13)
    case('block-wise, bias %s' % bias, m, [values(F, [3, 64])], use='fast', tolerance=1e-4)
