#!/usr/bin/env python3
"""Files that litec writes, opened by Keras 3, tf_keras and h5py.

    check_keras_emit.py KERAS_REWRITE [NAME...]      the program is built with the tests (tests/keras_rewrite)

Models are made and trained by Keras, saved as .keras and .h5, read and written again by litec in all three forms. What Keras loads from
these must predict the same bits; from a .keras file with the optimizer's state two more epochs must give the same bits, too.
"""
import os
import subprocess
import sys
import tempfile

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
import tf_keras
from keras import layers as L

REWRITE = sys.argv[1]
ONLY = sys.argv[2:]
OLD_OPTIMIZERS = ("mlp", "cnn", "preprocessing")  # which tf_keras makes, too, from .h5
failures = []


def sequential(*layers, name=None):
    return keras.Sequential(list(layers), name=name)


def mlp():
    return sequential(keras.Input((6,)), L.Dense(8, "relu"), L.Dropout(0.0), L.Dense(5), L.LeakyReLU(), L.Dense(3, "softmax"))


def cnn():
    return sequential(keras.Input((8, 8, 3)), L.Conv2D(4, 3, padding="same"), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(),
                      L.DepthwiseConv2D(3), L.SeparableConv2D(5, 2), L.GlobalAveragePooling2D(), L.Flatten(), L.Dense(3, "softmax"))


def branches():
    x = keras.Input((6,), name="x")
    a = L.Dense(5, "relu", name="a")(x)
    shared = L.Dense(5, name="shared")
    y = L.Concatenate()([shared(a), shared(L.Dense(5)(x)), L.Add()([a, a])])
    y = L.LayerNormalization(center=False)(L.BatchNormalization(scale=False, name="bn")(y, training=False))
    return keras.Model(x, L.Dense(3, "softmax")(y))


def nested():
    inner = sequential(keras.Input((6,)), L.Dense(4, "relu"), L.BatchNormalization(), L.Dense(4), name="inner")
    x = keras.Input((6,))
    deep_in = keras.Input((4,))
    deep = keras.Model(deep_in, L.Dense(4)(sequential(keras.Input((4,)), L.Dense(3), L.BatchNormalization())(deep_in)), name="deep")
    return keras.Model(x, L.Dense(3, "softmax")(deep(inner(x))))


def frozen():
    m = nested()
    m.get_layer("deep").trainable = False
    m.layers[1].layers[0].trainable = False
    return m


def recurrent():
    return sequential(keras.Input((5, 6)), L.TimeDistributed(L.Dense(4)), L.Bidirectional(L.LSTM(3, return_sequences=True)),
                      L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum"), L.RNN([L.LSTMCell(3), L.GRUCell(4), L.LSTMCell(2)], return_sequences=True),
                      L.SimpleRNN(4, return_sequences=True), L.GRU(4, reset_after=False), L.Dense(3, "softmax"))


def attention():
    x = keras.Input((5, 6))
    y = L.MultiHeadAttention(2, 3, name="mha")(x, x)
    y = L.GroupQueryAttention(2, 4, 2)(y, x)
    return keras.Model(x, L.Dense(3, "softmax")(L.GlobalAveragePooling1D()(L.Add()([x, y]))))


def embedding():
    return sequential(keras.Input((5,), dtype="int32"), L.Embedding(10, 4), L.Conv1D(4, 2), L.GlobalMaxPooling1D(), L.Dense(3, "softmax"))


def operations():
    x = keras.Input((6,))
    return keras.Model(x, L.Dense(3, "softmax")(keras.ops.relu(L.Dense(6)(x)) + x * 2))


def half():
    return sequential(keras.Input((6,)), L.Dense(4, dtype="float16"), L.Dense(4, dtype="bfloat16"), L.Dense(3, "softmax"))


def siamese():
    x, z = keras.Input((6,)), keras.Input((6,))
    inner = sequential(keras.Input((6,)), L.Dense(4, "relu"), L.BatchNormalization(), name="inner")
    shared = keras.Model(x, L.Dense(4)(inner(x)), name="shared")
    return keras.Model(z, L.Dense(3, "softmax")(L.Subtract()([shared(z), shared(L.Dense(6)(z))])))


def in_time():
    return sequential(keras.Input((3, 6, 6, 2)), L.TimeDistributed(sequential(keras.Input((6, 6, 2)), L.Conv2D(3, 3), L.Flatten())),
                      L.LSTM(4), L.Dense(3, "softmax"))


def arguments():
    return sequential(keras.Input((6,)), L.Dense(8, kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02), bias_constraint=keras.constraints.MaxNorm(2),
                                                 kernel_initializer=keras.initializers.HeNormal(seed=3)),
                      L.PReLU(), L.GroupNormalization(2), L.GaussianNoise(0.0), L.UnitNormalization(), L.Activation(keras.activations.gelu), L.Dense(3))


def preprocessing():
    x = keras.Input((6,))
    n = L.Normalization(mean=[1.0] * 6, variance=[2.0] * 6)(x)
    learned = L.Normalization()
    learned.adapt(np.arange(60, dtype="float32").reshape(10, 6))
    return keras.Model(x, L.Dense(3, "softmax")(L.Rescaling(0.5)(L.Concatenate()([n, learned(x)]))))


def lookup():
    x = keras.Input((5,), dtype="int32")
    table = L.IntegerLookup()
    table.adapt([3, 4, 4, 7, 7, 7])
    return keras.Model(x, L.Dense(3, "softmax")(L.CategoryEncoding(6, output_mode="count")(table(x))))


def heads():
    x = keras.Input((6,))
    return keras.Model(x, {"one": L.Dense(2)(x), "two": L.Dense(3)(x)})


def mixed():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return sequential(keras.Input((6,)), L.Dense(4), L.BatchNormalization(), L.Dense(3, "softmax", dtype="float32"))
    finally:
        keras.config.set_dtype_policy("float32")


def many():
    x = y = keras.Input((6,))
    for i in range(150):
        y = L.Dense(6, name=f"layer_with_a_long_name_to_fill_the_attribute_{i}")(y)
    return keras.Model(x, L.Dense(3, "softmax")(y))


MODELS = {
    "mlp": (mlp, "adam", True),
    "cnn": (cnn, keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True), True),
    "branches": (branches, keras.optimizers.RMSprop(centered=True, momentum=0.1), True),
    "nested": (nested, "adamw", False),
    "frozen": (frozen, "nadam", False),
    "recurrent": (recurrent, "adagrad", True),
    "attention": (attention, keras.optimizers.Adam(amsgrad=True, clipnorm=1.0), False),
    "embedding": (embedding, "lion", True),
    "operations": (operations, "adadelta", False),
    "half": (half, None, False),
    "siamese": (siamese, keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)), False),
    "in_time": (in_time, keras.optimizers.SGD(0.01, use_ema=True), True),
    "arguments": (arguments, keras.optimizers.AdamW(gradient_accumulation_steps=2), True),
    "preprocessing": (preprocessing, "adam", True),
    "lookup": (lookup, None, False),
    "heads": (heads, None, True),
    "mixed": (mixed, None, False),
    "many": (many, None, True),
}


def check(name, what, ok):
    if not ok:
        failures.append(f"{name}: {what}")
        print(f"  FAILED {name}: {what}", flush=True)


def attempt(name, what, call):
    try:
        return call()
    except Exception as e:  # whatever Keras raises is a failure of ours
        check(name, f"{what}: {type(e).__name__}: {str(e)[:300]}", False)
        return None


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) and x.dtype == y.dtype for x, y in zip(a, b))


def go_on(m, x, y):
    keras.utils.set_random_seed(3)
    m.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0)
    return [np.array(v) for v in m.weights + m.optimizer.variables]


def equal(a, b):
    return same(keras.tree.flatten(a), keras.tree.flatten(b))


def paths(file):
    found = {}
    with h5py.File(file, "r") as f:
        f.visititems(lambda n, o: found.__setitem__(n, (o.shape, str(o.dtype)) if isinstance(o, h5py.Dataset) else None))
    return found


def run(name, directory):
    make, optimizer, old = MODELS[name]
    keras.utils.set_random_seed(7)
    m = make()
    shape = (8,) + m.input_shape[1:]
    rng = np.random.default_rng(1)
    x = rng.integers(0, 10, shape).astype("int32") if m.inputs[0].dtype == "int32" else rng.standard_normal(shape).astype("float32")
    y = rng.integers(0, 3, 8)
    if optimizer:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=name == "arguments")
        m.compile(optimizer, loss if name in ("arguments", "cnn") else "sparse_categorical_crossentropy",
                  metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2)] if name == "arguments" else ["accuracy"])
        m.fit(x, y, epochs=1, batch_size=4, verbose=0)
    wanted = m.predict(x, verbose=0)
    at = lambda file: os.path.join(directory, f"{name}_{file}")
    m.save(at("in.keras"))
    m.save(at("in.h5"))
    m.save_weights(at("in.weights.h5"))
    # Keras itself loses these in .h5: types of its layers, operations without their module, vocabularies.
    lost = name in ("half", "operations", "lookup")
    for source in ("in.keras",) if lost else ("in.keras", "in.h5"):
        short = source[3:]
        out = [at(f"{short}_out.{end}") for end in ("keras", "h5", "weights.h5")]
        done = subprocess.run([REWRITE, at(source), *out], capture_output=True, text=True)
        if done.returncode:
            check(name, f"{source}: {done.stderr.strip()}", False)
            continue
        if short == "keras":  # what Keras has, we have; it writes groups for parts without variables, too
            ours, theirs = paths(out[2]), paths(at("in.weights.h5"))
            check(name, f"groups {set(theirs) ^ set(ours)}", set(ours) <= set(theirs) and
                  all(v is None for k, v in theirs.items() if k not in ours) and
                  all(theirs[k] == v for k, v in ours.items()))
        else:
            ours, theirs = paths(out[1]), paths(at("in.h5"))
            check(name, f".h5: {set(theirs.items()) ^ set(ours.items())}", ours == theirs)
        for file in out[:2]:
            if name in ("half", "lookup") and file.endswith(".h5"):
                continue
            again = attempt(name, file, lambda: keras.saving.load_model(file))
            if again is None:
                continue
            check(name, f"{file}: predictions", equal(attempt(name, file, lambda: again.predict(x, verbose=0)), wanted))
            if optimizer and file.endswith(".keras"):  # an .h5 file with an optimizer, also its own, Keras 3 does not train on
                reference = keras.saving.load_model(at("in.keras"))
                check(name, f"{file}: optimizer", same([np.array(v) for v in again.optimizer.variables], [np.array(v) for v in reference.optimizer.variables]))
                check(name, f"{file}: training goes on", same(go_on(again, x, y), go_on(reference, x, y)))
        fresh = make()
        attempt(name, out[2], lambda: fresh.load_weights(out[2]))
        check(name, f"{out[2]}: predictions", equal(fresh.predict(x, verbose=0), wanted))
        if old:
            again = attempt(name, f"{out[1]} in tf_keras", lambda: tf_keras.models.load_model(out[1], compile=name in OLD_OPTIMIZERS))
            if again is not None:
                near = [np.allclose(a, b, atol=1e-6) for a, b in zip(keras.tree.flatten(again.predict(x, verbose=0)), keras.tree.flatten(wanted))]
                check(name, f"{out[1]} in tf_keras: predictions", all(near))
                if name in OLD_OPTIMIZERS:
                    attempt(name, f"{out[1]} trained by tf_keras", lambda: again.fit(x, y, verbose=0))
    print(f"{name}: done", flush=True)


with tempfile.TemporaryDirectory() as directory:
    for name in MODELS:
        if not ONLY or name in ONLY:
            run(name, directory)
print(f"{len(failures)} failures")
sys.exit(bool(failures))
