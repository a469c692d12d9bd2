"""Makes tests/data/hdf5/*.h5 with h5py, and with --big DIR the cases that are too large for the tree.

    python make_h5_cases.py [--big DIR]

Element i of every dataset is (7 i) mod 101 - 50 in the dataset's type (mod 2 for bool, mod 101 for unsigned), unless its name
begins with "fill" (all -3.5, except that elements 0 to 9 follow the rule where the name is "fill_some") or "bad". Every string is
"<name of the attribute> <index>". tests/unit/test_hdf5.c checks just that.
"""
import os, sys
import h5py
import numpy as np

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data', 'hdf5')
big = sys.argv[sys.argv.index('--big') + 1] if '--big' in sys.argv else None
os.makedirs(here, exist_ok=True)

def values(shape, dtype='f4'):
    n = int(np.prod(shape, dtype=np.int64)); i = np.arange(n, dtype=np.int64) * 7 % 101
    dtype = np.dtype(dtype)
    if dtype.kind == 'b': i = i % 2
    elif dtype.kind != 'u': i = i - 50
    return i.astype(dtype).reshape(shape)

def texts(name, n): return [f'{name} {k}' for k in range(n)]

def fill_attributes(o, many=0):
    o.attrs['one'] = 'one 0'                                         # variable length
    o.attrs['bytes'] = np.bytes_('bytes 0')                          # fixed
    o.attrs['fixed'] = np.array(texts('fixed', 5), 'S')
    o.attrs['long'] = np.array(texts('long', 300), 'S')
    o.attrs.create('vlen', texts('vlen', 40), dtype=h5py.string_dtype())
    o.attrs['empty'] = []
    o.attrs['number'] = np.float32(2.5)
    for k in range(many): o.attrs[f'a{k}'] = np.bytes_(f'a{k} 0')

def cases(f, chunks=True):
    g = f.create_group('types')
    for t in 'i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 >i2 >i4 >f4 >f8 ?'.split():
        g.create_dataset('be_' + t[1:] if t[0] == '>' else 'bool' if t == '?' else t, data=values((3, 5), t))
    g = f.create_group('shapes')
    g['scalar'] = values((), 'f4')[()]
    g['empty'] = values((0,), 'f4')
    g['empty2'] = values((3, 0, 2), 'f4')
    g.create_dataset('null', data=h5py.Empty('f4'))
    g['r1'] = values((17,)); g['r4'] = values((3, 3, 2, 4)); g['r8'] = values((2, 1, 3, 1, 2, 1, 2, 2))
    g.create_dataset('fill_never', shape=(4, 3), dtype='f4', fillvalue=-3.5)
    dc = h5py.h5p.create(h5py.h5p.DATASET_CREATE); dc.set_layout(h5py.h5d.COMPACT)
    d = h5py.h5d.create(g.id, b'compact', h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((4, 4)), dc)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, values((4, 4)))
    g = f.create_group('a/b/c/d'); g['deep'] = values((2, 2)); fill_attributes(g)
    g = f.create_group('links')
    for k in range(40): g[f'dataset_{k:03d}'] = values((1 + k % 3,))
    fill_attributes(g, many=30)
    if not chunks: return
    g = f.create_group('chunked'); z = dict(compression='gzip', compression_opts=9)
    g.create_dataset('plain', data=values((10, 7)), chunks=(4, 3))
    g.create_dataset('whole', data=values((6, 5)), chunks=(6, 5))
    g.create_dataset('whole_gzip', data=values((6, 5)), chunks=(6, 5), **z)
    g.create_dataset('gzip', data=values((10, 7)), chunks=(4, 3), **z)
    g.create_dataset('shuffle', data=values((10, 7), 'f8'), chunks=(4, 3), shuffle=True, **z)
    g.create_dataset('fletcher', data=values((10, 7)), chunks=(4, 3), fletcher32=True)
    g.create_dataset('all', data=values((11, 5, 3), 'i4'), chunks=(4, 3, 2), shuffle=True, fletcher32=True, **z)
    g.create_dataset('odd', data=values((5, 3), 'u1'), chunks=(5, 1), fletcher32=True)
    g.create_dataset('be', data=values((9, 4), '>f4'), chunks=(4, 3), **z)
    g.create_dataset('grows1', data=values((10, 7)), chunks=(2, 3), maxshape=(None, 7))
    g.create_dataset('grows1_last', data=values((6, 9)), chunks=(2, 3), maxshape=(8, None), **z)
    g.create_dataset('grows2', data=values((10, 7)), chunks=(4, 3), maxshape=(None, None))
    g.create_dataset('grows2_gzip', data=values((10, 7)), chunks=(1, 1), maxshape=(None, None), **z)
    g.create_dataset('more_room', data=values((10, 7)), chunks=(4, 3), maxshape=(30, 20))
    g.create_dataset('many', data=values((1500,), 'i2'), chunks=(1,))
    g.create_dataset('many_grow', data=values((600,), 'i2'), chunks=(1,), maxshape=(None,))
    d = g.create_dataset('fill_some', shape=(400,), dtype='f4', chunks=(10,), fillvalue=-3.5); d[:10] = values((10,))
    d = g.create_dataset('fill_some_grow', shape=(400,), dtype='f4', chunks=(10,), fillvalue=-3.5, maxshape=(None,)); d[:10] = values((10,))
    g.create_dataset('fill_none', shape=(7, 5), dtype='f4', chunks=(2, 2), fillvalue=-3.5)
    dc = h5py.h5p.create(h5py.h5p.DATASET_CREATE); dc.set_chunk((4,)); dc.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    d = h5py.h5d.create(g.id, b'implicit', h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((18,)), dc)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, values((18,)))

for name, libver, order in [('earliest', 'earliest', False), ('v108', ('v108', 'v108'), False), ('latest', 'latest', True)]:
    with h5py.File(f'{here}/{name}.h5', 'w', libver=libver, track_order=order) as f: cases(f)
with h5py.File(f'{here}/userblock.h5', 'w', userblock_size=1024) as f: cases(f, chunks=False)
for name, libver in [('long_old', 'earliest'), ('long_new', 'latest')]:
    with h5py.File(f'{here}/{name}.h5', 'w', libver=libver) as f:
        text = np.bytes_('model_config 0'.ljust(5000)) if libver == 'earliest' else np.bytes_('model_config 0'.ljust(70000))
        f.attrs['model_config'] = text
        if libver == 'latest': f.attrs['other'] = np.bytes_('other 0'.ljust(9000)); f.attrs['small'] = np.bytes_('small 0')

# What must be refused, by name.
def bad(name): return h5py.File(f'{here}/bad_{name}.h5', 'w', libver='latest')
with bad('soft_link') as f: f['there'] = values((3,)); f['bad'] = h5py.SoftLink('/there')
with bad('external_link') as f: f['bad'] = h5py.ExternalLink('other.h5', '/x')
with bad('external_storage') as f: f.create_dataset('bad', shape=(4,), dtype='f4', external=[('/etc/passwd', 0, 16)])
with bad('virtual') as f:
    layout = h5py.VirtualLayout(shape=(4,), dtype='f4'); layout[:] = h5py.VirtualSource('other.h5', 'x', shape=(4,)); f.create_virtual_dataset('bad', layout)
with bad('lzf') as f: f.create_dataset('bad', data=values((10,)), chunks=(5,), compression='lzf')
with bad('scaleoffset') as f: f.create_dataset('bad', data=values((10,), 'i4'), chunks=(5,), scaleoffset=0)
with bad('compound') as f: f.create_dataset('bad', data=np.zeros(3, 'i4,f4'))
with bad('complex') as f: f.create_dataset('bad', data=np.zeros(3, 'c8'))
with bad('committed_type') as f: f['t'] = np.dtype('f4'); f.create_dataset('bad', shape=(3,), dtype=f['t'])
with bad('shape_bomb') as f: f.create_dataset('bad', shape=(1 << 40,), dtype='f4', chunks=(1 << 20,), compression='gzip')
with bad('chunk_bomb') as f: f.create_dataset('bad', shape=(4,), dtype='f4', chunks=(1 << 29,), maxshape=(None,), compression='gzip')
with h5py.File(f'{here}/loop.h5', 'w') as f:   # hard links in a circle are legal HDF5
    f['a/x'] = values((3,)); f['a/up'] = f['/']; f['a/self'] = f['a']

# Small ones for the fuzzer (tests/fuzz/corpus/h5): one structure each.
seeds = os.path.join(here, '..', '..', 'fuzz', 'corpus', 'h5'); os.makedirs(seeds, exist_ok=True)
def seed(name, fill, libver='latest', **kw):
    with h5py.File(f'{seeds}/{name}.h5', 'w', libver=libver, **kw) as f: fill(f)
z = dict(compression='gzip', shuffle=True, fletcher32=True)
seed('single', lambda f: f.create_dataset('d', data=values((4, 3)), chunks=(4, 3), **z))
seed('fixed', lambda f: f.create_dataset('d', data=values((5, 3)), chunks=(2, 2)))
seed('fixed_gzip', lambda f: f.create_dataset('d', data=values((5, 3)), chunks=(2, 2), **z))
seed('extensible', lambda f: f.create_dataset('d', data=values((30,)), chunks=(2,), maxshape=(None,)))
seed('extensible_gzip', lambda f: f.create_dataset('d', data=values((9,)), chunks=(2,), maxshape=(None,), **z))
seed('tree2', lambda f: f.create_dataset('d', data=values((5, 3)), chunks=(2, 2), maxshape=(None, None)))
seed('tree2_gzip', lambda f: f.create_dataset('d', data=values((5, 3)), chunks=(2, 2), maxshape=(None, None), **z))
seed('tree1', lambda f: f.create_dataset('d', data=values((5, 3)), chunks=(2, 2), **z), libver='earliest')
seed('tree1_flat', lambda f: f.create_dataset('d', data=values((5,)), chunks=(2,)), libver='earliest')
seed('fill_old', lambda f: f.create_dataset('fill', shape=(3,), dtype='f4', fillvalue=-3.5), libver='earliest')
def twins(f): f['a'] = values((500,)); f['b'] = values((500,))
seed('twins', twins, libver='earliest')
def few(f):
    f.attrs['vlen'] = ['vlen 0', 'vlen 1']; f.attrs['layer_names'] = np.array(['a', 'bc'], 'S'); f['g/h'] = values((3,)); f['b'] = np.bool_(True)
seed('few_old', few, libver='earliest'); seed('few_new', few)
def dense(f):
    for k in range(12): f.attrs[f'attribute{k}'] = k
    for k in range(12): f.create_group(f'group{k}')
seed('dense', dense)
def large(f): f.attrs['model_config'] = np.bytes_('x' * 5000); f.attrs['b'] = 1; [f.attrs.__setitem__(f'c{k}', k) for k in range(9)]
seed('large_attribute', large)

if big:
    os.makedirs(big, exist_ok=True)
    with h5py.File(f'{big}/pages.h5', 'w', libver='latest') as f:
        f.create_dataset('ea_pages', data=values((140000,), 'u1'), chunks=(1,), maxshape=(None,))
        f.create_dataset('ea_gzip', data=values((3000,), 'u1'), chunks=(1,), maxshape=(None,), compression='gzip')
        f.create_dataset('fa_gzip', data=values((5000,), 'u1'), chunks=(2,), compression='gzip')
        f.create_dataset('bt2', data=values((200, 200), 'u1'), chunks=(2, 1), maxshape=(None, None))
        f.create_dataset('bt2_gzip', data=values((90, 90), 'i4'), chunks=(2, 3), maxshape=(None, None), compression='gzip', shuffle=True)
    for libver in ('earliest', 'latest'):
        with h5py.File(f'{big}/links_{libver}.h5', 'w', libver=libver) as f:
            for k in range(20000): f.create_group(f'layer with a rather long name number {k}')
            g = f.create_group('attrs')
            if libver == 'latest':
                for k in range(3000): g.attrs[f'attribute{k}'] = np.bytes_(f'attribute{k} 0')
            f.create_dataset('bt1', data=values((300, 300), 'i2'), chunks=(2, 1))
            f.create_dataset('mid', data=values((1000, 1000), 'f4'), chunks=(64, 100), compression='gzip', shuffle=True, fletcher32=True)
