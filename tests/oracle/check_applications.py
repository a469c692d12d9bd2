#!/usr/bin/env python3
"""The networks of keras.applications as litec writes them beside Keras's own to_json().

    check_applications.py DESCRIBE_TOOL [NAME ...]

Each network in several sizes, with and without its classifier: the same layers in the same order, with the same names, options and
connections. What depends on shapes (build_config, the shape of a tensor) is left out.
"""
import json
import os
import subprocess
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from check_objects import differences, keras, stripped

# height, width, channels (0 0 0: the default; -1: open), classes (0: no top), pooling, alpha
CASES = [(0, 0, 0, 1000, "-", 0), (32, 32, 3, 10, "-", 0), (65, 98, 1, 7, "-", 0), (0, 0, 0, 0, "avg", 0), (-1, -1, 3, 0, "max", 0), (64, 33, 3, 0, "-", 0)]
MOBILE = [(96, 96, 3, 5, "-", 0.35), (128, 128, 3, 5, "-", 1.4), (0, 0, 0, 0, "avg", 0.5)]
SMALL = ["ResNet50V2", "ResNet50", "MobileNet", "MobileNetV2", "VGG16", "VGG19", "EfficientNetB0"]
LARGE = ["ResNet101", "ResNet152", "ResNet101V2", "ResNet152V2"] + [f"EfficientNetB{i}" for i in range(1, 8)]


def keras_json(name, case):
    height, width, channels, classes, pooling, alpha = case
    keras.utils.clear_session()
    args = {"weights": None, "include_top": classes > 0, "pooling": None if pooling == "-" else pooling}
    if height:
        args["input_shape"] = tuple(None if v < 0 else v for v in (height, width, channels))
    if classes:
        args["classes"] = classes
    if alpha:
        args["alpha"] = alpha
    return getattr(keras.applications, name)(**args).to_json()


def main():
    tool, names = sys.argv[1], sys.argv[2:]
    jobs = [(n, c) for n in names or SMALL for c in CASES + (MOBILE if n.startswith("Mobile") else [])]
    if not names:
        jobs += [(n, c) for n in LARGE for c in CASES[1:2]]
    bad = 0
    for name, case in jobs:
        ours = subprocess.run([tool, "application", name, *map(str, case)], check=True, capture_output=True, text=True).stdout
        found = list(differences(stripped(json.loads(ours)), stripped(json.loads(keras_json(name, case)))))
        bad += bool(found)
        for line in found[:5]:
            print(f"{name} {case}{line}"[:300])
    print(f"{len(jobs)} networks, {bad} different")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
