/*
 * Walking a Keras model: from its outputs back to its inputs, each call of a layer once, after the calls it needs; then the
 * graph's inputs, outputs and signature.
 *
 * The walk inside one model keeps its own stack (a file decides how long a chain is); nested models recurse, at most max_depth
 * deep. Every call costs one unit of limits.max_nodes, a nested model as many as it has calls, so models that call each other
 * twice cannot grow without bound. A nested model that is called twice has its constants once: they belong to the layer (struct
 * layer_state), not to the call (struct frame).
 *
 * Refused: calls that need their own output, references to what does not exist, unknown classes (unless allowed as CUSTOM).
 */
#include "lower/eager.h"
#include "lower/graph_layer.h"
#include "lower/penalty.h"
#include "lower/problems.h"
#include "lower/rounding.h"
#include "lower/rnn.h"
#include "lower/tf_impl.h"
#include "lower/training.h"

#include <stdio.h>
#include <string.h>

#define NAME_BYTES 200

/* What is known about one layer over all calls. */
typedef struct layer_state {
    const lc_lower_row *row; /* NULL: InputLayer, nested model or custom */
    const char *name;        /* in model->arena, with the names of the models around it */
    uint32_t first;          /* its first value in a frame; it has max(1, call_count) */
    uint32_t calls;          /* lowered so far */
    int32_t slots[LC_LOWER_SLOTS];
    struct model_state *nested;
} layer_state;

typedef struct model_state {
    const lc_keras_model *keras;
    layer_state *layers;
    uint32_t values; /* calls of all layers, an InputLayer counted as one */
} model_state;

/* Output tensors of one call. */
typedef struct value {
    enum { UNSEEN, IN_PROGRESS, DONE, FAILED } state; /* FAILED: it is among the problems (problems.h), or needs what is */
    uint32_t count;
    int32_t *tensors; /* [count] */
    int32_t *masks;   /* [count] Keras's mask that travels with each; -1: none */
} value;

typedef struct step {
    int32_t layer;
    int32_t node;
    uint32_t next;
} step;

static const lc_lower_row rows[] = {
#define ANY (-1)
#define yes true
#define no false
#define LC_LAYER(class_name, function, in_min, in_max, activation, mask) \
    {#class_name, lc_lower_##function, in_min, in_max, activation, LC_MASK_##mask},
#include "lower/keras.def"
#undef ANY
#undef yes
#undef no
};

const lc_lower_row *lc_lower_find(const char *class_name) {
    for (size_t i = 0; class_name && i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].class_name, class_name) == 0) return &rows[i];
    return NULL;
}

/* ---- state ------------------------------------------------------------------------------------------------------ */

static void *scratch(lc_lower *lower, size_t count, size_t size) {
    if (lower->b->status != LC_OK) return NULL;
    void *p = lc_arena_array(&lower->scratch, count, size);
    if (!p) lc_build_check(lower->b, lc_fail_memory(lower->b->err, "the lowering"));
    return p;
}

static bool is_class(const lc_keras_layer *layer, const char *name) { return layer->class_name && strcmp(layer->class_name, name) == 0; }

/* A class some package registered is not Keras's own, whatever it is called. Keras 2 itself registered InceptionResNetV2's without a package. */
static bool is_foreign(const lc_keras_layer *layer) {
    return layer->registered_name && strchr(layer->registered_name, '>') && strcmp(layer->registered_name, "Custom>CustomScaleLayer") != 0;
}

static model_state *model_begin(lc_lower *lower, const lc_keras_model *keras, const char *path) {
    model_state *m = scratch(lower, 1, sizeof *m);
    layer_state *layers = scratch(lower, keras->layer_count, sizeof *layers);
    if (!m || !layers) return NULL;
    m->keras = keras;
    m->layers = layers;
    uint64_t values = 0;
    for (uint32_t i = 0; i < keras->layer_count; i++) {
        const lc_keras_layer *layer = &keras->layers[i];
        const char *name = layer->name ? layer->name : "?";
        layers[i].first = (uint32_t)values;
        layers[i].name = path ? lc_arena_printf(&lower->b->model->arena, "%.*s/%.*s", NAME_BYTES, path, NAME_BYTES, name)
                              : lc_arena_printf(&lower->b->model->arena, "%s", name);
        if (!layers[i].name) {
            lc_build_check(lower->b, lc_fail_memory(lower->b->err, "a layer's name"));
            return NULL;
        }
        if (layer->graph) layers[i].row = lc_lower_graph_row();
        else if (!layer->model && lc_keras_is_operation(layer)) layers[i].row = lc_lower_find_operation(layer->class_name);
        else if (!layer->model && !is_foreign(layer)) layers[i].row = lc_lower_find(layer->class_name);
        values += layer->call_count ? layer->call_count : 1;
        if (values > lower->budget.limits.max_nodes) {
            lc_build_fail(lower->b, LC_LIMIT, "the model has more than %u calls of layers (limit max_nodes)",
                          lower->budget.limits.max_nodes);
            return NULL;
        }
    }
    m->values = (uint32_t)values;
    return m;
}

/* Messages and nodes from here on belong to this layer. */
static void enter(lc_lower *lower, const model_state *m, int32_t layer) {
    lower->b->layer = m->layers[layer].name;
    lower->b->kind = m->keras->layers[layer].class_name;
}

/* The value a reference names; NULL and failed when there is none. `who` needs it. */
static value *lookup(lc_lower *lower, const model_state *m, value *frame, const lc_keras_ref *ref, const char *who) {
    const lc_keras_model *k = m->keras;
    if (ref->layer < 0 || (uint32_t)ref->layer >= k->layer_count) {
        lc_build_fail(lower->b, LC_INVALID, "%s comes from layer %d, but the model has %u layers", who, ref->layer, k->layer_count);
        return NULL;
    }
    const lc_keras_layer *layer = &k->layers[ref->layer];
    uint32_t calls = layer->call_count ? layer->call_count : 1;
    if (ref->node < 0 || (uint32_t)ref->node >= calls) {
        lc_build_fail(lower->b, LC_INVALID, "%s comes from call %d of layer \"%.100s\", which is called %u times", who, ref->node,
                      layer->name ? layer->name : "?", layer->call_count);
        return NULL;
    }
    return &frame[m->layers[ref->layer].first + (uint32_t)ref->node];
}

/* Tensor `ref->tensor` of a value that is done, and its mask. */
static int32_t tensor_of(lc_lower *lower, const model_state *m, value *frame, const lc_keras_ref *ref, const char *who, int32_t *mask) {
    value *v = lookup(lower, m, frame, ref, who);
    *mask = -1;
    if (!v || v->state == FAILED) return -1;
    if (v->state != DONE || ref->tensor < 0 || (uint32_t)ref->tensor >= v->count)
        return lc_build_fail(lower->b, LC_INVALID, "%s is output %d of layer \"%.100s\", which has %u", who, ref->tensor,
                             m->keras->layers[ref->layer].name ? m->keras->layers[ref->layer].name : "?", v->count);
    *mask = v->masks[ref->tensor];
    return v->tensors[ref->tensor];
}

/* masks: NULL for none. */
static void set_value(lc_lower *lower, value *v, const int32_t *tensors, const int32_t *masks, uint32_t count) {
    v->tensors = scratch(lower, (size_t)count * 2, sizeof *tensors);
    if (!v->tensors) return;
    v->masks = v->tensors + count;
    for (uint32_t i = 0; i < count; i++) {
        v->tensors[i] = tensors[i];
        v->masks[i] = masks ? masks[i] : -1;
    }
    v->count = count;
    v->state = DONE;
}

/* ---- one call ----------------------------------------------------------------------------------------------------- */

static int32_t unknown_layer(lc_call *c) {
    int32_t out = -1;
    if (c->lower->options->layer && c->in && c->lower->options->layer(c->lower->options->layer_user, c, &out)) return out;
    if (c->lower->options->allow_custom_ops) return lc_lower_custom(c);
    if (is_class(c->layer, "Lambda")) {
        lc_build_fail(c->b, LC_UNSUPPORTED, "a Lambda layer holds Python code, which only Python can run");
        return lc_build_hint(c->b,
                             "replace it by Keras layers (Rescaling, Activation, Reshape ...), export the model as SavedModel, or use "
                             "--allow-custom-ops to keep it as a CUSTOM operator");
    }
    if (is_foreign(c->layer))
        lc_build_fail(c->b, LC_UNSUPPORTED, "\"%.200s\" is no class of Keras but of somebody's own code", c->layer->registered_name);
    else if (lc_keras_is_operation(c->layer)) return lc_lower_no_operation(c);
    else lc_build_fail(c->b, LC_UNSUPPORTED, "litec does not know this layer class");
    return lc_build_hint(c->b, "export the model as SavedModel, or use --allow-custom-ops to keep it as a CUSTOM operator");
}

/* The output is the layer's: it bears its name. A tensor the layer only passes on keeps its own. */
static void name_output(lc_lower *lower, const layer_state *s, uint32_t k, int32_t tensor, size_t tensors_before) {
    if (lower->b->status != LC_OK || (size_t)tensor < tensors_before) return;
    const char *name = s->name;
    if (k) name = lc_arena_printf(&lower->b->model->arena, "%.*s/%u/call_%u", NAME_BYTES, s->name, k, s->calls);
    else if (s->calls > 1) name = lc_arena_printf(&lower->b->model->arena, "%.*s/call_%u", NAME_BYTES, s->name, s->calls);
    if (name) lc_build_rename(lower->b, tensor, name);
    else lc_build_check(lower->b, lc_fail_memory(lower->b->err, "a tensor's name"));
}

static void lower_model(lc_lower *lower, model_state *m, const int32_t *in, const int32_t *in_masks, uint32_t in_count, int32_t **out);

static void lower_nested(lc_lower *lower, layer_state *s, const lc_keras_layer *layer, const lc_call *c, value *v) {
    uint32_t in_count = c->in_count;
    if (lower->depth >= lower->budget.limits.max_depth) {
        lc_build_fail(lower->b, LC_LIMIT, "models are nested more than %u deep (limit max_depth)", lower->budget.limits.max_depth);
        return;
    }
    if (!s->nested) s->nested = model_begin(lower, layer->model, s->name);
    if (!s->nested) return;
    if (in_count != layer->model->input_count) {
        lc_build_fail(lower->b, LC_INVALID, "it is called with %u tensors, but the model in it has %u inputs", in_count,
                      layer->model->input_count);
        return;
    }
    int32_t *out = NULL;
    const bool keras2 = lower->keras2; /* a model within may be of another generation (api/net_transfer.c) */
    if (layer->model->keras_version) lower->keras2 = lc_keras_is_keras2(layer->model);
    lower->depth++;
    lower_model(lower, s->nested, c->in, c->in_masks, in_count, &out);
    lower->depth--;
    lower->keras2 = keras2;
    for (uint32_t i = 0; lower->b->status == LC_OK && i < layer->model->output_count; i++)
        if (out[i] < 0) v->state = FAILED;
    if (lower->b->status == LC_OK && v->state != FAILED)
        set_value(lower, v, out, out + layer->model->output_count, layer->model->output_count);
}

/* Keras 3 writes the masks of a nested model's inputs as an argument of its call, so they are among the tensors, behind the inputs. */
static void take_masks(lc_call *c, int32_t *masks) {
    const uint32_t inputs = c->layer->model->input_count, extra = c->in_count > inputs ? c->in_count - inputs : 0;
    const lc_json *given = lc_call_argument(c, 2, "mask");
    const bool list = lc_json_is(given, LC_JSON_ARRAY);
    uint32_t found = 0;
    if (!given || !extra) return;
    for (uint32_t i = 0; i < inputs && (list || i == 0); i++) {
        const int32_t mask = lc_call_tensor(c, list ? lc_json_at(given, i) : given);
        if (mask < 0) continue;
        masks[i] = mask;
        found++;
    }
    if (lc_json_is(given, LC_JSON_OBJECT) && !found && extra == inputs) /* a dict with one for each, in the order of the inputs */
        for (; found < extra; found++) masks[found] = c->in[inputs + found];
    if (found == extra) c->in_count = inputs;
}

/* A stand-in for what a failed call would have given, of the shape that Keras 3 wrote where it is used; -1: that is not known. */
static int32_t stand_in(lc_lower *lower, const lc_keras_layer *layer, const lc_keras_call *call, uint32_t i) {
    const lc_json *config = call->leaves ? lc_json_get(call->leaves[i], "config") : NULL, *shape = lc_json_get(config, "shape");
    if (!call->leaves) shape = lc_json_get(lc_json_get(layer->entry, "build_config"), "input_shape");
    int32_t dims[LC_MAX_RANK];
    if (!lc_json_is(shape, LC_JSON_ARRAY) || shape->count > LC_MAX_RANK) return -1;
    for (uint32_t d = 0; d < shape->count; d++) {
        const lc_json *v = lc_json_at(shape, d);
        const bool fixed = lc_json_is(v, LC_JSON_INT) && v->integer >= 0 && v->integer <= INT32_MAX;
        if (!fixed && !lc_json_is(v, LC_JSON_NULL)) return -1;
        dims[d] = fixed ? (int32_t)v->integer : -1;
    }
    lc_dtype type = LC_FLOAT32;
    const char *name = lc_json_str(config, "dtype", "float32");
    for (lc_dtype t = 0; t < LC_DTYPE_COUNT; t++)
        if (!strstr(name, "float") && strcmp(name, lc_dtype_name(t)) == 0) type = t;
    return lc_build_placeholder(lower->b, "unknown", type, dims, (int32_t)shape->count);
}

/* Every error says what to do next, also that of a layer which only knows what it wants. */
static void advise(const lc_lower *lower, lc_status status, lc_error *err) {
    if (status == LC_OK || !err || err->hint[0]) return;
    const bool described = lower->options->described && (status == LC_INVALID || status == LC_UNSUPPORTED);
    if (described) lc_error_hint(err, "change the layer, its arguments or the layers before it: they are what they are in Keras");
    else
        lc_error_hint(err, status == LC_NO_MEMORY ? "close other programs, or use a machine with more memory"
                           : status == LC_LIMIT   ? "if the model is what it should be, raise the limit (lc_limits)"
                           : status == LC_INVALID
                               ? "the file is damaged or was not written by Keras: save the model again with model.save(...)"
                               : "build the layer in another way in Keras and save the model again with model.save(...)");
}

/* "[batch, 4] and [batch, 5]": what the call is given. The batch of a training is nobody's choice, and has no number. */
static void add_shapes(const lc_lower *lower, const lc_call *c, lc_text *out) {
    const lc_training *training = lower->options->training;
    for (uint32_t i = 0; i < c->in_count && i < 6; i++) {
        const lc_tensor *t = &lower->b->graph->tensors[c->in[i]];
        lc_text_add(out, i == 0 ? "[" : i + 1 < c->in_count ? ", [" : " and [");
        for (int32_t d = 0; d < t->rank; d++) {
            const int32_t size = lc_tensor_dim(t, d);
            const bool batch = d == 0 && (size < 0 || (training && size == training->batch));
            lc_text_add(out, d ? ", " : "");
            if (batch || size < 0) lc_text_add(out, batch ? "batch" : "?");
            else lc_text_printf(out, "%d", size);
        }
        lc_text_add(out, "]");
    }
    if (c->in_count > 6) lc_text_add(out, " ...");
}

/* Who writes a model down is told what shapes the layer was given, in place of the operator that it became. */
static void say_shapes(const lc_lower *lower, const lc_call *c) {
    lc_builder *b = lower->b;
    lc_error *err = b->err;
    lc_text shapes = {0};
    char cause[sizeof err->message];
    if (!lower->options->described || !err || !c->in_count || (b->status != LC_INVALID && b->status != LC_UNSUPPORTED)) return;
    add_shapes(lower, c, &shapes);
    if (shapes.data) {
        const char *name = strncmp(err->message, "node ", 5) == 0 ? strstr(err->message, "\": ") : NULL,
                   *why = name ? name + 3 : err->message;
        if (name && strchr(why, '[') && strrchr(why, ':')) why = strrchr(why, ':') + 2; /* shapes with the size of the batch */
        snprintf(cause, sizeof cause, "%s", why);
        if (name)
            lc_fail(err, b->status, "layer \"%.*s\" (%s) does not fit its %s %.200s: %.200s", NAME_BYTES, b->layer, c->layer->class_name,
                    c->in_count > 1 ? "inputs" : "input", shapes.data, cause);
        else if (strstr(why, "input") || strstr(why, "dimension") || strstr(why, "tensors")) {
            char hint[sizeof err->hint];
            snprintf(hint, sizeof hint, "%s", err->hint);
            lc_fail(err, b->status, "%.300s; its %s %.150s", cause, c->in_count > 1 ? "inputs are" : "input is", shapes.data);
            if (hint[0]) lc_error_hint(err, "%s", hint);
        }
    }
    lc_text_deinit(&shapes);
}

/* Notes what is wrong and goes on without this call's outputs. False: nobody collects problems, or this one ends everything. */
static bool note_problem(lc_lower *lower, const layer_state *s, const lc_keras_layer *layer, value *v) {
    lc_builder *b = lower->b;
    lc_problems *problems = lower->options->problems;
    if (!problems || (b->status != LC_UNSUPPORTED && b->status != LC_INVALID)) return false;
    advise(lower, b->status, b->err);
    lc_error kept = *b->err, local;
    if (lc_problems_add(problems, s->name, layer->class_name, kept.message, kept.hint, &local)) {
        *b->err = local;
        b->status = local.status;
        return false;
    }
    b->status = LC_OK;
    v->state = FAILED;
    return true;
}

/* What the call made becomes its value. */
static void give_value(lc_lower *lower, const layer_state *s, const lc_call *c, int32_t out, size_t before, value *v) {
    const uint32_t count = (uint32_t)c->more_count + 1;
    int32_t *tensors = scratch(lower, (size_t)count * 2, sizeof *tensors);
    if (!tensors || lower->b->status != LC_OK) return;
    for (uint32_t k = 0; k < count; k++) {
        tensors[k] = k ? c->more[k - 1] : out;
        tensors[count + k] = k < (c->masked ? c->masked : 1) ? c->mask : -1;
        name_output(lower, s, k, tensors[k], before);
    }
    set_value(lower, v, tensors, tensors + count, count);
}

/* The call by its row; NULL: nobody knows the class. */
static int32_t lower_row(lc_call *c, const lc_lower_row *row) {
    if (!row) return unknown_layer(c);
    if (c->in_count < (uint32_t)row->in_min || (row->in_max >= 0 && c->in_count > (uint32_t)row->in_max))
        return lc_build_fail(c->b, LC_INVALID, "it is called with %u tensors, needs %s%d", c->in_count,
                             row->in_max == row->in_min ? ""
                             : row->in_max < 0          ? "at least "
                                                        : "at most ",
                             c->in_count < (uint32_t)row->in_min ? row->in_min : row->in_max);
    const size_t asked = c->lower->asked_count;
    lc_round_inputs(c);
    const int32_t out = row->lower(c);
    lc_round_moved(c, out);
    lc_penalty_note(c, out);
    lc_arguments_end(c, asked);
    if (row->mask == LC_MASK_PASS) c->mask = lc_call_mask(c, 0);
    return out;
}

int32_t lc_lower_part(lc_call *c) {
    lc_lower *lower = c->lower;
    const char *layer = c->b->layer, *kind = c->b->kind;
    if (lower->b->status != LC_OK) return -1;
    if (lower->depth >= lower->budget.limits.max_depth)
        return lc_build_fail(c->b, LC_LIMIT, "layers are nested more than %u deep (limit max_depth)", lower->budget.limits.max_depth);
    if (++lower->calls > lower->budget.limits.max_nodes)
        return lc_build_fail(c->b, LC_LIMIT, "the model makes more than %u calls of layers (limit max_nodes)",
                             lower->budget.limits.max_nodes);
    layer_state s = {.name = layer};
    value v = {0};
    int32_t out = -1;
    c->b->kind = c->layer->class_name;
    if (c->layer->model) lower_nested(lower, &s, c->layer, c, &v);
    else {
        lower->depth++;
        out = lower_row(c, is_foreign(c->layer) ? NULL : lc_lower_find(c->layer->class_name));
        lower->depth--;
    }
    if (v.state == FAILED && c->b->status == LC_OK) lc_build_fail(c->b, LC_UNSUPPORTED, "a layer inside it cannot be converted");
    for (uint32_t k = 0; v.state == DONE && k < v.count; k++) {
        if (k) lc_call_give(c, k, v.tensors[k]);
        else out = v.tensors[0], c->mask = v.masks[0];
    }
    c->b->layer = layer;
    if (c->b->status == LC_OK) c->b->kind = kind;
    return out;
}

static void lower_call(lc_lower *lower, model_state *m, value *frame, int32_t index, int32_t node) {
    const lc_keras_layer *layer = &m->keras->layers[index];
    layer_state *s = &m->layers[index];
    value *v = &frame[s->first + (uint32_t)node];
    enter(lower, m, index);
    if (!layer->call_count) {
        if (is_class(layer, "InputLayer")) lc_build_fail(lower->b, LC_INVALID, "it is used, but is not among the inputs of its model");
        else lc_build_fail(lower->b, LC_INVALID, "its output is used, but it is never called");
        return;
    }
    const lc_keras_call *call = &layer->calls[node];
    int32_t *in = scratch(lower, (size_t)call->input_count * 2, sizeof *in);
    for (uint32_t i = 0; in && i < call->input_count; i++) {
        char who[32];
        snprintf(who, sizeof who, "its input %u", i);
        in[i] = tensor_of(lower, m, frame, &call->inputs[i], who, &in[call->input_count + i]);
        if (in[i] < 0 && lower->b->status == LC_OK && (in[i] = stand_in(lower, layer, call, i)) < 0) v->state = FAILED;
    }
    if (v->state == FAILED) { /* an unknown class is a problem of its own */
        if (layer->model || s->row) lower->options->problems->unseen++;
        else {
            unknown_layer(
                &(lc_call){.lower = lower, .b = lower->b, .layer = layer, .config = layer->config, .call = call, .slots = s->slots});
            note_problem(lower, s, layer, v);
        }
        return;
    }
    lower->calls += call->input_count ? call->input_count : 1; /* a merge makes a node for each */
    if (lower->calls > lower->budget.limits.max_nodes)
        lc_build_fail(lower->b, LC_LIMIT, "the model makes more than %u calls of layers (limit max_nodes)", lower->budget.limits.max_nodes);
    if (lower->b->status != LC_OK) return;
    s->calls++;
    lc_call c = {.lower = lower,
                 .b = lower->b,
                 .layer = layer,
                 .config = layer->config,
                 .call = call,
                 .in = in,
                 .in_masks = in + call->input_count,
                 .in_count = call->input_count,
                 .slots = s->slots,
                 .mask = -1};
    if (layer->model) {
        take_masks(&c, in + call->input_count);
        if (lc_call_inference(&c)) lower_nested(lower, s, layer, &c, v);
        if (lower->b->status != LC_OK) note_problem(lower, s, layer, v);
        return;
    }
    size_t before = lower->b->graph->tensor_count;
    int32_t out;
    out = lower_row(&c, s->row);
    if (lower->b->status != LC_OK) say_shapes(lower, &c);
    if (lower->b->status != LC_OK && note_problem(lower, s, layer, v)) return;
    give_value(lower, s, &c, out, before, v);
}

/* ---- one model ------------------------------------------------------------------------------------------------------ */

/* Lowers what `root` needs, deepest first. */
static void lower_from(lc_lower *lower, model_state *m, value *frame, step *stack, const lc_keras_ref *root, const char *who) {
    value *v = lookup(lower, m, frame, root, who);
    if (!v || v->state >= DONE) return;
    uint32_t depth = 0;
    v->state = IN_PROGRESS;
    stack[depth++] = (step){root->layer, root->node, 0};
    while (depth && lower->b->status == LC_OK) {
        step *top = &stack[depth - 1];
        const lc_keras_layer *layer = &m->keras->layers[top->layer];
        uint32_t needs = layer->call_count ? layer->calls[top->node].input_count : 0;
        if (top->next >= needs) {
            lc_training *training = lower->options->training;
            const lc_json *trainable = lc_json_get(layer->config, "trainable");
            const bool frozen = training && training->frozen;
            /* of Keras 2 a frozen model has no layer that learns; of Keras 3 each layer's own flag counts, which freezing a model sets */
            if (training && lower->keras2 && lc_json_is(trainable, LC_JSON_BOOL) && !trainable->boolean) training->frozen = true;
            lower_call(lower, m, frame, top->layer, top->node);
            if (training) training->frozen = frozen;
            depth--;
            continue;
        }
        const lc_keras_ref *ref = &layer->calls[top->node].inputs[top->next++];
        enter(lower, m, top->layer);
        value *need = lookup(lower, m, frame, ref, "an input of it");
        if (!need || need->state >= DONE) continue;
        if (need->state == IN_PROGRESS) {
            lc_build_fail(lower->b, LC_INVALID, "the graph of layers has a cycle: it needs the output of layer \"%.100s\", which needs it",
                          m->keras->layers[ref->layer].name ? m->keras->layers[ref->layer].name : "?");
            return;
        }
        need->state = IN_PROGRESS; /* at most once a value: the stack holds m->values steps */
        stack[depth++] = (step){ref->layer, ref->node, 0};
    }
}

/* Lowers a model for the given input tensors and their masks (NULL: none); *out: its output tensors, then their masks, in the scratch arena. */
static void lower_model(lc_lower *lower, model_state *m, const int32_t *in, const int32_t *in_masks, uint32_t in_count, int32_t **out) {
    const lc_keras_model *k = m->keras;
    lower->calls += m->values;
    if (lower->calls > lower->budget.limits.max_nodes) {
        lc_build_fail(lower->b, LC_LIMIT, "the model makes more than %u calls of layers (limit max_nodes)", lower->budget.limits.max_nodes);
        return;
    }
    value *frame = scratch(lower, m->values, sizeof *frame);
    step *stack = scratch(lower, m->values, sizeof *stack);
    *out = scratch(lower, (size_t)k->output_count * 2, sizeof **out);
    for (uint32_t i = 0; i < in_count && lower->b->status == LC_OK; i++) {
        value *v = lookup(lower, m, frame, &k->inputs[i], "an input of the model");
        if (v && k->layers[k->inputs[i].layer].call_count)
            lc_build_fail(lower->b, LC_INVALID, "input %u of the model is layer \"%.100s\", which is no InputLayer", i,
                          k->layers[k->inputs[i].layer].name);
        else if (v) set_value(lower, v, &in[i], in_masks ? &in_masks[i] : NULL, 1);
    }
    for (uint32_t i = 0; i < k->output_count && lower->b->status == LC_OK; i++) {
        char who[48];
        snprintf(who, sizeof who, "output %u of the model", i);
        lower_from(lower, m, frame, stack, &k->outputs[i], who);
        if (lower->b->status == LC_OK) (*out)[i] = tensor_of(lower, m, frame, &k->outputs[i], who, &(*out)[k->output_count + i]);
    }
}

/* ---- inputs, outputs, signature ---------------------------------------------------------------------------------------- */

/* The dtype a config names: a string, or a policy object of Keras 3. Computation is float32 whatever float the policy says. */
static lc_dtype input_dtype(lc_call *c) {
    const lc_json *v = lc_opt(c, "dtype");
    const char *name = lc_json_is(v, LC_JSON_STRING) ? v->string : lc_json_str(lc_json_get(v, "config"), "name", "float32");
    if (strstr(name, "float")) return LC_FLOAT32; /* float16, bfloat16, float64, mixed_float16: all compute in float32 here */
    static const lc_dtype known[] = {LC_INT8, LC_UINT8, LC_INT16, LC_UINT16, LC_INT32, LC_UINT32, LC_INT64, LC_BOOL, LC_STRING};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, lc_dtype_name(known[i])) == 0) return known[i];
    lc_opt_fail(c, "dtype", "litec does not know this type");
    return LC_FLOAT32;
}

/* What is open gets the sizes of what training gives it. */
static void take_shape(lc_lower *lower, const model_state *m, int32_t index, int32_t *dims, int32_t rank) {
    const lc_training *t = lower->options->training;
    if (t->batch && rank) dims[0] = t->batch;
    for (uint32_t i = 0; t->x && i < m->keras->input_count; i++)
        for (int32_t d = 0; m->keras->inputs[i].layer == index && d < rank && t->x[i].rank == rank; d++)
            if (dims[d] < 0) dims[d] = t->x[i].dims[d];
    for (int32_t d = 1; t->open && d < rank; d++)
        if (dims[d] < 0) dims[d] = t->open;
}

static int32_t make_input(lc_lower *lower, const model_state *m, int32_t index) {
    const lc_keras_layer *layer = &m->keras->layers[index];
    enter(lower, m, index);
    lc_call c = {.lower = lower, .b = lower->b, .layer = layer, .config = layer->config};
    if (!is_class(layer, "InputLayer")) return lc_build_fail(lower->b, LC_INVALID, "it is an input of the model, but no InputLayer");
    if (lc_opt_bool(&c, "sparse", false)) return lc_opt_fail(&c, "sparse", "litec has no sparse inputs");
    if (lc_opt_bool(&c, "ragged", false)) return lc_opt_fail(&c, "ragged", "litec has no ragged inputs");
    const char *key = lc_opt(&c, "batch_shape") ? "batch_shape" : "batch_input_shape";
    const lc_json *shape = lc_opt(&c, key);
    if (!lc_json_is(shape, LC_JSON_ARRAY)) return lc_opt_fail(&c, key, "needs a list of sizes, null where any will do");
    if (shape->count > LC_MAX_RANK) return lc_opt_fail(&c, key, "litec runs up to %d dimensions", LC_MAX_RANK);
    int32_t dims[LC_MAX_RANK];
    for (uint32_t i = 0; i < shape->count; i++) {
        const lc_json *d = lc_json_at(shape, i);
        if (lc_json_is(d, LC_JSON_NULL)) dims[i] = -1;
        else if (lc_json_is(d, LC_JSON_INT) && d->integer >= 1 && d->integer <= INT32_MAX) dims[i] = (int32_t)d->integer;
        else return lc_opt_fail(&c, key, "dimension %u needs a whole number from 1 to 2147483647, or null", i);
    }
    lc_dtype type = input_dtype(&c);
    lc_arguments_end(&c, 0);
    if (lower->options->training) take_shape(lower, m, index, dims, (int32_t)shape->count);
    int32_t t = lc_build_placeholder(lower->b, m->layers[index].name, type, dims, (int32_t)shape->count);
    if (t >= 0) lc_build_check(lower->b, lc_graph_add_input(lower->b->graph, t, lower->b->err));
    return t;
}

/* Keras feeds all inputs of a model with one batch. */
static void share_batch(lc_lower *lower, const int32_t *in, uint32_t n) {
    lc_tf_known first = {0};
    for (uint32_t i = 0; i < n && lower->b->status == LC_OK; i++) {
        const lc_tensor *t = &lower->b->graph->tensors[in[i]];
        if (t->rank < 1 || lc_tensor_dim(t, 0) >= 0) continue;
        lc_tf_known k = *lc_tf_known_of(lower->b, in[i]);
        for (int w = 0; first.set && w < 3; w++) k.shape[w].dims[0] = first.shape[w].dims[0];
        if (first.set) lc_tf_know(lower->b, in[i], &k);
        else first = k;
    }
}

/* A set of names that hands out a free one: "dense", "dense_1", "dense_2" ... */
typedef struct name_set {
    struct {
        const char *name;
        uint32_t next;
    } * entries;
    size_t capacity;
} name_set;

static size_t name_slot(const name_set *set, const char *name) {
    size_t i = (size_t)lc_hash(name, strlen(name), 0) & (set->capacity - 1);
    while (set->entries[i].name && strcmp(set->entries[i].name, name) != 0) i = (i + 1) & (set->capacity - 1);
    return i;
}

/* The name, or the first free "name_<n>"; lives in the model's arena. NULL when memory is out. */
static const char *unique_name(lc_lower *lower, name_set *set, const char *wanted) {
    size_t first = name_slot(set, wanted);
    const char *name = lc_arena_strndup(&lower->b->model->arena, wanted, strlen(wanted));
    while (name && set->entries[name_slot(set, name)].name)
        name = lc_arena_printf(&lower->b->model->arena, "%s_%u", wanted, ++set->entries[first].next);
    if (!name) lc_build_check(lower->b, lc_fail_memory(lower->b->err, "a signature name"));
    else set->entries[name_slot(set, name)].name = name;
    return name;
}

static bool names_begin(lc_lower *lower, name_set *set, size_t count) {
    set->capacity = 4;
    while (set->capacity < 2 * count) set->capacity *= 2;
    set->entries = scratch(lower, set->capacity, sizeof *set->entries);
    return set->entries != NULL;
}

static void add_signature(lc_lower *lower, const model_state *m, const int32_t *in, const int32_t *out) {
    const lc_keras_model *k = m->keras;
    lc_arena *arena = &lower->b->model->arena;
    lc_signature *s = lc_arena_alloc(arena, sizeof *s);
    lc_signature_entry *entries = lc_arena_array(arena, (size_t)k->input_count + k->output_count, sizeof *entries);
    name_set in_names, out_names;
    if (!s || !entries) {
        lc_build_check(lower->b, lc_fail_memory(lower->b->err, "the signature"));
        return;
    }
    bool *named = scratch(lower, lower->b->graph->tensor_count, sizeof *named); /* an input, or an earlier output too */
    if (!named || !names_begin(lower, &in_names, k->input_count) || !names_begin(lower, &out_names, k->output_count)) return;
    *s = (lc_signature){.key = LC_STR("serving_default"),
                        .inputs = entries,
                        .input_count = k->input_count,
                        .outputs = entries + k->input_count,
                        .output_count = k->output_count};
    for (uint32_t i = 0; i < k->input_count; i++) {
        const char *name = unique_name(lower, &in_names, m->layers[k->inputs[i].layer].name);
        if (!name) return;
        s->inputs[i] = (lc_signature_entry){lc_str_of(name), in[i]};
        named[in[i]] = true;
    }
    for (uint32_t i = 0; i < k->output_count; i++) {
        const char *wanted = k->output_names && k->output_names[i] ? k->output_names[i] : m->layers[k->outputs[i].layer].name;
        const char *name = unique_name(lower, &out_names, wanted);
        if (!name) return;
        s->outputs[i] = (lc_signature_entry){lc_str_of(name), out[i]};
        if (!named[out[i]]) lc_build_rename(lower->b, out[i], name);
        named[out[i]] = true;
    }
    lower->b->model->signatures = s;
    lower->b->model->signature_count = 1;
}

bool lc_keras_is_keras2(const lc_keras_model *k) {
    if (k->keras_version && k->keras_version[0] >= '0' && k->keras_version[0] <= '9') return k->keras_version[0] < '3';
    for (uint32_t i = 0; i < k->layer_count; i++) /* not stated: Keras 3 calls an input's shape batch_shape */
        if (is_class(&k->layers[i], "InputLayer")) return lc_json_get(k->layers[i].config, "batch_shape") == NULL;
    return true;
}

static void lower_all(lc_lower *lower, const lc_keras_model *keras) {
    lc_builder *b = lower->b;
    model_state *m = NULL;
    if (!keras->input_count || !keras->output_count)
        lc_build_fail(b, LC_INVALID, "the model has no %s", keras->input_count ? "outputs" : "inputs");
    else m = model_begin(lower, keras, NULL);
    int32_t *in = m ? scratch(lower, keras->input_count, sizeof *in) : NULL, *out = NULL;
    for (uint32_t i = 0; in && i < keras->input_count && b->status == LC_OK; i++) {
        int32_t index = keras->inputs[i].layer;
        if (index < 0 || (uint32_t)index >= keras->layer_count)
            lc_build_fail(b, LC_INVALID, "input %u of the model is layer %d, but the model has %u layers", i, index, keras->layer_count);
        else in[i] = make_input(lower, m, index);
    }
    if (in && b->status == LC_OK) share_batch(lower, in, keras->input_count);
    if (in && b->status == LC_OK) lower_model(lower, m, in, NULL, keras->input_count, &out);
    b->layer = NULL;
    if (lower->options->problems && lower->options->problems->count && b->status == LC_OK) {
        const lc_problem *first = &lower->options->problems->list[0];
        b->status = lc_fail(b->err, LC_UNSUPPORTED, "%s", first->message);
        lc_error_hint(b->err, "%s", first->hint);
    }
    for (uint32_t i = 0; b->status == LC_OK && i < keras->output_count; i++)
        lc_build_check(b, lc_graph_add_output(b->graph, out[i], b->err));
    if (b->status == LC_OK) add_signature(lower, m, in, out);
    for (uint32_t i = 0; b->status == LC_OK && lower->options->masks && i < keras->output_count; i++) {
        const int32_t mask = out[keras->output_count + i];
        lower->options->masks[i] = mask < 0 ? -1 : (int32_t)b->graph->output_count;
        if (mask >= 0) lc_build_check(b, lc_graph_add_output(b->graph, mask, b->err));
    }
    if (b->status == LC_OK) lc_build_check(b, lc_rnn_finish(lower, b->err));
}

lc_status lc_lower_keras(const lc_keras_model *keras, const lc_lower_options *options, lc_model *model, lc_error *err) {
    static const lc_lower_options defaults = {0};
    lc_lower lower = {.options = options ? options : &defaults, .keras2 = lc_keras_is_keras2(keras)};
    lc_budget_init(&lower.budget, &model->limits);
    lc_status status = lc_eager_begin(&lower, model, err);
    if (status == LC_OK) {
        lower_all(&lower, keras);
        status = lower.b->status;
        if (status == LC_OK) status = lc_eager_finish(&lower);
    }
    lc_eager_end(&lower);
    lc_arena_deinit(&lower.scratch);
    advise(&lower, status, err);
    return status;
}
