#!/usr/bin/env python3
"""Writes tests/data/learning/learning.json.gz: what Keras's optimizers, schedules, losses, metrics, regularisers and constraints make of small
arrays, for tests/unit/test_learning.c. Each object is in the file as Keras serialises it.

    python tests/oracle/make_learning.py          (needs tensorflow and keras 3)
"""
import gzip
import io
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
import keras
from keras import constraints, losses, metrics, optimizers, regularizers
from keras.optimizers import schedules

HERE = os.path.dirname(os.path.abspath(__file__))


class Numbers:
    """The generator of the test, too: numbers in [-1, 1) that float32 holds."""

    def __init__(self, seed):
        self.state = seed

    def take(self, *shape):
        out = np.empty(int(np.prod(shape)), np.float32)
        for i in range(out.size):
            self.state = (self.state * 1664525 + 1013904223) % 2**32
            out[i] = (self.state >> 8) / 2**23 - 1
        return out.reshape(shape)


def number(v):
    v = float(np.float32(v))
    return float("%.8g" % v) if np.isfinite(v) else str(v)


def numbers(a):
    return [number(v) for v in np.asarray(a, np.float32).ravel()]


def plain(v):
    """What json writes of it: numpy's numbers as Python's."""
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, (np.floating, np.integer)):
        return v.item()
    if hasattr(v, "numpy"):
        return plain(v.numpy().tolist())
    return v


def written(o):
    s = plain(keras.saving.serialize_keras_object(o))
    if isinstance(s, dict):
        s.pop("module", None)
        s.pop("registered_name", None)
        s["config"].pop("dtype", None)
        if isinstance(o, losses.Huber):
            s["config"]["delta"] = o._fn_kwargs["delta"]  # Keras 3.15 forgets it
        for inner in s["config"].values():
            if isinstance(inner, dict):
                inner.pop("module", None)
                inner.pop("registered_name", None)
    return s


SHAPES = [("dense/kernel", (3, 4)), ("dense/bias", (4,)), ("out/kernel", (4, 2))]


def train(optimizer, exclude):
    r = Numbers(1)
    variables = []
    for path, shape in SHAPES:
        scope, name = path.split("/")
        with keras.src.backend.name_scope(scope):
            variables.append(keras.Variable(r.take(*shape), name=name))
        assert variables[-1].path == path, variables[-1].path
    if exclude:
        optimizer.exclude_from_weight_decay(var_names=[exclude])
    for step in range(10):
        grads = []
        for _, shape in SHAPES:
            g = r.take(*shape) * np.float32(2)
            g.reshape(-1)[step % 4] = 0
            grads.append(tf.constant(g))
        optimizer.apply(grads, variables)
    return variables


def optimizer_cases():
    S, A, R, F = optimizers.SGD, optimizers.Adam, optimizers.RMSprop, optimizers.Ftrl
    list_ = [S(), S(0.1, momentum=0.9), S(0.1, momentum=0.5, nesterov=True), S(0.1, weight_decay=0.05), S(0.1, clipnorm=0.7),
             S(0.1, clipvalue=0.3), S(0.1, global_clipnorm=1.5), S(0.1, use_ema=True, ema_momentum=0.8),
             S(0.1, momentum=0.9, use_ema=True, ema_momentum=0.6, ema_overwrite_frequency=3), S(0.1, gradient_accumulation_steps=3),
             A(0.01), A(0.01, amsgrad=True), A(0.01, beta_1=0.8, beta_2=0.9, epsilon=1e-3, weight_decay=0.1),
             A(0.01, gradient_accumulation_steps=2, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=2, clipnorm=0.5),
             A(0.01, loss_scale_factor=8.0), optimizers.AdamW(0.01), optimizers.AdamW(0.01, weight_decay=0.2), R(0.01), R(0.01, momentum=0.7),
             R(0.01, rho=0.8, centered=True), R(0.01, momentum=0.5, centered=True, epsilon=1e-4), optimizers.Adagrad(0.1),
             optimizers.Adagrad(0.1, initial_accumulator_value=0.0), optimizers.Adadelta(1.0), optimizers.Adadelta(0.5, rho=0.8),
             optimizers.Adamax(0.01), optimizers.Nadam(0.01), optimizers.Nadam(0.01, gradient_accumulation_steps=2), F(0.1),
             F(0.1, learning_rate_power=-0.7, l1_regularization_strength=0.05, l2_regularization_strength=0.1,
               l2_shrinkage_regularization_strength=0.02, beta=0.3), optimizers.Lion(0.01), optimizers.Lion(0.01, beta_1=0.8, weight_decay=0.1),
             S(schedules.ExponentialDecay(0.2, 3, 0.5), momentum=0.9)]
    excluded = {16: "bias"}
    out = []
    for i, o in enumerate(list_):
        if o.learning_rate is not None and not isinstance(o._learning_rate, schedules.LearningRateSchedule):
            o._learning_rate.assign(np.float32(o._learning_rate.numpy()))
        config = written(o)
        v = train(o, excluded.get(i))
        case = {"object": config, "values": numbers(np.concatenate([x.numpy().ravel() for x in v])),
                "slots": [s.name for s in o.variables], "sums": [number(np.sum(s.numpy().astype(np.float64))) for s in o.variables]}
        if i in excluded:
            case["exclude"] = excluded[i]
        out.append(case)
    return out


STEPS = [0, 1, 2, 5, 9, 10, 11, 25, 99]


def schedule_cases():
    list_ = [schedules.ExponentialDecay(0.1, 10, 0.9), schedules.ExponentialDecay(0.1, 10, 0.9, staircase=True),
             schedules.PiecewiseConstantDecay([1, 10, 20], [0.1, 0.05, 0.01, 0.001]), schedules.PolynomialDecay(0.1, 10, 0.01, power=2.0),
             schedules.PolynomialDecay(0.1, 10, 0.01, power=0.5, cycle=True), schedules.InverseTimeDecay(0.1, 4, 0.5),
             schedules.InverseTimeDecay(0.1, 4, 0.5, staircase=True), schedules.CosineDecay(0.1, 20), schedules.CosineDecay(0.1, 20, alpha=0.1),
             schedules.CosineDecay(0.0, 20, warmup_target=0.2, warmup_steps=5), schedules.CosineDecayRestarts(0.1, 10),
             schedules.CosineDecayRestarts(0.1, 4, t_mul=1.0, m_mul=0.8, alpha=0.05)]
    return [{"object": written(s), "rates": [number(s(tf.constant(k, tf.int64))) for k in STEPS]} for s in list_]


def arrays():
    r = Numbers(2)
    logits = r.take(5, 3) * np.float32(4)
    logits[3] = [100, -100, 0]
    probs = tf.nn.softmax(logits).numpy()
    probs[1] *= np.float32(0.5)  # a row that does not add up to 1
    binary = r.take(5, 2) * np.float32(0.5) + np.float32(0.5)
    binary[0] = [0, 1]
    binary[2, 0] = 1e-9
    return {"logits": logits, "probs": probs, "onehot": np.eye(3, dtype=np.float32)[[0, 2, 1, 1, 0]],
            "soft": np.abs(r.take(5, 3)) / np.float32(2), "classes": np.array([0, 2, 1, 1, 0], np.float32),
            "binary": binary, "yes": np.array([[0, 1], [1, 1], [1, 0], [0, 0], [1, 0]], np.float32), "score": r.take(5, 2) * np.float32(3),
            "numbers": r.take(5, 3), "others": r.take(5, 3), "zeros": np.zeros((5, 3), np.float32),
            "one": (np.arange(5, dtype=np.float32)[:, None] / np.float32(4)), "zero_one": np.array([[0], [0], [1], [0], [1]], np.float32),
            "all": np.ones((5, 1), np.float32), "weights": np.array([1, 0, 2, 0.5, 1], np.float32)}


def loss_cases(a):
    L = losses
    list_ = [(L.MeanSquaredError(), "numbers", "others"), (L.MeanAbsoluteError(), "numbers", "others"),
             (L.MeanAbsolutePercentageError(), "numbers", "others"), (L.MeanAbsolutePercentageError(), "zeros", "others"),
             (L.MeanSquaredLogarithmicError(), "numbers", "others"), (L.Huber(), "numbers", "logits"), (L.Huber(delta=0.3), "numbers", "others"),
             (L.LogCosh(), "numbers", "logits"), (L.Poisson(), "soft", "probs"), (L.Hinge(), "yes", "score"), (L.Hinge(), "score", "binary"),
             (L.SquaredHinge(), "yes", "score"), (L.CategoricalHinge(), "onehot", "logits"), (L.KLDivergence(), "soft", "probs"),
             (L.CosineSimilarity(), "numbers", "others"), (L.BinaryCrossentropy(), "yes", "binary"),
             (L.BinaryCrossentropy(from_logits=True), "yes", "score"), (L.BinaryCrossentropy(label_smoothing=0.2), "yes", "binary"),
             (L.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), "yes", "score"),
             (L.CategoricalCrossentropy(), "onehot", "probs"), (L.CategoricalCrossentropy(from_logits=True), "onehot", "logits"),
             (L.CategoricalCrossentropy(label_smoothing=0.1), "onehot", "probs"), (L.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), "onehot", "logits"),
             (L.CategoricalCrossentropy(from_logits=True), "soft", "logits"), (L.SparseCategoricalCrossentropy(), "classes", "probs"),
             (L.SparseCategoricalCrossentropy(from_logits=True), "classes", "logits"),
             (L.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1), "classes", "logits"),
             (L.SparseCategoricalCrossentropy(ignore_class=0), "classes", "probs"),
             (L.BinaryFocalCrossentropy(), "yes", "binary"), (L.BinaryFocalCrossentropy(gamma=1.5, apply_class_balancing=True), "yes", "binary"),
             (L.BinaryFocalCrossentropy(from_logits=True, label_smoothing=0.1), "yes", "score"),
             (L.CategoricalFocalCrossentropy(), "onehot", "probs"), (L.CategoricalFocalCrossentropy(alpha=0.5, gamma=3.0, from_logits=True), "onehot", "logits"),
             (L.Dice(), "yes", "binary"), (L.Tversky(alpha=0.3, beta=0.7), "onehot", "probs"),
             (L.MeanSquaredError(reduction="sum"), "numbers", "others"),
             (L.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1, reduction="mean_with_sample_weight"), "classes", "logits"),
             (L.MeanSquaredError(reduction="mean_with_sample_weight"), "numbers", "others"),
             (L.MeanSquaredError(reduction=None), "numbers", "others"), (L.SparseCategoricalCrossentropy(from_logits=True, reduction="none"), "classes", "logits"),
             (L.Dice(axis=1), "yes", "binary"), (L.Tversky(alpha=0.3, beta=0.6, axis=(-1,)), "onehot", "probs"), (L.CategoricalFocalCrossentropy(alpha=[0.1, 0.5, 0.9]), "onehot", "probs"),
             (L.CategoricalFocalCrossentropy(alpha=[0.1, 0.5, 0.9], from_logits=True), "onehot", "logits"),
             (L.CategoricalGeneralizedCrossEntropy(), "classes", "soft"), (L.CategoricalGeneralizedCrossEntropy(q=0.2), "classes", "soft")]
    out = []
    for loss, true, pred in list_:
        for weights in (None, "weights"):
            p = tf.Variable(a[pred])
            with tf.GradientTape() as tape:
                each = loss(a[true], tf.identity(p), sample_weight=None if weights is None else a[weights])
                value = tf.reduce_mean(each)  # without a reduction: what is shown is the mean, what is derived the sum
            out.append({"object": written(loss), "true": true, "pred": pred, "weights": weights, "value": number(value),
                        "grad": numbers(tape.gradient(each if loss.reduction in (None, "none") else value, p))})
    return out


def metric_cases(a):
    M = metrics
    list_ = [(M.MeanSquaredError(), "numbers", "others"), (M.RootMeanSquaredError(), "numbers", "others"), (M.MeanAbsoluteError(), "numbers", "others"),
             (M.LogCoshError(), "numbers", "others"), (M.CosineSimilarity(), "numbers", "others"), (M.Hinge(), "yes", "score"),
             (M.KLDivergence(), "soft", "probs"), (M.Poisson(), "soft", "probs"), (M.BinaryCrossentropy(label_smoothing=0.1), "yes", "binary"),
             (M.CategoricalCrossentropy(from_logits=True), "onehot", "logits"), (M.SparseCategoricalCrossentropy(), "classes", "probs"),
             (M.BinaryAccuracy(), "yes", "binary"), (M.BinaryAccuracy(threshold=0.2), "yes", "binary"), (M.CategoricalAccuracy(), "onehot", "probs"),
             (M.SparseCategoricalAccuracy(), "classes", "probs"), (M.TopKCategoricalAccuracy(k=2), "onehot", "logits"),
             (M.SparseTopKCategoricalAccuracy(k=2), "classes", "logits"), (M.Accuracy(), "yes", "yes"),
             (M.TruePositives(), "yes", "binary"), (M.FalsePositives(), "yes", "binary"), (M.TrueNegatives(), "yes", "binary"),
             (M.FalseNegatives(thresholds=0.3), "yes", "binary"), (M.Precision(), "yes", "binary"), (M.Recall(), "yes", "binary"),
             (M.Precision(top_k=2), "onehot", "probs"), (M.Recall(class_id=1), "onehot", "probs"), (M.Recall(), "all", "one"),
             (M.AUC(), "yes", "binary"), (M.AUC(curve="PR"), "yes", "binary"), (M.AUC(num_thresholds=5, summation_method="majoring"), "yes", "binary"),
             (M.AUC(num_thresholds=11, curve="PR", summation_method="minoring"), "yes", "binary"), (M.AUC(thresholds=[0.1, 0.7]), "yes", "binary"),
             (M.AUC(from_logits=True), "yes", "score"), (M.AUC(), "zero_one", "one"), (M.AUC(), "all", "one"), (M.AUC(num_thresholds=3), "zero_one", "one"),
             (M.SensitivityAtSpecificity(0.5), "yes", "binary"), (M.SpecificityAtSensitivity(0.6, num_thresholds=20), "yes", "binary"),
             (M.PrecisionAtRecall(0.6), "yes", "binary"), (M.RecallAtPrecision(0.5), "zero_one", "one"),
             (M.F1Score(average="macro"), "onehot", "probs"), (M.F1Score(average="micro", threshold=0.4), "onehot", "probs"),
             (M.FBetaScore(average="weighted", beta=2.0), "onehot", "probs"), (M.MeanIoU(num_classes=3, sparse_y_pred=False), "classes", "probs"),
             (M.MeanIoU(num_classes=3, sparse_y_pred=False, sparse_y_true=False, ignore_class=1), "onehot", "probs"),
             (M.IoU(3, [0, 2], sparse_y_pred=False), "classes", "probs"), (M.BinaryIoU(), "zero_one", "one"), (M.BinaryIoU([1], threshold=0.75), "zero_one", "one"),
             (M.OneHotIoU(3, [1]), "onehot", "probs"), (M.OneHotMeanIoU(3), "onehot", "probs"), (M.OneHotMeanIoU(3, ignore_class=0), "onehot", "probs"),
             (M.R2Score(), "numbers", "others"), (M.R2Score("variance_weighted_average"), "numbers", "others"),
             (M.R2Score(num_regressors=2), "numbers", "others"), (M.R2Score(None, num_regressors=3), "numbers", "others"), (M.R2Score(), "zero_one", "one"),
             (M.PearsonCorrelation(), "numbers", "others"), (M.ConcordanceCorrelation(), "numbers", "others"),
             (M.AUC(multi_label=True), "yes", "binary"), (M.AUC(multi_label=True, num_labels=2, curve="PR"), "yes", "binary"),
             (M.AUC(multi_label=True, num_labels=3, label_weights=[1.0, 2.0, 0.5], num_thresholds=20), "onehot", "probs"),
             (M.AUC(multi_label=True, thresholds=[0.2, 0.6]), "onehot", "probs"),
             (M.AUC(label_weights=[1.0, 2.0, 0.5]), "onehot", "probs"), (M.AUC(multi_label=True, from_logits=True, curve="PR", summation_method="minoring"), "yes", "score")]
    out = []
    for metric, true, pred in list_:
        config = written(metric)
        # a batch with weights, then one without
        metric.update_state(a[true], a[pred], sample_weight=a["weights"])
        first = number(np.mean(metric.result()))
        metric.update_state(a[true], a[pred])
        out.append({"object": config, "true": true, "pred": pred, "results": [first, number(np.mean(metric.result()))]})
    return out


def variable_cases():
    r = Numbers(3)
    matrix, kernel = r.take(3, 4), r.take(2, 2, 2, 3)
    out = {"matrix": numbers(matrix), "kernel": numbers(kernel), "regularizers": [], "constraints": []}
    for reg in [regularizers.L1(0.1), regularizers.L2(0.2), regularizers.L1L2(0.1, 0.3), regularizers.OrthogonalRegularizer(0.5),
                regularizers.OrthogonalRegularizer(0.5, mode="columns")]:
        v = tf.Variable(matrix)
        with tf.GradientTape() as tape:
            value = reg(v)
        out["regularizers"].append({"object": written(reg), "value": number(value), "grad": numbers(tape.gradient(value, v))})
    for con, name in [(constraints.MaxNorm(1.0), "matrix"), (constraints.MaxNorm(0.5, axis=1), "matrix"), (constraints.NonNeg(), "matrix"),
                      (constraints.UnitNorm(), "matrix"), (constraints.MinMaxNorm(0.8, 1.2, rate=0.5), "matrix"),
                      (constraints.MaxNorm(1.0, axis=[0, 1, 2]), "kernel"), (constraints.UnitNorm(axis=-1), "kernel"),
                      (constraints.MinMaxNorm(0.9, 1.0, axis=[0, 2]), "kernel")]:
        w = {"matrix": matrix, "kernel": kernel}[name]
        out["constraints"].append({"object": written(con), "of": name, "values": numbers(con(w))})
    return out


def main():
    a = arrays()
    data = {"optimizers": optimizer_cases(), "schedules": schedule_cases(), "arrays": {k: {"shape": list(v.shape), "data": numbers(v)} for k, v in a.items()},
            "losses": loss_cases(a), "metrics": metric_cases(a), "variables": variable_cases()}
    path = os.path.join(HERE, "..", "data", "learning", "learning.json.gz")
    with io.TextIOWrapper(gzip.GzipFile(path, "wb", mtime=0)) as f:
        f.write("{\n")
        for i, (key, value) in enumerate(data.items()):
            rows = value if isinstance(value, list) else None
            f.write(json.dumps(key) + ": ")
            if rows is None:
                f.write(json.dumps(value, separators=(",", ":")))
            else:
                f.write("[\n" + ",\n".join(json.dumps(x, separators=(",", ":")) for x in rows) + "]")
            f.write(",\n" if i + 1 < len(data) else "}\n")
    print(os.path.getsize(path), "bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
