/*
 * data_cifar.c: samples from the binary files of CIFAR-10 and CIFAR-100: rows of a class (CIFAR-100: its superclass first) and a picture of 32 by
 * 32 in three planes, red, green, blue. The rows have no header: such a file is known by its name, which ends with .bin, and by its size.
 * Of CIFAR-100 the label is the fine one.
 *
 * Format: www.cs.toronto.edu/~kriz/cifar.html.
 */
#include "source/data.h"

#include "source/rules.h"

#include <string.h>

#define PLANE ((size_t)32 * 32)
#define PIXELS (3 * PLANE)

typedef struct cifar {
    lc_arena arena;
    lc_shards shards;
    lc_map map;     /* of the file that is read */
    lc_cursor rows; /* that are left of it */
    size_t shard;   /* the next one */
    size_t classes; /* bytes before the pixels: 1, or 2 in CIFAR-100 */
} cifar;

static void close_cifar(lc_series *s) {
    cifar *c = s->state;
    if (!c) return;
    lc_map_close(&c->map);
    lc_arena_deinit(&c->arena);
    lc_free(c);
    s->state = NULL;
}

bool lc_cifar_probe(const char *path, uint64_t size) {
    const size_t n = strlen(path);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (n < 4 || strcmp(path + n - 4, ".bin") != 0) return false;
    return size % (PIXELS + 1) == 0 || size % (PIXELS + 2) == 0 || strstr(name, "_batch");
}

/* Every class of a file of rows that begin with `classes` bytes. */
static bool classes_fit(const uint8_t *data, size_t size, size_t classes) {
    const size_t row = PIXELS + classes;
    if (size % row) return false;
    for (size_t at = 0; at < size; at += row)
        if (classes == 1 ? data[at] > 9 : data[at] > 19 || data[at + 1] > 99) return false;
    return true;
}

static lc_status open_next(lc_series *s, cifar *c, lc_error *err) {
    const char *path = c->shards.paths[c->shard];
    lc_map_close(&c->map);
    LC_TRY(lc_map_open(&c->map, path, &s->limits, err));
    if (!c->classes) c->classes = classes_fit(c->map.data, c->map.size, 1) || c->map.size % (PIXELS + 2) ? 1 : 2;
    if (!classes_fit(c->map.data, c->map.size, c->classes)) {
        LC_SOURCE_FAIL(err, LC_INVALID, CIFAR_DATA, LC_NO_OFFSET, "%s: no binary file of CIFAR: %s", path,
                       c->map.size % (PIXELS + c->classes) ? "its size is no multiple of a row's, 3073 bytes (CIFAR-100: 3074)"
                                                           : "a class is none of those of the set");
        lc_error_hint(err, "copy or download the file again");
        return LC_INVALID;
    }
    c->shard++;
    c->rows = lc_cursor_make(c->map.data, c->map.size);
    return LC_OK;
}

static lc_status read_cifar(lc_series *s, uint32_t n, lc_array *batch, lc_error *err) {
    cifar *c = s->state;
    lc_budget budget;
    lc_array made;
    lc_budget_init(&budget, &s->limits);
    LC_TRY(lc_array_make(&made, LC_UINT8, (int32_t[]){(int32_t)n, 32, 32, 3}, 4, &budget, err));
    uint8_t *out = made.data;
    for (uint32_t i = 0; i < n; i++) {
        const lc_status status = lc_cursor_left(&c->rows) ? LC_OK : open_next(s, c, err);
        if (status) {
            lc_array_deinit(&made);
            return status;
        }
        const uint8_t *row = lc_read_bytes(&c->rows, PIXELS + c->classes);
        for (size_t k = 0; row && k < PIXELS; k++) *out++ = row[c->classes + k % 3 * PLANE + k / 3];
    }
    *batch = made;
    return LC_OK;
}

static lc_status rewind_cifar(lc_series *s, lc_error *err) {
    cifar *c = s->state;
    (void)err;
    c->shard = 0;
    c->rows = (lc_cursor){0};
    return LC_OK;
}

static const lc_series_kind cifar_kind = {read_cifar, rewind_cifar, close_cifar, NULL, NULL};

lc_status lc_series_open_cifar(lc_series *s, const lc_series_wish *wish, lc_error *err) {
    cifar *c = s->state = lc_calloc(1, sizeof *c);
    const bool labels = wish->labels && !wish->labels->count;
    if (!c) return lc_fail_memory(err, "data");
    s->kind = &cifar_kind;
    LC_TRY(lc_shards_find(s->path, &c->arena, wish->budget, &c->shards, err));
    while (c->shard < c->shards.count) {
        LC_TRY(open_next(s, c, err));
        const size_t row = PIXELS + c->classes;
        s->count += c->map.size / row;
        for (size_t at = c->classes - 1; labels && at < c->map.size; at += row) {
            char text[8];
            snprintf(text, sizeof text, "%d", c->map.data[at]);
            LC_TRY(lc_labels_add(wish->labels, lc_str_of(text), wish->budget, err));
        }
    }
    if (labels) LC_TRY(lc_labels_finish(wish->labels, err));
    s->type = LC_UINT8;
    s->rank = 3;
    s->dims[0] = s->dims[1] = 32;
    s->dims[2] = 3;
    s->split = s->pixels = true;
    return rewind_cifar(s, err);
}
