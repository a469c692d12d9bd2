/*
 * tf_list.c: TensorList and TensorArray as plain tensors [n, element...].
 *
 * A list whose elements have a shape that is known when it is made, is a tensor of zeros from then on. One whose element shape is open
 * ("reserve 28 of [?, 64]", as every recurrent net of Keras does) stays pending: it has no tensor yet, only a record. The first write says
 * what shape elements have. Outside a loop the list is made then. In a loop the writes of a first, provisional round tell; each open
 * dimension of the element is one that some tensor outside the loop has (they have the same sizes in both worlds, tf_known.c), so the list
 * is made before the loop with the shape of that tensor, whatever the batch; then the loop is lowered again (tf_control.c).
 *
 *   TensorList   the list is the value itself
 *   TensorArray  handle and flow: the handle says which array, the flow is its content
 *
 * One that may grow (dynamic_size) is filled up with zeros before each write behind its end.
 *
 * Refused: lists of lists, elements of different shapes, reading a list that nothing was written to and that has no shape.
 */
#include "lower/tf_array.h"
#include "lower/tf_impl.h"

/* ---- records ------------------------------------------------------------------------------------------------------------ */

static lc_tf_value new_list(lc_tf_call *c, lc_dtype type, lc_shape element, int32_t length, int32_t tensor) {
    lc_tf_lower *l = c->lower;
    void *items = l->lists;
    if (!lc_tf_ok(c)) return (lc_tf_value){LC_TF_NOTHING, -1, 0};
    if (!lc_arena_grow(&l->scratch, &items, &l->list_capacity, l->list_count + 1, sizeof *l->lists)) {
        lc_build_check(c->b, lc_fail_memory(l->err, "lists"));
        return (lc_tf_value){LC_TF_NOTHING, -1, 0};
    }
    l->lists = items;
    l->lists[l->list_count] = (lc_tf_list){.type = type, .element = element, .length = length, .graph = lc_tf_graph_of(c->b)};
    return (lc_tf_value){LC_TF_LIST, tensor, (int32_t)l->list_count++};
}

static lc_tf_value list_in(lc_tf_call *c, uint32_t i) {
    const lc_tf_value none = {LC_TF_NOTHING, -1, 0};
    if (!lc_tf_ok(c)) return none;
    if (i >= c->in_count) {
        lc_tf_fail(c, LC_INVALID, "it has %u inputs, needs at least %u", c->in_count, i + 1);
        return none;
    }
    if (c->in[i].kind == LC_TF_LIST) return c->in[i];
    lc_tf_fail(c, LC_INVALID, "its input %u is no list of tensors", i);
    return none;
}

static lc_tf_list *record(lc_tf_call *c, lc_tf_value v) { return &c->lower->lists[v.object]; }

/* The element shape an operator states, where it knows more than the record. */
static void learn(lc_tf_call *c, lc_tf_value v, lc_shape element) {
    lc_tf_list *r = record(c, v);
    if (element.rank == LC_RANK_UNKNOWN) return;
    if (r->element.rank == LC_RANK_UNKNOWN) {
        r->element = element;
        return;
    }
    for (int32_t d = 0; d < element.rank && element.rank == r->element.rank; d++)
        if (r->element.dims[d] < 0) r->element.dims[d] = element.dims[d];
}

/* An element is like `item`. */
static void learn_item(lc_tf_call *c, lc_tf_value v, int32_t item) {
    if (!lc_tf_ok(c)) return;
    lc_tf_list *r = record(c, v);
    const lc_tf_known *k = lc_tf_known_of(c->b, item);
    if (k->shape[0].rank == LC_RANK_UNKNOWN) return;
    r->known = true;
    r->item[0] = k->shape[0];
    r->item[1] = k->shape[1];
    if (r->type == LC_DTYPE_COUNT) r->type = lc_tf_type(c, item);
}

/* ---- making ------------------------------------------------------------------------------------------------------------- */

/* A tensor of this graph that has an open dimension of these sizes, as an int32 scalar; -1 when there is none. */
static int32_t dimension_here(lc_tf_call *c, int32_t a, int32_t b) {
    lc_tf_graph *g = lc_tf_graph_of(c->b);
    const size_t n = g->known_capacity < g->b.graph->tensor_count ? g->known_capacity : g->b.graph->tensor_count;
    for (size_t i = 0; i < n; i++) {
        const lc_tf_known *k = &g->known[i];
        for (int32_t d = 0; k->set && d < k->shape[0].rank; d++)
            if (k->shape[0].dims[d] == a && k->shape[1].rank > d && k->shape[1].dims[d] == b) return lc_tf_dim(c, (int32_t)i, d);
    }
    return -1;
}

/* The same, where it may be the largest of several (tf_meet.c). */
static int32_t dimension(lc_tf_call *c, int32_t a, int32_t b) {
    int32_t size = dimension_here(c, a, b);
    const lc_tf_meeting *found = size < 0 && lc_tf_ok(c) ? lc_tf_meeting_of(c->lower, a, b) : NULL;
    if (!found) return size;
    const lc_tf_meeting m = *found; /* what is made now may add to them */
    for (uint32_t i = 0; i < m.count; i++) {
        const int32_t part = dimension_here(c, m.parts[i][0], m.parts[i][1]);
        if (part < 0) return -1;
        size = i ? lc_tf_binary(c, LC_OP_MAXIMUM, size, part) : part;
    }
    return size;
}

/* The element's shape as an int32 vector: from what was written, else as declared. -1 when an open dimension is nowhere to be seen. */
static int32_t element_shape(lc_tf_call *c, const lc_tf_list *r, int32_t length) {
    int32_t tensors[LC_MAX_RANK + 1], values[LC_MAX_RANK + 1] = {0}, n = 0;
    const int32_t rank = r->known ? r->item[0].rank : r->element.rank;
    if (rank == LC_RANK_UNKNOWN || rank >= LC_MAX_RANK) return -1;
    if (length >= 0) tensors[n++] = length;
    for (int32_t d = 0; d < rank; d++, n++) {
        tensors[n] = LC_ABSENT;
        values[n] = r->known && r->item[0].dims[d] == r->item[1].dims[d] ? r->item[0].dims[d]
                    : r->element.rank == rank                            ? r->element.dims[d]
                                                                         : -1;
        if (values[n] < 0 && r->known) tensors[n] = dimension(c, r->item[0].dims[d], r->item[1].dims[d]);
        if (values[n] < 0 && tensors[n] < 0) return -1;
    }
    return lc_tf_vector_of(c, tensors, values, n);
}

bool lc_tf_list_make(lc_tf_call *c, lc_tf_value *v) {
    lc_tf_list *r = record(c, *v);
    if (!lc_tf_ok(c) || v->kind != LC_TF_LIST || v->tensor >= 0) return lc_tf_ok(c);
    if (r->graph != lc_tf_graph_of(c->b)) return false;
    const int32_t dims = element_shape(c, r, r->length);
    if (dims < 0) return false;
    v->tensor = lc_tf_fill(c, dims, lc_tf_scalar(c, 0, r->type));
    return lc_tf_ok(c);
}

/* The list as a tensor. In a provisional round of a loop: a stand-in of the right shape, as far as that is known. */
static int32_t content(lc_tf_call *c, lc_tf_value *v) {
    if (!lc_tf_ok(c) || v->tensor >= 0) return v->tensor;
    lc_tf_list *r = record(c, *v);
    if (lc_tf_list_make(c, v)) return v->tensor;
    if (!lc_tf_ok(c)) return -1;
    if (r->graph == lc_tf_graph_of(c->b)) {
        lc_tf_fail(c, LC_UNSUPPORTED, "it reads a list of tensors whose element shape is not known");
        lc_tf_hint(c, "give the list an element_shape, or fix the model's input shapes with --input-shape");
        return -1;
    }
    lc_tf_known k = {.set = true, .shape = {{.rank = LC_RANK_UNKNOWN}, {.rank = LC_RANK_UNKNOWN}}};
    const lc_shape *e[2] = {r->known ? &r->item[0] : &r->element, r->known ? &r->item[1] : &r->element};
    int32_t size[2];
    lc_tf_symbol(c->lower, false, size);
    for (int w = 0; w < 2 && e[0]->rank != LC_RANK_UNKNOWN && e[0]->rank < LC_MAX_RANK; w++) {
        k.shape[w].rank = e[w]->rank + 1;
        k.shape[w].dims[0] = size[w];
        for (int32_t d = 0; d < e[w]->rank; d++) k.shape[w].dims[d + 1] = e[w]->dims[d];
    }
    for (int32_t d = 1; d < k.shape[0].rank; d++) {
        if (k.shape[0].dims[d] >= 0) continue;
        lc_tf_symbol(c->lower, d > 1, size);
        for (int w = 0; w < 2; w++) k.shape[w].dims[d] = size[w];
    }
    v->tensor = lc_build_placeholder(c->b, "list", r->type == LC_DTYPE_COUNT ? LC_FLOAT32 : r->type, NULL, 0);
    if (v->tensor >= 0) lc_tf_know(c->b, v->tensor, &k);
    return v->tensor;
}

/* Whether what is given to a loop's list must wait for the round that says its shape. */
static bool waits(lc_tf_call *c, lc_tf_value *v, int32_t item) {
    if (!lc_tf_ok(c)) return true;
    if (v->tensor >= 0) return false;
    learn_item(c, *v, item);
    return !lc_tf_list_make(c, v) || !lc_tf_ok(c);
}

static int32_t scalar32(lc_tf_call *c, uint32_t i) {
    const int32_t x = lc_tf_int32(c, lc_tf_in(c, i));
    return lc_tf_ok(c) && lc_tf_shape(c, x).rank == 1 ? lc_tf_reshape(c, x, NULL, 0) : x;
}

/* list with element i replaced. */
static int32_t with_element(lc_tf_call *c, int32_t list, int32_t i, int32_t item) {
    const lc_shape s = lc_tf_ranked(c, list);
    const lc_dtype type = lc_tf_type(c, item);
    const lc_tf_types moves = LC_TF_T(FLOAT32) | LC_TF_T(INT32) | LC_TF_T(INT64) | LC_TF_T(INT8) | LC_TF_T(BOOL);
    if (!lc_tf_ok(c)) return -1;
    int32_t start[LC_MAX_RANK], zeros[LC_MAX_RANK] = {0};
    for (int32_t d = 0; d < s.rank; d++) start[d] = d ? LC_ABSENT : i;
    const int32_t in[3] = {lc_tf_movable(c, list, moves), lc_tf_movable(c, lc_tf_expand(c, item, 0), moves),
                           lc_tf_vector_of(c, start, zeros, s.rank)};
    return lc_tf_moved(c, lc_build_op(c->b, LC_OP_DYNAMIC_UPDATE_SLICE, LC_TABLE_NONE, NULL, in, 3), type);
}

/* list, with zeros behind it where it ends before element i. */
static int32_t grown(lc_tf_call *c, int32_t list, int32_t i) {
    int32_t tensors[LC_MAX_RANK], values[LC_MAX_RANK] = {0};
    const lc_shape s = lc_tf_ranked(c, list);
    const int32_t lacks = lc_tf_with(c, LC_OP_ADD, lc_tf_binary(c, LC_OP_SUB, i, lc_tf_dim(c, list, 0)), 1);
    const int32_t more = lc_tf_with(c, LC_OP_MAXIMUM, lacks, 0);
    for (int32_t d = 0; d < s.rank; d++) tensors[d] = d ? lc_tf_dim(c, list, d) : more;
    const int32_t dims = lc_tf_vector_of(c, tensors, values, s.rank);
    const int32_t parts[2] = {list, lc_tf_fill(c, dims, lc_tf_scalar(c, 0, lc_tf_type(c, list)))};
    return lc_tf_concat(c, parts, 2, 0);
}

/* ---- TensorList ----------------------------------------------------------------------------------------------------------- */

static lc_dtype element_type(lc_tf_call *c, const char *attr) { return lc_tf_attr_type(c, attr); }

/* [element_shape, num_elements] */
void lc_tf_op_list_reserve(lc_tf_call *c) {
    const lc_shape element = lc_tf_shape_value(c, lc_tf_in(c, 0));
    lc_tf_value v = new_list(c, element_type(c, "element_dtype"), element, scalar32(c, 1), -1);
    if (lc_tf_ok(c)) lc_tf_list_make(c, &v);
    lc_tf_give_value(c, 0, v);
}

/* [element_shape, max_num_elements]: it grows. */
void lc_tf_op_list_empty(lc_tf_call *c) {
    const lc_shape element = lc_tf_shape_value(c, lc_tf_in(c, 0));
    lc_tf_value v = new_list(c, element_type(c, "element_dtype"), element, lc_tf_scalar(c, 0, LC_INT32), -1);
    if (lc_tf_ok(c)) lc_tf_list_make(c, &v);
    lc_tf_give_value(c, 0, v);
}

static lc_shape without_first(lc_shape s) {
    if (s.rank < 1) return (lc_shape){.rank = LC_RANK_UNKNOWN};
    lc_shape e = {.rank = s.rank - 1};
    for (int32_t d = 0; d < e.rank; d++) e.dims[d] = s.dims[d + 1];
    return e;
}

/* [tensor, element_shape] */
void lc_tf_op_list_from_tensor(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_tf_value v = new_list(c, lc_tf_type(c, x), without_first(lc_tf_ranked(c, x)), -1, x);
    lc_tf_give_value(c, 0, v);
}

/* [list, index, element_shape] */
void lc_tf_op_list_get(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 0);
    const int32_t i = scalar32(c, 1);
    if (lc_tf_ok(c) && c->in_count > 2) learn(c, v, lc_tf_shape_value(c, lc_tf_in(c, 2)));
    lc_tf_give(c, 0, lc_tf_gather(c, content(c, &v), i, 0, 0));
}

/* [list, index, item] */
void lc_tf_op_list_set(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 0);
    const int32_t i = scalar32(c, 1), item = lc_tf_in(c, 2);
    const bool grows = lc_tf_attr_bool(c, "resize_if_index_out_of_bounds", false);
    if (!waits(c, &v, item)) v.tensor = with_element(c, grows ? grown(c, v.tensor, i) : v.tensor, i, item);
    lc_tf_give_value(c, 0, v);
}

/* [list, item] */
void lc_tf_op_list_push(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 0);
    const int32_t item = lc_tf_in(c, 1);
    if (!waits(c, &v, item)) {
        const int32_t parts[2] = {v.tensor, lc_tf_expand(c, item, 0)};
        v.tensor = lc_tf_concat(c, parts, 2, 0);
    }
    lc_tf_give_value(c, 0, v);
}

/* [list, element_shape] -> list, element */
void lc_tf_op_list_pop(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 0);
    const int32_t x = content(c, &v);
    lc_tf_give(c, 1, lc_tf_pick(c, x, 0, -1));
    v.tensor = lc_tf_cut_at(c, x, 0, 0, -1);
    lc_tf_give_value(c, 0, v);
}

/* [list, element_shape] */
void lc_tf_op_list_stack(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 0);
    if (lc_tf_ok(c) && c->in_count > 1) learn(c, v, lc_tf_shape_value(c, lc_tf_in(c, 1)));
    lc_tf_give(c, 0, content(c, &v));
}

void lc_tf_op_list_length(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 0);
    const lc_tf_list *r = lc_tf_ok(c) ? record(c, v) : NULL;
    if (r && v.tensor < 0 && r->graph == lc_tf_graph_of(c->b) && r->length >= 0) lc_tf_give(c, 0, r->length);
    else lc_tf_give(c, 0, lc_tf_dim(c, content(c, &v), 0));
}

void lc_tf_op_list_element_shape(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 0);
    const int32_t shape = lc_tf_shape_tensor(c, content(c, &v));
    const int32_t y = lc_tf_cut_at(c, shape, 0, 1, 0);
    lc_tf_give(c, 0, lc_build_cast(c->b, y, lc_tf_attr_type(c, "shape_type") == LC_INT64 ? LC_INT64 : LC_INT32));
}

/* [list, size]: cut, or filled up with zeros. */
void lc_tf_op_list_resize(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 0);
    const int32_t size = scalar32(c, 1);
    if (!lc_tf_ok(c)) return;
    lc_tf_list *r = record(c, v);
    if (v.tensor < 0 && r->graph == lc_tf_graph_of(c->b)) { /* nothing in it yet: another length */
        lc_tf_value other = new_list(c, r->type, r->element, size, -1);
        if (lc_tf_ok(c)) lc_tf_list_make(c, &other);
        lc_tf_give_value(c, 0, other);
        return;
    }
    const int32_t x = content(c, &v);
    int32_t tensors[LC_MAX_RANK], values[LC_MAX_RANK] = {0};
    const lc_shape s = lc_tf_ranked(c, x);
    for (int32_t d = 0; d < s.rank; d++) tensors[d] = d ? lc_tf_dim(c, x, d) : size;
    const int32_t parts[2] = {x, lc_tf_fill(c, lc_tf_vector_of(c, tensors, values, s.rank), lc_tf_scalar(c, 0, lc_tf_type(c, x)))};
    v.tensor = lc_tf_cut(c, lc_tf_concat(c, parts, 2, 0), 0, LC_ABSENT, size, 1);
    lc_tf_give_value(c, 0, v);
}

/* The elements one after another along their first dimension; and how long each is there. */
static void concatenated(lc_tf_call *c, lc_tf_value v) {
    const int32_t x = content(c, &v);
    if (lc_tf_ok(c) && lc_tf_ranked(c, x).rank < 2) lc_tf_fail(c, LC_INVALID, "elements that are scalars cannot be concatenated");
    lc_tf_give(c, 0, lc_tf_merge_dims(c, x, 0, 2));
    if (!lc_tf_ok(c) || c->out_count < 2) return;
    const int32_t n[1] = {lc_tf_dim(c, x, 0)}, zero[1] = {0};
    lc_tf_give(c, 1, lc_build_cast(c->b, lc_tf_fill(c, lc_tf_vector_of(c, n, zero, 1), lc_tf_dim(c, x, 1)), LC_INT64));
}

void lc_tf_op_list_concat(lc_tf_call *c) { concatenated(c, list_in(c, 0)); }

/* [list, list] */
void lc_tf_op_list_concat_lists(lc_tf_call *c) {
    lc_tf_value a = list_in(c, 0), b = list_in(c, 1);
    const int32_t parts[2] = {content(c, &a), content(c, &b)};
    a.tensor = lc_tf_concat(c, parts, 2, 0);
    lc_tf_give_value(c, 0, a);
}

/* [list, indices, element_shape] */
void lc_tf_op_list_gather(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 0);
    const int32_t indices = lc_tf_int32(c, lc_tf_in(c, 1));
    lc_tf_give(c, 0, lc_tf_gather(c, content(c, &v), indices, 0, 0));
}

/* Rows of x to places of a list of n zeros. */
static int32_t scattered(lc_tf_call *c, int32_t x, int32_t indices, int32_t length) {
    int32_t tensors[LC_MAX_RANK], values[LC_MAX_RANK] = {0};
    const lc_shape s = lc_tf_ranked(c, x);
    for (int32_t d = 0; d < s.rank; d++) tensors[d] = d ? lc_tf_dim(c, x, d) : length;
    const int32_t zeros = lc_tf_fill(c, lc_tf_vector_of(c, tensors, values, s.rank), lc_tf_scalar(c, 0, lc_tf_type(c, x)));
    return lc_tf_scatter(c, LC_TF_FOLD_UPDATE, zeros, lc_tf_expand(c, indices, 1), x);
}

/* Indices 0, 1, 2 ... of all of x: the rows stay where they are. */
static bool in_order(lc_tf_call *c, int32_t indices, int32_t x) {
    int64_t values[256];
    uint32_t n;
    if (!lc_tf_same_dim(c, indices, 0, x, 0)) return false;
    const lc_tf_known k = *lc_tf_known_of(c->b, indices);
    if (lc_tf_ints(c, indices, values, 256, &n)) {
        for (uint32_t i = 0; i < n; i++)
            if (values[i] != i) return false;
        return true;
    }
    if (lc_tf_type(c, indices) != LC_INT32) return false;
    for (int w = 0; w < 2; w++) { /* the same in both worlds, as far as each has them */
        if (!k.value[w]) return false;
        for (size_t i = 0; i < k.size[w] / sizeof(int32_t); i++)
            if (((const int32_t *)k.value[w])[i] != (int32_t)i) return false;
    }
    return true;
}

/* [tensor, indices, element_shape, num_elements] */
void lc_tf_op_list_scatter(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), indices = lc_tf_int32(c, lc_tf_in(c, 1));
    int32_t length = -1;
    if (c->in_count > 3) length = scalar32(c, 3);
    int64_t n;
    uint32_t one;
    const bool all = length < 0 || (lc_tf_ints(c, length, &n, 1, &one) && n < 0); /* as many as the largest index says */
    if (all) {
        const int32_t axis = 0;
        length = lc_tf_with(c, LC_OP_ADD, lc_build_reduce(c->b, LC_OP_REDUCE_MAX, indices, &axis, 1, false), 1);
    }
    const int32_t y = all && lc_tf_ok(c) && in_order(c, indices, x) ? x : scattered(c, x, indices, length);
    lc_tf_give_value(c, 0, new_list(c, lc_tf_type(c, x), without_first(lc_tf_ranked(c, x)), -1, y));
}

/* Rows of x to places of a list. Filling an empty one with all of a tensor is how loops get their input: that is the tensor. */
static lc_tf_value scatter_into(lc_tf_call *c, lc_tf_value v, int32_t x, int32_t indices) {
    if (!lc_tf_ok(c)) return v;
    const lc_tf_list *r = record(c, v);
    const bool empty = v.tensor < 0;
    if (empty && in_order(c, indices, x)) v.tensor = x;
    else if (empty && r->graph == lc_tf_graph_of(c->b)) v.tensor = scattered(c, x, indices, r->length);
    else v.tensor = lc_tf_scatter(c, LC_TF_FOLD_UPDATE, content(c, &v), lc_tf_expand(c, indices, 1), x);
    return v;
}

/* [list, tensor, indices] */
void lc_tf_op_list_scatter_into(lc_tf_call *c) {
    const lc_tf_value v = list_in(c, 0);
    lc_tf_give_value(c, 0, scatter_into(c, v, lc_tf_in(c, 1), lc_tf_int32(c, lc_tf_in(c, 2))));
}

/* [tensor, element_shape, lengths]: pieces that are equally long. */
static int32_t pieces(lc_tf_call *c, int32_t x, int32_t lengths) {
    int64_t n[1024];
    const uint32_t count = lc_tf_need_ints(c, lengths, "lengths", n, 1024);
    for (uint32_t i = 1; i < count && lc_tf_ok(c); i++)
        if (n[i] != n[0]) return lc_tf_fail(c, LC_UNSUPPORTED, "its pieces are not equally long, which a tensor cannot hold");
    const int32_t dims[2] = {(int32_t)count, count && n[0] <= INT32_MAX ? (int32_t)n[0] : 0};
    return lc_tf_split_dim(c, x, 0, dims, 2);
}

void lc_tf_op_list_split(lc_tf_call *c) {
    const int32_t y = pieces(c, lc_tf_in(c, 0), lc_tf_in(c, 2));
    lc_tf_give_value(c, 0, new_list(c, lc_tf_type(c, y), without_first(lc_tf_ranked(c, y)), -1, y));
}

/* ---- TensorArray: the handle names the record, the flow is the list --------------------------------------------------------------- */

/* [size] -> handle, flow */
void lc_tf_op_array_new(lc_tf_call *c) {
    lc_tf_value v = new_list(c, element_type(c, "dtype"), lc_tf_attr_shape(c, "element_shape"), scalar32(c, 0), -1);
    const lc_tf_value handle = v;
    if (lc_tf_ok(c)) record(c, v)->grows = lc_tf_attr_bool(c, "dynamic_size", false);
    if (lc_tf_ok(c)) lc_tf_list_make(c, &v);
    lc_tf_give_value(c, 0, handle);
    lc_tf_give_value(c, 1, v);
}

/* [handle, index, value, flow] */
void lc_tf_op_array_write(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 3);
    const int32_t i = scalar32(c, 1), item = lc_tf_in(c, 2);
    if (!waits(c, &v, item)) v.tensor = with_element(c, record(c, v)->grows ? grown(c, v.tensor, i) : v.tensor, i, item);
    lc_tf_give_value(c, 0, v);
}

/* [handle, index, flow] */
void lc_tf_op_array_read(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 2);
    const int32_t i = scalar32(c, 1);
    lc_tf_give(c, 0, lc_tf_gather(c, content(c, &v), i, 0, 0));
}

/* [handle, indices, flow] */
void lc_tf_op_array_gather(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 2);
    const int32_t indices = lc_tf_int32(c, lc_tf_in(c, 1)), x = content(c, &v);
    lc_tf_give(c, 0, lc_tf_ok(c) && in_order(c, indices, x) ? x : lc_tf_gather(c, x, indices, 0, 0));
}

/* [handle, indices, value, flow] */
void lc_tf_op_array_scatter(lc_tf_call *c) {
    const lc_tf_value v = list_in(c, 3);
    lc_tf_give_value(c, 0, scatter_into(c, v, lc_tf_in(c, 2), lc_tf_int32(c, lc_tf_in(c, 1))));
}

/* [handle, flow] */
void lc_tf_op_array_size(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 1);
    const lc_tf_list *r = lc_tf_ok(c) ? record(c, v) : NULL;
    if (r && v.tensor < 0 && r->graph == lc_tf_graph_of(c->b) && r->length >= 0) lc_tf_give(c, 0, r->length);
    else lc_tf_give(c, 0, lc_tf_dim(c, content(c, &v), 0));
}

/* [handle, flow] -> value, lengths */
void lc_tf_op_array_concat(lc_tf_call *c) { concatenated(c, list_in(c, 1)); }

/* [handle, value, lengths, flow] */
void lc_tf_op_array_split(lc_tf_call *c) {
    lc_tf_value v = list_in(c, 3);
    v.tensor = pieces(c, lc_tf_in(c, 1), lc_tf_in(c, 2));
    lc_tf_give_value(c, 0, v);
}
