/*
 * sink_transpose.c: an elementwise operator behind a TRANSPOSE changes places with it:
 *
 *   op(transpose(x), c)               ->  transpose(op(x, c'))        c': the constant, transposed back
 *   op(transpose(x), transpose(y))    ->  transpose(op(x, y))         when both are transposed alike
 *
 * Nothing is won by that alone, but a channels_first network is convolutions between transposes, with batch normalisations and
 * activations between those: sunk down to the next one, two transposes cancel and the rest folds into the convolutions. Only where the
 * operator is the transpose's one reader and broadcasting does not change its shape.
 */
#include "pass/rewrite.h"

#include <string.h>

#define CONSTANT_MOST ((size_t)1 << 20) /* larger constants are left where they are */

typedef struct perm {
    int32_t rank, of[LC_MAX_RANK]; /* dimension d of the output is dimension of[d] of the input */
} perm;

/* The TRANSPOSE that makes input i of `node` for it alone; NULL when there is none. */
static lc_node *transpose_before(const lc_rewrite *rw, const lc_node *node, uint32_t i, perm *p) {
    lc_node *t = lc_rewrite_sole_producer(rw, node->inputs[i]);
    if (!lc_node_is(t, LC_OP_TRANSPOSE) || t->input_count != 2 || t->inputs[0] < 0 || t->inputs[1] < 0) return NULL;
    const lc_tensor *c = lc_rewrite_tensor(rw, t->inputs[1]), *x = lc_rewrite_tensor(rw, t->inputs[0]);
    if (!c->data || c->type != LC_INT32 || x->quant || x->rank < 1 || x->rank > LC_MAX_RANK || c->size != (size_t)x->rank * sizeof *p->of)
        return NULL;
    p->rank = x->rank;
    memcpy(p->of, c->data, c->size);
    uint32_t seen = 0;
    for (int32_t d = 0; d < p->rank; d++) {
        if (p->of[d] < 0 || p->of[d] >= p->rank) return NULL;
        seen |= 1u << p->of[d];
    }
    return seen == (1u << p->rank) - 1 ? t : NULL;
}

static bool can_move_constant(const lc_tensor *c, const perm *p) {
    return c->data && !c->quant && !c->sparsity && c->rank <= p->rank && c->size <= CONSTANT_MOST && lc_dtype_bits(c->type) >= 8;
}

/* *moved: constant c, which an operand of the transpose's output shape is combined with, for the transpose's input instead. */
static lc_status move_constant(lc_rewrite *rw, int32_t c, const perm *p, int32_t *moved) {
    const lc_tensor t = *lc_rewrite_tensor(rw, c);
    const size_t width = lc_dtype_bits(t.type) / 8;
    *moved = c;
    if (t.size == width) return LC_OK; /* one value serves all */
    int32_t from[LC_MAX_RANK], to[LC_MAX_RANK], lead = 0;
    size_t step[LC_MAX_RANK], steps[LC_MAX_RANK], n = 1;
    for (int32_t d = p->rank - 1; d >= 0; d--) {
        const int32_t own = d - (p->rank - t.rank);
        from[d] = own < 0 ? 1 : t.dims[own];
        step[d] = n;
        n *= (size_t)from[d];
    }
    for (int32_t d = 0; d < p->rank; d++) {
        to[p->of[d]] = from[d];
        steps[p->of[d]] = step[d];
    }
    while (lead < p->rank - 1 && to[lead] == 1) lead++;
    void *data;
    LC_TRY(lc_rewrite_add_constant(rw, t.name, t.type, to + lead, p->rank - lead, moved, &data));
    for (size_t i = 0; i < n; i++) { /* element i of the new one */
        size_t rest = i, at = 0;
        for (int32_t d = p->rank - 1; d >= 0; d--) {
            at += rest % (size_t)to[d] * steps[d];
            rest /= (size_t)to[d];
        }
        memcpy((char *)data + i * width, (const char *)t.data + at * width, width);
    }
    return LC_OK;
}

/* What may sink: one or two inputs, one of them transposed, the other a constant or transposed alike. *last: the later transpose. */
static bool may_sink(const lc_rewrite *rw, const lc_node *node, lc_node *t[2], perm *p) {
    perm q;
    if (node->op == LC_NODE_DEAD || !(lc_op_get(node->op)->flags & LC_OPF_ELEMENTWISE) || node->output_count != 1) return false;
    if (node->input_count < 1 || node->input_count > 2 || lc_rewrite_tensor(rw, node->outputs[0])->quant) return false;
    t[0] = node->inputs[0] >= 0 ? transpose_before(rw, node, 0, p) : NULL;
    t[1] = node->input_count == 2 && node->inputs[1] >= 0 ? transpose_before(rw, node, 1, t[0] ? &q : p) : NULL;
    if (!t[0] && !t[1]) return false;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] < 0) return false;
        const lc_tensor *in = lc_rewrite_tensor(rw, node->inputs[i]);
        if (t[i] ? !lc_same_dims(in, lc_rewrite_tensor(rw, node->outputs[0])) : !can_move_constant(in, p)) return false;
    }
    return !(t[0] && t[1]) || (t[0] != t[1] && p->rank == q.rank && memcmp(p->of, q.of, (size_t)p->rank * sizeof *p->of) == 0);
}

/* The later transpose's place becomes the operator, the operator's place becomes the transpose. */
static lc_status sink(lc_rewrite *rw, lc_node *node, lc_node *const t[2], const perm *p) {
    lc_node *place = t[1] > t[0] || !t[0] ? t[1] : t[0], *other = t[0] && t[1] ? (place == t[0] ? t[1] : t[0]) : NULL;
    const int32_t permutation = place->inputs[1], middle = place->outputs[0];
    int32_t inputs[2] = {LC_ABSENT, LC_ABSENT};
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (t[i]) inputs[i] = t[i]->inputs[0];
        else LC_TRY(move_constant(rw, node->inputs[i], p, &inputs[i]));
    }
    const lc_tensor x = *lc_rewrite_tensor(rw, place->inputs[0]);
    lc_tensor *y = lc_rewrite_tensor(rw, middle);
    const lc_node op = *node, transpose = *place;
    y->type = lc_rewrite_tensor(rw, node->outputs[0])->type;
    y->dims = x.dims; /* both live as long as the model, and neither is written in place */
    y->signature = x.signature;
    place->op = op.op;
    place->version = op.version;
    place->attrs_table = op.attrs_table;
    place->attrs = op.attrs;
    place->layer = op.layer;
    node->op = transpose.op;
    node->version = transpose.version;
    node->attrs_table = transpose.attrs_table;
    node->attrs = transpose.attrs;
    while (place->input_count > op.input_count) lc_rewrite_set_input(rw, place, --place->input_count, LC_ABSENT);
    for (uint32_t i = 0; i < op.input_count; i++) lc_rewrite_set_input(rw, place, i, inputs[i]);
    if (other) lc_rewrite_kill(rw, other);
    lc_rewrite_set_input(rw, node, 0, middle);
    if (node->input_count == 1) return lc_rewrite_append_input(rw, node, permutation);
    lc_rewrite_set_input(rw, node, 1, permutation);
    return LC_OK;
}

lc_status lc_pass_sink_transpose(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        lc_node *t[2];
        perm p;
        lc_node *node = &rw->graph->nodes[n];
        if (may_sink(rw, node, t, &p)) LC_TRY(sink(rw, node, t, &p));
    }
    return LC_OK;
}
