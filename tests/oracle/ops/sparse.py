"""Sparse constants: DENSIFY of float32, float16 and int8, random, blocked and reordered; FULLY_CONNECTED and LSTM with sparse weights."""
import numpy as np
from op_models import M, S, case, raw, rng, values

F, H, I8, I32 = np.float32, np.float16, np.int8, np.int32


def vector(a, kind):
    t = {1: S.Uint8VectorT, 2: S.Uint16VectorT, 4: S.Int32VectorT}[kind]()
    t.values = list(int(v) for v in a)
    return {1: S.SparseIndexVector.Uint8Vector, 2: S.SparseIndexVector.Uint16Vector, 4: S.SparseIndexVector.Int32Vector}[kind], t


def sparse(m, dense, order, formats, blocks=(), width=4):
    """The constant `dense` in a sparse form. order: traversal order; formats: 'd' or 's' a level; blocks: (dimension, size)."""
    rank = dense.ndim
    shape = list(dense.shape)
    for d, size in blocks:
        shape[d] //= size
    sizes = shape + [size for _, size in blocks]
    # the dense tensor with a dimension a level: block outsides, then insides, in traversal order
    split, place = [], {}
    for d in range(rank):
        place[d] = len(split)
        split.append(shape[d])
        for j, (bd, size) in enumerate(blocks):
            if bd == d:
                place[rank + j] = len(split)
                split.append(size)
    levels = dense.reshape(split).transpose([place[d] for d in order])
    p = S.SparsityParametersT()
    p.traversalOrder, p.blockMap, p.dimMetadata = list(order), [d for d, _ in blocks], []
    rows = [levels]
    for k, f in enumerate(formats):
        meta = S.DimensionMetadataT()
        if f == 'd':
            meta.format, meta.denseSize = S.DimensionType.DENSE, sizes[order[k]]
            rows = [r[i] for r in rows for i in range(r.shape[0])]
        else:
            meta.format = S.DimensionType.SPARSE_CSR
            segments, indices, below = [0], [], []
            for r in rows:
                for i in range(r.shape[0]):
                    if np.any(r[i]):
                        indices.append(i)
                        below.append(r[i])
                segments.append(len(indices))
            meta.arraySegmentsType, meta.arraySegments = vector(segments, width)
            meta.arrayIndicesType, meta.arrayIndices = vector(indices, width)
            rows = below
        p.dimMetadata.append(meta)
    stored = np.array([np.asarray(r).item() for r in rows], dense.dtype)
    return dict(dtype=dense.dtype.type, shape=dense.shape, data=raw(stored), sparsity=p)


def holes(dtype, shape, keep=0.3, block=()):
    a = values(dtype, shape)
    a[a == 0] = 1
    mask = rng.random([s // (b or 1) for s, b in zip(shape, block or [1] * len(shape))]) < keep
    for d, b in enumerate(block):
        mask = np.repeat(mask, b, d)
    return np.where(mask, a, np.zeros_like(a))


def densify(name, dense, *form, **more):
    m = M()
    s = sparse(m, dense, *form, **more)
    w = m.tensor(**s)
    d, y = m.tensor(dense.dtype.type, dense.shape), m.output(F, dense.shape)
    x = m.input(F, [1])
    m.op('DENSIFY', [w], [d])
    if dense.dtype != F:
        f = m.tensor(F, dense.shape)
        m.op('CAST' if dense.dtype == I8 else 'DEQUANTIZE', [d], [f])
        d = f
    m.op('ADD', [d, x], [y])
    case('densify: ' + name, m, [np.zeros(1, F)])


for dtype in (F, H, I8):
    densify('rows, %s' % np.dtype(dtype).name, holes(dtype, (5, 7)), (0, 1), 'ds')
densify('columns first', holes(F, (5, 7)), (1, 0), 'ds')
densify('both sparse', holes(F, (5, 7), 0.1), (0, 1), 'ss')
densify('8 bit tables', holes(F, (5, 7)), (0, 1), 'ds', width=1)
densify('16 bit tables', holes(F, (5, 7)), (0, 1), 'ds', width=2)
densify('1x4 blocks', holes(F, (4, 16), block=(1, 4)), (0, 1, 2), 'dsd', blocks=((1, 4),))
densify('2x2 blocks', holes(I8, (6, 8), block=(2, 2)), (0, 1, 2, 3), 'dsdd', blocks=((0, 2), (1, 2)))
densify('2x2 blocks, turned', holes(F, (6, 8), block=(2, 2)), (1, 0, 3, 2), 'dsdd', blocks=((0, 2), (1, 2)))
densify('4 dimensions', holes(F, (3, 2, 3, 4), 0.4), (0, 1, 2, 3), 'ddds')
densify('all dense', holes(F, (3, 4)), (0, 1), 'dd')
densify('nothing stored', np.zeros((3, 4), F), (0, 1), 'ds')


def fc(name, dense, form, more, kind='float', use='ref', **options):
    m = M()
    s = sparse(m, dense, *form, **more)
    n = dense.shape[0]
    if kind == 'float':
        x, y, b = m.input(F, [3, dense.shape[1]]), m.output(F), m.const(values(F, [n]))
        a = values(F, [3, dense.shape[1]])
    elif kind == 'hybrid':
        x, y, b = m.input(F, [3, dense.shape[1]]), m.output(F), m.const(values(F, [n]))
        s['scale'] = 0.02
        a = values(F, [3, dense.shape[1]])
    else:
        x, y, b = m.input(I8, [3, dense.shape[1]], scale=0.05, zero=4), m.output(I8, scale=1.0, zero=-3), m.const(values(I32, [n], -300, 300))
        s['scale'] = [0.02 + 0.001 * i for i in range(n)]
        a = values(I8, [3, dense.shape[1]])
    m.op('FULLY_CONNECTED', [x, m.tensor(**s), b], [y], version=8, **options)
    case('fully connected: ' + name, m, [a], use=use)


fc('rows', holes(F, (4, 12)), ((0, 1), 'ds'), {})
fc('1x4', holes(F, (4, 16), block=(1, 4)), ((0, 1, 2), 'dsd'), dict(blocks=((1, 4),)))
fc('relu', holes(F, (4, 12)), ((0, 1), 'ds'), {}, fused_activation_function=1)
fc('hybrid 1x16', holes(I8, (4, 32), 0.6, block=(1, 16)), ((0, 1, 2), 'dsd'), dict(blocks=((1, 16),)), 'hybrid')
fc('hybrid 1x16, asymmetric', holes(I8, (4, 32), 0.6, block=(1, 16)), ((0, 1, 2), 'dsd'), dict(blocks=((1, 16),)), 'hybrid', asymmetric_quantize_inputs=True)
fc('int8 1x16', holes(I8, (4, 32), 0.6, block=(1, 16)), ((0, 1, 2), 'dsd'), dict(blocks=((1, 16),)), 'int8')


def lstm(name, batch, n_in, cells, units):
    """Hybrid, symmetric, 1x16 blocks, with a projection: the only form of sparse LSTM that LiteRT runs."""
    m = M()

    def matrix(rows, columns):  # no -128: LiteRT's SSE kernel multiplies it wrongly
        return m.tensor(**sparse(m, np.maximum(holes(I8, (rows, columns), 0.6, (1, 16)), -127), (0, 1, 2), 'dsd', ((1, 16),)), scale=0.004)
    operands = [m.input(F, [batch, n_in])] + [matrix(cells, n_in) for _ in range(4)] + [matrix(cells, units) for _ in range(4)] + [None] * 3
    operands += [m.const(values(F, [cells], -0.3, 0.3)) for _ in range(4)] + [matrix(units, cells), None]
    operands += [m.tensor(F, [batch, n], variable=True) for n in (units, cells)]
    m.op('LSTM', operands, [m.output(F, [batch, units])], version=4, fused_activation_function=4)
    case('lstm: ' + name, m, *[[values(F, [batch, n_in], -1, 1)] for _ in range(3)])


lstm('1x16', 2, 32, 16, 16)
