/*
 * cmd_convert.c: litec convert: a model of any known format becomes a .tflite file, whole or not at all.
 */
#include "cli/graph.h"
#include "cli/shrink.h"

#include <stddef.h>
#include <string.h>

typedef struct values {
    const char *output, *weights;
    bool allow_custom_ops, no_optimize, unroll, quiet, json;
    uint64_t max_memory;
    lc_cli_graph graph;
    lc_cli_shrink shrink;
} values;

static const lc_cli_option options[] = {
    {"output", 'o', LC_CLI_STRING, offsetof(values, output), "OUT.tflite", "file to write, - for standard output (required)", 0, 0},
    {"allow-custom-ops", 0, LC_CLI_FLAG, offsetof(values, allow_custom_ops), NULL, "keep unknown layers and operators as custom operators",
     0, 0},
    {"no-optimize", 0, LC_CLI_FLAG, offsetof(values, no_optimize), NULL, "one operator a layer, no rewrites", 0, 0},
    {"unroll", 0, LC_CLI_FLAG, offsetof(values, unroll), NULL, "recurrent layers of Keras as their steps, without a loop", 0, 0},
    {"weights", 0, LC_CLI_STRING, offsetof(values, weights), "FILE", "Keras: take the weights from here (for a .json: needed)", 0, 0},
    LC_CLI_SHRINK_OPTIONS(values, shrink),
    LC_CLI_BUDGET_OPTIONS(values, shrink.budget),
    LC_CLI_PRUNE_OPTIONS(values, shrink.prune),
    LC_CLI_GRAPH_OPTIONS(values, graph),
    {"max-memory", 0, LC_CLI_BYTES, offsetof(values, max_memory), "N[K|M|G]", "memory the file may make litec use (8G)", 0, 0},
    {"quiet", 'q', LC_CLI_FLAG, offsetof(values, quiet), NULL, "print nothing on success", 0, 0},
    {"json", 0, LC_CLI_FLAG, offsetof(values, json), NULL, "print the summary as JSON, with the peak of memory", 0, 0},
    {0},
};

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static const char *plural(uint64_t n) { return n == 1 ? "" : "s"; }

static void print_json(const char *source, const char *output, const lc_convert_stats *stats, uint64_t size, double seconds,
                       const lc_quantize_report *report, const lc_tradeoff *tradeoff, const lc_cli_pruned *pruned) {
    fputs("{\"source\":", stdout);
    lc_cli_put_json(stdout, source);
    fputs(",\"output\":", stdout);
    lc_cli_put_json(stdout, output);
    printf(",\"format\":\"%s\",\"layers\":%u,\"operators\":%u,\"parameters\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"peak_bytes\":%llu",
           stats->format, stats->layers, stats->operators, (unsigned long long)stats->parameters, (unsigned long long)size, seconds,
           (unsigned long long)lc_cli_peak_memory());
    lc_cli_pruned_print(pruned, true);
    if (report) printf(",\"quantization\":%s", lc_quantize_report_json(report));
    lc_cli_budget_print(tradeoff, true);
    puts("}");
}

static void print_line(const char *source, const char *output, const lc_convert_stats *stats, uint64_t size, double seconds) {
    lc_cli_put_safe(stdout, base_name(source));
    fputs(" -> ", stdout);
    lc_cli_put_safe(stdout, base_name(output));
    fputs(": ", stdout);
    if (strcmp(stats->format, "tflite") != 0)
        printf("%u %s%s, ", stats->layers, strncmp(stats->format, "keras", 5) == 0 ? "layer" : "node", plural(stats->layers));
    printf("%u operator%s, %s, %s\n", stats->operators, plural(stats->operators), lc_cli_bytes(size).text, lc_cli_time(seconds).text);
}

/* -o -: the model is all there is on standard output. */
static int write_stdout(lc_model *model) {
    void *data;
    size_t size;
    lc_error err;
    const lc_status status = lc_model_to_memory(model, &data, &size, &err);
    lc_model_destroy(model);
    if (status) return lc_cli_fail(&err);
    const int code = lc_cli_output(data, size);
    lc_free(data);
    return code;
}

int lc_cli_convert(const char *source, const char *output, lc_convert_options *how, const lc_cli_shrink *shrink, lc_cli_say say) {
    const double start = lc_cli_now();
    lc_convert_stats stats;
    lc_model *model;
    lc_error err;
    uint64_t size = 0;
    how->stats = &stats;
    if (lc_convert(source, how, &model, &err)) return lc_cli_fail(&err);
    lc_quantize_report *report = NULL;
    lc_tradeoff tradeoff = {0};
    lc_cli_pruned pruned = {0};
    int code = shrink ? lc_cli_prune_model(&shrink->prune, &model, &pruned) : LC_EXIT_OK;
    if (!code && shrink) code = lc_cli_shrink_model(shrink, &model, say != LC_CLI_SAY_LINE, &report, &tradeoff);
    if (!code && shrink) code = lc_cli_prune_finish(&shrink->prune, &model, &pruned);
    if (code || lc_cli_is_dash(output)) {
        lc_quantize_report_destroy(report);
        lc_tradeoff_deinit(&tradeoff);
        if (!code) return write_stdout(model);
        lc_model_destroy(model);
        return code;
    }
    const lc_status status = lc_model_save(model, output, &size, &err);
    lc_model_destroy(model);
    const double seconds = lc_cli_now() - start;
    if (status == LC_OK && say == LC_CLI_SAY_JSON) print_json(source, output, &stats, size, seconds, report, &tradeoff, &pruned);
    else if (status == LC_OK && say == LC_CLI_SAY_LINE) {
        print_line(source, output, &stats, size, seconds);
        lc_cli_pruned_print(&pruned, false);
        fputs(lc_quantize_report_text(report), stdout);
        lc_cli_budget_print(&tradeoff, false);
    }
    lc_quantize_report_destroy(report);
    lc_tradeoff_deinit(&tradeoff);
    if (status) return lc_cli_fail(&err);
    return LC_EXIT_OK;
}

static int run(const lc_cli_command *command, int argc, char **argv) {
    values v = {0};
    lc_cli_list arguments;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    if (!v.output) return lc_cli_usage("add -o OUT.tflite", "litec convert needs the file to write");

    const bool to_stdout = lc_cli_is_dash(v.output);
    if (to_stdout && v.json)
        return lc_cli_usage("give a file to write, or leave out --json", "both the model and the JSON would go to standard output");

    const char *source = arguments.items[0];
    if (lc_cli_input(&source, v.max_memory)) return LC_EXIT_FAILED;
    lc_convert_options how = {.limits = {.max_memory = v.max_memory},
                              .allow_custom_ops = v.allow_custom_ops,
                              .no_optimize = v.no_optimize,
                              .unroll = v.unroll,
                              .weights = v.weights};
    lc_cli_graph_texts texts = {0};
    if (lc_cli_graph_use(&v.graph, &how, &texts)) return LC_EXIT_FAILED;
    if (v.quiet) how.note = NULL;
    const int code = lc_cli_convert(source, v.output, &how, &v.shrink,
                                    v.json    ? LC_CLI_SAY_JSON
                                    : v.quiet ? LC_CLI_SAY_NOTHING
                                              : LC_CLI_SAY_LINE);
    lc_cli_graph_free(&texts);
    return code;
}

const lc_cli_command lc_cmd_convert = {
    .name = "convert",
    .summary = "turn a trained model into a .tflite file",
    .usage = "MODEL -o OUT.tflite [options]",
    .details =
        "MODEL: Keras .h5 or .keras, or .json with --weights; a SavedModel's directory; a graph of TensorFlow, .pb or .pbtxt; a checkpoint's\n"
        ".meta or prefix; .tflite. Files are recognised by content, whatever they are called.\n"
        "The output appears whole or not at all; the source is never changed. - is standard input and output.",
    .example = "litec convert model.h5 -o model.tflite",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
