/*
 * check_sparsity.c: the tables that say where the stored elements of a sparse tensor belong.
 *
 * A tensor of rank n with k blocked dimensions is a tree of n + k levels; level p runs over dimension traversal_order[p], where
 * n + j stands for the inside of block j, which belongs to dimension block_map[j]. A dense level lists every index of its
 * dimension; a sparse one lists them row by row: row r has indices[segments[r]] ... indices[segments[r + 1]]. The rows of a
 * level are the entries of the level above, so the entries of the last level are the elements that the buffer stores.
 *
 * Checked so that no reader of these tables can leave the dense tensor: permutations, block sizes that divide, segments that
 * start at 0 and do not fall, rows whose indices rise inside the dimension. LiteRT's verifier lets segments start anywhere and
 * blocks be cut off; its densifying kernel writes outside of its output then (CVE-2022-23560). That the indices of a row rise
 * is its writer's order.
 *
 * Spec: SparsityParameters in schema.fbs; Chou et al., "Format Abstraction for Sparse Tensor Algebra Compilers" (OOPSLA 2018).
 */
#include "runtime/check.h"

/* Sizes of the dimensions in the order dims, block insides. NULL is out of memory; fills *status on a broken rule. */
static int64_t *level_sizes(const lc_check *c, size_t g, size_t i, lc_status *status) {
    const lc_Tensor *t = &c->model->subgraphs.data[g].tensors.data[i];
    const lc_SparsityParameters *s = t->sparsity;
    uint32_t levels = s->traversal_order.n, rank = t->shape.n, blocks = levels - rank;
    int64_t *size = lc_arena_array(c->scratch, levels, sizeof *size);
    uint8_t *seen = lc_arena_array(c->scratch, levels, 1);
    if (!size || !seen) {
        *status = lc_fail_memory(c->err, "checking sparsity");
        return NULL;
    }
    for (uint32_t d = 0; d < rank; d++) size[d] = t->shape.data[d];
    for (uint32_t p = 0; p < levels; p++) {
        int32_t d = s->traversal_order.data[p];
        /* Dimensions come first, then block insides. */
        if (d < 0 || (uint32_t)d >= levels || ((uint32_t)d < rank) != (p < rank) || seen[d]) {
            *status = lc_check_fail_tensor(c, LC_RULE_SPARSE_ORDER, g, i, "traversal_order %u is %d (%u dimensions, %u blocks)", p, d, rank,
                                           blocks);
            return NULL;
        }
        seen[d] = 1;
        if ((uint32_t)d >= rank) size[d] = s->dim_metadata.data[p].dense_size;
    }
    for (uint32_t d = 0; d < rank; d++) seen[d] = 0;
    for (uint32_t j = 0; j < blocks; j++) {
        int32_t d = s->block_map.data[j];
        if (d < 0 || (uint32_t)d >= rank || seen[d]) {
            *status = lc_check_fail_tensor(c, LC_RULE_SPARSE_BLOCK, g, i, "block_map %u is %d (%u dimensions)", j, d, rank);
            return NULL;
        }
        seen[d] = 1;
        int64_t block = size[rank + j];
        if (block <= 0 || size[d] % block != 0) {
            *status = lc_check_fail_tensor(c, LC_RULE_SPARSE_BLOCK, g, i, "blocks of %lld do not divide dimension %d of %lld",
                                           (long long)block, d, (long long)size[d]);
            return NULL;
        }
        size[d] /= block;
    }
    return size;
}

/* Entry k of a vector of indices of any width; the union's type is known to be one of the three. */
static int64_t entry(const lc_union *u, uint32_t k) {
    if (u->type == LC_SparseIndexVector_Uint8Vector) return ((const lc_Uint8Vector *)u->value)->values.data[k];
    if (u->type == LC_SparseIndexVector_Uint16Vector) return ((const lc_Uint16Vector *)u->value)->values.data[k];
    return ((const lc_Int32Vector *)u->value)->values.data[k];
}

/* Entries of such a vector; false when there is none or it is of an unknown kind. */
static bool entries(const lc_union *u, uint32_t *n) {
    if (!u->value) return false;
    if (u->type == LC_SparseIndexVector_Uint8Vector) *n = ((const lc_Uint8Vector *)u->value)->values.n;
    else if (u->type == LC_SparseIndexVector_Uint16Vector) *n = ((const lc_Uint16Vector *)u->value)->values.n;
    else *n = ((const lc_Int32Vector *)u->value)->values.n;
    return true;
}

static lc_status check_level(const lc_check *c, size_t g, size_t i, uint32_t p, int64_t size, uint64_t rows, uint64_t *count) {
    const lc_DimensionMetadata *m = &c->model->subgraphs.data[g].tensors.data[i].sparsity->dim_metadata.data[p];
    uint32_t segments, indices;
    if (!entries(&m->array_segments, &segments) || !entries(&m->array_indices, &indices)) {
        return lc_check_fail_tensor(c, LC_RULE_SPARSE_FORMAT, g, i, "level %u is sparse without segments or indices", p);
    }
    if (rows >= segments || rows + 1 != segments) {
        return lc_check_fail_tensor(c, LC_RULE_SPARSE_SEGMENTS, g, i, "level %u has %u segments, needs %llu", p, segments,
                                    (unsigned long long)rows + 1);
    }
    int64_t begin = entry(&m->array_segments, 0);
    if (begin != 0)
        return lc_check_fail_tensor(c, LC_RULE_SPARSE_SEGMENTS, g, i, "level %u: the first segment is %lld", p, (long long)begin);
    for (uint32_t r = 1; r < segments; r++) {
        int64_t end = entry(&m->array_segments, r), last = -1;
        if (end < begin || end > indices) {
            return lc_check_fail_tensor(c, LC_RULE_SPARSE_SEGMENTS, g, i, "level %u: segment %u is %lld after %lld (%u indices)", p, r,
                                        (long long)end, (long long)begin, indices);
        }
        for (; begin < end; begin++) {
            int64_t index = entry(&m->array_indices, (uint32_t)begin);
            if (index <= last || index >= size) {
                return lc_check_fail_tensor(c, LC_RULE_SPARSE_INDICES, g, i,
                                            "level %u: index %lld is %lld after %lld, the dimension has %lld", p, (long long)begin,
                                            (long long)index, (long long)last, (long long)size);
            }
            last = index;
        }
    }
    if (begin != indices) {
        return lc_check_fail_tensor(c, LC_RULE_SPARSE_SEGMENTS, g, i, "level %u: the last segment is %lld, there are %u indices", p,
                                    (long long)begin, indices);
    }
    *count = indices;
    return LC_OK;
}

lc_status lc_check_sparsity(const lc_check *c, size_t g, size_t i, uint64_t *elements) {
    const lc_Tensor *t = &c->model->subgraphs.data[g].tensors.data[i];
    const lc_SparsityParameters *s = t->sparsity;
    uint32_t levels = s->traversal_order.n, rank = t->shape.n;
    if (levels < rank || s->dim_metadata.n != levels || s->block_map.n != levels - rank) {
        return lc_check_fail_tensor(c, LC_RULE_SPARSE_LEVELS, g, i,
                                    "traversal_order has %u entries, dim_metadata %u, block_map %u; the tensor has %u dimensions", levels,
                                    s->dim_metadata.n, s->block_map.n, rank);
    }
    lc_status status = LC_OK;
    const int64_t *size = level_sizes(c, g, i, &status);
    if (!size) return status;
    uint64_t count = 1;
    for (uint32_t p = 0; p < levels; p++) {
        const lc_DimensionMetadata *m = &s->dim_metadata.data[p];
        int64_t wanted = size[s->traversal_order.data[p]];
        if (m->format == LC_DimensionType_SPARSE_CSR) {
            LC_TRY(check_level(c, g, i, p, wanted, count, &count));
        } else if (m->format != LC_DimensionType_DENSE) {
            return lc_check_fail_tensor(c, LC_RULE_SPARSE_FORMAT, g, i, "level %u has the unknown format %d", p, m->format);
        } else if (m->dense_size != wanted) {
            return lc_check_fail_tensor(c, LC_RULE_SPARSE_DENSE, g, i, "level %u has %d entries, its dimension %lld", p, m->dense_size,
                                        (long long)wanted);
        } else if (!lc_mul_u64(count, (uint64_t)wanted, &count)) {
            return lc_check_fail_tensor(c, LC_RULE_TENSOR_SIZE, g, i, "the product of its sparse levels overflows");
        }
    }
    *elements = count;
    return LC_OK;
}
