/*
 * supply.c: samples, random numbers, and the two supplies that need no files: arrays of the caller, which are lent row by row without a copy,
 * and a function of the caller.
 *
 * Random numbers are Philox of base/philox.h with the seed as key and (index, epoch, stream and draw) as counter: nothing is carried from
 * sample to sample, so that any thread can make any of them, and a run that goes on in the middle needs no more than its place.
 */
#include "train/supply.h"

#include "base/philox.h"
#include "ops/op.h"

#include <string.h>

/* ---- random numbers ----------------------------------------------------------------------------------------------- */

uint64_t lc_dice_word(lc_dice *d) {
    const uint32_t key[2] = {(uint32_t)d->seed, (uint32_t)(d->seed >> 32)};
    /* The stream stands above the draws: 2^24 draws of a sample do not meet those of another stream. */
    const uint32_t counter[4] = {(uint32_t)d->index, (uint32_t)(d->index >> 32), d->epoch, d->stream << 24 ^ d->at++};
    uint32_t out[4];
    lc_philox(key, counter, out);
    return (uint64_t)out[1] << 32 | out[0];
}

double lc_dice_real(lc_dice *d) { return (double)(lc_dice_word(d) >> 11) * 0x1p-53; }

double lc_dice_between(lc_dice *d, double most) { return (2 * lc_dice_real(d) - 1) * most; }

uint64_t lc_dice_below(lc_dice *d, uint64_t n) {
    /* The high half of word * n, in parts: some machines have no 128 bits. */
    const uint64_t word = lc_dice_word(d), low = (uint32_t)word, high = word >> 32, m = (uint32_t)n, k = n >> 32;
    const uint64_t middle = high * m + (low * m >> 32), other = low * k + (uint32_t)middle;
    return high * k + (middle >> 32) + (other >> 32);
}

/* ---- samples ------------------------------------------------------------------------------------------------------- */

lc_status lc_sample_init(lc_sample *s, uint32_t x_count, uint32_t y_count, lc_error *err) {
    *s = (lc_sample){.count = x_count + y_count, .x_count = x_count, .weight = 1};
    s->parts = lc_calloc(s->count, sizeof *s->parts);
    return s->parts ? LC_OK : lc_fail_memory(err, "sample");
}

void lc_sample_deinit(lc_sample *s) {
    for (uint32_t i = 0; i < s->count && s->parts; i++)
        for (int k = 0; k < 2; k++) lc_free_aligned(s->parts[i].own[k]);
    lc_free(s->parts);
    *s = (lc_sample){0};
}

bool lc_sample_size(lc_dtype type, const int32_t *dims, int32_t rank, size_t *size) {
    const uint32_t bits = lc_dtype_bits(type);
    if (bits < 8 || type == LC_STRING || rank < 0 || rank > LC_MAX_RANK) return false;
    *size = bits / 8;
    for (int32_t d = 0; d < rank; d++)
        if (dims[d] < 0 || !lc_mul_size(*size, (size_t)dims[d], size)) return false;
    return true;
}

void lc_sample_lend(lc_sample *s, uint32_t part, const lc_array *value) { s->parts[part].value = *value; }

uint32_t lc_sample_parts(const lc_sample *s) { return s->count; }

uint64_t lc_sample_index(const lc_sample *s) { return s->index; }

lc_array lc_sample_get(const lc_sample *s, uint32_t part) { return part < s->count ? s->parts[part].value : (lc_array){0}; }

void *lc_sample_set(lc_sample *s, uint32_t part, lc_dtype type, const int32_t *dims, int32_t rank) {
    size_t size;
    if (part >= s->count || !lc_sample_size(type, dims, rank, &size)) return NULL;
    lc_sample_part *p = &s->parts[part];
    const int turn = p->turn;
    if (p->room[turn] < size || !p->own[turn]) {
        lc_free_aligned(p->own[turn]);
        p->room[turn] = 0;
        if (!(p->own[turn] = lc_malloc_aligned(size ? size : 1))) return NULL;
        p->room[turn] = size;
    }
    int32_t copy[LC_MAX_RANK] = {0}; /* dims may be those of the value that is replaced */
    if (rank) memcpy(copy, dims, (size_t)rank * sizeof *dims);
    p->value = (lc_array){.type = type, .rank = rank, .data = p->own[turn], .size = size};
    memcpy(p->value.dims, copy, sizeof copy);
    p->turn = !turn;
    return p->own[turn];
}

lc_status lc_of_caller(lc_status status, const char *what, lc_error *err) {
    if (status && err && !err->message[0]) lc_fail(err, status, "%s failed (%s)", what, lc_status_name(status));
    return status;
}

double lc_sample_random(lc_sample *s) { return lc_dice_real(&s->dice); }

lc_shape_name lc_shape_of(const lc_array *a) {
    lc_shape_name s;
    lc_shape shape = {.rank = a->rank};
    char text[LC_SHAPE_TEXT];
    memcpy(shape.dims, a->dims, sizeof shape.dims);
    snprintf(s.text, sizeof s.text, "%s%s", lc_dtype_name(a->type), lc_shape_text(&shape, text));
    return s;
}

/* ---- arrays ----------------------------------------------------------------------------------------------------------- */

/* Names are copied, so that the caller's list need not live on. */
static lc_status copy_names(lc_arena *arena, const char *const *x, uint32_t x_count, const char *const *y, uint32_t y_count,
                            const char *const **out, lc_error *err) {
    const char **names = lc_arena_array(arena, (size_t)x_count + y_count, sizeof *names);
    if (!names) return lc_fail_memory(err, "names");
    for (uint32_t i = 0; i < x_count + y_count; i++) {
        const char *const *from = i < x_count ? x : y;
        const char *name = from ? from[i < x_count ? i : i - x_count] : NULL;
        if (name && !(names[i] = lc_arena_strndup(arena, name, strlen(name)))) return lc_fail_memory(err, "names");
        for (uint32_t k = 0; k < i && name; k++)
            if (names[k] && !strcmp(names[k], name)) {
                lc_fail(err, LC_ARGUMENT, "two inputs or targets are named %.200s", name);
                lc_error_hint(err, "give each a name of its own");
                return LC_ARGUMENT;
            }
    }
    *out = names;
    return LC_OK;
}

static lc_status check_parts(uint32_t x_count, uint32_t y_count, lc_error *err) {
    if (x_count && x_count < 65536 && y_count < 65536) return LC_OK;
    lc_fail(err, LC_ARGUMENT, "a pipeline of %u inputs and %u targets", (unsigned)x_count, (unsigned)y_count);
    lc_error_hint(err, "give at least one input");
    return LC_ARGUMENT;
}

typedef struct arrays {
    lc_arena arena;
    lc_array *whole; /* [count] */
    lc_array *row;   /* [count]: one sample's shape and bytes */
    uint32_t count;
    const float *weights;
} arrays;

static void close_arrays(void *user) {
    arrays *a = user;
    lc_arena_deinit(&a->arena);
    lc_free(a);
}

static lc_status read_arrays(void *user, uint64_t index, lc_sample *s, bool *end, lc_error *err) {
    const arrays *a = user;
    (void)err;
    *end = false;
    for (uint32_t i = 0; i < a->count; i++) {
        lc_array *value = &s->parts[i].value;
        *value = a->row[i];
        if (value->size) value->data = (uint8_t *)a->whole[i].data + (size_t)index * value->size;
    }
    if (a->weights) s->weight = a->weights[index];
    return LC_OK;
}

static lc_status check_array(const lc_array *a, const char *what, uint32_t i, uint64_t *count, lc_error *err) {
    size_t size;
    if (a->type == LC_STRING) {
        lc_fail(err, LC_UNSUPPORTED, "%s %u: strings cannot be trained on", what, (unsigned)i);
        lc_error_hint(err, "turn the text into numbers first");
        return LC_UNSUPPORTED;
    }
    if (a->rank < 1 || !lc_sample_size(a->type, a->dims, a->rank, &size) || size != a->size || (size && !a->data)) {
        lc_fail(err, LC_ARGUMENT, "%s %u is %s with %zu bytes", what, (unsigned)i, lc_shape_of(a).text, a->size);
        lc_error_hint(err, "its first dimension counts the samples, and it has all bytes of its shape");
        return LC_ARGUMENT;
    }
    if (*count == UINT64_MAX) *count = (uint64_t)a->dims[0];
    if (*count == (uint64_t)a->dims[0]) return LC_OK;
    lc_fail(err, LC_INVALID, "%s %u has %d samples, the first input has %llu", what, (unsigned)i, (int)a->dims[0],
            (unsigned long long)*count);
    lc_error_hint(err, "all arrays must have equally many samples");
    return LC_INVALID;
}

static lc_status take_arrays(arrays *a, const lc_pipeline_arrays *given, lc_supply *supply, lc_error *err) {
    a->count = given->x_count + given->y_count;
    supply->count = UINT64_MAX;
    LC_TRY(copy_names(&a->arena, given->x_names, given->x_count, given->y_names, given->y_count, &supply->names, err));
    a->whole = lc_arena_array(&a->arena, a->count, sizeof *a->whole);
    a->row = lc_arena_array(&a->arena, a->count, sizeof *a->row);
    if (!a->whole || !a->row) return lc_fail_memory(err, "arrays");
    for (uint32_t i = 0; i < a->count; i++) {
        const bool x = i < given->x_count;
        const uint32_t k = x ? i : i - given->x_count;
        lc_array *row = &a->row[i];
        a->whole[i] = x ? given->x[k] : given->y[k];
        LC_TRY(check_array(&a->whole[i], x ? "input" : "target", k, &supply->count, err));
        *row = a->whole[i];
        row->rank--;
        memmove(row->dims, row->dims + 1, (size_t)row->rank * sizeof *row->dims);
        row->dims[row->rank] = 0;
        row->size = supply->count ? row->size / (size_t)supply->count : 0;
    }
    const lc_array *w = given->weights;
    if (!w) return LC_OK;
    LC_TRY(check_array(w, "weight", 0, &supply->count, err));
    if (w->type != LC_FLOAT32 || w->rank != 1)
        return lc_fail(err, LC_ARGUMENT, "weights are float32[samples], not %s", lc_shape_of(w).text);
    a->weights = w->data;
    return LC_OK;
}

lc_status lc_pipeline_from_arrays(const lc_pipeline_arrays *given, const lc_pipeline_options *options, lc_pipeline **pipeline,
                                  lc_error *err) {
    if (!pipeline) return lc_fail(err, LC_ARGUMENT, "lc_pipeline_from_arrays needs a place for the pipeline");
    *pipeline = NULL;
    if (!given || (given->x_count && !given->x) || (given->y_count && !given->y))
        return lc_fail(err, LC_ARGUMENT, "lc_pipeline_from_arrays needs arrays");
    LC_TRY(check_parts(given->x_count, given->y_count, err));
    arrays *a = lc_calloc(1, sizeof *a);
    if (!a) return lc_fail_memory(err, "arrays");
    lc_supply supply = {.user = a,
                        .any_order = true,
                        .x_count = given->x_count,
                        .y_count = given->y_count,
                        .weighted = given->weights != NULL,
                        .read = read_arrays,
                        .close = close_arrays};
    const lc_status status = take_arrays(a, given, &supply, err);
    if (status == LC_OK) return lc_pipeline_open(&supply, options, pipeline, err);
    close_arrays(a);
    return status;
}

/* ---- functions ----------------------------------------------------------------------------------------------------------- */

typedef struct maker {
    lc_arena arena;
    lc_pipeline_function given;
} maker;

static void close_maker(void *user) {
    maker *m = user;
    lc_arena_deinit(&m->arena);
    lc_free(m);
}

static lc_status rewind_maker(void *user, lc_error *err) {
    (void)user, (void)err;
    return LC_OK;
}

static lc_status read_maker(void *user, uint64_t index, lc_sample *s, bool *end, lc_error *err) {
    const maker *m = user;
    *end = false;
    for (uint32_t i = 0; i < s->count; i++) s->parts[i].value = (lc_array){.rank = -1};
    lc_error_clear(err);
    LC_TRY(lc_of_caller(m->given.make(m->given.user, index, s, end, err), "the function of the samples", err));
    for (uint32_t i = 0; i < s->count && !*end; i++)
        if (s->parts[i].value.rank < 0) {
            lc_fail(err, LC_ARGUMENT, "the function of the samples did not set %s %u", i < s->x_count ? "input" : "target",
                    (unsigned)(i < s->x_count ? i : i - s->x_count));
            lc_error_hint(err, "call lc_sample_set for every part, which returns NULL when memory is out or the type has no bytes");
            return LC_ARGUMENT;
        }
    return LC_OK;
}

lc_status lc_pipeline_from_function(const lc_pipeline_function *f, const lc_pipeline_options *options, lc_pipeline **pipeline,
                                    lc_error *err) {
    if (!pipeline) return lc_fail(err, LC_ARGUMENT, "lc_pipeline_from_function needs a place for the pipeline");
    *pipeline = NULL;
    if (!f || !f->make) return lc_fail(err, LC_ARGUMENT, "lc_pipeline_from_function needs a function");
    LC_TRY(check_parts(f->x_count, f->y_count, err));
    maker *m = lc_calloc(1, sizeof *m);
    if (!m) return lc_fail_memory(err, "pipeline");
    m->given = *f;
    lc_supply supply = {.user = m,
                        .count = f->count ? f->count : UINT64_MAX,
                        .x_count = f->x_count,
                        .y_count = f->y_count,
                        .changes = true,
                        .read = read_maker,
                        .rewind = rewind_maker,
                        .close = close_maker};
    const lc_status status = copy_names(&m->arena, f->x_names, f->x_count, f->y_names, f->y_count, &supply.names, err);
    if (status == LC_OK) return lc_pipeline_open(&supply, options, pipeline, err);
    close_maker(m);
    return status;
}
