"""SKIP_GRAM and LSH_PROJECTION."""
import numpy as np
from op_models import M, case, rng, values

S, F, I32 = np.str_, np.float32, np.int32
TEXTS = ['The quick brown fox', 'one', '', ' a b', 'a\tb\n  c ', 'to be or not to be', ' ', 'x  y', 'trailing  ']


def skip_gram(n, skip, everything):
    m = M()
    m.op('SKIP_GRAM', [m.input(S, [1])], [m.output(S, [1])], ngram_size=n, max_skip_size=skip, include_all_ngrams=everything)
    case('n %d, skip %d%s' % (n, skip, ', all' if everything else ''), m, *[[np.array([t], object)] for t in TEXTS])


for n, skip, everything in ((1, 0, False), (2, 0, False), (2, 1, False), (3, 2, False), (2, 0, True), (3, 1, True), (4, 9, False), (0, 1, False), (-1, 1, True),
                            (2, -1, False), (2, -1, True), (5, 0, True)):
    skip_gram(n, skip, everything)


def lsh(name, kind, hashes, bits, dtype, shape, weighted):
    m = M()
    x = m.input(dtype, shape)
    ins = [m.const(values(F, [hashes, bits], -1, 1)), x] + ([m.const(values(F, shape[:1], -1, 1))] if weighted else [])
    m.op('LSH_PROJECTION', ins, [m.output(I32, [hashes * (bits if kind == 2 else 1)])], type=kind)
    case(name, m, [values(dtype, shape)], [values(dtype, shape)])


for kind in (1, 2):
    for weighted in (False, True):
        lsh('lsh %d%s' % (kind, ' weighted' if weighted else ''), kind, 3, 4, I32, [5], weighted)
for dtype, inner in ((np.uint8, []), (np.uint8, [2]), (np.int8, [3]), (np.int16, [1]), (F, [2]), (np.int64, [1]), (F, [4]), (F, [6]), (F, [9]), (F, [14]), (F, [15]), (F, [16]),
                     (F, [31]), (F, [40]), (np.uint8, [60]), (np.uint8, [61]), (np.bool_, [5])):
    lsh('lsh %s %s' % (np.dtype(dtype).name, inner), 1, 4, 9, dtype, [3] + inner, True)
lsh('32 bits', 1, 3, 32, I32, [2], False)
lsh('no bits', 1, 3, 0, I32, [2], False)
