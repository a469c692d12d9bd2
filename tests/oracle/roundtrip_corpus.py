"""Reads and writes every .tflite below some directories with litec and lets others judge the result.

    python3 tests/oracle/roundtrip_corpus.py LIBLITEC.so DIR ... [--jobs N] [--no-run]

For each *.tflite and *.bin:
  - litec opens it and writes it (lc_model_open, lc_model_to_memory: no rewrites), opens that, and writes it again: the same bytes;
  - the Python classes generated from LiteRT's schema read both files: everything they say is the same, but for what may be said
    in two ways (numbering of buffers and operator codes, where the bytes of a buffer lie, empty and absent vectors);
  - LiteRT (reference kernels, then default ones) runs both on the same random inputs: the outputs are the same, bit for bit.
    Models that LiteRT does not run, and those that give different outputs when run twice, are counted apart.
A file that litec refuses must not run in LiteRT. Exit 1 on any violation, also when a process dies. Each file is handled in a
process of its own, with 4 GiB of address space and a time limit.
"""
import ctypes
import json
import os
import resource
import subprocess
import sys

TIME_LIMIT = 120


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("rule", ctypes.c_char * 24), ("offset", ctypes.c_uint64), ("message", ctypes.c_char * 1024),
                ("hint", ctypes.c_char * 512)]


class Litec:
    def __init__(self, path):
        self.lib = lib = ctypes.CDLL(path)
        lib.lc_model_from_memory.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p),
                                             ctypes.POINTER(Error)]
        lib.lc_model_to_memory.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_size_t),
                                           ctypes.POINTER(Error)]
        lib.lc_model_destroy.argtypes = [ctypes.c_void_p]
        lib.lc_free.argtypes = [ctypes.c_void_p]

    def rewrite(self, data):
        """The bytes litec writes for a model it read from `data`; raises ValueError with what it says instead."""
        model, err, out, size = ctypes.c_void_p(), Error(), ctypes.c_void_p(), ctypes.c_size_t()
        if self.lib.lc_model_from_memory(data, len(data), None, ctypes.byref(model), ctypes.byref(err)):
            raise ValueError("%s: %s" % (err.rule.decode(), err.message.decode(errors="replace")))
        status = self.lib.lc_model_to_memory(model, ctypes.byref(out), ctypes.byref(size), ctypes.byref(err))
        self.lib.lc_model_destroy(model)
        if status:
            raise RuntimeError("cannot write: " + err.message.decode(errors="replace"))
        written = ctypes.string_at(out, size.value)
        self.lib.lc_free(out)
        return written


# ---- what a file says, without the choices a writer has ----

def plain(value):
    """Objects of the generated classes as nested tuples; empty vectors as absent ones."""
    import numpy as np
    if value is None or isinstance(value, (int, float, str, bytes, bool)):
        return value
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.tobytes()) if value.size else None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list):
        return tuple(plain(v) for v in value) or None
    return (type(value).__name__,) + tuple((k, plain(v)) for k, v in sorted(vars(value).items()))


def buffer_bytes(model, data, index):
    buffer = model.buffers[index]
    if buffer.data is not None:
        return bytes(buffer.data)
    return data[buffer.offset:buffer.offset + buffer.size] if buffer.offset > 1 else None


def meaning(data):
    from ai_edge_litert import schema_py_generated as schema
    m = schema.ModelT.InitFromPackedBuf(data, 0)
    used = set()

    def code(index):
        c = m.operatorCodes[index]
        return (max(c.deprecatedBuiltinCode, c.builtinCode), c.version, c.customCode)

    def tensor(t):
        out = {k: plain(v) for k, v in vars(t).items() if k != "buffer"}
        if t.shape is None or len(t.shape) == 0:
            out["shapeSignature"] = None
        out["data"] = buffer_bytes(m, data, t.buffer) if t.buffer else None
        return out

    def operator(o):
        out = {k: plain(v) for k, v in vars(o).items() if not k.startswith("largeCustom") and k != "opcodeIndex"}
        used.add(o.opcodeIndex)
        out["code"] = code(o.opcodeIndex)
        if o.largeCustomOptionsOffset > 1:
            out["customOptions"] = data[o.largeCustomOptionsOffset:o.largeCustomOptionsOffset + o.largeCustomOptionsSize]
        elif o.customOptions is not None:
            out["customOptions"] = bytes(o.customOptions)
        return out

    graphs = [{"tensors": [tensor(t) for t in g.tensors or []], "operators": [operator(o) for o in g.operators or []],
               "inputs": plain(g.inputs), "outputs": plain(g.outputs), "name": g.name,
               "debug": getattr(g, "debugMetadataIndex", None)} for g in m.subgraphs]
    rest = {k: plain(v) for k, v in vars(m).items() if k not in ("subgraphs", "buffers", "operatorCodes", "metadata", "metadataBuffer")}
    rest["metadata"] = [(d.name, buffer_bytes(m, data, d.buffer)) for d in m.metadata or []]
    rest["metadataBuffer"] = [buffer_bytes(m, data, i) for i in ([] if m.metadataBuffer is None else m.metadataBuffer)]
    rest["unused"] = [code(i) for i in range(len(m.operatorCodes or [])) if i not in used]
    rest["graphs"] = graphs
    return rest


def difference(a, b, where=""):
    if isinstance(a, dict) and isinstance(b, dict):
        for k in sorted(set(a) | set(b)):
            d = difference(a.get(k), b.get(k), where + "." + k)
            if d:
                return d
        return None
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            d = difference(x, y, "%s[%d]" % (where, i))
            if d:
                return d
        return None
    return None if a == b else "%s: %.80r and %.80r" % (where, a, b)


# ---- LiteRT ----

def outputs(data, kernels):
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    it = Interpreter(model_content=data, experimental_op_resolver_type=getattr(OpResolverType, kernels))
    it.allocate_tensors()
    rng = np.random.default_rng(7)
    for d in it.get_input_details():
        t = np.dtype(d["dtype"])
        if t.kind in "SOU":
            continue
        x = rng.random(d["shape"]) * 2 - 1 if t.kind in "fc" else rng.integers(0, 2, d["shape"])
        it.set_tensor(d["index"], np.asarray(x).astype(t).reshape(d["shape"]))
    it.invoke()
    values = [np.asarray(it.get_tensor(d["index"])) for d in it.get_output_details()]
    return [v.tolist() if v.dtype == object else v.tobytes() for v in values]


def child(library, path, run):
    """One file; prints a JSON line for each step, so that the parent knows where a process died."""
    def say(**what):
        print(json.dumps(what), flush=True)
    data = open(path, "rb").read()
    try:
        written = Litec(library).rewrite(data)
    except ValueError as e:
        say(refused=str(e))
        written = None
    if written is not None:
        say(read=True)
        again = Litec(library).rewrite(written)
        say(stable=again == written, size=len(written), before=len(data))
        say(difference=difference(meaning(data), meaning(written)))
    for kernels in ("BUILTIN_REF", "BUILTIN") if run else ():
        say(litert=kernels)
        try:
            a = outputs(data, kernels)
        except Exception as e:  # LiteRT's own words are the result
            say(litert_refuses=str(e).splitlines()[0][:150] if str(e) else repr(e))
            continue
        say(runs=kernels)
        if written is not None:
            b = outputs(written, kernels)
            say(same=a == b or outputs(data, kernels) != a)


def judge(library, path, run):
    """(kind, text): kind is one of same, unrun, refused, BAD."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    args = [sys.executable, os.path.abspath(__file__), "--child", library, path] + ([] if run else ["--no-run"])
    try:
        p = subprocess.run(args, capture_output=True, text=True, timeout=TIME_LIMIT, preexec_fn=limit)
        out, died = p.stdout, p.returncode
    except subprocess.TimeoutExpired as e:
        out, died = (e.stdout or b"").decode(), "time limit"
    steps = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    done = {k: v for s in steps for k, v in s.items()}
    if "refused" in done:
        return ("BAD", "litec refuses what LiteRT runs: " + done["refused"]) if "runs" in done else ("refused", done["refused"])
    if "difference" not in done:
        return "BAD", "died (%s) before LiteRT: %s" % (died, p.stderr.strip()[-300:] if isinstance(died, int) else "")
    if not done["stable"]:
        return "BAD", "written twice, two different files"
    if done["difference"]:
        return "BAD", "differs: " + done["difference"]
    if any(s.get("same") is False for s in steps):
        return "BAD", "LiteRT computes something else"
    asked = sum("runs" in s for s in steps), sum("same" in s for s in steps)
    if asked[0] != asked[1]:
        return "BAD", "LiteRT runs the original, not what litec wrote (%s)" % died
    return ("same", "") if asked[1] else ("unrun", str(done.get("litert_refuses", died)))


def main(args):
    run = "--no-run" not in args
    args = [a for a in args if a != "--no-run"]
    if args and args[0] == "--child":
        return child(args[1], args[2], run)
    jobs = 2
    if "--jobs" in args:
        jobs = int(args.pop(args.index("--jobs") + 1))
        args.remove("--jobs")
    library, folders = args[0], args[1:]
    paths = sorted(os.path.join(r, f) for d in folders for r, _, files in os.walk(d) for f in files if f.endswith((".tflite", ".bin")))
    from concurrent.futures import ThreadPoolExecutor
    count = {}
    with ThreadPoolExecutor(jobs) as pool:
        for path, (kind, text) in zip(paths, pool.map(lambda p: judge(library, p, run), paths)):
            count[kind] = count.get(kind, 0) + 1
            if kind in ("BAD", "refused"):
                print(kind, path, text, sep="  ", flush=True)
    print(len(paths), "files:", ", ".join("%d %s" % (n, k) for k, n in sorted(count.items())))
    return 1 if count.get("BAD") or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
