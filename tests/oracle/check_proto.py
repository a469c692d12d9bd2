"""Lets TensorFlow's protobuf judge src/proto: the same messages in wire and text form, both ways.

    python3 check_proto.py PROTO_TOOL [--seed N] [--rounds N] [FILE ...]

PROTO_TOOL is <build>/tests/proto_tool. FILEs are SavedModels, GraphDefs (.pb, .pbtxt) and MetaGraphDefs (.meta) of TensorFlow. Then come
random messages of every kind that src/proto/messages.def lists, with every field and the ends of every range (--rounds of each, 10 unless told).

Of each: what litec writes after reading the wire form, or the text form as text_format prints it, and what litec prints, must parse to the
message we began with. Exit 1 when one does not. Without TensorFlow there is nothing to compare with: it says so and exits 0.
"""
import argparse, os, random, re, subprocess, sys, tempfile
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
try:
    from google.protobuf import text_format
    from google.protobuf.descriptor import FieldDescriptor as F
    from google.protobuf.message_factory import GetMessageClass
    from tensorflow.core.framework import graph_pb2, op_def_pb2, variable_pb2
    from tensorflow.core.protobuf import control_flow_pb2, meta_graph_pb2, saved_model_pb2, tensor_bundle_pb2, trackable_object_graph_pb2
    from tensorflow.core.util import saved_tensor_slice_pb2
    from tensorflow.python.training import checkpoint_state_pb2
except ImportError as e:
    print(f'skipped: {e}')
    sys.exit(0)

p = argparse.ArgumentParser()
p.add_argument('tool')
p.add_argument('--seed', type=int, default=1)
p.add_argument('--rounds', type=int, default=10)
p.add_argument('files', nargs='*')
args = p.parse_intermixed_args()

ROOTS = [saved_model_pb2.SavedModel, op_def_pb2.OpList, trackable_object_graph_pb2.TrackableObjectGraph, tensor_bundle_pb2.BundleHeaderProto,
         tensor_bundle_pb2.BundleEntryProto, saved_tensor_slice_pb2.SavedTensorSlices, checkpoint_state_pb2.CheckpointState,
         variable_pb2.VariableDef, control_flow_pb2.CondContextDef]


def name_of(d): return re.sub(r'^(tensorflow|google\.protobuf)\.', '', d.full_name).replace('.', '_')


def is_many(f): return f.is_repeated if hasattr(f, 'is_repeated') else f.label == F.LABEL_REPEATED


def is_map(f): return f.message_type is not None and f.message_type.GetOptions().map_entry


found = {}


def collect(d):
    if d.full_name in found: return
    found[d.full_name] = d
    for f in d.fields:
        if f.message_type is not None: collect(f.message_type)


INTS = {F.TYPE_INT32: 31, F.TYPE_SINT32: 31, F.TYPE_SFIXED32: 31, F.TYPE_INT64: 63, F.TYPE_SINT64: 63, F.TYPE_SFIXED64: 63}


def scalar(f, rng):
    t = f.type
    if t == F.TYPE_STRING: return rng.choice(['', 'a', 'model/conv/w:0', 'é\u4e2d\U0001f600', '"\'\\\n\t\r\x07?', '\u0000'])
    if t == F.TYPE_BYTES: return rng.choice([b'', b'\x00\xff\x80"\n\\', b'abc', bytes(rng.randrange(256) for _ in range(rng.choice([5, 300, 3000])))])
    if t == F.TYPE_BOOL: return rng.random() < 0.5
    if t == F.TYPE_ENUM: return rng.choice([v.number for v in f.enum_type.values])
    if t == F.TYPE_FLOAT: return rng.choice([0.0, -0.0, 1.5, 3.4028234663852886e38, 1e-45, 0.1, float('inf'), float('-inf'), rng.uniform(-9, 9)])
    if t == F.TYPE_DOUBLE: return rng.choice([0.0, -0.0, 1.7976931348623157e308, 5e-324, 0.1, float('inf'), float('-inf'), rng.uniform(-9, 9)])
    if t in INTS: return rng.choice([0, 1, -1, (1 << INTS[t]) - 1, -(1 << INTS[t]), 127, 128, 300, -300])
    wide = t in (F.TYPE_UINT64, F.TYPE_FIXED64)
    return rng.choice([0, 1, 127, 128, 300, (1 << 31), (1 << (64 if wide else 32)) - 1])


def fill(m, depth, rng, often):
    for f in m.DESCRIPTOR.fields:
        if rng.random() > often or (f.message_type is not None and depth == 0): continue
        if is_map(f):
            entries, key, val = getattr(m, f.name), f.message_type.fields_by_name['key'], f.message_type.fields_by_name['value']
            for _ in range(rng.choice([1, 2, 30 if depth < 2 else 3])):
                k = scalar(key, rng)
                if val.message_type is None: entries[k] = scalar(val, rng)
                else: fill(entries[k], depth - 1, rng, often)
        elif is_many(f):
            for _ in range(rng.choice([1, 2, 3])):
                if f.message_type is None: getattr(m, f.name).append(scalar(f, rng))
                else: fill(getattr(m, f.name).add(), depth - 1, rng, often)
        elif f.message_type is not None:
            getattr(m, f.name).SetInParent()
            fill(getattr(m, f.name), depth - 1, rng, often)
        else: setattr(m, f.name, scalar(f, rng))


folder = tempfile.TemporaryDirectory()
tool = subprocess.Popen([args.tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
checks = bad = 0


def ask(form, name, data):
    path = os.path.join(folder.name, 'in')
    with open(path, 'wb') as f: f.write(data)
    tool.stdin.write(f'{form} {name} {path} {folder.name}/out\n')
    tool.stdin.flush()
    answer = tool.stdout.readline().strip()
    if answer != 'ok': return answer, b'', ''
    return answer, open(f'{folder.name}/out.wire', 'rb').read(), open(f'{folder.name}/out.text', encoding='ascii').read()


def judge(what, m, forms):
    global checks, bad
    cls, name, wire = type(m), name_of(m.DESCRIPTOR), m.SerializeToString(deterministic=True)
    for form, data in forms:
        if not data: continue  # an empty file is no file
        checks += 1
        answer, out, text = ask(form, name, data)
        why = None if answer == 'ok' else answer
        if why is None and cls.FromString(out).SerializeToString(deterministic=True) != wire: why = 'the wire form differs'
        if why is None:
            try:
                if text_format.Parse(text, cls()).SerializeToString(deterministic=True) != wire: why = 'the text differs'
            except text_format.ParseError as e: why = f'text_format: {e}'
        if why is not None:
            bad += 1
            print(f'{what} ({form}): {why}')


def forms_of(m):
    once = text_format.MessageToString(m)
    return [('wire', m.SerializeToString()), ('text', once.encode()),
            ('text', text_format.MessageToString(m, as_utf8=True, use_short_repeated_primitives=True).encode()),
            ('text', text_format.MessageToString(m, as_one_line=True, pointy_brackets=True, use_index_order=True).encode())]


for path in args.files:
    data = open(path, 'rb').read()
    cls = (saved_model_pb2.SavedModel if 'saved_model.pb' in path else meta_graph_pb2.MetaGraphDef if path.endswith('.meta') else graph_pb2.GraphDef)
    m = text_format.Parse(data.decode(), cls()) if path.endswith('txt') else cls.FromString(data)
    judge(path, m, [('text' if path.endswith('txt') else 'wire', data)] + forms_of(m))
for r in ROOTS: collect(r.DESCRIPTOR)
rng = random.Random(args.seed)
for d in found.values():
    for i in range(args.rounds):
        m = GetMessageClass(d)()
        fill(m, rng.choice([1, 2, 3, 4]), rng, 1.0 if i == 0 else rng.choice([0.2, 0.5, 0.8]) if len(d.fields) > 2 else 0.9)
        if m.ByteSize() < 300000: judge(f'{d.full_name} {i}', m, forms_of(m))
tool.stdin.close()
print(f'{len(found)} messages, {len(args.files)} files: {checks} checks, {bad} differ')
sys.exit(1 if bad else 0)
