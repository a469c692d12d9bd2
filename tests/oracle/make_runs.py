#!/usr/bin/env python3
"""Makes tests/data/runs/<family>.gz: models of one or a few operators with the answers of LiteRT's reference kernels.

usage: make_runs.py [--quiet] [FAMILY ...]     (all of tests/oracle/ops; needs ai_edge_litert, numpy; the results are kept in the tree)

Each family runs in a process of its own, as LiteRT aborts on some models it should refuse.
"""
import os
import runpy
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


def main():
    quiet = '--quiet' in sys.argv
    families = [a for a in sys.argv[1:] if not a.startswith('-')] or sorted(f[:-3] for f in os.listdir(os.path.join(HERE, 'ops')) if f.endswith('.py'))
    if len(families) > 1:
        sys.exit(max(subprocess.run([sys.executable, os.path.abspath(__file__), f] + ['--quiet'] * quiet).returncode != 0 for f in families))
    import op_models
    runpy.run_path(os.path.join(HERE, 'ops', families[0] + '.py'))
    path = os.path.join(HERE, '..', 'data', 'runs', families[0] + '.gz')
    op_models.write(path)
    for c in [] if quiet else op_models.complaints:
        print('  ' + c)
    print('%s: %d cases, %d bytes, %d complaints' % (families[0], len(op_models.cases), os.path.getsize(path), len(op_models.complaints)))


main()
