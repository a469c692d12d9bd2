/*
 * cmd_tflite_convert.c: the official converter's command line, flag for flag: `tflite_convert` beside `litec`, or `litec tflite_convert`.
 *
 * Flags mean what they mean there and have the same defaults: those of TensorFlow 2, and after --enable_v1_converter those of TensorFlow 1.
 * What differs: an unknown flag is an error (the official program ignores it, so that a misspelt flag goes unnoticed), and what litec does
 * not do is refused by name before anything is written. Flags that only the old converter heeded (TOCO) are taken and said to do nothing,
 * as the official program says.
 */
#include "cli/graph.h"
#include "cli/shrink.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct values {
    const char *output_file, *saved_model_dir, *keras_model_file, *graph_def_file;
    const char *tag_set, *signature_key;
    const char *input_arrays, *output_arrays, *input_shapes;
    const char *output_format, *inference_type, *inference_input_type, *mean_values, *std_dev_values;
    const char *ranges_min, *ranges_max, *target_ops, *user_tf_ops, *custom_opdefs, *change_concat;
    const char *graphviz_dir, *summary_dir;
    lc_cli_bool v1, new_converter, new_quantizer, allow_custom_ops, post_training_quantize, quantize_weights, quantize_to_float16;
    lc_cli_bool drop_control_dependency, reorder_across_fake_quant, graphviz_video;
} values;

#define TEXT(name, field, value, help) \
    { name, 0, LC_CLI_STRING, offsetof(values, field), value, help, 0, 0 }
#define BOOL(name, field, help) \
    { name, 0, LC_CLI_BOOL, offsetof(values, field), NULL, help, 0, 0 }

/* The help of a flag that only the converter of TensorFlow 1 has begins so. */
#define V1 "v1: "

static const lc_cli_option options[] = {
    TEXT("output_file", output_file, "FILE", "the .tflite file to write (required)"),
    TEXT("saved_model_dir", saved_model_dir, "DIR", "SavedModel to convert"),
    TEXT("keras_model_file", keras_model_file, "FILE", "Keras model to convert, .h5 or .keras"),
    TEXT("saved_model_tag_set", tag_set, "TAG,...", "tags of the graph in the SavedModel (serve)"),
    TEXT("saved_model_signature_key", signature_key, "KEY,...", "signatures of the SavedModel (all; v1: serving_default)"),
    BOOL("enable_v1_converter", v1, "take the flags of TensorFlow 1, those below"),
    BOOL("experimental_new_converter", new_converter, "true; the old converter is gone"),
    BOOL("experimental_new_quantizer", new_quantizer, "no difference: there is one quantiser"),
    /* --enable_v1_converter */
    TEXT("graph_def_file", graph_def_file, "FILE", V1 "frozen graph to convert, .pb or .pbtxt"),
    TEXT("input_arrays", input_arrays, "NAME,...", V1 "tensors that become the inputs"),
    TEXT("output_arrays", output_arrays, "NAME,...", V1 "tensors that become the outputs"),
    TEXT("input_shapes", input_shapes, "N,N:N,N", V1 "shapes of the input arrays, in their order"),
    TEXT("output_format", output_format, "TFLITE", V1 "TFLITE; GRAPHVIZ_DOT is ignored, as officially"),
    TEXT("inference_type", inference_type, "TYPE", V1 "FLOAT, or INT8, UINT8, QUANTIZED_UINT8 for graphs with fake quantisation"),
    TEXT("inference_input_type", inference_input_type, "TYPE", V1 "type of its inputs, the same names (as the model)"),
    TEXT("mean_values", mean_values, "N,...", V1 "of integer inputs: real = (q - mean) / std"),
    TEXT("std_dev_values", std_dev_values, "N,...", V1 "of integer inputs, with the means"),
    TEXT("default_ranges_min", ranges_min, "N", V1 "of tensors without a range: to try the speed of integers"),
    TEXT("default_ranges_max", ranges_max, "N", V1 "goes with it"),
    BOOL("post_training_quantize", post_training_quantize, V1 "int8 weights (dynamic range)"),
    BOOL("quantize_weights", quantize_weights, V1 "as --post_training_quantize"),
    BOOL("quantize_to_float16", quantize_to_float16, V1 "float16 weights; with --post_training_quantize"),
    BOOL("drop_control_dependency", drop_control_dependency, V1 "ignored, as officially"),
    BOOL("reorder_across_fake_quant", reorder_across_fake_quant, V1 "ignored, as officially"),
    TEXT("change_concat_input_ranges", change_concat, "TRUE|FALSE", V1 "ignored, as officially"),
    BOOL("allow_custom_ops", allow_custom_ops, V1 "keep unknown operators as custom ones"),
    TEXT("target_ops", target_ops, "SET,...", V1 "TFLITE_BUILTINS, SELECT_TF_OPS"),
    TEXT("custom_opdefs", custom_opdefs, "OPDEF", V1 "text OpDef of a custom operator; needs --allow_custom_ops"),
    TEXT("experimental_select_user_tf_ops", user_tf_ops, "OP,...", V1 "operators of yours as Flex; not there"),
    TEXT("dump_graphviz_dir", graphviz_dir, "DIR", V1 "pictures of the graph; not there"),
    BOOL("dump_graphviz_video", graphviz_video, V1 "pictures of each step; not there"),
    TEXT("conversion_summary_dir", summary_dir, "DIR", V1 "a report; not there"),
    {0},
};

/* What the flags were called in TOCO, the converter before, and what people take for a flag. */
static const lc_cli_old_name old_names[] = {
    {"input_file", "it is --graph_def_file now"},
    {"savedmodel_directory", "it is --saved_model_dir now"},
    {"saved_model_directory", "it is --saved_model_dir"},
    {"mean_value", "it is --mean_values now"},
    {"std_value", "it is --std_dev_values now"},
    {"std_values", "it is --std_dev_values now"},
    {"batch_size", "it is part of the shape now: --input_shapes=1,224,224,3"},
    {"input_shape", "it is --input_shapes now"},
    {"input_array", "it is --input_arrays now"},
    {"output_array", "it is --output_arrays now"},
    {"dump_graphviz", "it is --dump_graphviz_dir now, which litec does not have: `litec inspect MODEL` shows a graph"},
    {"input_format", "leave it out: files are recognised by content"},
    {"input_type", "it is --inference_input_type now"},
    {"inference_output_type", "the official program has no such flag either; outputs have the type the model gives them"},
    {"allow_nudging_weights_to_use_fast_gemm_kernel", "leave it out: it was TOCO's"},
    {"optimizations", "the command line has none; litec convert --quantize has all"},
    {NULL, NULL},
};

/* What litec's options are called here; the second for TensorFlow 2, which has few. */
#define RENAMED(v1) \
    {"--tags", "--saved_model_tag_set"}, {"--signature", "--saved_model_signature_key"}, \
        {"--input-shape NAME=1,224,224,3", v1 "--input_arrays=NAME --input_shapes=1,224,224,3"}, {"--input-shapes", v1 "--input_shapes"}, \
        {"--input-shape", v1 "--input_shapes"}, {"--input-arrays", v1 "--input_arrays"}, {"--output-arrays", v1 "--output_arrays"}, \
        {"--select-tf-ops", v1 "--target_ops=TFLITE_BUILTINS,SELECT_TF_OPS"}, {"--allow-custom-ops", v1 "--allow_custom_ops"}, \
        {"--custom-opdefs", v1 "--custom_opdefs"}, {"--checkpoint", "litec convert --checkpoint"}, {"--fix", "litec convert --fix"}, \
        {"--function", "litec convert --function"}, {"--representative", "litec convert --representative"}, \
        {"--int8-only", "litec convert --int8-only"}, {"--max-memory", "litec convert --max-memory"}, { \
        NULL, NULL \
    }
static const lc_cli_renamed renamed_v1[] = {RENAMED("")}, renamed_v2[] = {RENAMED("--enable_v1_converter ")};

/* ---- what is refused -------------------------------------------------------------------------------------------------- */

static int not_there(const char *flag, const char *what, const char *hint) {
    return lc_cli_failed(hint, "--%s: litec does not %s", flag, what);
}

static int refuse(const values *v) {
    if (v->user_tf_ops) return not_there("experimental_select_user_tf_ops", "write operators of yours as Flex", "use --allow_custom_ops");
    if (v->graphviz_dir)
        return not_there("dump_graphviz_dir", "draw graphs", "`litec inspect MODEL` shows one as text, --json for programs");
    if (v->graphviz_video == LC_CLI_TRUE) return not_there("dump_graphviz_video", "draw graphs", "leave it out");
    if (v->summary_dir) return not_there("conversion_summary_dir", "write this report", "`litec inspect MODEL --json` has what was made");
    if (v->new_converter == LC_CLI_FALSE) return not_there("experimental_new_converter", "have the old converter", "leave it out");
    return LC_EXIT_OK;
}

/* ---- quantising --------------------------------------------------------------------------------------------------------- */

/* The official names of types; QUANTIZED_UINT8 is UINT8. Exit code. */
static int find_type(const char *flag, const char *name, const char **type) {
    static const char *const names[][2] = {
        {"FLOAT", NULL}, {"INT8", "int8"}, {"UINT8", "uint8"}, {"QUANTIZED_UINT8", "uint8"}, {"QUANTIZED_INT8", "int8"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], name) == 0) return *type = names[i][1], LC_EXIT_OK;
    return lc_cli_usage("types are FLOAT, INT8, UINT8, QUANTIZED_UINT8", "--%s: there is no type %s", flag, name);
}

/* "a,b" as numbers. How many; -1: not numbers, or too many. */
static int32_t numbers(const char *text, float *out) {
    for (int32_t n = 0; n < LC_CLI_STATS_MAX; n++) {
        char *end;
        out[n] = strtof(text, &end);
        if (end == text || (*end && *end != ',')) return -1;
        if (!*end) return n + 1;
        text = end + 1;
    }
    return -1;
}

static int read_stats(const values *v, lc_cli_shrink *s) {
    const int32_t n = v->mean_values ? numbers(v->mean_values, s->means) : 0, m = v->mean_values ? numbers(v->std_dev_values, s->stds) : 0;
    if (n < 0 || m < 0 || n != m)
        return lc_cli_usage("one number for each input, with commas: --mean_values=128 --std_dev_values=127",
                            "--mean_values=%s --std_dev_values=%s", v->mean_values, v->std_dev_values);
    s->stats = n;
    if (v->ranges_min && (numbers(v->ranges_min, &s->range[0]) != 1 || numbers(v->ranges_max, &s->range[1]) != 1))
        return lc_cli_usage("one number each: --default_ranges_min=0 --default_ranges_max=6",
                            "--default_ranges_min=%s --default_ranges_max=%s", v->ranges_min, v->ranges_max);
    return LC_EXIT_OK;
}

/* What the flags ask of lc_model_quantize: --post_training_quantize its weights alone, another type than FLOAT, and ranges for all, integers. */
static int find_shrink(const values *v, lc_cli_shrink *s) {
    const char *type = NULL, *input = NULL;
    int code = v->inference_type ? find_type("inference_type", v->inference_type, &type) : LC_EXIT_OK;
    input = type;
    if (!code && v->inference_input_type) code = find_type("inference_input_type", v->inference_input_type, &input);
    if (!code) code = read_stats(v, s);
    if (code) return code;
    const bool weights = v->post_training_quantize == LC_CLI_TRUE || v->quantize_weights == LC_CLI_TRUE;
    if (weights && type) lc_cli_note("--post_training_quantize makes the inference type FLOAT");
    if (weights) {
        s->scheme = v->quantize_to_float16 == LC_CLI_TRUE ? "float16" : "dynamic";
        s->stats = 0;
        return LC_EXIT_OK;
    }
    if (!type && input)
        return lc_cli_usage("add --inference_type=INT8", "--inference_input_type=%s needs integers", v->inference_input_type);
    if (!type) {
        s->stats = 0;
        return LC_EXIT_OK;
    }
    s->scheme = "int8";
    s->input_type = input;
    s->output_type = type;
    return LC_EXIT_OK;
}

/* ---- what does nothing ------------------------------------------------------------------------------------------------ */

static void note_ignored(const values *v) {
    if (v->output_format && strcmp(v->output_format, "TFLITE") != 0) lc_cli_note("--output_format is ignored: a .tflite file is written");
    if (v->drop_control_dependency != LC_CLI_UNSET)
        lc_cli_note("--drop_control_dependency is ignored: control edges never get into the model");
    if (v->reorder_across_fake_quant != LC_CLI_UNSET) lc_cli_note("--reorder_across_fake_quant is ignored");
    if (v->change_concat) lc_cli_note("--change_concat_input_ranges is ignored");
    if (v->mean_values && !v->inference_type) lc_cli_note("--mean_values and --std_dev_values do nothing for a float model");
    if (v->ranges_min && !v->inference_type) lc_cli_note("--default_ranges_min and --default_ranges_max do nothing for a float model");
}

/* ---- what is wrong with the command line --------------------------------------------------------------------------------- */

/* The first flag of TensorFlow 1 that was given without --enable_v1_converter. */
static const char *v1_flag(const values *v) {
    for (const lc_cli_option *o = options; o->name; o++) {
        if (strncmp(o->help, V1, strlen(V1)) != 0) continue;
        const char *field = (const char *)v + o->offset;
        const char *text;
        lc_cli_bool flag;
        if (o->kind == LC_CLI_BOOL) {
            memcpy(&flag, field, sizeof flag);
            if (flag != LC_CLI_UNSET) return o->name;
        } else {
            memcpy(&text, field, sizeof text);
            if (text) return o->name;
        }
    }
    return NULL;
}

static size_t count_items(const char *list, char separator) {
    size_t n = 1;
    for (; *list; list++) n += *list == separator;
    return n;
}

static int check_target_ops(const values *v, bool *select) {
    static const char *const sets[] = {"TFLITE_BUILTINS",
                                       "SELECT_TF_OPS",
                                       "TFLITE_BUILTINS_INT8",
                                       "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8",
                                       "EXPERIMENTAL_STABLEHLO_OPS",
                                       NULL};
    *select = false;
    for (const char *p = v->target_ops; p && *p;) {
        const size_t n = strcspn(p, ",");
        size_t k = 0;
        while (sets[k] && (strlen(sets[k]) != n || strncmp(sets[k], p, n) != 0)) k++;
        if (!sets[k])
            return lc_cli_usage("sets are TFLITE_BUILTINS and SELECT_TF_OPS", "--target_ops: there is no set %.*s", (int)(n < 60 ? n : 60),
                                p);
        if (k > 1)
            return k == 4
                       ? not_there("target_ops", "write StableHLO operators from TensorFlow's", "leave this set out")
                       : lc_cli_failed("litec convert MODEL -o OUT.tflite --quantize int8 --representative DATA --int8-only (or int16x8)",
                                       "--target_ops=%.*s needs samples, which this command line has no flag for", (int)n, p);
        *select |= k == 1;
        p += n + (p[n] != 0);
    }
    return LC_EXIT_OK;
}

static int check(const values *v) {
    const bool v1 = v->v1 == LC_CLI_TRUE;
    const int sources = (v->saved_model_dir != NULL) + (v->keras_model_file != NULL) + (v->graph_def_file != NULL);
    const char *flag = v1 ? NULL : v1_flag(v);
    if (flag)
        return lc_cli_usage("add --enable_v1_converter; the converter of TensorFlow 2 has no such flag and would ignore it",
                            "--%s is a flag of TensorFlow 1's converter", flag);
    if (!v->output_file) return lc_cli_usage("add --output_file=MODEL.tflite", "tflite_convert needs the file to write");
    if (sources != 1)
        return lc_cli_usage(v1 ? "give one of --graph_def_file, --saved_model_dir and --keras_model_file"
                               : "give --saved_model_dir or --keras_model_file; a graph, --graph_def_file, needs --enable_v1_converter",
                            sources ? "tflite_convert takes one model, not %d" : "tflite_convert needs a model", sources);
    if (v->graph_def_file && (!v->input_arrays || !v->output_arrays))
        return lc_cli_usage("`litec inspect GRAPH` lists likely ones; `litec convert GRAPH` finds them by itself",
                            "--graph_def_file needs --input_arrays and --output_arrays");
    if (v->input_shapes && !v->input_arrays)
        return lc_cli_usage("name the inputs: --input_arrays=NAME,...", "--input_shapes needs --input_arrays");
    if (v->input_shapes && count_items(v->input_shapes, ':') != count_items(v->input_arrays, ','))
        return lc_cli_usage("one shape for each input, with : between them: 1,224,224,3:1,10",
                            "--input_shapes has %zu shapes, --input_arrays %zu names", count_items(v->input_shapes, ':'),
                            count_items(v->input_arrays, ','));
    if ((v->mean_values != NULL) != (v->std_dev_values != NULL))
        return lc_cli_usage("give both or none", "--mean_values and --std_dev_values go together");
    if ((v->ranges_min != NULL) != (v->ranges_max != NULL))
        return lc_cli_usage("give both or none", "--default_ranges_min and --default_ranges_max go together");
    if (v->quantize_to_float16 == LC_CLI_TRUE && v->post_training_quantize != LC_CLI_TRUE && v->quantize_weights != LC_CLI_TRUE)
        return lc_cli_usage("add --post_training_quantize", "--quantize_to_float16 needs --post_training_quantize");
    if (v->custom_opdefs && v->allow_custom_ops != LC_CLI_TRUE)
        return lc_cli_usage("add --allow_custom_ops", "--custom_opdefs needs --allow_custom_ops");
    if (v->graphviz_video == LC_CLI_TRUE && !v->graphviz_dir)
        return lc_cli_usage("add it, or leave both out", "--dump_graphviz_video needs --dump_graphviz_dir");
    if (v->output_format && strcmp(v->output_format, "TFLITE") != 0 && strcmp(v->output_format, "GRAPHVIZ_DOT") != 0)
        return lc_cli_usage("formats are TFLITE and GRAPHVIZ_DOT", "--output_format: there is no format %s", v->output_format);
    static const char *const truths[] = {"TRUE", "FALSE", "true", "false", "True", "False", NULL};
    size_t t = 0;
    while (v->change_concat && truths[t] && strcmp(truths[t], v->change_concat) != 0) t++;
    if (v->change_concat && !truths[t])
        return lc_cli_usage("write TRUE or FALSE", "--change_concat_input_ranges: %s is neither TRUE nor FALSE", v->change_concat);
    if (v1 && v->signature_key && strchr(v->signature_key, ','))
        return lc_cli_usage("the converter of TensorFlow 2 takes several: leave out --enable_v1_converter",
                            "--saved_model_signature_key takes one key with --enable_v1_converter");
    return LC_EXIT_OK;
}

/* ---- all ---------------------------------------------------------------------------------------------------------------------- */

/* "1,224:1,10" for inputs "a,b" becomes "a=1,224;b=1,10". An empty shape is left as the model has it. */
static char *shapes_by_name(const char *names, const char *shapes) {
    char *out = malloc(strlen(names) + strlen(shapes) + count_items(names, ',') * 2 + 1), *p = out;
    while (out && *names) {
        const size_t n = strcspn(names, ","), m = strcspn(shapes, ":");
        if (m) {
            if (p > out) *p++ = ';';
            memcpy(p, names, n), p += n;
            *p++ = '=';
            memcpy(p, shapes, m), p += m;
        }
        names += n + (names[n] != 0);
        shapes += m + (shapes[m] != 0);
    }
    if (out) *p = 0;
    return out;
}

static int run(const lc_cli_command *command, int argc, char **argv) {
    values v = {0};
    static lc_cli_shrink shrink; /* large */
    lc_cli_list arguments;
    bool select;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    int code = check(&v);
    if (!code) code = check_target_ops(&v, &select);
    if (!code) code = refuse(&v);
    if (!code) code = find_shrink(&v, &shrink);
    if (code) return code;
    lc_cli_rename(v.v1 == LC_CLI_TRUE ? renamed_v1 : renamed_v2);
    note_ignored(&v);
    const char *opdefs[2] = {v.custom_opdefs, NULL};
    char *shapes = v.input_shapes ? shapes_by_name(v.input_arrays, v.input_shapes) : NULL;
    if (v.input_shapes && !shapes) return lc_cli_failed(NULL, "out of memory (options)");
    if (v.keras_model_file && (v.input_arrays || v.output_arrays)) {
        lc_cli_note("a Keras model keeps all its inputs and outputs; --input_arrays only says whose the --input_shapes are");
        v.input_arrays = v.output_arrays = NULL;
    }
    const bool arrays = v.input_arrays || v.output_arrays;
    lc_convert_options how = {.allow_custom_ops = v.allow_custom_ops == LC_CLI_TRUE,
                              .select_tf_ops = select,
                              .custom_opdefs = v.custom_opdefs ? opdefs : NULL,
                              .input_arrays = v.input_arrays,
                              .output_arrays = v.output_arrays,
                              .input_shapes = shapes,
                              .note = lc_cli_hear};
    if (v.saved_model_dir) {
        how.tags = v.tag_set;
        if (!arrays) how.signatures = v.signature_key ? v.signature_key : v.v1 == LC_CLI_TRUE ? "serving_default" : NULL;
    }
    const char *source = v.saved_model_dir ? v.saved_model_dir : v.keras_model_file ? v.keras_model_file : v.graph_def_file;
    code = lc_cli_convert(source, v.output_file, &how, &shrink, LC_CLI_SAY_LINE);
    free(shapes);
    return code;
}

const lc_cli_command lc_cmd_tflite_convert = {
    .name = "tflite_convert",
    .program = "tflite_convert",
    .summary = "the official converter's command line",
    .usage = "--saved_model_dir=DIR --output_file=MODEL.tflite [flags]",
    .details = "Flags mean what they mean in TensorFlow's tflite_convert. An unknown flag is an error.",
    .example = "tflite_convert --saved_model_dir=/tmp/saved_model --output_file=/tmp/model.tflite",
    .options = options,
    .old_names = old_names,
    .least = 0,
    .most = 0,
    .run = run,
};
