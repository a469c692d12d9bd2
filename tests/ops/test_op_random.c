/*
 * test_op_random.c: random shapes, options and values through every shape rule and reference kernel, the same every time. What a
 * rule accepts runs on blocks of exactly the tensors' sizes, so that under a sanitizer every rule proves what its kernel relies on;
 * and with numbers at the ends of their range no rule may overflow. tests/fuzz/fuzz_op.c does the same with a fuzzer's bytes, and
 * compares the SIMD kernels too.
 */
#include "case.h"

static uint32_t next_random(uint32_t *s) {
    *s = *s * 1664525u + 1013904223u;
    return *s >> 8;
}

static void random_case(op_case *c, lc_arena *arena, uint32_t *seed) {
    const lc_op_def *def = lc_op_get(c->op);
    static const lc_dtype kinds[] = {LC_FLOAT32, LC_FLOAT32, LC_FLOAT32, LC_INT32, LC_INT64, LC_BOOL, LC_UINT8};
    uint32_t most = def->in_max < 0 ? 4 : (uint32_t)def->in_max;
    case_options(c, arena);
    if (c->node.attrs)
        for (uint16_t i = 0; i < lc_schema_tables[def->options].field_count; i++) {
            const lc_field *f = &lc_table_fields(def->options)[i];
            int32_t v[4];
            uint32_t n = next_random(seed) % 4 + (f->kind != LC_KIND_vec_i32);
            for (int k = 0; k < 4; k++) v[k] = (int32_t)(next_random(seed) % 5) - 1;
            if (f->kind == LC_KIND_vec_i32 || f->kind < LC_KIND_str) case_set(c, arena, lc_field_name(f), v, n > 4 ? 4 : n, (float)v[0]);
        }
    c->in_count = (uint32_t)def->in_min + next_random(seed) % (most - (uint32_t)def->in_min + 1);
    lc_dtype type = kinds[next_random(seed) % 7];
    for (uint32_t i = 0; i < c->in_count; i++) {
        case_tensor *t = &c->in[i];
        *t = (case_tensor){.present = true, .type = next_random(seed) % 4 ? type : kinds[next_random(seed) % 7]};
        bool index = next_random(seed) % (i > 0 ? 2 : 8) == 0;
        if (index) t->type = LC_INT32;
        t->shape.rank = index ? (int32_t)(next_random(seed) % 3) : (int32_t)(next_random(seed) % 5);
        if (i > 0 && next_random(seed) % 3 == 0 && !index) t->shape = c->in[0].shape;
        else
            for (int32_t d = 0; d < t->shape.rank; d++) t->shape.dims[d] = (int32_t)(next_random(seed) % 5);
        uint64_t n, bytes = 0;
        assert_true(lc_shape_elements(&t->shape, &n) && lc_dtype_bytes(t->type, n, &bytes));
        t->size = (size_t)bytes;
        t->data = case_alloc(arena, t->size);
        t->constant = next_random(seed) % 2 || index;
        for (uint64_t k = 0; k < n; k++) {
            int64_t v = (int64_t)(next_random(seed) % 6) - 1;
            float f = (float)v;
            size_t width = lc_dtype_bits(t->type) / 8;
            if (t->type == LC_BOOL) v &= 1;
            memcpy(t->data + k * width, t->type == LC_FLOAT32 ? (void *)&f : (void *)&v, width);
        }
    }
    c->out_count = (uint32_t)def->out_min;
    for (uint32_t i = 0; i < c->out_count; i++) c->out[i] = (case_tensor){.present = true, .type = type};
}

/* Left to chance, a filter never fits its input: these operators get shapes that often do. A letter is a size drawn once for the
 * case, so that equal letters fit; 1-9 is itself. A type and shape each for the inputs; "#v" after it: constants below v. */
static const struct {
    const char *what, *inputs;
} fitting[] = {
    /* of an operator or a family */
    {"RANGE", "i32 #2; i32 #6; i32 #3"},
    {"FILL", "i32 2#4; f32 "},
    {"SPLIT_V", "f32 nh; i32 1#5; i32 #2"},
    {"SPLIT", "i32 #2; f32 nh"},
    {"conv", "f32 nhwc; f32 oijc; f32 o"},
    {"depthwise", "f32 nhwc; f32 1ijc; f32 c"},
    {"pool", "f32 nhwc"},
    {"pad", "f32 nc; i32 22#3; f32 "},
    {"fully_connected", "f32 nc; f32 oc; f32 o"},
    {"batch_matmul", "f32 nc; f32 co"},
    {"CONV_3D", "f32 ndhwc; f32 ijkcx; f32 x"},
    {"CONV_3D_TRANSPOSE", "i32 5#4; f32 ijkxc; f32 ndhwc; f32 x"},
    {"transpose_conv", "i32 4#4; f32 oijc; f32 nhwc; f32 o"},
    {"gather", "f32 nhw; i32 oi#3"},
    {"resize", "f32 nhwc; i32 2#5"},
    {"tile", "f32 nh; i32 2#4"},
    {"space", "f32 nhwc; i32 2#4; i32 22#3"},
};

static void help_case(op_case *c, lc_arena *arena, uint32_t *seed) {
    static const char *const positive[] = {"stride_w",          "stride_h",     "stride_d",      "dilation_d_factor", "dilation_w_factor",
                                           "dilation_h_factor", "filter_width", "filter_height", "block_size"};
    int32_t sizes[128];
    if (next_random(seed) % 3 == 0) return;
    for (int k = 0; k < 128; k++)
        sizes[k] = k >= '1' && k <= '9' ? k - '0' : (int32_t)(next_random(seed) % 4) + (next_random(seed) % 8 != 0);
    for (size_t f = 0; f < sizeof fitting / sizeof *fitting; f++) {
        if (strcmp(lc_op_family(c->op), fitting[f].what) && strcmp(lc_op_name(c->op), fitting[f].what)) continue;
        const char *s = fitting[f].inputs;
        for (uint32_t i = 0; i < c->in_count && *s; i++) {
            case_tensor *t = &c->in[i];
            t->type = *s == 'f' ? LC_FLOAT32 : LC_INT32;
            t->shape.rank = 0;
            t->constant = i > 0;
            uint32_t below = 0;
            for (s += 4; *s && *s != ';' && *s != '#'; s++) t->shape.dims[t->shape.rank++] = sizes[(unsigned char)*s];
            if (*s == '#') below = (uint32_t)(s[1] - '0'), s += 2;
            while (*s == ';' || *s == ' ') s++;
            t->constant |= below > 0;
            uint64_t n, bytes = 0;
            assert_true(lc_shape_elements(&t->shape, &n) && lc_dtype_bytes(t->type, n, &bytes));
            t->size = (size_t)bytes;
            t->data = case_alloc(arena, t->size);
            for (uint64_t k = 0; below && k < n; k++) t->data[4 * k] = (uint8_t)(next_random(seed) % below);
        }
        break;
    }
    for (size_t k = 0; c->node.attrs && k < sizeof positive / sizeof *positive; k++)
        for (LC_EACH_FIELD(f, c->node.attrs_table))
            if (!strcmp(lc_field_name(f), positive[k])) {
                int32_t v = (int32_t)(next_random(seed) % 3) + 1;
                if (c->op == LC_OP_TRANSPOSE_CONV) v = 1;
                case_set(c, arena, positive[k], &v, 1, 0);
            }
    if (c->op == LC_OP_TRANSPOSE_CONV) { /* with stride 1 and SAME padding the output is as large as the input */
        const int32_t shape[] = {c->in[2].shape.dims[0], c->in[2].shape.dims[1], c->in[2].shape.dims[2], c->in[1].shape.dims[0]}, same = 0;
        memcpy(c->in[0].data, shape, sizeof shape);
        c->in[0].constant = true;
        case_set(c, arena, "padding", &same, 1, 0);
    }
}

static void test_random(void **state) {
    (void)state;
    uint32_t accepted[LC_OP_COUNT] = {0}, total = 0, operators = 0;
    for (int32_t op = 0; op < LC_OP_COUNT; op++) {
        if (!lc_kernel_ref(op)) continue;
        uint32_t seed = (uint32_t)op * 7919 + 1;
        for (int round = 0; round < 1500; round++) {
            lc_arena arena = {0};
            op_case c = {.op = op};
            lc_infer_tensor out[CASE_TENSORS];
            random_case(&c, &arena, &seed);
            help_case(&c, &arena, &seed);
            lc_value values[2 * CASE_TENSORS], *in[CASE_TENSORS], *to[CASE_TENSORS];
            bool closed = case_infer(&c, out, NULL) == LC_OK;
            size_t sizes[CASE_TENSORS] = {0};
            for (uint32_t i = 0; closed && i < c.out_count; i++) {
                uint64_t n, bytes = 0;
                closed = lc_shape_elements(&out[i].shape, &n) && lc_dtype_bytes(out[i].type, n, &bytes) && bytes < 1 << 20;
                if (closed) sizes[i] = (size_t)bytes;
            }
            if (closed) {
                for (uint32_t i = 0; i < c.in_count; i++) {
                    void *p = lc_malloc_aligned(c.in[i].size ? c.in[i].size : 1);
                    memcpy(p, c.in[i].data, c.in[i].size);
                    values[i] = (lc_value){
                        .type = c.in[i].type, .shape = c.in[i].shape, .data = p, .size = c.in[i].size, .constant = c.in[i].constant};
                    in[i] = &values[i];
                }
                for (uint32_t i = 0; i < c.out_count; i++) {
                    lc_value *v = to[i] = &values[CASE_TENSORS + i];
                    *v = (lc_value){
                        .type = out[i].type, .shape = out[i].shape, .data = lc_malloc_aligned(sizes[i] ? sizes[i] : 1), .size = sizes[i]};
                }
                lc_status status = lc_kernel_run_once(&c.node, in, c.in_count, to, c.out_count, NULL, &arena, NULL);
                assert_true(status == LC_OK || status == LC_UNSUPPORTED || status == LC_INVALID);
                accepted[op] += status == LC_OK;
                for (uint32_t i = 0; i < c.in_count; i++) lc_free_aligned(in[i]->data);
                for (uint32_t i = 0; i < c.out_count; i++) lc_free_aligned(to[i]->data);
            }
            lc_arena_deinit(&arena);
        }
        total += accepted[op];
        operators += accepted[op] > 0;
    }
    /* Not all: some need quantisation, a session or shapes that only the run tells. fuzz_node runs those. */
    print_message("%u random cases of %u operators ran\n", total, operators);
    assert_true(total > 3000 && operators > 100);
}

/* Sizes, options and operands at the ends of their range: no rule may overflow (undefined behaviour under a sanitizer), and what it
 * accepts is within the bounds that the kernels and the planner count on. */
static void test_extremes(void **state) {
    (void)state;
    static const int64_t ends[] = {0, 1, -1, 2, 3, 4, INT32_MAX, INT32_MIN, INT32_MAX - 1, 46341, 65536, -2, INT64_MAX, INT64_MIN, 32768};
    static const int32_t dims[] = {0, 1, -1, 2, 3, 4, INT32_MAX, 46341, 65536, INT32_MAX - 1, 1, 1, 2};
    uint32_t seed = 11, accepted = 0;
    for (int32_t op = 0; op < LC_OP_COUNT; op++)
        for (int round = 0; lc_op_get(op)->infer && round < 3000; round++) {
            lc_arena arena = {0};
            op_case c = {.op = op};
            lc_infer_tensor out[CASE_TENSORS];
            random_case(&c, &arena, &seed);
            help_case(&c, &arena, &seed);
            for (uint32_t i = 0; i < c.in_count; i++) {
                case_tensor *t = &c.in[i];
                bool whole = t->type == LC_INT32 || t->type == LC_INT64;
                if (whole && t->constant) { /* a value becomes extreme; the shape stays, for it holds the values */
                    uint64_t n;
                    assert_true(lc_shape_elements(&t->shape, &n));
                    if (n && next_random(&seed) % 2) {
                        size_t width = t->type == LC_INT32 ? 4 : 8;
                        memcpy(t->data + next_random(&seed) % n * width, &ends[next_random(&seed) % 15], width);
                    }
                } else {
                    t->constant = false;
                    for (int32_t d = 0; d < t->shape.rank; d++)
                        if (next_random(&seed) % 2) t->shape.dims[d] = dims[next_random(&seed) % 13];
                }
            }
            for (LC_EACH_FIELD(f, c.node.attrs ? c.node.attrs_table : LC_TABLE_Int32Vector))
                if (c.node.attrs && f->kind < LC_KIND_f32 && next_random(&seed) % 3 == 0) {
                    int32_t v = (int32_t)ends[next_random(&seed) % 12];
                    case_set(&c, &arena, lc_field_name(f), &v, 1, 0);
                }
            lc_error err;
            lc_status status = case_infer(&c, out, &err);
            assert_true(status == LC_OK || status == LC_INVALID || status == LC_UNSUPPORTED);
            if (status != LC_OK) assert_true(err.message[0]);
            for (uint32_t i = 0; status == LC_OK && i < c.out_count; i++) {
                uint64_t product = 1;
                if (out[i].shape.rank == LC_RANK_UNKNOWN) continue;
                assert_true(out[i].shape.rank >= 0 && out[i].shape.rank <= LC_MAX_RANK);
                for (int32_t d = 0; d < out[i].shape.rank; d++) {
                    assert_true(out[i].shape.dims[d] >= -1);
                    if (out[i].shape.dims[d] > 0) product *= (uint64_t)out[i].shape.dims[d];
                    assert_true(product <= INT32_MAX);
                }
            }
            accepted += status == LC_OK;
            lc_arena_deinit(&arena);
        }
    print_message("%u of them accepted\n", accepted);
    assert_true(accepted > 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
