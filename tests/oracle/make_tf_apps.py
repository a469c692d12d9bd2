"""Makes SavedModels of keras.applications for check_tf_models.py: one of each family at least, random weights, by Keras 3 and some by Keras 2.

    python3 make_tf_apps.py OUT [name ...]        (needs tensorflow, tf_keras, ai_edge_litert; OUT: outside the tree, 3 GB)

    OUT/<name>.<k3|k2>.<export|saved_model>/...   laid out as make_tf_models.py does; "list" is the way it was saved

Weights are scaled so that signals live through all layers; batch normalisation gets the statistics of a batch of soft random pictures, disturbed, and scales and offsets that are
not 1 and 0. What rounding of the input alone changes in the output is measured; four times that is the tolerance where it is over 1e-4. Inputs are as small as a family allows. Each model is made in a process of its own; those that are there already are kept.
"""
import contextlib, io, json, os, shutil, subprocess, sys
from tf_judge import LIMIT, difference, official, save_set

if len(sys.argv) < 2: sys.exit(__doc__)
OUT = sys.argv[1]
EXPORT, SAVE = 'export', 'saved_model'
#       function, input size, ways by Keras 3, ways by Keras 2
APPS = {
    'mobilenet': ('MobileNet', 64, (EXPORT, SAVE), (EXPORT,)), 'mobilenet_v2': ('MobileNetV2', 96, (EXPORT, SAVE), (EXPORT, SAVE)), 'mobilenet_v3_small': ('MobileNetV3Small', 64, (EXPORT, SAVE), (EXPORT,)),
    'mobilenet_v3_large': ('MobileNetV3Large', 64, (EXPORT, SAVE), ()), 'resnet50': ('ResNet50', 64, (EXPORT, SAVE), (SAVE,)), 'resnet50_v2': ('ResNet50V2', 64, (EXPORT, SAVE), ()), 'vgg16': ('VGG16', 32, (EXPORT, SAVE), ()),
    'densenet121': ('DenseNet121', 64, (EXPORT, SAVE), (EXPORT,)), 'efficientnet_b0': ('EfficientNetB0', 64, (EXPORT, SAVE), (EXPORT, SAVE)), 'efficientnet_v2_b0': ('EfficientNetV2B0', 64, (EXPORT, SAVE), ()),
    'nasnet_mobile': ('NASNetMobile', 224, (EXPORT, SAVE), ()), 'inception_v3': ('InceptionV3', 96, (EXPORT, SAVE), ()), 'inception_resnet_v2': ('InceptionResNetV2', 96, (EXPORT, SAVE), ()),
    'xception': ('Xception', 96, (EXPORT, SAVE), (SAVE,)), 'convnext_tiny': ('ConvNeXtTiny', 64, (EXPORT, SAVE), ()), 'vgg19': ('VGG19', 32, (EXPORT,), ()), 'resnet101': ('ResNet101', 64, (EXPORT,), ()),
    'densenet169_open_size': ('DenseNet169', None, (EXPORT,), ()), 'mobilenet_v2_open_size': ('MobileNetV2', None, (EXPORT, SAVE), (EXPORT,)),
}


def alive(np, m, size):
    """Weights with which an untrained network tells its inputs apart."""
    rng = np.random.default_rng(3)
    norms = []
    def walk(layers):
        for l in layers:
            if hasattr(l, 'layers'): walk(l.layers)
            elif type(l).__name__ == 'BatchNormalization': norms.append(l)
    walk(m.layers)
    for w in m.weights:
        name, s = getattr(w, 'path', w.name), tuple(w.shape)
        if 'gamma' in name: w.assign(rng.uniform(.6, 1.4, s) if 'layer_scale' not in name else rng.uniform(.2, .6, s))
        elif 'bias' in name or 'beta' in name: w.assign(rng.normal(0, .1, s))
        elif 'kernel' in name and len(s) > 1: w.assign(np.asarray(w) * (1.3 if norms else 1.5))
    for l in m.layers:
        if type(l).__name__ == 'LayerScale': l.gamma.assign(rng.uniform(.2, .6, l.gamma.shape))
    for l in norms: l.momentum = 0.
    if norms: m(pictures(np, rng, (8, size, size, 3), 255 if raw(m) else 1), training=True)
    for l in norms:
        l.moving_mean.assign(np.asarray(l.moving_mean) + rng.normal(0, .05, l.moving_mean.shape) * np.sqrt(np.asarray(l.moving_variance)))
        l.moving_variance.assign(np.asarray(l.moving_variance) * rng.uniform(.8, 1.25, l.moving_variance.shape) + 1e-3)
        l.momentum = .99
    head = m.layers[-1]
    if type(head).__name__ == 'Dense': # classes that all have a chance: a softmax of 1 and zeros would compare nothing
        x = pictures(np, rng, (8, size, size, 3), 255 if raw(m) else 1)
        features = np.asarray(type(m)(m.inputs, head.input)(x)).reshape(8, -1)
        logits = features @ np.asarray(head.kernel)
        head.kernel.assign(np.asarray(head.kernel) * 1.5 / logits.std())
    return m


def pictures(np, rng, shape, scale):
    """Soft random shapes and a little noise: of noise alone every picture looks the same to a deep net, and only its rounding errors grow."""
    n, h, w, _ = shape
    coarse = rng.uniform(0, 1, (n, 5, 5, 3))
    grid = lambda size: np.linspace(0, 3.999, size)
    y, x = grid(h), grid(w)
    part = lambda a, at, axis: (lambda i, f: np.take(a, i, axis) * (1 - f) + np.take(a, i + 1, axis) * f)(at.astype(int), (at % 1).reshape([-1 if k == axis else 1 for k in range(4)]))
    return ((part(part(coarse, y, 1), x, 2) * .9 + rng.uniform(0, .1, shape)) * scale).astype('f')


def raw(m): return any(type(l).__name__ in ('Rescaling', 'Normalization') for l in m.layers)


def child(name, gen):
    os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
    import numpy as np
    import tensorflow as tf
    import tf_keras
    K = tf.keras if gen == 'k3' else tf_keras
    function, size, *ways = APPS[name]
    K.utils.set_random_seed(7)
    open_size = dict(include_top=False, pooling='avg', input_shape=(None, None, 3)) if size is None else dict(input_shape=(size, size, 3), classes=10)
    m = alive(np, getattr(K.applications, function)(weights=None, **open_size), size or 64)
    rng = np.random.default_rng(5)
    scale = 255 if raw(m) else 1
    shapes = [(1, 64, 64, 3), (2, 80, 96, 3)] if size is None else [(1, size, size, 3), (2, size, size, 3)]
    for way in ways[0 if gen == 'k3' else 1]:
        d = f'{OUT}/{name}.{gen}.{way}'
        if os.path.exists(f'{d}/meta.json'): continue
        shutil.rmtree(d, ignore_errors=True)
        os.makedirs(d)
        with contextlib.redirect_stdout(io.StringIO()): # Keras 2 lists every variable
            if way == EXPORT: m.export(f'{d}/saved_model')
            else: tf.saved_model.save(m, f'{d}/saved_model')
        f = tf.saved_model.load(f'{d}/saved_model').signatures['serving_default']
        key = next(iter(f.structured_input_signature[1]))
        sets, want, made, tolerance = [], [], [], LIMIT
        for i, s in enumerate(shapes):
            x = pictures(np, rng, s, scale)
            y = {n: np.asarray(v) for n, v in f(**{key: tf.constant(x)}).items()}
            # What rounding alone may do: an untrained deep net can make a thousand times more of the last bit of its input.
            near = f(**{key: tf.constant(x * (1 + rng.choice([-1e-7, 1e-7], s)).astype('f'))})
            tolerance = max(tolerance, *[4 * difference(near[n], v) for n, v in y.items()])
            save_set(d, i, 'in', {key: x})
            save_set(d, i, 'out', y)
            sets.append(('serving_default', {key: x}))
            want.append(y)
            made.append({'signature': 'serving_default', 'in': [key], 'out': list(y)})
        r = official(tf, f'{d}/saved_model', sets, want, tolerance=tolerance)
        out = next(iter(want[1].values()))
        meta = {'name': f'{name}.{gen}.{way}', 'list': way, 'sets': made, 'random': False, 'stateful': False, 'tolerance': tolerance, 'official': r, 'parameters': int(m.count_params()), 'apart': float(np.abs(out[0] - out[1]).max() / np.abs(out).max())}
        json.dump(meta, open(f'{d}/meta.json', 'w'))
        print(meta['name'], r['result'], r.get('count'), r.get('equal'), r['seconds'], f'outputs of two inputs apart by {meta["apart"]:.1e}, tolerance {tolerance:.1e}', r.get('why', ''), flush=True)


if __name__ == '__main__':
    if sys.argv[2:3] == ['--child']: child(*sys.argv[3:])
    else:
        os.makedirs(OUT, exist_ok=True)
        for name, (_, _, three, two) in APPS.items():
            for gen, ways in (('k3', three), ('k2', two)):
                if sys.argv[2:] and name not in sys.argv[2:]: continue
                if all(os.path.exists(f'{OUT}/{name}.{gen}.{w}/meta.json') for w in ways): continue
                p = subprocess.run([sys.executable, os.path.abspath(__file__), OUT, '--child', name, gen], stderr=subprocess.PIPE, text=True, errors='replace')
                if p.returncode: print('NOT MADE', name, gen, p.stderr.strip().splitlines()[-1][:300], flush=True)
