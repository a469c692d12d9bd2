"""make_checkpoints.py: the checkpoints of tests/data/ckpt, written by TensorFlow, and a larger family for check_checkpoints.py.

    python tests/oracle/make_checkpoints.py                 the small ones, into tests/data/ckpt
    python tests/oracle/make_checkpoints.py --large DIR     many variables, long values, several blocks and shards, into DIR

Element k of a variable has the value k + 1 (bool: k is odd; complex: (k + 1) - (k + 1)i; strings: see below), so that the tests know it.
TensorFlow no longer compresses tables but reads those that are: snappy blocks are made here from its own tables, by libsnappy.
"""
import argparse
import ctypes
import ctypes.util
import os
import shutil
import struct
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import dtypes

tf1 = tf.compat.v1
HERE = os.path.dirname(os.path.abspath(__file__))

PLAIN = ["float32", "float64", "int32", "uint8", "int16", "int8", "int64", "uint16", "uint32", "uint64", "float16", "bfloat16",
         "complex64", "complex128", "bool", "float8_e5m2", "float8_e4m3fn", "int4", "uint4", "qint8", "quint8", "qint16", "quint16", "qint32"]
V1_TYPES = ["float32", "float64", "int32", "uint8", "int16", "int8", "int64", "complex64", "complex128", "bool", "float16"]
TEXTS = [b"", b"one", "z\u00fcrich".encode(), b"a\0b", b"x" * 300, b"last"]


def values(name, shape):
    """A tensor of type `name` whose element k is k + 1."""
    count = np.arange(1, int(np.prod(shape)) + 1).reshape(shape)
    if name == "bool":
        return tf.constant(count % 2 == 0)
    if name.startswith("complex"):
        return tf.constant((count - 1j * count).astype(name))
    if name.startswith("float8"):
        return tf.cast(tf.constant(count, tf.float32), getattr(dtypes, name))
    if name in ("int4", "uint4"):
        return tf.cast(tf.constant(count, tf.int32), getattr(dtypes, name))
    if name.startswith("q"):
        return tf.bitcast(tf.constant(count, getattr(tf, {"qint8": "int8", "quint8": "uint8", "qint16": "int16", "quint16": "uint16",
                                                          "qint32": "int32"}[name])), getattr(dtypes, name))
    return tf.cast(tf.constant(count), getattr(tf, name)) if name != "uint64" else tf.constant(count.astype(np.uint64))


def save_v2(prefix, entries):
    """entries: (name, spec, tensor)."""
    tf.raw_ops.SaveV2(prefix=prefix, tensor_names=[e[0] for e in entries], shape_and_slices=[e[1] for e in entries],
                      tensors=[e[2] for e in entries])


def save_shards(prefix, shards):
    """A list of entries for each shard, merged as a distributed Saver does."""
    made = ["%s_part%d" % (prefix, i) for i in range(len(shards))]
    for path, entries in zip(made, shards):
        save_v2(path, entries)
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=made, destination_prefix=prefix)


def grid(name, shape, parts):
    """A variable cut in all dimensions, as entries."""
    whole = np.arange(1, int(np.prod(shape)) + 1, dtype=np.float32).reshape(shape)
    out = []
    for index in np.ndindex(*[len(p) for p in parts]):
        start = [sum(p[:i]) for p, i in zip(parts, index)]
        length = [p[i] for p, i in zip(parts, index)]
        spec = " ".join(map(str, shape)) + " " + ":".join("%d,%d" % b for b in zip(start, length))
        out.append((name, spec, tf.constant(whole[tuple(slice(s, s + n) for s, n in zip(start, length))])))
    return out


def save_v1(path, entries):
    """entries: (name, spec, tensor)."""
    tf.raw_ops.SaveSlices(filename=path, tensor_names=[e[0] for e in entries], shapes_and_slices=[e[1] for e in entries],
                          data=[e[2] for e in entries])


def saver(prefix, version):
    """What users have: variables, some partitioned, and tf.compat.v1.train.Saver."""
    graph = tf1.Graph()
    with graph.as_default(), tf1.Session(graph=graph) as session:
        part = tf1.fixed_size_partitioner
        w = tf1.get_variable("dense/kernel", initializer=tf.reshape(tf.range(1.0, 13.0), [4, 3]), use_resource=True)
        tf1.get_variable("dense/bias", initializer=tf.range(1.0, 4.0), use_resource=False)
        counter = lambda shape, dtype=None, partition_info=None: tf.reshape(  # each part its own range of the whole
            tf.range(1.0, 22.0)[partition_info.var_offset[0] * 3:(partition_info.var_offset[0] + shape[0]) * 3], shape)
        tf1.get_variable("embedding", shape=[7, 3], initializer=counter, partitioner=part(3, 0), use_resource=True)
        tf1.train.get_or_create_global_step()
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver(write_version=version).save(session, prefix, write_meta_graph=False, global_step=None)


def load_snappy():
    lib = ctypes.CDLL(ctypes.util.find_library("snappy") or "libsnappy.so.1")

    def compress(data):
        size = ctypes.c_size_t(lib.snappy_max_compressed_length(ctypes.c_size_t(len(data))))
        out = ctypes.create_string_buffer(size.value)
        if lib.snappy_compress(data, ctypes.c_size_t(len(data)), out, ctypes.byref(size)):
            sys.exit("snappy_compress failed")
        return out.raw[:size.value]

    lib.snappy_max_compressed_length.restype = ctypes.c_size_t
    return compress


def crc32c(data):
    """Bit by bit: for a few hundred bytes."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def mask(crc):
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def read_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def put_varint(v):
    out = b""
    while v > 127:
        out, v = out + bytes([v & 127 | 128]), v >> 7
    return out + bytes([v])


def block_entries(data):
    restarts = struct.unpack_from("<I", data, len(data) - 4)[0]
    at, key, end = 0, b"", len(data) - 4 - 4 * restarts
    while at < end:
        shared, at = read_varint(data, at)
        rest, at = read_varint(data, at)
        size, at = read_varint(data, at)
        key = key[:shared] + data[at:at + rest]
        yield key, data[at + rest:at + rest + size]
        at += rest + size


def recompress(path, to):
    """The same table with every block compressed."""
    compress, data, out = load_snappy(), open(path, "rb").read(), b""
    at = len(data) - 48
    _, at = read_varint(data, at)
    _, at = read_varint(data, at)
    index_at, at = read_varint(data, at)
    index_size, at = read_varint(data, at)

    def add(block):
        nonlocal out
        packed = compress(block) + b"\1"
        handle = put_varint(len(out)) + put_varint(len(packed) - 1)
        out += packed + struct.pack("<I", mask(crc32c(packed)))
        return handle

    index, restarts = b"", []
    for key, handle in block_entries(data[index_at:index_at + index_size]):
        offset, used = read_varint(handle, 0)
        size, _ = read_varint(handle, used)
        moved = add(data[offset:offset + size])
        restarts.append(len(index))
        index += b"\0" + put_varint(len(key)) + put_varint(len(moved)) + key + moved
    meta = add(struct.pack("<II", 0, 1))
    top = add(index + struct.pack("<%dI" % (len(restarts) + 1), *restarts, len(restarts)))
    footer = meta + top
    out += footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    with open(to, "wb") as f:
        f.write(out)


def make_small(out):
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    at = lambda name: os.path.join(out, name)

    types = [("type/" + n, "", values(n, [2, 3])) for n in PLAIN]
    types += [("scalar/float32", "", tf.constant(1.0)), ("scalar/string", "", tf.constant(b"text")), ("empty/float32", "", tf.zeros([0, 3])),
              ("empty/string", "", tf.constant([], tf.string)), ("type/string", "", tf.reshape(tf.constant(TEXTS), [2, 3]))]
    save_v2(at("types"), sorted(types, key=lambda e: e[0]))

    save_shards(at("shards"), [[("a/first", "", values("float32", [3]))], [("b/second", "", values("int64", [2, 2]))],
                               [("c/third", "", values("float16", [5]))]])
    cut, far = grid("cut", [4, 5, 3], [[1, 3], [2, 2, 1], [3]]), grid("far", [300, 1], [[70, 100, 130], [1]])
    save_shards(at("grid"), [cut[:4] + far[:1], cut[4:] + far[1:] + [("rows", "4 2 -:-", values("float32", [4, 2]))]])
    saver(at("saver"), tf1.train.SaverDef.V2)
    saver(at("saver_v1"), tf1.train.SaverDef.V1)

    v1 = [("type/" + n, "", values(n, [2, 3])) for n in V1_TYPES]
    v1 += [("type/string", "", tf.reshape(tf.constant(TEXTS), [2, 3])), ("scalar", "", tf.constant(1.0)), ("empty", "", tf.zeros([0, 3])),
           ("negative/int8", "", tf.constant([-1, -128, 127], tf.int8)), ("negative/int64", "", tf.constant([-1, -2**63, 2**63 - 1], tf.int64))]
    save_v1(at("v1"), v1)
    recompress(at("v1"), at("v1_snappy"))
    save_v1(at("v1_shards-00000-of-00002"), cut[:3] + [("only/first", "", values("int32", [4]))])
    save_v1(at("v1_shards-00001-of-00002"), cut[3:] + [("only/second", "", values("float32", [4]))])

    save_v2(at("plain"), [("w", "", values("float32", [2, 2]))])
    recompress(at("plain.index"), at("snappy.index"))
    shutil.copy(at("plain.data-00000-of-00001"), at("snappy.data-00000-of-00001"))
    for name in ("plain.index", "plain.data-00000-of-00001"):
        os.remove(at(name))

    layer = tf.Module()
    layer.kernel = tf.Variable(tf.reshape(tf.range(1.0, 7.0), [2, 3]))
    root = tf.train.Checkpoint(step=tf.Variable(1, dtype=tf.int64), layer=layer)
    os.makedirs(at("objects"))
    tf.train.CheckpointManager(root, at("objects"), max_to_keep=1, checkpoint_name="ckpt").save()
    os.remove(at("checkpoint"))


def make_large(out):
    os.makedirs(out, exist_ok=True)
    at = lambda name: os.path.join(out, name)
    generator = np.random.default_rng(5)
    names = ["tower_%d/block_%d/layer_%d/%s" % (a, b, c, n) for a in range(4) for b in range(24) for c in range(40)
             for n in ("kernel", "bias", "kernel/Adam", "kernel/Adam_1")]
    many = [(n, "", tf.constant(generator.standard_normal(1 + i % 7).astype(np.float32))) for i, n in enumerate(sorted(names))]
    save_v2(at("many"), many)
    save_v1(at("many_v1"), many)
    big = [("big/%d" % i, "", tf.constant(generator.standard_normal([1000, 300 + i]).astype(np.float32))) for i in range(4)]
    big += [("big/half", "", tf.constant(generator.standard_normal([500, 200]).astype(np.float16))),
            ("big/int", "", tf.constant(generator.integers(-2**31, 2**31, [500, 200]), tf.int32)),
            ("big/text", "", tf.constant([bytes(generator.integers(0, 256, int(n), np.uint8)) for n in generator.integers(0, 5000, 400)]))]
    save_v2(at("big"), big)
    save_v1(at("big_v1"), big)
    for name in ("many", "big"):
        recompress(at(name + ".index"), at(name + "_snappy.index"))
        shutil.copy(at(name + ".data-00000-of-00001"), at(name + "_snappy.data-00000-of-00001"))
    recompress(at("many_v1"), at("many_v1_snappy"))
    cuts = []
    for i in range(40):
        shape = [int(n) for n in generator.integers(1, 9, int(generator.integers(1, 5)))]
        points = [sorted(set(int(p) for p in generator.integers(0, n, 3)) | {0, n}) for n in shape]
        cuts += grid("cut/%02d" % i, shape, [[b - a for a, b in zip(p, p[1:])] for p in points])
    save_shards(at("cuts"), [cuts[k::3] for k in range(3)])
    for k in range(3):
        save_v1(at("cuts_v1-%05d-of-00003" % k), cuts[k::3])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", metavar="DIR", help="make the larger family there")
    arguments = parser.parse_args()
    if arguments.large:
        make_large(arguments.large)
    else:
        make_small(os.path.normpath(os.path.join(HERE, "..", "data", "ckpt")))


if __name__ == "__main__":
    main()
