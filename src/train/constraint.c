/*
 * Regularisers and constraints: what is added to the loss for the sake of a variable, and what holds of it after each step. The formulas are
 * those of keras.regularizers and keras.constraints; sums are in double, one after the other, so that no thread count can change them.
 */
#include "train/config.h"
#include "train/variable.h"

#include "base/alloc.h"
#include <math.h>
#include <string.h>

#define LC_EPSILON (float)LC_KERAS_EPSILON

/* ---- regularisers ------------------------------------------------------------------------------------------------- */

lc_status lc_regularizer_read(const lc_json *object, lc_regularizer *r, lc_error *err) {
    *r = (lc_regularizer){0};
    if (lc_config_is_none(object)) return LC_OK;
    lc_config c;
    LC_TRY(lc_config_open(LC_CLASS_REGULARIZER, object, &c, err));
    if (strcmp(c.class.name, "OrthogonalRegularizer") == 0) {
        r->orthogonal = (float)lc_config_between(&c, "factor", 0, INFINITY);
        r->columns = lc_config_word(&c, "mode", (const char *const[]){"rows", "columns", NULL}) == 1;
        return c.status;
    }
    if (strcmp(c.class.name, "L2") != 0) r->l1 = (float)lc_config_between(&c, "l1", 0, INFINITY);
    if (strcmp(c.class.name, "L1") != 0) r->l2 = (float)lc_config_between(&c, "l2", 0, INFINITY);
    return c.status;
}

/* The mean of |cos| over all pairs of different vectors of a matrix. unit: [count][length], scratch. */
static double orthogonal_run(const lc_variable *v, float factor, float *unit) {
    const bool columns = v->regularizer.columns;
    const int64_t count = v->dims[columns], length = v->dims[!columns];
    const int64_t next = columns ? 1 : v->dims[1], step = columns ? v->dims[1] : 1; /* to the next vector, to the next element */
    if (count < 2) return 0;
    double *inverse = (double *)(void *)(unit + count * length + ((count * length) & 1));
    for (int64_t i = 0; i < count; i++) {
        double sum = 0;
        for (int64_t k = 0; k < length; k++) sum += (double)v->value[i * next + k * step] * v->value[i * next + k * step];
        inverse[i] = fmin(1 / sqrt(sum), 1 / (double)LC_EPSILON);
        for (int64_t k = 0; k < length; k++) unit[i * length + k] = (float)(v->value[i * next + k * step] * inverse[i]);
    }
    const double scale = (double)factor * v->regularizer.orthogonal / ((double)count * ((double)count - 1));
    double *pull = inverse + count; /* what moves the direction of one vector */
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        memset(pull, 0, (size_t)length * sizeof *pull);
        double along = 0;
        for (int64_t j = 0; j < count; j++) {
            if (j == i) continue;
            double dot = 0;
            for (int64_t k = 0; k < length; k++) dot += (double)unit[i * length + k] * unit[j * length + k];
            sum += fabs(dot);
            const double sign = dot > 0 ? 1 : dot < 0 ? -1 : 0;
            for (int64_t k = 0; k < length; k++) pull[k] += sign * unit[j * length + k];
            along += sign * dot;
        }
        for (int64_t k = 0; v->grad && k < length; k++)
            v->grad[i * next + k * step] += (float)(2 * scale * inverse[i] * (pull[k] - along * unit[i * length + k]));
    }
    return scale * sum;
}

lc_status lc_regularizer_run(const lc_variable *v, float factor, double *value, lc_error *err) {
    const lc_regularizer *r = &v->regularizer;
    double absolute = 0, squares = 0;
    *value = 0;
    if (r->l1 != 0 || r->l2 != 0) {
        const float l1 = factor * r->l1, l2 = 2 * factor * r->l2;
        for (size_t i = 0; i < v->n; i++) {
            const float x = v->value[i];
            absolute += fabsf(x);
            squares += (double)x * x;
        }
        for (size_t i = 0; v->grad && i < v->n; i++) {
            const float x = v->value[i];
            v->grad[i] += l2 * x + (x > 0 ? l1 : x < 0 ? -l1 : 0);
        }
        *value = (double)factor * (r->l1 * absolute + r->l2 * squares);
    }
    if (r->orthogonal == 0) return LC_OK;
    /* v->n floats, then a double for each vector and each element of one */
    const size_t doubles = (size_t)v->dims[0] + (size_t)v->dims[1];
    float *scratch = lc_malloc((v->n + 1) * sizeof(float) + doubles * sizeof(double));
    if (!scratch) return lc_fail_memory(err, "a regulariser");
    *value += orthogonal_run(v, factor, scratch);
    lc_free(scratch);
    return LC_OK;
}

/* ---- constraints -------------------------------------------------------------------------------------------------- */

/* axis: a number or a list of them. */
static void read_axes(lc_config *c, lc_constraint *constraint) {
    double axes[LC_MAX_RANK];
    const uint32_t n = lc_config_numbers(c, "axis", LC_MAX_RANK, axes);
    constraint->axes = n ? 0 : 1;
    for (uint32_t i = 0; i < n; i++) {
        const double from_end = n == 1 && axes[i] < 0 ? -1 - axes[i] : axes[i];
        if (from_end < 0 || from_end >= LC_MAX_RANK || from_end != floor(from_end)) {
            lc_config_fail(c, "axis %g is none", axes[i]);
            return;
        }
        constraint->from_end = axes[i] < 0;
        constraint->axes |= 1u << (int)from_end;
    }
}

lc_status lc_constraint_read(const lc_json *object, lc_constraint *constraint, lc_error *err) {
    *constraint = (lc_constraint){.rate = 1};
    if (lc_config_is_none(object)) return LC_OK;
    lc_config c;
    LC_TRY(lc_config_open(LC_CLASS_CONSTRAINT, object, &c, err));
    if (strcmp(c.class.name, "NonNeg") == 0) {
        constraint->kind = LC_NON_NEGATIVE;
        return c.status;
    }
    read_axes(&c, constraint);
    if (strcmp(c.class.name, "UnitNorm") == 0) {
        constraint->kind = LC_NORM_OF_ONE;
        return c.status;
    }
    constraint->kind = LC_MAXIMAL_NORM;
    constraint->most = (float)lc_config_number(&c, "max_value");
    if (strcmp(c.class.name, "MinMaxNorm") == 0) {
        constraint->kind = LC_NORM_BETWEEN;
        constraint->least = (float)lc_config_number(&c, "min_value");
        constraint->rate = (float)lc_config_number(&c, "rate");
    }
    return c.status;
}

uint32_t lc_constraint_axes(const lc_variable *v) {
    if (!v->constraint.from_end) return v->constraint.axes;
    uint32_t bits = 0;
    for (int32_t i = 0; i < LC_MAX_RANK; i++)
        if (v->constraint.axes >> i & 1) bits |= v->rank - 1 - i >= 0 ? 1u << (v->rank - 1 - i) : 1u << LC_MAX_RANK;
    return bits;
}

/* By what the values with this norm are multiplied. */
static float norm_factor(const lc_constraint *c, float norm) {
    if (c->kind == LC_NORM_OF_ONE) return 1 / (LC_EPSILON + norm);
    float wanted = fminf(fmaxf(norm, c->least), c->most);
    if (c->kind == LC_NORM_BETWEEN) wanted = c->rate * wanted + (1 - c->rate) * norm;
    return wanted / (LC_EPSILON + norm);
}

/* Counts `index` on over those dimensions whose bit is `which`, and moves the offset along; false after the last. */
static bool count_on(const lc_variable *v, uint32_t axes, bool which, int32_t *index, size_t *at) {
    size_t step = 1;
    for (int32_t d = v->rank - 1; d >= 0; d--) {
        if ((axes >> d & 1) == which) {
            *at += step;
            if (++index[d] < v->dims[d]) return true;
            *at -= step * (size_t)v->dims[d];
            index[d] = 0;
        }
        step *= (size_t)v->dims[d];
    }
    return false;
}

void lc_constraint_run(const lc_variable *v) {
    const lc_constraint *c = &v->constraint;
    if (c->kind == LC_UNCONSTRAINED || v->n == 0) return;
    if (c->kind == LC_NON_NEGATIVE) {
        for (size_t i = 0; i < v->n; i++) v->value[i] = v->value[i] < 0 ? 0 : v->value[i]; /* NaN stays */
        return;
    }
    const uint32_t axes = lc_constraint_axes(v);
    int32_t group[LC_MAX_RANK] = {0}, inside[LC_MAX_RANK] = {0};
    size_t first = 0;
    do {
        double sum = 0;
        size_t at = first;
        do sum += (double)v->value[at] * v->value[at];
        while (count_on(v, axes, true, inside, &at));
        const float factor = norm_factor(c, (float)sqrt(sum));
        at = first;
        do v->value[at] *= factor;
        while (count_on(v, axes, true, inside, &at));
    } while (count_on(v, axes, false, group, &first));
}

lc_status lc_variable_check(const lc_variable *v, lc_error *err) {
    if (v->constraint.kind >= LC_MAXIMAL_NORM && lc_constraint_axes(v) >> v->rank)
        return lc_fail(err, LC_ARGUMENT, "variable %s: its constraint is over an axis that it does not have; it has %d", v->path, v->rank);
    if (v->regularizer.orthogonal != 0 && v->rank != 2)
        return lc_fail(err, LC_ARGUMENT, "variable %s: an orthogonal regulariser is for matrices; this has %d dimensions", v->path,
                       v->rank);
    return LC_OK;
}
