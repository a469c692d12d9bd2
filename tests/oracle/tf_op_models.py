"""The MUST and SHOULD operators of TensorFlow as models of one function each (tf_models.py)."""
import numpy as np
import tensorflow as tf
from tf_models import A, B, F, I, L, S, model

R = tf.raw_ops
rng = np.random.default_rng(1)


def c(*shape, t='float32', lo=-1., hi=1.):
    return tf.constant(np.asarray(rng.uniform(lo, hi, shape), t))


# ---- one input, any shape: name -> (function, range)
UNARY = {
    'must': {'neg': (R.Neg, -3, 3), 'sqrt': (R.Sqrt, 0, 9), 'rsqrt': (R.Rsqrt, .1, 9), 'relu': (R.Relu, -3, 3), 'relu6': (R.Relu6, -9, 9), 'sigmoid': (R.Sigmoid, -8, 8),
             'identity': (tf.identity, -1, 1), 'stop_gradient': (tf.stop_gradient, -1, 1)},
    'should': {'abs': (R.Abs, -3, 3), 'ceil': (R.Ceil, -3, 3), 'exp': (R.Exp, -5, 3), 'elu': (R.Elu, -4, 2), 'expm1': (R.Expm1, -3, 2), 'floor': (R.Floor, -4, 4), 'log': (R.Log, .01, 9), 'log1p': (R.Log1p, -.9, 5),
               'round': (R.Round, -6, 6), 'selu': (R.Selu, -3, 3), 'sign': (R.Sign, -1, 1), 'softplus': (R.Softplus, -60, 60), 'softsign': (R.Softsign, -9, 9), 'square': (R.Square, -3, 3), 'tanh': (R.Tanh, -4, 4),
               'leaky_relu': (lambda x: tf.nn.leaky_relu(x, .3), -3, 3), 'leaky_relu_default': (lambda x: tf.nn.leaky_relu(x), -3, 3), 'zeros_like': (R.ZerosLike, -1, 1), 'log_softmax': (tf.nn.log_softmax, -5, 5)},
}
SHAPES = [(None, 5), (2, 3, 4, 5), (), (None, None, 2, 2, 3)]
for kind, ops in UNARY.items():
    for i, (name, (f, lo, hi)) in enumerate(ops.items()):
        fs = SHAPES if name in ('neg', 'relu', 'tanh') else [SHAPES[0], SHAPES[1 + i % 3]]
        if name == 'log_softmax': fs = SHAPES[:2]
        for s in fs: model(f'{name}_{len(s)}d', kind, lambda x, f=f: f(x) if f.__name__ == '<lambda>' or f in (tf.identity, tf.stop_gradient, tf.nn.log_softmax) else raw(f, x), F(*s, lo=lo, hi=hi))


def raw(f, x):
    """Calls a raw op of one input by the name that input has."""
    import inspect
    return f(**{next(iter(inspect.signature(f).parameters)): x})


model('round_half', 'should', tf.round, F(8, data=lambda r, k: np.arange(-4, 4) + .5 + k))
model('sign_zero', 'should', tf.sign, F(5, data=lambda r, k: [-2, -0., 0, 3, k]))
for t in ('int32', 'int64'):
    for name, f in {'neg': tf.negative, 'abs': tf.abs, 'square': tf.square, 'sign': tf.sign, 'relu': tf.nn.relu, 'zeros_like': tf.zeros_like, 'identity': tf.identity}.items():
        model(f'{name}_{t}', 'must' if name in ('neg', 'relu', 'identity') else 'should', lambda x, f=f: f(x), A(None, 4, t=t))
# ---- two inputs
BINARY = {
    'must': {'add_v2': (tf.add, -3, 3), 'add_v1': (lambda x, y: R.Add(x=x, y=y), -3, 3), 'sub': (tf.subtract, -3, 3), 'mul': (tf.multiply, -3, 3), 'real_div': (tf.divide, .5, 3), 'maximum': (tf.maximum, -3, 3),
             'squared_difference': (tf.math.squared_difference, -3, 3)},
    'should': {'minimum': (tf.minimum, -3, 3), 'pow': (tf.pow, .2, 3), 'floor_div': (tf.math.floordiv, 1, 9), 'floor_mod': (tf.math.floormod, 1, 9), 'div_no_nan': (tf.math.divide_no_nan, 1, 3),
               'equal': (tf.equal, -3, 3), 'not_equal': (tf.not_equal, -3, 3), 'less': (tf.less, -3, 3), 'less_equal': (tf.less_equal, -3, 3), 'greater': (tf.greater, -3, 3), 'greater_equal': (tf.greater_equal, -3, 3)},
}
INT_TOO = 'add_v2 sub mul maximum squared_difference minimum floor_div floor_mod equal not_equal less less_equal greater greater_equal'.split()
for kind, ops in BINARY.items():
    for i, (name, (f, lo, hi)) in enumerate(ops.items()):
        model(f'{name}_same', kind, lambda x, y, f=f: f(x, y), F(None, 4, lo=lo, hi=hi), F(None, 4, lo=lo, hi=hi))
        model(f'{name}_outer', kind, lambda x, y, f=f: f(x, y), F('n', 1, 3, lo=lo, hi=hi), F('m', 1, lo=lo, hi=hi))
        model(f'{name}_const', kind, lambda x, f=f, y=c(4, lo=lo, hi=hi): [f(x, y), f(y, x)], F(None, 3, 4, lo=lo, hi=hi))
        if name in INT_TOO:
            t = ('int32', 'int64')[i % 2]
            # -10/3 and 10/-3 tell floor from truncation
            model(f'{name}_{t}', kind, lambda x, y, f=f: f(x, y), A(None, 4, t=t, lo=-12, hi=13), A(4, t=t, data=lambda r, k: [3, -4, 5 + k, -7]))
for name in ('add', 'multiply', 'maximum', 'subtract', 'divide'):
    model(f'{name}_6d', 'must', lambda x, y, f=getattr(tf, name): f(x, y), F(2, 3, 1, 1, 2, 2, lo=1), F(1, 1, 4, 2, 1, 1, lo=1))
model('add_scalar', 'must', lambda x, y: x + y, F(), F(None, 3))
model('add_unknown_rank', 'must', lambda x, y: x + y, F(data=lambda r, k: r.normal(size=(2, 3 + k)), unknown=True), F(data=lambda r, k: r.normal(size=(2, 1)), unknown=True))
model('floor_div_float_negative', 'should', lambda x, y: [x // y, x % y], F(5, data=lambda r, k: [-7, 7, -.5, 9, -9 - k]), F(5, data=lambda r, k: [2, -2, 3, -4, -4]))
model('div_no_nan_zero', 'should', tf.math.divide_no_nan, F(4, data=lambda r, k: [1, 0, -3, 5 + k]), F(4, data=lambda r, k: [0, 0, 2, k]))
model('pow_int32', 'should', tf.pow, I(4, lo=-3, hi=4), I(4, lo=0, hi=5))
model('square_by_pow', 'should', lambda x: [x ** 2, x ** .5, x ** -1, x ** 3], F(None, 4, lo=.5, hi=3))
model('equal_bool', 'should', lambda x, y: [tf.equal(x, y), tf.not_equal(x, y)], B(None, 3), B(None, 3))
for name in ('logical_and', 'logical_or'): model(name, 'should', lambda x, y, f=getattr(tf, name): f(x, y), B('n', 1), B('m'))
model('logical_not', 'should', tf.logical_not, B(None, 3))
model('logical_xor', 'should', tf.math.logical_xor, B(None, 3), B(3))
# ---- reductions
for name, kind in (('reduce_mean', 'must'), ('reduce_prod', 'must'), ('reduce_sum', 'should'), ('reduce_max', 'should'), ('reduce_min', 'should')):
    f = getattr(tf, name)
    model(f'{name}_axes', kind, lambda x, f=f: [f(x, 1), f(x, [1, 2], True), f(x, -1), f(x, [0, -1])], F(None, 3, 4, 2))
    model(f'{name}_all', kind, lambda x, f=f: f(x), F(None, 'n'))
    model(f'{name}_keep_all', kind, lambda x, f=f: f(x, keepdims=True), F(2, 3, 4))
    model(f'{name}_none', kind, lambda x, f=f: f(x, []), F(None, 4))
    if name != 'reduce_mean': model(f'{name}_int', kind, lambda x, f=f: f(x, 1), I(None, 4) if name != 'reduce_max' else L(None, 4))
for name in ('reduce_any',): model(name, 'should', lambda x, f=getattr(tf, name): [f(x, 1), f(x), f(x, [0], True)], B(None, 4))
for name in ('argmax', 'argmin'):
    model(name, 'should', lambda x, f=getattr(tf, name): [f(x, 1), f(x, -1, output_type=tf.int32), f(x, 0)], F(None, 3, 4))
    model(name + '_int', 'should', lambda x, f=getattr(tf, name): f(x, 1), I(None, 9, hi=40))
    model(name + '_ties', 'should', lambda x, f=getattr(tf, name): f(x, -1), F(2, 5, data=lambda r, k: [[1, 3, 3, 1, 1], [k, 0, 0, 5, 5]]))
for e in (False, True): model('cumsum_exclusive' if e else 'cumsum', 'should', lambda x, e=e: [tf.cumsum(x, 1, exclusive=e), tf.cumsum(x, -1, exclusive=e, reverse=True), tf.cumsum(x, 0)], F(None, 3, 4))
model('cumsum_int', 'should', lambda x: tf.cumsum(x), I(None))
model('reduce_std_variance', 'should', lambda x: [tf.math.reduce_std(x, 1), tf.math.reduce_variance(x, [0, 1])], F(None, 5))
model('reduce_logsumexp', 'should', lambda x: [tf.reduce_logsumexp(x, 1), tf.reduce_logsumexp(x)], F(None, 5, hi=80))
model('norm', 'should', lambda x: [tf.norm(x), tf.norm(x, axis=1), tf.norm(x, ord=1, axis=-1)], F(None, 5))
model('moments', 'should', lambda x: list(tf.nn.moments(x, [1, 2], keepdims=True)), F(None, 5, 4, 3))
# ---- matrices
for ta in (False, True):
    for tb in (False, True):
        model(f'matmul_{int(ta)}{int(tb)}', 'must', lambda x, y, ta=ta, tb=tb: R.MatMul(a=x, b=y, transpose_a=ta, transpose_b=tb), F(*((4, None) if ta else (None, 4))), F(*((5, 4) if tb else (4, 5))))
        model(f'batch_matmul_v2_{int(ta)}{int(tb)}', 'should', lambda x, y, ta=ta, tb=tb: R.BatchMatMulV2(x=x, y=y, adj_x=ta, adj_y=tb), F(None, *((4, 3) if ta else (3, 4))), F(None, *((5, 4) if tb else (4, 5))))
model('matmul_const', 'must', lambda x, w=c(4, 6): tf.matmul(x, w), F(None, 4))
model('matmul_const_left', 'must', lambda x, w=c(6, 4): tf.matmul(w, x), F(4, None))
model('matmul_const_bias_relu', 'must', lambda x, w=c(4, 6), b=c(6): tf.nn.relu(tf.nn.bias_add(tf.matmul(x, w), b)), F(None, 4))
model('matmul_add_const', 'must', lambda x, w=c(4, 6), b=c(6): tf.nn.relu6(tf.matmul(x, w, transpose_a=False) + b), F(3, 4))
model('matmul_transpose_const', 'must', lambda x, w=c(6, 4): tf.matmul(x, w, transpose_b=True), F(None, 4))
model('matmul_int32', 'must', tf.matmul, I(3, 4), I(4, 2))
model('batch_matmul_v1', 'should', lambda x, y: R.BatchMatMul(x=x, y=y), F(2, 3, 4), F(2, 4, 5))
model('batch_matmul_v3', 'should', lambda x, y: R.BatchMatMulV3(x=x, y=y, Tout=tf.float32), F(2, 3, 4), F(2, 4, 5))
model('batch_matmul_broadcast', 'should', tf.matmul, F('n', 1, 3, 4), F('m', 4, 2))
model('batch_matmul_const', 'should', lambda x, w=c(4, 6): tf.matmul(x, w), F(None, 3, 4))
model('batch_matmul_const_3d', 'should', lambda x, w=c(3, 4, 6): tf.matmul(x, w), F(None, 3, 2, 4))
model('dense_on_3d', 'must', lambda x, w=c(4, 6), b=c(6): tf.tensordot(x, w, [[2], [0]]) + b, F(None, 't', 4))
model('tensordot', 'should', lambda x, y: tf.tensordot(x, y, [[1, 2], [1, 0]]), F(None, 3, 4), F(4, 3, 5))
for i, (eq, shapes) in enumerate({'ij,jk->ik': ((None, 4), (4, 3)), 'bij,bjk->bik': ((None, 3, 4), (None, 4, 2)), 'bhqd,bhkd->bhqk': ((None, 2, 3, 4), (None, 2, 5, 4)), 'abc,cde->abde': ((None, 3, 4), (4, 2, 3)), 'abcd,cde->abe': ((None, 5, 2, 3), (2, 3, 4)),
                                  'i,j->ij': ((3,), (4,)), 'ij->ji': ((None, 4),), 'ij->i': ((None, 4),), 'bij,kj->bik': ((None, 3, 4), (5, 4)), '...ij,jk->...ik': ((None, 2, 3, 4), (4, 5)), 'ij,ij->': ((3, 4), (3, 4)), 'bnm,bn->bm': ((None, 3, 4), (None, 3)),
                                  'aecd,abcd->acbe': ((None, 3, 2, 4), (None, 5, 2, 4)), 'ii->i': ((4, 4),)}.items()):
    if len(shapes) == 2: model(f'einsum_{i}', 'should', lambda x, y, eq=eq: tf.einsum(eq, x, y), F(*shapes[0]), F(*shapes[1]))
    else: model(f'einsum_{i}', 'should', lambda x, eq=eq: tf.einsum(eq, x), F(*shapes[0]))
model('einsum_const', 'should', lambda x, w=c(4, 2, 3): tf.einsum('abc,cde->abde', x, w), F(None, 5, 4))
# ---- convolution
for pad in ('SAME', 'VALID'):
    p = pad.lower()
    for s in (1, 2):
        model(f'conv2d_{p}_s{s}', 'must', lambda x, pad=pad, s=s, w=c(3, 2, 3, 5): tf.nn.conv2d(x, w, s, pad), F(None, 9, 10, 3))
        model(f'depthwise_{p}_s{s}', 'must', lambda x, pad=pad, s=s, w=c(3, 3, 3, s): tf.nn.depthwise_conv2d(x, w, [1, s, s, 1], pad), F(None, 9, 10, 3))
    model(f'conv2d_dilated_{p}', 'must', lambda x, pad=pad, w=c(3, 3, 2, 4): tf.nn.conv2d(x, w, 1, pad, dilations=[2, 3]), F(None, 13, 14, 2))
    model(f'depthwise_dilated_{p}', 'must', lambda x, pad=pad, w=c(3, 3, 2, 2): tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], pad, dilations=[2, 2]), F(None, 13, 14, 2))
    model(f'maxpool_{p}', 'must', lambda x, pad=pad: tf.nn.max_pool2d(x, [3, 2], [2, 1], pad), F(None, 9, 8, 3))
    model(f'avgpool_{p}', 'must', lambda x, pad=pad: tf.nn.avg_pool2d(x, [3, 2], [2, 3], pad), F(None, 9, 8, 3))
    model(f'conv2d_transpose_{p}', 'should', lambda x, pad=pad, w=c(3, 3, 4, 2): tf.nn.conv2d_transpose(x, w, [2, 10, 12, 4] if pad == 'SAME' else [2, 11, 13, 4], 2, pad), F(2, 5, 6, 2))
    model(f'conv3d_{p}', 'should', lambda x, pad=pad, w=c(2, 3, 2, 3, 4): tf.nn.conv3d(x, w, [1, 1, 2, 1, 1], pad), F(None, 5, 7, 6, 3))
    model(f'conv3d_transpose_{p}', 'should', lambda x, pad=pad, w=c(2, 3, 2, 4, 3): tf.nn.conv3d_transpose(x, w, [1, 8, 6, 8, 4] if pad == 'SAME' else [1, 8, 7, 8, 4], 2, pad), F(1, 4, 3, 4, 3))
    model(f'conv1d_{p}', 'must', lambda x, pad=pad, w=c(3, 4, 5): tf.nn.conv1d(x, w, 2, pad), F(None, 11, 4))
    model(f'conv2d_open_size_{p}', 'must', lambda x, pad=pad, w=c(3, 3, 3, 4), b=c(4): tf.nn.relu(tf.nn.conv2d(x, w, 2, pad) + b), F(None, 'h', 'w', 3))
model('conv2d_explicit_pads', 'must', lambda x, w=c(3, 3, 3, 4): tf.nn.conv2d(x, w, 2, [[0, 0], [1, 2], [0, 1], [0, 0]]), F(None, 9, 8, 3))
model('conv2d_grouped', 'must', lambda x, w=c(3, 3, 2, 6): tf.nn.conv2d(x, w, 1, 'SAME'), F(None, 6, 6, 6))
model('conv2d_bias_relu', 'must', lambda x, w=c(3, 3, 3, 4), b=c(4): tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w, 1, 'SAME'), b)), F(None, 6, 6, 3))
model('conv2d_weights_are_input', 'must', lambda x, y: tf.nn.conv2d(x, y, 1, 'SAME'), F(None, 6, 6, 3), F(3, 3, 3, 4))
model('conv2d_pad_before', 'must', lambda x, w=c(3, 3, 3, 4): tf.nn.conv2d(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), w, 2, 'VALID'), F(None, 8, 8, 3))
model('conv2d_transpose_open_batch', 'should', lambda x, w=c(3, 3, 4, 2): tf.nn.conv2d_transpose(x, w, tf.stack([tf.shape(x)[0], 10, 12, 4]), 2, 'SAME'), F(None, 5, 6, 2))
model('conv2d_transpose_open_size', 'should', lambda x, w=c(2, 2, 4, 2), b=c(4): tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d_transpose(x, w, tf.stack([tf.shape(x)[0], tf.shape(x)[1] * 2, tf.shape(x)[2] * 2, 4]), 2, 'VALID'), b)), F(None, 'h', 'w', 2))
model('conv1d_transpose', 'should', lambda x, w=c(3, 4, 2): tf.nn.conv1d_transpose(x, w, [2, 12, 4], 2, 'SAME'), F(2, 6, 2))
model('conv1d_dilated', 'must', lambda x, w=c(3, 4, 5): tf.nn.conv1d(x, w, 1, 'SAME', dilations=2), F(None, 11, 4))
model('separable_conv2d', 'must', lambda x, d=c(3, 3, 3, 2), w=c(1, 1, 6, 4): tf.nn.separable_conv2d(x, d, w, [1, 1, 1, 1], 'SAME'), F(None, 7, 7, 3))
model('convolution_nd', 'must', lambda x, w=c(3, 3, 3, 4): tf.nn.convolution(x, w, padding='SAME', strides=[2, 1]), F(None, 7, 7, 3))
model('bias_add_4d', 'must', lambda x, b=c(3): tf.nn.bias_add(x, b), F(None, 4, 4, 3))
model('bias_add_2d_input', 'must', lambda x, y: tf.nn.bias_add(x, y), F(None, 3), F(3))
model('bias_add_5d', 'must', lambda x, b=c(3): tf.nn.bias_add(x, b), F(None, 2, 2, 2, 3))
model('batch_norm_v3', 'must', lambda x, g=c(3, lo=.5, hi=2), b=c(3), mu=c(3), v=c(3, lo=.5, hi=2): R.FusedBatchNormV3(x=x, scale=g, offset=b, mean=mu, variance=v, epsilon=.01, is_training=False)[0], F(None, 4, 4, 3))
model('batch_norm_v1', 'must', lambda x, g=c(3, lo=.5, hi=2), b=c(3), mu=c(3), v=c(3, lo=.5, hi=2): R.FusedBatchNorm(x=x, scale=g, offset=b, mean=mu, variance=v, epsilon=.01, is_training=False)[0], F(None, 4, 4, 3))
model('batch_norm_v3_training', 'should', lambda x, g=c(3, lo=.5, hi=2), b=c(3): R.FusedBatchNormV3(x=x, scale=g, offset=b, mean=tf.zeros([0]), variance=tf.zeros([0]), epsilon=.01, is_training=True)[0], F(2, 4, 4, 3))
model('softmax_last', 'must', tf.nn.softmax, F(None, 6, hi=9))
model('softmax_4d', 'must', tf.nn.softmax, F(2, 3, 2, 6))
model('softmax_axis1', 'must', lambda x: tf.nn.softmax(x, axis=1), F(None, 4, 5))
model('softmax_1d', 'must', tf.nn.softmax, F(7))
model('log_softmax_axis1', 'should', lambda x: tf.nn.log_softmax(x, axis=1), F(None, 4, 5))
model('gelu_exact', 'must', lambda x: tf.nn.gelu(x, approximate=False), F(None, 5, lo=-4, hi=4))
model('gelu_approximate', 'must', lambda x: tf.nn.gelu(x, approximate=True), F(None, 5, lo=-4, hi=4))
model('gelu_erfc', 'must', lambda x: .5 * x * R.Erfc(x=-x * np.float32(np.sqrt(.5))), F(None, 5, lo=-4, hi=4))
# ---- shapes
model('pad', 'must', lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 3]]), F(None, 3, 4))
model('pad_open', 'must', lambda x, y: tf.pad(x, y), F(None, 3), I(2, 2, lo=0, hi=4))
model('pad_int', 'must', lambda x: tf.pad(x, [[1, 0], [0, 1]]), I(3, 4))
model('pad_v2', 'should', lambda x: tf.pad(x, [[0, 0], [1, 2]], constant_values=-1.5), F(None, 3))
model('pad_v2_int64', 'should', lambda x: tf.pad(x, tf.constant([[0, 1], [1, 2]], tf.int64), constant_values=7), L(2, 3))
model('pad_5d', 'must', lambda x: tf.pad(x, [[0, 0], [1, 1], [0, 2], [1, 0], [0, 0]]), F(None, 2, 3, 2, 2))
for mode in ('REFLECT', 'SYMMETRIC'): model(f'mirror_pad_{mode.lower()}', 'should', lambda x, mode=mode: tf.pad(x, [[0, 0], [1, 2], [2, 1]], mode), F(None, 4, 5))
model('concat', 'must', lambda x, y: [tf.concat([x, y], 0), tf.concat([x, y, x], -1)], F(3, 4), F(3, 4))
model('concat_open', 'must', lambda x, y: tf.concat([x, y], 1), F(None, 'n', 3), F(None, 'm', 3))
model('concat_const', 'must', lambda x, w=c(2, 4): tf.concat([w, x, w], 0), F(None, 4))
model('concat_int64', 'must', lambda x, y: tf.concat([x, y], 1), L(None, 2), L(None, 3))
model('concat_v1', 'must', lambda x, y: R.Concat(concat_dim=1, values=[x, y]), F(None, 2), F(None, 3))
model('concat_bool', 'must', lambda x, y: tf.concat([x, y], 0), B(2), B(3))
model('reshape', 'must', lambda x: tf.reshape(x, [-1, 6]), F(None, 3, 4))
model('reshape_open', 'must', lambda x: tf.reshape(x, [tf.shape(x)[0], -1]), F(None, 3, 4))
model('reshape_two_open', 'must', lambda x: tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1], 2, 3]), F(None, 't', 6))
model('reshape_by_input', 'must', lambda x, y: tf.reshape(x, y), F(None, 12), I(3, data=lambda r, k: [-1, 4 - k, 12 // (4 - k)]))
model('reshape_int64_shape', 'must', lambda x: R.Reshape(tensor=x, shape=tf.constant([-1, 2], tf.int64)), F(None, 4))
model('reshape_scalar', 'must', lambda x: tf.reshape(x, []), F(1, 1))
model('flatten_outer', 'must', lambda x: tf.reshape(x, tf.concat([[-1], tf.shape(x)[2:]], 0)), F(None, 't', 3, 4))
model('squeeze', 'must', lambda x: [tf.squeeze(x, [1]), tf.squeeze(x, [-2, 1]), tf.squeeze(x)], F(3, 1, 4, 1, 2))
model('squeeze_open', 'must', lambda x: tf.squeeze(x, [1, 3]), F(None, 1, 't', 1))
model('transpose_2d', 'must', lambda x: tf.transpose(x), F(None, 4))
model('transpose_3d', 'must', lambda x: tf.transpose(x, [1, 2, 0]), F(None, 't', 4))
model('transpose_5d', 'must', lambda x: tf.transpose(x, [4, 0, 2, 1, 3]), F(None, 2, 3, 4, 2))
model('transpose_by_input', 'must', lambda x, y: tf.transpose(x, y), F(2, 3, 4), I(3, data=lambda r, k: [[2, 0, 1], [0, 2, 1]][k]))
model('transpose_int', 'must', lambda x: tf.transpose(x, [0, 2, 1]), I(None, 3, 2))
model('shape', 'must', tf.shape, F(None, 't', 4))
model('shape_int64', 'must', lambda x: tf.shape(x, tf.int64), F(None, 3))
model('shape_slices', 'must', lambda x: [tf.shape(x)[0], tf.shape(x)[1:], tf.shape(x)[-1] * 2 + tf.shape(x)[0], tf.reduce_prod(tf.shape(x)[1:])], F(None, 't', 4))
model('shape_n', 'must', lambda x, y: list(R.ShapeN(input=[x, y])), F(None, 3), F(2, 't'))
model('pack', 'must', lambda x, y: [tf.stack([x, y]), tf.stack([x, y, x], 1), tf.stack([y, x], -1)], F(None, 4), F(None, 4))
model('pack_scalars', 'must', lambda x, y: tf.stack([x, y, x + y]), F(), F())
model('pack_int', 'must', lambda x: tf.stack([x, x * 2], 1), I(None, 2))
STRIDED = {'begin': lambda x: x[1:], 'end': lambda x: x[:-1], 'step': lambda x: x[:, ::2], 'negative': lambda x: x[:, ::-1, ::-2], 'shrink': lambda x: x[:, 1], 'newaxis': lambda x: x[:, tf.newaxis, :, None], 'ellipsis': lambda x: x[..., 0], 'mixed': lambda x: x[0, ..., 1:3, None],
           'last': lambda x: x[:, -1], 'empty_begin': lambda x: x[:, -2:, :3], 'over': lambda x: x[:, 1:99]}
for name, f in STRIDED.items(): model(f'strided_slice_{name}', 'must', f, F(None, 4, 5))
model('strided_slice_by_input', 'must', lambda x, y: x[:, y:y + 2], F(None, 8), I(data=lambda r, k: k))
model('strided_slice_open', 'must', lambda x: x[:, :tf.shape(x)[1] - 1, 1:], F(None, 't', 3))
model('strided_slice_5d', 'must', lambda x: x[:, 1:, ::2, 0, :1], F(None, 3, 4, 2, 3))
model('strided_slice_bool', 'must', lambda x: x[:, 1:], B(None, 4))
model('strided_slice_int64', 'must', lambda x: x[1:, 0], L(4, 3))
model('slice', 'should', lambda x: [tf.slice(x, [0, 1, 2], [-1, 2, 3]), tf.slice(x, [1, 0, 0], [1, -1, -1])], F('n', 4, 5))
model('slice_by_input', 'should', lambda x, y: tf.slice(x, y, [2, 2]), F(4, 5), I(2, lo=0, hi=3))
model('gather', 'must', lambda x, y: tf.gather(x, y), F(7, 3), I(None, 2, lo=0, hi=7))
model('gather_axis1', 'must', lambda x, y: tf.gather(x, y, axis=1), F(None, 5, 2), L(4, lo=0, hi=5))
model('gather_last', 'must', lambda x: tf.gather(x, [2, 0, 0], axis=-1), F(None, 3, 4))
model('gather_scalar', 'must', lambda x, y: tf.gather(x, y, axis=1), F(None, 5, 2), I(lo=0, hi=5))
model('gather_batch_dims', 'must', lambda x, y: tf.gather(x, y, batch_dims=1), F(None, 5, 2), I(None, 3, lo=0, hi=5))
model('gather_embedding', 'must', lambda x, w=c(11, 4): tf.nn.embedding_lookup(w, x), I(None, 't', lo=0, hi=11))
model('gather_v1', 'rare', lambda x, y: R.Gather(params=x, indices=y), F(7, 3), I(None, lo=0, hi=7))
model('gather_nd', 'should', lambda x, y: tf.gather_nd(x, y), F(4, 5, 2), I(None, 2, lo=0, hi=4))
model('gather_nd_full', 'should', lambda x, y: tf.gather_nd(x, y), I(4, 5), L(3, 2, 2, lo=0, hi=4))
model('gather_nd_batch_dims', 'should', lambda x, y: tf.gather_nd(x, y, batch_dims=1), F(2, 5, 3), I(2, 4, 1, lo=0, hi=5))
model('scatter_nd', 'should', lambda x, y: tf.scatter_nd(x, y, [8, 3]), I(4, 1, lo=0, hi=8), F(4, 3))
model('scatter_nd_double', 'should', lambda x, y: tf.scatter_nd(x, y, [4]), I(5, 1, data=lambda r, k: [[0], [1], [1], [3], [k]]), F(5))
model('tensor_scatter_update', 'should', lambda x, y: tf.tensor_scatter_nd_update(x, [[1], [3]], y), F(5, 3), F(2, 3))
model('tensor_scatter_update_points', 'should', lambda x, y: tf.tensor_scatter_nd_update(x, y, [9., 8.]), F(4, 3), I(2, 2, data=lambda r, k: [[0, 1], [3, 2]]))
model('tensor_scatter_add', 'should', lambda x, y: tf.tensor_scatter_nd_add(x, [[1], [3], [1]], y), F(5, 3), F(3, 3))
model('tensor_scatter_sub_max_min', 'should', lambda x, y: [f(x, [[1], [3], [1]], y) for f in (tf.tensor_scatter_nd_sub, tf.tensor_scatter_nd_max, tf.tensor_scatter_nd_min)], F(5, 3), F(3, 3))
model('expand_dims', 'should', lambda x: [tf.expand_dims(x, 0), tf.expand_dims(x, 1), tf.expand_dims(x, -1)], F(None, 4))
model('fill', 'should', lambda x: tf.fill(tf.shape(x), 3.5), F(None, 4))
model('fill_value', 'should', lambda x, y: tf.fill(x, y), I(2, lo=1, hi=5), F())
model('ones_zeros', 'should', lambda x: [tf.ones([tf.shape(x)[0], 3]), tf.zeros([2, tf.shape(x)[0]], tf.int32)], F(None, 4))
model('range', 'should', lambda x: tf.range(x), I(data=lambda r, k: 4 + 3 * k))
model('range_of_shape', 'should', lambda x: tf.range(tf.shape(x)[1]), F(2, None))
model('range_float', 'should', lambda x, y: tf.range(x, y, .5), F(data=lambda r, k: -1), F(data=lambda r, k: 2.2 + k))
model('range_down_int64', 'should', lambda x: tf.range(x, 0, -2), L(data=lambda r, k: 9 + k))
model('linspace', 'should', lambda x, y: tf.linspace(x, y, 5), F(), F(lo=3, hi=4))
model('rank', 'should', tf.rank, F(None, 3, 4))
model('size', 'rare', tf.size, F(None, 3, 4))
model('tile', 'should', lambda x: [tf.tile(x, [2, 1, 3]), tf.tile(x, [1, 2, 1])], F(None, 2, 3))
model('tile_by_input', 'should', tf.tile, I(2, 3), I(2, lo=1, hi=4))
model('tile_bool', 'should', lambda x: tf.tile(x, [2, 2]), B(2, 3))
model('repeat', 'should', lambda x: [tf.repeat(x, 3, axis=1), tf.repeat(x, [1, 0, 2], axis=1)], F(2, 3))
model('broadcast_to', 'should', lambda x: tf.broadcast_to(x, [3, 2, 4]), F(2, 1))
model('broadcast_to_open', 'should', lambda x, y: tf.broadcast_to(x, tf.shape(y)), F(4), F(None, 3, 4))
model('broadcast_dynamic_shape', 'should', lambda x, y: tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(y)), F('n', 1), F('m'))
model('reverse', 'should', lambda x: [tf.reverse(x, [1]), tf.reverse(x, [-1]), tf.reverse(x, [0, 2])], F(None, 3, 4))
model('reverse_int', 'should', lambda x: tf.reverse(x, [0]), L(None, 3))
model('roll', 'should', lambda x: [tf.roll(x, 2, 1), tf.roll(x, [1, -1], [0, 2])], F(None, 5, 3))
model('roll_int', 'should', lambda x: tf.roll(x, -3, 0), I(7))
model('split', 'should', lambda x: tf.split(x, 3, axis=1), F(None, 6, 2))
model('split_last', 'should', lambda x: tf.split(x, 2, axis=-1), I(None, 4))
model('split_v', 'should', lambda x: tf.split(x, [1, 3, 2], axis=1), F(None, 6))
model('split_v_rest', 'should', lambda x: tf.split(x, [1, -1], axis=-1), F(None, 2, 6))
model('unpack', 'should', lambda x: tf.unstack(x, axis=1), F(None, 3, 4))
model('unpack_first', 'should', lambda x: tf.unstack(x), F(2, 3))
model('unpack_last_int', 'should', lambda x: tf.unstack(x, axis=-1)[::-1], I(None, 3))
for t in ('float32', 'int32', 'int64', 'bool', 'uint8', 'int8', 'int16', 'float16', 'float64'):
    model(f'cast_{t}', 'should', lambda x, t=t: [tf.cast(x, u) for u in ('float32', 'int32', 'int64', 'bool') if u != t], A(None, 4, t=t, **({'lo': -3.7, 'hi': 3.7} if t[0] == 'f' else {'hi': 2 if t == 'bool' else 100})))
    if t not in ('float32', 'bool'): model(f'cast_to_{t}', 'should', lambda x, t=t: tf.cast(x, t), F(None, 4, lo=0, hi=50))
model('one_hot', 'should', lambda x: [tf.one_hot(x, 5), tf.one_hot(x, 5, 2., -1., axis=0), tf.one_hot(x, 5, axis=1)], I(None, 3, lo=-1, hi=6))
model('one_hot_int64', 'should', lambda x: tf.one_hot(x, 4, dtype=tf.int32), L(None, lo=0, hi=4))
model('one_hot_bool', 'should', lambda x: tf.one_hot(x, 4, True, False, dtype=tf.bool), I(None, lo=0, hi=4))
model('top_k', 'should', lambda x: list(tf.math.top_k(x, 3)), F(None, 7))
model('top_k_by_input', 'should', lambda x, y: list(tf.math.top_k(x, y)), F(None, 7), I(data=lambda r, k: 2 + k))
model('top_k_int', 'should', lambda x: list(tf.math.top_k(x, 2)), I(None, 9, hi=99))
model('sort_argsort', 'should', lambda x: [tf.sort(x), tf.sort(x, direction='DESCENDING'), tf.argsort(x, axis=1)], F(None, 5))
model('in_top_k', 'should', lambda x, y: tf.math.in_top_k(y, x, 2), F(3, 5), I(3, lo=0, hi=5))
model('where_1d', 'should', lambda x: tf.where(x > 0), F(None, data=lambda r, k: np.append(r.uniform(-1, 1, 4 + k), 1)))
model('where_2d', 'should', lambda x: tf.where(x), B(None, 4))
model('boolean_mask', 'should', lambda x, y: tf.boolean_mask(x, y), F(None, 3), B(None))
model('select_v1', 'should', lambda x, y, z: R.Select(condition=x, x=y, y=z), B(None, 3), F(None, 3), F(None, 3))
model('select_v1_rows', 'should', lambda x, y, z: R.Select(condition=x, x=y, y=z), B(3), F(3, 4), F(3, 4))
model('select_v2', 'should', tf.where, B('n', 1), F(4), F('n', 4))
model('select_v2_scalar', 'should', lambda x: tf.where(x > 0, x, 0.), F(None, 3, 2))
model('select_v2_int64', 'should', tf.where, B(None, 3), L(None, 3), L(3))
model('select_v2_const_condition', 'should', lambda x, y: tf.where([True, False, True], x, y), F(None, 3), F(None, 3))
model('is_finite', 'should', tf.math.is_finite, F(5, data=lambda r, k: [1, np.inf, -np.inf, np.nan, k]))
model('bucketize', 'should', lambda x: R.Bucketize(input=x, boundaries=[-1., 0., .5, 1.5]), F(None, 6))
model('bucketize_int', 'should', lambda x: R.Bucketize(input=x, boundaries=[-1, 0, 3]), I(None, 6))
model('space_to_batch_4d', 'should', lambda x: tf.space_to_batch(x, [2, 3], [[1, 1], [0, 2]]), F(None, 6, 7, 2))
model('space_to_batch_3d', 'should', lambda x: tf.space_to_batch(x, [2], [[1, 0]]), F(2, 5, 3))
model('batch_to_space_4d', 'should', lambda x: tf.batch_to_space(x, [2, 2], [[1, 0], [0, 1]]), F(8, 3, 4, 2))
model('batch_to_space_3d', 'should', lambda x: tf.batch_to_space(x, [2], [[0, 1]]), F(4, 3, 2))
model('depth_to_space', 'should', lambda x: tf.nn.depth_to_space(x, 2), F(None, 3, 4, 12))
model('space_to_depth', 'should', lambda x: tf.nn.space_to_depth(x, 2), F(None, 4, 6, 3))
for ac, hp in ((False, False), (True, False), (False, True)):
    model(f'resize_bilinear_{int(ac)}{int(hp)}', 'should', lambda x, ac=ac, hp=hp: [R.ResizeBilinear(images=x, size=s, align_corners=ac, half_pixel_centers=hp) for s in ([7, 9], [3, 2])], F(None, 4, 5, 3))
    model(f'resize_nearest_{int(ac)}{int(hp)}', 'should', lambda x, ac=ac, hp=hp: [R.ResizeNearestNeighbor(images=x, size=s, align_corners=ac, half_pixel_centers=hp) for s in ([8, 10], [3, 2])], F(None, 4, 5, 3))
model('resize_by_shape', 'should', lambda x: tf.image.resize(x, tf.shape(x)[1:3] * 2), F(None, 'n', 'm', 2))
model('resize_uint8', 'should', lambda x: tf.image.resize(x, [5, 5]), A(None, 4, 4, 3, t='uint8', hi=256))
BOXES = np.array([[0, 0, 1, 1], [0, .1, 1, 1.1], [0, -.1, 1, .9], [0, 10, 1, 11], [0, 10.1, 1, 11.1], [0, 100, 1, 101]], 'f')
boxes = F(6, 4, data=lambda r, k: BOXES + k * r.uniform(0, .05, (6, 4)))
scores = F(6, data=lambda r, k: r.permutation(6) / 10 + .1)
model('nms_v3', 'should', lambda x, y: R.NonMaxSuppressionV3(boxes=x, scores=y, max_output_size=3, iou_threshold=.5, score_threshold=.2), boxes, scores)
model('nms_v4', 'should', lambda x, y: list(R.NonMaxSuppressionV4(boxes=x, scores=y, max_output_size=5, iou_threshold=.5, score_threshold=.2, pad_to_max_output_size=True)), boxes, scores)
model('nms_v5', 'should', lambda x, y: list(R.NonMaxSuppressionV5(boxes=x, scores=y, max_output_size=5, iou_threshold=.5, score_threshold=.2, soft_nms_sigma=.5, pad_to_max_output_size=True)), boxes, scores)
model('nms_v2', 'should', lambda x, y: R.NonMaxSuppressionV2(boxes=x, scores=y, max_output_size=3, iou_threshold=.5), boxes, scores)
# ---- as quantisation-aware training leaves them
model('fake_quant_args', 'should', lambda x: tf.quantization.fake_quant_with_min_max_args(x, -1.5, 2.), F(None, 5), tolerance=.01)
model('fake_quant_vars', 'should', lambda x: tf.quantization.fake_quant_with_min_max_vars(x, -1., 1.), F(None, 5), tolerance=.01)
model('fake_quant_narrow_4bit', 'should', lambda x: tf.quantization.fake_quant_with_min_max_vars(x, -1., 1., num_bits=4, narrow_range=True), F(None, 5), tolerance=.15)
model('fake_quant_per_channel', 'should', lambda x: tf.quantization.fake_quant_with_min_max_vars_per_channel(x, [-1., -2., -.5], [1., .5, 2.]), F(None, 3), tolerance=.01)
model('quantize_and_dequantize_v4', 'should', lambda x: R.QuantizeAndDequantizeV4(input=x, input_min=-1., input_max=1., signed_input=True, num_bits=8, range_given=True), F(None, 5), tolerance=.01)
model('quantize_and_dequantize_v2', 'rare', lambda x: R.QuantizeAndDequantizeV2(input=x, input_min=-1., input_max=1., range_given=True), F(None, 5), tolerance=.01)
model('quantize_and_dequantize_v3', 'rare', lambda x: R.QuantizeAndDequantizeV3(input=x, input_min=-1., input_max=1., num_bits=8, range_given=True), F(None, 5), tolerance=.01)
# ---- nothing to compute
model('identity_n', 'must', lambda x, y: list(tf.identity_n([x, y])), F(None, 3), I(2))
model('input_is_output', 'must', lambda x: {'a': x, 'b': x + 1}, F(None, 3))
model('constant_output', 'must', lambda x: {'k': tf.constant([1., 2.]), 'y': x * 2}, F(None, 3))
model('same_output_twice', 'must', lambda x: (lambda y: {'p': y, 'q': y})(tf.nn.relu(x)), F(None, 3))
model('unused_input', 'must', lambda x, y: x * 2, F(None, 3), F(4))
model('outputs_by_name', 'must', lambda second, first: {'z': second - first, 'a': first * 2, 'm': second}, F(None, 3), F(None, 3))
model('control_dependencies', 'must', lambda x: with_assert(x), F(None, 3))


def with_assert(x):
    tf.debugging.assert_less(x, 100.)
    tf.print('x', x)
    with tf.control_dependencies([tf.no_op()]): return tf.identity(x) * 2
