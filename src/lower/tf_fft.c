/*
 * tf_fft.c: Fourier transforms of one, two and three dimensions, of real and of complex numbers, of lengths that are known.
 *
 * TFLite has one: RFFT2D, of real numbers, lengths powers of two, half of the spectrum. The others follow. For one dimension of length n,
 * along the last axis:
 *
 *   n a power of two   z = re + i im: FFT(z) = FFT(re) + i FFT(im), each from its half H by H[n - k] = conj(H[k])
 *                      back from a half spectrum R + i I: h = R + I over all n (R even, I odd); with F = FFT(h) the signal is
 *                      (re F + im F) / n up to n / 2 and (re F - im F) / n mirrored behind
 *   n short or other   products with the matrices cos(2 pi j k / n), sin(2 pi j k / n): FULLY_CONNECTED; long composite lengths n = p q
 *                      in two steps with p and q (Cooley and Tukey, 1965)
 *
 * The inverse of a complex transform is the transform with re and im swapped on both sides, divided by n. More dimensions one after
 * another. Input that is longer than the transform is cut, shorter is filled with zeros.
 */
#include "lower/tf_impl.h"
#include "lower/tf_math.h"
#include "lower/tf_nn.h"

#include <math.h>

#define TWO_PI 6.28318530717958647693

typedef lc_tf_pair pair;

enum {
    MATRIX_ALWAYS = 64, /* lengths whose matrix is taken even of powers of two: fewer operators */
    MATRIX_MOST = 512,  /* lengths that are split in two factors when they have them */
    MATRIX_LIMIT = 2048,
    DIMENSIONS = 3
};

static bool power_of_two(int32_t n) { return n > 0 && (n & (n - 1)) == 0; }

/* ---- shapes -------------------------------------------------------------------------------------------------------------- */

/* x with dimension d cut to n or filled up with zeros. */
static int32_t fit(lc_tf_call *c, int32_t x, int32_t d, int32_t n) {
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c) || s.dims[d] == n) return x;
    int32_t begin[LC_MAX_RANK] = {0}, size[LC_MAX_RANK], pad[2 * LC_MAX_RANK] = {0};
    for (int32_t i = 0; i < s.rank; i++) size[i] = -1;
    if (s.dims[d] < n) { /* also when it is open */
        pad[2 * d + 1] = s.dims[d] < 0 ? n : n - s.dims[d];
        const int32_t in[2] = {x, lc_build_int_matrix(c->b, "paddings", pad, s.rank, 2)};
        x = lc_build_op(c->b, LC_OP_PAD, LC_TABLE_PadOptions, NULL, in, 2);
        if (s.dims[d] >= 0) return x;
    }
    size[d] = n;
    const int32_t from = lc_build_ints(c->b, "begin", begin, (uint32_t)s.rank);
    const int32_t in[3] = {x, from, lc_build_ints(c->b, "size", size, (uint32_t)s.rank)};
    return lc_build_op(c->b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, in, 3);
}
static pair fit_pair(lc_tf_call *c, pair z, int32_t d, int32_t n) {
    const int32_t re = fit(c, z.re, d, n);
    return (pair){re, fit(c, z.im, d, n)};
}

static int32_t last_axis(lc_tf_call *c, int32_t x) { return lc_tf_ranked(c, x).rank - 1; }

/* Axes a and b change places. */
static int32_t swap_axes(lc_tf_call *c, int32_t x, int32_t a, int32_t b) {
    int32_t perm[LC_MAX_RANK];
    const int32_t rank = lc_tf_ranked(c, x).rank;
    if (a == b || !lc_tf_ok(c)) return x;
    for (int32_t d = 0; d < rank; d++) perm[d] = d == a ? b : d == b ? a : d;
    return lc_build_transpose(c->b, x, perm, rank);
}
static pair swap_axes_of(lc_tf_call *c, pair z, int32_t a, int32_t b) {
    const int32_t re = swap_axes(c, z.re, a, b);
    return (pair){re, swap_axes(c, z.im, a, b)};
}

static int32_t gather_last(lc_tf_call *c, int32_t x, int32_t index) { return lc_tf_gather(c, x, index, last_axis(c, x), 0); }

/* Data of a constant that the model's file does not have: counted like what it has. Elements of 4 bytes. */
static void *table(lc_tf_call *c, size_t elements) {
    lc_build_check(c->b, lc_budget_memory(&c->lower->budget, elements * 4, "a Fourier table", c->b->err));
    return lc_build_data(c->b, elements * 4);
}

/* ---- matrices --------------------------------------------------------------------------------------------------------------- */

/* scale[k] cos or sin of 2 pi j k / n as [rows, cols] with j over cols (what is summed); doubled: columns that stand for two. */
typedef struct matrix {
    int32_t n, rows, cols;
    bool sine, half; /* half: columns 1 .. count for their mirror images too */
    double scale;
} matrix;

static int32_t make_matrix(lc_tf_call *c, matrix m) {
    const int32_t dims[2] = {m.rows, m.cols};
    const size_t elements = (size_t)m.rows * (size_t)m.cols;
    float *data = table(c, elements);
    if (!data) return -1;
    for (int32_t r = 0; r < m.rows; r++)
        for (int32_t k = 0; k < m.cols; k++) {
            const double angle = TWO_PI * (double)((int64_t)r * k % m.n) / m.n;
            const bool twice = m.half && k > 0 && 2 * k < m.n, none = m.half && m.sine && !twice;
            data[(size_t)r * (size_t)m.cols + (size_t)k] =
                (float)(none ? 0 : (m.sine ? sin(angle) : cos(angle)) * m.scale * (twice ? 2 : 1));
        }
    return lc_build_const(c->b, m.sine ? "sines" : "cosines", LC_FLOAT32, dims, 2, data, elements * sizeof *data, true);
}

static int32_t times(lc_tf_call *c, int32_t x, int32_t w) { return lc_tf_dense(c, x, w, true); }

/* The first `bins` of the transform of n numbers; im -1: they are real. */
static pair by_matrix(lc_tf_call *c, pair z, int32_t n, int32_t bins) {
    const int32_t cosines = make_matrix(c, (matrix){.n = n, .rows = bins, .cols = n, .scale = 1});
    const int32_t sines = make_matrix(c, (matrix){.n = n, .rows = bins, .cols = n, .sine = true, .scale = z.im < 0 ? -1 : 1});
    if (z.im < 0) {
        const int32_t re = times(c, z.re, cosines);
        return (pair){re, times(c, z.re, sines)};
    }
    const int32_t rc = times(c, z.re, cosines), is = times(c, z.im, sines), re = lc_tf_add(c, rc, is);
    const int32_t ic = times(c, z.im, cosines), rs = times(c, z.re, sines);
    return (pair){re, lc_tf_sub(c, ic, rs)};
}

/* ---- RFFT2D ------------------------------------------------------------------------------------------------------------------ */

/* RFFT2D of the last two dimensions. */
static int32_t rfft2d(lc_tf_call *c, int32_t x, int32_t height, int32_t width) {
    const int32_t lengths[2] = {height, width};
    const int32_t in[2] = {x, lc_build_ints(c->b, "fft_length", lengths, 2)};
    return lc_build_op(c->b, LC_OP_RFFT2D, LC_TABLE_Rfft2dOptions, NULL, in, 2);
}

/* Half a spectrum along the last axis, n a power of two; complex64. */
static int32_t rfft(lc_tf_call *c, int32_t x, int32_t n) {
    const int32_t at = last_axis(c, x);
    if (!lc_tf_ok(c)) return -1;
    return lc_tf_squeeze(c, rfft2d(c, lc_tf_expand(c, x, at), 1, n), at);
}

static pair half_spectrum(lc_tf_call *c, int32_t x, int32_t n) { return lc_tf_parts(c, rfft(c, x, n)); }

/* 0 .. n / 2, then back to 1: where a whole spectrum finds its numbers in half of it. signs: 1, then -1 for the mirrored ones, 0 at both
 * ends. */
static int32_t mirror(lc_tf_call *c, int32_t n) {
    int32_t *index = table(c, (size_t)n);
    for (int32_t k = 0; index && k < n; k++) index[k] = 2 * k <= n ? k : n - k;
    return lc_build_const(c->b, "mirror", LC_INT32, &n, 1, index, (size_t)n * sizeof *index, true);
}
static int32_t signs(lc_tf_call *c, int32_t n) {
    float *sign = table(c, (size_t)n);
    for (int32_t k = 0; sign && k < n; k++) sign[k] = k == 0 || 2 * k == n ? 0 : 2 * k < n ? 1 : -1;
    return lc_build_const(c->b, "signs", LC_FLOAT32, &n, 1, sign, (size_t)n * sizeof *sign, true);
}

/* At both ends a real signal's spectrum is real, so that a sign of 0 is right there; z's imaginary part has none of that. */
static pair by_rfft(lc_tf_call *c, pair z, int32_t n) {
    const pair a = half_spectrum(c, z.re, n), b = half_spectrum(c, z.im, n);
    const int32_t index = mirror(c, n), sign = signs(c, n);
    const int32_t ar = gather_last(c, a.re, index), ai = lc_tf_mul(c, gather_last(c, a.im, index), sign);
    const int32_t br = gather_last(c, b.re, index), bi = lc_tf_mul(c, gather_last(c, b.im, index), sign);
    const int32_t re = lc_tf_sub(c, ar, bi);
    return (pair){re, lc_tf_add(c, ai, br)};
}

/* ---- one dimension ------------------------------------------------------------------------------------------------------------ */

static pair transform(lc_tf_call *c, pair z, int32_t n);

/* cos and sin of 2 pi a b / n over [q, p]. */
static int32_t twiddles(lc_tf_call *c, int32_t n, int32_t q, int32_t p, bool sine) {
    return make_matrix(c, (matrix){.n = n, .rows = q, .cols = p, .sine = sine, .scale = 1});
}

static int32_t reshape_last(lc_tf_call *c, int32_t x, int32_t rows, int32_t cols) {
    lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return -1;
    const int32_t drop = cols ? 1 : 2;
    int32_t sizes[LC_MAX_RANK];
    uint32_t n = 0;
    if (s.rank - drop + (cols ? 2 : 1) > LC_MAX_RANK)
        return lc_tf_fail(c, LC_UNSUPPORTED, "%d dimensions of a length that is split in two", s.rank);
    for (int32_t d = 0; d < s.rank - drop; d++) sizes[n++] = lc_tf_size(c, x, d);
    sizes[n++] = lc_tf_size_const(c, rows);
    if (cols) sizes[n++] = lc_tf_size_const(c, cols);
    return lc_tf_reshape_sizes(c, x, sizes, n);
}
static pair reshape_pair(lc_tf_call *c, pair z, int32_t rows, int32_t cols) {
    const int32_t re = reshape_last(c, z.re, rows, cols);
    return (pair){re, reshape_last(c, z.im, rows, cols)};
}

/* n = p q. With j = q j1 + j2 and k = k1 + p k2: X[k1 + p k2] = sum over j2 of w(j2 k1 / n) w(j2 k2 / q) sum over j1 of x[q j1 + j2]
 * w(j1 k1 / p), w(t) = exp(-2 pi i t). */
static pair in_two_steps(lc_tf_call *c, pair z, int32_t n, int32_t p) {
    const int32_t q = n / p, at = last_axis(c, z.re);
    z = swap_axes_of(c, reshape_pair(c, z, p, q), at, at + 1); /* [j2, j1] */
    z = transform(c, z, p);                                    /* [j2, k1] */
    const int32_t cosines = twiddles(c, n, q, p, false), sines = twiddles(c, n, q, p, true);
    const int32_t rc = lc_tf_mul(c, z.re, cosines), is = lc_tf_mul(c, z.im, sines), ic = lc_tf_mul(c, z.im, cosines);
    const int32_t rs = lc_tf_mul(c, z.re, sines), re = lc_tf_add(c, rc, is);
    z = (pair){re, lc_tf_sub(c, ic, rs)};
    z = transform(c, swap_axes_of(c, z, at, at + 1), q); /* [k1, k2] */
    return reshape_pair(c, swap_axes_of(c, z, at, at + 1), n, 0);
}

/* The divisor nearest the root from below; 1 for a prime. */
static int32_t divisor(int32_t n) {
    int32_t p = 1;
    for (int32_t d = 2; (int64_t)d * d <= n; d++)
        if (n % d == 0) p = d;
    return p;
}

/* False when the operator went to what is missing. */
static bool length_fits(lc_tf_call *c, int32_t n) {
    while (n > MATRIX_MOST && !power_of_two(n) && divisor(n) > 1) n /= divisor(n); /* the larger factor */
    if (n <= MATRIX_LIMIT || power_of_two(n)) return true;
    lc_tf_missing(c, "a length with the factor %d: litec transforms powers of two, and lengths whose prime factors are up to %d", n,
                  MATRIX_LIMIT);
    return false;
}

/* Complex numbers along the last axis, which has n. */
static pair transform(lc_tf_call *c, pair z, int32_t n) {
    if (!lc_tf_ok(c)) return (pair){-1, -1};
    if (n == 1) return z;
    if (power_of_two(n) && n > MATRIX_ALWAYS) return by_rfft(c, z, n);
    const int32_t p = divisor(n);
    return n > MATRIX_MOST && p > 1 ? in_two_steps(c, z, n, p) : by_matrix(c, z, n, n);
}

static pair inverse(lc_tf_call *c, pair z, int32_t n) {
    const pair y = transform(c, (pair){z.im, z.re}, n);
    const int32_t re = lc_tf_mul_with(c, y.im, 1.0 / n);
    return (pair){re, lc_tf_mul_with(c, y.re, 1.0 / n)};
}

/* Of real numbers, the first n / 2 + 1. */
static pair real_transform(lc_tf_call *c, int32_t x, int32_t n) {
    const int32_t bins = n / 2 + 1, at = last_axis(c, x);
    if (power_of_two(n) && n > 1) return half_spectrum(c, x, n);
    if (n <= MATRIX_MOST || divisor(n) == 1) return by_matrix(c, (pair){x, -1}, n, bins);
    const int32_t zero = lc_tf_unary(c, LC_OP_ZEROS_LIKE, x);
    return fit_pair(c, transform(c, (pair){x, zero}, n), at, bins);
}

/* From n / 2 + 1 numbers to n real ones. */
static int32_t real_inverse(lc_tf_call *c, pair z, int32_t n) {
    const int32_t bins = n / 2 + 1;
    if (power_of_two(n) && n > MATRIX_ALWAYS) {
        const int32_t index = mirror(c, n), sign = signs(c, n), even = gather_last(c, z.re, index);
        const int32_t odd = lc_tf_mul(c, gather_last(c, z.im, index), sign);
        const pair f = half_spectrum(c, lc_tf_add(c, even, odd), n);
        const int32_t re = gather_last(c, f.re, index), im = lc_tf_mul(c, gather_last(c, f.im, index), sign);
        return lc_tf_mul_with(c, lc_tf_add(c, re, im), 1.0 / n);
    }
    if (n <= MATRIX_MOST || divisor(n) == 1) {
        const int32_t cosines = make_matrix(c, (matrix){.n = n, .rows = n, .cols = bins, .half = true, .scale = 1.0 / n});
        const int32_t sines = make_matrix(c, (matrix){.n = n, .rows = n, .cols = bins, .half = true, .sine = true, .scale = -1.0 / n});
        const int32_t even = times(c, z.re, cosines);
        return n > 1 ? lc_tf_add(c, even, times(c, z.im, sines)) : even;
    }
    const int32_t index = mirror(c, n), sign = signs(c, n), re = gather_last(c, z.re, index);
    return inverse(c, (pair){re, lc_tf_mul(c, gather_last(c, z.im, index), sign)}, n).re;
}

/* ---- operators -------------------------------------------------------------------------------------------------------------------- */

typedef struct fft {
    int32_t dims;          /* 1, 2, 3: the last ones */
    int32_t n[DIMENSIONS]; /* lengths, in the order of the axes */
    int32_t first, rank;   /* first axis; dimensions of the input */
} fft;

/* Lengths: fft_length (input 1), or the input's own. */
static bool lengths(lc_tf_call *c, fft *f, int32_t x, bool given) {
    const lc_shape s = lc_tf_ranked(c, x);
    int64_t v[DIMENSIONS];
    f->rank = s.rank;
    f->first = s.rank - f->dims;
    if (lc_tf_ok(c) && f->first < 0) lc_tf_fail(c, LC_INVALID, "its input has %d dimensions, needs at least %d", s.rank, f->dims);
    if (given && lc_tf_ok(c) && lc_tf_need_ints(c, lc_tf_in(c, 1), "fft_length", v, DIMENSIONS) != (uint32_t)f->dims)
        lc_tf_fail(c, LC_INVALID, "its fft_length needs %d elements", f->dims);
    for (int32_t i = 0; i < f->dims && lc_tf_ok(c); i++) {
        if (!given) v[i] = s.dims[f->first + i];
        if (v[i] < 0) {
            lc_tf_fail(c, LC_UNSUPPORTED, "dimension %d of its input is open: the length of the transform must be known", f->first + i);
            lc_tf_hint(c, "give the shape of the model's input: --input-shape NAME=1,512");
        } else if (v[i] < 1 || v[i] > 1 << 24) {
            lc_tf_fail(c, LC_INVALID, "a transform of length %lld", (long long)v[i]);
        } else {
            f->n[i] = (int32_t)v[i];
        }
    }
    for (int32_t i = 0; i < f->dims && lc_tf_ok(c); i++)
        if (!length_fits(c, f->n[i])) return false;
    return lc_tf_ok(c);
}

static int32_t dims_of(const lc_tf_call *c) { /* "FFT", "FFT2D", "IRFFT3D" */
    const char *name = c->row->name;
    while (*name && !(*name >= '1' && *name <= '9')) name++;
    return *name ? *name - '0' : 1;
}

/* Along one axis of the input. */
static pair along(lc_tf_call *c, const fft *f, pair z, int32_t i, bool back) {
    const int32_t axis = f->first + i, last = f->rank - 1;
    z = swap_axes_of(c, z, axis, last);
    z = back ? inverse(c, z, f->n[i]) : transform(c, z, f->n[i]);
    return swap_axes_of(c, z, axis, last);
}

static void complex_fft(lc_tf_call *c, bool back) {
    const int32_t x = lc_tf_in(c, 0);
    fft f = {.dims = dims_of(c)};
    if (lc_tf_ok(c) && !lc_tf_is_complex(lc_tf_type(c, x)))
        lc_tf_fail(c, LC_INVALID, "its input is %s, needs a complex type", lc_dtype_name(lc_tf_type(c, x)));
    if (!lc_tf_ok(c) || !lengths(c, &f, x, false)) return;
    pair z = lc_tf_parts(c, x);
    for (int32_t i = f.dims - 1; i >= 0 && lc_tf_ok(c); i--) z = along(c, &f, z, i, back);
    lc_tf_give(c, 0, lc_tf_joined(c, z, lc_tf_type(c, x)));
}

void lc_tf_op_fft(lc_tf_call *c) { complex_fft(c, false); }
void lc_tf_op_ifft(lc_tf_call *c) { complex_fft(c, true); }

void lc_tf_op_rfft(lc_tf_call *c) {
    int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_made_type(c, "Tcomplex", LC_COMPLEX64);
    fft f = {.dims = dims_of(c)};
    if (lc_tf_ok(c) && !lc_tf_is_real(lc_tf_type(c, x)))
        lc_tf_fail(c, LC_INVALID, "its input is %s, needs a floating-point type", lc_dtype_name(lc_tf_type(c, x)));
    if (!lc_tf_ok(c) || !lengths(c, &f, x, true)) return;
    x = lc_tf_float32(c, x);
    const int32_t last = f.dims - 1, width = f.n[last], height = f.dims > 1 ? f.n[last - 1] : 1;
    const bool whole = power_of_two(width) && power_of_two(height) && width > 1 && f.dims > 1; /* RFFT2D cuts and fills, too */
    for (int32_t i = 0; i < f.dims - (whole ? 2 : f.dims == 1 && power_of_two(width) && width > 1 ? 1 : 0); i++)
        x = fit(c, x, f.first + i, f.n[i]);
    pair z;
    if (f.dims == 1 && power_of_two(width) && width > 1 && type == LC_COMPLEX64) {
        lc_tf_give(c, 0, rfft(c, x, width));
        return;
    }
    if (whole) {
        const int32_t y = rfft2d(c, x, height, width);
        if (f.dims == 2 && type == LC_COMPLEX64) {
            lc_tf_give(c, 0, y);
            return;
        }
        z = lc_tf_parts(c, y);
        if (f.dims == 3) z = along(c, &f, z, 0, false);
    } else {
        z = real_transform(c, x, width);
        for (int32_t i = last - 1; i >= 0 && lc_tf_ok(c); i--) z = along(c, &f, z, i, false);
    }
    lc_tf_give(c, 0, lc_tf_joined(c, z, type));
}

void lc_tf_op_irfft(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_made_type(c, "Treal", LC_FLOAT32);
    fft f = {.dims = dims_of(c)};
    if (lc_tf_ok(c) && !lc_tf_is_complex(lc_tf_type(c, x)))
        lc_tf_fail(c, LC_INVALID, "its input is %s, needs a complex type", lc_dtype_name(lc_tf_type(c, x)));
    if (!lc_tf_ok(c) || !lengths(c, &f, x, true)) return;
    pair z = lc_tf_parts(c, x);
    const int32_t last = f.dims - 1, n = f.n[last];
    for (int32_t i = 0; i < f.dims; i++) z = fit_pair(c, z, f.first + i, i == last ? n / 2 + 1 : f.n[i]);
    for (int32_t i = 0; i < last && lc_tf_ok(c); i++) z = along(c, &f, z, i, true);
    lc_tf_give(c, 0, lc_build_cast(c->b, real_inverse(c, z, n), type));
}
