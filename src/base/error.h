/*
 * error.h: filling in an lc_error. Every function here accepts err == NULL.
 *
 * The idiom: return lc_fail(err, LC_INVALID, "node %u %s: filter has %d dims, needs 4", ...);
 *            LC_TRY(call(..., err));            passes a failure on
 * A hint goes in afterwards: lc_error_hint(err, "export the model again with ...").
 */
#ifndef LC_BASE_ERROR_H
#define LC_BASE_ERROR_H

#include "litec/runtime.h"

/* Sets status and message (printf), clears hint, rule and offset. Returns status. */
lc_status lc_fail(lc_error *err, lc_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* As lc_fail with a rule id and the byte offset in the input (LC_NO_OFFSET: none). */
lc_status lc_fail_rule(lc_error *err, lc_status status, const char *rule, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* LC_NO_MEMORY with the text "out of memory (what)". Returns LC_NO_MEMORY. */
lc_status lc_fail_memory(lc_error *err, const char *what);
/* Sets the hint (printf) of an error that is already set. */
void lc_error_hint(lc_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts "prefix: " (printf) before the message, e.g. the file or the layer. */
void lc_error_prefix(lc_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Clears all fields; offset becomes LC_NO_OFFSET. */
void lc_error_clear(lc_error *err);

/* A build for a small device may leave the hints out (LC_SMALL): errors then say what is wrong, but not what to do. */
#ifdef LC_NO_HINTS
#define lc_error_hint(...) (0 ? lc_error_hint(__VA_ARGS__) : (void)0)
#define LC_HINT(text) ""
#else
#define LC_HINT(text) text
#endif

#define LC_TRY(expr) \
    do { \
        lc_status lc_try_status_ = (expr); \
        if (lc_try_status_ != LC_OK) return lc_try_status_; \
    } while (0)

#endif
