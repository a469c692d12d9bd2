/*
 * model_text.h: a model in a short text, a layer a line.
 *
 *     name digits                       the model's name
 *     input 28 28
 *     flatten
 *     dense 128 relu                    # arguments in the order of Keras; numbers and words each find their place
 *     dropout 0.2
 *     dense 10 softmax name=out kernel_regularizer=l2(0.001)
 *
 * With names for what a layer gives, several inputs, or outputs it is a functional model:
 *
 *     a = input 32 32 3
 *     x = conv2d 16 3 same relu         takes what the line before gave
 *     y = conv2d 16 3 same relu x       or what it names
 *     z = add x y
 *     h = call conv2d a                 a layer that is there already, by its name: its weights are shared
 *     output z h                        without it, the last line is the output
 */
#ifndef LC_TRAIN_MODEL_TEXT_H
#define LC_TRAIN_MODEL_TEXT_H

#include "train/describe.h"

/* Begins `d` and describes the model in it. A failed call leaves it ended. LC_INVALID: what is wrong, with line and word. */
lc_status lc_model_text_read(const char *text, size_t size, lc_budget *budget, lc_description *d, lc_error *err);
/* Does it begin like such a text? */
bool lc_model_text_probe(const char *text, size_t size);

#endif
