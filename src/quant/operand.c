/*
 * operand.c: see operand.h. The forms are those that LiteRT's kernels run (docs/types.md: `float32 x int8`); what its kernels take in theory
 * and compute wrongly is left out here.
 */
#include "quant/operand.h"

#include "ops/lstm.h"
#include "ops/rnn.h"

enum { NONE = LC_OPERAND_NO_AXIS };

/* clang-format off */
static const lc_operand operands[] = {
    /*                        input axis  inputs way                 int4   even   blocks */
    {LC_OP_CONV_2D,           1,    0,    3,     LC_OPERAND_KERNEL,  true,  false, false},
    {LC_OP_DEPTHWISE_CONV_2D, 1,    3,    NONE,  LC_OPERAND_KERNEL,  false, false, false},
    {LC_OP_FULLY_CONNECTED,   1,    0,    1,     LC_OPERAND_KERNEL,  true,  false, true},
    {LC_OP_BATCH_MATMUL,      1,    NONE, NONE,  LC_OPERAND_KERNEL,  false, false, false},
    {LC_OP_EMBEDDING_LOOKUP,  1,    0,    NONE,  LC_OPERAND_KERNEL,  true,  true,  false},
    {LC_OP_GATHER,            0,    NONE, NONE,  LC_OPERAND_BEHIND,  false, false, false},
    {LC_OP_TRANSPOSE_CONV,    1,    0,    3,     LC_OPERAND_FRONT,   false, false, false},
    {LC_OP_CONV_3D,           1,    4,    3,     LC_OPERAND_FRONT,   false, false, false},
    {LC_OP_CONV_3D_TRANSPOSE, 1,    3,    4,     LC_OPERAND_FRONT,   false, false, false},
};
/* clang-format on */

const lc_operand *lc_operand_of(const lc_node *n, int32_t k) {
    for (size_t i = 0; i < sizeof operands / sizeof *operands; i++)
        if (operands[i].op == n->op && (k < 0 || operands[i].input == k)) return &operands[i];
    return NULL;
}

/* ---- cells -------------------------------------------------------------------------------------------------------------------- */

static bool given(const lc_node *n, int32_t k) { return k >= 0 && (uint32_t)k < n->input_count && n->inputs[k] != LC_ABSENT; }

static void add(const lc_node *n, int32_t slot, int32_t *slots, uint32_t *count) {
    if (given(n, slot) && *count < LC_OPERAND_MOST_SLOTS) slots[(*count)++] = slot;
}

static void add_lstm(const lc_node *n, const lc_lstm_slots *s, int32_t *slots, uint32_t *count) {
    for (int g = 0; g < LC_LSTM_GATES; g++) {
        add(n, s->weights[g], slots, count);
        add(n, s->recurrent[g], slots, count);
        add(n, s->aux_weights[g], slots, count);
        add(n, s->peephole[g], slots, count);
    }
    add(n, s->projection, slots, count);
}

static void add_rnn(const lc_node *n, bool backward, int32_t *slots, uint32_t *count) {
    const lc_rnn_slots s = lc_rnn_slots_of(n, backward, given(n, LC_RNN_AUX), given(n, LC_RNN_AUX_WEIGHTS));
    add(n, s.weights, slots, count);
    add(n, s.recurrent, slots, count);
    add(n, s.aux_weights, slots, count);
}

uint32_t lc_operand_cell(const lc_node *n, int32_t slots[LC_OPERAND_MOST_SLOTS], bool *cell) {
    uint32_t count = 0;
    *cell = true;
    if (n->op == LC_OP_LSTM || n->op == LC_OP_UNIDIRECTIONAL_SEQUENCE_LSTM) {
        const lc_lstm_slots s = lc_lstm_slots_of(n->input_count);
        const bool basic = n->op == LC_OP_LSTM && LC_OP_ATTRS(n, LSTMOptions)->kernel_type != LC_LSTMKernelType_FULL;
        if (!basic && !LC_OP_ATTRS(n, UnidirectionalSequenceLSTMOptions)->diagonal_recurrent_tensors) add_lstm(n, &s, slots, &count);
    } else if (n->op == LC_OP_BIDIRECTIONAL_SEQUENCE_LSTM) {
        for (int i = 0; i < 2; i++) {
            const lc_lstm_slots s = lc_lstm_slots_bidirectional(i == 1, given(n, LC_LSTM_AUX), given(n, LC_LSTM_AUX_WEIGHTS));
            add_lstm(n, &s, slots, &count);
        }
    } else if (n->op == LC_OP_RNN || n->op == LC_OP_UNIDIRECTIONAL_SEQUENCE_RNN) {
        add_rnn(n, false, slots, &count);
    } else if (n->op == LC_OP_BIDIRECTIONAL_SEQUENCE_RNN) {
        /* with the time first LiteRT's hybrid kernel runs the sequence once a step */
        const bool time_major = LC_OP_ATTRS(n, BidirectionalSequenceRNNOptions)->time_major;
        for (int i = 0; i < 2 && !time_major; i++) add_rnn(n, i == 1, slots, &count);
    } else if (n->op == LC_OP_SVDF) {
        add(n, 1, slots, &count);
        add(n, 2, slots, &count);
    } else {
        *cell = false;
    }
    return count;
}
