/*
 * infer.c: shape and type inference: the checks every operator shares (counts, presence, options table, sane dimensions), the
 * call of its own rule, the checks every result shares, and the helpers the rules are made of.
 *
 * What stays true: after LC_OK each output has a type, a rank in [0, LC_MAX_RANK], dimensions >= -1, and no more than INT32_MAX
 * elements in its known dimensions. A dimension of -1 is open. The same rules serve the converter and the runtime.
 */
#include "ops/infer.h"
#include <stdio.h>
#include <string.h>

/* ---- shapes ---------------------------------------------------------------------------------------------------- */

bool lc_shape_equal(const lc_shape *a, const lc_shape *b) {
    if (a->rank != b->rank) return false;
    for (int32_t i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i]) return false;
    return true;
}

/* Product of the dimensions, open ones left out when `skip_open`. A zero makes it zero, whatever the others are. */
static bool shape_product(const lc_shape *s, bool skip_open, uint64_t *n) {
    uint64_t product = 1;
    bool zero = false;
    for (int32_t i = 0; i < s->rank; i++) {
        if (s->dims[i] < 0) {
            if (!skip_open) return false;
        } else if (s->dims[i] == 0) {
            zero = true;
        } else if (!lc_mul_u64(product, (uint64_t)s->dims[i], &product) || product > INT32_MAX) {
            return false;
        }
    }
    *n = zero ? 0 : product;
    return true;
}

bool lc_shape_elements(const lc_shape *s, uint64_t *n) { return s->rank >= 0 && shape_product(s, false, n); }

const char *lc_shape_text(const lc_shape *s, char text[LC_SHAPE_TEXT]) {
    size_t at = 0;
    text[at++] = '[';
    for (int32_t i = 0; i < s->rank && i < LC_MAX_RANK; i++) {
        if (i) text[at++] = ',';
        if (s->dims[i] < 0) text[at++] = '?';
        else at += (size_t)snprintf(text + at, 12, "%d", s->dims[i]);
    }
    text[at++] = ']';
    text[at] = 0;
    return text;
}

/* ---- one node ---------------------------------------------------------------------------------------------------- */

static lc_status check_shape(lc_infer_ctx *ctx, const lc_infer_tensor *t, const char *kind, uint32_t i) {
    if (t->shape.rank < 0 || t->shape.rank > LC_MAX_RANK)
        return LC_OP_UNSUPPORTED(ctx, "%s %u has %d dimensions, litec runs at most %d", kind, i, t->shape.rank, LC_MAX_RANK);
    for (int32_t d = 0; d < t->shape.rank; d++)
        if (t->shape.dims[d] < -1)
            return LC_OP_FAIL(ctx, "%s %u has dimension %d of %d, sizes are 0 or more", kind, i, d, t->shape.dims[d]);
    uint64_t n;
    char text[LC_SHAPE_TEXT];
    if (!shape_product(&t->shape, true, &n))
        return LC_OP_FAIL(ctx, "%s %u of shape %s has more than %d elements", kind, i, lc_shape_text(&t->shape, text), INT32_MAX);
    return LC_OK;
}

static lc_status check_count(lc_infer_ctx *ctx, const char *kind, uint32_t n, int32_t min, int32_t max) {
    if (n >= (uint32_t)min && (max < 0 || n <= (uint32_t)max)) return LC_OK;
    if (max < 0) return LC_OP_FAIL(ctx, "has %u %ss, needs at least %d", n, kind, min);
    if (min == max) return LC_OP_FAIL(ctx, "has %u %ss, needs %d", n, kind, min);
    return LC_OP_FAIL(ctx, "has %u %ss, needs %d to %d", n, kind, min, max);
}

lc_status lc_op_infer(lc_infer_ctx *ctx) {
    const lc_op_def *def = lc_op_of(ctx->node);
    if (!def) return LC_OP_FAIL(ctx, "operator %d is not a builtin operator (0 to %d)", ctx->node->op, LC_OP_COUNT - 1);
    LC_TRY(check_count(ctx, "input", ctx->in_count, def->in_min, def->in_max));
    LC_TRY(check_count(ctx, "output", ctx->out_count, def->out_min, def->out_max));
    for (uint32_t i = 0; i < ctx->in_count; i++) {
        bool optional = def->absent == UINT32_MAX || (i < 32 && (def->absent >> i & 1));
        if (!ctx->in[i].present && !optional) return LC_OP_FAIL(ctx, "input %u is absent, the operator needs it", i);
        if (ctx->in[i].present) LC_TRY(check_shape(ctx, &ctx->in[i], "input", i));
    }
    /* Options of another operator say nothing about this one. An operator without fields ignores what it is given. */
    if (def->options != LC_TABLE_NONE && lc_schema_tables[def->options].field_count && ctx->node->attrs &&
        ctx->node->attrs_table != LC_TABLE_NONE && ctx->node->attrs_table != def->options)
        return LC_OP_FAIL(ctx, "has options %s, needs %s", lc_table_name(ctx->node->attrs_table), lc_table_name(def->options));
    if (!def->infer) {
        lc_status status = LC_OP_UNSUPPORTED(ctx, "litec has no shape rule for %s", lc_op_def_name(def));
        lc_error_hint(ctx->err, "%s", lc_op_left_out());
        return status;
    }
    for (uint32_t i = 0; i < ctx->out_count; i++) ctx->out[i].shape = (lc_shape){0};
    LC_TRY(def->infer(ctx));
    for (uint32_t i = 0; i < ctx->out_count; i++)
        if (ctx->out[i].shape.rank != LC_RANK_UNKNOWN) LC_TRY(check_shape(ctx, &ctx->out[i], "output", i));
    return LC_OK;
}

static lc_status describe(const lc_graph *graph, int32_t index, lc_infer_tensor *t, lc_error *err) {
    *t = (lc_infer_tensor){0};
    if (index == LC_ABSENT) return LC_OK;
    if (index < 0 || (size_t)index >= graph->tensor_count)
        return lc_fail(err, LC_INVALID, "names tensor %d, the graph has %zu", index, graph->tensor_count);
    const lc_tensor *s = &graph->tensors[index];
    t->present = true;
    t->type = s->type;
    t->shape.rank = s->rank;
    for (int32_t d = 0; d < s->rank && d < LC_MAX_RANK; d++) t->shape.dims[d] = lc_tensor_dim(s, d);
    t->data = s->sparsity ? NULL : s->data;
    t->size = s->sparsity ? 0 : s->size;
    t->quant = s->quant;
    t->def = s;
    return LC_OK;
}

static lc_status store(lc_graph *graph, int32_t index, const lc_infer_tensor *r, lc_error *err) {
    lc_tensor *t = &graph->tensors[index];
    if (r->shape.rank == LC_RANK_UNKNOWN) return t->type = r->type, LC_OK; /* what was declared stays */
    bool open = false, same = t->rank == r->shape.rank;
    for (int32_t d = 0; d < r->shape.rank; d++) {
        open |= r->shape.dims[d] < 0;
        same = same && lc_tensor_dim(t, d) == r->shape.dims[d] && t->dims[d] >= 0;
    }
    t->type = r->type;
    t->has_rank = true;
    if (same && open == (t->signature != NULL)) return LC_OK; /* passes infer again and again: no memory for what is known */
    int32_t *dims = lc_arena_array(&graph->model->arena, (size_t)r->shape.rank * (open ? 2 : 1), sizeof *dims);
    if (!dims) return lc_fail_memory(err, "tensor shape");
    int32_t *signature = open ? dims + r->shape.rank : NULL;
    for (int32_t d = 0; d < r->shape.rank; d++) {
        dims[d] = r->shape.dims[d] < 0 ? 1 : r->shape.dims[d];
        if (open) signature[d] = r->shape.dims[d];
    }
    t->rank = r->shape.rank;
    t->dims = dims;
    t->signature = signature;
    return LC_OK;
}

static lc_status infer_node(lc_graph *graph, const lc_node *node, lc_error *err) {
    lc_arena temporary = {0};
    lc_infer_tensor *in = lc_arena_array(&temporary, node->input_count, sizeof *in);
    lc_infer_tensor *out = lc_arena_array(&temporary, node->output_count, sizeof *out);
    lc_status status = LC_OK;
    if (!in || !out) status = lc_fail_memory(err, "shape inference");
    for (uint32_t i = 0; status == LC_OK && i < node->input_count; i++) status = describe(graph, node->inputs[i], &in[i], err);
    for (uint32_t i = 0; status == LC_OK && i < node->output_count; i++) {
        status = describe(graph, node->outputs[i], &out[i], err);
        if (status == LC_OK && !out[i].present) status = lc_fail(err, LC_INVALID, "output %u is absent", i);
    }
    lc_infer_ctx ctx = {node, in, node->input_count, out, node->output_count, err};
    if (status == LC_OK) status = lc_op_infer(&ctx);
    for (uint32_t i = 0; status == LC_OK && i < node->output_count; i++) status = store(graph, node->outputs[i], &out[i], err);
    lc_arena_deinit(&temporary);
    return status;
}

lc_status lc_graph_infer_node(lc_graph *graph, size_t index, lc_error *err) {
    if (index >= graph->node_count)
        return lc_fail(err, LC_ARGUMENT, "node %zu does not exist, the graph has %zu", index, graph->node_count);
    const lc_node *node = &graph->nodes[index];
    lc_status status = infer_node(graph, node, err);
    if (status == LC_OK || status == LC_NO_MEMORY) return status;
    if (node->layer) lc_error_prefix(err, "node %zu %s \"%s\"", index, lc_op_name(node->op), node->layer);
    else lc_error_prefix(err, "node %zu %s", index, lc_op_name(node->op));
    return status;
}

/* ---- helpers of the rules ------------------------------------------------------------------------------------------ */

lc_status lc_infer_give(lc_infer_ctx *ctx, lc_dtype type, const lc_shape *shape) {
    ctx->out[0].type = type;
    ctx->out[0].shape = *shape;
    return LC_OK;
}

lc_status lc_infer_same(lc_infer_ctx *ctx) { return lc_infer_give(ctx, ctx->in[0].type, &ctx->in[0].shape); }

lc_shape lc_infer_open(int32_t rank) {
    lc_shape s = {.rank = rank};
    for (int32_t i = 0; i < rank; i++) s.dims[i] = -1;
    return s;
}

lc_status lc_infer_same_type(lc_infer_ctx *ctx, uint32_t a, uint32_t b) {
    if (ctx->in[a].type == ctx->in[b].type) return LC_OK;
    return LC_OP_FAIL(ctx, "input %u is %s and input %u is %s, they must be of one type", a, lc_dtype_name(ctx->in[a].type), b,
                      lc_dtype_name(ctx->in[b].type));
}

lc_status lc_infer_rank(lc_infer_ctx *ctx, uint32_t i, int32_t rank, const char *what) {
    if (ctx->in[i].shape.rank == rank) return LC_OK;
    char text[LC_SHAPE_TEXT];
    return LC_OP_FAIL(ctx, "%s %s has %d dimensions, needs %d", what, lc_shape_text(&ctx->in[i].shape, text), ctx->in[i].shape.rank, rank);
}

lc_status lc_infer_index_vector(lc_infer_ctx *ctx, uint32_t i, const char *what, int32_t *n) {
    const lc_infer_tensor *t = &ctx->in[i];
    if (t->type != LC_INT32 && t->type != LC_INT64) return LC_OP_FAIL(ctx, "%s is %s, needs int32 or int64", what, lc_dtype_name(t->type));
    if (t->shape.rank > 1) return LC_OP_FAIL(ctx, "%s has %d dimensions, needs 1", what, t->shape.rank);
    *n = t->shape.rank ? t->shape.dims[0] : 1;
    return LC_OK;
}

lc_status lc_infer_scalar(lc_infer_ctx *ctx, uint32_t i, const char *what, bool *known, int64_t *value) {
    const lc_infer_tensor *t = &ctx->in[i];
    if (t->type != LC_INT32 && t->type != LC_INT64) return LC_OP_FAIL(ctx, "%s is %s, needs int32 or int64", what, lc_dtype_name(t->type));
    uint64_t n;
    if (lc_shape_elements(&t->shape, &n) && n != 1) return LC_OP_FAIL(ctx, "%s has %llu elements, needs 1", what, (unsigned long long)n);
    uint32_t count = 1;
    *known = lc_infer_ints(t, value, &count) && count == 1;
    return LC_OK;
}

lc_status lc_infer_handle(lc_infer_ctx *ctx, uint32_t i) {
    uint64_t n;
    if (ctx->in[i].type != LC_RESOURCE && ctx->in[i].type != LC_INT32)
        return LC_OP_FAIL(ctx, "its handle is %s, needs resource", lc_dtype_name(ctx->in[i].type));
    if (!lc_shape_elements(&ctx->in[i].shape, &n)) return LC_OK; /* open: the kernel looks */
    return n == 1 ? LC_OK : LC_OP_FAIL(ctx, "its handle has %llu elements, needs one", (unsigned long long)n);
}

bool lc_infer_meet(int32_t a, int32_t b, int32_t *out) {
    if (a >= 0 && b >= 0 && a != b) return false;
    *out = a >= 0 ? a : b;
    return true;
}

lc_status lc_infer_dim_add(lc_infer_ctx *ctx, int32_t a, int64_t b, int32_t *out) {
    int64_t v;
    if (a < 0 || b < 0) {
        *out = -1;
        return LC_OK;
    }
    if (!lc_add_i64(a, b, &v) || v > INT32_MAX) return LC_OP_FAIL(ctx, "output dimension %d + %lld is over %d", a, (long long)b, INT32_MAX);
    *out = (int32_t)v;
    return LC_OK;
}

lc_status lc_infer_dim_mul(lc_infer_ctx *ctx, int32_t a, int64_t b, int32_t *out) {
    int64_t v;
    if (a < 0 || b < 0) {
        *out = -1;
        return LC_OK;
    }
    if (!lc_mul_i64(a, b, &v) || v > INT32_MAX) return LC_OP_FAIL(ctx, "output dimension %d x %lld is over %d", a, (long long)b, INT32_MAX);
    *out = (int32_t)v;
    return LC_OK;
}

lc_status lc_infer_activation(lc_infer_ctx *ctx, int8_t activation) {
    if (activation >= LC_ActivationFunctionType_NONE && activation <= LC_ActivationFunctionType_SIGN_BIT) return LC_OK;
    return LC_OP_FAIL(ctx, "fused activation %d is none of the schema's (0 to %d)", activation, LC_ActivationFunctionType_SIGN_BIT);
}

lc_status lc_infer_bias(lc_infer_ctx *ctx, uint32_t i, int32_t channels) {
    uint64_t n;
    if (i >= ctx->in_count || !ctx->in[i].present || channels < 0 || !lc_shape_elements(&ctx->in[i].shape, &n)) return LC_OK;
    if (n == (uint64_t)channels) return LC_OK;
    return LC_OP_FAIL(ctx, "bias has %llu elements, the output has %d channels", (unsigned long long)n, channels);
}

lc_status lc_infer_broadcast(lc_infer_ctx *ctx, const lc_shape *a, const lc_shape *b, lc_shape *out) {
    lc_shape r = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int32_t i = 0; i < r.rank; i++) {
        int32_t ia = i - (r.rank - a->rank), ib = i - (r.rank - b->rank);
        int32_t da = ia < 0 ? 1 : a->dims[ia], db = ib < 0 ? 1 : b->dims[ib];
        if (da == db) {
            r.dims[i] = da;
        } else if (da == 1 || db == 1) {
            r.dims[i] = da == 1 ? db : da;
        } else if (da < 0 || db < 0) {
            r.dims[i] = da < 0 ? db : da; /* the open one can only be 1 or the same */
        } else {
            char ta[LC_SHAPE_TEXT], tb[LC_SHAPE_TEXT];
            return LC_OP_FAIL(ctx, "shapes %s and %s do not broadcast: %d against %d", lc_shape_text(a, ta), lc_shape_text(b, tb), da, db);
        }
    }
    *out = r;
    return LC_OK;
}

lc_status lc_infer_axis(lc_infer_ctx *ctx, int64_t axis, int32_t rank, int32_t *out) {
    if (axis < -(int64_t)rank || axis >= rank) return LC_OP_FAIL(ctx, "axis %lld is outside [%d, %d)", (long long)axis, -rank, rank);
    *out = (int32_t)(axis < 0 ? axis + rank : axis);
    return LC_OK;
}

void lc_op_window(int32_t in, int32_t filter, int32_t stride, int32_t dilation, int8_t padding, int32_t *out, int32_t *pad_before) {
    int64_t span = ((int64_t)filter - 1) * dilation + 1;
    int64_t n = padding == LC_Padding_SAME ? ((int64_t)in + stride - 1) / stride : ((int64_t)in + stride - span) / stride;
    if (n < 0) n = 0;
    int64_t pad = padding == LC_Padding_SAME ? (n - 1) * stride + span - in : 0;
    *out = (int32_t)n;
    *pad_before = pad > 0 ? (int32_t)(pad / 2) : 0;
}

lc_status lc_infer_window(lc_infer_ctx *ctx, int32_t in, int32_t filter, int32_t stride, int32_t dilation, int8_t padding, int32_t *out,
                          int32_t *pad_before) {
    if (stride < 1) return LC_OP_FAIL(ctx, "stride is %d, needs 1 or more", stride);
    if (dilation < 1) return LC_OP_FAIL(ctx, "dilation is %d, needs 1 or more", dilation);
    if (filter < 1) return LC_OP_FAIL(ctx, "filter size is %d, needs 1 or more", filter);
    if (padding != LC_Padding_SAME && padding != LC_Padding_VALID)
        return LC_OP_FAIL(ctx, "padding is %d, needs 0 (SAME) or 1 (VALID)", padding);
    int64_t span = ((int64_t)filter - 1) * dilation + 1;
    /* Kernels count positions in int32, a few strides past the end too. */
    if (span + 8 * (int64_t)stride + (in < 0 ? 0 : in) > INT32_MAX)
        return LC_OP_UNSUPPORTED(ctx, "stride %d and a window of %lld reach past position %d", stride, (long long)span, INT32_MAX);
    *out = -1;
    *pad_before = 0;
    if (in < 0) return LC_OK;
    if (padding == LC_Padding_VALID && (int64_t)in + stride - span <= -(int64_t)stride)
        return LC_OP_FAIL(ctx, "a window of %lld does not fit an input of %d with VALID padding", (long long)span, in);
    lc_op_window(in, filter, stride, dilation, padding, out, pad_before);
    return LC_OK;
}

bool lc_infer_ints(const lc_infer_tensor *t, int64_t *values, uint32_t *n) {
    uint64_t count;
    if (!t->present || !t->data || !lc_shape_elements(&t->shape, &count) || count > *n) return false;
    if (t->type != LC_INT32 && t->type != LC_INT64 && t->type != LC_INT16 && t->type != LC_INT8) return false;
    const size_t width = lc_dtype_bits(t->type) / 8;
    if (t->size / width < count) return false;
    /* memcpy: constants of a file are not aligned to their element for certain */
    for (uint64_t i = 0; i < count; i++) {
        const char *at = (const char *)t->data + i * width;
        int32_t v32;
        int16_t v16;
        if (width == 8) memcpy(&values[i], at, 8);
        else if (width == 4) memcpy(&v32, at, 4), values[i] = v32;
        else if (width == 2) memcpy(&v16, at, 2), values[i] = v16;
        else values[i] = *(const int8_t *)at;
    }
    *n = (uint32_t)count;
    return true;
}
