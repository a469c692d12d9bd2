"""Looks at Keras models that people have published, with both generations of Keras as the oracle: which load, and what they compute.

    python3 make_keras_public.py DIR [--mirror MIRROR] [part of a path ...]        (needs tensorflow, keras, tf_keras)

keras_public.txt says what there is: repository, commit, path and, of an architecture in JSON, the path of its weights, separated by tabs. With --mirror they are taken
from the git directories MIRROR/<owner>+<name>/repo and put into DIR/<owner>+<name>/<path>. Writes DIR/manifest.json, a list of them with

    size       bytes
    written    the keras_version in the file
    keras3     true when Keras 3 loads it without anything of its author's (compile=False, safe mode), or why not
    keras2     the same of tf_keras
    agree      the worst difference between the two, where both load; keras3_runs, keras2_runs: why one does not run it
    inputs     [name, type, shape]; None is open
    outputs    names
    sets       how many random inputs there are, in DIR/.sets/<number>/set<k>/{in,out}/<i>.npy, computed by the generation that wrote it, if that loads it

A process for each generation does them one after the other; it is begun anew when one ends it. Those that are in the manifest already are kept, unless
a part of their path is given. check_keras_public.py does the rest.
"""
import json, os, subprocess, sys, zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def entries():
    with open(f'{HERE}/keras_public.txt') as f:
        for line in f:
            repo, commit, path, *weights = line.rstrip('\n').split('\t')
            e = {'repo': repo, 'commit': commit, 'path': f'{repo.replace("/", "+")}/{path}'}
            if weights: e['weights'] = f'{repo.replace("/", "+")}/{weights[0]}'
            yield e


def collect(mirror, d, e):
    for path in [e['path'], e.get('weights')]:
        if not path or os.path.exists(f'{d}/{path}'): continue
        repo, inside = path.split('/', 1)
        blob = subprocess.run(['git', '-C', f'{mirror}/{repo}/repo', 'show', f'{e["commit"]}:{inside}'], capture_output=True)
        if blob.returncode: return
        os.makedirs(os.path.dirname(f'{d}/{path}'), exist_ok=True)
        with open(f'{d}/{path}', 'wb') as f: f.write(blob.stdout)


# ---- a generation of Keras ----

def layers_of(model):
    for l in getattr(model, 'layers', []):
        yield l
        for part in ('layer', 'forward_layer', 'cell'):
            if hasattr(l, part): yield getattr(l, part)
        yield from layers_of(l)


def load(keras, d, e):
    # Layers for GPUs of old Keras are read as the ones they stand for; Keras turns their weights around itself.
    own = {} if keras.__name__ == 'keras' else {'CuDNNLSTM': keras.layers.LSTM, 'CuDNNGRU': keras.layers.GRU}
    if 'weights' not in e: return keras.models.load_model(f'{d}/{e["path"]}', compile=False, custom_objects=own)
    with open(f'{d}/{e["path"]}') as f: text = f.read()
    if text.startswith('"'): text = json.loads(text) # json.dump(model.to_json())
    model = keras.models.model_from_json(text)
    model.load_weights(f'{d}/{e["weights"]}')
    return model


def draw(np, rng, dtype, shape, most):
    if dtype == 'string': return np.full(shape, b'a', object)
    if dtype == 'bool': return np.zeros(shape, bool)
    if most or 'int' in dtype: return rng.integers(0, min(most or 256, 2000), shape).astype(dtype)
    return rng.uniform(0, 1, shape).astype(dtype)


def sizes(shape, batch):
    """A shape whose open sizes are filled: the first with the batch, a picture's with 64, others with 10."""
    return [(batch if i == 0 else 64 if len(shape) == 4 else 10) if n is None else int(n) for i, n in enumerate(shape)]


def run(np, tf, model, inputs, xs):
    given = [tf.constant(x, t) for x, (_, t, _) in zip(xs, inputs)]
    structure = getattr(model, '_inputs_struct', None)
    given = dict(zip(sorted(structure), given)) if isinstance(structure, dict) else given if len(given) > 1 else given[0]
    return [np.asarray(y) for y in tf.nest.flatten(model(given, training=False))]


def wobbles(np, ys, zs):
    """Do the last bits of the inputs decide the outputs? Recurrent nets are chaotic on inputs far from theirs."""
    return any(np.max(np.abs(y.astype('f8') - z), initial=0) > 1e-4 * np.max(np.abs(y), initial=1e-30) for y, z in zip(ys, zs) if y.dtype.kind == 'f')


def one(np, tf, keras, d, e, number, first):
    r, out = {}, f'{d}/.sets/{number}'
    try: model = load(keras, d, e)
    except Exception as x: return {'loads': f'{type(x).__name__}: {" ".join(str(x).split())[:300]}'}
    r['loads'] = True
    try:
        layers = list(layers_of(model))
        dtype = lambda t: t.dtype if isinstance(t.dtype, str) else t.dtype.name
        name = lambda t: t.name.split(':')[0]
        r['inputs'] = [[name(t), dtype(t), [None if n is None else int(n) for n in t.shape]] for t in model.inputs]
        r['outputs'] = list(getattr(model, 'output_names', None) or [name(t) for t in model.outputs])
        r['layers'] = sorted({type(l).__name__ for l in layers})
        dims = [l.input_dim for l in layers if type(l).__name__ == 'Embedding']
        stateful = any(getattr(l, 'stateful', False) is True for l in layers)
        batches = [1, 3] if not stateful and all(s[2][0] is None for s in r['inputs']) else [1]
        rng, worst = np.random.default_rng(number), 0.0
        for k, batch in enumerate(batches):
            os.makedirs(f'{out}/set{k}/in', exist_ok=True)
            os.makedirs(f'{out}/set{k}/out', exist_ok=True)
            if first: xs = [draw(np, rng, t, sizes(s, batch), min(dims, default=0) if len(s) < 4 else 0) for _, t, s in r['inputs']]
            else: xs = [np.load(f'{out}/set{k}/in/{i}.npy') for i in range(len(r['inputs']))]
            ys = run(np, tf, model, r['inputs'], xs)
            if first and wobbles(np, ys, run(np, tf, model, r['inputs'], [x * x.dtype.type(1 + 1e-6) if x.dtype.kind == 'f' else x for x in xs])):
                xs = [x * x.dtype.type(0.05) if x.dtype.kind == 'f' else x for x in xs]
                ys = run(np, tf, model, r['inputs'], xs)
            for i, y in enumerate(ys):
                if first: np.save(f'{out}/set{k}/out/{i}.npy', y)
                else:
                    want = np.load(f'{out}/set{k}/out/{i}.npy')
                    worst = max(worst, float(np.max(np.abs(want.astype('f8') - y.astype('f8')), initial=0) / max(np.max(np.abs(want.astype('f8')), initial=0), 1e-30))) if want.shape == y.shape else 1e9
            if first:
                for i, x in enumerate(xs): np.save(f'{out}/set{k}/in/{i}.npy', x)
        r['sets'] = len(batches)
        if not first: r['agree'] = worst
    except Exception as x: r['runs'] = f'{type(x).__name__}: {" ".join(str(x).split())[:300]}'
    return r


def child(d, generation):
    os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
    os.environ['CUDA_VISIBLE_DEVICES'] = ''
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    import numpy as np
    import tensorflow as tf
    if generation == 3: import keras
    else: import tf_keras as keras
    for line in sys.stdin:
        job = json.loads(line)
        r = one(np, tf, keras, d, job['e'], job['number'], job['first'])
        keras.backend.clear_session()
        print(json.dumps(r), file=answers, flush=True)


class Keras:
    def __init__(self, d, generation): self.d, self.generation, self.p = d, generation, None

    def ask(self, job):
        import select
        if not self.p: self.p = subprocess.Popen([sys.executable, os.path.abspath(__file__), self.d, '--child', str(self.generation)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.p.stdin.write(json.dumps(job) + '\n')
        self.p.stdin.flush()
        ready = select.select([self.p.stdout], [], [], 300)[0]
        line = self.p.stdout.readline() if ready else ''
        if line: return json.loads(line)
        self.p.kill()
        code = self.p.wait()
        self.p = None
        return {'loads': f'ended with {code}' if ready else 'no end in 300 s'}

    def close(self):
        if self.p:
            self.p.stdin.close()
            self.p.wait()


# ---- what the file says ----

def written(path):
    import h5py
    try:
        if zipfile.is_zipfile(path): return json.loads(zipfile.ZipFile(path).read('metadata.json'))['keras_version']
        if path.endswith('.json'):
            with open(path) as f: c = json.load(f)
            return (json.loads(c) if isinstance(c, str) else c).get('keras_version')
        with h5py.File(path) as f:
            v = f.attrs.get('keras_version') or ('model_weights' in f and f['model_weights'].attrs.get('keras_version')) or None
            return ('weights of ' if 'model_config' not in f.attrs else '') + (v.decode() if isinstance(v, bytes) else v or 'Keras before 2')
    except Exception as x: return f'unreadable: {type(x).__name__}: {str(x)[:100]}'


def main():
    args = sys.argv[1:]
    if not args: sys.exit(__doc__)
    mirror = None
    if '--mirror' in args:
        i = args.index('--mirror')
        mirror = args[i + 1]
        del args[i:i + 2]
    d, only = args[0], args[1:]
    os.makedirs(d, exist_ok=True)
    manifest = json.load(open(f'{d}/manifest.json')) if os.path.exists(f'{d}/manifest.json') else []
    key = lambda e: (e['path'], e.get('weights'))
    done = {key(e): e for e in manifest}
    number = max([e['number'] for e in manifest], default=-1) + 1
    three, two = Keras(d, 3), Keras(d, 2)
    for e in entries():
        again = any(p in e['path'] for p in only)
        if (key(e) in done and not again) or (only and not again): continue
        if mirror: collect(mirror, d, e)
        if not all(os.path.exists(f'{d}/{p}') for p in (e['path'], e.get('weights')) if p): continue
        e['number'] = done[key(e)]['number'] if key(e) in done else number
        number = max(number, e['number'] + 1)
        e['size'] = sum(os.path.getsize(f'{d}/{p}') for p in (e['path'], e.get('weights')) if p)
        e['written'] = written(f'{d}/{e["path"]}')
        order = [('keras3', three), ('keras2', two)]
        if not str(e['written']).startswith('3'): order.reverse() # its own generation: hard_sigmoid, for one, is not the same in both
        good = {}
        for which, keras in order:
            r = keras.ask({'e': e, 'number': e['number'], 'first': not good})
            e[which] = r['loads']
            if 'runs' in r: e[which + '_runs'] = r['runs']
            if 'agree' in r: e['agree'] = r['agree']
            if r.get('sets') and not good: good = r
        e.update({k: good[k] for k in ('inputs', 'outputs', 'layers', 'sets') if k in good})
        done[key(e)] = e
        print(e['written'], e['path'], e.get('weights', ''), f'{e["size"]} bytes; Keras 3 {str(e["keras3"])[:100]}; tf_keras {str(e["keras2"])[:100]}; agree {e.get("agree")}; {e.get("keras3_runs", "")[:90]}; {e.get("keras2_runs", "")[:90]}', flush=True)
        with open(f'{d}/manifest.json', 'w') as f: json.dump(sorted(done.values(), key=lambda x: x['number']), f, indent=1)
    three.close()
    two.close()


if __name__ == '__main__':
    if sys.argv[2:3] == ['--child']: child(sys.argv[1], int(sys.argv[3]))
    else: main()
