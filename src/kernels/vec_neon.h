/*
 * vec_neon.h: the vector vocabulary (see vec_avx512.h) in NEON of AArch64: 4 floats, 32 registers.
 */
#ifndef LC_VEC_NEON_H
#define LC_VEC_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VL 4
#define LC_MR 8
#define V_INLINE static inline __attribute__((always_inline, unused))

typedef float32x4_t vf;
typedef uint32x4_t vm;

V_INLINE vm v_first(size_t n) {
    static const uint32_t bits[8] = {~0u, ~0u, ~0u, ~0u, 0, 0, 0, 0};
    return vld1q_u32(bits + 4 - n);
}
V_INLINE vf v_zero(void) { return vdupq_n_f32(0); }
V_INLINE vf v_set(float x) { return vdupq_n_f32(x); }
V_INLINE vf v_load(const float *p) { return vld1q_f32(p); }
V_INLINE void v_store(float *p, vf x) { vst1q_f32(p, x); }
V_INLINE vf v_load_n(const float *p, size_t n) {
    float t[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < n; i++) t[i] = p[i];
    return vld1q_f32(t);
}
V_INLINE void v_store_n(float *p, vf x, size_t n) {
    float t[4];
    vst1q_f32(t, x);
    for (size_t i = 0; i < n; i++) p[i] = t[i];
}
V_INLINE vf v_add(vf a, vf b) { return vaddq_f32(a, b); }
V_INLINE vf v_sub(vf a, vf b) { return vsubq_f32(a, b); }
V_INLINE vf v_mul(vf a, vf b) { return vmulq_f32(a, b); }
V_INLINE vf v_div(vf a, vf b) { return vdivq_f32(a, b); }
V_INLINE vf v_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
V_INLINE vf v_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
/* Not vmaxq: its NaN rule and that of the other sets differ. */
V_INLINE vf v_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
V_INLINE vf v_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
V_INLINE vf v_sqrt(vf a) { return vsqrtq_f32(a); }
V_INLINE vf v_abs(vf a) { return vabsq_f32(a); }
V_INLINE vf v_copysign(vf a, vf sign) { return vbslq_f32(vdupq_n_u32(0x80000000u), sign, a); }
V_INLINE vf v_round(vf a) { return vrndnq_f32(a); }
V_INLINE vf v_pow2(int32x4_t n) { return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23)); }
V_INLINE vf v_ldexp(vf x, vf n) {
    int32x4_t whole = vcvtnq_s32_f32(n), half = vshrq_n_s32(whole, 1);
    return vmulq_f32(vmulq_f32(x, v_pow2(half)), v_pow2(vsubq_s32(whole, half)));
}
V_INLINE vm v_lt(vf a, vf b) { return vcltq_f32(a, b); }
V_INLINE vf v_select(vm m, vf yes, vf no) { return vbslq_f32(m, yes, no); }
V_INLINE float v_sum(vf a) { return vaddvq_f32(a); }
V_INLINE float v_max_lane(vf a) { return vmaxvq_f32(a); }

typedef int32x4_t vi;
V_INLINE vi vi_zero(void) { return vdupq_n_s32(0); }
V_INLINE vi vi_set(int32_t x) { return vdupq_n_s32(x); }
V_INLINE vi vi_load(const void *p) { return vld1q_s32((const int32_t *)p); }
V_INLINE void vi_store(void *p, vi x) { vst1q_s32((int32_t *)p, x); }
V_INLINE vi vi_pairs(vi s, vi a, vi b) {
    const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
    return vaddq_s32(s, vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y)));
}
V_INLINE vi vi_half(const int16_t *p) { return vreinterpretq_s32_u32(vmovl_u16(vreinterpret_u16_s16(vld1_s16(p)))); }

#endif
