/*
 * data_array.c: samples from .npy and IDX files, also gzipped, and from the arrays of a .npz (numpy.savez, also savez_compressed).
 *
 * A file that is not packed is read where it is mapped; a packed one is inflated a batch at a time. Two kinds of arrays are held whole,
 * within the budget: those in Fortran order, whose samples lie scattered over all of the file, and those without a dimension of samples.
 *
 * Of a .npz the array with the input's name is taken; when the model has one input also "x" or "x_test", or the only array that is not the
 * labels: "y", "labels", "label" or "y_test". (The mnist.npz of Keras has the names with _test.)
 */
#include "source/data.h"

#include "source/rules.h"

#include <string.h>

typedef struct arrays {
    lc_map map;
    lc_arena arena; /* of the zip directory */
    lc_zip zip;
    lc_stream stream;
    lc_npy h;       /* of the whole array; then dims[0] is set for each batch */
    uint64_t begin; /* bytes of the header */
    lc_array all;   /* when it is held whole */
    uint64_t at;    /* sample, when it is held whole */
    uint64_t left;  /* samples that the file has, from where the stream stands */
    bool idx, one;
} arrays;

static void close_arrays(lc_series *s) {
    arrays *a = s->state;
    if (!a) return;
    lc_stream_close(&a->stream);
    lc_array_deinit(&a->all);
    lc_arena_deinit(&a->arena);
    lc_map_close(&a->map);
    lc_free(a);
    s->state = NULL;
}

static lc_status cut_short(const arrays *a, lc_error *err) {
    if (a->idx)
        LC_SOURCE_FAIL(err, LC_INVALID, IDX_DATA, LC_NO_OFFSET, "IDX file is cut short: its shape needs more bytes than the file has");
    else LC_SOURCE_FAIL(err, LC_INVALID, NPY_DATA, LC_NO_OFFSET, ".npy file is cut short: its shape needs more bytes than the file has");
    lc_error_hint(err, "copy or download the file again");
    return LC_INVALID;
}

/* The elements of a header from the stream, through memory of their own when they are packed. */
static lc_status read_elements(arrays *a, const lc_npy *h, lc_budget *budget, lc_array *batch, lc_error *err) {
    uint64_t size, got;
    size_t bytes;
    LC_TRY(lc_npy_size(h, &size, err));
    if (!a->stream.form) {
        lc_cursor c = lc_cursor_take(&a->stream.window, size);
        return c.failed ? cut_short(a, err) : lc_npy_read(h, &c, budget, batch, err);
    }
    LC_TRY(lc_budget_memory(budget, size, "a batch of samples", err));
    if (!lc_u64_to_size(size, &bytes)) return lc_fail_memory(err, "samples");
    uint8_t *packed = lc_malloc(bytes);
    if (!packed) return lc_fail_memory(err, "samples");
    lc_status status = lc_stream_read(&a->stream, packed, size, &got, err);
    if (status == LC_OK && got < size) status = cut_short(a, err);
    lc_cursor c = lc_cursor_make(packed, bytes);
    if (status == LC_OK) status = lc_npy_read(h, &c, budget, batch, err);
    lc_free(packed);
    return status;
}

/* Behind the last sample: the checksum of what was packed is known only at its end. */
static lc_status read_to_end(arrays *a, lc_error *err) {
    uint64_t got = 1;
    while (a->stream.form && got) LC_TRY(lc_stream_read(&a->stream, NULL, (uint64_t)1 << 20, &got, err));
    return LC_OK;
}

static lc_status read_batch(lc_series *s, uint32_t n, lc_array *batch, lc_error *err) {
    arrays *a = s->state;
    lc_budget budget;
    lc_budget_init(&budget, &s->limits);
    if (a->all.rank) {
        const size_t each = a->all.size / (size_t)a->all.dims[0];
        int32_t dims[LC_MAX_RANK];
        memcpy(dims, a->all.dims, sizeof dims);
        dims[0] = (int32_t)n;
        LC_TRY(lc_array_make(batch, a->all.type, dims, a->all.rank, &budget, err));
        if (batch->size) memcpy(batch->data, (const uint8_t *)a->all.data + (size_t)a->at * each, n * each);
        a->at += n;
        return LC_OK;
    }
    lc_npy h = a->h;
    if (!a->one) h.dims[0] = (int32_t)n;
    LC_TRY(read_elements(a, &h, &budget, batch, err));
    a->left -= n;
    const lc_status status = a->left ? LC_OK : read_to_end(a, err);
    if (status) {
        lc_array_deinit(batch);
        return status;
    }
    if (a->one) { /* lc_series_split saw that there is room for one dimension more */
        memmove(batch->dims + 1, batch->dims, (size_t)batch->rank * sizeof *batch->dims);
        batch->dims[0] = 1;
        batch->rank++;
    }
    return LC_OK;
}

static lc_status rewind_arrays(lc_series *s, lc_error *err) {
    arrays *a = s->state;
    uint64_t got;
    a->at = 0;
    a->left = s->count;
    if (a->all.rank) return LC_OK;
    LC_TRY(lc_stream_rewind(&a->stream, err));
    return lc_stream_read(&a->stream, NULL, a->begin, &got, err);
}

/* Of a file that is not packed, and of an array that is held whole. */
static lc_status read_one(const lc_series *s, uint64_t index, lc_array *sample, lc_error *err) {
    const arrays *a = s->state;
    lc_budget budget;
    lc_npy h = a->h;
    uint64_t size;
    lc_budget_init(&budget, &s->limits);
    h.rank = s->rank;
    h.fortran = false;
    memcpy(h.dims, s->dims, sizeof h.dims);
    if (a->all.rank) {
        const size_t each = a->all.size / (size_t)a->all.dims[0];
        LC_TRY(lc_array_make(sample, a->all.type, h.dims, h.rank, &budget, err));
        if (each) memcpy(sample->data, (const uint8_t *)a->all.data + (size_t)index * each, each);
        return LC_OK;
    }
    LC_TRY(lc_npy_size(&h, &size, err));
    lc_cursor c = a->stream.packed;
    uint64_t place;
    if (!lc_mul_u64(size, index, &place) || !lc_add_u64(place, a->begin, &place)) return cut_short(a, err);
    lc_cursor_seek(&c, place);
    lc_cursor one = lc_cursor_take(&c, size);
    return one.failed ? cut_short(a, err) : lc_npy_read(&h, &one, &budget, sample, err);
}

static const lc_series_kind array_kind = {read_batch, rewind_arrays, close_arrays, read_one, NULL};

lc_status lc_series_split(lc_series *s, bool one, lc_error *err) {
    arrays *a = s->state;
    a->one = one;
    s->split = true;
    if (one && s->rank == LC_MAX_RANK) return lc_fail(err, LC_UNSUPPORTED, "the sample has %d dimensions already", LC_MAX_RANK);
    s->count = one ? 1 : (uint64_t)s->dims[0];
    a->left = s->count;
    s->any_order = !one && a->h.type != LC_STRING && !a->stream.form;
    if (!one) memmove(s->dims, s->dims + 1, (size_t)--s->rank * sizeof *s->dims);
    if (!a->h.fortran || one || s->rank == 0 || s->count == 0) return LC_OK;
    if (a->h.type == LC_STRING) {
        lc_fail(err, LC_UNSUPPORTED, "text in Fortran order");
        lc_error_hint(err, "save it with numpy.ascontiguousarray(x)");
        return LC_UNSUPPORTED;
    }
    lc_budget budget;
    lc_budget_init(&budget, &s->limits);
    s->any_order = true;
    return read_elements(a, &a->h, &budget, &a->all, err);
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

/* The stream stands at the first byte of a .npy or IDX file. */
static lc_status open_elements(lc_series *s, arrays *a, lc_error *err) {
    lc_cursor head;
    uint64_t size, got;
    LC_TRY(lc_stream_head(&a->stream, &head, err));
    lc_cursor magic = head;
    a->idx = lc_read_u8(&magic) == 0;
    LC_TRY(a->idx ? lc_idx_read_header(&head, &a->h, err) : lc_npy_read_header(&head, &a->h, err));
    a->begin = lc_cursor_at(&head);
    LC_TRY(lc_stream_read(&a->stream, NULL, a->begin, &got, err));
    LC_TRY(lc_npy_size(&a->h, &size, err));
    if (!a->stream.form && size > lc_cursor_left(&a->stream.window)) return cut_short(a, err);
    s->type = a->h.type;
    s->rank = a->h.rank;
    memcpy(s->dims, a->h.dims, sizeof s->dims);
    s->pixels = a->idx && s->type == LC_UINT8 && s->rank == 3 && s->dims[1] > 0 && s->dims[2] > 0;
    return LC_OK;
}

static lc_status begin_arrays(lc_series *s, arrays **a, lc_error *err) {
    if (!(s->state = *a = lc_calloc(1, sizeof **a))) return lc_fail_memory(err, "data");
    s->kind = &array_kind;
    return lc_map_open(&(*a)->map, s->path, &s->limits, err);
}

lc_status lc_series_open_array(lc_series *s, const lc_series_wish *wish, lc_error *err) {
    arrays *a;
    (void)wish;
    LC_TRY(begin_arrays(s, &a, err));
    LC_TRY(lc_stream_open(&a->stream, lc_cursor_make(a->map.data, a->map.size), err));
    return open_elements(s, a, err);
}

/* ---- .npz ---------------------------------------------------------------------------------------------------------------- */

static const char *const sample_names[] = {"x", "x_test"};
static const char *const label_names[] = {"y", "labels", "label", "y_test"};

static const lc_zip_member *find_array(const lc_zip *zip, lc_str name) {
    char member[512];
    if (name.size > sizeof member - 5) return NULL;
    snprintf(member, sizeof member, "%.*s.npy", (int)name.size, name.data);
    const lc_zip_member *m = lc_zip_find(zip, member);
    if (m) return m;
    member[name.size] = 0;
    return lc_zip_find(zip, member);
}

static bool is_labels(const lc_zip_member *m) {
    for (size_t i = 0; i < sizeof label_names / sizeof *label_names; i++) {
        const size_t n = strlen(label_names[i]);
        if (lc_str_has_prefix(m->name, label_names[i]) &&
            (m->name.size == n || lc_str_is((lc_str){m->name.data + n, m->name.size - n}, ".npy")))
            return true;
    }
    return false;
}

static const lc_zip_member *find_samples(const lc_zip *zip, const lc_series_wish *wish) {
    lc_str name = lc_str_of(wish->input.name);
    const lc_zip_member *m = find_array(zip, name), *only = NULL;
    const char *colon = name.size ? memchr(name.data, ':', name.size) : NULL;
    if (!m && colon) m = find_array(zip, (lc_str){name.data, (size_t)(colon - name.data)}); /* "x:0" */
    if (m || wish->exact || !(wish->only || wish->named)) return m;
    for (size_t i = 0; i < sizeof sample_names / sizeof *sample_names && !m; i++) m = find_array(zip, lc_str_of(sample_names[i]));
    for (size_t i = 0; i < zip->count && !m; i++) {
        if (is_labels(&zip->members[i])) continue;
        if (only) return NULL;
        only = &zip->members[i];
    }
    return m ? m : only;
}

static lc_status no_array(const lc_zip *zip, const lc_series_wish *wish, lc_error *err) {
    lc_text names = {0};
    for (size_t i = 0; i < zip->count && names.size < 300; i++) {
        const lc_str n = zip->members[i].name;
        const size_t size = n.size > 4 && memcmp(n.data + n.size - 4, ".npy", 4) == 0 ? n.size - 4 : n.size;
        lc_text_add(&names, i ? ", " : "");
        lc_text_add_safe(&names, n.data, size < 60 ? size : 60);
    }
    lc_fail(err, LC_NOT_FOUND, "the .npz has no array named %.200s", wish->input.name);
    lc_error_hint(err, "name the arrays as the inputs: numpy.savez(file, **{\"%.100s\": array}); it has: %s", wish->input.name,
                  names.data ? names.data : "nothing");
    lc_text_deinit(&names);
    return LC_NOT_FOUND;
}

/* The labels that lie beside the samples, if there are any: y_train beside x_train. */
static lc_status read_labels(const arrays *a, const lc_zip_member *samples, const lc_series *s, const lc_series_wish *wish, lc_error *err) {
    char name[512];
    const lc_zip_member *m = NULL;
    if (samples->name.size < sizeof name && lc_str_has_prefix(samples->name, "x_")) {
        snprintf(name, sizeof name, "y%.*s", (int)samples->name.size - 1, samples->name.data + 1);
        m = lc_zip_find(&a->zip, name);
    }
    for (size_t i = 0; i < sizeof label_names / sizeof *label_names && !m; i++) m = find_array(&a->zip, lc_str_of(label_names[i]));
    if (!m || !wish->labels || wish->labels->count) return LC_OK;
    arrays label = {0};
    lc_series series = {.path = s->path, .limits = s->limits};
    lc_array array = {0};
    LC_TRY(lc_stream_open_member(&label.stream, &a->zip, m, err));
    lc_status status = open_elements(&series, &label, err);
    if (status == LC_OK) status = read_elements(&label, &label.h, wish->budget, &array, err);
    if (status == LC_OK) status = read_to_end(&label, err);
    if (status == LC_OK) status = lc_labels_from_array(wish->labels, &array, wish->budget, err);
    lc_array_deinit(&array);
    lc_stream_close(&label.stream);
    return status;
}

lc_status lc_series_open_npz(lc_series *s, const lc_series_wish *wish, lc_error *err) {
    arrays *a;
    LC_TRY(begin_arrays(s, &a, err));
    LC_TRY(lc_zip_open(&a->map, wish->budget, &a->arena, &a->zip, err));
    const lc_zip_member *m = find_samples(&a->zip, wish);
    if (!m) return no_array(&a->zip, wish, err);
    LC_TRY(lc_stream_open_member(&a->stream, &a->zip, m, err));
    LC_TRY(open_elements(s, a, err));
    return read_labels(a, m, s, wish, err);
}
