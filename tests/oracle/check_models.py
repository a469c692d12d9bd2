"""Converts the models of make_keras_models.py with litec and compares with Keras, LiteRT and the official converter.

    python3 check_models.py LITEC MODELS [--md FILE] [name ...]

For each model and both file formats: `litec convert`; `litec verify`; the .tflite run by LiteRT (with XNNPACK and without) and by
`litec run`, compared with what Keras computed; names and order of the signature; operators against the official converter's:
no more in all, and no more of the heavy kinds.
Differences are max |a - b| / max |b| of an output; 1e-5 is the limit. Exit 1 when anything is over it, out of order, or has more operators.
"""
import collections, glob, json, os, subprocess, sys, tempfile
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
from ai_edge_litert import schema_py_generated as S
from ai_edge_litert.interpreter import Interpreter, OpResolverType

args = sys.argv[1:]
MD = None
if '--md' in args:
    i = args.index('--md'); MD = args[i + 1]; del args[i:i + 2]
if len(args) < 2: sys.exit(__doc__)
LITEC, MODELS, ONLY = args[0], args[1], args[2:]
LIMIT = 1e-5
# More operators than the official converter, on purpose: name -> how many, why.
EXTRA = {
    'im_conv3d_groups': (3, 'CONV_3D has no groups: the official one runs in no interpreter'),
    'fn_math_l2_normalize': (4, 'the official one divides by the length of each row, not of all: wrong by 0.7'),
    **{n: (1, 'FLOOR_DIV floors a double, 1 / 0.1 to 9, and an element 0 among the divisors ends the run') for n in ('op_floor_divide', 'fn_math_floordiv')},
    'fn_nn_conv_more': (1, 'conv2d_transpose for any batch: the official one keeps the one of output_shape'),
    'fn_nn_softplus': (2, 'as act_softplus'),
    'resizing_nearest_uint8': (1, 'the image is a float between two casts'),
    'op_correlate': (0, 'three products of which the official one cuts one out of another'),
    'act_softplus': (2, 'log(1 + exp(x)) of the official one overflows from 89 on'),
    **{f'{p}_{n}': (7, 'exact near 0, where the official one loses all digits') for p in ('op', 'fn_math') for n in ('expm1', 'log1p', 'xlog1py', 'logaddexp', 'logaddexp2', 'softplus')},
    **{n: (9, 'the same operation more than once in the model, which the official one makes once') for n in
       'fn_add_n fn_backend_elementwise fn_backend_sum fn_logical fn_operators fn_operators_const op_concatenate op_kwargs op_meshgrid op_operators op_split op_transpose_axes op_crossentropy'.split()},
}
HEAVY = [('CONV_2D', 'DEPTHWISE_CONV_2D'), ('MAX_POOL_2D',), ('AVERAGE_POOL_2D',)] # of each, no more
NAMES = {v: k for k, v in vars(S.BuiltinOperator).items() if isinstance(v, int)}


def operators(path):
    m = S.ModelT.InitFromObj(S.Model.GetRootAs(open(path, 'rb').read(), 0))
    codes = [NAMES[max(c.builtinCode, c.deprecatedBuiltinCode)] for c in m.operatorCodes]
    return collections.Counter(codes[o.opcodeIndex] for g in m.subgraphs for o in g.operators or [])


def signature(path):
    m = S.ModelT.InitFromObj(S.Model.GetRootAs(open(path, 'rb').read(), 0))
    s = m.signatureDefs[0]
    text = lambda ts: [t.name.decode() for t in ts or []]
    return s.signatureKey.decode(), text(s.inputs), text(s.outputs)


def difference(a, b):
    if b.dtype.kind == 'S': return 0.0 if a.shape == b.shape and (a.astype('S') == b).all() else 'other strings'
    if a.shape != b.shape: return f'shape {a.shape} for {b.shape}'
    if a.dtype != b.dtype: return f'{a.dtype} for {b.dtype}'
    if not a.size: return 0.0
    a, b = (v.astype('c16' if v.dtype.kind == 'c' else 'f8') for v in (a, b))
    same = (a == b) | (np.isnan(a) & np.isnan(b)) # what is not finite must be the same
    if not np.isfinite(a[~same]).all() or not np.isfinite(b[~same]).all(): return 'not finite'
    finite = np.abs(b[np.isfinite(b)])
    return float(np.max(np.abs(np.where(same, 0, a - b)), initial=0) / max(np.max(finite, initial=0), 1e-30))


def litert(path, xs, plain):
    kind = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if plain else OpResolverType.AUTO
    it = Interpreter(model_path=path, experimental_op_resolver_type=kind, num_threads=1)
    for d, x in zip(it.get_input_details(), xs): it.resize_tensor_input(d['index'], x.shape)
    it.allocate_tensors()
    for d, x in zip(it.get_input_details(), xs): it.set_tensor(d['index'], x)
    it.invoke()
    return [it.get_tensor(d['index']) for d in it.get_output_details()]


def litec_run(path, d, n_in, n_out, tmp):
    cmd = [LITEC, 'run', path, '--output-dir', tmp]
    for i in range(n_in): cmd += ['--input', f'{d}/in{i}.npy']
    p = subprocess.run(cmd, capture_output=True, text=True)
    if p.returncode: return p.stderr.strip().replace('\n', ' ')
    return [np.load(f'{tmp}/output{i}.npy') for i in range(n_out)]


def worst(ys, want):
    if isinstance(ys, str): return ys
    if len(ys) != len(want): return f'{len(ys)} outputs for {len(want)}'
    ds = [difference(a, b) for a, b in zip(ys, want)]
    return next((d for d in ds if isinstance(d, str)), None) or max(ds)


def check(d, ext, tmp):
    """One row: (what is wrong or None, columns)."""
    meta, name = json.load(open(f'{d}/meta.json')), os.path.basename(d)
    out = f'{tmp}/m.tflite'
    if os.path.exists(out): os.remove(out)
    p = subprocess.run([LITEC, 'convert', f'{d}/model.{ext}', '-o', out], capture_output=True, text=True)
    if p.returncode: return p.stderr.strip().replace('\n', ' ') or f'exit {p.returncode}', []
    wrong = []
    p = subprocess.run([LITEC, 'verify', out], capture_output=True, text=True)
    if p.returncode: wrong.append('verify: ' + p.stderr.strip())
    key, ins, outs = signature(out)
    n_in, n_out = len(meta['inputs']), len(meta['outputs'])
    order = list(range(n_out))
    seen = collections.Counter()
    expected = [o if not seen.update([o]) and seen[o] == 1 else f'{o}_{seen[o] - 1}' for o in meta['outputs']] # a layer with several
    if len(set(meta['outputs'])) == n_out and sorted(outs) == sorted(meta['outputs']): # dict outputs: by key
        order = [meta['outputs'].index(o) for o in outs]
        if order != sorted(order) and not name.startswith('dict_'): wrong.append(f'outputs in order {outs}, Keras has {meta["outputs"]}')
    elif outs != expected and len(set(expected)) == n_out and name.split('.')[0] not in ('shared_outputs', 'output_twice'): wrong.append(f'outputs {outs}, Keras has {meta["outputs"]}')
    if ins != meta['inputs']: wrong.append(f'inputs {ins}, Keras has {meta["inputs"]}')
    if key != 'serving_default': wrong.append(f'signature {key}')
    xs = [np.load(f'{d}/in{i}.npy') for i in range(n_in)]
    want = [np.load(f'{d}/out{i}.npy') for i in order]
    diffs = []
    for what, run in (('LiteRT', lambda: litert(out, xs, False)), ('LiteRT plain', lambda: litert(out, xs, True)), ('litec', lambda: litec_run(out, d, n_in, n_out, tmp))):
        try: w = worst(run(), want)
        except Exception as e: w = f'{type(e).__name__}: {str(e)[:150]}'
        diffs.append(w if isinstance(w, str) else f'{w:.1e}')
        if isinstance(w, str) or not w <= LIMIT: wrong.append(f'{what}: {w}')
    ours, theirs = operators(out), meta['official']
    count = f'{sum(ours.values())} / ' + ('-' if theirs is None else str(sum(theirs.values())))
    if theirs is not None:
        # An operator in front of each LSTM and RNN writes its first state on every run: the official ones go on where the run before ended.
        room = EXTRA.get(name.split('.')[0], (0, ''))[0] + sum(theirs.get(k, 0) for k in ('UNIDIRECTIONAL_SEQUENCE_LSTM', 'UNIDIRECTIONAL_SEQUENCE_RNN'))
        if sum(ours.values()) > sum(theirs.values()) + room or name.split('.')[0] not in EXTRA and any(sum(ours[k] for k in ks) > sum(theirs.get(k, 0) for k in ks) for ks in HEAVY): wrong.append(f'operators {dict(ours)}, official {theirs}')
    return '; '.join(wrong) or None, [count, *diffs]


bad, rows = 0, []
with tempfile.TemporaryDirectory() as tmp:
    for d in sorted(glob.glob(f'{MODELS}/*/')):
        d = d.rstrip('/')
        name = os.path.basename(d)
        if not os.path.exists(f'{d}/meta.json') or (ONLY and name.split('.')[0] not in ONLY): continue
        for ext in ('keras', 'h5'):
            if not os.path.exists(f'{d}/model.{ext}'): continue
            wrong, columns = check(d, ext, tmp)
            bad += wrong is not None
            rows.append((f'{name} .{ext}', *columns))
            print(f'{"FAIL" if wrong else "ok  "} {name:28} .{ext:5}', '  '.join(columns), wrong or '', flush=True)
print(f'{len(rows)} conversions, {bad} with faults')
if MD:
    with open(MD, 'w') as f:
        f.write('| model | operators ours / official | LiteRT | LiteRT plain | litec |\n|---|---|---|---|---|\n')
        for r in rows: f.write('| ' + ' | '.join(r) + ' |\n')
sys.exit(bad > 0)
