"""HASHTABLE_LOOKUP: values of several types and ranks, strings, keys that are not there."""
import numpy as np
from op_models import M, case, rng, values

I32 = np.int32
KEYS = np.sort(rng.choice(np.arange(-50, 50), 7, False)).astype(I32)


def lookup(name, dtype, shape, keys=KEYS, n=6, data=None, fixed=True):
    m = M()
    data = values(dtype, [len(keys)] + shape) if data is None else data
    look = m.input(I32, [n])
    v = m.const(data) if fixed else m.input(dtype, list(data.shape))
    m.op('HASHTABLE_LOOKUP', [look, m.const(keys), v], [m.output(data.dtype if data.dtype != object else np.str_, [n] + shape), m.output(np.uint8, [n])])
    feeds = [rng.choice(np.concatenate([keys, [99, -99]]), n).astype(I32) for _ in range(2)]
    case(name, m, *[[f] + ([] if fixed else [data]) for f in feeds])


for t in (np.float32, np.int32, np.int8, np.uint8, np.int64, np.bool_):
    lookup('lookup %s' % np.dtype(t).name, t, [3])
lookup('vector', np.float32, [])
lookup('cube', np.float32, [2, 3, 2])
lookup('one key', np.float32, [2], keys=np.array([5], I32))
lookup('nothing looked up', np.float32, [2], n=0)
lookup('keys far apart', np.float32, [2], keys=np.array([-2 ** 31, -7, 3, 2 ** 31 - 1], I32), n=9)
lookup('strings', np.object_, [], data=np.array(['a', 'bc', '', 'dé', 'long words here', '1', '2'], object), n=9)
