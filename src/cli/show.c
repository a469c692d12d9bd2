/*
 * show.c: outputs for people: tensors in brackets, in the manner of NumPy, and rankings with labels. Large tensors are
 * shortened to the first and last few of each dimension; --output-dir keeps everything.
 */
#include "cli/feed.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static size_t element_count(const lc_tensor_view *v) {
    size_t n = 1;
    for (int32_t d = 0; d < v->rank; d++) n *= (size_t)v->dims[d];
    return n;
}

/* ---- a tensor in brackets -------------------------------------------------------------------------------------- */

#define SHOW_ALL 1000 /* more elements than this: only the ends */
#define ENDS 3
#define LINE 96

/* A string in quotes, a long one without its end; zeros and what would act on a terminal escaped. */
static void print_string(const lc_tensor_view *v, size_t i) {
    char text[LINE - 4 + 1];
    size_t n;
    const char *s = lc_tensor_string(v, i, &n);
    size_t shown = n < sizeof text ? n : sizeof text - 1;
    while (shown && shown < n && ((unsigned char)s[shown] & 0xc0) == 0x80) shown--; /* not inside a UTF-8 character */
    memcpy(text, s ? s : "", shown);
    text[shown] = 0;
    putchar('"');
    for (size_t at = 0; at < shown; at++) {
        lc_cli_put_safe(stdout, text + at);
        at += strlen(text + at);
        if (at < shown) fputs("\\x00", stdout);
    }
    fputs(shown < n ? "\"..." : "\"", stdout);
}

static void print_element(const lc_tensor_view *v, size_t i, int width) {
    double x = 0;
    char text[40];
    if (v->type == LC_STRING) {
        print_string(v, i);
        return;
    }
    lc_tensor_reals(v, i, 1, &x);
    if (isnan(x)) x = NAN; /* without its sign */
    const bool whole = v->scale <= 0 && v->type != LC_FLOAT32 && v->type != LC_FLOAT64 && v->type != LC_FLOAT16 && v->type != LC_BFLOAT16;
    if (v->type == LC_INT64) snprintf(text, sizeof text, "%" PRId64, ((const int64_t *)v->data)[i]);
    else if (v->type == LC_UINT64) snprintf(text, sizeof text, "%" PRIu64, ((const uint64_t *)v->data)[i]);
    else if (v->type == LC_BOOL) snprintf(text, sizeof text, "%s", x != 0 ? "true" : "false");
    else snprintf(text, sizeof text, whole ? "%.0f" : "%.7g", x);
    printf("%*s", width, text);
}

static void print_level(const lc_tensor_view *v, int32_t d, size_t at, size_t stride, bool shorten) {
    if (d == v->rank) {
        print_element(v, at, 0);
        return;
    }
    const size_t n = (size_t)v->dims[d], step = n ? stride / n : 0;
    const bool inner = d + 1 == v->rank;
    const int width =
        v->type == LC_FLOAT32 || v->type == LC_FLOAT64 || v->type == LC_FLOAT16 || v->type == LC_BFLOAT16 || v->scale > 0 ? 13 : 5;
    putchar('[');
    int column = d + 1;
    for (size_t i = 0; i < n; i++) {
        if (shorten && n > 2 * ENDS && i == ENDS) {
            if (inner) printf(" ...");
            else printf("%*s...\n", d + 1, "");
            i = n - ENDS;
            column += 4;
        }
        if (inner && v->type == LC_STRING) { /* one a line */
            if (i) printf("\n%*s", d + 1, "");
            print_string(v, at + i);
        } else if (inner) {
            if (column + width + 1 > LINE) {
                printf("\n%*s", d + 1, "");
                column = d + 1;
            }
            if (i) putchar(' ');
            print_element(v, at + i, width);
            column += width + 1;
        } else {
            if (i) printf("%*s", d + 1, "");
            print_level(v, d + 1, at + i * step, step, shorten);
            if (i + 1 < n) putchar('\n');
        }
    }
    putchar(']');
}

void lc_cli_show_tensor(const lc_tensor_view *v) {
    double ignored;
    const size_t n = element_count(v);
    if (n && v->type != LC_STRING && !lc_tensor_reals(v, 0, 1, &ignored)) {
        printf("(%zu bytes; --output-dir keeps them)\n", v->size);
        return;
    }
    print_level(v, 0, 0, n, n > SHOW_ALL);
    putchar('\n');
}

/* ---- rankings -------------------------------------------------------------------------------------------------- */

/* Lines of a labels file, a trailing empty line not counted; line `wanted` (from 0) goes to `text`. */
static size_t read_labels(FILE *f, size_t wanted, char *text, size_t size) {
    char line[512];
    size_t count = 0;
    bool fresh = true; /* at the start of a line */
    rewind(f);
    text[0] = 0;
    while (fgets(line, sizeof line, f)) {
        const size_t n = strlen(line);
        const bool ends = n > 0 && line[n - 1] == '\n';
        if (fresh && count == wanted) {
            line[strcspn(line, "\r\n")] = 0;
            snprintf(text, size, "%.*s", (int)size - 1, line);
        }
        if (fresh) count++;
        fresh = ends;
    }
    return count;
}

static void print_rank(FILE *labels, int32_t place, size_t which, double x, bool rows) {
    char text[200];
    if (isnan(x)) x = NAN; /* without its sign */
    if (labels) read_labels(labels, which, text, sizeof text);
    else snprintf(text, sizeof text, "%zu", which);
    if (rows) {
        fputs(place ? ", " : " ", stdout);
        lc_cli_put_safe(stdout, text);
        printf(" %.6g", x);
        return;
    }
    printf("%3d. %11.6g  ", (int)place + 1, x);
    lc_cli_put_safe(stdout, text);
    putchar('\n');
}

/* Order of a ranking: the larger value first, no number last, equal ones by index. */
static bool before(double x, size_t i, double y, size_t k) {
    if (isnan(x) != isnan(y)) return isnan(y);
    return x != y && !isnan(x) ? x > y : i < k;
}

/* The `top` largest of a row. Each is found by a scan for the first of those behind the one before: no memory, and `top` is
 * small. */
static void rank_row(const lc_tensor_view *v, size_t base, size_t classes, int32_t top, FILE *labels, bool rows) {
    double last = 0;
    size_t last_index = SIZE_MAX;
    for (int32_t k = 0; k < top && (size_t)k < classes; k++) {
        size_t best = SIZE_MAX;
        double most = 0;
        for (size_t i = 0; i < classes; i++) {
            double x = 0;
            lc_tensor_reals(v, base + i, 1, &x);
            if (k > 0 && !before(last, last_index, x, i)) continue;
            if (best == SIZE_MAX || before(x, i, most, best)) {
                best = i;
                most = x;
            }
        }
        print_rank(labels, k, best, most, rows);
        last = most;
        last_index = best;
    }
}

int lc_cli_show_ranking(const lc_tensor_view *v, int32_t top, const char *labels) {
    double ignored;
    const size_t n = element_count(v), classes = v->rank > 0 ? (size_t)v->dims[v->rank - 1] : 1;
    FILE *f = NULL;
    if (n && !lc_tensor_reals(v, 0, 1, &ignored))
        return lc_cli_failed("leave out --top and --labels", "output %s has type %s, which cannot be ranked", v->name,
                             lc_dtype_name(v->type));
    if (labels) {
        char text[2];
        f = fopen(labels, "r");
        if (!f) return lc_cli_failed("give a text file with one label a line", "%s cannot be read", labels);
        const size_t count = read_labels(f, SIZE_MAX, text, sizeof text);
        if (count != classes) {
            fclose(f);
            return lc_cli_failed("give one label a line, in the order of the model's classes",
                                 "%s has %zu labels, output %s has %zu classes", labels, count, v->name, classes);
        }
    }
    const size_t rows = classes ? n / classes : 0;
    for (size_t r = 0; r < rows; r++) {
        if (rows > 1) printf("%zu:", r);
        rank_row(v, r * classes, classes, top, f, rows > 1);
        if (rows > 1) putchar('\n');
    }
    if (f) fclose(f);
    return LC_EXIT_OK;
}
