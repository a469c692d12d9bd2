"""BATCH_MATMUL: float, int8 to int8 and int32, int16, int16 with int8, hybrid; all transpositions, broadcast batches."""
import numpy as np
from op_models import KERNELS, M, case, rng, run_litert, values

F, I8, I16, I32 = np.float32, np.int8, np.int16, np.int32


def shapes(batch_x, batch_y, m, n, k, adj_x, adj_y):
    return list(batch_x) + ([k, m] if adj_x else [m, k]), list(batch_y) + ([n, k] if adj_y else [k, n])


def product(name, kind, batch_x=(), batch_y=(), m=3, n=4, k=5, adj_x=False, adj_y=False, out_scale=0.3, per_channel=False, asymmetric=False, within=0):
    g = M()
    sx, sy = shapes(batch_x, batch_y, m, n, k, adj_x, adj_y)
    if kind == 'float':
        x, y, o = g.input(F, sx), g.input(F, sy), g.output(F)
        inputs = [values(F, sx), values(F, sy)]
    elif kind == 'hybrid':
        axis = len(sy) - (2 if adj_y else 1)
        s = [float(F(v)) for v in rng.uniform(0.01, 0.05, n)] if per_channel else 0.03
        x, y, o = g.input(F, sx), g.const(values(I8, sy, -127, 127), scale=s, axis=axis if per_channel else 0), g.output(F)
        inputs = [values(F, sx)]
    else:
        tx, ty, to = {'int8': (I8, I8, I8), 'sums': (I8, I8, I32), 'int16': (I16, I16, I16), 'int16_int8': (I16, I8, I16)}[kind]
        zero = (-5, 3, 7) if tx == I8 else (0, 0, 0)
        x = g.input(tx, sx, scale=0.05 if tx == I8 else 0.0005, zero=zero[0])
        y = g.input(ty, sy, scale=0.03 if ty == I8 else 0.0003, zero=zero[1])
        o = g.output(to, scale=out_scale if to != I16 else out_scale / 100, zero=zero[2] if to == I8 else 0)
        inputs = [values(tx, sx), values(ty, sy)]
    g.op('BATCH_MATMUL', [x, y], [o], version=4, adj_x=adj_x, adj_y=adj_y, asymmetric_quantize_inputs=asymmetric)
    case('%s: %s' % (kind, name), g, inputs, within=within)


for kind in ('float', 'int8', 'sums', 'int16', 'int16_int8', 'hybrid'):
    product('plain', kind)
    product('adj_y', kind, adj_y=True)
    product('adj_x', kind, adj_x=True)
    product('both', kind, adj_x=True, adj_y=True, batch_x=(2,), batch_y=(2,))
    if kind != 'hybrid':  # LiteRT's reference takes the scales of the wrong rows there; XNNPACK, its default, does not
        product('batches', kind, batch_x=(2, 3), batch_y=(2, 3))
        product('y repeats', kind, batch_x=(2, 3), batch_y=())
    product('y repeats, adj_y', kind, batch_x=(3,), batch_y=(1,), adj_y=True)
    product('x repeats', kind, batch_x=(1,), batch_y=(3,))
    product('crosswise', kind, batch_x=(2, 1), batch_y=(1, 3), adj_y=True)
    product('deep', kind, m=1, n=2, k=70)
for adj in (False, True):
    product('per channel, adj_y %s' % adj, 'hybrid', per_channel=True, adj_y=adj)
    product('asymmetric, adj_y %s' % adj, 'hybrid', asymmetric=True, adj_y=adj, batch_x=(2,))
    product('asymmetric, per channel, adj_x %s' % adj, 'hybrid', asymmetric=True, per_channel=True, adj_x=adj, batch_x=(2,), batch_y=(2,))

# several batch dimensions, hybrid: what LiteRT says of each part alone
x, y = values(F, [2, 3, 3, 5]), values(I8, [2, 3, 5, 4], -127, 127)


def hybrid(x, y):
    g = M()
    a, o = g.input(F, x.shape), g.output(F)
    g.op('BATCH_MATMUL', [a, g.const(y, scale=0.03)], [o], version=4)
    return g


parts = [run_litert(hybrid(x[i], y[i]).bytes(), [[x[i]]], KERNELS['ref'])[0][0] for i in range(2)]
case('hybrid: two batch dimensions', hybrid(x, y), [x], expect=[[np.stack(parts)]])
