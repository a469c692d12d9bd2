/*
 * feed.h: from files on the command line to answers: what goes into the inputs of a session, running it, showing what comes out.
 */
#ifndef LC_CLI_FEED_H
#define LC_CLI_FEED_H

#include "cli/args.h"

/* One file as read, and the shape that the input it is for must take. */
typedef struct lc_cli_source {
    const char *path;
    lc_array array;
    bool picture;                           /* to be scaled to the input; else the input's own elements */
    bool stack;                             /* of pictures: uint8 [count, height, width]; else one, uint8 [height, width, channels] */
    int32_t count, height, width, channels; /* of pictures: as they go into the input */
    int32_t dims[LC_MAX_RANK], rank;
    bool given;
} lc_cli_source;

typedef struct lc_cli_feed {
    lc_session *session;
    const lc_cli_list *files; /* [NAME=]FILE */
    lc_preprocess pixels;     /* of pictures */
    bool scales;              /* pixels was asked for: pictures are expected */
    uint64_t max_memory;
    size_t count;                           /* inputs of the session */
    lc_cli_source sources[LC_CLI_LIST_MAX]; /* [count] */
} lc_cli_feed;

/* All of these return an exit code and say what was wrong. */

/* Reads every file and finds out what shape each input must take; changes nothing in the session. */
int lc_cli_feed_read(lc_cli_feed *feed);
/* Gives the inputs the shapes of the files; with `rows` > 0 that many rows, whatever the files hold. On failure the session keeps
 * its shapes; quiet: nothing is said. */
int lc_cli_feed_resize(lc_cli_feed *feed, int32_t rows, bool quiet);
/* Rows [from, from + rows) of every file to the rows of the inputs that begin at `to`; rows 0: everything. */
int lc_cli_feed_fill(const lc_cli_feed *feed, int32_t to, int32_t from, int32_t rows);
void lc_cli_feed_deinit(lc_cli_feed *feed);

/* ---- running (batch.c) ---------------------------------------------------------------------------------------- */

typedef struct lc_cli_answers {
    size_t count;          /* outputs of the session */
    lc_tensor_view *views; /* [count]; names and shapes are those of the session, valid as long as it is */
    bool owned;            /* their data is ours: a batch that was run in slices */
} lc_cli_answers;

/* Fills the inputs and runs the model on all there is; a large batch in slices. `model` and `how` are those of the session. Exit
 * code. */
int lc_cli_answer(lc_cli_feed *feed, lc_model *model, const lc_session_options *how, lc_cli_answers *answers);
void lc_cli_answers_deinit(lc_cli_answers *answers);

/* ---- outputs (show.c) ---------------------------------------------------------------------------------------- */

/* Prints a tensor with brackets, large ones shortened to the ends of each dimension. */
void lc_cli_show_tensor(const lc_tensor_view *view);
/* Prints the `top` largest values of each row of the last dimension, with names from `labels` (may be NULL). Exit code. */
int lc_cli_show_ranking(const lc_tensor_view *view, int32_t top, const char *labels);

#endif
