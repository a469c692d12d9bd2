/*
 * test_kernels.c: what the reference kernels refuse: types they have no row for, tensors that are not what their shape says, operands
 * whose values at run time do not fit the planned shapes, indices outside their dimension. None may read or write outside its tensors
 * (run under a sanitizer) and each says why. What they compute is in test_ops.c.
 */
#include "case.h"

#include <math.h>

/* Inputs with ={...} have these values; others are zero. The output's shape is what somebody planned, rightly or not. */
static const struct {
    const char *op, *options, *in, *out;
    lc_status status;
    const char *why;
} rows[] = {
    /* types */
    {"CONV_2D", "stride_w=1 stride_h=1", "i8[1,2,2,1] i8[1,1,1,1] i32[1]", "i8[1,2,2,1]", LC_INVALID, "int8) is not quantised"},
    {"CONV_2D", "stride_w=1 stride_h=1", "f32[1,2,2,1] i8[1,1,1,1] f32[1]", "f32[1,2,2,1]", LC_INVALID,
     "filter (\"\", int8) is not quantised"},
    {"CONV_2D", "stride_w=1 stride_h=1", "i8[1,2,2,1] f32[1,1,1,1] f32[1]", "i8[1,2,2,1]", LC_UNSUPPORTED,
     "no kernel for these types: int8, float32, float32"},
    {"CONV_2D", "stride_w=1 stride_h=1", "f16[1,2,2,1] f16[1,1,1,1] f16[1]", "f16[1,2,2,1]", LC_UNSUPPORTED,
     "no kernel for these types: float16"},
    {"BATCH_MATMUL", "", "u8[2,2] u8[2,2]", "u8[2,2]", LC_UNSUPPORTED, "no kernel for these types: uint8"},
    {"TRANSPOSE_CONV", "stride_w=1 stride_h=1", "i32[4]={1,2,2,1} u8[1,1,1,1] i8[1,2,2,1]", "i8[1,2,2,1]", LC_UNSUPPORTED,
     "no kernel for these types"},
    {"CONV_3D", "stride_w=1 stride_h=1 stride_d=1", "i8[1,1,2,2,1] i8[1,1,1,1,1]", "i8[1,1,2,2,1]", LC_UNSUPPORTED,
     "CONV_3D kernel for int8"},
    {"DEPTHWISE_CONV_2D", "stride_w=1 stride_h=1", "u8[1,2,2,1] u8[1,1,1,1]", "u8[1,2,2,1]", LC_INVALID, "uint8) is not quantised"},
    {"FULLY_CONNECTED", "", "i8[1,2] i8[1,2] -", "i8[1,1]", LC_INVALID, "int8) is not quantised"},
    {"FULLY_CONNECTED", "", "f32[1,2] f32[1,2] i32[1]", "f32[1,1]", LC_UNSUPPORTED, "FULLY_CONNECTED kernel for int32"},
    {"SOFTMAX", "beta=1.0", "i8[1,2]", "i8[1,2]", LC_INVALID, "int8) is not quantised"},
    {"SOFTMAX", "beta=1.0", "i8[1,2]", "u8[1,2]", LC_UNSUPPORTED, "no kernel for these types: int8 -> uint8"},
    {"RELU", "", "i16[2]", "i16[2]", LC_INVALID, "int16) is not quantised"},
    {"EXP", "", "i32[2]", "i32[2]", LC_UNSUPPORTED, "no kernel for these types: int32"},
    {"ADD", "", "i8[2] i8[2]", "i8[2]", LC_INVALID, "int8) is not quantised"},
    {"SUB", "", "i16[2] i16[2]", "i16[2]", LC_UNSUPPORTED, "no kernel for these types: int16, int16"},
    {"MUL", "fused_activation_function=1", "c64[2] c64[2]", "c64[2]", LC_UNSUPPORTED, "fused activation 1 on complex64"},
    {"QUANTIZE", "", "f32[2]", "i32[2]", LC_UNSUPPORTED, "no kernel for these types: float32 -> int32"},
    {"DEQUANTIZE", "", "i32[2]", "f32[2]", LC_UNSUPPORTED, "no kernel for these types: int32 -> float32"},
    {"ADD", "fused_activation_function=4", "i32[2] i32[2]", "i32[2]", LC_UNSUPPORTED, "fused activation 4 on int32"},
    {"MEAN", "", "i8[2,2] i32[1]={0}", "i8[2]", LC_INVALID, "has no scale"},
    {"LESS", "", "c64[2] c64[2]", "bool[2]", LC_UNSUPPORTED, "no kernel for these types: complex64"},
    {"CAST", "", "str[0]", "f32[0]", LC_UNSUPPORTED, "CAST kernel for string"},
    {"CAST", "", "i32[2]", "i4[2]", LC_UNSUPPORTED, "CAST kernel for int4"},
    {"RESHAPE", "new_shape=2", "str[2]", "str[2]", LC_INVALID, "does not hold as many strings"},
    {"TRANSPOSE", "", "i4[2,2] i32[2]={1,0}", "i4[2,2]", LC_OK, ""},
    {"CONCATENATION", "axis=0", "i4[2] i4[2]", "i4[4]", LC_OK, ""},
    {"RESHAPE", "new_shape=4", "i4[2,2]", "i4[4]", LC_OK, ""}, /* bytes are bytes */
    {"CUSTOM", "", "f32[1]", "f32[1]", LC_UNSUPPORTED, "no kernel for CUSTOM"},
    /* values */
    {"DIV", "", "i32[2]={4,5} i32[2]={1,0}", "i32[2]", LC_INVALID, "DIV by zero (element 1)"},
    {"FLOOR_DIV", "", "i64[1]={4} i64[1]={0}", "i64[1]", LC_INVALID, "FLOOR_DIV by zero"},
    {"FLOOR_MOD", "", "i32[1]={4} i32[]={0}", "i32[1]", LC_INVALID, "FLOOR_MOD by zero"},
    {"FLOOR_MOD", "", "i8[2]={4,5} i8[2]={1,0}", "i8[2]", LC_INVALID, "FLOOR_MOD by zero (element 1)"},
    {"FLOOR_DIV", "", "i16[1]={4} i16[1]={0}", "i16[1]", LC_INVALID, "FLOOR_DIV by zero"},
    {"POW", "", "i32[1]={4} i32[1]={-1}", "i32[1]", LC_INVALID, "negative exponent"},
    {"GATHER", "axis=0", "f32[3] i32[2]={0,3}", "f32[2]", LC_INVALID, "index 3 is outside [0, 3)"},
    {"GATHER", "axis=0", "f32[3] i32[2]={0,-1}", "f32[2]", LC_INVALID, "index -1 is outside [0, 3)"},
    {"GATHER", "axis=0", "f32[3,0] i32[1]={9}", "f32[1,0]", LC_INVALID, "index 9"},
    {"GATHER_ND", "", "f32[3,2] i32[1,2]={2,2}", "f32[1]", LC_INVALID, "index 2 is outside [0, 2)"},
    {"EMBEDDING_LOOKUP", "", "i32[1]={3} f32[3,2]", "f32[1,2]", LC_INVALID, "index 3 is outside [0, 3)"},
    /* operands that changed since the run was planned */
    {"SLICE", "", "f32[4] i32[1]={3} i32[1]={2}", "f32[2]", LC_INVALID, "takes 2 of dimension 0"},
    {"SLICE", "", "f32[4] i32[1]={-1} i32[1]={2}", "f32[2]", LC_INVALID, "begin of dimension 0 is -1"},
    {"SLICE", "", "f32[4] i32[1]={1} i32[1]={2}", "f32[3]", LC_INVALID, "another output shape"},
    {"STRIDED_SLICE", "", "f32[4] i32[1]={0} i32[1]={4} i32[1]={1}", "f32[2]", LC_INVALID, "another output shape"},
    {"STRIDED_SLICE", "", "f32[4] i32[1]={0} i32[1]={4} i32[1]={0}", "f32[2]", LC_INVALID, "stride of entry 0 is 0"},
    {"STRIDED_SLICE", "shrink_axis_mask=1", "f32[4] i32[1]={4} i32[1]={5} i32[1]={1}", "f32[]", LC_INVALID, "takes index 4"},
    {"PAD", "", "f32[2] i32[1,2]={1,1}", "f32[3]", LC_INVALID, "another output shape"},
    {"PAD", "", "f32[2] i32[1,2]={-1,2}", "f32[3]", LC_INVALID, "another output shape"},
    {"MIRROR_PAD", "mode=0", "f32[2] i32[1,2]={2,0}", "f32[4]", LC_INVALID, "another output shape"},
    {"TRANSPOSE", "", "f32[2,3] i32[2]={0,1}", "f32[3,2]", LC_INVALID, "another output shape"},
    {"TRANSPOSE", "", "f32[2,2] i32[2]={0,0}", "f32[2,2]", LC_INVALID, "another output shape"},
    {"SUM", "", "f32[2,3] i32[1]={0}", "f32[2]", LC_INVALID, "another output shape"},
    {"SUM", "", "f32[2,3] i32[1]={5}", "f32[2]", LC_INVALID, "another output shape"},
    {"RESHAPE", "new_shape=4", "f32[4]", "f32[5]", LC_INVALID, "another output shape"},
    {"TILE", "", "f32[2] i32[1]={3}", "f32[4]", LC_INVALID, "another output shape"},
    {"BROADCAST_TO", "", "f32[2] i32[1]={3}", "f32[2]", LC_INVALID, "another output shape"},
    {"FILL", "", "i32[1]={3} f32[]", "f32[2]", LC_INVALID, "another output shape"},
    {"ARG_MAX", "output_type=2", "f32[2,3] i32[]={0}", "i32[2]", LC_INVALID, "another output shape"},
    {"ARG_MAX", "output_type=2", "f32[2,3] i32[]={7}", "i32[2]", LC_INVALID, "another output shape"},
    {"REVERSE_V2", "", "f32[2] i32[1]={3}", "f32[2]", LC_INVALID, "another output shape"},
    {"CUMSUM", "", "f32[2] i32[]={1}", "f32[2]", LC_INVALID, "another output shape"},
    {"ONE_HOT", "axis=-1", "i32[2] i32[]={3} f32[] f32[]", "f32[2,4]", LC_INVALID, "another output shape"},
    {"RESIZE_BILINEAR", "", "f32[1,2,2,1] i32[2]={3,3}", "f32[1,4,3,1]", LC_INVALID, "another output shape"},
    {"RESIZE_NEAREST_NEIGHBOR", "", "f32[1,2,2,1] i32[2]={3,3}", "f32[1,4,3,1]", LC_INVALID, "another output shape"},
    {"TRANSPOSE_CONV", "stride_w=1 stride_h=1", "i32[4]={1,3,2,1} f32[1,1,1,1] f32[1,2,2,1]", "f32[1,2,2,1]", LC_INVALID,
     "another output shape"},
    {"CONV_3D_TRANSPOSE", "stride_w=1 stride_h=1 stride_d=1", "i32[5]={1,1,3,2,1} f32[1,1,1,1,1] f32[1,1,2,2,1]", "f32[1,1,2,2,1]",
     LC_INVALID, "another output shape"},
    {"SPACE_TO_BATCH_ND", "", "f32[1,4,1] i32[1]={2} i32[1,2]={0,2}", "f32[2,2,1]", LC_INVALID, "another output shape"},
    {"BATCH_TO_SPACE_ND", "", "f32[2,2,1] i32[1]={2} i32[1,2]={0,1}", "f32[1,4,1]", LC_INVALID, "another output shape"},
    {"SPLIT", "num_splits=1", "i32[]={9} f32[4]", "f32[4]", LC_INVALID, "another output shape"},
    {"BROADCAST_ARGS", "", "i32[1]={3} i32[1]={2}", "i32[1]", LC_INVALID, "3 and 2 do not broadcast"},
};

static void *block(size_t size, const void *from, size_t n) {
    void *p = lc_malloc_aligned(size ? size : 1);
    assert_non_null(p);
    memset(p, 0, size);
    if (from) memcpy(p, from, n < size ? n : size);
    return p;
}

static size_t bytes_of(const case_tensor *t) {
    uint64_t n = 0, bytes = 0;
    assert_true(lc_shape_elements(&t->shape, &n));
    if (!lc_dtype_bytes(t->type, n, &bytes)) bytes = 16; /* strings: something */
    return (size_t)bytes;
}

static void test_refusals(void **state) {
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        lc_arena arena = {0};
        op_case c;
        lc_error err;
        lc_value values[CASE_TENSORS], *in[CASE_TENSORS], to, *out[1] = {&to};
        lc_error_clear(&err);
        case_parse(&c, &arena, rows[r].op, rows[r].options, rows[r].in);
        case_parse_tensor(rows[r].out, &c.out[0], &arena);
        for (uint32_t i = 0; i < c.in_count; i++) {
            size_t size = c.in[i].present ? bytes_of(&c.in[i]) : 0;
            values[i] =
                (lc_value){.type = c.in[i].type, .shape = c.in[i].shape, .size = size, .data = block(size, c.in[i].data, c.in[i].size)};
            in[i] = c.in[i].present ? &values[i] : NULL;
        }
        to = (lc_value){.type = c.out[0].type, .shape = c.out[0].shape, .size = bytes_of(&c.out[0])};
        to.data = block(to.size, NULL, 0);
        lc_status status = lc_kernel_run_once(&c.node, in, c.in_count, out, 1, NULL, &arena, &err);
        if (status != rows[r].status)
            fail_msg("%s %s: %s, want %s: %s", rows[r].op, rows[r].in, lc_status_name(status), lc_status_name(rows[r].status), err.message);
        if (!strstr(err.message, rows[r].why)) fail_msg("%s %s: says '%s'", rows[r].op, rows[r].in, err.message);
        if (status == LC_UNSUPPORTED && !strstr(err.message, "activation")) assert_true(err.hint[0]);
        for (uint32_t i = 0; i < c.in_count; i++) lc_free_aligned(values[i].data);
        lc_free_aligned(to.data);
        lc_arena_deinit(&arena);
    }
}

/* A constant shorter than its shape says, sparse weights, quantised tensors whose scales are missing or no numbers. */
static void test_bad_tensors(void **state) {
    (void)state;
    lc_arena arena = {0};
    lc_error err;
    op_case c;
    float four[4] = {0};
    static const float scale[] = {0.5f};
    const lc_QuantizationParameters quant = {.scale = {scale, 1}};
    const lc_SparsityParameters sparsity = {0};
    lc_tensor sparse = {.sparsity = &sparsity}, quantised = {.quant = &quant};
    int32_t paddings[2] = {1, 1};
    lc_value x = {.type = LC_FLOAT32, .shape = {1, {4}}, .data = four, .size = 12}, out = x, *in[2] = {&x, &x}, *to[1] = {&out};
    case_parse(&c, &arena, "RELU", "", "f32[4]");
    assert_int_equal(lc_kernel_run_once(&c.node, in, 1, to, 1, NULL, &arena, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "has 12 bytes, its type and shape need 16"));
    x.size = 16;
    x.def = &sparse;
    assert_int_equal(lc_kernel_run_once(&c.node, in, 1, to, 1, NULL, &arena, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "sparse"));
    x = (lc_value){.type = LC_INT8, .shape = {1, {4}}, .data = four, .size = 4, .def = &quantised};
    out = x;
    out.size = 16;
    case_parse(&c, &arena, "CONCATENATION", "", "i8[4] i8[4]");
    out.def = &quantised;
    x.def = NULL;
    assert_int_equal(lc_kernel_run_once(&c.node, in, 2, to, 1, NULL, &arena, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "has no scale"));
    static const float nothing[] = {NAN};
    const lc_QuantizationParameters bad = {.scale = {nothing, 1}};
    lc_tensor damaged = {.quant = &bad};
    lc_value p = {.type = LC_INT32, .shape = {2, {1, 2}}, .data = paddings, .size = 8};
    in[1] = &p;
    out.def = &damaged;
    case_parse(&c, &arena, "PAD", "", "i8[4] i32[1,2]");
    assert_int_equal(lc_kernel_run_once(&c.node, in, 2, to, 1, NULL, &arena, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "not a positive number"));
    lc_arena_deinit(&arena);
}

/* Quantised operators refuse scales and zero points that make no sense, on each of their tensors, and values that have no answer. */
static void test_bad_scales(void **state) {
    (void)state;
    static const struct {
        const char *op, *in, *out;
    } ops[] = {
        {"ADD", "i8[4] i8[4]", "i8[4]"},
        {"SUB", "u8[4] u8[4]", "u8[4]"},
        {"MUL", "i8[4] i8[4]", "i8[4]"},
        {"DIV", "u8[4] u8[4]", "u8[4]"},
        {"SQUARED_DIFFERENCE", "i8[4] i8[4]", "i8[4]"},
        {"RELU", "i8[4]", "i8[4]"},
        {"LEAKY_RELU", "u8[4]", "u8[4]"},
        {"HARD_SWISH", "i8[4]", "i8[4]"},
        {"LOGISTIC", "i8[4]", "i8[4]"},
        {"TANH", "i16[4]", "i16[4]"},
        {"ELU", "i8[4]", "i8[4]"},
        {"GELU", "u8[4]", "u8[4]"},
        {"PRELU", "i8[4] i8[4]", "i8[4]"},
        {"ABS", "i8[4]", "i8[4]"},
        {"SQRT", "i8[4]", "i8[4]"},
        {"RSQRT", "i16[4]", "i16[4]"},
        {"EXP", "i8[4]", "i8[4]"},
        {"LOG", "i16[4]", "i16[4]"},
        {"SOFTMAX", "i8[4]", "i8[4]"},
        {"SOFTMAX", "i16[4]", "i16[4]"},
        {"LOG_SOFTMAX", "u8[4]", "u8[4]"},
        {"L2_NORMALIZATION", "i8[4]", "i8[4]"},
        {"QUANTIZE", "i16[4]", "i8[4]"},
        {"QUANTIZE", "f32[4]", "u8[4]"},
        {"DEQUANTIZE", "i8[4]", "f32[4]"},
        {"EQUAL", "i8[4] i8[4]", "bool[4]"},
    };
    static const float good[] = {0.5f}, two[] = {0.5f, 0.5f}, zero[] = {0}, negative[] = {-1}, none[] = {NAN}, endless[] = {INFINITY};
    static const int64_t here[] = {0}, far[] = {40000};
    const lc_QuantizationParameters fine = {.scale = {good, 1}, .zero_point = {here, 1}};
    const lc_QuantizationParameters bad[] = {
        {.scale = {two, 2}},  {.scale = {zero, 1}},    {.scale = {negative, 1}},
        {.scale = {none, 1}}, {.scale = {endless, 1}}, {.scale = {good, 1}, .zero_point = {far, 1}},
    };
    for (size_t o = 0; o < sizeof ops / sizeof *ops; o++)
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++)
            for (uint32_t which = 0; which < 3; which++) {
                lc_arena arena = {0};
                lc_error err;
                op_case c;
                float data[3][4] = {{0}};
                lc_tensor def[3] = {{.quant = &fine}, {.quant = &fine}, {.quant = &fine}};
                lc_value v[3], *in[2] = {&v[0], &v[1]}, *out[1] = {&v[2]};
                lc_error_clear(&err);
                case_parse(&c, &arena, ops[o].op, "", ops[o].in);
                case_parse_tensor(ops[o].out, &c.out[0], &arena);
                const case_tensor *t = which < 2 ? &c.in[which] : &c.out[0];
                if ((which == 1 && c.in_count < 2) || t->type == LC_FLOAT32 || t->type == LC_BOOL) {
                    lc_arena_deinit(&arena);
                    continue;
                }
                def[which].quant = &bad[b];
                for (uint32_t i = 0; i < 3; i++) {
                    const case_tensor *from = i < 2 ? &c.in[i] : &c.out[0];
                    v[i] = (lc_value){.type = from->type, .shape = {1, {4}}, .data = data[i], .size = 16, .def = &def[i]};
                }
                const lc_status status = lc_kernel_run_once(&c.node, in, c.in_count, out, 1, NULL, &arena, &err);
                if (status != LC_INVALID)
                    fail_msg("%s %s: scale %zu on tensor %u: %s %s", ops[o].op, ops[o].in, b, which, lc_status_name(status), err.message);
                assert_true(err.message[0] && err.hint[0]);
                lc_arena_deinit(&arena);
            }
}

/* Numbers a quantised operator has no answer for are an error of the run. */
static void test_no_answer(void **state) {
    (void)state;
    static const struct {
        const char *op, *in, *why;
    } ops[] = {
        {"DIV", "i8[2] i8[2]", "DIV by zero (element 1)"},
        {"SQRT", "i8[2]", "SQRT of a negative number (element 0)"},
        {"RSQRT", "i8[2]", "RSQRT of a negative number (element 0)"},
    };
    static const float scale[] = {0.5f};
    static const int64_t zero[] = {3};
    const lc_QuantizationParameters quant = {.scale = {scale, 1}, .zero_point = {zero, 1}};
    lc_tensor def = {.quant = &quant};
    for (size_t o = 0; o < sizeof ops / sizeof *ops; o++) {
        lc_arena arena = {0};
        lc_error err;
        op_case c;
        int8_t a[2] = {2, 5}, b[2] = {1, 3}, to[2];
        lc_value x = {.type = LC_INT8, .shape = {1, {2}}, .data = a, .size = 2, .def = &def}, y = x, z = x, *in[2] = {&x, &y},
                 *out[1] = {&z};
        y.data = b;
        z.data = to;
        lc_error_clear(&err);
        case_parse(&c, &arena, ops[o].op, "", ops[o].in);
        assert_int_equal(lc_kernel_run_once(&c.node, in, c.in_count, out, 1, NULL, &arena, &err), LC_INVALID);
        if (!strstr(err.message, ops[o].why)) fail_msg("%s: says '%s'", ops[o].op, err.message);
        lc_arena_deinit(&arena);
    }
}

static void test_activation_range(void **state) {
    (void)state;
    float low, high;
    assert_true(lc_activation_range(LC_ActivationFunctionType_NONE, &low, &high) && low == -INFINITY && high == INFINITY);
    assert_true(lc_activation_range(LC_ActivationFunctionType_RELU, &low, &high) && low == 0 && high == INFINITY);
    assert_true(lc_activation_range(LC_ActivationFunctionType_RELU6, &low, &high) && low == 0 && high == 6);
    assert_true(lc_activation_range(LC_ActivationFunctionType_RELU_N1_TO_1, &low, &high) && low == -1 && high == 1);
    assert_false(lc_activation_range(LC_ActivationFunctionType_TANH, &low, &high));
    assert_false(lc_activation_range(LC_ActivationFunctionType_SIGN_BIT, &low, &high));
    assert_false(lc_activation_range(99, &low, &high));
}

/* NaN and infinity go through the way arithmetic says, not the way a comparison happens to fall. */
static void test_not_numbers(void **state) {
    (void)state;
    static const char *const names[] = {"RELU", "RELU6", "RELU_N1_TO_1", "LOGISTIC", "TANH",  "ELU",   "HARD_SWISH",
                                        "ABS",  "NEG",   "SQRT",         "EXP",      "ROUND", "FLOOR", "SIGN"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        lc_arena arena = {0};
        op_case c;
        float a[2] = {NAN, INFINITY}, b[2] = {0, 0};
        lc_value x = {.type = LC_FLOAT32, .shape = {1, {2}}, .data = a, .size = 8}, y = x, *in[1] = {&x}, *out[1] = {&y};
        y.data = b;
        case_parse(&c, &arena, names[i], "", "f32[2]");
        assert_int_equal(lc_kernel_run_once(&c.node, in, 1, out, 1, NULL, &arena, NULL), LC_OK);
        if (!isnan(b[0])) fail_msg("%s of NaN is %g", names[i], (double)b[0]);
        assert_false(isnan(b[1]));
        lc_arena_deinit(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),  cmocka_unit_test(test_bad_tensors),      cmocka_unit_test(test_bad_scales),
        cmocka_unit_test(test_no_answer), cmocka_unit_test(test_activation_range), cmocka_unit_test(test_not_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
