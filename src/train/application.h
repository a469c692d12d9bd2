/*
 * application.h: the networks of keras.applications, written down layer by layer as anybody would. application.def lists them,
 * application.c checks the options, application_<family>.c describe.
 */
#ifndef LC_TRAIN_APPLICATION_H
#define LC_TRAIN_APPLICATION_H

#include "train/describe.h"

/* Begins `d` and describes the network in it. LC_ARGUMENT: no such network, or options that it cannot have; `d` is then ended. */
lc_status lc_describe_application(const char *name, const lc_application_options *options, lc_description *d, lc_error *err);

/* A network while it is being written. */
typedef struct lc_app {
    lc_description *d;
    lc_symbol x;                     /* what the last layer gave */
    int32_t height, width, channels; /* of x where a family keeps track of them; -1: open */
    const lc_application_options *o; /* with the defaults filled in */
    const double *parameters;        /* of the network among its family */
    char name[96];
} lc_app;

/* Puts a layer behind x. */
void lc_app_put(lc_app *a, lc_object layer);
/* Joins what was kept with x: layer([other, x]). */
void lc_app_join(lc_app *a, lc_object layer, lc_symbol other, lc_symbol x);
/* The name of the next layer, good until the next one is asked for. */
const char *lc_app_name(lc_app *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Without a top: the pooling that was asked for. Names NULL: automatic. */
void lc_app_pool(lc_app *a, const char *average, const char *max);
/* The margins with which a kernel and a stride of 2 give what "same" gives for any size: one less before an even one. */
typedef struct lc_app_margin {
    int32_t top, bottom, left, right;
} lc_app_margin;
lc_app_margin lc_app_margin_of(const lc_app *a, int32_t kernel);
/* Half the size, rounded up. */
void lc_app_halve(lc_app *a);
/* The multiple of 8 nearest to v, not below 0.9 v. */
int32_t lc_app_by_eight(double v);

/* Appends the family's layers and a name for the model, unless the options have one. */
#define LC_APPLICATION(name, family, size, ...) void lc_app_##family(lc_app *a);
#include "train/application.def"

#endif
