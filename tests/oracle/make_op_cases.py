#!/usr/bin/env python3
"""Makes tests/data/ops/*.case: one-operator models run by LiteRT, stored as operator, options, inputs, expected outputs.

usage: make_op_cases.py [FAMILY ...]     (needs ai_edge_litert and numpy; the results are kept in the tree)

Format, little-endian, read by tests/ops/case.h (a str is u16 length and bytes):
  "LCOPS2\\0\\0" u32 cases
  case:   str name, str op, f32 tolerance, u32 fields, field..., u32 inputs, tensor..., u32 outputs, tensor...
  field:  str name, u8 kind (0 integer, 1 float, 2 integers), u32 n, n * (i32 or f32)
  tensor: u8 present (2: constant), u8 type, u8 rank, i32 dims[rank], elements
"""
import os, re, struct, sys
import numpy as np
import flatbuffers
from ai_edge_litert import schema_py_generated as S
from ai_edge_litert.interpreter import Interpreter, OpResolverType

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
TYPES = {np.float32: 0, np.float16: 1, np.int32: 2, np.uint8: 3, np.int64: 4, np.bool_: 6, np.int16: 7, np.int8: 9, np.float64: 10,
         np.uint64: 12, np.uint32: 15, np.uint16: 16}
OPTIONS, CODES = {}, {}
for m in re.finditer(r'^LC_OP\((\w+),\s*(\d+), \w+,\s*(\w+),', open(os.path.join(ROOT, 'src/ops/ops.def')).read(), re.M):
    OPTIONS[m[1]], CODES[m[1]] = m[3], int(m[2])


def tid(a):
    return TYPES[a.dtype.type]


class C:
    """A constant input."""

    def __init__(self, a):
        self.a = np.asarray(a)


def build(op, attrs, ins, out_types, out_shapes):
    model = S.ModelT()
    model.version = 3
    code = S.OperatorCodeT()
    code.builtinCode = CODES[op]
    code.deprecatedBuiltinCode = min(CODES[op], 127)
    code.version = 2 if op == 'BROADCAST_TO' else 1  # its version 1 was withdrawn
    model.operatorCodes = [code]
    model.buffers = [S.BufferT()]
    g = S.SubGraphT()
    g.tensors, node = [], S.OperatorT()
    g.inputs, g.outputs, node.inputs, node.outputs = [], [], [], []
    for i in ins:
        if i is None:
            node.inputs.append(-1)
            continue
        a = i.a if isinstance(i, C) else i
        t = S.TensorT()
        t.shape, t.type, t.name, t.buffer = list(a.shape), tid(a), b'in%d' % len(g.tensors), 0
        if isinstance(i, C):
            b = S.BufferT()
            b.data = np.frombuffer(np.ascontiguousarray(a).tobytes(), np.uint8)
            model.buffers.append(b)
            t.buffer = len(model.buffers) - 1
        else:
            g.inputs.append(len(g.tensors))
        node.inputs.append(len(g.tensors))
        g.tensors.append(t)
    for k, dt in enumerate(out_types):
        t = S.TensorT()
        t.shape, t.type, t.name, t.buffer = list(out_shapes[k]) if out_shapes else [], TYPES[dt], b'out%d' % k, 0
        node.outputs.append(len(g.tensors))
        g.outputs.append(len(g.tensors))
        g.tensors.append(t)
    if OPTIONS[op] != 'NONE':
        o = getattr(S, OPTIONS[op] + 'T')()
        for k, v in attrs.items():
            parts = k.split('_')
            name = parts[0] + ''.join(p.capitalize() for p in parts[1:])
            assert hasattr(o, name), (op, name)
            setattr(o, name, list(v) if isinstance(v, (list, tuple)) else v)
        node.builtinOptions = o
        node.builtinOptionsType = getattr(S.BuiltinOptions, OPTIONS[op])
    g.operators = [node]
    model.subgraphs = [g]
    b = flatbuffers.Builder(1024)
    b.Finish(model.Pack(b), b'TFL3')
    return bytes(b.Output())


def run_with(kernels, model, ins):
    it = Interpreter(model_content=model, experimental_op_resolver_type=kernels)
    it.allocate_tensors()
    given = [i for i in ins if i is not None and not isinstance(i, C)]
    for d, a in zip(it.get_input_details(), given):
        if a.size:
            it.set_tensor(d['index'], a)
    it.invoke()
    return [it.get_tensor(d['index']) for d in it.get_output_details()]


def run(op, attrs, ins, out_types, out_shapes):
    """LiteRT's reference kernel where it has one and it agrees with the kernel that people run; else the latter."""
    model = build(op, attrs, ins, out_types, out_shapes)
    fast = run_with(OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, model, ins)
    try:
        plain = run_with(OpResolverType.BUILTIN_REF, model, ins)
    except (ValueError, RuntimeError):
        return fast
    for a, b in zip(plain, fast):
        if a.dtype.kind == 'f' and not np.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True) or a.dtype.kind != 'f' and not np.array_equal(a, b):
            quarrels.add('%s %s' % (op, attrs))
            return fast
    return plain


FILES, current, failures, quarrels = {}, None, [], set()


def case(op, ins, attrs=None, outs=1, out_types=None, tol=1e-5, litert=None, out_shapes=None, expect=None):
    """`litert`: inputs LiteRT gets instead (a bias of zeros where the case has none); `expect`: where LiteRT cannot run it."""
    attrs = attrs or {}
    first = next(i.a if isinstance(i, C) else i for i in ins if i is not None)
    types = out_types or [first.dtype.type] * outs
    try:
        got = expect if expect is not None else run(op, attrs, litert or ins, types, out_shapes)
    except Exception as e:
        failures.append('%s %s: %s' % (op, attrs, str(e).split('\n')[0][:200]))
        return
    n = sum(1 for c in current if c[1] == op)
    current.append(('%s_%d' % (op.lower(), n), op, tol, attrs, ins, got))


def pack_str(s):
    return struct.pack('<H', len(s)) + s.encode()


def pack_tensor(t):
    if t is None:
        return b'\0\0\0'
    a = t.a if isinstance(t, C) else t
    return (bytes([2 if isinstance(t, C) else 1, tid(a), a.ndim]) + struct.pack('<%di' % a.ndim, *a.shape)
            + np.ascontiguousarray(a).tobytes())


def pack_case(c):
    name, op, tol, attrs, ins, outs = c
    b = pack_str(name) + pack_str(op) + struct.pack('<fI', tol, len(attrs))
    for k, v in attrs.items():
        kind, vals, f = (2, list(v), 'i') if isinstance(v, (list, tuple)) else (1, [v], 'f') if isinstance(v, float) else (0, [int(v)], 'i')
        b += pack_str(k) + struct.pack('<BI%d%s' % (len(vals), f), kind, len(vals), *vals)
    for tensors in (ins, outs):
        b += struct.pack('<I', len(tensors)) + b''.join(pack_tensor(t) for t in tensors)
    return b


def family(fn):
    FILES[fn.__name__] = fn
    return fn


rng = np.random.default_rng(3)
f32 = lambda *s, lo=-2.0, hi=2.0: rng.uniform(lo, hi, s).astype(np.float32)
i32 = lambda *s, lo=-9, hi=9: rng.integers(lo, hi + 1, s).astype(np.int32)
i64 = lambda *s, lo=-9, hi=9: rng.integers(lo, hi + 1, s).astype(np.int64)
boolean = lambda *s: rng.integers(0, 2, s).astype(np.bool_)
I = lambda *v: C(np.array(v, np.int32))
L = lambda *v: C(np.array(v, np.int64))
S0 = lambda v, t=np.int32: C(np.array(v, t))
ACTS = range(4)  # NONE, RELU, RELU_N1_TO_1, RELU6


def act(a, x):
    """TANH and SIGN_BIT as fused activations: LiteRT ignores them, so these come from numpy."""
    return np.tanh(x) if a == 4 else np.signbit(x).astype(np.float32)


@family
def binary():
    shapes = [((2, 3), (2, 3)), ((2, 3), (3,)), ((1, 3), (4, 1)), ((), (2, 2)), ((2, 1, 3, 1), (4, 1, 5)), ((0, 3), (3,)), ((), ()),
              ((1, 2, 1, 2, 1), (2, 1, 2, 1, 3)), ((7,), (1,)), ((2, 3, 4), (2, 1, 1)), ((2, 5), (2, 1))]
    for op in 'ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD'.split():
        base = dict(lo=0.2, hi=3.0) if op == 'POW' else {}
        for k, (sa, sb) in enumerate(shapes):
            if max(len(sa), len(sb)) > 4 and op in ('POW', 'FLOOR_DIV', 'FLOOR_MOD', 'SQUARED_DIFFERENCE'):
                continue
            a, b = f32(*sa, **base), f32(*sb)
            case(op, [a, C(b) if k % 2 and b.size else b])
            lo, hi = (0, 4) if op == 'POW' else (1, 6) if op in ('DIV', 'FLOOR_DIV', 'FLOOR_MOD') else (-9, 9)
            case(op, [i32(*sa), i32(*sb, lo=lo, hi=hi)])
            if op in ('ADD', 'SUB', 'MUL', 'MAXIMUM', 'MINIMUM', 'FLOOR_MOD') and k < 6:
                case(op, [i64(*sa), i64(*sb, lo=lo, hi=hi)])
        if op in ('ADD', 'SUB', 'MUL', 'DIV'):
            for a in ACTS:
                case(op, [f32(3, 5, lo=-4, hi=9), f32(5, lo=0.5)], {'fused_activation_function': a})
                case(op, [f32(3, 5, lo=-4, hi=9), f32(3, 5, lo=0.5)], {'fused_activation_function': a})
                if op != 'DIV':
                    case(op, [i32(3, 5), i32(5)], {'fused_activation_function': a})
            fn = {'ADD': np.add, 'SUB': np.subtract, 'MUL': np.multiply, 'DIV': np.divide}[op]
            for a in (4, 5):
                x, y = f32(3, 5), f32(5, lo=0.5)
                case(op, [x, y], {'fused_activation_function': a}, expect=[act(a, fn(x, y)).astype(np.float32)])
    case('DIV', [np.array([7, -7, 7, -7], np.int32), np.array([2, 2, -2, -2], np.int32)])
    case('FLOOR_DIV', [np.array([7, -7, 7, -7], np.int32), np.array([2, 2, -2, -2], np.int32)])
    case('FLOOR_MOD', [np.array([7, -7, 7, -7], np.int32), np.array([2, 2, -2, -2], np.int32)])
    case('FLOOR_MOD', [np.array([7, -7, 7, -7], np.float32), np.array([2.5, 2.5, -2.5, -2.5], np.float32)])
    case('FLOOR_DIV', [np.array([7, -7, 7, -7], np.float32), np.array([2.5, 2.5, -2.5, -2.5], np.float32)])
    big = np.array([2**31 - 1, -2**31, 5, -2**31], np.int32)
    case('ADD', [big, np.array([1, -1, 0, 0], np.int32)], expect=[(big.astype(np.int64) + [1, -1, 0, 0]).astype(np.int32)])
    case('DIV', [big, np.array([1, -1, 3, 2], np.int32)], expect=[np.array([2**31 - 1, 2**31 - 1, 1, -2**30], np.int32)])
    case('FLOOR_MOD', [big, np.array([10, -1, -1, 7], np.int32)], expect=[np.array([7, 0, 0, 5], np.int32)])
    # rank 8 is beyond LiteRT's broadcasts
    a, b = f32(1, 2, 1, 2, 1, 2, 1, 2), f32(2, 1, 2, 1, 2, 1, 2, 1)
    case('ADD', [a, b], expect=[a + b])
    case('MAXIMUM', [a, b], expect=[np.maximum(a, b)])
    case('ADD', [f32(1000), f32(1000)])
    case('MUL', [f32(33, 31), S0(1.5, np.float32)])


@family
def compare():
    for op in 'LESS LESS_EQUAL GREATER GREATER_EQUAL EQUAL NOT_EQUAL'.split():
        for sa, sb in [((2, 3), (2, 3)), ((2, 3), (3,)), ((), (4,)), ((2, 1, 2), (3, 1)), ((0,), (0,))]:
            case(op, [i32(*sa, lo=0, hi=2), i32(*sb, lo=0, hi=2)], out_types=[np.bool_])
            case(op, [i64(*sa, lo=0, hi=2), i64(*sb, lo=0, hi=2)], out_types=[np.bool_])
            case(op, [i32(*sa, lo=0, hi=2).astype(np.float32), i32(*sb, lo=0, hi=2).astype(np.float32)], out_types=[np.bool_])
        u, v = i32(9, lo=0, hi=3).astype(np.uint8), i32(9, lo=0, hi=3).astype(np.uint8)
        fn = {'LESS': np.less, 'LESS_EQUAL': np.less_equal, 'GREATER': np.greater, 'GREATER_EQUAL': np.greater_equal, 'EQUAL': np.equal,
              'NOT_EQUAL': np.not_equal}[op]
        case(op, [u, v], out_types=[np.bool_], expect=[fn(u, v)])
        case(op, [u.astype(np.int8), v.astype(np.int8)], out_types=[np.bool_], expect=[fn(u, v)])
        if 'EQUAL' in (op, op[4:]):
            case(op, [boolean(8), boolean(8)], out_types=[np.bool_])
    for op in ('LOGICAL_AND', 'LOGICAL_OR'):
        for sa, sb in [((4,), (4,)), ((2, 3), (3,)), ((2, 1), (1, 2))]:
            case(op, [boolean(*sa), boolean(*sb)])
    case('LOGICAL_NOT', [boolean(2, 3)])
    for sc, sx, sy in [((2, 3), (2, 3), (2, 3)), ((3,), (2, 3), ()), ((2, 1), (1, 3), (2, 3)), ((), (2, 2), (2, 2)), ((2, 1, 2), (3, 1), (1,))]:
        case('SELECT_V2', [boolean(*sc), f32(*sx), f32(*sy)], out_types=[np.float32])
        case('SELECT_V2', [boolean(*sc), i64(*sx), i64(*sy)], out_types=[np.int64])
    case('SELECT_V2', [boolean(6), boolean(6), boolean(1)], out_types=[np.bool_])


@family
def unary():
    special = np.array([0.0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 1e-9, 3.4999, 1e10, -1e10, 0.49999997, 8388609.0], np.float32)
    for op in 'ABS NEG SQUARE SQRT RSQRT EXP LOG SIN COS FLOOR CEIL ROUND SIGN'.split():
        lo = 0.01 if op in ('SQRT', 'RSQRT', 'LOG') else -9.0
        for s in [(2, 3), (), (0, 2), (1, 2, 3, 2), (37,)]:
            case(op, [f32(*s, lo=lo, hi=9.0)])
        if op in ('FLOOR', 'CEIL', 'ROUND', 'SIGN', 'ABS', 'NEG'):
            case(op, [special])
    for op in ('NEG', 'ABS', 'SIGN'):
        case(op, [i32(2, 5)])
    x = i64(6)
    case('NEG', [x])
    for op, fn in (('ABS', np.abs), ('SQUARE', np.square), ('SIGN', np.sign)):
        case(op, [x], expect=[fn(x)])
    y = i32(5)
    case('SQUARE', [y], expect=[np.square(y)])


@family
def activation():
    wide = np.array([-100, -20, -7.5, -3, -1, -0.5, -1e-6, 0, 1e-6, 0.5, 1, 3, 5.9, 6, 6.1, 20, 100], np.float32)
    for op in 'RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LOGISTIC TANH ELU HARD_SWISH'.split():
        for x in (f32(2, 3, lo=-8, hi=8), f32(), f32(0, 4), wide, f32(1, 5, 5, 3, lo=-4, hi=4)):
            case(op, [x], tol=2e-5 if op == 'ELU' else 1e-5)
    for alpha in (0.0, 0.2, 1.5, -0.5):
        case('LEAKY_RELU', [f32(3, 7)], {'alpha': float(alpha)})
    case('LEAKY_RELU', [wide], {'alpha': 0.3})
    for approximate in (False, True):
        for x in (wide, f32(2, 9, lo=-4, hi=4)):
            case('GELU', [x], {'approximate': approximate}, tol=2e-5)
    for sx, sa in [((2, 3, 3, 4), (1, 1, 4)), ((2, 3, 3, 4), (3, 3, 4)), ((3, 5), (5,)), ((3, 5), (1,)), ((3, 5), (3, 5)), ((3, 5), ())]:
        case('PRELU', [f32(*sx), C(f32(*sa))])
    case('PRELU', [f32(4, 5), f32(5)])


@family
def softmax():
    for s in [(1, 10), (3, 5), (4,), (2, 2, 3), (1, 2, 3, 4), (2, 1), (3, 100)]:
        for beta in (1.0, 0.5):
            case('SOFTMAX', [f32(*s, lo=-5, hi=5)], {'beta': beta})
        case('LOG_SOFTMAX', [f32(*s, lo=-5, hi=5)])
    case('SOFTMAX', [f32(2, 6, lo=-200, hi=200)], {'beta': 1.0})
    case('SOFTMAX', [np.full((2, 4), 1000, np.float32)], {'beta': 1.0})
    case('LOG_SOFTMAX', [f32(2, 6, lo=-200, hi=200)])


def windows():
    for padding in (0, 1):
        for h, w, kh, kw, sh, sw in [(5, 5, 3, 3, 1, 1), (6, 7, 2, 3, 2, 2), (5, 4, 1, 1, 1, 1), (7, 5, 3, 2, 3, 1), (4, 4, 4, 4, 1, 1),
                                     (9, 9, 3, 3, 2, 3), (3, 3, 3, 3, 4, 4), (8, 3, 5, 3, 1, 2), (1, 1, 1, 1, 2, 2)]:
            yield padding, h, w, kh, kw, sh, sw


@family
def pool():
    for op in ('AVERAGE_POOL_2D', 'MAX_POOL_2D', 'L2_POOL_2D'):
        for padding, h, w, kh, kw, sh, sw in windows():
            for c in (1, 3) if op != 'L2_POOL_2D' else (2,):
                case(op, [f32(2, h, w, c)], {'padding': padding, 'stride_w': sw, 'stride_h': sh, 'filter_width': kw, 'filter_height': kh})
        for a in ACTS:
            case(op, [f32(1, 4, 4, 5, lo=-8, hi=12)], {'padding': 0, 'stride_w': 2, 'stride_h': 2, 'filter_width': 2, 'filter_height': 2,
                                                      'fused_activation_function': a})
        # a window larger than the image, channels of every remainder
        case(op, [f32(1, 3, 2, 4)], {'padding': 0, 'stride_w': 1, 'stride_h': 1, 'filter_width': 5, 'filter_height': 6})
        for c in (8, 17, 33):
            case(op, [f32(1, 5, 6, c)], {'padding': 0, 'stride_w': 2, 'stride_h': 1, 'filter_width': 3, 'filter_height': 2})


@family
def conv():
    def conv2d(n, h, w, ci, kh, kw, cf, co, sh, sw, dh, dw, padding, a=0, bias=True):
        x, f, b = f32(n, h, w, ci), f32(co, kh, kw, cf, lo=-1, hi=1), f32(co)
        attrs = {'padding': padding, 'stride_w': sw, 'stride_h': sh, 'dilation_w_factor': dw, 'dilation_h_factor': dh,
                 'fused_activation_function': a}
        if bias:
            case('CONV_2D', [x, C(f), C(b)], attrs)
        else:
            case('CONV_2D', [x, C(f)], attrs, litert=[x, C(f), C(np.zeros(co, np.float32))])
    for padding, h, w, kh, kw, sh, sw in windows():
        conv2d(1, h, w, 2, kh, kw, 2, 3, sh, sw, 1, 1, padding)
    for padding in (0, 1):
        for dh, dw in ((2, 2), (1, 3), (3, 1)):
            conv2d(1, 9, 8, 2, 3, 3, 2, 4, 1, 1, dh, dw, padding)
        conv2d(1, 11, 11, 1, 3, 3, 1, 2, 2, 2, 2, 2, padding)
    for a in ACTS:
        conv2d(1, 4, 4, 3, 3, 3, 3, 4, 1, 1, 1, 1, 0, a)
    for a in (4, 5):
        x, f = f32(1, 2, 2, 3), f32(2, 1, 1, 3)
        case('CONV_2D', [x, C(f)], {'padding': 1, 'stride_w': 1, 'stride_h': 1, 'dilation_w_factor': 1, 'dilation_h_factor': 1,
                                    'fused_activation_function': a}, expect=[act(a, x @ f[:, 0, 0, :].T).astype(np.float32)])
    for bias in (True, False):
        conv2d(2, 5, 5, 3, 3, 3, 3, 4, 1, 1, 1, 1, 0, bias=bias)
    for ci, cf, co in ((4, 2, 4), (6, 2, 9), (4, 1, 8), (3, 1, 3)):  # groups
        conv2d(1, 5, 6, ci, 3, 2, cf, co, 1, 2, 1, 1, 0)
    for ci, co in ((1, 1), (7, 5), (16, 16), (17, 33), (32, 8), (3, 31)):  # remainders of every vector length
        conv2d(1, 6, 5, ci, 3, 3, ci, co, 1, 1, 1, 1, 0)
        conv2d(1, 4, 5, ci, 1, 1, ci, co, 1, 1, 1, 1, 1)
    conv2d(3, 8, 8, 1, 5, 5, 1, 6, 2, 2, 1, 1, 0)
    conv2d(1, 7, 1, 4, 3, 1, 4, 5, 1, 1, 1, 1, 0)
    x, f, b = f32(1, 4, 4, 2), f32(3, 2, 2, 2), f32(3)
    case('CONV_2D', [x, f, b], {'padding': 0, 'stride_w': 1, 'stride_h': 1, 'dilation_w_factor': 1, 'dilation_h_factor': 1})


@family
def depthwise():
    def dw(n, h, w, ci, m, kh, kw, sh, sw, dh, dw_, padding, a=0, bias=True):
        x, f, b = f32(n, h, w, ci), f32(1, kh, kw, ci * m, lo=-1, hi=1), f32(ci * m)
        attrs = {'padding': padding, 'stride_w': sw, 'stride_h': sh, 'depth_multiplier': m, 'dilation_w_factor': dw_,
                 'dilation_h_factor': dh, 'fused_activation_function': a}
        if bias:
            case('DEPTHWISE_CONV_2D', [x, C(f), C(b)], attrs)
        else:
            case('DEPTHWISE_CONV_2D', [x, C(f)], attrs, litert=[x, C(f), C(np.zeros(ci * m, np.float32))])
    for padding, h, w, kh, kw, sh, sw in windows():
        dw(1, h, w, 3, 1, kh, kw, sh, sw, 1, 1, padding)
    for m in (2, 3):
        dw(1, 5, 5, 3, m, 3, 3, 1, 1, 1, 1, 0)
        dw(1, 5, 5, 1, m, 3, 3, 2, 2, 1, 1, 1)
    for d in ((2, 2), (1, 3), (3, 1)):
        for padding in (0, 1):
            dw(1, 9, 8, 2, 1, 3, 3, 1, 1, *d, padding)
    for a in ACTS:
        dw(1, 4, 4, 4, 1, 3, 3, 1, 1, 1, 1, 0, a)
    for bias in (True, False):
        dw(2, 5, 6, 5, 1, 3, 3, 1, 1, 1, 1, 0, bias=bias)
    for c in (1, 8, 16, 17, 33):
        for k, s in ((3, 1), (3, 2), (5, 1), (5, 2)):
            dw(1, 9, 10, c, 1, k, k, s, s, 1, 1, 0)
    x, f, b = f32(1, 4, 4, 2), f32(1, 2, 2, 2), f32(2)
    case('DEPTHWISE_CONV_2D', [x, f, b], {'padding': 0, 'stride_w': 1, 'stride_h': 1, 'depth_multiplier': 1, 'dilation_w_factor': 1,
                                          'dilation_h_factor': 1})


@family
def fully_connected():
    def fc(x, units, depth, a=0, keep=False, bias=True, const=True):
        f, b = f32(units, depth, lo=-1, hi=1), f32(units)
        w = C if const else (lambda v: v)
        case('FULLY_CONNECTED', [x, w(f), w(b) if bias else None], {'fused_activation_function': a, 'keep_num_dims': keep})
    for batch in (1, 2, 5):
        for units, depth in ((1, 1), (10, 7), (16, 32), (33, 17), (5, 64), (130, 9)):
            fc(f32(batch, depth), units, depth)
    for a in ACTS:
        fc(f32(2, 6), 4, 6, a)
    for a in (4, 5):
        x, f = f32(2, 3), f32(4, 3)
        case('FULLY_CONNECTED', [x, C(f), None], {'fused_activation_function': a}, expect=[act(a, x @ f.T).astype(np.float32)])
    fc(f32(2, 6), 4, 6, bias=False)
    fc(f32(2, 3, 4), 5, 4, keep=True)
    fc(f32(2, 3, 4), 5, 4, keep=False)
    fc(f32(2, 3, 4), 5, 12, keep=False)
    fc(f32(2, 2, 2, 6), 3, 6, keep=True)
    fc(f32(12), 3, 6)
    fc(f32(3, 6), 4, 6, const=False)
    fc(f32(0, 6), 4, 6)
    x, f = f32(3, 4), f32(2, 4)
    case('FULLY_CONNECTED', [x, C(f)], {})


@family
def concat():
    for axis in (0, 1, 2, -1, -3):
        case('CONCATENATION', [f32(2, 3, 4), C(f32(2, 3, 4)), f32(2, 3, 4)], {'axis': axis})
    case('CONCATENATION', [f32(2, 3), f32(2, 1), f32(2, 5)], {'axis': 1})
    case('CONCATENATION', [f32(0, 3), f32(2, 3)], {'axis': 0})
    case('CONCATENATION', [f32(4)], {'axis': 0})
    case('CONCATENATION', [i32(2, 2), i32(1, 2)], {'axis': 0})
    case('CONCATENATION', [i64(2, 2), i64(2, 3)], {'axis': 1})
    case('CONCATENATION', [f32(1, 4, 4, 3), f32(1, 4, 4, 2)], {'axis': 3})
    case('CONCATENATION', [boolean(3), boolean(2)], {'axis': 0})
    case('CONCATENATION', [f32(1, 2, 1, 2, 1), f32(1, 2, 3, 2, 1)], {'axis': 2})
    for axis in (0, 1, 2, -1, -2):
        case('PACK', [f32(2, 3), f32(2, 3), f32(2, 3)], {'values_count': 3, 'axis': axis})
    case('PACK', [i32(), i32(), C(i32())], {'values_count': 3, 'axis': 0})
    case('PACK', [i64(2), i64(2)], {'values_count': 2, 'axis': 1})
    case('PACK', [f32(4)], {'values_count': 1, 'axis': 0})
    case('PACK', [boolean(2).astype(np.uint8), boolean(2).astype(np.uint8)], {'values_count': 2, 'axis': 0})


@family
def reshape():
    for x, shape in [(f32(2, 3, 4), (6, 4)), (f32(2, 3, 4), (-1,)), (f32(2, 3, 4), (2, -1, 2)), (f32(4), (1, 2, 2)), (f32(1), ()),
                     (f32(0, 3), (3, 0)), (f32(2, 0), (-1, 0)), (f32(0, 4), (-1, 4)), (f32(2, 2), (4,))]:
        if shape:
            case('RESHAPE', [x, I(*shape)], {'new_shape': list(shape)})
        case('RESHAPE', [x], {'new_shape': list(shape)})
    case('RESHAPE', [i32(2, 3), I(3, 2)])
    case('RESHAPE', [i64(2, 3), I(-1)])
    case('RESHAPE', [boolean(2, 3), I(3, 2)])
    case('RESHAPE', [i32(2, 3).astype(np.int8), I(6)])
    case('RESHAPE', [f32(2, 3), I(3, -1)], {'new_shape': [6]})
    case('RESHAPE', [f32(1, 1)], {'new_shape': [0]})
    for x, dims in [(f32(1, 2, 1, 3), []), (f32(1, 2, 1, 3), [0]), (f32(1, 2, 1, 3), [2, 0]), (f32(1, 2, 1, 3), [-2]), (f32(1, 1), []),
                    (f32(2, 3), []), (i64(1, 3), [0]), (f32(1, 0, 2), [0])]:
        case('SQUEEZE', [x], {'squeeze_dims': dims})
    for x, axis in [(f32(2, 3), 0), (f32(2, 3), 1), (f32(2, 3), 2), (f32(2, 3), -1), (f32(2, 3), -3), (f32(), 0), (i32(4), 1)]:
        case('EXPAND_DIMS', [x, S0(axis)])
    case('EXPAND_DIMS', [f32(2), L(1)])
    for x in (f32(2, 3, 4), f32(), i32(5), f32(0, 2)):
        for code, t in ((2, np.int32), (4, np.int64)):
            case('SHAPE', [x], {'out_type': code}, out_types=[t], expect=None if x.ndim else [np.zeros(0, t)])


@family
def pad():
    for s, p in [((3,), [(1, 2)]), ((2, 3), [(0, 0), (2, 1)]), ((2, 3), [(1, 1), (0, 0)]), ((1, 2, 3, 2), [(0, 0), (1, 2), (2, 1), (0, 0)]),
                 ((2, 2, 2), [(1, 0), (0, 1), (1, 1)]), ((0, 2), [(1, 1), (0, 0)]), ((1, 2, 1, 2, 2), [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0)]),
                 ((2, 3), [(0, 0), (0, 0)])]:
        case('PAD', [f32(*s), C(np.array(p, np.int32))])
        case('PAD', [f32(*s), C(np.array(p, np.int64))])
        case('PADV2', [f32(*s), C(np.array(p, np.int32)), S0(3.5, np.float32)])
    case('PAD', [i32(2, 2), C(np.array([(1, 0), (0, 2)], np.int32))])
    case('PAD', [i64(2, 2), C(np.array([(1, 0), (0, 2)], np.int32))])
    case('PADV2', [i32(2, 2), C(np.array([(1, 0), (0, 2)], np.int32)), S0(-7)])
    x = f32(1, 1, 2, 1, 1, 2, 1, 2)
    p = [(0, 0), (1, 0), (0, 0), (0, 0), (0, 1), (0, 0), (0, 0), (1, 1)]
    case('PAD', [x, C(np.array(p, np.int32))], expect=[np.pad(x, p)])
    h = f32(2, 2).astype(np.float16)
    case('PAD', [h, C(np.array([(1, 0), (0, 2)], np.int32))], expect=[np.pad(h, [(1, 0), (0, 2)])])


@family
def reduce():
    for op in 'MEAN SUM REDUCE_PROD REDUCE_MAX REDUCE_MIN'.split():
        for s, axes in [((2, 3, 4), (1,)), ((2, 3, 4), (0, 2)), ((2, 3, 4), (-1,)), ((2, 3, 4), (0, 1, 2)), ((2, 3, 4), (1, -2)),
                        ((1, 4, 5, 3), (1, 2)), ((7,), (0,)), ((2, 2, 2, 2, 2), (1, 3)), ((3, 4), (0,)), ((1, 6, 6, 17), (1, 2))]:
            for keep in (False, True):
                case(op, [f32(*s), I(*axes)], {'keep_dims': keep})
        case(op, [f32(2, 3), S0(1)], {'keep_dims': False})
        case(op, [f32(), I(0)], {'keep_dims': False}) if op != 'MEAN' else None
        x = i32(3, 4)
        fn = {'MEAN': None, 'SUM': np.sum, 'REDUCE_PROD': np.prod, 'REDUCE_MAX': np.max, 'REDUCE_MIN': np.min}[op]
        case(op, [x, I(1)], {'keep_dims': True})
        if fn:
            y = i64(3, 4)
            case(op, [y, I(0)], {'keep_dims': False}, expect=[fn(y, axis=0)])
            z = f32(2, 0, 3)
            if op in ('SUM', 'REDUCE_PROD'):
                case(op, [z, I(1)], {'keep_dims': False}, expect=[fn(z, axis=1)])
            case(op, [f32(0, 3), I(1)], {'keep_dims': False}, expect=[np.zeros(0, np.float32)])
    for op in ('REDUCE_ANY', 'REDUCE_ALL'):
        for keep in (False, True):
            case(op, [boolean(2, 3, 2), I(1)], {'keep_dims': keep})
            case(op, [boolean(2, 3, 2), I(0, -1)], {'keep_dims': keep})


@family
def transpose():
    for s in [(2, 3), (2, 3, 4), (1, 2, 3, 2), (2, 1, 3, 1, 2)]:
        for _ in range(4):
            perm = rng.permutation(len(s))
            case('TRANSPOSE', [f32(*s), C(perm.astype(np.int32))])
    case('TRANSPOSE', [i32(2, 3, 2), I(2, 0, 1)])
    case('TRANSPOSE', [i64(2, 3), I(1, 0)])
    case('TRANSPOSE', [boolean(2, 3), I(1, 0)])
    case('TRANSPOSE', [f32(2, 3), I(0, 1)])
    case('TRANSPOSE', [f32(0, 3), I(1, 0)])
    case('TRANSPOSE', [f32(2, 3, 4), I(-1, 0, 1)])
    x = f32(2, 1, 2, 1, 2, 1, 3, 2)
    perm = (7, 0, 6, 1, 5, 2, 4, 3)
    case('TRANSPOSE', [x, I(*perm)], expect=[x.transpose(perm)])


@family
def cast():
    kinds = [np.float32, np.int32, np.int64, np.uint8, np.int8, np.bool_, np.float16, np.int16, np.uint16, np.uint32]
    for a in kinds:
        for b in kinds:
            x = np.array([0, 1, 2, 5, 100, 3]).astype(a)
            if a in (np.float32, np.float16):
                x = np.array([0, 0.5, 1.75, 2.5, 100.25, 7]).astype(a)
            case('CAST', [x], {'in_data_type': TYPES[a], 'out_data_type': TYPES[b]}, out_types=[b], expect=[x.astype(b)] if np.float16 in (a, b) else None)
    for b in (np.int32, np.int64, np.int8, np.int16):
        case('CAST', [np.array([-1.9, 1.9, -100.5, 0.0], np.float32)], {}, out_types=[b])
    case('CAST', [np.array([300, -1, 70000], np.int32)], {}, out_types=[np.uint8])
    case('CAST', [np.array([300, -1, 70000], np.int32)], {}, out_types=[np.int8])
    case('CAST', [np.array([2**40 + 5, -3], np.int64)], {}, out_types=[np.int32])
    x = np.array([1e20, -1e20, np.nan, 3e9], np.float32)
    case('CAST', [x], {}, out_types=[np.int32])
    h = np.concatenate([np.array([0, 1, 2.0**-24, 2.0**-25, 3 * 2.0**-25, 2.0**-14, 65504, 65519.9, 65520, 1e9, -1e-9, 0.1, 1 / 3, 1 + 2.0**-11,
                                  1 + 3 * 2.0**-11, -2 - 2.0**-10, -2 - 3 * 2.0**-10]), rng.uniform(-70000, 70000, 50),
                        rng.uniform(-1e-4, 1e-4, 50)]).astype(np.float32)
    with np.errstate(over='ignore'):
        case('CAST', [h], {}, out_types=[np.float16], expect=[h.astype(np.float16)], tol=0.0)
    with np.errstate(invalid='ignore'):
        g = np.arange(0, 65536, 97).astype(np.uint16).view(np.float16)
        g = g[np.isfinite(g)]
    case('CAST', [g], {}, out_types=[np.float32], expect=[g.astype(np.float32)], tol=0.0)
    case('CAST', [f32(0, 2)], {}, out_types=[np.int32])


@family
def slices():
    x = f32(3, 4, 5)
    for begin, size in [((0, 0, 0), (3, 4, 5)), ((1, 2, 3), (1, 2, 2)), ((1, 0, 2), (-1, -1, -1)), ((0, 1, 0), (2, 0, 5)), ((3, 0, 0), (-1, 4, 5))]:
        case('SLICE', [x, I(*begin), I(*size)])
        case('SLICE', [x, L(*begin), L(*size)])
    case('SLICE', [i32(6), I(2), I(3)])
    case('SLICE', [i64(2, 3), I(0, 1), I(-1, 2)])
    case('SLICE', [boolean(2, 3), I(0, 1), I(-1, 2)])
    case('SLICE', [f32(1, 2, 1, 3, 2), I(0, 1, 0, 1, 0), I(1, 1, 1, 2, 2)])
    case('SLICE', [x, np.array([1, 1, 1], np.int32), I(2, 2, 2)], expect=[x[1:3, 1:3, 1:3]])

    def ss(x, b, e, s, **masks):
        case('STRIDED_SLICE', [x, I(*b), I(*e), I(*s)], masks)
    ss(x, (0, 0, 0), (3, 4, 5), (1, 1, 1))
    ss(x, (1, 1, 1), (3, 3, 4), (1, 1, 1))
    ss(x, (0, 0, 0), (3, 4, 5), (2, 3, 2))
    ss(x, (-1, -1, -1), (-4, -5, -6), (-1, -2, -3))
    ss(x, (2, 3, 4), (0, 0, 0), (-1, -1, -2))
    ss(x, (1, 1, 1), (2, 2, 2), (1, 1, 1), begin_mask=5)
    ss(x, (1, 1, 1), (2, 2, 2), (1, 1, 1), end_mask=6)
    ss(x, (1, 1, 1), (2, 2, 2), (-1, 1, -1), begin_mask=7, end_mask=7)
    ss(x, (1,), (2,), (1,), shrink_axis_mask=1)
    ss(x, (-1, 0, 2), (0, 4, 3), (1, 1, 1), shrink_axis_mask=5)
    ss(x, (1, 2, 3), (2, 3, 4), (1, 1, 1), shrink_axis_mask=7)
    ss(x, (0, 2), (0, 4), (1, 1), ellipsis_mask=1)
    ss(x, (1, 0, 2), (2, 0, 4), (1, 1, 1), ellipsis_mask=2)
    ss(x, (1, 0), (2, 0), (1, 1), ellipsis_mask=2, shrink_axis_mask=1)
    ss(x, (0, 1), (0, 3), (1, 1), new_axis_mask=1)
    ss(x, (1, 0, 2), (3, 0, 4), (1, 1, 1), new_axis_mask=2)
    ss(x, (0, 0, 1), (0, 0, 2), (1, 1, 1), ellipsis_mask=1, new_axis_mask=2)
    ss(x, (0, 0, 1), (0, 0, 2), (1, 1, 1), ellipsis_mask=2, new_axis_mask=1, shrink_axis_mask=4)
    ss(x, (-100, 0, 0), (100, 100, 2), (1, 1, 1))
    ss(x, (2, 0, 0), (1, 4, 5), (1, 1, 1))
    ss(x, (-100, 100, 4), (-200, -100, 0), (-1, -2, -3))
    ss(x, (-100, 0, 0), (-1, -9, 9), (1, 1, 2))
    ss(x, (1, 1, 1), (2, 2, 3), (1, 1, 1), offset=True)
    ss(i32(4), (0,), (1,), (1,), shrink_axis_mask=1)
    ss(i32(4), (1,), (3,), (1,))
    ss(i64(4), (1,), (4,), (2,))
    ss(boolean(4), (1,), (4,), (2,))
    ss(f32(0, 3), (0, 0), (0, 2), (1, 1), begin_mask=3)
    ss(f32(1, 4, 4, 3), (0, 1, 1, 0), (0, 3, 3, 0), (1, 1, 1, 1), begin_mask=9, end_mask=9)
    ss(f32(2, 2, 2, 2, 2), (0, 1, 0, 0, 1), (2, 2, 1, 2, 2), (1, 1, 1, 1, 1))


@family
def matmul():
    for sx, sy, ax, ay in [((2, 3), (3, 4), 0, 0), ((2, 5, 3), (2, 3, 4), 0, 0), ((2, 3, 5), (2, 3, 4), 1, 0), ((2, 5, 3), (2, 4, 3), 0, 1),
                           ((3, 5), (4, 3), 1, 1), ((2, 1, 3, 4), (5, 4, 2), 0, 0), ((1, 2, 3), (4, 3, 2), 0, 0), ((1, 1), (1, 1), 0, 0),
                           ((3, 17), (17, 33), 0, 0)]:
        case('BATCH_MATMUL', [f32(*sx), f32(*sy)], {'adj_x': bool(ax), 'adj_y': bool(ay)})
    for n, h, w, ci, co, kh, kw, sh, sw, padding in [(1, 3, 3, 2, 3, 3, 3, 2, 2, 0), (1, 3, 4, 2, 1, 2, 3, 1, 1, 0), (2, 3, 3, 1, 2, 3, 3, 2, 2, 1),
                                                    (1, 2, 2, 3, 4, 4, 4, 2, 2, 0), (1, 4, 3, 2, 2, 2, 2, 3, 2, 1), (1, 1, 1, 2, 2, 1, 1, 1, 1, 0)]:
        def size(i, k, s):
            return i * s if padding == 0 else (i - 1) * s + k
        attrs = {'padding': padding, 'stride_h': sh, 'stride_w': sw}
        shape = I(n, size(h, kh, sh), size(w, kw, sw), co)
        x, f, b = f32(n, h, w, ci), f32(co, kh, kw, ci), f32(co)
        case('TRANSPOSE_CONV', [shape, C(f), x], attrs, out_types=[np.float32])
        case('TRANSPOSE_CONV', [shape, C(f), x, C(b)], {**attrs, 'fused_activation_function': 1}, out_types=[np.float32])
    for s in [(2, 5), (1, 2, 2, 7), (3,)]:
        case('L2_NORMALIZATION', [f32(*s)])
    case('L2_NORMALIZATION', [np.zeros((2, 3), np.float32)])
    for radius, bias, alpha, beta in [(2, 1.0, 1.0, 0.5), (1, 2.0, 0.1, 0.75), (0, 1.0, 0.5, 1.0), (9, 1.5, 0.3, 0.9)]:
        case('LOCAL_RESPONSE_NORMALIZATION', [f32(1, 2, 2, 6)], {'radius': radius, 'bias': bias, 'alpha': alpha, 'beta': beta})


@family
def gather():
    x = f32(3, 4, 5)
    for axis, idx in [(0, (2, 0)), (1, (3, 3, 1)), (2, (0,)), (-1, (4, 2)), (-3, (1,))]:
        case('GATHER', [x, I(*idx)], {'axis': axis})
        case('GATHER', [x, L(*idx)], {'axis': axis})
    case('GATHER', [x, C(np.array([[0, 1], [2, 0]], np.int32))], {'axis': 1})
    case('GATHER', [x, S0(2)], {'axis': 0})
    case('GATHER', [x, C(np.array([[0, 1], [3, 0], [2, 2]], np.int32))], {'axis': 1, 'batch_dims': 1})
    case('GATHER', [x, C(np.array([[0, 1], [3, 0], [2, 2]], np.int32))], {'axis': 2, 'batch_dims': 1})
    case('GATHER', [i64(5), np.array([4, 0, 2], np.int32)], {'axis': 0})
    case('GATHER', [boolean(5), I(4, 0, 2)], {'axis': 0})
    case('GATHER', [f32(4, 0), I(1)], {'axis': 0}, expect=[np.zeros((1, 0), np.float32)])
    for idx in ([[0, 1], [2, 3]], [[2], [0]], [[1, 2, 3]], [[[0, 0], [1, 1]]]):
        case('GATHER_ND', [x, C(np.array(idx, np.int32))])
        case('GATHER_ND', [x, C(np.array(idx, np.int64))])
    case('EMBEDDING_LOOKUP', [I(2, 0, 1), C(f32(3, 4))], out_types=[np.float32])
    case('EMBEDDING_LOOKUP', [np.array([2, 2], np.int32), C(f32(3, 2, 2))], out_types=[np.float32])
    for axis in (-1, 0, 1):
        case('ONE_HOT', [np.array([1, 3, 0, -1], np.int32), S0(4), S0(5, np.float32), S0(-1, np.float32)], {'axis': axis}, out_types=[np.float32])
    case('ONE_HOT', [np.array([[1, 2], [0, 1]], np.int64), S0(3), S0(True, np.bool_), S0(False, np.bool_)], {'axis': 1}, out_types=[np.bool_])
    for s, axis, n in [((6, 2), 0, 3), ((2, 4, 3), 1, 2), ((2, 6), -1, 2), ((3,), 0, 1)]:
        case('SPLIT', [S0(axis), f32(*s)], {'num_splits': n}, outs=n, out_types=[np.float32] * n)
    case('SPLIT', [S0(0), i32(4)], {'num_splits': 4}, outs=4)
    for s, axis, sizes in [((6, 2), 0, (1, 2, 3)), ((2, 5), 1, (2, -1)), ((2, 3, 2), -2, (3,)), ((4, 1), 0, (0, 4))]:
        case('SPLIT_V', [f32(*s), I(*sizes), S0(axis)], {'num_splits': len(sizes)}, outs=len(sizes))
        case('SPLIT_V', [i32(*s), L(*sizes), S0(axis)], {'num_splits': len(sizes)}, outs=len(sizes))
    for s, axis in [((2, 3), 0), ((2, 3), 1), ((2, 3, 2), -1), ((1,), 0)]:
        case('UNPACK', [f32(*s)], {'num': s[axis], 'axis': axis}, outs=s[axis])
    case('UNPACK', [i32(3, 2)], {'num': 3, 'axis': 0}, outs=3)
    case('ADD_N', [f32(2, 3), f32(2, 3), f32(2, 3)])
    case('ADD_N', [i32(4), i32(4)])
    for s, axis in [((3, 4), 0), ((3, 4), 1), ((2, 3, 2), -2), ((5,), 0)]:
        for kind in ('ARG_MAX', 'ARG_MIN'):
            case(kind, [f32(*s), S0(axis)], {'output_type': 2}, out_types=[np.int32])
            case(kind, [i32(*s, lo=0, hi=2), S0(axis)], {'output_type': 4}, out_types=[np.int64])
    case('ARG_MAX', [boolean(2, 4), S0(1)], {'output_type': 2}, out_types=[np.int32])
    case('ARG_MAX', [i32(6, lo=0, hi=3).astype(np.int8), S0(0)], {'output_type': 2}, out_types=[np.int32])
    for s, k in [((7,), 3), ((2, 5), 1), ((2, 2, 4), 4), ((3,), 0)]:
        case('TOPK_V2', [f32(*s), S0(k)], outs=2, out_types=[np.float32, np.int32])
    case('TOPK_V2', [i32(9, lo=0, hi=3), S0(5)], outs=2, out_types=[np.int32, np.int32])


@family
def tile():
    for s, m in [((2, 3), (2, 1)), ((2, 3), (1, 3)), ((2,), (3,)), ((1, 2, 1), (2, 2, 2)), ((2, 2), (0, 1))]:
        case('TILE', [f32(*s), I(*m)])
        case('TILE', [i32(*s), L(*m)])
    case('TILE', [boolean(3), I(2)])
    for s, t in [((3,), (2, 3)), ((2, 1), (2, 4)), ((), (2, 2)), ((1, 2, 1), (3, 2, 2)), ((2, 3), (2, 3))]:
        case('BROADCAST_TO', [f32(*s), I(*t)])
        case('BROADCAST_TO', [i32(*s), L(*t)])
    case('FILL', [I(2, 3), S0(1.5, np.float32)], out_types=[np.float32])
    case('FILL', [L(4), S0(7, np.int64)], out_types=[np.int64])
    case('FILL', [I(2), S0(True, np.bool_)], out_types=[np.bool_])
    case('FILL', [I(0, 2), S0(True, np.bool_)], out_types=[np.bool_])
    case('FILL', [I(2, 2), np.array(3, np.int32)], out_types=[np.int32])
    for x in (f32(2, 3), i32(4), i64(2)):
        case('ZEROS_LIKE', [x])
    for a, b, d in [(0, 5, 1), (3, 10, 3), (5, 0, -2), (2, 2, 1)]:
        for t, k in ((np.int32, 1), (np.int64, 1), (np.float32, 0.75)):
            case('RANGE', [S0(a, t), S0(b, t), S0(d * k, t)], expect=[np.zeros(0, t)] if a == b else None)
    for x in (f32(2, 3), f32(), i32(4)):
        case('RANK', [x], out_types=[np.int32], expect=[np.array(x.ndim, np.int32)])
    for a, b in [((2, 3), (3,)), ((1, 5), (4, 1)), ((6, 1), (2, 1, 3)), ((7,), (7,))]:
        case('BROADCAST_ARGS', [np.array(a, np.int32), np.array(b, np.int32)])
        case('BROADCAST_ARGS', [np.array(b, np.int64), np.array(b, np.int64)])
    for s, axes in [((4,), (0,)), ((2, 3), (0,)), ((2, 3), (1,)), ((2, 3, 2), (-1,)), ((2, 3, 2), (1, 2))]:
        case('REVERSE_V2', [f32(*s), I(*axes)])
        case('REVERSE_V2', [i64(*s), I(*axes)])
    case('REVERSE_V2', [boolean(5), I(0)])
    for c, s in [((2, 3), (2, 3)), ((2,), (2, 3)), ((), (2, 3)), ((4,), (4,))]:
        case('SELECT', [boolean(*c), f32(*s), f32(*s)], out_types=[np.float32])
        case('SELECT', [boolean(*c), i64(*s), i64(*s)], out_types=[np.int64])
    for s, axis in [((5,), 0), ((2, 3), 0), ((2, 3), 1), ((2, 3, 2), -2)]:
        for exclusive in (False, True):
            for reverse in (False, True):
                case('CUMSUM', [f32(*s), S0(axis)], {'exclusive': exclusive, 'reverse': reverse})
        case('CUMSUM', [i32(*s), S0(axis)])
        case('CUMSUM', [i64(*s), S0(axis)])
    case('ATAN2', [f32(2, 3), f32(2, 3)])
    a, b = f32(2, 1), f32(3)
    case('ATAN2', [a, b], expect=[np.arctan2(a, b)])
    for t in (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32):
        a, b = rng.integers(0, 100, 6).astype(t), rng.integers(0, 9, 6).astype(t)
        if t in (np.int8, np.int16, np.int32):
            a[::2] *= -1
        case('BITWISE_XOR', [a, b])
        case('RIGHT_SHIFT', [a, b])
    case('RIGHT_SHIFT', [np.array([100, -100, 77, -1], np.int32), np.array([40, 40, -3, 31], np.int32)])


@family
def image():
    for align, half in ((False, False), (True, False), (False, True)):
        for s, t in [((1, 2, 2, 1), (4, 4)), ((2, 3, 5, 3), (7, 2)), ((1, 4, 4, 2), (2, 2)), ((1, 5, 3, 1), (5, 3)), ((1, 1, 1, 4), (3, 2)),
                     ((1, 6, 7, 1), (1, 1)), ((1, 3, 3, 2), (8, 11))]:
            case('RESIZE_BILINEAR', [f32(*s), I(*t)], {'align_corners': align, 'half_pixel_centers': half})
            case('RESIZE_NEAREST_NEIGHBOR', [f32(*s), I(*t)], {'align_corners': align, 'half_pixel_centers': half})
    case('RESIZE_NEAREST_NEIGHBOR', [i32(1, 3, 3, 2).astype(np.uint8), I(5, 4)], {})
    for s, b in [((1, 4, 6, 2), 2), ((2, 3, 3, 1), 3), ((1, 2, 2, 3), 1)]:
        case('SPACE_TO_DEPTH', [f32(*s)], {'block_size': b})
        case('SPACE_TO_DEPTH', [i32(*s)], {'block_size': b})
        case('DEPTH_TO_SPACE', [f32(s[0], s[1], s[2], s[3] * b * b)], {'block_size': b})
        case('DEPTH_TO_SPACE', [i32(s[0], s[1], s[2], s[3] * b * b)], {'block_size': b})
    for s, block, pads in [((1, 4, 4, 1), (2, 2), [(0, 0), (0, 0)]), ((2, 3, 5, 3), (2, 3), [(1, 0), (0, 1)]), ((1, 4, 2), (2,), [(0, 2)])]:
        case('SPACE_TO_BATCH_ND', [f32(*s), I(*block), C(np.array(pads, np.int32))])
        big = [s[0] * int(np.prod(block))] + [(d + p[0] + p[1]) // b for d, p, b in zip(s[1:], pads, block)] + list(s[1 + len(block):])
        case('BATCH_TO_SPACE_ND', [f32(*big), I(*block), C(np.array(pads, np.int32))])
    for mode in (0, 1):
        for s, p in [((3,), [(2, 1)]), ((2, 3), [(1, 1), (0, 2)]), ((1, 3, 3, 2), [(0, 0), (1, 2), (2, 1), (0, 0)])]:
            case('MIRROR_PAD', [f32(*s), C(np.array(p, np.int32))], {'mode': mode})
            case('MIRROR_PAD', [i32(*s), C(np.array(p, np.int64))], {'mode': mode})


def main():
    global current
    names = sys.argv[1:] or list(FILES)
    total = 0
    for n in names:
        current = []
        FILES[n]()
        data = b'LCOPS2\0\0' + struct.pack('<I', len(current)) + b''.join(pack_case(c) for c in current)
        open(os.path.join(ROOT, 'tests/data/ops', n + '.case'), 'wb').write(data)
        total += len(data)
        print('%-16s %4d cases %7d bytes' % (n, len(current), len(data)))
    print(total, 'bytes')
    for f in failures:
        print('LiteRT refuses:', f)
    for q in sorted(quarrels):
        print('LiteRT has two answers:', q)


if __name__ == '__main__':
    main()
