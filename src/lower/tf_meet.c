/*
 * tf_meet.c: open dimensions that must fit each other. x [?,4] of one input and h [?,4] of another are added: what they give has a
 * dimension that is as large as both, or as the one that is not 1; TensorFlow finds out in the run. The two worlds (tf_known.c) give the
 * dimensions different sizes, so the operator's rule refuses them.
 *
 * Then the result's dimension becomes an open one of its own, and what it was made of is written down: the set of dimensions (their sizes
 * in the worlds) whose largest it is. The same set is the same dimension, a set that meets a dimension in it stays what it is. So an LSTM
 * whose first state is an input of the model computes one shape throughout, and whoever needs the size in the run can have it: the
 * largest of the sizes of tensors that are there (lists, tf_list.c).
 *
 * A fixed dimension meets an open one in the fixed one. Sets of more than LC_TF_MEETING dimensions are not written down, nor more than MOST
 * sets: each is compared with all of them.
 */
#include "lower/tf_impl.h"

#include <string.h>

enum { MOST = 1000 };

typedef struct pair {
    int32_t size[2];
} pair;

static bool equal(pair a, pair b) { return a.size[0] == b.size[0] && a.size[1] == b.size[1]; }

const lc_tf_meeting *lc_tf_meeting_of(const lc_tf_lower *l, int32_t a, int32_t b) {
    for (size_t i = 0; i < l->meeting_count; i++)
        if (l->meetings[i].size[0] == a && l->meetings[i].size[1] == b) return &l->meetings[i];
    return NULL;
}

static bool has(const lc_tf_meeting *m, const int32_t *part) {
    for (uint32_t i = 0; i < m->count; i++)
        if (m->parts[i][0] == part[0] && m->parts[i][1] == part[1]) return true;
    return false;
}

/* *m and the dimension p, or what p is made of. False: too many. */
static bool unite(const lc_tf_lower *l, lc_tf_meeting *m, pair p) {
    const lc_tf_meeting *known = lc_tf_meeting_of(l, p.size[0], p.size[1]);
    const uint32_t n = known ? known->count : 1;
    for (uint32_t i = 0; i < n; i++) {
        const int32_t *part = known ? known->parts[i] : p.size;
        if (has(m, part)) continue;
        if (m->count == LC_TF_MEETING) return false;
        memcpy(m->parts[m->count++], part, sizeof m->parts[0]);
    }
    return true;
}

/* The open dimension of this set. False: memory is out. */
static bool open(lc_tf_lower *l, lc_tf_meeting *m, bool wide, pair *result) {
    for (size_t i = 0; i < l->meeting_count; i++) {
        const lc_tf_meeting *other = &l->meetings[i];
        uint32_t shared = 0;
        for (uint32_t k = 0; k < m->count; k++) shared += has(other, m->parts[k]);
        if (other->count != m->count || shared != m->count) continue;
        memcpy(result->size, other->size, sizeof result->size);
        return true;
    }
    void *items = l->meetings;
    if (!lc_arena_grow(&l->scratch, &items, &l->meeting_capacity, l->meeting_count + 1, sizeof *l->meetings)) return false;
    l->meetings = items;
    lc_tf_symbol(l, wide, result->size);
    memcpy(m->size, result->size, sizeof m->size);
    l->meetings[l->meeting_count++] = *m;
    return true;
}

/* Dimensions of the inputs that must fit, counted from the last: those from `first` on but for `except`; -1: none of them must. */
static int32_t first_that_fit(const lc_node *n, int32_t rank, int32_t *except) {
    const lc_op_def *def = lc_op_get(n->op);
    *except = -1;
    if (n->input_count < 2 || !def) return -1;
    if (n->op == LC_OP_BATCH_MATMUL) return 2;
    if (n->op == LC_OP_CONCATENATION) {
        const int32_t axis = LC_OP_ATTRS(n, ConcatenationOptions)->axis;
        *except = axis < 0 ? -axis - 1 : rank - 1 - axis;
        return 0;
    }
    return (def->flags & LC_OPF_ELEMENTWISE) || n->op == LC_OP_SELECT || n->op == LC_OP_ADD_N || n->op == LC_OP_PACK ? 0 : -1;
}

/* The dimension that is `back` before the last; false: it has none, or one that only seems fixed. */
static bool dimension(const lc_tf_known *k, int32_t back, pair *p, bool *doubted) {
    const int32_t d = k->shape[0].rank - 1 - back;
    if (d < 0) return false;
    for (int w = 0; w < 2; w++) p->size[w] = k->shape[w].dims[d];
    *doubted |= p->size[0] == p->size[1] && k->third && k->shape[2].rank > d && k->shape[2].dims[d] != p->size[0];
    return true;
}

/* What the inputs' dimensions meet in; false: they are the same anyway, or cannot meet. */
static bool meet(lc_tf_graph *g, const lc_node *n, int32_t back, pair *result) {
    lc_tf_meeting m = {.count = 0};
    pair fixed = {{1, 1}}, p, first = {{0, 0}};
    bool differ = false, doubted = false, fits = true, any = false, wide = true;
    for (uint32_t i = 0; i < n->input_count; i++) {
        if (n->inputs[i] == LC_ABSENT || !dimension(lc_tf_known_of(&g->b, n->inputs[i]), back, &p, &doubted)) continue;
        if (p.size[0] == 1 && p.size[1] == 1) continue;
        differ |= any && !equal(first, p);
        if (!any) first = p;
        any = true;
        if (p.size[0] != p.size[1]) {
            fits &= unite(g->lower, &m, p);
            wide &= p.size[0] % LC_TF_WIDE == 0;
        } else if (fixed.size[0] != 1 && !equal(fixed, p)) return false;
        else fixed = p;
    }
    if (!differ || doubted) return false;
    *result = fixed;
    if (fixed.size[0] != 1) return true;
    if (!fits || g->lower->meeting_count == MOST) lc_tf_symbol(g->lower, wide, result->size);
    else if (!open(g->lower, &m, wide, result)) return lc_build_check(&g->b, lc_fail_memory(g->b.err, "shapes"));
    return true;
}

bool lc_tf_meet(lc_tf_graph *g, const lc_node *n, lc_infer_tensor *a, lc_infer_tensor *b) {
    lc_infer_tensor *in[2] = {a, b};
    if (n->op == LC_OP_DYNAMIC_UPDATE_SLICE && a[0].shape.rank == a[1].shape.rank) { /* what is written fits into what it is written to */
        for (int w = 0; w < 2; w++)
            for (int32_t d = 0; d < in[w][0].shape.rank && d < in[w][1].shape.rank; d++)
                if (in[w][1].shape.dims[d] > in[w][0].shape.dims[d]) in[w][1].shape.dims[d] = in[w][0].shape.dims[d];
        return true;
    }
    int32_t rank = 0, except;
    for (uint32_t i = 0; i < n->input_count; i++) {
        if (!a[i].present) continue;
        if (a[i].shape.rank != b[i].shape.rank) return false;
        if (a[i].shape.rank > rank) rank = a[i].shape.rank;
    }
    const int32_t from = first_that_fit(n, rank, &except);
    bool news = false;
    for (int32_t back = from; from >= 0 && back < rank; back++) {
        pair result;
        if (back == except || !meet(g, n, back, &result)) continue;
        for (uint32_t i = 0; i < n->input_count; i++) {
            const int32_t d = a[i].shape.rank - 1 - back;
            if (!a[i].present || d < 0 || (a[i].shape.dims[d] == 1 && b[i].shape.dims[d] == 1)) continue;
            for (int w = 0; w < 2; w++) {
                in[w][i].shape.dims[d] = result.size[w];
                in[w][i].data = NULL;
                in[w][i].size = 0;
            }
        }
        news = true;
    }
    return news;
}
