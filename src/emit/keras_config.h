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

/* keras2_config.c: the same of a model of Keras 2; zip: for a .keras file. */
typedef struct lc_keras2_optimizer {
    const char *class_name; /* "Adam" */
    double learning_rate;   /* as it is now; a schedule in the configuration stays */
} lc_keras2_optimizer;
lc_status lc_config_keras2_model(lc_arena *arena, const lc_json *config, bool zip, const lc_json **out, lc_error *err);
/* LC_UNSUPPORTED: an argument that optimizers of Keras 2 do not have. */
lc_status lc_config_keras2_training(lc_arena *arena, const lc_json *compiled, const lc_keras2_optimizer *optimizer, bool zip,
                                    const lc_json **out, lc_error *err);

#endif
