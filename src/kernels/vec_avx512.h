/*
 * vec_avx512.h: the vector vocabulary of the micro-kernels in AVX-512 (F, VL, BW, DQ): 16 floats, 32 registers.
 *
 * Every vec_<isa>.h defines the same names, so one <family>_simd.inc serves all:
 *
 *   vf, vm, VL          vector of VL floats, lane mask
 *   LC_MR               rows of a matrix tile; a tile is LC_MR x (2 * VL) and its sums must fit in registers
 *   v_load_n, v_store_n the first n (0..VL) lanes; memory behind them is not touched, lanes behind them are 0
 *   v_fma(a, b, c)      a * b + c; one rounding where the machine can, two on "portable"
 *   v_max(a, b)         a > b ? a : b, lane by lane: a NaN in b stays, so v_max(low, x) keeps x's NaN (v_min likewise)
 *   v_ldexp(x, n)       x * 2^n for whole n in [-160, 160], with correct subnormals and infinities
 *   vi                  VL int32
 *   vi_pairs(s, a, b)   s + the sum of products of the two int16 of each lane
 *   vi_half(p)          VL int16, each in the low half of its lane, 0 in the high one
 */
#ifndef LC_VEC_AVX512_H
#define LC_VEC_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VL 16
#define LC_MR 12
#define V_INLINE static inline __attribute__((always_inline, unused))

typedef __m512 vf;
typedef __mmask16 vm;

V_INLINE vm v_first(size_t n) { return (vm)((1u << n) - 1u); }
V_INLINE vf v_zero(void) { return _mm512_setzero_ps(); }
V_INLINE vf v_set(float x) { return _mm512_set1_ps(x); }
V_INLINE vf v_load(const float *p) { return _mm512_loadu_ps(p); }
V_INLINE vf v_load_n(const float *p, size_t n) { return _mm512_maskz_loadu_ps(v_first(n), p); }
V_INLINE void v_store(float *p, vf x) { _mm512_storeu_ps(p, x); }
V_INLINE void v_store_n(float *p, vf x, size_t n) { _mm512_mask_storeu_ps(p, v_first(n), x); }
V_INLINE vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
V_INLINE vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
V_INLINE vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
V_INLINE vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
V_INLINE vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
V_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
V_INLINE vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
V_INLINE vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
V_INLINE vf v_sqrt(vf a) { return _mm512_sqrt_ps(a); }
V_INLINE vf v_abs(vf a) { return _mm512_abs_ps(a); }
V_INLINE vf v_copysign(vf a, vf sign) { return _mm512_or_ps(_mm512_abs_ps(a), _mm512_and_ps(sign, _mm512_set1_ps(-0.0f))); }
V_INLINE vf v_round(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
V_INLINE vf v_ldexp(vf x, vf n) { return _mm512_scalef_ps(x, n); }
V_INLINE vm v_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
V_INLINE vf v_select(vm m, vf yes, vf no) { return _mm512_mask_blend_ps(m, no, yes); }
V_INLINE float v_sum(vf a) { return _mm512_reduce_add_ps(a); }
V_INLINE float v_max_lane(vf a) { return _mm512_reduce_max_ps(a); }

typedef __m512i vi;
V_INLINE vi vi_zero(void) { return _mm512_setzero_si512(); }
V_INLINE vi vi_set(int32_t x) { return _mm512_set1_epi32(x); }
V_INLINE vi vi_load(const void *p) { return _mm512_loadu_si512(p); }
V_INLINE void vi_store(void *p, vi x) { _mm512_storeu_si512(p, x); }
V_INLINE vi vi_pairs(vi s, vi a, vi b) { return _mm512_add_epi32(s, _mm512_madd_epi16(a, b)); }
V_INLINE vi vi_half(const int16_t *p) { return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p)); }

#endif
