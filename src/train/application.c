/*
 * application.c: a network by its name. The options are checked as Keras checks them, the input is put down, and the family describes the
 * rest; what the families share is here.
 *
 * Refuses: pictures under 32 x 32, an open size below a classifier, an option that the network does not have.
 */
#include "train/application.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- what the families share -------------------------------------------------------------------------------------- */

void lc_app_put(lc_app *a, lc_object layer) { a->x = lc_describe_call(a->d, lc_describe_layer(a->d, &layer), &a->x, 1); }

void lc_app_join(lc_app *a, lc_object layer, lc_symbol other, lc_symbol x) {
    const lc_symbol both[2] = {other, x};
    a->x = lc_describe_call(a->d, lc_describe_layer(a->d, &layer), both, 2);
}

const char *lc_app_name(lc_app *a, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(a->name, sizeof a->name, format, list);
    va_end(list);
    return a->name;
}

void lc_app_pool(lc_app *a, const char *average, const char *max) {
    if (!a->o->pooling) return;
    if (strcmp(a->o->pooling, "avg") == 0) lc_app_put(a, LC_GLOBAL_AVERAGE_POOLING2D(.name = average));
    else lc_app_put(a, LC_GLOBAL_MAX_POOLING2D(.name = max));
}

lc_app_margin lc_app_margin_of(const lc_app *a, int32_t kernel) {
    const int32_t half = kernel / 2;
    /* Where the size is open, Keras takes it for an even one. */
    const int32_t even_height = a->height < 0 || a->height % 2 == 0, even_width = a->height < 0 || a->width % 2 == 0;
    return (lc_app_margin){half - even_height, half, half - even_width, half};
}

void lc_app_halve(lc_app *a) {
    if (a->height > 0) a->height = a->height / 2 + a->height % 2;
    if (a->width > 0) a->width = a->width / 2 + a->width % 2;
}

int32_t lc_app_by_eight(double v) {
    int32_t n = (int32_t)(v + 4) / 8 * 8;
    if (n < 8) n = 8;
    return n < 0.9 * v ? n + 8 : n;
}

/* ---- by name ------------------------------------------------------------------------------------------------------ */

typedef struct network {
    const char *name;
    void (*describe)(lc_app *a);
    int32_t size;
    double parameters[6];
} network;

static const network networks[] = {
#define LC_APPLICATION(name, family, size, ...) {#name, lc_app_##family, size, {__VA_ARGS__}},
#include "train/application.def"
};
#define NETWORKS (sizeof networks / sizeof networks[0])

static const network *find(const char *name, lc_error *err) {
    const char *names[NETWORKS + 1];
    for (size_t i = 0; i < NETWORKS; i++) {
        if (name && strcasecmp(name, networks[i].name) == 0) return &networks[i];
        names[i] = networks[i].name;
    }
    names[NETWORKS] = NULL;
    const char *near = name ? lc_nearest(name, names) : NULL;
    lc_fail(err, LC_ARGUMENT, "there is no network \"%.100s\"", name ? name : "");
    if (near) lc_error_hint(err, "did you mean \"%s\"?", near);
    else lc_error_hint(err, "ResNet50V2, MobileNetV2, MobileNet, VGG16, EfficientNetB0 and their relatives are there");
    return NULL;
}

static lc_status check_shape(const network *n, lc_application_options *o, lc_error *err) {
    int32_t *s = o->input_shape;
    if (!s[0] && !s[1] && !s[2]) {
        s[0] = s[1] = o->no_top ? -1 : n->size;
        s[2] = 3;
    }
    for (int i = 0; i < 2; i++) {
        if (s[i] >= 32 || (s[i] == -1 && o->no_top)) continue;
        if (s[i] == -1) lc_fail(err, LC_ARGUMENT, "%s needs to know the size of its pictures", n->name);
        else lc_fail(err, LC_ARGUMENT, "%s takes pictures of %d x %d, needs at least 32 x 32", n->name, s[0], s[1]);
        lc_error_hint(err, "%s", s[i] == -1 ? "an open size goes with .no_top = true" : ".input_shape = {height, width, channels}");
        return LC_ARGUMENT;
    }
    if (s[2] >= 1) return LC_OK;
    return lc_fail(err, LC_ARGUMENT, "%s takes pictures of %d channels, needs at least 1", n->name, s[2]);
}

static lc_status check_options(const network *n, lc_application_options *o, lc_error *err) {
    const bool mobile = strncmp(n->name, "MobileNet", 9) == 0, first = strcmp(n->name, "MobileNet") == 0;
    LC_TRY(check_shape(n, o, err));
    if (!o->classes) o->classes = 1000;
    if (o->classes < 1) return lc_fail(err, LC_ARGUMENT, "%s has %d classes, needs at least 1", n->name, o->classes);
    if (o->pooling && strcmp(o->pooling, "avg") != 0 && strcmp(o->pooling, "max") != 0) {
        lc_fail(err, LC_ARGUMENT, "%s: there is no pooling \"%.40s\"", n->name, o->pooling);
        lc_error_hint(err, "\"avg\" and \"max\" are there");
        return LC_ARGUMENT;
    }
    if (!o->classifier_activation) o->classifier_activation = "softmax";
    if ((o->alpha != 0 && !mobile) || (o->depth_multiplier != 0 && !first) || (o->dropout != 0 && !first)) {
        lc_fail(err, LC_ARGUMENT, "%s has no %s", n->name,
                o->alpha != 0 && !mobile ? "alpha"
                : o->dropout != 0        ? "dropout"
                                         : "depth_multiplier");
        lc_error_hint(err, "alpha is one of MobileNet and MobileNetV2; depth_multiplier and dropout are of MobileNet");
        return LC_ARGUMENT;
    }
    if (o->alpha == 0) o->alpha = 1;
    if (!(o->alpha > 0 && o->alpha <= 100)) return lc_fail(err, LC_ARGUMENT, "%s: alpha is %g, needs 0 to 100", n->name, o->alpha);
    if (o->depth_multiplier == 0) o->depth_multiplier = 1;
    if (o->depth_multiplier < 1 || o->depth_multiplier > 10000)
        return lc_fail(err, LC_ARGUMENT, "%s: depth_multiplier is %d, needs 1 to 10000", n->name, o->depth_multiplier);
    if (o->dropout == 0 && !signbit(o->dropout)) o->dropout = 0.001;
    return LC_OK;
}

lc_status lc_describe_application(const char *name, const lc_application_options *options, lc_description *d, lc_error *err) {
    *d = (lc_description){0};
    const network *n = find(name, err);
    if (!n) return LC_ARGUMENT;
    lc_application_options o = options ? *options : (lc_application_options){0};
    LC_TRY(check_options(n, &o, err));
    lc_describe_begin(d, false, o.name);
    lc_app a = {.d = d, .o = &o, .height = o.input_shape[0], .width = o.input_shape[1], .channels = o.input_shape[2]};
    a.parameters = n->parameters;
    a.x = lc_describe_input(d, &LC_INPUT({o.input_shape[0], o.input_shape[1], o.input_shape[2]}));
    n->describe(&a);
    lc_describe_outputs(d, &a.x, 1);
    if (!o.name && d->status == LC_OK) { /* the family left it in a.name */
        d->name = lc_arena_strndup(&d->arena, a.name, strlen(a.name));
        if (!d->name) d->status = lc_fail_memory(&d->error, "a model");
    }
    if (d->status == LC_OK) return LC_OK;
    const lc_status status = d->status;
    if (err) *err = d->error;
    lc_describe_end(d);
    return status;
}
