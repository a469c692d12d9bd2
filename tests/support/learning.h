/*
 * learning.h: what the tests of optimizers, losses and metrics share: JSON from text, the random numbers of tests/oracle/make_learning.py, and
 * three small variables.
 */
#ifndef TESTS_SUPPORT_LEARNING_H
#define TESTS_SUPPORT_LEARNING_H

#include "source/source.h"
#include "train/variable.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct parsed {
    lc_budget budget;
    lc_arena arena;
    lc_error err;
    const lc_json *root;
} parsed;

static inline const lc_json *parse(parsed *p, const char *text, size_t size) {
    *p = (parsed){0};
    lc_budget_init(&p->budget, &(lc_limits){.max_memory = 64u << 20});
    lc_error_clear(&p->err);
    assert_int_equal(lc_json_parse(text, size, &p->budget, &p->arena, &p->root, &p->err), LC_OK);
    return p->root;
}

static inline bool close_to(double a, double b, double tolerance) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    return a == b || fabs(a - b) <= tolerance * (1 + fabs(b));
}

/* The generator of make_learning.py. */
typedef struct numbers {
    uint32_t state;
} numbers;

static inline void take(numbers *r, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        r->state = r->state * 1664525u + 1013904223u;
        out[i] = (float)((double)(r->state >> 8) / 8388608 - 1);
    }
}

typedef struct trained {
    float value[24], grad[24];
    lc_variable variables[3];
} trained;

static inline void make_variables(trained *t, numbers *r) {
    static const struct {
        const char *path;
        int32_t rank, dims[2];
        size_t at, n;
    } shapes[3] = {{"dense/kernel", 2, {3, 4}, 0, 12}, {"dense/bias", 1, {4}, 12, 4}, {"out/kernel", 2, {4, 2}, 16, 8}};
    take(r, t->value, 24);
    memset(t->grad, 0, sizeof t->grad);
    for (int i = 0; i < 3; i++) {
        t->variables[i] = (lc_variable){.path = shapes[i].path,
                                        .value = t->value + shapes[i].at,
                                        .grad = t->grad + shapes[i].at,
                                        .n = shapes[i].n,
                                        .rank = shapes[i].rank,
                                        .trainable = true};
        memcpy(t->variables[i].dims, shapes[i].dims, sizeof shapes[i].dims);
    }
}

#endif
