"""SVDF: float, hybrid, int8 with int16 state (and int8, as tflite-micro runs it); several runs, so that state carries over."""
import numpy as np
from op_models import M, case, rng, values

F, I8, I16, I32, U8 = np.float32, np.int8, np.int16, np.int32, np.uint8


def weights(m, shape, kind):
    a = rng.uniform(-1, 1, shape).astype(F)
    if kind == F:
        return m.const(a)
    scale = float(np.abs(a).max() / 127)
    q = np.round(a / scale).astype(I8)
    return m.const(q.view(U8) if kind == U8 else q, scale=scale)


def svdf(name, batch=2, depth=3, units=4, rank=1, memory=5, kind=F, activation=0, bias=True, asymmetric=False, runs=7):
    m = M()
    x = m.input(F, [batch, depth])
    filters = units * rank
    ins = [x, weights(m, (filters, depth), kind), weights(m, (filters, memory), kind), m.const(values(F, [units], -1, 1)) if bias else None,
           m.tensor(F, [batch, memory * filters], variable=True)]
    m.op('SVDF', ins, [m.output(F, [batch, units])], rank=rank, fused_activation_function=activation, asymmetric_quantize_inputs=asymmetric)
    case(name, m, *[[values(F, [batch, depth], -1, 1)] for _ in range(runs)])


for kind in (F, I8, U8):
    for more in (dict(), dict(rank=2), dict(rank=3, bias=False, batch=1), dict(activation=1), dict(activation=4, memory=1), dict(asymmetric=True, rank=2)):
        if kind == F and 'asymmetric' in more:
            continue
        svdf('%s %s' % (np.dtype(kind).name, more), kind=kind, **more)


def integer(name, batch=2, depth=3, units=4, rank=1, memory=5, bias=True, runs=7, zeros=(3, -7), state=1e-4):
    m = M()
    x = m.input(I8, [batch, depth], scale=0.02, zero=zeros[0])
    filters = units * rank
    ins = [x, m.const(values(I8, [filters, depth]), scale=0.01), m.const(values(I16, [filters, memory]), scale=3e-5),
           m.const(rng.integers(-3000000, 3000000, units).astype(I32), scale=3e-9) if bias else None,
           m.tensor(I16, [batch, memory * filters], variable=True, scale=state)]
    m.op('SVDF', ins, [m.output(I8, [batch, units], scale=0.03, zero=zeros[1])], rank=rank, fused_activation_function=1)
    case(name, m, *[[values(I8, [batch, depth])] for _ in range(runs)])


for more in (dict(), dict(rank=2), dict(rank=3, bias=False, batch=1), dict(memory=1), dict(zeros=(-128, 127)), dict(depth=40, memory=12, runs=3), dict(state=1e-6)):
    integer('int8 %s' % more, **more)
