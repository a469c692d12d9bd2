/*
 * net_graph.h: graphs that were read from files as layers (lower/graph_layer.h).
 *
 *   graph_layer.c   from an lc_model to a layer with weights; a layer that ends earlier
 *   net_graph.c     a net of one such layer; nets of other files; which layer of a configuration has which graph
 */
#ifndef LC_API_NET_GRAPH_H
#define LC_API_NET_GRAPH_H

#include "api/net.h"
#include "lower/graph_layer.h"

/* The main graph of the model ("serving_default", else the first). stated: only tensors that say so are weights (lc_tensor.is_weight). The layer
 * keeps a reference to the model. Errors: LC_UNSUPPORTED, what cannot
 * be trained on, by name. */
lc_status lc_graph_layer_make(lc_model *model, bool stated, lc_graph_layer **layer, lc_error *err);
/* The same up to this tensor, operator or scope of operators. LC_ARGUMENT: there is none; the hint has the nearest name. */
lc_status lc_graph_layer_cut(const lc_graph_layer *from, const char *name, lc_graph_layer **layer, lc_error *err);
void lc_graph_layer_drop(lc_graph_layer *layer); /* a reference; NULL is fine */

/* The net knows the graphs of the other one, too. */
lc_status lc_net_share_graphs(lc_net *net, const lc_net *other, lc_error *err);
lc_status lc_net_add_graph(lc_net *net, lc_graph_layer *graph, lc_error *err);
void lc_net_drop_graphs(lc_net *net);
/* Gives the layers of a configuration that was just read the graphs it names. LC_UNSUPPORTED: one that is not here. */
lc_status lc_net_attach_graphs(lc_net *net, lc_keras_model *model, lc_error *err);
/* Whether some layer of the model has a graph, or a layer that no file of Keras takes. */
bool lc_net_has_graph(const lc_keras_model *model);
/* Of a layer that has a graph: all weights whose name or scope fits the pattern (NULL: all) learn or not; *found counts them. */
lc_status lc_net_set_graph_trainable(lc_net *net, lc_keras_layer *l, const char *pattern, bool trainable, uint32_t *found, lc_error *err);
/* {"module", "class_name": "Graph", ...} of a layer with this graph under this name, whose weights learn as `learns` says (NULL: all that can). */
lc_status lc_net_graph_entry(lc_net *net, const lc_graph_layer *graph, const char *learns, lc_text *out, lc_error *err);

/* From a file that is none of Keras's. */
lc_status lc_net_open_graph(const char *path, const lc_net_options *options, lc_net **net, lc_error *err);

#endif
