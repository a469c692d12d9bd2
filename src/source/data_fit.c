/*
 * data_fit.c: how a sample lies in an input.
 *
 * The first dimension of an input counts samples. What follows it must have the shape of a sample, but dimensions of 1 may be more or fewer,
 * and a flat sample fits whatever has as many elements (and the other way round): [28,28], [28,28,1] and [784] are the same picture, in the
 * same order. Anything else with as many elements, such as [3,224,224] for [224,224,3], would be another picture and is refused. An array
 * that has the input's own shape behind its first dimension ([100,10] for an input [10]) has samples that fill the whole input.
 *
 * Pictures are scaled to the input (lc_image_to_input); .png, .jpg and IDX files of bytes [n, height, width] are pictures, and so is any array
 * of bytes when the caller said how pixels are to be scaled.
 */
#include "source/data.h"

#include "source/rules.h"

#include <string.h>

/* ---- words --------------------------------------------------------------------------------------------------------- */

lc_shape_text lc_data_shape(lc_dtype type, const int32_t *dims, int32_t rank) {
    lc_shape_text s;
    size_t n = (size_t)snprintf(s.text, sizeof s.text, "%s[", lc_dtype_name(type));
    if (rank < 0) n += (size_t)snprintf(s.text + n, sizeof s.text - n, "...");
    for (int32_t d = 0; d < rank && d < LC_MAX_RANK; d++) {
        n += (size_t)snprintf(s.text + n, sizeof s.text - n, "%s", d ? "," : "");
        if (dims[d] < 0) n += (size_t)snprintf(s.text + n, sizeof s.text - n, "?");
        else n += (size_t)snprintf(s.text + n, sizeof s.text - n, "%d", (int)dims[d]);
    }
    snprintf(s.text + n, sizeof s.text - n, "]");
    return s;
}

lc_shape_text lc_data_wish(const lc_tensor_view *v) { return lc_data_shape(v->type, v->signature, v->any_rank ? -1 : v->rank); }

static lc_status misfit(const lc_data_input *in, const lc_tensor_view *v, bool sample, const char *hint, lc_error *err) {
    LC_SOURCE_FAIL(err, LC_INVALID, DATA_SHAPE, LC_NO_OFFSET, "%s %s, input %.200s wants %s", sample ? "a sample is" : "the file holds",
                   lc_data_shape(in->series.type, in->series.dims, in->series.rank).text, v->name, lc_data_wish(v).text);
    lc_error_hint(err, "%s", hint);
    return LC_INVALID;
}

#define SHAPE_HINT "give samples of the input's shape, one after the other: [samples, ...]"

/* ---- arrays ---------------------------------------------------------------------------------------------------------- */

static int32_t without_ones(const int32_t *dims, int32_t rank, int32_t *out) {
    int32_t n = 0;
    for (int32_t d = 0; d < rank; d++)
        if (dims[d] != 1) out[n++] = dims[d];
    return n;
}

/* Elements of the dimensions that are not open; the number of open ones. */
static int32_t closed_elements(const int32_t *dims, int32_t rank, uint64_t *elements) {
    int32_t open = 0;
    *elements = 1;
    for (int32_t d = 0; d < rank; d++) {
        if (dims[d] < 0) open++;
        else if (!lc_mul_u64(*elements, (uint64_t)dims[d], elements)) *elements = UINT64_MAX;
    }
    return open;
}

/* Does a sample fit into dimensions of which some may be open? `out` receives these dimensions without open ones. */
static bool sample_fits(const int32_t *sample, int32_t sample_rank, const int32_t *want, int32_t rank, int32_t *out) {
    int32_t a[LC_MAX_RANK], b[LC_MAX_RANK];
    uint64_t elements, closed;
    bool same = sample_rank == rank;
    for (int32_t d = 0; d < rank && same; d++) same = want[d] < 0 || want[d] == sample[d];
    if (rank) memcpy(out, same ? sample : want, (size_t)rank * sizeof *out);
    if (same) return true;
    closed_elements(sample, sample_rank, &elements);
    const int32_t open = closed_elements(want, rank, &closed), m = without_ones(sample, sample_rank, a), n = without_ones(want, rank, b);
    bool equal = m == n; /* but for ones */
    for (int32_t d = 0; d < n && equal; d++) equal = b[d] < 0 || a[d] == b[d];
    for (int32_t d = 0, k = 0; d < rank && equal; d++) out[d] = want[d] == 1 ? 1 : a[k++];
    if (equal || (m > 1 && n > 1)) return equal;
    if (open == 0) return closed == elements;
    if (open > 1 || closed == 0 || elements % closed || elements / closed > INT32_MAX) return false;
    for (int32_t d = 0; d < rank; d++)
        if (want[d] < 0) out[d] = (int32_t)(elements / closed);
    return true;
}

static lc_status fit_array(lc_data_input *in, lc_error *err) {
    lc_series *s = &in->series;
    const lc_tensor_view *v = &in->want;
    int32_t out[LC_MAX_RANK];
    if (v->any_rank) return s->split ? LC_OK : lc_series_split(s, s->rank == 0, err);
    const bool has_rows = v->rank > 0, rows = s->rank > 0;
    if (s->split) { /* a sample is known: of a table */
        if (has_rows && sample_fits(s->dims, s->rank, v->signature + 1, v->rank - 1, out)) return LC_OK;
        in->whole = sample_fits(s->dims, s->rank, v->signature, v->rank, out);
        return in->whole ? LC_OK : misfit(in, v, true, SHAPE_HINT, err);
    }
    if (has_rows && rows && sample_fits(s->dims + 1, s->rank - 1, v->signature + 1, v->rank - 1, out))
        return lc_series_split(s, false, err);
    if (has_rows && s->rank + 1 == v->rank && sample_fits(s->dims, s->rank, v->signature + 1, v->rank - 1, out))
        return lc_series_split(s, true, err); /* one sample, without a dimension that counts it */
    in->whole = true;
    if (rows && sample_fits(s->dims + 1, s->rank - 1, v->signature, v->rank, out)) return lc_series_split(s, false, err);
    if (!rows && sample_fits(s->dims, s->rank, v->signature, v->rank, out)) return lc_series_split(s, true, err);
    in->whole = false;
    return misfit(in, v, false, SHAPE_HINT, err);
}

/* ---- pictures ---------------------------------------------------------------------------------------------------------- */

static bool takes_pictures(const lc_tensor_view *v) {
    if (v->type == LC_FLOAT32 || v->type == LC_FLOAT16) return true;
    return (v->type == LC_UINT8 || v->type == LC_INT8 || v->type == LC_INT16) && (v->scale > 0 || v->type == LC_UINT8);
}

static lc_status fit_pictures(lc_data_input *in, lc_error *err) {
    lc_series *s = &in->series;
    const lc_tensor_view *v = &in->want;
    const int32_t *want = v->signature;
    lc_picture_plan *p = &s->plan;
    const int32_t channels = s->rank == 3 ? s->dims[2] : 1;
    if (!takes_pictures(v))
        return misfit(in, v, true, "pictures go into float32 or quantised inputs; give a .npy of the input's type", err);
    p->height = p->width = -1;
    p->channels = channels;
    if (v->rank == 4 && (want[3] == 1 || want[3] == 3 || want[3] < 0)) {
        p->height = want[1];
        p->width = want[2];
        if (want[3] > 0) p->channels = want[3];
    } else if (v->rank == 3) { /* grey, without a channel dimension */
        p->height = want[1];
        p->width = want[2];
        p->channels = 1;
    } else if (v->rank == 2 && (int64_t)s->dims[0] * s->dims[1] * channels == want[1]) { /* flattened */
    } else if (v->rank == 2 && (int64_t)s->dims[0] * s->dims[1] == want[1]) {
        p->channels = 1;
    } else {
        return misfit(in, v, true, "a picture fits inputs [batch,height,width,1 or 3], [batch,height,width] and [batch,height*width]", err);
    }
    if (p->height == 0 || p->width == 0) return misfit(in, v, true, "the input has no room for a picture", err);
    in->raw = p->pixels.scale != 0 ? 1 / p->pixels.scale : 255;
    s->type = LC_FLOAT32;
    return LC_OK;
}

/* Arrays that may be pictures: bytes [n, height, width] or [n, height, width, 1 or 3]. */
static bool picture_array(const lc_series *s) {
    return s->type == LC_UINT8 && (s->rank == 3 || (s->rank == 4 && (s->dims[3] == 1 || s->dims[3] == 3))) && s->dims[1] > 0 &&
           s->dims[2] > 0;
}

lc_status lc_data_fit(lc_data_input *in, const lc_preprocess *pixels, lc_error *err) {
    lc_series *s = &in->series;
    s->plan.pixels = pixels ? *pixels : (lc_preprocess){0};
    if (pixels && !s->split && picture_array(s)) s->pixels = true;
    if (s->pixels) {
        if (!s->split) LC_TRY(lc_series_split(s, false, err));
        return fit_pictures(in, err);
    }
    if (pixels) {
        LC_SOURCE_FAIL(err, LC_ARGUMENT, DATA_SHAPE, LC_NO_OFFSET, "the scaling of pixels is for pictures, the file holds %s",
                       lc_data_shape(s->type, s->dims, s->rank).text);
        lc_error_hint(err, "leave it out, and scale the array before it is saved");
        return LC_ARGUMENT;
    }
    LC_TRY(fit_array(in, err));
    in->steps = in->want.scale > 0 && s->type == in->want.type && lc_dtype_bits(s->type) >= 8 && s->type != LC_FLOAT32;
    return LC_OK;
}

lc_status lc_data_scale_picture(const lc_picture_plan *p, const lc_array *image, lc_array *out, lc_error *err) {
    const int32_t height = p->height < 0 ? image->dims[0] : p->height, width = p->width < 0 ? image->dims[1] : p->width;
    LC_TRY(lc_image_to_input(image, height, width, p->channels, &p->pixels, out, err));
    out->rank = 3;
    memmove(out->dims, out->dims + 1, 3 * sizeof *out->dims);
    return LC_OK;
}

lc_status lc_data_scale_pictures(const lc_series *s, lc_array *batch, lc_error *err) {
    const size_t n = (size_t)batch->dims[0], bytes = n ? batch->size / n : 0;
    lc_array image = {.type = LC_UINT8, .rank = 3, .dims = {batch->dims[1], batch->dims[2], batch->rank == 4 ? batch->dims[3] : 1}};
    lc_array made = {0};
    lc_budget budget;
    lc_status status = LC_OK;
    lc_budget_init(&budget, &s->limits);
    for (size_t i = 0; i < n && status == LC_OK; i++) {
        lc_array one;
        image.data = (uint8_t *)batch->data + i * bytes;
        image.size = bytes;
        status = lc_data_scale_picture(&s->plan, &image, &one, err);
        if (status) break;
        if (i == 0)
            status = lc_array_make(&made, LC_FLOAT32, (int32_t[]){(int32_t)n, one.dims[0], one.dims[1], one.dims[2]}, 4, &budget, err);
        if (status == LC_OK) memcpy((uint8_t *)made.data + i * one.size, one.data, one.size);
        lc_array_deinit(&one);
    }
    if (status) {
        lc_array_deinit(&made);
        return status;
    }
    lc_array_deinit(batch);
    *batch = made;
    return LC_OK;
}

/* ---- what a session's input becomes -------------------------------------------------------------------------------------- */

lc_status lc_data_dims(const lc_data_input *in, const lc_tensor_view *v, int32_t rows, int32_t dims[LC_MAX_RANK], int32_t *rank,
                       lc_error *err) {
    const lc_array *b = &in->batch;
    if (v->any_rank) {
        *rank = b->rank;
        memcpy(dims, b->dims, sizeof b->dims);
        dims[0] = rows;
        return LC_OK;
    }
    *rank = v->rank;
    if (in->whole && sample_fits(b->dims + 1, b->rank - 1, v->signature, v->rank, dims)) return LC_OK;
    if (!in->whole && v->rank > 0 && sample_fits(b->dims + 1, b->rank - 1, v->signature + 1, v->rank - 1, dims + 1)) {
        dims[0] = rows;
        return LC_OK;
    }
    LC_SOURCE_FAIL(err, LC_INVALID, DATA_SHAPE, LC_NO_OFFSET, "a sample is %s, input %.200s wants %s",
                   lc_data_shape(b->type, b->dims + 1, b->rank - 1).text, v->name, lc_data_wish(v).text);
    lc_error_hint(err, SHAPE_HINT);
    return LC_INVALID;
}
