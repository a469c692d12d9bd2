/*
 * stored.c: samples that a pipeline keeps: the cache, and what it has read of a source that must be read in order, from which the shuffling
 * draws. Each is one block; their bytes together stay below lc_limits.max_memory.
 */
#include "train/pipeline.h"

#include <string.h>

#define MOST_FAILURES 100000 /* one after the other: a source without an end that has nothing but failures would never end */

lc_status lc_stored_make(lc_pipeline *p, const lc_sample *s, lc_stored **out, lc_error *err) {
    size_t size = sizeof(lc_stored) + p->parts * sizeof(lc_array);
    bool fits = true;
    size = (size + 15) / 16 * 16;
    const size_t head = size;
    for (uint32_t i = 0; i < p->parts && fits; i++) fits = lc_add_size(size, s->parts[i].value.size, &size) && lc_add_size(size, 15, &size);
    const uint64_t before = fits ? atomic_fetch_add(&p->kept, size) : 0;
    if (!fits || before + size > p->budget.limits.max_memory) {
        if (fits) atomic_fetch_sub(&p->kept, size);
        char text[32];
        lc_fail(err, LC_LIMIT, "the samples that are kept in memory are more than %s", lc_sized(p->budget.limits.max_memory, text));
        lc_error_hint(err, "raise limits.max_memory, leave out .cache, or give shuffling a smaller .buffer");
        return LC_LIMIT;
    }
    lc_stored *made = lc_malloc_aligned(size);
    if (!made) {
        atomic_fetch_sub(&p->kept, size);
        return lc_fail_memory(err, "samples");
    }
    made->index = s->index;
    made->size = size;
    made->weight = s->weight;
    uint8_t *to = (uint8_t *)made + head;
    for (uint32_t i = 0; i < p->parts; i++) {
        made->values[i] = s->parts[i].value;
        made->values[i].data = to;
        if (s->parts[i].value.size) memcpy(to, s->parts[i].value.data, s->parts[i].value.size);
        to += (s->parts[i].value.size + 15) / 16 * 16;
    }
    *out = made;
    return LC_OK;
}

void lc_stored_free(lc_pipeline *p, lc_stored *stored) {
    if (!stored) return;
    atomic_fetch_sub(&p->kept, stored->size);
    lc_free_aligned(stored);
}

void lc_stored_lend(const lc_stored *stored, lc_sample *s) {
    s->index = stored->index;
    s->weight = stored->weight;
    for (uint32_t i = 0; i < s->count; i++) lc_sample_lend(s, i, &stored->values[i]);
}

/* ---- a supply that is read in order ----------------------------------------------------------------------------------- */

static bool in_view(const lc_view *v, uint64_t index) {
    return v->mixed || (index >= v->begin && (index - v->begin) % v->step == v->shard);
}

lc_status lc_read_next(lc_pipeline *p, lc_stored **out, lc_error *err) {
    lc_sample *s = &p->scratch[0];
    const uint64_t last = p->view.mixed ? p->supply.count : p->view.end;
    uint32_t failures = 0;
    *out = NULL;
    while (!p->ended && p->reading < last) {
        const uint64_t index = p->reading++;
        const lc_status status = lc_read_sample(p, index, s, &p->ended, err);
        const bool wanted = in_view(&p->view, index);
        if (status && lc_is_corrupt(p, status) && failures++ < MOST_FAILURES) {
            if (wanted) lc_skip(p, err);
            continue;
        }
        if (status) return status;
        if (!p->ended && wanted) return lc_stored_make(p, s, out, err);
    }
    p->ended = true;
    return LC_OK;
}

static lc_status begin_reading(lc_pipeline *p, lc_error *err) {
    p->reading = 0;
    p->ended = false;
    return p->supply.rewind(p->supply.user, err);
}

lc_status lc_cache_load(lc_pipeline *p, lc_error *err) {
    const uint64_t skipped = p->skipped;
    LC_TRY(begin_reading(p, err));
    while (true) {
        lc_stored *stored;
        LC_TRY(lc_read_next(p, &stored, err));
        if (!stored) break;
        lc_stored_free(p, p->cache[stored->index]); /* of a load that failed before */
        p->cache[stored->index] = stored;
    }
    p->loaded = true;
    p->skipped = skipped; /* they are counted in each epoch that goes by without them */
    return LC_OK;
}

lc_status lc_held_rewind(lc_pipeline *p, lc_error *err) {
    for (uint64_t i = 0; i < p->order.filled; i++) {
        lc_stored_free(p, p->held[i]);
        p->held[i] = NULL;
    }
    p->order.filled = 0;
    return begin_reading(p, err);
}

lc_status lc_held_take(lc_pipeline *p, lc_stored **out, lc_error *err) {
    lc_order *o = &p->order;
    *out = NULL;
    while (o->filled < o->room) {
        lc_stored *next;
        LC_TRY(lc_read_next(p, &next, err));
        if (!next) break;
        p->held[o->filled++] = next;
    }
    if (!o->filled) return LC_OK;
    const uint64_t k = lc_order_draw(o);
    *out = p->held[k];
    p->held[k] = p->held[--o->filled];
    p->held[o->filled] = NULL;
    return LC_OK;
}
