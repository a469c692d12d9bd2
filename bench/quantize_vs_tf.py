"""Whole-process time and peak memory of `litec convert --quantize int8` beside TensorFlow's converter: the same model, the same 100 samples.

    ORACLE/bin/python bench/quantize_vs_tf.py [--litec build/release/litec] [--models DIR] [--runs N] [--samples N] [NAME ...]

Needs a Python with tensorflow, and GNU time. Models (untrained, seeded) and samples are made once and kept in DIR. NAME: a class of
keras.applications; MobileNetV2 when none is named.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile

OFFICIAL = '''
import sys
import numpy as np, tensorflow as tf
x = np.load(sys.argv[2], mmap_mode='r')
c = tf.lite.TFLiteConverter.from_keras_model(tf.keras.models.load_model(sys.argv[1], compile=False))
c.optimizations = [tf.lite.Optimize.DEFAULT]
c.representative_dataset = lambda: ([x[i:i + 1]] for i in range(len(x)))
c.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
open(sys.argv[3], 'wb').write(c.convert())
'''


def make(folder, name, samples):
    model, data = f'{folder}/{name}.keras', f'{folder}/samples{samples}.npy'
    if not os.path.exists(model) or not os.path.exists(data):
        os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
        import numpy as np
        import tensorflow as tf
        tf.keras.utils.set_random_seed(1)
        getattr(tf.keras.applications, name)(weights=None).save(model)
        np.save(data, np.random.default_rng(1).uniform(-1, 1, (samples, 224, 224, 3)).astype(np.float32))
    return model, data


def measure(command):
    """Seconds, processor seconds and megabytes of a process."""
    with tempfile.NamedTemporaryFile('r') as log:
        subprocess.run(['/usr/bin/time', '-o', log.name, '-f', '%e %U %S %M', *command], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        seconds, user, system, kilobytes = log.read().split()
    return float(seconds), float(user) + float(system), int(kilobytes) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--litec', default='build/release/litec')
    parser.add_argument('--models', default=os.path.join(tempfile.gettempdir(), 'litec-bench'))
    parser.add_argument('--runs', type=int, default=3, help='of each, in turns')
    parser.add_argument('--samples', type=int, default=100)
    parser.add_argument('names', nargs='*')
    args = parser.parse_args()
    os.makedirs(args.models, exist_ok=True)
    for name in args.names or ['MobileNetV2']:
        model, data = make(args.models, name, args.samples)
        out = [f'{args.models}/{name}-{who}.tflite' for who in ('litec', 'tensorflow')]
        ours = [args.litec, 'convert', model, '-o', out[0], '--quantize', 'int8', '--representative', data]
        theirs = [sys.executable, '-c', OFFICIAL, model, data, out[1]]
        times = [(measure(ours), measure(theirs)) for _ in range(args.runs)]
        (a, c, m), (b, d, n) = ([statistics.median(t[k][i] for t in times) for i in range(3)] for k in (0, 1))
        print(f'{name}, {args.samples} samples: litec {a:.2f} s ({c:.2f} s of processors), {m:.0f} MB; TensorFlow {b:.2f} s ({d:.2f} s), {n:.0f} MB; '
              f'{b / a:.1f} times faster ({d / c:.1f} times less work); files {os.path.getsize(out[0])} and {os.path.getsize(out[1])} bytes')


if __name__ == '__main__':
    main()
