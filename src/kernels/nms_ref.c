/*
 * nms_ref.c: NON_MAX_SUPPRESSION_V4 and V5 (soft, Gaussian: Bodla et al. 2017). Candidates above the threshold wait in a heap, best first.
 * The best is held against the boxes chosen since it was last looked at: it is dropped, or its score falls and it waits again, or it is
 * chosen. A chosen one waits again, too (LiteRT): its overlap with itself drops it, unless it has no area; such boxes are chosen again and
 * again, while there is room.
 *
 * Among equal scores the heap decides who is first, so it moves its entries as the heaps of the C++ library do that LiteRT is built with.
 */
#include "kernels/ref.h"

#include <math.h>

typedef struct candidate {
    int32_t box;
    float score;
    int32_t seen; /* chosen boxes it was held against */
} candidate;

/* Puts c where it belongs, at `hole` or above it. */
static void rise(candidate *heap, int64_t hole, candidate c) {
    while (hole > 0 && heap[(hole - 1) / 2].score < c.score) {
        heap[hole] = heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    heap[hole] = c;
}

/* Takes the best of n: the hole it leaves sinks to the bottom along the better children (the right of equals), the last entry goes there
 * and rises. */
static candidate take(candidate *heap, int64_t n) {
    const candidate best = heap[0], last = heap[n - 1];
    int64_t hole = 0;
    n--;
    while (2 * hole + 2 < n) {
        const int64_t right = 2 * hole + 2, next = heap[right].score < heap[right - 1].score ? right - 1 : right;
        heap[hole] = heap[next];
        hole = next;
    }
    if (2 * hole + 1 < n) { /* an only child */
        heap[hole] = heap[2 * hole + 1];
        hole = 2 * hole + 1;
    }
    if (n > 0) rise(heap, hole, last);
    return best;
}

static float least(float a, float b) { return b < a ? b : a; }
static float most(float a, float b) { return a < b ? b : a; }

/* Intersection over union of two boxes [y1, x1, y2, x2], corners in any order. */
static float overlap(const float *a, const float *b) {
    const float ay0 = least(a[0], a[2]), ay1 = most(a[0], a[2]), ax0 = least(a[1], a[3]), ax1 = most(a[1], a[3]);
    const float by0 = least(b[0], b[2]), by1 = most(b[0], b[2]), bx0 = least(b[1], b[3]), bx1 = most(b[1], b[3]);
    const float area_a = (ay1 - ay0) * (ax1 - ax0), area_b = (by1 - by0) * (bx1 - bx0);
    if (area_a <= 0 || area_b <= 0) return 0;
    const float both = most(least(ay1, by1) - most(ay0, by0), 0) * most(least(ax1, bx1) - most(ax0, bx0), 0);
    return both / (area_a + area_b - both);
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    for (uint32_t i = 0; i < ctx->in_count; i++) LC_TRY(lc_ref_input(ctx, i, i == 2 ? LC_T(INT32) | LC_T(INT64) : LC_T(FLOAT32)));
    if (!lc_mul_size((size_t)ctx->in[0]->shape.dims[0], sizeof(candidate), &ctx->scratch_size))
        return lc_fail(ctx->err, LC_LIMIT, "%s: too many boxes", lc_op_name(ctx->node->op));
    return LC_OK;
}

/* Lowers the score of c by the chosen boxes it has not seen; false: one of them covers it. */
static bool survives(candidate *c, const float *boxes, const int32_t *chosen, int32_t count, float iou, float threshold, float sigma) {
    const float scale = sigma > 0 ? -0.5f / sigma : 0;
    for (int32_t j = count - 1; j >= c->seen; j--) {
        const float covered = overlap(boxes + 4 * (size_t)c->box, boxes + 4 * (size_t)chosen[j]);
        if (covered >= iou) return false;
        if (sigma > 0) c->score *= expf(scale * covered * covered);
        if (c->score <= threshold) break;
    }
    c->seen = count;
    return true;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const bool soft = ctx->in_count > 5;
    const float *boxes = ctx->in[0]->data, *scores = ctx->in[1]->data, iou = *(const float *)ctx->in[3]->data,
                threshold = *(const float *)ctx->in[4]->data;
    const float sigma = soft ? *(const float *)ctx->in[5]->data : 0;
    const int32_t size = ctx->out[0]->shape.dims[0];
    int32_t *chosen = ctx->out[0]->data, count = 0;
    float *kept = soft ? ctx->out[1]->data : NULL;
    candidate *heap = ctx->scratch;
    int64_t asked, waiting = 0;
    uint32_t one = 1;
    if (!lc_ref_ints(ctx->in[2], &asked, &one) || asked != size) return lc_ref_changed(ctx);
    if (sigma < 0 || isnan(sigma))
        return lc_fail(ctx->err, LC_INVALID, "%s: sigma is %g, needs 0 or more", lc_op_name(ctx->node->op), (double)sigma);
    for (int32_t i = 0; i < ctx->in[0]->shape.dims[0]; i++)
        if (scores[i] > threshold) rise(heap, waiting, (candidate){i, scores[i], 0}), waiting++;
    const int32_t wanted = waiting < size ? (int32_t)waiting : size;
    while (count < wanted && waiting > 0) {
        candidate c = take(heap, waiting--);
        const float before = c.score;
        if (!survives(&c, boxes, chosen, count, iou, threshold, sigma)) continue;
        if (c.score == before) {
            if (kept) kept[count] = c.score;
            chosen[count++] = c.box;
        }
        if (c.score > threshold) rise(heap, waiting++, c);
    }
    for (int32_t i = count; i < size; i++) {
        chosen[i] = 0;
        if (kept) kept[i] = 0;
    }
    *(int32_t *)ctx->out[soft ? 2 : 1]->data = count;
    return LC_OK;
}

const lc_kernel lc_kernel_NON_MAX_SUPPRESSION_V4 = {.prepare = prepare, .run = run};
const lc_kernel lc_kernel_NON_MAX_SUPPRESSION_V5 = {.prepare = prepare, .run = run};
