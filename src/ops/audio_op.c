/*
 * audio_op.c: AudioSpectrogram: samples [n, channels] to spectra [channels, windows, 1 + length / 2], and Mfcc: spectra [channels, windows,
 * bins] and the sample rate to mel-frequency cepstral coefficients [channels, windows, coefficients].
 */
#include "ops/audio.h"
#include "ops/infer.h"
#include "schema/flex.h"

#define MAX_WINDOW (1 << 29)
#define MAX_CHANNELS (1 << 16)

static lc_status in_range(const char *name, int64_t v, int64_t low, int64_t high, int32_t *out, lc_error *err) {
    if (v < low || v > high)
        return lc_fail(err, LC_INVALID, "%s is %lld, needs %lld to %lld", name, (long long)v, (long long)low, (long long)high);
    *out = (int32_t)v;
    return LC_OK;
}

lc_status lc_spectrogram_read(const lc_node *node, lc_spectrogram_options *o, lc_error *err) {
    lc_flex map;
    LC_TRY(lc_flex_open(node->custom_options, &map, err));
    const int64_t window = lc_flex_int(&map, "window_size", 0), stride = lc_flex_int(&map, "stride", 0);
    *o = (lc_spectrogram_options){.squared = lc_flex_bool(&map, "magnitude_squared", false), .length = 1};
    LC_TRY(lc_flex_check(&map, err));
    LC_TRY(in_range("window_size", window, 2, MAX_WINDOW, &o->window, err));
    LC_TRY(in_range("stride", stride, 1, INT32_MAX, &o->stride, err));
    while (o->length < o->window) o->length *= 2;
    return LC_OK;
}

int32_t lc_spectrogram_windows(const lc_spectrogram_options *o, int32_t samples) {
    return samples < o->window ? 0 : 1 + (samples - o->window) / o->stride;
}

lc_status lc_mfcc_read(const lc_node *node, lc_mfcc_options *o, lc_error *err) {
    lc_flex map;
    LC_TRY(lc_flex_open(node->custom_options, &map, err));
    const int64_t channels = lc_flex_int(&map, "filterbank_channel_count", 0), coefficients = lc_flex_int(&map, "dct_coefficient_count", 0);
    /* LiteRT reads whole hertz */
    *o = (lc_mfcc_options){.upper = (float)lc_flex_int(&map, "upper_frequency_limit", 0),
                           .lower = (float)lc_flex_int(&map, "lower_frequency_limit", 0)};
    LC_TRY(lc_flex_check(&map, err));
    LC_TRY(in_range("filterbank_channel_count", channels, 1, MAX_CHANNELS, &o->channels, err));
    LC_TRY(in_range("dct_coefficient_count", coefficients, 1, channels, &o->coefficients, err));
    if (!(o->lower >= 0 && o->upper > o->lower))
        return lc_fail(err, LC_INVALID, "frequencies from %g to %g Hz, needs a range that starts at 0 or above", (double)o->lower,
                       (double)o->upper);
    return LC_OK;
}

static lc_status check_float(lc_infer_ctx *ctx) {
    return ctx->in[0].type == LC_FLOAT32 ? LC_OK : LC_OP_FAIL(ctx, "its input is %s, needs float32", lc_dtype_name(ctx->in[0].type));
}

lc_status lc_infer_custom_SPECTROGRAM(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape;
    lc_spectrogram_options o;
    LC_TRY(lc_spectrogram_read(ctx->node, &o, ctx->err));
    LC_TRY(check_float(ctx));
    LC_TRY(lc_infer_rank(ctx, 0, 2, "input"));
    return lc_infer_give(
        ctx, LC_FLOAT32,
        &(lc_shape){.rank = 3, .dims = {in->dims[1], in->dims[0] < 0 ? -1 : lc_spectrogram_windows(&o, in->dims[0]), 1 + o.length / 2}});
}

lc_status lc_infer_custom_MFCC(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape;
    lc_mfcc_options o;
    uint64_t n;
    LC_TRY(lc_mfcc_read(ctx->node, &o, ctx->err));
    LC_TRY(check_float(ctx));
    LC_TRY(lc_infer_rank(ctx, 0, 3, "spectrogram"));
    if (in->dims[2] >= 0 && in->dims[2] < 2) return LC_OP_FAIL(ctx, "its spectrogram has %d bins, needs 2 or more", in->dims[2]);
    if (ctx->in[1].type != LC_INT32) return LC_OP_FAIL(ctx, "its sample rate is %s, needs int32", lc_dtype_name(ctx->in[1].type));
    if (lc_shape_elements(&ctx->in[1].shape, &n) && n != 1)
        return LC_OP_FAIL(ctx, "its sample rate has %llu elements, needs one", (unsigned long long)n);
    return lc_infer_give(ctx, LC_FLOAT32, &(lc_shape){.rank = 3, .dims = {in->dims[0], in->dims[1], o.coefficients}});
}
