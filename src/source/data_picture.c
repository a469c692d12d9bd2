/*
 * data_picture.c: samples from .png and .jpg files.
 *
 * A folder with pictures in it gives them in the order of their names. A folder of folders gives classes: each folder in it is one, named as
 * the folder, counted in the order of the names; its pictures, and those in folders below it, are its samples: the order of Keras's
 * image_dataset_from_directory without shuffling. Names that begin with a dot are passed over, and so are files that are no pictures by
 * their ending; those that are pictures of a kind we do not read are refused, since leaving them out would change the result. Only one
 * picture is in memory at a time.
 */
#include "source/data.h"

#include "source/rules.h"

#include <stdlib.h>
#include <string.h>

typedef struct pictures {
    lc_arena arena;
    const char **paths;
    size_t count, capacity, at;
    bool skips; /* what cannot be read counts, and is left out later */
} pictures;

static void close_pictures(lc_series *s) {
    pictures *p = s->state;
    if (p) lc_arena_deinit(&p->arena);
    lc_free(p);
    s->state = NULL;
}

static lc_status load(const lc_series *s, const char *path, lc_array *image, lc_error *err) {
    const lc_status status = lc_array_load(path, &s->limits, image, err);
    if (status && err && !err->hint[0]) lc_error_hint(err, "see in a viewer what it is, and save it again or take it out");
    if (status) return status;
    if (image->type == LC_UINT8 && image->rank == 3 && image->size && (image->dims[2] == 1 || image->dims[2] == 3)) return LC_OK;
    lc_array_deinit(image);
    lc_fail(err, LC_INVALID, "%s: not a picture", path);
    lc_error_hint(err, "give .png and .jpg files");
    return LC_INVALID;
}

lc_status lc_data_put_picture(lc_array *batch, uint32_t i, uint32_t n, const lc_array *picture, lc_budget *budget, lc_error *err) {
    const int32_t *d = picture->dims;
    if (i == 0) LC_TRY(lc_array_make(batch, LC_FLOAT32, (int32_t[]){(int32_t)n, d[0], d[1], d[2]}, 4, budget, err));
    if (memcmp(batch->dims + 1, d, 3 * sizeof *d) != 0) {
        LC_SOURCE_FAIL(err, LC_INVALID, DATA_SHAPE, LC_NO_OFFSET, "the picture is %d x %d, others of its batch are %d x %d", (int)d[1],
                       (int)d[0], (int)batch->dims[2], (int)batch->dims[1]);
        lc_error_hint(err, "the model leaves the size open: scale the pictures to one size, or take one a batch");
        return LC_INVALID;
    }
    memcpy((uint8_t *)batch->data + i * picture->size, picture->data, picture->size);
    return LC_OK;
}

/* A picture becomes row i of the batch, which its size makes when i is 0. */
static lc_status read_picture(const lc_series *s, const char *path, uint32_t i, uint32_t n, lc_budget *budget, lc_array *batch,
                              lc_error *err) {
    lc_array image, scaled;
    LC_TRY(load(s, path, &image, err));
    lc_status status = lc_data_scale_picture(&s->plan, &image, &scaled, err);
    lc_array_deinit(&image);
    if (status) {
        lc_error_prefix(err, "%s", path);
        return status;
    }
    status = lc_data_put_picture(batch, i, n, &scaled, budget, err);
    lc_array_deinit(&scaled);
    if (status == LC_INVALID) lc_error_prefix(err, "%s", path);
    return status;
}

static lc_status read_pictures(lc_series *s, uint32_t n, lc_array *batch, lc_error *err) {
    pictures *p = s->state;
    lc_budget budget;
    lc_status status = LC_OK;
    lc_array made = {0};
    lc_budget_init(&budget, &s->limits);
    for (uint32_t i = 0; i < n && status == LC_OK; i++) status = read_picture(s, p->paths[p->at + i], i, n, &budget, &made, err);
    if (status) {
        lc_array_deinit(&made);
        return status;
    }
    p->at += n;
    *batch = made;
    return LC_OK;
}

static lc_status read_one(const lc_series *s, uint64_t index, lc_array *sample, lc_error *err) {
    const pictures *p = s->state;
    lc_array image;
    LC_TRY(load(s, p->paths[index], &image, err));
    const lc_status status = lc_data_scale_picture(&s->plan, &image, sample, err);
    lc_array_deinit(&image);
    return lc_series_named(status, p->paths[index], err);
}

static const char *file_of(const lc_series *s, uint64_t index) { return ((const pictures *)s->state)->paths[index]; }

static lc_status rewind_pictures(lc_series *s, lc_error *err) {
    (void)err;
    ((pictures *)s->state)->at = 0;
    return LC_OK;
}

static const lc_series_kind picture_kind = {read_pictures, rewind_pictures, close_pictures, read_one, file_of};

/* ---- folders ------------------------------------------------------------------------------------------------------------ */

/* What is in a folder. */
typedef struct listing {
    lc_arena *arena;
    lc_budget *budget;
    const char *folder;
    const char **names;
    size_t count, capacity;
    lc_status status;
    lc_error *err;
} listing;

static bool add_name(void *user, const char *name) {
    listing *l = user;
    void *names = (void *)l->names;
    if (name[0] == '.') return true;
    l->status = lc_budget_tables(l->budget, 1, "files in folders", l->err);
    if (l->status) return false;
    const char *copy = lc_arena_strndup(l->arena, name, strlen(name));
    if (!copy || !lc_arena_grow(l->arena, &names, &l->capacity, l->count + 1, sizeof *l->names)) {
        l->status = lc_fail_memory(l->err, "folder");
        return false;
    }
    l->names = names;
    l->names[l->count++] = copy;
    return true;
}

static int compare_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static lc_status list_folder(listing *l, const char *folder, lc_error *err) {
    l->folder = folder;
    l->err = err;
    lc_dir_each(folder, add_name, l);
    if (l->status == LC_OK && l->count) qsort((void *)l->names, l->count, sizeof *l->names, compare_text);
    return l->status;
}

lc_status lc_folder_names(const char *folder, lc_arena *arena, lc_budget *budget, const char ***names, size_t *count, lc_error *err) {
    listing l = {.arena = arena, .budget = budget};
    LC_TRY(list_folder(&l, folder, err));
    *names = l.names;
    *count = l.count;
    return LC_OK;
}

static bool ends_with(const char *name, const char *ending) {
    const size_t n = strlen(name), m = strlen(ending);
    for (size_t i = 0; i < m && n > m; i++) {
        const char c = name[n - m + i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != ending[i]) return false;
    }
    return n > m;
}

static bool has_ending(const char *name, const char *const *endings) {
    for (; *endings; endings++)
        if (ends_with(name, *endings)) return true;
    return false;
}

static lc_status add_picture(pictures *p, const char *path, lc_error *err) {
    static const char *const known[] = {".png", ".jpg", ".jpeg", NULL};
    static const char *const others[] = {".bmp", ".gif", ".webp", ".tif", ".tiff", NULL};
    if (has_ending(path, others) && !p->skips) {
        lc_fail(err, LC_UNSUPPORTED, "%s: a picture of a kind that is not read", path);
        lc_error_hint(err, "save it as .png, or take it out of the folder");
        return LC_UNSUPPORTED;
    }
    if (!has_ending(path, known) && !has_ending(path, others)) return LC_OK;
    void *paths = (void *)p->paths;
    if (!lc_arena_grow(&p->arena, &paths, &p->capacity, p->count + 1, sizeof *p->paths)) return lc_fail_memory(err, "folder");
    p->paths = paths;
    p->paths[p->count++] = path;
    return LC_OK;
}

/* Pictures of a folder, then those of the folders in it; `deep` says how many more folders may be below. */
static lc_status collect(pictures *p, const char *folder, lc_budget *budget, uint32_t deep, lc_error *err) {
    listing l = {.arena = &p->arena, .budget = budget};
    LC_TRY(list_folder(&l, folder, err));
    for (int folders = 0; folders < 2; folders++)
        for (size_t i = 0; i < l.count; i++) {
            const char *path = lc_arena_printf(&p->arena, "%s/%s", folder, l.names[i]);
            if (!path) return lc_fail_memory(err, "folder");
            if (lc_path_is_dir(path) != (folders == 1)) continue;
            if (!folders) LC_TRY(add_picture(p, path, err));
            else if (deep) LC_TRY(collect(p, path, budget, deep - 1, err));
            else return lc_fail(err, LC_LIMIT, "%s: folders in folders without end", path);
        }
    return LC_OK;
}

static lc_status mixed(const lc_series *s, lc_error *err) {
    LC_SOURCE_FAIL(err, LC_INVALID, DATA_SHAPE, LC_NO_OFFSET, "the folder holds pictures and folders of pictures");
    lc_error_hint(err, "give a folder of pictures, or one with a folder for each class: %s/cat, %s/dog", s->path, s->path);
    return LC_INVALID;
}

/* Pictures of the folder itself, or of the folders in it; these are then classes. */
static lc_status read_folder(lc_series *s, pictures *p, lc_labels *labels, lc_budget *budget, lc_error *err) {
    listing l = {.arena = &p->arena, .budget = budget};
    LC_TRY(list_folder(&l, s->path, err));
    for (size_t i = 0; i < l.count; i++) {
        const char *path = lc_arena_printf(&p->arena, "%s/%s", s->path, l.names[i]);
        if (!path) return lc_fail_memory(err, "folder");
        if (!lc_path_is_dir(path)) LC_TRY(add_picture(p, path, err));
    }
    const size_t flat = p->count;
    for (size_t i = 0; i < l.count; i++) {
        const char *path = lc_arena_printf(&p->arena, "%s/%s", s->path, l.names[i]);
        const size_t had = p->count;
        if (!path) return lc_fail_memory(err, "folder");
        if (!lc_path_is_dir(path)) continue;
        LC_TRY(collect(p, path, budget, 16, err));
        if (flat && p->count > had) return mixed(s, err);
        if (flat) continue;
        LC_TRY(lc_labels_add_class(labels, lc_str_of(l.names[i]), budget, err));
        for (size_t k = had; k < p->count; k++) LC_TRY(lc_labels_add(labels, lc_str_of(l.names[i]), budget, err));
    }
    return labels->count ? lc_labels_finish(labels, err) : LC_OK;
}

static lc_status open_folder(lc_series *s, pictures *p, const lc_series_wish *wish, lc_error *err) {
    lc_labels made = {0};
    if (wish->labels)
        made = (lc_labels){.order = wish->labels->order, .order_count = wish->labels->order_count, .order_path = wish->labels->order_path};
    const lc_status status = read_folder(s, p, &made, wish->budget, err);
    if (status == LC_OK && wish->labels && !wish->labels->count && made.count) *wish->labels = made;
    else lc_labels_deinit(&made);
    return status;
}

lc_status lc_series_open_pictures(lc_series *s, const lc_series_wish *wish, lc_error *err) {
    pictures *p = s->state = lc_calloc(1, sizeof *p);
    lc_array first;
    if (!p) return lc_fail_memory(err, "data");
    s->kind = &picture_kind;
    p->skips = wish->skips;
    if (lc_path_is_dir(s->path)) {
        LC_TRY(open_folder(s, p, wish, err));
    } else { /* one picture, whatever its name */
        if (!(p->paths = lc_arena_array(&p->arena, 1, sizeof *p->paths))) return lc_fail_memory(err, "data");
        p->paths[p->count++] = s->path;
    }
    if (p->count == 0) {
        LC_SOURCE_FAIL(err, LC_INVALID, DATA_EMPTY, LC_NO_OFFSET, "the folder has no pictures");
        lc_error_hint(err, "give a folder with .png or .jpg files, or one with a folder for each class");
        return LC_INVALID;
    }
    lc_status status = load(s, p->paths[0], &first, err);
    for (size_t i = 1; i < p->count && status && status != LC_NO_MEMORY && p->skips; i++) status = load(s, p->paths[i], &first, err);
    if (status) return status;
    s->type = first.type;
    s->rank = first.rank;
    memcpy(s->dims, first.dims, sizeof s->dims);
    lc_array_deinit(&first);
    s->count = p->count;
    s->split = s->pixels = s->any_order = true;
    return LC_OK;
}
