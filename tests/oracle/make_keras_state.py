#!/usr/bin/env python3
"""Makes tests/data/keras/state: a model that Keras compiled and trained for two steps, with the state of its optimizer, as .keras (packed) and .h5.
values.txt has the variables of the optimizer, a line each: name, rank, numbers."""
import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from archives import pack

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "keras", "state")

os.makedirs(HERE, exist_ok=True)
keras.utils.set_random_seed(5)
m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="d")], name="m")
m.compile(keras.optimizers.SGD(0.125, momentum=0.5), "mse", metrics=["mae"])
m.fit(np.eye(3, dtype="float32"), np.ones((3, 2), "float32"), batch_size=2, shuffle=False, verbose=0)
at = lambda name: os.path.join(HERE, name)
m.save(at("sgd.keras"))
m.save(at("sgd.h5"))
pack(at("sgd.keras"))
with open(at("values.txt"), "w") as f:
    for v in m.optimizer.variables:
        f.write(" ".join([v.path.split("/", 1)[1], str(len(v.shape)), *(repr(float(x)) for x in np.ravel(v))]) + "\n")
