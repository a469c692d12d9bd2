"""Whole-process time and peak memory of `litec convert` beside TensorFlow's `tflite_convert --saved_model_dir`, same models, same run.

    ORACLE/bin/python bench/convert_vs_tf.py [--litec build/release/litec] [--models DIR] [--runs N]

Needs a Python with tensorflow, and GNU time. The models (untrained, seeded) are made once and kept in DIR.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time


def make_models(folder):
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    import tensorflow as tf
    keras, layers = tf.keras, tf.keras.layers

    def mlp():
        return keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(128, activation='relu'), layers.Dropout(.2),
                                 layers.Dense(10, activation='softmax')])

    def cnn():
        return keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(32, 3, activation='relu'), layers.MaxPooling2D(),
                                 layers.Conv2D(64, 3, activation='relu'), layers.MaxPooling2D(), layers.Flatten(),
                                 layers.Dense(64, activation='relu'), layers.Dense(10, activation='softmax')])

    makers = {'MLP': mlp, 'CNN': cnn, 'MobileNetV2': lambda: keras.applications.MobileNetV2(weights=None),
              'ResNet50V2': lambda: keras.applications.ResNet50V2(weights=None)}
    for name, make in makers.items():
        if os.path.isdir(f'{folder}/{name}'):
            continue
        keras.utils.set_random_seed(1)
        model = make()
        model.save(f'{folder}/{name}.keras')
        model.save(f'{folder}/{name}.h5')
        model.export(f'{folder}/{name}', verbose=False)
    return list(makers)


def run(command, output):
    """Removes the output of an earlier run, then: seconds of wall clock and MB of peak resident memory of one process, by GNU time: a child of Python itself would count the pages
    it shared with Python before its exec."""
    with tempfile.NamedTemporaryFile('r') as report:
        done = subprocess.run(['/usr/bin/time', '-f', '%e %M', '-o', report.name] + command, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            sys.exit(f'failed: {" ".join(command)}')
        os.remove(output)
        os.sync()  # what the run before has left for the disk to do is not this one's
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        return time.perf_counter() - start, int(report.read().split()[1]) / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--litec', default='build/release/litec')
    parser.add_argument('--models', default=os.path.join(tempfile.gettempdir(), 'litec-bench-models'))
    parser.add_argument('--runs', type=int, default=3)
    parser.add_argument('--make-only', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.makedirs(options.models, exist_ok=True)
    names = ['MLP', 'CNN', 'MobileNetV2', 'ResNet50V2']
    if options.make_only:
        make_models(options.models)
        return
    # In a process of its own: a parent with TensorFlow loaded would make every child look large and slow to start.
    subprocess.run([sys.executable, __file__, '--make-only', '--models', options.models], check=True)
    tflite_convert = os.path.join(os.path.dirname(sys.executable), 'tflite_convert')
    print(f'{"model":<12} {"file MB":>8} {"TF s":>7} {"TF MB":>7} {"litec ms":>9} {"litec MB":>9} {"times faster":>13} {"memory / file":>14}')
    for name in names:
        theirs, ours = [], []
        source, target = f'{options.models}/{name}.keras', f'{options.models}/{name}.litec.tflite'
        official = f'{options.models}/{name}.tf.tflite'
        for _ in range(options.runs):
            theirs.append(run([tflite_convert, '--saved_model_dir', f'{options.models}/{name}', '--output_file', official], official))
            for _ in range(3):
                ours.append(run([options.litec, 'convert', source, '-o', target], target))
        t = [statistics.median(x[i] for x in theirs) for i in (0, 1)]
        o = [statistics.median(x[i] for x in ours) for i in (0, 1)]
        size = os.path.getsize(source) / 2**20
        print(f'{name:<12} {size:>8.2f} {t[0]:>7.2f} {t[1]:>7.0f} {o[0] * 1e3:>9.1f} {o[1]:>9.1f} {t[0] / o[0]:>13.0f} {o[1] / size:>14.2f}')


if __name__ == '__main__':
    main()
