/*
 * keras_config.h: configurations on their way into files. Internal to src/emit.
 */
#ifndef LC_EMIT_KERAS_CONFIG_H
#define LC_EMIT_KERAS_CONFIG_H

#include "base/base.h"
#include "base/json.h"

/* The object with this member in place of its own of that name, or behind all others. NULL when memory is out. */
const lc_json *lc_config_with(lc_arena *arena, const lc_json *object, const char *key, const lc_json *value);
/* What .h5 files have as model_config and training_config: the words of Keras 2, which Keras 3 understands as well. */
lc_status lc_config_legacy_model(lc_arena *arena, const lc_json *config, const lc_json **out, lc_error *err);
lc_status lc_config_legacy_training(lc_arena *arena, const lc_json *compile_config, const lc_json **out, lc_error *err);

#endif
