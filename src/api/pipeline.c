/*
 * pipeline.c: lc_pipeline_from_files: the files of lc_data_open (src/source/data.h) as the supply of a pipeline (src/train/pipeline.h).
 *
 * Every input and target has a series. Where all of them can be read in any order (pictures, arrays that are not packed) samples are read one by
 * one, by the pipeline's threads; else some at a time, in order. Types that nothing trains on become others on the way: other floats float32, wide
 * integers int32, and so all integers of targets. Labels that come with the inputs are a target int32 of their own.
 */
#include "source/data.h"
#include "source/dataset.h"
#include "source/rules.h"
#include "train/supply.h"

#include <string.h>

#define CHUNK_BYTES ((size_t)1 << 20)
#define CHUNK_MOST 1024

typedef struct part {
    const char *name; /* NULL: it has none */
    lc_series series;
    lc_array chunk; /* of samples that were read in order */
    bool target;
    int32_t picture[3]; /* what rows of numbers are; 0: they stay rows */
} part;

typedef struct files {
    lc_arena arena;
    lc_limits limits;
    part *parts; /* [file_count]: inputs, targets, weights */
    uint32_t x_count, y_count, file_count;
    bool labelled; /* the only target is of the labels */
    bool weighted; /* the last part is the weight */
    lc_labels labels;
    uint64_t count;
    const char **names;
    uint64_t first; /* of the chunk */
    uint32_t rows, chunk;
    bool skips; /* lc_pipeline_options.skip_corrupt */
} files;

static void close_files(void *user) {
    files *f = user;
    for (uint32_t i = 0; i < f->file_count && f->parts; i++) {
        lc_series_close(&f->parts[i].series);
        lc_array_deinit(&f->parts[i].chunk);
    }
    lc_labels_deinit(&f->labels);
    lc_arena_deinit(&f->arena);
    lc_free(f);
}

/* ---- types ----------------------------------------------------------------------------------------------------------- */

static bool is_real(lc_dtype type) { return type == LC_FLOAT64 || type == LC_FLOAT16 || type == LC_BFLOAT16; }

static lc_dtype trained_type(lc_dtype type, bool target) {
    if (is_real(type)) return LC_FLOAT32;
    if (type == LC_INT64 || type == LC_UINT64 || type == LC_UINT32) return LC_INT32;
    const bool small = type == LC_UINT8 || type == LC_INT8 || type == LC_UINT16 || type == LC_INT16 || type == LC_BOOL;
    return target && small ? LC_INT32 : type;
}

static lc_status convert(const part *p, const lc_array *a, size_t n, void *out, lc_error *err) {
    for (size_t i = 0; i < n; i++) {
        const double v = lc_data_real(a, i);
        if (is_real(a->type)) {
            ((float *)out)[i] = (float)v;
        } else if (v < INT32_MIN || v > INT32_MAX) {
            LC_SOURCE_FAIL(err, LC_INVALID, DATA_VALUE, LC_NO_OFFSET, "%s: the number %.17g is wider than 32 bits", p->series.path, v);
            lc_error_hint(err, "whole numbers are trained on as int32; save others as float32");
            return LC_INVALID;
        } else {
            ((int32_t *)out)[i] = (int32_t)v;
        }
    }
    return LC_OK;
}

static size_t element_count(const lc_array *a) { return a->size / (lc_dtype_bits(a->type) / 8); }

/* ---- samples ---------------------------------------------------------------------------------------------------------- */

/* A value of part `i` becomes the sample's, in memory of the sample. */
static lc_status set_part(const part *p, const lc_array *a, lc_sample *s, uint32_t i, lc_error *err) {
    const lc_dtype type = trained_type(a->type, p->target);
    void *out = lc_sample_set(s, i, type, p->picture[0] ? p->picture : a->dims, p->picture[0] ? 3 : a->rank);
    if (!out) return lc_fail_memory(err, "sample");
    if (type != a->type) return convert(p, a, element_count(a), out, err);
    if (a->size) memcpy(out, a->data, a->size);
    return LC_OK;
}

/* Row of a chunk as a sample. */
static lc_array row_of(const lc_array *chunk, uint32_t row) {
    lc_array a = *chunk;
    a.rank--;
    memmove(a.dims, a.dims + 1, (size_t)a.rank * sizeof *a.dims);
    a.size = chunk->size / (size_t)chunk->dims[0];
    if (a.size) a.data = (uint8_t *)chunk->data + row * a.size;
    return a;
}

static lc_status read_part(part *p, const files *f, uint64_t index, lc_sample *s, uint32_t i, bool any_order, lc_error *err) {
    lc_array one, row;
    lc_status status = LC_OK;
    if (any_order) LC_TRY(lc_series_named(p->series.kind->at(&p->series, index, &one, err), p->series.path, err));
    row = any_order ? one : row_of(&p->chunk, (uint32_t)(index - f->first));
    if (i == f->x_count + f->y_count) s->weight = (float)lc_data_real(&row, 0);
    else status = set_part(p, &row, s, i, err);
    if (any_order) lc_array_deinit(&one);
    return status;
}

static lc_status set_label(const files *f, uint64_t index, lc_sample *s, lc_error *err) {
    int32_t *label = lc_sample_set(s, f->x_count, LC_INT32, NULL, 0);
    if (!label) return lc_fail_memory(err, "sample");
    *label = (int32_t)f->labels.of[index];
    return LC_OK;
}

/* A part of the sample for each file, where labels are none. */
static uint32_t part_of(const files *f, uint32_t file) { return f->labelled && file == f->x_count ? file + 1 : file; }

static lc_status read_any(void *user, uint64_t index, lc_sample *s, bool *end, lc_error *err) {
    files *f = user;
    *end = false;
    for (uint32_t i = 0; i < f->file_count; i++) LC_TRY(read_part(&f->parts[i], f, index, s, part_of(f, i), true, err));
    return f->labelled ? set_label(f, index, s, err) : LC_OK;
}

/* The next samples of every series, also of those behind one that failed: they stay beside each other. */
static lc_status read_chunk(files *f, uint64_t index, lc_error *err) {
    const uint64_t left = f->count - index;
    lc_status status = LC_OK;
    f->first = index;
    f->rows = left < f->chunk ? (uint32_t)left : f->chunk;
    for (uint32_t i = 0; i < f->file_count; i++) {
        part *p = &f->parts[i];
        lc_array_deinit(&p->chunk);
        const lc_status one = p->series.kind->read(&p->series, f->rows, &p->chunk, status ? NULL : err);
        if (one && !status) status = lc_series_named(one, p->series.path, err);
    }
    if (status) f->rows = 0;
    return status;
}

static lc_status read_in_order(void *user, uint64_t index, lc_sample *s, bool *end, lc_error *err) {
    files *f = user;
    *end = index >= f->count;
    if (*end) return LC_OK;
    if (index < f->first || index >= f->first + f->rows) LC_TRY(read_chunk(f, index, err));
    for (uint32_t i = 0; i < f->file_count; i++) LC_TRY(read_part(&f->parts[i], f, index, s, part_of(f, i), false, err));
    return f->labelled ? set_label(f, index, s, err) : LC_OK;
}

static lc_status rewind_files(void *user, lc_error *err) {
    files *f = user;
    f->first = f->rows = 0;
    for (uint32_t i = 0; i < f->file_count; i++) {
        lc_series *s = &f->parts[i].series;
        LC_TRY(lc_series_named(s->kind->rewind(s, err), s->path, err));
    }
    return LC_OK;
}

static void where(void *user, uint64_t index, char *text, size_t size) {
    const files *f = user;
    const lc_series *s = &f->parts[0].series;
    snprintf(text, size, "%s", s->kind->file ? s->kind->file(s, index) : s->path);
}

static const char *class_name(void *user, int64_t label) { return lc_labels_name(&((const files *)user)->labels, label); }

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

/* "NAME=PATH" or "PATH", which may hold a '=' itself. */
static lc_status split_name(files *f, const char *text, part *p, lc_error *err) {
    const char *equals = strchr(text, '=');
    if (equals && equals > text && !memchr(text, '/', (size_t)(equals - text)) && !lc_path_is_file(text) && !lc_path_is_dir(text)) {
        p->name = lc_arena_strndup(&f->arena, text, (size_t)(equals - text));
        if (!p->name) return lc_fail_memory(err, "names");
        text = equals + 1;
    }
    const char *path = lc_arena_strndup(&f->arena, text, strlen(text));
    if (!path) return lc_fail_memory(err, "names");
    p->series = (lc_series){.path = path, .limits = f->limits};
    return LC_OK;
}

/* What the name of a data set stands for. */
static lc_status find_dataset(files *f, part *p, const char **labels, lc_error *err) {
    const lc_dataset *set;
    const char *path, *beside;
    LC_TRY(lc_dataset_resolve(p->series.path, &f->arena, &set, &path, &beside, err));
    if (!set) return LC_OK;
    p->series.path = path;
    if (beside) *labels = beside;
    if (f->labels.order) return LC_OK;
    f->labels.order = set->classes;
    f->labels.order_count = set->class_count;
    f->labels.order_path = set->name;
    return LC_OK;
}

/* Samples that may be trained on, along the first dimension of what is there. */
static lc_status fit_series(part *p, const lc_pipeline_files *given, lc_error *err) {
    lc_series *s = &p->series;
    s->plan = (lc_picture_plan){
        given->height ? given->height : 256, given->width ? given->width : 256, given->channels ? given->channels : 3, {.scale = 1}};
    if (!s->split && s->rank == 0) {
        LC_SOURCE_FAIL(err, LC_INVALID, DATA_SHAPE, LC_NO_OFFSET, "the file holds one number, not samples");
        lc_error_hint(err, "its first dimension counts the samples: [samples, ...]");
        return LC_INVALID;
    }
    if (!s->split) LC_TRY(lc_series_split(s, false, err));
    for (int32_t d = 0; d < s->rank; d++)
        if (s->dims[d] == 0) {
            LC_SOURCE_FAIL(err, LC_INVALID, DATA_SHAPE, LC_NO_OFFSET, "a sample is %s: it holds nothing",
                           lc_data_shape(s->type, s->dims, s->rank).text);
            lc_error_hint(err, "give columns, or elements, beside the labels");
            return LC_INVALID;
        }
    const int32_t shape[2] = {s->plan.height, s->plan.width};
    const bool flat = !p->target && given->height && given->width && s->rank == 1;
    if (flat && (uint64_t)shape[0] * (uint64_t)shape[1] * (uint64_t)s->plan.channels == (uint64_t)s->dims[0])
        memcpy(p->picture, (int32_t[]){shape[0], shape[1], s->plan.channels}, sizeof p->picture);
    if (lc_data_is_number(s->type)) return LC_OK;
    LC_SOURCE_FAIL(err, LC_UNSUPPORTED, DATA_SHAPE, LC_NO_OFFSET, "%s holds %s, which cannot be trained on", p->name ? p->name : "the file",
                   lc_dtype_name(s->type));
    lc_error_hint(err, "turn it into numbers first");
    return LC_UNSUPPORTED;
}

static lc_status open_part(files *f, part *p, const lc_pipeline_files *given, lc_series_wish wish, lc_error *err) {
    wish.skips = f->skips;
    wish.target = p->target;
    wish.input = (lc_tensor_view){.name = p->name ? p->name : p->target ? "y" : "x_train", .type = LC_FLOAT32, .any_rank = true};
    wish.named = true; /* each has a file of its own */
    LC_TRY(lc_series_named(lc_series_open(&p->series, &wish, err), p->series.path, err));
    LC_TRY(lc_series_named(fit_series(p, given, err), p->series.path, err));
    if (p == f->parts) f->count = p->series.count;
    if (p->series.count == f->count) return LC_OK;
    LC_SOURCE_FAIL(err, LC_INVALID, DATA_COUNT, LC_NO_OFFSET, "%s has %llu samples, %s has %llu", f->parts->series.path,
                   (unsigned long long)f->count, p->series.path, (unsigned long long)p->series.count);
    lc_error_hint(err, "all files must have equally many samples, in the same order");
    return LC_INVALID;
}

static lc_status check_labels(files *f, const char *path, lc_error *err) {
    if (f->labels.count != f->count) {
        LC_SOURCE_FAIL(err, LC_INVALID, DATA_COUNT, LC_NO_OFFSET, "%s: %llu labels for the %llu samples of %s", path,
                       (unsigned long long)f->labels.count, (unsigned long long)f->count, f->parts->series.path);
        lc_error_hint(err, "give one label for each sample, in the same order");
        return LC_INVALID;
    }
    for (uint64_t i = 0; i < f->count; i++)
        if (f->labels.of[i] < INT32_MIN || f->labels.of[i] > INT32_MAX) {
            LC_SOURCE_FAIL(err, LC_INVALID, DATA_VALUE, LC_NO_OFFSET, "%s: label %lld of sample %llu is no class", path,
                           (long long)f->labels.of[i], (unsigned long long)i);
            lc_error_hint(err, "classes are counted from 0");
            return LC_INVALID;
        }
    f->labelled = true;
    f->y_count = 1;
    return LC_OK;
}

/* What the first line of a file is. */
typedef enum first_line { NO_TEXT, ONE_FIELD, SEVERAL_FIELDS } first_line;

static first_line look(const files *f, const char *path) {
    lc_map map;
    lc_stream stream;
    lc_cursor head = {0};
    first_line found = NO_TEXT;
    if (lc_map_open(&map, path, &f->limits, NULL)) return NO_TEXT;
    if (lc_stream_open(&stream, lc_cursor_make(map.data, map.size), NULL) == LC_OK) {
        if (lc_stream_head(&stream, &head, NULL) == LC_OK && lc_cursor_left(&head)) found = ONE_FIELD;
        while (found && lc_cursor_left(&head)) {
            const uint8_t byte = lc_read_u8(&head);
            if (byte == '\n') break;
            if (byte == ',' || byte == ';' || byte == '\t') found = SEVERAL_FIELDS;
            else if (byte < ' ' && byte != '\r') found = NO_TEXT;
        }
        lc_stream_close(&stream);
    }
    lc_map_close(&map);
    return found;
}

static lc_status open_inputs(files *f, const lc_pipeline_files *given, const char *const *others, size_t other_count, const char **labels,
                             lc_budget *budget, lc_error *err) {
    for (uint32_t i = 0; i < f->x_count; i++) {
        part *p = &f->parts[i];
        LC_TRY(find_dataset(f, p, labels, err));
        const bool exact = f->x_count > 1 && p->name && lc_series_is_table(p->series.path, &f->limits);
        LC_TRY(open_part(f, p, given,
                         (lc_series_wish){.only = f->x_count == 1,
                                          .exact = exact,
                                          .others = others,
                                          .other_count = other_count,
                                          .labels = given->y ? NULL : &f->labels,
                                          .budget = budget},
                         err));
    }
    return LC_OK;
}

static size_t list_length(const char *const *list) {
    size_t n = 0;
    while (list && list[n] && n < 65535) n++;
    return n;
}

static lc_status open_targets(files *f, const lc_pipeline_files *given, uint32_t targets, lc_budget *budget, lc_error *err) {
    for (uint32_t i = f->x_count; i < f->x_count + targets; i++) {
        part *p = &f->parts[i];
        const first_line line = p->name ? NO_TEXT : look(f, p->series.path);
        if (targets == 1 && line == ONE_FIELD) {
            const lc_status status = lc_labels_load(&f->labels, p->series.path, &f->limits, err);
            if (status == LC_OK) {
                f->file_count = f->x_count; /* it is held whole, and is no part */
                return check_labels(f, p->series.path, err);
            }
            if (status != LC_INVALID || f->labels.order) return status;
            lc_labels_deinit(&f->labels); /* they are numbers */
        }
        p->target = true;
        const bool table = line == NO_TEXT && lc_series_is_table(p->series.path, &f->limits);
        LC_TRY(open_part(f, p, given, (lc_series_wish){.only = !table, .exact = table, .budget = budget}, err));
    }
    f->y_count = targets;
    return LC_OK;
}

static lc_status open_weights(files *f, const lc_pipeline_files *given, lc_budget *budget, lc_error *err) {
    if (!given->weights) return LC_OK;
    part *p = &f->parts[f->file_count++];
    *p = (part){0};
    LC_TRY(split_name(f, given->weights, p, err));
    LC_TRY(open_part(f, p, given, (lc_series_wish){.only = true, .exact = p->name != NULL, .budget = budget}, err));
    f->weighted = true;
    uint64_t each = 1;
    for (int32_t d = 0; d < p->series.rank; d++) each *= (uint64_t)(p->series.dims[d] == 1);
    if (each) return LC_OK;
    LC_SOURCE_FAIL(err, LC_INVALID, DATA_SHAPE, LC_NO_OFFSET, "%s holds %s for each sample, not a weight", p->series.path,
                   lc_data_shape(p->series.type, p->series.dims, p->series.rank).text);
    lc_error_hint(err, "give float32[samples]");
    return LC_INVALID;
}

/* Parts and their names, before any file is opened. */
static lc_status list_parts(files *f, const lc_pipeline_files *given, uint32_t targets, const char **others, lc_error *err) {
    f->parts = lc_arena_array(&f->arena, (size_t)f->x_count + targets + 1, sizeof *f->parts);
    f->names = lc_arena_array(&f->arena, (size_t)f->x_count + targets + 1, sizeof *f->names);
    if (!f->parts || !f->names) return lc_fail_memory(err, "files");
    f->file_count = f->x_count + targets;
    for (uint32_t i = 0; i < f->file_count; i++) {
        LC_TRY(split_name(f, i < f->x_count ? given->x[i] : given->y[i - f->x_count], &f->parts[i], err));
        f->names[i] = f->parts[i].name;
        if (i >= f->x_count) others[i - f->x_count] = f->names[i] ? f->names[i] : "y";
    }
    return LC_OK;
}

/* Samples at a time: some together where they are small, one where a bad one is to be left out alone. */
static uint32_t chunk_size(const files *f) {
    size_t bytes = 1;
    for (uint32_t i = 0; i < f->file_count; i++) {
        const lc_series *s = &f->parts[i].series;
        size_t size = lc_dtype_bits(s->type) / 8;
        const int32_t picture[3] = {s->plan.height, s->plan.width, s->plan.channels};
        for (int32_t d = 0; d < s->rank; d++)
            if (!lc_mul_size(size, (size_t)(s->pixels && s->rank == 3 ? picture[d] : s->dims[d]), &size)) size = SIZE_MAX / 2;
        if (!lc_add_size(bytes, size, &bytes)) bytes = SIZE_MAX / 2;
    }
    const size_t n = CHUNK_BYTES / bytes;
    return f->skips || n < 1 ? 1 : n > CHUNK_MOST ? CHUNK_MOST : (uint32_t)n;
}

static lc_status open_files(files *f, const lc_pipeline_files *given, lc_supply *supply, lc_error *err) {
    lc_budget budget;
    const char *labels = NULL;
    const uint32_t targets = (uint32_t)list_length(given->y);
    lc_budget_init(&budget, &f->limits);
    f->x_count = (uint32_t)list_length(given->x);
    const char **others = lc_arena_array(&f->arena, targets + 1, sizeof *others);
    if (!others) return lc_fail_memory(err, "files");
    if (given->height < 0 || given->width < 0 || (given->channels && given->channels != 1 && given->channels != 3)) {
        lc_fail(err, LC_ARGUMENT, "pictures of %d x %d with %d channels", (int)given->height, (int)given->width, (int)given->channels);
        lc_error_hint(err, "give a height and width above 0, and 1 or 3 channels");
        return LC_ARGUMENT;
    }
    LC_TRY(list_parts(f, given, targets, others, err));
    if (given->classes) {
        LC_TRY(lc_classes_load(given->classes, &f->limits, &f->arena, &f->labels.order, &f->labels.order_count, err));
        f->labels.order_path = lc_arena_strndup(&f->arena, given->classes, strlen(given->classes));
        if (!f->labels.order_path) return lc_fail_memory(err, "classes");
    }
    LC_TRY(open_inputs(f, given, others, targets, &labels, &budget, err));
    if (targets) LC_TRY(open_targets(f, given, targets, &budget, err));
    else if (!f->labels.count && labels) LC_TRY(lc_labels_load(&f->labels, labels, &f->limits, err));
    if (!targets && f->labels.count) LC_TRY(check_labels(f, labels ? labels : f->parts->series.path, err));
    LC_TRY(open_weights(f, given, &budget, err));
    bool any_order = true;
    for (uint32_t i = 0; i < f->file_count; i++) any_order = any_order && f->parts[i].series.any_order;
    f->chunk = chunk_size(f);
    *supply = (lc_supply){.user = f,
                          .count = f->count,
                          .any_order = any_order,
                          .x_count = f->x_count,
                          .y_count = f->y_count,
                          .weighted = f->weighted,
                          .names = f->names,
                          .read = any_order ? read_any : read_in_order,
                          .rewind = rewind_files,
                          .where = where,
                          .class_name = class_name,
                          .close = close_files};
    return LC_OK;
}

lc_status lc_pipeline_from_files(const lc_pipeline_files *given, const lc_pipeline_options *options, lc_pipeline **pipeline,
                                 lc_error *err) {
    lc_supply supply;
    lc_error local;
    if (!err) err = &local;
    lc_error_clear(err);
    if (!pipeline) return lc_fail(err, LC_ARGUMENT, "lc_pipeline_from_files needs a place for the pipeline");
    *pipeline = NULL;
    if (!given || !given->x || !given->x[0]) {
        lc_fail(err, LC_ARGUMENT, "lc_pipeline_from_files needs a file");
        lc_error_hint(err, "give the files of the samples");
        return LC_ARGUMENT;
    }
    files *f = lc_calloc(1, sizeof *f);
    if (!f) return lc_fail_memory(err, "files");
    if (options) f->limits = options->limits;
    f->skips = options && options->skip_corrupt;
    const lc_status status = open_files(f, given, &supply, err);
    if (status == LC_OK) return lc_pipeline_open(&supply, options, pipeline, err);
    close_files(f);
    return status;
}
