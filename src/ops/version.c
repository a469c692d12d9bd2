/*
 * version.c: the lowest version of an operator that expresses a node, so that the oldest runtime that can run it is not turned
 * away. The rules are facts of the format (LiteRT's tools/versioning/op_version.cc), almost all of the kind "this type needs that
 * version", so they are rows: operator, which tensor, which types, version. The first row that fits wins; the few that look at
 * options, shapes or quantisation are code and come first. Everything else is version 1.
 */
#include "ops/op.h"

typedef struct facts {
    const lc_graph *graph;
    const lc_node *node;
    const lc_tensor *in[4], *out[2];
} facts;

#define T(name) (1u << LC_##name)
#define F8 (T(FLOAT8_E4M3FN) | T(FLOAT8_E5M2))
enum { I0, I1, I2, O0, O1 };

typedef struct rule {
    int16_t op;
    uint8_t tensor; /* which tensor's type decides */
    uint8_t version;
    uint32_t types;
} rule;

/* In the order they are tried. */
static const rule rules[] = {
    {LC_OP_EMBEDDING_LOOKUP, I1, 4, T(INT4)},
    {LC_OP_EMBEDDING_LOOKUP, I1, 5, T(INT2)},
    {LC_OP_SIGN, I0, 2, T(INT32)},
    {LC_OP_SIN, I0, 2, T(FLOAT16)},
    {LC_OP_COS, I0, 2, T(FLOAT16)},
    {LC_OP_SPLIT, I1, 5, F8},
    {LC_OP_SPLIT, I1, 4, T(INT16)},
    {LC_OP_SPLIT, I1, 3, T(INT32)},
    {LC_OP_SPLIT, I1, 2, T(INT8)},
    {LC_OP_SPARSE_TO_DENSE, I2, 3, T(INT8) | T(UINT8)},
    {LC_OP_SPARSE_TO_DENSE, I2, 2, T(INT64)},
    {LC_OP_UNPACK, I0, 6, F8},
    {LC_OP_UNPACK, I0, 2, T(INT8) | T(UINT8)},
    {LC_OP_UNPACK, I0, 3, T(BOOL)},
    {LC_OP_UNPACK, I0, 4, T(INT16)},
    {LC_OP_UNPACK, I0, 5, T(FLOAT16) | T(BFLOAT16)},
    {LC_OP_FLOOR_DIV, I0, 3, T(INT16) | T(INT8)},
    {LC_OP_FLOOR_DIV, I0, 2, T(FLOAT32)},
    {LC_OP_FLOOR_MOD, I0, 2, T(INT16) | T(INT8)},
    {LC_OP_L2_NORMALIZATION, O0, 2, T(INT8)},
    {LC_OP_RELU, I0, 3, T(INT16)},
    {LC_OP_RELU, I0, 2, T(INT8) | T(UINT8)},
    {LC_OP_REVERSE_V2, I0, 4, F8},
    {LC_OP_REVERSE_V2, I0, 3, T(INT8)},
    {LC_OP_REVERSE_V2, I0, 2, T(BOOL)},
    {LC_OP_PACK, I0, 5, F8},
    {LC_OP_PACK, I0, 2, T(INT8)},
    {LC_OP_PACK, I0, 3, T(INT16)},
    {LC_OP_PACK, I0, 4, T(UINT32)},
    {LC_OP_TILE, I0, 3, T(INT8)},
    {LC_OP_TILE, I0, 2, T(STRING)},
    {LC_OP_SQUEEZE, I0, 2, T(STRING)},
    {LC_OP_GATHER_ND, I0, 6, F8},
    {LC_OP_GATHER_ND, I0, 5, T(BOOL)},
    {LC_OP_GATHER_ND, I1, 4, T(INT16)},
    {LC_OP_GATHER_ND, I0, 3, T(INT16)},
    {LC_OP_GATHER_ND, I0, 2, T(STRING)},
    {LC_OP_FILL, I1, 5, F8},
    {LC_OP_FILL, I1, 4, T(FLOAT16)},
    {LC_OP_FILL, I1, 3, T(INT8) | T(INT16)},
    {LC_OP_FILL, I1, 2, T(BOOL) | T(STRING)},
    {LC_OP_EQUAL, I0, 5, T(INT16)},
    {LC_OP_EQUAL, I0, 3, T(STRING)},
    {LC_OP_EQUAL, I0, 2, T(INT8)},
    {LC_OP_NOT_EQUAL, I0, 4, T(INT16)},
    {LC_OP_NOT_EQUAL, I0, 3, T(STRING)},
    {LC_OP_NOT_EQUAL, I0, 2, T(INT8)},
    {LC_OP_LEAKY_RELU, I0, 2, T(INT16)},
    {LC_OP_RANGE, I0, 2, T(INT64)},
    {LC_OP_CONCATENATION, I0, 7, F8},
    {LC_OP_CONCATENATION, I0, 6, T(FLOAT16)},
    {LC_OP_CONCATENATION, I0, 5, T(INT4)},
    {LC_OP_CONCATENATION, I0, 4, T(UINT32)},
    {LC_OP_CONCATENATION, I0, 3, T(INT16)},
    {LC_OP_CONCATENATION, I0, 2, T(INT8)},
    {LC_OP_SOFTMAX, I0, 4, T(FLOAT16)},
    {LC_OP_SOFTMAX, I0, 3, T(INT16)},
    {LC_OP_SOFTMAX, I0, 2, T(INT8)},
#define INT16_3_INT8_2(ID) \
    {LC_OP_##ID, I0, 3, T(INT16)}, { LC_OP_##ID, I0, 2, T(INT8) }
    INT16_3_INT8_2(MEAN),
    INT16_3_INT8_2(MIRROR_PAD),
    INT16_3_INT8_2(REDUCE_MAX),
    INT16_3_INT8_2(REDUCE_MIN),
    INT16_3_INT8_2(RELU6),
    INT16_3_INT8_2(RSQRT),
    INT16_3_INT8_2(LESS),
    INT16_3_INT8_2(GREATER_EQUAL),
    INT16_3_INT8_2(MAX_POOL_2D),
    INT16_3_INT8_2(AVERAGE_POOL_2D),
    INT16_3_INT8_2(TANH),
    INT16_3_INT8_2(LOGISTIC),
    {LC_OP_ARG_MAX, I0, 3, T(BOOL)},
    {LC_OP_ARG_MAX, I0, 2, T(INT8)},
    {LC_OP_ARG_MIN, I0, 3, T(BOOL)},
    {LC_OP_ARG_MIN, I0, 2, T(INT8)},
    {LC_OP_SELECT_V2, I0, 2, T(UINT32)},
    {LC_OP_SPLIT_V, I0, 3, F8},
    {LC_OP_SPLIT_V, I0, 2, T(INT8)},
#define INT8_2(ID) \
    { LC_OP_##ID, I0, 2, T(INT8) }
    INT8_2(SPACE_TO_DEPTH),
    INT8_2(SUM),
    INT8_2(LOG_SOFTMAX),
    INT8_2(GREATER),
    INT8_2(LESS_EQUAL),
    INT8_2(SQUARED_DIFFERENCE),
    INT8_2(DEPTH_TO_SPACE),
    {LC_OP_TOPK_V2, I0, 3, T(INT16)},
    {LC_OP_TOPK_V2, I1, 3, T(INT16)},
    {LC_OP_TOPK_V2, O1, 3, T(INT16)},
    {LC_OP_TOPK_V2, I0, 2, T(INT8)},
    {LC_OP_EXP, I0, 2, T(INT8) | T(INT16)},
    {LC_OP_LOG, I0, 2, T(INT8) | T(INT16)},
    {LC_OP_REDUCE_PROD, I0, 2, T(INT8) | T(INT16)},
    {LC_OP_SQRT, I0, 2, T(INT8) | T(INT16)},
    {LC_OP_DYNAMIC_UPDATE_SLICE, I0, 6, T(BFLOAT16)},
    {LC_OP_DYNAMIC_UPDATE_SLICE, I0, 5, T(INT4)},
    {LC_OP_DYNAMIC_UPDATE_SLICE, I0, 4, T(INT16)},
    {LC_OP_DYNAMIC_UPDATE_SLICE, I0, 3, T(FLOAT16)},
    {LC_OP_DYNAMIC_UPDATE_SLICE, I2, 2, T(INT64)},
    {LC_OP_BROADCAST_TO, I0, 4, F8},
    {LC_OP_BROADCAST_TO, I0, 3, T(INT8) | T(INT16)},
    {LC_OP_BROADCAST_TO, I0, 2, ~0u}, /* version 1 was withdrawn */
    {LC_OP_CAST, I0, 9, F8},
    {LC_OP_CAST, O0, 9, F8},
    {LC_OP_CAST, I0, 8, T(INT2) | T(UINT4)},
    {LC_OP_CAST, O0, 8, T(INT2) | T(UINT4)},
    {LC_OP_CAST, I0, 7, T(BFLOAT16)},
    {LC_OP_CAST, O0, 7, T(BFLOAT16)},
    {LC_OP_CAST, I0, 6, T(INT4)},
    {LC_OP_CAST, I0, 5, T(FLOAT64) | T(FLOAT16)},
    {LC_OP_CAST, O0, 5, T(FLOAT64) | T(FLOAT16)},
    {LC_OP_CAST, I0, 4, T(UINT16)},
    {LC_OP_CAST, O0, 4, T(UINT16)},
    {LC_OP_CAST, I0, 3, T(INT8)},
    {LC_OP_CAST, O0, 3, T(INT8)},
    {LC_OP_CAST, I0, 2, T(UINT32)},
    {LC_OP_CAST, O0, 2, T(UINT32)},
    {LC_OP_WHERE, I0, 2, ~T(BOOL)},
    {LC_OP_GELU, I0, 3, T(FLOAT16)},
    {LC_OP_GELU, I0, 2, T(INT8) | T(UINT8)},
    /* Those below have code in special() that comes first. */
    {LC_OP_GATHER, I0, 8, F8},
    {LC_OP_GATHER, I0, 7, T(INT4)},
    {LC_OP_GATHER, I1, 6, T(INT16)},
    {LC_OP_DEQUANTIZE, I0, 9, F8},
    {LC_OP_DEQUANTIZE, I0, 8, T(UINT4)},
    {LC_OP_DEQUANTIZE, I0, 7, T(INT2)},
    {LC_OP_DEQUANTIZE, I0, 6, T(INT4)},
    {LC_OP_DEQUANTIZE, I0, 3, T(INT16) | T(FLOAT16)},
    {LC_OP_QUANTIZE, I0, 5, T(UINT4)},
    {LC_OP_QUANTIZE, O0, 5, T(UINT4)},
    {LC_OP_QUANTIZE, I0, 4, T(INT4)},
    {LC_OP_QUANTIZE, O0, 4, T(INT4)},
    {LC_OP_TRANSPOSE, I0, 9, T(FLOAT16)},
    {LC_OP_SLICE, I0, 8, T(FLOAT16)},
    {LC_OP_SLICE, I0, 7, T(INT4)},
    {LC_OP_SLICE, I0, 6, T(UINT32)},
    {LC_OP_PAD, I0, 6, F8},
    {LC_OP_PAD, I0, 5, T(BOOL)},
    {LC_OP_PADV2, I0, 6, F8},
    {LC_OP_PADV2, I0, 5, T(BOOL)},
    {LC_OP_RESIZE_BILINEAR, I0, 4, T(INT16)},
    {LC_OP_RESIZE_NEAREST_NEIGHBOR, I0, 4, T(INT16)},
    {LC_OP_SPACE_TO_BATCH_ND, I0, 4, T(INT16)},
    {LC_OP_BATCH_TO_SPACE_ND, I0, 4, T(INT16)},
    {LC_OP_BATCH_MATMUL, I0, 3, T(INT16)},
    {LC_OP_BATCH_MATMUL, I0, 2, T(INT8)},
    {LC_OP_SELECT, I0, 4, T(UINT32)},
    {LC_OP_MAXIMUM, I0, 4, T(INT16)},
    {LC_OP_MINIMUM, I0, 4, T(INT16)},
    {LC_OP_ABS, I0, 5, T(INT32)},
    {LC_OP_ABS, I0, 2, T(INT8) | T(UINT8)},
    {LC_OP_ADD, I0, 6, T(FLOAT16)},
    {LC_OP_ADD, I0, 4, T(INT64)},
    {LC_OP_MUL, I0, 8, T(FLOAT16)},
    {LC_OP_MUL, I0, 7, T(UINT32)},
    {LC_OP_MUL, I0, 6, T(COMPLEX64)},
    {LC_OP_MUL, I0, 5, T(INT64)},
};

/* Rows that stand behind the code in later(). */
static const rule last_rules[] = {
    {LC_OP_GATHER, I0, 4, T(INT16)},
    {LC_OP_GATHER, I0, 3, T(BOOL)},
    {LC_OP_GATHER, I0, 2, T(INT8)},
    {LC_OP_DEQUANTIZE, I0, 2, T(INT8)},
    {LC_OP_QUANTIZE, O0, 2, T(INT16)},
    {LC_OP_SLICE, I0, 4, T(INT16)},
    {LC_OP_SLICE, I0, 3, T(STRING)},
    {LC_OP_SLICE, I0, 2, T(INT8)},
    {LC_OP_PAD, I0, 3, T(INT16)},
    {LC_OP_PAD, I0, 2, T(INT8)},
    {LC_OP_PADV2, I0, 3, T(INT16)},
    {LC_OP_PADV2, I0, 2, T(INT8)},
    INT8_2(RESIZE_BILINEAR),
    INT8_2(RESIZE_NEAREST_NEIGHBOR),
    INT8_2(SPACE_TO_BATCH_ND),
    INT8_2(BATCH_TO_SPACE_ND),
    INT8_2(SELECT),
    INT8_2(MAXIMUM),
    INT8_2(MINIMUM),
    INT8_2(ADD),
    INT8_2(MUL),
    INT8_2(SUB),
};

static const lc_tensor *pick(const facts *f, uint8_t which) { return which <= I2 ? f->in[which] : f->out[which - O0]; }

static int32_t by_rules(const facts *f, const rule *list, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const lc_tensor *t = list[i].op == f->node->op ? pick(f, list[i].tensor) : NULL;
        if (t && t->type >= 0 && t->type < LC_DTYPE_COUNT && (list[i].types >> t->type & 1)) return list[i].version;
    }
    return 0;
}

static bool is(const lc_tensor *t, lc_dtype type) { return t && t->type == type; }
/* Types of input 0, input 1 (or `which`) and output 0. */
static bool types(const facts *f, lc_dtype a, const lc_tensor *w, lc_dtype b, lc_dtype c) {
    return is(f->in[0], a) && is(w, b) && is(f->out[0], c);
}
static int32_t rank(const lc_tensor *t) { return t ? t->rank : 0; }
static uint32_t scales(const lc_tensor *t) { return t && t->quant ? t->quant->scale.n : 0; }
static bool per_channel(const lc_tensor *t, int32_t axis) {
    return t && axis >= 0 && axis < t->rank && scales(t) && scales(t) == (uint32_t)t->dims[axis];
}
static bool per_channel_any(const lc_tensor *t) { return t && t->quant && scales(t) > 1 && per_channel(t, t->quant->quantized_dimension); }
static bool broadcasts_high(const facts *f) {
    const lc_tensor *a = f->in[0], *b = f->in[1];
    if (!a || !b || (a->rank <= 4 && b->rank <= 4)) return false;
    if (a->rank != b->rank) return true;
    for (int32_t i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i]) return true;
    return false;
}

static int32_t version_conv(const facts *f) {
    const lc_Conv2DOptions *o = LC_OP_ATTRS(f->node, Conv2DOptions);
    const lc_tensor *w = f->in[1];
    if (types(f, LC_INT16, w, LC_INT8, LC_INT16) && o->quantized_bias_type) return 8;
    if (rank(f->in[0]) == 4 && rank(w) == 4 && f->in[0]->dims[3] != w->dims[3]) return 6;
    if (types(f, LC_INT16, w, LC_INT16, LC_INT16)) return 4;
    if (types(f, LC_INT8, w, LC_INT8, LC_INT8)) return 3;
    if (types(f, LC_INT8, w, LC_INT4, LC_INT8)) return 7;
    if (types(f, LC_FLOAT32, w, LC_INT8, LC_FLOAT32)) return per_channel(w, 0) ? 5 : 2;
    return 1;
}

static int32_t version_depthwise(const facts *f) {
    const lc_DepthwiseConv2DOptions *o = LC_OP_ATTRS(f->node, DepthwiseConv2DOptions);
    const lc_tensor *w = f->in[1];
    if (types(f, LC_INT16, w, LC_INT16, LC_INT16)) return 5;
    if (types(f, LC_FLOAT32, w, LC_INT8, LC_FLOAT32)) return per_channel(w, 3) ? 6 : 4;
    if (types(f, LC_INT8, w, LC_INT8, LC_INT8)) return 3;
    if (types(f, LC_INT8, w, LC_INT4, LC_INT8)) return 7;
    return o->dilation_w_factor != 1 || o->dilation_h_factor != 1 ? 2 : 1;
}

static int32_t version_fully_connected(const facts *f) {
    const lc_FullyConnectedOptions *o = LC_OP_ATTRS(f->node, FullyConnectedOptions);
    const lc_tensor *w = f->in[1];
    bool hybrid = types(f, LC_FLOAT32, w, LC_INT8, LC_FLOAT32);
    if (is(w, LC_INT2)) return 14;
    if (types(f, LC_INT16, w, LC_INT4, LC_INT16)) return 13;
    if (hybrid && per_channel(w, 0)) return 12;
    if (types(f, LC_INT16, w, LC_INT8, LC_INT16) && o->quantized_bias_type) return 11;
    if (w && w->sparsity) return 8;
    if (types(f, LC_INT16, w, LC_INT16, LC_INT16)) return 7;
    if (f->node->input_count == 2) return 6;
    if (o->keep_num_dims) return 5;
    if (types(f, LC_INT8, w, LC_INT8, LC_INT8)) return 4;
    if (types(f, LC_INT8, w, LC_INT4, LC_INT8)) return 10;
    if (hybrid) return o->asymmetric_quantize_inputs ? 9 : 3;
    return o->weights_format == LC_FullyConnectedOptionsWeightsFormat_SHUFFLED4x16INT8 ? 2 : 1;
}

static int32_t version_rnn(const facts *f, bool asymmetric) {
    return is(f->in[1], LC_INT8) && is(f->out[0], LC_FLOAT32) ? (asymmetric ? 3 : 2) : 1;
}

static int32_t version_lstm(const facts *f) {
    const lc_LSTMOptions *o = LC_OP_ATTRS(f->node, LSTMOptions);
    bool full = o->kernel_type == LC_LSTMKernelType_FULL;
    if (full && types(f, LC_INT16, f->in[2], LC_INT8, LC_INT16)) return 5;
    if (full && types(f, LC_FLOAT32, f->in[2], LC_INT8, LC_FLOAT32)) return o->asymmetric_quantize_inputs ? 4 : 3;
    return full ? 1 : 2;
}

static int32_t version_sequence_lstm(const facts *f) {
    const lc_UnidirectionalSequenceLSTMOptions *o = LC_OP_ATTRS(f->node, UnidirectionalSequenceLSTMOptions);
    if (types(f, LC_INT16, f->in[2], LC_INT8, LC_INT16)) return 5;
    if (o->diagonal_recurrent_tensors) return 4;
    if (types(f, LC_FLOAT32, f->in[2], LC_INT8, LC_FLOAT32)) return o->asymmetric_quantize_inputs ? 3 : 2;
    return 1;
}

static int32_t version_transpose(const facts *f) { /* after FLOAT16 */
    const lc_tensor *t = f->in[0];
    if (rank(t) > 6 || is(t, LC_BFLOAT16)) return 8;
    if (is(t, LC_INT4)) return 7;
    if (rank(t) > 5) return 6;
    if (is(t, LC_INT16)) return 5;
    if (rank(t) > 4) return 4;
    return is(t, LC_BOOL) ? 3 : is(t, LC_INT8) ? 2 : 1;
}

static int32_t version_transpose_conv(const facts *f) {
    const lc_TransposeConvOptions *o = LC_OP_ATTRS(f->node, TransposeConvOptions);
    if (types(f, LC_INT16, f->in[1], LC_INT8, LC_INT16) && o->quantized_bias_type) return 5;
    if (o->fused_activation_function) return 4;
    return f->in[3] ? 3 : is(f->in[1], LC_INT8) ? 2 : 1;
}

static int32_t version_strided_slice(const facts *f) {
    const lc_StridedSliceOptions *o = LC_OP_ATTRS(f->node, StridedSliceOptions);
    const lc_tensor *t = f->in[0];
    if (o->offset) return 8;
    if (is(t, LC_UINT32)) return 7;
    if (o->ellipsis_mask || o->new_axis_mask) return 6;
    if (is(t, LC_STRING)) return 5;
    if (rank(t) > 4) return 4;
    return is(t, LC_BOOL) ? 3 : is(t, LC_INT8) ? 2 : 1;
}

/* Operators decided by code alone: 0 when it is none of them. */
static int32_t special(const facts *f) {
    const lc_node *n = f->node;
    switch (n->op) {
    case LC_OP_CONV_2D: return version_conv(f);
    case LC_OP_DEPTHWISE_CONV_2D: return version_depthwise(f);
    case LC_OP_FULLY_CONNECTED: return version_fully_connected(f);
    case LC_OP_TRANSPOSE_CONV: return version_transpose_conv(f);
    case LC_OP_STRIDED_SLICE: return version_strided_slice(f);
    case LC_OP_LSTM: return version_lstm(f);
    case LC_OP_UNIDIRECTIONAL_SEQUENCE_LSTM: return version_sequence_lstm(f);
    case LC_OP_RNN: return version_rnn(f, LC_OP_ATTRS(n, RNNOptions)->asymmetric_quantize_inputs);
    case LC_OP_UNIDIRECTIONAL_SEQUENCE_RNN: return version_rnn(f, LC_OP_ATTRS(n, SequenceRNNOptions)->asymmetric_quantize_inputs);
    case LC_OP_BIDIRECTIONAL_SEQUENCE_RNN:
        return version_rnn(f, LC_OP_ATTRS(n, BidirectionalSequenceRNNOptions)->asymmetric_quantize_inputs);
    case LC_OP_BIDIRECTIONAL_SEQUENCE_LSTM:
        return version_rnn(f, LC_OP_ATTRS(n, BidirectionalSequenceLSTMOptions)->asymmetric_quantize_inputs);
    case LC_OP_FAKE_QUANT: return LC_OP_ATTRS(n, FakeQuantOptions)->narrow_range ? 2 : 1;
    case LC_OP_SVDF:
        if (is(f->in[0], LC_INT8)) return 3;
        if (types(f, LC_FLOAT32, f->in[1], LC_INT8, LC_FLOAT32)) return LC_OP_ATTRS(n, SVDFOptions)->asymmetric_quantize_inputs ? 4 : 2;
        return 1;
    case LC_OP_EMBEDDING_LOOKUP: return is(f->in[1], LC_INT2) ? 5 : scales(f->in[1]) > 1 && per_channel(f->in[1], 0) ? 4 : 0;
    default: return 0;
    }
}

/* Code that stands between the rows: 0 when it does not decide. */
static int32_t later(const facts *f) {
    const lc_node *n = f->node;
    const lc_tensor *t = f->in[0];
    switch (n->op) {
    case LC_OP_GATHER: return LC_OP_ATTRS(n, GatherOptions)->batch_dims ? 5 : 0;
    case LC_OP_DEQUANTIZE: return is(t, LC_INT8) && per_channel_any(t) ? 5 : 0;
    case LC_OP_QUANTIZE: return per_channel_any(f->out[0]) ? 3 : 0;
    case LC_OP_TRANSPOSE: return version_transpose(f);
    case LC_OP_SLICE: return rank(t) > 4 ? 5 : 0;
    case LC_OP_PAD:
    case LC_OP_PADV2: return rank(t) > 4 ? 4 : 0;
    case LC_OP_RESIZE_BILINEAR: return LC_OP_ATTRS(n, ResizeBilinearOptions)->half_pixel_centers ? 3 : 0;
    case LC_OP_RESIZE_NEAREST_NEIGHBOR: {
        const lc_ResizeNearestNeighborOptions *o = LC_OP_ATTRS(n, ResizeNearestNeighborOptions);
        return o->half_pixel_centers || o->align_corners ? 3 : 0;
    }
    case LC_OP_SPACE_TO_BATCH_ND:
    case LC_OP_BATCH_TO_SPACE_ND: return t && rank(t) != 4 ? 3 : 0;
    case LC_OP_BATCH_MATMUL:
        return types(f, LC_FLOAT32, f->in[1], LC_INT8, LC_FLOAT32) && LC_OP_ATTRS(n, BatchMatMulOptions)->asymmetric_quantize_inputs ? 4
                                                                                                                                     : 0;
    case LC_OP_SELECT: return rank(t) == 5 || rank(f->in[1]) == 5 || rank(f->in[2]) == 5 ? 3 : 0;
    case LC_OP_MAXIMUM:
    case LC_OP_MINIMUM: return broadcasts_high(f) ? 3 : 0;
    case LC_OP_DIV: return broadcasts_high(f) ? 2 : 0;
    case LC_OP_ABS: return is(t, LC_INT16) ? (t->quant ? 3 : 4) : 0;
    case LC_OP_ADD:
        if (is(t, LC_INT16) && !t->quant) return 5;
        return is(t, LC_INT16) && is(f->out[0], LC_INT16) && n->attrs && !LC_OP_ATTRS(n, AddOptions)->pot_scale_int16 ? 3 : 0;
    case LC_OP_SUB:
        if (is(t, LC_INT16) && is(f->out[0], LC_INT16) && n->attrs && !LC_OP_ATTRS(n, SubOptions)->pot_scale_int16) return 5;
        return is(t, LC_INT64) ? 4 : broadcasts_high(f) ? 3 : 0;
    case LC_OP_MUL:
        if (is(t, LC_INT16)) return t->quant || (f->in[1] && f->in[1]->quant) ? 4 : 7;
        if (scales(t) && scales(f->in[1]) && scales(f->out[0]) && f->out[0]->quant->scale.data[0] != 0 &&
            t->quant->scale.data[0] * f->in[1]->quant->scale.data[0] / f->out[0]->quant->scale.data[0] >= 1.0f)
            return 3;
        return 0;
    default: return 0;
    }
}

int32_t lc_op_version(const lc_graph *graph, const lc_node *node) {
    facts f = {.graph = graph, .node = node};
    for (uint32_t i = 0; i < 4 && i < node->input_count; i++)
        if (node->inputs[i] >= 0 && (size_t)node->inputs[i] < graph->tensor_count) f.in[i] = &graph->tensors[node->inputs[i]];
    for (uint32_t i = 0; i < 2 && i < node->output_count; i++)
        if (node->outputs[i] >= 0 && (size_t)node->outputs[i] < graph->tensor_count) f.out[i] = &graph->tensors[node->outputs[i]];
    int32_t v = special(&f);
    if (!v) v = by_rules(&f, rules, sizeof rules / sizeof *rules);
    if (!v) v = later(&f);
    if (!v) v = by_rules(&f, last_rules, sizeof last_rules / sizeof *last_rules);
    return v ? v : 1;
}
