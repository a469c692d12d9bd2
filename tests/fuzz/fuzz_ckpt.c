/*
 * fuzz_ckpt.c: one file is everything a checkpoint can be made of: the index of a V2 one and each of its shards, a V1 one, its shards, a
 * state file. Links in a temporary folder give it those names, so that any table is a seed as it is. All that is in it is read.
 */
#include "fuzz/fuzz.h"

#include "source/checkpoint.h"
#include "source/snappy.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {"v2.index",
                                    "v2.data-00000-of-00001",
                                    "v2.data-00000-of-00002",
                                    "v2.data-00001-of-00002",
                                    "v2.data-00000-of-00003",
                                    "v2.data-00001-of-00003",
                                    "v2.data-00002-of-00003",
                                    "v1",
                                    "shards-00000-of-00002",
                                    "shards-00001-of-00002",
                                    "checkpoint"};
enum { NAMES = sizeof names / sizeof *names };

static char folder[200];
static unsigned touched;

static void path_of(char *path, const char *name) { snprintf(path, 300, "%s/%s", folder, name); }

static void clean(void) {
    char path[300];
    for (size_t i = 0; i < NAMES; i++) {
        path_of(path, names[i]);
        unlink(path);
    }
    path_of(path, "file");
    unlink(path);
    rmdir(folder);
}

static void make(void) {
    const char *tmp = getenv("TMPDIR");
    char path[300];
    snprintf(folder, sizeof folder, "%s/litec-fuzz-XXXXXX", tmp && *tmp ? tmp : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(folder)) exit(2);
    for (size_t i = 0; i < NAMES; i++) {
        path_of(path, names[i]);
        if (symlink("file", path) != 0) exit(2);
    }
    atexit(clean);
}

static void touch(const void *data, size_t size) {
    for (size_t i = 0; i < size; i++) touched += ((const uint8_t *)data)[i];
}

/* A slice that begins in the middle. */
static lc_status read_half(lc_ckpt *ckpt, const lc_ckpt_entry *e, lc_error *err) {
    int64_t dims[LC_CKPT_MAX_RANK];
    const void *data;
    size_t size;
    lc_text spec = {0};
    for (int32_t d = 0; d < e->rank; d++) lc_text_printf(&spec, "%lld ", (long long)e->dims[d]);
    for (int32_t d = 0; d < e->rank; d++)
        lc_text_printf(&spec, "%s%lld,%lld", d ? ":" : "", (long long)e->dims[d] / 2, (long long)(e->dims[d] - e->dims[d] / 2));
    const lc_status status = lc_ckpt_read_slice(ckpt, e, (lc_str){spec.data ? spec.data : "", spec.size}, dims, &data, &size, err);
    if (status == LC_OK) touch(data, size);
    lc_text_deinit(&spec);
    return status;
}

static void read_as(const char *name) {
    const lc_limits limits = {.max_memory = 16u << 20, .max_tables = 20000};
    char path[300];
    lc_budget budget;
    lc_arena arena = {0};
    lc_error err;
    lc_ckpt *ckpt;
    lc_budget_init(&budget, &limits);
    lc_error_clear(&err);
    path_of(path, name);
    if (lc_ckpt_open(path, &budget, &arena, &ckpt, &err) != LC_OK) {
        if (!err.message[0] || ckpt) abort();
    } else {
        for (size_t i = 0; i < lc_ckpt_count(ckpt); i++) {
            const lc_ckpt_entry *e = lc_ckpt_at(ckpt, i);
            const void *data;
            size_t size;
            if (i && lc_ckpt_find(ckpt, e->name) != e) abort();
            if (lc_ckpt_read(ckpt, e, &data, &size, &err) == LC_OK) {
                if (e->type != LC_STRING && size != (e->elements * lc_dtype_bits(e->type) + 7) / 8) abort();
                touch(data, size);
            }
            read_half(ckpt, e, &err);
        }
        lc_ckpt_close(ckpt);
    }
    lc_arena_deinit(&arena);
}

/* The bytes themselves as snappy data. */
static void unpack(const uint8_t *data, size_t size) {
    size_t n;
    if (!lc_snappy_size(data, size, &n) || n > 1 << 20) return;
    uint8_t *out = calloc(n ? n : 1, 1);
    if (out && !lc_snappy_read(data, size, out, n)) touch(out, n);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[300];
    if (!folder[0]) make();
    path_of(path, "file");
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, data, size) != (ssize_t)size) exit(2);
    close(file);
    read_as("v2");
    read_as("v1");
    read_as("shards");
    read_as("checkpoint");
    read_as("");
    unpack(data, size);
    return 0;
}
