/*
 * cmd_train.c: litec train: a model and data in, a trained model out. What is printed is what Keras prints.
 *
 * The model is a file of Keras, a text (docs/training.md) or the name of an application; what was compiled in it counts unless an option says
 * otherwise. The data are those of `litec eval`.
 */
#include "cli/args.h"
#include "cli/sets.h"
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
    bool keep_order, quiet, summary, one_hot, restore_best, quantize_aware;
    uint64_t max_memory;
} values;

static const lc_cli_option options[] = {
    {"data", 'd', LC_CLI_LIST, offsetof(values, data), "[NAME=]DATA",
     "samples: .npy, .npz, IDX, .csv, TFRecord, a folder of pictures; repeat for more inputs", 0, 0},
    {"labels", 'l', LC_CLI_LIST, offsetof(values, labels), "[NAME=]FILE", "what is to be learned: .npy, IDX, text (the labels in the data)",
     0, 0},
    {"output", 'o', LC_CLI_STRING, offsetof(values, output), "FILE",
     "the trained model: .keras, .h5, .weights.h5, .tflite, .ckpt; a name without ending: a SavedModel", 0, 0},
    {"on-device", 0, LC_CLI_STRING, offsetof(values, on_device), "FILE",
     "a .tflite file, too, that goes on learning where it runs, --batch samples a step", 0, 0},
    {"epochs", 'e', LC_CLI_COUNT, offsetof(values, epochs), "N", "times through the data (1)", 1, 1000000},
    {"batch", 'b', LC_CLI_COUNT, offsetof(values, batch), "N", "samples in one step (32)", 1, 65536},
    {"optimizer", 0, LC_CLI_STRING, offsetof(values, optimizer), "NAME", "sgd, adam, rmsprop ... (the model's own, else adam)", 0, 0},
    {"learning-rate", 'r', LC_CLI_NUMBER, offsetof(values, rate), "R", "of the optimizer (its default)", 0, 0},
    {"loss", 0, LC_CLI_STRING, offsetof(values, loss), "NAME", "mse, sparse_categorical_crossentropy ... (the model's own)", 0, 0},
    {"metric", 'm', LC_CLI_LIST, offsetof(values, metrics), "NAME", "accuracy, auc ...; repeat for more", 0, 0},
    {"validation-data", 0, LC_CLI_LIST, offsetof(values, validation), "[NAME=]DATA", "evaluated after each epoch", 0, 0},
    {"validation-labels", 0, LC_CLI_LIST, offsetof(values, validation_labels), "[NAME=]FILE", "of the validation data", 0, 0},
    {"validation-split", 0, LC_CLI_NUMBER, offsetof(values, split), "F", "the last part of the data instead, e.g. 0.1", 0, 0},
    {"scale", 's', LC_CLI_NUMBER, offsetof(values, scale), "F", "multiply the inputs by this: 0.00392157 for pictures (1)", 0, 0},
    {"one-hot", 0, LC_CLI_FLAG, offsetof(values, one_hot), NULL, "classes become vectors; needs --classes", 0, 0},
    {"classes", 0, LC_CLI_COUNT, offsetof(values, classes), "N", "labels must be below (what the model has)", 1, INT32_MAX},
    {"height", 0, LC_CLI_COUNT, offsetof(values, height), "N", "pictures are scaled to this height (the model's)", 1, 65536},
    {"width", 0, LC_CLI_COUNT, offsetof(values, width), "N", "and this width", 1, 65536},
    {"channels", 0, LC_CLI_COUNT, offsetof(values, channels), "N", "colours of pictures, 1 or 3 (the model's)", 1, 3},
    {"samples", 'n', LC_CLI_COUNT, offsetof(values, samples), "N", "only the first N (all)", 1, INT32_MAX},
    {"steps", 0, LC_CLI_COUNT, offsetof(values, steps), "N", "steps in an epoch (all of the data)", 1, INT32_MAX},
    {"no-shuffle", 0, LC_CLI_FLAG, offsetof(values, keep_order), NULL, "take the samples in their order", 0, 0},
    {"seed", 0, LC_CLI_COUNT, offsetof(values, seed), "N", "of all random numbers (1): equal seeds give equal bits", 1, INT32_MAX},
    {"weights", 'w', LC_CLI_STRING, offsetof(values, weights), "FILE", "begin with these", 0, 0},
    {"freeze", 0, LC_CLI_STRING, offsetof(values, freeze), "PATTERN", "layers that do not learn, by name: 'conv*'", 0, 0},
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
    {"verbose", 'v', LC_CLI_COUNT, offsetof(values, verbose), "N", "1: a bar, 2: a line an epoch (1 on a terminal, else 2)", 1, 2},
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

static lc_status open_data(const values *v, lc_cli_list *x, lc_cli_list *y, bool validation, lc_pipeline **p, lc_error *err) {
    lc_transform map[3] = {{0}};
    size_t n = 0;
    if (v->scale != 0) map[n++] = (lc_transform)LC_MAP_SCALE(written(v->scale));
    if (v->one_hot) map[n++] = (lc_transform)LC_MAP_ONE_HOT(v->classes);
    const lc_pipeline_files files = {.x = listed(x), .y = listed(y), .height = v->height, .width = v->width, .channels = v->channels};
    lc_pipeline_options o = {.batch = v->batch ? (uint32_t)v->batch : 32,
                             .shuffle = !validation && !v->keep_order,
                             .seed = v->seed ? (uint64_t)v->seed : 1,
                             .map = map,
                             .prefetch = 2,
                             .threads = v->threads,
                             .take = (uint64_t)v->samples,
                             .classes = v->one_hot ? 0 : v->classes};
    if (v->split > 0) {
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
        const lc_status status = lc_application(name, &a, net, err);
        if (status == LC_OK) lc_net_seed(*net, o.seed);
        return status;
    }
    return lc_net_open(name, &o, net, err);
}

static lc_status compile(lc_net *net, const values *v, lc_error *err) {
    lc_object metrics[LC_CLI_LIST_MAX + 1] = {{0}};
    for (size_t i = 0; i < v->metrics.count && i < LC_CLI_LIST_MAX; i++) metrics[i].class_name = v->metrics.items[i];
    if (!v->loss && !v->optimizer && !v->metrics.count && lc_net_learning_rate(net) > 0)
        return v->rate > 0 ? lc_net_set_learning_rate(net, (double)v->rate, err) : LC_OK;
    if (!v->loss) {
        lc_status status = LC_ARGUMENT;
        *err = (lc_error){.status = status, .offset = LC_NO_OFFSET};
        snprintf(err->message, sizeof err->message, "the model does not say what it learns by");
        snprintf(err->hint, sizeof err->hint, "give --loss, e.g. sparse_categorical_crossentropy for classes, mse for numbers");
        return status;
    }
    char rate[64] = "";
    if (v->rate > 0) snprintf(rate, sizeof rate, "{\"learning_rate\": %.9g}", (double)v->rate);
    const lc_compile_options o = {.optimizer = {.class_name = v->optimizer ? v->optimizer : "adam", .config = rate[0] ? rate : NULL},
                                  .loss = {.class_name = v->loss},
                                  .metrics = metrics};
    return lc_compile(net, &o, err);
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

static bool is_weights(const char *path) {
    const size_t n = strlen(path), m = strlen(".weights.h5");
    return n >= m && strcmp(path + n - m, ".weights.h5") == 0;
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
    const bool validated = v->validation.count || v->split > 0;
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
            .monitor = {.name = monitor.name}, .save_best_only = i == 0, .save_weights_only = is_weights(path)};
        status = lc_model_checkpoint(path, &o, &callbacks[(*count)++], err);
    }
    if (v->csv && status == LC_OK) status = lc_csv_logger(v->csv, NULL, &callbacks[(*count)++], err);
    if (v->tensorboard && status == LC_OK) status = lc_tensorboard(v->tensorboard, NULL, &callbacks[(*count)++], err);
    if (v->backup && status == LC_OK) /* kept until the trained model is saved */
        status = lc_backup_and_restore(v->backup, &(lc_backup_options){.save_freq = (uint64_t)v->backup_steps, .keep = true},
                                       &callbacks[(*count)++], err);
    return status;
}

static int train(lc_net *net, values *v, lc_error *err) {
    lc_pipeline *data = NULL, *validation = NULL;
    lc_callback callbacks[MOST_CALLBACKS] = {{0}};
    size_t callback_count = 0;
    uint32_t class_count = 0;
    int result = LC_EXIT_OK;
    lc_status status = v->output ? lc_net_can_save(v->output, err) : LC_OK;
    if (status == LC_OK) status = read_class_weights(v, &class_count, err);
    if (status == LC_OK && v->quantize_aware) status = lc_net_quantize_aware(net, NULL, err);
    if (status == LC_OK) status = open_data(v, &v->data, &v->labels, false, &data, err);
    if (status == LC_OK) status = make_callbacks(v, net, data, callbacks, &callback_count, err);
    if (status == LC_OK && v->validation.count) status = open_data(v, &v->validation, &v->validation_labels, true, &validation, err);
    else if (status == LC_OK && v->split > 0) status = open_data(v, &v->data, &v->labels, true, &validation, err);
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
                                .color = isatty(STDOUT_FILENO),
                                .verbose = v->verbose              ? v->verbose
                                           : isatty(STDOUT_FILENO) ? 1
                                                                   : 2};
    if (status == LC_OK) status = lc_fit(net, data, &fit, NULL, err);
    if (status == LC_OK && v->output) status = lc_net_save(net, v->output, NULL, err);
    if (status == LC_OK && v->on_device) status = lc_net_save_trainable(net, v->on_device, v->batch ? (uint32_t)v->batch : 32, err);
    if (status == LC_OK && v->backup) lc_backup_discard(v->backup);
    for (size_t i = 0; i < callback_count; i++) lc_callback_deinit(&callbacks[i]);
    if (status != LC_OK) result = lc_cli_fail(err);
    lc_pipeline_close(data);
    lc_pipeline_close(validation);
    return result;
}

static int run(const lc_cli_command *command, int argc, char **argv) {
    values v = {0};
    lc_cli_list arguments = {0};
    lc_error err = {0};
    lc_net *net;
    const lc_cli_parsed parsed = lc_cli_parse(command, argc, argv, &v, &arguments);
    if (parsed != LC_CLI_RUN) return parsed == LC_CLI_HELPED ? LC_EXIT_OK : LC_EXIT_USAGE;
    if (!v.data.count) return lc_cli_usage("give the samples with --data", "litec train needs data");
    if (v.restore_best && !v.patience) return lc_cli_usage("give --early-stopping N", "--restore-best goes with early stopping");
    if (v.one_hot && !v.classes) return lc_cli_usage("give --classes N", "--one-hot needs to know how many classes there are");
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
        "--width and --classes. A model that was saved compiled goes on where it was.",
    .example = "litec train examples/mlp.txt -d mnist:train -d 0 -o digits.keras",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
