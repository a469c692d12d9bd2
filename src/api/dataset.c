/*
 * dataset.c: lc_dataset_fetch: the files of a data set, each from the first place that has it, into the set's folder.
 *
 * What stays true: a file has its name only when it is whole and its SHA-256 is that of the table. (A .gz of a local folder that was packed
 * again is taken by the checksum of what it holds.) A part with wrong bytes is dropped and, when it was begun by an earlier run, fetched once
 * more from the start. An archive is unpacked, file by file, and then removed.
 */
#include "source/dataset.h"

#include "api/download.h"
#include "base/folder.h"
#include "source/sha256.h"
#include "source/stream.h"

#include <string.h>

typedef struct job {
    const lc_dataset *set;
    const lc_dataset_options *o;
    lc_arena arena;
    const char *folder;
} job;

/* ---- checksums --------------------------------------------------------------------------------------------------------- */

static lc_status wrong_bytes(const char *from, const char *found, const lc_dataset_file *f, lc_error *err) {
    lc_fail(err, LC_INVALID, "%s: the SHA-256 is %s, that of %s is %s", from, found, f->name, f->sha256);
    lc_error_hint(err, "these are not the bytes of the data set: get the file from elsewhere, --from ADDRESS or DIR");
    return LC_INVALID;
}

/* Whether what a .gz holds is right. */
static bool content_is(lc_cursor bytes, const char *sha256) {
    lc_stream s;
    lc_sha256 sum;
    char text[65];
    bool good = lc_gzip_probe(bytes) && lc_stream_open(&s, bytes, NULL) == LC_OK;
    if (!good) return false;
    lc_sha256_begin(&sum);
    while (good) {
        good = lc_stream_fill(&s, NULL) == LC_OK;
        const size_t n = lc_cursor_left(&s.window);
        if (!good || !n) break;
        lc_sha256_add(&sum, lc_read_bytes(&s.window, n), n);
    }
    lc_stream_close(&s);
    lc_sha256_end(&sum, text);
    return good && strcmp(text, sha256) == 0;
}

static lc_status check(const lc_map *map, const char *from, const lc_dataset_file *f, lc_error *err) {
    lc_sha256 sum;
    char text[65];
    lc_sha256_begin(&sum);
    lc_sha256_add(&sum, map->data, map->size);
    lc_sha256_end(&sum, text);
    if (strcmp(text, f->sha256) == 0) return LC_OK;
    if (f->content_sha256 && content_is(lc_cursor_make(map->data, map->size), f->content_sha256)) return LC_OK;
    return wrong_bytes(from, text, f, err);
}

static lc_status check_file(const char *path, const lc_dataset_file *f, lc_error *err) {
    lc_map map;
    LC_TRY(lc_map_open(&map, path, NULL, err));
    const lc_status status = check(&map, path, f, err);
    lc_map_close(&map);
    return status;
}

/* ---- places -------------------------------------------------------------------------------------------------------------- */

static int hex(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The path of a file:// address, or of a folder as it stands; NULL: an address of the network. */
static lc_status local_path(job *j, const char *from, const char **path, lc_error *err) {
    *path = NULL;
    if (strncmp(from, "file://", 7) != 0) {
        if (!strstr(from, "://")) *path = from;
        return LC_OK;
    }
    from += 7;
    if (strncmp(from, "localhost/", 10) == 0) from += 9;
    char *p = lc_arena_strndup(&j->arena, from, strlen(from)), *to = p;
    if (!p) return lc_fail_memory(err, "data set");
    for (const char *c = from; *c; c++)
        if (*c == '%' && hex(c[1]) >= 0 && hex(c[2]) >= 0) {
            *to++ = (char)(hex(c[1]) * 16 + hex(c[2]));
            c += 2;
        } else {
            *to++ = *c;
        }
    *to = 0;
    *path = p;
    return LC_OK;
}

static lc_status copy_local(const char *from, const char *to, const lc_dataset_file *f, lc_error *err) {
    lc_map map;
    LC_TRY(lc_map_open(&map, from, NULL, err));
    lc_status status = check(&map, from, f, err);
    if (status == LC_OK && !lc_map_is(&map, to)) status = lc_file_save(to, map.data, map.size, err);
    lc_map_close(&map);
    return status;
}

/* ---- from the network ------------------------------------------------------------------------------------------------------ */

static lc_status incomplete(const char *url, const lc_download *d, lc_error *err) {
    lc_fail(err, LC_IO, "%s: the download ended after %llu of %llu bytes", url, (unsigned long long)lc_part_size(d->part),
            (unsigned long long)d->expected);
    lc_error_hint(err, "call it again: it goes on from there");
    return LC_IO;
}

/* The server has all of a file that is not the one of the data set: there is nothing to go on from. */
static lc_status another_file(const char *url, const lc_download *d, lc_error *err) {
    lc_fail(err, LC_INVALID, "%s: the server's file is another one: it has %llu bytes, that of the data set %llu", url,
            (unsigned long long)lc_part_size(d->part), (unsigned long long)d->expected);
    lc_error_hint(err, "see in a browser what is there (a page to sign in?), or get the file from elsewhere: --from ADDRESS or DIR");
    return LC_INVALID;
}

/* What came, as the file of the data set. A .gz that was packed again has another size. */
static lc_status check_part(const char *url, const lc_download *d, const lc_dataset_file *f, bool whole, lc_error *err) {
    const uint64_t size = lc_part_size(d->part);
    const lc_status status = size ? check_file(d->part, f, err) : LC_INVALID;
    if (status != LC_INVALID || size == f->bytes) return status;
    return whole || size > f->bytes ? another_file(url, d, err) : incomplete(url, d, err);
}

static lc_status download(job *j, const char *url, const char *path, const lc_dataset_file *f, lc_error *err) {
    lc_download_end end = {.resumed = 1};
    lc_download d = {lc_arena_printf(&j->arena, "%s.part", path), f->name, f->bytes, f->bytes, j->o};
    if (!d.part) return lc_fail_memory(err, "data set");
    if (f->content_sha256) d.most += d.most / 4 + 4096; /* how badly it may be packed */
    lc_status status = LC_INVALID;
    for (int turn = 0; turn < 2 && status == LC_INVALID && end.resumed; turn++) {
        const uint64_t before = lc_part_size(d.part);
        status = lc_download_run(&d, url, &end, err);
        if (status == LC_OK) status = check_part(url, &d, f, end.whole || (before && lc_part_size(d.part) <= before), err);
        if (status == LC_INVALID) lc_part_drop(d.part);
    }
    return status == LC_OK ? lc_part_commit(d.part, path, err) : status;
}

static lc_status fetch_from(job *j, const char *from, const char *path, const lc_dataset_file *f, lc_error *err) {
    const size_t n = strlen(from);
    const char *local, *slash = n && from[n - 1] == '/' ? "" : "/";
    LC_TRY(local_path(j, from, &local, err));
    const char *full = lc_arena_printf(&j->arena, "%s%s%s", local ? local : from, slash, f->name);
    if (!full) return lc_fail_memory(err, "data set");
    if (local) return copy_local(full, path, f, err);
    if (strncmp(from, "http://", 7) == 0 || strncmp(from, "https://", 8) == 0) return download(j, full, path, f, err);
    lc_fail(err, LC_ARGUMENT, "%s: not an address that litec reads", from);
    lc_error_hint(err, "give a folder, or an address that begins with http://, https:// or file://");
    return LC_ARGUMENT;
}

static lc_status fetch_file(job *j, const lc_dataset_file *f, const char *path, lc_error *err) {
    if (lc_path_is_file(path) && check_file(path, f, NULL) == LC_OK) return LC_OK;
    if (j->o->from) return fetch_from(j, j->o->from, path, f, err);
    lc_status status = LC_NOT_FOUND;
    for (size_t i = 0; i < j->set->address_count && status != LC_OK; i++) {
        status = fetch_from(j, j->set->addresses[i], path, f, err);
        if (status == LC_NO_MEMORY || status == LC_UNSUPPORTED) break;
    }
    return status;
}

/* ---- archives ---------------------------------------------------------------------------------------------------------------- */

static const lc_dataset_file *find_member(const lc_dataset *set, const char *name) {
    const char *slash = strrchr(name, '/');
    for (size_t i = 0; i < set->member_count; i++)
        if (strcmp(slash ? slash + 1 : name, set->members[i].name) == 0) return &set->members[i];
    return NULL;
}

static lc_status bad_archive(const char *what, lc_error *err) {
    lc_fail(err, LC_INVALID, "the archive %s", what);
    lc_error_hint(err, "get it from elsewhere: --from ADDRESS or DIR");
    return LC_INVALID;
}

/* `size` bytes of the stream become a file. */
static lc_status unpack_file(lc_stream *s, const char *path, uint64_t size, lc_error *err) {
    lc_file *file;
    lc_status status = lc_file_create(path, &file, err);
    while (status == LC_OK && size) {
        status = lc_stream_fill(s, err);
        const size_t left = lc_cursor_left(&s->window), n = left < size ? left : (size_t)size;
        if (status == LC_OK && !n) status = bad_archive("is cut short", err);
        if (status == LC_OK) status = lc_file_write(file, lc_read_bytes(&s->window, n), n, err);
        size -= n;
    }
    if (status == LC_OK) return lc_file_commit(file, err);
    lc_file_abort(file);
    return status;
}

/* POSIX ustar: a block of 512 bytes with name and size (octal) before each file, whose bytes fill whole blocks. */
static lc_status unpack(job *j, const lc_map *map, lc_error *err) {
    lc_stream s;
    uint64_t got;
    size_t found = 0;
    uint8_t head[512];
    LC_TRY(lc_stream_open(&s, lc_cursor_make(map->data, map->size), err));
    lc_status status = LC_OK;
    while (status == LC_OK) {
        char name[101] = {0};
        uint64_t size = 0;
        status = lc_stream_read(&s, head, sizeof head, &got, err);
        if (status || got < sizeof head || !head[0]) break;
        memcpy(name, head, 100);
        for (int i = 124; i < 135 && head[i] >= '0' && head[i] <= '7'; i++) size = size << 3 | (uint64_t)(head[i] - '0');
        const uint64_t padding = (512 - size % 512) % 512;
        const lc_dataset_file *m = head[156] == '0' || head[156] == 0 ? find_member(j->set, name) : NULL;
        if (m && size == m->bytes) {
            const char *path = lc_arena_printf(&j->arena, "%s/%s", j->folder, m->name);
            status = path ? unpack_file(&s, path, size, err) : lc_fail_memory(err, "data set");
            found++;
            size = 0;
        }
        if (status == LC_OK) status = lc_stream_read(&s, NULL, size + padding, &got, err);
    }
    lc_stream_close(&s);
    if (status) return status;
    return found >= j->set->member_count ? LC_OK : bad_archive("lacks files of the data set", err);
}

static lc_status fetch_archive(job *j, lc_error *err) {
    lc_map map;
    const char *path = lc_arena_printf(&j->arena, "%s/%s", j->folder, j->set->files[0].name);
    if (!path) return lc_fail_memory(err, "data set");
    LC_TRY(fetch_file(j, &j->set->files[0], path, err));
    LC_TRY(lc_map_open(&map, path, NULL, err));
    const lc_status status = unpack(j, &map, err);
    lc_map_close(&map);
    if (status == LC_OK || status == LC_INVALID) lc_part_drop(path);
    return status;
}

/* ---- the calls ------------------------------------------------------------------------------------------------------------------ */

static lc_status fetch(job *j, lc_error *err) {
    LC_TRY(lc_dataset_place(j->set, j->o->dir, &j->arena, &j->folder, err));
    if (j->set->members && lc_dataset_complete(j->set, j->folder)) return LC_OK;
    LC_TRY(lc_folder_make(j->folder, err));
    if (j->set->members) return fetch_archive(j, err);
    for (size_t i = 0; i < j->set->file_count; i++) {
        const char *path = lc_arena_printf(&j->arena, "%s/%s", j->folder, j->set->files[i].name);
        if (!path) return lc_fail_memory(err, "data set");
        LC_TRY(fetch_file(j, &j->set->files[i], path, err));
    }
    return LC_OK;
}

static lc_status give_folder(const job *j, char **folder, lc_error *err) {
    lc_text copy = {0};
    if (!folder) return LC_OK;
    lc_text_add(&copy, j->folder);
    return (*folder = lc_text_take(&copy)) ? LC_OK : lc_fail_memory(err, "data set");
}

lc_status lc_dataset_fetch(const lc_dataset *set, const lc_dataset_options *options, char **folder, lc_error *err) {
    static const lc_dataset_options defaults;
    lc_error local;
    if (!err) err = &local;
    lc_error_clear(err);
    if (folder) *folder = NULL;
    if (!set) return lc_fail(err, LC_ARGUMENT, "lc_dataset_fetch needs a data set");
    job j = {.set = set, .o = options ? options : &defaults};
    lc_status status = fetch(&j, err);
    if (status == LC_OK) lc_error_clear(err); /* of an address that was tried in vain */
    if (status == LC_OK) status = give_folder(&j, folder, err);
    lc_arena_deinit(&j.arena);
    return status;
}

bool lc_dataset_is_here(const lc_dataset *set, const char *dir, char **folder) {
    job j = {.set = set};
    if (folder) *folder = NULL;
    const bool here = set && lc_dataset_place(set, dir, &j.arena, &j.folder, NULL) == LC_OK && lc_dataset_complete(set, j.folder);
    if (j.folder) give_folder(&j, folder, NULL);
    lc_arena_deinit(&j.arena);
    return here;
}
