"""Whole-process time and peak memory of `litec convert MODEL.keras` beside a Python that does `tf.keras.models.load_model` and
`tf.lite.TFLiteConverter.from_keras_model(...).convert()`, same files, same run; and the operators of both results.

    ORACLE/bin/python bench/convert_keras.py [--litec build/release/litec] [--models DIR] [--runs N] [name ...]

Needs a Python with tensorflow, and GNU time. The models (untrained, seeded, with a fixed batch) are made once and kept in DIR. name: one of
keras.applications, as it is called there.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile

from convert_vs_tf import run

MODELS = ['EfficientNetB0', 'DenseNet121', 'NASNetMobile', 'InceptionResNetV2']
OFFICIAL = '''
import sys, tensorflow as tf
model = tf.keras.models.load_model(sys.argv[1], compile=False)
open(sys.argv[2], 'wb').write(tf.lite.TFLiteConverter.from_keras_model(model).convert())
'''
COUNT = '''
import sys
from ai_edge_litert import schema_py_generated as S
for path in sys.argv[1:]:
    model = S.ModelT.InitFromObj(S.Model.GetRootAs(open(path, 'rb').read(), 0))
    print(sum(len(g.operators) for g in model.subgraphs))
'''


def make(folder, names):
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    import tensorflow as tf
    keras = tf.keras
    for name in names:
        if os.path.exists(f'{folder}/{name}-1.h5'):
            continue
        keras.utils.set_random_seed(1)
        build = getattr(keras.applications, name)
        size = build(weights=None).input_shape[1:]
        model = build(weights=None, input_tensor=keras.Input(batch_shape=(1, *size)))
        model.save(f'{folder}/{name}-1.keras')
        model.save(f'{folder}/{name}-1.h5')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--litec', default='build/release/litec')
    parser.add_argument('--models', default=os.path.join(tempfile.gettempdir(), 'litec-bench-models'))
    parser.add_argument('--runs', type=int, default=3)
    parser.add_argument('--make-only', action='store_true', help=argparse.SUPPRESS)
    parser.add_argument('names', nargs='*', default=MODELS)
    options = parser.parse_args()
    os.makedirs(options.models, exist_ok=True)
    if options.make_only:
        make(options.models, options.names)
        return
    # In a process of its own: a parent with TensorFlow loaded would make every child look large and slow to start.
    subprocess.run([sys.executable, __file__, '--make-only', '--models', options.models, *options.names], check=True)
    print(f'{"model":<24} {"file MB":>8} {"TF s":>7} {"TF MB":>7} {"litec ms":>9} {"litec MB":>9} {"times faster":>13} {"memory / file":>14}  operators')
    for name in options.names:
        for form in ('keras', 'h5'):
            source, target, official = (f'{options.models}/{name}-1.{x}' for x in (form, 'litec.tflite', 'tf.tflite'))
            theirs, ours = [], []
            for _ in range(options.runs):
                theirs.append(run([sys.executable, '-c', OFFICIAL, source, official], official))
                for _ in range(3):
                    ours.append(run([options.litec, 'convert', source, '-o', target], target))
            t = [statistics.median(x[i] for x in theirs) for i in (0, 1)]
            o = [statistics.median(x[i] for x in ours) for i in (0, 1)]
            size = os.path.getsize(source) / 2**20
            count = subprocess.run([sys.executable, '-c', COUNT, target, official], check=True, capture_output=True, text=True).stdout.split()
            print(f'{name + "." + form:<24} {size:>8.2f} {t[0]:>7.2f} {t[1]:>7.0f} {o[0] * 1e3:>9.1f} {o[1]:>9.1f} {t[0] / o[0]:>13.0f} '
                  f'{o[1] / size:>14.2f}  {count[0]} / {count[1]}', flush=True)


if __name__ == '__main__':
    main()
