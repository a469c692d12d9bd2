#!/usr/bin/env python3
"""check_device.py: a .tflite file that is trained on a device, by LiteRT, beside Keras: ten steps, then infer; save and restore.

    check_device.py build/tests/device_tool [NAME...]

Needs TensorFlow and ai-edge-litert.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_training as c
import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from keras import layers, optimizers


def cnn():
    return keras.Sequential([keras.Input((12, 12, 2)), layers.Conv2D(6, 3, activation="relu"), layers.MaxPooling2D(), layers.Conv2D(8, 3, padding="same", strides=2, activation="tanh"), layers.AveragePooling2D(2),
                             layers.Flatten(), layers.Dense(5, activation="softmax")])


def bn():
    return keras.Sequential([keras.Input((10, 10, 3)), layers.Conv2D(6, 3, use_bias=False), layers.BatchNormalization(), layers.Activation("relu"), layers.DepthwiseConv2D(3, padding="same", use_bias=False), layers.ReLU(6),
                             layers.LeakyReLU(), layers.GlobalAveragePooling2D(), layers.Dense(5, activation="softmax")])


def odd():
    i = keras.Input((8, 8, 4))
    x = layers.Conv2D(4, 3, padding="same", activation="elu")(i)
    x = layers.Concatenate()([layers.Add()([x, i]), layers.Activation("sigmoid")(x)])
    x = layers.ZeroPadding2D(1)(layers.Conv2D(5, 2, strides=3)(x))
    x = layers.LayerNormalization()(layers.Flatten()(x))
    return keras.Model(i, layers.Dense(5, activation="softmax")(layers.Activation("hard_swish")(x)))


def tokens():
    return keras.Sequential([keras.Input((7,), dtype="int32"), layers.Embedding(20, 6), layers.SimpleRNN(8), layers.Dense(5, activation="softmax")])


CASES = [("mlp SGD", c.mlp, optimizers.SGD(0.1), c.SPARSE), ("mlp momentum", c.mlp, optimizers.SGD(0.1, momentum=0.9), c.SPARSE), ("mlp nesterov", c.mlp, optimizers.SGD(0.1, momentum=0.9, nesterov=True), c.SPARSE),
         ("mlp Adam", c.mlp, optimizers.Adam(0.01), c.SPARSE), ("cnn", cnn, optimizers.SGD(0.1), c.SPARSE), ("bn", bn, optimizers.SGD(0.1), c.SPARSE), ("odd", odd, optimizers.SGD(0.1), c.SPARSE),
         ("tokens", tokens, optimizers.SGD(0.1), c.SPARSE), ("lstm", c.lstm_floats, optimizers.SGD(0.1), c.SPARSE), ("attention", c.attention, optimizers.SGD(0.1), c.SPARSE), ("conv1d", c.conv1d, optimizers.SGD(0.1), c.SPARSE), ("frozen", c.frozen, optimizers.SGD(0.1), c.SPARSE),
         ("regression", c.regression, optimizers.SGD(0.05), "mse"), ("binary", c.binary, optimizers.SGD(0.1), "binary_crossentropy"), ("one-hot", c.mlp, optimizers.SGD(0.1), "categorical_crossentropy")]


def pictures(*body):
    return lambda: keras.Sequential([keras.Input((9, 9, 4)), layers.Conv2D(4, 3, activation="tanh", padding="same"), *[type(l).from_config(l.get_config()) for l in body], layers.Flatten(), layers.Dense(5, activation="softmax")])


def mobilenet():
    return keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3), classes=5, alpha=0.35)


def resnet():
    i = keras.Input((16, 16, 3))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 7, strides=2, padding="same", use_bias=False)(i)))
    x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
    y = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(x))
    x = layers.ReLU()(layers.Add()([x, y]))
    return keras.Model(i, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


CASES += [(f"mlp {o.name} {i}", c.mlp, o, c.SPARSE) for i, o in enumerate([
    optimizers.Adam(0.01, amsgrad=True), optimizers.AdamW(0.01, weight_decay=0.1), optimizers.Adamax(0.01), optimizers.Nadam(0.01), optimizers.RMSprop(0.01), optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    optimizers.Adagrad(0.1), optimizers.Adadelta(1.0), optimizers.Ftrl(0.1), optimizers.Lion(0.003), optimizers.SGD(0.1, clipnorm=0.1), optimizers.SGD(0.1, global_clipnorm=0.1), optimizers.SGD(0.1, clipvalue=0.01),
    optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)), optimizers.SGD(optimizers.schedules.CosineDecay(0.01, 6, warmup_target=0.1, warmup_steps=3)),
    optimizers.SGD(optimizers.schedules.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.2])), optimizers.SGD(optimizers.schedules.PolynomialDecay(0.1, 4, cycle=True)),
    optimizers.SGD(optimizers.schedules.CosineDecayRestarts(0.1, 3)), optimizers.SGD(optimizers.schedules.InverseTimeDecay(0.1, 3, 0.5))])]
CASES += [(n, pictures(*b), optimizers.SGD(0.1), c.SPARSE) for n, b in {
    "max 3/2": [layers.MaxPooling2D(3, strides=2)], "max 3/2 same": [layers.MaxPooling2D(3, strides=2, padding="same")], "max 3/1": [layers.MaxPooling2D(3, strides=1)], "max relu": [layers.ReLU(), layers.MaxPooling2D(2)],
    "average 3/2 same": [layers.AveragePooling2D(3, strides=2, padding="same")], "depthwise /2": [layers.DepthwiseConv2D(3, strides=2, padding="same")], "depthwise x2": [layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2)],
    "depthwise d2": [layers.DepthwiseConv2D(3, dilation_rate=2)], "conv d2": [layers.Conv2D(5, 3, dilation_rate=2, padding="same")], "groups": [layers.Conv2D(6, 3, groups=2, strides=2, padding="same")],
    "transposed": [layers.Conv2DTranspose(3, 3, strides=2, padding="same")], "separable": [layers.SeparableConv2D(6, 3, strides=2, padding="same")], "nearest": [layers.UpSampling2D(2)],
    "bilinear": [layers.UpSampling2D((2, 3), interpolation="bilinear")], "prelu": [layers.PReLU()], "regular": [layers.Conv2D(3, 3, kernel_regularizer=keras.regularizers.L1L2(0.01, 0.01), activity_regularizer="l2", kernel_constraint="max_norm")]}.items()]
CASES += [("gru", c.gru, optimizers.Adam(0.01), c.SPARSE), ("resnet", resnet, optimizers.RMSprop(0.003), c.SPARSE), ("mobilenet", mobilenet, optimizers.SGD(1e-4), c.SPARSE),
          ("mae", c.regression, optimizers.SGD(0.05), "mae"), ("huber", c.regression, optimizers.SGD(0.05), "huber"), ("msle", c.regression, optimizers.SGD(0.05), "msle")]


def run(program, case, folder, seed):
    _, build, optimizer, loss = case
    keras.utils.set_random_seed(seed)
    model = build()
    model.compile(optimizer=type(optimizer).from_config(optimizer.get_config()), loss=loss)
    x, y = c.data(model, loss, np.random.default_rng(seed))
    keras_file, out = os.path.join(folder, "m.keras"), os.path.join(folder, "o.tflite")
    model.save(keras_file)
    before = model.predict(x[:4], verbose=0)
    wanted = [float(model.train_on_batch(x[i:i + 32], y[i:i + 32])) for i in range(0, 320, 32)]
    r = subprocess.run([program, keras_file, out, "32"], capture_output=True, text=True)
    if r.returncode:
        return "refused: " + (r.stdout + r.stderr).strip()[:160]
    after = model.predict(x[:4], verbose=0)
    texts = []
    for resolver in (OpResolverType.AUTO, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES):
        it = Interpreter(out, experimental_op_resolver_type=resolver)
        train, infer, save, restore = (it.get_signature_runner(k) for k in ("train", "infer", "save", "restore"))
        name = [k for k in train.get_input_details() if k != "y"][0]
        given = lambda v: np.asarray(v, infer.get_input_details()[name]["dtype"])
        first = max(float(np.abs(list(infer(**{name: given(x[:4])}).values())[0] - before).max()), 0)
        start = save()
        losses = []
        for i in range(0, 320, 32):
            t = y[i:i + 32]
            shape = train.get_input_details()["y"]["shape"]
            losses.append(float(train(**{name: given(x[i:i + 32]), "y": t.reshape(shape)})["loss"].reshape(-1)[0]))
        last = float(np.abs(list(infer(**{name: given(x[:4])}).values())[0] - after).max())
        restore(**start)
        back = float(np.abs(list(infer(**{name: given(x[:4])}).values())[0] - before).max())
        texts.append(f"begin {first:.0e}, ten steps {last:.0e}, restored {back:.0e}")
        good = first < 1e-5 and last < 1e-4 and back < 1e-5
        if not good:
            return " | ".join(texts) + f" losses {losses[:3]} {wanted[:3]}"
    return " | ".join(texts), True


if __name__ == "__main__":
    sys.exit(c.run_cases(CASES, run, 14))
