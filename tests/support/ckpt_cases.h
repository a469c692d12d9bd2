/*
 * ckpt_cases.h: checkpoints made byte by byte, so that each lie can be told on its own: for every rule a bad checkpoint beside a good twin
 * that differs in nothing else. tests/unit/test_ckpt_bad.c says what must come of each, test_source_rules.c that no rule lacks one.
 */
#ifndef TESTS_SUPPORT_CKPT_CASES_H
#define TESTS_SUPPORT_CKPT_CASES_H

#include "support/ckpt_files.h"

typedef struct ckpt_case {
    const char *name;
    lc_status status;
    const char *rule;    /* "" for a good one */
    const char *message; /* part of it */
    const char *hint;    /* part of it */
    void (*make)(ckpt_folder *f, const struct ckpt_case *c);
    void (*lie)(void *made);        /* changes what will be written */
    void (*damage)(lc_text *bytes); /* changes the bytes of the table */
    const char *open;               /* what is given to lc_ckpt_open, in the folder; NULL: "m" */
} ckpt_case;

extern const ckpt_case ckpt_cases[];
extern const size_t ckpt_case_count;
/* Makes the files, opens the checkpoint, reads every variable and some slices. */
lc_status ckpt_case_run(const ckpt_case *c, const lc_limits *limits, lc_error *err);
/* The part after the files are there. */
lc_status ckpt_read_all(const char *path, const lc_limits *limits, lc_error *err);

#endif
