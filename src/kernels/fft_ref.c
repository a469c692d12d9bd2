/*
 * fft_ref.c: RFFT2D: the two-dimensional Fourier transform of real input, cut or padded with zeros to fft_length, of which the columns 0 to
 * width / 2 are kept (the others are their conjugates).
 *
 *   out[u][v] = sum over y, x of in[y][x] * exp(-2 pi i (u y / height + v x / width))
 *
 * Rows first, then columns, each by Cooley and Tukey's radix 2 in double; sizes are powers of two (infer has checked).
 */
#include "kernels/recurrent.h"

#include <math.h>
#include <string.h>

typedef struct number {
    double re, im;
} number;

typedef struct state {
    int64_t height, width;
    size_t roots_at, line_at, rows_at;
} state;

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_shape *out = &ctx->out[0]->shape;
    int64_t lengths[2];
    uint32_t n = 2;
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32)));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT32)));
    if (out->rank < 2 || !ctx->in[1]->data || !lc_ref_ints(ctx->in[1], lengths, &n))
        return lc_fail(ctx->err, LC_INVALID, "fft_length cannot be read");
    s->height = lengths[0];
    s->width = lengths[1];
    const int64_t longest = s->height > s->width ? s->height : s->width;
    size_t size = 0;
    if (!lc_recurrent_reserve(&size, &s->roots_at, longest, sizeof(number)) ||
        !lc_recurrent_reserve(&size, &s->line_at, longest, sizeof(number)) ||
        !lc_recurrent_reserve(&size, &s->rows_at, s->height * (s->width / 2 + 1), sizeof(number)))
        return lc_fail(ctx->err, LC_LIMIT, "its scratch memory is too large");
    ctx->scratch_size = size;
    return LC_OK;
}

/* In place. roots[k] = exp(-2 pi i k / longest). */
static void transform(number *x, int64_t n, const number *roots, int64_t longest) {
    for (int64_t i = 1, j = 0; i < n; i++) { /* to the order of reversed bits */
        int64_t bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            const number t = x[i];
            x[i] = x[j];
            x[j] = t;
        }
    }
    for (int64_t half = 1; half < n; half *= 2)
        for (int64_t from = 0; from < n; from += 2 * half)
            for (int64_t k = 0; k < half; k++) {
                const number r = roots[k * (longest / (2 * half))], a = x[from + k], b = x[from + k + half];
                const number t = {b.re * r.re - b.im * r.im, b.re * r.im + b.im * r.re};
                x[from + k] = (number){a.re + t.re, a.im + t.im};
                x[from + k + half] = (number){a.re - t.re, a.im - t.im};
            }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_shape *in = &ctx->in[0]->shape;
    int64_t lengths[2];
    uint32_t count = 2;
    if (!lc_ref_ints(ctx->in[1], lengths, &count) || lengths[0] != s->height || lengths[1] != s->width) return lc_ref_changed(ctx);
    char *scratch = ctx->scratch;
    number *roots = (number *)(void *)(scratch + s->roots_at), *line = (number *)(void *)(scratch + s->line_at),
           *rows = (number *)(void *)(scratch + s->rows_at);
    const int64_t longest = s->height > s->width ? s->height : s->width, kept = s->width / 2 + 1;
    const int64_t height = in->dims[in->rank - 2], width = in->dims[in->rank - 1], slice = height * width;
    const int64_t slices = lc_ref_elements(ctx->out[0]) / (s->height * kept);
    for (int64_t k = 0; k < longest; k++) {
        const double angle = -6.283185307179586476925 * (double)k / (double)longest;
        roots[k] = (number){cos(angle), sin(angle)};
    }
    float *out = ctx->out[0]->data;
    for (int64_t i = 0; i < slices; i++) {
        const float *x = (const float *)ctx->in[0]->data + i * slice;
        for (int64_t y = 0; y < s->height; y++) {
            for (int64_t c = 0; c < s->width; c++) line[c] = (number){y < height && c < width ? (double)x[y * width + c] : 0, 0};
            transform(line, s->width, roots, longest);
            memcpy(rows + y * kept, line, (size_t)kept * sizeof *line);
        }
        for (int64_t c = 0; c < kept; c++) {
            for (int64_t y = 0; y < s->height; y++) line[y] = rows[y * kept + c];
            transform(line, s->height, roots, longest);
            for (int64_t y = 0; y < s->height; y++) {
                out[2 * ((i * s->height + y) * kept + c)] = (float)line[y].re;
                out[2 * ((i * s->height + y) * kept + c) + 1] = (float)line[y].im;
            }
        }
    }
    return LC_OK;
}

const lc_kernel lc_kernel_RFFT2D = {.prepare = prepare, .run = run};
