"""StableHLO ADD, MULTIPLY, MAXIMUM, MINIMUM, AND, SHIFT_LEFT, PAD, GATHER, SCATTER, REDUCE_WINDOW, RNG_BIT_GENERATOR: every type and option."""
import numpy as np
from op_models import M, case, rng, values

F, F16, F64, I32, I64, U64, B = np.float32, np.float16, np.float64, np.int32, np.int64, np.uint64, np.bool_
REALS = [F, F16, F64]
INTEGERS = [np.int8, np.int16, I32, I64, np.uint8, np.uint16, np.uint32, U64]


def data(t, shape, special=False):
    return values(t, shape, special=special and np.dtype(t).kind == 'f')


for name in ('ADD', 'MULTIPLY', 'MAXIMUM', 'MINIMUM', 'AND'):
    for t in INTEGERS + [B] + (REALS if name != 'AND' else []):
        m = M()
        x, y = m.input(t, [2, 7]), m.input(t, [2, 7])
        m.op('STABLEHLO_' + name, [x, y], [m.output(t, [2, 7])])
        case('%s %s' % (name, np.dtype(t).name), m, [data(t, [2, 7], True), data(t, [2, 7], True)])
for t in (np.int8, np.int16, I32):
    m = M()
    x, y = m.input(t, [20]), m.input(t, [20])
    m.op('STABLEHLO_SHIFT_LEFT', [x, y], [m.output(t, [20])])
    case('SHIFT_LEFT %s' % np.dtype(t).name, m, [data(t, [20]), (np.arange(20) % (np.dtype(t).itemsize * 8)).astype(t)])


def pad(name, t, shape, low, high, inside, out):
    m = M()
    x = m.input(t, shape)
    v = m.const(np.array(data(t, []), t))
    m.op('STABLEHLO_PAD', [x, v], [m.output(t, out)], edge_padding_low=low, edge_padding_high=high, interior_padding=inside)
    case('PAD %s' % name, m, [data(t, shape)])


for t in REALS + INTEGERS + [B, np.complex64]:
    pad(np.dtype(t).name, t, [3, 2], [1, 0], [2, 1], [0, 2], [6, 5])
for low, high, inside in (([0, 0], [0, 0], [0, 0]), ([-1, 0], [0, -2], [0, 0]), ([-2, 3], [-1, -4], [1, 2]), ([-3, -1], [2, 2], [3, 0]), ([5, -2], [-6, -1], [2, 1]),
                          ([-4, 0], [0, 0], [0, 0]), ([-9, 0], [3, 0], [0, 0]), ([4, 0], [-4, 0], [0, 0]), ([7, 0], [-8, 0], [0, 0]), ([0, 0], [0, 0], [4, 5])):
    out = [n + (n - 1) * i + a + b for n, i, a, b in zip([4, 5], inside, low, high)]
    pad('low %s high %s inside %s' % (low, high, inside), F, [4, 5], low, high, inside, [max(n, 0) for n in out])
pad('of nothing', F, [0, 2], [1, 0], [1, 0], [3, 0], [2, 2])
pad('rank 1', I32, [5], [2], [-1], [1], [10])
pad('rank 4', F, [2, 1, 2, 3], [0, 1, 0, -1], [1, 0, 0, 0], [1, 0, 2, 0], [4, 2, 4, 2])


def gather(name, t, it, shape, ishape, runs, out, **options):
    m = M()
    x, i = m.input(t, shape), m.input(it, ishape)
    o = dict(offset_dims=[], collapsed_slice_dims=[], start_index_map=[], index_vector_dim=0, slice_sizes=[])
    o.update(options)
    m.op('STABLEHLO_GATHER', [x, i], [m.output(t, out)], **o)
    case('GATHER %s' % name, m, *[[data(t, shape), np.asarray(r, it).reshape(ishape)] for r in runs])


for t in REALS + INTEGERS + [B, np.complex64]:
    for it in (I32, I64):
        gather('%s by %s' % (np.dtype(t).name, np.dtype(it).name), t, it, [3, 4, 2], [2, 3, 2], [rng.integers(-2, 5, 12)], [2, 3, 2, 2], offset_dims=[2, 3],
               collapsed_slice_dims=[0], start_index_map=[1, 0], index_vector_dim=2, slice_sizes=[1, 2, 2])
gather('offsets first', F, I32, [5, 4], [3, 1], [[0, 2, 9], [-5, 4, 1]], [2, 3], offset_dims=[0], collapsed_slice_dims=[1], start_index_map=[0], index_vector_dim=1,
       slice_sizes=[2, 1])
gather('offsets between', F, I32, [5, 4, 3], [2, 2, 2], [rng.integers(0, 4, 8)], [2, 3, 2, 2], offset_dims=[1, 3], collapsed_slice_dims=[0], start_index_map=[0, 1],
       index_vector_dim=0, slice_sizes=[1, 3, 2])
gather('vector in the middle', F, I64, [5, 4], [2, 2, 3], [rng.integers(-1, 6, 12)], [2, 3], offset_dims=[], collapsed_slice_dims=[0, 1], start_index_map=[1, 0],
       index_vector_dim=1, slice_sizes=[1, 1])
gather('one vector', F, I32, [5, 4], [2], [[1, 2], [4, 3]], [2, 3], offset_dims=[0, 1], start_index_map=[0, 1], index_vector_dim=0, slice_sizes=[2, 3])
gather('no index mapped to dimension 1', F, I32, [4, 3], [4, 1], [[0, 3, 1, 2]], [4, 1, 3], offset_dims=[1, 2], start_index_map=[0], index_vector_dim=1, slice_sizes=[1, 3])
gather('empty', F, I32, [4, 3], [0, 1], [[]], [0, 3], offset_dims=[1], collapsed_slice_dims=[0], start_index_map=[0], index_vector_dim=1, slice_sizes=[1, 3])


def region(m, op, t):
    g = m.graph('region')
    a, b = g.input(t, []), g.input(t, [])
    if op:
        g.op(op, [a, b], [g.output(t, [])])
    else:
        g.t.outputs = [b]
    return g.index


def scatter(name, op, t, it, shape, ishape, ushape, runs, **options):
    m = M()
    x, i, u = m.input(t, shape), m.input(it, ishape), m.input(t, ushape)
    o = dict(update_window_dims=[], inserted_window_dims=[], scatter_dims_to_operand_dims=[], index_vector_dim=0, indices_are_sorted=False, unique_indices=False)
    o.update(options)
    m.op('STABLEHLO_SCATTER', [x, i, u], [m.output(t, shape)], update_computation_subgraph_index=region(m, op, t), **o)
    case('SCATTER %s' % name, m, *[[data(t, shape), np.asarray(r, it).reshape(ishape), data(t, ushape)] for r in runs])


for op in (None, 'STABLEHLO_ADD', 'STABLEHLO_MULTIPLY', 'STABLEHLO_MAXIMUM', 'STABLEHLO_MINIMUM'):
    for t in REALS + INTEGERS + [B]:
        scatter('%s %s' % (op, np.dtype(t).name), op, t, I32 if t != I64 else I64, [3, 4, 2], [2, 3, 2], [2, 3, 2, 2], [rng.integers(-1, 4, 12)], update_window_dims=[2, 3],
                inserted_window_dims=[0], scatter_dims_to_operand_dims=[1, 0], index_vector_dim=2)
A = 'STABLEHLO_ADD'
scatter('window first', A, F, I32, [5, 4], [3, 1], [2, 3], [[0, 3, 9], [-5, 4, -1]], update_window_dims=[0], inserted_window_dims=[1], scatter_dims_to_operand_dims=[0],
        index_vector_dim=1)
scatter('same place again', A, I32, I32, [4], [6, 1], [6], [[0, 1, 1, 3, 3, 3]], inserted_window_dims=[0], scatter_dims_to_operand_dims=[0], index_vector_dim=1)
scatter('window sticks out', None, F, I64, [4, 4], [3, 2], [3, 3, 2], [[-2, 3, 2, -1, 3, 3], [-1, -1, 1, 1, 0, 2]], update_window_dims=[1, 2], scatter_dims_to_operand_dims=[0, 1],
        index_vector_dim=1)
scatter('vector first', A, F, I32, [5, 4], [2, 3], [3], [[0, 1, 2, 3, 2, 1]], inserted_window_dims=[0, 1], scatter_dims_to_operand_dims=[1, 0], index_vector_dim=0)
scatter('one vector', A, F, I32, [5, 4], [2], [2, 3], [[1, 1], [4, 0]], update_window_dims=[0, 1], scatter_dims_to_operand_dims=[0, 1], index_vector_dim=0)
scatter('no updates', A, F, I32, [5], [0, 1], [0], [[]], inserted_window_dims=[0], scatter_dims_to_operand_dims=[0], index_vector_dim=1)


def window(name, op, t, shape, size, out, init=None, **options):
    m = M()
    x = m.input(t, shape)
    o = dict(window_dimensions=size, window_strides=[1] * len(shape), base_dilations=[1] * len(shape), window_dilations=[1] * len(shape), padding=[0] * (2 * len(shape)))
    o.update(options)
    v = m.const(np.array(0 if init is None else init, t))
    m.op('STABLEHLO_REDUCE_WINDOW', [x, v], [m.output(t, out)], body_subgraph_index=region(m, op, t), **o)
    case('REDUCE_WINDOW %s' % name, m, [data(t, shape)])


for op in ('STABLEHLO_ADD', 'STABLEHLO_MULTIPLY', 'STABLEHLO_MAXIMUM', 'STABLEHLO_MINIMUM', 'STABLEHLO_AND', 'ADD', 'MUL', 'MAXIMUM', 'MINIMUM', 'LOGICAL_AND', 'LOGICAL_OR'):
    for t in (np.int8, np.int16, I32, I64, np.uint8, F, F64):
        window('%s %s' % (op, np.dtype(t).name), op, t, [4, 5], [2, 3], [3, 3], init=1)
for op in ('LOGICAL_AND', 'LOGICAL_OR', 'MAXIMUM', 'STABLEHLO_AND'):
    window('%s bool' % op, op, B, [4, 5], [2, 3], [3, 3], init=op != 'LOGICAL_OR')
window('strides', 'ADD', F, [6, 7], [3, 2], [2, 2], window_strides=[2, 3])
window('dilations', 'ADD', F, [6, 7], [2, 3], [4, 3], window_dilations=[2, 2])
window('base dilations', 'ADD', F, [3, 4], [2, 2], [4, 9], base_dilations=[2, 3], init=.5)
window('padding', 'ADD', F, [3, 4], [2, 2], [5, 4], padding=[2, 1, 0, 1], init=2)
window('cropping', 'MAXIMUM', F, [5, 6], [2, 2], [2, 4], padding=[-1, -1, 0, -1], init=-9)
window('everything', 'ADD', F, [5, 6], [2, 3], [4, 4], padding=[-2, 3, 1, -4], base_dilations=[2, 3], window_dilations=[3, 2], window_strides=[2, 2], init=1)
window('everything, integers', 'MUL', I32, [5, 6], [2, 3], [4, 4], padding=[-2, 3, 1, -4], base_dilations=[2, 3], window_dilations=[3, 2], window_strides=[2, 2], init=3)
window('window too large', 'ADD', F, [3, 4], [4, 2], [0, 3])
window('rank 1', 'ADD', I32, [9], [3], [4], window_strides=[2])
window('rank 4', 'MAXIMUM', F, [1, 4, 4, 2], [1, 2, 2, 1], [1, 2, 2, 2], window_strides=[1, 2, 2, 1], init=-1e9)

for algorithm in (0, 1, 2):
    for t in (I32, I64, np.uint32, U64):
        for words in (2, 3) if algorithm != 2 else (2,):
            for shape in ([5], [2, 3], [3, 3, 1], []):
                m = M()
                s = m.input(U64, [words])
                m.op('STABLEHLO_RNG_BIT_GENERATOR', [s], [m.output(U64, [words]), m.output(t, shape)], algorithm=algorithm)
                case('RNG %d %s %d words, %s' % (algorithm, np.dtype(t).name, words, shape), m, [np.arange(3, 3 + words, dtype=U64)],
                     [np.full(words, 0xfffffffffffffffe, U64)])
