/*
 * summary.c: a table of boxes. A cell is wrapped at spaces; a word that is wider than its column stands on a line of its own and ends in an
 * ellipsis, as the library that Keras prints with does it. Widths are in characters, each of which counts as one.
 */
#include "train/summary.h"

#include <string.h>

#define COLUMNS 4

/* What is between the borders of a column without the space on each side: Keras's shares of 76 characters. */
static const size_t chain_width[] = {31, 22, 13}, graph_width[] = {19, 17, 10, 17};

/* ---- text --------------------------------------------------------------------------------------------------------- */

static size_t width_of(const char *s, size_t n) {
    size_t width = 0;
    for (size_t i = 0; i < n; i++) width += ((unsigned char)s[i] & 0xc0) != 0x80; /* bytes that begin a character */
    return width;
}

/* Bytes of the first `width` characters. */
static size_t bytes_of(const char *s, size_t n, size_t width) {
    size_t i = 0;
    for (; i < n; i++)
        if (((unsigned char)s[i] & 0xc0) != 0x80 && width-- == 0) break;
    return i;
}

/* The next line of a cell: its bytes at *at, of which `return` are shown; *at moves behind it. */
static size_t next_line(const char **at, size_t width) {
    const char *s = *at;
    size_t used = 0, end = 0; /* characters taken with the spaces behind them; bytes */
    while (s[end]) {
        const size_t word = strcspn(s + end, " "), spaces = strspn(s + end + word, " ");
        const size_t wide = width_of(s + end, word);
        if (used && used + wide > width) break;
        used += wide + spaces;
        end += word + spaces;
        if (used > width) break;
    }
    *at = s + end;
    while (end && s[end - 1] == ' ') end--;
    return end;
}

static void spaces(lc_text *out, size_t n) {
    while (n--) lc_text_add(out, " ");
}

static void write_line(lc_text *out, const char *s, size_t n, size_t width, bool right) {
    const size_t wide = width_of(s, n);
    if (wide > width) {
        lc_text_add_n(out, s, bytes_of(s, n, width - 1));
        lc_text_add(out, "…");
        return;
    }
    if (right) spaces(out, width - wide);
    lc_text_add_n(out, s, n);
    if (!right) spaces(out, width - wide);
}

static void write_row(lc_text *out, const char *const *cells, const size_t *width, int columns, const char *border) {
    const char *at[COLUMNS];
    for (int c = 0; c < columns; c++) at[c] = cells[c];
    for (bool first = true, more = true; more && !out->failed; first = false) {
        more = false;
        for (int c = 0; c < columns; c++) {
            const char *s = at[c];
            const size_t n = *s || first ? next_line(&at[c], width[c]) : 0;
            lc_text_printf(out, "%s ", border);
            write_line(out, s, n, width[c], c == 2);
            lc_text_add(out, " ");
            more |= *at[c] != '\0';
        }
        lc_text_printf(out, "%s\n", border);
    }
}

static void write_rule(lc_text *out, const size_t *width, int columns, const char *left, const char *line, const char *cross,
                       const char *right) {
    for (int c = 0; c < columns; c++) {
        lc_text_add(out, c ? cross : left);
        for (size_t i = 0; i < width[c] + 2; i++) lc_text_add(out, line);
    }
    lc_text_printf(out, "%s\n", right);
}

/* ---- what stands in it -------------------------------------------------------------------------------------------- */

void lc_summary_shape(lc_text *out, const int32_t *dims, int32_t rank) {
    lc_text_add(out, "(");
    for (int32_t i = 0; i < rank; i++) {
        if (i) lc_text_add(out, ", ");
        if (dims[i] < 0) lc_text_add(out, "None");
        else lc_text_printf(out, "%d", dims[i]);
    }
    lc_text_add(out, ")"); /* also of one dimension: no comma as in Python */
}

static bool is_input(const lc_keras_layer *l) { return strcmp(l->class_name, "InputLayer") == 0; }
static bool is_sequential(const lc_keras_model *m) { return m->class_name && strcmp(m->class_name, "Sequential") == 0; }

/* One input, each layer called once, with one tensor, which nobody else takes. */
static lc_status is_chain(const lc_keras_model *m, bool *chain, lc_error *err) {
    *chain = is_sequential(m);
    if (*chain) return LC_OK;
    bool *taken = lc_calloc(m->layer_count ? m->layer_count : 1, sizeof *taken);
    if (!taken) return lc_fail_memory(err, "a summary");
    uint32_t inputs = 0;
    *chain = true;
    for (uint32_t i = 0; i < m->layer_count && *chain; i++) {
        const lc_keras_layer *l = &m->layers[i];
        inputs += is_input(l);
        if (l->call_count > 1 || inputs > 1 || (l->call_count && l->calls[0].input_count > 1)) *chain = false;
        if (!*chain || !l->call_count || !l->calls[0].input_count) continue;
        bool *from = &taken[l->calls[0].inputs[0].layer];
        *chain = !*from;
        *from = true;
    }
    lc_free(taken);
    return LC_OK;
}

static void write_connections(const lc_keras_model *m, const lc_keras_layer *l, lc_text *out) {
    bool some = false;
    for (uint32_t c = 0; c < l->call_count; c++)
        for (uint32_t i = 0; i < l->calls[c].input_count; i++, some = true) {
            const lc_keras_ref *r = &l->calls[c].inputs[i];
            lc_text_printf(out, "%s%s[%d][%d]", some ? ", " : "", m->layers[r->layer].name, r->node, r->tensor);
        }
    if (!some) lc_text_add(out, "-");
}

static void write_count(lc_text *out, const char *what, lc_summary_counts counts) {
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    char grouped[32];
    double size = (double)counts.bytes;
    size_t unit = 0;
    for (; size >= 1024 && unit < 5; unit++) size /= 1024;
    lc_text_printf(out, " %s: %s (%.2f %s)\n", what, lc_grouped(counts.params, grouped), size, units[unit]);
}

static lc_status write_layer(const lc_summary *s, uint32_t index, bool chain, lc_text *out, lc_error *err) {
    const lc_keras_layer *l = &s->model->layers[index];
    const lc_summary_layer *known = &s->layers[index];
    lc_text cells[COLUMNS] = {{0}};
    char grouped[32];
    lc_text_add_safe(&cells[0], l->name, strlen(l->name));
    lc_text_add(&cells[0], " (");
    lc_text_add_safe(&cells[0], l->class_name, strlen(l->class_name));
    lc_text_add(&cells[0], ")");
    lc_text_add(&cells[1], known->shape ? known->shape : "?");
    lc_text_printf(&cells[2], "%s%s", lc_grouped(known->unbuilt ? 0 : known->params, grouped), known->unbuilt ? " (unbuilt)" : "");
    if (!chain) write_connections(s->model, l, &cells[3]);
    const int columns = chain ? 3 : 4;
    const char *text[COLUMNS] = {0};
    lc_status status = LC_OK;
    for (int c = 0; c < columns; c++) {
        text[c] = cells[c].data;
        if (cells[c].failed) status = lc_fail_memory(err, "a summary");
    }
    if (status == LC_OK) write_row(out, text, chain ? chain_width : graph_width, columns, "│");
    for (int c = 0; c < COLUMNS; c++) lc_text_deinit(&cells[c]);
    return status;
}

lc_status lc_summary_write(const lc_summary *s, lc_text *out, lc_error *err) {
    static const char *const header[COLUMNS] = {"Layer (type)", "Output Shape", "Param #", "Connected to"};
    bool chain, first = true;
    LC_TRY(is_chain(s->model, &chain, err));
    const size_t *width = chain ? chain_width : graph_width;
    const int columns = chain ? 3 : 4;
    lc_text_add(out, "Model: \"");
    lc_text_add_safe(out, s->model->name, strlen(s->model->name));
    lc_text_add(out, "\"\n");
    write_rule(out, width, columns, "┏", "━", "┳", "┓");
    write_row(out, header, width, columns, "┃");
    write_rule(out, width, columns, "┡", "━", "╇", "┩");
    for (uint32_t i = 0; i < s->model->layer_count; i++) {
        if (is_sequential(s->model) && is_input(&s->model->layers[i])) continue; /* Keras does not count it among the layers */
        if (!first) write_rule(out, width, columns, "├", "─", "┼", "┤");
        first = false;
        LC_TRY(write_layer(s, i, chain, out, err));
    }
    write_rule(out, width, columns, "└", "─", "┴", "┘");
    const lc_summary_counts total = {s->trainable.params + s->frozen.params + (s->has_optimizer ? s->optimizer.params : 0),
                                     s->trainable.bytes + s->frozen.bytes + (s->has_optimizer ? s->optimizer.bytes : 0)};
    write_count(out, "Total params", total);
    write_count(out, "Trainable params", s->trainable);
    write_count(out, "Non-trainable params", s->frozen);
    if (s->has_optimizer) write_count(out, "Optimizer params", s->optimizer);
    return out->failed ? lc_fail_memory(err, "a summary") : LC_OK;
}
