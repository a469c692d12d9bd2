/*
 * tf_facts.h: what is known of TensorFlow's operators beyond their lowering: outputs, types, defaults of attributes. From tf_flex.def, and
 * from the OpDefs that the user gives for operators of his own.
 */
#ifndef LC_LOWER_TF_FACTS_H
#define LC_LOWER_TF_FACTS_H

#include "lower/tf_lower.h"

typedef struct lc_tf_fact {
    const char *name;
    bool flex;                  /* the Flex delegate runs it */
    const char *outputs;        /* as in tf.def, a single one too; "": none */
    const char *types, *shapes; /* of each output, see tf_flex.def */
    const char *defaults;       /* text, see tf_flex.def; with an OpDef: unused */
    const lc_pb_OpDef *def;     /* the user's; NULL: a row of tf_flex.def */
} lc_tf_fact;

/* Reads the user's OpDefs and indexes everything. (tf_facts.c) */
lc_status lc_tf_facts(struct lc_tf_lower *l);
/* NULL when nothing is known of the operator. */
const lc_tf_fact *lc_tf_fact_of(const struct lc_tf_lower *l, lc_str op);
/* A row for tf.c, whose function is lc_tf_op_unknown: an operator of the user's, or one that has a fact. NULL: neither. */
const lc_tf_row *lc_tf_own_row(const struct lc_tf_lower *l, lc_str op);
const lc_tf_row *lc_tf_fact_row(const struct lc_tf_lower *l, lc_str op);
/* How many outputs the node has, by its fact. */
uint32_t lc_tf_fact_outputs(const lc_tf_fact *fact, const lc_pb_NodeDef *node);

/* The attributes of a node as they are here: placeholders replaced, those that are notes ("_class") left out, those that the file left out
 * at their defaults, sorted by name. In the scratch arena; the builder failed when memory is out. */
typedef struct lc_tf_attrs {
    lc_pb_NodeDef_AttrEntry *data;
    uint32_t n;
} lc_tf_attrs;
lc_tf_attrs lc_tf_all_attrs(lc_tf_call *c, const lc_tf_fact *fact);
const lc_pb_AttrValue *lc_tf_attr_of(const lc_tf_attrs *attrs, lc_str name);

#endif
