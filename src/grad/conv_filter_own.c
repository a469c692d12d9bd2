/*
 * conv_filter_own.c: CONV_FILTER_GRAD(x, dy): for each tap the sum, over all pixels of all images, of what the tap saw times dy:
 *
 *     dW [tap][in][out] = sum over pixels p of x [where the tap looks from p][in] dy [p][out]
 *
 * dy is brought into panels, as wide as the micro-kernel `outer`, once. An item of work is a tap, a panel and some channels; it walks over
 * chunks of pixels, for each makes the list of the pairs of addresses whose products are added up, padding left out, and gives it to the
 * micro-kernel, which reads both along their rows. Every element is summed in the order of the pixels, whoever computes it.
 */
#include "grad/conv_own.h"

#include "base/checked.h"
#include "kernels/ref.h"
#include "kernels/simd.h"
#include <string.h>

lc_status lc_own_infer_CONV_FILTER_GRAD(lc_infer_ctx *ctx);
lc_status lc_own_infer_CONV_FILTER_GRAD(lc_infer_ctx *ctx) {
    const lc_shape w = lc_conv_declared(ctx);
    return lc_conv_infer(ctx, &ctx->in[0].shape, &w, &ctx->in[1].shape);
}

enum { CHUNK = 128, TILES = 4, TURN = 16 }; /* CHUNK: a panel of so many pixels stays in L1; TILES: of channels, an item */

typedef struct filter_job {
    lc_conv_sizes s;
    const lc_simd *simd; /* NULL: plain loops */
    const float *x, *dy;
    float *dw, *panels;   /* dw: [taps][in][out]; panels: [panels][pixels][nr], the last one vl wide when that is enough */
    lc_outer_pair *pairs; /* [threads][CHUNK] */
    int64_t pixels, panel_count, channel_blocks, channel_tiles;
    float *turned; /* where dw goes when the filter is TFLite's */
} filter_job;

static filter_job filter_of(const lc_kernel_ctx *ctx) {
    filter_job j = {0};
    lc_conv_measure(LC_OWN_OPTIONS(ctx->node, lc_window_options), &ctx->in[0]->shape, &ctx->out[0]->shape, &j.s);
    const lc_conv_sizes *s = &j.s;
    j.pixels = s->batch * s->out_h * s->out_w;
    if (!ctx->simd || s->group_in != s->in_c || s->out_c == 0) return j;
    j.simd = ctx->simd;
    const int64_t nr = (int64_t)j.simd->nr, mr = (int64_t)j.simd->mr;
    j.panel_count = (s->out_c + nr - 1) / nr;
    j.channel_tiles = (s->in_c + mr - 1) / mr;
    j.channel_blocks = (j.channel_tiles + TILES - 1) / TILES;
    return j;
}

static int64_t width_of(const filter_job *j, int64_t panel) {
    const int64_t nr = (int64_t)j->simd->nr, vl = (int64_t)j->simd->vl;
    return j->s.out_c - panel * nr > vl ? nr : vl;
}

/* Bytes of each part of scratch, and where it begins. */
typedef struct layout {
    size_t pairs, dw, all; /* the panels lie at 0 */
} layout;

static bool layout_of(const filter_job *j, size_t threads, layout *l) {
    const lc_conv_sizes *s = &j->s;
    size_t panels, pairs, dw = 0;
    const size_t columns = (size_t)((j->panel_count - 1) * (int64_t)j->simd->nr + width_of(j, j->panel_count - 1));
    if (!lc_mul_size((size_t)j->pixels, columns * sizeof(float), &panels)) return false;
    if (!lc_mul_size(threads, CHUNK * sizeof *j->pairs, &pairs)) return false;
    if (!s->o->keras && !lc_mul_size((size_t)(s->taps * s->in_c), (size_t)s->out_c * sizeof(float), &dw)) return false;
    l->pairs = panels;
    return lc_add_size(panels, pairs, &l->dw) && lc_add_size(l->dw, dw, &l->all);
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const filter_job j = filter_of(ctx);
    layout l = {0};
    if (!j.simd) return LC_OK;
    if (!layout_of(&j, (size_t)lc_pool_threads(ctx->pool), &l))
        return lc_fail(ctx->err, LC_LIMIT, "the gradient of a filter needs too much memory");
    ctx->scratch_size = l.all;
    ctx->label = "outer";
    return LC_OK;
}

/* Item: a chunk of dy's pixels. */
static void pack(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const filter_job *j = arg;
    const int64_t nr = (int64_t)j->simd->nr, out_c = j->s.out_c;
    (void)thread;
    for (int64_t p = begin * CHUNK; p < end * CHUNK && p < j->pixels; p++)
        for (int64_t panel = 0; panel < j->panel_count; panel++) {
            const int64_t width = width_of(j, panel), left = out_c - panel * nr, n = left < width ? left : width;
            float *to = j->panels + panel * j->pixels * nr + p * width;
            memcpy(to, j->dy + p * out_c + panel * nr, (size_t)n * sizeof *to);
            for (int64_t i = n; i < width; i++) to[i] = 0;
        }
}

/* The pixels [from, to) whose tap does not look into the padding, line by line. */
static size_t list(const filter_job *j, int64_t tap, const float *panel, int64_t width, int64_t from, int64_t to, lc_outer_pair *pairs) {
    const lc_conv_sizes *s = &j->s;
    const int64_t up = tap / s->o->filter_w * s->o->dilation_h - s->pad_h, across = tap % s->o->filter_w * s->o->dilation_w - s->pad_w;
    const int64_t step = s->o->stride_w, first = across < 0 ? (step - 1 - across) / step : 0, seen = s->in_w - across;
    const int64_t last = seen <= 0 ? 0 : (seen - 1) / step + 1 < s->out_w ? (seen - 1) / step + 1 : s->out_w;
    size_t n = 0;
    for (int64_t p = from, next; p < to; p = next) {
        const int64_t line = p / s->out_w, begin = line * s->out_w, y = line % s->out_h * s->o->stride_h + up;
        next = begin + s->out_w < to ? begin + s->out_w : to;
        if (y < 0 || y >= s->in_h) continue;
        int64_t x = p - begin > first ? p - begin : first;
        const int64_t end = next - begin < last ? next - begin : last;
        const float *a = j->x + ((line / s->out_h * s->in_h + y) * s->in_w + x * step + across) * s->in_c, *b = panel + (begin + x) * width;
        for (; x < end; x++, a += step * s->in_c, b += width) pairs[n++] = (lc_outer_pair){a, b};
    }
    return n;
}

static void items(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const filter_job *j = arg;
    const lc_conv_sizes *s = &j->s;
    const int64_t nr = (int64_t)j->simd->nr;
    lc_outer_pair *pairs = j->pairs + (size_t)thread * CHUNK;
    for (int64_t item = begin; item < end; item++) {
        const int64_t panel = item % j->panel_count, block = item / j->panel_count % j->channel_blocks,
                      tap = item / j->panel_count / j->channel_blocks;
        const int64_t width = width_of(j, panel), left = s->out_c - panel * nr;
        const int64_t tile0 = block * j->channel_tiles / j->channel_blocks, tile1 = (block + 1) * j->channel_tiles / j->channel_blocks;
        lc_outer_tile t = {.at = pairs, .out_stride = (size_t)s->out_c, .n = (size_t)(left < width ? left : width)};
        float *dw = j->dw + tap * s->in_c * s->out_c + panel * nr;
        for (int64_t c = tile0 * s->in_c / j->channel_tiles; c < tile1 * s->in_c / j->channel_tiles; c++)
            memset(dw + c * s->out_c, 0, t.n * sizeof *dw);
        for (int64_t p = 0; p < j->pixels; p += CHUNK) {
            t.k = list(j, tap, j->panels + panel * j->pixels * nr, width, p, p + CHUNK < j->pixels ? p + CHUNK : j->pixels, pairs);
            for (int64_t tile = tile0; t.k && tile < tile1; tile++) {
                const int64_t c = tile * s->in_c / j->channel_tiles; /* tiles of nearly equal height, none above mr */
                t.from = (size_t)c;
                t.mr = (size_t)((tile + 1) * s->in_c / j->channel_tiles - c);
                t.out = dw + c * s->out_c;
                j->simd->outer(&t);
            }
        }
    }
}

/* [rows][out] to [out][rows]; item: TURN of the outputs. */
static void turn(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const filter_job *j = arg;
    const int64_t rows = j->s.taps * j->s.in_c, out_c = j->s.out_c, last = end * TURN < out_c ? end * TURN : out_c;
    (void)thread;
    for (int64_t r0 = 0; r0 < rows; r0 += TURN)
        for (int64_t o = begin * TURN; o < last; o++)
            for (int64_t r = r0; r < rows && r < r0 + TURN; r++) j->turned[o * rows + r] = j->dw[r * out_c + o];
}

/* Plain truth, and groups: an output's part is one thread's work. */
static void plain(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const filter_job *j = arg;
    const lc_conv_sizes *s = &j->s;
    (void)thread;
    for (int64_t o = begin; o < end; o++) {
        const int64_t c0 = o / s->group_out * s->group_in;
        float *dw = j->dw + o * s->out_step;
        for (int64_t tap = 0; tap < s->taps; tap++)
            for (int64_t c = 0; c < s->group_in; c++) dw[tap * s->tap_step + c * s->in_step] = 0;
        for (int64_t p = 0; p < j->pixels; p++) {
            const int64_t x = p % s->out_w, y = p / s->out_w % s->out_h, b = p / s->out_w / s->out_h;
            const float d = j->dy[p * s->out_c + o], *in = j->x + b * s->in_h * s->in_w * s->in_c + c0;
            for (int64_t tap = 0; tap < s->taps; tap++) {
                int64_t at;
                if (!lc_conv_seen(s, y, x, tap / s->o->filter_w, tap % s->o->filter_w, &at)) continue;
                for (int64_t c = 0; c < s->group_in; c++) dw[tap * s->tap_step + c * s->in_step] += d * in[at + c];
            }
        }
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    filter_job j = filter_of(ctx);
    layout l = {0};
    j.x = ctx->in[0]->data, j.dy = ctx->in[1]->data, j.dw = ctx->out[0]->data;
    if (!j.simd) {
        lc_pool_run(ctx->pool, j.s.out_c, 1, plain, &j);
        return LC_OK;
    }
    layout_of(&j, (size_t)lc_pool_threads(ctx->pool), &l);
    unsigned char *scratch = ctx->scratch;
    j.panels = ctx->scratch;
    j.pairs = (lc_outer_pair *)(void *)(scratch + l.pairs);
    if (!j.s.o->keras) {
        j.turned = j.dw;
        j.dw = (float *)(void *)(scratch + l.dw);
    }
    lc_pool_run(ctx->pool, (j.pixels + CHUNK - 1) / CHUNK, 4, pack, &j);
    lc_pool_run(ctx->pool, j.s.taps * j.panel_count * j.channel_blocks, 1, items, &j);
    if (j.turned) lc_pool_run(ctx->pool, (j.s.out_c + TURN - 1) / TURN, 1, turn, &j);
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_CONV_FILTER_GRAD;
const lc_kernel lc_own_kernel_CONV_FILTER_GRAD = {.prepare = prepare, .run = run};
