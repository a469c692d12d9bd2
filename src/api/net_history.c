/*
 * net_history.c: what fit followed: a series of numbers for each name, one an epoch. A name that comes later (a validation every other epoch) has
 * NaN before.
 */
#include "api/net.h"

#include <math.h>
#include <string.h>

void lc_history_destroy(lc_history *h) {
    if (!h) return;
    for (size_t i = 0; i < h->series; i++) {
        lc_free(h->names[i]);
        lc_free(h->values[i]);
    }
    lc_free(h->names);
    lc_free(h->values);
    lc_free(h);
}

size_t lc_history_count(const lc_history *h) { return h ? h->series : 0; }
const char *lc_history_name(const lc_history *h, size_t series) { return h && series < h->series ? h->names[series] : NULL; }

const double *lc_history_get(const lc_history *h, const char *name, size_t *epochs) {
    if (epochs) *epochs = h ? h->epochs : 0;
    for (size_t i = 0; h && name && i < h->series; i++)
        if (strcmp(h->names[i], name) == 0) return h->values[i];
    return NULL;
}

lc_status lc_history_series(lc_history *h, const char *name, size_t *at, lc_error *err) {
    for (*at = 0; *at < h->series; ++*at)
        if (strcmp(h->names[*at], name) == 0) return LC_OK;
    char **names = lc_realloc(h->names, (h->series + 1) * sizeof *names);
    if (names) h->names = names;
    double **values = lc_realloc(h->values, (h->series + 1) * sizeof *values);
    if (values) h->values = values;
    const size_t size = strlen(name) + 1;
    char *copy = lc_malloc(size);
    double *room = lc_malloc(h->capacity * sizeof *room);
    if (!names || !values || !copy || !room) {
        lc_free(copy);
        lc_free(room);
        return lc_fail_memory(err, "the history");
    }
    memcpy(copy, name, size);
    for (size_t i = 0; i < h->capacity; i++) room[i] = NAN;
    h->names[h->series] = copy;
    h->values[h->series++] = room;
    return LC_OK;
}

lc_status lc_history_add(lc_history *h, const lc_log *logs, size_t n, lc_error *err) {
    for (size_t i = 0; i < n; i++) {
        size_t at;
        LC_TRY(lc_history_series(h, logs[i].name, &at, err));
        h->values[at][h->epochs] = logs[i].value;
    }
    h->epochs++;
    return LC_OK;
}
