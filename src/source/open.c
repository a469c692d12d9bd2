/*
 * open.c: from a path to the file that says what the model is.
 *
 *   a file                       that file, whatever its name
 *   a directory                  its saved_model.pb or saved_model.pbtxt, or the state file `checkpoint` in it
 *   a path that is not there     a checkpoint's prefix, as TensorFlow takes it: model.ckpt stands for model.ckpt.index and model.ckpt.meta
 *
 * For any other directory the error says what it looks like: an unpacked .keras file, a directory above or below that of a SavedModel
 * (TensorFlow Serving numbers its versions: models/1/saved_model.pb), one split into parts.
 */
#include "source/source.h"

#include <string.h>

static char *joined(const char *a, const char *b, const char *c) {
    lc_text t = {0};
    lc_text_printf(&t, "%s%s%s", a, b, c);
    return lc_text_take(&t);
}

/* ---- directories ---- */

typedef struct look {
    const char *directory;
    const char *below; /* the first, by name, of its directories that hold a SavedModel; lc_malloc'ed */
    lc_text names;     /* the first few names in it */
    uint32_t count;
    bool no_memory;
} look;

static bool holds_saved_model(const char *directory, const char *name) {
    char *pb = joined(directory, "/", name), *file = pb ? joined(pb, "/saved_model.pb", "") : NULL;
    const bool there = file && lc_path_is_file(file);
    lc_free(file);
    lc_free(pb);
    return there;
}

static bool see(void *user, const char *name) {
    look *l = user;
    if (holds_saved_model(l->directory, name) && (!l->below || strcmp(name, l->below) > 0)) {
        lc_free((void *)(uintptr_t)l->below);
        l->below = joined(name, "", "");
        if (!l->below) l->no_memory = true;
    }
    if (l->count++ < 5) lc_text_printf(&l->names, "%s%s", l->names.size ? ", " : "", name);
    return !l->no_memory && l->count < 10000;
}

static lc_status refuse_directory(const char *path, lc_error *err) {
    look l = {.directory = path};
    lc_dir_each(path, see, &l);
    lc_status status = LC_INVALID;
    if (l.no_memory || l.names.failed) {
        status = lc_fail_memory(err, "directory");
    } else if (l.below) {
        LC_SOURCE_FAIL(err, LC_INVALID, SOURCE, LC_NO_OFFSET, "%s: a directory of SavedModels, not a SavedModel", path);
        lc_error_hint(err, "give the one inside: %s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", l.below);
    } else if (holds_saved_model(path, "..")) {
        LC_SOURCE_FAIL(err, LC_INVALID, SOURCE, LC_NO_OFFSET, "%s: a part of a SavedModel, not the SavedModel", path);
        lc_error_hint(err, "give the directory above it, which holds saved_model.pb");
    } else {
        LC_SOURCE_FAIL(err, LC_INVALID, SOURCE, LC_NO_OFFSET, "%s: a directory without a model: there is no saved_model.pb in it%s%s%s",
                       path, l.count ? " but " : "; it is empty", l.names.data ? l.names.data : "", l.count > 5 ? " ..." : "");
        lc_error_hint(err, "give the directory of a SavedModel, or the model file itself");
    }
    lc_free((void *)(uintptr_t)l.below);
    lc_text_deinit(&l.names);
    return status;
}

/* The file in a directory that says what it is. *file is lc_malloc'ed. */
static lc_status enter(const char *path, char **file, lc_error *err) {
    static const struct {
        const char *name, *what, *hint; /* what: it cannot be read, and why */
    } inside[] = {
        {"saved_model.pb", NULL, NULL},
        {"saved_model.pbtxt", NULL, NULL},
        {"saved_model.cpb", "a SavedModel that was split into parts (saved_model.cpb)",
         "save it again with its weights in variables, so that the graph stays under 2 GB"},
        {"config.json", "an unpacked .keras model",
         "zip its files again: cd into it and zip -0 ../model.keras config.json metadata.json model.weights.h5"},
        {"checkpoint", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        *file = joined(path, path[0] && path[strlen(path) - 1] == '/' ? "" : "/", inside[i].name);
        if (!*file) return lc_fail_memory(err, "path");
        if (lc_path_is_file(*file)) {
            if (!inside[i].what) return LC_OK;
            LC_SOURCE_FAIL(err, LC_UNSUPPORTED, SOURCE, LC_NO_OFFSET, "%s: a directory that holds %s", path, inside[i].what);
            lc_error_hint(err, "%s", inside[i].hint);
        }
        lc_free(*file);
        *file = NULL;
        if (inside[i].what && err->status == LC_UNSUPPORTED) return LC_UNSUPPORTED;
    }
    return refuse_directory(path, err);
}

/* ---- prefixes ---- */

/* The file that stands for a prefix; the path itself when there is none, so that the error is about it. */
static char *of_prefix(const char *path) {
    static const char *const suffixes[] = {".index", ".meta"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char *file = joined(path, suffixes[i], "");
        if (!file || lc_path_is_file(file)) return file;
        lc_free(file);
    }
    return joined(path, "", "");
}

/* ---- all ---- */

lc_status lc_source_open(const char *path, const lc_limits *limits, lc_source_input *input, const lc_source **source, lc_error *err) {
    lc_error local;
    char *file = NULL;
    *input = (lc_source_input){0};
    *source = NULL;
    if (!err) err = &local;
    lc_error_clear(err);
    if (lc_path_is_dir(path)) {
        LC_TRY(enter(path, &file, err));
    } else {
        file = lc_path_is_file(path) || !*path ? joined(path, "", "") : of_prefix(path);
        if (!file) return lc_fail_memory(err, "path");
    }
    lc_status status = lc_map_open(&input->map, file, limits, err);
    if (status == LC_OK) {
        *source = lc_source_find(&input->map, err);
        if (!*source) {
            lc_error_prefix(err, "%s", file);
            status = err->status;
        }
    }
    input->path = file;
    if (status) lc_source_close(input);
    return status;
}

void lc_source_close(lc_source_input *input) {
    lc_map_close(&input->map);
    lc_free(input->path);
    input->path = NULL;
}
