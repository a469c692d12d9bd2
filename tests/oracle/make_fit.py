"""make_fit.py: what Keras makes of the trainings and callbacks of tests/unit/test_fit.c and test_callbacks.c; prints tables in C.

    python tests/oracle/make_fit.py > tests/support/keras_fit.inc

Data and weights are the formulas of tests/support/small_net.h.
"""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import math

import keras
import numpy as np

SAMPLES, BATCH = 40, 8
x = np.array([[math.sin(0.37 * (i * 4 + j)) for j in range(4)] for i in range(SAMPLES)], np.float32)
classes = np.array([i * i * 7 % 11 % 3 for i in range(SAMPLES)], np.int32)
numbers = np.array([[math.cos(0.21 * (i * 2 + j)) for j in range(2)] for i in range(SAMPLES)], np.float32)
codes = np.array([[(i * 7 + j * 3) % 5 if j < 2 + i % 3 else 0 for j in range(4)] for i in range(SAMPLES)], np.int32)
code_classes = np.array([[(i + j * j) % 3 for j in range(4)] for i in range(SAMPLES)], np.int32)
weights = np.array([0.25 * (1 + i % 5) for i in range(SAMPLES)], np.float32)


def fill(model):
    for k, v in enumerate(model.trainable_variables):
        v.assign(np.array([0.5 * math.cos(1.3 * i + k) for i in range(int(np.prod(v.shape)))], np.float32).reshape(v.shape))


def one():
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(3, "softmax")])
    fill(model)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def two():
    start = keras.layers.Input((4,))
    a = keras.layers.Dense(2, name="a")(start)
    b = keras.layers.Dense(3, "softmax", name="b")(start)
    model = keras.Model(start, [a, b])
    fill(model)
    model.compile(keras.optimizers.SGD(0.1), ["mse", "sparse_categorical_crossentropy"], loss_weights=[0.5, 2.0])
    return model


def masked():
    """Codes 0 are masked; three sequences of four codes a row of x's formula."""
    model = keras.Sequential([keras.layers.Input((4,), dtype="int32"), keras.layers.Embedding(5, 3, mask_zero=True), keras.layers.Dense(3, "softmax")])
    fill(model)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def behind(activation, loss):
    """A cross entropy behind the activation of another."""
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, activation)])
    fill(model)
    model.compile(keras.optimizers.SGD(0.1), loss)
    return model


def show(name, history):
    for series in sorted(history.history):
        print(f'    {{"{name}", "{series}", {{' + ", ".join(f"{v:.9g}" for v in history.history[series]) + "}},")


def rows(case, mode, values, o):
    """Early stopping and reduction on a plateau over numbers that are given: what they did."""
    keras.backend.clear_session()
    model = one()
    stop = keras.callbacks.EarlyStopping(monitor="loss", mode=mode, min_delta=o["delta"], patience=o["patience"], baseline=o["baseline"],
                                         start_from_epoch=o["start"], restore_best_weights=True)
    reduce = keras.callbacks.ReduceLROnPlateau(monitor="loss", mode=mode, min_delta=o["delta"], patience=o["patience"], cooldown=o["cooldown"],
                                               factor=0.5, min_lr=0.01)
    for c in (stop, reduce):
        c.set_model(model)
        c.on_train_begin()
    stopped, rates = -1, []
    for epoch, v in enumerate(values):
        if stopped < 0:
            stop.on_epoch_end(epoch, {"loss": v})
            stopped = epoch if model.stop_training else -1
        reduce.on_epoch_end(epoch, {"loss": v})
        rates.append(float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)))
    print(f"    {{{case}, {stopped}, {stop.best_epoch}, {{" + ", ".join(f"{r:.9g}" for r in rates) + "}},")


print("/* Made by tests/oracle/make_fit.py with Keras", keras.__version__ + ". */")
print("/* clang-format off */")
print("#ifdef TRAININGS")
h = one().fit(x, classes, epochs=3, batch_size=BATCH, shuffle=False, verbose=0)
show("plain", h)
h = one().fit(x, classes, epochs=3, batch_size=BATCH, shuffle=False, verbose=0, validation_split=0.25)
show("split", h)
h = one().fit(x, classes, epochs=3, batch_size=BATCH, shuffle=False, verbose=0, class_weight={0: 1.0, 1: 2.5, 2: 0.5})
show("classes", h)
h = one().fit(x, classes, epochs=3, batch_size=BATCH, shuffle=False, verbose=0, sample_weight=weights)
show("samples", h)
h = one().fit(x, classes, epochs=3, batch_size=12, shuffle=False, verbose=0)
show("uneven", h)
model = one()
model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy", "accuracy"], weighted_metrics=["accuracy"])
show("weighted", model.fit(x, classes, epochs=3, batch_size=BATCH, shuffle=False, verbose=0, sample_weight=weights))
model = one()
model.compile(keras.optimizers.SGD(0.1, loss_scale_factor=8.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
show("scaled", model.fit(x, classes, epochs=3, batch_size=BATCH, shuffle=False, verbose=0))
show("cut", one().fit(x, classes, epochs=3, batch_size=BATCH, shuffle=False, verbose=0, steps_per_epoch=2))
show("masked", masked().fit(codes, code_classes, epochs=3, batch_size=BATCH, shuffle=False, verbose=0, validation_data=(codes[:16], code_classes[:16])))
show("sigmoid", behind("sigmoid", "sparse_categorical_crossentropy").fit(x, classes, epochs=3, batch_size=BATCH, shuffle=False, verbose=0))
show("softmax", behind("softmax", "binary_crossentropy").fit(x, np.eye(3, dtype=np.float32)[classes], epochs=3, batch_size=BATCH, shuffle=False, verbose=0))
model = two()
model.compile(keras.optimizers.SGD(0.1), [None, "sparse_categorical_crossentropy"])
show("one of two", model.fit(x, [classes], epochs=3, batch_size=BATCH, shuffle=False, verbose=0))
h = two().fit(x, [numbers, classes], epochs=3, batch_size=12, shuffle=False, verbose=0)
show("two uneven", h)
h = two().fit(x, [numbers, classes], epochs=3, batch_size=BATCH, shuffle=False, verbose=0, validation_data=(x[:16], [numbers[:16], classes[:16]]))
show("two", h)
print("#endif")
print("#ifdef WATCHING")
for case in range(16):
    values = [((case * 7919 + e * e * 31 + e * 17) % 23) / 10 for e in range(12)]
    rows(case, "max" if case & 1 else "min", values,
         {"delta": 0.25 if case & 2 else 0.0, "patience": 1 + case % 3, "baseline": 1.1 if case & 4 else None, "start": case % 4,
          "cooldown": 1 if case & 8 else 0})
print("#endif")
