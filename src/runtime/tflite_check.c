/*
 * tflite_check.c: the meaning of a .tflite file whose structure is already proved (schema/fb_verify.c): after it every index is
 * in range, every constant has its bytes, operators stand in an order that can run, subgraphs call each other without cycles.
 * What follows (load.c, passes, kernels) relies on it and checks none of this again.
 *
 * It goes where LiteRT's own verifier does not (subgraph calls, signatures, metadata, quantisation, shape_signature, options
 * against operators, external buffers) and its interpreter never looks. Rules and their ids: rules.def; one file a subject:
 * check_model.c check_index.c check_tensor.c check_string.c check_quant.c check_sparsity.c check_options.c check_graph.c
 * check_calls.c check_signature.c. Time is O(n log n) in the size of the file, memory a few bytes a tensor.
 *
 * Spec: schema.fbs of LiteRT and its comments; the behaviour of LiteRT's interpreter builder where that is silent.
 */
#include "runtime/check.h"
#include <stdarg.h>
#include <stdio.h>

enum { ADVICE_REMAKE, ADVICE_NEWER, ADVICE_LIMIT };

static const char *const ids[] = {
#define LC_RULE(ID, advice, must) #ID,
#include "runtime/rules.def"
};
static const char *const musts[] = {
/* for hints: a small build has none */
#define LC_RULE(ID, advice, must) LC_HINT(must),
#include "runtime/rules.def"
};
static const uint8_t advice_of[] = {
#define LC_RULE(ID, advice, must) ADVICE_##advice,
#include "runtime/rules.def"
};

static const char *const advices[] = {
    [ADVICE_REMAKE] = "the file is damaged or its writer is at fault: convert the model again",
    [ADVICE_NEWER] = "the file may need a newer litec, or is damaged",
    [ADVICE_LIMIT] = "raise the limit if you trust the file",
};

void lc_rule_name(lc_rule rule, char id[24]) {
    snprintf(id, 24, "TFL-%s", ids[rule]);
    for (char *p = id; *p; p++) {
        if (*p == '_') *p = '-';
    }
}

static lc_status report(const lc_check *c, lc_rule rule, uint64_t at, const char *where, const char *format, va_list args) {
    char text[768], id[24];
    vsnprintf(text, sizeof text, format, args);
    lc_rule_name(rule, id);
    lc_status status = advice_of[rule] == ADVICE_LIMIT ? LC_LIMIT : LC_INVALID;
    lc_fail_rule(c->err, status, id, at, "%s%s", where, text);
    lc_error_hint(c->err, "%s; %s", musts[rule], advices[advice_of[rule]]);
    return status;
}

lc_status lc_check_fail(const lc_check *c, lc_rule rule, uint64_t at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    lc_status status = report(c, rule, at, "", format, args);
    va_end(args);
    return status;
}

lc_status lc_check_fail_tensor(const lc_check *c, lc_rule rule, size_t graph, size_t tensor, const char *format, ...) {
    const lc_Tensor *t = &c->model->subgraphs.data[graph].tensors.data[tensor];
    char where[160];
    if (t->name.data && t->name.size) {
        int shown = t->name.size > 80 ? 80 : (int)t->name.size;
        snprintf(where, sizeof where, "subgraph %zu, tensor %zu \"%.*s\": ", graph, tensor, shown, t->name.data);
    } else {
        snprintf(where, sizeof where, "subgraph %zu, tensor %zu: ", graph, tensor);
    }
    va_list args;
    va_start(args, format);
    lc_status status = report(c, rule, t->at, where, format, args);
    va_end(args);
    return status;
}

lc_status lc_check_fail_op(const lc_check *c, lc_rule rule, size_t graph, size_t op, const char *format, ...) {
    const lc_Operator *o = &c->model->subgraphs.data[graph].operators.data[op];
    char where[160];
    if (o->opcode_index < c->model->operator_codes.n) {
        const lc_OperatorCode *code = &c->model->operator_codes.data[o->opcode_index];
        int32_t id = lc_tflite_op(code);
        int shown = id != LC_OP_CUSTOM || !code->custom_code.data ? 0 : code->custom_code.size > 60 ? 60 : (int)code->custom_code.size;
        snprintf(where, sizeof where, "subgraph %zu, operator %zu %s%s%.*s: ", graph, op, lc_op_name(id), shown ? " " : "", shown,
                 shown ? code->custom_code.data : "");
    } else {
        snprintf(where, sizeof where, "subgraph %zu, operator %zu: ", graph, op);
    }
    va_list args;
    va_start(args, format);
    lc_status status = report(c, rule, o->at, where, format, args);
    va_end(args);
    return status;
}

/* ---- shared helpers ------------------------------------------------------------------------------------------ */

static void sift_down(uint32_t *items, size_t root, size_t n, lc_less less, const void *context) {
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && less(context, items[child], items[child + 1])) child++;
        if (!less(context, items[root], items[child])) return;
        uint32_t t = items[root];
        items[root] = items[child];
        items[child] = t;
    }
}

void lc_sort_indices(uint32_t *items, size_t n, lc_less less, const void *context) {
    for (size_t i = n / 2; i-- > 0;) sift_down(items, i, n, less, context);
    for (size_t end = n; end > 1; end--) {
        uint32_t t = items[0];
        items[0] = items[end - 1];
        items[end - 1] = t;
        sift_down(items, 0, end - 1, less, context);
    }
}

int32_t lc_tflite_op(const lc_OperatorCode *code) {
    return code->deprecated_builtin_code > code->builtin_code ? code->deprecated_builtin_code : code->builtin_code;
}

static lc_table_id member(lc_union_id id, const lc_union *u) { return u->value ? lc_schema_union_table(id, u->type) : LC_TABLE_COUNT; }

lc_table_id lc_tflite_options(const lc_Operator *op, void **value) {
    if (op->builtin_options.type) {
        *value = op->builtin_options.value;
        return member(LC_UNION_ID_BuiltinOptions, &op->builtin_options);
    }
    *value = op->builtin_options_2.value;
    return op->builtin_options_2.type ? member(LC_UNION_ID_BuiltinOptions2, &op->builtin_options_2) : LC_TABLE_NONE;
}

const lc_Buffer *lc_tflite_data(const lc_Model *model, const lc_Tensor *tensor) {
    if (tensor->buffer == 0 || tensor->buffer >= model->buffers.n) return NULL;
    const lc_Buffer *b = &model->buffers.data[tensor->buffer];
    return b->data.data ? b : NULL;
}

/* ---- the check ----------------------------------------------------------------------------------------------- */

static lc_status run(lc_check *c) {
    LC_TRY(lc_check_model(c));
    const lc_Model *m = c->model;
    c->marks = lc_arena_array(c->scratch, m->subgraphs.n, sizeof *c->marks);
    c->strings = lc_arena_array(c->scratch, m->buffers.n, 1);
    if (!c->marks || !c->strings) return lc_fail_memory(c->err, "checking the model");
    for (size_t g = 0; g < m->subgraphs.n; g++) {
        c->marks[g] = lc_arena_array(c->scratch, m->subgraphs.data[g].tensors.n, 1);
        if (!c->marks[g]) return lc_fail_memory(c->err, "checking the model");
    }
    LC_TRY(lc_check_indices(c));
    LC_TRY(lc_check_tensors(c));
    LC_TRY(lc_check_options(c));
    LC_TRY(lc_check_order(c));
    LC_TRY(lc_check_calls(c));
    return lc_check_signatures(c);
}

lc_status lc_tflite_check(const lc_Model *model, const void *data, size_t size, lc_budget *budget, lc_error *err) {
    (void)data; /* fb_verify proved ranges against the bytes already; the structs point to what is needed */
    (void)size;
    lc_arena scratch = {0};
    lc_check c = {.model = model, .limits = &budget->limits, .scratch = &scratch, .err = err};
    lc_status status = run(&c);
    lc_arena_deinit(&scratch);
    return status;
}
