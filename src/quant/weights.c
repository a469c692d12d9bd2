/*
 * weights.c: the schemes that change constants alone; activations stay float32.
 *
 *   kernel   int8 or int4 weights, which the operator's hybrid kernel multiplies with activations that it makes integers while it runs
 *   front    W int8 or float16 -> DEQUANTIZE -> the operator: a smaller file, computed once, float arithmetic
 *   behind   GATHER picks rows of an int8 table, and only those are made floats: the table never is
 *
 * operand.c says which operator takes which; cells of LSTM, RNN and SVDF take integers for all of their weights or for none. A form that
 * target_runtime does not have gives way to an older one: a scale a channel to one for all, asymmetric activations to symmetric, both to
 * DEQUANTIZE, that to float. Large constants that are no weights become float16 under each scheme.
 *
 * A constant is made once in each form it is wanted in, whoever shares it; the float one stays where somebody reads it. What cannot be kept
 * stays float with a note: infinite elements as integers, elements that are no normal float16.
 *
 * Forms are those of TensorFlow's converter (tensorflow.org/lite/performance/post_training_quant), which runs TRANSPOSE_CONV in the kernel
 * and leaves other constants than weights alone.
 */
#include "quant/operand.h"
#include "quant/quant.h"

#include "base/half.h"
#include "ir/constant.h"

#include <math.h>
#include <string.h>

enum { NO_AXIS = LC_OPERAND_NO_AXIS, MOST_SLOTS = LC_OPERAND_MOST_SLOTS };
enum { LEAST_INTEGERS = 1024, LEAST_HALFS = 64 /* under that the file would grow by the DEQUANTIZE */ };
enum {
    BLOCK_RELEASE = 22000,
    INT4_RELEASE = 21800,
    HALF_RELEASE = 11500,
    AXIS_RELEASE = 20700,
    INT8_RELEASE = 11400
}; /* of DEQUANTIZE from these */

/* A constant in another form. */
typedef struct form {
    lc_dtype type;
    int32_t axis;
    uint32_t block;
    int32_t constant;
    int32_t real; /* the floats that DEQUANTIZE makes of it; LC_ABSENT: nobody has asked */
    struct form *next;
} form;

enum { SCANNED = 1, FINITE = 2, NORMAL_HALF = 4 };

typedef struct work {
    const lc_quant_job *job;
    lc_graph *graph;
    lc_arena temporary, scratch; /* for the graph; for one operator: the floats of its weights can be large */
    form **forms;                /* [tensors] */
    uint8_t *known;              /* [tensors] what was found out about a constant */
    size_t tensors, nodes;       /* of the graph as it came */
    size_t *place;               /* of each new node: twice the operator it is for, one more when it comes behind */
    size_t place_capacity;
    size_t at; /* the operator whose turn it is */
    bool changed;
    const char *reason; /* why it did not change */
    const char *wider;  /* why it is not int4, or not in blocks */
} work;

static lc_node *node_of(const work *w) { return &w->graph->nodes[w->at]; }
static lc_tensor *tensor_of(const work *w, int32_t t) { return &w->graph->tensors[t]; }
static const lc_quantize_options *options_of(const work *w) { return w->job->options; }
static bool has(const work *w, uint32_t release) { return !options_of(w)->target_runtime || options_of(w)->target_runtime >= release; }

static uint64_t elements(const lc_tensor *t) {
    uint64_t n;
    return lc_tensor_elements(t, &n) ? n : 0;
}

/* A float constant of the graph as it came. */
static bool is_weights(const work *w, int32_t t) {
    const lc_tensor *c = t >= 0 && (size_t)t < w->tensors ? tensor_of(w, t) : NULL;
    return c && c->type == LC_FLOAT32 && lc_tensor_is_const(c) && !c->is_variable && !c->sparsity && elements(c) > 0;
}

static uint64_t least(const work *w, uint32_t otherwise) { return options_of(w)->min_weights ? options_of(w)->min_weights : otherwise; }

static lc_status scan(work *w, int32_t t, uint8_t *known) {
    if (!w->known[t]) {
        const lc_tensor *c = tensor_of(w, t);
        const float *f = lc_quant_floats(c, &w->scratch);
        if (!f) return lc_fail_memory(w->job->err, "quantisation");
        bool finite = true;
        float most = 0;
        for (uint64_t i = 0, n = elements(c); i < n; i++) {
            if (!isfinite(f[i])) finite = false;
            else most = fmaxf(most, fabsf(f[i]));
        }
        w->known[t] = (uint8_t)(SCANNED | (finite ? FINITE : 0) | (most == 0 || (most >= 0x1p-14f && most < 65520) ? NORMAL_HALF : 0));
    }
    *known = w->known[t];
    return LC_OK;
}

/* ---- operators in front and behind ------------------------------------------------------------------------------------------- */

static lc_status add_node(work *w, int32_t op, int32_t from, int32_t to, bool behind) {
    void *places = w->place;
    const size_t count = w->graph->node_count - w->nodes;
    const lc_table_id table = lc_op_get(op)->options;
    void *attrs = NULL;
    lc_node *made;
    if (table != LC_TABLE_NONE) {
        attrs = lc_arena_alloc(&w->scratch, lc_schema_tables[table].size);
        if (!attrs) return lc_fail_memory(w->job->err, "operators");
        lc_schema_init(table, attrs);
    }
    if (!lc_arena_grow(&w->temporary, &places, &w->place_capacity, count + 1, sizeof *w->place))
        return lc_fail_memory(w->job->err, "operators");
    w->place = places;
    w->place[count] = 2 * w->at + behind;
    LC_TRY(lc_graph_add_node(w->graph, op, table, attrs, &from, 1, &to, 1, &made, w->job->err));
    made->layer = node_of(w)->layer;
    return LC_OK;
}

/* The tensor `like` once more, without its bytes. */
static lc_status add_tensor(work *w, int32_t like, const char *suffix, lc_dtype type, const lc_QuantizationParameters *quant,
                            int32_t *made) {
    lc_tensor t = *tensor_of(w, like);
    const char *name =
        lc_arena_printf(&w->scratch, "%.*s%s", (int)(t.name.size > 4096 ? 4096 : t.name.size), t.name.data ? t.name.data : "", suffix);
    if (!name) return lc_fail_memory(w->job->err, "tensors");
    t.name = lc_str_of(name);
    t.type = type;
    t.quant = quant;
    t.data = NULL;
    t.deferred = NULL;
    t.size = 0;
    t.data_at = LC_NO_OFFSET;
    t.data_owned = false;
    return lc_graph_add_tensor(w->graph, &t, made, w->job->err);
}

static void set_input(work *w, int32_t k, int32_t tensor) {
    node_of(w)->inputs[k] = tensor;
    node_of(w)->version = 0;
    w->changed = true;
}

/* New nodes take their places; those for one operator stand in the order in which they were made. */
static lc_status put_in_order(work *w) {
    lc_graph *g = w->graph;
    const size_t added = g->node_count - w->nodes;
    if (!added) return LC_OK;
    lc_node *all = lc_arena_array(&g->model->arena, g->node_count, sizeof *all);
    if (!all) return lc_fail_memory(w->job->err, "operators");
    size_t to = 0, next = 0;
    for (size_t i = 0; i < w->nodes; i++) {
        for (size_t k = next; k < added && w->place[k] / 2 == i; k++)
            if (w->place[k] == 2 * i) all[to++] = g->nodes[w->nodes + k];
        all[to++] = g->nodes[i];
        for (; next < added && w->place[next] / 2 == i; next++)
            if (w->place[next] == 2 * i + 1) all[to++] = g->nodes[w->nodes + next];
    }
    g->nodes = all;
    g->node_capacity = g->node_count;
    return LC_OK;
}

/* ---- forms of a constant ----------------------------------------------------------------------------------------------------- */

static lc_status add_constant(work *w, int32_t like, lc_dtype type, const int32_t *dims, size_t size, const void *data,
                              const lc_QuantizationParameters *quant, int32_t *made) {
    lc_tensor t = *tensor_of(w, like);
    t = (lc_tensor){.name = t.name,
                    .type = type,
                    .rank = t.rank,
                    .dims = dims ? (int32_t *)(uintptr_t)dims : t.dims, /* copied */
                    .has_rank = true,
                    .data = data,
                    .size = size,
                    .data_at = LC_NO_OFFSET,
                    .data_owned = true,
                    .quant = quant};
    return lc_graph_add_tensor(w->graph, &t, made, w->job->err);
}

static lc_status make_halfs(work *w, int32_t t, int32_t *made) {
    const size_t n = (size_t)elements(tensor_of(w, t));
    const float *f = lc_quant_floats(tensor_of(w, t), &w->scratch);
    uint16_t *h = lc_arena_data(&w->graph->model->arena, n * sizeof *h);
    if (!f || !h) return lc_fail_memory(w->job->err, "a constant");
    for (size_t i = 0; i < n; i++) h[i] = lc_float_to_half(f[i]);
    return add_constant(w, t, LC_FLOAT16, NULL, n * sizeof *h, h, NULL, made);
}

/* int4 with a scale for each `block` elements of a row: a float16 constant that the quantisation names. The scales are rounded first, so that
 * the elements are rounded to the steps that are read. */
static lc_status make_blocks(work *w, int32_t t, uint32_t block, int32_t *made) {
    lc_arena *arena = &w->graph->model->arena;
    const int32_t *dims = tensor_of(w, t)->dims;
    const size_t n = (size_t)elements(tensor_of(w, t)), blocks = n / block;
    const int32_t scale_dims[] = {dims[0], dims[1] / (int32_t)block};
    const float *f = lc_quant_floats(tensor_of(w, t), &w->scratch);
    uint8_t *q = lc_arena_data(arena, n / 2);
    uint16_t *scales = lc_arena_data(arena, blocks * sizeof *scales);
    lc_QuantizationParameters *quant = lc_arena_alloc(arena, sizeof *quant);
    lc_BlockwiseQuantization *b = lc_arena_alloc(arena, sizeof *b);
    if (!f || !q || !scales || !quant || !b) return lc_fail_memory(w->job->err, "a constant");
    for (size_t i = 0; i < blocks; i++) {
        float most = 0;
        for (size_t k = 0; k < block; k++) most = fmaxf(most, fabsf(f[i * block + k]));
        scales[i] = lc_float_to_half(most / 7);
        if (!(lc_half_to_float(scales[i]) > 0)) scales[i] = lc_float_to_half(1); /* all zeros, or as good as that: XNNPACK refuses 0 */
        const float scale = lc_half_to_float(scales[i]);
        for (size_t k = 0; k < block; k += 2) {
            const float low = fminf(fmaxf(nearbyintf(f[i * block + k] / scale), -7), 7);
            const float high = fminf(fmaxf(nearbyintf(f[i * block + k + 1] / scale), -7), 7);
            q[(i * block + k) / 2] = (uint8_t)(((int)low & 15) | ((int)high & 15) << 4);
        }
    }
    lc_schema_init(LC_TABLE_QuantizationParameters, quant);
    lc_schema_init(LC_TABLE_BlockwiseQuantization, b);
    LC_TRY(add_constant(w, t, LC_FLOAT16, scale_dims, blocks * sizeof *scales, scales, NULL, &b->scales));
    b->zero_points = -1;
    b->block_size = (int32_t)block;
    quant->details.type = LC_QuantizationDetails_BlockwiseQuantization;
    quant->details.value = b;
    return add_constant(w, t, LC_INT4, NULL, n / 2, q, quant, made);
}

static form *find_form(const work *w, int32_t t, lc_dtype type, int32_t axis, uint32_t block) {
    form *f = w->forms[t];
    while (f && (f->type != type || f->axis != axis || f->block != block)) f = f->next;
    return f;
}

static lc_status take_form(work *w, int32_t t, lc_dtype type, int32_t axis, uint32_t block, form **out) {
    form *f = find_form(w, t, type, axis, block);
    if (!f) {
        f = lc_arena_alloc(&w->temporary, sizeof *f);
        if (!f) return lc_fail_memory(w->job->err, "quantisation");
        *f = (form){type, axis, block, LC_ABSENT, LC_ABSENT, w->forms[t]};
        if (type == LC_FLOAT16) LC_TRY(make_halfs(w, t, &f->constant));
        else if (block) LC_TRY(make_blocks(w, t, block, &f->constant));
        else LC_TRY(lc_quant_weights(w->graph, t, type, axis, NULL, &w->scratch, &f->constant, w->job->err));
        w->forms[t] = f;
    }
    *out = f;
    return LC_OK;
}

/* Input k reads the floats that DEQUANTIZE makes of the form. */
static lc_status read_real(work *w, int32_t k, form *f) {
    if (f->real == LC_ABSENT) {
        LC_TRY(add_tensor(w, f->constant, "_dequantized", LC_FLOAT32, NULL, &f->real));
        LC_TRY(add_node(w, LC_OP_DEQUANTIZE, f->constant, f->real, false));
    }
    set_input(w, k, f->real);
    return LC_OK;
}

/* ---- which forms the runtime has ------------------------------------------------------------------------------------------------ */

/* Whether the target runs the operator with int8 in these inputs. */
static bool target_runs(work *w, const int32_t *slots, uint32_t count, int32_t axis, bool asymmetric) {
    if (!options_of(w)->target_runtime) return true;
    lc_quant_form as = {0};
    lc_node *n = node_of(w);
    bool *flag = lc_op_asymmetric_inputs(n), flag_was = flag && *flag;
    for (uint32_t i = 0; i < count; i++) {
        if (slots[i] >= LC_QUANT_FORM_IN) continue;
        as.in[slots[i]] = LC_INT8;
        if (axis >= 0) as.scales[slots[i]] = (uint32_t)tensor_of(w, n->inputs[slots[i]])->dims[axis];
    }
    if (flag) *flag = asymmetric;
    const uint32_t release = lc_quant_release(w->graph, n, &as);
    if (flag) *flag = flag_was;
    return release && has(w, release);
}

/* The options, there even when the file left them out. */
static lc_status own_options(work *w) {
    lc_node *n = node_of(w);
    const lc_table_id table = lc_op_get(n->op)->options;
    if (n->attrs || table == LC_TABLE_NONE) return LC_OK;
    n->attrs = lc_arena_alloc(&w->graph->model->arena, lc_schema_tables[table].size); /* zeros: LiteRT's reading */
    if (!n->attrs) return lc_fail_memory(w->job->err, "operators");
    n->attrs_table = table;
    return LC_OK;
}

/* The best form of int8 weights that the target's kernel takes; *axis as it may be on entry. False: it takes none. */
static bool choose(work *w, const int32_t *slots, uint32_t count, int32_t *axis, bool *asymmetric) {
    *asymmetric = true;
    if (options_of(w)->weights_only) return false;
    if (options_of(w)->per_tensor) *axis = NO_AXIS;
    if (target_runs(w, slots, count, *axis, true)) return true;
    *axis = NO_AXIS;
    if (target_runs(w, slots, count, *axis, true)) return true;
    *asymmetric = false;
    return target_runs(w, slots, count, *axis, false);
}

/* ---- one operator ------------------------------------------------------------------------------------------------------------- */

/* LiteRT's default kernel for blocks leaves a fused activation out, so it comes behind. */
static lc_status split_activation(work *w) {
    static const int16_t op_of[] = {[LC_ActivationFunctionType_RELU] = LC_OP_RELU,
                                    [LC_ActivationFunctionType_RELU_N1_TO_1] = LC_OP_RELU_N1_TO_1,
                                    [LC_ActivationFunctionType_RELU6] = LC_OP_RELU6,
                                    [LC_ActivationFunctionType_TANH] = LC_OP_TANH};
    int8_t *fused = lc_op_fused_act(node_of(w));
    if (!fused || *fused == LC_ActivationFunctionType_NONE) return LC_OK;
    int32_t before;
    LC_TRY(add_tensor(w, node_of(w)->outputs[0], "_linear", LC_FLOAT32, NULL, &before));
    LC_TRY(add_node(w, op_of[*fused], before, node_of(w)->outputs[0], true));
    *fused = LC_ActivationFunctionType_NONE;
    node_of(w)->outputs[0] = before;
    return LC_OK;
}

static bool can_split(const lc_node *n) {
    const int8_t *fused = lc_op_fused_act(n);
    return !fused || (*fused >= LC_ActivationFunctionType_NONE && *fused <= LC_ActivationFunctionType_TANH);
}

/* Why its weights do not get blocks: LiteRT's kernel reads tiles of 4 units by 32 inputs. NULL: they do, or none were asked for. */
static const char *without_blocks(const work *w, const lc_operand *o, int32_t t) {
    const uint32_t block = options_of(w)->block;
    const lc_tensor *c = tensor_of(w, t);
    return !block                                                   ? NULL
           : !o->blocks                                             ? "a scale a channel: its kernel takes no blocks"
           : !has(w, BLOCK_RELEASE)                                 ? "a scale a channel: the target runtime does not know blocks"
           : c->rank != 2 || c->dims[0] < 4                         ? "a scale a channel: blocks want 4 units"
           : (uint32_t)c->dims[1] % block                           ? "a scale a channel: its rows are no whole number of blocks"
           : !(w->known[t] & NORMAL_HALF) || !can_split(node_of(w)) ? "a scale a channel: float16 cannot hold the scales of its blocks"
                                                                    : NULL;
}

/* Why its weights are int8 under int4; NULL: they are not. */
static const char *without_int4(const work *w, const lc_operand *o, int32_t t) {
    if (!o || !o->int4) return "int8: its kernel takes no int4";
    if (!has(w, INT4_RELEASE)) return "int8: the target runtime does not know int4";
    const lc_tensor *c = tensor_of(w, t);
    return o->even && c->dims[c->rank - 1] % 2 ? "int8: int4 wants rows of an even length" : NULL;
}

/* LiteRT's kernels for groups of channels read a scale a channel, also where there is one for all. */
static bool reads_channels(const work *w, const lc_operand *o, int32_t t) {
    const int32_t x = node_of(w)->inputs[0];
    return o->op == LC_OP_DEPTHWISE_CONV_2D ||
           (o->op == LC_OP_CONV_2D && (tensor_of(w, x)->rank != 4 || tensor_of(w, x)->dims[3] != tensor_of(w, t)->dims[3]));
}

static lc_status by_kernel(work *w, const lc_operand *o, lc_scheme scheme, bool *done) {
    const int32_t k = o->input, t = node_of(w)->inputs[k];
    const lc_tensor *c = tensor_of(w, t);
    int32_t axis = o->axis < c->rank ? o->axis : NO_AXIS;
    bool asymmetric;
    form *f;
    *done = false;
    if (tensor_of(w, node_of(w)->outputs[0])->type != LC_FLOAT32 || !choose(w, &k, 1, &axis, &asymmetric)) return LC_OK;
    if (axis == NO_AXIS && reads_channels(w, o, t)) return LC_OK;
    LC_TRY(own_options(w));
    if (scheme == LC_SCHEME_INT4 && !without_int4(w, o, t)) {
        w->wider = without_blocks(w, o, t);
        const uint32_t block = w->wider ? 0 : options_of(w)->block;
        LC_TRY(take_form(w, t, LC_INT4, block ? NO_AXIS : axis, block, &f));
        if (block) LC_TRY(split_activation(w));
    } else {
        /* a table that GATHER reads, too: not twice in the file */
        if (find_form(w, t, LC_INT8, NO_AXIS, 0) && !reads_channels(w, o, t)) axis = NO_AXIS;
        LC_TRY(take_form(w, t, LC_INT8, axis, 0, &f));
    }
    bool *flag = lc_op_asymmetric_inputs(node_of(w));
    if (flag) *flag = asymmetric;
    set_input(w, k, f->constant);
    *done = true;
    return LC_OK;
}

static lc_status in_front(work *w, int32_t k, lc_dtype type, int32_t axis) {
    const int32_t t = node_of(w)->inputs[k];
    form *f;
    if (!has(w, INT8_RELEASE)) return w->reason = "the target runtime does not know int8", LC_OK;
    if (axis >= tensor_of(w, t)->rank || options_of(w)->per_tensor || !has(w, AXIS_RELEASE)) axis = NO_AXIS;
    LC_TRY(take_form(w, t, type, axis, 0, &f));
    return read_real(w, k, f);
}

static lc_status behind(work *w, int32_t k) {
    const int32_t t = node_of(w)->inputs[k], out = node_of(w)->outputs[0];
    if (tensor_of(w, out)->type != LC_FLOAT32 || !target_runs(w, &k, 1, NO_AXIS, true)) return in_front(w, k, LC_INT8, NO_AXIS);
    int32_t picked;
    form *f;
    LC_TRY(take_form(w, t, LC_INT8, NO_AXIS, 0, &f));
    LC_TRY(add_tensor(w, out, "_quantized", LC_INT8, tensor_of(w, f->constant)->quant, &picked));
    LC_TRY(add_node(w, LC_OP_DEQUANTIZE, picked, out, true));
    node_of(w)->outputs[0] = picked;
    set_input(w, k, f->constant);
    return LC_OK;
}

/* Input k, a constant, as float16. */
static lc_status half_in_front(work *w, int32_t k) {
    const int32_t t = node_of(w)->inputs[k];
    uint8_t known;
    form *f;
    LC_TRY(scan(w, t, &known));
    if (!(known & NORMAL_HALF)) return w->reason = "a constant is beyond the range of float16", LC_OK;
    if (!has(w, HALF_RELEASE)) return w->reason = "the target runtime does not know float16", LC_OK;
    LC_TRY(take_form(w, t, LC_FLOAT16, NO_AXIS, 0, &f));
    return read_real(w, k, f);
}

/* The weights of an operator that has them in one input; the others, such as the bias, stay. */
static lc_status weights_of(work *w, const lc_operand *o, lc_scheme scheme) {
    const int32_t k = o->input, t = (uint32_t)k < node_of(w)->input_count ? node_of(w)->inputs[k] : LC_ABSENT;
    uint8_t known;
    bool done = false;
    if (!is_weights(w, t)) return LC_OK;
    if (elements(tensor_of(w, t)) < least(w, LEAST_INTEGERS)) return w->reason = "it has few weights", LC_OK;
    LC_TRY(scan(w, t, &known));
    if (!(known & FINITE)) return w->reason = "a constant holds infinity or NaN", LC_OK;
    w->wider = without_int4(w, o, t);
    if (o->way == LC_OPERAND_BEHIND) return behind(w, k);
    if (o->way == LC_OPERAND_KERNEL) LC_TRY(by_kernel(w, o, scheme, &done));
    const bool int4 = scheme == LC_SCHEME_INT4 && o->int4 && has(w, INT4_RELEASE);
    if (!done && int4) w->wider = NULL;
    return done ? LC_OK : in_front(w, k, int4 ? LC_INT4 : LC_INT8, o->axis);
}

/* Operands of arithmetic may be positions as well as weights, which 255 steps would move: float16. What is compared, or handed to another
 * graph, stays. */
static lc_status other_constants(work *w) {
    const lc_op_quant_def *rule = lc_op_quant(node_of(w)->op);
    if (!rule || rule->scales == LC_QUANT_NONE || rule->scales == LC_QUANT_STATE || rule->scales == LC_QUANT_CELL) return LC_OK;
    for (int32_t k = 0; (uint32_t)k < node_of(w)->input_count; k++) {
        const int32_t t = node_of(w)->inputs[k];
        if (is_weights(w, t) && elements(tensor_of(w, t)) >= least(w, LEAST_INTEGERS)) LC_TRY(half_in_front(w, k));
    }
    return LC_OK;
}

/* Integer weights already: XNNPACK wants the bias beside them as a constant. */
static bool has_integers(const work *w) {
    for (uint32_t k = 0; k < node_of(w)->input_count; k++) {
        const lc_tensor *t = node_of(w)->inputs[k] >= 0 ? tensor_of(w, node_of(w)->inputs[k]) : NULL;
        if (t && t->type != LC_FLOAT32 && t->quant && lc_tensor_is_const(t)) return true;
    }
    return false;
}

static lc_status halfs(work *w) {
    if (node_of(w)->op == LC_OP_CUSTOM) return LC_OK; /* nobody knows what its kernel wants before it runs */
    if (has_integers(w)) return LC_OK;
    for (int32_t k = 0; (uint32_t)k < node_of(w)->input_count; k++) {
        const int32_t t = node_of(w)->inputs[k];
        if (!is_weights(w, t)) continue;
        if (elements(tensor_of(w, t)) >= least(w, LEAST_HALFS)) LC_TRY(half_in_front(w, k));
        else if (lc_operand_of(node_of(w), k)) w->reason = "it has few weights";
    }
    return LC_OK;
}

/* ---- cells -------------------------------------------------------------------------------------------------------------------- */

static lc_status cell_weights(work *w, const int32_t *slots, uint32_t count) {
    uint64_t total = 0;
    int32_t axis = NO_AXIS;
    bool asymmetric, finite = true;
    for (uint32_t i = 0; i < count; i++) {
        const int32_t t = node_of(w)->inputs[slots[i]];
        uint8_t known;
        if (!is_weights(w, t)) return w->reason = "its weights are no constants", LC_OK;
        LC_TRY(scan(w, t, &known));
        finite = finite && (known & FINITE);
        total += elements(tensor_of(w, t)); /* at most MOST_SLOTS sizes of memory */
    }
    if (!finite) return w->reason = "a constant holds infinity or NaN", LC_OK;
    if (!count || total < least(w, LEAST_INTEGERS))
        return w->reason = count ? "it has few weights" : "its kernel takes float weights only", LC_OK;
    const bool kernel = choose(w, slots, count, &axis, &asymmetric);
    if (kernel) LC_TRY(own_options(w));
    w->wider = without_int4(w, NULL, LC_ABSENT);
    for (uint32_t i = 0; i < count; i++) {
        const int32_t t = node_of(w)->inputs[slots[i]];
        form *f;
        if (!kernel && elements(tensor_of(w, t)) < least(w, LEAST_INTEGERS)) continue;
        if (!kernel) {
            LC_TRY(in_front(w, slots[i], LC_INT8, 0));
            continue;
        }
        LC_TRY(take_form(w, t, LC_INT8, NO_AXIS, 0, &f));
        set_input(w, slots[i], f->constant);
    }
    bool *flag = lc_op_asymmetric_inputs(node_of(w));
    if (kernel && flag) *flag = asymmetric;
    return LC_OK;
}

/* ---- a graph ------------------------------------------------------------------------------------------------------------------- */

/* Whether it is a cell that was to become an integer one and kept float activations, where not only integers are wanted. */
static bool falls_back(const lc_quant_job *job, const lc_graph *g, const lc_node *n) {
    int32_t slots[MOST_SLOTS];
    bool cell;
    if (n->op == LC_NODE_DEAD || !lc_operand_cell(n, slots, &cell) || !cell || job->options->only_integer) return false;
    const lc_scheme scheme = lc_recipe_scheme(job->recipe, g, n, job->options->scheme);
    return (scheme == LC_SCHEME_INT8 || scheme == LC_SCHEME_INT16X8) && n->outputs[0] >= 0 && g->tensors[n->outputs[0]].type == LC_FLOAT32;
}

/* Its weights at least; why it is no integer operator is noted already. */
static lc_status fall_back(work *w, const int32_t *slots, uint32_t count) {
    LC_TRY(cell_weights(w, slots, count));
    if (!w->changed) return LC_OK;
    w->job->report->weights++;
    return lc_quant_note_move(w->job->report, w->graph, node_of(w), w->job->err);
}

/* Whether any operator of the graph may get smaller weights. */
static bool has_work(const lc_quant_job *job, const lc_graph *g) {
    bool any = false;
    for (size_t i = 0; i < g->node_count && !any; i++) {
        const lc_scheme s = lc_recipe_scheme(job->recipe, g, &g->nodes[i], job->options->scheme);
        any = s == LC_SCHEME_DYNAMIC || s == LC_SCHEME_FLOAT16 || s == LC_SCHEME_INT4 || falls_back(job, g, &g->nodes[i]);
    }
    return any;
}

static lc_status visit(work *w) {
    const lc_scheme scheme = lc_recipe_scheme(w->job->recipe, w->graph, node_of(w), options_of(w)->scheme);
    const lc_operand *o = lc_operand_of(node_of(w), -1);
    int32_t slots[MOST_SLOTS];
    bool cell;
    w->changed = false;
    w->reason = w->wider = NULL;
    const uint32_t count = lc_operand_cell(node_of(w), slots, &cell);
    if (scheme == LC_SCHEME_FLOAT16) LC_TRY(halfs(w));
    else if (falls_back(w->job, w->graph, node_of(w))) return fall_back(w, slots, count);
    else if (scheme != LC_SCHEME_DYNAMIC && scheme != LC_SCHEME_INT4) return LC_OK;
    else if (cell) LC_TRY(cell_weights(w, slots, count));
    else if (o) LC_TRY(weights_of(w, o, scheme));
    else LC_TRY(other_constants(w));
    if (w->changed) w->job->report->weights++;
    if (w->changed && w->wider && scheme == LC_SCHEME_INT4)
        return lc_quant_note_add(w->job->report, &w->job->report->wider, w->graph, node_of(w), w->wider, w->job->err);
    if (!w->changed && w->reason)
        return lc_quant_note_add(w->job->report, &w->job->report->floats, w->graph, node_of(w), w->reason, w->job->err);
    return LC_OK;
}

static lc_status quantize_graph(work *w) {
    w->tensors = w->graph->tensor_count;
    w->nodes = w->graph->node_count;
    w->forms = lc_arena_array(&w->temporary, w->tensors, sizeof *w->forms);
    w->known = lc_arena_array(&w->temporary, w->tensors, sizeof *w->known);
    if (!w->forms || !w->known) return lc_fail_memory(w->job->err, "quantisation");
    for (w->at = 0; w->at < w->nodes; w->at++) {
        const lc_status status = visit(w);
        lc_arena_deinit(&w->scratch);
        w->scratch = (lc_arena){0};
        if (status) return status;
    }
    LC_TRY(put_in_order(w));
    return lc_graph_compact(w->graph, w->job->err);
}

lc_status lc_quant_weights_only(lc_quant_job *job) {
    for (size_t g = 0; g < job->model->graph_count; g++) {
        work w = {.job = job, .graph = job->model->graphs[g]};
        if (!has_work(job, w.graph)) continue;
        const lc_status status = quantize_graph(&w);
        lc_arena_deinit(&w.temporary);
        lc_arena_deinit(&w.scratch);
        LC_TRY(status);
    }
    return LC_OK;
}
