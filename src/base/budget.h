/*
 * budget.h: what one reading may use, from lc_limits. Every size that a file *declares* is charged here before anything
 * is allocated for it, so a few bytes that declare terabytes, in one piece or in a thousand, fail at once.
 */
#ifndef LC_BASE_BUDGET_H
#define LC_BASE_BUDGET_H

#include "litec/runtime.h"

typedef struct lc_budget {
    lc_limits limits; /* all fields filled in (no zeros) */
    uint64_t memory;  /* declared bytes so far */
    uint64_t tables;  /* tables, objects, members so far */
} lc_budget;

/* limits may be NULL. */
void lc_budget_init(lc_budget *budget, const lc_limits *limits);
/* Charges `bytes` of declared memory for `what` ("dataset 'conv1/kernel'"). LC_LIMIT when the sum is over max_memory. */
lc_status lc_budget_memory(lc_budget *budget, uint64_t bytes, const char *what, lc_error *err);
/* Charges n tables. */
lc_status lc_budget_tables(lc_budget *budget, uint64_t n, const char *what, lc_error *err);

#endif
