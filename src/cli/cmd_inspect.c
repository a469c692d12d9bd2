/*
 * cmd_inspect.c: litec inspect: what is in a model. A source model is shown as it would be converted.
 */
#include "cli/graph.h"

#include <stddef.h>
#include <string.h>

typedef struct values {
    bool json, ops, tensors, memory, no_optimize;
    const char *weights;
    uint64_t max_memory;
    lc_cli_graph graph;
} values;

static const lc_cli_option options[] = {
    {"json", 0, LC_CLI_FLAG, offsetof(values, json), NULL, "print JSON", 0, 0},
    {"ops", 0, LC_CLI_FLAG, offsetof(values, ops), NULL, "only the operators", 0, 0},
    {"tensors", 0, LC_CLI_FLAG, offsetof(values, tensors), NULL, "only the tensors", 0, 0},
    {"memory", 0, LC_CLI_FLAG, offsetof(values, memory), NULL, "only the memory plan, step by step", 0, 0},
    {"no-optimize", 0, LC_CLI_FLAG, offsetof(values, no_optimize), NULL, "show a source model before the rewrites", 0, 0},
    {"weights", 0, LC_CLI_STRING, offsetof(values, weights), "FILE", "Keras: take the weights from here (for a .json: needed)", 0, 0},
    LC_CLI_GRAPH_OPTIONS(values, graph),
    {"max-memory", 0, LC_CLI_BYTES, offsetof(values, max_memory), "N[K|M|G]", "memory the file may make litec use (8G)", 0, 0},
    {0},
};

/* The file itself: exit code, or -1 when it is best described as the model it becomes. */
static int show_source(const char *file, const lc_convert_options *how, bool json) {
    char *text;
    lc_error err;
    if (lc_source_inspect(file, json ? LC_REPORT_JSON : LC_REPORT_TEXT, how, &text, &err)) return lc_cli_fail(&err);
    if (!text) return -1;
    if (json) {
        fputs("{\"file\":", stdout);
        lc_cli_put_json(stdout, file);
        putchar(',');
        fputs(text + 1, stdout);
    } else {
        lc_cli_put_safe(stdout, file);
        fputs(": ", stdout);
        fputs(text, stdout);
    }
    lc_free(text);
    return LC_EXIT_OK;
}

/* The model a file becomes. */
static int show_model(const char *file, const lc_convert_options *how, const values *v) {
    lc_convert_stats stats;
    lc_convert_options custom = *how, first = *how;
    first.stats = custom.stats = &stats;
    custom.allow_custom_ops = true;
    lc_model *model;
    lc_error err, ignored;
    /* To look is always allowed, with layers that litec does not know as custom operators. When that fails too (their shapes are
     * guessed), the layer is what is wrong. */
    if (lc_convert(file, &first, &model, &err) && (err.status != LC_UNSUPPORTED || lc_convert(file, &custom, &model, &ignored)))
        return lc_cli_fail(&err);
    uint32_t parts = (v->ops ? LC_REPORT_OPS : 0) | (v->tensors ? LC_REPORT_TENSORS : 0) | (v->memory ? LC_REPORT_MEMORY : 0);
    if (!parts && !v->json) parts = LC_REPORT_SUMMARY | LC_REPORT_OPS;
    char *text = NULL;
    const lc_status status = lc_model_inspect(model, v->json ? LC_REPORT_JSON : LC_REPORT_TEXT, parts, &text, &err);
    lc_model_destroy(model);
    if (status) return lc_cli_fail(&err);
    if (!v->json && (parts & LC_REPORT_SUMMARY)) {
        lc_cli_put_safe(stdout, file);
        printf(": %s, %u %s\n", stats.format, stats.layers, strcmp(stats.format, "tflite") == 0 ? "operators" : "layers");
    }
    if (v->json) { /* what the model itself does not know comes first in the object */
        fputs("{\"file\":", stdout);
        lc_cli_put_json(stdout, file);
        printf(",\"format\":\"%s\",\"layers\":%u,", stats.format, stats.layers);
    }
    fputs(v->json ? text + 1 : text, stdout);
    lc_free(text);
    return LC_EXIT_OK;
}

static int run(const lc_cli_command *command, int argc, char **argv) {
    values v = {0};
    lc_cli_list arguments;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    const char *file = arguments.items[0];
    if (lc_cli_input(&file, v.max_memory)) return LC_EXIT_FAILED;
    lc_convert_options how = {.limits = {.max_memory = v.max_memory}, .no_optimize = v.no_optimize, .weights = v.weights};
    lc_cli_graph_texts texts = {0};
    if (lc_cli_graph_use(&v.graph, &how, &texts)) return LC_EXIT_FAILED;
    /* What is asked of the model: its operators, or what some of the signatures become. */
    const bool model = v.ops || v.tensors || v.memory || v.no_optimize || how.signatures || how.functions || how.input_arrays ||
                       how.output_arrays || how.input_shapes || how.fix || how.select_tf_ops || how.weights;
    int code = model ? -1 : show_source(file, &how, v.json);
    if (code < 0) code = show_model(file, &how, &v);
    lc_cli_graph_free(&texts);
    return code;
}

const lc_cli_command lc_cmd_inspect = {
    .name = "inspect",
    .summary = "show what is in a model",
    .usage = "MODEL [--json] [--ops] [--tensors] [--memory]",
    .details = "Without --ops, --tensors or --memory: inputs, outputs, signatures, totals and operators.\n"
               "--json alone adds the tensors. In shapes, ? is a dimension that is open (the batch).\n"
               "TensorFlow's files are shown as they stand: signatures, likely inputs and outputs, variables, functions; with\n"
               "--ops, --signature and the like as the model they become.",
    .example = "litec inspect model.tflite --memory",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
