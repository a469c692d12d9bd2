/*
 * data_record.c: samples from TFRecord files of tf.train.Example, as they are or packed by gzip or zlib, in one file or in several
 * (data_shards.c).
 *
 * A feature is a sample of an input: the one with the input's name; for the only input also "image", "image_raw", "image/encoded", "x" or
 * "features", or the only feature that is no label. Its class is "label", "y", "class" or "image/class/label". Bytes that are a PNG or JPEG
 * file are a picture; other bytes are elements uint8, and a picture when there are as many as the input [height, width, channels] has. All
 * records must have the feature in one form and length.
 *
 * The files are read once when they are opened, for the labels and to count the records; then again, a record at a time. Both checksums of a
 * record are compared each time (not in the fuzzers' builds, which cannot guess them, but that of the length, by which the file is known).
 *
 * Format: tensorflow/core/lib/io/record_writer.h, tensorflow/core/example/feature.proto.
 */
#include "source/data.h"

#include "base/crc32c.h"
#include "proto/proto.h"
#include "source/rules.h"

#include <string.h>

#define HEAD 12 /* bytes: length, its checksum */
#define STEP ((size_t)1 << 20)

typedef enum feature_form { FORM_NONE, FORM_PICTURE, FORM_BYTES, FORM_INTS, FORM_FLOATS } feature_form;

typedef struct records {
    lc_arena arena; /* of the paths and the name */
    lc_shards shards;
    size_t shard; /* the next one */
    lc_map map;   /* of the file that is read */
    lc_stream stream;
    bool open;
    uint8_t *record; /* owned */
    size_t room, size;
    uint64_t number; /* of the record in its file, from 0 */
    bool passed;     /* whatever was wrong with the last record, the next one can be read */
    lc_arena message;
    const char *name; /* of the feature */
    feature_form form;
    size_t length; /* of its list */
} records;

static void close_shard(records *r) {
    lc_stream_close(&r->stream);
    lc_map_close(&r->map);
    r->open = false;
}

static void close_records(lc_series *s) {
    records *r = s->state;
    if (!r) return;
    close_shard(r);
    lc_free(r->record);
    lc_arena_deinit(&r->message);
    lc_arena_deinit(&r->arena);
    lc_free(r);
    s->state = NULL;
}

/* ---- records ------------------------------------------------------------------------------------------------------- */

bool lc_record_probe(lc_cursor c) {
    const uint8_t *head = lc_read_bytes(&c, HEAD);
    lc_cursor crc = lc_cursor_make(head ? head + 8 : NULL, head ? 4 : 0);
    return head && lc_read_u32(&crc) == lc_crc32c_mask(lc_crc32c(0, head, 8));
}

lc_status lc_record_stream(lc_stream *stream, lc_cursor bytes, lc_error *err) {
    lc_cursor c = bytes;
    const uint8_t first = lc_read_u8(&c), second = lc_read_u8(&c);
    if (!c.failed && (first & 15) == 8 && (first * 256 + second) % 31 == 0 && !lc_record_probe(bytes))
        return lc_stream_open_zlib(stream, bytes, err);
    return lc_stream_open(stream, bytes, err);
}

static const char *path_of(const records *r) { return r->shards.paths[r->shard]; }

static lc_status damaged(const records *r, const char *what, lc_error *err) {
    LC_SOURCE_FAIL(err, LC_INVALID, RECORD_DATA, LC_NO_OFFSET, "%s: record %llu %s", path_of(r), (unsigned long long)r->number, what);
    lc_error_hint(err, "copy or download the file again");
    return LC_INVALID;
}

/* The next n bytes, into r->record behind the first `at`. Memory grows as they come: a length is only believed when its bytes are there. */
static lc_status read_bytes(lc_series *s, records *r, uint64_t n, lc_error *err) {
    lc_budget budget;
    uint64_t got;
    size_t want, done = 0;
    lc_budget_init(&budget, &s->limits);
    LC_TRY(lc_budget_memory(&budget, n, "a record", err));
    if (!r->stream.form && n > lc_cursor_left(&r->stream.window)) return damaged(r, "is cut short", err);
    if (!lc_u64_to_size(n, &want)) return lc_fail_memory(err, "record");
    while (done < want) {
        const size_t step = want - done < STEP + done ? want - done : STEP + done;
        if (done + step > r->room) {
            uint8_t *more = lc_realloc(r->record, done + step);
            if (!more) return lc_fail_memory(err, "record");
            r->record = more;
            r->room = done + step;
        }
        LC_TRY(lc_stream_read(&r->stream, r->record + done, step, &got, err));
        if (got < step) return damaged(r, "is cut short", err);
        done += step;
    }
    r->size = want;
    return LC_OK;
}

static lc_status read_record(lc_series *s, records *r, const uint8_t *head, lc_error *err) {
    uint8_t tail[4];
    uint64_t got;
    lc_cursor length = lc_cursor_make(head, HEAD);
    if (!lc_record_probe(length)) return damaged(r, "has a length with a wrong checksum", err);
    LC_TRY(read_bytes(s, r, lc_read_u64(&length), err));
    LC_TRY(lc_stream_read(&r->stream, tail, sizeof tail, &got, err));
    if (got < sizeof tail) return damaged(r, "is cut short", err);
    r->passed = true;
#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    lc_cursor crc = lc_cursor_make(tail, sizeof tail);
    if (lc_read_u32(&crc) != lc_crc32c_mask(lc_crc32c(0, r->record, r->size))) return damaged(r, "has a wrong checksum", err);
#endif
    return LC_OK;
}

/* The next record of all files; *example NULL: there are no more. Valid until the next call. */
static lc_status next_example(lc_series *s, records *r, lc_pb_Example **example, lc_error *err) {
    uint8_t head[HEAD];
    uint64_t got = 0;
    lc_budget budget;
    *example = NULL;
    r->passed = false;
    lc_arena_deinit(&r->message);
    lc_budget_init(&budget, &s->limits);
    while (r->shard < r->shards.count) {
        if (!r->open) {
            LC_TRY(lc_map_open(&r->map, path_of(r), &s->limits, err));
            r->open = true;
            r->number = 0;
            LC_TRY(lc_record_stream(&r->stream, lc_cursor_make(r->map.data, r->map.size), err));
        }
        LC_TRY(lc_stream_read(&r->stream, head, HEAD, &got, err));
        if (got == 0) {
            close_shard(r);
            r->shard++;
            continue;
        }
        if (got < HEAD) return damaged(r, "is cut short", err);
        void *message = NULL;
        lc_status status = read_record(s, r, head, err);
        if (status) {
            r->number += r->passed;
            return status;
        }
        status = lc_pb_read(LC_PB_Example, r->record, r->size, &budget, &r->message, &message, err);
        if (status && err) {
            lc_error_prefix(err, "%s: record %llu", path_of(r), (unsigned long long)r->number);
            if (status == LC_INVALID) lc_error_hint(err, "records must be tf.train.Example; if they are, copy or download the file again");
        }
        *example = status ? NULL : message;
        r->number++;
        return status;
    }
    return LC_OK;
}

/* ---- features -------------------------------------------------------------------------------------------------------- */

static const char *const sample_names[] = {"image", "image_raw", "image/encoded", "x", "features"};
static const char *const label_names[] = {"label", "y", "class", "image/class/label"};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static const lc_pb_Feature *find_feature(const lc_pb_Example *e, lc_str name) {
    const lc_pb_Features_FeatureEntry *entry = e->features ? lc_pb_find(e->features->feature, name) : NULL;
    return entry ? entry->value : NULL;
}

static size_t list_length(const lc_pb_Feature *f) {
    return f->bytes_list ? f->bytes_list->value.n : f->float_list ? f->float_list->value.n : f->int64_list ? f->int64_list->value.n : 0;
}

static bool is_png(lc_str b) { return b.size > 8 && memcmp(b.data, "\x89PNG\r\n\x1a\n", 8) == 0; }
static bool is_jpeg(lc_str b) { return b.size > 3 && memcmp(b.data, "\xff\xd8\xff", 3) == 0; }

static feature_form form_of(const lc_pb_Feature *f, size_t *length) {
    *length = list_length(f);
    if (*length == 0) return FORM_NONE;
    if (f->float_list) return FORM_FLOATS;
    if (f->int64_list) return FORM_INTS;
    if (*length != 1) return FORM_NONE;
    const lc_str b = f->bytes_list->value.data[0];
    *length = b.size;
    if (!is_png(b) && !is_jpeg(b)) return b.size ? FORM_BYTES : FORM_NONE;
    *length = 1;
    return FORM_PICTURE;
}

/* Says where a record is: the one read last. */
static lc_status bad_feature(const records *r, const char *name, const char *what, lc_error *err) {
    LC_SOURCE_FAIL(err, LC_INVALID, RECORD_FEATURE, LC_NO_OFFSET, "%s: record %llu: feature \"%.100s\" %s", path_of(r),
                   (unsigned long long)(r->number - 1), name, what);
    lc_error_hint(err, "all records must have it in one form: one picture (.png, .jpg), bytes, or equally many numbers");
    return LC_INVALID;
}

/* Decides by the first record which feature it is. */
static lc_status choose_feature(records *r, const lc_pb_Example *e, const lc_series_wish *wish, lc_error *err) {
    lc_str name = lc_str_of(wish->input.name), only = {0};
    const char *colon = name.size ? memchr(name.data, ':', name.size) : NULL;
    size_t others = 0;
    const bool guess = (wish->only || wish->named) && !wish->exact;
    if (!find_feature(e, name) && colon) name.size = (size_t)(colon - name.data); /* "x:0" */
    for (size_t i = 0; i < COUNT(sample_names) && guess && !find_feature(e, name); i++)
        if (find_feature(e, lc_str_of(sample_names[i]))) name = lc_str_of(sample_names[i]);
    lc_text names = {0};
    for (uint32_t i = 0; e->features && i < e->features->feature.n; i++) {
        const lc_str key = e->features->feature.data[i].key;
        bool label = false;
        for (size_t k = 0; k < COUNT(label_names); k++) label = label || lc_str_is(key, label_names[k]);
        if (!label) only = key, others++;
        if (names.size > 300) continue;
        lc_text_add(&names, i ? ", " : "");
        lc_text_add_safe(&names, key.data, key.size < 60 ? key.size : 60);
    }
    if (!find_feature(e, name) && others == 1 && guess) name = only;
    lc_status status = LC_OK;
    if (!find_feature(e, name)) {
        status = lc_fail(err, LC_NOT_FOUND, "the records have no feature \"%.200s\"", wish->input.name);
        lc_error_hint(err, "name the features as the model's inputs; the first record has: %s", names.data ? names.data : "none");
    } else if (!(r->name = lc_arena_strndup(&r->arena, name.data, name.size))) {
        status = lc_fail_memory(err, "data");
    }
    lc_text_deinit(&names);
    return status;
}

/* The class of a record, as text. */
static lc_status add_label(records *r, const lc_pb_Example *e, lc_labels *labels, lc_budget *budget, lc_error *err) {
    const lc_pb_Feature *f = NULL;
    const char *name = label_names[0];
    char text[48];
    for (size_t i = 0; i < COUNT(label_names) && !f; i++)
        if ((f = find_feature(e, lc_str_of(label_names[i])))) name = label_names[i];
    if (!f) return LC_OK;
    const size_t n = list_length(f);
    if (n == 0 || (f->bytes_list && n != 1)) return bad_feature(r, name, "is not one label", err);
    if (f->bytes_list) return lc_labels_add(labels, f->bytes_list->value.data[0], budget, err);
    size_t best = 0;
    for (size_t i = 1; i < n; i++) /* a row with a 1 at the class */
        if (f->float_list ? f->float_list->value.data[i] > f->float_list->value.data[best]
                          : f->int64_list->value.data[i] > f->int64_list->value.data[best])
            best = i;
    if (n > 1) snprintf(text, sizeof text, "%zu", best);
    else if (f->float_list) snprintf(text, sizeof text, "%.9g", (double)f->float_list->value.data[0]);
    else snprintf(text, sizeof text, "%lld", (long long)f->int64_list->value.data[0]);
    return lc_labels_add(labels, lc_str_of(text), budget, err);
}

static lc_status check_feature(records *r, const lc_pb_Example *e, const lc_pb_Feature **feature, lc_error *err) {
    size_t length = 0;
    *feature = find_feature(e, lc_str_of(r->name));
    if (!*feature) return bad_feature(r, r->name, "is missing", err);
    const feature_form form = form_of(*feature, &length);
    if (form == FORM_NONE) return bad_feature(r, r->name, "is neither one value of bytes nor numbers", err);
    if (!r->form) {
        r->form = form;
        r->length = length;
    }
    if (form != r->form) return bad_feature(r, r->name, "has another form than in the first record", err);
    if (length != r->length) return bad_feature(r, r->name, "has another length than in the first record", err);
    return LC_OK;
}

/* ---- samples ----------------------------------------------------------------------------------------------------------- */

static lc_status decode(lc_str b, lc_budget *budget, lc_array *image, lc_error *err) {
    LC_TRY(is_png(b) ? lc_array_read_png(b.data, b.size, budget, image, err) : lc_array_read_jpeg(b.data, b.size, budget, image, err));
    if (image->type == LC_UINT8 && image->rank == 3 && image->size && (image->dims[2] == 1 || image->dims[2] == 3)) return LC_OK;
    lc_array_deinit(image);
    return LC_SOURCE_FAIL(err, LC_INVALID, RECORD_FEATURE, LC_NO_OFFSET, "the picture is neither grey nor red, green and blue");
}

/* The picture of the record becomes row i of the batch, which the first makes. */
static lc_status put_picture(const lc_series *s, lc_str bytes, uint32_t i, uint32_t n, lc_budget *budget, lc_array *batch, lc_error *err) {
    lc_array image, scaled;
    LC_TRY(decode(bytes, budget, &image, err));
    lc_status status = lc_data_scale_picture(&s->plan, &image, &scaled, err);
    lc_array_deinit(&image);
    if (status) return status;
    status = lc_data_put_picture(batch, i, n, &scaled, budget, err);
    lc_array_deinit(&scaled);
    return status;
}

static lc_status put_elements(const lc_series *s, const records *r, const lc_pb_Feature *f, uint32_t i, uint32_t n, lc_budget *budget,
                              lc_array *batch, lc_error *err) {
    int32_t dims[LC_MAX_RANK] = {(int32_t)n};
    memcpy(dims + 1, s->dims, (size_t)s->rank * sizeof *dims);
    const lc_dtype type = r->form == FORM_BYTES ? LC_UINT8 : r->form == FORM_INTS ? LC_INT64 : LC_FLOAT32;
    const void *from = r->form == FORM_BYTES  ? (const void *)f->bytes_list->value.data[0].data
                       : r->form == FORM_INTS ? (const void *)f->int64_list->value.data
                                              : (const void *)f->float_list->value.data;
    if (i == 0) LC_TRY(lc_array_make(batch, type, dims, s->rank + 1, budget, err));
    const size_t bytes = batch->size / n;
    memcpy((uint8_t *)batch->data + i * bytes, from, bytes);
    return LC_OK;
}

static lc_status read_records(lc_series *s, uint32_t n, lc_array *batch, lc_error *err) {
    records *r = s->state;
    lc_array made = {0};
    lc_budget budget;
    lc_status status = LC_OK;
    lc_budget_init(&budget, &s->limits);
    for (uint32_t i = 0; i < n && status == LC_OK; i++) {
        lc_pb_Example *e;
        const lc_pb_Feature *f;
        status = next_example(s, r, &e, err);
        if (status == LC_OK && !e) status = lc_fail(err, LC_INVALID, "the files have fewer records than before");
        if (status == LC_OK) status = check_feature(r, e, &f, err);
        if (status) break;
        if (r->form != FORM_PICTURE) {
            status = put_elements(s, r, f, i, n, &budget, &made, err);
            continue;
        }
        status = put_picture(s, f->bytes_list->value.data[0], i, n, &budget, &made, err);
        if (status) lc_error_prefix(err, "%s: record %llu", path_of(r), (unsigned long long)(r->number - 1));
    }
    if (status) lc_array_deinit(&made);
    else *batch = made;
    return status;
}

static lc_status rewind_records(lc_series *s, lc_error *err) {
    records *r = s->state;
    (void)err;
    close_shard(r);
    r->shard = 0;
    return LC_OK;
}

static const lc_series_kind record_kind = {read_records, rewind_records, close_records, NULL, NULL};

/* ---- opening ------------------------------------------------------------------------------------------------------------- */

/* What a sample is, by the first. */
static lc_status shape_samples(lc_series *s, records *r, const lc_pb_Feature *f, const lc_series_wish *wish, lc_error *err) {
    const lc_tensor_view *v = &wish->input;
    s->split = true;
    if (r->form == FORM_PICTURE) {
        lc_array image;
        LC_TRY(decode(f->bytes_list->value.data[0], wish->budget, &image, err));
        memcpy(s->dims, image.dims, sizeof s->dims);
        lc_array_deinit(&image);
        s->rank = 3;
        s->type = LC_UINT8;
        s->pixels = true;
        return LC_OK;
    }
    if (r->length > INT32_MAX) return lc_fail(err, LC_LIMIT, "feature \"%.100s\" has more elements than an input can have", r->name);
    s->type = r->form == FORM_BYTES ? LC_UINT8 : r->form == FORM_INTS ? LC_INT64 : LC_FLOAT32;
    s->rank = 1;
    s->dims[0] = (int32_t)r->length;
    uint64_t elements = 1;
    bool closed =
        r->form == FORM_BYTES && !v->any_rank && (v->rank == 3 || (v->rank == 4 && (v->signature[3] == 1 || v->signature[3] == 3)));
    for (int32_t d = 1; d < v->rank && closed; d++)
        closed = v->signature[d] > 0 && lc_mul_u64(elements, (uint64_t)v->signature[d], &elements);
    if (!closed || elements != r->length) return LC_OK;
    s->rank = v->rank - 1;
    memcpy(s->dims, v->signature + 1, (size_t)s->rank * sizeof *s->dims);
    s->pixels = true;
    return LC_OK;
}

/* The next record, looked through; *e NULL: there are no more. */
static lc_status scan_record(lc_series *s, records *r, const lc_series_wish *wish, lc_pb_Example **e, lc_error *err) {
    const lc_pb_Feature *f;
    LC_TRY(next_example(s, r, e, err));
    if (!*e) return LC_OK;
    if (!r->name) LC_TRY(choose_feature(r, *e, wish, err));
    LC_TRY(check_feature(r, *e, &f, err));
    return s->split ? LC_OK : shape_samples(s, r, f, wish, err);
}

/* Counts the records and gathers their labels. A damaged record that is passed over keeps its place. */
static lc_status scan_records(lc_series *s, records *r, const lc_series_wish *wish, lc_labels *labels, lc_error *err) {
    bool labelled = false;
    for (uint64_t whole = 0;; s->count++) {
        lc_pb_Example *e = NULL;
        const lc_status status = scan_record(s, r, wish, &e, err);
        if (status == LC_OK && !e) break;
        if (status && !(wish->skips && r->passed && status == LC_INVALID)) return status;
        if (!labels) continue;
        const uint64_t had = labels->count;
        if (status == LC_OK) {
            LC_TRY(add_label(r, e, labels, wish->budget, err));
            const bool has = labels->count > had;
            if (whole++ && has != labelled) return bad_feature(r, label_names[0], "is in some records only", err);
            labelled = has;
        }
        LC_TRY(lc_labels_fill(labels, s->count + 1, wish->budget, err));
    }
    return labels && labels->count ? lc_labels_finish(labels, err) : LC_OK;
}

lc_status lc_series_open_records(lc_series *s, const lc_series_wish *wish, lc_error *err) {
    records *r = s->state = lc_calloc(1, sizeof *r);
    lc_labels *labels = wish->labels && !wish->labels->count ? wish->labels : NULL;
    if (!r) return lc_fail_memory(err, "data");
    s->kind = &record_kind;
    LC_TRY(lc_shards_find(s->path, &r->arena, wish->budget, &r->shards, err));
    LC_TRY(scan_records(s, r, wish, labels, err));
    if (!s->split)
        return LC_SOURCE_FAIL(err, LC_INVALID, DATA_EMPTY, LC_NO_OFFSET,
                              s->count ? "none of the records can be read" : "the data set has no records");
    return rewind_records(s, err);
}
