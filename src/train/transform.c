/*
 * transform.c: transformations of numbers, and the table of all of them. Those of pictures are in picture.c.
 *
 * A transformation reads the value that its part of the sample has and sets another (lc_sample_set). It draws the same random numbers whatever
 * the value is, so that what comes after it draws the same ones too. What it refuses: a part of another kind than it is for, with both shapes.
 */
#include "train/transform.h"

#include "base/half.h"

#include <math.h>
#include <string.h>

/* ---- numbers ------------------------------------------------------------------------------------------------------- */

/* X(type, of C, smallest, largest): what real numbers are cut to. */
#define INTEGERS(X) \
    X(LC_UINT8, uint8_t, 0, UINT8_MAX) \
    X(LC_INT8, int8_t, INT8_MIN, INT8_MAX) \
    X(LC_UINT16, uint16_t, 0, UINT16_MAX) \
    X(LC_INT16, int16_t, INT16_MIN, INT16_MAX) \
    X(LC_UINT32, uint32_t, 0, UINT32_MAX) \
    X(LC_INT32, int32_t, INT32_MIN, INT32_MAX) \
    X(LC_INT64, int64_t, -0x1p63, 0x1.fffffffffffffp62) \
    X(LC_UINT64, uint64_t, 0, 0x1.fffffffffffffp63) \
    X(LC_BOOL, uint8_t, 0, 1)

/* `step` for each i below n, in blocks of a length that the compiler knows: it then takes many at once. */
#define EACH(n, step) \
    do { \
        size_t at = 0, i; \
        for (; at + 16 <= (n); at += 16) \
            for (size_t k = 0; k < 16; k++) { \
                i = at + k; \
                step; \
            } \
        for (i = at; i < (n); i++) step; \
    } while (0)

bool lc_array_to_floats(const lc_array *a, float *restrict out) {
    const size_t n = a->size / (lc_dtype_bits(a->type) >= 8 ? lc_dtype_bits(a->type) / 8 : 1);
    switch (a->type) {
#define INTEGER_TO_FLOAT(TYPE, C, least, most) \
    case TYPE: { \
        const C *restrict in = a->data; \
        EACH(n, out[i] = (float)in[i]); \
        return true; \
    }
        INTEGERS(INTEGER_TO_FLOAT)
    case LC_FLOAT32:
        if (n) memcpy(out, a->data, n * sizeof *out);
        return true;
    case LC_FLOAT64:
        for (size_t i = 0; i < n; i++) out[i] = (float)((const double *)a->data)[i];
        return true;
    case LC_FLOAT16:
        for (size_t i = 0; i < n; i++) out[i] = lc_half_to_float(((const uint16_t *)a->data)[i]);
        return true;
    case LC_BFLOAT16:
        for (size_t i = 0; i < n; i++) out[i] = lc_bfloat_to_float(((const uint16_t *)a->data)[i]);
        return true;
    default: return false;
    }
}

static bool from_floats(const float *in, size_t n, lc_dtype type, void *out) {
    switch (type) {
#define INTEGER_FROM_FLOAT(TYPE, C, least, most) \
    case TYPE: \
        for (size_t i = 0; i < n; i++) { \
            const double v = in[i]; \
            ((C *)out)[i] = isnan(v) ? 0 : v < (double)(least) ? (C)(least) : v > (double)(most) ? (C)(most) : (C)v; \
        } \
        return true;
        INTEGERS(INTEGER_FROM_FLOAT)
    case LC_FLOAT32: memcpy(out, in, n * sizeof *in); return true;
    case LC_FLOAT64:
        for (size_t i = 0; i < n; i++) ((double *)out)[i] = in[i];
        return true;
    case LC_FLOAT16:
        for (size_t i = 0; i < n; i++) ((uint16_t *)out)[i] = lc_float_to_half(in[i]);
        return true;
    case LC_BFLOAT16:
        for (size_t i = 0; i < n; i++) ((uint16_t *)out)[i] = lc_float_to_bfloat(in[i]);
        return true;
    default: return false;
    }
}

lc_status lc_transform_misfit(const lc_prepared *p, const lc_array *a, const char *wanted, lc_error *err) {
    lc_fail(err, LC_INVALID, "transformation %u (%s): a sample is %s", (unsigned)p->number, lc_transform_name(p->how.op),
            lc_shape_of(a).text);
    lc_error_hint(err, "%s", wanted);
    return LC_INVALID;
}

float *lc_sample_floats(const lc_prepared *p, lc_sample *s, lc_status *status, lc_error *err) {
    const lc_array a = lc_sample_get(s, p->part);
    float *out = lc_sample_set(s, p->part, LC_FLOAT32, a.dims, a.rank);
    if (!out) *status = lc_fail_memory(err, "transformation");
    else if (lc_array_to_floats(&a, out)) *status = LC_OK;
    else *status = lc_transform_misfit(p, &a, "it is for numbers", err);
    return *status ? NULL : out;
}

static size_t float_count(const lc_sample *s, uint32_t part) { return s->parts[part].value.size / sizeof(float); }

static lc_status scale(const lc_prepared *p, lc_sample *s, lc_error *err) {
    lc_status status;
    float *x = lc_sample_floats(p, s, &status, err);
    const float by = (float)p->how.scale, more = (float)p->how.offset;
    const size_t n = x ? float_count(s, p->part) : 0;
    EACH(n, x[i] = x[i] * by + more);
    return status;
}

static lc_status normalize(const lc_prepared *p, lc_sample *s, lc_error *err) {
    const lc_array a = lc_sample_get(s, p->part);
    const int32_t channels = p->how.channels;
    lc_status status;
    if (channels > 1 && (a.rank < 1 || a.dims[a.rank - 1] != channels)) {
        char text[100];
        snprintf(text, sizeof text, "its last dimension must be %d, as many as there are means", (int)channels);
        return lc_transform_misfit(p, &a, text, err);
    }
    float *x = lc_sample_floats(p, s, &status, err);
    const size_t n = x ? float_count(s, p->part) : 0;
    for (size_t i = 0; i < n; i += (size_t)channels)
        for (int32_t c = 0; c < channels; c++) x[i + (size_t)c] = (x[i + (size_t)c] - p->how.mean[c]) / p->how.std[c];
    return status;
}

static lc_status cast(const lc_prepared *p, lc_sample *s, lc_error *err) {
    const lc_array a = lc_sample_get(s, p->part);
    lc_status status;
    if (a.type == p->how.type) return LC_OK;
    const float *x = lc_sample_floats(p, s, &status, err);
    if (!x) return status;
    const size_t n = float_count(s, p->part);
    void *out = lc_sample_set(s, p->part, p->how.type, a.dims, a.rank);
    if (!out) return lc_fail_memory(err, "transformation");
    from_floats(x, n, p->how.type, out);
    return LC_OK;
}

static lc_status reshape(const lc_prepared *p, lc_sample *s, lc_error *err) {
    const lc_array a = lc_sample_get(s, p->part);
    lc_array *value = &s->parts[p->part].value;
    int32_t rank = 0, open = -1;
    uint64_t elements = lc_dtype_bits(a.type) >= 8 ? a.size / (lc_dtype_bits(a.type) / 8) : 0, known = 1;
    for (; rank < LC_MAX_RANK && p->how.shape[rank]; rank++) {
        const int32_t n = p->how.shape[rank];
        value->dims[rank] = n;
        if (n < 0) open = rank;
        else if (!lc_mul_u64(known, (uint64_t)n, &known)) known = UINT64_MAX;
    }
    value->rank = rank;
    if (open >= 0 && elements % known == 0 && elements / known <= INT32_MAX) {
        value->dims[open] = (int32_t)(elements / known);
        known = elements;
    }
    if (known == elements) return LC_OK;
    const lc_array wanted = *value;
    char text[120];
    snprintf(text, sizeof text, "it has %llu elements, the shape %s does not", (unsigned long long)elements,
             strchr(lc_shape_of(&wanted).text, '['));
    return lc_transform_misfit(p, &a, text, err);
}

static lc_status one_hot(const lc_prepared *p, lc_sample *s, lc_error *err) {
    const lc_array a = lc_sample_get(s, p->part);
    const int32_t classes = p->how.classes;
    float class;
    if (lc_dtype_bits(a.type) < 8 || a.size != lc_dtype_bits(a.type) / 8 || !lc_array_to_floats(&a, &class))
        return lc_transform_misfit(p, &a, "it is for one class a sample", err);
    if (!(class >= 0 && class < (float)classes) || class != floorf(class)) {
        lc_fail(err, LC_INVALID, "transformation %u (%s): label %.9g is none of the %d classes", (unsigned)p->number,
                lc_transform_name(p->how.op), (double)class, (int)classes);
        lc_error_hint(err, "classes are counted from 0 to %d; count them, or correct the labels", (int)classes - 1);
        return LC_INVALID;
    }
    float *out = lc_sample_set(s, p->part, LC_FLOAT32, &classes, 1);
    if (!out) return lc_fail_memory(err, "transformation");
    memset(out, 0, (size_t)classes * sizeof *out);
    out[(size_t) class] = 1;
    return LC_OK;
}

static lc_status brightness(const lc_prepared *p, lc_sample *s, lc_error *err) {
    lc_status status;
    const float range = (float)p->how.range, more = (float)lc_dice_between(&s->dice, p->how.amount) * range;
    float *x = lc_sample_floats(p, s, &status, err);
    const size_t n = x ? float_count(s, p->part) : 0;
    for (size_t i = 0; i < n; i++) {
        const float v = x[i] + more;
        x[i] = v < 0 ? 0 : v > range ? range : v;
    }
    return status;
}

static lc_status contrast(const lc_prepared *p, lc_sample *s, lc_error *err) {
    lc_status status;
    const float by = 1 + (float)lc_dice_between(&s->dice, p->how.amount);
    float *x = lc_sample_floats(p, s, &status, err);
    if (!x) return status;
    const lc_array a = lc_sample_get(s, p->part);
    const size_t n = float_count(s, p->part), channels = a.rank == 3 ? (size_t)a.dims[2] : 1;
    for (size_t c = 0; c < channels && n; c++) {
        double sum = 0;
        for (size_t i = c; i < n; i += channels) sum += (double)x[i];
        const float mean = (float)(sum / (double)(n / channels));
        for (size_t i = c; i < n; i += channels) x[i] = (x[i] - mean) * by + mean;
    }
    return status;
}

static lc_status call(const lc_prepared *p, lc_sample *s, lc_error *err) {
    lc_error_clear(err);
    return lc_of_caller(p->how.call(p->how.user, s, err), "a transformation of the caller", err);
}

/* ---- the table --------------------------------------------------------------------------------------------------------- */

typedef lc_status (*apply_fn)(const lc_prepared *p, lc_sample *s, lc_error *err);
static const apply_fn functions[] = {
    [LC_TRANSFORM_SCALE] = scale,
    [LC_TRANSFORM_NORMALIZE] = normalize,
    [LC_TRANSFORM_CAST] = cast,
    [LC_TRANSFORM_RESHAPE] = reshape,
    [LC_TRANSFORM_ONE_HOT] = one_hot,
    [LC_TRANSFORM_RESIZE] = lc_picture_resize,
    [LC_TRANSFORM_CENTER_CROP] = lc_picture_crop,
    [LC_TRANSFORM_CROP] = lc_picture_crop,
    [LC_TRANSFORM_FLIP] = lc_picture_flip,
    [LC_TRANSFORM_ROTATE] = lc_picture_warp,
    [LC_TRANSFORM_TRANSLATE] = lc_picture_warp,
    [LC_TRANSFORM_ZOOM] = lc_picture_warp,
    [LC_TRANSFORM_BRIGHTNESS] = brightness,
    [LC_TRANSFORM_CONTRAST] = contrast,
    [LC_TRANSFORM_CALL] = call,
};

const char *lc_transform_name(lc_transform_op op) {
    static const char *const names[] = {"end",
#define NAME(name, keras, text) keras,
                                        LC_TRANSFORM_LIST(NAME)};
    return names[op];
}

static lc_status wrong(const lc_prepared *p, const char *found, const char *hint, lc_error *err) {
    lc_fail(err, LC_ARGUMENT, "transformation %u (%s): %s", (unsigned)p->number, lc_transform_name(p->how.op), found);
    lc_error_hint(err, "%s", hint);
    return LC_ARGUMENT;
}

static bool fraction(double v, double most) { return v >= 0 && v <= most; } /* false for NaN */

static lc_status check_options(lc_prepared *p, lc_arena *arena, lc_error *err) {
    lc_transform *t = &p->how;
    const bool sized = t->op == LC_TRANSFORM_RESIZE || t->op == LC_TRANSFORM_CROP || t->op == LC_TRANSFORM_CENTER_CROP;
    float one = 0;
    if (sized && (t->height < 1 || t->width < 1)) return wrong(p, "a height or width below 1", "give both in pixels", err);
    if (t->op == LC_TRANSFORM_SCALE && !(isfinite(t->scale) && isfinite(t->offset)))
        return wrong(p, "a scale or offset that is no number", "give finite numbers", err);
    if (t->op == LC_TRANSFORM_ONE_HOT && t->classes < 1) return wrong(p, "no classes", "say how many classes there are", err);
    int32_t open = 0;
    bool sizes = true;
    for (int32_t d = 0; d < LC_MAX_RANK && t->shape[d]; d++) {
        open += t->shape[d] == -1;
        sizes = sizes && t->shape[d] >= -1;
    }
    if (t->op == LC_TRANSFORM_RESHAPE && (!t->shape[0] || !sizes || open > 1))
        return wrong(p, "no shape", "give sizes above 0, and -1 for at most one of them", err);
    if (t->op == LC_TRANSFORM_CALL && !t->call) return wrong(p, "no function", "give one", err);
    if (t->op == LC_TRANSFORM_CAST && !from_floats(&one, 0, t->type, &one))
        return wrong(p, "a type without numbers", "give float32, int32 or another type of numbers", err);
    if (!fraction(t->degrees, 360) || !fraction(t->up, 1) || !fraction(t->across, 1) || !fraction(t->amount, 1) ||
        (t->op == LC_TRANSFORM_ZOOM && t->amount == 1))
        return wrong(p, "a random change out of range", "degrees go to 360, fractions from 0 to 1 (zoom: below 1)", err);
    if (t->range == 0) t->range = 255;
    if (t->fill > LC_FILL_CONSTANT) return wrong(p, "no such fill", "give one of lc_fill", err);
    if (t->op != LC_TRANSFORM_NORMALIZE) return LC_OK;
    if (t->channels == 0) t->channels = 1;
    if (t->channels < 1 || !t->mean || !t->std) return wrong(p, "no mean or no std", "give both, one number for each channel", err);
    float *copy = lc_arena_array(arena, (size_t)t->channels * 2, sizeof *copy);
    if (!copy) return lc_fail_memory(err, "transformations");
    for (int32_t c = 0; c < t->channels; c++) {
        copy[c] = t->mean[c];
        copy[t->channels + c] = t->std[c];
        if (!isfinite(t->mean[c]) || !isfinite(t->std[c]) || t->std[c] == 0)
            return wrong(p, "a mean or std that cannot be divided by", "give finite numbers, std above 0", err);
    }
    t->mean = copy;
    t->std = copy + t->channels;
    return LC_OK;
}

static lc_status find_part(lc_prepared *p, const lc_supply *supply, lc_error *err) {
    const uint32_t n = supply->x_count + supply->y_count;
    const char *name = p->how.of;
    p->part = 0;
    if (!name && p->how.op == LC_TRANSFORM_ONE_HOT) {
        p->part = supply->x_count;
        return supply->y_count ? LC_OK : wrong(p, "the samples have no targets", "give them targets, or name an input with .of", err);
    }
    if (!name) return LC_OK;
    for (; p->part < n; p->part++)
        if (supply->names[p->part] && !strcmp(supply->names[p->part], name)) return LC_OK;
    char text[260];
    snprintf(text, sizeof text, "no input or target is named %.200s", name);
    return wrong(p, text, "give the name of one of them", err);
}

lc_status lc_transforms_prepare(const lc_transform *list, const lc_supply *supply, lc_arena *arena, lc_prepared **out, size_t *count,
                                lc_error *err) {
    size_t n = 0;
    while (list && list[n].op != LC_TRANSFORM_END) n++;
    lc_prepared *made = lc_arena_array(arena, n, sizeof *made);
    if (!made) return lc_fail_memory(err, "transformations");
    for (size_t i = 0; i < n; i++) {
        if (list[i].op >= sizeof functions / sizeof *functions) {
            lc_fail(err, LC_ARGUMENT, "transformation %zu is of no kind", i + 1);
            lc_error_hint(err, "end the list with {0}");
            return LC_ARGUMENT;
        }
        made[i] = (lc_prepared){.how = list[i], .number = (uint32_t)i + 1};
        LC_TRY(check_options(&made[i], arena, err));
        LC_TRY(find_part(&made[i], supply, err));
        made[i].how.of = NULL;
    }
    *out = made;
    *count = n;
    return LC_OK;
}

lc_status lc_transforms_apply(const lc_prepared *list, size_t count, lc_sample *sample, lc_error *err) {
    for (size_t i = 0; i < count; i++) LC_TRY(functions[list[i].how.op](&list[i], sample, err));
    return LC_OK;
}
