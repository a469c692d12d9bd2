/*
 * litec/train.h: models that are built, trained, evaluated and saved in C, with the names of Keras. Includes litec.h, whose rules hold here.
 *
 *     lc_net *net = lc_sequential("digits");
 *     lc_add(net, LC_INPUT({28, 28}));
 *     lc_add(net, LC_FLATTEN());
 *     lc_add(net, LC_DENSE(128, .activation = "relu"));
 *     lc_add(net, LC_DENSE(10, .activation = "softmax"));
 *     if (lc_compile(net, &(lc_compile_options){.optimizer = {"adam"}, .loss = {"sparse_categorical_crossentropy"}}, &err)) ...
 *     if (lc_fit(net, data, &(lc_fit_options){.epochs = 5}, &history, &err)) ...
 *     if (lc_net_save(net, "digits.keras", NULL, &err)) ...
 */
#ifndef LITEC_TRAIN_H
#define LITEC_TRAIN_H

#include "litec/callbacks.h"
#include "litec/layers.h"
#include "litec/learning.h"
#include "litec/litec.h"
#include "litec/module.h"
#include "litec/net.h"
#include "litec/pipeline.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a model, described ------------------------------------------------------------------------------------------------- */

/* What a call of a layer gave, before there are numbers: output `tensor` of the call-th call of a layer (Keras's history). */
typedef struct lc_symbol {
    const void *of; /* the model it belongs to; NULL: none, after an error */
    int32_t layer, call, tensor;
} lc_symbol;

/* Begins a model. Nothing of what follows can fail by itself: the first error is kept, and told by whatever builds the model (lc_net_build,
 * lc_compile, lc_fit ...). NULL: memory is out, which those tell, too. Caller owns it (lc_net_destroy). name NULL: as Keras names it. */
LC_API lc_net *lc_sequential(const char *name);
LC_API lc_net *lc_functional(const char *name);
/* Sequential: the next layer; LC_INPUT(...) first. */
LC_API void lc_add(lc_net *net, lc_object layer);
/* The same with a model as a layer: a copy of it as it is now, with its weights once it is built or opened (Keras 3 only). */
LC_API void lc_add_model(lc_net *net, const lc_net *model);
/* Functional: an input, LC_INPUT(...); a layer called with one tensor, or with several. */
LC_API lc_symbol lc_input(lc_net *net, lc_object layer);
LC_API lc_symbol lc_call(lc_net *net, lc_object layer, lc_symbol input);
LC_API lc_symbol lc_call_many(lc_net *net, lc_object layer, const lc_symbol *inputs, size_t count);
/* Functional: a layer that is called more than once, and shares its weights: its number, then calls of it. */
LC_API int32_t lc_layer_make(lc_net *net, lc_object layer);
LC_API int32_t lc_layer_make_model(lc_net *net, const lc_net *model);
LC_API lc_symbol lc_apply(lc_net *net, int32_t layer, const lc_symbol *inputs, size_t count);
/* Functional: what the model gives. */
LC_API void lc_outputs(lc_net *net, const lc_symbol *outputs, size_t count);

/* A network of keras.applications, untrained, with the names Keras gives its layers: "ResNet50", "ResNet50V2", 101, 152; "MobileNet",
 * "MobileNetV2", "VGG16", "VGG19", "EfficientNetB0" to "EfficientNetB7". Zero is the default of Keras. */
typedef struct lc_application_options {
    int32_t input_shape[3];            /* height, width, channels; -1: open, without a top. {0}: that of the network, or open */
    int32_t classes;                   /* 0: 1000 */
    bool no_top;                       /* without the classifier, to put another in its place */
    const char *pooling;               /* without a top: "avg", "max", NULL: none */
    const char *classifier_activation; /* NULL: "softmax"; "linear": logits */
    const char *name;                  /* NULL: as Keras calls it */
    double alpha;                      /* MobileNet, MobileNetV2: width; 0: 1 */
    int32_t depth_multiplier;          /* MobileNet; 0: 1 */
    double dropout;                    /* MobileNet; 0: 0.001, -0.0: none */
} lc_application_options;
/* Caller owns *net. options may be NULL. LC_ARGUMENT: no such network (with the nearest name), or an option that it cannot have. */
LC_API lc_status lc_application(const char *name, const lc_application_options *options, lc_net **net, lc_error *err);

/* A model in a short text, a layer a line: "dense 128 relu" (docs/training.md). Caller owns *net. LC_INVALID: what is wrong, with its line;
 * LC_LIMIT. */
LC_API lc_status lc_net_from_text(const char *text, size_t size, const lc_limits *limits, lc_net **net, lc_error *err);

/* The table that model.summary() prints: layers, shapes, parameters. Caller frees *text with lc_free. Errors: those of lc_net_build. */
LC_API lc_status lc_net_summary(lc_net *net, char **text, lc_error *err);

#ifdef __cplusplus
}
#endif
#endif
