/*
 * tflite_stream.h: deferred constants (ir/constant.h) made on their way to the file. Internal to src/emit.
 */
#ifndef LC_EMIT_TFLITE_STREAM_H
#define LC_EMIT_TFLITE_STREAM_H

#include "emit/tflite_tables.h"

#include <pthread.h>

enum { LC_STREAM_RING = 4 };

typedef struct lc_emit_stream {
    const lc_sink *out;
    const lc_emit_tables *tables; /* made[]: the constants, in the order in which they are written */
    const lc_model *model;        /* pages of its files that were read are let go */
    float *ring[LC_STREAM_RING];  /* pieces, each as large as the largest; only ring[0] without a maker */

    /* The maker: a thread that makes the pieces of all constants in order, LC_STREAM_RING ahead at most. */
    bool making;
    pthread_t maker;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    size_t made, written; /* pieces so far */
    bool stop;
    size_t next; /* constant that comes next, to be written by the caller */
} lc_emit_stream;

/* Takes memory for the pieces and starts the maker where there is enough for two threads to do. */
lc_status lc_emit_stream_init(lc_emit_stream *s, const lc_emit_tables *tables, const lc_model *model, const lc_sink *out, lc_error *err);
void lc_emit_stream_deinit(lc_emit_stream *s);
/* The sink to hand to lc_fb_write: passes everything on to `out`, deferred buffers as they are made. */
lc_sink lc_emit_stream_sink(lc_emit_stream *s);

#endif
