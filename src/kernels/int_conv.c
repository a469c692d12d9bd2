/*
 * int_conv.c: see int_conv.h. Blocks of positions are independent, so threads share them.
 *
 * With micro-kernels, sums that fit 32 bits and enough positions, the filter is packed once a model (centred, in panels of pairs), tiles of
 * positions and channels are multiplied, and 8-bit outputs are rounded a row at a time. Else each filter row is centred when it is its
 * turn: that is all for few positions, where reading the filter is the work, and for sums of 64 bits. Integers: the bits are the same.
 */
#include "kernels/int_conv.h"

#include "base/checked.h"

#include <string.h>

enum {
    BLOCK_MOST = 64,          /* positions of a block, at most */
    BLOCK_ELEMENTS = 1 << 15, /* of its patches: they stay in the second cache */
    FEW = 8,                  /* positions: not worth packing for */
    PACKED_MOST = 1 << 25     /* elements of a filter that is packed, as they take two bytes each */
};

typedef struct state {
    lc_int_conv conv;
    bool direct;            /* a patch is a row of the input: nothing to gather */
    int64_t depth, pitch;   /* of a patch; from one to the next: even */
    const int16_t *panels;  /* packed filter: [group][panel][pairs][nr][2]; NULL: row by row */
    lc_int_factors factors; /* for simd->requant; factor NULL: output by output */
    int64_t block, blocks, positions;
    int64_t limit; /* of |weight * activation| */
    size_t scale_at, thread_at, thread_size, sums_at,
        row_at; /* in scratch: centred input, scales of images, then per thread sums, row, patches */
} state;

static size_t aligned(size_t n) { return (n + 63) & ~(size_t)63; }

/* The sum of sizes that a model chooses, rounded up to cache lines. */
static bool add(size_t *total, uint64_t elements, size_t width) {
    size_t bytes;
    return elements <= SIZE_MAX && lc_mul_size((size_t)elements, width, &bytes) && lc_add_size(bytes, 63, &bytes) &&
           lc_add_size(*total, bytes & ~(size_t)63, total);
}

/* ---- packed filter ------------------------------------------------------------------------------------------------ */

static int64_t panels_of(const state *s, int64_t nr) { return (s->conv.out_c / s->conv.groups + nr - 1) / nr; }

static void pack(const lc_kernel_ctx *ctx, void *data) {
    const state *s = ctx->state;
    const lc_int_conv *c = &s->conv;
    const int64_t nr = (int64_t)ctx->simd->nr, per_group = c->out_c / c->groups;
    const void *filter = ctx->in[c->filter]->data;
    int16_t *to = data;
    for (int64_t g = 0; g < c->groups; g++)
        for (int64_t first = 0; first < per_group; first += nr, to += s->pitch * nr)
            for (int64_t j = 0; j < nr; j++)
                for (int64_t k = 0; k < s->pitch; k++) {
                    const bool inside = first + j < per_group && k < s->depth;
                    const int64_t at = (g * per_group + first + j) * s->depth + k;
                    to[(k / 2 * nr + j) * 2 + k % 2] =
                        inside ? (int16_t)(lc_int_at(filter, c->filter_type, at) - c->output.filter_zero) : 0;
                }
}

static lc_status prepare_fast(lc_kernel_ctx *ctx, state *s) {
    const lc_int_conv *c = &s->conv;
    const lc_value *filter = ctx->in[c->filter];
    if (!ctx->simd || s->limit > 255 * 255 || s->depth > INT32_MAX / s->limit || s->positions < FEW) return LC_OK;
    if (!filter->constant || !filter->def || !filter->def->data || lc_ref_elements(filter) > PACKED_MOST) return LC_OK;
    size_t bytes;
    const lc_packed *packed;
    if (!lc_mul_size((size_t)(c->groups * panels_of(s, (int64_t)ctx->simd->nr)), (size_t)s->pitch * ctx->simd->nr * sizeof(int16_t),
                     &bytes))
        return LC_OK;
    if (bytes / 16 > (size_t)lc_ref_elements(filter) * sizeof(int16_t)) return LC_OK; /* many groups of few channels: mostly padding */
    LC_TRY(lc_kernel_pack(ctx, 0, bytes, pack, &packed));
    s->panels = packed->data;
    ctx->label = c->output.rounding == LC_INT_FLOAT ? "hybrid gemm" : "integer gemm";
    return lc_int_is_requant(&c->output) ? lc_int_factors_prepare(ctx, &c->output, c->out_c, &s->factors) : LC_OK;
}

lc_status lc_int_conv_prepare(lc_kernel_ctx *ctx, const lc_int_conv *conv) {
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    s->conv = *conv;
    const lc_int_conv *c = &s->conv;
    const int64_t in_elements = lc_ref_elements(ctx->in[c->in]);
    s->depth = (int64_t)c->kernel_h * c->kernel_w * (c->in_c / c->groups);
    s->positions = (int64_t)c->batch * c->out_h * c->out_w;
    s->pitch = s->depth + s->depth % 2;
    s->direct = s->pitch == s->depth && !c->transposed && c->groups == 1 && c->kernel_h == 1 && c->kernel_w == 1 && c->stride_h == 1 &&
                c->stride_w == 1 && !c->pad_h && !c->pad_w;
    s->block = s->depth ? BLOCK_ELEMENTS / s->depth : BLOCK_MOST;
    s->block = s->block < 4 ? 4 : s->block > BLOCK_MOST ? BLOCK_MOST : s->block;
    if (s->block > s->positions) s->block = s->positions;
    s->blocks = s->block ? (s->positions + s->block - 1) / s->block : 0;
    const int64_t weight = c->filter_type == LC_INT16 ? 32768 : 255, activation = ctx->in[c->in]->type == LC_INT16 ? 32768 : 255;
    s->limit = weight * activation;

    size_t scratch = 0;
    bool fits = add(&scratch, (uint64_t)in_elements, sizeof(int16_t));
    s->scale_at = scratch;
    fits = fits && add(&scratch, (uint64_t)c->batch, sizeof(float));
    s->thread_at = scratch;
    const size_t tile = ctx->simd ? ctx->simd->mr * ctx->simd->nr * sizeof(int32_t) : 0, sums = BLOCK_MOST * sizeof(int64_t);
    s->row_at = aligned(tile > sums ? tile : sums); /* behind the sums */
    s->sums_at = 0;
    size_t each = s->row_at;
    fits = fits && add(&each, (uint64_t)s->depth, sizeof(int16_t));
    fits = fits && (s->direct || add(&each, (uint64_t)(s->pitch * s->block), sizeof(int16_t)));
    s->thread_size = each;
    fits = fits && add(&scratch, (uint64_t)lc_pool_threads(ctx->pool), each);
    if (!fits) return lc_fail(ctx->err, LC_LIMIT, "its scratch memory is too large");
    ctx->scratch_size = scratch;
    ctx->label = c->output.rounding == LC_INT_FLOAT ? "hybrid" : "integer";
    return prepare_fast(ctx, s);
}

typedef struct job {
    const state *s;
    const lc_simd *simd;
    const void *filter;
    unsigned char *scratch;
    lc_int_output output;
} job;

/* One line of a window: `taps` cells of `count` channels from input line `row`; x0 is where the first cell lies, `step` apart. */
static int16_t *gather_line(const lc_int_conv *c, const int16_t *line, int64_t x0, int64_t count, int16_t *to) {
    const int64_t taps = c->kernel_w;
    if (!line) {
        memset(to, 0, (size_t)(taps * count) * sizeof *to);
        return to + taps * count;
    }
    if (c->dilation_w == 1 && count == c->in_c && !c->transposed && x0 >= 0 && x0 + taps <= c->in_w) {
        memcpy(to, line + x0 * c->in_c, (size_t)(taps * count) * sizeof *to);
        return to + taps * count;
    }
    for (int64_t k = 0; k < taps; k++, to += count) {
        int64_t x = c->transposed ? x0 - k : x0 + k * c->dilation_w;
        bool inside = x >= 0;
        if (c->transposed) {
            inside = inside && x % c->stride_w == 0;
            x /= c->stride_w;
        }
        if (inside && x < c->in_w) memcpy(to, line + x * c->in_c, (size_t)count * sizeof *to);
        else memset(to, 0, (size_t)count * sizeof *to);
    }
    return to;
}

static void gather(const lc_int_conv *c, const int16_t *in, int64_t position, int64_t group, int16_t *to) {
    const int64_t count = c->in_c / c->groups, ox = position % c->out_w, oy = position / c->out_w % c->out_h,
                  n = position / c->out_w / c->out_h;
    const int16_t *image = in + n * c->in_h * c->in_w * c->in_c + group * count;
    const int64_t y0 = c->transposed ? oy + c->pad_h : oy * c->stride_h - c->pad_h;
    const int64_t x0 = c->transposed ? ox + c->pad_w : ox * c->stride_w - c->pad_w;
    for (int64_t k = 0; k < c->kernel_h; k++) {
        int64_t y = c->transposed ? y0 - k : y0 + k * c->dilation_h;
        bool inside = y >= 0;
        if (c->transposed) {
            inside = inside && y % c->stride_h == 0;
            y /= c->stride_h;
        }
        to = gather_line(c, inside && y < c->in_h ? image + y * c->in_w * c->in_c : NULL, x0, count, to);
    }
}

/* Outputs of `rows` positions from `first` on, channels [channel, channel + n). */
static void store_tile(const job *j, const int32_t *sums, int64_t first, int64_t rows, int64_t channel, int64_t n) {
    const state *s = j->s;
    const lc_int_conv *c = &s->conv;
    const int64_t nr = (int64_t)j->simd->nr, image = (int64_t)c->out_h * c->out_w;
    const float *scales = (const float *)(const void *)(j->scratch + s->scale_at);
    const lc_int_requant q = s->factors.factor ? lc_int_requant_at(&j->output, &s->factors, channel) : (lc_int_requant){0};
    for (int64_t r = 0; r < rows; r++, sums += nr) {
        const int64_t at = (first + r) * c->out_c + channel;
        if (s->factors.factor) {
            j->simd->requant(&q, sums, (size_t)n, (uint8_t *)j->output.out + at);
            continue;
        }
        const float scale = j->output.rounding == LC_INT_FLOAT ? scales[(first + r) / image] : 0;
        for (int64_t k = 0; k < n; k++) lc_int_store(&j->output, sums[k], channel + k, scale, at + k);
    }
}

static void multiply_block(const job *j, const int16_t *patches, int64_t first, int64_t count, int64_t group, int32_t *sums) {
    const state *s = j->s;
    const int64_t nr = (int64_t)j->simd->nr, mr = (int64_t)j->simd->mr, per_group = s->conv.out_c / s->conv.groups;
    lc_int_tile t = {.row_step = (size_t)s->pitch,
                     .pairs = (size_t)s->pitch / 2,
                     .sums = sums,
                     .panel = s->panels + group * panels_of(s, nr) * nr * s->pitch};
    for (int64_t o = 0; o < per_group; o += nr, t.panel += nr * s->pitch)
        for (int64_t r = 0; r < count; r += mr) {
            t.mr = (size_t)(count - r < mr ? count - r : mr);
            t.rows = patches + r * s->pitch;
            j->simd->igemm(&t);
            store_tile(j, sums, first + r, (int64_t)t.mr, group * per_group + o, per_group - o < nr ? per_group - o : nr);
        }
}

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const state *s = j->s;
    const lc_int_conv *c = &s->conv;
    unsigned char *own = j->scratch + s->thread_at + (size_t)thread * s->thread_size;
    int64_t *sums = (int64_t *)(void *)(own + s->sums_at);
    int16_t *row = (int16_t *)(void *)(own + s->row_at), *patches = row + aligned((size_t)s->depth * sizeof *row) / sizeof *row;
    const int16_t *in = (const int16_t *)(const void *)j->scratch;
    const float *scales = (const float *)(const void *)(j->scratch + s->scale_at);
    const int64_t per_group = c->out_c / c->groups, image = (int64_t)c->out_h * c->out_w;
    for (int64_t b = begin; b < end; b++) {
        const int64_t first = b * s->block, count = s->positions - first < s->block ? s->positions - first : s->block;
        for (int64_t g = 0; g < c->groups; g++) {
            for (int64_t i = 0; i < count && !s->direct; i++) {
                gather(c, in, first + i, g, patches + i * s->pitch);
                if (s->pitch > s->depth) patches[i * s->pitch + s->depth] = 0;
            }
            if (s->panels) {
                multiply_block(j, s->direct ? in + first * s->pitch : patches, first, count, g, (int32_t *)(void *)sums);
                continue;
            }
            for (int64_t o = g * per_group; o < (g + 1) * per_group; o++) {
                lc_int_centre(j->simd, j->filter, c->filter_type, o * s->depth, s->depth, j->output.filter_zero, row);
                lc_int_dots(j->simd, row, s->direct ? in + first * s->pitch : patches, s->pitch, s->depth, count, s->limit, sums);
                for (int64_t i = 0; i < count; i++)
                    lc_int_store(&j->output, sums[i], o, j->output.rounding == LC_INT_FLOAT ? scales[(first + i) / image] : 0,
                                 (first + i) * c->out_c + o);
            }
        }
    }
}

lc_status lc_int_conv_run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_int_conv *c = &s->conv;
    const lc_value *in = ctx->in[c->in];
    job j = {.s = s, .simd = ctx->simd, .filter = ctx->in[c->filter]->data, .scratch = ctx->scratch, .output = c->output};
    const int64_t image = (int64_t)c->in_h * c->in_w * c->in_c;
    int16_t *to = ctx->scratch;
    lc_int_output_begin(ctx, &j.output);
    if (c->output.rounding == LC_INT_FLOAT) {
        float *scales = (float *)(void *)(j.scratch + s->scale_at);
        for (int64_t n = 0; n < c->batch; n++)
            scales[n] = lc_hybrid_row(c->asymmetric, (const float *)in->data + n * image, image, to + n * image);
    } else {
        lc_int_centre(ctx->simd, in->data, in->type, 0, c->batch * image, c->output.in_zero, to);
    }
    lc_pool_run(ctx->pool, s->blocks, 1, work, &j);
    if (c->output.rounding == LC_INT_FLOAT) lc_ref_activate(ctx->out[0]->data, lc_ref_elements(ctx->out[0]), c->output.activation);
    return LC_OK;
}
