/*
 * standard.c: standard input and output where a file is wanted: "-", as everywhere.
 *
 * Models and data are read by mapping them, so what comes through a pipe is first kept in a nameless file in memory, which then
 * takes the place of standard input; a redirected file is mapped as it is.
 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_MOST ((uint64_t)8 << 30) /* as lc_limits.max_memory */

void lc_cli_hold_standard(void) {
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY); /* takes the lowest free number */
}

bool lc_cli_is_dash(const char *path) { return strcmp(path, "-") == 0; }

static bool write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        const ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

/* All of standard input into fd. */
static int copy_input(int fd, uint64_t most) {
    static char block[1 << 16];
    for (uint64_t total = 0;;) {
        const ssize_t n = read(STDIN_FILENO, block, sizeof block);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) return LC_EXIT_OK;
        if (n < 0) return lc_cli_failed("give the path of a file instead of -", "standard input cannot be read: %s", strerror(errno));
        total += (uint64_t)n;
        if (total > most)
            return lc_cli_failed("save it to a file, or raise --max-memory", "standard input holds more than %llu bytes",
                                 (unsigned long long)most);
        if (!write_all(fd, block, (size_t)n))
            return lc_cli_failed("save it to a file and give its path", "standard input does not fit in memory: %s", strerror(errno));
    }
}

int lc_cli_input(const char **path, uint64_t max_memory) {
    struct stat st;
    if (!lc_cli_is_dash(*path)) return LC_EXIT_OK;
    *path = "/dev/stdin";
    if (fstat(STDIN_FILENO, &st) != 0 || (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode))) return LC_EXIT_OK;
    const int fd = memfd_create("stdin", MFD_CLOEXEC);
    if (fd < 0) return lc_cli_failed("save it to a file and give its path", "standard input cannot be kept in memory: %s", strerror(errno));
    int code = copy_input(fd, max_memory ? max_memory : DEFAULT_MOST);
    if (!code && dup2(fd, STDIN_FILENO) < 0) code = lc_cli_failed(NULL, "standard input cannot be kept in memory: %s", strerror(errno));
    close(fd);
    return code;
}

int lc_cli_output(const void *data, size_t size) {
    if (isatty(STDOUT_FILENO))
        return lc_cli_failed("send it to a file: -o OUT.tflite", "a .tflite file is not text, it is not written to a terminal");
    fwrite(data, 1, size, stdout); /* what fails is noticed at the end, as with all that is printed */
    return LC_EXIT_OK;
}
