/*
 * check_graph.c: operators can run in the order they stand. One pass with a byte of marks a tensor: what is read is constant,
 * variable, an input of the subgraph or written before; what is written is none of these, and written once.
 *
 * So a cycle cannot pass (it would read early), nor an output that is its operator's own input. LiteRT's verifier does this
 * too, its interpreter does not and aborts on some; both skip the subgraph's outputs.
 *
 * One exception: a custom operator may read a tensor that nobody writes. The Ethos-U compiler gives its operator scratch memory
 * that way, and only the operator knows. Variables may be read at any time: operators that change them (LSTM, SVDF) name them as inputs.
 * One operator may write them too, before or after: in float16 models a DEQUANTIZE sets the state that an LSTM starts from.
 */
#include "runtime/check.h"

enum { AVAILABLE = LC_MARK_CONSTANT | LC_MARK_VARIABLE | LC_MARK_INPUT | LC_MARK_WRITTEN };

static bool is_input(const lc_Operator *o, int32_t t) {
    for (size_t k = 0; k < o->inputs.n; k++) {
        if (o->inputs.data[k] == t) return true;
    }
    return false;
}

/* Why tensor t may not be written by operator i: called once, on the way out. */
static lc_status refuse_write(const lc_check *c, size_t g, size_t i, size_t k, int32_t t) {
    const lc_Operator *o = &c->model->subgraphs.data[g].operators.data[i];
    uint8_t mark = c->marks[g][t];
    if (is_input(o, t)) return lc_check_fail_op(c, LC_RULE_ALIAS, g, i, "output %zu: tensor %d is its input too", k, t);
    if (mark & LC_MARK_CONSTANT) return lc_check_fail_op(c, LC_RULE_WRITE_CONSTANT, g, i, "output %zu: tensor %d is a constant", k, t);
    if (mark & LC_MARK_INPUT)
        return lc_check_fail_op(c, LC_RULE_WRITE_INPUT, g, i, "output %zu: tensor %d is an input of the subgraph", k, t);
    return lc_check_fail_op(c, LC_RULE_WRITE_TWICE, g, i, "output %zu: tensor %d is written already", k, t);
}

static lc_status refuse_read(const lc_check *c, size_t g, size_t i, size_t k, int32_t t) {
    const lc_Operator *o = &c->model->subgraphs.data[g].operators.data[i];
    for (size_t j = 0; j < o->outputs.n; j++) {
        if (o->outputs.data[j] == t) return lc_check_fail_op(c, LC_RULE_ALIAS, g, i, "input %zu: tensor %d is its output too", k, t);
    }
    if (c->marks[g][t] & LC_MARK_PRODUCED) {
        return lc_check_fail_op(c, LC_RULE_READ_EARLY, g, i, "input %zu: tensor %d is written by a later operator", k, t);
    }
    return lc_check_fail_op(c, LC_RULE_READ_NOTHING, g, i, "input %zu: tensor %d has no data and nothing writes it", k, t);
}

static lc_status check_subgraph(const lc_check *c, size_t g) {
    const lc_Model *m = c->model;
    const lc_SubGraph *s = &m->subgraphs.data[g];
    uint8_t *marks = c->marks[g];
    for (size_t i = 0; i < s->operators.n; i++) {
        const lc_Operator *o = &s->operators.data[i];
        bool custom = lc_tflite_op(&m->operator_codes.data[o->opcode_index]) == LC_OP_CUSTOM;
        for (size_t k = 0; k < o->inputs.n; k++) {
            int32_t t = o->inputs.data[k];
            if (t == LC_ABSENT || (marks[t] & AVAILABLE)) continue;
            if (custom && !(marks[t] & LC_MARK_PRODUCED)) continue;
            return refuse_read(c, g, i, k, t);
        }
        for (size_t k = 0; k < o->outputs.n; k++) {
            int32_t t = o->outputs.data[k];
            if ((marks[t] & AVAILABLE & ~LC_MARK_VARIABLE) || (marks[t] & LC_MARK_VARIABLE && is_input(o, t)))
                return refuse_write(c, g, i, k, t);
            marks[t] |= LC_MARK_WRITTEN;
        }
    }
    for (size_t k = 0; k < s->outputs.n; k++) {
        int32_t t = s->outputs.data[k];
        if (!(marks[t] & AVAILABLE)) {
            return lc_check_fail(c, LC_RULE_OUTPUT_NOTHING, s->at, "subgraph %zu, output %zu: tensor %d has no data and nothing writes it",
                                 g, k, t);
        }
    }
    return LC_OK;
}

lc_status lc_check_order(const lc_check *c) {
    for (size_t g = 0; g < c->model->subgraphs.n; g++) LC_TRY(check_subgraph(c, g));
    return LC_OK;
}
