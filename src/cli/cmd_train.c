/*
 * cmd_train.c: litec train: a model and data in, a trained model out. What is printed is what Keras prints.
 *
 * The model is a file of Keras, a text (docs/training.md) or the name of an application; what was compiled in it counts unless an option says
 * otherwise. The data are those of `litec eval`. Whatever would end a long training in vain is looked at before it.
 */
#include "cli/args.h"
#include "cli/places.h"
#include "litec/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CLASSES = 4096, MOST_CALLBACKS = 8 };

typedef struct values {
    lc_cli_list data, labels, validation, validation_labels, metrics, class_weight;
    const char *output, *on_device, *optimizer, *loss, *weights, *freeze, *csv, *tensorboard, *backup, *best, *checkpoint, *monitor, *prune;
    double class_weights[MOST_CLASSES];
    float rate, scale, split;
    int32_t epochs, batch, threads, steps, patience, backup_steps, verbose, classes, height, width, channels, samples, seed, plateau;
    bool keep_order, quiet, summary, one_hot, restore_best, quantize_aware, skip_corrupt, allow_nan;
    uint64_t max_memory;
} values;

static const lc_cli_option options[] = {
    {"data", 'd', LC_CLI_LIST, offsetof(values, data), "[NAME=]DATA",
     "samples: .npy, .npz, IDX, .csv, TFRecord, a folder of pictures; repeat for more inputs", 0, 0},
    {"labels", 'l', LC_CLI_LIST, offsetof(values, labels), "[NAME=]FILE",
     "what is to be learned: .npy, IDX, text (the labels in the data); of a .csv the column NAME, or its number from 0: 0=FILE.csv", 0, 0},
    {"output", 'o', LC_CLI_STRING, offsetof(values, output), "FILE",
     "the trained model: .keras, .h5 (.hdf5), .weights.h5, .tflite, .ckpt; a name without ending: a SavedModel", 0, 0},
    {"on-device", 0, LC_CLI_STRING, offsetof(values, on_device), "FILE",
     "a .tflite file, too, that goes on learning where it runs, --batch samples a step", 0, 0},
    {"epochs", 'e', LC_CLI_COUNT, offsetof(values, epochs), "N", "times through the data (1)", 1, 1000000},
    {"batch", 'b', LC_CLI_COUNT, offsetof(values, batch), "N", "samples in one step (32)", 1, 65536},
    {"optimizer", 0, LC_CLI_STRING, offsetof(values, optimizer), "NAME", "sgd, adam, rmsprop ... (the model's own, else adam)", 0, 0},
    {"learning-rate", 'r', LC_CLI_NUMBER, offsetof(values, rate), "R", "of the optimizer, above 0 (its default, or that of the model)", 0,
     0},
    {"loss", 0, LC_CLI_STRING, offsetof(values, loss), "NAME", "mse, sparse_categorical_crossentropy ... (the model's own)", 0, 0},
    {"metric", 'm', LC_CLI_LIST, offsetof(values, metrics), "NAME", "accuracy, auc ...; repeat for more (the model's own)", 0, 0},
    {"validation-data", 0, LC_CLI_LIST, offsetof(values, validation), "[NAME=]DATA", "evaluated after each epoch", 0, 0},
    {"validation-labels", 0, LC_CLI_LIST, offsetof(values, validation_labels), "[NAME=]FILE", "of the validation data", 0, 0},
    {"validation-split", 0, LC_CLI_NUMBER, offsetof(values, split), "F",
     "the last part of the data instead, e.g. 0.1; not used beside --validation-data", 0, 0},
    {"scale", 's', LC_CLI_NUMBER, offsetof(values, scale), "F", "multiply the inputs by this: 0.00392157 for pictures (1)", 0, 0},
    {"one-hot", 0, LC_CLI_FLAG, offsetof(values, one_hot), NULL, "classes become vectors; needs --classes", 0, 0},
    {"classes", 0, LC_CLI_COUNT, offsetof(values, classes), "N", "labels must be below (what the model has)", 1, INT32_MAX},
    {"height", 0, LC_CLI_COUNT, offsetof(values, height), "N", "pictures are scaled to this height (the model's)", 1, 65536},
    {"width", 0, LC_CLI_COUNT, offsetof(values, width), "N", "and this width", 1, 65536},
    {"channels", 0, LC_CLI_COUNT, offsetof(values, channels), "N", "colours of pictures, 1 or 3 (the model's)", 1, 3},
    {"samples", 'n', LC_CLI_COUNT, offsetof(values, samples), "N", "train on the first N only (all)", 1, INT32_MAX},
    {"steps", 0, LC_CLI_COUNT, offsetof(values, steps), "N", "steps in an epoch (all of the data)", 1, INT32_MAX},
    {"no-shuffle", 0, LC_CLI_FLAG, offsetof(values, keep_order), NULL, "take the samples in their order", 0, 0},
    {"seed", 0, LC_CLI_COUNT, offsetof(values, seed), "N", "of all random numbers (1): equal seeds give equal bits", 1, INT32_MAX},
    {"weights", 'w', LC_CLI_STRING, offsetof(values, weights), "FILE", "begin with these: .keras, .h5, .weights.h5", 0, 0},
    {"freeze", 0, LC_CLI_STRING, offsetof(values, freeze), "PATTERN", "layers, or weights of a graph, that do not learn: 'conv*'", 0, 0},
    {"threads", 't', LC_CLI_COUNT, offsetof(values, threads), "N", "(one a processor)", 1, 256},
    {"class-weight", 0, LC_CLI_LIST, offsetof(values, class_weight), "CLASS=W", "samples of a class count W times; repeat for more (1)", 0,
     0},
    {"monitor", 0, LC_CLI_STRING, offsetof(values, monitor), "NAME", "what the next four go by: val_accuracy ... (val_loss, else loss)", 0,
     0},
    {"early-stopping", 0, LC_CLI_COUNT, offsetof(values, patience), "N", "stop after N epochs without an improvement", 1, 1000000},
    {"restore-best", 0, LC_CLI_FLAG, offsetof(values, restore_best), NULL, "and end with the weights of the best", 0, 0},
    {"reduce-lr", 0, LC_CLI_COUNT, offsetof(values, plateau), "N", "a tenth of the rate after N epochs without one", 1, 1000000},
    {"best", 0, LC_CLI_STRING, offsetof(values, best), "FILE", "save the best epoch here: .keras, .h5, .weights.h5", 0, 0},
    {"checkpoint", 0, LC_CLI_STRING, offsetof(values, checkpoint), "PATTERN", "save each epoch: 'at-{epoch:02d}-{loss:.3f}.keras'", 0, 0},
    {"backup", 0, LC_CLI_STRING, offsetof(values, backup), "DIR", "save each epoch there; go on from it when run again after a kill", 0, 0},
    {"backup-steps", 0, LC_CLI_COUNT, offsetof(values, backup_steps), "N", "and there every N steps instead", 1, INT32_MAX},
    {"csv", 0, LC_CLI_STRING, offsetof(values, csv), "FILE", "a line an epoch", 0, 0},
    {"tensorboard", 0, LC_CLI_STRING, offsetof(values, tensorboard), "DIR", "events for TensorBoard", 0, 0},
    {"prune", 0, LC_CLI_STRING, offsetof(values, prune), "S", "make this part of each kernel's weights zero while it trains: 0.8, 2:4", 0,
     0},
    {"quantize-aware", 0, LC_CLI_FLAG, offsetof(values, quantize_aware), NULL,
     "compute as the int8 model will; -o OUT.tflite is that model", 0, 0},
    {"summary", 0, LC_CLI_FLAG, offsetof(values, summary), NULL, "print the layers first", 0, 0},
    {"skip-corrupt", 0, LC_CLI_FLAG, offsetof(values, skip_corrupt), NULL,
     "leave out samples that are damaged or hold NaN, and say how many", 0, 0},
    {"allow-nan", 0, LC_CLI_FLAG, offsetof(values, allow_nan), NULL, "take NaN and infinity in samples as they are", 0, 0},
    {"verbose", 'v', LC_CLI_COUNT, offsetof(values, verbose), "N", "0: nothing, 1: a bar, 2: a line an epoch (1 on a terminal, else 2)", 0,
     2},
    {"quiet", 'q', LC_CLI_FLAG, offsetof(values, quiet), NULL, "print nothing", 0, 0},
    {"max-memory", 0, LC_CLI_BYTES, offsetof(values, max_memory), "N[K|M|G]", "memory of a step at most (8G)", 0, 0},
    {0},
};

static void say(void *user, const char *text) {
    (void)user;
    fputs(text, stdout);
    fflush(stdout);
}

/* "[NAME=]FILE" lists as the pipeline takes them. */
static const char *const *listed(lc_cli_list *list) {
    if (!list->count) return NULL;
    list->items[list->count < LC_CLI_LIST_MAX ? list->count : LC_CLI_LIST_MAX - 1] = NULL;
    return list->items;
}

/* The number that was written: 0.2 is not what a float makes of it, and a fifth of 10,000 samples not one more than 2,000. */
static double written(float v) {
    char text[32];
    snprintf(text, sizeof text, "%.7g", (double)v);
    return strtod(text, NULL);
}

/* The size of pictures that was not given is that of the first input which takes some. */
static void take_size(values *v, const lc_net *net) {
    for (uint32_t i = 0;; i++) {
        const lc_array in = lc_net_input_shape(net, i);
        if (!in.rank) return;
        const int32_t channels = in.rank == 4 ? in.dims[3] : 1;
        if ((in.rank != 3 && in.rank != 4) || in.dims[1] < 1 || in.dims[2] < 1 || (channels != 1 && channels != 3)) continue;
        if (!v->height) v->height = in.dims[1];
        if (!v->width) v->width = in.dims[2];
        if (!v->channels) v->channels = channels;
        return;
    }
}

/* Data of its own goes before a part of the others, as in Keras. */
static bool is_split(const values *v) { return !isnan(v->split) && v->split != 0 && !v->validation.count; }

static lc_status open_data(const values *v, lc_cli_list *x, lc_cli_list *y, bool validation, lc_pipeline **p, lc_error *err) {
    lc_transform map[3] = {{0}};
    size_t n = 0;
    if (!isnan(v->scale)) map[n++] = (lc_transform)LC_MAP_SCALE(written(v->scale));
    if (v->one_hot) map[n++] = (lc_transform)LC_MAP_ONE_HOT(v->classes);
    const lc_pipeline_files files = {.x = listed(x), .y = listed(y), .height = v->height, .width = v->width, .channels = v->channels};
    lc_pipeline_options o = {.batch = v->batch ? (uint32_t)v->batch : 32,
                             .shuffle = !validation && !v->keep_order,
                             .seed = v->seed ? (uint64_t)v->seed : 1,
                             .map = map,
                             .prefetch = 2,
                             .threads = v->threads,
                             .take = validation ? 0 : (uint64_t)v->samples,
                             .skip_corrupt = v->skip_corrupt,
                             .allow_nan = v->allow_nan,
                             .limits = {.max_memory = v->max_memory},
                             .classes = v->one_hot ? 0 : v->classes};
    if (is_split(v)) {
        o.split = validation ? LC_SPLIT_VALIDATION : LC_SPLIT_TRAINING;
        o.validation_split = written(v->split);
    }
    return lc_pipeline_from_files(&files, &o, p, err);
}

/* A file, or "ResNet50V2" with the sizes of --height, --width, --channels and --classes. */
static lc_status open_model(const char *name, const values *v, lc_net **net, lc_error *err) {
    const lc_net_options o = {.weights = v->weights, .seed = v->seed ? (uint64_t)v->seed : 1};
    if (access(name, F_OK) != 0 && !strpbrk(name, "./")) {
        const lc_application_options a = {.input_shape = {v->height, v->width,
                                                          v->channels ? v->channels
                                                          : v->height ? 3
                                                                      : 0},
                                          .classes = v->classes};
        lc_status status = lc_application(name, &a, net, err);
        if (status == LC_OK) lc_net_seed(*net, o.seed);
        if (status == LC_OK && v->weights) status = lc_net_load_weights(*net, v->weights, err);
        return status;
    }
    return lc_net_open(name, &o, net, err);
}

/* What is not given is what the model was compiled with; adam where it was not. A compilation that the file has, but that cannot be read, is no
 * reason to learn in another way. */
static lc_status compile(lc_net *net, const values *v, lc_error *err) {
    lc_object metrics[LC_CLI_LIST_MAX + 1] = {{0}};
    for (size_t i = 0; i < v->metrics.count && i < LC_CLI_LIST_MAX; i++) metrics[i].class_name = v->metrics.items[i];
    char rate[64] = "";
    if (!isnan(v->rate)) snprintf(rate, sizeof rate, "{\"learning_rate\": %.9g}", (double)v->rate);
    lc_compile_options o = {.optimizer = {.class_name = v->optimizer, .config = v->optimizer && rate[0] ? rate : NULL},
                            .loss = {.class_name = v->loss},
                            .metrics = v->metrics.count ? metrics : NULL,
                            .keep = true};
    const bool compiled = lc_compile(net, &(lc_compile_options){.keep = true}, err) == LC_OK;
    if (!compiled) {
        const bool never = strcmp(err->message, "the model is not compiled") == 0;
        if (err->status == LC_NO_MEMORY || (!never && (!v->loss || !v->optimizer))) return err->status;
        if (!v->loss) {
            *err = (lc_error){.status = LC_ARGUMENT, .offset = LC_NO_OFFSET};
            snprintf(err->message, sizeof err->message, "the model does not say what it learns by");
            snprintf(err->hint, sizeof err->hint, "give --loss, e.g. sparse_categorical_crossentropy for classes, mse for numbers");
            return LC_ARGUMENT;
        }
        if (!v->optimizer) o.optimizer = (lc_object){.class_name = "adam", .config = rate[0] ? rate : NULL};
    }
    const lc_status status = lc_compile(net, &o, err);
    if (status != LC_OK || o.optimizer.class_name || !rate[0]) return status;
    return lc_net_set_learning_rate(net, written(v->rate), err);
}

static int print_summary(lc_net *net, lc_error *err) {
    char *text;
    if (lc_net_summary(net, &text, err)) return lc_cli_fail(err);
    fputs(text, stdout);
    lc_free(text);
    return LC_EXIT_OK;
}

/* "3=2.5": a sample of class 3 counts 2.5 times. *count: classes that have a weight. */
static lc_status read_class_weights(values *v, uint32_t *count, lc_error *err) {
    *count = 0;
    for (size_t i = 0; i < v->class_weight.count; i++) {
        const char *text = v->class_weight.items[i];
        char *middle, *end;
        const unsigned long class = strtoul(text, &middle, 10);
        const double weight = *middle == '=' ? strtod(middle + 1, &end) : NAN;
        if (middle == text || *text < '0' || *text > '9' || *middle != '=' || end == middle + 1 || *end || class >= MOST_CLASSES ||
            !(weight >= 0) || isinf(weight)) {
            *err = (lc_error){.status = LC_ARGUMENT, .offset = LC_NO_OFFSET};
            snprintf(err->message, sizeof err->message, "--class-weight %.100s says no weight of a class", text);
            snprintf(err->hint, sizeof err->hint, "write the class (below %d), = and what its samples count: --class-weight 3=2.5",
                     MOST_CLASSES);
            return LC_ARGUMENT;
        }
        for (; *count <= class; ++*count) v->class_weights[*count] = 1;
        v->class_weights[class] = weight;
    }
    return LC_OK;
}

/* A weight of a class that the model has not is a mistake. */
static lc_status check_class_weights(lc_net *net, uint32_t count, lc_error *err) {
    lc_model *model;
    if (!count) return LC_OK;
    lc_status status = lc_net_convert(net, &(lc_convert_options){.no_optimize = true}, &model, err);
    if (status != LC_OK) return status;
    const lc_tensor_view out = lc_model_output(model, 0);
    const int32_t units = out.rank == 2 ? out.signature[1] : 0, classes = units == 1 ? 2 : units;
    lc_model_destroy(model);
    if (classes <= 0 || count <= (uint32_t)classes) return LC_OK;
    *err = (lc_error){.status = LC_ARGUMENT, .offset = LC_NO_OFFSET};
    snprintf(err->message, sizeof err->message, "--class-weight %u=...: the model has %d classes, 0 to %d", count - 1, (int)classes,
             (int)classes - 1);
    snprintf(err->hint, sizeof err->hint, "classes count from 0");
    return LC_ARGUMENT;
}

/* Whether everything that is to be written can be: known before the training, not after it. */
static lc_status check_places(lc_net *net, const values *v, lc_error *err) {
    lc_status status = LC_OK;
    if (v->output) status = lc_net_can_save_as(net, v->output, err);
    const char *const later[] = {v->best, v->checkpoint, v->backup ? "backup.keras" : NULL};
    for (int i = 0; i < 3; i++) /* an end of the name that says no format is told where the callback is made */
        if (status == LC_OK && later[i] && lc_net_can_save_as(net, later[i], err) == LC_UNSUPPORTED) status = LC_UNSUPPORTED;
    if (status == LC_OK && v->output) status = lc_cli_place_file(v->output, false, err);
    if (status == LC_OK && v->best) status = lc_cli_place_file(v->best, true, err);
    if (status == LC_OK && v->checkpoint) status = lc_cli_place_file(v->checkpoint, true, err);
    if (status == LC_OK && v->csv) status = lc_cli_place_file(v->csv, false, err);
    if (status == LC_OK && v->backup) status = lc_cli_place_folder(v->backup, err);
    if (status == LC_OK && v->tensorboard) status = lc_cli_place_folder(v->tensorboard, err);
    if (status == LC_OK && v->on_device) status = lc_cli_place_file(v->on_device, false, err);
    if (status == LC_OK && v->on_device && !lc_cli_ends(v->on_device, ".tflite")) {
        *err = (lc_error){.status = status = LC_ARGUMENT, .offset = LC_NO_OFFSET};
        snprintf(err->message, sizeof err->message, "--on-device %.200s: a file that learns on a device ends with .tflite", v->on_device);
        snprintf(err->hint, sizeof err->hint, "other formats are for --output");
    }
    if (status == LC_OK && v->on_device) status = lc_net_save_trainable(net, NULL, v->batch ? (uint32_t)v->batch : 32, err);
    if (status == LC_OK && v->output && lc_cli_ends(v->output, ".tflite") && !v->quantize_aware) {
        lc_model *model;
        status = lc_net_convert(net, &(lc_convert_options){.no_optimize = true}, &model, err);
        if (status == LC_OK) lc_model_destroy(model);
    }
    return status;
}

/* Says what was left out, if anything. */
static void tell_skipped(const lc_pipeline *data, const char *what) {
    const char *last;
    const uint64_t n = lc_pipeline_skipped(data, &last);
    char text[500];
    if (!n) return;
    snprintf(text, sizeof text, "%s: %llu corrupt sample%s left out, counted in each epoch; the last: %.300s", what, (unsigned long long)n,
             n == 1 ? " was" : "s were", last);
    lc_cli_note(text);
}

/* More and more weights become zero over the first three quarters of the training; a pattern of neighbours holds from its beginning. */
static lc_status make_pruning(const values *v, const lc_net *net, const lc_pipeline *data, lc_callback *callback, lc_error *err) {
    const uint64_t batches = v->steps ? (uint64_t)v->steps : lc_pipeline_batches(data), begin = lc_net_step_count(net);
    lc_prune_low_magnitude_options o = {.sparsity = v->prune, .begin_step = begin};
    if (batches != UINT64_MAX && !strchr(v->prune, ':')) {
        const uint64_t steps = batches * (v->epochs ? (uint64_t)v->epochs : 1) * 3 / 4;
        o.polynomial = steps > 0;
        o.end_step = steps > 0 ? begin + steps : 0;
        o.frequency = steps > 2000 ? 100 : steps / 20 + 1;
    }
    return lc_prune_low_magnitude(&o, callback, err);
}

/* The callbacks that were asked for: *count of them, which the caller frees also on failure. */
static lc_status make_callbacks(const values *v, const lc_net *net, const lc_pipeline *data, lc_callback callbacks[MOST_CALLBACKS],
                                size_t *count, lc_error *err) {
    const bool validated = v->validation.count || is_split(v);
    const lc_monitor monitor = {.name = v->monitor ? v->monitor : validated ? "val_loss" : "loss", .print = v->quiet ? NULL : say};
    lc_status status = LC_OK;
    *count = 0;
    if (v->prune) status = make_pruning(v, net, data, &callbacks[(*count)++], err); /* before those that save what it leaves */
    if (v->plateau && status == LC_OK)
        status = lc_reduce_on_plateau(&(lc_reduce_on_plateau_options){.monitor = monitor, .patience = (uint32_t)v->plateau},
                                      &callbacks[(*count)++], err);
    if (v->patience && status == LC_OK)
        status = lc_early_stopping(
            &(lc_early_stopping_options){.monitor = monitor, .patience = (uint32_t)v->patience, .restore_best_weights = v->restore_best},
            &callbacks[(*count)++], err);
    for (int i = 0; i < 2; i++) {
        const char *path = i ? v->checkpoint : v->best;
        if (!path || status != LC_OK) continue;
        const lc_model_checkpoint_options o = {
            .monitor = {.name = monitor.name}, .save_best_only = i == 0, .save_weights_only = lc_cli_ends(path, ".weights.h5")};
        status = lc_model_checkpoint(path, &o, &callbacks[(*count)++], err);
    }
    if (v->csv && status == LC_OK) status = lc_csv_logger(v->csv, NULL, &callbacks[(*count)++], err);
    if (v->tensorboard && status == LC_OK) status = lc_tensorboard(v->tensorboard, NULL, &callbacks[(*count)++], err);
    if (v->backup && status == LC_OK) /* kept until the trained model is saved */
        status = lc_backup_and_restore(v->backup, &(lc_backup_options){.save_freq = (uint64_t)v->backup_steps, .keep = true},
                                       &callbacks[(*count)++], err);
    return status;
}

/* A terminal on which a bar can move. */
static bool moves(FILE *stream) {
    const char *term = getenv("TERM");
    return isatty(fileno(stream)) && term && strcmp(term, "dumb") != 0;
}

static int train(lc_net *net, values *v, lc_error *err) {
    lc_pipeline *data = NULL, *validation = NULL;
    lc_callback callbacks[MOST_CALLBACKS] = {{0}};
    size_t callback_count = 0;
    uint32_t class_count = 0;
    int result = LC_EXIT_OK;
    lc_status status = check_places(net, v, err);
    if (status == LC_OK) status = read_class_weights(v, &class_count, err);
    if (status == LC_OK) status = check_class_weights(net, class_count, err);
    take_size(v, net);
    if (status == LC_OK && v->quantize_aware) status = lc_net_quantize_aware(net, NULL, err);
    if (status == LC_OK) status = open_data(v, &v->data, &v->labels, false, &data, err);
    if (status == LC_OK) status = make_callbacks(v, net, data, callbacks, &callback_count, err);
    if (status == LC_OK && v->validation.count) status = open_data(v, &v->validation, &v->validation_labels, true, &validation, err);
    else if (status == LC_OK && is_split(v)) status = open_data(v, &v->data, &v->labels, true, &validation, err);
    const lc_fit_options fit = {.epochs = (uint32_t)v->epochs,
                                .steps_per_epoch = (uint64_t)v->steps,
                                .validation = validation,
                                .class_weight = class_count ? v->class_weights : NULL,
                                .class_count = class_count,
                                .callbacks = callbacks,
                                .callback_count = callback_count,
                                .threads = v->threads,
                                .max_memory = v->max_memory,
                                .print = v->quiet ? NULL : say,
                                .color = lc_cli_colours(stdout),
                                .verbose = v->verbose > 0  ? v->verbose
                                           : moves(stdout) ? 1
                                                           : 2};
    if (status == LC_OK) status = lc_fit(net, data, &fit, NULL, err);
    if (status == LC_OK && !v->quiet) tell_skipped(data, "data");
    if (status == LC_OK && !v->quiet) tell_skipped(validation, "validation data");
    if (status == LC_OK && v->output) status = lc_net_save(net, v->output, NULL, err);
    if (status == LC_OK && v->on_device) status = lc_net_save_trainable(net, v->on_device, v->batch ? (uint32_t)v->batch : 32, err);
    if (status == LC_OK && v->backup) lc_backup_discard(v->backup);
    for (size_t i = 0; i < callback_count; i++) lc_callback_deinit(&callbacks[i]);
    if (status != LC_OK) result = lc_cli_fail(err);
    lc_pipeline_close(data);
    lc_pipeline_close(validation);
    return result;
}

/* Options that do not go together, or without another. */
static int check_options(const values *v) {
    if (!v->data.count) return lc_cli_usage("give the samples with --data", "litec train needs data");
    if (v->restore_best && !v->patience) return lc_cli_usage("give --early-stopping N", "--restore-best goes with early stopping");
    if (v->monitor && !v->patience && !v->plateau && !v->best)
        return lc_cli_usage("give --early-stopping N, --reduce-lr N or --best FILE",
                            "--monitor says what others go by, but there are none");
    if (v->backup_steps && !v->backup) return lc_cli_usage("give --backup DIR", "--backup-steps says how often, but not where");
    if (v->validation_labels.count && !v->validation.count)
        return lc_cli_usage("give --validation-data, or a part of the data by --validation-split",
                            "--validation-labels are of validation data, which is not given");
    if (v->one_hot && !v->classes) return lc_cli_usage("give --classes N", "--one-hot needs to know how many classes there are");
    if (!isnan(v->rate) && !(v->rate > 0))
        return lc_cli_usage("give a rate above 0, e.g. 0.001", "--learning-rate %g: nothing would be learned", (double)v->rate);
    if (!isnan(v->scale) && v->scale == 0) return lc_cli_usage("leave it out, or give a factor", "--scale 0 makes all inputs 0");
    if (!isnan(v->split) && v->split < 0)
        return lc_cli_usage("give a part of 1, e.g. 0.1", "--validation-split %g is below 0", (double)v->split);
    return LC_EXIT_OK;
}

/* What hints of the library, which name fields of C, are called here. */
static const lc_cli_renamed names[] = {
    {"skip_corrupt", "--skip-corrupt"},
    {"allow_nan", "--allow-nan"},
    {"add the metric to lc_compile", "add the metric: -m NAME"},
    {"raise limits.max_memory, leave out .cache, or give shuffling a smaller .buffer",
     "raise it, --max-memory 16G, or leave out shuffling, --no-shuffle"},
    {"(.height, .width, .channels; litec train: --height, --width, --channels)", "(--height, --width, --channels)"},
    {NULL, NULL},
};

static int run(const lc_cli_command *command, int argc, char **argv) {
    values v = {.rate = NAN, .scale = NAN, .split = NAN, .verbose = -1};
    lc_cli_list arguments = {0};
    lc_error err = {0};
    lc_net *net;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    const int wrong = check_options(&v);
    if (wrong) return wrong;
    lc_cli_rename(names);
    v.quiet = v.quiet || v.verbose == 0;
    if (open_model(arguments.items[0], &v, &net, &err)) return lc_cli_fail(&err);
    int result = LC_EXIT_OK;
    if (v.freeze && lc_net_set_trainable(net, v.freeze, false, &err)) result = lc_cli_fail(&err);
    if (result == LC_EXIT_OK && compile(net, &v, &err)) result = lc_cli_fail(&err);
    if (result == LC_EXIT_OK && v.summary) result = print_summary(net, &err);
    if (result == LC_EXIT_OK) result = train(net, &v, &err);
    lc_net_destroy(net);
    return result;
}

const lc_cli_command lc_cmd_train = {
    .name = "train",
    .summary = "train a model on data, and save it",
    .usage = "MODEL --data DATA [--labels FILE] -o OUT.keras",
    .details =
        "MODEL: a .keras, .h5 or .json file, a model as text (docs/training.md), or the name of one of keras.applications with --height,\n"
        "--width and --classes. A model that was saved compiled goes on where it was. A SavedModel, a frozen graph (.pb), a checkpoint with its\n"
        ".meta or a float .tflite file is trained on with --loss, and saved as anything but .keras and .h5.",
    .example = "litec train examples/mlp.txt -d mnist:train -d 0 -o digits.keras",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
