/*
 * known.h: every operator that a session may come to run is one it can run.
 */
#ifndef LC_RUNTIME_KNOWN_H
#define LC_RUNTIME_KNOWN_H

#include "runtime/exec.h"

/* Looks at `graph` and at every graph it calls. LC_UNSUPPORTED names the first node whose operator nobody has, with a hint. */
lc_status lc_known_check(const lc_graph *graph, const lc_exec_options *options, lc_error *err);

#endif
