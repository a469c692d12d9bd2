/*
 * mnist.c: reads the 10,000 handwritten test digits of MNIST with a model and counts how many it gets right; shows a few.
 *
 *     mnist MODEL IMAGES LABELS [SHOW]      IMAGES, LABELS: IDX files, also .gz; SHOW: how many digits to draw
 *
 * The first line of the output is for programs: accuracy, right answers, digits, seconds.
 */
#include "litec/litec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 100, SIDE = 28, PIXELS = SIDE * SIDE, TOP = 3, BOTTOM = 25, SHOW_MAX = 16, LINE = 78 };

typedef struct digit {
    const unsigned char *pixels;
    int label, answer;
    float score;
} digit;

static int failed(const lc_error *err) {
    fprintf(stderr, "error: %s\nhint: %s\n", err->message, err->hint);
    return 1;
}

static int wrong_file(const char *path, const char *wanted) {
    fprintf(stderr, "error: %s does not hold %s\nhint: use the MNIST files beside this example\n", path, wanted);
    return 1;
}

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

/* Columns [*from, *to) that hold ink. */
static void ink_columns(const unsigned char *pixels, int *from, int *to) {
    *from = SIDE;
    *to = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            if (pixels[y * SIDE + x] > 32) {
                if (x < *from) *from = x;
                if (x + 1 > *to) *to = x + 1;
            }
    if (*from > 0) (*from)--;
    if (*to < SIDE) (*to)++;
    while (*to - *from < 9) { /* room for the answer below */
        if (*from > 0) (*from)--;
        if (*to < SIDE) (*to)++;
    }
}

/* Two pixels, one above the other, as one character cell. */
static void draw_cell(int upper, int lower, int colours) {
    if (colours) { /* light ink on a dark tile, whatever the terminal's own colours are */
        printf("\033[38;5;%dm\033[48;5;%dm▀\033[0m", 232 + upper * 23 / 255, 232 + lower * 23 / 255);
        return;
    }
    const int a = upper > 100, b = lower > 100;
    fputs(a && b ? "█" : a ? "▀" : b ? "▄" : " ", stdout);
}

/* Columns to draw on: $COLUMNS, which tools/demo sets to those of the terminal, but no more than a page has. */
static int line_width(void) {
    const char *columns = getenv("COLUMNS");
    const int width = columns ? atoi(columns) : LINE;
    return width >= 24 && width < LINE ? width : LINE;
}

/* Digits side by side, as many as fit on a line; returns how many that were. */
static int draw_row(const digit *digits, int count, int colours) {
    int from[SHOW_MAX], to[SHOW_MAX], width = 2, n = 0;
    for (; n < count && n < SHOW_MAX; n++) {
        ink_columns(digits[n].pixels, &from[n], &to[n]);
        width += to[n] - from[n] + 3;
        if (n > 0 && width > line_width()) break;
    }
    for (int y = TOP; y < BOTTOM; y += 2) {
        fputs("  ", stdout);
        for (int k = 0; k < n; k++) {
            for (int x = from[k]; x < to[k]; x++) draw_cell(digits[k].pixels[y * SIDE + x], digits[k].pixels[(y + 1) * SIDE + x], colours);
            fputs("   ", stdout);
        }
        putchar('\n');
    }
    fputs("  ", stdout);
    for (int k = 0; k < n; k++) {
        char text[32];
        if (digits[k].answer == digits[k].label)
            snprintf(text, sizeof text, "%d  %.1f %%", digits[k].answer, 100.0 * (double)digits[k].score);
        else snprintf(text, sizeof text, "%d not %d", digits[k].answer, digits[k].label);
        const char *colour = !colours ? "" : digits[k].answer == digits[k].label ? "\033[1;32m" : "\033[1;31m";
        printf("%s%-*s%s   ", colour, to[k] - from[k], text, colours ? "\033[0m" : "");
    }
    puts("\n");
    return n;
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

typedef struct tally {
    size_t right, wrong;
    digit shown[SHOW_MAX];
    int show, filled;
} tally;

/* Keeps the first digits, and in the last place the first one that is read wrongly. */
static void remember(tally *t, digit d) {
    const int right = d.answer == d.label;
    if (right && t->filled < t->show - 1) t->shown[t->filled++] = d;
    if (!right && t->wrong == 1 && t->show > 0) t->shown[t->show - 1] = d;
}

static int read_digits(lc_session *session, const lc_array *images, const lc_array *labels, tally *t) {
    lc_error err;
    lc_tensor_view input = lc_session_input(session, 0);
    int32_t dims[LC_MAX_RANK];
    for (int32_t d = 0; d < input.rank; d++) dims[d] = d ? input.dims[d] : BATCH;
    if (lc_session_resize_input(session, 0, dims, input.rank, &err)) return failed(&err);
    input = lc_session_input(session, 0);
    if (input.type != LC_FLOAT32 || input.size != BATCH * PIXELS * sizeof(float)) {
        fprintf(stderr, "error: the model does not take pictures of 28 by 28\nhint: use a model trained on MNIST\n");
        return 1;
    }
    const unsigned char *pixels = images->data, *truth = labels->data;
    const size_t count = labels->size / BATCH * BATCH;
    for (size_t first = 0; first < count; first += BATCH) {
        float *in = input.data;
        for (size_t i = 0; i < BATCH * PIXELS; i++) in[i] = (float)pixels[first * PIXELS + i] / 255.0f;
        if (lc_session_run(session, &err)) return failed(&err);
        const lc_tensor_view output = lc_session_output(session, 0);
        const size_t classes = output.size / BATCH / sizeof(float);
        for (size_t k = 0; k < BATCH; k++) {
            const float *scores = (const float *)output.data + k * classes;
            size_t best = 0;
            for (size_t c = 1; c < classes; c++)
                if (scores[c] > scores[best]) best = c;
            const digit d = {pixels + (first + k) * PIXELS, truth[first + k], (int)best, scores[best]};
            if (d.answer == d.label) t->right++;
            else t->wrong++;
            remember(t, d);
        }
    }
    return 0;
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int classify_all(lc_session *session, const char *image_file, const char *label_file, int show) {
    lc_array images = {0}, labels = {0};
    lc_error err;
    if (lc_array_load(image_file, NULL, &images, &err)) return failed(&err);
    if (lc_array_load(label_file, NULL, &labels, &err)) {
        lc_array_deinit(&images);
        return failed(&err);
    }
    int code = 0;
    tally t = {.show = show < SHOW_MAX ? show : SHOW_MAX};
    if (images.type != LC_UINT8 || images.rank != 3 || images.dims[1] != SIDE || images.dims[2] != SIDE)
        code = wrong_file(image_file, "pictures of 28 by 28");
    else if (labels.type != LC_UINT8 || labels.rank != 1 || labels.dims[0] != images.dims[0])
        code = wrong_file(label_file, "one label a picture");
    const double start = now();
    if (!code) code = read_digits(session, &images, &labels, &t);
    if (!code) {
        const size_t count = t.right + t.wrong;
        const char *no = getenv("NO_COLOR"), *force = getenv("FORCE_COLOR"); /* tools/demo pipes the pictures */
        const int colours = (isatty(STDOUT_FILENO) || (force && *force)) && !(no && *no);
        printf("accuracy %.4f right %zu of %zu seconds %.3f\n", count ? (double)t.right / (double)count : 0, t.right, count, now() - start);
        const int filled = t.wrong && t.show ? t.show : t.filled;
        if (filled) putchar('\n');
        for (int k = 0; k < filled && filled == t.show;) k += draw_row(t.shown + k, filled - k, colours);
    }
    lc_array_deinit(&images);
    lc_array_deinit(&labels);
    return code;
}

int main(int argc, char **argv) {
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: %s MODEL IMAGES LABELS [SHOW]\n", argv[0]);
        return 2;
    }
    lc_model *model;
    lc_session *session;
    lc_error err;
    if (lc_convert(argv[1], NULL, &model, &err)) return failed(&err);
    const lc_status status = lc_session_create(model, NULL, &session, &err);
    lc_model_destroy(model);
    if (status) return failed(&err);
    const int code = classify_all(session, argv[2], argv[3], argc == 5 ? atoi(argv[4]) : 0);
    lc_session_destroy(session);
    return code;
}
