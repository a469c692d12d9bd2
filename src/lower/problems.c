/*
 * problems.c: see problems.h. The list owns its strings.
 */
#include "lower/problems.h"

#include <string.h>

lc_status lc_problems_add(lc_problems *p, const char *where, const char *kind, const char *message, const char *hint, lc_error *err) {
    const char *given[4] = {where, kind, message, hint}, *kept[4];
    void *items = p->list;
    for (int i = 0; i < 4; i++) {
        const char *text = given[i] ? given[i] : "";
        if (!(kept[i] = lc_arena_strndup(&p->arena, text, strlen(text)))) return lc_fail_memory(err, "the list of problems");
    }
    if (!lc_arena_grow(&p->arena, &items, &p->capacity, p->count + 1, sizeof *p->list)) return lc_fail_memory(err, "the list of problems");
    p->list = items;
    p->list[p->count++] = (lc_problem){kept[0], kept[1], kept[2], kept[3]};
    return LC_OK;
}

void lc_problems_deinit(lc_problems *p) {
    lc_arena_deinit(&p->arena);
    *p = (lc_problems){.list = NULL};
}
