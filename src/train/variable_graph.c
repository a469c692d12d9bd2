/*
 * variable_graph.c: regularisers and constraints as operators: what constraint.c does in place.
 */
#include "train/graph.h"

#include "train/config.h"

int32_t lc_penalty_value(const lc_regularizer *r, lc_builder *b, int32_t x) {
    const int32_t one = lc_gr_times(b, lc_gr_all(b, LC_OP_SUM, lc_build_unary(b, LC_OP_ABS, x)), (double)r->l1);
    return lc_gr_add(b, one, lc_gr_times(b, lc_gr_all(b, LC_OP_SUM, lc_gr_square(b, x)), (double)r->l2));
}

int32_t lc_penalty_slope(const lc_regularizer *r, lc_builder *b, int32_t x) {
    const int32_t one = lc_gr_times(b, lc_build_unary(b, LC_OP_SIGN, x), (double)r->l1);
    return lc_gr_add(b, one, lc_gr_times(b, x, 2 * (double)r->l2));
}

int32_t lc_regularizer_append(const lc_variable *v, lc_builder *b, int32_t value, int32_t gradient, int32_t *loss) {
    const lc_regularizer *r = &v->regularizer;
    if (r->orthogonal != 0) {
        lc_build_fail(b, LC_UNSUPPORTED, "training on a device knows no orthogonal regulariser (of %.100s)", v->path);
        return lc_build_hint(b, "L1, L2 and L1L2 are known");
    }
    if (r->l1 == 0 && r->l2 == 0) return gradient;
    *loss = lc_gr_add(b, *loss, lc_penalty_value(r, b, value));
    return lc_gr_add(b, gradient, lc_penalty_slope(r, b, value));
}

int32_t lc_constraint_append(const lc_variable *v, lc_builder *b, int32_t value) {
    const lc_constraint *c = &v->constraint;
    if (c->kind == LC_UNCONSTRAINED) return value;
    if (c->kind == LC_NON_NEGATIVE) return lc_gr_max(b, value, lc_gr_number(b, 0));
    int32_t axes[LC_MAX_RANK];
    uint32_t n = 0;
    const uint32_t bits = lc_constraint_axes(v);
    for (int32_t i = 0; i < v->rank; i++)
        if (bits >> i & 1) axes[n++] = i;
    const int32_t norm = lc_gr_root(b, lc_build_reduce(b, LC_OP_SUM, lc_gr_square(b, value), axes, n, true));
    int32_t wanted = lc_gr_number(b, 1);
    if (c->kind != LC_NORM_OF_ONE) wanted = lc_gr_within(b, norm, (double)c->least, (double)c->most);
    if (c->kind == LC_NORM_BETWEEN)
        wanted = lc_gr_add(b, lc_gr_times(b, wanted, (double)c->rate), lc_gr_times(b, norm, 1 - (double)c->rate));
    return lc_gr_mul(b, value, lc_gr_div(b, wanted, lc_gr_plus(b, norm, LC_KERAS_EPSILON)));
}
