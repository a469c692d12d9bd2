/*
 * tf_report.h: what is in a TensorFlow file, as text or as the members of a JSON object.
 */
#ifndef LC_SOURCE_TF_REPORT_H
#define LC_SOURCE_TF_REPORT_H

#include "source/tf_read.h"

/* r: read with lc_tf_read_file. what: "SavedModel". */
lc_status lc_tf_report_graph(lc_tf_reading *r, const char *what, bool json, lc_text *text);
void lc_tf_report_checkpoint(const lc_ckpt *ckpt, bool json, lc_text *text);

#endif
