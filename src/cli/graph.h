/*
 * graph.h: what the commands share that convert: the options that say what to make of a TensorFlow model, and the conversion itself.
 */
#ifndef LC_CLI_GRAPH_H
#define LC_CLI_GRAPH_H

#include "cli/args.h"

typedef struct lc_cli_graph {
    lc_cli_list signatures, functions, input_arrays, output_arrays, input_shapes, fixes, custom_opdefs;
    const char *tags, *checkpoint;
    bool select_tf_ops;
} lc_cli_graph;

/* Rows of an option table: T is the command's struct, `field` its lc_cli_graph. */
#define LC_CLI_GRAPH_OPTIONS(T, field) \
    {"signature", 0, LC_CLI_LIST, offsetof(T, field.signatures), "KEY,...", "SavedModel: only these signatures (all)", 0, 0}, \
        {"tags", 0, LC_CLI_STRING, offsetof(T, field.tags), "TAG,...", "SavedModel: the graph with these tags (serve)", 0, 0}, \
        {"function", 0, LC_CLI_LIST, offsetof(T, field.functions), "NAME,...", "SavedModel: concrete functions in place of signatures", \
         0,          0}, \
        {"input-arrays", 0, LC_CLI_LIST, offsetof(T, field.input_arrays), "NAME,...", "graph: tensors that become the inputs", 0, 0}, \
        {"output-arrays", 0, LC_CLI_LIST, offsetof(T, field.output_arrays), "NAME,...", "graph: tensors that become the outputs", 0, 0}, \
        {"input-shape", 0, LC_CLI_LIST, offsetof(T, field.input_shapes), "NAME=N,...", "fix an input's shape: image=1,224,224,3", 0, 0}, \
        {"fix", 0, LC_CLI_LIST, offsetof(T, field.fixes), "NAME=VALUE", "graph: make a placeholder a constant", 0, 0}, \
        {"checkpoint", 0, LC_CLI_STRING, offsetof(T, field.checkpoint), "PREFIX", "graph: where the values of its variables are", 0, 0}, \
        {"select-tf-ops", \
         0, \
         LC_CLI_FLAG, \
         offsetof(T, field.select_tf_ops), \
         NULL, \
         "operators without a builtin form become Flex operators", \
         0, \
         0}, \
    { \
        "custom-opdefs", 0, LC_CLI_LIST, offsetof(T, field.custom_opdefs), "OPDEF", \
            "TensorFlow's text OpDef of an operator that is custom", 0, 0 \
    }

/* The lists put together; freed with lc_cli_graph_free after the conversion. */
typedef struct lc_cli_graph_texts {
    char *lists[6];
    const char *opdefs[LC_CLI_LIST_MAX + 1];
} lc_cli_graph_texts;

/* Fills the options of a conversion; its notes go to stderr as "note: ...". Exit code. */
int lc_cli_graph_use(const lc_cli_graph *graph, lc_convert_options *how, lc_cli_graph_texts *texts);
void lc_cli_graph_free(lc_cli_graph_texts *texts);

/* ---- converting (cmd_convert.c) ------------------------------------------------------------------------------------ */

typedef enum lc_cli_say { LC_CLI_SAY_LINE, LC_CLI_SAY_JSON, LC_CLI_SAY_NOTHING } lc_cli_say;

struct lc_cli_shrink;
/* Converts `source`, makes it smaller (shrink NULL: does not) and writes it; `output` may be "-". Exit code. */
int lc_cli_convert(const char *source, const char *output, lc_convert_options *how, const struct lc_cli_shrink *shrink, lc_cli_say say);

#endif
