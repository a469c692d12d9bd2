/*
 * test_io.c: the operating system refuses. Every call that reads or writes a file (open, fstat, mmap, write, fsync, linkat,
 * renameat) goes through a wrapper of this test (ld --wrap), which makes the 1st, 2nd, 3rd ... of them fail in turn, with each of
 * several errors. Whatever fails, the library says so, with a hint; the old file stays as it was; no temporary and no open
 * descriptor is left. Interrupted calls and short writes are no failures.
 */
#include "base/file.h"
#include "emit/keras_emit.h"
#include "litec/litec.h"
#include "support/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the wrappers ---- */

static struct {
    bool on; /* calls outside the tested work are left alone */
    size_t count, fail_at;
    int error;
    bool injected;
    bool short_writes; /* write takes one byte less than half */
    bool no_tmpfile;   /* O_TMPFILE is not supported here */
} io;

static bool refuses(bool interruptible) {
    if (!io.on || (io.error == EINTR && !interruptible)) return false;
    if (++io.count != io.fail_at) return false;
    io.injected = true;
    errno = io.error;
    return true;
}

int __real_open(const char *path, int flags, ...);
int __real_openat(int at, const char *path, int flags, ...);
int __real_fstat(int fd, struct stat *st);
void *__real_mmap(void *p, size_t size, int protection, int flags, int fd, off_t offset);
ssize_t __real_write(int fd, const void *data, size_t size);
int __real_fsync(int fd);
int __real_linkat(int from_at, const char *from, int to_at, const char *to, int flags);
int __real_renameat(int from_at, const char *from, int to_at, const char *to);
int __real_sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags);

int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int at, const char *path, int flags, ...);
int __wrap_fstat(int fd, struct stat *st);
void *__wrap_mmap(void *p, size_t size, int protection, int flags, int fd, off_t offset);
ssize_t __wrap_write(int fd, const void *data, size_t size);
int __wrap_fsync(int fd);
int __wrap_linkat(int from_at, const char *from, int to_at, const char *to, int flags);
int __wrap_renameat(int from_at, const char *from, int to_at, const char *to);
int __wrap_sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags);

/* The library never passes a mode without O_CREAT or O_TMPFILE; 0666 is the one it passes. */
int __wrap_open(const char *path, int flags, ...) { return refuses(true) ? -1 : __real_open(path, flags, 0666); }

int __wrap_openat(int at, const char *path, int flags, ...) {
    if (io.on && io.no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return refuses(true) ? -1 : __real_openat(at, path, flags, 0666);
}

int __wrap_fstat(int fd, struct stat *st) { return refuses(false) ? -1 : __real_fstat(fd, st); }

void *__wrap_mmap(void *p, size_t size, int protection, int flags, int fd, off_t offset) {
    return fd >= 0 && refuses(false) ? MAP_FAILED : __real_mmap(p, size, protection, flags, fd, offset);
}

ssize_t __wrap_write(int fd, const void *data, size_t size) {
    if (refuses(true)) return -1;
    return __real_write(fd, data, io.on && io.short_writes && size > 2 ? size / 2 - 1 + (size < 4) : size);
}

static char order[8]; /* s: the bytes are on the disk, n: something gets a name */

static void note(char event) {
    const size_t n = strlen(order);
    if (n + 1 < sizeof order) order[n] = event, order[n + 1] = 0;
}

int __wrap_fsync(int fd) {
    if (refuses(true)) return -1;
    note('s');
    return __real_fsync(fd);
}

int __wrap_linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
    note('n');
    return refuses(false) ? -1 : __real_linkat(from_at, from, to_at, to, flags);
}

int __wrap_renameat(int from_at, const char *from, int to_at, const char *to) {
    note('n');
    return refuses(false) ? -1 : __real_renameat(from_at, from, to_at, to);
}

static off64_t written_back; /* every byte up to here has been asked for, none twice; -1: one was */

int __wrap_sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags) {
    written_back = offset == written_back ? offset + size : -1;
    return __real_sync_file_range(fd, offset, size, flags);
}

/* ---- the harness ---- */

static char dir[64], target[160], source[160];

static int open_descriptors(void) {
    int n = 0;
    for (int fd = 0; fd < 256; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static int count_files(void) {
    int n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static bool holds(const char *path, const char *text) {
    char buffer[64] = "";
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    size_t n = fread(buffer, 1, sizeof buffer, f);
    fclose(f);
    return n == strlen(text) && memcmp(buffer, text, n) == 0;
}

static int make_dir(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%.40s/litec-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) return -1;
    snprintf(target, sizeof target, "%s/out", dir);
    snprintf(source, sizeof source, "%s", LC_TEST_DIR "/data/bad/good.h5");
    memset(&io, 0, sizeof io);
    return 0;
}

static int remove_dir(void **state) {
    (void)state;
    unlink(target);
    return rmdir(dir);
}

typedef lc_status (*work_fn)(lc_error *err);

/* Runs the work with the nth call failing. Returns false when the series is over. */
static bool run_once(work_fn work, size_t n, int error, bool had_old) {
    lc_error err = {0};
    if (had_old) {
        assert_int_equal(lc_file_save(target, "old", 3, NULL), LC_OK);
    } else {
        unlink(target);
    }
    int descriptors = open_descriptors();
    io.count = 0, io.fail_at = n, io.error = error, io.injected = false;
    io.on = true;
    lc_status status = work(&err);
    io.on = false;
    if (open_descriptors() != descriptors) fail_msg("call %zu failed (errno %d): a descriptor was left open", n, error);
    if (status == LC_OK) {
        if (access(target, F_OK) != 0 || holds(target, "old")) fail_msg("call %zu (errno %d): LC_OK, but nothing was written", n, error);
    } else {
        if (!io.injected) fail_msg("nothing was injected, but: %s", err.message);
        if (error == EINTR) fail_msg("call %zu was interrupted: %s", n, err.message);
        if (err.status != status || !err.message[0] || !err.hint[0]) fail_msg("call %zu (errno %d): no message or hint", n, error);
        if (had_old ? !holds(target, "old") : access(target, F_OK) == 0) fail_msg("call %zu (errno %d): the target was touched", n, error);
    }
    if (count_files() != (access(target, F_OK) == 0)) fail_msg("call %zu (errno %d): a temporary was left", n, error);
    return io.injected;
}

static void series(work_fn work, size_t least) {
    static const int errors[] = {EIO, ENOSPC, EACCES, EPERM, EINTR, ENOMEM, EDQUOT, EROFS, EMFILE};
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++)
        for (int had_old = 0; had_old < 2; had_old++) {
            size_t n = 1;
            while (run_once(work, n, errors[e], had_old != 0)) n++;
            if (errors[e] != EINTR && n <= least) fail_msg("only %zu calls went through the wrappers", n - 1);
        }
}

/* ---- the works ---- */

static lc_status save_small(lc_error *err) { return lc_file_save(target, "small", 5, err); }

static lc_status save_large(lc_error *err) {
    static char data[300000];
    return lc_file_save(target, data, sizeof data, err);
}

static lc_status convert(lc_error *err) {
    lc_model *model;
    lc_status status = lc_convert(source, NULL, &model, err);
    if (status != LC_OK) return status;
    status = lc_model_save(model, target, NULL, err);
    lc_model_destroy(model);
    return status;
}

static lc_status save_array(lc_error *err) {
    float data[6] = {1, 2, 3, 4, 5, 6};
    const lc_array a = {.type = LC_FLOAT32, .rank = 2, .dims = {2, 3}, .data = data, .size = sizeof data};
    return lc_array_save_npy(&a, target, err);
}

static lc_status save_keras(lc_error *err) {
    static const lc_json config = {.kind = LC_JSON_OBJECT};
    static float data[30000];
    lc_keras_weight w = {"kernel", LC_FLOAT32, 1, {30000}, data, sizeof data};
    lc_keras_layer l = {.name = "d", .class_name = "Dense", .entry = &config, .weights = &w, .weight_count = 1};
    const lc_keras_model m = {.name = "m", .class_name = "Sequential", .layers = &l, .layer_count = 1};
    return lc_emit_keras(&(lc_keras_file){.model = &m, .config = &config}, target, err);
}

static void every_call_fails_once(void **state) {
    (void)state;
    series(save_small, 4);
    series(save_large, 4);
    series(convert, 6);
    series(save_array, 4);
    series(save_keras, 5);
}

static void without_nameless_files(void **state) {
    (void)state;
    io.no_tmpfile = true;
    series(save_small, 4);
    series(convert, 6);
}

static void short_writes_go_on(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        io.no_tmpfile = named != 0;
        static unsigned char data[300000];
        for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i % 253);
        io.count = io.fail_at = 0;
        io.short_writes = io.on = true;
        assert_int_equal(lc_file_save(target, data, sizeof data, NULL), LC_OK);
        io.on = false;
        lc_map map;
        assert_int_equal(lc_map_open(&map, target, NULL, NULL), LC_OK);
        assert_int_equal(map.size, sizeof data);
        assert_memory_equal(map.data, data, sizeof data);
        lc_map_close(&map);
    }
}

static void disk_full_says_so(void **state) {
    (void)state;
    lc_error err;
    io.fail_at = 1, io.error = ENOSPC;
    for (size_t n = 1; n < 20; n++) { /* one of them is the write */
        io.count = 0, io.fail_at = n, io.injected = false, io.on = true;
        lc_status status = save_large(&err);
        io.on = false;
        if (!io.injected) fail_msg("no call said that the disk is full");
        if (status == LC_IO && strstr(err.hint, "disk is full") && strstr(err.message, target)) return;
        unlink(target);
    }
    fail_msg("the error never named the full disk");
}

/* A name that a power cut may follow means bytes that are on the disk. */
static void bytes_come_before_the_name(void **state) {
    (void)state;
    static const char *const want[] = {"sn", "snnn"}; /* onto an old file: its name is taken, another one, renamed */
    for (int had_old = 0; had_old < 2; had_old++) {
        order[0] = 0;
        assert_int_equal(lc_file_save(target, "new", 3, NULL), LC_OK);
        assert_string_equal(order, want[had_old]);
    }
}

/* The disk is told to begin with what is there and nothing else, whatever was in the memory that litec took. */
static void writeback_follows_the_file(void **state) {
    (void)state;
    static unsigned char data[1 << 20];
    lc_file *file;
    fault_install(); /* memory that is not zero */
    written_back = 0;
    assert_int_equal(lc_file_create(target, &file, NULL), LC_OK);
    for (int i = 0; i < 20; i++) assert_int_equal(lc_file_write(file, data, sizeof data, NULL), LC_OK);
    assert_true(written_back >= 16 << 20 && written_back <= 20 << 20);
    assert_int_equal(lc_file_commit(file, NULL), LC_OK);
    fault_remove();
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        EACH(every_call_fails_once), EACH(without_nameless_files),     EACH(short_writes_go_on),
        EACH(disk_full_says_so),     EACH(bytes_come_before_the_name), EACH(writeback_follows_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
