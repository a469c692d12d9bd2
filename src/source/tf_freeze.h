/*
 * tf_freeze.h: a graph whose variables have become constants, as TensorFlow's freeze_graph makes it.
 */
#ifndef LC_SOURCE_TF_FREEZE_H
#define LC_SOURCE_TF_FREEZE_H

#include "source/tf_read.h"

typedef struct lc_tf_freeze_options {
    const char *output_nodes;      /* needed: the graph is cut down to what these need */
    const char *initializer_nodes; /* NULL: none; what they assign counts more than the checkpoint */
    const char *only, *but;        /* names of variables to freeze, and not to; NULL: all, none */
    bool keep_devices;
} lc_tf_freeze_options;

typedef struct lc_tf_frozen {
    lc_pb_GraphDef graph;
    uint32_t variables; /* that became constants */
} lc_tf_frozen;

/* r: read with lc_tf_read_file. What *frozen consists of lies in the reading's arenas, and in the files it borrows from. */
lc_status lc_tf_freeze(lc_tf_reading *r, const lc_tf_freeze_options *options, lc_tf_frozen *frozen);

/* ---- the parts (tf_freeze_body.c) ------------------------------------------------------------------------------------- */

struct lc_tf_freezer;

/* Does this handle become a constant, and with what value? *value NULL: it stays a variable. Asked once for each. */
typedef lc_status (*lc_tf_freeze_value)(void *user, const lc_pb_NodeDef *handle, lc_pb_TensorProto **value);

/* Rewrites nodes of the main graph and the functions they call. */
lc_status lc_tf_freezer_new(lc_tf_reading *r, lc_tf_freeze_value value, void *user, struct lc_tf_freezer **freezer);
/* Node `at` of the main graph, as it is in the frozen graph. */
lc_status lc_tf_freeze_node(struct lc_tf_freezer *f, uint32_t at, lc_pb_NodeDef *out);
/* What the rewritten nodes brought with them: constants, and functions. */
lc_status lc_tf_freezer_end(struct lc_tf_freezer *f, const lc_pb_NodeDef **extra, uint32_t *extra_count, lc_pb_FunctionDef **functions,
                            uint32_t *function_count);
/* True for an operation that changes a variable. */
bool lc_tf_assigns(const lc_pb_NodeDef *node);

#endif
