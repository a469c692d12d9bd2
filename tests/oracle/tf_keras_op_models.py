"""keras.ops, and Keras layers of both generations as SavedModels with an open batch: what people's graphs are made of today (tf_models.py)."""
import numpy as np
import tensorflow as tf
import tf_keras
import keras as keras3
from tf_models import A, B, F, I, L, S, keras, model

o = keras3.ops
rng = np.random.default_rng(4)


def c(*shape, lo=-1., hi=1.): return rng.uniform(lo, hi, shape).astype('f')


def op(name, f, *args, **k): model(f'ops_{name}', 'ops', f, *args, **k)


def spd(n): return F(2, n, n, data=lambda r, k: (lambda a: a @ a.transpose(0, 2, 1) + n * np.eye(n))(r.normal(size=(2, n, n))))
def square(n): return F(2, n, n, data=lambda r, k: r.normal(size=(2, n, n)) + 2 * np.eye(n))


# ---- one input: name -> range
for name, (lo, hi) in {'arccos': (-.9, .9), 'arccosh': (1.1, 5), 'arcsin': (-.9, .9), 'arcsinh': (-4, 4), 'arctan': (-4, 4), 'arctanh': (-.9, .9), 'cbrt': (-9, 9), 'celu': (-3, 3), 'deg2rad': (-180, 180), 'erfc': (-2, 2), 'exp2': (-4, 4), 'fabs': (-3, 3), 'gelu': (-4, 4),
                       'hard_shrink': (-2, 2), 'hard_sigmoid': (-5, 5), 'hard_silu': (-5, 5), 'hard_tanh': (-2, 2), 'i0': (-3, 3), 'isneginf': (-1, 1), 'log10': (.1, 20), 'log2': (.1, 20), 'log_sigmoid': (-20, 20), 'logdet': (0, 0), 'nan_to_num': (-1, 1), 'rad2deg': (-3, 3),
                       'relu6': (-3, 9), 'signbit': (-1, 1), 'silu': (-5, 5), 'sinc': (-3, 3), 'soft_shrink': (-2, 2), 'softplus': (-30, 30), 'sparse_plus': (-3, 3), 'sparse_sigmoid': (-3, 3), 'sparsemax': (-2, 2), 'squareplus': (-4, 4), 'tanh_shrink': (-3, 3), 'trunc': (-5, 5), 'glu': (-2, 2),
                       'leaky_relu': (-2, 2), 'reciprocal': (.2, 3), 'softmax': (-3, 3), 'logsumexp': (-3, 3), 'isfinite': (-1, 1), 'expm1': (-2, 2), 'rsqrt': (.1, 4), 'erfinv': (-.9, .9), 'angle': (-3, 3), 'negative': (-1, 1), 'isreal': (-1, 1), 'conjugate': (-1, 1)}.items():
    if name != 'logdet': op(name, lambda x, f=getattr(o, name): f(x), F(None, 6, lo=lo, hi=hi))
op('threshold', lambda x: o.threshold(x, .5, -1.), F(None, 6))
op('clip', lambda x: o.clip(x, -.5, 1.), F(None, 6))
op('saturate_cast', lambda x: o.saturate_cast(x, 'uint8'), F(None, 6, lo=-100, hi=400))
op('round_decimals', lambda x: o.round(x, 2), F(None, 6))
op('nan_to_num_values', lambda x: o.nan_to_num(x, nan=5., posinf=7.), F(4, data=lambda r, k: [np.nan, np.inf, -np.inf, k]))
# ---- two inputs
for name, (lo, hi) in {'arctan2': (-2, 2), 'floor_divide': (1, 5), 'fmod': (1, 5), 'mod': (1, 5), 'power': (.3, 3), 'hypot': (-3, 3), 'logaddexp': (-9, 9), 'logaddexp2': (-9, 9), 'heaviside': (-2, 2), 'fmax': (-2, 2), 'fmin': (-2, 2), 'divide_no_nan': (1, 2), 'isclose': (-2, 2), 'nextafter': (1, 2)}.items():
    op(name, lambda x, y, f=getattr(o, name): f(x, y), F(None, 5, lo=lo, hi=hi), F(5, lo=lo, hi=hi))
for name in ('bitwise_and', 'bitwise_or', 'bitwise_xor', 'floor_divide', 'mod', 'maximum', 'power'):
    op(f'{name}_int', lambda x, y, f=getattr(o, name): f(x, y), I(None, 4, lo=1, hi=30), I(4, lo=1, hi=5))
for name in ('left_shift', 'right_shift'): op(name, lambda x, y, f=getattr(o, name): f(x, y), I(None, 4, lo=1, hi=99), I(4, lo=0, hi=4))
op('bitwise_invert', lambda x: o.bitwise_invert(x), I(None, 4))
op('ldexp', lambda x, y: o.ldexp(x, y), F(None, 4), I(4, lo=-3, hi=4))
op('logical_xor', lambda x, y: o.logical_xor(x, y), B(None, 4), B(4))
op('divide_int', lambda x, y: o.divide(x, y), I(None, 4), I(4, lo=1, hi=6))
op('allclose', lambda x, y: o.all(o.isclose(x, y)), F(None, 4), F(4))
# ---- reductions
for name in ('mean', 'sum', 'prod', 'max', 'min', 'std', 'var', 'median', 'amax', 'amin', 'average', 'nansum', 'nanmean', 'nanmax', 'nanstd', 'ptp'):
    op(f'{name}_axis', lambda x, f=getattr(o, name): f(x, axis=-1), F(None, 5))
    if name not in ('average',): op(f'{name}_keepdims', lambda x, f=getattr(o, name): f(x, axis=1, keepdims=True), F(None, 4, 3))
op('count_nonzero', lambda x: o.count_nonzero(x, axis=1), I(None, 6, lo=-1, hi=2))
op('any_all', lambda x: [o.any(x, axis=1), o.all(x, axis=1)], B(None, 3))
op('argmax_argmin', lambda x: [o.argmax(x, axis=-1), o.argmin(x, axis=1, keepdims=True)], F(None, 5))
op('quantile', lambda x: o.quantile(x, .3, axis=1), F(None, 6))
op('quantile_many', lambda x: o.quantile(x, [.1, .5, .9], axis=1, method='nearest'), F(None, 7))
op('percentile', lambda x: o.percentile(x, 70., axis=1), F(None, 6))
op('cumsum_cumprod', lambda x: [o.cumsum(x, axis=1), o.cumprod(x, axis=1)], F(None, 5))
op('nancumsum', lambda x: o.nancumsum(x, axis=1), F(None, 5))
op('norms', lambda x: [o.norm(x, axis=-1), o.norm(x, ord=1, axis=-1), o.norm(x, ord=np.inf, axis=-1)], F(None, 5))
op('norm_matrix', lambda x: [o.norm(x, ord='fro', axis=(1, 2)), o.norm(x, ord='nuc', axis=(1, 2))], F(2, 3, 3))
op('normalize', lambda x: [o.normalize(x, axis=-1), o.normalize(x, axis=-1, order=1)], F(None, 5))
op('moments', lambda x: list(o.moments(x, axes=[0, 1])), F(None, 4, 3))
op('trapezoid_diff', lambda x: [o.trapezoid(x, axis=1), o.diff(x, axis=1), o.diff(x, n=2)], F(None, 6))
# ---- shapes
op('stacks', lambda x, y: [o.hstack([x, y]), o.vstack([x, y]), o.dstack([x, y]), o.stack([x, y], axis=1), o.append(x, y, axis=0)], F(3, 4), F(3, 4))
op('splits', lambda x: [*o.split(x, 2, axis=1), *o.array_split(x, 3, axis=1), *o.hsplit(x, [1, 4])], F(None, 6))
op('vsplit', lambda x: o.vsplit(x, 2), F(4, 3))
op('flips', lambda x: [o.flip(x, axis=1), o.fliplr(x), o.flipud(x)], F(None, 3, 4))
op('rot90', lambda x: [o.rot90(x), o.rot90(x, k=2, axes=(1, 2)), o.rot90(x, k=3)], F(3, 4, 2))
op('moves', lambda x: [o.moveaxis(x, 1, -1), o.swapaxes(x, 1, 2), o.transpose(x)], F(None, 3, 4))
op('ravel', lambda x: [o.ravel(x), o.reshape(x, (-1, 2))], F(None, 4))
op('squeeze_expand', lambda x: [o.squeeze(x, axis=1), o.expand_dims(x, (0, -1))], F(None, 1, 4))
op('roll', lambda x: o.roll(x, 2, axis=1), F(None, 5))
op('tile_repeat', lambda x: [o.tile(x, (2, 3)), o.repeat(x, 2, axis=0), o.repeat(x, 3, axis=-1)], F(None, 4))
for mode in ('constant', 'reflect', 'symmetric'): op(f'pad_{mode}', lambda x, mode=mode: o.pad(x, ((0, 0), (1, 2)), mode=mode), F(None, 5))
op('take', lambda x, y: [o.take(x, y, axis=1), o.take(x, [0, -1], axis=-1)], F(None, 4, 5), I(3, lo=-4, hi=4))
op('take_along_axis', lambda x, y: o.take_along_axis(x, y, axis=1), F(None, 5), I(None, 2, lo=0, hi=5))
op('where', lambda x, y: o.where(x > 0, x, y), F(None, 4), F(4))
op('nonzero', lambda x: o.nonzero(x), F(3, 4, data=lambda r, k: (r.uniform(size=(3, 4)) > .4).astype('f')))
op('diagonals', lambda x: [o.diagonal(x, axis1=1, axis2=2), o.diagonal(x, offset=1, axis1=1, axis2=2), o.trace(x, axis1=1, axis2=2)], F(None, 4, 4))
op('diag', lambda x: [o.diag(x), o.diag(x, k=1), o.diagflat(x)], F(4))
op('triangles', lambda x: [o.tril(x), o.triu(x, k=1), o.tril(x, k=-1)], F(None, 4, 5))
op('tri_eye', lambda x: x + o.tri(3) + o.eye(3, k=1), F(3, 3))
op('meshgrid', lambda x, y: list(o.meshgrid(x, y)), F(3), F(4))
op('arange', lambda x: x + o.arange(0, 5, dtype='float32'), F(None, 5))
op('linspaces', lambda x, y: [o.linspace(x, y, 5), o.logspace(0., 2., 4) * x, o.geomspace(1., 8., 4) + y], F(), F(lo=3, hi=5))
op('full_like', lambda x: [o.full_like(x, 3.), o.ones_like(x), o.zeros_like(x)], F(None, 4))
op('one_hot_multi_hot', lambda x: [o.one_hot(x, 5), o.multi_hot(x, 5)], I(None, 3, lo=0, hi=5))
op('unstack', lambda x: o.unstack(x, axis=1), F(None, 3, 2))
op('slice', lambda x: o.slice(x, (0, 1), (2, 3)), F(2, 5))
op('slice_update', lambda x, y: o.slice_update(x, (1, 0), y), F(4, 3), F(2, 2))
op('scatter', lambda x, y: o.scatter(x, y, (6, 2)), I(3, 1, lo=0, hi=6), F(3, 2))
op('scatter_update', lambda x, y: o.scatter_update(x, [[1], [3]], y), F(5, 2), F(2, 2))
op('searchsorted_digitize', lambda x: [o.searchsorted(o.convert_to_tensor([0., .5, 1.]), x), o.digitize(x, [0., .5, 1.])], F(6))
op('bincount', lambda x: o.bincount(x, minlength=6), I(8, data=lambda r, k: [*r.integers(0, 6, 7), 5]))
op('histogram', lambda x: list(o.histogram(x, bins=4, range=(-1., 1.))), F(20, lo=-.99, hi=.99))
op('sorts', lambda x: [o.sort(x, axis=1), o.argsort(x, axis=1), o.sort(x, axis=0)], F(3, 5))
op('top_k', lambda x: list(o.top_k(x, 3)), F(None, 6))
op('in_top_k', lambda x, y: o.in_top_k(x, y, 2), I(3, lo=0, hi=5), F(3, 5))
op('unravel_index', lambda x: list(o.unravel_index(x, (3, 4))), I(5, lo=0, hi=12))
op('vander', lambda x: o.vander(x, 4), F(4))
op('view_as', lambda x: [o.real(x), o.imag(x)], A(None, 3, t='complex64'))
op('cdist', lambda x, y: o.cdist(x, y), F(4, 3), F(5, 3))
for name in ('segment_sum', 'segment_max', 'segment_min', 'segment_prod'): op(name, lambda x, y, f=getattr(o, name): f(x, y, num_segments=4), F(6, 2), I(6, lo=0, hi=4))
op('depth_to_space', lambda x: o.depth_to_space(x, 2), F(None, 2, 3, 8))
op('space_to_depth', lambda x: o.space_to_depth(x, 2), F(None, 4, 6, 2))
op('unfold', lambda x: o.unfold(x, (2, 2), stride=2), F(2, 3, 4, 4))
# ---- products
op('dot_inner_outer', lambda x, y: [o.dot(x, y), o.inner(x, y), o.outer(x, y), o.vdot(x, y)], F(4), F(4))
op('matmul', lambda x, y: o.matmul(x, y), F(None, 3, 4), F(4, 2))
op('matmul_vector', lambda x, y: o.matmul(x, y), F(None, 3, 4), F(4))
op('tensordot', lambda x: o.tensordot(x, o.convert_to_tensor(c(4, 3, 5)), axes=[[2, 1], [0, 1]]), F(None, 3, 4))
op('einsum', lambda x, y: o.einsum('bhd,bkd->bhk', x, y), F(None, 3, 4), F(None, 5, 4))
op('cross', lambda x, y: o.cross(x, y), F(None, 3), F(None, 3))
op('correlate', lambda x: [o.correlate(x, o.convert_to_tensor(c(3)), mode=m) for m in ('valid', 'same', 'full')], F(8))
# ---- linear algebra
op('cholesky', lambda x: o.cholesky(x), spd(3))
op('cholesky_inverse', lambda x: o.cholesky_inverse(o.cholesky(x)), spd(3))
op('det_logdet', lambda x: [o.det(x), o.logdet(x)], spd(3))
op('slogdet', lambda x: list(o.slogdet(x)), square(3))
op('inv_solve', lambda x, y: [o.inv(x), o.solve(x, y)], square(3), F(2, 3, 2))
op('solve_triangular', lambda x, y: o.solve_triangular(x, y, lower=True), square(3), F(2, 3, 2))
op('lstsq', lambda x, y: o.lstsq(x, y), F(5, 3), F(5, 2))
op('pinv', lambda x: o.pinv(x), F(3, 2))
op('svd_values', lambda x: o.svd(x, compute_uv=False), F(2, 4, 3))
op('qr', lambda x: (lambda q, r: o.matmul(q, r))(*o.qr(x)), F(4, 3))
op('eigh_values', lambda x: o.eigh(x)[0], spd(3))
# ---- signal
op('rfft_irfft', lambda x: o.irfft(o.rfft(x)), F(2, 16))
op('fft', lambda x, y: list(o.fft((x, y))), F(2, 8), F(2, 8))
op('fft2', lambda x, y: list(o.fft2((x, y))), F(2, 4, 4), F(2, 4, 4))
op('stft', lambda x: list(o.stft(x, 16, 8, 16)), F(2, 64))
op('extract_sequences', lambda x: o.extract_sequences(x, 8, 4), F(2, 32))
# ---- nets
for pad in ('valid', 'same'):
    op(f'max_pool_{pad}', lambda x, pad=pad: o.max_pool(x, 2, 2, pad), F(None, 7, 7, 2))
    op(f'average_pool_{pad}', lambda x, pad=pad: o.average_pool(x, 3, 2, pad), F(None, 7, 7, 2))
    op(f'conv_{pad}', lambda x, pad=pad, w=c(3, 3, 2, 4): o.conv(x, w, 1, pad), F(None, 7, 7, 2))
    op(f'conv_dilated_{pad}', lambda x, pad=pad, w=c(3, 3, 2, 4): o.conv(x, w, 1, pad, dilation_rate=2), F(None, 9, 9, 2))
    op(f'depthwise_conv_{pad}', lambda x, pad=pad, w=c(3, 3, 2, 2): o.depthwise_conv(x, w, 1, pad), F(None, 7, 7, 2))
    op(f'separable_conv_{pad}', lambda x, pad=pad, d=c(3, 3, 2, 2), w=c(1, 1, 4, 5): o.separable_conv(x, d, w, 1, pad), F(None, 7, 7, 2))
    op(f'conv_transpose_{pad}', lambda x, pad=pad, w=c(3, 3, 4, 2): o.conv_transpose(x, w, 2, pad), F(None, 4, 5, 2))
op('conv_channels_first', lambda x, w=c(3, 3, 2, 4): o.conv(x, w, 1, 'same', data_format='channels_first'), F(None, 2, 7, 7), ref=None)
op('conv_grouped', lambda x, w=c(3, 3, 2, 6): o.conv(x, w, 1, 'same'), F(None, 6, 6, 6))
op('adaptive_pools', lambda x: [o.adaptive_average_pool(x, (3, 2)), o.adaptive_max_pool(x, (3, 2))], F(2, 7, 8, 3))
op('batch_normalization', lambda x, m=c(3), v=c(3, lo=.5, hi=2), b=c(3), g=c(3): o.batch_normalization(x, m, v, -1, b, g), F(None, 4, 4, 3))
op('layer_normalization', lambda x, g=c(5), b=c(5): o.layer_normalization(x, gamma=g, beta=b), F(None, 3, 5))
op('rms_normalization', lambda x, g=c(5): o.rms_normalization(x, g), F(None, 3, 5))
op('attention', lambda x, y, z: o.dot_product_attention(x, y, z), F(None, 4, 2, 3), F(None, 5, 2, 3), F(None, 5, 2, 3))
op('attention_causal', lambda x, y, z: o.dot_product_attention(x, y, z, is_causal=True), F(None, 4, 2, 3), F(None, 4, 2, 3), F(None, 4, 2, 3))
op('losses', lambda x, y: [o.binary_crossentropy(x, y), o.categorical_crossentropy(x, y), o.psnr(x, y, 1.)], F(3, 4, lo=.1, hi=.9), F(3, 4, lo=.1, hi=.9))
op('sparse_crossentropy', lambda x, y: o.sparse_categorical_crossentropy(x, o.softmax(y)), I(3, lo=0, hi=4), F(3, 4))
# ---- images
for method in ('bilinear', 'nearest', 'bicubic', 'lanczos3', 'lanczos5'):
    op(f'resize_{method}', lambda x, m=method: o.image.resize(x, (7, 5), interpolation=m), F(None, 4, 6, 3))
    op(f'resize_down_{method}', lambda x, m=method: o.image.resize(x, (3, 2), interpolation=m, antialias=m != 'nearest'), F(2, 8, 6, 3))
op('image_resize_ratio', lambda x: o.image.resize(x, (6, 6), pad_to_aspect_ratio=True), F(2, 4, 8, 3))
op('image_crop_pad', lambda x: [o.image.crop_images(x, 1, 1, 1, 0), o.image.pad_images(x, 1, 2, 0, 1)], F(None, 5, 6, 2))
op('image_patches', lambda x: o.image.extract_patches(x, 3, strides=2, padding='same'), F(2, 7, 7, 2))
op('image_colours', lambda x: [o.image.rgb_to_grayscale(x), o.image.rgb_to_hsv(x), o.image.hsv_to_rgb(x)], F(None, 4, 4, 3, lo=0, hi=1))
op('image_affine', lambda x: o.image.affine_transform(x, np.array([[1, .1, .5, -.1, 1, -.5, 0, 0]] * 2, 'f')), F(2, 6, 6, 2))
op('image_map_coordinates', lambda x: o.image.map_coordinates(x, np.stack(np.meshgrid(np.linspace(.2, 3.7, 4), np.linspace(0, 4.1, 5), indexing='ij')).astype('f'), order=1), F(5, 6))
op('image_gaussian_blur', lambda x: o.image.gaussian_blur(x, (3, 3), (1., 1.)), F(2, 6, 6, 2))
op('image_perspective', lambda x: o.image.perspective_transform(x, np.array([[[0, 0], [0, 5], [5, 0], [5, 5]]] * 2, 'f'), np.array([[[.5, 0], [0, 4.5], [5, .5], [4.5, 5]]] * 2, 'f')), F(2, 6, 6, 2))
# ---- control
op('while_loop', lambda x: o.while_loop(lambda i, v: i < 4, lambda i, v: (i + 1, o.tanh(v) + .1), (0, x))[1], F(None, 3))
op('fori_loop', lambda x: o.fori_loop(0, 3, lambda i, v: v * 1.5 + o.cast(i, 'float32'), x), F(None, 3))
op('cond', lambda x: o.cond(o.sum(x) > 0, lambda: x * 2, lambda: -x), F(None, 3))
op('switch', lambda x, y: o.switch(y, [lambda v: v, lambda v: v * 2, lambda v: -v], x), F(None, 3), I(data=lambda r, k: k))
op('scan', lambda x: list(o.scan(lambda a, b: (a * .5 + b, a + b), o.zeros((3,)), x)), F(5, 3))
op('associative_scan', lambda x: o.associative_scan(lambda a, b: a + b, x), F(6, 3))
op('map', lambda x: o.map(lambda v: o.sum(v) * v, x), F(4, 3))
op('vectorized_map', lambda x: o.vectorized_map(lambda v: o.sum(v) * v, x), F(4, 3))
op('select', lambda x: o.select([x < -1, x > 1], [-x, x * 10], 0.), F(None, 4))
# ---- layers: name -> (inputs, layers of x); both generations where both have it
def layer(name, make, *shapes, only=None, dtype='float32', hi=None, lo=None, data=None, save='export', random=False):
    """make(layers) gives a layer, or a function of the inputs."""
    for gen, K in (('k3', tf.keras), ('k2', tf_keras)):
        if only and gen != only: continue

        def build(r, K=K):
            K.utils.set_random_seed(5)
            xs = [K.Input(s, dtype=dtype) for s in shapes]
            m = K.Model(xs if len(xs) > 1 else xs[0], make(K.layers)(*xs))
            for w in m.weights:
                if 'float' in str(w.dtype) and 'seed' not in w.name: w.assign(r.uniform(.1, .9, w.shape) if 'var' in w.name else r.uniform(-.7, .7, w.shape))
            return m
        args = [A(None, *[('t' if i == 0 else 'h') if n is None else n for i, n in enumerate(s)], t=dtype, lo=lo, hi=hi, data=data) for s in shapes]
        keras(f'layer_{name}.{gen}', 'layers', build, *args, save=save, random=random)


layer('mha', lambda L: lambda x, y: L.MultiHeadAttention(2, 4)(x, y), (5, 6), (7, 6))
layer('mha_self_open', lambda L: lambda x: L.MultiHeadAttention(2, 4)(x, x), (None, 6))
layer('mha_causal', lambda L: lambda x: L.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True), (5, 6))
layer('gqa', lambda L: lambda x: L.GroupQueryAttention(4, 4, 2)(x, x), (5, 8), only='k3')
layer('attention', lambda L: lambda x, y: L.Attention(use_scale=True)([x, y]), (4, 6), (5, 6))
layer('additive_attention', lambda L: lambda x, y: L.AdditiveAttention()([x, y]), (4, 6), (5, 6))
layer('transformer_block', lambda L: lambda x: block(L, x), (None, 8))
layer('group_norm', lambda L: L.GroupNormalization(2), (5, 6, 4))
layer('layer_norm_4d', lambda L: L.LayerNormalization(axis=[1, 2, 3]), (4, 5, 3))
layer('rms_norm', lambda L: L.RMSNormalization(), (5, 6), only='k3')
layer('unit_norm', lambda L: L.UnitNormalization(), (5, 6))
layer('spectral_norm', lambda L: L.SpectralNormalization(L.Dense(4)), (6,), only='k3')
layer('batch_norm_dense', lambda L: lambda x: L.BatchNormalization()(L.Dense(5)(x)), (6,))
layer('conv3d', lambda L: L.Conv3D(4, 2, strides=2, padding='same', activation='relu'), (5, 6, 7, 2))
layer('conv3d_transpose', lambda L: L.Conv3DTranspose(3, 2, strides=2), (3, 4, 3, 2))
layer('conv2d_transpose', lambda L: L.Conv2DTranspose(3, 3, strides=2, padding='same', activation='relu'), (5, 6, 2))
layer('conv2d_transpose_open', lambda L: L.Conv2DTranspose(3, 3, strides=2), (None, None, 2))
layer('conv1d_transpose', lambda L: L.Conv1DTranspose(3, 3, strides=2, padding='same'), (5, 2))
layer('conv1d_causal', lambda L: L.Conv1D(4, 3, padding='causal', dilation_rate=2), (9, 2))
layer('conv1d_open', lambda L: L.Conv1D(4, 3, padding='same', activation='relu'), (None, 3))
layer('separable_conv1d', lambda L: L.SeparableConv1D(4, 3, padding='same'), (9, 3))
layer('depthwise_conv1d', lambda L: L.DepthwiseConv1D(3, padding='same'), (9, 3))
layer('locally_connected', lambda L: L.LocallyConnected1D(4, 3), (9, 3), only='k2')
layer('locally_connected_2d', lambda L: L.LocallyConnected2D(4, 3), (6, 6, 2), only='k2')
layer('max_pool3d', lambda L: L.MaxPooling3D(2), (4, 4, 6, 2))
layer('avg_pool3d', lambda L: L.AveragePooling3D(2, padding='same'), (5, 4, 6, 2))
layer('global_pools', lambda L: lambda x: [L.GlobalAveragePooling2D()(x), L.GlobalMaxPooling2D()(x), L.GlobalMaxPooling2D(keepdims=True)(x)], (None, None, 3))
layer('global_pools_3d', lambda L: lambda x: [L.GlobalAveragePooling3D()(x), L.GlobalMaxPooling3D()(x)], (3, 4, 5, 2))
layer('adaptive_pool', lambda L: L.AdaptiveAveragePooling2D((3, 2)), (7, 8, 3), only='k3')
layer('upsampling', lambda L: lambda x: [L.UpSampling2D((2, 3))(x), L.UpSampling2D(2, interpolation='bilinear')(x)], (3, 4, 2))
layer('upsampling_open', lambda L: L.UpSampling2D(2), (None, None, 2))
layer('upsampling_1d_3d', lambda L: lambda x, y: [L.UpSampling1D(2)(x), L.UpSampling3D(2)(y)], (3, 4), (2, 3, 2, 2))
layer('paddings', lambda L: lambda x, y, z: [L.ZeroPadding1D(2)(x), L.ZeroPadding2D(((1, 0), (2, 1)))(y), L.ZeroPadding3D(1)(z)], (3, 4), (3, 4, 2), (2, 3, 2, 2))
layer('croppings', lambda L: lambda x, y: [L.Cropping1D(1)(x), L.Cropping2D(((1, 0), (0, 1)))(y)], (5, 4), (4, 5, 2))
layer('resizing', lambda L: L.Resizing(6, 7), (4, 5, 3))
layer('resizing_crop', lambda L: L.Resizing(6, 6, crop_to_aspect_ratio=True), (8, 12, 3))
layer('center_crop', lambda L: L.CenterCrop(4, 3), (6, 7, 3))
layer('rescaling', lambda L: L.Rescaling(1 / 127.5, offset=-1), (4, 4, 3), hi=255, lo=0)
layer('normalization', lambda L: L.Normalization(mean=[1., 2., 3.], variance=[1., 4., 9.]), (4, 3))
layer('discretization', lambda L: L.Discretization(bin_boundaries=[0., .5, 1.]), (4,))
layer('category_encoding', lambda L: L.CategoryEncoding(6, output_mode='one_hot'), (1,), dtype='int32', lo=0, hi=6)
layer('category_multi_hot', lambda L: L.CategoryEncoding(6, output_mode='multi_hot'), (3,), dtype='int32', lo=0, hi=6)
layer('category_count', lambda L: L.CategoryEncoding(6, output_mode='count'), (3,), dtype='int32', data=lambda r, k: r.integers(0, 6, (k + 1, 3)))
layer('string_lookup', lambda L: L.StringLookup(vocabulary=['a', 'bc', '12']), (2,), dtype='string')
layer('integer_lookup', lambda L: L.IntegerLookup(vocabulary=[3, 5, 7]), (2,), dtype='int64', lo=0, hi=9)
layer('hashing_int', lambda L: L.Hashing(7), (2,), dtype='int64', lo=0, hi=99)
layer('embedding', lambda L: L.Embedding(10, 4), (None,), dtype='int32', lo=0, hi=10)
layer('embedding_mask_lstm', lambda L: lambda x: L.LSTM(4)(L.Embedding(10, 3, mask_zero=True)(x)), (None,), dtype='int32', lo=0, hi=10)
layer('embedding_float', lambda L: L.Embedding(10, 4), (3,), lo=0, hi=10)
layer('merges', lambda L: lambda x, y: [L.Add()([x, y]), L.Subtract()([x, y]), L.Multiply()([x, y]), L.Average()([x, y]), L.Maximum()([x, y]), L.Minimum()([x, y]), L.Concatenate()([x, y]), L.Dot(1)([x, y])], (5,), (5,))
layer('dot_axes', lambda L: lambda x, y: L.Dot((2, 2), normalize=True)([x, y]), (3, 5), (4, 5))
layer('activations', lambda L: lambda x: [L.LeakyReLU()(x), L.ELU()(x), L.PReLU()(x), L.Softmax()(x), L.ReLU(6.)(x), L.Activation('hard_sigmoid')(x), L.Activation('gelu')(x), L.Activation('swish')(x)], (4, 5))
layer('prelu_shared', lambda L: L.PReLU(shared_axes=[1, 2]), (4, 5, 3))
layer('repeat_permute', lambda L: lambda x: L.Permute((2, 1))(L.RepeatVector(3)(x)), (5,))
layer('reshape_flatten', lambda L: lambda x: L.Dense(3)(L.Flatten()(L.Reshape((-1, 4))(x))), (6, 4))
layer('einsum_dense', lambda L: L.EinsumDense('abc,cde->abde', output_shape=(None, 2, 3), bias_axes='de'), (5, 4))
layer('dense_3d_open', lambda L: lambda x: L.Dense(3, activation='relu')(x), (None, 4))
layer('dense_deep', lambda L: lambda x: L.Dense(2, activation='sigmoid')(L.Dropout(.5)(L.Dense(8, activation='tanh')(x))), (4,))
layer('regularising', lambda L: lambda x: L.GaussianNoise(.1)(L.SpatialDropout1D(.3)(L.ActivityRegularization(.1)(x))), (4, 5))
layer('augmentation', lambda L: lambda x: L.RandomRotation(.1)(L.RandomFlip()(x)), (6, 6, 3), random=True)
layer('time_distributed_conv', lambda L: L.TimeDistributed(L.Conv2D(3, 2)), (4, 5, 6, 2))
layer('lambda_k2', lambda L: L.Lambda(lambda v: v * 2 + 1), (4,), only='k2')
layer('gru_reset_before_open', lambda L: L.GRU(4, reset_after=False, return_sequences=True), (None, 3), save='saved_model')
layer('bidirectional_merge_sum', lambda L: L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode='sum'), (None, 3))
layer('lstm_initial_state', lambda L: lambda x, h, s: L.LSTM(4, return_sequences=True, return_state=True)(x, initial_state=[h, s]), (6, 3), (4,), (4,))
layer('encoder_decoder', lambda L: lambda x, y: decoder(L, x, y), (None, 3), (None, 3))
layer('stacked_gru', lambda L: lambda x: L.GRU(3)(L.GRU(4, return_sequences=True)(x)), (6, 3))
layer('conv_lstm1d', lambda L: L.ConvLSTM1D(3, 3, padding='same'), (4, 7, 2))
layer('mel', lambda L: L.MelSpectrogram(num_mel_bins=8, fft_length=64, sequence_stride=32, sampling_rate=8000), (256,), only='k3')
layer('unet', lambda L: lambda x: unet(L, x), (8, 8, 2))
layer('unet_open', lambda L: lambda x: unet(L, x), (None, None, 2), data=lambda r, k: r.normal(size=(k + 1, 8, 6 + 4 * k, 2)))
layer('inception_block', lambda L: lambda x: L.Concatenate()([L.Conv2D(2, 1)(x), L.Conv2D(3, 3, padding='same')(x), L.MaxPooling2D(3, 1, 'same')(x)]), (6, 6, 3))
layer('depth_multiplier', lambda L: lambda x: L.DepthwiseConv2D(3, depth_multiplier=2, dilation_rate=2, padding='same', activation='relu')(x), (9, 9, 3))
layer('grouped_conv', lambda L: L.Conv2D(6, 3, groups=3, padding='same', activation='relu'), (6, 6, 6))
layer('channels_first_bn', lambda L: L.BatchNormalization(axis=1), (3, 5, 5))
layer('text_vectorization', lambda L: L.TextVectorization(vocabulary=['a', 'b', 'hello'], output_sequence_length=4), (1,), dtype='string')


def block(L, x):
    y = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)]))
    return L.LayerNormalization()(L.Add()([y, L.Dense(8)(L.Dense(16, activation='gelu')(y))]))


def decoder(L, x, y):
    _, h, s = L.LSTM(4, return_state=True)(x)
    return L.Dense(3, activation='softmax')(L.LSTM(4, return_sequences=True)(y, initial_state=[h, s]))


def unet(L, x):
    a = L.Conv2D(4, 3, padding='same', activation='relu')(x)
    b = L.Conv2D(6, 3, padding='same', activation='relu')(L.MaxPooling2D()(a))
    up = L.Conv2DTranspose(4, 2, strides=2, padding='same')(b)
    return L.Conv2D(1, 1, activation='sigmoid')(L.Concatenate()([up, a]))
