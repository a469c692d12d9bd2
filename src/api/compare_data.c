/*
 * compare_data.c: the comparison for programs. The CSV begins with the columns of TensorFlow's quantisation debugger under its names and with
 * its averages (of each run, then over runs), so that what reads those files reads these; behind them come ours. JSON has the same and all
 * else. A number that is not finite is null, or empty.
 */
#include "api/compare.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- one list for both --------------------------------------------------------------------------------------------------- */

/* X(column, expression): numbers of a row, in this order. */
#define COLUMNS(X) \
    X("snr_db", t->total.snr) \
    X("cosine", t->total.cosine) \
    X("mean_abs_error", t->total.mean_abs_error) \
    X("total_max_abs_error", t->total.max_abs_error) \
    X("total_mean_squared_error", t->total.mean_squared_error) \
    X("rmse_over_scale", t->rmse_steps) \
    X("local_snr_db", t->has_local ? t->local.snr : (double)NAN) \
    X("local_mean_squared_error", t->has_local ? t->local.mean_squared_error : (double)NAN) \
    X("local_max_abs_error", t->has_local ? t->local.max_abs_error : (double)NAN) \
    X("input_snr_db", t->snr_in) \
    X("steps_used", t->used) \
    X("share_at_lowest_step", t->at_low) \
    X("share_at_highest_step", t->at_high) \
    X("share_below_range", t->cut_low) \
    X("share_above_range", t->cut_high) \
    X("min_a", t->total.low_a) \
    X("max_a", t->total.high_a) \
    X("min_b", t->total.low_b) \
    X("max_b", t->total.high_b) \
    X("worst_channel_snr_db", t->channel >= 0 ? t->channel_snr : (double)NAN)

/* The debugger's own, between op_name,tensor_idx and scale,zero_point,tensor_name. */
#define OFFICIAL(X) \
    X("num_elements", t->run_elements) \
    X("stddev", t->run_stddev) \
    X("mean_error", t->run_mean_error) \
    X("max_abs_error", t->run_max_abs_error) \
    X("mean_squared_error", t->run_mean_squared_error)

/* Shortest form that reads back as the same float, for numbers that are sums of rounded ones anyway. */
static void add_number(lc_text *out, double x, const char *otherwise) {
    if (isfinite(x)) lc_text_printf(out, "%.9g", x);
    else lc_text_add(out, otherwise);
}

/* ---- CSV ------------------------------------------------------------------------------------------------------------------ */

static void add_field(lc_text *out, const char *s) {
    lc_text text = {0};
    lc_text_add_safe(&text, s, strlen(s));
    out->failed |= text.failed;
    lc_text_add(out, "\"");
    for (const char *p = text.data ? text.data : ""; *p; p++) {
        if (*p == '"') lc_text_add(out, "\"");
        lc_text_add_n(out, p, 1);
    }
    lc_text_add(out, "\"");
    lc_text_deinit(&text);
}

void lc_compare_csv(const lc_comparison *c, lc_text *out) {
    lc_text_add(out, "op_name,tensor_idx");
#define NAME(column, value) lc_text_add(out, "," column);
    OFFICIAL(NAME)
    lc_text_add(out, ",scale,zero_point,tensor_name,kind,type_a,type_b,name_a,layer");
    COLUMNS(NAME)
#undef NAME
    lc_text_add(out, "\n");
    for (size_t i = 0; i < c->tensor_count; i++) {
        const lc_compared *t = &c->tensors[i];
        add_field(out, t->constant ? t->input_op : t->op_b);
        lc_text_printf(out, ",%d", (int)t->tensor_b);
#define VALUE(column, value) \
    lc_text_add(out, ","); \
    if (t->runs) add_number(out, value, "");
        OFFICIAL(VALUE)
        lc_text_printf(out, ",%.9g,%" PRId64 ",", (double)t->scale, t->zero_point);
        add_field(out, t->name_b);
        lc_text_printf(out, ",%s,%s,%s,",
                       t->constant  ? "weights"
                       : t->op_b[0] ? "tensor"
                                    : "input",
                       lc_dtype_name(t->type_a), lc_dtype_name(t->type_b));
        add_field(out, t->name_a);
        lc_text_add(out, ",");
        add_field(out, t->layer);
        COLUMNS(VALUE)
#undef VALUE
        lc_text_add(out, "\n");
    }
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------------- */

static void put_text(lc_text *out, const char *key, const char *text) {
    lc_text_printf(out, ",\"%s\":", key);
    lc_text_add_json(out, text, strlen(text));
}

static void put_number(lc_text *out, const char *key, double x) {
    lc_text_printf(out, ",\"%s\":", key);
    add_number(out, x, "null");
}

static void put_list(lc_text *out, const char *key, const char *const *names, size_t count) {
    lc_text_printf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        lc_text_add(out, i ? "," : "");
        lc_text_add_json(out, names[i], strlen(names[i]));
    }
    lc_text_add(out, "]");
}

static void put_counts(lc_text *out, const lc_difference *d) {
    lc_text_printf(out, ",\"values\":%" PRIu64 ",\"not_finite_a\":%" PRIu64 ",\"not_finite_b\":%" PRIu64, d->count, d->bad_a, d->bad_b);
}

static void put_output(lc_text *out, const lc_compared_output *o) {
    lc_text_add(out, "{\"name\":");
    lc_text_add_json(out, o->name, strlen(o->name));
    put_text(out, "type_a", lc_dtype_name(o->type_a));
    put_text(out, "type_b", lc_dtype_name(o->type_b));
    put_counts(out, &o->total);
    put_number(out, "snr_db", o->total.snr);
    put_number(out, "cosine", o->total.cosine);
    put_number(out, "mean_error", o->total.mean_error);
    put_number(out, "mean_abs_error", o->total.mean_abs_error);
    put_number(out, "max_abs_error", o->total.max_abs_error);
    put_number(out, "mean_squared_error", o->total.mean_squared_error);
    put_number(out, "stddev", o->total.stddev);
    lc_text_printf(out, ",\"rows\":%" PRIu64 ",\"same_largest\":%" PRIu64 "}", o->rows, o->same_top);
}

static void put_tensor(lc_text *out, const lc_compared *t) {
    lc_text_add(out, "{\"op_name\":");
    lc_text_add_json(out, t->constant ? t->input_op : t->op_b, strlen(t->constant ? t->input_op : t->op_b));
    lc_text_printf(out, ",\"tensor_idx\":%d,\"graph\":%" PRIu32 ",\"operator\":%" PRIu32 ",\"runs\":%" PRIu32, (int)t->tensor_b, t->graph_b,
                   t->step, t->runs);
#define VALUE(column, value) put_number(out, column, t->runs ? value : (double)NAN);
    OFFICIAL(VALUE)
    put_number(out, "scale", (double)t->scale);
    lc_text_printf(out, ",\"zero_point\":%" PRId64, t->zero_point);
    put_text(out, "tensor_name", t->name_b);
    put_text(out, "kind", t->constant ? "weights" : t->op_b[0] ? "tensor" : "input");
    put_text(out, "type_a", lc_dtype_name(t->type_a));
    put_text(out, "type_b", lc_dtype_name(t->type_b));
    put_text(out, "name_a", t->name_a);
    put_text(out, "op_a", t->op_a);
    put_text(out, "layer", t->layer);
    put_counts(out, &t->total);
    COLUMNS(VALUE)
#undef VALUE
    if (t->channel >= 0) lc_text_printf(out, ",\"worst_channel\":%d", (int)t->channel);
    lc_text_add(out, "}");
}

void lc_compare_json(const lc_comparison *c, lc_text *out) {
    lc_text_add(out, "{\"a\":");
    lc_text_add_json(out, c->name_a, strlen(c->name_a));
    put_text(out, "b", c->name_b);
    lc_text_printf(out, ",\"samples\":%" PRIu64 ",\"made_up\":%s", c->samples, c->random ? "true" : "false");
    put_number(out, "apart", c->apart);
    put_number(out, "tolerance", c->tolerance);
    lc_text_printf(out, ",\"agree\":%s,\"outputs\":[", c->agree ? "true" : "false");
    for (size_t i = 0; i < c->output_count; i++) {
        lc_text_add(out, i ? "," : "");
        put_output(out, &c->outputs[i]);
    }
    lc_text_add(out, "],\"tensors\":[");
    for (size_t i = 0; i < c->tensor_count; i++) {
        lc_text_add(out, i ? "," : "");
        put_tensor(out, &c->tensors[i]);
    }
    lc_text_add(out, "]");
    put_list(out, "only_a", c->only_a, c->only_a_count);
    put_list(out, "only_b", c->only_b, c->only_b_count);
    lc_text_add(out, "}\n");
}
