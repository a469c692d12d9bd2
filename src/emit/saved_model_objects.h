/*
 * saved_model_objects.h: the graph of objects in a SavedModel: what tf.saved_model.load makes of it.
 */
#ifndef LC_SAVED_MODEL_OBJECTS_H
#define LC_SAVED_MODEL_OBJECTS_H

#include "emit/graph_emit.h"

/* An input or output of a signature. */
typedef struct lc_saved_value {
    lc_str name; /* an identifier */
    const lc_tensor *tensor;
    int32_t index;  /* of the tensor in its graph */
    uint32_t place; /* among those of its signature, as that lists them */
    bool output;
} lc_saved_value;

typedef struct lc_saved_signature {
    lc_str key, attribute;  /* attribute: of the loaded object; data NULL: the key is no identifier */
    lc_str body, wrapper;   /* functions: called with a list, and with names */
    lc_saved_value *inputs; /* as listed */
    uint32_t input_count;
    lc_saved_value *outputs; /* as listed */
    uint32_t output_count;
    lc_saved_value *sorted_inputs, *sorted_outputs; /* by name, which is the order of a dict in TensorFlow */
    uint32_t *variables;                            /* that it reads */
    uint32_t variable_count;
} lc_saved_signature;

/* Its shape. An output that states no dimensions may have any: models of TFLite often leave them out. NULL when memory is out. */
lc_pb_TensorShapeProto *lc_saved_shape(lc_arena *arena, const lc_saved_value *value);

/* objects: for the MetaGraph; tracked: the same objects, as the checkpoint has them. keys [v->n] are set: where in the checkpoint each
 * variable is. All in the arena. */
lc_status lc_saved_objects(const lc_gd_variables *v, const lc_saved_signature *signatures, size_t n, lc_arena *arena,
                           lc_pb_SavedObjectGraph *objects, lc_pb_TrackableObjectGraph *tracked, lc_error *err);

#endif
