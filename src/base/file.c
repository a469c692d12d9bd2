/*
 * file.c: reading a file by mapping it, and writing one whole or not at all.
 *
 * Reading: only regular files, only read-only, and the size is taken once. (Who shortens a file while it is mapped gets a
 * SIGBUS; that is the price of never copying weights, and litec itself never shortens a file: see below.)
 *
 * Writing: the bytes go to a nameless file (O_TMPFILE) in the target's directory. Nobody can see it and the kernel drops
 * it when the process ends, however it ends. Commit fsyncs it and gives it its name: by linkat when the name is free,
 * else by linkat to a temporary name and rename over the old file, with signals held back in between (SIGKILL cannot be: in
 * that instant it leaves the finished file under the temporary name). A program that has the old file mapped keeps the old bytes. Where there is no O_TMPFILE (some network and overlay file systems), or neither
 * /proc nor the right to do without it, the temporary has a name from the start (.litec-*, beside the target), and a killed
 * process leaves it there.
 *
 * Refused: a target that is a directory, a device, a pipe (rename would replace /dev/null itself), a read-only file, or
 * a link to nothing. A target that is a link to a file: the file behind it is replaced, the link stays. The directory is
 * not fsynced: after a power cut the name means the old file or the new one, and both are whole.
 */
#include "base/file.h"

#include "base/alloc.h"
#include "base/budget.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/str.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- what went wrong, in words ---- */

/* The system's text for an errno; strerror is not thread-safe everywhere, GNU strerror_r returns its text. */
static const char *reason(int number, char *buffer, size_t size) { return strerror_r(number, buffer, size); }

lc_status lc_fail_errno(lc_error *err, const char *what, const char *path, int number) {
    char text[128];
    lc_status status = LC_IO;
    switch (number) {
    case ENOENT:
    case ENOTDIR: status = LC_NOT_FOUND; break;
    case ENOMEM: status = LC_NO_MEMORY; break;
    default: break;
    }
    lc_fail(err, status, "%s: cannot %s: %s", path, what, reason(number, text, sizeof text));
    switch (number) {
    case ENOENT: lc_error_hint(err, "check the path, it is taken from the current directory"); break;
    case ENOTDIR: lc_error_hint(err, "a part of the path before the last is a file, not a directory"); break;
    case EACCES:
    case EPERM: lc_error_hint(err, "check the permissions of the file and its directory (ls -ld)"); break;
    case EEXIST: lc_error_hint(err, "a file of that name is in the way: remove it or choose another name"); break;
    case EROFS: lc_error_hint(err, "this file system is read-only: choose another place"); break;
    case ENOSPC: lc_error_hint(err, "the disk is full (df -h): free some space or choose another place"); break;
    case EDQUOT: lc_error_hint(err, "your disk quota is used up: free some space or choose another place"); break;
    case EFBIG: lc_error_hint(err, "the file is larger than the file system or the limit (ulimit -f) allows"); break;
    case EMFILE:
    case ENFILE: lc_error_hint(err, "too many open files: close some or raise the limit (ulimit -n)"); break;
    case ELOOP: lc_error_hint(err, "the path goes in a circle of symbolic links"); break;
    case ENAMETOOLONG: lc_error_hint(err, "use a shorter name"); break;
    case ENOMEM: lc_error_hint(err, "the machine is out of memory or address space (ulimit -v)"); break;
    case EIO: lc_error_hint(err, "the disk reported an error: look at the system log (dmesg)"); break;
    default: lc_error_hint(err, "try another place, e.g. a local disk"); break;
    }
    return status;
}

/* ---- reading ---- */

static lc_status check_readable(const char *path, const struct stat *st, const lc_limits *limits, lc_error *err) {
    if (S_ISDIR(st->st_mode)) {
        lc_fail(err, LC_INVALID, "%s: is a directory, a file is wanted", path);
        lc_error_hint(err, "give a file inside it");
        return LC_INVALID;
    }
    if (!S_ISREG(st->st_mode)) {
        lc_fail(err, LC_INVALID, "%s: is a pipe, socket or device, a regular file is wanted", path);
        lc_error_hint(err, "save the data to a file first, then give that file");
        return LC_INVALID;
    }
    if (st->st_size == 0) {
        lc_fail(err, LC_INVALID, "%s: the file is empty", path);
        lc_error_hint(err, "it was probably not written to the end: copy or export it again");
        return LC_INVALID;
    }
    lc_budget budget;
    lc_budget_init(&budget, limits);
    size_t size;
    if ((uint64_t)st->st_size > budget.limits.max_file || !lc_u64_to_size((uint64_t)st->st_size, &size)) {
        lc_fail(err, LC_LIMIT, "%s: the file has %lld bytes, the limit is %llu", path, (long long)st->st_size,
                (unsigned long long)budget.limits.max_file);
        lc_error_hint(err, "if the file is what it should be, raise lc_limits.max_file");
        return LC_LIMIT;
    }
    return LC_OK;
}

lc_status lc_map_open(lc_map *map, const char *path, const lc_limits *limits, lc_error *err) {
    *map = (lc_map){0};
    if (!path || !*path) {
        lc_fail(err, LC_ARGUMENT, "no file name given");
        lc_error_hint(err, "give the path of a file");
        return LC_ARGUMENT;
    }
    /* O_NONBLOCK: opening a pipe that nobody writes to would wait for ever. */
    int fd;
    do fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    /* Without /proc the name leads nowhere, but the file it means is open. */
    if (fd < 0 && errno == ENOENT && !strcmp(path, "/dev/stdin")) fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) return lc_fail_errno(err, "read", path, errno);
    struct stat st;
    lc_status status = LC_OK;
    if (fstat(fd, &st) != 0) status = lc_fail_errno(err, "read", path, errno);
    if (status == LC_OK) status = check_readable(path, &st, limits, err);
    if (status == LC_OK) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) status = lc_fail_errno(err, "read", path, errno);
        else *map = (lc_map){p, (size_t)st.st_size, (uint64_t)st.st_dev, (uint64_t)st.st_ino};
    }
    close(fd);
    return status;
}

void lc_map_close(lc_map *map) {
    if (map->data) munmap((void *)(uintptr_t)map->data, map->size);
    *map = (lc_map){0};
}

void lc_map_release(const lc_map *map, const void *data, size_t size) {
    long asked = sysconf(_SC_PAGESIZE);
    if (!map->data || asked <= 0) return;
    size_t page = (size_t)asked;
    if (!lc_range_ok((uintptr_t)data - (uintptr_t)map->data, size, map->size)) return;
    /* Whole pages inside only: a page that is shared with the neighbour may be about to be read. */
    size_t from = (size_t)((uintptr_t)data - (uintptr_t)map->data), to = from + size;
    from = (from + page - 1) / page * page;
    if (to < map->size) to = to / page * page;
    if (from < to) madvise((void *)((uintptr_t)map->data + from), to - from, MADV_DONTNEED);
}

bool lc_map_is(const lc_map *map, const char *path) {
    struct stat st;
    return map->data && path && stat(path, &st) == 0 && (uint64_t)st.st_dev == map->device && (uint64_t)st.st_ino == map->inode;
}

bool lc_path_is_dir(const char *path) {
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool lc_path_is_file(const char *path) {
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool lc_path_ends(const char *path, const char *ending) {
    const size_t n = strlen(path), m = strlen(ending);
    return n > m && strcasecmp(path + n - m, ending) == 0;
}

void lc_dir_each(const char *path, bool (*each)(void *user, const char *name), void *user) {
    DIR *d = opendir(path);
    bool more = d != NULL;
    while (more) {
        const struct dirent *e = readdir(d);
        if (!e) break;
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) more = each(user, e->d_name);
    }
    if (d) closedir(d);
}

/* ---- writing ---- */

#define BUFFER (64u << 10)
#define TEMP_NAME 40

struct lc_file {
    char *path;                /* as the caller wrote it: for messages */
    char *target;              /* links resolved; owned */
    const char *name;          /* last part of target */
    int directory, fd;         /* directory: opened with O_PATH, so that a chdir in between does no harm */
    char temp[TEMP_NAME];      /* name of the temporary in `directory`; "" for a nameless one */
    bool failed;               /* a write failed: commit refuses */
    uint64_t written, started; /* bytes given to the kernel; of these, bytes it was told to write out */
    size_t used;               /* bytes in buffer: small writes are gathered, large ones go past it */
    unsigned char buffer[BUFFER];
};

/* A name that no one else uses: process, time and a counter of this process. */
static void make_temp_name(char *out) {
    static _Atomic unsigned counter;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    snprintf(out, TEMP_NAME, ".litec-%lx-%lx-%x", (unsigned long)getpid(), (unsigned long)t.tv_nsec & 0xFFFFFFFul, counter++ & 0xFFFFFFu);
}

static bool has_proc(void) { return faccessat(AT_FDCWD, "/proc/self/fd", F_OK, 0) == 0; }

/* A nameless file gets a name through /proc, or by the descriptor alone for who has this capability (root in a bare chroot). */
static bool may_link_nameless(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    return syscall(SYS_capget, &header, have) == 0 && (have[0].effective >> CAP_DAC_READ_SEARCH & 1);
}

/* Opens the temporary: nameless when the system can, else beside the target. Returns false with errno set. */
static bool open_temp(lc_file *f) {
    if (has_proc() || may_link_nameless()) {
        do f->fd = openat(f->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
        while (f->fd < 0 && errno == EINTR);
        if (f->fd >= 0) return true;
        if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT) return false;
    }
    for (int tries = 0; tries < 100; tries++) {
        make_temp_name(f->temp);
        f->fd = openat(f->directory, f->temp, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (f->fd >= 0) return true;
        if (errno != EEXIST && errno != EINTR) break;
    }
    f->temp[0] = 0;
    return false;
}

/* Is there something under the target's name that must not be replaced? *exists and *st describe an old file. */
static lc_status check_target(const lc_file *f, bool *exists, struct stat *st, lc_error *err) {
    *exists = fstatat(f->directory, f->name, st, AT_SYMLINK_NOFOLLOW) == 0;
    if (!*exists) return errno == ENOENT ? LC_OK : lc_fail_errno(err, "write", f->path, errno);
    if (S_ISDIR(st->st_mode)) {
        lc_fail(err, LC_IO, "%s: cannot write: it is a directory", f->path);
        lc_error_hint(err, "give a file name, e.g. %s/model.tflite", f->path);
        return LC_IO;
    }
    if (!S_ISREG(st->st_mode)) {
        lc_fail(err, LC_IO, "%s: cannot write: it is a pipe, socket or device", f->path);
        lc_error_hint(err, "give the name of a regular file");
        return LC_IO;
    }
    if (faccessat(f->directory, f->name, W_OK, AT_EACCESS) != 0) {
        int number = errno;
        lc_status status = lc_fail_errno(err, "write", f->path, number);
        if (number == EACCES) lc_error_hint(err, "the file is write-protected: chmod u+w it, or choose another name");
        return status;
    }
    return LC_OK;
}

static char *copy_path(const char *path) {
    lc_text t = {0};
    lc_text_add(&t, path);
    return lc_text_take(&t);
}

/* Fills target, name and directory. */
static lc_status open_directory(lc_file *f, lc_error *err) {
    struct stat st;
    char whole[PATH_MAX];
    const char *target = f->path;
    if (lstat(f->path, &st) == 0 && S_ISLNK(st.st_mode)) {
        target = realpath(f->path, whole);
        if (!target) {
            int number = errno;
            lc_status status = lc_fail_errno(err, "write", f->path, number);
            if (number == ENOENT) lc_error_hint(err, "it is a symbolic link to nothing: remove the link or choose another name");
            return status;
        }
    }
    f->target = copy_path(target);
    if (!f->target) return lc_fail_memory(err, "output file");
    char *slash = strrchr(f->target, '/');
    f->name = slash ? slash + 1 : f->target;
    if (!*f->name) {
        lc_fail(err, LC_IO, "%s: cannot write: it names a directory", f->path);
        lc_error_hint(err, "give a file name, e.g. %smodel.tflite", f->path);
        return LC_IO;
    }
    const char *directory = ".";
    if (slash == f->target) {
        directory = "/";
    } else if (slash) {
        *slash = 0;
        directory = f->target;
    }
    do f->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (f->directory < 0 && errno == EINTR);
    if (f->directory >= 0) return LC_OK;
    int number = errno;
    lc_status status = lc_fail_errno(err, "write", f->path, number);
    if (number == ENOENT) {
        status = lc_fail(err, LC_NOT_FOUND, "%s: cannot write: there is no directory %s", f->path, directory);
        lc_error_hint(err, "make it first: mkdir -p %s", directory);
    }
    return status;
}

static void release(lc_file *f) {
    if (f->fd >= 0) {
        if (f->temp[0]) unlinkat(f->directory, f->temp, 0);
        close(f->fd);
    }
    if (f->directory >= 0) close(f->directory);
    lc_free(f->target);
    lc_free(f->path);
    lc_free(f);
}

static lc_status start(lc_file *f, lc_error *err) {
    LC_TRY(open_directory(f, err));
    bool exists;
    struct stat old;
    LC_TRY(check_target(f, &exists, &old, err));
    if (!open_temp(f)) {
        int number = errno;
        lc_status status = lc_fail_errno(err, "write", f->path, number);
        if (number == EACCES) lc_error_hint(err, "you may not create files in this directory: choose another one");
        return status;
    }
    if (exists) {
        /* The new file takes the old one's owner and rights as far as we may set them; what we may not is no failure. */
        if ((old.st_uid != geteuid() || old.st_gid != getegid()) && fchown(f->fd, old.st_uid, old.st_gid) != 0) errno = 0;
        if (fchmod(f->fd, old.st_mode & 07777) != 0) errno = 0;
    }
    return LC_OK;
}

lc_status lc_file_create(const char *path, lc_file **file, lc_error *err) {
    *file = NULL;
    if (!path || !*path) {
        lc_fail(err, LC_ARGUMENT, "no output file name given");
        lc_error_hint(err, "give the path of the file to write");
        return LC_ARGUMENT;
    }
    lc_file *f = lc_calloc(1, sizeof *f);
    if (!f) return lc_fail_memory(err, "output file");
    f->name = "";
    f->directory = f->fd = -1;
    f->path = copy_path(path);
    lc_status status = f->path ? start(f, err) : lc_fail_memory(err, "output file");
    if (status != LC_OK) {
        release(f);
        return status;
    }
    *file = f;
    return LC_OK;
}

/* Lets the disk begin with what is written already, so that the fsync at the end finds little left to do. Only a hint. */
#define WRITEBACK_STEP ((uint64_t)8 << 20)

static void start_writeback(lc_file *f, uint64_t written) {
    f->written += written;
    if (f->written - f->started < WRITEBACK_STEP) return;
    sync_file_range(f->fd, (off64_t)f->started, (off64_t)(f->written - f->started), SYNC_FILE_RANGE_WRITE);
    f->started = f->written;
}

/* Writes to the file itself, whatever pieces the kernel takes it in. */
static lc_status put(lc_file *f, const unsigned char *p, size_t size, lc_error *err) {
    while (size > 0) {
        ssize_t n = write(f->fd, p, size < (1u << 30) ? size : (1u << 30));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            f->failed = true;
            return lc_fail_errno(err, "write", f->path, n < 0 ? errno : ENOSPC);
        }
        p += n;
        size -= (size_t)n;
        start_writeback(f, (uint64_t)n);
    }
    return LC_OK;
}

static lc_status flush(lc_file *f, lc_error *err) {
    size_t n = f->used;
    f->used = 0;
    return put(f, f->buffer, n, err);
}

static lc_status fail_earlier(const lc_file *f, lc_error *err) {
    lc_fail(err, LC_IO, "%s: an earlier write of this file failed", f->path);
    lc_error_hint(err, "drop it with lc_file_abort and write it again");
    return LC_IO;
}

lc_status lc_file_write(lc_file *f, const void *data, size_t size, lc_error *err) {
    if (f->failed) return fail_earlier(f, err);
    if (size > sizeof f->buffer - f->used) LC_TRY(flush(f, err));
    if (size >= sizeof f->buffer) return put(f, data, size, err);
    if (size) memcpy(f->buffer + f->used, data, size);
    f->used += size;
    return LC_OK;
}

/* Gives the nameless file a name in its directory. Returns false with errno set. */
static bool name_it(const lc_file *f, const char *name) {
    char self[32];
    if (!has_proc()) return linkat(f->fd, "", f->directory, name, AT_EMPTY_PATH) == 0;
    snprintf(self, sizeof self, "/proc/self/fd/%d", f->fd);
    return linkat(AT_FDCWD, self, f->directory, name, AT_SYMLINK_FOLLOW) == 0;
}

/* Puts the finished temporary under the target's name. */
static bool put_in_place(lc_file *f) {
    if (!f->temp[0]) {
        if (name_it(f, f->name)) return true;
        if (errno != EEXIST) return false;
        bool named = false;
        for (int tries = 0; tries < 100 && !named; tries++) {
            make_temp_name(f->temp);
            named = name_it(f, f->temp);
            if (!named && errno != EEXIST) break;
        }
        if (!named) {
            f->temp[0] = 0; /* it is not ours to remove */
            return false;
        }
    }
    if (renameat(f->directory, f->temp, f->directory, f->name) != 0) return false; /* release removes the temporary */
    f->temp[0] = 0;
    return true;
}

static lc_status finish(lc_file *f, lc_error *err) {
    if (f->failed) return fail_earlier(f, err);
    LC_TRY(flush(f, err));
    int r;
    do r = fsync(f->fd);
    while (r != 0 && errno == EINTR);
    /* EINVAL, ENOTSUP: this file system has no fsync, and nothing better is to be had on it. */
    if (r != 0 && errno != EINVAL && errno != ENOTSUP) return lc_fail_errno(err, "write", f->path, errno);
    bool exists;
    struct stat st;
    LC_TRY(check_target(f, &exists, &st, err)); /* again: it may have changed while we wrote */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool done = put_in_place(f);
    int number = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return done ? LC_OK : lc_fail_errno(err, "write", f->path, number);
}

lc_status lc_file_commit(lc_file *f, lc_error *err) {
    lc_status status = finish(f, err);
    release(f);
    return status;
}

void lc_file_abort(lc_file *f) {
    if (f) release(f);
}

lc_status lc_file_save(const char *path, const void *data, size_t size, lc_error *err) {
    lc_file *f;
    LC_TRY(lc_file_create(path, &f, err));
    lc_status status = lc_file_write(f, data, size, err);
    if (status != LC_OK) {
        lc_file_abort(f);
        return status;
    }
    return lc_file_commit(f, err);
}
