/*
 * check_index.c: every number that names a tensor or an operator code is in range, and operators have as many inputs and
 * outputs as the op table says. Sets the marks (check.h) that the later parts read.
 *
 * An input may be -1 only where the op table calls it optional. Outputs, intermediates and the subgraph's own inputs and
 * outputs are never -1: LiteRT lets those pass, and its kernels then take the tensor in front of the first one.
 */
#include "runtime/check.h"

static lc_status check_count(const lc_check *c, lc_rule rule, size_t g, size_t i, uint32_t found, int32_t min, int32_t max,
                             const char *what) {
    if ((int64_t)found >= min && (max < 0 || (int64_t)found <= max)) return LC_OK;
    if (max < 0) return lc_check_fail_op(c, rule, g, i, "has %u %s, needs at least %d", found, what, min);
    if (min == max) return lc_check_fail_op(c, rule, g, i, "has %u %s, needs %d", found, what, min);
    return lc_check_fail_op(c, rule, g, i, "has %u %s, needs %d to %d", found, what, min, max);
}

/* Bit i of the table's mask; a mask of ones stands for any number of inputs. */
static bool may_be_absent(const lc_op_def *def, size_t input) {
    return def->absent == UINT32_MAX || (input < 32 && (def->absent >> input & 1));
}

static lc_status check_operator(const lc_check *c, size_t g, size_t i) {
    const lc_Model *m = c->model;
    const lc_SubGraph *s = &m->subgraphs.data[g];
    const lc_Operator *o = &s->operators.data[i];
    uint32_t tensors = s->tensors.n;
    if (o->opcode_index >= m->operator_codes.n) {
        return lc_check_fail_op(c, LC_RULE_OPCODE_INDEX, g, i, "operator code %u does not exist (there are %u)", o->opcode_index,
                                m->operator_codes.n);
    }
    const lc_op_def *def = lc_op_get(lc_tflite_op(&m->operator_codes.data[o->opcode_index]));
    LC_TRY(check_count(c, LC_RULE_INPUT_COUNT, g, i, o->inputs.n, def->in_min, def->in_max, "inputs"));
    LC_TRY(check_count(c, LC_RULE_OUTPUT_COUNT, g, i, o->outputs.n, def->out_min, def->out_max, "outputs"));
    for (size_t k = 0; k < o->inputs.n; k++) {
        int32_t t = o->inputs.data[k];
        if (t == LC_ABSENT) {
            if (may_be_absent(def, k)) continue;
            return lc_check_fail_op(c, LC_RULE_INPUT_ABSENT, g, i, "input %zu is absent (-1) but not optional", k);
        }
        if (t < 0 || (uint32_t)t >= tensors) {
            return lc_check_fail_op(c, LC_RULE_INPUT_INDEX, g, i, "input %zu: tensor %d does not exist (there are %u)", k, t, tensors);
        }
    }
    for (size_t k = 0; k < o->outputs.n; k++) {
        int32_t t = o->outputs.data[k];
        if (t < 0 || (uint32_t)t >= tensors) {
            return lc_check_fail_op(c, LC_RULE_OUTPUT_INDEX, g, i, "output %zu: tensor %d does not exist (there are %u)", k, t, tensors);
        }
        c->marks[g][t] |= LC_MARK_PRODUCED;
    }
    for (size_t k = 0; k < o->intermediates.n; k++) {
        int32_t t = o->intermediates.data[k];
        if (t < 0 || (uint32_t)t >= tensors) {
            return lc_check_fail_op(c, LC_RULE_INTERMEDIATE_INDEX, g, i, "intermediate %zu: tensor %d does not exist (there are %u)", k, t,
                                    tensors);
        }
    }
    if (o->mutating_variable_inputs.n != 0 && o->mutating_variable_inputs.n != o->inputs.n) {
        return lc_check_fail_op(c, LC_RULE_MUTATING, g, i, "mutating_variable_inputs has %u entries for %u inputs",
                                o->mutating_variable_inputs.n, o->inputs.n);
    }
    return LC_OK;
}

static lc_status check_ends(const lc_check *c, size_t g, const lc_vec_i32 *list, lc_rule rule, uint8_t mark, const char *what) {
    const lc_SubGraph *s = &c->model->subgraphs.data[g];
    for (size_t k = 0; k < list->n; k++) {
        int32_t t = list->data[k];
        if (t < 0 || (uint32_t)t >= s->tensors.n) {
            return lc_check_fail(c, rule, s->at, "subgraph %zu, %s %zu: tensor %d does not exist (there are %u)", g, what, k, t,
                                 s->tensors.n);
        }
        c->marks[g][t] |= mark;
    }
    return LC_OK;
}

lc_status lc_check_indices(const lc_check *c) {
    const lc_Model *m = c->model;
    for (size_t g = 0; g < m->subgraphs.n; g++) {
        const lc_SubGraph *s = &m->subgraphs.data[g];
        for (size_t i = 0; i < s->tensors.n; i++) {
            const lc_Tensor *t = &s->tensors.data[i];
            /* Buffer 0 is "no data" even in a file without buffers. */
            if (t->buffer != 0 && t->buffer >= m->buffers.n) {
                return lc_check_fail_tensor(c, LC_RULE_BUFFER_INDEX, g, i, "buffer %u does not exist (there are %u)", t->buffer,
                                            m->buffers.n);
            }
            if (lc_tflite_data(m, t) || t->external_buffer) c->marks[g][i] |= LC_MARK_CONSTANT;
            if (t->is_variable) c->marks[g][i] |= LC_MARK_VARIABLE;
        }
        LC_TRY(check_ends(c, g, &s->inputs, LC_RULE_GRAPH_INPUT, LC_MARK_INPUT, "input"));
        LC_TRY(check_ends(c, g, &s->outputs, LC_RULE_GRAPH_OUTPUT, LC_MARK_OUTPUT, "output"));
        for (size_t i = 0; i < s->operators.n; i++) LC_TRY(check_operator(c, g, i));
    }
    return LC_OK;
}
