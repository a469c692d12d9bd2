/*
 * gemm_fast.c: the engine behind dense layers and convolutions (gemm_fast.h): packs the weights, cuts the output into tiles,
 * gathers for each tile the addresses of the input floats its rows need, and lets the micro-kernel `gemm` do the arithmetic.
 *
 *   weights, packed once a model      [group][panel of nr output channels][1 + kernel_h * kernel_w * group_in][nr]
 *                                     the first row of a panel is its bias; the last panel is vl wide when vl is enough
 *
 * A row of a tile is one output pixel; its inputs are `runs` pieces of `k` contiguous floats each. Where they are:
 *
 *   DENSE   one run: the pixel's channels; row after row at a fixed distance (1x1 convolutions, dense layers)
 *   TAPS    one run per filter tap: that tap's input pixel. A tap in the padding points to zeros, and a tap that is padding
 *           for all rows of the tile is left out: on a 1x1 image a 3x3 filter costs, and reads, one ninth
 *   LINES   one run per filter line: few channels would make TAPS' runs too short for the loop over k to pay. Windows that
 *           hang over the left or right edge are copied, with zeros, into scratch
 *
 * Small weights stay in cache, so a tile meets all panels before the next tile is gathered. Big ones are streamed: a block of
 * tiles, small enough for its inputs to stay in L2, is gathered at once and meets one panel after the other.
 *
 * Every output is summed over k in one register from start to end, in the same order in every tile and in gemv: results do
 * not depend on threads, blocks or the batch.
 */
#include "kernels/gemm_fast.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/transpose4.h"
#include <string.h>

enum {
    SMALL_WEIGHTS = 256 << 10, /* bytes of one group's weights up to which they count as cached */
    BLOCK_INPUT = 384 << 10,   /* bytes of input a block of tiles may cover */
    BLOCK_ROWS = 384,
    LINE_FLOATS = 96,    /* longest filter line handled as LINES */
    SAME_SET = 4096,     /* rows at this distance fall into the same cache set */
    PACK_FLOATS = 16384, /* fewest that are worth a thread's while */
    COPY_PAD = 16,       /* floats between copied rows, to spread them over the sets */
};

typedef enum gather { DENSE, TAPS, LINES } gather;

typedef struct plan {
    lc_gemm_problem p;
    gather gather;
    bool copy;   /* DENSE: rows alias in the cache; a block is copied to scratch at a better distance */
    size_t rows; /* M: output pixels */
    size_t group_in, group_out;
    size_t runs, k; /* per row */
    size_t panels, panel_floats, group_floats;
    size_t tiles, tile_rows, longer; /* tiles have tile_rows rows, the first `longer` of them one more */
    size_t block_tiles, blocks, chunks, chunk_panels;
    size_t tap_bytes, row_bytes, patch_floats, thread_scratch; /* scratch of one thread, and its parts */
    size_t packed_at; /* where in scratch weights are packed in a run; 0: they are packed already */
    const float *packed;
    const float *zeros; /* [k] */
} plan;

/* ---- packing ------------------------------------------------------------------------------------------------- */

static size_t panel_width(const plan *g, const lc_simd *simd, size_t panel) {
    return g->group_out - panel * simd->nr > simd->vl ? simd->nr : simd->vl;
}

/* n weights of one k, for the outputs of a panel, behind each other. A few k at a time where these lie behind each other: so every line of the
 * weights is read once, and the lines written stay in the cache. */
static void pack_rows(const lc_gemm_problem *p, const float *w, size_t k, size_t n, size_t width, float *out) {
    enum { STEP = 16 };
    if (n < width) memset(out, 0, k * width * sizeof *out);
    if (p->out_step == 1) {
        for (; k > 0; k--, w += p->in_step, out += width) memcpy(out, w, n * sizeof *out);
        return;
    }
    for (; k > 0;) {
        const size_t rows = k < STEP ? k : STEP;
        size_t j = 0;
        if (p->in_step == 1 && rows == STEP)
            for (; j + 4 <= n; j += 4) {
                for (size_t r = j; r < j + 4 && k > STEP; r++)
                    __builtin_prefetch(w + r * p->out_step + 2 * STEP); /* no hardware guesses it */
                for (size_t c = 0; c < STEP; c += 4) lc_transpose4(w + j * p->out_step + c, p->out_step, out + c * width + j, width);
            }
        for (; j < n; j++)
            for (size_t c = 0; c < rows; c++) out[c * width + j] = w[j * p->out_step + c * p->in_step];
        k -= rows, w += rows * p->in_step, out += rows * width;
    }
}

/* Along one dimension: whether any output's tap k looks into the input. */
static bool looks_inside(int32_t k, int32_t dilation, int32_t pad, int32_t stride, int32_t in, int32_t out) {
    const int64_t first = (int64_t)k * dilation - pad, y = first < 0 ? (-first + stride - 1) / stride : 0;
    return y < out && first + y * stride < in;
}

/* Weights that meet padding alone are left out by gather_taps, and never read. */
static bool tap_is_used(const plan *g, size_t tap) {
    const lc_gemm_problem *p = &g->p;
    const int32_t ky = (int32_t)tap / p->kernel_w, kx = (int32_t)tap % p->kernel_w;
    return g->gather != TAPS || (looks_inside(ky, p->dilation_h, p->pad_h, p->stride_h, p->in_h, p->out_h) &&
                                 looks_inside(kx, p->dilation_w, p->pad_w, p->stride_w, p->in_w, p->out_w));
}

typedef struct pack_job {
    const lc_kernel_ctx *ctx;
    float *data;
    bool all; /* taps that these shapes never read, too: sessions of other shapes share what is packed once a model */
} pack_job;

/* Item: a tap of a panel of a group; the first brings the bias. */
static void pack_items(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const pack_job *j = arg;
    const plan *g = j->ctx->state;
    const lc_gemm_problem *p = &g->p;
    const size_t taps = (size_t)p->kernel_h * (size_t)p->kernel_w;
    (void)thread;
    for (size_t i = (size_t)begin; i < (size_t)end; i++) {
        const size_t tap = i % taps, panel = i / taps % g->panels, group = i / taps / g->panels;
        const size_t width = panel_width(g, j->ctx->simd, panel), first = panel * j->ctx->simd->nr;
        const size_t n = g->group_out - first < width ? g->group_out - first : width;
        float *out = j->data + group * g->group_floats + panel * g->panel_floats;
        for (size_t k = 0; tap == 0 && k < width; k++) out[k] = k < n && p->bias ? p->bias[group * g->group_out + first + k] : 0;
        if (!j->all && !tap_is_used(g, tap)) continue;
        const size_t group_step = p->group_step ? p->group_step : g->group_out * p->out_step;
        const float *w = p->weights + group * group_step + first * p->out_step + (ptrdiff_t)tap * p->tap_step;
        pack_rows(p, w, g->group_in, n, width, out + (1 + tap * g->group_in) * width);
    }
}

static int64_t pack_count(const plan *g) {
    return (int64_t)((size_t)g->p.groups * g->panels * (size_t)g->p.kernel_h * (size_t)g->p.kernel_w);
}

static void pack(const lc_kernel_ctx *ctx, void *data) {
    pack_job j = {ctx, data, true};
    pack_items(&j, 0, pack_count(ctx->state), 0);
}

/* ---- prepare ------------------------------------------------------------------------------------------------- */

/* How the output is cut. Thread counts only change which thread does what, never a sum. */
static void cut(plan *g, const lc_simd *simd, size_t threads) {
    g->tiles = (g->rows + simd->mr - 1) / simd->mr;
    g->tile_rows = g->rows / g->tiles;
    g->longer = g->rows % g->tiles;
    g->block_tiles = 1;
    const size_t weight_bytes = g->group_floats * sizeof(float);
    if (g->gather != LINES && weight_bytes > SMALL_WEIGHTS) {
        size_t rows = BLOCK_INPUT / (g->group_in * sizeof(float));
        if (rows > BLOCK_ROWS) rows = BLOCK_ROWS;
        g->block_tiles = rows / simd->mr ? rows / simd->mr : 1;
        if (g->block_tiles > g->tiles) g->block_tiles = g->tiles;
    }
    const size_t groups = (size_t)g->p.groups;
    if (threads > 1 && g->block_tiles > 1) { /* prefer more blocks to more chunks: a chunk gathers its block again */
        size_t want = (g->tiles * groups + 2 * threads - 1) / (2 * threads);
        if (want < 4) want = 4;
        if (want < g->block_tiles) g->block_tiles = want;
    }
    g->blocks = (g->tiles + g->block_tiles - 1) / g->block_tiles;
    g->chunks = 1;
    if (threads > 1 && g->blocks * groups < 3 * threads) {
        g->chunks = (3 * threads + g->blocks * groups - 1) / (g->blocks * groups);
        const size_t most = (g->panels + LC_GEMV_PANELS - 1) / LC_GEMV_PANELS;
        if (g->chunks > most) g->chunks = most;
    }
    g->chunk_panels = (g->panels + g->chunks - 1) / g->chunks;
    g->chunk_panels = (g->chunk_panels + LC_GEMV_PANELS - 1) / LC_GEMV_PANELS * LC_GEMV_PANELS;
    g->chunks = (g->panels + g->chunk_panels - 1) / g->chunk_panels;
}

lc_status lc_gemm_prepare(lc_kernel_ctx *ctx, const lc_gemm_problem *p) {
    const lc_simd *simd = ctx->simd;
    const size_t taps = (size_t)p->kernel_h * (size_t)p->kernel_w, group_in = (size_t)p->in_c / (size_t)p->groups;
    const size_t rows = (size_t)p->batch * (size_t)p->out_h * (size_t)p->out_w;
    if (rows == 0 || p->out_c == 0 || group_in == 0 || taps == 0 || p->in_h == 0 || p->in_w == 0) return LC_UNSUPPORTED;

    const bool lines = p->kernel_w > 1 && p->dilation_w == 1 && p->groups == 1 && (size_t)p->kernel_w * group_in <= LINE_FLOATS;
    const size_t k = lines ? (size_t)p->kernel_w * group_in : group_in;
    plan *g = lc_kernel_state(ctx, sizeof *g + k * sizeof(float));
    if (!g) return LC_NO_MEMORY;
    g->p = *p;
    g->rows = rows;
    g->group_in = group_in;
    g->group_out = (size_t)p->out_c / (size_t)p->groups;
    g->k = k;
    g->runs = lines ? (size_t)p->kernel_h : taps;
    g->zeros = (const float *)(g + 1);
    const bool dense = taps == 1 && p->out_h == p->in_h && p->out_w == p->in_w; /* then no stride was taken, and nothing padded */
    g->gather = lines ? LINES : dense ? DENSE : TAPS;

    g->panels = (g->group_out + simd->nr - 1) / simd->nr;
    g->panel_floats = (1 + taps * group_in) * simd->nr;
    g->group_floats = (g->panels - 1) * g->panel_floats + (1 + taps * group_in) * panel_width(g, simd, g->panels - 1);
    cut(g, simd, (size_t)lc_pool_threads(ctx->pool));

    const size_t block_rows = g->block_tiles * simd->mr, threads = (size_t)lc_pool_threads(ctx->pool);
    g->copy = g->gather == DENSE && rows > 1 && (size_t)p->in_c * sizeof(float) % SAME_SET == 0 && g->chunk_panels >= 4;
    g->tap_bytes = lc_fast_align(g->block_tiles * (1 + g->runs) * sizeof(uint32_t));
    g->row_bytes = lc_fast_align(block_rows * g->runs * sizeof(float *));
    g->patch_floats = g->copy ? block_rows * (k + COPY_PAD) : lines ? block_rows * g->runs * k : 0;
    g->thread_scratch = g->tap_bytes + g->row_bytes + lc_fast_align(g->patch_floats * sizeof(float));
    size_t bytes;
    if (!lc_mul_size(g->thread_scratch, threads, &ctx->scratch_size)) return LC_UNSUPPORTED;
    if (!lc_mul_size(g->group_floats * sizeof(float), (size_t)p->groups, &bytes)) return LC_UNSUPPORTED;
    if (p->weights) {
        LC_TRY(lc_fast_pack(ctx, bytes, pack, &g->packed));
    } else {
        g->packed_at = lc_fast_align(ctx->scratch_size);
        if (!lc_add_size(g->packed_at, bytes, &ctx->scratch_size)) return LC_UNSUPPORTED;
    }
    ctx->label = g->gather == DENSE ? "gemm" : g->gather == TAPS ? "conv taps" : "conv lines";
    return LC_OK;
}

/* ---- run ----------------------------------------------------------------------------------------------------- */

typedef struct job {
    const plan *g;
    const lc_simd *simd;
    const float *in;
    float *out;
    unsigned char *scratch;
} job;

/* First row of a tile: tiles differ by one row at most, so none is left with a single row. */
static size_t tile_row(const plan *g, size_t tile) { return tile * g->tile_rows + (tile < g->longer ? tile : g->longer); }

/* One output pixel's window: its image, the input position of its first tap, and that tap's address when the whole window lies
 * inside the image (else NULL). */
typedef struct window {
    const float *image, *base;
    int64_t y, x;
} window;

/* Fills w[n]; returns whether all of them lie inside. */
static bool windows(const plan *g, const float *in, size_t first, size_t n, window *w) {
    const lc_gemm_problem *p = &g->p;
    const size_t out_w = (size_t)p->out_w, out_h = (size_t)p->out_h, line_index = first / out_w;
    size_t x = first - line_index * out_w, y = line_index % out_h;
    const ptrdiff_t channels = p->in_c, line = (ptrdiff_t)p->in_w * channels, image = (ptrdiff_t)p->in_h * line;
    const float *at = in + (ptrdiff_t)(line_index / out_h) * image;
    const int64_t last_y = p->in_h - 1 - (p->kernel_h - 1) * (int64_t)p->dilation_h;
    const int64_t last_x = p->in_w - 1 - (p->kernel_w - 1) * (int64_t)p->dilation_w;
    int64_t wy = (int64_t)y * p->stride_h - p->pad_h, wx = (int64_t)x * p->stride_w - p->pad_w;
    bool all = true;
    for (size_t r = 0; r < n; r++) {
        const bool inside = wy >= 0 && wx >= 0 && wy <= last_y && wx <= last_x;
        w[r] = (window){at, inside ? at + wy * line + wx * channels : NULL, wy, wx};
        all = all && inside;
        wx += p->stride_w;
        if (++x < out_w) continue;
        x = 0;
        wx = -p->pad_w;
        wy += p->stride_h;
        if (++y < out_h) continue;
        y = 0;
        wy = -p->pad_h;
        at += image;
    }
    return all;
}

/* Each gather fills rows[run][n] and tap[run] for the n rows of one tile from row `first`; returns the runs that are not
 * padding everywhere. */
static size_t gather_dense(const plan *g, const float *in, size_t first, size_t n, const float **rows, uint32_t *tap, float *patch) {
    const size_t stride = (size_t)g->p.in_c;
    in += first * stride;
    if (g->copy) {
        for (size_t r = 0; r < n; r++, patch += g->k + COPY_PAD) {
            memcpy(patch, in + r * stride, g->k * sizeof(float));
            rows[r] = patch;
        }
    } else {
        for (size_t r = 0; r < n; r++) rows[r] = in + r * stride;
    }
    tap[0] = 0;
    return 1;
}

static size_t gather_taps(const plan *g, const float *in, size_t first, size_t n, const float **rows, uint32_t *tap) {
    const lc_gemm_problem *p = &g->p;
    const ptrdiff_t channels = p->in_c;
    const int64_t dy = p->dilation_h, dx = p->dilation_w;
    window w[LC_MR_MAX];
    const bool inside = windows(g, in, first, n, w);
    size_t runs = 0;
    uint32_t t = 0;
    for (int32_t ky = 0; ky < p->kernel_h; ky++) {
        for (int32_t kx = 0; kx < p->kernel_w; kx++, t++) {
            const float **row = rows + runs * n;
            bool any = inside;
            if (inside) {
                const ptrdiff_t shift = (ky * dy * p->in_w + kx * dx) * channels;
                for (size_t r = 0; r < n; r++) row[r] = w[r].base + shift;
            } else {
                for (size_t r = 0; r < n; r++) {
                    const int64_t y = w[r].y + ky * dy, x = w[r].x + kx * dx;
                    if (y >= 0 && y < p->in_h && x >= 0 && x < p->in_w) {
                        row[r] = w[r].image + (y * p->in_w + x) * channels;
                        any = true;
                    } else {
                        row[r] = g->zeros;
                    }
                }
            }
            if (any) tap[runs++] = t;
        }
    }
    return runs;
}

/* The part of the filter line at input position (y, x) that lies in the image, between zeros. */
static void copy_line(const plan *g, const float *image, int64_t y, int64_t x, float *to) {
    const lc_gemm_problem *p = &g->p;
    const int64_t from = x < 0 ? -x : 0, end = p->in_w - x < p->kernel_w ? p->in_w - x : p->kernel_w;
    const size_t head = (size_t)(from * p->in_c), tail = (size_t)(end * p->in_c);
    const float *line = image + (y * p->in_w + x + from) * p->in_c;
    size_t i = 0;
    for (; i < head; i++) to[i] = 0;
    for (; i < tail; i++) to[i] = *line++;
    for (; i < g->k; i++) to[i] = 0;
}

/* The work is little here (k may be 3), so rows are taken in stretches along the output line: within one, addresses grow evenly. */
static size_t gather_lines(const plan *g, const float *in, size_t first, size_t n, const float **rows, uint32_t *tap, float *patch) {
    const lc_gemm_problem *p = &g->p;
    const ptrdiff_t channels = p->in_c, line = (ptrdiff_t)p->in_w * channels, step = p->stride_w * channels;
    const size_t lines = (size_t)p->kernel_h, out_w = (size_t)p->out_w, out_h = (size_t)p->out_h;
    const int64_t last_x = p->in_w - p->kernel_w;
    size_t index = first / out_w, x = first - index * out_w;
    bool padded = false; /* some line of some row is padding altogether */
    for (size_t r = 0; r < n; index++, x = 0) {
        const float *image = in + (ptrdiff_t)(index / out_h) * p->in_h * line;
        const int64_t wy = (int64_t)(index % out_h) * p->stride_h - p->pad_h;
        const size_t end = n - r < out_w - x ? n : r + (out_w - x);
        while (r < end) {
            const int64_t wx = (int64_t)x * p->stride_w - p->pad_w;
            const bool inside = wx >= 0 && wx <= last_x, beside = wx + p->kernel_w <= 0 || wx >= p->in_w;
            size_t m = 1;
            if (inside) m = wx + (int64_t)(end - r - 1) * p->stride_w <= last_x ? end - r : (size_t)((last_x - wx) / p->stride_w) + 1;
            for (size_t ky = 0; ky < lines; ky++) {
                const int64_t y = wy + (int64_t)ky * p->dilation_h;
                const float **row = rows + ky * n + r;
                if (y < 0 || y >= p->in_h || beside) {
                    for (size_t i = 0; i < m; i++) row[i] = g->zeros;
                    padded = true;
                } else if (inside) {
                    const float *at = image + y * line + wx * channels;
                    for (size_t i = 0; i < m; i++, at += step) row[i] = at;
                } else {
                    copy_line(g, image, y, wx, patch);
                    *row = patch;
                    patch += g->k;
                }
            }
            x += m;
            r += m;
        }
    }
    size_t runs = 0;
    for (size_t ky = 0; ky < lines; ky++) {
        bool any = !padded;
        for (size_t r = 0; r < n && !any; r++) any = rows[ky * n + r] != g->zeros;
        if (!any) continue;
        if (runs != ky) memmove(rows + runs * n, rows + ky * n, n * sizeof *rows);
        tap[runs++] = (uint32_t)ky;
    }
    return runs;
}

static void run_item(const job *j, size_t group, size_t block, size_t chunk, unsigned char *scratch) {
    const plan *g = j->g;
    const lc_simd *simd = j->simd;
    const size_t tile0 = block * g->block_tiles, tile1 = tile0 + g->block_tiles < g->tiles ? tile0 + g->block_tiles : g->tiles;
    const size_t panel0 = chunk * g->chunk_panels;
    const size_t panel1 = panel0 + g->chunk_panels < g->panels ? panel0 + g->chunk_panels : g->panels;
    uint32_t *taps = (uint32_t *)(void *)scratch;
    const float **rows = (const float **)(void *)(scratch + g->tap_bytes);
    float *patch = (float *)(void *)(scratch + g->tap_bytes + g->row_bytes);
    const float *in = j->in + group * g->group_in;
    const size_t tap_stride = 1 + g->runs, row_stride = simd->mr * g->runs;

    for (size_t tile = tile0; tile < tile1; tile++) {
        const size_t i = tile - tile0, first = tile_row(g, tile), n = tile_row(g, tile + 1) - first;
        uint32_t *tap = taps + i * tap_stride;
        const float **row = rows + i * row_stride;
        if (g->gather == DENSE) tap[0] = (uint32_t)gather_dense(g, in, first, n, row, tap + 1, patch + i * simd->mr * (g->k + COPY_PAD));
        else if (g->gather == LINES) tap[0] = (uint32_t)gather_lines(g, in, first, n, row, tap + 1, patch);
        else tap[0] = (uint32_t)gather_taps(g, in, first, n, row, tap + 1);
    }

    const float *weights = g->packed + group * g->group_floats;
    const size_t out_c = (size_t)g->p.out_c;
    lc_gemm_tile t = {.k = g->k, .panel_stride = g->panel_floats, .out_stride = out_c, .low = g->p.low, .high = g->p.high};
    for (size_t panel = panel0; panel < panel1;) {
        const size_t left = g->group_out - panel * simd->nr;
        const bool wide = g->rows == 1 && panel + LC_GEMV_PANELS <= panel1 && left >= LC_GEMV_PANELS * simd->nr;
        t.panel = weights + panel * g->panel_floats;
        t.n = wide ? LC_GEMV_PANELS * simd->nr : left < simd->nr ? left : simd->nr;
        for (size_t tile = tile0; tile < tile1; tile++) {
            const size_t i = tile - tile0, first = tile_row(g, tile);
            t.mr = tile_row(g, tile + 1) - first;
            t.rows = (const float *const *)rows + i * row_stride;
            t.taps = taps[i * tap_stride];
            t.tap = taps + i * tap_stride + 1;
            t.out = j->out + first * out_c + group * g->group_out + panel * simd->nr;
            if (wide) simd->gemv(&t);
            else simd->gemm(&t);
        }
        panel += wide ? LC_GEMV_PANELS : 1;
    }
}

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const plan *g = j->g;
    unsigned char *scratch = j->scratch + (size_t)thread * g->thread_scratch;
    /* counted up by hand: an item may be one small tile, and five divisions would show */
    size_t chunk = (size_t)begin % g->chunks, block = (size_t)begin / g->chunks % g->blocks, group = (size_t)begin / g->chunks / g->blocks;
    for (int64_t i = begin; i < end; i++) {
        run_item(j, group, block, chunk, scratch);
        if (++chunk < g->chunks) continue;
        chunk = 0;
        if (++block < g->blocks) continue;
        block = 0;
        group++;
    }
}

void lc_gemm_use(lc_kernel_ctx *ctx, const float *weights, const float *bias) {
    plan *g = ctx->state;
    if (!g->packed_at) return;
    float *packed = (float *)(void *)((unsigned char *)ctx->scratch + g->packed_at);
    g->p.weights = weights;
    g->p.bias = bias;
    pack_job j = {ctx, packed, false};
    const int64_t items = pack_count(g), floats = (int64_t)(g->group_floats * (size_t)g->p.groups);
    lc_pool_run(ctx->pool, items, 1 + items * PACK_FLOATS / (floats + 1), pack_items, &j);
    g->packed = packed;
}

void lc_gemm_product(lc_kernel_ctx *ctx, const float *in, float *out) {
    const plan *g = ctx->state;
    job j = {g, ctx->simd, in, out, ctx->scratch};
    const int64_t items = (int64_t)(g->chunks * g->blocks * (size_t)g->p.groups), threads = lc_pool_threads(ctx->pool);
    lc_pool_run(ctx->pool, items, threads == 1 ? items : 1 + items / (8 * threads), work, &j);
}

lc_status lc_gemm_run(lc_kernel_ctx *ctx) {
    const lc_value *bias = ctx->in_count > 2 ? ctx->in[2] : NULL;
    lc_gemm_use(ctx, ctx->in[1]->data, bias ? bias->data : NULL);
    lc_gemm_product(ctx, ctx->in[0]->data, ctx->out[0]->data);
    return LC_OK;
}
