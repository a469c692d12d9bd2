/*
 * hdf5_write.h: writes the part of HDF5 that Keras files need; source/hdf5.h reads it.
 *
 *     lc_h5_writer *w = lc_h5_writer_new(&arena);
 *     lc_h5_put_array(w, lc_h5_writer_root(w), "layers/dense/vars/0", &array, err)      groups on the way are made
 *     lc_h5_write(w, &sink, &size, err)
 *
 * Names, shapes and strings are copied, the numbers of arrays are not: they go from where they lie to the sink when the file is written,
 * which may happen more than once. All else lives in the arena; there is nothing to close.
 */
#ifndef LC_EMIT_HDF5_WRITE_H
#define LC_EMIT_HDF5_WRITE_H

#include "ir/ir.h"
#include "lower/keras.h"

typedef struct lc_h5_writer lc_h5_writer;
typedef struct lc_h5_node lc_h5_node; /* a group or an array */

/* NULL when memory is out. */
lc_h5_writer *lc_h5_writer_new(lc_arena *arena);
lc_h5_node *lc_h5_writer_root(lc_h5_writer *w);
/* The group at this path ("a/b") below another, made when it is not there. */
lc_status lc_h5_put_group(lc_h5_writer *w, lc_h5_node *parent, const char *path, lc_h5_node **group, lc_error *err);
/* What is at this path; NULL when there is nothing. */
lc_h5_node *lc_h5_written(const lc_h5_writer *w, const lc_h5_node *parent, const char *path);
/* An array of numbers at this path, where nothing may be yet. Its name is not used, its data is borrowed. */
lc_status lc_h5_put_array(lc_h5_writer *w, lc_h5_node *parent, const char *path, const lc_keras_weight *array, lc_error *err);
/* Attributes: a text; a list of texts, at most LC_H5_MOST_STRINGS. The name is new. */
#define LC_H5_MOST_STRINGS 4000
lc_status lc_h5_put_text(lc_h5_writer *w, lc_h5_node *node, const char *name, lc_str text, lc_error *err);
lc_status lc_h5_put_strings(lc_h5_writer *w, lc_h5_node *node, const char *name, const lc_str *strings, size_t count, lc_error *err);
/* Writes the file; *size (may be NULL) receives its bytes. */
lc_status lc_h5_write(lc_h5_writer *w, const lc_sink *sink, uint64_t *size, lc_error *err);

#endif
