/*
 * log.c: a file that grows while others read it. Every piece goes to the kernel at once and nothing is kept back: what was written is there
 * for a reader, and is there when the process is killed. A piece that did not fit on the disk is taken back. Refused: what is no regular file.
 */
#include "base/log.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct lc_logfile {
    lc_text path; /* for messages */
    int fd;
};

static lc_status open_log(lc_logfile *log, bool empty, lc_error *err) {
    const char *path = log->path.data;
    struct stat st;
    do log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
    while (log->fd < 0 && errno == EINTR);
    if (log->fd < 0 || fstat(log->fd, &st) != 0) return lc_fail_errno(err, "write", path, errno);
    if (!S_ISREG(st.st_mode)) {
        lc_fail(err, LC_IO, "%s: cannot write: it is a pipe, socket or device", path);
        lc_error_hint(err, "give the name of a regular file");
        return LC_IO;
    }
    if (empty && ftruncate(log->fd, 0) != 0) return lc_fail_errno(err, "write", path, errno);
    return LC_OK;
}

lc_status lc_logfile_open(const char *path, bool empty, lc_logfile **log, lc_error *err) {
    *log = NULL;
    if (!path || !*path) {
        lc_fail(err, LC_ARGUMENT, "no file name given for a log");
        lc_error_hint(err, "give the path of the file to write");
        return LC_ARGUMENT;
    }
    lc_logfile *l = lc_calloc(1, sizeof *l);
    if (!l) return lc_fail_memory(err, "log file");
    l->fd = -1;
    lc_text_add(&l->path, path);
    const lc_status status = l->path.failed ? lc_fail_memory(err, "log file") : open_log(l, empty, err);
    if (status == LC_OK) *log = l;
    else lc_logfile_close(l);
    return status;
}

lc_status lc_logfile_write(lc_logfile *log, const void *data, size_t size, lc_error *err) {
    const char *p = data;
    const off_t before = lseek(log->fd, 0, SEEK_END);
    while (size) {
        const ssize_t n = write(log->fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            const int number = n < 0 ? errno : ENOSPC;
            if (before >= 0 && ftruncate(log->fd, before) != 0)
                errno = 0; /* what is there of the piece stays: nothing better is to be had */
            return lc_fail_errno(err, "write", log->path.data, number);
        }
        p += n;
        size -= (size_t)n;
    }
    return LC_OK;
}

lc_status lc_logfile_flush(lc_logfile *log, lc_error *err) {
    int r;
    do r = fsync(log->fd);
    while (r != 0 && errno == EINTR);
    return r == 0 || errno == EINVAL || errno == ENOTSUP ? LC_OK : lc_fail_errno(err, "write", log->path.data, errno);
}

void lc_logfile_close(lc_logfile *log) {
    if (!log) return;
    if (log->fd >= 0) close(log->fd);
    lc_text_deinit(&log->path);
    lc_free(log);
}
