/*
 * meta_graph_emit.h: a checkpoint with a MetaGraph beside it, as TensorFlow 1's Saver writes both: import_meta_graph, freeze_graph and
 * `litec freeze` read it.
 */
#ifndef LC_META_GRAPH_EMIT_H
#define LC_META_GRAPH_EMIT_H

#include "emit/bundle_emit.h"
#include "ir/ir.h"
#include "proto/proto.h"

/* PREFIX.meta, PREFIX.index, PREFIX.data-*, and the file `checkpoint`. The nodes of the graph are named as the tensors of the model and as
 * the variables are. Whole or not at all. Errors: as lc_emit_checkpoint; LC_UNSUPPORTED for an operator without a form in TensorFlow. */
lc_status lc_emit_meta_graph(lc_model *model, const char *prefix, const lc_emit_variable *v, size_t n, lc_error *err);

/* Inside emit: a message as a file that is still to be committed. */
lc_status lc_emit_message(const char *path, lc_pb_id id, const void *message, lc_file **file, lc_error *err);

#endif
