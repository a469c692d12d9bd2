/*
 * litec/callbacks.h: the callbacks of Keras for lc_fit_options.callbacks. Each function makes one, which its caller frees with
 * lc_callback_deinit when training is over.
 *
 *     lc_callback c[2];
 *     if (lc_early_stopping(&(lc_early_stopping_options){.patience = 3, .restore_best_weights = true}, &c[0], &err)) ...
 *     if (lc_csv_logger("log.csv", NULL, &c[1], &err)) ...
 *     if (lc_fit(net, data, &(lc_fit_options){.epochs = 50, .validation = val, .callbacks = c, .callback_count = 2}, NULL, &err)) ...
 *
 * Options: 0 is the default of Keras; where 0 itself is meant and is not the default, write -0.0. Texts are copied.
 */
#ifndef LITEC_CALLBACKS_H
#define LITEC_CALLBACKS_H

#include "litec/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is watched. */
typedef struct lc_monitor {
    const char *name;                            /* "val_accuracy"; NULL: "val_loss" */
    const char *mode;                            /* "min", "max"; NULL: what is better of this metric */
    double min_delta;                            /* less is no improvement */
    void (*print)(void *user, const char *text); /* hears what Keras prints with verbose=1; NULL: nobody */
    void *print_user;
} lc_monitor;

typedef struct lc_early_stopping_options {
    lc_monitor monitor;
    uint32_t patience;         /* epochs without an improvement before training stops */
    uint32_t start_from_epoch; /* the first epoch that counts, from 0 */
    const double *baseline;    /* patience begins anew only with a value better than this; NULL: with any better one */
    bool restore_best_weights; /* at the end the variables are those of the best epoch */
} lc_early_stopping_options;
/* Stops when there is no improvement any more. Options NULL: all defaults. Errors: LC_ARGUMENT: an unknown mode; LC_NO_MEMORY. In training:
 * LC_ARGUMENT: nobody knows which way is better, because no loss or metric has this name. What is not measured is no error, as in Keras:
 * lc_fit_options.print hears of it. */
LC_API lc_status lc_early_stopping(const lc_early_stopping_options *options, lc_callback *callback, lc_error *err);

typedef struct lc_reduce_on_plateau_options {
    lc_monitor monitor; /* min_delta 0: 1e-4 */
    double factor;      /* the rate is multiplied with it; 0: 0.1 */
    uint32_t patience;  /* 0: 10 */
    uint32_t cooldown;  /* epochs to wait after a reduction */
    double min_lr;
} lc_reduce_on_plateau_options;
/* Lowers the learning rate when there is no improvement (ReduceLROnPlateau). Errors: as above; LC_ARGUMENT: a factor of 1 or more. */
LC_API lc_status lc_reduce_on_plateau(const lc_reduce_on_plateau_options *options, lc_callback *callback, lc_error *err);

typedef struct lc_model_checkpoint_options {
    lc_monitor monitor;
    bool save_best_only;
    bool save_weights_only;                /* the file is a .weights.h5 */
    uint64_t save_freq;                    /* every so many batches; 0: after each epoch */
    const double *initial_value_threshold; /* better than this is the first that is saved; NULL: any */
} lc_model_checkpoint_options;
/* Saves the model as lc_net_save does. path: with {epoch}, {epoch:02d}, {val_loss:.2f} in it, as in Keras. */
LC_API lc_status lc_model_checkpoint(const char *path, const lc_model_checkpoint_options *options, lc_callback *callback, lc_error *err);

/* The rate of an epoch (from 0), given that of the one before. */
typedef double (*lc_rate_function)(void *user, uint32_t epoch, double learning_rate);
LC_API lc_status lc_learning_rate_scheduler(lc_rate_function rate, void *user, lc_callback *callback, lc_error *err);

typedef struct lc_csv_logger_options {
    char separator; /* 0: a comma */
    bool append;    /* behind what the file holds */
} lc_csv_logger_options;
/* A line an epoch with all that was measured. After each epoch the file is written whole or not at all. */
LC_API lc_status lc_csv_logger(const char *path, const lc_csv_logger_options *options, lc_callback *callback, lc_error *err);

typedef struct lc_backup_options {
    uint64_t save_freq; /* every so many batches; 0: after each epoch */
    bool keep;          /* the backup stays when training is over; false: it is removed */
} lc_backup_options;
/* Saves the whole training in the folder (backup.keras), and goes on from what is there: killed at any moment and begun again with the same model,
 * data and options, it ends with the bits it would have had (BackupAndRestore). In training: LC_ARGUMENT: the backup is that of another. */
LC_API lc_status lc_backup_and_restore(const char *folder, const lc_backup_options *options, lc_callback *callback, lc_error *err);
/* Removes a backup that was kept; no error when there is none. */
LC_API void lc_backup_discard(const char *folder);

typedef struct lc_tensorboard_options {
    uint32_t histogram_freq; /* histograms of the variables every so many epochs; 0: none */
    bool no_graph;           /* the model's graph is not written */
} lc_tensorboard_options;
/* Files for TensorBoard in folder/train and folder/validation; folder NULL: "logs". */
LC_API lc_status lc_tensorboard(const char *folder, const lc_tensorboard_options *options, lc_callback *callback, lc_error *err);

typedef struct lc_prune_low_magnitude_options {
    const char *sparsity;    /* in the end: "0.8" or "80%" of each kernel's weights, "2:4": 2 of each 4 neighbours along the inputs stay */
    const char *layers;      /* whose name fits this pattern (* and ?); NULL: all with kernels that learn */
    uint64_t begin_step;     /* steps are batches, counted by the optimizer */
    uint64_t end_step;       /* after it the masks stay; 0: never, with a polynomial it must be given */
    uint64_t frequency;      /* masks are made anew every so many steps; 0: 100 */
    bool polynomial;         /* from initial_sparsity to sparsity; else the sparsity is that from begin_step on */
    double initial_sparsity; /* of a polynomial */
    double power;            /* of a polynomial; 0: 3 */
} lc_prune_low_magnitude_options;
/* Prunes while the model trains: weights that are small become and stay zero (tfmot's prune_low_magnitude with ConstantSparsity or
 * PolynomialDecay). The model needs no stripping: lc_net_save, lc_net_to_model take it as it is. Errors: LC_ARGUMENT: no sparsity, an end before the
 * begin; in training: no such layer. */
LC_API lc_status lc_prune_low_magnitude(const lc_prune_low_magnitude_options *options, lc_callback *callback, lc_error *err);

/* Frees a callback of this header, and makes it empty; a zeroed one is fine. */
LC_API void lc_callback_deinit(lc_callback *callback);

#ifdef __cplusplus
}
#endif
#endif
