/*
 * known.c: see known.h. This is asked when a session is made, before any shape is known, so that an operator in a branch that the first
 * runs do not take is found then and not in the middle of a run. Three kinds of operators may be missing, and each has another way out:
 *
 *   Flex...   TensorFlow's own kernels, which a converter left in the model: convert again without them
 *   custom    somebody's own operator: the caller gives it
 *   builtin   litec lacks it, or a build that was made for other models does
 *
 * Each graph is looked at once, however often it is called. Regions of StableHLO operators are read by their kernels, not run, and are left
 * out.
 */
#include "runtime/known.h"
#include "runtime/control.h"
#include "runtime/custom.h"

#include <string.h>

static bool is_known(const lc_node *node, const lc_exec_options *options) {
    if (lc_custom_of(options, node) || lc_control_is(node->op)) return true;
    const lc_op_def *def = lc_op_of(node);
    return def && def->infer && lc_kernel_of(node);
}

/* Whether the letters of code, from the fifth to `end`, are those of a builtin operator's name, when case and '_' do not count. */
static bool says(lc_str code, size_t end, const char *name) {
    size_t i = 4;
    for (; *name && i < end; name++) {
        const char c = code.data[i] >= 'a' && code.data[i] <= 'z' ? (char)(code.data[i] - 'a' + 'A') : code.data[i];
        if (*name == '_' && c != '_') continue;
        if (*name != c) return false;
        i++;
    }
    return i == end && !*name;
}

/* FlexReverseV2 is REVERSE_V2, and FlexAddV2 is ADD: without its version, where nothing has it. */
static const char *builtin_of(lc_str code) {
    size_t short_end = code.size;
    while (short_end > 4 && code.data[short_end - 1] >= '0' && code.data[short_end - 1] <= '9') short_end--;
    const bool versioned = short_end < code.size && short_end > 5 && code.data[short_end - 1] == 'V';
    for (int pass = 0; pass < (versioned ? 2 : 1); pass++)
        for (int32_t op = 0; op < LC_OP_COUNT; op++)
            if (says(code, pass ? short_end - 1 : code.size, lc_op_name(op)) && lc_op_get(op)->infer) return lc_op_name(op);
    return NULL;
}

static lc_status refuse(const lc_node *node, lc_error *err) {
    const lc_str code = node->custom_code;
    const int shown = (int)(code.size < 80 ? code.size : 80);
    if (node->op != LC_OP_CUSTOM) {
        lc_fail(err, LC_UNSUPPORTED, "litec has no kernel for %s", lc_op_name(node->op));
        lc_error_hint(err, "%s", lc_op_left_out());
    } else if (code.size > 4 && memcmp(code.data, "Flex", 4) == 0) {
        const char *builtin = builtin_of(code);
        lc_fail(err, LC_UNSUPPORTED, "%.*s is TensorFlow's own operator (Select TF ops), which needs TensorFlow to run", shown, code.data);
        if (builtin)
            lc_error_hint(err, "litec has %s: convert the model again with TFLITE_BUILTINS alone, so that the converter writes that",
                          builtin);
        else
            lc_error_hint(
                err,
                "convert the model again without SELECT_TF_OPS, replace what needs it, or give it as one of lc_session_options.custom_ops");
    } else {
        static const char own[] = "litec's own are"
#define LC_CUSTOM(ID, code, family, in_min, in_max, out_min, out_max, absent) " " #code
#include "ops/custom.def"
            ;
        lc_fail(err, LC_UNSUPPORTED, "litec does not know the custom operator \"%.*s\"", shown, code.data ? code.data : "");
        lc_error_hint(err, "give it to the session from C, in lc_session_options.custom_ops; %s", own);
    }
    return LC_UNSUPPORTED;
}

static lc_status check_graph(const lc_graph *g, const lc_exec_options *options, lc_error *err) {
    for (size_t n = 0; n < g->node_count; n++) {
        if (is_known(&g->nodes[n], options)) continue;
        refuse(&g->nodes[n], err);
        lc_exec_prefix(err, g, &g->nodes[n]);
        if (g != g->model->graphs[0]) lc_error_prefix(err, "graph \"%.80s\"", g->name.data ? g->name.data : "");
        return LC_UNSUPPORTED;
    }
    return LC_OK;
}

/* Marks the graphs that `node` runs; the calls were checked when the model was loaded. */
static lc_status mark_called(const lc_graph *g, const lc_node *node, bool *wanted, lc_error *err) {
    const uint32_t n = lc_control_is(node->op) ? lc_op_calls(node, NULL, 0) : 0;
    int32_t few[8], *graphs = few;
    if (n > 8) {
        size_t bytes;
        graphs = lc_mul_size(n, sizeof *graphs, &bytes) ? lc_malloc(bytes) : NULL;
        if (!graphs) return lc_fail_memory(err, "session");
    }
    lc_op_calls(node, graphs, n);
    for (uint32_t i = 0; i < n; i++)
        if (graphs[i] >= 0 && (size_t)graphs[i] < g->model->graph_count) wanted[graphs[i]] = true;
    if (graphs != few) lc_free(graphs);
    return LC_OK;
}

lc_status lc_known_check(const lc_graph *graph, const lc_exec_options *options, lc_error *err) {
    const lc_model *m = graph->model;
    lc_status status = LC_OK;
    bool *wanted = lc_calloc(m->graph_count, 2 * sizeof *wanted);
    if (!wanted) return lc_fail_memory(err, "session");
    bool *seen = wanted + m->graph_count; /* looked at */
    for (size_t g = 0; g < m->graph_count; g++) wanted[g] = m->graphs[g] == graph;
    for (bool more = true; more && status == LC_OK;) {
        more = false;
        for (size_t g = 0; g < m->graph_count && status == LC_OK; g++) {
            if (!wanted[g] || seen[g]) continue;
            more = seen[g] = true;
            status = check_graph(m->graphs[g], options, err);
            for (size_t n = 0; n < m->graphs[g]->node_count && status == LC_OK; n++)
                status = mark_called(m->graphs[g], &m->graphs[g]->nodes[n], wanted, err);
        }
    }
    lc_free(wanted);
    return status;
}
