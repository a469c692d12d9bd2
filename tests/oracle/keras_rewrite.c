/*
 * keras_rewrite.c: a Keras file read and written again, for tests/oracle/check_keras_emit.py.
 *
 *     keras_rewrite IN OUT...      IN: .keras or .h5; each OUT: .keras, .h5 or .weights.h5, by the end of its name
 */
#include "emit/keras_emit.h"
#include "source/keras_state.h"

#include <stdio.h>
#include <string.h>

static bool ends_with(const char *path, const char *end) {
    const size_t n = strlen(path), k = strlen(end);
    return n >= k && strcmp(path + n - k, end) == 0;
}

int main(int argc, char **argv) {
    lc_budget budget;
    lc_map map = {0};
    lc_arena arena = {0};
    lc_zip_check check = {0};
    lc_keras_model *m = NULL;
    lc_keras_state state;
    lc_error err;
    lc_error_clear(&err);
    if (argc < 3) return 2;
    lc_budget_init(&budget, NULL);
    lc_status status = lc_map_open(&map, argv[1], NULL, &err);
    const lc_keras_reading r = {&map, &budget, &arena, &arena, &check, NULL, NULL};
    if (status == LC_OK) status = lc_zip_probe(map.data, map.size) ? lc_keras_read_zip(&r, &m, &err) : lc_keras_read_h5(&r, &m, &err);
    if (status == LC_OK) status = lc_keras_state_read(argv[1], NULL, &arena, &state, &err);
    for (int i = 2; i < argc && status == LC_OK; i++) {
        const lc_keras_file file = {.model = m,
                                    .config = state.config,
                                    .compile_config = state.compile_config,
                                    .optimizer = state.optimizer,
                                    .optimizer_count = state.optimizer_count,
                                    .optimizer_name = state.optimizer_name};
        if (ends_with(argv[i], ".weights.h5")) status = lc_emit_keras_weights(&file, argv[i], &err);
        else status = ends_with(argv[i], ".h5") ? lc_emit_keras_h5(&file, argv[i], &err) : lc_emit_keras(&file, argv[i], &err);
    }
    lc_zip_check_end(&check, NULL);
    lc_map_close(&map);
    lc_arena_deinit(&arena);
    if (status != LC_OK) fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    return status != LC_OK;
}
