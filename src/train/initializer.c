/*
 * Initialisers. Each element has a random word of its own (Philox: key the seed, counter the stream and the element), so no order of work can
 * change it. Words become numbers by +, -, *, / and square roots alone, which every machine rounds alike: normal numbers come from the inverse
 * of the normal distribution (Wichura 1988, AS 241), not from the sines and logarithms of the C library; a truncated one is the inverse between
 * the ends, without a rejection. Keras draws other numbers from the same distributions.
 */
#include "base/base.h"
#include "base/philox.h"
#include "train/config.h"
#include "train/initializer.h"

#include <math.h>
#include <string.h>

/* ---- random numbers ----------------------------------------------------------------------------------------------- */

typedef struct source {
    uint64_t seed, stream;
} source;

/* Four words for the elements [4 * block, 4 * block + 4). */
static void words_of(const source *s, uint64_t block, uint32_t words[4]) {
    const uint32_t key[2] = {(uint32_t)s->seed, (uint32_t)(s->seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)s->stream, (uint32_t)(s->stream >> 32)};
    lc_philox(key, counter, words);
}

/* A word as a number inside (0, 1). */
static double inside(uint32_t word) { return ((double)word + 0.5) / 4294967296.0; }

/* log(x), x > 0, by the series of the inverse hyperbolic tangent around the nearest power of two. */
static double natural_log(double x) {
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0.70710678118654752) {
        m *= 2;
        exponent--;
    }
    const double s = (m - 1) / (m + 1), square = s * s;
    double sum = 0;
    for (int k = 27; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
    return 2 * s * sum + exponent * 0.69314718055994531;
}

static double polynomial(const double a[8], double x) {
    double v = a[7];
    for (int i = 6; i >= 0; i--) v = v * x + a[i];
    return v;
}

/* The x with this share of the normal distribution below it; 0 < p < 1. */
static double inverse_normal(double p) {
    static const double a[3][8] = {
        {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4, 4.5921953931549871457e4,
         6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3},
        {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0, 1.27045825245236838258e0,
         2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
        {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1, 2.65321895265761230930e-2,
         1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
    };
    static const double b[3][8] = {
        {1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4,
         2.8729085735721942674e4, 5.2264952788528545610e3},
        {1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
         1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9},
        {1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131745613259100e-4,
         1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15},
    };
    const double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        const double r = 0.180625 - q * q;
        return q * polynomial(a[0], r) / polynomial(b[0], r);
    }
    const double r = sqrt(-natural_log(q < 0 ? p : 1 - p));
    const int tail = r <= 5 ? 1 : 2;
    const double v = polynomial(a[tail], r - (tail == 1 ? 1.6 : 5)) / polynomial(b[tail], r - (tail == 1 ? 1.6 : 5));
    return q < 0 ? -v : v;
}

typedef enum distribution { TRUNCATED, NORMAL, UNIFORM } distribution;

/* UNIFORM: in [low, low + range). Otherwise low is the mean and range the deviation. */
static void fill_random(const source *s, distribution d, double low, double range, float *out, size_t n) {
    const double tail = 0.022750131948179208; /* of the normal distribution below -2 */
    uint32_t words[4] = {0};
    for (size_t i = 0; i < n; i++) {
        if (i % 4 == 0) words_of(s, i / 4, words);
        const uint32_t word = words[i % 4];
        double v = d == UNIFORM ? (double)(word >> 8) / 16777216.0 : inside(word);
        if (d == TRUNCATED) v = tail + v * (1 - 2 * tail);
        if (d != UNIFORM) v = inverse_normal(v);
        out[i] = (float)(low + v * range);
    }
}

/* ---- kinds -------------------------------------------------------------------------------------------------------- */

typedef struct shape {
    const int32_t *dims;
    int32_t rank;
    size_t n, fan_in;
} shape;

/* How many inputs an element of the variable is summed with, how many outputs one input goes to. */
static void fans(const shape *s, double *in, double *out) {
    *in = *out = s->rank == 1 ? s->dims[0] : 1;
    if (s->rank < 2) return;
    if (s->fan_in) {
        *in = (double)s->fan_in;
        *out = (double)s->n / *in;
        return;
    }
    double field = 1;
    for (int32_t i = 0; i < s->rank - 2; i++) field *= s->dims[i];
    *in = s->dims[s->rank - 2] * field;
    *out = s->dims[s->rank - 1] * field;
}

typedef enum fan { FAN_IN, FAN_OUT, FAN_AVG } fan;

static void fill_scaled(const source *from, const shape *s, double scale, fan mode, distribution d, float *out) {
    double fan_in, fan_out;
    fans(s, &fan_in, &fan_out);
    const double size = mode == FAN_IN ? fan_in : mode == FAN_OUT ? fan_out : (fan_in + fan_out) / 2;
    scale /= size > 1 ? size : 1;
    if (d == UNIFORM) {
        const double limit = sqrt(3 * scale);
        fill_random(from, d, -limit, 2 * limit, out, s->n);
    } else fill_random(from, d, 0, sqrt(scale) / (d == TRUNCATED ? 0.87962566103423978 : 1), out, s->n); /* what truncation leaves of 1 */
}

/* The orthogonal part of a matrix of normal numbers, [tall][thin], with a positive diagonal of the other part: that is one matrix, whichever way
 * it is found. Each column loses what the columns before it have of it, twice, because rounding leaves some the first time. */
static lc_status fill_orthogonal(const source *from, const shape *s, double gain, float *out, lc_error *err) {
    if (s->n == 0) return LC_OK;
    const size_t columns = (size_t)s->dims[s->rank - 1], rows = s->n / columns;
    const size_t tall = rows > columns ? rows : columns, thin = rows > columns ? columns : rows;
    double *q = s->n <= SIZE_MAX / sizeof(double) ? lc_malloc(s->n * sizeof *q) : NULL; /* [thin][tall]: columns lie together */
    if (!q) return lc_fail_memory(err, "an orthogonal matrix");
    uint32_t words[4] = {0};
    for (size_t i = 0; i < s->n; i++) {
        if (i % 4 == 0) words_of(from, i / 4, words);
        q[i % thin * tall + i / thin] = inverse_normal(inside(words[i % 4]));
    }
    for (size_t c = 0; c < thin; c++) {
        double *v = q + c * tall;
        for (size_t k = 0; k < 2 * c; k++) {
            const double *u = q + k % c * tall;
            double dot = 0;
            for (size_t i = 0; i < tall; i++) dot += u[i] * v[i];
            for (size_t i = 0; i < tall; i++) v[i] -= dot * u[i];
        }
        double sum = 0;
        for (size_t i = 0; i < tall; i++) sum += v[i] * v[i];
        const double inverse = 1 / sqrt(sum);
        for (size_t i = 0; i < tall; i++) v[i] *= inverse;
    }
    for (size_t i = 0; i < s->n; i++) {
        const size_t row = i / columns, column = i % columns;
        out[i] = (float)(gain * (rows >= columns ? q[column * tall + row] : q[row * tall + column]));
    }
    lc_free(q);
    return LC_OK;
}

static void fill_constant(float value, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = value;
}

/* Those that are VarianceScaling under another name. */
static const struct {
    const char *name;
    double scale;
    fan mode;
    distribution d;
} scaled[] = {
    {"GlorotUniform", 1, FAN_AVG, UNIFORM}, {"GlorotNormal", 1, FAN_AVG, TRUNCATED}, {"HeUniform", 2, FAN_IN, UNIFORM},
    {"HeNormal", 2, FAN_IN, TRUNCATED},     {"LecunUniform", 1, FAN_IN, UNIFORM},    {"LecunNormal", 1, FAN_IN, TRUNCATED},
};

static void fill_by_variance(lc_config *c, const source *from, const shape *s, float *out) {
    static const char *const modes[] = {"fan_in", "fan_out", "fan_avg", NULL};
    static const char *const distributions[] = {"truncated_normal", "untruncated_normal", "uniform", "normal", NULL};
    const double scale = lc_config_number(c, "scale");
    const int mode = lc_config_word(c, "mode", modes), d = lc_config_word(c, "distribution", distributions);
    if (!(scale > 0)) lc_config_fail(c, "scale is %g, it must be over 0", scale);
    if (c->status == LC_OK) fill_scaled(from, s, scale, (fan)mode, d == 3 ? TRUNCATED : (distribution)d, out);
}

static lc_status fill(lc_config *c, const source *from, const shape *s, float *out) {
    const char *class = c->class.name;
    for (size_t i = 0; i < sizeof scaled / sizeof scaled[0]; i++) {
        if (strcmp(class, scaled[i].name) != 0) continue;
        fill_scaled(from, s, scaled[i].scale, scaled[i].mode, scaled[i].d, out);
        return c->status;
    }
    if (strcmp(class, "Zeros") == 0) fill_constant(0, out, s->n);
    else if (strcmp(class, "Ones") == 0) fill_constant(1, out, s->n);
    else if (strcmp(class, "Constant") == 0) fill_constant((float)lc_config_number(c, "value"), out, s->n);
    else if (strcmp(class, "RandomNormal") == 0 || strcmp(class, "TruncatedNormal") == 0)
        fill_random(from, *class == 'T' ? TRUNCATED : NORMAL, lc_config_number(c, "mean"), lc_config_number(c, "stddev"), out, s->n);
    else if (strcmp(class, "RandomUniform") == 0) {
        const double low = lc_config_number(c, "minval");
        fill_random(from, UNIFORM, low, lc_config_number(c, "maxval") - low, out, s->n);
    } else if (strcmp(class, "VarianceScaling") == 0) fill_by_variance(c, from, s, out);
    else if (strcmp(class, "Orthogonal") == 0) {
        if (s->rank < 2) lc_config_fail(c, "a variable of %d dimensions; at least 2 are needed", s->rank);
        const double gain = lc_config_number(c, "gain");
        if (c->status == LC_OK) c->status = fill_orthogonal(from, s, gain, out, c->err);
    } else { /* Identity */
        if (s->rank != 2) lc_config_fail(c, "a variable of %d dimensions; it is for matrices", s->rank);
        const float gain = (float)lc_config_number(c, "gain");
        for (size_t i = 0; c->status == LC_OK && i < s->n; i++) out[i] = i / (size_t)s->dims[1] == i % (size_t)s->dims[1] ? gain : 0;
    }
    return c->status;
}

lc_status lc_initializer_fill(const lc_json *object, const int32_t *dims, int32_t rank, size_t fan_in, uint64_t seed, uint64_t stream,
                              float *out, lc_error *err) {
    lc_config c;
    LC_TRY(lc_config_open(LC_CLASS_INITIALIZER, object, &c, err));
    shape s = {.dims = dims, .rank = rank, .n = 1, .fan_in = fan_in};
    for (int32_t i = 0; i < rank; i++) s.n *= (size_t)dims[i];
    source from = {seed, stream};
    const lc_json *own = lc_config_has(&c, "seed") ? lc_config_json(&c, "seed") : NULL;
    if (own && own->kind != LC_JSON_OBJECT)
        from = (source){(uint64_t)lc_config_integer(&c, "seed"), 0}; /* an object: a generator of Keras */
    LC_TRY(c.status);
    return fill(&c, &from, &s, out);
}
