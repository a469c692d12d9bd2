/*
 * Operations of Keras 3 in place of layers: operation.def. Operands are the call's arguments in order, tensors or numbers; they
 * broadcast as NumPy's do, which is how TFLite's operators broadcast. Only float32 tensors: what a number does to an integer's
 * type is Keras's own rule. Refused: any other operation, arguments that are neither tensor nor number.
 */
#include "lower/lower.h"

#include <string.h>

static const struct operation {
    const char *class_name;
    int32_t op;
    uint32_t operands;
    const char *activation;
} operations[] = {
#define LC_OPERATION(class_name, op, operands) {#class_name, LC_OP_##op, operands, NULL},
#define LC_FUNCTION(class_name, activation) {#class_name, LC_OP_CUSTOM, 1, #activation},
#include "lower/operation.def"
};

static const struct operation *find(const char *class_name) {
    for (size_t i = 0; class_name && i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].class_name, class_name) == 0) return &operations[i];
    return NULL;
}

static int32_t lower(lc_call *c);

const lc_lower_row *lc_lower_find_operation(const char *class_name) {
    static const lc_lower_row row = {"operation", lower, 1, 2, false, LC_MASK_DROP};
    return find(class_name) ? &row : NULL;
}

bool lc_keras_is_operation(const lc_keras_layer *layer) {
    const char *module = lc_json_str(layer->entry, "module", NULL);
    if (module) return strncmp(module, "keras.", 6) == 0 && strstr(module, ".ops.") != NULL;
    const lc_json *config = layer->config;
    return layer->call_count && layer->calls[0].args && lc_json_is(config, LC_JSON_OBJECT) && config->count == 1 &&
           lc_json_get(config, "name") != NULL;
}

/* Argument i of the call: by place, else by NumPy's name for it. */
static const lc_json *argument(const lc_call *c, uint32_t i, uint32_t operands) {
    static const char *const of_one[] = {"x"}, *const of_two[] = {"x1", "x2"};
    const lc_json *v = lc_json_at(c->call->args, i);
    return v ? v : lc_json_get(c->call->kwargs, operands == 1 ? of_one[i] : of_two[i]);
}

static int32_t lower(lc_call *c) {
    const struct operation *o = find(c->layer->class_name);
    int32_t in[2] = {-1, -1};
    uint32_t next = 0;
    for (uint32_t i = 0; i < o->operands; i++) {
        const lc_json *v = argument(c, i, o->operands);
        if (lc_json_is(v, LC_JSON_INT) || lc_json_is(v, LC_JSON_REAL)) in[i] = lc_build_scalar(c->b, "value", (float)v->real);
        else if (strcmp(lc_json_str(v, "class_name", ""), "__keras_tensor__") == 0 && next < c->in_count) {
            in[i] = c->in[next++];
            lc_dtype type = lc_build_type(c->b, in[i]);
            if (type != LC_FLOAT32) return lc_build_fail(c->b, LC_UNSUPPORTED, "its input is %s, needs float32", lc_dtype_name(type));
        } else return lc_build_fail(c->b, LC_UNSUPPORTED, "argument %u is neither a tensor nor a number", i);
    }
    if (next != c->in_count)
        return lc_build_fail(c->b, LC_UNSUPPORTED, "it is called with %u tensors, takes %u operands", c->in_count, o->operands);
    if (o->activation) return lc_lower_activation_name(c, "activation", o->activation, in[0]);
    return o->operands == 1 ? lc_build_unary(c->b, o->op, in[0]) : lc_build_binary(c->b, o->op, in[0], in[1], LC_LOWER_ACT(NONE));
}
