"""TRANSPOSE (up to 8 dimensions, int4), REVERSE_V2, REVERSE_SEQUENCE: every type, negative axes, computed permutations and lengths."""
import ml_dtypes
import numpy as np
from op_models import INT4, M, case, rng, values

F, H, I8, U8, I16, I32, I64, B = np.float32, np.float16, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_
BF = ml_dtypes.bfloat16
for t in (F, H, BF, I8, U8, I16, I32, I64, B):
    for shape, perm in (([3, 4], [1, 0]), ([2, 3, 4], [2, 0, 1]), ([2, 3, 2, 2], [0, -1, 1, 2]), ([2, 1, 3, 2, 2], [4, 1, 0, 3, 2]), ([2, 2, 1, 2, 3, 2], [5, 0, 4, 1, 3, 2]), ([5], [0]),
                        ([2, 1, 2, 3, 1, 2, 2, 2], [7, 6, 5, 0, 1, 2, 4, 3]))[:7 if t in (F, I8) else 3]:
        m = M()
        m.op('TRANSPOSE', [m.input(t, shape), m.const(np.array(perm, I32))], [m.output(t)])
        case('TRANSPOSE %s %s %s' % (np.dtype(t).name, shape, perm), m, [values(t, shape)])
    for shape, axes in (([3, 4], [0]), ([2, 3, 4], [-1]), ([2, 3, 2], [1, 2]), ([2, 2, 3], [0, 2, 1]))[:4 if t in (F, I8) else 2]:
        m = M()
        m.op('REVERSE_V2', [m.input(t, shape), m.const(np.array(axes, I32))], [m.output(t)])
        case('REVERSE_V2 %s %s %s' % (np.dtype(t).name, shape, axes), m, [values(t, shape)])
# no axis at all (LiteRT aborts)
m = M()
m.op('REVERSE_V2', [m.input(F, [2, 3]), m.const(np.zeros([0], I32))], [m.output(F)])
x = values(F, [2, 3])
case('REVERSE_V2 of no axis', m, [x], expect=[[x]])
m = M()
x, p = m.input(F, [2, 3, 4]), m.input(I32, [3])
m.op('TRANSPOSE', [x, p], [m.output(F, [])])
case('TRANSPOSE computed', m, [values(F, [2, 3, 4]), np.array([2, 1, 0], I32)], [values(F, [2, 3, 4]), np.array([0, 2, 1], I32)])
for shape, perm in (([3, 4], [1, 0]), ([3, 5], [1, 0]), ([3, 1, 3], [2, 0, 1])):
    w = values(I8, shape, -8, 7)
    m = M()
    t, q = m.tensor(INT4, scale=1.0), m.tensor(F)
    m.op('TRANSPOSE', [m.const(w, INT4, scale=1.0), m.const(np.array(perm, I32))], [t])
    m.op('DEQUANTIZE', [t], [q])
    m.op('ADD', [q, m.input(F, [1])], [m.output(F)])
    case('TRANSPOSE int4 %s' % shape, m, [np.zeros([1], F)], expect=[[w.transpose(perm).astype(F)]])
for t in (F, U8, I16, I32, I64):
    for it in (I32, I64):
        for shape, seq, batch in (([2, 4, 3], 1, 0), ([4, 2, 3], 0, 1), ([2, 2, 3, 4], 3, 1), ([3, 2, 4], 0, 2)):
            m = M()
            m.op('REVERSE_SEQUENCE', [m.input(t, shape), m.input(it, [shape[batch]])], [m.output(t)], seq_dim=seq, batch_dim=batch)
            case('REVERSE_SEQUENCE %s[%s] %s %d %d' % (t.__name__, it.__name__, shape, seq, batch), m, [values(t, shape), rng.integers(0, shape[seq], shape[batch], endpoint=True).astype(it)])
