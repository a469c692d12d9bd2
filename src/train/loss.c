/*
 * Losses over a batch: rows are independent and are shared out to threads; what they give is weighted, masked and added up in order, in
 * double, and the slopes are scaled by what the reduction divides by. Labels that are no class are found before anything is computed.
 *
 * Without a reduction (null, "none") Keras trains on the losses of the rows as they are: the slopes are those of their sum, and what it shows is
 * their mean.
 */
#include "train/loss_impl.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const reductions[] = {"sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", "auto", NULL};

typedef struct kind {
    const char *name;
    lc_loss_row row;
    lc_loss_targets targets;
    const char *activation;
    lc_loss_rows_graph rows;
} kind;

static const kind kinds[] = {
#define LC_LOSS(class, row, targets, activation, rows) {#class, row, LC_TARGETS_##targets, activation, rows},
#include "train/losses.def"
};

static float number_of(lc_config *c, const char *argument) { return lc_config_has(c, argument) ? (float)lc_config_number(c, argument) : 0; }

/* alpha of each class. */
static void read_alphas(lc_loss *l, lc_config *c) {
    const lc_json *v = lc_config_json(c, "alpha");
    if (!lc_json_is(v, LC_JSON_ARRAY) || c->status != LC_OK) return;
    if (!v->count || v->count > 65536) lc_config_fail(c, "alpha has %u numbers, needs one for each class", v->count);
    else c->status = lc_floats_reserve(&l->alphas, v->count, c->err);
    for (uint32_t i = 0; i < v->count && c->status == LC_OK; i++) {
        const double one = v->items[i].kind == LC_JSON_INT || v->items[i].kind == LC_JSON_REAL ? v->items[i].real : (double)NAN;
        if (!isfinite(one)) lc_config_fail(c, "alpha has a value that is not a finite number");
        l->alphas.data[i] = (float)one;
    }
    l->options.alphas = l->alphas.data;
    l->options.alpha_count = v->count;
}

static void read_axes(lc_loss *l, lc_config *c) {
    double axes[LC_MAX_RANK];
    l->axis_count = lc_config_numbers(c, "axis", LC_MAX_RANK, axes);
    for (uint32_t i = 0; i < l->axis_count; i++) {
        if (axes[i] != floor(axes[i]) || fabs(axes[i]) > LC_MAX_RANK) lc_config_fail(c, "axis %g", axes[i]);
        else l->axes[i] = (int32_t)axes[i];
    }
    l->options.samples = l->axis_count > 0;
}

static void read_options(lc_loss *l, lc_config *c, const lc_array *y_pred) {
    lc_loss_options *o = &l->options;
    o->from_logits = lc_config_has(c, "from_logits") && lc_config_flag(c, "from_logits");
    o->balance = lc_config_has(c, "apply_class_balancing") && lc_config_flag(c, "apply_class_balancing");
    o->smoothing = lc_config_has(c, "label_smoothing") ? (float)lc_config_between(c, "label_smoothing", 0, 1) : 0;
    read_alphas(l, c);
    o->alpha = o->alphas ? 0 : number_of(c, "alpha");
    o->q = number_of(c, "q");
    if (o->q != 0 && !(o->q > 0 && o->q < 1)) lc_config_fail(c, "q is %g, it must lie between 0 and 1", (double)o->q);
    o->beta = number_of(c, "beta");
    o->gamma = number_of(c, "gamma");
    o->delta = number_of(c, "delta");
    l->ignore = lc_config_has(c, "ignore_class") ? lc_config_integer(c, "ignore_class") : LC_NONE;
    if (c->class.kind == LC_CLASS_LOSS) { /* a metric is always a mean */
        const bool none = lc_json_is(lc_json_get(c->json, "reduction"), LC_JSON_NULL);
        const int word = none ? (int)LC_NO_REDUCTION : lc_config_word(c, "reduction", reductions);
        l->reduction = word == 5 ? LC_SUM_OVER_BATCH_SIZE : (lc_loss_reduction)word;
    }
    if (l->targets == LC_TARGETS_WHOLE) {
        read_axes(l, c);
        return;
    }
    const int64_t axis = lc_config_has(c, "axis") ? lc_config_integer(c, "axis") : -1;
    if (axis != -1 && !(y_pred && axis == y_pred->rank - 1) && c->status == LC_OK) {
        c->status = lc_fail(c->err, LC_UNSUPPORTED, "%s: axis %lld", c->class.name, (long long)axis);
        lc_error_hint(c->err, "classes must lie along the last axis: put a Permute or Reshape layer before it");
    }
}

static const kind *kind_named(const char *class) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, class) == 0) return &kinds[i];
    return NULL;
}

static const kind *kind_of(const lc_config *c) {
    if (strcmp(c->class.name, "LogCoshError") == 0) return kind_named("LogCosh"); /* metrics of another name than the loss */
    return kind_named(strcmp(c->class.name, "RootMeanSquaredError") == 0 ? "MeanSquaredError" : c->class.name);
}

static void become(lc_loss *l, const kind *k) {
    l->row = k->row;
    l->targets = k->targets;
    l->activation = k->activation;
    l->rows = k->rows;
}

static lc_status create(const kind *k, lc_config *c, const lc_array *y_pred, lc_loss **loss) {
    lc_loss *l = lc_calloc(1, sizeof *l);
    if (!l) return lc_fail_memory(c->err, "a loss");
    char buffer[64];
    snprintf(l->name, sizeof l->name, "%s", lc_config_name(c, buffer));
    become(l, k);
    read_options(l, c, y_pred);
    if (c->status == LC_OK) *loss = l;
    else lc_loss_destroy(l);
    return c->status;
}

lc_status lc_loss_of_metric(lc_config *c, const lc_array *y_pred, lc_loss **loss) {
    const kind *k = kind_of(c);
    *loss = NULL;
    return k ? create(k, c, y_pred, loss) : LC_OK;
}

lc_status lc_loss_create(const lc_json *object, const lc_array *y_true, const lc_array *y_pred, lc_loss **loss, lc_error *err) {
    *loss = NULL;
    lc_config c;
    LC_TRY(lc_config_open(LC_CLASS_LOSS, object, &c, err));
    LC_TRY(create(kind_of(&c), &c, y_pred, loss));
    if (!lc_json_is(object, LC_JSON_STRING)) return LC_OK;
    snprintf((*loss)->name, sizeof(*loss)->name, "%s", object->string); /* it is called as it was asked for */
    (*loss)->undecided = strcasecmp(object->string, "crossentropy") == 0 || strcasecmp(object->string, "ce") == 0;
    if (y_true && y_pred) lc_loss_decide(*loss, y_true, y_pred);
    return LC_OK;
}

void lc_loss_decide(lc_loss *l, const lc_array *y_true, const lc_array *y_pred) {
    static const char *const classes[] = {"BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy"};
    if (!l->undecided) return;
    l->undecided = false;
    become(l, kind_named(classes[lc_label_kind_of(y_true, y_pred)]));
}

void lc_loss_destroy(lc_loss *l) {
    if (!l) return;
    lc_floats_deinit(&l->labels);
    lc_floats_deinit(&l->values);
    lc_floats_deinit(&l->alphas);
    lc_free(l);
}

const char *lc_loss_name(const lc_loss *l) { return l->name; }
bool lc_loss_is_sparse(const lc_loss *l) { return l->targets == LC_TARGETS_CLASSES; }
const char *lc_loss_activation(const lc_loss *l) { return l->undecided ? NULL : l->activation; }
bool lc_loss_reads_behind(const lc_loss *l, const char *activation) {
    const char *own = lc_loss_activation(l);
    if (!own) return false;
    const bool either = l->row == lc_row_binary || l->row == lc_row_categorical || l->row == lc_row_sparse;
    return strcmp(own, activation) == 0 || (either && (strcmp(activation, "softmax") == 0 || strcmp(activation, "sigmoid") == 0));
}
void lc_loss_take_logits(lc_loss *l) { l->options.from_logits = true; }

/* ---- a batch ------------------------------------------------------------------------------------------------------ */

typedef struct batch {
    const lc_loss *loss;
    const lc_target *target;
    const float *labels, *pred;
    float *values, *gradient;
    size_t rows, width;
    double scale;     /* of the gradient: what the reduction divides by */
    float mask_scale; /* weight of a row that is not masked */
} batch;

static bool counts(const batch *b, size_t row) {
    if (b->loss->targets == LC_TARGETS_WHOLE) return true;
    if (!lc_target_counts(b->target, row, b->rows)) return false;
    return b->loss->targets != LC_TARGETS_CLASSES || b->loss->ignore == LC_NONE || (int64_t)b->labels[row] != b->loss->ignore;
}

/* Of a loss that is one number of the whole batch. */
static float mean_weight(const lc_target *t) {
    double sum = 0;
    for (size_t i = 0; t->weights && i < t->weight_count; i++) sum += (double)t->weights[i];
    return t->weights ? (float)(sum / (double)t->weight_count) : 1;
}

/* Weight of a row in the sum. */
static float weight_of(const batch *b, size_t row) {
    if (b->loss->targets == LC_TARGETS_WHOLE && !b->loss->options.samples) return mean_weight(b->target);
    return counts(b, row) ? lc_target_weight(b->target, row, b->rows) * b->mask_scale : 0;
}

static void run_rows(void *arg, int64_t from, int64_t to, int32_t thread) {
    (void)thread;
    const batch *b = arg;
    const lc_loss *l = b->loss;
    const bool classes = l->targets == LC_TARGETS_CLASSES;
    for (int64_t row = from; row < to; row++) {
        float *g = b->gradient ? b->gradient + (size_t)row * b->width : NULL;
        if (classes && !counts(b, (size_t)row)) {
            b->values[row] = 0;
            for (size_t i = 0; g && i < b->width; i++) g[i] = 0;
            continue;
        }
        const float *t = b->labels + (classes ? (size_t)row : (size_t)row * b->width);
        b->values[row] = l->row(&l->options, t, classes ? (int64_t)*t : 0, b->pred + (size_t)row * b->width, g, b->width);
        const float scale = g ? (float)(b->scale * (double)weight_of(b, (size_t)row)) : 0;
        for (size_t i = 0; g && i < b->width; i++) g[i] = scale != 0 ? g[i] * scale : 0;
    }
}

/* Are all labels classes? */
static lc_status check_labels(const batch *b, lc_error *err) {
    for (size_t row = 0; row < b->rows; row++) {
        const float label = b->labels[row];
        if (!counts(b, row) || (label >= 0 && label < (float)b->width)) continue;
        lc_fail(err, LC_ARGUMENT, "%s: label %g of row %zu of the batch is none of the %zu classes, 0 to %zu", b->loss->name, (double)label,
                row, b->width, b->width - 1);
        lc_error_hint(err, "the last layer needs a unit for each class, and classes are counted from 0");
        return LC_ARGUMENT;
    }
    return LC_OK;
}

lc_status lc_loss_check_axes(const lc_loss *l, int32_t rank, lc_error *err) {
    uint32_t found = 0; /* bit d: dimension d */
    for (uint32_t i = 0; i < l->axis_count; i++) {
        const int32_t axis = l->axes[i] < 0 ? l->axes[i] + rank : l->axes[i];
        if (axis >= 0 && axis < rank) found |= 1U << axis;
    }
    if (rank > 0 && found == (1U << rank) - 2) return LC_OK;
    lc_fail(err, LC_UNSUPPORTED, "%s: its axes are not all of the output's dimensions but the batch", l->name);
    lc_error_hint(err, "litec computes it of the whole batch (no axis) or of each sample (of an output of 4 dimensions: axis (1, 2, 3))");
    return LC_UNSUPPORTED;
}

static lc_status open_batch(lc_loss *l, const lc_target *target, float *gradient, batch *b, lc_error *err) {
    if (l->undecided) {
        lc_loss_decide(l, target->y_true, target->y_pred);
        l->activation = NULL; /* it has been given what comes after it */
    }
    LC_TRY(lc_target_check(target, l->targets != LC_TARGETS_CLASSES, l->name, err));
    *b = (batch){.loss = l, .target = target, .pred = target->y_pred->data, .gradient = gradient, .mask_scale = 1, .scale = 1};
    b->width = lc_array_width(target->y_pred);
    if (l->targets == LC_TARGETS_WHOLE) b->width = lc_array_count(target->y_pred);
    if (l->options.samples) LC_TRY(lc_loss_check_axes(l, target->y_pred->rank, err));
    if (l->options.samples && target->y_pred->dims[0]) b->width /= (size_t)target->y_pred->dims[0];
    b->rows = b->width ? lc_array_count(target->y_pred) / b->width : 0;
    if (l->options.samples &&
        ((target->mask.data && target->mask.count != b->rows) || (target->weights && target->weight_count != b->rows)))
        return lc_fail(err, LC_UNSUPPORTED, "%s: its rows are whole samples, a mask or weights of steps do not fit them", l->name);
    if (l->options.alphas && l->options.alpha_count != b->width)
        return lc_fail(err, LC_ARGUMENT, "%s: alpha has %u numbers, the output %zu classes", l->name, l->options.alpha_count, b->width);
    LC_TRY(lc_floats_of(target->y_true, &l->labels, &b->labels, err));
    LC_TRY(lc_floats_reserve(&l->values, b->rows + 1, err));
    b->values = l->values.data;
    if (l->targets == LC_TARGETS_CLASSES) LC_TRY(check_labels(b, err));
    if (l->targets == LC_TARGETS_SIGNS) {
        l->options.signs = true;
        for (size_t i = 0; i < b->rows * b->width; i++) l->options.signs &= b->labels[i] == 0 || b->labels[i] == 1;
    }
    return LC_OK;
}

static void run_batch(batch *b, lc_pool *pool) {
    const int64_t grain = b->width < 4096 ? (int64_t)(4096 / b->width) : 1;
    lc_pool_run(pool, (int64_t)b->rows, grain, run_rows, b);
}

/* What the sum is divided by. With rows that do not count, a mean is over those that do. */
static double divisor_of(batch *b) {
    const lc_loss *l = b->loss;
    size_t valid = 0;
    double weights = 0;
    for (size_t row = 0; row < b->rows; row++) {
        valid += counts(b, row);
        weights += (double)weight_of(b, row);
    }
    if (l->reduction == LC_SUM || l->reduction == LC_NO_REDUCTION) return 1;
    if (l->reduction == LC_MEAN_WITH_SAMPLE_WEIGHT) return weights;
    if (valid != b->rows) b->mask_scale = valid ? (float)b->rows / (float)valid : 0;
    return (double)b->rows;
}

lc_status lc_loss_run(lc_loss *l, const lc_target *target, float factor, lc_pool *pool, double *total, float *gradient, lc_error *err) {
    batch b;
    *total = 0;
    LC_TRY(open_batch(l, target, gradient, &b, err));
    if (b.rows == 0) return LC_OK;
    const double divisor = divisor_of(&b);
    b.scale = divisor != 0 ? (double)factor / divisor : 0;
    run_batch(&b, pool);
    double sum = 0;
    for (size_t row = 0; row < b.rows; row++) {
        const float weight = weight_of(&b, row);
        if (weight != 0) sum += (double)(b.values[row] * weight);
    }
    *total = sum * b.scale / (l->reduction == LC_NO_REDUCTION ? (double)b.rows : 1);
    return LC_OK;
}

lc_status lc_loss_rows(lc_loss *l, const lc_target *target, lc_pool *pool, const float **rows, lc_error *err) {
    batch b;
    LC_TRY(open_batch(l, target, NULL, &b, err));
    if (b.rows) run_batch(&b, pool);
    *rows = b.values;
    return LC_OK;
}
