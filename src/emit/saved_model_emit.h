/*
 * saved_model_emit.h: a model as a SavedModel, as TensorFlow 2 writes it.
 */
#ifndef LC_SAVED_MODEL_EMIT_H
#define LC_SAVED_MODEL_EMIT_H

#include "emit/bundle_emit.h"
#include "ir/ir.h"

/*
 * Writes the folder: saved_model.pb, variables/, assets/. Each signature of the model becomes one of the SavedModel (a model without any gets
 * "serving_default") and a function of the loaded object, serving_default's by the name "serve", as Keras exports it. Variables stand behind
 * inputs of the main graph (v[i].tensor); in other graphs behind those inputs that their signature does not name, by name. Names of
 * inputs and outputs become identifiers. Whole or not at all; a SavedModel that is there is replaced, another folder is not.
 * Errors: as lc_emit_meta_graph.
 */
lc_status lc_emit_saved_model(lc_model *model, const char *folder, const lc_emit_variable *v, size_t n, lc_error *err);

#endif
