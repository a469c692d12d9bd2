/*
 * config.h: reading the configuration of an object: JSON as Keras writes it and as object.c writes it. What the JSON does not have is the
 * default of the class (classes.def), so a short name, {"class_name": "Adam", "config": {}} and a whole configuration are one road.
 *
 * A reader asks for all it needs and looks at the status once, at the end: after the first error the getters return defaults.
 */
#ifndef LC_TRAIN_CONFIG_H
#define LC_TRAIN_CONFIG_H

#include "base/json.h"
#include "train/object.h"

#define LC_KERAS_EPSILON 1e-7 /* keras.backend.epsilon() */

typedef struct lc_config {
    lc_class class;
    const lc_json *json; /* the configuration; NULL: there is none, all is default */
    lc_error *err;
    lc_status status;
} lc_config;

/* Whether the JSON is nothing: NULL or null. */
bool lc_config_is_none(const lc_json *object);
/* Opens "name", {"class_name": ..., "config": {...}}, or a function as Keras writes one ({"class_name": "function", "config": "name"}).
 * LC_ARGUMENT: no such class, or an argument that it does not have, with the nearest one. */
lc_status lc_config_open(lc_class_kind kind, const lc_json *object, lc_config *config, lc_error *err);
/* The value of an argument. A number that is None is NaN. */
double lc_config_number(lc_config *c, const char *argument);
/* The same, which must lie in [least, most]. NaN passes: whoever cannot use None says so. */
double lc_config_between(lc_config *c, const char *argument, double least, double most);
/* An integer; LC_NONE when it is None. */
int64_t lc_config_integer(lc_config *c, const char *argument);
bool lc_config_flag(lc_config *c, const char *argument);
/* A text; NULL when it is None. */
const char *lc_config_text(lc_config *c, const char *argument);
/* Which of the words (NULL-terminated) the text is; None and an unknown one are errors. Letters of either case. */
int lc_config_word(lc_config *c, const char *argument, const char *const *words);
/* The JSON itself; NULL when it is absent or null. */
const lc_json *lc_config_json(const lc_config *c, const char *argument);
/* A list of numbers, or one alone: up to `most` of them go to out. Returns how many; 0 for None. */
uint32_t lc_config_numbers(lc_config *c, const char *argument, uint32_t most, double *out);
/* What it is called: the argument `name`, else what the class is called. */
const char *lc_config_name(const lc_config *c, char buffer[64]);
/* Whether the class has an argument of this name. */
bool lc_config_has(const lc_config *c, const char *argument);
/* Notes an error: "optimizer Adam: <message>". */
void lc_config_fail(lc_config *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
