"""Small models, built tensor by tensor, run by LiteRT, and kept as cases of tests/ops/test_runs.c.

A family's script (tests/oracle/ops/<family>.py) builds models and says `case(...)`; make_runs.py runs it and writes
tests/data/runs/<family>.gz. Example:

    m = M()
    x = m.input(np.int8, [1, 4, 4, 2], scale=0.05, zero=3)
    w = m.const(weights, scale=[0.1, 0.2], zero=[0, 0], axis=0)
    b = m.const(bias32)
    y = m.output(np.int8, scale=0.1, zero=-5)
    m.op('CONV_2D', [x, w, b], [y], padding=0, stride_w=1, stride_h=1)
    case('per channel', m, [values(np.int8, [1, 4, 4, 2])])

Answers are those of LiteRT's reference kernels (OpResolverType.BUILTIN_REF), or of its default ones where it has no reference.
Where the two differ, make_runs.py says so; `within=1` then lets an integer answer be one off, `use='fast'` takes the other.
Format of the file, little-endian (a str is u16 length and bytes):
  "LCRUNS1\\0" u32 cases; case: str name, u32 bytes, model, f32 tolerance, u32 within, u32 runs, run...
  run: u32 inputs, tensor..., u32 outputs, tensor...     tensor: u8 type, u8 rank, i32 dims[rank], u32 bytes, data
  (a tensor of strings: its data is TFLite's string buffer: i32 count, i32 offsets[count + 1], bytes)
"""
import gzip
import os
import re
import struct
import warnings

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
warnings.filterwarnings('ignore')
import flatbuffers
import ml_dtypes
import numpy as np
from ai_edge_litert import schema_py_generated as S
from ai_edge_litert.interpreter import Interpreter, OpResolverType

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
TYPES = {np.float32: 0, np.float16: 1, np.int32: 2, np.uint8: 3, np.int64: 4, np.object_: 5, np.str_: 5, np.bytes_: 5, np.bool_: 6,
         np.int16: 7, np.complex64: 8, np.int8: 9, np.float64: 10, np.complex128: 11, np.uint64: 12, np.uint32: 15, np.uint16: 16,
         ml_dtypes.bfloat16: 18}
RESOURCE, VARIANT, INT4, INT2, UINT4 = 13, 14, 17, 19, 20  # give these numbers where a numpy type is wanted
OPTIONS, CODES = {}, {}
for found in re.finditer(r'^LC_OP\((\w+),\s*(\d+), \w+,\s*(\w+),', open(os.path.join(ROOT, 'src/ops/ops.def')).read(), re.M):
    OPTIONS[found[1]], CODES[found[1]] = found[3], int(found[2])
OPTIONS_2 = {v for v in dir(S.BuiltinOptions2) if not v.startswith('_')}

rng = np.random.default_rng(20261121)


def type_code(t):
    return t if isinstance(t, int) else TYPES[np.dtype(t).type]


def pack_bits(a, bits):
    """Integers of 4 or 2 bits, the first in the lowest bits."""
    per, flat = 8 // bits, np.asarray(a).astype(np.int64).reshape(-1) & ((1 << bits) - 1)
    flat = np.concatenate([flat, np.zeros(-len(flat) % per, np.int64)]).reshape(-1, per)
    return sum(flat[:, i] << (bits * i) for i in range(per)).astype(np.uint8)


def string_buffer(a):
    items = [s if isinstance(s, bytes) else str(s).encode() for s in np.asarray(a, object).reshape(-1)]
    offsets, at = [], 4 + 4 * (len(items) + 1)
    for s in items:
        offsets.append(at)
        at += len(s)
    return struct.pack('<%di' % (len(items) + 2), len(items), *offsets, at) + b''.join(items)


def raw(a, code=None):
    a = np.asarray(a)
    if code in (INT4, UINT4):
        return pack_bits(a, 4).tobytes()
    if code == INT2:
        return pack_bits(a, 2).tobytes()
    if a.dtype.kind in 'OUS':
        return string_buffer(a)
    return np.ascontiguousarray(a).tobytes()


def values(dtype, shape, low=None, high=None, special=False):
    """Random numbers: the full range of an integer type, -4..4 of a float; special: some NaN, infinities, zeros, tiny ones."""
    d = np.dtype(dtype)
    if d.kind == 'b':
        return rng.integers(0, 2, shape).astype(bool)
    if d.kind in 'iu':
        info = np.iinfo(d)
        return rng.integers(info.min if low is None else low, (info.max if high is None else high), shape, d, endpoint=True)
    if d.kind == 'c':
        return (values(np.float64, shape, low, high) + 1j * values(np.float64, shape, low, high)).astype(d)
    a = np.asarray(rng.uniform(-4 if low is None else low, 4 if high is None else high, shape)).astype(d)
    if special and a.size:
        flat = a.reshape(-1)
        for v in (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40):
            flat[rng.integers(flat.size)] = v
        a = flat.reshape(np.shape(a))
    return a


class Graph:
    def __init__(self, model, name):
        self.model, self.t = model, S.SubGraphT()
        self.t.name, self.t.tensors, self.t.inputs, self.t.outputs, self.t.operators = name, [], [], [], []

    def tensor(self, dtype, shape=(), scale=None, zero=0, axis=0, data=None, name=None, signature=None, variable=False, sparsity=None,
               blockwise=None):
        """A tensor; returns its index. shape with -1 is open (signature is made). scale may be a list (per channel of `axis`)."""
        t = S.TensorT()
        shape = list(shape)
        t.shape = [1 if d < 0 else int(d) for d in shape]
        if any(d < 0 for d in shape):
            t.shapeSignature = shape
        t.hasRank = True
        t.type, t.buffer, t.isVariable, t.sparsity = type_code(dtype), 0, variable, sparsity
        t.name = (name or 't%d' % len(self.t.tensors)).encode()
        if data is not None:
            t.buffer = self.model.buffer(data)
        if scale is not None:
            q = t.quantization = S.QuantizationParametersT()
            q.scale = [float(s) for s in np.atleast_1d(scale)]
            q.zeroPoint = [int(z) for z in np.broadcast_to(zero, len(q.scale))]
            q.quantizedDimension = axis
        if blockwise is not None:
            t.quantization = blockwise
        self.t.tensors.append(t)
        return len(self.t.tensors) - 1

    def input(self, dtype, shape=(), **more):
        i = self.tensor(dtype, shape, **more)
        self.t.inputs.append(i)
        return i

    def output(self, dtype, shape=(), **more):
        i = self.tensor(dtype, shape, **more)
        self.t.outputs.append(i)
        return i

    def const(self, a, dtype=None, **more):
        """A constant. dtype INT4 packs the numbers of a."""
        a = np.asarray(a)
        code = type_code(dtype) if dtype is not None else type_code(a.dtype)
        return self.tensor(code, a.shape, data=raw(a, code), **more)

    def op(self, name, inputs, outputs, /, version=1, custom_options=None, custom=None, intermediates=None, **options):
        """Inputs of None are absent. Options by their schema names (snake case)."""
        o = S.OperatorT()
        o.inputs = [-1 if i is None else i for i in inputs]
        o.outputs = list(outputs)
        if intermediates is not None:
            o.intermediates = list(intermediates)
        o.opcodeIndex = self.model.code(name, version, custom)
        if custom_options is not None:
            o.customOptions = np.frombuffer(bytes(custom_options), np.uint8)
        if name != 'CUSTOM' and OPTIONS[name] != 'NONE':
            table = getattr(S, OPTIONS[name] + 'T')()
            for k, v in options.items():
                words = k.split('_')
                field = words[0] + ''.join(w.capitalize() for w in words[1:])
                assert hasattr(table, field), (name, field, sorted(vars(table)))
                setattr(table, field, list(v) if isinstance(v, (list, tuple)) else v)
            if OPTIONS[name] in OPTIONS_2:
                o.builtinOptions2, o.builtinOptions2Type = table, getattr(S.BuiltinOptions2, OPTIONS[name])
            else:
                o.builtinOptions, o.builtinOptionsType = table, getattr(S.BuiltinOptions, OPTIONS[name])
        self.t.operators.append(o)


class M(Graph):
    """A model and its first graph; graph() adds further ones (for IF, WHILE, CALL_ONCE, composites)."""

    def __init__(self):
        self.m = S.ModelT()
        self.m.version, self.m.buffers, self.m.operatorCodes, self.m.subgraphs = 3, [S.BufferT()], [], []
        self.codes = {}
        super().__init__(self, b'main')
        self.m.subgraphs.append(self.t)

    def graph(self, name='body'):
        g = Graph(self, name.encode())
        self.m.subgraphs.append(g.t)
        g.index = len(self.m.subgraphs) - 1
        return g

    def buffer(self, data):
        b = S.BufferT()
        b.data = np.frombuffer(data, np.uint8)
        self.m.buffers.append(b)
        return len(self.m.buffers) - 1

    def code(self, name, version, custom):
        key = (name, version, custom)
        if key not in self.codes:
            c = S.OperatorCodeT()
            c.builtinCode = CODES[name]
            c.deprecatedBuiltinCode = min(CODES[name], 127)
            c.version, c.customCode = version, custom.encode() if custom else None
            self.m.operatorCodes.append(c)
            self.codes[key] = len(self.m.operatorCodes) - 1
        return self.codes[key]

    def bytes(self):
        b = flatbuffers.Builder(1024)
        b.Finish(self.m.Pack(b), b'TFL3')
        return bytes(b.Output())


# ---- running ------------------------------------------------------------------------------------------------------------

def run_litert(model, runs, kernels):
    it = Interpreter(model_content=model, experimental_op_resolver_type=kernels)
    results = []
    details = it.get_input_details()
    for inputs in runs:
        for d, a in zip(details, inputs):
            if list(d['shape']) != list(np.shape(a)):
                it.resize_tensor_input(d['index'], list(np.shape(a)))
        it.allocate_tensors() if not results else None
        for d, a in zip(details, inputs):
            if np.asarray(a).size:
                it.set_tensor(d['index'], np.asarray(a))
        it.invoke()
        results.append([it.get_tensor(d['index']) for d in it.get_output_details()])
    return results


KERNELS = {'ref': OpResolverType.BUILTIN_REF, 'fast': OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}
cases, complaints = [], []


def differ(a, b, tolerance):
    if a.shape != b.shape or a.dtype != b.dtype:
        return 'shapes %s and %s' % (a.shape, b.shape)
    if a.dtype.kind in 'fcV':
        x, y = a.astype(np.complex128 if a.dtype.kind == 'c' else np.float64), b.astype(np.complex128 if b.dtype.kind == 'c' else np.float64)
        return None if np.allclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True) else 'by %g' % np.nanmax(np.abs(x - y))
    if a.dtype.kind in 'iu':
        worst = np.abs(a.astype(np.int64) - b.astype(np.int64)).max() if a.size else 0
        return None if worst == 0 else 'by %d' % worst
    return None if np.array_equal(a, b) else 'in content'


def case(name, model, *runs, tolerance=1e-5, within=0, use='ref', expect=None):
    """Runs `model` on each list of inputs (one session, in order, so state carries over) and keeps what LiteRT answers. `expect`: the answers
    (one list a run) where LiteRT cannot be asked, with the reason in a comment at the caller."""
    content = model.bytes() if isinstance(model, M) else model
    if expect is None:
        answers, why = {}, {}
        for k in ('ref', 'fast'):
            try:
                answers[k] = run_litert(content, runs, KERNELS[k])
            except (ValueError, RuntimeError) as e:
                why[k] = str(e).strip().split('\n')[0]
        if not answers:
            complaints.append('%s: LiteRT refuses: %s' % (name, why['ref']))
            return
        if len(answers) == 2:
            for x, y in zip(answers['ref'], answers['fast']):
                for k, (a, b) in enumerate(zip(x, y)):
                    d = differ(a, b, tolerance)
                    if d and not (within and d == 'by %d' % within):
                        complaints.append('%s: output %d: reference and fast differ %s; kept: %s' % (name, k, d, use))
        expect = answers.get(use) or next(iter(answers.values()))
    cases.append((name, content, tolerance, within, [(i, o) for i, o in zip(runs, expect)]))


def pack_tensor(a):
    a = np.asarray(a)
    data = raw(a)
    return struct.pack('<BB%diI' % a.ndim, TYPES[a.dtype.type], a.ndim, *a.shape, len(data)) + data


def write(path):
    out = [b'LCRUNS1\0', struct.pack('<I', len(cases))]
    for name, content, tolerance, within, runs in cases:
        text = name.encode()
        out.append(struct.pack('<H', len(text)) + text + struct.pack('<I', len(content)) + content)
        out.append(struct.pack('<fII', tolerance, within, len(runs)))
        for inputs, outputs in runs:
            for tensors in (inputs, outputs):
                out.append(struct.pack('<I', len(tensors)) + b''.join(pack_tensor(t) for t in tensors))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f, gzip.GzipFile('', 'wb', 9, f, 0) as z:
        z.write(b''.join(out))
