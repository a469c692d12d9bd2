"""Small graphs with TensorFlow's own results, for tests/unit/test_tf_cases.c.

    python3 make_tf_cases.py FAMILY ...        writes tests/data/tf/FAMILY.gz from tf_FAMILY_cases.py

tf_FAMILY_cases.py calls C(name, function, input ...) from here; an input is (shape, type, feed[, (low, high)]): None is an open dimension; a feed is
an array, or a shape to be filled with random numbers, or a list of these: one for each run. Graphs are written in the short form of
tests/support/tf_fixture.h, nodes renamed, results as numbers:

    case NAME
    in x0:?,4 x1:
    out n3 n4
    n0 = const int32 {2} 1 2
    n3 = Reshape(x0, n0) T=float
    set
    < 2,4 1 2 3 4 5 6 7 8
    > 4,2 1 2 3 4 5 6 7 8
    end
"""
import gzip, importlib, os, sys
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['CUDA_VISIBLE_DEVICES'] = ''
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

HERE = os.path.dirname(os.path.abspath(__file__))
WORDS = {'DT_FLOAT': 'float', 'DT_DOUBLE': 'double', 'DT_HALF': 'half'}
CASES = []
rng = np.random.default_rng(7)


def C(name, function, *inputs): CASES.append((name, function, inputs))


def word(data_type):
    name = types_pb2.DataType.Name(data_type)
    return WORDS.get(name, name[3:].lower())


def dims(shape): return ','.join('?' if d is None else str(d) for d in shape)


def number(v):
    if isinstance(v, (bool, np.bool_)): return str(int(v))
    if isinstance(v, (int, np.integer)): return str(v)
    return f'{float(v):.7g}'


def feed(spec, k):
    f = spec[2][k] if isinstance(spec[2], list) else spec[2]
    t = tf.as_dtype(spec[1]).as_numpy_dtype
    if not isinstance(f, tuple): return np.asarray(f, t)
    if t == np.bool_: return rng.integers(0, 2, f).astype(t)
    if np.issubdtype(t, np.integer):
        low, high = spec[3] if len(spec) > 3 and spec[3] else (0 if np.issubdtype(t, np.unsignedinteger) else -20, 20)
        return rng.integers(low, high, f).astype(t)
    return (rng.uniform(*spec[3], f) if len(spec) > 3 and spec[3] else rng.normal(size=f) * 2).astype(t)


class Unwritable(Exception): pass


def constant(tensor):
    a = tf.make_ndarray(tensor)
    t = word(tensor.dtype)
    if t == 'half': values = [str(int(v)) for v in a.astype(np.float16).view(np.uint16).ravel()]
    elif t == 'bool': values = ['true' if v else 'false' for v in a.ravel()]
    elif a.dtype.kind in 'iuf': values = [number(v) for v in a.ravel()]
    elif t == 'string' and all(v.isascii() and v.decode().isprintable() and not set(v.decode()) & set('"\\') for v in a.ravel()): values = [f'"{v.decode()}"' for v in a.ravel()]
    else: raise Unwritable(t)
    return f'const {t} {{{dims(a.shape)}}} ' + ' '.join(values)


def attribute(a):
    kind = a.WhichOneof('value')
    if kind == 'type': return word(a.type)
    if kind == 'i': return str(a.i)
    if kind == 'f': return number(a.f) if '.' in number(a.f) else number(a.f) + '.0'
    if kind == 'b': return 'true' if a.b else 'false'
    if kind == 's' and a.s.isascii() and a.s.decode().isprintable() and b'"' not in a.s and b'\\' not in a.s: return f'"{a.s.decode()}"'
    if kind == 'shape': return '{unknown}' if a.shape.unknown_rank else '{' + ','.join('?' if d.size < 0 else str(d.size) for d in a.shape.dim) + '}'
    if kind == 'list':
        l = a.list
        parts = [str(v) for v in l.i] or [word(v) for v in l.type] or [number(v) for v in l.f] or [f'"{v.decode()}"' for v in l.s] or [attribute_of_shape(v) for v in l.shape]
        return '[' + ','.join(parts) + ']'
    raise Unwritable(kind)


def attribute_of_shape(s): return '{' + ','.join('?' if d.size < 0 else str(d.size) for d in s.dim) + '}'


def graph_text(graph, outputs):
    """Lines of the nodes, with short names; the outputs' names."""
    if graph.library.function: raise Unwritable('functions')
    names, lines = {}, []
    for n in graph.node: names[n.name] = n.name if n.op == 'Placeholder' else f'n{len(names)}'
    rename = lambda ref: ('^' if ref[0] == '^' else '') + names[ref.lstrip('^').split(':')[0]] + (':' + ref.split(':')[1] if ':' in ref and not ref.endswith(':0') else '')
    for n in graph.node:
        if n.op == 'Const':
            lines.append(f"{names[n.name]} = {constant(n.attr['value'].tensor)}")
            continue
        attrs = ' '.join(f'{k}={attribute(a)}' for k, a in sorted(n.attr.items()) if not k.startswith('_'))
        lines.append(f"{names[n.name]} = {n.op}({', '.join(rename(i) for i in n.input)}) {attrs}".rstrip())
    return lines, [rename(o) for o in outputs]


def case_text(name, function, inputs):
    specs = [tf.TensorSpec(s[0], tf.as_dtype(s[1]), name=f'x{k}') for k, s in enumerate(inputs)]
    frozen = convert_variables_to_constants_v2(tf.function(function, input_signature=specs).get_concrete_function(), lower_control_flow=False)
    lines, outs = graph_text(frozen.graph.as_graph_def(), [t.name for t in frozen.outputs])
    text = [f'case {name}', 'in ' + ' '.join(f"{t.name.split(':')[0]}:{dims(s[0])}" for t, s in zip(frozen.inputs, inputs)), 'out ' + ' '.join(outs)] + lines
    for k in range(max([len(s[2]) if isinstance(s[2], list) else 1 for s in inputs] or [1])):
        xs = [feed(s, k) for s in inputs]
        ys = [y.numpy() for y in tf.nest.flatten(frozen(*[tf.constant(x) for x in xs]))]
        text.append('set')
        for mark, arrays in (('<', xs), ('>', ys)):
            for a in arrays:
                if a.dtype.kind not in 'biuf' or a.dtype == np.float16: raise Unwritable(str(a.dtype))
                text.append(f"{mark} {dims(a.shape) or '-'} " + ' '.join(number(v) for v in a.ravel()))
    return '\n'.join(text + ['end', ''])


def main():
    sys.modules['make_tf_cases'] = sys.modules['__main__']
    sys.path.insert(0, HERE)
    for family in sys.argv[1:]:
        CASES.clear()
        importlib.import_module(f'tf_{family}_cases')
        out, left = [], []
        for name, function, inputs in CASES:
            try: out.append(case_text(name, function, inputs))
            except Unwritable as e: left.append(f'{name} ({e})')
        path = os.path.join(HERE, '..', 'data', 'tf', f'{family}.gz')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f, gzip.GzipFile(fileobj=f, mode='wb', mtime=0, filename='') as z: z.write(''.join(out).encode())
        print(f'{family}: {len(out)} cases, {os.path.getsize(path)} bytes; left out: {", ".join(left)}')


if __name__ == '__main__': main()
