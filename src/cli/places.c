/*
 * places.c: asked before long work whether its results can be written: there is a folder, it may be written to, nothing is in the way. A disk
 * that is full by then is another matter.
 */
#include "cli/places.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static lc_status cannot(lc_status status, lc_error *err, const char *hint, const char *format, ...) __attribute__((format(printf, 4, 5)));
static lc_status cannot(lc_status status, lc_error *err, const char *hint, const char *format, ...) {
    va_list list;
    *err = (lc_error){.status = status, .offset = LC_NO_OFFSET};
    va_start(list, format);
    vsnprintf(err->message, sizeof err->message, format, list);
    va_end(list);
    snprintf(err->hint, sizeof err->hint, "%s", hint);
    return status;
}

bool lc_cli_ends(const char *path, const char *ending) {
    const size_t n = strlen(path), m = strlen(ending);
    return n > m && strcasecmp(path + n - m, ending) == 0;
}

/* The folder that `path` lies in: a slash at its end belongs to it. Freed by the caller; NULL: no memory. */
static char *folder_of(const char *path) {
    char *copy = strdup(path);
    if (!copy) return NULL;
    size_t n = strlen(copy);
    while (n > 1 && copy[n - 1] == '/') copy[--n] = '\0';
    char *slash = strrchr(copy, '/');
    if (!slash) {
        free(copy);
        return strdup(".");
    }
    slash[slash == copy] = '\0';
    return copy;
}

/* That the folder can be written to; missing: one that is to be made there. */
static lc_status check_folder(const char *path, const char *folder, bool missing, lc_error *err) {
    struct stat st;
    char hint[sizeof err->hint];
    if (stat(folder, &st) != 0) {
        if (errno != ENOENT)
            return cannot(LC_IO, err, "check the path and its permissions", "%.300s: cannot write: %s", path, strerror(errno));
        if (missing) {
            char *up = folder_of(folder);
            const lc_status status = !up || strcmp(up, folder) == 0 ? LC_OK : check_folder(path, up, true, err);
            free(up);
            return status;
        }
        snprintf(hint, sizeof hint, "make it first: mkdir -p %.200s", folder);
        return cannot(LC_NOT_FOUND, err, hint, "%.200s: cannot write: there is no directory %.200s", path, folder);
    }
    if (!S_ISDIR(st.st_mode))
        return cannot(LC_IO, err, "choose another path", "%.200s: cannot write: %.200s is in the way: it is no directory", path, folder);
    if (access(folder, W_OK | X_OK) == 0) return LC_OK;
    return cannot(LC_IO, err, "choose another path, or change who may write there", "%.200s: cannot write to %.200s: %s", path, folder,
                  strerror(errno));
}

lc_status lc_cli_place_file(const char *path, bool makes_folders, lc_error *err) {
    struct stat st;
    const size_t n = strlen(path);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const bool model_folder = !*name || !strchr(name, '.'); /* of a SavedModel */
    if (!n) return cannot(LC_ARGUMENT, err, "give a path", "an empty path");
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode) != model_folder)
        return cannot(LC_IO, err, "choose another path, or remove what is there", "%.300s: cannot write: a %s of this name is in the way",
                      path, model_folder ? "file" : "directory");
    char *folder = folder_of(path);
    const lc_status status = folder ? check_folder(path, folder, makes_folders, err) : LC_OK;
    free(folder);
    return status;
}

lc_status lc_cli_place_folder(const char *path, lc_error *err) { return check_folder(path, path, true, err); }
