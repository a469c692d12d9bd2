/*
 * cmd_ops.c: litec ops: the operators that models need, as the header that a build of the device runtime takes (docs/embedding.md).
 */
#include "cli/args.h"

#include <stddef.h>

typedef struct values {
    uint64_t max_memory;
} values;

static const lc_cli_option options[] = {
    {"max-memory", 0, LC_CLI_BYTES, offsetof(values, max_memory), "N[K|M|G]", "memory a file may make litec use (8G)", 0, 0},
    {0},
};

static int run(const lc_cli_command *command, int argc, char **argv) {
    values v = {0};
    lc_cli_list arguments;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    const lc_convert_options how = {.limits = {.max_memory = v.max_memory}, .allow_custom_ops = true};
    lc_model *models[LC_CLI_LIST_MAX];
    lc_error err;
    size_t count = 0;
    lc_status status = LC_OK;
    bool unread = false;
    char *text = NULL;
    for (; count < arguments.count && !status && !unread; count++) {
        const char *file = arguments.items[count];
        models[count] = NULL;
        unread = lc_cli_input(&file, v.max_memory) != LC_EXIT_OK; /* it has said why */
        if (!unread) status = lc_convert(file, &how, &models[count], &err);
    }
    if (!status && !unread) status = lc_models_ops((const lc_model *const *)models, count, &text, &err);
    for (size_t i = 0; i < count; i++) lc_model_destroy(models[i]);
    if (unread) return LC_EXIT_FAILED;
    if (status) return lc_cli_fail(&err);
    fputs(text, stdout);
    lc_free(text);
    return LC_EXIT_OK;
}

const lc_cli_command lc_cmd_ops = {
    .name = "ops",
    .summary = "list the operators of models, for a small runtime",
    .usage = "MODEL... > my_ops.h",
    .details = "Prints a C header that names each operator once. A build of the device runtime with\n"
               "-DLC_OPERATORS=my_ops.h has these operators and no others.",
    .example = "litec ops model.tflite > my_ops.h",
    .options = options,
    .least = 1,
    .most = LC_CLI_LIST_MAX,
    .run = run,
};
