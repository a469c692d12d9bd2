/*
 * cmd_lint.c: litec lint: what will and will not convert, and what it will cost. Exit 0 when the file converts as it is, 1 when not.
 */
#include "cli/graph.h"

#include <stddef.h>

typedef struct values {
    bool json, allow_custom_ops;
    const char *weights;
    uint64_t max_memory;
    lc_cli_graph graph;
} values;

static const lc_cli_option options[] = {
    {"json", 0, LC_CLI_FLAG, offsetof(values, json), NULL, "print JSON, for a check in CI", 0, 0},
    {"allow-custom-ops", 0, LC_CLI_FLAG, offsetof(values, allow_custom_ops), NULL, "unknown layers as CUSTOM operators are no problem", 0,
     0},
    {"weights", 0, LC_CLI_STRING, offsetof(values, weights), "FILE", "Keras: take the weights from here (for a .json: needed)", 0, 0},
    LC_CLI_GRAPH_OPTIONS(values, graph),
    {"max-memory", 0, LC_CLI_BYTES, offsetof(values, max_memory), "N[K|M|G]", "memory the file may make litec use (8G)", 0, 0},
    {0},
};

static int run(const lc_cli_command *command, int argc, char **argv) {
    values v = {0};
    lc_cli_list arguments;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    const char *file = arguments.items[0];
    if (lc_cli_input(&file, v.max_memory)) return LC_EXIT_FAILED;
    lc_convert_options how = {.limits = {.max_memory = v.max_memory}, .allow_custom_ops = v.allow_custom_ops, .weights = v.weights};
    lc_cli_graph_texts texts = {0};
    if (lc_cli_graph_use(&v.graph, &how, &texts)) return LC_EXIT_FAILED;
    bool converts = false;
    char *text = NULL;
    lc_error err;
    const lc_status status = lc_lint(file, v.json ? LC_REPORT_JSON : LC_REPORT_TEXT, &how, &converts, &text, &err);
    lc_cli_graph_free(&texts);
    if (status) return lc_cli_fail(&err);
    fputs(text, stdout);
    lc_free(text);
    return converts ? LC_EXIT_OK : LC_EXIT_FAILED;
}

const lc_cli_command lc_cmd_lint = {
    .name = "lint",
    .summary = "say what will convert, what will not, and what it costs",
    .usage = "MODEL [--json]",
    .details =
        "Lists every layer or operator that stands in the way, with what to do; or, when the model converts, its size, work, memory,\n"
        "the operators that int8 quantisation would leave as float, and the oldest runtime. Writes nothing; exit 1 when it does\n"
        "not convert.",
    .example = "litec lint model.keras",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
