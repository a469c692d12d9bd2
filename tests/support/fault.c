/*
 * fault.c: an allocator that counts and fails on command.
 *
 * Each block carries its size in front, so that live bytes are known, and a mark, so that a block that was not taken here
 * or was freed before is found. A block that is freed is overwritten: who reads it after that gets nonsense even without
 * a sanitizer. Growing a block always moves it, for the same reason.
 */
#include "support/fault.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MARK 0x6C69746563626C6Bull
#define HEADER 16

static struct {
    pthread_mutex_t lock;
    size_t count, fail_at, live, live_bytes, peak_bytes;
    bool sticky, injected, paused;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

typedef struct header {
    uint64_t mark, size;
} header;
_Static_assert(sizeof(header) == HEADER, "blocks stay aligned for any type");

static header *header_of(void *p) {
    header *h = (header *)((unsigned char *)p - HEADER);
    if (h->mark != MARK) {
        fprintf(stderr, "fault.c: a block is freed that was not taken here, or twice\n");
        abort();
    }
    return h;
}

static void drop(void *p) {
    header *h = header_of(p);
    state.live--;
    state.live_bytes -= h->size;
    memset(h, 0xDB, h->size < 65536 ? HEADER + h->size : 65536);
    free(h);
}

static void *take(size_t size) {
    if (!state.paused) state.count++;
    if (!state.paused && state.fail_at && (state.sticky ? state.count >= state.fail_at : state.count == state.fail_at)) {
        state.injected = true;
        return NULL;
    }
    header *h = size <= SIZE_MAX - HEADER ? malloc(HEADER + size) : NULL;
    if (!h) return NULL;
    *h = (header){MARK, size};
    state.live++;
    state.live_bytes += size;
    if (state.live_bytes > state.peak_bytes) state.peak_bytes = state.live_bytes;
    memset(h + 1, 0xA5, size < 4096 ? size : 4096); /* nobody may count on zeros */
    return h + 1;
}

static void *reallocate(void *user, void *p, size_t size) {
    (void)user;
    void *q = NULL;
    pthread_mutex_lock(&state.lock);
    if (size == 0) {
        if (p) drop(p);
    } else {
        q = take(size);
        if (q && p) {
            size_t old = (size_t)header_of(p)->size;
            memcpy(q, p, old < size ? old : size);
            drop(p);
        }
    }
    pthread_mutex_unlock(&state.lock);
    return q;
}

void fault_install(void) {
    state.count = state.fail_at = state.live = state.live_bytes = state.peak_bytes = 0;
    state.sticky = state.injected = false;
    lc_set_allocator(&(lc_allocator){reallocate, NULL});
}

void fault_fail_at(size_t n, bool from_then_on) {
    state.count = 0;
    state.fail_at = n;
    state.sticky = from_then_on;
    state.injected = false;
}

size_t fault_count(void) { return state.count; }
size_t fault_live(void) { return state.live; }
size_t fault_live_bytes(void) { return state.live_bytes; }
size_t fault_peak_bytes(void) { return state.peak_bytes; }
bool fault_injected(void) { return state.injected; }
void fault_pause(bool paused) { state.paused = paused; }
void fault_remove(void) { lc_set_allocator(NULL); }

/* One run. Returns true when nothing was injected, which ends the series. */
static bool run_once(fault_work work, void *arg, const fault_options *o, size_t n, bool sticky) {
    lc_error err = {0};
    const char *kind = sticky ? "from then on" : "only that one";
    size_t live = fault_live();
    fault_fail_at(n, sticky);
    lc_status status = work(arg, &err);
    bool injected = fault_injected();
    fault_fail_at(0, false);
    if (fault_live() != live) {
        size_t leaked = fault_live() - live;
        fault_remove();
        fail_msg("allocation %zu failed (%s): %zu blocks leaked; status %s, \"%s\"", n, kind, leaked, lc_status_name(status), err.message);
    }
    bool fine = injected ? status == LC_NO_MEMORY || status == LC_OK || (o->may_return_other && status != LC_OK) : status == o->want;
    if (!fine) {
        fault_remove();
        fail_msg("allocation %zu %s (%s): got %s, \"%s\"", n, injected ? "failed" : "was never reached", kind, lc_status_name(status),
                 err.message);
    }
    if (status == LC_NO_MEMORY && (err.status != status || !err.message[0])) {
        fault_remove();
        fail_msg("allocation %zu failed (%s): LC_NO_MEMORY was returned but the error was not filled in", n, kind);
    }
    return !injected;
}

size_t fault_check(fault_work work, void *arg, const fault_options *options) {
    fault_options o = options ? *options : (fault_options){0};
    if (!o.first) o.first = 1;
    if (!o.step) o.step = 1;
    if (!o.most) o.most = 1000000;
    fault_install();
    lc_error err = {0};
    lc_status status = work(arg, &err);
    size_t undisturbed = fault_count();
    if (status != o.want || fault_live() != 0) {
        size_t leaked = fault_live();
        fault_remove();
        fail_msg("undisturbed: got %s, \"%s\"; %zu blocks leaked", lc_status_name(status), err.message, leaked);
    }
    for (size_t n = o.first;; n += n < 200 ? 1 : o.step) {
        if (n > o.most) {
            fault_remove();
            fail_msg("the work still allocates at allocation %zu", n);
        }
        bool once = run_once(work, arg, &o, n, false), on = run_once(work, arg, &o, n, true);
        if (once && on) break;
    }
    fault_remove();
    return undisturbed;
}
