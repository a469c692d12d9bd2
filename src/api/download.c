/*
 * download.c: files from the network by libcurl, which is loaded when it is first needed: litec links with it no more than a device does.
 *
 * What is there of libcurl's interface is declared here: nine functions and the numbers of the options, which are part of its ABI
 * (libcurl.so.4, since 2006). Only http and https are allowed, also behind redirects.
 *
 * Names of hosts are looked up here, not by libcurl: it does that in a thread, and in a program that is linked statically the libc that libcurl
 * brings along cannot make one.
 *
 * A part file is the one file that is not written whole or not at all: it is there to outlive a run that was killed. It is locked while it
 * grows. It gets its name only after its checksum was right, so nothing that is not whole looks like it were.
 */
#include "api/download.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- libcurl ---------------------------------------------------------------------------------------------------------- */

enum {
    CURL_WRITEDATA = 10001,
    CURL_URL = 10002,
    CURL_ERRORBUFFER = 10010,
    CURL_USERAGENT = 10018,
    CURL_LOW_SPEED_LIMIT = 19,
    CURL_LOW_SPEED_TIME = 20,
    CURL_FAILONERROR = 45,
    CURL_FOLLOWLOCATION = 52,
    CURL_MAXREDIRS = 68,
    CURL_CONNECTTIMEOUT = 78,
    CURL_NOSIGNAL = 99,
    CURL_PROTOCOLS = 181,
    CURL_REDIR_PROTOCOLS = 182,
    CURL_WRITEFUNCTION = 20011,
    CURL_HEADERFUNCTION = 20079,
    CURL_HEADERDATA = 10029,
    CURL_RESOLVE = 10203,
    CURL_RESUME_FROM_LARGE = 30116,
    CURL_HTTP_AND_HTTPS = 3,
    CURL_RESPONSE_CODE = 0x200002,
    CURL_NO_RANGE = 33,
    CURL_NO_HOST = 6,
};

typedef struct curl {
    void *library;
    void *(*init)(void);
    int (*set)(void *easy, int option, ...);
    int (*get)(void *easy, int info, ...);
    int (*perform)(void *easy);
    void (*cleanup)(void *easy);
    const char *(*text)(int code);
    void *(*list_add)(void *list, const char *line);
    void (*list_free)(void *list);
} curl;

static lc_status load(curl *c, lc_error *err) {
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    *c = (curl){0};
    for (size_t i = 0; i < 2 && !c->library; i++) c->library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (c->library) {
        *(void **)&c->init = dlsym(c->library, "curl_easy_init");
        *(void **)&c->set = dlsym(c->library, "curl_easy_setopt");
        *(void **)&c->get = dlsym(c->library, "curl_easy_getinfo");
        *(void **)&c->perform = dlsym(c->library, "curl_easy_perform");
        *(void **)&c->cleanup = dlsym(c->library, "curl_easy_cleanup");
        *(void **)&c->text = dlsym(c->library, "curl_easy_strerror");
        *(void **)&c->list_add = dlsym(c->library, "curl_slist_append");
        *(void **)&c->list_free = dlsym(c->library, "curl_slist_free_all");
        if (c->init && c->set && c->get && c->perform && c->cleanup && c->text && c->list_add && c->list_free) return LC_OK;
    }
    lc_fail(err, LC_UNSUPPORTED, "downloads need libcurl (libcurl.so.4), which cannot be loaded here");
    lc_error_hint(err, "install it (Debian: libcurl4), or get the files by other means and give their folder: --from DIR");
    return LC_UNSUPPORTED;
}

/* ---- part files ---------------------------------------------------------------------------------------------------------- */

static lc_status system_error(const char *doing, const char *path, lc_error *err) {
    lc_fail(err, LC_IO, "%s: cannot %s: %s", path, doing, strerror(errno));
    lc_error_hint(err, "check that the folder can be written and that there is room");
    return LC_IO;
}

uint64_t lc_part_size(const char *part) {
    struct stat st;
    return stat(part, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

lc_status lc_part_commit(const char *part, const char *path, lc_error *err) {
    const int fd = open(part, O_RDONLY | O_CLOEXEC); /* checked: to have it on the disk */
    const bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return good && rename(part, path) == 0 ? LC_OK : system_error("write", path, err); /* checked: the part is whole */
}

void lc_part_drop(const char *part) { unlink(part); /* checked: litec's own part file */ }

static lc_status open_part(const char *part, int *fd, lc_error *err) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    *fd = open(part, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666); /* checked: it is to outlive a run that was killed */
    if (*fd < 0) return system_error("write", part, err);
    if (fcntl(*fd, F_SETLK, &lock) == 0 || (errno != EACCES && errno != EAGAIN)) return LC_OK;
    close(*fd);
    lc_fail(err, LC_IO, "%s: another litec is downloading it", part);
    lc_error_hint(err, "wait until it is done");
    return LC_IO;
}

/* ---- the transfer ---------------------------------------------------------------------------------------------------------- */

typedef struct transfer {
    const lc_download *d;
    int fd;
    uint64_t size; /* of the part */
    bool too_long;
    bool ends;  /* the answer says where it ends: one that is cut is an error of libcurl's */
    int failed; /* errno of a write */
} transfer;

/* A line of the answer's head. Without a length or chunks an answer of HTTP/1 ends where the connection does, for whatever reason. */
static size_t hear(char *line, size_t one, size_t count, void *user) {
    transfer *t = user;
    const size_t n = one * count; /* checked: libcurl's lines have at most 100 KiB */
    if (n > 5 && strncmp(line, "HTTP/", 5) == 0) t->ends = line[5] >= '2' && line[5] <= '9';
    if (n > 15 && strncasecmp(line, "content-length:", 15) == 0) t->ends = true;
    if (n > 18 && strncasecmp(line, "transfer-encoding:", 18) == 0) t->ends = true;
    return n;
}

static size_t take(char *data, size_t one, size_t count, void *user) {
    transfer *t = user;
    size_t size, done = 0;
    if (!lc_mul_size(one, count, &size)) return 0;
    if (size > t->d->most - t->size) {
        t->too_long = true;
        return 0;
    }
    while (done < size) {
        const ssize_t n = write(t->fd, data + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            t->failed = n < 0 ? errno : ENOSPC;
            return 0;
        }
        done += (size_t)n;
        t->size += (uint64_t)n;
    }
    const lc_dataset_options *o = t->d->options;
    if (o->progress) o->progress(o->progress_user, t->d->name, t->size, t->d->expected);
    return size;
}

/* A proxy looks up names itself. */
static bool has_proxy(void) {
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i])) return true;
    return false;
}

/* *list, of libcurl: "HOST:PORT:ADDRESS,ADDRESS" of the URL's host. False: it has a name that nobody knows. */
static bool look_up(const curl *c, const char *url, void **list) {
    char host[256], line[1024];
    const char *begin = strstr(url, "://"), *port = strncmp(url, "https", 5) == 0 ? "443" : "80";
    const size_t n = begin ? strcspn(begin + 3, ":/?#@[") : 0;
    const struct addrinfo how = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found;
    *list = NULL;
    if (!n || n >= sizeof host || begin[3 + n] == '@' || has_proxy()) return true;
    memcpy(host, begin + 3, n);
    host[n] = 0;
    if (begin[3 + n] == ':') port = begin + 3 + n + 1;
    const size_t digits = strspn(port, "0123456789");
    size_t at = (size_t)snprintf(line, sizeof line, "%s:%.*s:", host, (int)(digits < 8 ? digits : 8), port);
    if (getaddrinfo(host, NULL, &how, &found) != 0) return false;
    const size_t start = at;
    for (const struct addrinfo *a = found; a; a = a->ai_next) {
        char text[64];
        const bool six = a->ai_family == AF_INET6;
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0 || at + 70 > sizeof line) continue;
        at += (size_t)snprintf(line + at, sizeof line - at, "%s%s%s%s", at > start ? "," : "", six ? "[" : "", text, six ? "]" : "");
    }
    freeaddrinfo(found);
    if (at > start) *list = c->list_add(NULL, line);
    return true;
}

static int perform(const curl *c, const char *url, transfer *t, char message[256], long *answer) {
    void *easy = c->init(), *host;
    if (!easy) return -1;
    if (!look_up(c, url, &host)) {
        snprintf(message, 256, "the name of the host is not known, or there is no network");
        *answer = 0;
        c->cleanup(easy);
        return CURL_NO_HOST;
    }
    if (host) c->set(easy, CURL_RESOLVE, host);
    message[0] = 0;
    *answer = 0;
    c->set(easy, CURL_URL, url);
    c->set(easy, CURL_ERRORBUFFER, message);
    c->set(easy, CURL_USERAGENT, "litec");
    c->set(easy, CURL_WRITEFUNCTION, take);
    c->set(easy, CURL_WRITEDATA, t);
    c->set(easy, CURL_HEADERFUNCTION, hear);
    c->set(easy, CURL_HEADERDATA, t);
    c->set(easy, CURL_FAILONERROR, 1L);
    c->set(easy, CURL_FOLLOWLOCATION, 1L);
    c->set(easy, CURL_MAXREDIRS, 10L);
    c->set(easy, CURL_PROTOCOLS, (long)CURL_HTTP_AND_HTTPS);
    c->set(easy, CURL_REDIR_PROTOCOLS, (long)CURL_HTTP_AND_HTTPS);
    c->set(easy, CURL_NOSIGNAL, 1L);
    c->set(easy, CURL_CONNECTTIMEOUT, 30L);
    c->set(easy, CURL_LOW_SPEED_LIMIT, 1L); /* bytes a second, for a minute: dead */
    c->set(easy, CURL_LOW_SPEED_TIME, 60L);
    c->set(easy, CURL_RESUME_FROM_LARGE, (int64_t)t->size);
    const int code = c->perform(easy);
    c->get(easy, CURL_RESPONSE_CODE, answer);
    c->cleanup(easy);
    c->list_free(host);
    return code;
}

static lc_status start_again(transfer *t, lc_download_end *end, lc_error *err) {
    end->resumed = t->size = 0;
    return ftruncate(t->fd, 0) == 0 ? LC_OK : system_error("write", t->d->part, err); /* checked: litec's own part file */
}

static lc_status judge(const curl *c, const transfer *t, int code, const char *message, const char *url, lc_error *err) {
    if (t->failed) {
        errno = t->failed;
        return system_error("write", t->d->part, err);
    }
    if (t->too_long) {
        lc_fail(err, LC_INVALID, "%s: the file is longer than the %llu bytes it should have", url, (unsigned long long)t->d->most);
        lc_error_hint(err, "the server gives another file; try a mirror: --from ADDRESS");
        return LC_INVALID;
    }
    if (code == 0) return LC_OK;
    lc_fail(err, LC_IO, "%s: %s", url, code < 0 ? "out of memory" : message[0] ? message : c->text(code));
    if (t->size) lc_error_hint(err, "call it again: it goes on behind the %llu bytes that are here", (unsigned long long)t->size);
    else lc_error_hint(err, "check the network, or give a mirror or a folder: --from ADDRESS");
    return LC_IO;
}

lc_status lc_download_run(const lc_download *d, const char *url, lc_download_end *end, lc_error *err) {
    curl c;
    char message[256];
    long answer;
    transfer t = {.d = d, .fd = -1};
    *end = (lc_download_end){0};
    LC_TRY(load(&c, err)); /* it stays loaded: libcurl does not like to be unloaded */
    LC_TRY(open_part(d->part, &t.fd, err));
    struct stat st;
    lc_status status = fstat(t.fd, &st) == 0 ? LC_OK : system_error("read", d->part, err);
    if (status == LC_OK) end->resumed = t.size = (uint64_t)st.st_size;
    if (status == LC_OK && t.size > d->expected) status = start_again(&t, end, err);
    if (status == LC_OK && t.size < d->expected) {
        int code = perform(&c, url, &t, message, &answer);
        if (end->resumed &&
            (code == CURL_NO_RANGE || answer == 416)) { /* a server that cannot go on; of 416 libcurl thinks that all is there */
            status = start_again(&t, end, err);
            if (status == LC_OK) code = perform(&c, url, &t, message, &answer);
        }
        if (status == LC_OK) status = judge(&c, &t, code, message, url, err);
        end->whole = t.ends;
    }
    close(t.fd);
    return status;
}
