/*
 * vec_portable.h: the vector vocabulary (see vec_avx512.h) in plain C with the vector extension of gcc and clang: 4 floats,
 * made into whatever the target has (SSE2, NEON, or single floats).
 */
#ifndef LC_VEC_PORTABLE_H
#define LC_VEC_PORTABLE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VL 4
#define LC_MR 4
#define V_INLINE static inline __attribute__((always_inline, unused))

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vm __attribute__((vector_size(16))); /* all bits of a lane set: true */

V_INLINE vm v_first(size_t n) {
    const int32_t c = (int32_t)n;
    return (vm){0, 1, 2, 3} < (vm){c, c, c, c};
}
V_INLINE vf v_zero(void) { return (vf){0, 0, 0, 0}; }
V_INLINE vf v_set(float x) { return (vf){x, x, x, x}; }
V_INLINE vf v_load(const float *p) {
    vf x;
    memcpy(&x, p, sizeof x);
    return x;
}
V_INLINE void v_store(float *p, vf x) { memcpy(p, &x, sizeof x); }
V_INLINE vf v_load_n(const float *p, size_t n) {
    float t[VL] = {0, 0, 0, 0};
    for (size_t i = 0; i < n; i++) t[i] = p[i];
    return v_load(t);
}
V_INLINE void v_store_n(float *p, vf x, size_t n) {
    float t[VL];
    v_store(t, x);
    for (size_t i = 0; i < n; i++) p[i] = t[i];
}
V_INLINE vf v_add(vf a, vf b) { return a + b; }
V_INLINE vf v_sub(vf a, vf b) { return a - b; }
V_INLINE vf v_mul(vf a, vf b) { return a * b; }
V_INLINE vf v_div(vf a, vf b) { return a / b; }
V_INLINE vf v_fma(vf a, vf b, vf c) { return a * b + c; }
V_INLINE vf v_fnma(vf a, vf b, vf c) { return c - a * b; }
V_INLINE vf v_select(vm m, vf yes, vf no) { return (vf)((m & (vm)yes) | (~m & (vm)no)); }
V_INLINE vm v_lt(vf a, vf b) { return (vm)(a < b); }
V_INLINE vf v_max(vf a, vf b) { return v_select((vm)(a > b), a, b); }
V_INLINE vf v_min(vf a, vf b) { return v_select((vm)(a < b), a, b); }
V_INLINE vf v_sqrt(vf a) { return (vf){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])}; }
V_INLINE vf v_abs(vf a) { return (vf)((vm)a & (vm){INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX}); }
V_INLINE vf v_copysign(vf a, vf sign) {
    const vm top = {INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN};
    return (vf)(((vm)a & ~top) | ((vm)sign & top));
}
/* Adding and taking away 1.5 * 2^23 rounds to whole numbers, halves to even; right for |a| < 2^22, which is all that asks. */
V_INLINE vf v_round(vf a) {
    const vf big = v_set(12582912.0f);
    return (a + big) - big;
}
V_INLINE vf v_pow2(vm n) { return (vf)((n + 127) << 23); }
V_INLINE vf v_ldexp(vf x, vf n) {
    /* A NaN must not reach the conversion; 0 * 2^anything and NaN * 2^anything stay what they are. */
    const vf safe = v_select((vm)(n == n), n, v_zero());
    vm whole;
    for (int i = 0; i < VL; i++) whole[i] = (int32_t)safe[i];
    const vm half = whole >> 1;
    return x * v_pow2(half) * v_pow2(whole - half);
}
V_INLINE float v_sum(vf a) { return (a[0] + a[2]) + (a[1] + a[3]); }
V_INLINE float v_max_lane(vf a) {
    const float m = a[0] > a[2] ? a[0] : a[2], n = a[1] > a[3] ? a[1] : a[3];
    return m > n ? m : n;
}

typedef int32_t vi __attribute__((vector_size(16)));
V_INLINE vi vi_zero(void) { return (vi){0, 0, 0, 0}; }
V_INLINE vi vi_set(int32_t x) { return (vi){x, x, x, x}; }
V_INLINE vi vi_load(const void *p) {
    vi x;
    memcpy(&x, p, sizeof x);
    return x;
}
V_INLINE void vi_store(void *p, vi x) { memcpy(p, &x, sizeof x); }
V_INLINE vi vi_pairs(vi s, vi a, vi b) { return s + (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16); }
V_INLINE vi vi_half(const int16_t *p) { return (vi){(uint16_t)p[0], (uint16_t)p[1], (uint16_t)p[2], (uint16_t)p[3]}; }

#endif
