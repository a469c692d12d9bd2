/*
 * transpose4.h: four rows of four floats as columns, in registers: to[k * to_step + r] = from[r * from_step + k]. What turns matrices around goes
 * in such blocks.
 */
#ifndef LC_BASE_TRANSPOSE4_H
#define LC_BASE_TRANSPOSE4_H

#include <stddef.h>
#include <string.h>

static inline void lc_transpose4(const float *from, size_t from_step, float *to, size_t to_step) {
    typedef float vec4 __attribute__((vector_size(16)));
    vec4 a, b, c, e;
    memcpy(&a, from, sizeof a);
    memcpy(&b, from + from_step, sizeof b);
    memcpy(&c, from + 2 * from_step, sizeof c);
    memcpy(&e, from + 3 * from_step, sizeof e);
    const vec4 ac_low = __builtin_shufflevector(a, c, 0, 4, 1, 5), ac_high = __builtin_shufflevector(a, c, 2, 6, 3, 7);
    const vec4 be_low = __builtin_shufflevector(b, e, 0, 4, 1, 5), be_high = __builtin_shufflevector(b, e, 2, 6, 3, 7);
    const vec4 out[4] = {__builtin_shufflevector(ac_low, be_low, 0, 4, 1, 5), __builtin_shufflevector(ac_low, be_low, 2, 6, 3, 7),
                         __builtin_shufflevector(ac_high, be_high, 0, 4, 1, 5), __builtin_shufflevector(ac_high, be_high, 2, 6, 3, 7)};
    for (size_t i = 0; i < 4; i++) memcpy(to + i * to_step, &out[i], sizeof out[i]);
}

#endif
