/*
 * produce.c: makes batches, one after the other.
 *
 * The samples of a batch are drawn first, one by one. Then the threads of the pool read them (where they can be read in any order), look them
 * through, transform them and write each into its row; no row depends on another. Rows that failed are done once more, in their order, by one
 * thread: so the failure that is reported, and the samples that are left out, are the same whatever the number of threads.
 */
#include "train/pipeline.h"

#include <string.h>

bool lc_is_corrupt(const lc_pipeline *p, lc_status status) {
    return p->o.skip_corrupt && (status == LC_INVALID || status == LC_UNSUPPORTED || status == LC_NOT_FOUND || status == LC_IO);
}

void lc_skip(lc_pipeline *p, const lc_error *err) {
    p->skipped++;
    if (err) snprintf(p->last, sizeof p->last, "%.299s", err->message);
}

lc_status lc_read_sample(lc_pipeline *p, uint64_t index, lc_sample *s, bool *end, lc_error *err) {
    s->index = index;
    s->weight = 1;
    const lc_status status = p->supply.read(p->supply.user, index, s, end, err);
    if (status && !p->supply.where && err) lc_error_prefix(err, "sample %llu", (unsigned long long)index);
    /* What is too large is the file's own limit here, that of all samples which are kept comes later. */
    return status == LC_LIMIT && p->o.skip_corrupt ? LC_INVALID : status;
}

static const char not_kept[] = "was left out when the cache was filled";

/* ---- one sample ---------------------------------------------------------------------------------------------------- */

/* Puts "sample 17 (cats/3.png)" before the message. */
static lc_status blame(const lc_pipeline *p, uint64_t index, lc_status status, lc_error *err) {
    char where[256] = "";
    if (status == LC_OK || !err) return status;
    if (p->supply.where) p->supply.where(p->supply.user, index, where, sizeof where);
    if (where[0]) lc_error_prefix(err, "sample %llu (%s)", (unsigned long long)index, where);
    else lc_error_prefix(err, "sample %llu", (unsigned long long)index);
    return status;
}

/* NaN and infinity have all bits of the exponent. Blocks let the compiler take many at once. */
static bool all_finite(const float *x, size_t n) {
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        uint32_t bits[64], bad = 0;
        memcpy(bits, x + i, sizeof bits);
        for (size_t k = 0; k < 64; k++) bad |= (uint32_t)((bits[k] & 0x7f800000u) == 0x7f800000u);
        if (bad) return false;
    }
    for (; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        if ((bits & 0x7f800000u) == 0x7f800000u) return false;
    }
    return true;
}

static bool finite_part(const lc_array *a) {
    if (a->type == LC_FLOAT32) return all_finite(a->data, a->size / sizeof(float));
    if (a->type == LC_FLOAT64) {
        const double *x = a->data;
        for (size_t i = 0; i < a->size / sizeof *x; i++)
            if (!(x[i] - x[i] == 0)) return false;
    }
    if (a->type == LC_FLOAT16 || a->type == LC_BFLOAT16) {
        const uint16_t *x = a->data, mask = a->type == LC_FLOAT16 ? 0x7c00 : 0x7f80;
        for (size_t i = 0; i < a->size / sizeof *x; i++)
            if ((x[i] & mask) == mask) return false;
    }
    return true;
}

static const char *part_name(const lc_pipeline *p, uint32_t i, char text[120]) {
    const char *kind = i < p->supply.x_count ? "input" : "target";
    const uint32_t k = i < p->supply.x_count ? i : i - p->supply.x_count;
    if (p->supply.names[i]) snprintf(text, 120, "%s %.100s", kind, p->supply.names[i]);
    else snprintf(text, 120, "%s %u", kind, (unsigned)k);
    return text;
}

static lc_status check_label(const lc_pipeline *p, const lc_array *a, uint32_t part, lc_error *err) {
    const bool whole = a->type != LC_FLOAT32 && a->type != LC_FLOAT64 && a->type != LC_FLOAT16 && a->type != LC_BFLOAT16;
    const uint32_t bits = lc_dtype_bits(a->type);
    float label;
    char name[120];
    if (!whole || bits < 8 || a->size != bits / 8 || !lc_array_to_floats(a, &label)) return LC_OK;
    if (label >= 0 && label < (float)p->o.classes) return LC_OK;
    lc_fail(err, LC_INVALID, "%s: label %.9g is out of range: there are %d classes, 0 to %d", part_name(p, part, name), (double)label,
            (int)p->o.classes, (int)p->o.classes - 1);
    lc_error_hint(err, "labels count from 0; give the model an output for each class, or correct the labels");
    return LC_INVALID;
}

static lc_status check_values(const lc_pipeline *p, const lc_sample *s, lc_error *err) {
    char name[120];
    for (uint32_t i = 0; i < s->count; i++) {
        const lc_array *a = &s->parts[i].value;
        if (!p->o.allow_nan && !finite_part(a)) {
            lc_fail(err, LC_INVALID, "%s holds NaN or infinity", part_name(p, i, name));
            lc_error_hint(err, "correct the sample, leave it out (skip_corrupt), or allow it (allow_nan)");
            return LC_INVALID;
        }
        if (i >= s->x_count && p->o.classes > 0) LC_TRY(check_label(p, a, i, err));
    }
    if (p->o.allow_nan || (s->weight >= 0 && s->weight <= 3.4e38f)) return LC_OK;
    lc_fail(err, LC_INVALID, "its weight is %g", (double)s->weight);
    lc_error_hint(err, "weights are finite and not below 0");
    return LC_INVALID;
}

static lc_status read_sample(lc_pipeline *p, uint64_t index, lc_sample *s, lc_error *err) {
    bool end = false;
    if (p->cache && p->cache[index]) {
        lc_stored_lend(p->cache[index], s);
        return LC_OK;
    }
    if (p->loaded) return lc_fail(err, LC_INVALID, "sample %llu %s", (unsigned long long)index, not_kept);
    LC_TRY(lc_read_sample(p, index, s, &end, err));
    if (end) return lc_fail(err, LC_INVALID, "sample %llu: the source has become shorter", (unsigned long long)index);
    if (!p->cache) return LC_OK;
    LC_TRY(lc_stored_make(p, s, &p->cache[index], err));
    lc_stored_lend(p->cache[index], s);
    return LC_OK;
}

/* What is done to a sample once it is read. */
static lc_status finish_sample(lc_pipeline *p, lc_sample *s, bool check, lc_error *err) {
    s->dice = (lc_dice){.seed = p->o.seed, .index = s->index, .epoch = (uint32_t)p->epoch, .stream = LC_DICE_MAP};
    lc_status status = check ? check_values(p, s, err) : LC_OK;
    const uint64_t index = s->index;
    if (status == LC_OK) status = lc_transforms_apply(p->map, p->map_count, s, err);
    return blame(p, index, status, err);
}

static lc_status write_row(const lc_pipeline *p, const lc_sample *s, lc_slot *slot, uint32_t row, lc_error *err) {
    for (uint32_t i = 0; i < p->parts; i++) {
        const lc_array *a = &s->parts[i].value, *want = &p->shape[i];
        char name[120];
        if (a->type != want->type || a->rank != want->rank || memcmp(a->dims, want->dims, (size_t)a->rank * sizeof *a->dims) != 0) {
            lc_fail(err, LC_INVALID, "%s is %s, that of the first sample %s", part_name(p, i, name), lc_shape_of(a).text,
                    lc_shape_of(want).text);
            lc_error_hint(err, "samples of a batch have one shape: scale or cut them to it (LC_MAP_RESIZE, LC_MAP_CENTER_CROP)");
            return blame(p, s->index, LC_INVALID, err);
        }
        if (a->size) memcpy((uint8_t *)slot->parts[i].data + row * a->size, a->data, a->size);
    }
    if (slot->weight) slot->weight[row] = s->weight;
    slot->of[row] = s->index;
    return LC_OK;
}

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

typedef struct job {
    lc_pipeline *p;
    lc_slot *slot;
    uint32_t first; /* row */
} job;

static lc_status make_row(const job *j, uint32_t row, int32_t thread, lc_error *err) {
    lc_pipeline *p = j->p;
    lc_sample *s = &p->scratch[thread];
    if (p->any_order) LC_TRY(read_sample(p, p->position[row], s, err));
    else lc_stored_lend(p->taken[row], s);
    LC_TRY(finish_sample(p, s, !p->checked, err));
    return write_row(p, s, j->slot, row, err);
}

static void make_rows(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    lc_error err;
    for (int64_t i = begin; i < end; i++) {
        const uint32_t row = j->first + (uint32_t)i;
        lc_error_clear(&err);
        j->p->bad[row] = make_row(j, row, thread, &err) != LC_OK;
    }
}

static void move_row(const lc_pipeline *p, lc_slot *slot, uint32_t from, uint32_t to) {
    for (uint32_t i = 0; i < p->parts; i++) {
        const size_t size = p->shape[i].size;
        uint8_t *data = slot->parts[i].data;
        if (size) memcpy(data + to * size, data + from * size, size);
    }
    if (slot->weight) slot->weight[to] = slot->weight[from];
    slot->of[to] = slot->of[from];
}

static void drop_taken(lc_pipeline *p) {
    for (uint32_t i = 0; i < p->o.batch && p->taken; i++) {
        lc_stored_free(p, p->taken[i]);
        p->taken[i] = NULL;
    }
}

/* Draws samples for the rows from `row` on; returns behind the last. */
static lc_status draw_rows(lc_pipeline *p, uint32_t row, uint32_t *end, lc_error *err) {
    for (*end = row; *end < p->o.batch; ++*end) {
        if (p->any_order) {
            uint64_t position;
            if (!lc_order_next(&p->order, p->view.count, &position)) break;
            p->position[*end] = lc_view_at(&p->view, position);
        } else {
            LC_TRY(lc_held_take(p, &p->taken[*end], err));
            if (!p->taken[*end]) break;
        }
    }
    return LC_OK;
}

static lc_status make_batch(lc_pipeline *p, lc_slot *slot, lc_error *err) {
    const int64_t grain = p->row_bytes >= 32768 ? 1 : (int64_t)(32768 / (p->row_bytes + 1)) + 1;
    uint32_t rows = 0, end;
    if (p->load && !p->loaded) LC_TRY(lc_cache_load(p, err));
    while (rows < p->o.batch) {
        job j = {p, slot, rows};
        LC_TRY(draw_rows(p, rows, &end, err));
        if (end == rows) break;
        lc_pool_run(p->pool, (int64_t)end - rows, grain, make_rows, &j);
        const uint32_t first = rows;
        for (uint32_t row = first; row < end; row++) {
            const lc_status status = p->bad[row] ? make_row(&j, row, 0, err) : LC_OK;
            if (status && !lc_is_corrupt(p, status)) return status;
            if (status) lc_skip(p, err && strstr(err->message, not_kept) ? NULL : err); /* why was told then */
            else if (rows++ != row) move_row(p, slot, row, rows - 1);
        }
        drop_taken(p);
    }
    slot->rows = rows < p->o.batch && p->o.drop_remainder ? 0 : rows;
    return LC_OK;
}

static lc_status nothing_left(const lc_pipeline *p, lc_error *err) {
    if (p->order.picks > p->skipped) {
        lc_fail(err, LC_INVALID, "there are fewer samples than the %u of a batch, and drop_remainder leaves them out",
                (unsigned)p->o.batch);
        lc_error_hint(err, "make batches smaller, or keep the last one");
    } else if (!p->skipped) {
        lc_fail(err, LC_INVALID, "the data set is empty");
        lc_error_hint(err, "give at least one sample");
    } else {
        lc_fail(err, LC_INVALID, "every sample was left out (%llu); the last: %.250s", (unsigned long long)p->skipped, p->last);
        lc_error_hint(err, "correct the data; without skip_corrupt the first failure is reported");
    }
    return LC_INVALID;
}

static lc_status begin_epoch(lc_pipeline *p, uint64_t epoch, lc_error *err) {
    if (!p->any_order) LC_TRY(lc_held_rewind(p, err));
    p->epoch = epoch;
    p->batches = 0;
    p->from_start = true;
    lc_order_begin(&p->order, p->o.same_order ? 0 : (uint32_t)epoch);
    return LC_OK;
}

static lc_pipeline_state stand(const lc_pipeline *p) {
    return (lc_pipeline_state){.epoch = p->epoch, .picks = p->order.picks, .batches = p->batches, .seed = p->o.seed, .print = p->print};
}

void lc_produce(lc_pipeline *p, lc_slot *slot) {
    slot->rows = 0;
    lc_error_clear(&slot->err);
    slot->status = make_batch(p, slot, &slot->err);
    drop_taken(p);
    if (slot->status == LC_OK && !slot->rows && !p->batches) slot->status = nothing_left(p, &slot->err);
    if (slot->status == LC_OK && slot->rows) {
        p->batches++;
        for (uint32_t i = 0; i < p->parts; i++) {
            slot->parts[i].dims[0] = (int32_t)slot->rows;
            slot->parts[i].size = slot->rows * p->shape[i].size;
        }
    } else if (slot->status == LC_OK) {
        p->checked = p->checked || (p->from_start && !p->supply.changes);
        slot->status = begin_epoch(p, p->epoch + 1, &slot->err);
    }
    slot->after = stand(p);
    slot->skipped = p->skipped;
    memcpy(slot->last, p->last, sizeof slot->last);
}

lc_status lc_produce_from(lc_pipeline *p, const lc_pipeline_state *state, lc_error *err) {
    const uint64_t skipped = p->skipped;
    lc_status status = begin_epoch(p, state->epoch, err);
    for (uint64_t i = 0; i < state->picks && status == LC_OK; i++) {
        lc_stored *stored = NULL;
        uint64_t position;
        if (p->any_order && !p->order.held && state->picks <= p->view.count) {
            p->order.picks = state->picks;
            break;
        }
        bool there;
        if (p->any_order) there = lc_order_next(&p->order, p->view.count, &position);
        else {
            status = lc_held_take(p, &stored, err);
            there = status || stored;
            lc_stored_free(p, stored);
        }
        if (there) continue;
        status = lc_fail(err, LC_ARGUMENT, "the state is behind the end of the data");
        lc_error_hint(err, "go on with the data it was taken with");
    }
    p->batches = state->batches;
    p->from_start = state->picks == 0;
    p->skipped = skipped; /* those of the samples passed by were counted when they were first read */
    return status;
}

/* ---- what the batches will be like ------------------------------------------------------------------------------------ */

/* Reads the sample at a position, or the next one; *end: there is none. *passable: where it fails, the next one may be tried. */
static lc_status first_sample(lc_pipeline *p, uint64_t position, lc_stored **stored, bool *end, bool *passable, lc_error *err) {
    lc_sample *s = &p->scratch[0];
    *passable = p->supply.any_order;
    *end = p->supply.any_order && position >= p->view.count;
    if (p->supply.any_order && !*end) LC_TRY(read_sample(p, lc_view_at(&p->view, position), s, err));
    if (!p->supply.any_order) {
        LC_TRY(lc_read_next(p, stored, err)); /* which has tried the next ones itself */
        *end = !*stored;
        if (*stored) lc_stored_lend(*stored, s);
    }
    *passable = true;
    return *end ? LC_OK : finish_sample(p, s, true, err);
}

lc_status lc_probe(lc_pipeline *p, lc_error *err) {
    lc_status status = LC_OK;
    bool end = false, again = true;
    if (!p->supply.any_order) LC_TRY(p->supply.rewind(p->supply.user, err));
    for (uint64_t position = 0; again; position++) {
        lc_stored *stored = NULL;
        status = first_sample(p, position, &stored, &end, &again, err);
        again = again && lc_is_corrupt(p, status);
        if (again) lc_skip(p, err);
        for (uint32_t i = 0; i < p->parts && status == LC_OK && !end; i++) {
            p->shape[i] = p->scratch[0].parts[i].value;
            p->shape[i].data = NULL;
        }
        lc_stored_free(p, stored);
    }
    if (status == LC_OK && end) return nothing_left(p, err);
    p->skipped = 0;
    p->last[0] = 0;
    return status;
}
