/*
 * test_kernels.c: what the reference kernels refuse: types they have no row for, tensors that are not what their shape says, operands
 * whose values at run time do not fit the planned shapes, indices outside their dimension. None may read or write outside its tensors
 * (run under a sanitizer) and each says why. What they compute is in test_ops.c.
 */
#include "case.h"

#include <math.h>

/* Inputs with ={...} have these values; others are zero. The output's shape is what somebody planned, rightly or not. */
static const struct { const char *op, *options, *in, *out; lc_status status; const char *why; } rows[] = {
    /* types */
    {"CONV_2D", "stride_w=1 stride_h=1", "i8[1,2,2,1] i8[1,1,1,1] i32[1]", "i8[1,2,2,1]", LC_UNSUPPORTED, "no CONV_2D kernel for int8"},
    {"CONV_2D", "stride_w=1 stride_h=1", "f32[1,2,2,1] i8[1,1,1,1] f32[1]", "f32[1,2,2,1]", LC_UNSUPPORTED, "no CONV_2D kernel for int8"},
    {"DEPTHWISE_CONV_2D", "stride_w=1 stride_h=1", "u8[1,2,2,1] u8[1,1,1,1]", "u8[1,2,2,1]", LC_UNSUPPORTED, "DEPTHWISE_CONV_2D kernel for uint8"},
    {"FULLY_CONNECTED", "", "i8[1,2] i8[1,2] -", "i8[1,1]", LC_UNSUPPORTED, "FULLY_CONNECTED kernel for int8"},
    {"FULLY_CONNECTED", "", "f32[1,2] f32[1,2] i32[1]", "f32[1,1]", LC_UNSUPPORTED, "FULLY_CONNECTED kernel for int32"},
    {"SOFTMAX", "beta=1.0", "i8[1,2]", "i8[1,2]", LC_UNSUPPORTED, "SOFTMAX kernel for int8"},
    {"RELU", "", "i16[2]", "i16[2]", LC_UNSUPPORTED, "RELU kernel for int16"},
    {"EXP", "", "i32[2]", "i32[2]", LC_UNSUPPORTED, "EXP kernel for int32"},
    {"ADD", "", "i8[2] i8[2]", "i8[2]", LC_UNSUPPORTED, "ADD kernel for int8"},
    {"ADD", "fused_activation_function=4", "i32[2] i32[2]", "i32[2]", LC_UNSUPPORTED, "fused activation 4 on int32"},
    {"MEAN", "", "i8[2,2] i32[1]={0}", "i8[2]", LC_UNSUPPORTED, "MEAN kernel for int8"},
    {"LESS", "", "f16[2] f16[2]", "bool[2]", LC_UNSUPPORTED, "LESS kernel for float16"},
    {"CAST", "", "str[0]", "f32[0]", LC_UNSUPPORTED, "CAST kernel for string"},
    {"CAST", "", "f32[2]", "i4[2]", LC_UNSUPPORTED, "CAST kernel for int4"},
    {"RESHAPE", "new_shape=2", "str[2]", "str[2]", LC_UNSUPPORTED, "RESHAPE kernel for string"},
    {"TRANSPOSE", "", "i4[2,2] i32[2]={1,0}", "i4[2,2]", LC_UNSUPPORTED, "TRANSPOSE kernel for int4"},
    {"CONCATENATION", "axis=0", "i4[2] i4[2]", "i4[4]", LC_UNSUPPORTED, "CONCATENATION kernel for int4"},
    {"RESHAPE", "new_shape=4", "i4[2,2]", "i4[4]", LC_OK, ""}, /* bytes are bytes */
    {"CUSTOM", "", "f32[1]", "f32[1]", LC_UNSUPPORTED, "no kernel for CUSTOM"},
    /* values */
    {"DIV", "", "i32[2]={4,5} i32[2]={1,0}", "i32[2]", LC_INVALID, "DIV by zero (element 1)"},
    {"FLOOR_DIV", "", "i64[1]={4} i64[1]={0}", "i64[1]", LC_INVALID, "FLOOR_DIV by zero"},
    {"FLOOR_MOD", "", "i32[1]={4} i32[]={0}", "i32[1]", LC_INVALID, "FLOOR_MOD by zero"},
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
    {"TRANSPOSE_CONV", "stride_w=1 stride_h=1", "i32[4]={1,3,2,1} f32[1,1,1,1] f32[1,2,2,1]", "f32[1,2,2,1]", LC_INVALID, "another output shape"},
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
            values[i] = (lc_value){
                .type = c.in[i].type, .shape = c.in[i].shape, .size = size, .data = block(size, c.in[i].data, c.in[i].size)};
            in[i] = c.in[i].present ? &values[i] : NULL;
        }
        to = (lc_value){.type = c.out[0].type, .shape = c.out[0].shape, .size = bytes_of(&c.out[0])};
        to.data = block(to.size, NULL, 0);
        lc_status status = lc_kernel_run_once(&c.node, in, c.in_count, out, 1, NULL, &arena, &err);
        if (status != rows[r].status)
            fail_msg("%s %s: %s, want %s: %s", rows[r].op, rows[r].in, lc_status_name(status), lc_status_name(rows[r].status),
                     err.message);
        if (!strstr(err.message, rows[r].why)) fail_msg("%s %s: says '%s'", rows[r].op, rows[r].in, err.message);
        if (status == LC_UNSUPPORTED && !strstr(err.message, "activation")) assert_true(err.hint[0]);
        for (uint32_t i = 0; i < c.in_count; i++) lc_free_aligned(values[i].data);
        lc_free_aligned(to.data);
        lc_arena_deinit(&arena);
    }
}

/* A constant shorter than its shape says, sparse weights, quantised tensors where the numbers would have to be scaled. */
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
    static const char *const names[] = {"EQUAL", "CONCATENATION"};
    for (int i = 0; i < 2; i++) {
        case_parse(&c, &arena, names[i], "", "i8[4] i8[4]");
        assert_int_equal(lc_kernel_run_once(&c.node, in, 2, to, 1, NULL, &arena, &err), LC_UNSUPPORTED);
        assert_non_null(strstr(err.message, "int8"));
    }
    lc_value p = {.type = LC_INT32, .shape = {2, {1, 2}}, .data = paddings, .size = 8};
    in[1] = &p;
    case_parse(&c, &arena, "PAD", "", "i8[4] i32[1,2]");
    assert_int_equal(lc_kernel_run_once(&c.node, in, 2, to, 1, NULL, &arena, &err), LC_UNSUPPORTED);
    lc_arena_deinit(&arena);
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
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_bad_tensors),
        cmocka_unit_test(test_activation_range),
        cmocka_unit_test(test_not_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
