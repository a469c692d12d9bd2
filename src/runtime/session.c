/*
 * session.c: the public face of running a model: create, set inputs, resize, run, read outputs.
 *
 * A session is a model reference, a thread pool and one lc_exec. Resizing builds a second lc_exec and swaps, so a resize that
 * fails changes nothing. A run walks the steps; it allocates nothing.
 */
#include "runtime/session.h"

#include <string.h>
#include <time.h>

/* ---- create -------------------------------------------------------------------------------------------------- */

static lc_status find_signature(lc_session *s, const char *key, lc_error *err) {
    const lc_model *m = s->model;
    if (!key) {
        s->graph = m->graphs[0];
        for (size_t i = 0; i < m->signature_count && !s->signature; i++)
            if (m->signatures[i].graph == 0) s->signature = &m->signatures[i];
        return LC_OK;
    }
    for (size_t i = 0; i < m->signature_count; i++) {
        if (!lc_str_is(m->signatures[i].key, key)) continue;
        s->signature = &m->signatures[i];
        s->graph = m->graphs[s->signature->graph];
        return LC_OK;
    }
    lc_status status = LC_FAIL(err, LC_NOT_FOUND, "the model has no signature \"%.100s\"", key);
    lc_text names = {0};
    for (size_t i = 0; i < m->signature_count; i++)
        lc_text_printf(&names, "%s%.*s", i ? ", " : "", (int)m->signatures[i].key.size, m->signatures[i].key.data);
    lc_error_hint(err, m->signature_count ? "it has: %s" : "it has none%s", names.data && !names.failed ? names.data : "");
    lc_text_deinit(&names);
    return status;
}

/* With a signature asked for by key, inputs and outputs come in the signature's order; else in the graph's. */
static lc_status list_io(lc_session *s, bool by_signature, lc_error *err) {
    const lc_graph *g = s->graph;
    s->input_count = by_signature ? s->signature->input_count : g->input_count;
    s->output_count = by_signature ? s->signature->output_count : g->output_count;
    s->inputs = lc_arena_array(&s->arena, s->input_count + 1, sizeof *s->inputs);
    s->outputs = lc_arena_array(&s->arena, s->output_count + 1, sizeof *s->outputs);
    s->shapes = lc_arena_array(&s->arena, g->input_count + 1, sizeof *s->shapes);
    if (!s->inputs || !s->outputs || !s->shapes) return lc_fail_memory(err, "session");
    for (size_t i = 0; i < s->input_count; i++) s->inputs[i] = by_signature ? s->signature->inputs[i].tensor : g->inputs[i];
    for (size_t i = 0; i < s->output_count; i++) s->outputs[i] = by_signature ? s->signature->outputs[i].tensor : g->outputs[i];
    for (size_t i = 0; i < g->input_count; i++) {
        const lc_tensor *t = &g->tensors[g->inputs[i]];
        if (t->rank < 0 || t->rank > LC_MAX_RANK)
            return LC_FAIL(err, LC_UNSUPPORTED, "input \"%.80s\" has %d dimensions; litec runs up to %d", t->name.data ? t->name.data : "",
                           (int)t->rank, LC_MAX_RANK);
        s->shapes[i].rank = t->rank;
        if (t->rank) memcpy(s->shapes[i].dims, t->dims, (size_t)t->rank * sizeof *t->dims);
    }
    return LC_OK;
}

static lc_exec_options exec_options(const lc_session *s) {
    return (lc_exec_options){.simd = s->simd, .pool = s->pool, .max_memory = s->max_memory};
}

static lc_status session_init(lc_session *s, const lc_session_options *o, lc_error *err) {
    if (o->threads < 0 || o->threads > LC_SESSION_MAX_THREADS)
        return LC_FAIL(err, LC_ARGUMENT, "threads is %d, needs 1 to %d", (int)o->threads, LC_SESSION_MAX_THREADS);
    if (s->model->graph_count == 0) return LC_FAIL(err, LC_INVALID, "the model has no graph to run");
    s->max_memory = o->max_memory ? o->max_memory : LC_SESSION_MAX_MEMORY;
    s->profile = o->profile;
    LC_TRY(lc_simd_get(o->isa, &s->simd, err));
    LC_TRY(find_signature(s, o->signature, err));
    LC_TRY(list_io(s, o->signature != NULL, err));
    if (o->threads > 1) LC_TRY(lc_pool_create(o->threads, &s->pool, err));
    const lc_exec_options options = exec_options(s);
    return lc_exec_init(&s->exec, s->graph, s->shapes, &options, err);
}

lc_status lc_session_create(lc_model *model, const lc_session_options *options, lc_session **session, lc_error *err) {
    static const lc_session_options defaults;
    *session = NULL;
    lc_session *s = lc_calloc(1, sizeof *s);
    if (!s) return lc_fail_memory(err, "session");
    s->model = model;
    lc_model_retain(model);
    lc_status status = session_init(s, options ? options : &defaults, err);
    if (status != LC_OK) lc_session_destroy(s);
    else *session = s;
    return status;
}

void lc_session_destroy(lc_session *s) {
    if (!s) return;
    lc_exec_deinit(&s->exec);
    lc_pool_destroy(s->pool);
    lc_arena_deinit(&s->arena);
    lc_model_destroy(s->model);
    lc_free(s);
}

/* ---- inputs and outputs -------------------------------------------------------------------------------------- */

size_t lc_session_input_count(const lc_session *s) { return s->input_count; }
size_t lc_session_output_count(const lc_session *s) { return s->output_count; }

static const char *io_name(const lc_session *s, int32_t tensor, bool output) {
    if (s->signature) {
        const lc_signature_entry *entries = output ? s->signature->outputs : s->signature->inputs;
        const uint32_t count = output ? s->signature->output_count : s->signature->input_count;
        for (uint32_t i = 0; i < count; i++)
            if (entries[i].tensor == tensor && entries[i].name.data) return entries[i].name.data;
    }
    const char *name = s->graph->tensors[tensor].name.data;
    return name ? name : "";
}

static lc_tensor_view view_of(const lc_session *s, int32_t tensor, bool output) {
    const lc_value *v = &s->exec.values[tensor];
    const lc_tensor *t = v->def;
    lc_tensor_view view = {.name = io_name(s, tensor, output), .type = v->type, .rank = v->shape.rank, .data = v->data, .size = v->size};
    for (int32_t d = 0; d < v->shape.rank; d++) {
        view.dims[d] = v->shape.dims[d];
        view.signature[d] = t->rank == v->shape.rank ? lc_tensor_dim(t, d) : v->shape.dims[d];
    }
    lc_tensor_scale(t, &view.scale, &view.zero_point);
    return view;
}

lc_tensor_view lc_session_input(const lc_session *s, size_t index) {
    if (index >= s->input_count) return (lc_tensor_view){0};
    return view_of(s, s->inputs[index], false);
}

lc_tensor_view lc_session_output(const lc_session *s, size_t index) {
    if (index >= s->output_count) return (lc_tensor_view){0};
    return view_of(s, s->outputs[index], true);
}

static int32_t find_io(const lc_session *s, const int32_t *tensors, size_t count, const char *name, bool output) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(io_name(s, tensors[i], output), name) == 0) return (int32_t)i;
    for (size_t i = 0; i < count; i++)
        if (lc_str_is(s->graph->tensors[tensors[i]].name, name)) return (int32_t)i;
    return -1;
}

int32_t lc_session_find_input(const lc_session *s, const char *name) { return find_io(s, s->inputs, s->input_count, name, false); }
int32_t lc_session_find_output(const lc_session *s, const char *name) { return find_io(s, s->outputs, s->output_count, name, true); }

/* ---- resize -------------------------------------------------------------------------------------------------- */

static lc_status check_dims(const lc_session *s, size_t index, const int32_t *dims, int32_t rank, lc_error *err) {
    const char *name = io_name(s, s->inputs[index], false);
    if (rank < 0 || rank > LC_MAX_RANK)
        return LC_FAIL(err, LC_ARGUMENT, "input \"%.80s\": rank %d, litec runs 0 to %d", name, (int)rank, LC_MAX_RANK);
    for (int32_t d = 0; d < rank; d++)
        if (dims[d] < 0) return LC_FAIL(err, LC_ARGUMENT, "input \"%.80s\": dimension %d is %d", name, (int)d, (int)dims[d]);
    return LC_OK;
}

lc_status lc_session_resize_inputs(lc_session *s, const int32_t *const *dims, const int32_t *ranks, lc_error *err) {
    const size_t n = s->graph->input_count;
    bool changed = false;
    lc_shape *shapes = lc_calloc(n ? n : 1, sizeof *shapes);
    if (!shapes) return lc_fail_memory(err, "resize");
    if (n) memcpy(shapes, s->shapes, n * sizeof *shapes);
    lc_status status = LC_OK;
    for (size_t i = 0; i < s->input_count && status == LC_OK; i++) {
        if (!dims[i]) continue;
        status = check_dims(s, i, dims[i], ranks[i], err);
        for (size_t g = 0; g < n && status == LC_OK; g++) {
            if (s->graph->inputs[g] != s->inputs[i]) continue;
            if (shapes[g].rank == ranks[i] && (ranks[i] == 0 || memcmp(shapes[g].dims, dims[i], (size_t)ranks[i] * sizeof(int32_t)) == 0))
                continue;
            shapes[g].rank = ranks[i];
            if (ranks[i]) memcpy(shapes[g].dims, dims[i], (size_t)ranks[i] * sizeof(int32_t));
            changed = true;
        }
    }
    if (status == LC_OK && changed) {
        const lc_exec_options options = exec_options(s);
        lc_exec next;
        status = lc_exec_init(&next, s->graph, shapes, &options, err);
        if (status == LC_OK) {
            lc_exec_deinit(&s->exec);
            s->exec = next;
            if (n) memcpy(s->shapes, shapes, n * sizeof *shapes);
        }
    }
    lc_free(shapes);
    return status;
}

lc_status lc_session_resize_input(lc_session *s, size_t index, const int32_t *dims, int32_t rank, lc_error *err) {
    if (index >= s->input_count)
        return LC_FAIL(err, LC_ARGUMENT, "there is no input %zu: the model has %zu", index, s->input_count);
    const size_t n = s->input_count;
    const int32_t **all = lc_calloc(n, sizeof *all);
    int32_t *ranks = lc_calloc(n, sizeof *ranks);
    lc_status status = all && ranks ? LC_OK : lc_fail_memory(err, "resize");
    if (status == LC_OK) {
        static const int32_t scalar[1];
        all[index] = dims ? dims : scalar;
        ranks[index] = rank;
        status = lc_session_resize_inputs(s, all, ranks, err);
    }
    lc_free(all);
    lc_free(ranks);
    return status;
}

/* ---- run ----------------------------------------------------------------------------------------------------- */

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

lc_status lc_session_run(lc_session *s, lc_error *err) {
    for (uint32_t i = 0; i < s->exec.step_count; i++) {
        lc_step *step = &s->exec.steps[i];
        if (!step->kernel) continue;
        const uint64_t start = s->profile ? now() : 0;
        step->ctx.err = err;
        const lc_status status = step->kernel->run(&step->ctx);
        if (status != LC_OK) {
            lc_error_prefix(err, "node %u %s", (unsigned)(step->node - s->graph->nodes), lc_op_name(step->node->op));
            return status;
        }
        if (s->profile) step->nanoseconds = now() - start;
    }
    return LC_OK;
}

/* ---- reports ------------------------------------------------------------------------------------------------- */

lc_memory_stats lc_session_memory(const lc_session *s) {
    lc_memory_stats stats = {.arena = s->exec.plan.size, .arena_bound = s->exec.plan.bound, .packed = lc_pack_bytes(s->model)};
    for (size_t t = 0; t < s->graph->tensor_count; t++) stats.constants += s->graph->tensors[t].data ? s->graph->tensors[t].size : 0;
    return stats;
}

size_t lc_session_profile_count(const lc_session *s) { return s->exec.step_count; }

lc_profile_entry lc_session_profile(const lc_session *s, size_t index) {
    if (index >= s->exec.step_count) return (lc_profile_entry){0};
    const lc_step *step = &s->exec.steps[index];
    const lc_node *node = step->node;
    const int32_t out = node->output_count ? node->outputs[0] : -1;
    const char *name = out >= 0 ? s->graph->tensors[out].name.data : NULL;
    return (lc_profile_entry){.op = lc_op_name(node->op),
                              .name = name ? name : "",
                              .kernel = !step->kernel ? "view" : step->ctx.label ? step->ctx.label : "ref",
                              .nanoseconds = step->nanoseconds,
                              .macs = lc_op_macs(s->graph, node)};
}

const char *lc_session_isa(const lc_session *s) { return lc_simd_name(s->simd); }
