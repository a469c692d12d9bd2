/*
 * budget_text.c: what a search for the smallest form within a budget tried and chose, for people and for programs.
 */
#include "api/budget.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MOST_LAYERS = 20 };

typedef struct cell {
    char text[48];
} cell;

static cell score_text(const lc_tradeoff *t, double score) {
    cell c;
    if (t->score != LC_SCORE_SNR) snprintf(c.text, sizeof c.text, "%.2f %%", 100 * score);
    else if (isinf(score)) snprintf(c.text, sizeof c.text, "%s", score > 0 ? "no error" : "not finite");
    else snprintf(c.text, sizeof c.text, "%.1f dB", score);
    return c;
}

static cell drop_text(const lc_tradeoff *t, double drop) {
    cell c;
    if (fabs(drop) < (t->score == LC_SCORE_SNR ? 0.05 : 0.005)) drop = 0; /* no "-0.0" */
    if (isfinite(drop)) snprintf(c.text, sizeof c.text, t->score == LC_SCORE_SNR ? "%.1f dB" : "%.2f points", drop);
    else snprintf(c.text, sizeof c.text, "all");
    return c;
}

static void print_head(const lc_tradeoff *t, lc_text *out) {
    char n[32];
    const char *s = t->samples == 1 ? "" : "s";
    lc_grouped(t->samples, n);
    if (t->score == LC_SCORE_TOP1)
        lc_text_printf(out, "budget: top-1 on %s labelled sample%s at most %g points under the float model's %.2f %%\n", n, s, t->max_drop,
                       100 * t->reference);
    else if (t->score == LC_SCORE_AGREEMENT)
        lc_text_printf(out, "budget: on %s sample%s without labels the class of the float model in all but %g %%\n", n, s, t->max_drop);
    else
        lc_text_printf(out, "budget: signal to noise on %s sample%s at most %g dB under the %.1f dB of float16 weights\n", n, s,
                       t->max_drop, t->reference);
}

static void print_row(const lc_tradeoff *t, size_t i, lc_text *out) {
    const lc_tradeoff_row *r = &t->rows[i];
    char size[32], samples[32];
    lc_text_printf(out, "%c %6" PRIu32 " %8" PRIu32 " %8" PRIu32 " %7" PRIu32 "  %10s  %10s  ", i == t->chosen ? '*' : ' ', r->layers,
                   r->integer, r->weights, r->others, lc_sized(r->bytes, size), score_text(t, r->score).text);
    if (i == 0) lc_text_add(out, "the float model\n");
    else lc_text_printf(out, "%12s  %9s%s\n", drop_text(t, r->drop).text, lc_grouped(r->samples, samples), r->within ? "" : "  over");
}

/* Rows worth having: of files no larger none loses less. Beside them the whole scheme and what was chosen. */
static void print_rows(const lc_tradeoff *t, lc_text *out) {
    size_t others = 0;
    double least = INFINITY;
    print_row(t, 0, out);
    for (size_t i = 1; i < t->row_count; i++) {
        const lc_tradeoff_row *r = &t->rows[i];
        const bool better = r->drop < least;
        if (better || r->layers == 0 || i == t->chosen) print_row(t, i, out);
        else others++;
        if (better) least = r->drop;
    }
    if (others) lc_text_printf(out, "  and %zu that are larger and lose more\n", others);
}

/* The layers with another scheme, the worst first; equal ones in order. */
static void print_layers(const lc_tradeoff *t, lc_text *out) {
    uint32_t shown = 0;
    const uint32_t all = t->rows[t->chosen].layers;
    double last = -INFINITY;
    size_t last_at = 0;
    if (all)
        lc_text_printf(out, "not %s (signal to noise with nothing but this layer %s):\n", lc_scheme_name(t->scheme),
                       lc_scheme_name(t->scheme));
    for (; shown < all && shown < MOST_LAYERS; shown++) {
        size_t best = t->layer_count;
        for (size_t i = 0; i < t->layer_count; i++) {
            const double snr = isnan(t->layers[i].snr) ? INFINITY : t->layers[i].snr;
            const bool later = !shown || snr > last || (snr == last && i > last_at);
            if (t->layers[i].scheme == t->scheme || !later) continue;
            if (best == t->layer_count || snr < t->layers[best].snr) best = i;
        }
        if (best == t->layer_count) break;
        const lc_tradeoff_layer *l = &t->layers[best];
        last = isnan(l->snr) ? INFINITY : l->snr;
        last_at = best;
        lc_text_printf(out, "  %-8s  ", lc_scheme_name(l->scheme));
        if (isfinite(l->snr)) lc_text_printf(out, "%7.1f dB  ", l->snr);
        else lc_text_printf(out, "%10s  ", isnan(l->snr) ? "-" : l->snr > 0 ? "no error" : "not finite");
        lc_text_add_safe(out, l->name, strlen(l->name));
        lc_text_add(out, "\n");
    }
    if (shown < all) lc_text_printf(out, "  ... and %" PRIu32 " more\n", all - shown);
}

static void print_text(const lc_tradeoff *t, lc_text *out) {
    char some[32], sensitivity[32];
    print_head(t, out);
    lc_text_printf(out, "  layers  integer  weights  others        size       score%14s  %9s\n", "drop", "samples");
    print_rows(t, out);
    if (!t->rows[t->chosen].layers) {
        lc_text_printf(out, "%s in the whole model is within the budget\n", lc_scheme_name(t->scheme));
        if (!t->search_samples) return;
    }
    print_layers(t, out);
    lc_text_printf(out, "samples: %s to measure layers, %s to search; the last word has all\n",
                   lc_grouped(t->sensitivity_samples, sensitivity), lc_grouped(t->search_samples, some));
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

static void put_number(lc_text *out, const char *key, double x) {
    if (isfinite(x)) lc_text_printf(out, ",\"%s\":%.9g", key, x);
    else lc_text_printf(out, ",\"%s\":null", key);
}

static void print_json(const lc_tradeoff *t, lc_text *out) {
    static const char *const names[] = {"top1", "agreement", "snr_db"};
    lc_text_printf(out, "{\"score\":\"%s\",\"scheme\":\"%s\"", names[t->score], lc_scheme_name(t->scheme));
    put_number(out, "reference", t->reference);
    put_number(out, "max_drop", t->max_drop);
    lc_text_printf(out,
                   ",\"samples\":%" PRIu64 ",\"search_samples\":%" PRIu64 ",\"sensitivity_samples\":%" PRIu64 ",\"chosen\":%zu,\"rows\":[",
                   t->samples, t->search_samples, t->sensitivity_samples, t->chosen);
    for (size_t i = 0; i < t->row_count; i++) {
        const lc_tradeoff_row *r = &t->rows[i];
        lc_text_printf(out, "%s{\"layers\":%" PRIu32 ",\"integer\":%" PRIu32 ",\"weights\":%" PRIu32 ",\"others\":%" PRIu32, i ? "," : "",
                       r->layers, r->integer, r->weights, r->others);
        lc_text_printf(out, ",\"bytes\":%" PRIu64 ",\"samples\":%" PRIu64 ",\"within\":%s", r->bytes, r->samples,
                       r->within ? "true" : "false");
        put_number(out, "score", r->score);
        put_number(out, "drop", r->drop);
        lc_text_add(out, "}");
    }
    lc_text_add(out, "],\"layers\":[");
    for (size_t i = 0; i < t->layer_count; i++) {
        const lc_tradeoff_layer *l = &t->layers[i];
        lc_text_add(out, i ? ",{\"layer\":" : "{\"layer\":");
        lc_text_add_json(out, l->name, strlen(l->name));
        lc_text_printf(out, ",\"scheme\":\"%s\",\"weights\":%" PRIu64, lc_scheme_name(l->scheme), l->weights);
        put_number(out, "snr_db", l->snr);
        lc_text_add(out, "}");
    }
    lc_text_add(out, "],\"recipe\":");
    lc_text_add_json(out, t->recipe, strlen(t->recipe));
    lc_text_add(out, "}");
}

lc_status lc_tradeoff_report(const lc_tradeoff *t, lc_report_format format, char **text, lc_error *err) {
    lc_error local;
    lc_text out = {0};
    if (!err) err = &local;
    lc_error_clear(err);
    if (!text) return lc_fail(err, LC_ARGUMENT, "lc_tradeoff_report needs a place for the text");
    *text = NULL;
    if (!t || !t->row_count) return lc_fail(err, LC_ARGUMENT, "lc_tradeoff_report needs the result of lc_model_quantize_budget");
    if (format != LC_REPORT_TEXT && format != LC_REPORT_JSON) return lc_fail(err, LC_ARGUMENT, "%d is no format of a report", (int)format);
    if (format == LC_REPORT_JSON) print_json(t, &out);
    else print_text(t, &out);
    return (*text = lc_text_take(&out)) ? LC_OK : lc_fail_memory(err, "report");
}
