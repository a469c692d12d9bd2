/*
 * cmd_dataset.c: litec dataset: the data sets that have names: which there are, what one is, and bringing its files here.
 */
#include "cli/args.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

typedef struct values {
    const char *dir, *from;
    bool json, quiet;
} values;

static const lc_cli_option options[] = {
    {"dir", 0, LC_CLI_STRING, offsetof(values, dir), "DIR", "folder for data sets ($LITEC_DATA, else ~/.cache/litec)", 0, 0},
    {"from", 0, LC_CLI_STRING, offsetof(values, from), "ADDRESS", "folder, or address of a mirror (http, https, file)", 0, 0},
    {"json", 0, LC_CLI_FLAG, offsetof(values, json), NULL, "print JSON", 0, 0},
    {"quiet", 'q', LC_CLI_FLAG, offsetof(values, quiet), NULL, "no progress on the terminal", 0, 0},
    {0},
};

static uint64_t samples(const lc_dataset *s) {
    uint64_t n = 0;
    for (size_t i = 0; i < s->split_count; i++) n += s->splits[i].samples;
    return n;
}

static uint64_t bytes(const lc_dataset *s) {
    uint64_t n = 0;
    for (size_t i = 0; i < s->file_count; i++) n += s->files[i].bytes;
    return n;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

static void print_quoted(const char *text) {
    putchar('"');
    for (; *text; text++)
        if (*text == '"' || *text == '\\') printf("\\%c", *text);
        else if ((unsigned char)*text < 32) printf("\\u%04x", *text);
        else putchar(*text);
    putchar('"');
}

static void print_texts(const char *key, const char *const *texts, size_t count) {
    printf(",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        if (i) putchar(',');
        print_quoted(texts[i]);
    }
    putchar(']');
}

static void print_member(const char *key, const char *text) {
    printf(",\"%s\":", key);
    print_quoted(text);
}

static void print_json(const lc_dataset *s, const values *v) {
    char *folder;
    const bool here = lc_dataset_is_here(s, v->dir, &folder);
    printf("{\"name\":\"%s\"", s->name);
    print_member("title", s->title);
    print_member("licence", s->licence);
    print_member("page", s->page);
    printf(",\"shape\":[%d,%d,%d]", (int)s->height, (int)s->width, (int)s->channels);
    print_texts("classes", s->classes, s->class_count);
    print_texts("addresses", s->addresses, s->address_count);
    printf(",\"splits\":[");
    for (size_t i = 0; i < s->split_count; i++)
        printf("%s{\"name\":\"%s\",\"samples\":%llu}", i ? "," : "", s->splits[i].name, (unsigned long long)s->splits[i].samples);
    printf("],\"files\":[");
    for (size_t i = 0; i < s->file_count; i++)
        printf("%s{\"name\":\"%s\",\"bytes\":%llu,\"sha256\":\"%s\"}", i ? "," : "", s->files[i].name,
               (unsigned long long)s->files[i].bytes, s->files[i].sha256);
    printf("],\"here\":%s", here ? "true" : "false");
    if (folder) print_member("folder", folder);
    putchar('}');
    lc_free(folder);
}

/* ---- list, info ------------------------------------------------------------------------------------------------------------ */

static int list(const values *v) {
    if (v->json) putchar('[');
    else printf("%-15s%9s  %-9s %8s  %s\n", "name", "samples", "shape", "download", "");
    const lc_dataset *s;
    for (size_t i = 0; (s = lc_dataset_at(i)); i++) {
        char shape[40];
        if (v->json) {
            if (i) putchar(',');
            print_json(s, v);
            continue;
        }
        snprintf(shape, sizeof shape, "%dx%dx%d", (int)s->height, (int)s->width, (int)s->channels);
        printf("%-15s%9llu  %-9s %8s  %s%s\n", s->name, (unsigned long long)samples(s), shape, lc_cli_bytes(bytes(s)).text, s->title,
               lc_dataset_is_here(s, v->dir, NULL) ? " (here)" : "");
    }
    if (v->json) puts("]");
    return LC_EXIT_OK;
}

static int info(const lc_dataset *s, const values *v) {
    if (v->json) {
        print_json(s, v);
        putchar('\n');
        return LC_EXIT_OK;
    }
    char *folder;
    const bool here = lc_dataset_is_here(s, v->dir, &folder);
    printf("%s\n\n%-10s %s\n%-10s %s\n%-10s %dx%dx%d, bytes\n", s->title, "page", s->page, "licence", s->licence, "sample", (int)s->height,
           (int)s->width, (int)s->channels);
    for (size_t i = 0; i < s->split_count; i++)
        printf("%-10s %s:%s, %llu samples\n", i ? "" : "parts", s->name, s->splits[i].name, (unsigned long long)s->splits[i].samples);
    printf("%-10s ", "classes");
    for (size_t i = 0; i < s->class_count; i++) printf("%s%s", i ? ", " : "", s->classes[i]);
    printf("\n%-10s %s%s\n", "folder", folder ? folder : "none", here ? "" : " (not fetched)");
    for (size_t i = 0; i < s->address_count; i++) printf("%-10s %s\n", i ? "" : "from", s->addresses[i]);
    printf("\n");
    for (size_t i = 0; i < s->file_count; i++)
        printf("%-27s %10llu bytes  sha256 %s\n", s->files[i].name, (unsigned long long)s->files[i].bytes, s->files[i].sha256);
    lc_free(folder);
    return LC_EXIT_OK;
}

/* ---- fetch -------------------------------------------------------------------------------------------------------------------- */

static void progress(void *user, const char *file, uint64_t done, uint64_t all) {
    static const char bar[] = "##############################";
    double *told = user;
    const double now = lc_cli_now();
    if (now - *told < 0.1 && done < all) return;
    *told = now;
    const int n = (int)((double)done / (double)(all ? all : 1) * (sizeof bar - 1));
    fprintf(stderr, "\r\033[K%s [%-*.*s] %s", file, (int)sizeof bar - 1, n, bar, lc_cli_bytes(done).text);
    fprintf(stderr, " of %s", lc_cli_bytes(all).text);
}

static int fetch(const lc_dataset *s, const values *v) {
    const bool shown = !v->quiet && isatty(STDERR_FILENO);
    double told = 0;
    const lc_dataset_options how = {.dir = v->dir, .from = v->from, .progress = shown ? progress : NULL, .progress_user = &told};
    char *folder;
    lc_error err;
    const lc_status status = lc_dataset_fetch(s, &how, &folder, &err);
    if (shown) fputs("\r\033[K", stderr);
    if (status) return lc_cli_fail(&err);
    if (v->json) {
        print_json(s, v);
        putchar('\n');
    } else {
        printf("%s is in %s\n", s->name, folder);
        if (!v->dir) printf("use it as --data %s:train or %s:test\n", s->name, s->name);
        else printf("use it as --data %s:train or %s:test with LITEC_DATA=%s\n", s->name, s->name, v->dir);
    }
    lc_free(folder);
    return LC_EXIT_OK;
}

/* What ends the program ends the download, too; else it would go on unseen, and hold the part file that the next try goes on with. */
static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { ENDINGS = sizeof ending / sizeof *ending };
static volatile sig_atomic_t child_now, told;

static void pass_on(int signal) {
    told = signal;
    kill((pid_t)child_now, signal);
}

/* Waits for the child while signals are passed on to it; ends by one that it ended by. */
static int wait_for(pid_t child) {
    struct sigaction before[ENDINGS], passing = {.sa_handler = pass_on};
    int status = 0;
    child_now = (sig_atomic_t)child;
    for (int i = 0; i < ENDINGS; i++) {
        sigaction(ending[i], NULL, &before[i]);
        if (before[i].sa_handler == SIG_DFL) sigaction(ending[i], &passing, NULL);
    }
    sigset_t all;
    sigemptyset(&all);
    for (int i = 0; i < ENDINGS; i++) sigaddset(&all, ending[i]);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    for (int i = 0; i < ENDINGS; i++) sigaction(ending[i], &before[i], NULL);
    if (told && WIFSIGNALED(status)) raise(told);
    return status;
}

/* In a process of its own: the program is linked statically where it can be, and a libcurl made for another libc than its own may fall over
 * when it is loaded. That is then an error like others. */
static int fetch_apart(const lc_dataset *s, const values *v) {
    fflush(stdout);
    fflush(stderr);
    sigset_t all, before;
    sigemptyset(&all);
    for (int i = 0; i < ENDINGS; i++) sigaddset(&all, ending[i]);
    sigprocmask(SIG_BLOCK, &all, &before); /* until it is known to whom they are passed on */
    const pid_t parent = getpid(), child = fork();
    if (child <= 0) sigprocmask(SIG_SETMASK, &before, NULL);
    if (child < 0) return fetch(s, v);
    if (child == 0) {
#ifdef __linux__
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* of a kill -9 nobody can tell us */
#endif
        if (getppid() != parent) _exit(LC_EXIT_FAILED); /* it ended before that */
        const int code = fetch(s, v);
        fflush(stdout);
        _exit(code);
    }
    const int status = wait_for(child);
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    return lc_cli_failed("download the files otherwise (litec dataset info has their addresses) and give the folder: --from DIR",
                         "fetching ended by signal %d: this machine's libcurl may not go with this program", WTERMSIG(status));
}

static int run(const lc_cli_command *command, int argc, char **argv) {
    values v = {0};
    lc_cli_list arguments;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    const char *what = arguments.items[0];
    const bool is_fetch = strcmp(what, "fetch") == 0;
    if (v.from && !is_fetch) return lc_cli_usage("it is for litec dataset fetch", "--from says where files are fetched from");
    if (strcmp(what, "list") == 0) {
        if (arguments.count > 1) return lc_cli_usage("litec dataset info NAME says more of one", "litec dataset list takes no name");
        return list(&v);
    }
    if (!is_fetch && strcmp(what, "info") != 0) return lc_cli_usage("it is list, info or fetch", "litec dataset has no %s", what);
    if (arguments.count < 2) return lc_cli_usage("`litec dataset list` lists them", "litec dataset %s needs the name of a data set", what);
    const lc_dataset *s = lc_dataset_find(arguments.items[1]);
    if (!s) return lc_cli_usage("`litec dataset list` lists them", "there is no data set %s", arguments.items[1]);
    return is_fetch ? fetch_apart(s, &v) : info(s, &v);
}

const lc_cli_command lc_cmd_dataset = {
    .name = "dataset",
    .summary = "list and fetch data sets that have names: mnist, fashion-mnist, cifar10",
    .usage = "list | info NAME | fetch NAME [options]",
    .details = "A set that was fetched is data by its name: --data mnist:test, --representative mnist:train. Files are checked (SHA-256);\n"
               "a download that ended early goes on where it ended.",
    .example = "litec dataset fetch mnist",
    .options = options,
    .least = 1,
    .most = 2,
    .run = run,
};
