/*
 * tf_audio.c: AudioSpectrogram and Mfcc, which stand at the head of speech models of TensorFlow 1 (tutorials/audio_recognition), as products
 * with constant matrices, so that such a model needs no custom operator.
 *
 *   AudioSpectrogram   frames of the signal times a Hann window; |FFT| of the next power of two, as two products with cosines and sines
 *   Mfcc               sqrt of the power in triangular filters evenly spaced in mel, log of it, and a cosine transform (Davis and Mermelstein
 *                      1980; the mel scale is 1127 ln(1 + f / 700))
 *
 * Lengths must be fixed: a frame is a row of a GATHER with constant indices.
 */
#include "lower/tf_nn.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846
enum { MOST = 1 << 15 };              /* samples of a window, frequencies, filters */
#define CELLS_MOST ((int64_t)1 << 25) /* of a matrix */

static int32_t matrix(lc_tf_call *c, const char *name, float *data, int32_t rows, int32_t cols) {
    const int32_t dims[2] = {rows, cols};
    return lc_build_const(c->b, name, LC_FLOAT32, dims, 2, data, (size_t)rows * (size_t)cols * sizeof *data, true);
}

static float *cells(lc_tf_call *c, int32_t rows, int32_t cols) {
    if (rows < 1 || cols < 1 || (int64_t)rows * cols > CELLS_MOST) {
        if (lc_tf_ok(c)) lc_tf_fail(c, LC_UNSUPPORTED, "it needs a matrix of %d x %d", rows, cols);
        return NULL;
    }
    return lc_build_data(c->b, (size_t)rows * (size_t)cols * sizeof(float));
}

/* ---- spectrogram --------------------------------------------------------------------------------------------------------- */

/* Cosines or sines of each frequency at each sample of a frame, times the window: [bins, window]. */
static int32_t waves(lc_tf_call *c, int32_t window, int32_t bins, int32_t length, bool sine) {
    float *data = cells(c, bins, window);
    for (int64_t k = 0; data && k < bins; k++)
        for (int64_t i = 0; i < window; i++) {
            const double hann = 0.5 - 0.5 * cos(2 * PI * (double)i / window), at = 2 * PI * (double)(k * i % length) / length;
            data[k * window + i] = (float)(hann * (sine ? sin(at) : cos(at)));
        }
    return data ? matrix(c, sine ? "sines" : "cosines", data, bins, window) : -1;
}

/* input [samples, channels] to [channels, frames, bins] */
void lc_tf_op_audio_spectrogram(lc_tf_call *c) {
    const int64_t window = lc_tf_attr_int(c, "window_size", 0), stride = lc_tf_attr_int(c, "stride", 0);
    const bool squared = lc_tf_attr_bool(c, "magnitude_squared", false);
    const int32_t x = lc_tf_in(c, 0), turn[2] = {1, 0};
    const lc_shape s = lc_tf_rank_of(c, x, 2);
    if (!lc_tf_ok(c)) return;
    if (window < 2 || window > MOST || stride < 1 || stride > INT32_MAX) {
        lc_tf_fail(c, LC_INVALID, "its window_size is %lld and its stride %lld", (long long)window, (long long)stride);
        return;
    }
    if (s.dims[0] < window) {
        if (s.dims[0] < 0) lc_tf_missing(c, "the number of samples is open; fix it with --input-shape");
        else lc_tf_fail(c, LC_INVALID, "it has %d samples, less than a window of %lld", s.dims[0], (long long)window);
        return;
    }
    int32_t length = 1;
    while (length < window) length *= 2;
    const int32_t frames = (int32_t)((s.dims[0] - window) / stride) + 1, bins = length / 2 + 1, size = (int32_t)window;
    if ((int64_t)frames * size > CELLS_MOST) {
        lc_tf_fail(c, LC_UNSUPPORTED, "it has %d frames of %d samples", frames, size);
        return;
    }
    int32_t *at = lc_build_data(c->b, (size_t)frames * (size_t)size * sizeof *at);
    for (int64_t f = 0; at && f < frames; f++)
        for (int64_t i = 0; i < size; i++) at[f * size + i] = (int32_t)(f * stride + i);
    const int32_t grid[2] = {frames, size};
    const int32_t indices = lc_build_const(c->b, "frames", LC_INT32, grid, 2, at, (size_t)frames * (size_t)size * sizeof *at, true);
    /* [channels, samples] to [channels, frames, window] */
    const int32_t y = lc_tf_gather(c, lc_build_transpose(c->b, x, turn, 2), indices, 1, 0);
    const int32_t re = lc_tf_dense(c, y, waves(c, size, bins, length, false), true),
                  im = lc_tf_dense(c, y, waves(c, size, bins, length, true), true);
    const int32_t re2 = lc_tf_unary(c, LC_OP_SQUARE, re), power = lc_tf_binary(c, LC_OP_ADD, re2, lc_tf_unary(c, LC_OP_SQUARE, im));
    lc_tf_give(c, 0, squared ? power : lc_tf_unary(c, LC_OP_SQRT, power));
}

/* ---- cepstrum -------------------------------------------------------------------------------------------------------------- */

static double mel(double f) { return 1127 * log1p(f / 700); }

/*
 * Filters over the bins of a spectrum that ends at half the sample rate: `channels` triangles evenly spaced in mel between two
 * frequencies. Each bin lies between two centres; its distance from the upper one, as a fraction, is the weight it has for the lower
 * channel, the rest goes to the upper. [channels, bins]
 */
static int32_t filters(lc_tf_call *c, int32_t bins, double rate, double low, double high, int32_t channels) {
    float *data = cells(c, channels, bins);
    double *centres = lc_build_data(c->b, ((size_t)channels + 1) * sizeof *centres);
    if (!data || !centres) return -1;
    const double mel_low = mel(low), spacing = (mel(high) - mel_low) / (channels + 1), per_bin = 0.5 * rate / (bins - 1);
    for (int32_t i = 0; i <= channels; i++) centres[i] = mel_low + spacing * (i + 1);
    int32_t channel = 0;
    for (int32_t i = (int32_t)(1.5 + low / per_bin); i < bins && i <= (int32_t)(high / per_bin); i++) { /* frequency 0 never counts */
        const double here = mel(i * per_bin);
        while (channel < channels && centres[channel] < here) channel++;
        const double weight = (centres[channel] - here) / (centres[channel] - (channel > 0 ? centres[channel - 1] : mel_low));
        if (channel > 0) data[(int64_t)(channel - 1) * bins + i] = (float)weight;
        if (channel < channels) data[(int64_t)channel * bins + i] = (float)(1 - weight);
    }
    return matrix(c, "mel", data, channels, bins);
}

/* [coefficients, channels] */
static int32_t cosines(lc_tf_call *c, int32_t coefficients, int32_t channels) {
    float *data = cells(c, coefficients, channels);
    for (int64_t i = 0; data && i < coefficients; i++)
        for (int64_t k = 0; k < channels; k++)
            data[i * channels + k] = (float)(sqrt(2.0 / channels) * cos((double)i * PI / channels * ((double)k + 0.5)));
    return data ? matrix(c, "dct", data, coefficients, channels) : -1;
}

/* spectrogram [channels, frames, bins] of magnitudes squared, sample_rate */
void lc_tf_op_mfcc(lc_tf_call *c) {
    const double low = lc_tf_attr_float(c, "lower_frequency_limit", 20), high = lc_tf_attr_float(c, "upper_frequency_limit", 4000);
    const int64_t channels = lc_tf_attr_int(c, "filterbank_channel_count", 40),
                  coefficients = lc_tf_attr_int(c, "dct_coefficient_count", 13);
    const int32_t x = lc_tf_in(c, 0);
    const int64_t rate = lc_tf_need_int(c, lc_tf_in(c, 1), "sample_rate");
    const lc_shape s = lc_tf_rank_of(c, x, 3);
    if (!lc_tf_ok(c)) return;
    if (s.dims[2] < 2) {
        lc_tf_fail(c, LC_UNSUPPORTED, "its spectrum has %d frequencies", s.dims[2]);
        return;
    }
    if (channels < 1 || channels > MOST || coefficients < 1 || coefficients > channels || rate < 1 ||
        !(low >= 0 && high > low && high < (double)rate / 2)) {
        lc_tf_fail(c, LC_INVALID,
                   "its %lld filters from %g to %g at %lld samples a second, of which it takes %lld coefficients, make no sense",
                   (long long)channels, low, high, (long long)rate, (long long)coefficients);
        return;
    }
    const int32_t bank = filters(c, s.dims[2], (double)rate, low, high, (int32_t)channels);
    const int32_t energy = lc_tf_dense(c, lc_tf_unary(c, LC_OP_SQRT, x), bank, true);
    const int32_t logs = lc_tf_unary(c, LC_OP_LOG, lc_tf_with(c, LC_OP_MAXIMUM, energy, 1e-12));
    lc_tf_give(c, 0, lc_tf_dense(c, logs, cosines(c, (int32_t)coefficients, (int32_t)channels), true));
}
