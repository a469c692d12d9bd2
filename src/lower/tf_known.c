/*
 * tf_known.c: what is known of each tensor, by working everything out in two worlds (tf_lower.h). A world gives each open dimension a size;
 * the sizes differ between the worlds, so whatever comes out the same in both does not depend on them.
 *
 *   shapes   every operator's own shape rule, with the world's input shapes and values
 *   values   of small tensors: every operator's own reference kernel, with the world's values
 *
 * What a rule cannot know before the run (how many WHERE finds) is an open dimension of its own. Where a rule refuses the made-up sizes,
 * open dimensions that must fit become one (tf_meet.c); where that is not it, the outputs fall back to what plain inference says. So worlds
 * only ever add knowledge.
 *
 * Two worlds of large sizes agree on min(size, 50) and on size > 8, which do depend on the size. A third world has 1 where the others have large
 * sizes, and large ones where they have small; it makes nothing known, but what it contradicts is not the same in all runs. It
 * ends where a rule refuses its sizes (an image smaller than the window).
 */
#include "ir/constant.h"
#include "kernels/kernel.h"
#include "lower/tf_impl.h"

#include <string.h>

enum { SMALL = 1024 /* elements of a value that is worked out */ };

/* ---- open dimensions ------------------------------------------------------------------------------------------------ */

static uint32_t next_prime(uint32_t n) {
    for (;; n++) {
        bool prime = n > 1;
        for (uint32_t d = 2; d * d <= n && prime; d++) prime = n % d != 0;
        if (prime) return n;
    }
}

/* Primes, so that products and sums of them are not mistaken for each other; between the two worlds each grows by another number, so that
 * the difference of two is not mistaken for fixed. LC_TF_WIDE times as large where windows slide. */
void lc_tf_symbol(lc_tf_lower *l, bool wide, int32_t size[2]) {
    if (l->symbols < 2) l->symbols = 2;
    const uint32_t a = next_prime(l->symbols), b = next_prime(a + l->growth + 1);
    l->symbols = b < 20000 ? a + 1 : 2;
    l->growth = b < 20000 ? b - a : 0;
    size[0] = (int32_t)(wide ? a * LC_TF_WIDE : a);
    size[1] = (int32_t)(wide ? b * LC_TF_WIDE : b);
}

/* Its size in the third world, from that in the first, which is a prime, or LC_TF_WIDE times a prime. */
static int32_t third_size(int32_t first) { return first % LC_TF_WIDE == 0 ? 1 : first * LC_TF_WIDE; }

/* ---- the records ------------------------------------------------------------------------------------------------------- */

static lc_tf_known nothing = {.set = true, .shape = {{.rank = LC_RANK_UNKNOWN}, {.rank = LC_RANK_UNKNOWN}}};

/* Open dimensions become symbols: the first (a batch) small, the others wide. */
static void open_shape(lc_tf_lower *l, const lc_shape *shape, lc_shape world[3]) {
    world[0] = world[1] = world[2] = *shape;
    for (int32_t d = 0; d < shape->rank; d++) {
        if (shape->dims[d] >= 0) continue;
        int32_t size[2];
        lc_tf_symbol(l, d > 0, size);
        world[0].dims[d] = size[0];
        world[1].dims[d] = size[1];
        world[2].dims[d] = third_size(size[0]);
    }
}

static lc_shape shape_of(const lc_tensor *t) {
    lc_shape s = {.rank = t->has_rank && t->rank <= LC_MAX_RANK ? t->rank : LC_RANK_UNKNOWN};
    for (int32_t d = 0; d < s.rank; d++) s.dims[d] = lc_tensor_dim(t, d);
    return s;
}

static lc_status refine(lc_tf_graph *g, int32_t tensor, const lc_tf_known *k);

static lc_tf_known *record(lc_tf_graph *g, int32_t tensor) {
    const size_t need = g->b.graph->tensor_count;
    if (tensor < 0 || (size_t)tensor >= need) return &nothing;
    if (need > g->known_capacity) {
        void *items = g->known;
        if (!lc_arena_grow(&g->lower->scratch, &items, &g->known_capacity, need, sizeof *g->known)) {
            lc_build_check(&g->b, lc_fail_memory(g->b.err, "shapes"));
            return &nothing;
        }
        g->known = items;
    }
    return &g->known[tensor];
}

lc_tf_known *lc_tf_known_of(lc_builder *b, int32_t tensor) {
    lc_tf_graph *g = lc_tf_graph_of(b);
    lc_tf_known *k = record(g, tensor);
    if (k->set) return k;
    const lc_tensor *t = &b->graph->tensors[tensor];
    const lc_shape s = shape_of(t);
    k->set = true;
    k->third = s.rank != LC_RANK_UNKNOWN;
    open_shape(g->lower, &s, k->shape);
    if (t->data && t->type != LC_STRING) {
        k->value[0] = k->value[1] = k->value[2] = t->data;
        k->size[0] = k->size[1] = k->size[2] = t->size;
    }
    return k;
}

void lc_tf_know(lc_builder *b, int32_t tensor, const lc_tf_known *known) {
    lc_tf_known *k = record(lc_tf_graph_of(b), tensor);
    if (k == &nothing) return;
    *k = *known;
    k->set = true;
    lc_build_check(b, refine(lc_tf_graph_of(b), tensor, k));
}

/* ---- working out ---------------------------------------------------------------------------------------------------------- */

typedef struct world_run {
    lc_tf_graph *g;
    const lc_node *node;
    int w;
    lc_infer_tensor *in, *out;
    lc_arena *temporary;
} world_run;

static bool describe(world_run *r) {
    for (uint32_t i = 0; i < r->node->input_count; i++) {
        const int32_t t = r->node->inputs[i];
        if (t == LC_ABSENT) continue;
        const lc_tf_known *k = lc_tf_known_of(&r->g->b, t);
        const lc_tensor *def = &r->g->b.graph->tensors[t];
        if (k->shape[r->w].rank == LC_RANK_UNKNOWN || (r->w == 2 && !k->third)) return false;
        r->in[i] = (lc_infer_tensor){.present = true,
                                     .type = def->type,
                                     .shape = k->shape[r->w],
                                     .data = k->value[r->w],
                                     .size = k->size[r->w],
                                     .quant = def->quant,
                                     .def = def};
    }
    for (uint32_t i = 0; i < r->node->output_count; i++) {
        const lc_tensor *def = &r->g->b.graph->tensors[r->node->outputs[i]];
        r->out[i] = (lc_infer_tensor){.present = true, .type = def->type, .def = def};
    }
    return true;
}

/* Only the shape of its input matters. */
static bool reads_shape_only(int32_t op) { return op == LC_OP_SHAPE || op == LC_OP_RANK; }

/* Not to be mistaken for a value that cannot be known. */
static bool out_of_memory(world_run *r) { return lc_build_check(&r->g->b, lc_fail_memory(r->g->b.err, "shapes")); }

/* The outputs' values in this world, by the reference kernel; false when they cannot be known. values: [output_count]. */
static bool evaluate(world_run *r, lc_value *values) {
    const lc_node *n = r->node;
    const lc_op_def *def = lc_op_get(n->op);
    if (!def || (def->flags & (LC_OPF_SIDE_EFFECT | LC_OPF_CALLS)) || !lc_kernel_ref(n->op) || n->input_count == 0) return false;
    for (uint32_t i = 0; i < n->input_count; i++)
        if (r->in[i].present && !r->in[i].data && !reads_shape_only(n->op)) return false;
    lc_value *in = lc_arena_array(r->temporary, n->input_count, sizeof *in);
    lc_value **io = lc_arena_array(r->temporary, (size_t)n->input_count + n->output_count, sizeof *io);
    if (!in || !io) return out_of_memory(r);
    for (uint32_t i = 0; i < n->input_count; i++) {
        if (!r->in[i].present) continue;
        in[i] = (lc_value){.type = r->in[i].type,
                           .shape = r->in[i].shape,
                           .data = (void *)(uintptr_t)r->in[i].data,
                           .size = r->in[i].size,
                           .constant = r->in[i].data != NULL,
                           .def = r->in[i].def};
        io[i] = &in[i];
    }
    for (uint32_t i = 0; i < n->output_count; i++) {
        uint64_t elements, bytes;
        lc_value *v = &values[i];
        *v = (lc_value){.type = r->out[i].type, .shape = r->out[i].shape, .def = r->out[i].def};
        if (v->type == LC_STRING || v->type == LC_RESOURCE || v->type == LC_VARIANT || !lc_shape_elements(&v->shape, &elements) ||
            elements > SMALL || !lc_dtype_bytes(v->type, elements, &bytes))
            return false;
        v->size = (size_t)bytes;
        v->data = lc_arena_data(&r->g->lower->scratch, v->size ? v->size : 1);
        if (!v->data) return out_of_memory(r);
        io[n->input_count + i] = v;
    }
    const lc_status status = lc_kernel_run_once(n, io, n->input_count, io + n->input_count, n->output_count, NULL, r->temporary, NULL);
    if (status == LC_NO_MEMORY) out_of_memory(r);
    return status == LC_OK;
}

/* Dimensions that the world's rule left open are the same open dimension in both worlds. */
static void close_shapes(lc_tf_graph *g, const lc_infer_tensor *a, const lc_infer_tensor *b, lc_tf_known *k) {
    k->shape[0] = a->shape;
    k->shape[1] = b->shape;
    for (int32_t d = 0; d < a->shape.rank; d++) {
        if (a->shape.dims[d] >= 0 && b->shape.dims[d] >= 0) continue;
        int32_t size[2];
        lc_tf_symbol(g->lower, false, size);
        k->shape[0].dims[d] = size[0];
        k->shape[1].dims[d] = size[1];
        if (k->third && d < k->shape[2].rank) k->shape[2].dims[d] = third_size(size[0]);
    }
    for (int32_t d = 0; k->third && d < k->shape[2].rank; d++) k->third = k->shape[2].dims[d] >= 0;
}

/* Tells the tensor what the worlds agree on: a rank and dimensions that plain inference left open. */
static lc_status refine(lc_tf_graph *g, int32_t tensor, const lc_tf_known *k) {
    lc_tensor *t = &g->b.graph->tensors[tensor];
    const lc_shape *a = &k->shape[0], *b = &k->shape[1];
    lc_shape all; /* what all worlds agree on */
    if (a->rank == LC_RANK_UNKNOWN || a->rank != b->rank) {
        t->has_rank = false;
        t->rank = 0;
        t->signature = NULL;
        return LC_OK;
    }
    bool open = false, news = !t->has_rank || t->rank != a->rank;
    for (int32_t d = 0; d < a->rank; d++) {
        const bool doubted = k->third && (k->shape[2].rank != a->rank || k->shape[2].dims[d] != a->dims[d]);
        all.dims[d] = a->dims[d] == b->dims[d] && !doubted ? a->dims[d] : -1;
        if (!news && lc_tensor_dim(t, d) != all.dims[d]) news = true;
        open |= all.dims[d] < 0;
    }
    if (!news) return LC_OK;
    int32_t *dims = lc_arena_array(&g->b.model->arena, (size_t)a->rank * 2 + 1, sizeof *dims);
    if (!dims) return lc_fail_memory(g->b.err, "tensor shape");
    int32_t *signature = dims + a->rank;
    for (int32_t d = 0; d < a->rank; d++) {
        signature[d] = all.dims[d];
        dims[d] = signature[d] < 0 ? 1 : signature[d];
    }
    t->rank = a->rank;
    t->dims = dims;
    t->signature = open ? signature : NULL;
    t->has_rank = true;
    return LC_OK;
}

/* The output becomes a constant. */
static lc_status settle(lc_tf_graph *g, int32_t tensor, const lc_tf_known *k) {
    lc_tensor *t = &g->b.graph->tensors[tensor];
    void *data = lc_arena_data(&g->b.model->arena, k->size[0] ? k->size[0] : 1);
    if (!data) return lc_fail_memory(g->b.err, "constant");
    if (k->size[0]) memcpy(data, k->value[0], k->size[0]);
    t->data = data;
    t->size = k->size[0];
    t->data_owned = true;
    t->data_at = LC_NO_OFFSET;
    return LC_OK;
}

/* The third world knows the value, and it is another one. */
static bool contradicted(const lc_tf_known *k) {
    if (!k->third) return false;
    return !lc_shape_equal(&k->shape[0], &k->shape[2]) || (k->value[2] && memcmp(k->value[0], k->value[2], k->size[0]) != 0);
}

static bool same_value(const lc_tf_known *k) {
    return k->value[0] && k->value[1] && k->size[0] == k->size[1] && lc_shape_equal(&k->shape[0], &k->shape[1]) &&
           !memcmp(k->value[0], k->value[1], k->size[0]) && !contradicted(k);
}

static bool same_inputs(lc_tf_graph *g, const lc_node *n) {
    for (uint32_t i = 0; i < n->input_count; i++) {
        if (n->inputs[i] == LC_ABSENT) continue;
        const lc_tf_known *k = lc_tf_known_of(&g->b, n->inputs[i]);
        if (k->value[0] != k->value[1] || !lc_shape_equal(&k->shape[0], &k->shape[1])) return false;
    }
    return true;
}

static bool give_shape(lc_tf_graph *g, int32_t tensor, const void *shape, size_t rank) {
    int32_t *dims = lc_arena_array(&g->b.model->arena, rank * 2 + 1, sizeof *dims);
    if (!dims) return lc_build_check(&g->b, lc_fail_memory(g->b.err, "tensor shape"));
    memcpy(dims + rank, shape, rank * sizeof *dims);
    bool open = false;
    for (size_t d = 0; d < rank; d++) {
        open |= dims[rank + d] < 0;
        dims[d] = dims[rank + d] < 0 ? 1 : dims[rank + d];
    }
    lc_tensor *out = &g->b.graph->tensors[tensor];
    out->rank = (int32_t)rank;
    out->dims = dims;
    out->signature = open ? dims + rank : NULL;
    out->has_rank = true;
    return true;
}

/* What RESHAPE to a constant shape gives does not depend on the rank it is given; RANK gives a scalar, SHAPE a vector. */
static bool ranked_anyway(lc_tf_graph *g, const lc_node *n) {
    if (n->op == LC_OP_RANK) return true;
    if (n->op == LC_OP_SHAPE) return give_shape(g, n->outputs[0], &(int32_t){-1}, 1);
    const lc_tensor *shape = n->op == LC_OP_RESHAPE && n->input_count == 2 ? &g->b.graph->tensors[n->inputs[1]] : NULL;
    if (!shape || !shape->data || shape->type != LC_INT32 || shape->size > LC_MAX_RANK * sizeof(int32_t)) return false;
    return give_shape(g, n->outputs[0], shape->data, shape->size / sizeof(int32_t));
}

/* Outputs as plain inference has them: nothing that depends on a world. An input of unknown rank makes them unknown. */
static void fall_back(lc_tf_graph *g, const lc_node *n) {
    bool ranked = true;
    for (uint32_t i = 0; i < n->input_count; i++)
        if (n->inputs[i] != LC_ABSENT && lc_tf_known_of(&g->b, n->inputs[i])->shape[0].rank == LC_RANK_UNKNOWN) ranked = false;
    for (uint32_t i = 0; i < n->output_count; i++) {
        if (!ranked && !ranked_anyway(g, n)) {
            g->b.graph->tensors[n->outputs[i]].has_rank = false;
            g->b.graph->tensors[n->outputs[i]].rank = 0;
            g->b.graph->tensors[n->outputs[i]].signature = NULL;
        }
        lc_tf_known_of(&g->b, n->outputs[i]);
    }
}

/* Shapes of the outputs from those of the inputs; false when they do not fit the rule. */
static bool apply(world_run *run) {
    const lc_node *n = run->node;
    lc_infer_ctx ctx = {n, run->in, n->input_count, run->out, n->output_count, NULL};
    const lc_status status = lc_op_infer(&ctx);
    if (status == LC_NO_MEMORY) out_of_memory(run);
    bool fine = status == LC_OK;
    for (uint32_t i = 0; fine && i < n->output_count; i++) fine = run->out[i].shape.rank != LC_RANK_UNKNOWN;
    return fine;
}

/* In world w. */
static bool infer(world_run *run, lc_tf_graph *g, const lc_node *n, int w, lc_infer_tensor *io, lc_arena *temporary) {
    *run = (world_run){g, n, w, io + (size_t)w * (n->input_count + n->output_count), NULL, temporary};
    run->out = run->in + n->input_count;
    return describe(run) && apply(run);
}

/* In both worlds, with one dimension where open ones must fit. */
static bool infer_met(world_run run[2]) {
    if (!describe(&run[0]) || !describe(&run[1]) || !lc_tf_meet(run->g, run->node, run[0].in, run[1].in)) return false;
    return apply(&run[0]) && apply(&run[1]);
}

static void built(lc_builder *b) {
    lc_tf_graph *g = lc_tf_graph_of(b);
    const lc_node *n = &b->graph->nodes[b->graph->node_count - 1];
    lc_arena temporary = {0};
    lc_infer_tensor *io = lc_arena_array(&temporary, ((size_t)n->input_count + n->output_count) * 3, sizeof *io);
    lc_value *values = lc_arena_array(&temporary, (size_t)n->output_count * 3, sizeof *values);
    if (!io || !values) {
        lc_build_check(b, lc_fail_memory(b->err, "shapes"));
        lc_arena_deinit(&temporary);
        return;
    }
    world_run run[3];
    bool fine = true, known[3] = {false, false, false};
    const bool same = same_inputs(g, n);
    for (int w = 0; w < 2; w++) fine = infer(&run[w], g, n, w, io, &temporary) && fine;
    const bool met = !fine && infer_met(run);
    fine |= met;
    for (uint32_t i = 0; fine && i < n->output_count; i++) fine = run[0].out[i].shape.rank == run[1].out[i].shape.rank;
    if (!fine) {
        fall_back(g, n);
        lc_arena_deinit(&temporary);
        return;
    }
    known[0] = !met && evaluate(&run[0], values);
    if (same && known[0]) memcpy(values + n->output_count, values, n->output_count * sizeof *values);
    known[1] = known[0] && (same || evaluate(&run[1], values + n->output_count));
    const bool third = !met && infer(&run[2], g, n, 2, io, &temporary);
    known[2] = third && known[1] && evaluate(&run[2], values + 2 * (size_t)n->output_count);
    bool constant = n->output_count > 0;
    for (uint32_t i = 0; i < n->output_count; i++) {
        lc_tf_known *k = record(g, n->outputs[i]);
        if (k == &nothing) break;
        *k = (lc_tf_known){.set = true};
        if (third) {
            k->third = true;
            k->shape[2] = run[2].out[i].shape;
        }
        close_shapes(g, &run[0].out[i], &run[1].out[i], k);
        if (known[0] && known[1])
            for (int w = 0; w < (known[2] ? 3 : 2); w++) {
                k->value[w] = values[i + (size_t)w * n->output_count].data;
                k->size[w] = values[i + (size_t)w * n->output_count].size;
            }
        lc_build_check(b, refine(g, n->outputs[i], k));
        constant = constant && same_value(k);
    }
    for (uint32_t i = 0; constant && b->status == LC_OK && i < n->output_count; i++)
        lc_build_check(b, settle(g, n->outputs[i], record(g, n->outputs[i])));
    if (constant && b->status == LC_OK) b->graph->node_count--;
    lc_arena_deinit(&temporary);
}

lc_tf_graph *lc_tf_graph_begin(lc_tf_lower *l, lc_graph *graph, lc_tf_graph *outer) {
    lc_tf_graph *g = lc_arena_alloc(&l->scratch, sizeof *g);
    if (!g) return NULL;
    lc_builder_init(&g->b, l->model, graph, l->err);
    g->b.what = outer ? outer->b.what : "node";
    g->b.built = built;
    g->b.user = g;
    g->lower = l;
    g->outer = outer;
    return g;
}

/* ---- asking --------------------------------------------------------------------------------------------------------------------- */

bool lc_tf_is_const(lc_tf_call *c, int32_t tensor) {
    const lc_tensor *t = lc_build_tensor(c->b, tensor);
    return t && lc_tensor_is_const(t);
}

static int64_t integer_at(lc_dtype type, const void *data, size_t i) {
    const uint8_t *p = data;
    switch (type) {
    case LC_INT8: return ((const int8_t *)p)[i];
    case LC_UINT8:
    case LC_BOOL: return p[i];
    case LC_INT16: {
        int16_t v;
        return memcpy(&v, p + i * sizeof v, sizeof v), v;
    }
    case LC_UINT16: {
        uint16_t v;
        return memcpy(&v, p + i * sizeof v, sizeof v), v;
    }
    case LC_INT32: {
        int32_t v;
        return memcpy(&v, p + i * sizeof v, sizeof v), v;
    }
    case LC_UINT32: {
        uint32_t v;
        return memcpy(&v, p + i * sizeof v, sizeof v), v;
    }
    default: {
        int64_t v;
        return memcpy(&v, p + i * sizeof v, sizeof v), v;
    }
    }
}

static bool is_integer(lc_dtype t) {
    return t == LC_INT8 || t == LC_UINT8 || t == LC_BOOL || t == LC_INT16 || t == LC_UINT16 || t == LC_INT32 || t == LC_UINT32 ||
           t == LC_INT64 || t == LC_UINT64;
}

bool lc_tf_ints(lc_tf_call *c, int32_t tensor, int64_t *values, uint32_t max, uint32_t *n) {
    const lc_tensor *t = lc_build_tensor(c->b, tensor);
    uint64_t elements;
    *n = 0;
    if (!t || !t->data || !is_integer(t->type) || !lc_tensor_elements(t, &elements) || elements > max ||
        t->size < elements * lc_dtype_bits(t->type) / 8)
        return false;
    for (uint32_t i = 0; i < elements; i++) values[i] = integer_at(t->type, t->data, i);
    *n = (uint32_t)elements;
    return true;
}

uint32_t lc_tf_need_ints(lc_tf_call *c, int32_t tensor, const char *what, int64_t *values, uint32_t max) {
    uint32_t n;
    if (lc_tf_ints(c, tensor, values, max, &n)) return n;
    const lc_tensor *t = lc_build_tensor(c->b, tensor);
    if (!t) return 0;
    if (t->data && is_integer(t->type)) lc_tf_fail(c, LC_INVALID, "its %s has more than %u elements", what, max);
    else if (t->data) lc_tf_fail(c, LC_INVALID, "its %s is %s, needs integers", what, lc_dtype_name(t->type));
    else {
        lc_tf_fail(c, LC_UNSUPPORTED, "its %s is computed in the run, TFLite needs a constant", what);
        lc_tf_hint(c, "make it a constant of the model, or fix the input's shape with --input-shape if it depends on that");
    }
    return 0;
}

int64_t lc_tf_need_int(lc_tf_call *c, int32_t tensor, const char *what) {
    int64_t v = 0;
    const uint32_t n = lc_tf_need_ints(c, tensor, what, &v, 1);
    if (lc_tf_ok(c) && n != 1) lc_tf_fail(c, LC_INVALID, "its %s has no elements, needs one", what);
    return lc_tf_ok(c) ? v : 0;
}

bool lc_tf_floats(lc_tf_call *c, int32_t tensor, float *values, uint32_t max, uint32_t *n) {
    const lc_tensor *t = lc_build_tensor(c->b, tensor);
    uint64_t elements;
    *n = 0;
    if (!t || !lc_tensor_is_const(t) || !lc_tensor_elements(t, &elements) || elements > max) return false;
    if (t->type != LC_FLOAT32 && t->type != LC_FLOAT16 && t->type != LC_BFLOAT16 && t->type != LC_FLOAT64) return false;
    if (t->data) lc_floats_load(t->type, t->data, 0, (size_t)elements, values);
    else lc_deferred_read(t->deferred, 0, (size_t)elements, values);
    *n = (uint32_t)elements;
    return true;
}

lc_shape lc_tf_shape_value(lc_tf_call *c, int32_t tensor) {
    lc_shape s = {.rank = LC_RANK_UNKNOWN};
    const lc_tensor *t = lc_build_tensor(c->b, tensor);
    if (!t || !is_integer(t->type)) return s;
    const lc_tf_known *k = lc_tf_known_of(c->b, tensor);
    const lc_shape *a = &k->shape[0];
    if (a->rank != 1 || a->dims[0] != k->shape[1].dims[0] || a->dims[0] > LC_MAX_RANK) return s;
    s.rank = a->dims[0];
    for (int32_t i = 0; i < s.rank; i++) {
        s.dims[i] = -1;
        if (!k->value[0] || !k->value[1]) continue;
        const int64_t x = integer_at(t->type, k->value[0], (size_t)i), y = integer_at(t->type, k->value[1], (size_t)i);
        const bool doubted = k->third && k->value[2] && (size_t)i < k->size[2] / (lc_dtype_bits(t->type) / 8) &&
                             integer_at(t->type, k->value[2], (size_t)i) != x;
        if (x == y && !doubted && x >= 0 && x <= INT32_MAX) s.dims[i] = (int32_t)x;
    }
    return s;
}

bool lc_tf_same_dim(lc_tf_call *c, int32_t a, int32_t dim_a, int32_t b, int32_t dim_b) {
    if (!lc_tf_ok(c)) return false;
    const lc_tf_known x = *lc_tf_known_of(c->b, a), y = *lc_tf_known_of(c->b, b);
    for (int w = 0; w < (x.third && y.third ? 3 : 2); w++)
        if (dim_a >= x.shape[w].rank || dim_b >= y.shape[w].rank || x.shape[w].dims[dim_a] != y.shape[w].dims[dim_b]) return false;
    return true;
}

bool lc_tf_emit(lc_builder *b, int32_t op, lc_table_id table, const void *attrs, const int32_t *in, uint32_t n_in, const lc_dtype *types,
                const lc_tf_known *known, int32_t *outs, uint32_t n_out) {
    const char *name = b->status == LC_OK ? lc_arena_printf(&b->model->arena, "%s/%s", b->layer ? b->layer : "call", lc_op_name(op)) : NULL;
    if (!name) return lc_build_check(b, lc_fail_memory(b->err, "name"));
    for (uint32_t i = 0; i < n_out; i++) {
        outs[i] = lc_build_placeholder(b, name, types[i], NULL, 0);
        if (outs[i] < 0) return false;
        lc_tf_know(b, outs[i], &known[i]);
    }
    lc_node *node = NULL;
    if (b->status != LC_OK || !lc_build_check(b, lc_graph_add_node(b->graph, op, table, attrs, in, n_in, outs, n_out, &node, b->err)))
        return false;
    node->layer = b->layer;
    return true;
}
