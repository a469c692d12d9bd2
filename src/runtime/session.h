/*
 * session.h: the inside of lc_session, for the api layer (inspect shows the plan).
 */
#ifndef LC_RUNTIME_SESSION_H
#define LC_RUNTIME_SESSION_H

#include "runtime/exec.h"

struct lc_session {
    lc_model *model; /* a reference is held */
    const lc_graph *graph;
    const lc_signature *signature; /* names for inputs and outputs; NULL: none for this graph */
    lc_pool *pool;                 /* NULL: one thread */
    const struct lc_simd *simd;
    uint64_t max_memory, max_loops;
    bool profile, states_ranks; /* states_ranks: lc_model_states_ranks */
    void (*watch)(void *user, const lc_watched *tensor);
    void *watch_user;
    lc_custom_op *custom;
    size_t custom_count; /* copies of the caller's */
    lc_resources *resources;
    int32_t *inputs;
    size_t input_count; /* tensor indices, in the graph's or the signature's order */
    int32_t *outputs;
    size_t output_count;
    lc_shape *shapes;   /* of graph->inputs, as now prepared */
    lc_exec *exec;      /* lc_malloc'd; NULL: the model cannot run at the shapes it is saved with, see `unplanned` */
    lc_error unplanned; /* why */
    lc_arena arena;
};

/* The prepared graph of a session, borrowed until the next resize; NULL when inputs must be resized first. */
static inline const lc_exec *lc_session_exec(const lc_session *session) { return session->exec; }

#define LC_SESSION_MAX_THREADS 256
#define LC_SESSION_MAX_LOOPS 10000000u            /* lc_session_options.max_loops of 0 */
#define LC_SESSION_MAX_MEMORY ((uint64_t)8 << 30) /* lc_session_options.max_memory of 0 */

#endif
