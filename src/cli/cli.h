/*
 * cli.h: what the files of the program share. The program sees the library only through include/litec.
 *
 * Manners: data goes to stdout, talk to stderr. A failure is exactly two lines on stderr, `error: ...` and `hint: ...`.
 * Exit codes: 0 done, 1 failed, 2 wrong usage. Colour only on a terminal, and never with NO_COLOR set.
 */
#ifndef LC_CLI_H
#define LC_CLI_H

#include "litec/litec.h"

#include <stdio.h>

enum { LC_EXIT_OK = 0, LC_EXIT_FAILED = 1, LC_EXIT_USAGE = 2 };

/* ---- talk (say.c) -------------------------------------------------------------------------------------------- */

/* Two lines on stderr, control bytes shown as \xNN; an empty or NULL hint becomes the default one. Return the exit code. */
int lc_cli_fail(const lc_error *err);
int lc_cli_failed(const char *hint, const char *format, ...) __attribute__((format(printf, 2, 3)));
int lc_cli_usage(const char *hint, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "note: ..." on stderr: something that was decided and should be known. */
void lc_cli_note(const char *text);
/* The same as the library calls it (lc_convert_options.note). */
void lc_cli_hear(void *user, const char *text);
/* What texts of the library, which name the options of `litec convert`, are to say in their place: pairs, until one of NULL. For programs
 * whose options are called otherwise. */
typedef struct lc_cli_renamed {
    const char *from, *to;
} lc_cli_renamed;
void lc_cli_rename(const lc_cli_renamed *names);
/* True when stream is a terminal that takes colours. */
bool lc_cli_colours(FILE *stream);
/* A name from a file, with control characters and what is no UTF-8 as \xNN. */
void lc_cli_put_safe(FILE *stream, const char *s);
/* A JSON string with its quotes. */
void lc_cli_put_json(FILE *stream, const char *s);

typedef struct lc_cli_text {
    char text[160];
} lc_cli_text;
lc_cli_text lc_cli_bytes(uint64_t bytes); /* "409.1 KB" */
lc_cli_text lc_cli_time(double seconds);  /* "1.8 ms" */
/* "float32[?,28,28]": an open dimension, -1, prints as "?". */
lc_cli_text lc_cli_shape(lc_dtype type, const int32_t *dims, int32_t rank); /* rank < 0: unknown */

double lc_cli_now(void);           /* seconds, monotonic */
uint64_t lc_cli_peak_memory(void); /* bytes this process has had resident at most */

/* ---- standard input and output (standard.c) -------------------------------------------------------------------- */

/* Without an open descriptor 0, 1 or 2 the next file opened would take its number, and what is printed would go into it. What this puts
 * there fails when it is used, as it should. */
void lc_cli_hold_standard(void);
bool lc_cli_is_dash(const char *path); /* "-" */
/* A path of "-" becomes one that reads standard input; other paths stay. Exit code. */
int lc_cli_input(const char **path, uint64_t max_memory);
/* A file's bytes to standard output, not to a terminal. Exit code. */
int lc_cli_output(const void *data, size_t size);

/* ---- the nearest name, for "did you mean" (args.c) ------------------------------------------------------------ */

/* Keeps the candidate nearest to `word` in *best (NULL at first, with *distance 0); lc_cli_near_enough tells whether it may be
 * what was meant. */
void lc_cli_consider(const char *word, const char *candidate, const char **best, size_t *distance);
bool lc_cli_near_enough(const char *word, const char *best, size_t distance);

#endif
