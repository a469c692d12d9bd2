/*
 * main.c: the program `litec`: one table of commands. Nothing is done before a command is known, so that starting costs
 * next to nothing. A command is one file cmd_<name>.c and one row here.
 */
#include "cli/args.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static const lc_cli_command *const commands[] = {
    &lc_cmd_convert, &lc_cmd_run,    &lc_cmd_inspect,        &lc_cmd_lint,    &lc_cmd_verify, &lc_cmd_bench,
    &lc_cmd_ops,     &lc_cmd_freeze, &lc_cmd_tflite_convert, &lc_cmd_compare, &lc_cmd_eval,   &lc_cmd_dataset,
    &lc_cmd_train,
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static void print_overview(FILE *out) {
    fprintf(out, "litec %s: TensorFlow Lite models without TensorFlow\n\nusage: litec COMMAND ...\n\ncommands:\n", lc_version());
    for (size_t i = 0; i < COMMAND_COUNT; i++) fprintf(out, "  %-16s%s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "  %-16s%s\n\n`litec help COMMAND` or `litec COMMAND --help` shows its options, `litec --version` the version.\n", "help",
            "show this, or the help of a command");
}

static const lc_cli_command *find(const char *name) {
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

static int unknown(const char *name) {
    const char *best = NULL;
    size_t distance = 0;
    for (size_t i = 0; i < COMMAND_COUNT; i++) lc_cli_consider(name, commands[i]->name, &best, &distance);
    lc_cli_consider(name, "help", &best, &distance);
    lc_cli_consider(name, "--version", &best, &distance);
    char hint[96] = "`litec help` lists the commands";
    if (lc_cli_near_enough(name, best, distance)) snprintf(hint, sizeof hint, "did you mean `litec %s`?", best);
    return lc_cli_usage(hint, "litec has no command %s", name);
}

static int help(int argc, char **argv) {
    if (argc == 0) {
        print_overview(stdout);
        return LC_EXIT_OK;
    }
    if (argc > 1) return lc_cli_usage("usage: litec help COMMAND", "litec help takes one command");
    const lc_cli_command *command = find(argv[0]);
    if (!command) return unknown(argv[0]);
    lc_cli_help(command);
    return LC_EXIT_OK;
}

/* The program's own name, when it was called by that of a command: tflite_convert beside litec. */
static const lc_cli_command *called_as(const char *path) {
    const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < COMMAND_COUNT && name; i++)
        if (commands[i]->program && strcmp(commands[i]->program, name) == 0) return commands[i];
    return NULL;
}

static int dispatch(int argc, char **argv) {
    const lc_cli_command *own = argc > 0 ? called_as(argv[0]) : NULL;
    if (own) return own->run(own, argc - 1, argv + 1);
    if (argc < 2) return lc_cli_usage("`litec help` lists the commands", "litec needs a command");
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("litec %s\n", lc_version());
        return LC_EXIT_OK;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) return help(argc - 2, argv + 2);
    const lc_cli_command *command = find(name);
    return command ? command->run(command, argc - 2, argv + 2) : unknown(name);
}

/* A write to a full disk often fails only when the buffer is flushed: then the output is not complete and we say so. */
int main(int argc, char **argv) {
#ifdef SIGXFSZ
    signal(SIGXFSZ, SIG_IGN); /* a file over the size limit is an error of write(), not the end of the process */
#endif
    lc_cli_hold_standard();
    const int code = dispatch(argc, argv);
    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == LC_EXIT_OK)
        return lc_cli_failed("check the space on the disk and where the output goes", "writing to standard output failed: %s",
                             errno ? strerror(errno) : "write error");
    return code;
}
