/*
 * inspect.h: what the two forms of a report (inspect_text.c, inspect_json.c) are made from. Both print the same facts;
 * whatever must be counted is counted once, in inspect.c.
 */
#ifndef LC_API_INSPECT_H
#define LC_API_INSPECT_H

#include "api/api.h"
#include "runtime/session.h"

typedef struct lc_report {
    const lc_model *model;
    uint32_t parts;            /* LC_REPORT_... */
    uint64_t parameters;       /* numbers in the constants, shapes and indices left out, shared ones once */
    uint64_t constant_bytes;   /* all constants, shared ones once */
    uint64_t macs;             /* one run of all graphs' operators at the stated shapes, open dimensions as 1 */
    size_t operators, tensors; /* all graphs */
    bool states_ranks;         /* lc_model_states_ranks */
    lc_session *session;       /* the first graph, planned; NULL when it cannot be */
    lc_error why;              /* why not */
} lc_report;

/* Counts what the parts need; r->model and r->parts are set. The caller ends it with lc_report_end, also after a failure. */
lc_status lc_report_begin(lc_report *r, lc_error *err);
void lc_report_end(lc_report *r);

/* Each adds the whole report; an append that failed shows in out->failed. */
void lc_report_text(const lc_report *report, lc_text *out);
void lc_report_json(const lc_report *report, lc_text *out);

/* Bytes of the constants a node reads (one read twice counts once). */
uint64_t lc_report_node_constants(const lc_graph *graph, const lc_node *node);
/* Name of the operator: the builtin's, or the custom code. */
lc_str lc_report_op_name(const lc_node *node);

#endif
