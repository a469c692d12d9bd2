/*
 * litec/runtime.h: load a .tflite model and run it. This is all a device needs.
 *
 *     lc_model *model; lc_session *s; lc_error err;
 *     if (lc_model_open("m.tflite", NULL, &model, &err)) ...            load model
 *     if (lc_session_create(model, NULL, &s, &err)) ...
 *     memcpy(lc_session_input(s, 0).data, pixels, bytes);               transform data
 *     if (lc_session_run(s, &err)) ...                                  run inference
 *     const float *p = lc_session_output(s, 0).data;                    interpret output
 *
 * Rules that hold for every call here and in litec.h:
 *   - A call that can fail returns lc_status (LC_OK is 0) and takes an lc_error pointer last. The pointer may be NULL.
 *     On failure out pointers are set to NULL and nothing is left half made.
 *   - Options are one const struct; NULL means all defaults, and a field of zero means its default, stated beside it.
 *   - The library never prints, exits or aborts, whatever bytes it is given.
 *   - `get` returns memory that its owner keeps ("borrowed"); `take` moves ownership to the caller.
 *   - A model does not change after it is loaded: any number of sessions in any number of threads may share it.
 *     A session belongs to one thread at a time.
 */
#ifndef LITEC_RUNTIME_H
#define LITEC_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define LC_API
#else
#define LC_API __attribute__((visibility("default")))
#endif

#define LC_VERSION "0.1.0"

/* The version of the library that is linked, e.g. "0.1.0". */
LC_API const char *lc_version(void);

/* ---- errors ------------------------------------------------------------------------------------------------ */

/* X(name, value, what it means). One list: the enum below and lc_status_name() are made from it. */
#define LC_STATUS_LIST(X) \
    X(LC_OK, 0, "done") \
    X(LC_INVALID, 1, "the file or data breaks the rules of its format") \
    X(LC_UNSUPPORTED, 2, "valid, but litec cannot do it") \
    X(LC_NOT_FOUND, 3, "no such file, tensor, signature or operator") \
    X(LC_ARGUMENT, 4, "the caller passed something the call does not take") \
    X(LC_NO_MEMORY, 5, "an allocation failed") \
    X(LC_LIMIT, 6, "a limit of lc_limits was reached") \
    X(LC_IO, 7, "the operating system refused to read or write")

typedef enum lc_status {
#define LC_STATUS_ENUM(name, value, text) name = value,
    LC_STATUS_LIST(LC_STATUS_ENUM)
#undef LC_STATUS_ENUM
} lc_status;

/* "LC_INVALID" for LC_INVALID; "?" for a number that is no status. */
LC_API const char *lc_status_name(lc_status status);

#define LC_NO_OFFSET UINT64_MAX

/* Why a call failed. Lives in the caller's memory (usually on the stack), owns nothing, needs no clean-up.
 * `message` says what was found and what was wanted, with file, layer or node; `hint` what to do next (may be ""). */
typedef struct lc_error {
    lc_status status;
    char rule[24];   /* id of the rule that was broken, e.g. "TFL-INDEX"; "" when the failure is not a format rule */
    uint64_t offset; /* byte offset in the input file; LC_NO_OFFSET when there is none */
    char message[1024];
    char hint[512];
} lc_error;

/* ---- limits ------------------------------------------------------------------------------------------------ */

/* What a reader may use at most. Every field: 0 means the default. Reaching one is LC_LIMIT. */
typedef struct lc_limits {
    uint64_t max_memory; /* bytes a file may make us allocate, counted as declared before allocation; 0: 8 GiB */
    uint64_t max_file;   /* bytes of one input file; 0: 64 GiB */
    uint32_t max_tables; /* tables of one flatbuffer, objects of one HDF5 file, members of one zip; 0: 4,000,000 */
    uint32_t max_nodes;  /* operators or layers of one model; 0: 1,000,000 */
    uint32_t max_depth;  /* nesting of tables, groups, JSON values, sub-models; 0: 64 */
} lc_limits;

/* ---- memory ------------------------------------------------------------------------------------------------ */

/* Where litec takes memory. `reallocate(user, p, size)`: p NULL allocates, size 0 frees and returns NULL, failure
 * returns NULL and leaves p. Results are aligned for any type. */
typedef struct lc_allocator {
    void *(*reallocate)(void *user, void *p, size_t size);
    void *user;
} lc_allocator;

/* Replaces malloc for the whole library; NULL restores it. Call before anything else, from one thread: it is the
 * only mutable global. */
LC_API void lc_set_allocator(const lc_allocator *allocator);

/* Frees what this library handed over. NULL is fine. */
LC_API void lc_free(void *p);

/* ---- tensors ----------------------------------------------------------------------------------------------- */

/* X(NAME, schema value, bits per element, name in messages and JSON). Values are those of the .tflite schema.
 * STRING, RESOURCE and VARIANT have no fixed size (0 bits). */
#define LC_DTYPE_LIST(X) \
    X(FLOAT32, 0, 32, "float32") \
    X(FLOAT16, 1, 16, "float16") \
    X(INT32, 2, 32, "int32") \
    X(UINT8, 3, 8, "uint8") \
    X(INT64, 4, 64, "int64") \
    X(STRING, 5, 0, "string") \
    X(BOOL, 6, 8, "bool") \
    X(INT16, 7, 16, "int16") \
    X(COMPLEX64, 8, 64, "complex64") \
    X(INT8, 9, 8, "int8") \
    X(FLOAT64, 10, 64, "float64") \
    X(COMPLEX128, 11, 128, "complex128") \
    X(UINT64, 12, 64, "uint64") \
    X(RESOURCE, 13, 0, "resource") \
    X(VARIANT, 14, 0, "variant") \
    X(UINT32, 15, 32, "uint32") \
    X(UINT16, 16, 16, "uint16") \
    X(INT4, 17, 4, "int4") \
    X(BFLOAT16, 18, 16, "bfloat16") \
    X(INT2, 19, 2, "int2") \
    X(UINT4, 20, 4, "uint4") \
    X(FLOAT8_E4M3FN, 21, 8, "float8_e4m3fn") \
    X(FLOAT8_E5M2, 22, 8, "float8_e5m2")

typedef enum lc_dtype {
#define LC_DTYPE_ENUM(name, value, bits, text) LC_##name = value,
    LC_DTYPE_LIST(LC_DTYPE_ENUM)
#undef LC_DTYPE_ENUM
        LC_DTYPE_COUNT
} lc_dtype;

/* "float32" for LC_FLOAT32; "?" for a number that is no type. */
LC_API const char *lc_dtype_name(lc_dtype type);
/* Bits of one element, 0 for STRING, RESOURCE, VARIANT and unknown numbers. */
LC_API uint32_t lc_dtype_bits(lc_dtype type);

#define LC_MAX_RANK 8 /* most dimensions of a tensor that can be run; files with more still read, print and write */

/* A look at one tensor. Everything in it is borrowed from the model or session it was asked of. */
typedef struct lc_tensor_view {
    const char *name;
    lc_dtype type;
    int32_t rank;
    int32_t dims[LC_MAX_RANK];
    int32_t signature[LC_MAX_RANK]; /* as dims, with -1 where the model leaves a dimension open */
    void *data;                     /* dense, row-major, 64-byte aligned; NULL where there is none yet */
    size_t size;                    /* bytes */
    float scale;                    /* per-tensor quantisation: real = scale * (q - zero_point); 0 when not quantised */
    int64_t zero_point;
    bool any_rank; /* the model leaves the number of dimensions open: rank is what the input was resized to, at first 0 */
} lc_tensor_view;

/* ---- model ------------------------------------------------------------------------------------------------- */

typedef struct lc_model lc_model;

typedef struct lc_open_options {
    lc_limits limits;
} lc_open_options;

/* Maps, verifies and loads a .tflite file. Constants stay in the mapped file, which must not change until lc_model_destroy. Caller
 * owns *model. Errors: LC_NOT_FOUND, LC_IO, LC_INVALID (with rule and offset), LC_LIMIT, LC_NO_MEMORY. */
LC_API lc_status lc_model_open(const char *path, const lc_open_options *options, lc_model **model, lc_error *err);
/* As lc_model_open, from memory that the caller keeps unchanged until lc_model_destroy. Caller owns *model. */
LC_API lc_status lc_model_from_memory(const void *data, size_t size, const lc_open_options *options, lc_model **model, lc_error *err);
/* Frees the model once the last session made from it is destroyed. NULL is fine. */
LC_API void lc_model_destroy(lc_model *model);

/* Inputs and outputs of the model's first graph, in the model's order. `data` of these views is NULL.
 * An index out of range gives a view whose name is NULL. */
LC_API size_t lc_model_input_count(const lc_model *model);
LC_API size_t lc_model_output_count(const lc_model *model);
LC_API lc_tensor_view lc_model_input(const lc_model *model, size_t index);
LC_API lc_tensor_view lc_model_output(const lc_model *model, size_t index);
/* Key of a signature, which lives as long as the model; NULL: there are no more. */
LC_API const char *lc_model_signature(const lc_model *model, size_t index);

/* ---- session ----------------------------------------------------------------------------------------------- */

typedef struct lc_session lc_session;

/* A custom operator of the caller. Its functions see their node through lc_custom_node. They return LC_OK, or a status with a
 * message in *err. All inputs are read-only. The struct is copied; `name` and `user` must live as long as the session. */
typedef struct lc_custom_node lc_custom_node;
typedef struct lc_custom_op {
    const char *name; /* the custom code in the model, e.g. "MyOp" */
    void *user;       /* handed to each function */
    /* Shapes and constant inputs are known (other inputs have no data yet): checks them and gives each output its shape. An output it
     * gives none is sized in run. Called again when shapes change. NULL: all outputs are sized in run. */
    lc_status (*prepare)(lc_custom_node *node, void *user, lc_error *err);
    /* Computes the outputs. Must be given. */
    lc_status (*run)(lc_custom_node *node, void *user, lc_error *err);
    /* Frees the state (lc_custom_set_state) when the session lets the node go. May be NULL. */
    void (*destroy)(void *state, void *user);
} lc_custom_op;

/* A tensor of a run that has just got its value: what an operator wrote or, before the operators of a graph run, an input of that graph. It
 * is borrowed until the function returns: its memory may be used again. */
#define LC_NO_NODE UINT32_MAX
typedef struct lc_watched {
    const char *op;       /* "CONV_2D"; "" for an input of a graph */
    uint32_t graph, node; /* which graph of the model, which operator of it in the file's order; LC_NO_NODE for an input */
    uint32_t output;      /* which of the operator's outputs, or of the graph's inputs */
    int32_t tensor;       /* index in its graph */
    lc_tensor_view view;
} lc_watched;

typedef struct lc_session_options {
    int32_t threads;                /* threads that share one run, the caller's included; 0: 1 */
    const char *isa;                /* "avx512", "avx2", "neon", "portable", "ref"; NULL: $LC_ISA, else the best this CPU has */
    uint64_t max_memory;            /* bytes of arena and packed weights; 0: 8 GiB */
    const char *signature;          /* signature to run, by key; NULL: the model's first graph */
    bool profile;                   /* measure each operator (lc_session_profile) */
    const lc_custom_op *custom_ops; /* operators the model names that litec does not have (or has: these come first) */
    size_t custom_op_count;
    uint64_t max_loops;                                  /* iterations that all loops (WHILE) of one run may make together; 0: 10,000,000 */
    void (*watch)(void *user, const lc_watched *tensor); /* sees every value of a run, in order; NULL: nobody */
    void *watch_user;
    lc_session *share; /* a session of the same model whose variables and tables this one uses, e.g. of another signature; NULL:
                         * its own. Two sessions that share must not run at the same time */
} lc_session_options;

/* Plans the model's memory and prepares its kernels. The session keeps the model alive. Caller owns *session. A model with open
 * dimensions that cannot run at size 1 gives a session all the same: it says why at lc_session_run unless its inputs are resized before.
 * Errors: LC_UNSUPPORTED (an operator or type without a kernel), LC_INVALID (shapes that do not fit), LC_NOT_FOUND (no such signature),
 * LC_ARGUMENT, LC_LIMIT (max_memory), LC_NO_MEMORY. */
LC_API lc_status lc_session_create(lc_model *model, const lc_session_options *options, lc_session **session, lc_error *err);
/* NULL is fine. */
LC_API void lc_session_destroy(lc_session *session);

LC_API size_t lc_session_input_count(const lc_session *session);
LC_API size_t lc_session_output_count(const lc_session *session);
/* View of an input, to write its data. Valid until the next resize. Out of range: name NULL. A string input has no data to write: set it
 * with lc_session_set_strings. */
LC_API lc_tensor_view lc_session_input(const lc_session *session, size_t index);
/* View of an output; data is meaningful after lc_session_run and until the next run or resize. Where the shape of an output depends on
 * what the model computes, ask again after each run; before the first its rank is -1. Strings: lc_tensor_string. */
LC_API lc_tensor_view lc_session_output(const lc_session *session, size_t index);
/* Index of an input or output by name: the signature's name or the tensor's. -1 when there is none. */
LC_API int32_t lc_session_find_input(const lc_session *session, const char *name);
LC_API int32_t lc_session_find_output(const lc_session *session, const char *name);

/* Gives an input another shape and plans again. On failure the session keeps its former shapes. Errors: LC_ARGUMENT (no such input,
 * a negative dimension), LC_INVALID or LC_UNSUPPORTED (the model cannot take the shape), LC_LIMIT, LC_NO_MEMORY. */
LC_API lc_status lc_session_resize_input(lc_session *session, size_t index, const int32_t *dims, int32_t rank, lc_error *err);
/* As above for several inputs at once (those whose shapes must change together): dims[i] and ranks[i] belong to
 * input i; dims[i] NULL keeps input i. Both arrays have lc_session_input_count entries. */
LC_API lc_status lc_session_resize_inputs(lc_session *session, const int32_t *const *dims, const int32_t *ranks, lc_error *err);
/* Gives a string input its strings: as many as its shape has elements (resize it first). lengths NULL: each ends with a NUL. Copied. */
LC_API lc_status lc_session_set_strings(lc_session *session, size_t index, const char *const *strings, const size_t *lengths, size_t count,
                                        lc_error *err);
/* String i of a string tensor (its elements in order); not NUL-terminated, *length says its bytes. NULL when there is none. */
LC_API const char *lc_tensor_string(const lc_tensor_view *tensor, size_t index, size_t *length);

/* Runs the model once. Allocates nothing, except for tensors whose shape depends on what is computed, and strings. */
LC_API lc_status lc_session_run(lc_session *session, lc_error *err);
/* Sets the state that the model carries from run to run inside its graph (variable tensors of LSTM, SVDF ...) back to zero. Variables and
 * tables that operators assign stay; a new session starts without them. */
LC_API void lc_session_reset(lc_session *session);

/* What one session's memory is made of, in bytes. */
typedef struct lc_memory_stats {
    uint64_t arena;       /* activations and scratch: one block */
    uint64_t arena_bound; /* no plan can be smaller: the largest sum of tensors alive at one step */
    uint64_t packed;      /* weights rearranged for the kernels, shared by all sessions of the model */
    uint64_t constants;   /* weights in the mapped file */
} lc_memory_stats;
LC_API lc_memory_stats lc_session_memory(const lc_session *session);

/* One operator's share of the last run. */
typedef struct lc_profile_entry {
    const char *op;       /* "CONV_2D" */
    const char *name;     /* its first output's name */
    const char *kernel;   /* which kernel ran, e.g. "gemm/avx512" */
    uint64_t nanoseconds; /* in the last run; 0 unless lc_session_options.profile */
    uint64_t macs;        /* multiply-accumulates; 0 where the count has no meaning */
} lc_profile_entry;
LC_API size_t lc_session_profile_count(const lc_session *session);
LC_API lc_profile_entry lc_session_profile(const lc_session *session, size_t index);

/* Name of the instruction set this session's kernels use: "avx512" ... "ref". */
LC_API const char *lc_session_isa(const lc_session *session);

/* ---- inside a custom operator ------------------------------------------------------------------------------- */

/* The node's options: bytes of the model, as its converter wrote them. *size may be NULL. NULL: none. */
LC_API const void *lc_custom_options(const lc_custom_node *node, size_t *size);
LC_API size_t lc_custom_input_count(const lc_custom_node *node);
LC_API size_t lc_custom_output_count(const lc_custom_node *node);
/* Inputs and outputs. An absent one, and an index out of range, give a view whose name is NULL. */
LC_API lc_tensor_view lc_custom_input(const lc_custom_node *node, size_t index);
LC_API lc_tensor_view lc_custom_output(const lc_custom_node *node, size_t index);
/* In prepare: the shape of an output. In run: of one that prepare left open; its view then has data. bytes: 0, for a string output
 * the size of its buffer (int32 count, int32 offsets[count + 1], the strings). */
LC_API lc_status lc_custom_set_shape(lc_custom_node *node, size_t index, const int32_t *dims, int32_t rank, size_t bytes, lc_error *err);
/* A pointer of the caller's that stays with the node; lc_custom_op.destroy gets it. */
LC_API void lc_custom_set_state(lc_custom_node *node, void *state);
LC_API void *lc_custom_state(const lc_custom_node *node);

#ifdef __cplusplus
}
#endif
#endif
