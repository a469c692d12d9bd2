#!/usr/bin/env python3
"""Times training steps of litec and Keras on the same model and batch size, in turns, and prints a table.

    train_vs_keras.py --program build/bench/bench_train [--threads 2] [--rounds 6] [--seconds 2] [MODEL ...]

Needs tensorflow and keras. Each side is a process of its own that answers with the milliseconds of its steps; they take turns, so that a
busy machine disturbs both alike. Keras's step is its compiled train function on a data set that holds the batch: without what fit adds
around it. "first" is the first step, with building or tracing; memory is the most the process has held.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

MODELS = {"mlp": ("mlp", 32, "adam"), "mlp_sgd": ("mlp", 32, "sgd"), "cnn": ("cnn", 32, "adam"), "lstm": ("lstm", 32, "adam"),
          "resnet": ("ResNet50V2:32", 32, "adam"), "mobilenet": ("MobileNetV2:96", 16, "adam"),
          "efficientnet": ("EfficientNetB0:64", 16, "adam"), "vgg": ("VGG16:32", 16, "sgd")}


def keras_side(model, batch, optimizer, threads):
    """What bench_train.c does, by Keras."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import resource
    import numpy as np
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    import keras
    L = keras.layers
    if ":" in model:
        name, side = model.split(":")
        shape = (int(side), int(side), 3)
        net = getattr(keras.applications, name)(weights=None, input_shape=shape, classes=10)
    else:
        shape = (28, 28, 1) if model == "cnn" else (28, 28)
        body = {"cnn": lambda: [L.Conv2D(32, 3, activation="relu"), L.MaxPooling2D(), L.Conv2D(64, 3, activation="relu"), L.MaxPooling2D(),
                                L.Flatten(), L.Dropout(0.5)],
                "lstm": lambda: [L.LSTM(128)],
                "mlp": lambda: [L.Flatten(), L.Dense(128, activation="relu"), L.Dropout(0.2)]}[model]()
        net = keras.Sequential([L.Input(shape), *body, L.Dense(10, activation="softmax")])
    net.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.rand(batch, *shape).astype(np.float32)
    y = np.random.randint(0, 10, batch).astype(np.int32)
    data = iter(tf.data.Dataset.from_tensors((x, y)).repeat())
    net.make_train_function()
    step = net.train_function
    print("ready", net.count_params(), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            begin = time.perf_counter()
            float(step(data)["loss"])
            times.append(1e3 * (time.perf_counter() - begin))
        print(*("%.4f" % t for t in times), flush=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)


class Side:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline().split()
        if not line or line[0] != "ready":
            raise SystemExit("failed: " + " ".join(command))
        self.parameters = int(line[1])
        self.times = []

    def steps(self, n):
        print(n, file=self.process.stdin, flush=True)
        return [float(t) for t in self.process.stdout.readline().split()]

    def end(self):
        self.process.stdin.close()
        return int(self.process.stdout.readline()) / 1024


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", required=True)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=6)
    p.add_argument("--seconds", type=float, default=2, help="of each side in a round")
    p.add_argument("models", nargs="*", metavar="MODEL", help=" ".join(MODELS))
    args = p.parse_args()
    processors = ["taskset", "-c", "0-%d" % (args.threads - 1)]
    print("%-10s %5s %10s %10s %6s %10s %10s %9s %9s" % ("model", "batch", "Keras ms", "litec ms", "ratio", "first", "first", "MB", "MB"))
    for name in args.models or MODELS:
        model, batch, optimizer = MODELS[name]
        command = [model, str(batch), optimizer]
        sides = [Side(processors + [sys.executable, os.path.abspath(__file__), "--side"] + command + [str(args.threads)]),
                 Side(processors + [args.program] + command)]
        if sides[0].parameters != sides[1].parameters:
            print("%s: Keras has %d parameters, litec %d" % (name, sides[0].parameters, sides[1].parameters))
        first = [s.steps(1)[0] for s in sides]
        counts = [max(3, min(2000, int(args.seconds * 1e3 / statistics.median(s.steps(5))))) for s in sides]
        for _ in range(args.rounds):
            for s, n in zip(sides, counts):
                s.times += s.steps(n)
        k, l = (statistics.median(s.times) for s in sides)
        memory = [s.end() for s in sides]
        print("%-10s %5d %10.3f %10.3f %6.2f %10.0f %10.0f %9.0f %9.0f" % (name, batch, k, l, k / l, *first, *memory), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        keras_side(sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
    else:
        main()
