/*
 * exec.c: from a graph and its input shapes to steps with prepared kernels.
 *
 * Nodes are taken in order. Shapes are inferred from the real inputs, never trusted from the file, so what infer checks holds
 * for every loop of every kernel. A node whose inputs are all known (constants, or the SHAPE of something) is computed here and
 * now and does not run again: that resolves the SHAPE/STRIDED_SLICE/PACK chains in front of a RESHAPE, whose value decides
 * later shapes. What stays is given a kernel: the SIMD one when it takes the case, else the reference.
 */
#include "runtime/control.h"
#include "runtime/custom.h"
#include "runtime/late.h"

#include <string.h>
#include <time.h>

void lc_exec_prefix(lc_error *err, const lc_graph *graph, const lc_node *node) {
    const lc_str custom = node->custom_code;
    const char *name = node->layer;
    if (!name && node->output_count && node->outputs[0] >= 0) name = graph->tensors[node->outputs[0]].name.data;
    lc_error_prefix(err, "node %u %s%s%.*s \"%.80s\"", (unsigned)(node - graph->nodes), lc_op_name(node->op), custom.size ? " " : "",
                    (int)(custom.size < 80 ? custom.size : 80), custom.size ? custom.data : "", name ? name : "");
}

static lc_status value_size(lc_value *v, lc_error *err) {
    if (!lc_value_bytes(v->type, &v->shape, &v->size))
        return lc_fail(err, LC_UNSUPPORTED, "tensor \"%.80s\" of type %s has a shape that is open or too large to run",
                       v->def->name.data ? v->def->name.data : "", lc_dtype_name(v->type));
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
            return lc_fail(err, LC_UNSUPPORTED, "tensor \"%.80s\" has %d dimensions; litec runs up to %d", t->name.data ? t->name.data : "",
                           (int)t->rank, LC_MAX_RANK);
        v->shape.rank = t->rank;
        for (int32_t d = 0; d < t->rank; d++) v->shape.dims[d] = t->dims[d];
        if (t->data) {
            v->constant = true;
            v->data = (void *)(uintptr_t)(t->dense ? t->dense : t->data); /* never written: no kernel writes a constant input */
            v->size = t->size;
            if (t->dense) LC_TRY(value_size(v, err));
        } else {
            LC_TRY(value_size(v, err));
        }
    }
    for (size_t i = 0; i < g->input_count; i++) {
        lc_value *v = &exec->values[g->inputs[i]];
        v->constant = false; /* an input with data may be written all the same: give_defaults */
        v->data = NULL;
        if (v->type == LC_STRING) { /* its bytes come with each run */
            lc_value_make_dynamic(v);
            v->shape = shapes[i];
        } else {
            v->shape = shapes[i];
            v->data = v->def->bound;
            LC_TRY(value_size(v, err));
        }
    }
    return LC_OK;
}

lc_status lc_exec_infer(const lc_step *step, lc_infer_tensor *io, bool with_data, lc_error *err) {
    const lc_kernel_ctx *c = &step->ctx;
    lc_infer_tensor *in = io, *out = io + c->in_count;
    memset(io, 0, ((size_t)c->in_count + c->out_count) * sizeof *io);
    for (uint32_t i = 0; i < c->in_count; i++) {
        const lc_value *v = c->in[i];
        if (!v) continue;
        if (v->shape.rank < 0)
            return lc_fail(err, LC_INVALID, "input %u (\"%.80s\") is read before anything writes it", (unsigned)i,
                           v->def->name.data ? v->def->name.data : "");
        const bool look = v->constant || (with_data && v->data);
        in[i] = (lc_infer_tensor){.present = true,
                                  .type = v->type,
                                  .shape = v->shape,
                                  .data = look ? v->data : NULL,
                                  .size = look ? v->size : 0,
                                  .quant = v->def->quant,
                                  .def = v->def};
    }
    for (uint32_t i = 0; i < c->out_count; i++)
        if (c->out[i])
            out[i] = (lc_infer_tensor){.present = true, .type = c->out[i]->type, .quant = c->out[i]->def->quant, .def = c->out[i]->def};
    lc_infer_ctx ctx = {.node = c->node, .in = in, .in_count = c->in_count, .out = out, .out_count = c->out_count, .err = err};
    LC_TRY(lc_op_infer(&ctx));
    for (uint32_t i = 0; i < c->out_count; i++)
        if (c->out[i] && c->out[i]->type != out[i].type)
            return lc_fail(err, LC_INVALID, "output %u is declared %s, the operator gives %s", (unsigned)i, lc_dtype_name(c->out[i]->type),
                           lc_dtype_name(out[i].type));
    return LC_OK;
}

/* Gives the outputs their inferred shapes. False when one is open: the step is late. */
static bool take_shapes(const lc_step *step, const lc_infer_tensor *out, lc_error *err, lc_status *status) {
    const lc_kernel_ctx *c = &step->ctx;
    *status = LC_OK;
    for (uint32_t i = 0; i < c->out_count; i++) {
        if (!c->out[i]) continue;
        if (c->out[i]->type == LC_STRING || out[i].shape.rank < 0) return false;
        for (int32_t d = 0; d < out[i].shape.rank; d++)
            if (out[i].shape.dims[d] < 0) return false;
    }
    for (uint32_t i = 0; i < c->out_count && *status == LC_OK; i++) {
        if (!c->out[i]) continue;
        c->out[i]->shape = out[i].shape;
        *status = value_size(c->out[i], err);
    }
    return true;
}

static bool is_met(const lc_exec *exec, const lc_value *v) {
    for (uint32_t s = 0; s < exec->step_count; s++) {
        const lc_kernel_ctx *c = &exec->steps[s].ctx;
        for (uint32_t i = 0; i < c->in_count; i++)
            if (c->in[i] == v) return true;
        for (uint32_t i = 0; i < c->out_count; i++)
            if (c->out[i] == v) return true;
    }
    return false;
}

/* A variable that is an output keeps the shape it was declared with when others have been prepared for it. One that is written before
 * anybody reads it is as new in each run (a loop's first state), and has the shape it is given. */
static lc_status check_variables(const lc_exec *exec, const lc_step *step, lc_error *err) {
    for (uint32_t i = 0; i < step->ctx.out_count; i++) {
        const lc_value *v = step->ctx.out[i];
        if (!v || !v->def->is_variable) continue;
        bool same = !v->dynamic && v->shape.rank == v->def->rank;
        for (int32_t d = 0; same && d < v->shape.rank; d++) same = v->shape.dims[d] == v->def->dims[d];
        if (!same && is_met(exec, v))
            return lc_fail(err, LC_UNSUPPORTED, "output %u is a variable and would get another shape than it was declared with", i);
    }
    return LC_OK;
}

/* In float16 models a DEQUANTIZE of a constant is what a state starts from. As in LiteRT it runs in the first run only, so that the state
 * of one run is there in the next. */
static bool is_first_value(const lc_step *step) {
    const lc_kernel_ctx *c = &step->ctx;
    return step->node->op == LC_OP_DEQUANTIZE && c->in[0] && c->in[0]->constant && c->out[0] && c->out[0]->def->is_variable;
}

/* SHAPE and RANK look at no data, so their input need not be constant. A variable is never known: it may change. */
static bool is_known(const lc_exec *exec, const lc_node *node) {
    const lc_op_def *def = lc_op_of(node);
    if ((def->flags & (LC_OPF_SIDE_EFFECT | LC_OPF_CALLS)) || node->output_count == 0) return false;
    for (uint32_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] >= 0 && (exec->graph->tensors[node->outputs[i]].is_variable || exec->graph->tensors[node->outputs[i]].bound))
            return false;
    if (node->op == LC_OP_SHAPE || node->op == LC_OP_RANK) return true;
    bool any = false;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] < 0) continue;
        if (!exec->values[node->inputs[i]].constant) return false;
        any = true;
    }
    return any;
}

/* All outputs are without elements, so there is nothing to compute; but the loops of a kernel may be long all the same: 2^31 rows
 * of no columns. */
static bool writes_nothing(const lc_kernel_ctx *ctx) {
    if (ctx->out_count == 0 || (lc_op_of(ctx->node)->flags & LC_OPF_SIDE_EFFECT)) return false;
    for (uint32_t i = 0; i < ctx->out_count; i++) {
        bool empty = false;
        for (int32_t d = 0; ctx->out[i] && d < ctx->out[i]->shape.rank; d++) empty |= ctx->out[i]->shape.dims[d] == 0;
        if (ctx->out[i] && !empty) return false;
    }
    return true;
}

/* Whether the outputs of a known node may be computed now. A few bytes can stand for gigabytes (FILL, RANGE, TILE ...), which
 * belong into the plan, where they share memory, and are nothing that looking at a model may cost. Unpacking makes at most 16
 * bytes of one. */
static bool affordable(lc_exec *exec, const lc_kernel_ctx *ctx) {
    uint64_t sum = exec->computed;
    for (uint32_t i = 0; i < ctx->out_count; i++)
        if (ctx->out[i] && !lc_add_u64(sum, ctx->out[i]->size, &sum)) return false;
    if (sum > exec->computed_most) return false;
    exec->computed = sum;
    return true;
}

static uint64_t most_computed(const lc_graph *g) {
    uint64_t sum = 1 << 20, most;
    for (size_t t = 0; t < g->tensor_count; t++)
        if (lc_tensor_is_const(&g->tensors[t]) && !lc_add_u64(sum, g->tensors[t].size, &sum)) return UINT64_MAX;
    return lc_mul_u64(sum, 16, &most) ? most : UINT64_MAX;
}

/* Computes a node now; its outputs become constants of this exec. */
static lc_status compute(lc_exec *exec, const lc_node *node, lc_kernel_ctx *ctx, const lc_exec_options *options, lc_error *err) {
    for (uint32_t i = 0; i < node->output_count; i++) {
        if (node->outputs[i] < 0) continue;
        lc_value *v = &exec->values[node->outputs[i]];
        if (!lc_exec_charge(exec, 0, v->size))
            return lc_fail(err, LC_LIMIT, "computing constant \"%.80s\" needs %zu bytes, over the memory limit",
                           v->def->name.data ? v->def->name.data : "", v->size);
        exec->charged += v->size;
        v->data = lc_arena_data(&exec->arena, v->size ? v->size : 1);
        if (!v->data) return lc_fail_memory(err, "constant");
    }
    if (!writes_nothing(ctx))
        LC_TRY(lc_kernel_run_once(node, ctx->in, ctx->in_count, ctx->out, ctx->out_count, options->simd, &exec->arena, err));
    for (uint32_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] >= 0) exec->values[node->outputs[i]].constant = true;
    return LC_OK;
}

lc_status lc_exec_choose_kernel(lc_exec *exec, lc_step *step, lc_error *err) {
    const lc_node *node = step->node;
    const lc_kernel *fast = exec->options.simd ? lc_kernel_pick(&step->ctx, lc_kernel_fast(node->op)) : NULL;
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
    const lc_kernel *ref = lc_kernel_of(node);
    if (!ref) {
        lc_status status = lc_fail(err, LC_UNSUPPORTED, "litec has no kernel for this operator");
        lc_error_hint(err, "`litec inspect` lists the model's operators; docs/ops.md lists those litec runs");
        return status;
    }
    LC_TRY(lc_kernel_choose(&step->ctx, &ref));
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
    *ctx = (lc_kernel_ctx){.node = node,
                           .in = io,
                           .in_count = node->input_count,
                           .out = io + node->input_count,
                           .out_count = node->output_count,
                           .pool = options->pool,
                           .simd = options->simd,
                           .arena = &exec->arena,
                           .pack = lc_pack_get,
                           .owner = exec->graph->model,
                           .resize = lc_exec_resize,
                           .exec = exec,
                           .graph = exec->graph,
                           .resources = options->resources,
                           .err = err};
    return LC_OK;
}

/* A step whose shapes are all known now: computed at once, or given a kernel. */
static lc_status prepare_now(lc_exec *exec, lc_step *step, bool *runs, lc_error *err) {
    *runs = false;
    if (is_known(exec, step->node) && affordable(exec, &step->ctx)) return compute(exec, step->node, &step->ctx, &exec->options, err);
    LC_TRY(lc_exec_choose_kernel(exec, step, err));
    if (writes_nothing(&step->ctx)) step->kernel = NULL;
    *runs = true;
    return LC_OK;
}

static lc_status prepare_node(lc_exec *exec, const lc_node *node, lc_infer_tensor *io, lc_error *err) {
    lc_step *step = &exec->steps[exec->step_count];
    const lc_custom_op *custom = lc_custom_of(&exec->options, node);
    bool runs = true, late = false;
    lc_status status;
    *step = (lc_step){.node = node};
    LC_TRY(bind(exec, node, &step->ctx, &exec->options, err));
    for (uint32_t i = 0; i < step->ctx.in_count; i++) late |= step->ctx.in[i] && step->ctx.in[i]->dynamic;
    if (custom) {
        status = lc_custom_prepare(exec, step, custom, err);
    } else if (lc_control_is(node->op)) {
        status = lc_control_prepare(exec, step, err);
    } else if (late) {
        status = lc_late_init(exec, step, err);
    } else {
        LC_TRY(lc_exec_infer(step, io, false, err));
        if (take_shapes(step, io + step->ctx.in_count, err, &status)) {
            if (status == LC_OK) status = prepare_now(exec, step, &runs, err);
        } else {
            status = lc_late_init(exec, step, err);
        }
    }
    if (status == LC_OK) status = check_variables(exec, step, err);
    step->once = is_first_value(step);
    step->ctx.err = NULL; /* the caller's error does not outlive this call */
    if (status == LC_OK && runs) exec->step_count++;
    return status;
}

static lc_status prepare_nodes(lc_exec *exec, lc_error *err) {
    const lc_graph *g = exec->graph;
    size_t widest = 0;
    for (size_t n = 0; n < g->node_count; n++) {
        size_t width = (size_t)g->nodes[n].input_count + g->nodes[n].output_count;
        if (width > widest) widest = width;
    }
    lc_infer_tensor *io = lc_arena_array(&exec->arena, widest ? widest : 1, sizeof *io);
    if (!io) return lc_fail_memory(err, "operators");
    for (size_t n = 0; n < g->node_count; n++) {
        const lc_status status = prepare_node(exec, &g->nodes[n], io, err);
        if (status != LC_OK) {
            lc_exec_prefix(err, g, &g->nodes[n]);
            return status;
        }
    }
    for (size_t i = 0; i < g->output_count; i++)
        if (exec->values[g->outputs[i]].shape.rank < 0 && !exec->values[g->outputs[i]].dynamic)
            return lc_fail(err, LC_INVALID, "output %zu of the graph is never written", i);
    return LC_OK;
}

/* What variables start from: 0, which an int8 tensor writes as its zero point. `all`: also those whose bytes are 0, as fresh memory has
 * them. */
static void reset_variables(lc_exec *exec, bool all) {
    for (size_t t = 0; t < exec->graph->tensor_count; t++) {
        lc_value *v = &exec->values[t];
        const lc_QuantizationParameters *q = v->def->quant;
        const int zero = v->type == LC_INT8 && q && q->scale.n == 1 && q->zero_point.n == 1 ? (int)q->zero_point.data[0] : 0;
        if (v->def->is_variable && v->data && !v->dynamic && (all || zero)) memset(v->data, zero, v->size);
    }
}

/* A graph input that the file has data for begins with them, as long as it has the shape they are for. */
static lc_status give_defaults(lc_exec *exec, lc_error *err) {
    for (size_t i = 0; i < exec->graph->input_count; i++) {
        lc_value *v = &exec->values[exec->graph->inputs[i]];
        const lc_tensor *t = v->def;
        bool same = t->data && t->rank == v->shape.rank;
        for (int32_t d = 0; same && d < t->rank; d++) same = t->dims[d] == v->shape.dims[d];
        if (!same) continue;
        const lc_shape shape = v->shape;
        if (v->type == LC_STRING) LC_TRY(lc_value_resize(exec, v, &shape, t->size, err));
        const size_t size = t->dense || t->size > v->size ? v->size : t->size;
        if (size && v->data) memcpy(v->data, t->dense ? t->dense : t->data, size);
    }
    return LC_OK;
}

lc_status lc_exec_init(lc_exec *exec, const lc_graph *graph, const lc_shape *shapes, const lc_exec_options *options, lc_error *err) {
    *exec = (lc_exec){.graph = graph, .computed_most = most_computed(graph), .options = *options};
    if (!options->budget) exec->options.budget = &exec->own;
    exec->values = lc_arena_array(&exec->arena, graph->tensor_count ? graph->tensor_count : 1, sizeof *exec->values);
    exec->steps = lc_arena_array(&exec->arena, graph->node_count ? graph->node_count : 1, sizeof *exec->steps);
    lc_status status = exec->values && exec->steps ? LC_OK : lc_fail_memory(err, "session");
    if (status == LC_OK) status = init_values(exec, shapes, err);
    if (status == LC_OK) status = prepare_nodes(exec, err);
    if (status == LC_OK) status = lc_exec_place(exec, err);
    if (status == LC_OK) reset_variables(exec, false);
    if (status == LC_OK) status = give_defaults(exec, err);
    if (status != LC_OK) lc_exec_deinit(exec);
    return status;
}

void lc_exec_deinit(lc_exec *exec) {
    for (const lc_exec_end *e = exec->ends; e; e = e->next) e->undo(e->arg);
    for (size_t i = 0; exec->values && i < exec->graph->tensor_count; i++) {
        if (!exec->values[i].dynamic) continue;
        lc_free_aligned(exec->values[i].data);
        exec->options.budget->bytes -= exec->values[i].capacity;
    }
    if (exec->options.budget) exec->options.budget->bytes -= exec->scratch_size + exec->charged;
    lc_free_aligned(exec->scratch);
    lc_free_aligned(exec->block);
    lc_arena_deinit(&exec->arena);
    *exec = (lc_exec){0};
}

lc_status lc_exec_at_end(lc_exec *exec, void (*undo)(void *arg), void *arg, lc_error *err) {
    lc_exec_end *e = lc_arena_alloc(&exec->arena, sizeof *e);
    if (!e) return lc_fail_memory(err, "operator");
    *e = (lc_exec_end){undo, arg, exec->ends};
    exec->ends = e;
    return LC_OK;
}

bool lc_exec_charge(lc_exec *exec, uint64_t less, uint64_t more) {
    lc_exec_budget *budget = exec->options.budget;
    uint64_t sum, all;
    if (!lc_add_u64(budget->bytes - less, more, &sum) || !lc_add_u64(sum, lc_pack_bytes(exec->graph->model), &all) ||
        (more > less && all > exec->options.max_memory))
        return false;
    budget->bytes = sum;
    return true;
}

lc_status lc_exec_late_scratch(lc_exec *exec, size_t size, void **scratch, lc_error *err) {
    if (size > exec->scratch_size) {
        if (!lc_exec_charge(exec, exec->scratch_size, size)) {
            lc_fail(err, LC_LIMIT, "scratch of %zu bytes would pass the memory limit of %llu", size,
                    (unsigned long long)exec->options.max_memory);
            lc_error_hint(err, "use a smaller input, or raise the memory limit");
            return LC_LIMIT;
        }
        void *wider = lc_malloc_aligned(size);
        if (!wider) {
            lc_exec_charge(exec, size, exec->scratch_size);
            return lc_fail_memory(err, "scratch");
        }
        lc_free_aligned(exec->scratch);
        exec->scratch = wider;
        exec->scratch_size = size;
    }
    *scratch = exec->scratch;
    return LC_OK;
}

/* ---- run ------------------------------------------------------------------------------------------------------- */

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Shows one tensor to who watches. */
static void show(const lc_exec *exec, lc_watched seen, int32_t tensor) {
    if (tensor < 0) return;
    const lc_model *model = exec->graph->model;
    while (seen.graph < model->graph_count && model->graphs[seen.graph] != exec->graph) seen.graph++;
    seen.tensor = tensor;
    seen.view = lc_value_view(&exec->values[tensor]);
    exec->options.watch(exec->options.watch_user, &seen);
}

static void show_inputs(const lc_exec *exec) {
    for (uint32_t i = 0; i < exec->graph->input_count; i++)
        show(exec, (lc_watched){.op = "", .node = LC_NO_NODE, .output = i}, exec->graph->inputs[i]);
}

static void show_outputs(const lc_exec *exec, const lc_node *node) {
    for (uint32_t i = 0; i < node->output_count; i++)
        show(exec, (lc_watched){.op = lc_op_name(node->op), .node = (uint32_t)(node - exec->graph->nodes), .output = i}, node->outputs[i]);
}

/* What depends on constants alone was computed when the graph was prepared. */
static void show_known(const lc_exec *exec) {
    for (size_t n = 0; n < exec->graph->node_count; n++) {
        const lc_node *node = &exec->graph->nodes[n];
        for (uint32_t i = 0; i < node->output_count; i++)
            if (node->outputs[i] >= 0 && exec->values[node->outputs[i]].constant)
                show(exec, (lc_watched){.op = lc_op_name(node->op), .node = (uint32_t)n, .output = i}, node->outputs[i]);
    }
}

lc_status lc_exec_run(lc_exec *exec, lc_error *err) {
    if (exec->options.watch) {
        show_inputs(exec);
        show_known(exec);
    }
    for (uint32_t i = 0; i < exec->step_count; i++) {
        lc_step *step = &exec->steps[i];
        if (!step->kernel && !step->late && exec->options.watch) show_outputs(exec, step->node);
        if ((!step->kernel && !step->late) || step->done) continue;
        const uint64_t start = exec->options.profile ? now() : 0;
        step->ctx.err = err;
        const lc_status status = step->late ? lc_late_run(exec, step, err) : step->kernel->run(&step->ctx);
        if (status != LC_OK) {
            lc_exec_prefix(err, exec->graph, step->node);
            return status;
        }
        step->done = step->once;
        if (exec->options.watch) show_outputs(exec, step->node);
        if (exec->options.profile) step->nanoseconds = now() - start;
    }
    return LC_OK;
}

void lc_exec_reset(lc_exec *exec) {
    reset_variables(exec, true);
    for (uint32_t i = 0; i < exec->step_count; i++)
        if (lc_control_is(exec->steps[i].node->op)) lc_control_reset(&exec->steps[i]);
}
