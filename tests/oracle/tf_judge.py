"""What the scripts of the TensorFlow check share: where a set's arrays lie, LiteRT as a judge, and when two results are the same."""
import os
import time
import numpy as np

LIMIT = 1e-4


def file_name(name): return name.replace('/', '%2F')


def load_set(d, number, what, names):
    return {n: np.load(f'{d}/set{number}/{what}/{file_name(n)}.npy') for n in names}


def save_set(d, number, what, arrays):
    os.makedirs(f'{d}/set{number}/{what}', exist_ok=True)
    for name, v in arrays.items():
        v = np.asarray(v)
        np.save(f'{d}/set{number}/{what}/{file_name(name)}.npy', v.astype('S') if v.dtype == object else v)


def difference(a, b):
    """max |a - b| / max |b| of two arrays, or what is wrong with a."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape: return f'shape {list(a.shape)} for {list(b.shape)}'
    if b.dtype.kind in 'OSU':
        text = lambda v: [t.encode() if isinstance(t, str) else bytes(t) for t in v.reshape(-1)]
        return 0.0 if text(a) == text(b) else 'another text'
    if a.dtype != b.dtype: return f'type {a.dtype} for {b.dtype}'
    if not a.size: return 0.0
    if b.dtype.kind in 'iub': return 0.0 if (a == b).all() else f'{int((a != b).sum())} of {a.size} integers differ'
    good = np.isfinite(b)
    if not (np.isfinite(a) == good).all(): return 'not finite in other places'
    if not np.array_equal(a[~good], b[~good], equal_nan=True): return 'another infinity'
    wide = np.complex128 if b.dtype.kind == 'c' else np.float64
    a, b = a[good].astype(wide), b[good].astype(wide)
    return float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-3)) if a.size else 0.0


def compare(got, want, random=False):
    """The worst difference of a set's outputs, or what is wrong; of random numbers, only shape and type count."""
    worst = 0.0
    for n, y in want.items():
        if n not in got: return f'no output {n}, but {", ".join(got) or "none"}'
        w = difference(np.zeros_like(got[n]), np.zeros_like(y)) if random else difference(got[n], y)
        if isinstance(w, str): return f'{n}: {w}'
        worst = max(worst, w)
    return worst


def litert(model, sets, stateful=False, delegate=False):
    """Runs each (signature, inputs) by LiteRT; gives the outputs. A model with variables runs all sets in one interpreter."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    how = dict(num_threads=1, experimental_op_resolver_type=OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    data = open(model, 'rb').read() if isinstance(model, str) else model
    it = Interpreter(model_content=data, **how) if stateful else None
    out = []
    for key, xs in sets:
        run = (it or Interpreter(model_content=data, **how)).get_signature_runner(key)
        wanted = run.get_input_details()
        out.append({n: np.array(v) for n, v in run(**{n: x for n, x in xs.items() if n in wanted}).items()})
    return out


def contents(model):
    """Operators by name (a custom one by its own), and {signature: (inputs, outputs)} of a .tflite."""
    import collections
    from ai_edge_litert import schema_py_generated as S
    data = open(model, 'rb').read() if isinstance(model, str) else model
    m = S.ModelT.InitFromObj(S.Model.GetRootAs(data, 0))
    names = {v: k for k, v in vars(S.BuiltinOperator).items() if isinstance(v, int)}
    codes = ['custom ' + c.customCode.decode() if c.customCode else names[max(c.builtinCode, c.deprecatedBuiltinCode)] for c in m.operatorCodes or []]
    ops = collections.Counter(codes[o.opcodeIndex] for g in m.subgraphs for o in g.operators or [])
    text = lambda ts: [t.name.decode() for t in ts or []]
    return dict(ops), {s.signatureKey.decode(): (text(s.inputs), text(s.outputs)) for s in m.signatureDefs or []}


def official(tf, d, sets, want, random=False, stateful=False, tolerance=LIMIT):
    """What TensorFlow's own converter makes of the SavedModel: result, operators, seconds, and whether LiteRT then computes what is wanted."""
    r, t, data = {}, time.time(), None
    try:
        data = tf.lite.TFLiteConverter.from_saved_model(d).convert()
        r['result'] = 'builtin'
    except Exception as e:
        text = str(e)
        r['result'] = 'flex' if 'NEEDS_FLEX' in text or 'TF Select ops:' in text else 'custom' if 'NEEDS_CUSTOM' in text or 'Custom ops:' in text else 'fails'
        lines = [l for l in text.splitlines() if 'ops:' in l] or [l for l in text.splitlines() if l.strip()] or ['']
        r['why'] = f'{type(e).__name__}: {"; ".join(lines)[:200]}'
    r['seconds'] = round(time.time() - t, 3)
    if r['result'] == 'flex':
        try:
            c = tf.lite.TFLiteConverter.from_saved_model(d)
            c.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
            data = c.convert()
        except Exception as e: r['result'], r['why'] = 'fails', str(e)[:200]
    if not data: return r
    r['operators'], _ = contents(data)
    r['count'], r['bytes'] = sum(r['operators'].values()), len(data)
    if r['result'] != 'builtin': return r
    try:
        worst = [compare(got, ys, random) for got, ys in zip(litert(data, sets, stateful), want)]
        wrong = next((w for w in worst if isinstance(w, str)), None)
        if wrong: raise ValueError(wrong)
        r['difference'] = max(worst)
        r['equal'] = r['difference'] <= tolerance
    except Exception as e: r['equal'], r['why'] = False, f'{type(e).__name__}: {str(e)[:200]}'
    return r
