/*
 * net_sums.c: the numbers that training follows. The loss of an epoch is the mean over its samples of the batches' losses (Keras's tracker
 * weights a batch by its rows), that of one of several outputs the mean over the batches; metrics gather for themselves. Their names come in the order of the alphabet, as Keras prints them.
 */
#include "api/net.h"

#include <string.h>

void lc_net_sums_reset(lc_net *net, lc_net_sums *sums) {
    memset(sums, 0, sizeof *sums);
    for (uint32_t i = 0; i < net->metric_count; i++) lc_metric_reset(net->metrics[i]);
}

lc_status lc_net_sums_add(lc_net *net, lc_net_sums *sums, const lc_target *targets, uint32_t rows, double loss, const double *losses,
                          lc_error *err) {
    sums->loss += loss * rows;
    for (uint32_t k = 0; k < net->keras->output_count; k++) sums->outputs[k] += losses[k];
    sums->rows += rows;
    sums->batches++;
    for (uint32_t i = 0; i < net->metric_count; i++) {
        lc_target t = targets[net->metric_output[i]];
        if (!net->metric_weighted[i]) { /* it counts every sample alike */
            t.weights = NULL;
            t.weight_count = 0;
        }
        if (!lc_metric_takes_mask(net->metrics[i])) t.mask = (lc_mask){0};
        LC_TRY(lc_metric_update(net->metrics[i], &t, net->pool, err));
    }
    return LC_OK;
}

size_t lc_net_log_most(const lc_net *net) { return (size_t)net->metric_count + net->keras->output_count + 1; }

static void put(lc_log *logs, size_t *n, const char *name, double value) {
    size_t at = (*n)++;
    for (; at > 0 && strcmp(logs[at - 1].name, name) > 0; at--) logs[at] = logs[at - 1];
    logs[at] = (lc_log){name, value};
}

size_t lc_net_sums_logs(lc_net *net, const lc_net_sums *sums, lc_log *logs) {
    const uint32_t outputs = net->keras->output_count;
    size_t n = 0;
    put(logs, &n, "loss", sums->loss / (sums->rows ? (double)sums->rows : 1));
    for (uint32_t k = 0; k < outputs && net->loss_count > 1; k++)
        if (net->losses[k]) put(logs, &n, net->loss_names[k], sums->outputs[k] / (sums->batches ? (double)sums->batches : 1));
    for (uint32_t i = 0; i < net->metric_count; i++) put(logs, &n, net->metric_names[i], lc_metric_result(net->metrics[i]));
    return n;
}
