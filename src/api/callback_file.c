/*
 * callback_file.c: the callbacks of Keras that write files: checkpoints, a log, backups, TensorBoard's events. What is a file of its own is written
 * whole or not at all, so that a full disk or a kill leaves the one before.
 */
#include "api/callback.h"
#include "base/base.h"
#include "base/folder.h"
#include "emit/graph_emit.h"
#include "proto/proto.h"
#include "train/events.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static lc_status no_memory(lc_callback *callback, lc_error *err) {
    lc_callback_deinit(callback);
    return lc_fail_memory(err, "a callback");
}

/* ---- ModelCheckpoint -------------------------------------------------------------------------------------------------- */

typedef struct checkpoint {
    lc_watch watch;
    char *path;
    bool best_only;
    uint64_t every;
} checkpoint;

static void checkpoint_deinit(void *user) { lc_free(((checkpoint *)user)->path); }

/* Adds a number as Python's "{:02d}" or "{:.3f}" would; false: not such a form. */
static bool add_formatted(lc_text *out, const char *form, size_t n, double value, bool whole) {
    if (n == 0 && !whole) {
        lc_text_add_number(out, value);
        return true;
    }
    char c[16] = "%", end = whole ? 'd' : 'g';
    size_t used = 1;
    for (size_t i = 0; i < n; i++) {
        const bool digit = (form[i] >= '0' && form[i] <= '9') || (form[i] == '.' && !memchr(form, '.', i));
        if (digit && used < 8) c[used++] = form[i];
        else if (i + 1 == n && strchr("dfeg", form[i])) end = form[i];
        else return false;
    }
    if ((end == 'd') != whole && end == 'd') return false;
    memcpy(c + used, end == 'd' ? ".0f" : (char[]){end, '\0'}, end == 'd' ? 4 : 2);
    if (end == 'd' && memchr(c, '.', used)) return false;
    char text[400]; /* the largest double has 309 digits; a width has at most 7, so it may be cut */
    snprintf(text, sizeof text, c, value);
    lc_text_add(out, text);
    return true;
}

/* The path with {epoch} and names of what is measured filled in. */
static lc_status fill_in(const checkpoint *s, const lc_progress *p, lc_text *out, lc_error *err) {
    for (const char *at = s->path; *at;) {
        const size_t plain = strcspn(at, "{");
        lc_text_add_n(out, at, plain);
        at += plain;
        if (!*at) break;
        const size_t n = strcspn(++at, "}"), name = strcspn(at, ":}");
        const bool epoch = name == 5 && strncmp(at, "epoch", 5) == 0, batch = s->every && name == 5 && strncmp(at, "batch", 5) == 0;
        double value = epoch ? p->epoch + 1.0 : (double)p->step + 1;
        bool known = epoch || batch;
        for (size_t i = 0; i < p->log_count && !known; i++)
            if (strlen(p->logs[i].name) == name && strncmp(at, p->logs[i].name, name) == 0) {
                value = p->logs[i].value;
                known = true;
            }
        const size_t form = name < n ? name + 1 : n;
        if (!at[n] || !known || !add_formatted(out, at + form, n - form, value, epoch || batch)) {
            lc_fail(err, LC_ARGUMENT, "path of a checkpoint: \"{%.*s\" cannot be filled in", (int)(n + (at[n] != 0)), at);
            lc_error_hint(err, "it may have {epoch}, {epoch:02d}, {batch} and what is measured, e.g. {val_loss:.2f}");
            return LC_ARGUMENT;
        }
        at += n + 1;
    }
    return out->failed ? lc_fail_memory(err, "a path") : LC_OK;
}

/* Is this one to be saved? Where nobody measures what is best, all are. */
static lc_status is_wanted(checkpoint *s, const lc_progress *p, const char *path, bool *wanted, lc_error *err) {
    const unsigned epoch = p->epoch + 1;
    char best[32] = "None";
    const double *value;
    *wanted = true;
    if (!s->best_only) {
        lc_watch_say(&s->watch, "\nEpoch %u: saving model to %s\n", epoch, path);
        return LC_OK;
    }
    LC_TRY(lc_watch_value(&s->watch, p, &value, err));
    if (!value) return LC_OK;
    if (s->watch.tally->has_best) snprintf(best, sizeof best, "%.5f", s->watch.tally->best);
    *wanted = lc_watch_improves(&s->watch, *value);
    if (*wanted)
        lc_watch_say(&s->watch, "\nEpoch %u: %s improved from %s to %.5f, saving model to %s\n", epoch, s->watch.name, best, *value, path);
    else lc_watch_say(&s->watch, "\nEpoch %u: %s did not improve from %s\n", epoch, s->watch.name, best);
    return LC_OK;
}

/* Makes the folders that a file is to lie in. */
static lc_status make_room(const char *path, lc_error *err) {
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path) return LC_OK;
    char *folder = lc_watch_text(path);
    if (!folder) return lc_fail_memory(err, "a path");
    folder[slash - path] = '\0';
    const lc_status status = lc_folder_make(folder, err);
    lc_free(folder);
    return status;
}

static lc_status save(checkpoint *s, lc_progress *p, lc_error *err) {
    lc_text path = {0};
    bool wanted = false;
    lc_status status = fill_in(s, p, &path, err);
    if (status == LC_OK) status = is_wanted(s, p, path.data, &wanted, err);
    if (status == LC_OK && wanted) status = make_room(path.data, err);
    if (status == LC_OK && wanted) status = lc_net_save(p->net, path.data, NULL, err);
    if (status == LC_OK && wanted) lc_watch_say(&s->watch, "\nEpoch %u: finished saving model to %s\n", p->epoch + 1, path.data);
    lc_text_deinit(&path);
    return status;
}

static lc_status checkpoint_batch(void *user, lc_progress *p, lc_error *err) {
    checkpoint *s = user;
    if (!s->every || ++s->watch.tally->batches < s->every) return LC_OK;
    s->watch.tally->batches = 0;
    return save(s, p, err);
}

static lc_status checkpoint_epoch(void *user, lc_progress *p, lc_error *err) {
    checkpoint *s = user;
    return s->every ? LC_OK : save(s, p, err);
}

lc_status lc_model_checkpoint(const char *path, const lc_model_checkpoint_options *options, lc_callback *callback, lc_error *err) {
    static const lc_model_checkpoint_options defaults = {0};
    const lc_model_checkpoint_options *o = options ? options : &defaults;
    *callback = (lc_callback){0};
    if (!path || o->save_weights_only != lc_path_ends(path, ".weights.h5") ||
        !(lc_path_ends(path, ".h5") || lc_path_ends(path, ".hdf5") || lc_path_ends(path, ".keras"))) {
        lc_fail(err, LC_ARGUMENT, "a checkpoint cannot be saved as \"%.200s\"", path ? path : "");
        lc_error_hint(err, o->save_weights_only ? "weights alone are saved as .weights.h5" : "a whole model is saved as .keras or .h5");
        return LC_ARGUMENT;
    }
    lc_status status;
    checkpoint *s = lc_watch_make(sizeof *s, &o->monitor, checkpoint_deinit, &status, err);
    if (!s) return status;
    *callback = (lc_callback){.on_batch_end = checkpoint_batch, .on_epoch_end = checkpoint_epoch, .memory = lc_watch_memory, .user = s};
    s->path = lc_watch_text(path);
    s->best_only = o->save_best_only;
    s->every = o->save_freq;
    s->watch.tally->has_best = o->initial_value_threshold != NULL;
    if (o->initial_value_threshold) s->watch.tally->best = *o->initial_value_threshold;
    s->watch.monitor.min_delta = 0;
    return s->path ? LC_OK : no_memory(callback, err);
}

/* ---- CSVLogger -------------------------------------------------------------------------------------------------------- */

typedef struct csv {
    lc_watch watch; /* tally->bytes: of the file that are ours to keep */
    char *path;
    char separator;
    bool append;
    lc_text text; /* of the whole file */
    char **names; /* [count] columns after the epoch */
    size_t count;
} csv;

static void csv_forget(csv *s) {
    for (size_t i = 0; i < s->count; i++) lc_free(s->names[i]);
    lc_free(s->names);
    s->names = NULL;
    s->count = 0;
    lc_text_deinit(&s->text);
}

static void csv_deinit(void *user) {
    csv_forget(user);
    lc_free(((csv *)user)->path);
}

static lc_status csv_begin(void *user, lc_progress *p, lc_error *err) {
    csv *s = user;
    (void)p;
    (void)err;
    csv_forget(s);
    s->watch.tally->bytes = s->append ? UINT64_MAX : 0;
    return LC_OK;
}

/* The lines before this training, or of it before it was killed. */
static lc_status csv_before(csv *s, lc_error *err) {
    lc_map map;
    if (!s->watch.tally->bytes || !lc_path_is_file(s->path)) return LC_OK;
    const lc_status status = lc_map_open(&map, s->path, NULL, err);
    if (status == LC_INVALID) return LC_OK; /* empty */
    LC_TRY(status);
    lc_text_add_n(&s->text, (const char *)map.data, map.size < s->watch.tally->bytes ? map.size : (size_t)s->watch.tally->bytes);
    lc_map_close(&map);
    return s->text.failed ? lc_fail_memory(err, "a log") : LC_OK;
}

/* The columns: what the first epoch measured, by the alphabet; without a validation those of one, too, in case it comes later. */
static lc_status csv_columns(csv *s, const lc_progress *p, lc_error *err) {
    bool validated = false;
    for (size_t i = 0; i < p->log_count; i++) validated |= strncmp(p->logs[i].name, "val_", 4) == 0;
    const size_t n = p->log_count * (validated ? 1 : 2);
    s->names = lc_calloc(n + 1, sizeof *s->names);
    if (!s->names) return lc_fail_memory(err, "a log");
    for (size_t i = 0; i < n; i++) {
        const char *name = p->logs[i % p->log_count].name;
        char *copy = lc_malloc(strlen(name) + 5);
        if (!copy) return lc_fail_memory(err, "a log");
        snprintf(copy, strlen(name) + 5, "%s%s", i < p->log_count ? "" : "val_", name);
        size_t at = s->count++;
        for (; at > 0 && (i < p->log_count || at > p->log_count) && strcmp(s->names[at - 1], copy) > 0; at--)
            s->names[at] = s->names[at - 1];
        s->names[at] = copy;
    }
    return LC_OK;
}

static lc_status csv_epoch(void *user, lc_progress *p, lc_error *err) {
    csv *s = user;
    if (!s->text.size) LC_TRY(csv_before(s, err));
    const bool empty = s->text.size == 0;
    if (!s->names) LC_TRY(csv_columns(s, p, err));
    if (empty) {
        lc_text_add(&s->text, "epoch");
        for (size_t i = 0; i < s->count; i++) lc_text_printf(&s->text, "%c%s", s->separator, s->names[i]);
        lc_text_add(&s->text, "\r\n");
    }
    lc_text_printf(&s->text, "%u", p->epoch);
    for (size_t i = 0; i < s->count; i++) {
        const double *value = lc_watch_find(p, s->names[i]);
        lc_text_printf(&s->text, "%c", s->separator);
        if (!value) lc_text_add(&s->text, "NA");
        else if (isfinite(*value)) lc_text_add_number(&s->text, *value);
        else lc_text_add(&s->text, isnan(*value) ? "nan" : *value < 0 ? "-inf" : "inf");
    }
    lc_text_add(&s->text, "\r\n");
    if (s->text.failed) return lc_fail_memory(err, "a log");
    LC_TRY(lc_file_save(s->path, s->text.data, s->text.size, err));
    s->watch.tally->bytes = s->text.size;
    return LC_OK;
}

lc_status lc_csv_logger(const char *path, const lc_csv_logger_options *options, lc_callback *callback, lc_error *err) {
    *callback = (lc_callback){0};
    if (!path) return lc_fail(err, LC_ARGUMENT, "no path is given for the log");
    lc_status status;
    csv *s = lc_watch_make(sizeof *s, NULL, csv_deinit, &status, err);
    if (!s) return status;
    *callback = (lc_callback){.on_train_begin = csv_begin, .on_epoch_end = csv_epoch, .memory = lc_watch_memory, .user = s};
    s->path = lc_watch_text(path);
    s->separator = options && options->separator ? options->separator : ',';
    s->append = options && options->append;
    return s->path ? LC_OK : no_memory(callback, err);
}

/* ---- BackupAndRestore --------------------------------------------------------------------------------------------------- */

typedef struct backup {
    lc_watch watch;
    char *path;
    uint64_t every;
    bool keep;
} backup;

static void backup_deinit(void *user) { lc_free(((backup *)user)->path); }

/* The file in a folder of backups; the caller frees it. */
static char *backup_path(const char *folder) {
    lc_text path = {0};
    lc_text_printf(&path, "%s/backup.keras", folder);
    return lc_text_take(&path);
}

static lc_status backup_begin(void *user, lc_progress *p, lc_error *err) {
    const backup *s = user;
    p->resume = s->path;
    return make_room(s->path, err);
}

static lc_status backup_batch(void *user, lc_progress *p, lc_error *err) {
    const backup *s = user;
    (void)err;
    if (!s->every || ++s->watch.tally->batches < s->every) return LC_OK;
    s->watch.tally->batches = 0;
    p->backup = s->path;
    return LC_OK;
}

static lc_status backup_epoch(void *user, lc_progress *p, lc_error *err) {
    const backup *s = user;
    (void)err;
    if (!s->every) p->backup = s->path;
    return LC_OK;
}

static lc_status backup_end(void *user, lc_progress *p, lc_error *err) {
    const backup *s = user;
    (void)p;
    (void)err;
    if (!s->keep) lc_file_remove(s->path);
    return LC_OK;
}

lc_status lc_backup_and_restore(const char *folder, const lc_backup_options *options, lc_callback *callback, lc_error *err) {
    *callback = (lc_callback){0};
    if (!folder || !*folder) return lc_fail(err, LC_ARGUMENT, "no folder is given for the backups");
    lc_status status;
    backup *s = lc_watch_make(sizeof *s, NULL, backup_deinit, &status, err);
    if (!s) return status;
    *callback = (lc_callback){.on_train_begin = backup_begin,
                              .on_batch_end = backup_batch,
                              .on_epoch_end = backup_epoch,
                              .on_train_end = backup_end,
                              .memory = lc_watch_memory,
                              .user = s};
    s->path = backup_path(folder);
    s->every = options ? options->save_freq : 0;
    s->keep = options && options->keep;
    return s->path ? LC_OK : no_memory(callback, err);
}

void lc_backup_discard(const char *folder) {
    char *path = backup_path(folder);
    if (path) lc_file_remove(path);
    lc_free(path);
}

/* ---- TensorBoard ---------------------------------------------------------------------------------------------------------- */

typedef struct board {
    lc_watch watch;
    char *folder;
    uint32_t histograms;
    bool no_graph;
    lc_events *events[2]; /* of the training, of the validation */
} board;

static void board_close(board *s) {
    for (int i = 0; i < 2; i++) {
        lc_events_close(s->events[i]);
        s->events[i] = NULL;
    }
}

static void board_deinit(void *user) {
    board_close(user);
    lc_free(((board *)user)->folder);
}

static double wall_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The file of the training or of the validation, which is begun when it has something to say. */
static lc_status events_of(board *s, bool validation, lc_events **events, lc_error *err) {
    lc_status status = LC_OK;
    if (!s->events[validation]) {
        lc_text path = {0};
        lc_text_printf(&path, "%s/%s", s->folder, validation ? "validation" : "train");
        status = path.failed ? lc_fail_memory(err, "a path") : lc_events_open(path.data, NULL, &s->events[validation], err);
        lc_text_deinit(&path);
    }
    *events = s->events[validation];
    return status;
}

static lc_status add_graph(lc_events *events, lc_model *model, lc_error *err) {
    lc_arena arena = {0};
    lc_pb_GraphDef *graph;
    lc_text bytes = {0};
    lc_status status = lc_emit_graph(model, NULL, 0, &arena, &graph, err);
    if (status == LC_OK) lc_pb_write(LC_PB_GraphDef, graph, &bytes);
    if (status == LC_OK && bytes.failed) status = lc_fail_memory(err, "a graph");
    if (status == LC_OK) status = lc_events_graph(events, wall_time(), (lc_str){bytes.data, bytes.size}, err);
    lc_text_deinit(&bytes);
    lc_arena_deinit(&arena);
    return status;
}

static lc_status board_begin(void *user, lc_progress *p, lc_error *err) {
    board *s = user;
    lc_events *events;
    lc_model *model;
    board_close(s);
    LC_TRY(events_of(s, false, &events, err));
    if (s->no_graph) return LC_OK;
    lc_status status = lc_net_convert(p->net, &(lc_convert_options){.no_optimize = true}, &model, err);
    if (status == LC_OK) {
        status = add_graph(events, model, err);
        lc_model_destroy(model);
    }
    return status == LC_UNSUPPORTED ? LC_OK : status; /* a picture that cannot be had is no reason not to learn */
}

/* A number as "<before><name><after>". */
static lc_status add_scalar(board *s, bool validation, const char *before, const lc_log *log, const char *after, int64_t step,
                            lc_error *err) {
    lc_events *events;
    lc_text tag = {0};
    LC_TRY(events_of(s, validation, &events, err));
    lc_text_printf(&tag, "%s%s%s", before, log->name + (validation ? sizeof "val_" - 1 : 0), after);
    const lc_status status =
        tag.failed ? lc_fail_memory(err, "an event") : lc_events_scalar(events, tag.data, step, wall_time(), log->value, err);
    lc_text_deinit(&tag);
    return status;
}

static lc_status add_histograms(board *s, const lc_progress *p, lc_error *err) {
    lc_events *events;
    LC_TRY(events_of(s, false, &events, err));
    for (size_t i = 0; i < lc_net_variable_count(p->net); i++) {
        const lc_net_variable v = lc_net_variable_at(p->net, i);
        lc_text tag = {0};
        lc_text_printf(&tag, "%s/histogram", v.path);
        const lc_status status = tag.failed ? lc_fail_memory(err, "an event")
                                            : lc_events_histogram(events, tag.data, p->epoch, wall_time(), v.value, v.count, err);
        lc_text_deinit(&tag);
        LC_TRY(status);
    }
    return LC_OK;
}

static lc_status board_epoch(void *user, lc_progress *p, lc_error *err) {
    board *s = user;
    const lc_log rate = {"learning_rate", p->learning_rate};
    for (size_t i = 0; i < p->log_count; i++) {
        const bool validation = strncmp(p->logs[i].name, "val_", 4) == 0;
        if (validation)
            LC_TRY(add_scalar(s, true, "evaluation_", &p->logs[i], "_vs_iterations", lc_optimizer_iteration(p->net->optimizer), err));
        LC_TRY(add_scalar(s, validation, "epoch_", &p->logs[i], "", p->epoch, err));
    }
    if (!lc_watch_find(p, rate.name)) LC_TRY(add_scalar(s, false, "epoch_", &rate, "", p->epoch, err));
    return s->histograms && p->epoch % s->histograms == 0 ? add_histograms(s, p, err) : LC_OK;
}

static lc_status board_end(void *user, lc_progress *p, lc_error *err) {
    board *s = user;
    lc_status status = LC_OK;
    (void)p;
    for (int i = 0; i < 2 && status == LC_OK; i++)
        if (s->events[i]) status = lc_events_flush(s->events[i], err);
    board_close(s);
    return status;
}

lc_status lc_tensorboard(const char *folder, const lc_tensorboard_options *options, lc_callback *callback, lc_error *err) {
    *callback = (lc_callback){0};
    lc_status status;
    board *s = lc_watch_make(sizeof *s, NULL, board_deinit, &status, err);
    if (!s) return status;
    *callback = (lc_callback){.on_train_begin = board_begin, .on_epoch_end = board_epoch, .on_train_end = board_end, .user = s};
    s->folder = lc_watch_text(folder ? folder : "logs");
    s->histograms = options ? options->histogram_freq : 0;
    s->no_graph = options && options->no_graph;
    return s->folder ? LC_OK : no_memory(callback, err);
}
