"""CAST between all pairs of types (NaN, infinities, numbers out of range), packed integers; BITCAST; REAL, IMAG, COMPLEX_ABS; BUCKETIZE; SELECT, SELECT_V2."""
import ml_dtypes
import numpy as np
from op_models import INT2, INT4, UINT4, M, case, raw, values

F, H, BF, D, I8, U8, I16, U16, I32, U32, I64, B, C64, C128 = (np.float32, np.float16, ml_dtypes.bfloat16, np.float64, np.int8, np.uint8, np.int16, np.uint16, np.int32,
                                                           np.uint32, np.int64, np.bool_, np.complex64, np.complex128)
TYPES = (F, H, BF, D, I8, U8, I16, U16, I32, U32, I64, B, C64)


def name(t):
    return np.dtype(t).name


for f in TYPES:
    kind = np.dtype(f).kind
    if f == B:
        x = np.array([0, 1, 1, 0], B)
    elif kind in 'iu':
        x = np.concatenate([values(f, [6]), np.array([0, 1, np.iinfo(f).max, np.iinfo(f).min], f)])
    else:
        x = np.array([0, -0.0, 0.4, -0.6, 1.5, -2.5, 100.7, 127.9, 3e4, 0.1], np.float64).astype(f)
    m, edge = M(), M()
    a = m.input(f, x.shape)
    for t in TYPES:
        m.op('CAST', [a], [m.output(t, x.shape)], version=8 if BF in (f, t) else 1)
    case('CAST from %s' % name(f), m, [x], tolerance=1e-2 if BF in (f,) else 1e-5)
    if kind == 'f':
        v = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 5e9, -5e9], np.float64).astype(f)
        a = edge.input(f, v.shape)
        for t in (I8, U8, I16, U16, I32, U32, I64, B, F):
            edge.op('CAST', [a], [edge.output(t, v.shape)], version=8 if f == BF else 1)
        case('CAST from %s, out of range' % name(f), edge, [v])
for code, t, low, high in ((INT4, 'int4', -8, 7), (UINT4, 'uint4', 0, 15), (INT2, 'int2', -2, 1)):
    m = M()
    y, z = m.tensor(F, [7]), m.tensor(code, [7])
    m.op('CAST', [m.const(values(I32, [7], low, high), code)], [m.output(F, [7])], version=7)
    m.op('CAST', [m.input(F, [7])], [z], version=7)
    m.op('CAST', [z], [m.output(F, [7])], version=7)
    case('CAST %s' % t, m, [values(F, [7], -20, 20)])

for f, t, shape, out in ((F, I32, [2, 3], [2, 3]), (I32, F, [2, 3], [2, 3]), (F, U8, [2, 3], [2, 3, 4]), (U8, F, [2, 3, 4], [2, 3]), (I64, I16, [2], [2, 4]), (I16, I64, [2, 4], [2]),
                         (H, I16, [5], [5]), (F, I8, [], [4]), (I8, F, [4], []), (I16, U8, [0, 2], [0, 2, 2])):
    m = M()
    m.op('BITCAST', [m.input(f, shape)], [m.output(t, out)])
    case('BITCAST %s to %s %s' % (name(f), name(t), shape), m, [values(I32, shape, 0, 100).astype(f)])

for f, t in ((C64, F), (C128, D)):
    if f == C128:  # the test's file has no such type: made of pairs of float64
        continue
    m = M()
    x = m.input(f, [2, 5])
    for op in ('REAL', 'IMAG', 'COMPLEX_ABS'):
        m.op(op, [x], [m.output(t, [2, 5])])
    case('parts of %s' % name(f), m, [values(f, [2, 5])])

for t in (F, D, I32, I64):
    m = M()
    x = np.array([-5, -1, 0, 1, 2, 3, 9, 10, 11, 100], t)
    m.op('BUCKETIZE', [m.input(t, [10])], [m.output(I32, [10])], boundaries=[-1.0, 0.0, 2.5, 10.0, 10.0])
    m.op('BUCKETIZE', [m.t.inputs[0]], [m.output(I32, [10])], boundaries=[])
    case('BUCKETIZE %s' % name(t), m, [x])
m = M()
m.op('BUCKETIZE', [m.input(F, [4])], [m.output(I32, [4])], boundaries=[0.0, 1.0])
case('BUCKETIZE special', m, [np.array([np.nan, np.inf, -np.inf, -0.0], F)])

for t in (F, H, I8, U8, I16, U16, I32, U32, I64, B, D):
    m, inputs = M(), []
    for op, c, x, y in (('SELECT', [2, 3], [2, 3], [2, 3]), ('SELECT', [2], [2, 3], [2, 3]), ('SELECT', [], [2, 3], [2, 3]), ('SELECT_V2', [2, 1], [1, 3], []),
                        ('SELECT_V2', [4], [4], [4]), ('SELECT_V2', [2, 1, 2], [3, 1], [2, 1, 1]), ('SELECT_V2', [], [], []), ('SELECT_V2', [0], [1], [1]),
                        ('SELECT_V2', [2, 1, 2, 1, 1, 1], [1, 2, 1, 1, 1, 2], [1, 1, 1, 2, 1, 1])):
        shape = np.broadcast_shapes(c, x, y) if op == 'SELECT_V2' else x
        m.op(op, [m.input(B, c), m.input(t, x), m.input(t, y)], [m.output(t, shape)])
        inputs += [values(B, c), values(t, x), values(t, y)]
    case('SELECT %s' % name(t), m, inputs)
# one element everywhere: the output keeps the shape it is declared with
m, inputs = M(), []
for op, c, x, y, shape in (('SELECT_V2', [1], [], [], []), ('SELECT_V2', [], [1], [], []), ('SELECT_V2', [], [], [], [1, 1]), ('SELECT_V2', [1, 1], [1], [1], [1]),
                           ('SELECT', [1], [], [], []), ('SELECT', [], [1], [1], []), ('SELECT', [1], [1, 1], [1, 1], [1])):
    m.op(op, [m.input(B, c), m.input(F, x), m.input(F, y)], [m.output(F, shape)])
    inputs += [values(B, c), values(F, x), values(F, y)]
case('SELECT of one element', m, inputs)
words = np.array([b'', b'a', b'xyz', 'é'.encode()], object)
m = M()
m.op('SELECT_V2', [m.input(B, [2, 2]), m.input(np.object_, [2, 2]), m.input(np.object_, [2])], [m.output(np.object_, [2, 2])])
# LiteRT has no SELECT of strings; the answer is that of TensorFlow's tf.where
case('SELECT_V2 strings', m, [np.array([[True, False], [False, True]]), words.reshape(2, 2), words[2:]],
     expect=[[np.array([[b'', words[3]], [b'xyz', words[3]]], object)]])
