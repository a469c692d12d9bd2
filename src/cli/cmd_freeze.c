/*
 * cmd_freeze.c: litec freeze: a graph of TensorFlow and its checkpoint as one frozen graph, with the flags of TensorFlow's freeze_graph,
 * which it is too when called by that name. An argument in place of --input_graph and its like is taken for what it is.
 */
#include "cli/args.h"

#include <stddef.h>
#include <string.h>

typedef struct values {
    const char *input_graph, *input_checkpoint, *input_meta_graph, *input_saved_model_dir, *output_graph, *output_node_names;
    const char *initializer_nodes, *whitelist, *denylist, *blacklist, *tags, *input_saver, *restore_op, *filename_tensor;
    lc_cli_bool input_binary, clear_devices;
    int32_t checkpoint_version;
    uint64_t max_memory;
} values;

#define TEXT(name, field, value, help) \
    { name, 0, LC_CLI_STRING, offsetof(values, field), value, help, 0, 0 }

static const lc_cli_option options[] = {
    TEXT("input_graph", input_graph, "FILE", "GraphDef, .pb or .pbtxt"),
    TEXT("input_checkpoint", input_checkpoint, "PREFIX", "its variables: a checkpoint of version 1 or 2"),
    TEXT("input_meta_graph", input_meta_graph, "FILE", "MetaGraph (.meta) in place of --input_graph"),
    TEXT("input_saved_model_dir", input_saved_model_dir, "DIR", "SavedModel in place of graph and checkpoint"),
    TEXT("output_graph", output_graph, "FILE", "frozen graph to write (required)"),
    TEXT("output_node_names", output_node_names, "NAME,...", "nodes that the frozen graph is for (required)"),
    {"clear_devices", 0, LC_CLI_BOOL, offsetof(values, clear_devices), NULL, "take the devices off the nodes (true)", 0, 0},
    TEXT("initializer_nodes", initializer_nodes, "NAME,...", "nodes that assign constants to variables"),
    TEXT("variable_names_whitelist", whitelist, "NAME,...", "freeze only these variables"),
    TEXT("variable_names_denylist", denylist, "NAME,...", "leave these variables as they are"),
    TEXT("variable_names_blacklist", blacklist, "NAME,...", "as --variable_names_denylist"),
    TEXT("saved_model_tags", tags, "TAG,...", "tags of the graph in the SavedModel (serve)"),
    {"input_binary", 0, LC_CLI_BOOL, offsetof(values, input_binary), NULL, "nothing: text and binary are told apart", 0, 0},
    {"checkpoint_version", 0, LC_CLI_COUNT, offsetof(values, checkpoint_version), "N", "nothing: versions are told apart", 1, 2},
    TEXT("input_saver", input_saver, "FILE", "nothing: the graph says how variables are restored"),
    TEXT("restore_op_name", restore_op, "NAME", "nothing, as in TensorFlow"),
    TEXT("filename_tensor_name", filename_tensor, "NAME", "nothing, as in TensorFlow"),
    {"max-memory", 0, LC_CLI_BYTES, offsetof(values, max_memory), "N[K|M|G]", "memory the file may make litec use (8G)", 0, 0},
    {0},
};

static const lc_cli_old_name old_names[] = {
    {"output", "it is --output_graph"},
    {"output-node-names", "it is --output_node_names"},
    {"checkpoint", "it is --input_checkpoint"},
    {"input-graph", "it is --input_graph"},
    {"saved_model_dir", "it is --input_saved_model_dir"},
    {NULL, NULL},
};

/* What litec convert's options are called here. */
static const lc_cli_renamed renamed[] = {{"--checkpoint PREFIX, or freeze the graph first: litec freeze", "--input_checkpoint PREFIX"},
                                         {"--checkpoint", "--input_checkpoint"},
                                         {"--tags", "--saved_model_tags"},
                                         {"--output-arrays", "--output_node_names"},
                                         {NULL, NULL}};

static int run(const lc_cli_command *command, int argc, char **argv) {
    values v = {0};
    lc_cli_list arguments;
    lc_error err;
    lc_freeze_stats stats;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    const char *const given[] = {v.input_graph, v.input_meta_graph, v.input_saved_model_dir, arguments.count ? arguments.items[0] : NULL};
    const char *source = NULL;
    int sources = 0;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i]) source = given[i], sources++;
    if (!source && v.input_checkpoint) source = v.input_checkpoint, sources = 1; /* its graph lies beside it */
    if (sources != 1)
        return lc_cli_usage("give one of --input_graph, --input_meta_graph and --input_saved_model_dir",
                            sources ? "freezing takes one graph, not %d" : "freezing needs a graph", sources);
    if (!v.output_graph) return lc_cli_usage("add --output_graph FROZEN.pb", "freezing needs the file to write");
    if (v.denylist && v.blacklist) return lc_cli_usage("give one", "--variable_names_denylist and --variable_names_blacklist are the same");
    const lc_freeze_options how = {.limits = {.max_memory = v.max_memory},
                                   .output_nodes = v.output_node_names,
                                   .checkpoint = v.input_checkpoint,
                                   .tags = v.tags,
                                   .initializer_nodes = v.initializer_nodes && *v.initializer_nodes ? v.initializer_nodes : NULL,
                                   .only_variables = v.whitelist,
                                   .but_variables = v.denylist ? v.denylist : v.blacklist,
                                   .keep_devices = v.clear_devices == LC_CLI_FALSE,
                                   .stats = &stats,
                                   .note = lc_cli_hear};
    lc_cli_rename(renamed);
    if (lc_freeze(source, v.output_graph, &how, &err)) return lc_cli_fail(&err);
    printf("%u variable%s became constant%s, %u node%s in the frozen graph, %s\n", stats.variables, stats.variables == 1 ? "" : "s",
           stats.variables == 1 ? "" : "s", stats.nodes, stats.nodes == 1 ? "" : "s", lc_cli_bytes(stats.bytes).text);
    return LC_EXIT_OK;
}

const lc_cli_command lc_cmd_freeze = {
    .name = "freeze",
    .program = "freeze_graph",
    .summary = "make one frozen graph of a TensorFlow graph and its checkpoint",
    .usage = "GRAPH --input_checkpoint PREFIX --output_node_names NAME,... --output_graph FROZEN.pb",
    .details = "GRAPH, or --input_graph: .pb, .pbtxt, a .meta, a SavedModel's directory. What the outputs do not need is left out.\n"
               "TensorFlow loads the result, and so does litec convert, which can also read the graph as it is.",
    .example = "litec freeze graph.pbtxt --input_checkpoint model.ckpt --output_node_names softmax --output_graph frozen.pb",
    .options = options,
    .old_names = old_names,
    .least = 0,
    .most = 1,
    .run = run,
};
