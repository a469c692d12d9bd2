/*
 * records.h: TFRecord files made for tests, a record at a time.
 */
#ifndef TESTS_SUPPORT_RECORDS_H
#define TESTS_SUPPORT_RECORDS_H

#include "base/crc32c.h"
#include "proto/proto.h"

#include <string.h>

static inline void record_number(lc_text *t, uint64_t x, int bytes) {
    for (int i = 0; i < bytes; i++) {
        const char c = (char)(x >> 8 * i & 255);
        lc_text_add_n(t, &c, 1);
    }
}

/* Bytes as a record. */
static inline void record_add(lc_text *t, const void *data, size_t size) {
    lc_text length = {0};
    record_number(&length, size, 8);
    lc_text_add_n(t, length.data, 8);
    record_number(t, lc_crc32c_mask(lc_crc32c(0, length.data, 8)), 4);
    if (size) lc_text_add_n(t, data, size);
    record_number(t, lc_crc32c_mask(lc_crc32c(0, data, size)), 4);
    lc_text_deinit(&length);
}

/* An Example with up to two features, whose name is NULL when it is not there. */
typedef struct record_feature {
    const char *name;
    lc_pb_Feature feature;
} record_feature;

static inline void record_example(lc_text *t, record_feature a, record_feature b) {
    lc_pb_Features_FeatureEntry entries[2] = {{.key = lc_str_of(a.name ? a.name : ""), .value = &a.feature},
                                              {.key = lc_str_of(b.name ? b.name : ""), .value = &b.feature}};
    lc_pb_Features features = {0};
    features.feature.data = entries;
    features.feature.n = b.name ? 2 : a.name ? 1 : 0;
    lc_text bytes = {0};
    lc_pb_write(LC_PB_Example, &(lc_pb_Example){.features = &features}, &bytes);
    record_add(t, bytes.data, bytes.size);
    lc_text_deinit(&bytes);
}

#define RECORD_INTS(NAME, ...) \
    (record_feature) { \
        NAME, { \
            .int64_list = &(lc_pb_Int64List) { \
                .value = {(int64_t[]){__VA_ARGS__}, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t) } \
            } \
        } \
    }
#define RECORD_FLOATS(NAME, ...) \
    (record_feature) { \
        NAME, { \
            .float_list = &(lc_pb_FloatList) { \
                .value = {(float[]){__VA_ARGS__}, sizeof((float[]){__VA_ARGS__}) / sizeof(float) } \
            } \
        } \
    }
#define RECORD_BYTES(NAME, DATA, SIZE) \
    (record_feature) { \
        NAME, { \
            .bytes_list = &(lc_pb_BytesList) { \
                .value = { &(lc_str){DATA, SIZE}, 1 } \
            } \
        } \
    }
#define RECORD_NONE ((record_feature){0})

#endif
