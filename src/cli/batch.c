/*
 * batch.c: the answers to all rows of the input files. A large batch is run in slices, so that the memory of a run does not grow
 * with the file: 60,000 digits take what a few hundred take. Rows are what the first dimension counts.
 *
 * Slices may be used only when no row has a say in another row's answer. That is so for nearly every model, but a graph may
 * well take a mean over the batch, so it is tried, not assumed: two runs that share one row, in the middle, and nothing else
 * must give that row the same answer to the last bit. A model that fails the trial runs on the whole batch at once.
 */
#include "cli/feed.h"

#include <stdlib.h>
#include <string.h>

#define SLICE_BYTES ((uint64_t)16 << 20) /* activations of one slice */
#define TRIAL_ROWS 16                    /* what a row costs is measured with as many */
#define ROWS_LEAST 4                     /* a slice has a row in the middle */

/* Rows of the batch, when all inputs agree on it and it is worth slicing; else 0. */
static int32_t batch_rows(const lc_cli_feed *feed) {
    int32_t rows = 0;
    for (size_t i = 0; i < feed->count; i++) {
        const lc_cli_source *s = &feed->sources[i];
        if (s->rank < 1 || (rows && s->dims[0] != rows) || s->array.type == LC_STRING) return 0;
        rows = s->dims[0];
    }
    return rows > 2 * TRIAL_ROWS ? rows : 0;
}

static bool outputs_have_rows(const lc_session *session, int32_t rows) {
    for (size_t i = 0; i < lc_session_output_count(session); i++) {
        const lc_tensor_view v = lc_session_output(session, i);
        if (v.rank < 1 || v.dims[0] != rows || v.size % (size_t)rows || lc_dtype_bits(v.type) < 8) return false;
    }
    return true;
}

/* Rows of one slice, with the session given that shape; 0: all at once. */
static int32_t slice_rows(lc_cli_feed *feed, int32_t rows) {
    if (lc_cli_feed_resize(feed, TRIAL_ROWS, true)) return 0;
    const uint64_t row = lc_session_memory(feed->session).arena / TRIAL_ROWS + 1;
    uint64_t slice = SLICE_BYTES / row;
    if (slice >= (uint64_t)rows) return 0;
    slice = slice < ROWS_LEAST ? ROWS_LEAST : slice > TRIAL_ROWS ? slice / TRIAL_ROWS * TRIAL_ROWS : slice;
    if (lc_cli_feed_resize(feed, (int32_t)slice, true) || !outputs_have_rows(feed->session, (int32_t)slice)) return 0;
    return (int32_t)slice;
}

/* The model's own rules held when it was loaded: what breaks one now (an index, a divisor, a shape) came with the data. */
static int run_session(const lc_cli_feed *feed) {
    lc_error err;
    if (lc_session_run(feed->session, &err) == LC_OK) return LC_EXIT_OK;
    if (err.status == LC_INVALID && !err.hint[0])
        snprintf(err.hint, sizeof err.hint, "see whether the inputs hold what the model expects there: indices, divisors, lengths");
    return lc_cli_fail(&err);
}

static int run_rows(const lc_cli_feed *feed, int32_t from, int32_t rows) {
    const int code = lc_cli_feed_fill(feed, 0, from, rows);
    return code ? code : run_session(feed);
}

/* Row k of every output, into or compared with `kept`, where the outputs' rows lie one after the other. */
static bool same_row(const lc_session *session, int32_t k, int32_t rows, uint8_t *kept, bool compare) {
    bool same = true;
    for (size_t i = 0; i < lc_session_output_count(session); i++) {
        const lc_tensor_view v = lc_session_output(session, i);
        const size_t bytes = v.size / (size_t)rows;
        const uint8_t *row = bytes ? (const uint8_t *)v.data + (size_t)k * bytes : NULL;
        if (bytes && compare) same = same && memcmp(kept, row, bytes) == 0;
        else if (bytes) memcpy(kept, row, bytes);
        kept += bytes;
    }
    return same;
}

/* Runs a slice whose middle row is that of the file, among rows of zeros or among rows from all over the file. */
static int run_trial(const lc_cli_feed *feed, int32_t rows, int32_t slice, bool among_zeros) {
    int code = LC_EXIT_OK;
    for (size_t i = 0; i < feed->count && among_zeros; i++) {
        const lc_tensor_view v = lc_session_input(feed->session, i);
        if (v.size) memset(v.data, 0, v.size);
    }
    for (int32_t k = 0; k < slice && !among_zeros && !code; k++) code = lc_cli_feed_fill(feed, k, k * (rows / slice), 1);
    if (!code) code = lc_cli_feed_fill(feed, slice / 2, slice / 2, 1);
    return code ? code : run_session(feed);
}

/* Does a row get the same answer whatever the other rows are? */
static int try_independence(const lc_cli_feed *feed, int32_t rows, int32_t slice, bool *independent) {
    size_t bytes = 1;
    for (size_t i = 0; i < lc_session_output_count(feed->session); i++) bytes += lc_session_output(feed->session, i).size / (size_t)slice;
    uint8_t *kept = malloc(bytes);
    if (!kept) return lc_cli_failed(NULL, "out of memory (outputs)");
    int code = run_trial(feed, rows, slice, true);
    if (!code) {
        same_row(feed->session, slice / 2, slice, kept, false);
        code = run_trial(feed, rows, slice, false);
        *independent = !code && same_row(feed->session, slice / 2, slice, kept, true);
    }
    free(kept);
    return code;
}

/* The session's outputs as they are, or with room for `rows` rows. */
static int make_answers(const lc_session *session, int32_t rows, lc_cli_answers *a) {
    a->count = lc_session_output_count(session);
    a->owned = rows > 0;
    a->views = calloc(a->count + 1, sizeof *a->views);
    if (!a->views) return lc_cli_failed(NULL, "out of memory (outputs)");
    for (size_t i = 0; i < a->count; i++) {
        lc_tensor_view *v = &a->views[i];
        *v = lc_session_output(session, i);
        if (!rows) continue;
        v->size = v->size / (size_t)v->dims[0] * (size_t)rows;
        v->dims[0] = rows;
        v->data = v->size ? malloc(v->size) : NULL;
        if (v->size && !v->data) return lc_cli_failed("run fewer rows at a time", "out of memory (%zu bytes of outputs)", v->size);
    }
    return LC_EXIT_OK;
}

/* The last slice begins earlier when it would not be full: some rows are then run twice, and one plan serves all. */
static int run_slices(const lc_cli_feed *feed, int32_t rows, int32_t slice, lc_cli_answers *a) {
    int code = make_answers(feed->session, rows, a);
    for (int32_t done = 0; done < rows && !code; done += slice) {
        const int32_t from = done + slice <= rows ? done : rows - slice;
        code = run_rows(feed, from, slice);
        for (size_t i = 0; i < a->count && !code; i++) {
            const lc_tensor_view v = lc_session_output(feed->session, i);
            const size_t bytes = v.size / (size_t)slice;
            if (v.size) memcpy((uint8_t *)a->views[i].data + (size_t)from * bytes, v.data, v.size);
        }
    }
    return code;
}

static int run_whole(lc_cli_feed *feed, lc_cli_answers *a) {
    int code = lc_cli_feed_resize(feed, 0, false);
    if (!code) code = lc_cli_feed_fill(feed, 0, 0, 0);
    if (!code) code = run_session(feed);
    return code ? code : make_answers(feed->session, 0, a);
}

/* Rows of a slice, 0: all at once. The trial has a session of its own, which it leaves with it: a model may keep what it saw
 * (variables), and the session that answers must not have seen anything. */
static int plan_slices(lc_cli_feed *feed, lc_model *model, const lc_session_options *how, int32_t rows, int32_t *slice) {
    lc_session *answering = feed->session;
    lc_error err;
    bool independent = false;
    if (lc_session_create(model, how, &feed->session, &err)) {
        feed->session = answering;
        return lc_cli_fail(&err);
    }
    *slice = slice_rows(feed, rows);
    const int code = *slice ? try_independence(feed, rows, *slice, &independent) : LC_EXIT_OK;
    lc_session_destroy(feed->session);
    feed->session = answering;
    if (!independent || lc_cli_feed_resize(feed, *slice, true)) *slice = 0;
    return code;
}

int lc_cli_answer(lc_cli_feed *feed, lc_model *model, const lc_session_options *how, lc_cli_answers *answers) {
    int32_t slice = 0;
    const int32_t rows = batch_rows(feed);
    int code = rows ? plan_slices(feed, model, how, rows, &slice) : LC_EXIT_OK;
    if (!code) code = slice ? run_slices(feed, rows, slice, answers) : run_whole(feed, answers);
    return code;
}

void lc_cli_answers_deinit(lc_cli_answers *a) {
    for (size_t i = 0; i < a->count && a->owned && a->views; i++) free(a->views[i].data);
    free(a->views);
    *a = (lc_cli_answers){0};
}
