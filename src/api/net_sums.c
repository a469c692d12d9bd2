/*
 * net_sums.c: the numbers that training follows. The loss of an epoch is the mean over its samples of the batches' losses (Keras's tracker
 * weights a batch by its rows); metrics gather for themselves. Their names come in the order of the alphabet, as Keras prints them.
 */
#include "api/net.h"

#include <stdio.h>
#include <string.h>

void lc_net_sums_reset(lc_net *net, lc_net_sums *sums) {
    memset(sums, 0, sizeof *sums);
    for (uint32_t i = 0; i < net->metric_count; i++) lc_metric_reset(net->metrics[i]);
}

lc_status lc_net_sums_add(lc_net *net, lc_net_sums *sums, const lc_target *targets, uint32_t rows, double loss, const double *losses,
                          lc_error *err) {
    sums->loss += loss * rows;
    for (uint32_t k = 0; k < net->keras->output_count; k++) sums->outputs[k] += losses[k] * rows;
    sums->rows += rows;
    for (uint32_t i = 0; i < net->metric_count; i++) {
        lc_target t = targets[net->metric_output[i]];
        t.weights = NULL; /* metrics count every sample alike */
        t.weight_count = 0;
        LC_TRY(lc_metric_update(net->metrics[i], &t, net->pool, err));
    }
    return LC_OK;
}

size_t lc_net_log_most(const lc_net *net) { return (size_t)net->metric_count + net->keras->output_count + 1; }

static const char *kept_name(lc_net *net, uint32_t k, const char *name) {
    const char *text = lc_arena_printf(&net->arena, "%s_%s", lc_net_output_name(net, k), name);
    return text ? text : name;
}

/* Names of a model with several outputs begin with that of the output. They are made once. */
static const char *name_of(lc_net *net, uint32_t k, const char *name, const char **made) {
    if (net->keras->output_count == 1) return name;
    if (!*made) *made = kept_name(net, k, name);
    return *made;
}

static void put(lc_log *logs, size_t *n, const char *name, double value) {
    size_t at = (*n)++;
    for (; at > 0 && strcmp(logs[at - 1].name, name) > 0; at--) logs[at] = logs[at - 1];
    logs[at] = (lc_log){name, value};
}

size_t lc_net_sums_logs(lc_net *net, const lc_net_sums *sums, lc_log *logs) {
    const double rows = sums->rows ? (double)sums->rows : 1;
    const uint32_t outputs = net->keras->output_count;
    size_t n = 0;
    if (outputs > 1 && !net->log_names) net->log_names = lc_arena_array(&net->arena, outputs + net->metric_count, sizeof *net->log_names);
    put(logs, &n, "loss", sums->loss / rows);
    for (uint32_t k = 0; k < outputs && outputs > 1 && net->log_names; k++)
        put(logs, &n, name_of(net, k, "loss", &net->log_names[k]),
            sums->outputs[k] / rows / (net->loss_weights[k] != 0 ? net->loss_weights[k] : 1));
    for (uint32_t i = 0; i < net->metric_count; i++) {
        const char *name = lc_metric_name(net->metrics[i]), *none = NULL;
        put(logs, &n, name_of(net, net->metric_output[i], name, net->log_names ? &net->log_names[outputs + i] : &none),
            lc_metric_result(net->metrics[i]));
    }
    return n;
}
