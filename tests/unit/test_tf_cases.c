/*
 * test_tf_cases.c: TensorFlow graphs with TensorFlow's own results (tests/data/tf/<family>.gz, made by tests/oracle/make_tf_cases.py, which says
 * what the lines mean): each is lowered, rewritten and run, every output of every run is compared. A family is a row below.
 */
#include "support/tf_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

static const char *const families[] = {"array", "math", "nn"};
enum { MOST_PORTS = 16, MOST_SETS = 8 };

/* ---- reading --------------------------------------------------------------------------------------------------------- */

/* The whole file with a NUL behind it. */
static char *read_family(const char *family) {
    char path[512];
    size_t size = 0, capacity = 1 << 20;
    snprintf(path, sizeof path, "%s/data/tf/%s.gz", LC_TEST_DIR, family);
    gzFile f = gzopen(path, "rb");
    if (!f) fail_msg("%s is not there", path);
    char *text = malloc(capacity);
    for (int n; (n = gzread(f, text + size, (unsigned)(capacity - size - 1))) > 0;) {
        size += (size_t)n;
        if (capacity - size < 65536) text = realloc(text, capacity *= 2);
    }
    gzclose(f);
    text[size] = 0;
    return text;
}

/* A line without its end; *p moves behind it. */
static char *line(char **p) {
    char *start = *p, *end = strchr(start, '\n');
    if (!end) fail_msg("the file ends in a case");
    *end = 0;
    *p = end + 1;
    return start;
}

typedef struct tensor {
    char dims[64];
    double *v;
    size_t n;
} tensor;

/* "2,3 1 2 3 4 5 6"; "- 1" is a scalar. */
static tensor read_tensor(const char *p) {
    tensor t = {{0}, NULL, 0};
    const size_t w = strcspn(p, " ");
    size_t capacity = 64;
    if (*p != '-') memcpy(t.dims, p, w < 63 ? w : 63);
    t.v = malloc(capacity * sizeof *t.v);
    for (p += w; *p;) {
        char *end;
        const double v = strtod(p, &end);
        if (end == p) break;
        if (t.n == capacity) t.v = realloc(t.v, (capacity *= 2) * sizeof *t.v);
        t.v[t.n++] = v;
        p = end;
    }
    return t;
}

typedef struct set {
    tensor in[MOST_PORTS], out[MOST_PORTS];
    size_t in_count, out_count;
} set;

/* ---- comparing ------------------------------------------------------------------------------------------------------------ */

/* What a number may be off, relative to itself or to the largest of its tensor. */
typedef struct tolerance {
    double within;
    bool of_largest;
} tolerance;

static tolerance read_tolerance(const char *p) {
    char *end;
    tolerance t = {.within = strtod(p, &end)};
    t.of_largest = !strcmp(end, " of the largest");
    if (end == p || (*end && !t.of_largest)) fail_msg("\"within %s\" is no tolerance", p);
    return t;
}

static void expect(const char *name, size_t k, size_t output, const tensor *want, const double *got, size_t n, const char *dims,
                   tolerance allowed) {
    double largest = 0;
    if (strcmp(dims, want->dims)) fail_msg("%s, run %zu: output %zu is [%s], TensorFlow's [%s]", name, k, output, dims, want->dims);
    if (n != want->n) fail_msg("%s, run %zu: output %zu has %zu elements, TensorFlow's %zu", name, k, output, n, want->n);
    for (size_t i = 0; i < n; i++)
        if (isfinite(want->v[i]) && fabs(want->v[i]) > largest) largest = fabs(want->v[i]);
    for (size_t i = 0; i < n; i++) {
        const double a = got[i], b = want->v[i];
        if (a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= allowed.within * (allowed.of_largest ? largest : fabs(b))) continue;
        fail_msg("%s, run %zu: element %zu of output %zu is %.9g, TensorFlow's %.9g", name, k, i, output, a, b);
    }
}

static void run_case(const char *name, const char *inputs, const char *outputs, const char *graph, set *sets, size_t count,
                     tolerance allowed) {
    enum { MOST = 65536 };
    double *got = malloc(MOST * sizeof *got);
    lc_model *m = tf_make(graph, inputs, outputs);
    for (size_t k = 0; k < count; k++) {
        const char *shapes[MOST_PORTS];
        const double *data[MOST_PORTS];
        for (size_t i = 0; i < sets[k].in_count; i++) {
            shapes[i] = sets[k].in[i].dims;
            data[i] = sets[k].in[i].v;
        }
        for (size_t o = 0; o < sets[k].out_count; o++) {
            char dims[64];
            const size_t n = tf_run(m, sets[k].in_count, shapes, data, o, got, MOST, dims);
            expect(name, k, o, &sets[k].out[o], got, n, dims, allowed);
        }
    }
    lc_model_destroy(m);
    free(got);
}

/* One case, from the line behind "case NAME" on. */
static void read_and_run(const char *name, char **p) {
    char *inputs = line(p), *outputs = line(p), *l;
    static set sets[MOST_SETS];
    size_t count = 0;
    if (strncmp(inputs, "in ", 3) || strncmp(outputs, "out ", 4)) fail_msg("%s: no inputs or outputs", name);
    tolerance allowed = {1e-4, true};
    if (!strncmp(*p, "within ", 7)) allowed = read_tolerance(line(p) + 7);
    char *graph = malloc(strlen(*p) + 1), *to = graph;
    for (l = line(p); strcmp(l, "set") && strcmp(l, "end"); l = line(p)) to += sprintf(to, "%s\n", l);
    *to = 0;
    for (; strcmp(l, "end"); l = line(p)) {
        if (!strcmp(l, "set")) {
            if (count == MOST_SETS) fail_msg("%s: more than %d sets", name, MOST_SETS);
            sets[count++] = (set){0};
        } else {
            set *s = &sets[count - 1];
            if (s->in_count == MOST_PORTS || s->out_count == MOST_PORTS) fail_msg("%s: more than %d inputs or outputs", name, MOST_PORTS);
            if (*l == '<') s->in[s->in_count++] = read_tensor(l + 2);
            else s->out[s->out_count++] = read_tensor(l + 2);
        }
    }
    run_case(name, inputs + 3, outputs + 4, graph, sets, count, allowed);
    for (size_t k = 0; k < count; k++) {
        for (size_t i = 0; i < sets[k].in_count; i++) free(sets[k].in[i].v);
        for (size_t i = 0; i < sets[k].out_count; i++) free(sets[k].out[i].v);
    }
    free(graph);
}

static void test_family(void **state) {
    char *text = read_family(*state), *p = text;
    size_t n = 0;
    while (*p) {
        char *l = line(&p);
        if (strncmp(l, "case ", 5)) fail_msg("\"%.40s\" is no case", l);
        read_and_run(l + 5, &p);
        n++;
    }
    assert_true(n > 100);
    free(text);
}

int main(void) {
    struct CMUnitTest tests[sizeof families / sizeof *families];
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        tests[i] = (struct CMUnitTest){families[i], test_family, NULL, NULL, (void *)(uintptr_t)families[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
