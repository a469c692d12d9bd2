"""Keras models with Keras's own results, for tests/unit/test_keras_models.c: tests/data/layers/<family>.gz.

    python3 make_keras_corpus.py make WORK [name ...]      (needs tensorflow, tf_keras, scipy; the models of make_keras_models.py, into WORK)
    python3 make_keras_corpus.py pack WORK KERAS_DUMP OUT  (needs numpy, h5py; KERAS_DUMP: build/.../tests/keras_dump)

A family is one line a model, each a JSON object:

    name, version  "rnn_lstm.k3", keras_version as the file states it
    config         what the file says the model is: config.json of a .keras (Keras 3), model_config of an .h5 (Keras 2)
    weights        in the order of litec's readers, [place, name, dtype, dims, seed, amplitude, offset] each: place is the layer's number
                   (tests/support/keras_corpus.h walks them), element k is offset + amplitude * fixture_value(seed, k); or, in place of
                   the last three, a string: its bytes in hexadecimal (dtype "vocabulary": the text of vocabulary.txt)
    inputs         [dtype, dims, values] each, for the run of the batch below; without values, fixture_value(1000 + number, k) * 2, or an
                   integer (v + 1) * 50, or v > 0
    names          of the outputs
    runs           [batch, same, outputs]: same: what is left is the first rows of the run before. An output is [dtype, dims, step, scale,
                   values]: every step-th element; numbers of floating point are value * scale

Which of Keras's variables lies where is found by value: every variable has other numbers, and keras_dump prints what the readers found.
"""
import gzip, json, os, re, subprocess, sys, zipfile
import numpy as np

if len(sys.argv) < 3 or sys.argv[1] not in ('make', 'pack'): sys.exit(__doc__)
WORK = sys.argv[2]
PARAMETERS, ELEMENTS, KEPT, STEPS = 100000, 30000, 200, 20000


def fixture_value(seed, n):
    k = np.arange(n, dtype=np.uint64)
    h = (k * 2654435761 + seed * 40503 + 12345) & 0xffffffff
    h ^= h >> 15
    h = h * 2246822519 & 0xffffffff
    h ^= h >> 13
    return (h >> 8).astype('f') / np.float32(1 << 23) - np.float32(1)


def weight(name, shape):
    """(amplitude, offset) of a variable."""
    if re.search('variance|gamma|stddev|_scale', name): return .4, 1.
    if len(shape) < 2 or re.search('bias|beta|mean', name): return .3, 0.
    return round(min(1., max(.25, (3 / max(np.prod(shape[:-1]), 1)) ** .5)), 3), 0.


def value(seed, shape, amplitude, offset):
    return (np.float32(offset) + np.float32(amplitude) * fixture_value(seed, int(np.prod(shape)))).reshape(shape)


def fill(i, dtype, shape):
    """An input as the C side makes it."""
    v = fixture_value(1000 + i, int(np.prod(shape))).reshape(shape)
    if dtype == 'bool': return v > 0
    return ((v + np.float32(1)) * np.float32(50)).astype(dtype) if 'int' in dtype else (v * np.float32(2)).astype(dtype)


# ---- make


def make(s, name, gen, family):
    build, only = s.SPECS[name]
    if gen not in only: return
    d = f'{WORK}/{family}/{name}.{gen}'
    if os.path.exists(f'{d}/meta.json'): return
    K = s.tf.keras if gen == 'k3' else s.tf_keras
    K.backend.clear_session(); K.utils.set_random_seed(7)
    rng = np.random.default_rng(3)
    m = build(K)
    if sum(int(np.prod(w.shape)) for w in m.weights if hasattr(w, 'name') and None not in tuple(w.shape)) > PARAMETERS: return
    seeds = []
    for i, w in enumerate(m.weights):
        if not hasattr(w, 'name'): continue # an adapted vocabulary of Keras 2
        n = w.name if '/' in w.name else getattr(w, 'path', w.name)
        dtype = w.dtype if isinstance(w.dtype, str) else w.dtype.name
        if dtype != 'float32' or 'g_idx' in n or n in ('mean:0', 'variance:0') or n.startswith('normalization/'): continue # adapted: Keras keeps a copy of these
        shape = tuple(w.shape)
        amplitude, offset = weight(n, shape)
        w.assign(value(i + 1, shape, amplitude, offset))
        seeds.append([i + 1, shape, amplitude, offset])
    ins = list(m.inputs)
    batch = ins[0].shape[0] or 3
    xs, formula = [], []
    for i, t in enumerate(ins):
        shape = [batch] + [n or 9 for n in t.shape[1:]]
        dtype = t.dtype if isinstance(t.dtype, str) else t.dtype.name
        if name in s.INPUTS: xs.append(s.INPUTS[name][i](rng, shape))
        else: xs.append(fill(i, dtype, shape))
        formula.append(name not in s.INPUTS)
    if any(x.dtype.kind in 'Oc' for x in xs): return
    if sum(x.size for x in xs) > ELEMENTS: return

    def run(xs):
        if any(x.dtype.kind == 'S' for x in xs): xs = [s.tf.constant(x) for x in xs]
        arg = xs if len(xs) > 1 else xs[0]
        if isinstance(getattr(m, '_inputs_struct', None), dict): arg = {t.name: x for t, x in zip(ins, xs)}
        y = m(arg, training=False)
        names = list(y) if isinstance(y, dict) else [o._keras_history.operation.name for o in m.outputs] if gen == 'k3' else list(m.output_names)
        ys = [np.asarray(v) for v in (y.values() if isinstance(y, dict) else y if isinstance(y, (list, tuple)) else [y])]
        if isinstance(y, dict): return names, ys
        # eager TensorFlow divides int32 into float64, whatever Keras says the type is
        return names, [v.astype(o.dtype) if v.dtype.kind == 'f' and str(o.dtype) == 'float32' else v for v, o in zip(ys, m.outputs)]

    names, ys = run(xs)
    if sum(y.size for y in ys) > ELEMENTS or any(y.dtype.kind not in 'fiub' for y in ys): return
    os.makedirs(d, exist_ok=True)
    try: ones = run([x[:1] for x in xs])[1] if ins[0].shape[0] is None else []
    except s.tf.errors.OpError: ones = [] # it takes more of the batch than that
    for i, y in enumerate(ones): np.save(f'{d}/one{i}.npy', y)
    for i, x in enumerate(xs): np.save(f'{d}/in{i}.npy', x)
    for i, y in enumerate(ys): np.save(f'{d}/out{i}.npy', y)
    m.save(f'{d}/model.keras' if gen == 'k3' or name in s.NO_H5 else f'{d}/model.h5')
    json.dump(dict(names=names, seeds=seeds, formula=formula, outputs=len(ys)), open(f'{d}/meta.json', 'w'))


def make_all(only):
    import importlib
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    family = {}
    for f in ('operation', 'recurrent', 'image', 'attention', 'odd'):
        module = importlib.import_module(f'keras_{f}_models')

        def add(s, real=module.add, f=f):
            before = set(s.SPECS)
            real(s)
            family.update({n: f for n in s.SPECS if n not in before})
        module.add = add
    s = importlib.import_module('make_keras_models')
    for name in s.SPECS:
        if only and name not in only and family.get(name, 'core') not in only: continue
        for gen in s.BOTH:
            try: make(s, name, gen, family.get(name, 'core'))
            except Exception as e: print('FAILED', name, gen, type(e).__name__, str(e)[:200].replace('\n', ' '), flush=True)


# ---- pack


def configuration(d):
    """(keras_version, configuration) of a saved model."""
    if os.path.exists(f'{d}/model.keras'):
        z = zipfile.ZipFile(f'{d}/model.keras')
        return json.loads(z.read('metadata.json'))['keras_version'], json.loads(z.read('config.json'))
    import h5py
    with h5py.File(f'{d}/model.h5') as f:
        return f.attrs['keras_version'], json.loads(f.attrs['model_config'])


def packed(y):
    """An output."""
    n = y.size
    step = 1 if n <= KEPT else n // KEPT
    while step > 1 and any(k > 1 and np.gcd(step, int(k)) > 1 for k in y.shape): step += 1 # all places of all axes
    v = y.reshape(-1)[::step]
    if y.dtype.kind != 'f': return [y.dtype.name, list(y.shape), step, 1, [int(a) for a in v]]
    finite = np.abs(y[np.isfinite(y)].astype('f8'))
    scale = float(f'{np.max(finite, initial=0) / STEPS:.8g}') or 1
    return [y.dtype.name, list(y.shape), step, scale, [int(round(float(a) / scale)) if np.isfinite(a) else str(a) for a in v]]


def same(a, b):
    return all(x.shape[1:] == y.shape[1:] and x.ndim and y.shape[0] == 1 and x.shape[0] == 3 and
               np.allclose(x[:1].astype('f8'), y.astype('f8'), rtol=0, atol=2e-6 * np.max(np.abs(x[np.isfinite(x)]), initial=1e-30), equal_nan=True) for x, y in zip(a, b))


def pack(d, dump):
    meta = json.load(open(f'{d}/meta.json'))
    load = lambda kind, n: [np.load(f'{d}/{kind}{i}.npy') for i in range(n)]
    xs, ys = load('in', len(meta['formula'])), load('out', meta['outputs'])
    known = {value(*s).tobytes(): s for s in meta['seeds']}
    weights = []
    p = subprocess.run([dump, f'{d}/model.keras' if os.path.exists(f'{d}/model.keras') else f'{d}/model.h5'], capture_output=True, text=True)
    if p.returncode: raise ValueError(p.stderr.strip())
    for line in p.stdout.splitlines():
        place, name, dtype, dims, data = json.loads(line)
        data = bytes.fromhex(data)
        if len(data) and data in known and dtype == 'float32':
            seed, _, amplitude, offset = known[data]
            weights.append([place, name, dtype, dims, seed, amplitude, offset])
        elif len(data) > 2048: raise ValueError(f'weight {name} of {len(data)} bytes follows no formula')
        else: weights.append([place, name, dtype, dims, data.hex()])
    inputs = []
    for x, formula in zip(xs, meta['formula']):
        if x.dtype.kind == 'S': inputs.append(['string', list(x.shape), [v.decode() for v in x.reshape(-1)]])
        elif formula: inputs.append([x.dtype.name, list(x.shape)])
        elif x.size > 1000: raise ValueError(f'an input of {x.size} values')
        else: inputs.append([x.dtype.name, list(x.shape), [int(v) if x.dtype.kind != 'f' else float(f'{v:.9g}') for v in x.reshape(-1)]])
    runs = [[xs[0].shape[0], False, [packed(y) for y in ys]]]
    if os.path.exists(f'{d}/one0.npy'):
        ones = load('one', meta['outputs'])
        if all(a.ndim == b.ndim for a, b in zip(ys, ones)): # eager TensorFlow drops a batch of 1 in squeeze(), the graph of an open batch cannot
            runs.append([1, True, []] if same(ys, ones) else [1, False, [packed(y) for y in ones]])
    version, config = configuration(d)
    return dict(name=os.path.basename(d), version=version, config=config, weights=weights, inputs=inputs, names=meta['names'], runs=runs)


def pack_all(dump, out):
    os.makedirs(out, exist_ok=True)
    for family in sorted(os.listdir(WORK)):
        lines = []
        for name in sorted(os.listdir(f'{WORK}/{family}')):
            if not os.path.exists(f'{WORK}/{family}/{name}/meta.json'): continue
            try: record = pack(f'{WORK}/{family}/{name}', dump)
            except Exception as e:
                print('left out', name, type(e).__name__, str(e)[:300].replace('\n', ' '))
                continue
            lines.append(json.dumps(record, separators=(',', ':')))
        with open(f'{out}/{family}.gz', 'wb') as f, gzip.GzipFile('', 'wb', 9, f, 0) as z: z.write(('\n'.join(lines) + '\n').encode())
        print(family, len(lines), 'models', os.path.getsize(f'{out}/{family}.gz'), 'bytes')


if __name__ == '__main__':
    if sys.argv[1] == 'pack': pack_all(*sys.argv[3:5])
    else:
        only = sys.argv[3:]
        sys.argv[1:] = [WORK]
        make_all(only)
