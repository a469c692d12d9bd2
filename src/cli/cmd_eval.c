/*
 * cmd_eval.c: litec eval: how many samples of a labelled data set models get right, side by side on the same batches.
 *
 * A table for people, JSON, or CSV. What the numbers mean is said in litec.h (lc_eval_models); here they are only laid out.
 */
#include "cli/args.h"
#include "cli/sets.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODELS_MAX 64
#define MATRIX_MAX 20 /* classes of a matrix that is printed whole; of more, what is mistaken most often */

typedef struct values {
    lc_cli_list data;
    const char *labels, *classes, *preprocess, *signature, *output;
    int32_t batch, samples, threads;
    bool confusion, json, csv, quiet;
    uint64_t max_memory;
} values;

static const lc_cli_option options[] = {
    {"data", 'd', LC_CLI_LIST, offsetof(values, data), "[NAME=]DATA",
     "samples: .npy, .npz, IDX, .csv, a picture or a folder; repeat for more inputs", 0, 0},
    {"labels", 'l', LC_CLI_STRING, offsetof(values, labels), "FILE", "class of each sample: .npy, IDX, text (those in the data)", 0, 0},
    {"classes", 0, LC_CLI_STRING, offsetof(values, classes), "FILE", "names of the classes, one a line, in the model's order", 0, 0},
    {"preprocess", 'p', LC_CLI_STRING, offsetof(values, preprocess), "MODEL", "pictures as this model of keras.applications wants them", 0,
     0},
    {"batch", 'b', LC_CLI_COUNT, offsetof(values, batch), "N", "samples in one run (32; what a model of fixed size has)", 1, 65536},
    {"samples", 'n', LC_CLI_COUNT, offsetof(values, samples), "N", "only the first N (all)", 1, INT32_MAX},
    {"threads", 't', LC_CLI_COUNT, offsetof(values, threads), "N", "batches that run at the same time (one a processor)", 1, 256},
    {"confusion", 0, LC_CLI_FLAG, offsetof(values, confusion), NULL, "print which classes are taken for which", 0, 0},
    {"signature", 's', LC_CLI_STRING, offsetof(values, signature), "KEY", "run this signature (the first graph)", 0, 0},
    {"output", 'o', LC_CLI_STRING, offsetof(values, output), "NAME", "the output with the classes (the first)", 0, 0},
    {"json", 0, LC_CLI_FLAG, offsetof(values, json), NULL, "print JSON", 0, 0},
    {"csv", 0, LC_CLI_FLAG, offsetof(values, csv), NULL, "print CSV, a line a model; with --confusion the matrix", 0, 0},
    {"quiet", 'q', LC_CLI_FLAG, offsetof(values, quiet), NULL, "no progress on the terminal", 0, 0},
    {"max-memory", 0, LC_CLI_BYTES, offsetof(values, max_memory), "N[K|M|G]", "memory to use at most (8G)", 0, 0},
    {0},
};

/* ---- names and numbers -------------------------------------------------------------------------------------------------- */

typedef struct table {
    const lc_eval *e;
    const char *names[MODELS_MAX]; /* of the models */
    int width;                     /* of the longest */
} table;

/* Last parts of the paths where these tell the models apart. */
static void name_models(table *t, const lc_cli_list *models) {
    bool clear = true;
    for (size_t i = 0; i < models->count; i++) {
        const char *slash = strrchr(models->items[i], '/');
        t->names[i] = slash && slash[1] ? slash + 1 : models->items[i];
        for (size_t k = 0; k < i; k++) clear = clear && strcmp(t->names[i], t->names[k]) != 0;
    }
    t->width = 5;
    for (size_t i = 0; i < models->count; i++) {
        if (!clear) t->names[i] = models->items[i];
        if ((int)strlen(t->names[i]) > t->width) t->width = (int)strlen(t->names[i]);
    }
}

static void put_padded(const char *s, int width) {
    lc_cli_put_safe(stdout, s);
    printf("%*s", width > (int)strlen(s) ? width - (int)strlen(s) : 0, "");
}

/* "10,000" */
static lc_cli_text grouped(uint64_t v) {
    char digits[32];
    lc_cli_text t;
    const size_t n = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)v);
    char *to = t.text;
    for (size_t i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return t;
}

static lc_cli_text percent(double x) {
    lc_cli_text t;
    snprintf(t.text, sizeof t.text, "%.2f %%", 100 * x);
    return t;
}

static lc_cli_text class_name(const lc_eval *e, uint32_t c) {
    const char *name = e->models[0].of_class[c].name;
    lc_cli_text t;
    if (name) snprintf(t.text, sizeof t.text, "%.40s", name);
    else snprintf(t.text, sizeof t.text, "%u", (unsigned)c);
    return t;
}

static double ratio(uint64_t a, uint64_t b) { return b ? (double)a / (double)b : 0; }

/* ---- text ---------------------------------------------------------------------------------------------------------------- */

static void print_summary(const table *t) {
    const lc_eval *e = t->e;
    const bool five = e->classes > 5;
    printf("%s sample%s, %u classes\n\n", grouped(e->samples).text, e->samples == 1 ? "" : "s", (unsigned)e->classes);
    printf("%-*s  %9s  %9s  %-18s%s  %s\n", t->width, "model", "right", "top-1", "95 % interval", five ? "     top-5" : "", "loss");
    for (size_t i = 0; i < e->model_count; i++) {
        const lc_eval_model *m = &e->models[i];
        char interval[48];
        snprintf(interval, sizeof interval, "%.2f to %.2f %%", 100 * m->top1.low, 100 * m->top1.high);
        put_padded(t->names[i], t->width);
        printf("  %9s  %9s  %-18s", grouped(m->right).text, percent(m->top1.value).text, interval);
        if (five) printf("  %8s", percent(m->top5.value).text);
        printf("  %.4f ± %.4f\n", m->loss, m->loss_error);
    }
}

static void print_beside(const table *t) {
    const lc_eval *e = t->e;
    if (e->model_count < 2) return;
    fputs("\nbeside ", stdout);
    lc_cli_put_safe(stdout, t->names[0]);
    printf("\n%-*s  %-22s  %10s  %10s  %11s\n", t->width, "model", "top-1", "agree", "only right", "only wrong");
    for (size_t i = 1; i < e->model_count; i++) {
        const lc_eval_model *m = &e->models[i];
        char difference[48];
        snprintf(difference, sizeof difference, "%+.2f ± %.2f points", 100 * m->difference, 100 * m->difference_error);
        put_padded(t->names[i], t->width);
        printf("  %-22s  %10s  %10s  %11s\n", difference, percent(ratio(m->agree, e->samples)).text, grouped(m->only_this).text,
               grouped(m->only_first).text);
    }
}

static void print_classes(const lc_eval *e, const lc_eval_model *m, int width) {
    printf("\n  %-*s  %9s  %10s  %10s\n", width, "class", "samples", "precision", "recall");
    for (uint32_t c = 0; c < e->classes; c++) {
        const lc_eval_class *k = &m->of_class[c];
        if (!k->samples && !k->predicted) continue;
        fputs("  ", stdout);
        put_padded(class_name(e, c).text, width);
        printf("  %9s  %10s  %10s\n", grouped(k->samples).text, k->predicted ? percent(ratio(k->right, k->predicted)).text : "-",
               k->samples ? percent(ratio(k->right, k->samples)).text : "-");
    }
}

static void print_matrix(const lc_eval *e, const lc_eval_model *m, int width) {
    int column = 4;
    for (uint32_t c = 0; c < e->classes; c++) {
        const int n = (int)strlen(class_name(e, c).text), k = (int)strlen(grouped(m->of_class[c].samples).text);
        if (n > column && n < 12) column = n;
        if (k > column) column = k;
    }
    printf("\n  rows: what a sample is; columns: what it is taken for\n  %*s", width, "");
    for (uint32_t c = 0; c < e->classes; c++) printf("  %*.*s", column, column, class_name(e, c).text);
    putchar('\n');
    for (uint32_t c = 0; c < e->classes; c++) {
        fputs("  ", stdout);
        put_padded(class_name(e, c).text, width);
        for (uint32_t k = 0; k < e->classes; k++) {
            const uint64_t n = m->confusion[(size_t)c * e->classes + k];
            printf("  %*s", column, n ? grouped(n).text : ".");
        }
        putchar('\n');
    }
}

/* Of many classes: the pairs mistaken most often, the largest first; equal ones in order. */
static void print_mistakes(const lc_eval *e, const lc_eval_model *m) {
    uint64_t last = UINT64_MAX;
    size_t last_at = 0, shown = 0;
    fputs("\n  most often mistaken\n", stdout);
    while (shown++ < MATRIX_MAX) {
        uint64_t best = 0;
        size_t at = 0;
        for (size_t i = 0; i < (size_t)e->classes * e->classes; i++) {
            const uint64_t n = i / e->classes == i % e->classes ? 0 : m->confusion[i];
            if (n > best && (n < last || (n == last && i > last_at))) best = n, at = i;
        }
        if (!best) return;
        last = best;
        last_at = at;
        printf("  %8s  ", grouped(best).text);
        lc_cli_put_safe(stdout, class_name(e, (uint32_t)(at / e->classes)).text);
        fputs(" taken for ", stdout);
        lc_cli_put_safe(stdout, class_name(e, (uint32_t)(at % e->classes)).text);
        putchar('\n');
    }
}

static void print_notes(const table *t) {
    for (size_t i = 0; i < t->e->model_count; i++) {
        const lc_eval_model *m = &t->e->models[i];
        char text[300];
        if (!m->probabilities) {
            snprintf(text, sizeof text, "%.100s: output %.100s holds no probabilities: taken as logits", t->names[i], m->output);
            printf("\n%s\n", text);
        }
        if (m->broken) printf("\n%s: %s of the outputs are NaN\n", t->names[i], grouped(m->broken).text);
    }
}

static void print_text(const table *t, bool confusion) {
    print_summary(t);
    print_beside(t);
    for (size_t i = 0; i < t->e->model_count && confusion; i++) {
        const lc_eval_model *m = &t->e->models[i];
        int width = 5;
        for (uint32_t c = 0; c < t->e->classes; c++) {
            const int n = (int)strlen(class_name(t->e, c).text);
            if (n > width) width = n;
        }
        putchar('\n');
        lc_cli_put_safe(stdout, t->names[i]);
        putchar('\n');
        print_classes(t->e, m, width);
        if (t->e->classes <= MATRIX_MAX) print_matrix(t->e, m, width);
        else print_mistakes(t->e, m);
    }
    print_notes(t);
}

/* ---- JSON and CSV ----------------------------------------------------------------------------------------------------------- */

static void put_number(const char *name, double x) {
    if (isfinite(x)) printf(",\"%s\":%.9g", name, x);
    else printf(",\"%s\":null", name);
}

static void put_share(const char *name, const lc_share *s) {
    printf(",\"%s\":{\"value\":%.9g,\"low\":%.9g,\"high\":%.9g}", name, s->value, s->low, s->high);
}

static void put_classes(const lc_eval *e, const lc_eval_model *m) {
    fputs(",\"per_class\":[", stdout);
    for (uint32_t c = 0; c < e->classes; c++) {
        const lc_eval_class *k = &m->of_class[c];
        printf("%s{\"class\":%u,\"name\":", c ? "," : "", (unsigned)c);
        if (k->name) lc_cli_put_json(stdout, k->name);
        else fputs("null", stdout);
        printf(",\"samples\":%llu,\"predicted\":%llu,\"right\":%llu}", (unsigned long long)k->samples, (unsigned long long)k->predicted,
               (unsigned long long)k->right);
    }
    fputs("]", stdout);
    if (!m->confusion) return;
    fputs(",\"confusion\":[", stdout);
    for (uint32_t c = 0; c < e->classes; c++) {
        fputs(c ? ",[" : "[", stdout);
        for (uint32_t k = 0; k < e->classes; k++)
            printf("%s%llu", k ? "," : "", (unsigned long long)m->confusion[(size_t)c * e->classes + k]);
        fputs("]", stdout);
    }
    fputs("]", stdout);
}

static void print_json(const table *t, const lc_cli_list *models) {
    const lc_eval *e = t->e;
    printf("{\"samples\":%llu,\"classes\":%u,\"models\":[", (unsigned long long)e->samples, (unsigned)e->classes);
    for (size_t i = 0; i < e->model_count; i++) {
        const lc_eval_model *m = &e->models[i];
        fputs(i ? ",{\"model\":" : "{\"model\":", stdout);
        lc_cli_put_json(stdout, models->items[i]);
        fputs(",\"output\":", stdout);
        lc_cli_put_json(stdout, m->output);
        printf(",\"right\":%llu", (unsigned long long)m->right);
        put_share("top1", &m->top1);
        if (e->classes > 5) put_share("top5", &m->top5);
        put_number("loss", m->loss);
        put_number("loss_error", m->loss_error);
        printf(",\"probabilities\":%s,\"nan\":%llu", m->probabilities ? "true" : "false", (unsigned long long)m->broken);
        if (i)
            printf(",\"difference\":%.9g,\"difference_error\":%.9g,\"agree\":%llu,\"only_right\":%llu,\"only_wrong\":%llu", m->difference,
                   m->difference_error, (unsigned long long)m->agree, (unsigned long long)m->only_this, (unsigned long long)m->only_first);
        put_classes(e, m);
        fputs("}", stdout);
    }
    puts("]}");
}

/* A field in quotes, those in it doubled. */
static void put_field(const char *s) {
    putchar('"');
    for (; *s; s++) {
        if (*s == '"') putchar('"');
        putchar(*s);
    }
    putchar('"');
}

static void print_csv(const table *t, const lc_cli_list *models, bool confusion) {
    const lc_eval *e = t->e;
    puts(confusion ? "model,class,taken_for,samples"
                   : "model,samples,classes,right,top1,top1_low,top1_high,top5,loss,loss_error,difference,difference_error,agree");
    for (size_t i = 0; i < e->model_count; i++) {
        const lc_eval_model *m = &e->models[i];
        for (size_t k = 0; confusion && k < (size_t)e->classes * e->classes; k++) {
            put_field(models->items[i]);
            putchar(',');
            put_field(class_name(e, (uint32_t)(k / e->classes)).text);
            putchar(',');
            put_field(class_name(e, (uint32_t)(k % e->classes)).text);
            printf(",%llu\n", (unsigned long long)m->confusion[k]);
        }
        if (confusion) continue;
        put_field(models->items[i]);
        printf(",%llu,%u,%llu,%.9g,%.9g,%.9g,", (unsigned long long)e->samples, (unsigned)e->classes, (unsigned long long)m->right,
               m->top1.value, m->top1.low, m->top1.high);
        if (e->classes > 5) printf("%.9g", m->top5.value);
        printf(",%.9g,%.9g,", m->loss, m->loss_error);
        if (i) printf("%.9g,%.9g,%llu\n", m->difference, m->difference_error, (unsigned long long)m->agree);
        else puts(",,");
    }
}

/* ---- the work ----------------------------------------------------------------------------------------------------------------- */

/* On a terminal: a bar, in one line that is written over. */
static void progress(void *user, uint64_t done, uint64_t all) {
    static const char bar[] = "##############################";
    double *told = user;
    const double now = lc_cli_now();
    if (now - *told < 0.1) return;
    *told = now;
    const int n = (int)(done * (sizeof bar - 1) / (all ? all : 1));
    fprintf(stderr, "\r[%-*.*s] %s of %s ", (int)sizeof bar - 1, n, bar, grouped(done).text, grouped(all).text);
}

/* As many samples in a run as a model of fixed size has, else 32. */
static uint32_t choose_batch(lc_model *const *models, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const lc_tensor_view v = lc_model_input(models[i], 0);
        if (v.name && !v.any_rank && v.rank > 0 && v.signature[0] > 0) return (uint32_t)v.signature[0];
    }
    return 32;
}

static int evaluate(const values *v, const lc_cli_list *paths, lc_model *const *models) {
    const char *files[LC_CLI_LIST_MAX + 1] = {0};
    const bool shown = !v->quiet && isatty(STDERR_FILENO);
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    double told = lc_cli_now();
    lc_preprocess pixels;
    lc_data *data;
    lc_eval e;
    lc_error err;
    table t = {.e = &e};
    if (v->preprocess && lc_preprocess_named(v->preprocess, &pixels, &err)) return lc_cli_fail(&err);
    memcpy(files, v->data.items, v->data.count * sizeof *files);
    const lc_data_options from = {.limits = {.max_memory = v->max_memory},
                                  .signature = v->signature,
                                  .pixels = v->preprocess ? &pixels : NULL,
                                  .labels = v->labels,
                                  .classes = v->classes,
                                  .batch = v->batch ? (uint32_t)v->batch : choose_batch(models, paths->count),
                                  .most = (uint64_t)v->samples};
    if (lc_data_open(models[0], files, &from, &data, &err)) return lc_cli_fail(&err);
    lc_cli_data_note(data);
    const lc_eval_options how = {.output = v->output,
                                 .threads = v->threads        ? v->threads
                                            : processors < 1  ? 1
                                            : processors > 64 ? 64
                                                              : (int32_t)processors,
                                 .max_memory = v->max_memory,
                                 .confusion = v->confusion,
                                 .progress = shown ? progress : NULL,
                                 .progress_user = &told};
    const lc_status status = lc_eval_models(models, paths->count, data, &how, &e, &err);
    lc_data_close(data);
    if (shown) fputs("\r\033[K", stderr);
    if (status) return lc_cli_fail(&err);
    name_models(&t, paths);
    if (v->json) print_json(&t, paths);
    else if (v->csv) print_csv(&t, paths, v->confusion);
    else print_text(&t, v->confusion);
    lc_eval_deinit(&e);
    return LC_EXIT_OK;
}

static int run(const lc_cli_command *command, int argc, char **argv) {
    static values v;
    static lc_cli_list arguments;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    if (v.json && v.csv) return lc_cli_usage("choose one of them", "litec eval prints --json or --csv, not both");
    if (!v.data.count)
        return lc_cli_usage("for example --data test.npz, or --data images.idx --labels labels.idx", "litec eval needs --data");
    lc_model *models[MODELS_MAX] = {NULL};
    int code = LC_EXIT_OK;
    for (size_t i = 0; i < arguments.count && !code; i++) {
        const lc_convert_options how = {.limits = {.max_memory = v.max_memory}};
        lc_error err;
        code = lc_cli_input(&arguments.items[i], v.max_memory);
        if (!code && lc_convert(arguments.items[i], &how, &models[i], &err)) code = lc_cli_fail(&err);
    }
    if (!code) code = evaluate(&v, &arguments, models);
    for (size_t i = 0; i < arguments.count; i++) lc_model_destroy(models[i]);
    return code;
}

static const lc_cli_old_name old_names[] = {{"most", "the number of samples is --samples N"}, {0}};

const lc_cli_command lc_cmd_eval = {
    .name = "eval",
    .summary = "how many samples of a labelled data set models get right",
    .usage = "MODEL... --data DATA [--labels FILE] [options]",
    .details =
        "MODEL: any format litec reads; several are compared with the first on the same samples, which a quantised one should match.\n"
        "DATA: .npy, IDX (also .gz), .npz with the labels as y, .csv with a column label, or a folder with a folder for each class.\n"
        "Pictures are scaled to the input, and to 0 ... 1 unless --preprocess says otherwise. A model gives a number for each class.",
    .example = "litec eval model.h5 model.tflite --data images.idx --labels labels.idx",
    .options = options,
    .old_names = old_names,
    .least = 1,
    .most = MODELS_MAX,
    .run = run,
};
