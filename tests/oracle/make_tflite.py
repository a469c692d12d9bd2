"""Makes the small real .tflite files of tests/data/tflite with TensorFlow's own converter.

    python3 tests/oracle/make_tflite.py [OUT_DIR]

Between them they have what the schema tests want to see in files that litec did not write: several graphs, two signatures,
variables, per-channel quantisation, metadata, custom options, string tensors and buffers behind the flatbuffer.
"""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "data", "tflite")


def weights(*shape, scale=0.1):
    n = int(np.prod(shape))
    return ((np.arange(n) % 17 - 8) * scale / 8).astype(np.float32).reshape(shape)


def save(name, converter):
    data = converter.convert()
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(data)
    print(name, len(data))


class Conv(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.constant(weights(3, 3, 1, 4))
        self.d = tf.constant(weights(4 * 4 * 4, 3))

    @tf.function(input_signature=[tf.TensorSpec([1, 8, 8, 1], tf.float32)])
    def run(self, x):
        y = tf.nn.relu(tf.nn.conv2d(x, self.w, 2, "SAME"))
        return tf.nn.softmax(tf.reshape(y, [1, 64]) @ self.d)


class Flow(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([4], tf.float32), tf.TensorSpec([], tf.int32)])
    def run(self, x, n):
        i, y = tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y * 2.0), [tf.constant(0), x])
        return tf.cond(tf.reduce_sum(y) > 10.0, lambda: y - 1.0, lambda: y + 1.0)


class Counter(tf.Module):
    def __init__(self):
        super().__init__()
        self.v = tf.Variable([0.0, 0.0], name="v")

    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
    def add(self, x):
        self.v.assign_add(x)
        return {"sum": self.v.read_value()}

    @tf.function(input_signature=[])
    def get(self):
        return {"value": self.v.read_value()}


class Strings(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([1], tf.int32)])
    def run(self, i):
        return tf.gather(tf.constant(["zero", "one", "", "zwölf"]), i)


def from_module(m, *functions):
    c = tf.lite.TFLiteConverter.from_concrete_functions([f.get_concrete_function() for f in functions], m)
    return c


def main():
    os.makedirs(OUT, exist_ok=True)
    conv = Conv()
    save("conv_float.tflite", from_module(conv, conv.run))
    c = from_module(conv, conv.run)
    c.optimizations = [tf.lite.Optimize.DEFAULT]
    c.representative_dataset = lambda: ([np.full((1, 8, 8, 1), v, np.float32)] for v in (0.0, 0.5, 1.0))
    c.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    save("conv_int8.tflite", c)
    c = from_module(conv, conv.run)
    c._experimental_use_buffer_offset = True
    save("conv_buffers_behind.tflite", c)
    flow = Flow()
    save("if_while.tflite", from_module(flow, flow.run))
    counter = Counter()
    with __import__("tempfile").TemporaryDirectory() as d:
        tf.saved_model.save(counter, d, signatures={"add": counter.add, "get": counter.get})
        c = tf.lite.TFLiteConverter.from_saved_model(d, signature_keys=["add", "get"])
        c.experimental_enable_resource_variables = True
        save("variables_two_signatures.tflite", c)
    strings = Strings()
    save("strings.tflite", from_module(strings, strings.run))

    @tf.function(input_signature=[tf.TensorSpec([2, 3], tf.float32)])
    def custom(x):
        return tf.raw_ops.Atan2(y=x, x=x + 1.0), tf.raw_ops.Betainc(a=x + 1.0, b=x + 1.0, x=x)

    c = tf.lite.TFLiteConverter.from_concrete_functions([custom.get_concrete_function()])
    c.allow_custom_ops = True
    save("custom_op.tflite", c)


main()
