"""Runs pairs of .tflite files in LiteRT on the same random inputs and compares the outputs bit for bit.

    python3 same_outputs.py ORIGINAL_DIR REWRITTEN_DIR

Judges what src/schema/fb_write.c writes: a file read and written again by litec must be accepted by LiteRT and compute the
same. Each pair runs in a process of its own, because LiteRT may abort on models it does not support; pairs whose original
LiteRT does not run are counted apart. Exit 1 when a pair differs.
"""
import os
import subprocess
import sys

CHILD = r"""
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
def run(path):
    it = Interpreter(model_path=path)
    it.allocate_tensors()
    rng = np.random.default_rng(7)
    for d in it.get_input_details():
        if d['dtype'] == np.bytes_:
            continue
        shape, t = d['shape'], np.dtype(d['dtype'])
        x = rng.random(shape).astype(t) if t.kind == 'f' else rng.integers(0, 2, shape).astype(t)
        it.set_tensor(d['index'], x)
    it.invoke()
    return [np.asarray(it.get_tensor(d['index'])).tobytes() for d in it.get_output_details()]
try:
    a = run(sys.argv[1])
except (RuntimeError, ValueError, TypeError) as e:
    sys.exit(3)
print('original ran', flush=True)
b = run(sys.argv[2])
sys.exit(0 if a == b else 4)
"""


def main(originals, rewritten):
    same = refused = differ = 0
    for name in sorted(os.listdir(rewritten)):
        original = os.path.join(originals, name)
        if not os.path.exists(original):
            continue
        p = subprocess.run([sys.executable, "-c", CHILD, original, os.path.join(rewritten, name)], capture_output=True, text=True)
        if p.returncode == 0:
            same += 1
        elif p.returncode == 3 or (p.returncode < 0 and "original ran" not in p.stdout):
            refused += 1
        else:
            differ += 1
            print("DIFFERS", name, p.returncode, (p.stderr.strip().splitlines() or [""])[-1][:160])
    print(f"same {same}, original not run by LiteRT {refused}, differ {differ}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
