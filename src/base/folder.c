/*
 * folder.c: making folders, and writing a folder of files whole or not at all.
 *
 * The files are written into a folder beside the target (PATH.litec-*). Commit exchanges both names in one step of the kernel
 * (renameat2 with RENAME_EXCHANGE) and removes what then has the other name. Where a file system cannot exchange, the old folder is moved
 * aside first: a process killed in that instant leaves both, under other names.
 *
 * Refused: a target that is no folder, or has entries that the caller did not name; it is checked again before it is replaced. Links in
 * a folder that is removed are removed, not followed.
 */
#include "base/folder.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REMOVE_DEPTH 16 /* of folders in each other, which no exported model has */

lc_status lc_folder_make(const char *path, lc_error *err) {
    lc_text part = {0};
    lc_text_add(&part, path);
    if (part.failed) return lc_fail_memory(err, "path of a folder");
    lc_status status = LC_OK;
    for (size_t i = 1; i <= part.size && status == LC_OK; i++) {
        if (part.data[i] != '/' && part.data[i]) continue;
        part.data[i] = 0;
        if (mkdir(part.data, 0777) != 0 && !lc_path_is_dir(part.data)) status = lc_fail_errno(err, "make", part.data, errno);
        part.data[i] = path[i];
    }
    lc_text_deinit(&part);
    return status;
}

void lc_file_remove(const char *path) { unlink(path); }

/* ---- removing a folder ------------------------------------------------------------------------------------------------- */

static void remove_folder(int parent, const char *name, int depth) {
    const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && !d) close(fd);
    for (const struct dirent *e; d && (e = readdir(d)) != NULL;) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        if (unlinkat(dirfd(d), e->d_name, 0) != 0 && depth < REMOVE_DEPTH) remove_folder(dirfd(d), e->d_name, depth + 1);
    }
    if (d) closedir(d);
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* ---- a folder, whole or not at all -------------------------------------------------------------------------------------- */

struct lc_folder {
    lc_text path, temporary, joined;
    const char *const *entries;
};

typedef struct entry_check {
    const char *const *entries;
    lc_text *stranger; /* the first that is not among them */
} entry_check;

static bool check_entry(void *user, const char *name) {
    const entry_check *c = user;
    for (const char *const *e = c->entries; *e; e++)
        if (!strcmp(*e, name)) return true;
    lc_text_add(c->stranger, name);
    return false;
}

static lc_status check_target(const lc_folder *f, bool *exists, lc_error *err) {
    struct stat st;
    *exists = lstat(f->path.data, &st) == 0;
    if (!*exists) return errno == ENOENT ? LC_OK : lc_fail_errno(err, "write", f->path.data, errno);
    if (!S_ISDIR(st.st_mode)) {
        lc_fail(err, LC_IO, "%s: cannot write: it is not a folder", f->path.data);
        lc_error_hint(err, "choose another name, or remove it first");
        return LC_IO;
    }
    lc_text stranger = {0};
    entry_check check = {f->entries, &stranger};
    lc_dir_each(f->path.data, check_entry, &check);
    if (stranger.failed) return lc_fail_memory(err, "name of a file");
    if (stranger.data) {
        lc_fail(err, LC_IO, "%s: cannot write: the folder holds '%s', which would be lost", f->path.data, stranger.data);
        lc_error_hint(err, "choose another folder, or empty this one first");
        lc_text_deinit(&stranger);
        return LC_IO;
    }
    return LC_OK;
}

static void release(lc_folder *f) {
    lc_text_deinit(&f->path);
    lc_text_deinit(&f->temporary);
    lc_text_deinit(&f->joined);
    lc_free(f);
}

/* A folder of a name that nobody has. */
static lc_status make_temporary(lc_text *name, const char *path, lc_error *err) {
    static _Atomic unsigned counter;
    for (int tries = 0; tries < 100; tries++) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        lc_text_deinit(name);
        lc_text_printf(name, "%s.litec-%lx-%lx-%x", path, (unsigned long)getpid(), (unsigned long)t.tv_nsec, counter++);
        if (name->failed) return lc_fail_memory(err, "output folder");
        if (mkdir(name->data, 0777) == 0) return LC_OK;
        if (errno != EEXIST) break;
    }
    const int number = errno;
    lc_text_deinit(name);
    return lc_fail_errno(err, "write", path, number);
}

lc_status lc_folder_create(const char *path, const char *const *entries, lc_folder **folder, lc_error *err) {
    *folder = NULL;
    if (!path || !*path) {
        lc_fail(err, LC_ARGUMENT, "no output folder given");
        lc_error_hint(err, "give the path of the folder to write");
        return LC_ARGUMENT;
    }
    lc_folder *f = lc_calloc(1, sizeof *f);
    if (!f) return lc_fail_memory(err, "output folder");
    f->entries = entries;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    lc_text_add_n(&f->path, path, n);
    bool exists;
    lc_status status = f->path.failed ? lc_fail_memory(err, "output folder") : check_target(f, &exists, err);
    if (status == LC_OK) status = make_temporary(&f->temporary, f->path.data, err);
    if (status != LC_OK) {
        release(f);
        return status;
    }
    *folder = f;
    return LC_OK;
}

const char *lc_folder_join(lc_folder *f, const char *entry) {
    lc_text_deinit(&f->joined);
    lc_text_printf(&f->joined, "%s/%s", f->temporary.data, entry);
    return f->joined.failed ? NULL : f->joined.data;
}

/* Gives the finished folder its name; after it `temporary` names what is to be removed, if anything. Returns false with errno set. */
static bool put_in_place(lc_folder *f, bool exists) {
    const char *from = f->temporary.data, *to = f->path.data;
    if (!exists) return rename(from, to) == 0;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) == 0) return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    lc_text aside = {0};
    lc_text_printf(&aside, "%s-old", from);
    if (aside.failed) {
        lc_text_deinit(&aside);
        errno = ENOMEM;
        return false;
    }
    bool done = rename(to, aside.data) == 0;
    if (done && rename(from, to) != 0) {
        const int number = errno;
        rename(aside.data, to);
        errno = number;
        done = false;
    }
    if (!done) {
        lc_text_deinit(&aside);
        return false;
    }
    lc_text_deinit(&f->temporary);
    f->temporary = aside;
    return true;
}

lc_status lc_folder_commit(lc_folder *f, lc_error *err) {
    bool exists;
    lc_status status = check_target(f, &exists, err); /* again: it may have changed while we wrote */
    if (status == LC_OK && !put_in_place(f, exists)) status = lc_fail_errno(err, "write", f->path.data, errno);
    if (status != LC_OK || exists) remove_folder(AT_FDCWD, f->temporary.data, 0);
    release(f);
    return status;
}

void lc_folder_abort(lc_folder *f) {
    if (!f) return;
    remove_folder(AT_FDCWD, f->temporary.data, 0);
    release(f);
}
