/*
 * What only the run can tell is checked when it arrives: indices, lengths, shapes. Models of tests/data/runs get other inputs than those
 * their answers are for; the run ends with an error that says what is wrong, the session stays usable, and nothing is read or written
 * outside a tensor (the sanitizers watch).
 */
#include "runs.h"

static const char *wanted;
static runs_case found;
static bool is_found;

static void look(const char *path, const runs_case *c) {
    (void)path;
    if (is_found || strcmp(c->name, wanted)) return;
    uint8_t *copy = malloc(c->model_size); /* the archive goes */
    assert_non_null(copy);
    memcpy(copy, c->model, c->model_size);
    found = *c;
    found.model = copy;
    is_found = true;
}

/* A session of the model of this case. */
static lc_session *session_of(const char *family, const char *name, uint64_t max_memory, lc_model **model) {
    lc_error err;
    lc_session *s;
    wanted = name;
    is_found = false;
    runs_for_all(family, look);
    if (!is_found) fail_msg("%s has no case \"%s\"", family, name);
    assert_int_equal(lc_model_from_memory(found.model, found.model_size, NULL, model, &err), LC_OK);
    if (lc_session_create(*model, &(lc_session_options){.max_memory = max_memory}, &s, &err)) fail_msg("%s: %s", name, err.message);
    for (size_t i = 0; i < lc_session_input_count(s); i++) {
        const lc_tensor_view v = lc_session_input(s, i);
        if (v.data) memset(v.data, 0, v.size);
    }
    return s;
}

static void close_session(lc_session *s, lc_model *m) {
    lc_session_destroy(s);
    lc_model_destroy(m);
    free((void *)(uintptr_t)found.model);
}

static const struct {
    const char *family, *name;
    int input, count;
    int32_t values[6];
    lc_status status;
    const char *why;
} rows[] = {
    {"gather", "SCATTER_ND float32 [5] True", 0, 3, {1, 5, 0}, LC_INVALID, "index 5 is outside [0, 5)"},
    {"gather", "SCATTER_ND float32 [5] True", 0, 3, {1, -1, 0}, LC_INVALID, "index -1 is outside"},
    {"gather", "SCATTER_ND int8 [3, 2, 2] True", 0, 6, {0, 1, 2, 2, 0, 0}, LC_INVALID, "index 2 is outside [0, 2)"},
    {"gather", "SCATTER_ND float32 [5] False", 2, 1, {-5}, LC_INVALID, "shape has entry 0 of -5"},
    {"gather", "SCATTER_ND float32 [5] False", 2, 1, {300000000}, LC_LIMIT, "memory limit"},
    {"gather", "SPARSE_TO_DENSE float32[int32] [1, 4] [6]", 0, 2, {6, 0}, LC_INVALID, "index 6 is outside [0, 6)"},
    {"gather", "SPARSE_TO_DENSE computed", 1, 2, {70000, 70000}, LC_INVALID, "more than"},
    {"gather", "GATHER float32[int32] [5, 3] [4] axis 0 batch 0", 1, 4, {0, 0, 5, 0}, LC_INVALID, "index 5 is outside [0, 5)"},
    {"gather", "EMBEDDING_LOOKUP int8 to float32 [5, 8] rows True", 0, 4, {0, 4, 5, 0}, LC_INVALID, "index 5 is outside [0, 5)"},
    {"gather", "EMBEDDING_LOOKUP blocks of 4, type 17", 0, 3, {0, -1, 0}, LC_INVALID, "index -1 is outside [0, 5)"},
    {"gather", "EMBEDDING_LOOKUP_SPARSE combiner 1", 2, 2, {0, 2}, LC_INVALID, "index 0 is outside [0, 0)"},
    {"gather", "EMBEDDING_LOOKUP_SPARSE combiner 1", 2, 2, {-1, 2}, LC_INVALID, "dense_shape has entry 0 of -1"},
    {"gather", "ONE_HOT computed depth", 1, 1, {-2}, LC_INVALID, "depth is -2"},
    {"segment", "SEGMENT_SUM float32 [5] False", 1, 5, {0, 1, 3, 3, 3}, LC_INVALID, "segment id 3 follows 1"},
    {"segment", "SEGMENT_SUM float32 [5] False", 1, 5, {0, 1, 2, 1, 2}, LC_INVALID, "segment id 1 follows 2"},
    {"segment", "UNSORTED_SEGMENT_MAX int32 [5] False", 1, 5, {-1, -1, -1, -1, INT32_MAX}, LC_INVALID, "segment id 2147483647"},
    {"segment", "UNSORTED_SEGMENT_MAX int32 [5] False", 2, 1, {-1}, LC_INVALID, "num_segments is -1"},
    {"segment", "UNSORTED_SEGMENT_MAX int32 [5] False", 2, 1, {300000000}, LC_LIMIT, "memory limit"},
    {"transpose", "REVERSE_SEQUENCE float32[int32] [2, 4, 3] 1 0", 1, 2, {2, 5}, LC_INVALID, "length 5 of a dimension of 4"},
    {"transpose", "REVERSE_SEQUENCE float32[int32] [2, 4, 3] 1 0", 1, 2, {-1, 0}, LC_INVALID, "length -1"},
    {"transpose", "TRANSPOSE computed", 1, 3, {0, 1, 1}, LC_INVALID, "names dimension 1 twice"},
    {"slice", "SLICE float32 computed", 1, 2, {5, 0}, LC_INVALID, "begin of dimension 0 is 5"},
    {"slice", "SLICE float32 computed", 2, 2, {1, 6}, LC_INVALID, "takes 6 of dimension 1"},
    {"pad", "PAD float32 computed", 1, 4, {0, -1, 0, 0}, LC_INVALID, "paddings are 0 or more"},
    {"pad", "PAD int8 computed", 1, 4, {0, INT32_MAX, 0, 0}, LC_INVALID, "is over"},
    {"pad", "PAD int8 computed", 1, 4, {0, 100000000, 0, 0}, LC_LIMIT, "memory limit"},
    {"pad", "DILATE computed", 1, 2, {0, 1}, LC_INVALID, "dilation of dimension 0 is 0"},
    {"resize", "RESIZE_BILINEAR float32 computed size", 1, 2, {0, 4}, LC_INVALID, "needs 1 or more"},
    {"tile", "TILE float32 computed", 1, 2, {-1, 1}, LC_INVALID, "multiples has entry 0 of -1"},
    {"tile", "TILE object computed", 1, 2, {5000, 5000}, LC_LIMIT, "memory limit"}, /* the stand-ins of the strings, not their bytes, are
                                                                                       too much */
    {"tile", "BROADCAST_TO float32 computed", 1, 3, {1, 3, 4}, LC_INVALID, "does not broadcast to 3"},
    {"tile", "FILL float32[int32] computed", 0, 2, {10000, 10000}, LC_LIMIT, "memory limit"},
    {"split", "SPLIT computed axis", 0, 1, {2}, LC_INVALID, "axis 2 is outside"},
    {"split", "SPLIT_V computed", 1, 2, {3, 3}, LC_INVALID, "sum to 6"},
    {"arg", "TOPK_V2 computed", 1, 1, {7}, LC_INVALID, "k is 7 of a dimension of 6"},
    {"reduce", "SUM float32 [2, 3] axes [1] dynamic", 1, 1, {2}, LC_INVALID, "axis 2 is outside"},
    {"shape", "RESHAPE float32 computed", 1, 2, {5, -1}, LC_INVALID, "12 elements"},
    {"where", "NMS n 8 size 4 iou 0.5 score 0.1 sigma None computed", 2, 1, {-1}, LC_INVALID, "max_output_size is -1"},
    {"where", "RANGE int32", 2, 1, {0}, LC_INVALID, "in steps of 0"},
};

static void test_refused(void **state) {
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        lc_model *m;
        lc_error err;
        lc_session *s = session_of(rows[r].family, rows[r].name, 1 << 20, &m);
        const lc_tensor_view v = lc_session_input(s, (size_t)rows[r].input);
        assert_true(v.type == LC_INT32 && v.size == (size_t)rows[r].count * sizeof(int32_t));
        if (v.type == LC_INT32) memcpy(v.data, rows[r].values, v.size);
        for (size_t i = 0; i < lc_session_input_count(s); i++) { /* strings need some */
            static const char *const four[] = {"a", "b", "c", "d"};
            if (lc_session_input(s, i).type == LC_STRING) assert_int_equal(lc_session_set_strings(s, i, four, NULL, 4, &err), LC_OK);
        }
        for (int again = 0; again < 2; again++) {
            const lc_status status = lc_session_run(s, &err);
            if (status != rows[r].status)
                fail_msg("%s (row %zu): %s: %s", rows[r].name, r, lc_status_name(status), status ? err.message : "");
            if (status && !strstr(err.message, rows[r].why)) fail_msg("%s (row %zu) says '%s'", rows[r].name, r, err.message);
        }
        close_session(s, m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
