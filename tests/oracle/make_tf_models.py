"""Makes the SavedModels of single functions for the check of TensorFlow graphs, with TensorFlow as the oracle.

    python3 make_tf_models.py OUT [name or list ...]      (needs tensorflow, tf_keras, ai_edge_litert; OUT: outside the tree, 150 MB)

    OUT/<name>/saved_model  set<k>/in/<input>.npy  set<k>/out/<output>.npy  meta.json

The files of a set are named as the signature names its inputs and outputs; "sets" of meta.json says which signature each belongs to. meta.json also
says which list of operators the model is of (must, should, rare, flex, custom: what TensorFlow Lite's own converter makes of them; control, pattern,
recurrent, ops, layers: what the graph is built from), and what the official converter made of it: "result" builtin, flex, custom (needs these), fails or crash,
whether LiteRT then computes the same ("equal"), operators by name, seconds. OUT/index.jsonl has all the meta.json, one a line.

Models that are there already are kept. A child process does the work and is replaced when the official converter ends it.
"""
import collections, contextlib, io, json, os, shutil, subprocess, sys
from tf_judge import official, save_set

if len(sys.argv) < 2: sys.exit(__doc__)
OUT = sys.argv[1]


# ---- in the child

def save_model(tf, m, d):
    """Saves the model; returns {signature: reference function or None} and, of a Keras model, its inputs' names in order."""
    if not m.save:
        mod, fs, refs = m.build()
        tf.saved_model.save(mod, d, signatures=fs)
        return refs, None
    import numpy as np
    k = m.build(np.random.default_rng(11))
    with contextlib.redirect_stdout(io.StringIO()): # Keras 2 lists every variable
        if m.save == 'export': k.export(d)
        else: tf.saved_model.save(k, d)
    return {'serving_default': None}, [i.name.split(':')[0] for i in k.inputs]


def make(tf, m):
    import numpy as np
    d = f'{OUT}/{m.name}'
    shutil.rmtree(d, ignore_errors=True)
    os.makedirs(d)
    refs, ordered = save_model(tf, m, f'{d}/saved_model')
    loaded = tf.saved_model.load(f'{d}/saved_model')
    made, sets, want = [], [], []
    for key, _, xs in m.sets():
        f = loaded.signatures[key]
        names = list(f.structured_input_signature[1])
        if ordered: xs = dict(zip(ordered if set(ordered) == set(names) else names, xs.values())) # Keras names its inputs
        tensors = {n: tf.constant(x) for n, x in xs.items()}
        if refs[key]: ys = dict(zip(f.structured_outputs, [refs[key](**tensors)]))
        else: ys = f(**tensors)
        save_set(d, len(sets), 'in', xs)
        save_set(d, len(sets), 'out', ys)
        sets.append((key, xs))
        want.append({name: np.asarray(v) for name, v in ys.items()})
        made.append({'signature': key, 'in': list(xs), 'out': list(ys)})
    meta = {'name': m.name, 'list': m.kind, 'sets': made, 'random': m.random, 'stateful': m.stateful, 'tolerance': m.tolerance, 'official': {'result': 'crash'}}
    json.dump(meta, open(f'{d}/meta.json', 'w'))
    meta['official'] = official(tf, f'{d}/saved_model', sets, want, m.random, m.stateful, m.tolerance)
    json.dump(meta, open(f'{d}/meta.json', 'w'))
    return meta['official']


def child(names):
    import gc
    import tensorflow as tf
    import tf_models, tf_nn_models, tf_op_models, tf_other_op_models, tf_structure_models, tf_keras_op_models, tf_rnn_models
    if names == ['--names']:
        for m in tf_models.MODELS.values(): print(m.name, m.kind)
        return
    for n in names:
        try:
            r = make(tf, tf_models.MODELS[n])
            print(n, r['result'], r.get('count', '-'), r.get('equal', '-'), r.get('why', ''), flush=True)
        except Exception as e:
            shutil.rmtree(f'{OUT}/{n}', ignore_errors=True)
            print('NOT MADE', n, type(e).__name__, str(e).replace('\n', ' ')[:300], flush=True)
        tf.keras.backend.clear_session()
        gc.collect()


def parent(only):
    me = [sys.executable, os.path.abspath(__file__), OUT, '--child']
    known = dict(l.split() for l in subprocess.run(me + ['--names'], stdout=subprocess.PIPE, check=True, text=True, stderr=None).stdout.splitlines())
    here = lambda n: os.path.exists(f'{OUT}/{n}/meta.json')
    chosen = [n for n, kind in known.items() if not only or n in only or kind in only or any(o.endswith('*') and n.startswith(o[:-1]) for o in only)]
    todo = [n for n in chosen if not here(n)]
    while todo:
        failed, batch = set(), todo[:60]
        p = subprocess.Popen(me + batch, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in p.stdout:
            print(line, end='', flush=True)
            if line.startswith('NOT MADE'): failed.add(line.split()[2])
        code = p.wait()
        undone = [n for n in batch if not here(n) and n not in failed]
        if code:
            crashed = [n for n in batch if here(n) and json.load(open(f'{OUT}/{n}/meta.json'))['official']['result'] == 'crash']
            for n in crashed: print(n, 'the official converter or LiteRT ended the process with', code, flush=True)
            if not crashed and undone:
                print('NOT MADE', undone[0], 'TensorFlow ended with', code)
                failed.add(undone[0])
        todo = [n for n in todo if not here(n) and n not in failed]
    metas = [json.load(open(f'{OUT}/{n}/meta.json')) for n in known if here(n)]
    with open(f'{OUT}/index.jsonl', 'w') as f:
        for m in metas: f.write(json.dumps(m) + '\n')
    print(len(metas), 'models of', len(known), 'in', OUT)
    table = collections.Counter((m['list'], m['official']['result'] + (' wrong' if m['official'].get('equal') is False else '')) for m in metas)
    for (kind, result), n in sorted(table.items()): print(f'  {kind:10} official: {result:14} {n}')


if __name__ == '__main__':
    os.makedirs(OUT, exist_ok=True)
    if '--child' in sys.argv: child(sys.argv[sys.argv.index('--child') + 1:])
    else: parent(sys.argv[2:])
