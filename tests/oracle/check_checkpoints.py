"""check_checkpoints.py: litec's reading of checkpoints beside TensorFlow's, every variable and some slices, bit for bit.

    python tests/oracle/check_checkpoints.py BUILD_DIR [PREFIX...]

Without prefixes: those of tests/data/ckpt and a larger family that make_checkpoints.py makes now. Exit 1 when one differs.
"""
import glob
import os
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import dtypes

HERE = os.path.dirname(os.path.abspath(__file__))


def dump(program, prefix, *asked):
    run = subprocess.run([program, prefix, *asked], capture_output=True)
    if run.returncode:
        raise RuntimeError(run.stderr.decode(errors="replace").strip())
    out, at, found = run.stdout, 0, []
    while at < len(out):
        end = out.index(b"\n", at)
        size, _, data_type, count, *dims = out[at:end].split()
        at = end + 1
        name = out[at:at + int(size)]
        at += int(size)
        found.append((name.decode(), int(data_type), [int(d) for d in dims], out[at:at + int(count)]))
        at += int(count)
    return found


def as_stored(tensor):
    """The bytes that litec must give for a numpy array of TensorFlow."""
    a = np.asarray(tensor, object) if isinstance(tensor, bytes) else np.asarray(tensor)
    if a.dtype == object:
        texts = [t if isinstance(t, bytes) else t.encode() for t in a.ravel()]
        offsets = np.cumsum([4 * (len(texts) + 2)] + [len(t) for t in texts]).astype("<i4")
        return np.int32(len(texts)).tobytes() + offsets.tobytes() + b"".join(texts)
    if a.dtype.name in ("int4", "uint4"):
        n = a.astype(np.int8).view(np.uint8).ravel() & 15
        n = np.append(n, np.zeros(len(n) % 2, np.uint8))
        return (n[0::2] | n[1::2] << 4).astype(np.uint8).tobytes()
    return np.ascontiguousarray(a).tobytes()


def read(reader, pattern, name, dtype):
    try:
        return reader.get_tensor(name)
    except Exception:  # slices of V1: the reader cannot, the operator can
        return tf.raw_ops.RestoreV2(prefix=pattern, tensor_names=[name], shape_and_slices=[""], dtypes=[dtype])[0].numpy()


def check(program, prefix, generator):
    shards = glob.glob(prefix + "-00000-of-*")
    pattern = prefix + "-?????-of-" + shards[0][-5:] if shards else prefix
    reader = tf.train.load_checkpoint(pattern)
    types, shapes = reader.get_variable_to_dtype_map(), reader.get_variable_to_shape_map()
    found = dump(program, prefix)
    wrong = [] if [f[0] for f in found] == sorted(types, key=str.encode) else ["the list of variables differs"]
    asked, wanted = [], []
    for name, data_type, dims, data in found:
        if dims != list(shapes[name]) or data_type != types[name].as_datatype_enum:
            wrong.append("%s: type or shape differs" % name)
        elif data != as_stored(read(reader, pattern, name, types[name])):
            wrong.append("%s: values differ" % name)
        plain = types[name] not in (tf.string, dtypes.int4, dtypes.uint4, dtypes.float8_e5m2, dtypes.float8_e4m3fn)
        if dims and min(dims) > 0 and plain and len(asked) < 200 and not types[name].is_quantized and types[name] != tf.bfloat16:
            boxes = []
            for n in dims:
                start = int(generator.integers(0, n))
                boxes.append("-" if generator.integers(0, 3) == 0 else "%d,%d" % (start, generator.integers(1, n - start + 1)))
            spec = " ".join(map(str, dims)) + " " + ":".join(boxes)
            try:
                part = tf.raw_ops.RestoreV2(prefix=pattern, tensor_names=[name], shape_and_slices=[spec], dtypes=[types[name]])[0].numpy()
            except tf.errors.OpError:  # types that TensorFlow does not cut
                continue
            asked += [name, spec]
            wanted.append(part)
    for (name, _, dims, data), spec, part in zip(dump(program, prefix, *asked) if asked else [], asked[1::2], wanted):
        if dims != list(part.shape) or data != as_stored(part):
            wrong.append("%s: slice %s differs" % (name, spec))
    print("%-60s %6d variables %4d slices  %s" % (prefix[-60:], len(found), len(wanted), "; ".join(wrong[:3]) or "equal"))
    return not wrong


def prefixes_in(folder):
    out = [p[:-6] for p in glob.glob(os.path.join(folder, "**", "*.index"), recursive=True)]
    for path in glob.glob(os.path.join(folder, "*v1*")):
        if "-of-" not in path:
            out.append(path)
        elif "-00000-of-" in path:
            out.append(path[:path.index("-00000-of-")])
    return sorted(out)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = os.path.join(sys.argv[1], "tests", "ckpt_dump")
    generator = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as large:
        given = sys.argv[2:]
        if not given:
            subprocess.run([sys.executable, os.path.join(HERE, "make_checkpoints.py"), "--large", large], check=True, stderr=subprocess.DEVNULL)
            given = prefixes_in(os.path.join(HERE, "..", "data", "ckpt")) + prefixes_in(large)
        results = [check(program, p, generator) for p in given]
    print("%d of %d checkpoints are read as TensorFlow reads them" % (sum(results), len(results)))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
