/*
 * litec/object.h: how options of layers, optimizers, losses ... are written in C: a struct with the argument names of Keras, filled by
 * designated initialisers, and the class it belongs to.
 *
 *     LC_DENSE(128, .activation = "relu")          LC_ADAM(.learning_rate = 3e-4)          {"adam"}
 *
 * Zero is the default of Keras, which the list of the class states beside each field. Where 0 itself is meant and is not the default,
 * write -0.0. What Keras has switched on by default has a field `no_...` that switches it off.
 */
#ifndef LITEC_OBJECT_H
#define LITEC_OBJECT_H

#include "litec/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A class and its options. options NULL: all defaults; they are borrowed for the call the object is given to (what a macro makes lives to
 * the end of the block it is written in). class_name: that of Keras, or its short name ("adam", "mse"); NULL: none is given. config: the
 * options as JSON instead, {"learning_rate": 0.1}; NULL: none. */
typedef struct lc_object {
    const char *class_name;
    const void *options;
    const char *config;
} lc_object;

/* A class is one list F(kind, field, "argument of Keras", default). It makes the struct here and the configuration in the library.
 *
 *   number    double; 0: the default; -0.0: zero           integer   int32_t; 0: the default
 *   text      const char *; NULL: the default               yes       bool; false is the default
 *   no        bool; the argument is its opposite, true      pair      int32_t[2]; {3} is {3, 3}; {0}: the default
 *   single    int32_t; the argument is [n]                  triple    int32_t[3]; {3} is {3, 3, 3}
 *   dims      int32_t[8], ends at the first 0               shape     the same behind an open batch; -1: open
 *   margin1   int32_t[2], margin2, 3: [2][2], [3][2]; as written, all zeros: the default
 *   around    double[2], {from, to}; {x} is {-x, x}         upto      double[2]; {x} is {0, x}
 *   object    lc_object; {0}: the default                   extra     object; left out of the configuration where there is none
 *   layer     lc_object, a layer                            policy    text, the data type as Keras writes it
 *   fixed     no field: what Keras writes in any case       title     text; NULL: what the class is called
 *   whole     double, written without a fraction; 0: the    numbers   double[16], ends at the first 0 that is not -0.0;
 *             default; -0.0: zero                                     {0}: null
 *   call      bool, an argument of the layer's calls, not of the layer; false: left out
 *   ids       double[16], written as whole numbers; ends at the first 0 that is not -0.0 (which is 0); {0}: the default
 *   axes      int32_t[8], ends where it no longer grows; {0} and {0, 1, 2} are what they look like; a negative one stands alone
 *
 * A default is a number, a text, the class of an object or None; LC_NONE is the number of None, LC_BEFORE the value of the field before.
 * Two fields may be for one argument, one of them an object, dims or numbers: that one counts when it is given.
 */
#define LC_MEMBER_number(name) double name;
#define LC_MEMBER_integer(name) int32_t name;
#define LC_MEMBER_text(name) const char *name;
#define LC_MEMBER_yes(name) bool name;
#define LC_MEMBER_no(name) bool name;
#define LC_MEMBER_pair(name) int32_t name[2];
#define LC_MEMBER_dims(name) int32_t name[8];
#define LC_MEMBER_object(name) lc_object name;
#define LC_MEMBER_whole(name) double name;
#define LC_MEMBER_numbers(name) double name[16];
#define LC_MEMBER_call(name) bool name;
#define LC_MEMBER_ids(name) double name[16];
#define LC_MEMBER_axes(name) int32_t name[8];
#define LC_MEMBER_title(name) const char *name;
#define LC_MEMBER_single(name) int32_t name;
#define LC_MEMBER_triple(name) int32_t name[3];
#define LC_MEMBER_shape(name) int32_t name[8];
#define LC_MEMBER_margin1(name) int32_t name[2];
#define LC_MEMBER_margin2(name) int32_t name[2][2];
#define LC_MEMBER_margin3(name) int32_t name[3][2];
#define LC_MEMBER_around(name) double name[2];
#define LC_MEMBER_upto(name) double name[2];
#define LC_MEMBER_extra(name) lc_object name;
#define LC_MEMBER_layer(name) lc_object name;
#define LC_MEMBER_policy(name) const char *name;
#define LC_MEMBER_fixed(name)
#define LC_MEMBER(kind, name, argument, otherwise) LC_MEMBER_##kind(name)
/* What stands first in each struct, so that a macro may be given no options at all. */
#define LC_FIRST char first;

#ifdef __cplusplus
}
#endif
#endif
