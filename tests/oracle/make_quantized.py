#!/usr/bin/env python3
"""Makes what check_quantized.py checks: models, samples, and what TensorFlow's own converter makes of them.

    python3 make_quantized.py DIR [NAME ...]      (needs tensorflow; minutes; a folder that is there already stays)

DIR/NAME/model.keras or saved_model, calibrate.npz and test.npz (arrays by input name), official-MODE.tflite, times.json (seconds of each
conversion). Weights are random, but batch normalisation has the statistics of its inputs, so that values look like a trained model's.
"""
import contextlib, io, json, os, sys, time
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

K, L = tf.keras, tf.keras.layers
rng = np.random.default_rng(7)
ALL = ['float', 'dynamic', 'float16', 'int8', 'int8-io', 'uint8-io', 'int16x8']
MODELS = {}


def model(*shapes, modes=ALL, kinds=None, samples=24):
    """Inputs of these shapes; kinds: 'image', 'normal' or the number of words, of each."""
    def add(make):
        MODELS[make.__name__] = (make, shapes, kinds or ['normal'] * len(shapes), modes, samples)
        return make
    return add


def conv(x, filters, size=3, act='relu', stride=1):
    x = L.BatchNormalization()(L.Conv2D(filters, size, stride, 'same', use_bias=False)(x))
    return L.Activation(act)(x) if act else x


@model((16, 16, 3))
def residual(x):
    x = conv(x, 16)
    for _ in range(3): x = L.ReLU()(L.Add()([conv(conv(x, 16), 16, act=None), x]))
    return L.Dense(10)(L.GlobalAveragePooling2D()(x))


@model((16, 16, 3))
def dense_chain(x):
    x = conv(x, 8)
    for _ in range(4): x = L.Concatenate()([x, conv(conv(x, 16, 1), 8)])
    return L.Dense(10, activation='softmax')(L.Flatten()(L.AveragePooling2D(4)(x)))


@model((32, 32, 3))
def unet(x):
    a = conv(x, 8)
    b = conv(L.MaxPool2D()(a), 16)
    c = conv(L.MaxPool2D()(b), 24)
    y = conv(L.Concatenate()([L.UpSampling2D(interpolation='bilinear')(c), b]), 16)
    y = conv(L.Concatenate()([L.Conv2DTranspose(8, 3, 2, 'same')(y), a]), 8)
    y = L.Concatenate()([y, L.UpSampling2D(2)(L.AveragePooling2D(2)(y))])
    return L.Conv2D(2, 1, activation='sigmoid')(y)


@model((16, 16, 8))
def squeeze_excite(x):
    for act in ('hard_swish', 'relu6', 'swish', 'leaky_relu'):
        y = L.BatchNormalization()(L.DepthwiseConv2D(3, padding='same')(conv(x, 16, 1, act)))
        s = L.Dense(16, activation='hard_sigmoid')(L.Dense(4, activation='relu')(L.GlobalAveragePooling2D(keepdims=True)(y)))
        x = conv(L.Multiply()([y, s]), 16, 1, None)
    return L.Dense(10)(L.GlobalMaxPooling2D()(x))


@model((12, 32))
def attention(x):
    for act in ('gelu', 'relu'):
        x = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(4, 8)(x, x)]))
        x = L.LayerNormalization()(L.Add()([x, L.Dense(32)(L.Dense(64, activation=act)(x))]))
    return L.Dense(5, activation='softmax')(L.GlobalAveragePooling1D()(x))


@model((20,), kinds=[500], modes=['float', 'dynamic', 'float16', 'int8'])
def text_lstm(x): return L.Dense(4)(L.LSTM(24)(L.Embedding(500, 16)(x)))


@model((20,), kinds=[500], modes=['float', 'dynamic', 'float16', 'int8'])
def text_gru(x): return L.Dense(4)(L.GRU(24)(L.Embedding(500, 16)(x)))


@model((8, 8, 3), (5,))
def two_and_two(x, y):
    z = L.Concatenate()([L.Flatten()(conv(x, 4)), L.Dense(16, activation='tanh')(y)])
    return L.Dense(6, activation='softmax', name='classes')(z), L.Dense(2, name='box')(z)


@model((12,))
def shared_twice(x):
    d, e = L.Dense(12, activation='relu'), L.Dense(12)
    return L.Dense(3)(L.Maximum()([e(d(x)), e(d(d(x)))]))


@model((6, 16))
def many_operators(x):
    o = K.ops
    a, b = o.split(x, 2, axis=-1)
    y = o.stack([o.abs(a), o.exp(-o.square(b)), o.where(a > b, a, 0.5 * b), o.clip(a * b, -1, 1)], axis=-1)
    y = o.concatenate([o.max(y, -1), o.mean(y, -1), o.sum(y, -1), o.min(y, -1), o.flip(o.pad(a, [[0, 0], [0, 0], [1, 1]], constant_values=-1.0), -1)[:, :, 1:9]], -1)
    return L.Dense(3)(L.Flatten()(o.sqrt(o.abs(y)) / (1 + o.log(1 + o.square(y)))))


# EfficientNetB0 to the middle: with random weights each block loses 1 dB and more, and at its end nothing is left to compare
for width, size, make, last in ((96, 'image', 'MobileNetV2', None), (64, 'image', 'ResNet50V2', None), (64, 'bytes', 'EfficientNetB0', 'block4c_add'), (96, 'bytes', 'MobileNetV3Small', None), (96, 'bytes', 'MobileNetV3Large', None)):
    def application(x, make=make, last=last):
        whole = getattr(K.applications, make)(input_tensor=x, weights=None, classes=100, classifier_activation=None)
        return L.Dense(100)(L.GlobalAveragePooling2D()(whole.get_layer(last).output)) if last else whole.output
    application.__name__ = make
    model((width, width, 3), kinds=[size], modes=['float', 'int8'], samples=20)(application)


def samples(shape, kind, n):
    if isinstance(kind, int): return rng.integers(0, kind, (n, *shape)).astype(np.float32)
    if kind == 'normal': return rng.normal(0, 1, (n, *shape)).astype(np.float32)
    coarse = rng.normal(0, 1, (n, *(max(1, d // 8) for d in shape[:-1]), shape[-1])) # smooth in large, noise in small
    for axis in range(1, len(shape)): coarse = np.repeat(coarse, 8, axis)
    x = np.clip(coarse * 0.5 + rng.normal(0, 0.1, (n, *shape)), -1, 1)
    return (x if kind == 'image' else (x + 1) * 127.5).astype(np.float32)


def settle(m, xs):
    """Batch normalisation learns the statistics of what it gets: one pass in training mode with momentum 0, scales and offsets of its own."""
    norms = [l for l in m._flatten_layers() if isinstance(l, L.BatchNormalization)]
    for l in norms:
        n = l.gamma.shape
        l.gamma.assign(rng.uniform(0.5, 1.5, n)); l.beta.assign(rng.normal(0, 0.3, n))
        l.momentum = 0.0
    if norms: m(xs, training=True)
    for l in norms: l.momentum = 0.99


def official(m, mode, xs):
    # one sample at a time, variables as constants and loops as their steps: else its calibration of several inputs or of recurrent layers crashes
    specs = [tf.TensorSpec([1, *i.shape[1:]], name=i.name) for i in m.inputs]
    cells = [l for l in m.layers if isinstance(l, L.RNN)]
    if len(xs) > 1 or cells:
        for l in cells: l.unroll = True
        frozen = convert_variables_to_constants_v2(tf.function(lambda *x: m(list(x))).get_concrete_function(*specs))
        for l in cells: l.unroll = False
        c = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    else: c = tf.lite.TFLiteConverter.from_keras_model(m)
    if mode != 'float': c.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == 'float16': c.target_spec.supported_types = [tf.float16]
    if mode.startswith(('int', 'uint')):
        c.representative_dataset = lambda: ([x[i:i + 1] for x in xs] for i in range(len(xs[0])))
        c.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8 if mode == 'int16x8' else tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
                                        tf.lite.OpsSet.TFLITE_BUILTINS]
    if mode.endswith('-io'): c.inference_input_type = c.inference_output_type = tf.uint8 if mode[0] == 'u' else tf.int8
    with contextlib.redirect_stdout(io.StringIO()): return c.convert()


def main():
    out = sys.argv[1]
    for name in sys.argv[2:] or MODELS:
        make, shapes, kinds, modes, n = MODELS[name]
        d = f'{out}/{name}'
        if os.path.exists(f'{d}/times.json'): continue
        os.makedirs(d, exist_ok=True)
        tf.random.set_seed(len(name))
        inputs = [K.Input(s, name=f'x{i}') for i, s in enumerate(shapes)]
        m = K.Model(inputs, make(*inputs), name=name)
        xs = [samples(s, k, 2 * n) for s, k in zip(shapes, kinds)]
        settle(m, [x[:n] for x in xs])
        m.save(f'{d}/model.keras')
        for part, at in (('calibrate', slice(0, n)), ('test', slice(n, 2 * n))): np.savez(f'{d}/{part}.npz', **{f'x{i}': x[at] for i, x in enumerate(xs)})
        times = {}
        for mode in modes:
            t = time.time()
            try:
                content = official(m, mode, [x[:n] for x in xs])
                open(f'{d}/official-{mode}.tflite', 'wb').write(content)
            except Exception as e: print(name, mode, 'official converter:', str(e).strip().split('\n')[0][:200], flush=True)
            times[mode] = round(time.time() - t, 2)
        json.dump(times, open(f'{d}/times.json', 'w'))
        print(name, times, flush=True)


main()
