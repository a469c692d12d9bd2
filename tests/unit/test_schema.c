/*
 * Tests of src/schema without hostile input: every table with every field goes through write, verify and read unchanged, the
 * bytes are the same each time and laid out as promised, huge files' layout, copies, comparison, printing, names, real files.
 */
#include "schema/schema.h"
#include "support/fault.h"
#include "support/fill.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static lc_error err;

static void ok(lc_status s) {
    if (s != LC_OK) fail_msg("%s %s: %s", lc_status_name(s), err.rule, err.message);
}

/* Verifies and reads bytes; the structs borrow them. */
static lc_Model *reread(const void *data, size_t size, lc_arena *arena) {
    lc_budget budget;
    lc_Model *m;
    lc_budget_init(&budget, NULL);
    ok(lc_fb_verify(data, size, &budget, &err));
    ok(lc_fb_read(data, size, arena, &m, &err));
    return m;
}

/* ---- round trip ---- */

static void every_table_survives(void **state) {
    (void)state;
    bool seen[LC_TABLE_COUNT] = {false};
    for (uint32_t pick = 0; pick < 130; pick++) {
        lc_arena arena = {0};
        filler f = {.arena = &arena, .pick = pick};
        lc_Model *m = fill_model(&f);
        fill_bytes b = {0};
        ok(fill_write(m, 0, &b, &err));
        lc_Model *n = reread(b.data, b.size, &arena);
        assert_true(lc_fb_equal(LC_TABLE_Model, m, n));
        lc_Model *c = (lc_Model *)lc_fb_clone(LC_TABLE_Model, n, &arena);
        memset(b.data, 0xee, b.size); /* the copy borrows nothing */
        assert_true(lc_fb_equal(LC_TABLE_Model, m, c));
        for (int t = 0; t < LC_TABLE_COUNT; t++) seen[t] |= f.seen[t];
        lc_free(b.data);
        lc_arena_deinit(&arena);
    }
    for (int t = 0; t < LC_TABLE_COUNT; t++)
        if (!seen[t]) fail_msg("%s never occurred", lc_table_name(t));
}

/* Changing any one field of any table is noticed by lc_fb_equal, so the test above proves something. */
static void equal_sees_each_field(void **state) {
    (void)state;
    for (int t = 0; t < LC_TABLE_COUNT; t++)
        for (LC_EACH_FIELD(d, t)) {
            lc_arena arena = {0};
            filler f = {.arena = &arena};
            void *a = lc_arena_alloc(&arena, lc_schema_tables[t].size);
            fill_table(&f, (lc_table_id)t, a);
            void *b = lc_fb_clone((lc_table_id)t, a, &arena);
            assert_true(lc_fb_equal((lc_table_id)t, a, b));
            bool place = (t == LC_TABLE_Buffer && d->id > 0) || (t == LC_TABLE_Operator && (d->id == 9 || d->id == 10));
            f.count += 3;
            if (!place) {
                if (d->kind == LC_KIND_bool) ((uint8_t *)b)[d->offset] ^= 1;
                else fill_field(&f, d, (uint8_t *)b + d->offset);
                if (lc_fb_equal((lc_table_id)t, a, b)) fail_msg("%s.%s", lc_table_name(t), lc_field_name(d));
            }
            lc_arena_deinit(&arena);
        }
}

static void defaults_take_no_place(void **state) {
    (void)state;
    lc_Model m;
    lc_schema_init(LC_TABLE_Model, &m);
    fill_bytes b = {0};
    lc_arena arena = {0};
    ok(fill_write(&m, 0, &b, &err));
    assert_int_equal(b.size, 8 + 4 + 4); /* root and identifier, empty vtable, table with nothing but its vtable's place */
    assert_true(lc_fb_equal(LC_TABLE_Model, &m, reread(b.data, b.size, &arena)));
    lc_free(b.data);
    lc_arena_deinit(&arena);
}

/* Fields with defaults other than zero come back when they are left out, and are kept when they are zero. */
static void defaults_other_than_zero(void **state) {
    (void)state;
    lc_Conv2DOptions conv[2];
    lc_AddOptions add = {.pot_scale_int16 = 0};
    lc_schema_init(LC_TABLE_Conv2DOptions, &conv[0]);
    assert_int_equal(conv[0].dilation_w_factor, 1);
    conv[1] = conv[0];
    conv[1].dilation_h_factor = 0;
    lc_Operator ops[3];
    for (int i = 0; i < 3; i++) {
        lc_schema_init(LC_TABLE_Operator, &ops[i]);
        ops[i].builtin_options =
            i < 2 ? (lc_union){LC_BuiltinOptions_Conv2DOptions, &conv[i]} : (lc_union){LC_BuiltinOptions_AddOptions, &add};
    }
    lc_SubGraph g;
    lc_Model m;
    lc_schema_init(LC_TABLE_SubGraph, &g);
    lc_schema_init(LC_TABLE_Model, &m);
    g.operators.data = ops;
    g.operators.n = 3;
    m.subgraphs.data = &g;
    m.subgraphs.n = 1;
    fill_bytes b = {0};
    lc_arena arena = {0};
    ok(fill_write(&m, 0, &b, &err));
    lc_Model *n = reread(b.data, b.size, &arena);
    const lc_Conv2DOptions *c = (const lc_Conv2DOptions *)n->subgraphs.data[0].operators.data[1].builtin_options.value;
    assert_int_equal(c->dilation_w_factor, 1);
    assert_int_equal(c->dilation_h_factor, 0);
    assert_int_equal(((const lc_AddOptions *)n->subgraphs.data[0].operators.data[2].builtin_options.value)->pot_scale_int16, 0);
    assert_int_equal(n->subgraphs.data[0].debug_metadata_index, -1);
    assert_true(lc_fb_equal(LC_TABLE_Model, &m, n));
    lc_free(b.data);
    lc_arena_deinit(&arena);
}

static void absent_differs_from_empty(void **state) {
    (void)state;
    lc_Buffer buffers[2] = {{.data = {NULL, 0}}, {.data = {(const uint8_t *)"", 0}}};
    lc_Model m = {.description = {"", 0}, .buffers = {buffers, 2}, .metadata_buffer = {(const int32_t *)(const void *)buffers, 0}};
    fill_bytes b = {0};
    lc_arena arena = {0};
    ok(fill_write(&m, 0, &b, &err));
    lc_Model *n = reread(b.data, b.size, &arena);
    assert_null(n->buffers.data[0].data.data);
    assert_non_null(n->buffers.data[1].data.data);
    assert_non_null(n->description.data);
    assert_non_null(n->metadata_buffer.data);
    assert_null(n->metadata.data);
    assert_true(lc_fb_equal(LC_TABLE_Model, &m, n));
    buffers[0].data.data = (const uint8_t *)"";
    assert_false(lc_fb_equal(LC_TABLE_Model, &m, n));
    lc_free(b.data);
    lc_arena_deinit(&arena);
}

static void same_model_same_bytes(void **state) {
    (void)state;
    lc_arena a1 = {0}, a2 = {0}, a3 = {0};
    filler f1 = {.arena = &a1, .pick = 5}, f2 = {.arena = &a2, .pick = 5};
    fill_bytes b1 = {0}, b2 = {0}, b3 = {0};
    ok(fill_write(fill_model(&f1), 0, &b1, &err));
    ok(fill_write(fill_model(&f2), 0, &b2, &err));
    assert_int_equal(b1.size, b2.size);
    assert_memory_equal(b1.data, b2.data, b1.size);
    ok(fill_write(reread(b1.data, b1.size, &a3), 0, &b3, &err)); /* and what was read writes the same */
    assert_int_equal(b1.size, b3.size);
    assert_memory_equal(b1.data, b3.data, b1.size);
    lc_free(b1.data), lc_free(b2.data), lc_free(b3.data);
    lc_arena_deinit(&a1), lc_arena_deinit(&a2), lc_arena_deinit(&a3);
}

/* ---- layout ---- */

static void check_alignment(const fill_bytes *b, const lc_Model *n) {
    for (uint32_t i = 0; i < n->buffers.n; i++)
        if (n->buffers.data[i].data.n) assert_int_equal((size_t)(n->buffers.data[i].data.data - b->data) % 16, 0);
}

static void buffers_are_aligned(void **state) {
    (void)state;
    lc_arena arena = {0};
    uint8_t bytes[40] = {1, 2, 3};
    lc_Buffer buffers[20] = {{0}};
    for (uint32_t i = 0; i < 20; i++) buffers[i].data = (lc_vec_u8){bytes, 2 * i + 1};
    lc_Model m = {.version = 3, .buffers = {buffers, 20}};
    fill_bytes b = {0};
    ok(fill_write(&m, 0, &b, &err));
    lc_Model *n = reread(b.data, b.size, &arena);
    assert_true(lc_fb_equal(LC_TABLE_Model, &m, n));
    check_alignment(&b, n);
    assert_int_equal(b.size % 16, 0);
    const lc_vec_u8 *last = &n->buffers.data[19].data;
    assert_true(last->data + last->n + 16 <= b.data + b.size); /* room for kernels that read past the end */
    lc_free(b.data);
    lc_arena_deinit(&arena);
}

/* Zero points that are alike are written once, others by themselves; all are read as they were. */
static void zero_points_are_shared(void **state) {
    (void)state;
    enum { TENSORS = 50, CHANNELS = 64 };
    static int64_t zeros[TENSORS][CHANNELS];
    static lc_QuantizationParameters quant[TENSORS];
    static lc_Tensor tensors[TENSORS];
    for (int i = 0; i < TENSORS; i++) {
        zeros[i][CHANNELS - 1] = i % 2;
        quant[i] = (lc_QuantizationParameters){.zero_point = {zeros[i], i == 0 ? CHANNELS - 1 : CHANNELS}};
        tensors[i] = (lc_Tensor){.buffer = (uint32_t)i + 1, .quantization = &quant[i]};
    }
    lc_SubGraph g = {.tensors = {tensors, TENSORS}, .debug_metadata_index = -1};
    lc_Model m = {.subgraphs = {&g, 1}};
    fill_bytes b = {0};
    lc_arena arena = {0};
    ok(fill_write(&m, 0, &b, &err));
    assert_true(b.size > 3u * CHANNELS * 8 && b.size < 4u * CHANNELS * 8 + TENSORS * 40u);
    assert_true(lc_fb_equal(LC_TABLE_Model, &m, reread(b.data, b.size, &arena)));
    lc_free(b.data);
    lc_arena_deinit(&arena);
}

static void vtables_are_shared(void **state) {
    (void)state;
    enum { N = 5000 };
    static lc_Tensor tensors[N];
    for (int i = 0; i < N; i++) tensors[i] = (lc_Tensor){.buffer = (uint32_t)i + 1};
    lc_SubGraph g = {.tensors = {tensors, N}, .debug_metadata_index = -1};
    lc_Model m = {.subgraphs = {&g, 1}};
    fill_bytes b = {0};
    ok(fill_write(&m, 0, &b, &err));
    assert_true(b.size < N * 12u + 200); /* offset, vtable's place, buffer: 12 bytes a tensor */
    lc_free(b.data);
}

/* Many different vtables: the hash grows and stays right. */
static void many_vtables(void **state) {
    (void)state;
    enum { N = 2048 };
    static lc_StablehloConvolutionOptions options[N];
    static lc_Operator ops[N];
    for (int i = 0; i < N; i++) {
        lc_schema_init(LC_TABLE_StablehloConvolutionOptions, &options[i]);
        int64_t *scalars[] = {&options[i].input_batch_dimension,
                              &options[i].input_feature_dimension,
                              &options[i].kernel_input_feature_dimension,
                              &options[i].kernel_output_feature_dimension,
                              &options[i].output_batch_dimension,
                              &options[i].output_feature_dimension,
                              &options[i].feature_group_count,
                              &options[i].batch_group_count};
        for (int k = 0; k < 8; k++) *scalars[k] = i >> k & 1;
        if (i >> 8 & 1) options[i].padding = (lc_vec_i64){scalars[0], 1};
        if (i >> 9 & 1) options[i].lhs_dilation = (lc_vec_i64){scalars[0], 1};
        if (i >> 10 & 1) options[i].rhs_dilation = (lc_vec_i64){scalars[0], 1};
        lc_schema_init(LC_TABLE_Operator, &ops[i]);
        ops[i].builtin_options_2 = (lc_union){LC_BuiltinOptions2_StablehloConvolutionOptions, &options[i]};
    }
    lc_SubGraph g = {.operators = {ops, N}, .debug_metadata_index = -1};
    lc_Model m = {.subgraphs = {&g, 1}};
    fill_bytes b = {0};
    lc_arena arena = {0};
    ok(fill_write(&m, 0, &b, &err));
    assert_true(lc_fb_equal(LC_TABLE_Model, &m, reread(b.data, b.size, &arena)));
    lc_free(b.data);
    lc_arena_deinit(&arena);
}

/* Over the limit (2 GiB, here 4000 bytes) the buffers go behind the flatbuffer. */
static void huge_files(void **state) {
    (void)state;
    static uint8_t bytes[6000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 31);
    lc_Buffer buffers[4] = {{.data = {NULL, 0}}, {.data = {bytes, 6000}}, {.data = {bytes + 7, 13}}, {.data = {bytes, 0}}};
    lc_Operator ops[2];
    lc_schema_init(LC_TABLE_Operator, &ops[0]);
    ops[1] = ops[0];
    ops[0].custom_options = ops[1].custom_options = (lc_vec_u8){bytes + 3, 21};
    ops[1].large_custom_options_offset = 2; /* wanted behind */
    ops[1].large_custom_options_size = 21;
    lc_SubGraph g = {.operators = {ops, 2}, .debug_metadata_index = -1};
    lc_Model m = {.version = 3, .subgraphs = {&g, 1}, .buffers = {buffers, 4}};
    fill_bytes b = {0};
    lc_arena arena = {0};
    ok(fill_write(&m, 4000, &b, &err));
    lc_Model *n = reread(b.data, b.size, &arena);
    assert_true(lc_fb_equal(LC_TABLE_Model, &m, n));
    const lc_Buffer *r = n->buffers.data;
    assert_null(r[0].data.data);
    assert_true(r[1].offset > 1 && r[1].offset % 16 == 0 && r[1].size == 6000);
    assert_ptr_equal(r[1].data.data, b.data + r[1].offset);
    assert_true(r[2].offset >= r[1].offset + 6000 && r[2].offset % 16 == 0 && lc_buffer_size(&r[2]) == 13);
    assert_true(r[3].data.data && r[3].data.n == 0);
    const lc_Operator *o = n->subgraphs.data[0].operators.data;
    assert_true(o[0].large_custom_options_offset == 0 && o[0].custom_options.n == 21);
    assert_true(o[1].large_custom_options_offset > 1 && lc_custom_options_size(&o[1]) == 21);
    assert_memory_equal(b.data + o[1].large_custom_options_offset, bytes + 3, 21);
    /* What is behind stays behind; equality does not mind. */
    fill_bytes c = {0}, d = {0};
    ok(fill_write(n, 0, &c, &err));
    lc_Model *again = reread(c.data, c.size, &arena);
    assert_true(again->buffers.data[1].offset > 1);
    assert_true(lc_fb_equal(LC_TABLE_Model, &m, again));
    ok(fill_write(&m, 0, &d, &err));
    n = reread(d.data, d.size, &arena);
    assert_true(n->buffers.data[1].offset == 0 && n->buffers.data[1].size == 0);
    check_alignment(&d, n);
    assert_true(lc_fb_equal(LC_TABLE_Model, again, n));
    lc_free(b.data), lc_free(c.data), lc_free(d.data);
    lc_arena_deinit(&arena);
}

/* A buffer of more than 4 GiB cannot be told by a vector's count: its size is in `size`. Written to a sink that only counts. */
typedef struct counter {
    uint64_t bytes;
    uint64_t largest;
} counter;
static lc_status count_bytes(void *user, const void *data, size_t size, lc_error *e) {
    (void)data, (void)e;
    counter *c = (counter *)user;
    c->bytes += size;
    if (size > c->largest) c->largest = size;
    return LC_OK;
}

static void over_four_gigabytes(void **state) {
    (void)state;
    static const uint8_t byte;
    const uint64_t large = (5ull << 30) + 1;
    lc_Buffer buffers[2] = {{0}, {.data = {&byte, UINT32_MAX}, .offset = 2, .size = large}};
    lc_Model m = {.version = 3, .buffers = {buffers, 2}};
    counter c = {0, 0};
    uint64_t size;
    ok(lc_fb_write(&m, &(lc_sink){.write = count_bytes, .user = &c}, &size, &err));
    assert_true(c.largest == large && size == c.bytes && size > large && size < large + 1000);
}

/* Two buffers of 1.5 GiB fit singly but not together; the sink counts, so no memory is touched. */
static void over_two_gigabytes_together(void **state) {
    (void)state;
    static const uint8_t byte;
    lc_Buffer buffers[3] = {{0}, {.data = {&byte, 3u << 29}}, {.data = {&byte, 3u << 29}}};
    lc_Model m = {.version = 3, .buffers = {buffers, 3}};
    counter c = {0, 0};
    uint64_t size;
    ok(lc_fb_write(&m, &(lc_sink){.write = count_bytes, .user = &c}, &size, &err));
    assert_true(size == c.bytes && size > 3ull << 30);
    m.buffers.n = 2;
    ok(lc_fb_write(&m, &(lc_sink){.write = count_bytes, .user = &c}, &size, &err));
    assert_true(size < 1ull << 31);
}

/* ---- refusals ---- */

static void structure_too_large(void **state) {
    (void)state;
    static int32_t ints[2000];
    lc_Model m = {.metadata_buffer = {ints, 2000}};
    fill_bytes b = {0};
    assert_int_equal(fill_write(&m, 4000, &b, &err), LC_LIMIT);
    assert_true(strstr(err.message, "4000") != NULL && err.hint[0]);
    assert_int_equal(b.size, 0);
    ok(fill_write(&m, 9000, &b, &err));
    lc_free(b.data);
}

static void unknown_union_is_not_written(void **state) {
    (void)state;
    lc_Operator op;
    lc_schema_init(LC_TABLE_Operator, &op);
    op.builtin_options.type = 127;
    lc_SubGraph g = {.operators = {&op, 1}, .debug_metadata_index = -1};
    lc_Model m = {.subgraphs = {&g, 1}};
    fill_bytes b = {0};
    assert_int_equal(fill_write(&m, 0, &b, &err), LC_UNSUPPORTED);
    assert_true(strstr(err.message, "builtin_options") != NULL);
    op.builtin_options.type = LC_BuiltinOptions_AddOptions; /* known, but no value */
    assert_int_equal(fill_write(&m, 0, &b, &err), LC_UNSUPPORTED);
    op.builtin_options.type = 0;
    ok(fill_write(&m, 0, &b, &err));
    lc_free(b.data);
}

static void behind_without_bytes_is_not_written(void **state) {
    (void)state;
    lc_Buffer buffer = {.offset = 4096, .size = 10};
    lc_Model m = {.buffers = {&buffer, 1}};
    fill_bytes b = {0};
    assert_int_equal(fill_write(&m, 0, &b, &err), LC_ARGUMENT);
    buffer.offset = buffer.size = 1; /* LiteRT's mark of a buffer without data */
    ok(fill_write(&m, 0, &b, &err));
    lc_arena arena = {0};
    lc_Model *n = reread(b.data, b.size, &arena);
    assert_true(n->buffers.data[0].offset == 1 && n->buffers.data[0].size == 1 && lc_buffer_size(&n->buffers.data[0]) == 0);
    lc_free(b.data);
    lc_arena_deinit(&arena);
}

typedef struct short_sink {
    int left;
} short_sink;
static lc_status write_some(void *user, const void *data, size_t size, lc_error *e) {
    (void)data, (void)size;
    return ((short_sink *)user)->left-- > 0 ? LC_OK : lc_fail(e, LC_IO, "disk full");
}

static void failing_sink(void **state) {
    (void)state;
    static const uint8_t bytes[100];
    lc_Buffer buffers[3] = {{.data = {bytes, 100}}, {.data = {bytes, 50}}, {.data = {bytes, 9}, .offset = 2, .size = 9}};
    lc_Model m = {.buffers = {buffers, 3}};
    int writes = 0;
    for (;; writes++) {
        short_sink s = {writes};
        lc_status status = lc_fb_write(&m, &(lc_sink){.write = write_some, .user = &s}, NULL, &err);
        if (status == LC_OK) break;
        assert_int_equal(status, LC_IO);
        assert_string_equal(err.message, "disk full");
    }
    assert_true(writes >= 6); /* structure, three pieces with their padding, the end */
}

/* ---- reading ---- */

static void misaligned_memory(void **state) {
    (void)state;
    lc_arena arena = {0};
    filler f = {.arena = &arena, .pick = 9};
    lc_Model *m = fill_model(&f);
    fill_bytes b = {0};
    ok(fill_write(m, 0, &b, &err));
    for (int shift = 1; shift < 8; shift++) {
        uint8_t *odd = (uint8_t *)malloc(b.size + 8);
        memcpy(odd + shift, b.data, b.size);
        lc_Model *n = reread(odd + shift, b.size, &arena);
        assert_int_equal((uintptr_t)n->subgraphs.data[0].tensors.data[0].quantization->zero_point.data % 8, 0);
        assert_true(lc_fb_equal(LC_TABLE_Model, m, n));
        free(odd);
    }
    lc_free(b.data);
    lc_arena_deinit(&arena);
}

static void bools_are_zero_or_one(void **state) {
    (void)state;
    lc_Operator op;
    lc_schema_init(LC_TABLE_Operator, &op);
    static const uint8_t flags[] = {0, 1, 7, 255};
    static const uint8_t clean[] = {0, 1, 1, 1};
    lc_GeluOptions gelu = {.approximate = 5};
    op.mutating_variable_inputs = (lc_vec_bool){flags, 4};
    op.builtin_options = (lc_union){LC_BuiltinOptions_GeluOptions, &gelu};
    lc_SubGraph g = {.operators = {&op, 1}, .debug_metadata_index = -1};
    lc_Model m = {.subgraphs = {&g, 1}};
    fill_bytes b = {0};
    lc_arena arena = {0};
    ok(fill_write(&m, 0, &b, &err));
    const lc_Operator *r = reread(b.data, b.size, &arena)->subgraphs.data[0].operators.data;
    assert_memory_equal(r->mutating_variable_inputs.data, clean, 4);
    assert_int_equal(((const lc_GeluOptions *)r->builtin_options.value)->approximate, 1);
    lc_free(b.data);
    lc_arena_deinit(&arena);
}

/* ---- printing and names ---- */

static void text_of(lc_table_id table, const void *value, bool brief, const char *json, const char *text) {
    lc_text out = {0};
    lc_fb_print_json(table, value, brief, &out);
    assert_string_equal(out.data, json);
    lc_text_deinit(&out);
    out = (lc_text){0};
    lc_fb_print_text(table, value, &out);
    assert_string_equal(out.data ? out.data : "", text);
    lc_text_deinit(&out);
}

static void printing(void **state) {
    (void)state;
    lc_Pool2DOptions pool = {.stride_w = 2, .filter_width = -3, .fused_activation_function = 99};
    text_of(LC_TABLE_Pool2DOptions, &pool, true, "{\"stride_w\": 2, \"filter_width\": -3, \"fused_activation_function\": 99}",
            "padding=SAME stride_w=2 stride_h=0 filter_width=-3 filter_height=0 fused_activation_function=99");
    text_of(LC_TABLE_Pool2DOptions, &pool, false,
            "{\"padding\": \"SAME\", \"stride_w\": 2, \"stride_h\": 0, \"filter_width\": -3, \"filter_height\": 0, "
            "\"fused_activation_function\": 99}",
            "padding=SAME stride_w=2 stride_h=0 filter_width=-3 filter_height=0 fused_activation_function=99");
    lc_PadOptions pad = {0};
    text_of(LC_TABLE_PadOptions, &pad, false, "{}", "");
    static const float bounds[] = {0.1f, -2.0f, 1e-30f, 16777216.0f};
    lc_BucketizeOptions bucket = {.boundaries = {bounds, 4}};
    text_of(LC_TABLE_BucketizeOptions, &bucket, true, "{\"boundaries\": [0.1, -2, 1e-30, 16777216]}",
            "boundaries=[0.1, -2, 1e-30, 16777216]");
    lc_FakeQuantOptions fake = {.min = -INFINITY, .max = NAN, .num_bits = 8};
    text_of(LC_TABLE_FakeQuantOptions, &fake, true, "{\"min\": \"-Infinity\", \"max\": \"NaN\", \"num_bits\": 8}",
            "min=-Infinity max=NaN num_bits=8 narrow_range=false");
    lc_VarHandleOptions var = {.container = {"", 0}, .shared_name = {"a\"\\\n\xc3\xa4\xff\xed\xa0\x80", 11}};
    text_of(LC_TABLE_VarHandleOptions, &var, true,
            "{\"container\": \"\", \"shared_name\": \"a\\\"\\\\\\n\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\u0000\"}",
            "container=\"\" shared_name=\"a\\\"\\\\\\n\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\u0000\"");
    int32_t ints[20] = {1};
    lc_ReshapeOptions reshape = {.new_shape = {ints, 18}};
    lc_text out = {0};
    lc_fb_print_text(LC_TABLE_ReshapeOptions, &reshape, &out);
    assert_non_null(strstr(out.data, ", ... 2 more]"));
    lc_text_deinit(&out);
    lc_OperatorCode code = {.version = 1, .builtin_code = 3};
    text_of(LC_TABLE_OperatorCode, &code, true, "{\"builtin_code\": 3}", "deprecated_builtin_code=0 version=1 builtin_code=3");
    lc_Int32Vector seg = {.values = {ints, 2}};
    lc_DimensionMetadata dim = {.format = 1, .array_segments = {1, &seg}, .array_indices = {9, NULL}};
    text_of(LC_TABLE_DimensionMetadata, &dim, true,
            "{\"format\": \"SPARSE_CSR\", \"array_segments_type\": \"Int32Vector\", \"array_segments\": {\"values\": [1, 0]}, "
            "\"array_indices_type\": 9, \"array_indices\": null}",
            "format=SPARSE_CSR dense_size=0 array_segments_type=Int32Vector array_segments={values=[1, 0]} array_indices_type=9 "
            "array_indices=?");
}

/* Whatever a model holds, its JSON parses and has every field of every table by name. */
static void json_is_json(void **state) {
    (void)state;
    for (uint32_t pick = 0; pick < 8; pick++) {
        lc_arena arena = {0};
        filler f = {.arena = &arena, .pick = pick * 17};
        lc_Model *m = fill_model(&f);
        lc_text out = {0};
        lc_fb_print_json(LC_TABLE_Model, m, false, &out);
        json_error_t je;
        json_t *j = json_loads(out.data, JSON_REJECT_DUPLICATES, &je);
        if (!j) fail_msg("%s at %d", je.text, je.position);
        for (LC_EACH_FIELD(d, LC_TABLE_Model)) assert_non_null(json_object_get(j, lc_field_name(d)));
        json_t *b = json_array_get(json_object_get(j, "buffers"), 0);
        assert_int_equal(json_array_size(json_object_get(b, "data")), m->buffers.data[0].data.n);
        json_decref(j);
        lc_text_deinit(&out);
        lc_arena_deinit(&arena);
    }
}

static void names(void **state) {
    (void)state;
    assert_string_equal(lc_schema_enum_name(LC_ENUM_ID_Padding, LC_Padding_VALID), "VALID");
    assert_string_equal(lc_schema_enum_name(LC_ENUM_ID_TensorType, 22), "FLOAT8_E5M2");
    assert_null(lc_schema_enum_name(LC_ENUM_ID_TensorType, 23));
    assert_null(lc_schema_enum_name(LC_ENUM_ID_TensorType, -1));
    assert_null(lc_schema_enum_name(LC_ENUM_ID_BuiltinOperator, 0));
    assert_null(lc_schema_enum_name(LC_ENUM_ID_COUNT, 0));
    assert_int_equal(lc_schema_union_table(LC_UNION_ID_BuiltinOptions, 1), LC_TABLE_Conv2DOptions);
    assert_int_equal(lc_schema_union_table(LC_UNION_ID_BuiltinOptions, 126), LC_TABLE_RightShiftOptions);
    assert_int_equal(lc_schema_union_table(LC_UNION_ID_BuiltinOptions, 127), LC_TABLE_NONE);
    assert_int_equal(lc_schema_union_table(LC_UNION_ID_BuiltinOptions, 0), LC_TABLE_NONE);
    assert_int_equal(lc_schema_union_table(LC_UNION_ID_COUNT, 1), LC_TABLE_NONE);
    for (int t = 0; t < LC_TABLE_COUNT; t++) {
        uint8_t c1 = lc_schema_union_code(LC_UNION_ID_BuiltinOptions, (lc_table_id)t);
        if (c1) assert_int_equal(lc_schema_union_table(LC_UNION_ID_BuiltinOptions, c1), t);
    }
    assert_int_equal(lc_schema_union_code(LC_UNION_ID_BuiltinOptions2, LC_TABLE_DilateOptions), 18);
    assert_int_equal(lc_schema_union_code(LC_UNION_ID_BuiltinOptions2, LC_TABLE_Conv2DOptions), 0);
    assert_int_equal(lc_schema_union_code(LC_UNION_ID_BuiltinOptions, LC_TABLE_NONE), 0);
}

/* ---- real files (made by TensorFlow: tests/oracle/make_tflite.py) ---- */

static void real_files(void **state) {
    (void)state;
    DIR *dir = opendir(LC_TEST_DIR "/data/tflite");
    assert_non_null(dir);
    int files = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        char path[1024];
        size_t length = strlen(e->d_name);
        if (length < 8 || strcmp(e->d_name + length - 7, ".tflite") != 0) continue;
        snprintf(path, sizeof path, "%s/%s", LC_TEST_DIR "/data/tflite", e->d_name);
        lc_map map;
        lc_arena arena = {0};
        ok(lc_map_open(&map, path, NULL, &err));
        lc_Model *m = reread(map.data, map.size, &arena);
        fill_bytes inside = {0}, behind = {0};
        ok(fill_write(m, 0, &inside, &err));
        if (!lc_fb_equal(LC_TABLE_Model, m, reread(inside.data, inside.size, &arena))) fail_msg("%s differs after writing", e->d_name);
        lc_status s = LC_LIMIT; /* the smallest limit that holds the structure: all buffers lie behind it */
        for (uint64_t limit = map.size / 8; s == LC_LIMIT; limit += 8) s = fill_write(m, limit, &behind, &err);
        ok(s);
        lc_Model *n = reread(behind.data, behind.size, &arena);
        if (!lc_fb_equal(LC_TABLE_Model, m, n)) fail_msg("%s differs with buffers behind", e->d_name);
        for (uint32_t i = 0; i < n->buffers.n; i++) assert_true(lc_buffer_size(&n->buffers.data[i]) == 0 || n->buffers.data[i].offset > 1);
        lc_free(inside.data), lc_free(behind.data);
        lc_arena_deinit(&arena);
        lc_map_close(&map);
        files++;
    }
    closedir(dir);
    assert_true(files >= 7);
}

static void buffers_behind_a_real_file(void **state) {
    (void)state;
    lc_map map;
    lc_arena arena = {0};
    ok(lc_map_open(&map, LC_TEST_DIR "/data/tflite/conv_buffers_behind.tflite", NULL, &err));
    lc_Model *m = reread(map.data, map.size, &arena);
    uint32_t behind = 0;
    for (uint32_t i = 0; i < m->buffers.n; i++) {
        const lc_Buffer *b = &m->buffers.data[i];
        if (b->offset <= 1) continue;
        behind++;
        assert_ptr_equal(b->data.data, map.data + b->offset);
        assert_int_equal(b->data.n, b->size);
    }
    assert_true(behind >= 2);
    lc_arena_deinit(&arena);
    lc_map_close(&map);
}

/* ---- memory runs out ---- */

static lc_status whole_life(void *arg, lc_error *e) {
    const fill_bytes *b = (const fill_bytes *)arg;
    lc_arena arena = {0};
    lc_budget budget;
    lc_Model *m;
    fill_bytes out = {0};
    lc_budget_init(&budget, NULL);
    lc_status s = lc_fb_verify(b->data, b->size, &budget, e);
    if (s == LC_OK) s = lc_fb_read(b->data, b->size, &arena, &m, e);
    if (s == LC_OK && !lc_fb_clone(LC_TABLE_Model, m, &arena)) s = lc_fail_memory(e, "clone");
    if (s == LC_OK) s = fill_write(m, 0, &out, e);
    lc_free(out.data);
    lc_arena_deinit(&arena);
    return s;
}

static void allocation_failures(void **state) {
    (void)state;
    lc_arena arena = {0};
    filler f = {.arena = &arena};
    fill_bytes b = {0}, copy;
    ok(fill_write(fill_model(&f), 0, &b, &err));
    copy = (fill_bytes){(uint8_t *)malloc(b.size), b.size, b.size};
    memcpy(copy.data, b.data, b.size);
    lc_free(b.data);
    lc_arena_deinit(&arena);
    assert_true(fault_check(whole_life, &copy, NULL) > 5);
    free(copy.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_survives),
        cmocka_unit_test(equal_sees_each_field),
        cmocka_unit_test(defaults_take_no_place),
        cmocka_unit_test(defaults_other_than_zero),
        cmocka_unit_test(absent_differs_from_empty),
        cmocka_unit_test(same_model_same_bytes),
        cmocka_unit_test(buffers_are_aligned),
        cmocka_unit_test(vtables_are_shared),
        cmocka_unit_test(zero_points_are_shared),
        cmocka_unit_test(many_vtables),
        cmocka_unit_test(huge_files),
        cmocka_unit_test(over_four_gigabytes),
        cmocka_unit_test(over_two_gigabytes_together),
        cmocka_unit_test(structure_too_large),
        cmocka_unit_test(unknown_union_is_not_written),
        cmocka_unit_test(behind_without_bytes_is_not_written),
        cmocka_unit_test(failing_sink),
        cmocka_unit_test(misaligned_memory),
        cmocka_unit_test(bools_are_zero_or_one),
        cmocka_unit_test(printing),
        cmocka_unit_test(json_is_json),
        cmocka_unit_test(names),
        cmocka_unit_test(real_files),
        cmocka_unit_test(buffers_behind_a_real_file),
        cmocka_unit_test(allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
