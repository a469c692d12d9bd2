/*
 * fault.h: run a piece of work with the 1st, 2nd, 3rd ... allocation failing, and check that it always ends cleanly.
 *
 *     static lc_status load(void *arg, lc_error *err) {        one complete life: make it, use it, free it
 *         lc_model *m;
 *         LC_TRY(lc_model_open(arg, NULL, &m, err));
 *         lc_model_destroy(m);
 *         return LC_OK;
 *     }
 *     fault_check(load, "tests/golden/mlp/tf_float.tflite", NULL);     in a cmocka test: fails the test by itself
 *
 * For each N the work runs twice: with only the Nth allocation failing, and with every one from the Nth on failing. It must
 * return LC_NO_MEMORY with a message (or LC_OK, when it could do without that block), and every block it took must have
 * been given back. The first run in which nothing was injected must return `want` (LC_OK unless told) and ends the check.
 *
 * The work must allocate the same way each time: no caches that outlive it, no threads that allocate.
 *
 * Libraries of others have allocation functions of their own; a reader that uses one routes them to lc_malloc and lc_free, so that
 * these blocks are counted and fail too: zlib takes zalloc/zfree in its z_stream, libpng png_create_read_struct_2, jansson
 * json_set_alloc_funcs. Nobody has to do anything for lc_malloc, arenas and lc_text.
 */
#ifndef TESTS_SUPPORT_FAULT_H
#define TESTS_SUPPORT_FAULT_H

#include "litec/runtime.h"

typedef lc_status (*fault_work)(void *arg, lc_error *err);

typedef struct fault_options {
    lc_status want;        /* what the work returns when nothing fails; LC_OK */
    size_t first;          /* N to begin with; 0: 1 */
    size_t step;           /* after N = 200 go on by so many, to keep long works short; 0: 1 */
    size_t most;           /* give up (a failure) when the work still fails at this N; 0: 1,000,000 */
    bool may_return_other; /* an injected failure may also give another error than LC_NO_MEMORY */
} fault_options;

/* options may be NULL. Returns the number of allocations of an undisturbed run. Fails the cmocka test on a violation. */
size_t fault_check(fault_work work, void *arg, const fault_options *options);

/* The parts, for tests that count or fail allocations themselves. Not for several threads at once. */
void fault_install(void);                        /* count allocations; none fails */
void fault_fail_at(size_t n, bool from_then_on); /* the nth allocation from now fails (1: the next); 0: none */
size_t fault_count(void);                        /* allocations (also growing ones) since fault_install or fault_fail_at */
size_t fault_live(void);                         /* blocks that are not freed */
size_t fault_live_bytes(void);
size_t fault_peak_bytes(void); /* most bytes alive at once since fault_install */
bool fault_injected(void);     /* did one fail since fault_fail_at? */
void fault_pause(bool paused); /* what the test itself takes in the middle of the work: neither counted nor failed */
void fault_remove(void);       /* back to the system's heap; all blocks must have been freed */

#endif
