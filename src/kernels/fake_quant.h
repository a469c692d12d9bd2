/*
 * fake_quant.h: the steps that FAKE_QUANT rounds to, for its kernel, its gradient and the operators of quantisation-aware training. The range
 * is moved a little so that 0 is one of its 2^bits steps (Jacob et al. 2018, section 3).
 */
#ifndef LC_KERNELS_FAKE_QUANT_H
#define LC_KERNELS_FAKE_QUANT_H

#include <math.h>
#include <stdint.h>

typedef struct lc_fake_grid {
    float low, high, scale;
} lc_fake_grid;

static inline lc_fake_grid lc_fake_grid_of(float min, float max, int32_t bits) {
    const float steps = (float)((1 << bits) - 1), scale = (max - min) / steps, zero = 0 - min / scale;
    const float nearest = zero < 0 ? 0 : zero > steps ? steps : roundf(zero);
    return (lc_fake_grid){(0 - nearest) * scale, (steps - nearest) * scale, scale};
}

/* v on the nearest step. */
static inline float lc_fake_grid_round(const lc_fake_grid *g, float inverse, float v) {
    const float x = v < g->low ? g->low : v > g->high ? g->high : v;
    return roundf((x - g->low) * inverse) * g->scale + g->low;
}

#endif
