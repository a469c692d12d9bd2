/*
 * integer.c: see integer.h. The arithmetic is that of the TFLite quantisation specification and of LiteRT's reference kernels; what they
 * check in their Prepare is checked here, and what they assume (scales that are numbers, one a channel) as well.
 *
 * Refuses: activations and outputs of int16 with a zero point, filters quantised along another dimension, a bias whose scale is not
 * input scale times filter scale where LiteRT looks at it.
 */
#include "kernels/integer.h"

#include <string.h>

void lc_int_centre(const lc_simd *simd, const void *data, lc_dtype type, int64_t at, int64_t n, int32_t zero, int16_t *out) {
    const int16_t z = (int16_t)zero;
    if (simd && (type == LC_INT8 || type == LC_UINT8)) {
        simd->widen((const uint8_t *)data + at, type == LC_UINT8, zero, (size_t)n, out);
    } else if (type == LC_INT8) {
        const int8_t *p = (const int8_t *)data + at;
        for (int64_t i = 0; i < n; i++) out[i] = (int16_t)(p[i] - z);
    } else if (type == LC_UINT8) {
        const uint8_t *p = (const uint8_t *)data + at;
        for (int64_t i = 0; i < n; i++) out[i] = (int16_t)(p[i] - z);
    } else if (type == LC_INT16) {
        memcpy(out, (const int16_t *)data + at, (size_t)n * sizeof *out);
    } else {
        for (int64_t i = 0; i < n; i++) out[i] = (int16_t)(lc_int_at(data, type, at + i) - z);
    }
}

/* Products that an int32 holds for certain are added in one; the pieces in 64 bits. */
void lc_int_dots(const lc_simd *simd, const int16_t *w, const int16_t *x, int64_t step, int64_t depth, int64_t n, int64_t limit,
                 int64_t *sums) {
    const int64_t piece = limit > INT32_MAX / 2 ? 1 : INT32_MAX / limit;
    for (int64_t i = 0; i < n; i++) sums[i] = 0;
    for (int64_t k = 0; k < depth; k += piece) {
        const int64_t count = depth - k < piece ? depth - k : piece;
        if (simd) {
            simd->dots(w + k, x + k, (size_t)step, (size_t)count, (size_t)n, sums);
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            const int16_t *row = x + i * step + k;
            int32_t sum = 0;
            for (int64_t j = 0; j < count; j++) sum += w[k + j] * row[j];
            sums[i] += sum;
        }
    }
}

/* ---- outputs ------------------------------------------------------------------------------------------------------- */

static lc_status refuse(lc_kernel_ctx *ctx, const char *why) {
    lc_fail(ctx->err, LC_INVALID, "%s", why);
    lc_error_hint(ctx->err, "the model's quantisation is damaged: convert it again");
    return LC_INVALID;
}

/* The bias is of `types`, and there is one for each output channel (infer has checked). */
static lc_status check_bias(lc_kernel_ctx *ctx, const lc_int_spec *spec, lc_int_output *o, uint32_t types) {
    const bool given = spec->bias >= 0 && (uint32_t)spec->bias < ctx->in_count && ctx->in[spec->bias];
    o->bias = given ? spec->bias : LC_ABSENT;
    return given ? lc_ref_input(ctx, (uint32_t)spec->bias, types) : LC_OK;
}

/* LiteRT refuses a bias whose scale is off by more than a fiftieth of the output's: its sums would mean something else. */
static lc_status check_bias_scale(lc_kernel_ctx *ctx, const lc_int_output *o, float in, float filter, float out) {
    if (o->bias < 0) return LC_OK;
    const lc_tensor *t = ctx->in[o->bias]->def;
    const lc_QuantizationParameters *q = t ? t->quant : NULL;
    const double bias = q && q->scale.n == 1 ? (double)q->scale.data[0] : 0;
    if (fabs((double)in * (double)filter - bias) / (double)out <= 0.02) return LC_OK;
    return refuse(ctx, "the bias has another scale than input scale times filter scale");
}

static lc_status filter_quant(lc_kernel_ctx *ctx, const lc_int_spec *spec, lc_int_output *o, const float **scales) {
    const lc_value *filter = ctx->in[spec->filter];
    LC_TRY(lc_quant_channels(ctx, filter, "filter", spec->axis, spec->check_filter_zero, scales, &o->channels));
    o->filter_zero = 0;
    if (!spec->use_filter_zero || o->channels > 1) return LC_OK;
    float scale;
    return lc_quant_of(ctx, filter, "filter", &scale, &o->filter_zero);
}

lc_status lc_int_output_prepare(lc_kernel_ctx *ctx, const lc_int_spec *spec, lc_int_output *o) {
    const lc_value *in = ctx->in[spec->in], *filter = ctx->in[spec->filter], *out = ctx->out[0];
    const bool wide = in->type == LC_INT16;
    float in_scale, out_scale;
    const float *scales;
    *o = (lc_int_output){.type = out->type, .activation = spec->activation};
    LC_TRY(lc_ref_input(ctx, (uint32_t)spec->in, LC_T(INT8) | LC_T(UINT8) | LC_T(INT16)));
    LC_TRY(lc_ref_input(ctx, (uint32_t)spec->filter, LC_INT_WEIGHTS));
    LC_TRY(lc_quant_of(ctx, in, "input", &in_scale, &o->in_zero));
    LC_TRY(lc_quant_of(ctx, out, "output", &out_scale, &o->zero));
    LC_TRY(filter_quant(ctx, spec, o, &scales));
    LC_TRY(check_bias(ctx, spec, o, wide ? LC_T(INT32) | LC_T(INT64) : LC_T(INT32)));
    LC_TRY(lc_quant_range(ctx, spec->activation, out->type, out_scale, o->zero, &o->low, &o->high));
    if (wide && (o->in_zero || o->zero)) return refuse(ctx, "int16 activations have a zero point, which must be 0");
    if (filter->type == LC_INT16 && o->filter_zero) return refuse(ctx, "an int16 filter has a zero point, which must be 0");
    const bool one = o->channels == 1 && spec->float_product;
    if (one) LC_TRY(check_bias_scale(ctx, o, in_scale, scales[0], out_scale));
    const lc_dtype sums = !wide ? LC_INT32 : o->bias >= 0 ? ctx->in[o->bias]->type : spec->sum_type == LC_INT32 ? LC_INT32 : LC_INT64;
    o->cut = sums == LC_INT32;
    o->rounding = spec->real ? LC_INT_ROUND_REAL : o->cut ? LC_INT_ROUND_32 : LC_INT_ROUND_64;
    lc_multiplier *multiplier = lc_arena_array(ctx->arena, (size_t)o->channels, sizeof *multiplier);
    double *real = lc_arena_array(ctx->arena, (size_t)o->channels, sizeof *real);
    if (!multiplier || !real) return lc_fail_memory(ctx->err, "quantisation");
    for (int32_t c = 0; c < o->channels; c++) {
        real[c] = (double)in_scale * (double)scales[c] / (double)out_scale;
        multiplier[c] = lc_multiplier_of(one ? (double)(in_scale * scales[c]) / (double)out_scale : real[c]);
    }
    o->multiplier = multiplier;
    o->real = real;
    return LC_OK;
}

lc_status lc_int_hybrid_prepare(lc_kernel_ctx *ctx, const lc_int_spec *spec, lc_int_output *o) {
    *o = (lc_int_output){.rounding = LC_INT_FLOAT, .type = LC_FLOAT32, .activation = spec->activation};
    LC_TRY(lc_ref_input(ctx, (uint32_t)spec->in, LC_T(FLOAT32)));
    LC_TRY(lc_ref_input(ctx, (uint32_t)spec->filter, LC_INT_WEIGHTS));
    LC_TRY(filter_quant(ctx, spec, o, &o->scale));
    return check_bias(ctx, spec, o, LC_T(FLOAT32));
}

lc_status lc_int_factors_prepare(lc_kernel_ctx *ctx, const lc_int_output *o, int32_t channels, lc_int_factors *f) {
    const size_t n = (size_t)channels;
    f->factor = lc_arena_array(ctx->arena, n, 4 * sizeof *f->factor);
    if (!f->factor) return lc_fail_memory(ctx->err, "quantisation");
    f->left = f->factor + n, f->right = f->left + n, f->zeros = f->right + n;
    for (size_t c = 0; c < n; c++) {
        const lc_multiplier m = o->multiplier[o->channels > 1 ? c : 0];
        f->factor[c] = m.factor;
        f->left[c] = m.shift > 31 ? 31 : m.shift > 0 ? m.shift : 0;
        f->right[c] = m.shift < 0 ? -m.shift : 0;
        f->zeros[c] = 0;
    }
    return LC_OK;
}

void lc_int_output_begin(const lc_kernel_ctx *ctx, lc_int_output *o) {
    const lc_value *bias = o->bias < 0 ? NULL : ctx->in[o->bias];
    o->bias_data = bias ? bias->data : NULL;
    o->bias_type = bias ? bias->type : LC_INT32;
    o->out = ctx->out[0]->data;
}

/* ---- hybrid -------------------------------------------------------------------------------------------------------- */

/* To nearest, ties away from zero; a NaN is `middle`. */
static int32_t nearest(float x, int32_t low, int32_t high, int32_t middle) {
    const float r = roundf(x);
    return r >= (float)high ? high : r <= (float)low ? low : r == r ? (int32_t)r : middle;
}

static void limits(const float *x, int64_t n, float *low, float *high) {
    *low = *high = n ? x[0] : 0;
    for (int64_t i = 1; i < n; i++) {
        if (x[i] < *low) *low = x[i];
        if (x[i] > *high) *high = x[i];
    }
}

float lc_hybrid_symmetric(const float *x, int64_t n, int16_t *out) {
    float low, high;
    limits(x, n, &low, &high);
    const float range = fmaxf(fabsf(low), fabsf(high));
    if (!(range > 0)) {
        memset(out, 0, (size_t)n * sizeof *out);
        return 1;
    }
    const float inverse = 127 / range;
    for (int64_t i = 0; i < n; i++) out[i] = (int16_t)nearest(x[i] * inverse, -127, 127, 0);
    return range / 127;
}

float lc_hybrid_asymmetric(const float *x, int64_t n, int16_t *out) {
    float least, most;
    limits(x, n, &least, &most);
    const double low = fmin(0, (double)least), high = fmax(0, (double)most);
    if (!(low < high)) {
        memset(out, 0, (size_t)n * sizeof *out);
        return 1;
    }
    const double exact = (high - low) / 255;
    const double from_low = -128 - low / exact, from_high = 127 - high / exact;
    const double middle = 128 + fabs(low / exact) < 127 + fabs(high / exact) ? from_low : from_high;
    const int32_t zero = middle <= -128 ? -128 : middle >= 127 ? 127 : middle == middle ? (int32_t)round(middle) : 0;
    const float scale = (float)exact, inverse = 1 / scale;
    for (int64_t i = 0; i < n; i++) out[i] = (int16_t)(nearest((float)zero + x[i] * inverse, -128, 127, zero) - zero);
    return scale;
}
