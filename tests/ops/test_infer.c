/*
 * test_infer.c: what the shape rules refuse, each refusal with its reason, and what they say about open dimensions and shapes that
 * are not known yet. The closed shapes LiteRT gives are in test_ops.c.
 */
#include "case.h"

typedef struct refusal {
    const char *op, *options, *inputs, *why; /* inputs may begin with "2:", for two outputs */
} refusal;

#define CONV "stride_w=1 stride_h=1"
#define CONV3 "stride_w=1 stride_h=1 stride_d=1"
#define POOL "stride_w=1 stride_h=1 filter_width=2 filter_height=2"
#define HUGE_DIMS "f32[65536,65536]"

/* A cell without input gate, of 4 cells and a depth of 3: its weights, recurrent weights, peephole weights, biases, projection, state. */
#define CELL_W "- f32[4,3] f32[4,3] f32[4,3] "
#define CELL_R "- f32[4,4] f32[4,4] f32[4,4] "
#define CELL_B "- f32[4] f32[4] f32[4] "
#define CELL(w, r, p, b, proj, state) w r p b proj state
#define NONE3 "- - - "
#define STATE "f32[2,4] f32[2,4]"

static const refusal refusals[] = {
    /* every operator: counts, presence, options, dimensions */
    {"RELU", "", "f32[1] f32[1]", "has 2 inputs, needs 1"},
    {"CONV_2D", CONV, "f32[1,4,4,1]", "has 1 inputs, needs 2 to 3"},
    {"CONCATENATION", "", "", "has 0 inputs, needs at least 1"},
    {"RELU", "", "-", "input 0 is absent"},
    {"CONV_2D", CONV, "f32[1,4,4,1] - -", "input 1 is absent"},
    {"RELU", "", "2:f32[1]", "has 2 outputs, needs 1"},
    {"RELU", "", "f32[1,1,1,1,1,1,1,1,1]", "9 dimensions"},
    {"RELU", "", "f32[3,-2]", "dimension 1 of -2"},
    {"RELU", "", HUGE_DIMS, "more than 2147483647 elements"},
    {"RELU", "", "f32[2147483647,2]", "more than 2147483647 elements"},
    {"RELU", "", "f32[65536,?,65536]", "more than 2147483647 elements"},
    {"CUSTOM", "", "f32[1]", "no shape rule for CUSTOM"},
    {"CONCAT_EMBEDDINGS", "", "f32[1,1]", "no shape rule for CONCAT_EMBEDDINGS"},
    /* binary, compare, logical, select */
    {"ADD", "", "f32[2] i32[2]", "must be of one type"},
    {"ADD", "", "f32[2,3] f32[2,4]", "do not broadcast: 3 against 4"},
    {"ADD", "", "f32[3] f32[2]", "do not broadcast"},
    {"ADD", "fused_activation_function=6", "f32[2] f32[2]", "fused activation 6"},
    {"ADD", "fused_activation_function=-1", "f32[2] f32[2]", "fused activation -1"},
    {"ADD", "", "f32[65536,1] f32[1,65536]", "output 0"},
    {"MAXIMUM", "", "f32[2] f32[3]", "do not broadcast"},
    {"LESS", "", "f32[2] i64[2]", "must be of one type"},
    {"EQUAL", "", "f32[2,2] f32[3,2]", "do not broadcast"},
    {"LOGICAL_AND", "", "bool[2] f32[2]", "input 1 is float32, needs bool"},
    {"LOGICAL_NOT", "", "i32[2]", "needs bool"},
    {"SELECT_V2", "", "f32[2] f32[2] f32[2]", "condition is float32"},
    {"SELECT_V2", "", "bool[2] f32[2] i32[2]", "must be of one type"},
    {"SELECT_V2", "", "bool[3] f32[2] f32[2]", "do not broadcast"},
    {"PRELU", "", "f32[2,3] f32[2,2]", "do not broadcast"},
    {"PRELU", "", "f32[3] f32[2,3]", "does not broadcast to the input's shape"},
    {"PRELU", "", "f32[3] i32[3]", "must be of one type"},
    /* conv */
    {"CONV_2D", CONV, "f32[4,4,1] f32[1,1,1,1]", "input [4,4,1] has 3 dimensions, needs 4"},
    {"CONV_2D", CONV, "f32[1,4,4,1] f32[1,1,1]", "filter [1,1,1] has 3 dimensions, needs 4"},
    {"CONV_2D", "stride_w=1 stride_h=0", "f32[1,4,4,1] f32[1,1,1,1]", "stride is 0"},
    {"CONV_2D", "stride_w=-3 stride_h=1", "f32[1,4,4,1] f32[1,1,1,1]", "stride is -3"},
    {"CONV_2D", "none", "f32[1,4,4,1] f32[1,1,1,1]", "stride is 0"},
    {"CONV_2D", CONV " dilation_w_factor=0", "f32[1,4,4,1] f32[1,1,1,1]", "dilation is 0"},
    {"CONV_2D", CONV " dilation_h_factor=-1", "f32[1,4,4,1] f32[1,1,1,1]", "dilation is -1"},
    {"CONV_2D", CONV " padding=2", "f32[1,4,4,1] f32[1,1,1,1]", "padding is 2"},
    {"CONV_2D", CONV " fused_activation_function=9", "f32[1,4,4,1] f32[1,1,1,1]", "fused activation 9"},
    {"CONV_2D", CONV, "f32[1,4,4,1] f32[1,0,1,1]", "filter is [1,0,1,1]"},
    {"CONV_2D", CONV, "f32[1,4,4,1] f32[?,1,1,1]", "filter is [?,1,1,1]"},
    {"CONV_2D", CONV, "f32[1,4,4,3] f32[4,1,1,2]", "3 channels, the filter takes 2"},
    {"CONV_2D", CONV, "f32[1,4,4,0] f32[4,1,1,2]", "0 channels"},
    {"CONV_2D", CONV, "f32[1,4,4,4] f32[3,1,1,2]", "do not divide into 2 groups"},
    {"CONV_2D", CONV, "f32[1,4,4,1] f32[3,1,1,1] f32[2]", "bias has 2 elements, the output has 3 channels"},
    {"CONV_2D", CONV " padding=1", "f32[1,4,4,1] f32[1,9,9,1]", "a window of 9 does not fit an input of 4"},
    {"CONV_2D", CONV " dilation_w_factor=2147483647", "f32[1,4,4,1] f32[1,1,3,1]", "reach past position 2147483647"},
    {"CONV_2D", "stride_w=2147483647 stride_h=1", "f32[1,4,4,1] f32[1,1,1,1]", "stride 2147483647 and a window of 1"},
    {"MAX_POOL_2D", "stride_w=1 stride_h=1 filter_width=2147483647 filter_height=1", "f32[1,4,4,1]", "a window of 2147483647"},
    {"DEPTHWISE_CONV_2D", "stride_w=1 stride_h=300000000", "f32[1,4,4,1] f32[1,1,1,1]", "stride 300000000"},
    {"CONV_2D", CONV, "f32[1,40000,40000,1] f32[8,1,1,1]", "more than 2147483647 elements"},
    {"DEPTHWISE_CONV_2D", CONV, "f32[1,4,4,2] f32[2,1,1,2]", "needs [1, height, width, channels]"},
    {"DEPTHWISE_CONV_2D", CONV, "f32[1,4,4,2] f32[1,1,1,3]", "input has 2 channels, the filter 3"},
    {"DEPTHWISE_CONV_2D", CONV, "f32[1,4,4,0] f32[1,1,1,3]", "input has 0 channels"},
    {"DEPTHWISE_CONV_2D", CONV, "f32[1,4,4,2] f32[1,1,1,2] f32[3]", "bias has 3 elements"},
    {"DEPTHWISE_CONV_2D", "stride_w=0 stride_h=1", "f32[1,4,4,2] f32[1,1,1,2]", "stride is 0"},
    {"DEPTHWISE_CONV_2D", CONV " dilation_w_factor=0", "f32[1,4,4,2] f32[1,1,1,2]", "dilation is 0"},
    {"DEPTHWISE_CONV_2D", CONV, "f32[1,4,2] f32[1,1,1,2]", "has 3 dimensions"},
    {"DEPTHWISE_CONV_2D", CONV " fused_activation_function=7", "f32[1,4,4,2] f32[1,1,1,2]", "fused activation 7"},
    /* pool */
    {"MAX_POOL_2D", POOL, "f32[1,4,4]", "has 3 dimensions, needs 4"},
    {"MAX_POOL_2D", "stride_w=0 stride_h=1 filter_width=2 filter_height=2", "f32[1,4,4,1]", "stride is 0"},
    {"AVERAGE_POOL_2D", "stride_w=1 stride_h=1 filter_width=0 filter_height=2", "f32[1,4,4,1]", "filter size is 0"},
    {"AVERAGE_POOL_2D", POOL " padding=7", "f32[1,4,4,1]", "padding is 7"},
    {"L2_POOL_2D", POOL " fused_activation_function=6", "f32[1,4,4,1]", "fused activation 6"},
    {"MAX_POOL_2D", "stride_w=1 stride_h=1 filter_width=9 filter_height=9 padding=1", "f32[1,4,4,1]", "does not fit"},
    /* dense */
    {"FULLY_CONNECTED", "", "f32[2,6] f32[4,6,1]", "filter [4,6,1] has 3 dimensions, needs 2"},
    {"FULLY_CONNECTED", "", "f32[2,6] f32[4,5]", "not a multiple of the filter's 5"},
    {"FULLY_CONNECTED", "keep_num_dims=1", "f32[2,6] f32[4,5]", "ends in 6, the filter takes 5"},
    {"FULLY_CONNECTED", "keep_num_dims=1", "f32[] f32[4,1]", "input is a scalar"},
    {"FULLY_CONNECTED", "", "f32[?,6] f32[4,5]", "ends in 6, the filter takes 5"},
    {"FULLY_CONNECTED", "", "f32[2,6] f32[4,6] f32[5]", "bias has 5 elements"},
    {"FULLY_CONNECTED", "", "f32[2,6] f32[4,?]", "sizes must be known"},
    {"FULLY_CONNECTED", "weights_format=1", "f32[2,6] f32[4,6]", "has 1 outputs, needs 2 with shuffled weights"},
    {"FULLY_CONNECTED", "weights_format=2", "f32[2,6] f32[4,6]", "weights_format is 2"},
    {"FULLY_CONNECTED", "", "f32[2,6] f32[4,0]", "the filter takes 0"},
    {"FULLY_CONNECTED", "", "2:f32[2,6] f32[4,6]", "has 2 outputs, needs 1"},
    {"FULLY_CONNECTED", "fused_activation_function=6", "f32[2,6] f32[4,6]", "fused activation 6"},
    /* softmax */
    {"SOFTMAX", "beta=1.0", "f32[]", "input is a scalar"},
    {"LOG_SOFTMAX", "", "f32[]", "input is a scalar"},
    /* reshape */
    {"RESHAPE", "", "f32[2,3] i32[2]={4,2}", "has 6 elements, the new shape [4,2] has 8"},
    {"RESHAPE", "", "f32[2,3] i32[2]={-1,-1}", "two open dimensions"},
    {"RESHAPE", "", "f32[2,3] i32[2]={-1,4}", "has 6 elements"},
    {"RESHAPE", "", "f32[2,3] i32[2]={-2,3}", "dimension -2"},
    {"RESHAPE", "", "f32[2,3] i32[2]={65536,65536}", "more than 2147483647 elements"},
    {"RESHAPE", "", "f32[2,3] i32[9]={1,1,1,1,1,1,1,2,3}", "9 dimensions"},
    {"RESHAPE", "new_shape=1,1,1,1,1,1,1,2,3", "f32[2,3]", "9 dimensions"},
    {"RESHAPE", "none", "f32[2,3]", "has no new shape"},
    {"RESHAPE", "", "f32[0,3] i32[2]={-1,2}", ""}, /* fits: zero elements */
    {"RESHAPE", "", "f32[2,3] i32[2]={0,-1}", "has 6 elements"},
    {"SQUEEZE", "squeeze_dims=1", "f32[1,2]", "which is 2 and not 1"},
    {"SQUEEZE", "squeeze_dims=2", "f32[1,2]", "axis 2 is outside [-2, 2)"},
    {"SQUEEZE", "squeeze_dims=-3", "f32[1,2]", "axis -3 is outside"},
    {"EXPAND_DIMS", "", "f32[2] i32[]={3}", "axis 3 is outside [-2, 2)"},
    {"EXPAND_DIMS", "", "f32[2] i32[2]={0,1}", "axis has 2 elements, needs 1"},
    {"EXPAND_DIMS", "", "f32[2] f32[]", "axis is float32"},
    {"EXPAND_DIMS", "", "f32[1,1,1,1,1,1,1,1] i32[]={0}", "9 dimensions"},
    {"SHAPE", "out_type=0", "f32[2]", "out_type is float32"},
    /* concat */
    {"CONCATENATION", "axis=2", "f32[1,2] f32[1,2]", "axis 2 is outside [-2, 2)"},
    {"CONCATENATION", "axis=-3", "f32[1,2] f32[1,2]", "axis -3 is outside"},
    {"CONCATENATION", "axis=0", "f32[1,2] f32[1,3]", "dimension 1 differs"},
    {"CONCATENATION", "axis=0", "f32[1,2] f32[2]", "different numbers of dimensions"},
    {"CONCATENATION", "axis=0", "f32[1] i32[1]", "must be of one type"},
    {"CONCATENATION", "axis=0", "f32[] f32[]", "scalars"},
    {"CONCATENATION", "axis=0 fused_activation_function=1", "f32[1] f32[1]", "fused activation 1"},
    {"CONCATENATION", "axis=0", "u8[2147483647] u8[1]", "is over 2147483647"},
    {"PACK", "values_count=3", "f32[1] f32[1]", "values_count is 3, there are 2"},
    {"PACK", "values_count=2 axis=2", "f32[1] f32[1]", "axis 2 is outside [-2, 2)"},
    {"PACK", "values_count=2", "f32[1] f32[2]", "must be of one shape"},
    {"PACK", "values_count=2", "f32[1] f32[1,1]", "must be of one shape"},
    {"PACK", "values_count=2", "f32[1] i32[1]", "must be of one type"},
    {"PACK", "values_count=1", "f32[1,1,1,1,1,1,1,1]", "9 dimensions"},
    /* pad, reduce, transpose */
    {"PAD", "", "f32[2] i32[1,2]={-1,0}", "padded by -1 and 0"},
    {"PAD", "", "f32[2] i32[2,2]={0,0,0,0}", "paddings is [2,2], needs [1,2]"},
    {"PAD", "", "f32[2] i32[2]={0,0}", "needs [1,2]"},
    {"PAD", "", "f32[2] i32[1,3]={0,0,0}", "needs [1,2]"},
    {"PAD", "", "f32[2] f32[1,2]", "paddings is float32"},
    {"PAD", "", "f32[2] i32[1,2]={2147483647,1}", "is over 2147483647"},
    {"PAD", "", "f32[2] i32[1,2]={1,2147483647}", "is over 2147483647"},
    {"PADV2", "", "f32[2] i32[1,2]={0,0} f32[2]", "constant_values has 2 elements"},
    {"PADV2", "", "f32[2] i32[1,2]={0,0} i32[]={1}", "must be of one type"},
    {"MEAN", "", "f32[2,3] i32[1]={2}", "axis 2 is outside [-2, 2)"},
    {"SUM", "", "f32[2,3] i32[1]={-3}", "axis -3 is outside"},
    {"REDUCE_MAX", "", "f32[2,3] f32[1]", "axes is float32"},
    {"REDUCE_MIN", "", "f32[2,3] i32[9,9]", "names 81 axes"},
    {"MEAN", "", "f32[2,3] i32[100]", "names 100 axes"},
    {"REDUCE_ANY", "", "f32[2,3] i32[1]={0}", "needs bool"},
    {"TRANSPOSE", "", "f32[2,3] i32[3]={0,1,2}", "perm has 3 entries"},
    {"TRANSPOSE", "", "f32[2,3] i32[2]={0,0}", "names dimension 0 twice"},
    {"TRANSPOSE", "", "f32[2,3] i32[2]={0,2}", "axis 2 is outside"},
    {"TRANSPOSE", "", "f32[2,3] f32[2]", "perm is float32"},
    /* slices */
    {"SLICE", "", "f32[4] i32[1]={5} i32[1]={0}", "begin of dimension 0 is 5"},
    {"SLICE", "", "f32[4] i32[1]={-1} i32[1]={2}", "begin of dimension 0 is -1"},
    {"SLICE", "", "f32[4] i32[1]={2} i32[1]={3}", "takes 3 of dimension 0 from 2"},
    {"SLICE", "", "f32[4] i32[1]={0} i32[1]={-2}", "size of dimension 0 is -2"},
    {"SLICE", "", "f32[4] i32[2]={0,0} i32[1]={1}", "begin has 2 entries"},
    {"SLICE", "", "f32[4] i32[1]={0} i32[2]={1,1}", "size has 2 entries"},
    {"SLICE", "", "f32[4] i32[1]={0} i64[1]={1}", "must be of one type"},
    {"SLICE", "", "f32[4] f32[1] i32[1]={1}", "begin is float32"},
    {"SLICE", "", "f32[4] i32[1] i32[1]={5}", "takes 5 of dimension 0"},
    {"SLICE", "", "f32[4] i64[1]={9223372036854775807} i64[1]={-1}", "begin of dimension 0"},
    {"SLICE", "", "f32[?] i64[1]={0} i64[1]={9223372036854775807}", "size of dimension 0"},
    {"STRIDED_SLICE", "", "f32[4] i32[1]={0} i32[1]={4} i32[1]={0}", "stride of entry 0 is 0"},
    {"STRIDED_SLICE", "", "f32[4] i32[2]={0,0} i32[2]={4,4} i32[2]={1,1}", "names 2 dimensions of an input with 1"},
    {"STRIDED_SLICE", "", "f32[4] i32[1]={0} i32[2]={4,4} i32[1]={1}", "end has 2 entries, begin has 1"},
    {"STRIDED_SLICE", "shrink_axis_mask=1", "f32[4] i32[1]={4} i32[1]={5} i32[1]={1}", "takes index 4 of a dimension of 4"},
    {"STRIDED_SLICE", "shrink_axis_mask=1", "f32[4] i32[1]={-5} i32[1]={5} i32[1]={1}", "takes index -5"},
    {"STRIDED_SLICE", "shrink_axis_mask=1 begin_mask=1", "f32[0] i32[1]={0} i32[1]={1} i32[1]={1}", "empty dimension"},
    {"STRIDED_SLICE", "shrink_axis_mask=1", "f32[4] i32[1]={0} i32[1]={1} i32[1]={-1}", "with stride -1"},
    {"STRIDED_SLICE", "ellipsis_mask=3", "f32[4] i32[2]={0,0} i32[2]={4,4} i32[2]={1,1}", "more than one ellipsis"},
    {"STRIDED_SLICE", "", "f32[4] i64[1]={0} i64[1]={4} i64[1]={9223372036854775807}", "stride of entry 0"},
    {"STRIDED_SLICE", "", "f32[4] f32[1] i32[1]={4} i32[1]={1}", "begin is float32"},
    {"STRIDED_SLICE", "", "f32[4] i32[40] i32[40] i32[40]", "begin has 40 entries"},
    {"STRIDED_SLICE", "new_axis_mask=255", "f32[4] i32[8]={0,0,0,0,0,0,0,0} i32[8]={0,0,0,0,0,0,0,0} i32[8]={1,1,1,1,1,1,1,1}",
     "would have 9 dimensions"},
    /* the rest */
    {"CONV_3D", CONV3, "f32[1,4,4,1] f32[1,1,1,1,1]", "input [1,4,4,1] has 4 dimensions, needs 5"},
    {"CONV_3D", CONV3, "f32[1,4,4,4,2] f32[1,1,1,3,1]", "2 channels, the filter takes 3"},
    {"CONV_3D", CONV3, "f32[1,4,4,4,2] f32[1,0,1,2,1]", "filter is [1,0,1,2,1]"},
    {"CONV_3D", CONV3, "f32[1,4,4,4,2] f32[1,1,1,2,3] f32[2]", "bias has 2 elements, the output has 3 channels"},
    {"CONV_3D", "stride_w=1 stride_h=1 stride_d=0", "f32[1,4,4,4,2] f32[1,1,1,2,3]", "stride is 0"},
    {"CONV_3D", CONV3 " dilation_d_factor=0", "f32[1,4,4,4,2] f32[1,1,1,2,3]", "dilation is 0"},
    {"CONV_3D", CONV3 " padding=1", "f32[1,4,4,4,2] f32[6,1,1,2,3]", "a window of 6 does not fit"},
    {"CONV_3D_TRANSPOSE", CONV3, "i32[4]={1,4,4,4} f32[1,1,1,1,1] f32[1,4,4,4,1]", "output_shape has 4 entries, needs 5"},
    {"CONV_3D_TRANSPOSE", CONV3, "i32[5]={1,4,4,4,2} f32[1,1,1,1,1] f32[1,4,4,4,1]", "output_shape says 2 for dimension 4"},
    {"CONV_3D_TRANSPOSE", CONV3, "i32[5]={1,0,4,4,1} f32[1,1,1,1,1] f32[1,4,4,4,1]", "output_shape has 0"},
    {"CONV_3D_TRANSPOSE", CONV3, "i32[5]={1,4,4,3,1} f32[1,1,1,1,1] f32[1,4,4,4,1]", "comes from an input of 4 x 4 x 3"},
    {"CONV_3D_TRANSPOSE", CONV3, "i32[5] f32[1,1,1,1,2] f32[1,4,4,4,1]", "input has 1 channels, the filter takes 2"},
    {"BATCH_MATMUL", "", "f32[2] f32[2,2]", "both need 2 dimensions"},
    {"BATCH_MATMUL", "", "f32[2,3] f32[2,3]", "inner dimensions are 3 and 2"},
    {"BATCH_MATMUL", "", "f32[2,2,3] f32[3,3,2]", "do not broadcast"},
    {"GATHER", "axis=3", "f32[2,3] i32[1]", "axis 3 is outside [-2, 2)"},
    {"GATHER", "", "f32[2,3] f32[1]", "indices is float32"},
    {"GATHER", "axis=0 batch_dims=1", "f32[2,3] i32[2,1]", "batch_dims is 1"},
    {"GATHER", "axis=1 batch_dims=1", "f32[2,3] i32[3,1]", "batch dimension 0 is 2 in params and 3"},
    {"GATHER", "", "f32[1,1,1,1,1,1,1,2] i32[1,1]", "more than 8 dimensions"},
    {"GATHER_ND", "", "f32[2,3] i32[1,3]", "an index has 3 numbers"},
    {"GATHER_ND", "", "f32[2,3] i32[]", "need 1 dimension"},
    {"GATHER_ND", "", "f32[2,3] i32[?]", "length of an index is not known"},
    {"EMBEDDING_LOOKUP", "", "i64[2] f32[3,4]", "lookup is int64"},
    {"EMBEDDING_LOOKUP", "", "i32[2] f32[3]", "the table has 1 dimensions"},
    {"ONE_HOT", "axis=5", "i32[2] i32[]={3} f32[] f32[]", "axis 5 is outside"},
    {"ONE_HOT", "axis=-1", "i32[2] i32[]={-3} f32[] f32[]", "depth is -3"},
    {"ONE_HOT", "axis=-1", "i32[2] i32[]={3} f32[2] f32[]", "input 2 has 2 elements"},
    {"ONE_HOT", "axis=-1", "i32[2] i32[]={3} f32[] i32[]", "must be of one type"},
    {"SPLIT", "num_splits=2", "i32[]={0} f32[4]", "num_splits is 2, there are 1 outputs"},
    {"SPLIT", "num_splits=2", "2:i32[]={0} f32[5]", "does not split into 2 equal parts"},
    {"SPLIT", "num_splits=2", "2:i32[]={1} f32[4]", "axis 1 is outside"},
    {"SPLIT", "num_splits=0", "i32[]={0} f32[4]", "num_splits is 0"},
    {"SPLIT_V", "num_splits=2", "2:f32[4] i32[2]={1,2} i32[]={0}", "the parts sum to 3, dimension 0 has 4"},
    {"SPLIT_V", "num_splits=2", "2:f32[4] i32[2]={-1,-1} i32[]={0}", "part 1 has size -1"},
    {"SPLIT_V", "num_splits=2", "2:f32[4] i32[2]={-1,5} i32[]={0}", "the parts sum to 5"},
    {"SPLIT_V", "num_splits=2", "2:f32[4] i32[3]={1,1,2} i32[]={0}", "size_splits has 3 entries"},
    {"UNPACK", "num=3", "2:f32[3]", "num is 3, there are 2 outputs"},
    {"UNPACK", "num=2", "2:f32[3]", "num is 2, dimension 0 has 3"},
    {"UNPACK", "num=1 axis=1", "f32[3]", "axis 1 is outside"},
    {"UNPACK", "num=1", "f32[]", "scalar"},
    {"ADD_N", "", "f32[2] f32[3]", "input 1 has another shape"},
    {"TILE", "", "f32[2] i32[2]={1,1}", "multiples has 2 entries"},
    {"TILE", "", "f32[2] i32[1]={-1}", "entry 0 of -1"},
    {"TILE", "", "f32[2] i32[1]={2147483647}", "2 x 2147483647"},
    {"BROADCAST_TO", "", "f32[2] i32[1]={3}", "dimension 0 of 2 does not broadcast to 3"},
    {"BROADCAST_TO", "", "f32[2,2] i32[1]={2}", "the shape has 1 dimensions, the input 2"},
    {"FILL", "", "i32[1]={3} f32[2]", "value has 2 elements"},
    {"FILL", "", "i32[1]={-3} f32[]", "entry 0 of -3"},
    {"FILL", "", "i32[2]={65536,65536} f32[]", "more than 2147483647"},
    {"RANGE", "", "i32[]={0} i32[]={5} i32[]={0}", "in steps of 0"},
    {"RANGE", "", "i32[]={0} i32[]={5} i32[]={-1}", "in steps of -1"},
    {"RANGE", "", "f32[]={5} f32[]={0} f32[]={1}", "in steps of 1"},
    {"RANGE", "", "i64[]={-9223372036854775807} i64[]={9223372036854775807} i64[]={1}", "in steps of 1"},
    {"RANGE", "", "bool[] bool[] bool[]", "need int32, int64 or float32"},
    {"ARG_MAX", "output_type=2", "f32[2] i32[]={1}", "axis 1 is outside"},
    {"ARG_MAX", "output_type=0", "f32[2] i32[]={0}", "output_type is float32"},
    {"ARG_MIN", "output_type=2", "f32[0] i32[]={0}", "is empty"},
    {"ARG_MIN", "output_type=2", "f32[] i32[]={0}", "scalar"},
    {"TOPK_V2", "", "2:f32[2] i32[]={3}", "k is 3 of a dimension of 2"},
    {"TOPK_V2", "", "2:f32[2] i32[]={-1}", "k is -1"},
    {"TOPK_V2", "", "2:f32[] i32[]={1}", "scalar"},
    {"REDUCE_WINDOW", "reduce_function=1", "f32[4] f32[] i64[1]={0} i64[1]={1} i64[1]={1}", "window shape has 0"},
    {"REDUCE_WINDOW", "reduce_function=1", "f32[4] f32[2] i64[1]={1} i64[1]={1} i64[1]={1}", "init_value has 2 elements"},
    {"REDUCE_WINDOW", "reduce_function=1", "f32[4] f32[] i64[2]={1,1} i64[1]={1} i64[1]={1}", "window shape has 2 entries"},
    {"DILATE", "", "f32[4] i32[1]={0} f32[]", "dilation of dimension 0 is 0"},
    {"DILATE", "", "f32[4] i32[1]={2147483647} f32[]", "3 x 2147483647"},
    {"DILATE", "", "f32[] i32[0] f32[]", "scalar"},
    {"DYNAMIC_UPDATE_SLICE", "", "f32[4] f32[5] i32[1]", "does not fit into [4]"},
    {"DYNAMIC_UPDATE_SLICE", "", "f32[4] f32[2] i32[2]", "start_indices has 2 entries"},
    {"REVERSE_SEQUENCE", "seq_dim=1 batch_dim=1", "f32[2,3] i32[3]", "must be two of the 2 dimensions"},
    {"REVERSE_SEQUENCE", "seq_dim=1 batch_dim=0", "f32[2,3] i32[3]", "seq_lengths has 3 entries, dimension 0 has 2"},
    {"SCATTER_ND", "", "i32[2,1] f32[3] i32[1]={5}", "do not fit"},
    {"SCATTER_ND", "", "i32[2,3] f32[2] i32[2]={5,5}", "do not fit"},
    {"SCATTER_ND", "", "i32[2,1] f32[2] i64[1]={5}", "must be of one type"},
    {"SPARSE_TO_DENSE", "", "i32[2,2] i32[1]={5} f32[2] f32[]", "an index has 2 numbers, the output 1"},
    {"SPARSE_TO_DENSE", "", "i32[2] i32[1]={5} f32[3] f32[]", "3 values for 2 indices"},
    {"EMBEDDING_LOOKUP_SPARSE", "combiner=3", "i32[2] i32[2,2] i32[2] f32[2] f32[4,3]", "combiner is 3"},
    {"EMBEDDING_LOOKUP_SPARSE", "", "i32[2] i32[3,2] i32[2] f32[2] f32[4,3]", "of different lengths"},
    {"EMBEDDING_LOOKUP_SPARSE", "", "i32[2] i32[2,2] i32[3] f32[2] f32[4,3]", "an index has 2 numbers, dense_shape 3"},
    {"SEGMENT_SUM", "", "f32[3] i32[3]={0,2,2}", "segment id 2 follows 0"},
    {"SEGMENT_SUM", "", "f32[3] i32[3]={1,1,1}", "segment id 1 follows -1"},
    {"SEGMENT_SUM", "", "f32[3] i32[2]={0,1}", "2 segment_ids for 3 rows"},
    {"UNSORTED_SEGMENT_SUM", "", "f32[3,2] i32[2] i32[]={4}", "must be what the second begins with"},
    {"UNSORTED_SEGMENT_SUM", "", "f32[3] i32[3] i32[]={-4}", "num_segments is -4"},
    {"MATRIX_DIAG", "", "f32[]", "scalar"},
    {"MATRIX_SET_DIAG", "", "f32[2,3] f32[3]", "is no diagonal"},
    {"MATRIX_SET_DIAG", "", "f32[2] f32[2]", "needs 2 or more"},
    {"WHERE", "", "bool[]", "scalar"},
    {"UNIQUE", "idx_out_type=0", "2:f32[3]", "idx_out_type is float32"},
    {"UNIQUE", "idx_out_type=2", "2:f32[3,1]", "needs 1"},
    {"NON_MAX_SUPPRESSION_V4", "", "2:f32[3,5] f32[3] i32[]={2} f32[] f32[]", "boxes have 5 coordinates"},
    {"NON_MAX_SUPPRESSION_V4", "", "2:f32[3,4] f32[2] i32[]={2} f32[] f32[]", "3 boxes and 2 scores"},
    {"NON_MAX_SUPPRESSION_V5", "", "3:f32[3,4] f32[3] i32[]={-2} f32[] f32[] f32[]", "max_output_size is -2"},
    {"TOPK_V2", "", "2:f32[2] f32[]", "k is float32"},
    {"L2_NORMALIZATION", "fused_activation_function=1", "f32[2]", "fused activation 1"},
    {"L2_NORMALIZATION", "", "f32[]", "scalar"},
    {"LOCAL_RESPONSE_NORMALIZATION", "radius=-1", "f32[1,1,1,2]", "radius is -1"},
    {"LOCAL_RESPONSE_NORMALIZATION", "radius=1", "f32[1,2]", "needs 4"},
    {"RESIZE_BILINEAR", "", "f32[1,2,2,1] i32[2]={0,4}", "size is 0 x 4"},
    {"RESIZE_BILINEAR", "align_corners=1 half_pixel_centers=1", "f32[1,2,2,1] i32[2]={4,4}", "exclude each other"},
    {"RESIZE_BILINEAR", "", "f32[1,0,2,1] i32[2]={4,4}", "the image is empty"},
    {"RESIZE_NEAREST_NEIGHBOR", "", "f32[1,2,2] i32[2]={4,4}", "needs 4"},
    {"RESIZE_NEAREST_NEIGHBOR", "", "f32[1,2,2,1] i32[3]={4,4,4}", "size has 3 entries"},
    {"TRANSPOSE_CONV", "stride_w=2 stride_h=2", "i32[4]={1,4,4,3} f32[3,2,2,2] f32[1,3,2,2]", "comes from an input of 2 x 2"},
    {"TRANSPOSE_CONV", "stride_w=2 stride_h=2", "i32[4]={1,4,4,5} f32[3,2,2,2] f32[1,2,2,2]", "output_shape says 5 for dimension 3"},
    {"TRANSPOSE_CONV", "stride_w=2 stride_h=2", "i32[4]={2,4,4,3} f32[3,2,2,2] f32[1,2,2,2]", "output_shape says 2 for dimension 0"},
    {"TRANSPOSE_CONV", "stride_w=2 stride_h=2", "i32[4]={1,0,4,3} f32[3,2,2,2] f32[1,2,2,2]", "output_shape has 0"},
    {"TRANSPOSE_CONV", "stride_w=0 stride_h=2", "i32[4] f32[3,2,2,2] f32[1,2,2,2]", "stride is 0"},
    {"TRANSPOSE_CONV", "stride_w=1 stride_h=2", "i32[4] f32[3,2,2,2] f32[1,2,2,4]", "input has 4 channels, the filter takes 2"},
    {"SPACE_TO_DEPTH", "block_size=2", "f32[1,3,4,1]", "height of 3 is not a multiple of 2"},
    {"SPACE_TO_DEPTH", "block_size=0", "f32[1,4,4,1]", "block_size is 0"},
    {"DEPTH_TO_SPACE", "block_size=2", "f32[1,2,2,3]", "depth of 3 is not a multiple of 4"},
    {"DEPTH_TO_SPACE", "block_size=40000", "f32[1,2,2,3]", "block_size is 40000"},
    {"SPACE_TO_BATCH_ND", "", "f32[1,3,4,1] i32[2]={2,2} i32[2,2]={0,0,0,0}", "padded dimension of 3"},
    {"SPACE_TO_BATCH_ND", "", "f32[1,4,4,1] i32[2]={2,0} i32[2,2]={0,0,0,0}", "block_shape has 0"},
    {"SPACE_TO_BATCH_ND", "", "f32[1,4,4,1] i32[2]={2,2} i32[2,2]={0,-1,0,0}", "negative or too large"},
    {"SPACE_TO_BATCH_ND", "", "f32[1,4] i32[2]={2,2} i32[2,2]={0,0,0,0}", "block_shape has 2 entries"},
    {"BATCH_TO_SPACE_ND", "", "f32[3,2,2,1] i32[2]={2,2} i32[2,2]={0,0,0,0}", "batch of 3 is not a multiple"},
    {"BATCH_TO_SPACE_ND", "", "f32[4,1,1,1] i32[2]={2,2} i32[2,2]={2,1,0,0}", "crops 3 of dimension 1"},
    {"MIRROR_PAD", "mode=2", "f32[3] i32[1,2]={1,1}", "mode is 2"},
    {"MIRROR_PAD", "mode=0", "f32[3] i32[1,2]={3,0}", "too little to mirror"},
    {"MIRROR_PAD", "mode=1", "f32[3] i32[1,2]={0,4}", "too little to mirror"},
    {"REVERSE_V2", "", "f32[2,2] i32[2]={0,-2}", "names axis 0 twice"},
    {"REVERSE_V2", "", "f32[2,2] i32[1]={2}", "axis 2 is outside"},
    {"REVERSE_V2", "", "f32[2] i32[2]={0,0}", "names 2 axes"},
    {"SELECT", "", "bool[3] f32[2,2] f32[2,2]", "the condition is"},
    {"SELECT", "", "bool[2] f32[2] f32[1]", "of one shape"},
    {"CUMSUM", "", "f32[2] i32[]={1}", "axis 1 is outside"},
    {"BROADCAST_ARGS", "", "i32[2] i64[2]", "must be of one type"},
    {"BROADCAST_ARGS", "", "i32[] i32[2]", "1 dimension"},
    /* recurrent */
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "", "f32[2,5,3] " CELL(CELL_W, CELL_R, NONE3, CELL_B, "- - ", "f32[2,4]"),
     "has 19 inputs, needs 20 to 24"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "", "f32[2,3] " CELL(CELL_W, CELL_R, NONE3, CELL_B, "- - ", STATE), "has 2 dimensions, needs 3"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "", "f32[2,5,7] " CELL(CELL_W, CELL_R, NONE3, CELL_B, "- - ", STATE), "the weights take a depth of 3"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "", "f32[2,5,3] " CELL("- f32[4,2] f32[4,3] f32[4,3] ", CELL_R, NONE3, CELL_B, "- - ", STATE),
     "forget gate's weights (input 2) is [4,2], needs [4,3]"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "", "f32[2,5,3] " CELL("f32[4,3] f32[4,3] f32[4,3] f32[4,3] ", CELL_R, NONE3, CELL_B, "- - ", STATE),
     "has no input gate's recurrent weights"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "", "f32[2,5,3] " CELL(CELL_W, CELL_R, NONE3, "f32[4] f32[4] f32[4] f32[4] ", "- - ", STATE),
     "what it belongs to is absent"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "", "f32[2,5,3] " CELL(CELL_W, CELL_R, "- - f32[4] ", CELL_B, "- - ", STATE),
     "has no forget gate's peephole weights"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "", "f32[2,5,3] " CELL(CELL_W, CELL_R, NONE3, CELL_B, "- f32[4] ", STATE),
     "what it belongs to is absent"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "", "f32[2,5,3] " CELL(CELL_W, "- f32[4,2] f32[4,2] f32[4,2] ", NONE3, CELL_B, "- - ", STATE),
     "must be equal without a projection"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "", "f32[3,5,3] " CELL(CELL_W, CELL_R, NONE3, CELL_B, "- - ", STATE),
     "a batch of 3 needs 12 elements"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "time_major=1", "f32[2,5,3] " CELL(CELL_W, CELL_R, NONE3, CELL_B, "- - ", STATE),
     "a batch of 5 needs 20 elements"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "cell_clip=-1", "f32[2,5,3] " CELL(CELL_W, CELL_R, NONE3, CELL_B, "- - ", STATE), "must be 0 or more"},
    {"LSTM", "", "f32[2,3] " CELL(CELL_W, "- f32[4,4] f32[4,4] f32[4] ", NONE3, CELL_B, "- - ", STATE), "need 2 dimensions"},
    {"LSTM", "", "f32[1,1] f32[1] f32[1] f32[1] f32[1]", "needs 20 or 24 inputs"},
    {"LSTM", "kernel_type=1", "f32[2,3] f32[2,4] f32[16,7] f32[16] f32[2,4]", "kernel_type BASIC needs 5 and 4"},
    {"RNN", "", "f32[2,3] f32[4,3] f32[4,3] f32[4] f32[2,4]", "recurrent weights (input 2) is [4,3]"},
    {"RNN", "", "f32[2,3] f32[4,3] f32[4,4] f32[4] f32[1,4]", "the batch is 2"},
    {"UNIDIRECTIONAL_SEQUENCE_RNN", "", "f32[2,5,2] f32[4,3] f32[4,4] f32[4] f32[2,4]", "the weights take a depth of 3"},
    {"BIDIRECTIONAL_SEQUENCE_RNN", "merge_outputs=1",
     "f32[2,5,3] f32[4,3] f32[4,4] f32[4] f32[2,4] f32[4,3] f32[4,4] f32[4] f32[2,4] f32[2,5,3] f32[4,3] -",
     "auxiliary weights for one cell only"},
    {"SVDF", "rank=3", "f32[2,3] f32[4,3] f32[4,5] - f32[2,20]", "rank is 3"},
    {"SVDF", "rank=2", "f32[2,3] f32[4,3] f32[4,5] f32[4] f32[2,20]", "bias"},
    {"SVDF", "rank=2", "f32[2,3] f32[4,3] f32[4,5] f32[2] f32[2,19]", "needs [2,20]"},
    {"SVDF", "rank=2", "f32[2,3] f32[4,3] f32[4,0] f32[2] f32[2,0]", "must be known and 1 or more"},
    {"RFFT2D", "", "f32[4,4] i32[2]={4,3}", "must be a power of two"},
    {"RFFT2D", "", "f32[4] i32[2]={4,4}", "needs 2 dimensions or more"},
    {"RFFT2D", "", "i32[4,4] i32[2]={4,4}", "needs float32"},
    {"HASHTABLE_LOOKUP", "", "2:i32[3] i32[4] f32[5,2]", "4 keys for 5 values"},
    {"HASHTABLE_LOOKUP", "", "2:i32[3] i32[0] f32[0,2]", "and 1 or more"},
    {"RANDOM_UNIFORM", "", "i32[2]={3,-1}", "dimension 1 of its shape is -1"},
    {"RANDOM_UNIFORM", "", "i32[2]={65536,65536}", "is too large"},
    {"RANDOM_UNIFORM", "", "i64[2]={1,1}", "needs int32"},
    {"MULTINOMIAL", "", "f32[2,0] i32[]={3}", "have no classes"},
    {"MULTINOMIAL", "", "f32[2,3] i32[]={-3}", "the number of samples is -3"},
    {"LSH_PROJECTION", "type=1", "f32[2,33] i32[3]", "at most 32 bits"},
    {"LSH_PROJECTION", "type=0", "f32[2,3] i32[3]", "must be SPARSE"},
    {"LSH_PROJECTION", "type=1", "f32[2,3] i32[3] f32[2]", "2 weights for 3 items"},
    {"SKIP_GRAM", "", "f32[1]", "needs string"},
};

static lc_status infer_text(lc_arena *arena, const char *op, const char *options, const char *inputs, lc_infer_tensor *out, lc_error *err) {
    op_case c;
    const bool counted = inputs[0] && inputs[1] == ':'; /* "2:...": two outputs */
    case_parse(&c, arena, op, options, inputs + (counted ? 2 : 0));
    c.out_count = counted ? (uint32_t)(inputs[0] - '0') : 1;
    for (uint32_t i = 0; i < c.out_count; i++) c.out[i] = (case_tensor){.present = true, .type = LC_FLOAT32};
    return case_infer(&c, out, err);
}

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const refusal *r = &refusals[i];
        lc_arena arena = {0};
        lc_infer_tensor out[CASE_TENSORS];
        lc_error err;
        lc_error_clear(&err);
        lc_status status = infer_text(&arena, r->op, r->options, r->inputs, out, &err);
        if (!*r->why) {
            if (status != LC_OK) fail_msg("%s (%s) %s: refused: %s", r->op, r->options, r->inputs, err.message);
        } else {
            if (status != LC_INVALID && status != LC_UNSUPPORTED) fail_msg("%s (%s) %s: not refused", r->op, r->options, r->inputs);
            if (!strstr(err.message, r->why)) fail_msg("%s (%s) %s: says '%s'", r->op, r->options, r->inputs, err.message);
        }
        lc_arena_deinit(&arena);
    }
}

/* What the rules say when something is open: expected type[dims] of output 0. */
static const struct {
    const char *op, *options, *inputs, *want;
} answers[] = {
    {"RELU", "", "f32[?,4]", "f32[?,4]"},
    {"ADD", "", "f32[?,4] f32[4]", "f32[?,4]"},
    {"ADD", "", "f32[?,4] f32[1,4]", "f32[?,4]"},
    {"ADD", "", "f32[?,4] f32[3,1]", "f32[3,4]"},
    {"ADD", "", "f32[?,4] f32[?,4]", "f32[?,4]"},
    {"ADD", "", "f32[0,4] f32[1,4]", "f32[0,4]"},
    {"LESS", "", "f32[?] f32[]", "bool[?]"},
    {"SELECT_V2", "", "bool[?,1] f32[1,3] f32[]", "f32[?,3]"},
    {"CONV_2D", "stride_w=2 stride_h=2", "f32[?,28,28,1] f32[8,3,3,1] f32[8]", "f32[?,14,14,8]"},
    {"CONV_2D", "stride_w=2 stride_h=2 padding=1", "f32[?,?,28,1] f32[8,3,3,1]", "f32[?,?,13,8]"},
    {"CONV_2D", "stride_w=1 stride_h=1", "f32[?,4,4,?] f32[8,3,3,2]", "f32[?,4,4,8]"},
    {"CONV_2D", "stride_w=1 stride_h=1 padding=1", "f32[1,2,3,1] f32[1,3,3,1]", "f32[1,0,1,1]"},
    {"CONV_2D", "stride_w=1 stride_h=1", "f32[0,4,4,1] f32[2,3,3,1]", "f32[0,4,4,2]"},
    {"DEPTHWISE_CONV_2D", "stride_w=1 stride_h=1", "f32[?,5,5,2] f32[1,3,3,4]", "f32[?,5,5,4]"},
    {"MAX_POOL_2D", "stride_w=2 stride_h=2 filter_width=2 filter_height=2 padding=1", "f32[?,5,?,3]", "f32[?,2,?,3]"},
    {"FULLY_CONNECTED", "", "f32[?,784] f32[10,784] f32[10]", "f32[?,10]"},
    {"FULLY_CONNECTED", "", "f32[?,28,28] f32[10,784] -", "f32[?,10]"},
    {"FULLY_CONNECTED", "keep_num_dims=1", "f32[?,7,4] f32[10,4]", "f32[?,7,10]"},
    {"FULLY_CONNECTED", "", "f32[0,4] f32[10,4]", "f32[0,10]"},
    {"FULLY_CONNECTED", "", "f32[3,0] f32[4,0]", "f32[3,4]"},
    {"FULLY_CONNECTED", "none", "f32[3,5] f32[4,5]", "f32[3,4]"},
    {"RESHAPE", "", "f32[?,28,28,1] i32[2]={-1,784}", "f32[?,784]"},
    {"RESHAPE", "", "f32[?,28,28,1] i32[2]={1,784}", "f32[1,784]"},
    {"RESHAPE", "", "f32[2,6] i32[2]", "f32[?,?]"},
    {"RESHAPE", "new_shape=-1,3", "f32[2,6]", "f32[4,3]"},
    {"RESHAPE", "new_shape=4,3", "f32[2,6] i64[2]={3,4}", "f32[4,3]"}, /* a shape tensor of another type is passed over, as in LiteRT */
    {"RESHAPE", "new_shape=0", "f32[1]", "f32[]"},
    {"RESHAPE", "", "f32[0,5] i32[3]={5,-1,2}", "f32[5,0,2]"},
    {"SQUEEZE", "", "f32[?,1,3]", "f32[?,3]"},
    {"SQUEEZE", "squeeze_dims=0", "f32[?,1,3]", "f32[1,3]"},
    {"EXPAND_DIMS", "", "f32[?,3] i32[]={-1}", "f32[?,3,1]"},
    {"EXPAND_DIMS", "", "f32[?,3] i32[]", "f32[?,?,?]"},
    {"SHAPE", "out_type=2", "f32[?,3]", "i32[2]"},
    {"CONCATENATION", "axis=1", "f32[?,2] f32[?,3]", "f32[?,5]"},
    {"CONCATENATION", "axis=1", "f32[?,2] f32[4,3]", "f32[4,5]"},
    {"CONCATENATION", "axis=0", "f32[?,2] f32[4,2]", "f32[?,2]"},
    {"PACK", "values_count=2 axis=1", "f32[?] f32[3]", "f32[3,2]"},
    {"PAD", "", "f32[?,3] i32[2,2]={0,0,1,2}", "f32[?,6]"},
    {"PAD", "", "f32[?,3] i32[2,2]", "f32[?,?]"},
    {"MEAN", "", "f32[?,7,7,5] i32[2]={1,2}", "f32[?,5]"},
    {"MEAN", "keep_dims=1", "f32[?,7,7,5] i32[2]={1,2}", "f32[?,1,1,5]"},
    {"SUM", "keep_dims=1", "f32[2,3] i32[1]", "f32[?,?]"},
    {"SUM", "", "f32[2,3] i32[0]={}", "f32[2,3]"},
    {"SUM", "", "f32[] i32[1]={5}", "f32[]"},
    {"TRANSPOSE", "", "f32[?,3,4] i32[3]={0,2,1}", "f32[?,4,3]"},
    {"TRANSPOSE", "", "f32[2,3] i32[2]", "f32[?,?]"},
    {"CAST", "", "i32[?,2]", "f32[?,2]"},
    {"SLICE", "", "f32[?,5] i32[2]={0,1} i32[2]={-1,2}", "f32[?,2]"},
    {"SLICE", "", "f32[3,5] i32[2] i32[2]={1,2}", "f32[1,2]"},
    {"SLICE", "", "f32[3,5] i32[2]={0,0} i32[2]", "f32[?,?]"},
    {"STRIDED_SLICE", "begin_mask=1 end_mask=1", "f32[?,5] i32[2]={0,1} i32[2]={0,3} i32[2]={1,1}", "f32[?,2]"},
    {"STRIDED_SLICE", "shrink_axis_mask=1", "f32[?,5] i32[1]={0} i32[1]={1} i32[1]={1}", "f32[5]"},
    {"STRIDED_SLICE", "shrink_axis_mask=1", "f32[3,5] i32[1] i32[1] i32[1]={1}", "f32[5]"},
    {"STRIDED_SLICE", "", "f32[3,5] i32[1] i32[1] i32[1]={1}", "f32[?,5]"},
    {"STRIDED_SLICE", "offset=1", "f32[3,5] i32[2] i32[2]={2,3} i32[2]={1,1}", "f32[2,3]"},
    {"STRIDED_SLICE", "new_axis_mask=1", "f32[?] i32[1]={0} i32[1]={0} i32[1]={1}", "f32[1,?]"},
    {"STRIDED_SLICE", "shrink_axis_mask=1", "i32[4] i32[1]={0} i32[1]={1} i32[1]={1}", "i32[]"},
    {"LOGICAL_NOT", "", "bool[?]", "bool[?]"},
    {"BATCH_MATMUL", "adj_y=1", "f32[?,3,4] f32[5,4]", "f32[?,3,5]"},
    {"GATHER", "axis=1", "f32[?,5] i32[3]", "f32[?,3]"},
    {"ONE_HOT", "axis=-1", "i32[?] i32[] f32[] f32[]", "f32[?,?]"},
    {"SPLIT", "num_splits=1", "i32[]={0} f32[?,2]", "f32[?,2]"},
    {"SPLIT_V", "num_splits=1", "f32[?,2] i32[1]={-1} i32[]={0}", "f32[?,2]"},
    {"TILE", "", "f32[?,2] i32[2]={1,3}", "f32[?,6]"},
    {"TILE", "", "f32[?,2] i32[2]", "f32[?,?]"},
    {"BROADCAST_TO", "", "f32[?,2] i32[2]={4,2}", "f32[4,2]"},
    {"RANGE", "", "i32[] i32[]={5} i32[]={1}", "i32[?]"},
    {"RANGE", "", "i32[]={1} i32[]={6} i32[]={2}", "i32[3]"},
    {"RANGE", "", "f32[]={-1} f32[]={16777216} f32[]={1}", "f32[16777216]"}, /* counted in float, as TensorFlow does */
    {"ARG_MAX", "output_type=4", "f32[?,5] i32[]={1}", "i64[?]"},
    {"RESIZE_BILINEAR", "", "f32[?,2,2,3] i32[2]={4,5}", "f32[?,4,5,3]"},
    {"RESIZE_BILINEAR", "", "f32[?,2,2,3] i32[2]", "f32[?,?,?,3]"},
    {"TRANSPOSE_CONV", "stride_w=2 stride_h=2", "i32[4] f32[3,2,2,2] f32[?,2,2,2]", "f32[?,?,?,3]"},
    {"DEPTH_TO_SPACE", "block_size=2", "f32[?,2,2,4]", "f32[?,4,4,1]"},
    {"SPACE_TO_BATCH_ND", "", "f32[?,4,4,1] i32[2]={2,2} i32[2,2]={0,0,0,0}", "f32[?,2,2,1]"},
    {"CUMSUM", "", "f32[?,2] i32[]", "f32[?,2]"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "", "f32[?,5,3] " CELL(CELL_W, CELL_R, NONE3, CELL_B, "- - ", STATE), "f32[?,5,4]"},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "",
     "f32[2,?,?] " CELL(CELL_W, "- f32[4,6] f32[4,6] f32[4,6] ", NONE3, CELL_B, "f32[6,4] f32[6] ", "f32[2,6] f32[2,4]"), "f32[2,?,6]"},
    {"LSTM", "", "f32[2,3] " CELL(CELL_W, CELL_R, "- f32[4] f32[4] ", CELL_B, "- - ", "f32[8] f32[1,8]"), "f32[2,4]"},
    {"RNN", "", "f32[?,3] f32[4,3] f32[4,4] f32[4] f32[2,4]", "f32[?,4]"},
    {"SVDF", "rank=2", "f32[?,3] f32[4,3] f32[4,5] - f32[2,20]", "f32[?,2]"},
    {"RFFT2D", "", "f32[?,3,?] i32[2]={4,8}", "c64[?,4,5]"},
    {"RFFT2D", "", "f32[2,3] i32[2]", "c64[?,?]"},
    {"RANDOM_UNIFORM", "", "i32[3]", "f32[?,?,?]"},
    {"RANDOM_UNIFORM", "", "i32[2]={3,4}", "f32[3,4]"},
    {"MULTINOMIAL", "", "f32[?,3] i32[]={5}", "i64[?,5]"},
    {"LSH_PROJECTION", "type=2", "f32[2,3] i32[?]", "i32[6]"},
};

static void test_answers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        lc_arena arena = {0};
        lc_infer_tensor out[CASE_TENSORS];
        lc_error err;
        case_tensor want;
        char a[LC_SHAPE_TEXT], b[LC_SHAPE_TEXT];
        case_parse_tensor(answers[i].want, &want, &arena);
        if (infer_text(&arena, answers[i].op, answers[i].options, answers[i].inputs, out, &err) != LC_OK)
            fail_msg("%s (%s) %s: %s", answers[i].op, answers[i].options, answers[i].inputs, err.message);
        if (out[0].type != want.type || !lc_shape_equal(&out[0].shape, &want.shape))
            fail_msg("%s (%s) %s: %s%s and not %s%s", answers[i].op, answers[i].options, answers[i].inputs, lc_dtype_name(out[0].type),
                     lc_shape_text(&out[0].shape, a), lc_dtype_name(want.type), lc_shape_text(&want.shape, b));
        lc_arena_deinit(&arena);
    }
}

/* Options of another operator's table are refused; none at all are read as zeros. */
static void test_options_table(void **state) {
    (void)state;
    lc_arena arena = {0};
    lc_infer_tensor out[CASE_TENSORS];
    lc_error err;
    op_case c;
    case_parse(&c, &arena, "CONCATENATION", "axis=0", "f32[1] f32[1]");
    c.out_count = 1;
    lc_Pool2DOptions other = {0};
    c.node.attrs = &other;
    c.node.attrs_table = LC_TABLE_Pool2DOptions;
    assert_int_equal(case_infer(&c, out, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "has options Pool2DOptions, needs ConcatenationOptions"));
    c.node.attrs = NULL;
    c.node.attrs_table = LC_TABLE_NONE;
    assert_int_equal(case_infer(&c, out, &err), LC_OK);
    c.op = c.node.op = LC_OP_RELU; /* has no fields to get wrong */
    c.node.attrs = &other;
    c.node.attrs_table = LC_TABLE_Pool2DOptions;
    c.in_count = 1;
    assert_int_equal(case_infer(&c, out, &err), LC_OK);
    c.node.op = 999;
    assert_int_equal(case_infer(&c, out, &err), LC_INVALID);
    assert_int_equal(case_infer(&c, out, NULL), LC_INVALID);
    lc_arena_deinit(&arena);
}

/* Types that the rule takes from the output as it is declared, because inputs and options do not tell. */
static void test_declared_types(void **state) {
    (void)state;
    static const struct {
        const char *op, *in;
        lc_dtype declared, want;
    } types[] = {
        {"CAST", "f32[2]", LC_INT8, LC_INT8},
        {"CAST", "bool[2]", LC_FLOAT16, LC_FLOAT16},
        {"SOFTMAX", "i8[1,2]", LC_INT8, LC_INT8},
        {"SOFTMAX", "i8[1,2]", LC_INT16, LC_INT16},
        {"SOFTMAX", "f32[1,2]", LC_INT16, LC_FLOAT32},
        {"FULLY_CONNECTED", "u8[1,2] u8[3,2] i32[3]", LC_INT16, LC_INT16},
        {"FULLY_CONNECTED", "f32[1,2] i8[3,2] f32[3]", LC_INT16, LC_FLOAT32},
        {"RELU", "f32[2]", LC_INT8, LC_FLOAT32},
        {"EMBEDDING_LOOKUP", "i32[2] i8[3,2]", LC_FLOAT32, LC_FLOAT32},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        lc_arena arena = {0};
        lc_infer_tensor out[CASE_TENSORS];
        op_case c;
        case_parse(&c, &arena, types[i].op, "", types[i].in);
        c.out_count = 1;
        c.out[0] = (case_tensor){.present = true, .type = types[i].declared};
        assert_int_equal(case_infer(&c, out, NULL), LC_OK);
        if (out[0].type != types[i].want) fail_msg("%s %s: %s", types[i].op, types[i].in, lc_dtype_name(out[0].type));
        lc_arena_deinit(&arena);
    }
}

/* lc_graph_infer_node: what it writes into the graph, and that its messages name the node. */
static void test_graph(void **state) {
    (void)state;
    lc_model *model;
    lc_error err;
    int32_t dims[] = {1, 28, 28, 1}, signature[] = {-1, 28, 28, 1}, bad[] = {2, 2}, io[3], none = 0;
    static const int32_t shape[] = {-1, 784};
    lc_node *node;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_graph *g = model->graphs[0];
    lc_tensor x = {.name = LC_STR("x"), .type = LC_FLOAT32, .rank = 4, .dims = dims, .signature = signature},
              y = {.name = LC_STR("y"), .type = LC_INT8, .dims = &none};
    assert_int_equal(lc_graph_add_tensor(g, &x, &io[0], &err), LC_OK);
    assert_int_equal(lc_graph_add_tensor(g, &y, &io[1], &err), LC_OK);
    lc_ReshapeOptions o = {.new_shape = {shape, 2}};
    assert_int_equal(lc_graph_add_node(g, LC_OP_RESHAPE, LC_TABLE_ReshapeOptions, &o, &io[0], 1, &io[1], 1, &node, &err), LC_OK);
    node->layer = "flatten";
    assert_int_equal(lc_graph_infer_node(g, 0, &err), LC_OK);
    const lc_tensor *t = &g->tensors[io[1]];
    assert_true(t->type == LC_FLOAT32 && t->rank == 2 && t->dims[0] == 1 && t->dims[1] == 784);
    assert_true(t->signature && t->signature[0] == -1 && t->signature[1] == 784);
    size_t used = model->arena.used;
    assert_int_equal(lc_graph_infer_node(g, 0, &err), LC_OK);
    assert_int_equal(model->arena.used, used); /* nothing new, no memory */
    g->tensors[io[0]].signature = NULL;        /* a closed batch closes the output */
    assert_int_equal(lc_graph_infer_node(g, 0, &err), LC_OK);
    assert_true(g->tensors[io[1]].signature == NULL && g->tensors[io[1]].dims[0] == 1);
    g->tensors[io[0]].dims = bad;
    g->tensors[io[0]].rank = 2;
    assert_int_equal(lc_graph_infer_node(g, 0, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "node 0 RESHAPE \"flatten\": [2,2] has 4 elements"));
    node->layer = NULL;
    assert_int_equal(lc_graph_infer_node(g, 0, &err), LC_INVALID);
    assert_int_equal(strncmp(err.message, "node 0 RESHAPE: ", 16), 0);
    node->inputs[0] = 99;
    assert_int_equal(lc_graph_infer_node(g, 0, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "names tensor 99"));
    node->inputs[0] = io[0];
    node->outputs[0] = LC_ABSENT;
    assert_int_equal(lc_graph_infer_node(g, 0, &err), LC_INVALID);
    assert_int_equal(lc_graph_infer_node(g, 7, &err), LC_ARGUMENT);
    lc_model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_answers), cmocka_unit_test(test_options_table),
        cmocka_unit_test(test_declared_types), cmocka_unit_test(test_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
