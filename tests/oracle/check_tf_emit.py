"""Lets TensorFlow open what litec writes for it: frozen graphs, SavedModels, checkpoints with MetaGraphs, TensorBoard's event files.

    python3 check_tf_emit.py TF_EMIT_TOOL LITEC [--limit 1e-5] [MODEL ...]

TF_EMIT_TOOL is <build>/tests/tf_emit_tool, LITEC <build>/litec. MODELs are Keras files. Each is written in every form, and on the same
random inputs TensorFlow must compute from each what litec computes from the model itself, within the limit (of the largest value):
a frozen graph; a SavedModel without and with variables, by signature, by `serve`, as Keras's TFSMLayer; the MetaGraph by import_meta_graph and
Saver.restore; that SavedModel converted by litec again; that checkpoint frozen by litec. Then the event files, by TensorBoard's own
reader. Exit 1 when one differs. Without TensorFlow there is nothing to compare with: it says so and exits 0.
"""
import argparse, json, os, shutil, subprocess, sys, tempfile
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['CUDA_VISIBLE_DEVICES'] = ''
try:
    import numpy as np
    import tensorflow as tf
    import keras
except ImportError as e:
    print(f'skipped: {e}')
    sys.exit(0)

p = argparse.ArgumentParser()
p.add_argument('tool')
p.add_argument('litec')
p.add_argument('--limit', type=float, default=1e-5)
p.add_argument('models', nargs='*')
args = p.parse_intermixed_args()
v1 = tf.compat.v1
bad = 0


def run(*command):
    r = subprocess.run(command, capture_output=True, text=True)
    if r.returncode: raise RuntimeError(' '.join(command[:2]) + ': ' + (r.stderr or r.stdout).strip().split('\n')[0])
    return r.stdout


def differ(got, want, order=None):
    """The largest difference, of the largest value; got: a list, a dict by name, or one tensor."""
    if isinstance(got, dict): got = [got[k] for k in (order or sorted(got))]
    if not isinstance(got, (list, tuple)): got = [got]
    if len(got) != len(want): return f'{len(got)} outputs, not {len(want)}'
    worst = 0.0
    for g, w in zip(got, want):
        g, w = np.asarray(g), np.asarray(w)
        if g.shape != w.shape: return f'shape {g.shape}, not {w.shape}'
        if g.dtype != w.dtype: return f'type {g.dtype}, not {w.dtype}'
        if g.size: worst = max(worst, float(np.max(np.abs(g.astype(np.float64) - w)) / max(1.0, float(np.max(np.abs(w))))))
    return worst


def signature(model):
    """Of a model file its inputs and outputs, each a dict with name, type and shape."""
    info = json.loads(run(args.litec, 'inspect', model, '--json'))
    sig, g = info['signatures'][0], info['graphs'][0]
    tensors = {t['tensor']: t for t in g['inputs'] + g['outputs']}
    return tuple([{**tensors[e['tensor']], 'name': e['name'], 'node': tensors[e['tensor']]['name']} for e in sig[k]] for k in ('inputs', 'outputs'))


def by_litec(model, inputs, folder):
    """Outputs of a model file by litec itself, by name."""
    flags = []
    for name, x in inputs.items():
        np.save(f'{folder}/{name}.npy', x)
        flags += ['--input', f'{name}={folder}/{name}.npy']
    out = f'{folder}/out'
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    run(args.litec, 'run', model, *flags, '-s', 'serving_default', '-o', out)
    return {o['name']: np.load(f'{out}/output{i}.npy') for i, o in enumerate(signature(model)[1])}


def random_inputs(declared):
    rng = np.random.default_rng(1)
    made = {}
    for i in declared:
        shape = [3 if k == 0 and d < 0 else 7 if d < 0 else d for k, d in enumerate(i['shape'])]
        t = i['type']
        made[i['name']] = rng.integers(0, 2, shape).astype(t) if 'int' in t or t == 'bool' else rng.standard_normal(shape).astype(t)
    return made


def check(path, folder):
    tflite = f'{folder}/m.tflite'
    run(args.litec, 'convert', path, '-o', tflite, '-q')
    declared, outputs = signature(tflite)
    inputs = random_inputs(declared)
    names = [o['name'] for o in outputs]
    got = by_litec(tflite, inputs, folder)
    want = [got[n] for n in names]
    fixed = lambda n: ''.join(c if c.isalnum() or c == '_' else '_' for c in n)
    feeds = {fixed(k): tf.constant(x) for k, x in inputs.items()}
    order = [fixed(n) for n in names]
    results = {}

    run(args.tool, 'graph', path, f'{folder}/g.pb')
    graph = tf.Graph()
    gd = v1.GraphDef.FromString(open(f'{folder}/g.pb', 'rb').read())
    with graph.as_default(): tf.import_graph_def(gd, name='')
    held = [n.name for n in gd.node if n.op == 'Placeholder']
    graph_inputs = {f'{n}:0': x for n, x in zip(held, inputs.values())}
    produced = set(i.split(':')[0].lstrip('^') for n in gd.node for i in n.input)
    in_graph = [n.name for n in gd.node]
    ends = [next((n for n in in_graph if n == o['node'].replace(':', '_')), None) for o in outputs]
    # The name of a tensor that is itself an input has a number behind it in the graph.
    ends = [e if e and e not in held else next((n for n in in_graph if n.startswith(str(e) + '_') and n not in produced), e) for e in ends]
    with v1.Session(graph=graph) as s: results['graph'] = differ(s.run([f'{e}:0' for e in ends], graph_inputs), want)

    for form in 'saved_model', 'variables':
        sm = f'{folder}/sm_{form}'
        run(args.tool, form, path, sm, *([f'{folder}/ckpt/m.ckpt'] if form == 'variables' else []))
        loaded = tf.saved_model.load(sm)
        results[form] = differ({k: v.numpy() for k, v in loaded.signatures['serving_default'](**feeds).items()}, want, order)
        x = list(feeds.values())
        y = loaded.serve(x[0] if len(x) == 1 else x)
        results[form + ' serve'] = differ([t.numpy() for t in (y if isinstance(y, (list, tuple)) else [y])], want)
        y = keras.layers.TFSMLayer(sm, call_endpoint='serve')(x[0] if len(x) == 1 else x)
        results[form + ' TFSMLayer'] = differ([np.asarray(t) for t in (y if isinstance(y, (list, tuple)) else [y])], want)
        if form == 'variables':
            if len(x) == 1: # such a layer has one argument
                y = keras.layers.TFSMLayer(sm, call_endpoint='serving_default')(x[0])
                results['TFSMLayer signature'] = differ({k: np.asarray(t) for k, t in y.items()}, want, order)
            results['variables listed'] = 0.0 if len(loaded.variables) == len(tf.train.list_variables(f'{folder}/ckpt/m.ckpt')) else 'too few'
            with v1.Session(graph=tf.Graph()) as s:
                meta = v1.saved_model.load(s, ['serve'], sm)
                d = meta.signature_def['serving_default']
                y = s.run([d.outputs[o].name for o in order], {d.inputs[fixed(k)].name: x for k, x in inputs.items()})
                results['v1 loader'] = differ(y, want)
        back = f'{folder}/back.tflite'
        run(args.litec, 'convert', sm, '-o', back, '-q')
        got = by_litec(back, {fixed(k): x for k, x in inputs.items()}, folder)
        results[form + ' back'] = differ([got[o] for o in order], want)

    if not tf.train.list_variables(f'{folder}/ckpt/m.ckpt'): return results # without a saver, too
    with v1.Session(graph=tf.Graph()) as s:
        saver = v1.train.import_meta_graph(f'{folder}/ckpt/m.ckpt.meta')
        saver.restore(s, v1.train.latest_checkpoint(f'{folder}/ckpt'))
        results['meta graph'] = differ(s.run([f'{e}:0' for e in ends], graph_inputs), want)
        trainable = len(v1.trainable_variables())
        if trainable != (len(v1.global_variables()) + 1) // 2: results['collections'] = f'{trainable} trainable'
        saver.save(s, f'{folder}/again/m')
    run(args.litec, 'freeze', f'{folder}/ckpt/m.ckpt.meta', '--input_checkpoint', f'{folder}/ckpt/m.ckpt', '--output_graph', f'{folder}/f.pb',
        '--output_node_names', ','.join(ends))
    graph = tf.Graph()
    with graph.as_default(): tf.import_graph_def(v1.GraphDef.FromString(open(f'{folder}/f.pb', 'rb').read()), name='')
    with v1.Session(graph=graph) as s: results['frozen'] = differ(s.run([f'{e}:0' for e in ends], graph_inputs), want)
    from tensorflow.python.tools import freeze_graph
    with tf.Graph().as_default(): # into which it imports
        freeze_graph.freeze_graph('', '', True, f'{folder}/ckpt/m.ckpt', ','.join(ends), '', '', f'{folder}/ff.pb', False, '',
                                  input_meta_graph=f'{folder}/ckpt/m.ckpt.meta')
    graph = tf.Graph()
    with graph.as_default(): tf.import_graph_def(v1.GraphDef.FromString(open(f'{folder}/ff.pb', 'rb').read()), name='')
    with v1.Session(graph=graph) as s: results['freeze_graph'] = differ(s.run([f'{e}:0' for e in ends], graph_inputs), want)
    return results


def check_events(model, folder):
    """By TensorBoard's reader, or, where that is not installed, TensorFlow's."""
    run(args.tool, 'events', model, folder)
    path = os.path.join(folder, os.listdir(folder)[0])
    steps = [e.step for e in v1.train.summary_iterator(path)]
    assert steps == [0, 0, 1, 2, 3, 4, 3, 0], steps
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError:
        return
    a = EventAccumulator(folder)
    a.Reload()
    scalars = [(s.step, s.wall_time, s.value) for s in a.Scalars('loss')]
    h = a.Histograms('weights')[0].histogram_value
    assert scalars == [(i, 1.6e9 + i, float(np.float32(1 / (i + 1)))) for i in range(5)], scalars
    assert any(n.op == 'Placeholder' for n in a.Graph().node)
    assert (h.num, h.min, h.max) == (6, -1, float(np.float32(2.05))) and sum(h.bucket) == 6, h


for path in args.models:
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f'{folder}/ckpt')
        try:
            results = check(path, folder)
        except Exception as e:
            results = {'failed': f'{type(e).__name__}: ' + ' '.join(str(e).split())[:900]}
    wrong = {k: r for k, r in results.items() if isinstance(r, str) or not r <= args.limit}
    worst = max([r for r in results.values() if not isinstance(r, str)], default=0)
    print(f'{path}: ' + (f'ok, {len(results)} forms, {worst:.1e}' if not wrong else f'WRONG {wrong}'), flush=True)
    bad += bool(wrong)
if args.models:
    with tempfile.TemporaryDirectory() as folder: check_events(args.models[0], folder)
print(f'{len(args.models)} models, {bad} wrong; event files right')
sys.exit(bad > 0)
