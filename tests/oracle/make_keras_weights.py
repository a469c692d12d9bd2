"""Makes tests/data/keras/weights/*: an architecture in JSON and files with its weights, in each form Keras has written them, and wrong ones.

    python make_keras_weights.py          (needs keras and h5py)

The model is Dense first_1, Dropout drop, Dense last_3; weight k of a layer <something>_<N> is filled with 10 N + k. tests/unit/test_keras_weights.c
checks that.
"""
import io, json, os, zipfile
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import h5py, keras
import numpy as np

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data', 'keras', 'weights')
os.makedirs(here, exist_ok=True)
m = keras.Sequential([keras.Input((4,), name='x'), keras.layers.Dense(3, name='first_1'), keras.layers.Dropout(.5, name='drop'), keras.layers.Dense(2, name='last_3')], name='seq')
text = m.to_json()
first, last = [np.full((4, 3), 10, 'f4'), np.full(3, 11, 'f4')], [np.full((3, 2), 30, 'f4'), np.full(2, 31, 'f4')]


def write(name, data): open(f'{here}/{name}', 'w').write(data if isinstance(data, str) else json.dumps(data))
write('seq.json', text)
write('string.json', json.dumps(text)) # json.dump(model.to_json(), f)
write('tfjs.json', {'format': 'layers-model', 'modelTopology': {'class_name': 'Sequential'}, 'weightsManifest': []})
# as Keras 1 wrote it
write('k1.json', {'class_name': 'Sequential', 'keras_version': '1.2.2', 'config': [
    {'class_name': 'Dense', 'config': {'name': 'first_1', 'batch_input_shape': [None, 4], 'output_dim': 3, 'input_dim': 4, 'init': 'glorot_uniform', 'activation': 'linear', 'bias': True, 'trainable': True}},
    {'class_name': 'Dropout', 'config': {'name': 'drop', 'p': 0.5, 'trainable': True}},
    {'class_name': 'Dense', 'config': {'name': 'last_3', 'output_dim': 2, 'input_dim': 3, 'activation': 'linear', 'bias': True, 'trainable': True}}]})


def legacy(name, layers, weights=('kernel:0', 'bias:0')):
    with h5py.File(f'{here}/{name}', 'w', libver='latest') as f:
        f.attrs['layer_names'] = [n.encode() for n, _ in layers]
        f.attrs['backend'] = 'tensorflow'
        f.attrs['keras_version'] = '2.15.0'
        for n, ws in layers:
            g = f.create_group(n)
            g.attrs['weight_names'] = [f'{n}/{w}'.encode() for w, _ in zip(weights, ws)]
            for w, v in zip(weights, ws): g[f'{n}/{w}'] = v


legacy('seq.h5', [('first_1', first), ('drop', []), ('last_3', last)])
legacy('renamed.h5', [('dense_7', first), ('dropout_4', []), ('dense_8', last)]) # of another session
legacy('with_input.h5', [('input_9', []), ('dense_7', first), ('dropout_4', []), ('dense_8', last)])
legacy('k1.h5', [('dense_7', first), ('dropout_4', []), ('dense_8', last)], ('dense_W', 'dense_b'))
legacy('too_many.h5', [('dense_7', first), ('dropout_4', []), ('dense_8', last), ('dense_9', last), ('dense_10', last)])
legacy('swapped.h5', [('first_1', last), ('drop', []), ('last_3', first)])


def tree(target, parts):
    with h5py.File(target, 'w', libver='latest') as f:
        for path, v in parts.items(): f[path] = v


whole = {'layers/dense/vars/0': first[0], 'layers/dense/vars/1': first[1], 'layers/dense_1/vars/0': last[0], 'layers/dense_1/vars/1': last[1]}
parts = [{k: whole[k] for k in list(whole)[:1]}, {k: whole[k] for k in list(whole)[1:]}] # the first layer's in both
names = ['shards_00000.weights.h5', 'shards_00001.weights.h5']
tree(f'{here}/seq.weights.h5', whole)
for n, p in zip(names, parts): tree(f'{here}/{n}', p)
index = {'metadata': {'total_size': 92}, 'weight_map': {'/layers/dense/vars': names, '/layers/dense_1/vars': names[1]}}
write('shards.weights.json', index)
def wrong(name, weight_map): write(f'bad_{name}.weights.json', {'metadata': {}, 'weight_map': weight_map})
wrong('outside', {'/layers/dense/vars': '../weights/seq.weights.h5'})
wrong('missing', {'/layers/dense/vars': 'none_00000.weights.h5'})
wrong('lies', {'/layers/dense/vars': names, '/layers/dense_1/vars': names[0]})
wrong('number', {'/layers/dense/vars': 7})
wrong('other', {'/layers/dense/vars': 'seq.json'})
wrong('empty', {})


def archive(name, index, members):
    with zipfile.ZipFile(f'{here}/{name}', 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('config.json', text)
        z.writestr('metadata.json', json.dumps({'keras_version': '3.9.0'}))
        z.writestr('model.weights.json', json.dumps(index))
        for n, p in members:
            b = io.BytesIO()
            tree(b, p)
            z.writestr(n, b.getvalue())


archive('sharded.keras', index, zip(names, parts))
archive('bad_shard.keras', index, [(names[0], parts[0])])
