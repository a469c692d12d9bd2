/*
 * checked.h: arithmetic on numbers that came from a file. Each returns false on overflow and leaves *out alone.
 * tools/check_rules refuses raw + and * on file numbers in src/source and src/schema.
 */
#ifndef LC_BASE_CHECKED_H
#define LC_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool lc_add_u64(uint64_t a, uint64_t b, uint64_t *out) { return !__builtin_add_overflow(a, b, out); }
static inline bool lc_mul_u64(uint64_t a, uint64_t b, uint64_t *out) { return !__builtin_mul_overflow(a, b, out); }
static inline bool lc_add_size(size_t a, size_t b, size_t *out) { return !__builtin_add_overflow(a, b, out); }
static inline bool lc_mul_size(size_t a, size_t b, size_t *out) { return !__builtin_mul_overflow(a, b, out); }
static inline bool lc_add_i64(int64_t a, int64_t b, int64_t *out) { return !__builtin_add_overflow(a, b, out); }
static inline bool lc_mul_i64(int64_t a, int64_t b, int64_t *out) { return !__builtin_mul_overflow(a, b, out); }
static inline bool lc_mul_i32(int32_t a, int32_t b, int32_t *out) { return !__builtin_mul_overflow(a, b, out); }
/* [offset, offset + length) lies inside [0, size). */
static inline bool lc_range_ok(uint64_t offset, uint64_t length, uint64_t size) { return offset <= size && length <= size - offset; }
static inline bool lc_u64_to_size(uint64_t v, size_t *out) {
    if (v > SIZE_MAX) return false;
    *out = (size_t)v;
    return true;
}
/* Rounds up to a multiple of a power of two. */
static inline bool lc_align_u64(uint64_t v, uint64_t align, uint64_t *out) {
    uint64_t t;
    if (!lc_add_u64(v, align - 1, &t)) return false;
    *out = t & ~(align - 1);
    return true;
}

#endif
