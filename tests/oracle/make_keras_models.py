"""Makes the Keras models of the conversion check, with TensorFlow as the oracle.

    python3 make_keras_models.py OUT [name ...]        (needs tensorflow, tf_keras, ai_edge_litert; OUT: outside the tree, 1.2 GB)

Every model is made by both Keras generations (k3: tf.keras, k2: tf_keras) where both have its layers, and saved in both file formats:

    OUT/<name>.<k3|k2>/model.keras  model.h5  in<i>.npy  out<i>.npy  meta.json

in<i> and out<i> are a batch of 3 and what Keras computes for it, in the model's order. meta.json holds the names of inputs and outputs
and the operators of the official converter's .tflite ("official": null and the reason where it fails). check_models.py does the rest.
"""
import collections, importlib, inspect, json, os, shutil, sys, tempfile
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['TF_USE_LEGACY_KERAS'] = '0'
import numpy as np
import tensorflow as tf
import tf_keras

if len(sys.argv) < 2: sys.exit(__doc__)
OUT = sys.argv[1]
ONLY = sys.argv[2:]
SPECS, BOTH, K3, K2 = {}, ('k3', 'k2'), ('k3',), ('k2',)
NO_H5 = set() # names of models that Keras itself cannot load again from .h5
INPUTS = {} # name -> values of its inputs, each made by f(rng, shape); without: normal numbers, integers below 100


def spec(name, only=BOTH):
    def add(f):
        SPECS[name] = (f, only)
        return f
    return add


def is3(K): return K is tf.keras


def seq(K, shape, *layers, dtype=None):
    """A Sequential with an input of this shape."""
    x = K.Input(shape, **({'dtype': dtype} if dtype else {}))
    return K.Sequential([x, *layers])


def fun(K, inputs, f):
    """A functional model: f(inputs...) gives the output or outputs."""
    xs = [K.Input(s, name=n) for n, s in inputs]
    return K.Model(xs if len(xs) > 1 else xs[0], f(*xs))


def sequential(name, shape, layers, only=BOTH, dtype=None):
    """Registers a Sequential: layers(L, K) gives the list of layers."""
    SPECS[name] = (lambda K: seq(K, shape, *layers(K.layers, K), dtype=dtype), only)


# ---- dense, shapes
sequential('mlp', (28, 28), lambda L, K: [L.Flatten(), L.Dense(32, activation='relu'), L.Dropout(.2), L.Dense(10, activation='softmax')])
sequential('dense_nobias', (7,), lambda L, K: [L.Dense(5, use_bias=False), L.Dense(3, activation='tanh')])
sequential('dense_3d', (5, 7), lambda L, K: [L.Dense(6, activation='relu'), L.Dense(4, use_bias=False, activation='sigmoid')])
sequential('dense_4d', (3, 5, 7), lambda L, K: [L.Dense(6)])
sequential('reshape', (4, 6), lambda L, K: [L.Reshape((2, 3, 4)), L.Permute((3, 1, 2)), L.Reshape((-1, 3)), L.Reshape((24,))])
sequential('flatten_first', (3, 4, 5), lambda L, K: [L.Flatten(data_format='channels_first'), L.Dense(3)])
sequential('permute', (2, 3, 4, 5), lambda L, K: [L.Permute((2, 4, 1, 3))])
# ---- convolution
for pad in ('valid', 'same'):
    for stride in (1, 2, 3):
        sequential(f'conv_{pad}_s{stride}', (11, 13, 3), lambda L, K, p=pad, s=stride: [L.Conv2D(5, 3, strides=s, padding=p, activation='relu')])
        if stride < 3:
            sequential(f'depthwise_{pad}_s{stride}', (11, 13, 3), lambda L, K, p=pad, s=stride: [L.DepthwiseConv2D(3, strides=s, padding=p, depth_multiplier=stride_mult(s))])
            sequential(f'separable_{pad}_s{stride}', (11, 13, 3), lambda L, K, p=pad, s=stride: [L.SeparableConv2D(7, (3, 2), strides=s, padding=p, depth_multiplier=2, activation='relu')])
    sequential(f'conv_{pad}_dilated', (17, 15, 2), lambda L, K, p=pad: [L.Conv2D(4, (3, 2), dilation_rate=(2, 3), padding=p, use_bias=False)])
    sequential(f'depthwise_{pad}_dilated', (17, 15, 2), lambda L, K, p=pad: [L.DepthwiseConv2D((3, 3), dilation_rate=2, padding=p, activation='relu6' if is3(K) else 'relu')])
    sequential(f'conv1d_{pad}', (19, 4), lambda L, K, p=pad: [L.Conv1D(6, 3, strides=2, padding=p, activation='relu'), L.Conv1D(3, 2, dilation_rate=2, padding=p)])


def stride_mult(s): return 1 if s == 1 else 3


sequential('conv1d_causal', (19, 4), lambda L, K: [L.Conv1D(6, 3, padding='causal', dilation_rate=2, activation='tanh')])
sequential('conv_rect', (9, 14, 4), lambda L, K: [L.Conv2D(6, (1, 5), strides=(1, 2)), L.Conv2D(3, (4, 1), padding='same', activation='elu'), L.Conv2D(8, 1)])
sequential('conv_groups', (8, 8, 6), lambda L, K: [L.Conv2D(9, 3, groups=3, activation='relu'), L.Conv2D(6, 1, groups=3, use_bias=False)])
sequential('conv_big_kernel', (6, 6, 2), lambda L, K: [L.Conv2D(4, 6)])
sequential('conv_open_size', (None, None, 3), lambda L, K: [L.Conv2D(4, 3, padding='same', activation='relu'), L.MaxPooling2D(), L.GlobalAveragePooling2D(), L.Dense(3)])
sequential('cnn', (28, 28, 1), lambda L, K: [L.Conv2D(16, 3, use_bias=False), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(), L.Conv2D(32, 3, padding='same', activation='relu'),
           L.MaxPooling2D(), L.DepthwiseConv2D(3, activation='relu6' if is3(K) else 'relu'), L.Flatten(), L.Dense(32, activation='relu'), L.Dense(10, activation='softmax')])
# ---- normalisation
sequential('bn_dense', (6,), lambda L, K: [L.Dense(5), L.BatchNormalization(), L.Activation('relu'), L.Dense(3)])
sequential('bn_first', (6, 6, 3), lambda L, K: [L.BatchNormalization(), L.Conv2D(4, 3)])
sequential('bn_no_scale', (6, 6, 3), lambda L, K: [L.Conv2D(4, 3), L.BatchNormalization(scale=False, epsilon=1e-2), L.ReLU()])
sequential('bn_no_center', (6, 6, 3), lambda L, K: [L.DepthwiseConv2D(3), L.BatchNormalization(center=False)])
sequential('bn_bare', (6, 6, 3), lambda L, K: [L.SeparableConv2D(4, 3), L.BatchNormalization(center=False, scale=False), L.Activation('tanh')])
sequential('bn_axis1', (4, 5, 6), lambda L, K: [L.BatchNormalization(axis=1), L.Activation('relu')])
sequential('bn_3d', (5, 6), lambda L, K: [L.BatchNormalization(), L.Dense(3)])
sequential('layer_norm', (5, 6), lambda L, K: [L.LayerNormalization(), L.Dense(3)])
sequential('layer_norm_axes', (4, 5, 6), lambda L, K: [L.LayerNormalization(axis=[2, 3], epsilon=1e-2), L.LayerNormalization(axis=1, center=False)])
sequential('normalization', (3,), lambda L, K: [L.Normalization(mean=[1., 2., 3.], variance=[4., 5., .25]), L.Dense(2)])


@spec('normalization_adapt')
def _(K):
    n = K.layers.Normalization()
    n.adapt(np.random.default_rng(5).normal(2, 3, (50, 4, 6)).astype('f'))
    return seq(K, (4, 6), n, K.layers.Dense(2))


# ---- pooling, padding
for pad in ('valid', 'same'):
    sequential(f'maxpool_{pad}', (11, 13, 3), lambda L, K, p=pad: [L.MaxPooling2D((3, 2), strides=(2, 3), padding=p), L.MaxPooling2D(2, padding=p)])
    sequential(f'avgpool_{pad}', (11, 13, 3), lambda L, K, p=pad: [L.AveragePooling2D((3, 2), strides=(2, 1), padding=p), L.AveragePooling2D(2, padding=p)])
    sequential(f'pool1d_{pad}', (13, 3), lambda L, K, p=pad: [L.MaxPooling1D(2, padding=p), L.AveragePooling1D(3, strides=2, padding=p)])
for keep in (False, True):
    sequential(f'global_average_keep{int(keep)}', (5, 6, 3), lambda L, K, k=keep: [L.GlobalAveragePooling2D(keepdims=k), L.Dense(2)])
    sequential(f'global_max_keep{int(keep)}', (5, 6, 3), lambda L, K, k=keep: [L.GlobalMaxPooling2D(keepdims=k), L.Dense(2)])
sequential('global_1d', (9, 4), lambda L, K: [L.Conv1D(5, 3), L.GlobalAveragePooling1D(), L.Dense(2)])
sequential('global_first', (3, 5, 6), lambda L, K: [L.GlobalAveragePooling2D(data_format='channels_first'), L.Dense(2)])
sequential('zero_padding', (5, 6, 2), lambda L, K: [L.ZeroPadding2D(((1, 2), (3, 0))), L.Conv2D(3, 3), L.ZeroPadding2D(1), L.DepthwiseConv2D(3, strides=2), L.ZeroPadding2D((2, 1))])
sequential('zero_padding_same_as_keras_apps', (15, 15, 2), lambda L, K: [L.ZeroPadding2D(((0, 1), (0, 1))), L.Conv2D(3, 3, strides=2, use_bias=False), L.BatchNormalization(), L.ReLU(6.)])
sequential('cropping', (9, 8, 2), lambda L, K: [L.Cropping2D(((1, 2), (0, 3))), L.Conv2D(2, 2), L.Cropping2D(1)])
sequential('pad_crop_1d', (9, 2), lambda L, K: [L.ZeroPadding1D((2, 1)), L.Conv1D(3, 2), L.Cropping1D((1, 0))])
# ---- activations: every name, on a convolution (where some fuse) and alone
NAMES2 = 'relu relu6 leaky_relu elu selu sigmoid hard_sigmoid tanh softmax log_softmax softplus softsign exponential silu swish mish gelu linear'.split()
NAMES3 = NAMES2 + 'hard_silu hard_swish celu glu squareplus sparse_plus hard_tanh hard_shrink soft_shrink tanh_shrink log_sigmoid sparse_sigmoid'.split()
for name in NAMES3:
    sequential(f'act_{name}', (4, 6, 4), lambda L, K, n=name: [L.Activation(n)], only=BOTH if name in NAMES2 else K3)
for name in ('relu', 'sigmoid', 'softmax', 'hard_sigmoid', 'leaky_relu', 'gelu', 'selu', 'swish'):
    sequential(f'conv_act_{name}', (6, 6, 3), lambda L, K, n=name: [L.Conv2D(4, 3, activation=n), L.Dense(4, activation=n)])
sequential('relu_layers', (4, 8), lambda L, K: [L.ReLU(2., .1, .3), L.Dense(8), L.ReLU(max_value=1.), L.Dense(8), L.ReLU(negative_slope=.2), L.Dense(8), L.ReLU(threshold=.2), L.Dense(8), L.ReLU(max_value=3.)])
sequential('leaky_layer', (4, 8), lambda L, K: [L.Dense(8), L.LeakyReLU(.15), L.Dense(8), L.LeakyReLU(), L.ELU(.7), L.ELU()])
sequential('prelu', (5, 6, 4), lambda L, K: [L.Conv2D(3, 2), L.PReLU(shared_axes=[1, 2], alpha_initializer='uniform'), L.PReLU(alpha_initializer='uniform')])
sequential('thresholded', (4, 8), lambda L, K: [L.ThresholdedReLU(.4)], only=K2)
sequential('softmax_axes', (4, 5, 6), lambda L, K: [L.Softmax(axis=1), L.Dense(3), L.Softmax(), L.Softmax(axis=-2)])
sequential('act_layer_object', (4, 8), lambda L, K: [L.Dense(6, activation=L.LeakyReLU(.25)), L.Dense(5, activation=L.ReLU(6.)), L.Dense(4, activation=K.activations.relu)])
# ---- what does nothing
sequential('train_only', (8, 8, 3), lambda L, K: [L.GaussianNoise(.1), L.Conv2D(4, 3), L.SpatialDropout2D(.2), L.ActivityRegularization(l1=.1), L.AlphaDropout(.1), L.GaussianDropout(.2), L.Dropout(.5), L.Flatten(), L.Dense(3)])
sequential('augmented', (8, 8, 3), lambda L, K: [L.RandomFlip('horizontal'), L.RandomRotation(.1), L.RandomZoom(.2), L.RandomContrast(.2), L.Rescaling(1 / 255.), L.Conv2D(4, 3)])
SPECS['augmented_functional'] = (lambda K: fun(K, [('x', (8, 8, 3))], lambda x: K.layers.Conv2D(4, 3)(K.layers.Dropout(.5)(K.layers.RandomZoom(.2)(K.layers.RandomFlip('horizontal')(x)), training=True))), K3) # writes training=True
# ---- rescaling
sequential('rescaling', (6, 6, 3), lambda L, K: [L.Rescaling(1 / 127.5, offset=-1), L.Conv2D(4, 3)])
sequential('rescaling_list', (6, 6, 3), lambda L, K: [L.Rescaling([.1, .2, .3], offset=[1., 2., 3.]), L.Dense(2)], only=K3)
for way in ('nearest', 'bicubic'): # bilinear meets halves, where the last bit of the arithmetic decides how they are rounded
    sequential(f'resizing_{way}_uint8', (6, 7, 3), lambda L, K, w=way: [L.Resizing(9, 5, interpolation=w)], dtype='uint8')
sequential('rescaling_uint8', (6, 6, 3), lambda L, K: [L.Rescaling(1 / 255.), L.Conv2D(4, 3)], dtype='uint8')


# ---- several inputs, outputs, shared, nested
def two(name, layer, shapes=((5, 6), (5, 6)), only=BOTH):
    SPECS[name] = (lambda K: fun(K, [(f'in_{chr(97 + i)}', s) for i, s in enumerate(shapes)], lambda *xs: layer(K.layers, xs)), only)


for name in ('Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum'):
    two(f'merge_{name.lower()}', lambda L, xs, n=name: getattr(L, n)()(list(xs)))
    if name != 'Subtract': two(f'merge_{name.lower()}_3', lambda L, xs, n=name: getattr(L, n)()(list(xs)), ((4,), (4,), (4,)))
two('merge_broadcast', lambda L, xs: L.Multiply()(list(xs)), ((4, 5, 6), (1, 1, 6)))
two('merge_rank', lambda L, xs: L.Add()(list(xs)), ((4, 5, 6), (6,)))
two('merge_rank_first', lambda L, xs: L.Multiply()([xs[1], xs[0]]), ((4, 5, 6), (5, 6)))
two('concat', lambda L, xs: L.Concatenate()(list(xs)), ((4, 5), (4, 3), (4, 1)))
two('concat_axis1', lambda L, xs: L.Concatenate(axis=1)(list(xs)), ((4, 5), (2, 5)))
two('concat_axis2', lambda L, xs: L.Concatenate(axis=-2)([L.Conv2D(3, 2)(xs[0]), xs[1]]), ((4, 5, 6), (3, 2, 3)))


@spec('two_outputs')
def _(K):
    L = K.layers
    def f(x):
        h = L.Dense(6, activation='relu', name='trunk')(x)
        return [L.Dense(3, activation='softmax', name='second')(h), L.Dense(1, name='first')(h)]
    return fun(K, [('x', (5,))], f)


@spec('multi_io')
def _(K):
    L = K.layers
    def f(image, meta, bias):
        h = L.GlobalAveragePooling2D()(L.Conv2D(4, 3, activation='relu')(image))
        h = L.Concatenate(name='joined')([h, L.Dense(3, activation='relu')(meta)])
        return [L.Dense(2, name='out_b')(h), L.Add(name='out_a')([h, bias])]
    return fun(K, [('image', (6, 6, 3)), ('meta', (4,)), ('bias', (7,))], f)


@spec('dict_outputs', K3)
def _(K):
    x = K.Input((5,), name='x')
    h = K.layers.Dense(4)(x)
    return K.Model(x, {'zeta': K.layers.Dense(2, name='d1')(h), 'alpha': K.layers.Dense(3, name='d2')(h)})


@spec('dict_inputs', K3)
def _(K):
    xs = {'b': K.Input((5,), name='b'), 'a': K.Input((3,), name='a')}
    return K.Model(xs, K.layers.Dense(2)(K.layers.Concatenate()([xs['b'], xs['a']])))


@spec('shared')
def _(K):
    L = K.layers
    def f(a, b):
        d, bn = L.Dense(4, activation='relu', name='twin'), L.BatchNormalization()
        return L.Subtract()([bn(d(a)), bn(d(b))])
    return fun(K, [('a', (5,)), ('b', (5,))], f)


@spec('shared_outputs')
def _(K):
    d = K.layers.Dense(4, name='twin')
    return fun(K, [('a', (5,)), ('b', (5,))], lambda a, b: [d(b), d(a)])


@spec('shared_chain')
def _(K):
    d = K.layers.Dense(5, activation='tanh', name='again')
    return fun(K, [('x', (5,))], lambda x: K.layers.Add()([d(d(x)), d(x)]))


@spec('nested')
def _(K):
    L = K.layers
    inner = seq(K, (6, 6, 3), L.Conv2D(4, 3, padding='same', activation='relu'), L.BatchNormalization())
    return seq(K, (6, 6, 3), L.Rescaling(.5), inner, L.GlobalAveragePooling2D(), L.Dense(3))


@spec('nested_functional')
def _(K):
    L = K.layers
    a = K.Input((5,)); b = K.Input((5,))
    inner = K.Model([a, b], [L.Add()([L.Dense(4)(a), L.Dense(4)(b)]), L.Maximum()([a, b])], name='pair')
    def f(x, y):
        p, q = inner([x, y])
        r, s = inner([y, q])
        return [L.Dense(2, name='o1')(L.Concatenate()([p, r])), L.Add(name='o2')([q, s])]
    return fun(K, [('x', (5,)), ('y', (5,))], f)


@spec('nested_twice')
def _(K):
    L = K.layers
    core = seq(K, (4,), L.Dense(4, activation='relu', name='core_dense'))
    mid = K.Input((4,)); middle = K.Model(mid, core(core(mid)), name='middle')
    return fun(K, [('x', (4,)), ('y', (4,))], lambda x, y: L.Average()([middle(x), core(y)]))


@spec('nested_output')
def _(K):
    inner = seq(K, (5,), K.layers.Dense(4), K.layers.Dense(3, activation='softmax'))
    return fun(K, [('x', (5,))], lambda x: inner(x))


@spec('input_is_output')
def _(K): return fun(K, [('x', (5,))], lambda x: [K.layers.Dropout(.5, name='same')(x), K.layers.Dense(2, name='dense')(x)])


@spec('output_twice')
def _(K):
    def f(x):
        y = K.layers.Dense(2, name='dense')(x)
        return [y, K.layers.Dropout(.1, name='drop')(y), y]
    return fun(K, [('x', (5,))], f)


@spec('fixed_batch')
def _(K):
    x = K.Input(batch_shape=(3, 4, 4, 2))
    return K.Model(x, K.layers.Dense(2)(K.layers.Flatten()(K.layers.Conv2D(3, 2)(x))))


@spec('residual')
def _(K):
    L = K.layers
    def f(x):
        for i in range(3):
            h = L.Conv2D(4, 3, padding='same', use_bias=False)(x)
            h = L.ReLU()(L.BatchNormalization()(h))
            h = L.BatchNormalization()(L.Conv2D(4, 3, padding='same')(h))
            x = L.Activation('relu')(L.Add()([x, h]))
        return L.Dense(2)(L.Flatten()(x))
    return fun(K, [('x', (8, 8, 4))], f)


@spec('squeeze_excite')
def _(K):
    L = K.layers
    def f(x):
        s = L.GlobalAveragePooling2D(keepdims=True)(x)
        s = L.Conv2D(8, 1, activation='sigmoid')(L.Conv2D(2, 1, activation='swish')(s))
        return L.Multiply()([x, s])
    return fun(K, [('x', (6, 6, 8))], f)


@spec('operations', K3)
def _(K):
    o = K.ops
    def f(x, y):
        z = 1. - (x + y) * 2. / 3
        z = o.relu(z) - o.sqrt(o.abs(x)) + o.maximum(y, .1) ** 2
        return [K.layers.Dense(3, name='d')(-z), o.silu(o.exp(z) * .1)]
    return fun(K, [('x', (3, 4)), ('y', (3, 4))], f)


@spec('training_false')
def _(K):
    L = K.layers
    base = seq(K, (6, 6, 3), L.Conv2D(4, 3), L.BatchNormalization(), L.Dropout(.3), L.ReLU())
    return fun(K, [('x', (6, 6, 3))], lambda x: L.Dense(2)(L.GlobalAveragePooling2D()(base(x, training=False))))


# ---- what other people's models do
sequential('channels_first_all', (3, 9, 11), lambda L, K: [L.Conv2D(4, 3, strides=2, padding='same', data_format='channels_first', activation='relu'), L.Conv2D(5, (2, 3), data_format='channels_first', use_bias=False),
           L.MaxPooling2D(2, data_format='channels_first'), L.Flatten(data_format='channels_first'), L.Dense(3)])
sequential('separable_first', (3, 9, 11), lambda L, K: [L.SeparableConv2D(4, 3, data_format='channels_first', activation='tanh'), L.ZeroPadding2D(((1, 0), (2, 1)), data_format='channels_first'), L.GlobalAveragePooling2D(data_format='channels_first', keepdims=True)])
sequential('conv1d_first', (4, 15), lambda L, K: [L.Conv1D(6, 3, data_format='channels_first', padding='same'), L.MaxPooling1D(2, data_format='channels_first'), L.GlobalAveragePooling1D(data_format='channels_first')])
sequential('groups_dilated', (12, 11, 8), lambda L, K: [L.Conv2D(8, 3, groups=4, dilation_rate=2, padding='same', activation='relu'), L.Conv2D(8, 3, groups=8, strides=2, use_bias=False), L.BatchNormalization()])
sequential('stride_over_kernel', (13, 17, 3), lambda L, K: [L.Conv2D(4, 1, strides=3, padding='same'), L.MaxPooling2D(1, strides=2, padding='same'), L.AveragePooling2D(1, strides=(2, 1))])
sequential('kernel_over_input', (3, 3, 2), lambda L, K: [L.Conv2D(4, 7, padding='same'), L.DepthwiseConv2D(5, padding='same'), L.MaxPooling2D(4, padding='same')])
sequential('separable_dilated', (12, 12, 3), lambda L, K: [L.SeparableConv2D(4, 3, dilation_rate=2, use_bias=False, depth_multiplier=3), L.SeparableConv2D(4, 3, dilation_rate=(2, 2), padding='same', activation='softmax')])
sequential('bn_axes', (4, 5, 6), lambda L, K: [L.BatchNormalization(axis=-2, center=False), L.BatchNormalization(axis=-3, epsilon=.5), L.BatchNormalization(axis=2, scale=False)])
sequential('bn_between', (6, 6, 3), lambda L, K: [L.Conv2D(4, 3, use_bias=False), L.BatchNormalization(), L.BatchNormalization(), L.ReLU(), L.BatchNormalization(), L.MaxPooling2D(), L.BatchNormalization(), L.Conv2D(4, 2)])
sequential('bn_renorm', (6,), lambda L, K: [L.Dense(4), L.BatchNormalization(renorm=True)], only=K2)
sequential('softmax_two_axes', (4, 5, 6), lambda L, K: [L.Softmax(axis=(-1, -2)), L.Softmax(axis=(1, 3)), L.Softmax(axis=[-1])])
sequential('act_objects', (4, 8), lambda L, K: [L.Dense(6, activation=L.ELU(.3)), L.Dense(5, activation=L.Softmax(axis=1)), L.Dense(4, activation=L.ReLU(max_value=2., negative_slope=.1)), L.Activation(L.LeakyReLU(.05)), L.Activation(K.activations.softplus)])
sequential('act_tf_nn', (4, 8), lambda L, K: [L.Dense(6, activation=tf.nn.relu6), L.Dense(5, activation=tf.nn.leaky_relu), L.Dense(4, activation=tf.nn.softmax), L.Activation(tf.nn.swish), L.Activation(tf.nn.gelu), L.Activation(tf.nn.log_softmax)], only=K2)
sequential('relu_corners', (4, 8), lambda L, K: [L.ReLU(negative_slope=.3, threshold=.4), L.ReLU(max_value=6., negative_slope=.5), L.ReLU(max_value=.5), L.LeakyReLU(1.5), L.ELU(3.5), L.LeakyReLU(0.)])
sequential('glu_conv', (5, 6, 8), lambda L, K: [L.Conv2D(8, 2, activation='glu'), L.Activation('glu')], only=K3)
sequential('reshape_minus', (4, 6), lambda L, K: [L.Reshape((-1,)), L.Reshape((3, -1, 2)), L.Reshape((-1, 2)), L.Flatten(), L.Reshape((24, 1, 1))])
sequential('scalar_input', (), lambda L, K: [L.Flatten(), L.Dense(2)])
sequential('nothing_to_do', (5,), lambda L, K: [L.Dropout(.3), L.Activation('linear'), L.Flatten()])
for kind in ('int8', 'uint8', 'int16', 'int32', 'int64', 'bool'):
    sequential(f'input_{kind}', (4, 4, 2), lambda L, K: [L.Rescaling(1 / 64., -1.), L.Flatten(), L.Dense(2)], dtype=kind)
sequential('input_int_dense', (6,), lambda L, K: [L.Dense(4, activation='relu')], only=K3, dtype='int32')
two('merge_4_ranks', lambda L, xs: L.Add()(list(xs)), ((4, 5), (5,), (4, 1), (1, 5)))
two('merge_outer', lambda L, xs: L.Multiply()(list(xs)), ((1, 6), (4, 1)))
two('average_broadcast', lambda L, xs: L.Average()(list(xs)), ((2, 1, 6), (2, 4, 1), (6,)))
two('concat_batch', lambda L, xs: L.Concatenate(axis=0)(list(xs)), ((4,), (4,)))
two('concat_again', lambda L, xs: L.Concatenate(axis=-3)([xs[0], xs[1], xs[0]]), ((2, 3, 4), (5, 3, 4)))


@spec('merge_int_float', K3)
def _(K):
    L = K.layers
    a, b, c = K.Input((4,), name='a', dtype='int32'), K.Input((4,), name='b'), K.Input((4,), name='c', dtype='int32')
    return K.Model([a, b, c], [L.Add(name='sum')([a, b]), L.Concatenate(name='cat')([a, b, c]), L.Average(name='mean')([a, c]), L.Maximum(name='high')([c, a])])


@spec('shared_shapes')
def _(K):
    L = K.layers
    def f(a, b):
        c, bn, p, g = L.Conv2D(4, 3, padding='same', activation='relu'), L.BatchNormalization(), L.MaxPooling2D(), L.GlobalAveragePooling2D()
        x, y = g(p(bn(c(a)))), g(p(bn(c(b))))
        return [L.Add(name='sum')([x, y]), L.Dense(2, name='head')(L.Concatenate()([y, x]))]
    return fun(K, [('a', (8, 8, 3)), ('b', (5, 12, 3))], f)


@spec('nested_four')
def _(K):
    L = K.layers
    last = lambda n: n if is3(K) else n + '_' + str(len(used))
    used = []
    def dense(n): used.append(n); return L.Dense(n, activation='relu', name=last('dense')) # one name for all of them, where Keras can save that
    s1 = K.Sequential([K.Input((6,)), dense(5), L.Dropout(.1)], name='s1')
    i = K.Input((6,), name='fi'); f1 = K.Model(i, L.BatchNormalization(name='bn')(dense(4)(s1(i))), name='f1')
    s2 = K.Sequential([K.Input((6,)), f1, dense(6)], name='s2')
    j = K.Input((6,), name='fj'); f2 = K.Model(j, L.Add()([s2(j), j]), name='f2')
    return K.Sequential([K.Input((6,)), dense(6), f2, L.Dense(2, name='head')])


@spec('nested_no_input')
def _(K):
    L = K.layers
    s1 = K.Sequential([L.Conv2D(3, 3, activation='relu'), L.BatchNormalization(), L.MaxPooling2D()])
    s2 = K.Sequential([s1, K.Sequential([L.Conv2D(2, 2), L.Flatten()]), L.Dense(3)])
    m = K.Sequential([s2, L.Softmax()]); m.build((None, 10, 10, 2)); m(np.zeros((1, 10, 10, 2), 'f'))
    return m


@spec('nested_dict')
def _(K):
    L = K.layers
    i = {'zz': K.Input((3,), name='q'), 'aa': K.Input((3,), name='r')}
    inner = K.Model(i, L.Subtract()([L.Dense(3)(i['zz']), i['aa']]), name='by_key')
    a, b = K.Input((3,), name='q'), K.Input((3,), name='r')
    listed = K.Model([a, b], L.Subtract()([L.Dense(3)(a), b]), name='by_name')
    return fun(K, [('x', (3,)), ('y', (3,))], lambda x, y: L.Dense(2)(L.Concatenate()([inner({'zz': x, 'aa': y}), listed({'r': x, 'q': y})])))


@spec('nested_dict_out', K3)
def _(K):
    L = K.layers
    i = K.Input((3,)); inner = K.Model(i, {'z': L.Dense(3, name='d1')(i), 'a': L.Dense(3, name='d2')(i)}, name='pair')
    def f(x):
        o = inner(x)
        return L.Subtract()([o['z'], o['a']])
    return fun(K, [('x', (3,))], f)


@spec('tuple_io', K3)
def _(K):
    a, b = K.Input((3,), name='a'), K.Input((3,), name='b')
    return K.Model((a, b), (K.layers.Subtract(name='s')([a, b]), K.layers.Dense(2, name='d')(a)))


@spec('dict_both')
def _(K):
    L = K.layers
    i = {'zz': K.Input((3,), name='zz'), 'aa': K.Input((4,), name='aa')}
    return K.Model(i, {'o2': L.Dense(5, name='d1')(L.Concatenate()([i['zz'], i['aa']])), 'o1': L.Dense(2, name='d2')(i['aa'])})


@spec('input_out_direct')
def _(K): return fun(K, [('x', (5,))], lambda x: [x, K.layers.Dense(2, name='dense')(x)])


@spec('unused_input')
def _(K): return fun(K, [('x', (5,)), ('unused', (3,))], lambda x, y: K.layers.Dense(2, name='dense')(x))


@spec('output_order')
def _(K):
    L = K.layers
    def f(x, y):
        a = L.Dense(2, name='a')(x); b = L.Dense(2, name='b')(a)
        return [L.Dense(2, name='c')(y), b, a]
    return fun(K, [('second', (5,)), ('first', (4,))], f)


@spec('odd_names', K3)
def _(K):
    L = K.layers
    a, b = K.Input((3,), name='größe'), K.Input((4,), name='my input')
    return K.Model([a, b], [L.Dense(2, name='出力')(L.Dense(4, name='naïve')(a)), L.Dense(3, name='out put')(b)], name='modèle')


@spec('long_names')
def _(K):
    L = K.layers
    inner = K.Sequential([K.Input((2,))] + [L.Dense(2, name='layer_' + 'abcdefghij' * 25 + f'_{i}') for i in range(150)], name='inner')
    def f(x): # lists of names too long for one attribute, outside and inside
        x = inner(x)
        for i in range(260): x = L.Dense(2, name='level_' + 'abcdefghij' * 25 + f'_{i}')(x)
        return x
    return fun(K, [('x', (2,))], f)


@spec('trained')
def _(K):
    L = K.layers
    m = seq(K, (6, 6, 2), L.Conv2D(3, 3, activation='relu'), L.BatchNormalization(), L.Flatten(), L.Dense(3, activation='softmax'))
    m.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])
    r = np.random.default_rng(1)
    m.fit(r.normal(size=(32, 6, 6, 2)), r.integers(0, 3, 32), epochs=2, verbose=0)
    return m


@spec('frozen_base')
def _(K):
    L = K.layers
    base = K.Sequential([K.Input((8, 8, 3)), L.Conv2D(4, 3, name='conv'), L.BatchNormalization(name='bn'), L.Conv2D(4, 3, name='conv2')], name='base')
    base.trainable = False
    base.layers[0].trainable = True
    return fun(K, [('x', (8, 8, 3))], lambda x: L.Dense(2, name='head')(L.GlobalAveragePooling2D()(base(x, training=False))))


# ---- families in files of their own: each has add(s), where s is this module: s.sequential, s.spec, s.fun, s.two, s.K2 ...
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
for family in ('operation', 'recurrent', 'image', 'attention', 'odd', 'apps'):
    path = os.path.join(sys.path[0], f'keras_{family}_models.py')
    if os.path.exists(path): importlib.import_module(f'keras_{family}_models').add(sys.modules[__name__])


# ---- the big ones
def stats(m, rng):
    for w in m.weights:
        if not hasattr(w, 'name'): continue # an adapted vocabulary of Keras 2
        n, s = w.name if '/' in w.name else getattr(w, 'path', w.name), tuple(w.shape)
        if n in ('mean:0', 'variance:0') or n.startswith('normalization/'): continue # adapted: Keras keeps a copy of these
        if 'variance' in n or 'gamma' in n: w.assign(rng.uniform(.6, 1.4, s))
        elif 'mean' in n or 'bias' in n or 'beta' in n: w.assign(rng.normal(0, .1, s))
    return m


SPECS['resnet50v2_32'] = (lambda K: K.applications.ResNet50V2(weights=None, input_shape=(32, 32, 1), classes=10), BOTH)
SPECS['mobilenetv2_224'] = (lambda K: K.applications.MobileNetV2(weights=None), BOTH)
SPECS['mobilenetv2_96'] = (lambda K: K.applications.MobileNetV2(weights=None, alpha=.35, input_shape=(96, 96, 3), classes=7), BOTH)
SPECS['vgg16_32'] = (lambda K: K.applications.VGG16(weights=None, input_shape=(32, 32, 3), classes=5), BOTH)
SPECS['mobilenet_64'] = (lambda K: K.applications.MobileNet(weights=None, alpha=.25, input_shape=(64, 64, 3), classes=5), BOTH)
SPECS['densenet121_32'] = (lambda K: K.applications.DenseNet121(weights=None, input_shape=(32, 32, 3), classes=5), K3)
SPECS['xception_71'] = (lambda K: K.applications.Xception(weights=None, input_shape=(71, 71, 3), classes=5), K3)
SPECS['efficientnetb0_64'] = (lambda K: K.applications.EfficientNetB0(weights=None, input_shape=(64, 64, 3), classes=5), K3)


def official(model):
    """Operators of the official converter's result, as {name: count}."""
    from ai_edge_litert import schema_py_generated as S
    with tempfile.TemporaryDirectory() as d:
        model.export(d, **({'verbose': False} if 'verbose' in inspect.signature(model.export).parameters else {}))
        data = tf.lite.TFLiteConverter.from_saved_model(d).convert()
    m = S.ModelT.InitFromObj(S.Model.GetRootAs(data, 0))
    names = {v: k for k, v in vars(S.BuiltinOperator).items() if isinstance(v, int)}
    count = collections.Counter()
    for g in m.subgraphs:
        for o in g.operators or []:
            c = m.operatorCodes[o.opcodeIndex]
            count[names[max(c.builtinCode, c.deprecatedBuiltinCode)]] += 1
    return dict(count)


def make(name, gen):
    build, only = SPECS[name]
    if gen not in only: return
    K = tf.keras if gen == 'k3' else tf_keras
    d = f'{OUT}/{name}.{gen}'
    if os.path.exists(f'{d}/meta.json'): return
    K.backend.clear_session(); K.utils.set_random_seed(7)
    rng = np.random.default_rng(3)
    m = stats(build(K), rng)
    shutil.rmtree(d, ignore_errors=True); os.makedirs(d)
    ins = list(m.inputs)
    big = np.prod([s or 8 for s in ins[0].shape[1:]]) > 20000
    batch = ins[0].shape[0] or (1 if big else 3)
    xs = []
    for i in ins:
        s = [batch] + [n or 9 for n in i.shape[1:]]
        dt = i.dtype if isinstance(i.dtype, str) else i.dtype.name
        if name in INPUTS: xs.append(INPUTS[name][len(xs)](rng, s))
        else: xs.append(rng.integers(0, 2, s).astype(bool) if dt == 'bool' else rng.integers(0, 100, s).astype(dt) if 'int' in dt else (rng.normal(size=s) * 2).astype('f'))
    fed = [tf.constant(x) for x in xs] if any(x.dtype.kind == 'S' for x in xs) else xs
    arg = fed if len(xs) > 1 else fed[0]
    if isinstance(getattr(m, '_inputs_struct', None), dict): arg = {i.name: x for i, x in zip(ins, fed)}
    y = m(arg, training=False)
    ys = list(y.values()) if isinstance(y, dict) else y if isinstance(y, (list, tuple)) else [y]
    for i, x in enumerate(xs): np.save(f'{d}/in{i}.npy', x)
    for i, v in enumerate(ys):
        v = np.asarray(v)
        np.save(f'{d}/out{i}.npy', v.astype('S') if v.dtype == object else v)
    in_names = [i._keras_history.operation.name if gen == 'k3' else i.name.split(':')[0] for i in ins]
    out_names = list(y) if isinstance(y, dict) else [o._keras_history.operation.name for o in m.outputs] if gen == 'k3' else list(m.output_names)
    m.save(f'{d}/model.keras')
    if name not in NO_H5: m.save(f'{d}/model.h5')
    if name.startswith('nested'):
        try: K.models.load_model(f'{d}/model.keras')
        except ValueError: os.remove(f'{d}/model.keras') # a layer shared between models: its weights are lost in this format

    ops, why = None, None
    try: ops = official(m)
    except Exception as e: why = f'{type(e).__name__}: {str(e)[:200]}'
    json.dump(dict(inputs=in_names, outputs=out_names, official=ops, why=why, parameters=int(m.count_params())), open(f'{d}/meta.json', 'w'), indent=1)
    print(name, gen, ops if ops else why, flush=True)


if __name__ == '__main__':
    for name in SPECS:
        for gen in BOTH:
            if ONLY and name not in ONLY: continue
            try: make(name, gen)
            except Exception as e: print('FAILED', name, gen, type(e).__name__, str(e)[:300], flush=True)
    print(sum(len(v[1]) for v in SPECS.values()), 'models in', OUT)
