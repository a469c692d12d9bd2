/*
 * cmd_verify.c: litec verify: checks a file completely. Exit 0 and one line, or exit 1 and what is wrong and where.
 */
#include "cli/args.h"

#include <stddef.h>

typedef struct values {
    bool json;
    uint64_t max_memory;
} values;

static const lc_cli_option options[] = {
    {"json", 0, LC_CLI_FLAG, offsetof(values, json), NULL, "print the result as JSON", 0, 0},
    {"max-memory", 0, LC_CLI_BYTES, offsetof(values, max_memory), "N[K|M|G]", "memory the file may make litec use (8G)", 0, 0},
    {0},
};

static void put_member(const char *name, const char *text) {
    printf(",\"%s\":", name);
    lc_cli_put_json(stdout, text);
}

static void print_json(const char *file, const char *summary, const lc_error *err) {
    fputs("{\"file\":", stdout);
    lc_cli_put_json(stdout, file);
    printf(",\"valid\":%s", summary ? "true" : "false");
    if (summary) {
        put_member("summary", summary);
    } else {
        put_member("status", lc_status_name(err->status));
        put_member("rule", err->rule);
        if (err->offset != LC_NO_OFFSET) printf(",\"offset\":%llu", (unsigned long long)err->offset);
        put_member("message", err->message);
        put_member("hint", err->hint);
    }
    puts("}");
}

static int run(const lc_cli_command *command, int argc, char **argv) {
    values v = {0};
    lc_cli_list arguments;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    const char *file = arguments.items[0];
    if (lc_cli_input(&file, v.max_memory)) return LC_EXIT_FAILED;
    const lc_limits limits = {.max_memory = v.max_memory};
    char *summary;
    lc_error err;
    if (lc_verify_file(file, &limits, &summary, &err)) {
        if (v.json) print_json(file, NULL, &err);
        return lc_cli_fail(&err);
    }
    if (v.json) {
        print_json(file, summary, NULL);
    } else {
        lc_cli_put_safe(stdout, file);
        fputs(": ", stdout);
        lc_cli_put_safe(stdout, summary);
        putchar('\n');
    }
    lc_free(summary);
    return LC_EXIT_OK;
}

const lc_cli_command lc_cmd_verify = {
    .name = "verify",
    .summary = "check a model file completely",
    .usage = "FILE [--json]",
    .details = "Prints one line when the file is valid; else says which rule is broken, and at which byte.",
    .example = "litec verify model.tflite",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
