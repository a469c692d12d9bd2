"""Models of convolution, pooling, resampling, padding, normalisation, merging and core layers, for make_keras_models.py."""
import numpy as np


def add(s):
    K3, K2, seq, fun, spec, is3 = s.K3, s.K2, s.seq, s.fun, s.spec, s.is3
    rng = np.random.default_rng(11)

    def q(name, shape, layers, only=s.BOTH, dtype=None):
        s.sequential('im_' + name, shape, layers, only=only, dtype=dtype)

    def f(name, inputs, make, only=s.BOTH):
        s.SPECS['im_' + name] = (lambda K: fun(K, inputs, lambda *xs: make(K.layers, K, *xs)), only)

    # ---- 1D convolution
    q('conv1d_first', (4, 19), lambda L, K: [L.Conv1D(6, 3, strides=2, padding='same', data_format='channels_first', activation='relu')], only=K3)
    q('conv1d_groups', (17, 6), lambda L, K: [L.Conv1D(8, 3, groups=2, activation='relu'), L.Conv1D(4, 2, groups=4, use_bias=False, padding='same')])
    q('conv1d_causal_strides', (23, 3), lambda L, K: [L.Conv1D(6, 4, strides=3, padding='causal'), L.Conv1D(5, 1, padding='causal')])
    q('conv1d_open', (None, 4), lambda L, K: [L.Conv1D(6, 3, padding='same', activation='relu'), L.Conv1D(5, 3, padding='causal', dilation_rate=2), L.Conv1D(4, 2, strides=2)])
    q('conv1d_act_object', (12, 4), lambda L, K: [L.Conv1D(6, 3, activation=L.LeakyReLU(.2)), L.Conv1D(4, 2, activation='gelu')])
    q('conv1d_big_dilation', (30, 2), lambda L, K: [L.Conv1D(3, 3, dilation_rate=8), L.Conv1D(3, 3, dilation_rate=3, padding='same')])
    q('wavenet', (32, 1), lambda L, K: [L.Conv1D(4, 2, dilation_rate=2 ** i, padding='causal', activation='relu') for i in range(4)] + [L.Conv1D(2, 1), L.GlobalAveragePooling1D()])
    q('separable1d', (19, 4), lambda L, K: [L.SeparableConv1D(6, 3, depth_multiplier=2, activation='relu'), L.SeparableConv1D(5, 3, strides=2, padding='same', use_bias=False)])
    q('separable1d_dilated', (19, 4), lambda L, K: [L.SeparableConv1D(6, 3, dilation_rate=2, padding='same', activation='tanh')])
    q('separable1d_causal', (19, 4), lambda L, K: [L.SeparableConv1D(6, 3, padding='causal')], only=K2)
    q('separable1d_open', (None, 4), lambda L, K: [L.SeparableConv1D(6, 3, padding='same')])
    q('depthwise1d', (19, 4), lambda L, K: [L.DepthwiseConv1D(3, depth_multiplier=3, activation='relu'), L.DepthwiseConv1D(3, strides=2, padding='same', use_bias=False)])
    q('depthwise1d_dilated', (19, 4), lambda L, K: [L.DepthwiseConv1D(3, dilation_rate=3, padding='same')])
    q('depthwise1d_open', (None, 4), lambda L, K: [L.DepthwiseConv1D(3, padding='same'), L.DepthwiseConv1D(2)])
    # ---- 2D convolution
    q('conv2d_first', (3, 11, 13), lambda L, K: [L.Conv2D(5, 3, strides=2, padding='same', data_format='channels_first', activation='relu'), L.Conv2D(4, 3, data_format='channels_first')], only=K3)
    q('conv2d_open', (None, None, 4), lambda L, K: [L.Conv2D(6, 3, strides=2, padding='same'), L.DepthwiseConv2D(3), L.SeparableConv2D(5, 2, padding='same')])
    q('conv2d_half_open', (None, 8, 4), lambda L, K: [L.Conv2D(6, 3, padding='same', dilation_rate=2), L.Conv2D(3, 2, strides=(1, 2))])
    q('conv2d_strides_differ', (15, 13, 3), lambda L, K: [L.Conv2D(5, (3, 4), strides=(2, 3), padding='same')])
    q('conv2d_stride_over_kernel', (15, 13, 3), lambda L, K: [L.Conv2D(5, 1, strides=3), L.Conv2D(5, 2, strides=4, padding='same')])
    q('conv2d_depthwise_groups', (9, 9, 4), lambda L, K: [L.Conv2D(8, 3, groups=4, padding='same', activation='relu')])
    q('conv2d_act_objects', (9, 9, 3), lambda L, K: [L.Conv2D(5, 3, activation=L.ReLU(6.)), L.Conv2D(5, 3, activation=L.LeakyReLU(.1)), L.Conv2D(4, 1, activation=L.Softmax())])
    q('conv2d_policy64', (9, 9, 3), lambda L, K: [L.Conv2D(5, 3, activation='relu', dtype='float64'), L.Flatten(dtype='float32'), L.Dense(2)])
    q('depthwise2d_first', (4, 9, 9), lambda L, K: [L.DepthwiseConv2D(3, data_format='channels_first', depth_multiplier=2)], only=K3)
    q('depthwise2d_open', (None, None, 4), lambda L, K: [L.DepthwiseConv2D((2, 3), strides=2, padding='same', use_bias=False)])
    q('separable2d_act', (9, 10, 4), lambda L, K: [L.SeparableConv2D(6, 3, dilation_rate=2, padding='same', activation='swish'), L.SeparableConv2D(6, (1, 3), use_bias=False)])
    q('separable2d_first', (4, 9, 9), lambda L, K: [L.SeparableConv2D(6, 3, data_format='channels_first', activation='relu')], only=K3)
    # ---- 3D convolution
    for pad in ('valid', 'same'):
        q(f'conv3d_{pad}', (7, 8, 9, 2), lambda L, K, p=pad: [L.Conv3D(4, 3, padding=p, activation='relu'), L.Conv3D(3, (1, 2, 3), strides=(1, 2, 1), padding=p)])
        q(f'conv3d_{pad}_s2', (7, 8, 9, 2), lambda L, K, p=pad: [L.Conv3D(4, 3, strides=2, padding=p, use_bias=False)])
    q('conv3d_dilated', (9, 8, 9, 2), lambda L, K: [L.Conv3D(4, 2, dilation_rate=2, activation='tanh')])
    q('conv3d_groups', (5, 6, 7, 4), lambda L, K: [L.Conv3D(6, 2, groups=2, activation='relu')])
    q('conv3d_first', (2, 5, 6, 7), lambda L, K: [L.Conv3D(4, 2, data_format='channels_first')], only=K3)
    q('conv3d_open', (None, None, 6, 2), lambda L, K: [L.Conv3D(4, 2, padding='same'), L.GlobalAveragePooling3D()])
    q('conv3d_bn', (5, 6, 7, 2), lambda L, K: [L.Conv3D(4, 2, use_bias=False), L.BatchNormalization(), L.ReLU(), L.MaxPooling3D(), L.Flatten(), L.Dense(3)])
    # ---- transposed
    for pad in ('valid', 'same'):
        for stride, kernel in ((1, 3), (2, 3), (3, 2), (2, 4)):
            q(f'deconv2d_{pad}_s{stride}k{kernel}', (5, 6, 3), lambda L, K, p=pad, st=stride, k=kernel: [L.Conv2DTranspose(4, k, strides=st, padding=p, activation='relu')])
        q(f'deconv1d_{pad}', (7, 3), lambda L, K, p=pad: [L.Conv1DTranspose(4, 3, strides=2, padding=p, activation='relu'), L.Conv1DTranspose(3, 2, strides=3, padding=p, use_bias=False)])
        q(f'deconv3d_{pad}', (4, 5, 3, 2), lambda L, K, p=pad: [L.Conv3DTranspose(3, 3, strides=2, padding=p, activation='relu'), L.Conv3DTranspose(2, 2, padding=p, use_bias=False)])
        q(f'deconv2d_{pad}_outpad', (5, 6, 3), lambda L, K, p=pad: [L.Conv2DTranspose(4, 3, strides=2, padding=p, output_padding=1), L.Conv2DTranspose(4, 3, strides=(2, 3), padding=p, output_padding=(0, 1))])
        q(f'deconv3d_{pad}_outpad', (3, 4, 3, 2), lambda L, K, p=pad: [L.Conv3DTranspose(3, 3, strides=2, padding=p, output_padding=1)])
        q(f'deconv2d_{pad}_dilated', (5, 6, 3), lambda L, K, p=pad: [L.Conv2DTranspose(4, 3, padding=p, dilation_rate=2)])
        q(f'deconv2d_{pad}_open', (None, None, 3), lambda L, K, p=pad: [L.Conv2DTranspose(4, 3, strides=2, padding=p, activation='tanh')])
    q('deconv1d_outpad', (7, 3), lambda L, K: [L.Conv1DTranspose(4, 3, strides=2, padding='same', output_padding=1)])
    q('deconv1d_open', (None, 3), lambda L, K: [L.Conv1DTranspose(4, 3, strides=2, padding='same'), L.Conv1DTranspose(4, 3)])
    q('deconv1d_dilated', (7, 3), lambda L, K: [L.Conv1DTranspose(4, 3, dilation_rate=2)])
    q('deconv2d_first', (3, 5, 6), lambda L, K: [L.Conv2DTranspose(4, 3, strides=2, padding='same', data_format='channels_first')], only=K3)
    q('deconv3d_open', (None, 4, None, 2), lambda L, K: [L.Conv3DTranspose(3, 2, strides=2, padding='same')])
    q('deconv2d_bn', (5, 6, 3), lambda L, K: [L.Conv2DTranspose(4, 3, strides=2, use_bias=False), L.BatchNormalization(), L.ReLU()])
    q('deconv2d_rect', (5, 6, 3), lambda L, K: [L.Conv2DTranspose(4, (2, 5), strides=(2, 1), padding='same'), L.Conv2DTranspose(2, (5, 1), strides=(1, 2))])
    # ---- locally connected
    q('local1d', (9, 3), lambda L, K: [L.LocallyConnected1D(4, 3, strides=2, activation='relu'), L.LocallyConnected1D(3, 2, use_bias=False)], only=K2)
    q('local1d_impl2', (9, 3), lambda L, K: [L.LocallyConnected1D(4, 3, padding='same', implementation=2), L.LocallyConnected1D(3, 2, implementation=2)], only=K2)
    q('local1d_impl3', (9, 3), lambda L, K: [L.LocallyConnected1D(4, 3, padding='same', strides=2, implementation=3)], only=K2)
    q('local2d', (7, 8, 3), lambda L, K: [L.LocallyConnected2D(4, (3, 2), strides=(2, 1), activation='relu'), L.LocallyConnected2D(2, 2, use_bias=False)], only=K2)
    q('local2d_impl2', (5, 6, 3), lambda L, K: [L.LocallyConnected2D(4, 3, padding='same', implementation=2)], only=K2)
    q('local2d_impl3', (5, 6, 3), lambda L, K: [L.LocallyConnected2D(4, 3, strides=2, implementation=3)], only=K2)
    q('local2d_first', (3, 5, 6), lambda L, K: [L.LocallyConnected2D(4, 3, data_format='channels_first')], only=K2)
    # ---- pooling
    for pad in ('valid', 'same'):
        q(f'pool3d_{pad}', (7, 9, 8, 3), lambda L, K, p=pad: [L.MaxPooling3D((2, 3, 2), strides=(1, 2, 2), padding=p)])
        q(f'avgpool3d_{pad}', (7, 9, 8, 3), lambda L, K, p=pad: [L.AveragePooling3D((2, 3, 2), strides=(1, 2, 2), padding=p)])
        q(f'pool1d_{pad}_strides', (13, 3), lambda L, K, p=pad: [L.MaxPooling1D(3, strides=1, padding=p), L.AveragePooling1D(2, strides=3, padding=p)])
    q('pool1d_open', (None, 3), lambda L, K: [L.MaxPooling1D(2), L.AveragePooling1D(2, padding='same', strides=1)])
    q('pool2d_open', (None, None, 3), lambda L, K: [L.MaxPooling2D(2, padding='same'), L.AveragePooling2D((2, 1))])
    q('pool3d_open', (None, None, 6, 3), lambda L, K: [L.MaxPooling3D(2, strides=1)])
    q('avgpool3d_open', (None, None, 6, 3), lambda L, K: [L.AveragePooling3D(2, padding='same')])
    q('pool1d_first', (3, 13), lambda L, K: [L.MaxPooling1D(2, data_format='channels_first'), L.AveragePooling1D(2, data_format='channels_first')])
    q('pool2d_first', (3, 9, 8), lambda L, K: [L.MaxPooling2D(2, data_format='channels_first'), L.AveragePooling2D(2, data_format='channels_first', padding='same')], only=K3)
    q('pool3d_first', (3, 5, 6, 4), lambda L, K: [L.MaxPooling3D(2, data_format='channels_first'), L.AveragePooling3D(2, data_format='channels_first')], only=K3)
    q('global3d', (3, 4, 5, 2), lambda L, K: [L.Conv3D(4, 2), L.GlobalMaxPooling3D()])
    q('global3d_keep', (3, 4, 5, 2), lambda L, K: [L.GlobalAveragePooling3D(keepdims=True)])
    q('global3d_first', (3, 4, 5, 2), lambda L, K: [L.GlobalAveragePooling3D(data_format='channels_first')])
    q('global1d_keep', (9, 4), lambda L, K: [L.GlobalMaxPooling1D(keepdims=True), L.Dense(3)])
    q('global1d_first', (9, 4), lambda L, K: [L.GlobalMaxPooling1D(data_format='channels_first')])
    q('global1d_average_first', (9, 4), lambda L, K: [L.GlobalAveragePooling1D(data_format='channels_first')])
    q('global_max_first', (9, 4, 5), lambda L, K: [L.GlobalMaxPooling2D(data_format='channels_first', keepdims=True)])
    q('global1d_open', (None, 4), lambda L, K: [L.GlobalAveragePooling1D(), L.Dense(3)])

    def masked(name, shape, make, only=s.BOTH, mask_shape=None):
        def build(K):
            x, m = K.Input(shape, name='x'), K.Input(mask_shape or shape[:1], dtype='bool', name='m')
            return K.Model([x, m], make(K.layers, x, m))
        s.SPECS['im_' + name] = (build, only)
    masked('global1d_mask', (9, 4), lambda L, x, m: L.GlobalAveragePooling1D()(x, mask=m))
    masked('global1d_mask_keep', (9, 4), lambda L, x, m: L.GlobalAveragePooling1D(keepdims=True)(x, mask=m))
    masked('softmax_mask', (9, 4), lambda L, x, m: L.Softmax(axis=1)(x, mask=m), mask_shape=(9, 4))
    masked('softmax_mask_last', (9, 4), lambda L, x, m: L.Softmax()(x, mask=m), mask_shape=(9, 4))
    masked('softmax_mask_axes', (5, 4), lambda L, x, m: L.Softmax(axis=(1, 2))(x, mask=m), mask_shape=(5, 4))
    for n, shapes in ((1, ((9, 3), 4)), (2, ((9, 7, 3), (4, 3))), (3, ((5, 6, 7, 2), (2, 3, 7)))):
        shape, size = shapes
        for kind in ('Average', 'Max'):
            q(f'adaptive_{kind.lower()}{n}d', shape, lambda L, K, n=n, k=kind, z=size: [getattr(L, f'Adaptive{k}Pooling{n}D')(z)], only=K3)
    q('adaptive_even', (8, 6, 3), lambda L, K: [L.AdaptiveAveragePooling2D((4, 3)), L.AdaptiveMaxPooling2D((2, 3))], only=K3)
    q('adaptive_first', (3, 7, 8), lambda L, K: [L.AdaptiveMaxPooling2D((3, 5), data_format='channels_first')], only=K3)
    # ---- upsampling
    for how in ('nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5', 'gaussian', 'mitchellcubic', 'area'):
        only = s.BOTH if how not in ('gaussian', 'mitchellcubic', 'area') else K2
        q(f'up2d_{how}', (5, 6, 3), lambda L, K, h=how: [L.UpSampling2D((2, 3), interpolation=h)], only=only)
    q('up2d_first', (3, 5, 6), lambda L, K: [L.UpSampling2D(2, data_format='channels_first')])
    q('up2d_bilinear_first', (3, 5, 6), lambda L, K: [L.UpSampling2D((3, 2), data_format='channels_first', interpolation='bilinear')])
    q('up2d_one', (5, 6, 3), lambda L, K: [L.UpSampling2D(1), L.UpSampling2D((2, 1), interpolation='bilinear')])
    q('up2d_open', (None, None, 3), lambda L, K: [L.UpSampling2D(2)])
    q('up2d_bilinear_open', (None, 6, 3), lambda L, K: [L.UpSampling2D((2, 3), interpolation='bilinear')])
    q('up1d', (5, 3), lambda L, K: [L.UpSampling1D(3)])
    q('up1d_open', (None, 3), lambda L, K: [L.UpSampling1D(2)])
    q('up3d', (3, 4, 5, 2), lambda L, K: [L.UpSampling3D((2, 3, 1))])
    q('up3d_first', (2, 3, 4, 5), lambda L, K: [L.UpSampling3D(2, data_format='channels_first')])
    q('up3d_open', (None, 3, None, 2), lambda L, K: [L.UpSampling3D(2)])
    q('unet', (16, 16, 2), lambda L, K: [L.Conv2D(4, 3, padding='same', activation='relu'), L.MaxPooling2D(), L.Conv2D(8, 3, padding='same', activation='relu'), L.UpSampling2D(), L.Conv2DTranspose(4, 2, strides=2, padding='same'), L.Conv2D(1, 1, activation='sigmoid')])
    # ---- padding, cropping
    q('pad3d', (3, 4, 5, 2), lambda L, K: [L.ZeroPadding3D(((1, 2), (0, 1), (3, 0))), L.Conv3D(2, 2)])
    q('pad3d_first', (2, 3, 4, 5), lambda L, K: [L.ZeroPadding3D((1, 2, 0), data_format='channels_first')])
    q('pad2d_first', (2, 4, 5), lambda L, K: [L.ZeroPadding2D(((1, 2), (3, 0)), data_format='channels_first')])
    q('pad1d_open', (None, 2), lambda L, K: [L.ZeroPadding1D(2), L.Cropping1D((0, 1))])
    q('pad1d_first', (2, 7), lambda L, K: [L.ZeroPadding1D((1, 2), data_format='channels_first')], only=K3)
    q('crop3d', (6, 7, 5, 2), lambda L, K: [L.Cropping3D(((1, 2), (0, 1), (3, 0))), L.Cropping3D((1, 2, 0))])
    q('crop3d_first', (2, 6, 7, 5), lambda L, K: [L.Cropping3D(1, data_format='channels_first')])
    q('crop_open', (None, None, 2), lambda L, K: [L.Cropping2D(((1, 2), (0, 3)))])
    q('pad_open', (None, None, 2), lambda L, K: [L.ZeroPadding2D(((1, 2), (0, 3))), L.Conv2D(2, 3)])
    # ---- core
    q('repeat', (5,), lambda L, K: [L.RepeatVector(4), L.Conv1D(3, 2)])
    q('repeat_one', (5,), lambda L, K: [L.RepeatVector(1)])
    q('flatten_open', (None, 4), lambda L, K: [L.Flatten()])
    q('flatten_1d', (7,), lambda L, K: [L.Flatten(), L.Dense(2)])
    q('flatten_scalar', (), lambda L, K: [L.Flatten(), L.Dense(2)])
    q('reshape_open', (None, 4), lambda L, K: [L.Reshape((-1, 2)), L.Reshape((-1, 2, 2))])
    q('reshape_to_open', (None, 4), lambda L, K: [L.Reshape((2, -1))])
    q('reshape_one', (4,), lambda L, K: [L.Reshape((1, 4)), L.Reshape((4,)), L.Reshape((4, 1, 1))])
    q('permute_open', (None, 4, 2), lambda L, K: [L.Permute((3, 1, 2))])
    q('dense_open', (None, None, 4), lambda L, K: [L.Dense(3, activation='relu'), L.Dense(2)])
    q('dense_5d', (2, 3, 2, 4), lambda L, K: [L.Dense(3, activation=L.ELU(.5))])
    q('regularization', (6,), lambda L, K: [L.ActivityRegularization(l1=.1, l2=.2), L.Dense(3, kernel_regularizer='l2', activity_regularizer='l1', kernel_constraint='max_norm')])
    q('identity', (6,), lambda L, K: [L.Identity(), L.Dense(3)], only=K3)
    q('random_all', (8, 8, 3), lambda L, K: [L.RandomCrop(8, 8), L.RandomTranslation(.1, .1), L.RandomHeight(.1), L.RandomWidth(.1), L.RandomBrightness(.1)], only=K2)
    q('auto_contrast', (8, 8, 3), lambda L, K: [L.AutoContrast(), L.Rescaling(1 / 255.), L.AutoContrast(value_range=(0, 1))], only=K3)
    # ---- masks that go through merges
    for name in ('Add', 'Concatenate'):
        def build(K, name=name):
            L = K.layers
            a, b = K.Input((6,), name='a', dtype='int32'), K.Input((6,), name='b', dtype='int32')
            e = [L.Masking(mask_value=v)(L.Reshape((6, 1))(K.layers.Rescaling(1.)(t))) for t, v in ((a, 3.), (b, 5.))]
            more = {'axis': 1} if name == 'Concatenate' else {}
            return K.Model([a, b], L.GlobalAveragePooling1D()(getattr(L, name)(**more)(e)))
        s.SPECS[f'im_mask_{name.lower()}'] = (build, s.BOTH)
    # ---- normalisation
    q('bn_renorm', (6, 6, 3), lambda L, K: [L.Conv2D(4, 3), L.BatchNormalization(renorm=True)])
    q('bn_axis_first', (3, 5, 6), lambda L, K: [L.BatchNormalization(axis=1)])
    q('bn_open', (None, 6), lambda L, K: [L.BatchNormalization(), L.Dense(3)])
    q('bn_2d', (6,), lambda L, K: [L.BatchNormalization(momentum=.9, epsilon=1e-5)])
    q('bn_5d', (2, 3, 4, 5), lambda L, K: [L.BatchNormalization(axis=3)])
    q('ln_rms', (5, 6), lambda L, K: [L.LayerNormalization(rms_scaling=True), L.LayerNormalization(axis=(1, 2))], only=K3)
    q('ln_first', (5, 6, 4), lambda L, K: [L.LayerNormalization(axis=1), L.LayerNormalization(axis=(1, 3), scale=False)])
    q('ln_all', (5, 6, 4), lambda L, K: [L.LayerNormalization(axis=(1, 2, 3)), L.LayerNormalization(axis=[-1, -2], epsilon=1e-5)])
    q('ln_order', (5, 6, 4), lambda L, K: [L.LayerNormalization(axis=(3, 1))])
    q('ln_open', (None, 6), lambda L, K: [L.LayerNormalization()])
    for groups in (1, 2, 6, -1):
        q(f'gn_{groups if groups > 0 else "all"}', (4, 5, 6), lambda L, K, g=groups: [L.GroupNormalization(groups=g)])
    q('gn_axis', (4, 6, 5), lambda L, K: [L.GroupNormalization(groups=2, axis=1), L.GroupNormalization(groups=3, axis=2, center=False)])
    q('gn_2d', (6,), lambda L, K: [L.GroupNormalization(groups=3)])
    q('gn_open', (None, None, 6), lambda L, K: [L.GroupNormalization(groups=3, scale=False, epsilon=1e-5)])
    q('gn_3d', (7, 6), lambda L, K: [L.Dense(8), L.GroupNormalization(groups=4)])
    q('rms', (5, 6), lambda L, K: [L.RMSNormalization(), L.Dense(4), L.RMSNormalization(axis=(1, 2), epsilon=1e-4)], only=K3)
    q('rms_axes', (5, 6, 4), lambda L, K: [L.RMSNormalization(axis=(3, 2))], only=K3)
    q('unit', (5, 6), lambda L, K: [L.UnitNormalization()])
    q('unit_axes', (5, 6, 4), lambda L, K: [L.UnitNormalization(axis=(1, 2)), L.UnitNormalization(axis=1)])
    q('spectral', (8, 8, 3), lambda L, K: [L.SpectralNormalization(L.Conv2D(4, 3, activation='relu')), L.Flatten(), L.SpectralNormalization(L.Dense(5), power_iterations=2)], only=K3)

    def norm(name, layer, data, shape, only=s.BOTH, dtype=None):
        def build(K):
            n = layer(K.layers)
            if data is not None: n.adapt(data)
            return seq(K, shape, n, dtype=dtype)
        s.SPECS['im_' + name] = (build, only)
    images = rng.normal(2, 3, (20, 4, 5, 3)).astype('f')
    norm('normalization_none', lambda L: L.Normalization(axis=None), images, (4, 5, 3))
    norm('normalization_axes', lambda L: L.Normalization(axis=(1, 3)), images, (4, 5, 3))
    norm('normalization_axis1', lambda L: L.Normalization(axis=1), images, (4, 5, 3))
    norm('normalization_invert', lambda L: L.Normalization(axis=-1, invert=True), images, (4, 5, 3))
    norm('normalization_given', lambda L: L.Normalization(axis=None, mean=2., variance=4.), None, (4, 3))
    norm('normalization_given_invert', lambda L: L.Normalization(axis=-1, mean=[2., 1., 0.], variance=[4., 2., 1.], invert=True), None, (4, 3))
    # ---- EinsumDense
    for i, (equation, shape, out, bias) in enumerate((('ab,bc->ac', (5,), 7, 'c'), ('abc,cd->abd', (4, 5), (None, 7), 'd'), ('abc,cde->abde', (4, 5), (None, 2, 3), 'de'),
            ('abcd,cde->abe', (4, 2, 3), (None, 7), 'e'), ('...x,xy->...y', (4, 5), 7, 'y'), ('abc,bcd->abd', (4, 5), (4, 6), 'bd'), ('abc,bd->adc', (4, 5), (6, 5), 'd'),
            ('ab...,bc->ac...', (4, 3, 2), (6, 3, 2), 'c'), ('abc,b->abc', (4, 5), (4, 5), None), ('aecd,abcd->acbe', (3, 4, 5), None, None), ('abcde,bed->abcd', (2, 3, 4, 5), (2, 3, 4), None),
            ('abc,dc->abd', (4, 5), (None, 6), 'd'))):
        if out is None: continue
        q(f'einsum_{i}', shape, lambda L, K, e=equation, o=out, b=bias: [L.EinsumDense(e, output_shape=o, bias_axes=b, activation='relu' if b else None)])
    q('einsum_open', (None, 5), lambda L, K: [L.EinsumDense('abc,cde->abde', output_shape=(None, 2, 3), bias_axes='de')])
    # ---- a batch that is given
    def fixed(name, shape, layers, only=s.BOTH, batch=2):
        s.SPECS['im_fixed_' + name] = (lambda K: K.Sequential([K.Input(batch_size=batch, shape=shape), *layers(K.layers)]), only)
    fixed('conv1d', (9, 4), lambda L: [L.Conv1D(3, 2), L.Conv1DTranspose(3, 2, strides=2), L.AveragePooling1D(2)])
    fixed('conv1d_open', (None, 4), lambda L: [L.Conv1D(3, 2), L.MaxPooling1D(), L.UpSampling1D(2)])
    fixed('deconv2d', (5, 6, 3), lambda L: [L.Conv2DTranspose(3, 2, strides=2, padding='same')])
    fixed('reshape_open', (None, 6), lambda L: [L.Reshape((2, -1)), L.Flatten()])
    fixed('up3d', (3, 4, 5, 2), lambda L: [L.UpSampling3D(2), L.AveragePooling3D(2)])
    fixed('gn', (None, 6), lambda L: [L.GroupNormalization(groups=2)])
    fixed('einsum', (4, 5), lambda L: [L.EinsumDense('abc,cde->abde', output_shape=(None, 2, 3), bias_axes='de'), L.EinsumDense('abcd,cdf->abf', output_shape=(None, 4))])

    # ---- merging
    def two(name, layer, shapes=((5, 6), (5, 6)), only=s.BOTH): s.two('im_' + name, layer, shapes, only)
    for normal in (False, True):
        n = '_normal' if normal else ''
        two(f'dot_1{n}', lambda L, xs, z=normal: L.Dot(axes=1, normalize=z)(list(xs)), ((6,), (6,)))
        two(f'dot_12{n}', lambda L, xs, z=normal: L.Dot(axes=(2, 1), normalize=z)(list(xs)), ((5, 6), (6, 4)))
        two(f'dot_2{n}', lambda L, xs, z=normal: L.Dot(axes=2, normalize=z)(list(xs)), ((5, 6), (4, 6)))
        two(f'dot_11{n}', lambda L, xs, z=normal: L.Dot(axes=(1, 1), normalize=z)(list(xs)), ((5, 6), (5, 4)))
        two(f'dot_vector{n}', lambda L, xs, z=normal: L.Dot(axes=(2, 1), normalize=z)(list(xs)), ((5, 6), (6,)))
    two('dot_4d', lambda L, xs: L.Dot(axes=(3, 1))(list(xs)), ((2, 5, 6), (6, 3)))
    two('dot_negative', lambda L, xs: L.Dot(axes=(-1, -2))(list(xs)), ((5, 6), (6, 4)))
    two('dot_open', lambda L, xs: L.Dot(axes=(2, 2))(list(xs)), ((None, 6), (None, 6)))
    for name in ('Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum'):
        two(f'{name.lower()}_broadcast', lambda L, xs, n=name: getattr(L, n)()(list(xs)), ((5, 6), (1, 6)))
        two(f'{name.lower()}_ranks', lambda L, xs, n=name: getattr(L, n)()(list(xs)), ((4, 5, 6), (6,)))
    two('concat_axis1', lambda L, xs: L.Concatenate(axis=1)(list(xs)), ((5, 6), (3, 6)))
    two('concat_open', lambda L, xs: L.Concatenate(axis=1)(list(xs)), ((None, 6), (None, 6)))
    two('concat_axis0', lambda L, xs: L.Concatenate(axis=0)(list(xs)), ((5, 6), (5, 6)), only=K3)

    # ---- quantised (Keras 3)
    def quantised(name, shape, layers, mode, dtype=None, block=None, lora=False):
        def build(K):
            m = seq(K, shape, *layers(K.layers), dtype=dtype)
            r = np.random.default_rng(5)
            for w in m.weights: w.assign(r.normal(0, .5, w.shape))
            if block: m.quantize(config=K.quantizers.Int4QuantizationConfig(block_size=block))
            elif mode: m.quantize(mode)
            for l in m.layers if lora else (): # .keras files have the sum
                l.enable_lora(2, lora_alpha=3)
                b = l.lora_embeddings_b if hasattr(l, 'lora_embeddings_b') else l.lora_kernel_b
                b.assign(r.normal(0, .5, b.shape))
            return m
        s.SPECS['im_' + name] = (build, K3)
    quantised('int8_dense', (6,), lambda L: [L.Dense(5, activation='relu'), L.Dense(3, use_bias=False)], 'int8')
    quantised('int8_dense_3d', (4, 6), lambda L: [L.Dense(5, activation='tanh')], 'int8')
    quantised('int8_einsum', (4, 6), lambda L: [L.EinsumDense('abc,cde->abde', output_shape=(None, 2, 3), bias_axes='de'), L.EinsumDense('abcd,cde->abe', output_shape=(None, 7), bias_axes='e')], 'int8')
    quantised('int8_einsum_batch', (4, 5), lambda L: [L.EinsumDense('abc,bcd->abd', output_shape=(4, 6), bias_axes='bd')], 'int8')
    quantised('float8_dense', (6,), lambda L: [L.Dense(5, activation='relu'), L.Dense(3)], 'float8')
    quantised('float8_einsum', (4, 6), lambda L: [L.EinsumDense('abc,cde->abde', output_shape=(None, 2, 3), bias_axes='de')], 'float8')
    quantised('int8_embedding', (6,), lambda L: [L.Embedding(100, 5)], 'int8', 'int32')
    quantised('int4_embedding', (6,), lambda L: [L.Embedding(100, 5)], 'int4', 'int32')
    quantised('int4_embedding_rows', (6,), lambda L: [L.Embedding(100, 5)], 'int4', 'int32', block=-1)
    quantised('int4_embedding_blocks', (6,), lambda L: [L.Embedding(100, 5)], 'int4', 'int32', block=2)
    quantised('lora_embedding', (6,), lambda L: [L.Embedding(100, 5), L.Dense(4, activation='relu')], None, 'int32', lora=True)
    quantised('int4_dense', (6,), lambda L: [L.Dense(5, activation='relu'), L.Dense(3, use_bias=False)], 'int4')
