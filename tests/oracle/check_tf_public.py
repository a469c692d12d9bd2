"""Converts the published graphs of make_tf_public.py with litec, and compares with TensorFlow and with what the official converter manages.

    python3 check_tf_public.py LITEC DIR [--json FILE] [--md FILE] [--timeout S] [part of a path ...]

A SavedModel is converted as it is; a graph with its inputs and outputs named and its settings fixed (--input-arrays, --output-arrays, --fix), and once more
with nothing said, to see whether litec finds outputs itself; a checkpoint through its .meta. Each .tflite runs in LiteRT and by `litec run` on the
inputs that TensorFlow got. Prints a line a model: result, the official result, the reason of a failure. Exit 1 when a model that TensorFlow loads and runs does
not convert, or differs.
"""
import json, os, sys, tempfile
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_tf_models as check
from tf_judge import LIMIT, compare, load_set
import numpy as np


def convert(o, e, out, named):
    path = f'{o.models}/{e["path"]}' + ('.meta' if e['kind'] in ('checkpoint', 'checkpoint_v1') else '')
    words = [o.litec, 'convert', path, '-o', out, '--quiet']
    if named and e['kind'] != 'saved_model':
        words += (['--input-arrays', ','.join(e['inputs'])] if e['inputs'] else []) + ['--output-arrays', ','.join(e['outputs'])]
        for n, v in (e.get('fixed') or {}).items(): words += ['--fix', f'{n}={str(v).lower()}']
    return check.command(words, o.timeout)


def run(o, e, out, judge, tmp):
    """(LiteRT's worst difference, litec's) or what is wrong."""
    d = f'{o.models}/.sets/{e["number"]}'
    sets = e['sets']
    a = judge.ask({'model': out, 'dir': d, 'meta': {'sets': [], 'stateful': False, 'random': False}, 'delegate': False}, o.timeout)
    if 'operators' not in a: return a['error'], None, None
    ops = a['operators']
    key = e.get('signature', 'serving_default')
    if key not in a['signatures']: return f'no signature {key}, but {list(a["signatures"])}', None, ops
    ins, outs = a['signatures'][key]
    meta = {'sets': [{**s, 'signature': key} for s in sets], 'stateful': False, 'random': False}
    missing = [n for s in sets for n in s['out'] if n not in outs] + [n for n in ins if n not in sets[0]['in']]
    if missing: return f'signature {ins} -> {outs}, wanted {sets[0]["in"]} -> {sets[0]["out"]}', None, ops
    a = judge.ask({'model': out, 'dir': d, 'meta': meta, 'delegate': False}, o.timeout)
    worst = 0.0
    for i, s in enumerate(sets):
        words = [o.litec, 'run', out, '--signature', key, '--output-dir', f'{tmp}/run']
        for n in s['in']:
            if n in ins: words += ['--input', f'{n}={d}/set{i}/in/{n.replace("/", "%2F")}.npy']
        code, text = check.command(words, o.timeout)
        if code:
            worst = f'run: {text}'
            break
        w = compare({n: np.load(f'{tmp}/run/output{k}.npy') for k, n in enumerate(outs)}, load_set(d, i, 'out', s['out']))
        worst = w if isinstance(w, str) or isinstance(worst, str) else max(worst, w)
        if isinstance(worst, str): break
    return a.get('worst', a.get('error')), worst, ops


def show(v): return v if isinstance(v, str) else '-' if v is None else f'{v:.1e}'


def main():
    p = check.argparse.ArgumentParser(description=__doc__, formatter_class=check.argparse.RawDescriptionHelpFormatter)
    p.add_argument('litec')
    p.add_argument('models')
    p.add_argument('only', nargs='*')
    p.add_argument('--json')
    p.add_argument('--md')
    p.add_argument('--timeout', type=float, default=60)
    o = p.parse_args()
    rows, judge = [], check.Judge()
    with tempfile.TemporaryDirectory() as tmp:
        for e in json.load(open(f'{o.models}/manifest.json')):
            if o.only and not any(part in e['path'] for part in o.only): continue
            official = e.get('official') or {}
            theirs = 'equal' if official.get('equal') else official.get('result', '-') + (' wrong' if official.get('equal') is False else '')
            r = {'path': e['path'], 'kind': e['kind'], 'size': e['size'], 'official': theirs, 'loads': e.get('loads') is True, 'runs': e.get('loads') is True and bool(e.get('sets')) and not e.get('runs')}
            if not r['loads']: r['result'] = f'TensorFlow does not load it: {str(e.get("loads", "no end in 600 s"))[:100]}'
            elif not e.get('outputs'): r['result'] = 'nothing to compute'
            else:
                out = f'{tmp}/m.tflite'
                if os.path.exists(out): os.remove(out)
                code, text = convert(o, e, out, True)
                r['converted'] = not code
                if code: r['result'] = text
                elif r['runs']:
                    r['litert'], r['litec'], ops = run(o, e, out, judge, tmp)
                    r['operators'] = sum((ops or {}).values())
                    # quantised by its own fake-quant operators: a few steps of 1/256 apart
                    limit = 2e-2 if 'QUANTIZE' in (ops or {}) else LIMIT
                    bad = [f'{n}: {show(r[n])}' for n in ('litert', 'litec') if r[n] is None or isinstance(r[n], str) or not r[n] <= limit]
                    custom = ', '.join(k for k in ops or {} if k.startswith('custom '))
                    r['result'] = '; '.join(bad) or 'equal' + (f' within {max(r["litert"], r["litec"]):.1e} (int8)' if limit > LIMIT else '') + (f', with {custom}' if custom else '')
                else: r['result'] = 'converts; TensorFlow did not run it'
                if e['kind'] != 'saved_model':
                    os.path.exists(out) and os.remove(out)
                    code, text = convert(o, e, out, False)
                    r['alone'] = text if code else 'converts'
            # refused by design: files and text are decoded outside; a graph in text whose variables are nowhere; a checkpoint that lacks them
            r['refused'] = any(w in r['result'] for w in ('nothing says where their values are', 'the checkpoint has no variable', 'TFLite models are given decoded data', 'TFLite has no operators on text', 'no predicate tells'))
            r['good'] = r['refused'] or r['result'].startswith(('equal', 'nothing', 'TensorFlow', 'converts'))
            rows.append(r)
            print(f'{"no  " if r["refused"] else "ok  " if r["good"] else "FAIL"} {r["kind"]:12} {r["path"][:80]:80} official: {theirs:14} ours: {r["result"][:200]}' + (f' | unnamed: {r["alone"][:120]}' if r.get('alone', 'converts') != 'converts' else ''), flush=True)
    judge.close()
    ran = [r for r in rows if r['runs']]
    print(f'{len(rows)} models; TensorFlow loads {sum(r["loads"] for r in rows)}, runs {len(ran)}; of those litec is equal on {sum(r["result"].startswith("equal") for r in ran)}, the official converter on {sum(r["official"] == "equal" for r in ran)}')
    if o.json: json.dump(rows, open(o.json, 'w'), indent=1)
    if o.md:
        with open(o.md, 'w') as f:
            f.write('| model | kind | bytes | official converter | litec |\n|---|---|---|---|---|\n')
            for r in rows: f.write(f'| {r["path"]} | {r["kind"]} | {r["size"]} | {r["official"]} | {r["result"].replace("|", "/")[:200]} |\n')
    return 0 if all(r['good'] for r in rows) else 1


if __name__ == '__main__': sys.exit(main())
