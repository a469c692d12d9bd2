/*
 * cmd_bench.c: litec bench: how long a model takes: to load, to plan, the first run, and then each run by itself, of which
 * the median, the tenth and the ninetieth percentile are told (a mean hides what disturbed it). Inputs are filled with
 * numbers from a fixed generator, so that nothing runs on zeros only. Times are wall clock, memory is the peak of the process.
 */
#include "cli/args.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_MAX 100000
#define RUN_SECONDS 1.0 /* without --runs: as many runs as fit, at least RUNS_LEAST */
#define RUNS_LEAST 10
#define KEPT 64 /* runs whose operator times are kept */

typedef struct values {
    int32_t threads, runs, warmup;
    bool json, profile;
    lc_cli_list shapes;
    uint64_t max_memory;
} values;

static const lc_cli_option options[] = {
    {"threads", 't', LC_CLI_COUNT, offsetof(values, threads), "N", "threads that share one run (1)", 1, 256},
    {"runs", 'n', LC_CLI_COUNT, offsetof(values, runs), "N", "runs to measure (as many as fit in one second)", 1, RUNS_MAX},
    {"warmup", 0, LC_CLI_COUNT, offsetof(values, warmup), "N", "runs before the measured ones (3)", 0, RUNS_MAX},
    {"json", 0, LC_CLI_FLAG, offsetof(values, json), NULL, "print JSON; times in seconds", 0, 0},
    {"profile", 0, LC_CLI_FLAG, offsetof(values, profile), NULL, "time of each operator", 0, 0},
    {"input-shape", 0, LC_CLI_LIST, offsetof(values, shapes), "[NAME=]DIMS", "shape of an input, like 1,224,224,3; repeat for more", 0, 0},
    {"max-memory", 0, LC_CLI_BYTES, offsetof(values, max_memory), "N[K|M|G]", "memory to use at most (8G)", 0, 0},
    {0},
};

typedef struct result {
    double load, plan, first, p10, median, p90;
    int32_t runs;
    uint64_t macs;
    double *operators; /* with --profile: median seconds of each operator over the last KEPT runs */
} result;

/* ---- inputs ----------------------------------------------------------------------------------------------------- */

/* "1,224,224,3" */
static bool parse_shape(const char *text, int32_t *dims, int32_t *rank) {
    *rank = 0;
    for (const char *p = text;; p++) {
        char *end;
        const long v = strtol(p, &end, 10);
        if (end == p || v < 1 || v > INT32_MAX || *rank == LC_MAX_RANK) return false;
        dims[(*rank)++] = (int32_t)v;
        if (*end == 0) return true;
        if (*end != ',') return false;
        p = end;
    }
}

static int set_shapes(lc_session *session, const lc_cli_list *shapes) {
    static int32_t dims[LC_CLI_LIST_MAX][LC_MAX_RANK];
    static const int32_t *given[LC_CLI_LIST_MAX];
    static int32_t ranks[LC_CLI_LIST_MAX];
    const size_t count = lc_session_input_count(session);
    if (shapes->count == 0) return LC_EXIT_OK;
    if (count > LC_CLI_LIST_MAX)
        return lc_cli_failed(NULL, "the model has %zu inputs, litec bench shapes up to %d", count, LC_CLI_LIST_MAX);
    for (size_t i = 0; i < shapes->count; i++) {
        const char *text = shapes->items[i], *equals = strrchr(text, '=');
        int32_t index = (int32_t)i;
        if (equals) {
            char name[512];
            snprintf(name, sizeof name, "%.*s", (int)(equals - text < 511 ? equals - text : 511), text);
            index = lc_session_find_input(session, name);
            if (index < 0) return lc_cli_failed("`litec inspect MODEL` lists the inputs", "the model has no input named %s", name);
        }
        if ((size_t)index >= count)
            return lc_cli_failed("give one shape an input", "%zu shapes, but the model has %zu inputs", shapes->count, count);
        if (!parse_shape(equals ? equals + 1 : text, dims[index], &ranks[index]))
            return lc_cli_usage("write it like --input-shape 1,224,224,3", "--input-shape: %s is no shape", text);
        given[index] = dims[index];
    }
    lc_error err;
    return lc_session_resize_inputs(session, given, ranks, &err) ? lc_cli_fail(&err) : LC_EXIT_OK;
}

/* The same short text everywhere. */
static int fill_strings(lc_session *session, size_t index, const lc_tensor_view *v) {
    size_t n = 1;
    lc_error err;
    for (int32_t d = 0; d < v->rank; d++)
        if (__builtin_mul_overflow(n, (size_t)v->dims[d], &n) || n > SIZE_MAX / 2 / sizeof(char *)) n = SIZE_MAX / 2 / sizeof(char *);
    const char **strings = calloc(n + 1, sizeof *strings);
    if (!strings) return lc_cli_failed(NULL, "out of memory (%zu strings)", n);
    for (size_t i = 0; i < n; i++) strings[i] = "some text";
    const lc_status status = lc_session_set_strings(session, index, strings, NULL, n, &err);
    free(strings);
    return status ? lc_cli_fail(&err) : LC_EXIT_OK;
}

/* Numbers in [0, 1) for floats, small ones for the other types: valid as pixels, and harmless as indices. */
static int fill_inputs(lc_session *session) {
    uint32_t state = 2463534242u;
    for (size_t i = 0; i < lc_session_input_count(session); i++) {
        const lc_tensor_view v = lc_session_input(session, i);
        if (v.type == LC_STRING && fill_strings(session, i, &v)) return LC_EXIT_FAILED;
        if (v.type == LC_STRING || !v.data) continue;
        memset(v.data, 0, v.size);
        if (v.type != LC_FLOAT32 && v.type != LC_INT8 && v.type != LC_UINT8) continue;
        const size_t n = v.size / (lc_dtype_bits(v.type) / 8);
        for (size_t k = 0; k < n; k++) {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            if (v.type == LC_FLOAT32) ((float *)v.data)[k] = (float)(state >> 8) * 0x1p-24f;
            else ((uint8_t *)v.data)[k] = (uint8_t)(state >> 8);
        }
    }
    return LC_EXIT_OK;
}

/* ---- measuring -------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Operator times of run number `run` into their ring. */
static void keep_profile(const lc_session *session, double *kept, int32_t run) {
    for (size_t i = 0; kept && i < lc_session_profile_count(session); i++)
        kept[i * KEPT + (size_t)run % KEPT] = (double)lc_session_profile(session, i).nanoseconds * 1e-9;
}

static void sum_up_profile(const lc_session *session, double *kept, result *r) {
    const size_t n = r->runs < KEPT ? (size_t)r->runs : KEPT;
    for (size_t i = 0; kept && i < lc_session_profile_count(session); i++) {
        qsort(kept + i * KEPT, n, sizeof *kept, compare);
        kept[i] = kept[i * KEPT + (n - 1) / 2];
    }
}

static int measure(lc_session *session, const values *v, result *r) {
    static double seconds[RUNS_MAX];
    lc_error err;
    double *kept = r->operators = v->profile ? calloc(lc_session_profile_count(session) + 1, KEPT * sizeof *kept) : NULL;
    if (v->profile && !kept) return lc_cli_failed(NULL, "out of memory (profile)");
    double start = lc_cli_now();
    if (lc_session_run(session, &err)) return lc_cli_fail(&err);
    r->first = lc_cli_now() - start;
    for (int32_t i = 0; i < v->warmup; i++)
        if (lc_session_run(session, &err)) return lc_cli_fail(&err);
    const int32_t most = v->runs ? v->runs : RUNS_MAX;
    const double begin = lc_cli_now();
    for (r->runs = 0; r->runs < most; r->runs++) {
        start = lc_cli_now();
        if (!v->runs && r->runs >= RUNS_LEAST && start - begin > RUN_SECONDS) break;
        if (lc_session_run(session, &err)) return lc_cli_fail(&err);
        seconds[r->runs] = lc_cli_now() - start;
        keep_profile(session, kept, r->runs);
    }
    sum_up_profile(session, kept, r);
    qsort(seconds, (size_t)r->runs, sizeof *seconds, compare);
    r->p10 = seconds[(size_t)((r->runs - 1) * 0.1)];
    r->median = seconds[(r->runs - 1) / 2];
    r->p90 = seconds[(size_t)((r->runs - 1) * 0.9)];
    for (size_t i = 0; i < lc_session_profile_count(session); i++) r->macs += lc_session_profile(session, i).macs;
    return LC_EXIT_OK;
}

/* ---- reports ---------------------------------------------------------------------------------------------------- */

/* The start of a name: those of MLIR run to hundreds of bytes. */
static void print_name(const char *name) {
    char text[45];
    snprintf(text, sizeof text, "%s", name);
    size_t n = strlen(text);
    if (strlen(name) > n) {
        n -= 3;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) n--; /* not inside a UTF-8 character */
        memcpy(text + n, "...", 4);
    }
    lc_cli_put_safe(stdout, text);
}

static void print_profile(const lc_session *session, const result *r) {
    double total = 0;
    for (size_t i = 0; i < lc_session_profile_count(session); i++) total += r->operators[i];
    printf("\n   #  %-24s %-20s %10s %7s %9s  %s\n", "operator", "kernel", "median", "share", "GFLOP/s", "output");
    for (size_t i = 0; i < lc_session_profile_count(session); i++) {
        const lc_profile_entry e = lc_session_profile(session, i);
        const double seconds = r->operators[i];
        char rate[16] = "-";
        if (e.macs && seconds > 0) snprintf(rate, sizeof rate, "%.1f", 2e-9 * (double)e.macs / seconds);
        printf("%4zu  %-24.24s %-20.20s %10s %6.1f%% %9s  ", i, e.op, e.kernel, lc_cli_time(seconds).text,
               total > 0 ? 100 * seconds / total : 0, rate);
        print_name(e.name);
        putchar('\n');
    }
}

static void print_text(const char *file, const lc_session *session, const values *v, const result *r) {
    const lc_memory_stats m = lc_session_memory(session);
    lc_cli_put_safe(stdout, file);
    printf(": %s, %d thread%s\n", lc_session_isa(session), (int)(v->threads ? v->threads : 1), v->threads > 1 ? "s" : "");
    printf("  load    %10s\n", lc_cli_time(r->load).text);
    printf("  plan    %10s\n", lc_cli_time(r->plan).text);
    printf("  first   %10s\n", lc_cli_time(r->first).text);
    printf("  run     %10s  median of %d (p10 %s, p90 %s)", lc_cli_time(r->median).text, (int)r->runs, lc_cli_time(r->p10).text,
           lc_cli_time(r->p90).text);
    if (r->macs) printf(", %.1f GFLOP/s", 2e-9 * (double)r->macs / r->median);
    printf("\n  arena   %10s  (no plan can be under %s)\n", lc_cli_bytes(m.arena).text, lc_cli_bytes(m.arena_bound).text);
    printf("  packed  %10s  of %s of weights\n", lc_cli_bytes(m.packed).text, lc_cli_bytes(m.constants).text);
    printf("  peak    %10s  whole process\n", lc_cli_bytes(lc_cli_peak_memory()).text);
    if (r->operators) print_profile(session, r);
}

static void print_json(const char *file, const lc_session *session, const values *v, const result *r) {
    const lc_memory_stats m = lc_session_memory(session);
    fputs("{\"file\":", stdout);
    lc_cli_put_json(stdout, file);
    printf(",\"isa\":\"%s\",\"threads\":%d,\"runs\":%d", lc_session_isa(session), (int)(v->threads ? v->threads : 1), (int)r->runs);
    const struct {
        const char *name;
        double seconds;
    } times[] = {{"load", r->load}, {"plan", r->plan}, {"first", r->first}, {"median", r->median}, {"p10", r->p10}, {"p90", r->p90}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) printf(",\"%s\":%.9f", times[i].name, times[i].seconds);
    const struct {
        const char *name;
        uint64_t n;
    } counts[] = {{"macs", r->macs},          {"arena_bytes", m.arena},        {"arena_bound_bytes", m.arena_bound},
                  {"packed_bytes", m.packed}, {"constant_bytes", m.constants}, {"peak_bytes", lc_cli_peak_memory()}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) printf(",\"%s\":%llu", counts[i].name, (unsigned long long)counts[i].n);
    if (r->operators) {
        fputs(",\"operators\":[", stdout);
        for (size_t i = 0; i < lc_session_profile_count(session); i++) {
            const lc_profile_entry e = lc_session_profile(session, i);
            printf("%s{\"op\":", i ? "," : "");
            lc_cli_put_json(stdout, e.op);
            fputs(",\"kernel\":", stdout);
            lc_cli_put_json(stdout, e.kernel);
            fputs(",\"output\":", stdout);
            lc_cli_put_json(stdout, e.name);
            printf(",\"seconds\":%.9f,\"macs\":%llu}", r->operators[i], (unsigned long long)e.macs);
        }
        putchar(']');
    }
    puts("}");
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int bench_model(lc_model *model, const char *file, const values *v, result *r) {
    lc_session *session;
    lc_error err;
    const lc_session_options how = {.threads = v->threads, .max_memory = v->max_memory, .profile = v->profile};
    const double start = lc_cli_now();
    if (lc_session_create(model, &how, &session, &err)) return lc_cli_fail(&err);
    int code = set_shapes(session, &v->shapes);
    r->plan = lc_cli_now() - start;
    if (!code) code = fill_inputs(session);
    if (!code) code = measure(session, v, r);
    if (!code && v->json) print_json(file, session, v, r);
    else if (!code) print_text(file, session, v, r);
    free(r->operators);
    lc_session_destroy(session);
    return code;
}

static int run(const lc_cli_command *command, int argc, char **argv) {
    static values v;
    static lc_cli_list arguments;
    v.warmup = 3;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    const char *file = arguments.items[0];
    if (lc_cli_input(&file, v.max_memory)) return LC_EXIT_FAILED;
    result r = {0};
    lc_model *model;
    lc_error err;
    const lc_convert_options how = {.limits = {.max_memory = v.max_memory}};
    const double start = lc_cli_now();
    if (lc_convert(file, &how, &model, &err)) return lc_cli_fail(&err);
    r.load = lc_cli_now() - start;
    const int code = bench_model(model, file, &v, &r);
    lc_model_destroy(model);
    return code;
}

const lc_cli_command lc_cmd_bench = {
    .name = "bench",
    .summary = "measure how fast a model runs",
    .usage = "MODEL [--threads N] [--runs N] [--json] [--profile] [--input-shape SHAPE]",
    .details = "Tells the time to load, to plan, of the first run, then the median, p10 and p90 of single runs, and memory.\n"
               "LC_ISA=avx512|avx2|neon|portable|ref in the environment forces the kernels.",
    .example = "litec bench model.tflite --profile",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
