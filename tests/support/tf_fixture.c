/*
 * tf_fixture.c: see tf_fixture.h. The short form becomes text protobuf, which the library's own reader takes.
 */
#include "support/tf_fixture.h"

#include "litec/runtime.h"
#include "api/api.h"

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- short form to text ---------------------------------------------------------------------------------------------- */

static const char *blanks(const char *p) {
    while (*p == ' ') p++;
    return p;
}

static size_t word(const char *p) { return strcspn(p, " \n,()=:"); }

static int data_type(const char *name, size_t n) {
    char text[32] = {0};
    memcpy(text, name, n < 31 ? n : 31);
    if (!strcmp(text, "float")) return LC_DT_FLOAT;
    if (!strcmp(text, "double")) return LC_DT_DOUBLE;
    if (!strcmp(text, "half")) return LC_DT_HALF;
    for (int i = 1; i < 40; i++)
        if (!strcmp(lc_pb_data_type_text(i), text)) return i;
    return 0;
}

/* "{1,?}" as dims. Returns behind it. */
static const char *shape_text(const char *p, lc_text *out) {
    if (!strncmp(p, "{unknown}", 9)) return lc_text_add(out, "unknown_rank: true"), p + 9;
    for (p++; *p && *p != '}'; p++)
        if (*p == '?') lc_text_add(out, " dim { size: -1 }");
        else if (isdigit((unsigned char)*p)) {
            char *end;
            lc_text_printf(out, " dim { size: %ld }", strtol(p, &end, 10));
            p = end - 1;
        }
    return *p ? p + 1 : p;
}

/* Elements of a list "[a,b]", each by `one`. */
static const char *list_text(const char *p, lc_text *out) {
    lc_text_add(out, "list {");
    for (p++; *p && *p != ']';) {
        const size_t n = strcspn(p, ",]");
        if (*p == '{') {
            lc_text_add(out, " shape {");
            p = shape_text(p, out);
            lc_text_add(out, " }");
        } else if (*p == '@') {
            lc_text_printf(out, " func { name: \"%.*s\" }", (int)n - 1, p + 1);
            p += n;
        } else if (*p == '"') {
            lc_text_printf(out, " s: %.*s", (int)n, p);
            p += n;
        } else if (isalpha((unsigned char)*p)) {
            lc_text_printf(out, " type: %s", lc_pb_data_type_name(data_type(p, n)));
            p += n;
        } else {
            lc_text_printf(out, memchr(p, '.', n) ? " f: %.*s" : " i: %.*s", (int)n, p);
            p += n;
        }
        if (*p == ',') p++;
    }
    lc_text_add(out, " }");
    return *p ? p + 1 : p;
}

static const char *attr_text(const char *p, lc_text *out) {
    const size_t name = strcspn(p, "=");
    lc_text_printf(out, " attr { key: \"%.*s\" value { ", (int)name, p);
    p += name + 1;
    const size_t n = strcspn(p, " \n");
    if (*p == '{') {
        lc_text_add(out, "shape {");
        p = shape_text(p, out);
        lc_text_add(out, " }");
    } else if (*p == '[') p = list_text(p, out);
    else if (*p == '"') {
        const size_t quoted = 2 + strcspn(p + 1, "\"");
        lc_text_printf(out, "s: %.*s", (int)quoted, p);
        p += quoted;
    } else if (*p == '@') {
        lc_text_printf(out, "func { name: \"%.*s\" }", (int)n - 1, p + 1);
        p += n;
    } else if (*p == '$') {
        lc_text_printf(out, "placeholder: \"%.*s\"", (int)n - 1, p + 1);
        p += n;
    } else if (!strncmp(p, "true", 4) || !strncmp(p, "false", 5)) {
        lc_text_printf(out, "b: %.*s", (int)n, p);
        p += n;
    } else if (isalpha((unsigned char)*p)) {
        lc_text_printf(out, "type: %s", lc_pb_data_type_name(data_type(p, n)));
        p += n;
    } else {
        lc_text_printf(out, memchr(p, '.', n) ? "f: %.*s" : "i: %.*s", (int)n, p);
        p += n;
    }
    lc_text_add(out, " } }");
    return p;
}

static const char *const_text(const char *p, lc_text *out) {
    p = blanks(p);
    const size_t n = word(p);
    const int type = data_type(p, n);
    lc_text_printf(
        out, " op: \"Const\" attr { key: \"dtype\" value { type: %s } } attr { key: \"value\" value { tensor { dtype: %s tensor_shape {",
        lc_pb_data_type_name(type), lc_pb_data_type_name(type));
    p = blanks(p + n);
    p = blanks(shape_text(p, out));
    lc_text_add(out, " }");
    const char *field = type == LC_DT_FLOAT                            ? "float_val"
                        : type == LC_DT_DOUBLE                         ? "double_val"
                        : type == LC_DT_INT64                          ? "int64_val"
                        : type == LC_DT_UINT32                         ? "uint32_val"
                        : type == LC_DT_UINT64                         ? "uint64_val"
                        : type == LC_DT_BOOL                           ? "bool_val"
                        : type == LC_DT_STRING                         ? "string_val"
                        : type == LC_DT_HALF || type == LC_DT_BFLOAT16 ? "half_val"
                        : type == LC_DT_COMPLEX64                      ? "scomplex_val"
                                                                       : "int_val";
    while (*p && *p != '\n') {
        const size_t w = *p == '"' ? 2 + strcspn(p + 1, "\"") : strcspn(p, " \n");
        lc_text_printf(out, " %s: %.*s", field, (int)w, p);
        p = blanks(p + w);
    }
    lc_text_add(out, " } } }");
    return p;
}

/* One line "name = Op(inputs) attrs" as a node field called `field`. Returns behind the line. */
static const char *node_text(const char *p, const char *field, lc_text *out) {
    p = blanks(p);
    const size_t name = strcspn(p, " =");
    lc_text_printf(out, "%s { name: \"%.*s\"", field, (int)name, p);
    p = blanks(p + name);
    p = blanks(p + 1);
    if (!strncmp(p, "const ", 6)) p = const_text(p + 6, out);
    else {
        const size_t op = strcspn(p, "( \n");
        lc_text_printf(out, " op: \"%.*s\"", (int)op, p);
        p += op;
        if (*p == '(') {
            for (p = blanks(p + 1); *p && *p != ')';) {
                const size_t n = strcspn(p, ",) ");
                lc_text_printf(out, " input: \"%.*s\"", (int)n, p);
                p = blanks(p + n);
                if (*p == ',') p = blanks(p + 1);
            }
            if (*p) p++;
        }
        for (p = blanks(p); *p && *p != '\n'; p = blanks(p)) p = attr_text(p, out);
    }
    lc_text_add(out, " }\n");
    return *p ? p + 1 : p;
}

/* "def f(a: float) -> (o: n:z:0, p: a)" and its indented nodes. */
static const char *function_text(const char *p, lc_text *out) {
    lc_text ret = {0};
    p = blanks(p + 4);
    const size_t name = strcspn(p, "(");
    lc_text_printf(out, "library { function { signature { name: \"%.*s\"", (int)name, p);
    p = blanks(p + name + 1);
    while (*p && *p != ')') {
        const size_t n = strcspn(p, ":");
        lc_text_printf(out, " input_arg { name: \"%.*s\"", (int)n, p);
        p = blanks(p + n + 1);
        const size_t t = strcspn(p, ",) ");
        lc_text_printf(out, " type: %s }", lc_pb_data_type_name(data_type(p, t)));
        p = blanks(p + t);
        if (*p == ',') p = blanks(p + 1);
    }
    p = strchr(p, '>') + 1;
    p = blanks(strchr(p, '(') + 1);
    while (*p && *p != ')') {
        const size_t n = strcspn(p, ":");
        lc_text_printf(out, " output_arg { name: \"%.*s\" }", (int)n, p);
        const char *from = blanks(p + n + 1);
        const size_t f = strcspn(from, ",) ");
        lc_text_printf(&ret, " ret { key: \"%.*s\" value: \"%.*s\" }", (int)n, p, (int)f, from);
        p = blanks(from + f);
        if (*p == ',') p = blanks(p + 1);
    }
    lc_text_add(out, " }");
    p = strchr(p, '\n');
    p = p ? p + 1 : "";
    while (*p == ' ') p = node_text(p, " node_def", out);
    if (ret.data) lc_text_add(out, ret.data);
    lc_text_deinit(&ret);
    lc_text_add(out, " } }\n");
    return p;
}

const char *tf_text(const char *p, lc_arena *arena) {
    lc_text out = {0};
    while (*p) {
        if (*p == '\n') p++;
        else if (!strncmp(p, "def ", 4)) p = function_text(p, &out);
        else p = node_text(p, "node", &out);
    }
    const char *text = lc_arena_printf(arena, "%s", out.data ? out.data : "");
    lc_text_deinit(&out);
    return text;
}

/* ---- lowering ---------------------------------------------------------------------------------------------------------------- */

enum { PORTS = 16 };

static uint32_t ports(const char *names, bool shapes, lc_tf_port *port) {
    uint32_t n = 0;
    for (const char *p = blanks(names); *p; p = blanks(p)) {
        const size_t w = strcspn(p, " "), name = shapes ? strcspn(p, " :") : w;
        lc_tf_port *t = &port[n++];
        *t = (lc_tf_port){.name = {p, name}, .tensor = {p, name}, .type = LC_DTYPE_COUNT, .shape = {.rank = LC_RANK_UNKNOWN}};
        if (name < w) {
            t->shape.rank = 0;
            for (const char *d = p + name + 1; d < p + w;) {
                t->shape.dims[t->shape.rank++] = *d == '?' ? -1 : (int32_t)strtol(d, NULL, 10);
                d += strcspn(d, ", ");
                if (*d == ',') d++;
                else break;
            }
        }
        p += w;
    }
    return n;
}

static lc_status lower_with(const char *graph, const char *inputs, const char *outputs, const lc_lower_options *options, lc_arena *arena,
                            lc_model **m, lc_error *err) {
    lc_budget budget;
    lc_tf_port in[PORTS], out[PORTS];
    void *def;
    lc_budget_init(&budget, NULL);
    const bool text = !strncmp(graph, "node", 4) || !strncmp(graph, "library", 7);
    const lc_tf_signature s = {.key = LC_STR("serving_default"),
                               .inputs = in,
                               .input_count = ports(inputs, true, in),
                               .outputs = out,
                               .output_count = ports(outputs, false, out)};
    if (!text) graph = tf_text(graph, arena);
    LC_TRY(lc_pb_read_text(LC_PB_GraphDef, lc_str_of(graph), &budget, &(*m)->arena, &def, err));
    const lc_tf_model tf = {.graph = def, .signatures = &s, .signature_count = 1};
    return lc_lower_tf(&tf, options, *m, err);
}

lc_model *tf_lower(const char *graph, const char *inputs, const char *outputs, const lc_lower_options *options, lc_error *err) {
    lc_model *m = NULL;
    lc_arena arena = {0};
    lc_status status = lc_model_new(NULL, &m, err);
    if (!status) status = lower_with(graph, inputs, outputs, options, &arena, &m, err);
    lc_arena_deinit(&arena);
    if (!status) return m;
    lc_model_destroy(m);
    return NULL;
}

lc_model *tf_make(const char *graph, const char *inputs, const char *outputs) {
    lc_error err;
    lc_model *m = tf_lower(graph, inputs, outputs, NULL, &err);
    if (!m) fail_msg("%s (hint: %s)", err.message, err.hint);
    if (lc_convert_rewrite(m, &err)) fail_msg("%s", err.message);
    return m;
}

void tf_refused(const char *graph, const char *inputs, const char *outputs, const char *text) {
    lc_error err;
    lc_model *m = tf_lower(graph, inputs, outputs, NULL, &err);
    if (m) {
        lc_model_destroy(m);
        fail_msg("lowered, though \"%s\" was expected: %s", text, graph);
    }
    if (!strstr(err.message, text)) fail_msg("\"%s\" does not say \"%s\": %s", err.message, text, graph);
}

/* ---- running -------------------------------------------------------------------------------------------------------------------- */

static double get(lc_dtype type, const void *data, size_t i) {
    switch (type) {
    case LC_FLOAT32: return ((const float *)data)[i];
    case LC_FLOAT64: return ((const double *)data)[i];
    case LC_INT8: return ((const int8_t *)data)[i];
    case LC_UINT8:
    case LC_BOOL: return ((const uint8_t *)data)[i];
    case LC_INT16: return ((const int16_t *)data)[i];
    case LC_UINT16: return ((const uint16_t *)data)[i];
    case LC_INT32: return ((const int32_t *)data)[i];
    case LC_UINT32: return ((const uint32_t *)data)[i];
    case LC_INT64: return (double)((const int64_t *)data)[i];
    case LC_UINT64: return (double)((const uint64_t *)data)[i];
    default: fail_msg("an output of type %s", lc_dtype_name(type)); return 0;
    }
}

static void put(lc_dtype type, void *data, size_t i, double v) {
    switch (type) {
    case LC_FLOAT32: ((float *)data)[i] = (float)v; break;
    case LC_FLOAT64: ((double *)data)[i] = v; break;
    case LC_INT8: ((int8_t *)data)[i] = (int8_t)v; break;
    case LC_UINT8:
    case LC_BOOL: ((uint8_t *)data)[i] = (uint8_t)v; break;
    case LC_INT16: ((int16_t *)data)[i] = (int16_t)v; break;
    case LC_UINT16: ((uint16_t *)data)[i] = (uint16_t)v; break;
    case LC_INT32: ((int32_t *)data)[i] = (int32_t)v; break;
    case LC_UINT32: ((uint32_t *)data)[i] = (uint32_t)v; break;
    case LC_INT64: ((int64_t *)data)[i] = (int64_t)v; break;
    case LC_UINT64: ((uint64_t *)data)[i] = (uint64_t)v; break;
    default: fail_msg("an input of type %s", lc_dtype_name(type));
    }
}

size_t tf_run(lc_model *model, size_t input_count, const char *const *shapes, const double *const *data, size_t k, double *out, size_t max,
              char *dims) {
    const lc_session_options options = {.isa = "ref"};
    lc_session *s;
    lc_error err;
    int32_t shape[PORTS][LC_MAX_RANK], ranks[PORTS];
    const int32_t *pointers[PORTS];
    if (lc_session_create(model, &options, &s, &err)) fail_msg("%s", err.message);
    assert_int_equal(lc_session_input_count(s), input_count);
    for (size_t i = 0; i < input_count; i++) {
        ranks[i] = 0;
        for (const char *p = shapes[i]; *p; p += *p == ',') shape[i][ranks[i]++] = (int32_t)strtol(p, (char **)&p, 10);
        pointers[i] = shape[i];
    }
    if (input_count && lc_session_resize_inputs(s, pointers, ranks, &err)) fail_msg("%s", err.message);
    for (size_t i = 0; i < input_count; i++) {
        const lc_tensor_view v = lc_session_input(s, i);
        const size_t width = lc_dtype_bits(v.type) / 8;
        for (size_t e = 0; width && e < v.size / width; e++) put(v.type, v.data, e, data[i][e]);
    }
    if (lc_session_run(s, &err)) fail_msg("%s", err.message);
    const lc_tensor_view v = lc_session_output(s, k);
    const size_t n = v.size / (lc_dtype_bits(v.type) / 8);
    if (n > max) fail_msg("output has %zu elements", n);
    for (size_t e = 0; e < n; e++) out[e] = get(v.type, v.data, e);
    if (dims) {
        dims[0] = 0;
        for (int32_t d = 0; d < v.rank; d++) sprintf(dims + strlen(dims), "%s%d", d ? "," : "", v.dims[d]);
    }
    lc_session_destroy(s);
    return n;
}

void tf_expect(const char *graph, const char *outputs, const char *shape, const double *in, const double *want, size_t n,
               double tolerance) {
    lc_model *m = tf_make(graph, "x", outputs);
    double out[4096];
    const size_t got = tf_run(m, 1, &shape, &in, 0, out, 4096, NULL);
    if (got != n) fail_msg("%zu elements, not %zu", got, n);
    for (size_t i = 0; i < n; i++)
        if (!(isnan(want[i]) && isnan(out[i])) && out[i] != want[i] && !(fabs(out[i] - want[i]) <= tolerance * (1 + fabs(want[i]))))
            fail_msg("element %zu is %.9g, not %.9g", i, out[i], want[i]);
    lc_model_destroy(m);
}

void tf_ops(const lc_model *model, lc_text *out) {
    for (size_t g = 0; g < model->graph_count; g++) {
        if (g) lc_text_add(out, " |");
        for (size_t i = 0; i < model->graphs[g]->node_count; i++)
            lc_text_printf(out, "%s%s", g || i ? " " : "", lc_op_name(model->graphs[g]->nodes[i].op));
    }
}

void tf_expect_ops(const lc_model *model, const char *want) {
    lc_text text = {0};
    tf_ops(model, &text);
    assert_string_equal(text.data ? text.data : "", want);
    lc_text_deinit(&text);
}
