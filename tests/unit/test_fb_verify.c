/*
 * Tests of the flatbuffer verifier: for every rule of schema/fb_rules.def bad files, each a good file with a few bytes changed,
 * and good twins, changed at the same place to something that is allowed; a rule without such a pair fails. Then all truncations, all
 * single-byte changes, a file that unfolds to more tables than there is time for, and reading bytes that were never verified.
 */
#include "schema/fb_view.h"
#include "support/fill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static lc_error err;

/* Where bad and good files were changed: a rule has its pair when one of each was changed at the same place. Limits, and the
 * size of the file, have no place: their tests set both marks. */
static bool broken_once[LC_FB_RULE_COUNT], has_twin[LC_FB_RULE_COUNT];
static uint64_t bad_at[LC_FB_RULE_COUNT][16], good_at[64];
static size_t bad_count[LC_FB_RULE_COUNT], good_count;

/* ---- the good file, and where things are in it ---- */

static struct {
    uint8_t *data;
    size_t size;
    uint64_t model, description, tensor, quant, zero_point, op, buffer, behind; /* tables, and a string and a vector (length first) */
} good;

static uint64_t u32_at(uint64_t at) {
    uint32_t v;
    memcpy(&v, good.data + at, 4);
    return v;
}

/* Where the field lies in its table. */
static uint64_t field(uint64_t table, uint16_t id) {
    lc_fb_bytes b = lc_fb_bytes_make(good.data, good.size);
    lc_fb_table t;
    uint64_t at = 0;
    assert_true(lc_fb_table_at(&b, table, &t) && lc_fb_field_at(&b, &t, id, 1, &at) && at);
    return at;
}
static uint64_t ref(uint64_t at) { return at + u32_at(at); }
static uint64_t vtable(uint64_t table) { return table - u32_at(table); }
static uint64_t slot(uint64_t table, uint16_t id) { return vtable(table) + 4 + 2u * id; }
/* Table i of a vector of tables in field `id`. */
static uint64_t element(uint64_t table, uint16_t id, uint32_t i) { return ref(ref(field(table, id)) + 4 + 4 * i); }

static int make_good(void **state) {
    (void)state;
    static const int32_t dims[] = {2, 2};
    static const int64_t zeros[] = {3, 4, 5};
    static const uint8_t bytes[20] = {9, 8, 7};
    lc_QuantizationParameters q = {.zero_point = {zeros, 3}};
    lc_Tensor t = {.shape = {dims, 2}, .buffer = 1, .name = LC_STR("input"), .quantization = &q};
    lc_SoftmaxOptions softmax = {.beta = 1};
    lc_Operator op;
    lc_schema_init(LC_TABLE_Operator, &op);
    op.inputs = op.outputs = (lc_vec_i32){dims, 2};
    op.builtin_options = (lc_union){LC_BuiltinOptions_SoftmaxOptions, &softmax};
    op.custom_options = (lc_vec_u8){bytes, 3};
    op.large_custom_options_offset = 2;
    op.large_custom_options_size = 3;
    lc_SubGraph g = {.tensors = {&t, 1}, .operators = {&op, 1}, .debug_metadata_index = -1};
    lc_Buffer buffers[] = {{.offset = 0}, {.data = {bytes, 20}}, {.data = {bytes, 11}, .offset = 2, .size = 11}};
    lc_Model m = {.version = 3, .subgraphs = {&g, 1}, .description = LC_STR("twin"), .buffers = {buffers, 3}};
    fill_bytes b = {0};
    if (fill_write(&m, 0, &b, &err) != LC_OK) return -1;
    good.data = b.data;
    good.size = b.size;
    good.model = u32_at(0);
    good.description = ref(field(good.model, 3));
    uint64_t graph = element(good.model, 2, 0);
    good.tensor = element(graph, 0, 0);
    good.quant = ref(field(good.tensor, 4));
    good.zero_point = ref(field(good.quant, 3));
    good.op = element(graph, 3, 0);
    good.buffer = element(good.model, 4, 1);
    good.behind = element(good.model, 4, 2);
    return 0;
}

static int drop_good(void **state) {
    (void)state;
    lc_free(good.data);
    return 0;
}

/* ---- changing it ---- */

/* A block of exactly `size` bytes, so that the address sanitizer sees any read past it. */
static uint8_t *copy_of(size_t size) {
    uint8_t *p = (uint8_t *)malloc(size ? size : 1);
    assert_non_null(p);
    memcpy(p, good.data, size);
    return p;
}

static lc_status verify_with(const void *data, size_t size, const lc_limits *limits) {
    lc_budget budget;
    lc_budget_init(&budget, limits);
    lc_error_clear(&err);
    return lc_fb_verify(data, size, &budget, &err);
}

typedef struct change {
    uint64_t at;
    uint64_t value;
    int bytes;
} change;

/* The good file with up to two changes, verified. */
static lc_status changed(size_t size, change a, change b) {
    uint8_t *p = copy_of(size);
    if (a.bytes) memcpy(p + a.at, &a.value, (size_t)a.bytes);
    if (b.bytes) memcpy(p + b.at, &b.value, (size_t)b.bytes);
    lc_status s = verify_with(p, size, NULL);
    lc_arena arena = {0};
    lc_Model *m;
    /* What passes can be read, and what does not pass does no harm when it is read all the same. */
    lc_status read = lc_fb_read(p, size, &arena, &m, NULL);
    if (s == LC_OK) assert_int_equal(read, LC_OK);
    lc_arena_deinit(&arena);
    free(p);
    return s;
}

static const change none = {0, 0, 0};

static void bad2(lc_fb_rule rule, change a, change b) {
    lc_status s = changed(good.size, a, b);
    if (s != LC_INVALID || strcmp(err.rule, lc_fb_rule_id(rule)) != 0)
        fail_msg("wanted %s, got %s %s: %s", lc_fb_rule_id(rule), lc_status_name(s), err.rule, err.message);
    assert_true(err.offset < good.size);
    assert_true(strncmp(err.message, "Model", 5) == 0 && err.hint[0]);
    broken_once[rule] = true;
    assert_in_range(bad_count[rule], 0, sizeof bad_at[0] / sizeof bad_at[0][0] - 1);
    bad_at[rule][bad_count[rule]++] = a.at;
}
static void bad(lc_fb_rule rule, uint64_t at, uint64_t value, int bytes) { bad2(rule, (change){at, value, bytes}, none); }

static void fine2(change a, change b) {
    if (changed(good.size, a, b) != LC_OK) fail_msg("%s: %s", err.rule, err.message);
    assert_in_range(good_count, 0, sizeof good_at / sizeof good_at[0] - 1);
    good_at[good_count++] = a.at;
}
static void fine(uint64_t at, uint64_t value, int bytes) { fine2((change){at, value, bytes}, none); }

/* ---- the rules ---- */

static void file_and_root(void **state) {
    (void)state;
    for (size_t n = 0; n < 8; n++) {
        assert_int_equal(changed(n, none, none), LC_INVALID);
        assert_string_equal(err.rule, "FB-SIZE");
    }
    assert_int_equal(verify_with("", 0, NULL), LC_INVALID);
    assert_int_equal(changed(8, none, none), LC_INVALID); /* 8 bytes are enough to say more */
    assert_string_equal(err.rule, "FB-ROOT");
    broken_once[LC_FB_SIZE] = has_twin[LC_FB_SIZE] = true;
    fine2(none, none);
    bad(LC_FB_IDENT, 4, 'X', 1);
    bad(LC_FB_IDENT, 7, '2', 1);
    fine(7, '3', 1);
    bad(LC_FB_ROOT, 0, 0, 4);
    bad(LC_FB_ROOT, 0, 4, 4);
    bad(LC_FB_ROOT, 0, good.size, 4);
    bad(LC_FB_ROOT, 0, good.size - 3, 4);
    bad(LC_FB_ROOT, 0, 0xffffffff, 4);
    fine(0, good.model, 4);
}

static void offsets(void **state) {
    (void)state;
    uint64_t at = field(good.model, 3);
    bad(LC_FB_OFFSET, at, 0, 4);
    bad(LC_FB_OFFSET, at, good.size, 4);
    bad(LC_FB_OFFSET, at, 0x7ffffffc, 4);
    bad(LC_FB_OFFSET, at, 0x80000000, 4);
    bad(LC_FB_OFFSET, at, 0xfffffffc, 4); /* would point back if it were signed */
    bad(LC_FB_ALIGN, at, u32_at(at) + 1, 4);
    bad(LC_FB_ALIGN, at, u32_at(at) + 2, 4);
    bad(LC_FB_ALIGN, 0, good.model + 2, 4);
    fine(at, u32_at(at), 4);
    /* Sharing is allowed: the description is the tensor's name. */
    fine(at, ref(field(good.tensor, 3)) - at, 4);
}

static void tables(void **state) {
    (void)state;
    uint64_t t = good.tensor, v = vtable(t);
    bad(LC_FB_VTABLE, t, t + 4, 4);                                 /* before the file */
    bad(LC_FB_VTABLE, t, (uint32_t) - (int32_t)(good.size - t), 4); /* behind it */
    bad(LC_FB_VTABLE, t, (uint32_t) - (int32_t)(good.size - t - 2), 4);
    bad(LC_FB_VTABLE, t, 0x80000000, 4);
    bad(LC_FB_VTABLE, t, 0x7fffffff, 4);
    bad(LC_FB_VTABLE, t, t - v - 1, 4); /* odd position */
    bad(LC_FB_VTABLE, v, 2, 2);
    bad(LC_FB_VTABLE, v, 5, 2);
    bad(LC_FB_VTABLE, v, 0xfffe, 2);
    fine(v, 4, 2); /* no fields at all */
    fine(v, 8, 2);
    bad(LC_FB_TABLE, v + 2, 0, 2);
    bad(LC_FB_TABLE, v + 2, 3, 2);
    bad(LC_FB_TABLE, v + 2, 0xffff, 2);
    fine(v + 2, 64, 2);
    uint16_t size, in;
    memcpy(&size, good.data + v + 2, 2);
    memcpy(&in, good.data + slot(t, 2), 2);
    bad(LC_FB_FIELD, slot(t, 2), 2, 2);
    bad(LC_FB_FIELD, slot(t, 2), size, 2);
    bad(LC_FB_FIELD, slot(t, 2), 0xfffc, 2);
    bad(LC_FB_FIELD, v + 2, 4, 2);
    fine(slot(t, 2), 0, 2); /* absent */
    bad(LC_FB_FIELD_ALIGN, slot(t, 2), 5, 2);
    bad(LC_FB_FIELD_ALIGN, slot(t, 0), 6, 2); /* references too */
    memcpy(&in, good.data + slot(good.behind, 1), 2);
    bad(LC_FB_FIELD_ALIGN, slot(good.behind, 1), in + 4u, 2); /* 8-byte number on 4 bytes */
    fine(slot(good.behind, 1), in, 2);
    fine(slot(t, 2), 8, 2); /* fields may overlap; the buffer index is then another number */
}

/* A vtable longer than the schema knows (a newer file): its fields are not looked at. */
static void fields_of_the_future(void **state) {
    (void)state;
    enum { VTABLE = 8, TABLE = 36, KNOWN = 10, IDS = 12 };
    struct {
        uint32_t root;
        char ident[4];
        uint16_t vtable[2 + IDS];
        int32_t back;
        uint32_t version;
    } file = {TABLE, {'T', 'F', 'L', '3'}, {4 + 2 * IDS, 8, 4}, TABLE - VTABLE, 3};
    assert_int_equal(verify_with(&file, sizeof file, NULL), LC_OK);
    file.vtable[2 + KNOWN] = 0xffff;
    file.vtable[2 + KNOWN + 1] = 1;
    assert_int_equal(verify_with(&file, sizeof file, NULL), LC_OK);
    file.vtable[2 + KNOWN - 1] = 1;
    assert_int_equal(verify_with(&file, sizeof file, NULL), LC_INVALID);
    assert_string_equal(err.rule, "FB-FIELD");
}

static void vectors_and_strings(void **state) {
    (void)state;
    uint64_t shape = ref(field(good.tensor, 0)), z = good.zero_point, s = good.description;
    bad(LC_FB_VECTOR, shape, good.size / 4, 4);
    bad(LC_FB_VECTOR, shape, 0x7fffffff, 4);
    bad(LC_FB_VECTOR, shape, 0x40000000, 4); /* times 4 is 2^32 */
    bad(LC_FB_VECTOR, z, 0x20000000, 4);     /* times 8 is 2^32 */
    bad(LC_FB_VECTOR, z, 0xffffffff, 4);
    bad(LC_FB_VECTOR, ref(field(good.model, 4)), 0xffffffff, 4);
    bad(LC_FB_VECTOR, ref(field(good.model, 4)), good.size / 4 + 1, 4);
    fine(shape, 1, 4);
    fine(shape, 0, 4);
    /* A vector of 8-byte numbers that starts 4 bytes late: its elements are on 4-byte boundaries. */
    uint64_t at = field(good.quant, 3);
    bad2(LC_FB_VECTOR_ALIGN, (change){at, z + 4 - at, 4}, (change){z + 4, 1, 4});
    fine2((change){at, z + 4 - at, 4}, (change){z + 4, 0, 4}); /* without elements there is nothing to misplace */
    bad(LC_FB_STRING, s, good.size, 4);
    bad(LC_FB_STRING, s, 0xffffffff, 4);
    bad(LC_FB_STRING, s, good.size - s - 3, 4);
    fine(s, 4, 4);
    uint8_t *p = copy_of(good.size); /* ends with the last byte of the file, so that no NUL can follow */
    uint32_t n = (uint32_t)(good.size - s - 4);
    memcpy(p + s, &n, 4);
    assert_int_equal(verify_with(p, good.size, NULL), LC_INVALID);
    assert_string_equal(err.rule, "FB-STRING-END");
    free(p);
    bad(LC_FB_STRING_END, s + 4 + 4, 'x', 1);
    bad(LC_FB_STRING_END, s, 3, 4);
    fine(s + 4, 'x', 1);
    fine(s + 4, 0, 1); /* a NUL inside is not the format's business */
}

/* Buffers that are not on 16 bytes are what old converters wrote and what LiteRT reads. */
static void buffers_need_no_alignment(void **state) {
    (void)state;
    uint64_t at = field(good.buffer, 0), data = ref(at);
    fine2((change){at, data + 4 - at, 4}, (change){data + 4, 5, 4});
    bad2(LC_FB_ALIGN, (change){at, data + 3 - at, 4}, (change){data + 3, 5, 4});
}

static void unions(void **state) {
    (void)state;
    uint64_t type = field(good.op, 3), value = field(good.op, 4);
    bad(LC_FB_UNION, type, 0, 1);
    bad(LC_FB_UNION, slot(good.op, 3), 0, 2);
    bad(LC_FB_UNION, slot(good.op, 4), 0, 2);
    fine2((change){slot(good.op, 3), 0, 2}, (change){slot(good.op, 4), 0, 2});
    fine(type, LC_BuiltinOptions_AddOptions, 1);                        /* another table's fields at the same place */
    fine(type, 127, 1);                                                 /* a type of a newer schema */
    fine2((change){type, 255, 1}, (change){ref(value), 0x7fffffff, 4}); /* ... whose table nobody looks at */
    bad2(LC_FB_OFFSET, (change){type, 127, 1}, (change){value, good.size, 4});
    bad(LC_FB_VTABLE, ref(value), 0x7fffffff, 4);
}

static void behind_the_flatbuffer(void **state) {
    (void)state;
    uint64_t offset = field(good.behind, 1), size = field(good.behind, 2), custom = field(good.op, 9);
    bad(LC_FB_BEHIND, offset, good.size, 8);
    bad(LC_FB_BEHIND, offset, good.size - 10, 8);
    bad(LC_FB_BEHIND, size, good.size, 8);
    bad(LC_FB_BEHIND, size, UINT64_MAX, 8);
    bad2(LC_FB_BEHIND, (change){offset, UINT64_MAX - 4, 8}, (change){size, 10, 8}); /* the sum wraps */
    bad2(LC_FB_BEHIND, (change){offset, 16, 8}, (change){size, UINT64_MAX - 15, 8});
    bad(LC_FB_BEHIND, custom, good.size, 8);
    fine(offset, good.size - 11, 8);
    fine2((change){offset, good.size, 8}, (change){size, 0, 8});
    fine2((change){offset, 1, 8}, (change){size, UINT64_MAX, 8}); /* not a place: LiteRT's mark of none */
    fine2((change){offset, 0, 8}, (change){size, UINT64_MAX, 8});
}

static void limits(void **state) {
    (void)state;
    const struct {
        lc_fb_rule rule;
        lc_limits tight, enough;
    } t[] = {
        {LC_FB_DEPTH, {.max_depth = 3}, {.max_depth = 4}},    /* Model, SubGraph, Tensor, QuantizationParameters */
        {LC_FB_TABLES, {.max_tables = 7}, {.max_tables = 8}}, /* those, Operator, SoftmaxOptions and three Buffers are 9 */
        {LC_FB_MEMORY, {.max_memory = 500}, {.max_memory = 5000}},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        lc_limits enough = t[i].enough;
        if (t[i].rule == LC_FB_TABLES) enough.max_tables = 9;
        assert_int_equal(verify_with(good.data, good.size, &t[i].tight), LC_LIMIT);
        assert_string_equal(err.rule, lc_fb_rule_id(t[i].rule));
        assert_int_equal(err.status, LC_LIMIT);
        assert_true(err.hint[0] && strncmp(err.message, "Model", 5) == 0);
        if (verify_with(good.data, good.size, &enough) != LC_OK) fail_msg("%s: %s", err.rule, err.message);
        broken_once[t[i].rule] = has_twin[t[i].rule] = true;
    }
}

static void every_rule_has_its_pair(void **state) {
    (void)state;
    for (int i = LC_FB_OK + 1; i < LC_FB_RULE_COUNT; i++) {
        if (!broken_once[i]) fail_msg("%s has no bad file", lc_fb_rule_id((lc_fb_rule)i));
        for (size_t b = 0; b < bad_count[i]; b++)
            for (size_t g = 0; g < good_count; g++) has_twin[i] |= bad_at[i][b] == good_at[g];
        if (!has_twin[i]) fail_msg("%s has no good twin", lc_fb_rule_id((lc_fb_rule)i));
    }
    assert_string_equal(lc_fb_rule_id(LC_FB_RULE_COUNT), "?");
    assert_string_equal(lc_fb_rule_text(LC_FB_RULE_COUNT), "?");
}

static void message_says_where(void **state) {
    (void)state;
    bad(LC_FB_STRING_END, ref(field(good.tensor, 3)) + 4 + 5, 'x', 1);
    assert_non_null(strstr(err.message, "Model.subgraphs[0].tensors[0].name: "));
    assert_true(err.offset == ref(field(good.tensor, 3)) + 9);
    assert_int_equal(changed(good.size, (change){ref(field(good.tensor, 3)) + 9, 'x', 1}, none), LC_INVALID);
    lc_budget budget;
    lc_budget_init(&budget, NULL);
    assert_int_equal(lc_fb_verify("none", 4, &budget, NULL), LC_INVALID); /* err may be NULL */
}

/* ---- sweeps ---- */

/* Verified bytes can be read, written, and come back the same; others end in an error. */
static void consistent(uint8_t *p, size_t size) {
    lc_arena arena = {0};
    lc_Model *m, *n;
    fill_bytes b = {0};
    bool valid = verify_with(p, size, NULL) == LC_OK;
    lc_status s = lc_fb_read(p, size, &arena, &m, &err);
    if (valid) {
        assert_int_equal(s, LC_OK);
        s = fill_write(m, 0, &b, &err);
        if (s != LC_UNSUPPORTED) { /* a union type that the change made unknown */
            assert_int_equal(s, LC_OK);
            assert_int_equal(verify_with(b.data, b.size, NULL), LC_OK);
            assert_int_equal(lc_fb_read(b.data, b.size, &arena, &n, &err), LC_OK);
            assert_true(lc_fb_equal(LC_TABLE_Model, m, n));
        }
    }
    lc_free(b.data);
    lc_arena_deinit(&arena);
}

static void cut_anywhere(void **state) {
    (void)state;
    uint64_t end; /* of the last byte that anything names: the custom options or the buffer behind */
    memcpy(&end, good.data + field(good.behind, 1), 8);
    for (size_t size = 0; size < good.size; size++) {
        uint8_t *p = copy_of(size);
        consistent(p, size);
        if (size < end) assert_int_equal(verify_with(p, size, NULL), LC_INVALID);
        free(p);
    }
}

static void any_byte_changed(void **state) {
    (void)state;
    static const uint8_t values[] = {0x00, 0x01, 0x02, 0x04, 0x7f, 0x80, 0xfe, 0xff};
    for (size_t at = 0; at < good.size; at++)
        for (size_t k = 0; k < sizeof values; k++) {
            uint8_t *p = copy_of(good.size);
            p[at] = values[k];
            consistent(p, good.size);
            free(p);
        }
}

/* ---- small files that unfold ---- */

/* Model with `graphs` references to one SubGraph that has `ops` references to one empty Operator. */
static uint8_t *unfolding(uint32_t graphs, uint32_t ops, size_t *size) {
    size_t v1 = 56, subgraph = v1 + 4 + 4 * (size_t)graphs, v2 = subgraph + 8, op = v2 + 4 + 4 * (size_t)ops;
    *size = op + 8;
    uint8_t *p = (uint8_t *)calloc(1, *size);
    const uint16_t model_vtable[] = {10, 8, 0, 0, 4}, graph_vtable[] = {12, 8, 0, 0, 0, 4}, op_vtable[] = {4, 4};
    memcpy(p + 4, "TFL3", 4);
    memcpy(p + 8, model_vtable, sizeof model_vtable);
    memcpy(p + 20, graph_vtable, sizeof graph_vtable);
    memcpy(p + 32, op_vtable, sizeof op_vtable);
#define PUT(at, value) \
    do { \
        uint32_t put_ = (uint32_t)(value); \
        memcpy(p + (at), &put_, 4); \
    } while (0)
    PUT(0, 48);
    PUT(48, 48 - 8);
    PUT(52, v1 - 52);
    PUT(v1, graphs);
    for (uint32_t i = 0; i < graphs; i++) PUT(v1 + 4 + 4 * i, subgraph - (v1 + 4 + 4 * i));
    PUT(subgraph, subgraph - 20);
    PUT(subgraph + 4, v2 - subgraph - 4);
    PUT(v2, ops);
    for (uint32_t i = 0; i < ops; i++) PUT(v2 + 4 + 4 * i, op - (v2 + 4 + 4 * i));
    PUT(op, op - 32);
#undef PUT
    return p;
}

static void unfolding_is_stopped(void **state) {
    (void)state;
    size_t size;
    uint8_t *p = unfolding(3, 4, &size);
    if (verify_with(p, size, NULL) != LC_OK) fail_msg("%s: %s", err.rule, err.message);
    lc_arena arena = {0};
    lc_Model *m;
    assert_int_equal(lc_fb_read(p, size, &arena, &m, &err), LC_OK);
    assert_int_equal(m->subgraphs.n, 3);
    assert_int_equal(m->subgraphs.data[2].operators.n, 4);
    lc_arena_deinit(&arena);
    free(p);
    p = unfolding(30000, 30000, &size); /* 240 kB that name 900 million operators */
    assert_int_equal(verify_with(p, size, NULL), LC_LIMIT);
    assert_string_equal(err.rule, "FB-TABLES");
    free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_and_root),
        cmocka_unit_test(offsets),
        cmocka_unit_test(tables),
        cmocka_unit_test(fields_of_the_future),
        cmocka_unit_test(vectors_and_strings),
        cmocka_unit_test(buffers_need_no_alignment),
        cmocka_unit_test(unions),
        cmocka_unit_test(behind_the_flatbuffer),
        cmocka_unit_test(limits),
        cmocka_unit_test(every_rule_has_its_pair),
        cmocka_unit_test(message_says_where),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(any_byte_changed),
        cmocka_unit_test(unfolding_is_stopped),
    };
    return cmocka_run_group_tests(tests, make_good, drop_good);
}
