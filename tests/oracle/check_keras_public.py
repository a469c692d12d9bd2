"""Converts the published models of make_keras_public.py with litec, and compares with what Keras computed.

    python3 check_keras_public.py LITEC DIR [--md FILE] [part of a path ...]

Each is converted (an architecture in JSON with --weights); the .tflite runs in LiteRT and by `litec run` on the inputs that Keras got. Inputs and outputs
go by their order. Prints a line a model: the generation that loads it, the result, the reason of a failure.
A model counts that one of the two generations loads without code of its author. Exit 1 when such a one does not convert, or differs by more than 1e-4.
"""
import json, multiprocessing, os, subprocess, sys, tempfile
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tf_judge import LIMIT, contents, difference
import numpy as np
from ai_edge_litert.interpreter import Interpreter


def arrays(d, e, k, what):
    p = f'{d}/.sets/{e["number"]}/set{k}/{what}'
    ys = [np.load(f'{p}/{i}.npy') for i in range(len(os.listdir(p)))]
    return [y.astype('f4') if y.dtype == 'f8' else y for y in ys] # TFLite computes in float32


def worst(ys, want):
    if len(ys) != len(want): return f'{len(ys)} outputs for {len(want)}'
    ds = [difference(a, b) for a, b in zip(ys, want)]
    return next((x for x in ds if isinstance(x, str)), None) or max(ds)


def judge(out, d, e, send):
    """LiteRT's worst difference, in a process of its own."""
    try:
        ops, signatures = contents(out)
        ins, outs = signatures['serving_default']
        result = 0.0
        for k in range(e['sets']):
            run = Interpreter(model_path=out, num_threads=1).get_signature_runner('serving_default')
            got = run(**dict(zip(ins, arrays(d, e, k, 'in'))))
            w = worst([got[n] for n in outs], arrays(d, e, k, 'out'))
            if isinstance(w, str): raise ValueError(w)
            result = max(result, w)
        send.send((result, sum(ops.values()), [n for n in ops if n.startswith('custom ')], ins, outs))
    except Exception as x: send.send((f'{type(x).__name__}: {" ".join(str(x).split())[:160]}', 0, [], [], []))


def litert(out, d, e):
    here, there = multiprocessing.Pipe(False)
    p = multiprocessing.get_context('fork').Process(target=judge, args=(out, d, e, there))
    p.start()
    there.close()
    try: r = here.recv() if here.poll(120) else ('no end in 120 s', 0, [], [], [])
    except EOFError: r = ('LiteRT crashed', 0, [], [], [])
    p.kill()
    p.join()
    return r


def litec(command, out, d, e, tmp):
    result = 0.0
    for k in range(e['sets']):
        words = [command, 'run', out, '--output-dir', f'{tmp}/run']
        for i, x in enumerate(arrays(d, e, k, 'in')):
            np.save(f'{tmp}/in{i}.npy', x)
            words += ['--input', f'{tmp}/in{i}.npy']
        p = subprocess.run(words, capture_output=True, text=True, timeout=300)
        if p.returncode: return 'run: ' + ' '.join(p.stderr.split())
        want = arrays(d, e, k, 'out')
        w = worst([np.load(f'{tmp}/run/output{i}.npy') for i in range(len(want))], want)
        if isinstance(w, str): return w
        result = max(result, w)
    return result


def check(command, d, e, tmp):
    """(good, result)"""
    out, loads = f'{tmp}/m.tflite', e['keras3'] is True or e['keras2'] is True
    if os.path.exists(out): os.remove(out)
    words = [command, 'convert', f'{d}/{e["path"]}', '-o', out, '--quiet'] + (['--weights', f'{d}/{e["weights"]}'] if 'weights' in e else [])
    p = subprocess.run(words, capture_output=True, text=True, timeout=300)
    text = ' '.join(p.stderr.replace(f'{d}/{e["path"]}', '').split())
    if p.returncode: return not loads, ('' if loads else 'neither loads it; ') + (text or f'exit {p.returncode}')
    if not loads: return True, 'neither loads it; litec converts it'
    if not e.get('sets'): return True, 'converts; neither runs it: ' + e.get('keras2_runs', e.get('keras3_runs', ''))[:100]
    theirs, count, custom, ins, outs = litert(out, d, e)
    ours = litec(command, out, d, e, tmp)
    bad = [f'{n}: {w if isinstance(w, str) else f"{w:.1e}"}' for n, w in (('LiteRT', theirs), ('litec', ours)) if isinstance(w, str) or not w <= LIMIT]
    if custom: bad.append(', '.join(custom))
    return not bad, '; '.join(bad) or f'equal, {max(theirs, ours):.0e}, {count} operators'


def main():
    args = sys.argv[1:]
    md = None
    if '--md' in args:
        i = args.index('--md')
        md = args[i + 1]
        del args[i:i + 2]
    if len(args) < 2: sys.exit(__doc__)
    rows = []
    with tempfile.TemporaryDirectory() as tmp:
        for e in json.load(open(f'{args[1]}/manifest.json')):
            if args[2:] and not any(part in e['path'] for part in args[2:]): continue
            who = ' and '.join(n for n, k in (('Keras 3', 'keras3'), ('tf_keras', 'keras2')) if e[k] is True) or 'none'
            good, result = check(args[0], args[1], e, tmp)
            rows.append((good, who, e, result))
            print(f'{"ok  " if good else "FAIL"} {e["path"][:90]:90} {str(e["written"])[:20]:12} {who:20} {result[:260]}', flush=True)
    loaded = [r for r in rows if r[1] != 'none']
    equal = sum(r[3].startswith('equal') for r in loaded)
    print(f'{len(rows)} files; Keras 3 or tf_keras loads {len(loaded)}; of those litec converts {sum(not r[3].startswith(("Error", "error", "litec")) and (r[0] or "litec:" in r[3] or "LiteRT:" in r[3]) for r in loaded)}, and {equal} are equal')
    if md:
        with open(md, 'w') as f:
            f.write('| file | with weights | written by | bytes | layers | loaded by | litec |\n|---|---|---|---|---|---|---|\n')
            for _, who, e, result in rows:
                reason = '' if who != 'none' else ' (Keras 3: ' + str(e['keras3'])[:80] + ')'
                f.write('| ' + ' | '.join(str(v).replace('|', '/') for v in (e['path'], os.path.basename(e.get('weights', '')), e['written'], e['size'], ' '.join(e.get('layers', []))[:120], who + reason, result[:220])) + ' |\n')
    return 0 if all(r[0] for r in rows) else 1


if __name__ == '__main__': sys.exit(main())
