"""Makes tests/data/keras/*: small Keras files of both generations whose weights say where they belong.

    python make_keras_cases.py          (needs tensorflow with Keras 3, tf_keras and h5py)

Layers with weights are called <something>_<N>; weight k of such a layer is filled with 10 N + k, in the order in which the layer
made its weights. tests/unit/test_keras_read.c checks just that, and the calls of each model.
"""
import os, io, json, zipfile, re
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np, h5py, keras, tf_keras
from keras import ops

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data', 'keras')
os.makedirs(here, exist_ok=True)

def mark(model):
    for l in model.layers:
        if hasattr(l, 'layers'): mark(l); continue
        w = l.get_weights(); n = re.search(r'_(\d+)$', l.name)
        if w: l.set_weights([np.full_like(a, 10 * int(n.group(1)) + k) for k, a in enumerate(w)])

def nested(K, sep=''):
    """Shared and nested models, a model inside a model inside a model, frozen layers, two inputs and outputs, a layer called twice."""
    L = K.layers
    j = K.Input((6, 6, 4), name='fi')
    c = L.Conv2D(4, 1, name=f'same{sep}conv_1'); c.trainable = False
    fun = K.Model(j, L.BatchNormalization(name='norm_2')(c(j)), name='fun')
    enc = K.Sequential([K.Input((8, 8, 3)), L.Conv2D(4, 3, name=f'same{sep}conv_3'), L.BatchNormalization(name='norm_4', scale=False), L.SeparableConv2D(2, 1, name='sep_5')], name='enc')
    inner = K.Sequential([K.Input((6, 6, 4)), L.Conv2D(4, 3, padding='same', name=f'same{sep}conv_6'), fun], name='inner')
    i, other = K.Input((8, 8, 3), name='img'), K.Input((3,), name='other')
    x = inner(L.DepthwiseConv2D(3, name='stem_7')(L.Conv2D(4, 1, name='stem_8')(i))); y = inner(x)
    d = L.Dense(3, name='shared_9')
    z = L.Flatten(name='flat')(fun(L.Add(name='sum')([x, y])))
    o1 = L.Concatenate(name='cat')([d(z), d(L.Dense(144, name='up_10', use_bias=False)(other))])
    o2 = L.Activation('softmax', name='probability')(L.Dense(2, name='head_11')(L.Flatten(name='flat2')(enc(i))))
    return K.Model([i, other], [o2, o1], name='outer')

m = nested(tf_keras, '/'); mark(m); m.save(f'{here}/k2_nested.h5', include_optimizer=False)
m = nested(tf_keras); mark(m); m.save(f'{here}/k2_nested.keras')
m = nested(keras); mark(m); m.save(f'{here}/k3_nested.h5', include_optimizer=False); m.save(f'{here}/k3_nested.keras')

# Sequential without an InputLayer of its own
m = tf_keras.Sequential([tf_keras.layers.Dense(3, input_shape=(4,), name='first_1'), tf_keras.layers.PReLU(name='p_2')], name='seq'); mark(m)
m.save(f'{here}/k2_sequential.h5', include_optimizer=False)
m = keras.Sequential([keras.layers.Dense(3, name='first_1'), keras.layers.PReLU(name='p_2'), keras.layers.Dropout(.5, name='drop'), keras.layers.Dense(2, name='last_3')], name='seq'); m.build((None, 4)); mark(m)
m.save(f'{here}/k3_sequential.keras'); m.save(f'{here}/k3_sequential.h5', include_optimizer=False)

# names as keys, operations that are no layers, half precision
a, b = keras.Input((4,), name='a'), keras.Input((4,), name='b')
s = keras.layers.Dense(4, name='d_1', dtype='float16')(a); t = keras.layers.Dense(4, name='d_2', dtype='bfloat16')(b)
s, t = keras.layers.Identity(name='i', dtype='float32')(s), keras.layers.Identity(name='j', dtype='float32')(t)
m = keras.Model({'zz': a, 'aa': b}, {'y': s + t, 'x': ops.relu(t) * 2.0}, name='keyed'); mark(m); m.save(f'{here}/k3_keyed.keras')

# the same weights file, deflated inside the zip, and as Keras 2.12 and Windows name its groups
z = zipfile.ZipFile(f'{here}/k3_sequential.keras')
with zipfile.ZipFile(f'{here}/k3_deflated.keras', 'w', zipfile.ZIP_DEFLATED) as o:
    for n in z.namelist(): o.writestr(n, z.read(n))
def renamed(path, target, container, gaps=False, windows=False):
    with zipfile.ZipFile(path) as z, zipfile.ZipFile(target, 'w') as o:
        for n in z.namelist():
            data = z.read(n)
            if n == 'model.weights.h5':
                src, buf = h5py.File(io.BytesIO(data), 'r'), io.BytesIO()
                with h5py.File(buf, 'w') as dst:
                    def put(g, path):
                        for k in g:
                            if isinstance(g[k], h5py.Dataset): dst[path + '/' + k] = g[k][()]; continue
                            if k != 'optimizer': put(g[k], path + '/' + (container if k == 'layers' else k))
                    put(src, '')
                    if windows:
                        for k in list(dst['layers']): dst.move('layers/' + k, 'layers\\' + k)
                        del dst['layers']
                    if gaps: dst.move(f'{container}/dense_1', f'{container}/dense_2')
                data = buf.getvalue()
            o.writestr(n, data)
renamed(f'{here}/k3_sequential.keras', f'{here}/k212_sequential.keras', '_layer_checkpoint_dependencies', gaps=True)
renamed(f'{here}/k3_sequential.keras', f'{here}/windows_sequential.keras', 'layers', windows=True)

# attributes that are split, as Keras does when they are too long; gzip, shuffle and fletcher32 on the weights; no layer is called more than once
with h5py.File(f'{here}/split.h5', 'w') as f:
    n = 6; name = lambda i: f'd_{i}'
    layers = [{'class_name': 'InputLayer', 'config': {'name': 'in', 'batch_input_shape': [None, 2], 'dtype': 'float32'}}]
    layers += [{'class_name': 'Dense', 'config': {'name': name(i), 'units': 2, 'activation': 'linear', 'use_bias': True}} for i in range(n)]
    f.attrs['keras_version'] = np.bytes_('2.4.0'); f.attrs['backend'] = np.bytes_('tensorflow')
    w = f.create_group('model_weights'); names = np.array([name(i) for i in range(n)], 'S')
    for k, part in enumerate(np.array_split(names, 2)): w.attrs[f'layer_names{k}'] = part
    for i in range(n):
        g = w.create_group(name(i)); ws = ['d/kernel:0', 'd/bias:0']
        for k in range(2): g.attrs[f'weight_names{k}'] = np.array([ws[k]], 'S')
        g.create_dataset(ws[0], data=np.full((2, 2), 10. * i, 'f4'), chunks=(1, 2), compression='gzip', shuffle=True, fletcher32=True)
        g.create_dataset(ws[1], data=np.full((2,), 10. * i + 1, '>f4'))
    f.attrs['model_config'] = np.bytes_(json.dumps({'class_name': 'Sequential', 'config': {'name': 's', 'layers': layers}}, separators=(',', ':')))
# two layers of one name in two models inside a third: only the names around them tell them apart
L = keras.layers
both = keras.Sequential([keras.Input((2,)), keras.Sequential([L.Dense(2, name='d')], name='a'), keras.Sequential([L.Dense(2, name='d')], name='b')], name='both')
m = keras.Sequential([keras.Input((2,)), both], name='top'); m.build((None, 2))
for k, part in enumerate(both.layers): part.layers[0].set_weights([np.full_like(w, 100 * (k + 1) + j) for j, w in enumerate(part.layers[0].get_weights())])
m.save(f'{here}/k3_same_names.h5', include_optimizer=False)

# models inside models, each with a layer "d": Keras 3 leaves Functional models out of the weights' names
L = keras.layers
def sequential(name, *layers): return keras.Sequential([keras.Input((2,)), *layers], name=name)
def functional(name, f): i = keras.Input((2,), name=f'{name}_in'); return keras.Model(i, f(i), name=name)
d = [L.Dense(2, name='d') for _ in range(3)]
s1 = sequential('s1', d[0])
s2 = sequential('s2', functional('f1', lambda x: d[1](s1(x))), d[2])
m = sequential('top', functional('deep', lambda x: s2(x)))
for k, l in enumerate(d): l.set_weights([np.full_like(w, 100 * (k + 1) + j) for j, w in enumerate(l.get_weights())])
m.save(f'{here}/k3_deep_names.h5', include_optimizer=False)

# a layer made of parts
m = keras.Sequential([keras.Input((3, 2)), L.Bidirectional(L.LSTM(2), name='bi_1'), L.Dropout(.5, seed=1, name='drop'), L.Dense(2, name='last_2')], name='parts')
m.save(f'{here}/k3_parts.keras')

# what must be refused: a Dense layer "fc" whose file is wrong in one place
config = {'class_name': 'Sequential', 'config': {'name': 's', 'layers': [
    {'class_name': 'InputLayer', 'config': {'name': 'in', 'batch_input_shape': [None, 2], 'dtype': 'float32'}},
    {'class_name': 'Dense', 'config': {'name': 'fc', 'units': 2, 'activation': 'linear', 'use_bias': True}}]}}
def refused(name, listed=('fc',), names=('k', 'b'), group=True, weights=True, datasets=('k', 'b'), shape=(2, 2), dtype='f4', config=config, attributes=True):
    with h5py.File(f'{here}/bad_{name}.h5', 'w', libver='latest') as f:
        if attributes is True: f.attrs['model_config'] = np.bytes_(json.dumps(config))
        if attributes == 2: f.attrs['model_config'] = np.array(['{}', '{}'], 'S')
        if not weights: return
        w = f.create_group('model_weights'); w.attrs['layer_names'] = np.array(listed, 'S')
        if not group: return
        g = w.create_group('fc'); g.attrs['weight_names'] = np.array(names, 'S')
        for d in datasets: g[d] = np.zeros(shape, dtype)
refused('twice', names=('k', 'k')); refused('no_group', group=False); refused('no_weights', weights=False); refused('two_configs', attributes=2)
refused('nothing', attributes=False, weights=False); refused('listed_twice', listed=('fc', 'fc')); refused('rank', shape=(1,) * 9); refused('opaque', dtype='V2')
nested_config = {'class_name': 'Sequential', 'config': {'name': 's', 'layers': [config['config']['layers'][0], {'class_name': 'Sequential', 'config': {'name': 'fc', 'layers': config['config']['layers'][:1] + [
    {'class_name': 'Dense', 'config': {'name': 'inside', 'units': 2}}]}}]}}
refused('no_owner', config=nested_config)
def refused_zip(name, weights='model.weights.h5', **fill):
    buf = io.BytesIO()
    with h5py.File(buf, 'w', libver='latest') as f:
        f['layers/dense/vars/0'] = np.zeros((2, 2), 'f4')
        if 'gap' in fill: f['layers/dense/vars/2'] = np.zeros(2, 'f4')
        if 'same' in fill: f['layers/dense/part'] = f['layers/dense']
        if 'soft' in fill: f['layers/dense/part'] = h5py.SoftLink('/layers')
    with zipfile.ZipFile(f'{here}/bad_{name}.keras', 'w') as z:
        z.writestr('config.json', json.dumps(config)[:fill.get('cut')]); z.writestr(weights, buf.getvalue())
refused_zip('gap', gap=1); refused_zip('same_group', same=1); refused_zip('soft_part', soft=1); refused_zip('npz', 'model.weights.npz'); refused_zip('shards', 'model.weights.json'); refused_zip('cut_config', cut=50)

# configurations alone, for the fuzzer of the JSON reader
for n in ('k2_sequential.h5', 'k2_nested.h5'): open(f'{here}/{n[:-3]}.json', 'w').write(h5py.File(f'{here}/{n}').attrs['model_config'])
for n in ('k3_keyed', 'k3_sequential'): open(f'{here}/{n}.json', 'wb').write(zipfile.ZipFile(f'{here}/{n}.keras').read('config.json'))
print(sum(os.path.getsize(f'{here}/{n}') for n in os.listdir(here)), 'bytes')
