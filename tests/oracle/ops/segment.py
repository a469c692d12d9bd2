"""SEGMENT_SUM, UNSORTED_SEGMENT_SUM/PROD/MAX/MIN: constant and computed ids and numbers, ids of several dimensions, dropped rows, empty segments."""
import numpy as np
from op_models import M, case, values

F, I32 = np.float32, np.int32
for t in (F, I32):
    for shape, ids in (([4, 3], [0, 0, 1, 2]), ([5], [0, 1, 1, 1, 2]), ([2, 2, 2], [0, 0])):
        for constant in (True, False):
            m = M()
            x = m.input(t, shape)
            i = m.const(np.array(ids, I32)) if constant else m.input(I32, [len(ids)])
            m.op('SEGMENT_SUM', [x, i], [m.output(t, [])])
            case('SEGMENT_SUM %s %s %s' % (t.__name__, shape, constant), m, [values(t, shape)] + ([] if constant else [np.array(ids, I32)]))
    for op in ('SUM', 'PROD', 'MAX', 'MIN'):
        for shape, ids, n in (([4, 3], [2, 0, 2, 5], 6), ([5], [1, -1, 1, -7, 0], 3), ([2, 3, 2], [[0, 1, 0], [2, 1, 1]], 3), ([2, 2], [0, 1], 2)):
            for constant in (True, False):
                m = M()
                x = m.input(t, shape)
                i = m.const(np.array(ids, I32)) if constant else m.input(I32, np.shape(ids))
                k = m.const(np.array(n, I32)) if constant else m.input(I32, [1])
                m.op('UNSORTED_SEGMENT_' + op, [x, i, k], [m.output(t, [])])
                case('UNSORTED_SEGMENT_%s %s %s %s' % (op, t.__name__, shape, constant), m, [values(t, shape)] + ([] if constant else [np.array(ids, I32), np.array([n], I32)]))
