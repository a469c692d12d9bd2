"""GATHER, GATHER_ND, SCATTER_ND, SPARSE_TO_DENSE, ONE_HOT, EMBEDDING_LOOKUP, EMBEDDING_LOOKUP_SPARSE: every type of data and index, batches, strings, int4
tables, rows' scales, blocks' scales."""
import ml_dtypes
import numpy as np
from ai_edge_litert import schema_py_generated as S
from op_models import INT2, INT4, M, case, rng, values

F, H, I8, U8, I16, I32, I64, B = np.float32, np.float16, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_
BF = ml_dtypes.bfloat16


def words(shape):
    return np.array(['w%d' % i * (i % 4) for i in range(int(np.prod(shape)))], object).reshape(shape)


def data(t, shape):
    return words(shape) if t is np.object_ else values(t, shape)


for t in (F, H, BF, I8, U8, I16, I32, I64, B):
    for it in (I32, I64, I16) if t in (F, I8) else (I32,):
        for shape, ishape, axis, batch in (([5, 3], [4], 0, 0), ([5, 3], [2, 2], 1, 0), ([2, 4, 3], [2, 2], 1, 1), ([2, 3, 4, 2], [2, 3, 2], -2, 2), ([2, 3, 4], [], -1, 0), ([3, 4, 2], [3, 1], 2, -1), ([4], [0], 0, 0)):
            m = M()
            m.op('GATHER', [m.input(t, shape), m.input(it, ishape)], [m.output(t)], axis=axis, batch_dims=batch)
            case('GATHER %s[%s] %s %s axis %d batch %d' % (np.dtype(t).name, it.__name__, shape, ishape, axis, batch), m,
                 [values(t, shape), rng.integers(0, shape[axis], ishape).astype(it)])
        for shape, ishape in (([5, 3], [4, 1]), ([5, 3], [2, 2, 2]), ([2, 3, 4], [2, 3]), ([6], [2, 1])):
            m = M()
            m.op('GATHER_ND', [m.input(t, shape), m.input(it, ishape)], [m.output(t)])
            at = np.stack([rng.integers(0, shape[d], ishape[:-1]) for d in range(ishape[-1])], -1).astype(it) if ishape[-1] else np.zeros(ishape, it)
            case('GATHER_ND %s[%s] %s %s' % (np.dtype(t).name, it.__name__, shape, ishape), m, [values(t, shape), at])
for it in (I32, I64):
    m = M()
    m.op('GATHER', [m.input(np.object_, [5]), m.input(it, [2, 2])], [m.output(np.object_)], axis=0)
    case('GATHER string %s' % it.__name__, m, [words([5]), np.array([[4, 0], [2, 2]], it)])
    m = M()
    m.op('GATHER_ND', [m.input(np.object_, [3, 2]), m.input(it, [2, 1])], [m.output(np.object_)])
    case('GATHER_ND string %s' % it.__name__, m, [words([3, 2]), np.array([[2], [0]], it)])
# int4 is moved in halves of bytes; DEQUANTIZE makes the answer readable (but LiteRT's two kernels of it differ, so the answer is given)
for shape, ishape, axis in (([4, 3], [3], 0), ([3, 5], [4], 1)):
    m = M()
    w = values(I8, shape, -8, 7)
    x, t, y = m.const(w, INT4, scale=1.0), m.tensor(INT4, scale=1.0), m.output(F)
    m.op('GATHER', [x, m.input(I32, ishape)], [t], axis=axis)
    m.op('DEQUANTIZE', [t], [y])
    at = rng.integers(0, shape[axis], ishape).astype(I32)
    case('GATHER int4 %s axis %d' % (shape, axis), m, [at], expect=[[np.take(w, at, axis).astype(F)]])

for t in (F, U8, B, I8, I64, I32):
    for indices, shape in (([[1], [3], [1]], [5]), ([[0], [2]], [3, 2]), ([[0, 1], [2, 0], [2, 0]], [3, 2, 2]), ([[[0], [1]], [[0], [1]]], [2, 3])):
        for constant in (True, False):
            indices = np.array(indices, I32)
            ushape = list(indices.shape[:-1]) + shape[indices.shape[-1]:]
            m = M()
            x, u = m.input(I32, indices.shape), m.input(t, ushape)
            s = m.const(np.array(shape, I32)) if constant else m.input(I32, [len(shape)])
            m.op('SCATTER_ND', [x, u, s], [m.output(t)])
            case('SCATTER_ND %s %s %s' % (t.__name__, shape, constant), m, [indices, values(t, ushape)] + ([] if constant else [np.array(shape, I32)]))
for t in (F, I32, I64, I8, U8):
    for it in (I32, I64):
        for indices, shape, vshape in ((3, [5], []), ([1, 4], [6], [2]), ([1, 4], [6], []), ([[0, 1], [2, 0]], [3, 2], [2]), ([[0, 1, 1, 0], [1, 0, 0, 2]], [2, 2, 2, 3], [])):
            indices = np.array(indices, it)
            m = M()
            m.op('SPARSE_TO_DENSE', [m.input(it, indices.shape), m.const(np.array(shape, it)), m.input(t, vshape), m.const(values(t, []))], [m.output(t)])
            case('SPARSE_TO_DENSE %s[%s] %s %s' % (t.__name__, it.__name__, indices.tolist(), shape), m, [indices, values(t, vshape)])
m = M()
m.op('SPARSE_TO_DENSE', [m.input(I32, [2, 2]), m.input(I32, [2]), m.input(F, [2]), m.const(F(-1))], [m.output(F)])
case('SPARSE_TO_DENSE computed', m, [np.array([[0, 1], [1, 1]], I32), np.array([2, 3], I32), values(F, [2])], [np.array([[0, 0], [1, 1]], I32), np.array([2, 2], I32), values(F, [2])])

for t in (F, I32, I64, I8, U8, B):
    for it in (I32, I64):
        for shape, axis in (([3], -1), ([2, 2], 0), ([2, 3], 1), ([], -1)):
            m = M()
            m.op('ONE_HOT', [m.input(it, shape), m.const(I32(4)), m.const(np.array(1, t)), m.const(np.array(0 if t is B else 5, t))], [m.output(t)], axis=axis)
            case('ONE_HOT %s[%s] %s axis %d' % (t.__name__, it.__name__, shape, axis), m, [rng.integers(-1, 5, shape).astype(it)])
m = M()
m.op('ONE_HOT', [m.input(I32, [3]), m.input(I32, []), m.const(F(1)), m.const(F(0))], [m.output(F)], axis=-1)
case('ONE_HOT computed depth', m, [np.array([0, 2, 1], I32), np.array(3, I32)], [np.array([0, 2, 1], I32), np.array(5, I32)])

for t in (F, I8, U8, H):
    for shape in ([5, 3], [4, 2, 3]):
        m = M()
        m.op('EMBEDDING_LOOKUP', [m.input(I32, [4]), m.const(values(t, shape))], [m.output(t)])
        case('EMBEDDING_LOOKUP %s %s' % (t.__name__, shape), m, [rng.integers(0, shape[0], 4).astype(I32)])
for code, t, low, high in ((I8, I8, -127, 127), (U8, U8, 0, 255), (INT4, I8, -8, 7), (INT2, I8, -2, 1)):
    for out in (F, H):
        for shape, rows in (([5, 4], False), ([5, 8], True), ([3, 2, 4], True)):
            m = M()
            w = m.const(values(t, shape, low, high), code, scale=rng.uniform(0.01, 0.1, shape[0]) if rows else 0.05, zero=0, axis=0)
            m.op('EMBEDDING_LOOKUP', [m.input(I32, [4]), w], [m.output(out)])
            case('EMBEDDING_LOOKUP %s to %s %s rows %s' % (code if isinstance(code, int) else code.__name__, out.__name__, shape, rows), m, [rng.integers(0, shape[0], 4).astype(I32)])
# rows of an odd number of int4: LiteRT starts every second one half a byte early, so the numbers are given here
m = M()
w = np.array([[1, 2, 3], [-4, -5, -6], [7, -8, 0]], I8)
m.op('EMBEDDING_LOOKUP', [m.input(I32, [2]), m.const(w, INT4, scale=0.5, zero=0)], [m.output(F)])
case('EMBEDDING_LOOKUP int4 odd rows', m, [np.array([1, 2], I32)], expect=[[np.array(w[[1, 2]] * 0.5, F)]])
for code, low, high in ((INT4, -8, 7), (INT2, -2, 1)):
    for block in (4, 8):
        m = M()
        scales = m.const(rng.uniform(0.01, 0.1, [5, 16 // block]).astype(H))
        q = S.QuantizationParametersT()
        q.detailsType, q.details = S.QuantizationDetails.BlockwiseQuantization, S.BlockwiseQuantizationT()
        q.details.scales, q.details.zeroPoints, q.details.blockSize = scales, -1, block
        w = m.const(values(I8, [5, 16], low, high), code, blockwise=q)
        m.op('EMBEDDING_LOOKUP', [m.input(I32, [3]), w], [m.output(F)])
        case('EMBEDDING_LOOKUP blocks of %d, type %d' % (block, code), m, [np.array([4, 0, 2], I32)])
for combiner in (0, 1, 2):
    m = M()
    ids, indices, shape, weights = m.input(I32, [4]), m.input(I32, [4, 2]), m.input(I32, [2]), m.input(F, [4])
    m.op('EMBEDDING_LOOKUP_SPARSE', [ids, indices, shape, weights, m.const(values(F, [5, 3, 2]))], [m.output(F)], combiner=combiner)
    case('EMBEDDING_LOOKUP_SPARSE combiner %d' % combiner, m, [np.array([1, 3, 0, 4], I32), np.array([[0, 0], [2, 0], [2, 1], [3, 0]], I32), np.array([4, 2], I32), values(F, [4], 0.5, 2)])
