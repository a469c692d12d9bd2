/*
 * tf_xla.c: convolutions and products as XLA has them (jax2tf writes such graphs). Which dimension is what stands in a message serialised
 * into an attribute (xla_data.proto); operands are transposed to TensorFlow's order and become a Conv or an Einsum, whose transposes
 * pass/ folds away where they cancel.
 *
 * lhs_dilation makes a transposed convolution, or, where TFLite's does not fit, puts zeros between the cells with DILATE; negative padding cuts
 * cells off.
 */
#include "lower/tf_impl.h"
#include "lower/tf_nn.h"

#include <string.h>

/* The message in attribute dimension_numbers. NULL when failed. */
static const void *numbers(lc_tf_call *c, lc_pb_id id) {
    const lc_str s = lc_tf_attr_str(c, "dimension_numbers", "");
    void *message = NULL;
    if (!lc_tf_ok(c)) return NULL;
    lc_tf_take(c, lc_pb_read(id, s.data ? s.data : "", s.size, &c->lower->budget, &c->lower->scratch, &message, c->lower->err));
    return lc_tf_ok(c) ? message : NULL;
}

/* ---- XlaDot ------------------------------------------------------------------------------------------------------------ */

/* Names dimensions of both operands that the lists pair up. False when a list names one twice or one that is not there. */
static bool name_pairs(const lc_pb_int64s *a, const lc_pb_int64s *b, uint8_t *x, int32_t x_rank, uint8_t *y, int32_t y_rank,
                       uint8_t *next) {
    if (a->n != b->n) return false;
    for (uint32_t i = 0; i < a->n; i++) {
        const int64_t p = a->data[i], q = b->data[i];
        if (p < 0 || p >= x_rank || q < 0 || q >= y_rank || x[p] != UINT8_MAX || y[q] != UINT8_MAX) return false;
        x[p] = y[q] = (*next)++;
    }
    return true;
}

void lc_tf_op_xla_dot(lc_tf_call *c) {
    const lc_pb_DotDimensionNumbers *d = numbers(c, LC_PB_DotDimensionNumbers);
    const int32_t lhs = lc_tf_in(c, 0), rhs = lc_tf_in(c, 1);
    const lc_shape a = lc_tf_ranked(c, lhs), b = lc_tf_ranked(c, rhs);
    const lc_dtype wanted = lc_tf_attr_type(c, "preferred_element_type"), type = wanted == LC_DTYPE_COUNT ? lc_tf_type(c, lhs) : wanted;
    uint8_t x[LC_MAX_RANK], y[LC_MAX_RANK], out[2 * LC_MAX_RANK], next = 0;
    uint32_t n = 0;
    if (!d || !lc_tf_ok(c)) return;
    memset(x, UINT8_MAX, sizeof x);
    memset(y, UINT8_MAX, sizeof y);
    bool fine = name_pairs(&d->lhs_batch_dimensions, &d->rhs_batch_dimensions, x, a.rank, y, b.rank, &next);
    const uint8_t batch = next;
    fine = fine && name_pairs(&d->lhs_contracting_dimensions, &d->rhs_contracting_dimensions, x, a.rank, y, b.rank, &next);
    if (!fine) {
        lc_tf_fail(c, LC_INVALID, "its dimension_numbers do not fit operands of %d and %d dimensions", a.rank, b.rank);
        return;
    }
    for (uint8_t i = 0; i < batch; i++) out[n++] = i;
    for (int32_t i = 0; i < a.rank; i++)
        if (x[i] == UINT8_MAX) out[n++] = x[i] = next++;
    for (int32_t i = 0; i < b.rank; i++)
        if (y[i] == UINT8_MAX) out[n++] = y[i] = next++;
    const int32_t left = lc_tf_widen(c, lhs, LC_TF_ARITHMETIC), right = left < 0 ? -1 : lc_tf_widen(c, rhs, LC_TF_ARITHMETIC);
    if (right < 0) return;
    const int32_t z = lc_tf_contract(c, left, x, right, y, out, n);
    if (z >= 0) lc_tf_give(c, 0, lc_tf_narrow(c, z, type));
}

/* ---- XlaConv -------------------------------------------------------------------------------------------------------------- */

/* x transposed so that dimension order[i] becomes the i-th; false when they are not each of them once. */
static bool ordered(lc_tf_call *c, int32_t *x, const int64_t *order, int32_t rank, bool back) {
    const lc_shape s = lc_tf_rank_of(c, *x, rank);
    int32_t perm[LC_MAX_RANK], inverse[LC_MAX_RANK];
    uint32_t seen = 0;
    if (s.rank != rank) return false;
    for (int32_t i = 0; i < rank; i++) {
        if (order[i] < 0 || order[i] >= rank || (seen >> order[i] & 1)) {
            lc_tf_fail(c, LC_INVALID, "its dimension_numbers do not name each of %d dimensions once", rank);
            return false;
        }
        seen |= 1u << order[i];
        perm[i] = (int32_t)order[i];
        inverse[order[i]] = i;
    }
    const int32_t *p = back ? inverse : perm;
    bool straight = true;
    for (int32_t i = 0; i < rank; i++) straight = straight && p[i] == i;
    if (!straight) *x = lc_build_transpose(c->b, *x, p, rank);
    return lc_tf_ok(c);
}

/* As many integers as wanted, each of at least `least`. */
static bool read(lc_tf_call *c, uint32_t input, const char *what, int64_t *v, uint32_t n, int64_t least) {
    const uint32_t have = lc_tf_need_ints(c, lc_tf_in(c, input), what, v, 2 * LC_TF_SPATIAL);
    bool fine = have == n;
    for (uint32_t i = 0; fine && i < n; i++) fine = v[i] >= least && v[i] <= INT32_MAX / 4;
    if (lc_tf_ok(c) && !fine) lc_tf_fail(c, LC_INVALID, "its %s are not %u numbers of at least %lld", what, n, (long long)least);
    return lc_tf_ok(c);
}

/* Zeros between the cells of x [n, spatial..., c]. */
static int32_t spread(lc_tf_call *c, int32_t x, const int64_t *by, int32_t n) {
    int32_t all[LC_TF_SPATIAL + 2];
    bool any = false;
    for (int32_t i = 0; i < n + 2; i++) {
        all[i] = i == 0 || i == n + 1 ? 1 : (int32_t)by[i - 1];
        any = any || all[i] != 1;
    }
    if (!any) return x;
    const int32_t in[3] = {x, lc_build_ints(c->b, "dilations", all, (uint32_t)n + 2), lc_tf_scalar(c, 0, LC_FLOAT32)};
    return lc_build_op(c->b, LC_OP_DILATE, LC_TABLE_DilateOptions, NULL, in, 3);
}

/* Negative padding: cells are cut off, in one SLICE. The rest goes to the window. */
static int32_t trim(lc_tf_call *c, int32_t x, const int64_t *pads, lc_tf_window *w) {
    int32_t begin[LC_TF_SPATIAL + 2] = {0}, end[LC_TF_SPATIAL + 2] = {0}, step[LC_TF_SPATIAL + 2] = {1, 1, 1, 1, 1};
    const uint32_t rank = (uint32_t)w->n + 2;
    lc_StridedSliceOptions o = {.begin_mask = 1 | 1 << (rank - 1), .end_mask = 1 | 1 << (rank - 1)};
    bool any = false;
    for (int32_t i = 0; i < w->n; i++) {
        const int64_t before = pads[2 * i], after = pads[2 * i + 1];
        w->before[i] = before > 0 ? (int32_t)before : 0;
        w->after[i] = after > 0 ? (int32_t)after : 0;
        w->pads = w->pads || before > 0 || after > 0;
        begin[i + 1] = before < 0 ? (int32_t)-before : 0;
        end[i + 1] = after < 0 ? (int32_t)after : 0;
        if (after >= 0) o.end_mask |= 1 << (i + 1);
        any = any || before < 0 || after < 0;
    }
    if (!any) return x;
    const int32_t in[4] = {x, lc_build_ints(c->b, "begin", begin, rank), lc_build_ints(c->b, "end", end, rank),
                           lc_build_ints(c->b, "strides", step, rank)};
    return lc_build_op(c->b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, &o, in, 4);
}

/*
 * A convolution of stride 1 over cells that lie s apart is TRANSPOSE_CONV with stride s and the filter turned round: that makes
 * (in - 1) s + k rows, of which padding p, q keeps all but k - 1 - p in front and k - 1 - q behind. Those of SAME are an option of the operator,
 * others are cut off. x [n, h, w, ci], filter [h, w, ci, co]; -1 where it is none such.
 */
static int32_t transposed(lc_tf_call *c, int32_t x, int32_t filter, const int64_t *stride, const int64_t *pads, const int64_t *lhs,
                          const int64_t *rhs) {
    const lc_shape f = lc_tf_fixed(c, filter, "filter"), s = lc_tf_rank_of(c, x, 4);
    int64_t cut[4];
    bool same = true, any = false, none = true;
    if (!lc_tf_ok(c) || s.dims[3] != f.dims[2]) return -1;
    for (int i = 0; i < 2; i++) {
        const int64_t k = f.dims[i];
        cut[2 * i] = k - 1 - pads[2 * i];
        cut[2 * i + 1] = k - 1 - pads[2 * i + 1];
        any = any || lhs[i] > 1;
        if (stride[i] != 1 || rhs[i] != 1 || cut[2 * i] < 0 || cut[2 * i + 1] < 0) return -1;
        none = none && cut[2 * i] == 0 && cut[2 * i + 1] == 0;
        same = same && k >= lhs[i] && cut[2 * i] == (k - lhs[i]) / 2 && cut[2 * i] + cut[2 * i + 1] == k - lhs[i];
    }
    if (!any) return -1;
    const int32_t axes[2] = {0, 1}, perm[4] = {3, 0, 1, 2}, turn[2] = {filter, lc_tf_vector(c, axes, 2)};
    const int32_t turned = lc_build_op(c->b, LC_OP_REVERSE_V2, LC_TABLE_ReverseV2Options, NULL, turn, 2);
    const int32_t weights = lc_build_transpose(c->b, turned, perm, 4);
    int32_t sizes[4] = {lc_tf_size(c, x, 0), -1, -1, lc_tf_size_const(c, f.dims[3])}, cells[4];
    for (int i = 0; i < 2; i++) { /* in s, or (in - 1) s + k */
        const int32_t cell = lc_tf_size(c, x, i + 1), times = lc_tf_size_op(c, LC_OP_MUL, cell, lc_tf_size_const(c, lhs[i]));
        sizes[i + 1] = same ? times : lc_tf_size_op(c, LC_OP_ADD, times, lc_tf_size_const(c, f.dims[i] - lhs[i]));
        cells[i + 1] = lc_tf_size_op(c, LC_OP_SUB, sizes[i + 1], lc_tf_size_const(c, cut[2 * i] + cut[2 * i + 1]));
    }
    const lc_TransposeConvOptions o = {
        .padding = same ? LC_Padding_SAME : LC_Padding_VALID, .stride_h = (int32_t)lhs[0], .stride_w = (int32_t)lhs[1]};
    const int32_t in[3] = {lc_tf_concat(c, sizes, 4, 0), weights, x};
    const int32_t y = lc_build_op(c->b, LC_OP_TRANSPOSE_CONV, LC_TABLE_TransposeConvOptions, &o, in, 3);
    if (same || none) return y;
    const int32_t from[4] = {0, (int32_t)cut[0], (int32_t)cut[2], 0};
    cells[0] = sizes[0];
    cells[3] = sizes[3];
    const int32_t at = lc_tf_vector(c, from, 4), slice[3] = {y, at, lc_tf_concat(c, cells, 4, 0)};
    return lc_build_op(c->b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, slice, 3);
}

/* A row is an image of height 1. */
static int32_t with_height(lc_tf_call *c, int32_t x, int32_t axis, bool row) { return row ? lc_tf_expand(c, x, axis) : x; }

void lc_tf_op_xla_conv(lc_tf_call *c) {
    const lc_pb_ConvolutionDimensionNumbers *d = numbers(c, LC_PB_ConvolutionDimensionNumbers);
    int32_t x = lc_tf_in(c, 0), filter = lc_tf_in(c, 1);
    const lc_dtype wanted = lc_tf_attr_type(c, "preferred_element_type"), type = wanted == LC_DTYPE_COUNT ? lc_tf_type(c, x) : wanted;
    if (!d || !lc_tf_ok(c)) return;
    const uint32_t n = d->input_spatial_dimensions.n;
    int64_t in[LC_TF_SPATIAL + 2], kernel[LC_TF_SPATIAL + 2], out[LC_TF_SPATIAL + 2], stride[6], pads[6], lhs[6], rhs[6];
    if (n != d->kernel_spatial_dimensions.n || n != d->output_spatial_dimensions.n) {
        lc_tf_fail(c, LC_INVALID, "its dimension_numbers have %u, %u and %u spatial dimensions", n, d->kernel_spatial_dimensions.n,
                   d->output_spatial_dimensions.n);
        return;
    }
    if (n < 1 || n > LC_TF_SPATIAL || lc_tf_attr_int(c, "batch_group_count", 1) != 1) {
        lc_tf_missing(c, n < 1 || n > LC_TF_SPATIAL ? "TFLite convolves over 1 to 3 dimensions" : "its batch_group_count is not 1");
        return;
    }
    if (lc_tf_type(c, x) != LC_FLOAT32 && lc_tf_type(c, x) != LC_FLOAT16 && lc_tf_type(c, x) != LC_BFLOAT16 &&
        lc_tf_type(c, x) != LC_FLOAT64) {
        lc_tf_missing(c, "TFLite convolves no %s", lc_dtype_name(lc_tf_type(c, x)));
        return;
    }
    in[0] = d->input_batch_dimension;
    in[n + 1] = d->input_feature_dimension;
    out[0] = d->output_batch_dimension;
    out[n + 1] = d->output_feature_dimension;
    kernel[n] = d->kernel_input_feature_dimension;
    kernel[n + 1] = d->kernel_output_feature_dimension;
    for (uint32_t i = 0; i < n; i++) {
        in[i + 1] = d->input_spatial_dimensions.data[i];
        out[i + 1] = d->output_spatial_dimensions.data[i];
        kernel[i] = d->kernel_spatial_dimensions.data[i];
    }
    if (!read(c, 2, "window_strides", stride, n, 1) || !read(c, 3, "padding", pads, 2 * n, -(INT32_MAX / 4)) ||
        !read(c, 4, "lhs_dilation", lhs, n, 1) || !read(c, 5, "rhs_dilation", rhs, n, 1))
        return;
    x = lc_tf_float32(c, x);
    filter = lc_tf_float32(c, filter);
    const int32_t rank = (int32_t)n + 2;
    if (!ordered(c, &x, in, rank, false) || !ordered(c, &filter, kernel, rank, false)) return;
    if (n == 2) {
        int32_t z = transposed(c, x, filter, stride, pads, lhs, rhs);
        if (z >= 0) {
            if (ordered(c, &z, out, rank, true)) lc_tf_give(c, 0, lc_tf_narrow(c, z, type));
            return;
        }
        if (!lc_tf_ok(c)) return;
    }
    x = spread(c, x, lhs, (int32_t)n);
    lc_tf_window w = {.n = (int32_t)n, .size = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .padding = LC_Padding_VALID};
    x = trim(c, x, pads, &w);
    const bool row = n == 1;
    if (row) { /* the window's one dimension becomes its second */
        w.n = 2;
        w.before[1] = w.before[0];
        w.after[1] = w.after[0];
        w.before[0] = w.after[0] = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        w.stride[i + row] = (int32_t)stride[i];
        w.dilation[i + row] = (int32_t)rhs[i];
    }
    x = with_height(c, x, 1, row);
    int32_t y = lc_tf_convolve(c, &w, x, with_height(c, filter, 0, row));
    if (row) y = lc_tf_squeeze(c, y, 1);
    if (lc_tf_ok(c) && ordered(c, &y, out, rank, true)) lc_tf_give(c, 0, lc_tf_narrow(c, y, type));
}
