/*
 * simd.h: the micro-kernels, float32 and (i...) integers, one table of them per instruction set. LC_SIMD_LIST is the only list: the table
 * type is made from it here, the tables lc_simd_<isa> in simd_table.inc, so a kernel that one set lacks does not compile.
 *
 * A micro-kernel is a leaf: it gets pointers and sizes that its caller (<family>_fast.c) has made sure of, touches no byte
 * outside them, allocates nothing, and computes each output in an order that depends on sizes only, never on threads.
 *
 *   <family>_simd.inc   the code, written in the words of vec_<isa>.h
 *   isa/<isa>.c         includes both: one object per instruction set, compiled with that set's flags (cmake/isa.cmake)
 */
#ifndef LC_SIMD_H
#define LC_SIMD_H

/* Whether this build has micro-kernels at all (cmake/isa.cmake). */
#if defined(LC_HAVE_PORTABLE) || defined(LC_HAVE_AVX2) || defined(LC_HAVE_AVX512) || defined(LC_HAVE_NEON)
#define LC_SIMD_ANY 1
#else
#define LC_SIMD_ANY 0
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One tile of a (gathered) matrix product: out[r][j] = clamp(bias[j] + sum over taps t, i < k of rows[t][r][i] * w[t][i][j]).
 * The weights are one panel as lc_gemm_pack lays it out: a row of bias, then `k` rows per tap, each `width` floats. */
typedef struct lc_gemm_tile {
    const float *const *rows; /* [taps][mr]: where row r's k floats of tap t are */
    const uint32_t *tap;      /* [taps]: which tap of the panel each is (taps whose rows are all padding are left out) */
    size_t taps, k, mr;       /* mr in 1..simd->mr */
    const float *panel;
    size_t panel_stride; /* gemv only: floats from one panel to the next */
    float *out;
    size_t out_stride; /* floats from row to row */
    size_t n;          /* columns to write, 1..width; width is nr, or vl where n <= vl (the narrow last panel) */
    float low, high;
} lc_gemm_tile;

/* One tile of a sum of products of columns and rows: out[r][j] += sum over i < k of at[i].a[from + r] * at[i].b[j]. */
typedef struct lc_outer_pair {
    const float *a, *b; /* b: as many floats as the tile is wide */
} lc_outer_pair;
typedef struct lc_outer_tile {
    const lc_outer_pair *at;
    size_t k, from, mr; /* mr in 1..simd->mr */
    float *out;
    size_t out_stride, n; /* columns to write; the tile is nr wide, or vl where n <= vl */
} lc_outer_tile;

/* Depthwise: LC_DW_PIXELS neighbouring outputs of one image row, all channels. */
#define LC_DW_PIXELS 4
typedef struct lc_dw_tile {
    const float *const *rows; /* tile: [kernel][(LC_DW_PIXELS - 1) * stride + kernel] input pixels; taps: [taps] */
    const uint32_t *tap;      /* taps only: which tap of the weights each row is */
    size_t taps;
    const float *weights; /* [channels / vl rounded up][1 + all taps][vl], bias first, zeros behind the last channel */
    size_t all_taps;
    size_t from, to; /* channels to compute; from is a multiple of vl, to too or all channels */
    float *out;
    size_t out_stride; /* tile only: floats from pixel to pixel */
    float low, high;
} lc_dw_tile;

/* Pooling of `pixels` outputs of one line whose windows have the same taps inside the image. */
typedef struct lc_pool_tile {
    const float *const *rows; /* [taps]: input pixels of the first output; of the next ones in_step floats further each */
    size_t taps, channels, pixels, in_step;
    float *out;  /* [pixels][channels] */
    float scale; /* average: 1 / taps */
    float low, high;
} lc_pool_tile;

/* One tile of a product of int16: sums[r][j] = sum over k < 2 * pairs of rows[r * row_step + k] * w[k][j]. Sums that fit int32. */
typedef struct lc_int_tile {
    const int16_t *rows;
    size_t row_step, mr;  /* mr in 1..simd->mr */
    const int16_t *panel; /* [pairs][nr][2] */
    size_t pairs;
    int32_t *sums; /* [mr][nr] */
} lc_int_tile;

/* Depthwise: sums[c] = sum over taps of rows[t][c] * weights[t][c] for c < n. */
typedef struct lc_int_taps {
    const int16_t *const *rows, *const *weights;
    size_t taps, n;
    int32_t *sums;
} lc_int_taps;

/* Sums of 32 bits to 8-bit outputs: lc_scale_i32 (quant.h) of sum + bias with factor * 2^(left - right), then zero point and clamp. */
typedef struct lc_int_requant {
    const int32_t *bias, *factor, *left, *right; /* one a channel; left and right in 0..31 */
    int32_t zero, low, high;
} lc_int_requant;

/* X(NAME, expression in vectors a, b) */
#define LC_SIMD_BINARY_LIST(X) \
    X(ADD, v_add(a, b)) \
    X(SUB, v_sub(a, b)) \
    X(MUL, v_mul(a, b)) \
    X(DIV, v_div(a, b)) \
    X(MAXIMUM, v_max(a, b)) \
    X(MINIMUM, v_min(a, b)) \
    X(SQUARED_DIFFERENCE, v_mul(v_sub(a, b), v_sub(a, b)))

/* X(NAME, expression in vector x); p is a parameter of the op (slope of LEAKY_RELU) */
#define LC_SIMD_UNARY_LIST(X) \
    X(RELU, v_max(v_zero(), x)) \
    X(RELU6, v_min(v_set(6), v_max(v_zero(), x))) \
    X(RELU_N1_TO_1, v_min(v_set(1), v_max(v_set(-1), x))) \
    X(RELU_0_TO_1, v_min(v_set(1), v_max(v_zero(), x))) \
    X(LEAKY_RELU, v_select(v_lt(v_zero(), x), x, v_mul(x, p))) \
    X(LOGISTIC, v_logistic(x)) \
    X(TANH, v_tanh(x)) \
    X(ELU, v_elu(x)) \
    X(HARD_SWISH, v_hard_swish(x)) \
    X(GELU, v_gelu(x)) \
    X(GELU_TANH, v_gelu_tanh(x)) \
    X(EXP, v_exp(x)) \
    X(ABS, v_abs(x)) \
    X(NEG, v_mul(v_set(-1), x)) \
    X(SQUARE, v_mul(x, x)) \
    X(SQRT, v_sqrt(x)) \
    X(RSQRT, v_div(v_set(1), v_sqrt(x))) \
    X(FLOOR, v_floor(x)) \
    X(CEIL, v_ceil(x)) \
    X(ROUND, v_whole(x))

typedef enum lc_simd_binary {
#define LC_SIMD_BINARY_ENUM(NAME, expr) LC_SIMD_BINARY_##NAME,
    LC_SIMD_BINARY_LIST(LC_SIMD_BINARY_ENUM)
#undef LC_SIMD_BINARY_ENUM
} lc_simd_binary;

typedef enum lc_simd_unary {
#define LC_SIMD_UNARY_ENUM(NAME, expr) LC_SIMD_UNARY_##NAME,
    LC_SIMD_UNARY_LIST(LC_SIMD_UNARY_ENUM)
#undef LC_SIMD_UNARY_ENUM
} lc_simd_unary;

/* Which operand of a binary kernel is one float for all elements. */
typedef enum lc_simd_form { LC_SIMD_VV, LC_SIMD_VS, LC_SIMD_SV } lc_simd_form;

/* X(name, families, (parameters)); all return void. The families of ops.def that use it (LC_FAMILY_any: others too; LC_FAMILY_training:
 * src/grad): in a build that has chosen no operator of them (ops/select.h) the entry is NULL.
 *
 *   gemm      one tile
 *   gemv      one row times LC_GEMV_PANELS full panels (n is 4 * nr): four streams of weights hide the latency of the sums; each sum is
 *             formed as gemm forms it, so a batch of 1 equals the same row of a bigger batch
 *   outer     one tile of a gradient of weights
 *   dw3s1 ..  depthwise tile, kernel 3x3 or 5x5, stride 1 or 2 across
 *   dwtaps    depthwise, one pixel, any list of taps
 *   binary    out[i] = clamp(a op b); out may be a or b. SV: a is one float
 *   unary     out[i] = f(in[i]); out may be in
 *   softmax   one row; out may be in
 *   colsum    out[c] = scale * sum of in[r * stride + c] over r < rows
 *   rowsum    *out = scale * sum of in[i], i < n
 *   rowmax .. *out = the largest (smallest) in[i], i < n; a NaN is neither; -inf (inf) when there is none
 *   igemm     one tile of integers
 *   itaps     depthwise in integers
 *   requant   out[i] = the output for sums[i], i < n; the arrays of q begin at its channel
 *   widen     out[i] = in[i] - zero, i < n; in is int8, or uint8 when `unsign`
 *   dots      sums[i] += sum of w[k] * x[i * step + k] over k < depth, for i < n; a sum over depth fits int32             */
#define LC_SIMD_LIST(X) \
    X(gemm, LC_FAMILY_conv | LC_FAMILY_fully_connected | LC_FAMILY_batch_matmul | LC_FAMILY_transpose_conv, (const lc_gemm_tile *t)) \
    X(gemv, LC_FAMILY_conv | LC_FAMILY_fully_connected | LC_FAMILY_batch_matmul | LC_FAMILY_transpose_conv, (const lc_gemm_tile *t)) \
    X(outer, LC_FAMILY_training, (const lc_outer_tile *t)) \
    X(dw3s1, LC_FAMILY_depthwise, (const lc_dw_tile *t)) \
    X(dw3s2, LC_FAMILY_depthwise, (const lc_dw_tile *t)) \
    X(dw5s1, LC_FAMILY_depthwise, (const lc_dw_tile *t)) \
    X(dw5s2, LC_FAMILY_depthwise, (const lc_dw_tile *t)) \
    X(dwtaps, LC_FAMILY_depthwise, (const lc_dw_tile *t)) \
    X(maxpool, LC_FAMILY_pool, (const lc_pool_tile *t)) \
    X(avgpool, LC_FAMILY_pool, (const lc_pool_tile *t)) \
    X(binary, LC_FAMILY_binary | LC_FAMILY_reduce, \
      (lc_simd_binary op, lc_simd_form form, float *out, const float *a, const float *b, size_t n, float low, float high)) \
    X(unary, LC_FAMILY_activation | LC_FAMILY_unary, (lc_simd_unary op, float *out, const float *in, size_t n, float p)) \
    X(softmax, LC_FAMILY_softmax, (float *out, const float *in, size_t n, float beta)) \
    X(colsum, LC_FAMILY_reduce, (float *out, const float *in, size_t rows, size_t stride, size_t channels, float scale)) \
    X(rowsum, LC_FAMILY_reduce, (float *out, const float *in, size_t n, float scale)) \
    X(rowmax, LC_FAMILY_reduce | LC_FAMILY_arg, (float *out, const float *in, size_t n)) \
    X(rowmin, LC_FAMILY_reduce | LC_FAMILY_arg, (float *out, const float *in, size_t n)) \
    X(igemm, LC_FAMILY_conv | LC_FAMILY_fully_connected | LC_FAMILY_transpose_conv, (const lc_int_tile *t)) \
    X(itaps, LC_FAMILY_depthwise, (const lc_int_taps *t)) \
    X(requant, LC_FAMILY_conv | LC_FAMILY_depthwise | LC_FAMILY_fully_connected | LC_FAMILY_transpose_conv, \
      (const lc_int_requant *q, const int32_t *sums, size_t n, uint8_t *out)) \
    X(widen, LC_FAMILY_any, (const void *in, bool unsign, int32_t zero, size_t n, int16_t *out)) \
    X(dots, LC_FAMILY_any, (const int16_t *w, const int16_t *x, size_t step, size_t depth, size_t n, int64_t *sums))

#define LC_GEMV_PANELS 4

typedef struct lc_simd {
    const char *name;
    size_t vl, mr, nr; /* floats of a vector; rows and columns of a gemm tile (nr is 2 * vl) */
#define LC_SIMD_MEMBER(name, families, params) void(*name) params;
    LC_SIMD_LIST(LC_SIMD_MEMBER)
#undef LC_SIMD_MEMBER
} lc_simd;

/* Upper bound of mr over all sets: sizes of local pointer arrays. */
#define LC_MR_MAX 16

#endif
