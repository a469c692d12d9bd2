/*
 * data_files.h: files of samples made byte by byte in the test's temporary folder (ckpt_files.h): .npy, .npz, IDX, text, packed by gzip.
 */
#ifndef TESTS_SUPPORT_DATA_FILES_H
#define TESTS_SUPPORT_DATA_FILES_H

#include "support/ckpt_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

static inline void npy_bytes(lc_text *t, const char *descr, const char *shape, bool fortran, const void *data, size_t size) {
    char head[128];
    memset(head, ' ', sizeof head);
    memcpy(head, "\x93NUMPY\x01\0\x76\0", 10);
    const int n =
        snprintf(head + 10, 117, "{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }", descr, fortran ? "True" : "False", shape);
    head[10 + n] = ' ';
    head[127] = '\n';
    lc_text_add_n(t, head, sizeof head);
    lc_text_add_n(t, data, size);
}

static inline const char *write_text(const char *name, const lc_text *t) {
    ckpt_folder_write(&ckpt_test_folder, name, t->data, t->size);
    return ckpt_folder_path(&ckpt_test_folder, name);
}

static inline const char *write_npy(const char *name, const char *descr, const char *shape, const void *data, size_t size) {
    lc_text t = {0};
    npy_bytes(&t, descr, shape, false, data, size);
    const char *path = write_text(name, &t);
    lc_text_deinit(&t);
    return path;
}

static inline const char *write_string(const char *name, const char *text) {
    ckpt_folder_write(&ckpt_test_folder, name, text, strlen(text));
    return ckpt_folder_path(&ckpt_test_folder, name);
}

static inline const char *write_gzip(const char *name, const void *data, size_t size) {
    const char *path = ckpt_folder_path(&ckpt_test_folder, name);
    gzFile f = gzopen(path, "wb");
    gzwrite(f, data, (unsigned)size);
    gzclose(f);
    return path;
}

/* IDX of bytes: `count` pictures of 2 x 3, each element its own number. */
static inline void idx_bytes(lc_text *t, uint32_t count) {
    const uint8_t head[] = {0, 0, 8, 3, 0, 0, 0, (uint8_t)count, 0, 0, 0, 2, 0, 0, 0, 3};
    lc_text_add_n(t, (const char *)head, sizeof head);
    for (uint32_t i = 0; i < count * 6; i++) lc_text_add_n(t, (const char *)&(uint8_t){(uint8_t)(i * 5)}, 1);
}

static inline void put16(lc_text *t, uint32_t v) { lc_text_add_n(t, (const char[]){(char)(v & 255), (char)(v >> 8)}, 2); }
static inline void put32(lc_text *t, uint32_t v) { put16(t, v & 0xffff), put16(t, v >> 16); }

/* A zip archive of arrays, stored or deflated. */
typedef struct zip_maker {
    lc_text out, directory;
    uint32_t count;
} zip_maker;

static inline void zip_add(zip_maker *z, const char *name, const lc_text *data, bool deflated) {
    uint8_t packed[4096];
    z_stream s = {.next_in = (Bytef *)data->data, .avail_in = (uInt)data->size, .next_out = packed, .avail_out = sizeof packed};
    const uint32_t crc = (uint32_t)crc32(0, (const Bytef *)data->data, (uInt)data->size), at = (uint32_t)z->out.size;
    deflateInit2(&s, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
    deflateEnd(&s);
    const uint32_t size = deflated ? (uint32_t)s.total_out : (uint32_t)data->size, length = (uint32_t)strlen(name);
    for (int local = 1; local >= 0; local--) {
        lc_text *t = local ? &z->out : &z->directory;
        put32(t, local ? 0x04034b50u : 0x02014b50u);
        if (!local) put16(t, 20);
        put16(t, 20), put16(t, 0), put16(t, deflated ? 8 : 0), put32(t, 0);
        put32(t, crc), put32(t, size), put32(t, (uint32_t)data->size);
        put16(t, length), put16(t, 0);
        if (!local) put16(t, 0), put16(t, 0), put16(t, 0), put32(t, 0), put32(t, at);
        lc_text_add_n(t, name, length);
    }
    lc_text_add_n(&z->out, deflated ? (const char *)packed : data->data, size);
    z->count++;
}

static inline const char *zip_write(zip_maker *z, const char *name) {
    const uint32_t at = (uint32_t)z->out.size;
    lc_text_add_n(&z->out, z->directory.data, z->directory.size);
    put32(&z->out, 0x06054b50u), put32(&z->out, 0), put16(&z->out, z->count), put16(&z->out, z->count);
    put32(&z->out, (uint32_t)z->directory.size), put32(&z->out, at), put16(&z->out, 0);
    const char *path = write_text(name, &z->out);
    lc_text_deinit(&z->out);
    lc_text_deinit(&z->directory);
    return path;
}

static inline void copy_file(const char *from, const char *to) {
    lc_map map;
    lc_error err;
    if (lc_map_open(&map, from, NULL, &err)) fail_msg("%s", err.message);
    if (lc_file_save(to, map.data, map.size, &err)) fail_msg("%s", err.message);
    lc_map_close(&map);
}

#endif
