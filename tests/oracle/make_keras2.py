#!/usr/bin/env python3
"""Makes tests/data/keras/keras2: a model that Keras 2 (tf_keras) compiled and trained for two steps, with the state of its optimizer; after.txt has its
weights after two more steps, a line a file. adam.h5, adam.keras, sgd.h5 (without momentum), old.h5 (an optimizer of before 2.11, with decay)."""
import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
from archives import pack
import tf_keras as keras

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "keras", "keras2")

os.makedirs(HERE, exist_ok=True)
x, y = np.eye(3, dtype="float32"), np.arange(6, dtype="float32").reshape(3, 2)
made = {
    "adam.h5": lambda: keras.optimizers.Adam(0.125),
    "adam.keras": lambda: keras.optimizers.Adam(0.125),
    "sgd.h5": lambda: keras.optimizers.SGD(0.125),
    "old.h5": lambda: keras.optimizers.legacy.Adam(0.125, decay=0.5),
}
with open(os.path.join(HERE, "after.txt"), "w") as f:
    for name, optimizer in made.items():
        keras.utils.set_random_seed(5)
        m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="d")], name="m")
        m.compile(optimizer(), "mse", metrics=["mae"])
        for _ in range(2):
            m.train_on_batch(x, y)
        path = os.path.join(HERE, name)
        m.save(path)
        if name.endswith(".keras"):
            pack(path)
        for _ in range(2):
            m.train_on_batch(x, y)
        f.write(" ".join([name, *(repr(float(v)) for w in m.get_weights() for v in np.ravel(w))]) + "\n")
