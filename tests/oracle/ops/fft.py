"""RFFT2D: sizes, cutting, padding, slices, lengths that the run says."""
import numpy as np
from op_models import M, case, values

F, I32, C = np.float32, np.int32, np.complex64


def rfft(name, shape, lengths, fixed=True, runs=1):
    m = M()
    x = m.input(F, shape)
    n = m.const(np.array(lengths, I32)) if fixed else m.input(I32, [2])
    m.op('RFFT2D', [x, n], [m.output(C, shape[:-2] + [lengths[0], lengths[1] // 2 + 1])])
    case(name, m, *[[values(F, shape)] + ([] if fixed else [np.array([lengths[0] << k, lengths[1]], I32)]) for k in range(runs)])


for shape, lengths in (([4, 4], (4, 4)), ([2, 2], (2, 2)), ([3, 5], (4, 8)), ([9, 9], (4, 8)), ([2, 3, 4, 4], (4, 4)), ([1, 16], (1, 16)), ([16, 2], (16, 2)),
                       ([2, 8, 32], (8, 32)), ([32, 8], (32, 8)), ([1, 512], (1, 512)), ([0, 4, 4], (4, 4))):
    rfft('%s to %s' % (shape, lengths), shape, lengths)
rfft('late', [2, 5, 6], (4, 8), fixed=False, runs=3)
