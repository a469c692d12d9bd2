/*
 * ckpt_path.c: which checkpoint a path means.
 *
 * TensorFlow takes a prefix: V2 when PREFIX.index is there, else V1: the file PREFIX, or a pattern of its shards. People have files and
 * directories, so those lead there too:
 *
 *     PREFIX.index, PREFIX.data-00000-of-00001          the prefix
 *     PREFIX-00000-of-00002, PREFIX-?????-of-00002      a V1 checkpoint in two files
 *     a file `checkpoint`                               what its text names: an absolute path, or one from its own directory. Checkpoints
 * move, so where nothing is there the last part of the name is tried beside the file a directory                                       its
 * `checkpoint`; variables/variables of a SavedModel; the only checkpoint in it
 *
 * A state file leads to a prefix, never to another state file. Nothing else in a checkpoint is a path. When nothing is found the error
 * says what was tried, and what checkpoints there are.
 */
#include "source/ckpt_impl.h"

#include <stdio.h>
#include <string.h>

#define STATE "checkpoint"

typedef struct finder {
    lc_budget *budget;
    lc_arena *arena;
    lc_ckpt_place *place;
} finder;

static lc_status no_memory(lc_error *err) { return lc_fail_memory(err, "path of a checkpoint"); }

/* Digits, or ? in their place, before the end n of a name; their number as *value, 0 when one is a ?. */
static size_t before_number(const char *name, size_t n, uint32_t *value) {
    const size_t end = n;
    uint64_t v = 0, ten = 1;
    for (; n && end - n < 9; n--, ten *= 10) {
        const char c = name[n - 1];
        if (c != '?' && (c < '0' || c > '9')) break;
        v = c == '?' ? 0 : v + (uint64_t)(c - '0') * ten;
    }
    const bool enough = end - n >= 5;
    *value = enough ? (uint32_t)v : 0;
    return enough ? n : end;
}

/* Length of `name` without an ending like "-00000-of-00002", whose first dash is `mark`; 0 when it has none. With the mark "-" it is not
 * one of the values of a V2 checkpoint. */
static size_t before_shard(const char *name, const char *mark, uint32_t *shard, uint32_t *shards) {
    const size_t end = strlen(name), m = strlen(mark), of = before_number(name, end, shards);
    if (of == end || of < 4 || memcmp(name + of - 4, "-of-", 4) != 0) return 0;
    const size_t n = before_number(name, of - 4, shard);
    if (n == of - 4 || n <= m || memcmp(name + n - m, mark, m) != 0) return 0;
    return m == 1 && n > 6 && memcmp(name + n - 6, ".data", 5) == 0 ? 0 : n - m;
}

/* The directory and the last part of a path. Directory "." for a name alone. */
static char *directory_of(lc_arena *arena, const char *path, const char **name) {
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    return !slash          ? lc_arena_printf(arena, ".")
           : slash == path ? lc_arena_printf(arena, "/")
                           : lc_arena_strndup(arena, path, (size_t)(slash - path));
}

/* ---- what a directory has ---------------------------------------------------------------------------------------------- */

/* Looking for the first file of the V1 checkpoint `name`. */
typedef struct shard_search {
    const char *name;
    uint32_t shards; /* 0: not found yet */
    bool several;
} shard_search;

static bool see_shard(void *user, const char *file) {
    shard_search *s = user;
    const size_t n = strlen(s->name);
    uint32_t shard = 1, of = 0;
    if (before_shard(file, "-", &shard, &of) != n || strncmp(file, s->name, n) != 0 || shard || !of) return true;
    s->several = s->shards && s->shards != of;
    s->shards = of;
    return !s->several;
}

/* Shards of the V1 checkpoint `prefix`; 0: there is none. */
static lc_status find_shards(const finder *f, const char *prefix, uint32_t *shards, lc_error *err) {
    shard_search s = {0};
    const char *directory = directory_of(f->arena, prefix, &s.name);
    if (!directory) return no_memory(err);
    if (*s.name) lc_dir_each(directory, see_shard, &s);
    *shards = s.shards;
    if (!s.several) return LC_OK;
    LC_SOURCE_FAIL(err, LC_INVALID, CKPT_FIND, LC_NO_OFFSET,
                   "%s: there are several V1 checkpoints of this name, of different numbers of files", prefix);
    lc_error_hint(err, "give one of the files: %s-00000-of-%05u", prefix, *shards);
    return LC_INVALID;
}

enum { NAMES_SHOWN = 4 };

/* V2 checkpoints in a directory, the first ones by name. */
typedef struct found {
    lc_arena *arena;
    size_t count;
    char *names[NAMES_SHOWN + 1]; /* sorted; the last place is for one that comes */
    bool failed;
} found;

static bool see_index(void *user, const char *file) {
    found *all = user;
    if (!lc_str_has_suffix(lc_str_of(file), ".index")) return true;
    char *name = lc_arena_strndup(all->arena, file, strlen(file) - 6);
    if (!name) all->failed = true;
    size_t i = all->count < NAMES_SHOWN ? all->count : NAMES_SHOWN;
    for (; name && i > 0 && strcmp(all->names[i - 1], name) > 0; i--) all->names[i] = all->names[i - 1];
    all->names[i] = name;
    all->count++;
    return name != NULL;
}

static lc_status list_checkpoints(const finder *f, const char *directory, found *all, lc_error *err) {
    *all = (found){.arena = f->arena};
    lc_dir_each(directory, see_index, all);
    return all->failed ? no_memory(err) : LC_OK;
}

static void hint_found(const found *all, const char *directory, lc_error *err) {
    char more[40] = "";
    const char *names[NAMES_SHOWN] = {"", "", "", ""}, *comma[NAMES_SHOWN] = {"", "", "", ""};
    for (size_t i = 0; i < all->count && i < NAMES_SHOWN; i++) {
        names[i] = all->names[i];
        comma[i] = i ? ", " : "";
    }
    if (all->count > NAMES_SHOWN) snprintf(more, sizeof more, " and %zu more", all->count - NAMES_SHOWN);
    if (!all->count)
        lc_error_hint(err, "give the prefix of a checkpoint: model.ckpt for model.ckpt.index and model.ckpt.data-00000-of-00001");
    else
        lc_error_hint(err, "in %.150s there %s %.60s%s%.60s%s%.60s%s%.60s%s", directory, all->count == 1 ? "is" : "are", names[0], comma[1],
                      names[1], comma[2], names[2], comma[3], names[3], more);
}

/* ---- finding ----------------------------------------------------------------------------------------------------------- */

/* Takes a prefix as TensorFlow does; *there says whether anything is at it. */
static lc_status try_prefix(const finder *f, const char *prefix, bool *there, lc_error *err) {
    uint32_t shard, shards = 0;
    lc_map map;
    const char *index = lc_arena_printf(f->arena, "%s.index", prefix);
    if (!index) return no_memory(err);
    *there = true;
    *f->place = (lc_ckpt_place){.prefix = prefix};
    if (lc_path_is_file(index)) return LC_OK;
    f->place->v1 = true;
    const size_t n = before_shard(prefix, "-", &shard, &shards); /* one of the files, or all by their pattern */
    if (n && !(prefix = f->place->prefix = lc_arena_strndup(f->arena, prefix, n))) return no_memory(err);
    if (!n && lc_path_is_file(prefix) && lc_map_open(&map, prefix, &f->budget->limits, NULL) == LC_OK) {
        *there = lc_table_probe(&map);
        lc_map_close(&map);
        return LC_OK;
    }
    if (!n || !shards) LC_TRY(find_shards(f, prefix, &shards, err)); /* a number may stand at the end of any name */
    f->place->shards = shards;
    const char *first = lc_arena_printf(f->arena, "%s-00000-of-%05u", prefix, shards);
    if (!first) return no_memory(err);
    *there = lc_path_is_file(first);
    return LC_OK;
}

/* The text of a state file: which prefix it names. */
static lc_status read_state(const finder *f, const char *path, lc_str *named, lc_error *err) {
    lc_map map;
    void *message;
    LC_TRY(lc_map_open(&map, path, &f->budget->limits, err));
    const lc_status status =
        lc_pb_read_text(LC_PB_CheckpointState, (lc_str){(const char *)map.data, map.size}, f->budget, f->arena, &message, err);
    lc_map_close(&map);
    if (status != LC_OK) {
        lc_error_prefix(err, "%s", path);
        return status;
    }
    *named = ((const lc_pb_CheckpointState *)message)->model_checkpoint_path;
    if (named->size && !memchr(named->data, 0, named->size)) return LC_OK;
    return LC_CKPT_BAD(CKPT_STATE, LC_NO_OFFSET, "%s: names no checkpoint (model_checkpoint_path)", path);
}

static lc_status locate_state(const finder *f, const char *path, lc_error *err) {
    const char *name;
    const char *directory = directory_of(f->arena, path, &name);
    lc_str named;
    bool there;
    if (!directory) return no_memory(err);
    LC_TRY(read_state(f, path, &named, err));
    const int n = named.size < 4096 ? (int)named.size : 4096; /* no system has longer ones */
    const char *prefix = named.data[0] == '/' ? lc_arena_printf(f->arena, "%.*s", n, named.data)
                                              : lc_arena_printf(f->arena, "%s/%.*s", directory, n, named.data);
    int last = n; /* also of a path of Windows */
    while (last > 0 && named.data[last - 1] != '/' && named.data[last - 1] != '\\') last--;
    const char *beside = lc_arena_printf(f->arena, "%s/%.*s", directory, n - last, named.data + last);
    if (!prefix || !beside) return no_memory(err);
    LC_TRY(try_prefix(f, prefix, &there, err));
    if (!there && last < n) LC_TRY(try_prefix(f, beside, &there, err));
    if (there) return LC_OK;
    found all;
    LC_TRY(list_checkpoints(f, directory, &all, err));
    LC_SOURCE_FAIL(err, LC_NOT_FOUND, CKPT_STATE, LC_NO_OFFSET, "%s: names the checkpoint %.300s, but there is none%s%.300s", path, prefix,
                   strcmp(prefix, beside) ? ", nor at " : "", strcmp(prefix, beside) ? beside : "");
    hint_found(&all, directory, err);
    return LC_NOT_FOUND;
}

static lc_status locate_directory(const finder *f, const char *path, lc_error *err) {
    const char *state = lc_arena_printf(f->arena, "%s/" STATE, path), *saved = lc_arena_printf(f->arena, "%s/variables/variables", path);
    bool there;
    found all;
    if (!state || !saved) return no_memory(err);
    if (lc_path_is_file(state)) return locate_state(f, state, err);
    LC_TRY(try_prefix(f, saved, &there, err));
    if (there) return LC_OK;
    LC_TRY(list_checkpoints(f, path, &all, err));
    if (all.count == 1) {
        const char *only = lc_arena_printf(f->arena, "%s/%s", path, all.names[0]);
        return only ? try_prefix(f, only, &there, err) : no_memory(err);
    }
    if (all.count)
        LC_SOURCE_FAIL(err, LC_NOT_FOUND, CKPT_FIND, LC_NO_OFFSET, "%s: has %zu checkpoints, and no file '" STATE "' that says which", path,
                       all.count);
    else LC_SOURCE_FAIL(err, LC_NOT_FOUND, CKPT_FIND, LC_NO_OFFSET, "%s: there is no checkpoint in this directory", path);
    hint_found(&all, path, err);
    return LC_NOT_FOUND;
}

/* A file that is no prefix. */
static lc_status locate_file(const finder *f, const char *path, lc_error *err) {
    static const char begin[] = "model_checkpoint_path";
    const char *name;
    lc_map map;
    if (!directory_of(f->arena, path, &name)) return no_memory(err);
    LC_TRY(lc_map_open(&map, path, &f->budget->limits, err));
    const bool state = !strcmp(name, STATE) || (map.size > sizeof begin && !memcmp(map.data, begin, sizeof begin - 1));
    lc_map_close(&map);
    if (state) return locate_state(f, path, err);
    LC_SOURCE_FAIL(err, LC_INVALID, CKPT_FIND, LC_NO_OFFSET, "%s: is no checkpoint, or one of V1 that is cut short", path);
    if (lc_str_has_suffix(lc_str_of(path), ".meta"))
        lc_error_hint(err, "it holds the graph; its checkpoint is %.*s", (int)strlen(path) - 5, path);
    else lc_error_hint(err, "give the prefix of a checkpoint: model.ckpt for model.ckpt.index and model.ckpt.data-00000-of-00001");
    return LC_INVALID;
}

static lc_status locate_nothing(const finder *f, const char *path, lc_error *err) {
    const char *name, *directory = directory_of(f->arena, path, &name), *data = lc_arena_printf(f->arena, "%s.data-00000-of-00001", path);
    found all;
    if (!directory || !data) return no_memory(err);
    if (lc_path_is_file(data)) {
        LC_SOURCE_FAIL(err, LC_NOT_FOUND, CKPT_FIND, LC_NO_OFFSET, "%s.index: is missing, %s is there", path, data);
        lc_error_hint(err, "the index says what is in the data: copy all files of the checkpoint");
        return LC_NOT_FOUND;
    }
    LC_TRY(list_checkpoints(f, directory, &all, err));
    LC_SOURCE_FAIL(err, LC_NOT_FOUND, CKPT_FIND, LC_NO_OFFSET, "%s: there is no checkpoint of this name (no %s.index)", path, name);
    hint_found(&all, directory, err);
    return LC_NOT_FOUND;
}

lc_status lc_ckpt_locate(const char *path, lc_budget *budget, lc_arena *arena, lc_ckpt_place *place, lc_error *err) {
    const finder f = {budget, arena, place};
    uint32_t shard, shards;
    bool there;
    if (!path || !*path) {
        lc_fail(err, LC_ARGUMENT, "no checkpoint given");
        lc_error_hint(err, "give the prefix of a checkpoint, e.g. model.ckpt for model.ckpt.index");
        return LC_ARGUMENT;
    }
    size_t length = strlen(path);
    const char *given = lc_arena_strndup(arena, path, length);
    if (!given) return no_memory(err);
    LC_TRY(try_prefix(&f, given, &there, err)); /* "model/" may be a prefix: of model/.index */
    if (!there && given[length - 1] == '/') {
        while (length > 1 && given[length - 1] == '/') length--;
        given = lc_arena_strndup(arena, path, length);
        if (!given) return no_memory(err);
        LC_TRY(try_prefix(&f, given, &there, err));
    }
    if (there && !place->v1) return LC_OK;
    size_t n = before_shard(given, ".data-", &shard, &shards); /* one of the files of V2, of which the index is a table too */
    if (!n && lc_str_has_suffix(lc_str_of(given), ".index")) n = strlen(given) - 6;
    if (n) {
        const char *prefix = lc_arena_strndup(arena, given, n);
        if (!prefix) return no_memory(err);
        LC_TRY(try_prefix(&f, prefix, &there, err));
        return there ? LC_OK : locate_nothing(&f, prefix, err);
    }
    if (there) return LC_OK;
    if (lc_path_is_dir(given)) return locate_directory(&f, given, err);
    return lc_path_is_file(given) ? locate_file(&f, given, err) : locate_nothing(&f, given, err);
}
