"""More forms of the operators on images and features, as models of one function each (tf_models.py): types, layouts, open sizes, attributes and fused forms that the
lists of operators do not name one by one."""
import numpy as np
import tensorflow as tf
from tensorflow.compiler.xla import xla_data_pb2
from tf_models import A, F, I, model

R = tf.raw_ops
rng = np.random.default_rng(7)


def c(*shape, t='float32', lo=-1., hi=1.):
    return tf.constant(np.asarray(rng.uniform(lo, hi, shape), t))


def first(f, n=2):
    """f of channels-last data, for channels-first data: TensorFlow's CPU kernels have only the first."""
    to, back = ([0, 2, 3, 1], [0, 3, 1, 2]) if n == 2 else ([0, 2, 3, 4, 1], [0, 4, 1, 2, 3])
    return lambda x: tf.transpose(f(tf.transpose(x, to)), back)


# ---- convolutions
model('nn_conv2d_float16', 'rare', lambda x, w=c(3, 3, 2, 4, t='float16'): tf.nn.conv2d(x, w, 1, 'SAME'), A(None, 5, 5, 2, t='float16'), tolerance=2e-3)
model('nn_conv2d_float64', 'rare', lambda x, w=c(3, 3, 2, 4, t='float64'): tf.nn.conv2d(x, w, 1, 'SAME'), A(None, 5, 5, 2, t='float64'))
model('nn_conv2d_bfloat16', 'rare', lambda x, w=c(3, 3, 2, 4): tf.cast(tf.nn.conv2d(tf.cast(x, tf.bfloat16), tf.cast(w, tf.bfloat16), 1, 'SAME'), tf.float32), F(None, 5, 5, 2), tolerance=2e-2)
model('nn_conv2d_groups_of_one', 'should', lambda x, w=c(3, 3, 1, 8): tf.nn.conv2d(x, w, 1, 'SAME'), F(None, 6, 6, 4))
model('nn_conv2d_1x1', 'must', lambda x, w=c(1, 1, 3, 5): tf.nn.conv2d(x, w, 2, 'SAME'), F(None, 7, 6, 3))
model('nn_conv2d_all_open', 'should', lambda x, w=c(3, 3, 3, 4): tf.nn.conv2d(x, w, 1, 'SAME'), F(None, 'h', 'w', 3))
model('nn_conv2d_unknown_channels', 'should', lambda x, w=c(3, 3, 3, 4): tf.nn.conv2d(x, w, 1, 'SAME'), A(None, 5, 5, None, data=lambda r, k: r.uniform(-1, 1, (2 + k, 5, 5, 3))))
model('nn_conv2d_even_same', 'should', lambda x, w=c(4, 2, 3, 4): tf.nn.conv2d(x, w, [3, 2], 'SAME'), F(None, 9, 7, 3))
model('nn_conv2d_larger_than_image', 'rare', lambda x, w=c(7, 5, 2, 3): tf.nn.conv2d(x, w, 1, 'SAME'), F(None, 3, 4, 2))
model('nn_depthwise_multiplier', 'should', lambda x, w=c(3, 3, 2, 3): tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], [[0, 0], [1, 0], [2, 1], [0, 0]]), F(None, 6, 6, 2))
model('nn_depthwise_weights_are_input', 'should', lambda x, y: tf.nn.depthwise_conv2d(x, y, [1, 1, 1, 1], 'SAME'), F(None, 5, 5, 2), F(3, 3, 2, 2))
model('nn_conv3d_bias_relu', 'should', lambda x, w=c(2, 2, 2, 3, 4), b=c(4): tf.nn.relu(tf.nn.bias_add(tf.nn.conv3d(x, w, [1] * 5, 'SAME'), b)), F(None, 4, 4, 4, 3))
model('nn_conv3d_open', 'rare', lambda x, w=c(2, 3, 3, 2, 3): tf.nn.conv3d(x, w, [1, 1, 2, 2, 1], 'SAME'), F(None, 't', 'h', 'w', 2))
W3 = c(2, 2, 2, 3, 4)
model('nn_conv3d_ncdhw', 'rare', lambda x: tf.nn.conv3d(x, W3, [1] * 5, 'SAME', data_format='NCDHW'), F(None, 3, 4, 4, 5), ref=first(lambda v: tf.nn.conv3d(v, W3, [1] * 5, 'SAME'), 3))
model('nn_conv3d_transpose_open_batch', 'should', lambda x, w=c(2, 2, 2, 4, 3): tf.nn.conv3d_transpose(x, w, tf.stack([tf.shape(x)[0], 6, 8, 6, 4]), 2, 'SAME'), F(None, 3, 4, 3, 3))
model('nn_conv2d_transpose_explicit', 'rare', lambda x, w=c(3, 3, 4, 2): R.Conv2DBackpropInput(input_sizes=[2, 9, 9, 4], filter=w, out_backprop=x, strides=[1, 2, 2, 1], padding='EXPLICIT', explicit_paddings=[0, 0, 1, 1, 1, 1, 0, 0]), F(2, 5, 5, 2))
model('nn_conv2d_transpose_wide_stride', 'should', lambda x, w=c(2, 2, 4, 2): tf.nn.conv2d_transpose(x, w, [2, 12, 12, 4], 3, 'SAME'), F(2, 4, 4, 2))
model('nn_conv2d_transpose_spatial_sizes', 'rare', lambda x, w=c(3, 3, 4, 2): R.Conv2DBackpropInput(input_sizes=[10, 12], filter=w, out_backprop=x, strides=[1, 2, 2, 1], padding='SAME'), F(None, 5, 6, 2))
T2 = c(3, 3, 4, 2)
model('nn_conv2d_transpose_nchw', 'rare', lambda x: tf.nn.conv2d_transpose(x, T2, [2, 4, 10, 12], 2, 'SAME', data_format='NCHW'), F(2, 2, 5, 6), ref=first(lambda v: tf.nn.conv2d_transpose(v, T2, [2, 10, 12, 4], 2, 'SAME')))
model('nn_atrous_conv2d_transpose', 'rare', lambda x, w=c(3, 3, 4, 2): tf.nn.atrous_conv2d_transpose(x, w, [2, 9, 9, 4], 2, 'SAME'), F(2, 9, 9, 2))
model('nn_conv2d_transpose_bias_relu', 'should', lambda x, w=c(2, 2, 4, 3), b=c(4): tf.nn.relu6(tf.nn.bias_add(tf.nn.conv2d_transpose(x, w, [2, 6, 6, 4], 2, 'VALID'), b)), F(2, 3, 3, 3))
model('nn_dilation2d_valid_strides', 'rare', lambda x, w=c(3, 2, 3): tf.nn.dilation2d(x, w, [1, 2, 1, 1], 'VALID', 'NHWC', [1, 1, 2, 1]), F(None, 7, 7, 3))
model('nn_erosion2d', 'rare', lambda x, w=c(2, 2, 3): tf.nn.erosion2d(x, w, [1, 1, 1, 1], 'SAME', 'NHWC', [1, 1, 1, 1]), F(None, 5, 5, 3))
model('nn_dilation2d_int', 'rare', lambda x: tf.nn.dilation2d(x, [[[1], [2]], [[0], [3]]], [1, 1, 1, 1], 'SAME', 'NHWC', [1, 1, 1, 1]), I(1, 4, 4, 1))


def xla_conv(x, w, strides=(1, 1), padding=((0, 0), (0, 0)), lhs=(1, 1), rhs=(1, 1), groups=1, order='0123', kernel='0123', out='0123'):
    """order: where batch, height, width, channels stand; kernel: height, width, in, out."""
    o, k, u = [[int(ch) for ch in s] for s in (order, kernel, out)]
    n = len(strides)
    d = xla_data_pb2.ConvolutionDimensionNumbers(input_batch_dimension=o[0], input_feature_dimension=o[-1], input_spatial_dimensions=o[1:-1], kernel_input_feature_dimension=k[n], kernel_output_feature_dimension=k[n + 1],
                                                 kernel_spatial_dimensions=k[:n], output_batch_dimension=u[0], output_feature_dimension=u[-1], output_spatial_dimensions=u[1:-1])
    from tensorflow.compiler.tf2xla.ops import gen_xla_ops
    return gen_xla_ops.xla_conv_v2(lhs=x, rhs=w, window_strides=list(strides), padding=[list(p) for p in padding], lhs_dilation=list(lhs), rhs_dilation=list(rhs), feature_group_count=groups,
                                   dimension_numbers=d.SerializeToString(), precision_config=b'', preferred_element_type=tf.float32)


XW, XT, XR = c(3, 3, 3, 4), c(3, 3, 2, 4), c(3, 2, 4)
model('nn_xla_conv_nchw', 'rare', lambda x: xla_conv(x, tf.transpose(XW, [3, 2, 0, 1]), (2, 1), ((1, 1), (0, 2)), order='0231', kernel='2310', out='0231'), F(2, 3, 6, 6),
      ref=first(lambda v: tf.nn.conv2d(v, XW, [2, 1], [[0, 0], [1, 1], [0, 2], [0, 0]])))
model('nn_xla_conv_dilated', 'rare', lambda x: xla_conv(x, XW, rhs=(2, 2)), F(2, 7, 7, 3), ref=lambda x: tf.nn.conv2d(x, XW, 1, 'VALID', dilations=2))
# the gradient of a convolution of stride 2: zeros between the cells, the filter turned
model('nn_xla_conv_transposed', 'rare', lambda x: xla_conv(x, tf.reverse(tf.transpose(XT, [0, 1, 3, 2]), [0, 1]), padding=((2, 2), (2, 2)), lhs=(2, 2)), F(2, 4, 4, 4),
      ref=lambda x: tf.nn.conv2d_transpose(x, XT, [2, 9, 9, 2], 2, 'VALID'))
model('nn_xla_conv_negative_pads', 'rare', lambda x: xla_conv(x, XW, padding=((-1, 0), (1, -2))), F(2, 7, 7, 3), ref=lambda x: tf.nn.conv2d(x[:, 1:, :-2], XW, 1, [[0, 0], [0, 0], [1, 0], [0, 0]]))
model('nn_xla_conv_row', 'rare', lambda x: xla_conv(x, XR, (1,), ((1, 1),), (1,), (1,), order='012', kernel='012', out='012'), F(2, 6, 2), ref=lambda x: tf.nn.conv1d(x, XR, 1, 'SAME'))


def xla_dot(x, y, contract, batch):
    from tensorflow.compiler.tf2xla.ops import gen_xla_ops
    d = xla_data_pb2.DotDimensionNumbers(lhs_contracting_dimensions=[contract[0]], rhs_contracting_dimensions=[contract[1]], lhs_batch_dimensions=[batch[0]] if batch else [], rhs_batch_dimensions=[batch[1]] if batch else [])
    return gen_xla_ops.xla_dot_v2(lhs=x, rhs=y, dimension_numbers=d.SerializeToString(), precision_config=b'', preferred_element_type=tf.float32)


model('nn_xla_dot', 'rare', lambda x, y: xla_dot(x, y, (1, 1), None), F(3, 4), F(5, 4), ref=lambda x, y: tf.matmul(x, y, transpose_b=True))
model('nn_xla_dot_batch', 'rare', lambda x, y: xla_dot(x, y, (1, 2), (0, 1)), F(2, 4, 3), F(5, 2, 4), ref=lambda x, y: tf.einsum('bkm,nbk->bmn', x, y))
# ---- products
model('nn_dense_on_4d', 'should', lambda x, w=c(4, 6): tf.tensordot(x, w, 1), F(None, 3, 2, 4))
model('nn_dense_two_open', 'should', lambda x, w=c(4, 6), b=c(6): tf.nn.relu(tf.tensordot(x, w, [[2], [0]]) + b), F(None, 't', 4))
model('nn_dense_three_open', 'should', lambda x, w=c(4, 6), b=c(6): tf.nn.bias_add(tf.tensordot(x, w, [[3], [0]]), b), F(None, 't', 'h', 4))
model('nn_matmul_int64', 'rare', tf.matmul, A(None, 4, t='int64', lo=-2**33, hi=2**33), A(4, 3, t='int64', lo=-2**30, hi=2**30))
model('nn_matmul_v3_int8', 'rare', lambda x, y: R.BatchMatMulV3(x=x, y=y, Tout=tf.int32), A(2, 3, 4, t='int8', lo=-128, hi=128), A(2, 4, 5, t='int8', lo=-128, hi=128))
model('nn_matmul_float16', 'rare', lambda x, w=c(4, 6, t='float16'): tf.matmul(x, w), A(None, 4, t='float16'), tolerance=2e-3)
model('nn_matmul_float64', 'rare', lambda x, w=c(4, 6, t='float64'): tf.matmul(x, w), A(None, 4, t='float64'))
model('nn_matmul_both_const_transposed', 'should', lambda x, w=c(6, 4): tf.matmul(x, w, transpose_a=True, transpose_b=True), F(4, None))
model('nn_matmul_6d', 'rare', tf.matmul, F(None, 2, 1, 2, 3, 4), F(None, 2, 1, 2, 4, 2))
model('nn_matmul_vector', 'rare', lambda x, w=c(4, 6): tf.linalg.matvec(w, x, transpose_a=True), F(None, 4))
model('nn_sparse_matmul', 'rare', lambda x, y: R.SparseMatMul(a=x, b=y, transpose_b=True, a_is_sparse=True), F(3, 4), F(5, 4))
EINSUM = {'outer': ('i,j->ij', (3,), (4,)), 'diagonal': ('bii->bi', (None, 4, 4)), 'trace': ('bii->b', (None, 4, 4)), 'diagonal_times': ('bii,bi->b', (None, 3, 3), (None, 3)), 'elementwise': ('bij,bij->bij', (None, 2, 3), (None, 2, 3)),
          'dot': ('bi,bi->b', (None, 5), (None, 5)), 'two_inner': ('bijk,lijk->bl', (None, 2, 3, 4), (5, 2, 3, 4)), 'attention': ('aecd,abcd->acbe', (None, 3, 2, 4), (None, 5, 2, 4)), 'attention_back': ('acbe,aecd->abcd', (None, 2, 5, 3), (None, 3, 2, 4)),
          'ellipsis_both': ('...ij,...jk->...ik', (None, 2, 3, 4), (2, 4, 5)), 'ellipsis_left': ('...i,ij->...j', (None, 3, 4), (4, 5)), 'ellipsis_last': ('i...,i...->...', (3, None, 2), (3, None, 2)), 'batch_between': ('aib,ibc->iac', (3, 2, 4), (2, 4, 5)),
          'sums_own': ('abx,bcy->ac', (None, 3, 2), (3, 4, 2)), 'swap': ('ij->ji', (None, 3)), 'sum_all': ('ij->', (None, 3)), 'rows_inner_swapped': ('ki,kj->ij', (4, None), (4, 5)), 'rank5': ('abcde,cf->abfde', (None, 2, 3, 2, 2), (3, 4)),
          'capital': ('aB,Bc->ac', (None, 3), (3, 4)), 'four_batch': ('abcdij,abcdjk->abcdik', (2, 1, 2, 2, 3, 2), (2, 1, 2, 2, 2, 3))}
for name, (eq, *shapes) in EINSUM.items():
    if len(shapes) == 2: model(f'nn_einsum_{name}', 'should', lambda x, y, eq=eq: R.Einsum(inputs=[x, y], equation=eq), F(*shapes[0]), F(*shapes[1]))
    else: model(f'nn_einsum_{name}', 'should', lambda x, eq=eq: R.Einsum(inputs=[x], equation=eq), F(*shapes[0]))
for name, (eq, s, w) in {'dense_out': ('abc,cd->abd', (None, 't', 4), c(4, 6)), 'heads': ('abc,cde->abde', (None, 't', 4), c(4, 2, 3)), 'heads_back': ('abde,dec->abc', (None, 't', 2, 3), c(2, 3, 4)), 'left': ('cd,bc->bd', (None, 4), c(4, 3)),
                         'turned': ('bc,dc->bd', (None, 4), c(3, 4))}.items():
    f = (lambda x, eq=eq, w=w: tf.einsum(eq, w, x)) if name == 'left' else (lambda x, eq=eq, w=w: tf.einsum(eq, x, w))
    model(f'nn_einsum_const_{name}', 'should', f, F(*s))
model('nn_einsum_int32', 'rare', lambda x, y: R.Einsum(inputs=[x, y], equation='bij,bjk->bki'), I(None, 2, 3), I(None, 3, 4))
# ---- normalisation
BN = dict(g=c(3, lo=.5, hi=2), b=c(3), mu=c(3), v=c(3, lo=.5, hi=2))
norm = lambda x, op=R.FusedBatchNormV3, f='NHWC', t=False, **k: op(x=x, scale=BN['g'], offset=BN['b'], mean=BN['mu'], variance=BN['v'], epsilon=.01, is_training=t, data_format=f, **k)
model('nn_batch_norm_v2', 'should', lambda x: norm(x, R.FusedBatchNormV2)[0], F(None, 4, 4, 3))
model('nn_batch_norm_5d', 'rare', lambda x: norm(x, f='NDHWC')[0], F(None, 2, 4, 4, 3))
model('nn_batch_norm_float16', 'rare', lambda x: norm(x)[0], A(None, 4, 4, 3, t='float16'), tolerance=2e-3)
model('nn_batch_norm_training_all', 'rare', lambda x: list(norm(x, t=True, exponential_avg_factor=1.)[:3]), F(None, 4, 5, 3))
model('nn_batch_norm_training_average', 'rare', lambda x: list(norm(x, t=True, exponential_avg_factor=.25)[:3]), F(None, 4, 5, 3))
model('nn_batch_norm_training_nchw', 'rare', lambda x: norm(x, t=True, f='NCHW')[0], F(2, 3, 4, 5), ref=first(lambda v: norm(v, t=True)[0]))
model('nn_batch_norm_weights_are_input', 'rare', lambda x, y: R.FusedBatchNormV3(x=x, scale=y, offset=BN['b'], mean=BN['mu'], variance=BN['v'], epsilon=.01, is_training=False)[0], F(None, 4, 4, 3), F(3))
model('nn_bias_add_int32', 'rare', lambda x: tf.nn.bias_add(x, [1, 2, 3]), I(None, 3))
model('nn_bias_add_v1', 'rare', lambda x, b=c(3): R.BiasAddV1(value=x, bias=b), F(None, 4, 3))
model('nn_bias_add_nchw_3d', 'rare', lambda x, b=c(4): tf.nn.bias_add(x, b, 'NCHW'), F(None, 4, 5))
model('nn_lrn_alexnet', 'rare', lambda x: tf.nn.local_response_normalization(x, 5, 2., 1e-4, .75), F(None, 3, 3, 12, lo=-50, hi=50))
model('nn_l2_loss_unknown_rank', 'rare', tf.nn.l2_loss, A(2, 3, unknown=True))
model('nn_layer_norm_2_axes', 'pattern', lambda x, g=c(4, 3), b=c(4, 3): tf.nn.batch_normalization(x, *tf.nn.moments(x, [1, 2], keepdims=True), b, g, 1e-3), F(None, 4, 3))
model('nn_instance_norm', 'pattern', lambda x, g=c(3), b=c(3): tf.nn.batch_normalization(x, *tf.nn.moments(x, [1, 2], keepdims=True), b, g, 1e-3), F(None, 4, 5, 3))
# ---- activations
for t in ('float16', 'float64'):
    for name in ('relu', 'relu6', 'elu', 'selu', 'softplus', 'softsign', 'sigmoid', 'tanh', 'softmax', 'log_softmax', 'leaky_relu'):
        f = getattr(tf.nn, name)
        model(f'nn_{name}_{t}', 'rare', lambda x, f=f: f(x), A(None, 5, t=t, lo=-4, hi=4), tolerance=3e-3 if t == 'float16' else 1e-4)
for t in ('int8', 'uint8', 'int16', 'uint16', 'uint32'):
    model(f'nn_relu_{t}', 'rare', lambda x: [tf.nn.relu(x), tf.nn.relu6(x)], A(None, 5, t=t, lo=-9 if t[0] == 'i' else 0, hi=20))
model('nn_softplus_edges', 'should', tf.nn.softplus, F(9, data=lambda r, k: [-100, -20, -1, 0, 1, 20, 88, 90, 1000 + k]))
model('nn_softmax_large', 'should', lambda x: [tf.nn.softmax(x), tf.nn.log_softmax(x)], F(None, 4, lo=-500, hi=500))
model('nn_softmax_5d', 'rare', tf.nn.softmax, F(2, 1, 3, 2, 5))
model('nn_in_top_k_v1', 'rare', lambda x, y: R.InTopK(predictions=x, targets=y, k=2), F(4, 5), I(4, lo=0, hi=5))
# ---- pooling
model('nn_maxpool_int32', 'rare', lambda x: R.MaxPool(input=x, ksize=[1, 2, 3, 1], strides=[1, 2, 1, 1], padding='SAME'), I(None, 5, 6, 2, lo=-2**30, hi=2**30))
model('nn_maxpool_int64', 'rare', lambda x: R.MaxPool(input=x, ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding='VALID'), A(1, 4, 4, 2, t='int64', lo=-2**40, hi=2**40))
for t in ('int8', 'uint8', 'int16'): model(f'nn_maxpool_{t}', 'rare', lambda x: R.MaxPool(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME'), A(None, 5, 4, 2, t=t, lo=-100 if t[0] == 'i' else 0, hi=100))
model('nn_maxpool_explicit', 'rare', lambda x: tf.nn.max_pool2d(x, 3, 2, [[0, 0], [1, 1], [2, 0], [0, 0]]), F(None, 5, 6, 2, lo=-9, hi=-1))
model('nn_maxpool_channels', 'rare', lambda x: tf.nn.max_pool2d(x, [1, 1, 1, 2], [1, 1, 1, 2], 'VALID'), F(None, 3, 3, 6))
model('nn_maxpool_open', 'should', lambda x: tf.nn.max_pool2d(x, 3, 2, 'SAME'), F(None, 'h', 'w', 3))
model('nn_avgpool_open', 'should', lambda x: tf.nn.avg_pool2d(x, 3, 2, 'SAME'), F(None, 'h', 'w', 3))
model('nn_avgpool_float16', 'rare', lambda x: tf.nn.avg_pool2d(x, 3, 2, 'SAME'), A(None, 5, 5, 3, t='float16'), tolerance=2e-3)
model('nn_pool1d', 'should', lambda x: [tf.nn.max_pool1d(x, 3, 2, 'SAME'), tf.nn.avg_pool1d(x, 2, 2, 'VALID')], F(None, 7, 3))
model('nn_pool3d_open', 'rare', lambda x: [tf.nn.max_pool3d(x, 2, 2, 'SAME'), tf.nn.avg_pool3d(x, [1, 2, 2], [1, 2, 2], 'VALID')], F(None, 't', 'h', 'w', 2))
model('nn_pool3d_ncdhw', 'rare', lambda x: tf.nn.max_pool3d(x, 2, 2, 'VALID', data_format='NCDHW'), F(None, 2, 4, 4, 6), ref=first(lambda v: tf.nn.max_pool3d(v, 2, 2, 'VALID'), 3))
model('nn_maxpool_argmax_int32', 'rare', lambda x: list(tf.nn.max_pool_with_argmax(x, [2, 3], [1, 2], 'SAME', output_dtype=tf.int32)), F(None, 4, 5, 3))
# ---- space
model('nn_space_to_batch_v1', 'rare', lambda x: R.SpaceToBatch(input=x, paddings=[[1, 1], [0, 2]], block_size=2), F(None, 4, 4, 3))
model('nn_batch_to_space_v1', 'rare', lambda x: R.BatchToSpace(input=x, crops=[[1, 0], [0, 1]], block_size=2), F(8, 3, 4, 2))
model('nn_space_to_batch_one_side', 'rare', lambda x: tf.space_to_batch(x, [3], [[1, 1]]), F(None, 4, 2, 3))
model('nn_space_to_batch_no_channels', 'rare', lambda x: tf.space_to_batch(x, [2, 2], [[0, 0], [1, 1]]), F(None, 4, 4))
model('nn_space_to_batch_open', 'rare', lambda x: tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]]), A(None, None, None, 2, data=lambda r, k: r.uniform(-1, 1, (1 + k, 4 + 2 * k, 6, 2))))
model('nn_batch_to_space_4_blocks', 'rare', lambda x: tf.batch_to_space(x, [2, 1, 2, 2], [[0, 0], [0, 0], [1, 0], [0, 1]]), F(8, 2, 2, 2, 2, 2))
for t in ('int8', 'int16', 'int32', 'int64', 'float16', 'float64'):
    model(f'nn_space_types_{t}', 'rare', lambda x: [tf.space_to_batch(x, [2, 2], [[0, 0], [2, 0]]), tf.nn.space_to_depth(x, 2), tf.nn.depth_to_space(x, 2)], A(2, 4, 4, 4, t=t))
model('nn_space_to_depth_nchw', 'rare', lambda x: tf.nn.space_to_depth(x, 2, 'NCHW'), F(2, 3, 4, 6), ref=first(lambda v: tf.nn.space_to_depth(v, 2)))
# ---- images
for t in ('int32', 'int64', 'uint8', 'float16', 'float64', 'int16', 'uint16', 'int8'):
    model(f'nn_resize_nearest_{t}', 'rare', lambda x: R.ResizeNearestNeighbor(images=x, size=[5, 7], half_pixel_centers=True), A(None, 3, 4, 3, t=t, lo=0, hi=100))
    model(f'nn_resize_bilinear_{t}', 'rare', lambda x: R.ResizeBilinear(images=x, size=[5, 7], half_pixel_centers=True), A(None, 3, 4, 3, t=t, lo=0, hi=100))
model('nn_resize_open', 'should', lambda x: [tf.image.resize(x, [5, 6]), tf.image.resize(x, [5, 6], 'nearest')], F(None, 'h', 'w', 3))
model('nn_resize_by_input', 'should', lambda x, y: tf.image.resize(x, y), F(None, 4, 5, 2), I(2, lo=2, hi=9))
model('nn_upsample_by_shape', 'should', lambda x, y: tf.image.resize(x, tf.shape(y)[1:3], 'nearest'), F(None, 3, 4, 2), F(None, 'h', 'w', 2))
for k in ('lanczos5', 'gaussian', 'mitchellcubic', 'bicubic', 'area', 'nearest', 'bilinear'):
    model(f'nn_resize_{k}_antialias', 'flex', lambda x, k=k: [tf.image.resize(x, s, k, antialias=True) for s in ([3, 4], [11, 9])], F(None, 7, 6, 2))
for k in ('lanczos1', 'box', 'triangle', 'keyscubic'):
    model(f'nn_scale_and_translate_{k}', 'flex', lambda x, k=k: R.ScaleAndTranslate(images=x, size=[5, 8], scale=[.7, 1.6], translation=[.5, -1.2], kernel_type=k), F(2, 6, 5, 2))
model('nn_resize_area_up', 'flex', lambda x: R.ResizeArea(images=x, size=[7, 11]), A(2, 3, 4, 2, t='uint8', hi=256))
model('nn_resize_area_align', 'flex', lambda x: R.ResizeArea(images=x, size=[3, 3], align_corners=True), F(2, 7, 8, 2))
model('nn_crop_and_resize_one', 'flex', lambda x, y: tf.image.crop_and_resize(x, y, tf.zeros([tf.shape(y)[0]], tf.int32), [1, 4]), F(1, 'h', 'w', 2), F('k', 4, lo=-.3, hi=1.3))
model('nn_crop_and_resize_uint8', 'flex', lambda x, y: tf.image.crop_and_resize(x, y, [0, 1], [3, 3], 'nearest'), A(2, 6, 5, 3, t='uint8', hi=256), F(2, 4, lo=0, hi=1))
model('nn_patches_tiles', 'flex', lambda x: tf.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], 'VALID'), F(None, 6, 8, 3))
model('nn_patches_open', 'flex', lambda x: tf.image.extract_patches(x, [1, 3, 2, 1], [1, 2, 1, 1], [1, 1, 1, 1], 'VALID'), F(None, 'h', 'w', 2))
model('nn_volume_patches', 'flex', lambda x: R.ExtractVolumePatches(input=x, ksizes=[1, 2, 2, 3, 1], strides=[1, 1, 2, 1, 1], padding='SAME'), F(1, 3, 4, 5, 2))
model('nn_rgb_to_hsv_open', 'flex', lambda x: [tf.image.rgb_to_hsv(x), tf.image.hsv_to_rgb(x)], F(None, 'h', 'w', 3, lo=0, hi=1))
model('nn_rgb_to_hsv_2d', 'flex', tf.image.rgb_to_hsv, F(None, 3, lo=0, hi=1))
model('nn_adjust_hue', 'flex', lambda x: [tf.image.adjust_hue(x, .2), tf.image.adjust_hue(x, -.7)], F(None, 4, 4, 3, lo=0, hi=1))
model('nn_adjust_saturation', 'flex', lambda x, y: tf.image.adjust_saturation(x, y), F(None, 4, 4, 3, lo=0, hi=1), F(lo=0, hi=3))
model('nn_adjust_contrast', 'flex', lambda x: [tf.image.adjust_contrast(x, 1.7), tf.image.adjust_brightness(x, .1), tf.image.adjust_gamma(x, .7)], F(None, 4, 4, 3, lo=0, hi=1))
PT = tf.constant([[1.1, .2, -1., -.1, .9, .5, .01, -.02], [.9, -.3, 1., .2, 1., -.4, 0., 0.]], tf.float32)
for i in ('NEAREST', 'BILINEAR'):
    for f in ('CONSTANT', 'REFLECT', 'WRAP', 'NEAREST'):
        model(f'nn_projective_{i.lower()}_{f.lower()}', 'flex', lambda x, i=i, f=f: R.ImageProjectiveTransformV3(images=x, transforms=PT, output_shape=[7, 6], fill_value=.25, interpolation=i, fill_mode=f), F(2, 5, 6, 2))
model('nn_projective_one', 'flex', lambda x: R.ImageProjectiveTransformV2(images=x, transforms=PT[:1], output_shape=[5, 6], interpolation='BILINEAR'), F(None, 5, 6, 2))
boxes = A(8, 4, data=lambda r, k: np.sort(r.uniform(0, 1, (8, 2, 2)), 1).reshape(8, 4) if k else (lambda b: np.concatenate([b, b + [0, .02, 0, .02]]))(np.sort(r.uniform(0, 1, (4, 2, 2)), 1).reshape(4, 4)))
scores = A(8, data=lambda r, k: r.permutation(8) / 8 + .05)
model('nn_nms_v1', 'rare', lambda x, y: R.NonMaxSuppression(boxes=x, scores=y, max_output_size=4, iou_threshold=.4), boxes, scores)
model('nn_nms_soft', 'rare', lambda x, y: list(R.NonMaxSuppressionV5(boxes=x, scores=y, max_output_size=6, iou_threshold=1., score_threshold=.1, soft_nms_sigma=.3)), boxes, scores)
model('nn_nms_by_input', 'rare', lambda x, y, z: tf.image.non_max_suppression(x, y, z, .3), boxes, scores, I(data=lambda r, k: 3 + k))
model('nn_nms_then_gather', 'should', lambda x, y: tf.gather(x, tf.image.non_max_suppression(x, y, 5, .5, .3)), boxes, scores)
many = A(2, 8, 1, 4, data=lambda r, k: np.sort(r.uniform(-.1, 1.1, (2, 8, 2, 2)), 2).reshape(2, 8, 1, 4))
model('nn_combined_nms_clip', 'flex', lambda x, y: list(tf.image.combined_non_max_suppression(x, y, 3, 5, .5, .2, clip_boxes=True)), many, F(2, 8, 3, lo=0, hi=1))
model('nn_combined_nms_pad_per_class', 'flex', lambda x, y: list(tf.image.combined_non_max_suppression(x, y, 2, 20, .4, .1, pad_per_class=True, clip_boxes=False)), many, F(2, 8, 3, lo=0, hi=1))
model('nn_combined_nms_own_boxes', 'flex', lambda x, y: list(tf.image.combined_non_max_suppression(x, y, 3, 6, .5, .3)), A(1, 6, 2, 4, data=lambda r, k: np.sort(r.uniform(0, 1, (1, 6, 2, 2, 2)), 3).reshape(1, 6, 2, 4)), F(1, 6, 2, lo=0, hi=1))
# ---- quantised numbers
model('nn_fake_quant_open_range', 'rare', lambda x, y, z: tf.quantization.fake_quant_with_min_max_vars(x, y, z), F(None, 6), F(lo=-2, hi=-1), F(lo=1, hi=2), tolerance=.02)
model('nn_fake_quant_16bit', 'rare', lambda x: tf.quantization.fake_quant_with_min_max_args(x, -1.5, 3., 16), F(None, 6, lo=-2, hi=4), tolerance=1e-3)
model('nn_fake_quant_2bit', 'rare', lambda x: tf.quantization.fake_quant_with_min_max_args(x, -1., 2., 2), F(None, 6), tolerance=.01)
model('nn_quantize_and_dequantize_own_range', 'rare', lambda x: R.QuantizeAndDequantizeV2(input=x, input_min=0., input_max=0., range_given=False), F(2, 6), tolerance=.02)
model('nn_quantize_and_dequantize_unsigned', 'rare', lambda x: R.QuantizeAndDequantizeV2(input=x, input_min=0., input_max=2., range_given=True, signed_input=False, num_bits=6), F(2, 6), tolerance=.04)
for m in ('MIN_COMBINED', 'MIN_FIRST', 'SCALED'):
    for t in (tf.quint8, tf.qint8):
        if m == 'MIN_FIRST' and t == tf.qint8: continue
        model(f'nn_quantize_dequantize_{m.lower()}_{t.name}', 'rare', lambda x, m=m, t=t: (lambda q: tf.quantization.dequantize(q[0], q[1], q[2], mode=m))(tf.quantization.quantize(x, -1., 2., t, mode=m)), F(None, 6), tolerance=.03)
