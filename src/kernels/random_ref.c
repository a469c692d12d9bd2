/*
 * random_ref.c: RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL, MULTINOMIAL: the numbers LiteRT draws from the same seeds. A generator is Philox
 * (philox.h) with `seed` as key and `seed2` as the upper half of the counter, made when the node is prepared; runs go on from each other.
 *
 * Seeds of 0 and 0 mean "any numbers". LiteRT takes them from the system; litec gives the same input the same answer, so it takes the
 * node's place in the model instead. A caller who wants others sets the seeds.
 */
#include "base/philox.h"
#include "kernels/ref.h"

#include <math.h>

typedef struct generator {
    uint32_t key[2], counter[4];
} generator;

static void skip(generator *g, uint64_t n) {
    for (int i = 0; i < 4 && n; i++) {
        n += g->counter[i];
        g->counter[i] = (uint32_t)n;
        n >>= 32;
    }
}

static void draw(generator *g, uint32_t out[4]) {
    lc_philox(g->key, g->counter, out);
    skip(g, 1);
}

static lc_status prepare_generator(lc_kernel_ctx *ctx) {
    const lc_RandomOptions *o = LC_OP_ATTRS(ctx->node, RandomOptions);
    uint64_t key = (uint64_t)(int32_t)o->seed, counter = (uint64_t)(int32_t)o->seed2; /* LiteRT keeps 32 bits, with their sign */
    if (!key && !counter) counter = ctx->node->outputs ? (uint64_t)(uint32_t)ctx->node->outputs[0] + 1 : 1;
    generator *g = lc_kernel_state(ctx, sizeof *g);
    if (!g) return LC_NO_MEMORY;
    *g = (generator){.key = {(uint32_t)key, (uint32_t)(key >> 32)}, .counter = {0, 0, (uint32_t)counter, (uint32_t)(counter >> 32)}};
    return LC_OK;
}

/* ---- shapes of random numbers --------------------------------------------------------------------------------------- */

static lc_status prepare_shaped(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT32)));
    return prepare_generator(ctx);
}

static lc_status size_output(lc_kernel_ctx *ctx) {
    int64_t dims[LC_MAX_RANK];
    uint32_t n = LC_MAX_RANK;
    uint64_t elements;
    char text[LC_SHAPE_TEXT];
    if (!lc_ref_ints(ctx->in[0], dims, &n)) return lc_fail(ctx->err, LC_INVALID, "its shape operand cannot be read");
    lc_shape shape = {.rank = (int32_t)n};
    for (uint32_t i = 0; i < n; i++) shape.dims[i] = (int32_t)dims[i];
    if (!lc_shape_elements(&shape, &elements))
        return lc_fail(ctx->err, LC_INVALID, "its shape operand says %s", lc_shape_text(&shape, text));
    return lc_kernel_resize(ctx, 0, &shape, 0);
}

/* 23 random bits as a float in [0, 1). */
static float unit(uint32_t x) {
    const uint32_t bits = 0x3f800000u | (x & 0x7fffffu);
    float f;
    memcpy(&f, &bits, sizeof f);
    return f - 1.0f;
}

static lc_status run_uniform(lc_kernel_ctx *ctx) {
    LC_TRY(size_output(ctx));
    float *out = ctx->out[0]->data;
    const int64_t n = lc_ref_elements(ctx->out[0]);
    uint32_t four[4];
    for (int64_t i = 0; i < n; i++) {
        if (i % 4 == 0) draw(ctx->state, four);
        out[i] = unit(four[i % 4]);
    }
    return LC_OK;
}

/* Box and Muller's pair from two uniform numbers. */
static lc_status run_normal(lc_kernel_ctx *ctx) {
    LC_TRY(size_output(ctx));
    float *out = ctx->out[0]->data;
    const int64_t n = lc_ref_elements(ctx->out[0]);
    uint32_t four[4];
    for (int64_t i = 0; i < n; i += 2) {
        if (i % 4 == 0) draw(ctx->state, four);
        const float u = fmaxf(unit(four[i % 4]), 1.0e-7f), angle = 6.283185307179586f * unit(four[i % 4 + 1]);
        const float radius = sqrtf(-2.0f * logf(u));
        out[i] = sinf(angle) * radius;
        if (i + 1 < n) out[i + 1] = cosf(angle) * radius;
    }
    return LC_OK;
}

const lc_kernel lc_kernel_RANDOM_UNIFORM = {.prepare = prepare_shaped, .run = run_uniform};
const lc_kernel lc_kernel_RANDOM_STANDARD_NORMAL = {.prepare = prepare_shaped, .run = run_normal};

/* ---- MULTINOMIAL ---------------------------------------------------------------------------------------------------- */

static lc_status prepare_multinomial(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32)));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT32)));
    const int64_t classes = ctx->in[0]->shape.dims[1];
    if ((uint64_t)classes > SIZE_MAX / sizeof(double)) return lc_fail(ctx->err, LC_LIMIT, "its scratch memory is too large");
    ctx->scratch_size = (size_t)classes * sizeof(double);
    return prepare_generator(ctx);
}

/* Sums of exp(logit - most) up to each class; what is not finite counts as never. Returns the last. */
static double accumulate(const float *logits, int64_t n, double *sums) {
    float most = -3.402823466e+38f;
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(logits[i]) && logits[i] > most) most = logits[i];
    for (int64_t i = 0; i < n; i++) {
        if (isfinite(logits[i])) sum += exp((double)logits[i] - (double)most);
        sums[i] = sum;
    }
    return sum;
}

/* The first class whose sum is greater than x; n when there is none. */
static int64_t find(const double *sums, int64_t n, double x) {
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (x < sums[middle]) high = middle;
        else low = middle + 1;
    }
    return low;
}

static lc_status run_multinomial(lc_kernel_ctx *ctx) {
    const int32_t batch = ctx->in[0]->shape.dims[0], classes = ctx->in[0]->shape.dims[1];
    int32_t samples;
    memcpy(&samples, ctx->in[1]->data, sizeof samples);
    if (samples < 0) return lc_fail(ctx->err, LC_INVALID, "the number of samples is %d", samples);
    const lc_shape shape = {2, {batch, samples}};
    LC_TRY(lc_kernel_resize(ctx, 0, &shape, 0));
    generator *after = ctx->state, g = *after;
    skip(after, (uint64_t)batch * (((uint64_t)samples + 3) / 4 * 4) * 2 * 256); /* TensorFlow's allowance for what a run may draw */
    double *sums = ctx->scratch;
    uint32_t four[4];
    int used = 4;
    int64_t at = 0;
    for (int64_t b = 0; b < batch; b++) {
        const double total = accumulate((const float *)ctx->in[0]->data + b * classes, classes, sums);
        for (int64_t i = 0; i < samples; i++, at++, used += 2) {
            if (used == 4) {
                draw(&g, four);
                used = 0;
            }
            const uint64_t bits = (uint64_t)1023 << 52 | (uint64_t)(four[used] & 0xfffff) << 32 | four[used + 1];
            double x;
            memcpy(&x, &bits, sizeof x);
            const int64_t found = find(sums, classes, (x - 1) * total);
            if (ctx->out[0]->type == LC_INT32) ((int32_t *)ctx->out[0]->data)[at] = (int32_t)found;
            else ((int64_t *)ctx->out[0]->data)[at] = found;
        }
    }
    return LC_OK;
}

const lc_kernel lc_kernel_MULTINOMIAL = {.prepare = prepare_multinomial, .run = run_multinomial};
