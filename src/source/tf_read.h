/*
 * tf_read.h: a TensorFlow file to lc_tf_model (lower/tf.h), without lowering it.
 *
 *   saved_model.pb ─▶ SavedModel ─▶ MetaGraphDef ──┐   signatures, functions          tf_signature.c
 *   model.meta ─────────────────▶ MetaGraphDef ────┼─▶ inputs and outputs by name     tf_choose.c, tf_guess.c
 *   frozen.pb, graph.pbtxt ─────▶ GraphDef ────────┘   placeholders, shapes, fixes    tf_choose.c
 *   model.index, model.data-* ──▶ checkpoint ─────────▶ values of variables           tf_values.c, tf_restore.c
 */
#ifndef LC_SOURCE_TF_READ_H
#define LC_SOURCE_TF_READ_H

#include "ir/strings.h"
#include "lower/tf.h"
#include "source/checkpoint.h"
#include "source/source.h"
#include "source/tf_graph.h"

/* What a checkpoint says of its objects lies in it under this name. */
#define LC_TF_OBJECTS "_CHECKPOINTABLE_OBJECT_GRAPH"

/* Where the values of variables are: which name in the checkpoint belongs to which handle of the graph. */
typedef struct lc_tf_values {
    lc_ckpt *ckpt; /* opened when the first value is asked for */
    char *prefix;  /* of the checkpoint, in the arena; NULL: the file has none */
    bool indexed;
    lc_names handles; /* names of nodes that a restore assigns */
    lc_str *keys;     /* [handles.count] in the checkpoint */
    lc_str *specs;    /* [handles.count] which part: "10 20 0,5:0,20", or empty */
    int32_t *objects; /* [nodes of the graph] number in the object graph of what the node makes, -1; NULL: there is no object graph */
    const lc_pb_TrackableObjectGraph *tracked; /* what the checkpoint says of the objects; NULL: nothing */
    lc_names full_names;                       /* names variables had when they were made; full_keys NULL: not looked at yet */
    lc_str *full_keys;
    uint64_t numbers; /* in the variables that were read */
    lc_map *assets;
    size_t asset_count, asset_capacity;
    lc_error asset_error; /* of an asset that could not be read: tables it fills are then missed later, elsewhere */
} lc_tf_values;

typedef struct lc_tf_reading {
    const lc_source_input *input;
    const lc_source_options *options;
    lc_budget *budget;
    lc_arena *arena; /* of what is needed until the graph is lowered */
    lc_arena *data;  /* of what must live as long as the model */
    lc_error *err;
    const char *path;              /* for messages and to find what lies beside it */
    const lc_pb_SavedModel *saved; /* NULL: not one */
    lc_pb_MetaGraphDef *meta;      /* NULL: a graph alone */
    lc_pb_GraphDef *graph;         /* ours: placeholders may be changed into constants */
    lc_tf_graph_index index;
    lc_tf_values values;
    lc_tf_fix *fixes;
    size_t fix_count, fix_capacity;
    bool keras_looked;     /* for what follows */
    lc_str *keras_outputs; /* names of the outputs in the order Keras has them */
    uint32_t keras_output_count;
    lc_tf_model tf; /* the result */
} lc_tf_reading;

/* ---- the file (tf_source.c, saved_model.c) ------------------------------------------------------------------------ */

/* Reads the file's message: fills saved, meta, graph and index. Values are not looked at. */
lc_status lc_tf_read_file(lc_tf_reading *r);
/* The MetaGraph beside a checkpoint. meta->path and *prefix lie in the arena, the caller closes meta->map. */
lc_status lc_tf_meta_beside(const lc_source_input *checkpoint, lc_budget *budget, lc_arena *arena, lc_source_input *meta,
                            const char **prefix, lc_error *err);
/* Decides what to make, and fills r->tf. */
lc_status lc_tf_read_choice(lc_tf_reading *r);
/* Chooses the MetaGraph whose tags are those of `tags` (NULL: "serve", or the only one). */
lc_status lc_tf_saved_meta(lc_tf_reading *r, const char *tags, lc_pb_MetaGraphDef **meta);
/* "serve, gpu" of a MetaGraph; "(none)". */
void lc_tf_tags_text(const lc_pb_MetaGraphDef *meta, lc_text *out);
/* Tells the caller what was decided. */
void lc_tf_note(const lc_tf_reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- signatures (tf_signature.c) ------------------------------------------------------------------------------------ */

/* The signatures of the MetaGraph that are to be made; 0 of them when it has none. */
lc_status lc_tf_signatures(lc_tf_reading *r, const char *keys, lc_tf_signature **signatures, uint32_t *count);
/* Functions of the object graph, by name. */
lc_status lc_tf_functions(lc_tf_reading *r, const char *names, lc_tf_signature **signatures, uint32_t *count);
/* Of a SavedModel without signatures: its only function. 0 of them when the object graph has none, an error when it has several. */
lc_status lc_tf_only_function(lc_tf_reading *r, lc_tf_signature **signatures, uint32_t *count);
/* A signature's key that is no signature for users: "__saved_model_init_op". */
bool lc_tf_hidden_signature(lc_str key);
/* Signatures in the order they are made in: serving_default, then by name. Entries of meta->signature_def. */
lc_status lc_tf_visible_signatures(const lc_tf_reading *r, const lc_pb_MetaGraphDef_SignatureDefEntry ***list, uint32_t *count);
/* Names of a side of a signature in its order. */
lc_status lc_tf_port_order(lc_tf_reading *r, const lc_pb_SignatureDef *def, bool outputs, const lc_pb_TensorInfo ***infos, lc_str **names,
                           uint32_t *count);
/* Name of the tensor or operation, and of the node that initialises tables; absent: there is none. */
lc_str lc_tf_init_node(const lc_tf_reading *r);

/* Fills keras_outputs, when the file tells (tf_keras_order.c). */
lc_status lc_tf_keras_outputs(lc_tf_reading *r);

/* ---- choosing (tf_choose.c) ------------------------------------------------------------------------------------------- */

/* The items of a list with a separator, spaces around them dropped; empty ones left out. */
lc_status lc_tf_split_list(const char *text, char separator, lc_arena *arena, lc_str **items, uint32_t *count, lc_error *err);
/* Inputs and outputs from --input-arrays and --output-arrays, or guessed. */
lc_status lc_tf_arrays(lc_tf_reading *r, lc_tf_signature **signatures, uint32_t *count);
/* Placeholders that the outputs need and that are no inputs: fixed, or an error. */
lc_status lc_tf_settle(lc_tf_reading *r, const lc_tf_signature *signature);
/* --input-shape for the inputs of all signatures. */
lc_status lc_tf_set_shapes(lc_tf_reading *r, lc_tf_signature *signatures, uint32_t count);
/* --fix, checked against the graph. */
lc_status lc_tf_set_fixes(lc_tf_reading *r);
/* "did you mean" for a node's name; false when nothing is near. */
bool lc_tf_suggest(const lc_tf_graph_index *x, lc_str name, lc_error *err);

/* ---- guessing (tf_guess.c) ---------------------------------------------------------------------------------------------- */

/* Nodes that look like what the graph is for, in the graph's order. */
lc_status lc_tf_guess_outputs(const lc_tf_reading *r, int32_t **nodes, uint32_t *count);
/* Tensors the outputs need that come from outside, in the graph's order. */
lc_status lc_tf_guess_inputs(const lc_tf_reading *r, const int32_t *outputs, uint32_t output_count, lc_tf_edge **inputs, uint32_t *count);
/* The shape an input must have for what reads it: the columns of a matrix, the channels of a picture. Rank LC_RANK_UNKNOWN: nothing tells.
 */
lc_shape lc_tf_guess_shape(const lc_tf_reading *r, lc_tf_edge input);
/* A placeholder that is a switch of training: `value` is what inference wants. */
bool lc_tf_is_switch(const lc_tf_reading *r, int32_t node, double *value);

/* ---- values (tf_values.c, tf_restore.c) ----------------------------------------------------------------------------------- */

/* Finds where the checkpoint is; nothing is opened. */
lc_status lc_tf_values_init(lc_tf_reading *r);
/* As lc_tf_model.variable and .asset; user is the reading. */
lc_status lc_tf_variable(void *user, const lc_pb_NodeDef *handle, lc_tf_array *value, lc_error *err);
lc_status lc_tf_asset(void *user, lc_str name, lc_str *bytes, lc_error *err);
/* Opens the checkpoint now. LC_NOT_FOUND when there is none. */
lc_status lc_tf_values_open(lc_tf_reading *r, lc_error *err);
/* The model takes over what values were borrowed from. */
lc_status lc_tf_values_give(lc_tf_reading *r, lc_model *model);
void lc_tf_values_close(lc_tf_reading *r);
/* Which name in the checkpoint each handle is restored from, from the graph's own restoring part. */
lc_status lc_tf_restore_map(lc_tf_reading *r);
/* Which object of the object graph each node of the main graph makes, as far as calls show it. */
lc_status lc_tf_object_map(lc_tf_reading *r);

#endif
