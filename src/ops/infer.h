/*
 * infer.h: what the <family>_op.c files share: the declarations of every lc_infer_<ID> that ops.def promises, and the
 * small steps most rules are made of. Private to src/ops.
 */
#ifndef LC_OPS_INFER_H
#define LC_OPS_INFER_H

#include "ops/op.h"

#define LC_INFER_DECLARE_yes(ID) lc_status lc_infer_##ID(lc_infer_ctx *ctx);
#define LC_INFER_DECLARE_no(ID)
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast, flags) \
    LC_INFER_DECLARE_##infer(ID)
#include "ops/ops.def"
#define LC_CUSTOM(ID, code, family, in_min, in_max, out_min, out_max, absent) lc_status lc_infer_custom_##ID(lc_infer_ctx *ctx);
#include "ops/custom.def"

/* "valid, but litec cannot do it" with the same form as LC_OP_FAIL. */
#define LC_OP_UNSUPPORTED(ctx, ...) lc_fail((ctx)->err, LC_UNSUPPORTED, __VA_ARGS__)

/* Output 0 gets `type` and `shape`. */
lc_status lc_infer_give(lc_infer_ctx *ctx, lc_dtype type, const lc_shape *shape);
/* Output 0 is input 0's type and shape. */
lc_status lc_infer_same(lc_infer_ctx *ctx);
/* A shape of `rank` open dimensions; rank must be in [0, LC_MAX_RANK]. */
lc_shape lc_infer_open(int32_t rank);
/* Inputs a and b have one type. */
lc_status lc_infer_same_type(lc_infer_ctx *ctx, uint32_t a, uint32_t b);
/* Input i has exactly `rank` dimensions; `what` names it ("filter"). */
lc_status lc_infer_rank(lc_infer_ctx *ctx, uint32_t i, int32_t rank, const char *what);
/* Input i holds integers (int32 or int64) in at most one dimension. *n: how many, -1 when its length is open. */
lc_status lc_infer_index_vector(lc_infer_ctx *ctx, uint32_t i, const char *what, int32_t *n);
/* Input i holds one integer; *known tells whether *value could be read. */
lc_status lc_infer_scalar(lc_infer_ctx *ctx, uint32_t i, const char *what, bool *known, int64_t *value);
/* Two dimensions that must be one: the known one wins, *out gets it; false when both are known and differ. */
bool lc_infer_meet(int32_t a, int32_t b, int32_t *out);
/* a + b, or a * b, as a dimension; -1 when one is open; error on overflow. */
lc_status lc_infer_dim_add(lc_infer_ctx *ctx, int32_t a, int64_t b, int32_t *out);
lc_status lc_infer_dim_mul(lc_infer_ctx *ctx, int32_t a, int64_t b, int32_t *out);
/* Input i is the handle of a resource. LiteRT also takes int32. */
lc_status lc_infer_handle(lc_infer_ctx *ctx, uint32_t i);
/* The fused activation is a value the schema has. */
lc_status lc_infer_activation(lc_infer_ctx *ctx, int8_t activation);
/* Bias (input i, may be absent or not given) has `channels` elements (-1: open). */
lc_status lc_infer_bias(lc_infer_ctx *ctx, uint32_t i, int32_t channels);

#endif
