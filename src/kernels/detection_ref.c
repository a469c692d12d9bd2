/*
 * detection_ref.c: TFLite_Detection_PostProcess. Boxes are decoded from their encodings relative to the anchors; then non-maximum
 * suppression, which takes the best box, drops those that overlap it by more than the threshold (intersection over union), and goes on:
 *
 *   fast      once, by each box's best class; a kept box gives its best max_classes_per_detection classes
 *   regular   once a class; of all that is kept the best max_detections stay
 *
 * Of equal scores the box that comes first wins, then the class. What is not filled is zero. A score that is NaN is never kept. A box whose
 * encoding turns it inside out (its anchor has a negative size) is an error, as in LiteRT.
 *
 * Work: each kept box is compared with every other of its class, so it is bounded by the outputs' size times the inputs'.
 */
#include "kernels/quant.h"
#include "kernels/ref.h"
#include "ops/detection.h"

#include <math.h>
#include <string.h>

typedef struct box {
    float y0, x0, y1, x1;
} box;

typedef struct kept {
    float score;
    int32_t box, class;
} kept;

/* How an input becomes float: as it is, or (q - zero) * scale. */
typedef struct reals {
    bool quantised;
    float scale;
    int32_t zero;
} reals;

typedef struct detection {
    lc_detection_options o;
    reals in[3];
    int32_t boxes, background;                                       /* background: class 0 of the scores is none of num_classes */
    size_t at_box, at_score, at_order, at_class, at_kept, at_merged; /* places in the scratch */
} detection;

static float real_at(const lc_value *v, const reals *r, int64_t i) {
    if (!r->quantised) return ((const float *)v->data)[i];
    return (float)(lc_int_at(v->data, v->type, i) - r->zero) * r->scale;
}

/* Room for n things of `size` bytes at the end of the scratch. */
static bool reserve(lc_kernel_ctx *ctx, uint64_t n, size_t size, size_t *at) {
    uint64_t bytes, end;
    *at = ctx->scratch_size;
    return lc_mul_u64(n, size, &bytes) && lc_add_u64(*at, bytes, &end) && lc_align_u64(end, 64, &end) &&
           lc_u64_to_size(end, &ctx->scratch_size);
}

static int32_t per_class(const lc_detection_options *o) {
    return o->detections_per_class < o->max_detections ? o->detections_per_class : o->max_detections;
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    static const char *const names[] = {"box encodings", "class scores", "anchors"};
    detection *d = lc_kernel_state(ctx, sizeof *d);
    if (!d) return LC_NO_MEMORY;
    LC_TRY(lc_detection_read(ctx->node, &d->o, ctx->err));
    for (uint32_t i = 0; i < 3; i++) {
        LC_TRY(lc_ref_input(ctx, i, LC_T(FLOAT32) | LC_T(UINT8) | LC_T(INT8)));
        d->in[i].quantised = ctx->in[i]->type != LC_FLOAT32;
        if (d->in[i].quantised) LC_TRY(lc_quant_of(ctx, ctx->in[i], names[i], &d->in[i].scale, &d->in[i].zero));
    }
    d->boxes = ctx->in[0]->shape.dims[1];
    d->background = ctx->in[1]->shape.dims[2] - d->o.num_classes;
    const uint64_t n = (uint64_t)d->boxes;
    uint64_t most = (uint64_t)per_class(&d->o) + (uint64_t)d->o.max_detections;
    if (!reserve(ctx, n, sizeof(box), &d->at_box) || !reserve(ctx, n, sizeof(float), &d->at_score) ||
        !reserve(ctx, n, sizeof(int32_t), &d->at_order) ||
        !reserve(ctx, d->o.regular ? 0 : (uint64_t)d->o.num_classes, sizeof(int32_t), &d->at_class) ||
        !reserve(ctx, d->o.regular ? most : 0, sizeof(kept), &d->at_kept) ||
        !reserve(ctx, d->o.regular ? most : 0, sizeof(kept), &d->at_merged))
        return lc_fail(ctx->err, LC_LIMIT, "is too large to run");
    return LC_OK;
}

static lc_status decode(lc_kernel_ctx *ctx, const detection *d, box *boxes) {
    const int64_t step = ctx->in[0]->shape.dims[2];
    for (int64_t i = 0; i < d->boxes; i++) {
        double e[4], a[4]; /* y, x, height, width */
        for (int k = 0; k < 4; k++) {
            e[k] = (double)real_at(ctx->in[0], &d->in[0], i * step + k);
            a[k] = (double)real_at(ctx->in[2], &d->in[2], i * 4 + k);
        }
        const float y = (float)(e[0] / (double)d->o.y_scale * a[2] + a[0]), x = (float)(e[1] / (double)d->o.x_scale * a[3] + a[1]);
        const float h = (float)(0.5 * exp(e[2] / (double)d->o.h_scale) * a[2]), w = (float)(0.5 * exp(e[3] / (double)d->o.w_scale) * a[3]);
        boxes[i] = (box){y - h, x - w, y + h, x + w};
        if (boxes[i].y0 > boxes[i].y1 || boxes[i].x0 > boxes[i].x1)
            return lc_fail(ctx->err, LC_INVALID, "box %lld is inside out: its anchor is %g high and %g wide", (long long)i, a[2], a[3]);
    }
    return LC_OK;
}

/* max_first(a, b) as the usual libraries have it: b only when it is larger; NaN keeps a. */
static float larger(float a, float b) { return a < b ? b : a; }
static float smaller(float a, float b) { return b < a ? b : a; }

static float overlap(const box *a, const box *b) {
    const float area_a = (a->y1 - a->y0) * (a->x1 - a->x0), area_b = (b->y1 - b->y0) * (b->x1 - b->x0);
    if (area_a <= 0 || area_b <= 0) return 0;
    const float h = smaller(a->y1, b->y1) - larger(a->y0, b->y0), w = smaller(a->x1, b->x1) - larger(a->x0, b->x0);
    const float common = larger(h, 0) * larger(w, 0);
    return common / (area_a + area_b - common);
}

/* a comes before b: higher score, of equals the first. */
static bool before(const float *score, int32_t a, int32_t b) { return score[a] > score[b] || (score[a] == score[b] && a < b); }

/* order[0..n): best first. Heap sort: in place, and no input makes it slow. */
static void sort(int32_t *order, int32_t n, const float *score) {
    for (int32_t start = n / 2, end = n; end > 1;) {
        int32_t moving, at;
        if (start > 0) {
            at = --start;
            moving = order[at];
        } else {
            moving = order[--end];
            order[end] = order[0];
            at = 0;
        }
        for (int64_t child = 2 * (int64_t)at + 1; child < end; child = 2 * (int64_t)at + 1) {
            if (child + 1 < end && before(score, order[child], order[child + 1])) child++;
            if (!before(score, moving, order[child])) break;
            order[at] = order[child];
            at = (int32_t)child;
        }
        order[at] = moving;
    }
}

/* Suppression by score[0..boxes): the boxes that stay come first in order[]; returns how many, at most `most`. */
static int32_t suppress(const detection *d, const box *boxes, const float *score, int32_t *order, int32_t most) {
    int32_t n = 0, stay = 0;
    for (int32_t i = 0; i < d->boxes; i++)
        if (score[i] >= d->o.score_threshold) order[n++] = i;
    sort(order, n, score);
    while (stay < most && stay < n) { /* order[0, stay) are kept, order[stay, n) are left, best first */
        const box *best = &boxes[order[stay++]];
        int32_t left = stay;
        for (int32_t j = stay; j < n; j++)
            if (!(overlap(best, &boxes[order[j]]) > d->o.iou_threshold)) order[left++] = order[j];
        n = left;
    }
    return stay;
}

static void put(lc_kernel_ctx *ctx, const box *boxes, int64_t at, const kept *k) {
    memcpy((float *)ctx->out[0]->data + at * 4, &boxes[k->box], sizeof(box));
    ((float *)ctx->out[1]->data)[at] = (float)k->class;
    ((float *)ctx->out[2]->data)[at] = k->score;
}

static float score_of(const lc_kernel_ctx *ctx, const detection *d, int32_t i, int32_t class) {
    return real_at(ctx->in[1], &d->in[1], (int64_t)i * ctx->in[1]->shape.dims[2] + d->background + class);
}

/* The `count` best classes of box i, best first, in best[]. */
static void best_classes(const lc_kernel_ctx *ctx, const detection *d, int32_t i, int32_t *best, int32_t wanted) {
    int32_t have = 0;
    for (int32_t c = 0; c < d->o.num_classes; c++) {
        const float score = score_of(ctx, d, i, c);
        int32_t at = have < wanted ? have : wanted;
        for (; at > 0; at--) {
            const float other = score_of(ctx, d, i, best[at - 1]);
            if (!(score > other || (isnan(other) && !isnan(score)))) break;
        }
        if (at == wanted) continue;
        if (have < wanted) have++;
        memmove(best + at + 1, best + at, (size_t)(have - 1 - at) * sizeof *best);
        best[at] = c;
    }
}

static int32_t run_fast(lc_kernel_ctx *ctx, const detection *d, const box *boxes, char *scratch) {
    float *score = (float *)(void *)(scratch + d->at_score);
    int32_t *order = (int32_t *)(void *)(scratch + d->at_order), *best = (int32_t *)(void *)(scratch + d->at_class);
    const int32_t most = d->o.max_classes_per_detection;
    const int32_t classes = most < d->o.num_classes ? most : d->o.num_classes;
    for (int32_t i = 0; i < d->boxes; i++) {
        best_classes(ctx, d, i, best, 1);
        score[i] = score_of(ctx, d, i, best[0]);
    }
    const int32_t n = suppress(d, boxes, score, order, d->o.max_detections);
    for (int32_t k = 0; k < n; k++) {
        best_classes(ctx, d, order[k], best, classes);
        for (int32_t c = 0; c < classes; c++)
            put(ctx, boxes, (int64_t)k * most + c, &(kept){score_of(ctx, d, order[k], best[c]), order[k], best[c]});
    }
    return n;
}

static int32_t run_regular(lc_kernel_ctx *ctx, const detection *d, const box *boxes, char *scratch) {
    float *score = (float *)(void *)(scratch + d->at_score);
    int32_t *order = (int32_t *)(void *)(scratch + d->at_order), have = 0;
    kept *all = (kept *)(void *)(scratch + d->at_kept), *merged = (kept *)(void *)(scratch + d->at_merged);
    for (int32_t class = 0; class < d->o.num_classes; class ++) {
        for (int32_t i = 0; i < d->boxes; i++) score[i] = score_of(ctx, d, i, class);
        const int32_t n = suppress(d, boxes, score, order, per_class(&d->o));
        int32_t a = 0, b = 0, m = 0;
        while (m < d->o.max_detections && (a < have || b < n)) {
            const bool old = b == n || (a < have && !(score[order[b]] > all[a].score));
            merged[m++] = old ? all[a] : (kept){score[order[b]], order[b], class};
            if (old) a++;
            else b++;
        }
        kept *swap = all;
        all = merged;
        merged = swap;
        have = m;
    }
    for (int32_t k = 0; k < have && k < ctx->out[1]->shape.dims[1]; k++) put(ctx, boxes, k, &all[k]);
    return have;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const detection *d = ctx->state;
    char *scratch = ctx->scratch;
    box *boxes = (box *)(void *)(scratch + d->at_box);
    LC_TRY(decode(ctx, d, boxes));
    for (uint32_t i = 0; i < 3; i++)
        if (ctx->out[i]->size) memset(ctx->out[i]->data, 0, ctx->out[i]->size);
    const int32_t n = d->o.regular ? run_regular(ctx, d, boxes, scratch) : run_fast(ctx, d, boxes, scratch);
    *(float *)ctx->out[3]->data = (float)n;
    return LC_OK;
}

const lc_kernel lc_kernel_custom_DETECTION = {.prepare = prepare, .run = run};
