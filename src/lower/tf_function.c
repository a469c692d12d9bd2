/*
 * tf_function.c: calls. A function is lowered in place: its arguments are the caller's values, its body's nodes go into the caller's graph,
 * and its results are values there. So handles of variables, lists and constants go in and out as what they are, and nothing of a call is
 * left in the graph. Calls nest LC_TF_DEPTH deep at most; a function that calls itself is an error before that.
 */
#include "lower/tf_impl.h"

void lc_tf_run_function(lc_tf_lower *l, const lc_tf_scope *outer, lc_builder *b, const lc_pb_NodeDef *call,
                        const lc_pb_NameAttrList *binding, lc_str name, const lc_tf_value *args, uint32_t arg_count, lc_tf_value *rets,
                        uint32_t ret_count) {
    lc_status status = LC_OK;
    for (uint32_t i = 0; i < ret_count; i++) rets[i] = (lc_tf_value){LC_TF_NOTHING, -1, 0};
    if (b->status != LC_OK) return;
    lc_tf_body *body = lc_tf_function(l, name, &status);
    if (!body) {
        b->status = status;
        return;
    }
    lc_tf_scope scope = {.outer = outer,
                         .body = body,
                         .call = call,
                         .binding = binding,
                         .args = args,
                         .arg_count = arg_count,
                         .depth = outer ? outer->depth + 1 : 0};
    if (arg_count != body->arg_count)
        status = lc_fail(l->err, LC_INVALID, "function \"%.*s\" takes %u arguments and is given %u", LC_TF_NAME(name), body->arg_count,
                         arg_count);
    else if (ret_count > body->ret_count)
        status =
            lc_fail(l->err, LC_INVALID, "function \"%.*s\" gives %u results, %u are wanted", LC_TF_NAME(name), body->ret_count, ret_count);
    else if (scope.depth > LC_TF_DEPTH) status = lc_fail(l->err, LC_LIMIT, "functions call each other more than %d deep", LC_TF_DEPTH);
    for (const lc_tf_scope *o = outer; o && !status; o = o->outer)
        if (o->body == body) {
            status = lc_fail(l->err, LC_UNSUPPORTED, "function \"%.*s\" calls itself", LC_TF_NAME(name));
            lc_error_hint(l->err, "TFLite has no recursion; write it as a loop");
        }
    if (!status && !body->order)
        status = lc_tf_order(l, body, body->rets, body->ret_count, body->ends, body->end_count, NULL, &body->order, &body->order_count);
    if (!status && !(scope.outs = lc_arena_array(&l->scratch, body->node_count ? body->node_count : 1, sizeof *scope.outs)))
        status = lc_fail_memory(l->err, "function");
    if (status) {
        b->status = status;
        return;
    }
    lc_tf_walk(l, &scope, b, body->order, body->order_count);
    for (uint32_t i = 0; i < ret_count && b->status == LC_OK; i++) rets[i] = lc_tf_look(&scope, body->rets[i]);
}

void lc_tf_inline(lc_tf_call *c, lc_str function, const lc_tf_value *args, uint32_t arg_count, lc_tf_value *rets, uint32_t ret_count) {
    const lc_pb_AttrValue *f = lc_tf_attr(c, "f");
    const lc_pb_NameAttrList *binding = f && f->func && lc_str_eq(f->func->name, function) ? f->func : NULL;
    for (uint32_t i = 0; !binding && i < c->node->attr.n; i++) { /* then_branch, body, ... */
        const lc_pb_AttrValue *a = c->node->attr.data[i].value;
        if (a && a->func && lc_str_eq(a->func->name, function)) binding = a->func;
    }
    lc_tf_run_function(c->lower, c->scope, c->b, c->node, binding, function, args, arg_count, rets, ret_count);
}

void lc_tf_op_call(lc_tf_call *c) {
    const lc_str f = lc_tf_attr_func(c, "f");
    if (lc_tf_ok(c) && !f.size) lc_tf_fail(c, LC_INVALID, "it calls no function");
    lc_tf_inline(c, f, c->in, c->in_count, c->out, c->out_count);
}

/* A node whose operator is the name of a function. */
void lc_tf_op_named_call(lc_tf_call *c) {
    const lc_pb_NameAttrList *binding = NULL;
    lc_pb_NameAttrList *own = lc_arena_alloc(&c->lower->scratch, sizeof *own);
    if (!own) {
        lc_build_check(c->b, lc_fail_memory(c->lower->err, "function"));
        return;
    }
    own->name = c->node->op; /* the node's attributes bind what the function's body leaves open */
    own->attr.n = c->node->attr.n;
    own->attr.data = lc_arena_array(&c->lower->scratch, own->attr.n ? own->attr.n : 1, sizeof *own->attr.data);
    for (uint32_t i = 0; own->attr.data && i < own->attr.n; i++) {
        own->attr.data[i].key = c->node->attr.data[i].key;
        own->attr.data[i].value = c->node->attr.data[i].value;
    }
    binding = own->attr.data ? own : NULL;
    lc_tf_run_function(c->lower, c->scope, c->b, c->node, binding, c->node->op, c->in, c->in_count, c->out, c->out_count);
}

void lc_tf_op_opaque_call(lc_tf_call *c) { lc_tf_missing(c, "its computation is serialised StableHLO, of which the graph shows nothing"); }
