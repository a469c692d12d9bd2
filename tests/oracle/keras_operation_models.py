"""Operations between layers, for make_keras_models.py: keras.ops of Keras 3 (op_...), TensorFlow's functions in models of Keras 2 (fn_...).

A row is (name, inputs, function): inputs are shapes without the batch, or (shape, dtype); the function takes the module of functions (keras.ops
or tensorflow) and the inputs, and gives the output or a list of them. POSITIVE, UNIT: inputs are first brought there.
"""
import numpy as np

V, M, I4 = (6,), (4, 6), (5, 6, 3)
I = ((6,), 'int32'); J = ((4, 6), 'int32'); L = ((4, 6), 'int64'); B = ((4, 6), 'bool'); U = ((4, 6), 'uint8')
F = np.arange(24, dtype='f').reshape(4, 6) / 7 - 1


def unary(names, shape=M, pre=lambda o, x: x):
    return [(n, [shape], lambda o, x, n=n: getattr(o, n)(pre(o, x))) for n in names.split()]


def binary(names, a=M, b=M, suffix='', pre=lambda o, x: x):
    return [(n + suffix, [a, b], lambda o, x, y, n=n: getattr(o, n)(pre(o, x), pre(o, y))) for n in names.split()]


POSITIVE = lambda o, x: o.abs(x) + .5
UNIT = lambda o, x: o.tanh(x) * .9

OPS = [
    *unary('absolute abs square sign negative exp exp2 expm1 sin cos tan sinh cosh tanh arctan arcsinh ceil floor round trunc deg2rad rad2deg real conj imag angle '
           'isnan isinf isfinite isneginf isposinf isreal sinc cbrt i0 signbit nan_to_num ravel copy size reciprocal zeros_like ones_like empty_like '
           'all any amax amin max min mean sum prod std var ptp median argmax argmin argsort sort cumsum cumprod count_nonzero transpose logical_not flip fliplr flipud '
           'nanmax nanmin nanmean nansum nanprod nanstd nanvar nanmedian nanargmax nanargmin nancumsum nancumprod fabs average rot90 squeeze stop_gradient diff logsumexp'),
    ('vander', [V], lambda o, x: [o.vander(x[0]), o.vander(x[0], 4, increasing=True)]),
    *unary('sqrt log log2 log10 log1p rsqrt', pre=POSITIVE), *unary('arccosh', pre=lambda o, x: o.abs(x) + 1.5),
    *unary('arcsin arccos arctanh erfinv', pre=UNIT), *unary('erf erfc'),
    *unary('relu relu6 sigmoid sparse_sigmoid softplus softsign soft_shrink sparse_plus silu squareplus log_sigmoid leaky_relu hard_sigmoid hard_silu elu selu gelu celu glu '
           'tanh_shrink hard_tanh hard_shrink softmax log_softmax sparsemax swish hard_swish'),
    *binary('add subtract multiply divide true_divide maximum minimum fmax fmin arctan2 hypot logaddexp logaddexp2 mod floor_divide fmod nextafter divide_no_nan heaviside '
            'equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor isclose'),
    *binary('add multiply subtract maximum', M, (1, 6), '_rank'), *binary('power', pre=POSITIVE),
    *binary('add multiply divide floor_divide mod power maximum less equal bitwise_and bitwise_or bitwise_xor gcd lcm', J, J, '_int', lambda o, x: o.mod(x, 5) + 1),
    *binary('left_shift right_shift bitwise_left_shift bitwise_right_shift', J, J, '', lambda o, x: o.mod(x, 5)),
    *unary('bitwise_not bitwise_invert', J),
    ('mixed_types', [M, J, B], lambda o, x, i, b: [x + i, b + i, i / 2, i + 1, i * 2.5, b * 3, o.sqrt(i), o.mean(i), x + o.cast(b, 'int8'), o.cast(x, 'float16') * 2.0, o.cast(x, 'float16') + i]),
    ('mixed_int', [J, L, U], lambda o, i, l, u: [i + l, i + u, u + o.cast(i, 'int8'), u - 3, o.sum(i), o.sum(u), o.max(l), i / (l + 1), i // 3]),
    ('mixed_reduce', [J, U, B], lambda o, i, u, b: [o.mean(u), o.prod(o.mod(u, 3)), o.var(i), o.cumsum(u), o.any(i), o.argmax(u), o.sum(b), o.mean(b), o.cumsum(b), o.median(i)]),
    ('operators', [M, M], lambda o, x, y: [x + y, x - 2, 2 - x, x * .5, 3 / (y * y + 1), x ** 2, -x, abs(x), x // 2, x % 3, x @ o.transpose(y, (0, 2, 1)), 7 // (y * y + 1), 1 - x]),
    ('operators_compare', [M, M], lambda o, x, y: [x > y, x < 1, x >= .5, x <= y, ~(x > 0), (x > 0) & (y > 0), (x > 0) | (y > 0), (x > 0) ^ (y > 0), x != y]),
    ('operators_const', [M], lambda o, x: [x + F, x * F[0], x - F, o.subtract(F, x), x @ F.T, x + np.float32(2), o.add(np.arange(6, dtype='f'), x)]),
    ('operators_int', [J, J], lambda o, x, y: [x + y, x - 2, 2 - x, x // 3, x % 3, -x]),
    # ---- slicing
    ('getitem', [I4], lambda o, x: [x[:, 1:], x[:, :, -1], x[..., 0], x[:, 1:4:2, ::-1], x[:, None], x[:, -2:, 1:-1, :2], x[..., None, 1:], x[:, 0, 0, 0], x[:, ::2]]),
    ('getitem_batch', [I4], lambda o, x: [x[0], x[0, 1:]]),
    # ---- shapes
    ('reshape', [I4], lambda o, x: [o.reshape(x, (-1, 30, 3)), o.reshape(x, (-1, 6, 5, 3)), o.reshape(x, [-1])]),
    ('expand_dims', [M], lambda o, x: [o.expand_dims(x, 1), o.expand_dims(x, -1), o.expand_dims(x, (1, 3))]),
    ('squeeze_axis', [(1, 4, 1)], lambda o, x: [o.squeeze(x, 1), o.squeeze(x, (1, -1)), o.squeeze(x)]),
    ('transpose_axes', [I4], lambda o, x: [o.transpose(x, (0, 3, 1, 2)), o.moveaxis(x, 1, -1), o.moveaxis(x, (1, 2), (3, 1)), o.swapaxes(x, 1, 2), o.transpose(x, (0, -1, 2, 1))]),
    ('concatenate', [M, M], lambda o, x, y: [o.concatenate([x, y], axis=1), o.concatenate([x, y], -1), o.concatenate([x, y]), o.hstack([x, y]), o.vstack([x, y]), o.dstack([x, y])]),
    ('concatenate_types', [M, J], lambda o, x, y: o.concatenate([x, y], axis=1)),
    ('stack', [M, M], lambda o, x, y: [o.stack([x, y], axis=1), o.stack([x, y], -1), o.append(x, y, axis=1), o.append(x, y)]),
    ('split', [M], lambda o, x: [*o.split(x, 2, axis=1), *o.split(x, [1, 3], axis=-1), *o.array_split(x, 4, axis=-1), *o.hsplit(x, 2), *o.dsplit(x, 3)]),
    ('unstack', [M], lambda o, x: o.unstack(x, axis=1)),
    ('tile', [M], lambda o, x: [o.tile(x, (1, 2, 3)), o.tile(x, [2, 1, 1]), o.tile(x, 2), o.repeat(x, 2, axis=1), o.repeat(x, 3), o.repeat(x, [1, 2, 0, 3], axis=1), o.repeat(x, 2, axis=0)]),
    ('broadcast_to', [(1, 6)], lambda o, x: o.broadcast_to(x, (3, 4, 6))),
    ('flip_axis', [I4], lambda o, x: [o.flip(x, 1), o.flip(x, (1, -1)), o.roll(x, 2, axis=1), o.roll(x, (1, -1), axis=(1, 2)), o.roll(x, 3), o.rot90(x, k=1, axes=(1, 2)), o.rot90(x, 2, (1, 2)), o.rot90(x, 3, (1, 2)), o.rot90(x, -1, (2, 3))]),
    ('pad', [M], lambda o, x: [o.pad(x, ((0, 0), (1, 2), (3, 0))), o.pad(x, ((0, 0), (1, 2), (1, 1)), constant_values=2.5), o.pad(x, ((0, 0), (1, 2), (3, 0)), mode='reflect'), o.pad(x, ((0, 0), (1, 2), (3, 0)), 'symmetric')]),
    ('diagonal', [(4, 4)], lambda o, x: [o.tril(x), o.triu(x, 1), o.tril(x, -1), o.diagonal(x, axis1=1, axis2=2), o.diagonal(x, 1, 1, 2), o.trace(x, axis1=1, axis2=2), o.diagonal(x, -1, 1, 2)]),
    ('diag', [V], lambda o, x: [o.diag(x[0]), o.diag(x[0], k=1), o.diagflat(x[0]), o.diag(o.matmul(o.transpose(x), x))]),
    ('meshgrid', [V], lambda o, x: [*o.meshgrid(x[0], x[1, :3]), *o.meshgrid(x[0], x[1, :3], indexing='ij')]),
    ('where', [M, M], lambda o, x, y: [o.where(x > y, x, y), o.where(x > 0, x, 0.), o.where(y > 0, 1, x), o.where(x > 0, 1, 2)]),
    ('select', [M, M], lambda o, x, y: o.select([x > 1, y > 1], [x, y * 2], 3.)),
    ('take', [M], lambda o, x: [o.take(x, [0, 2, -1], axis=1), o.take(x, [[1, 0], [2, 3]], axis=-1), o.take(x, 1, axis=1), o.take(x, [3, 5])]),
    ('take_tensor', [M, I], lambda o, x, i: [o.take(x, o.mod(i, 4), axis=1), o.take_along_axis(x, o.mod(o.expand_dims(i, 1), 4), axis=1), o.take_along_axis(x, o.argsort(x, axis=-1), axis=-1)]),
    ('one_hot', [I], lambda o, x: [o.one_hot(o.mod(x, 5), 5), o.one_hot(o.mod(x, 5), 5, axis=1), o.multi_hot(o.mod(x, 5), 5), o.one_hot(o.mod(x, 7) - 1, 5, dtype='int32')]),
    ('cast', [M], lambda o, x: [o.cast(x, 'int32'), o.cast(x, 'bool'), o.cast(o.cast(x, 'float16'), 'float32'), o.cast(x, 'int64'), o.saturate_cast(x * 100, 'uint8'), o.saturate_cast(x * 100, 'int8'), o.cast(x, 'int8')]),
    ('convert', [M], lambda o, x: [o.convert_to_tensor(x), o.array(x), o.view(x, 'int32')]),
    ('full_like', [M], lambda o, x: [o.full_like(x, 2.5), o.full_like(x, 2, dtype='int32'), o.zeros_like(x, dtype='int32'), o.ones_like(x, 'bool')]),
    ('clip', [M], lambda o, x: [o.clip(x, -1, 1), o.clip(x, 0., 6.)]), ('clip_int', [J], lambda o, x: o.clip(x, 10, 50)),
    ('round_decimals', [M], lambda o, x: [o.round(x, 2), o.round(x, 0)]),
    # ---- reductions
    *[(f'{n}_axes', [I4], lambda o, x, n=n: [getattr(o, n)(x, axis=1), getattr(o, n)(x, axis=(1, 2), keepdims=True), getattr(o, n)(x, axis=-1, keepdims=True), getattr(o, n)(x, keepdims=True)])
      for n in 'sum mean max min amax amin prod std var all any logsumexp median ptp nanmean nansum nanmax nanstd'.split()],
    *[(f'{n}_axis', [M], lambda o, x, n=n: [getattr(o, n)(x, axis=1), getattr(o, n)(x, axis=-1)]) for n in 'argmax argmin argsort sort cumsum cumprod count_nonzero average nanargmax nancumsum'.split()],
    ('argmax_keepdims', [M], lambda o, x: [o.argmax(x, axis=1, keepdims=True), o.argmin(x, -1, keepdims=True), o.argmax(x, keepdims=True)]),
    ('max_initial', [M], lambda o, x: [o.max(x, axis=1, initial=1.5), o.min(x, axis=-1, initial=-1.)]),
    ('average_weights', [M], lambda o, x: [o.average(x, axis=1, weights=np.array([1., 2., 3., 4.], 'f')), o.average(x, axis=-1, weights=o.abs(x[0, 0]) + 1)]),
    ('moments', [I4], lambda o, x: [*o.moments(x, axes=[1, 2]), *o.moments(x, axes=(-1,), keepdims=True)]),
    ('quantile', [M], lambda o, x: [o.quantile(x, .3, axis=1), o.quantile(x, [.25, .5], axis=-1), o.quantile(x, .3, axis=1, method='nearest'), o.percentile(x, 40., axis=1, keepdims=True), o.quantile(x, .7, axis=2, method='lower'), o.quantile(x, .7, axis=2, method='higher'), o.quantile(x, .7, axis=2, method='midpoint'), o.quantile(x, .5)]),
    ('nanquantile', [M], lambda o, x: [o.nanquantile(x, .3, axis=1), o.nanpercentile(x, 30, axis=-1)]),
    ('norm', [M], lambda o, x: [o.norm(x[0]), o.norm(x, axis=-1), o.norm(x, ord=1, axis=1, keepdims=True), o.norm(x, ord='fro', axis=(1, 2))]),
    ('normalize', [M], lambda o, x: [o.normalize(x), o.normalize(x, axis=1, order=1), o.normalize(x, order=3)]),
    ('top_k', [M], lambda o, x: [*o.top_k(x, 3)]), ('top_k_unsorted', [M], lambda o, x: o.top_k(x, 2, sorted=True)[0]),
    ('in_top_k', [I, (6, 10)], lambda o, t, p: o.in_top_k(o.mod(t[0], 10), p[0], 3)),
    ('searchsorted', [V], lambda o, x: [o.searchsorted(o.sort(x[0]), x[1]), o.searchsorted(o.sort(x[0]), x[1], side='right')]),
    ('digitize', [M], lambda o, x: o.digitize(x, np.array([-1., 0., 1.5], 'f'))),
    ('bincount', [I], lambda o, x: [o.bincount(o.mod(x, 5), minlength=5)]),
    ('unravel_index', [I], lambda o, x: [*o.unravel_index(o.mod(x, 24), (4, 6))]),
    ('isin', [I], lambda o, x: [o.isin(o.mod(x, 5), [1, 3]), o.isin(o.mod(x, 5), [1, 3], invert=True)]),
    ('ldexp', [M, J], lambda o, x, i: o.ldexp(x, o.mod(i, 5))),
    ('allclose', [M, M], lambda o, x, y: o.allclose(x, y)),
    # ---- products
    ('matmul', [M, (6, 3)], lambda o, x, y: [o.matmul(x, y), o.matmul(x[0], y[0]), o.matmul(x, y[0, :, 0])]),
    ('matmul_const', [M], lambda o, x: [o.matmul(x, F.T), o.matmul(x, np.ones((6, 2), 'f')), o.matmul(F.T, x)]),
    ('matmul_int', [J, ((6, 3), 'int32')], lambda o, x, y: o.matmul(x, y)),
    ('dot', [M, (6, 3)], lambda o, x, y: [o.dot(x[0], y[0]), o.inner(x[0], x[1]), o.outer(x[0, 0], y[0, :, 0]), o.vdot(x[0], x[1]), o.dot(x, y[0])]),
    ('tensordot', [M, M], lambda o, x, y: [o.tensordot(x, y, axes=[[1, 2], [1, 2]]), o.tensordot(x[0], o.transpose(y[0]), axes=1), o.tensordot(x, y, axes=[[2], [2]])]),
    ('einsum', [M, (6, 3)], lambda o, x, y: [o.einsum('bij,bjk->bik', x, y), o.einsum('bij->bji', x), o.einsum('bij,bjk->k', x, y), o.einsum('...ij,...jk->...ik', x, y), o.einsum('bij,bij->b', x, x)]),
    ('cross', [(4, 3), (4, 3)], lambda o, x, y: o.cross(x, y)), ('cross_axis', [(3, 4), (3, 4)], lambda o, x, y: o.cross(x, y, axis=1)),
    ('kron', [V, V], lambda o, x, y: o.kron(x, y)),
    ('correlate', [V, V], lambda o, x, y: [o.correlate(x[0], y[0, :3]), o.correlate(x[0], y[0, :3], mode='same'), o.correlate(x[0], y[0, :3], mode='full')]),
    ('corrcoef', [M], lambda o, x: o.corrcoef(x[0])),
    ('trapezoid', [M], lambda o, x: [o.trapezoid(x), o.trapezoid(x, dx=.5, axis=1)]),
    ('diff_n', [M], lambda o, x: [o.diff(x, n=2), o.diff(x, axis=1)]),
    ('linspace', [V], lambda o, x: [o.linspace(x[0], x[1], num=5), o.linspace(x, x + 2, num=4, endpoint=False, axis=-1), o.logspace(x[0] / 4, x[1] / 4, num=4), o.geomspace(o.abs(x[0]) + 1, o.abs(x[1]) + 2, num=4)]),
    # ---- nn
    ('softmax_axes', [I4], lambda o, x: [o.softmax(x, axis=1), o.log_softmax(x, axis=2)]),
    ('activations_options', [M], lambda o, x: [o.leaky_relu(x, .3), o.elu(x, .5), o.celu(x, .5), o.gelu(x, approximate=False), o.glu(x, axis=1), o.soft_shrink(x, .2), o.hard_shrink(x, .3), o.threshold(x, .5, -1.), o.squareplus(x, 2)]),
    ('max_pool', [I4], lambda o, x: [o.max_pool(x, 2), o.max_pool(x, (3, 2), strides=1, padding='same'), o.average_pool(x, 2, 2, 'same'), o.average_pool(x, (2, 3))]),
    ('pool_1d', [M], lambda o, x: [o.max_pool(x, 2), o.average_pool(x, 2, strides=1, padding='same')]),
    ('pool_3d', [(4, 4, 4, 2)], lambda o, x: [o.max_pool(x, 2), o.average_pool(x, 2)]),
    ('adaptive_pool', [(6, 8, 3)], lambda o, x: [o.adaptive_average_pool(x, (3, 4)), o.adaptive_max_pool(x, (2, 2)), o.adaptive_average_pool(x, (4, 3))]),
    ('conv', [I4], lambda o, x: [o.conv(x, np.cos(np.arange(3 * 3 * 3 * 4, dtype='f')).reshape(3, 3, 3, 4), padding='same'), o.conv(x, np.cos(np.arange(2 * 2 * 3 * 4, dtype='f')).reshape(2, 2, 3, 4), strides=2), o.conv(x, np.cos(np.arange(2 * 2 * 3 * 4, dtype='f')).reshape(2, 2, 3, 4), dilation_rate=2)]),
    ('conv_1d', [M], lambda o, x: o.conv(x, np.cos(np.arange(3 * 6 * 4, dtype='f')).reshape(3, 6, 4), padding='same')),
    ('depthwise_conv', [I4], lambda o, x: [o.depthwise_conv(x, np.cos(np.arange(3 * 3 * 3 * 2, dtype='f')).reshape(3, 3, 3, 2), padding='same'), o.separable_conv(x, np.cos(np.arange(3 * 3 * 3 * 2, dtype='f')).reshape(3, 3, 3, 2), np.cos(np.arange(24, dtype='f')).reshape(1, 1, 6, 4))]),
    ('batch_normalization', [M], lambda o, x: [o.batch_normalization(x, np.arange(6, dtype='f'), np.arange(1, 7, dtype='f'), -1), o.batch_normalization(x, np.arange(6, dtype='f'), np.arange(1, 7, dtype='f'), -1, offset=np.ones(6, 'f'), scale=np.arange(6, dtype='f'), epsilon=.01)]),
    ('layer_normalization', [M], lambda o, x: [o.layer_normalization(x, axis=-1), o.rms_normalization(x), o.layer_normalization(x, np.arange(6, dtype='f'), np.ones(6, 'f')), o.rms_normalization(x, np.arange(6, dtype='f'))]),
    ('attention', [(5, 2, 4), (7, 2, 4)], lambda o, q, k: [o.dot_product_attention(q, k, k), o.dot_product_attention(q, q, q, is_causal=True), o.dot_product_attention(q, k, k, scale=.3)]),
    ('depth_to_space', [(4, 4, 8)], lambda o, x: [o.depth_to_space(x, 2), o.space_to_depth(x, 2)]),
    ('crossentropy', [V, V], lambda o, x, y: [o.binary_crossentropy(o.sigmoid(x), o.sigmoid(y)), o.binary_crossentropy(o.sigmoid(x), y, from_logits=True), o.categorical_crossentropy(o.softmax(x), o.softmax(y)), o.categorical_crossentropy(o.softmax(x), y, from_logits=True)]),
    ('sparse_crossentropy', [I, (6, 5)], lambda o, t, p: [o.sparse_categorical_crossentropy(o.mod(t, 5), o.softmax(p)), o.sparse_categorical_crossentropy(o.mod(t, 5), p, from_logits=True)]),
    ('psnr', [M, M], lambda o, x, y: o.psnr(x, y, 2.)),
    ('unfold', [(3, 6, 6)], lambda o, x: o.unfold(x, 2)),
    ('scatter_update', [M], lambda o, x: [o.scatter_update(x, [[0, 1], [1, 2]], np.ones((2, 6), 'f')), o.slice_update(x, [0, 1, 2], np.ones((1, 2, 3), 'f')), o.slice(x, [0, 1, 2], (2, 2, 3))]),
    ('scatter', [V], lambda o, x: o.scatter([[0], [2]], o.stack([x[0], x[1]]), (4, 6))),
    ('segment', [I, V], lambda o, i, x: [o.segment_sum(x, o.mod(i[:, 0], 4), num_segments=4), o.segment_max(x[0], np.array([0, 0, 1, 1, 2, 3]), num_segments=4)]),
    ('cdist', [M, (5, 6)], lambda o, x, y: o.cdist(x, y)),
    ('extract_sequences', [(20,)], lambda o, x: o.extract_sequences(x, 6, 2)),
    ('fft', [(8,), (8,)], lambda o, x, y: [*o.fft((x, y)), *o.rfft(x), o.irfft((x[:, :5], y[:, :5]), 8)]),
    ('fft2', [(4, 8), (4, 8)], lambda o, x, y: [*o.fft2((x, y)), *o.ifft2((x, y))]),
    ('stft', [(40,)], lambda o, x: [*o.stft(x, 16, 8, 16), *o.stft(x, 12, 6, 16, window='hamming', center=False)]),
    ('polar', [M, M], lambda o, x, y: [o.real(o.polar(o.abs(x), y)), o.imag(o.conj(o.polar(o.abs(x), y)))]),
    # ---- linear algebra
    *[(n, [(4, 4)], lambda o, x, n=n: getattr(o, n)(o.matmul(x, o.transpose(x, (0, 2, 1))) + 2 * np.eye(4, dtype='f'))) for n in 'cholesky det inv logdet cholesky_inverse matrix_rank'.split()],
    ('solve', [(4, 4), (4, 3)], lambda o, a, b: [o.solve(a + 6 * np.eye(4, dtype='f'), b), o.solve_triangular(a + 6 * np.eye(4, dtype='f'), b, lower=True), o.solve_triangular(a + 6 * np.eye(4, dtype='f'), b), o.solve(a + 6 * np.eye(4, dtype='f'), b[:, :, 0])]),
    ('qr', [(5, 3)], lambda o, x: o.abs(o.qr(x)[1])), ('svd', [(5, 3)], lambda o, x: o.svd(x, full_matrices=False, compute_uv=True)[1]), ('eigh', [(4, 4)], lambda o, x: o.eigh(x + o.transpose(x, (0, 2, 1)))[0]),
    ('slogdet', [(4, 4)], lambda o, x: [*o.slogdet(x)]), ('pinv', [(4, 3)], lambda o, x: o.pinv(x)), ('lstsq', [(5, 3), (5, 2)], lambda o, a, b: o.lstsq(a[0], b[0])),
    # ---- images
    ('image_color', [I4], lambda o, x: [o.image.rgb_to_grayscale(x), o.image.rgb_to_hsv(o.sigmoid(x)), o.image.hsv_to_rgb(o.sigmoid(x))]),
    *[(f'image_resize_{m}', [I4], lambda o, x, m=m: o.image.resize(x, (8, 9), interpolation=m)) for m in 'nearest bilinear bicubic lanczos3 lanczos5'.split()],
    ('image_resize_antialias', [(12, 11, 3)], lambda o, x: o.image.resize(x, (5, 4), antialias=True)), ('image_resize_crop', [(12, 8, 3)], lambda o, x: [o.image.resize(x, (5, 5), crop_to_aspect_ratio=True), o.image.resize(x, (5, 5), pad_to_aspect_ratio=True)]),
    ('image_pad', [I4], lambda o, x: [o.image.pad_images(x, 1, 2, 3, 4), o.image.pad_images(x, 1, 2, target_height=9, target_width=12), o.image.crop_images(x, 1, 2, 1, 0), o.image.crop_images(x, 1, 2, target_height=3, target_width=4)]),
    ('image_patches', [(6, 8, 2)], lambda o, x: [o.image.extract_patches(x, 2), o.image.extract_patches(x, (3, 2), strides=1, padding='same'), o.image.extract_patches(x, 2, strides=(1, 2), dilation_rate=1)]),
    ('image_affine', [I4, (8,)], lambda o, x, t: [o.image.affine_transform(x, np.tile(np.array([[1, .1, .5, -.1, .9, .2, 0, 0]], 'f'), (3, 1)))]),
    ('image_map', [M], lambda o, x: o.image.map_coordinates(x[0], np.array([[.5, 1.2, 3, -1], [1.5, 2., 4.4, 2]], 'f'), order=1)),
    ('image_blur', [I4], lambda o, x: [o.image.gaussian_blur(x), o.image.gaussian_blur(x, (5, 3), (1.5, .7)), o.image.sobel_edges(x)]),
    ('image_scale', [I4], lambda o, x: o.image.scale_and_translate(x, (3, 8, 9, 3), np.array([1.5, 1.4], 'f'), np.array([.2, .1], 'f'), (1, 2), 'linear')),
    ('image_ssim', [(14, 13, 3), (14, 13, 3)], lambda o, x, y: o.image.ssim(o.sigmoid(x), o.sigmoid(y))),
    # ---- open sizes
    ('open_length', [(None, 6)], lambda o, x: [o.mean(x, axis=1), o.reshape(x, (-1, 6)), x[:, -1], o.softmax(x, axis=1), o.concatenate([x, x], 1), o.max(x, 1, keepdims=True) + x, o.expand_dims(x, 1), o.matmul(x, o.transpose(x, (0, 2, 1)))]),
    ('shape_op', [(None, 6)], lambda o, x: o.reshape(x, (-1, 2, 3))),
    ('gated', [M, M], lambda o, x, y: o.sigmoid(x) * y + (1 - o.sigmoid(x)) * o.tanh(y)), ('rms', [M], lambda o, x: x * o.rsqrt(o.mean(o.square(x), axis=-1, keepdims=True) + 1e-6)),
    ('kwargs', [M, M], lambda o, x, y: [o.add(x1=x, x2=y), o.where(condition=x > 0, x1=x, x2=y), o.sum(x=x, axis=1), o.matmul(x1=x, x2=o.transpose(y, axes=(0, 2, 1)))]),
]

RANGED = lambda f: lambda o, x: f(o, o.abs(x) + .5)
FUNCTIONS = [
    *[(f'math_{n}', [M], lambda o, x, n=n: getattr(o.math, n)(x)) for n in
      'abs acosh asinh atan ceil cos cosh cumsum erf erfc exp expm1 floor is_finite is_inf is_nan negative reciprocal_no_nan rint round sigmoid sign sin sinh softplus softsign square tan tanh '
      'log_sigmoid reduce_max reduce_mean reduce_min reduce_prod reduce_sum reduce_std reduce_variance reduce_logsumexp reduce_euclidean_norm argmax argmin cumprod bessel_i0 bessel_i1e '
      'softmax log_softmax l2_normalize zero_fraction'.split()],
    *[(f'math_{n}', [M], RANGED(lambda o, x, n=n: getattr(o.math, n)(x))) for n in 'log log1p sqrt rsqrt lgamma digamma reciprocal'.split()],
    *[(f'math_{n}', [M], lambda o, x, n=n: getattr(o.math, n)(o.tanh(x) * .9)) for n in 'acos asin atanh erfinv'.split()],
    *[(f'math_{n}', [M, M], lambda o, x, y, n=n: getattr(o.math, n)(x, y)) for n in
      'add subtract multiply divide maximum minimum squared_difference floordiv floormod atan2 divide_no_nan multiply_no_nan less less_equal greater greater_equal equal not_equal truediv'.split()],
    *[(f'math_{n}', [M, M], lambda o, x, y, n=n: getattr(o.math, n)(o.abs(x) + .5, o.abs(y) + .5)) for n in 'pow xdivy xlogy xlog1py igamma igammac'.split()],
    *[(f'reduce_{n}', [I4], lambda o, x, n=n: [getattr(o, 'reduce_' + n)(x, 1), getattr(o, 'reduce_' + n)(x, axis=[1, 2], keepdims=True), getattr(o, 'reduce_' + n)(x, axis=-1)]) for n in 'sum mean max min prod logsumexp'.split()],
    ('reduce_bool', [M], lambda o, x: [o.reduce_all(x > 0, axis=1), o.reduce_any(x > 0, axis=-1, keepdims=True)]),
    ('logical', [M, M], lambda o, x, y: [o.logical_and(x > 0, y > 0), o.logical_or(x > 0, y > 0), o.logical_not(x > 0), o.math.logical_xor(x > 0, y > 0)]),
    *[(f'nn_{n}', [M], lambda o, x, n=n: getattr(o.nn, n)(x)) for n in 'relu relu6 elu selu leaky_relu gelu silu swish softmax log_softmax softplus softsign tanh sigmoid crelu'.split()],
    ('nn_options', [M], lambda o, x: [o.nn.leaky_relu(x, alpha=.3), o.nn.softmax(x, axis=1), o.nn.l2_normalize(x, axis=-1), o.nn.gelu(x, approximate=True), o.nn.log_softmax(x, axis=1), o.math.l2_normalize(x, 1, 1e-6), o.nn.silu(x, 2.)]),
    ('nn_bias', [M], lambda o, x: o.nn.bias_add(x, np.arange(6, dtype='f'))),
    ('nn_conv2d', [I4], lambda o, x: [o.nn.conv2d(x, np.cos(np.arange(108, dtype='f')).reshape(3, 3, 3, 4), strides=1, padding='SAME'), o.nn.conv2d(x, np.cos(np.arange(108, dtype='f')).reshape(3, 3, 3, 4), [1, 2, 2, 1], 'VALID')]),
    ('nn_conv_more', [I4], lambda o, x: [o.nn.depthwise_conv2d(x, np.cos(np.arange(54, dtype='f')).reshape(3, 3, 3, 2), [1, 1, 1, 1], 'SAME'), o.nn.conv2d_transpose(x, np.cos(np.arange(108, dtype='f')).reshape(3, 3, 4, 3), [3, 10, 12, 4], 2), o.nn.atrous_conv2d(x, np.cos(np.arange(48, dtype='f')).reshape(2, 2, 3, 4), 2, 'VALID'), o.nn.convolution(x, np.cos(np.arange(108, dtype='f')).reshape(3, 3, 3, 4), padding='SAME')]),
    ('nn_conv1d', [M], lambda o, x: o.nn.conv1d(x, np.cos(np.arange(72, dtype='f')).reshape(3, 6, 4), 1, 'SAME')),
    ('nn_pool', [I4], lambda o, x: [o.nn.max_pool2d(x, 2, 2, 'VALID'), o.nn.avg_pool2d(x, 3, 1, 'SAME'), o.nn.max_pool(x, 2, 1, 'SAME'), o.nn.avg_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], 'VALID')]),
    ('nn_batch_norm', [M], lambda o, x: [o.nn.batch_normalization(x, np.arange(6, dtype='f'), np.arange(1, 7, dtype='f'), np.ones(6, 'f'), np.arange(6, dtype='f'), .001), *o.nn.moments(x, axes=[1])]),
    ('nn_lrn', [(4, 4, 8)], lambda o, x: [o.nn.local_response_normalization(x), o.nn.lrn(x, depth_radius=2, bias=1., alpha=1e-2, beta=.75)]),
    ('nn_space', [(4, 4, 8)], lambda o, x: [o.nn.depth_to_space(x, 2), o.nn.space_to_depth(x, 2), o.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], 'VALID')]),
    ('nn_dropout', [M], lambda o, x: o.nn.embedding_lookup(np.cos(np.arange(40, dtype='f')).reshape(10, 4), o.cast(o.abs(x), 'int32'))),
    ('nn_top_k', [M], lambda o, x: [*o.math.top_k(x, 3), *o.nn.top_k(x, k=2)]),
    ('nn_losses', [V, V], lambda o, x, y: [o.nn.sigmoid_cross_entropy_with_logits(labels=o.sigmoid(x), logits=y), o.nn.softmax_cross_entropy_with_logits(labels=o.nn.softmax(x), logits=y), o.nn.l2_loss(x)]),
    # ---- shapes
    ('reshape', [I4], lambda o, x: [o.reshape(x, [-1, 30, 3]), o.reshape(x, (-1, 6, 5, 3)), o.expand_dims(x, 1), o.expand_dims(x, axis=-1), o.transpose(x, [0, 3, 1, 2]), o.transpose(x, perm=(0, 2, 1, 3)), o.transpose(x)]),
    ('shape', [I4], lambda o, x: [o.shape(x), o.size(x), o.zeros_like(x), o.ones_like(x), o.reshape(x, [o.shape(x)[0], -1]), o.zeros([o.shape(x)[0], 3]) + o.reduce_sum(x, [1, 2])]),
    ('squeeze', [(1, 4, 1)], lambda o, x: [o.squeeze(x, 1), o.squeeze(x, axis=[1, 3]), o.squeeze(x, [-1])]),
    ('concat', [M, M], lambda o, x, y: [o.concat([x, y], axis=1), o.concat([x, y], -1), o.concat([x, y, x], 0), o.stack([x, y], axis=1), o.stack([x, y])]),
    ('concat_const', [M], lambda o, x: o.concat([x, o.zeros_like(x), x * 2], 1)),
    ('split', [M], lambda o, x: [*o.split(x, 2, axis=1), *o.split(x, [1, 3, 2], axis=-1), *o.split(x, num_or_size_splits=3, axis=2)]),
    ('unstack', [M], lambda o, x: o.unstack(x, axis=1)),
    ('tile', [M], lambda o, x: [o.tile(x, [1, 2, 3]), o.repeat(x, 2, axis=1), o.repeat(x, repeats=[1, 2, 0, 3], axis=1), o.broadcast_to(x, [3, 4, 6])]),
    ('pad', [M], lambda o, x: [o.pad(x, [[0, 0], [1, 2], [3, 0]]), o.pad(x, [[0, 0], [1, 2], [3, 0]], 'REFLECT'), o.pad(x, ((0, 0), (1, 2), (1, 0)), mode='SYMMETRIC'), o.pad(x, [[0, 0], [1, 2], [3, 0]], constant_values=1.5)]),
    ('slice', [I4], lambda o, x: [o.slice(x, [0, 1, 2, 0], [-1, 2, 3, 1]), o.strided_slice(x, [0, 1, 0, 0], [3, 5, 6, 3], [1, 2, 1, 1]), o.strided_slice(x, [0, 1], [3, 2], begin_mask=1, end_mask=1)]),
    ('getitem', [I4], lambda o, x: [x[:, 1:], x[:, :, -1], x[:, 1:4:2, ::-1], x[:, None], x[:, -2:, 1:-1, :2], x[:, :, o.newaxis, 1:], x[0], x[:, :, :, ::2]]),
    ('getitem_tensor', [M, ((), 'int32')], lambda o, x, i: x[:, o.math.floormod(i[0], 4)]),
    ('gather', [M, I], lambda o, x, i: [o.gather(x, [0, 2, 1], axis=1), o.gather(x, o.math.floormod(i, 4), axis=1, batch_dims=1), o.gather(x, i[:, 0] * 0), o.gather_nd(x, [[0, 1], [2, 3]]), o.gather(x, 2, axis=-1)]),
    ('boolean', [M, M], lambda o, x, y: [o.where(x > y, x, y), o.where(x > 0, x, 0.), o.cast(x > y, o.float32), o.cast(x, 'int32'), o.clip_by_value(x, -1., 1.), o.clip_by_norm(x, 1.), o.minimum(x, 2.), o.maximum(0., x)]),
    ('one_hot', [I], lambda o, x: [o.one_hot(o.math.floormod(x, 5), 5), o.one_hot(o.math.floormod(x, 5), depth=5, axis=1, on_value=2., off_value=-1.), o.one_hot(x % 7, 5, dtype=o.int32)]),
    ('sort', [M], lambda o, x: [o.sort(x, axis=1), o.argsort(x), o.sort(x, direction='DESCENDING'), o.argsort(x, axis=1, direction='DESCENDING'), o.argmax(x, axis=1), o.argmin(x, -1, output_type=o.int32), o.cumsum(x, axis=1, exclusive=True), o.cumsum(x, 1, reverse=True)]),
    ('reverse', [I4], lambda o, x: [o.reverse(x, [1]), o.reverse(x, axis=[1, 2]), o.roll(x, 1, axis=1), o.roll(x, shift=[1, -2], axis=[1, 2]), o.image.flip_left_right(x), o.image.flip_up_down(x), o.image.rot90(x), o.image.transpose(x)]),
    ('matmul', [M, (6, 3)], lambda o, x, y: [o.matmul(x, y), o.matmul(y, x, True, True), o.matmul(x, x, transpose_b=True), o.linalg.matmul(x, y), o.tensordot(x, np.ones((6, 2), 'f'), axes=1), o.tensordot(x, x, [[1, 2], [1, 2]]), o.matmul(x, np.ones((6, 2), 'f'))]),
    ('linalg', [(4, 4)], lambda o, x: [o.linalg.band_part(x, -1, 0), o.linalg.diag_part(x), o.linalg.diag(x[:, 0]), o.linalg.det(x), o.linalg.inv(x + np.eye(4, dtype='f') * 6), o.linalg.trace(x), o.linalg.norm(x, axis=-1), o.norm(x), o.linalg.matrix_transpose(x), o.linalg.set_diag(x, x[:, 0]), o.linalg.tensor_diag(x[0, 0]), o.linalg.matvec(x, x[:, 0]), o.linalg.adjoint(x)]),
    ('linalg_solve', [(4, 4), (4, 2)], lambda o, a, b: [o.linalg.solve(a + np.eye(4, dtype='f') * 6, b), o.linalg.triangular_solve(a + np.eye(4, dtype='f') * 6, b), o.linalg.cholesky(o.matmul(a, a, transpose_b=True) + np.eye(4, dtype='f')), o.linalg.l2_normalize(a, 1), o.linalg.logdet(o.matmul(a, a, transpose_b=True) + np.eye(4, dtype='f')), o.linalg.cross(a[:, :, :3], a[:, :, 1:])]),
    ('image_resize', [I4], lambda o, x: [o.image.resize(x, [8, 9]), o.image.resize(x, (10, 12), method='nearest'), o.image.resize(x, [7, 7], method='bicubic'), o.compat.v1.image.resize_bilinear(x, [10, 12], align_corners=True), o.compat.v1.image.resize_nearest_neighbor(x, [10, 12])]),
    ('image_color', [I4], lambda o, x: [o.image.rgb_to_grayscale(x), o.image.grayscale_to_rgb(x[:, :, :, :1]), o.image.per_image_standardization(x), o.image.adjust_contrast(x, 2.), o.image.adjust_brightness(x, .1), o.image.rgb_to_hsv(o.sigmoid(x)), o.image.hsv_to_rgb(o.sigmoid(x)), o.image.convert_image_dtype(x, o.float32), o.image.rgb_to_yuv(x)]),
    ('image_crop', [(6, 8, 3)], lambda o, x: [o.image.central_crop(x, .5), o.image.crop_to_bounding_box(x, 1, 2, 3, 4), o.image.pad_to_bounding_box(x, 1, 2, 9, 12), o.image.resize_with_crop_or_pad(x, 4, 10)]),
    ('signal', [(16,)], lambda o, x: o.signal.frame(x, 4, 2)),
    ('operators', [M, M], lambda o, x, y: [x + y, x - 2, 2 - x, x * .5, 3 / (y * y + 1), x ** 2, -x, abs(x), x // 2, x % 3, x @ o.transpose(y, (0, 2, 1)), 1 - x, x > y, x < 1, ~(x > 0), (x > 0) & (y > 0), (x > 0) | (y > 0), 5 // (y * y + 1), (x > 0) ^ (y > 0)]),
    ('operators_const', [M], lambda o, x: [x + F, x * F[0], F - x, x + o.constant(F), o.constant(F) * x, x + o.constant([1, 2, 3, 4, 5, 6.])]),
    ('operators_int', [J, J], lambda o, x, y: [x + y, x - 2, 2 - x, x // 3, x % 3, -x, x / 4, o.bitwise.bitwise_and(x, y), o.bitwise.left_shift(x, y % 3)]),
    ('add_n', [M, M], lambda o, x, y: [o.add_n([x, y, x]), o.add(x, y), o.multiply(x, 2.), o.subtract(1., x), o.divide(x, 3.), o.pow(o.abs(x) + 1, 1.5), o.sqrt(o.abs(x)), o.identity(x), o.stop_gradient(x), o.convert_to_tensor(x), o.scalar_mul(2., x), o.math.accumulate_n([x, y])]),
    ('range', [M], lambda o, x: [o.range(o.shape(x)[0]), o.fill(o.shape(x), 2.), o.ones_like(x)]),
    ('segment', [V], lambda o, x: [o.math.segment_sum(x[0], [0, 0, 1, 1, 2, 3]), o.math.unsorted_segment_max(x[0], [0, 0, 1, 1, 2, 3], 4), o.scatter_nd([[0], [2]], x[:2], [4, 6]), o.tensor_scatter_nd_update(x, [[0], [2]], np.ones((2, 6), 'f'))]),
    ('confuse', [M], lambda o, x: [o.searchsorted(o.sort(x[0]), x[1]), o.sequence_mask([1, 3, 2], 5, o.float32) * x[:, 0, :5], o.reverse_sequence(x, [1, 2, 3], seq_axis=1, batch_axis=0)]),
    ('keras_backend', [M], lambda o, x: [o.reduce_sum(x, 1)]),
    ('complex', [M, M], lambda o, x, y: [o.math.real(o.complex(x, y)), o.math.imag(o.complex(x, y)), o.abs(o.complex(x, y)), o.math.angle(o.complex(x, y)), o.math.real(o.math.conj(o.complex(x, y)))]),
    ('open_length', [(None, 6)], lambda o, x: [o.reduce_mean(x, axis=1), o.reshape(x, (-1, 6)), x[:, -1], o.nn.softmax(x, axis=1), o.concat([x, x], 1), o.expand_dims(x, 1), o.matmul(x, x, transpose_b=True), o.shape(x)]),
    ('histogram', [M], lambda o, x: [o.histogram_fixed_width(x, [-2., 2.], nbins=8), o.quantization.fake_quant_with_min_max_args(x, -2, 2), o.math.polyval([1., 2., 3.], x)]),
]

BACKEND = [ # keras.backend of Keras 2
    ('sum', lambda k, x: [k.sum(x, axis=1), k.mean(x, axis=-1, keepdims=True), k.max(x, axis=1), k.min(x), k.prod(x, axis=1), k.var(x, axis=1), k.std(x, axis=1)]),
    ('shape', lambda k, x: [k.reshape(x, (-1, 24)), k.expand_dims(x, 1), k.permute_dimensions(x, (0, 2, 1)), k.flatten(x), k.batch_flatten(x), k.squeeze(k.expand_dims(x), -1), k.repeat_elements(x, 2, 1), k.tile(x, (1, 2, 1)), k.reverse(x, 1), k.concatenate([x, x], axis=1), k.stack([x, x], 1)]),
    ('elementwise', lambda k, x: [k.abs(x), k.square(x), k.exp(x), k.sqrt(k.abs(x)), k.log(k.abs(x) + 1), k.round(x), k.sign(x), k.pow(x, 2), k.clip(x, 0, 1), k.sin(x), k.cos(x), k.relu(x), k.sigmoid(x), k.hard_sigmoid(x), k.softmax(x), k.tanh(x), k.elu(x), k.softplus(x), k.softsign(x), k.l2_normalize(x, -1), k.relu(x, alpha=.1, max_value=2.), k.relu(x, threshold=.5)]),
    ('compare', lambda k, x: [k.cast(k.greater(x, 0.), 'float32'), k.equal(x, x), k.less(x, 1.), k.maximum(x, 0.), k.minimum(x, 1.), k.argmax(x, 1), k.argmin(x), k.any(x > 0, axis=1), k.all(x > 0, axis=1), k.cumsum(x, 1), k.zeros_like(x), k.ones_like(x), k.switch(x > 0, x, -x)]),
    ('dot', lambda k, x: [k.dot(x, k.constant(F.T)), k.batch_dot(x, k.permute_dimensions(x, (0, 2, 1))), k.batch_dot(x, x, axes=[2, 2]), k.one_hot(k.cast(k.abs(x), 'int32'), 4), k.gather(x, k.cast(k.zeros_like(x[:, 0, 0]), 'int32'))]),
]


def add(s):
    def register(name, only, inputs, build):
        def model(K):
            xs = [K.Input(i[0], dtype=i[1], name=f'in_{k}') if len(i) == 2 and isinstance(i[1], str) else K.Input(i, name=f'in_{k}') for k, i in enumerate(inputs)]
            y = build(K, *xs)
            ys = list(y) if isinstance(y, (list, tuple)) else [y]
            return K.Model(xs if len(xs) > 1 else xs[0], ys if len(ys) > 1 else ys[0])
        s.SPECS[name] = (model, only)

    for name, inputs, f in OPS: register('op_' + name, s.K3, inputs, lambda K, *xs, f=f: f(K.ops, *xs))
    for name, inputs, f in FUNCTIONS: register('fn_' + name, s.K2, inputs, lambda K, *xs, f=f: f(s.tf, *xs))
    for name, f in BACKEND: register('fn_backend_' + name, s.K2, [M], lambda K, x, f=f: f(K.backend, x))
