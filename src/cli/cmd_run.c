/*
 * cmd_run.c: litec run: a model of any format, data from files, the answer on the screen or in files.
 */
#include "cli/feed.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct values {
    lc_cli_list inputs;
    const char *output_dir, *labels, *signature, *preprocess;
    int32_t top, threads;
    float mean, std;
    uint64_t max_memory;
} values;

static const lc_cli_option options[] = {
    {"input", 'i', LC_CLI_LIST, offsetof(values, inputs), "[NAME=]FILE", "data of one input; repeat for more, by order or name", 0, 0},
    {"output-dir", 'o', LC_CLI_STRING, offsetof(values, output_dir), "DIR", "write output0.npy, output1.npy ... there", 0, 0},
    {"labels", 'l', LC_CLI_STRING, offsetof(values, labels), "FILE", "class names, one a line: print a ranking", 0, 0},
    {"top", 'k', LC_CLI_COUNT, offsetof(values, top), "K", "print the K highest classes (5 with --labels)", 1, 1000},
    {"preprocess", 'p', LC_CLI_STRING, offsetof(values, preprocess), "MODEL", "pictures as this model of keras.applications wants them", 0,
     0},
    {"mean", 0, LC_CLI_NUMBER, offsetof(values, mean), "M", "pictures become (pixel / 255 - M) / S (M 0, S 1)", 0, 0},
    {"std", 0, LC_CLI_NUMBER, offsetof(values, std), "S", "see --mean", 0, 0},
    {"signature", 's', LC_CLI_STRING, offsetof(values, signature), "KEY", "run this signature (the first graph)", 0, 0},
    {"threads", 't', LC_CLI_COUNT, offsetof(values, threads), "N", "threads that share the work (1)", 1, 256},
    {"max-memory", 0, LC_CLI_BYTES, offsetof(values, max_memory), "N[K|M|G]", "memory to use at most (8G)", 0, 0},
    {0},
};

/* ---- outputs --------------------------------------------------------------------------------------------------- */

/* What NumPy has no type for, in one that it has: integers of less than 8 bits as int8 or uint8, bfloat16 as float32. The array's data are
 * then its own. */
static int widen(const lc_tensor_view *v, lc_array *a) {
    const bool is_float = v->type == LC_BFLOAT16;
    if (!is_float && v->type != LC_INT4 && v->type != LC_UINT4 && v->type != LC_INT2) return LC_EXIT_OK;
    lc_tensor_view raw = *v;
    raw.scale = 0;
    size_t n = 1;
    for (int32_t d = 0; d < v->rank; d++) n *= (size_t)v->dims[d];
    a->size = n * (is_float ? sizeof(float) : 1);
    a->type = is_float ? LC_FLOAT32 : v->type == LC_UINT4 ? LC_UINT8 : LC_INT8;
    a->data = malloc(a->size + 1);
    if (!a->data) return lc_cli_failed(NULL, "out of memory (outputs)");
    for (size_t i = 0; i < n; i++) {
        double x = 0;
        lc_tensor_reals(&raw, i, 1, &x);
        if (is_float) ((float *)a->data)[i] = (float)x;
        else ((int8_t *)a->data)[i] = (int8_t)x;
    }
    return LC_EXIT_OK;
}

static int save_output(const lc_tensor_view *v, const char *path) {
    lc_array a = {.type = v->type, .rank = v->rank, .data = v->data, .size = v->size};
    lc_error err;
    if (v->rank > 0) memcpy(a.dims, v->dims, (size_t)v->rank * sizeof *v->dims);
    if (widen(v, &a)) return LC_EXIT_FAILED;
    const lc_status status = lc_array_save_npy(&a, path, &err);
    if (a.data != v->data) free(a.data);
    return status ? lc_cli_fail(&err) : LC_EXIT_OK;
}

static int save_outputs(const lc_cli_answers *answers, const char *directory) {
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return lc_cli_failed("give a directory that can be made or written to", "%s: %s", directory, strerror(errno));
    for (size_t i = 0; i < answers->count; i++) {
        char path[4096];
        if (snprintf(path, sizeof path, "%s/output%zu.npy", directory, i) >= (int)sizeof path)
            return lc_cli_failed("use a shorter path", "%.60s...: the path is too long", directory);
        if (save_output(&answers->views[i], path)) return LC_EXIT_FAILED;
    }
    return LC_EXIT_OK;
}

static void title(const lc_tensor_view *v) {
    fputs("output ", stdout);
    lc_cli_put_safe(stdout, v->name);
    printf(" %s\n", lc_cli_shape(v->type, v->dims, v->rank).text);
}

static int show_outputs(const lc_cli_answers *answers, const values *v) {
    const bool ranking = v->top || v->labels;
    for (size_t i = 0; i < answers->count; i++) {
        const lc_tensor_view *view = &answers->views[i];
        if (!ranking || answers->count > 1) title(view);
        if (!ranking) {
            lc_cli_show_tensor(view);
            continue;
        }
        const int code = lc_cli_show_ranking(view, v->top ? v->top : 5, v->labels);
        if (code) return code;
    }
    return LC_EXIT_OK;
}

/* ---- the four steps --------------------------------------------------------------------------------------------- */

static int run_session(lc_session *session, lc_model *model, const lc_session_options *how, const values *v) {
    static lc_cli_feed feed; /* large; the program feeds one session */
    lc_cli_answers answers = {0};
    feed = (lc_cli_feed){.session = session, .files = &v->inputs, .max_memory = v->max_memory};
    feed.scales = v->preprocess || v->mean != 0 || v->std != 1;
    for (int c = 0; c < 3; c++) feed.pixels.mean[c] = v->mean, feed.pixels.std[c] = v->std;
    lc_error err;
    if (v->preprocess && lc_preprocess_named(v->preprocess, &feed.pixels, &err)) return lc_cli_fail(&err);
    int code = lc_cli_feed_read(&feed);
    if (!code) code = lc_cli_answer(&feed, model, how, &answers);
    lc_cli_feed_deinit(&feed);
    if (!code && v->output_dir) code = save_outputs(&answers, v->output_dir);
    if (!code && (!v->output_dir || v->top || v->labels)) code = show_outputs(&answers, v);
    lc_cli_answers_deinit(&answers);
    return code;
}

static int run(const lc_cli_command *command, int argc, char **argv) {
    static values v;
    static lc_cli_list arguments;
    v.std = 1;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    if (!(v.std > 0)) return lc_cli_usage("pictures become (pixel / 255 - M) / S", "--std needs a number above 0");
    if (v.preprocess && (v.mean != 0 || v.std != 1))
        return lc_cli_usage("--preprocess says all of it", "--preprocess and --mean or --std say different things");
    /* litec run MODEL a.npy b.npy: files after the model are inputs too */
    if (arguments.count - 1 > LC_CLI_LIST_MAX - v.inputs.count)
        return lc_cli_usage("give at most one file an input", "litec run takes up to %d input files", LC_CLI_LIST_MAX);
    for (size_t i = 1; i < arguments.count; i++) v.inputs.items[v.inputs.count++] = arguments.items[i];

    const char *file = arguments.items[0];
    if (lc_cli_input(&file, v.max_memory)) return LC_EXIT_FAILED;
    lc_model *model;
    lc_session *session;
    lc_error err;
    const lc_convert_options how = {.limits = {.max_memory = v.max_memory}};
    if (lc_convert(file, &how, &model, &err)) return lc_cli_fail(&err);
    const lc_session_options options_of_run = {.threads = v.threads, .signature = v.signature, .max_memory = v.max_memory};
    const lc_status status = lc_session_create(model, &options_of_run, &session, &err);
    if (status) {
        lc_model_destroy(model);
        return lc_cli_fail(&err);
    }
    const int code = run_session(session, model, &options_of_run, &v);
    lc_session_destroy(session);
    lc_model_destroy(model);
    return code;
}

const lc_cli_command lc_cmd_run = {
    .name = "run",
    .summary = "run a model on data files",
    .usage = "MODEL --input [NAME=]FILE ... [options]",
    .details = "MODEL: any format litec reads; a source model is converted in memory.\n"
               "FILE: .npy of the input's type and shape (the batch may differ), .png or .jpg (scaled to the input's size),\n"
               "or a file of pictures in IDX form such as MNIST's, also .gz. Without --output-dir the values are printed.",
    .example = "litec run model.tflite --input digit.png --top 3",
    .options = options,
    .least = 1,
    .most = LC_CLI_LIST_MAX,
    .run = run,
};
