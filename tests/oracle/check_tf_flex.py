#!/usr/bin/env python3
"""Operators that are kept as they are: litec's --select-tf-ops and --allow-custom-ops against the official converter's files (operators,
options, types of outputs) and against TensorFlow's numbers: TensorFlow's wheel has no Flex delegate any more, so each Flex operator is
given to TensorFlow as the delegate would give it, and LiteRT runs the rest of the file.

    check_tf_flex.py LITEC [DIR]"""
import os
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import flatbuffers
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from flatbuffers import flexbuffers
from tensorflow.core.framework import node_def_pb2

F = lambda *shape, dtype=tf.float32: tf.TensorSpec(shape, dtype)


def decode_behind(x):
    y = tf.io.decode_raw(x, tf.float32) # [2,?]
    return {"y": tf.nn.relu(y * 2 - 1), "s": tf.reduce_sum(y, -1)}


# name: (function, specs, inputs, official converter too)
FLEX = {
    "decode": (decode_behind, [F(2, dtype=tf.string)], [np.array([np.float32([1, 2, 3]).tobytes(), np.float32([4, .25, 6]).tobytes()], object)], True),
    "parse": (lambda x: {"y": tf.io.parse_single_example(x, {"a": tf.io.FixedLenFeature([2], tf.float32), "b": tf.io.VarLenFeature(tf.int64)})["a"] + 1},
              [F(dtype=tf.string)],
              [np.array(tf.train.Example(features=tf.train.Features(feature={
                  "a": tf.train.Feature(float_list=tf.train.FloatList(value=[3, 4])),
                  "b": tf.train.Feature(int64_list=tf.train.Int64List(value=[7]))})).SerializeToString(), object)], True),
    "png": (lambda x: {"y": tf.cast(tf.io.decode_png(x, channels=1), tf.float32) / 255 - 0.5}, [F(dtype=tf.string)],
            [np.array(tf.io.encode_png(np.arange(12, dtype=np.uint8).reshape(3, 4, 1)).numpy(), object)], True),
    "regex": (lambda x: {"y": tf.strings.length(tf.strings.regex_replace(x, "a+", "b"))}, [F(None, dtype=tf.string)],
              [np.array([b"aaac", b"xyz"], object)], True),
    "branch": (lambda x, c: {"y": tf.cond(c, lambda: tf.io.decode_raw(x, tf.float32), lambda: tf.zeros([1, 2]))},
               [F(1, dtype=tf.string), F(dtype=tf.bool)], [np.array([np.float32([1, 2]).tobytes()], object), np.array(True)], False),
    "two": (lambda x: {"y": tf.strings.to_number(tf.strings.strip(tf.strings.regex_replace(x, "_", "")))}, [F(None, dtype=tf.string)],
            [np.array([b" 1_2 ", b"3"], object)], False),
    "reshape": (lambda x: {"y": tf.reshape(tf.io.decode_image(x, expand_animations=False), [3, 4, 1])[:2]}, [F(dtype=tf.string)],
                [np.array(tf.io.encode_png(np.arange(12, dtype=np.uint8).reshape(3, 4, 1)).numpy(), object)], True),
    "unranked": (lambda x: {"y": tf.transpose(tf.io.decode_image(x)), "z": tf.nn.max_pool2d(
        tf.cast(tf.expand_dims(tf.io.decode_image(x, expand_animations=False), 0), tf.float32), 2, 2, "VALID")}, [F(dtype=tf.string)],
                 [np.array(tf.io.encode_png(np.arange(16, dtype=np.uint8).reshape(4, 4, 1)).numpy(), object)], False),
}
CUSTOM = {
    "decode": (lambda x: {"y": tf.io.decode_raw(x, tf.float32)}, [F(1, dtype=tf.string)]),
    "glimpse": (lambda x: {"y": tf.raw_ops.ExtractGlimpse(input=x, size=[2, 2], offsets=[[0., 0.]], centered=False)}, [F(1, 8, 8, 1)]),
    "fractional": (lambda x: dict(zip("yrc", tf.raw_ops.FractionalMaxPool(value=x, pooling_ratio=[1.0, 1.44, 1.73, 1.0], seed=300, seed2=-70000))),
                   [F(1, 8, 8, 1)]),
    "csv": (lambda x: dict(zip("ab", tf.io.decode_csv(x, [[0.0], [1]], select_cols=[1, 700]))), [F(None, dtype=tf.string)]),
    "unbatch": (lambda x: {"y": tf.raw_ops.DebugIdentityV2(input=x, tfdbg_context_id="c" * 300, output_slot=-1, tensor_debug_mode=2,
                                                           debug_urls=["file:///tmp/a", "b"])}, [F(3)]),
    "png": (lambda x: {"y": tf.io.encode_png(x)}, [F(3, 4, 1, dtype=tf.uint8)]),
    "ngrams": (lambda x: {"y": tf.raw_ops.StringNGrams(data=x, data_splits=tf.constant([0, 3], tf.int64), separator="-", ngram_widths=[1, 2],
                                                       left_pad="", right_pad="é", pad_width=0, preserve_short_sequences=True)[0]},
               [F(3, dtype=tf.string)]),
}


def save(function, specs, path):
    module = tf.Module()
    module.f = tf.function(function, input_signature=specs)
    tf.saved_model.save(module, path, signatures=module.f.get_concrete_function())


def official(path, flex):
    converter = tf.lite.TFLiteConverter.from_saved_model(path)
    ops = [tf.lite.OpsSet.TFLITE_BUILTINS] + ([tf.lite.OpsSet.SELECT_TF_OPS] if flex else [])
    converter.target_spec.supported_ops = ops
    converter.allow_custom_ops = not flex
    return converter.convert()


def custom_ops(data):
    """code -> (raw options, what they mean, types of outputs)"""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    found = {}
    for graph in model.subgraphs:
        for op in graph.operators:
            code = model.operatorCodes[op.opcodeIndex]
            if code.customCode is None:
                continue
            raw = bytes(op.customOptions)
            value = flexbuffers.GetRoot(bytearray(raw)).Value
            if isinstance(value, list):
                node = node_def_pb2.NodeDef.FromString(value[1].encode("utf8") if isinstance(value[1], str) else bytes(value[1]))
                node.ClearField("experimental_debug_info")
                value = (value[0], node.op, len(node.input), sorted((k, v.SerializeToString()) for k, v in node.attr.items()))
            types = [graph.tensors[t].type for t in op.outputs]
            found.setdefault(code.customCode.decode(), []).append((raw, value, types))
    return found


def litec(program, path, out, *flags):
    done = subprocess.run([program, "convert", path, "-o", out, *flags], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return open(out, "rb").read()


def compare(ours, theirs, exact):
    if set(ours) - set(theirs): # it may have fewer: what litec knows as builtin
        return "has %s, the official one %s" % (sorted(ours), sorted(theirs))
    for code, ops in ours.items():
        for (raw, value, types), (their_raw, their_value, their_types) in zip(ops, theirs[code]):
            if value != their_value:
                return "%s: options\n  %s\n  %s" % (code, value, their_value)
            if exact and raw != their_raw:
                return "%s: bytes\n  %s\n  %s" % (code, raw.hex(), their_raw.hex())
            if types[:len(their_types)] != their_types:
                return "%s: types %s, not %s" % (code, types, their_types)
    return None


def run_node(node, values):
    """What TensorFlow gives for a NodeDef with these inputs."""
    with tf.Graph().as_default() as graph:
        graph_def = tf.compat.v1.GraphDef()
        for i, v in enumerate(values):
            item = graph_def.node.add(name="in%d" % i, op="Placeholder")
            item.attr["dtype"].type = tf.as_dtype(tf.string if v.dtype == object else v.dtype).as_datatype_enum
        added = graph_def.node.add()
        added.CopyFrom(node)
        added.name = "n"
        added.ClearField("input")
        added.input.extend("in%d" % i for i in range(len(values)))
        tf.import_graph_def(graph_def, name="")
        outputs = graph.get_operation_by_name("n").outputs
        with tf.compat.v1.Session() as session:
            return session.run(outputs, {"in%d:0" % i: v for i, v in enumerate(values)})


def constant(model, tensor):
    raw = model.buffers[tensor.buffer].data
    if raw is None:
        return None
    raw, shape = bytes(raw), [] if tensor.shape is None else list(tensor.shape)
    if tensor.type == schema.TensorType.STRING:
        n = int(np.frombuffer(raw, np.int32, 1)[0])
        at = np.frombuffer(raw, np.int32, n + 1, 4)
        return np.array([raw[at[i]:at[i + 1]] for i in range(n)] + [None], object)[:-1].reshape(shape)
    types = {0: np.float32, 2: np.int32, 3: np.uint8, 4: np.int64, 6: np.bool_, 10: np.float64}
    return np.frombuffer(raw, types[tensor.type]).reshape(shape)


def run(path, specs, inputs, function):
    """Flex operators at the beginning are run by TensorFlow, their outputs become inputs of what is left."""
    data = open(path, "rb").read()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    graph, signature = model.subgraphs[0], model.signatureDefs[0]
    names = list(function.__code__.co_varnames[:len(specs)])
    values = {t.tensorIndex: x for t in signature.inputs for name, x in zip(names, inputs) if t.name.decode() == name}
    left = []
    for op in graph.operators:
        code = model.operatorCodes[op.opcodeIndex].customCode
        if code is None:
            left.append(op)
            continue
        read = [values[t] if t in values else constant(model, graph.tensors[t]) for t in op.inputs]
        vector = flexbuffers.GetRoot(bytearray(bytes(op.customOptions))).AsVector
        node = node_def_pb2.NodeDef.FromString(vector[1].AsStringBytes)
        made = run_node(node, [np.asarray(v, object) if isinstance(v, bytes) else v for v in read])
        for t, v in zip(op.outputs, made):
            tensor = graph.tensors[t]
            if tensor.shapeSignature is not None or tensor.shape is not None:
                declared = list(tensor.shapeSignature if tensor.shapeSignature is not None else tensor.shape)
                shape = list(np.shape(v))
                if tensor.hasRank and (len(declared) != len(shape) or any(d not in (-1, s) for d, s in zip(declared, shape))):
                    return "output of %s is %s, declared %s" % (code.decode(), shape, declared)
            values[t] = np.asarray(v)
    outputs = {t.name.decode(): t.tensorIndex for t in signature.outputs}
    if left:
        used = {t for op in left for t in op.inputs} | set(outputs.values())
        graph.operators, model.signatureDefs = left, None
        graph.inputs = [t for t in values if t in used]
        order = list(outputs.values())
        graph.outputs = order
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), b"TFL3")
        interpreter = Interpreter(model_content=bytes(builder.Output()))
        details = interpreter.get_input_details()
        for d, t in zip(details, graph.inputs):
            interpreter.resize_tensor_input(d["index"], np.shape(values[t]))
        interpreter.allocate_tensors()
        for d, t in zip(details, graph.inputs):
            interpreter.set_tensor(d["index"], values[t])
        interpreter.invoke()
        for d, t in zip(interpreter.get_output_details(), order):
            values[t] = interpreter.get_tensor(d["index"])
    want = function(*[tf.constant(x.tolist() if x.dtype == object else x) for x in inputs])
    for key, value in want.items():
        value, got = value.numpy(), values[outputs[key]]
        value = np.asarray(value)
        if value.dtype.kind in "OSU":
            same = value.tolist() == got.tolist()
        else:
            same = got.shape == value.shape and np.allclose(got, value, rtol=1e-5, atol=1e-6)
        if not same:
            return "%s: %s, not %s" % (key, got, value)
    return None


def main():
    program, where = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp()
    bad = 0
    for kind, cases in (("flex", FLEX), ("custom", CUSTOM)):
        for name, case in cases.items():
            path, out = os.path.join(where, "%s_%s" % (kind, name)), os.path.join(where, "%s_%s.tflite" % (kind, name))
            try:
                save(case[0], case[1], path)
                ours = litec(program, path, out, "--select-tf-ops" if kind == "flex" else "--allow-custom-ops")
                error = None
                found = custom_ops(ours)
                if not found:
                    error = "has no custom operator"
                if not error and (kind == "custom" or case[3]):
                    error = compare(found, custom_ops(official(path, kind == "flex")), kind == "custom")
                if not error and kind == "flex" and name not in ("branch", "unranked"): # there they do not come first
                    error = run(out, case[1], case[2], case[0])
            except Exception as e: # the cases after it are to be seen too
                error = "%s: %s" % (type(e).__name__, str(e)[:600])
            print("%-6s %-12s %s" % (kind, name, error or "ok " + ", ".join(found)))
            bad += error is not None
    sys.exit(bad > 0)


main()
