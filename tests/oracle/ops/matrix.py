"""MATRIX_DIAG, MATRIX_SET_DIAG: every type, wide and tall matrices, batches."""
import numpy as np
from op_models import M, case, values

for t in (np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64):
    for shape in ([3], [2, 4], [2, 1, 3]):
        m = M()
        m.op('MATRIX_DIAG', [m.input(t, shape)], [m.output(t)])
        case('MATRIX_DIAG %s %s' % (t.__name__, shape), m, [values(t, shape)])
    for shape in ([3, 3], [2, 2, 4], [5, 3], [2, 1, 3, 2]):
        d = shape[:-2] + [min(shape[-2:])]
        m = M()
        m.op('MATRIX_SET_DIAG', [m.input(t, shape), m.input(t, d)], [m.output(t)])
        case('MATRIX_SET_DIAG %s %s' % (t.__name__, shape), m, [values(t, shape), values(t, d)])
