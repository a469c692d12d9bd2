/*
 * dataset.c: the table of data sets (dataset.def) and what a name in place of a path means. A file of that name goes before the set.
 */
#include "source/dataset.h"

#include <stdlib.h>
#include <string.h>

typedef const char *text;
#define LC_LIST(type, ...) (const type[]){__VA_ARGS__}, sizeof((const type[]){__VA_ARGS__}) / sizeof(type)
#define LC_NONE NULL, 0

static const lc_dataset sets[] = {
#define LC_DATASET(name, title, licence, page, height, width, channels, ...) \
    {name, title, licence, page, height, width, channels, __VA_ARGS__},
#include "source/dataset.def"
};
#define SET_COUNT (sizeof sets / sizeof *sets)

const lc_dataset *lc_dataset_at(size_t index) { return index < SET_COUNT ? &sets[index] : NULL; }

static char plain(const char **p) {
    while (**p == '-' || **p == '_') (*p)++;
    const char c = **p;
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* "CIFAR-10" is cifar10. */
static bool same_name(const char *name, const char *given, size_t size) {
    const char *end = given + size;
    while (true) {
        const char c = plain(&name);
        while (given < end && (*given == '-' || *given == '_')) given++;
        if (given >= end) return c == 0;
        if (c != plain(&given) || !c) return false;
        name++;
        given++;
    }
}

static const lc_dataset *find(const char *name, size_t size) {
    for (size_t i = 0; i < SET_COUNT && size; i++)
        if (same_name(sets[i].name, name, size)) return &sets[i];
    return NULL;
}

const lc_dataset *lc_dataset_find(const char *name) { return name ? find(name, strlen(name)) : NULL; }

lc_status lc_dataset_place(const lc_dataset *set, const char *dir, lc_arena *arena, const char **folder, lc_error *err) {
    const char *data = dir ? dir : getenv("LITEC_DATA"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (data && *data) *folder = lc_arena_printf(arena, "%s/%s", data, set->name);
    else if (cache && *cache) *folder = lc_arena_printf(arena, "%s/litec/%s", cache, set->name);
    else if (home && *home) *folder = lc_arena_printf(arena, "%s/.cache/litec/%s", home, set->name);
    else {
        lc_fail(err, LC_ARGUMENT, "there is no folder for data sets: LITEC_DATA, XDG_CACHE_HOME and HOME are not set");
        lc_error_hint(err, "set LITEC_DATA to a folder");
        return LC_ARGUMENT;
    }
    return *folder ? LC_OK : lc_fail_memory(err, "data set");
}

bool lc_dataset_complete(const lc_dataset *set, const char *folder) {
    const lc_dataset_file *files = set->members ? set->members : set->files;
    char path[4096];
    for (size_t i = 0; i < (set->members ? set->member_count : set->file_count); i++) {
        const int n = snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        if (n < 0 || (size_t)n >= sizeof path || !lc_path_is_file(path)) return false;
    }
    return true;
}

lc_status lc_dataset_resolve(const char *given, lc_arena *arena, const lc_dataset **set, const char **path, const char **labels,
                             lc_error *err) {
    const char *colon = strchr(given, ':'), *folder;
    const lc_dataset_split *split = NULL;
    *path = given;
    *labels = NULL;
    *set = lc_path_is_file(given) || lc_path_is_dir(given) ? NULL : find(given, colon ? (size_t)(colon - given) : strlen(given));
    if (!*set) return LC_OK;
    for (size_t i = 0; i < (*set)->split_count && colon; i++)
        if (strcmp((*set)->splits[i].name, colon + 1) == 0) split = &(*set)->splits[i];
    if (!split) {
        lc_fail(err, LC_ARGUMENT, colon ? "%s: the data set has no such part" : "%s: a data set has several parts", given);
        lc_error_hint(err, "give %s:train or %s:test", (*set)->name, (*set)->name);
        return LC_ARGUMENT;
    }
    LC_TRY(lc_dataset_place(*set, NULL, arena, &folder, err));
    *path = lc_arena_printf(arena, "%s/%s", folder, split->data);
    if (split->labels) *labels = lc_arena_printf(arena, "%s/%s", folder, split->labels);
    if (!*path || (split->labels && !*labels)) return lc_fail_memory(err, "data set");
    const bool there = (*set)->members ? lc_dataset_complete(*set, folder) : lc_path_is_file(*path) && lc_path_is_file(*labels);
    if (there) return LC_OK;
    lc_fail(err, LC_NOT_FOUND, "%s: the data set is not in %s", given, folder);
    lc_error_hint(err, "get it with `litec dataset fetch %s`", (*set)->name);
    return LC_NOT_FOUND;
}
