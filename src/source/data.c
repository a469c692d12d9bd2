/*
 * data.c: lc_data: samples for the inputs of a model, a batch at a time.
 *
 * Each input has a series (data.h), which gives its samples in order. lc_data_next takes the next batch of every series, in the types of the
 * files; writing it into a session is a step of its own, so that the same batch can go into several forms of a model. Labels are small and are
 * held whole. Memory beyond that is one batch an input and what its reader needs.
 *
 * Data from a function of the caller has no series: the function writes into the session, and what it wrote is kept, as real numbers where
 * the input is quantised, for lc_data_again.
 */
#include "source/data.h"

#include "ir/ir.h"
#include "source/dataset.h"
#include "source/rules.h"

#include <inttypes.h>
#include <string.h>

struct lc_data {
    lc_arena arena;
    lc_limits limits;
    lc_data_input *inputs;
    size_t input_count;
    uint32_t batch;
    uint64_t count, first, last; /* samples; of the last batch the first one and how many */
    lc_labels labels;
    const char *label_path; /* of the samples' own data set; NULL: not by name */
    const char *signature;  /* NULL: the first graph */
    lc_data_fn fill;        /* NULL: files */
    void *user;
    uint64_t calls;
    bool ended;
};

/* ---- the model's inputs --------------------------------------------------------------------------------------------------- */

/* Inputs in the order that a session of the same signature has them. */
static lc_status list_inputs(lc_data *d, const lc_model *m, const char *key, lc_error *err) {
    const lc_signature *sig = NULL;
    for (size_t i = 0; key && i < m->signature_count && !sig; i++)
        if (lc_str_is(m->signatures[i].key, key)) sig = &m->signatures[i];
    if (key && !sig) {
        lc_fail(err, LC_NOT_FOUND, "the model has no signature \"%.100s\"", key);
        lc_error_hint(err, "`litec inspect MODEL` lists them");
        return LC_NOT_FOUND;
    }
    d->input_count = sig ? sig->input_count : lc_model_input_count(m);
    if (!d->input_count) {
        lc_fail(err, LC_ARGUMENT, "the model has no inputs");
        lc_error_hint(err, "data is for models with inputs");
        return LC_ARGUMENT;
    }
    if (!(d->inputs = lc_arena_array(&d->arena, d->input_count, sizeof *d->inputs))) return lc_fail_memory(err, "data");
    for (size_t i = 0; i < d->input_count; i++) {
        lc_tensor_view v;
        if (sig) {
            const lc_tensor *t = &m->graphs[sig->graph]->tensors[sig->inputs[i].tensor];
            v = (lc_tensor_view){.name = sig->inputs[i].name.data ? sig->inputs[i].name.data : "", .type = t->type, .rank = t->rank};
            v.any_rank = lc_tensor_any_rank(t, lc_model_states_ranks(m));
            for (int32_t k = 0; k < t->rank && k < LC_MAX_RANK; k++) v.signature[k] = lc_tensor_dim(t, k);
            lc_tensor_scale(t, &v.scale, &v.zero_point);
        } else {
            v = lc_model_input(m, i);
        }
        if (v.rank > LC_MAX_RANK) return lc_fail(err, LC_UNSUPPORTED, "input %.200s has %d dimensions", v.name, (int)v.rank);
        if (!(v.name = lc_arena_strndup(&d->arena, v.name, strlen(v.name)))) return lc_fail_memory(err, "data");
        d->inputs[i].want = v;
    }
    return LC_OK;
}

static lc_status no_input(const lc_data *d, const char *name, lc_error *err) {
    lc_text names = {0};
    lc_fail(err, LC_ARGUMENT, "the model has no input named %.200s", name);
    for (size_t i = 0; i < d->input_count && names.size < 300; i++) {
        const char *n = d->inputs[i].want.name;
        lc_text_add(&names, i ? ", " : "");
        lc_text_add_safe(&names, n, strlen(n) < 80 ? strlen(n) : 80);
    }
    lc_error_hint(err, "the model's inputs are: %s", names.data ? names.data : "?");
    lc_text_deinit(&names);
    return LC_ARGUMENT;
}

static lc_data_input *find_input(const lc_data *d, const char *name, size_t size) {
    for (size_t i = 0; i < d->input_count; i++)
        if (lc_str_is((lc_str){name, size}, d->inputs[i].want.name)) return &d->inputs[i];
    return NULL;
}

/* ---- files ------------------------------------------------------------------------------------------------------------------ */

static bool is_magic(lc_cursor c, const char *magic, size_t n) {
    const uint8_t *bytes = lc_read_bytes(&c, n);
    return bytes && memcmp(bytes, magic, n) == 0;
}

/* Text: no control bytes but those that lay it out. */
static bool is_text(lc_cursor c) {
    for (size_t i = 0; i < 4096 && lc_cursor_left(&c); i++) {
        const uint8_t b = lc_read_u8(&c);
        if (b < 9 || (b > 13 && b < 32)) return false;
    }
    return true;
}

typedef enum data_kind { KIND_NONE, KIND_ARRAY, KIND_NPZ, KIND_CSV, KIND_PICTURES, KIND_RECORDS, KIND_CIFAR } data_kind;

static data_kind kind_of(lc_cursor head) {
    if (lc_record_probe(head)) return KIND_RECORDS;
    if (is_magic(head, "\x93NUMPY", 6) || is_magic(head, "\0\0", 2)) return KIND_ARRAY;
    if (is_magic(head, "PK", 2) && lc_zip_probe(lc_read_bytes(&head, 4), 4)) return KIND_NPZ;
    if (is_magic(head, "\x89PNG\r\n\x1a\n", 8) || is_magic(head, "\xff\xd8\xff", 3)) return KIND_PICTURES;
    return is_text(head) && !is_magic(head, "GIF8", 4) && !is_magic(head, "%PDF", 4) ? KIND_CSV : KIND_NONE;
}

static lc_status find_kind_of_file(const char *path, const lc_limits *limits, data_kind *kind, lc_error *err) {
    lc_map map;
    lc_stream stream = {0};
    lc_cursor head;
    LC_TRY(lc_map_open(&map, path, limits, err));
    if (lc_cifar_probe(path, map.size)) {
        *kind = KIND_CIFAR;
        lc_map_close(&map);
        return LC_OK;
    }
    lc_status status = lc_record_stream(&stream, lc_cursor_make(map.data, map.size), err);
    if (status == LC_OK) status = lc_stream_head(&stream, &head, err);
    if (status == LC_OK) {
        const bool packed = stream.form != 0;
        *kind = kind_of(head);
        if (packed && (*kind == KIND_NPZ || *kind == KIND_PICTURES)) *kind = KIND_NONE;
    }
    lc_stream_close(&stream);
    lc_map_close(&map);
    return status;
}

static lc_status find_kind(const char *path, const lc_limits *limits, data_kind *kind, lc_error *err) {
    lc_arena arena = {0};
    lc_budget budget;
    lc_shards shards;
    lc_budget_init(&budget, limits);
    *kind = KIND_PICTURES;
    lc_status status = lc_shards_find(path, &arena, &budget, &shards, err);
    if (status == LC_OK && shards.count) status = find_kind_of_file(shards.paths[0], limits, kind, err);
    if (status == LC_OK && shards.paths && lc_is_pattern(path) && *kind != KIND_RECORDS && *kind != KIND_CIFAR) {
        status = lc_fail(err, LC_UNSUPPORTED, "%s: only TFRecord files and those of CIFAR are read as parts of one set", shards.paths[0]);
        lc_error_hint(err, "give one file");
    }
    lc_arena_deinit(&arena);
    return status;
}

bool lc_series_is_table(const char *path, const lc_limits *limits) {
    data_kind kind;
    return find_kind(path, limits, &kind, NULL) == LC_OK && (kind == KIND_NPZ || kind == KIND_CSV || kind == KIND_RECORDS);
}

lc_status lc_series_open(lc_series *s, const lc_series_wish *wish, lc_error *err) {
    data_kind kind;
    lc_status status = find_kind(s->path, &s->limits, &kind, err);
    if (status) return status;
    switch (kind) {
    case KIND_ARRAY: status = lc_series_open_array(s, wish, err); break;
    case KIND_NPZ: status = lc_series_open_npz(s, wish, err); break;
    case KIND_CSV: status = lc_series_open_csv(s, wish, err); break;
    case KIND_PICTURES: status = lc_series_open_pictures(s, wish, err); break;
    case KIND_RECORDS: status = lc_series_open_records(s, wish, err); break;
    case KIND_CIFAR: status = lc_series_open_cifar(s, wish, err); break;
    case KIND_NONE:
        if (lc_path_ends(s->path, ".tfrecord") || lc_path_ends(s->path, ".tfrecords")) {
            status = lc_fail(err, LC_INVALID, "a TFRecord file whose first record has a damaged header: the length has a wrong checksum");
            lc_error_hint(err, "copy or download the file again");
            break;
        }
        status = lc_fail(err, LC_INVALID, "not a data file that litec reads");
        lc_error_hint(err, "give .npy, .npz, IDX, .csv, TFRecord, a picture (.png, .jpg) or a folder of pictures");
    }
    if (status) lc_series_close(s);
    return status;
}

void lc_series_close(lc_series *s) {
    if (s->kind) s->kind->close(s);
    s->kind = NULL;
}

/* The message bears the path, once: that of a picture in a folder begins with the folder's. */
lc_status lc_series_named(lc_status status, const char *path, lc_error *err) {
    if (status && err && strncmp(err->message, path, strlen(path)) != 0) lc_error_prefix(err, "%s", path);
    return status;
}

/* The path that the name of a data set stands for, with its labels and the names of its classes. */
static lc_status find_dataset(lc_data *d, const char **path, lc_error *err) {
    const lc_dataset *set;
    const char *labels;
    LC_TRY(lc_dataset_resolve(*path, &d->arena, &set, path, &labels, err));
    if (!set) return LC_OK;
    if (labels) d->label_path = labels;
    if (d->labels.order) return LC_OK;
    d->labels.order = set->classes;
    d->labels.order_count = set->class_count;
    d->labels.order_path = set->name;
    return LC_OK;
}

static lc_status open_input(lc_data *d, lc_data_input *in, const char *path, bool by_name, const lc_data_options *o, lc_budget *budget,
                            lc_error *err) {
    const lc_series_wish wish = {
        .input = in->want, .only = d->input_count == 1, .named = by_name, .labels = o->labels ? NULL : &d->labels, .budget = budget};
    in->given = true;
    in->series = (lc_series){.path = path, .limits = d->limits};
    LC_TRY(lc_series_named(lc_series_open(&in->series, &wish, err), path, err));
    return lc_series_named(lc_data_fit(in, o->pixels, err), path, err);
}

/* ---- which file is for which input ---------------------------------------------------------------------------------------------- */

/* "NAME=PATH" or "PATH". What stands before a '=' is a name when the model has such an input (names may hold '=' too), or when there is no
 * file whose own name has that '='. Returns the path. */
static lc_status split_name(const lc_data *d, const char *text, lc_data_input **in, const char **path, lc_error *err) {
    *in = NULL;
    *path = text;
    for (const char *equals = strchr(text, '='); equals; equals = strchr(equals + 1, '=')) {
        if (!(*in = find_input(d, text, (size_t)(equals - text)))) continue;
        *path = equals + 1;
        return LC_OK;
    }
    const char *equals = strchr(text, '=');
    if (!equals || lc_path_is_file(text) || lc_path_is_dir(text)) return LC_OK;
    char name[300];
    snprintf(name, sizeof name, "%.*s", (int)(equals - text < 299 ? equals - text : 299), text);
    return no_input(d, name, err);
}

static lc_status too_many(const lc_data *d, const char *path, lc_error *err) {
    if (d->input_count == 1) lc_fail(err, LC_ARGUMENT, "%s: the model has one input, and there is a file for it already", path);
    else lc_fail(err, LC_ARGUMENT, "%s: there is a file already for each of the model's %zu inputs", path, d->input_count);
    lc_error_hint(err, "give one file an input, or one .npz or .csv for all of them");
    return LC_ARGUMENT;
}

/* First the files that name their input, then plain ones in order, then those that hold whatever is still without. */
static lc_status open_files(lc_data *d, const char *const *files, const lc_data_options *o, lc_budget *budget, lc_error *err) {
    for (int turn = 0; turn < 3; turn++)
        for (const char *const *f = files; *f; f++) {
            lc_data_input *in;
            const char *path;
            LC_TRY(split_name(d, *f, &in, &path, err));
            LC_TRY(find_dataset(d, &path, err));
            const bool table = !in && d->input_count > 1 && lc_series_is_table(path, &d->limits);
            if (turn != (in ? 0 : table ? 2 : 1)) continue;
            if (in && in->given) {
                lc_fail(err, LC_ARGUMENT, "input %.200s is given twice", in->want.name);
                lc_error_hint(err, "give each input once");
                return LC_ARGUMENT;
            }
            if (!(path = lc_arena_strndup(&d->arena, path, strlen(path)))) return lc_fail_memory(err, "data");
            if (in) {
                LC_TRY(open_input(d, in, path, true, o, budget, err));
                continue;
            }
            bool used = false;
            for (size_t i = 0; i < d->input_count && (table || !used); i++) {
                if (d->inputs[i].given) continue;
                LC_TRY(open_input(d, &d->inputs[i], path, false, o, budget, err));
                used = true;
            }
            if (!used) return too_many(d, path, err);
        }
    for (size_t i = 0; i < d->input_count; i++) {
        const lc_tensor_view *v = &d->inputs[i].want;
        if (d->inputs[i].given) continue;
        lc_fail(err, LC_ARGUMENT, "there is no data for input %.200s, which wants %s", v->name, lc_data_wish(v).text);
        lc_error_hint(err, "add %.200s=FILE", v->name);
        return LC_ARGUMENT;
    }
    return LC_OK;
}

/* ---- opening ------------------------------------------------------------------------------------------------------------------------ */

static lc_status check_counts(lc_data *d, const lc_data_options *o, lc_error *err) {
    const lc_series *s = &d->inputs[0].series;
    d->count = s->count;
    for (size_t i = 0; i < d->input_count; i++) {
        const lc_series *t = &d->inputs[i].series;
        if (t->count == 0) {
            LC_SOURCE_FAIL(err, LC_INVALID, DATA_EMPTY, LC_NO_OFFSET, "%s: the data set is empty", t->path);
            lc_error_hint(err, "give at least one sample");
            return LC_INVALID;
        }
        if (t->count == d->count) continue;
        LC_SOURCE_FAIL(err, LC_INVALID, DATA_COUNT, LC_NO_OFFSET, "%s has %llu samples for input %.100s, %s has %llu for %.100s", s->path,
                       (unsigned long long)s->count, d->inputs[0].want.name, t->path, (unsigned long long)t->count, d->inputs[i].want.name);
        lc_error_hint(err, "all inputs must have equally many samples");
        return LC_INVALID;
    }
    if (d->labels.count && d->labels.count != d->count) {
        LC_SOURCE_FAIL(err, LC_INVALID, DATA_COUNT, LC_NO_OFFSET, "%s: %llu labels for the %llu samples of %s",
                       o->labels ? o->labels : s->path, (unsigned long long)d->labels.count, (unsigned long long)d->count, s->path);
        lc_error_hint(err, "give one label for each sample, in the same order");
        return LC_INVALID;
    }
    if (o->most && d->count > o->most) d->count = o->most;
    return LC_OK;
}

/* Samples a batch: as asked; else as many as the inputs say. One when a sample fills an input. */
static void choose_batch(lc_data *d, uint32_t asked) {
    d->batch = asked;
    for (size_t i = 0; i < d->input_count; i++) {
        const lc_data_input *in = &d->inputs[i];
        const bool open = in->want.any_rank || in->want.rank < 1 || in->want.signature[0] < 0;
        if (!d->batch && !open && !in->whole) d->batch = (uint32_t)in->want.signature[0];
    }
    for (size_t i = 0; i < d->input_count; i++)
        if (d->inputs[i].whole) d->batch = 1;
    if (!d->batch) d->batch = 1;
    if (d->batch > INT32_MAX) d->batch = INT32_MAX;
}

static lc_status open_all(lc_data *d, const lc_model *model, const char *const *files, const lc_data_options *o, lc_error *err) {
    lc_budget budget;
    d->limits = o->limits;
    lc_budget_init(&budget, &d->limits);
    LC_TRY(list_inputs(d, model, o->signature, err));
    if (o->signature && !(d->signature = lc_arena_strndup(&d->arena, o->signature, strlen(o->signature))))
        return lc_fail_memory(err, "data");
    if (o->classes) {
        LC_TRY(lc_classes_load(o->classes, &d->limits, &d->arena, &d->labels.order, &d->labels.order_count, err));
        if (!(d->labels.order_path = lc_arena_strndup(&d->arena, o->classes, strlen(o->classes)))) return lc_fail_memory(err, "data");
    }
    LC_TRY(open_files(d, files, o, &budget, err));
    const char *labels = o->labels ? o->labels : d->labels.count ? NULL : d->label_path;
    if (labels) LC_TRY(lc_labels_load(&d->labels, labels, &d->limits, err));
    if (labels && !d->labels.count) return LC_SOURCE_FAIL(err, LC_INVALID, DATA_EMPTY, LC_NO_OFFSET, "%s: there are no labels", labels);
    LC_TRY(check_counts(d, o, err));
    choose_batch(d, o->batch);
    return LC_OK;
}

lc_status lc_data_open(const lc_model *model, const char *const *files, const lc_data_options *options, lc_data **data, lc_error *err) {
    static const lc_data_options defaults;
    lc_error local;
    if (!err) err = &local;
    lc_error_clear(err);
    if (!data) return lc_fail(err, LC_ARGUMENT, "lc_data_open needs a place for the data");
    *data = NULL;
    if (!model || !files || !files[0]) {
        lc_fail(err, LC_ARGUMENT, "lc_data_open needs a model and a file");
        lc_error_hint(err, "give the files of the samples");
        return LC_ARGUMENT;
    }
    lc_data *d = lc_calloc(1, sizeof *d);
    if (!d) return lc_fail_memory(err, "data");
    const lc_status status = open_all(d, model, files, options ? options : &defaults, err);
    if (status) lc_data_close(d);
    else *data = d;
    return status;
}

lc_status lc_data_from(lc_data_fn fill, void *user, lc_data **data, lc_error *err) {
    if (!data) return lc_fail(err, LC_ARGUMENT, "lc_data_from needs a place for the data");
    *data = NULL;
    if (!fill) return lc_fail(err, LC_ARGUMENT, "lc_data_from needs a function");
    lc_data *d = lc_calloc(1, sizeof *d);
    if (!d) return lc_fail_memory(err, "data");
    *d = (lc_data){.fill = fill, .user = user, .count = UINT64_MAX, .batch = 1};
    *data = d;
    return LC_OK;
}

void lc_data_close(lc_data *d) {
    if (!d) return;
    for (size_t i = 0; i < d->input_count && d->inputs; i++) {
        lc_series_close(&d->inputs[i].series);
        lc_array_deinit(&d->inputs[i].batch);
    }
    lc_labels_deinit(&d->labels);
    lc_arena_deinit(&d->arena);
    lc_free(d);
}

/* ---- into a session ------------------------------------------------------------------------------------------------------------------- */

/* Which input of the session each of ours is: by name when all are found, else in order. */
static lc_status match_inputs(const lc_data *d, const lc_session *session, size_t *index, lc_error *err) {
    const size_t n = lc_session_input_count(session);
    bool all = true;
    if (n != d->input_count) return lc_fail(err, LC_ARGUMENT, "the session has %zu inputs, the data is for %zu", n, d->input_count);
    for (size_t i = 0; i < n && all; i++) {
        const int32_t found = lc_session_find_input(session, d->inputs[i].want.name);
        all = found >= 0;
        index[i] = (size_t)found;
        for (size_t k = 0; k < i && all; k++) all = index[k] != index[i];
    }
    for (size_t i = 0; i < n && !all; i++) index[i] = i;
    return LC_OK;
}

/* What a session is to look like. */
typedef struct layout {
    size_t *index;
    int32_t (*dims)[LC_MAX_RANK]; /* by the session's inputs, as the next two */
    const int32_t **list;
    int32_t *ranks;
} layout;

static lc_status shape_session(const lc_data *d, const layout *l, lc_session *session, uint32_t rows, lc_error *err) {
    bool same = true;
    for (size_t i = 0; i < d->input_count; i++) {
        const size_t k = l->index[i];
        const lc_tensor_view v = lc_session_input(session, k);
        const lc_data_input *in = &d->inputs[i];
        const int32_t n = rows ? (int32_t)rows : in->batch.dims[0];
        LC_TRY(lc_series_named(lc_data_dims(in, &v, n, l->dims[k], &l->ranks[k], err), in->series.path, err));
        l->list[k] = l->dims[k];
        same = same && v.rank == l->ranks[k] && (v.data || v.type == LC_STRING);
        for (int32_t a = 0; a < l->ranks[k] && same; a++) same = v.dims[a] == l->dims[k][a];
    }
    return same ? LC_OK : lc_session_resize_inputs(session, l->list, l->ranks, err);
}

/* A session takes fewer samples than a batch when it can; a model that is made for one number of them gets the last one again and again. */
static lc_status write_batch(const lc_data *d, const layout *l, lc_session *session, lc_error *err) {
    lc_status status = shape_session(d, l, session, 0, err);
    if (status && !d->fill && d->last < d->batch && (status == LC_INVALID || status == LC_UNSUPPORTED)) {
        lc_error again;
        if (shape_session(d, l, session, d->batch, &again) == LC_OK) status = LC_OK;
    }
    for (size_t i = 0; i < d->input_count && status == LC_OK; i++) status = lc_data_put(&d->inputs[i], session, l->index[i], d->first, err);
    return status;
}

lc_status lc_data_again(lc_data *d, lc_session *session, lc_error *err) {
    if (!d || !session) return lc_fail(err, LC_ARGUMENT, "lc_data_again needs data and a session");
    if (!d->last) return lc_fail(err, LC_ARGUMENT, "lc_data_again: there was no batch yet, or no more");
    const size_t n = d->input_count + 1;
    layout l = {lc_calloc(n, sizeof *l.index), lc_calloc(n, sizeof *l.dims), lc_calloc(n, sizeof *l.list), lc_calloc(n, sizeof *l.ranks)};
    lc_status status = l.index && l.dims && l.list && l.ranks ? LC_OK : lc_fail_memory(err, "batch");
    if (status == LC_OK) status = match_inputs(d, session, l.index, err);
    if (status == LC_OK) status = write_batch(d, &l, session, err);
    lc_free(l.index);
    lc_free(l.dims);
    lc_free((void *)l.list);
    lc_free(l.ranks);
    return status;
}

/* ---- batches ---------------------------------------------------------------------------------------------------------------------------- */

/* What the caller's function wrote into an input. */
static lc_status keep_input(lc_data_input *in, const lc_session *session, size_t index, lc_budget *budget, lc_error *err) {
    const lc_tensor_view v = lc_session_input(session, index);
    const char *name = in->want.name;
    in->want = v;
    in->want.name = name;
    in->series.path = "data";
    in->whole = v.rank < 1;
    in->steps = v.scale > 0 && lc_dtype_bits(v.type) >= 8 && v.type != LC_FLOAT32;
    lc_array_deinit(&in->batch);
    if (v.type == LC_STRING || v.rank == LC_MAX_RANK) {
        lc_fail(err, LC_UNSUPPORTED, "input %.200s: data from a function is numbers, of at most %d dimensions", v.name, LC_MAX_RANK - 1);
        lc_error_hint(err, "strings can come from a .npy file: lc_data_open");
        return LC_UNSUPPORTED;
    }
    const int32_t one = 1;
    LC_TRY(lc_array_make(&in->batch, v.type, v.rank ? v.dims : &one, v.rank ? v.rank : 1, budget, err));
    if (in->batch.size != v.size) {
        lc_fail(err, LC_UNSUPPORTED, "input %.200s of %s has %zu bytes where its shape has %zu", v.name, lc_dtype_name(v.type), v.size,
                in->batch.size);
        lc_error_hint(err, "give the input its shape in the function that fills it: lc_session_resize_input");
        return LC_UNSUPPORTED;
    }
    if (v.size) memcpy(in->batch.data, v.data, v.size);
    return LC_OK;
}

static lc_status next_from_function(lc_data *d, lc_session *session, lc_error *err) {
    lc_budget budget;
    bool end = d->ended;
    if (end) return LC_OK;
    lc_error said = {0};
    const lc_status status = d->fill(d->user, d->calls, session, &end, &said);
    if (status && !said.message[0]) return lc_fail(err, status, "the function that gives the samples failed at sample %" PRIu64, d->calls);
    if (status && err) *err = said;
    if (status) return status;
    d->ended = end;
    if (end) return LC_OK;
    if (!d->inputs) {
        d->input_count = lc_session_input_count(session);
        d->inputs = lc_arena_array(&d->arena, d->input_count, sizeof *d->inputs);
        for (size_t i = 0; i < d->input_count && d->inputs; i++) {
            const char *name = lc_session_input(session, i).name;
            if (!(d->inputs[i].want.name = lc_arena_strndup(&d->arena, name, strlen(name)))) d->inputs = NULL;
        }
        if (!d->inputs) {
            d->input_count = 0;
            return lc_fail_memory(err, "data");
        }
    }
    if (d->input_count != lc_session_input_count(session))
        return lc_fail(err, LC_ARGUMENT, "the session has other inputs than the one before");
    lc_budget_init(&budget, &d->limits);
    for (size_t i = 0; i < d->input_count; i++) LC_TRY(keep_input(&d->inputs[i], session, i, &budget, err));
    d->calls++;
    d->last = 1;
    return LC_OK;
}

static lc_status read_batches(lc_data *d, uint32_t n, lc_error *err) {
    for (size_t i = 0; i < d->input_count; i++) {
        lc_data_input *in = &d->inputs[i];
        lc_array_deinit(&in->batch);
        LC_TRY(lc_series_named(in->series.kind->read(&in->series, n, &in->batch, err), in->series.path, err));
        if (in->series.pixels && in->batch.type == LC_UINT8)
            LC_TRY(lc_series_named(lc_data_scale_pictures(&in->series, &in->batch, err), in->series.path, err));
    }
    return LC_OK;
}

lc_status lc_data_next(lc_data *d, lc_session *session, uint32_t *samples, lc_error *err) {
    lc_error local;
    if (!err) err = &local;
    lc_error_clear(err);
    if (samples) *samples = 0;
    if (!d || !session || !samples)
        return lc_fail(err, LC_ARGUMENT, "lc_data_next needs data, a session and a place for the number of samples");
    d->first += d->last;
    d->last = 0;
    if (d->fill) {
        LC_TRY(next_from_function(d, session, err));
        *samples = (uint32_t)d->last;
        return LC_OK;
    }
    const uint64_t left = d->count - d->first;
    const uint32_t n = left < d->batch ? (uint32_t)left : d->batch;
    if (n == 0) return LC_OK;
    LC_TRY(read_batches(d, n, err));
    d->last = n;
    LC_TRY(lc_data_again(d, session, err));
    *samples = n;
    return LC_OK;
}

lc_status lc_data_rewind(lc_data *d, lc_error *err) {
    if (!d) return lc_fail(err, LC_ARGUMENT, "lc_data_rewind needs data");
    d->first = d->last = d->calls = 0;
    d->ended = false;
    for (size_t i = 0; i < d->input_count && !d->fill; i++)
        LC_TRY(lc_series_named(d->inputs[i].series.kind->rewind(&d->inputs[i].series, err), d->inputs[i].series.path, err));
    return LC_OK;
}

const char *lc_data_signature(const lc_data *d) { return d ? d->signature : NULL; }

const char *lc_data_unscaled(const lc_data *d) {
    for (size_t i = 0; d && i < d->input_count; i++) {
        const lc_data_input *in = &d->inputs[i];
        if (in->series.type == LC_UINT8 && !in->series.pixels && in->want.type == LC_FLOAT32) return in->want.name;
    }
    return NULL;
}

uint64_t lc_data_count(const lc_data *d) { return d ? d->count : 0; }

bool lc_data_has_labels(const lc_data *d) { return d && d->labels.count; }

const int64_t *lc_data_labels(const lc_data *d) { return d && d->labels.count && d->last ? d->labels.of + d->first : NULL; }

const char *lc_data_class(const lc_data *d, int64_t label) { return d ? lc_labels_name(&d->labels, label) : NULL; }
