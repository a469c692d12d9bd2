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
    const char *name;              /* "my_layer_1" */
    const char *class_name;        /* "MyLayer" */
    const char *registered_name;   /* "package>MyLayer" as it was registered; NULL: it was not */
    const char *config;            /* what get_config() gave, as JSON */
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
/* Elements [first, first + n) of a tensor as real numbers: quantised values are scaled, 16-bit floats widened. False for types that have none
 * (strings, complex numbers); what lies outside the tensor must not be asked for. */
LC_API bool lc_tensor_reals(const lc_tensor_view *tensor, uint64_t first, size_t n, double *out);
/* The other way: writes real numbers to the nearest steps of a quantised tensor, the nearest integers of another, the ends for what lies beyond
 * them. False for types that hold none. */
LC_API bool lc_tensor_put_reals(const lc_tensor_view *tensor, uint64_t first, size_t n, const float *in);
/* Frees the data and makes the array empty. A zeroed array is fine. */
LC_API void lc_array_deinit(lc_array *array);
/* What becomes of a pixel from 0 to 255: (pixel * scale - mean) / std. All zero: 0 to 1. */
typedef struct lc_preprocess {
    float scale;   /* 0 means 1 / 255 */
    float mean[3]; /* of red, green, blue; of a grey picture the first */
    float std[3];  /* 0 means 1 */
    bool bgr;      /* blue comes first, red last */
} lc_preprocess;
/* What preprocess_input of a module of keras.applications does: "mobilenet_v2", "resnet50" ...; "rescaling": to 0 ... 1. LC_NOT_FOUND with
 * the list for another. */
LC_API lc_status lc_preprocess_named(const char *name, lc_preprocess *preprocess, lc_error *err);
/* Scales a uint8 image [h, w, c] (bilinear, half-pixel centres, antialiased when shrinking) to float32 [1, height, width, channels] and
 * its pixels as `how` says (NULL: to 0 ... 1). channels 1 from RGB: 0.299 R + 0.587 G + 0.114 B; 3 from grey: repeated. `out` is made new;
 * caller frees it with lc_array_deinit. Errors: LC_ARGUMENT (not such an image), LC_UNSUPPORTED (sizes below 1, other channels than 1
 * and 3), LC_NO_MEMORY. */
LC_API lc_status lc_image_to_input(const lc_array *image, int32_t height, int32_t width, int32_t channels, const lc_preprocess *how,
                                   lc_array *out, lc_error *err);

/* ---- data sets: what goes into a model, batch by batch ------------------------------------------------------ */

/* Samples for the inputs of a model, and their labels where there are any. Read from files a batch at a time, however large they are, or
 * made by a function of the caller. */
typedef struct lc_data lc_data;

typedef struct lc_data_options {
    lc_limits limits;
    const char *signature;       /* whose inputs the names are; NULL: the model's first graph */
    const lc_preprocess *pixels; /* of pictures; NULL: to 0 ... 1 */
    const char *labels;  /* the file of the labels (.npy, IDX, text with one a line); NULL: those that come with the samples: the folder
                                 * of a picture, the array "y" or "labels" of a .npz, the column "label" of a CSV */
    const char *classes; /* text file with the names of the classes, one a line, in the order of the model's outputs; NULL: labels that are
                                 * names are counted in sorted order */
    uint32_t batch;      /* samples a batch; 0: as many as the model's first dimension says, 1 where it is open */
    uint64_t most;       /* samples at all; 0: no limit */
} lc_data_options;

/* Opens files for the inputs of `model`: files[i] is "PATH" or "NAME=PATH", NULL at the end; plain paths go to the inputs in order. A PATH is
 *   .npy or IDX, also .gz     samples one after the other. IDX files of bytes [samples, height, width] are pictures, and with `pixels` all
 *                             bytes are; other integers are taken as they stand
 *   .npz                      an array for each input, by its name; for the only input also "x" or "x_test", or the only array there is
 *   .csv, also .gz            a row a sample; the first may name the columns. The only input takes all columns but that of the labels; of
 *                             several, "x" takes the column x or x[0], x[1] ...
 *   .png, .jpg, or a folder   pictures in the order of their names, scaled to the input; folders in the folder are classes
 *   TFRecord                  records of tf.train.Example, plain or packed by gzip or zlib: the feature with the input's name; for the only
 *                             input also "image", "image_raw", "image/encoded", "x" or "features". Label: "label", "y", "class" or
 *                             "image/class/label". Several files by a pattern ("train-*") or their folder
 *   .bin of CIFAR-10, -100    pictures with their labels; several by a pattern
 *   mnist:test                a set of lc_dataset_at by its name, and "train" or "test"; its labels and classes come with it
 * Shapes may differ in dimensions of 1, and a flat sample fits any shape of as many elements. All inputs must have equally many samples. The
 * model is only asked for its inputs. Caller owns *data (lc_data_close).
 * Errors: those of lc_array_load; LC_ARGUMENT: no such input, an input without a file; LC_INVALID: shapes that do not fit, an empty set. */
LC_API lc_status lc_data_open(const lc_model *model, const char *const *files, const lc_data_options *options, lc_data **data,
                              lc_error *err);
/* Samples from the caller: `fill` writes sample number `index` (a whole batch of the session's) into the inputs of the session, which it may
 * resize, or sets *end when there are no more. It is called in order, from one thread; after lc_data_rewind from 0 again. Caller owns *data
 * (lc_data_close); `user` must live as long. Errors: LC_ARGUMENT, LC_NO_MEMORY. */
typedef lc_status (*lc_data_fn)(void *user, uint64_t index, lc_session *session, bool *end, lc_error *err);
LC_API lc_status lc_data_from(lc_data_fn fill, void *user, lc_data **data, lc_error *err);
LC_API void lc_data_close(lc_data *data); /* NULL is fine */

/* How many samples there are; UINT64_MAX: not known, from a function. */
LC_API uint64_t lc_data_count(const lc_data *data);
/* Reads the next batch and writes it into the session's inputs, which are resized to it. *samples: how many; 0: there are no more; from a
 * function 1. Real numbers become steps where the input is quantised; elements of its own type are its steps. A last batch that is smaller, in
 * a model made for one size, is filled up with its last sample. LC_INVALID: NaN or infinity in a sample, a number that the input cannot hold,
 * a damaged picture: the message names it. After an error go on with lc_data_rewind. */
LC_API lc_status lc_data_next(lc_data *data, lc_session *session, uint32_t *samples, lc_error *err);
/* Writes the same batch into another session, of another form of the model (int8 beside float): inputs are matched by name, else by order. */
LC_API lc_status lc_data_again(lc_data *data, lc_session *session, lc_error *err);
/* True when every sample has a label. */
LC_API bool lc_data_has_labels(const lc_data *data);
/* Class of each sample of the last batch, counted from 0; NULL: the data has no labels. Valid until the next batch. */
LC_API const int64_t *lc_data_labels(const lc_data *data);
/* Name of a class, from `classes`, the folders or the texts of labels; NULL: it has none. */
LC_API const char *lc_data_class(const lc_data *data, int64_t label);
/* lc_data_options.signature as it was given; NULL: the model's first graph. */
LC_API const char *lc_data_signature(const lc_data *data);
/* Name of an input of floats that takes bytes (uint8) of a file as they stand, 0 ... 255, because nothing says how to scale them; NULL: none. */
LC_API const char *lc_data_unscaled(const lc_data *data);
/* Begins again with the first batch. */
LC_API lc_status lc_data_rewind(lc_data *data, lc_error *err);

/* ---- data sets by name ----------------------------------------------------------------------------------------- */

typedef struct lc_dataset_file {
    const char *name;
    uint64_t bytes;
    const char *sha256;         /* NULL: of what is in an archive */
    const char *content_sha256; /* of what the .gz holds: a file that was packed again is taken too; NULL: not known */
} lc_dataset_file;

typedef struct lc_dataset_split {
    const char *name; /* "train", "test" */
    uint64_t samples;
    const char *data, *labels; /* files or patterns; labels NULL: they lie in the data */
} lc_dataset_split;

typedef struct lc_dataset {
    const char *name, *title, *licence, *page;
    int32_t height, width, channels; /* of a sample */
    const char *const *classes;      /* [class_count] */
    size_t class_count;
    const char *const *addresses; /* [address_count]: folders with the files, in the order they are tried */
    size_t address_count;
    const lc_dataset_file *files; /* [file_count] */
    size_t file_count;
    const lc_dataset_file *members; /* [member_count]: what is unpacked from the archive that is the only file; NULL: no archive */
    size_t member_count;
    const lc_dataset_split *splits; /* [split_count] */
    size_t split_count;
} lc_dataset;

/* The sets that litec knows; NULL behind the last. */
LC_API const lc_dataset *lc_dataset_at(size_t index);
/* By name, whose letters may be capital and hyphens missing; NULL: none. */
LC_API const lc_dataset *lc_dataset_find(const char *name);

typedef struct lc_dataset_options {
    const char
        *dir; /* the folder that the set's own folder goes into; NULL: $LITEC_DATA, else $XDG_CACHE_HOME/litec, else ~/.cache/litec */
    const char *from; /* folder, or address of one (http, https, file), in place of the set's own; NULL: these */
    void (*progress)(void *user, const char *file, uint64_t done, uint64_t all); /* bytes; NULL: nobody */
    void *progress_user;
} lc_dataset_options;

/* Brings the files of a set into their folder, those that are not there; *folder (freed by the caller with lc_free) says where. A file appears under
 * its name when it is whole and its checksum right. A download that ends early leaves a .part file, with which the next call goes on.
 * Downloads use libcurl (libcurl.so.4), which is loaded when it is needed; folders do not need it.
 * Errors: LC_IO: not reached, refused, ended early, disk full; LC_INVALID: a wrong checksum; LC_NOT_FOUND; LC_UNSUPPORTED: no libcurl. */
LC_API lc_status lc_dataset_fetch(const lc_dataset *set, const lc_dataset_options *options, char **folder, lc_error *err);
/* Whether all of its files are in their folder; *folder as above, NULL when nobody asks. */
LC_API bool lc_dataset_is_here(const lc_dataset *set, const char *dir, char **folder);

/* ---- evaluate: how good models are on labelled data ----------------------------------------------------------- */

/* A share and the interval in which it lies with 95 % confidence (Wilson). */
typedef struct lc_share {
    double value, low, high;
} lc_share;

typedef struct lc_eval_class {
    const char *name;                   /* NULL: it has none */
    uint64_t samples, predicted, right; /* samples of the class; samples that the model takes for it; both */
} lc_eval_class;

typedef struct lc_eval_model {
    const char *output;      /* name of the output that was judged */
    bool probabilities;      /* all outputs were distributions; else they are taken for logits */
    uint64_t right;          /* samples whose class has the largest output */
    uint64_t right_of_5;     /* samples whose class is among the five largest outputs */
    uint64_t broken;         /* samples whose outputs hold NaN; never right, and not in the loss */
    lc_share top1, top5;     /* top5 with more than five classes, else zeros */
    double loss, loss_error; /* mean cross entropy, and its standard error */
    /* Beside the first model; zeros for itself. */
    uint64_t agree;                      /* samples for which both predict one class */
    uint64_t only_this, only_first;      /* samples that only this one, or only the first, has right */
    double difference, difference_error; /* of top-1: this less the first; half of its 95 % interval (samples are paired) */
    const lc_eval_class *of_class;       /* [classes] */
    const uint64_t *confusion;           /* [classes][classes]: of samples of a class, how many were taken for each; NULL: not asked for */
} lc_eval_model;

typedef struct lc_eval {
    uint64_t samples;
    uint32_t classes;
    size_t model_count;
    const lc_eval_model *models;
    void *memory; /* of all of it */
} lc_eval;

typedef struct lc_eval_options {
    const char *output;  /* name of the output with the classes; NULL: the first */
    int32_t threads;     /* batches that run at the same time; 0: 1. The result does not depend on it */
    uint64_t max_memory; /* of a session; 0: 8 GiB */
    bool confusion;
    void (*progress)(void *user, uint64_t done, uint64_t all); /* NULL: nobody */
    void *progress_user;
} lc_eval_options;

/* Runs models side by side on the same batches of labelled samples, from the first to the last; data was opened with the first model. A model
 * gives a number for each class, or one for two classes: the second is taken from 0.5 of a probability, or 0 of a logit. The result is the
 * caller's, who frees it with lc_eval_deinit. Errors: LC_ARGUMENT: the data has no labels; LC_INVALID: a label that is none of the model's classes,
 * outputs that are no classes, models with different numbers of classes; those of lc_data_next and lc_session_run. */
LC_API lc_status lc_eval_models(lc_model *const *models, size_t count, lc_data *data, const lc_eval_options *options, lc_eval *result,
                                lc_error *err);
LC_API void lc_eval_deinit(lc_eval *result); /* a zeroed one is fine */

/* ---- quantise: smaller and integer -------------------------------------------------------------------------- */

/* What becomes of an operator. */
typedef enum lc_scheme {
    LC_SCHEME_FLOAT = 0, /* nothing */
    LC_SCHEME_DYNAMIC,   /* int8 weights, one scale a channel; activations stay float32 and are made integers while it runs */
    LC_SCHEME_FLOAT16,   /* float16 weights */
    LC_SCHEME_INT8,      /* integer arithmetic: int8 activations and weights; needs data, but for a model trained for it */
    LC_SCHEME_INT16X8,   /* integer arithmetic: int16 activations, int8 weights; needs data */
    LC_SCHEME_INT4,      /* int4 weights where the runtime has such kernels, else as DYNAMIC */
} lc_scheme;

/* How the range of a tensor follows from its values over the samples. */
typedef enum lc_calibration {
    LC_CALIBRATE_MINMAX = 0, /* the extremes */
    LC_CALIBRATE_AVERAGE,    /* moving average of each batch's extremes */
    LC_CALIBRATE_PERCENTILE, /* all but the outermost values */
    LC_CALIBRATE_ENTROPY,    /* least Kullback-Leibler divergence of the histogram */
    LC_CALIBRATE_MSE,        /* least mean square error of the values */
} lc_calibration;

/* What a quantisation did; owned by the caller (lc_quantize_report_destroy). */
typedef struct lc_quantize_report lc_quantize_report;

typedef struct lc_quantize_options {
    lc_scheme scheme;     /* of all operators that `recipe` does not name */
    const char *recipe;   /* "PATTERN=SCHEME;...", the last that fits counts; NULL: none. PATTERN, with * and ?, is the name of a layer
                                   * or tensor, or op:NAME; SCHEME float, dynamic, float16, int8, int16x8, int4 */
    lc_data *const *data; /* samples, of each signature that is to become integer; needed for int8 and int16x8 */
    size_t data_count;
    lc_dtype input_type, output_type; /* of the model's inputs and outputs: LC_FLOAT32 (0), LC_INT8, LC_UINT8, LC_INT16 */
    bool only_integer;                /* an operator that would stay float is an error (LC_UNSUPPORTED, all of them named) */
    bool per_tensor;                  /* one scale for all channels, for runtimes of before 2019 and some accelerators */
    bool weights_only;                /* of dynamic and int4: weights are made floats again before use; kernels stay float */
    uint32_t block;                   /* of int4: elements that share a scale, 32, 64, 128 or 256; 0: a channel */
    uint32_t min_weights;             /* of dynamic, float16 and int4: constants of fewer elements stay; 0: 1024 (float16: 64) */
    uint32_t target_runtime;          /* a TensorFlow release, 20800 is 2.8: only what its runtime has; 0: the newest */
    const float *input_mean,
        *input_std;            /* [input_stat_count], inputs of the first graph in order: real = (q - mean) / std, q in 0 ... 255 */
    uint32_t input_stat_count; /* NULL, 0: as the samples say */
    float default_low,
        default_high; /* the range of tensors that no sample reached ("dummy quantisation", to try the speed); both 0: none */
    lc_calibration calibration;
    double percentile; /* of LC_CALIBRATE_PERCENTILE; 0: 99.99 */
    bool equalize;     /* scale channels of neighbouring layers alike before (Nagel et al. 2019) */
    bool correct_bias; /* take the mean error that the weights' rounding makes off the bias (same) */
    int32_t threads;   /* samples run at the same time; 0: one a processor */
    void (*progress)(void *user, uint64_t done, uint64_t all); /* all UINT64_MAX: not known */
    void *progress_user;
    lc_quantize_report **report; /* filled on success; NULL: not wanted */
} lc_quantize_options;

/* Makes a quantised form of a float model; the model stays as it is and alive as long as the other. Never does nothing in silence:
 * LC_ARGUMENT when no operator changes, when data is missing; LC_UNSUPPORTED: only_integer, and an operator stays float; LC_INVALID when a
 * sample holds NaN or a layer gives infinity; LC_NOT_FOUND: no such scheme; those of lc_data_next and lc_session_run. Caller owns
 * *quantized. */
LC_API lc_status lc_model_quantize(lc_model *model, const lc_quantize_options *options, lc_model **quantized, lc_error *err);

/* "quantised 64 of 66 operators; these stayed float because ...", sizes, error of each output over the samples: text or JSON,
 * NUL-terminated, borrowed from the report. */
LC_API const char *lc_quantize_report_text(const lc_quantize_report *report);
LC_API const char *lc_quantize_report_json(const lc_quantize_report *report);
LC_API void lc_quantize_report_destroy(lc_quantize_report *report); /* NULL is fine */
/* Whether the runtime of a TensorFlow release (20800: 2.8) has all operators of a model, in the versions that it uses. LC_UNSUPPORTED: no, and
 * the message names them. */
LC_API lc_status lc_model_check_runtime(const lc_model *model, uint32_t release, lc_error *err);
/* Makes it so, where that can be: the lowest versions, and operators that the release lacks (GELU ...) as others that it has; what
 * lc_model_quantize makes is chosen by target_runtime already. No session of the model may be open. LC_UNSUPPORTED: what is still lacking. */
LC_API lc_status lc_model_fit_runtime(lc_model *model, uint32_t release, lc_error *err);
/* Reads the choices of a JSON file, {"default": "int8", "layers": {"conv_1*": "float"}}, as the text that lc_quantize_options.recipe takes.
 * Caller frees *recipe with lc_free. Errors: LC_NOT_FOUND, LC_IO, LC_INVALID, LC_LIMIT, LC_NO_MEMORY. */
LC_API lc_status lc_recipe_load(const char *path, const lc_limits *limits, char **recipe, lc_error *err);
/* LC_NOT_FOUND with the list for a name that is none. */
LC_API lc_status lc_scheme_named(const char *name, lc_scheme *scheme, lc_error *err);
LC_API const char *lc_scheme_name(lc_scheme scheme); /* "int8" */
/* Writes choices as such a file: "*=SCHEME" at the beginning of the text is its default. Whole or not at all. Errors: LC_ARGUMENT (a part that
 * is no PATTERN=SCHEME), LC_IO, LC_NOT_FOUND, LC_NO_MEMORY. */
LC_API lc_status lc_recipe_save(const char *recipe, const char *path, lc_error *err);

/* ---- quantise to a budget: the smallest form that loses no more than this ------------------------------------- */

/* What a form of a model is judged by. */
typedef enum lc_score {
    LC_SCORE_TOP1 = 0,  /* share of labelled samples whose class has the largest output */
    LC_SCORE_AGREEMENT, /* share of samples for which it has the same class in front as the float model */
    LC_SCORE_SNR,       /* signal to noise beside the float model's outputs, dB; the worst output counts */
} lc_score;

typedef struct lc_tradeoff_options {
    lc_data *const *eval; /* samples to judge by, of each signature that counts: all with labels by LC_SCORE_TOP1, all without by
                           * LC_SCORE_AGREEMENT; the signature that loses most counts. Their number must be known */
    size_t eval_count;
    double max_drop;         /* how far the score may fall: percentage points under the float model's; with `decibels` dB under the score of
                         * float16 weights in all layers (the float model's own is infinite) */
    bool decibels;           /* judge by LC_SCORE_SNR */
    const char *output;      /* name of the output with the classes; NULL: the first */
    uint32_t search_samples; /* that the search looks at, spread over all; the last word has all of them. 0: 512 */
    void (*progress)(void *user, const char *stage, uint64_t done, uint64_t all); /* all 0: not known; NULL: nobody */
    void *progress_user;
} lc_tradeoff_options;

/* A recipe that was tried. */
typedef struct lc_tradeoff_row {
    uint32_t layers;                   /* that have another scheme than was asked for */
    uint32_t integer, weights, others; /* operators: with integer arithmetic, with smaller weights alone, as they were */
    uint64_t bytes, samples;           /* of the file; that it was judged by */
    double score, drop;                /* score as a share, or dB; drop in points, or dB: negative is a gain */
    bool within;                       /* the budget */
} lc_tradeoff_row;

typedef struct lc_tradeoff_layer {
    const char *name;
    lc_scheme scheme; /* chosen */
    uint64_t weights; /* elements of its constants */
    double snr; /* of the model with nothing but this layer quantised, dB; INFINITY: no error; -INFINITY: not finite; NAN: not measured */
} lc_tradeoff_layer;

typedef struct lc_tradeoff {
    lc_score score;
    lc_scheme scheme;           /* that was asked for */
    double reference, max_drop; /* the score that drops are counted from, on all samples */
    uint64_t samples, search_samples, sensitivity_samples;
    const lc_tradeoff_row *rows;     /* the float model, then by size */
    size_t row_count, chosen;        /* chosen: the row of the result */
    const lc_tradeoff_layer *layers; /* in the order of the model */
    size_t layer_count;
    const char *recipe; /* of the result, for lc_quantize_options.recipe and lc_recipe_save */
    void *memory;       /* of all of it */
} lc_tradeoff;

/* As lc_model_quantize, but where that loses more than the budget allows, layers become something milder than what was asked for: float16
 * weights, int8 weights alone, int16 activations, in the order of error per byte, as few as are needed. Layers that options->recipe names
 * keep what it says. Calibrates once. The result depends on nothing but the data. tradeoff (may be NULL) is the caller's, who frees it with
 * lc_tradeoff_deinit. LC_ARGUMENT: a budget that is none; LC_INVALID: outputs that are no classes; LC_UNSUPPORTED: no form of
 * the model is within the budget; those of lc_model_quantize and lc_eval_models. Caller owns *quantized. */
LC_API lc_status lc_model_quantize_budget(lc_model *model, const lc_quantize_options *options, const lc_tradeoff_options *budget,
                                          lc_model **quantized, lc_tradeoff *tradeoff, lc_error *err);
/* The table of what was tried and of the layers, as text or JSON. Caller frees *text with lc_free. */
LC_API lc_status lc_tradeoff_report(const lc_tradeoff *tradeoff, lc_report_format format, char **text, lc_error *err);
LC_API void lc_tradeoff_deinit(lc_tradeoff *tradeoff); /* a zeroed one is fine */

/* ---- compare: two forms of a model on the same data ---------------------------------------------------------- */

/* How B's values differ from A's, both as real numbers; an error is B's value minus A's. Sums over all samples. */
typedef struct lc_difference {
    uint64_t count;                   /* values compared */
    uint64_t bad_a, bad_b, bad_apart; /* NaN or infinite in A, in B: not in `count`; of these, not the same in both (also of strings) */
    double snr;                       /* dB; INFINITY: no error */
    double cosine;                    /* 1: the same direction */
    double mean_error, mean_abs_error, max_abs_error; /* mean_error: what bias correction would take away */
    double mean_squared_error, stddev;                /* stddev: of the error */
    double low_a, high_a, low_b, high_b;              /* smallest and largest value */
} lc_difference;

#define LC_COMPARE_BINS 256

/* A tensor of B beside the one of A that holds the same thing. */
typedef struct lc_compared {
    const char *name_a, *name_b; /* of the tensors */
    const char *op_a, *op_b;     /* what made it; "" for an input */
    const char *layer;           /* name for --layer: A's source layer, else what fits name_a (official names end in a '*') */
    const char *input_op;        /* of a constant: the operator that reads it */
    lc_dtype type_a, type_b;
    uint32_t graph_b, step; /* where it comes in the order of B's operators */
    int32_t tensor_a, tensor_b;
    uint32_t runs;       /* how often it was seen; 0: never (a branch that was not taken) */
    float scale;         /* B's steps; 0: it has none, or one for each channel */
    int64_t zero_point;  /* of B */
    lc_difference total; /* both models on their own: errors of all that comes before included */
    bool has_local;      /* of an operator: */
    lc_difference local; /* ... B's operator on A's inputs: its own error */
    bool keeps_steps;    /* B's operator gives its result the steps of its input (a pooling, a reshape): the error alone is the input's */
    double snr_in;       /* of its inputs, the worst; INFINITY: no error, or no inputs */
    double rmse_steps;   /* root of the mean squared error in steps; rounding alone is 0.29. 0 without steps */
    double used;         /* share of B's steps between its smallest and largest value; 0 without steps */
    double at_low, at_high;   /* share of values on B's first and last step */
    double cut_low, cut_high; /* share of A's values more than a step beyond the first and the last */
    int32_t channel;          /* of weights with a scale for each channel: the worst; -1: no channels */
    double channel_snr;       /* its SNR */
    bool constant;            /* weights and biases */
    /* Of tensors that run: how often values fell in LC_COMPARE_BINS bins of equal width from `bin_first` on; B's steps where it has some */
    const uint64_t *bins_a, *bins_b;
    double bin_first, bin_width;
    /* The means over runs of what TensorFlow's quantisation debugger writes for one run. */
    double run_elements, run_stddev, run_mean_error, run_max_abs_error, run_mean_squared_error;
} lc_compared;

/* An output of both. */
typedef struct lc_compared_output {
    const char *name;
    lc_dtype type_a, type_b;
    lc_difference total;
    uint64_t rows, same_top; /* rows of the last dimension; in how many both have their largest value at the same place. 0: no such rows */
} lc_compared_output;

typedef struct lc_comparison {
    const char *name_a, *name_b; /* lc_compare_options; "" */
    uint64_t samples;
    bool random; /* made-up data */
    const lc_compared_output *outputs;
    size_t output_count;
    const lc_compared *tensors; /* in the order of B's operators, then constants */
    size_t tensor_count;
    const char *const *only_a, *const *only_b; /* names of what found no partner */
    size_t only_a_count, only_b_count;
    /* How far the outputs are apart: the largest error of one, beside the largest value of that output in A or 1, whichever is more.
     * INFINITY when one has NaN, infinite values or strings that the other has not. */
    double apart;
    double tolerance; /* as asked for; NAN: none was */
    bool agree;       /* apart is within the tolerance; without one: true */
} lc_comparison;

typedef struct lc_compare_options {
    const char *name_a, *name_b;                                 /* for reports; NULL: "" */
    const char *signature;                                       /* of both; NULL: the first graph */
    int32_t threads;                                             /* 0: 1 */
    uint64_t max_memory;                                         /* of each session, and of what is kept of A's run; 0: 8 GiB */
    uint64_t samples;                                            /* at most; 0: all of the data, 8 of made-up data */
    uint64_t seed;                                               /* of made-up data */
    bool no_local;                                               /* do not run B's operators on A's inputs */
    const double *tolerance;                                     /* that `apart` must not exceed; NULL: none */
    void (*progress)(void *user, uint64_t done, uint64_t count); /* after each batch; count 0: not known. NULL: nobody */
    void *progress_user;
} lc_compare_options;

/* Runs both on the same samples and compares every tensor that they have in common: by name, by what made it and from what, by order. A is
 * what B should be: the float model, or the source. data NULL: made-up numbers, in the range of an input's steps where it is quantised, else
 * from -1 to 1 (integers: 0 and 1). Caller owns *result (lc_comparison_destroy). Errors: LC_INVALID when inputs or outputs do not fit, or
 * there are no samples; those of lc_session_create, lc_session_run and lc_data_next. */
LC_API lc_status lc_compare(lc_model *a, lc_model *b, lc_data *data, const lc_compare_options *options, lc_comparison **result,
                            lc_error *err);
LC_API void lc_comparison_destroy(lc_comparison *comparison); /* NULL is fine */

typedef enum lc_compare_format { LC_COMPARE_TEXT = 0, LC_COMPARE_JSON = 1, LC_COMPARE_CSV = 2, LC_COMPARE_HTML = 3 } lc_compare_format;
/* The comparison as text for people (worst first; most: rows at most, 0: all), for programs, or as a page that needs nothing else. Caller frees
 * *text with lc_free. Errors: LC_ARGUMENT, LC_NO_MEMORY. */
LC_API lc_status lc_comparison_report(const lc_comparison *comparison, lc_compare_format format, uint32_t most, char **text, lc_error *err);
/* The same into a file, whole or not at all. */
LC_API lc_status lc_comparison_save(const lc_comparison *comparison, lc_compare_format format, const char *path, lc_error *err);

/* ---- prune and cluster: smaller where a file is compressed, as app stores do --------------------------------------- */

typedef struct lc_prune_stats {
    uint64_t weights;   /* in the constants that changed */
    uint64_t zeros;     /* of these, now */
    uint32_t constants; /* that changed */
    uint32_t sparse;    /* of the constants stored sparsely */
    double error;       /* root mean square of the changes over that of the weights */
} lc_prune_stats;

typedef struct lc_prune_options {
    const char *sparsity;  /* "0.8" or "80%": so much of each layer's weights becomes zero, the smallest; "2:4": of 4 neighbours along the
                            * inputs 2 stay, the largest; NULL: none. Filters of depthwise convolutions and tables only where `layers` says */
    bool global;           /* the smallest of all layers together, not of each */
    const char *layers;    /* "PATTERN=SPARSITY;...", the last that fits counts, 0: none; patterns as in lc_quantize_options.recipe */
    uint32_t clusters;     /* values a constant may have, 2 to 256, by k-means; what is zero stays zero. 0: any */
    bool sparse;           /* store float32 constants sparsely where that makes the file smaller: the last thing done to a model */
    uint32_t min_weights;  /* constants of fewer elements stay; 0: 1024 */
    lc_prune_stats *stats; /* filled on success; NULL: not wanted */
} lc_prune_options;

/* Makes a form of a float model whose weights are pruned, then clustered. The model stays as it is and alive as long as the other. Quantise
 * afterwards: zeros stay zeros. LC_ARGUMENT: nothing to do, no such layer, no float weights. Caller owns *pruned. */
LC_API lc_status lc_model_prune(lc_model *model, const lc_prune_options *options, lc_model **pruned, lc_error *err);
/* Bytes of the model's .tflite file, and of that in gzip (level 6, its usual one): what a download of it takes. */
LC_API lc_status lc_model_gzip_size(const lc_model *model, uint64_t *plain, uint64_t *compressed, lc_error *err);

#ifdef __cplusplus
}
#endif
#endif
