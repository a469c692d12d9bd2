/*
 * test_proto.c: protocol buffers on the wire: what is read from bytes, what is written, and that both stand every failing allocation.
 * What is refused: test_proto_bad.c. The judge of all this is TensorFlow: tests/oracle/check_proto.py.
 */
#include "proto/proto.h"
#include "support/fault.h"
#include "support/wire.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static lc_error err;
static lc_arena arena;
static lc_budget budget;
static wire w;

static int begin(void **state) {
    (void)state;
    lc_error_clear(&err);
    lc_budget_init(&budget, NULL);
    w = (wire){0};
    return 0;
}

static int end(void **state) {
    (void)state;
    lc_arena_deinit(&arena);
    return 0;
}

static void *read_bytes(lc_pb_id id, const void *bytes, size_t size) {
    void *message;
    const lc_status status = lc_pb_read(id, bytes, size, &budget, &arena, &message, &err);
    if (status != LC_OK) fail_msg("[%s] %s", err.rule, err.message);
    assert_non_null(message);
    return message;
}
#define READ(M) ((lc_pb_##M *)read_bytes(LC_PB_##M, w.bytes, w.size))

static void assert_writes(lc_pb_id id, const void *message, const void *bytes, size_t size) {
    lc_text out = {0};
    uint64_t said;
    lc_pb_write(id, message, &out);
    assert_false(out.failed);
    assert_int_equal(out.size, size);
    if (size) assert_memory_equal(out.data, bytes, size);
    assert_int_equal(lc_pb_size(id, message, &said, &err), LC_OK);
    assert_true(said == size);
    lc_text_deinit(&out);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Of every wire type a field that NodeDef does not have. */
static void put_unknown(void) {
    wire_varint(&w, 99, 300);
    wire_64(&w, 99, "12345678");
    wire_string(&w, 5000, "x");
    wire_32(&w, 99, "1234");
    wire_tag(&w, 99, 3);
    wire_varint(&w, 1, 1);
    wire_tag(&w, 7, 3);
    wire_tag(&w, 7, 4);
    wire_string(&w, 2, "y");
    wire_tag(&w, 99, 4);
}

static void test_node(void **state) {
    (void)state;
    wire plain = {0};
    for (int twice = 0; twice < 2; twice++) {
        wire *to = twice ? &w : &plain;
        wire_string(to, 1, "n");
        wire_string(to, 2, "Add");
        wire_string(to, 3, "a");
        wire_string(to, 3, "b:1");
        if (twice) put_unknown();
        wire_open(to, 5);
        wire_string(to, 1, "T");
        wire_open(to, 2);
        wire_varint(to, 6, LC_DT_FLOAT);
        wire_close(to);
        wire_close(to);
    }
    const lc_pb_NodeDef *n = READ(NodeDef);
    assert_true(lc_str_is(n->name, "n") && lc_str_is(n->op, "Add"));
    assert_ptr_equal(n->name.data, w.bytes + 2); /* borrowed */
    assert_int_equal(n->input.n, 2);
    assert_true(lc_str_is(n->input.data[0], "a") && lc_str_is(n->input.data[1], "b:1"));
    assert_true(lc_pb_has(n, NodeDef, op) && lc_pb_has(n, NodeDef, attr) && !lc_pb_has(n, NodeDef, device));
    assert_null(n->device.data);
    assert_null(n->experimental_type);
    assert_int_equal(n->attr.n, 1);
    assert_int_equal(n->attr.data[0].value->type, LC_DT_FLOAT);
    assert_ptr_equal(lc_pb_find(n->attr, LC_STR("T")), &n->attr.data[0]);
    assert_null(lc_pb_find(n->attr, LC_STR("t")));
    assert_writes(LC_PB_NodeDef, n, plain.bytes, plain.size);
}

static void test_nothing(void **state) {
    (void)state;
    void *message;
    assert_int_equal(lc_pb_read(LC_PB_GraphDef, NULL, 0, &budget, &arena, &message, &err), LC_OK);
    const lc_pb_GraphDef *g = message;
    assert_true(g->has == 0 && g->node.n == 0 && !g->library);
    assert_writes(LC_PB_GraphDef, g, "", 0);
    /* There, but with nothing inside: not the same as absent. */
    wire_string(&w, 1, "");
    wire_string(&w, 2, "");
    g = READ(GraphDef);
    assert_non_null(g->library);
    assert_int_equal(g->node.n, 1);
    assert_null(g->node.data[0].name.data);
    assert_writes(LC_PB_GraphDef, g, w.bytes, w.size);
    w = (wire){0};
    wire_string(&w, 1, "");
    const lc_pb_NodeDef *n = READ(NodeDef);
    assert_non_null(n->name.data);
    assert_int_equal(n->name.size, 0);
    assert_writes(LC_PB_NodeDef, n, w.bytes, w.size);
    assert_int_equal(lc_pb_read(LC_PB_COUNT, "", 0, &budget, &arena, &message, &err), LC_ARGUMENT);
    assert_null(message);
}

/* Each kind of number at the ends of its range, and what protobuf makes of one that is too wide. */
static void test_numbers(void **state) {
    (void)state;
    const float f = -0.0f;
    const double d = 5e-324;
    wire_varint(&w, 3, (uint64_t)-1);
    wire_varint(&w, 7, 0x7fffffff);
    wire_varint(&w, 7, (uint64_t)INT32_MIN);
    wire_varint(&w, 7, 0x1000000ffu); /* cut to 32 bits */
    wire_varint(&w, 10, (uint64_t)INT64_MIN);
    wire_varint(&w, 11, 0);
    wire_varint(&w, 11, 1u << 30); /* any number but 0 is true */
    wire_32(&w, 5, &f);
    wire_64(&w, 6, &d);
    wire_varint(&w, 16, UINT32_MAX);
    wire_varint(&w, 17, UINT64_MAX);
    const lc_pb_TensorProto *t = READ(TensorProto);
    assert_int_equal(t->version_number, -1);
    assert_int_equal(t->int_val.n, 3);
    assert_true(t->int_val.data[0] == INT32_MAX && t->int_val.data[1] == INT32_MIN && t->int_val.data[2] == 255);
    assert_true(t->int64_val.n == 1 && t->int64_val.data[0] == INT64_MIN);
    assert_true(t->bool_val.n == 2 && !t->bool_val.data[0] && t->bool_val.data[1]);
    assert_true(t->float_val.n == 1 && signbit(t->float_val.data[0]));
    assert_true(t->double_val.n == 1 && t->double_val.data[0] == d);
    assert_true((uint32_t)t->uint32_val.data[0] == UINT32_MAX && (uint64_t)t->uint64_val.data[0] == UINT64_MAX);
    /* Written packed, in the order of the numbers; negative int32 as ten bytes. */
    wire p = {0};
    wire_varint(&p, 3, (uint64_t)-1);
    wire_bytes(&p, 5, &f, 4);
    wire_bytes(&p, 6, &d, 8);
    wire_open(&p, 7);
    wire_number(&p, INT32_MAX);
    wire_number(&p, (uint64_t)INT32_MIN);
    wire_number(&p, 255);
    wire_close(&p);
    wire_open(&p, 10);
    wire_number(&p, (uint64_t)INT64_MIN);
    wire_close(&p);
    wire_bytes(&p, 11, "\0\1", 2);
    wire_open(&p, 16);
    wire_number(&p, UINT32_MAX);
    wire_close(&p);
    wire_open(&p, 17);
    wire_number(&p, UINT64_MAX);
    wire_close(&p);
    assert_writes(LC_PB_TensorProto, t, p.bytes, p.size);
    assert_writes(LC_PB_TensorProto, read_bytes(LC_PB_TensorProto, p.bytes, p.size), p.bytes, p.size);
    /* sint64: 0, -1, 1, -2 ... */
    static const struct {
        uint64_t wire;
        int64_t value;
    } zigzag[] = {{0, 0}, {1, -1}, {2, 1}, {UINT64_MAX - 1, INT64_MAX}, {UINT64_MAX, INT64_MIN}};
    for (size_t i = 0; i < sizeof zigzag / sizeof *zigzag; i++) {
        w = (wire){0};
        wire_varint(&w, 12, zigzag[i].wire);
        const lc_pb_StructuredValue *v = READ(StructuredValue);
        assert_true(v->int64_value == zigzag[i].value);
        assert_writes(LC_PB_StructuredValue, v, w.bytes, w.size);
    }
    /* fixed32 and fixed64 */
    w = (wire){0};
    wire_32(&w, 6, "\x01\x02\x03\x84");
    const lc_pb_BundleEntryProto *b = READ(BundleEntryProto);
    assert_true(b->crc32c == 0x84030201u);
    assert_writes(LC_PB_BundleEntryProto, b, w.bytes, w.size);
    w = (wire){0};
    wire_64(&w, 2, "\x01\0\0\0\0\0\0\x80");
    const lc_pb_GraphDebugInfo_StackTrace *s = READ(GraphDebugInfo_StackTrace);
    assert_true((uint64_t)s->frame_id.data[0] == 0x8000000000000001u);
    /* A length or a number may be written with more bytes than it needs. */
    w = (wire){0};
    wire_raw(&w, "\x32\x81\x80\x00n\x18\x85\x80\x80\x80\x80\x80\x80\x80\x80\x00", 16);
    const lc_pb_SavedVariable *v = READ(SavedVariable);
    assert_true(lc_str_is(v->name, "n") && v->trainable);
}

/* Repeated numbers packed, one by one and both in turn. */
static void test_packed(void **state) {
    (void)state;
    wire_varint(&w, 3, 1);
    wire_bytes(&w, 3, "\x02\x80\x01\x04", 4);
    wire_bytes(&w, 3, "", 0);
    wire_varint(&w, 3, 5);
    wire_bytes(&w, 4, "\0\0\x80\x3f\0\0\0\x40", 8);
    wire_32(&w, 4, "\0\0\x40\x40");
    wire_bytes(&w, 5, "\1\0\1", 3);
    wire_bytes(&w, 6, "\x01\x0a", 2);
    const lc_pb_AttrValue_ListValue *l = READ(AttrValue_ListValue);
    assert_int_equal(l->i.n, 5);
    static const int64_t want[] = {1, 2, 128, 4, 5};
    assert_memory_equal(l->i.data, want, sizeof want);
    assert_true(l->f.n == 3 && l->f.data[0] == 1 && l->f.data[1] == 2 && l->f.data[2] == 3);
    assert_true(l->b.n == 3 && l->b.data[0] && !l->b.data[1] && l->b.data[2]);
    assert_true(l->type.n == 2 && l->type.data[1] == LC_DT_BOOL);
}

/* The last value counts; messages that are there twice are one, with what was in both. */
static void test_merge(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        wire_varint(&w, 3, (uint64_t)i + 7);
        wire_open(&w, 4);
        if (i < 2) wire_varint(&w, 1, (uint64_t)i + 20);
        if (i == 0) wire_varint(&w, 2, 5);
        wire_varint(&w, 3, (uint64_t)i + 30);
        wire_close(&w);
        wire_open(&w, 2); /* library, with a function each */
        wire_open(&w, 1);
        wire_open(&w, 1);
        wire_string(&w, 1, i == 0 ? "f0" : i == 1 ? "f1" : "f2");
        wire_close(&w);
        wire_close(&w);
        wire_close(&w);
    }
    const lc_pb_GraphDef *g = READ(GraphDef);
    assert_int_equal(g->version, 9);
    assert_int_equal(g->versions->producer, 21);
    assert_int_equal(g->versions->min_consumer, 5);
    assert_int_equal(g->versions->bad_consumers.n, 3);
    assert_int_equal(g->versions->bad_consumers.data[2], 32);
    assert_int_equal(g->library->function.n, 3);
    assert_true(lc_str_is(g->library->function.data[2].signature->name, "f2"));
}

/* Of a oneof the member that came last is there, alone; one that comes back is new. */
static void test_oneof(void **state) {
    (void)state;
    wire_varint(&w, 3, 5);
    wire_string(&w, 2, "text");
    const lc_pb_AttrValue *v = READ(AttrValue);
    assert_true(lc_pb_has(v, AttrValue, s) && !lc_pb_has(v, AttrValue, i) && v->i == 0 && lc_str_is(v->s, "text"));
    wire_varint(&w, 5, 0);
    v = READ(AttrValue);
    assert_true(v->has == (uint64_t)1 << LC_PB_ROW_AttrValue_b && !v->s.data && !v->b);
    assert_writes(LC_PB_AttrValue, v, w.bytes + w.size - 2, 2); /* false, but there */
    w = (wire){0};
    for (int i = 0; i < 3; i++) { /* a list with an i, then a shape, twice, then a list with another */
        wire_open(&w, 1);
        wire_varint(&w, 3, (uint64_t)i);
        wire_close(&w);
        if (i == 2) break;
        wire_open(&w, 7);
        wire_varint(&w, 3, 1);
        wire_close(&w);
    }
    v = READ(AttrValue);
    assert_null(v->shape);
    assert_true(v->list->i.n == 1 && v->list->i.data[0] == 2);
    assert_true(v->has == (uint64_t)1 << LC_PB_ROW_AttrValue_list);
    wire_open(&w, 1); /* the same member again: merged */
    wire_varint(&w, 3, 9);
    wire_close(&w);
    v = READ(AttrValue);
    assert_true(v->list->i.n == 2 && v->list->i.data[0] == 2 && v->list->i.data[1] == 9);
}

static void put_entry(const char *key, uint64_t type) {
    wire_open(&w, 5);
    if (key) wire_string(&w, 1, key);
    wire_open(&w, 2);
    wire_varint(&w, 6, type);
    wire_close(&w);
    wire_close(&w);
}

/* A key that comes again replaces its entry; the others keep their order. */
static void test_map(void **state) {
    (void)state;
    put_entry("b", 1);
    put_entry("a", 2);
    put_entry(NULL, 7); /* no key is the empty one */
    put_entry("b", 3);
    put_entry("", 8);
    const lc_pb_NodeDef *n = READ(NodeDef);
    assert_int_equal(n->attr.n, 3);
    assert_true(lc_str_is(n->attr.data[0].key, "a") && n->attr.data[0].value->type == 2);
    assert_true(lc_str_is(n->attr.data[1].key, "b") && n->attr.data[1].value->type == 3);
    assert_true(n->attr.data[2].key.size == 0 && n->attr.data[2].value->type == 8);
    /* An entry that lacks its key or value has it all the same, and writes both. */
    w = (wire){0};
    wire_open(&w, 5);
    wire_string(&w, 1, "k");
    wire_close(&w);
    wire_open(&w, 5);
    wire_close(&w);
    n = READ(NodeDef);
    assert_int_equal(n->attr.n, 2);
    for (int i = 0; i < 2; i++) {
        assert_non_null(n->attr.data[i].key.data);
        assert_true(n->attr.data[i].value && n->attr.data[i].value->has == 0);
    }
    assert_writes(LC_PB_NodeDef, n, "\x2a\x05\x0a\x01k\x12\x00\x2a\x04\x0a\x00\x12\x00", 13);
    /* Many: another way to find them. */
    w = (wire){0};
    char key[16];
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "k%d", i % 100);
        put_entry(key, (uint64_t)i);
    }
    n = READ(NodeDef);
    assert_int_equal(n->attr.n, 100);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_true(lc_str_is(n->attr.data[i].key, key));
        assert_int_equal(n->attr.data[i].value->type, 200 + i);
    }
    /* Numbers as keys, of 4 bytes and of 8. */
    w = (wire){0};
    for (int i = 0; i < 30; i++) {
        wire_open(&w, 8);
        wire_varint(&w, 1, (uint64_t)(i % 20));
        wire_varint(&w, 2, (uint64_t)i);
        wire_close(&w);
    }
    const lc_pb_FunctionDef *f = READ(FunctionDef);
    assert_int_equal(f->resource_arg_unique_id.n, 20);
    assert_int_equal(f->resource_arg_unique_id.data[0].key, 10);
    assert_int_equal(f->resource_arg_unique_id.data[19].value, 29);
    w = (wire){0};
    for (int i = 0; i < 30; i++) {
        const uint64_t id = (uint64_t)(i % 3) << 40;
        wire_open(&w, 5);
        wire_string(&w, 1, i % 2 ? "odd" : "even");
        wire_64(&w, 2, &id);
        wire_close(&w);
        wire_open(&w, 6);
        wire_64(&w, 1, &id);
        wire_close(&w);
    }
    const lc_pb_GraphDebugInfo *d = READ(GraphDebugInfo);
    assert_int_equal(d->name_to_trace_id.n, 2);
    assert_int_equal(d->traces_by_id.n, 3);
    assert_true(d->traces_by_id.data[2].key == (uint64_t)2 << 40);
}

/* As deep as protobuf goes: a hundred messages below the root. */
static void test_deep(void **state) {
    (void)state;
    for (int i = 0; i < LC_PB_MAX_DEPTH; i++) wire_open(&w, 2);
    wire_varint(&w, 1, 1);
    for (int i = 0; i < LC_PB_MAX_DEPTH; i++) wire_close(&w);
    const lc_pb_FullTypeDef *t = READ(FullTypeDef);
    assert_writes(LC_PB_FullTypeDef, t, w.bytes, w.size);
    int depth = 0;
    for (; t->args.n; t = t->args.data) depth++;
    assert_int_equal(depth, LC_PB_MAX_DEPTH);
    assert_int_equal(t->type_id, LC_PB_FullTypeId_TFT_VAR);
}

/* What a file declares is charged before it is made, and stays in proportion to its bytes. */
static void test_budget(void **state) {
    (void)state;
    void *message;
    for (int i = 0; i < 2000; i++) wire_bytes(&w, 1, "", 0);
    lc_budget_init(&budget, &(lc_limits){.max_memory = 100000});
    assert_int_equal(lc_pb_read(LC_PB_GraphDef, w.bytes, w.size, &budget, &arena, &message, &err), LC_LIMIT);
    assert_null(message);
    assert_non_null(strstr(err.message, "node"));
    assert_true(arena.used < 10000);
    lc_budget_init(&budget, &(lc_limits){.max_tables = 1999});
    assert_int_equal(lc_pb_read(LC_PB_GraphDef, w.bytes, w.size, &budget, &arena, &message, &err), LC_LIMIT);
    lc_budget_init(&budget, &(lc_limits){.max_tables = 2000});
    assert_int_equal(lc_pb_read(LC_PB_GraphDef, w.bytes, w.size, &budget, &arena, &message, &err), LC_OK);
    assert_true(budget.memory >= 2000 * sizeof(lc_pb_NodeDef) && budget.memory < 2001 * sizeof(lc_pb_NodeDef) + 1000);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* Nothing is said about what is there but the values. */
static void test_by_hand(void **state) {
    (void)state;
    lc_pb_AttrValue type = {.type = LC_DT_FLOAT}, no = {0};
    lc_pb_NodeDef_AttrEntry entries[] = {{.key = LC_STR("T"), .value = &type}, {.key = LC_STR("keep_dims"), .value = &no}};
    lc_str inputs[] = {LC_STR("x"), LC_STR("y")};
    lc_pb_NodeDef node = {.name = LC_STR("n"), .op = LC_STR("Add"), .device = LC_STR("")};
    lc_pb_GraphDef graph = {.version = 0};
    lc_pb_set(&no, AttrValue, b);
    node.input.data = inputs;
    node.input.n = 2;
    node.attr.data = entries;
    node.attr.n = 2;
    graph.node.data = &node;
    graph.node.n = 1;
    wire_open(&w, 1);
    wire_string(&w, 1, "n");
    wire_string(&w, 2, "Add");
    wire_string(&w, 3, "x");
    wire_string(&w, 3, "y");
    put_entry("T", 1);
    wire_open(&w, 5);
    wire_string(&w, 1, "keep_dims");
    wire_open(&w, 2);
    wire_varint(&w, 5, 0);
    wire_close(&w);
    wire_close(&w);
    wire_close(&w);
    assert_writes(LC_PB_GraphDef, &graph, w.bytes, w.size);
}

/* Values whose lower bytes are zero are values; only what is zero altogether is left out. */
static void test_not_zero(void **state) {
    (void)state;
    static const int64_t wide[] = {256, 1 << 24, (int64_t)1 << 32, INT64_MIN};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        const lc_pb_AttrValue v = {.i = wide[i]};
        w = (wire){0};
        wire_varint(&w, 3, (uint64_t)wide[i]);
        assert_writes(LC_PB_AttrValue, &v, w.bytes, w.size);
    }
    const lc_pb_AttrValue minus = {.f = -0.0f}, text = {.s = LC_STR("")};
    assert_writes(LC_PB_AttrValue, &minus, "\x25\0\0\0\x80", 5);
    assert_writes(LC_PB_AttrValue, &text, "", 0);
}

/* Strings of every length around those where the writer does something else, in a row. */
static void test_lengths(void **state) {
    (void)state;
    enum { MOST = 20000, COUNT = 600 };
    lc_str strings[COUNT];
    char *letters = malloc(MOST), *want = malloc(COUNT * (MOST + 8));
    size_t at = 0;
    for (size_t i = 0; i < MOST; i++) letters[i] = (char)('a' + i % 23);
    for (size_t i = 0; i < COUNT; i++) {
        static const size_t near[] = {0, 120, 1000, 8150, 16350};
        strings[i] = (lc_str){letters + i, near[i % 5] + i / 5};
        wire piece = {0};
        wire_tag(&piece, 1, 2);
        wire_number(&piece, strings[i].size);
        memcpy(want + at, piece.bytes, piece.size);
        memcpy(want + at + piece.size, strings[i].data, strings[i].size);
        at += piece.size + strings[i].size;
    }
    lc_pb_CollectionDef_BytesList list = {0};
    list.value.data = strings;
    list.value.n = COUNT;
    assert_writes(LC_PB_CollectionDef_BytesList, &list, want, at);
    free(letters);
    free(want);
}

/* Deeper than any reader takes, and than a stack would stand. */
static void test_write_deep(void **state) {
    (void)state;
    enum { DEPTH = 300000 };
    lc_pb_FullTypeDef *all = calloc(DEPTH, sizeof *all);
    for (int i = 0; i < DEPTH; i++) {
        all[i].args.data = i + 1 < DEPTH ? &all[i + 1] : NULL;
        all[i].args.n = i + 1 < DEPTH;
    }
    uint64_t size;
    lc_text out = {0};
    assert_int_equal(lc_pb_size(LC_PB_FullTypeDef, all, &size, &err), LC_OK);
    lc_pb_write(LC_PB_FullTypeDef, all, &out);
    assert_false(out.failed);
    assert_true(out.size == size && size > 3 * DEPTH);
    void *message;
    assert_int_equal(lc_pb_read(LC_PB_FullTypeDef, out.data, out.size, &budget, &arena, &message, &err), LC_INVALID);
    lc_text_deinit(&out);
    free(all);
}

typedef struct parts {
    const void *big;
    size_t count, total, longest;
    bool saw_big;
    size_t fail_at;
} parts;

static lc_status take(void *user, const void *data, size_t size, lc_error *e) {
    parts *p = user;
    p->count++;
    p->total += size;
    if (size > p->longest) p->longest = size;
    if (data == p->big) p->saw_big = true;
    return p->fail_at && p->count == p->fail_at ? lc_fail(e, LC_IO, "the disk is full") : LC_OK;
}

/* Long bytes go out from where they lie, short ones together. */
static void test_stream(void **state) {
    (void)state;
    enum { BIG = 5 << 20, NODES = 5000 };
    char *big = calloc(1, BIG);
    lc_pb_TensorProto tensor = {.dtype = LC_DT_FLOAT, .tensor_content = {big, BIG}};
    lc_pb_AttrValue value = {.tensor = &tensor};
    lc_pb_NodeDef_AttrEntry entry = {.key = LC_STR("value"), .value = &value};
    lc_pb_NodeDef *nodes = calloc(NODES, sizeof *nodes);
    lc_pb_GraphDef graph = {0};
    graph.node.data = nodes;
    graph.node.n = NODES;
    for (int i = 0; i < NODES; i++) nodes[i].name = LC_STR("a/name/of/some/length");
    nodes[2500].attr.data = &entry;
    nodes[2500].attr.n = 1;
    parts p = {.big = big};
    assert_int_equal(lc_pb_write_to(LC_PB_GraphDef, &graph, take, &p, &err), LC_OK);
    uint64_t size;
    assert_int_equal(lc_pb_size(LC_PB_GraphDef, &graph, &size, &err), LC_OK);
    assert_true(p.saw_big && p.longest == BIG && p.total == size);
    assert_true(p.count < 100);
    for (size_t at = 1; at <= p.count; at += p.count - 1) {
        parts q = {.fail_at = at};
        assert_int_equal(lc_pb_write_to(LC_PB_GraphDef, &graph, take, &q, &err), LC_IO);
        assert_int_equal(q.count, at);
        assert_non_null(strstr(err.message, "disk"));
    }
    assert_int_equal(lc_pb_write_to(LC_PB_NONE, &graph, take, &p, &err), LC_ARGUMENT);
    assert_int_equal(lc_pb_size(LC_PB_COUNT, &graph, &size, &err), LC_ARGUMENT);
    free(nodes);
    free(big);
}

/* ---- DataType ------------------------------------------------------------------------------------------------------ */

static void test_data_type(void **state) {
    (void)state;
    assert_int_equal(LC_DT_HALF, 19);
    assert_int_equal(LC_DT_HALF_REF, 119);
    assert_int_equal(lc_pb_dtype(LC_DT_FLOAT), LC_FLOAT32);
    assert_int_equal(lc_pb_dtype(LC_DT_INT64_REF), LC_INT64);
    assert_int_equal(lc_pb_dtype(LC_DT_QINT8), LC_DTYPE_COUNT);
    static const int32_t none[] = {LC_DT_INVALID, 34, 100, 134, 200, 201, -1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(lc_pb_dtype(none[i]), LC_DTYPE_COUNT);
        assert_string_equal(lc_pb_data_type_text(none[i]), "?");
    }
    assert_string_equal(lc_pb_data_type_name(LC_DT_INVALID), "DT_INVALID");
    assert_string_equal(lc_pb_data_type_name(201), "?");
    assert_string_equal(lc_pb_data_type_name(LC_DT_BFLOAT16_REF), "DT_BFLOAT16_REF");
    assert_string_equal(lc_pb_data_type_text(LC_DT_HALF), "float16");
    assert_string_equal(lc_pb_data_type_text(LC_DT_STRING_REF), "string_ref");
    /* There and back, for every type that TensorFlow has: all of ours. The names of the two agree. */
    for (int t = 0; t < LC_DTYPE_COUNT; t++) {
        const int32_t number = lc_pb_data_type((lc_dtype)t);
        assert_int_not_equal(number, LC_DT_INVALID);
        assert_int_equal(lc_pb_dtype(number), t);
        assert_int_equal(lc_pb_dtype(number + 100), t);
        assert_string_equal(lc_pb_data_type_text(number), lc_dtype_name((lc_dtype)t));
    }
    assert_int_equal(lc_pb_data_type(LC_DTYPE_COUNT), LC_DT_INVALID);
}

/* ---- failing allocations ----------------------------------------------------------------------------------------- */

static lc_status life(void *arg, lc_error *e) {
    const wire *bytes = arg;
    lc_budget b;
    lc_arena a = {0};
    lc_text out = {0}, text = {0};
    void *message, *again;
    parts p = {0};
    lc_budget_init(&b, NULL);
    lc_status status = lc_pb_read(LC_PB_NodeDef, bytes->bytes, bytes->size, &b, &a, &message, e);
    if (status == LC_OK) {
        status = lc_pb_write_to(LC_PB_NodeDef, message, take, &p, e);
        lc_pb_write(LC_PB_NodeDef, message, &out);
        lc_pb_print(LC_PB_NodeDef, message, &text);
        if (status == LC_OK && (out.failed || text.failed)) status = lc_fail_memory(e, "test");
    }
    if (status == LC_OK) status = lc_pb_read_text(LC_PB_NodeDef, (lc_str){text.data, text.size}, &b, &a, &again, e);
    lc_arena_deinit(&a);
    lc_text_deinit(&out);
    lc_text_deinit(&text);
    return status;
}

static void test_faults(void **state) {
    (void)state;
    char key[16];
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "k%d", i % 30);
        put_entry(key, (uint64_t)i);
    }
    wire_open(&w, 7); /* deeper than the writer's first stack */
    for (int i = 0; i < 60; i++) wire_open(&w, 2);
    for (int i = 0; i < 61; i++) wire_close(&w);
    wire_open(&w, 7);
    wire_varint(&w, 1, 3);
    wire_close(&w);
    fault_check(life, &w, NULL);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {T(test_node),       T(test_nothing), T(test_numbers),   T(test_packed),
                                       T(test_merge),      T(test_oneof),   T(test_map),       T(test_deep),
                                       T(test_budget),     T(test_by_hand), T(test_not_zero),  T(test_lengths),
                                       T(test_write_deep), T(test_stream),  T(test_data_type), T(test_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
