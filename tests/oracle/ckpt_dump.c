/*
 * ckpt_dump.c: all that a checkpoint holds, for tests/oracle/check_checkpoints.py, which compares it with what TensorFlow reads.
 *
 *     ckpt_dump PREFIX [NAME SPEC]...      every variable; with names and specs, those slices of RestoreV2 instead
 *
 * A variable is a line "name size, type, DataType, bytes, dimensions...", the name, its values. Strings are a buffer of TFLite.
 */
#include "source/checkpoint.h"

#include <stdio.h>
#include <string.h>

static void put(const lc_ckpt_entry *e, const int64_t *dims, const void *data, size_t size) {
    printf("%zu %s %d %zu", e->name.size, lc_dtype_name(e->type), e->data_type, size);
    for (int32_t d = 0; d < e->rank; d++) printf(" %lld", (long long)dims[d]);
    putchar('\n');
    fwrite(e->name.data, 1, e->name.size, stdout);
    fwrite(data, 1, size, stdout);
}

static lc_status dump(lc_ckpt *ckpt, int count, char **asked, lc_error *err) {
    const lc_ckpt_entry *e;
    const void *data;
    size_t size;
    for (size_t i = 0; count == 0 && i < lc_ckpt_count(ckpt); i++) {
        e = lc_ckpt_at(ckpt, i);
        LC_TRY(lc_ckpt_read(ckpt, e, &data, &size, err));
        put(e, e->dims, data, size);
    }
    for (int i = 0; i + 1 < count; i += 2) {
        int64_t dims[LC_CKPT_MAX_RANK];
        LC_TRY(lc_ckpt_get(ckpt, lc_str_of(asked[i]), &e, err));
        LC_TRY(lc_ckpt_read_slice(ckpt, e, lc_str_of(asked[i + 1]), dims, &data, &size, err));
        put(e, dims, data, size);
    }
    return LC_OK;
}

int main(int argc, char **argv) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_error err;
    lc_ckpt *ckpt;
    lc_budget_init(&budget, NULL);
    lc_error_clear(&err);
    if (argc < 2) return 2;
    lc_status status = lc_ckpt_open(argv[1], &budget, &arena, &ckpt, &err);
    if (status == LC_OK) {
        status = dump(ckpt, argc - 2, argv + 2, &err);
        lc_ckpt_close(ckpt);
    }
    lc_arena_deinit(&arena);
    if (status == LC_OK) return 0;
    fprintf(stderr, "%s [%s] %s\nhint: %s\n", lc_status_name(status), err.rule, err.message, err.hint);
    return 1;
}
