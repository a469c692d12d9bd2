"""Looks at TensorFlow graphs that people have published, with TensorFlow as the oracle: what they compute, and whether the official converter takes them.

    python3 make_tf_public.py DIR [part of a path ...]        (needs tensorflow, ai_edge_litert)

DIR/list.json says what there is: a list of {"repo", "commit", "kind", "path", "files", "size"}, paths below DIR; kind is saved_model (path: the directory),
frozen (a GraphDef .pb), pbtxt (a GraphDef as text), checkpoint (path: the stem of .meta, .index and .data), checkpoint_v1 (.meta and one file of the old
form), weights (a checkpoint without a graph). Writes DIR/manifest.json, the same entries with

    loads      whether TensorFlow loads it, or why not
    inputs     {name: [type, shape]}, what has to be fed; None is open, a shape of null unknown
    outputs    {name: [type, shape]}, as the signature or, in a graph without one, the tensors nothing else uses (training, saving and summaries apart)
    fixed      {name: value}, the placeholders that are settings: keep_prob, is_training, learning_rate
    sets       the results of TensorFlow on random inputs, in DIR/.sets/<number>/set<k>/{in,out}/<name>.npy
    official   what the official converter makes of it, as in make_tf_models.py

A process of its own does each; those that are in the manifest already are kept. check_tf_public.py does the rest.
"""
import json, os, re, subprocess, sys
from tf_judge import official, save_set

if len(sys.argv) < 2: sys.exit(__doc__)
DIR = sys.argv[1]
# Of a graph that was trained, not what inference computes.
TRAINING = re.compile(r'^(.*/)?(gradients|save|report_uninitialized|init|Adam|train|optimizer|optimize|RMSProp|GradientDescent|Momentum|global_step|beta[12]_power|.*[Ii]nitializer|Merge/MergeSummary|MergeSummary|loss|cost|accuracy|evaluation|metrics|summaries|xent|cross_entropy)[^/]*(/|$)', re.I)
INSIDE = re.compile(r'/(while|cond)(_\d+)?/|^Func/|/input/_\d+$') # of loops and branches
INPUTS = ('Placeholder', 'PlaceholderV2', 'PlaceholderWithDefault', 'IteratorGetNext')
NOT_OUTPUTS = set('''NoOp Assert Print PrintV2 Placeholder PlaceholderWithDefault PlaceholderV2 Const Assign AssignAdd AssignSub SaveV2 RestoreV2 Save Restore MergeV2Checkpoints ShardedFilename VariableV2 Variable VarHandleOp VarIsInitializedOp
AssignVariableOp ReadVariableOp ScalarSummary HistogramSummary ImageSummary AudioSummary MergeSummary TensorSummaryV2 QueueEnqueueV2 QueueEnqueueManyV2 QueueCloseV2 QueueSizeV2 IsVariableInitialized LogicalNot InitializeTableV2
LookupTableImportV2 StackCloseV2 TensorArrayCloseV3 ControlTrigger ApplyGradientDescent ApplyAdam ApplyMomentum ApplyRMSProp ScatterSub ResourceApplyAdam ResourceApplyGradientDescent FIFOQueueV2 RandomShuffleQueueV2 HashTableV2
Exit StringJoin Switch RefSwitch Reciprocal BroadcastGradientArgs ShapeN'''.split())
SETTINGS = [(re.compile(p, re.I), v) for p, v in ((r'keep_?prob|keepprob|dropout_keep', 1.0), (r'drop_?out|drop_?rate|droprate', 0.0), (r'is_?train|training|phase|learning_phase', False), (r'learning_?rate|(^|/)lr(:|$)', 1e-3), (r'batch_?size', 1))]


def draw(np, rng, dtype, shape, name):
    if dtype == 'string': return np.full(shape, b'a', object)
    if dtype == 'bool': return np.zeros(shape, bool)
    if 'int' in dtype:
        high = 256 if dtype == 'uint8' and len(shape) > 2 else 2
        if re.search('len', name, re.I) and len(shape) < 2: return np.full(shape, 2, dtype)
        return rng.integers(0, high, shape).astype(dtype)
    return rng.uniform(0, 1, shape).astype(dtype)


def sizes(shape, batch):
    """A shape whose open sizes are filled: the first with the batch, a picture's with 224, others with 10."""
    return [batch if i == 0 and n is None else (10 if len(shape) != 4 else 224 if shape[3] == 3 else 64) if n is None else n for i, n in enumerate(shape)]


def spec(t):
    return [t.dtype.base_dtype.name, None if t.shape.rank is None else [None if n is None else int(n) for n in t.shape]]


def run_sets(np, e, number, run):
    """Runs random inputs of batch 1, and 2 where that is open."""
    sets, want = [], []
    rng = np.random.default_rng(number)
    for batch in (1, 2) if any(s[1] and s[1][0] is None for s in e['inputs'].values()) else (1,):
        xs = {n: draw(np, rng, t, sizes(s or [], batch), n) for n, (t, s) in e['inputs'].items()}
        ys = {n: np.asarray(v) for n, v in run(xs).items()}
        k = len(sets)
        save_set(f'{DIR}/.sets/{number}', k, 'in', xs)
        save_set(f'{DIR}/.sets/{number}', k, 'out', ys)
        sets.append(xs)
        want.append(ys)
        e['sets'] = [{'signature': e.get('signature', 'serving_default'), 'in': list(xs), 'out': list(want[i])} for i, xs in enumerate(sets)]
    return sets, want


def saved_model(tf, np, e, number):
    d = f'{DIR}/{e["path"]}'
    m = tf.saved_model.load(d)
    e['loads'] = True
    e['signatures'] = {k: {'inputs': {n: spec(t) for n, t in f.structured_input_signature[1].items()}, 'outputs': {n: spec(t) for n, t in f.structured_outputs.items()} if isinstance(f.structured_outputs, dict) else {}} for k, f in m.signatures.items()}
    if not m.signatures: return official_of(e, lambda: official(tf, d, [], []))
    e['signature'] = key = 'serving_default' if 'serving_default' in m.signatures else next((k for k in m.signatures if k != '__saved_model_init_op'), next(iter(m.signatures)))
    f = m.signatures[key]
    e.update({k: e['signatures'][key][k] for k in ('inputs', 'outputs')})
    e['fixed'] = {}
    sets, want = [], []
    try: sets, want = run_sets(np, e, number, lambda xs: f(**{n: tf.constant(x, f.structured_input_signature[1][n].dtype) for n, x in xs.items()}))
    except Exception as x: e['runs'] = f'{type(x).__name__}: {str(x)[:300]}'
    official_of(e, lambda: official(tf, d, [(key, x) for x in sets], want))


def official_of(e, f):
    e['official'] = {'result': 'crash'}
    write(e)
    e['official'] = f()


def sources(op):
    """The placeholders an op needs."""
    stack, seen, found = [op], set(), set()
    while stack:
        o = stack.pop()
        if o.name in seen: continue
        seen.add(o.name)
        if o.type in INPUTS: found.add(o)
        stack += [i.op for i in o.inputs]
    return found


def graph_ends(graph):
    """The operations of inference that nothing else of it uses, and that need an input."""
    ops = [o for o in graph.get_operations() if not TRAINING.match(o.name)]
    used = {i.op.name for o in ops if o.type not in ('Assert', 'Print', 'PrintV2', 'Shape') and 'Summary' not in o.type for i in o.inputs}
    return [o for o in ops if not INSIDE.search(o.name) and o.name not in used and o.type not in NOT_OUTPUTS and o.outputs and o.outputs[0].dtype.base_dtype.name not in ('variant', 'resource') and sources(o)]


PREDICTION = re.compile(r'(^|/|_)(output|outputs|pred|predict|prediction|predictions|logits|softmax|prob|probabilities|final_result|y_conv|y_pred|y_hat|hypothesis|act|action|out|recon|reconstruction|decoded|fc\d?|model)[^/]*(/(BiasAdd|Softmax|Sigmoid|add|MatMul|Identity))?$', re.I)


def is_keep_prob(op):
    """A placeholder without a name of its own that only dropout reads, as a number."""
    readers = [r for r in op.outputs[0].consumers() if not TRAINING.match(r.name)]
    return bool(re.match(r'Placeholder(_\d+)?$', op.name)) and bool(readers) and all('dropout' in r.name and r.type != 'Shape' for r in readers)


def choices(graph, e):
    """What may be the outputs, the likeliest first: as list.json says; all that nothing uses; of a graph that was trained, what is called a prediction."""
    if e.get('outputs_are'): return [[graph.get_operation_by_name(n) for n in e['outputs_are']]]
    ends = graph_ends(graph)
    ops = [o for o in graph.get_operations() if not TRAINING.match(o.name) and not INSIDE.search(o.name) and o.outputs and o.type not in NOT_OUTPUTS and o.outputs[0].dtype.is_floating and o.outputs[0].shape.rank != 0]
    likely = [[o] for o in reversed(ops) if o.type in ('Softmax', 'Sigmoid')][:1] + [[o] for o in reversed(ops) if PREDICTION.search(o.name) and sources(o)][:3] + [[o] for o in reversed(ops) if o.type in ('BiasAdd', 'Add', 'AddV2', 'MatMul', 'Tanh', 'Relu') and sources(o)][:3]
    trained = any(o.type.startswith(('Apply', 'ResourceApply')) or o.name.startswith('gradients') for o in graph.get_operations())
    return likely + [ends] if trained else ([ends] if ends else []) + likely


def graph(tf, np, e, number):
    v1 = tf.compat.v1
    g = tf.Graph()
    with g.as_default():
        session = v1.Session()
        path = f'{DIR}/{e["path"]}'
        if e['kind'] in ('checkpoint', 'checkpoint_v1'):
            v1.train.import_meta_graph(path + '.meta', clear_devices=True).restore(session, path)
        elif e['kind'] in ('weights', 'checkpoint_v1_only'):
            r = tf.train.load_checkpoint(path)
            e['loads'], e['variables'] = True, {n: [r.get_variable_to_dtype_map()[n].name, s] for n, s in r.get_variable_to_shape_map().items()}
            return
        else:
            gd = v1.GraphDef()
            data = open(path, 'rb').read()
            if e['kind'] == 'pbtxt':
                from google.protobuf import text_format
                text_format.Parse(data.decode(), gd)
            else: gd.ParseFromString(data)
            if not gd.node: raise ValueError('not a GraphDef: no nodes')
            tf.import_graph_def(gd, name='')
        e['loads'], e['nodes'] = True, len(g.get_operations())
        e['placeholders'] = {o.name: spec(o.outputs[0]) for o in g.get_operations() if o.type.startswith('Placeholder')}
        e['variables'] = sum(o.type in ('VariableV2', 'Variable', 'VarHandleOp') for o in g.get_operations())
        frozen = e['kind'] in ('frozen', 'pbtxt') and not e['variables']
        sets, want = [], []
        for outs in choices(g, e):
            e['outputs'] = {o.name: spec(o.outputs[0]) for o in outs}
            e['inputs'], e['fixed'] = {}, {}
            for o in sorted(set().union(*[sources(o) for o in outs]), key=lambda o: o.name):
                s, setting = spec(o.outputs[0]), next((v for p, v in SETTINGS if p.search(o.name)), 1.0 if is_keep_prob(o) else None)
                if setting is not None and not (s[1] or []): e['fixed'][o.name] = setting
                elif o.type == 'PlaceholderWithDefault' and not s[1]: continue
                else: e['inputs'][o.name] = s
            if e['variables'] and e['kind'] in ('frozen', 'pbtxt'): return # a graph without its weights
            feed = {g.get_tensor_by_name(n + ':0'): v for n, v in e['fixed'].items()}
            e.pop('runs', None)
            try:
                sets, want = run_sets(np, e, number, lambda xs: dict(zip(e['outputs'], session.run([o.outputs[0] for o in outs], {**feed, **{g.get_tensor_by_name(n + ':0'): x for n, x in xs.items()}}))))
                break
            except Exception as x: e['runs'] = f'{type(x).__name__}: {str(x)[:300]}'
        if not e.get('inputs'): return
        gd = g.as_graph_def() if frozen else v1.graph_util.convert_variables_to_constants(session, g.as_graph_def(), [o.name for o in outs])
        # the official road has no way to fix a setting: the placeholder is replaced before
        for n in gd.node:
            if n.name in e['fixed']:
                value, dtype = e['fixed'][n.name], tf.as_dtype(n.attr['dtype'].type)
                n.op = 'Const'
                n.attr.clear()
                del n.input[:]
                n.attr['dtype'].type = dtype.as_datatype_enum
                n.attr['value'].tensor.CopyFrom(tf.make_tensor_proto(value, dtype, []))
    shaped = {n: sizes(s[1] or [], 1) for n, s in e['inputs'].items()}
    official_of(e, lambda: official_graph(tf, np, gd, shaped, e, sets, want))


def official_graph(tf, np, gd, shaped, e, sets, want):
    """As official(), of a frozen graph: the road of TensorFlow 1, inputs and outputs named, the batch fixed to 1."""
    import tempfile, time
    from tf_judge import LIMIT, contents, difference
    from ai_edge_litert.interpreter import Interpreter
    r, t = {}, time.time()
    with tempfile.NamedTemporaryFile(suffix='.pb') as f:
        f.write(gd.SerializeToString())
        f.flush()
        try:
            data = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(f.name, list(shaped), list(e['outputs']), shaped).convert()
            r['result'] = 'builtin'
        except Exception as x:
            text = str(x)
            r['result'] = 'flex' if 'NEEDS_FLEX' in text or 'TF Select ops:' in text else 'custom' if 'NEEDS_CUSTOM' in text or 'Custom ops:' in text else 'fails'
            lines = [l for l in text.splitlines() if 'ops:' in l] or [l for l in text.splitlines() if l.strip()] or ['']
            r['why'] = f'{type(x).__name__}: {"; ".join(lines)[:200]}'
    r['seconds'] = round(time.time() - t, 3)
    if r['result'] != 'builtin': return r
    r['operators'], _ = contents(data)
    r['count'] = sum(r['operators'].values())
    if not sets: return r
    try:
        it = Interpreter(model_content=data, num_threads=1)
        it.allocate_tensors()
        for d in it.get_input_details():
            x = sets[0].get(d['name'])
            if x is not None: it.set_tensor(d['index'], x)
        it.invoke()
        got = {d['name']: it.get_tensor(d['index']) for d in it.get_output_details()}
        worst = [difference(got[n], y) for n, y in want[0].items() if n in got]
        wrong = next((w for w in worst if isinstance(w, str)), None)
        if wrong: raise ValueError(wrong)
        r['difference'] = max(worst)
        r['equal'] = r['difference'] <= LIMIT
    except Exception as x: r['equal'], r['why'] = False, f'{type(x).__name__}: {str(x)[:200]}'
    return r


def write(e):
    with open(f'{DIR}/.one.json', 'w') as f: json.dump(e, f)


def child(number):
    os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
    os.environ['TF_USE_LEGACY_KERAS'] = '1'
    e = json.load(open(f'{DIR}/.one.json'))
    import numpy as np
    import tensorflow as tf
    e['loads'] = False
    try: (saved_model if e['kind'] == 'saved_model' else graph)(tf, np, e, number)
    except Exception as x: e['loads' if not e['loads'] else 'runs'] = f'{type(x).__name__}: {str(x)[:400]}'
    write(e)


def main():
    source = json.load(open(f'{DIR}/list.json'))
    manifest = json.load(open(f'{DIR}/manifest.json')) if os.path.exists(f'{DIR}/manifest.json') else []
    done = {e['path']: e for e in manifest}
    number = max([e['number'] for e in manifest], default=-1) + 1
    for e in source:
        again = bool(sys.argv[2:]) and any(p in e['path'] for p in sys.argv[2:])
        if (e['path'] in done and not again) or (sys.argv[2:] and not again): continue
        e = {**e, 'number': done[e['path']]['number'] if e['path'] in done else number}
        number = max(number, e['number'] + 1)
        write(e)
        try: code = subprocess.run([sys.executable, os.path.abspath(__file__), DIR, '--child', str(e['number'])], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600).returncode
        except subprocess.TimeoutExpired: code = 'no end in 600 s'
        r = json.load(open(f'{DIR}/.one.json'))
        if code: r['ended'] = code
        done[e['path']] = r
        print(r['kind'], r['path'], f'{r["size"]} bytes, loads {str(r.get("loads"))[:90]}, {len(r.get("inputs") or {})} in {len(r.get("outputs") or {})} out', str(r.get('runs', ''))[:120], (r.get('official') or {}).get('result', '-'), (r.get('official') or {}).get('equal', '-'), (r.get('official') or {}).get('why', ''), flush=True)
        with open(f'{DIR}/manifest.json', 'w') as f: json.dump(sorted(done.values(), key=lambda x: x['number']), f, indent=1)


if __name__ == '__main__':
    if sys.argv[2:3] == ['--child']: child(int(sys.argv[3]))
    else: main()
