/*
 * litec/pipeline.h: samples for training, as tf.data has them: from arrays, files or a function, through transformations, shuffled, in batches
 * that a thread makes ahead.
 *
 *     lc_pipeline *train;
 *     const lc_transform to_one[] = {LC_MAP_SCALE(1 / 255.0), LC_MAP_FLIP(.horizontal = true), {0}};
 *     if (lc_pipeline_from_files(&(lc_pipeline_files){.x = (const char *[]){"flowers", NULL}, .height = 180, .width = 180},
 *                                &(lc_pipeline_options){.batch = 32, .shuffle = true, .seed = 7, .map = to_one, .prefetch = 2}, &train, &err)) ...
 *     while (!lc_pipeline_next(train, &batch, &err) && batch.rows) ...                         one epoch; the next call begins another
 *
 * A sample has inputs (x) and targets (y), each with a name, and perhaps a weight. What becomes of them, in this order:
 *
 *     source -> part of the validation split -> skip, take -> shard -> cache -> shuffle -> map -> batch -> prefetch
 *
 * The order of the samples and every random number depend on the seed, the epoch and the number of the sample alone: equal runs give equal
 * bits, whatever the number of threads and batches made ahead. Memory holds the buffer of the shuffling, where the source has to be read in
 * order, `prefetch` batches and the one the caller has.
 */
#ifndef LITEC_PIPELINE_H
#define LITEC_PIPELINE_H

#include "litec/litec.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- transformations ---------------------------------------------------------------------------------------------- */

/* One sample on its way. Parts are counted from 0: its inputs, then its targets. */
typedef struct lc_sample lc_sample;
LC_API uint32_t lc_sample_parts(const lc_sample *sample);
/* Where it stands in its source, from 0. */
LC_API uint64_t lc_sample_index(const lc_sample *sample);
/* A part as it is now; borrowed until it is set or the call ends. */
LC_API lc_array lc_sample_get(const lc_sample *sample, uint32_t part);
/* Gives a part another value: memory for it, undefined as yet. What the part was can be read until it is set once more. NULL: no memory, or
 * no such part. */
LC_API void *lc_sample_set(lc_sample *sample, uint32_t part, lc_dtype type, const int32_t *dims, int32_t rank);
/* The next random number in [0, 1) of this sample in this epoch. */
LC_API double lc_sample_random(lc_sample *sample);

/* A transformation of the caller. It is called from several threads at once, each with a sample of its own (with .threads = 1 from one). */
typedef lc_status (*lc_transform_fn)(void *user, lc_sample *sample, lc_error *err);

/* X(name, Keras's layer or TensorFlow's function, what it does). Pictures are [height, width, channels] or [height, width]. */
#define LC_TRANSFORM_LIST(X) \
    X(SCALE, "Rescaling", "x * scale + offset, as float32") \
    X(NORMALIZE, "Normalization", "(x - mean) / std, as float32; one number each, or one a channel (last dimension)") \
    X(CAST, "tf.cast", "to another type; real numbers are cut towards zero, and kept in the range of the type") \
    X(RESHAPE, "Reshape", "the same numbers in another shape") \
    X(ONE_HOT, "tf.one_hot", "a class becomes float32 [classes]") \
    X(RESIZE, "Resizing", "a picture scaled to a size (bilinear, half-pixel centres), as float32") \
    X(CENTER_CROP, "CenterCrop", "the middle of a picture") \
    X(CROP, "RandomCrop", "a random part of a picture") \
    X(FLIP, "RandomFlip", "mirrored or not, half of the time") \
    X(ROTATE, "RandomRotation", "turned by up to `degrees` to either side (bilinear), as float32") \
    X(TRANSLATE, "RandomTranslation", "moved by up to a fraction of the height and of the width (bilinear), as float32") \
    X(ZOOM, "RandomZoom", "larger or smaller by up to a fraction (bilinear), as float32") \
    X(BRIGHTNESS, "RandomBrightness", "brighter or darker by up to `amount` of `range`, and kept in 0 ... range; as float32") \
    X(CONTRAST, "RandomContrast", "contrast changed by up to a fraction around the mean of each channel, as float32") \
    X(CALL, "tf.data map", "a function of the caller")
typedef enum lc_transform_op {
    LC_TRANSFORM_END, /* ends a list */
#define LC_TRANSFORM_ENUM(name, keras, text) LC_TRANSFORM_##name,
    LC_TRANSFORM_LIST(LC_TRANSFORM_ENUM)
#undef LC_TRANSFORM_ENUM
} lc_transform_op;

/* What is beyond the edge of a picture. */
typedef enum lc_fill { LC_FILL_REFLECT, LC_FILL_NEAREST, LC_FILL_WRAP, LC_FILL_CONSTANT } lc_fill;

typedef struct lc_transform {
    lc_transform_op op;
    const char *of; /* the input or target by name; NULL: the first input, of ONE_HOT the first target */
    double scale, offset;
    const float *mean, *std; /* [channels]; borrowed until the pipeline is open */
    int32_t channels;        /* of these; 0: 1 */
    lc_dtype type;
    int32_t shape[LC_MAX_RANK]; /* of RESHAPE; ends at the first 0; -1: what is left over for this one */
    int32_t classes;
    int32_t height, width;
    bool horizontal, vertical; /* FLIP; both false: horizontal */
    double degrees;
    double up, across; /* fractions of TRANSLATE */
    double amount;     /* fraction of ZOOM, BRIGHTNESS, CONTRAST */
    double range;      /* of BRIGHTNESS: what white is; 0: 255 */
    lc_fill fill;      /* of ROTATE, TRANSLATE, ZOOM */
    double fill_value; /* with LC_FILL_CONSTANT */
    lc_transform_fn call;
    void *user;
} lc_transform;

#define LC_MAP_SCALE(...) \
    { .op = LC_TRANSFORM_SCALE, .scale = __VA_ARGS__ }
#define LC_MAP_NORMALIZE(MEAN, STD, ...) \
    { .op = LC_TRANSFORM_NORMALIZE, .mean = (MEAN), .std = (STD), .channels = __VA_ARGS__ }
#define LC_MAP_CAST(...) \
    { .op = LC_TRANSFORM_CAST, .type = __VA_ARGS__ }
#define LC_MAP_RESHAPE(...) \
    { \
        .op = LC_TRANSFORM_RESHAPE, .shape = { __VA_ARGS__ } \
    }
#define LC_MAP_ONE_HOT(...) \
    { .op = LC_TRANSFORM_ONE_HOT, .classes = __VA_ARGS__ }
#define LC_MAP_RESIZE(HEIGHT, ...) \
    { .op = LC_TRANSFORM_RESIZE, .height = (HEIGHT), .width = __VA_ARGS__ }
#define LC_MAP_CENTER_CROP(HEIGHT, ...) \
    { .op = LC_TRANSFORM_CENTER_CROP, .height = (HEIGHT), .width = __VA_ARGS__ }
#define LC_MAP_CROP(HEIGHT, ...) \
    { .op = LC_TRANSFORM_CROP, .height = (HEIGHT), .width = __VA_ARGS__ }
#define LC_MAP_FLIP(...) \
    { .op = LC_TRANSFORM_FLIP, __VA_ARGS__ }
#define LC_MAP_ROTATE(...) \
    { .op = LC_TRANSFORM_ROTATE, .degrees = __VA_ARGS__ }
#define LC_MAP_TRANSLATE(UP, ...) \
    { .op = LC_TRANSFORM_TRANSLATE, .up = (UP), .across = __VA_ARGS__ }
#define LC_MAP_ZOOM(...) \
    { .op = LC_TRANSFORM_ZOOM, .amount = __VA_ARGS__ }
#define LC_MAP_BRIGHTNESS(...) \
    { .op = LC_TRANSFORM_BRIGHTNESS, .amount = __VA_ARGS__ }
#define LC_MAP_CONTRAST(...) \
    { .op = LC_TRANSFORM_CONTRAST, .amount = __VA_ARGS__ }
#define LC_MAP_CALL(CALL, ...) \
    { .op = LC_TRANSFORM_CALL, .call = (CALL), .user = __VA_ARGS__ }

/* ---- opening ---------------------------------------------------------------------------------------------------- */

typedef struct lc_pipeline lc_pipeline;

/* Which part of a source that is split: Keras takes the last fraction for validation. */
typedef enum lc_split { LC_SPLIT_ALL, LC_SPLIT_TRAINING, LC_SPLIT_VALIDATION } lc_split;

typedef struct lc_pipeline_options {
    uint32_t batch;          /* samples; 0: 32. Where the source has fewer there is one small batch, as in Keras */
    bool drop_remainder;     /* a last batch that is smaller is left out */
    bool shuffle;            /* each epoch has an order of its own */
    uint64_t buffer;         /* samples that shuffling chooses from; 0: all. A source that must be read in order holds these in memory */
    bool same_order;         /* all epochs have the order of the first (tf.data: reshuffle_each_iteration=False) */
    uint64_t seed;           /* of the order and of all random transformations */
    const lc_transform *map; /* ends with {0}; NULL: none. Copied */
    uint32_t prefetch;       /* batches that a thread makes ahead; 0: each is made when it is asked for */
    int32_t threads;         /* that read and transform; 0: one a processor */
    bool cache;              /* samples stay in memory, as the source gave them, once they were read */
    lc_split split;
    double validation_split; /* the fraction of LC_SPLIT_VALIDATION, between 0 and 1 */
    bool split_shuffled;     /* the samples are shuffled by the seed before they are split: where they come sorted by class */
    uint64_t skip, take;     /* samples left out at first; then at most so many, 0: all */
    uint32_t shards, shard;  /* every shards-th, from the shard-th on; 0: all */
    int32_t classes;         /* targets that are integers must be below; 0: they are not looked at */
    bool skip_corrupt;       /* samples that cannot be read, and those with NaN, infinity or no class, are left out and counted */
    bool allow_nan;          /* NaN and infinity are taken as they are */
    lc_limits limits;        /* max_memory counts what the cache or the shuffling holds, too */
} lc_pipeline_options;

/* Samples that are in memory: the first dimension of every array counts them. All is borrowed as long as the pipeline is open. */
typedef struct lc_pipeline_arrays {
    const lc_array *x, *y;
    uint32_t x_count, y_count;
    const char *const *x_names, *const *y_names; /* NULL: they go by their order */
    const lc_array *weights;                     /* float32 [samples]; NULL: none */
} lc_pipeline_arrays;
/* Caller owns *pipeline (lc_pipeline_close). Errors: LC_ARGUMENT (options, names), LC_INVALID (numbers of samples that differ, an empty set, a
 * transformation that does not fit), LC_UNSUPPORTED (strings), LC_LIMIT, LC_NO_MEMORY. */
LC_API lc_status lc_pipeline_from_arrays(const lc_pipeline_arrays *arrays, const lc_pipeline_options *options, lc_pipeline **pipeline,
                                         lc_error *err);

/* Samples in files of the kinds of lc_data_open: "PATH" or "NAME=PATH", NULL at the end. */
typedef struct lc_pipeline_files {
    const char *const *x; /* also the folder of pictures, in which folders are classes, and "mnist:train" */
    /* targets; NULL: the labels that come with x, as int32. Of "NAME=PATH" where PATH is a .csv, .npz or TFRecord: what it has under this name.
     * A number is a column of a .csv by its place, counted from 0 ("0=train.csv"), unless a column is called so.
     * Text with one field a line: classes, or numbers when they are not whole */
    const char *const *y;
    const char *weights;   /* a number for each sample; NULL: none */
    const char *classes;   /* text file with the names of the classes, one a line, in their order; NULL: labels that are names are sorted */
    int32_t height, width; /* .png and .jpg files are scaled to this size (antialiased); 0: 256, as in Keras */
    int32_t channels;      /* of them, 1 or 3; 0: 3. Their values are float32, 0 ... 255. Rows of height * width * channels numbers (CSV,
                            * raw bytes in TFRecord) become pictures of this shape when height and width are given */
} lc_pipeline_files;
/* The same errors, and those of lc_data_open. */
LC_API lc_status lc_pipeline_from_files(const lc_pipeline_files *files, const lc_pipeline_options *options, lc_pipeline **pipeline,
                                        lc_error *err);

/* Samples from the caller: `make` sets every part of the sample, or *end when there are no more. It is called in order, from one thread, and
 * at the beginning of an epoch with index 0; once when the pipeline is opened. */
typedef lc_status (*lc_sample_fn)(void *user, uint64_t index, lc_sample *sample, bool *end, lc_error *err);
typedef struct lc_pipeline_function {
    lc_sample_fn make;
    void *user; /* must live as long as the pipeline */
    uint32_t x_count, y_count;
    const char *const *x_names, *const *y_names; /* NULL: they go by their order */
    uint64_t count;                              /* how many there will be; 0: not known */
} lc_pipeline_function;
LC_API lc_status lc_pipeline_from_function(const lc_pipeline_function *function, const lc_pipeline_options *options, lc_pipeline **pipeline,
                                           lc_error *err);
LC_API void lc_pipeline_close(lc_pipeline *pipeline); /* NULL is fine */

/* ---- what is known ------------------------------------------------------------------------------------------------ */

/* Samples and batches of an epoch, before corrupt ones are left out; UINT64_MAX: not known before its end. */
LC_API uint64_t lc_pipeline_samples(const lc_pipeline *pipeline);
LC_API uint64_t lc_pipeline_batches(const lc_pipeline *pipeline);
LC_API uint32_t lc_pipeline_batch(const lc_pipeline *pipeline);
LC_API uint32_t lc_pipeline_x_count(const lc_pipeline *pipeline);
LC_API uint32_t lc_pipeline_y_count(const lc_pipeline *pipeline);
LC_API bool lc_pipeline_weighted(const lc_pipeline *pipeline);
/* Input or target i (counted from x_count on) of a full batch: type and shape, without data. */
LC_API lc_array lc_pipeline_part(const lc_pipeline *pipeline, uint32_t i);
/* Its name; NULL: it has none. */
LC_API const char *lc_pipeline_part_name(const lc_pipeline *pipeline, uint32_t i);
/* Names of the classes in their order, from folders, texts or `classes`; NULL: they have none, or there is no such class. */
LC_API const char *lc_pipeline_class(const lc_pipeline *pipeline, int64_t label);
/* Samples left out so far as corrupt, and what was wrong with the last ("" for none). */
LC_API uint64_t lc_pipeline_skipped(const lc_pipeline *pipeline, const char **last);

/* ---- batches -------------------------------------------------------------------------------------------------------- */

typedef struct lc_batch {
    uint32_t rows;       /* samples; 0: the epoch is over */
    const lc_array *x;   /* [x_count]; their first dimension is `rows` */
    const lc_array *y;   /* [y_count]; NULL: there are none */
    const float *weight; /* [rows]; NULL: the source has none */
    const uint64_t *of;  /* [rows]: which sample each row is, from 0 in the source */
} lc_batch;

/* The next batch; all of it is borrowed until the next call. rows 0 once at the end of an epoch; the call after that begins the next. Errors:
 * LC_INVALID for a sample that is corrupt, holds NaN or infinity, has another shape than the first or no class: the message names it and its
 * file; LC_LIMIT, LC_NO_MEMORY. After an error every call fails until lc_pipeline_seek. */
LC_API lc_status lc_pipeline_next(lc_pipeline *pipeline, lc_batch *batch, lc_error *err);

/* Where a pipeline stands, between two batches. It can be written to a file: equal numbers on every machine. */
typedef struct lc_pipeline_state {
    uint64_t epoch;   /* from 0 */
    uint64_t picks;   /* samples of the epoch that have gone by */
    uint64_t batches; /* of the epoch that have gone by */
    uint64_t seed;
    uint64_t print; /* of the source's size and the options that make the order */
} lc_pipeline_state;
LC_API lc_pipeline_state lc_pipeline_tell(const lc_pipeline *pipeline);
/* Goes on from there: the next batch is the one that came after. A source that must be read in order is read again up to there. LC_ARGUMENT:
 * the state is that of another pipeline. NULL: the beginning of the first epoch. Where it stands already nothing is done. */
LC_API lc_status lc_pipeline_seek(lc_pipeline *pipeline, const lc_pipeline_state *state, lc_error *err);
/* The beginning of an epoch. */
LC_API lc_status lc_pipeline_seek_epoch(lc_pipeline *pipeline, uint64_t epoch, lc_error *err);

#ifdef __cplusplus
}
#endif
#endif
