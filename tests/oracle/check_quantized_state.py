#!/usr/bin/env python3
"""Models that keep something from run to run or from step to step, made integer by litec and run by LiteRT, run after run.

usage: check_quantized_state.py --litec BUILD/litec [--keep DIR] [NAME ...]

Variables (of several signatures, in a loop), stateful layers, SVDF, LSTM whose states are read, SimpleRNN and GRU: with --quantize int8 and
with --int8-only as well. Every file must run in LiteRT with XNNPACK, with its own and with its reference kernels, and stay LEAST dB beside
litec's float model; a model that --int8-only refuses must say why. Exit status 1 otherwise.
"""
import argparse
import os
import subprocess
import sys
import tempfile

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ai_edge_litert.interpreter import Interpreter, OpResolverType

KERNELS = {"xnnpack": OpResolverType.BUILTIN, "own": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, "reference": OpResolverType.BUILTIN_REF}
LEAST = 25
SAMPLES = 48
rng = np.random.RandomState(0)


def tensorflow_models(folder):
    import tensorflow as tf

    class Buffer(tf.Module):
        def __init__(self):
            self.last = tf.Variable(tf.zeros([1, 8, 4]))
            self.sum = tf.Variable(tf.ones([1, 5]))
            self.w = tf.constant(rng.randn(32, 5).astype(np.float32) * 0.3)

        @tf.function(input_signature=[tf.TensorSpec([1, 1, 4], tf.float32, name="x")])
        def push(self, x):
            new = tf.concat([self.last[:, 1:], x], 1)
            self.last.assign(new)
            y = tf.matmul(tf.reshape(new, [1, 32]), self.w)
            self.sum.assign(0.5 * self.sum + tf.tanh(y))
            return {"y": tf.nn.relu(self.sum) + y}

        @tf.function(input_signature=[tf.TensorSpec([1, 1, 4], tf.float32, name="x")])
        def peek(self, x):
            return {"y": tf.reduce_mean(self.last, 1) + x[:, 0], "z": 2.0 * self.sum}

        @tf.function(input_signature=[tf.TensorSpec([1, 1, 4], tf.float32, name="x")])
        def loop(self, x):
            i = tf.constant(0)
            while i < 3:
                self.sum.assign(tf.tanh(self.sum) * 0.7 + tf.reduce_mean(x))
                i += 1
            return {"z": self.sum + 1.0}

    b = Buffer()
    path = os.path.join(folder, "buffer")
    tf.saved_model.save(b, path, signatures={"push": b.push, "peek": b.peek, "loop": b.loop})
    yield "buffer", path, (1, 1, 4), ["push", "peek", "loop"]


def keras_models(folder):
    import keras
    from keras import Input, layers as L

    def of(name, layer, batch=None, time=10):
        x = Input((time, 6), batch_size=batch)
        y = layer(x)
        y = list(y) if isinstance(y, (list, tuple)) else L.Dense(3)(y)
        path = os.path.join(folder, name + ".keras")
        keras.Model(x, y).save(path)
        return name, path, (1, time, 6), None

    def encoder_decoder(x):
        _, h, c = L.LSTM(24, return_state=True)(x)
        return L.LSTM(24, return_sequences=True)(x, initial_state=[h, c])

    def rnn_encoder_decoder(x):
        _, h = L.SimpleRNN(24, return_state=True)(x)
        return L.SimpleRNN(24, return_sequences=True)(x, initial_state=h)

    yield of("gru", L.GRU(24))
    yield of("gru_before", L.GRU(24, reset_after=False, return_sequences=True))
    yield of("gru_stateful", L.GRU(24, stateful=True), batch=1)
    yield of("lstm_stateful", L.LSTM(24, stateful=True), batch=1)
    yield of("lstm_states", L.LSTM(24, return_state=True, return_sequences=True))
    yield of("lstm_encoder_decoder", encoder_decoder)
    yield of("rnn", L.SimpleRNN(40))
    yield of("rnn_relu", L.SimpleRNN(40, activation="relu", return_sequences=True))
    yield of("rnn_both_ways", L.Bidirectional(L.SimpleRNN(40, return_sequences=True)))
    yield of("rnn_encoder_decoder", rnn_encoder_decoder)
    yield of("rnn_after_dense", lambda x: L.SimpleRNN(24)(x, initial_state=L.Dense(24, activation="tanh")(x[:, 0])))
    yield of("rnn_stateful", L.SimpleRNN(40, stateful=True), batch=1)


def svdf_models(folder):
    from op_models import M

    F = np.float32

    for name, more in {"svdf": dict(rank=2, memory=8), "svdf_long": dict(rank=1, memory=100), "svdf_linear": dict(rank=1, memory=8, act=0)}.items():
        filters, memory = 5 * more["rank"], more["memory"]
        m = M()
        x = m.input(F, [1, 6])
        ins = [x, m.const(rng.randn(filters, 6).astype(F) * 0.5), m.const(rng.randn(filters, memory).astype(F) * 0.4), m.const(rng.randn(5).astype(F)),
               m.tensor(F, [1, memory * filters], variable=True)]
        m.op("SVDF", ins, [m.output(F, [1, 5])], rank=more["rank"], fused_activation_function=more.get("act", 1))
        path = os.path.join(folder, name + ".tflite")
        with open(path, "wb") as f:
            f.write(m.bytes())
        yield name, path, (1, 6), None


def runs(path, samples, signatures, kernels):
    it = Interpreter(path, experimental_op_resolver_type=KERNELS[kernels], num_threads=1)
    if signatures:
        runners = {s: it.get_signature_runner(s) for s in signatures}
        results = [runners[signatures[k % len(signatures)]](x=a) for k, a in enumerate(samples)]
        return [r[n].astype(np.float64) for r in results for n in sorted(r)]
    it.allocate_tensors()
    results = []
    for a in samples:
        it.set_tensor(it.get_input_details()[0]["index"], a)
        it.invoke()
        results += [it.get_tensor(d["index"]).astype(np.float64) for d in it.get_output_details()]
    return results


def decibels(a, b):
    return 10 * np.log10(sum((x ** 2).sum() for x in a) / max(sum(((x - y) ** 2).sum() for x, y in zip(a, b)), 1e-30))


def check(litec, folder, name, path, shape, signatures):
    samples = rng.randn(SAMPLES, *shape).astype(np.float32)
    data = os.path.join(folder, name + ".npy")
    np.save(data, samples if signatures or path.endswith(".tflite") else samples[:, 0])
    given = [a for s in signatures or [None] for a in ("--representative", "%s:x=%s" % (s, data) if s else data)]
    real = os.path.join(folder, name + "_float.tflite")
    subprocess.run([litec, "convert", path, "-o", real], check=True, stdout=subprocess.DEVNULL)
    want, good = runs(real, samples, signatures, "xnnpack"), True
    for only in ([], ["--int8-only"]):
        small = os.path.join(folder, name + "_int8%s.tflite" % "".join(only))
        p = subprocess.run([litec, "convert", path, "-o", small, "--quantize", "int8", *only, *given], capture_output=True, text=True)
        if p.returncode:
            good &= "error: " in p.stderr and (bool(only) or "no operator changed" in p.stderr)
            print(name, *only, "refused:", p.stderr.splitlines()[0][:150])
            continue
        found = {k: decibels(want, runs(small, samples, signatures, k)) for k in KERNELS}
        good &= min(found.values()) >= LEAST
        print(name, *only, p.stdout.splitlines()[1], *("%s %.1f dB" % f for f in found.items()), flush=True)
    return good


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--litec", required=True)
    args.add_argument("--keep")
    args.add_argument("names", nargs="*")
    o = args.parse_args()
    folder = o.keep or tempfile.mkdtemp()
    bad = []
    for make in (svdf_models, tensorflow_models, keras_models):
        for model in make(folder):
            if (not o.names or model[0] in o.names) and not check(o.litec, folder, *model):
                bad.append(model[0])
    print("bad: " + " ".join(bad) if bad else "all good")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
