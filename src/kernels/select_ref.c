/*
 * select_ref.c: SELECT_V2 and SELECT: out = condition ? x : y, all three broadcast. Elements are moved, not looked at: any type of whole
 * bytes, and strings.
 */
#include "base/alloc.h"
#include "kernels/ref.h"
#include "kernels/string_value.h"

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(BOOL)));
    return lc_ref_inputs(ctx, 1, LC_T_WHOLE);
}

#define CHOOSE(T) \
    for (int64_t i = 0; i < n; i++) ((T *)out)[i] = (c[i * cs] ? (const T *)x : (const T *)y)[i * (c[i * cs] ? xs : ys)]
static void choose(void *out, const uint8_t *c, int64_t cs, const void *x, int64_t xs, const void *y, int64_t ys, int64_t n, size_t width) {
    typedef struct wide {
        uint64_t a, b;
    } wide;
    switch (width) {
    case 1: CHOOSE(uint8_t); break;
    case 2: CHOOSE(uint16_t); break;
    case 4: CHOOSE(uint32_t); break;
    case 8: CHOOSE(uint64_t); break;
    default: CHOOSE(wide); break;
    }
}

/* Operand 0: out, 1: condition, 2 and 3: x and y. */
static void walk(lc_nd *nd, const lc_kernel_ctx *ctx) {
    lc_shape c = ctx->in[0]->shape;
    lc_nd_init(nd, &ctx->out[0]->shape);
    lc_nd_operand(nd, 0, &ctx->out[0]->shape);
    if (ctx->node->op == LC_OP_SELECT && c.rank == 1 && ctx->out[0]->shape.rank) { /* one bool for each entry of the first dimension */
        c.rank = ctx->out[0]->shape.rank;
        for (int32_t d = 1; d < c.rank; d++) c.dims[d] = 1;
    }
    lc_nd_operand(nd, 1, &c);
    for (int k = 2; k < 4; k++) lc_nd_operand(nd, k, &ctx->in[k - 1]->shape);
    lc_nd_simplify(nd);
}

static lc_status run(lc_kernel_ctx *ctx) {
    const uint8_t *condition = ctx->in[0]->data;
    const int64_t width = (int64_t)lc_ref_width(ctx->out[0]);
    lc_nd nd;
    walk(&nd, ctx);
    for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w))
        choose((char *)ctx->out[0]->data + w.at[0] * width, condition + w.at[1], lc_nd_step(&nd, 1),
               (const char *)ctx->in[1]->data + w.at[2] * width, lc_nd_step(&nd, 2), (const char *)ctx->in[2]->data + w.at[3] * width,
               lc_nd_step(&nd, 3), lc_nd_row(&nd), (size_t)width);
    return LC_OK;
}

static lc_status prepare_strings(lc_kernel_ctx *ctx) { return lc_ref_input(ctx, 0, LC_T(BOOL)); }

static lc_status run_strings(lc_kernel_ctx *ctx) {
    const uint8_t *condition = ctx->in[0]->data;
    const lc_shape shape = ctx->out[0]->shape;
    const int64_t n = lc_ref_elements(ctx->out[0]);
    lc_strings from[2];
    lc_nd nd;
    LC_TRY(lc_strings_open(ctx, ctx->in[1], "input 1", &from[0]));
    LC_TRY(lc_strings_open(ctx, ctx->in[2], "input 2", &from[1]));
    lc_str *picked = lc_calloc((size_t)n + 1, sizeof *picked);
    if (!picked) return lc_fail_memory(ctx->err, "strings");
    walk(&nd, ctx);
    for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w))
        for (int64_t i = 0; i < lc_nd_row(&nd); i++) {
            const int k = condition[w.at[1] + i * lc_nd_step(&nd, 1)] ? 0 : 1;
            picked[w.at[0] + i] = lc_strings_at(&from[k], (size_t)(w.at[2 + k] + i * lc_nd_step(&nd, 2 + k)));
        }
    const lc_status status = lc_strings_put(ctx, 0, &shape, picked, (size_t)n);
    lc_free(picked);
    return status;
}

static const lc_kernel whole = {.prepare = prepare, .run = run}, strings = {.prepare = prepare_strings, .run = run_strings};

static const lc_kernel *pick(const lc_kernel_ctx *ctx) {
    return ctx->in[1]->type == LC_STRING && ctx->in[2]->type == LC_STRING ? &strings : &whole;
}

const lc_kernel lc_kernel_SELECT = {.choose = pick};
const lc_kernel lc_kernel_SELECT_V2 = {.choose = pick};
