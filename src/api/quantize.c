/*
 * quantize.c: the order of a quantisation: a fork of the model is optimised and run over the samples, a fork of that is rewritten, and both
 * are run side by side to tell what it cost. The caller's model stays as it is.
 *
 * Nothing is done in silence: data that is missing, patterns that fit nothing, operators that stay float although only integers were asked for,
 * and a scheme under which nothing changes are errors.
 */
#include "api/quantize.h"
#include "base/pool.h"
#include "emit/emit.h"
#include "pass/pass.h"
#include "runtime/session.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Batches that the outputs of both models are compared on. */
enum { COMPARED = 8 };

struct lc_quantize_report {
    lc_quant_report did;
    lc_scheme scheme;
    uint64_t samples, before, after; /* bytes of the files */
    bool equalized;
    uint32_t pairs;           /* of layers that were equalised */
    lc_output_error *outputs; /* [output_count], in did.arena */
    size_t output_count;
    char *text, *json;
};

void lc_quantize_report_destroy(lc_quantize_report *r) {
    if (!r) return;
    lc_free(r->text);
    lc_free(r->json);
    lc_arena_deinit(&r->did.arena);
    lc_free(r);
}

const char *lc_quantize_report_text(const lc_quantize_report *r) { return r && r->text ? r->text : ""; }
const char *lc_quantize_report_json(const lc_quantize_report *r) { return r && r->json ? r->json : "{}"; }

/* ---- what was asked for ------------------------------------------------------------------------------------------------- */

static bool is_integer(lc_scheme s) { return s == LC_SCHEME_INT8 || s == LC_SCHEME_INT16X8; }

/* Whether any operator is to become an integer one, and whether any changes at all. */
static void find_schemes(const lc_model *m, lc_recipe *recipe, lc_scheme scheme, bool *integer, bool *weights) {
    *integer = *weights = false;
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t n = 0; n < m->graphs[g]->node_count; n++) {
            const lc_scheme s = lc_recipe_scheme(recipe, m->graphs[g], &m->graphs[g]->nodes[n], scheme);
            *integer |= is_integer(s);
            *weights |= s != LC_SCHEME_FLOAT && !is_integer(s);
        }
}

static bool has_operators(const lc_model *m) {
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t n = 0; n < m->graphs[g]->node_count; n++)
            if (m->graphs[g]->nodes[n].op != LC_NODE_DEAD) return true;
    return false;
}

static bool has_default_range(const lc_quantize_options *o) { return o->default_low < o->default_high; }

static lc_status check_types(const lc_quantize_options *o, bool integer, lc_error *err) {
    const lc_dtype types[] = {o->input_type, o->output_type};
    for (int i = 0; i < 2; i++) {
        const lc_dtype t = types[i];
        const bool wide = t == LC_INT16;
        if (t == LC_FLOAT32) continue;
        if (t != LC_INT8 && t != LC_UINT8 && !wide)
            return lc_fail(err, LC_ARGUMENT, "%s cannot be %s", i ? "outputs" : "inputs", lc_dtype_name(t));
        if (integer && wide == (o->scheme == LC_SCHEME_INT16X8)) continue;
        lc_fail(err, LC_ARGUMENT, "%s of %s do not go with the scheme %s", i ? "outputs" : "inputs", lc_dtype_name(t),
                lc_scheme_name(o->scheme));
        lc_error_hint(err, "int8 and uint8 go with int8, int16 goes with int16x8, float32 with all");
        return LC_ARGUMENT;
    }
    return LC_OK;
}

static lc_status check_options(const lc_model *m, const lc_quantize_options *o, lc_recipe *recipe, bool *integer, bool *weights,
                               lc_error *err) {
    if ((size_t)o->scheme > LC_SCHEME_INT4) return lc_fail(err, LC_ARGUMENT, "%d is no scheme", (int)o->scheme);
    if (o->block && o->block != 32 && o->block != 64 && o->block != 128 && o->block != 256) {
        lc_fail(err, LC_ARGUMENT, "blocks of %" PRIu32 " weights", o->block);
        lc_error_hint(err, "a block has 32, 64, 128 or 256 weights");
        return LC_ARGUMENT;
    }
    if (o->percentile != 0 && !(o->percentile > 50 && o->percentile <= 100)) {
        lc_fail(err, LC_ARGUMENT, "a percentile of %g", o->percentile);
        lc_error_hint(err, "it is over 50 and at most 100, such as 99.99");
        return LC_ARGUMENT;
    }
    for (uint32_t i = 0; i < o->input_stat_count; i++)
        if (!(o->input_std[i] > 0) || !isfinite(o->input_std[i]) || !isfinite(o->input_mean[i])) {
            lc_fail(err, LC_ARGUMENT, "input %" PRIu32 ": a mean of %g and a deviation of %g", i, (double)o->input_mean[i],
                    (double)o->input_std[i]);
            lc_error_hint(err, "the deviation is over 0: real = (q - mean) / std");
            return LC_ARGUMENT;
        }
    if (!isfinite(o->default_low) || !isfinite(o->default_high) || o->default_low > o->default_high) {
        lc_fail(err, LC_ARGUMENT, "a default range from %g to %g", (double)o->default_low, (double)o->default_high);
        lc_error_hint(err, "its end is above its beginning: -6 and 6");
        return LC_ARGUMENT;
    }
    find_schemes(m, recipe, o->scheme, integer, weights);
    const char *unused = lc_recipe_unused(recipe);
    if (unused) {
        lc_fail(err, LC_ARGUMENT, "no layer is called \"%s\"", unused);
        lc_error_hint(err, "litec inspect prints the names; * stands for any text, op:CONV_2D for an operator");
        return LC_ARGUMENT;
    }
    if (!has_operators(m)) {
        lc_fail(err, LC_ARGUMENT, "nothing to do: the model has no operators that depend on its inputs");
        lc_error_hint(err, "its outputs are its inputs or constants: litec inspect prints them");
        return LC_ARGUMENT;
    }
    if (!*integer && !*weights) {
        lc_fail(err, LC_ARGUMENT, "nothing to do: no layer has another scheme than float");
        lc_error_hint(err, "ask for dynamic, float16, int8, int16x8 or int4");
        return LC_ARGUMENT;
    }
    if (o->only_integer && *weights) {
        lc_fail(err, LC_ARGUMENT, "only integers were asked for, but dynamic, float16 and int4 change weights alone");
        lc_error_hint(err, "take int8 or int16x8 for all layers, or allow floats (leave out --int8-only)");
        return LC_ARGUMENT;
    }
    LC_TRY(check_types(o, *integer, err));
    if (!*integer || o->data_count || has_default_range(o) || lc_quant_has_steps(m)) return LC_OK;
    lc_fail(err, LC_ARGUMENT, "%s needs samples to find the range of each tensor",
            lc_scheme_name(is_integer(o->scheme) ? o->scheme : LC_SCHEME_INT8));
    lc_error_hint(err,
                  "give some hundred real inputs: --representative FILE (.npy, .npz, IDX, .csv, a folder of pictures); or take dynamic, "
                  "which needs none");
    return LC_ARGUMENT;
}

/* ---- samples ---------------------------------------------------------------------------------------------------------------- */

static lc_status next(void *user, lc_session *session, uint32_t *samples, lc_error *err) {
    return lc_data_next(user, session, samples, err);
}
static lc_status rewind_data(void *user, lc_error *err) { return lc_data_rewind(user, err); }

/* Weights packed for the sessions that ran over the samples are not needed any more. */
void lc_quant_forget(lc_model *m) {
    if (m->runtime_deinit) m->runtime_deinit(m->runtime);
    m->runtime = NULL;
    m->runtime_deinit = NULL;
}

static lc_status calibrate(lc_model *m, const lc_quantize_options *o, lc_ranges *ranges, uint64_t *samples, lc_arena *arena,
                           lc_error *err) {
    lc_feed *feeds = lc_arena_array(arena, o->data_count, sizeof *feeds);
    if (!feeds) return lc_fail_memory(err, "samples");
    for (size_t i = 0; i < o->data_count; i++) {
        feeds[i] = (lc_feed){next, rewind_data, o->data[i], lc_data_signature(o->data[i]), lc_data_count(o->data[i])};
        LC_TRY(lc_data_rewind(o->data[i], err));
    }
    return lc_calibrate(m, feeds, o->data_count, o, ranges, samples, err);
}

/* Ranges that no sample has to tell: of inputs whose steps are given, and of tensors without any where one range is to do for all. */
static void take_given_ranges(const lc_model *m, const lc_quantize_options *o, lc_ranges *ranges) {
    const lc_graph *main_graph = m->graphs[0];
    for (uint32_t i = 0; i < o->input_stat_count && i < main_graph->input_count; i++) {
        const float mean = o->input_mean[i], std = o->input_std[i];
        ranges->of[0][main_graph->inputs[i]] = (lc_range){.low = (0 - mean) / std, .high = (255 - mean) / std, .seen = true};
    }
    for (size_t g = 0; has_default_range(o) && g < m->graph_count; g++)
        for (size_t t = 0; t < m->graphs[g]->tensor_count; t++)
            if (!ranges->of[g][t].seen) ranges->of[g][t] = (lc_range){.low = o->default_low, .high = o->default_high, .seen = true};
}

/* ---- what it cost ------------------------------------------------------------------------------------------------------------- */

void lc_output_error_add(lc_output_error *e, const lc_tensor_view *a, const lc_tensor_view *b) {
    const size_t bytes_a = lc_dtype_bits(a->type) / 8, bytes_b = lc_dtype_bits(b->type) / 8;
    const bool number = a->type == LC_FLOAT32 || a->scale > 0; /* not an index, which has no noise */
    const size_t n = number && bytes_a && bytes_b && a->size / bytes_a == b->size / bytes_b ? a->size / bytes_a : 0;
    double x, y;
    for (size_t i = 0; i < n && lc_tensor_reals(a, i, 1, &x) && lc_tensor_reals(b, i, 1, &y); i++) {
        if (!isfinite(x) || !isfinite(y)) {
            e->wrong++;
            continue;
        }
        e->signal += x * x;
        e->noise += (x - y) * (x - y);
        e->most = fmax(e->most, fabs(x - y));
    }
}

double lc_output_error_db(const lc_output_error *e) { return e->noise > 0 ? 10 * log10(e->signal / e->noise) : INFINITY; }

static lc_status run_both(lc_data *data, lc_session *a, lc_session *b, uint64_t batches, lc_output_error *outputs, lc_error *err) {
    uint32_t samples = 1;
    LC_TRY(lc_data_rewind(data, err));
    for (uint64_t k = 0; k < batches; k++) {
        LC_TRY(lc_data_next(data, a, &samples, err));
        if (!samples) break;
        LC_TRY(lc_data_again(data, b, err));
        LC_TRY(lc_session_run(a, err));
        LC_TRY(lc_session_run(b, err));
        for (size_t i = 0; i < lc_session_output_count(a); i++) {
            const lc_tensor_view x = lc_session_output(a, i), y = lc_session_output(b, i);
            lc_output_error_add(&outputs[i], &x, &y);
        }
    }
    return LC_OK;
}

/* The scale of an output, or of the integer that a DEQUANTIZE makes it from. */
static float step_of(const lc_session *s, size_t output) {
    const lc_graph *g = s->graph;
    int32_t t = s->outputs[output];
    for (size_t i = 0; i < g->node_count; i++)
        if (g->nodes[i].op == LC_OP_DEQUANTIZE && g->nodes[i].outputs[0] == t) t = g->nodes[i].inputs[0];
    const lc_QuantizationParameters *q = t >= 0 ? g->tensors[t].quant : NULL;
    return q && q->scale.n == 1 ? q->scale.data[0] : 0;
}

lc_status lc_quant_compare(lc_model *from, lc_model *to, lc_data *data, uint64_t batches, int32_t threads, lc_arena *arena,
                           lc_output_error **outputs, size_t *count, lc_error *err) {
    const lc_session_options how = {.threads = lc_pool_wanted(threads, LC_SESSION_MAX_THREADS), .signature = lc_data_signature(data)};
    lc_session *a = NULL, *b = NULL;
    lc_status status = lc_session_create(from, &how, &a, err);
    if (status == LC_OK) status = lc_session_create(to, &how, &b, err);
    if (status == LC_OK) {
        *count = lc_session_output_count(a);
        *outputs = lc_arena_array(arena, *count, sizeof **outputs);
        if (!*outputs) status = lc_fail_memory(err, "report");
        for (size_t i = 0; status == LC_OK && i < *count; i++) {
            snprintf((*outputs)[i].name, sizeof(*outputs)[i].name, "%s", lc_session_output(a, i).name);
            if (i < lc_session_output_count(b)) (*outputs)[i].step = step_of(b, i);
        }
    }
    if (status == LC_OK) status = run_both(data, a, b, batches, *outputs, err);
    lc_session_destroy(a);
    lc_session_destroy(b);
    lc_quant_forget(from);
    lc_quant_forget(to);
    return status;
}

static lc_status count_bytes(void *user, const void *data, size_t size, lc_error *err) {
    (void)user;
    (void)data;
    (void)size;
    (void)err;
    return LC_OK;
}

lc_status lc_quant_file_size(const lc_model *m, uint64_t *size, lc_error *err) {
    const lc_sink nowhere = {.write = count_bytes};
    return lc_emit_tflite(m, &nowhere, size, err);
}

/* ---- the report ---------------------------------------------------------------------------------------------------------------- */

static void print_text(const lc_quantize_report *r, lc_text *out) {
    char a[32], b[32];
    const lc_quant_report *d = &r->did;
    lc_text_printf(out, "quantised %" PRIu32 " of %" PRIu32 " operators", d->integer + d->weights, d->operators);
    if (d->weights && d->integer)
        lc_text_printf(out, " (%" PRIu32 " to integers, %" PRIu32 " in their weights alone)", d->integer, d->weights);
    else if (d->weights) lc_text_add(out, " (their weights; the arithmetic stays float)");
    if (d->ports && !d->integer && !d->weights) lc_text_printf(out, "; of the inputs and outputs %" PRIu32 " became integers", d->ports);
    if (d->floats.count) lc_text_add(out, "; these stayed float:");
    lc_text_add(out, "\n");
    lc_quant_notes_print(&d->floats, "  ", out);
    if (d->hybrid.count) lc_text_add(out, "only the weights of these are integers:\n");
    lc_quant_notes_print(&d->hybrid, "  ", out);
    if (d->wider.count) lc_text_add(out, "not as small as asked for:\n");
    lc_quant_notes_print(&d->wider, "  ", out);
    lc_text_printf(out, "size %s -> %s (%.1f %%)\n", lc_sized(r->before, a), lc_sized(r->after, b),
                   r->before ? 100.0 * (double)r->after / (double)r->before : 0);
    if (r->samples) lc_text_printf(out, "ranges from %" PRIu64 " sample%s\n", r->samples, r->samples == 1 ? "" : "s");
    if (r->equalized && r->pairs) lc_text_printf(out, "equalised %" PRIu32 " pair%s of layers\n", r->pairs, r->pairs == 1 ? "" : "s");
    else if (r->equalized) lc_text_add(out, "equalised nothing: no two layers are joined by RELU or nothing alone\n");
    for (size_t i = 0; i < r->output_count; i++) {
        const lc_output_error *e = &r->outputs[i];
        lc_text_add(out, "output ");
        lc_text_add_safe(out, e->name, strlen(e->name));
        if (e->noise > 0) lc_text_printf(out, ": %.1f dB signal to noise, largest error %.3g", lc_output_error_db(e), e->most);
        if (e->noise > 0 && e->step > 0) lc_text_printf(out, ", %.1f of its steps of %.3g", e->most / (double)e->step, (double)e->step);
        if (!(e->noise > 0)) lc_text_add(out, ": no error");
        if (e->wrong) lc_text_printf(out, ", %" PRIu64 " values are NaN or infinite", e->wrong);
        lc_text_add(out, "\n");
    }
}

static void put_text(lc_text *out, const char *key, const char *value) {
    lc_text_printf(out, "\"%s\":", key);
    lc_text_add_json(out, value, strlen(value));
}

static void put_notes(const lc_quant_notes *notes, lc_text *out) {
    for (size_t i = 0; i < notes->count; i++) {
        lc_text_add(out, i ? ",{" : "{");
        put_text(out, "op", notes->items[i].op);
        lc_text_add(out, ",");
        put_text(out, "layer", notes->items[i].layer);
        lc_text_add(out, ",");
        put_text(out, "reason", notes->items[i].reason);
        lc_text_add(out, "}");
    }
}

static void print_json(const lc_quantize_report *r, lc_text *out) {
    const lc_quant_report *d = &r->did;
    lc_text_printf(out,
                   "{\"scheme\":\"%s\",\"operators\":%" PRIu32 ",\"integer\":%" PRIu32 ",\"weights_only\":%" PRIu32 ",\"samples\":%" PRIu64
                   ",\"bytes_before\":%" PRIu64 ",\"bytes_after\":%" PRIu64 ",\"stayed_float\":[",
                   lc_scheme_name(r->scheme), d->operators, d->integer, d->weights, r->samples, r->before, r->after);
    put_notes(&d->floats, out);
    lc_text_add(out, "],\"float_activations\":[");
    put_notes(&d->hybrid, out);
    lc_text_add(out, "],\"wider\":[");
    put_notes(&d->wider, out);
    lc_text_add(out, "],\"outputs\":[");
    for (size_t i = 0; i < r->output_count; i++) {
        const lc_output_error *e = &r->outputs[i];
        lc_text_add(out, i ? ",{" : "{");
        put_text(out, "name", e->name);
        if (e->noise > 0 && e->signal > 0) lc_text_printf(out, ",\"snr_db\":%.3f", lc_output_error_db(e));
        else lc_text_add(out, ",\"snr_db\":null");
        lc_text_printf(out, ",\"max_error\":%.9g,\"step\":%.9g,\"not_finite\":%" PRIu64 "}", e->most, (double)e->step, e->wrong);
    }
    lc_text_add(out, "]}");
}

static lc_status finish_report(lc_quantize_report *r, lc_error *err) {
    lc_text text = {0}, json = {0};
    print_text(r, &text);
    print_json(r, &json);
    r->text = lc_text_take(&text);
    r->json = lc_text_take(&json);
    return r->text && r->json ? LC_OK : lc_fail_memory(err, "report");
}

/* ---- the way ---------------------------------------------------------------------------------------------------------------------- */

/* A file that does not say which shapes are known has scalars where they are empty; one tensor that says so would make inputs of any rank of
 * them. */
static void keep_ranks(const lc_model *like, lc_model *m) {
    if (lc_model_states_ranks(like)) return;
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t t = 0; t < m->graphs[g]->tensor_count; t++) m->graphs[g]->tensors[t].has_rank = false;
}

lc_status lc_quant_prepare(lc_model *model, const lc_quantize_options *o, lc_quant_source *s, lc_error *err) {
    lc_arena temporary = {0};
    lc_recipe *recipe;
    bool integer = false, weights = false;
    *s = (lc_quant_source){.equalized = o->equalize};
    LC_TRY(lc_model_fork(model, &s->model, err));
    lc_status status = lc_quant_widen(s->model, err);
    if (status == LC_OK) status = lc_optimize(s->model, err); /* of a .tflite, too: activations go where they belong */
    if (status == LC_OK) status = lc_recipe_read(o->recipe, &temporary, &recipe, err);
    if (status == LC_OK) status = lc_quant_parts(s->model, o, recipe, err);
    keep_ranks(model, s->model);
    if (status == LC_OK && o->equalize) status = lc_quant_equalize(s->model, &s->pairs, err);
    if (status == LC_OK) status = check_options(s->model, o, recipe, &integer, &weights, err);
    if (status == LC_OK) status = lc_ranges_init(s->model, &s->ranges, err);
    if (status == LC_OK && integer && o->data_count) status = calibrate(s->model, o, &s->ranges, &s->samples, &temporary, err);
    if (status == LC_OK) take_given_ranges(s->model, o, &s->ranges);
    lc_quant_forget(s->model);
    lc_arena_deinit(&temporary);
    if (status) lc_quant_source_deinit(s);
    return status;
}

void lc_quant_source_deinit(lc_quant_source *s) {
    lc_ranges_deinit(&s->ranges);
    lc_model_destroy(s->model); /* a quantised one holds it as long as it needs its constants */
    *s = (lc_quant_source){0};
}

lc_status lc_quant_make(const lc_quant_source *s, const lc_quantize_options *o, lc_quant_report *did, lc_model **to, lc_error *err) {
    lc_recipe *recipe;
    *to = NULL;
    LC_TRY(lc_recipe_read(o->recipe, &did->arena, &recipe, err));
    LC_TRY(lc_model_fork(s->model, to, err));
    lc_quant_job job = {.model = *to,
                        .options = o,
                        .ranges = s->samples || has_default_range(o) || o->input_stat_count ? &s->ranges : NULL,
                        .recipe = recipe,
                        .report = did,
                        .err = err};
    lc_status status = lc_quant_integer(&job);
    if (status == LC_OK) status = lc_quant_weights_only(&job);
    keep_ranks(s->model, *to);
    if (status == LC_OK) return LC_OK;
    lc_model_destroy(*to);
    *to = NULL;
    return status;
}

/* The notes on one line; freed by the caller, NULL when memory is out. */
static char *notes_in_line(const lc_quant_report *did) {
    lc_text why = {0};
    lc_quant_notes_print(&did->floats, " ", &why);
    char *line = lc_text_take(&why);
    for (char *p = line; p && *p; p++)
        if (*p == '\n') *p = p[1] ? ';' : 0;
    return line;
}

static lc_status only_integers(const lc_quant_report *did, lc_error *err) {
    if (!did->floats.count && !did->weights) return LC_OK;
    char *list = notes_in_line(did);
    lc_fail(err, LC_UNSUPPORTED, "only integers were asked for, but these operators stay float:%s", list ? list : "");
    lc_free(list);
    lc_error_hint(err, "allow floats where there is no integer form (leave out --int8-only), or change the model there");
    return LC_UNSUPPORTED;
}

/* Nothing is not what was asked for, nor are floats where only integers were. */
static lc_status check_done(const lc_quantize_options *o, const lc_quant_report *did, const lc_model *to, lc_error *err) {
    if (did->integer || did->weights || did->ports) {
        if (!o->only_integer) return LC_OK;
        LC_TRY(only_integers(did, err));
        return lc_quant_check_integer(to, err);
    }
    if (!did->operators) {
        lc_fail(err, LC_ARGUMENT, "no operator of the model computes with floats: there is nothing to quantise");
        lc_error_hint(err, "it may be quantised already: litec inspect prints the types; quantise the float model it was made from");
        return LC_ARGUMENT;
    }
    char *why = notes_in_line(did);
    lc_fail(err, LC_ARGUMENT, "no operator changed under %s%s%s", lc_scheme_name(o->scheme), why && why[0] ? ":" : "", why ? why : "");
    lc_free(why);
    if (o->target_runtime)
        lc_error_hint(err, "what an older runtime cannot have stays as it is; name a later one with --target-runtime, or none");
    else lc_error_hint(err, "weights of few elements stay as they are; litec inspect prints what the model holds");
    return LC_ARGUMENT;
}

/* The outputs of one signature behind those of the others. */
static lc_status add_outputs(const lc_quant_source *s, const lc_quantize_options *o, lc_data *data, lc_model *to, lc_quantize_report *r,
                             lc_error *err) {
    lc_output_error *found;
    size_t count;
    LC_TRY(lc_quant_compare(s->model, to, data, COMPARED, o->threads, &r->did.arena, &found, &count, err));
    lc_output_error *all = lc_arena_array(&r->did.arena, r->output_count + count, sizeof *all);
    if (!all) return lc_fail_memory(err, "report");
    if (r->output_count) memcpy(all, r->outputs, r->output_count * sizeof *all);
    if (count) memcpy(all + r->output_count, found, count * sizeof *all);
    r->outputs = all;
    r->output_count += count;
    return LC_OK;
}

static lc_status make_report(const lc_quant_source *s, const lc_quantize_options *o, lc_model *to, lc_quantize_report *r, lc_error *err) {
    r->scheme = o->scheme;
    r->samples = s->samples;
    r->equalized = s->equalized;
    r->pairs = s->pairs;
    for (size_t i = 0; i < o->data_count; i++) LC_TRY(add_outputs(s, o, o->data[i], to, r, err));
    LC_TRY(lc_quant_file_size(s->model, &r->before, err));
    LC_TRY(lc_quant_file_size(to, &r->after, err));
    return finish_report(r, err);
}

lc_status lc_quant_finish(const lc_quant_source *s, const lc_quantize_options *o, lc_model **to, lc_quantize_report **report,
                          lc_error *err) {
    lc_quantize_report *r = lc_calloc(1, sizeof *r);
    if (!r) return lc_fail_memory(err, "report");
    lc_status status = lc_quant_make(s, o, &r->did, to, err);
    if (status == LC_OK) status = check_done(o, &r->did, *to, err);
    if (status == LC_OK && report) status = make_report(s, o, *to, r, err);
    if (status) {
        lc_model_destroy(*to);
        *to = NULL;
    }
    if (status == LC_OK && report) *report = r;
    else lc_quantize_report_destroy(r);
    return status;
}

lc_status lc_model_quantize(lc_model *model, const lc_quantize_options *options, lc_model **quantized, lc_error *err) {
    lc_quant_source source;
    lc_error local;
    if (!err) err = &local;
    lc_error_clear(err);
    if (!quantized) return lc_fail(err, LC_ARGUMENT, "lc_model_quantize needs a place for the model");
    *quantized = NULL;
    if (!model || !options) return lc_fail(err, LC_ARGUMENT, "lc_model_quantize needs a model and options");
    LC_TRY(lc_quant_prepare(model, options, &source, err));
    const lc_status status = lc_quant_finish(&source, options, quantized, options->report, err);
    lc_quant_source_deinit(&source);
    return status;
}
