/*
 * tflite_stream.c: see tflite_stream.h. A constant is made in pieces of an eighth of it, two megabytes at most, which stay in the CPU's
 * cache between the transpose and the copy into the file. A thread makes them in the order of the file, into a ring of a few pieces,
 * while the caller writes. So a conversion needs no memory for its weights, and reading, transposing and writing go on side by side.
 *
 * Stays true: `out` is called by the caller's thread alone and in order; the bytes are the same with and without the maker.
 */
#include "emit/tflite_stream.h"

#include <signal.h>
#include <unistd.h>

enum { PIECE_MIN = 64 << 10, PIECE_MAX = 2 << 20, LINE = 64 /* floats: the source is read in runs of that many */ };

/* From this many bytes on a second thread is worth its start. */
#define MAKER_FROM ((uint64_t)1 << 20)

/* Rows of the constant that are made at a time. */
static size_t piece_rows(const lc_deferred *d) {
    const size_t row = d->rows * sizeof(float), eighth = row * d->cols / 8;
    const size_t piece = eighth < PIECE_MIN ? PIECE_MIN : eighth > PIECE_MAX ? PIECE_MAX : eighth, fit = row ? piece / row : d->cols;
    const size_t rows = fit < LINE ? LINE : fit / LINE * LINE;
    return rows < d->cols ? rows : d->cols;
}

/* Rows of the piece that begins at row `at`. */
static size_t rows_at(const lc_deferred *d, size_t at) {
    const size_t rows = piece_rows(d);
    return d->cols - at < rows ? d->cols - at : rows;
}

/* ---- the maker ---------------------------------------------------------------------------------------------------- */

/* Waits for a free place; false when the stream ends before its time. */
static bool wait_for_place(lc_emit_stream *s) {
    pthread_mutex_lock(&s->lock);
    while (!s->stop && s->made - s->written == LC_STREAM_RING) pthread_cond_wait(&s->changed, &s->lock);
    const bool go_on = !s->stop;
    pthread_mutex_unlock(&s->lock);
    return go_on;
}

static void count(lc_emit_stream *s, size_t *counter) {
    pthread_mutex_lock(&s->lock);
    ++*counter;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void *make_all(void *stream) {
    lc_emit_stream *s = stream;
    for (size_t i = 0; i < s->tables->made_count; i++) {
        const lc_deferred *d = &s->tables->made[i];
        for (size_t at = 0; at < d->cols; at += rows_at(d, at)) {
            if (!wait_for_place(s)) return NULL;
            lc_deferred_fill(d, at, rows_at(d, at), s->ring[s->made % LC_STREAM_RING]); /* this thread alone changes `made` */
            count(s, &s->made);
        }
        lc_deferred_release(d, s->model);
    }
    return NULL;
}

static void start_maker(lc_emit_stream *s) {
    sigset_t all, before; /* a program's signal handlers belong to its own threads */
    sigfillset(&all);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->making = pthread_create(&s->maker, NULL, make_all, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (s->making) return;
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
}

static void stop_maker(lc_emit_stream *s) {
    if (!s->making) return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->maker, NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    s->making = false;
}

lc_status lc_emit_stream_init(lc_emit_stream *s, const lc_emit_tables *tables, const lc_model *model, const lc_sink *out, lc_error *err) {
    *s = (lc_emit_stream){.out = out, .tables = tables, .model = model};
    uint64_t bytes = 0;
    size_t largest = 0;
    for (size_t i = 0; i < tables->made_count; i++) {
        const lc_deferred *d = &tables->made[i];
        const size_t piece = piece_rows(d) * d->rows * sizeof(float);
        if (piece > largest) largest = piece;
        bytes += d->rows * d->cols * sizeof(float);
    }
    const bool maker = bytes >= MAKER_FROM && sysconf(_SC_NPROCESSORS_ONLN) > 1;
    for (int i = 0; i < (largest == 0 ? 0 : maker ? LC_STREAM_RING : 1); i++) {
        s->ring[i] = lc_malloc_aligned(largest);
        if (!s->ring[i]) return lc_fail_memory(err, "writing the model");
    }
    if (maker) start_maker(s); /* when it cannot be started the caller makes them */
    return LC_OK;
}

void lc_emit_stream_deinit(lc_emit_stream *s) {
    stop_maker(s);
    for (int i = 0; i < LC_STREAM_RING; i++) lc_free_aligned(s->ring[i]);
}

/* ---- the writer --------------------------------------------------------------------------------------------------- */

static const float *take_piece(lc_emit_stream *s) {
    pthread_mutex_lock(&s->lock);
    while (s->made == s->written) pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return s->ring[s->written % LC_STREAM_RING];
}

static lc_status write_deferred(lc_emit_stream *s, const lc_deferred *d, lc_error *err) {
    if (d != &s->tables->made[s->next]) stop_maker(s); /* files over 2 GB have another order */
    s->next = (size_t)(d - s->tables->made) + 1;
    for (size_t at = 0; at < d->cols; at += rows_at(d, at)) {
        const float *piece = s->ring[0];
        if (s->making) piece = take_piece(s);
        else lc_deferred_fill(d, at, rows_at(d, at), s->ring[0]);
        LC_TRY(s->out->write(s->out->user, piece, rows_at(d, at) * d->rows * sizeof(float), err));
        if (s->making) count(s, &s->written);
    }
    if (!s->making) lc_deferred_release(d, s->model);
    return LC_OK;
}

static lc_status pass_on(void *user, const void *data, size_t size, lc_error *err) {
    const lc_emit_stream *s = user;
    return s->out->write(s->out->user, data, size, err);
}

static lc_status write_buffer(void *user, const void *data, size_t size, lc_error *err) {
    lc_emit_stream *s = user;
    const lc_deferred *d = lc_emit_deferred(s->tables, data);
    return d ? write_deferred(s, d, err) : pass_on(user, data, size, err);
}

lc_sink lc_emit_stream_sink(lc_emit_stream *s) { return (lc_sink){.write = pass_on, .user = s, .write_buffer = write_buffer}; }
