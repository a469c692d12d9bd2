/*
 * sets.c: the files of each signature together, whatever their order on the command line.
 */
#include "cli/sets.h"

#include <string.h>

static bool is_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (f) fclose(f);
    return f != NULL;
}

/* Bytes of the signature in "SIGNATURE:[NAME=]DATA"; 0: there is none, for a colon may be part of a path or a tensor's name. */
static size_t signature_length(const char *text) {
    const size_t n = strcspn(text, ":=/");
    return n && text[n] == ':' && text[n + 1] && !is_file(text) ? n : 0;
}

void lc_cli_data_note(const lc_data *data) {
    static bool told;
    const char *input = lc_data_unscaled(data);
    char text[300];
    if (!input || told) return;
    told = true;
    snprintf(
        text, sizeof text,
        "input %.100s: the samples are bytes and go in as they stand, 0 ... 255; where the model wants them scaled, save them as float32, or "
        "say how with --preprocess (pictures)",
        input);
    lc_cli_note(text);
}

/* Opens all files that are for the signature of text `first`; marks them as taken. */
static int open_set(const lc_cli_list *list, const lc_data_options *how, const lc_model *model, size_t first, bool *taken, lc_data **data) {
    lc_error err;
    char key[256];
    const char *files[LC_CLI_LIST_MAX + 1] = {NULL};
    const size_t length = signature_length(list->items[first]);
    size_t count = 0;
    snprintf(key, sizeof key, "%.*s", (int)(length < sizeof key ? length : 0), list->items[first]);
    for (size_t i = first; i < list->count; i++) {
        const char *text = list->items[i];
        if (taken[i] || signature_length(text) != length || strncmp(text, list->items[first], length) != 0) continue;
        files[count++] = length ? text + length + 1 : text;
        taken[i] = true;
    }
    lc_data_options from = *how;
    if (length) from.signature = key, from.batch = 0;
    if (lc_data_open(model, files, &from, data, &err)) return lc_cli_fail(&err);
    lc_cli_data_note(*data);
    return LC_EXIT_OK;
}

void lc_cli_sets_close(lc_cli_sets *sets) {
    for (size_t i = 0; i < sets->count; i++) lc_data_close(sets->data[i]);
    sets->count = 0;
}

int lc_cli_sets_open(const lc_cli_list *list, const lc_data_options *how, const lc_model *model, lc_cli_sets *sets) {
    bool taken[LC_CLI_LIST_MAX] = {false};
    sets->count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (taken[i]) continue;
        const int code = open_set(list, how, model, i, taken, &sets->data[sets->count]);
        if (code) return lc_cli_sets_close(sets), code;
        sets->count++;
    }
    if (sets->count < 2 || !how->labels) return LC_EXIT_OK;
    lc_cli_sets_close(sets);
    return lc_cli_usage("put the labels of each signature into its .npz, .csv or folders",
                        "--labels is one file, but there are several signatures");
}
