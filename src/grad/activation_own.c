/*
 * activation_own.c: ACTIVATION_GRAD: dx[i] = dy[i] f'(x[i]), the derivative from f's output where that tells it, else from its input.
 */
#include "grad/own.h"

#include "base/clones.h"
#include "kernels/ref.h"
#include <math.h>

lc_status lc_own_infer_ACTIVATION_GRAD(lc_infer_ctx *ctx);
lc_status lc_own_infer_ACTIVATION_GRAD(lc_infer_ctx *ctx) {
    LC_TRY(lc_own_floats(ctx, 0, 2));
    if (!lc_shape_equal(&ctx->in[0].shape, &ctx->in[1].shape)) return LC_OP_FAIL(ctx, "its inputs have two shapes");
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape = ctx->in[0].shape;
    return LC_OK;
}

/* Normal distribution: density and cumulative. */
static float density(float x) { return 0.3989422804f * expf(-0.5f * x * x); }
static float gelu(float x) { return 0.5f * (1 + erff(x * 0.7071067812f)) + x * density(x); }
/* y = x (1 + tanh u) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3) */
static float gelu_tanh(float x) {
    const float c = 0.7978845608f, t = tanhf(c * (x + 0.044715f * x * x * x));
    return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * c * (1 + 3 * 0.044715f * x * x);
}
static float hard_swish(float x) { return x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6; }

typedef struct job {
    const float *dy, *v;
    float *dx;
    lc_activation_options o;
    int64_t n;
} job;

enum { CHUNK = 16384 };

#define EACH(expression) \
    for (int64_t i = from; i < to; i++) { \
        const float v = j->v[i]; \
        j->dx[i] = j->dy[i] * (expression); \
    } \
    break;
/* Where a choice is made, a product with 0 would let an infinite dy through as NaN: TensorFlow has 0 there. */
#define CHOOSE(condition) \
    for (int64_t i = from; i < to; i++) { \
        const float v = j->v[i], dy = j->dy[i]; /* read in any case: compilers make no vectors of what may not be read */ \
        j->dx[i] = (condition) ? dy : 0; \
    } \
    break;

LC_CLONES static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    (void)thread;
    const int64_t from = begin * CHUNK, to = end * CHUNK < j->n ? end * CHUNK : j->n;
    const float alpha = j->o.alpha;
    switch (j->o.kind) {
    case LC_ACT_RELU: CHOOSE(v > 0)
    case LC_ACT_RELU6: CHOOSE((v > 0) & (v < 6))
    case LC_ACT_RELU_N1_TO_1: CHOOSE((v > -1) & (v < 1))
    case LC_ACT_RELU_0_TO_1: CHOOSE((v > 0) & (v < 1))
    case LC_ACT_LOGISTIC: EACH(v * (1 - v))
    case LC_ACT_TANH: EACH(1 - v * v)
    case LC_ACT_ELU: EACH(v > 0 ? 1 : v + 1)
    case LC_ACT_LEAKY_RELU: EACH(v > 0 ? 1 : alpha)
    case LC_ACT_HARD_SWISH: EACH(hard_swish(v))
    case LC_ACT_GELU: EACH(gelu(v))
    case LC_ACT_GELU_TANH: EACH(gelu_tanh(v))
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    job j = {
        .dy = ctx->in[0]->data, .v = ctx->in[1]->data, .dx = ctx->out[0]->data, .o = *LC_OWN_OPTIONS(ctx->node, lc_activation_options)};
    j.n = lc_ref_elements(ctx->out[0]);
    lc_pool_run(ctx->pool, (j.n + CHUNK - 1) / CHUNK, 1, work, &j);
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_ACTIVATION_GRAD;
const lc_kernel lc_own_kernel_ACTIVATION_GRAD = {.run = run};
