/*
 * fake_quant.c: see fake_quant.h. FAKE_QUANT has no narrow range that a runtime takes: there the lowest step is cut off in front of it.
 */
#include "lower/fake_quant.h"

#include "ir/constant.h"

#include <math.h>

bool lc_fake_usable(float min, float max) { return isfinite(min) && isfinite(max) && min <= 0 && max >= 0 && min < max; }

lc_fake_steps lc_fake_steps_of(float min, float max, int32_t bits, bool narrow) {
    const float low = narrow ? 1 : 0, high = (float)((1 << bits) - 1);
    lc_fake_steps s = {.scale = (max - min) / (high - low)};
    const float zero = low - min / s.scale;
    s.zero = (int32_t)(zero < low ? low : zero > high ? high : roundf(zero));
    s.min = (low - (float)s.zero) * s.scale;
    s.max = (high - (float)s.zero) * s.scale;
    return s;
}

float lc_fake_round(const lc_fake_steps *s, float v) {
    v = v < s->min ? s->min : v > s->max ? s->max : v;
    return floorf((v - s->min) / s->scale + 0.5f) * s->scale + s->min;
}

int32_t lc_fake_quant(lc_builder *b, int32_t x, const lc_fake_steps *s, int32_t bits, bool narrow) {
    lc_FakeQuantOptions o = {.min = s->min, .max = s->max, .num_bits = bits};
    if (narrow) {
        o.min = s->min - s->scale;
        x = lc_build_with_scalar(b, LC_OP_MAXIMUM, x, "lowest", s->min);
    }
    return lc_build_op(b, LC_OP_FAKE_QUANT, LC_TABLE_FakeQuantOptions, &o, &x, 1);
}

void lc_fake_annotate(lc_builder *b, int32_t tensor, const lc_fake_steps *s, uint32_t n, int32_t axis, int32_t bits) {
    float *scale = lc_build_data(b, n * sizeof *scale);
    int64_t *zero = lc_build_data(b, n * sizeof *zero);
    if (!scale || !zero || tensor < 0) return;
    for (uint32_t i = 0; i < n; i++) {
        scale[i] = s[i].scale;
        zero[i] = s[i].zero - (1 << (bits - 1));
    }
    const lc_QuantizationParameters *q = lc_tensor_steps(&b->model->arena, scale, zero, n, axis);
    if (!q) lc_build_check(b, lc_fail_memory(b->err, "quantisation"));
    else b->graph->tensors[tensor].quant = q;
}
