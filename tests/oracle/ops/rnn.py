"""RNN, UNIDIRECTIONAL_SEQUENCE_RNN, BIDIRECTIONAL_SEQUENCE_RNN: float and hybrid; several runs, so that state carries over."""
import numpy as np
from op_models import M, case, rng, values

F, I8, U8 = np.float32, np.int8, np.uint8
HYBRID = 2e-3


def matrix(m, shape, kind):
    a = rng.uniform(-0.6, 0.6, shape).astype(F)
    if kind == F:
        return m.const(a)
    scale = float(np.abs(a).max() / 127)
    q = np.round(a / scale).astype(I8)
    return m.const(q.view(U8) if kind == U8 else q, scale=scale)


def cell(m, depth, units, batch, kind):
    return [matrix(m, (units, depth), kind), matrix(m, (units, units), kind), m.const(values(F, [units], -0.3, 0.3)), m.tensor(F, [batch, units], variable=True)]


def rnn(name, op='UNIDIRECTIONAL_SEQUENCE_RNN', batch=2, time=3, depth=4, units=5, kind=F, activation=4, time_major=False, asymmetric=False, runs=2):
    m = M()
    shape = [batch, depth] if op == 'RNN' else [time, batch, depth] if time_major else [batch, time, depth]
    x = m.input(F, shape)
    more = {} if op == 'RNN' else dict(time_major=time_major)
    c = cell(m, depth, units, batch, kind)
    m.op(op, [x] + c, [m.output(F, shape[:-1] + [units])], fused_activation_function=activation, asymmetric_quantize_inputs=asymmetric, **more)
    case(name, m, *[[values(F, shape, -1, 1)] for _ in range(runs)], tolerance=1e-5 if kind == F else HYBRID)


for kind in (F, I8, U8):
    for more in (dict(), dict(time_major=True), dict(activation=1, batch=1), dict(asymmetric=True), dict(asymmetric=True, time_major=True), dict(time=0)):
        if kind == F and 'asymmetric' in more:
            continue
        rnn('sequence %s %s' % (np.dtype(kind).name, more), kind=kind, **more)
    rnn('rnn %s' % np.dtype(kind).name, op='RNN', kind=kind, runs=4)
rnn('rnn int8 asymmetric', op='RNN', kind=I8, runs=4, asymmetric=True, depth=1)
for activation in (0, 2, 3, 5):
    rnn('rnn activation %d' % activation, op='RNN', activation=activation, runs=3)


def bi(name, batch=2, time=3, depth=4, units=(5, 3), kind=F, aux=None, n_aux=4, merge=False, time_major=False, asymmetric=False, runs=2):
    m = M()
    shape = [time, batch, depth] if time_major else [batch, time, depth]
    x = m.input(F, shape)
    a = m.input(F, shape[:2] + [n_aux]) if aux else None
    ins = [x] + cell(m, depth, units[0], batch, kind) + cell(m, depth, units[1], batch, kind) + [a]
    ins += [matrix(m, (u, n_aux), kind) if aux == 'cross' else None for u in units]
    outs = [m.output(F, shape[:2] + [sum(units)])] if merge else [m.output(F, shape[:2] + [u]) for u in units]
    m.op('BIDIRECTIONAL_SEQUENCE_RNN', ins, outs, fused_activation_function=4, time_major=time_major, merge_outputs=merge, asymmetric_quantize_inputs=asymmetric)
    feeds = [[values(F, shape, -1, 1)] + ([values(F, shape[:2] + [n_aux], -1, 1)] if aux else []) for _ in range(runs)]
    case(name, m, *feeds, tolerance=1e-5 if kind == F else HYBRID)


for kind in (F, I8):
    for more in (dict(), dict(merge=True), dict(time_major=True), dict(time_major=True, merge=True), dict(aux='cross'), dict(aux='cross', n_aux=6),
                 dict(aux='cross', n_aux=6, time_major=True), dict(aux='separate'), dict(aux='separate', time_major=True, merge=True)):
        if kind == I8 and 'merge' in more and 'time_major' in more:
            continue  # LiteRT's kernel reads what is not there
        bi('bi %s %s' % (np.dtype(kind).name, more), kind=kind, **more)
bi('bi int8 asymmetric', kind=I8, asymmetric=True)
bi('bi int8 asymmetric, aux', kind=I8, asymmetric=True, aux='cross', merge=True)
