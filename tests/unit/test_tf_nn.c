/*
 * test_tf_nn.c: TensorFlow's operators on images and features where TensorFlow's own kernels give no numbers (channels first, fused and old
 * operators, XLA's): each is compared with what it stands for, in the same graph. Then how few operators are left, what becomes of graphs of
 * quantisation-aware training, and every refusal. The numbers of all others are in tests/data/tf/nn.gz (test_tf_cases.c).
 */
#include "support/fault.h"
#include "support/tf_fixture.h"

#include "api/api.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 4096 };

/* Deterministic numbers between -1 and 1. */
static double value(size_t i) { return (double)((i * 2654435761u >> 7) % 2001) / 1000 - 1; }

static void becomes(const char *graph, const char *inputs, const char *operators) {
    lc_model *m = tf_make(graph, inputs, "y");
    tf_expect_ops(m, operators);
    lc_model_destroy(m);
}

/* Outputs a and b of a graph with the input x are the same numbers, within tolerance. */
static void same_within(const char *graph, const char *shape, double tolerance) {
    static double in[MOST], a[MOST], b[MOST];
    const double *data = in;
    char dims_a[64], dims_b[64];
    for (size_t i = 0; i < MOST; i++) in[i] = value(i);
    lc_model *m = tf_make(graph, "x", "a b");
    const size_t n = tf_run(m, 1, &shape, &data, 0, a, MOST, dims_a), k = tf_run(m, 1, &shape, &data, 1, b, MOST, dims_b);
    if (n != k || strcmp(dims_a, dims_b)) fail_msg("[%s] and [%s] from\n%s", dims_a, dims_b, graph);
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) <= tolerance * (1 + fabs(b[i])))) fail_msg("element %zu is %.9g and %.9g from\n%s", i, a[i], b[i], graph);
    lc_model_destroy(m);
}
static void same(const char *graph, const char *shape) { same_within(graph, shape, 1e-5); }

/* ---- channels first ------------------------------------------------------------------------------------------------------ */

#define NCHW \
    "x = Placeholder dtype=float shape={?,3,5,6}\nto = const int32 {4} 0 2 3 1\nfrom = const int32 {4} 0 3 1 2\nxl = Transpose(x, to) T=float\n"
#define BACK(y) "b = Transpose(" y ", from) T=float\n"
#define NCDHW \
    "x = Placeholder dtype=float shape={?,2,3,4,3}\nto = const int32 {5} 0 2 3 4 1\nfrom = const int32 {5} 0 4 1 2 3\nxl = Transpose(x, to) T=float\n"
#define W3322 "w = const float {2,2,3,2} 1 -2 3 .5 -1 .25 2 -3 1 0 1 .5 -.5 2 1 -1 3 2 .1 .2 .3 -.4 1.5 -2\n"

static void test_channels_first(void **state) {
    (void)state;
    same(NCHW W3322 "a = Conv2D(x, w) strides=[1,1,2,1] padding=\"SAME\" data_format=\"NCHW\" dilations=[1,1,1,1]\n"
                    "l = Conv2D(xl, w) strides=[1,2,1,1] padding=\"SAME\"\n" BACK("l"),
         "2,3,5,6");
    same(NCHW W3322 "a = Conv2D(x, w) strides=[1,1,1,1] padding=\"EXPLICIT\" explicit_paddings=[0,0,0,0,1,0,2,1] data_format=\"NCHW\"\n"
                    "l = Conv2D(xl, w) strides=[1,1,1,1] padding=\"EXPLICIT\" explicit_paddings=[0,0,1,0,2,1,0,0]\n" BACK("l"),
         "1,3,5,6");
    same(NCHW W3322 "a = DepthwiseConv2dNative(x, w) strides=[1,1,1,1] padding=\"SAME\" data_format=\"NCHW\" dilations=[1,1,1,2]\n"
                    "l = DepthwiseConv2dNative(xl, w) strides=[1,1,1,1] padding=\"SAME\" dilations=[1,1,2,1]\n" BACK("l"),
         "2,3,5,6");
    same(NCHW "a = MaxPool(x) ksize=[1,1,2,3] strides=[1,1,2,1] padding=\"SAME\" data_format=\"NCHW\"\n"
              "l = MaxPool(xl) ksize=[1,2,3,1] strides=[1,2,1,1] padding=\"SAME\"\n" BACK("l"),
         "2,3,5,6");
    same(NCHW "a = AvgPool(x) ksize=[1,1,2,3] strides=[1,1,2,1] padding=\"VALID\" data_format=\"NCHW\"\n"
              "l = AvgPool(xl) ksize=[1,2,3,1] strides=[1,2,1,1] padding=\"VALID\"\n" BACK("l"),
         "2,3,5,6");
    same(NCHW "g = const float {3} 1 2 3\nm = const float {3} .1 .2 .3\nv = const float {3} 1 .5 2\n"
              "a = FusedBatchNormV3(x, g, m, g, v) epsilon=.01 is_training=false data_format=\"NCHW\" T=float U=float\n"
              "l = FusedBatchNormV3(xl, g, m, g, v) epsilon=.01 is_training=false T=float U=float\n" BACK("l"),
         "2,3,5,6");
    same(NCHW "g = const float {3} 1 2 3\nm = const float {3} .1 .2 .3\nv = const float {0}\n"
              "a = FusedBatchNormV3(x, g, m, v, v) epsilon=.01 is_training=true data_format=\"NCHW\" T=float U=float\n"
              "l = FusedBatchNormV3(xl, g, m, v, v) epsilon=.01 is_training=true T=float U=float\n" BACK("l"),
         "2,3,5,6");
    same(
        "x = Placeholder dtype=float shape={?,8,2,3}\nto = const int32 {4} 0 2 3 1\nfrom = const int32 {4} 0 3 1 2\nxl = Transpose(x, to) T=float\n"
        "a = DepthToSpace(x) block_size=2 data_format=\"NCHW\" T=float\nl = DepthToSpace(xl) block_size=2 T=float\n" BACK("l"),
        "2,8,2,3");
    same(
        "x = Placeholder dtype=float shape={?,2,4,6}\nto = const int32 {4} 0 2 3 1\nfrom = const int32 {4} 0 3 1 2\nxl = Transpose(x, to) T=float\n"
        "a = SpaceToDepth(x) block_size=2 data_format=\"NCHW\" T=float\nl = SpaceToDepth(xl) block_size=2 T=float\n" BACK("l"),
        "2,2,4,6");
    same(
        "x = Placeholder dtype=float shape={?,2,3,3}\nto = const int32 {4} 0 2 3 1\nfrom = const int32 {4} 0 3 1 2\nxl = Transpose(x, to) T=float\n"
        "w = const float {2,2,3,2} 1 -2 3 .5 -1 .25 2 -3 1 0 1 .5 -.5 2 1 -1 3 2 .1 .2 .3 -.4 1.5 -2\n"
        "sf = const int32 {4} 1 3 6 5\nsl = const int32 {4} 1 6 5 3\n"
        "a = Conv2DBackpropInput(sf, w, x) strides=[1,1,2,2] padding=\"SAME\" data_format=\"NCHW\"\n"
        "l = Conv2DBackpropInput(sl, w, xl) strides=[1,2,2,1] padding=\"SAME\"\n" BACK("l"),
        "1,2,3,3");
    same(NCDHW "w = const float {2,1,2,2,2} 1 -2 3 .5 -1 .25 2 -3 1 0 1 .5 -.5 2 1 -1\n"
               "a = Conv3D(x, w) strides=[1,1,1,2,1] padding=\"SAME\" data_format=\"NCDHW\"\n"
               "l = Conv3D(xl, w) strides=[1,1,2,1,1] padding=\"SAME\"\n" BACK("l"),
         "1,2,3,4,3");
    same(NCDHW "a = MaxPool3D(x) ksize=[1,1,2,2,2] strides=[1,1,1,2,2] padding=\"SAME\" data_format=\"NCDHW\"\n"
               "l = MaxPool3D(xl) ksize=[1,2,2,2,1] strides=[1,1,2,2,1] padding=\"SAME\"\n" BACK("l"),
         "2,2,3,4,3");
}

/* ---- fused and old operators ------------------------------------------------------------------------------------------------ */

#define IMAGE "x = Placeholder dtype=float shape={?,4,5,3}\n" W3322
#define CONV "c = Conv2D(x, w) strides=[1,1,1,1] padding=\"SAME\"\n"
#define VECTORS "p = const float {2} 1 2\nq = const float {2} .1 -.2\nr = const float {2} .3 .4\ns = const float {2} 1 .5\n"

static void test_fused(void **state) {
    (void)state;
    same(IMAGE CONV VECTORS "d = BiasAdd(c, q)\na = Relu(d)\n"
                            "b = _FusedConv2D(x, w, q) strides=[1,1,1,1] padding=\"SAME\" num_args=1 fused_ops=[\"BiasAdd\",\"Relu\"]\n",
         "2,4,5,3");
    same(
        IMAGE CONV VECTORS
        "d = FusedBatchNormV3(c, p, q, r, s) epsilon=.01 is_training=false T=float U=float\na = LeakyRelu(d) alpha=.3\n"
        "b = _FusedConv2D(x, w, p, q, r, s) strides=[1,1,1,1] padding=\"SAME\" num_args=4 epsilon=.01 leakyrelu_alpha=.3 fused_ops=[\"FusedBatchNorm\",\"LeakyRelu\"]\n",
        "2,4,5,3");
    same(IMAGE CONV VECTORS
         "d = BiasAdd(c, q)\ne = AddV2(d, c)\na = Tanh(e)\n"
         "b = _FusedConv2D(x, w, q, c) strides=[1,1,1,1] padding=\"SAME\" num_args=2 fused_ops=[\"BiasAdd\",\"Add\",\"Tanh\"]\n",
         "2,4,5,3");
    same(
        IMAGE
        "p = const float {6} 1 2 3 4 5 6\nc = DepthwiseConv2dNative(x, w) strides=[1,1,1,1] padding=\"VALID\"\nd = BiasAdd(c, p)\na = Relu6(d)\n"
        "b = _FusedDepthwiseConv2dNative(x, w, p) strides=[1,1,1,1] padding=\"VALID\" num_args=1 fused_ops=[\"BiasAdd\",\"Relu6\"]\n",
        "2,4,5,3");
    same("x = Placeholder dtype=float shape={?,3}\nw = const float {3,2} 1 2 3 4 5 6\n" VECTORS
         "c = MatMul(x, w)\nd = BiasAdd(c, q)\na = Elu(d)\n"
         "b = _FusedMatMul(x, w, q) num_args=1 fused_ops=[\"BiasAdd\",\"Elu\"]\n",
         "4,3");
    same(
        IMAGE VECTORS
        "p4 = const float {3} 1 2 3\nq4 = const float {3} .1 -.2 .5\nr4 = const float {3} 1 .5 2\n"
        "d = FusedBatchNormV3(x, p4, q4, p4, r4) epsilon=.01 is_training=false T=float U=float\ne = AddV2(d, x)\na = Relu(e)\n"
        "b = _FusedBatchNormEx(x, p4, q4, p4, r4, x) epsilon=.01 is_training=false num_side_inputs=1 activation_mode=\"Relu\" T=float U=float\n",
        "2,4,5,3");
    same(IMAGE "p4 = const float {3} 1 2 3\nq4 = const float {3} .1 -.2 .5\nr4 = const float {3} 1 .5 2\n"
               "a = FusedBatchNormV3(x, p4, q4, p4, r4) epsilon=.01 is_training=false T=float U=float\n"
               "b = BatchNormWithGlobalNormalization(x, p4, r4, q4, p4) variance_epsilon=.01 scale_after_normalization=true\n",
         "2,4,5,3");
    same(
        IMAGE
        "p = const int32 {4,2} 0 0 1 1 2 0 0 0\nm = MirrorPad(x, p) mode=\"REFLECT\" T=float Tpaddings=int32\n"
        "a = Conv2D(m, w) strides=[1,1,1,1] padding=\"VALID\"\nb = FusedPadConv2D(x, p, w) mode=\"REFLECT\" strides=[1,1,1,1] padding=\"VALID\"\n",
        "2,4,5,3");
    same(IMAGE "z = const int32 {2} 6 7\np = const int32 {4,2} 0 0 1 1 2 0 0 0\nv = ResizeBilinear(x, z) align_corners=true\n"
               "m = MirrorPad(v, p) mode=\"SYMMETRIC\" T=float Tpaddings=int32\na = Conv2D(m, w) strides=[1,2,2,1] padding=\"VALID\"\n"
               "b = FusedResizeAndPadConv2D(x, z, p, w) mode=\"SYMMETRIC\" resize_align_corners=true strides=[1,2,2,1] padding=\"VALID\"\n",
         "2,4,5,3");
    /* groups of three dimensions: each sees its own channel */
    same("x = Placeholder dtype=float shape={?,2,2,2,2}\nw = const float {1,1,1,1,4} 1 2 3 4\n"
         "a = Conv3D(x, w) strides=[1,1,1,1,1] padding=\"VALID\"\nax = const int32 {} 4\nu = Split(ax, x) num_split=2 T=float\n"
         "v = const float {1,1,1,1,2} 1 2\nz = const float {1,1,1,1,2} 3 4\nc = Conv3D(u, v) strides=[1,1,1,1,1] padding=\"VALID\"\n"
         "d = Conv3D(u:1, z) strides=[1,1,1,1,1] padding=\"VALID\"\nb = ConcatV2(c, d, ax) N=2 T=float Tidx=int32\n",
         "2,2,2,2,2");
    same(
        "x = Placeholder dtype=float shape={?,4}\nl = const float {} -1.0\nh = const float {} 2.0\n"
        "a = QuantizeAndDequantize(x) input_min=-1.0 input_max=2.0 range_given=true T=float\nb = QuantizeAndDequantizeV2(x, l, h) range_given=true T=float\n",
        "3,4");
    same(
        "x = Placeholder dtype=float shape={?,3}\nb = Relu6(x)\nm = MaxPool3D(r) ksize=[1,1,1,1,1] strides=[1,1,1,1,1] padding=\"SAME\"\nt = const int32 {5} -1 1 1 1 3\n"
        "r = Reshape(x, t) T=float\nu = const int32 {2} -1 3\nn = Reshape(m, u) T=float\na = Relu6(n)\n",
        "3,3");
}

static void test_xla(void **state) {
    (void)state;
    /* lhs_contracting 1, rhs_contracting 1 */
    same("x = Placeholder dtype=float shape={?,3}\nw = const float {2,3} 1 2 3 4 5 6\na = MatMul(x, w) transpose_b=true\n"
         "b = XlaDotV2(x, w) dimension_numbers=\"\\n\\001\\001\\022\\001\\001\" LhsT=float RhsT=float preferred_element_type=float\n",
         "4,3");
    /* batch 0 and 0, contracting 2 and 1 */
    same("x = Placeholder dtype=float shape={2,2,3}\nw = const float {2,3,2} 1 2 3 4 5 6 7 8 9 10 11 12\na = BatchMatMulV2(x, w)\n"
         "b = XlaDot(x, w) dimension_numbers=\"\\n\\001\\002\\022\\001\\001\\032\\001\\000\\042\\001\\000\"\n",
         "2,2,3");
    /* kernel in 2, out 3, spatial 0 1; input batch 0, feature 3, spatial 1 2; output batch 0, feature 3, spatial 1 2 */
#define NHWC_NUMBERS "\\030\\002 \\0032\\002\\000\\0018\\000@\\003H\\000P\\003Z\\002\\001\\002b\\002\\001\\002"
#define XLA(strides, pads, lhs, rhs) \
    "st = const int32 {2} " strides "\npd = const int32 {2,2} " pads "\nld = const int32 {2} " lhs "\nrd = const int32 {2} " rhs \
    "\ngr = const int32 {} 1\n" \
    "b = XlaConvV2(x, w, st, pd, ld, rd, gr) dimension_numbers=\"" NHWC_NUMBERS "\" LhsT=float RhsT=float preferred_element_type=float\n"
    same(IMAGE "a = Conv2D(x, w) strides=[1,2,1,1] padding=\"EXPLICIT\" explicit_paddings=[0,0,1,0,0,2,0,0]\n" XLA("2 1", "1 0 0 2", "1 1",
                                                                                                                   "1 1"),
         "2,4,5,3");
    same(IMAGE "a = Conv2D(x, w) strides=[1,1,1,1] padding=\"VALID\" dilations=[1,2,3,1]\n" XLA("1 1", "0 0 0 0", "1 1", "2 3"), "2,4,5,3");
    /* zeros between the cells: 4 x 5 become 7 x 9, by TRANSPOSE_CONV and by DILATE (which a stride wants) */
#define SPREAD \
    "z = const int32 {6} 0 0 0 1 0 0\nsh = const int32 {6} -1 4 1 5 1 3\nr = Reshape(x, sh) T=float\npp = const int32 {6,2} 0 0 0 0 0 1 0 0 0 1 0 0\ne = Pad(r, pp) T=float\n" \
    "s2 = const int32 {4} -1 8 10 3\nf = Reshape(e, s2) T=float\nbg = const int32 {4} 0 0 0 0\nsz = const int32 {4} -1 7 9 -1\ng = Slice(f, bg, sz) T=float Index=int32\n"
    same(IMAGE SPREAD "a = Conv2D(g, w) strides=[1,1,1,1] padding=\"VALID\"\n" XLA("1 1", "0 0 0 0", "2 2", "1 1"), "2,4,5,3");
    same(IMAGE SPREAD "a = Conv2D(g, w) strides=[1,1,1,1] padding=\"EXPLICIT\" explicit_paddings=[0,0,1,1,1,0,0,0]\n" XLA("1 1", "1 1 1 0",
                                                                                                                          "2 2", "1 1"),
         "2,4,5,3");
    same(IMAGE SPREAD "a = Conv2D(g, w) strides=[1,2,2,1] padding=\"VALID\"\n" XLA("2 2", "0 0 0 0", "2 2", "1 1"), "2,4,5,3");
    same(
        IMAGE
        "bg = const int32 {4} 0 1 0 0\nsz = const int32 {4} -1 -1 3 -1\ng = Slice(x, bg, sz) T=float Index=int32\na = Conv2D(g, w) strides=[1,1,1,1] padding=\"VALID\"\n" XLA(
            "1 1", "-1 0 0 -2", "1 1", "1 1"),
        "2,4,5,3");
}

/* ---- how few are left --------------------------------------------------------------------------------------------------------- */

#define ROWS "x = Placeholder dtype=float shape={?,?,3}\nw = const float {3,2} 1 2 3 4 5 6\nbias = const float {2} 1 -1\n"

static void test_operators(void **state) {
    (void)state;
    becomes(IMAGE CONV VECTORS "d = FusedBatchNormV3(c, p, q, r, s) epsilon=.01 is_training=false T=float U=float\ny = Relu6(d)\n", "x",
            "CONV_2D");
    becomes(
        NCHW W3322 VECTORS
        "c = Conv2D(x, w) strides=[1,1,1,1] padding=\"SAME\" data_format=\"NCHW\"\nd = BiasAdd(c, q) data_format=\"NCHW\"\ne = Relu(d)\n"
        "m = MaxPool(e) ksize=[1,1,2,2] strides=[1,1,2,2] padding=\"VALID\" data_format=\"NCHW\"\ny = Transpose(m, to) T=float\n",
        "x", "TRANSPOSE CONV_2D MAX_POOL_2D");
    becomes(IMAGE "g = const float {2,2,1,3} 1 2 3 4 5 6 7 8 9 10 11 12\ny = Conv2D(x, g) strides=[1,1,1,1] padding=\"SAME\"\n", "x",
            "DEPTHWISE_CONV_2D");
    becomes("x = Placeholder dtype=float shape={?,3,3,3,2}\nw = const float {1,1,1,2,2} 1 2 3 4\nbias = const float {2} 1 2\n"
            "c = Conv3D(x, w) strides=[1,1,1,1,1] padding=\"SAME\"\nd = BiasAdd(c, bias)\ny = Relu(d)\n",
            "x", "CONV_3D");
    /* a dense layer on [?,?,3] as tf.tensordot writes it: two open sizes */
    becomes(
        ROWS
        "s = Shape(x) T=float\ni01 = const int32 {2} 0 1\nax = const int32 {} 0\nf = GatherV2(s, i01, ax) Tparams=int32 Tindices=int32 Taxis=int32\n"
        "c0 = const int32 {1} 0\nn = Prod(f, c0) T=int32 Tidx=int32\nthree = const int32 {} 3\np = Pack(n, three) N=2 T=int32\nr = Reshape(x, p) T=float\n"
        "m = MatMul(r, w)\ntwo = const int32 {1} 2\nss = ConcatV2(f, two, ax) N=2 T=int32 Tidx=int32\nz = Reshape(m, ss) T=float\nd = BiasAdd(z, bias)\ny = Relu(d)\n",
        "x", "FULLY_CONNECTED");
    becomes("x = Placeholder dtype=float shape={?,4}\nu = Placeholder dtype=float shape={?,4}\ny = MatMul(x, u) transpose_b=true\n", "x u",
            "BATCH_MATMUL");
    becomes(
        "x = Placeholder dtype=float shape={?,3,4}\nw = const float {4,2,2} 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\ny = Einsum(x, w) equation=\"abc,cde->abde\" N=2 T=float\n",
        "x", "FULLY_CONNECTED RESHAPE");
    becomes(
        "x = Placeholder dtype=float shape={?,4,4,3}\ny = ExtractImagePatches(x) ksizes=[1,2,2,1] strides=[1,2,2,1] rates=[1,1,1,1] padding=\"VALID\"\n",
        "x", "SPACE_TO_DEPTH");
    becomes(
        "x = Placeholder dtype=float shape={?,4,4,3}\ny = MaxPool3D(r) ksize=[1,1,2,2,1] strides=[1,1,2,2,1] padding=\"VALID\"\nt = const int32 {5} -1 1 4 4 3\nr = Reshape(x, t) T=float\n",
        "x", "MAX_POOL_2D RESHAPE");
    becomes("x = Placeholder dtype=uint8 shape={?,4}\ny = Relu(x) T=uint8\n", "x", "");
}

/* ---- quantisation-aware training ------------------------------------------------------------------------------------------------ */

#define FQ(name, of, low, high) name " = FakeQuantWithMinMaxArgs(" of ") min=" low " max=" high "\n"
#define QWEIGHTS \
    "wl = const float {2} -3. -3.\nwh = const float {2} 3. 3.\nw4 = const float {1,1,3,2} 1 -2 3 .5 -1 .25\nw = FakeQuantWithMinMaxVarsPerChannel(w4, wl, wh) narrow_range=true\n"

static void quantised(const char *graph, const char *shape, const char *operators, double step) {
    static double in[MOST], a[MOST], b[MOST];
    const double *data = in;
    lc_error err;
    for (size_t i = 0; i < MOST; i++) in[i] = value(i);
    lc_model *plain = tf_lower(graph, "x", "y", NULL, &err), *m = tf_make(graph, "x", "y");
    if (!plain) fail_msg("%s", err.message);
    tf_expect_ops(m, operators);
    const size_t n = tf_run(plain, 1, &shape, &data, 0, a, MOST, NULL), k = tf_run(m, 1, &shape, &data, 0, b, MOST, NULL);
    assert_int_equal(n, k);
    for (size_t i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) <= step)) fail_msg("element %zu is %g, was %g", i, b[i], a[i]);
    for (size_t i = 0; i < m->graphs[0]->tensor_count; i++) { /* no annotation is left on a float */
        const lc_tensor *t = &m->graphs[0]->tensors[i];
        assert_true(t->type != LC_FLOAT32 || !t->quant);
    }
    lc_model_destroy(plain);
    lc_model_destroy(m);
}

static void test_quantised(void **state) {
    (void)state;
#define QIMAGE "x = Placeholder dtype=float shape={?,4,4,3}\n" FQ("xq", "x", "-1.0", "1.0") QWEIGHTS
    quantised(
        QIMAGE
        "c = Conv2D(xq, w) strides=[1,1,1,1] padding=\"SAME\"\nbias = const float {2} .5 -.5\nd = BiasAdd(c, bias)\ne = Relu6(d)\n" FQ(
            "y", "e", "0.0", "6.0"),
        "2,4,4,3", "QUANTIZE CONV_2D DEQUANTIZE", .03);
    /* batch normalisation between convolution and its range goes into weights that have their steps already */
    quantised(
        QIMAGE VECTORS
        "c = Conv2D(xq, w) strides=[1,1,1,1] padding=\"SAME\"\nd = FusedBatchNormV3(c, p, q, r, s) epsilon=.01 is_training=false T=float U=float\n" FQ(
            "f", "d", "-9.0", "9.0") "m = MaxPool(f) ksize=[1,2,2,1] strides=[1,2,2,1] padding=\"VALID\"\ny = Softmax(m)\n",
        "1,4,4,3", "QUANTIZE CONV_2D MAX_POOL_2D SOFTMAX DEQUANTIZE", .02);
    /* two ranges meet: the one of the result counts */
    quantised(
        "x = Placeholder dtype=float shape={?,4}\n" FQ("a", "x", "-1.0", "1.0") "t = const float {} 2.0\nu = Mul(a, t)\n" FQ(
            "v", "u", "-2.0", "2.0") "ax = const int32 {} 1\nc = ConcatV2(a, v, ax) N=2 T=float Tidx=int32\n" FQ("y", "c", "-2.0", "2.0"),
        "3,4", "QUANTIZE MUL QUANTIZE CONCATENATION DEQUANTIZE", .02);
    /* what only the concatenation reads is written in its steps at once, if they reach no further */
#define ROUNDED_TWICE(low) \
    "x = Placeholder dtype=float shape={?,4}\n" FQ("a", "x", "-1.0", "1.0") "t = const float {} 2.0\nu = Mul(a, t)\n" FQ( \
        "v", "u", "-2.0", \
        "2.0") "s = AddV2(a, a)\n" FQ("r", "s", low, \
                                      "2.5") "ax = const int32 {} 1\nc = ConcatV2(r, v, ax) N=2 T=float Tidx=int32\n" FQ("y", "c", "-2.0", \
                                                                                                                         "2.0")
    quantised(ROUNDED_TWICE("-2.5"), "3,4", "QUANTIZE ADD MUL CONCATENATION DEQUANTIZE", .03);
    quantised(ROUNDED_TWICE("-1.0"), "3,4", "QUANTIZE ADD MUL QUANTIZE CONCATENATION DEQUANTIZE", .03);
    /* a table that is rounded behind the look-up, and two sigmoids side by side: their steps are the same already */
    quantised(
        "x = Placeholder dtype=int32 shape={?}\nt = const float {3,2} 1 -2 3 .5 -1 .25\nax = const int32 {} 0\nz = const int32 {} 0\ni = Maximum(x, z) T=int32\ng = GatherV2(t, i, ax) Tparams=float Tindices=int32 Taxis=int32\n" FQ(
            "y", "g", "-3.0", "3.0"),
        "3", "MAXIMUM GATHER DEQUANTIZE", .025);
    quantised("x = Placeholder dtype=float shape={?,4}\n" FQ("a", "x", "-1.0", "1.0") "p = Sigmoid(a)\nn = Neg(x)\n" FQ(
                  "b", "n", "-1.0", "1.0") "q = Sigmoid(b)\nax = const int32 {} 1\ny = ConcatV2(p, q, ax) N=2 T=float Tidx=int32\n",
              "3,4", "QUANTIZE LOGISTIC NEG QUANTIZE LOGISTIC CONCATENATION DEQUANTIZE", .02);
    /* a reader without a range keeps floats */
    quantised("x = Placeholder dtype=float shape={?,4}\n" FQ("a", "x", "-1.0", "1.0") "u = AddV2(a, a)\n" FQ("v", "u", "-2.0",
                                                                                                             "2.0") "y = Sin(v)\n",
              "3,4", "QUANTIZE ADD DEQUANTIZE SIN", .02);
    quantised("x = Placeholder dtype=float shape={?,4}\n" FQ("a", "x", "-1.0", "1.0") "y = Sin(a)\n", "3,4", "FAKE_QUANT SIN", 1e-6);
    quantised("x = Placeholder dtype=float shape={?,4}\ny = FakeQuantWithMinMaxArgs(x) min=-1.0 max=1.0 num_bits=4 narrow_range=true\n",
              "3,4", "MAXIMUM FAKE_QUANT", 1e-6);
    /* weights alone: they are rounded, and stay floats */
    quantised("x = Placeholder dtype=float shape={?,2,2,3}\n" QWEIGHTS "y = Conv2D(x, w) strides=[1,1,1,1] padding=\"SAME\"\n", "1,2,2,3",
              "CONV_2D", 1e-5);
    /* asymmetric steps of weights give symmetric ones */
    quantised(
        "x = Placeholder dtype=float shape={?,3}\n" FQ("xq", "x", "-1.0", "1.0") "w2 = const float {3,2} 1 -.5 2 .5 -.5 .25\nwl = const float {} -.5\nwh = const float {} 2.0\nw = FakeQuantWithMinMaxVars(w2, wl, wh)\nm = MatMul(xq, w)\n" FQ(
            "y", "m", "-4.0", "4.0"),
        "3,3", "QUANTIZE FULLY_CONNECTED DEQUANTIZE", .05);
}

/* ---- refusals ------------------------------------------------------------------------------------------------------------------------ */

#define R(graph, text) tf_refused(graph, "x", "y", text)
#define X4 "x = Placeholder dtype=float shape={?,4,4,3}\n"
#define X2 "x = Placeholder dtype=float shape={?,3}\n"

static void test_refused(void **state) {
    (void)state;
    /* convolutions */
    R(X2 W3322 "y = Conv2D(x, w) strides=[1,1,1,1] padding=\"SAME\"\n", "needs 4 dimensions");
    R(X4 W3322 "y = Conv2D(x, w) strides=[1,1,1] padding=\"SAME\"\n", "strides has 3 numbers, needs 4");
    R(X4 W3322 "y = Conv2D(x, w) padding=\"SAME\"\n", "strides has 0 numbers");
    R(X4 W3322 "y = Conv2D(x, w) strides=[1,0,1,1] padding=\"SAME\"\n", "strides has 0, needs 1 or more");
    R(X4 W3322 "y = Conv2D(x, w) strides=[2,1,1,1] padding=\"SAME\"\n", "its strides is 2 for the batch");
    R(X4 W3322 "y = Conv2D(x, w) strides=[1,1,1,1] padding=\"OTHER\"\n", "needs SAME, VALID or EXPLICIT");
    R(X4 W3322 "y = Conv2D(x, w) strides=[1,1,1,1] padding=\"EXPLICIT\" explicit_paddings=[0,0,1,1]\n",
      "explicit_paddings has 4 numbers, needs 8");
    R(X4 W3322 "y = Conv2D(x, w) strides=[1,1,1,1] padding=\"EXPLICIT\" explicit_paddings=[0,0,1,-1,0,0,0,0]\n",
      "explicit_paddings has -1");
    R(X4 W3322 "y = Conv2D(x, w) strides=[1,1,1,1] padding=\"EXPLICIT\" explicit_paddings=[1,0,0,0,0,0,0,0]\n",
      "explicit_paddings has 1 at 0");
    R(X4 W3322 "y = Conv2D(x, w) strides=[1,1,1,1] padding=\"SAME\" data_format=\"NCHW_VECT_C\"\n", "its data_format is NCHW_VECT_C");
    R(X4 W3322 "y = Conv2D(x, w) strides=\"1\" padding=\"SAME\"\n", "\"strides\" is not a list");
    R(X4 W3322 "y = Conv2D(x, w) strides=[1,9223372036854775807,1,1] padding=\"SAME\"\n", "strides has 9223372036854775807");
    R(X4 W3322 "y = Conv2D(x, w) strides=[1,1,1,1] padding=\"VALID\" dilations=[1,2147483647,1,1]\n", "");
    R(X4 "w = const float {2,2} 1 2 3 4\ny = Conv2D(x, w) strides=[1,1,1,1] padding=\"SAME\"\n", "its filter has 2 dimensions, needs 4");
    R(X4 "w = const float {1,1,2,2} 1 2 3 4\ny = Conv2D(x, w) strides=[1,1,1,1] padding=\"SAME\"\n",
      "its input has 3 channels, its 2 filters take 2");
    R("x = Placeholder dtype=int32 shape={?,4,4,1}\nw = const int32 {1,1,1,1} 1\ny = Conv2D(x, w) strides=[1,1,1,1] padding=\"SAME\" T=int32\n",
      "TFLite convolves no int32");
    R(X4 "w = const float {1,1,2,2} 1 2 3 4\ny = DepthwiseConv2dNative(x, w) strides=[1,1,1,1] padding=\"SAME\"\n",
      "its input has 3 channels, its filter takes 2");
    R(X4 W3322 "y = _FusedConv2D(x, w) strides=[1,1,1,1] padding=\"SAME\" fused_ops=[\"Nonsense\"]\n", "\"Nonsense\" fused into it");
    R(X4 W3322 "y = _FusedConv2D(x, w) strides=[1,1,1,1] padding=\"SAME\" fused_ops=[\"BiasAdd\"]\n", "needs at least 3");
    R("x = Placeholder dtype=float shape={?,4,4,2}\n" W3322
      "s = const int32 {3} 1 2 3\ny = Conv2DBackpropInput(s, w, x) strides=[1,1,1,1] padding=\"SAME\"\n",
      "input_sizes has 3 numbers");
    R(X4 W3322 "s = const int32 {4} 1 4 4 3\ny = Conv2DBackpropInput(s, w, x) strides=[1,1,1,1] padding=\"SAME\"\n",
      "its input has 3 channels, its filter takes 2");
    R(X4 "w = const float {2,2,2} 1 2 3 4 5 6 7 8\ny = Dilation2D(x, w) strides=[1,1,1,1] rates=[1,1,1,1] padding=\"SAME\"\n", "");
    R("x = Placeholder dtype=float shape={?,?,?,1}\nw = const float {1,1,1} 1\ny = Dilation2D(x, w) strides=[1,2,1,1] rates=[1,1,1,1] padding=\"SAME\"\n",
      "SAME padding with a stride of 2 depends on it");
    R("x = Placeholder dtype=float shape={unknown}\n" W3322 "y = Conv2D(x, w) strides=[1,1,1,1] padding=\"SAME\"\n",
      "number of dimensions");
    /* products */
    R(X2 "w = const float {2,2} 1 2 3 4\ny = MatMul(x, w)\n", "");
    R(X4 "w = const float {2,2} 1 2 3 4\ny = MatMul(x, w)\n", "needs 2 dimensions");
    R("x = Placeholder dtype=float shape={3}\ny = BatchMatMulV2(x, x)\n", "both need 2");
    R("x = Placeholder dtype=string shape={?,2}\ny = MatMul(x, x) T=string\n", "MatMul");
    R(X2 "y = Einsum(x) equation=\"ab->ac\" N=1 T=float\n", "a label twice, or one that no operand has");
    R(X2 "y = Einsum(x) equation=\"ab->aa\" N=1 T=float\n", "a label twice");
    R(X2 "y = Einsum(x) equation=\"abc->a\" N=1 T=float\n", "does not fit the dimensions");
    R(X2 "y = Einsum(x) equation=\"a..b->a\" N=1 T=float\n", "does not fit");
    R(X2 "y = Einsum(x) equation=\"ab,bc->ac\" N=2 T=float\n", "is not for 1 operands");
    R(X2 "y = Einsum(x, x) equation=\"ab,b\" N=2 T=float\n", "is not for 2 operands");
    R(X2 "y = Einsum(x, x) equation=\"->->->\" N=2 T=float\n", "is not for 2 operands");
    R(X2 "y = Einsum(x) N=1 T=float\n", "is not for 1 operands");
    R(X2 "y = Einsum(x) equation=\"aa->a\" N=1 T=float\n", "diagonal");
    R(X2 "y = XlaDot(x, x) dimension_numbers=\"\\n\\001\\005\\022\\001\\000\"\n", "do not fit operands");
    R(X2 "y = XlaDot(x, x) dimension_numbers=\"\\n\\377\"\n", "");
    R(X2 "y = XlaDot(x, x) dimension_numbers=\"\\n\\001\\001\"\n", "do not fit operands");
    R(X4 W3322 "s = const int32 {2} 1 1\np = const int32 {2,2} 0 0 0 0\ng = const int32 {} 1\n"
               "y = XlaConvV2(x, w, s, p, s, s, g) dimension_numbers=\"Z\\002\\001\\002b\\002\\001\\002\" preferred_element_type=float\n",
      "spatial dimensions");
    R(X4 W3322 "s = const int32 {2} 0 1\np = const int32 {2,2} 0 0 0 0\ng = const int32 {} 1\n"
               "y = XlaConvV2(x, w, s, p, s, s, g) dimension_numbers=\"" NHWC_NUMBERS "\" preferred_element_type=float\n",
      "window_strides are not 2 numbers of at least 1");
    /* normalisation, activations */
    R(X4 "g = const float {3} 1 2 3\ny = FusedBatchNormV3(x, g, g, g) is_training=false\n", "needs at least 5");
    R(X4 "g = const float {2,2} 1 2 3 4\ny = FusedBatchNormV3(x, g, g, g, g) is_training=false\n", "needs 1 dimensions");
    R(X4 "g = const float {4} 1 2 3 4\ny = FusedBatchNormV3(x, g, g, g, g) is_training=false\n", "");
    R(X2 "y = LRN(x)\n", "needs 4 dimensions");
    R(X4 "y = LRN(x) depth_radius=-1\n", "depth_radius is -1");
    R("x = Placeholder dtype=bool shape={?,3}\ny = Elu(x) T=bool\n", "floating-point tensors only");
    R("x = Placeholder dtype=float shape={}\ny = Softmax(x)\n", "");
    /* pooling and space */
    R(X4 "y = MaxPool(x) ksize=[1,2,2,2] strides=[1,2,2,2] padding=\"VALID\"\n", "for the channels; only 1 has a TFLite form");
    R(X4 "y = MaxPool(x) ksize=[1,2,2,1] strides=[1,2,2,1]\n", "needs SAME, VALID or EXPLICIT");
    R(X4 "y = AvgPool(x) ksize=[1,2147483648,2,1] strides=[1,2,2,1] padding=\"SAME\"\n", "ksize has 2147483648");
    R(X4 "k = Shape(x) T=float\ny = MaxPoolV2(x, k, k) padding=\"SAME\"\n", "ksize");
    R("x = Placeholder dtype=float shape={?,?,4,3}\ny = MaxPoolWithArgmax(x) ksize=[1,2,2,1] strides=[1,2,2,1] padding=\"VALID\" Targmax=int64\n",
      "the size of its images is open");
    R("x = Placeholder dtype=int64 shape={?,99,99,1}\ny = MaxPool(x) ksize=[1,99,99,1] strides=[1,1,1,1] padding=\"VALID\" T=int64\n",
      "cell by cell, up to 1024");
    R(X4 "b = const int32 {4} 1 1 1 1\np = const int32 {4,2} 0 0 0 0 0 0 0 0\ny = SpaceToBatchND(x, b, p) T=float\n",
      "its block_shape has 4 numbers, its input 4 dimensions");
    R(X4 "b = const int32 {3} 1 0 1\np = const int32 {3,2} 0 0 0 0 0 0\ny = SpaceToBatchND(x, b, p) T=float\n", "do not fit its input");
    R(X4 "p = const int32 {2,2} 0 0 0 0\ny = SpaceToBatch(x, p) block_size=0 T=float\n", "its block_size is 0");
    R(X4 "y = DepthToSpace(x) block_size=-2 T=float\n", "its block_size is -2");
    R(X4 "y = DepthToSpace(x) block_size=2 T=float\n", "");
    R("x = Placeholder dtype=string shape={?,4,4,1}\ny = SpaceToDepth(x) block_size=2 T=string\n", "SpaceToDepth");
    /* images */
    R(X4 "s = const int32 {3} 1 2 3\ny = ResizeBilinear(x, s) T=float\n", "its size has 3 numbers, needs 2");
    R(X4 "s = const int32 {2} 0 2\ny = ResizeBilinear(x, s) T=float\n", "");
    R(X4 "s = const int32 {2} 2000000000 2000000000\ny = ResizeBicubic(x, s) T=float\n", "");
    R(X4 "s = const int32 {2} -5 2\ny = ResizeArea(x, s) T=float\n", "resizes");
    R("x = Placeholder dtype=float shape={?,?,4,3}\ns = const int32 {2} 2 2\ny = ResizeArea(x, s) T=float\n", "are open");
    R(X4 "s = const int32 {2} 2 2\nc = const float {2} 1 1\ny = ScaleAndTranslate(x, s, c, c) kernel_type=\"other\"\n",
      "none that litec knows");
    R(X4 "s = const int32 {2} 2 2\nc = const float {2} 0 1\ny = ScaleAndTranslate(x, s, c, c) kernel_type=\"box\"\n", "its scale is 0");
    R(X4 "b = const float {1,4} 0 0 1 1\ni = const int32 {1} 0\ns = const int32 {2} 0 2\ny = CropAndResize(x, b, i, s)\n",
      "crop_size is not two sizes");
    R(X4 "b = const float {1,3} 0 0 1\ni = const int32 {1} 0\ns = const int32 {2} 2 2\ny = CropAndResize(x, b, i, s)\n", "");
    R("x = Placeholder dtype=float shape={?,4}\ny = RGBToHSV(x)\n", "have 4 channels, need 3");
    R(X2 "f = const float {} 1\ny = AdjustContrastv2(x, f)\n", "need at least 3");
    R(X4
      "t = const float {1,6} 1 0 0 0 1 0\ns = const int32 {2} 2 2\ny = ImageProjectiveTransformV2(x, t, s) interpolation=\"NEAREST\" dtype=float\n",
      "have 6 numbers, need 8");
    R("x = Placeholder dtype=float shape={?,6,2,4}\nax = const int32 {} 3\nu = Max(x, ax) T=float Tidx=int32\nn = const int32 {} 3\nt = const float {} .5\n"
      "y = CombinedNonMaxSuppression(x, u, n, n, t, t)\n",
      "their number is open");
    R("x = Placeholder dtype=float shape={?,6,1,4}\nn = const int32 {} 3\nt = const float {} .5\ny = CombinedNonMaxSuppression(x, x, n, n, t, t)\n",
      "needs 3 dimensions");
    R("x = Placeholder dtype=float shape={?,1}\ny = AudioSpectrogram(x) window_size=4 stride=2\n", "the number of samples is open");
    R("x = Placeholder dtype=float shape={3,1}\ny = AudioSpectrogram(x) window_size=4 stride=2\n", "less than a window of 4");
    R("x = Placeholder dtype=float shape={1,2,5}\nr = const int32 {} 100\ny = Mfcc(x, r)\n", "make no sense");
    /* quantised numbers */
    R(X2 "y = FakeQuantWithMinMaxArgs(x) min=1.0 max=2.0\n", "does not hold zero");
    R(X2 "y = FakeQuantWithMinMaxArgs(x) num_bits=17\n", "its num_bits is 17");
    R(X2 "l = const float {2} -1 -1\nh = const float {2} 1 1\ny = FakeQuantWithMinMaxVarsPerChannel(x, l, h)\n",
      "it has 2 ranges, its input other channels");
    R(X2 "l = const float {} 0\ny = QuantizeAndDequantizeV2(x, l, l) num_bits=40\n", "does not hold 40 bits");
}

/* ---- memory ---------------------------------------------------------------------------------------------------------------------------- */

static lc_status lower_one(void *graph, lc_error *err) {
    lc_model *m = tf_lower(graph, "x", "y", NULL, err);
    if (!m) return err->status;
    const lc_status status = lc_convert_rewrite(m, err);
    lc_model_destroy(m);
    return status;
}

static void test_allocation_failures(void **state) {
    (void)state;
    static const char *const graphs[] = {
        QIMAGE VECTORS
        "c = Conv2D(xq, w) strides=[1,1,1,1] padding=\"SAME\"\nd = FusedBatchNormV3(c, p, q, r, s) epsilon=.01 is_training=false T=float U=float\n" FQ(
            "f", "d", "-9.0", "9.0") "y = Softmax(f)\n",
        X4 "b = const float {1,4} 0 0 1 1\ni = const int32 {1} 0\ns = const int32 {2} 3 2\ny = CropAndResize(x, b, i, s)\n",
        "x = Placeholder dtype=float shape={1,6,1,4}\ns = const float {1,6,2} 1 2 3 4 5 6 7 8 9 10 11 12\nn = const int32 {} 3\nt = const float {} .5\ny = CombinedNonMaxSuppression(x, s, n, n, t, t)\n",
        "x = Placeholder dtype=float shape={?,?,?,1}\ns = const int32 {2} 3 4\ny = ResizeBicubic(x, s) T=float half_pixel_centers=true\n",
        ROWS "y = Einsum(x, w) equation=\"abc,cd->adb\" N=2 T=float\n",
    };
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        lc_arena arena = {0};
        const char *text = tf_text(graphs[i], &arena);
        fault_check(lower_one, (void *)(uintptr_t)text, &(fault_options){.step = 7});
        lc_arena_deinit(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels_first),      cmocka_unit_test(test_fused),     cmocka_unit_test(test_xla),
        cmocka_unit_test(test_operators),           cmocka_unit_test(test_quantised), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
