/*
 * callback_prune.c: pruning while a model trains, as tfmot's PruneLowMagnitude does it (Zhu and Gupta, "To prune, or not to prune", 2017): every
 * `frequency` steps each kernel's smallest weights are masked, and masked weights are zero in each step. Nothing has to be stripped afterwards:
 * what remains is the model with zeros in it.
 *
 *   sparsity of step t    constant   s                                                       from begin_step on
 *                         polynomial s + (initial - s) (1 - (t - begin) / (end - begin))^power   from begin_step to end_step
 *
 * A weight may come back: a mask is made of the weights as they are, and those that were masked learn on until the next multiplication. The masks
 * are what a backup keeps (callback.h).
 */
#include "api/callback.h"

#include "quant/prune.h"

#include <math.h>
#include <string.h>

typedef struct pruning {
    lc_watch watch; /* tally->kept: the masks of all kernels, one after the other, 1 or 0 */
    lc_prune_low_magnitude_options o;
    char *layers; /* owned */
    lc_sparsity goal;
} pruning;

/* Kernels of layers that tfmot prunes; of separable convolutions only the pointwise one, and no table of normalisation. */
static bool is_pruned(const pruning *s, const lc_net_variable *v) {
    static const char *const names[] = {"kernel", "recurrent_kernel", "pointwise_kernel", "depthwise_kernel", "embeddings"};
    const char *slash = strrchr(v->path ? v->path : "", '/'), *name = slash ? slash + 1 : v->path;
    char layer[256];
    if (!name || !v->trainable || v->rank < 2 || v->count < 2) return false;
    bool known = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) known = known || strcmp(name, names[i]) == 0;
    snprintf(layer, sizeof layer, "%.*s", slash ? (int)(slash - v->path) : 0, v->path);
    if (strcmp(name, "depthwise_kernel") == 0 && strstr(layer, "separable")) return false;
    return known && (!s->layers || lc_str_fits(lc_str_of(layer), s->layers) || lc_str_fits(lc_str_of(v->path), s->layers));
}

/* At this step; negative: the masks stay as they are. */
static double sparsity_at(const pruning *s, uint64_t step) {
    const lc_prune_low_magnitude_options *o = &s->o;
    const uint64_t frequency = o->frequency ? o->frequency : 100;
    if (step < o->begin_step || (o->end_step && step > o->end_step) || (step - o->begin_step) % frequency != 0) return -1;
    if (!o->polynomial) return s->goal.fraction;
    const double part = (double)(step - o->begin_step) / (double)(o->end_step - o->begin_step), power = o->power != 0 ? o->power : 3;
    return s->goal.fraction + (o->initial_sparsity - s->goal.fraction) * pow(1 - fmin(part, 1), power);
}

/* The weights of a copy that are not zero stay. */
static lc_status make_mask(const pruning *s, const lc_net_variable *v, double sparsity, float *mask, lc_error *err) {
    lc_weights w = {.count = v->count, .data = mask};
    const lc_weights_list list = {.items = &w, .count = 1};
    memcpy(mask, v->value, v->count * sizeof *mask);
    if (s->goal.of) {
        lc_prune_pattern(mask, v->dims, v->rank, v->rank - 2, &s->goal);
    } else {
        const double stay = fmax(nearbyint((double)v->count * (1 - sparsity)), 1); /* as many as tfmot keeps */
        w.sparsity.fraction = ((double)v->count - stay) / (double)v->count;
        LC_TRY(lc_weights_prune(&list, err));
    }
    for (size_t i = 0; i < v->count; i++) mask[i] = mask[i] != 0;
    return LC_OK;
}

/* What is due before the step, then zeros where the masks say so. */
static lc_status prune(pruning *s, const lc_progress *p, lc_error *err) {
    const uint64_t step = (uint64_t)lc_optimizer_iteration(p->net->optimizer);
    const double sparsity = sparsity_at(s, step);
    float *mask = s->watch.tally->kept;
    for (size_t i = 0; i < lc_net_variable_count(p->net); i++) {
        const lc_net_variable v = lc_net_variable_at(p->net, i);
        if (!is_pruned(s, &v)) continue;
        if (sparsity >= 0) LC_TRY(make_mask(s, &v, sparsity, mask, err));
        for (size_t k = 0; k < v.count; k++)
            if (mask[k] == 0) v.value[k] = 0;
        mask += v.count;
    }
    return LC_OK;
}

static lc_status begin(void *user, lc_progress *p, lc_error *err) {
    pruning *s = user;
    size_t n = 0;
    for (size_t i = 0; i < lc_net_variable_count(p->net); i++) {
        const lc_net_variable v = lc_net_variable_at(p->net, i);
        if (is_pruned(s, &v)) n += v.count;
    }
    if (!n) {
        lc_fail(err, LC_ARGUMENT, "no layer with a kernel that learns is called \"%.100s\": there is nothing to prune",
                s->layers ? s->layers : "*");
        lc_error_hint(err, "* stands for any letters, ? for one; lc_net_summary (litec train --summary) lists the layers");
        return LC_ARGUMENT;
    }
    s->watch.tally_size = sizeof *s->watch.tally + n * sizeof(float);
    lc_tally *tally = lc_realloc(s->watch.tally, s->watch.tally_size);
    if (!tally) return lc_fail_memory(err, "the masks of a pruning");
    s->watch.tally = tally;
    for (size_t i = 0; i < n; i++) tally->kept[i] = 1;
    return prune(s, p, err);
}

static lc_status batch_end(void *user, lc_progress *p, lc_error *err) { return prune(user, p, err); }

static void deinit(void *user) { lc_free(((pruning *)user)->layers); }

static lc_status check(const lc_prune_low_magnitude_options *o, lc_sparsity *goal, lc_error *err) {
    const char *text = o && o->sparsity ? o->sparsity : "";
    LC_TRY(lc_sparsity_read(text, strlen(text), goal, err));
    if (!(o->initial_sparsity >= 0 && o->initial_sparsity < 1))
        return lc_fail(err, LC_ARGUMENT, "a pruning begins with a sparsity of %g, needs 0 to less than 1", o->initial_sparsity);
    if (!o->polynomial && !o->end_step) return LC_OK;
    if (o->end_step > o->begin_step && !(o->polynomial && goal->of)) return LC_OK;
    lc_fail(err, LC_ARGUMENT,
            goal->of ? "a pattern of neighbours has no polynomial schedule" : "a pruning ends at step %llu, but begins at %llu",
            (unsigned long long)o->end_step, (unsigned long long)o->begin_step);
    lc_error_hint(err, "steps are batches: epochs times samples / batch; a polynomial needs the last one");
    return LC_ARGUMENT;
}

lc_status lc_prune_low_magnitude(const lc_prune_low_magnitude_options *options, lc_callback *callback, lc_error *err) {
    lc_error local;
    lc_status status;
    lc_sparsity goal;
    *callback = (lc_callback){0};
    if (!err) err = &local;
    lc_error_clear(err);
    LC_TRY(check(options, &goal, err));
    pruning *s = lc_watch_make(sizeof *s, NULL, deinit, &status, err);
    if (!s) return status;
    s->o = *options;
    s->goal = goal;
    *callback = (lc_callback){.on_train_begin = begin, .on_batch_end = batch_end, .memory = lc_watch_memory, .user = s};
    if (options->layers && !(s->layers = lc_watch_text(options->layers))) {
        lc_callback_deinit(callback);
        return lc_fail_memory(err, "a callback");
    }
    return LC_OK;
}
