/*
 * net_backup.c: a training into a file, and on from there with the same bits as if nothing had come between.
 *
 * The file is a .keras file: model, variables and the optimizer's state, which Keras opens, too. What only litec has is one more member of it:
 *
 *     form, seed │ epoch, step │ place in the data │ sums of the epoch, metrics │ history │ what the callbacks have seen │ ranges of the rounding
 *
 * One file, because it is replaced in one step: who is killed while it is written, or finds the disk full, keeps the one before. Numbers have
 * the byte order of the machine, which is little-endian wherever litec runs. One function, `pass`, writes and reads, so that both always agree.
 */
#include "api/net.h"

#include "source/zip.h"
#include "emit/keras_emit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FORM UINT64_C(0x32636974696c) /* "litic2": another when the fields below change */

/* Fields on their way to `out`, or out of `in`. */
typedef struct passage {
    lc_text *out; /* NULL: they are read */
    lc_cursor in;
    lc_error *err;
} passage;

static lc_status damaged(lc_error *err) {
    lc_fail(err, LC_INVALID, "the state of the training is cut or damaged");
    lc_error_hint(err, "remove the backup to begin anew");
    return LC_INVALID;
}

static lc_status pass(passage *a, void *data, size_t size) {
    if (a->out) {
        lc_text_add_n(a->out, data, size);
        return LC_OK;
    }
    const uint8_t *from = lc_read_bytes(&a->in, size);
    if (!from) return damaged(a->err);
    if (size) memcpy(data, from, size);
    return LC_OK;
}

/* A number that the training has already: read, it must be the same. */
static lc_status pass_same(passage *a, uint64_t wanted, const char *what) {
    uint64_t v = wanted;
    LC_TRY(pass(a, &v, sizeof v));
    if (v == wanted) return LC_OK;
    lc_fail(a->err, LC_ARGUMENT, "the backup is that of another training: %s differs", what);
    lc_error_hint(a->err, "go on with the model, the data and the options it was made with, or remove it to begin anew");
    return LC_ARGUMENT;
}

/* How many things of so many bytes there are; read, the file must have them. */
static lc_status pass_count(passage *a, size_t *count, size_t each) {
    uint64_t n = *count;
    LC_TRY(pass(a, &n, sizeof n));
    if (!a->out && n > lc_cursor_left(&a->in) / each) return damaged(a->err);
    *count = (size_t)n;
    return LC_OK;
}

static lc_status pass_place(passage *a, lc_net_course *c) {
    lc_progress *p = c->p;
    lc_pipeline_state place = lc_pipeline_tell(c->data);
    uint64_t epoch = p->epoch, in_epoch = c->in_epoch, stop = p->stop, steps = p->steps;
    LC_TRY(pass_same(a, place.seed, "the seed of the data"));
    LC_TRY(pass_same(a, place.print, "the number of samples, or an option that makes their order,"));
    LC_TRY(pass(a, &place.epoch, sizeof place.epoch));
    LC_TRY(pass(a, &place.picks, sizeof place.picks));
    LC_TRY(pass(a, &place.batches, sizeof place.batches));
    LC_TRY(pass(a, &epoch, sizeof epoch));
    LC_TRY(pass(a, &p->step, sizeof p->step));
    LC_TRY(pass(a, &steps, sizeof steps));
    LC_TRY(pass(a, &in_epoch, sizeof in_epoch));
    LC_TRY(pass(a, &stop, sizeof stop));
    if (a->out) return LC_OK;
    if (epoch > UINT32_MAX) return damaged(a->err);
    p->epoch = (uint32_t)epoch;
    p->stop = stop != 0;
    if (!p->steps) p->steps = steps;
    c->in_epoch = in_epoch != 0;
    return c->in_epoch || c->cut ? lc_pipeline_seek(c->data, &place, a->err) : LC_OK;
}

static lc_status pass_sums(passage *a, lc_net *net, lc_net_sums *sums) {
    LC_TRY(pass(a, sums, sizeof *sums));
    LC_TRY(pass_same(a, net->metric_count, "the number of metrics"));
    for (uint32_t i = 0; i < net->metric_count; i++) {
        size_t n;
        const char *class;
        const double *gathered = lc_metric_gathered(net->metrics[i], &n, &class);
        char name[64] = "";
        if (a->out && class) snprintf(name, sizeof name, "%s", class);
        LC_TRY(pass(a, name, sizeof name));
        if (!memchr(name, '\0', sizeof name)) return damaged(a->err);
        LC_TRY(pass_count(a, &n, sizeof *gathered));
        if (a->out) {
            lc_text_add_n(a->out, (const char *)gathered, n * sizeof *gathered);
            continue;
        }
        double *numbers = lc_calloc(n + 1, sizeof *numbers);
        if (!numbers) return lc_fail_memory(a->err, "metrics");
        lc_status status = pass(a, numbers, n * sizeof *numbers);
        if (status == LC_OK) status = lc_metric_gather(net->metrics[i], numbers, n, *name ? name : NULL, a->err);
        lc_free(numbers);
        LC_TRY(status);
    }
    return LC_OK;
}

static lc_status pass_history(passage *a, const lc_progress *p, lc_history *h) {
    size_t series = h->series;
    LC_TRY(pass_count(a, &h->epochs, 1));
    LC_TRY(pass_count(a, &series, 1));
    if (!a->out) h->capacity = h->epochs + (p->epochs > p->epoch ? p->epochs - p->epoch : 0);
    for (size_t i = 0; i < series; i++) {
        char name[200] = "";
        if (a->out) snprintf(name, sizeof name, "%s", h->names[i]);
        size_t at = i;
        LC_TRY(pass(a, name, sizeof name));
        if (!memchr(name, '\0', sizeof name)) return damaged(a->err);
        if (!a->out) LC_TRY(lc_history_series(h, name, &at, a->err));
        LC_TRY(pass(a, h->values[at], h->epochs * sizeof(double)));
    }
    return LC_OK;
}

static lc_status pass_callbacks(passage *a, const lc_net_course *c) {
    LC_TRY(pass_same(a, c->callback_count, "the number of callbacks"));
    for (size_t i = 0; i < c->callback_count; i++) {
        size_t size = 0;
        void *memory = c->callbacks[i].memory ? c->callbacks[i].memory(c->callbacks[i].user, &size) : NULL;
        LC_TRY(pass_same(a, memory ? size : 0, "what a callback remembers"));
        if (memory) LC_TRY(pass(a, memory, size));
    }
    return LC_OK;
}

static bool sane_range(const float *v) {
    for (int i = 0; i < 3; i++)
        if (!isfinite(v[i])) return false;
    return v[2] >= 0;
}

/* The ranges that quantisation-aware training follows the batches with, by the names of their tensors. */
static lc_status pass_ranges(passage *a, lc_net *net) {
    const float *decay = lc_net_ranges_decay(net);
    size_t count = 0;
    const char *name;
    const float *of;
    LC_TRY(pass_same(a, decay != NULL, "whether it rounds for int8 (--quantize-aware)"));
    if (!decay) return LC_OK;
    uint32_t bits;
    memcpy(&bits, decay, sizeof bits);
    LC_TRY(pass_same(a, bits, "how the ranges follow the batches (ema_decay)"));
    for (const void *r = NULL; a->out && (r = lc_net_range_next(net, r, &name, &of));) count++;
    LC_TRY(pass_count(a, &count, sizeof(size_t) + 3 * sizeof *of));
    const void *r = NULL;
    for (size_t i = 0; i < count; i++) {
        float range[3] = {0};
        char text[1024] = "";
        size_t length = 0;
        if (a->out) {
            r = lc_net_range_next(net, r, &name, &of);
            memcpy(range, of, sizeof range);
            length = strlen(name);
        }
        LC_TRY(pass_count(a, &length, 1));
        if (length >= sizeof text) return damaged(a->err);
        if (a->out) memcpy(text, name, length);
        LC_TRY(pass(a, text, length));
        LC_TRY(pass(a, range, sizeof range));
        if (a->out) continue;
        if (!*text || memchr(text, '\0', length) || !sane_range(range)) return damaged(a->err);
        float *to = lc_net_range_of(net, text, a->err);
        if (!to) return LC_NO_MEMORY;
        memcpy(to, range, sizeof range);
    }
    return LC_OK;
}

static lc_status pass_all(passage *a, lc_net *net, lc_net_course *c) {
    LC_TRY(pass_same(a, FORM, "the version of litec"));
    LC_TRY(pass(a, &net->seed, sizeof net->seed));
    LC_TRY(pass_place(a, c));
    LC_TRY(pass_sums(a, net, c->sums));
    LC_TRY(pass_history(a, c->p, c->history));
    LC_TRY(pass_callbacks(a, c));
    LC_TRY(pass_ranges(a, net));
    return a->out || !lc_cursor_left(&a->in) ? LC_OK : damaged(a->err);
}

lc_status lc_net_backup(lc_net *net, const lc_net_course *course, const char *path, lc_error *err) {
    lc_text more = {0};
    passage a = {.out = &more, .err = err};
    lc_net_course now = *course;
    lc_status status = pass_all(&a, net, &now);
    if (status == LC_OK && more.failed) status = lc_fail_memory(err, "a backup");
    if (status == LC_OK) status = lc_net_save_more(net, path, NULL, (lc_str){more.data, more.size}, err);
    lc_text_deinit(&more);
    return status;
}

/* ---- back --------------------------------------------------------------------------------------------------------------- */

static lc_status another_model(lc_error *err, const char *path) {
    lc_fail(err, LC_ARGUMENT, "the backup is that of another model: \"%.200s\" differs", path);
    lc_error_hint(err, "go on with the model and optimizer it was made with, or remove it to begin anew");
    return LC_ARGUMENT;
}

/* Variables and the optimizer's state of a model that was made alike. */
static lc_status take_values(lc_net *net, lc_net *from, lc_error *err) {
    if (!from->optimizer || from->variable_count != net->variable_count) return another_model(err, "the number of variables");
    for (uint32_t i = 0; i < net->variable_count; i++) {
        const lc_variable *v = &net->variables[i], *other = &from->variables[i];
        if (v->n != other->n || strcmp(v->path, other->path) != 0) return another_model(err, v->path);
    }
    uint32_t n, count;
    const lc_slot *slots = lc_optimizer_slots(net->optimizer, &n), *others = lc_optimizer_slots(from->optimizer, &count);
    if (n != count) return another_model(err, "the optimizer");
    for (uint32_t i = 0; i < n; i++)
        if (slots[i].n != others[i].n || slots[i].type != others[i].type || strcmp(slots[i].name, others[i].name) != 0)
            return another_model(err, slots[i].name);
    for (uint32_t i = 0; i < net->variable_count; i++)
        memcpy(net->variables[i].value, from->variables[i].value, net->variables[i].n * sizeof(float));
    for (uint32_t i = 0; i < n; i++) memcpy(slots[i].data, others[i].data, slots[i].n * (lc_dtype_bits(slots[i].type) / 8));
    return LC_OK;
}

static lc_status read_course(lc_net *net, lc_net_course *course, const lc_map *map, lc_arena *arena, lc_error *err) {
    lc_budget budget;
    lc_zip zip;
    const uint8_t *data;
    size_t size;
    lc_budget_init(&budget, &net->limits);
    LC_TRY(lc_zip_open(map, &budget, arena, &zip, err));
    const lc_zip_member *member = lc_zip_find(&zip, LC_KERAS_MORE);
    if (!member) {
        lc_fail(err, LC_INVALID, "it is no backup of a training: %s is not in it", LC_KERAS_MORE);
        lc_error_hint(err, "a model is opened with lc_net_open; name another folder for the backups");
        return LC_INVALID;
    }
    LC_TRY(lc_zip_read(&zip, member, &budget, arena, &data, &size, err));
    passage a = {.in = lc_cursor_make(data, size), .err = err};
    return pass_all(&a, net, course);
}

lc_status lc_net_resume(lc_net *net, lc_net_course *course, const char *path, lc_error *err) {
    lc_map map;
    lc_arena arena = {0};
    lc_net *from = NULL;
    LC_TRY(lc_map_open(&map, path, &net->limits, err));
    lc_status status = lc_net_open(path, &(lc_net_options){.limits = net->limits}, &from, err);
    if (status == LC_OK) status = take_values(net, from, err);
    if (status == LC_OK) status = read_course(net, course, &map, &arena, err);
    if (status != LC_OK) lc_error_prefix(err, "%.200s", path);
    lc_net_destroy(from);
    lc_arena_deinit(&arena);
    lc_map_close(&map);
    return status;
}
