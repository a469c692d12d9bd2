/*
 * loss_graph.c: the losses of losses.def as operators: the same values as loss_distance.c and loss_entropy.c give, row by row. No slopes stand
 * here: the graph's own gradients have them (grad/grad.h).
 */
#include "train/graph.h"
#include "train/loss_impl.h"

#include <string.h>

static int32_t last_axis(lc_builder *b, int32_t x) {
    lc_shape s;
    return lc_build_shape(b, x, &s) ? s.rank - 1 : 0;
}

/* SUM, MEAN or REDUCE_MAX of each row. */
static int32_t of_rows(lc_builder *b, int32_t reduce, int32_t x) {
    const int32_t axis = last_axis(b, x);
    return lc_build_reduce(b, reduce, x, &axis, 1, false);
}
static int32_t of_rows_kept(lc_builder *b, int32_t reduce, int32_t x) {
    const int32_t axis = last_axis(b, x);
    return lc_build_reduce(b, reduce, x, &axis, 1, true);
}
static int32_t mean(lc_builder *b, int32_t x) { return of_rows(b, LC_OP_MEAN, x); }
static int32_t sum(lc_builder *b, int32_t x) { return of_rows(b, LC_OP_SUM, x); }

int32_t lc_gr_all(lc_builder *b, int32_t reduce, int32_t x) {
    lc_shape s;
    int32_t axes[LC_MAX_RANK];
    if (!lc_build_shape(b, x, &s)) return -1;
    for (int32_t i = 0; i < s.rank; i++) axes[i] = i;
    return s.rank ? lc_build_reduce(b, reduce, x, axes, (uint32_t)s.rank, false) : x;
}

static int32_t magnitude(lc_builder *b, int32_t x) { return lc_build_unary(b, LC_OP_ABS, x); }
static int32_t logarithm(lc_builder *b, int32_t x) { return lc_build_unary(b, LC_OP_LOG, x); }
static int32_t exponential(lc_builder *b, int32_t x) { return lc_build_unary(b, LC_OP_EXP, x); }
static int32_t negative(lc_builder *b, int32_t x) { return lc_build_unary(b, LC_OP_NEG, x); }
/* 1 - x */
static int32_t rest(lc_builder *b, int32_t x) { return lc_gr_from(b, 1, x); }
static int32_t at_least(lc_builder *b, int32_t x, double least) { return lc_gr_max(b, x, lc_gr_number(b, least)); }
/* log(1 + exp(-|x|)) */
static int32_t tail(lc_builder *b, int32_t x) { return logarithm(b, lc_gr_plus(b, exponential(b, negative(b, magnitude(b, x))), 1)); }
static int32_t raised(lc_builder *b, int32_t x, double power) { return lc_gr_with(b, LC_OP_POW, x, power); }

#define LC_ROWS(name) \
    int32_t lc_rows_##name(const lc_loss_options *o, lc_builder *b, int32_t t, int32_t p); \
    int32_t lc_rows_##name(const lc_loss_options *o, lc_builder *b, int32_t t, int32_t p)

/* ---- distances ----------------------------------------------------------------------------------------------------------- */

LC_ROWS(squared) {
    (void)o;
    return mean(b, lc_build_binary(b, LC_OP_SQUARED_DIFFERENCE, p, t, 0));
}
LC_ROWS(absolute) {
    (void)o;
    return mean(b, magnitude(b, lc_gr_sub(b, p, t)));
}
LC_ROWS(percentage) {
    (void)o;
    const int32_t below = at_least(b, magnitude(b, t), LC_KERAS_EPSILON);
    return lc_gr_times(b, mean(b, lc_gr_div(b, magnitude(b, lc_gr_sub(b, p, t)), below)), 100);
}
LC_ROWS(logarithmic) {
    (void)o;
    const int32_t x = logarithm(b, lc_gr_plus(b, at_least(b, t, LC_KERAS_EPSILON), 1)),
                  y = logarithm(b, lc_gr_plus(b, at_least(b, p, LC_KERAS_EPSILON), 1));
    return mean(b, lc_build_binary(b, LC_OP_SQUARED_DIFFERENCE, y, x, 0));
}
/* |e| - |e| over delta, squared by half, and the rest by delta: 0.5 m^2 + delta (|e| - m), m = min(|e|, delta) */
LC_ROWS(huber) {
    const int32_t e = magnitude(b, lc_gr_sub(b, p, t)), m = lc_gr_min(b, e, lc_gr_number(b, (double)o->delta));
    const int32_t line = lc_gr_times(b, lc_gr_sub(b, e, m), (double)o->delta);
    return mean(b, lc_gr_add(b, lc_gr_times(b, lc_gr_square(b, m), 0.5), line));
}
/* |e| + log(1 + exp(-2 |e|)) - log 2 */
LC_ROWS(log_cosh) {
    (void)o;
    const int32_t e = lc_gr_sub(b, p, t);
    return mean(b, lc_gr_plus(b, lc_gr_add(b, magnitude(b, e), tail(b, lc_gr_times(b, e, 2))), -0.69314718055994531));
}
LC_ROWS(poisson) {
    (void)o;
    return mean(b, lc_gr_sub(b, p, lc_gr_mul(b, t, logarithm(b, lc_gr_plus(b, p, LC_KERAS_EPSILON)))));
}
static int32_t hinge(lc_builder *b, int32_t t, int32_t p) { return at_least(b, rest(b, lc_gr_mul(b, t, p)), 0); }
LC_ROWS(hinge) {
    (void)o;
    return mean(b, hinge(b, t, p));
}
LC_ROWS(squared_hinge) {
    (void)o;
    return mean(b, lc_gr_square(b, hinge(b, t, p)));
}
LC_ROWS(categorical_hinge) {
    (void)o;
    const int32_t right = sum(b, lc_gr_mul(b, t, p)), wrong = of_rows(b, LC_OP_REDUCE_MAX, lc_gr_mul(b, rest(b, t), p));
    return at_least(b, lc_gr_plus(b, lc_gr_sub(b, wrong, right), 1), 0);
}
LC_ROWS(divergence) {
    (void)o;
    const int32_t x = lc_gr_within(b, t, LC_KERAS_EPSILON, 1), y = lc_gr_within(b, p, LC_KERAS_EPSILON, 1);
    return sum(b, lc_gr_mul(b, x, logarithm(b, lc_gr_div(b, x, y))));
}
/* x / |x|, but no more than Keras lets it be */
static int32_t direction(lc_builder *b, int32_t x) {
    const int32_t square = at_least(b, of_rows_kept(b, LC_OP_SUM, lc_gr_square(b, x)), LC_KERAS_EPSILON * LC_KERAS_EPSILON);
    return lc_gr_mul(b, x, lc_build_unary(b, LC_OP_RSQRT, square));
}
LC_ROWS(cosine) {
    (void)o;
    return negative(b, sum(b, lc_gr_mul(b, direction(b, t), direction(b, p))));
}

/* ---- overlap of the whole batch ------------------------------------------------------------------------------------------- */

static int32_t total(lc_builder *b, int32_t x) { return lc_gr_all(b, LC_OP_SUM, x); }
/* The sum of all, or of each sample. */
static int32_t total_of(const lc_loss_options *o, lc_builder *b, int32_t x) {
    lc_shape s;
    if (!o->samples) return total(b, x);
    return lc_build_shape(b, x, &s) ? sum(b, lc_build_reshape(b, x, (int32_t[]){s.dims[0], -1}, 2)) : -1;
}
LC_ROWS(dice) {
    const int32_t both = total_of(o, b, lc_gr_mul(b, t, p)), all = lc_gr_plus(b, total_of(o, b, lc_gr_add(b, t, p)), LC_KERAS_EPSILON);
    return rest(b, lc_gr_times(b, lc_gr_div(b, both, all), 2));
}
LC_ROWS(tversky) {
    const int32_t both = total_of(o, b, lc_gr_mul(b, t, p)), wrong = total_of(o, b, lc_gr_mul(b, rest(b, t), p)),
                  missed = total_of(o, b, lc_gr_mul(b, t, rest(b, p)));
    const int32_t others = lc_gr_add(b, lc_gr_times(b, wrong, (double)o->beta), lc_gr_times(b, missed, (double)o->alpha));
    return rest(b, lc_gr_div(b, both, lc_gr_plus(b, lc_gr_add(b, both, others), LC_KERAS_EPSILON)));
}

/* ---- cross entropies ------------------------------------------------------------------------------------------------------ */

static int32_t cut(lc_builder *b, int32_t p) { return lc_gr_within(b, p, LC_KERAS_EPSILON, 1 - LC_KERAS_EPSILON); }

/* Labels t moved towards `even` by the smoothing. */
static int32_t smoothed(const lc_loss_options *o, lc_builder *b, int32_t t, double even) {
    if (o->smoothing == 0) return t;
    return lc_gr_plus(b, lc_gr_times(b, t, 1 - (double)o->smoothing), even * (double)o->smoothing);
}
static double one_of_row(lc_builder *b, int32_t x) {
    lc_shape s;
    return lc_build_shape(b, x, &s) && s.rank ? 1.0 / s.dims[s.rank - 1] : 1;
}

/* Of each number: max(y, 0) - y t + log(1 + exp(-|y|)) of logits. */
static int32_t binary(const lc_loss_options *o, lc_builder *b, int32_t t, int32_t p) {
    if (o->from_logits) return lc_gr_add(b, lc_gr_sub(b, lc_build_unary(b, LC_OP_RELU, p), lc_gr_mul(b, p, t)), tail(b, p));
    const int32_t q = cut(b, p), yes = lc_gr_mul(b, t, logarithm(b, q)), no = lc_gr_mul(b, rest(b, t), logarithm(b, rest(b, q)));
    return negative(b, lc_gr_add(b, yes, no));
}
LC_ROWS(binary) { return mean(b, binary(o, b, smoothed(o, b, t, 0.5), p)); }
LC_ROWS(binary_focal) {
    const int32_t x = smoothed(o, b, t, 0.5), y = o->from_logits ? lc_build_unary(b, LC_OP_LOGISTIC, p) : p;
    const int32_t hit = lc_gr_add(b, lc_gr_mul(b, x, y), lc_gr_mul(b, rest(b, x), rest(b, y)));
    int32_t v = lc_gr_mul(b, raised(b, rest(b, hit), (double)o->gamma), binary(o, b, x, p));
    if (o->balance) {
        const int32_t of_no = lc_gr_times(b, rest(b, x), 1 - (double)o->alpha);
        v = lc_gr_mul(b, v, lc_gr_add(b, lc_gr_times(b, x, (double)o->alpha), of_no));
    }
    return mean(b, v);
}

/* The logarithms of the classes' probabilities. */
static int32_t logarithms(const lc_loss_options *o, lc_builder *b, int32_t p) {
    if (o->from_logits) return lc_build_unary(b, LC_OP_LOG_SOFTMAX, p);
    return logarithm(b, cut(b, lc_gr_div(b, p, of_rows_kept(b, LC_OP_SUM, p))));
}
LC_ROWS(categorical) { return negative(b, sum(b, lc_gr_mul(b, smoothed(o, b, t, one_of_row(b, p)), logarithms(o, b, p)))); }
/* t: one-hot. Keras takes the logarithms of the probabilities for logits. */
LC_ROWS(sparse) {
    const int32_t logits = o->from_logits ? p : logarithm(b, cut(b, p));
    return negative(b, sum(b, lc_gr_mul(b, t, lc_build_unary(b, LC_OP_LOG_SOFTMAX, logits))));
}
/* t: one-hot. */
LC_ROWS(generalized) {
    const int32_t right = sum(b, lc_gr_mul(b, t, p));
    return lc_gr_times(b, rest(b, raised(b, right, (double)o->q)), 1 / (double)o->q);
}
/* The numbers of alpha as a row that broadcasts. */
static int32_t row_of_alphas(const lc_loss_options *o, lc_builder *b) {
    const int32_t n = (int32_t)o->alpha_count;
    float *data = lc_build_data(b, o->alpha_count * sizeof *data);
    if (!data) return -1;
    memcpy(data, o->alphas, o->alpha_count * sizeof *data);
    return lc_build_const(b, "alpha", LC_FLOAT32, &n, 1, data, o->alpha_count * sizeof *data, true);
}
LC_ROWS(categorical_focal) {
    const lc_SoftmaxOptions one = {.beta = 1};
    const int32_t x = smoothed(o, b, t, one_of_row(b, p));
    const int32_t q = o->from_logits ? lc_build_op(b, LC_OP_SOFTMAX, LC_TABLE_SoftmaxOptions, &one, &p, 1)
                                     : lc_gr_div(b, p, of_rows_kept(b, LC_OP_SUM, p));
    const int32_t r = cut(b, q), entropy = negative(b, lc_gr_mul(b, x, logarithm(b, r)));
    const int32_t power = raised(b, rest(b, r), (double)o->gamma);
    const int32_t focus = o->alphas ? lc_gr_mul(b, power, row_of_alphas(o, b)) : lc_gr_times(b, power, (double)o->alpha);
    return sum(b, lc_gr_mul(b, focus, entropy));
}

/* ---- a batch --------------------------------------------------------------------------------------------------------------- */

static int32_t one_hot(lc_builder *b, int32_t classes, int32_t pred) {
    lc_shape s;
    int32_t *depth = lc_build_data(b, sizeof *depth);
    if (!depth || !lc_build_shape(b, pred, &s)) return -1;
    *depth = s.dims[s.rank - 1];
    const int32_t count = lc_build_const(b, "depth", LC_INT32, NULL, 0, depth, sizeof *depth, true);
    const int32_t in[4] = {classes, count, lc_gr_number(b, 1), lc_gr_number(b, 0)};
    const lc_OneHotOptions o = {.axis = -1};
    return lc_build_op(b, LC_OP_ONE_HOT, LC_TABLE_OneHotOptions, &o, in, 4);
}

/* Labels of 0 and 1 alone become -1 and 1: 2 t - 1 where all are, else t. */
static int32_t signs(lc_builder *b, int32_t t) {
    const int32_t either =
        lc_gr_max(b, lc_gr_where(b, LC_OP_EQUAL, t, lc_gr_number(b, 0)), lc_gr_where(b, LC_OP_EQUAL, t, lc_gr_number(b, 1)));
    const int32_t all = lc_gr_all(b, LC_OP_REDUCE_MIN, either);
    return lc_gr_sub(b, lc_gr_mul(b, t, lc_gr_plus(b, all, 1)), all);
}

/* 1 for the rows that count; -1: all do. */
static int32_t counting(const lc_loss *l, lc_builder *b, int32_t target, int32_t rows, int32_t mask) {
    int32_t counts = -1;
    lc_shape r, m;
    if (l->targets == LC_TARGETS_CLASSES && l->ignore != LC_NONE) {
        const int32_t ignored = (int32_t)l->ignore;
        counts = lc_gr_where(b, LC_OP_NOT_EQUAL, target, lc_build_ints(b, "ignored", &ignored, 1));
    }
    if (mask < 0 || l->targets == LC_TARGETS_WHOLE) return counts;
    if (!lc_build_shape(b, rows, &r) || !lc_build_shape(b, mask, &m)) return -1;
    if (!lc_shape_equal(&r, &m)) {
        lc_build_fail(b, LC_UNSUPPORTED, "training on a device knows no mask of another shape than the rows of the loss");
        return lc_build_hint(b, "leave out mask_zero or the Masking layer, or end the model with a layer that keeps its steps");
    }
    const int32_t kept = lc_build_cast(b, mask, LC_FLOAT32);
    return counts < 0 ? kept : lc_gr_mul(b, counts, kept);
}

int32_t lc_loss_append(const lc_loss *l, lc_builder *b, int32_t target, int32_t pred, int32_t mask) {
    const bool classes = l->targets == LC_TARGETS_CLASSES;
    lc_shape s;
    if (!lc_build_shape(b, pred, &s)) return -1;
    if (l->reduction == LC_NO_REDUCTION) {
        lc_build_fail(b, LC_UNSUPPORTED, "%s: a device trains on one number, and this loss has no reduction", l->name);
        lc_build_hint(b, "compile with reduction = \"sum\", which has the same gradients");
        return -1;
    }
    if (l->options.samples && !lc_build_check(b, lc_loss_check_axes(l, s.rank, b->err))) return -1;
    if (l->options.alphas && (!s.rank || s.dims[s.rank - 1] != (int32_t)l->options.alpha_count))
        return lc_build_fail(b, LC_INVALID, "%s: alpha has %u numbers, the output another number of classes", l->name,
                             l->options.alpha_count);
    const int32_t t = classes ? one_hot(b, target, pred) : l->targets == LC_TARGETS_SIGNS ? signs(b, target) : target;
    const int32_t rows = l->rows(&l->options, b, t, pred), counts = counting(l, b, target, rows, mask);
    if (counts < 0) return lc_gr_all(b, l->reduction == LC_SUM ? LC_OP_SUM : LC_OP_MEAN, rows);
    const int32_t kept = lc_gr_all(b, LC_OP_SUM, lc_gr_mul(b, rows, counts));
    return l->reduction == LC_SUM ? kept : lc_gr_div(b, kept, at_least(b, lc_gr_all(b, LC_OP_SUM, counts), 1));
}
