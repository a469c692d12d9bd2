"""Cases of the operators on images and features for make_tf_cases.py: convolutions, products, normalisation, activations, pooling, blocks of space, sizes, colours,
boxes, quantised numbers. What the CPU kernels of TensorFlow lack (channels first, groups of CONV_3D) is in tests/unit/test_tf_nn.c."""
import numpy as np
import tensorflow as tf
import make_tf_cases
from make_tf_cases import rng

R = tf.raw_ops
f, f16, f64, i32, i64 = 'float32', 'float16', 'float64', 'int32', 'int64'
N = None


def C(name, function, *inputs): make_tf_cases.C(name, lambda *xs: function(*xs), *inputs) # defaults of `function` are its constants


def c(*s, t=f, lo=-1., hi=1.): return tf.constant(np.round(rng.uniform(lo, hi, s), 2), t)


def X(*open_shape, t=f, feeds=None, r=None):
    """An input: its shape, None for open sizes; feeds: the shapes of each run (2 for each open one)."""
    s = feeds or tuple(2 if d is None else d for d in open_shape)
    if t[0] != 'f': return (tuple(open_shape), t, s, r) if r else (tuple(open_shape), t, s)
    draw = lambda d: np.round(rng.uniform(*r, d) if r else rng.normal(size=d) * 2, 2) # few digits: the file is small
    return tuple(open_shape), t, [draw(d) for d in s] if isinstance(s, list) else draw(s)


# ---- convolutions
for p in ('SAME', 'VALID'):
    for s in (1, 2):
        C(f'conv2d_{p}_{s}', lambda x, p=p, s=s, w=c(3, 2, 2, 3): tf.nn.conv2d(x, w, s, p), X(N, 5, 6, 2))
        C(f'depthwise_{p}_{s}', lambda x, p=p, s=s, w=c(3, 3, 2, s): tf.nn.depthwise_conv2d(x, w, [1, s, s, 1], p), X(N, 5, 6, 2))
    C(f'conv2d_dilated_{p}', lambda x, p=p, w=c(2, 3, 2, 2): tf.nn.conv2d(x, w, 1, p, dilations=[2, 3]), X(1, 7, 8, 2))
    C(f'conv3d_{p}', lambda x, p=p, w=c(2, 2, 2, 2, 3): tf.nn.conv3d(x, w, [1, 1, 2, 1, 1], p), X(1, 3, 4, 3, 2))
    C(f'maxpool_{p}', lambda x, p=p: tf.nn.max_pool2d(x, [3, 2], [2, 1], p), X(N, 5, 4, 2))
    C(f'avgpool_{p}', lambda x, p=p: tf.nn.avg_pool2d(x, [3, 2], [2, 1], p), X(N, 5, 4, 2))
    C(f'maxpool3d_{p}', lambda x, p=p: tf.nn.max_pool3d(x, [2, 3, 2], [1, 2, 2], p), X(1, 3, 5, 4, 2))
    C(f'avgpool3d_{p}', lambda x, p=p: tf.nn.avg_pool3d(x, [2, 3, 2], [1, 2, 2], p), X(1, 3, 5, 4, 2))
    C(f'argmax_{p}', lambda x, p=p: list(tf.nn.max_pool_with_argmax(x, [2, 3], [1, 2], p, include_batch_in_index=p == 'SAME')), X(2, 4, 5, 2))
    C(f'dilation2d_{p}', lambda x, p=p, w=c(2, 3, 2): tf.nn.dilation2d(x, w, [1, 1, 2, 1], p, 'NHWC', [1, 2, 1, 1]), X(1, 5, 6, 2))
    C(f'patches_{p}', lambda x, p=p: tf.image.extract_patches(x, [1, 2, 3, 1], [1, 1, 2, 1], [1, 2, 1, 1], p), X(1, 4, 6, 2))
C('conv2d_explicit', lambda x, w=c(3, 3, 2, 2): tf.nn.conv2d(x, w, 2, [[0, 0], [1, 2], [0, 1], [0, 0]]), X(N, 5, 5, 2))
C('conv2d_groups', lambda x, w=c(2, 2, 2, 4): tf.nn.conv2d(x, w, 1, 'SAME'), X(1, 3, 3, 4))
C('conv2d_groups_of_one', lambda x, w=c(2, 2, 1, 6): tf.nn.conv2d(x, w, 1, 'SAME'), X(1, 3, 3, 3))
C('conv2d_weights_are_input', lambda x, y: tf.nn.conv2d(x, y, 1, 'SAME'), X(1, 3, 4, 2), X(2, 3, 2, 3))
C('conv2d_open_size', lambda x, w=c(3, 3, 2, 2): tf.nn.relu(tf.nn.conv2d(x, w, 2, 'SAME') + .5), X(N, N, N, 2, feeds=[(1, 4, 5, 2), (2, 3, 3, 2)]))
C('conv2d_float64', lambda x, w=c(2, 2, 2, 2, t=f64): tf.nn.conv2d(x, w, 1, 'SAME'), X(1, 3, 3, 2, t=f64))
C('conv1d', lambda x, w=c(3, 2, 3): tf.nn.conv1d(x, w, 2, 'SAME'), X(N, 7, 2))
C('conv3d_dilated_groupless', lambda x, w=c(2, 1, 2, 1, 2): tf.nn.conv3d(x, w, [1] * 5, 'SAME'), X(N, 2, 3, 3, 1))
C('transpose_same', lambda x, w=c(3, 3, 3, 2): tf.nn.conv2d_transpose(x, w, [2, 6, 8, 3], 2, 'SAME'), X(2, 3, 4, 2))
C('transpose_valid_open_batch', lambda x, w=c(2, 3, 2, 2): tf.nn.conv2d_transpose(x, w, tf.stack([tf.shape(x)[0], 6, 7, 2]), 2, 'VALID'), X(N, 3, 3, 2))
C('transpose_explicit', lambda x, w=c(3, 3, 2, 2): R.Conv2DBackpropInput(input_sizes=[1, 5, 5, 2], filter=w, out_backprop=x, strides=[1, 2, 2, 1], padding='EXPLICIT', explicit_paddings=[0, 0, 1, 1, 1, 1, 0, 0]), X(1, 3, 3, 2))
C('transpose_spatial_sizes', lambda x, w=c(2, 2, 2, 2): R.Conv2DBackpropInput(input_sizes=[6, 8], filter=w, out_backprop=x, strides=[1, 2, 2, 1], padding='SAME'), X(N, 3, 4, 2))
C('transpose_open_size', lambda x, w=c(2, 2, 2, 2): tf.nn.conv2d_transpose(x, w, tf.stack([tf.shape(x)[0], tf.shape(x)[1] * 2, tf.shape(x)[2] * 2, 2]), 2, 'SAME'), X(N, N, N, 2, feeds=[(1, 2, 3, 2), (2, 3, 2, 2)]))
C('transpose3d', lambda x, w=c(2, 2, 2, 2, 1): tf.nn.conv3d_transpose(x, w, [1, 4, 4, 6, 2], 2, 'SAME'), X(1, 2, 2, 3, 1))
C('erosion', lambda x, w=c(2, 2, 2): tf.nn.erosion2d(x, w, [1, 1, 1, 1], 'SAME', 'NHWC', [1, 1, 1, 1]), X(1, 3, 4, 2))
C('dilation2d_int', lambda x: tf.nn.dilation2d(x, [[[1], [2]], [[0], [3]]], [1, 1, 1, 1], 'SAME', 'NHWC', [1, 1, 1, 1]), X(1, 3, 3, 1, t=i32))
# ---- products
for ta in (0, 1):
    for tb in (0, 1):
        C(f'matmul_{ta}{tb}', lambda x, y, ta=ta, tb=tb: tf.matmul(x, y, bool(ta), bool(tb)), X(*((3, N) if ta else (N, 3))), X(*((4, 3) if tb else (3, 4))))
        C(f'batch_matmul_{ta}{tb}', lambda x, y, ta=ta, tb=tb: R.BatchMatMulV2(x=x, y=y, adj_x=bool(ta), adj_y=bool(tb)), X(N, *((3, 2) if ta else (2, 3))), X(N, *((4, 3) if tb else (3, 4))))
        C(f'matmul_const_{ta}{tb}', lambda x, w=c(*((4, 3) if tb else (3, 4))), ta=ta, tb=tb: tf.matmul(x, w, bool(ta), bool(tb)), X(*((3, N) if ta else (N, 3))))
C('matmul_const_left', lambda x, w=c(4, 3): tf.matmul(w, x), X(3, N))
C('matmul_broadcast', tf.matmul, X(N, 1, 2, 3), X(4, 3, 2))
C('matmul_6d', tf.matmul, X(1, 2, 1, 2, 2, 3), X(1, 2, 1, 2, 3, 2))
C('matmul_const_3d', lambda x, w=c(2, 3, 2): tf.matmul(x, w), X(N, 2, 3))
C('matmul_int32', tf.matmul, X(N, 3, t=i32), X(3, 2, t=i32))
C('matmul_int64', tf.matmul, X(N, 3, t=i64, r=(-2**20, 2**20)), X(3, 2, t=i64, r=(-2**20, 2**20)))
C('matmul_int8', lambda x, y: R.BatchMatMulV3(x=x, y=y, Tout=tf.int32), X(2, 2, 3, t='int8', r=(-128, 128)), X(2, 3, 2, t='int8', r=(-128, 128)))
C('sparse_matmul', lambda x, y: R.SparseMatMul(a=x, b=y, transpose_b=True), X(2, 3), X(4, 3))
C('dense_two_open', lambda x, w=c(3, 4), b=c(4): tf.nn.relu(tf.tensordot(x, w, 1) + b), X(N, N, 3, feeds=[(2, 3, 3), (1, 4, 3)]))
C('dense_4d', lambda x, w=c(3, 4): tf.tensordot(x, w, [[3], [0]]), X(N, 2, 2, 3))
for i, (eq, *s) in enumerate([('i,j->ij', (3,), (4,)), ('bii->bi', (N, 3, 3)), ('bii->b', (N, 3, 3)), ('bii,bi->b', (N, 3, 3), (N, 3)), ('bij,bij->bij', (N, 2, 3), (N, 2, 3)), ('bi,bi->b', (N, 4), (N, 4)), ('bijk,lijk->bl', (N, 2, 2, 3), (3, 2, 2, 3)),
                              ('aecd,abcd->acbe', (N, 3, 2, 2), (N, 2, 2, 2)), ('acbe,aecd->abcd', (N, 2, 2, 3), (N, 3, 2, 2)), ('...ij,...jk->...ik', (N, 2, 2, 3), (2, 3, 2)), ('...i,ij->...j', (N, 2, 3), (3, 2)), ('aib,ibc->iac', (2, 2, 3), (2, 3, 2)),
                              ('abx,bcy->ac', (N, 2, 2), (2, 3, 2)), ('ij->ji', (N, 3)), ('ij->', (N, 3)), ('ki,kj->ij', (3, N), (3, 2)), ('abcde,cf->abfde', (N, 2, 2, 1, 2), (2, 3)), ('abcdij,abcdjk->abcdik', (2, 1, 2, 1, 2, 2), (2, 1, 2, 1, 2, 2))]):
    if len(s) == 2: C(f'einsum_{i}', lambda x, y, eq=eq: R.Einsum(inputs=[x, y], equation=eq), X(*s[0]), X(*s[1]))
    else: C(f'einsum_{i}', lambda x, eq=eq: R.Einsum(inputs=[x], equation=eq), X(*s[0]))
for i, (eq, s, w) in enumerate([('abc,cde->abde', (N, N, 3), c(3, 2, 2)), ('abde,dec->abc', (N, N, 2, 2), c(2, 2, 3)), ('cd,bc->bd', (N, 3), c(3, 2)), ('bc,dc->bd', (N, 3), c(2, 3))]):
    C(f'einsum_const_{i}', (lambda x, eq=eq, w=w: tf.einsum(eq, w, x)) if i == 2 else (lambda x, eq=eq, w=w: tf.einsum(eq, x, w)), X(*s))
C('einsum_int', lambda x, y: R.Einsum(inputs=[x, y], equation='bij,bjk->bki'), X(N, 2, 2, t=i32), X(N, 2, 3, t=i32))
# ---- normalisation, losses
g, b, mu, v = c(3, lo=.5, hi=2), c(3), c(3), c(3, lo=.5, hi=2)
bn = lambda x, t=False, op=R.FusedBatchNormV3, **k: op(x=x, scale=g, offset=b, mean=mu, variance=v, epsilon=.01, is_training=t, **k)
C('batch_norm', lambda x: bn(x)[0], X(N, 2, 2, 3))
C('batch_norm_v1', lambda x: bn(x, op=R.FusedBatchNorm)[0], X(N, 2, 2, 3))
C('batch_norm_5d', lambda x: bn(x, data_format='NDHWC')[0], X(N, 2, 1, 2, 3))
C('batch_norm_training', lambda x: list(bn(x, True, exponential_avg_factor=1.)[:3]), X(N, 2, 3, 3))
C('batch_norm_average', lambda x: list(bn(x, True, exponential_avg_factor=.25)[:3]), X(N, 2, 3, 3))
C('batch_norm_inputs', lambda x, y: R.FusedBatchNormV3(x=x, scale=y, offset=b, mean=mu, variance=v, epsilon=.01, is_training=False)[0], X(N, 2, 2, 3), X(3))
C('bias_add', lambda x: tf.nn.bias_add(x, b), X(N, 2, 3))
C('bias_add_nchw', lambda x: tf.nn.bias_add(x, b, 'NCHW'), X(N, 3, 2, 2))
C('bias_add_int', lambda x: tf.nn.bias_add(x, [1, 2, 3]), X(N, 3, t=i32))
C('lrn', lambda x: tf.nn.lrn(x, 2, 1.5, .1, .75), X(1, 2, 2, 7))
C('l2_loss', tf.nn.l2_loss, X(N, 3))
C('cross_entropy', lambda x, y: tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(y), x), X(N, 4), X(N, 4))
C('sparse_cross_entropy', lambda x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(x, y), X(3, t=i32, r=(0, 4)), X(3, 4))
C('in_top_k', lambda x, y: [tf.math.in_top_k(y, x, 2), R.InTopK(predictions=x, targets=y, k=1)], X(4, 5), X(4, t=i32, r=(0, 5)))
# ---- activations
for n in ('relu', 'relu6', 'elu', 'selu', 'softplus', 'softsign', 'sigmoid', 'tanh', 'softmax', 'log_softmax', 'leaky_relu'):
    C(n, getattr(tf.nn, n), X(N, 9, r=(-8, 8)))
    if n in ('relu6', 'selu', 'softmax'): C(n + '_float64', getattr(tf.nn, n), X(N, 5, t=f64, r=(-8, 8)))
C('softplus_edges', tf.nn.softplus, ((6,), f, np.array([-100, 0, 20, 88, 90, 1000])))
C('softmax_large', lambda x: [tf.nn.softmax(x), tf.nn.log_softmax(x)], X(N, 4, r=(-500, 500)))
C('softmax_axis', lambda x: [tf.nn.softmax(x, 1), tf.nn.log_softmax(x, 0)], X(2, 3, 2))
C('softmax_1d_5d', lambda x, y: [tf.nn.softmax(x), tf.nn.softmax(y)], X(5), X(2, 1, 2, 1, 3))
for t in ('int8', 'uint8', 'int16', 'int32', 'int64', 'uint16', 'uint32'): C(f'relu_{t}', lambda x: [tf.nn.relu(x), tf.nn.relu6(x)], X(N, 5, t=t, r=(-9 if t[0] == 'i' else 0, 20)))
# ---- pooling and space
for t in ('int8', 'int32', 'int64'): C(f'maxpool_{t}', lambda x: R.MaxPool(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 1, 1], padding='SAME'), X(N, 3, 4, 2, t=t))
C('maxpool_explicit', lambda x: tf.nn.max_pool2d(x, 3, 2, [[0, 0], [1, 1], [2, 0], [0, 0]]), X(N, 4, 4, 2, r=(-9, -1)))
C('maxpool_channels', lambda x: tf.nn.max_pool2d(x, [1, 1, 1, 2], [1, 1, 1, 2], 'VALID'), X(N, 2, 2, 6))
C('maxpool_v2', lambda x: R.MaxPoolV2(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 1, 1], padding='SAME'), X(N, 3, 4, 2))
C('pool_open', lambda x: [tf.nn.max_pool2d(x, 2, 2, 'SAME'), tf.nn.avg_pool2d(x, 3, 2, 'SAME')], X(N, N, N, 2, feeds=[(1, 3, 4, 2), (2, 5, 3, 2)]))
C('pool3d_open', lambda x: tf.nn.max_pool3d(x, 2, 2, 'SAME'), X(N, N, N, N, 1, feeds=[(1, 3, 4, 3, 1), (2, 2, 3, 2, 1)]))
C('space_to_batch', lambda x: tf.space_to_batch(x, [2, 3], [[1, 1], [0, 2]]), X(N, 4, 4, 1))
C('space_to_batch_5d', lambda x: tf.space_to_batch(x, [2, 1, 2], [[0, 0], [1, 1], [0, 1]]), X(N, 2, 2, 3, 2))
C('batch_to_space_5d', lambda x: tf.batch_to_space(x, [2, 2, 2], [[0, 0], [1, 0], [0, 1]]), X(8, 2, 2, 2, 1))
C('batch_to_space_6d', lambda x: tf.batch_to_space(x, [2, 1, 2, 2], [[0, 0], [0, 0], [1, 0], [0, 1]]), X(8, 1, 2, 2, 2, 1))
C('space_to_batch_one_side', lambda x: tf.space_to_batch(x, [3], [[1, 1]]), X(N, 4, 2, 2))
C('space_to_batch_no_channels', lambda x: tf.space_to_batch(x, [2, 2], [[0, 0], [1, 1]]), X(N, 2, 4))
C('space_to_batch_v1', lambda x: R.BatchToSpace(input=R.SpaceToBatch(input=x, paddings=[[1, 1], [0, 2]], block_size=2), crops=[[1, 0], [0, 1]], block_size=2), X(N, 2, 2, 2))
for t in ('float32', 'int16', 'int64', 'float64'): C(f'space_depth_{t}', lambda x: [tf.nn.space_to_depth(x, 2), tf.nn.depth_to_space(x, 2)], X(1, 2, 4, 4, t=t))
# ---- images
for ac, hp in ((0, 0), (1, 0), (0, 1)):
    k = dict(align_corners=bool(ac), half_pixel_centers=bool(hp))
    C(f'resize_{ac}{hp}', lambda x, k=k: [f(images=x, size=s, **k) for f in (R.ResizeBilinear, R.ResizeNearestNeighbor) for s in ([5, 4], [2, 2])], X(N, 3, 3, 1))
    C(f'bicubic_{ac}{hp}', lambda x, k=k: [R.ResizeBicubic(images=x, size=s, **k) for s in ([5, 4], [2, 2])], X(1, 4, 3, 1))
    C(f'bicubic_open_{ac}{hp}', lambda x, k=k: R.ResizeBicubic(images=x, size=[4, 5], **k), X(N, N, N, 1, feeds=[(1, 6, 3, 1), (1, 2, 7, 1)]))
for t in ('int64', 'uint8', 'int16', 'float64'): C(f'resize_nearest_{t}', lambda x: R.ResizeNearestNeighbor(images=x, size=[3, 5], half_pixel_centers=True), X(1, 2, 3, 2, t=t))
C('resize_open', lambda x, y: [tf.image.resize(x, y), tf.image.resize(x, tf.shape(x)[1:3] * 2, 'nearest')], X(N, N, N, 1, feeds=[(1, 2, 3, 1), (2, 3, 2, 1)]), X(2, t=i32, r=(2, 6)))
for m in ('area', 'lanczos3', 'lanczos5', 'gaussian', 'mitchellcubic', 'bicubic', 'bilinear'): C(f'antialias_{m}', lambda x, m=m: [tf.image.resize(x, s, m, antialias=True) for s in ([3, 2], [7, 6])], X(1, 5, 4, 1))
for m in ('box', 'triangle', 'keyscubic', 'lanczos1'): C(f'scale_{m}', lambda x, m=m: R.ScaleAndTranslate(images=x, size=[4, 6], scale=[.7, 1.6], translation=[.5, -1.2], kernel_type=m), X(1, 5, 4, 1))
for m in ('bilinear', 'nearest'): C(f'crop_{m}', lambda x, y, z, m=m: tf.image.crop_and_resize(x, y, z, [3, 2], m, 1.5), X(2, 4, 5, 2), X(N, 4, feeds=(3, 4), r=(-.3, 1.3)), X(N, t=i32, feeds=(3,), r=(0, 2)))
C('crop_one', lambda x, y: tf.image.crop_and_resize(x, y, [0], [1, 3]), X(N, N, N, 1, feeds=(1, 4, 3, 1)), X(1, 4, r=(0, 1)))
C('patches_tiles', lambda x: tf.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], 'VALID'), X(N, 4, 4, 2))
C('patches_open', lambda x: tf.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 1, 1], [1, 1, 1, 1], 'VALID'), X(N, N, N, 1, feeds=[(1, 4, 3, 1), (2, 5, 5, 1)]))
C('volume_patches', lambda x: R.ExtractVolumePatches(input=x, ksizes=[1, 2, 1, 2, 1], strides=[1, 1, 2, 1, 1], padding='SAME'), X(1, 2, 3, 3, 1))
C('colours', lambda x: [tf.image.rgb_to_hsv(x), tf.image.hsv_to_rgb(x), tf.image.adjust_hue(x, .2), tf.image.adjust_saturation(x, 1.8), tf.image.adjust_contrast(x, 1.7)], X(N, 2, 3, 3, r=(0, 1)))
C('colours_grey', tf.image.rgb_to_hsv, ((4, 3), f, np.array([[0, 0, 0], [.5, .5, .5], [1, 0, 0], [0, 1, 1]])))
T = tf.constant([[1.1, .2, -1., -.1, .9, .5, .01, -.02]], tf.float32)
for i in ('NEAREST', 'BILINEAR'):
    for m in ('CONSTANT', 'REFLECT', 'WRAP', 'NEAREST'): C(f'projective_{i}_{m}', lambda x, i=i, m=m: R.ImageProjectiveTransformV3(images=x, transforms=T, output_shape=[4, 5], fill_value=.25, interpolation=i, fill_mode=m), X(1, 4, 4, 1))
boxes = np.array([[0, 0, 1, 1], [0, .1, 1, 1.1], [0, -.1, 1, .9], [0, 2, 1, 3], [0, 2.1, 1, 3.1], [0, 9, 1, 10]], f)
scores = np.array([.5, .9, .4, .3, .8, .7], f)
B, S = ((6, 4), f, boxes), ((6,), f, scores)
C('nms', lambda x, y: [tf.image.non_max_suppression(x, y, 4, .5), tf.image.non_max_suppression(x, y, 5, .3, .35), R.NonMaxSuppression(boxes=x, scores=y, max_output_size=2), R.NonMaxSuppressionV2(boxes=x, scores=y, max_output_size=3, iou_threshold=.2)], B, S)
C('nms_padded', lambda x, y: list(R.NonMaxSuppressionV4(boxes=x, scores=y, max_output_size=5, iou_threshold=.5, score_threshold=.35, pad_to_max_output_size=True)), B, S)
C('nms_soft', lambda x, y: list(R.NonMaxSuppressionV5(boxes=x, scores=y, max_output_size=6, iou_threshold=.5, score_threshold=.1, soft_nms_sigma=.5)), B, S)
C('nms_combined', lambda x, y: list(tf.image.combined_non_max_suppression(x, y, 3, 5, .5, .2)), ((2, 6, 1, 4), f, np.stack([boxes, boxes[::-1] * .4]).reshape(2, 6, 1, 4)), X(2, 6, 2, r=(0, 1)))
# ---- quantised numbers (no number lies between two steps)
q = ((2, 5), f, rng.uniform(-2, 2, (2, 5)))
C('fake_quant', lambda x: [tf.quantization.fake_quant_with_min_max_args(x, -1.5, 3., b, narrow_range=n) for b, n in ((8, False), (8, True), (4, False), (16, False))], q)
C('fake_quant_channels', lambda x: tf.quantization.fake_quant_with_min_max_vars_per_channel(x, [-1., -2., -.5, -1., 0.], [1., .5, 2., 1., 2.]), q)
C('fake_quant_inputs', lambda x, y, z: tf.quantization.fake_quant_with_min_max_vars(x, y, z), q, X(r=(-2, -1)), X(r=(1, 2)))
C('quantize_and_dequantize', lambda x: [R.QuantizeAndDequantizeV2(input=x, input_min=-1., input_max=2., range_given=True, narrow_range=n, signed_input=s, num_bits=b) for n, s, b in ((False, True, 8), (True, True, 8), (False, True, 5))], q)
C('quantize_and_dequantize_own', lambda x: R.QuantizeAndDequantizeV3(input=x, input_min=0., input_max=0., num_bits=8, range_given=False), q)
for m in ('MIN_COMBINED', 'SCALED'):
    for t in (tf.quint8, tf.qint8): C(f'quantize_{m}_{t.name}', lambda x, m=m, t=t: (lambda q: tf.quantization.dequantize(q[0], q[1], q[2], mode=m))(tf.quantization.quantize(x, -1., 2., t, mode=m)), q)
# ---- patterns
C('gelu_erf', lambda x: .5 * x * (1. + tf.math.erf(x / tf.sqrt(2.))), X(N, 9, r=(-5, 5)))
C('gelu_tanh', lambda x: tf.nn.gelu(x, True), X(N, 9, r=(-5, 5)))
C('hard_swish', lambda x: x * tf.nn.relu6(x + 3.) / 6., X(N, 9, r=(-5, 5)))
C('prelu', lambda x, a=c(3): tf.nn.relu(x) - a * tf.nn.relu(-x), X(N, 2, 3))
C('l2_normalize', lambda x: [tf.nn.l2_normalize(x, -1), tf.nn.l2_normalize(x, 1)], X(N, 2, 3))
C('dilated', lambda x, w=c(3, 3, 1, 2): tf.batch_to_space(tf.nn.conv2d(tf.space_to_batch(x, [2, 2], [[2, 3], [2, 3]]), w, 1, 'VALID'), [2, 2], [[0, 1], [0, 1]]), X(N, 5, 5, 1))
C('dilated_row', lambda x, w=c(1, 3, 2, 2): tf.squeeze(tf.batch_to_space(tf.nn.conv2d(tf.expand_dims(tf.space_to_batch(x, [3], [[3, 5]]), 1), w, 1, 'VALID')[:, 0], [3], [[0, 2]])), X(2, 7, 2))
C('chain', lambda x: ((x + .5) - c(3)) * 2. * c(3), X(N, 3))
C('min_of_open_size', lambda x: [x[:, :tf.minimum(tf.shape(x)[1], 5)], tf.cast(tf.shape(x)[1] > 4, tf.int32)], X(N, N, feeds=[(1, 3), (2, 9)]))
C('spectrogram', lambda x: tf.raw_ops.AudioSpectrogram(input=x, window_size=6, stride=4, magnitude_squared=True), X(18, 1))
C('mfcc', lambda x: R.Mfcc(spectrogram=x, sample_rate=16000, filterbank_channel_count=12, dct_coefficient_count=5), X(1, 2, 33, r=(0, 4)))
