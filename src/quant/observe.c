/*
 * observe.c: extremes and histograms of values, and the ranges that follow from a histogram. Everything here is a sum or an extreme of values
 * one by one, so that the order in which batches are seen changes nothing.
 *
 * A clip stands between bins. Inside the outermost bin that is kept the true extreme counts when it is nearer: clipping never widens.
 */
#include "quant/observe.h"

#include "base/clones.h"

#include <math.h>

enum { LANES = 64, CLIPS = 128 }; /* CLIPS: places a clip of least error is looked for, on each side of zero */

LC_CLONES static bool extremes(const float *x, size_t n, lc_range *range) {
    if (n == 0) return true;
    float low[LANES], high[LANES];
    uint32_t nan[LANES];
    size_t i = 0;
    for (int l = 0; l < LANES; l++) {
        low[l] = high[l] = x[0];
        nan[l] = 0;
    }
    for (; i + LANES <= n; i += LANES) /* independent lanes, so that the compiler makes vectors of them */
        for (int l = 0; l < LANES; l++) {
            const float v = x[i + (size_t)l];
            low[l] = v < low[l] ? v : low[l];
            high[l] = v > high[l] ? v : high[l];
            nan[l] |= v != v;
        }
    for (; i < n; i++) {
        low[0] = x[i] < low[0] ? x[i] : low[0];
        high[0] = x[i] > high[0] ? x[i] : high[0];
        nan[0] |= x[i] != x[i];
    }
    lc_range r = {low[0], high[0], true};
    for (int l = 0; l < LANES; l++) {
        r.low = fminf(r.low, low[l]);
        r.high = fmaxf(r.high, high[l]);
        nan[0] |= nan[l];
    }
    if (nan[0] || !isfinite(r.low) || !isfinite(r.high)) return false;
    range->low = range->seen ? fminf(range->low, r.low) : r.low;
    range->high = range->seen ? fmaxf(range->high, r.high) : r.high;
    range->seen = true;
    return true;
}

bool lc_observe_extremes(const float *x, size_t n, lc_range *range) { return extremes(x, n, range); }

void lc_observe_count(const float *x, size_t n, lc_histogram *h) {
    const double scale = LC_BINS / (double)h->most;
    for (size_t i = 0; i < n; i++) {
        const double at = fabs((double)x[i]) * scale;
        if (x[i] == 0) {
            h->zeros++;
            continue;
        }
        uint64_t *side = x[i] < 0 ? h->below : h->above;
        side[at < LC_BINS ? (int)at : LC_BINS - 1]++; /* also where a source gives other samples the second time, NaN among them */
    }
}

void lc_observe_add(lc_histogram *to, const lc_histogram *from) {
    to->zeros += from->zeros;
    for (int i = 0; i < LC_BINS; i++) {
        to->below[i] += from->below[i];
        to->above[i] += from->above[i];
    }
}

static uint64_t total(const uint64_t *side) {
    uint64_t n = 0;
    for (int i = 0; i < LC_BINS; i++) n += side[i];
    return n;
}

static double edge(const lc_histogram *h, int bins) { return bins * (double)h->most / LC_BINS; }

static lc_range clipped(lc_range extremes, double low, double high) {
    if (-low > (double)extremes.low) extremes.low = (float)-low;
    if (high < (double)extremes.high) extremes.high = (float)high;
    return extremes;
}

/* How many bins of a side are kept when at most `cut` values may go. */
static int kept(const uint64_t *side, double cut) {
    int n = LC_BINS;
    double gone = 0;
    while (n > 0 && gone + (double)side[n - 1] <= cut) gone += (double)side[--n];
    return n;
}

lc_range lc_observe_percentile(const lc_histogram *h, lc_range extremes, double percent) {
    const uint64_t below = total(h->below), above = total(h->above);
    double cut = (1 - percent / 100) * (double)(h->zeros + below + above);
    if (h->zeros + below + above == 0) return extremes;
    if (below && above) cut /= 2;
    return clipped(extremes, edge(h, kept(h->below, cut)), edge(h, kept(h->above, cut)));
}

/* ---- entropy ---------------------------------------------------------------------------------------------------- */

/* Sums over the first bins of |x|: [i] is that of bins 0 to i - 1. */
typedef struct sums {
    double values[LC_BINS + 1], filled[LC_BINS + 1], entropy[LC_BINS + 1]; /* entropy: n ln n */
} sums;

static double log_of(double n) { return n > 0 ? n * log(n) : 0; }

/* Divergence of the values, those outside `bins` moved into the last bin, from what `levels` steps make of the first `bins`: in each step
 * the values lie equally on the bins that hold any. A last bin that is empty but for those of outside has no probability there: a
 * millionth stands for it. */
static double divergence(const sums *s, int bins, int levels) {
    const double all = s->values[LC_BINS], inside = s->values[bins], outside = all - inside;
    const double last = inside - s->values[bins - 1];
    if (inside <= 0) return INFINITY;
    double sum = s->entropy[bins - 1] + log_of(last + outside) - all * log(all);
    for (int b = 0; b < levels; b++) {
        const int from = b * bins / levels, to = (b + 1) * bins / levels;
        const double n = s->values[to] - s->values[from], places = s->filled[to] - s->filled[from];
        if (n > 0) sum -= (n + (to == bins && last > 0 ? outside : 0)) * log(n / places / inside);
    }
    if (outside > 0 && !(last > 0)) sum -= outside * log(1e-6);
    return sum / all;
}

lc_range lc_observe_entropy(const lc_histogram *h, lc_range extremes) {
    sums s;
    s.values[0] = s.filled[0] = s.entropy[0] = 0;
    for (int i = 0; i < LC_BINS; i++) {
        const double n = (double)(h->below[i] + h->above[i]);
        s.values[i + 1] = s.values[i] + n;
        s.filled[i + 1] = s.filled[i] + (n > 0);
        s.entropy[i + 1] = s.entropy[i] + log_of(n);
    }
    if (s.values[LC_BINS] <= 0) return extremes;
    const int levels = extremes.low < 0 && extremes.high > 0 ? 128 : 256;
    int best = LC_BINS;
    double least = INFINITY;
    for (int bins = levels; bins <= LC_BINS; bins++) {
        const double d = divergence(&s, bins, levels);
        if (d < least) {
            least = d;
            best = bins;
        }
    }
    return clipped(extremes, edge(h, best), edge(h, best));
}

/* ---- mean square error ------------------------------------------------------------------------------------------ */

/* error[c]: the square error of clipping a side at c / CLIPS of its greatest value, its values in the middles of their bins. inside[c]: values
 * that are not clipped. */
typedef struct clips {
    double error[CLIPS + 1], inside[CLIPS + 1];
} clips;

static void clips_of(const lc_histogram *h, const uint64_t *side, clips *c) {
    const int width = LC_BINS / CLIPS;
    const double bin = edge(h, 1);
    double n = 0, sum = 0, squares = 0, all = (double)total(side);
    for (int k = CLIPS; k >= 0; k--) {
        const double at = k * width * bin;
        c->error[k] = fmax(0, squares - 2 * at * sum + at * at * n);
        c->inside[k] = all - n;
        for (int i = (k - 1) * width; k > 0 && i < k * width; i++) {
            const double x = (i + 0.5) * bin, count = (double)side[i];
            n += count;
            sum += count * x;
            squares += count * x * x;
        }
    }
}

lc_range lc_observe_mse(const lc_histogram *h, lc_range extremes, double steps, bool symmetric) {
    clips low, high;
    clips_of(h, h->below, &low);
    clips_of(h, h->above, &high);
    const double most = (double)h->most;
    int at[2] = {CLIPS, CLIPS};
    double least = INFINITY;
    for (int b = CLIPS; b >= 0; b--)
        for (int a = CLIPS; a >= 0; a--) {
            if (symmetric && a != b) continue;
            const double from = fmin(a * most / CLIPS, -(double)fminf(extremes.low, 0));
            const double to = fmin(b * most / CLIPS, (double)fmaxf(extremes.high, 0));
            const double step = (symmetric ? 2 * fmax(from, to) : from + to) / steps;
            const double error = low.error[a] + high.error[b] + (low.inside[a] + high.inside[b]) * step * step / 12;
            if (error < least) {
                least = error;
                at[0] = a;
                at[1] = b;
            }
        }
    return clipped(extremes, at[0] * most / CLIPS, at[1] * most / CLIPS);
}
