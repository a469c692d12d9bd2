/*
 * tf_guess.c: what a graph without a signature is for. A frozen graph ends in its outputs: nodes that nobody reads. A graph that was
 * trained has much behind them: the loss, gradients, the optimiser, summaries, the saver. So we look only at what is computed from inputs
 * and not from labels, leave out what training and saving add, and take the nodes that nothing of this kind reads; where there is training,
 * the last of the Softmax-like ones if there is one, since metrics may lie behind it.
 *
 * Labels are placeholders that are called so, or that a loss takes as its labels. Switches of training are placeholders, one truth value or
 * one number, that are called is_training, keep_prob and the like.
 */
#include "source/tf_read.h"

#include <string.h>

/* ---- names and operators ---- */

static bool op_begins(const lc_pb_NodeDef *node, const char *prefix) { return lc_str_has_prefix(node->op, prefix); }

static bool contains(lc_str s, const char *part) {
    const size_t n = strlen(part);
    for (size_t i = 0; i + n <= s.size; i++) {
        size_t k = 0;
        while (k < n && (s.data[i + k] | 0x20) == (part[k] | 0x20)) k++; /* letters in either case */
        if (k == n) return true;
    }
    return false;
}

/* The last part of a name, without the number that makes it unique: "in/y_true_1" gives "y_true". */
static lc_str last_part(lc_str name) {
    if (!name.size) return name; /* a node may have none */
    size_t from = name.size, to = name.size;
    while (from > 0 && name.data[from - 1] != '/') from--;
    size_t digits = to;
    while (digits > from && name.data[digits - 1] >= '0' && name.data[digits - 1] <= '9') digits--;
    if (digits < to && digits > from + 1 && name.data[digits - 1] == '_') to = digits - 1;
    return (lc_str){name.data + from, to - from};
}

static bool is_one_of(lc_str s, const char *const *list) {
    for (; *list; list++)
        if (lc_str_is(s, *list)) return true;
    return false;
}

/* What only training, saving and watching need. */
static bool is_apparatus(const lc_pb_NodeDef *node) {
    static const char *const ops[] = {"NoOp",
                                      "Assert",
                                      "Print",
                                      "PrintV2",
                                      "SaveV2",
                                      "Save",
                                      "SaveSlices",
                                      "RestoreV2",
                                      "Restore",
                                      "RestoreSlice",
                                      "ShardedFilename",
                                      "MergeV2Checkpoints",
                                      "ControlTrigger",
                                      "Abort",
                                      "Assign",
                                      "AssignAdd",
                                      "AssignSub",
                                      "AssignVariableOp",
                                      "AssignAddVariableOp",
                                      "AssignSubVariableOp",
                                      "VariableV2",
                                      "Variable",
                                      "VarHandleOp",
                                      "IsVariableInitialized",
                                      "VarIsInitializedOp",
                                      "CountUpTo",
                                      "WriteFile",
                                      "Const",
                                      "Placeholder",
                                      "PlaceholderV2",
                                      "PlaceholderWithDefault",
                                      NULL};
    static const char *const prefixes[] = {"Apply",
                                           "SparseApply",
                                           "ResourceApply",
                                           "ResourceSparseApply",
                                           "Scatter",
                                           "ResourceScatter",
                                           "Queue",
                                           "FIFOQueue",
                                           "RandomShuffleQueue",
                                           "PaddingFIFOQueue",
                                           "PriorityQueue",
                                           "Reader",
                                           "TFRecordReader",
                                           "WholeFileReader",
                                           "InitializeTable",
                                           "LookupTableImport",
                                           "HashTable",
                                           "MutableHashTable",
                                           "MakeIterator",
                                           "Iterator",
                                           "OneShotIterator",
                                           "Write",
                                           "Stage",
                                           NULL};
    if (is_one_of(node->op, ops) || contains(node->op, "Summary")) return true;
    for (size_t i = 0; prefixes[i]; i++) {
        /* ScatterNd computes, ScatterUpdate changes a variable. */
        if (op_begins(node, prefixes[i]) && !op_begins(node, "ScatterNd")) return !lc_tf_is_feed(node);
    }
    return false;
}

/* What tf.cond makes besides the branches: where the predicate came from. */
static bool is_pivot(lc_str name) {
    static const char *const pivots[] = {"switch_t", "switch_f", "pred_id", NULL};
    return is_one_of(last_part(name), pivots);
}

static bool in_scope(lc_str name, const char *scope) {
    const size_t n = strlen(scope);
    for (size_t i = 0; i + n < name.size; i++) {
        if ((i == 0 || name.data[i - 1] == '/') && memcmp(name.data + i, scope, n) == 0 &&
            (name.data[i + n] == '/' || name.data[i + n] == '_'))
            return true;
    }
    return false;
}

static bool is_training_name(lc_str name) {
    return in_scope(name, "gradients") || in_scope(name, "save") || in_scope(name, "report_uninitialized_variables") ||
           in_scope(name, "Adam") || in_scope(name, "GradientDescent") || in_scope(name, "train_op") || in_scope(name, "Momentum") ||
           in_scope(name, "RMSProp");
}

static bool is_label_name(lc_str name) {
    static const char *const exact[] = {"y_", "y", "Y", "y_true", "Y_", "gt", "ground_truth", "y_actual", "actual", "truth", NULL};
    const lc_str last = last_part(name);
    return is_one_of(last, exact) || contains(last, "label") || contains(last, "target");
}

/* A placeholder without a name of its own: what it switches tells. any: one reader whose name has one of the words; else all. */
static bool is_read_by(const lc_tf_reading *r, int32_t at, const char *const *words, bool any) {
    uint32_t readers = 0, named = 0;
    for (uint32_t k = 0; k < r->index.node_count; k++)
        for (uint32_t e = r->index.first_edge[k]; e < r->index.first_edge[k + 1]; e++) {
            if (r->index.edges[e].node != at || in_scope(r->graph->node.data[k].name, "gradients")) continue;
            readers++;
            for (size_t w = 0; words[w]; w++)
                if (contains(r->graph->node.data[k].name, words[w])) {
                    named++;
                    break;
                }
        }
    return any ? named > 0 : readers > 0 && named == readers;
}

/* It has elements that are dropped, and so is no rate: its shape is asked for, or it is divided. */
static bool is_dropped_from(const lc_tf_reading *r, int32_t at) {
    for (uint32_t k = 0; k < r->index.node_count; k++) {
        const uint32_t e = r->index.first_edge[k];
        if (e == r->index.first_edge[k + 1] || r->index.edges[e].node != at || in_scope(r->graph->node.data[k].name, "gradients")) continue;
        const lc_str op = r->graph->node.data[k].op;
        if (lc_str_is(op, "Shape") || lc_str_is(op, "RealDiv") || lc_str_is(op, "Div")) return true;
    }
    return false;
}

/* The rate of a dropout is taken from 1; of the share that is kept, nothing is. */
static bool is_taken_from(const lc_tf_reading *r, lc_str placeholder) {
    for (uint32_t k = 0; k < r->index.node_count; k++) {
        const lc_pb_NodeDef *reader = &r->graph->node.data[k];
        lc_str name;
        int32_t output;
        if (!lc_str_is(reader->op, "Sub") || reader->input.n < 2) continue;
        lc_tf_graph_ref(reader->input.data[1], &name, &output);
        if (lc_str_eq(name, placeholder)) return true;
    }
    return false;
}

bool lc_tf_is_switch(const lc_tf_reading *r, int32_t at, double *value) {
    static const char *const norms[] = {"dropout", "batchnorm", "batch_norm", "bn", NULL};
    static const char *const drops[] = {"dropout", NULL};
    static const char *const training[] = {"train", "phase", "is_test", "inference_mode", "dropout", "learning_phase", NULL};
    static const char *const keeping[] = {"keep_prob", "keepprob", "keep_rate", "keep_ratio", "prob_keep", "keep", NULL};
    static const char *const dropping[] = {"dropout", "drop_rate", "drop_prob", "droprate", NULL};
    const lc_pb_NodeDef *node = &r->graph->node.data[at];
    lc_shape shape;
    lc_error ignored;
    if (!lc_tf_is_placeholder(node) || lc_tf_output_shape(node, 0, &shape, &ignored) || shape.rank > 0) return false;
    const lc_dtype type = lc_tf_output_type(node, 0);
    const lc_str last = last_part(node->name);
    const bool unnamed = lc_str_is(last, "Placeholder") || lc_str_is(last, "Placeholder_");
    if (type == LC_BOOL && unnamed && is_read_by(r, at, norms, true)) {
        *value = 0;
        return true;
    }
    for (size_t i = 0; type == LC_BOOL && training[i]; i++)
        if (contains(last, training[i])) {
            *value = contains(last, "test") || contains(last, "inference");
            return true;
        }
    if (type != LC_FLOAT32 && type != LC_FLOAT64) return false;
    if (unnamed && is_read_by(r, at, drops, false) && !is_dropped_from(r, at)) {
        *value = is_taken_from(r, node->name) ? 0 : 1;
        return true;
    }
    for (size_t i = 0; keeping[i]; i++)
        if (contains(last, keeping[i])) {
            *value = 1;
            return true;
        }
    for (size_t i = 0; dropping[i]; i++) {
        if (!contains(last, dropping[i])) continue;
        *value = is_taken_from(r, node->name) ? 0 : 1;
        return true;
    }
    return false;
}

/* ---- what depends on what ---- */

typedef struct flow {
    bool *fed;      /* computed from something given from outside that is no label */
    bool *labelled; /* computed from a label */
    bool *read;     /* by a node of the same kind */
    uint8_t *depth; /* loops and branches around it */
    bool training;  /* the graph has an optimiser or gradients */
    bool unfed;     /* it computes from its own constants alone */
} flow;

/* Who reads each node: readers[first[i]] to readers[first[i + 1] - 1]. */
typedef struct read_by {
    uint32_t *first;
    int32_t *readers, *stack; /* stack: room for every node */
} read_by;

static lc_status find_readers(const lc_tf_reading *r, read_by *by) {
    const uint32_t n = r->index.node_count;
    by->first = lc_arena_array(r->arena, (size_t)n + 2, sizeof *by->first);
    by->readers = lc_arena_array(r->arena, (size_t)r->index.first_edge[n] + 1, sizeof *by->readers);
    by->stack = lc_arena_array(r->arena, (size_t)n + 1, sizeof *by->stack);
    if (!by->first || !by->readers || !by->stack) return lc_fail_memory(r->err, "graph");
    for (uint32_t e = 0; e < r->index.first_edge[n]; e++) by->first[r->index.edges[e].node + 2]++;
    for (uint32_t i = 0; i < n; i++) by->first[i + 2] += by->first[i + 1];
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t e = r->index.first_edge[i]; e < r->index.first_edge[i + 1]; e++)
            by->readers[by->first[r->index.edges[e].node + 1]++] = (int32_t)i;
    return LC_OK;
}

/* Spreads a mark from nodes to all that read them, whatever the order of the nodes in the file. */
static void spread(const lc_tf_reading *r, const read_by *by, bool *mark) {
    uint32_t depth = 0;
    for (uint32_t i = 0; i < r->index.node_count; i++)
        if (mark[i]) by->stack[depth++] = (int32_t)i;
    while (depth) {
        const int32_t at = by->stack[--depth];
        for (uint32_t k = by->first[at]; k < by->first[at + 1]; k++)
            if (!mark[by->readers[k]]) {
                mark[by->readers[k]] = true;
                by->stack[depth++] = by->readers[k];
            }
    }
}

static bool is_op(const lc_pb_NodeDef *node, const char *op) {
    return lc_str_is(node->op, op) || (lc_str_has_prefix(node->op, "Ref") && lc_str_is((lc_str){node->op.data + 3, node->op.size - 3}, op));
}

/* Whether one of a node's inputs is such an operator: what makes a Merge or Switch one of a loop. */
static bool reads_op(const lc_tf_reading *r, uint32_t i, const char *op) {
    for (uint32_t e = r->index.first_edge[i]; e < r->index.first_edge[i + 1]; e++)
        if (is_op(&r->graph->node.data[r->index.edges[e].node], op)) return true;
    return false;
}

/* How many loops and branches of TensorFlow 1 a node is in, for those that compute from what is given to one. Its value is not there when
 * the graph has run. Enter and Switch go into one, Exit and Merge come out. */
static lc_status count_nesting(const lc_tf_reading *r, const read_by *by, uint8_t *depth) {
    enum { MOST = 60 }; /* so that a cycle ends */
    const uint32_t n = r->index.node_count;
    int8_t *step = lc_arena_array(r->arena, (size_t)n + 1, sizeof *step);
    bool *waits = lc_arena_array(r->arena, (size_t)n + 1, sizeof *waits);
    if (!step || !waits) return lc_fail_memory(r->err, "graph");
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        const lc_pb_NodeDef *node = &r->graph->node.data[i];
        if (is_op(node, "Enter") || (is_op(node, "Switch") && !reads_op(r, i, "LoopCond"))) step[i] = 1;
        else if (is_op(node, "Exit") || (is_op(node, "Merge") && !reads_op(r, i, "NextIteration"))) step[i] = -1;
        if (step[i] <= 0) continue;
        depth[i] = 1;
        waits[i] = true;
        by->stack[count++] = (int32_t)i;
    }
    while (count) {
        const int32_t at = by->stack[--count];
        waits[at] = false;
        if (is_op(&r->graph->node.data[at], "NextIteration")) continue;
        for (uint32_t k = by->first[at]; k < by->first[at + 1]; k++) {
            const int32_t to = by->readers[k];
            const int now = depth[at] + step[to];
            if (now <= depth[to] || now > MOST) continue;
            depth[to] = (uint8_t)now;
            if (!waits[to]) by->stack[count++] = to;
            waits[to] = true;
        }
    }
    return LC_OK;
}

/* Placeholders that a loss takes as labels, through casts and reshapes. (Of a queue's element one output is the label, another the input.)
 */
static void mark_loss_labels(const lc_tf_reading *r, bool *label) {
    static const char *const pass[] = {"Reshape", "StopGradient", "Cast", "OneHot", "Identity", "Squeeze", NULL};
    for (uint32_t i = 0; i < r->index.node_count; i++) {
        if (!contains(r->graph->node.data[i].op, "SoftmaxCrossEntropyWithLogits") ||
            r->index.first_edge[i + 1] - r->index.first_edge[i] < 2)
            continue;
        int32_t at = r->index.edges[r->index.first_edge[i] + 1].node;
        for (int depth = 0;
             depth < 10 && is_one_of(r->graph->node.data[at].op, pass) && r->index.first_edge[at + 1] > r->index.first_edge[at]; depth++)
            at = r->index.edges[r->index.first_edge[at]].node;
        if (lc_tf_is_placeholder(&r->graph->node.data[at])) label[at] = true;
    }
}

static lc_status follow(const lc_tf_reading *r, flow *f) {
    const uint32_t n = r->index.node_count;
    f->fed = lc_arena_array(r->arena, (size_t)n + 1, sizeof(bool));
    f->labelled = lc_arena_array(r->arena, (size_t)n + 1, sizeof(bool));
    f->read = lc_arena_array(r->arena, (size_t)n + 1, sizeof(bool));
    f->depth = lc_arena_array(r->arena, (size_t)n + 1, sizeof *f->depth);
    read_by by;
    if (!f->fed || !f->labelled || !f->read || !f->depth) return lc_fail_memory(r->err, "graph");
    LC_TRY(find_readers(r, &by));
    LC_TRY(count_nesting(r, &by, f->depth));
    uint32_t feeds = 0, labels = 0;
    lc_str saver = {NULL, 0}; /* what is given to it is the name of a file */
    int32_t output;
    if (r->meta && r->meta->saver_def) lc_tf_graph_ref(r->meta->saver_def->filename_tensor_name, &saver, &output);
    const int32_t file = lc_tf_graph_find(&r->index, saver);
    for (uint32_t i = 0; i < n; i++) {
        const lc_pb_NodeDef *node = &r->graph->node.data[i];
        if (op_begins(node, "Apply") || op_begins(node, "ResourceApply") || in_scope(node->name, "gradients")) f->training = true;
        if (!lc_tf_is_feed(node) || (int32_t)i == file) continue;
        feeds++;
        f->labelled[i] = is_label_name(node->name);
    }
    mark_loss_labels(r, f->labelled);
    for (uint32_t i = 0; i < n; i++) labels += f->labelled[i];
    for (uint32_t i = 0; i < n; i++) {
        if (feeds && labels == feeds) f->labelled[i] = false; /* then they are not */
        const lc_pb_NodeDef *node = &r->graph->node.data[i];
        double ignored;
        f->fed[i] = lc_tf_is_feed(node) && (int32_t)i != file && !f->labelled[i] && !lc_tf_is_switch(r, (int32_t)i, &ignored);
        if (!feeds && lc_str_is(node->op, "PlaceholderWithDefault")) f->fed[i] = true;
    }
    spread(r, &by, f->labelled);
    spread(r, &by, f->fed);
    f->unfed = true;
    for (uint32_t i = 0; i < n; i++) f->unfed &= !f->fed[i];
    return LC_OK;
}

static bool is_candidate(const lc_tf_reading *r, const flow *f, uint32_t i, bool strict) {
    const lc_pb_NodeDef *node = &r->graph->node.data[i];
    if (is_apparatus(node) || lc_tf_is_feed(node) || is_pivot(node->name)) return false;
    if (strict && f->depth[i]) return false;
    if ((strict || f->unfed) && is_training_name(node->name)) return false;
    if (f->unfed) return !lc_str_is(node->op, "Identity");
    return strict ? f->fed[i] && !f->labelled[i] : f->fed[i];
}

static bool is_answer(const lc_pb_NodeDef *node) {
    return lc_str_is(node->op, "Softmax") || lc_str_is(node->op, "LogSoftmax") || lc_str_is(node->op, "Sigmoid");
}

lc_status lc_tf_guess_outputs(const lc_tf_reading *r, int32_t **nodes, uint32_t *count) {
    const uint32_t n = r->index.node_count;
    flow f = {0};
    *count = 0;
    *nodes = lc_arena_array(r->arena, (size_t)n + 1, sizeof **nodes);
    bool *layers = lc_arena_array(r->arena, (size_t)n + 1, sizeof *layers); /* has a layer with weights behind it: a gate, not the answer */
    int32_t *stack = lc_arena_array(r->arena, (size_t)n + 1, sizeof *stack);
    if (!*nodes || !layers || !stack) return lc_fail_memory(r->err, "outputs");
    LC_TRY(follow(r, &f));
    for (int strict = 1; strict >= 0 && !*count; strict--) {
        memset(f.read, 0, n);
        for (uint32_t i = 0; i < n; i++) {
            const lc_pb_NodeDef *node = &r->graph->node.data[i];
            /* what goes into a loop or branch is read, and what is asserted is no result */
            if (lc_str_is(node->op, "Assert") && r->index.first_edge[i] < r->index.first_edge[i + 1])
                f.read[r->index.edges[r->index.first_edge[i]].node] = true;
            if (!is_candidate(r, &f, i, strict == 1) && !(strict && f.depth[i] && !is_training_name(node->name))) continue;
            for (uint32_t e = r->index.first_edge[i]; e < r->index.first_edge[i + 1]; e++) f.read[r->index.edges[e].node] = true;
        }
        for (uint32_t i = 0; i < n; i++)
            if (is_candidate(r, &f, i, strict == 1) && !f.read[i]) (*nodes)[(*count)++] = (int32_t)i;
    }
    if (f.training) {
        /* What a layer reads, and what that reads. */
        for (uint32_t i = 0; i < n; i++) {
            const lc_pb_NodeDef *node = &r->graph->node.data[i];
            const bool layer =
                lc_str_is(node->op, "MatMul") || lc_str_is(node->op, "Conv2D") || lc_str_is(node->op, "DepthwiseConv2dNative");
            if (!layer || !is_candidate(r, &f, i, true)) continue;
            for (uint32_t e = r->index.first_edge[i]; e < r->index.first_edge[i + 1]; e++)
                lc_tf_graph_mark(&r->index, r->index.edges[e].node, layers, stack);
        }
        for (uint32_t i = n; i-- > 0;)
            if (is_answer(&r->graph->node.data[i]) && is_candidate(r, &f, i, true) && !layers[i]) {
                (*nodes)[0] = (int32_t)i;
                *count = 1;
                break;
            }
    }
    if (*count) return LC_OK;
    lc_fail(r->err, LC_INVALID, "it cannot be told which tensors are the outputs: nothing is computed from an input and read by nobody");
    lc_error_hint(r->err, "name them: --output-arrays NAME,...; `litec inspect` lists the nodes");
    return LC_INVALID;
}

lc_status lc_tf_guess_inputs(const lc_tf_reading *r, const int32_t *outputs, uint32_t output_count, lc_tf_edge **inputs, uint32_t *count) {
    const uint32_t n = r->index.node_count;
    bool *seen = lc_arena_array(r->arena, (size_t)n + 1, sizeof *seen);
    int32_t *stack = lc_arena_array(r->arena, (size_t)n + 1, sizeof *stack);
    uint32_t edges = r->index.first_edge[n], found = 0;
    *inputs = lc_arena_array(r->arena, (size_t)edges + output_count + 1, sizeof **inputs);
    if (!seen || !stack || !*inputs) return lc_fail_memory(r->err, "inputs");
    for (uint32_t i = 0; i < output_count; i++)
        if (outputs[i] >= 0) lc_tf_graph_mark(&r->index, outputs[i], seen, stack);
    /* Which outputs of a feed are read; a placeholder has one. Kept in the order of the graph, each once. */
    enum { MOST = 16 };
    uint16_t *used = lc_arena_array(r->arena, (size_t)n + 1, sizeof *used);
    if (!used) return lc_fail_memory(r->err, "inputs");
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t e = r->index.first_edge[i]; seen[i] && e < r->index.first_edge[i + 1]; e++)
            if (r->index.edges[e].output < MOST) used[r->index.edges[e].node] |= (uint16_t)(1u << r->index.edges[e].output);
    }
    for (uint32_t i = 0; i < output_count; i++)
        if (outputs[i] >= 0) used[outputs[i]] |= 1u;
    for (uint32_t i = 0; i < n; i++) {
        if (!seen[i] || !lc_tf_is_feed(&r->graph->node.data[i])) continue;
        for (int32_t k = 0; k < MOST; k++)
            if (used[i] >> k & 1) (*inputs)[found++] = (lc_tf_edge){(int32_t)i, k};
    }
    *count = found;
    return LC_OK;
}

/* ---- shapes ---- */

/* The shape of a constant or variable behind identities. */
static bool weight_shape(const lc_tf_reading *r, int32_t at, lc_shape *shape) {
    lc_error ignored;
    for (int depth = 0; depth < 10; depth++) {
        const lc_pb_NodeDef *node = &r->graph->node.data[at];
        const lc_pb_AttrValue *value = lc_str_is(node->op, "Const") ? lc_tf_attribute(node, "value") : NULL;
        if (value && value->tensor) return lc_tf_shape_of(value->tensor->tensor_shape, shape, &ignored) == LC_OK;
        if (lc_str_is(node->op, "VariableV2") || lc_str_is(node->op, "VarHandleOp") || lc_str_is(node->op, "Variable"))
            return lc_tf_output_shape(node, 0, shape, &ignored) == LC_OK;
        if ((!lc_str_is(node->op, "Identity") && !lc_str_is(node->op, "ReadVariableOp")) ||
            r->index.first_edge[at] == r->index.first_edge[at + 1])
            return false;
        at = r->index.edges[r->index.first_edge[at]].node;
    }
    return false;
}

static bool flag(const lc_pb_NodeDef *node, const char *name) {
    const lc_pb_AttrValue *a = lc_tf_attribute(node, name);
    return a && a->b;
}

/* What one reader says of its first input. */
static lc_shape shape_by_reader(const lc_tf_reading *r, int32_t reader) {
    const lc_pb_NodeDef *node = &r->graph->node.data[reader];
    const uint32_t first = r->index.first_edge[reader];
    lc_shape weight, unknown = {.rank = LC_RANK_UNKNOWN};
    if (r->index.first_edge[reader + 1] - first < 2 || !weight_shape(r, r->index.edges[first + 1].node, &weight)) return unknown;
    if (lc_str_is(node->op, "MatMul") && weight.rank == 2 && !flag(node, "transpose_a"))
        return (lc_shape){.rank = 2, .dims = {-1, weight.dims[flag(node, "transpose_b") ? 1 : 0]}};
    const bool depthwise = lc_str_is(node->op, "DepthwiseConv2dNative");
    if ((lc_str_is(node->op, "Conv2D") || depthwise) && weight.rank == 4) {
        const lc_pb_AttrValue *format = lc_tf_attribute(node, "data_format");
        if (format && lc_str_is(format->s, "NCHW")) return (lc_shape){.rank = 4, .dims = {-1, weight.dims[2], -1, -1}};
        return (lc_shape){.rank = 4, .dims = {-1, -1, -1, weight.dims[2]}};
    }
    return unknown;
}

lc_shape lc_tf_guess_shape(const lc_tf_reading *r, lc_tf_edge input) {
    static const char *const same[] = {"Identity", "Cast", "Mul", "Sub", "RealDiv", "Div", "Add", "AddV2", "Relu", "StopGradient", NULL};
    lc_tf_edge at = input;
    /* Through operators that keep the shape, as long as there is one way. */
    for (int depth = 0; depth < 10; depth++) {
        int32_t next = -1;
        for (uint32_t k = 0; k < r->index.node_count; k++) {
            const uint32_t e = r->index.first_edge[k];
            if (e == r->index.first_edge[k + 1] || r->index.edges[e].node != at.node || r->index.edges[e].output != at.output) continue;
            const lc_shape shape = shape_by_reader(r, (int32_t)k);
            if (shape.rank != LC_RANK_UNKNOWN) return shape;
            if (next < 0 && is_one_of(r->graph->node.data[k].op, same)) next = (int32_t)k;
        }
        if (next < 0) break;
        at = (lc_tf_edge){next, 0};
    }
    return (lc_shape){.rank = LC_RANK_UNKNOWN};
}
