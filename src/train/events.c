/*
 * events.c: TensorBoard's event files.
 *
 *   uint64 length │ masked checksum of it │ an Event │ masked checksum of it          again and again; the first states the version
 *
 * A record goes to the file in one piece, so that who reads meanwhile sees whole ones; the last record of a killed process may be cut, which
 * TensorBoard takes for a file that still grows.
 *
 * A histogram has the buckets that TensorFlow's own have: limits that grow by a tenth from 1e-12 to 1e20 on either side of zero, 1,549 in
 * all; runs of empty buckets are written as one.
 *
 * Spec: tensorflow/core/util/event.proto, framework/summary.proto; tensorflow/core/lib/io/record_writer, lib/histogram.
 */
#include "train/events.h"

#include "base/crc32c.h"
#include "base/folder.h"
#include "base/log.h"
#include "proto/proto.h"

#include <float.h>
#include <math.h>
#include <time.h>
#include <unistd.h>

#define LEAST_LIMIT 1e-12
#define MOST_LIMIT 1e20
#define GROWTH 1.1
#define MOST_LIMITS 800 /* of one sign: log(1e32) / log(1.1) is 774 */

struct lc_events {
    lc_logfile *log;
};

/* ---- records ------------------------------------------------------------------------------------------------------------ */

static void put_number(uint8_t *to, uint64_t v, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++) to[i] = (uint8_t)(v >> 8 * i);
}

static lc_status write_record(lc_events *ev, lc_text *record, lc_error *err) {
    enum { HEAD = 12, TAIL = 4 };
    lc_text_add_n(record, "\0\0\0", TAIL);
    if (record->failed) return lc_fail_memory(err, "event");
    uint8_t *const bytes = (uint8_t *)record->data;
    const size_t size = record->size - HEAD - TAIL;
    put_number(bytes, size, 8);
    put_number(bytes + 8, lc_crc32c_mask(lc_crc32c(0, bytes, 8)), 4);
    put_number(bytes + HEAD + size, lc_crc32c_mask(lc_crc32c(0, bytes + HEAD, size)), 4);
    return lc_logfile_write(ev->log, bytes, record->size, err);
}

static lc_status write_event(lc_events *ev, const lc_pb_Event *event, lc_error *err) {
    lc_text record = {0};
    lc_text_add_n(&record, "\0\0\0\0\0\0\0\0\0\0\0", 12); /* length and its checksum: known at the end */
    lc_pb_write(LC_PB_Event, event, &record);
    const lc_status status = write_record(ev, &record, err);
    lc_text_deinit(&record);
    return status;
}

static lc_status write_summary(lc_events *ev, const char *tag, int64_t step, double wall_time, lc_pb_Summary_Value *value, lc_error *err) {
    value->tag = lc_str_of(tag);
    lc_pb_Summary summary = {.value = {value, 1}};
    const lc_pb_Event event = {.wall_time = wall_time, .step = step, .summary = &summary};
    return write_event(ev, &event, err);
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static void add_unique(lc_text *path) {
    static _Atomic unsigned counter;
    char host[256];
    if (gethostname(host, sizeof host - 1) != 0) host[0] = 0;
    host[sizeof host - 1] = 0;
    lc_text_printf(path, "%s.%ld.%u", *host ? host : "localhost", (long)getpid(), counter++);
}

static lc_status open_file(const char *folder, const char *name, lc_events *ev, lc_error *err) {
    LC_TRY(lc_folder_make(folder, err));
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    lc_text path = {0};
    lc_text_printf(&path, "%s/events.out.tfevents.%010lld.", folder, (long long)now.tv_sec);
    if (name) lc_text_add(&path, name);
    else add_unique(&path);
    lc_text_add(&path, ".v2");
    lc_status status = path.failed ? lc_fail_memory(err, "event file") : lc_logfile_open(path.data, true, &ev->log, err);
    lc_text_deinit(&path);
    if (status != LC_OK) return status;
    const lc_pb_Event first = {.wall_time = (double)now.tv_sec, .file_version = LC_STR("brain.Event:2")};
    return write_event(ev, &first, err);
}

lc_status lc_events_open(const char *folder, const char *name, lc_events **events, lc_error *err) {
    *events = NULL;
    if (!folder || !*folder) {
        lc_fail(err, LC_ARGUMENT, "no folder given for TensorBoard's files");
        lc_error_hint(err, "give the path of a folder, e.g. logs");
        return LC_ARGUMENT;
    }
    lc_events *ev = lc_calloc(1, sizeof *ev);
    if (!ev) return lc_fail_memory(err, "event file");
    const lc_status status = open_file(folder, name, ev, err);
    if (status == LC_OK) *events = ev;
    else lc_events_close(ev);
    return status;
}

lc_status lc_events_flush(lc_events *ev, lc_error *err) { return lc_logfile_flush(ev->log, err); }

void lc_events_close(lc_events *ev) {
    if (!ev) return;
    lc_logfile_close(ev->log);
    lc_free(ev);
}

/* ---- what is told ------------------------------------------------------------------------------------------------------- */

lc_status lc_events_scalar(lc_events *ev, const char *tag, int64_t step, double wall_time, double value, lc_error *err) {
    lc_pb_Summary_Value v = {.simple_value = (float)value};
    lc_pb_set(&v, Summary_Value, simple_value); /* also zero */
    return write_summary(ev, tag, step, wall_time, &v, err);
}

lc_status lc_events_graph(lc_events *ev, double wall_time, lc_str graph, lc_error *err) {
    const lc_pb_Event event = {.wall_time = wall_time, .graph_def = graph};
    return write_event(ev, &event, err);
}

/* Upper limits of the buckets, rising; a value lies below the limit of its bucket and not below that of the one before. */
static size_t make_limits(double limits[2 * MOST_LIMITS + 1]) {
    double positive[MOST_LIMITS];
    size_t n = 0;
    for (double v = LEAST_LIMIT; v < MOST_LIMIT && n < MOST_LIMITS - 1; v *= GROWTH) positive[n++] = v;
    positive[n++] = DBL_MAX;
    for (size_t i = 0; i < n; i++) {
        limits[i] = -positive[n - 1 - i];
        limits[n + 1 + i] = positive[i];
    }
    limits[n] = 0;
    return 2 * n + 1;
}

static size_t bucket_of(const double *limits, size_t n, double value) {
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (value < limits[middle]) high = middle;
        else low = middle + 1;
    }
    return low;
}

/* Counts become what is written: of empty buckets in a row only the last. Returns how many there are. */
static uint32_t squeeze(double *limits, double *counts, size_t n) {
    uint32_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (counts[i] <= 0 && i + 1 < n && counts[i + 1] <= 0) continue;
        limits[kept] = limits[i];
        counts[kept++] = counts[i];
    }
    return kept;
}

lc_status lc_events_histogram(lc_events *ev, const char *tag, int64_t step, double wall_time, const float *values, size_t n,
                              lc_error *err) {
    double limits[2 * MOST_LIMITS + 1], counts[2 * MOST_LIMITS + 1] = {0};
    const size_t buckets = make_limits(limits);
    lc_pb_HistogramProto h = {.num = (double)n, .min = n ? DBL_MAX : 0, .max = n ? -DBL_MAX : 0};
    for (size_t i = 0; i < n; i++) {
        const double v = values[i];
        if (!isfinite(v)) {
            lc_fail(err, LC_INVALID, "value %zu of '%s' is %f at step %lld: it has no place in a histogram", i, tag, v, (long long)step);
            lc_error_hint(err, "look at the loss of the steps before: a lower learning rate or clipped gradients keep weights finite");
            return LC_INVALID;
        }
        counts[bucket_of(limits, buckets, v)]++;
        h.sum += v;
        h.sum_squares += v * v;
        if (v < h.min) h.min = v;
        if (v > h.max) h.max = v;
    }
    h.bucket_limit.data = limits;
    h.bucket.data = counts;
    h.bucket_limit.n = h.bucket.n = squeeze(limits, counts, buckets);
    lc_pb_Summary_Value v = {.histo = &h};
    return write_summary(ev, tag, step, wall_time, &v, err);
}
