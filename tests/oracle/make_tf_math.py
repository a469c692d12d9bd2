"""TensorFlow's mathematical operators, one a case, with the numbers TensorFlow's own kernels gave: tests/data/tf/math.gz.

    python3 make_tf_math.py      (needs tensorflow; the file is kept in the tree; tests/unit/test_tf_cases.c reads it)

The form is that of make_tf_cases.py, and a line "within 4e-06": what each number may be off, relative to itself (0: nothing), or relative to the
largest of its tensor with " of the largest" behind it. Inputs named c... are constants of the graph. Of float32 the truth is TensorFlow's float64
kernel, rounded. Complex values are made of two inputs and read as two outputs, float16 ones are cast to and fro; of 64-bit integers the low 32 bits
are an output too, as the test compares doubles.
"""
import gzip, os
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
import tensorflow as tf

R, rng, cases = tf.raw_ops, np.random.default_rng(7), []
NAMES = {'float32': 'float', 'float64': 'double', 'float16': 'half'}
F = np.float32
SUMS = 'Sum Mean Cumsum IRFFT IRFFT2D'.split()


def type_name(t): return NAMES.get(np.dtype(t).name, np.dtype(t).name)
def shape_text(a): return ','.join(map(str, a.shape))


def number(v):
    if isinstance(v, (bool, np.bool_)): return str(int(v))
    if isinstance(v, (int, np.integer)): return str(int(v))
    return '%.9g' % v if isinstance(v, (np.float32, np.float16)) else '%.17g' % v


def exact(v):
    """A number as strtod reads it back, in hexadecimal where that is shorter."""
    if not isinstance(v, (np.float32, np.float64)) or not np.isfinite(v) or v == int(v) and abs(v) < 1e9: return number(v)
    mantissa, exponent = float(v).hex().split('p')
    return mantissa.rstrip('0').rstrip('.') + 'p' + str(int(exponent))


def values(a): return (shape_text(a) or '-') + ''.join(' ' + exact(v) for v in a.reshape(-1))


def add(name, within, lines, ins, outs):
    """ins, outs: (name, array)."""
    cases.append('\n'.join([f'case {name}', 'in ' + ' '.join(n for n, _ in ins), 'out ' + ' '.join(n for n, _ in outs), f'within {within}', *lines, 'set',
                            *('< ' + values(a) for _, a in ins), *('> ' + values(a) for _, a in outs), 'end']))


def attribute(v):
    if isinstance(v, bool): return str(v).lower()
    if isinstance(v, tf.DType): return type_name(v.as_numpy_dtype)
    if isinstance(v, list): return '[' + ','.join('%r' % float(x) for x in v) + ']'
    return repr(v)


def case(op, within=1e-6, wide=True, open=True, largest=False, name=None, const=(), **args):
    """args in the order of the operator's inputs (arrays), then its attributes. const: names of inputs that are constants of the graph."""
    arrays = {k: v for k, v in args.items() if isinstance(v, np.ndarray)}
    attrs = {k: v for k, v in args.items() if k not in arrays}
    lines, names, ins = [], [], []
    for i, (k, a) in enumerate(arrays.items()):
        shape = ','.join(map(str, a.shape))
        if k in const:
            lines.append(f'c{i} = const {type_name(a.dtype)} {{{shape}}} ' + ' '.join(number(v) for v in a.reshape(-1)))
            names.append(f'c{i}')
            continue
        parts = [(f'x{i}', a)]
        if a.dtype.kind == 'c': parts = [(f'x{i}r', a.real), (f'x{i}i', a.imag)]
        if a.dtype == np.float16: parts = [(f'x{i}f', a.astype(F))]
        for n, p in parts:
            dims = ','.join('?' if open and d == 0 else str(n) for d, n in enumerate(p.shape))
            lines.append(f'{n} = Placeholder dtype={type_name(p.dtype)} shape={{{dims}}}')
            ins.append((n, p))
        if a.dtype.kind == 'c': lines.append(f'x{i} = Complex({parts[0][0]}, {parts[1][0]}) T=float')
        if a.dtype == np.float16: lines.append(f'x{i} = Cast(x{i}f) SrcT=float DstT=half')
        names.append(f'x{i}')
    lines.append(f'y = {op}({", ".join(names)}) ' + ' '.join(f'{k}={attribute(v)}' for k, v in attrs.items()))
    wide = wide and not op.startswith('RFFT')
    wider = {k: v.astype('float64') if wide and v.dtype.name == 'float32' else v for k, v in arrays.items()}
    y = np.asarray(getattr(R, op)(**{k: tf.constant(v) for k, v in wider.items()}, **attrs))
    if wide and y.dtype == np.float64: y = y.astype(F)
    outs, many = [('y', y)], f'{within:g}'
    if y.dtype.kind == 'c':
        lines += ['yr = Real(y) T=complex64', 'yi = Imag(y) T=complex64']
        outs = [('yr', y.real.astype(F)), ('yi', y.imag.astype(F))]
    elif y.dtype == np.float16:
        lines.append('yf = Cast(y) SrcT=half DstT=float')
        outs = [('yf', y.astype(F))]
    elif y.dtype in (np.int64, np.uint64):
        lines.append(f'low = Cast(y) SrcT={y.dtype.name} DstT=int32')
        outs.append(('low', y.astype(np.int32)))
    if y.dtype.kind == 'c' or largest or op in SUMS and within: many += ' of the largest'
    add(name or op, many, lines, ins, outs)


def f(*v): return np.array(v, F)
def c(n, seed): r = np.random.default_rng(seed); return (r.uniform(-2, 2, n) + 1j * r.uniform(-2, 2, n)).astype(np.complex64)


INF, NAN = np.inf, np.nan
EDGES = f(0, 1, -1, .5, -.5, 2, INF, -INF, NAN)
UNARY = {
    'Exp': f(-90, -3, 1e-7, 88, INF, -INF, NAN), 'Expm1': f(-50, -1e-6, 1e-20, .3, 80, INF, -INF, NAN, 0), 'Log': f(0, 1e-30, 1, 3e38, INF, -1), 'Log1p': f(-1, -.999, -1e-7, 1e-20, .5, 1e30, INF, -2),
    'Sqrt': f(0, 2, 1e-30, INF, -1), 'Rsqrt': f(2, 1e-30, 1e30), 'Sin': f(0, 1, -2, 9), 'Cos': f(0, 1, -2, 9), 'Tan': f(.5, -1.5, 3, 8), 'Floor': f(-1.5, 2.5, -0., INF), 'Ceil': f(-1.5, 2.5, INF),
    'Rint': f(.5, 1.5, -2.5, 1e10), 'Round': f(.5, 1.5, 2.5, -3.5), 'Abs': EDGES, 'Neg': EDGES, 'Square': EDGES, 'Sign': EDGES, 'Reciprocal': EDGES, 'Inv': f(2, -4),
    'Sinh': f(1e-6, -3, 89.2, -89.2, INF, 0), 'Cosh': f(1e-6, -3, 89.2, -89.2, -INF), 'Asinh': f(1e-6, -3, 3e38, -1e20, 0, INF), 'Acosh': f(1, 1.000001, 3, 3e38, .5), 'Atanh': f(1e-6, -.999, 1, -1, 2, 0),
    'Asin': f(1e-6, -.999, 1, -1, 2, 0), 'Acos': f(1e-6, .9999, 1, -1, 2), 'Atan': f(1e-6, -3, 1e30, INF, -INF, 0), 'Erf': f(1e-6, .3, -1, 2, 3.9, 30), 'Erfc': f(1e-6, .3, -1, 2, 5, 9, -30),
    'Erfinv': f(.001, .5, -.9, .99999, 1, -1, 2), 'Ndtri': f(1e-30, .01, .3, .7, .999, 0, 1), 'Lgamma': f(1e-6, .5, 1.5, 2.5, 10, 1e20, 0, -3, INF), 'Digamma': f(1e-4, .5, 1.4, 2.6, 10, 0),
    'BesselI0': f(0, .5, -7, 9, 91), 'BesselI1': f(0, .5, -5, 9, 91), 'BesselI0e': f(0, .5, -7, 9, 500), 'BesselI1e': f(0, .5, -5, 9, 500), 'IsNan': EDGES, 'IsInf': EDGES, 'IsFinite': EDGES,
}
for op, x in UNARY.items(): case(op, 4e-6, x=x)
for op in 'Lgamma Digamma'.split(): case(op, 4e-6, largest=True, x=f(-.5, -2.5, -7.1, 3), name=op + ' of negative numbers')
case('Digamma', 2e-6, x=f(1.46163, 1.461632, 1.4616322, 1.461633, 1.47), name='Digamma at its zero')
for op in 'IsNan IsInf IsFinite'.split(): case(op, 0, x=np.array([1e300, INF, -INF, NAN, -1e300, 0]), name=op + ' of float64')
for op in 'Exp Erf Abs Round Sign ZerosLike OnesLike'.split():
    for t in ('float16', 'float64'): case(op, 1e-3 if t == 'float16' else 4e-6, wide=False, x=np.array([-1.5, .25, 2, 3], t), name=f'{op} of {t}')
X, Y = f(-5, 3, 7, -7, 1, 0, INF, 2, -6), f(2, -.7, 3, 3, .1, 0, 2, 0, 3)
for op in 'AddV2 Sub Mul RealDiv Div FloorDiv TruncateDiv FloorMod Mod TruncateMod DivNoNan MulNoNan Xdivy SquaredDifference Less LessEqual Greater GreaterEqual Equal NotEqual'.split():
    case(op, wide=False, x=X, y=Y)
    case(op, wide=False, x=X[:6].reshape(2, 1, 3), y=Y[:2].reshape(2, 1), open=False, name=op + ' broadcast')
    case(op, wide=False, x=X[:4], y=f(2.5).reshape(()), const='y', name=op + ' with a constant')
for op in 'Maximum Minimum'.split(): case(op, 0, x=f(1, -2, 0, INF), y=f(2, -3, -0., 1))
for op in 'Xlogy Xlog1py'.split(): case(op, x=f(0, 1, -2, 0), y=f(0, 2, 1e-7, 3))
case('Atan2', y=f(0, 1, -1, 1, -1, 0), x=f(1, 0, 0, -1, -1, -1))
case('Atan2', y=f(1, -2).reshape(2, 1), x=f(1, 0, -1), open=False, name='Atan2 broadcast')
case('Pow', 4e-6, x=f(2, .5, 3, 0, 9), y=f(.5, -3, 7, 2, -1.5))
for e in (2, .5, -.5, -1, 1, 3, 0): case('Pow', 4e-6, x=f(2, .5, 3, 9), y=f(e).reshape(()), const='y', name=f'Pow {e}')
case('ApproximateEqual', x=f(1, 1, 2), y=f(1.05, 1.2, 2), tolerance=.1)
for lo, hi in ((0, 6), (0, 1), (-1, 1), (.5, 2.5), (3, 1)): case('ClipByValue', 0, t=f(-3, .2, .8, 1.5, 9), clip_value_min=f(lo).reshape(()), clip_value_max=f(hi).reshape(()), const=('clip_value_min', 'clip_value_max'), name=f'ClipByValue {lo} {hi}')
case('Cross', a=f(1, 2, 3, 4, 5, 6).reshape(2, 3), b=f(-1, 0, 2, 2, 1, 7).reshape(2, 3))
case('NextAfter', 0, wide=False, x1=f(0, 1, -1, 3e38, INF, NAN, 1e-45, 2), x2=f(-1, 2, 0, INF, 0, 1, -1, 2))
case('NextAfter', 0, wide=False, x1=np.array([0., 1, -1, INF, 1]), x2=np.array([-1., 2, 0, 0, NAN]), name='NextAfter of float64')
case('Zeta', 4e-6, x=f(1.1, 2, 9, 1, .5), q=f(.01, 3, 40, 1, 1))
for n in (0, 1, 2, 5): case('Polygamma', 5e-6, a=f(n).reshape(()), x=f(.05, .7, 2, 30), const='a', name=f'Polygamma {n}')
case('Polygamma', 5e-6, a=f(0, 1, 3, 1.5, -1), x=f(2, 3, .5, 1, 1), name='Polygamma of orders given')
case('Igamma', 1e-5, a=f(.05, .5, 3, 10, 200, 1, 2, -1), x=f(.01, 2, 2.5, 25, 190, 0, INF, 1))
case('Igammac', 2e-5, a=f(.05, .5, 3, 10, 200, 1, 2, -1), x=f(.01, 2, 2.5, 25, 190, 0, INF, 1))
case('Betainc', 5e-5, a=f(.1, 2, 30, 5, 1, 1, 1), b=f(.7, 3, 4, 50, 1, 1, 1), x=f(.2, .6, .9, .08, 0, 1, 2))
G, H = f(.3, -.6, .9, -2), f(.5, -1, .2, 7)
for op in 'SigmoidGrad TanhGrad SqrtGrad RsqrtGrad ReciprocalGrad InvGrad'.split(): case(op, y=G, dy=H)
for op in 'ReluGrad Relu6Grad SoftplusGrad SoftsignGrad'.split(): case(op, 2e-6, wide=False, gradients=G, features=H)
for op in 'EluGrad SeluGrad'.split(): case(op, 2e-6, wide=False, gradients=H, outputs=G)
case('LeakyReluGrad', gradients=G, features=H, alpha=.3)

# integers: the ends of the range, and numbers around 0
for t in 'int8 uint8 int16 uint16 int32 uint32 int64 uint64'.split():
    i, signed = np.iinfo(t), t[0] == 'i'
    low, big, near = i.min, 1 << (i.bits - 2), 3 if i.bits < 64 else 1 << 12 # a double holds them all
    x = np.array([0, 1, 100, big, big + near, 7, low] + [-5 if signed else 5, -100 if signed else 99, low + 3 * near], t)
    y = np.array([3, 100, 100, big, 2, 2, 1] + [2, 7, -3 if signed else 3], t)
    for op in 'AddV2 Sub Mul Maximum Minimum Less LessEqual Greater GreaterEqual Equal NotEqual BitwiseAnd BitwiseOr BitwiseXor'.split(): case(op, 0, x=x, y=y, name=f'{op} of {t}')
    case('BitwiseAnd', 0, x=x, y=np.array(31, t), const='y', name=f'BitwiseAnd of {t} and a mask')
    case('BitwiseOr', 0, x=x[:6].reshape(2, 3), y=y[:2].reshape(2, 1), open=False, name=f'BitwiseOr of {t} broadcast')
    case('Invert', 0, x=x, name=f'Invert of {t}')
    case('PopulationCount', 0, x=x.reshape(5, 2), name=f'PopulationCount of {t}')
    n = np.array([0, 1, 3, i.bits - 1, i.bits, 100, i.bits // 2, 7, i.bits // 2 + 1, -1 if signed else 2], t)
    case('LeftShift', 0, x=x, y=n, name=f'LeftShift of {t}')
    case('RightShift', 0, x=x, y=n, name=f'RightShift of {t}')
    if t != 'uint64':
        for op in 'FloorDiv TruncateDiv Div FloorMod'.split(): case(op, 0, x=x, y=y, name=f'{op} of {t}')
        case('Mean', 0, input=x[:8].reshape(2, 4), axis=np.array([1], np.int32), const='axis', name=f'Mean of {t}')
    if t in ('int32', 'int64'):
        for op in 'Mod TruncateMod SquaredDifference'.split(): case(op, 0, x=x, y=y, name=f'{op} of {t}')
        case('Pow', 0, x=np.array([2, -3, 0, 1, -1, 7, 5], t), y=np.array([30, 5, 0, 99, 99, 2, 1], t), name=f'Pow of {t}')
        case('Pow', 0, x=np.array([2, -3, 0], t), y=np.array(5, t), const='y', name=f'Pow of {t} by a constant')
    if t in ('int8', 'int16', 'int32', 'int64'):
        for op in 'Abs Neg Sign'.split(): case(op, 0, x=x, name=f'{op} of {t}')
    for op in 'Sum Prod Max Min'.split(): case(op, 0, input=x[:8].reshape(2, 4), axis=np.array([1], np.int32), const='axis', name=f'{op} of {t}')
    for op in 'ArgMax ArgMin'.split(): case(op, 0, input=x.reshape(2, 5), dimension=np.array(1, np.int32), const='dimension', name=f'{op} of {t}')
    case('Cumsum', 0, x=x.reshape(2, 5), axis=np.array(1, np.int32), const='axis', name=f'Cumsum of {t}')
    case('Cumprod', 0, x=(x % 5).astype(t).reshape(2, 5), axis=np.array(1, np.int32), const='axis', name=f'Cumprod of {t}')
    for op in 'OnesLike ZerosLike'.split(): case(op, 0, x=x, name=f'{op} of {t}')
    case('SelectV2', 0, condition=np.array([True, False] * 5), t=x, e=y, name=f'SelectV2 of {t}')
    for u in 'int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64 bool'.split():
        if u == t: continue
        y2 = tf.cast(x, u).numpy()
        lines = [f'x0 = Placeholder dtype={t} shape={{?}}', f'y = Cast(x0) SrcT={t} DstT={type_name(u)}']
        add(f'Cast of {t} to {u}', 1e-7, lines, [('x0', x)], [('y', y2)])

Z = rng.uniform(-2, 2, (3, 4)).astype(F)
for op in 'Sum Mean Max Min Prod EuclideanNorm'.split():
    for axes in ([0], [-1], [0, 1], []): case(op, 4e-6, input=Z, axis=np.array(axes, np.int32), keep_dims=axes == [-1], const='axis', name=f'{op} over {axes}')
    case(op, 4e-6, input=Z, axis=np.array([1], np.int32), name=f'{op} over an axis given')
for op in 'All Any'.split(): case(op, 0, input=Z > .3, axis=np.array([1], np.int32), const='axis')
for op in 'Cumsum Cumprod CumulativeLogsumexp'.split():
    for e in (False, True):
        for r in (False, True): case(op, 4e-6, x=Z, axis=np.array(1, np.int32), exclusive=e, reverse=r, const='axis', name=f'{op} exclusive={e} reverse={r}')
    case(op, 2e-5, x=rng.uniform(.9, 1.1, (1, 70)).astype(F), axis=np.array(1, np.int32), const='axis', name=op + ' of a long axis')
    case(op, 4e-6, x=Z, axis=np.array(0, np.int32), reverse=True, const='axis', name=op + ' of an open axis')
case('Bucketize', 0, wide=False, input=Z, boundaries=[-1., 0., .5])
case('HistogramFixedWidth', 0, wide=False, values=f(-1, 0, 1.5, 2, 5, 15), value_range=f(0, 5), nbins=np.array(5, np.int32), const=('value_range', 'nbins'))
case('LinSpace', start=f(1).reshape(()), stop=f(3.3).reshape(()), num=np.array(7, np.int32), const='num')
for op in 'Neg Square Reciprocal Exp Log Sqrt Rsqrt Sin Cos Tan Sinh Cosh Tanh Sigmoid Sign ZerosLike OnesLike'.split(): case(op, 2e-5, x=c(5, 1), name=op + ' of complex64')
for op in 'AddV2 Sub Mul RealDiv DivNoNan MulNoNan Xdivy Pow SquaredDifference Equal NotEqual'.split(): case(op, 2e-5, x=c(5, 1), y=np.where(np.arange(5) == 2, 0, c(5, 2)).astype(np.complex64) if op != 'RealDiv' else c(5, 2), name=op + ' of complex64')
for op in 'ComplexAbs Angle Conj'.split(): case(op, 2e-6, **{'x' if op == 'ComplexAbs' else 'input': c(5, 3)})
for op in 'Sum Mean'.split(): case(op, 2e-6, input=c((2, 3), 4), axis=np.array([1], np.int32), const='axis', name=op + ' of complex64')
for n in (1, 2, 6, 16):
    case('FFT', 2e-5, input=c((1, n), 5), open=False, name=f'FFT of {n}')
    case('RFFT', 2e-5, input=rng.uniform(-2, 2, (1, n)).astype(F), fft_length=np.array([n], np.int32), const='fft_length', name=f'RFFT of {n}')
case('IFFT', 2e-5, input=c((2, 6), 6), open=False)
case('IRFFT', 2e-5, input=c((2, 5), 6), fft_length=np.array([8], np.int32), const='fft_length')
case('IRFFT', 2e-5, input=c((2, 5), 6), fft_length=np.array([6], np.int32), const='fft_length', name='IRFFT of fewer')
case('RFFT', 2e-5, input=Z, fft_length=np.array([3], np.int32), const='fft_length', name='RFFT of fewer')
case('FFT2D', 2e-5, input=c((2, 3, 4), 7), open=False)
case('IFFT2D', 2e-5, input=c((3, 4), 7), open=False)
case('RFFT2D', 2e-5, input=rng.uniform(-2, 2, (1, 4, 4)).astype(F), fft_length=np.array([4, 4], np.int32), const='fft_length')
case('RFFT2D', 2e-5, input=rng.uniform(-2, 2, (1, 3, 5)).astype(F), fft_length=np.array([3, 5], np.int32), const='fft_length', name='RFFT2D of odd lengths')
case('IRFFT2D', 2e-5, input=c((1, 3, 3), 8), fft_length=np.array([3, 4], np.int32), const='fft_length')
case('FFT3D', 2e-5, input=c((2, 2, 3), 9), open=False)
for t in (tf.float16, tf.bfloat16):
    x = rng.uniform(-5, 5, 6).astype(F)
    y = tf.cast(R.Cast(x=x, DstT=t, Truncate=True), tf.float32).numpy()
    lines = ['x0 = Placeholder dtype=float shape={?}', f'h = Cast(x0) SrcT=float DstT={type_name(t.as_numpy_dtype)} Truncate=true', f'y = Cast(h) SrcT={type_name(t.as_numpy_dtype)} DstT=float']
    add(f'Cast cutting to {t.name}', 0, lines, [('x0', x)], [('y', y)])
for t, u in (('float32', 'int32'), ('int32', 'float32'), ('float32', 'uint8'), ('int32', 'int64')):
    x = rng.uniform(1, 5, (3, 2)).astype(t)
    y = tf.bitcast(x, u).numpy()
    add(f'Bitcast of {t} to {u}', 0, [f'x0 = Placeholder dtype={type_name(t)} shape={{3,2}}', f'y = Bitcast(x0) T={type_name(t)} type={type_name(u)}'], [('x0', x)], [('y', y)])
for seed in ([1, 2], [-5, 77]):
    x, empty = np.array(seed, np.int32), np.zeros((3, 3), F)
    head = ['x0 = Placeholder dtype=int32 shape={2}', 'g = StatelessRandomGetKeyCounter(x0) Tseed=int32', 'a = const int32 {} 1']
    open_shape = ['x1 = Placeholder dtype=float shape={?,3}', 's = Shape(x1) T=float']
    for name, t, y, within in (('Uniform', 'float', tf.random.stateless_uniform([3, 3], seed), 0), ('Normal', 'float', tf.random.stateless_normal([3, 3], seed), 2e-5),
                               ('UniformFullInt', 'int32', tf.random.stateless_uniform([3, 3], seed, None, None, tf.int32), 0)):
        last = [f'y = StatelessRandom{name}V2(s, g, g:1, a) dtype={t} Tshape=int32']
        add(f'StatelessRandom{name}V2 {seed}', within, head + ['s = const int32 {2} 3 3'] + last, [('x0', x)], [('y', y.numpy())])
        add(f'StatelessRandom{name}V2 {seed} of an open shape', within, head + open_shape + last, [('x0', x), ('x1', empty)], [('y', y.numpy())])
    y = tf.random.stateless_uniform([4], seed, -5, 10**6, tf.int32).numpy()
    add(f'StatelessRandomUniformInt {seed}', 0, [head[0], 's = const int32 {1} 4', 'l = const int32 {} -5', 'h = const int32 {} 1000000',
                                                'y = StatelessRandomUniformInt(s, x0, l, h) dtype=int32 T=int32 Tseed=int32'], [('x0', x)], [('y', y)])

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data', 'tf', 'math.gz')
os.makedirs(os.path.dirname(path), exist_ok=True)
with gzip.GzipFile(path, 'wb', 9, mtime=0) as out: out.write(('\n'.join(cases) + '\n').encode())
print(len(cases), 'cases', os.path.getsize(path), 'bytes')
