/*
 * say.c: everything the program says to a person: errors in two lines, sizes, times and shapes in short form. What comes
 * from a file (names, messages about names) cannot move the cursor, start a colour or break a line.
 */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

bool lc_cli_colours(FILE *stream) {
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(stream)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

/* Length of the valid UTF-8 character at p (RFC 3629), 0 when there is none. The text ends with NUL. */
static int utf8_bytes(const unsigned char *p) {
    static const unsigned least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const int n = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
    unsigned v = n > 1 ? p[0] & (0x7fu >> n) : p[0];
    for (int i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        v = v << 6 | (p[i] & 0x3fu);
    }
    return v >= least[n] && v <= 0x10ffff && (v < 0xd800 || v > 0xdfff) ? n : 0;
}

/* Bytes of a control character at p: 1 for C0 and DEL, 2 for C1 in UTF-8, else 0. */
static int control_bytes(const unsigned char *p) {
    if (p[0] < 0x20 || p[0] == 0x7f) return 1;
    return p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0 ? 2 : 0;
}

void lc_cli_put_safe(FILE *stream, const char *s) {
    for (const unsigned char *p = (const unsigned char *)s; *p;) {
        const int n = utf8_bytes(p), escaped = n ? control_bytes(p) : 1;
        for (int i = 0; i < escaped; i++) fprintf(stream, "\\x%02x", p[i]);
        if (!escaped) fwrite(p, 1, (size_t)n, stream);
        p += n ? n : 1;
    }
}

void lc_cli_put_json(FILE *stream, const char *s) {
    fputc('"', stream);
    for (const unsigned char *p = (const unsigned char *)s; *p;) {
        const int n = utf8_bytes(p), control = control_bytes(p);
        if (*p == '"' || *p == '\\') fputc('\\', stream);
        if (*p == '\n' || *p == '\t') fputs(*p == '\n' ? "\\n" : "\\t", stream);
        else if (control) fprintf(stream, "\\u%04x", p[control - 1]); /* C1 is c2 80 to c2 9f: the second byte is its number */
        else if (n) fwrite(p, 1, (size_t)n, stream);
        else fputs("\xef\xbf\xbd", stream);
        p += n ? n : 1;
    }
    fputc('"', stream);
}

static const lc_cli_renamed *renamed;

void lc_cli_rename(const lc_cli_renamed *names) { renamed = names; }

static bool goes_on(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

/* The text with other names for options, as far as there is room. */
static void put_renamed(char *out, size_t room, const char *text) {
    size_t n = 0;
    while (*text && n + 1 < room) {
        const lc_cli_renamed *r = renamed;
        while (r && r->from && (strncmp(text, r->from, strlen(r->from)) != 0 || goes_on(text[strlen(r->from)]))) r++;
        if (!r || !r->from) {
            out[n++] = *text++;
            continue;
        }
        for (const char *p = r->to; *p && n + 1 < room; p++) out[n++] = *p;
        text += strlen(r->from);
    }
    out[n] = 0;
}

static void say(const char *colour, const char *label, const char *text) {
    char mine[2048];
    const bool coloured = lc_cli_colours(stderr);
    if (renamed) put_renamed(mine, sizeof mine, text);
    fprintf(stderr, "%s%s:%s ", coloured ? colour : "", label, coloured ? "\033[0m" : "");
    lc_cli_put_safe(stderr, renamed ? mine : text);
    fputc('\n', stderr);
}

static void say_both(const char *message, const char *hint) {
    fflush(stdout); /* so that on a terminal the error comes after what was printed before it */
    say("\033[1;31m", "error", message);
    say("\033[36m", "hint", hint);
}

void lc_cli_note(const char *text) {
    fflush(stdout);
    say("\033[36m", "note", text);
}

void lc_cli_hear(void *user, const char *text) {
    (void)user;
    lc_cli_note(text);
}

/* What to do next when the library said nothing more special. A broken byte points to a damaged file, a broken rule
 * without one to a model that contradicts itself. */
static const char *default_hint(lc_status status) {
    switch (status) {
    case LC_INVALID: return "correct it in the program that made the file and save it again; `litec verify FILE` checks it all";
    case LC_UNSUPPORTED: return "docs/layers.md and docs/ops.md list what litec reads and runs today";
    case LC_NOT_FOUND: return "check the name; `litec inspect MODEL` lists what a model has";
    case LC_ARGUMENT: return "`litec help` lists the commands, `litec COMMAND --help` their options";
    case LC_NO_MEMORY: return "close other programs, or use a smaller model or batch";
    case LC_LIMIT: return "if you trust the file, raise the limit: --max-memory 16G";
    case LC_IO: return "check the path, its permissions and the space on the disk";
    default: return "`litec help` lists the commands";
    }
}

int lc_cli_fail(const lc_error *err) {
    char message[sizeof err->message + 96];
    int n = snprintf(message, sizeof message, "%s", err->message[0] ? err->message : lc_status_name(err->status));
    if (n > 0 && (size_t)n < sizeof message && err->rule[0]) n += snprintf(message + n, sizeof message - (size_t)n, " [%s]", err->rule);
    if (n > 0 && (size_t)n < sizeof message && err->offset != LC_NO_OFFSET)
        snprintf(message + n, sizeof message - (size_t)n, " at byte %llu", (unsigned long long)err->offset);
    const bool damaged = err->status == LC_INVALID && err->offset != LC_NO_OFFSET;
    const char *otherwise = damaged ? "the file is damaged or not complete: copy, download or save it again" : default_hint(err->status);
    say_both(message, err->hint[0] ? err->hint : otherwise);
    return LC_EXIT_FAILED;
}

static void say_formatted(const char *hint, lc_status status, const char *format, va_list args) {
    char message[1024];
    vsnprintf(message, sizeof message, format, args);
    say_both(message, hint && *hint ? hint : default_hint(status));
}

int lc_cli_failed(const char *hint, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say_formatted(hint, LC_INVALID, format, args);
    va_end(args);
    return LC_EXIT_FAILED;
}

int lc_cli_usage(const char *hint, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say_formatted(hint, LC_ARGUMENT, format, args);
    va_end(args);
    return LC_EXIT_USAGE;
}

/* ---- short forms --------------------------------------------------------------------------------------------- */

lc_cli_text lc_cli_bytes(uint64_t bytes) {
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
    lc_cli_text t;
    double v = (double)bytes;
    size_t u = 0;
    while (v >= 999.95 && u + 1 < sizeof units / sizeof *units) {
        v /= 1000;
        u++;
    }
    snprintf(t.text, sizeof t.text, u ? "%.1f %s" : "%.0f %s", v, units[u]);
    return t;
}

lc_cli_text lc_cli_time(double seconds) {
    lc_cli_text t;
    if (seconds < 999.5e-6) snprintf(t.text, sizeof t.text, "%.*f us", seconds < 99.5e-6 ? 1 : 0, seconds * 1e6);
    else if (seconds < 0.9995) snprintf(t.text, sizeof t.text, "%.*f ms", seconds < 0.0995 ? 1 : 0, seconds * 1e3);
    else snprintf(t.text, sizeof t.text, "%.2f s", seconds);
    return t;
}

lc_cli_text lc_cli_shape(lc_dtype type, const int32_t *dims, int32_t rank) {
    lc_cli_text t;
    size_t n = (size_t)snprintf(t.text, sizeof t.text, "%s[%s", lc_dtype_name(type), rank < 0 ? "..." : "");
    for (int32_t d = 0; d < rank && d < LC_MAX_RANK && n < sizeof t.text; d++) {
        const char *comma = d ? "," : "";
        if (dims[d] < 0) n += (size_t)snprintf(t.text + n, sizeof t.text - n, "%s?", comma);
        else n += (size_t)snprintf(t.text + n, sizeof t.text - n, "%s%d", comma, (int)dims[d]);
    }
    if (n < sizeof t.text) snprintf(t.text + n, sizeof t.text - n, "]");
    return t;
}

double lc_cli_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Not from getrusage alone: what that counts includes the program that started this one, up to exec, so that a shell or a Python
 * with a large heap would show as ours. Where there is no /proc it is the best there is. */
uint64_t lc_cli_peak_memory(void) {
    char line[128];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && kib == 0 && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0) kib = strtoull(line + 6, NULL, 10);
    if (f) fclose(f);
    struct rusage usage;
    if (kib == 0 && getrusage(RUSAGE_SELF, &usage) == 0) kib = (unsigned long long)usage.ru_maxrss;
    return (uint64_t)kib * 1024u;
}
