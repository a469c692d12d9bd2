"""Data for tests/cli/run.sh, in tests/data/cli: a digit as JPEG in several forms, small models for large batches, one that takes text.

    python tests/oracle/make_cli_cases.py        needs TensorFlow
"""
import os
import struct
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OUT = os.path.join(ROOT, "tests", "data", "cli")


def save(name, data):
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(data)


def exif(orientation):
    """An APP1 segment that says how the picture is to be turned."""
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def pictures():
    with open(os.path.join(ROOT, "examples", "digits", "seven.png"), "rb") as f:
        grey = tf.io.decode_png(f.read()).numpy()[:, :, :1]
    rgb = np.repeat(grey, 3, 2)
    jpeg = tf.io.encode_jpeg(grey, quality=92).numpy()
    save("grey.jpg", jpeg)
    save("rgb.jpg", tf.io.encode_jpeg(rgb, quality=92).numpy())
    save("progressive.jpg", tf.io.encode_jpeg(rgb, quality=92, progressive=True).numpy())
    save("large.jpg", tf.io.encode_jpeg(tf.cast(tf.image.resize(grey, [168, 112]), tf.uint8)).numpy())
    save("turned.jpg", jpeg[:2] + exif(6) + jpeg[2:])  # upright as stored; a viewer turns it


def wide(x):
    """x, by way of 8192 numbers for each of its own: rows that cost memory."""
    return tf.reduce_mean(tf.tile(tf.expand_dims(x, 2), [1, 1, 8192]), 2)


MODELS = {
    "rows.tflite": lambda x: wide(x) * 2,  # each row by itself
    "less_mean.tflite": lambda x: wide(x) - tf.reduce_mean(x, 0, keepdims=True),  # all rows matter to each
    "running_sum.tflite": lambda x: tf.cumsum(wide(x), 0),  # those before matter
}


def models():
    for name, function in MODELS.items():
        concrete = tf.function(function, input_signature=[tf.TensorSpec([None, 4], tf.float32)]).get_concrete_function()
        save(name, tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())


def any_rank():
    """Twice x, whose number of dimensions is open."""
    concrete = tf.function(lambda x: x * 2, input_signature=[tf.TensorSpec(None, tf.float32)]).get_concrete_function()
    save("any_rank.tflite", tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())


class Text(tf.Module):
    """Two signatures: words picked by index, and words looked up in a table."""

    def __init__(self):
        values = tf.lookup.KeyValueTensorInitializer(tf.constant(["one", "zwei", "\u00e9"]), tf.constant([1, 2, 3], tf.int64))
        self.table = tf.lookup.StaticHashTable(values, -1)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "words"), tf.TensorSpec([None], tf.int32, "which")])
    def pick(self, words, which):
        return {"picked": tf.gather(words, which)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "words")])
    def look(self, words):
        return {"numbers": self.table.lookup(words)}


def text():
    m = Text()
    with tempfile.TemporaryDirectory() as d:
        tf.saved_model.save(m, d, signatures={"pick": m.pick, "look": m.look})
        save("text.tflite", tf.lite.TFLiteConverter.from_saved_model(d, signature_keys=["pick", "look"]).convert())


def odd():
    """Outputs of types that NumPy does not have, and an input whose name holds what separates it from its file."""
    from op_models import INT4, M
    m = M()
    x, small, short = m.input(np.float32, [4], name="x=1=2"), m.output(INT4, [4], scale=1.0), m.output(18, [4])  # 18: bfloat16
    m.op("QUANTIZE", [x], [small])
    m.op("CAST", [x], [short], in_data_type=0, out_data_type=18)
    save("odd.tflite", m.bytes())


os.makedirs(OUT, exist_ok=True)
pictures()
models()
text()
odd()
any_rank()
