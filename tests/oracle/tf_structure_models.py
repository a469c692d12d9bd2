"""Models made of more than operators: control flow, TensorArrays, variables, hash tables, several signatures, recurrent Keras layers, and the patterns
a converter should recognise (tf_models.py)."""
import numpy as np
import tensorflow as tf
import tf_keras
from tf_models import A, B, F, I, L, S, keras, model, module, signatures

R = tf.raw_ops
rng = np.random.default_rng(3)


def c(*shape, lo=-1., hi=1.): return tf.constant(rng.uniform(lo, hi, shape).astype('f'))
def var(*shape, lo=-1., hi=1.): return tf.Variable(rng.uniform(lo, hi, shape).astype('f'))


# ---- control flow
W4 = c(4, 4)
model('while_count', 'control', lambda x, y: tf.while_loop(lambda i, v: i < y, lambda i, v: (i + 1, tf.tanh(v + .1)), [0, x])[1], F(None, 4), I(data=lambda r, k: 3 + 2 * k))
model('while_const_capture', 'control', lambda x: tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, tf.matmul(v, W4)), [0, x])[1], F(None, 4))
model('while_input_capture', 'control', lambda x, y: tf.while_loop(lambda v: tf.reduce_sum(v) < 50., lambda v: [v + y], [x])[0], F(4, lo=0), F(4, lo=1, hi=3))
model('while_never', 'control', lambda x: tf.while_loop(lambda v: tf.reduce_sum(v) < -1e9, lambda v: [v + 1.], [x])[0], F(None, 3))
model('while_grows', 'control', lambda x: tf.while_loop(lambda v: tf.shape(v)[0] < 7, lambda v: [tf.concat([v, v[-1:] * 2.], 0)], [x], shape_invariants=[tf.TensorShape([None, 3])])[0], F('k', 3))
model('while_nested', 'control', lambda x: tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, tf.while_loop(lambda j, u: j < i, lambda j, u: (j + 1, u * 2. + 1.), [0, v])[1]), [0, x])[1], F(None, 2))
model('while_bool_state', 'control', lambda x: tf.while_loop(lambda go, v: go, lambda go, v: (tf.reduce_max(v) < 20., v * 2.), [tf.constant(True), x])[1], F(3, lo=1))
model('while_maximum_iterations', 'control', lambda x: tf.while_loop(lambda v: tf.constant(True), lambda v: [v * 1.5], [x], maximum_iterations=4)[0], F(None, 3))
model('while_swap', 'control', lambda x, y: list(tf.while_loop(lambda i, a, b: i < 3, lambda i, a, b: (i + 1, b, a + b), [0, x, y])[1:]), F(None, 3), F(None, 3))
model('while_int64', 'control', lambda x: tf.while_loop(lambda n, s: n > 0, lambda n, s: (n // 2, s + n % 2), [x, tf.constant(0, tf.int64)])[1], L(lo=1, hi=900))
model('while_collatz', 'control', lambda x: tf.while_loop(lambda n, i: n > 1, lambda n, i: (tf.where(n % 2 == 0, n // 2, 3 * n + 1), i + 1), [x, 0])[1], I(lo=1, hi=50))
model('cond', 'control', lambda x, y: tf.cond(y, lambda: x * 2., lambda: x - 1.), F(None, 3), B(data=lambda r, k: k == 0))
model('cond_of_input', 'control', lambda x: tf.cond(tf.reduce_sum(x) > 0., lambda: tf.nn.relu(x), lambda: tf.tanh(x)), F(None, 3))
model('cond_two_results', 'control', lambda x, y: list(tf.cond(y > 0, lambda: (x, x + 1.), lambda: (x * x, tf.zeros_like(x)))), F(None, 3), I(data=lambda r, k: 1 - k))
model('cond_shapes_differ', 'control', lambda x, y: tf.cond(y, lambda: x[:1], lambda: tf.concat([x, x], 0)), F(3, 2), B(data=lambda r, k: k == 0))
model('cond_nested', 'control', lambda x, y: tf.cond(y > 0, lambda: tf.cond(y > 5, lambda: x * 3., lambda: x * 2.), lambda: -x), F(None, 2), I(data=lambda r, k: [7, 3, -1][k]))
model('cond_no_inputs', 'control', lambda y: tf.cond(y, lambda: tf.constant([1., 2.]), lambda: tf.constant([3., 4.])), B(data=lambda r, k: k == 0))
model('case', 'control', lambda x, y: tf.switch_case(y, [lambda: x, lambda: x * 2., lambda: x + 10.]), F(None, 2), I(data=lambda r, k: k))
model('case_default', 'control', lambda x, y: tf.switch_case(y, {0: lambda: x, 1: lambda: x * 2.}, default=lambda: -x), F(None, 2), I(data=lambda r, k: [1, 7, 0][k]))
model('case_out_of_range', 'control', lambda x, y: tf.switch_case(y, [lambda: x, lambda: x * 2.]), F(None, 2), I(data=lambda r, k: [-1, 9, 1][k]))
model('case_pairs', 'control', lambda x: tf.case([(tf.reduce_sum(x) > 2., lambda: x - 2.), (tf.reduce_sum(x) > 0., lambda: x)], default=lambda: -x), F(None, 2))
model('while_in_cond', 'control', lambda x, y: tf.cond(y, lambda: tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * 2.), [0, x])[1], lambda: x), F(None, 2), B(data=lambda r, k: k == 0))
model('cond_in_while', 'control', lambda x: tf.while_loop(lambda i, v: i < 4, lambda i, v: (i + 1, tf.cond(i % 2 == 0, lambda: v + 1., lambda: v * 3.)), [0, x])[1], F(None, 2))
model('autograph_loop', 'control', lambda x, y: looped(x, y), F(None, 3), I(data=lambda r, k: 2 + k))
model('while_random', 'control', lambda x: tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v + tf.random.uniform([2])), [0, x])[1], F(2), random=True)
model('map_fn', 'control', lambda x: tf.map_fn(lambda r: tf.reduce_sum(r) * r, x), F(None, 3))
model('map_fn_types', 'control', lambda x: tf.map_fn(lambda r: tf.cast(tf.argmax(r), tf.int32), x, fn_output_signature=tf.int32), F(4, 3))
model('scan', 'control', lambda x: tf.scan(lambda a, b: a * .5 + b, x), F(None, 3))
model('scan_reverse', 'control', lambda x: tf.scan(lambda a, b: a * .5 + b, x, initializer=tf.zeros([3]), reverse=True), F(5, 3))
model('foldl_foldr', 'control', lambda x: [tf.foldl(lambda a, b: a - b, x), tf.foldr(lambda a, b: a * .5 + b, x)], F(5, 3))
model('vectorized_map', 'control', lambda x: tf.vectorized_map(lambda r: tf.reduce_sum(r) * r, x), F(4, 3))
model('nested_functions', 'control', lambda x: inner_a(inner_a(x)) + inner_b(x, 2.), F(None, 3))


def looped(x, n):
    total = tf.zeros_like(x)
    for i in tf.range(n):
        if tf.reduce_sum(total) > 5.: total = total - 1.
        else: total = total + x * tf.cast(i, tf.float32)
    return total


looped = tf.autograph.to_graph(looped)


@tf.function
def inner_b(x, k): return tf.nn.relu(x) * k


@tf.function
def inner_a(x): return inner_b(x, 3.) - tf.sin(x)


# ---- TensorArrays and lists
def array_write(x):
    a = tf.TensorArray(tf.float32, 4, element_shape=[3])
    for i in range(4): a = a.write(i, x[i] * float(i))
    return [a.stack(), a.read(2)]


def array_loop(x):
    a = tf.TensorArray(tf.float32, 5, element_shape=[None, 2])
    return tf.transpose(tf.while_loop(lambda i, a: i < 5, lambda i, a: (i + 1, a.write(i, x[:, i] * tf.cast(i, tf.float32))), [0, a])[1].stack(), [1, 0, 2])


def array_open(x):
    n = tf.shape(x)[1]
    source = tf.TensorArray(tf.float32, n, element_shape=[None, 2]).unstack(tf.transpose(x, [1, 0, 2]))
    out = tf.TensorArray(tf.float32, n, element_shape=[None, 2])
    return tf.while_loop(lambda i, s, a: i < n, lambda i, s, a: (i + 1, s * .5 + source.read(i), a.write(i, s)), [0, tf.zeros_like(x[:, 0]), out])[2].stack()


def list_push(x):
    h = R.EmptyTensorList(element_shape=tf.constant([3]), max_num_elements=-1, element_dtype=tf.float32)
    for i in range(3): h = R.TensorListPushBack(input_handle=h, tensor=x[i] + float(i))
    h, last = R.TensorListPopBack(input_handle=h, element_shape=tf.constant([3]), element_dtype=tf.float32)
    return [R.TensorListStack(input_handle=h, element_shape=tf.constant([3]), element_dtype=tf.float32), last, R.TensorListLength(input_handle=h)]


def list_set(x):
    h = R.TensorListFromTensor(tensor=x, element_shape=tf.constant([3]))
    h = R.TensorListSetItem(input_handle=h, index=1, item=x[0] * 2.)
    return [R.TensorListGetItem(input_handle=h, index=1, element_shape=tf.constant([3]), element_dtype=tf.float32), R.TensorListStack(input_handle=h, element_shape=tf.constant([3]), element_dtype=tf.float32)]


def list_resize(x):
    h = R.TensorListResize(input_handle=R.TensorListFromTensor(tensor=x, element_shape=tf.constant([3])), size=5)
    return [R.TensorListStack(input_handle=R.TensorListSetItem(input_handle=R.TensorListSetItem(input_handle=h, index=4, item=x[0]), index=3, item=x[1]), element_shape=tf.constant([3]), element_dtype=tf.float32), R.TensorListLength(input_handle=h)]


def list_concat(x):
    h = R.TensorListFromTensor(tensor=x, element_shape=tf.constant([2, 3]))
    return R.TensorListConcatV2(input_handle=h, element_shape=tf.constant([2, 3]), leading_dims=tf.constant([], tf.int64), element_dtype=tf.float32)[0]


def list_push_loop(x):
    h = R.EmptyTensorList(element_shape=tf.constant([2]), max_num_elements=-1, element_dtype=tf.float32)
    h = tf.while_loop(lambda i, h: i < tf.shape(x)[0], lambda i, h: (i + 1, R.TensorListPushBack(input_handle=h, tensor=x[i] * 2.)), [0, h])[1]
    return R.TensorListStack(input_handle=h, element_shape=tf.constant([2]), element_dtype=tf.float32)


model('tensor_array_write', 'control', array_write, F(4, 3))
model('tensor_array_loop', 'control', array_loop, F(None, 5, 2))
model('tensor_array_open', 'control', array_open, F(None, 't', 2))
model('tensor_array_gather_scatter', 'control', lambda x: (lambda a: [a.gather([2, 0]), tf.TensorArray(tf.float32, 3).scatter([2, 0, 1], x).stack()])(tf.TensorArray(tf.float32, 3).unstack(x)), F(3, 2))
model('tensor_array_concat', 'control', lambda x: tf.TensorArray(tf.float32, 3).unstack(x).concat(), F(3, 2, 2))
model('tensor_list_push_pop', 'control', list_push, F(3, 3))
model('tensor_list_set_get', 'control', list_set, F(3, 3))
model('tensor_list_resize', 'control', list_resize, F(3, 3))
model('tensor_list_concat', 'control', list_concat, F(3, 2, 3))
model('tensor_list_element_shape', 'control', lambda x: R.TensorListElementShape(input_handle=R.TensorListFromTensor(tensor=x, element_shape=tf.constant([3, 2])), shape_type=tf.int32), F(None, 3, 2))
model('tensor_list_push_loop', 'control', list_push_loop, F(None, 2))


# ---- variables, tables, signatures
@module('variables_read', 'must', F(None, 4))
def _():
    m = tf.Module(); m.w, m.b = var(4, 3), var(3)
    return m, lambda x: tf.nn.relu(tf.matmul(x, m.w) + m.b)


@module('variables_nested', 'must', F(None, 4))
def _():
    m = tf.Module(); m.a = tf.Module(); m.list = [var(4, 4), var(4, 4)]; m.d = {'k': var(4)}; m.a.s = tf.Variable(2.5)
    return m, lambda x: tf.matmul(tf.matmul(x, m.list[0]), m.list[1]) * m.a.s + m.d['k']


for t in ('float16', 'float64', 'int32', 'int64', 'bool', 'uint8', 'int8', 'int16'):
    @module(f'variable_{t}', 'must', F(None, 3))
    def _(t=t):
        m = tf.Module(); m.v = tf.Variable(tf.cast(tf.constant([1, 0, 3]), t))
        return m, lambda x: x + tf.cast(m.v, tf.float32)


@module('variable_bfloat16', 'must', F(None, 3))
def _():
    m = tf.Module(); m.v = tf.Variable(tf.constant([1., .5, 3], tf.bfloat16))
    return m, lambda x: x + tf.cast(m.v, tf.float32)


@module('variable_gathered', 'must', I(None, lo=0, hi=6))
def _():
    m = tf.Module(); m.v = var(6, 3)
    return m, lambda x: tf.nn.embedding_lookup(m.v, x)


@module('variable_in_loop', 'control', F(None, 4))
def _():
    m = tf.Module(); m.w = var(4, 4)
    return m, lambda x: tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, tf.tanh(tf.matmul(v, m.w))), [0, x])[1]


@module('variable_in_cond', 'control', F(None, 4), B(data=lambda r, k: k == 0))
def _():
    m = tf.Module(); m.w = var(4)
    return m, lambda x, y: tf.cond(y, lambda: x * m.w, lambda: x - m.w)


@module('variable_partitioned_sum', 'must', F(None, 4))
def _():
    m = tf.Module(); m.p = [var(2, 3), var(2, 3)]
    return m, lambda x: tf.matmul(x, tf.concat(m.p, 0))


@module('assign_add', 'control', F(3), stateful=True)
def _():
    m = tf.Module(); m.v = tf.Variable([1., 2., 3.])
    return m, lambda x: m.v.assign_add(x) * 2.


@module('assign_then_read', 'control', F(3), stateful=True)
def _():
    m = tf.Module(); m.v = tf.Variable(tf.zeros([3]))
    def f(x):
        before = m.v.read_value()
        m.v.assign(x)
        return {'before': before, 'after': m.v.read_value() + 1.}
    return m, f


@module('counter', 'control', F(None, 2), stateful=True)
def _():
    m = tf.Module(); m.n = tf.Variable(0)
    def f(x):
        m.n.assign_add(1)
        return {'n': m.n.read_value(), 'y': x * tf.cast(m.n, tf.float32)}
    return m, f


@module('assign_slice', 'control', F(2, 2), stateful=True)
def _():
    m = tf.Module(); m.v = var(3, 4)
    def f(x):
        m.v[1:, :2].assign(x)
        m.v[::2, 3].assign(x[0])
        return m.v * 1.
    return m, f


@module('assign_in_cond', 'control', F(2), B(data=lambda r, k: k == 0), stateful=True)
def _():
    m = tf.Module(); m.v = tf.Variable([1., 1.])
    def f(x, y):
        tf.cond(y, lambda: m.v.assign(x), lambda: m.v.assign_sub(x))
        return m.v.read_value()
    return m, f


@module('assign_in_while', 'control', F(2), I(data=lambda r, k: 2 + k), stateful=True)
def _():
    m = tf.Module(); m.v = tf.Variable([1., 2.])
    def f(x, n):
        tf.while_loop(lambda i: i < n, lambda i: [tf.add(i, 1 + 0 * tf.cast(m.v.assign(m.v * .5 + x)[0], tf.int32))], [0])
        return m.v.read_value()
    return m, f


@module('moving_average', 'control', F(None, 2), stateful=True)
def _():
    m = tf.Module(); m.v = tf.Variable([0., 0.])
    return m, lambda x: x - m.v.assign(m.v * .9 + tf.reduce_mean(x, 0) * .1)


@module('gru_state_kept', 'control', F(1, 3), stateful=True)
def _():
    m = tf.Module(); m.h = tf.Variable(tf.zeros([1, 4])); m.w, m.u = var(3, 4), var(4, 4)
    return m, lambda x: m.h.assign(tf.tanh(tf.matmul(x, m.w) + tf.matmul(m.h, m.u)))


def table(keys, values, default): return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), default)


@module('table_string_int64', 'control', S(4))
def _():
    m = tf.Module(); m.t = table(tf.constant(['a', 'bc', '12']), tf.constant([5, 6, 7], tf.int64), tf.constant(-1, tf.int64))
    return m, lambda x: m.t.lookup(x)


@module('table_int64_string', 'control', L(4, lo=0, hi=5))
def _():
    m = tf.Module(); m.t = table(tf.constant([1, 2, 3], tf.int64), tf.constant(['one', 'two', 'three']), 'none')
    return m, lambda x: m.t.lookup(x)


@module('table_int64_int64', 'control', L(None, lo=0, hi=9))
def _():
    m = tf.Module(); m.t = table(tf.constant([1, 5, 3], tf.int64), tf.constant([10, 50, 30], tf.int64), tf.constant(-7, tf.int64))
    return m, lambda x: m.t.lookup(x)


@module('table_int32_float', 'control', I(None, lo=0, hi=5))
def _():
    m = tf.Module(); m.t = table(tf.constant([1, 2, 3]), tf.constant([.1, .2, .3]), 0.)
    return m, lambda x: m.t.lookup(x)


@module('table_size_and_find', 'control', S(3))
def _():
    m = tf.Module(); m.t = table(tf.constant(['a', 'bc']), tf.constant([5, 6], tf.int64), tf.constant(0, tf.int64))
    return m, lambda x: {'size': m.t.size(), 'ids': m.t.lookup(x)}


@module('table_from_file', 'control', S(3))
def _():
    import os, tempfile
    p = os.path.join(tempfile.gettempdir(), 'litec-oracle-vocabulary.txt')
    with open(p, 'w') as f: f.write('a\nbc\n12\nx y z\n')
    m = tf.Module(); m.asset = tf.saved_model.Asset(p)
    m.t = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(m.asset, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER), -1)
    return m, lambda x: m.t.lookup(x)


@module('table_vocabulary_embedding', 'control', S(4))
def _():
    m = tf.Module(); m.t = table(tf.constant(['a', 'bc', '12']), tf.constant([1, 2, 3], tf.int64), tf.constant(0, tf.int64)); m.e = var(4, 3)
    return m, lambda x: tf.reduce_mean(tf.gather(m.e, m.t.lookup(x)), 0)


@signatures('two_signatures', 'must', {'encode': {'x': F(None, 4)}, 'decode': {'code': F(None, 3), 'scale': F()}})
def _():
    m = tf.Module(); m.w = var(4, 3)
    return m, {'encode': lambda x: {'code': tf.nn.relu(tf.matmul(x, m.w)), 'sum': tf.reduce_sum(x, 1)}, 'decode': lambda code, scale: {'x': tf.matmul(code, m.w, transpose_b=True) * scale}}


@signatures('serving_and_other', 'must', {'serving_default': {'x': F(None, 4)}, 'ids': {'i': I(None, lo=0, hi=6)}})
def _():
    m = tf.Module(); m.w, m.e = var(4, 3), var(6, 2)
    return m, {'serving_default': lambda x: tf.nn.softmax(tf.matmul(x, m.w)), 'ids': lambda i: tf.gather(m.e, i)}


@signatures('signatures_share_state', 'control', {'put': {'x': F(3)}, 'take': {'k': F()}}, stateful=True)
def _():
    m = tf.Module(); m.v = tf.Variable([1., 2., 3.])
    return m, {'put': lambda x: {'old': m.v.assign_add(x)}, 'take': lambda k: {'v': m.v * k}}


# ---- patterns
C3 = c(3, 3, 3, 4)
model('pattern_hard_swish', 'pattern', lambda x: x * tf.nn.relu6(x + 3.) * (1 / 6.), F(None, 5, lo=-5, hi=5))
model('pattern_hard_swish_div', 'pattern', lambda x: x * (tf.nn.relu6(x + np.float32(3)) / 6.), F(None, 4, 4, 2, lo=-5, hi=5))
model('pattern_hard_sigmoid', 'pattern', lambda x: tf.nn.relu6(x + 3.) / 6., F(None, 5, lo=-5, hi=5))
model('pattern_gelu_tanh', 'pattern', lambda x: .5 * x * (1. + tf.tanh(np.float32(np.sqrt(2 / np.pi)) * (x + .044715 * tf.pow(x, 3)))), F(None, 5, lo=-4, hi=4))
model('pattern_gelu_erf', 'pattern', lambda x: x * .5 * (1. + tf.math.erf(x / np.float32(np.sqrt(2)))), F(None, 5, lo=-4, hi=4))
model('pattern_gelu_erf_other', 'pattern', lambda x: x * (.5 * (1. + tf.math.erf(x * np.float32(np.sqrt(.5))))), F(None, 5, lo=-4, hi=4))
model('pattern_prelu', 'pattern', lambda x, a=c(3): tf.nn.relu(x) + a * -tf.nn.relu(-x), F(None, 4, 4, 3))
model('pattern_prelu_where', 'pattern', lambda x, a=c(3): tf.where(x > 0, x, a * x), F(None, 3))
model('pattern_leaky_by_maximum', 'pattern', lambda x: tf.maximum(x, .2 * x), F(None, 5))
model('pattern_relu_n1_to_1', 'pattern', lambda x: tf.minimum(tf.maximum(x, -1.), 1.), F(None, 5))
model('pattern_relu6_min_max', 'pattern', lambda x: tf.minimum(tf.nn.relu(x * 5.), 6.), F(None, 5))
model('pattern_l2_normalize', 'pattern', lambda x: tf.math.l2_normalize(x, -1), F(None, 5))
model('pattern_l2_normalize_4d', 'pattern', lambda x: tf.math.l2_normalize(x, axis=-1), F(None, 3, 3, 4))
model('pattern_l2_normalize_axis1', 'pattern', lambda x: tf.math.l2_normalize(x, axis=1), F(None, 3, 4))
model('pattern_l2_by_hand', 'pattern', lambda x: x / tf.sqrt(tf.reduce_sum(x * x, -1, keepdims=True)), F(None, 5))
model('pattern_layer_norm', 'pattern', lambda x, g=c(5), b=c(5): (lambda m, v: (x - m) * tf.math.rsqrt(v + 1e-3) * g + b)(*tf.nn.moments(x, [-1], keepdims=True)), F(None, 3, 5))
model('pattern_batch_normalization', 'pattern', lambda x, m=c(3), v=c(3, lo=.5, hi=2), b=c(3), g=c(3): tf.nn.batch_normalization(x, m, v, b, g, 1e-3), F(None, 3))
model('pattern_conv_bn_relu', 'pattern', lambda x, g=c(4, lo=.5, hi=2), b=c(4), m=c(4), v=c(4, lo=.5, hi=2): tf.nn.relu(R.FusedBatchNormV3(x=tf.nn.conv2d(x, C3, 1, 'SAME'), scale=g, offset=b, mean=m, variance=v, epsilon=.001, is_training=False)[0]), F(None, 6, 6, 3))
model('pattern_conv_bn_arithmetic', 'pattern', lambda x, g=c(4, lo=.5, hi=2), b=c(4), m=c(4), v=c(4, lo=.5, hi=2): tf.nn.relu6(tf.nn.batch_normalization(tf.nn.conv2d(x, C3, 2, 'VALID'), m, v, b, g, .001)), F(None, 7, 7, 3))
model('pattern_conv_mul_add', 'pattern', lambda x, g=c(4), b=c(1, 1, 1, 4): tf.nn.conv2d(x, C3, 1, 'SAME') * g + b, F(None, 6, 6, 3))
model('pattern_depthwise_bn', 'pattern', lambda x, w=c(3, 3, 3, 2), g=c(6, lo=.5, hi=2), b=c(6), m=c(6), v=c(6, lo=.5, hi=2): tf.nn.relu6(R.FusedBatchNormV3(x=tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], 'SAME'), scale=g, offset=b, mean=m, variance=v, epsilon=.001, is_training=False)[0]), F(None, 6, 6, 3))
model('pattern_bn_nchw', 'pattern', lambda x, g=c(3, lo=.5, hi=2), b=c(3), m=c(3), v=c(3, lo=.5, hi=2): R.FusedBatchNormV3(x=x, scale=g, offset=b, mean=m, variance=v, epsilon=.001, is_training=False, data_format='NCHW')[0], F(None, 3, 4, 5))
model('pattern_dense_bn', 'pattern', lambda x, w=c(4, 6), g=c(6), b=c(6): (tf.matmul(x, w) - .5) * g + b, F(None, 4))
D3 = c(3, 3, 2, 4)
model('pattern_dilated', 'pattern', lambda x: tf.batch_to_space(tf.nn.conv2d(tf.space_to_batch(x, [2, 2], [[2, 2], [2, 2]]), D3, 1, 'VALID'), [2, 2], [[0, 0], [0, 0]]), F(2, 8, 8, 2))
model('pattern_dilated_odd', 'pattern', lambda x: tf.batch_to_space(tf.nn.conv2d(tf.space_to_batch(x, [2, 2], [[2, 3], [2, 3]]), D3, 1, 'VALID'), [2, 2], [[0, 1], [0, 1]]), F(2, 7, 7, 2))
model('pattern_dilated_bias', 'pattern', lambda x, b=c(4): tf.nn.relu(tf.nn.bias_add(tf.batch_to_space(tf.nn.conv2d(tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]]), D3, 1, 'VALID'), [2, 2], [[0, 0], [0, 0]]), b)), F(None, 8, 8, 2))
model('pattern_dilated_depthwise', 'pattern', lambda x, w=c(3, 3, 2, 1): tf.batch_to_space(tf.nn.depthwise_conv2d(tf.space_to_batch(x, [3, 3], [[3, 4], [3, 4]]), w, [1, 1, 1, 1], 'VALID'), [3, 3], [[0, 1], [0, 1]]), F(2, 8, 8, 2))
model('pattern_dilated_1d', 'pattern', lambda x, w=c(3, 2, 4): tf.nn.convolution(x, w, padding='SAME', dilations=[2]), F(None, 9, 2))
nchw = lambda f: lambda x: tf.transpose(f(tf.transpose(x, [0, 2, 3, 1])), [0, 3, 1, 2])
model('nchw_conv', 'pattern', lambda x: tf.nn.conv2d(x, C3, 1, 'SAME', data_format='NCHW'), F(None, 3, 6, 7), ref=nchw(lambda v: tf.nn.conv2d(v, C3, 1, 'SAME')))
model('nchw_conv_stride', 'pattern', lambda x: tf.nn.conv2d(x, C3, [1, 1, 2, 3], 'VALID', data_format='NCHW'), F(None, 3, 8, 9), ref=nchw(lambda v: tf.nn.conv2d(v, C3, [2, 3], 'VALID')))
model('nchw_conv_pads', 'pattern', lambda x: tf.nn.conv2d(x, C3, 2, [[0, 0], [0, 0], [1, 0], [1, 2]], data_format='NCHW'), F(None, 3, 8, 9), ref=nchw(lambda v: tf.nn.conv2d(v, C3, 2, [[0, 0], [1, 0], [1, 2], [0, 0]])))
NB, N2 = c(4), c(3, 3, 4, 2)
model('nchw_two_convs', 'pattern', lambda x: tf.nn.conv2d(tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, C3, 1, 'SAME', data_format='NCHW'), NB, 'NCHW')), N2, 1, 'SAME', data_format='NCHW'), F(None, 3, 6, 7), ref=nchw(lambda v: tf.nn.conv2d(tf.nn.relu(tf.nn.conv2d(v, C3, 1, 'SAME') + NB), N2, 1, 'SAME')))
model('nchw_pools', 'pattern', lambda x: [tf.nn.max_pool2d(x, 2, 2, 'VALID', data_format='NCHW')], F(None, 3, 6, 8), ref=nchw(lambda v: tf.nn.max_pool2d(v, 2, 2, 'VALID')))
model('nchw_avgpool', 'pattern', lambda x: tf.nn.avg_pool2d(x, 3, 2, 'SAME', data_format='NCHW'), F(None, 3, 6, 8), ref=nchw(lambda v: tf.nn.avg_pool2d(v, 3, 2, 'SAME')))
model('nchw_depthwise', 'pattern', lambda x: R.DepthwiseConv2dNative(input=x, filter=C3[..., :2], strides=[1, 1, 1, 1], padding='SAME', data_format='NCHW'), F(None, 3, 6, 7), ref=nchw(lambda v: tf.nn.depthwise_conv2d(v, C3[..., :2], [1, 1, 1, 1], 'SAME')))
model('nchw_depth_to_space', 'pattern', lambda x: tf.nn.depth_to_space(x, 2, 'NCHW'), F(2, 8, 3, 4), ref=nchw(lambda v: tf.nn.depth_to_space(v, 2)))
model('nchw_bias_add', 'pattern', lambda x: tf.nn.bias_add(x, NB, 'NCHW'), F(None, 4, 3, 5))
model('pattern_attention', 'pattern', lambda x, q=c(8, 8), k=c(8, 8), v=c(8, 8): (lambda Q, K, V: tf.matmul(tf.nn.softmax(tf.matmul(Q, K, transpose_b=True) / 2.), V))(tf.matmul(x, q), tf.matmul(x, k), tf.matmul(x, v)), F(None, 5, 8))
model('pattern_squeeze_excite', 'pattern', lambda x, a=c(4, 2), b=c(2, 4): x * tf.reshape(tf.sigmoid(tf.matmul(tf.nn.relu(tf.matmul(tf.reduce_mean(x, [1, 2]), a)), b)), [-1, 1, 1, 4]), F(None, 5, 5, 4))
model('pattern_pixel_shuffle', 'pattern', lambda x: tf.reshape(tf.transpose(tf.reshape(x, [-1, 3, 4, 2, 2, 5]), [0, 1, 3, 2, 4, 5]), [-1, 6, 8, 5]), F(None, 3, 4, 20))
model('pattern_upsample_repeat', 'pattern', lambda x: tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2), F(None, 3, 4, 2))
model('pattern_channel_shuffle', 'pattern', lambda x: tf.reshape(tf.transpose(tf.reshape(x, [-1, 4, 4, 2, 3]), [0, 1, 2, 4, 3]), [-1, 4, 4, 6]), F(None, 4, 4, 6))
model('pattern_silu_mish', 'pattern', lambda x: [x * tf.sigmoid(x), x * tf.tanh(tf.math.softplus(x))], F(None, 5, lo=-40, hi=40))
model('pattern_embedding_negative', 'pattern', lambda x, w=c(7, 3): tf.gather(w, tf.where(x < 0, x + 7, x)), I(None, 4, lo=-7, hi=7))
model('pattern_flatten_batch', 'pattern', lambda x: tf.reshape(x, [-1, tf.reduce_prod(tf.shape(x)[1:])]), F(None, 3, 4, 2))
model('pattern_folding', 'pattern', lambda x: x * (tf.constant([1., 2, 3]) + 1.) + tf.cast(tf.shape(tf.zeros([3, 2]))[0], tf.float32) + tf.reduce_sum(tf.range(4.)), F(None, 3))
model('qat_conv', 'pattern', lambda x: tf.quantization.fake_quant_with_min_max_vars(tf.nn.relu6(tf.nn.conv2d(tf.quantization.fake_quant_with_min_max_vars(x, -1., 1.), tf.quantization.fake_quant_with_min_max_vars(C3, -1., 1., narrow_range=True), 1, 'SAME')), 0., 6.), F(None, 6, 6, 3), tolerance=.02)
QW, QB = c(8, 4), c(4)
model('qat_dense', 'pattern', lambda x: tf.quantization.fake_quant_with_min_max_vars(tf.matmul(tf.quantization.fake_quant_with_min_max_vars(x, -2., 2.), tf.quantization.fake_quant_with_min_max_vars_per_channel(QW, [-1.] * 4, [1.] * 4, narrow_range=True)) + QB, -6., 6.), F(None, 8), tolerance=.02)


# ---- recurrent models
def rnn(K, make, shape, batch=None):
    def build(r):
        K.utils.set_random_seed(5)
        i = K.Input(shape, **({'batch_size': batch} if batch else {}))
        o = make(K.layers)(i)
        m = K.Model(i, o)
        for w in m.weights:
            if 'seed' not in w.name: w.assign(r.uniform(-.5, .5, w.shape))
        return m
    return build


RNN = {
    'lstm': lambda L: L.LSTM(5), 'lstm_sequences': lambda L: L.LSTM(5, return_sequences=True), 'lstm_states': lambda L: L.LSTM(5, return_state=True), 'lstm_backwards': lambda L: L.LSTM(5, go_backwards=True, return_sequences=True),
    'lstm_no_bias': lambda L: L.LSTM(5, use_bias=False), 'lstm_relu': lambda L: L.LSTM(5, activation='relu', recurrent_activation='hard_sigmoid'), 'gru': lambda L: L.GRU(5), 'gru_sequences': lambda L: L.GRU(5, return_sequences=True),
    'gru_reset_before': lambda L: L.GRU(5, reset_after=False), 'simple_rnn': lambda L: L.SimpleRNN(5, return_sequences=True), 'bidirectional_lstm': lambda L: L.Bidirectional(L.LSTM(4, return_sequences=True)),
    'bidirectional_gru': lambda L: L.Bidirectional(L.GRU(4)), 'lstm_unrolled': lambda L: L.LSTM(5, unroll=True), 'lstm_cell_rnn': lambda L: L.RNN(L.LSTMCell(4)), 'stacked_cells': lambda L: L.RNN([L.LSTMCell(4), L.GRUCell(3)]),
    'masked_lstm': lambda L: (lambda x: L.LSTM(4)(L.Masking(0.)(x))), 'lstm_dense': lambda L: (lambda x: L.Dense(3, activation='softmax')(L.LSTM(6)(L.LSTM(5, return_sequences=True)(x)))),
    'time_distributed': lambda L: (lambda x: L.TimeDistributed(L.Dense(3))(L.GRU(4, return_sequences=True)(x))),
}
for gen, K in (('k3', tf.keras), ('k2', tf_keras)):
    for name, make in RNN.items():
        keras(f'{gen}_{name}', 'recurrent', rnn(K, make, (6, 3)), F(None, 6, 3), save='export' if gen == 'k3' or name == 'lstm' else 'saved_model')
    for name in ('lstm', 'gru', 'simple_rnn', 'bidirectional_lstm', 'lstm_sequences'):
        keras(f'{gen}_{name}_open_time', 'recurrent', rnn(K, RNN[name], (None, 3)), F(None, 't', 3), save='saved_model')
    for name in ('lstm', 'gru'): keras(f'{gen}_{name}_batch1', 'recurrent', rnn(K, RNN[name], (6, 3), batch=1), F(1, 6, 3))
    keras(f'{gen}_conv_lstm', 'recurrent', rnn(K, lambda L: L.ConvLSTM2D(3, 3, padding='same', return_sequences=True), (4, 5, 6, 2)), F(None, 4, 5, 6, 2))
    keras(f'{gen}_conv_lstm_last', 'recurrent', rnn(K, lambda L: L.ConvLSTM2D(3, 2), (4, 5, 6, 2)), F(None, 4, 5, 6, 2), save='saved_model')
    keras(f'{gen}_embedding_lstm', 'recurrent', rnn(K, lambda L: (lambda x: L.Dense(1, activation='sigmoid')(L.Bidirectional(L.LSTM(4))(L.Embedding(20, 5)(x)))), (None,)), F(None, 't', lo=0, hi=20), save='saved_model')


@module('lstm_by_hand', 'recurrent', F(None, 't', 3))
def _():
    m = tf.Module(); m.w, m.u, m.b = var(3, 16), var(4, 16), var(16)
    def f(x):
        n, b = tf.shape(x)[1], tf.shape(x)[0]
        def step(i, h, s):
            z = tf.matmul(x[:, i], m.w) + tf.matmul(h, m.u) + m.b
            a, g, o, u = tf.split(z, 4, 1)
            s = tf.sigmoid(g) * s + tf.sigmoid(a) * tf.tanh(u)
            return i + 1, tf.sigmoid(o) * tf.tanh(s), s
        return tf.while_loop(lambda i, h, s: i < n, step, [0, tf.zeros([b, 4]), tf.zeros([b, 4])])[1]
    return m, f


# ---- small Keras models, saved in both ways
def small(K):
    L = K.layers
    def build(r):
        m = K.Sequential([K.Input((12, 12, 2)), L.Conv2D(4, 3, use_bias=False), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(), L.DepthwiseConv2D(3, activation='relu'), L.Flatten(), L.Dropout(.2), L.Dense(5, activation='softmax')])
        for w in m.weights:
            if 'seed' not in w.name: w.assign(r.uniform(.2, .8, w.shape))
        return m
    return build


for gen, K in (('k3', tf.keras), ('k2', tf_keras)):
    for save in ('export', 'saved_model'): keras(f'{gen}_cnn_{save}', 'pattern', small(K), F(None, 12, 12, 2), save=save)
