/*
 * sets.h: data given on the command line as [SIGNATURE:][NAME=]DATA, a set for each signature.
 */
#ifndef LC_CLI_SETS_H
#define LC_CLI_SETS_H

#include "cli/args.h"

typedef struct lc_cli_sets {
    lc_data *data[LC_CLI_LIST_MAX];
    size_t count;
} lc_cli_sets;

/* Opens all of the list. how->signature and batch: of what names no signature; the others have the batch that their inputs say. Exit code; nothing
 * is open after a failure. */
int lc_cli_sets_open(const lc_cli_list *list, const lc_data_options *how, const lc_model *model, lc_cli_sets *sets);
void lc_cli_sets_close(lc_cli_sets *sets);
/* Says on stderr, once a run, that bytes go in as they stand, if they do. */
void lc_cli_data_note(const lc_data *data);

#endif
