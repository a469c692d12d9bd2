/*
 * compare_html.c: the comparison as one page that needs nothing else: no network, no library; plots are SVG, and a few lines of script sort the
 * table. It must be readable by somebody who sees it for the first time: every plot says what it shows and what is good. Names come from
 * files, so whatever means something in HTML is escaped.
 */
#include "api/compare.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define MOST_HISTOGRAMS 6
#define MOST_DB 80.0 /* bars end here: what is better looks the same */
#define PLOT_WIDTH 920

/* ---- text ------------------------------------------------------------------------------------------------------------- */

static void add_escaped(lc_text *out, const char *s) {
    for (const char *p = s; *p; p++) switch (*p) {
        case '&': lc_text_add(out, "&amp;"); break;
        case '<': lc_text_add(out, "&lt;"); break;
        case '>': lc_text_add(out, "&gt;"); break;
        case '"': lc_text_add(out, "&quot;"); break;
        case '\'': lc_text_add(out, "&#39;"); break;
        default: lc_text_add_n(out, p, 1);
        }
}

/* A name from a file. */
static void add_html(lc_text *out, const char *s) {
    lc_text safe = {0};
    lc_text_add_safe(&safe, s, strlen(s));
    out->failed |= safe.failed;
    if (safe.data) add_escaped(out, safe.data);
    lc_text_deinit(&safe);
}

/* What one of compare_text.c's functions writes; the names in it are safe already. */
static void add_made(lc_text *out, void (*make)(const lc_comparison *, lc_text *), const lc_comparison *c) {
    lc_text text = {0};
    make(c, &text);
    out->failed |= text.failed;
    if (text.data) add_escaped(out, text.data);
    lc_text_deinit(&text);
}

static const char *title_of(const lc_compared *t) { return t->layer[0] ? t->layer : t->name_b; }
static const char *op_of(const lc_compared *t) { return t->constant ? t->input_op : t->op_b[0] ? t->op_b : "input"; }

/* Red below 10 dB, yellow about 20, green from 40 on. */
static void add_colour(lc_text *out, double snr) {
    const double good = snr < 10 ? 0 : snr > 40 ? 1 : (snr - 10) / 30;
    lc_text_printf(out, "hsl(%.0f,65%%,45%%)", good * 130);
}

static double shown_snr(const lc_difference *d) { return d->bad_apart ? -(double)INFINITY : d->snr; }

/* A cell with the number that it is sorted by. */
static void add_snr_cell(lc_text *out, const lc_difference *d, bool there) {
    const double snr = fmin(fmax(shown_snr(d), -999), 999);
    if (!there || d->count == 0) {
        lc_text_add(out, "<td data-v=\"1000\">-</td>");
        return;
    }
    lc_text_printf(out, "<td data-v=\"%.3f\"><b style=\"color:", snr);
    add_colour(out, snr);
    lc_text_add(out, "\">");
    lc_compare_add_snr(d, out);
    lc_text_add(out, "</b></td>");
}

static void add_number_cell(lc_text *out, const char *format, double x, bool there) {
    char text[48];
    snprintf(text, sizeof text, format, x);
    if (there && isfinite(x)) lc_text_printf(out, "<td data-v=\"%.9g\">%s</td>", x, text);
    else lc_text_add(out, "<td data-v=\"-1\">-</td>");
}

/* A share as a number, with a bar beside it. */
static void add_share_cell(lc_text *out, double x, bool there, bool bar) {
    if (!there) {
        lc_text_add(out, "<td data-v=\"-1\">-</td>");
        return;
    }
    lc_text_printf(out, x > 0 && x < 0.001 ? "<td data-v=\"%.9g\">&lt;0.1%%" : "<td data-v=\"%.9g\">%.1f%%", x, 100 * x);
    if (bar) lc_text_printf(out, "<span class=\"bar\"><i style=\"width:%.1f%%\"></i></span>", 100 * fmin(x, 1));
    lc_text_add(out, "</td>");
}

/* ---- plots -------------------------------------------------------------------------------------------------------------- */

/* Tensors that ran, in their order: a bar each, from worse to better upwards; a dot for the operator alone. */
static void add_snr_plot(lc_text *out, const lc_comparison *c) {
    size_t count = 0, at = 0;
    for (size_t i = 0; i < c->tensor_count; i++) count += !c->tensors[i].constant && c->tensors[i].runs > 0;
    if (count == 0) return;
    const double height = 240, left = 52, width = (PLOT_WIDTH - left - 8) / (double)count, per_db = (height - 10) / MOST_DB;
    const double thick = width > 60 ? 48 : width * 0.8;
    lc_text_add(
        out,
        "<h2>SNR by tensor, in the order in which the model computes them</h2>\n<p>Higher is better: at 20 dB the error is a tenth of the values, at 40 dB a hundredth. Bars: both models run on "
        "their own, so errors add up from left to right. Dots: this operator alone, on exact inputs; a low dot is where error is "
        "made. Rest the pointer on a bar for its name.</p>\n");
    lc_text_printf(out, "<svg viewBox=\"0 0 %d %.0f\" role=\"img\">\n", PLOT_WIDTH, height + 32);
    for (int db = 0; db <= (int)MOST_DB; db += 20) {
        const double y = height - db * per_db;
        lc_text_printf(out,
                       "<line x1=\"%.0f\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" class=\"grid\"/><text x=\"%.0f\" y=\"%.1f\" "
                       "text-anchor=\"end\">%d%s dB</text>\n",
                       left, y, PLOT_WIDTH, y, left - 6, y + 4, db, db == (int)MOST_DB ? "+" : "");
    }
    for (size_t i = 0; i < c->tensor_count; i++) {
        const lc_compared *t = &c->tensors[i];
        if (t->constant || t->runs == 0) continue;
        const double snr = fmin(fmax(shown_snr(&t->total), 0.5), MOST_DB), x = left + ((double)at++ + 0.5) * width;
        lc_text_add(out, "<g><title>");
        add_html(out, title_of(t));
        lc_text_add(out, " (");
        add_html(out, op_of(t));
        lc_text_add(out, "): ");
        lc_compare_add_snr(&t->total, out);
        if (t->has_local) {
            lc_text_add(out, ", alone ");
            lc_compare_add_snr(&t->local, out);
        }
        lc_text_printf(out, "</title><rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"", x - thick / 2,
                       height - snr * per_db, thick, snr * per_db);
        add_colour(out, snr);
        lc_text_add(out, "\"/>");
        if (t->has_local && t->local.count) {
            const double alone = fmin(fmax(shown_snr(&t->local), 0), MOST_DB);
            lc_text_printf(out, "<circle cx=\"%.2f\" cy=\"%.2f\" r=\"%.1f\"/>", x, height - alone * per_db, fmin(fmax(thick / 3, 1.5), 4));
        }
        if (count <= 16) {
            const char *name = title_of(t), *tail = strrchr(name, '/');
            lc_text_printf(out, "<text x=\"%.2f\" y=\"%.0f\" text-anchor=\"middle\" class=\"name\">", x,
                           height + 14 + (double)(at % 2) * 11);
            add_html(out, tail && tail[1] ? tail + 1 : name);
            lc_text_add(out, "</text>");
        }
        lc_text_add(out, "</g>\n");
    }
    lc_text_add(out, "</svg>\n");
}

/* The outline of a histogram; heights are square roots, so that rare values can be seen. */
static void add_outline(lc_text *out, const uint64_t *bins, size_t first, size_t last, double most, double height, const char *kind) {
    lc_text_printf(out, "<path class=\"%s\" d=\"M%zu %.0f", kind, first, height);
    for (size_t i = first; i <= last; i++) lc_text_printf(out, "V%.2fH%zu", height - (height - 6) * sqrt((double)bins[i] / most), i + 1);
    lc_text_printf(out, "V%.0fZ\"/>", height);
}

static void add_histogram(lc_text *out, const lc_compared *t) {
    const double height = 110;
    size_t first = LC_COMPARE_BINS - 1, last = 0;
    double most = 1;
    for (size_t i = 0; i < LC_COMPARE_BINS; i++) {
        const uint64_t n = t->bins_a[i] > t->bins_b[i] ? t->bins_a[i] : t->bins_b[i];
        if (n && i < first) first = i;
        if (n) last = i;
        most = fmax(most, (double)n);
    }
    if (first > last) return;
    if (t->scale > 0) first = 0, last = LC_COMPARE_BINS - 1; /* the whole range of the steps: unused ones are what there is to see */
    lc_text_add(out, "<figure><figcaption><b>");
    add_html(out, title_of(t));
    lc_text_add(out, "</b> ");
    add_html(out, op_of(t));
    lc_text_add(out, ", ");
    lc_compare_add_snr(&t->total, out);
    lc_text_printf(out, "</figcaption><svg viewBox=\"%zu 0 %zu %.0f\" preserveAspectRatio=\"none\">", first, last + 1 - first, height);
    add_outline(out, t->bins_a, first, last, most, height, "a");
    add_outline(out, t->bins_b, first, last, most, height, "b");
    lc_text_printf(out, "</svg><div class=\"ends\"><span>%.3g</span>", t->bin_first + t->bin_width * ((double)first + 0.5));
    if (t->scale > 0) lc_text_printf(out, "<span>%.1f %% of the steps used</span>", 100 * t->used);
    lc_text_printf(out, "<span>%.3g</span></div></figure>\n", t->bin_first + t->bin_width * ((double)last + 0.5));
}

static void add_histograms(lc_text *out, const lc_comparison *c, const uint32_t *order, size_t count) {
    lc_text_add(
        out, "<h2>Values of the worst tensors</h2>\n<p>How often each value occurs: <span class=\"key a\">A</span> filled, <span "
             "class=\"key b\">B</span> as a line (heights are square roots, so that rare values can be seen). For a quantised tensor the "
             "width is all B can represent: narrow humps waste steps, towers at the ends are values that were cut off.</p>\n<div "
             "class=\"plots\">\n");
    for (size_t i = 0; i < count && i < MOST_HISTOGRAMS; i++) add_histogram(out, &c->tensors[order[i]]);
    lc_text_add(out, "</div>\n");
}

/* ---- tables --------------------------------------------------------------------------------------------------------------- */

static void add_outputs(lc_text *out, const lc_comparison *c) {
    lc_text_add(out,
                "<table><thead><tr><th class=\"l\">output<th class=\"l\">type of A<th class=\"l\">type of B<th>SNR<th>cosine<th>largest "
                "error<th>mean error<th>same largest value</tr></thead><tbody>\n");
    for (size_t i = 0; i < c->output_count; i++) {
        const lc_compared_output *o = &c->outputs[i];
        lc_text_add(out, "<tr><td class=\"l\">");
        add_html(out, o->name);
        lc_text_printf(out, "</td><td class=\"l\">%s</td><td class=\"l\">%s</td>", lc_dtype_name(o->type_a), lc_dtype_name(o->type_b));
        add_snr_cell(out, &o->total, true);
        add_number_cell(out, "%.5f", o->total.cosine, true);
        add_number_cell(out, "%.3g", o->total.max_abs_error, true);
        add_number_cell(out, "%.3g", o->total.mean_error, true);
        if (o->rows) lc_text_printf(out, "<td>%" PRIu64 " of %" PRIu64 "</td>", o->same_top, o->rows);
        else lc_text_add(out, "<td>-</td>");
        lc_text_add(out, "</tr>\n");
        if (o->total.bad_a || o->total.bad_b)
            lc_text_printf(out, "<tr><td class=\"l\" colspan=\"8\">NaN or infinite: %" PRIu64 " values in A, %" PRIu64 " in B</td></tr>\n",
                           o->total.bad_a, o->total.bad_b);
    }
    lc_text_add(out, "</tbody></table>\n");
}

static void add_tensors(lc_text *out, const lc_comparison *c, const uint32_t *order, size_t count) {
    lc_text_add(out,
                "<h2>Tensors</h2>\n<p>Worst first; a click on a heading sorts by it. <b>alone</b>: B's operator on A's inputs. "
                "<b>RMSE/step</b>: 0.29 is rounding alone. <b>used</b>: share of B's steps between its smallest and largest value. "
                "<b>cut</b>: share of A's values more than a step beyond B's first or last.</p>\n<table class=\"sort\"><thead><tr><th>#<th "
                "class=\"l\">tensor<th class=\"l\">operator<th>SNR<th>alone<th>cosine<th>largest error<th>mean "
                "error<th>RMSE/step<th>used<th>cut<th>scale<th>zero point</tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++) {
        const lc_compared *t = &c->tensors[order[i]];
        const bool stepped = t->used > 0;
        lc_text_printf(out, "<tr><td data-v=\"%" PRIu32 "\">%" PRIu32 "</td><td class=\"l\" title=\"", order[i], order[i]);
        add_html(out, t->name_b);
        lc_text_add(out, "\">");
        add_html(out, title_of(t));
        lc_text_add(out, "</td><td class=\"l\">");
        add_html(out, op_of(t));
        lc_text_add(out, "</td>");
        add_snr_cell(out, &t->total, true);
        add_snr_cell(out, &t->local, t->has_local);
        add_number_cell(out, "%.5f", t->total.cosine, true);
        add_number_cell(out, "%.3g", t->total.max_abs_error, true);
        add_number_cell(out, "%.3g", t->total.mean_error, true);
        add_number_cell(out, "%.2f", t->rmse_steps, stepped);
        add_share_cell(out, t->used, stepped, true);
        add_share_cell(out, t->cut_low + t->cut_high, stepped, false);
        add_number_cell(out, "%.5g", (double)t->scale, t->scale > 0);
        add_number_cell(out, "%.0f", (double)t->zero_point, t->scale > 0);
        lc_text_add(out, "</tr>\n");
    }
    lc_text_add(out, "</tbody></table>\n");
}

static void add_weights(lc_text *out, const lc_comparison *c, const uint32_t *order, size_t count) {
    if (count == 0) return;
    lc_text_add(out, "<h2>Weights</h2>\n<table class=\"sort\"><thead><tr><th class=\"l\">constant of B<th class=\"l\">layer<th "
                     "class=\"l\">operator<th class=\"l\">type<th>SNR<th>largest error<th>worst channel<th>its SNR</tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++) {
        const lc_compared *t = &c->tensors[order[i]];
        const bool channels = t->channel >= 0 && isfinite(t->channel_snr);
        lc_text_add(out, "<tr><td class=\"l\">");
        add_html(out, t->name_b);
        lc_text_add(out, "</td><td class=\"l\">");
        add_html(out, t->layer);
        lc_text_add(out, "</td><td class=\"l\">");
        add_html(out, op_of(t));
        lc_text_printf(out, "</td><td class=\"l\">%s</td>", lc_dtype_name(t->type_b));
        add_snr_cell(out, &t->total, true);
        add_number_cell(out, "%.3g", t->total.max_abs_error, true);
        add_number_cell(out, "%.0f", t->channel, channels);
        add_number_cell(out, "%.1f dB", t->channel_snr, channels);
        lc_text_add(out, "</tr>\n");
    }
    lc_text_add(out, "</tbody></table>\n");
}

static void add_alone(lc_text *out, const char *which, const char *const *names, size_t count) {
    if (count == 0) return;
    lc_text_printf(out, "<details><summary>%zu tensor%s of %s without a partner (fused, or made otherwise)</summary><ul>\n", count,
                   count == 1 ? "" : "s", which);
    for (size_t i = 0; i < count; i++) {
        lc_text_add(out, "<li>");
        add_html(out, names[i]);
        lc_text_add(out, "</li>\n");
    }
    lc_text_add(out, "</ul></details>\n");
}

/* ---- the page --------------------------------------------------------------------------------------------------------------- */

static const char style[] =
    ":root{--fg:#1d2433;--bg:#fff;--soft:#667;--line:#dde1e8;--a:#9db7e8;--b:#c2410c}\n"
    "@media(prefers-color-scheme:dark){:root{--fg:#e4e7ee;--bg:#15181f;--soft:#98a0b0;--line:#333a47;--a:#3d5a96;--b:#fb923c}}\n"
    "body{font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:1240px;margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:2.2rem 0 .4rem}p{margin:.3rem 0 .8rem}p,.soft{color:var(--soft)}\n"
    ".verdict{font-size:1.1rem;color:var(--fg);border-left:5px solid;padding:.3rem .8rem}.good{border-color:#2f9e44}.bad{border-color:#d6336c}\n"
    ".plain{border-color:var(--a)}pre{white-space:pre-wrap;background:color-mix(in srgb,var(--line) 40%,transparent);padding:.7rem 1rem;"
    "border-radius:6px;font-size:.88rem}\n"
    "svg{width:100%;height:auto;display:block}svg text{font-size:11px;fill:var(--soft)}svg .name{font-size:9px}.grid{stroke:var(--line)}\n"
    "circle{fill:var(--fg);stroke:var(--bg)}g:hover rect{opacity:.6}\n"
    "table{border-collapse:collapse;width:100%;font-size:.84rem;display:block;overflow-x:auto}th,td{padding:.25rem .4rem;text-align:right;"
    "border-bottom:1px solid var(--line);white-space:nowrap;font-variant-numeric:tabular-nums}th{color:var(--soft);font-weight:600}\n"
    ".l{text-align:left;max-width:20rem;overflow:hidden;text-overflow:ellipsis}.sort th{cursor:pointer}.sort th:hover{color:var(--fg)}\n"
    "th.up::after{content:\" \\25b4\"}th.down::after{content:\" \\25be\"}\n"
    ".bar{display:inline-block;width:36px;height:8px;background:var(--line);border-radius:4px;margin-left:6px;overflow:hidden}"
    ".bar i{display:block;height:8px;background:var(--a)}\n"
    ".plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(310px,1fr));gap:1.2rem}figure{margin:0}figcaption{font-size:.84rem;"
    "overflow:hidden;text-overflow:ellipsis;white-space:nowrap}figure svg{height:110px;border-bottom:1px solid var(--line)}\n"
    "path.a{fill:var(--a)}path.b{fill:none;stroke:var(--b);stroke-width:1.2;vector-effect:non-scaling-stroke}.key{padding:0 .35rem;"
    "border-radius:3px;color:var(--fg)}.key.a{background:var(--a)}.key.b{border:1.5px solid var(--b)}\n"
    ".ends{display:flex;justify-content:space-between;font-size:.76rem;color:var(--soft)}details{margin-top:1rem}\n";

static const char script[] =
    "document.querySelectorAll('table.sort').forEach(t=>t.querySelectorAll('th').forEach((h,i)=>h.onclick=()=>{\n"
    "const up=!h.classList.contains('up'),b=t.tBodies[0],k=r=>r.cells[i].dataset.v??r.cells[i].textContent;\n"
    "t.querySelectorAll('th').forEach(x=>x.className=x.classList.contains('l')?'l':'');h.classList.add(up?'up':'down');\n"
    "[...b.rows].sort((x,y)=>{const p=k(x),q=k(y),d=isNaN(p)||isNaN(q)?p.localeCompare(q):p-q;return up?d:-d}).forEach(r=>b.append(r))}))\n";

static void add_head(lc_text *out, const lc_comparison *c) {
    char n[32];
    lc_text_add(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                     "content=\"width=device-width\"><title>");
    add_html(out, c->name_a);
    lc_text_add(out, " and ");
    add_html(out, c->name_b);
    lc_text_add(out, "</title>\n<style>\n");
    lc_text_add(out, style);
    lc_text_add(out, "</style></head><body>\n<h1>litec compare</h1>\n<p>A: <b>");
    add_html(out, c->name_a);
    lc_text_add(out, "</b>, what B should be. B: <b>");
    add_html(out, c->name_b);
    lc_text_printf(out, "</b>. %s sample%s%s.</p>\n<p class=\"verdict %s\">", lc_grouped(c->samples, n), c->samples == 1 ? "" : "s",
                   c->random ? " of made-up numbers" : "",
                   !c->agree || !isfinite(c->apart) ? "bad"
                   : isnan(c->tolerance)            ? "plain"
                                                    : "good");
    add_made(out, lc_compare_verdict, c);
    lc_text_add(out, "</p>\n");
}

lc_status lc_compare_html(const lc_comparison *c, lc_text *out, lc_error *err) {
    size_t tensors, weights;
    uint32_t *order = lc_compare_order(c, false, &tensors), *of_weights = lc_compare_order(c, true, &weights);
    if (order && of_weights) {
        add_head(out, c);
        add_outputs(out, c);
        lc_text_add(out, "<pre>");
        add_made(out, lc_compare_advice, c);
        lc_text_add(out, "</pre>\n");
        add_snr_plot(out, c);
        if (tensors) add_histograms(out, c, order, tensors);
        if (tensors) add_tensors(out, c, order, tensors);
        add_weights(out, c, of_weights, weights);
        add_alone(out, "A", c->only_a, c->only_a_count);
        add_alone(out, "B", c->only_b, c->only_b_count);
        lc_text_add(out, "<script>\n");
        lc_text_add(out, script);
        lc_text_add(out, "</script></body></html>\n");
    }
    const lc_status status = order && of_weights ? LC_OK : lc_fail_memory(err, "report");
    lc_free(order);
    lc_free(of_weights);
    return status;
}
