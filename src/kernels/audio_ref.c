/*
 * audio_ref.c: AudioSpectrogram: windows of samples, weighted with a periodic Hann window, filled up with zeros to a power of two, and the
 * (squared) magnitude of their Fourier transform. Mfcc: the spectrum's magnitudes in triangular bands that are evenly spaced in mel (1127
 * ln(1 + f / 700)), the logarithm of each, and the first coefficients of the cosine transform of these (Davis, Mermelstein 1980). All sums
 * are in double.
 *
 * Where the upper frequency lies beyond the spectrum (sample rate too low), LiteRT answers zeros, and so does this.
 */
#include "kernels/ref.h"
#include "ops/audio.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846

/* Bytes of n doubles in *bytes; false when they do not fit. */
static bool doubles(uint64_t n, size_t *bytes) {
    uint64_t wide;
    return lc_mul_u64(n, sizeof(double), &wide) && lc_u64_to_size(wide, bytes);
}

/* ---- spectrogram -------------------------------------------------------------------------------------------------- */

typedef struct spectrogram {
    lc_spectrogram_options o;
    int32_t windows;
    double table[]; /* [window] weights, then cosine and sine of 2 pi i / length for i < length / 2 */
} spectrogram;

static lc_status prepare_spectrogram(lc_kernel_ctx *ctx) {
    lc_spectrogram_options o;
    size_t bytes = 0;
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32)));
    LC_TRY(lc_spectrogram_read(ctx->node, &o, ctx->err));
    /* No window, no tables: their size is bounded by that of the input. */
    const int32_t windows = lc_spectrogram_windows(&o, ctx->in[0]->shape.dims[0]);
    const uint64_t n = windows ? (uint64_t)o.window + (uint64_t)o.length : 0;
    if (!doubles(n, &bytes) || !lc_add_size(bytes, sizeof(spectrogram), &bytes) ||
        (windows && !doubles(2 * (uint64_t)o.length, &ctx->scratch_size)))
        return lc_fail(ctx->err, LC_LIMIT, "is too large to run");
    spectrogram *s = lc_kernel_state(ctx, bytes);
    if (!s) return LC_NO_MEMORY;
    s->o = o;
    s->windows = windows;
    for (int32_t i = 0; windows && i < o.window; i++) s->table[i] = 0.5 - 0.5 * cos(2.0 * PI * i / o.window);
    for (int32_t i = 0; windows && i < o.length / 2; i++) {
        s->table[o.window + 2 * i] = cos(2.0 * PI * i / o.length);
        s->table[o.window + 2 * i + 1] = sin(2.0 * PI * i / o.length);
    }
    return LC_OK;
}

/* Fourier transform of n complex numbers in place (Cooley, Tukey 1965); n a power of two. turns: cosine and sine of 2 pi i / n. */
static void transform(double *x, int32_t n, const double *turns) {
    for (int32_t i = 1, j = 0; i < n; i++) { /* j: i with its bits reversed */
        int32_t bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i >= j) continue;
        for (int k = 0; k < 2; k++) {
            const double swap = x[2 * (int64_t)i + k];
            x[2 * (int64_t)i + k] = x[2 * (int64_t)j + k];
            x[2 * (int64_t)j + k] = swap;
        }
    }
    for (int32_t half = 1; half < n; half *= 2)
        for (int32_t start = 0; start < n; start += 2 * half)
            for (int32_t i = 0; i < half; i++) {
                const double *t = turns + 2 * (int64_t)i * (n / 2 / half);
                double *a = x + 2 * ((int64_t)start + i), *b = a + 2 * (int64_t)half;
                const double re = b[0] * t[0] + b[1] * t[1], im = b[1] * t[0] - b[0] * t[1];
                b[0] = a[0] - re;
                b[1] = a[1] - im;
                a[0] += re;
                a[1] += im;
            }
}

static lc_status run_spectrogram(lc_kernel_ctx *ctx) {
    const spectrogram *s = ctx->state;
    const int64_t channels = ctx->in[0]->shape.dims[1], bins = s->o.length / 2 + 1;
    const float *samples = ctx->in[0]->data;
    float *out = ctx->out[0]->data;
    double *x = ctx->scratch;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t w = 0; w < s->windows; w++, out += bins) {
            for (int64_t i = 0; i < s->o.length; i++) {
                x[2 * i] = i < s->o.window ? (double)samples[(w * s->o.stride + i) * channels + c] * s->table[i] : 0;
                x[2 * i + 1] = 0;
            }
            transform(x, s->o.length, s->table + s->o.window);
            for (int64_t i = 0; i < bins; i++) {
                const float power = (float)(x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1]);
                out[i] = s->o.squared ? power : sqrtf(power);
            }
        }
    return LC_OK;
}

/* ---- mfcc ----------------------------------------------------------------------------------------------------------- */

static double mel(double hertz) { return 1127.0 * log1p(hertz / 700.0); }

static lc_status prepare_mfcc(lc_kernel_ctx *ctx) {
    lc_mfcc_options *o = lc_kernel_state(ctx, sizeof *o);
    if (!o) return LC_NO_MEMORY;
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32)));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT32)));
    LC_TRY(lc_mfcc_read(ctx->node, o, ctx->err));
    /* weights and bands of the bins, centres and sums of the channels, the cosines */
    const uint64_t n =
        2 * (uint64_t)ctx->in[0]->shape.dims[2] + 2 * (uint64_t)o->channels + 1 + (uint64_t)o->coefficients * (uint64_t)o->channels;
    return doubles(n, &ctx->scratch_size) ? LC_OK : lc_fail(ctx->err, LC_LIMIT, "is too large to run");
}

typedef struct bank {
    int64_t first, last; /* bins that count */
    double *weight;      /* [bins] of a bin in its band; the rest of it goes to the next band */
    double *band;        /* [bins] -1 to channels - 1 */
} bank;

static void make_bank(const lc_mfcc_options *o, int64_t bins, double rate, double *centre, bank *b) {
    const double low = mel((double)o->lower), spacing = (mel((double)o->upper) - low) / (o->channels + 1),
                 step = 0.5 * rate / (double)(bins - 1);
    const double first = 1.5 + (double)o->lower / step, last = (double)o->upper / step;
    int32_t channel = 0;
    for (int32_t c = 0; c <= o->channels; c++) centre[c] = low + spacing * (c + 1);
    b->first = first < (double)bins ? (int64_t)first : bins; /* frequency 0 never counts */
    b->last = last < (double)bins ? (int64_t)last : bins;
    for (int64_t i = b->first; i < bins && i <= b->last; i++) {
        const double here = mel((double)i * step);
        while (channel < o->channels && centre[channel] < here) channel++;
        b->band[i] = channel - 1;
        const double from = channel > 0 ? centre[channel - 1] : low;
        b->weight[i] = (centre[channel] - here) / (centre[channel] - from);
    }
}

static lc_status run_mfcc(lc_kernel_ctx *ctx) {
    const lc_mfcc_options *o = ctx->state;
    const lc_shape *s = &ctx->in[0]->shape;
    const int64_t bins = s->dims[2], frames = (int64_t)s->dims[0] * s->dims[1];
    double *sum = ctx->scratch, *cosine = sum + o->channels, *centre = cosine + (int64_t)o->coefficients * o->channels;
    bank b = {.weight = centre + o->channels + 1, .band = centre + o->channels + 1 + bins};
    int32_t rate;
    memcpy(&rate, ctx->in[1]->data, sizeof rate);
    if (rate <= 0) return lc_fail(ctx->err, LC_INVALID, "its sample rate is %d", rate);
    make_bank(o, bins, (double)rate, centre, &b);
    const double norm = sqrt(2.0 / o->channels), angle = PI / o->channels;
    for (int64_t i = 0; i < o->coefficients; i++)
        for (int64_t c = 0; c < o->channels; c++) cosine[i * o->channels + c] = norm * cos((double)i * angle * ((double)c + 0.5));
    for (int64_t f = 0; f < frames; f++) {
        const float *spectrum = (const float *)ctx->in[0]->data + f * bins;
        float *out = (float *)ctx->out[0]->data + f * o->coefficients;
        if (b.last >= bins) { /* the spectrum ends below the upper frequency */
            memset(out, 0, (size_t)o->coefficients * sizeof *out);
            continue;
        }
        memset(sum, 0, (size_t)o->channels * sizeof *sum);
        for (int64_t i = b.first; i <= b.last; i++) {
            const double magnitude = sqrt((double)spectrum[i]), here = magnitude * b.weight[i];
            const int64_t band = (int64_t)b.band[i];
            if (band >= 0) sum[band] += here;
            if (band + 1 < o->channels) sum[band + 1] += magnitude - here;
        }
        for (int64_t c = 0; c < o->channels; c++) sum[c] = log(sum[c] < 1e-12 ? 1e-12 : sum[c]);
        for (int64_t i = 0; i < o->coefficients; i++) {
            double total = 0;
            for (int64_t c = 0; c < o->channels; c++) total += cosine[i * o->channels + c] * sum[c];
            out[i] = (float)total;
        }
    }
    return LC_OK;
}

const lc_kernel lc_kernel_custom_SPECTROGRAM = {.prepare = prepare_spectrogram, .run = run_spectrogram},
                lc_kernel_custom_MFCC = {.prepare = prepare_mfcc, .run = run_mfcc};
