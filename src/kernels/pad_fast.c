/*
 * pad_fast.c: PAD and PADV2 with constant paddings, any type of fixed size in whole bytes: the output is filled line by line
 * with the value and the input's line. Dimensions behind the last padded one are merged into the line.
 */
#include "kernels/fast.h"
#include "kernels/variants.h"
#include <string.h>

enum { PIECE = 64 << 10 }; /* bytes of one work item, about */

typedef struct plan {
    int32_t rank; /* dimensions before the line */
    size_t in_dims[LC_MAX_RANK], out_dims[LC_MAX_RANK], before[LC_MAX_RANK];
    size_t lines;                          /* of the output */
    size_t line_in, line_before, line_out; /* bytes */
    size_t item;                           /* bytes of an element */
} plan;

static bool read_paddings(const lc_value *v, int32_t rank, int64_t *values) {
    if (!v->constant || (v->type != LC_INT32 && v->type != LC_INT64) || lc_fast_elements(&v->shape) != 2 * (size_t)rank) return false;
    if (v->size < 2 * (size_t)rank * (lc_dtype_bits(v->type) / 8)) return false;
    for (size_t i = 0; i < 2 * (size_t)rank; i++) {
        int32_t narrow;
        if (v->type == LC_INT32) {
            memcpy(&narrow, (const char *)v->data + i * 4, 4);
            values[i] = narrow;
        } else {
            memcpy(&values[i], (const char *)v->data + i * 8, 8);
        }
    }
    return true;
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    const int32_t rank = in->shape.rank;
    const uint32_t bits = lc_dtype_bits(in->type);
    int64_t pad[2 * LC_MAX_RANK];
    if (rank < 1 || bits == 0 || bits % 8 || !read_paddings(ctx->in[1], rank, pad)) return LC_UNSUPPORTED;
    /* A quantised PAD fills with the zero point: the reference knows. */
    if (in->type != LC_FLOAT32 && (ctx->in_count < 3 || lc_quant_has(out))) return LC_UNSUPPORTED;
    if (lc_fast_elements(&out->shape) == 0 || in->size < lc_fast_elements(&in->shape) * (bits / 8)) return LC_UNSUPPORTED;
    plan *p = lc_kernel_state(ctx, sizeof *p);
    if (!p) return LC_NO_MEMORY;
    p->item = bits / 8;
    int32_t last = rank - 1; /* the line: this dimension and all behind it */
    size_t tail = p->item;
    while (last > 0 && pad[2 * last] == 0 && pad[2 * last + 1] == 0) tail *= (size_t)in->shape.dims[last--];
    p->rank = last;
    p->line_in = tail * (size_t)in->shape.dims[last];
    p->line_before = tail * (size_t)pad[2 * last];
    p->line_out = tail * (size_t)out->shape.dims[last];
    p->lines = 1;
    for (int32_t i = 0; i < last; i++) {
        p->in_dims[i] = (size_t)in->shape.dims[i];
        p->out_dims[i] = (size_t)out->shape.dims[i];
        p->before[i] = (size_t)pad[2 * i];
        p->lines *= p->out_dims[i];
    }
    ctx->label = "pad";
    return LC_OK;
}

typedef struct job {
    const plan *p;
    const char *in, *value;
    char *out;
} job;

static void fill(char *out, size_t bytes, const char *value, size_t item) {
    bool zero = true;
    for (size_t i = 0; i < item; i++) zero = zero && value[i] == 0;
    if (zero) {
        memset(out, 0, bytes);
        return;
    }
    for (size_t i = 0; i < bytes; i += item) memcpy(out + i, value, item);
}

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const plan *p = j->p;
    (void)thread;
    for (size_t line = (size_t)begin; line < (size_t)end; line++) {
        char *out = j->out + line * p->line_out;
        size_t rest = line, from = 0, step = 1;
        bool inside = true;
        for (int32_t d = p->rank - 1; d >= 0; d--) {
            const size_t at = rest % p->out_dims[d];
            rest /= p->out_dims[d];
            inside = inside && at >= p->before[d] && at - p->before[d] < p->in_dims[d];
            from += (at - p->before[d]) * step;
            step *= p->in_dims[d];
        }
        if (!inside) {
            fill(out, p->line_out, j->value, p->item);
            continue;
        }
        fill(out, p->line_before, j->value, p->item);
        memcpy(out + p->line_before, j->in + from * p->line_in, p->line_in);
        const size_t used = p->line_before + p->line_in;
        fill(out + used, p->line_out - used, j->value, p->item);
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    static const char zero[16] = {0};
    const plan *p = ctx->state;
    job j = {p, ctx->in[0]->data, ctx->in_count > 2 && ctx->in[2] ? ctx->in[2]->data : zero, ctx->out[0]->data};
    lc_pool_run(ctx->pool, (int64_t)p->lines, (int64_t)(1 + PIECE / (p->line_out + 1)), work, &j);
    return LC_OK;
}

const lc_kernel lc_fast_PAD = {.prepare = prepare, .run = run};
const lc_kernel lc_fast_PADV2 = {.prepare = prepare, .run = run};
