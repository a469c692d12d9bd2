/*
 * cluster.c: each constant of weights gets few values, so that its file compresses: k-means over its elements (Han et al. 2016). In one
 * dimension the elements of a cluster are neighbours in order, so a step needs sums over ranges of the sorted elements only. It starts twice,
 * from values evenly spread over the range and over the elements, and the better end counts: no random numbers, the same result each time.
 *
 * Zero is one of the values where there are zeros, and nothing else becomes zero: what was pruned stays so, and what was not is not.
 * Constants with infinity or NaN, or with few enough values already, stay.
 */
#include "quant/prune.h"

#include <math.h>
#include <string.h>

enum { MOST = 256, MOST_STEPS = 100, RADIX_BITS = 11, RADIX = 1 << RADIX_BITS };

/* The elements that are not zero, in order, and the sums of those before each. */
typedef struct sorted {
    float *v;
    double *sum;
    size_t n;
} sorted;

typedef struct clusters {
    float at[MOST];
    uint32_t count;
    double gain; /* what the sum of squared errors is smaller by than that around zero */
} clusters;

/* Bits that are ordered as the floats are. */
static uint32_t key(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/* Radix sort of n floats; `other` has room for as many. The result is in v. */
static void sort(float *v, float *other, size_t n) {
    for (int shift = 0; shift < 32; shift += RADIX_BITS) {
        size_t start[RADIX + 1] = {0};
        for (size_t i = 0; i < n; i++) start[(key(v[i]) >> shift & (RADIX - 1)) + 1]++;
        for (int b = 0; b < RADIX; b++) start[b + 1] += start[b];
        for (size_t i = 0; i < n; i++) other[start[key(v[i]) >> shift & (RADIX - 1)]++] = v[i];
        memcpy(v, other, n * sizeof *v);
    }
}

/* How many elements are under x. */
static size_t under(const sorted *s, double x) {
    size_t low = 0, high = s->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (s->v[middle] < x) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Where cluster j ends: half way to the next. */
static size_t end_of(const sorted *s, const clusters *c, uint32_t j) {
    return j + 1 == c->count ? s->n : under(s, ((double)c->at[j] + (double)c->at[j + 1]) / 2);
}

/* Moves each value to the mean of what is nearest to it until nothing moves. */
static void settle(const sorted *s, clusters *c) {
    bool moved = true;
    for (int step = 0; moved && step < MOST_STEPS; step++) {
        clusters next = {.count = c->count};
        moved = false;
        size_t from = 0;
        for (uint32_t j = 0; j < c->count; j++) {
            const size_t to = end_of(s, c, j);
            const double mean = to > from ? (s->sum[to] - s->sum[from]) / (double)(to - from) : (double)c->at[j];
            next.at[j] = (float)mean;
            next.gain += mean * mean * (double)(to - from);
            moved |= next.at[j] != c->at[j];
            from = to;
        }
        *c = next;
    }
}

static void find_clusters(const sorted *s, uint32_t count, clusters *best) {
    clusters even = {.count = count}, dense = {.count = count};
    const double low = s->v[0], high = s->v[s->n - 1];
    for (uint32_t j = 0; j < count; j++) {
        even.at[j] = (float)(low + (high - low) * (j + 0.5) / count);
        dense.at[j] = s->v[(size_t)((double)s->n * (j + 0.5) / count)];
    }
    settle(s, &even);
    settle(s, &dense);
    *best = even.gain >= dense.gain ? even : dense;
}

static float nearest(const clusters *c, float x) {
    uint32_t low = 0, high = c->count - 1;
    while (low < high) { /* the first whose end is over x */
        const uint32_t middle = low + (high - low) / 2;
        if ((double)x < ((double)c->at[middle] + (double)c->at[middle + 1]) / 2) high = middle;
        else low = middle + 1;
    }
    return c->at[low];
}

static lc_status cluster(const lc_weights *w, uint32_t count, lc_arena *temporary, lc_error *err) {
    sorted s = {.v = lc_arena_array(temporary, w->count, sizeof *s.v), .sum = lc_arena_array(temporary, w->count + 1, sizeof *s.sum)};
    float *other = lc_arena_array(temporary, w->count, sizeof *other);
    clusters c;
    if (!s.v || !s.sum || !other) return lc_fail_memory(err, "clusters");
    for (size_t i = 0; i < w->count; i++) {
        if (!isfinite(w->data[i])) return LC_OK;
        if (w->data[i] != 0) s.v[s.n++] = w->data[i];
    }
    if (s.n < w->count) count--;
    sort(s.v, other, s.n);
    size_t values = s.n > 0;
    for (size_t i = 0; i < s.n; i++) {
        s.sum[i + 1] = s.sum[i] + (double)s.v[i];
        values += i && s.v[i] != s.v[i - 1];
    }
    if (values <= count) return LC_OK;
    find_clusters(&s, count, &c);
    for (size_t i = 0; i < w->count; i++)
        if (w->data[i] != 0) w->data[i] = nearest(&c, w->data[i]);
    return LC_OK;
}

lc_status lc_weights_cluster(const lc_weights_list *list, uint32_t count, lc_error *err) {
    for (size_t i = 0; i < list->count; i++) {
        lc_arena temporary = {0};
        const lc_status status = cluster(&list->items[i], count, &temporary, err);
        lc_arena_deinit(&temporary);
        LC_TRY(status);
    }
    return LC_OK;
}
