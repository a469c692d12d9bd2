/*
 * object.h: classes of Keras as tables (include/litec/object.h states the lists), and an object of one as the JSON that Keras writes:
 *
 *     {"module": "keras.optimizers", "class_name": "Adam", "config": {"learning_rate": 0.001, ...}, "registered_name": null}
 *
 * The JSON is the form that everything inside works with: a configuration written here and one read from a file are the same.
 */
#ifndef LC_TRAIN_OBJECT_H
#define LC_TRAIN_OBJECT_H

#include "base/base.h"
#include "litec/train.h"

/* What classes are of: where a name is looked up, and the module Keras has them in. */
#define LC_CLASS_KINDS(X) \
    X(LAYER, "layer", "keras.layers") \
    X(OPTIMIZER, "optimizer", "keras.optimizers") \
    X(SCHEDULE, "schedule", "keras.optimizers.schedules") \
    X(LOSS, "loss", "keras.losses") \
    X(METRIC, "metric", "keras.metrics") \
    X(INITIALIZER, "initializer", "keras.initializers") \
    X(REGULARIZER, "regularizer", "keras.regularizers") \
    X(CONSTRAINT, "constraint", "keras.constraints")
typedef enum lc_class_kind {
#define LC_CLASS_KIND(NAME, text, module) LC_CLASS_##NAME,
    LC_CLASS_KINDS(LC_CLASS_KIND)
#undef LC_CLASS_KIND
} lc_class_kind;

#define LC_NONE (-2147483647 - 1) /* default of a number or integer that Keras has as None */
#define LC_BEFORE (-2147483647)   /* default of one that is, by default, what the field before it is */

typedef enum lc_argument_kind {
    LC_FK_number,
    LC_FK_integer,
    LC_FK_text,
    LC_FK_yes,
    LC_FK_no,
    LC_FK_pair,
    LC_FK_dims,
    LC_FK_object,
    LC_FK_whole,
    LC_FK_numbers,
    LC_FK_ids,
    LC_FK_call,
    LC_FK_axes,
    LC_FK_title,
    LC_FK_single,
    LC_FK_triple,
    LC_FK_shape,
    LC_FK_margin1,
    LC_FK_margin2,
    LC_FK_margin3,
    LC_FK_around,
    LC_FK_upto,
    LC_FK_extra,
    LC_FK_layer,
    LC_FK_policy,
    LC_FK_fixed,
} lc_argument_kind;

typedef struct lc_argument {
    const char *argument;
    lc_argument_kind kind;
    size_t offset;
    double number;    /* default of number, integer, pair; LC_NONE: null */
    const char *text; /* of text; of object: class name; NULL: null; of fixed: its JSON */
} lc_argument;

typedef struct lc_class {
    lc_class_kind kind;
    const char *name;  /* "Adam" */
    const char *alias; /* other names, with spaces between */
    const lc_argument *fields;
    uint32_t field_count;
    size_t size; /* of the struct of options */
} lc_class;

/* The class of this name or alias; false when there is none. Letters of either case, with or without underscores: as Keras takes them. */
bool lc_class_find(lc_class_kind kind, const char *name, lc_class *class);
/* The class of this number; false behind the last. */
bool lc_class_at(uint32_t index, lc_class *class);
/* lc_class_find; else says so, with the nearest name. LC_ARGUMENT. */
lc_status lc_class_named(lc_class_kind kind, const char *name, lc_class *class, lc_error *err);
/* Appends the object as JSON; a zeroed object is null. LC_ARGUMENT: no such class. */
lc_status lc_object_write(lc_class_kind kind, const lc_object *object, lc_text *out, lc_error *err);
/* Appends only the configuration, with these members before the others where they are given (NULL: none): "\"name\": \"dense\"". */
lc_status lc_object_write_config(const lc_class *class, const void *options, const char *before, lc_text *out, lc_error *err);
/* Appends the value of one field (options NULL: the default). A layer within a layer has the name that its options give. */
lc_status lc_field_write(const lc_argument *field, const void *options, lc_text *out, lc_error *err);
/* An option that Keras writes only where it is given, and it is not. */
bool lc_field_is_left_out(const lc_argument *field, const void *options);
/* Of two fields for one argument (learning_rate: a number, a schedule), is this the one that is not written? */
bool lc_field_gives_way(const lc_class *class, const lc_argument *field, const void *options);
/* Whether it is the one of two that may hold more: an object, a list. */
bool lc_field_is_wide(const lc_argument *field);
/* A number as JSON has it: the shortest text that reads back the same; 1.0 for a whole one. */
void lc_text_add_number(lc_text *out, double v);

#endif
