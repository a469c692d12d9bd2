/*
 * select.h: which rows of ops.def and custom.def this build keeps.
 *
 * LC_OPS_LIST (-DLC_OPS_LIST='"my_ops.h"') names a header with a line for each operator that is wanted, as `litec ops MODEL` prints it:
 *
 *     #define LC_WITH_CONV_2D 1
 *     #define LC_WITH_CUSTOM_TFLite_Detection_PostProcess 1
 *
 * LC_WITH(ID, x) is then x for these and 0, the null pointer, for all others, whose rules and kernels nothing names any more, so that the
 * linker leaves them out. Every operator keeps its row: its name, its options, its limits; a model with one that was left out can be read
 * but not run, and the message says why. Without LC_OPS_LIST everything is kept.
 */
#ifndef LC_OPS_SELECT_H
#define LC_OPS_SELECT_H

#ifdef LC_OPS_LIST
#include LC_OPS_LIST

/* "Is this macro 1?" inside an expression: pasted to a 1, LC_WITH_IS_ becomes an argument of its own, which moves x to where it is
 * picked; pasted to a name that is not defined it becomes junk in front of x. */
#define LC_WITH_IS_1 ~,
#define LC_WITH_SECOND(junk, picked, ...) picked
#define LC_WITH_PICK(junk, x) LC_WITH_SECOND(junk x, 0, ~)
#define LC_WITH_PASTE(value, x) LC_WITH_PICK(LC_WITH_IS_##value, x)
#define LC_WITH_VALUE(value, x) LC_WITH_PASTE(value, x)
#define LC_WITH(ID, x) LC_WITH_VALUE(LC_WITH_##ID, x)
#define LC_WITH_ALL 0
#else
#define LC_WITH(ID, x) x
#define LC_WITH_ALL 1
#endif

/* Whether this build has operator ID, as a constant. */
#define LC_HAS(ID) (LC_WITH(ID, 1) != 0)

#endif
