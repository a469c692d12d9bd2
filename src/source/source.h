/*
 * source.h: what litec can read. sources.def lists the formats; each is a probe by content and a loader.
 */
#ifndef LC_SOURCE_H
#define LC_SOURCE_H

#include "base/json.h"
#include "ir/ir.h"
#include "lower/options.h"
#include "source/rules.h"

/* What to make of a TensorFlow file. NULL: not said, and found out as well as the file lets us. Lists are separated by commas. */
typedef struct lc_tf_choice {
    const char *tags;          /* of the MetaGraph in a SavedModel: "serve" */
    const char *signatures;    /* keys */
    const char *functions;     /* concrete functions of a SavedModel's object graph, by name */
    const char *input_arrays;  /* tensors that become the inputs; what is before them is left out */
    const char *output_arrays; /* tensors that become the outputs */
    const char *input_shapes;  /* "NAME=1,224,224,3;NAME=..." */
    const char *fix;           /* placeholders that become constants: "NAME=VALUE;..." */
    const char *checkpoint;    /* where the values of a graph's variables are */
} lc_tf_choice;

typedef struct lc_source_options {
    lc_limits limits;
    lc_lower_options lower;
    lc_tf_choice tf;
    const char *weights;                        /* of Keras: path of the file that has the weights; NULL: the model's own */
    void (*note)(void *user, const char *text); /* hears what was decided without being asked for; NULL: nobody */
    void *note_user;
} lc_source_options;

typedef struct lc_source_stats {
    uint32_t layers;
    uint64_t parameters;
} lc_source_stats;

/* What a path names: the file that says what the model is. Its other files (variables, assets, a checkpoint) lie beside it. */
typedef struct lc_source_input {
    lc_map map;
    char *path; /* of that file, lc_malloc'ed; NULL: bytes that are no file, so nothing lies beside them */
} lc_source_input;

typedef struct lc_source {
    const char *name; /* "keras-h5" */
    const char *what; /* "Keras HDF5 model (.h5)" for messages */
    bool tensorflow;  /* takes the options of lc_tf_choice */
    /* Looks at the content only. */
    bool (*probe)(const lc_map *map);
    /* Reads and lowers. On success *model owns input->map (which is zeroed); on failure the caller still owns it. */
    lc_status (*load)(lc_source_input *input, const lc_source_options *options, lc_source_stats *stats, lc_model **model, lc_error *err);
    /* Checks the whole file without lowering; *summary: a line in lc_malloc'ed memory, caller frees. */
    lc_status (*verify)(const lc_source_input *input, const lc_limits *limits, char **summary, lc_error *err);
    /* Describes the file itself, as text or as the members of a JSON object. NULL: it is best described as the model it becomes. */
    lc_status (*report)(const lc_source_input *input, const lc_source_options *options, bool json, lc_text *out, lc_error *err);
} lc_source;

/* Maps what a path names and recognises its format. A path is a file, a SavedModel's directory, a checkpoint's prefix or a directory with
 * one; links and names mean nothing, content does. The caller closes *input. The message of a failure names the file. */
lc_status lc_source_open(const char *path, const lc_limits *limits, lc_source_input *input, const lc_source **source, lc_error *err);
void lc_source_close(lc_source_input *input);
/* The format of a mapped file, NULL when none fits (err says what the content looks like, with a hint). */
const lc_source *lc_source_find(const lc_map *map, lc_error *err);
/* All formats, NULL at the end. */
extern const lc_source *const lc_sources[];

/* Parses JSON text into a tree in `arena`; depth, size and NUL bytes are checked. */
lc_status lc_json_parse(const char *text, size_t size, lc_budget *budget, lc_arena *arena, const lc_json **root, lc_error *err);

#endif
