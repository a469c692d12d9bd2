/*
 * dropout_own.c: DROPOUT: inverted dropout from counter-based random numbers: the mask is a function of seed, step, layer and element, so it is
 * the same in the gradient, in any thread, and in a run that was resumed.
 *
 * Srivastava et al., "Dropout", 2014; the numbers: Philox 4x32-10, Salmon et al., 2011.
 */
#include "grad/grad.h"

#include "base/clones.h"
#include "base/philox.h"
#include "kernels/ref.h"

lc_status lc_own_infer_DROPOUT(lc_infer_ctx *ctx);
lc_status lc_own_infer_DROPOUT(lc_infer_ctx *ctx) {
    LC_TRY(lc_own_floats(ctx, 0, 1));
    const lc_shape *c = &ctx->in[1].shape;
    if (ctx->in[1].type != LC_INT32 || c->rank != 1 || c->dims[0] != 2) return LC_OP_FAIL(ctx, "its counter is not int32[2]");
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape = ctx->in[0].shape;
    return LC_OK;
}

typedef struct job {
    const float *x;
    float *y;
    const lc_dropout_options *o;
    const int32_t *counter;
    const lc_shape *shape;
    int64_t n;
    uint32_t least; /* a number from here on lets an element through */
    float scale;
    bool plain; /* every element has a number of its own */
} job;

enum { CHUNK = 4096, LANES = LC_PHILOX_LANES };

/* Which number decides element i: its index with the dimensions left out that share one. */
static uint64_t number_of(const job *j, int64_t i) {
    uint64_t at = 0, step = 1;
    for (int32_t d = j->shape->rank - 1; d >= 0; d--) {
        const int64_t size = j->shape->dims[d], index = i % size;
        i /= size;
        if (!j->o->noise[d]) continue;
        at += (uint64_t)index * step;
        step *= (uint64_t)size;
    }
    return at;
}

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    (void)thread;
    const int64_t from = begin * CHUNK, to = end * CHUNK < j->n ? end * CHUNK : j->n;
    uint32_t four[4] = {0};
    uint64_t have = UINT64_MAX;
    for (int64_t i = from; i < to; i++) {
        const uint64_t k = number_of(j, i);
        if (k / 4 != have) {
            have = k / 4;
            const uint32_t key[2] = {(uint32_t)j->counter[0], j->o->stream};
            const uint32_t count[4] = {(uint32_t)have, (uint32_t)(have >> 32), (uint32_t)j->counter[1], 0xd409};
            lc_philox(key, count, four);
        }
        j->y[i] = four[k % 4] >= j->least ? j->x[i] * j->scale : 0;
    }
}

/* The same where every element has a number of its own: some counters side by side, which compilers turn into SIMD. */
LC_CLONES static void plain_work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    (void)thread;
    const int64_t from = begin * CHUNK, to = end * CHUNK < j->n ? end * CHUNK : j->n;
    for (int64_t i = from; i < to; i += 4 * LANES) {
        uint32_t word[4][LANES], number[4 * LANES];
        for (uint32_t k = 0; k < LANES; k++) {
            const uint64_t count = (uint64_t)i / 4 + k;
            word[0][k] = (uint32_t)count, word[1][k] = (uint32_t)(count >> 32), word[2][k] = (uint32_t)j->counter[1], word[3][k] = 0xd409;
        }
        lc_philox_lanes((const uint32_t[]){(uint32_t)j->counter[0], j->o->stream}, word);
        for (uint32_t k = 0; k < LANES; k++) {
            number[4 * k] = word[0][k];
            number[4 * k + 1] = word[1][k];
            number[4 * k + 2] = word[2][k];
            number[4 * k + 3] = word[3][k];
        }
        const int64_t n = to - i < 4 * LANES ? to - i : 4 * LANES;
        for (int64_t k = 0; k < n; k++) {
            const float y = j->x[i + k] * j->scale;
            j->y[i + k] = number[k] >= j->least ? y : 0;
        }
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_dropout_options *o = LC_OWN_OPTIONS(ctx->node, lc_dropout_options);
    job j = {.x = ctx->in[0]->data, .y = ctx->out[0]->data, .o = o, .counter = ctx->in[1]->data, .shape = &ctx->in[0]->shape};
    j.n = lc_ref_elements(ctx->in[0]);
    j.least = (uint32_t)((double)o->rate * 4294967295.0);
    j.scale = 1 / (1 - o->rate);
    j.plain = true;
    for (int32_t d = 0; d < j.shape->rank; d++) j.plain = j.plain && o->noise[d];
    lc_pool_run(ctx->pool, (j.n + CHUNK - 1) / CHUNK, 1, j.plain ? plain_work : work, &j);
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_DROPOUT;
const lc_kernel lc_own_kernel_DROPOUT = {.run = run};

/* The same mask: the counter does not change within a step. */
void lc_own_grad_DROPOUT(lc_grad *g);
void lc_own_grad_DROPOUT(lc_grad *g) {
    const lc_dropout_options *o = LC_OWN_OPTIONS(g->node, lc_dropout_options);
    g->d_in[0] = lc_build_own_one(g->b, &lc_own_DROPOUT, o, sizeof *o, (const int32_t[]){g->d_out[0], g->in[1]}, 2);
}
