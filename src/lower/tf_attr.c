/*
 * tf_attr.c: attributes of a node. In a function's body an attribute may be a placeholder ("$T"), which the caller's function attribute
 * binds; that value may again be one of the caller's own. A wrong kind of value is an error that names both.
 */
#include "lower/tf_impl.h"

#include <string.h>

const lc_pb_AttrValue *lc_tf_attr(lc_tf_call *c, const char *name) {
    const lc_pb_AttrValue *a = lc_tf_node_attr(c->node, name);
    const lc_tf_scope *scope = c->scope;
    for (uint32_t i = 0; a && lc_pb_has(a, AttrValue, placeholder) && i < LC_TF_DEPTH; i++) {
        const lc_str wanted = a->placeholder;
        a = NULL;
        if (!scope || !scope->binding) break;
        for (uint32_t k = 0; k < scope->binding->attr.n; k++)
            if (lc_str_eq(scope->binding->attr.data[k].key, wanted)) a = scope->binding->attr.data[k].value;
        scope = scope->outer;
    }
    return a;
}

#define WRONG(c, name, wanted) lc_tf_fail(c, LC_INVALID, "attribute \"%s\" is not %s", name, wanted)

int64_t lc_tf_attr_int(lc_tf_call *c, const char *name, int64_t otherwise) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, name);
    if (!a) return otherwise;
    if (lc_pb_has(a, AttrValue, i)) return a->i;
    WRONG(c, name, "a number");
    return otherwise;
}

float lc_tf_attr_float(lc_tf_call *c, const char *name, float otherwise) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, name);
    if (!a) return otherwise;
    if (lc_pb_has(a, AttrValue, f)) return a->f;
    WRONG(c, name, "a floating-point number");
    return otherwise;
}

bool lc_tf_attr_bool(lc_tf_call *c, const char *name, bool otherwise) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, name);
    if (!a) return otherwise;
    if (lc_pb_has(a, AttrValue, b)) return a->b;
    WRONG(c, name, "true or false");
    return otherwise;
}

lc_str lc_tf_attr_str(lc_tf_call *c, const char *name, const char *otherwise) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, name);
    if (!a) return lc_str_of(otherwise);
    if (lc_pb_has(a, AttrValue, s)) return a->s;
    WRONG(c, name, "a string");
    return lc_str_of(otherwise);
}

bool lc_tf_attr_is(lc_tf_call *c, const char *name, const char *otherwise, const char *value) {
    return lc_str_is(lc_tf_attr_str(c, name, otherwise), value);
}

lc_dtype lc_tf_attr_type(lc_tf_call *c, const char *name) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, name);
    if (!a) return LC_DTYPE_COUNT;
    if (lc_pb_has(a, AttrValue, type)) return lc_tf_dtype(a->type);
    WRONG(c, name, "a type");
    return LC_DTYPE_COUNT;
}

/* TFLite's types, and the quantised ones of TensorFlow, which are plain integers with a scale that the graph keeps elsewhere. */
lc_dtype lc_tf_dtype(int32_t data_type) {
    const int32_t plain = lc_pb_is_ref(data_type) ? data_type - 100 : data_type;
    switch (plain) {
    case LC_DT_QINT8: return LC_INT8;
    case LC_DT_QUINT8: return LC_UINT8;
    case LC_DT_QINT16: return LC_INT16;
    case LC_DT_QUINT16: return LC_UINT16;
    case LC_DT_QINT32: return LC_INT32;
    default: return lc_pb_dtype(plain);
    }
}

uint32_t lc_tf_attr_ints(lc_tf_call *c, const char *name, int64_t *values, uint32_t max) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, name);
    if (!a) return 0;
    if (!lc_pb_has(a, AttrValue, list) || !a->list) {
        WRONG(c, name, "a list");
        return 0;
    }
    if (a->list->i.n > max) {
        lc_tf_fail(c, LC_INVALID, "attribute \"%s\" has %u numbers, at most %u make sense", name, a->list->i.n, max);
        return 0;
    }
    if (a->list->i.n) memcpy(values, a->list->i.data, a->list->i.n * sizeof *values);
    return a->list->i.n;
}

lc_shape lc_tf_shape_proto(const lc_pb_TensorShapeProto *proto) {
    lc_shape s = {.rank = LC_RANK_UNKNOWN};
    if (!proto || proto->unknown_rank || proto->dim.n > LC_MAX_RANK) return s;
    s.rank = (int32_t)proto->dim.n;
    for (int32_t i = 0; i < s.rank; i++) {
        const int64_t d = proto->dim.data[i].size;
        s.dims[i] = d >= 0 && d <= INT32_MAX ? (int32_t)d : -1;
    }
    return s;
}

lc_shape lc_tf_attr_shape(lc_tf_call *c, const char *name) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, name);
    if (!a) return (lc_shape){.rank = LC_RANK_UNKNOWN};
    if (lc_pb_has(a, AttrValue, shape)) return lc_tf_shape_proto(a->shape);
    WRONG(c, name, "a shape");
    return (lc_shape){.rank = LC_RANK_UNKNOWN};
}

lc_str lc_tf_attr_func(lc_tf_call *c, const char *name) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, name);
    if (!a) return (lc_str){0};
    if (lc_pb_has(a, AttrValue, func) && a->func) return a->func->name;
    WRONG(c, name, "a function");
    return (lc_str){0};
}
