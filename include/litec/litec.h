/*
 * litec/litec.h: the whole of litec: read any source model, convert, verify, inspect, save. Includes runtime.h, whose
 * opening comment states the rules that hold here too.
 *
 *     lc_model *model; lc_error err;
 *     if (lc_convert("model.h5", NULL, &model, &err)) ...
 *     if (lc_model_save(model, "model.tflite", NULL, &err)) ...
 *     lc_model_destroy(model);
 */
#ifndef LITEC_LITEC_H
#define LITEC_LITEC_H

#include "litec/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- layers of one's own ------------------------------------------------------------------------------------- */

/* One call of a layer whose class litec does not know, while a Keras model is converted. Everything is borrowed for that call. */
typedef struct lc_layer_array {
    const char *name; /* "kernel", "my_layer/beta:0": as in the file */
    lc_dtype type;
    int32_t rank;
    const int32_t *dims;
    const void *data; /* row-major; may lie at any address */
    size_t size;
} lc_layer_array;

typedef struct lc_layer {
    const char *name;             /* "my_layer_1" */
    const char *class_name;       /* "MyLayer" */
    const char *registered_name;  /* "package>MyLayer" as it was registered; NULL: it was not */
    const char *config;           /* what get_config() gave, as JSON */
    const lc_layer_array *weights; /* in the order of layer.weights */
    uint32_t weight_count;
    const int32_t *inputs; /* tensors, for the calls below */
    uint32_t input_count;
} lc_layer;

/* Writes operators in place of a layer, with the calls below. Returns LC_OK; LC_UNSUPPORTED: not a layer of mine, go on as without me; or
 * why it failed (lc_layer_fail). */
typedef struct lc_layer_builder lc_layer_builder;
typedef lc_status (*lc_layer_fn)(void *user, lc_layer_builder *b, const lc_layer *layer);

/* Tensors are numbers. After a failure every call gives -1 and does nothing: check nothing, return LC_OK, and
 * lc_convert fails with the first message, which bears the layer's name. */

/* A constant; data is copied. dims may be NULL for rank 0. Not for strings. */
LC_API int32_t lc_layer_constant(lc_layer_builder *b, const char *name, lc_dtype type, const int32_t *dims, int32_t rank, const void *data);
/* Weight i of the layer as a constant of its stored type and shape; a float16, bfloat16 or float64 one becomes float32. */
LC_API int32_t lc_layer_weight(lc_layer_builder *b, uint32_t i);
/* An operator of TFLite by the name it has in the schema ("FULLY_CONNECTED"), its options as JSON with the schema's names
 * ({"fused_activation_function": "RELU", "keep_num_dims": true}); what is left out has the schema's default; NULL: all. An input of -1 is
 * left out where the operator allows that. Types and shapes of the outputs follow; what could not run fails here. Returns output 0. */
LC_API int32_t lc_layer_op(lc_layer_builder *b, const char *op, const char *options, const int32_t *inputs, uint32_t input_count);
/* The same for an operator with several outputs. */
LC_API lc_status lc_layer_op_outputs(lc_layer_builder *b, const char *op, const char *options, const int32_t *inputs, uint32_t input_count,
                                     int32_t *outputs, uint32_t output_count);
/* A custom operator: its options are bytes, its output has the type and shape of tensor `like`. */
LC_API int32_t lc_layer_custom(lc_layer_builder *b, const char *code, const void *options, size_t size, const int32_t *inputs,
                               uint32_t input_count, int32_t like);
/* CAST; the tensor itself when it has the type. */
LC_API int32_t lc_layer_cast(lc_layer_builder *b, int32_t tensor, lc_dtype type);
/* Type and shape of a tensor, -1 for an open dimension (the batch). dims has room for LC_MAX_RANK. */
LC_API lc_status lc_layer_shape(lc_layer_builder *b, int32_t tensor, lc_dtype *type, int32_t *dims, int32_t *rank);
/* Output k of the layer is this tensor. Output 0 must be given. */
LC_API void lc_layer_output(lc_layer_builder *b, uint32_t k, int32_t tensor);
/* Fails: 'layer "name" (class): <message>'. Returns the status, for the callback to return. */
LC_API lc_status lc_layer_fail(lc_layer_builder *b, lc_status status, const char *message);

/* ---- convert ----------------------------------------------------------------------------------------------- */

typedef struct lc_convert_stats {
    uint32_t layers;     /* layers (or nodes) read from the source */
    uint32_t operators;  /* operators of the result, all graphs */
    uint64_t parameters; /* numbers in the source's weights */
    const char *format;  /* "keras-h5", "keras-zip", "saved-model", "meta-graph", "graph-def", "checkpoint", "tflite" */
} lc_convert_stats;

typedef struct lc_convert_options {
    lc_limits limits;
    bool allow_custom_ops;   /* an unknown layer or operator becomes a CUSTOM operator instead of an error */
    bool no_optimize;        /* skip the rewrites of src/pass (for debugging a conversion); a .tflite source has none */
    bool unroll;             /* of Keras: recurrent layers over a known number of steps become these steps, without a loop */
    lc_convert_stats *stats; /* filled on success; NULL: not wanted */
    lc_layer_fn layer;       /* of Keras: writes layers whose class litec does not know; NULL: nobody. Asked before allow_custom_ops. */
    void *layer_user;

    /* Of Keras: a file of weights for an architecture in .json, or in place of those a whole model has: what model.save_weights wrote (.h5,
     * .weights.h5, or .weights.json with its shards beside it) or a whole model. NULL: those in the model itself. */
    const char *weights;

    /* Of inputs, by name: "NAME=1,224,224,3;NAME=..."; -1 leaves a dimension open; without "NAME=" when there is one input. NULL: as the
     * source declares them. */
    const char *input_shapes;

    /* What follows is for TensorFlow's files (a SavedModel, MetaGraph, graph or checkpoint); LC_ARGUMENT when it is set for another. Lists
     * are separated by commas. */

    bool select_tf_ops;               /* an operator that has no builtin form, but a kernel of TensorFlow: a Flex operator */
    const char *const *custom_opdefs; /* OpDefs in text form, NULL at the end: operators that are CUSTOM on purpose; NULL: none */
    const char *tags;                 /* of the graph in a SavedModel; NULL: "serve", or whatever the only graph has */
    const char *signatures;           /* keys; NULL: all, serving_default first */
    const char *functions;            /* concrete functions of a SavedModel instead: "f", "encoder.call", "__inference_f_12" */
    const char *input_arrays;  /* tensors instead, "name" or "name:1": what lies before the inputs is left out. NULL for either, in a */
    const char *output_arrays; /* graph without signatures: guessed, and told to `note` */
    const char *fix;           /* placeholders that become constants: "keep_prob=1;is_training=false" */
    const char *checkpoint;    /* prefix of the checkpoint with the values of variables; NULL: where TensorFlow puts it */

    /* Hears what was decided without being asked for, one sentence at a time: chosen inputs, fixed placeholders. NULL: nobody. */
    void (*note)(void *user, const char *text);
    void *note_user;
} lc_convert_options;

/* Options as keyword arguments, in C: lc_convert("m.h5", LC_CONVERT(.allow_custom_ops = true), &model, &err). */
#ifndef __cplusplus
#define LC_CONVERT(...) (&(const lc_convert_options){__VA_ARGS__})
#endif

/* Reads a model of any known format (found by content, never by name) and lowers it to TFLite operators.
 * Formats: Keras .h5 and .keras, TensorFlow SavedModels (the directory), MetaGraphs (.meta), graphs (.pb, .pbtxt) and checkpoints with a
 * .meta beside them (the prefix), .tflite. Never changes the source. Caller owns *model, which can be run
 * (lc_session_create) or saved as it is. The source file stays mapped until lc_model_destroy. Errors: LC_NOT_FOUND, LC_IO,
 * LC_INVALID (with rule and offset where a format rule is broken), LC_UNSUPPORTED (a layer or format that is not known), LC_LIMIT,
 * LC_NO_MEMORY. */
LC_API lc_status lc_convert(const char *path, const lc_convert_options *options, lc_model **model, lc_error *err);

/* ---- freeze ------------------------------------------------------------------------------------------------- */

typedef struct lc_freeze_stats {
    uint32_t nodes;     /* of the frozen graph */
    uint32_t variables; /* that became constants */
    uint64_t bytes;     /* written */
} lc_freeze_stats;

typedef struct lc_freeze_options {
    lc_limits limits;
    const char *output_nodes;                   /* names of nodes, commas between them; needed: the graph is cut down to what these need */
    const char *checkpoint;                     /* prefix; NULL: where TensorFlow puts it beside a MetaGraph or in a SavedModel */
    const char *tags;                           /* of the graph in a SavedModel; NULL: "serve", or whatever the only graph has */
    const char *initializer_nodes;              /* whose assignments of constants count more than the checkpoint; NULL: none */
    const char *only_variables;                 /* that become constants; NULL: all */
    const char *but_variables;                  /* that stay variables; NULL: none */
    bool keep_devices;                          /* do not clear the nodes' devices */
    lc_freeze_stats *stats;                     /* filled on success; NULL: not wanted */
    void (*note)(void *user, const char *text); /* as in lc_convert_options */
    void *note_user;
} lc_freeze_options;

/* Writes a TensorFlow graph with its variables as constants: the frozen GraphDef that TensorFlow's freeze_graph makes. path: a graph (.pb,
 * .pbtxt), a MetaGraph, a SavedModel, a checkpoint's prefix. Whole or not at all. Errors: as lc_convert and lc_model_save; LC_UNSUPPORTED
 * when the outputs need something that changes a variable; LC_LIMIT over the 2 GB that a protocol buffer can have. */
LC_API lc_status lc_freeze(const char *path, const char *output, const lc_freeze_options *options, lc_error *err);

/* ---- save --------------------------------------------------------------------------------------------------- */

/* Writes the model as .tflite: the whole file or none (temporary file, fsync, rename). Refuses to write over the
 * file the model borrows its constants from. *size (may be NULL) receives the bytes written. Errors: LC_IO (disk full,
 * permissions), LC_NOT_FOUND (no such directory), LC_ARGUMENT, LC_UNSUPPORTED (the file has a field that litec would lose), LC_LIMIT,
 * LC_NO_MEMORY. */
LC_API lc_status lc_model_save(const lc_model *model, const char *path, uint64_t *size, lc_error *err);
/* Writes the model as .tflite into memory: the bytes lc_model_save would write. Caller frees *data with lc_free. */
LC_API lc_status lc_model_to_memory(const lc_model *model, void **data, size_t *size, lc_error *err);

/* ---- look inside ------------------------------------------------------------------------------------------- */

typedef enum lc_report_format { LC_REPORT_TEXT = 0, LC_REPORT_JSON = 1 } lc_report_format;

/* What a report holds; 0 means all but the memory picture. */
#define LC_REPORT_SUMMARY 1u /* inputs, outputs, signatures, totals */
#define LC_REPORT_OPS 2u     /* operators with shapes, types, options, MACs */
#define LC_REPORT_TENSORS 4u /* every tensor */
#define LC_REPORT_MEMORY 8u  /* the arena plan, step by step */

/* Describes a model as text or JSON, NUL-terminated. A model that litec cannot run is described all the same. Caller frees *text
 * with lc_free. Errors: LC_ARGUMENT, LC_NO_MEMORY. */
LC_API lc_status lc_model_inspect(const lc_model *model, lc_report_format format, uint32_t parts, char **text, lc_error *err);

/* Says before any conversion what will convert and what will not, all of it and not only the first thing, and what the result costs:
 * operators, multiply-accumulates, arena, bytes of the file, the oldest TensorFlow runtime that has the operators, and which of them have an
 * integer form (int8) or stay float. options as for lc_convert; NULL: the defaults. *converts (may be NULL): the file converts as it is.
 * Caller frees *text with lc_free. Errors: those of lc_convert, but LC_UNSUPPORTED only where nothing more can be said than that. */
LC_API lc_status lc_lint(const char *path, lc_report_format format, const lc_convert_options *options, bool *converts, char **text,
                         lc_error *err);

/* Describes a TensorFlow file as it stands, without converting it: signatures, likely inputs and outputs, variables, functions, operators.
 * Of the options limits, tags and checkpoint count; NULL: the defaults. *text becomes NULL, which is no error, for a file of another kind:
 * convert or open that, and inspect the model. Caller frees *text with lc_free. Errors: those of lc_convert. */
LC_API lc_status lc_source_inspect(const char *path, lc_report_format format, const lc_convert_options *options, char **text,
                                   lc_error *err);

/* The operators these models need, as a C header for a build of the device runtime that has no others (docs/embedding.md). Caller frees
 * *text with lc_free. */
LC_API lc_status lc_models_ops(const lc_model *const *models, size_t count, char **text, lc_error *err);

/* Checks a file of any known format completely, without converting it. On success *summary (may be NULL) receives one
 * line such as "valid TFLite v3: 1 graph, 7 operators, 17 tensors, 91,760 bytes"; caller frees it with lc_free. Errors: those of
 * lc_convert. */
LC_API lc_status lc_verify_file(const char *path, const lc_limits *limits, char **summary, lc_error *err);

/* ---- arrays: data files ------------------------------------------------------------------------------------ */

/* A dense row-major array in memory. */
typedef struct lc_array {
    lc_dtype type;
    int32_t rank;
    int32_t dims[LC_MAX_RANK];
    void *data;  /* owned by the array; NULL when size is 0. STRING: as in a tensor; lc_tensor_string reads it through a view */
    size_t size; /* bytes */
} lc_array;

/* Reads .npy, .png, .jpg or IDX (IDX and .npy also as .gz), found by content. Images give uint8 [height, width, 1 or 3]: palettes and
 * 16 bits become 8, what is transparent is laid over white, and a JPEG is taken as it is stored (an EXIF orientation does not turn
 * it; Pillow and TensorFlow do the same). limits NULL: the defaults. Errors: LC_NOT_FOUND, LC_IO, LC_INVALID, LC_UNSUPPORTED (CMYK,
 * NumPy objects), LC_LIMIT, LC_NO_MEMORY. Caller frees *array with lc_array_deinit. */
LC_API lc_status lc_array_load(const char *path, const lc_limits *limits, lc_array *array, lc_error *err);
/* Writes .npy (format 1.0, little-endian, row-major), the whole file or none; strings as bytes ('S'), which NumPy pads to the longest
 * with zeros. LC_UNSUPPORTED: a type NumPy does not have; LC_LIMIT: 2 GiB of padded strings. */
LC_API lc_status lc_array_save_npy(const lc_array *array, const char *path, lc_error *err);
/* Frees the data and makes the array empty. A zeroed array is fine. */
LC_API void lc_array_deinit(lc_array *array);
/* What becomes of a pixel from 0 to 255: (pixel * scale - mean) / std. All zero: 0 to 1. */
typedef struct lc_preprocess {
    float scale;   /* 0 means 1 / 255 */
    float mean[3]; /* of red, green, blue; of a grey picture the first */
    float std[3];  /* 0 means 1 */
    bool bgr;      /* blue comes first, red last */
} lc_preprocess;
/* What preprocess_input of a module of keras.applications does: "mobilenet_v2", "resnet50" ... LC_NOT_FOUND with the list for another. */
LC_API lc_status lc_preprocess_named(const char *name, lc_preprocess *preprocess, lc_error *err);
/* Scales a uint8 image [h, w, c] (bilinear, half-pixel centres, antialiased when shrinking) to float32 [1, height, width, channels] and
 * its pixels as `how` says (NULL: to 0 ... 1). channels 1 from RGB: 0.299 R + 0.587 G + 0.114 B; 3 from grey: repeated. `out` is made new;
 * caller frees it with lc_array_deinit. Errors: LC_ARGUMENT (not such an image), LC_UNSUPPORTED (sizes below 1, other channels than 1
 * and 3), LC_NO_MEMORY. */
LC_API lc_status lc_image_to_input(const lc_array *image, int32_t height, int32_t width, int32_t channels, const lc_preprocess *how,
                                   lc_array *out, lc_error *err);

#ifdef __cplusplus
}
#endif
#endif
