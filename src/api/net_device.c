/*
 * net_device.c: a .tflite file that a device goes on training with, in builtin operators alone. Weights are variables (VAR_HANDLE,
 * READ_VARIABLE, ASSIGN_VARIABLE) that all signatures share; the first call of any gives them the values they have now (CALL_ONCE).
 *
 *   train    inputs and targets of one batch of a fixed size ──▶ loss; one step of the optimizer
 *   infer    inputs ──▶ outputs, any batch
 *   save     ──▶ all variables, by name
 *   restore  all variables, by name
 *
 * The training graph is the one that lc_fit runs: forward, loss, gradients (grad/grad.h), then its own operators are said in builtin ones
 * (grad/expand.h), and the optimizer follows as operators. Refused: losses and optimizers that are not among those below.
 */
#include "api/net.h"
#include "api/variable_file.h"

#include "grad/expand.h"
#include "lower/training.h"
#include "train/config.h"

#include <ctype.h>
#include <math.h>
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

static const char *signature_name(device *d, const char *name) {
    char *text = lc_arena_strndup(&d->model->arena, name, strlen(name));
    for (char *c = text; c && *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_') *c = '_';
    return text;
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

/* The model lowered into graph `index`. */
static lc_status lower_into(device *d, size_t index, lc_training *training) {
    lc_model *m = d->model;
    lc_graph *first = m->graphs[0];
    const lc_lower_options o = {.unroll = true, .training = training};
    m->graphs[0] = m->graphs[index], m->graphs[index] = first;
    const lc_status status = lc_lower_keras(d->net->keras, &o, m, d->err);
    first = m->graphs[0];
    m->graphs[0] = m->graphs[index], m->graphs[index] = first;
    for (uint32_t i = 0; status == LC_OK && i < training->count; i++) {
        const lc_trained *t = &training->list[i];
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
    LC_TRY(lower_into(d, index, &training));
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
        n->out[i] = signature_name(d, d->v.list[i].name);
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
        n->in[i] = signature_name(d, v->name);
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

static int32_t two(lc_builder *b, int32_t op, int32_t x, int32_t y) { return lc_build_binary(b, op, x, y, LC_ActivationFunctionType_NONE); }
static int32_t with(lc_builder *b, int32_t op, int32_t x, double v) { return lc_build_with_scalar(b, op, x, "constant", (float)v); }

static int32_t mean_of_all(lc_builder *b, int32_t x) {
    lc_shape s;
    int32_t axes[LC_MAX_RANK];
    if (!lc_build_shape(b, x, &s)) return -1;
    for (int32_t i = 0; i < s.rank; i++) axes[i] = i;
    return lc_build_reduce(b, LC_OP_MEAN, x, axes, (uint32_t)s.rank, false);
}

static int32_t target(lc_builder *b, lc_dtype type, const int32_t *dims, int32_t rank) {
    const int32_t t = lc_build_placeholder(b, "y", type, dims, rank);
    if (t >= 0) lc_build_check(b, lc_graph_add_input(b->graph, t, b->err));
    return t;
}

/* softmax cross entropy of logits z: d = (softmax(z) - y) / rows; loss = -mean(sum(y log softmax(z))) */
static int32_t cross_entropy(lc_builder *b, int32_t z, const lc_shape *s, bool sparse, int32_t *loss) {
    const int32_t last = s->rank - 1;
    double rows = 1;
    for (int32_t i = 0; i < last; i++) rows *= s->dims[i];
    int32_t y;
    if (sparse) {
        const int32_t depth = s->dims[last], on = lc_build_scalar(b, "on", 1), off = lc_build_scalar(b, "off", 0);
        int32_t *one = lc_build_data(b, sizeof *one);
        if (one) *one = depth;
        const int32_t classes = lc_build_const(b, "depth", LC_INT32, NULL, 0, one, sizeof *one, true);
        const int32_t in[4] = {target(b, LC_INT32, s->dims, last), classes, on, off};
        const lc_OneHotOptions o = {.axis = -1};
        y = lc_build_op(b, LC_OP_ONE_HOT, LC_TABLE_OneHotOptions, &o, in, 4);
    } else {
        y = target(b, LC_FLOAT32, s->dims, s->rank);
    }
    const lc_SoftmaxOptions o = {.beta = 1};
    const int32_t p = lc_build_op(b, LC_OP_SOFTMAX, LC_TABLE_SoftmaxOptions, &o, &z, 1);
    const int32_t each = lc_build_reduce(b, LC_OP_SUM, two(b, LC_OP_MUL, y, lc_build_unary(b, LC_OP_LOG_SOFTMAX, z)), &last, 1, false);
    *loss = lc_build_unary(b, LC_OP_NEG, mean_of_all(b, each));
    return with(b, LC_OP_MUL, two(b, LC_OP_SUB, p, y), 1 / rows);
}

/* Of logits z: d = (logistic(z) - y) / n; loss = mean(max(z, 0) - z y + log(1 + exp(-|z|))) */
static int32_t binary_cross_entropy(lc_builder *b, int32_t z, const lc_shape *s, double n, int32_t *loss) {
    const int32_t y = target(b, LC_FLOAT32, s->dims, s->rank);
    const int32_t tail = lc_build_unary(
        b, LC_OP_LOG, with(b, LC_OP_ADD, lc_build_unary(b, LC_OP_EXP, lc_build_unary(b, LC_OP_NEG, lc_build_unary(b, LC_OP_ABS, z))), 1));
    const int32_t head = two(b, LC_OP_SUB, lc_build_unary(b, LC_OP_RELU, z), two(b, LC_OP_MUL, z, y));
    *loss = mean_of_all(b, two(b, LC_OP_ADD, head, tail));
    return with(b, LC_OP_MUL, two(b, LC_OP_SUB, lc_build_unary(b, LC_OP_LOGISTIC, z), y), 1 / n);
}

/* The gradient with respect to `pred`, and the loss. */
static int32_t loss_of(device *d, lc_builder *b, int32_t pred, bool activated, int32_t *loss) {
    const char *name = lc_loss_name(d->net->losses[0]), *activation = lc_loss_activation(d->net->losses[0]);
    lc_shape s;
    if (!lc_build_shape(b, pred, &s)) return -1;
    double n = 1;
    for (int32_t i = 0; i < s.rank; i++) n *= s.dims[i];
    const bool logits = activated || !activation; /* without one to undo it takes logits already */
    if (strcmp(name, "sparse_categorical_crossentropy") == 0 && logits) return cross_entropy(b, pred, &s, true, loss);
    if (strcmp(name, "categorical_crossentropy") == 0 && logits) return cross_entropy(b, pred, &s, false, loss);
    if (strcmp(name, "binary_crossentropy") == 0 && logits) return binary_cross_entropy(b, pred, &s, n, loss);
    if (strcmp(name, "mean_squared_error") == 0 || strcmp(name, "mse") == 0) {
        const int32_t y = target(b, LC_FLOAT32, s.dims, s.rank);
        *loss = mean_of_all(b, two(b, LC_OP_SQUARED_DIFFERENCE, pred, y));
        return with(b, LC_OP_MUL, two(b, LC_OP_SUB, pred, y), 2 / n);
    }
    lc_build_fail(b, LC_UNSUPPORTED, "training on a device knows no %s%s", name,
                  logits ? "" : " of what is not the output of its activation");
    lc_build_hint(b, "it knows the cross entropies (behind softmax or sigmoid, or from logits) and mean_squared_error");
    return -1;
}

typedef struct rates {
    bool adam, nesterov;
    double rate, momentum, beta_1, beta_2, epsilon;
} rates;

static double number(const lc_json *config, const char *key, double otherwise) {
    const lc_json *v = lc_json_get(config, key);
    return v && (v->kind == LC_JSON_REAL || v->kind == LC_JSON_INT) ? v->real : otherwise;
}

static lc_status read_optimizer(device *d, rates *r) {
    const lc_json *optimizer = lc_json_get(d->net->compiled, "optimizer"), *config = lc_json_get(optimizer, "config");
    const char *name = lc_json_is(optimizer, LC_JSON_STRING)           ? optimizer->string
                       : !optimizer || optimizer->kind == LC_JSON_NULL ? "rmsprop"
                                                                       : lc_json_str(optimizer, "class_name", "");
    const lc_json *nesterov = lc_json_get(config, "nesterov");
    lc_class class;
    *r = (rates){.rate = (double)lc_optimizer_learning_rate(d->net->optimizer),
                 .nesterov = nesterov && nesterov->boolean,
                 .momentum = number(config, "momentum", 0),
                 .beta_1 = number(config, "beta_1", 0.9),
                 .beta_2 = number(config, "beta_2", 0.999),
                 .epsilon = number(config, "epsilon", 1e-7)};
    const bool known = lc_class_find(LC_CLASS_OPTIMIZER, name, &class);
    r->adam = known && strcmp(class.name, "Adam") == 0;
    if (r->adam || (known && strcmp(class.name, "SGD") == 0)) return LC_OK;
    lc_fail(d->err, LC_UNSUPPORTED, "training on a device knows no optimizer %s", name);
    lc_error_hint(d->err, "compile the model with SGD (with momentum) or Adam");
    return LC_UNSUPPORTED;
}

static lc_status slot(device *d, lc_builder *b, const char *kind, const lc_trained *t, const char **name, int32_t *value) {
    *name = lc_arena_printf(&d->model->arena, "%s/%s", kind, t->name);
    if (!*name) return lc_fail_memory(d->err, "a variable");
    LC_TRY(lc_variables_declare(&d->v, *name, NULL, t->dims, t->rank));
    *value = lc_variables_reading(&d->v, b, *name);
    return b->status;
}

static lc_status descend(device *d, lc_builder *b, const lc_trained *t, int32_t g, const rates *r, int32_t rate) {
    const char *m_name, *v_name;
    int32_t m, v, step;
    if (r->adam) {
        LC_TRY(slot(d, b, "adam/m", t, &m_name, &m));
        LC_TRY(slot(d, b, "adam/v", t, &v_name, &v));
        m = two(b, LC_OP_ADD, m, with(b, LC_OP_MUL, two(b, LC_OP_SUB, g, m), 1 - r->beta_1));
        v = two(b, LC_OP_ADD, v, with(b, LC_OP_MUL, two(b, LC_OP_SUB, lc_build_unary(b, LC_OP_SQUARE, g), v), 1 - r->beta_2));
        lc_variables_assign(b, m_name, m);
        lc_variables_assign(b, v_name, v);
        step = two(b, LC_OP_DIV, two(b, LC_OP_MUL, m, rate), with(b, LC_OP_ADD, lc_build_unary(b, LC_OP_SQRT, v), r->epsilon));
    } else if (r->momentum != 0) {
        LC_TRY(slot(d, b, "momentum", t, &m_name, &m));
        const int32_t now = with(b, LC_OP_MUL, g, r->rate);
        m = two(b, LC_OP_ADD, with(b, LC_OP_MUL, m, r->momentum), now);
        lc_variables_assign(b, m_name, m);
        step = r->nesterov ? two(b, LC_OP_ADD, with(b, LC_OP_MUL, m, r->momentum), now) : m;
    } else {
        step = with(b, LC_OP_MUL, g, r->rate);
    }
    lc_variables_assign(b, t->name, two(b, LC_OP_SUB, t->tensor, step));
    return b->status;
}

/* Adam's rate at step t: rate sqrt(1 - beta_2^t) / (1 - beta_1^t). */
static int32_t adam_rate(device *d, lc_builder *b, const rates *r) {
    const int32_t one = 1;
    if (lc_variables_declare(&d->v, "adam/iteration", NULL, &one, 1) != LC_OK) return -1;
    const int32_t t = with(b, LC_OP_ADD, lc_variables_reading(&d->v, b, "adam/iteration"), 1);
    lc_variables_assign(b, "adam/iteration", t);
    const int32_t a = lc_build_unary(b, LC_OP_EXP, with(b, LC_OP_MUL, t, log(r->beta_1))),
                  v = lc_build_unary(b, LC_OP_EXP, with(b, LC_OP_MUL, t, log(r->beta_2)));
    const int32_t above = lc_build_unary(b, LC_OP_SQRT, with(b, LC_OP_ADD, lc_build_unary(b, LC_OP_NEG, v), 1));
    return with(b, LC_OP_MUL, two(b, LC_OP_DIV, above, with(b, LC_OP_ADD, lc_build_unary(b, LC_OP_NEG, a), 1)), r->rate);
}

static lc_status train(device *d, size_t index, uint32_t batch, names *n) {
    lc_training training = {.batch = (int32_t)batch, .counter = -1};
    lc_arena *arena = &d->model->arena;
    rates r;
    lc_builder b;
    LC_TRY(read_optimizer(d, &r));
    LC_TRY(lower_into(d, index, &training));
    lc_graph *g = d->model->graphs[index];
    const lc_signature *s = &d->model->signatures[0];
    n->in = lc_arena_array(arena, s->input_count + 2, sizeof *n->in);
    n->out = lc_arena_array(arena, 1, sizeof *n->out);
    int32_t *wrt = lc_arena_array(arena, training.count + 1, sizeof *wrt),
            *grads = lc_arena_array(arena, training.count + 1, sizeof *grads);
    if (!n->in || !n->out || !wrt || !grads) return lc_fail_memory(d->err, "names");
    for (uint32_t i = 0; i < s->input_count; i++) n->in[i] = s->inputs[i].name.data;
    n->in[s->input_count] = "y";
    n->out[0] = "loss";
    lc_builder_init(&b, d->model, g, d->err);
    const int32_t out = g->outputs[0], pred = lc_net_read_by_loss(d->net, g, 0);
    g->output_count = 0;
    int32_t loss = -1;
    const lc_grad_seed seed = {pred, loss_of(d, &b, pred, pred != out, &loss)};
    uint32_t learning = 0;
    for (uint32_t i = 0; i < training.count; i++)
        if (training.list[i].learns) wrt[learning++] = training.list[i].tensor;
    LC_TRY(lc_grad_append(&b, &seed, 1, wrt, learning, grads));
    const int32_t rate = r.adam ? adam_rate(d, &b, &r) : -1;
    for (uint32_t i = 0, k = 0; i < training.count; i++) {
        if (!training.list[i].learns) continue;
        if (grads[k] >= 0) LC_TRY(descend(d, &b, &training.list[i], grads[k], &r, rate));
        k++;
    }
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
    if (net->keras->output_count != 1)
        return lc_fail(err, LC_UNSUPPORTED, "training on a device knows models with one output, this has %u", net->keras->output_count);
    device d = {.net = net, .err = err, .v = {.err = err}};
    LC_TRY(lc_model_new(&net->limits, &d.model, err));
    d.v.model = d.model;
    lc_status status = build(&d, batch ? batch : 1);
    if (status == LC_OK) status = lc_model_save(d.model, path, NULL, err);
    lc_model_destroy(d.model);
    return status;
}
