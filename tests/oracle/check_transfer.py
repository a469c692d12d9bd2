#!/usr/bin/env python3
"""check_transfer.py: transfer learning from models that are no Keras files, beside Keras. A Keras model is exported as SavedModel, frozen graph and
.tflite, opened by litec, cut, and gets a head; ten steps of SGD on the head alone, ten on everything with BatchNormalization frozen. All weights
must be those of Keras's own training of the same to 1e-5.

    check_transfer.py build/release/tests/transfer_tool [NAME...]

Needs TensorFlow.
"""
import os
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf
from keras import layers as L
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

ROWS = 16


def with_bn():
    x = keras.Input((12, 12, 3), name="img")
    h = L.ReLU()(L.BatchNormalization(name="bn1")(L.Conv2D(8, 3, padding="same", name="c1")(x)))
    h = L.BatchNormalization(name="bn2")(L.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False, name="dw")(h))
    h = L.Conv2D(8, 1, name="c2")(L.Activation("relu6")(h))
    h = L.Dense(6, activation="tanh", name="feat")(L.Flatten()(h))
    return keras.Model(x, L.Dense(4, name="out")(h), name="net")


def plain():
    x = keras.Input((12, 12, 3), name="img")
    h = L.MaxPooling2D()(L.Conv2D(8, 3, padding="same", activation="relu", name="c1")(x))
    h = L.Add()([h, L.SeparableConv2D(8, 3, padding="same", activation="relu", name="sep")(h)])
    h = L.Conv2DTranspose(5, 3, strides=2, padding="same", name="up")(h)
    h = L.Dense(6, activation="tanh", name="feat")(L.Flatten()(L.AveragePooling2D(2)(h)))
    return keras.Model(x, L.Dense(4, name="out")(h), name="net")


def concrete(m, batch):
    return tf.function(lambda img: m(img, training=False)).get_concrete_function(tf.TensorSpec([batch, *m.inputs[0].shape[1:]], name="img"))


def frozen(m, folder):
    tf.io.write_graph(convert_variables_to_constants_v2(concrete(m, None)).graph, folder, "frozen.pb", as_text=False)
    return folder + "/frozen.pb"


def saved(m, folder):
    m.export(folder + "/saved", verbose=False)
    return folder + "/saved"


def tflite(batch, half=False):
    def write(m, folder):
        c = tf.lite.TFLiteConverter.from_concrete_functions([concrete(m, batch)])
        if half:
            for w in m.weights: w.assign(w.numpy().astype(np.float16).astype(np.float32))
            c.optimizations = [tf.lite.Optimize.DEFAULT]
            c.target_spec.supported_types = [tf.float16]
        open(folder + "/model.tflite", "wb").write(c.convert())
        return folder + "/model.tflite"
    return write


# name, model, format, Keras's layer to cut at, the name of it in the file ("-": nothing is cut), by a part of it
CASES = [("saved bn", with_bn, saved, "feat", "net_1/feat_1"), ("frozen bn", with_bn, frozen, "feat", "net_1/feat_1"), ("saved whole", with_bn, saved, "out", "-"), ("saved", plain, saved, "feat", "net_1/feat_1"),
         ("frozen", plain, frozen, "feat", "net_1/feat_1"), ("tflite", plain, tflite(None), "out", "-"), ("tflite batch 1", plain, tflite(1), "out", "-"), ("tflite float16", plain, tflite(None, True), "out", "-"),
         ("tflite cut", plain, tflite(None), "feat", "net_1/feat_1/Tanh")]


def by_keras(m, last, x, y):
    base = keras.Model(m.inputs, m.get_layer(last).output)
    whole = keras.Sequential([keras.Input(m.inputs[0].shape[1:]), base, L.Dense(4, activation="softmax", kernel_initializer="zeros", name="head")])
    for thaw in (False, True):
        base.trainable = thaw
        for l in m.layers:
            if isinstance(l, L.BatchNormalization): l.trainable = False
        whole.compile(keras.optimizers.SGD(0.2), "sparse_categorical_crossentropy")
        whole.fit(x, y, batch_size=ROWS, epochs=10, shuffle=False, verbose=0)
    return whole.weights


def forms(w):
    """A weight as the layouts of TFLite and TensorFlow have it."""
    yield w
    if w.ndim == 2: yield w.T
    if w.ndim == 4:
        yield w.transpose(3, 0, 1, 2)
        yield w.transpose(2, 0, 1, 3)
        yield w.reshape(1, *w.shape[:2], -1)


def main():
    tool, wanted, failed = sys.argv[1], sys.argv[2:], 0
    for name, make, export, last, cut in CASES:
        if wanted and name not in wanted: continue
        keras.utils.set_random_seed(3)
        rng = np.random.default_rng(7)
        m = make()
        for l in m.layers:
            if isinstance(l, L.BatchNormalization): l.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in l.get_weights()])
            elif l.weights: l.set_weights([w + rng.normal(0, 0.05, w.shape) for w in l.get_weights()])
        x, y = rng.random((ROWS, *m.inputs[0].shape[1:]), dtype=np.float32), rng.integers(0, 4, ROWS).astype(np.int32)
        with tempfile.TemporaryDirectory() as folder:
            path = export(m, folder)
            np.save(folder + "/x.npy", x), np.save(folder + "/y.npy", y)
            p = subprocess.run([tool, path, cut, folder + "/x.npy", folder + "/y.npy"], capture_output=True, text=True)
            if p.returncode:
                print(f"{name:16} FAILED {p.stderr.strip()}")
                failed += 1
                continue
        ours = []
        for line in p.stdout.splitlines():
            path, learns, dims, values = line.split("\t")
            ours.append((path, np.array(values.split(), np.float32).reshape([int(d) for d in dims.split()])))
        before = {w.path: w.numpy() for w in m.weights}
        worst, moved = 0.0, 0.0
        for w in by_keras(m, last, x, y):
            v = w.numpy()
            error, path = min((np.abs(f - o).max() if f.size else 0.0, p) for p, o in ours for f in forms(v) if f.shape == o.shape)
            if w.path in before and w.trainable: moved = max(moved, np.abs(v - before[w.path]).max())
            worst = max(worst, error)
        good = worst < 1e-5 and moved > 1e-3
        failed += not good
        print(f"{name:16} {'good' if good else 'FAILED'}  largest difference {worst:.1e}, weights moved by {moved:.1e}", flush=True)
    sys.exit(failed > 0)


main()
