/*
 * ckpt_cases.c: see ckpt_cases.h. The good V2 checkpoint has a matrix, strings, small integers and a variable in two slices, in two shards;
 * the good V1 one the like. A lie changes the messages before they are written, a damage the bytes of the table after.
 */
#include "support/ckpt_cases.h"

#include "base/crc32c.h"
#include "proto/proto.h"
#include "source/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes a message as the value of a key. */
static void add_message(table_maker *m, lc_str key, lc_pb_id id, const void *message) {
    lc_text value = {0};
    lc_pb_write(id, message, &value);
    table_add(m, key, text_view(&value));
    lc_text_deinit(&value);
}

/* ---- a V2 checkpoint --------------------------------------------------------------------------------------------------- */

enum { B_SLICE0, B_SLICE1, B_CUT, B_INTS, B_MATRIX, B_TEXT, B_COUNT };

typedef struct bundle {
    lc_pb_VersionDef version;
    lc_pb_BundleHeaderProto header;
    lc_str key[B_COUNT];
    lc_pb_BundleEntryProto entry[B_COUNT];
    lc_pb_TensorShapeProto shape[B_COUNT];
    lc_pb_TensorShapeProto_Dim dims[B_COUNT][2];
    lc_pb_TensorSliceProto slices[2];
    lc_pb_TensorSliceProto_Extent extents[2][2];
    uint8_t shard[2][256];
    size_t size[2];
    bool no_shard, no_header, twice;
} bundle;

static void place(bundle *b, int i, int32_t shard, const void *data, size_t size) {
    b->entry[i].shard_id = shard;
    b->entry[i].offset = (int64_t)b->size[shard];
    b->entry[i].size = (int64_t)size;
    b->entry[i].crc32c = lc_crc32c_mask(lc_crc32c(0, data, size));
    memcpy(b->shard[shard] + b->size[shard], data, size);
    b->size[shard] += size;
}

static void describe(bundle *b, int i, const char *key, size_t key_size, int32_t type, int rank, int64_t d0, int64_t d1) {
    b->key[i] = (lc_str){key, key_size};
    b->entry[i].dtype = type;
    b->entry[i].shape = &b->shape[i];
    b->shape[i].dim.data = b->dims[i];
    b->shape[i].dim.n = (uint32_t)rank;
    b->dims[i][0].size = d0;
    b->dims[i][1].size = d1;
}

/* Strings "ab" and "cde", with checksums that count lengths as 4 bytes. */
static size_t put_text(uint8_t *to, uint32_t *crc) {
    static const uint8_t lengths[8] = {2, 0, 0, 0, 3, 0, 0, 0};
    *crc = lc_crc32c(0, lengths, sizeof lengths);
    const uint32_t masked = lc_crc32c_mask(*crc);
    to[0] = 2;
    to[1] = 3;
    for (int i = 0; i < 4; i++) to[2 + i] = (uint8_t)(masked >> 8 * i);
    memcpy(to + 6, "abcde", 5);
    *crc = lc_crc32c(*crc, to + 2, 9);
    return 11;
}

static void make_bundle(ckpt_folder *f, const ckpt_case *c) {
    bundle b = {.header = {.num_shards = 2, .version = &b.version}, .version = {.producer = 1}};
    float numbers[8];
    uint8_t text[16];
    uint32_t crc;
    for (int i = 0; i < 8; i++) numbers[i] = (float)i + 1;
    /* [4, 2], rows 0-2 and row 3: the keys are what TensorFlow writes */
    describe(&b, B_SLICE0, "\0cut\0\1\1\2\200\203\200\177", 12, LC_DT_FLOAT, 2, 3, 2);
    describe(&b, B_SLICE1, "\0cut\0\1\1\2\203\201\200\177", 12, LC_DT_FLOAT, 2, 1, 2);
    describe(&b, B_CUT, "cut", 3, LC_DT_FLOAT, 2, 4, 2);
    describe(&b, B_INTS, "ints", 4, LC_DT_INT4, 1, 3, 0);
    describe(&b, B_MATRIX, "matrix", 6, LC_DT_FLOAT, 2, 2, 3);
    describe(&b, B_TEXT, "text", 4, LC_DT_STRING, 1, 2, 0);
    place(&b, B_SLICE0, 0, numbers, 24);
    place(&b, B_SLICE1, 1, numbers + 6, 8);
    place(&b, B_INTS, 1, "\1\2\3", 3);
    place(&b, B_MATRIX, 1, numbers, 24);
    place(&b, B_TEXT, 0, text, put_text(text, &crc));
    b.entry[B_TEXT].crc32c = lc_crc32c_mask(crc);
    b.entry[B_CUT].slices.data = b.slices;
    b.entry[B_CUT].slices.n = 2;
    for (int i = 0; i < 2; i++) {
        b.slices[i].extent.data = b.extents[i];
        b.slices[i].extent.n = 2;
        b.extents[i][0] = (lc_pb_TensorSliceProto_Extent){.start = i ? 3 : 0, .length = i ? 1 : 3};
        lc_pb_set(&b.extents[i][0], TensorSliceProto_Extent, length);
    }
    if (c->lie) c->lie(&b);

    table_maker m = {.restart_every = 2, .block_size = 60};
    if (!b.no_header) add_message(&m, LC_STR(""), LC_PB_BundleHeaderProto, &b.header);
    for (int i = 0; i < B_COUNT; i++) {
        if (!b.key[i].data) continue;
        add_message(&m, b.key[i], LC_PB_BundleEntryProto, &b.entry[i]);
        if (b.twice) add_message(&m, b.key[i], LC_PB_BundleEntryProto, &b.entry[i]);
    }
    table_end(&m);
    if (c->damage) c->damage(&m.out);
    ckpt_folder_write(f, "m.index", m.out.data, m.out.size);
    ckpt_folder_write(f, "m.data-00000-of-00002", b.shard[0], b.size[0]);
    if (!b.no_shard) ckpt_folder_write(f, "m.data-00001-of-00002", b.shard[1], b.size[1]);
    table_free(&m);
}

/* clang-format off */
#define B bundle *b = made
static void big_endian(void *made) { B; b->header.endianness = LC_PB_BundleHeaderProto_Endianness_BIG; }
static void newer(void *made) { B; b->version.min_consumer = 2; }
static void bad_consumer(void *made) { static int32_t bad = 1; B; b->version.bad_consumers = (lc_pb_int32s){&bad, 1}; }
static void no_shards(void *made) { B; b->header.num_shards = 0; }
static void no_header(void *made) { B; b->no_header = true; }
static void shard_missing(void *made) { B; b->no_shard = true; }
static void shard_beyond(void *made) { B; b->entry[B_MATRIX].shard_id = 2; }
static void shard_negative(void *made) { B; b->entry[B_MATRIX].shard_id = -1; }
static void shard_short(void *made) { B; b->size[1] -= 1; }
static void offset_beyond(void *made) { B; b->entry[B_MATRIX].offset = INT64_MAX; }
static void offset_negative(void *made) { B; b->entry[B_MATRIX].offset = -8; }
static void size_negative(void *made) { B; b->entry[B_TEXT].size = -1; }
static void size_wrong(void *made) { B; b->entry[B_MATRIX].size = 20; }
static void shape_wrong(void *made) { B; b->dims[B_MATRIX][1].size = 4; }
static void shape_negative(void *made) { B; b->dims[B_MATRIX][1].size = -1; }
static void shape_huge(void *made) { B; b->dims[B_MATRIX][0].size = b->dims[B_MATRIX][1].size = (int64_t)1 << 40; }
static void shape_wide(void *made) { B; b->dims[B_MATRIX][0].size = (int64_t)1 << 62; b->shape[B_MATRIX].dim.n = 1; }
static void shape_unknown(void *made) { B; b->shape[B_MATRIX].unknown_rank = true; }
static void shape_deep(void *made) { static lc_pb_TensorShapeProto_Dim ones[255]; B; b->shape[B_MATRIX].dim.data = ones; b->shape[B_MATRIX].dim.n = 255; }
static void type_none(void *made) { B; b->entry[B_MATRIX].dtype = 0; }
static void type_unknown(void *made) { B; b->entry[B_MATRIX].dtype = 99; }
static void type_resource(void *made) { B; b->entry[B_MATRIX].dtype = LC_DT_RESOURCE; }
static void type_ref(void *made) { B; b->entry[B_MATRIX].dtype = LC_DT_FLOAT_REF; }
static void value_changed(void *made) { B; b->shard[1][15] ^= 1; }
static void slice_changed(void *made) { B; b->shard[0][3] ^= 1; }
static void name_zero(void *made) { B; b->key[B_MATRIX] = (lc_str){"ma\0rix", 6}; }
static void slice_gone(void *made) { B; b->key[B_SLICE1].data = NULL; }
static void slice_type(void *made) { B; b->entry[B_SLICE1].dtype = LC_DT_INT32; }
static void slice_shape(void *made) { B; b->dims[B_SLICE1][0].size = 2; }
static void slice_rank(void *made) { B; b->slices[0].extent.n = 1; }
static void slice_beyond(void *made) { B; b->extents[1][0].length = 2; }
static void slice_negative(void *made) { B; b->extents[1][0].start = -1; }
static void slice_far(void *made) { B; b->extents[1][0].start = INT64_MAX; b->extents[1][0].length = INT64_MAX; }
static void slice_all_from(void *made) { B; b->extents[1][1].start = 1; }
static void slice_twice(void *made) { B; b->slices[1] = b->slices[0]; }
static void slice_short(void *made) { B; b->entry[B_CUT].slices.n = 1; }
static void text_lengths(void *made) { B; b->shard[0][24] = 4; }
static void text_bytes(void *made) { B; b->shard[0][32] ^= 1; }
static void text_cut(void *made) { B; b->entry[B_TEXT].size = 9; }
static void text_lengths_cut(void *made) { B; b->entry[B_TEXT].size = 3; }
static void text_more(void *made) { B; memcpy(b->shard[0] + b->size[0], "zz", 2); b->size[0] += 2; b->entry[B_TEXT].size += 2; }
static void text_many(void *made) { B; b->dims[B_TEXT][0].size = (int64_t)1 << 60; }
static void text_unending(void *made) { B; memset(b->shard[0] + 24, 255, 11); }
static void text_none(void *made) { B; b->entry[B_TEXT].size = 0; }
static void text_slices(void *made) { B; b->entry[B_CUT].dtype = b->entry[B_SLICE0].dtype = b->entry[B_SLICE1].dtype = LC_DT_STRING; }
static void twice(void *made) { B; b->twice = true; }
#undef B
/* clang-format on */

/* 30 variables in the same 24 bytes. */
static void make_overlap(ckpt_folder *f, const ckpt_case *c) {
    static const uint8_t bytes[24] = {1};
    const int32_t n = c->status == LC_OK ? 8 : 30;
    lc_pb_TensorShapeProto_Dim dim = {.size = 6};
    lc_pb_TensorShapeProto shape = {.has = 0};
    shape.dim.data = &dim;
    shape.dim.n = 1;
    table_maker m = {0};
    add_message(&m, LC_STR(""), LC_PB_BundleHeaderProto, &(lc_pb_BundleHeaderProto){.num_shards = 1});
    for (int32_t i = 0; i < n; i++) {
        const char name[3] = {'v', (char)('0' + i / 10), (char)('0' + i % 10)};
        const lc_pb_BundleEntryProto e = {
            .dtype = LC_DT_FLOAT, .shape = &shape, .size = 24, .crc32c = lc_crc32c_mask(lc_crc32c(0, bytes, sizeof bytes))};
        add_message(&m, (lc_str){name, sizeof name}, LC_PB_BundleEntryProto, &e);
    }
    table_end(&m);
    ckpt_folder_write(f, "m.index", m.out.data, m.out.size);
    ckpt_folder_write(f, "m.data-00000-of-00001", bytes, sizeof bytes);
    table_free(&m);
}

/* ---- damage to tables -------------------------------------------------------------------------------------------------- */

/* clang-format off */
static void put_at(lc_text *bytes, size_t at, lc_str what) { memcpy(bytes->data + at, what.data, what.size); }
static void cut_end(lc_text *bytes) { bytes->size -= 1; }
static void cut_most(lc_text *bytes) { bytes->size = 40; }
static void flip_first(lc_text *bytes) { bytes->data[1] ^= 1; }
static void flip_index(lc_text *bytes) { bytes->data[bytes->size - 60] ^= 1; }
static void index_outside(lc_text *bytes) { put_at(bytes, bytes->size - 48, LC_STR("\0\1\377\377\377\377\17\1")); }
static void index_varint(lc_text *bytes) { memset(bytes->data + bytes->size - 48, 255, 40); }

/* clang-format on */
/* A table of these blocks: the first is data, "a" its only key in the index. */
static void one_block(lc_text *bytes, lc_str block, uint8_t kind, lc_str index) {
    lc_text handle = {0}, top = {0};
    text_clear(bytes);
    table_put_block(bytes, block, kind, &handle);
    table_put_block(bytes, index, 0, &top);
    table_put_footer(bytes, text_view(&handle), text_view(&top));
    lc_text_deinit(&handle);
    lc_text_deinit(&top);
}
/* clang-format off */
/* A header entry: its value is num_shards = 1. */
#define HEADER "\0\0\2\10\1"
#define ONE_RESTART "\0\0\0\0\1\0\0\0"
#define INDEX(size) LC_STR("\0\1\2a\0" size ONE_RESTART)
static void only_header(lc_text *b) { one_block(b, LC_STR(HEADER ONE_RESTART), 0, INDEX("\15")); }
static void block_kind(lc_text *b) { one_block(b, LC_STR(HEADER ONE_RESTART), 2, INDEX("\15")); }
static void block_empty(lc_text *b) { one_block(b, LC_STR(ONE_RESTART), 0, INDEX("\10")); }
static void block_tiny(lc_text *b) { one_block(b, LC_STR("\0\0\0"), 0, INDEX("\3")); }
static void block_restarts(lc_text *b) { one_block(b, LC_STR(HEADER "\0\0\0\0\377\377\377\77"), 0, INDEX("\15")); }
static void block_no_restart(lc_text *b) { one_block(b, LC_STR(HEADER "\0\0\0\0"), 0, INDEX("\11")); }
static void block_wrong_restart(lc_text *b) { one_block(b, LC_STR(HEADER "\0\0\0\0\1\0\0\0\2\0\0\0"), 0, INDEX("\21")); }
static void block_shared(lc_text *b) { one_block(b, LC_STR("\1\0\2\10\1" ONE_RESTART), 0, INDEX("\15")); }
static void block_shared_later(lc_text *b) { one_block(b, LC_STR(HEADER "\2\1\0a" ONE_RESTART), 0, INDEX("\21")); }
static void block_shared_restart(lc_text *b) { one_block(b, LC_STR(HEADER "\0\1\0A\1\1\0b\0\0\0\0\11\0\0\0\2\0\0\0"), 0, INDEX("\31")); }
static void block_long_key(lc_text *b) { one_block(b, LC_STR("\0\177\2\10\1" ONE_RESTART), 0, INDEX("\15")); }
static void block_huge_key(lc_text *b) { one_block(b, LC_STR("\0\377\377\377\377\377\377\377\377\377\1\0" ONE_RESTART), 0, INDEX("\24")); }
static void block_long_value(lc_text *b) { one_block(b, LC_STR("\0\0\177\10\1" ONE_RESTART), 0, INDEX("\15")); }
static void block_order(lc_text *b) { one_block(b, LC_STR(HEADER "\0\1\0b\0\1\0a" ONE_RESTART), 0, INDEX("\25")); }
static void block_beyond(lc_text *b) { one_block(b, LC_STR(HEADER "\0\1\0b" ONE_RESTART), 0, INDEX("\21")); }
static void handle_far(lc_text *b) { one_block(b, LC_STR(HEADER ONE_RESTART), 0, LC_STR("\0\1\3a\377\177\15" ONE_RESTART)); }
static void handle_huge(lc_text *b) { one_block(b, LC_STR(HEADER ONE_RESTART), 0, LC_STR("\0\1\13a\0\377\377\377\377\377\377\377\377\377\1" ONE_RESTART)); }
static void handle_cut(lc_text *b) { one_block(b, LC_STR(HEADER ONE_RESTART), 0, LC_STR("\0\1\1a\0" ONE_RESTART)); }
static void handle_twice(lc_text *b) { one_block(b, LC_STR(HEADER ONE_RESTART), 0, LC_STR("\0\1\2a\0\15\0\1\2b\0\15" ONE_RESTART)); }
static void handle_order(lc_text *b) { one_block(b, LC_STR(HEADER ONE_RESTART), 0, LC_STR("\0\1\2b\0\15\0\1\2a\0\15" ONE_RESTART)); }
#define SNAPPY(block) one_block(b, LC_STR(block), 1, INDEX("\5"))
static void snappy_good(lc_text *b) { one_block(b, LC_STR("\15\60" HEADER ONE_RESTART), 1, INDEX("\17")); }
static void snappy_bomb(lc_text *b) { SNAPPY("\377\377\377\177\0"); }
static void snappy_cut(lc_text *b) { SNAPPY("\15\60\0\0\2"); }
static void snappy_before(lc_text *b) { SNAPPY("\15\0\0\11\2"); }
static void snappy_zero(lc_text *b) { SNAPPY("\15\0\0\11\0"); }
static void snappy_much(lc_text *b) { SNAPPY("\1\14\0\0\0"); }
static void snappy_little(lc_text *b) { SNAPPY("\15\10\0\0\0"); }
static void snappy_far(lc_text *b) { one_block(b, LC_STR("\15\0\0\3\0\0\0\200"), 1, INDEX("\10")); }

/* clang-format on */

/* ---- a V1 checkpoint --------------------------------------------------------------------------------------------------- */

enum { V_CUT, V_CUT_AGAIN, V_INTS, V_TEXT, V_COUNT };
static const lc_str v_keys[V_COUNT] = {
    {"\0cut\0\1\1\1\200\202", 10}, {"\0cut\0\1\1\1\202\202", 10}, {"\0ints\0\1\1\1\200\177", 11}, {"\0text\0\1\1\1\200\177", 11}};

typedef struct v1 {
    lc_pb_VersionDef version;
    lc_pb_SavedTensorSliceMeta meta;
    lc_pb_SavedTensorSlices first, record[V_COUNT];
    lc_pb_SavedSliceMeta list[3];
    lc_pb_TensorShapeProto shape[3];
    lc_pb_TensorShapeProto_Dim dims[3][1];
    lc_pb_TensorSliceProto slices[3][2];
    lc_pb_TensorSliceProto_Extent extents[3][2][1];
    lc_pb_SavedSlice data[V_COUNT];
    lc_pb_TensorProto tensor[V_COUNT];
    float numbers[4];
    int32_t ints[3];
    lc_str text[2];
    bool drop[V_COUNT], no_first;
    void (*raw)(lc_text *value); /* changes the bytes of the record of V_INTS */
} v1;

static void make_v1(ckpt_folder *f, const ckpt_case *c) {
    static const char *const names[3] = {"cut", "ints", "text"};
    static const int32_t types[3] = {LC_DT_FLOAT, LC_DT_INT8, LC_DT_STRING};
    static const int64_t dims[3] = {4, 3, 2};
    v1 v = {.version = {.producer = 1}, .numbers = {1, 2, 3, 4}, .ints = {-1, 2, 127}, .text = {LC_STR("ab"), LC_STR("")}};
    v.meta = (lc_pb_SavedTensorSliceMeta){.versions = &v.version};
    v.meta.tensor.data = v.list;
    v.meta.tensor.n = 3;
    v.first.meta = &v.meta;
    for (int i = 0; i < 3; i++) {
        v.list[i] = (lc_pb_SavedSliceMeta){.name = lc_str_of(names[i]), .type = types[i], .shape = &v.shape[i]};
        v.list[i].slice.data = v.slices[i];
        v.list[i].slice.n = i == 0 ? 2 : 1;
        v.shape[i].dim.data = v.dims[i];
        v.shape[i].dim.n = 1;
        v.dims[i][0].size = dims[i];
        for (int k = 0; k < 2; k++) {
            v.slices[i][k].extent.data = v.extents[i][k];
            v.slices[i][k].extent.n = 1;
        }
    }
    for (int k = 0; k < 2; k++) {
        v.extents[0][k][0] = (lc_pb_TensorSliceProto_Extent){.start = 2 * k, .length = 2};
        lc_pb_set(&v.extents[0][k][0], TensorSliceProto_Extent, length);
        v.tensor[k].float_val = (lc_pb_floats){v.numbers + 2 * k, 2};
    }
    v.tensor[V_INTS].int_val = (lc_pb_int32s){v.ints, 3};
    v.tensor[V_TEXT].string_val = (lc_pb_strings){v.text, 2};
    for (int i = 0; i < V_COUNT; i++) {
        v.data[i] = (lc_pb_SavedSlice){.name = lc_str_of(names[i < 2 ? 0 : i - 1]), .data = &v.tensor[i]};
        v.record[i].data = &v.data[i];
    }
    if (c->lie) c->lie(&v);

    table_maker m = {.restart_every = 2, .block_size = 20};
    if (!v.no_first) add_message(&m, LC_STR(""), LC_PB_SavedTensorSlices, &v.first);
    for (int i = 0; i < V_COUNT; i++) {
        lc_text value = {0};
        if (v.drop[i]) continue;
        lc_pb_write(LC_PB_SavedTensorSlices, &v.record[i], &value);
        if (i == V_INTS && v.raw) v.raw(&value);
        table_add(&m, v_keys[i], text_view(&value));
        lc_text_deinit(&value);
    }
    table_end(&m);
    if (c->damage) c->damage(&m.out);
    ckpt_folder_write(f, c->open && strstr(c->open, "shard") ? "shard-00000-of-00002" : "m", m.out.data, m.out.size);
    table_free(&m);
}

/* clang-format off */
#define V v1 *v = made
static void v1_newer(void *made) { V; v->version.min_consumer = 2; }
static void v1_no_first(void *made) { V; v->no_first = true; }
static void v1_no_meta(void *made) { V; v->first.meta = NULL; }
static void v1_no_slices(void *made) { V; v->list[1].slice.n = 0; }
static void v1_slice_gone(void *made) { V; v->drop[V_CUT_AGAIN] = true; }
static void v1_overlap(void *made) { V; v->extents[0][1][0].start = 1; v->extents[0][1][0].length = 2; v->slices[0][1] = v->slices[0][0]; }
static void v1_half(void *made) { V; v->list[0].slice.n = 1; }
static void v1_other_name(void *made) { V; v->data[V_INTS].name = LC_STR("inty"); }
static void v1_more(void *made) { static int32_t four[4]; V; v->tensor[V_INTS].int_val = (lc_pb_int32s){four, 4}; }
static void v1_fewer(void *made) { V; v->tensor[V_INTS].int_val.n = 2; }
static void v1_fewer_floats(void *made) { V; v->tensor[V_CUT].float_val.n = 1; }
static void v1_fewer_texts(void *made) { V; v->tensor[V_TEXT].string_val.n = 1; }
static void v1_no_data(void *made) { V; v->record[V_INTS].data = NULL; }
static void v1_type(void *made) { V; v->list[1].type = LC_DT_FLOAT8_E5M2; }
static void v1_two_shapes(void *made) { V; v->list[2] = v->list[0]; v->list[2].shape = &v->shape[1]; }
static void v1_same_list(void *made) { V; v->list[2] = v->list[0]; }
static void cut_value(lc_text *value) { value->size -= 1; }
static void group_value(lc_text *value) { value->data[0] = 0x13; }
static void doubled_value(lc_text *value) { lc_text t = {0}; text_put(&t, text_view(value)); text_put(value, text_view(&t)); lc_text_deinit(&t); }
/* int_val unpacked: tag 7 << 3, a number, three times; in the middle a field of later versions */
static void unpack_value(lc_text *value) { text_clear(value); text_put(value, LC_STR("\22\30\12\4ints\32\20\70\377\377\377\377\377\377\377\377\377\1\70\2\40\5\70")); table_put_varint(value, 127); value->data[1] = (char)(value->size - 2); value->data[9] = (char)(value->size - 10); }
static void v1_cut_value(void *made) { V; v->raw = cut_value; }
static void v1_group(void *made) { V; v->raw = group_value; }
static void v1_doubled(void *made) { V; v->raw = doubled_value; }
static void v1_unpacked(void *made) { V; v->raw = unpack_value; }
#undef V
/* clang-format on */

/* ---- paths ------------------------------------------------------------------------------------------------------------- */

static void make_state(ckpt_folder *f, const ckpt_case *c) {
    make_bundle(f, &(ckpt_case){0});
    lc_text t = {0};
    c->damage(&t);
    ckpt_folder_write(f, "checkpoint", t.data, t.size);
    lc_text_deinit(&t);
}
static void make_two(ckpt_folder *f, const ckpt_case *c) {
    (void)c;
    make_bundle(f, &(ckpt_case){0});
    ckpt_folder_write(f, "n.index", "x", 1);
}
static void make_meta(ckpt_folder *f, const ckpt_case *c) {
    (void)c;
    make_bundle(f, &(ckpt_case){0});
    ckpt_folder_write(f, "m.meta", "\12\0", 2);
}
static void make_data_only(ckpt_folder *f, const ckpt_case *c) {
    (void)c;
    ckpt_folder_write(f, "m.data-00000-of-00001", "x", 1);
}
static void make_several(ckpt_folder *f, const ckpt_case *c) {
    (void)c;
    ckpt_folder_write(f, "m-00000-of-00002", "x", 1);
    ckpt_folder_write(f, "m-00000-of-00003", "x", 1);
}
/* clang-format off */
static void state_relative(lc_text *t) { lc_text_add(t, "model_checkpoint_path: \"m\"\nall_model_checkpoint_paths: \"l\"\nall_model_checkpoint_paths: \"m\"\n"); }
static void state_moved(lc_text *t) { lc_text_add(t, "model_checkpoint_path: \"/nowhere/at/all/m\"\n"); }
static void state_windows(lc_text *t) { lc_text_add(t, "model_checkpoint_path: \"C:\\\\models\\\\m\"\n"); }
static void state_gone(lc_text *t) { lc_text_add(t, "model_checkpoint_path: \"/nowhere/model.ckpt-7\"\n"); }
static void state_empty(lc_text *t) { lc_text_add(t, "all_model_checkpoint_paths: \"m\"\n"); }
static void state_zero(lc_text *t) { lc_text_add(t, "model_checkpoint_path: \"m\\000\"\n"); }
static void state_itself(lc_text *t) { lc_text_add(t, "model_checkpoint_path: \"checkpoint\"\n"); }

/* clang-format on */

/* ---- the list ---------------------------------------------------------------------------------------------------------- */

#define DAMAGED "copy all files of the checkpoint again"
/* clang-format off */
const ckpt_case ckpt_cases[] = {
    {"good V2", LC_OK, "", "", "", make_bundle, NULL, NULL, NULL},
    {"good V1", LC_OK, "", "", "", make_v1, NULL, NULL, NULL},
    {"a reference type", LC_OK, "", "", "", make_bundle, type_ref, NULL, NULL},
    {"only a header", LC_OK, "", "", "", make_bundle, NULL, only_header, NULL},
    {"only a header, compressed", LC_OK, "", "", "", make_bundle, NULL, snappy_good, NULL},
    {"unpacked numbers", LC_OK, "", "", "", make_v1, v1_unpacked, NULL, NULL},

    {"the last byte gone", LC_INVALID, "CKPT-FOOTER", "m.index: is no table", DAMAGED, make_bundle, NULL, cut_end, NULL},
    {"cut short", LC_INVALID, "CKPT-FOOTER", "m.index: is no table", DAMAGED, make_bundle, NULL, cut_most, NULL},
    {"index outside", LC_INVALID, "CKPT-FOOTER", "the index lies outside", DAMAGED, make_bundle, NULL, index_outside, NULL},
    {"handles cut", LC_INVALID, "CKPT-FOOTER", "the index lies outside", DAMAGED, make_bundle, NULL, index_varint, NULL},
    {"a block changed", LC_INVALID, "CKPT-CHECKSUM", "m.index: the block at byte 0 has the checksum 0x", DAMAGED, make_bundle, NULL, flip_first, NULL},
    {"the index changed", LC_INVALID, "CKPT-CHECKSUM", "has the checksum 0x", DAMAGED, make_bundle, NULL, flip_index, NULL},
    {"other compression", LC_UNSUPPORTED, "CKPT-COMPRESSION", "compressed in a way (2)", "save it again", make_bundle, NULL, block_kind, NULL},
    {"empty block", LC_INVALID, "CKPT-BLOCK", "is empty", DAMAGED, make_bundle, NULL, block_empty, NULL},
    {"three bytes", LC_INVALID, "CKPT-BLOCK", "too short", DAMAGED, make_bundle, NULL, block_tiny, NULL},
    {"too many restarts", LC_INVALID, "CKPT-BLOCK", "too short", DAMAGED, make_bundle, NULL, block_restarts, NULL},
    {"no restart", LC_INVALID, "CKPT-BLOCK", "entry 0", DAMAGED, make_bundle, NULL, block_no_restart, NULL},
    {"restart within an entry", LC_INVALID, "CKPT-BLOCK", "where none does", DAMAGED, make_bundle, NULL, block_wrong_restart, NULL},
    {"shares with nothing", LC_INVALID, "CKPT-BLOCK", "entry 0", DAMAGED, make_bundle, NULL, block_shared, NULL},
    {"shares more than there is", LC_INVALID, "CKPT-BLOCK", "entry 1", DAMAGED, make_bundle, NULL, block_shared_later, NULL},
    {"shares where a whole key begins", LC_INVALID, "CKPT-BLOCK", "entry 2", DAMAGED, make_bundle, NULL, block_shared_restart, NULL},
    {"key past the end", LC_INVALID, "CKPT-BLOCK", "entry 0", DAMAGED, make_bundle, NULL, block_long_key, NULL},
    {"key of 2^64 bytes", LC_INVALID, "CKPT-BLOCK", "entry 0", DAMAGED, make_bundle, NULL, block_huge_key, NULL},
    {"value past the end", LC_INVALID, "CKPT-BLOCK", "entry 0", DAMAGED, make_bundle, NULL, block_long_value, NULL},
    {"keys fall", LC_INVALID, "CKPT-ORDER", "do not rise", DAMAGED, make_bundle, NULL, block_order, NULL},
    {"a key twice", LC_INVALID, "CKPT-ORDER", "do not rise", DAMAGED, make_bundle, twice, NULL, NULL},
    {"key behind its block", LC_INVALID, "CKPT-ORDER", "belong into another", DAMAGED, make_bundle, NULL, block_beyond, NULL},
    {"blocks fall", LC_INVALID, "CKPT-ORDER", "do not rise", DAMAGED, make_bundle, NULL, handle_order, NULL},
    {"block outside", LC_INVALID, "CKPT-HANDLE", "block 0 lies outside", DAMAGED, make_bundle, NULL, handle_far, NULL},
    {"block of 2^64 bytes", LC_INVALID, "CKPT-HANDLE", "block 0 lies outside", DAMAGED, make_bundle, NULL, handle_huge, NULL},
    {"half a handle", LC_INVALID, "CKPT-HANDLE", "block 0 lies outside", DAMAGED, make_bundle, NULL, handle_cut, NULL},
    {"a block twice", LC_INVALID, "CKPT-HANDLE", "block 1 lies outside", DAMAGED, make_bundle, NULL, handle_twice, NULL},
    {"snappy bomb", LC_INVALID, "CKPT-SNAPPY", "more bytes than", DAMAGED, make_bundle, NULL, snappy_bomb, NULL},
    {"snappy cut", LC_INVALID, "CKPT-SNAPPY", "is cut short", DAMAGED, make_bundle, NULL, snappy_cut, NULL},
    {"snappy copies from before", LC_INVALID, "CKPT-SNAPPY", "from before its start", DAMAGED, make_bundle, NULL, snappy_before, NULL},
    {"snappy copies from here", LC_INVALID, "CKPT-SNAPPY", "from before its start", DAMAGED, make_bundle, NULL, snappy_zero, NULL},
    {"snappy copies from far", LC_INVALID, "CKPT-SNAPPY", "from before its start", DAMAGED, make_bundle, NULL, snappy_far, NULL},
    {"snappy makes more", LC_INVALID, "CKPT-SNAPPY", "makes more", DAMAGED, make_bundle, NULL, snappy_much, NULL},
    {"snappy makes less", LC_INVALID, "CKPT-SNAPPY", "", DAMAGED, make_bundle, NULL, snappy_little, NULL},

    {"no header", LC_INVALID, "CKPT-HEADER", "m.index: does not begin with a header", DAMAGED, make_bundle, no_header, NULL, NULL},
    {"no shards", LC_INVALID, "CKPT-HEADER", "states 0 files", DAMAGED, make_bundle, no_shards, NULL, NULL},
    {"big-endian", LC_UNSUPPORTED, "CKPT-ENDIAN", "big-endian machine", "save it again", make_bundle, big_endian, NULL, NULL},
    {"for newer readers", LC_UNSUPPORTED, "CKPT-VERSION", "readers of version 2", "save it again", make_bundle, newer, NULL, NULL},
    {"not for our version", LC_UNSUPPORTED, "CKPT-VERSION", "litec reads version 1", "save it again", make_bundle, bad_consumer, NULL, NULL},
    {"shard missing", LC_NOT_FOUND, "CKPT-SHARD", "m.data-00001-of-00002: is missing", "copy all of them", make_bundle, shard_missing, NULL, NULL},
    {"shard beyond", LC_INVALID, "CKPT-SHARD", "'matrix' lies in file 2 of 2", DAMAGED, make_bundle, shard_beyond, NULL, NULL},
    {"shard negative", LC_INVALID, "CKPT-SHARD", "'matrix' lies in file -1 of 2", DAMAGED, make_bundle, shard_negative, NULL, NULL},
    {"shard cut", LC_INVALID, "CKPT-SHARD", "'matrix' (24 bytes at 11) lies outside the file, which has 34 bytes", DAMAGED, make_bundle, shard_short, NULL, NULL},
    {"offset beyond", LC_INVALID, "CKPT-SHARD", "'matrix' (24 bytes at 9223372036854775807) lies outside", DAMAGED, make_bundle, offset_beyond, NULL, NULL},
    {"offset negative", LC_INVALID, "CKPT-SHARD", "24 bytes at -8", DAMAGED, make_bundle, offset_negative, NULL, NULL},
    {"size negative", LC_INVALID, "CKPT-SHARD", "-1 bytes at", DAMAGED, make_bundle, size_negative, NULL, NULL},
    {"size and shape differ", LC_INVALID, "CKPT-SIZE", "'matrix' is stored in 20 bytes, its type (float32) and shape need 24", DAMAGED, make_bundle, size_wrong, NULL, NULL},
    {"shape and size differ", LC_INVALID, "CKPT-SIZE", "shape need 32", DAMAGED, make_bundle, shape_wrong, NULL, NULL},
    {"negative dimension", LC_INVALID, "CKPT-SHAPE", "dimension 1 of variable 'matrix' is -1", DAMAGED, make_bundle, shape_negative, NULL, NULL},
    {"2^80 elements", LC_INVALID, "CKPT-SHAPE", "more elements than", DAMAGED, make_bundle, shape_huge, NULL, NULL},
    {"2^64 bytes", LC_INVALID, "CKPT-SHAPE", "more bytes than", DAMAGED, make_bundle, shape_wide, NULL, NULL},
    {"unknown rank", LC_INVALID, "CKPT-SHAPE", "'matrix' has a shape of", DAMAGED, make_bundle, shape_unknown, NULL, NULL},
    {"255 dimensions", LC_INVALID, "CKPT-SHAPE", "more than 254", DAMAGED, make_bundle, shape_deep, NULL, NULL},
    {"no type", LC_INVALID, "CKPT-TYPE", "'matrix' has no data type (0)", DAMAGED, make_bundle, type_none, NULL, NULL},
    {"unknown type", LC_UNSUPPORTED, "CKPT-TYPE", "'matrix' is of type ? (99)", "cast it", make_bundle, type_unknown, NULL, NULL},
    {"a resource", LC_UNSUPPORTED, "CKPT-TYPE", "'matrix' is of type resource (20)", "cast it", make_bundle, type_resource, NULL, NULL},
    {"value changed", LC_INVALID, "CKPT-CHECKSUM", "m.data-00001-of-00002: variable 'matrix' has the checksum 0x", DAMAGED, make_bundle, value_changed, NULL, NULL},
    {"slice changed", LC_INVALID, "CKPT-CHECKSUM", "m.data-00000-of-00002: variable 'cut' has the checksum 0x", DAMAGED, make_bundle, slice_changed, NULL, NULL},
    {"zero in a name", LC_INVALID, "CKPT-NAME", "zero byte", DAMAGED, make_bundle, name_zero, NULL, NULL},
    {"values share bytes", LC_OK, "", "", "", make_overlap, NULL, NULL, NULL},
    {"values share bytes too often", LC_INVALID, "CKPT-OVERLAP", "'v08' have 216 bytes, the files they lie in 24", DAMAGED, make_overlap, NULL, NULL, NULL},
    {"slice not there", LC_INVALID, "CKPT-SLICE", "a slice of variable 'cut' has no entry", DAMAGED, make_bundle, slice_gone, NULL, NULL},
    {"slice of another type", LC_INVALID, "CKPT-SLICE", "another type or shape", DAMAGED, make_bundle, slice_type, NULL, NULL},
    {"slice of another shape", LC_INVALID, "CKPT-SLICE", "another type or shape", DAMAGED, make_bundle, slice_shape, NULL, NULL},
    {"slice of another rank", LC_INVALID, "CKPT-SLICE", "has 1 dimensions, the variable has 2", DAMAGED, make_bundle, slice_rank, NULL, NULL},
    {"slice past the end", LC_INVALID, "CKPT-SLICE", "[3, 3 + 2) in dimension 0, which has 4", DAMAGED, make_bundle, slice_beyond, NULL, NULL},
    {"slice before the start", LC_INVALID, "CKPT-SLICE", "[-1, -1 + 1)", DAMAGED, make_bundle, slice_negative, NULL, NULL},
    {"slice past 2^63", LC_INVALID, "CKPT-SLICE", "in dimension 0", DAMAGED, make_bundle, slice_far, NULL, NULL},
    {"all of a dimension, from 1", LC_INVALID, "CKPT-SLICE", "in dimension 1", DAMAGED, make_bundle, slice_all_from, NULL, NULL},
    {"slices overlap", LC_INVALID, "CKPT-SLICE", "slices of variable 'cut' overlap", DAMAGED, make_bundle, slice_twice, NULL, NULL},
    {"slices leave a gap", LC_INVALID, "CKPT-SLICE", "have 6 of the 8 elements", DAMAGED, make_bundle, slice_short, NULL, NULL},
    {"length changed", LC_INVALID, "CKPT-CHECKSUM", "m.data-00000-of-00002: variable 'text' has the checksum", DAMAGED, make_bundle, text_lengths, NULL, NULL},
    {"text changed", LC_INVALID, "CKPT-CHECKSUM", "variable 'text' has the checksum", DAMAGED, make_bundle, text_bytes, NULL, NULL},
    {"text cut", LC_INVALID, "CKPT-STRING", "ends within its strings", DAMAGED, make_bundle, text_cut, NULL, NULL},
    {"lengths cut", LC_INVALID, "CKPT-STRING", "ends within the lengths", DAMAGED, make_bundle, text_lengths_cut, NULL, NULL},
    {"length without end", LC_INVALID, "CKPT-STRING", "ends within the lengths", DAMAGED, make_bundle, text_unending, NULL, NULL},
    {"bytes behind the text", LC_INVALID, "CKPT-STRING", "2 bytes behind", DAMAGED, make_bundle, text_more, NULL, NULL},
    {"2^60 strings", LC_INVALID, "CKPT-STRING", "11 bytes for 1152921504606846976 strings", DAMAGED, make_bundle, text_many, NULL, NULL},
    {"strings without bytes", LC_INVALID, "CKPT-STRING", "0 bytes for 2 strings", DAMAGED, make_bundle, text_none, NULL, NULL},
    {"strings in slices", LC_UNSUPPORTED, "CKPT-SLICE", "is of strings", "without a partitioner", make_bundle, text_slices, NULL, NULL},

    {"V1 for newer readers", LC_UNSUPPORTED, "CKPT-VERSION", "readers of version 2", "save it again", make_v1, v1_newer, NULL, NULL},
    {"V1 without a list", LC_INVALID, "CKPT-HEADER", "is no V1 checkpoint", DAMAGED, make_v1, v1_no_first, NULL, NULL},
    {"V1 list empty", LC_INVALID, "CKPT-HEADER", "lists no variables", DAMAGED, make_v1, v1_no_meta, NULL, NULL},
    {"V1 without slices", LC_INVALID, "CKPT-SLICE", "'ints' is stored in 0 slices", DAMAGED, make_v1, v1_no_slices, NULL, NULL},
    {"V1 slice not there", LC_INVALID, "CKPT-SLICE", "'cut' is listed, but", DAMAGED, make_v1, v1_slice_gone, NULL, NULL},
    {"V1 slices overlap", LC_INVALID, "CKPT-SLICE", "overlap", DAMAGED, make_v1, v1_overlap, NULL, NULL},
    {"V1 slices leave a gap", LC_INVALID, "CKPT-SLICE", "have 2 of the 4 elements", DAMAGED, make_v1, v1_half, NULL, NULL},
    {"V1 listed twice", LC_INVALID, "CKPT-SLICE", "overlap", DAMAGED, make_v1, v1_same_list, NULL, NULL},
    {"V1 listed twice, differently", LC_INVALID, "CKPT-NAME", "another type or shape than in", DAMAGED, make_v1, v1_two_shapes, NULL, NULL},
    {"V1 record of another", LC_INVALID, "CKPT-RECORD", "is another variable's", DAMAGED, make_v1, v1_other_name, NULL, NULL},
    {"V1 more values", LC_INVALID, "CKPT-RECORD", "another number of values", DAMAGED, make_v1, v1_more, NULL, NULL},
    {"V1 fewer values", LC_INVALID, "CKPT-RECORD", "another number of values", DAMAGED, make_v1, v1_fewer, NULL, NULL},
    {"V1 fewer floats", LC_INVALID, "CKPT-RECORD", "another number of values", DAMAGED, make_v1, v1_fewer_floats, NULL, NULL},
    {"V1 fewer strings", LC_INVALID, "CKPT-RECORD", "another number of values", DAMAGED, make_v1, v1_fewer_texts, NULL, NULL},
    {"V1 record without data", LC_INVALID, "CKPT-RECORD", "is malformed", DAMAGED, make_v1, v1_no_data, NULL, NULL},
    {"V1 record cut", LC_INVALID, "CKPT-RECORD", "is malformed", DAMAGED, make_v1, v1_cut_value, NULL, NULL},
    {"V1 record as a group", LC_INVALID, "CKPT-RECORD", "is malformed", DAMAGED, make_v1, v1_group, NULL, NULL},
    {"V1 record twice", LC_INVALID, "CKPT-RECORD", "is malformed", DAMAGED, make_v1, v1_doubled, NULL, NULL},
    {"V1 with a type of V2", LC_UNSUPPORTED, "CKPT-TYPE", "which V1 checkpoints do not have", "V2", make_v1, v1_type, NULL, NULL},
    {"V1 block changed", LC_INVALID, "CKPT-CHECKSUM", "m: the block at byte 0", DAMAGED, make_v1, NULL, flip_first, NULL},
    {"V1 cut", LC_INVALID, "CKPT-FIND", "m: is no checkpoint, or one of V1 that is cut short", "prefix", make_v1, NULL, cut_end, NULL},
    {"V1 shard missing", LC_NOT_FOUND, "CKPT-SHARD", "shard-00001-of-00002: is missing", "2 files", make_v1, NULL, NULL, "shard"},

    {"state, relative", LC_OK, "", "", "", make_state, NULL, state_relative, "checkpoint"},
    {"state of another machine", LC_OK, "", "", "", make_state, NULL, state_moved, ""},
    {"state of Windows", LC_OK, "", "", "", make_state, NULL, state_windows, ""},
    {"state of what is gone", LC_NOT_FOUND, "CKPT-STATE", "checkpoint: names the checkpoint /nowhere/model.ckpt-7, but there is none, nor at ", "there is m", make_state, NULL, state_gone, ""},
    {"state without a name", LC_INVALID, "CKPT-STATE", "names no checkpoint", DAMAGED, make_state, NULL, state_empty, "checkpoint"},
    {"state with a zero", LC_INVALID, "CKPT-STATE", "names no checkpoint", DAMAGED, make_state, NULL, state_zero, "checkpoint"},
    {"state that names itself", LC_NOT_FOUND, "CKPT-STATE", "but there is none", "there is m", make_state, NULL, state_itself, "checkpoint"},
    {"a directory with one", LC_OK, "", "", "", make_bundle, NULL, NULL, ""},
    {"the index", LC_OK, "", "", "", make_bundle, NULL, NULL, "m.index"},
    {"a shard", LC_OK, "", "", "", make_bundle, NULL, NULL, "m.data-00001-of-00002"},
    {"a directory with two", LC_NOT_FOUND, "CKPT-FIND", "has 2 checkpoints, and no file 'checkpoint'", "there are m, n", make_two, NULL, NULL, ""},
    {"another name", LC_NOT_FOUND, "CKPT-FIND", "mm: there is no checkpoint of this name (no mm.index)", "there is m", make_bundle, NULL, NULL, "mm"},
    {"the graph", LC_INVALID, "CKPT-FIND", "m.meta: is no checkpoint", "its checkpoint is ", make_meta, NULL, NULL, "m.meta"},
    {"no index", LC_NOT_FOUND, "CKPT-FIND", "m.index: is missing, ", "copy all", make_data_only, NULL, NULL, NULL},
    {"two sizes of one V1 name", LC_INVALID, "CKPT-FIND", "there are several V1 checkpoints", "m-00000-of-", make_several, NULL, NULL, NULL},
};
/* clang-format on */
const size_t ckpt_case_count = sizeof ckpt_cases / sizeof *ckpt_cases;

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static lc_status read_all(lc_ckpt *ckpt, lc_error *err) {
    const void *data, *again;
    size_t size;
    unsigned sum = 0;
    for (size_t i = 0; i < lc_ckpt_count(ckpt); i++) {
        const lc_ckpt_entry *e = lc_ckpt_at(ckpt, i);
        if (lc_pb_is_ref(e->data_type) || lc_ckpt_find(ckpt, e->name) != e ||
            (i && strcmp(lc_ckpt_at(ckpt, i - 1)->name.data, e->name.data) >= 0))
            abort();
        LC_TRY(lc_ckpt_read(ckpt, e, &data, &size, err));
        for (size_t k = 0; k < size; k++) sum += ((const uint8_t *)data)[k];
        if (lc_ckpt_read(ckpt, e, &again, &size, err) != LC_OK || again != data) abort();
        if (e->type == LC_STRING || e->rank == 0 || e->rank > 8 || e->dims[0] == 0) continue;
        int64_t dims[LC_CKPT_MAX_RANK];
        lc_text spec = {0}; /* the first of each dimension's halves */
        for (int32_t d = 0; d < e->rank; d++) lc_text_printf(&spec, "%lld ", (long long)e->dims[d]);
        for (int32_t d = 0; d < e->rank; d++) lc_text_printf(&spec, d ? ":0,%lld" : "0,%lld", (long long)(e->dims[d] + 1) / 2);
        const lc_status status = spec.failed ? lc_fail_memory(err, "spec")
                                             : lc_ckpt_read_slice(ckpt, e, (lc_str){spec.data, spec.size}, dims, &data, &size, err);
        lc_text_deinit(&spec);
        LC_TRY(status);
        for (size_t k = 0; k < size; k++) sum += ((const uint8_t *)data)[k];
    }
    return sum == 0x7fffffff ? LC_IO : LC_OK; /* every byte was read */
}

lc_status ckpt_read_all(const char *path, const lc_limits *limits, lc_error *err) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_ckpt *ckpt;
    lc_budget_init(&budget, limits);
    lc_status status = lc_ckpt_open(path, &budget, &arena, &ckpt, err);
    if (status == LC_OK) {
        status = read_all(ckpt, err);
        lc_ckpt_close(ckpt);
    } else if (ckpt) {
        abort();
    }
    lc_arena_deinit(&arena);
    return status;
}

lc_status ckpt_case_run(const ckpt_case *c, const lc_limits *limits, lc_error *err) {
    ckpt_folder f;
    if (!ckpt_folder_make(&f)) return lc_fail(err, LC_IO, "no temporary folder");
    c->make(&f, c);
    const lc_status status = ckpt_read_all(ckpt_folder_path(&f, c->open ? c->open : "m"), limits, err);
    ckpt_folder_clean(&f);
    return status;
}
