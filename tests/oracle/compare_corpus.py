#!/usr/bin/env python3
"""Runs .tflite files with litec and with LiteRT on the same random inputs, and says which agree.

usage: compare_corpus.py --library BUILD/liblitec_runtime.so [--seconds N] [--fast] [--list] PATH...     (needs ai_edge_litert, numpy)

PATHs are files or folders. LiteRT's answer is that of its reference kernels, or of its default kernels where it has no reference (--fast: always those; they
are quicker and are what people run). Each file runs in a process of its own, twice in a row (state), inputs at their declared shape with open dimensions at 2.
Where LiteRT refuses the random numbers (a divisor of 0, an index outside, a negative number under a root) it gets plain ones: positive, indices 1, open dimensions 1.
Agreement: floats within 1e-4 of the largest number of the tensor, integers equal or, where LiteRT's own two answers differ, no further from one of them than they are from each other.
Exit status 1 when LiteRT runs a file that litec does not, or answers differ.
"""
import argparse
import collections
import ctypes as c
import hashlib
import os
import pickle
import subprocess
import sys
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.filterwarnings("ignore")
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "bench")]


def inputs_for(details, seed, plain=False):
    r = np.random.default_rng(seed)
    out = []
    for d in details:
        shape = [2 if s == -1 and k == 0 and not plain else max(1, int(n)) for k, (s, n) in enumerate(zip(d["shape_signature"], d["shape"]))]
        t = np.dtype(d["dtype"]) if d["dtype"] not in (np.object_, np.bytes_, np.str_) else None
        if t is None:
            out.append(np.array([b"hello world %d" % k for k in range(int(np.prod(shape)))], np.object_).reshape(shape))
        elif plain and t.kind in "fiu":
            out.append(np.ones(shape, t) if t.kind in "iu" and t.itemsize >= 4 else r.uniform(0.1, 1, shape).astype(t) if t.kind == "f" else r.integers(1, 100, shape).astype(t))
        elif t.kind == "f":
            out.append(r.uniform(-1, 1, shape).astype(t))
        elif t.kind == "b":
            out.append(r.integers(0, 2, shape).astype(t))
        elif t.itemsize >= 4 and t.kind in "iu":
            out.append(r.integers(0, 4, shape).astype(t))
        elif t.kind in "iu":
            info = np.iinfo(t)
            out.append(r.integers(info.min, info.max, shape, t, endpoint=True))
        else:
            out.append(np.zeros(shape, t))
    return out


def litert(path, kernels, plain=False):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    kind = {"ref": OpResolverType.BUILTIN_REF, "fast": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}[kernels]
    it = Interpreter(model_path=path, experimental_op_resolver_type=kind)
    details = it.get_input_details()
    answers, given = [], []
    for run in range(2):
        ins = inputs_for(details, run, plain)
        if run == 0:
            for d, a in zip(details, ins):
                if list(a.shape) != list(d["shape"]):
                    it.resize_tensor_input(d["index"], a.shape)
            it.allocate_tensors()
        for d, a in zip(details, ins):
            if a.size:
                it.set_tensor(d["index"], a)
        it.invoke()
        given.append(ins)
        answers.append([it.get_tensor(d["index"]).copy() for d in it.get_output_details()])
    return given, answers


class Litec:
    def __init__(self, library):
        from vs_litert import Error, Options, View
        self.lib = lib = c.CDLL(library)
        lib.lc_session_input.restype = lib.lc_session_output.restype = View
        lib.lc_session_output_count.restype = c.c_size_t
        lib.lc_tensor_string.restype = c.c_void_p
        self.error, self.Options, self.View = Error(), Options, View

    def check(self, status):
        if status:
            raise RuntimeError(self.error.message.decode(errors="replace"))

    def run(self, path, given):
        from make_op_cases import TYPES
        import ml_dtypes
        types = {v: k for k, v in TYPES.items()}
        types.update({8: np.complex64, 18: ml_dtypes.bfloat16})
        lib, model, session = self.lib, c.c_void_p(), c.c_void_p()
        self.check(lib.lc_model_open(path.encode(), None, c.byref(model), c.byref(self.error)))
        options = self.Options(threads=1)
        self.check(lib.lc_session_create(model, c.byref(options), c.byref(session), c.byref(self.error)))
        answers = []
        for run, ins in enumerate(given):
            if run == 0:
                dims = [np.array(a.shape, np.int32) for a in ins]
                list_of = (c.c_void_p * max(1, len(ins)))(*[d.ctypes.data if d.size else np.zeros(1, np.int32).ctypes.data for d in dims])
                ranks = (c.c_int32 * max(1, len(ins)))(*[a.ndim for a in ins])
                if ins:
                    self.check(lib.lc_session_resize_inputs(session, list_of, ranks, c.byref(self.error)))
            for i, a in enumerate(ins):
                if a.dtype == np.object_:
                    flat = [bytes(s) for s in a.reshape(-1)]
                    strings = (c.c_char_p * len(flat))(*flat)
                    lengths = (c.c_size_t * len(flat))(*[len(s) for s in flat])
                    self.check(lib.lc_session_set_strings(session, c.c_size_t(i), strings, lengths, c.c_size_t(len(flat)), c.byref(self.error)))
                    continue
                view = lib.lc_session_input(session, c.c_size_t(i))
                if view.size != a.nbytes:
                    raise RuntimeError("input %d: %d bytes, LiteRT wants %d" % (i, view.size, a.nbytes))
                c.memmove(view.data, np.ascontiguousarray(a).ctypes.data, a.nbytes)
            self.check(lib.lc_session_run(session, c.byref(self.error)))
            outputs = []
            for i in range(lib.lc_session_output_count(session)):
                v = lib.lc_session_output(session, c.c_size_t(i))
                dims = list(v.dims[:v.rank])
                if v.type == 5:
                    n, strings = int(np.prod(dims)), []
                    for k in range(n):
                        length = c.c_size_t()
                        p = lib.lc_tensor_string(c.byref(v), c.c_size_t(k), c.byref(length))
                        strings.append(c.string_at(p, length.value))
                    outputs.append(np.array(strings, np.object_).reshape(dims))
                else:
                    outputs.append(np.frombuffer(c.string_at(v.data, v.size), types[v.type]).reshape(dims))
            answers.append(outputs)
        return answers


def distance(a, b):
    """How far b is from a; 0: equal, inf: another shape or type."""
    if a.shape != b.shape or (a.dtype != b.dtype and a.dtype != np.object_):
        return float("inf")
    if a.dtype == np.object_ or a.size == 0:
        return 0.0 if [bytes(x) for x in a.reshape(-1)] == [bytes(x) for x in b.reshape(-1)] else float("inf")
    if a.dtype.kind in "iub":
        return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())
    x, y = a.astype(np.complex128 if a.dtype.kind == "c" else np.float64), b.astype(np.complex128 if a.dtype.kind == "c" else np.float64)
    if not np.array_equal(np.isnan(x), np.isnan(y)):
        return float("inf")
    finite = np.isfinite(x) & np.isfinite(y)
    if not np.array_equal(x[~finite & ~np.isnan(x)], y[~finite & ~np.isnan(x)]):
        return float("inf")
    scale = max(1.0, np.abs(x[finite]).max()) if finite.any() else 1.0
    return float(np.abs(x[finite] - y[finite]).max() / scale) if finite.any() else 0.0


def one(path, library, fast):
    """(verdict, detail)"""
    results, why = {}, ""
    for k in ["fast"] * fast or ["ref", "fast", "ref plain", "fast plain"]:
        if results and k.endswith("plain"):
            break
        p = subprocess.run([sys.executable, __file__, "--litert", k, path], capture_output=True, timeout=one.seconds)
        if p.returncode == 0:
            results[k] = pickle.loads(p.stdout)
        else:
            why = (p.stderr.decode(errors="replace").strip().split("\n") or [""])[-1][:150]
        if k == "ref" and k in results and os.path.getsize(path) > 30e6:
            break
    if not results:
        return "LiteRT refuses", why
    given, _ = next(iter(results.values()))
    try:
        mine = Litec(library).run(path, given)
    except RuntimeError as e:
        return "ONLY LITERT RUNS", str(e)[:300]
    worst = 0.0
    for run in range(2):
        for i, b in enumerate(mine[run]):
            theirs = [r[1][run][i] for r in results.values()]
            between = max(distance(x, y) for x in theirs for y in theirs)
            here = min(distance(x, b) for x in theirs)
            allowed = 1e-4 if theirs[0].dtype.kind in "fc" else 0
            if here > max(allowed, between):
                return "DIFFERS", "run %d output %d %s: by %g (LiteRT's two answers differ by %g)" % (run, i, theirs[0].dtype, here, between)
            worst = max(worst, here)
    return "agrees", "%g" % worst


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--library")
    p.add_argument("--seconds", type=int, default=120)
    p.add_argument("--fast", action="store_true")
    p.add_argument("--list", action="store_true")
    p.add_argument("--litert")
    p.add_argument("--one", action="store_true")
    p.add_argument("paths", nargs="+")
    o = p.parse_args()
    one.seconds = o.seconds
    if o.litert:
        sys.stdout.buffer.write(pickle.dumps(litert(o.paths[0], o.litert.split()[0], o.litert.endswith("plain"))))
        return 0
    if o.one:
        print("%s\t%s" % one(o.paths[0], o.library, o.fast))
        return 0
    files, seen = [], set()
    for path in o.paths:
        found = [path] if os.path.isfile(path) else [os.path.join(d, f) for d, _, names in os.walk(path) for f in names if f.endswith((".tflite", ".lite"))]
        for f in sorted(found):
            digest = hashlib.sha1(open(f, "rb").read()).digest()
            if digest not in seen:
                seen.add(digest)
                files.append(f)
    counts = collections.Counter()
    for f in files:
        try:
            q = subprocess.run([sys.executable, __file__, "--one", "--library", os.path.abspath(o.library), "--seconds", str(o.seconds)] + ["--fast"] * o.fast + [f],
                               capture_output=True, timeout=3 * o.seconds)
            verdict, detail = (q.stdout.decode(errors="replace").rstrip("\n") or "LITEC DIED\t%d" % q.returncode).split("\t", 1)
            if q.returncode and "TimeoutExpired" in q.stderr.decode(errors="replace"):
                verdict, detail = "LiteRT refuses", "takes too long"
        except subprocess.TimeoutExpired:
            verdict, detail = "LITEC TAKES TOO LONG", ""
        counts[verdict] += 1
        if o.list or verdict.isupper():
            print("%-18s %s  %s" % (verdict, f, detail), flush=True)
    print("%d files: " % len(files) + ", ".join("%d %s" % (n, v) for v, n in sorted(counts.items())))
    return 1 if any(v.isupper() for v in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
