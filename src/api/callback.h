/*
 * callback.h: what the callbacks of Keras have in common: each is a block of its own that begins with an lc_watch, and that the hooks find as
 * `user`. What was asked for is copied; what was seen is a tally apart, which a backup saves (lc_callback.memory).
 *
 *   callback.c         those that watch a number       callback_file.c   those that write: checkpoints, logs, backups, TensorBoard
 *   callback_prune.c   pruning
 */
#ifndef LC_API_CALLBACK_H
#define LC_API_CALLBACK_H

#include "api/net.h"
#include "litec/callbacks.h"

/* What a callback has seen, of all kinds of them; no pointers. */
typedef struct lc_tally {
    double best;
    uint64_t waited, cooling, best_epoch;
    uint64_t batches;                           /* since the last that was saved */
    uint64_t bytes;                             /* of the log */
    uint64_t has_best, has_kept, seen, stopped; /* yes or no; seen: what is watched was measured, or it was said that it is not */
    float kept[];                               /* variables of the best epoch */
} lc_tally;

typedef struct lc_watch {
    lc_monitor monitor;
    char *name;         /* owned; monitor.name */
    bool decided, high; /* which way is better */
    lc_tally *tally;    /* owned, of tally_size bytes */
    size_t tally_size;
    void (*deinit)(void *user); /* of what is behind the watch; NULL: nothing */
} lc_watch;

/* A block of this size that begins with a watch; lc_callback_deinit frees it. monitor may be NULL. NULL: *status says why. */
void *lc_watch_make(size_t size, const lc_monitor *monitor, void (*deinit)(void *user), lc_status *status, lc_error *err);
/* lc_callback.memory of all of them. */
void *lc_watch_memory(void *user, size_t *size);
/* Tells who listens. */
void lc_watch_say(const lc_watch *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The number that is watched at the end of an epoch: *value NULL when it was not measured, which is said once. LC_ARGUMENT: nobody knows which
 * way is better, because there is no such number. */
lc_status lc_watch_value(lc_watch *w, const lc_progress *p, const double **value, lc_error *err);
/* Is the value better than the best so far? Then it is the best. */
bool lc_watch_improves(lc_watch *w, double value);
/* A number of the progress; NULL: it has none of this name. */
const double *lc_watch_find(const lc_progress *p, const char *name);
/* A copy of a text; NULL: memory is out. */
char *lc_watch_text(const char *text);

#endif
