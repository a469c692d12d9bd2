/*
 * net_device.c: a .tflite file that a device goes on training with, in builtin operators alone. Weights are variables (VAR_HANDLE,
 * READ_VARIABLE, ASSIGN_VARIABLE) that all signatures share; the first call of any gives them the values they have now (CALL_ONCE).
 *
 *   train    inputs and targets (y, or y_<output>) of one batch of a fixed size ──▶ loss; one step of the optimizer
 *   infer    inputs ──▶ outputs, any batch
 *   save     ──▶ all variables, by name
 *   restore  all variables, by name
 *
 * The training graph is the one that lc_fit runs: forward, loss, gradients (grad/grad.h), then its own operators are said in builtin ones
 * (grad/expand.h). Loss, regularisers, constraints and optimizer are operators, too (train/graph.h). The optimizer's state begins as it is now.
 */
#include "api/net.h"
#include "api/variable_file.h"

#include "grad/expand.h"
#include "lower/training.h"
#include "train/graph.h"

#include <ctype.h>
#include <string.h>

typedef struct device {
    lc_net *net;
    lc_variable_file v;
    lc_model *model; /* v.model */
    lc_error *err;
} device;

/* Arrays that were inputs of the graph are read from variables; what operators wrote into them is assigned. */
static lc_status take_variables(device *d, lc_builder *b, const lc_training *t) {
    lc_graph *g = b->graph;
    const size_t tensors = g->tensor_count;
    for (size_t k = 0, n = g->node_count; k < n; k++) /* moving statistics */
        for (uint32_t o = 0; o < g->nodes[k].output_count; o++) {
            const int32_t out = g->nodes[k].outputs[o];
            for (uint32_t i = 0; out >= 0 && (size_t)out < tensors && g->tensors[out].bound && i < t->count; i++)
                if (t->list[i].data == g->tensors[out].bound) lc_variables_assign(b, t->list[i].name, out);
        }
    const size_t first = g->node_count;
    for (uint32_t i = 0; i < t->count && b->status == LC_OK; i++) {
        lc_graph_drop_input(g, t->list[i].tensor);
        lc_variables_read_into(b, t->list[i].name, t->list[i].tensor);
    }
    if (t->counter >= 0) lc_graph_drop_input(g, t->counter);
    for (size_t i = 0; i < g->tensor_count; i++) g->tensors[i].bound = NULL;
    return b->status == LC_OK ? lc_graph_to_front(g, first, d->err) : b->status;
}

/* ---- signatures ----------------------------------------------------------------------------------------------------------- */

/* A name for an input or output: letters, digits and _, other than those of list[0..n). */
static const char *signature_name(device *d, const char *name, const char *const *list, uint32_t n) {
    for (uint32_t copy = 0;; copy++) {
        char *text = copy ? lc_arena_printf(&d->model->arena, "%s_%u", name, copy) : lc_arena_strndup(&d->model->arena, name, strlen(name));
        bool taken = false;
        for (char *c = text; c && *c; c++)
            if (!isalnum((unsigned char)*c) && *c != '_') *c = '_';
        for (uint32_t i = 0; text && i < n; i++) taken |= strcmp(list[i], text) == 0;
        if (!taken) return text;
    }
}

static lc_status sign(device *d, lc_signature *s, const char *key, int32_t graph, const char *const *in_names,
                      const char *const *out_names) {
    const lc_graph *g = d->model->graphs[graph];
    lc_signature_entry *entries = lc_arena_array(&d->model->arena, g->input_count + g->output_count + 1, sizeof *entries);
    if (!entries) return lc_fail_memory(d->err, "a signature");
    *s = (lc_signature){.key = lc_str_of(key),
                        .graph = graph,
                        .inputs = entries,
                        .input_count = (uint32_t)g->input_count,
                        .outputs = entries + g->input_count,
                        .output_count = (uint32_t)g->output_count};
    for (size_t i = 0; i < g->input_count; i++) s->inputs[i] = (lc_signature_entry){lc_str_of(in_names[i]), g->inputs[i]};
    for (size_t i = 0; i < g->output_count; i++) s->outputs[i] = (lc_signature_entry){lc_str_of(out_names[i]), g->outputs[i]};
    return LC_OK;
}

/* A variable is called by its path in the net, which tells the directions of a Bidirectional layer apart. */
static lc_status name_variable(device *d, lc_trained *t) {
    const lc_variable *v = lc_net_variable_of(d->net, t->data);
    if (v) t->name = lc_net_unique_path(d->net, v, &d->model->arena);
    return t->name ? LC_OK : lc_fail_memory(d->err, "a variable");
}

/* The model lowered into graph `index`. */
static lc_status lower_into(device *d, size_t index, lc_training *training, lc_penalties *penalties, int32_t *masks) {
    lc_model *m = d->model;
    lc_graph *first = m->graphs[0];
    const lc_lower_options o = {.unroll = true, .training = training, .penalties = penalties, .masks = masks};
    m->graphs[0] = m->graphs[index], m->graphs[index] = first;
    const lc_status status = lc_lower_keras(d->net->keras, &o, m, d->err);
    first = m->graphs[0];
    m->graphs[0] = m->graphs[index], m->graphs[index] = first;
    for (uint32_t i = 0; status == LC_OK && i < training->count; i++) {
        lc_trained *t = &training->list[i];
        LC_TRY(name_variable(d, t));
        LC_TRY(lc_variables_declare(&d->v, t->name, t->data, t->dims, t->rank));
    }
    return status;
}

/* ---- infer, save, restore ------------------------------------------------------------------------------------------------- */

typedef struct names {
    const char **in, **out;
} names;

static lc_status infer(device *d, size_t index, names *n) {
    lc_training training = {.counter = -1, .everything = true, .inference = true};
    lc_builder b;
    LC_TRY(lower_into(d, index, &training, NULL, NULL));
    const lc_signature *s = &d->model->signatures[0];
    n->in = lc_arena_array(&d->model->arena, s->input_count + 1, sizeof *n->in);
    n->out = lc_arena_array(&d->model->arena, s->output_count + 1, sizeof *n->out);
    if (!n->in || !n->out) return lc_fail_memory(d->err, "names");
    for (uint32_t i = 0; i < s->input_count; i++) n->in[i] = s->inputs[i].name.data;
    for (uint32_t i = 0; i < s->output_count; i++) n->out[i] = s->outputs[i].name.data;
    lc_builder_init(&b, d->model, d->model->graphs[index], d->err);
    return take_variables(d, &b, &training);
}

static lc_status save(device *d, size_t index, names *n) {
    lc_builder b;
    lc_builder_init(&b, d->model, d->model->graphs[index], d->err);
    n->out = lc_arena_array(&d->model->arena, d->v.count + 1, sizeof *n->out);
    if (!n->out) return lc_fail_memory(d->err, "names");
    for (uint32_t i = 0; i < d->v.count && b.status == LC_OK; i++) {
        n->out[i] = signature_name(d, d->v.list[i].name, n->out, i);
        if (!n->out[i]) return lc_fail_memory(d->err, "names");
        lc_build_check(&b, lc_graph_add_output(b.graph, lc_variables_reading(&d->v, &b, d->v.list[i].name), d->err));
    }
    return b.status;
}

static lc_status restore(device *d, size_t index, names *n) {
    lc_builder b;
    lc_builder_init(&b, d->model, d->model->graphs[index], d->err);
    n->in = lc_arena_array(&d->model->arena, d->v.count + 1, sizeof *n->in);
    n->out = lc_arena_array(&d->model->arena, 1, sizeof *n->out);
    if (!n->in || !n->out) return lc_fail_memory(d->err, "names");
    for (uint32_t i = 0; i < d->v.count && b.status == LC_OK; i++) {
        const lc_file_variable *v = &d->v.list[i];
        n->in[i] = signature_name(d, v->name, n->in, i);
        if (!n->in[i]) return lc_fail_memory(d->err, "names");
        const int32_t t = lc_build_placeholder(&b, v->name, LC_FLOAT32, v->dims, v->rank);
        if (t >= 0) lc_build_check(&b, lc_graph_add_input(b.graph, t, d->err));
        lc_variables_assign(&b, v->name, t);
    }
    n->out[0] = "variables"; /* a signature gives something: how many there are */
    const int32_t count = (int32_t)d->v.count;
    if (b.status == LC_OK) lc_build_check(&b, lc_graph_add_output(b.graph, lc_build_ints(&b, "variables", &count, 1), d->err));
    return b.status;
}

/* ---- train ---------------------------------------------------------------------------------------------------------------- */

static int32_t read_state(void *user, lc_builder *b, const char *name, const float *first, const int32_t *dims, int32_t rank) {
    device *d = user;
    if (!lc_build_check(b, lc_variables_declare(&d->v, name, first, dims, rank))) return -1;
    return lc_variables_reading(&d->v, b, name);
}

static void write_state(void *user, lc_builder *b, const char *name, int32_t value) {
    (void)user;
    lc_variables_assign(b, name, value);
}

static int32_t append_target(lc_builder *b, const lc_loss *loss, int32_t pred) {
    const bool classes = lc_loss_is_sparse(loss);
    lc_shape s;
    if (!lc_build_shape(b, pred, &s)) return -1;
    const int32_t t = lc_build_placeholder(b, "y", classes ? LC_INT32 : LC_FLOAT32, s.dims, classes ? s.rank - 1 : s.rank);
    if (t >= 0) lc_build_check(b, lc_graph_add_input(b->graph, t, b->err));
    return t;
}

/* The sum of the outputs' losses. Their targets are inputs behind the model's. */
static int32_t append_losses(device *d, lc_builder *b, const int32_t *masks) {
    int32_t sum = -1;
    for (uint32_t k = 0; k < d->net->keras->output_count && b->status == LC_OK; k++) {
        lc_shape s;
        if (!d->net->losses[k]) continue;
        if (!lc_build_shape(b, b->graph->outputs[k], &s)) return -1;
        lc_array classes = {.type = LC_INT32, .rank = s.rank - 1}; /* of "crossentropy" nobody knows more here */
        memcpy(classes.dims, s.dims, sizeof classes.dims);
        lc_net_decide_loss(d->net, b->graph, k, &classes);
        const int32_t pred = lc_net_read_by_loss(d->net, b->graph, k);
        const lc_loss *loss = d->net->losses[k];
        const int32_t mask = masks[k] < 0 ? -1 : b->graph->outputs[masks[k]];
        int32_t one = lc_loss_append(loss, b, append_target(b, loss, pred), pred, mask);
        if (d->net->loss_weights[k] != 1) one = lc_gr_times(b, one, (double)d->net->loss_weights[k]);
        sum = sum < 0 ? one : lc_gr_add(b, sum, one);
    }
    return sum;
}

/* What learns, with its gradients; *loss grows by what regularisers add. */
static lc_graph_variable *append_gradients(device *d, lc_builder *b, const lc_training *t, const lc_penalties *penalties, int32_t *loss,
                                           uint32_t *count) {
    lc_arena *arena = &d->model->arena;
    lc_graph_variable *list = lc_arena_array(arena, t->count + 1, sizeof *list);
    int32_t *wrt = lc_arena_array(arena, t->count + 1, sizeof *wrt), *grads = lc_arena_array(arena, t->count + 1, sizeof *grads),
            *values = lc_arena_array(arena, penalties->count + 1, sizeof *values);
    lc_grad_seed *seeds = lc_arena_array(arena, penalties->count + 1, sizeof *seeds);
    if (!list || !wrt || !grads || !values || !seeds) {
        lc_build_check(b, lc_fail_memory(d->err, "gradients"));
        return NULL;
    }
    seeds[0] = (lc_grad_seed){*loss, lc_gr_number(b, 1)};
    lc_net_penalties(b, penalties, (uint32_t)t->batch, values, seeds + 1);
    for (uint32_t i = 0; i < penalties->count; i++) *loss = lc_gr_add(b, *loss, lc_gr_times(b, values[i], 1.0 / t->batch));
    for (uint32_t i = 0; i < t->count; i++) {
        if (!t->list[i].learns) continue;
        wrt[*count] = t->list[i].tensor;
        list[(*count)++] = (lc_graph_variable){.name = t->list[i].name, .data = t->list[i].data, .value = t->list[i].tensor};
    }
    if (b->status != LC_OK) return NULL;
    lc_grad_append(b, seeds, 1 + penalties->count, wrt, *count, grads);
    for (uint32_t i = 0; i < *count && b->status == LC_OK; i++) {
        const lc_variable *v = lc_net_variable_of(d->net, list[i].data);
        list[i].gradient = grads[i];
        if (v && grads[i] >= 0) list[i].gradient = lc_regularizer_append(v, b, list[i].value, grads[i], loss);
    }
    return list;
}

static lc_status name_train(device *d, names *n) {
    lc_arena *arena = &d->model->arena;
    const lc_signature *s = &d->model->signatures[0];
    const uint32_t outputs = d->net->keras->output_count;
    n->in = lc_arena_array(arena, s->input_count + outputs + 1, sizeof *n->in);
    n->out = lc_arena_array(arena, 1, sizeof *n->out);
    if (!n->in || !n->out) return lc_fail_memory(d->err, "names");
    for (uint32_t i = 0; i < s->input_count; i++) n->in[i] = s->inputs[i].name.data;
    for (uint32_t k = 0, at = s->input_count; k < outputs; k++) {
        if (!d->net->losses[k]) continue;
        const char *name = outputs == 1 ? "y" : lc_arena_printf(arena, "y_%s", lc_net_output_name(d->net, k));
        n->in[at] = name ? signature_name(d, name, n->in, at) : NULL;
        if (!n->in[at++]) return lc_fail_memory(d->err, "names");
    }
    n->out[0] = "loss";
    return LC_OK;
}

static lc_status train(device *d, size_t index, uint32_t batch, names *n) {
    lc_training training = {.batch = (int32_t)batch, .counter = -1};
    lc_penalties penalties = {0};
    const lc_graph_state state = {.user = d, .read = read_state, .write = write_state};
    lc_builder b;
    int32_t masks[LC_NET_MOST];
    LC_TRY(lower_into(d, index, &training, &penalties, masks));
    lc_graph *g = d->model->graphs[index];
    LC_TRY(name_train(d, n));
    lc_builder_init(&b, d->model, g, d->err);
    int32_t loss = append_losses(d, &b, masks);
    g->output_count = 0;
    uint32_t count = 0;
    lc_graph_variable *learning = append_gradients(d, &b, &training, &penalties, &loss, &count);
    if (!learning) return b.status;
    LC_TRY(b.status);
    LC_TRY(lc_optimizer_append(d->net->optimizer, &b, &state, learning, count));
    for (uint32_t i = 0; i < count; i++)
        if (learning[i].updated >= 0) lc_variables_assign(&b, learning[i].name, learning[i].updated);
    if (b.status == LC_OK) lc_build_check(&b, lc_graph_add_output(g, loss, d->err));
    LC_TRY(lc_grad_expand(&b));
    return take_variables(d, &b, &training);
}

/* ---- all of it -------------------------------------------------------------------------------------------------------------- */

static lc_status build(device *d, uint32_t batch) {
    static const char *const keys[] = {"infer", "train", "save", "restore", "initialise"};
    enum { INFER, TRAIN, SAVE, RESTORE, INIT };
    names n[4] = {{0}};
    for (int i = 1; i <= INIT; i++)
        if (!lc_model_add_graph(d->model, lc_str_of(keys[i]))) return lc_fail_memory(d->err, "a graph");
    LC_TRY(train(d, TRAIN, batch, &n[TRAIN])); /* first: it says which variables there are */
    LC_TRY(infer(d, INFER, &n[INFER]));
    LC_TRY(save(d, SAVE, &n[SAVE]));
    LC_TRY(restore(d, RESTORE, &n[RESTORE]));
    LC_TRY(lc_variables_initialise(&d->v, INIT));
    lc_signature *s = lc_arena_array(&d->model->arena, 4, sizeof *s);
    if (!s) return lc_fail_memory(d->err, "signatures");
    for (int i = 0; i < INIT; i++) {
        LC_TRY(lc_variables_call_once(&d->v, d->model->graphs[i], INIT)); /* restore, too: it must not come again after it */
        LC_TRY(lc_graph_compact(d->model->graphs[i], d->err));
        LC_TRY(sign(d, &s[i], keys[i], i, n[i].in, n[i].out));
    }
    d->model->signatures = s;
    d->model->signature_count = 4;
    return lc_model_check(d->model, d->err);
}

lc_status lc_net_save_trainable(lc_net *net, const char *path, uint32_t batch, lc_error *err) {
    lc_error local;
    if (!err) err = &local;
    LC_TRY(lc_net_is_compiled(net, err));
    LC_TRY(lc_net_ports_fit(net, err));
    device d = {.net = net, .err = err, .v = {.err = err}};
    LC_TRY(lc_model_new(&net->limits, &d.model, err));
    d.v.model = d.model;
    lc_status status = build(&d, batch ? batch : 1);
    if (status == LC_OK && path) status = lc_model_save(d.model, path, NULL, err);
    lc_model_destroy(d.model);
    return status;
}
