/*
 * variables.c: see variables.h.
 */
#include "support/variables.h"

#include "ir/constant.h"

lc_status variables_take(lc_model *m, lc_arena *arena, lc_emit_variable **v, size_t *n, lc_error *err) {
    lc_graph *g = m->graphs[0];
    *n = 0;
    *v = lc_arena_array(arena, g->tensor_count, sizeof **v);
    if (!*v) return lc_fail_memory(err, "variables");
    for (size_t i = 0, all = g->tensor_count; i < all; i++) {
        lc_tensor *t = &g->tensors[i];
        if (!lc_tensor_is_const(t) || t->type != LC_FLOAT32 || t->rank < 1) continue;
        LC_TRY(lc_tensor_make(m, t, err));
        const char *name = lc_arena_printf(arena, "%s_%zu", t->name.data, *n); /* constants of a layer may share one */
        if (!name) return lc_fail_memory(err, "variables");
        (*v)[*n] = (lc_emit_variable){name, t->type, t->rank, t->dims, t->data, t->size, (int32_t)i, *n % 2 == 0};
        ++*n;
        t->data = NULL;
        t->deferred = NULL;
        LC_TRY(lc_graph_add_input(g, (int32_t)i, err));
    }
    return LC_OK;
}
