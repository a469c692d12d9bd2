/*
 * test_dataset.c: fetching data sets from folders and from a server of this machine that cuts, resumes, redirects, lies and refuses; and
 * SHA-256.
 */
#include "litec/litec.h"

#include "base/base.h"
#include "source/sha256.h"
#include "support/ckpt_files.h"
#include "support/fault.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* FIPS 180-4's examples, and a million letters in pieces of all sizes. */
static void test_sha256(void **state) {
    (void)state;
    static const char *const vectors[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"}};
    lc_sha256 s;
    char text[65];
    for (size_t i = 0; i < 3; i++) {
        lc_sha256_begin(&s);
        lc_sha256_add(&s, vectors[i][0], strlen(vectors[i][0]));
        lc_sha256_end(&s, text);
        assert_string_equal(text, vectors[i][1]);
    }
    char letters[200];
    memset(letters, 'a', sizeof letters);
    lc_sha256_begin(&s);
    for (size_t left = 1000000, n = 0; left; left -= n) {
        n = (n * 7 + 3) % sizeof letters;
        if (n > left) n = left;
        lc_sha256_add(&s, letters, n);
    }
    lc_sha256_end(&s, text);
    assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* ---- a data set and a server that has it --------------------------------------------------------------------------------- */

static uint8_t body[50000];
static char body_sum[65];

static void make_body(void) {
    lc_sha256 s;
    for (size_t i = 0; i < sizeof body; i++) body[i] = (uint8_t)(i * i >> 3 ^ i);
    lc_sha256_begin(&s);
    lc_sha256_add(&s, body, sizeof body);
    lc_sha256_end(&s, body_sum);
}

static lc_dataset_file file = {"set.bin", sizeof body, body_sum, NULL};
static lc_dataset set = {.name = "made", .files = &file, .file_count = 1};

typedef enum how { GOOD, CUT, NO_RANGE, WRONG, MISSING, REDIRECT, LONG, NOT_SATISFIABLE, PAGE, CHUNKED_PAGE, OPEN_PAGE, SMALL } how;
static const uint8_t *server_sends; /* of SMALL */
static size_t server_size;

static struct {
    int socket, port;
    pthread_t thread;
    how how[8]; /* of each request; what follows is good */
    size_t requests;
    long from[8]; /* what was asked for */
} server;

static void send_all(int fd, const void *data, size_t size) {
    const char *p = data;
    while (size) {
        const ssize_t n = send(fd, p, size, MSG_NOSIGNAL);
        if (n <= 0) return;
        p += n;
        size -= (size_t)n;
    }
}

static void answer(int fd) {
    char request[4096] = {0}, head[300];
    size_t got = 0;
    while (got < sizeof request - 1 && !strstr(request, "\r\n\r\n")) {
        const ssize_t n = recv(fd, request + got, sizeof request - 1 - got, 0);
        if (n <= 0) return;
        got += (size_t)n;
    }
    const char *range = strstr(request, "Range: bytes=");
    const size_t k = server.requests < 8 ? server.requests++ : 7;
    const how what = server.how[k];
    size_t from = range ? (size_t)strtoul(range + 13, NULL, 10) : 0;
    server.from[k] = (long)from;
    if (what == MISSING || what == NOT_SATISFIABLE) {
        snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone",
                 what == MISSING ? "404 Not Found" : "416 Range Not Satisfiable");
    } else if (what == REDIRECT) {
        snprintf(head, sizeof head,
                 "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/moved\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmove",
                 server.port);
    } else if (what == PAGE || what == OPEN_PAGE) {
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n%sConnection: close\r\n\r\n<html>sign in</html>",
                 what == PAGE ? "Content-Length: 20\r\n" : "");
    } else if (what == SMALL) {
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", server_size);
        send_all(fd, head, strlen(head));
        send_all(fd, server_sends, server_size);
        return;
    } else if (what == CHUNKED_PAGE) {
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n<html>sign in</html>\r\n0\r\n\r\n");
    } else {
        if (what == NO_RANGE || from > sizeof body) from = 0;
        const size_t size = what == LONG ? sizeof body + 1 : sizeof body - from;
        const int n = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n",
                               from ? "206 Partial Content" : "200 OK", size);
        if (from)
            snprintf(head + n, sizeof head - (size_t)n, "Content-Range: bytes %zu-%zu/%zu\r\n\r\n", from, sizeof body - 1, sizeof body);
        else snprintf(head + n, sizeof head - (size_t)n, "\r\n");
        send_all(fd, head, strlen(head));
        if (what == WRONG) send_all(fd, "?", 1);
        const size_t begin = from + (what == WRONG);
        send_all(fd, body + begin, what == CUT ? (sizeof body - begin) / 2 : sizeof body - begin);
        if (what == LONG) send_all(fd, "!", 1);
        return;
    }
    send_all(fd, head, strlen(head));
}

static void *serve(void *user) {
    (void)user;
    while (true) {
        const int fd = accept(server.socket, NULL, NULL);
        if (fd < 0) return NULL;
        answer(fd);
        shutdown(fd, SHUT_WR);
        char rest[64];
        while (recv(fd, rest, sizeof rest, 0) > 0) continue;
        close(fd);
    }
}

static void start_server(const how *list, size_t count) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    memset(&server, 0, sizeof server);
    memcpy(server.how, list, count * sizeof *list);
    server.socket = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(server.socket >= 0);
    assert_int_equal(bind(server.socket, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(server.socket, 8), 0);
    assert_int_equal(getsockname(server.socket, (struct sockaddr *)&a, &size), 0);
    server.port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

static void stop_server(void) {
    shutdown(server.socket, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.socket);
}

/* Fetches from the server, which answers as the list says. */
static lc_status fetch(const how *list, size_t count, lc_error *err) {
    char from[60];
    start_server(list, count);
    snprintf(from, sizeof from, "http://127.0.0.1:%d/", server.port);
    char *where = NULL;
    const lc_status status = lc_dataset_fetch(&set, &(lc_dataset_options){.dir = ckpt_test_folder.path, .from = from}, &where, err);
    assert_true((status == LC_OK) == (where != NULL));
    lc_free(where);
    stop_server();
    return status;
}
#define FETCH(err, ...) fetch((const how[]){__VA_ARGS__}, sizeof((const how[]){__VA_ARGS__}) / sizeof(how), err)

static bool is_there(const char *name) { return lc_path_is_file(ckpt_folder_path(&ckpt_test_folder, name)); }

static void expect_whole(void) {
    lc_map map;
    assert_int_equal(lc_map_open(&map, ckpt_folder_path(&ckpt_test_folder, "made/set.bin"), NULL, NULL), LC_OK);
    assert_int_equal(map.size, sizeof body);
    assert_memory_equal(map.data, body, sizeof body);
    lc_map_close(&map);
    assert_false(is_there("made/set.bin.part"));
    assert_true(lc_dataset_is_here(&set, ckpt_test_folder.path, NULL));
    unlink(ckpt_folder_path(&ckpt_test_folder, "made/set.bin"));
}

static void expect_error(lc_status got, lc_status want, const lc_error *err, const char *message, bool part) {
    if (got != want || !strstr(err->message, message) || !err->hint[0])
        fail_msg("wanted %s \"%s\", got %s \"%s\" (%s)", lc_status_name(want), message, lc_status_name(got), err->message, err->hint);
    assert_false(is_there("made/set.bin"));
    assert_false(lc_dataset_is_here(&set, ckpt_test_folder.path, NULL));
    assert_true(is_there("made/set.bin.part") == part);
}

static void test_server(void **state) {
    (void)state;
    lc_error err = {0};
    const lc_status first = FETCH(&err, GOOD);
    if (first == LC_UNSUPPORTED && strstr(err.hint, "libcurl4")) skip(); /* a machine without libcurl */
    if (first) fail_msg("%s (%s)", err.message, err.hint);
    expect_whole();
    if (FETCH(&err, REDIRECT, GOOD)) fail_msg("%s", err.message);
    expect_whole();
    /* cut, then gone on with */
    expect_error(FETCH(&err, CUT), LC_IO, &err, "http://127.0.0.1", true);
    if (FETCH(&err, GOOD)) fail_msg("%s (%s)", err.message, err.hint);
    assert_int_equal(server.from[0], sizeof body / 2);
    expect_whole();
    /* cut, and a server that does not go on */
    expect_error(FETCH(&err, CUT), LC_IO, &err, "http://127.0.0.1", true);
    if (FETCH(&err, NO_RANGE, GOOD)) fail_msg("%s (%s)", err.message, err.hint);
    expect_whole();
    expect_error(FETCH(&err, CUT), LC_IO, &err, "http://127.0.0.1", true);
    if (FETCH(&err, NOT_SATISFIABLE, GOOD)) fail_msg("%s (%s)", err.message, err.hint);
    expect_whole();
    /* a part with other bytes is fetched once more, from its start */
    expect_error(FETCH(&err, CUT), LC_IO, &err, "http://127.0.0.1", true);
    ckpt_folder_write(&ckpt_test_folder, "made/set.bin.part", "other bytes", 11);
    if (FETCH(&err, GOOD, GOOD)) fail_msg("%s (%s)", err.message, err.hint);
    assert_int_equal(server.from[0], 11);
    assert_int_equal(server.from[1], 0);
    expect_whole();
    /* nothing that looks finished */
    expect_error(FETCH(&err, WRONG), LC_INVALID, &err, "the SHA-256 is", false);
    expect_error(FETCH(&err, LONG), LC_INVALID, &err, "longer than the 50000 bytes", false);
    /* a whole file of another size is no download that ended early */
    expect_error(FETCH(&err, PAGE), LC_INVALID, &err, "another one: it has 20 bytes, that of the data set 50000", false);
    expect_error(FETCH(&err, CHUNKED_PAGE), LC_INVALID, &err, "another one: it has 20 bytes", false);
    expect_error(FETCH(&err, OPEN_PAGE), LC_IO, &err, "ended after 20 of 50000 bytes", true);
    expect_error(FETCH(&err, OPEN_PAGE, OPEN_PAGE), LC_INVALID, &err, "another one: it has 20 bytes", false);
    const lc_status missing = FETCH(&err, MISSING);
    assert_int_equal(missing, LC_IO);
    assert_non_null(strstr(err.message, "404"));
    assert_false(is_there("made/set.bin"));
}

/* What a .gz holds counts, and no longer its size, also from a server. */
static void test_packed_again(void **state) {
    (void)state;
    static char content_sum[65];
    static const lc_dataset_file plain = {"set.bin", sizeof body, body_sum, NULL};
    static uint8_t packed[60] = {0x1f, 0x8b, 8};
    lc_sha256 s;
    lc_error err = {0};
    /* one stored block of "hello", its checksum and length, then the rest of body is not sent: the file is 28 bytes long */
    static const uint8_t rest[] = {1, 5, 0, 0xfa, 0xff, 'h', 'e', 'l', 'l', 'o', 0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0};
    memcpy(packed + 10, rest, sizeof rest);
    lc_sha256_begin(&s);
    lc_sha256_add(&s, "hello", 5);
    lc_sha256_end(&s, content_sum);
    file = (lc_dataset_file){"set.bin", 90, body_sum, content_sum};
    server_sends = packed;
    server_size = 28;
    const lc_status status = FETCH(&err, SMALL);
    file = plain;
    if (status == LC_UNSUPPORTED && strstr(err.hint, "libcurl4")) skip();
    if (status) fail_msg("%s (%s)", err.message, err.hint);
    assert_true(is_there("made/set.bin"));
    unlink(ckpt_folder_path(&ckpt_test_folder, "made/set.bin"));
}

static void test_folder(void **state) {
    (void)state;
    lc_error err = {0};
    char from[260];
    const char *good = ckpt_folder_path(&ckpt_test_folder, "set.bin");
    ckpt_folder_write(&ckpt_test_folder, "set.bin", body, sizeof body);
    assert_int_equal(lc_dataset_fetch(&set, &(lc_dataset_options){.dir = ckpt_test_folder.path, .from = ckpt_test_folder.path}, NULL, &err),
                     LC_OK);
    expect_whole();
    snprintf(from, sizeof from, "file://%s/%%2e", ckpt_test_folder.path); /* "%2e" is "." */
    assert_int_equal(lc_dataset_fetch(&set, &(lc_dataset_options){.dir = ckpt_test_folder.path, .from = from}, NULL, &err), LC_OK);
    expect_whole();
    const lc_dataset_options o = {.dir = ckpt_test_folder.path, .from = ckpt_test_folder.path};
    ckpt_folder_write(&ckpt_test_folder, "set.bin", body, sizeof body - 1);
    expect_error(lc_dataset_fetch(&set, &o, NULL, &err), LC_INVALID, &err, "the SHA-256 is", false);
    unlink(good);
    expect_error(lc_dataset_fetch(&set, &o, NULL, &err), LC_NOT_FOUND, &err, "set.bin", false);
    const lc_dataset_options ftp = {.dir = ckpt_test_folder.path, .from = "ftp://nowhere"};
    expect_error(lc_dataset_fetch(&set, &ftp, NULL, &err), LC_ARGUMENT, &err, "not an address", false);
}

/* ---- archives ---------------------------------------------------------------------------------------------------------------- */

/* What CIFAR's files are like: a label and 3072 bytes, twice. */
enum { RECORD = 3073, MEMBER = 2 * RECORD, BLOCK = 512, PADDED = (MEMBER + BLOCK - 1) / BLOCK * BLOCK };

static size_t add_member(uint8_t *tar, size_t at, const char *name, size_t size, uint8_t label) {
    memset(tar + at, 0, BLOCK + PADDED);
    snprintf((char *)tar + at, 100, "%s", name);
    snprintf((char *)tar + at + 124, 12, "%011o", (unsigned)size);
    tar[at + 156] = '0';
    for (size_t i = 0; i < size; i++) tar[at + BLOCK + i] = i % RECORD ? (uint8_t)(i * 7) : label;
    return at + BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
}

/* Writes the archive and fetches the set out of it. */
static lc_status fetch_tar(const uint8_t *tar, size_t size, lc_dataset *made, lc_error *err) {
    static uint8_t packed[64 * 1024];
    static char sum[65];
    static lc_dataset_file archive;
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)tar, .avail_in = (unsigned)size, .next_out = packed, .avail_out = sizeof packed};
    lc_sha256 s;
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    lc_sha256_begin(&s);
    lc_sha256_add(&s, packed, z.total_out);
    lc_sha256_end(&s, sum);
    archive = (lc_dataset_file){"set.tar.gz", z.total_out, sum, NULL};
    ckpt_folder_write(&ckpt_test_folder, "set.tar.gz", packed, z.total_out);
    deflateEnd(&z);
    made->files = &archive;
    return lc_dataset_fetch(made, &(lc_dataset_options){.dir = ckpt_test_folder.path, .from = ckpt_test_folder.path}, NULL, err);
}

/* The files of the set come out of its archive, whatever folders and files are beside them; the archive itself is not kept. */
static void test_archive(void **state) {
    (void)state;
    static uint8_t tar[8 * (BLOCK + PADDED)];
    static const lc_dataset_file members[] = {{"one.bin", MEMBER, NULL, NULL}, {"two.bin", MEMBER, NULL, NULL}};
    lc_dataset made = {.name = "made", .file_count = 1, .members = members, .member_count = 2};
    lc_error err = {0};
    size_t n = add_member(tar, 0, "folder/readme.html", 700, 0);
    n = add_member(tar, n, "folder/one.bin", MEMBER, 3);
    const size_t cut = n + BLOCK + 1000;
    n = add_member(tar, n, "../../two.bin", MEMBER, 5); /* only its last name counts */
    memset(tar + n, 0, (size_t)2 * BLOCK);
    assert_int_equal(fetch_tar(tar, cut, &made, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "the archive is cut short"));
    assert_false(is_there("made/two.bin") || is_there("made/set.tar.gz"));
    if (fetch_tar(tar, n + (size_t)2 * BLOCK, &made, &err)) fail_msg("%s", err.message);
    assert_true(is_there("made/one.bin") && is_there("made/two.bin"));
    assert_false(is_there("made/readme.html") || is_there("made/set.tar.gz") || is_there("two.bin"));
    FILE *f = fopen(ckpt_folder_path(&ckpt_test_folder, "made/two.bin"), "rb");
    uint8_t got[MEMBER + 1];
    assert_non_null(f);
    assert_int_equal(fread(got, 1, sizeof got, f), MEMBER);
    assert_memory_equal(got, tar + n - PADDED, MEMBER);
    fclose(f);

    /* a file of another size is none of the set's */
    unlink(ckpt_folder_path(&ckpt_test_folder, "made/two.bin"));
    n = add_member(tar, 0, "one.bin", MEMBER, 3);
    n = add_member(tar, n, "two.bin", RECORD, 5);
    assert_int_equal(fetch_tar(tar, n, &made, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "the archive lacks files of the data set"));
    assert_true(err.hint[0]);
}

static lc_status fetch_local(void *arg, lc_error *err) {
    char *where;
    const lc_status status = lc_dataset_fetch(&set, arg, &where, err);
    lc_free(where);
    char path[sizeof ckpt_test_folder.path + 16]; /* not from the folder's arena, which would be counted */
    snprintf(path, sizeof path, "%s/made/set.bin", ckpt_test_folder.path);
    unlink(path);
    return status;
}

static void test_faults(void **state) {
    (void)state;
    ckpt_folder_write(&ckpt_test_folder, "set.bin", body, sizeof body);
    lc_dataset_options o = {.dir = ckpt_test_folder.path, .from = ckpt_test_folder.path};
    fault_check(fetch_local, &o, NULL);
}

static void test_names(void **state) {
    (void)state;
    assert_ptr_equal(lc_dataset_find("MNIST"), lc_dataset_at(0));
    assert_string_equal(lc_dataset_find("CIFAR-10")->name, "cifar10");
    assert_string_equal(lc_dataset_find("fashion_mnist")->name, "fashion-mnist");
    assert_null(lc_dataset_find("mnis"));
    assert_null(lc_dataset_find("mnist1"));
    assert_null(lc_dataset_find(""));
    for (size_t i = 0; lc_dataset_at(i); i++)
        for (size_t k = 0; k < lc_dataset_at(i)->file_count; k++)
            assert_int_equal(strspn(lc_dataset_at(i)->files[k].sha256, "0123456789abcdef"), 64);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, ckpt_test_folder_make, ckpt_test_folder_clean)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256), CASE(test_server), CASE(test_packed_again), CASE(test_folder), CASE(test_archive), CASE(test_faults),
        cmocka_unit_test(test_names),
    };
    const char *const proxies[] = {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY", "HTTP_PROXY"};
    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++) unsetenv(proxies[i]);
    make_body();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
