#!/usr/bin/env python3
"""Times litec's runtime beside LiteRT (XNNPACK) on the same .tflite files, in one process, in turns, and compares the outputs.

    vs_litert.py --library build/liblitec_runtime.so [--threads N] [--isa NAME] [--batch N] [--profile] MODEL.tflite ...

Needs ai_edge_litert and numpy. The two take turns of 30 ms, so that a busy machine disturbs both alike; the table has the
medians and the best of both, the ratios (above 1: litec is faster) and the largest difference of an output relative to the largest output.
"""
import argparse
import ctypes as c
import os
import re
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
from ai_edge_litert.interpreter import Interpreter

HEADERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "include", "litec")
TYPES = {"bool": c.c_bool, "char": c.c_char, "float": c.c_float, "double": c.c_double, "size_t": c.c_size_t, "int32_t": c.c_int32,
         "uint32_t": c.c_uint32, "int64_t": c.c_int64, "uint64_t": c.c_uint64}


def declared(name):
    """The struct `name` of litec's headers; enums are integers, pointers to anything but text have no type."""
    text = "".join(open(os.path.join(HEADERS, f)).read() for f in ("runtime.h", "litec.h"))
    sizes = dict(re.findall(r"#define (LC_\w+) (\d+)", text))
    body = re.search(r"typedef struct %s \{(.*?)\n\} %s;" % (name, name), text, re.S)[1]
    fields = []
    for line in re.sub(r"/\*.*?\*/", "", body, flags=re.S).split(";"):
        function = re.search(r"\(\*(\w+)\)", line)
        kind = re.match(r"\s*(?:const )?(?:struct )?(\w+)(.*)", line, re.S)
        if function:
            fields.append((function[1], c.c_void_p))
        for part in kind[2].split(",") if kind and not function else ():
            stars, field, count = re.search(r"([*const\s]*?)(\w+)(?:\[(\w+)\])?\s*$", part).groups()
            plain = TYPES.get(kind[1], c.c_int)
            pointer = c.c_char_p if kind[1] == "char" and stars.count("*") == 1 else c.c_void_p
            t = pointer if "*" in stars else plain
            fields.append((field, t * int(sizes.get(count, count)) if count else t))
    return type(name, (c.Structure,), {"_fields_": fields})


View, Options, Entry, Error = (declared("lc_" + n) for n in ("tensor_view", "session_options", "profile_entry", "error"))


class Litec:
    """One session of litec; `run` is lc_session_run."""

    def __init__(self, library, path, args, profile):
        self.lib = lib = c.CDLL(library)
        for name in ("lc_session_input", "lc_session_output"):
            getattr(lib, name).restype = View
        lib.lc_session_profile.restype = Entry
        lib.lc_session_profile_count.restype = c.c_size_t
        lib.lc_session_input_count.restype = lib.lc_session_output_count.restype = c.c_size_t
        self.error, model, self.session = Error(), c.c_void_p(), c.c_void_p()
        self.check(lib.lc_model_open(path.encode(), None, c.byref(model), c.byref(self.error)))
        options = Options(threads=args.threads, isa=args.isa.encode() if args.isa else None, profile=profile)
        self.check(lib.lc_session_create(model, c.byref(options), c.byref(self.session), c.byref(self.error)))
        lib.lc_model_destroy(model)

    def check(self, status):
        if status:
            sys.exit("litec: " + self.error.message.decode())

    def inputs(self):
        return [self.lib.lc_session_input(self.session, c.c_size_t(i)) for i in range(self.lib.lc_session_input_count(self.session))]

    def resize(self, index, shape):
        dims = (c.c_int32 * len(shape))(*shape)
        self.check(self.lib.lc_session_resize_input(self.session, c.c_size_t(index), dims, len(shape), c.byref(self.error)))

    def set(self, index, array):
        view = self.inputs()[index]
        assert view.size == array.nbytes, (view.size, array.nbytes)
        c.memmove(view.data, array.ctypes.data, array.nbytes)

    def outputs(self, like):
        for i, array in enumerate(like):
            view = self.lib.lc_session_output(self.session, c.c_size_t(i))
            assert view.size == array.nbytes, (view.size, array.nbytes)
            yield np.frombuffer(c.string_at(view.data, view.size), array.dtype).reshape(array.shape)

    def run(self):
        self.check(self.lib.lc_session_run(self.session, None))

    def profile(self):
        count = self.lib.lc_session_profile_count(self.session)
        return [self.lib.lc_session_profile(self.session, c.c_size_t(i)) for i in range(count)]


def measure(path, args):
    interpreter = Interpreter(model_path=path, num_threads=args.threads)
    litec = Litec(args.library, path, args, False)
    details = interpreter.get_input_details()
    for i, d in enumerate(details):
        if args.batch != 1:
            shape = [args.batch, *d["shape"][1:]]
            interpreter.resize_tensor_input(d["index"], shape)
            litec.resize(i, [int(v) for v in shape])
    try:
        interpreter.allocate_tensors()
    except RuntimeError as error:
        print(f"{os.path.basename(path):28} LiteRT refuses it: {' '.join(str(error).split())[:120]}", flush=True)
        return
    random = np.random.default_rng(0)
    details = interpreter.get_input_details()
    for i, d in enumerate(details):
        array = random.random(d["shape"], np.float32).astype(d["dtype"])
        interpreter.set_tensor(d["index"], array)
        litec.set(i, array)
    clock = time.thread_time if args.cpu else time.perf_counter
    times = ([], [])
    start = time.perf_counter()
    while len(times[0]) < 10 or (time.perf_counter() - start < args.seconds and len(times[0]) < 50000):
        for kept, run in zip(times, (litec.run, interpreter.invoke)):
            run()  # the other one's data leaves the caches here
            turn = time.perf_counter()
            while True:
                t = clock()
                run()
                kept.append(clock() - t)
                if time.perf_counter() - turn > 0.03:
                    break
    want = [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
    difference = max(float(np.abs(a.astype(np.float64) - b).max() / (np.abs(b).max() + 1e-30)) for a, b in zip(litec.outputs(want), want))
    ours, theirs = (statistics.median(kept) for kept in times)
    best = [min(kept) for kept in times]
    print(f"{os.path.basename(path):28} {ours * 1e3:10.4f} {theirs * 1e3:10.4f} {theirs / ours:8.2f} {best[0] * 1e3:10.4f} {best[1] * 1e3:10.4f} "
          f"{best[1] / best[0]:8.2f} {difference:11.1e}", flush=True)
    if args.profile:
        profiled = Litec(args.library, path, args, True)
        for i, d in enumerate(details):
            if args.batch != 1:
                profiled.resize(i, [int(v) for v in d["shape"]])
            profiled.set(i, interpreter.get_tensor(d["index"]))
        runs = []
        for _ in range(30):
            profiled.run()
            runs.append([e.nanoseconds for e in profiled.profile()])
        for k, e in enumerate(profiled.profile()):
            ns = statistics.median(r[k] for r in runs)
            rate = f"{2 * e.macs / ns:7.1f} GFLOP/s" if ns and e.macs else ""
            print(f"    {e.op.decode():20} {e.kernel.decode():24} {ns / 1e3:9.1f} us {rate:18} {(e.name or b'').decode()[-60:]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--library", default="build/liblitec_runtime.so")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--isa", help="avx512, avx2, neon, portable or ref; default: the best")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each model")
    parser.add_argument("--cpu", action="store_true", help="CPU time of the calling thread (for --threads 1 on a busy machine)")
    parser.add_argument("--profile", action="store_true", help="time of each operator in litec")
    args = parser.parse_args()
    print(f"{'':28} {'medians':^30} {'best':^30}")
    print(f"{'model':28} {'litec ms':>10} {'LiteRT ms':>10} {'ratio':>8} {'litec ms':>10} {'LiteRT ms':>10} {'ratio':>8} {'difference':>11}")
    for path in args.models:
        measure(path, args)


if __name__ == "__main__":
    main()
