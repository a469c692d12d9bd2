/*
 * args.h: a command's options as ONE table that both parses the command line and prints --help.
 *
 * Forms: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, flags --name and -n; "--" ends the options. Options may stand
 * before, between and behind the other arguments. An option given twice: lists grow, anything else is a usage error.
 */
#ifndef LC_CLI_ARGS_H
#define LC_CLI_ARGS_H

#include "cli/cli.h"

#define LC_CLI_LIST_MAX 256

typedef struct lc_cli_list {
    const char *items[LC_CLI_LIST_MAX]; /* borrowed from argv */
    size_t count;
} lc_cli_list;

/* The items with a separator between them, freed by the caller; NULL for none. False when memory is out. (args.c) */
bool lc_cli_join(const lc_cli_list *list, char separator, char **out);

/* Kind of an option and the type of the field it fills. */
typedef enum lc_cli_kind {
    LC_CLI_FLAG,   /* bool */
    LC_CLI_STRING, /* const char * */
    LC_CLI_LIST,   /* lc_cli_list: may be repeated */
    LC_CLI_COUNT,  /* int32_t, in [least, most] */
    LC_CLI_BYTES,  /* uint64_t, N with K, M, G */
    LC_CLI_NUMBER, /* float */
    LC_CLI_BOOL,   /* lc_cli_bool: --name, --name=true, --name false */
} lc_cli_kind;

/* A truth value that may not have been given. */
typedef enum lc_cli_bool { LC_CLI_UNSET = 0, LC_CLI_FALSE, LC_CLI_TRUE } lc_cli_bool;

typedef struct lc_cli_option {
    const char *name; /* without dashes; NULL ends the table */
    char letter;      /* short form, 0: none */
    lc_cli_kind kind;
    size_t offset;     /* of the field in the command's struct */
    const char *value; /* what the value is, for help: "FILE"; NULL for flags */
    const char *help;
    int32_t least, most;
} lc_cli_option;

/* What an option was called elsewhere or before; the hint says what it is now. */
typedef struct lc_cli_old_name {
    const char *name, *hint;
} lc_cli_old_name;

typedef struct lc_cli_command {
    const char *name;
    const char *summary; /* one line */
    const char *usage;   /* arguments, for help: "MODEL -o OUT.tflite" */
    const char *details; /* a few lines, or NULL */
    const char *example; /* one line that can be copied */
    const lc_cli_option *options;
    const lc_cli_old_name *old_names; /* NULL: none; ends with a NULL name */
    const char *program; /* name of a program of TensorFlow's that this command is as well, where an empty text is none; NULL: none */
    size_t least, most;  /* positional arguments */
    int (*run)(const struct lc_cli_command *command, int argc, char **argv);
} lc_cli_command;

typedef enum lc_cli_parsed { LC_CLI_RUN, LC_CLI_HELPED, LC_CLI_WRONG } lc_cli_parsed;

/* Fills the fields of `values` (zeroed before) and the positional arguments. LC_CLI_HELPED: help was asked for and printed;
 * LC_CLI_WRONG: the error was printed. */
lc_cli_parsed lc_cli_parse(const lc_cli_command *command, int argc, char **argv, void *values, lc_cli_list *arguments);
void lc_cli_help(const lc_cli_command *command);

/* "litec convert", or the name of a program of its own: as help and messages call it. */
lc_cli_text lc_cli_command_name(const lc_cli_command *command);

extern const lc_cli_command lc_cmd_convert, lc_cmd_run, lc_cmd_inspect, lc_cmd_lint, lc_cmd_verify, lc_cmd_bench, lc_cmd_ops,
    lc_cmd_tflite_convert, lc_cmd_freeze, lc_cmd_compare, lc_cmd_eval, lc_cmd_dataset, lc_cmd_train;

#endif
