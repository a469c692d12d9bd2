/*
 * custom.c: custom operators written by the caller: the functions of lc_custom_op behind the kernel interface, and the calls with which
 * they look at their node (lc_custom_input ...). `prepare` runs when shapes are known, again when they change; an output that it gives
 * no shape is dynamic and must get one in `run`. When an input is dynamic, prepare runs at each run, just before `run`.
 */
#include "runtime/custom.h"
#include "runtime/late.h"
#include "runtime/session.h"

#include <string.h>

struct lc_custom_node {
    lc_exec *exec;
    lc_kernel_ctx *ctx;
    const lc_custom_op *op;
    void *state;
    bool late; /* outputs are dynamic */
    bool prepared;
};

const lc_custom_op *lc_custom_of(const lc_exec_options *options, const lc_node *node) {
    if (node->op != LC_OP_CUSTOM) return NULL;
    for (size_t i = 0; i < options->custom_count; i++)
        if (lc_str_is(node->custom_code, options->custom[i].name)) return &options->custom[i];
    return NULL;
}

static void custom_deinit(void *p) {
    lc_custom_node *c = p;
    if (c->op->destroy && c->state) c->op->destroy(c->state, c->op->user);
    c->state = NULL;
}

static lc_status call_prepare(lc_custom_node *c, lc_error *err) {
    lc_error_clear(err);
    const lc_status status = c->op->prepare ? c->op->prepare(c, c->op->user, err) : LC_OK;
    if (status != LC_OK && err && !err->message[0]) lc_fail(err, status, "its prepare failed");
    return status;
}

static lc_status run(lc_kernel_ctx *ctx) {
    lc_custom_node *c;
    memcpy(&c, ctx->state, sizeof c);
    if (c->late) {
        for (uint32_t i = 0; i < ctx->out_count; i++)
            if (ctx->out[i]) ctx->out[i]->shape.rank = -1;
        LC_TRY(call_prepare(c, ctx->err));
    }
    lc_error_clear(ctx->err); /* what the caller left there is no message of the operator */
    const lc_status status = c->op->run(c, c->op->user, ctx->err);
    if (status != LC_OK) {
        if (ctx->err && !ctx->err->message[0]) lc_fail(ctx->err, status, "its run failed");
        return status;
    }
    for (uint32_t i = 0; i < ctx->out_count; i++)
        if (ctx->out[i] && ctx->out[i]->shape.rank < 0) return lc_fail(ctx->err, LC_INVALID, "output %u did not get a shape", (unsigned)i);
    return LC_OK;
}

static const lc_kernel custom_kernel = {.prepare = NULL, .run = run};

lc_status lc_custom_prepare(lc_exec *exec, lc_step *step, const lc_custom_op *op, lc_error *err) {
    lc_kernel_ctx *ctx = &step->ctx;
    lc_custom_node *c = lc_arena_alloc(&exec->arena, sizeof *c);
    if (!c || !lc_kernel_state(ctx, sizeof c)) return lc_fail_memory(err, "operator");
    memcpy(ctx->state, &c, sizeof c);
    *c = (lc_custom_node){.exec = exec, .ctx = ctx, .op = op};
    if (!op->run) return lc_fail(err, LC_ARGUMENT, "the custom operator \"%.80s\" has no run function", op->name);
    LC_TRY(lc_exec_at_end(exec, custom_deinit, c, err));
    step->kernel = &custom_kernel;
    ctx->label = "custom";
    for (uint32_t i = 0; i < ctx->in_count; i++) c->late |= ctx->in[i] && ctx->in[i]->dynamic;
    for (uint32_t i = 0; i < ctx->out_count; i++) c->late |= ctx->out[i] && ctx->out[i]->type == LC_STRING;
    if (!c->late) {
        LC_TRY(call_prepare(c, err));
        for (uint32_t i = 0; i < ctx->out_count; i++) c->late |= ctx->out[i] && ctx->out[i]->shape.rank < 0;
    }
    for (uint32_t i = 0; i < ctx->out_count && c->late; i++)
        if (ctx->out[i]) lc_value_make_dynamic(ctx->out[i]);
    return LC_OK;
}

/* ---- what the caller's functions may ask ------------------------------------------------------------------------ */

const void *lc_custom_options(const lc_custom_node *node, size_t *size) {
    const lc_vec_u8 o = node->ctx->node->custom_options;
    if (size) *size = o.data ? o.n : 0;
    return o.data;
}

size_t lc_custom_input_count(const lc_custom_node *node) { return node->ctx->in_count; }
size_t lc_custom_output_count(const lc_custom_node *node) { return node->ctx->out_count; }

lc_tensor_view lc_custom_input(const lc_custom_node *node, size_t index) {
    return index < node->ctx->in_count && node->ctx->in[index] ? lc_value_view(node->ctx->in[index]) : (lc_tensor_view){0};
}

lc_tensor_view lc_custom_output(const lc_custom_node *node, size_t index) {
    return index < node->ctx->out_count && node->ctx->out[index] ? lc_value_view(node->ctx->out[index]) : (lc_tensor_view){0};
}

lc_status lc_custom_set_shape(lc_custom_node *node, size_t index, const int32_t *dims, int32_t rank, size_t bytes, lc_error *err) {
    if (index >= node->ctx->out_count || !node->ctx->out[index]) return lc_fail(err, LC_ARGUMENT, "the operator has no output %zu", index);
    if (rank < 0 || rank > LC_MAX_RANK || (rank && !dims))
        return lc_fail(err, LC_ARGUMENT, "output %zu: rank %d, litec runs 0 to %d", index, rank, LC_MAX_RANK);
    lc_value *v = node->ctx->out[index];
    lc_shape shape = {.rank = rank};
    for (int32_t d = 0; d < rank; d++) {
        if (dims[d] < 0) return lc_fail(err, LC_ARGUMENT, "output %zu: dimension %d is %d", index, d, dims[d]);
        shape.dims[d] = dims[d];
    }
    if (v->dynamic) return lc_value_resize(node->exec, v, &shape, bytes, err);
    if (v->shape.rank >= 0 && v->data && !lc_shape_equal(&v->shape, &shape))
        return lc_fail(err, LC_ARGUMENT, "output %zu has the shape that prepare gave it; run cannot change it", index);
    v->shape = shape;
    if (!lc_value_bytes(v->type, &shape, &v->size)) return lc_fail(err, LC_LIMIT, "output %zu is too large to run", index);
    return LC_OK;
}

void lc_custom_set_state(lc_custom_node *node, void *state) { node->state = state; }
void *lc_custom_state(const lc_custom_node *node) { return node->state; }
