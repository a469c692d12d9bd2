"""HASHTABLE, HASHTABLE_IMPORT, HASHTABLE_FIND, HASHTABLE_SIZE: both kinds of tables, keys there and not, imported by CALL_ONCE or in the main graph."""
import numpy as np
from op_models import RESOURCE, M, case

I64, STR = np.int64, np.object_
WORDS = np.array([b'zebra', b'', b'apple', b'\xc3\xa9t\xc3\xa9', b'apples', b'apple', b'Apple', b'a' * 70, b'b\0c', b'b'], STR)
NUMBERS = np.array([5, -1, 0, 1 << 40, 7, 99, -(1 << 62), 5, 12, -3], I64)


def table(g, to_text, keys=None, values=None):
    h = g.tensor(RESOURCE, [1])
    g.op('HASHTABLE', [], [h], table_id=3 if to_text else 9, key_dtype=4 if to_text else 5, value_dtype=5 if to_text else 4)
    if keys is not None:
        g.op('HASHTABLE_IMPORT', [h, g.const(keys), g.const(values)], [])
    return h


def find(g, h, x, to_text, shape, default):
    y = g.output(STR if to_text else I64, shape)
    g.op('HASHTABLE_FIND', [h, x, g.const(default)], [y])
    n = g.output(I64, [1])
    g.op('HASHTABLE_SIZE', [h], [n])


for to_text in (True, False):
    keys, values = (NUMBERS, WORDS) if to_text else (WORDS, NUMBERS)
    ask = np.array([0, 5, 6, -1, 1 << 40, -(1 << 62), 12, 13], I64) if to_text else np.array([b'apple', b'apples', b'appl', b'', b'b', b'b\0c', b'b\0d', b'Zebra'], STR)
    default = np.array([b'none'], STR) if to_text else np.array([-77], I64)
    for once in (True, False):
        m = M()
        x = m.input(I64 if to_text else STR, [8])
        if once:
            init = m.graph('init')
            table(init, to_text, keys, values)
            m.op('CALL_ONCE', [], [], init_subgraph_index=init.index)
            h = table(m, to_text)
        else:
            h = table(m, to_text, keys, values)
        find(m, h, x, to_text, [8], default)
        case('to %s, %s' % ('text' if to_text else 'numbers', 'once' if once else 'each run'), m, [ask], [ask[::-1].copy()])
    # a key of two dimensions, a scalar default with more than one element, no keys at all
    for shape in ([2, 4], [0], [1]):
        m = M()
        x = m.input(I64 if to_text else STR, shape)
        find(m, table(m, to_text, keys, values), x, to_text, shape, np.concatenate([default, default]))
        case('to %s, keys of shape %s' % ('text' if to_text else 'numbers', shape), m, [np.resize(ask, shape)])
    m = M()
    x = m.input(I64 if to_text else STR, [2])
    find(m, table(m, to_text, keys[:0], values[:0]), x, to_text, [2], default)
    case('to %s, empty table' % ('text' if to_text else 'numbers'), m, [ask[:2]])
    # two tables of one model, and a second import that does nothing
    m = M()
    x = m.input(I64 if to_text else STR, [8])
    h = table(m, to_text, keys[:4], values[:4])
    other = table(m, not to_text, values, keys)
    m.op('HASHTABLE_IMPORT', [h, m.const(keys), m.const(values)], [])
    find(m, h, x, to_text, [8], default)
    n = m.output(I64, [1])
    m.op('HASHTABLE_SIZE', [other], [n])
    case('to %s, two tables' % ('text' if to_text else 'numbers'), m, [ask])
