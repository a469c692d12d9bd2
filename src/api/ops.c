/*
 * ops.c: which operators a few models need, as the header that chooses them for a build of the device runtime (ops/select.h,
 * cmake/select.cmake). Each is named once, in the order of its code, so the same models give the same bytes. What the runtime cannot
 * have as a kernel (an unknown custom operator, one of TensorFlow's) is named in a comment: the program has to bring it.
 */
#include "api/api.h"
#include "ops/op.h"

#include <string.h>

/* A tensor that integer kernels calculate with: a small integer that has a scale. */
static bool is_integer(const lc_tensor *t) {
    const uint32_t bits = lc_dtype_bits(t->type);
    return bits > 0 && bits <= 16 && t->type != LC_FLOAT16 && t->type != LC_BFLOAT16 && t->quant && t->quant->scale.n > 0;
}

static bool is_word(lc_str s) {
    for (size_t i = 0; i < s.size; i++) {
        const char c = s.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9' && i > 0))) return false;
    }
    return s.size > 0;
}

typedef struct needs {
    bool builtin[LC_OP_COUNT], integer;
    lc_text custom; /* lines for custom operators */
} needs;

static void add_custom(needs *n, lc_str code) {
    lc_text line = {0};
    const lc_node node = {.op = LC_OP_CUSTOM, .custom_code = code};
    if (lc_op_of(&node) != lc_op_get(LC_OP_CUSTOM)) /* litec has it */
        lc_text_printf(&line, "#define LC_WITH_CUSTOM_%.*s 1\n", (int)code.size, code.data);
    else if (is_word(code) && code.size < 200) lc_text_printf(&line, "/* the program must bring: %.*s */\n", (int)code.size, code.data);
    else lc_text_add(&line, "/* the program must bring an operator whose name is no C word */\n");
    if (line.data && (!n->custom.data || !strstr(n->custom.data, line.data))) lc_text_add(&n->custom, line.data);
    n->custom.failed |= line.failed;
    lc_text_deinit(&line);
}

static void add_model(needs *n, const lc_model *model) {
    for (size_t g = 0; g < model->graph_count; g++) {
        const lc_graph *graph = model->graphs[g];
        for (size_t t = 0; t < graph->tensor_count; t++) n->integer |= is_integer(&graph->tensors[t]);
        for (size_t i = 0; i < graph->node_count; i++) {
            const lc_node *node = &graph->nodes[i];
            if (node->op == LC_OP_CUSTOM) add_custom(n, node->custom_code);
            else if (node->op >= 0 && node->op < LC_OP_COUNT) n->builtin[node->op] = true;
        }
    }
}

lc_status lc_models_ops(const lc_model *const *models, size_t count, char **text, lc_error *err) {
    lc_error_clear(err);
    if (!text) return lc_fail(err, LC_ARGUMENT, "lc_models_ops needs a place for the text");
    *text = NULL;
    if (!models || count == 0) return lc_fail(err, LC_ARGUMENT, "lc_models_ops needs at least one model");
    needs n = {.integer = false};
    for (size_t i = 0; i < count; i++) add_model(&n, models[i]);
    lc_text out = {0};
    lc_text_add(&out, "/* Operators for a build of litec's device runtime, made by `litec ops`: docs/embedding.md. */\n");
    for (int32_t op = 0; op < LC_OP_COUNT; op++)
        if (n.builtin[op]) lc_text_printf(&out, "#define LC_WITH_%s 1\n", lc_op_name(op));
    if (n.custom.data) lc_text_add(&out, n.custom.data);
    if (n.integer) lc_text_add(&out, "#define LC_WITH_INTEGER 1\n");
    const bool failed = n.custom.failed;
    lc_text_deinit(&n.custom);
    char *all = lc_text_take(&out);
    if (!all || failed) {
        lc_free(all);
        return lc_fail_memory(err, "list of operators");
    }
    *text = all;
    return LC_OK;
}
