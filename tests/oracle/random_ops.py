#!/usr/bin/env python3
"""Random one-operator models, run by litec on every instruction set of this machine and by LiteRT; every answer must agree.

usage: random_ops.py --library BUILD/liblitec_runtime.so [--count N] [--seed N] [OP ...]     (needs ai_edge_litert and numpy)

Shapes are odd on purpose: 0 to 6 dimensions, sizes of 0 and 1, every broadcast, strides beyond the window, dilations, padding with
remainders, groups, negative axes, NaN and infinity. LiteRT has up to three answers (XNNPACK, its own kernel, its reference kernel);
litec may give any of them. Each operator runs in a process of its own, for LiteRT does not survive every case; a case it refuses or dies of is
counted and passed over, a case that litec alone refuses is reported, and so is one that its instruction sets see differently.
Exit status 1 when there is a difference or a case that litec alone refuses.
"""
import argparse
import ctypes as c
import os
import pickle
import sys
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "bench")]
from make_op_cases import C, build, run_with, OpResolverType, TYPES
from vs_litert import Error, Options, View

LARGEST = np.finfo(np.float32).max
F, I32, I64, B = np.float32, np.int32, np.int64, np.bool_
DTYPES = {v: k for k, v in TYPES.items()}


class Refused(Exception):
    pass


class Litec:
    def __init__(self, library):
        self.lib = lib = c.CDLL(library)
        lib.lc_session_input.restype = lib.lc_session_output.restype = View
        lib.lc_session_input_count.restype = lib.lc_session_output_count.restype = c.c_size_t
        self.error = Error()

    def check(self, status):
        if status:
            raise Refused(self.error.message.decode())

    def run(self, content, inputs, isa, threads):
        lib, model, session = self.lib, c.c_void_p(), c.c_void_p()
        self.check(lib.lc_model_from_memory(content, c.c_size_t(len(content)), None, c.byref(model), c.byref(self.error)))
        options = Options(threads=threads, isa=isa.encode() if isa else None)
        status = lib.lc_session_create(model, c.byref(options), c.byref(session), c.byref(self.error))
        lib.lc_model_destroy(model)
        self.check(status)
        try:
            for i, a in enumerate(inputs):
                view = lib.lc_session_input(session, c.c_size_t(i))
                assert view.size == a.nbytes, (view.size, a.nbytes)
                c.memmove(view.data, np.ascontiguousarray(a).ctypes.data, a.nbytes)
            self.check(lib.lc_session_run(session, c.byref(self.error)))
            outputs = []
            for i in range(lib.lc_session_output_count(session)):
                v = lib.lc_session_output(session, c.c_size_t(i))
                outputs.append(np.frombuffer(c.string_at(v.data, v.size), DTYPES[v.type]).reshape(list(v.dims[:v.rank])))
            return outputs
        finally:
            lib.lc_session_destroy(session)


# ---- cases ------------------------------------------------------------------------------------------------------------------------

r = None  # numpy's generator, seeded for each case


def pick(*of):
    return of[r.integers(len(of))]


def chance(p):
    return r.random() < p


def dim(zero=0.04):
    return 0 if chance(zero) else int(pick(1, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33))


def shape(low=0, high=5, most=4000, zero=0.04):
    while True:
        s = [dim(zero) for _ in range(r.integers(low, high + 1))]
        if np.prod(s) <= most:
            return s


def values(s, dtype=F, low=-4.0, high=4.0, special=0.15):
    if dtype == B:
        return r.integers(0, 2, s).astype(B)
    if np.dtype(dtype).kind in "iu":
        low = 0 if np.dtype(dtype).kind == "u" else int(low)
        return r.integers(low, int(high) + 1, s).astype(dtype)
    a = np.asarray(r.uniform(low, high, s)).astype(dtype)
    if a.size and chance(special):
        flat = a.reshape(-1)
        for _ in range(1 + flat.size // 8):
            flat[r.integers(flat.size)] = pick(np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, 1e30, -1e30, 88.0, -104.0, 0.5, -2.5)
        a = flat.reshape(a.shape)
    return a


def const(a, p=0.5):
    return C(a) if chance(p) and a.size else a


def ints(v, dtype=None):
    return C(np.array(v, dtype or pick(I32, I32, I64)))


def activation(p=0.5):
    return {"fused_activation_function": int(r.integers(4)) if chance(p) else 0}


def broadcast_pair(high=5):
    s = shape(0, high)
    kind = r.integers(6)
    if kind == 0:
        return s, list(s)
    t = [1 if chance(0.4) else d for d in s][r.integers(0, len(s) + 1):]
    if kind == 1:
        t = []
    if kind == 2:
        s = [1 if chance(0.3) and len(s) - i > len(t) else d for i, d in enumerate(s)]
    if kind == 3:  # both sides stretch
        for i in range(1, len(t) + 1):
            if chance(0.4) and t[-i] != 1:
                s[-i] = 1
    return (s, t) if chance(0.5) else (t, s)


def binary(op):
    types = {"ATAN2": [F], "BITWISE_XOR": [np.int8, np.uint8, np.int16, np.uint16, I32, np.uint32]}
    types["RIGHT_SHIFT"] = types["BITWISE_XOR"]
    t = pick(*types.get(op, [F, F, F, I32, I64]))
    sa, sb = broadcast_pair(6 if op in ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM") else 4)
    a, b = values(sa, t), values(sb, t)
    if t != F and op in ("DIV", "FLOOR_DIV", "FLOOR_MOD"):
        b = np.where(b == 0, 3, b).astype(t)
    if op == "ATAN2":
        a, b = values(sa, t), values(sa, t)  # LiteRT does not broadcast here
    if op == "POW":
        a, b = (np.abs(a), b) if t == F else (a, np.abs(b) % 4)
    if op == "FLOOR_MOD" and t == F:
        a, b = values(sa, F, special=0), values(sb, F, 0.5, 3, special=0)
    attrs = activation() if op in ("ADD", "SUB", "MUL", "DIV") else {}
    return [const(a, 0.3), b] if chance(0.5) else [a, const(b, 0.3)], attrs, [t]


def compare(op):
    t = pick(F, I32, I64, *([B] if op in ("EQUAL", "NOT_EQUAL") else []))
    sa, sb = broadcast_pair(4)
    return [values(sa, t, -1, 1), values(sb, t, -1, 1)], {}, [B]


def logical(op):
    if op == "LOGICAL_NOT":
        return [values(shape(), B)], {}, [B]
    sa, sb = broadcast_pair(4)
    return [values(sa, B), values(sb, B)], {}, [B]


def unary(op):
    t = F
    if op in ("NEG", "ABS", "SIGN"):
        t = pick(F, F, I32)
    low = 0.0 if op in ("SQRT", "RSQRT", "LOG") and chance(0.7) else -9.0
    return [values(shape(0, 6), t, low, 9.0, 0.4)], {}, [t]


def activations(op):
    x = values(shape(0, 5), F, -8, 8, 0.4)
    if op == "PRELU":
        s = list(x.shape)
        alpha = [1 if chance(0.4) else d for d in s][r.integers(0, len(s) + 1):]
        return [x, const(values(alpha, F), 0.8)], {}, [F]
    attrs = {"LEAKY_RELU": {"alpha": float(F(r.uniform(-1, 2)))}, "GELU": {"approximate": bool(chance(0.5))}}.get(op, {})
    return [x], attrs, [F]


def softmax(op):
    s = shape(1, 5, zero=0.0) if op == "LOG_SOFTMAX" else shape(1, 4)
    if chance(0.2):
        s = [int(pick(1, 2, 3)), int(pick(100, 1000, 1001))]
    x = values(s, F, -9, 9, 0.0) * F(pick(1, 1, 30))
    return [x], {"beta": float(pick(1.0, 0.25, 3.0))} if op == "SOFTMAX" else {}, [F]


def image(channels=None, batch=None):
    return [batch or int(pick(1, 1, 2, 3)), int(pick(1, 2, 3, 5, 7, 8, 9, 12, 17)), int(pick(1, 2, 3, 4, 6, 9, 11, 16)),
            channels or int(pick(1, 2, 3, 4, 7, 8, 15, 16, 17, 32, 33, 40))]


def pool(op):
    s = image()
    # TensorFlow and litec refuse a window that misses its image by a stride and more; LiteRT's kernels do not agree on it
    kh, kw = (int(r.integers(1, min(7, d + 1))) for d in s[1:3])
    return [values(s, F, special=0 if op != "MAX_POOL_2D" else 0.1)], {
        "padding": int(r.integers(2)), "stride_w": int(pick(1, 2, 3, 5)), "stride_h": int(pick(1, 2, 3, 4)), "filter_width": kw,
        "filter_height": kh, **activation(0.3)}, [F]


def window():
    a = {"padding": int(r.integers(2)), "stride_w": int(pick(1, 1, 2, 3, 5)), "stride_h": int(pick(1, 1, 2, 3, 4))}
    d = chance(0.3)
    return {**a, "dilation_w_factor": int(r.integers(1, 4)) if d else 1, "dilation_h_factor": int(r.integers(1, 4)) if d else 1, **activation(0.4)}


def conv(op):
    n, h, w, ci = s = image()
    kh, kw = (1, 1) if chance(0.3) else (int(r.integers(1, 6)), int(r.integers(1, 6)))
    if op == "DEPTHWISE_CONV_2D":
        m = int(pick(1, 1, 1, 2, 3, 8))
        f, b = values([1, kh, kw, ci * m], special=0), values([ci * m], special=0)
        return [values(s, special=0), const(f, 0.9), const(b, 0.9)], {**window(), "depth_multiplier": m}, [F]
    groups = pick(*[g for g in range(1, ci + 1) if ci % g == 0]) if chance(0.2) else 1
    co = groups * int(pick(1, 2, 3, 5, 8)) if groups > 1 else int(pick(1, 2, 3, 4, 8, 15, 16, 17, 31, 33, 64, 70))
    f, b = values([co, kh, kw, ci // groups], special=0), values([co], special=0)
    return [values(s, special=0), const(f, 0.9), const(b, 0.9)], window(), [F]


def transpose_conv(op):
    n, h, w, ci = s = image(int(pick(1, 2, 3, 8, 17)))
    kh, kw, co = int(r.integers(1, 5)), int(r.integers(1, 5)), int(pick(1, 2, 3, 8, 17))
    sh, sw, padding = int(r.integers(1, 4)), int(r.integers(1, 4)), int(r.integers(2))
    size = (lambda i, k, t: i * t - int(r.integers(t))) if padding == 0 else (lambda i, k, t: (i - 1) * t + k + int(r.integers(t)))
    out = [n, size(h, kh, sh), size(w, kw, sw), co]
    ins = [ints(out, I32), C(values([co, kh, kw, ci], special=0)), values(s, special=0)]
    if chance(0.5):
        ins.append(C(values([co], special=0)))
    return ins, {"padding": padding, "stride_h": sh, "stride_w": sw, **activation(0.3)}, [F]


def fully_connected(op):
    k, units = int(pick(1, 3, 4, 8, 17, 31, 64, 100)), int(pick(1, 2, 5, 8, 16, 17, 33, 64, 65, 130))
    lead = shape(1, 3, most=40)
    keep = bool(chance(0.5))
    x = values(lead + [k], special=0)
    fixed = chance(0.85)
    ins = [x, C(values([units, k], special=0)) if fixed else values([units, k], special=0)]
    if chance(0.7):
        ins.append(const(values([units], special=0), 0.9))
    else:
        ins.append(None)
    return ins, {"keep_num_dims": keep, **activation(0.4)}, [F]


def batch_matmul(op):
    m, k, n = dim(), dim(), dim()
    sa, sb = broadcast_pair(3)
    while np.prod(sa) * np.prod(sb) > 60:
        sa, sb = broadcast_pair(3)
    ax, ay = bool(chance(0.4)), bool(chance(0.4))
    a = values(sa + ([k, m] if ax else [m, k]), special=0)
    b = values(sb + ([n, k] if ay else [k, n]), special=0)
    return [a, const(b, 0.4)], {"adj_x": ax, "adj_y": ay}, [F]


def concat(op):
    t = pick(F, F, I32, I64, np.int8, np.uint8, np.int16, *([B] if op == "CONCATENATION" else []))
    n = int(r.integers(1, 5))
    if op == "PACK":
        s = shape(0, 4)
        return [const(values(s, t), 0.2) for _ in range(n)], {"values_count": n, "axis": int(r.integers(-len(s) - 1, len(s) + 1))}, [t]
    s = shape(1, 5)
    axis = int(r.integers(-len(s), len(s)))
    parts = []
    for _ in range(n):
        q = list(s)
        q[axis] = dim()
        parts.append(const(values(q, t), 0.2))
    if all(isinstance(p, C) for p in parts):
        parts[0] = parts[0].a
    return parts, {"axis": axis}, [t]


WHOLE = [F, F, I32, I64, np.int8, np.uint8, np.int16, B]


def reshape(op):
    t = pick(F, I32, I64, np.int8)
    if op == "SQUEEZE":
        s = [1 if chance(0.5) else d for d in shape(0, 6)]
        ones = [i for i, d in enumerate(s) if d == 1]
        dims = [int(i) - (len(s) if chance(0.3) else 0) for i in ones if chance(0.5)]
        return [values(s, t)], {"squeeze_dims": dims}, [t]
    s = shape(0, 5)
    if op == "EXPAND_DIMS":
        return [values(s, t), ints(int(r.integers(-len(s) - 1, len(s) + 1)))], {}, [t]
    n, to = int(np.prod(s)), []
    left = n
    for _ in range(r.integers(0, 4)):
        d = pick(*[k for k in range(1, left + 1) if left % k == 0]) if left else dim(0.3)
        to.append(int(d))
        left = left // d if d else left
    to.insert(int(r.integers(len(to) + 1)), int(left))
    if chance(0.4) and n:
        to[r.integers(len(to))] = -1
    if chance(0.4):
        return [values(s, t)], {"new_shape": to}, [t]
    return [values(s, t), ints(to, I32)], {}, [t]


def shapes(op):
    t = pick(F, I32, np.uint8)
    x = values(shape(0, 5), t)
    if op == "ZEROS_LIKE":
        t = pick(F, I32, I64)
        return [values(shape(0, 5), t)], {}, [t]
    if op == "RANK":
        return [x], {}, [I32]
    o = pick(I32, I64)
    return [x], {"out_type": TYPES[o]}, [o]


def pad(op):
    t = pick(F, F, F, I32, I64)
    if op == "MIRROR_PAD":
        mode = int(r.integers(2))
        s = shape(1, 4, zero=0)
        pads = [[int(r.integers(0, d + mode)), int(r.integers(0, d + mode))] for d in s]
        return [values(s, t), ints(pads)], {"mode": mode}, [t]
    s = shape(1, 5, most=600)
    pads = [[int(pick(0, 0, 1, 2, 5)), int(pick(0, 0, 1, 3))] for _ in s]
    ins = [values(s, t), ints(pads)]
    return ins + [C(np.array(pick(0, 1, -7), t))] if op == "PADV2" else ins, {}, [t]


def reduce(op):
    t = B if op in ("REDUCE_ANY", "REDUCE_ALL") else pick(F, F, F, I32, I64)
    s = shape(1, 5)
    axes = [int(a) - (len(s) if chance(0.3) else 0) for a in r.permutation(len(s))[:r.integers(0 if chance(0.1) else 1, len(s) + 1)]]
    if chance(0.15) and len(axes) > 1:
        axes.append(axes[0])  # twice
    x = values(s, t, -2, 2, 0.1)
    if op == "REDUCE_PROD" and t == F:
        x = np.clip(x, -1.5, 1.5)
    return [x, C(np.array(axes, I32))], {"keep_dims": bool(chance(0.5))}, [t]


def transpose(op):
    t = pick(*WHOLE[:-1])
    s = shape(1, 6)
    perm = r.permutation(len(s)) - (len(s) if chance(0.1) else 0)
    return [values(s, t), ints(perm, I32)], {}, [t]


def cast(op):
    kinds = [F, I32, I64, np.uint8, np.int8, B, np.int16, np.float64, np.uint32, np.uint16]
    a, b = pick(*kinds), pick(*kinds)
    return [values(shape(), a, 0 if np.dtype(b).kind in "ub" else -100, 100, 0)], {"in_data_type": TYPES[a], "out_data_type": TYPES[b]}, [b]


def slices(op):
    t = pick(*WHOLE)
    s = shape(1, 5)
    n = len(s)
    if op == "SLICE":
        begin = [int(r.integers(0, d + 1)) if d else 0 for d in s]
        size = [-1 if chance(0.2) else int(r.integers(0, d - b + 1)) for d, b in zip(s, begin)]
        k = pick(I32, I64)
        return [values(s, t), ints(begin, k), ints(size, k)], {}, [t]
    n = int(r.integers(1, n + 1))
    begin, end, stride = ([int(r.integers(-d - 2, d + 3)) for d in s[:n]] for _ in range(3))
    stride = [int(pick(1, 1, 1, 2, 3, -1, -2)) for _ in range(n)]
    masks = {m: int(r.integers(1 << n)) if chance(0.4) else 0 for m in ("begin_mask", "end_mask")}
    if chance(0.3):
        masks["shrink_axis_mask"] = int(r.integers(1 << n))
        for i in range(n):
            if masks["shrink_axis_mask"] >> i & 1:
                if not s[i]:
                    masks["shrink_axis_mask"] ^= 1 << i
                    continue
                begin[i], stride[i] = int(r.integers(-s[i], s[i])), 1
                end[i] = begin[i] + 1
                masks["begin_mask"] &= ~(1 << i)
    if chance(0.15) and len(s) < 4:
        masks["new_axis_mask"] = int(r.integers(1 << n))
    if chance(0.15) and not masks.get("shrink_axis_mask"):
        masks["ellipsis_mask"] = 1 << int(r.integers(n))
    return [values(s, t), ints(begin, I32), ints(end, I32), ints(stride, I32)], masks, [t]


def split(op):
    t = pick(F, F, I32, np.int8, np.int16, I64)
    s = shape(1, 5)
    axis = int(r.integers(-len(s), len(s)))
    if op == "UNPACK":
        s = shape(1, 4)
        axis = int(r.integers(-len(s), len(s)))
        s[axis] = n = max(1, s[axis])
        return [values(s, t)], {"num": n, "axis": axis}, [t] * n
    n = int(r.integers(1, 5))
    if op == "SPLIT":
        s[axis] = n * int(pick(1, 2, 3))
        return [ints(axis, I32), values(s, t)], {"num_splits": n}, [t] * n
    sizes = [dim() for _ in range(n)]
    s[axis] = sum(sizes)
    if chance(0.3):
        sizes[r.integers(n)] = -1
    return [values(s, t), ints(sizes), ints(axis, I32)], {"num_splits": n}, [t] * n


def gather(op):
    t = pick(F, F, I32, I64, np.int8, B)
    k = pick(I32, I64)
    if op == "EMBEDDING_LOOKUP":
        s = shape(2, 4, zero=0)
        return [r.integers(0, s[0], [dim(0)]).astype(I32), C(values(s, F, special=0))], {}, [F]
    if op == "ONE_HOT":
        t = pick(F, I32, I64, B)
        s = shape(0, 3)
        return [values(s, k, -1, 6), ints(int(r.integers(0, 7)), I32), C(values([], t, special=0)), C(values([], t, special=0))], {"axis": int(r.integers(-1, len(s) + 1))}, [t]
    s = shape(1, 5, zero=0)
    if op == "GATHER_ND":
        depth = int(r.integers(1, len(s) + 1))
        at = shape(0, 3, most=60)
        idx = np.stack([r.integers(0, d, at) for d in s[:depth]], -1).astype(k)
        return [values(s, t), const(idx)], {}, [t]
    axis = int(r.integers(-len(s), len(s)))
    batch = int(r.integers(0, axis % len(s) + 1)) if chance(0.4) else 0
    idx = r.integers(0, s[axis], s[:batch] + shape(0, 2, most=30)).astype(k)
    return [values(s, t), const(idx)], {"axis": axis, "batch_dims": batch}, [t]


def arg(op):
    t = pick(F, F, I32, np.int8, np.uint8)
    s = shape(1, 5, zero=0)
    if op == "TOPK_V2":
        return [values(s, t, -3, 3, 0), ints(int(r.integers(0, s[-1] + 1)), I32)], {}, [t, I32]
    o = pick(I32, I64)
    return [values(s, t, -2, 2, 0), ints(int(r.integers(-len(s), len(s))), I32)], {"output_type": TYPES[o]}, [o]


def select(op):
    t = pick(F, F, I32, I64, np.int8, B)
    if op == "SELECT":
        s = shape(0, 5)
        cond = list(s) if chance(0.5) else s[:1] if chance(0.6) else []
        return [values(cond, B), values(s, t), values(s, t)], {}, [t]
    s = shape(0, 5)
    part = lambda: [1 if chance(0.3) else d for d in s][r.integers(0, len(s) + 1) if chance(0.4) else 0:]
    return [values(part(), B), values(part(), t), values(part(), t)], {}, [t]


def resize(op):
    s = image()
    align, half = pick((False, False), (True, False), (False, True))
    t = F if op == "RESIZE_BILINEAR" else pick(F, np.uint8, np.int8, np.int16)
    return [values(s, t, special=0), ints([int(r.integers(1, 20)), int(r.integers(1, 20))], I32)], {"align_corners": align, "half_pixel_centers": half}, [t]


def space(op):
    t = pick(F, I32, I64, np.int8, np.uint8)
    b = int(r.integers(1, 4))
    if op in ("SPACE_TO_DEPTH", "DEPTH_TO_SPACE"):
        s = image(int(pick(1, 2, 3, 5)))
        s = [s[0], s[1] * b, s[2] * b, s[3]] if op == "SPACE_TO_DEPTH" else [s[0], s[1], s[2], s[3] * b * b]
        return [values(s, t)], {"block_size": b}, [t]
    t = pick(F, I32, I64)
    n = int(pick(1, 2))
    block = [int(r.integers(1, 4)) for _ in range(n)]
    inner = [dim(0) for _ in block]
    pads = [[int(r.integers(0, k * m)) // 2, int(r.integers(0, k * m)) // 2] for k, m in zip(block, inner)]
    if op == "SPACE_TO_BATCH_ND":
        space_ = [k * m for k, m in zip(block, inner)]
        s = [int(pick(1, 2))] + [d - sum(p) for d, p in zip(space_, pads)] + [dim()]
    else:
        s = [int(pick(1, 2)) * int(np.prod(block))] + inner + [dim()]
    if n == 1 and len(s) != 3:
        s = s[:3]
    return [values(s, t), ints(block, I32), ints(pads, I32)], {}, [t]


def tile(op):
    t = pick(F, I32, I64, B)
    s = shape(1, 4, most=300)
    if op == "TILE":
        return [values(s, t), ints([int(pick(0, 1, 1, 2, 3)) for _ in s])], {}, [t]
    to = shape(0, 2, most=20) + [d if d != 1 else dim() for d in s]
    return [values(s, t), ints(to)], {}, [t]


def makers(op):
    if op == "FILL":
        t = pick(F, I32, I64, B)
        return [ints(shape(0, 4)), values([], t)], {}, [t]
    if op == "RANGE":
        t = pick(F, I32, I64)
        d = t(pick(1, 2, -1, -3)) * t(pick(1, 1) if t != F else pick(1, 0.3, 0.1))
        a = t(r.integers(-5, 6))
        return [C(np.array(a)), C(np.array(a + d * t(r.integers(1, 30)), t)), C(np.array(d, t))], {}, [t]
    k = pick(I32, I64)
    sa, sb = broadcast_pair(5)
    return [C(np.array(sa, k)), C(np.array(sb, k))], {}, [k]


def reverse(op):
    t = pick(F, I32, I64, np.uint8, np.int16, B)
    s = shape(1, 5)
    axes = [int(a) - (len(s) if chance(0.3) else 0) for a in r.permutation(len(s))[:r.integers(1, len(s) + 1)]]
    return [values(s, t), ints(axes, I32)], {}, [t]


def add_n(op):
    t = pick(F, I32)
    s = shape(0, 5)
    return [values(s, t) for _ in range(r.integers(2, 6))], {}, [t]


def cumsum(op):
    t = pick(F, F, I32, I64)
    s = shape(1, 5)
    return [values(s, t, special=0), ints(int(r.integers(-len(s), len(s))), I32)], {"exclusive": bool(chance(0.5)), "reverse": bool(chance(0.5))}, [t]


def norm(op):
    if op == "L2_NORMALIZATION":
        return [values(shape(1, 4), F, special=0) * F(pick(1, 1e-4, 1e4))], {}, [F]
    return [values(image(int(pick(1, 5, 9))), F, special=0)], {"radius": int(r.integers(0, 6)), "bias": float(pick(1.0, 2.0)), "alpha": float(pick(0.5, 1e-4, 1.0)),
                                                               "beta": float(pick(0.5, 0.75, 1.0))}, [F]


OPS = {}
for make, names in (
        (binary, "ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD ATAN2 BITWISE_XOR RIGHT_SHIFT"),
        (compare, "LESS LESS_EQUAL GREATER GREATER_EQUAL EQUAL NOT_EQUAL"),
        (logical, "LOGICAL_AND LOGICAL_OR LOGICAL_NOT"),
        (unary, "ABS NEG SQUARE SQRT RSQRT EXP LOG SIN COS FLOOR CEIL ROUND SIGN"),
        (activations, "RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LOGISTIC TANH ELU HARD_SWISH LEAKY_RELU GELU PRELU"),
        (softmax, "SOFTMAX LOG_SOFTMAX"), (pool, "AVERAGE_POOL_2D MAX_POOL_2D L2_POOL_2D"), (conv, "CONV_2D DEPTHWISE_CONV_2D"),
        (transpose_conv, "TRANSPOSE_CONV"), (fully_connected, "FULLY_CONNECTED"), (batch_matmul, "BATCH_MATMUL"), (concat, "CONCATENATION PACK"),
        (reshape, "RESHAPE SQUEEZE EXPAND_DIMS"), (shapes, "SHAPE RANK ZEROS_LIKE"), (pad, "PAD PADV2 MIRROR_PAD"),
        (reduce, "MEAN SUM REDUCE_PROD REDUCE_MAX REDUCE_MIN REDUCE_ANY REDUCE_ALL"), (transpose, "TRANSPOSE"), (cast, "CAST"),
        (slices, "SLICE STRIDED_SLICE"), (split, "SPLIT SPLIT_V UNPACK"), (gather, "GATHER GATHER_ND EMBEDDING_LOOKUP ONE_HOT"),
        (arg, "ARG_MAX ARG_MIN TOPK_V2"), (select, "SELECT SELECT_V2"), (resize, "RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR"),
        (space, "SPACE_TO_DEPTH DEPTH_TO_SPACE SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND"), (tile, "TILE BROADCAST_TO"),
        (makers, "FILL RANGE BROADCAST_ARGS"), (reverse, "REVERSE_V2"), (add_n, "ADD_N"), (cumsum, "CUMSUM"),
        (norm, "L2_NORMALIZATION LOCAL_RESPONSE_NORMALIZATION")):
    for name in names.split():
        OPS[name] = make


# ---- comparing --------------------------------------------------------------------------------------------------------------------


def size_of_sum(op, ins):
    """What float sums of this operator are measured by: how large the terms may add up, so that a cancelled sum is no difference."""
    arrays = [(i.a if isinstance(i, C) else i) for i in ins if i is not None]
    arrays = [np.abs(a[np.isfinite(a)].astype(np.float64)) for a in arrays if a.dtype == F]
    if not arrays:
        return 0.0
    largest = [a.max() if a.size else 0.0 for a in arrays]
    if op in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "TRANSPOSE_CONV"):
        x, w = largest[:2]
        second = [i for i in ins if i is not None][1]
        terms = (second.a if isinstance(second, C) else second).size
        return x * w * np.sqrt(terms) + (largest[2] if len(largest) > 2 else 0)
    if op in ("SUM", "MEAN", "CUMSUM", "ADD_N", "AVERAGE_POOL_2D", "RESIZE_BILINEAR"):
        return largest[0] * 4
    if op in ("SIN", "COS", "LOG_SOFTMAX", "GELU"):
        return 1.0
    if op == "RANGE":
        return 10.0
    return 0.0


def difference(a, b, scale):
    """None: same; else words."""
    if a.shape != b.shape:
        return "shape %s, wanted %s" % (list(a.shape), list(b.shape))
    if a.dtype != b.dtype:
        return "type %s, wanted %s" % (a.dtype, b.dtype)
    if a.dtype.kind != "f":
        bad = a != b
    else:
        with np.errstate(all="ignore"):
            # without an activation LiteRT's own kernels clamp to the largest float; XNNPACK and we leave infinity as it is
            x, y = (np.where(np.abs(v) == LARGEST, np.sign(v) * np.inf, v).astype(np.float64) for v in (a, b))
            bad = ~((np.isnan(x) & np.isnan(y)) | (x == y) | (np.abs(x - y) <= 1e-5 * np.abs(y) + 1e-6 * scale + 1e-37))
    if not bad.any():
        return None
    at = tuple(int(k[0]) for k in np.nonzero(bad)) if bad.ndim else ()
    return "%d of %d differ, first at %s: %r, wanted %r" % (bad.sum(), bad.size, list(at), a[at], b[at])


def describe(ins, attrs):
    text = []
    for i in ins:
        if i is None:
            text.append("-")
            continue
        a = i.a if isinstance(i, C) else i
        t = "%s%s%s" % ("const " if isinstance(i, C) else "", a.dtype, list(a.shape))
        text.append(t + ("=%s" % a.tolist() if a.size <= 6 and a.dtype != F else ""))
    return "%s %s" % (", ".join(text), attrs)


def one(litec, op, seed, isas):
    """(kind, words): ok, litert (LiteRT does not run it), refused, differs, isa"""
    global r
    r = np.random.default_rng([seed, list(OPS).index(op)])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        ins, attrs, outs = OPS[op](op)
    what = describe(ins, attrs)
    # LiteRT keeps the declared shape where there is one element
    declared = [np.broadcast_shapes(*(i.shape for i in ins[1:]), ins[0].shape if op == "SELECT_V2" else ())] if OPS[op] is select else None
    content = build(op, attrs, ins, outs, declared)
    given = [i for i in ins if i is not None and not isinstance(i, C)]
    ours, refusal = {}, {}
    for k, isa in enumerate(isas):
        try:
            ours[isa] = litec.run(content, given, isa, 2 if k == 0 else 1)
        except Refused as e:
            refusal[isa] = str(e)
    if ours and refusal:
        return "isa", "%s: %s" % (what, refusal)
    yield_to_litert = []
    for kernels in (OpResolverType.BUILTIN, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, OpResolverType.BUILTIN_REF):
        try:
            yield_to_litert.append(run_with(kernels, content, ins))
        except (ValueError, RuntimeError) as e:
            last = str(e).replace("\n", " ")
    scale = size_of_sum(op, ins)
    found = None
    for isa, got in ours.items():
        words = [next(filter(None, (difference(a, b, scale) for a, b in zip(got, want))), None) for want in yield_to_litert]
        if words and None not in words:
            found = "%s: %s: %s" % (isa, what, words[-1])
        for a, b in zip(got, ours[isas[-1]]):
            d = difference(a, b, scale)
            if d and not found:
                return "isa", "%s against %s: %s: %s" % (isa, isas[-1], what, d)
    if found:
        return "differs", found
    if refusal and yield_to_litert:
        return "refused", "%s: %s" % (what, refusal[isas[0]])
    if not yield_to_litert:
        return "litert", "%s: %s [%s]" % (what, last, "litec runs it" if ours else "litec: " + refusal[isas[0]])
    return "ok", ""


def in_a_child(case, first, last, died):
    """case(seed) for seeds first .. last - 1; one that kills the child is of the kind `died`."""
    while first < last:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            with os.fdopen(write, "wb") as out:
                for seed in range(first, last):
                    try:
                        result = case(seed)
                    except Exception as e:  # a mistake of the script
                        result = "script", "%s: %s" % (type(e).__name__, e)
                    pickle.dump((seed, *result), out)
                    out.flush()
            os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as results:
            while True:
                try:
                    seed, kind, words = pickle.load(results)
                except EOFError:
                    break
                yield seed, kind, words
                first = seed + 1
        _, status = os.waitpid(pid, 0)
        if status and first < last:
            yield first, died, "the process died (status %d)" % status
            first += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ops", nargs="*", metavar="OP")
    parser.add_argument("--library", default="build/release/liblitec_runtime.so")
    parser.add_argument("--count", type=int, default=100, help="cases of each operator")
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    parser.add_argument("--show", type=int, default=3, help="findings shown of each operator and kind")
    parser.add_argument("--litert", action="store_true", help="show what LiteRT refuses, too")
    args = parser.parse_args()
    litec, isas = Litec(args.library), []
    for isa in ("avx512", "avx2", "neon", "portable", "ref"):
        probe = build("ABS", {}, [np.zeros(1, F)], [F], [[1]])
        try:
            litec.run(probe, [np.zeros(1, F)], isa, 1)
            isas.append(isa)
        except Refused:
            pass
    print("instruction sets:", *isas)
    total, bad = {}, 0
    for op in args.ops or OPS:
        count, shown = {}, {}
        for seed, kind, words in in_a_child(lambda seed: one(litec, op, seed, isas), args.seed, args.seed + args.count, "litert"):
            count[kind] = count.get(kind, 0) + 1
            total[kind] = total.get(kind, 0) + 1
            bad += kind not in ("ok", "litert")
            if kind != "ok" and (kind != "litert" or args.litert) and shown.setdefault(kind, 0) < args.show:
                shown[kind] += 1
                print("%s %d %s: %s" % (op, seed, kind, words[:600]), flush=True)
        if set(count) - {"ok"}:
            print("%-28s %s" % (op, count), flush=True)
    print("all:", total)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
