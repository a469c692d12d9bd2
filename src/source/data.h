/*
 * data.h: what the files of lc_data share.
 *
 *   data.c           the calls: which file is for which input, batches, labels
 *   data_fit.c       how a sample lies in an input: shapes, pictures
 *   data_put.c       elements of a batch to those of an input, whatever the types
 *   data_array.c     .npy, IDX, the arrays of a .npz      ┐
 *   data_csv.c       tables of text                        ├ each gives a series
 *   data_picture.c   pictures, folders of pictures         │
 *   data_record.c    TFRecord of tf.train.Example          │
 *   data_cifar.c     binary files of CIFAR                 ┘
 *   data_shards.c    a set in several files
 *   data_label.c     labels and the names of classes
 */
#ifndef LC_SOURCE_DATA_H
#define LC_SOURCE_DATA_H

#include "source/array_npy.h"
#include "source/stream.h"

/* ---- labels ---------------------------------------------------------------------------------------------------- */

/* Classes of all samples, made from texts or numbers in the order of the samples; then finished. Zeroed: none. */
typedef struct lc_labels {
    int64_t *of; /* [count]: first which text, then the class; owned */
    uint64_t count, capacity;
    bool named;         /* classes have names: some label is no number */
    lc_arena arena;     /* of the texts */
    const char **names; /* [name_count]; when finished, the names of the classes in sorted order */
    size_t name_count, name_capacity;
    const char *const *order; /* [order_count]: the names of all classes in their order; borrowed; NULL: sorted */
    size_t order_count;
    const char *order_path; /* where they were read, for messages */
    uint32_t *table;        /* [table_size]: a hash table of names, index + 1; owned */
    size_t table_size;
} lc_labels;

lc_status lc_labels_add(lc_labels *labels, lc_str text, lc_budget *budget, lc_error *err);
/* Samples that are damaged have labels that nobody will ask for: as soon as one is known, there are some for all `count`. */
lc_status lc_labels_fill(lc_labels *labels, uint64_t count, lc_budget *budget, lc_error *err);
/* The name of a class, whether a sample has it or not. */
lc_status lc_labels_add_class(lc_labels *labels, lc_str name, lc_budget *budget, lc_error *err);
/* Texts that are numbers become these; else they are names of classes, counted in sorted order. LC_INVALID for a number that is not whole. */
lc_status lc_labels_finish(lc_labels *labels, lc_error *err);
/* Labels from elements: integers, or rows of which the largest element says the class; text. Finished. */
lc_status lc_labels_from_array(lc_labels *labels, const lc_array *array, lc_budget *budget, lc_error *err);
/* A file of labels: .npy, IDX, or text with one a line. Finished. */
lc_status lc_labels_load(lc_labels *labels, const char *path, const lc_limits *limits, lc_error *err);
/* The names in a file of text, one a line, in its order. They lie in the arena. */
lc_status lc_classes_load(const char *path, const lc_limits *limits, lc_arena *arena, const char *const **names, size_t *count,
                          lc_error *err);
/* The name of a class of finished labels; NULL: it has none. */
const char *lc_labels_name(const lc_labels *labels, int64_t label);
void lc_labels_deinit(lc_labels *labels);

/* Whether a text is a number, in the spelling of C whatever the locale. NaN and infinity are numbers. */
bool lc_number_read(lc_str text, double *number);

/* ---- series ---------------------------------------------------------------------------------------------------- */

/* How pictures become an input: scaled to a size. */
typedef struct lc_picture_plan {
    int32_t height, width, channels; /* -1: as the picture has it */
    lc_preprocess pixels;
} lc_picture_plan;

/* The samples for one input, read in order. */
typedef struct lc_series {
    const struct lc_series_kind *kind;
    void *state;      /* of the kind; owned */
    const char *path; /* for messages; borrowed */
    lc_limits limits;
    lc_dtype type;                   /* of a batch */
    int32_t rank, dims[LC_MAX_RANK]; /* of the whole array until it is split, then of a sample; of a folder: of its first picture */
    bool split;                      /* it is known what a sample is */
    uint64_t count;                  /* samples, when it is split */
    bool pixels;                     /* pictures: uint8 [height, width, channels], or [height, width] */
    bool any_order;                  /* when it is split: samples need not be read in order: kind->at */
    lc_picture_plan plan;            /* when pixels */
} lc_series;

typedef struct lc_series_kind {
    /* The next n samples, which exist, as an array [n, dims]. */
    lc_status (*read)(lc_series *s, uint32_t n, lc_array *batch, lc_error *err);
    lc_status (*rewind)(lc_series *s, lc_error *err);
    void (*close)(lc_series *s);
    /* Sample `index`, without a dimension that counts samples. Changes nothing: several threads may read at once. Only when any_order. */
    lc_status (*at)(const lc_series *s, uint64_t index, lc_array *sample, lc_error *err);
    /* The file that sample `index` lies in; NULL: s->path. */
    const char *(*file)(const lc_series *s, uint64_t index);
} lc_series_kind;

/* What an opener is asked for. */
typedef struct lc_series_wish {
    lc_tensor_view input;
    bool only;                 /* the model has no other input */
    bool named;                /* the file was given for this input by name, not for all of them */
    bool target;               /* it is what is to be learned, for messages: a label, no input */
    bool exact;                /* only what a table has under the name will do: "price" of a CSV is the column price */
    const char *const *others; /* [other_count] names that belong to other inputs of the same table; NULL: none */
    size_t other_count;
    bool skips;        /* samples that are damaged will be left out: they count, but do not keep the file from being opened */
    lc_labels *labels; /* to be filled when the file has labels and none are there; NULL: not wanted */
    lc_budget *budget;
} lc_series_wish;

/* Each opens what is at s->path; s has path and limits. On failure nothing is left behind. */
lc_status lc_series_open_array(lc_series *s, const lc_series_wish *wish, lc_error *err);
lc_status lc_series_open_npz(lc_series *s, const lc_series_wish *wish, lc_error *err);
lc_status lc_series_open_csv(lc_series *s, const lc_series_wish *wish, lc_error *err);
lc_status lc_series_open_pictures(lc_series *s, const lc_series_wish *wish, lc_error *err);
lc_status lc_series_open_records(lc_series *s, const lc_series_wish *wish, lc_error *err);
lc_status lc_series_open_cifar(lc_series *s, const lc_series_wish *wish, lc_error *err);
/* Finds the kind of what is there and opens it. */
lc_status lc_series_open(lc_series *s, const lc_series_wish *wish, lc_error *err);
/* True when plain files of this kind hold several inputs: .npz, CSV, TFRecord. */
bool lc_series_is_table(const char *path, const lc_limits *limits);
void lc_series_close(lc_series *s); /* a zeroed one is fine */
/* Puts the path before the message of a failure, once. Returns status. */
lc_status lc_series_named(lc_status status, const char *path, lc_error *err);

/* The samples of an array that was just opened are those of its first dimension; `one`: all of it is one sample. */
lc_status lc_series_split(lc_series *s, bool one, lc_error *err);

/* ---- files -------------------------------------------------------------------------------------------------------- */

/* Files that are one set, in their order. */
typedef struct lc_shards {
    const char **paths; /* [count] */
    size_t count;
} lc_shards;

/* A file is itself; a pattern ('*', '?' in the last part) what it matches; a folder the TFRecord files in it, perhaps none. */
lc_status lc_shards_find(const char *path, lc_arena *arena, lc_budget *budget, lc_shards *shards, lc_error *err);
/* True when nothing has this path, and its last part has '*' or '?'. */
bool lc_is_pattern(const char *path);
/* Names in a folder, sorted, but those that begin with a dot. */
lc_status lc_folder_names(const char *folder, lc_arena *arena, lc_budget *budget, const char ***names, size_t *count, lc_error *err);

/* Whether bytes begin as a TFRecord file; whether a file is one of CIFAR, by its name and size. */
bool lc_record_probe(lc_cursor bytes);
bool lc_cifar_probe(const char *path, uint64_t size);
/* The bytes of a TFRecord file, which may be packed by gzip or zlib. */
lc_status lc_record_stream(lc_stream *stream, lc_cursor bytes, lc_error *err);

/* ---- fitting ---------------------------------------------------------------------------------------------------- */

typedef struct lc_data_input {
    lc_tensor_view want; /* of the model; its name lies in the data's arena */
    lc_series series;
    lc_array batch; /* the last one read */
    bool given;
    bool whole; /* a sample fills the input, which has no dimension for samples */
    bool steps; /* elements are steps of the model's quantised input, not real numbers */
    float raw;  /* of pictures: what makes a pixel of a real number again; else 0 */
} lc_data_input;

/* Decides how the samples of in->series lie in the input, splits an array into samples. `pixels`: not NULL when the caller said how pixels
 * are to be scaled. */
lc_status lc_data_fit(lc_data_input *in, const lc_preprocess *pixels, lc_error *err);
/* The dimensions that the input `v` takes for in->batch with `rows` samples in it. LC_INVALID when it takes no such samples. */
lc_status lc_data_dims(const lc_data_input *in, const lc_tensor_view *v, int32_t rows, int32_t dims[LC_MAX_RANK], int32_t *rank,
                       lc_error *err);
/* Pictures [n, h, w, ...] of bytes become floats as the plan says. */
lc_status lc_data_scale_pictures(const lc_series *s, lc_array *batch, lc_error *err);
/* One picture [h, w, 1 or 3] as the plan says: float32 [h, w, c]. */
lc_status lc_data_scale_picture(const lc_picture_plan *plan, const lc_array *image, lc_array *out, lc_error *err);
/* A picture that was scaled becomes row i of n in the batch, which the first one makes; all have one size. */
lc_status lc_data_put_picture(lc_array *batch, uint32_t i, uint32_t n, const lc_array *picture, lc_budget *budget, lc_error *err);

/* Writes in->batch into input `index` of a session, which has its shape and perhaps more samples: these repeat the last. `first`: number
 * of the first sample, for messages. */
lc_status lc_data_put(const lc_data_input *in, lc_session *session, size_t index, uint64_t first, lc_error *err);

/* Types whose elements are numbers, and element i as a real number. */
bool lc_data_is_number(lc_dtype type);
double lc_data_real(const lc_array *array, size_t i);

/* "float32[?,28,28]" */
typedef struct lc_shape_text {
    char text[160];
} lc_shape_text;
lc_shape_text lc_data_shape(lc_dtype type, const int32_t *dims, int32_t rank);
lc_shape_text lc_data_wish(const lc_tensor_view *v);

#endif
