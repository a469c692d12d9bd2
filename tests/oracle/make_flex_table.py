#!/usr/bin/env python3
"""Writes src/lower/tf_flex.def: TensorFlow's operators that the Flex delegate runs, and others that a graph may hold, as facts: names and
types of outputs, shapes that TensorFlow's own inference gives whatever the inputs are, default attributes.

    make_flex_table.py ALLOWLISTED_FLEX_OPS_CC > src/lower/tf_flex.def

ALLOWLISTED_FLEX_OPS_CC is tflite/converter/delegates/flex/allowlisted_flex_ops.cc of google-ai-edge/LiteRT. Needs TensorFlow 2.21."""
import inspect
import os
import re
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.framework import ops as tf_ops

TYPES = {1: "float", 3: "int32", 9: "int64", 10: "bool", 7: "string"}
# What no inference graph holds, or only another machine.
LEFT_OUT = re.compile(r"^_|Dataset|Summary|Grad|Iterator|Optimizer|Queue|Minibatch|Cudnn|CandidateSampler|SparseCore|DedupData|TPU|LaunchV2|XlaConcat|"
                      r"XlaSplit|CustomAggregator|MlirPass|Restore|"
                      r"^(Risc|Xla|Tpu|BoostedTrees|IsBoosted|Experimental|DTensor|Sdca|Reader|Barrier|Accumulator|SparseAccumulator|"
                      r"Quantized|Uniform|Nccl|Collective|AllToAll|CrossRep|Relayout|Prelinearize|Infeed|Outfeed|Copy|Composite|"
                      r"Conditional|Delete|Anonymous|ResourceApply|ResourceSparseApply|ResourceAcc|ResourceCond|(Sparse)?Apply|Compute|"
                      r"Save|Stage|Unstage|Map|OrderedMap|Fact|Dummy|Lear|Import|Stats|Mutex|Consume|Global|WorkerH|Sync|Record|ThreadPool|"
                      r"TextLine|TFRecord|WholeFile|FixedLength|LMDB|Identity.|Unbatch|File|KMC2|Kmeans|FakeParam|GetO|GetE|Uncompress|Device|"
                      r"Disable|Batch(Function)?$)")


def load():
    ops = op_def_pb2.OpList()
    ops.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    return {op.name: op for op in ops.op}


def type_of(arg):
    if arg.type_list_attr:
        return "$" + arg.type_list_attr
    return "$" + arg.type_attr if arg.type_attr else str(arg.type)


def outputs(op):
    words = []
    for arg in op.output_arg:
        many = arg.type_list_attr or arg.number_attr
        words.append(arg.name + (":" + many if many else ""))
    return " ".join(words)


def default(value):
    kind = value.WhichOneof("value")
    if kind == "s":
        text = value.s.decode("latin1")
        return None if re.search(r'[^!-~]|["\\]', text) else "s" + text
    if kind == "b":
        return "b%d" % value.b
    if kind == "i":
        return "i%d" % value.i
    if kind == "f":
        return "f" + ("inf" if value.f == float("inf") else "-inf" if value.f == float("-inf") else repr(float("%.9g" % value.f)))
    if kind == "type":
        return "t%d" % value.type
    if kind == "list" and value.list.i:
        return "I" + ",".join(str(v) for v in value.list.i)
    if kind == "list" and value.list.f:
        return "F" + ",".join(repr(float("%.9g" % v)) for v in value.list.f)
    return None # shapes, tensors and empty lists: no custom options either


def defaults(op):
    words = []
    for attr in sorted(op.attr, key=lambda a: a.name):
        if attr.HasField("default_value") and not attr.name.startswith("_"):
            word = default(attr.default_value)
            if word is not None:
                words.append(attr.name + "=" + word)
    return " ".join(words)


def attribute_sets(op):
    """Some choices of attributes: each with the smallest, and with the boolean and number ones changed."""
    base = {}
    for attr in op.attr:
        if attr.type == "type":
            allowed = list(attr.allowed_values.list.type) or [1, 3, 7]
            base[attr.name] = 1 if 1 in allowed else allowed[0]
        elif attr.HasField("default_value"):
            continue
        elif attr.type == "int":
            base[attr.name] = max(attr.minimum, 1)
        elif attr.type == "list(type)":
            base[attr.name] = [1] * max(attr.minimum, 1)
        elif attr.type == "bool":
            base[attr.name] = False
        elif attr.type == "float":
            base[attr.name] = 1.0
        elif attr.type == "string":
            base[attr.name] = attr.allowed_values.list.s[0] if attr.allowed_values.list.s else b"a"
        else:
            return []
    sets = [base]
    for attr in op.attr:
        if attr.type == "bool":
            given = attr.default_value.b if attr.HasField("default_value") else False
            sets.append(dict(base, **{attr.name: not given}))
        elif attr.type == "int" and attr.name not in {a.number_attr for a in list(op.input_arg) + list(op.output_arg)}:
            sets.append(dict(base, **{attr.name: max(attr.minimum, 1) + 2}))
        elif attr.type == "string" and attr.allowed_values.list.s:
            sets += [dict(base, **{attr.name: s}) for s in attr.allowed_values.list.s]
        elif attr.type == "type" and attr.name in ("T", "dtype"):
            for t in list(attr.allowed_values.list.type)[:2]:
                sets.append(dict(base, **{attr.name: t}))
    return sets


def infer(op, attrs, shapes):
    """Shapes of the outputs for placeholders of these shapes (None: unknown), a list of lists."""
    with tf.Graph().as_default() as graph:
        inputs = []
        for i, arg in enumerate(op.input_arg):
            shape = shapes[i] if i < len(shapes) else None
            n = attrs.get(arg.number_attr, 1) if arg.number_attr else 1
            types = attrs.get(arg.type_list_attr) if arg.type_list_attr else [attrs.get(arg.type_attr, 1) if arg.type_attr else arg.type] * n
            made = [tf.compat.v1.placeholder(tf.as_dtype(t), shape) for t in types]
            inputs.append(made if arg.number_attr or arg.type_list_attr else made[0])
        given = {}
        for attr in op.attr:
            if attr.name in attrs:
                value = attrs[attr.name]
                given[attr.name] = [tf.as_dtype(t) for t in value] if attr.type == "list(type)" else tf.as_dtype(value) if attr.type == "type" else value
        taken = inspect.signature(getattr(tf.raw_ops, op.name)).parameters # types of inputs are not among them
        given = {name: value for name, value in given.items() if name in taken}
        names = {arg.name: x for arg, x in zip(op.input_arg, inputs)}
        getattr(tf.raw_ops, op.name)(**names, **given, name="n")
        made = graph.get_operation_by_name("n")
        return [None if o.shape.rank is None else list(o.shape) for o in made.outputs]


def shape_rules(op):
    """For each output: "=" as input 0, "^" inputs 0 and 1 broadcast, "?,2" such a shape whatever comes in, "*" unknown."""
    n = len(op.output_arg)
    if not n or any(a.number_attr or a.type_list_attr for a in op.output_arg) or not hasattr(tf.raw_ops, op.name):
        return "*"
    if any(a.type in ("list(int)", "list(float)", "shape", "list(shape)", "func") for a in op.attr):
        return "*" # the result's shape may follow what they hold
    sets = attribute_sets(op)
    plain = len(op.input_arg) > 0 and not any(a.number_attr or a.type_list_attr for a in op.input_arg[:2])
    rules = None
    trials = {"=": [[s] for s in ([], [7], [None, 5], [2, 3, 4], [3, 4, 4], [2, 3, 5, 6], [1, 3, 1])],
              "^": [([], []), ([3, 1], [1, 5]), ([2, 3], [3]), ([4, 1, 2], [3, 1]), ([None, 5], [5])]}
    for attrs in sets:
        try:
            unknown = infer(op, attrs, [])
        except Exception:
            if attrs is sets[0]:
                return "*"
            continue
        found = []
        for k in range(n):
            rule = "*" if unknown[k] is None else "[%s]" % ",".join("?" if d is None else str(d) for d in unknown[k])
            found.append(rule)
        if plain:
            for sign, lists in trials.items():
                if sign == "^" and len(op.input_arg) < 2:
                    continue
                same = [True] * n
                for shapes in lists:
                    try:
                        got = infer(op, attrs, shapes)
                    except Exception:
                        same = [False] * n
                        break
                    if sign == "^":
                        want = list(tf.broadcast_static_shape(tf.TensorShape(shapes[0]), tf.TensorShape(shapes[1])))
                    else:
                        want = shapes[0]
                    same = [s and got[k] == want for k, s in enumerate(same)]
                for k in range(n):
                    if same[k] and found[k] == "*":
                        found[k] = sign
        rules = found if rules is None else [a if a == b else "*" for a, b in zip(rules, found)]
    if rules is None:
        return "*"
    return "*" if all(r == "*" for r in rules) else " ".join(rules)


HEAD = """/*
 * tf_flex.def: operators of TensorFlow 2.21 as facts, written by tests/oracle/make_flex_table.py from TensorFlow's registry and the list of
 * operators that LiteRT's Flex delegate runs.
 *
 *   LC_FLEX(name, flex, outputs, types, shapes, defaults)
 *
 *   flex      1: the Flex delegate has it
 *   outputs   as in tf.def, but the name of a single one is there too; "": none
 *   types     of each: a number of TensorFlow's DataType, or "$T": the attribute that holds it (a list holds one for each)
 *   shapes    of each: "=" that of input 0, "^" inputs 0 and 1 broadcast, "[?,2]" always such a one, "*" not known; a single "*": of none
 *   defaults  attributes that a file may leave out: name=value, the value behind a letter: b 0 or 1, i integer, f number, s text, t type,
 *             I integers, F numbers
 *
 * Define LC_FLEX before including; it is undefined at the end.
 */
/* clang-format off */
"""


def main():
    allowed = set(re.findall(r'^\s*"([^"]+)",', open(sys.argv[1]).read(), re.M))
    registry = load()
    print(HEAD, end="")
    for name in sorted(registry):
        op = registry[name]
        flex = name in allowed
        if not re.fullmatch(r"\w+", name) or not (flex or (not LEFT_OUT.search(name) and hasattr(tf.raw_ops, name))):
            continue
        if name in ("PartitionedCall", "StatefulPartitionedCall"):
            flex = False # the converter never makes Flex operators of calls
        types = " ".join(type_of(a) for a in op.output_arg)
        print('LC_FLEX(%s, %d, "%s", "%s", "%s", "%s")' % (name, flex, outputs(op), types, shape_rules(op), defaults(op)))
    print("/* clang-format on */\n#undef LC_FLEX")


main()
