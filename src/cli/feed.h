/*
 * feed.h: files given on the command line as inputs of a session.
 */
#ifndef LC_CLI_FEED_H
#define LC_CLI_FEED_H

#include "cli/args.h"

typedef struct lc_cli_feed {
    const lc_cli_list *files; /* [NAME=]FILE */
    float mean, std;          /* of images: (pixel / 255 - mean) / std; std 0 means 1 */
    uint64_t max_memory;
} lc_cli_feed;

/* Reads every file, gives the session the shapes they need and fills its inputs. Returns an exit code; says what was wrong. */
int lc_cli_feed_session(lc_session *session, const lc_cli_feed *feed);

/* ---- outputs (show.c) ---------------------------------------------------------------------------------------- */

/* Element i of a tensor as a real number: quantised values are scaled, 16-bit floats widened. False for types that cannot
 * be shown (strings, 4-bit and smaller). */
bool lc_cli_value(const lc_tensor_view *view, size_t i, double *value);
/* Prints a tensor with brackets, large ones shortened to the ends of each dimension. */
void lc_cli_show_tensor(const lc_tensor_view *view);
/* Prints the `top` largest values of each row of the last dimension, with names from `labels` (may be NULL). Exit code. */
int lc_cli_show_ranking(const lc_tensor_view *view, int32_t top, const char *labels);

#endif
