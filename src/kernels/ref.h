/*
 * ref.h: what the reference kernels share: the check of types in prepare, walks over tensors of up to LC_MAX_RANK dimensions,
 * copies of elements of any width, fused activations, float16.
 *
 * The reference kernels are the plain truth: single-threaded, no intrinsics, sums in double, one loop nest that reads like the
 * definition. The SIMD kernels are measured against them.
 */
#ifndef LC_KERNELS_REF_H
#define LC_KERNELS_REF_H

#include "base/half.h"
#include "kernels/kernel_list.h"

#define LC_T(name) (1u << LC_##name)
/* Types whose elements are whole bytes, of fixed size. */
#define LC_T_WHOLE \
    (LC_T(FLOAT32) | LC_T(FLOAT16) | LC_T(INT32) | LC_T(UINT8) | LC_T(INT64) | LC_T(BOOL) | LC_T(INT16) | LC_T(COMPLEX64) | LC_T(INT8) | \
     LC_T(FLOAT64) | LC_T(COMPLEX128) | LC_T(UINT64) | LC_T(UINT32) | LC_T(UINT16) | LC_T(BFLOAT16) | LC_T(FLOAT8_E4M3FN) | \
     LC_T(FLOAT8_E5M2))

/* Input i (absent is fine) is of one of `types`, dense, and has the bytes its shape says. LC_UNSUPPORTED or LC_INVALID names the
 * operator and the type. */
lc_status lc_ref_input(lc_kernel_ctx *ctx, uint32_t i, uint32_t types);
/* All inputs [first, in_count) are of one of `types`. */
lc_status lc_ref_inputs(lc_kernel_ctx *ctx, uint32_t first, uint32_t types);
/* prepare of an operator whose inputs are all float32, all of whole bytes. */
lc_status lc_ref_prepare_float(lc_kernel_ctx *ctx);
lc_status lc_ref_prepare_whole(lc_kernel_ctx *ctx);
/* The message of lc_ref_input, for a kernel that looks its types up elsewhere. */
lc_status lc_ref_refuse(lc_kernel_ctx *ctx, lc_dtype type);
/* Reads an int32 or int64 operand at run time. *n: in capacity, out count; false when it is larger. */
bool lc_ref_ints(const lc_value *v, int64_t *values, uint32_t *n);
/* A shape operand gave another output shape than the one that was planned. */
lc_status lc_ref_changed(lc_kernel_ctx *ctx);
int64_t lc_ref_elements(const lc_value *v);
static inline size_t lc_ref_width(const lc_value *v) { return lc_dtype_bits(v->type) / 8; }

/* ---- walks ------------------------------------------------------------------------------------------------------- */

/* A loop nest over `dims`, in which operand k of up to four moves by stride[k][d] elements at a step of dimension d. */
#define LC_ND_OPERANDS 4
typedef struct lc_nd {
    int32_t rank; /* 1 or more */
    int64_t dims[LC_MAX_RANK];
    int64_t stride[LC_ND_OPERANDS][LC_MAX_RANK];
    int64_t base[LC_ND_OPERANDS]; /* where operand k begins */
} lc_nd;

typedef struct lc_nd_walk {
    int64_t index[LC_MAX_RANK];
    int64_t at[LC_ND_OPERANDS]; /* element of each operand at the start of the current row */
    bool done;
} lc_nd_walk;

/* The nest of a shape; all strides 0. */
void lc_nd_init(lc_nd *nd, const lc_shape *shape);
/* Operand k is a dense tensor of shape s that broadcasts to the nest (dimensions aligned at the end, 1 repeats). */
void lc_nd_operand(lc_nd *nd, int k, const lc_shape *s);
/* The same walk with fewer dimensions: those of 1 go, neighbours that all operands cross evenly become one. */
void lc_nd_simplify(lc_nd *nd);
/* Rows are runs of the last dimension: for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w)) ... */
lc_nd_walk lc_nd_begin(const lc_nd *nd);
void lc_nd_next(const lc_nd *nd, lc_nd_walk *w);
static inline int64_t lc_nd_row(const lc_nd *nd) { return nd->dims[nd->rank - 1]; }
static inline int64_t lc_nd_step(const lc_nd *nd, int k) { return nd->stride[k][nd->rank - 1]; }
/* Elements of operand 1 (in) to operand 0 (out), `width` bytes each. */
void lc_nd_copy(const lc_nd *nd, void *out, const void *in, size_t width);

/* n elements of `width` bytes (1, 2, 4, 8, 16), strides in elements. */
void lc_copy_elements(void *out, int64_t out_step, const void *in, int64_t in_step, int64_t n, size_t width);

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

/* Applies a fused activation in place. */
void lc_ref_activate(float *x, int64_t n, int8_t activation);
/* Elements [from, from + n) of a float32, float16 or bfloat16 tensor as floats, and back. Kernels for the 16-bit floats compute in float32,
 * a part at a time, and round once at the end, as LiteRT's do. */
void lc_real_load(const void *data, lc_dtype type, int64_t from, int64_t step, int64_t n, float *out);
void lc_real_store(void *data, lc_dtype type, int64_t from, int64_t n, const float *in);
enum { LC_REAL_PART = 256 };

#endif
