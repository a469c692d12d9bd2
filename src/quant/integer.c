/*
 * integer.c: writes the graph that plan.c decided on. Each tensor is kept in one form, as its operator writes it; who reads it in another gets
 * that from a QUANTIZE or DEQUANTIZE, which is made once, in front of its first reader.
 *
 *   x float32 -> QUANTIZE -> CONV_2D int8 -> SOFTMAX int8 -> DEQUANTIZE -> y float32
 *
 * Inputs and outputs of graphs that are run from outside have the types that were asked for and keep their names; graphs that others call take
 * and give float32, or what port.c says.
 */
#include "quant/plan.h"

#include "ir/constant.h"

#include <math.h>
#include <string.h>

/* A tensor in other steps; type FLOAT32: as a float. */
typedef struct form {
    lc_steps steps;
    int32_t tensor;
    struct form *next;
} form;

typedef struct work {
    const lc_quant_job *job;
    lc_graph *graph;
    size_t index; /* of the graph */
    lc_quant_plan plan;
    const lc_quant_ports *ports;
    lc_arena *temporary;
    lc_arena scratch; /* for one operator: the floats of its weights can be large */
    form **forms;     /* per tensor, the one it is kept in first */
    int32_t *weights; /* per constant: its integer form; -1: none was made */
    int32_t *same;    /* per integer tensor that QUANTIZE made: the one in its place; itself */
    bool *named;      /* an output of a graph that is run from outside, whose name goes to the form that is given out */
    size_t tensors;   /* of the float graph */
    lc_node *nodes;   /* the new ones */
    size_t count, capacity;
} work;

static lc_tensor *def(const work *w, int32_t t) { return &w->graph->tensors[t]; }
static lc_arena *lasting(const work *w) { return &w->job->model->arena; }

/* ---- forms ------------------------------------------------------------------------------------------------------------------ */

static lc_status add_form(work *w, int32_t of, lc_steps steps, int32_t tensor) {
    form *f = lc_arena_alloc(w->temporary, sizeof *f);
    if (!f) return lc_fail_memory(w->job->err, "quantisation");
    *f = (form){steps, tensor, NULL};
    form **at = &w->forms[of];
    while (*at) at = &(*at)->next;
    *at = f;
    return LC_OK;
}

static lc_status set_steps(work *w, int32_t t, lc_steps s) { return lc_quant_annotate(w->graph, t, s, w->job->err); }

static int32_t in_place_of(const work *w, int32_t t) { return t >= 0 && (size_t)t < w->tensors ? w->same[t] : t; }

/* node: its inputs are an array of its own. */
static lc_status append(work *w, const lc_node *node) {
    void *items = w->nodes;
    if (!lc_arena_grow(lasting(w), &items, &w->capacity, w->count + 1, sizeof *w->nodes)) return lc_fail_memory(w->job->err, "operators");
    w->nodes = items;
    for (uint32_t i = 0; i < node->input_count; i++) node->inputs[i] = in_place_of(w, node->inputs[i]);
    w->nodes[w->count++] = *node;
    return LC_OK;
}

static lc_status convert(work *w, int32_t op, int32_t from, int32_t to, const char *layer) {
    const lc_table_id table = lc_op_get(op)->options;
    lc_node n = {.op = op, .input_count = 1, .output_count = 1, .attrs_table = table, .layer = layer, .debug_metadata_index = -1};
    n.inputs = lc_arena_array(lasting(w), 2, sizeof *n.inputs);
    n.attrs = table == LC_TABLE_NONE ? NULL : lc_arena_alloc(lasting(w), lc_schema_tables[table].size);
    if (!n.inputs || (table != LC_TABLE_NONE && !n.attrs)) return lc_fail_memory(w->job->err, "operators");
    if (n.attrs) lc_schema_init(table, n.attrs);
    n.outputs = n.inputs + 1;
    n.inputs[0] = from;
    n.outputs[0] = to;
    return append(w, &n);
}

static lc_status rename_to(work *w, int32_t t, const char *suffix) {
    const lc_str name = def(w, t)->name;
    const char *longer =
        lc_arena_printf(lasting(w), "%.*s_%s", (int)(name.size > 4096 ? 4096 : name.size), name.data ? name.data : "", suffix);
    if (!longer) return lc_fail_memory(w->job->err, "a tensor's name");
    def(w, t)->name = lc_str_of(longer);
    return LC_OK;
}

/* A tensor like t in these steps, named after it. */
static lc_status new_form(work *w, int32_t t, lc_steps steps, int32_t *made) {
    lc_tensor copy = *def(w, t);
    copy.type = steps.type;
    LC_TRY(lc_graph_add_tensor(w->graph, &copy, made, w->job->err));
    LC_TRY(set_steps(w, *made, steps));
    return rename_to(w, *made, steps.type == LC_FLOAT32 ? "float" : lc_dtype_name(steps.type));
}

static const form *find_form(const work *w, int32_t t, lc_steps want) {
    const form *f = w->forms[t];
    while (f && !lc_steps_equal(f->steps, want)) f = f->next;
    return f;
}

/* *out: tensor t in the form that is wanted. */
static lc_status in_form(work *w, int32_t t, lc_steps want, const char *layer, int32_t *out) {
    const form *kept = w->forms[t], *there = find_form(w, t, want);
    if (there) return *out = there->tensor, LC_OK;
    LC_TRY(new_form(w, t, want, out));
    LC_TRY(add_form(w, t, want, *out));
    return convert(w, want.type == LC_FLOAT32 ? LC_OP_DEQUANTIZE : LC_OP_QUANTIZE, kept->tensor, *out, layer);
}

/* ---- operators ---------------------------------------------------------------------------------------------------------------- */

/* Tensors that were floats and now may be something else. */
static bool flows(const work *w, int32_t t) { return t >= 0 && (size_t)t < w->tensors && w->forms[t]; }

static bool is_constant(const work *w, int32_t t) { return t >= 0 && def(w, t)->type == LC_FLOAT32 && lc_tensor_is_const(def(w, t)); }

static lc_status copy_inputs(work *w, lc_node *n) {
    int32_t *inputs = lc_arena_array(lasting(w), n->input_count, sizeof *inputs);
    if (!inputs) return lc_fail_memory(w->job->err, "operators");
    if (n->input_count) memcpy(inputs, n->inputs, n->input_count * sizeof *inputs);
    n->inputs = inputs;
    return LC_OK;
}

static lc_status write_float(work *w, lc_node n) {
    LC_TRY(copy_inputs(w, &n));
    for (uint32_t i = 0; i < n.input_count; i++) {
        const lc_steps want = lc_quant_port_input(w->ports, w->index, &n, i);
        const int32_t t = n.inputs[i];
        if (flows(w, t)) LC_TRY(in_form(w, t, want, n.layer, &n.inputs[i]));
        else if (is_constant(w, t) && want.type != LC_FLOAT32)
            LC_TRY(lc_quant_operand(w->graph, t, want, &w->scratch, &n.inputs[i], w->job->err));
    }
    return append(w, &n);
}

/* What rounds to `s` is written only where its input is kept otherwise: who reads its output reads the input in these steps. */
static lc_status write_rounding(work *w, lc_node n, lc_steps s) {
    const int32_t x = n.inputs[0], y = n.outputs[0];
    int32_t in = x;
    if (w->plan.of[y].rounded) s = w->plan.of[y].fixed;
    if (n.op == LC_OP_FAKE_QUANT && !w->plan.of[y].rounded) return write_float(w, n);
    if (n.op == LC_OP_DEQUANTIZE) in = w->same[x];
    else if (n.op == LC_OP_FAKE_QUANT) LC_TRY(in_form(w, x, s, n.layer, &in));
    if (n.op != LC_OP_QUANTIZE) return add_form(w, y, s, in);
    const form *there = find_form(w, x, s);
    if (there) return w->same[y] = there->tensor, LC_OK;
    LC_TRY(copy_inputs(w, &n));
    n.inputs[0] = w->forms[x]->tensor;
    n.version = 0;
    LC_TRY(add_form(w, x, s, y));
    return append(w, &n);
}

/* The dimension of the weights that has a scale a slice: none when one scale for all was asked for, or the runtime asks for it. */
static int32_t weight_axis(const work *w, int32_t op, int32_t weights, const lc_op_quant_def *r) {
    const uint32_t target = w->job->options->target_runtime;
    /* operator version 12 is the first with a scale a channel in a dense layer */
    const bool old = op == LC_OP_FULLY_CONNECTED && target && target < lc_op_runtime_version(op, 12);
    /* a model that was trained for its steps asks for no more than it says: every runtime reads it */
    const bool plain = op == LC_OP_FULLY_CONNECTED && !w->job->ranges && !def(w, weights)->quant;
    return w->job->options->per_tensor || old || plain ? -1 : r->axis;
}

/* Scales below which a bias would leave int32, or what LiteRT's int16 kernels multiply in 64 bits; NULL: there is no such bias. */
static lc_status least_scales(work *w, int32_t bias, lc_steps input, uint32_t slices, const float **least) {
    *least = NULL;
    uint64_t n;
    if (bias < 0 || !lc_tensor_elements(def(w, bias), &n) || (slices != 1 && slices != n)) return LC_OK;
    const float *b = lc_quant_floats(def(w, bias), &w->scratch);
    float *scale = lc_arena_array(&w->scratch, slices, sizeof *scale);
    if (!b || !scale) return lc_fail_memory(w->job->err, "quantisation");
    for (size_t i = 0; i < n; i++) {
        const float here = fabsf(b[i]) / (input.scale * (input.type == LC_INT16 ? 0x1p39f : 0x1p30f));
        scale[slices == 1 ? 0 : i] = fmaxf(scale[slices == 1 ? 0 : i], here);
    }
    *least = scale;
    return LC_OK;
}

/* Whether weights that another operator has, too, have the scales that this one's bias needs. */
static bool reaches(const lc_tensor *weights, const float *least) {
    for (uint32_t i = 0; least && i < weights->quant->scale.n; i++)
        if (weights->quant->scale.data[i] < least[i]) return false;
    return true;
}

/* The bias that takes back what rounding the weights does to the mean, if that was asked for and the mean of the data is known. */
static lc_status correct_bias(work *w, lc_node *n, const lc_op_quant_def *r, int32_t data, int32_t weights, int32_t *bias) {
    struct lc_means *const *means = w->job->ranges ? w->job->ranges->means : NULL;
    if (!w->job->options->correct_bias || !means || !lc_quant_has_bias(n) || !flows(w, data)) return LC_OK;
    const lc_means *m = &means[w->index][data];
    LC_TRY(lc_quant_correct_bias(w->graph, n->op, weights, w->weights[weights], m->of, m->channels, *bias, &w->scratch, bias, w->job->err));
    if (*bias < 0 || (uint32_t)r->bias < n->input_count) return LC_OK;
    int32_t *inputs = lc_arena_array(lasting(w), (size_t)r->bias + 1, sizeof *inputs);
    if (!inputs) return lc_fail_memory(w->job->err, "operators");
    memcpy(inputs, n->inputs, n->input_count * sizeof *inputs);
    n->inputs = inputs;
    n->input_count = (uint32_t)r->bias + 1;
    return LC_OK;
}

/* data: the tensor that meets the weights. */
static lc_status write_weights(work *w, lc_node *n, const lc_op_quant_def *r, int32_t data, lc_steps input) {
    const int32_t weights = n->inputs[r->weights], axis = weight_axis(w, n->op, weights, r);
    int32_t bias = (uint32_t)r->bias < n->input_count ? n->inputs[r->bias] : -1;
    const uint32_t slices = axis >= 0 && axis < def(w, weights)->rank ? (uint32_t)def(w, weights)->dims[axis] : 1;
    const float *least;
    LC_TRY(least_scales(w, bias, input, slices, &least));
    if (w->weights[weights] < 0 || !reaches(def(w, w->weights[weights]), least))
        LC_TRY(lc_quant_weights(w->graph, weights, LC_INT8, axis, least, &w->scratch, &w->weights[weights], w->job->err));
    LC_TRY(correct_bias(w, n, r, data, weights, &bias));
    n->inputs[r->weights] = w->weights[weights];
    if (bias < 0) return LC_OK;
    return lc_quant_bias(w->graph, bias, input, w->weights[weights], &w->scratch, &n->inputs[r->bias], w->job->err);
}

/* Of int16, sums take any scales. Else LiteRT shifts where they are nearly powers of two, as 1/32767 is, and cannot where the shifts do not fit. */
static lc_status take_any_scales(work *w, lc_node *n) {
    if ((n->op != LC_OP_ADD && n->op != LC_OP_SUB) || !n->attrs) return LC_OK;
    const size_t size = lc_schema_tables[n->attrs_table].size;
    void *attrs = lc_arena_alloc(lasting(w), size);
    if (!attrs) return lc_fail_memory(w->job->err, "operators");
    memcpy(attrs, n->attrs, size);
    if (n->op == LC_OP_ADD) ((lc_AddOptions *)attrs)->pot_scale_int16 = false;
    else ((lc_SubOptions *)attrs)->pot_scale_int16 = false;
    n->attrs = attrs;
    return LC_OK;
}

static lc_status write_integer(work *w, lc_node n, lc_quant_choice choice) {
    const lc_op_quant_def *r = choice.rule;
    const bool same = r->scales == LC_QUANT_SAME || r->scales == LC_QUANT_ZERO;
    const lc_steps shared = r->scales == LC_QUANT_SAME ? lc_quant_plan_steps(&w->plan, n.outputs[0], choice.type) : choice.zero;
    lc_steps input = {.type = LC_FLOAT32}; /* of the data that meets weights */
    const int32_t data = n.input_count ? n.inputs[0] : LC_ABSENT;
    LC_TRY(copy_inputs(w, &n));
    for (uint32_t i = 0; i < n.input_count; i++) {
        const int32_t t = n.inputs[i];
        if ((int32_t)i == r->weights || (int32_t)i == r->bias) continue;
        if (flows(w, t)) {
            lc_steps s = same ? shared : r->scales == LC_QUANT_ANY ? w->forms[t]->steps : lc_quant_plan_steps(&w->plan, t, choice.type);
            LC_TRY(in_form(w, t, s, n.layer, &n.inputs[i]));
            input = s;
        } else if (is_constant(w, t)) {
            const lc_range masked = w->plan.of[t].range; /* seen: a constant with masks (mask.c) */
            const lc_steps s = same          ? shared
                               : masked.seen ? lc_steps_over(choice.type, masked.low, masked.high)
                                             : lc_quant_constant_steps(def(w, t), choice.type, &w->scratch);
            LC_TRY(lc_quant_operand(w->graph, t, s, &w->scratch, &n.inputs[i], w->job->err));
        }
    }
    if (r->weights >= 0) LC_TRY(write_weights(w, &n, r, data, input));
    if (choice.type == LC_INT16) LC_TRY(take_any_scales(w, &n));
    n.version = 0;
    return append(w, &n);
}

static lc_status write_svdf(work *w, lc_node n, const lc_range_state *state) {
    LC_TRY(copy_inputs(w, &n));
    LC_TRY(in_form(w, n.inputs[0], lc_quant_plan_steps(&w->plan, n.inputs[0], LC_INT8), n.layer, &n.inputs[0]));
    LC_TRY(lc_quant_svdf(w->graph, &n, state, &w->scratch, w->job->err));
    return append(w, &n);
}

static lc_status write_cell(work *w, lc_node n, const lc_range_state *state) {
    if (n.op == LC_OP_SVDF) return write_svdf(w, n, state);
    int32_t states[2]; /* hidden, cell */
    lc_steps steps[2];
    lc_quant_lstm_states(&n, states);
    lc_quant_lstm_state_steps(lc_quant_plan_steps(&w->plan, n.outputs[0], LC_INT8), state, steps);
    LC_TRY(copy_inputs(w, &n));
    for (uint32_t i = 0; i < n.input_count; i++) {
        const int32_t t = n.inputs[i];
        if (i == 0) LC_TRY(in_form(w, t, lc_quant_plan_steps(&w->plan, t, LC_INT8), n.layer, &n.inputs[i]));
        const int k = t == states[LC_LSTM_HIDDEN_STATE] ? LC_LSTM_HIDDEN_STATE : LC_LSTM_CELL_STATE;
        if (t < 0 || t != states[k]) continue;
        if (flows(w, t)) LC_TRY(in_form(w, t, steps[k], n.layer, &n.inputs[i])); /* it is written in front */
        def(w, n.inputs[i])->is_variable = true;
        w->forms[t] = NULL; /* who reads it behind the operator reads what is left there */
        LC_TRY(add_form(w, t, steps[k], n.inputs[i]));
    }
    LC_TRY(lc_quant_lstm(w->graph, &n, state, &w->scratch, w->job->err));
    return append(w, &n);
}

/* ---- what comes in and goes out -------------------------------------------------------------------------------------------------- */

/* The signatures' names of old become those of now. */
static void move_entries(work *w, bool inputs, int32_t old, int32_t now) {
    lc_model *m = w->job->model;
    for (size_t i = 0; i < m->signature_count; i++) {
        lc_signature *s = &m->signatures[i];
        if (s->graph < 0 || m->graphs[s->graph] != w->graph) continue;
        lc_signature_entry *e = inputs ? s->inputs : s->outputs;
        for (uint32_t k = 0, n = inputs ? s->input_count : s->output_count; k < n; k++)
            if (e[k].tensor == old) e[k].tensor = now;
    }
}

/* The name of `t` goes to `to`, which is seen from outside; t is called after its type. */
static lc_status hand_name(work *w, int32_t t, int32_t to) {
    def(w, to)->name = def(w, t)->name;
    return rename_to(w, t, lc_dtype_name(def(w, t)->type));
}

/* int8 and uint8 are the same steps, 128 apart. */
static lc_steps as_uint8(lc_steps s) {
    if (s.type == LC_FLOAT32) return s;
    s.type = LC_UINT8;
    s.zero += 128;
    return s;
}

static lc_status write_inputs(work *w) {
    lc_graph *g = w->graph;
    for (size_t i = 0; i < g->input_count && w->job->options->input_type == LC_UINT8; i++) {
        const int32_t t = g->inputs[i];
        int32_t outside;
        if (!flows(w, t) || w->forms[t]->steps.type != LC_INT8) continue;
        LC_TRY(new_form(w, t, as_uint8(w->forms[t]->steps), &outside));
        LC_TRY(hand_name(w, t, outside));
        LC_TRY(convert(w, LC_OP_QUANTIZE, outside, t, NULL));
        g->inputs[i] = outside;
        move_entries(w, true, t, outside);
    }
    return LC_OK;
}

static lc_status write_outputs(work *w, bool entry) {
    lc_graph *g = w->graph;
    const lc_dtype type = entry ? w->job->options->output_type : LC_FLOAT32;
    for (size_t i = 0; i < g->output_count; i++) {
        const int32_t t = g->outputs[i];
        lc_steps want = w->ports->out[w->index][i];
        int32_t outside = in_place_of(w, t);
        if (type == LC_UINT8 && flows(w, t)) want = as_uint8(lc_quant_plan_steps(&w->plan, t, LC_INT8));
        else if (type != LC_FLOAT32 && flows(w, t)) want = lc_quant_plan_steps(&w->plan, t, type);
        if (flows(w, t)) LC_TRY(in_form(w, t, want, NULL, &outside));
        if (type != LC_FLOAT32 && flows(w, t) && want.type != LC_FLOAT32) w->job->report->ports++;
        if (outside == t) continue;
        if (entry && w->named[t]) LC_TRY(hand_name(w, t, outside));
        w->named[t] = false;
        g->outputs[i] = outside;
        move_entries(w, false, t, outside);
    }
    return LC_OK;
}

/* ---- a graph ------------------------------------------------------------------------------------------------------------------ */

static lc_status begin(work *w) {
    const lc_graph *g = w->graph;
    w->tensors = g->tensor_count;
    w->forms = lc_arena_array(w->temporary, g->tensor_count + 1, sizeof *w->forms);
    w->weights = lc_arena_array(w->temporary, g->tensor_count + 1, sizeof *w->weights);
    w->named = lc_arena_array(w->temporary, g->tensor_count + 1, sizeof *w->named);
    w->same = lc_arena_array(w->temporary, g->tensor_count + 1, sizeof *w->same);
    if (!w->forms || !w->weights || !w->named || !w->same) return lc_fail_memory(w->job->err, "quantisation");
    for (size_t t = 0; t < w->tensors; t++) {
        w->weights[t] = -1;
        w->same[t] = (int32_t)t;
        if (w->plan.of[t].rounded) continue; /* its form is its input's */
        if (def(w, (int32_t)t)->type != LC_FLOAT32 || lc_tensor_is_const(def(w, (int32_t)t)) || def(w, (int32_t)t)->is_variable) continue;
        const lc_dtype kept = w->plan.of[t].kept;
        lc_steps s = {.type = LC_FLOAT32};
        if (kept != LC_FLOAT32) s = lc_quant_plan_steps(&w->plan, (int32_t)t, kept);
        LC_TRY(set_steps(w, (int32_t)t, s));
        LC_TRY(add_form(w, (int32_t)t, s, (int32_t)t));
    }
    for (size_t i = 0; i < g->input_count; i++)
        w->job->report->ports += flows(w, g->inputs[i]) && w->forms[g->inputs[i]]->steps.type != LC_FLOAT32;
    for (size_t i = 0; i < g->output_count; i++) w->named[g->outputs[i]] = true;
    for (size_t i = 0; i < g->input_count; i++) w->named[g->inputs[i]] = false;
    return LC_OK;
}

static lc_status write_graph(work *w, bool entry) {
    lc_graph *g = w->graph;
    LC_TRY(lc_quant_plan_graph(w->job, w->ports, w->index, entry, w->temporary, &w->plan));
    LC_TRY(begin(w));
    if (entry) LC_TRY(write_inputs(w));
    for (size_t n = 0; n < g->node_count; n++) {
        const lc_node node = g->nodes[n];
        if (node.op == LC_NODE_DEAD) continue;
        const lc_op_quant_def *rule = w->plan.choice[n].rule;
        const lc_steps rounds = w->plan.choice[n].rounds;
        const lc_status status = rounds.type != LC_FLOAT32       ? write_rounding(w, node, rounds)
                                 : !rule                         ? write_float(w, node)
                                 : rule->scales == LC_QUANT_CELL ? write_cell(w, node, &w->job->ranges->states[w->index][n])
                                                                 : write_integer(w, node, w->plan.choice[n]);
        lc_arena_deinit(&w->scratch);
        if (status) return status;
    }
    LC_TRY(write_outputs(w, entry));
    g->nodes = w->nodes;
    g->node_count = w->count;
    g->node_capacity = w->capacity;
    return lc_graph_compact(g, w->job->err);
}

/* entry[g]: no other graph calls it. */
static bool *find_entries(const lc_model *m, lc_arena *temporary) {
    bool *entry = lc_arena_array(temporary, m->graph_count + 1, sizeof *entry);
    for (size_t g = 0; entry && g < m->graph_count; g++) entry[g] = true;
    for (size_t g = 0; entry && g < m->graph_count; g++)
        for (size_t n = 0; n < m->graphs[g]->node_count; n++) {
            const uint32_t count = lc_op_calls(&m->graphs[g]->nodes[n], NULL, 0);
            int32_t *called = count ? lc_arena_array(temporary, count, sizeof *called) : NULL;
            if (count && !called) return NULL;
            lc_op_calls(&m->graphs[g]->nodes[n], called, count);
            for (uint32_t i = 0; i < count; i++)
                if (called[i] > 0 && (size_t)called[i] < m->graph_count) entry[called[i]] = false;
        }
    return entry;
}

lc_status lc_quant_integer(lc_quant_job *job) {
    lc_arena temporary = {0};
    const bool *entry = find_entries(job->model, &temporary);
    lc_quant_ports ports;
    lc_status status = entry ? lc_quant_ports_find(job, &temporary, &ports) : lc_fail_memory(job->err, "quantisation");
    for (size_t g = 0; status == LC_OK && g < job->model->graph_count; g++) {
        lc_arena here = {0};
        work w = {.job = job, .graph = job->model->graphs[g], .ports = &ports, .index = g, .temporary = &here};
        status = write_graph(&w, entry[g]);
        lc_arena_deinit(&w.scratch);
        lc_arena_deinit(&here);
    }
    lc_arena_deinit(&temporary);
    return status;
}
