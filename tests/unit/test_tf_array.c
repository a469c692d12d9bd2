/*
 * test_tf_array.c: TensorFlow's array operators where TensorFlow itself gives no numbers (XLA's operators, old ones), what must vanish,
 * what is done to constant text, and every refusal. The numbers of all others are in tests/data/tf/array.gz (test_tf_cases.c).
 */
#include "support/fault.h"
#include "support/tf_fixture.h"

#include "ir/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define X "x = Placeholder dtype=float shape={?,4}\n"

/* The operators that a graph with the input x becomes. */
static void becomes(const char *graph, const char *operators) {
    lc_model *m = tf_make(graph, "x", "y");
    tf_expect_ops(m, operators);
    lc_model_destroy(m);
}

/* ---- what vanishes ------------------------------------------------------------------------------------------------------ */

#define BATCH \
    "s = Shape(x) T=float\nb = const int32 {1} 0\ne = const int32 {1} 1\nn = StridedSlice(s, b, e, e) T=int32 Index=int32 shrink_axis_mask=1\n"

static void test_vanishes(void **state) {
    (void)state;
    becomes("x = Placeholder dtype=float shape={?,4,3}\n" BATCH
            "m = const int32 {} -1\np = Pack(n, m) N=2 T=int32\ny = Reshape(x, p) T=float\n",
            "RESHAPE");
    becomes("x = Placeholder dtype=float shape={?,1,3}\n" BATCH
            "c5 = const int32 {} 5\nc3 = const int32 {} 3\np = Pack(n, c5, c3) N=3 T=int32\ny = BroadcastTo(x, p) T=float\n",
            "TILE");
    becomes(X "i = const int32 {2} 0 0\ns = Shape(x) T=float\nz = Slice(x, i, s) T=float Index=int32\ny = Neg(z) T=float\n", "NEG");
    becomes(
        X
        "i = const int32 {2} 0 0\no = const int32 {2} 1 1\nz = StridedSlice(x, i, i, o) T=float Index=int32 begin_mask=3 end_mask=3\ny = Neg(z) T=float\n",
        "NEG");
    becomes(
        X
        "i = const int32 {2} 0 0\no = const int32 {2} 1 1\ny = StridedSlice(x, i, i, o) T=float Index=int32 begin_mask=1 end_mask=1 new_axis_mask=2\n",
        "RESHAPE");
    becomes(X "p = const int32 {2,2} 0 0 0 0\nz = Pad(x, p) T=float\ny = Neg(z) T=float\n", "NEG");
    becomes(X "p = const int32 {2} 0 1\nz = Transpose(x, p) T=float\ny = Neg(z) T=float\n", "NEG");
    becomes(X "t = const int32 {2} 1 1\nz = Tile(x, t) T=float\ny = Neg(z) T=float\n", "NEG");
    becomes(X "a = const int64 {} 0\nz = MatrixBandPart(x, l, l) T=float\nl = const int64 {} -1\ny = Neg(z) T=float\n", "NEG");
    becomes(X "d = const int32 {} 1\nz = Split(d, x) num_split=1 T=float\ny = Neg(z) T=float\n", "NEG");
    /* 2^63 - 1 as an end is as far as it goes, not -1 */
    becomes(X "i = const int64 {2} 0 0\nf = const int64 {2} 9223372036854775807 9223372036854775807\no = const int64 {2} 1 1\n"
              "z = StridedSlice(x, i, f, o) T=float Index=int64\ny = Neg(z) T=float\n",
            "NEG");
    /* positions of what is known */
    becomes(
        X
        "m = const bool {4} true false true true\nw = Where(m) T=bool\na = const int32 {} 1\nl = const int32 {1} -1\nf = Reshape(w, l) T=int64\n"
        "y = GatherV2(x, f, a) Tparams=float Tindices=int64\n",
        "GATHER");
    /* neighbouring axes backwards are one operator, others (LiteRT takes neighbours only) one each */
    becomes("x = Placeholder dtype=float shape={?,2,3}\na = const int32 {2} 1 2\ny = ReverseV2(x, a) T=float\n", "REVERSE_V2");
    becomes("x = Placeholder dtype=float shape={?,2,3}\na = const int32 {2} 2 0\ny = ReverseV2(x, a) T=float\n", "REVERSE_V2 REVERSE_V2");
    /* a type that the operator lacks goes through it as bits */
    becomes(
        "x = Placeholder dtype=double shape={?,4}\ni = const int32 {2} 1 0\na = const int32 {} 1\ny = GatherV2(x, i, a) Tparams=double\n",
        "BITCAST GATHER BITCAST");
}

/* ---- operators of XLA, and old ones ---------------------------------------------------------------------------------------- */

static void run(const char *graph, const char *shape, const double *in, const char *dims, const double *want, size_t n) {
    lc_model *m = tf_make(graph, "x", "y");
    double out[64];
    char got[64];
    assert_int_equal(tf_run(m, 1, &shape, &in, 0, out, 64, got), n);
    assert_string_equal(got, dims);
    for (size_t i = 0; i < n; i++)
        if (out[i] != want[i]) fail_msg("element %zu is %g, not %g", i, out[i], want[i]);
    lc_model_destroy(m);
}
#define RUN(graph, shape, dims, n, ...) run(graph, shape, data, dims, (const double[]){__VA_ARGS__}, n)

static const double data[] = {3, 1, 2, 0, 7, 5, 6, 4};

static void test_xla(void **state) {
    (void)state;
#define SIZES "z = const int32 {2} 1 2\n"
    RUN(X SIZES "s = const int32 {2} 1 1\ny = XlaDynamicSlice(x, s, z) T=float Tindices=int32\n", "2,4", "1,2", 2, 5, 6);
    RUN(X SIZES "s = const int32 {2} 9 -5\ny = XlaDynamicSlice(x, s, z) T=float Tindices=int32\n", "2,4", "1,2", 2, 7,
        5); /* moved to fit */
    RUN(X "u = const float {1,2} 8 9\ns = const int32 {2} 1 7\ny = XlaDynamicUpdateSlice(x, u, s) T=float\n", "2,4", "2,4", 8, 3, 1, 2, 0,
        7, 5, 8, 9);
    RUN(X
        "v = const float {} 9\nl = const int32 {2} 0 1\nh = const int32 {2} 1 0\ni = const int32 {2} 0 0\ny = XlaPad(x, v, l, h, i) T=float\n",
        "1,4", "2,5", 10, 9, 3, 1, 2, 0, 9, 9, 9, 9, 9);
    RUN(X
        "v = const float {} 9\nl = const int32 {2} 0 -1\nh = const int32 {2} 0 0\ni = const int32 {2} 0 1\ny = XlaPad(x, v, l, h, i) T=float\n",
        "1,4", "1,6", 6, 9, 1, 9, 2, 9, 0);
    RUN(X "y = XlaSort(x) T=float\n", "2,4", "2,4", 8, 0, 1, 2, 3, 4, 5, 6, 7);
    RUN("x = Placeholder dtype=int8 shape={4}\ny = XlaSort(x) T=int8\n", "4", "4", 4, 0, 1, 2, 3);
    RUN(X "r = const int32 {2,4} 1 2 3 4 5 6 7 8\nk = XlaKeyValueSort(x, r) K=float V=int32\ny = Identity(k:1) T=int32\n", "2,4", "2,4", 8,
        4, 2, 3, 1, 8, 6, 7, 5);
    /* rows 1 and 0: offset_dims 1, collapsed_slice_dims 0, start_index_map 0, index_vector_dim 1, packed and one by one */
#define ROWS "i = const int32 {2} 1 0\nz = const int32 {2} 1 4\n"
    RUN(X ROWS
        "y = XlaGather(x, i, z) T=float dimension_numbers=\"\\012\\001\\001\\022\\001\\000\\032\\001\\000\\040\\001\" indices_are_sorted=false\n",
        "2,4", "2,4", 8, 7, 5, 6, 4, 3, 1, 2, 0);
    RUN(X ROWS "y = XlaGather(x, i, z) T=float dimension_numbers=\"\\010\\001\\020\\000\\030\\000\\040\\001\" indices_are_sorted=false\n",
        "2,4", "2,4", 8, 7, 5, 6, 4, 3, 1, 2, 0);
    tf_refused(X ROWS "y = XlaGather(x, i, z) T=float dimension_numbers=\"\\012\\177\\001\"\n", "x", "y", "is damaged");
    tf_refused(X ROWS "y = XlaGather(x, i, z) T=float dimension_numbers=\"\\010\\377\\377\\377\\377\\377\\377\\377\\377\\377\\001\"\n", "x",
               "y", "makes no sense");
}

static void test_old(void **state) {
    (void)state;
    RUN(X "t = TopK(x) k=2 T=float\ny = Identity(t:1) T=int32\n", "2,4", "2,2", 4, 0, 2, 0, 2);
    RUN(X "t = ApproxTopK(x) k=1 reduction_dimension=0 is_max_k=false T=float\ny = Identity(t) T=float\n", "2,4", "1,4", 4, 3, 1, 2, 0);
    RUN(X "i = const int32 {2} 0 2\nn = const int32 {} 3\ny = SegmentMaxV2(x, i, n) T=float\n", "2,4", "3,4", 12, 3, 1, 2, 0,
        -3.4028234663852886e38, -3.4028234663852886e38, -3.4028234663852886e38, -3.4028234663852886e38, 7, 5, 6, 4);
    RUN(X "i = const int32 {2} 0 2\nn = const int32 {} 3\ny = SegmentProdV2(x, i, n) T=float\n", "2,4", "3,4", 12, 3, 1, 2, 0, 1, 1, 1, 1,
        7, 5, 6, 4);
    /* one index vector and one update */
    RUN("x = Placeholder dtype=float shape={}\ni = const int32 {2} 1 0\ns = const int32 {2} 2 2\ny = ScatterNd(i, x, s) T=float Tindices=int32\n",
        "", "2,2", 4, 0, 0, 3, 0);
    /* WHERE of a scalar: as many positions as it is true, of no numbers */
    RUN("x = Placeholder dtype=bool shape={}\nw = Where(x) T=bool\ny = Shape(w) T=int64\n", "", "2", 2, 1, 0);
    RUN("x = Placeholder dtype=float shape={2}\nb = const float {2} 1 2\ny = ConcatV2(b, x, a) N=2 T=float\na = const int32 {} 0\n", "2",
        "4", 4, 1, 2, 3, 1);
}

/* ---- text ----------------------------------------------------------------------------------------------------------------------- */

/* Output 0 is constant text: the strings with a bar behind each. */
static void text(const char *graph, const char *want) {
    char got[512] = "";
    lc_model *m = tf_make(graph, "", "y");
    const lc_graph *g = m->graphs[0];
    const lc_tensor *t = &g->tensors[g->outputs[0]];
    uint64_t n = 0;
    assert_true(t->type == LC_STRING && t->data && lc_tensor_elements(t, &n));
    assert_null(lc_strings_check(t->data, t->size, n));
    for (uint64_t i = 0; i < n; i++) {
        const lc_str s = lc_strings_at(&(lc_strings){t->data, (size_t)n}, (size_t)i);
        sprintf(got + strlen(got), "%.*s|", (int)s.size, s.data);
    }
    assert_string_equal(got, want);
    lc_model_destroy(m);
}

static void numbers(const char *graph, const double *want, size_t n) {
    double out[64];
    lc_model *m = tf_make(graph, "", "y");
    assert_int_equal(tf_run(m, 0, NULL, NULL, 0, out, 64, NULL), n);
    for (size_t i = 0; i < n; i++)
        if (out[i] != want[i]) fail_msg("element %zu is %.17g, not %.17g", i, out[i], want[i]);
    lc_model_destroy(m);
}
#define NUMBERS(graph, n, ...) numbers(graph, (const double[]){__VA_ARGS__}, n)

#define LONG65 "ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt"

static void test_text(void **state) {
    (void)state;
#define T "t = const string {3} \" aB c\" \"\" \"X\\tyZ \"\n"
    text(T "y = StringLower(t)\n", " ab c||x\tyz |");
    text(T "y = StringUpper(t)\n", " AB C||X\tYZ |");
    text(T "y = StringStrip(t)\n", "aB c||X\tyZ|");
    text(T "s = const string {} \"-\"\ny = StringJoin(t, s, t) N=3 separator=\"+\"\n", " aB c+-+ aB c|+-+|X\tyZ +-+X\tyZ |");
    text(T "y = StaticRegexReplace(t) pattern=\" \" rewrite=\"__\"\n", "__aB__c||X\tyZ__|");
    text(T "y = StaticRegexReplace(t) pattern=\" \" rewrite=\"\" replace_global=false\n", "aB c||X\tyZ|");
    text("t = const string {2} \"abcdef\" \"xyz\"\np = const int32 {} -2\nl = const int32 {} 5\ny = Substr(t, p, l) T=int32\n", "ef|yz|");
    text("t = const string {2} \"a,b,,c,\" \"d\"\ns = const string {} \",\"\nq = StringSplitV2(t, s)\ny = Identity(q:1) T=string\n",
         "a|b||c||d|");
    text(
        "t = const string {2} \" a b  c \" \"d\"\ns = const string {} \"\"\nq = StringSplitV2(t, s) maxsplit=1\ny = Identity(q:1) T=string\n",
        "a|b  c |d||");
    text("t = const int32 {3} 1 -22 333\ny = AsString(t) T=int32 width=4\n", "   1| -22| 333|");
    text("t = const float {2} 1.5 -0.001\ny = AsString(t) T=float precision=2\n", "1.50|-0.00|");
    text("t = const bool {2} true false\ny = AsString(t) T=bool\n", "true|false|");
    NUMBERS(T "y = StringLength(t)\n", 3, 5, 0, 5);
    NUMBERS("t = const string {2} \" 1.5\" \"-2e3\"\ny = StringToNumber(t)\n", 2, 1.5, -2000);
    NUMBERS("t = const string {2} \"15\" \"-9007199254740993\"\ny = StringToNumber(t) out_type=int64\n", 2, 15, -9007199254740993.0);
    NUMBERS("t = const string {2} \"a b\" \"c\"\ns = const string {} \" \"\nq = StringSplitV2(t, s)\ny = Identity(q) T=int64\n", 6, 0, 0, 0,
            1, 1, 0);
    /* FarmHash of every length class: tf.strings.to_hash_bucket_fast(..., 1000003) */
    NUMBERS("t = const string {6} \"\" \"a\" \"ab C\" \"Hello World\" \"0123456789abcdefg\" \"" LONG65
            "\"\ny = StringToHashBucketFast(t) num_buckets=1000003\n",
            6, 377723, 291400, 634797, 314160, 663110, 71413);
    tf_refused("t = const string {1} \"1.5x\"\ny = StringToNumber(t)\n", "", "y", "\"1.5x\" is no float32");
    tf_refused("t = const string {1} \"99999999999\"\ny = StringToNumber(t) out_type=int32\n", "", "y", "is no int32");
    /* of one bucket nothing is hashed, so the text need not be known */
    lc_model *m = tf_make("x = Placeholder dtype=string shape={?,3}\ny = StringToHashBucketFast(x) num_buckets=1\n", "x", "y");
    tf_expect_ops(m, "SHAPE FILL");
    lc_model_destroy(m);
    tf_refused("t = const string {1} \"a\"\ny = StringToHashBucketFast(t) num_buckets=0\n", "", "y", "num_buckets");
    tf_refused("t = const string {1} \"a\"\np = const int32 {} 2\nl = const int32 {} 1\ny = Substr(t, p, l) T=int32\n", "", "y",
               "position 2 of a string of 1 bytes");
    tf_refused("x = Placeholder dtype=string shape={?}\ny = StringLower(x)\n", "x", "y", "not constant");
    tf_refused("t = const string {1} \"a\"\ny = StaticRegexReplace(t) pattern=\"[a]\" rewrite=\"b\"\n", "", "y", "regular expressions");
    tf_refused("x = Placeholder dtype=string shape={}\nd = DecodeJpeg(x) channels=3\ny = Identity(d) T=uint8\n", "x", "y",
               "--input-arrays d");
    tf_refused(X "t = const int32 {} 1\ny = StringLower(t)\n", "x", "y", "needs string");
}

/* ---- refusals --------------------------------------------------------------------------------------------------------------------- */

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *graph, *text;
    } rows[] = {
        {X "s = const int32 {2} 3 3\ny = Reshape(x, s) T=float\nz = const int32 {} 1\n", ""}, /* an open batch may fit: not refused here */
        {X "s = const int32 {} 3\ny = Reshape(x, s) T=float\n", "needs 1 dimensions"},
        {X "a = const int32 {} 4\ny = ExpandDims(x, a) T=float\n", "its axis is 4"},
        {X "y = Squeeze(x) T=float squeeze_dims=[1]\n", "squeezes dimension 1, which is 4"},
        {X "y = Squeeze(x) T=float squeeze_dims=[9]\n", "its axis is 9"},
        {X "y = Shape(x) T=float out_type=float\n", "needs int32 or int64"},
        {"x = Placeholder dtype=float\ny = Shape(x) T=float\n", ""}, /* of any rank */
        {X "b = const int32 {3} 0 0 0\ny = StridedSlice(x, b, b, b) T=float Index=int32\n", "names 3 dimensions"},
        {X "b = const int32 {2} 0 0\ny = StridedSlice(x, b, b, b) T=float Index=int32\n", "stride of entry 0 is 0"},
        {X
         "b = const int32 {2} 0 9\ne = const int32 {2} 1 10\no = const int32 {2} 1 1\ny = StridedSlice(x, b, e, o) T=float Index=int32 shrink_axis_mask=2\n",
         "index 9"},
        {X "d = const int32 {} 1\ny = Split(d, x) num_split=3 T=float\n", "does not split into 3"},
        {X "d = const int32 {} 5\ny = Split(d, x) num_split=2 T=float\n", "its axis is 5"},
        {X "y = Unpack(x) num=3 axis=1 T=float\n", "takes 3 parts of dimension 1, which has 4"},
        {X "d = const int32 {} 1\nq = const int32 {2} 1 2\ny = SplitV(x, q, d) num_split=2 T=float\n", "sum to 3"},
        {X "a = const int32 {} 7\ny = ConcatV2(x, x, a) N=2 T=float\n", "its axis is 7"},
        {X "a = const int32 {} 0\nc = const int32 {1,4} 1 2 3 4\ny = ConcatV2(x, c, a) N=2 T=float\n", "must be of one type"},
        {X
         "a = Shape(x) T=float\nb = const int32 {1} 0\ne = const int32 {1} 1\nd = StridedSlice(a, b, e, e) T=int32 Index=int32 shrink_axis_mask=1\ny = ConcatV2(x, x, d) N=2 T=float\n",
         "axis"},
        {X "p = const int32 {2,2} 0 0 -1 0\ny = Pad(x, p) T=float\n", "paddings are 0 or more"},
        {X "p = const int32 {2,2} 0 0 9 0\ny = MirrorPad(x, p) T=float mode=\"REFLECT\"\n", "too little to mirror"},
        {X "p = const int32 {2,2} 0 0 1 0\ny = MirrorPad(x, p) T=float mode=\"EDGE\"\n", "needs REFLECT or SYMMETRIC"},
        {X "p = const int32 {2} 0 0\ny = Transpose(x, p) T=float\n", "twice"},
        {X "a = const int32 {2} 1 1\ny = ReverseV2(x, a) T=float\n", "names axis 1 twice"},
        {X "a = const int32 {1} 1\ny = ReverseSequence(x, a) T=float\n", "seq_dim"},
        {X "s = const int32 {2} 1 1\na = const int32 {1} 1\ny = Roll(x, s, a) T=float\n", "not as many shifts"},
        {X "i = const int32 {1} 0\na = const int32 {} 1\ny = GatherV2(x, i, a) Tparams=float batch_dims=2\n", "batch_dims is 2"},
        {X "i = const float {1} 0\na = const int32 {} 1\ny = GatherV2(x, i, a) Tparams=float\n", "its indices are float32"},
        {X "i = const int32 {1,3} 0 0 0\ny = GatherNd(x, i) Tparams=float\n", "an index has 3 numbers"},
        {X "i = const int32 {1,3} 0 0 0\nu = const float {1} 1\ny = TensorScatterUpdate(x, i, u) T=float\n", "index vectors of 3 numbers"},
        {X "i = const int32 {1} 0\nd = const int32 {} -3\non = const float {} 1\ny = OneHot(i, d, on, on) T=float\n", "depth is -3"},
        {X "k = const int32 {} 5\nt = TopKV2(x, k) T=float\ny = Identity(t) T=float\n", "k is 5 of a dimension of 4"},
        {X "n = const int64 {} 0\nq = const int32 {1} 0\nt = UniqueV2(x, e) T=float\ne = const int64 {0} \ny = Identity(t) T=float\n",
         "no axis"},
        {X "i = const int32 {3,1,1} 0 0 0\nn = const int32 {} 3\ny = UnsortedSegmentSum(x, i, n) T=float\n",
         "segment ids have 3 dimensions"},
        {X "k = const int32 {2} 2 1\nr = const int32 {} -1\nv = const float {} 0\ny = MatrixDiagV3(x, k, r, r, v) T=float\n",
         "its k goes from 2 to 1"},
        {X "k = const int32 {} 0\nr = const int32 {} 2000000000\nv = const float {} 0\ny = MatrixDiagV3(x, k, r, r, v) T=float\n",
         "too large"},
        {X "k = const int32 {} 9\nv = const float {} 0\ny = MatrixDiagPartV3(x, k, v) T=float\n", "needs all dimensions"},
        {"x = Placeholder dtype=float shape={2,3}\nk = const int32 {} 9\nv = const float {} 0\ny = MatrixDiagPartV3(x, k, v) T=float\n",
         "lie outside of matrices [2,3]"},
        {"x = Placeholder dtype=float shape={2,3}\ny = Cholesky(x) T=float\n", "needs square matrices"},
        {"x = Placeholder dtype=float shape={3}\ny = MatrixInverse(x) T=float\n", "needs square matrices"},
        {"x = Placeholder dtype=float shape={?,?}\nv = Svd(x) T=float\ny = Identity(v) T=float\n", "size of its matrices is not known"},
        {"x = Placeholder dtype=float shape={2,600}\nv = Svd(x) T=float\ny = Identity(v) T=float\n", "up to 512"},
        {"x = Placeholder dtype=complex64 shape={2,2}\ny = MatrixInverse(x) T=complex64\n", "no builtin does this for complex64"},
        {X "l = const int32 {2} 0 0\nv = const float {} 9\ny = XlaPad(x, v, l, l, n) T=float\nn = const int32 {1} 0\n",
         "padding_interior has 1 numbers"},
        {X
         "i = const int64 {1,2} 0 0\nv = const float {1} 1\ns = const int64 {2} 2 2\nb = const float {2} 1 1\ny = SparseTensorDenseMatMul(i, v, s, b) T=float\n",
         "needs 2 dimensions"},
        {X
         "v = const int64 {2} 0 1\ns = const int64 {1} -1\nd = const float {} 0\ny = RaggedTensorToTensor(s, x, d, v) T=float num_row_partition_tensors=1 row_partition_types=[\"ROW_LIMITS\"]\n",
         "ROW_LIMITS"},
        {X
         "v = const int64 {2} 0 1\ns = const int64 {1} -1\nd = const float {} 0\ny = RaggedTensorToTensor(s, x, d, v) T=float row_partition_types=[\"ROW_SPLITS\",\"ROW_SPLITS\"]\n",
         "2 row_partition_types"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lc_error err;
        lc_model *m = tf_lower(rows[i].graph, "x", "y", NULL, &err);
        if (!rows[i].text[0]) assert_non_null(m);
        else if (m) fail_msg("row %zu lowered, though \"%s\" was expected", i, rows[i].text);
        else if (!strstr(err.message, rows[i].text) && !strstr(err.hint, rows[i].text))
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, err.message, rows[i].text);
        lc_model_destroy(m);
    }
}

/* ---- memory ---------------------------------------------------------------------------------------------------------------------- */

/* A loop, a scatter with its region, text, tables. */
static const char everything[] =
    "x = Placeholder dtype=float shape={?,3,3}\n"
    "c = Cholesky(x) T=float\n"
    "i = const int32 {1,1} 0\nu = const float {1,3,3} 1 2 3 4 5 6 7 8 9\n"
    "s = TensorScatterUpdate(c, i, u) T=float Tindices=int32\n"
    "k = const int32 {2} -1 1\nv = const float {} 0\nd = MatrixDiagPartV3(s, k, v) T=float\n"
    "t = const string {2} \"1.5\" \"2\"\nn = StringToNumber(t)\nj = StringJoin(t, t) N=2\nl = StringLength(j)\n"
    "f = Cast(l) SrcT=int32 DstT=float\na = const int32 {} 0\nq = ConcatV2(n, f, a) N=2 T=float\nw = Sum(q, a) T=float\n"
    "y = Mul(d, w) T=float\n";

static lc_status lower_everything(void *text_form, lc_error *err) {
    lc_model *m = tf_lower(text_form, "x", "y", NULL, err);
    if (!m) return err->status;
    lc_model_destroy(m);
    return LC_OK;
}

static void test_memory(void **state) {
    (void)state;
    lc_arena arena = {0};
    fault_check(lower_everything, (void *)(uintptr_t)tf_text(everything, &arena), &(fault_options){.step = 7});
    lc_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vanishes), cmocka_unit_test(test_xla),     cmocka_unit_test(test_old),
                                       cmocka_unit_test(test_text),     cmocka_unit_test(test_refused), cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
