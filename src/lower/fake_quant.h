/*
 * fake_quant.h: the rounding of quantisation-aware training, as TensorFlow's operators (tf_quant.c) and Keras's wrappers (lower_trained.c)
 * have it. An activation becomes FAKE_QUANT, weights are rounded and annotated: a float32 constant with quantisation parameters says in which
 * steps its values are (quant/qat.c).
 *
 * The range is moved so that zero is one of the steps (Jacob et al. 2018, section 3): with q in [low, 2^bits - 1], low = 1 when narrow,
 *
 *     scale = (max - min) / (2^bits - 1 - low)      zero = low - min / scale, rounded and clamped      y = (q - zero) scale
 */
#ifndef LC_LOWER_FAKE_QUANT_H
#define LC_LOWER_FAKE_QUANT_H

#include "ops/build.h"

typedef struct lc_fake_steps {
    float scale, min, max;
    int32_t zero;
} lc_fake_steps;

/* A range that holds zero and something else. */
bool lc_fake_usable(float min, float max);
lc_fake_steps lc_fake_steps_of(float min, float max, int32_t bits, bool narrow);
/* v on the nearest step. */
float lc_fake_round(const lc_fake_steps *s, float v);
/* x rounded when it runs. */
int32_t lc_fake_quant(lc_builder *b, int32_t x, const lc_fake_steps *s, int32_t bits, bool narrow);
/* Says that the elements of a constant are on these steps: one for all, or n along `axis`. */
void lc_fake_annotate(lc_builder *b, int32_t tensor, const lc_fake_steps *s, uint32_t n, int32_t axis, int32_t bits);

#endif
