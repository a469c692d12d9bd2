/*
 * options.h: what a caller may choose about operators that have no builtin form. Zero: an error that lists them.
 */
#ifndef LC_LOWER_OPTIONS_H
#define LC_LOWER_OPTIONS_H

#include "base/base.h"

typedef struct lc_lower_options {
    bool allow_custom_ops; /* Keras: an unknown layer -> CUSTOM operator with its config (JSON) as custom options, weights as inputs.
                            * TensorFlow: an unknown operator -> CUSTOM with its attributes as the official converter writes them */
    bool select_tf_ops;    /* TensorFlow: an operator of TensorFlow's own kernels (tf_flex.def) -> Flex<Op>, which the Flex delegate runs */
    const lc_str *custom_opdefs; /* text OpDefs of operators that are CUSTOM by intention (allow_custom_ops is then implied for them) */
    uint32_t custom_opdef_count;
} lc_lower_options;

#endif
