/*
 * tf_core.c: what is given to a graph, what only passes its input on, and what inference does not need. StopGradient, CheckNumerics, Print
 * and the like are their input; Assert and NoOp are nothing: they are kept out already because only control edges lead to them.
 */
#include "lower/tf_impl.h"

/* A placeholder that is no input of the signature: fixed, or a question to the user. */
void lc_tf_op_placeholder(lc_tf_call *c) {
    const lc_tf_model *tf = c->lower->tf;
    for (uint32_t i = 0; i < tf->fix_count; i++)
        if (lc_str_eq(tf->fixes[i].node, c->node->name)) {
            lc_tf_give(c, 0, lc_tf_constant(c->b, "fixed", &tf->fixes[i].value));
            return;
        }
    lc_tf_fail(c, LC_INVALID, "the outputs need this placeholder, but it is no input");
    lc_tf_hint(c, "name it among --input-arrays, or give it a value: --fix %.*s=VALUE", LC_TF_NAME(c->node->name));
}

void lc_tf_op_pass(lc_tf_call *c) {
    if (c->in_count == 0) lc_tf_fail(c, LC_INVALID, "it has no input");
    else if (lc_tf_is_ref(c, c->in[0])) lc_tf_give(c, 0, lc_tf_in(c, 0)); /* the value of now, whatever is assigned later */
    else lc_tf_give_value(c, 0, c->in[0]);
}

void lc_tf_op_pass_all(lc_tf_call *c) {
    for (uint32_t i = 0; i < c->in_count; i++)
        if (lc_tf_is_ref(c, c->in[i])) lc_tf_give(c, i, lc_tf_in(c, i));
        else lc_tf_give_value(c, i, c->in[i]);
}

void lc_tf_op_nothing(lc_tf_call *c) { (void)c; }

/* The shape it promises tells us more than inference may know. */
void lc_tf_op_ensure_shape(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_shape has = lc_tf_shape(c, x), wanted = lc_tf_attr_shape(c, "shape");
    bool news = false;
    if (!lc_tf_ok(c)) return;
    if (wanted.rank != LC_RANK_UNKNOWN && has.rank != LC_RANK_UNKNOWN) {
        char a[LC_SHAPE_TEXT], b[LC_SHAPE_TEXT];
        bool same = has.rank == wanted.rank;
        for (int32_t d = 0; same && d < has.rank; d++) {
            same = has.dims[d] < 0 || wanted.dims[d] < 0 || has.dims[d] == wanted.dims[d];
            news |= has.dims[d] < 0 && wanted.dims[d] >= 0;
        }
        if (!same) {
            lc_tf_fail(c, LC_INVALID, "its input is %s, it must be %s", lc_shape_text(&has, a), lc_shape_text(&wanted, b));
            return;
        }
    } else news = wanted.rank != LC_RANK_UNKNOWN;
    int32_t open = 0;
    for (int32_t d = 0; d < wanted.rank; d++) open += wanted.dims[d] < 0;
    lc_tf_give(c, 0, news && open <= 1 ? lc_tf_reshape(c, x, wanted.dims, wanted.rank) : x);
}
