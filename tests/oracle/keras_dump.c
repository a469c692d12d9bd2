/*
 * keras_dump.c: the weights that the readers find in a Keras file, for tests/oracle/make_keras_corpus.py.
 *
 *     keras_dump FILE      one line each: [place, "name", "float32", [dims], "bytes in hexadecimal"]
 */
#include "support/keras_corpus.h"

#include "source/keras_read.h"

#include <stdio.h>
#include <string.h>

static void put_bytes(const void *data, size_t size) {
    for (size_t i = 0; i < size; i++) printf("%02x", ((const unsigned char *)data)[i]);
}

static void put_layer(void *user, uint32_t place, lc_keras_layer *l) {
    (void)user;
    for (uint32_t i = 0; i < l->weight_count; i++) {
        const lc_keras_weight *w = &l->weights[i];
        printf("[%u, \"%s\", \"%s\", [", place, w->name, lc_dtype_name(w->type));
        for (int32_t d = 0; d < w->rank; d++) printf("%s%d", d ? ", " : "", w->dims[d]);
        printf("], \"");
        put_bytes(w->data, w->size);
        printf("\"]\n");
    }
    if (l->vocabulary.data) {
        printf("[%u, \"\", \"vocabulary\", [], \"", place);
        put_bytes(l->vocabulary.data, l->vocabulary.size);
        printf("\"]\n");
    }
}

int main(int argc, char **argv) {
    lc_limits limits = {0};
    lc_source_input input;
    const lc_source *source;
    lc_budget budget;
    lc_arena arena = {0};
    lc_zip_check check = {0};
    lc_keras_model *m;
    lc_error err;
    lc_error_clear(&err);
    if (argc != 2) return 2;
    lc_status status = lc_source_open(argv[1], &limits, &input, &source, &err);
    if (status == LC_OK) {
        lc_budget_init(&budget, NULL);
        const lc_keras_reading r = {&input.map, &budget, &arena, &arena, &check, NULL, NULL};
        status = strcmp(source->name, "keras-zip") == 0 ? lc_keras_read_zip(&r, &m, &err) : lc_keras_read_h5(&r, &m, &err);
        if (status == LC_OK) keras_each_layer(m, 0, put_layer, NULL);
        lc_zip_check_end(&check, NULL);
        lc_source_close(&input);
    }
    lc_arena_deinit(&arena);
    if (status != LC_OK) fprintf(stderr, "%s\n", err.message);
    return status != LC_OK;
}
