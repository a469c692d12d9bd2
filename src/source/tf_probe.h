/*
 * tf_probe.h: which of TensorFlow's files a file is, told by its content: none of them has a magic number but the checkpoint's tables.
 */
#ifndef LC_SOURCE_TF_PROBE_H
#define LC_SOURCE_TF_PROBE_H

#include "base/base.h"

typedef enum lc_tf_content {
    LC_TF_NOT,         /* none of these */
    LC_TF_SAVED_MODEL, /* saved_model.pb, .pbtxt */
    LC_TF_META_GRAPH,  /* model.ckpt.meta, .pbtxt */
    LC_TF_GRAPH,       /* frozen.pb, graph.pbtxt */
    LC_TF_STATE,       /* the text file `checkpoint` */
    LC_TF_TABLE,       /* model.ckpt.index, or a checkpoint of version 1 */
} lc_tf_content;

/* *text: it is the text form. */
lc_tf_content lc_tf_probe(const void *data, size_t size, bool *text);

#endif
