"""Makes tests/data/tf/files.tar.gz: one small model in every file that TensorFlow writes, with the inputs and outputs TensorFlow has for it.

    /path/to/python-with-tensorflow make_tf_files.py tests/data/tf/files.tar.gz

softmax/   a classifier of TensorFlow 1 with dropout (keep_prob), a truth value for training, labels, a loss and an optimiser:
           v1/model.ckpt, v2/model.ckpt with their .meta, graph.pbtxt (without training), frozen.pb; variable b has two parts
named/     a SavedModel of TensorFlow 2: two signatures, one over a table read from an asset, inputs whose order is not that of their names
keras2/    what Keras 2 saves of a model with two inputs and two outputs (the order is in keras_metadata.pb)
Lists of operators are taken out of the files: TensorFlow reads them as well without.
"""
import gzip, io, os, sys, shutil, tarfile, tempfile
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np, tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

out = tempfile.mkdtemp()
t1 = tf.compat.v1
rng = np.random.default_rng(7)


def strip_meta(path):
    m = meta_graph_pb2.MetaGraphDef()
    m.ParseFromString(open(path, 'rb').read())
    m.meta_info_def.ClearField('stripped_op_list')
    open(path, 'wb').write(m.SerializeToString())


def strip_saved(d):
    p = d + '/saved_model.pb'
    m = saved_model_pb2.SavedModel()
    m.ParseFromString(open(p, 'rb').read())
    for g in m.meta_graphs:
        g.meta_info_def.ClearField('stripped_op_list')
        for f in g.graph_def.library.function:
            for n in f.node_def: n.ClearField('experimental_debug_info')
    open(p, 'wb').write(m.SerializeToString())
    os.remove(d + '/fingerprint.pb')


def softmax(d):
    os.makedirs(d + '/v1'), os.makedirs(d + '/v2')
    with t1.Graph().as_default() as g, t1.Session() as s:
        x = t1.placeholder(tf.float32, [None, 4], name='x')
        y = t1.placeholder(tf.float32, [None, 3], name='y_')
        keep = t1.placeholder(tf.float32, name='keep_prob')
        training = t1.placeholder(tf.bool, [], name='is_training')
        w = t1.get_variable('w', initializer=rng.standard_normal((4, 3)).astype('f'))
        with t1.variable_scope('parts', partitioner=t1.fixed_size_partitioner(2)):
            start = tf.random_uniform_initializer(-1, 1, seed=3)
            b = t1.get_variable('b', [4], initializer=start)
        h = t1.nn.dropout(tf.matmul(x + tf.concat(list(b), 0), w), keep_prob=keep)
        h = tf.cond(training, lambda: h * 0.5, lambda: h * 2.0)
        p = tf.nn.softmax(h, name='softmax')
        tf.io.write_graph(g, d, 'graph.pbtxt', as_text=True)
        loss = -tf.reduce_mean(tf.reduce_sum(y * tf.math.log(p + 1e-6), 1))
        train = t1.train.GradientDescentOptimizer(0.1).minimize(loss)
        s.run(t1.global_variables_initializer())
        X = rng.standard_normal((5, 4)).astype('f')
        for _ in range(3): s.run(train, {x: X, y: np.eye(3, dtype='f')[[0, 1, 2, 0, 1]], keep: 0.5, training: True})
        np.save(d + '/x.npy', X), np.save(d + '/y.npy', s.run(p, {x: X, keep: 1.0, training: False}))
        t1.train.Saver(save_relative_paths=True).save(s, d + '/v2/model.ckpt')
        t1.train.Saver(write_version=1, save_relative_paths=True).save(s, d + '/v1/model.ckpt')
        frozen = t1.graph_util.convert_variables_to_constants(s, g.as_graph_def(), ['softmax'])
        tf.io.write_graph(frozen, d, 'frozen.pb', as_text=False)
    for v in 'v1', 'v2': strip_meta(f'{d}/{v}/model.ckpt.meta')


class Named(tf.Module):
    def __init__(self, words):
        self.w = tf.Variable(rng.standard_normal((3, 2)).astype('f'), name='w')
        self.scale = tf.constant(2.0)
        self.table = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(words, tf.string, 0, tf.int64, 1, delimiter=' '), -1)

    @tf.function(input_signature=[tf.TensorSpec([None, 3], name='wide'), tf.TensorSpec([None, 2], name='narrow')])
    def join(self, wide, narrow):
        product = wide @ self.w * self.scale
        return {'product': product, 'all': product + narrow}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name='words')])
    def find(self, words):
        return {'number': self.table.lookup(words)}


def named(d):
    os.makedirs(d)
    words = d + '/words.txt'
    open(words, 'w').write('one 1\ntwo 2\nseven 7\n')
    m = Named(words)
    tf.saved_model.save(m, d + '/saved_model', signatures={'serving_default': m.join, 'find': m.find})
    wide, narrow = rng.standard_normal((2, 3)).astype('f'), rng.standard_normal((2, 2)).astype('f')
    for n, v in {'wide': wide, 'narrow': narrow, **m.join(wide, narrow)}.items(): np.save(f'{d}/{n}.npy', np.asarray(v))
    strip_saved(d + '/saved_model')
    os.remove(words)


def keras2(d):
    import tf_keras as keras
    os.makedirs(d)
    a, b = keras.Input((3,), name='zulu'), keras.Input((3,), name='alpha')
    m = keras.Model([a, b], [keras.layers.Dense(2, name='second')(a), keras.layers.Dense(1, name='first')(b)])
    m.save(d + '/saved_model', save_format='tf')
    z, l = rng.standard_normal((2, 3)).astype('f'), rng.standard_normal((2, 3)).astype('f')
    s, f = m.predict([z, l], verbose=0)
    for n, v in {'zulu': z, 'alpha': l, 'second': s, 'first': f}.items(): np.save(f'{d}/{n}.npy', v)
    strip_saved(d + '/saved_model')
    shutil.rmtree(d + '/saved_model/assets', ignore_errors=True)


softmax(out + '/softmax'), named(out + '/named'), keras2(out + '/keras2')
tar = io.BytesIO()
with tarfile.open(fileobj=tar, mode='w') as t:
    for d, dirs, files in sorted(os.walk(out)):
        dirs.sort()
        for f in sorted(files):
            info = t.gettarinfo(f'{d}/{f}', os.path.relpath(f'{d}/{f}', out))
            info.mtime, info.uid, info.gid, info.uname, info.gname, info.mode = 0, 0, 0, '', '', 0o644
            with open(f'{d}/{f}', 'rb') as data: t.addfile(info, data)
with open(sys.argv[1], 'wb') as f: f.write(gzip.compress(tar.getvalue(), 9, mtime=0))
shutil.rmtree(out)
