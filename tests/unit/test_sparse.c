/*
 * Tests of ir/sparse.h: a known tree, tables that point outside of the tensor or of themselves (as no loaded model has them), types without
 * whole bytes, allocation failures, and the limit of what a few stored elements may become.
 */
#include "ir/sparse.h"
#include "runtime/exec.h"
#include "support/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static lc_error err;

/* A 2 x 4 matrix by rows of blocks 1 x 2: row 0 has block 1, row 1 blocks 0 and 1. */
typedef struct tree {
    int32_t dims[2], order[3], map[1];
    uint8_t segments[3], indices[3];
    float data[6];
    lc_Uint8Vector segment_vector, index_vector;
    lc_DimensionMetadata levels[3];
    lc_SparsityParameters sparsity;
    lc_tensor tensor;
} tree;

static void plant(tree *t) {
    *t = (tree){.dims = {2, 4}, .order = {0, 1, 2}, .map = {1}, .segments = {0, 1, 3}, .indices = {1, 0, 1}, .data = {1, 2, 3, 4, 5, 6}};
    t->segment_vector.values = (lc_vec_u8){t->segments, 3};
    t->index_vector.values = (lc_vec_u8){t->indices, 3};
    t->levels[0] = (lc_DimensionMetadata){.format = LC_DimensionType_DENSE, .dense_size = 2};
    t->levels[1] = (lc_DimensionMetadata){.format = LC_DimensionType_SPARSE_CSR,
                                          .array_segments = {LC_SparseIndexVector_Uint8Vector, &t->segment_vector},
                                          .array_indices = {LC_SparseIndexVector_Uint8Vector, &t->index_vector}};
    t->levels[2] = (lc_DimensionMetadata){.format = LC_DimensionType_DENSE, .dense_size = 2};
    t->sparsity.traversal_order = (lc_vec_i32){t->order, 3};
    t->sparsity.block_map = (lc_vec_i32){t->map, 1};
    t->sparsity.dim_metadata.data = t->levels;
    t->sparsity.dim_metadata.n = 3;
    t->tensor =
        (lc_tensor){.type = LC_FLOAT32, .rank = 2, .dims = t->dims, .data = t->data, .size = sizeof t->data, .sparsity = &t->sparsity};
}

static lc_status densify(void *arg, lc_error *e) {
    tree *t = arg;
    lc_model *m;
    t->tensor.dense = NULL;
    LC_TRY(lc_model_new(NULL, &m, e));
    lc_status status = lc_tensor_densify(m, &t->tensor, e);
    static const float want[8] = {0, 0, 1, 2, 3, 4, 5, 6};
    if (status == LC_OK) assert_memory_equal(t->tensor.dense, want, sizeof want);
    if (status == LC_OK) status = lc_tensor_densify(m, &t->tensor, e); /* nothing to do */
    t->tensor.dense = NULL;
    lc_model_destroy(m);
    return status;
}

static void test_blocks(void **state) {
    (void)state;
    tree t;
    plant(&t);
    assert_int_equal(lc_tensor_dense_bytes(&t.tensor), 32);
    fault_check(densify, &t, NULL);
}

static void refused(const char *what, tree *t, lc_status want, const char *why) {
    lc_error_clear(&err);
    lc_model *m;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    const lc_status status = lc_tensor_densify(m, &t->tensor, &err);
    if (status != want || !strstr(err.message, why) || t->tensor.dense) fail_msg("%s: %s %s", what, lc_status_name(status), err.message);
    lc_model_destroy(m);
    plant(t);
}

static void test_damage(void **state) {
    (void)state;
    tree t;
    plant(&t);
    const char *const outside = "point outside of it";
    t.indices[0] = 2, refused("index", &t, LC_INVALID, outside);
    t.indices[2] = 255, refused("index", &t, LC_INVALID, outside);
    t.segments[2] = 4, refused("segment", &t, LC_INVALID, outside);
    t.segment_vector.values.n = 2, refused("segments", &t, LC_INVALID, outside);
    t.index_vector.values.n = 2, refused("indices", &t, LC_INVALID, outside);
    t.levels[1].array_indices.type = 0, refused("kind", &t, LC_INVALID, outside);
    t.levels[1].array_segments.value = NULL, refused("no segments", &t, LC_INVALID, outside);
    t.levels[0].dense_size = 3, refused("rows", &t, LC_INVALID, outside);
    t.levels[2].dense_size = INT32_MAX, refused("block", &t, LC_INVALID, outside);
    t.order[0] = 7, refused("order", &t, LC_INVALID, outside);
    t.order[2] = 1, refused("order", &t, LC_INVALID, outside);
    t.order[1] = -1, refused("order", &t, LC_INVALID, outside);
    t.map[0] = 2, refused("map", &t, LC_INVALID, outside);
    t.sparsity.block_map.n = 0, refused("map", &t, LC_INVALID, outside);
    t.sparsity.dim_metadata.n = 2, refused("levels", &t, LC_INVALID, outside);
    t.tensor.size = 20, refused("data", &t, LC_INVALID, outside);
    t.tensor.type = LC_INT4, refused("int4", &t, LC_UNSUPPORTED, "sparse and int4");
    t.dims[0] = INT32_MAX, t.dims[1] = INT32_MAX, t.tensor.type = LC_FLOAT64, refused("size", &t, LC_LIMIT, "too large");
    assert_int_equal(lc_tensor_dense_bytes(&t.tensor), 32); /* sound again */
}

/* A few bytes that stand for many. */
static void test_limit(void **state) {
    (void)state;
    tree t;
    lc_model *m;
    int32_t index;
    plant(&t);
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    assert_int_equal(lc_graph_add_tensor(m->graphs[0], &t.tensor, &index, &err), LC_OK);
    assert_int_equal(lc_graph_add_tensor(m->graphs[0], &t.tensor, &index, &err), LC_OK);
    assert_int_equal(lc_model_make_constants(m, 63, &err), LC_LIMIT);
    assert_non_null(strstr(err.message, "memory limit of 63 bytes"));
    assert_int_equal(lc_model_make_constants(m, 64, &err), LC_OK);
    assert_non_null(m->graphs[0]->tensors[1].dense);
    lc_model_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks), cmocka_unit_test(test_damage), cmocka_unit_test(test_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
