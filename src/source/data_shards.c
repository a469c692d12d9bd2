/*
 * data_shards.c: a set of samples in several files: "train-00000-of-00004" and those that follow, by a pattern or their folder.
 *
 * Files come in the order of their names. When names count the parts ("-of-00004"), all must be there and of one set: a part that is missing,
 * or the training set beside the test set, would change a result without a word.
 */
#include "source/data.h"

#include "source/rules.h"

#include <string.h>

/* '*' stands for any bytes, '?' for one. */
static bool matches(const char *pattern, const char *name) {
    const char *star = NULL, *mark = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            mark = name;
        } else if (*pattern == '?' || *pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++mark;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return !*pattern;
}

/* "STEM-00000-of-00004": where the number begins, and how many parts there are; 0: the name counts none. */
static uint32_t parts_of(const char *name, size_t *stem) {
    const char *of = NULL;
    for (const char *p = strstr(name, "-of-"); p; p = strstr(p + 1, "-of-")) of = p;
    size_t digits = 0;
    while (of && digits < (size_t)(of - name) && of[-1 - (ptrdiff_t)digits] >= '0' && of[-1 - (ptrdiff_t)digits] <= '9') digits++;
    if (!digits || digits == (size_t)(of - name) || of[-1 - (ptrdiff_t)digits] != '-') return 0;
    uint32_t parts = 0;
    for (const char *p = of + 4; *p >= '0' && *p <= '9' && parts < 10000000; p++) parts = parts * 10 + (uint32_t)(*p - '0');
    *stem = (size_t)(of - name) - digits;
    return parts;
}

static bool is_record_name(const char *name) {
    size_t stem;
    return strstr(name, ".tfrecord") || parts_of(name, &stem);
}

static lc_status check_parts(const char *path, const lc_shards *s, lc_error *err) {
    const char *first = strrchr(s->paths[0], '/');
    size_t stem = 0, other = 0;
    first = first ? first + 1 : s->paths[0];
    const uint32_t parts = parts_of(first, &stem);
    for (size_t i = 1; i < s->count; i++) {
        const char *name = strrchr(s->paths[i], '/');
        name = name ? name + 1 : s->paths[i];
        const uint32_t n = parts_of(name, &other);
        if (n == parts && (!parts || (other == stem && memcmp(first, name, stem) == 0))) continue;
        LC_SOURCE_FAIL(err, LC_INVALID, DATA_PARTS, LC_NO_OFFSET, "%s: files of several sets: %.100s, %.100s", path, first, name);
        lc_error_hint(err, "give a pattern for one of them, in quotes: '%.*s*'", (int)(stem < 80 ? stem : 80), first);
        return LC_INVALID;
    }
    if (!parts || parts == s->count) return LC_OK;
    LC_SOURCE_FAIL(err, LC_INVALID, DATA_PARTS, LC_NO_OFFSET, "%s: %zu of the %u parts of %.*s are there", path, s->count, parts,
                   (int)(stem < 100 ? stem : 100), first);
    lc_error_hint(err, "copy or download the others, or give a single part by its name");
    return LC_INVALID;
}

bool lc_is_pattern(const char *path) {
    const char *name = strrchr(path, '/');
    return strpbrk(name ? name : path, "*?") != NULL && !lc_path_is_file(path) && !lc_path_is_dir(path);
}

lc_status lc_shards_find(const char *path, lc_arena *arena, lc_budget *budget, lc_shards *s, lc_error *err) {
    const bool is_dir = lc_path_is_dir(path), pattern = lc_is_pattern(path);
    const char *slash = strrchr(path, '/'), **names = NULL;
    size_t count = 1;
    *s = (lc_shards){0};
    const char *folder = is_dir ? path : !slash ? "." : lc_arena_strndup(arena, path, slash == path ? 1 : (size_t)(slash - path));
    if (!folder) return lc_fail_memory(err, "folder");
    if (is_dir || pattern) LC_TRY(lc_folder_names(folder, arena, budget, &names, &count, err));
    if (!(s->paths = lc_arena_array(arena, count + 1, sizeof *s->paths))) return lc_fail_memory(err, "folder");
    if (!is_dir && !pattern) {
        s->paths[s->count++] = path;
        return LC_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_dir ? !is_record_name(names[i]) : !matches(slash ? slash + 1 : path, names[i])) continue;
        const char *full = !is_dir && !slash ? names[i] : lc_arena_printf(arena, "%s/%s", folder, names[i]);
        if (!full) return lc_fail_memory(err, "folder");
        if (lc_path_is_file(full)) s->paths[s->count++] = full;
    }
    if (s->count) return check_parts(path, s, err);
    if (is_dir) return LC_OK;
    lc_fail(err, LC_NOT_FOUND, "%s: no file has a name like this", path);
    lc_error_hint(err, "* stands for any letters, ? for one, in the last part of the path");
    return LC_NOT_FOUND;
}
