/*
 * Sound: MelSpectrogram and STFTSpectrogram.
 *
 *   MelSpectrogram    mirrored at both ends ─▶ frames (GATHER) times window ─▶ RFFT2D, magnitude ─▶ FULLY_CONNECTED by the mel filters ─▶ dB
 *   STFTSpectrogram   two convolutions by the layer's own kernels, which are waves; what the mode says of real and imaginary part
 *
 * A magnitude does not ask where in the transform's frame the window stood, so frames have the window's length, not the transform's.
 * The mel filters are triangles in 1127 ln(1 + f / 700), the first frequency has none (HTK).
 *
 * Facts: keras/src/layers/preprocessing/mel_spectrogram.py and stft_spectrogram.py.
 */
#include "lower/eager.h"
#include "lower/tf_nn.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846
#define KERAS_EPSILON 1e-7
enum { MOST = 1 << 15 };              /* samples of a frame, filters */
#define CELLS_MOST ((int64_t)1 << 25) /* of a matrix */

/* ---- MelSpectrogram ------------------------------------------------------------------------------------------------------- */

/* The window as a constant; -1 and nothing failed: there is none. */
static int32_t window(lc_call *c, int32_t n) {
    const lc_json *w = lc_opt_given(c, "window");
    if (lc_json_is(w, LC_JSON_NULL)) return -1;
    const char *name = w ? lc_json_is(w, LC_JSON_STRING) ? w->string : NULL : "hann";
    const double *given = NULL;
    if (!name && lc_opt_floats(c, "window", &given) != (uint32_t)n) return lc_opt_fail(c, "window", "needs %d numbers", n);
    const bool hann = name && strcmp(name, "hann") == 0;
    if (name && !hann && strcmp(name, "hamming") != 0) return lc_opt_fail(c, "window", "Keras takes hann, hamming or a list");
    float *data = lc_build_data(c->b, (size_t)n * sizeof *data);
    for (int32_t i = 0; data && i < n; i++)
        data[i] = (float)(given ? given[i] : hann ? 0.5 - 0.5 * cos(2 * PI * i / n) : 0.54 - 0.46 * cos(2 * PI * i / n));
    return data ? lc_build_const(c->b, "window", LC_FLOAT32, &n, 1, data, (size_t)n * sizeof *data, true) : -1;
}

static double mel(double hertz) { return 1127.0 * log(1 + hertz / 700.0); }

/* [frequencies, filters] */
static int32_t filters(lc_call *c, int32_t frequencies, int32_t n, double rate, double low, double high) {
    if (c->b->status != LC_OK) return -1;
    if ((int64_t)frequencies * n > CELLS_MOST) return lc_opt_fail(c, "num_mel_bins", "litec has room for %d frequencies by %d", MOST, MOST);
    float *data = lc_build_data(c->b, (size_t)frequencies * (size_t)n * sizeof *data);
    const double first = mel(low), step = (mel(high) - first) / (n + 1);
    for (int32_t f = 1; data && f < frequencies; f++) {
        const double at = mel(rate / 2 * f / (frequencies - 1));
        for (int32_t k = 0; k < n; k++) {
            const double up = (at - (first + step * k)) / step, down = (first + step * (k + 2) - at) / step;
            data[(size_t)f * (size_t)n + (size_t)k] = (float)fmax(0, fmin(up, down));
        }
    }
    const int32_t dims[2] = {frequencies, n};
    return data ? lc_build_const(c->b, "filters", LC_FLOAT32, dims, 2, data, (size_t)frequencies * (size_t)n * sizeof *data, true) : -1;
}

/* x [batch, samples] in frames [batch, n, length] that begin at first, first + step ... */
static int32_t frames(lc_tf_call *m, int32_t x, int32_t n, int32_t first, int32_t step, int32_t length) {
    int32_t starts = lc_tf_with(m, LC_OP_MUL, lc_tf_range(m, n), step);
    if (first) starts = lc_tf_with(m, LC_OP_ADD, starts, first);
    starts = lc_tf_expand(m, starts, 1);
    const int32_t at = lc_tf_binary(m, LC_OP_ADD, starts, lc_tf_range(m, lc_tf_scalar(m, length, LC_INT32)));
    return lc_tf_gather(m, x, at, 1, 0);
}

static int32_t mirrored(lc_call *c, int32_t x, int32_t by) {
    const int32_t pads[4] = {0, 0, by, by};
    lc_eager *e = lc_eager_op(c, "MirrorPad");
    lc_eager_in(e, x);
    lc_eager_in(e, lc_build_int_matrix(c->b, "paddings", pads, 2, 2));
    lc_eager_str(e, "mode", "REFLECT");
    return lc_eager_run(e);
}

static int32_t decibel(lc_call *c, int32_t x) {
    const double least = lc_opt_num(c, "min_power", 1e-10), reference = fabs(lc_opt_num(c, "ref_power", 1)),
                 top = lc_opt_num(c, "top_db", 80);
    lc_tf_call *m = lc_eager_maker(c);
    const int32_t axes[3] = {0, 1, 2};
    if (!(least > 0)) return lc_opt_fail(c, "min_power", "needs a number over 0");
    x = lc_tf_unary(m, LC_OP_LOG, lc_tf_with(m, LC_OP_MAXIMUM, x, least));
    x = lc_tf_with(m, LC_OP_MUL, x, 10 / log(10));
    const double zero = 10 * log10(fmax(reference, least));
    if (zero != 0) x = lc_tf_with(m, LC_OP_SUB, x, zero);
    return lc_tf_binary(m, LC_OP_MAXIMUM, x, lc_tf_with(m, LC_OP_SUB, lc_build_reduce(c->b, LC_OP_REDUCE_MAX, x, axes, 3, false), top));
}

int32_t lc_lower_mel_spectrogram(lc_call *c) {
    lc_tf_call *m = lc_eager_maker(c);
    const int32_t fft = lc_opt_int(c, "fft_length", 2, MOST, 2048), step = lc_opt_int(c, "sequence_stride", 1, INT32_MAX, 512);
    const int32_t length = lc_opt(c, "sequence_length") ? lc_opt_int(c, "sequence_length", 1, MOST, 0) : fft;
    const int32_t bins = lc_opt_int(c, "num_mel_bins", 1, MOST, 128);
    const double rate = lc_opt_num(c, "sampling_rate", 16000), low = lc_opt_num(c, "min_freq", 20),
                 high = lc_opt(c, "max_freq") ? lc_opt_num(c, "max_freq", 0) : floor(rate / 2), power = lc_opt_num(c, "mag_exp", 2);
    lc_shape s;
    int32_t x = lc_call_ranked(c, 0, 2, &s);
    if (c->b->status != LC_OK) return -1;
    if (length > fft) return lc_opt_fail(c, "sequence_length", "needs at most fft_length (%d)", fft);
    if (!(rate > 0) || !(high > low) || !(low >= 0)) return lc_opt_fail(c, "max_freq", "needs frequencies from min_freq on");
    if (s.dims[1] >= 0 && s.dims[1] <= fft / 2)
        return lc_build_fail(c->b, LC_INVALID, "its input has %d samples, fft_length %d needs more than %d", s.dims[1], fft, fft / 2);
    x = mirrored(c, x, fft / 2);
    const int32_t samples = lc_tf_with(m, LC_OP_ADD, lc_tf_dim(m, c->in[0], 1), 2.0 * (fft / 2) - fft);
    const int32_t n = lc_tf_with(m, LC_OP_ADD, lc_tf_with(m, LC_OP_FLOOR_DIV, samples, step), 1);
    x = frames(m, x, n, (fft - length) / 2, step, length);
    const int32_t w = window(c, length);
    if (w >= 0) x = lc_tf_binary(m, LC_OP_MUL, x, w);
    x = lc_eager_1(c, "ComplexAbs", lc_eager_2(c, "RFFT", x, lc_build_ints(c->b, "fft_length", &fft, 1)));
    if (power == 2) x = lc_tf_binary(m, LC_OP_MUL, x, x);
    else if (power != 1) x = lc_tf_with(m, LC_OP_POW, x, power);
    x = lc_tf_dense(m, x, filters(c, fft / 2 + 1, bins, rate, low, high), false);
    if (lc_opt_bool(c, "power_to_db", true)) x = decibel(c, x);
    return lc_tf_swap_last(m, x);
}

/* ---- STFTSpectrogram ------------------------------------------------------------------------------------------------------- */

typedef struct stft {
    int32_t length, step, frequencies, channels;
    bool first, same;
} stft;

/* x [batch channels, 1, samples, 1] by weight i: [batch, channels, frames, frequencies]. */
static int32_t convolve(lc_call *c, const stft *s, int32_t x, uint32_t i, const char *name) {
    const int32_t dims[3] = {s->length, 1, s->frequencies}, filter[4] = {1, s->length, 1, s->frequencies};
    const int64_t strides[4] = {1, 1, s->step, 1};
    lc_tf_call *m = lc_eager_maker(c);
    lc_eager *e = lc_eager_op(c, "Conv2D");
    lc_eager_in(e, x);
    lc_eager_in(e, lc_weight_const(c, i, i, name, dims, 3, filter, 4));
    lc_eager_ints(e, "strides", strides, 4);
    lc_eager_str(e, "padding", s->same ? "SAME" : "VALID");
    const int32_t y = lc_eager_run(e);
    if (s->channels == 1) return y;
    const int32_t split[2] = {-1, s->channels};
    return lc_tf_split_dim(m, lc_tf_squeeze(m, y, 1), 0, split, 2);
}

/* [batch, channels, frames, frequencies] as the layer gives it. */
static int32_t arranged(lc_call *c, const stft *s, int32_t y) {
    static const int32_t last[4] = {0, 2, 3, 1}, merged[4] = {0, 2, 1, 3}, turned[4] = {0, 1, 3, 2};
    lc_tf_call *m = lc_eager_maker(c);
    if (lc_opt_bool(c, "expand_dims", false)) return s->first ? y : lc_tf_transpose(m, y, last, 4);
    if (s->first) return lc_tf_merge_dims(m, lc_tf_transpose(m, y, turned, 4), 1, 3);
    return s->channels == 1 ? lc_tf_squeeze(m, y, 1) : lc_tf_merge_dims(m, lc_tf_transpose(m, y, merged, 4), 2, 4);
}

int32_t lc_lower_stft_spectrogram(lc_call *c) {
    static const char *const modes[] = {"log", "magnitude", "psd", "real", "imag", "angle", "stft", NULL}, *const pads[] = {"valid", "same",
                                                                                                                            NULL};
    enum { LOG, MAGNITUDE, PSD, REAL, IMAG, ANGLE, STFT };
    const uint32_t mode = (uint32_t)lc_opt_choice(c, "mode", modes);
    lc_tf_call *m = lc_eager_maker(c);
    stft s = {.length = lc_opt_int(c, "frame_length", 1, MOST, 256),
              .first = lc_opt_channels_first(c),
              .same = lc_opt_choice(c, "padding", pads) == 1};
    s.step = lc_opt(c, "frame_step") ? lc_opt_int(c, "frame_step", 1, s.length, 0) : s.length / 2;
    int32_t fft = 1;
    while (fft < s.length) fft *= 2;
    if (lc_opt(c, "fft_length")) fft = lc_opt_int(c, "fft_length", s.length, 2 * MOST, 0);
    s.frequencies = fft / 2 + 1;
    lc_shape shape;
    int32_t x = lc_call_ranked(c, 0, 3, &shape);
    s.channels = lc_call_known(c, &shape, s.first ? 1 : 2, "the number of channels");
    if (c->b->status != LC_OK) return -1;
    if (s.step < 1) return lc_opt_fail(c, "frame_length", "needs at least 2 where frame_step is not given");
    if (!lc_weights(c, mode == REAL || mode == IMAG ? 1 : 2, "real_kernel, imag_kernel: those the mode needs")) return -1;
    static const int32_t swap[3] = {0, 2, 1};
    if (!s.first && s.channels > 1) x = lc_tf_transpose(m, x, swap, 3);
    if (s.channels > 1) x = lc_tf_merge_dims(m, x, 0, 2); /* [batch channels, samples] */
    else x = lc_tf_squeeze(m, x, s.first ? 1 : 2);
    x = lc_tf_expand(m, lc_tf_expand(m, x, 1), 3);
    const int32_t real = mode == IMAG ? -1 : convolve(c, &s, x, 0, "real_kernel"),
                  imag = mode == REAL ? -1 : convolve(c, &s, x, mode == IMAG ? 0 : 1, "imag_kernel");
    if (mode == REAL || mode == IMAG) return arranged(c, &s, mode == REAL ? real : imag);
    if (mode == ANGLE) return arranged(c, &s, lc_eager_2(c, "Atan2", imag, real));
    if (mode == STFT) {
        const int32_t parts[2] = {real, imag};
        return arranged(c, &s, lc_tf_concat(m, parts, 2, 3));
    }
    const int32_t squared = lc_tf_binary(m, LC_OP_MUL, real, real);
    int32_t y = lc_tf_binary(m, LC_OP_ADD, squared, lc_tf_binary(m, LC_OP_MUL, imag, imag));
    if (mode == PSD) { /* the frequencies between the ends stand for two */
        float *twice = lc_build_data(c->b, (size_t)s.frequencies * sizeof *twice);
        for (int32_t i = 0; twice && i < s.frequencies; i++) twice[i] = i == 0 || i == s.frequencies - 1 ? 1 : 2;
        if (!twice) return -1;
        y = lc_tf_binary(m, LC_OP_MUL, y,
                         lc_build_const(c->b, "sides", LC_FLOAT32, &s.frequencies, 1, twice, (size_t)s.frequencies * sizeof *twice, true));
        return arranged(c, &s, y);
    }
    y = lc_tf_unary(m, LC_OP_SQRT, lc_tf_with(m, LC_OP_MAXIMUM, y, KERAS_EPSILON));
    if (mode == LOG) y = lc_tf_unary(m, LC_OP_LOG, lc_tf_with(m, LC_OP_MAXIMUM, y, KERAS_EPSILON));
    return arranged(c, &s, y);
}
