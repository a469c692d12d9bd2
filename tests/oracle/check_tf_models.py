"""Converts the SavedModels of make_tf_models.py (or make_tf_apps.py) with litec and compares with TensorFlow, and with what the official converter manages.

    python3 check_tf_models.py LITEC MODELS [options] [name, list or prefix* ...]

    --json FILE     everything, a dict a model        --verbose      a line a model, and all names of a group of failures
    --jobs N        models at a time (2)              --delegate     LiteRT with XNNPACK, as applications run it (else its plain kernels)
    --timeout S     for one step of one model (20)    --keep DIR     leave the .tflite files there
    --max-memory    as litec's option

For each model: `litec convert MODELS/<name>/saved_model`, then every set of inputs by LiteRT and by `litec run --signature KEY`; outputs are compared by
their names in the signature: max |a - b| / max |b| up to 1e-4, integers and text exactly, of random numbers the shape only,
of quantised values a step. A model with variables runs
all its sets in one interpreter of LiteRT, and the first by litec. A model passes when it converts to builtin operators only and all results are equal.
Prints a table by list of operators and the failures grouped by their message. Exit 1 when any model fails.
"""
import argparse, collections, json, os, re, subprocess, sys, tempfile, threading, time
import select
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tf_judge import LIMIT, compare, contents, litert, load_set


# ---- LiteRT runs in a process of its own: some files end it

def serve():
    """Reads {"model", "dir", "meta", "delegate"} a line; answers {"operators", "signatures", "worst"} or {"error"}."""
    out = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1) # what LiteRT prints does not end up between the answers
    for line in sys.stdin:
        job = json.loads(line)
        meta, answer = job['meta'], {}
        try:
            answer['operators'], answer['signatures'] = contents(job['model'])
            sets = [(s['signature'], load_set(job['dir'], i, 'in', s['in'])) for i, s in enumerate(meta['sets'])]
            got = litert(job['model'], sets, meta['stateful'], job['delegate'])
            worst = [compare(g, load_set(job['dir'], i, 'out', s['out']), meta['random']) for i, (g, s) in enumerate(zip(got, meta['sets']))]
            answer['worst'] = next((w for w in worst if isinstance(w, str)), None) or max(worst)
        except Exception as e: answer['error'] = f'{type(e).__name__}: {str(e)[:300]}'
        out.write(json.dumps(answer) + '\n')
        out.flush()


class Judge:
    """The other end of serve()."""

    def __init__(self): self.p = None

    def ask(self, job, seconds):
        if not self.p or self.p.poll() is not None:
            self.p = subprocess.Popen([sys.executable, os.path.abspath(__file__), '--serve'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            seconds += 10
        try:
            self.p.stdin.write(json.dumps(job) + '\n')
            self.p.stdin.flush()
            if not select.select([self.p.stdout], [], [], seconds)[0]: return self.end(f'no answer in {seconds} s')
            line = self.p.stdout.readline()
            return json.loads(line) if line else self.end('ended the process')
        except OSError: return self.end('ended the process')

    def end(self, why):
        if self.p:
            self.p.kill()
            self.p.wait()
        return {'error': f'LiteRT {why}'}

    def close(self):
        if self.p and self.p.poll() is None:
            self.p.stdin.close()
            self.p.wait()


# ---- one model

def command(words, seconds):
    """(exit code, first line of standard error) of a command."""
    try: p = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=seconds, errors='replace')
    except subprocess.TimeoutExpired: return -1, f'no end in {seconds} s'
    if p.returncode < 0: return p.returncode, f'ended by signal {-p.returncode}'
    lines = [l for l in p.stderr.splitlines() if l.strip()] or [f'exit {p.returncode}']
    errors = [l for l in lines if l.startswith('error:')] or lines
    return p.returncode, errors[0][:2000]


def run_litec(options, model, d, meta, tmp):
    worst = 0.0
    for i, s in enumerate(meta['sets'][:1] if meta['stateful'] else meta['sets']):
        from_to = f'{d}/set{i}/in'
        words = [options.litec, 'run', model, '--signature', s['signature'], '--output-dir', f'{tmp}/run']
        for n in s['in']: words += ['--input', f'{n}={from_to}/{n.replace("/", "%2F")}.npy']
        code, text = command(words, options.timeout)
        if code: return f'run: {text}'
        import numpy as np
        got = {n: np.load(f'{tmp}/run/output{k}.npy') for k, n in enumerate(s['order'])}
        w = compare(got, load_set(d, i, 'out', s['out']), meta['random'])
        if isinstance(w, str): return w
        worst = max(worst, w)
    return worst


def check(options, name, judge, tmp):
    d = f'{options.models}/{name}'
    meta = json.load(open(f'{d}/meta.json'))
    model = f'{options.keep or tmp}/{name}.tflite'
    if os.path.exists(model): os.remove(model)
    r = {'name': name, 'list': meta['list'], 'official': meta['official'], 'limit': meta.get('tolerance', LIMIT), 'stage': 'convert'}
    t = time.time()
    words = [options.litec, 'convert', f'{d}/saved_model', '-o', model, '--quiet'] + (['--max-memory', options.max_memory] if options.max_memory else [])
    code, text = command(words, options.timeout)
    r['seconds'] = round(time.time() - t, 4)
    if code: return {**r, 'why': text}
    a = judge.ask({'model': model, 'dir': d, 'meta': meta, 'delegate': options.delegate}, options.timeout)
    r['operators'] = a.get('operators')
    if r['operators'] is None: return {**r, 'stage': 'read', 'why': a['error']}
    r['count'] = sum(r['operators'].values())
    r['builtin'] = not any(o.startswith('custom ') for o in r['operators'])
    wrong, limit = [], meta.get('tolerance', LIMIT)
    for s in meta['sets']:
        ins, outs = a['signatures'].get(s['signature'], ([], []))
        s['order'] = outs
        if sorted(ins) != sorted(s['in']) or sorted(outs) != sorted(s['out']): wrong.append(f'signature {s["signature"]}: {ins} -> {outs} for {s["in"]} -> {s["out"]}')
    if wrong: return {**r, 'stage': 'names', 'why': wrong[0]}
    r['litert'] = a.get('worst', a.get('error'))
    r['litec'] = run_litec(options, model, d, meta, tmp)
    if not options.keep: os.remove(model)
    for judge_name in ('litert', 'litec'):
        w = r[judge_name]
        if isinstance(w, str) or not w <= limit: return {**r, 'stage': judge_name, 'why': w if isinstance(w, str) else f'differs by {w:.1e}'}
    if not r['builtin']: return {**r, 'stage': 'custom', 'why': 'needs ' + ', '.join(o for o in r['operators'] if o.startswith('custom '))}
    return {**r, 'stage': 'ok'}


# ---- all of them, and what is said of them

def good(r, judge): return isinstance(r.get(judge), float) and r[judge] <= r['limit']


def official_good(r): return r['official']['result'] == 'builtin' and r['official'].get('equal') is True


def table(rows, order):
    head = ['list', 'models', 'converted', 'builtin only', '= LiteRT', '= litec', 'all', '| official', 'builtin only', '= LiteRT', '| ours, not theirs', 'theirs, not ours', '| more operators', 'fewer']
    lines = [head]
    for kind in order + ['total']:
        rs = [r for r in rows if kind in (r['list'], 'total')]
        if not rs: continue
        both = [r for r in rs if r['stage'] == 'ok' and official_good(r)]
        lines.append([kind, len(rs), sum(r['stage'] != 'convert' for r in rs), sum(r.get('builtin', False) for r in rs), sum(good(r, 'litert') for r in rs), sum(good(r, 'litec') for r in rs), sum(r['stage'] == 'ok' for r in rs),
                      '|', sum(r['official']['result'] == 'builtin' for r in rs), sum(official_good(r) for r in rs), '| ' + str(sum(r['stage'] == 'ok' and not official_good(r) for r in rs)), sum(r['stage'] != 'ok' and official_good(r) for r in rs),
                      '| ' + str(sum(r['count'] > r['official']['count'] for r in both)), sum(r['count'] < r['official']['count'] for r in both)])
    widths = [max(len(str(l[i])) for l in lines) for i in range(len(head))]
    return '\n'.join('  '.join(str(c).ljust(w) if i == 0 else str(c).rjust(w) for i, (c, w) in enumerate(zip(l, widths))) for l in lines)


def missing(text):
    """The operators a refusal names."""
    return set(re.findall(r'(\w+) \((?:node )?"[^"]*" on ', text.replace('"; on', '" on')))


def group(text):
    """A message without what is special to one model."""
    if missing(text): return 'no form for ' + ', '.join(sorted(missing(text)))
    text = re.sub(r'/\S*/', '', text)
    text = re.sub(r'"[^"]*"|\'[^\']*\'|`[^`]*`', '"…"', text)
    return re.sub(r'-?\d+(\.\d+)?(e[-+]?\d+)?', '#', text)[:160]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('litec')
    p.add_argument('models')
    p.add_argument('only', nargs='*')
    p.add_argument('--json')
    p.add_argument('--keep')
    p.add_argument('--max-memory')
    p.add_argument('--jobs', type=int, default=2)
    p.add_argument('--timeout', type=float, default=20)
    p.add_argument('--delegate', action='store_true')
    p.add_argument('--verbose', action='store_true')
    options = p.parse_args()
    if options.keep: os.makedirs(options.keep, exist_ok=True)
    names = [n for n in sorted(os.listdir(options.models)) if os.path.exists(f'{options.models}/{n}/meta.json')]
    if options.only:
        kinds = {n: json.load(open(f'{options.models}/{n}/meta.json'))['list'] for n in names}
        names = [n for n in names if any(o in (n, kinds[n]) or (o.endswith('*') and n.startswith(o[:-1])) for o in options.only)]
    if not names: sys.exit('no such models')
    left, rows, lock, start = list(reversed(names)), [], threading.Lock(), time.time()

    def work():
        judge = Judge()
        with tempfile.TemporaryDirectory() as tmp:
            while True:
                with lock:
                    if not left: break
                    name = left.pop()
                try: r = check(options, name, judge, tmp)
                except Exception as e: r = {'name': name, 'list': json.load(open(f'{options.models}/{name}/meta.json'))['list'], 'official': {'result': '?'}, 'stage': 'check', 'why': f'{type(e).__name__}: {e}'}
                with lock:
                    rows.append(r)
                    if options.verbose: print(f'{"ok  " if r["stage"] == "ok" else "FAIL"} {name:36} {r.get("count", "-")} / {r["official"].get("count", "-")}', r['stage'] if r['stage'] != 'ok' else '', r.get('why', ''), flush=True)
        judge.close()

    threads = [threading.Thread(target=work) for _ in range(options.jobs)]
    for t in threads: t.start()
    for t in threads: t.join()
    rows.sort(key=lambda r: r['name'])
    bad = [r for r in rows if r['stage'] != 'ok']
    groups = collections.defaultdict(list)
    for r in bad: groups[r['stage'], group(r['why'])].append(r)
    if groups: print('failures: stage, first of the messages, models (* the official converter manages it)')
    for (stage, _), rs in sorted(groups.items(), key=lambda g: -len(g[1])):
        shown = [r['name'] + '*' * official_good(r) for r in rs]
        more = len(shown) - 12
        if more > 0 and not options.verbose: shown = shown[:12] + [f'and {more} more']
        print(f'{len(rs):4}  {stage}: {rs[0]["why"] if not missing(rs[0]["why"]) else group(rs[0]["why"])}\n      {" ".join(shown)}')
    absent = collections.Counter(o for r in bad if r['stage'] == 'convert' for o in missing(r['why']))
    if absent: print('operators without a form, in how many models:', ', '.join(f'{o} {n}' for o, n in absent.most_common()))
    kinds = 'must should rare flex custom control pattern recurrent ops layers'.split()
    print(table(rows, kinds + sorted({r['list'] for r in rows} - set(kinds))))
    longer = [r for r in rows if r['stage'] == 'ok' and official_good(r) and r['count'] > r['official']['count']]
    if longer: print('more operators than the official converter:', ', '.join(f'{r["name"]} {r["count"]}/{r["official"]["count"]}' for r in (longer if options.verbose else longer[:40])))
    print(f'{len(rows)} models, {len(rows) - len(bad)} pass, {time.time() - start:.0f} s')
    if options.json: json.dump(rows, open(options.json, 'w'), indent=1)
    return 1 if bad else 0


if __name__ == '__main__':
    if sys.argv[1:] == ['--serve']: serve()
    else: sys.exit(main())
