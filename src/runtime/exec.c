/*
 * exec.c: from a graph and its input shapes to steps with prepared kernels.
 *
 * Nodes are taken in order. Shapes are inferred from the real inputs, never trusted from the file, so what infer checks holds
 * for every loop of every kernel. A node whose inputs are all known (constants, or the SHAPE of something) is computed here and
 * now and does not run again: that resolves the SHAPE/STRIDED_SLICE/PACK chains in front of a RESHAPE, whose value decides
 * later shapes. What stays is given a kernel: the SIMD one when it takes the case, else the reference.
 */
#include "runtime/exec.h"

#include <string.h>

static void prefix_node(lc_error *err, const lc_graph *graph, const lc_node *node) {
    const lc_str custom = node->custom_code;
    const char *name = node->layer;
    if (!name && node->output_count && node->outputs[0] >= 0) name = graph->tensors[node->outputs[0]].name.data;
    lc_error_prefix(err, "node %u %s%s%.*s \"%.80s\"", (unsigned)(node - graph->nodes), lc_op_name(node->op), custom.size ? " " : "",
                    (int)(custom.size < 80 ? custom.size : 80), custom.size ? custom.data : "", name ? name : "");
}

static lc_status value_size(lc_value *v, lc_error *err) {
    uint64_t n, bytes;
    size_t size;
    if (!lc_shape_elements(&v->shape, &n) || !lc_dtype_bytes(v->type, n, &bytes) || !lc_u64_to_size(bytes, &size))
        return LC_FAIL(err, LC_UNSUPPORTED, "tensor \"%.80s\" of type %s has a shape that is open or too large to run",
                       v->def->name.data ? v->def->name.data : "", lc_dtype_name(v->type));
    v->size = size;
    return LC_OK;
}

/* Values of constants, variables and graph inputs. */
static lc_status init_values(lc_exec *exec, const lc_shape *shapes, lc_error *err) {
    const lc_graph *g = exec->graph;
    for (size_t i = 0; i < g->tensor_count; i++) {
        const lc_tensor *t = &g->tensors[i];
        lc_value *v = &exec->values[i];
        v->def = t;
        v->type = t->type;
        v->shape.rank = -1; /* not known yet */
        if (!t->data && !t->is_variable) continue;
        if (t->rank > LC_MAX_RANK)
            return LC_FAIL(err, LC_UNSUPPORTED, "tensor \"%.80s\" has %d dimensions; litec runs up to %d", t->name.data ? t->name.data : "",
                           (int)t->rank, LC_MAX_RANK);
        v->shape.rank = t->rank;
        for (int32_t d = 0; d < t->rank; d++) v->shape.dims[d] = t->dims[d];
        if (t->data) {
            v->constant = true;
            v->data = (void *)(uintptr_t)t->data; /* never written: no kernel writes a constant input */
            v->size = t->size;
        } else {
            LC_TRY(value_size(v, err));
        }
    }
    for (size_t i = 0; i < g->input_count; i++) {
        lc_value *v = &exec->values[g->inputs[i]];
        if (v->constant) continue;
        v->shape = shapes[i];
        LC_TRY(value_size(v, err));
    }
    return LC_OK;
}

static lc_status infer(lc_exec *exec, const lc_node *node, lc_infer_tensor *io, lc_error *err) {
    lc_infer_tensor *in = io, *out = io + node->input_count;
    memset(io, 0, ((size_t)node->input_count + node->output_count) * sizeof *io);
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] < 0) continue;
        const lc_value *v = &exec->values[node->inputs[i]];
        if (v->shape.rank < 0)
            return LC_FAIL(err, LC_INVALID, "input %u (\"%.80s\") is read before anything writes it", (unsigned)i,
                           v->def->name.data ? v->def->name.data : "");
        in[i] = (lc_infer_tensor){.present = true, .type = v->type, .shape = v->shape, .data = v->constant ? v->data : NULL,
                                  .size = v->constant ? v->size : 0, .quant = v->def->quant};
    }
    for (uint32_t i = 0; i < node->output_count; i++) {
        if (node->outputs[i] < 0) continue;
        const lc_value *v = &exec->values[node->outputs[i]];
        out[i] = (lc_infer_tensor){.present = true, .type = v->type, .quant = v->def->quant};
    }
    lc_infer_ctx ctx = {.node = node, .in = in, .in_count = node->input_count, .out = out, .out_count = node->output_count, .err = err};
    LC_TRY(lc_op_infer(&ctx));
    for (uint32_t i = 0; i < node->output_count; i++) {
        if (node->outputs[i] < 0) continue;
        lc_value *v = &exec->values[node->outputs[i]];
        if (v->type != out[i].type)
            return LC_FAIL(err, LC_INVALID, "output %u is declared %s, the operator gives %s", (unsigned)i, lc_dtype_name(v->type),
                           lc_dtype_name(out[i].type));
        v->shape = out[i].shape;
        for (int32_t d = 0; d < v->shape.rank; d++) {
            if (v->shape.dims[d] >= 0) continue;
            lc_status status = LC_FAIL(err, LC_UNSUPPORTED, "the shape of output %u depends on the data", (unsigned)i);
            lc_error_hint(err, "litec plans all memory before a run; shapes may depend on input shapes, not on input values");
            return status;
        }
        LC_TRY(value_size(v, err));
    }
    return LC_OK;
}

/* SHAPE and RANK look at no data, so their input need not be constant. */
static bool is_known(const lc_exec *exec, const lc_node *node) {
    const lc_op_def *def = lc_op_get(node->op);
    if ((def->flags & LC_OPF_SIDE_EFFECT) || node->output_count == 0) return false;
    if (node->op == LC_OP_SHAPE || node->op == LC_OP_RANK) return true;
    bool any = false;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] < 0) continue;
        if (!exec->values[node->inputs[i]].constant) return false;
        any = true;
    }
    return any;
}

/* Computes a node now; its outputs become constants of this exec. */
static lc_status compute(lc_exec *exec, const lc_node *node, lc_kernel_ctx *ctx, const lc_exec_options *options, lc_error *err) {
    for (uint32_t i = 0; i < node->output_count; i++) {
        if (node->outputs[i] < 0) continue;
        lc_value *v = &exec->values[node->outputs[i]];
        if (!lc_add_u64(exec->computed, v->size, &exec->computed) || exec->computed > options->max_memory)
            return LC_FAIL(err, LC_LIMIT, "computing constant \"%.80s\" needs %zu bytes, over the memory limit",
                           v->def->name.data ? v->def->name.data : "", v->size);
        v->data = lc_arena_data(&exec->arena, v->size ? v->size : 1);
        if (!v->data) return lc_fail_memory(err, "constant");
    }
    LC_TRY(lc_kernel_run_once(node, ctx->in, ctx->in_count, ctx->out, ctx->out_count, options->simd, &exec->arena, err));
    for (uint32_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] >= 0) exec->values[node->outputs[i]].constant = true;
    return LC_OK;
}

static lc_status choose_kernel(lc_step *step, const lc_exec_options *options, lc_error *err) {
    const lc_node *node = step->node;
    const lc_kernel *fast = options->simd ? lc_kernel_fast(node->op) : NULL;
    if (fast) {
        lc_status status = fast->prepare ? fast->prepare(&step->ctx) : LC_OK;
        if (status == LC_OK) {
            step->kernel = fast;
            return LC_OK;
        }
        if (status != LC_UNSUPPORTED) return status;
        step->ctx.state = NULL;
        step->ctx.state_size = step->ctx.scratch_size = 0;
        step->ctx.label = NULL;
        lc_error_clear(err);
    }
    const lc_kernel *ref = lc_kernel_ref(node->op);
    if (!ref) {
        lc_status status = LC_FAIL(err, LC_UNSUPPORTED, "litec has no kernel for this operator");
        lc_error_hint(err, "`litec inspect` lists the model's operators; docs/ops.md lists those litec runs");
        return status;
    }
    LC_TRY(ref->prepare ? ref->prepare(&step->ctx) : LC_OK);
    step->kernel = ref;
    return LC_OK;
}

static lc_status bind(lc_exec *exec, const lc_node *node, lc_kernel_ctx *ctx, const lc_exec_options *options, lc_error *err) {
    lc_value **io = lc_arena_array(&exec->arena, (size_t)node->input_count + node->output_count, sizeof *io);
    if (!io) return lc_fail_memory(err, "operator");
    for (uint32_t i = 0; i < node->input_count; i++) io[i] = node->inputs[i] < 0 ? NULL : &exec->values[node->inputs[i]];
    for (uint32_t i = 0; i < node->output_count; i++)
        io[node->input_count + i] = node->outputs[i] < 0 ? NULL : &exec->values[node->outputs[i]];
    *ctx = (lc_kernel_ctx){.node = node, .in = io, .in_count = node->input_count, .out = io + node->input_count,
                           .out_count = node->output_count, .pool = options->pool, .simd = options->simd, .arena = &exec->arena,
                           .pack = lc_pack_get, .owner = exec->graph->model, .err = err};
    return LC_OK;
}

static lc_status prepare_nodes(lc_exec *exec, const lc_exec_options *options, lc_error *err) {
    const lc_graph *g = exec->graph;
    size_t widest = 0;
    for (size_t n = 0; n < g->node_count; n++) {
        size_t width = (size_t)g->nodes[n].input_count + g->nodes[n].output_count;
        if (width > widest) widest = width;
    }
    lc_infer_tensor *io = lc_arena_array(&exec->arena, widest ? widest : 1, sizeof *io);
    if (!io) return lc_fail_memory(err, "operators");
    for (size_t n = 0; n < g->node_count; n++) {
        const lc_node *node = &g->nodes[n];
        lc_step *step = &exec->steps[exec->step_count];
        lc_status status = infer(exec, node, io, err);
        if (status == LC_OK) status = bind(exec, node, &step->ctx, options, err);
        if (status == LC_OK) {
            if (is_known(exec, node)) {
                status = compute(exec, node, &step->ctx, options, err);
            } else {
                step->node = node;
                status = choose_kernel(step, options, err);
                step->ctx.err = NULL; /* the caller's error does not outlive this call */
                if (status == LC_OK) exec->step_count++;
            }
        }
        if (status != LC_OK) {
            prefix_node(err, g, node);
            return status;
        }
    }
    for (size_t i = 0; i < g->output_count; i++)
        if (exec->values[g->outputs[i]].shape.rank < 0)
            return LC_FAIL(err, LC_INVALID, "output %zu of the graph is never written", i);
    return LC_OK;
}

lc_status lc_exec_init(lc_exec *exec, const lc_graph *graph, const lc_shape *shapes, const lc_exec_options *options, lc_error *err) {
    *exec = (lc_exec){.graph = graph};
    exec->values = lc_arena_array(&exec->arena, graph->tensor_count ? graph->tensor_count : 1, sizeof *exec->values);
    exec->steps = lc_arena_array(&exec->arena, graph->node_count ? graph->node_count : 1, sizeof *exec->steps);
    lc_status status = exec->values && exec->steps ? LC_OK : lc_fail_memory(err, "session");
    if (status == LC_OK) status = init_values(exec, shapes, err);
    if (status == LC_OK) status = prepare_nodes(exec, options, err);
    if (status == LC_OK) status = lc_exec_place(exec, options->max_memory, err);
    if (status != LC_OK) lc_exec_deinit(exec);
    return status;
}

void lc_exec_deinit(lc_exec *exec) {
    lc_free_aligned(exec->block);
    lc_arena_deinit(&exec->arena);
    *exec = (lc_exec){0};
}
