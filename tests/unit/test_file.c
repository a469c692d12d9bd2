/*
 * Tests of file mapping and of the atomic writer: what is refused and how it is said, that a failed or killed write leaves
 * neither a file nor a temporary, and that the old file stays as it was until the new one is whole.
 */
#include "base/alloc.h"
#include "base/file.h"
#include "support/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static const char *in_dir(const char *name) {
    static char path[4][400];
    static int turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

/* Names in the directory, temporaries included. */
static int count_files(void) {
    int n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

/* Does this system have files without a name? (Not without /proc, not on some network file systems.) */
static bool has_nameless(void) { /* and can give it a name: through /proc, or as root by the descriptor */
    int fd = open(dir, O_TMPFILE | O_RDWR, 0600);
    char name[100];
    snprintf(name, sizeof name, "%s/named", dir);
    const bool can = fd >= 0 && (access("/proc/self/fd", F_OK) == 0 || linkat(fd, "", AT_FDCWD, name, AT_EMPTY_PATH) == 0);
    if (fd >= 0) close(fd);
    unlink(name);
    return can;
}

static int make_dir(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%.40s/litec-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state) {
    (void)state;
    DIR *d = opendir(dir);
    if (!d) return -1;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        const char *p = in_dir(e->d_name);
        if (unlink(p) != 0) rmdir(p);
    }
    closedir(d);
    return rmdir(dir);
}

static void check_content(const char *path, const void *data, size_t size) {
    lc_map map;
    assert_int_equal(lc_map_open(&map, path, NULL, NULL), LC_OK);
    assert_int_equal(map.size, size);
    assert_memory_equal(map.data, data, size);
    lc_map_close(&map);
}

/* An error with a message that names the path, and a hint. */
static void check_error(const lc_error *err, lc_status status, const char *path, const char *words) {
    assert_int_equal(err->status, status);
    if (path) assert_non_null(strstr(err->message, path));
    if (!strstr(err->message, words) && !strstr(err->hint, words))
        fail_msg("\"%s\" is not in \"%s\" / \"%s\"", words, err->message, err->hint);
    assert_true(err->hint[0] != 0);
}

/* ---- reading ---- */

static void map_refuses_what_is_no_file(void **state) {
    (void)state;
    lc_map map;
    lc_error err;
    assert_int_equal(lc_map_open(&map, NULL, NULL, &err), LC_ARGUMENT);
    check_error(&err, LC_ARGUMENT, NULL, "no file name");
    assert_int_equal(lc_map_open(&map, in_dir("missing"), NULL, &err), LC_NOT_FOUND);
    check_error(&err, LC_NOT_FOUND, "missing", "check the path");
    assert_null(map.data);
    assert_int_equal(lc_map_open(&map, dir, NULL, &err), LC_INVALID);
    check_error(&err, LC_INVALID, dir, "is a directory");
    assert_int_equal(mkfifo(in_dir("pipe"), 0600), 0);
    assert_int_equal(lc_map_open(&map, in_dir("pipe"), NULL, &err), LC_INVALID); /* and does not wait for a writer */
    check_error(&err, LC_INVALID, "pipe", "regular file");
    assert_int_equal(lc_map_open(&map, "/dev/null", NULL, &err), LC_INVALID);
    assert_int_equal(lc_file_save(in_dir("empty"), "", 0, &err), LC_OK);
    assert_int_equal(lc_map_open(&map, in_dir("empty"), NULL, &err), LC_INVALID);
    check_error(&err, LC_INVALID, "empty", "is empty");
    assert_int_equal(lc_map_open(&map, in_dir("empty/x"), NULL, &err), LC_NOT_FOUND);
    lc_map_close(&map); /* of nothing: fine */
}

static void map_reads_and_releases(void **state) {
    (void)state;
    size_t size = 300000;
    unsigned char *data = malloc(size);
    assert_non_null(data);
    for (size_t i = 0; i < size; i++) data[i] = (unsigned char)(i * 7 + i / 256);
    assert_int_equal(lc_file_save(in_dir("data"), data, size, NULL), LC_OK);
    lc_map map;
    lc_error err;
    assert_int_equal(lc_map_open(&map, in_dir("data"), &(lc_limits){.max_file = 299999}, &err), LC_LIMIT);
    check_error(&err, LC_LIMIT, "data", "299999");
    assert_int_equal(lc_map_open(&map, in_dir("data"), NULL, &err), LC_OK);
    lc_map_release(&map, map.data, map.size);
    lc_map_release(&map, map.data + 5000, 100000);
    lc_map_release(&map, map.data + 5000, SIZE_MAX); /* not inside: nothing happens */
    lc_map_release(&map, data, 10);
    assert_memory_equal(map.data, data, size);
    assert_true(lc_map_is(&map, in_dir("data")));
    assert_int_equal(link(in_dir("data"), in_dir("same")), 0);
    assert_true(lc_map_is(&map, in_dir("same")));
    assert_int_equal(lc_file_save(in_dir("other"), data, 10, NULL), LC_OK);
    assert_false(lc_map_is(&map, in_dir("other")) || lc_map_is(&map, in_dir("missing")) || lc_map_is(&map, NULL));
    assert_true(lc_path_is_dir(dir));
    assert_false(lc_path_is_dir(in_dir("data")) || lc_path_is_dir(NULL) || lc_path_is_dir(in_dir("missing")));
    lc_map_close(&map);
    assert_null(map.data);
    free(data);
}

/* ---- writing ---- */

static void write_in_pieces(void **state) {
    (void)state;
    /* Pieces of every kind: empty, small, near the buffer's size, larger. */
    static const size_t sizes[] = {0, 1, 1000, 65535, 1, 65536, 3, 200000, 65530, 10, 0, 70000};
    size_t total = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) total += sizes[i];
    unsigned char *data = malloc(total), *p = data;
    assert_non_null(data);
    for (size_t i = 0; i < total; i++) data[i] = (unsigned char)(i % 251);
    lc_file *f;
    lc_error err;
    assert_int_equal(lc_file_create(in_dir("out"), &f, &err), LC_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; p += sizes[i++]) assert_int_equal(lc_file_write(f, p, sizes[i], &err), LC_OK);
    assert_int_equal(count_files(), has_nameless() ? 0 : 1); /* nothing to see before the commit */
    assert_int_equal(lc_file_commit(f, &err), LC_OK);
    assert_int_equal(count_files(), 1);
    check_content(in_dir("out"), data, total);
    free(data);
}

static void replacing_keeps_the_old_until_commit(void **state) {
    (void)state;
    lc_map map;
    lc_file *f;
    assert_int_equal(lc_file_save(in_dir("m"), "old", 3, NULL), LC_OK);
    assert_int_equal(chmod(in_dir("m"), 0640), 0);
    assert_int_equal(lc_map_open(&map, in_dir("m"), NULL, NULL), LC_OK);
    assert_int_equal(lc_file_create(in_dir("m"), &f, NULL), LC_OK);
    assert_int_equal(lc_file_write(f, "newer", 5, NULL), LC_OK);
    check_content(in_dir("m"), "old", 3);
    assert_int_equal(lc_file_commit(f, NULL), LC_OK);
    check_content(in_dir("m"), "newer", 5);
    assert_memory_equal(map.data, "old", 3); /* who has the old file mapped keeps it */
    assert_false(lc_map_is(&map, in_dir("m")));
    lc_map_close(&map);
    struct stat st;
    assert_int_equal(stat(in_dir("m"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(lc_file_create(in_dir("m"), &f, NULL), LC_OK);
    assert_int_equal(lc_file_write(f, "never", 5, NULL), LC_OK);
    lc_file_abort(f);
    lc_file_abort(NULL);
    check_content(in_dir("m"), "newer", 5);
    assert_int_equal(count_files(), 1);
}

static void target_that_became_a_pipe_stays(void **state) {
    (void)state;
    lc_file *f;
    lc_error err;
    struct stat st;
    assert_int_equal(lc_file_create(in_dir("m"), &f, NULL), LC_OK);
    assert_int_equal(mkfifo(in_dir("m"), 0600), 0);
    assert_int_equal(lc_file_commit(f, &err), LC_IO);
    check_error(&err, LC_IO, in_dir("m"), "regular file");
    assert_true(lstat(in_dir("m"), &st) == 0 && S_ISFIFO(st.st_mode));
    assert_int_equal(count_files(), 1);
}

static void links_are_written_through(void **state) {
    (void)state;
    assert_int_equal(lc_file_save(in_dir("real"), "1", 1, NULL), LC_OK);
    assert_int_equal(symlink("real", in_dir("link")), 0);
    assert_int_equal(lc_file_save(in_dir("link"), "22", 2, NULL), LC_OK);
    check_content(in_dir("real"), "22", 2);
    struct stat st;
    assert_int_equal(lstat(in_dir("link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(symlink("nothing", in_dir("dangling")), 0);
    lc_error err;
    assert_int_equal(lc_file_save(in_dir("dangling"), "3", 1, &err), LC_NOT_FOUND);
    check_error(&err, LC_NOT_FOUND, "dangling", "link to nothing");
}

static void write_says_why_not(void **state) {
    (void)state;
    lc_file *f;
    lc_error err;
    assert_int_equal(lc_file_create(NULL, &f, &err), LC_ARGUMENT);
    assert_int_equal(lc_file_create("", &f, &err), LC_ARGUMENT);
    assert_int_equal(lc_file_create(in_dir("no/such/m.tflite"), &f, &err), LC_NOT_FOUND);
    check_error(&err, LC_NOT_FOUND, "m.tflite", "mkdir -p ");
    assert_null(f);
    assert_int_equal(lc_file_create(dir, &f, &err), LC_IO);
    check_error(&err, LC_IO, dir, "directory");
    assert_int_equal(lc_file_create(in_dir(""), &f, &err), LC_IO);
    check_error(&err, LC_IO, dir, "directory");
    assert_int_equal(lc_file_create("/dev/null", &f, &err), LC_IO);
    check_error(&err, LC_IO, "/dev/null", "device");
    assert_int_equal(lc_file_create("/", &f, &err), LC_IO);
    assert_int_equal(lc_file_save(in_dir("file"), "x", 1, &err), LC_OK);
    assert_int_equal(lc_file_create(in_dir("file/m"), &f, &err), LC_NOT_FOUND);
    check_error(&err, LC_NOT_FOUND, "file/m", "not a directory");
    char long_name[400];
    memset(long_name, 'n', sizeof long_name);
    long_name[399] = 0;
    assert_int_equal(lc_file_create(long_name, &f, &err), LC_IO);
    check_error(&err, LC_IO, NULL, "shorter name");
    assert_int_equal(count_files(), 1);
}

/* Runs `body` in a child as a user without rights (root may write anywhere). Returns its exit code. */
static int as_nobody(void (*body)(void)) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(99);
        body();
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void write_without_rights(void) {
    lc_file *f;
    lc_error err;
    if (lc_file_create(in_dir("new"), &f, &err) != LC_IO || !strstr(err.hint, "choose another")) _exit(1);
    if (lc_file_create(in_dir("protected"), &f, &err) != LC_IO || !strstr(err.hint, "write-protected")) _exit(2);
    lc_map map;
    if (lc_map_open(&map, in_dir("protected"), NULL, &err) != LC_OK) _exit(3);
    lc_map_close(&map);
    if (lc_map_open(&map, in_dir("secret"), NULL, &err) != LC_IO || !strstr(err.hint, "permissions")) _exit(4);
}

static void rights_are_respected(void **state) {
    (void)state;
    assert_int_equal(lc_file_save(in_dir("protected"), "x", 1, NULL), LC_OK);
    assert_int_equal(chmod(in_dir("protected"), 0444), 0);
    assert_int_equal(lc_file_save(in_dir("secret"), "x", 1, NULL), LC_OK);
    assert_int_equal(chmod(in_dir("secret"), 0), 0);
    assert_int_equal(chmod(dir, 0555), 0);
    int code = as_nobody(write_without_rights);
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(code, 0);
    assert_int_equal(count_files(), 2);
}

static void full_disk(void **state) {
    (void)state;
    /* The limit on file sizes stands for a full disk: write takes a part and then fails. */
    assert_int_equal(lc_file_save(in_dir("m"), "old", 3, NULL), LC_OK);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 100000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    char *data = calloc(1, 200000);
    lc_error err, err2;
    lc_status status = lc_file_save(in_dir("m"), data, 200000, &err);
    lc_file *f;
    lc_status made = lc_file_create(in_dir("n"), &f, NULL);
    lc_status first = made == LC_OK ? lc_file_write(f, data, 200000, &err2) : made;
    lc_status again = made == LC_OK ? lc_file_write(f, data, 1, &err2) : made; /* small, but the file is broken */
    lc_status commit = made == LC_OK ? lc_file_commit(f, &err2) : made;
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    free(data);
    assert_int_equal(status, LC_IO);
    check_error(&err, LC_IO, "m", "ulimit -f");
    assert_int_equal(first, LC_IO);
    assert_int_equal(again, LC_IO);
    assert_int_equal(commit, LC_IO);
    assert_int_equal(count_files(), 1);
    check_content(in_dir("m"), "old", 3);
}

static void killed_leaves_nothing(void **state) {
    (void)state;
    assert_int_equal(lc_file_save(in_dir("m"), "old", 3, NULL), LC_OK);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        lc_file *f;
        static char data[300000];
        if (lc_file_create(in_dir("m"), &f, NULL) == LC_OK && lc_file_write(f, data, sizeof data, NULL) == LC_OK) raise(SIGKILL);
        _exit(1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    if (has_nameless()) assert_int_equal(count_files(), 1);
    check_content(in_dir("m"), "old", 3);
}

static void target_becomes_a_directory(void **state) {
    (void)state;
    lc_file *f;
    lc_error err;
    assert_int_equal(lc_file_create(in_dir("late"), &f, &err), LC_OK);
    assert_int_equal(lc_file_write(f, "x", 1, &err), LC_OK);
    assert_int_equal(mkdir(in_dir("late"), 0755), 0);
    assert_int_equal(lc_file_commit(f, &err), LC_IO);
    check_error(&err, LC_IO, "late", "directory");
    assert_int_equal(count_files(), 1);
}

static void survives_chdir(void **state) {
    (void)state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(dir), 0);
    lc_file *f;
    assert_int_equal(lc_file_create("here", &f, NULL), LC_OK);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(lc_file_write(f, "x", 1, NULL), LC_OK);
    assert_int_equal(lc_file_commit(f, NULL), LC_OK);
    check_content(in_dir("here"), "x", 1);
    assert_int_equal(chdir(before), 0);
}

static lc_status save_work(void *arg, lc_error *err) { return lc_file_save(arg, "x", 1, err); }
static void no_memory(void **state) {
    (void)state;
    char path[160];
    snprintf(path, sizeof path, "%s", in_dir("m"));
    assert_true(fault_check(save_work, path, NULL) >= 3);
    assert_int_equal(count_files(), 1);
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        EACH(map_refuses_what_is_no_file),
        EACH(map_reads_and_releases),
        EACH(write_in_pieces),
        EACH(replacing_keeps_the_old_until_commit),
        EACH(links_are_written_through),
        EACH(write_says_why_not),
        EACH(rights_are_respected),
        EACH(full_disk),
        EACH(killed_leaves_nothing),
        EACH(target_becomes_a_directory),
        EACH(target_that_became_a_pipe_stays),
        EACH(survives_chdir),
        EACH(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
