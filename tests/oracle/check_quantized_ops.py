#!/usr/bin/env python3
"""Random models of one operator, made integer by litec, run by LiteRT and by litec beside the float model.

usage: check_quantized_ops.py --library BUILD/liblitec.so [--count N] [--seed N] [--scheme int8|int16x8] [--show N] [OP ...]

All operators of src/ops/quant.def, with the odd shapes of random_ops.py; samples come from a function of the caller (lc_data_from).
Each integer model must run in LiteRT (with XNNPACK, its own kernels, its reference kernels) unless LiteRT cannot run the float one
either; litec's answer must be within a step of one of them; and the answer must be near the float model's on the same rounded inputs.
An operator that stays float is counted with the reason. Exit status 1 when anything else was found.
"""
import argparse
import collections
import ctypes as c
import os
import re
import sys
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "bench")]
import random_ops
from make_op_cases import C, build, OpResolverType, Interpreter
from random_ops import DTYPES, F, Refused
from vs_litert import declared

SCHEMES = {"int8": (3, 9, np.int8), "int16x8": (4, 7, np.int16)}  # lc_scheme, lc_dtype
KERNELS = {"xnnpack": OpResolverType.BUILTIN, "own": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, "reference": OpResolverType.BUILTIN_REF}
SAMPLES = 4
# Rows without a random model here: state and cells have tests of their own, and QUANTIZE is in every model.
NOT_HERE = "ASSIGN_VARIABLE READ_VARIABLE VAR_HANDLE LSTM SVDF UNIDIRECTIONAL_SEQUENCE_LSTM QUANTIZE".split()
# What LiteRT's kernels compute roughly: products of many roundings, tables with 512 entries.
ROUGH = {"int8": ["REDUCE_PROD"], "int16x8": ["REDUCE_PROD", "LOG", "RSQRT", "SOFTMAX"]}
FILL = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_uint64, c.c_void_p, c.POINTER(c.c_bool), c.c_void_p)


QuantizeOptions = declared("lc_quantize_options")


class Litec(random_ops.Litec):
    def quantize(self, content, samples, scheme, float_inputs):
        """The integer model as bytes, its outputs integers; samples: lists of arrays."""
        lib, model, data, smaller = self.lib, c.c_void_p(), c.c_void_p(), c.c_void_p()

        def fill(_user, index, session, end, _err):
            end[0] = index >= len(samples)
            for i, a in enumerate(samples[index]) if not end[0] else ():
                view = lib.lc_session_input(c.c_void_p(session), c.c_size_t(i))
                c.memmove(view.data, np.ascontiguousarray(a).ctypes.data, a.nbytes)
            return 0

        function = FILL(fill)
        self.check(lib.lc_data_from(function, None, c.byref(data), c.byref(self.error)))
        code, dtype, _ = SCHEMES[scheme]
        options = QuantizeOptions(scheme=code, data=c.cast(c.pointer(data), c.c_void_p), data_count=1, input_type=0 if float_inputs else dtype, output_type=dtype, threads=1)
        try:
            self.check(lib.lc_model_from_memory(content, c.c_size_t(len(content)), None, c.byref(model), c.byref(self.error)))
            self.check(lib.lc_model_quantize(model, c.byref(options), c.byref(smaller), c.byref(self.error)))
            out, size = c.c_void_p(), c.c_size_t()
            self.check(lib.lc_model_to_memory(smaller, c.byref(out), c.byref(size), c.byref(self.error)))
            content = c.string_at(out, size.value)
            lib.lc_free(out)
            return content
        finally:
            lib.lc_data_close(data)
            lib.lc_model_destroy(smaller)
            lib.lc_model_destroy(model)


def updates(op):
    """DYNAMIC_UPDATE_SLICE, SCATTER_ND, WHERE, which random_ops has not."""
    r = random_ops.r
    s = random_ops.shape(1, 4, zero=0)
    x = random_ops.const(random_ops.values(s), 0.3)
    if op == "WHERE":
        return [random_ops.values(s)], {}, [np.int64]
    if op == "DYNAMIC_UPDATE_SLICE":
        part = [int(r.integers(1, d + 1)) for d in s]
        return [x, random_ops.values(part), np.array([r.integers(0, d - p + 1) for d, p in zip(s, part)], np.int32)], {}, [F]
    rows = r.permutation(s[0])[: r.integers(1, s[0] + 1)].astype(np.int32)[:, None]
    return [C(rows), random_ops.values([len(rows)] + s[1:]), C(np.array(s, np.int32))], {}, [F]


random_ops.OPS.update(dict.fromkeys(("DYNAMIC_UPDATE_SLICE", "SCATTER_ND", "WHERE"), updates))


def run_litert(kernels, content, given):
    """Outputs, and (scale, zero) of all inputs and outputs. Inputs are those of the file's types."""
    it = Interpreter(model_content=content, experimental_op_resolver_type=kernels)
    it.allocate_tensors()
    for d, a in zip(it.get_input_details(), given):
        if a.size:
            it.set_tensor(d["index"], a)
    it.invoke()
    return [it.get_tensor(d["index"]) for d in it.get_output_details()]


def details(content):
    """(type, scale, zero) of the inputs and of the outputs."""
    from ai_edge_litert import schema_py_generated as S

    g = S.ModelT.InitFromObj(S.Model.GetRootAs(content, 0)).subgraphs[0]

    def of(t):
        q = g.tensors[t].quantization
        return (DTYPES[g.tensors[t].type], float(q.scale[0]), int(q.zeroPoint[0])) if q and q.scale is not None and len(q.scale) else (DTYPES[g.tensors[t].type], 0.0, 0)

    return [of(t) for t in g.inputs], [of(t) for t in g.outputs]


def quantized(a, how):
    dtype, scale, zero = how
    if not scale or a.dtype != F:
        return a.astype(dtype)
    info = np.iinfo(dtype)
    return np.clip(np.rint(a.astype(np.float64) / scale) + zero, info.min, info.max).astype(dtype)


def real(a, how):
    return (a.astype(np.float64) - how[2]) * how[1] if how[1] else a.astype(np.float64)


def others(a):
    """Another sample like this one: what indexes stays."""
    if a.dtype != F:
        return a
    low, high = (a.min(), a.max()) if a.size else (0, 0)
    return random_ops.r.uniform(low, high, a.shape).astype(F) if a.size > 1 else a


def apart(a, b):
    return int(np.abs(a.astype(np.int64) - b.astype(np.int64)).max(initial=0)) if a.shape == b.shape and a.dtype == b.dtype else 1 << 30


def one(litec, op, seed, scheme):
    """(kind, words): ok, float (no integer form), passed (LiteRT cannot run the float model), refused, litert, differs, far"""
    r = random_ops.r = np.random.default_rng([seed, list(random_ops.OPS).index(op)])
    for _ in range(200):
        ins, attrs, outs = random_ops.OPS[op](op)
        given = [i for i in ins if i is not None and not isinstance(i, C)]
        ranks = [np.ndim(i.a if isinstance(i, C) else i) for i in ins if i is not None]  # a model of scalars alone is one of unknown ranks
        if any(g.dtype == F for g in given) and all(np.size(g) for g in given) and max(ranks):
            break
    if op in ("LOG", "SQRT", "RSQRT"):
        ins = given = [np.abs(ins[0]) + F(0.2)]
    what = random_ops.describe(ins, attrs)
    select = random_ops.OPS[op] is random_ops.select
    declared = [np.broadcast_shapes(*(i.shape for i in ins[1:]), ins[0].shape if op == "SELECT_V2" else ())] if select else None
    content = build(op, attrs, ins, outs, declared)
    try:
        if not all(y.size for y in run_litert(KERNELS["own"], content, given)):
            return "passed", what
        litec.run(content, given, None, 1)
    except (ValueError, RuntimeError, Refused):
        return "passed", what
    try:
        smaller = litec.quantize(content, [given] + [[others(g) for g in given] for _ in range(SAMPLES - 1)], scheme, seed % 4 == 3)
    except Refused as e:
        reason = str(e)
        kind = "passed" if "not constant" in reason or "nothing to do" in reason else "float" if "no operator changed" in reason else "refused"
        return kind, "%s: %s" % (what, reason)
    entry, leave = details(smaller)
    rounded = [quantized(g, how) for g, how in zip(given, entry)]
    plain = [real(q, how).astype(g.dtype) if g.dtype == F else g for g, q, how in zip(given, rounded, entry)]
    want = run_litert(KERNELS["own"], content, plain)
    ours = litec.run(smaller, rounded, None, 1)
    theirs, refusals = {}, []
    for name, kernels in KERNELS.items():
        if name == "reference" and op == "SOFTMAX" and given[0].shape[-1] > 500:
            continue  # it aborts when so many classes are nearly alike
        try:
            theirs[name] = run_litert(kernels, smaller, rounded)
        except (ValueError, RuntimeError) as e:
            if name != "reference" or "Registration failed" not in str(e):  # some have no reference kernel of this version
                refusals.append("%s: %s" % (name, str(e).replace("\n", " ")[:300]))
    if refusals:
        return "litert", "%s: %s" % (what, refusals)
    worst = {name: max(apart(a, b) for a, b in zip(ours, got)) for name, got in theirs.items()}
    if min(worst.values()) > 1:
        k = min(worst, key=worst.get)
        return "differs", "%s: by %s steps: %s, wanted %s" % (what, worst, ours[0].reshape(-1)[:8], theirs[k][0].reshape(-1)[:8])
    for y, w, how in zip(ours, want, leave):
        if op == "WHERE":  # small values become 0
            if abs(len(y) - len(w)) > 2 + len(w) // 10:
                return "far", "%s: %d elements, wanted %d" % (what, len(y), len(w))
            continue
        if seed % 4 == 3:  # the operator does not get what the float one does
            continue
        if y.dtype == np.bool_ or not how[1]:
            wrong = np.mean(y != w) if y.size else 0
            if wrong > 0.1 and y.size > 9:
                return "far", "%s: %.0f %% of the answers are others" % (what, 100 * wrong)
            continue
        w, info = w.astype(np.float64), np.iinfo(how[0])
        low, high = (real(np.array(v), how) for v in (info.min, info.max))
        beyond = np.abs(w - np.clip(w, low, high)).max(initial=0)
        if op == "LOG_SOFTMAX" or beyond < 0.05 * np.abs(w).max(initial=0) + sum(e[1] for e in entry):
            w = np.clip(w, low, high)  # rounded inputs go a little beyond the samples; the format fixes what LOG_SOFTMAX holds
        off = np.abs(real(y, how) - w).max(initial=0)
        largest = [np.abs(i.a if isinstance(i, C) else i).max(initial=0) for i in ins if op in ("ADD", "SUB", "MUL")]
        width = max(np.prod(largest) if op == "MUL" else sum(largest), np.abs(w).max(initial=0), random_ops.size_of_sum(op, ins))
        # weights and inner steps have an error of their own: a part of the largest value
        if op not in ROUGH[scheme] and off > 2.5 * how[1] and off > (0.02 if scheme == "int8" else 0.01) * width:
            return "far", "%s: %.3g of %.3g, %.1f steps" % (what, off, width, off / how[1])
    return "ok", max(worst.values())


def quiet(litec, op, seed, scheme):
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return one(litec, op, seed, scheme)
    except Refused as e:
        return "refused", "litec does not run its own model: %s" % e


def rows():
    text = open(os.path.join(HERE, "..", "..", "src/ops/quant.def")).read()
    return [(m[1], m[2] == "yes") for m in re.finditer(r"^LC_QUANT\((\w+),\s*\w+,\s*(\w+),", text, re.M)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ops", nargs="*", metavar="OP")
    parser.add_argument("--library", default="build/release/liblitec.so")
    parser.add_argument("--count", type=int, default=20, help="cases of each operator and scheme")
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    parser.add_argument("--scheme", choices=SCHEMES, help="only this one")
    parser.add_argument("--reach", type=float, default=1.0, help="numbers are this much larger")
    parser.add_argument("--show", type=int, default=2, help="findings shown of each operator and kind")
    args = parser.parse_args()
    plain = random_ops.values
    reach = lambda dtype: args.reach if dtype == F else 1
    random_ops.values = lambda s, dtype=F, low=-4.0, high=4.0, special=0: plain(s, dtype, low * reach(dtype), high * reach(dtype), 0)
    litec, total, bad = Litec(args.library), collections.Counter(), 0
    for op, wide in rows():
        if op not in (args.ops or random_ops.OPS) or op in NOT_HERE:
            continue
        for scheme in [args.scheme] if args.scheme else SCHEMES:
            count, shown = collections.Counter(), collections.Counter()
            for seed, kind, words in random_ops.in_a_child(lambda seed: quiet(litec, op, seed, scheme), args.seed, args.seed + args.count, "died"):
                count[kind] += 1
                good = kind in ("ok", "passed") or kind == "float" and scheme == "int16x8" and not wide
                bad += not good
                if not good:
                    shown[kind] += 1
                if not good and shown[kind] <= args.show:
                    print("%s %s %d %s: %s" % (op, scheme, seed, kind, words[:900]), flush=True)
            total.update(count)
            if shown:
                print("%-24s %-8s %s" % (op, scheme, dict(count)), flush=True)
    print("all:", dict(total))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
