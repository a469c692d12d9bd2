/*
 * Fuzz target of src/schema: what passes lc_fb_verify is read, printed, copied, written, and comes back the same; what does not
 * pass is read all the same, as a mapped file that another process changes after the check would be.
 */
#include "fuzz/fuzz.h"
#include "support/fill.h"

#include <stdlib.h>

/* A broken promise: __builtin_trap is what the fuzzer and the replay see. */
static void need(bool holds) {
    if (!holds) __builtin_trap();
}

static const lc_limits limits = {.max_memory = 4 << 20, .max_tables = 20000};

static lc_status verify(const uint8_t *data, size_t size) {
    lc_budget budget;
    lc_error err;
    lc_budget_init(&budget, &limits);
    lc_status s = lc_fb_verify(data, size, &budget, &err);
    need(s == LC_OK || (err.status == s && err.message[0] && err.hint[0] && err.rule[0]));
    return s;
}

static void round_trip(const lc_Model *m, uint64_t limit, lc_arena *arena) {
    fill_bytes out = {0};
    lc_error err;
    lc_Model *again;
    lc_status s = fill_write(m, limit, &out, &err);
    if (s == LC_OK) {
        need(verify(out.data, out.size) == LC_OK);
        need(lc_fb_read(out.data, out.size, arena, &again, &err) == LC_OK);
        need(lc_fb_equal(LC_TABLE_Model, m, again));
    } else {
        need(s == LC_UNSUPPORTED || (limit && s == LC_LIMIT)); /* a union of a newer schema; the small limit */
    }
    lc_free(out.data);
}

/* Buffer vectors are not charged to the budget (they stay in the file), so a small file may name one large vector many
 * times; written out it would only cost time. */
static uint64_t buffer_bytes(const lc_Model *m) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < m->buffers.n; i++) sum += lc_buffer_size(&m->buffers.data[i]);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    lc_arena arena = {0};
    lc_Model *m;
    if (size > 1 << 20) return 0;
    if (verify(data, size) == LC_OK) {
        need(lc_fb_read(data, size, &arena, &m, NULL) == LC_OK);
        need(lc_fb_equal(LC_TABLE_Model, m, m));
        if (buffer_bytes(m) < 8 << 20) {
            lc_text text = {0};
            lc_fb_print_json(LC_TABLE_Model, m, true, &text);
            lc_fb_print_text(LC_TABLE_Model, m, &text);
            lc_text_deinit(&text);
            void *copy = lc_fb_clone(LC_TABLE_Model, m, &arena);
            need(copy && lc_fb_equal(LC_TABLE_Model, m, copy));
            round_trip(m, 0, &arena);
            round_trip(m, size / 2, &arena);
        }
    } else if (size < 640) { /* unverified files may unfold; small ones cannot far */
        lc_fb_read(data, size, &arena, &m, NULL);
    }
    lc_arena_deinit(&arena);
    return 0;
}
