/*
 * sparse.c: spreads the stored elements of a sparse constant over a block of zeros. runtime/check_sparsity.c says what the tables are: a
 * tree of levels, each over a dimension or over the inside of a block; an entry moves by a fixed number of elements of the dense tensor a
 * step, so a leaf's place is the sum over its path. Leaves come in the order in which the elements are stored.
 *
 * Every index, row and place is checked here again: this also serves models that were not loaded from a file. The depth of the walk is
 * the number of levels, at most 2 * LC_MAX_RANK.
 */
#include "ir/sparse.h"

#include <string.h>

enum { LEVELS = 2 * LC_MAX_RANK };

typedef struct walk {
    const lc_tensor *t;
    const lc_SparsityParameters *s;
    int64_t step[LEVELS]; /* elements of the dense tensor an index of the level moves */
    int64_t size[LEVELS]; /* indices of the level are below */
    uint32_t levels;
    uint64_t stored, next; /* elements in the file; the next one */
    uint64_t elements;     /* of the dense tensor */
    size_t width;
    uint8_t *out;
} walk;

static bool entry(const lc_union *u, uint64_t k, int64_t *value) {
    if (!u->value) return false;
    if (u->type == LC_SparseIndexVector_Uint8Vector) {
        const lc_Uint8Vector *v = u->value;
        return k < v->values.n && (*value = v->values.data[k], true);
    }
    if (u->type == LC_SparseIndexVector_Uint16Vector) {
        const lc_Uint16Vector *v = u->value;
        return k < v->values.n && (*value = v->values.data[k], true);
    }
    if (u->type != LC_SparseIndexVector_Int32Vector) return false;
    const lc_Int32Vector *v = u->value;
    return k < v->values.n && (*value = v->values.data[k], true);
}

/* Below row `row` of a level, whose entries lie from element `at` on. */
static bool spread(walk *w, uint32_t level, uint64_t row, int64_t at) {
    if (level == w->levels) {
        if (w->next >= w->stored || at < 0 || (uint64_t)at >= w->elements) return false;
        memcpy(w->out + (size_t)at * w->width, (const uint8_t *)w->t->data + w->next++ * w->width, w->width);
        return true;
    }
    const lc_DimensionMetadata *m = &w->s->dim_metadata.data[level];
    int64_t move, end = m->dense_size, begin = 0;
    uint64_t child;
    if (m->format == LC_DimensionType_SPARSE_CSR) {
        if (row == UINT64_MAX || !entry(&m->array_segments, row, &begin) || !entry(&m->array_segments, row + 1, &end) || begin < 0)
            return false;
        for (; begin < end; begin++) {
            int64_t index;
            if (!entry(&m->array_indices, (uint64_t)begin, &index) || index < 0 || index >= w->size[level] ||
                !lc_mul_i64(index, w->step[level], &move) || !lc_add_i64(at, move, &move) || !spread(w, level + 1, (uint64_t)begin, move))
                return false;
        }
        return true;
    }
    if (end != w->size[level]) return false;
    for (int64_t i = 0; i < end; i++) {
        if (!lc_mul_u64(row, (uint64_t)end, &child) || !lc_add_u64(child, (uint64_t)i, &child) || !lc_mul_i64(i, w->step[level], &move) ||
            !lc_add_i64(at, move, &move) || !spread(w, level + 1, child, move))
            return false;
    }
    return true;
}

/* How far a step of each level goes. */
static bool plan(walk *w) {
    const uint32_t rank = (uint32_t)w->t->rank, blocks = w->s->block_map.n;
    int64_t stride[LC_MAX_RANK], block[LC_MAX_RANK];
    if (w->t->rank < 0 || rank > LC_MAX_RANK || blocks > LC_MAX_RANK || w->s->traversal_order.n != rank + blocks ||
        w->s->dim_metadata.n != rank + blocks)
        return false;
    w->levels = rank + blocks;
    int64_t n = 1;
    for (uint32_t d = rank; d-- > 0; n *= w->t->dims[d]) { /* at most the elements of the tensor, which are counted already */
        stride[d] = n;
        block[d] = 1;
    }
    for (uint32_t p = rank; p < w->levels; p++) {
        const int32_t inside = w->s->traversal_order.data[p];
        if (inside < (int32_t)rank || (uint32_t)inside >= w->levels) return false;
        const int32_t d = w->s->block_map.data[(uint32_t)inside - rank];
        if (d < 0 || (uint32_t)d >= rank) return false;
        block[d] = w->size[p] = w->s->dim_metadata.data[p].dense_size;
        w->step[p] = stride[d];
        if (block[d] < 1) return false;
    }
    for (uint32_t p = 0; p < rank; p++) {
        const int32_t d = w->s->traversal_order.data[p];
        if (d < 0 || (uint32_t)d >= rank || !lc_mul_i64(stride[d], block[d], &w->step[p])) return false;
        w->size[p] = w->t->dims[d] / block[d];
    }
    return true;
}

uint64_t lc_tensor_dense_bytes(const lc_tensor *t) {
    uint64_t n, bytes;
    return t->sparsity && t->data && !t->dense && lc_tensor_elements(t, &n) && lc_dtype_bytes(t->type, n, &bytes) ? bytes : 0;
}

lc_status lc_tensor_densify(lc_model *model, lc_tensor *t, lc_error *err) {
    if (!t->sparsity || !t->data || t->dense) return LC_OK;
    const char *name = t->name.data ? t->name.data : "";
    const uint32_t bits = lc_dtype_bits(t->type);
    walk w = {.t = t, .s = t->sparsity, .width = bits / 8};
    size_t bytes;
    if (bits < 8)
        return lc_fail(err, LC_UNSUPPORTED, "tensor \"%.80s\" is sparse and %s; litec spreads elements of whole bytes only", name,
                       lc_dtype_name(t->type));
    if (!lc_tensor_elements(t, &w.elements) || !lc_u64_to_size(w.elements, &bytes) || !lc_mul_size(bytes, w.width, &bytes))
        return lc_fail(err, LC_LIMIT, "tensor \"%.80s\" is too large when it is made dense", name);
    w.stored = t->size / w.width;
    w.out = lc_arena_data(&model->arena, bytes ? bytes : 1);
    if (!w.out) return lc_fail_memory(err, "sparse constant");
    memset(w.out, 0, bytes);
    if (w.elements && (!plan(&w) || !spread(&w, 0, 0, 0))) {
        lc_fail(err, LC_INVALID, "the sparsity tables of tensor \"%.80s\" point outside of it", name);
        lc_error_hint(err, "`litec verify` says more about the file");
        return LC_INVALID;
    }
    t->dense = w.out;
    return LC_OK;
}
