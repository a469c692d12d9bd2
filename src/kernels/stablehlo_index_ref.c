/*
 * stablehlo_index_ref.c: StableHLO GATHER and SCATTER. An index tensor holds start indices: vectors along index_vector_dim, one number for
 * each dimension that the options map. GATHER copies the slice that starts there, moved inside where it would stick out; SCATTER combines
 * the window of updates with what lies there, one update after the other, and leaves out each element that would lie outside (LiteRT's
 * reading of both). The function is that of the region: no operator (overwrite), or one of ADD, MULTIPLY, MAXIMUM, MINIMUM.
 *
 * infer has checked that all dimension numbers are in range and that shapes belong together.
 */
#include "kernels/stablehlo.h"

#include <string.h>

/* A walk over the index vectors. */
typedef struct starts {
    const lc_value *indices;
    lc_shape batch;              /* dimensions of the indices but the vector's */
    int64_t stride[LC_MAX_RANK]; /* of the batch dimensions in the index tensor */
    int64_t step;                /* from one number of a vector to the next */
    lc_vec_i64 map;
    int64_t count, index[LC_MAX_RANK], at;
} starts;

static starts starts_of(const lc_value *indices, int64_t vector, lc_vec_i64 map) {
    starts s = {.indices = indices, .map = map, .step = 1, .count = 1};
    int64_t stride = 1, strides[LC_MAX_RANK];
    for (int32_t d = indices->shape.rank - 1; d >= 0; d--) {
        strides[d] = stride;
        stride *= indices->shape.dims[d];
    }
    for (int32_t d = 0; d < indices->shape.rank; d++) {
        if (d == vector) {
            s.step = strides[d];
            continue;
        }
        s.stride[s.batch.rank] = strides[d];
        s.batch.dims[s.batch.rank++] = indices->shape.dims[d];
        s.count *= indices->shape.dims[d];
    }
    return s;
}

static void starts_next(starts *s) {
    for (int32_t d = s->batch.rank - 1; d >= 0; d--) {
        s->at += s->stride[d];
        if (++s->index[d] < s->batch.dims[d]) return;
        s->at -= s->stride[d] * s->batch.dims[d];
        s->index[d] = 0;
    }
}

/* The start in each of `rank` dimensions; 0 in those that the options do not map. */
static void starts_read(const starts *s, int32_t rank, int64_t *start) {
    for (int32_t d = 0; d < rank; d++) start[d] = 0;
    for (uint32_t k = 0; k < s->map.n; k++) {
        const int64_t at = s->at + (int64_t)k * s->step;
        start[s->map.data[k]] =
            s->indices->type == LC_INT64 ? ((const int64_t *)s->indices->data)[at] : ((const int32_t *)s->indices->data)[at];
    }
}

static bool names(lc_vec_i64 dims, int32_t d) {
    for (uint32_t i = 0; i < dims.n; i++)
        if (dims.data[i] == d) return true;
    return false;
}

static void strides_of(const lc_shape *shape, int64_t *strides) {
    int64_t stride = 1;
    for (int32_t d = shape->rank - 1; d >= 0; d--) {
        strides[d] = stride;
        stride *= shape->dims[d];
    }
}

/* The window in the tensor that is indexed (operand 0) and in the one that has the batch dimensions too (operand 1): one dimension for each
 * that `dropped` does not name and that `window` names. sizes: of the window, in the order of the latter. */
static void window_walk(const lc_shape *indexed, lc_vec_i64 dropped, const lc_shape *whole, lc_vec_i64 window, lc_nd *nd) {
    int64_t a[LC_MAX_RANK], b[LC_MAX_RANK];
    strides_of(indexed, a);
    strides_of(whole, b);
    lc_nd_init(nd, &(lc_shape){0});
    nd->rank = 0;
    for (int32_t d = 0, at = 0; d < whole->rank; d++) {
        if (!names(window, d)) continue;
        while (at < indexed->rank && names(dropped, at)) at++;
        nd->dims[nd->rank] = whole->dims[d];
        nd->stride[0][nd->rank] = a[at++];
        nd->stride[1][nd->rank++] = b[d];
    }
    if (nd->rank == 0) {
        nd->rank = 1;
        nd->dims[0] = 1;
    }
}

/* Where the batch entry of `s` begins in the tensor with batch and window dimensions. */
static int64_t batch_at(const starts *s, const lc_shape *whole, lc_vec_i64 window) {
    int64_t strides[LC_MAX_RANK], at = 0;
    strides_of(whole, strides);
    for (int32_t d = 0, k = 0; d < whole->rank; d++)
        if (!names(window, d)) at += s->index[k++] * strides[d];
    return at;
}

/* ---- gather --------------------------------------------------------------------------------------------------------- */

static lc_status prepare_gather(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T_WHOLE & ~LC_T(COMPLEX128)));
    return lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64));
}

static lc_status run_gather(lc_kernel_ctx *ctx) {
    const lc_StablehloGatherOptions *o = LC_OP_ATTRS(ctx->node, StablehloGatherOptions);
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    int64_t strides[LC_MAX_RANK], start[LC_MAX_RANK];
    lc_nd nd;
    if (lc_ref_elements(out) == 0) return LC_OK;
    starts s = starts_of(ctx->in[1], o->index_vector_dim, o->start_index_map);
    strides_of(&in->shape, strides);
    window_walk(&in->shape, o->collapsed_slice_dims, &out->shape, o->offset_dims, &nd);
    for (int64_t i = 0; i < s.count; i++, starts_next(&s)) {
        starts_read(&s, in->shape.rank, start);
        nd.base[0] = 0;
        for (int32_t d = 0; d < in->shape.rank; d++) {
            const int64_t last = in->shape.dims[d] - o->slice_sizes.data[d];
            nd.base[0] += (start[d] > last ? last : start[d] < 0 ? 0 : start[d]) * strides[d];
        }
        nd.base[1] = batch_at(&s, &out->shape, o->offset_dims);
        for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w))
            lc_copy_elements((char *)out->data + w.at[1] * (int64_t)lc_ref_width(in), lc_nd_step(&nd, 1),
                             (const char *)in->data + w.at[0] * (int64_t)lc_ref_width(in), lc_nd_step(&nd, 0), lc_nd_row(&nd),
                             lc_ref_width(in));
    }
    return LC_OK;
}

/* ---- scatter -------------------------------------------------------------------------------------------------------- */

/* Writes *f when the region is more than nothing. */
static lc_status region_function(lc_kernel_ctx *ctx, lc_hlo_function *f) {
    const lc_graph *g;
    LC_TRY(lc_hlo_region(ctx, LC_OP_ATTRS(ctx->node, StablehloScatterOptions)->update_computation_subgraph_index, &g));
    if (g->node_count == 0) return LC_OK;
    const int32_t op = g->nodes[0].op;
    if (g->node_count == 1 && op == LC_OP_STABLEHLO_ADD) *f = LC_HLO_ADD;
    else if (g->node_count == 1 && op == LC_OP_STABLEHLO_MULTIPLY) *f = LC_HLO_MULTIPLY;
    else if (g->node_count == 1 && op == LC_OP_STABLEHLO_MAXIMUM) *f = LC_HLO_MAXIMUM;
    else if (g->node_count == 1 && op == LC_OP_STABLEHLO_MINIMUM) *f = LC_HLO_MINIMUM;
    else
        return lc_fail(ctx->err, LC_UNSUPPORTED,
                       "its region is %zu operators, first %s; it can be none, or one STABLEHLO_ADD, MULTIPLY, MAXIMUM or MINIMUM",
                       g->node_count, lc_op_name(op));
    return LC_OK;
}

static lc_status prepare_scatter(lc_kernel_ctx *ctx) {
    lc_hlo_function f = LC_HLO_SECOND;
    lc_hlo_loop *loop = lc_kernel_state(ctx, sizeof *loop);
    if (!loop) return LC_NO_MEMORY;
    LC_TRY(lc_ref_input(ctx, 0, LC_T_WHOLE));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64)));
    LC_TRY(lc_ref_input(ctx, 2, LC_T_WHOLE));
    LC_TRY(region_function(ctx, &f));
    *loop = lc_hlo_loop_of(f, ctx->in[0]->type);
    return *loop ? LC_OK : lc_ref_refuse(ctx, ctx->in[0]->type);
}

/* Cuts the walk to the part of the window that lies in the tensor. False: none does. */
static bool cut(lc_nd *nd, const lc_nd *full, const lc_shape *in, lc_vec_i64 dropped, const int64_t *start) {
    int64_t strides[LC_MAX_RANK];
    strides_of(in, strides);
    *nd = *full;
    for (int32_t d = 0, k = 0; d < in->rank; d++) {
        int64_t from = start[d], skip = 0;
        const bool one = names(dropped, d);
        const int64_t size = one ? 1 : full->dims[k];
        if (from < 0) {
            if (from <= -size) return false;
            skip = -from;
            from = 0;
        }
        if (from >= in->dims[d]) return false;
        nd->base[0] += from * strides[d];
        if (one) continue;
        nd->base[1] += skip * full->stride[1][k];
        nd->dims[k] = size - skip < in->dims[d] - from ? size - skip : in->dims[d] - from;
        k++;
    }
    return true;
}

static lc_status run_scatter(lc_kernel_ctx *ctx) {
    const lc_StablehloScatterOptions *o = LC_OP_ATTRS(ctx->node, StablehloScatterOptions);
    const lc_value *in = ctx->in[0], *updates = ctx->in[2], *out = ctx->out[0];
    const int64_t width = (int64_t)lc_ref_width(in);
    int64_t start[LC_MAX_RANK];
    lc_hlo_loop loop;
    lc_nd window, nd;
    memcpy(&loop, ctx->state, sizeof loop);
    if (out->size) memcpy(out->data, in->data, out->size);
    if (lc_ref_elements(out) == 0 || lc_ref_elements(updates) == 0) return LC_OK;
    starts s = starts_of(ctx->in[1], o->index_vector_dim, o->scatter_dims_to_operand_dims);
    window_walk(&in->shape, o->inserted_window_dims, &updates->shape, o->update_window_dims, &window);
    for (int64_t i = 0; i < s.count; i++, starts_next(&s)) {
        starts_read(&s, in->shape.rank, start);
        if (!cut(&nd, &window, &in->shape, o->inserted_window_dims, start)) continue;
        nd.base[1] += batch_at(&s, &updates->shape, o->update_window_dims);
        for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w)) {
            char *to = (char *)out->data + w.at[0] * width;
            loop(to, lc_nd_step(&nd, 0), to, lc_nd_step(&nd, 0), (const char *)updates->data + w.at[1] * width, lc_nd_step(&nd, 1),
                 lc_nd_row(&nd));
        }
    }
    return LC_OK;
}

const lc_kernel lc_kernel_STABLEHLO_GATHER = {.prepare = prepare_gather, .run = run_gather},
                lc_kernel_STABLEHLO_SCATTER = {.prepare = prepare_scatter, .run = run_scatter};
