/*
 * feed.c: data files to inputs. A .npy must have the input's type and shape, only the batch may differ (or be missing for one
 * row); an input of unknown rank takes any shape; text is for string inputs. A picture is scaled to the input's size; an IDX file of pictures is a whole batch. Everything is
 * checked before anything is written, and the message says what is there and what the model wants.
 */
#include "cli/feed.h"

#include <stdlib.h>
#include <string.h>

typedef lc_cli_feed feeder;
typedef lc_cli_source source;

/* "float32[?,28,28]" */
static lc_cli_text wish(const lc_tensor_view *want) { return lc_cli_shape(want->type, want->signature, want->any_rank ? -1 : want->rank); }

/* ---- which file is for which input ---------------------------------------------------------------------------- */

static bool can_read(const char *path) {
    FILE *f = fopen(path, "rb");
    if (f) fclose(f);
    return f != NULL;
}

static int no_such_input(const feeder *f, const char *name) {
    char hint[512];
    size_t n = (size_t)snprintf(hint, sizeof hint, "the model's inputs are:");
    for (size_t i = 0; i < f->count && n < sizeof hint; i++) {
        const lc_tensor_view v = lc_session_input(f->session, i);
        n += (size_t)snprintf(hint + n, sizeof hint - n, "%s %s", i ? "," : "", v.name);
    }
    return lc_cli_failed(hint, "the model has no input named %s", name);
}

/* "NAME=FILE" or "FILE". What stands before a '=' is a name when the model has such an input (names may hold '=' too), or when there is
 * no file whose own name has that '='. Returns the length of the name, 0 for a plain file. */
static size_t name_length(const feeder *f, const char *text, char name[512]) {
    for (const char *equals = strchr(text, '='); equals && equals - text < 512; equals = strchr(equals + 1, '=')) {
        snprintf(name, 512, "%.*s", (int)(equals - text), text);
        if (equals > text && lc_session_find_input(f->session, name) >= 0) return (size_t)(equals - text);
    }
    const char *equals = strchr(text, '=');
    const size_t n = equals ? (size_t)(equals - text) : 0;
    snprintf(name, 512, "%.*s", (int)(n < 511 ? n : 511), text);
    return can_read(text) ? 0 : n;
}

static int assign(feeder *f, const char *text, bool by_name, size_t *next) {
    char name[512];
    const size_t named = name_length(f, text, name);
    size_t index = *next;
    if ((named > 0) != by_name) return LC_EXIT_OK;
    if (named) {
        const int32_t found = lc_session_find_input(f->session, name);
        if (found < 0) return no_such_input(f, name);
        index = (size_t)found;
    } else {
        while (index < f->count && f->sources[index].given) index++;
        *next = index + 1;
    }
    if (index >= f->count)
        return lc_cli_failed("give one file an input", "%zu input files, but the model has %zu input%s", f->files->count, f->count,
                             f->count == 1 ? "" : "s");
    if (f->sources[index].given)
        return lc_cli_failed("give each input once", "input %s is given twice", lc_session_input(f->session, index).name);
    f->sources[index].path = named ? text + named + 1 : text;
    f->sources[index].given = true;
    return lc_cli_input(&f->sources[index].path, f->max_memory);
}

static int assign_all(feeder *f) {
    size_t next = 0;
    for (int by_name = 1; by_name >= 0; by_name--) /* names first, so that the rest fill the gaps in order */
        for (size_t i = 0; i < f->files->count; i++) {
            const int code = assign(f, f->files->items[i], by_name == 1, &next);
            if (code) return code;
        }
    for (size_t i = 0; i < f->count; i++) {
        if (f->sources[i].given) continue;
        const lc_tensor_view v = lc_session_input(f->session, i);
        char hint[320];
        snprintf(hint, sizeof hint, "add --input %.200s=FILE", v.name);
        return lc_cli_failed(hint, "input %s is missing: the model wants %s", v.name, wish(&v).text);
    }
    return LC_EXIT_OK;
}

/* ---- what a file is good for ---------------------------------------------------------------------------------- */

static bool is_npy(const char *path) {
    unsigned char magic[6] = {0};
    FILE *f = fopen(path, "rb");
    const size_t n = f ? fread(magic, 1, sizeof magic, f) : 0;
    if (f) fclose(f);
    return n == sizeof magic && memcmp(magic, "\x93NUMPY", 6) == 0;
}

static int misfit(const source *s, const lc_tensor_view *want, const char *hint) {
    return lc_cli_failed(hint, "%s holds %s, input %s wants %s", s->path, lc_cli_shape(s->array.type, s->array.dims, s->array.rank).text,
                         want->name, wish(want).text);
}

/* True when dims, from dimension `from` of the input on, are what the input takes there. */
static bool rest_fits(const lc_tensor_view *want, const int32_t *dims, int32_t from) {
    for (int32_t d = from; d < want->rank; d++)
        if (want->signature[d] >= 0 && dims[d - from] != want->signature[d]) return false;
    return true;
}

static int plan_elements(source *s, const lc_tensor_view *want) {
    const lc_array *a = &s->array;
    char hint[128];
    if (a->type != want->type) {
        snprintf(hint, sizeof hint, "save it with the model's type: numpy.save(path, x.astype('%s'))",
                 want->type == LC_STRING ? "U" : lc_dtype_name(want->type));
        return misfit(s, want, hint);
    }
    s->rank = want->any_rank ? a->rank : want->rank;
    if (want->any_rank || (a->rank == want->rank && (want->rank == 0 || rest_fits(want, a->dims + 1, 1)))) {
        if (a->rank > 0) memcpy(s->dims, a->dims, (size_t)a->rank * sizeof *a->dims);
        return LC_EXIT_OK;
    }
    if (a->rank + 1 == want->rank && (want->signature[0] < 0 || want->signature[0] == 1) && rest_fits(want, a->dims, 1)) {
        s->dims[0] = 1; /* one row, without its batch dimension */
        if (a->rank > 0) memcpy(s->dims + 1, a->dims, (size_t)a->rank * sizeof *a->dims);
        return LC_EXIT_OK;
    }
    return misfit(s, want, "give an array of the model's shape; only the first dimension, the batch, may differ");
}

/* Pictures: PNG and JPEG are [h, w, c], IDX is [count, h, w]; anything else is data, not a picture. */
static bool as_pictures(source *s) {
    const lc_array *a = &s->array;
    if (a->type != LC_UINT8 || a->rank != 3) return false;
    s->stack = a->dims[2] != 1 && a->dims[2] != 3;
    s->count = s->stack ? a->dims[0] : 1;
    s->height = a->dims[s->stack ? 1 : 0];
    s->width = a->dims[s->stack ? 2 : 1];
    s->channels = s->stack ? 1 : a->dims[2];
    s->picture = s->count > 0 && s->height > 0 && s->width > 0;
    return s->picture;
}

static bool takes_pictures(const lc_tensor_view *want) {
    if (want->type == LC_FLOAT32) return true;
    return (want->type == LC_UINT8 || want->type == LC_INT8 || want->type == LC_INT16) && (want->scale > 0 || want->type == LC_UINT8);
}

static int plan_pictures(source *s, const lc_tensor_view *want) {
    const int32_t *sig = want->signature;
    if (!takes_pictures(want)) return misfit(s, want, "pictures go into float32 or quantised inputs; give a .npy of the input's type");
    int32_t height = s->height, width = s->width, channels = s->channels;
    s->rank = want->rank;
    s->dims[0] = s->count;
    if (want->rank == 4 && (sig[3] == 1 || sig[3] == 3 || sig[3] < 0)) {
        if (sig[1] > 0) height = sig[1];
        if (sig[2] > 0) width = sig[2];
        if (sig[3] > 0) channels = sig[3];
        s->dims[1] = height;
        s->dims[2] = width;
        s->dims[3] = channels;
    } else if (want->rank == 3) { /* grey, without a channel dimension */
        if (sig[1] > 0) height = sig[1];
        if (sig[2] > 0) width = sig[2];
        channels = 1;
        s->dims[1] = height;
        s->dims[2] = width;
    } else if (want->rank == 2 && (int64_t)height * width == sig[1]) { /* grey, flattened */
        channels = 1;
        s->dims[1] = sig[1];
    } else {
        return misfit(s, want, "a picture fits inputs [batch,height,width,1 or 3], [batch,height,width] and [batch,height*width]");
    }
    s->height = height;
    s->width = width;
    s->channels = channels;
    return LC_EXIT_OK;
}

static int read_source(feeder *f, size_t index) {
    source *s = &f->sources[index];
    const lc_tensor_view want = lc_session_input(f->session, index);
    const lc_limits limits = {.max_memory = f->max_memory};
    lc_error err;
    if (lc_array_load(s->path, &limits, &s->array, &err)) return lc_cli_fail(&err);
    if (!is_npy(s->path) && as_pictures(s)) return plan_pictures(s, &want);
    if (f->scales)
        return lc_cli_failed("leave them out, and scale the array before it is saved",
                             "%s is an array: --preprocess, --mean and --std are for pictures", s->path);
    return plan_elements(s, &want);
}

/* ---- filling -------------------------------------------------------------------------------------------------- */

/* Pictures [from, from + count) to the elements that begin at `at`. */
static int fill_pictures(const feeder *f, const source *s, const lc_tensor_view *v, size_t at, int32_t from, int32_t count) {
    const size_t bytes = s->array.size / (size_t)s->count; /* of one picture as read */
    for (int32_t k = from; k < from + count; k++) {
        lc_array picture = s->array;
        if (s->stack) {
            picture.dims[0] = s->array.dims[1];
            picture.dims[1] = s->array.dims[2];
            picture.dims[2] = 1;
            picture.data = (uint8_t *)s->array.data + (size_t)k * bytes;
            picture.size = bytes;
        }
        lc_array scaled;
        lc_error err;
        if (lc_image_to_input(&picture, s->height, s->width, s->channels, &f->pixels, &scaled, &err)) return lc_cli_fail(&err);
        const size_t n = scaled.size / sizeof(float);
        const float raw = f->pixels.scale != 0 ? 1 / f->pixels.scale : 255;
        float *pixels = scaled.data;
        for (size_t i = 0; i < n && v->type != LC_FLOAT32 && !(v->scale > 0); i++)
            pixels[i] *= raw; /* an input without a scale takes pixels */
        lc_tensor_put_reals(v, at, n, pixels);
        at += n;
        lc_array_deinit(&scaled);
    }
    return LC_EXIT_OK;
}

/* All strings at once: rows of text are not given one by one (batch.c). */
static int fill_strings(const feeder *f, size_t index) {
    const lc_array *a = &f->sources[index].array;
    lc_tensor_view text = {.type = LC_STRING, .rank = a->rank, .data = a->data, .size = a->size};
    size_t n = 1;
    lc_error err;
    for (int32_t d = 0; d < a->rank; d++) n *= (size_t)(text.dims[d] = a->dims[d]);
    const char **strings = calloc(n + 1, sizeof *strings);
    size_t *lengths = calloc(n + 1, sizeof *lengths);
    lc_status status = LC_OK;
    if (strings && lengths) {
        for (size_t i = 0; i < n; i++) strings[i] = lc_tensor_string(&text, i, &lengths[i]);
        status = lc_session_set_strings(f->session, index, strings, lengths, n, &err);
    }
    const bool room = strings && lengths;
    free(strings);
    free(lengths);
    if (!room) return lc_cli_failed(NULL, "out of memory (%zu strings)", n);
    return status ? lc_cli_fail(&err) : LC_EXIT_OK;
}

static int fill(const feeder *f, size_t index, int32_t to, int32_t from, int32_t rows) {
    const source *s = &f->sources[index];
    const lc_tensor_view v = lc_session_input(f->session, index);
    if (v.type == LC_STRING) return fill_strings(f, index);
    if (rows == 0) {
        if (s->picture) return fill_pictures(f, s, &v, 0, 0, s->count);
        if (s->array.size != v.size) return misfit(s, &v, NULL);
        if (v.size) memcpy(v.data, s->array.data, v.size);
        return LC_EXIT_OK;
    }
    if (s->picture) {
        const size_t elements = (size_t)s->height * (size_t)s->width * (size_t)s->channels;
        return fill_pictures(f, s, &v, (size_t)to * elements, from, rows);
    }
    const size_t bytes = s->array.size / (size_t)s->dims[0]; /* of one row */
    if (bytes * (size_t)v.dims[0] != v.size) return misfit(s, &v, NULL);
    memcpy((uint8_t *)v.data + (size_t)to * bytes, (const uint8_t *)s->array.data + (size_t)from * bytes, (size_t)rows * bytes);
    return LC_EXIT_OK;
}

/* ---- the calls ------------------------------------------------------------------------------------------------- */

int lc_cli_feed_read(lc_cli_feed *f) {
    f->count = lc_session_input_count(f->session);
    if (f->count > LC_CLI_LIST_MAX)
        return lc_cli_failed(NULL, "the model has %zu inputs, litec run takes up to %d", f->count, LC_CLI_LIST_MAX);
    int code = assign_all(f);
    for (size_t i = 0; i < f->count && !code; i++) code = read_source(f, i);
    return code;
}

int lc_cli_feed_resize(lc_cli_feed *f, int32_t rows, bool quiet) {
    const int32_t *dims[LC_CLI_LIST_MAX];
    int32_t shapes[LC_CLI_LIST_MAX][LC_MAX_RANK], ranks[LC_CLI_LIST_MAX];
    lc_error err;
    for (size_t i = 0; i < f->count; i++) {
        memcpy(shapes[i], f->sources[i].dims, sizeof shapes[i]);
        if (rows) shapes[i][0] = rows;
        dims[i] = shapes[i];
        ranks[i] = f->sources[i].rank;
    }
    if (f->count == 0 || lc_session_resize_inputs(f->session, dims, ranks, &err) == LC_OK) return LC_EXIT_OK;
    if (err.status == LC_INVALID && !err.hint[0])
        snprintf(err.hint, sizeof err.hint, "the inputs were given the shapes of the files: see whether these fit together and the model");
    return quiet ? LC_EXIT_FAILED : lc_cli_fail(&err);
}

int lc_cli_feed_fill(const lc_cli_feed *f, int32_t to, int32_t from, int32_t rows) {
    int code = LC_EXIT_OK;
    for (size_t i = 0; i < f->count && !code; i++) code = fill(f, i, to, from, rows);
    return code;
}

void lc_cli_feed_deinit(lc_cli_feed *f) {
    for (size_t i = 0; i < f->count; i++) lc_array_deinit(&f->sources[i].array);
    f->count = 0;
}
