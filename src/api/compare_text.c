/*
 * compare_text.c: the comparison for people: whether the outputs agree, in the first line; a table of tensors, worst first; what to do about
 * it. What the other reports say in words (verdict, advice) is written here once.
 */
#include "api/compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GOOD_SNR 30.0  /* dB of one operator alone: above it none is worth a float */
#define SAME_SNR 100.0 /* float arithmetic in another order */

/* ---- order ------------------------------------------------------------------------------------------------------------- */

typedef struct ranked {
    double snr;
    uint32_t index;
} ranked;

static int by_snr(const void *pa, const void *pb) {
    const ranked *a = pa, *b = pb;
    if (a->snr != b->snr) return a->snr < b->snr ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

uint32_t *lc_compare_order(const lc_comparison *c, bool constants, size_t *count) {
    ranked *list = lc_calloc(c->tensor_count + 1, sizeof *list);
    uint32_t *order = list ? lc_calloc(c->tensor_count + 1, sizeof *order) : NULL;
    *count = 0;
    for (size_t i = 0; order && i < c->tensor_count; i++) {
        const lc_compared *t = &c->tensors[i];
        if (t->constant != constants || t->runs == 0) continue;
        list[(*count)++] = (ranked){t->total.bad_apart ? -(double)INFINITY : t->total.snr, (uint32_t)i};
    }
    if (order && *count) qsort(list, *count, sizeof *list, by_snr);
    for (size_t i = 0; order && i < *count; i++) order[i] = list[i].index;
    lc_free(list);
    return order;
}

/* ---- verdict ----------------------------------------------------------------------------------------------------------- */

static void add_data(const lc_comparison *c, lc_text *out) {
    char n[32];
    lc_text_printf(out, "%s sample%s%s", lc_grouped(c->samples, n), c->samples == 1 ? "" : "s", c->random ? " of made-up numbers" : "");
}

/* Whether outputs differ that are strings, or of another type that has no real numbers. */
static bool differ_otherwise(const lc_comparison *c) {
    for (size_t i = 0; i < c->output_count; i++)
        if (c->outputs[i].total.bad_apart && c->outputs[i].total.bad_a + c->outputs[i].total.bad_b == 0) return true;
    return false;
}

void lc_compare_verdict(const lc_comparison *c, lc_text *out) {
    if (!isfinite(c->apart)) {
        lc_text_add(out, "the outputs differ: ");
        lc_text_add(out, differ_otherwise(c) ? "values that are no numbers are not the same"
                                             : "NaN or infinite values of one are not in the other");
    } else if (!isnan(c->tolerance)) {
        lc_text_printf(out, "the outputs %s within %.3g: they are ", c->agree ? "agree" : "do not agree", c->tolerance);
        if (c->apart > 0) lc_text_printf(out, "at most %.3g apart", c->apart);
        else lc_text_add(out, "equal");
    } else if (c->apart > 0) {
        lc_text_printf(out, "the outputs agree within %.3g", c->apart);
    } else {
        lc_text_add(out, "the outputs are equal");
    }
    lc_text_add(out, " (");
    add_data(c, out);
    lc_text_add(out, ")");
}

void lc_compare_add_snr(const lc_difference *d, lc_text *out) {
    if (d->count == 0) lc_text_add(out, "-");
    else if (d->snr > 0 && isinf(d->snr)) lc_text_add(out, "exact");
    else if (isinf(d->snr)) lc_text_add(out, "none");
    else lc_text_printf(out, "%.1f dB", d->snr);
}

/* ---- advice ------------------------------------------------------------------------------------------------------------ */

/* Whether B has smaller types where A has floats. */
static bool is_quantized(const lc_comparison *c) {
    for (size_t i = 0; i < c->tensor_count; i++)
        if (c->tensors[i].type_a == LC_FLOAT32 && c->tensors[i].type_b != LC_FLOAT32) return true;
    return false;
}

static void add_name(const lc_compared *t, lc_text *out) {
    const char *name = t->layer[0] ? t->layer : t->name_b;
    lc_text_add_safe(out, name, strlen(name));
}

static void add_op(const lc_compared *t, lc_text *out) {
    const char *op = t->op_b[0] ? t->op_b : "an input";
    lc_text_add(out, " (");
    lc_text_add_safe(out, op, strlen(op));
    lc_text_add(out, ")");
}

static void advise_broken(const lc_comparison *c, lc_text *out) {
    for (size_t i = 0; i < c->tensor_count; i++) {
        const lc_compared *t = &c->tensors[i];
        if (t->total.bad_apart == 0) continue;
        char n[32];
        lc_text_printf(out, "NaN or infinity: %s values of ", lc_grouped(t->total.bad_apart, n));
        add_name(t, out);
        add_op(t, out);
        lc_text_add(out, " are not finite in one model only; it is the first such tensor.\n");
        return;
    }
}

/* The operators that add most error by themselves, at most three, and only those that are near the worst. */
static void advise_layers(const lc_comparison *c, lc_text *out) {
    const lc_compared *worst[3] = {NULL, NULL, NULL};
    for (size_t i = 0; i < c->tensor_count; i++) {
        const lc_compared *t = &c->tensors[i];
        if (!t->has_local || t->local.count == 0 || t->keeps_steps || isinf(t->local.snr)) continue;
        for (int k = 0; k < 3; k++) {
            if (worst[k] && worst[k]->local.snr <= t->local.snr) continue;
            for (int m = 2; m > k; m--) worst[m] = worst[m - 1];
            worst[k] = t;
            break;
        }
    }
    if (!worst[0]) return;
    if (worst[0]->local.snr >= GOOD_SNR) {
        lc_text_add(out, "No operator stands out: the one that adds most, ");
        add_name(worst[0], out);
        add_op(worst[0], out);
        lc_text_printf(out, ", has %.1f dB on exact inputs.\n", worst[0]->local.snr);
        return;
    }
    for (int k = 0; k < 3 && worst[k] && worst[k]->local.snr < fmin(worst[0]->local.snr + 6, GOOD_SNR); k++) {
        const lc_compared *t = worst[k];
        add_name(t, out);
        add_op(t, out);
        lc_text_printf(out, " has %.1f dB on exact inputs", t->local.snr);
        if (isfinite(t->snr_in) && t->snr_in - t->total.snr > 1) lc_text_printf(out, " and loses %.0f dB here", t->snr_in - t->total.snr);
        lc_text_add(out, "; to keep it float: litec convert ... --layer '");
        add_name(t, out);
        lc_text_add(out, "=float'\n");
    }
}

/* Where a conversion goes wrong: the first operator whose inputs agree and whose output does not. */
static void advise_first(const lc_comparison *c, lc_text *out) {
    for (size_t i = 0; i < c->tensor_count; i++) {
        const lc_compared *t = &c->tensors[i];
        if (t->constant || t->runs == 0 || t->total.snr >= SAME_SNR / 2 || t->snr_in < SAME_SNR / 2) continue;
        lc_text_add(out, "The first tensor that differs is ");
        add_name(t, out);
        add_op(t, out);
        lc_text_add(out, ": ");
        lc_compare_add_snr(&t->total, out);
        lc_text_add(out, " from inputs that agree.\n");
        return;
    }
}

/* True when it had something to say: then it is the ranges that are wrong, not an operator. */
static bool advise_cut(const lc_comparison *c, lc_text *out) {
    const lc_compared *worst = NULL;
    for (size_t i = 0; i < c->tensor_count; i++) {
        const lc_compared *t = &c->tensors[i];
        if (!worst || t->cut_low + t->cut_high > worst->cut_low + worst->cut_high) worst = t;
    }
    if (!worst || worst->cut_low + worst->cut_high < 0.01) return false;
    lc_text_printf(out, "%.1f %% of the values of ", 100 * (worst->cut_low + worst->cut_high));
    add_name(worst, out);
    lc_text_printf(out, " lie beyond its steps (%.3g to %.3g, wanted %.3g to %.3g): ", worst->total.low_b, worst->total.high_b,
                   worst->total.low_a, worst->total.high_a);
    lc_text_add(out, c->random ? "the numbers are made up, and the model was calibrated for others; give real samples with --data.\n"
                               : "calibrate with samples like these.\n");
    return true;
}

void lc_compare_advice(const lc_comparison *c, lc_text *out) {
    advise_broken(c, out);
    if (is_quantized(c)) {
        if (advise_cut(c, out) && c->random) return;
        advise_layers(c, out);
        if (c->random) lc_text_add(out, "Made-up numbers are not what the model was calibrated for: give real samples with --data.\n");
    } else {
        advise_first(c, out);
    }
}

/* ---- the text ---------------------------------------------------------------------------------------------------------- */

/* A name in `width` columns (of ASCII; others come out shorter), the middle left out when it is long: both ends tell names apart. */
static void add_column(const char *name, size_t width, lc_text *out) {
    const size_t n = strlen(name);
    lc_text text = {0};
    lc_text_add_safe(&text, name, n);
    const char *s = text.data ? text.data : "";
    out->failed |= text.failed;
    if (text.size > width) {
        size_t head = width / 3, tail = width - 2 - head;
        while (head && ((unsigned char)s[head] & 0xc0) == 0x80) head--;
        const char *end = s + text.size - tail;
        while (((unsigned char)*end & 0xc0) == 0x80) end++;
        lc_text_printf(out, "%.*s..%s", (int)head, s, end);
        for (size_t k = head + 2 + strlen(end); k < width; k++) lc_text_add(out, " ");
    } else {
        lc_text_printf(out, "%-*s", (int)width, s);
    }
    lc_text_deinit(&text);
}

static void add_snr_column(const lc_difference *d, lc_text *out) {
    lc_text text = {0};
    lc_compare_add_snr(d, &text);
    lc_text_printf(out, " %9s", text.data ? text.data : "");
    out->failed |= text.failed;
    lc_text_deinit(&text);
}

static void add_percent(double share, bool there, lc_text *out) {
    if (there) lc_text_printf(out, share > 0 && share < 0.001 ? " <0.1%%" : share >= 0.9995 ? "  100%%" : " %4.1f%%", 100 * share);
    else lc_text_add(out, "     -");
}

static void add_outputs(const lc_comparison *c, lc_text *out) {
    lc_text_add(out, "\n  output                          type               SNR   cosine  max error mean error  same largest\n");
    for (size_t i = 0; i < c->output_count; i++) {
        const lc_compared_output *o = &c->outputs[i];
        char types[48];
        snprintf(types, sizeof types, o->type_a == o->type_b ? "%s" : "%s, %s", lc_dtype_name(o->type_a), lc_dtype_name(o->type_b));
        lc_text_add(out, "  ");
        add_column(o->name, 30, out);
        lc_text_printf(out, "  %-13s", types);
        add_snr_column(&o->total, out);
        lc_text_printf(out, " %8.5f %10.3g %10.3g", o->total.cosine, o->total.max_abs_error, o->total.mean_error);
        if (o->rows) lc_text_printf(out, "  %" PRIu64 " of %" PRIu64, o->same_top, o->rows);
        lc_text_add(out, "\n");
        if (o->total.bad_a || o->total.bad_b)
            lc_text_printf(out, "    NaN or infinite: %" PRIu64 " values in A, %" PRIu64 " in B\n", o->total.bad_a, o->total.bad_b);
    }
}

static void add_tensors(const lc_comparison *c, const uint32_t *order, size_t count, uint32_t most, lc_text *out) {
    const size_t shown = most && count > most ? most : count;
    lc_text_printf(out, "\n  %-29s %-17s%10s%10s  cosine max error RMSE/step  used   cut\n", "tensor, worst first", "operator", "SNR",
                   "alone");
    for (size_t i = 0; i < shown; i++) {
        const lc_compared *t = &c->tensors[order[i]];
        lc_text_add(out, "  ");
        add_column(t->layer[0] ? t->layer : t->name_b, 29, out);
        lc_text_add(out, " ");
        add_column(t->op_b[0] ? t->op_b : "(input)", 17, out);
        add_snr_column(&t->total, out);
        add_snr_column(&t->local, out);
        lc_text_printf(out, " %7.4f %9.2g", t->total.cosine, t->total.max_abs_error);
        if (t->rmse_steps > 0) lc_text_printf(out, " %9.2f", t->rmse_steps);
        else lc_text_add(out, "         -");
        add_percent(t->used, t->used > 0, out);
        add_percent(t->cut_low + t->cut_high, t->used > 0, out);
        lc_text_add(out, "\n");
    }
    if (shown < count) {
        const lc_compared *next = &c->tensors[order[shown]];
        lc_text_printf(out, "  and %zu more, from ", count - shown);
        lc_compare_add_snr(&next->total, out);
        lc_text_add(out, " on: --all\n");
    }
}

static void add_constants(const lc_comparison *c, const uint32_t *order, size_t count, uint32_t most, lc_text *out) {
    size_t differ = 0;
    while (differ < count && !(isinf(c->tensors[order[differ]].total.snr) && c->tensors[order[differ]].total.snr > 0)) differ++;
    lc_text_printf(out, "\n  weights: %zu of %zu are equal\n", count - differ, count);
    const size_t few = most / 4 + 1, shown = most && differ > few ? few : differ;
    if (differ) lc_text_printf(out, "  %-39s %-17s%10s max error  worst channel\n", "weights, worst first", "of", "SNR");
    for (size_t i = 0; i < shown; i++) {
        const lc_compared *t = &c->tensors[order[i]];
        lc_text_add(out, "  ");
        add_column(t->name_b, 39, out);
        lc_text_add(out, " ");
        add_column(t->layer[0] ? t->layer : t->input_op, 17, out);
        add_snr_column(&t->total, out);
        lc_text_printf(out, " %9.2g", t->total.max_abs_error);
        if (t->channel >= 0 && isfinite(t->channel_snr)) lc_text_printf(out, "  %d: %.1f dB", (int)t->channel, t->channel_snr);
        lc_text_add(out, "\n");
    }
    if (shown < differ) lc_text_printf(out, "  and %zu more: --all\n", differ - shown);
}

static void add_alone(const lc_comparison *c, uint32_t most, lc_text *out) {
    if (c->only_a_count + c->only_b_count == 0) return;
    lc_text_printf(out, "\n  without a partner (fused, or made otherwise): %zu tensor%s of A, %zu of B%s\n", c->only_a_count,
                   c->only_a_count == 1 ? "" : "s", c->only_b_count, most ? ": --all" : "");
    for (size_t i = 0; !most && i < c->only_a_count + c->only_b_count; i++) {
        const bool of_a = i < c->only_a_count;
        const char *name = of_a ? c->only_a[i] : c->only_b[i - c->only_a_count];
        lc_text_add(out, of_a ? "    A  " : "    B  ");
        lc_text_add_safe(out, name, strlen(name));
        lc_text_add(out, "\n");
    }
}

lc_status lc_compare_text(const lc_comparison *c, uint32_t most, lc_text *out, lc_error *err) {
    size_t tensors, constants;
    uint32_t *order = lc_compare_order(c, false, &tensors), *of_constants = lc_compare_order(c, true, &constants);
    if (order && of_constants) {
        lc_compare_verdict(c, out);
        lc_text_add(out, "\n");
        add_outputs(c, out);
        if (tensors) add_tensors(c, order, tensors, most, out);
        if (constants) add_constants(c, of_constants, constants, most, out);
        add_alone(c, most, out);
        lc_text_add(out, "\n");
        lc_compare_advice(c, out);
    }
    const lc_status status = order && of_constants ? LC_OK : lc_fail_memory(err, "report");
    lc_free(order);
    lc_free(of_constants);
    return status;
}

lc_status lc_comparison_report(const lc_comparison *c, lc_compare_format format, uint32_t most, char **text, lc_error *err) {
    lc_error_clear(err);
    if (!text) return lc_fail(err, LC_ARGUMENT, "lc_comparison_report needs a place for the text");
    *text = NULL;
    if (!c || format < LC_COMPARE_TEXT || format > LC_COMPARE_HTML)
        return lc_fail(err, LC_ARGUMENT, "lc_comparison_report: %s", c ? "unknown format" : "no comparison");
    lc_text out = {0};
    lc_status status = LC_OK;
    if (format == LC_COMPARE_JSON) lc_compare_json(c, &out);
    else if (format == LC_COMPARE_CSV) lc_compare_csv(c, &out);
    else if (format == LC_COMPARE_HTML) status = lc_compare_html(c, &out, err);
    else status = lc_compare_text(c, most, &out, err);
    if (status == LC_OK) *text = lc_text_take(&out);
    else lc_text_deinit(&out);
    return status ? status : *text ? LC_OK : lc_fail_memory(err, "report");
}

lc_status lc_comparison_save(const lc_comparison *c, lc_compare_format format, const char *path, lc_error *err) {
    char *text;
    if (!path) return lc_fail(err, LC_ARGUMENT, "lc_comparison_save needs the path of a file");
    LC_TRY(lc_comparison_report(c, format, 0, &text, err));
    const lc_status status = lc_file_save(path, text, strlen(text), err);
    lc_free(text);
    return status;
}
