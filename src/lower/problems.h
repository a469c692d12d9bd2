/*
 * problems.h: all that stands in the way of a conversion, not only the first thing. A lowering that is given a list (lc_lower_options)
 * notes what it cannot lower and goes on where that makes sense; at its end it fails with the first of them. For `litec lint`.
 */
#ifndef LC_LOWER_PROBLEMS_H
#define LC_LOWER_PROBLEMS_H

#include "base/base.h"

typedef struct lc_problem {
    const char *where;   /* layer or node; "" when there is none */
    const char *kind;    /* its class or operator */
    const char *message; /* what is wrong */
    const char *hint;    /* what to do; "" when there is none */
} lc_problem;

typedef struct lc_problems {
    lc_arena arena;
    lc_problem *list;
    size_t count, capacity;
    uint32_t unseen; /* layers that were not looked at, since what they need was not made */
} lc_problems;

/* Adds one; strings are copied. LC_NO_MEMORY. */
lc_status lc_problems_add(lc_problems *p, const char *where, const char *kind, const char *message, const char *hint, lc_error *err);
void lc_problems_deinit(lc_problems *p);

#endif
