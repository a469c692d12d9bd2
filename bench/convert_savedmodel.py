"""Whole-process time and peak memory of `litec convert SAVED_MODEL` beside TensorFlow's `tflite_convert --saved_model_dir`, same directories, same run;
and that litec's time grows with the nodes and the bytes of a graph, no faster.

    ORACLE/bin/python bench/convert_savedmodel.py [--litec build/release/litec] [--models DIR] [--runs N] [--no-tf] [name ...]

Needs a Python with tensorflow, and GNU time. The models (untrained, seeded) and the synthetic graphs are made once and kept in DIR (1 GB). name: some of the
models, or `nodes` or `bytes`: a chain of 500, 5,000 and 50,000 operations, and layers of 1, 10 and 100 MB.
"""
import argparse
import glob
import os
import statistics
import subprocess
import sys
import tempfile

from convert_vs_tf import run

MODELS = ['MLP', 'MobileNetV2', 'ResNet50V2', 'EfficientNetB0', 'DenseNet121']
NODES = [500, 5000, 50000]
BYTES = [1, 10, 100]


def make(folder, names):
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    import numpy as np
    import tensorflow as tf
    keras, layers = tf.keras, tf.keras.layers

    def mlp():
        return keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(128, activation='relu'), layers.Dropout(.2),
                                 layers.Dense(10, activation='softmax')])

    def save_function(path, build):
        module = tf.Module()
        function = build(module)
        module.f = tf.function(function, input_signature=[tf.TensorSpec([None, 64], tf.float32, name='x')])
        tf.saved_model.save(module, path, signatures=module.f)

    def chain(nodes):
        def build(module):
            module.v = [tf.Variable(np.full(64, i / 97., 'f')) for i in range(10)]

            def f(x):  # four operations a round, no two rounds alike, none of which folds
                for i in range(nodes // 4):
                    x = tf.tanh(tf.maximum(x * (1 + i / nodes) + module.v[i % 10], -3.))
                return x
            return f
        return build

    def wide(megabytes):
        def build(module):
            count = 8
            side = int((megabytes * 2**20 / 4 / count)**.5) // 64 * 64 or 64
            rng = np.random.default_rng(1)
            module.first = tf.Variable(rng.normal(size=(64, side)).astype('f'))
            module.v = [tf.Variable(rng.normal(size=(side, side)).astype('f')) for _ in range(count)]

            def f(x):
                x = tf.matmul(x, module.first)
                for v in module.v:
                    x = tf.nn.relu(tf.matmul(x, v))
                return x
            return f
        return build

    for name in names:
        path = f'{folder}/{name}'
        if os.path.isdir(path):
            continue
        kind, _, size = name.partition('-')
        if kind == 'nodes':
            save_function(path, chain(int(size)))
        elif kind == 'bytes':
            save_function(path, wide(int(size)))
        else:
            keras.utils.set_random_seed(1)
            model = mlp() if name == 'MLP' else getattr(keras.applications, name)(weights=None)
            model.export(path, verbose=False)


def variable_bytes(path):
    return sum(os.path.getsize(f) for f in glob.glob(f'{path}/variables/variables.data-*'))


def median(values):
    return [statistics.median(v[i] for v in values) for i in (0, 1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('names', nargs='*')
    parser.add_argument('--litec', default='build/release/litec')
    parser.add_argument('--models', default=os.path.join(tempfile.gettempdir(), 'litec-bench-models'))
    parser.add_argument('--runs', type=int, default=3)
    parser.add_argument('--no-tf', action='store_true', help='litec alone')
    parser.add_argument('--make-only', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.makedirs(options.models, exist_ok=True)
    chosen = lambda name: not options.names or name in options.names
    models = [name for name in MODELS if chosen(name)]
    nodes = [f'nodes-{n}' for n in NODES] if chosen('nodes') else []
    sizes = [f'bytes-{n}' for n in BYTES] if chosen('bytes') else []
    if options.make_only:
        make(options.models, models + nodes + sizes)
        return
    # In a process of its own: a parent with TensorFlow loaded would make every child look large and slow to start.
    again = [sys.executable, os.path.abspath(__file__), '--make-only', '--models', options.models] + options.names
    subprocess.run(again, check=True, stderr=subprocess.DEVNULL)
    tflite_convert = os.path.join(os.path.dirname(sys.executable), 'tflite_convert')

    def measure(name):
        source = f'{options.models}/{name}'
        ours, theirs = f'{source}.litec.tflite', f'{source}.tf.tflite'
        o, t = [], []
        for _ in range(options.runs):
            if not options.no_tf and name in MODELS:
                t.append(run([tflite_convert, '--saved_model_dir', source, '--output_file', theirs], theirs))
            for _ in range(3):
                o.append(run([options.litec, 'convert', source, '-o', ours], ours))
        # Keras 3 writes every variable twice: what they come to is the size of the result
        return median(o), median(t) if t else None, variable_bytes(source) / 2**20, os.path.getsize(ours) / 2**20

    if models:
        print(f'{"SavedModel":<15} {"variables MB":>12} {"TF s":>7} {"TF MB":>7} {"litec ms":>9} {"litec MB":>9} {"times faster":>13} {"memory / variables":>19} {"memory / result":>16}')
    for name in models:
        o, t, size, result = measure(name)
        theirs = f'{t[0]:>7.2f} {t[1]:>7.0f}' if t else f'{"-":>7} {"-":>7}'
        ratio = f'{t[0] / o[0]:>13.0f}' if t else f'{"-":>13}'
        print(f'{name:<15} {size:>12.2f} {theirs} {o[0] * 1e3:>9.1f} {o[1]:>9.1f} {ratio} {o[1] / size:>19.2f} {o[1] / result:>16.2f}', flush=True)
    for title, group in (('nodes', nodes), ('bytes', sizes)):
        first = None
        for name in group:
            o, _, size, _ = measure(name)
            units = int(name.split('-')[1])
            first = first or (o, units)
            unit = f'{o[0] * 1e6 / units:.2f} us a node' if title == 'nodes' else f'{o[0] * 1e3 / units:.2f} ms a MB'
            print(f'{name:<15} {size:>8.2f} MB of variables {o[0] * 1e3:>9.1f} ms {o[1]:>8.1f} MB  {units / first[1]:>4.0f} x the {title}: {o[0] / first[0][0]:>6.1f} x the time, {unit}', flush=True)


if __name__ == '__main__':
    main()
