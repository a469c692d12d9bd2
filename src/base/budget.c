/*
 * budget.c: the sums of what one reading may use. The sum is what counts: a limit on each piece alone is passed by a
 * thousand pieces just below it (the bomb that got through Keras' first limit on data set sizes).
 */
#include "base/budget.h"

#include "base/checked.h"
#include "base/error.h"

#define DEFAULT_MEMORY (8ull << 30)
#define DEFAULT_FILE (64ull << 30)
#define DEFAULT_TABLES 4000000u
#define DEFAULT_NODES 1000000u
#define DEFAULT_DEPTH 64u

void lc_budget_init(lc_budget *budget, const lc_limits *limits) {
    lc_limits l = limits ? *limits : (lc_limits){0};
    if (!l.max_memory) l.max_memory = DEFAULT_MEMORY;
    if (!l.max_file) l.max_file = DEFAULT_FILE;
    if (!l.max_tables) l.max_tables = DEFAULT_TABLES;
    if (!l.max_nodes) l.max_nodes = DEFAULT_NODES;
    if (!l.max_depth) l.max_depth = DEFAULT_DEPTH;
    *budget = (lc_budget){.limits = l};
}

lc_status lc_budget_memory(lc_budget *budget, uint64_t bytes, const char *what, lc_error *err) {
    uint64_t sum;
    if (lc_add_u64(budget->memory, bytes, &sum) && sum <= budget->limits.max_memory) {
        budget->memory = sum;
        return LC_OK;
    }
    lc_fail(err, LC_LIMIT, "%s declares %llu bytes, which with the %llu bytes before it is over the limit of %llu",
            what ? what : "the file", (unsigned long long)bytes, (unsigned long long)budget->memory,
            (unsigned long long)budget->limits.max_memory);
    lc_error_hint(err, "if the file is what it should be, raise the limit with --max-memory (lc_limits.max_memory)");
    return LC_LIMIT;
}

lc_status lc_budget_tables(lc_budget *budget, uint64_t n, const char *what, lc_error *err) {
    uint64_t sum;
    if (lc_add_u64(budget->tables, n, &sum) && sum <= budget->limits.max_tables) {
        budget->tables = sum;
        return LC_OK;
    }
    lc_fail(err, LC_LIMIT, "%s: more than %u tables, objects or members in one file", what ? what : "the file", budget->limits.max_tables);
    lc_error_hint(err, "if the file is what it should be, raise lc_limits.max_tables");
    return LC_LIMIT;
}
