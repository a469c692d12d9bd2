/*
 * session.c: the public face of running a model: create, set inputs, resize, run, read outputs.
 *
 * A session is a model reference, a thread pool and one lc_exec. Resizing builds a second lc_exec and swaps, so a resize that
 * fails changes nothing. A run walks the steps; it allocates nothing.
 */
#include "ir/strings.h"
#include "runtime/known.h"
#include "runtime/late.h"
#include "runtime/session.h"

#include <string.h>

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
    lc_status status = lc_fail(err, LC_NOT_FOUND, "the model has no signature \"%.100s\"", key);
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
            return lc_fail(err, LC_UNSUPPORTED, "input \"%.80s\" has %d dimensions; litec runs up to %d", t->name.data ? t->name.data : "",
                           (int)t->rank, LC_MAX_RANK);
        s->shapes[i].rank = t->rank;
        if (t->rank) memcpy(s->shapes[i].dims, t->dims, (size_t)t->rank * sizeof *t->dims);
    }
    return LC_OK;
}

/* An exec for these shapes. It does not move, for its steps point into it. */
static lc_status make_exec(lc_session *s, const lc_shape *shapes, lc_exec **exec, lc_error *err) {
    const lc_exec_options options = {.simd = s->simd,
                                     .pool = s->pool,
                                     .max_memory = s->max_memory,
                                     .max_loops = s->max_loops,
                                     .resources = s->resources,
                                     .custom = s->custom,
                                     .custom_count = s->custom_count,
                                     .profile = s->profile,
                                     .watch = s->watch,
                                     .watch_user = s->watch_user};
    *exec = lc_calloc(1, sizeof **exec);
    if (!*exec) return lc_fail_memory(err, "session");
    const lc_status status = lc_exec_init(*exec, s->graph, shapes, &options, err);
    if (status == LC_OK) return LC_OK;
    lc_free(*exec);
    *exec = NULL;
    return status;
}

static void free_exec(lc_exec *exec) {
    if (!exec) return;
    lc_exec_deinit(exec);
    lc_free(exec);
}

static bool has_open_input(const lc_graph *g, bool states_ranks) {
    for (size_t i = 0; i < g->input_count; i++) {
        const lc_tensor *t = &g->tensors[g->inputs[i]];
        if (lc_tensor_any_rank(t, states_ranks)) return true;
        for (int32_t d = 0; d < t->rank; d++)
            if (lc_tensor_dim(t, d) < 0) return true;
    }
    return false;
}

/* For a call that needs the plan which could not be made. */
static lc_status not_planned(const lc_session *s, lc_error *err) {
    if (!err) return s->unplanned.status;
    *err = s->unplanned;
    lc_error_prefix(err, "at the shapes its inputs have now");
    if (!err->hint[0]) lc_error_hint(err, "give the inputs their real shapes first: lc_session_resize_input");
    return err->status;
}

static lc_status take_options(lc_session *s, const lc_session_options *o, lc_error *err) {
    s->max_memory = o->max_memory ? o->max_memory : LC_SESSION_MAX_MEMORY;
    s->max_loops = o->max_loops ? o->max_loops : LC_SESSION_MAX_LOOPS;
    s->profile = o->profile;
    s->watch = o->watch;
    s->watch_user = o->watch_user;
    if (o->custom_op_count) {
        if (!o->custom_ops) return lc_fail(err, LC_ARGUMENT, "custom_op_count is %zu but custom_ops is NULL", o->custom_op_count);
        s->custom = lc_arena_array(&s->arena, o->custom_op_count, sizeof *s->custom);
        if (!s->custom) return lc_fail_memory(err, "session");
        memcpy(s->custom, o->custom_ops, o->custom_op_count * sizeof *s->custom);
        s->custom_count = o->custom_op_count;
    }
    for (size_t i = 0; i < s->custom_count; i++)
        if (!s->custom[i].name || !s->custom[i].run)
            return lc_fail(err, LC_ARGUMENT, "custom operator %zu lacks a %s", i, s->custom[i].name ? "run function" : "name");
    if (!o->share) return lc_resources_create(s->max_memory, &s->resources, err);
    if (o->share->model != s->model) return lc_fail(err, LC_ARGUMENT, "a session can share variables only with one of the same model");
    s->resources = o->share->resources;
    lc_resources_retain(s->resources);
    return LC_OK;
}

static lc_status session_init(lc_session *s, const lc_session_options *o, lc_error *err) {
    if (o->threads < 0 || o->threads > LC_SESSION_MAX_THREADS)
        return lc_fail(err, LC_ARGUMENT, "threads is %d, needs 1 to %d", (int)o->threads, LC_SESSION_MAX_THREADS);
    if (s->model->graph_count == 0) return lc_fail(err, LC_INVALID, "the model has no graph to run");
    LC_TRY(take_options(s, o, err));
    LC_TRY(lc_simd_get(o->isa, &s->simd, err));
    s->states_ranks = lc_model_states_ranks(s->model);
    LC_TRY(find_signature(s, o->signature, err));
    LC_TRY(list_io(s, o->signature != NULL, err));
    LC_TRY(lc_model_make_constants(s->model, s->max_memory, err));
    if (o->threads > 1) LC_TRY(lc_pool_create(o->threads, &s->pool, err));
    LC_TRY(lc_known_check(s->graph, &(lc_exec_options){.custom = s->custom, .custom_count = s->custom_count}, err));
    const lc_status status = make_exec(s, s->shapes, &s->exec, &s->unplanned);
    /* Open dimensions are saved as 1, at which a network need not work (a window larger than the image): the caller will say more. */
    if (status == LC_OK || (has_open_input(s->graph, s->states_ranks) && (status == LC_INVALID || status == LC_UNSUPPORTED))) return LC_OK;
    if (err) *err = s->unplanned;
    return status;
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
    free_exec(s->exec);
    lc_resources_destroy(s->resources);
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

lc_tensor_view lc_value_view(const lc_value *v) {
    const lc_tensor *t = v->def;
    lc_tensor_view view = {
        .name = t->name.data ? t->name.data : "", .type = v->type, .rank = v->shape.rank, .data = v->data, .size = v->size};
    for (int32_t d = 0; d < v->shape.rank; d++) {
        view.dims[d] = v->shape.dims[d];
        view.signature[d] = t->rank == v->shape.rank ? lc_tensor_dim(t, d) : v->shape.dims[d];
    }
    lc_tensor_scale(t, &view.scale, &view.zero_point);
    return view;
}

static lc_tensor_view view_of(const lc_session *s, int32_t tensor, bool output) {
    lc_value declared = {.def = &s->graph->tensors[tensor], .type = s->graph->tensors[tensor].type, .shape.rank = -1};
    if (!s->exec)
        for (size_t i = 0; !output && i < s->graph->input_count; i++)
            if (s->graph->inputs[i] == tensor) declared.shape = s->shapes[i];
    lc_tensor_view view = lc_value_view(s->exec ? &s->exec->values[tensor] : &declared);
    view.name = io_name(s, tensor, output);
    view.any_rank = lc_tensor_any_rank(declared.def, s->states_ranks);
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

/* ---- strings ------------------------------------------------------------------------------------------------- */

lc_status lc_session_set_strings(lc_session *s, size_t index, const char *const *strings, const size_t *lengths, size_t count,
                                 lc_error *err) {
    if (index >= s->input_count) return lc_fail(err, LC_ARGUMENT, "there is no input %zu: the model has %zu", index, s->input_count);
    if (!s->exec) return not_planned(s, err);
    lc_value *v = &s->exec->values[s->inputs[index]];
    const char *name = io_name(s, s->inputs[index], false);
    uint64_t n = 0;
    size_t bytes, table;
    char text[LC_SHAPE_TEXT];
    if (v->type != LC_STRING) return lc_fail(err, LC_ARGUMENT, "input \"%.80s\" is %s, not string", name, lc_dtype_name(v->type));
    if (!lc_shape_elements(&v->shape, &n) || n != count || (count && !strings))
        return lc_fail(err, LC_ARGUMENT, "input \"%.80s\" of shape %s needs %llu strings, got %zu", name, lc_shape_text(&v->shape, text),
                       (unsigned long long)n, count);
    lc_str *list = lc_mul_size(count ? count : 1, sizeof *list, &table) ? lc_malloc(table) : NULL;
    if (!list) return lc_fail_memory(err, "strings");
    lc_status status = LC_OK;
    for (size_t i = 0; i < count && status == LC_OK; i++) {
        if (!strings[i] && !(lengths && lengths[i] == 0))
            status = lc_fail(err, LC_ARGUMENT, "string %zu for input \"%.80s\" is NULL", i, name);
        else list[i] = (lc_str){strings[i], lengths ? lengths[i] : strlen(strings[i])};
    }
    if (status == LC_OK && !lc_strings_size(list, count, &bytes)) status = lc_fail(err, LC_LIMIT, "the strings are larger than 2 GiB");
    const lc_shape shape = v->shape;
    if (status == LC_OK) status = lc_value_resize(s->exec, v, &shape, bytes, err);
    if (status == LC_OK) lc_strings_write(list, count, v->data);
    lc_free(list);
    return status;
}

const char *lc_tensor_string(const lc_tensor_view *t, size_t index, size_t *length) {
    if (length) *length = 0;
    uint64_t n = 1;
    if (!t || t->type != LC_STRING || !t->data) return NULL;
    for (int32_t d = 0; d < t->rank; d++)
        if (!lc_mul_u64(n, (uint64_t)t->dims[d], &n)) return NULL;
    lc_str s;
    if (!lc_strings_find(t->data, t->size, n, index, &s)) return NULL;
    if (length) *length = s.size;
    return s.data;
}

/* ---- resize -------------------------------------------------------------------------------------------------- */

static lc_status check_dims(const lc_session *s, size_t index, const int32_t *dims, int32_t rank, lc_error *err) {
    const char *name = io_name(s, s->inputs[index], false);
    if (rank < 0 || rank > LC_MAX_RANK)
        return lc_fail(err, LC_ARGUMENT, "input \"%.80s\": rank %d, litec runs 0 to %d", name, (int)rank, LC_MAX_RANK);
    for (int32_t d = 0; d < rank; d++)
        if (dims[d] < 0) return lc_fail(err, LC_ARGUMENT, "input \"%.80s\": dimension %d is %d", name, (int)d, (int)dims[d]);
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
    if (status == LC_OK && (changed || !s->exec)) { /* one that could not be planned says why */
        lc_exec *next;
        status = make_exec(s, shapes, &next, err);
        if (status == LC_OK) {
            free_exec(s->exec);
            s->exec = next;
            if (n) memcpy(s->shapes, shapes, n * sizeof *shapes);
        }
    }
    lc_free(shapes);
    return status;
}

lc_status lc_session_resize_input(lc_session *s, size_t index, const int32_t *dims, int32_t rank, lc_error *err) {
    if (index >= s->input_count) return lc_fail(err, LC_ARGUMENT, "there is no input %zu: the model has %zu", index, s->input_count);
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

lc_status lc_session_run(lc_session *s, lc_error *err) {
    if (!s->exec) return not_planned(s, err);
    s->exec->options.budget->loops = 0;
    return lc_exec_run(s->exec, err);
}

void lc_session_reset(lc_session *s) {
    if (s && s->exec) lc_exec_reset(s->exec);
}

/* ---- reports ------------------------------------------------------------------------------------------------- */

lc_memory_stats lc_session_memory(const lc_session *s) {
    lc_memory_stats stats = {.packed = lc_pack_bytes(s->model)};
    if (s->exec) {
        stats.arena = s->exec->plan.size;
        stats.arena_bound = s->exec->plan.bound;
    }
    for (size_t t = 0; t < s->graph->tensor_count; t++)
        stats.constants += lc_tensor_is_const(&s->graph->tensors[t]) ? s->graph->tensors[t].size : 0;
    return stats;
}

size_t lc_session_profile_count(const lc_session *s) { return s->exec ? s->exec->step_count : 0; }

lc_profile_entry lc_session_profile(const lc_session *s, size_t index) {
    if (!s->exec || index >= s->exec->step_count) return (lc_profile_entry){0};
    const lc_step *step = &s->exec->steps[index];
    const lc_node *node = step->node;
    const int32_t out = node->output_count ? node->outputs[0] : -1;
    const char *name = out >= 0 ? s->graph->tensors[out].name.data : NULL;
    const lc_shape none = {.rank = LC_RANK_UNKNOWN};
    lc_shape in[3]; /* as they are in this session, which may not be as they are in the file */
    for (uint32_t i = 0; i < 3; i++) in[i] = i < node->input_count && node->inputs[i] >= 0 ? s->exec->values[node->inputs[i]].shape : none;
    return (lc_profile_entry){.op = lc_op_name(node->op),
                              .name = name ? name : "",
                              .kernel = !step->kernel     ? "view"
                                        : step->ctx.label ? step->ctx.label
                                                          : "ref",
                              .nanoseconds = step->nanoseconds,
                              .macs = lc_op_shape_macs(node, in, out >= 0 ? &s->exec->values[out].shape : &none)};
}

const char *lc_session_isa(const lc_session *s) { return lc_simd_name(s->simd); }
