/*
 * api.h: what the public calls of this folder share.
 */
#ifndef LC_API_API_H
#define LC_API_API_H

#include "litec/litec.h"
#include "source/source.h"

/* Most texts of lc_convert_options.custom_opdefs. */
#define LC_MOST_OPDEFS 256

/* The caller's options as a source takes them; opdefs has room for LC_MOST_OPDEFS. LC_ARGUMENT for one the source cannot follow: nobody
 * should think it had been. */
lc_status lc_convert_source_options(const lc_convert_options *o, const lc_source *source, lc_str *opdefs, lc_source_options *how,
                                    lc_error *err);

/* The way of lc_convert: what cannot be lowered goes to `problems` (NULL: the first ends it). Messages bear the path. */
struct lc_problems;
lc_status lc_convert_with(const char *path, const lc_convert_options *options, struct lc_problems *problems, lc_model **model,
                          lc_convert_stats *stats, lc_error *err);

/* A model to train on. weights: those of a TensorFlow graph stay as the source has them (lower/tf_weights.c); *stated: they did. */
lc_status lc_convert_to_train(const char *path, const lc_convert_options *options, bool weights, lc_model **model, bool *stated,
                              lc_error *err);

/* What becomes of a model that was just lowered: optimised, and where it says its steps itself (FAKE_QUANT) integer. */
lc_status lc_convert_rewrite(lc_model *model, lc_error *err);

/* Elements [first, first + n) of dense data as they are stored, without a scale; false for types that are no real numbers. (real.c) */
bool lc_reals_load(lc_dtype type, const void *data, uint64_t first, size_t n, double *out);

/* lc_eval_models, but of data without labels: only how often models agree means something. (eval.c) */
lc_status lc_eval_agreement(lc_model *const *models, size_t count, lc_data *data, const lc_eval_options *options, lc_eval *result,
                            lc_error *err);

struct lc_call;
/* What the caller's function writes operators with. */
struct lc_layer_builder {
    struct lc_call *c;
    int32_t out;
};
/* lc_lower_options.layer: asks the caller's lc_layer_fn; user: the lc_convert_options. (layer.c) */
bool lc_layer_ask(void *user, struct lc_call *c, int32_t *out);

#endif
