/*
 * random_own.c: RANDOM(counter): numbers of the shape that its options state, uniform in [0, 1) or of the standard normal distribution (Box and
 * Muller, 1958). As in dropout_own.c each number is a function of seed, step, layer and place, so it is the same in any thread and in a run that was
 * resumed.
 */
#include "grad/grad.h"

#include "base/philox.h"
#include "kernels/ref.h"
#include <math.h>

lc_status lc_own_infer_RANDOM(lc_infer_ctx *ctx);
lc_status lc_own_infer_RANDOM(lc_infer_ctx *ctx) {
    const lc_random_options *o = LC_OWN_OPTIONS(ctx->node, lc_random_options);
    const lc_shape *c = &ctx->in[0].shape;
    if (ctx->in[0].type != LC_INT32 || c->rank != 1 || c->dims[0] != 2) return LC_OP_FAIL(ctx, "its counter is not int32[2]");
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape.rank = o->rank;
    for (int32_t i = 0; i < o->rank; i++) ctx->out[0].shape.dims[i] = o->dims[i];
    return LC_OK;
}

typedef struct job {
    float *y;
    const lc_random_options *o;
    const int32_t *counter;
    int64_t n;
} job;

enum { CHUNK = 4096 };

/* Two normal numbers of two words. */
static void normal(const uint32_t words[2], float out[2]) {
    const double length = sqrt(-2 * log((words[0] + 0.5) / 4294967296.0)), angle = 6.283185307179586 * (words[1] / 4294967296.0);
    out[0] = (float)(length * cos(angle));
    out[1] = (float)(length * sin(angle));
}

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const int64_t from = begin * CHUNK, to = end * CHUNK < j->n ? end * CHUNK : j->n;
    (void)thread;
    for (int64_t i = from; i < to; i += 4) {
        const uint64_t block = (uint64_t)i / 4;
        const uint32_t key[2] = {(uint32_t)j->counter[0], j->o->stream};
        const uint32_t count[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)j->counter[1], 0x7a4d};
        uint32_t words[4];
        float four[4];
        lc_philox(key, count, words);
        for (int k = 0; k < 4; k++) four[k] = (float)(words[k] >> 8) * 0x1p-24f;
        if (j->o->normal) normal(words, four), normal(words + 2, four + 2);
        for (int64_t k = 0; k < 4 && i + k < to; k++) j->y[i + k] = four[k];
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    job j = {.y = ctx->out[0]->data, .o = LC_OWN_OPTIONS(ctx->node, lc_random_options), .counter = ctx->in[0]->data};
    j.n = lc_ref_elements(ctx->out[0]);
    lc_pool_run(ctx->pool, (j.n + CHUNK - 1) / CHUNK, 1, work, &j);
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_RANDOM;
const lc_kernel lc_own_kernel_RANDOM = {.run = run};
