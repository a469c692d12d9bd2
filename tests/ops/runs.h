/*
 * runs.h: reading tests/data/runs/<family>.gz (tests/oracle/op_models.py states the format): models with inputs and LiteRT's answers.
 */
#ifndef TESTS_OPS_RUNS_H
#define TESTS_OPS_RUNS_H

#include "ir/ir.h"
#include "ops/op.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#ifndef LC_RUNS_DIR
#define LC_RUNS_DIR LC_TEST_DIR "/data/runs"
#endif

typedef struct runs_tensor {
    lc_dtype type;
    int32_t rank, dims[LC_MAX_RANK];
    size_t size;
    const uint8_t *data;
} runs_tensor;

typedef struct runs_reader {
    const uint8_t *p;
} runs_reader;

static inline uint32_t runs_u32(runs_reader *r) {
    uint32_t v;
    memcpy(&v, r->p, sizeof v);
    r->p += sizeof v;
    return v;
}

static inline runs_tensor runs_take(runs_reader *r) {
    runs_tensor t = {.type = (lc_dtype)r->p[0], .rank = r->p[1]};
    r->p += 2;
    for (int32_t d = 0; d < t.rank; d++) t.dims[d] = (int32_t)runs_u32(r);
    t.size = runs_u32(r);
    t.data = r->p;
    r->p += t.size;
    return t;
}

static inline uint8_t *runs_unzip(const char *path) {
    gzFile z = gzopen(path, "rb");
    size_t room = 1 << 20, size = 0;
    uint8_t *data = malloc(room);
    if (!z || !data) fail_msg("cannot read %s", path);
    for (int n; (n = gzread(z, data + size, (unsigned)(room - size))) > 0;) {
        size += (size_t)n;
        if (size == room) data = realloc(data, room *= 2);
        assert_non_null(data);
    }
    gzclose(z);
    assert_true(size >= 12 && memcmp(data, "LCRUNS1", 8) == 0);
    return data;
}

typedef struct runs_case {
    char name[128];
    const uint8_t *model;
    uint32_t model_size;
    float tolerance;
    uint32_t within, runs;
    runs_reader first; /* its runs: u32 inputs, tensors, u32 outputs, tensors */
} runs_case;

/* The next case of a file; *r moves behind its runs. */
static inline runs_case runs_next(runs_reader *r) {
    runs_case c = {.name = ""};
    uint16_t length;
    memcpy(&length, r->p, 2);
    snprintf(c.name, sizeof c.name, "%.*s", (int)length, (const char *)r->p + 2);
    r->p += 2 + length;
    c.model_size = runs_u32(r);
    c.model = r->p;
    r->p += c.model_size;
    memcpy(&c.tolerance, r->p, 4);
    r->p += 4;
    c.within = runs_u32(r);
    c.runs = runs_u32(r);
    c.first = *r;
    for (uint32_t run = 0; run < c.runs; run++)
        for (int io = 0; io < 2; io++)
            for (uint32_t n = runs_u32(r); n > 0; n--) runs_take(r);
    return c;
}

/* Calls work(path, case) for every case of tests/data/runs/<family>.gz; NULL: of every family. Returns how many. */
static inline uint32_t runs_for_all(const char *family, void (*work)(const char *path, const runs_case *c)) {
    char pattern[512];
    glob_t files;
    uint32_t total = 0;
    snprintf(pattern, sizeof pattern, LC_RUNS_DIR "/%s.gz", family ? family : "*");
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        uint8_t *data = runs_unzip(files.gl_pathv[i]);
        runs_reader r = {data + 8};
        for (uint32_t n = runs_u32(&r); n > 0; n--, total++) {
            const runs_case c = runs_next(&r);
            work(strrchr(files.gl_pathv[i], '/') + 1, &c);
        }
        free(data);
    }
    globfree(&files);
    return total;
}

/* Marks the operators of a case in seen. */
static inline void runs_mark(const runs_case *c, bool seen[LC_OP_COUNT]) {
    lc_model *m;
    if (lc_model_from_memory(c->model, c->model_size, NULL, &m, NULL)) return;
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t n = 0; n < m->graphs[g]->node_count; n++) seen[m->graphs[g]->nodes[n].op] = true;
    lc_model_destroy(m);
}

#endif
