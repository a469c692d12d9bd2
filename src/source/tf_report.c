/*
 * tf_report.c: what is in a TensorFlow file, for people and for programs: signatures with types and shapes, likely inputs and outputs,
 * variables, functions, operators by count. Text is for a terminal: columns that line up, long lists cut (a program reads all of them from
 * the JSON). Names come from the file and are shown safely.
 *
 * A part that cannot be read (variables that are missing, a signature that names what is not there) is named in its place: to look at a
 * file should help when it is broken.
 */
#include "source/tf_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct out {
    lc_text *t;
    lc_tf_reading *r;
    bool first; /* JSON: no comma yet */
} out;

/* ---- JSON ---- */

static void comma(out *o) {
    if (!o->first) lc_text_add(o->t, ",");
    o->first = false;
}
static void key(out *o, const char *name) {
    comma(o);
    lc_text_printf(o->t, "\"%s\":", name);
}
static void begin(out *o, const char *bracket) {
    lc_text_add(o->t, bracket);
    o->first = true;
}
static void end(out *o, const char *bracket) {
    lc_text_add(o->t, bracket);
    o->first = false;
}
static void put_str(out *o, const char *name, lc_str s) {
    key(o, name);
    lc_text_add_json(o->t, s.data ? s.data : "", s.data ? s.size : 0);
}
static void put_number(out *o, const char *name, uint64_t v) {
    key(o, name);
    lc_text_printf(o->t, "%" PRIu64, v);
}

/* ---- text ---- */

static void name_of(lc_text *t, lc_str s) {
    lc_text_add(t, "\"");
    if (s.data) lc_text_add_safe(t, s.data, s.size);
    lc_text_add(t, "\"");
}

static void pad_to(lc_text *t, size_t start, size_t width) {
    lc_text_add(t, "  ");
    while (!t->failed && t->size < start + width + 2) lc_text_add(t, " ");
}

/* "814.1 KB" */
static void sized(lc_text *t, uint64_t bytes) {
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    double v = (double)bytes;
    size_t u = 0;
    while (v >= 999.95 && u + 1 < sizeof units / sizeof *units) v /= 1000, u++;
    lc_text_printf(t, u ? "%.1f %s" : "%.0f %s", v, units[u]);
}

/* ---- types and shapes ---- */

/* One input or output: of a signature, or a likely one. */
typedef struct port {
    lc_str name, tensor;
    lc_str op;         /* of the node, where that says more than the tensor's name */
    int32_t data_type; /* 0: not known */
    lc_dtype type;     /* used when data_type is 0 */
    const lc_pb_TensorShapeProto *proto;
    const lc_shape *shape; /* used when proto is NULL */
} port;

static const char *type_text(const port *p) {
    if (p->data_type) return lc_pb_data_type_text(p->data_type);
    return p->type == LC_DTYPE_COUNT ? "?" : lc_dtype_name(p->type);
}

/* "float32[?,784]"; of an unknown rank "float32[...]". */
static void type_and_shape(lc_text *t, const port *p) {
    lc_text_printf(t, "%s[", type_text(p));
    if (p->proto && !p->proto->unknown_rank) {
        for (uint32_t d = 0; d < p->proto->dim.n && d < 32; d++) {
            const int64_t n = p->proto->dim.data[d].size;
            if (n < 0) lc_text_add(t, d ? ",?" : "?");
            else lc_text_printf(t, d ? ",%" PRId64 : "%" PRId64, n);
        }
    } else if (!p->proto && p->shape && p->shape->rank != LC_RANK_UNKNOWN) {
        for (int32_t d = 0; d < p->shape->rank; d++) {
            if (p->shape->dims[d] < 0) lc_text_add(t, d ? ",?" : "?");
            else lc_text_printf(t, d ? ",%d" : "%d", p->shape->dims[d]);
        }
    } else {
        lc_text_add(t, "...");
    }
    lc_text_add(t, "]");
}

static void put_shape(out *o, const port *p) {
    const bool known = p->proto ? !p->proto->unknown_rank : p->shape && p->shape->rank != LC_RANK_UNKNOWN;
    key(o, "shape");
    if (!known) {
        lc_text_add(o->t, "null");
        return;
    }
    begin(o, "[");
    for (uint32_t d = 0; d < (p->proto ? p->proto->dim.n : (uint32_t)p->shape->rank); d++) {
        comma(o);
        const int64_t n = p->proto ? p->proto->dim.data[d].size : p->shape->dims[d];
        lc_text_printf(o->t, "%" PRId64, n < 0 ? -1 : n);
    }
    end(o, "]");
}

static size_t type_width(const port *p) {
    lc_text t = {0};
    type_and_shape(&t, p);
    const size_t n = t.size;
    lc_text_deinit(&t);
    return n;
}

static void show_ports(out *o, const char *title, const port *ports, uint32_t n) {
    size_t width = 0, names = 0;
    for (uint32_t i = 0; i < n; i++) {
        const size_t w = type_width(&ports[i]);
        if (w > width && w < 60) width = w;
        if (ports[i].name.size + 2 > names && ports[i].name.size < 40) names = ports[i].name.size + 2;
    }
    for (uint32_t i = 0; i < n; i++) {
        lc_text_printf(o->t, "  %-8s  ", i ? "" : title);
        size_t start = o->t->size;
        type_and_shape(o->t, &ports[i]);
        pad_to(o->t, start, width);
        start = o->t->size;
        name_of(o->t, ports[i].name);
        const lc_str more = ports[i].op.data ? ports[i].op : ports[i].tensor;
        if (more.data && !lc_str_eq(more, ports[i].name)) {
            pad_to(o->t, start, names);
            lc_text_add_safe(o->t, more.data, more.size);
        }
        lc_text_add(o->t, "\n");
    }
    if (!n) lc_text_printf(o->t, "  %-8s  none\n", title);
}

static void put_ports(out *o, const char *title, const port *ports, uint32_t n) {
    key(o, title);
    begin(o, "[");
    for (uint32_t i = 0; i < n; i++) {
        comma(o);
        begin(o, "{");
        put_str(o, "name", ports[i].name);
        if (ports[i].tensor.data) put_str(o, "tensor", ports[i].tensor);
        if (ports[i].op.data) put_str(o, "op", ports[i].op);
        put_str(o, "type", lc_str_of(type_text(&ports[i])));
        put_shape(o, &ports[i]);
        end(o, "}");
    }
    end(o, "]");
}

/* ---- signatures ---- */

static lc_status signature_ports(out *o, const lc_pb_SignatureDef *def, bool outputs, port **ports, uint32_t *n) {
    const lc_pb_TensorInfo **infos;
    lc_str *names;
    LC_TRY(lc_tf_port_order(o->r, def, outputs, &infos, &names, n));
    *ports = lc_arena_array(o->r->arena, (size_t)*n + 1, sizeof **ports);
    if (!*ports) return lc_fail_memory(o->r->err, "report");
    for (uint32_t i = 0; i < *n; i++) {
        (*ports)[i] = (port){.name = names[i], .type = LC_DTYPE_COUNT};
        if (!infos[i]) continue;
        (*ports)[i].tensor = infos[i]->name;
        (*ports)[i].data_type = infos[i]->dtype;
        (*ports)[i].proto = infos[i]->tensor_shape;
    }
    return LC_OK;
}

static lc_status signatures(out *o, bool json, uint32_t *count) {
    const lc_pb_MetaGraphDef_SignatureDefEntry **list;
    LC_TRY(lc_tf_visible_signatures(o->r, &list, count));
    if (json) key(o, "signatures"), begin(o, "[");
    for (uint32_t i = 0; i < *count; i++) {
        port *in, *outs;
        uint32_t n, m;
        LC_TRY(signature_ports(o, list[i]->value, false, &in, &n));
        LC_TRY(signature_ports(o, list[i]->value, true, &outs, &m));
        if (json) {
            comma(o);
            begin(o, "{");
            put_str(o, "key", list[i]->key);
            put_str(o, "method", list[i]->value->method_name);
            put_ports(o, "inputs", in, n);
            put_ports(o, "outputs", outs, m);
            end(o, "}");
            continue;
        }
        lc_text_add(o->t, "signature ");
        name_of(o->t, list[i]->key);
        if (list[i]->value->method_name.size) {
            lc_text_add(o->t, "  ");
            lc_text_add_safe(o->t, list[i]->value->method_name.data, list[i]->value->method_name.size);
        }
        lc_text_add(o->t, "\n");
        show_ports(o, "inputs", in, n);
        show_ports(o, "outputs", outs, m);
    }
    if (json) end(o, "]");
    return LC_OK;
}

/* ---- likely inputs and outputs ---- */

static lc_status edge_port(out *o, lc_tf_edge e, port *p) {
    const lc_pb_NodeDef *node = &o->r->graph->node.data[e.node];
    lc_shape *shape = lc_arena_alloc(o->r->arena, sizeof *shape);
    const char *name = e.output ? lc_arena_printf(o->r->arena, "%.*s:%d", (int)node->name.size, node->name.data, e.output) : "";
    if (!shape || !name) return lc_fail_memory(o->r->err, "report");
    *p = (port){.name = e.output ? lc_str_of(name) : node->name, .op = node->op, .type = lc_tf_output_type(node, e.output), .shape = shape};
    lc_error ignored;
    if (lc_tf_output_shape(node, e.output, shape, &ignored)) shape->rank = LC_RANK_UNKNOWN;
    return LC_OK;
}

static lc_status likely(out *o, bool json) {
    int32_t *nodes;
    uint32_t outs = 0, edges = 0, n = 0, switches = 0;
    lc_tf_edge *in = NULL;
    lc_error own = *o->r->err;
    const lc_status told = lc_tf_guess_outputs(o->r, &nodes, &outs);
    if (told == LC_NO_MEMORY) return told;
    *o->r->err = own; /* that it cannot be told is no failure here */
    if (!outs) nodes = NULL;
    if (outs) LC_TRY(lc_tf_guess_inputs(o->r, nodes, outs, &in, &edges));
    port *ports = lc_arena_array(o->r->arena, (size_t)edges + outs + 1, sizeof *ports),
         *fixed = lc_arena_array(o->r->arena, (size_t)edges + 1, sizeof *fixed);
    if (!ports || !fixed) return lc_fail_memory(o->r->err, "report");
    for (uint32_t i = 0; i < edges; i++) {
        double value;
        LC_TRY(edge_port(o, in[i], lc_tf_is_switch(o->r, in[i].node, &value) ? &fixed[switches++] : &ports[n++]));
    }
    for (uint32_t i = 0; i < outs; i++) LC_TRY(edge_port(o, (lc_tf_edge){nodes[i], 0}, &ports[n + i]));
    if (json) {
        put_ports(o, "likely_inputs", ports, n);
        put_ports(o, "likely_outputs", ports + n, outs);
        put_ports(o, "likely_fixed", fixed, switches);
        return LC_OK;
    }
    lc_text_add(o->t, "likely inputs and outputs (--input-arrays, --output-arrays)\n");
    show_ports(o, "inputs", ports, n);
    show_ports(o, "outputs", ports + n, outs);
    if (switches) show_ports(o, "fixed", fixed, switches);
    return LC_OK;
}

/* ---- variables ---- */

static bool is_bookkeeping(const lc_ckpt_entry *e) { return lc_str_is(e->name, LC_TF_OBJECTS); }

static void variable_shape(lc_text *t, const lc_ckpt_entry *e) {
    lc_text_printf(t, "%s[", lc_pb_data_type_text(e->data_type));
    for (int32_t d = 0; d < e->rank && d < 32; d++) lc_text_printf(t, d ? ",%" PRId64 : "%" PRId64, e->dims[d]);
    lc_text_add(t, "]");
}

static void show_variables(out *o, const lc_ckpt *ckpt, size_t most) {
    uint64_t numbers = 0, bytes = 0;
    size_t n = 0, width = 0, shown = 0;
    char digits[32];
    for (size_t i = 0; i < lc_ckpt_count(ckpt); i++) {
        const lc_ckpt_entry *e = lc_ckpt_at(ckpt, i);
        lc_text shape = {0};
        if (is_bookkeeping(e)) continue;
        n++;
        if (!lc_add_u64(numbers, e->elements, &numbers)) numbers = UINT64_MAX;
        if (!lc_add_u64(bytes, e->bytes, &bytes)) bytes = UINT64_MAX;
        variable_shape(&shape, e);
        if (shape.size > width && shape.size < 40) width = shape.size;
        lc_text_deinit(&shape);
    }
    lc_text_printf(o->t, "variables: %zu with %s numbers in ", n, lc_grouped(numbers, digits));
    sized(o->t, bytes);
    lc_text_printf(o->t, " (checkpoint of version %d)\n", lc_ckpt_version(ckpt));
    for (size_t i = 0; i < lc_ckpt_count(ckpt); i++) {
        const lc_ckpt_entry *e = lc_ckpt_at(ckpt, i);
        if (is_bookkeeping(e) || shown++ >= most) continue;
        lc_text_add(o->t, "  ");
        const size_t start = o->t->size;
        variable_shape(o->t, e);
        pad_to(o->t, start, width);
        lc_text_add_safe(o->t, e->name.data, e->name.size);
        if (e->slices > 1) lc_text_printf(o->t, "  (%u parts)", e->slices);
        lc_text_add(o->t, "\n");
    }
    if (shown > most) lc_text_printf(o->t, "  and %zu more: litec inspect on the checkpoint shows all, or --json\n", shown - most);
}

static void put_variables(out *o, const lc_ckpt *ckpt) {
    key(o, "variables");
    begin(o, "[");
    for (size_t i = 0; i < lc_ckpt_count(ckpt); i++) {
        const lc_ckpt_entry *e = lc_ckpt_at(ckpt, i);
        if (is_bookkeeping(e)) continue;
        comma(o);
        begin(o, "{");
        put_str(o, "name", e->name);
        put_str(o, "type", lc_str_of(lc_pb_data_type_text(e->data_type)));
        key(o, "shape");
        begin(o, "[");
        for (int32_t d = 0; d < e->rank; d++) {
            comma(o);
            lc_text_printf(o->t, "%" PRId64, e->dims[d]);
        }
        end(o, "]");
        put_number(o, "bytes", e->bytes);
        put_number(o, "parts", e->slices);
        end(o, "}");
    }
    end(o, "]");
}

static lc_status variables(out *o, bool json) {
    lc_error err;
    if (!o->r->values.prefix) return LC_OK;
    lc_error_clear(&err);
    const lc_status status = lc_tf_values_open(o->r, &err);
    if (status == LC_NO_MEMORY) {
        *o->r->err = err;
        return status;
    }
    if (status) {
        if (json) put_str(o, "variables_error", lc_str_of(err.message));
        else {
            lc_text_add(o->t, "variables: cannot be read: ");
            lc_text_add_safe(o->t, err.message, strlen(err.message));
            lc_text_add(o->t, "\n");
        }
    } else if (json) {
        put_variables(o, o->r->values.ckpt);
    } else {
        show_variables(o, o->r->values.ckpt, 40);
    }
    return LC_OK;
}

/* ---- functions ---- */

/* The shape that TensorFlow notes of a function's argument; NULL: none. */
static const lc_pb_TensorShapeProto *argument_shape(const lc_pb_FunctionDef *f, uint32_t arg) {
    for (uint32_t i = 0; i < f->arg_attr.n; i++) {
        const lc_pb_FunctionDef_ArgAttrEntry *e = &f->arg_attr.data[i];
        for (uint32_t k = 0; e->key == arg && e->value && k < e->value->attr.n; k++) {
            const lc_pb_AttrValue *v = e->value->attr.data[k].value;
            if (lc_str_is(e->value->attr.data[k].key, "_output_shapes") && v && v->list && v->list->shape.n) return &v->list->shape.data[0];
        }
    }
    return NULL;
}

/* The first n arguments: "(x: float32[?,4], flag: bool[])". */
static void function_args(lc_text *t, const lc_pb_FunctionDef *f, uint32_t n) {
    const lc_pb_OpDef_ArgDef *args = f->signature->input_arg.data;
    lc_text_add(t, "(");
    for (uint32_t i = 0; i < n && i < 8; i++) {
        lc_text_add(t, i ? ", " : "");
        if (args[i].name.data) lc_text_add_safe(t, args[i].name.data, args[i].name.size);
        lc_text_add(t, ": ");
        const port p = {.data_type = args[i].type, .type = LC_DTYPE_COUNT, .proto = argument_shape(f, i)};
        if (p.proto) type_and_shape(t, &p);
        else lc_text_add(t, lc_pb_data_type_text(args[i].type));
    }
    lc_text_printf(t, "%s)", n > 8 ? ", ..." : "");
}

static void functions(out *o, bool json) {
    const lc_pb_FunctionDefLibrary *library = o->r->graph->library;
    const lc_pb_SavedObjectGraph *objects = o->r->meta ? o->r->meta->object_graph_def : NULL;
    const uint32_t n = library ? library->function.n : 0;
    if (json) {
        key(o, "functions");
        begin(o, "[");
        for (uint32_t i = 0; i < n; i++) {
            const lc_pb_FunctionDef *f = &library->function.data[i];
            if (!f->signature) continue;
            comma(o);
            begin(o, "{");
            put_str(o, "name", f->signature->name);
            put_number(o, "arguments", f->signature->input_arg.n);
            put_number(o, "results", f->signature->output_arg.n);
            put_number(o, "nodes", f->node_def.n);
            end(o, "}");
        }
        end(o, "]");
    }
    /* What the model's own functions are called in Python, and their traces. */
    uint32_t shown = 0;
    if (json) key(o, "callables"), begin(o, "[");
    for (uint32_t i = 0; objects && objects->nodes.n && i < objects->nodes.data[0].children.n; i++) {
        const lc_str name = objects->nodes.data[0].children.data[i].local_name;
        const int32_t id = objects->nodes.data[0].children.data[i].node_id;
        const lc_pb_SavedFunction *f = id >= 0 && (uint32_t)id < objects->nodes.n ? objects->nodes.data[id].function : NULL;
        if (!f || !f->concrete_functions.n) continue;
        if (json) {
            comma(o);
            begin(o, "{");
            put_str(o, "name", name);
            key(o, "traces");
            begin(o, "[");
            for (uint32_t k = 0; k < f->concrete_functions.n; k++) {
                comma(o);
                const lc_str s = f->concrete_functions.data[k];
                lc_text_add_json(o->t, s.data ? s.data : "", s.data ? s.size : 0);
            }
            end(o, "]");
            end(o, "}");
            continue;
        }
        if (!shown++) lc_text_add(o->t, "functions of the model (--function)\n");
        for (uint32_t k = 0; k < f->concrete_functions.n && k < 4; k++) {
            lc_text_add(o->t, "  ");
            if (k == 0 && name.data) lc_text_add_safe(o->t, name.data, name.size);
            if (f->concrete_functions.n > 1) {
                lc_text_add(o->t, k ? "            " : "  ");
                lc_text_add_safe(o->t, f->concrete_functions.data[k].data, f->concrete_functions.data[k].size);
            }
            for (uint32_t j = 0; j < n; j++) {
                const lc_pb_OpDef *s = library->function.data[j].signature;
                if (!s || !lc_str_eq(s->name, f->concrete_functions.data[k])) continue;
                const lc_pb_SavedObjectGraph_ConcreteFunctionsEntry *e = lc_pb_find(objects->concrete_functions, s->name);
                const uint32_t bound = e && e->value ? e->value->bound_inputs.n : 0;
                function_args(o->t, &library->function.data[j], s->input_arg.n > bound ? s->input_arg.n - bound : 0);
                lc_text_printf(o->t, " -> %u value%s", s->output_arg.n, s->output_arg.n == 1 ? "" : "s");
                break;
            }
            lc_text_add(o->t, "\n");
        }
        if (shown >= 20) break;
    }
    if (json) end(o, "]");
}

/* ---- operators ---- */

typedef struct op_count {
    lc_str op;
    uint32_t count;
} op_count;

static int by_count(const void *pa, const void *pb) {
    const op_count *a = pa, *b = pb;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    const size_t n = a->op.size < b->op.size ? a->op.size : b->op.size;
    const int d = n ? memcmp(a->op.data, b->op.data, n) : 0;
    return d ? d : a->op.size < b->op.size ? -1 : a->op.size > b->op.size;
}

static void count_ops(const lc_pb_NodeDef *nodes, uint32_t n, lc_names *names, op_count *counts) {
    for (uint32_t i = 0; i < n; i++) {
        int32_t at;
        const lc_str op = nodes[i].op.data ? nodes[i].op : LC_STR("");
        const int32_t fresh = lc_names_add(names, op, &at);
        if (fresh >= 0) counts[fresh] = (op_count){op, 1};
        else counts[at].count++;
    }
}

static lc_status operators(out *o, bool json) {
    const lc_pb_FunctionDefLibrary *library = o->r->graph->library;
    uint64_t nodes = o->r->graph->node.n;
    lc_names names;
    for (uint32_t i = 0; library && i < library->function.n; i++) nodes += library->function.data[i].node_def.n;
    op_count *counts = nodes < UINT32_MAX ? lc_arena_array(o->r->arena, (size_t)nodes + 1, sizeof *counts) : NULL;
    if (!counts || !lc_names_init(&names, o->r->arena, (uint32_t)nodes)) return lc_fail_memory(o->r->err, "report");
    count_ops(o->r->graph->node.data, o->r->graph->node.n, &names, counts);
    for (uint32_t i = 0; library && i < library->function.n; i++)
        count_ops(library->function.data[i].node_def.data, library->function.data[i].node_def.n, &names, counts);
    qsort(counts, names.count, sizeof *counts, by_count);
    if (json) {
        key(o, "operators");
        begin(o, "[");
        for (uint32_t i = 0; i < names.count; i++) {
            comma(o);
            begin(o, "{");
            put_str(o, "op", counts[i].op);
            put_number(o, "count", counts[i].count);
            end(o, "}");
        }
        end(o, "]");
        return LC_OK;
    }
    lc_text_add(o->t, "operators, with those of functions\n");
    size_t line = 0;
    for (uint32_t i = 0; i < names.count && i < 60; i++) {
        lc_text item = {0};
        lc_text_printf(&item, "%u ", counts[i].count);
        lc_text_add_safe(&item, counts[i].op.data, counts[i].op.size);
        if (line && line + item.size > 96) {
            lc_text_add(o->t, "\n");
            line = 0;
        }
        lc_text_printf(o->t, "%s%s", line ? ", " : "  ", item.data ? item.data : "");
        line += item.size + 2;
        if (item.failed) o->t->failed = true;
        lc_text_deinit(&item);
    }
    lc_text_printf(o->t, "%s\n", names.count > 60 ? ", ..." : "");
    return LC_OK;
}

/* ---- all ---- */

static void heading(out *o, const char *what) {
    const lc_pb_MetaGraphDef_MetaInfoDef *info = o->r->meta ? o->r->meta->meta_info_def : NULL;
    lc_text_add(o->t, what);
    if (info && info->tensorflow_version.size) {
        lc_text_add(o->t, " of TensorFlow ");
        lc_text_add_safe(o->t, info->tensorflow_version.data, info->tensorflow_version.size);
    }
    lc_text_printf(o->t, ": %u node%s, %u function%s", o->r->index.node_count, o->r->index.node_count == 1 ? "" : "s",
                   o->r->graph->library ? o->r->graph->library->function.n : 0,
                   o->r->graph->library && o->r->graph->library->function.n == 1 ? "" : "s");
    lc_text tags = {0};
    for (uint32_t i = 0; o->r->saved && i < o->r->saved->meta_graphs.n && i < 10; i++) {
        lc_text_add(&tags, i ? "; " : "");
        lc_tf_tags_text(&o->r->saved->meta_graphs.data[i], &tags);
    }
    if (tags.size) {
        lc_text_add(o->t, o->r->saved->meta_graphs.n > 1 ? "; graphs with the tags " : "; tags ");
        lc_text_add_safe(o->t, tags.data, tags.size);
    }
    lc_text_deinit(&tags);
    lc_text_add(o->t, "\n");
}

static void put_heading(out *o) {
    const lc_pb_MetaGraphDef_MetaInfoDef *info = o->r->meta ? o->r->meta->meta_info_def : NULL;
    if (info && info->tensorflow_version.size) put_str(o, "tensorflow", info->tensorflow_version);
    put_number(o, "nodes", o->r->index.node_count);
    if (!o->r->saved) return;
    key(o, "graphs");
    begin(o, "[");
    for (uint32_t i = 0; i < o->r->saved->meta_graphs.n; i++) {
        const lc_pb_MetaGraphDef_MetaInfoDef *m = o->r->saved->meta_graphs.data[i].meta_info_def;
        comma(o);
        begin(o, "{");
        key(o, "tags");
        begin(o, "[");
        for (uint32_t k = 0; m && k < m->tags.n; k++) {
            comma(o);
            lc_text_add_json(o->t, m->tags.data[k].data ? m->tags.data[k].data : "", m->tags.data[k].size);
        }
        end(o, "]");
        end(o, "}");
    }
    end(o, "]");
}

lc_status lc_tf_report_graph(lc_tf_reading *r, const char *what, bool json, lc_text *text) {
    out o = {text, r, true};
    uint32_t count;
    if (json) put_heading(&o);
    else heading(&o, what);
    LC_TRY(signatures(&o, json, &count));
    if (json || (!count && !(r->meta && r->meta->object_graph_def))) LC_TRY(likely(&o, json)); /* TensorFlow 2 has functions */
    LC_TRY(variables(&o, json));
    functions(&o, json);
    return operators(&o, json);
}

void lc_tf_report_checkpoint(const lc_ckpt *ckpt, bool json, lc_text *text) {
    out o = {text, NULL, true};
    if (json) put_variables(&o, ckpt);
    else show_variables(&o, ckpt, SIZE_MAX);
}
