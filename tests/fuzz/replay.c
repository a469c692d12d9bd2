/*
 * replay.c: runs a fuzz target without a fuzzer, the same way every time.
 *
 *     fuzz_<x> ROOT <x>                    all seeds of tests/fuzz/corpus/<x>/ and <x>.seeds
 *     fuzz_<x> --one FILE                  just this file, e.g. the one a failed run left
 *
 * Each seed is given as it is, truncated (a small one at every byte, a larger one at 256 places), and mutated: bits and bytes
 * changed, numbers replaced by those that overflow, ranges removed, doubled and moved, pieces of other seeds put in. The
 * random numbers start from the seed's content, so that a new seed does not change what happens to the others. The number of
 * mutations is such that a target takes some seconds; LC_FUZZ_FACTOR=10 in the environment makes it ten times as many.
 *
 * Each input is a heap block of exactly its size, so that AddressSanitizer sees a read behind its end. When the target dies,
 * the input is left in crash-<x>.bin in the working directory and its origin is printed.
 */
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS_EACH 20

typedef struct seed {
    char *path;
    uint8_t *data;
    size_t size;
} seed;

static seed *seeds;
static size_t seed_count;

/* ---- what is running now, for the report of a death ---- */

static struct {
    const char *target, *path, *how;
    unsigned long number;
    const uint8_t *data;
    size_t size;
} now;

/* Called from signal handlers and from the sanitizer: system calls only. */
static void say(const char *s) {
    if (write(2, s, strlen(s)) < 0) _exit(3);
}

static void say_number(unsigned long v) {
    char digits[24];
    size_t i = sizeof digits;
    digits[--i] = 0;
    do digits[--i] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    say(digits + i);
}

static void report_death(void) {
    if (!now.path) return;
    char name[128] = "crash-";
    strncat(name, now.target, 100);
    strcat(name, ".bin");
    say("\nfuzz target died on ");
    say(now.path);
    say(", ");
    say(now.how);
    say(" ");
    say_number(now.number);
    say(": the input is in ");
    say(name);
    say(" (run again with --one)\n");
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) return;
    for (size_t done = 0; done < now.size;) {
        ssize_t n = write(fd, now.data + done, now.size - done);
        if (n <= 0) break;
        done += (size_t)n;
    }
    close(fd);
    now.path = NULL;
}

static void on_signal(int number) {
    if (number == SIGALRM) say("\nfuzz target takes too long");
    report_death();
    signal(number, SIG_DFL);
    raise(number == SIGALRM ? SIGABRT : number);
}

/* Defined by the sanitizers' runtime when there is one. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static unsigned long inputs;

static void give(const char *path, const char *how, unsigned long number, const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) exit(2);
    if (size) memcpy(copy, data, size);
    now.path = path;
    now.how = how;
    now.number = number;
    now.data = copy;
    now.size = size;
    alarm(SECONDS_EACH);
    LLVMFuzzerTestOneInput(copy, size);
    alarm(0);
    now.path = NULL;
    free(copy);
    inputs++;
}

/* ---- seeds ---- */

static void add_seed(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return;
    FILE *f = fopen(path, "rb");
    size_t size = (size_t)st.st_size;
    seed s = {strdup(path), malloc(size ? size : 1), size};
    seed *more = realloc(seeds, (seed_count + 1) * sizeof *seeds);
    if (!f || !s.path || !s.data || !more || fread(s.data, 1, size, f) != size) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    fclose(f);
    seeds = more;
    seeds[seed_count++] = s;
}

static void add_glob(const char *pattern) {
    glob_t g;
    int r = glob(pattern, 0, NULL, &g); /* sorted */
    if (r == GLOB_NOMATCH) {
        fprintf(stderr, "no seed matches %s\n", pattern);
        exit(1); /* a list that has gone stale is a test that tests nothing */
    }
    if (r != 0) exit(2);
    for (size_t i = 0; i < g.gl_pathc; i++) add_seed(g.gl_pathv[i]);
    globfree(&g);
}

static void find_seeds(const char *root, const char *target) {
    char path[4096], line[1024];
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s", root, target);
    if (access(path, R_OK) == 0) {
        strncat(path, "/*", sizeof path - strlen(path) - 1);
        add_glob(path);
    }
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s.seeds", root, target);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = 0;
        if (!line[0] || line[0] == '#') continue;
        snprintf(path, sizeof path, "%s/%s", root, line);
        add_glob(path);
    }
    if (f) fclose(f);
}

/* ---- mutations ---- */

static uint64_t random_state;

static uint64_t next_random(void) { /* splitmix64 (Steele, Lea, Flood 2014) */
    uint64_t z = (random_state += 0x9E3779B97F4A7C15ull);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

static size_t below(size_t n) { return n ? (size_t)(next_random() % n) : 0; }

/* A length that is mostly short. */
static size_t short_length(size_t most) {
    size_t n = below(1 + below(64)) + 1;
    return n < most ? n : most;
}

static void put_number(uint8_t *at, size_t room) {
    static const uint64_t numbers[] = {0,
                                       1,
                                       2,
                                       3,
                                       4,
                                       7,
                                       8,
                                       16,
                                       31,
                                       32,
                                       63,
                                       64,
                                       127,
                                       128,
                                       255,
                                       256,
                                       32767,
                                       32768,
                                       65535,
                                       65536,
                                       0x7FFFFFF,
                                       0x3FFFFFFF,
                                       0x40000000,
                                       0x7FFFFFFF,
                                       0x80000000,
                                       0xFFFFFFF0,
                                       0xFFFFFFFC,
                                       0xFFFFFFFE,
                                       0xFFFFFFFF,
                                       0x100000000,
                                       0x3FFFFFFFFFFFFFFF,
                                       0x7FFFFFFFFFFFFFFF,
                                       0x8000000000000000,
                                       0xFFFFFFFFFFFFFFF8,
                                       0xFFFFFFFFFFFFFFFF};
    uint64_t v = numbers[below(sizeof numbers / sizeof *numbers)];
    size_t width = (size_t)1 << below(4);
    for (size_t i = 0; i < width && i < room; i++) at[i] = (uint8_t)(v >> 8 * i);
}

/* Changes data in place; it has room for `most` bytes. Returns the new size. */
static size_t mutate(uint8_t *data, size_t size, size_t most) {
    if (size == 0) {
        data[0] = (uint8_t)next_random();
        return 1;
    }
    size_t at = below(size), n;
    switch (below(11)) {
    case 0: data[at] ^= (uint8_t)(1u << below(8)); return size;
    case 1: data[at] = (uint8_t)next_random(); return size;
    case 2:
    case 3:
    case 4: /* numbers in these formats are mostly aligned */
        if (below(4)) at &= ~(size_t)3;
        put_number(data + at, size - at);
        return size;
    case 5: data[at] = (uint8_t)(data[at] + below(9) - 4); return size;
    case 6: /* remove a range */
        n = below(8) ? short_length(size - at) : below(size - at) + 1;
        memmove(data + at, data + at + n, size - at - n);
        return size - n;
    case 7: /* double a range */
        n = short_length(size - at);
        if (n > most - size) return size;
        memmove(data + at + n, data + at, size - at);
        return size + n;
    case 8: /* move a range */
        n = short_length(size - at);
        memmove(data + below(size - n + 1), data + at, n);
        return size;
    case 9: /* a range of one value */
        n = short_length(size - at);
        memset(data + at, below(2) ? 0 : 0xFF, n);
        return size;
    default: { /* a piece of another seed, at the same place or elsewhere */
        const seed *s = &seeds[below(seed_count)];
        size_t from = below(2) && at < s->size ? at : below(s->size);
        n = short_length(size - at);
        if (n > s->size - from) n = s->size - from;
        if (n) memcpy(data + at, s->data + from, n);
        return size;
    }
    }
}

static void replay_seed(const seed *s, double factor) {
    give(s->path, "as it is", 0, s->data, s->size);
    size_t cuts = s->size < 4096 ? s->size : 256;
    for (size_t i = 0; i < cuts; i++) {
        size_t n = s->size < 4096 ? i : (size_t)((double)s->size / (double)cuts * (double)i);
        give(s->path, "truncated to", n, s->data, n);
    }
    /* About 16 MB of mutated input a seed, 1000 at most, 40 at least; fewer of each when there are many seeds. */
    double share = seed_count > 32 ? 32.0 / (double)seed_count : 1.0;
    double count = 16e6 / (double)(s->size + 1);
    count = (count > 1000 ? 1000 : count < 40 ? 40 : count) * share * factor;
    size_t most = s->size + 4096;
    uint8_t *work = malloc(most);
    if (!work) exit(2);
    random_state = s->size;
    for (size_t i = 0; i < s->size; i++) random_state = random_state * 31 + s->data[i];
    for (unsigned long i = 0; i < (unsigned long)count + 1; i++) {
        size_t size = s->size;
        if (size) memcpy(work, s->data, size);
        for (size_t k = 1 + below(1 + below(6)); k > 0; k--) size = mutate(work, size, most);
        give(s->path, "mutation", i, work, size);
    }
    free(work);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s ROOT TARGET | --one FILE\n", argv[0]);
        return 2;
    }
    bool one = strcmp(argv[1], "--one") == 0;
    now.target = one ? "again" : argv[2];
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(report_death);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        if (!__sanitizer_set_death_callback || deadly[i] == SIGALRM) signal(deadly[i], on_signal);
    if (one) {
        add_seed(argv[2]);
        if (seed_count) give(argv[2], "as it is", 0, seeds[0].data, seeds[0].size);
    } else {
        const char *asked = getenv("LC_FUZZ_FACTOR");
        double factor = asked ? strtod(asked, NULL) : 1.0;
        find_seeds(argv[1], argv[2]);
        for (size_t i = 0; i < seed_count; i++) replay_seed(&seeds[i], factor > 0 ? factor : 1.0);
    }
    printf("fuzz_%s: %lu inputs from %zu seeds\n", now.target, inputs, seed_count);
    int code = seed_count ? 0 : 1;
    if (!code && !one) give("nothing", "as it is", 0, (const uint8_t *)"", 0);
    for (size_t i = 0; i < seed_count; i++) {
        free(seeds[i].path);
        free(seeds[i].data);
    }
    free(seeds);
    return code;
}
