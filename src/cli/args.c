/*
 * args.c: the option parser. Strict on purpose: an unknown option, a missing or extra value and a number that is none are
 * errors that name what was meant, because a flag that is silently ignored costs people hours.
 */
#include "cli/args.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- nearest names ------------------------------------------------------------------------------------------- */

#define WORD_MAX 64

/* Edit distance with swaps of neighbours (optimal string alignment); long words compare as far as. */
static size_t distance_of(const char *a, const char *b) {
    size_t rows[3][WORD_MAX + 1];
    const size_t n = strnlen(a, WORD_MAX), m = strnlen(b, WORD_MAX);
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++) last[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best) best = before[j - 2] + 1;
            row[j] = best;
        }
        size_t *t = before;
        before = last;
        last = row;
        row = t;
    }
    return last[m];
}

/* A beginning of a name, as other programs take it for the name, is as near as can be. */
void lc_cli_consider(const char *word, const char *candidate, const char **best, size_t *distance) {
    const size_t n = strlen(word), d = n > 1 && strncmp(word, candidate, n) == 0 ? 0 : distance_of(word, candidate);
    if (*best && d >= *distance) return;
    *best = candidate;
    *distance = d;
}

bool lc_cli_near_enough(const char *word, const char *best, size_t distance) {
    const size_t length = strlen(word);
    return best && distance <= (length < 6 ? 2 : length / 3) && distance < strlen(best);
}

/* ---- help ---------------------------------------------------------------------------------------------------- */

static void help_option(const char *name, char letter, const char *value, const char *help) {
    char left[64];
    const char *space = value ? " " : "";
    if (letter) snprintf(left, sizeof left, "-%c, --%s%s%s", letter, name, space, value ? value : "");
    else snprintf(left, sizeof left, "    --%s%s%s", name, space, value ? value : "");
    printf("  %-34s  %s\n", left, help);
}

lc_cli_text lc_cli_command_name(const lc_cli_command *c) {
    lc_cli_text t;
    snprintf(t.text, sizeof t.text, "%s%s", c->program ? "" : "litec ", c->program ? c->program : c->name);
    return t;
}

void lc_cli_help(const lc_cli_command *c) {
    const lc_cli_text name = lc_cli_command_name(c);
    printf("%s: %s\n\nusage: %s %s\n\n", name.text, c->summary, name.text, c->usage);
    if (c->details) printf("%s\n\n", c->details);
    printf("options:\n");
    for (const lc_cli_option *o = c->options; o->name; o++) help_option(o->name, o->letter, o->value, o->help);
    help_option("help", 'h', NULL, "show this help");
    printf("\nexample:\n  %s\n", c->example);
}

/* ---- parsing ------------------------------------------------------------------------------------------------- */

typedef struct parser {
    const lc_cli_command *command;
    int argc;
    char **argv;
    int next;
    void *values;
    uint64_t given; /* bit i: option i of the table was given */
    char hint[400];
} parser;

/* The message is printed by the call in the argument; what remains is to stop. */
static lc_cli_parsed wrong(int exit_code) {
    (void)exit_code;
    return LC_CLI_WRONG;
}

static const char *see_help(parser *p) {
    snprintf(p->hint, sizeof p->hint, "`%s --help` lists the options", lc_cli_command_name(p->command).text);
    return p->hint;
}

static lc_cli_parsed unknown(parser *p, const char *dashes, const char *name, int length) {
    char word[WORD_MAX];
    snprintf(word, sizeof word, "%.*s", length, name);
    const char *best = NULL;
    size_t distance = 0;
    for (const lc_cli_option *o = p->command->options; o->name; o++) lc_cli_consider(word, o->name, &best, &distance);
    lc_cli_consider(word, "help", &best, &distance);
    const lc_cli_old_name *old = p->command->old_names;
    while (old && old->name && strcmp(old->name, word) != 0) old++;
    if (old && old->name) snprintf(p->hint, sizeof p->hint, "%s", old->hint);
    else if (lc_cli_near_enough(word, best, distance)) snprintf(p->hint, sizeof p->hint, "did you mean --%s?", best);
    else see_help(p);
    return wrong(lc_cli_usage(p->hint, "%s has no option %s%s", lc_cli_command_name(p->command).text, dashes, word));
}

/* "512M" to bytes; false when it is not a number, negative or too large. */
static bool parse_bytes(const char *s, uint64_t *out) {
    if (*s < '0' || *s > '9') return false;
    char *end;
    errno = 0;
    const unsigned long long n = strtoull(s, &end, 10);
    if (errno) return false;
    unsigned shift = 0;
    if (*end == 'K' || *end == 'k') shift = 10;
    else if (*end == 'M' || *end == 'm') shift = 20;
    else if (*end == 'G' || *end == 'g') shift = 30;
    if (shift) end++;
    if (shift && *end == 'i') end++; /* 512MiB */
    if (*end == 'B') end++;
    if (*end || n == 0 || n > (UINT64_MAX >> shift)) return false;
    *out = (uint64_t)n << shift;
    return true;
}

static bool parse_count(const lc_cli_option *o, const char *s, int32_t *out) {
    char *end;
    errno = 0;
    const long v = strtol(s, &end, 10);
    if (errno || end == s || *end || v < o->least || v > o->most) return false;
    *out = (int32_t)v;
    return true;
}

static bool parse_number(const char *s, float *out) {
    char *end;
    const float v = strtof(s, &end);
    if (end == s || *end || !isfinite(v)) return false;
    *out = v;
    return true;
}

static bool parse_bool(const char *s, lc_cli_bool *out) {
    static const char *const yes[] = {"true", "True", "TRUE", "1", "yes"}, *const no[] = {"false", "False", "FALSE", "0", "no"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcmp(s, yes[i]) == 0) *out = LC_CLI_TRUE;
        else if (strcmp(s, no[i]) == 0) *out = LC_CLI_FALSE;
        else continue;
        return true;
    }
    return false;
}

static lc_cli_parsed store(parser *p, const lc_cli_option *o, const char *value) {
    void *field = (char *)p->values + o->offset;
    if (value && !*value && p->command->program && o->kind == LC_CLI_STRING) return LC_CLI_RUN; /* the official programs': not given */
    if (value && !*value) return wrong(lc_cli_usage(see_help(p), "--%s needs a value, got an empty one", o->name));
    switch (o->kind) {
    case LC_CLI_FLAG: *(bool *)field = true; break;
    case LC_CLI_STRING: *(const char **)field = value; break;
    case LC_CLI_LIST: {
        lc_cli_list *list = field;
        if (list->count == LC_CLI_LIST_MAX)
            return wrong(lc_cli_usage(see_help(p), "--%s is given more than %d times", o->name, LC_CLI_LIST_MAX));
        list->items[list->count++] = value;
        break;
    }
    case LC_CLI_COUNT:
        if (!parse_count(o, value, field))
            return wrong(
                lc_cli_usage(see_help(p), "--%s: %s is no whole number from %d to %d", o->name, value, (int)o->least, (int)o->most));
        break;
    case LC_CLI_BYTES:
        if (!parse_bytes(value, field)) return wrong(lc_cli_usage("write it like 512M or 4G", "--%s: %s is no size", o->name, value));
        break;
    case LC_CLI_NUMBER:
        if (!parse_number(value, field)) return wrong(lc_cli_usage(see_help(p), "--%s: %s is no number", o->name, value));
        break;
    case LC_CLI_BOOL:
        if (!parse_bool(value, field))
            return wrong(lc_cli_usage("write =true or =false", "--%s: %s is neither true nor false", o->name, value));
        break;
    }
    return LC_CLI_RUN;
}

/* True when the next argument cannot be a value: there is none, or it is an option itself ("-0.5" and "-" are values). */
static bool no_value_follows(const parser *p) {
    if (p->next >= p->argc) return true;
    const char *a = p->argv[p->next];
    return a[0] == '-' && a[1] && !(a[1] >= '0' && a[1] <= '9') && a[1] != '.';
}

/* `attached`: the value written in the same argument, or NULL. */
static lc_cli_parsed take(parser *p, const lc_cli_option *o, const char *attached) {
    const uint64_t bit = UINT64_C(1) << (o - p->command->options);
    if ((p->given & bit) && o->kind != LC_CLI_LIST && o->kind != LC_CLI_FLAG)
        return wrong(lc_cli_usage("give it once", "--%s is given twice", o->name));
    p->given |= bit;
    if (o->kind == LC_CLI_FLAG) {
        if (attached) return wrong(lc_cli_usage(see_help(p), "--%s takes no value", o->name));
        return store(p, o, NULL);
    }
    if (o->kind == LC_CLI_BOOL && !attached) {
        lc_cli_bool follows;
        if (p->next >= p->argc || !parse_bool(p->argv[p->next], &follows)) return store(p, o, "true");
    }
    if (!attached) {
        if (no_value_follows(p)) {
            snprintf(p->hint, sizeof p->hint, "write --%s %s", o->name, o->value);
            return wrong(lc_cli_usage(p->hint, "--%s needs a value", o->name));
        }
        attached = p->argv[p->next++];
    }
    return store(p, o, attached);
}

static lc_cli_parsed long_option(parser *p, const char *a) {
    const char *equals = strchr(a, '=');
    const int length = (int)(equals ? (size_t)(equals - a) : strlen(a));
    if (strcmp(a, "help") == 0) {
        lc_cli_help(p->command);
        return LC_CLI_HELPED;
    }
    for (const lc_cli_option *o = p->command->options; o->name; o++)
        if (strncmp(o->name, a, (size_t)length) == 0 && o->name[length] == 0) return take(p, o, equals ? equals + 1 : NULL);
    return unknown(p, "--", a, length);
}

static lc_cli_parsed short_option(parser *p, const char *a) {
    if (a[0] == 'h' && !a[1]) {
        lc_cli_help(p->command);
        return LC_CLI_HELPED;
    }
    for (const lc_cli_option *o = p->command->options; o->name; o++) /* "-threads": a long name with one dash */
        if (a[1] && strncmp(o->name, a, strlen(o->name)) == 0 && (!a[strlen(o->name)] || a[strlen(o->name)] == '='))
            return unknown(p, "-", a, (int)strlen(o->name));
    for (const lc_cli_option *o = p->command->options; o->name; o++) {
        if (!o->letter || o->letter != a[0]) continue;
        const char *rest = a + 1;
        return take(p, o, !*rest ? NULL : *rest == '=' ? rest + 1 : rest);
    }
    if (a[1]) return unknown(p, "-", a, (int)strlen(a));
    return wrong(lc_cli_usage(see_help(p), "%s has no option -%s", lc_cli_command_name(p->command).text, a));
}

static lc_cli_parsed check_arguments(parser *p, const lc_cli_list *arguments) {
    const lc_cli_command *c = p->command;
    const lc_cli_text name = lc_cli_command_name(c);
    snprintf(p->hint, sizeof p->hint, "usage: %s %s", name.text, c->usage);
    if (arguments->count < c->least)
        return wrong(lc_cli_usage(p->hint, "%s needs %s", name.text, c->least == 1 ? "a model" : "more arguments"));
    if (arguments->count > c->most)
        return wrong(lc_cli_usage(p->hint, "%s does not know what to do with %s", name.text, arguments->items[c->most]));
    return LC_CLI_RUN;
}

lc_cli_parsed lc_cli_parse(const lc_cli_command *command, int argc, char **argv, void *values, lc_cli_list *arguments) {
    parser p = {.command = command, .argc = argc, .argv = argv, .values = values};
    bool options_ended = false;
    arguments->count = 0;
    while (p.next < argc) {
        const char *a = argv[p.next++];
        lc_cli_parsed result = LC_CLI_RUN;
        if (!options_ended && strcmp(a, "--") == 0) options_ended = true;
        else if (!options_ended && a[0] == '-' && a[1] == '-') result = long_option(&p, a + 2);
        else if (!options_ended && a[0] == '-' && a[1]) result = short_option(&p, a + 1);
        else if (arguments->count == LC_CLI_LIST_MAX) result = wrong(lc_cli_usage(see_help(&p), "more than %d arguments", LC_CLI_LIST_MAX));
        else arguments->items[arguments->count++] = a;
        if (result != LC_CLI_RUN) return result;
    }
    return check_arguments(&p, arguments);
}

bool lc_cli_join(const lc_cli_list *list, char separator, char **out) {
    size_t size = 1;
    *out = NULL;
    if (!list->count) return true;
    for (size_t i = 0; i < list->count; i++) size += strlen(list->items[i]) + 1;
    char *p = *out = malloc(size);
    if (!p) return false;
    for (size_t i = 0; i < list->count; i++) {
        const size_t n = strlen(list->items[i]);
        if (i) *p++ = separator;
        memcpy(p, list->items[i], n);
        p += n;
    }
    *p = 0;
    return true;
}
