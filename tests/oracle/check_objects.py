#!/usr/bin/env python3
"""What litec writes of layers, optimizers, losses ... beside what Keras writes.

    check_objects.py DESCRIBE_TOOL

1. Every class with its defaults: each argument that litec writes has the value that Keras's get_config() has, and none is missing.
2. The models of describe_tool.c: Keras loads them, and writes the same configuration again.

DESCRIBE_TOOL is <build>/tests/describe_tool. Exit 1 when there is a difference. Without Keras there is nothing to compare with: it says so.
"""
import json
import os
import subprocess
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import inspect

try:
    import keras
    import numpy
except ImportError as e:
    print(f"skipped: {e}")
    sys.exit(0)

KINDS = {
    "keras.layers": keras.layers,
    "keras.optimizers": keras.optimizers,
    "keras.optimizers.schedules": keras.optimizers.schedules,
    "keras.losses": keras.losses,
    "keras.metrics": keras.metrics,
    "keras.initializers": keras.initializers,
    "keras.regularizers": keras.regularizers,
    "keras.constraints": keras.constraints,
}
# What a class must be given to be made; these arguments are not compared.
GIVEN = {
    "Bidirectional": {"layer": keras.layers.LSTM(2), "backward_layer": None},
    "TimeDistributed": {"layer": keras.layers.Dense(2)},
    "Activation": {"activation": "linear"},
    "Reshape": {"target_shape": ()},
    "Permute": {"dims": (1,)},
    "InputLayer": {"shape": ()},
    "PiecewiseConstantDecay": {"boundaries": [1], "values": [1.0, 2.0]},
    "RandomCrop": {"height": 1, "width": 1, "seed": 1},
    "MultiHeadAttention": {"num_heads": 1, "key_dim": 1, "value_dim": None},
    "GroupNormalization": {},
    "MeanIoU": {"num_classes": 2},
    "IoU": {"num_classes": 2, "target_class_ids": [0]},
    "OneHotIoU": {"num_classes": 2, "target_class_ids": [0]},
    "OneHotMeanIoU": {"num_classes": 2},
    "AveragePooling1D": {"pool_size": 2},
    "AveragePooling2D": {"pool_size": 2},
    "AveragePooling3D": {"pool_size": 2},
}


# Arguments that are written by litec and taken by Keras, which does not write them; what metrics write is their own.
ONE_SIDED = {"Huber": ["delta"], "SparseCategoricalCrossentropy": ["axis"], "CosineSimilarity": ["axis"], "Identity": ["gain"],
             "AUC": ["thresholds", "label_weights", "multi_label", "num_labels"]}


def given(name, cls):
    """Something for each argument without a default."""
    args = dict(GIVEN.get(name, {}))
    for p in inspect.signature(cls.__init__).parameters.values():
        if p.name in ("self", *args) or p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        args[p.name] = 0.5 if p.name in ("rate", "factor", "stddev", "recall", "precision", "sensitivity", "specificity") else 1
    return args


def without(config, names):
    return {k: v for k, v in config.items() if k not in names}


def canonical(value):
    """Tuples are lists, numbers are float32, as Keras keeps some of them."""
    if isinstance(value, dict):
        return {k: canonical(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(v) for v in value]
    return float(numpy.float32(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def check_class(kind, name, ours):
    cls = getattr(KINDS[kind], name)
    args = given(name, cls)
    theirs = canonical(keras.saving.serialize_keras_object(cls(**args))["config"])
    skip = {"name", *args, *ONE_SIDED.get(name, []), *(["dtype"] if kind == "keras.metrics" else [])}
    ours, theirs = canonical(without(ours, skip)), without(theirs, skip)
    return [f"{kind} {name}.{k}: {ours.get(k, 'missing')} here, {theirs.get(k, 'missing')} in Keras"
            for k in sorted(set(ours) | set(theirs))
            if k not in ours or k not in theirs or ours[k] != theirs[k]]


def stripped(value):
    """Without what depends on shapes, on being called or on the session."""
    if isinstance(value, list):
        return [stripped(v) for v in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__keras_tensor__":
        return value["config"]["keras_history"]
    out = {k: stripped(v) for k, v in value.items() if k not in ("build_config", "compile_config", "build_input_shape")}
    if isinstance(out.get("activation"), dict):
        out["activation"]["config"].pop("name", None) # which Keras gives it when it is made
    if "kwargs" in out:
        out["kwargs"].pop("training", None)
    if "attention_axes" in out:
        out.pop("attention_axes") # null until it is built
    out.pop("zero_output_for_mask", None) # Bidirectional sets it
    if out.get("axis") is not None:
        out["axis"] = [out["axis"]] if isinstance(out["axis"], int) else out["axis"]
    return out


def differences(a, b, path=""):
    if isinstance(a, dict) and isinstance(b, dict):
        for k in sorted(set(a) | set(b)):
            yield from differences(a.get(k, "missing"), b.get(k, "missing"), f"{path}.{k}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{path}[{i}]")
    elif a != b:
        yield f"{path}: {a} here, {b} in Keras"


def check_model(tool, name):
    text = subprocess.run([tool, "model", name], check=True, capture_output=True, text=True).stdout
    model = keras.models.model_from_json(text)
    return [f"model {name}{d}" for d in differences(stripped(json.loads(text)), stripped(json.loads(model.to_json())))]


def main():
    tool, bad, count = sys.argv[1], [], 0
    for line in subprocess.run([tool, "classes"], check=True, capture_output=True, text=True).stdout.splitlines():
        kind, name, config = line.split(" ", 2)
        count += 1
        try:
            bad += check_class(kind, name, json.loads(config))
        except Exception as e:
            bad.append(f"{kind} {name}: {e!r}"[:300])
    for name in ("sequential", "functional", "attention", "options", "several"):
        count += 1
        try:
            bad += check_model(tool, name)
        except Exception as e:
            bad.append(f"model {name}: {e!r}"[:1500])
    print("\n".join(bad))
    print(f"{count} classes and models, {len(bad)} differences")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
