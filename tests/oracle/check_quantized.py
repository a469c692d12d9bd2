#!/usr/bin/env python3
"""Every way to quantise, by litec and by TensorFlow's converter, in LiteRT and in litec.

    python3 check_quantized.py BUILD MODELS [--golden DIR --mnist DIR] [--md FILE] [NAME ...]

BUILD has litec and liblitec.so; MODELS is what make_quantized.py made. For each model and mode: `litec convert --quantize`; the file runs in
LiteRT with XNNPACK, its own and its reference kernels, and in litec, whose answer is within one step of the output's scale of one of them;
signal to noise against the float model beside the official file's, made from the same samples; size; operators that stay float; the share of
the operators that XNNPACK takes, and those that it leaves out. --golden: the same for the models there, and the accuracy on all test digits,
which differs from scores.json by at most 0.1 points.
Needs ai_edge_litert and numpy. Exit status 1 when anything is worse than it should be.
"""
import argparse, collections, gzip, json, os, subprocess, sys, tempfile
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', '..', 'bench')]
from ai_edge_litert import schema_py_generated as S
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from check_quantized_ops import DTYPES, Litec, Refused, quantized, real

KERNELS = {'xnnpack': OpResolverType.BUILTIN, 'own': OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, 'reference': OpResolverType.BUILTIN_REF}
NAMES = {v: k for k, v in vars(S.BuiltinOperator).items() if isinstance(v, int)}
IO = ['--input-type', 'int8', '--output-type', 'int8']
# mode: options of litec, the official file beside it, decibels that ours may be below it
MODES = {
    'dynamic': ([], 'dynamic', 2), 'float16': ([], 'float16', 3), 'int8': ([], 'int8', 1), 'int8-io': (IO, 'int8-io', 1),
    'uint8-io': (['--input-type', 'uint8', '--output-type', 'uint8'], 'uint8-io', 1), 'int16x8': ([], 'int16x8', 1),
    'int4': ([], None, 0), 'int4-block': (['--block', '32'], None, 0), 'int8-per-tensor': (['--per-tensor'], None, 0), 'mixed': (['--layer', 'op:*=dynamic', '--layer', '*n*=int8'], None, 0)}
SCHEMES = {'int8-io': 'int8', 'uint8-io': 'int8', 'int4-block': 'int4', 'int8-per-tensor': 'int8', 'mixed': 'int8'}
NEEDS_NO_DATA = ('dynamic', 'float16', 'int4', 'int4-block')
GOLDEN = {'dynamic': 'dynamic', 'float16': 'float16', 'int8': 'int8_float_io', 'int8-io': 'int8_int8_io', 'uint8-io': 'int8_uint8_io', 'int16x8': 'int16x8'}


# what a line of the table is about: official(mode) is a path, which need not exist
Case = collections.namedtuple('Case', 'name source calibrate arrays official')


class File:
    """A .tflite: its bytes, and what its tables say."""

    def __init__(self, path):
        self.path, self.content = path, open(path, 'rb').read()
        m = S.ModelT.InitFromObj(S.Model.GetRootAs(self.content, 0))
        self.graph = g = m.subgraphs[0]
        codes = [NAMES[max(c.builtinCode, c.deprecatedBuiltinCode)] for c in m.operatorCodes]
        self.ops, self.floats, made = collections.Counter(), collections.Counter(), {}
        for sub in m.subgraphs:
            for o in sub.operators or []:
                name, types = codes[o.opcodeIndex], {sub.tensors[t].type for t in (*o.inputs, *o.outputs) if t >= 0}
                self.ops[name] += 1
                if 0 in types and name not in ('QUANTIZE', 'DEQUANTIZE'): self.floats[name] += 1
                if sub is g: made.update({t: (name, o) for t in o.outputs})
        self.inputs = [self.steps(t) for t in g.inputs]
        self.outputs = [self.steps(t) for t in g.outputs]
        # a float output of an integer model: the steps in front of its DEQUANTIZE
        self.step = [self.steps(made[t][1].inputs[0])[1] if made.get(t, ('',))[0] == 'DEQUANTIZE' else how[1] for t, how in zip(g.outputs, self.outputs)]

    def steps(self, t):
        q = self.graph.tensors[t].quantization
        known = q is not None and q.scale is not None and len(q.scale)
        return DTYPES[self.graph.tensors[t].type], float(q.scale[0]) if known else 0.0, int(q.zeroPoint[0]) if known else 0


def run_litert(f, kind, samples):
    """Outputs as real numbers, [sample][output]."""
    it = Interpreter(model_content=f.content, experimental_op_resolver_type=KERNELS[kind], num_threads=1)
    ins, outs = it.get_input_details(), it.get_output_details()
    for d, a in zip(ins, samples[0]): it.resize_tensor_input(d['index'], a.shape)
    it.allocate_tensors()
    result = []
    for xs in samples:
        for d, a, how in zip(ins, xs, f.inputs): it.set_tensor(d['index'], quantized(a, how))
        it.invoke()
        result.append([real(it.get_tensor(d['index']), how) for d, how in zip(outs, f.outputs)])
    return result


def xnnpack(f, samples):
    """The share of the operators that XNNPACK takes, and the names of those that it does not."""
    it = Interpreter(model_content=f.content, experimental_op_resolver_type=KERNELS['xnnpack'], num_threads=1)
    for d, a in zip(it.get_input_details(), samples[0]): it.resize_tensor_input(d['index'], a.shape)
    it.allocate_tensors()
    ops = it._get_ops_details()
    nodes = [o for o in ops if o['op_name'] != 'DELEGATE']
    makes, taken = {t: o['index'] for o in nodes for t in o['outputs']}, set()
    for d in (o for o in ops if o['op_name'] == 'DELEGATE'):
        outside, stack = set(d['inputs']), list(d['outputs'])
        while stack: # from the delegate's outputs back to its inputs
            node = makes.get(stack.pop())
            if node is None or node in taken: continue
            taken.add(node)
            stack += [t for t in next(o for o in nodes if o['index'] == node)['inputs'] if t not in outside]
    return len(taken) / len(nodes), collections.Counter(o['op_name'] for o in nodes if o['index'] not in taken)


def run_litec(litec, f, samples):
    return [[real(y, how) for y, how in zip(litec.run(f.content, [quantized(a, how) for a, how in zip(xs, f.inputs)], None, 1), f.outputs)] for xs in samples]


def snr(want, got):
    """The worst of the outputs, in decibels."""
    worst = np.inf
    for k in range(len(want[0])):
        a, b = (np.concatenate([np.ravel(s[k]) for s in runs]) for runs in (want, got))
        noise = np.sum((a - b) ** 2)
        worst = min(worst, 10 * np.log10(np.sum(a ** 2) / noise) if noise else np.inf)
    return worst


def apart(a, b, f):
    """The largest difference in steps of the output; of float outputs without steps, in 1e-3 of the largest value."""
    worst = 0.0
    for k, step in enumerate(f.step):
        step = step or 1e-3 * max(np.abs(s[k]).max(initial=0) for s in b) or 1
        worst = max(worst, max(np.abs(x[k] - y[k]).max(initial=0) for x, y in zip(a, b)) / step)
    return worst


def convert(build, source, mode, calibrate, out):
    scheme = SCHEMES.get(mode, mode)
    command = [f'{build}/litec', 'convert', source, '-o', out, '--quiet', '--quantize', scheme, *MODES[mode][0]]
    if mode not in NEEDS_NO_DATA: command += ['--representative', calibrate]
    p = subprocess.run(command, capture_output=True, text=True)
    return p.stderr.strip().replace('\n', ' ') or f'exit {p.returncode}' if p.returncode else None


def order(f, arrays):
    """The arrays of a .npz in the order of a file's inputs (names in a .tflite have a prefix and a suffix of the signature)."""
    names = [f.graph.tensors[t].name.decode() for t in f.graph.inputs]
    return [arrays[next((k for k in arrays if k in n), list(arrays)[i])] for i, n in enumerate(names)]


def batches(f, arrays): return [[x[i:i + 1] for x in order(f, arrays)] for i in range(len(next(iter(arrays.values()))))]


def words(counts): return ' '.join(f'{v:.3g} {k}' for k, v in counts.items()) or '-'


def shaped_alike(ys, like):
    """Outputs in the order of another file's, by their shapes."""
    if [y.shape for y in ys] == [y.shape for y in like]: return ys
    rest = list(ys)
    return [rest.pop(next(i for i, y in enumerate(rest) if y.shape == l.shape)) for l in like]


def check(build, litec, case, mode, tmp, base):
    """(what is wrong, row)"""
    out, wrong = f'{tmp}/m.tflite', []
    if os.path.exists(out): os.remove(out)
    problem = convert(build, case.source, mode, case.calibrate, out)
    if problem: return [] if 'few weights' in problem or 'holds indices' in problem else [problem], [problem[:60]]
    f = File(out)
    samples = batches(f, case.arrays)
    ours = run_litec(litec, f, samples)
    differences, there = {}, {}
    for kind in KERNELS:
        try:
            there[kind] = run_litert(f, kind, samples)
            differences[kind] = apart(ours, there[kind], f)
        except (ValueError, RuntimeError) as e:
            if kind != 'reference': wrong.append(f'LiteRT {kind}: {str(e)[:200]}')
    level, same = snr(base, [shaped_alike(y, base[0]) for y in there.get('own', ours)]), snr(base, [shaped_alike(y, base[0]) for y in ours])
    among = max((apart(a, b, f) for a in there.values() for b in there.values()), default=0) if not all(f.step) or f.floats else 0 # kernels with floats
    # in deep models of random weights with floats one value that is rounded the other way grows: then both are equally far from the float model
    grown = len(f.graph.operators) > 50 and f.floats and abs(level - same) < 1
    if differences and min(differences.values()) > max(1.01, among) and not grown: wrong.append(f'litec and LiteRT differ: {words(differences)}')
    share, left = xnnpack(f, samples)
    row = [f'{level:.1f}', '/'.join(f'{v:.2g}' for v in differences.values()), len(f.content), words(f.floats), f'{share:.0%}', words(left)]
    theirs = case.official(MODES[mode][1])
    if not os.path.exists(theirs) or not os.path.getsize(theirs): return wrong, [*row, '', '', '', '', '']
    g = File(theirs)
    others = batches(g, case.arrays)
    try: their_level, (their_share, their_left) = snr(base, [shaped_alike(y, base[0]) for y in run_litert(g, 'own', others)]), xnnpack(g, others)
    except (ValueError, RuntimeError) as e: return wrong, [*row, f'does not run: {str(e)[:60]}', len(g.content), '', '', '']
    if level < their_level - MODES[mode][2]: wrong.append(f'{level:.1f} dB, official {their_level:.1f}')
    steps = sum(g.ops.values()) > 2 * sum(f.ops.values()) # recurrent layers without their loop, which are other operators
    # dense layers have a scale for each unit here, which the official file spares: only where all else is as small
    if len(f.content) > max(1.01 * len(g.content), len(g.content) + 1024): wrong.append(f'{len(f.content)} bytes, official {len(g.content)}')
    if not steps and sum(f.floats.values()) > sum(g.floats.values()) and mode.startswith(('int', 'uint')) and level < their_level + 3: wrong.append(f'float {dict(f.floats)}, official {dict(g.floats)}')
    if not steps and share < their_share and sum(left.values()) > sum(their_left.values()): wrong.append(f'beside XNNPACK {words(left)}, official {words(their_left)}')
    return wrong, [*row, f'{their_level:.1f}', len(g.content), words(g.floats), f'{their_share:.0%}', words(their_left)]


def digits(where, part):
    load = lambda name, skip: np.frombuffer(gzip.open(f'{where}/{name}').read(), np.uint8)[skip:]
    return load(f'{part}-images-idx3-ubyte.gz', 16).reshape(-1, 28, 28) / np.float32(255), load(f'{part}-labels-idx1-ubyte.gz', 8)


def check_golden(build, d, source, mode, tmp, x, y, calibrate):
    out, scores = f'{tmp}/m.tflite', json.load(open(f'{d}/scores.json'))
    problem = convert(build, source, mode, calibrate, out)
    if problem: return [problem], []
    f, wrong = File(out), []
    it = Interpreter(model_content=f.content, num_threads=2)
    d0, d1 = it.get_input_details()[0], it.get_output_details()[0]
    shape = [int(v) for v in d0['shape_signature'][1:]]
    it.resize_tensor_input(d0['index'], [1000, *shape])
    it.allocate_tensors()
    right = 0
    for i in range(0, 10000, 1000):
        it.set_tensor(d0['index'], quantized(x[i:i + 1000].reshape([1000, *shape]), f.inputs[0]))
        it.invoke()
        right += int(np.sum(it.get_tensor(d1['index']).reshape(1000, -1).argmax(1) == y[i:i + 1000]))
    theirs = scores[GOLDEN[mode]]
    size, official = len(f.content), os.path.getsize(f'{d}/tf_{GOLDEN[mode]}.tflite')
    if right / 10000 < theirs - 0.001: wrong.append(f'accuracy {right / 10000}, official {theirs}')
    if size > 1.01 * official: wrong.append(f'{size} bytes, official {official}')
    return wrong, [f'{right / 10000:.4f}', f'{theirs:.4f}', size, official]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('build'); parser.add_argument('models'); parser.add_argument('names', nargs='*')
    parser.add_argument('--golden'); parser.add_argument('--mnist'); parser.add_argument('--md'); parser.add_argument('--mode', action='append')
    args = parser.parse_args()
    litec, bad, count, lines = Litec(f'{args.build}/liblitec.so'), 0, 0, []

    def say(name, mode, wrong, row):
        nonlocal bad, count
        bad, count = bad + bool(wrong), count + 1
        lines.append('| ' + ' | '.join(map(str, (name, mode, *row))) + ' |')
        print('FAIL' if wrong else 'ok  ', f'{name:18} {mode:16}', '  '.join(map(str, row)), '; '.join(wrong), flush=True)

    with tempfile.TemporaryDirectory() as tmp:
        cases = []
        for name in sorted(os.listdir(args.models)):
            d = f'{args.models}/{name}'
            if not os.path.exists(f'{d}/times.json'): continue
            cases.append(Case(name, f'{d}/model.keras', f'{d}/calibrate.npz', dict(np.load(f'{d}/test.npz')), lambda mode, d=d: f'{d}/official-{mode}.tflite'))
        if args.golden:
            x, y = digits(args.mnist, 't10k')
            np.save(f'{tmp}/calibrate.npy', digits(args.mnist, 'train')[0][:200])
            for name in ('keras2_mlp', 'keras3_mlp', 'keras2_cnn', 'keras3_cnn'):
                d = f'{args.golden}/{name}'
                source = next(s for s in (f'{d}/model.keras', f'{d}/model.h5') if os.path.exists(s))
                cases.append(Case(name, source, f'{tmp}/calibrate.npy', {'': np.load(f'{d}/input.npy')}, lambda mode, d=d: f'{d}/tf_{GOLDEN.get(mode)}.tflite'))
        for case in cases:
            if args.names and case.name not in args.names: continue
            subprocess.run([f'{args.build}/litec', 'convert', case.source, '-o', f'{tmp}/float.tflite', '--quiet'], check=True)
            g = File(f'{tmp}/float.tflite')
            base = run_litert(g, 'own', batches(g, case.arrays))
            for mode in args.mode or MODES:
                wrong, row = check(args.build, litec, case, mode, tmp, base)
                if case.calibrate.endswith('.npy') and mode in GOLDEN:
                    more, accuracy = check_golden(args.build, os.path.dirname(case.source), case.source, mode, tmp, x, y, case.calibrate)
                    wrong, row = wrong + more, [*row, *accuracy[:2]]
                say(case.name, mode, wrong, row)
    print(f'{count} files, {bad} with faults')
    if args.md:
        with open(args.md, 'w') as f:
            f.write('| model | mode | dB | steps apart | bytes | float | XNNPACK | beside it | dB | bytes | float | XNNPACK | beside it | top-1 | official |\n' + '|---' * 15 + '|\n')
            f.write('\n'.join(lines) + '\n')
    sys.exit(bad > 0)


main()
