/*
 * cmd_compare.c: litec compare: two forms of a model on the same data: whether they agree, and where they part. Exit 0 when they agree
 * within --tolerance or none was given, 1 when not.
 */
#include "cli/graph.h"
#include "cli/sets.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct values {
    lc_cli_list data;
    bool json, csv, all, no_local, quiet;
    const char *html, *tolerance, *signature, *weights, *preprocess;
    int32_t samples, seed, threads, batch;
    uint64_t max_memory;
} values;

static const lc_cli_option options[] = {
    {"data", 'd', LC_CLI_LIST, offsetof(values, data), "[SIGNATURE:][NAME=]PATH",
     "samples: .npy, .npz, IDX, CSV, pictures or a folder (made-up numbers)", 0, 0},
    {"samples", 'n', LC_CLI_COUNT, offsetof(values, samples), "N", "how many at most (100 of --data, 8 made-up ones)", 1, INT32_MAX},
    {"batch", 'b', LC_CLI_COUNT, offsetof(values, batch), "N", "samples in one run (1, where the model leaves it open)", 1, 65536},
    {"preprocess", 0, LC_CLI_STRING, offsetof(values, preprocess), "MODULE", "pixels as this model of keras.applications wants them", 0, 0},
    {"tolerance", 't', LC_CLI_STRING, offsetof(values, tolerance), "X", "exit 1 when the outputs are further apart", 0, 0},
    {"html", 0, LC_CLI_STRING, offsetof(values, html), "FILE", "write a page with plots as well", 0, 0},
    {"json", 0, LC_CLI_FLAG, offsetof(values, json), NULL, "print JSON", 0, 0},
    {"csv", 0, LC_CLI_FLAG, offsetof(values, csv), NULL, "print CSV, with the columns of TensorFlow's quantization debugger", 0, 0},
    {"all", 'a', LC_CLI_FLAG, offsetof(values, all), NULL, "print every tensor, not only the worst", 0, 0},
    {"no-local", 0, LC_CLI_FLAG, offsetof(values, no_local), NULL, "do not run B's operators one by one on A's inputs (saves time)", 0, 0},
    {"signature", 0, LC_CLI_STRING, offsetof(values, signature), "KEY",
     "of both models (each that both have; of --data without a signature, the first graph)", 0, 0},
    {"weights", 0, LC_CLI_STRING, offsetof(values, weights), "FILE", "of A, for a Keras .json", 0, 0},
    {"seed", 0, LC_CLI_COUNT, offsetof(values, seed), "N", "of made-up numbers (0)", 0, INT32_MAX},
    {"threads", 0, LC_CLI_COUNT, offsetof(values, threads), "N", "threads that share a run (1)", 1, 256},
    {"quiet", 'q', LC_CLI_FLAG, offsetof(values, quiet), NULL, "print only the first line", 0, 0},
    {"max-memory", 0, LC_CLI_BYTES, offsetof(values, max_memory), "N[K|M|G]", "memory each model may make litec use (8G)", 0, 0},
    {0},
};

/* On a terminal: how far it is, in one line that is written over. */
static void progress(void *user, uint64_t done, uint64_t count) {
    double *told = user;
    const double now = lc_cli_now();
    if (now - *told < 0.1) return;
    *told = now;
    if (count) fprintf(stderr, "\r%llu of %llu samples ", (unsigned long long)done, (unsigned long long)count);
    else fprintf(stderr, "\r%llu samples ", (unsigned long long)done);
}

/* What is compared with what. */
typedef struct job {
    const char *signature; /* NULL: the first graph */
    lc_data *data;         /* NULL: made-up numbers */
} job;

typedef struct jobs {
    job items[LC_CLI_LIST_MAX];
    size_t count;
    lc_cli_sets sets;
    bool several; /* signatures: the report says of which it is */
    const double *tolerance;
} jobs;

static int report(const values *v, const lc_comparison *c, const char *signature) {
    const lc_compare_format format = v->json ? LC_COMPARE_JSON : v->csv ? LC_COMPARE_CSV : LC_COMPARE_TEXT;
    lc_error err;
    char *text;
    if (v->html && lc_comparison_save(c, LC_COMPARE_HTML, v->html, &err)) return lc_cli_fail(&err);
    if (lc_comparison_report(c, format, v->all ? 0 : 20, &text, &err)) return lc_cli_fail(&err);
    const size_t length = v->quiet && format == LC_COMPARE_TEXT ? strcspn(text, "\n") + 1 : strlen(text);
    if (signature && format == LC_COMPARE_TEXT) {
        printf("signature ");
        lc_cli_put_safe(stdout, signature);
        printf(": ");
    }
    fwrite(text, 1, length, stdout);
    lc_free(text);
    return c->agree ? LC_EXIT_OK : LC_EXIT_FAILED;
}

static int open_data(const values *v, const lc_model *model, lc_cli_sets *sets) {
    lc_preprocess pixels;
    lc_error err;
    if (v->preprocess && lc_preprocess_named(v->preprocess, &pixels, &err)) return lc_cli_fail(&err);
    const lc_data_options how = {.limits = {.max_memory = v->max_memory},
                                 .signature = v->signature,
                                 .pixels = v->preprocess ? &pixels : NULL,
                                 .batch = (uint32_t)v->batch,
                                 .most = (uint64_t)(v->samples ? v->samples : 100)};
    return lc_cli_sets_open(&v->data, &how, model, sets);
}

static bool has_signature(const lc_model *m, const char *key) {
    const char *k;
    for (size_t i = 0; (k = lc_model_signature(m, i)) != NULL; i++)
        if (strcmp(k, key) == 0) return true;
    return false;
}

static bool is_chosen(const jobs *j, const char *key) {
    for (size_t i = 0; i < j->count; i++)
        if (j->items[i].signature && strcmp(j->items[i].signature, key) == 0) return true;
    return false;
}

/* Those of the data, the one that --signature names, or all that both models have. What is left out without being asked is said. */
static int choose(const values *v, const lc_model *a, const lc_model *b, jobs *j) {
    const char *key;
    char left[300] = "";
    j->several = lc_model_signature(a, 0) && (lc_model_signature(a, 1) || lc_model_signature(b, 1));
    for (size_t i = 0; i < j->sets.count; i++) j->items[j->count++] = (job){lc_data_signature(j->sets.data[i]), j->sets.data[i]};
    if (!j->count && (v->signature || !j->several)) j->items[j->count++].signature = v->signature;
    const bool each = !j->count, first = !each && !j->items[0].signature;
    for (size_t i = 0; j->several && !v->signature && (key = lc_model_signature(a, i)) != NULL; i++) {
        if (each && has_signature(b, key) && j->count < LC_CLI_LIST_MAX) j->items[j->count++].signature = key;
        else if (!is_chosen(j, key)) snprintf(left + strlen(left), sizeof left - strlen(left), "%s%.80s", left[0] ? ", " : "", key);
    }
    if (!j->count) return lc_cli_usage("litec inspect prints their signatures", "litec compare: the models have no signature in common");
    if (j->count > 1 && (v->json || v->csv || v->html))
        return lc_cli_usage("choose one with --signature",
                            "litec compare: --json, --csv and --html are of one signature, and there are %zu", j->count);
    char text[400];
    if (first) snprintf(text, sizeof text, "compared is the first graph alone; for another, --signature or --data SIGNATURE:NAME=PATH");
    else snprintf(text, sizeof text, "not compared, for %s: signature %s", each ? "B has no such" : "there is no --data for them", left);
    if (left[0]) lc_cli_note(text);
    return LC_EXIT_OK;
}

static int compare(const values *v, const char *const *names, lc_model *a, lc_model *b, const jobs *j, const job *this) {
    const bool shown = isatty(STDERR_FILENO);
    double told = lc_cli_now();
    lc_comparison *c;
    lc_error err;
    const lc_compare_options how = {.name_a = names[0],
                                    .name_b = names[1],
                                    .signature = this->signature,
                                    .threads = v->threads,
                                    .max_memory = v->max_memory,
                                    .samples = this->data ? 0 : (uint64_t)v->samples,
                                    .seed = (uint64_t)v->seed,
                                    .no_local = v->no_local,
                                    .tolerance = j->tolerance,
                                    .progress = shown ? progress : NULL,
                                    .progress_user = &told};
    const lc_status status = lc_compare(a, b, this->data, &how, &c, &err);
    if (shown) fputs("\r\033[K", stderr);
    if (status) return lc_cli_fail(&err);
    const int code = report(v, c, j->several ? this->signature : NULL);
    lc_comparison_destroy(c);
    return code;
}

/* The worst exit code of all. */
static int compare_all(const values *v, const char *const *names, lc_model *a, lc_model *b, const double *tolerance) {
    jobs j = {.tolerance = tolerance};
    int worst = open_data(v, a, &j.sets);
    if (!worst) worst = choose(v, a, b, &j);
    for (size_t i = 0; i < j.count && worst <= LC_EXIT_FAILED; i++) {
        const int code = compare(v, names, a, b, &j, &j.items[i]);
        if (code > worst) worst = code;
    }
    lc_cli_sets_close(&j.sets);
    return worst;
}

static int run(const lc_cli_command *command, int argc, char **argv) {
    values v = {0};
    lc_cli_list arguments;
    double tolerance = 0;
    char *end = NULL;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    if (v.json && v.csv) return lc_cli_usage("choose one of them", "litec compare prints --json or --csv, not both");
    if (v.tolerance) tolerance = strtod(v.tolerance, &end);
    if (v.tolerance && (end == v.tolerance || *end || !(tolerance >= 0)))
        return lc_cli_usage("for example --tolerance 1e-5", "litec compare: --tolerance needs a number of 0 or more, not \"%.80s\"",
                            v.tolerance);
    if (lc_cli_is_dash(arguments.items[0]) && lc_cli_is_dash(arguments.items[1]))
        return lc_cli_usage("give the path of one of them", "litec compare: standard input is one model, not two");
    lc_model *models[2] = {NULL, NULL};
    int code = LC_EXIT_OK;
    for (int i = 0; i < 2 && !code; i++) code = lc_cli_input(&arguments.items[i], v.max_memory);
    for (int i = 0; i < 2 && !code; i++) {
        const lc_convert_options how = {.limits = {.max_memory = v.max_memory}, .weights = i == 0 ? v.weights : NULL};
        lc_error err;
        if (lc_convert(arguments.items[i], &how, &models[i], &err)) code = lc_cli_fail(&err);
    }
    if (!code) code = compare_all(&v, arguments.items, models[0], models[1], v.tolerance ? &tolerance : NULL);
    for (int i = 0; i < 2; i++) lc_model_destroy(models[i]);
    return code;
}

const lc_cli_command lc_cmd_compare = {
    .name = "compare",
    .summary = "run two forms of a model on the same data: do they agree, and where do they part",
    .usage = "A B [--data PATH] [--tolerance X]",
    .details =
        "A is what B should be: the float model beside the quantised one, or the source beside its .tflite. Every tensor they share is\n"
        "compared. SNR: both models run on their own; alone: B's operator on A's inputs, the error that it adds itself. RMSE/step: 0.29 is\n"
        "rounding alone. used: share of B's steps between its smallest and largest value. cut: share of A's values more than a step beyond\n"
        "them. The outputs agree within X when no error is over X, or over X times the output's largest value where that is over 1.",
    .example = "litec compare model.h5 model.tflite --tolerance 1e-5",
    .options = options,
    .least = 2,
    .most = 2,
    .run = run,
};
