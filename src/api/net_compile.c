/*
 * net_compile.c: how a model learns: optimizer, losses, metrics. They are kept as the JSON that Keras has in compile_config, whether they come
 * from C or from a file, and made from it: a model that was saved and opened again goes on as if it had been compiled.
 */
#include "api/net.h"

#include "train/config.h"

#include <string.h>

void lc_net_compiled_deinit(lc_net *net) {
    const uint32_t n = net->keras ? net->keras->output_count : 0;
    lc_optimizer_destroy(net->optimizer);
    for (uint32_t i = 0; net->losses && i < n; i++) lc_loss_destroy(net->losses[i]);
    lc_free(net->losses);
    lc_free(net->loss_weights);
    for (uint32_t i = 0; i < net->metric_count; i++) lc_metric_destroy(net->metrics[i]);
    lc_free(net->metrics);
    lc_free(net->metric_output);
    lc_free(net->metric_weighted);
    net->metrics = NULL;
    net->metric_weighted = NULL;
    net->metric_names = net->loss_names = NULL;
    net->metric_output = NULL;
    net->metric_count = 0;
    net->loss_count = 0;
    net->optimizer = NULL;
    net->losses = NULL;
    net->loss_weights = NULL;
    net->compiled = NULL;
}

/* ---- from C to JSON ---------------------------------------------------------------------------------------------------- */

/* By name where only a name was given, as Keras keeps it. */
static lc_status write_object(lc_class_kind kind, const lc_object *o, lc_text *out, lc_error *err) {
    if (!o->class_name) return lc_text_add(out, "null"), LC_OK;
    if (o->options || o->config || kind == LC_CLASS_OPTIMIZER) return lc_object_write(kind, o, out, err);
    lc_class class;
    const bool free_name = strcmp(o->class_name, "accuracy") == 0 || strcmp(o->class_name, "acc") == 0 ||
                           strcmp(o->class_name, "crossentropy") == 0 || strcmp(o->class_name, "ce") == 0;
    if (!free_name) {
        lc_class_kind found = kind;
        if (kind == LC_CLASS_METRIC && !lc_class_find(kind, o->class_name, &class) && lc_class_find(LC_CLASS_LOSS, o->class_name, &class))
            found = LC_CLASS_LOSS; /* every loss is a metric, too */
        LC_TRY(lc_class_named(found, o->class_name, &class, err));
    }
    lc_text_add_json(out, o->class_name, strlen(o->class_name));
    return LC_OK;
}

static lc_status append_metrics(const lc_object *list, bool *any, lc_text *out, lc_error *err) {
    for (uint32_t i = 0; list && list[i].class_name; i++, *any = true) {
        if (*any) lc_text_add(out, ", ");
        LC_TRY(write_object(LC_CLASS_METRIC, &list[i], out, err));
    }
    return LC_OK;
}

/* The metrics of every output and those of each; with several outputs as a list for each. */
static lc_status write_metrics(uint32_t n, const lc_object *all, const lc_object *const *each, lc_text *out, lc_error *err) {
    bool none = !all || !all->class_name;
    for (uint32_t k = 0; each && k < n; k++) none &= !each[k] || !each[k]->class_name;
    if (none) return lc_text_add(out, "null"), LC_OK;
    lc_text_add(out, "[");
    for (uint32_t k = 0; k < n; k++) {
        bool any = false;
        if (n > 1) lc_text_add(out, k ? ", [" : "[");
        LC_TRY(append_metrics(all, &any, out, err));
        if (each) LC_TRY(append_metrics(each[k], &any, out, err));
        if (n > 1) lc_text_add(out, "]");
    }
    lc_text_add(out, "]");
    return LC_OK;
}

/* What the model is compiled with, when that is to stay; false: it is to be written anew. */
static bool write_kept(const lc_net *net, const lc_compile_options *o, const char *key, bool given, lc_text *out) {
    if (given || !o->keep || !net->compiled) return false;
    const lc_json *kept = lc_json_get(net->compiled, key);
    if (kept) lc_json_write(kept, out);
    else lc_text_add(out, "null");
    return true;
}

static lc_status write_compiled(const lc_net *net, const lc_compile_options *o, lc_text *out, lc_error *err) {
    const uint32_t n = net->keras->output_count;
    const lc_object rmsprop = {.class_name = "rmsprop"};
    const bool loss = o->losses || o->loss.class_name;
    lc_text_add(out, "{\"optimizer\": ");
    if (!write_kept(net, o, "optimizer", o->optimizer.class_name != NULL, out))
        LC_TRY(write_object(LC_CLASS_OPTIMIZER, o->optimizer.class_name ? &o->optimizer : &rmsprop, out, err));
    lc_text_add(out, ", \"loss\": ");
    const bool same_loss = write_kept(net, o, "loss", loss, out);
    if (!same_loss && o->losses) {
        lc_text_add(out, "[");
        for (uint32_t i = 0; i < n; i++) {
            if (i) lc_text_add(out, ", ");
            LC_TRY(write_object(LC_CLASS_LOSS, &o->losses[i], out, err));
        }
        lc_text_add(out, "]");
    } else if (!same_loss) {
        LC_TRY(write_object(LC_CLASS_LOSS, &o->loss, out, err));
    }
    lc_text_add(out, ", \"loss_weights\": ");
    const bool same_weights = write_kept(net, o, "loss_weights", loss || o->loss_weights, out);
    if (!same_weights && o->loss_weights) {
        lc_text_add(out, "[");
        for (uint32_t i = 0; i < n; i++) {
            if (i) lc_text_add(out, ", ");
            lc_text_add_number(out, o->loss_weights[i]);
        }
        lc_text_add(out, "]");
    } else if (!same_weights) {
        lc_text_add(out, "null");
    }
    lc_text_add(out, ", \"metrics\": ");
    if (!write_kept(net, o, "metrics", o->metrics || o->output_metrics, out))
        LC_TRY(write_metrics(n, o->metrics, o->output_metrics, out, err));
    lc_text_add(out, ", \"weighted_metrics\": ");
    if (!write_kept(net, o, "weighted_metrics", o->weighted_metrics != NULL, out))
        LC_TRY(write_metrics(n, o->weighted_metrics, NULL, out, err));
    lc_text_add(out, ", \"run_eagerly\": false, \"steps_per_execution\": 1, \"jit_compile\": false}");
    return out->failed ? lc_fail_memory(err, "a configuration") : LC_OK;
}

/* ---- from JSON to what it names ------------------------------------------------------------------------------------------ */

/* What is said of output k: one for all, a list, or an object by the outputs' names. */
static const lc_json *of_output(const lc_net *net, const lc_json *v, uint32_t k, bool list_is_all) {
    const bool nested = lc_json_is(v, LC_JSON_ARRAY) && v->count && v->items[0].kind == LC_JSON_ARRAY; /* Keras 2: a list for each */
    if (lc_json_is(v, LC_JSON_ARRAY) && (!list_is_all || nested)) return lc_json_at(v, k);
    if (lc_json_is(v, LC_JSON_OBJECT) && !lc_json_get(v, "class_name")) return lc_json_get(v, lc_net_output_name(net, k));
    return v;
}

static lc_status make_losses(lc_net *net, lc_error *err) {
    const uint32_t n = net->keras->output_count;
    const lc_json *loss = lc_json_get(net->compiled, "loss"), *weights = lc_json_get(net->compiled, "loss_weights");
    net->losses = lc_calloc(n, sizeof(lc_loss *));
    net->loss_weights = lc_calloc(n, sizeof *net->loss_weights);
    if (!net->losses || !net->loss_weights) return lc_fail_memory(err, "losses");
    for (uint32_t k = 0; k < n; k++) {
        const lc_json *one = of_output(net, loss, k, false), *weight = of_output(net, weights, k, false);
        if (lc_config_is_none(one)) continue; /* nothing is learned from this output */
        LC_TRY(lc_loss_create(one, NULL, NULL, &net->losses[k], err));
        net->loss_count++;
        net->loss_weights[k] = weight && (weight->kind == LC_JSON_REAL || weight->kind == LC_JSON_INT) ? (float)weight->real : 1;
    }
    if (net->loss_count) return LC_OK;
    lc_fail(err, LC_ARGUMENT, "no loss is given for output \"%.100s\"", lc_net_output_name(net, 0));
    lc_error_hint(err, "compile the model with a loss, e.g. \"mse\" or \"sparse_categorical_crossentropy\"");
    return LC_ARGUMENT;
}

static uint32_t metrics_of(const lc_json *of) { return lc_json_is(of, LC_JSON_ARRAY) ? of->count : lc_config_is_none(of) ? 0 : 1; }

/* Adds the metrics that `of_all`, an argument of compile(), names. */
static lc_status add_metrics(lc_net *net, const lc_json *of_all, bool weighted, lc_error *err) {
    const uint32_t n = net->keras->output_count;
    for (uint32_t k = 0; k < n; k++) {
        const lc_json *of = of_output(net, of_all, k, n == 1);
        for (uint32_t i = 0, many = metrics_of(of); i < many; i++) {
            const lc_json *one = lc_json_is(of, LC_JSON_ARRAY) ? lc_json_at(of, i) : of;
            LC_TRY(lc_metric_create(one, NULL, NULL, &net->metrics[net->metric_count], err));
            net->metric_output[net->metric_count] = k;
            net->metric_weighted[net->metric_count++] = weighted;
        }
    }
    return LC_OK;
}

static bool is_taken(const lc_net *net, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(net->metric_names[i], name) == 0) return true;
    return false;
}

/* The name that Keras shows: with several outputs it begins with the output's; one that is there already is "weighted_", then numbered. */
static const char *shown_name(lc_net *net, uint32_t i) {
    const char *own = lc_metric_name(net->metrics[i]);
    const bool several = net->keras->output_count > 1;
    const char *output = several ? lc_net_output_name(net, net->metric_output[i]) : "", *dash = several ? "_" : "";
    const char *name = several ? lc_arena_printf(&net->arena, "%s_%s", output, own) : own;
    if (name && net->metric_weighted[i] && is_taken(net, i, name))
        name = lc_arena_printf(&net->arena, "%s%sweighted_%s", output, dash, own);
    const char *base = name;
    for (uint32_t again = 1; name && is_taken(net, i, name); again++) name = lc_arena_printf(&net->arena, "%s_%u", base, again);
    return name;
}

static lc_status name_all(lc_net *net, lc_error *err) {
    const uint32_t n = net->keras->output_count;
    net->metric_names = lc_arena_array(&net->arena, net->metric_count + 1, sizeof *net->metric_names);
    net->loss_names = lc_arena_array(&net->arena, n + 1, sizeof *net->loss_names);
    if (!net->metric_names || !net->loss_names) return lc_fail_memory(err, "names");
    for (uint32_t i = 0; i < net->metric_count; i++)
        if (!(net->metric_names[i] = shown_name(net, i))) return lc_fail_memory(err, "names");
    for (uint32_t k = 0; k < n; k++)
        if (!(net->loss_names[k] = lc_arena_printf(&net->arena, "%s_loss", lc_net_output_name(net, k))))
            return lc_fail_memory(err, "names");
    return LC_OK;
}

static lc_status make_metrics(lc_net *net, lc_error *err) {
    const uint32_t n = net->keras->output_count;
    const lc_json *lists[2] = {lc_json_get(net->compiled, "metrics"), lc_json_get(net->compiled, "weighted_metrics")};
    uint32_t count = 1;
    for (int w = 0; w < 2; w++)
        for (uint32_t k = 0; k < n; k++) count += metrics_of(of_output(net, lists[w], k, n == 1));
    net->metrics = lc_calloc(count, sizeof(lc_metric *));
    net->metric_output = lc_calloc(count, sizeof *net->metric_output);
    net->metric_weighted = lc_calloc(count, sizeof *net->metric_weighted);
    if (!net->metrics || !net->metric_output || !net->metric_weighted) return lc_fail_memory(err, "metrics");
    for (int w = 0; w < 2; w++) LC_TRY(add_metrics(net, lists[w], w == 1, err));
    return name_all(net, err);
}

lc_status lc_net_make_compiled(lc_net *net, const lc_json *compiled, lc_error *err) {
    lc_net_steps_forget(net);
    lc_net_compiled_deinit(net);
    net->compiled = compiled;
    static const lc_json rmsprop = {.kind = LC_JSON_STRING, .string = "rmsprop"}; /* what compile() takes where a file names none */
    const lc_json *optimizer = lc_json_get(compiled, "optimizer");
    if (lc_config_is_none(optimizer)) optimizer = &rmsprop;
    lc_status status = lc_optimizer_create(optimizer, net->variables, net->variable_count, &net->optimizer, err);
    if (status == LC_OK) status = make_losses(net, err);
    if (status == LC_OK) status = make_metrics(net, err);
    if (status != LC_OK) lc_net_compiled_deinit(net);
    else net->uncompiled = (lc_error){0};
    return status;
}

lc_status lc_compile(lc_net *net, const lc_compile_options *options, lc_error *err) {
    static const lc_compile_options defaults = {0};
    const lc_compile_options *o = options ? options : &defaults;
    LC_TRY(lc_net_build(net, err));
    lc_text text = {0};
    const lc_json *root = NULL;
    if (o->keep && !o->losses && !o->loss.class_name) LC_TRY(lc_net_is_compiled(net, err));
    lc_status status = write_compiled(net, o, &text, err);
    if (status == LC_OK) {
        const char *kept = lc_arena_strndup(&net->arena, text.data, text.size);
        status = kept ? lc_json_parse(kept, text.size, &net->budget, &net->arena, &root, err) : lc_fail_memory(err, "a configuration");
    }
    lc_text_deinit(&text);
    if (status != LC_OK) return status;
    lc_optimizer *kept = o->keep && !o->optimizer.class_name ? net->optimizer : NULL; /* with its state */
    if (kept) net->optimizer = NULL;
    status = lc_net_make_compiled(net, root, err);
    if (kept && status == LC_OK) {
        lc_optimizer_destroy(net->optimizer);
        net->optimizer = kept;
    } else {
        lc_optimizer_destroy(kept);
    }
    return status;
}

lc_status lc_net_is_compiled(const lc_net *net, lc_error *err) {
    if (net && net->keras && net->optimizer) return LC_OK;
    if (net && net->uncompiled.status != LC_OK) {
        lc_fail(err, net->uncompiled.status, "how the file says the model learns (compile): %s", net->uncompiled.message);
        lc_error_hint(err, "%s%slc_compile (litec train --optimizer, --loss) says it anew", net->uncompiled.hint,
                      *net->uncompiled.hint ? "; " : "");
        return net->uncompiled.status;
    }
    lc_fail(err, LC_ARGUMENT, "the model is not compiled");
    lc_error_hint(err, "call lc_compile(net, ...) with an optimizer and a loss first");
    return LC_ARGUMENT;
}

double lc_net_learning_rate(const lc_net *net) { return net && net->optimizer ? lc_optimizer_learning_rate(net->optimizer) : 0; }

lc_status lc_net_set_learning_rate(lc_net *net, double rate, lc_error *err) {
    LC_TRY(lc_net_is_compiled(net, err));
    return lc_optimizer_set_learning_rate(net->optimizer, (float)rate, err);
}
