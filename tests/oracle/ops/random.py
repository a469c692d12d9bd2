"""RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL, MULTINOMIAL with given seeds: LiteRT's numbers, over several runs."""
import numpy as np
from op_models import M, case, values

F, I32, I64 = np.float32, np.int32, np.int64


def shaped(name, op, shape, seeds, fixed=True):
    m = M()
    s = m.const(np.array(shape, I32)) if fixed else m.input(I32, [len(shape)])
    m.op(op, [s], [m.output(F, shape if fixed else [])], seed=seeds[0], seed2=seeds[1])
    case(name, m, *([[]] * 3 if fixed else [[np.array(x, I32)] for x in (shape, shape, [7] * len(shape), shape)]))


for op in ('RANDOM_UNIFORM', 'RANDOM_STANDARD_NORMAL'):
    for shape in ([4], [3], [2, 5], [1], [2, 3, 5], [0]):
        shaped('%s %s' % (op, shape), op, shape, (1, 2))
    for seeds in ((0, 1), (5, 0), (-1, -7), (2 ** 62 + 3, 2 ** 40 + 9)):
        shaped('%s seeds %s' % (op, seeds), op, [6], seeds)
    shaped('%s late' % op, op, [2, 3], (3, 4), fixed=False)


def multinomial(name, batch, classes, samples, seeds, out=I64, fixed=True, logits=None, runs=3):
    m = M()
    x = m.input(F, [batch, classes])
    n = m.const(np.array(samples, I32)) if fixed else m.input(I32, [])
    m.op('MULTINOMIAL', [x, n], [m.output(out, [batch, samples])], seed=seeds[0], seed2=seeds[1])
    feeds = [[values(F, [batch, classes]) if logits is None else logits] + ([] if fixed else [np.array(samples + k % 2, I32)]) for k in range(runs)]
    case(name, m, *feeds)


multinomial('multinomial', 2, 5, 9, (1, 2))
multinomial('multinomial int32', 3, 4, 6, (7, 8), I32)
multinomial('multinomial late', 2, 5, 5, (1, 2), fixed=False)
multinomial('one class', 1, 1, 4, (1, 2))
multinomial('not finite', 2, 4, 8, (5, 5), logits=np.array([[np.inf, 1, np.nan, 2], [-np.inf, -np.inf, 0, -1]], F))
multinomial('all not finite', 1, 3, 4, (5, 5), logits=np.array([[np.inf, np.nan, -np.inf]], F))
multinomial('wide', 4, 33, 50, (2 ** 40, -3), logits=values(F, [4, 33], -80, 80))
