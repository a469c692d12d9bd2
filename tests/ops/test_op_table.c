/*
 * test_op_table.c: ops.def against itself and against the schema, and the questions op.h answers about a node: called graphs, fused
 * activation, multiply-accumulates, lowest operator version (the expected versions are those LiteRT's converter writes).
 */
#include "case.h"

static void test_table(void **state) {
    (void)state;
    for (int32_t i = 0; i < LC_OP_COUNT; i++) {
        const lc_op_def *d = lc_op_get(i);
        assert_non_null(d);
        assert_string_equal(lc_op_def_name(d), lc_op_name(i));
        assert_true(lc_op_family(i)[0] != 0);
        assert_true(d->in_min >= 0 && (d->in_max < 0 || d->in_max >= d->in_min));
        assert_true(d->out_min >= 0 && (d->out_max < 0 || d->out_max >= d->out_min));
        assert_true(d->options >= LC_TABLE_NONE && d->options < LC_TABLE_COUNT);
        if (lc_kernel_ref(i)) assert_non_null(d->infer);
        if (lc_kernel_fast(i)) assert_non_null(lc_kernel_ref(i));
        if (d->flags & LC_OPF_INPLACE) assert_true(d->flags & LC_OPF_ELEMENTWISE || i == LC_OP_SOFTMAX || i == LC_OP_LOG_SOFTMAX);
        if (d->flags & LC_OPF_COMMUTES) assert_int_equal(d->in_max, 2);
        for (int32_t k = 0; k < i; k++) assert_string_not_equal(lc_op_def_name(d), lc_op_name(k));
        /* a table is an option of the operator's own name, or is shared by a family that the schema lets share it */
        if (d->options != LC_TABLE_NONE) {
            lc_node node = {.op = i, .attrs_table = d->options, .attrs = (void *)(uintptr_t)lc_op_attrs(&(lc_node){0}, d->options)};
            bool has = false;
            for (LC_EACH_FIELD(f, d->options)) has |= !strcmp(lc_field_name(f), "fused_activation_function");
            assert_int_equal(lc_op_fused_act(&node) != NULL, has && (d->flags & LC_OPF_FUSED_ACT));
            if (d->flags & LC_OPF_FUSED_ACT) assert_true(has);
        } else {
            assert_false(d->flags & LC_OPF_FUSED_ACT);
        }
    }
    assert_null(lc_op_get(-1));
    assert_null(lc_op_get(LC_OP_COUNT));
    assert_string_equal(lc_op_name(-1), "UNKNOWN");
    assert_string_equal(lc_op_name(1 << 20), "UNKNOWN");
    assert_null(lc_kernel_ref(-1));
    assert_null(lc_kernel_fast(LC_OP_COUNT));
}

static void test_calls(void **state) {
    (void)state;
    static const int32_t list[] = {7, 8, 9};
    lc_IfOptions a = {.then_subgraph_index = 3, .else_subgraph_index = 4};
    lc_WhileOptions b = {.cond_subgraph_index = 1, .body_subgraph_index = 2};
    lc_CallOptions c = {.subgraph = 5};
    lc_CallOnceOptions d = {.init_subgraph_index = 6};
    lc_StablehloCaseOptions e = {.branch_subgraph_indices = {list, 3}};
    lc_StablehloCustomCallOptions f = {.called_computations = {list, 2}};
    lc_StableHLOCompositeOptions g = {.decomposition_subgraph_index = 11};
    lc_StablehloReduceOptions h = {.body_subgraph_index = 12};
    lc_StablehloReduceWindowOptions i = {.body_subgraph_index = 13};
    lc_StablehloScatterOptions j = {.update_computation_subgraph_index = 14};
    lc_StablehloSortOptions k = {.comparator_subgraph_index = 15};
    lc_StablehloWhileOptions l = {.cond_subgraph_index = 16, .body_subgraph_index = 17};
    const struct {
        int32_t op;
        lc_table_id table;
        void *attrs;
        uint32_t n;
        int32_t want[3];
    } rows[] = {{LC_OP_IF, LC_TABLE_IfOptions, &a, 2, {3, 4}},
                {LC_OP_WHILE, LC_TABLE_WhileOptions, &b, 2, {1, 2}},
                {LC_OP_CALL, LC_TABLE_CallOptions, &c, 1, {5}},
                {LC_OP_CALL_ONCE, LC_TABLE_CallOnceOptions, &d, 1, {6}},
                {LC_OP_STABLEHLO_CASE, LC_TABLE_StablehloCaseOptions, &e, 3, {7, 8, 9}},
                {LC_OP_STABLEHLO_CUSTOM_CALL, LC_TABLE_StablehloCustomCallOptions, &f, 2, {7, 8}},
                {LC_OP_STABLEHLO_COMPOSITE, LC_TABLE_StableHLOCompositeOptions, &g, 1, {11}},
                {LC_OP_STABLEHLO_REDUCE, LC_TABLE_StablehloReduceOptions, &h, 1, {12}},
                {LC_OP_STABLEHLO_REDUCE_WINDOW, LC_TABLE_StablehloReduceWindowOptions, &i, 1, {13}},
                {LC_OP_STABLEHLO_SCATTER, LC_TABLE_StablehloScatterOptions, &j, 1, {14}},
                {LC_OP_STABLEHLO_SORT, LC_TABLE_StablehloSortOptions, &k, 1, {15}},
                {LC_OP_STABLEHLO_WHILE, LC_TABLE_StablehloWhileOptions, &l, 2, {16, 17}},
                {LC_OP_ADD, LC_TABLE_NONE, NULL, 0, {0}}};
    size_t calling = 0;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        lc_node node = {.op = rows[r].op, .attrs_table = rows[r].table, .attrs = rows[r].attrs};
        int32_t got[3];
        assert_int_equal(lc_op_calls(&node, got, 3), rows[r].n);
        for (uint32_t n = 0; n < rows[r].n; n++) assert_int_equal(got[n], rows[r].want[n]);
        assert_int_equal(lc_op_calls(&node, NULL, 0), rows[r].n);
        calling += rows[r].n > 0;
    }
    for (int32_t op = 0; op < LC_OP_COUNT; op++) calling -= (lc_op_get(op)->flags & LC_OPF_CALLS) != 0;
    assert_int_equal(calling, 0); /* every operator with CALLS is in the list above */
}

/* A graph of one node from text; in and out are tensors as case_parse_tensor reads them. */
typedef struct scene {
    lc_arena arena;
    lc_model model;
    lc_graph graph;
    lc_tensor tensors[16];
    int32_t in[8], out[4];
    op_case c;
} scene;

static void scene_make(scene *s, const char *op, const char *options, const char *in, const char *out) {
    memset(s, 0, sizeof *s);
    case_parse(&s->c, &s->arena, op, options, in);
    s->c.out_count = case_parse_tensors(out, s->c.out, &s->arena);
    s->graph = (lc_graph){.model = &s->model, .tensors = s->tensors};
    for (uint32_t i = 0; i < s->c.in_count + s->c.out_count; i++) {
        bool input = i < s->c.in_count;
        case_tensor *t = input ? &s->c.in[i] : &s->c.out[i - s->c.in_count];
        int32_t *index = input ? &s->in[i] : &s->out[i - s->c.in_count];
        *index = t->present ? (int32_t)s->graph.tensor_count : LC_ABSENT;
        if (!t->present) continue;
        for (int32_t d = 0; d < t->shape.rank; d++) t->shape.dims[d] = t->shape.dims[d] < 0 ? 1 : t->shape.dims[d];
        s->tensors[s->graph.tensor_count++] = (lc_tensor){.type = t->type, .rank = t->shape.rank, .dims = t->shape.dims};
    }
    s->c.node.inputs = s->in;
    s->c.node.outputs = s->out;
    s->c.node.input_count = s->c.in_count;
    s->c.node.output_count = s->c.out_count;
}

static void test_macs(void **state) {
    (void)state;
    static const struct {
        const char *op, *options, *in, *out;
        uint64_t macs;
    } rows[] = {
        {"CONV_2D", "", "f32[1,28,28,3] f32[16,3,3,3] f32[16]", "f32[1,14,14,16]", 14 * 14 * 16 * 27},
        {"CONV_2D", "", "f32[?,28,28,4] f32[16,3,3,2]", "f32[?,14,14,16]", 14 * 14 * 16 * 18},
        {"DEPTHWISE_CONV_2D", "", "f32[2,8,8,4] f32[1,5,5,4]", "f32[2,8,8,4]", 2 * 8 * 8 * 4 * 25},
        {"FULLY_CONNECTED", "", "f32[3,784] f32[10,784] -", "f32[3,10]", 3 * 10 * 784},
        {"BATCH_MATMUL", "", "f32[2,3,4] f32[2,4,5]", "f32[2,3,5]", 2 * 3 * 5 * 4},
        {"BATCH_MATMUL", "adj_x=1", "f32[2,4,3] f32[2,4,5]", "f32[2,3,5]", 2 * 3 * 5 * 4},
        {"TRANSPOSE_CONV", "", "i32[4] f32[6,3,3,2] f32[1,4,4,2]", "f32[1,8,8,6]", 4 * 4 * 2 * 6 * 9},
        {"CONV_3D", "", "f32[1,4,4,4,2] f32[3,3,3,2,5]", "f32[1,4,4,4,5]", 64 * 5 * 27 * 2},
        {"ADD", "", "f32[9] f32[9]", "f32[9]", 0},
        {"CONV_2D", "", "f32[1,1,1,1] f32[46340,46340,46340,46340]", "f32[1,46340,46340,46340]", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene s;
        scene_make(&s, rows[i].op, rows[i].options, rows[i].in, rows[i].out);
        uint64_t got = lc_op_macs(&s.graph, &s.c.node);
        if (i + 1 < sizeof rows / sizeof *rows) assert_true(got == rows[i].macs);
        else assert_true(got == UINT64_MAX || got > UINT64_C(1) << 46); /* saturates */
        lc_arena_deinit(&s.arena);
    }
}

static void test_versions(void **state) {
    (void)state;
    static const struct {
        const char *op, *options, *in, *out;
        int32_t version;
        const char *quant;
    } rows[] = {
#define V(op, options, in, out, version) {op, options, in, out, version, ""}
        V("ADD", "", "f32[2] f32[2]", "f32[2]", 1),
        V("ADD", "", "i8[2] i8[2]", "i8[2]", 2),
        V("ADD", "", "i64[2] i64[2]", "i64[2]", 4),
        V("ADD", "", "f16[2] f16[2]", "f16[2]", 6),
        V("ADD", "", "i16[2] i16[2]", "i16[2]", 5),
        {"ADD", "pot_scale_int16=0", "i16[2] i16[2]", "i16[2]", 3, "0"},
        {"ADD", "", "i16[2] i16[2]", "i16[2]", 1, "0"},
        V("SUB", "", "f32[1,2,1,2,1] f32[2]", "f32[1,2,1,2,2]", 3),
        V("SUB", "", "f32[2] f32[2]", "f32[2]", 1),
        V("DIV", "", "f32[1,2,1,2,1] f32[2]", "f32[1,2,1,2,2]", 2),
        V("MUL", "", "i64[2] i64[2]", "i64[2]", 5),
        V("MUL", "", "i16[2] i16[2]", "i16[2]", 7),
        {"MUL", "", "i16[2] i16[2]", "i16[2]", 4, "0"},
        V("MUL", "", "i8[2] i8[2]", "i8[2]", 2),
        {"MUL", "", "i8[2] i8[2]", "i8[2]", 3, "012"},
        V("MAXIMUM", "", "f32[1,1,1,1,2] f32[2]", "f32[1,1,1,1,2]", 3),
        V("CONV_2D", "", "f32[1,4,4,2] f32[1,1,1,2]", "f32[1,4,4,1]", 1),
        V("CONV_2D", "", "f32[1,4,4,2] f32[2,1,1,1]", "f32[1,4,4,2]", 6),
        V("CONV_2D", "", "i8[1,4,4,2] i8[1,1,1,2]", "i8[1,4,4,1]", 3),
        V("CONV_2D", "", "f32[1,4,4,2] i8[3,1,1,2]", "f32[1,4,4,3]", 2),
        V("CONV_2D", "", "i16[1,4,4,2] i8[3,1,1,2]", "i16[1,4,4,3]", 1),
        V("CONV_2D", "quantized_bias_type=4", "i16[1,4,4,2] i8[3,1,1,2]", "i16[1,4,4,3]", 8),
        V("CONV_2D", "", "i8[1,4,4,2] i4[3,1,1,2]", "i8[1,4,4,3]", 7),
        V("DEPTHWISE_CONV_2D", "", "f32[1,4,4,2] f32[1,1,1,2]", "f32[1,4,4,2]", 1),
        V("DEPTHWISE_CONV_2D", "dilation_w_factor=2", "f32[1,4,4,2] f32[1,1,1,2]", "f32[1,4,4,2]", 2),
        V("DEPTHWISE_CONV_2D", "", "f32[1,4,4,2] i8[1,1,1,2]", "f32[1,4,4,2]", 4),
        V("FULLY_CONNECTED", "", "f32[1,2] f32[3,2] f32[3]", "f32[1,3]", 1),
        V("FULLY_CONNECTED", "", "f32[1,2] f32[3,2] -", "f32[1,3]", 1),
        V("FULLY_CONNECTED", "", "f32[1,2] f32[3,2]", "f32[1,3]", 6),
        V("FULLY_CONNECTED", "keep_num_dims=1", "f32[1,2] f32[3,2] -", "f32[1,3]", 5),
        V("FULLY_CONNECTED", "weights_format=1", "f32[1,2] f32[3,2] -", "f32[1,3]", 2),
        V("FULLY_CONNECTED", "", "f32[1,2] i8[3,2] -", "f32[1,3]", 3),
        V("FULLY_CONNECTED", "asymmetric_quantize_inputs=1", "f32[1,2] i8[3,2] -", "f32[1,3]", 9),
        V("FULLY_CONNECTED", "", "i8[1,2] i8[3,2] -", "i8[1,3]", 4),
        V("FULLY_CONNECTED", "", "i16[1,2] i16[3,2] -", "i16[1,3]", 7),
        V("SOFTMAX", "", "f32[1,2]", "f32[1,2]", 1),
        V("SOFTMAX", "", "i8[1,2]", "i8[1,2]", 2),
        V("RESHAPE", "", "f32[1,2]", "f32[2]", 1),
        V("PAD", "", "f32[2] i32[1,2]", "f32[4]", 1),
        V("PAD", "", "f32[1,1,1,1,1] i32[5,2]", "f32[1,1,1,1,1]", 4),
        V("PAD", "", "bool[2] i32[1,2]", "bool[4]", 5),
        V("TRANSPOSE", "", "f32[1,1,1,1] i32[4]", "f32[1,1,1,1]", 1),
        V("TRANSPOSE", "", "f32[1,1,1,1,1] i32[5]", "f32[1,1,1,1,1]", 4),
        V("TRANSPOSE", "", "bool[1] i32[1]", "bool[1]", 3),
        V("SLICE", "", "f32[1,1,1,1,1] i32[5] i32[5]", "f32[1,1,1,1,1]", 5),
        V("SLICE", "", "f32[1] i32[1] i32[1]", "f32[1]", 1),
        V("STRIDED_SLICE", "ellipsis_mask=1", "f32[1] i32[1] i32[1] i32[1]", "f32[1]", 6),
        V("STRIDED_SLICE", "offset=1", "f32[1] i32[1] i32[1] i32[1]", "f32[1]", 8),
        V("STRIDED_SLICE", "", "bool[1] i32[1] i32[1] i32[1]", "bool[1]", 3),
        V("STRIDED_SLICE", "", "i32[1] i32[1] i32[1] i32[1]", "i32[1]", 1),
        V("CAST", "", "f32[1]", "i32[1]", 1),
        V("CAST", "", "f32[1]", "i8[1]", 3),
        V("CAST", "", "f16[1]", "f32[1]", 5),
        V("BROADCAST_TO", "", "f32[1] i32[1]", "f32[2]", 2),
        V("GATHER", "batch_dims=1", "f32[1,2] i32[1,2]", "f32[1,2]", 5),
        V("GATHER", "", "bool[2] i32[2]", "bool[2]", 3),
        V("RESIZE_BILINEAR", "half_pixel_centers=1", "f32[1,2,2,1] i32[2]", "f32[1,4,4,1]", 3),
        V("RESIZE_NEAREST_NEIGHBOR", "align_corners=1", "f32[1,2,2,1] i32[2]", "f32[1,4,4,1]", 3),
        V("TRANSPOSE_CONV", "", "i32[4] f32[1,1,1,1] f32[1,1,1,1]", "f32[1,1,1,1]", 1),
        V("TRANSPOSE_CONV", "", "i32[4] f32[1,1,1,1] f32[1,1,1,1] f32[1]", "f32[1,1,1,1]", 3),
        V("TRANSPOSE_CONV", "fused_activation_function=1", "i32[4] f32[1,1,1,1] f32[1,1,1,1]", "f32[1,1,1,1]", 4),
        V("ABS", "", "i32[1]", "i32[1]", 5),
        V("ABS", "", "f32[1]", "f32[1]", 1),
        V("ABS", "", "i16[1]", "i16[1]", 4),
        {"ABS", "", "i16[1]", "i16[1]", 3, "0"},
        V("SPLIT", "num_splits=1", "i32[] f32[2]", "f32[2]", 1),
        V("WHERE", "", "bool[2]", "i64[2,1]", 1),
        V("WHERE", "", "f32[2]", "i64[2,1]", 2),
        V("FLOOR_DIV", "", "f32[1] f32[1]", "f32[1]", 2),
        V("CUSTOM", "", "f32[1]", "f32[1]", 1),
        V("LEAKY_RELU", "", "f32[1]", "f32[1]", 1),
        V("RELU6", "", "i16[1]", "i16[1]", 3),
        V("SIGN", "", "i32[1]", "i32[1]", 2),
        V("EQUAL", "", "str[1] str[1]", "bool[1]", 3),
        V("TILE", "", "str[1] i32[1]", "str[1]", 2),
    };
    static const float ones[] = {1};
    const lc_QuantizationParameters quant = {.scale = {ones, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene s;
        scene_make(&s, rows[i].op, rows[i].options, rows[i].in, rows[i].out);
        for (const char *q = rows[i].quant; *q; q++) s.tensors[*q - '0'].quant = &quant;
        int32_t got = lc_op_version(&s.graph, &s.c.node);
        if (got != rows[i].version)
            fail_msg("%s (%s) %s: version %d, want %d", rows[i].op, rows[i].options, rows[i].in, got, rows[i].version);
        lc_arena_deinit(&s.arena);
    }
    /* A node whose tensors do not exist must not be looked at too closely. */
    for (int32_t op = 0; op < LC_OP_COUNT; op++) {
        lc_node node = {.op = op, .attrs_table = LC_TABLE_NONE};
        lc_graph graph = {0};
        assert_true(lc_op_version(&graph, &node) >= 1);
        assert_int_equal(lc_op_macs(&graph, &node), 0);
    }
}

static void test_attrs(void **state) {
    (void)state;
    lc_Pool2DOptions o = {.stride_w = 3};
    lc_node node = {.op = LC_OP_MAX_POOL_2D, .attrs_table = LC_TABLE_Pool2DOptions, .attrs = &o};
    assert_ptr_equal(LC_OP_ATTRS(&node, Pool2DOptions), &o);
    assert_int_equal(LC_OP_ATTRS(&node, Conv2DOptions)->stride_w, 0);
    node.attrs = NULL;
    assert_int_equal(LC_OP_ATTRS(&node, Pool2DOptions)->stride_w, 0);
    size_t largest = 0;
    for (int i = 0; i < LC_OP_COUNT; i++)
        if (lc_op_get(i)->options >= 0 && lc_schema_tables[lc_op_get(i)->options].size > largest)
            largest = lc_schema_tables[lc_op_get(i)->options].size;
    assert_true(largest <= 512); /* the block of zeros in op.c */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),    cmocka_unit_test(test_calls), cmocka_unit_test(test_macs),
        cmocka_unit_test(test_versions), cmocka_unit_test(test_attrs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
