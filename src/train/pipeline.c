/*
 * pipeline.c: opening a pipeline, its calls, and the thread that makes batches ahead.
 *
 * Batches lie in slots. Without a thread there is one, which is made anew for each call. With one there are `prefetch` and that of the caller:
 * the thread fills them in turn and waits when all are full; an error is a slot too, after which the thread ends. What the thread does needs
 * nothing of the caller, so its batches are those that would have been made without it. Going to another place ends the thread, and the next
 * call begins another.
 */
#include "train/pipeline.h"

#include <signal.h>
#include <string.h>

#define MOST_THREADS 256
#define MOST_BATCH ((uint32_t)1 << 24)
#define MOST_PREFETCH 4096

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

static lc_status bad_option(const char *what, const char *hint, lc_error *err) {
    lc_fail(err, LC_ARGUMENT, "pipeline: %s", what);
    lc_error_hint(err, "%s", hint);
    return LC_ARGUMENT;
}

static lc_status check_options(lc_pipeline *p, lc_error *err) {
    lc_pipeline_options *o = &p->o;
    if (!o->batch) o->batch = 32;
    if (o->batch > MOST_BATCH) return bad_option(".batch is above 16,777,216", "make batches smaller", err);
    if (o->prefetch > MOST_PREFETCH) return bad_option(".prefetch is above 4,096", "a few batches are enough", err);
    if (o->classes < 0) return bad_option(".classes is below 0", "say how many classes there are; 0: labels are not looked at", err);
    if (!o->shuffle && (o->buffer || o->same_order))
        return bad_option(".buffer or .same_order without .shuffle", "set .shuffle, or leave them out", err);
    return LC_OK;
}

/* How samples are drawn: from all of the source, or from a buffer of what was read in order. */
static lc_status plan_order(lc_pipeline *p, lc_error *err) {
    const lc_pipeline_options *o = &p->o;
    const uint64_t count = p->view.count;
    const bool whole = o->shuffle && (!o->buffer || o->buffer >= count);
    if (p->supply.count == UINT64_MAX && !p->supply.any_order && ((whole && count == UINT64_MAX) || o->cache || o->split_shuffled))
        return bad_option("the number of samples is not known, so they cannot be kept or shuffled as a whole",
                          "give their count, or a .buffer that shuffling chooses from", err);
    p->load = !p->supply.any_order && (o->cache || o->split_shuffled || (whole && p->supply.count != UINT64_MAX));
    p->any_order = p->supply.any_order || p->load;
    LC_TRY(lc_order_init(&p->order, o->seed, !o->shuffle ? 1 : whole ? count : o->buffer, p->any_order, err));
    if (o->cache || p->load) {
        size_t bytes;
        if (!lc_u64_to_size(p->supply.count, &bytes) || !lc_mul_size(bytes, sizeof *p->cache, &bytes)) return lc_fail_memory(err, "cache");
        LC_TRY(lc_budget_memory(&p->budget, bytes, "the cache of the samples", err));
        if (!(p->cache = lc_calloc((size_t)p->supply.count, sizeof *p->cache))) return lc_fail_memory(err, "cache");
    }
    if (p->any_order) return LC_OK;
    LC_TRY(lc_budget_memory(&p->budget, p->order.room > UINT64_MAX / 64 ? UINT64_MAX : p->order.room * sizeof *p->held, "the buffer", err));
    p->held = lc_calloc((size_t)p->order.room, sizeof *p->held);
    p->taken = lc_calloc(o->batch, sizeof *p->taken);
    return p->held && p->taken ? LC_OK : lc_fail_memory(err, "buffer of samples");
}

static uint64_t print_of(const lc_pipeline *p) {
    const lc_pipeline_options *o = &p->o;
    const uint64_t all[] = {p->supply.count,   p->view.begin,     p->view.end,   p->view.step,      p->view.shard,
                            p->order.room,     o->shuffle,        o->same_order, o->split_shuffled, o->batch,
                            o->drop_remainder, p->supply.x_count, p->parts,      p->map_count};
    return lc_hash(all, sizeof all, 1);
}

/* A batch of the shape that the first sample has. */
static lc_status make_slot(lc_pipeline *p, lc_slot *slot, lc_error *err) {
    if (!(slot->parts = lc_calloc(p->parts, sizeof *slot->parts)) || !(slot->of = lc_calloc(p->o.batch, sizeof *slot->of)) ||
        (p->supply.weighted && !(slot->weight = lc_calloc(p->o.batch, sizeof *slot->weight))))
        return lc_fail_memory(err, "batch");
    for (uint32_t i = 0; i < p->parts; i++) {
        const lc_array part = lc_pipeline_part(p, i);
        LC_TRY(lc_budget_memory(&p->budget, part.size, "a batch", err));
        slot->parts[i] = part;
        if (!(slot->parts[i].data = lc_malloc_aligned(part.size ? part.size : 1))) return lc_fail_memory(err, "batch");
    }
    return LC_OK;
}

static lc_status check_shapes(const lc_pipeline *p, lc_error *err) {
    for (uint32_t i = 0; i < p->parts; i++) {
        const lc_array *a = &p->shape[i];
        size_t size;
        if (a->rank == LC_MAX_RANK || !lc_mul_size(a->size, p->o.batch, &size) || !lc_sample_size(a->type, a->dims, a->rank, &size) ||
            size != a->size)
            return lc_fail(err, LC_UNSUPPORTED, "a batch of %u samples of %s", (unsigned)p->o.batch, lc_shape_of(a).text);
    }
    return LC_OK;
}

static lc_status open_all(lc_pipeline *p, lc_error *err) {
    const lc_pipeline_options *o = &p->o;
    lc_budget_init(&p->budget, &o->limits);
    LC_TRY(check_options(p, err));
    LC_TRY(lc_view_init(&p->view, p->supply.count, o, err));
    if (o->drop_remainder && p->view.count < o->batch) {
        lc_fail(err, LC_INVALID, "there are %llu samples, fewer than the %u of a batch, and drop_remainder leaves them out",
                (unsigned long long)p->view.count, (unsigned)o->batch);
        lc_error_hint(err, "make batches smaller, or keep the last one");
        return LC_INVALID;
    }
    LC_TRY(lc_transforms_prepare(o->map, &p->supply, &p->arena, &p->map, &p->map_count, err));
    LC_TRY(plan_order(p, err));
    p->print = print_of(p);
    p->threads = lc_pool_wanted(o->threads, MOST_THREADS);
    p->scratch = lc_calloc((size_t)p->threads, sizeof *p->scratch);
    p->shape = lc_arena_array(&p->arena, p->parts, sizeof *p->shape);
    p->position = lc_calloc(o->batch, sizeof *p->position);
    p->bad = lc_calloc(o->batch, sizeof *p->bad);
    p->slot_count = o->prefetch + 1;
    p->slots = lc_calloc(p->slot_count, sizeof *p->slots);
    if (!p->scratch || !p->shape || !p->position || !p->bad || !p->slots) return lc_fail_memory(err, "pipeline");
    for (int32_t i = 0; i < p->threads; i++) LC_TRY(lc_sample_init(&p->scratch[i], p->supply.x_count, p->supply.y_count, err));
    LC_TRY(lc_probe(p, err));
    LC_TRY(check_shapes(p, err));
    for (uint32_t i = 0; i < p->parts; i++) p->row_bytes += p->shape[i].size;
    for (uint32_t i = 0; i < p->slot_count; i++) LC_TRY(make_slot(p, &p->slots[i], err));
    if (p->threads > 1) LC_TRY(lc_pool_create(p->threads, &p->pool, err));
    p->now = (lc_pipeline_state){.seed = o->seed, .print = p->print};
    return lc_produce_from(p, &p->now, err);
}

lc_status lc_pipeline_open(const lc_supply *supply, const lc_pipeline_options *options, lc_pipeline **pipeline, lc_error *err) {
    static const lc_pipeline_options defaults;
    lc_error local;
    if (!err) err = &local;
    lc_error_clear(err);
    *pipeline = NULL;
    lc_pipeline *p = lc_calloc(1, sizeof *p);
    if (!p) {
        supply->close(supply->user);
        return lc_fail_memory(err, "pipeline");
    }
    p->supply = *supply;
    p->parts = supply->x_count + supply->y_count;
    p->o = options ? *options : defaults;
    pthread_mutex_init(&p->lock, NULL); /* with default attributes these do not fail on any system we know */
    pthread_cond_init(&p->changed, NULL);
    const lc_status status = open_all(p, err);
    p->o.map = NULL; /* the caller's */
    if (status) lc_pipeline_close(p);
    else *pipeline = p;
    return status;
}

/* ---- the thread ----------------------------------------------------------------------------------------------------------- */

static void *make_ahead(void *arg) {
    lc_pipeline *p = arg;
    bool failed = false;
    pthread_mutex_lock(&p->lock);
    while (!p->stop && !failed) {
        if (p->made - p->given == p->slot_count) { /* the one that the caller has is not given back yet */
            pthread_cond_wait(&p->changed, &p->lock);
            continue;
        }
        lc_slot *slot = &p->slots[p->made % p->slot_count];
        pthread_mutex_unlock(&p->lock);
        lc_produce(p, slot);
        failed = slot->status != LC_OK;
        pthread_mutex_lock(&p->lock);
        p->made++;
        pthread_cond_signal(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static lc_status start_thread(lc_pipeline *p, lc_error *err) {
    sigset_t all, before;
    p->stop = false;
    p->made = p->given = 0;
    sigfillset(&all); /* a program's signal handlers belong to its own threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&p->thread, NULL, make_ahead, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    p->running = !failed;
    if (!failed) return LC_OK;
    lc_fail(err, LC_NO_MEMORY, "the system refused to start a thread that makes batches ahead");
    lc_error_hint(err, "leave out .prefetch, or raise the limit on processes (ulimit -u)");
    return LC_NO_MEMORY;
}

static void stop_thread(lc_pipeline *p) {
    if (!p->running) return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    p->running = false;
}

/* The next slot, made by the thread or here. */
static lc_status next_slot(lc_pipeline *p, lc_slot **slot, lc_error *err) {
    if (!p->o.prefetch) {
        *slot = &p->slots[0];
        lc_produce(p, *slot);
        return LC_OK;
    }
    if (!p->running) LC_TRY(start_thread(p, err));
    pthread_mutex_lock(&p->lock);
    if (p->with_caller) {
        p->given++;
        pthread_cond_signal(&p->changed);
    }
    while (p->made == p->given) pthread_cond_wait(&p->changed, &p->lock);
    *slot = &p->slots[p->given % p->slot_count];
    pthread_mutex_unlock(&p->lock);
    return LC_OK;
}

/* ---- calls ------------------------------------------------------------------------------------------------------------------ */

lc_status lc_pipeline_next(lc_pipeline *p, lc_batch *batch, lc_error *err) {
    lc_slot *slot;
    if (batch) *batch = (lc_batch){0};
    if (!p || !batch) return lc_fail(err, LC_ARGUMENT, "lc_pipeline_next needs a pipeline and a place for the batch");
    if (p->failed) {
        if (err) *err = p->why;
        return p->why.status;
    }
    LC_TRY(next_slot(p, &slot, err));
    p->with_caller = slot;
    p->seen = slot->skipped;
    memcpy(p->seen_last, slot->last, sizeof slot->last);
    if (slot->status) {
        p->failed = true;
        p->why = slot->err;
        if (err) *err = slot->err;
        return slot->status;
    }
    p->now = slot->after;
    lc_array *y = p->supply.y_count ? slot->parts + p->supply.x_count : NULL;
    *batch = (lc_batch){slot->rows, slot->parts, y, slot->weight, slot->of};
    return LC_OK;
}

lc_pipeline_state lc_pipeline_tell(const lc_pipeline *p) { return p ? p->now : (lc_pipeline_state){0}; }

lc_status lc_pipeline_seek(lc_pipeline *p, const lc_pipeline_state *state, lc_error *err) {
    if (!p) return lc_fail(err, LC_ARGUMENT, "lc_pipeline_seek needs a pipeline");
    const lc_pipeline_state first = {.seed = p->o.seed, .print = p->print};
    if (!state) state = &first;
    if (state->print != p->print || state->seed != p->o.seed) {
        lc_fail(err, LC_ARGUMENT, "the state is that of another pipeline: %s differs",
                state->seed != p->o.seed ? "the seed" : "the number of samples, or an option that makes their order,");
        lc_error_hint(err, "open the pipeline with the data and the options it had when the state was taken");
        return LC_ARGUMENT;
    }
    if (!p->failed && memcmp(state, &p->now, sizeof *state) == 0) return LC_OK; /* it stands there, with what was made ahead */
    lc_error local;
    if (!err) err = &local;
    stop_thread(p);
    const lc_pipeline_state to = *state; /* it may be p->now */
    p->with_caller = NULL;
    const lc_status status = lc_produce_from(p, &to, err);
    p->failed = status != LC_OK;
    if (status) p->why = *err;
    p->now = to;
    return status;
}

lc_status lc_pipeline_seek_epoch(lc_pipeline *p, uint64_t epoch, lc_error *err) {
    if (!p) return lc_fail(err, LC_ARGUMENT, "lc_pipeline_seek_epoch needs a pipeline");
    return lc_pipeline_seek(p, &(lc_pipeline_state){.epoch = epoch, .seed = p->o.seed, .print = p->print}, err);
}

static void free_slot(lc_pipeline *p, lc_slot *slot) {
    for (uint32_t i = 0; i < p->parts && slot->parts; i++) lc_free_aligned(slot->parts[i].data);
    lc_free(slot->parts);
    lc_free(slot->weight);
    lc_free(slot->of);
}

static void free_stored(lc_pipeline *p, lc_stored **list, uint64_t n) {
    for (uint64_t i = 0; i < n && list; i++) lc_stored_free(p, list[i]);
    lc_free(list);
}

void lc_pipeline_close(lc_pipeline *p) {
    if (!p) return;
    stop_thread(p);
    lc_pool_destroy(p->pool);
    free_stored(p, p->cache, p->supply.count);
    free_stored(p, p->held, p->order.room);
    free_stored(p, p->taken, p->o.batch);
    for (uint32_t i = 0; i < p->slot_count && p->slots; i++) free_slot(p, &p->slots[i]);
    lc_free(p->slots);
    for (int32_t i = 0; i < p->threads && p->scratch; i++) lc_sample_deinit(&p->scratch[i]);
    lc_free(p->scratch);
    lc_free(p->position);
    lc_free(p->bad);
    lc_order_deinit(&p->order);
    lc_view_deinit(&p->view);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    p->supply.close(p->supply.user);
    lc_arena_deinit(&p->arena);
    lc_free(p);
}

/* ---- what is known -------------------------------------------------------------------------------------------------------------- */

uint64_t lc_pipeline_samples(const lc_pipeline *p) { return p ? p->view.count : 0; }

uint64_t lc_pipeline_batches(const lc_pipeline *p) {
    if (!p) return 0;
    const uint64_t n = p->view.count, whole = n / p->o.batch;
    return n == UINT64_MAX ? n : whole + (!p->o.drop_remainder && n % p->o.batch ? 1 : 0);
}

uint32_t lc_pipeline_batch(const lc_pipeline *p) { return p ? p->o.batch : 0; }

uint32_t lc_pipeline_x_count(const lc_pipeline *p) { return p ? p->supply.x_count : 0; }

uint32_t lc_pipeline_y_count(const lc_pipeline *p) { return p ? p->supply.y_count : 0; }

bool lc_pipeline_weighted(const lc_pipeline *p) { return p && p->supply.weighted; }

lc_array lc_pipeline_part(const lc_pipeline *p, uint32_t i) {
    lc_array a = {0};
    if (!p || i >= p->parts) return a;
    const lc_array *s = &p->shape[i];
    a.type = s->type;
    a.rank = s->rank + 1;
    a.dims[0] = (int32_t)p->o.batch;
    memcpy(a.dims + 1, s->dims, (size_t)s->rank * sizeof *s->dims);
    a.size = s->size * p->o.batch;
    return a;
}

const char *lc_pipeline_part_name(const lc_pipeline *p, uint32_t i) { return p && i < p->parts ? p->supply.names[i] : NULL; }

const char *lc_pipeline_class(const lc_pipeline *p, int64_t label) {
    return p && p->supply.class_name ? p->supply.class_name(p->supply.user, label) : NULL;
}

uint64_t lc_pipeline_skipped(const lc_pipeline *p, const char **last) {
    if (last) *last = p ? p->seen_last : "";
    return p ? p->seen : 0;
}
