/*
 * control.c: see control.h. A graph that is called gets an lc_exec of its own (a child), with its own memory; values are copied in and
 * out. Children are prepared with the caller when the shapes of all inputs are known then, else at the first call; again whenever an
 * input comes with another shape.
 *
 *   IF, CASE     the outputs have a fixed shape when every branch gives the same ones; else they are dynamic
 *   WHILE        the loop's values have a fixed shape when the body gives back the shapes it got; else they are dynamic and the
 *                body is prepared anew at each change
 *   CALL_ONCE    its graph runs once for each store of resources
 *   COMPOSITE    is run by its decomposition
 *
 * Calls cannot be circular (check_calls.c). Limits, both of the session: how many graphs may be prepared at once (a model whose graphs each
 * call the next twice would need 2^n), and how many iterations all loops of one run may make together.
 */
#include "runtime/control.h"
#include "kernels/resource.h"
#include "runtime/late.h"

#include <string.h>

#define MAX_CHILDREN 2048u

typedef struct child {
    const lc_graph *graph;
    lc_exec exec;
    bool ready;
    lc_shape *shapes; /* [graph->input_count] it was prepared for */
} child;

typedef struct control {
    lc_exec *exec;  /* the caller's */
    uint32_t first; /* input of the node that is the first value passed on */
    uint32_t count; /* children */
    child children[];
} control;

#define RUNS_graph true
#define RUNS_yes false
#define RUNS_no false
bool lc_control_runs(int32_t op) {
    static const bool runs[LC_OP_COUNT] = {
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast, flags) \
    [code] = RUNS_##kernel,
#include "ops/ops.def"
    };
    return op >= 0 && op < LC_OP_COUNT && runs[op];
}

static bool is_loop(int32_t op) { return op == LC_OP_WHILE || op == LC_OP_STABLEHLO_WHILE; }
static bool is_choice(int32_t op) { return op == LC_OP_IF || op == LC_OP_STABLEHLO_CASE; }

/* ---- children ------------------------------------------------------------------------------------------------- */

static void child_close(control *c, child *k) {
    if (!k->ready) return;
    lc_exec_deinit(&k->exec);
    k->ready = false;
    c->exec->options.budget->graphs--;
}

static void control_deinit(void *p) {
    control *c = p;
    for (uint32_t i = 0; i < c->count; i++) child_close(c, &c->children[i]);
}

/* Makes child k ready for inputs of the shapes of in[]. */
static lc_status child_open(control *c, child *k, lc_value *const *in, lc_error *err) {
    const size_t n = k->graph->input_count;
    bool same = k->ready;
    for (size_t i = 0; i < n; i++) {
        same &= lc_shape_equal(&k->shapes[i], &in[i]->shape);
        k->shapes[i] = in[i]->shape;
    }
    if (same) return LC_OK;
    lc_exec_budget *budget = c->exec->options.budget;
    child_close(c, k);
    if (budget->graphs >= MAX_CHILDREN) return lc_fail(err, LC_LIMIT, "more than %u graphs would be prepared for one run", MAX_CHILDREN);
    budget->graphs++;
    const lc_status status = lc_exec_init(&k->exec, k->graph, k->shapes, &c->exec->options, err);
    if (status != LC_OK) {
        budget->graphs--;
        lc_error_prefix(err, "graph \"%.80s\"", k->graph->name.data ? k->graph->name.data : "");
        return status;
    }
    k->ready = true;
    return LC_OK;
}

static lc_value *child_in(child *k, size_t i) { return &k->exec.values[k->graph->inputs[i]]; }
static lc_value *child_out(child *k, size_t i) { return &k->exec.values[k->graph->outputs[i]]; }

static lc_status child_run(control *c, child *k, lc_value *const *in, lc_error *err) {
    LC_TRY(child_open(c, k, in, err));
    for (size_t i = 0; i < k->graph->input_count; i++) LC_TRY(lc_value_assign(&k->exec, child_in(k, i), in[i], err));
    return lc_exec_run(&k->exec, err);
}

/* ---- running -------------------------------------------------------------------------------------------------- */

static control *control_of(lc_kernel_ctx *ctx) {
    control *c;
    memcpy(&c, ctx->state, sizeof c);
    return c;
}

static lc_status run_child_to_outputs(lc_kernel_ctx *ctx, control *c, child *k) {
    LC_TRY(child_run(c, k, ctx->in + c->first, ctx->err));
    for (uint32_t i = 0; i < ctx->out_count; i++)
        if (ctx->out[i]) LC_TRY(lc_value_assign(c->exec, ctx->out[i], child_out(k, i), ctx->err));
    return LC_OK;
}

static lc_status run_choice(lc_kernel_ctx *ctx) {
    control *c = control_of(ctx);
    const lc_value *which = ctx->in[0];
    uint32_t branch;
    if (which->shape.rank < 0 || which->size == 0 || !which->data) return lc_fail(ctx->err, LC_INVALID, "its condition is empty");
    if (ctx->node->op == LC_OP_IF) {
        branch = *(const uint8_t *)which->data ? 0 : 1;
    } else { /* an index outside the branches means the last */
        int32_t index;
        memcpy(&index, which->data, sizeof index);
        branch = index < 0 || (uint32_t)index >= c->count ? c->count - 1 : (uint32_t)index;
    }
    return run_child_to_outputs(ctx, c, &c->children[branch]);
}

static lc_status run_call(lc_kernel_ctx *ctx) { return run_child_to_outputs(ctx, control_of(ctx), &control_of(ctx)->children[0]); }

static lc_status run_once(lc_kernel_ctx *ctx) {
    control *c = control_of(ctx);
    bool already;
    int32_t graph = 0;
    lc_op_calls(ctx->node, &graph, 1);
    LC_TRY(lc_resources_once(ctx->resources, graph, &already, ctx->err));
    return already ? LC_OK : child_run(c, &c->children[0], ctx->in, ctx->err);
}

static lc_status condition(control *c, lc_value *const *in, bool *go_on, lc_error *err) {
    child *k = &c->children[0];
    LC_TRY(child_run(c, k, in, err));
    const lc_value *v = child_out(k, 0);
    if (v->type != LC_BOOL || v->size == 0 || !v->data) return lc_fail(err, LC_INVALID, "the loop's condition is no bool");
    *go_on = *(const uint8_t *)v->data != 0;
    return LC_OK;
}

static lc_status run_loop(lc_kernel_ctx *ctx) {
    control *c = control_of(ctx);
    lc_exec_budget *budget = c->exec->options.budget;
    bool go_on;
    /* The loop's values are kept in the operator's outputs. */
    for (uint32_t i = 0; i < ctx->out_count; i++) LC_TRY(lc_value_assign(c->exec, ctx->out[i], ctx->in[i], ctx->err));
    for (;;) {
        LC_TRY(condition(c, ctx->out, &go_on, ctx->err));
        if (!go_on) return LC_OK;
        if (budget->loops++ >= c->exec->options.max_loops) {
            lc_fail(ctx->err, LC_LIMIT, "the loops of this run have made %llu iterations, which is the limit",
                    (unsigned long long)c->exec->options.max_loops);
            lc_error_hint(ctx->err, "raise max_loops of the session if the model needs more");
            return LC_LIMIT;
        }
        child *body = &c->children[1];
        LC_TRY(child_run(c, body, ctx->out, ctx->err));
        for (uint32_t i = 0; i < ctx->out_count; i++) LC_TRY(lc_value_assign(c->exec, ctx->out[i], child_out(body, i), ctx->err));
    }
}

static const lc_kernel choice_kernel = {.prepare = NULL, .run = run_choice}, call_kernel = {.prepare = NULL, .run = run_call},
                       once_kernel = {.prepare = NULL, .run = run_once}, loop_kernel = {.prepare = NULL, .run = run_loop};

void lc_control_reset(lc_step *step) {
    control *c = control_of(&step->ctx);
    for (uint32_t i = 0; i < c->count; i++)
        if (c->children[i].ready) lc_exec_reset(&c->children[i].exec);
}

/* ---- preparing ------------------------------------------------------------------------------------------------ */

static lc_status check_values(const lc_kernel_ctx *ctx, lc_error *err) {
    for (uint32_t i = 0; i < ctx->in_count; i++)
        if (!ctx->in[i]) return lc_fail(err, LC_INVALID, "input %u is absent", (unsigned)i);
    for (uint32_t i = 0; i < ctx->out_count; i++)
        if (!ctx->out[i]) return lc_fail(err, LC_INVALID, "output %u is absent", (unsigned)i);
    if (ctx->node->op == LC_OP_IF && ctx->in[0]->type != LC_BOOL)
        return lc_fail(err, LC_INVALID, "its condition is %s, needs bool", lc_dtype_name(ctx->in[0]->type));
    if (ctx->node->op == LC_OP_STABLEHLO_CASE && ctx->in[0]->type != LC_INT32)
        return lc_fail(err, LC_INVALID, "its index is %s, needs int32", lc_dtype_name(ctx->in[0]->type));
    return LC_OK;
}

/* Types of what goes in and comes out of child k; counts were checked at load. */
static lc_status check_types(const lc_kernel_ctx *ctx, const control *c, const child *k, bool outputs, lc_error *err) {
    const lc_graph *g = k->graph;
    if (g->input_count != ctx->in_count - c->first || (outputs && g->output_count != ctx->out_count))
        return lc_fail(err, LC_INVALID, "graph \"%.80s\" takes and gives another number of values", g->name.data ? g->name.data : "");
    for (size_t i = 0; i < g->input_count; i++)
        if (g->tensors[g->inputs[i]].type != ctx->in[c->first + i]->type)
            return lc_fail(err, LC_INVALID, "input %zu of graph \"%.80s\" is %s, gets %s", i, g->name.data ? g->name.data : "",
                           lc_dtype_name(g->tensors[g->inputs[i]].type), lc_dtype_name(ctx->in[c->first + i]->type));
    for (size_t i = 0; outputs && i < g->output_count; i++)
        if (g->tensors[g->outputs[i]].type != ctx->out[i]->type)
            return lc_fail(err, LC_INVALID, "output %zu of graph \"%.80s\" is %s, must be %s", i, g->name.data ? g->name.data : "",
                           lc_dtype_name(g->tensors[g->outputs[i]].type), lc_dtype_name(ctx->out[i]->type));
    return LC_OK;
}

/* Opens the children for the shapes known now and takes over their outputs' shapes when these cannot change. *fixed: they cannot. */
static lc_status fix_shapes(lc_kernel_ctx *ctx, control *c, bool *fixed, lc_error *err) {
    const bool loop = is_loop(ctx->node->op);
    *fixed = true;
    for (uint32_t i = 0; i < ctx->in_count; i++) *fixed &= !ctx->in[i]->dynamic;
    if (!*fixed) return LC_OK;
    for (uint32_t k = 0; k < c->count; k++) LC_TRY(child_open(c, &c->children[k], ctx->in + c->first, err));
    for (uint32_t i = 0; i < ctx->out_count && *fixed; i++) {
        const lc_shape *shape = NULL;
        for (uint32_t k = loop ? 1 : 0; k < c->count && *fixed; k++) {
            const lc_value *v = child_out(&c->children[k], i);
            *fixed =
                !v->dynamic && (!shape || lc_shape_equal(shape, &v->shape)) && (!loop || lc_shape_equal(&ctx->in[i]->shape, &v->shape));
            shape = &v->shape;
        }
        if (!*fixed) break;
        ctx->out[i]->shape = *shape;
        if (!lc_value_bytes(ctx->out[i]->type, shape, &ctx->out[i]->size)) *fixed = false;
    }
    return LC_OK;
}

lc_status lc_control_prepare(lc_exec *exec, lc_step *step, lc_error *err) {
    lc_kernel_ctx *ctx = &step->ctx;
    const int32_t op = ctx->node->op;
    const lc_model *model = exec->graph->model;
    const uint32_t n = lc_op_calls(ctx->node, NULL, 0);
    if (n == 0) return lc_fail(err, LC_INVALID, "does not say which graph it runs");
    LC_TRY(check_values(ctx, err));
    int32_t *graphs = lc_arena_array(&exec->arena, n, sizeof *graphs);
    size_t bytes;
    if (!graphs || !lc_mul_size(n, sizeof(child), &bytes) || !lc_add_size(bytes, sizeof(control), &bytes))
        return lc_fail_memory(err, "operator");
    control *c = lc_arena_alloc(&exec->arena, bytes);
    if (!c || !lc_kernel_state(ctx, sizeof c)) return lc_fail_memory(err, "operator");
    memcpy(ctx->state, &c, sizeof c);
    c->exec = exec;
    c->first = is_choice(op) ? 1 : 0;
    lc_op_calls(ctx->node, graphs, n);
    for (uint32_t k = 0; k < n; k++) {
        if (graphs[k] < 0 || (size_t)graphs[k] >= model->graph_count) return lc_fail(err, LC_INVALID, "graph %d does not exist", graphs[k]);
        const lc_graph *g = model->graphs[graphs[k]];
        c->children[k] = (child){.graph = g, .shapes = lc_arena_array(&exec->arena, g->input_count + 1, sizeof(lc_shape))};
        if (!c->children[k].shapes) return lc_fail_memory(err, "operator");
        LC_TRY(check_types(ctx, c, &c->children[k], op != LC_OP_CALL_ONCE && !(is_loop(op) && k == 0), err));
    }
    if (is_loop(op) && ctx->in_count != ctx->out_count) return lc_fail(err, LC_INVALID, "has not as many outputs as inputs");
    c->count = n;
    LC_TRY(lc_exec_at_end(exec, control_deinit, c, err));
    step->kernel = is_choice(op) ? &choice_kernel : is_loop(op) ? &loop_kernel : op == LC_OP_CALL_ONCE ? &once_kernel : &call_kernel;
    ctx->label = "graph";
    bool fixed;
    LC_TRY(fix_shapes(ctx, c, &fixed, err));
    for (uint32_t i = 0; i < ctx->out_count && !fixed; i++) lc_value_make_dynamic(ctx->out[i]);
    return LC_OK;
}
