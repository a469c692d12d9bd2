#!/usr/bin/env python3
"""Trains the tutorials' models on all of MNIST with litec and Keras, same settings, and prints the test accuracies.

    train_mnist.py --program build/litec --data DIR [--seeds 5] [--threads 2] [--only litec|keras] [MODEL ...]

DIR holds the four IDX files of MNIST. Models: softmax (1000 steps of 100, gradient descent with rate 0.5), mlp and cnn (5 epochs, batches
of 32, Adam), resnet (ResNet50V2, pictures with a border of two, one epoch; one seed). The table has the mean over the seeds and its standard
error, and seconds a run. Needs tensorflow and keras.
"""
import argparse
import gzip
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# as text (docs/training.md), and what litec train is told beside it
SETTINGS = {
    "softmax": ("input 28 28\nflatten\ndense 10 softmax\n", "-e 1 --steps 1000 -b 100 --optimizer sgd -r 0.5", 91),
    "mlp": ("input 28 28\nflatten\ndense 128 relu\ndropout 0.2\ndense 10 softmax\n", "-e 5 -b 32 --optimizer adam", 97.5),
    "cnn": ("input 28 28\nreshape 28 28 1\nconv2d 32 3x3 relu\nmax_pooling2d 2\nconv2d 64 3x3 relu\nmax_pooling2d 2\nflatten\ndropout 0.5\ndense 10 softmax\n",
            "-e 5 -b 32 --optimizer adam", 99),
    "resnet": (None, "--height 32 --width 32 --channels 1 --classes 10 -e 1 -b 32 --optimizer adam", 97),  # [n, 32, 32, 1] as .npy
}


def litec(args, name, seed, folder):
    """Accuracy on the test data in percent."""
    text, options, _ = SETTINGS[name]
    model = "ResNet50V2"
    if text:
        model = os.path.join(folder, name + ".txt")
        with open(model, "w") as f:
            f.write(text)
    part = lambda which: os.path.join(args.data, which)
    pictures = lambda which: part(which + "-images-idx3-ubyte.gz") if text else bordered(args.data, which, folder)
    command = [args.program, "train", model, "-d", pictures("train"), "-l", part("train-labels-idx1-ubyte.gz"),
               "--validation-data", pictures("t10k"), "--validation-labels", part("t10k-labels-idx1-ubyte.gz"),
               "-s", repr(1 / 255), "--loss", "sparse_categorical_crossentropy", "-m", "accuracy", "--seed", str(seed), "-t",
               str(args.threads), "-v", "2", "-o", os.path.join(folder, "out.keras")] + options.split()
    out = subprocess.run(command, capture_output=True, text=True)
    found = re.findall(r"val_accuracy: ([\d.]+)", out.stdout + out.stderr)
    if out.returncode or not found:
        raise SystemExit("litec: %s%s" % (out.stdout[-2000:], out.stderr[-2000:]))
    return 100 * float(found[-1])


def keras(args, name, seed, data):
    import keras as k
    k.utils.set_random_seed(seed)
    L = k.layers
    (x, y), (tx, ty) = data
    optimizer, epochs, batch, steps = "adam", 5, 32, None
    if name == "softmax":
        net = k.Sequential([L.Input((28, 28)), L.Flatten(), L.Dense(10, activation="softmax")])
        optimizer, epochs, batch, steps = k.optimizers.SGD(0.5), 2, 100, 500
    elif name == "mlp":
        net = k.Sequential([L.Input((28, 28)), L.Flatten(), L.Dense(128, activation="relu"), L.Dropout(0.2), L.Dense(10, activation="softmax")])
    elif name == "cnn":
        net = k.Sequential([L.Input((28, 28, 1)), L.Conv2D(32, 3, activation="relu"), L.MaxPooling2D(), L.Conv2D(64, 3, activation="relu"),
                            L.MaxPooling2D(), L.Flatten(), L.Dropout(0.5), L.Dense(10, activation="softmax")])
        x, tx = x[..., None], tx[..., None]
    else:
        net = k.applications.ResNet50V2(weights=None, input_shape=(32, 32, 1), classes=10)
        x, tx = (np.pad(a, ((0, 0), (2, 2), (2, 2)))[..., None] for a in (x, tx))
        epochs = 1
    net.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    net.fit(x, y, epochs=epochs, batch_size=batch, steps_per_epoch=steps, verbose=0)
    return 100 * net.evaluate(tx, ty, verbose=0)[1]


def idx(folder, name, skip):
    with gzip.open(os.path.join(folder, name)) as f:
        return np.frombuffer(f.read()[skip:], np.uint8)


def images(folder, which):
    return idx(folder, which + "-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)


def bordered(data, which, folder):
    path = os.path.join(folder, which + ".npy")
    if not os.path.exists(path):
        np.save(path, np.pad(images(data, which), ((0, 0), (2, 2), (2, 2)))[..., None])
    return path


def load(folder):
    return [(images(folder, p).astype("float32") / 255, idx(folder, p + "-labels-idx1-ubyte.gz", 8).astype("int32")) for p in ("train", "t10k")]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--only", choices=["litec", "keras"])
    p.add_argument("models", nargs="*", metavar="MODEL", help=" ".join(SETTINGS))
    args = p.parse_args()
    data = None
    if args.only != "litec":
        import tensorflow as tf
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
        data = load(args.data)
    print("%-8s %-6s %5s %10s %8s %10s  %s" % ("model", "", "runs", "accuracy", "+-", "seconds", "wanted"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in args.models or SETTINGS:
            for side in ("litec", "keras"):
                if args.only not in (None, side):
                    continue
                found, begin = [], time.time()
                for seed in range(1, 2 if name == "resnet" else args.seeds + 1):
                    found.append(litec(args, name, seed, folder) if side == "litec" else keras(args, name, seed, data))
                error = statistics.stdev(found) / len(found) ** 0.5 if len(found) > 1 else 0
                print("%-8s %-6s %5d %10.2f %8.2f %10.1f  >= %g" % (name, side, len(found), statistics.mean(found), error,
                                                                   (time.time() - begin) / len(found), SETTINGS[name][2]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
