/*
 * fuzz_node.c: the bytes choose one of the models of tests/data/runs (one or a few operators each, every operator and type among them)
 * and then changes to its graph: types, shapes, quantisation, options, constant values, absent and repeated inputs. What the loader's
 * rules still accept is run, with the plain kernels and with the fast ones; inputs are filled from the bytes. Whatever a model says, a
 * session is refused with a reason or stays inside its tensors.
 */
#include "fuzz/fuzz.h"
#include "fuzz/work.h"

#include "emit/emit.h"
#include "ops/op.h"
#include "ops/runs.h"

#include <math.h>

static runs_case *cases;
static size_t case_count, case_capacity;
static const uint8_t *bytes, *bytes_end;

static uint32_t draw(uint32_t below) {
    uint32_t v = bytes < bytes_end ? *bytes++ : 0;
    if (below > 256) v = v << 8 | (bytes < bytes_end ? *bytes++ : 0);
    return v % below;
}

static void keep(const char *path, const runs_case *c) {
    (void)path;
    if (case_count == case_capacity) {
        case_capacity = case_capacity ? case_capacity * 2 : 256;
        cases = realloc(cases, case_capacity * sizeof *cases);
        if (!cases) abort();
    }
    cases[case_count] = *c;
    uint8_t *copy = malloc(c->model_size); /* the archive goes */
    if (!copy) abort();
    memcpy(copy, c->model, c->model_size);
    cases[case_count++].model = copy;
}

static const int32_t numbers[] = {0, 1, 2, 3, -1, 4, 5, 7, 8, 16, 17, -2, 100, 255, 46341, INT32_MAX, INT32_MIN, 65536};
#define NUMBER numbers[draw(sizeof numbers / sizeof *numbers)]

/* The constant keeps as many bytes as its type and shape need, repeated from what it had. */
static void refit(lc_model *m, lc_tensor *t) {
    uint64_t n, size;
    if (!t->data || t->type == LC_STRING || !lc_tensor_elements(t, &n) || !lc_dtype_bytes(t->type, n, &size) || size > 1 << 16) return;
    uint8_t *data = lc_arena_data(&m->arena, size ? (size_t)size : 1);
    if (!data) abort();
    for (uint64_t i = 0; i < size && t->size; i++) data[i] = ((const uint8_t *)t->data)[i % t->size];
    t->data = data;
    t->size = (size_t)size;
}

static void change_quant(lc_model *m, lc_tensor *t) {
    static const float scales[] = {0.5f, 0, -1, 1e-38f, 1e38f, 0.1f, 1, 3.4e38f, 1e-45f};
    lc_QuantizationParameters *q = lc_arena_alloc(&m->arena, sizeof *q);
    const uint32_t n = draw(3) ? 1 : draw(5);
    float *scale = lc_arena_array(&m->arena, 4, sizeof *scale);
    int64_t *zero = lc_arena_array(&m->arena, 4, sizeof *zero);
    if (!q || !scale || !zero) abort();
    lc_schema_init(LC_TABLE_QuantizationParameters, q);
    for (uint32_t i = 0; i < 4; i++) {
        scale[i] = scales[draw(sizeof scales / sizeof *scales)];
        if (draw(20) == 19) scale[i] = NAN;
        zero[i] = draw(2) ? 0 : NUMBER;
    }
    q->scale.data = scale;
    q->scale.n = n;
    q->zero_point.data = zero;
    q->zero_point.n = draw(6) ? n : draw(5);
    q->quantized_dimension = (int32_t)draw(5) - 1;
    t->quant = draw(5) ? q : NULL;
}

static void change_options(lc_node *node) {
    if (!node->attrs || node->attrs_table < 0 || lc_schema_tables[node->attrs_table].field_count == 0) return;
    const lc_field *f = &lc_table_fields(node->attrs_table)[draw(lc_schema_tables[node->attrs_table].field_count)];
    uint8_t *at = (uint8_t *)node->attrs + f->offset;
    const int32_t v = NUMBER;
    const float real = (float)v * 0.25f;
    switch (f->kind) {
    case LC_KIND_bool: *at = v & 1; break;
    case LC_KIND_i8:
    case LC_KIND_enum_i8: *at = (uint8_t)draw(6); break;
    case LC_KIND_i32:
    case LC_KIND_u32:
    case LC_KIND_enum_i32:
    case LC_KIND_enum_u32: memcpy(at, &v, 4); break;
    case LC_KIND_f32: memcpy(at, &real, 4); break;
    case LC_KIND_vec_i32:
        if (((lc_vec_i32 *)(void *)at)->n) ((lc_vec_i32 *)(void *)at)->n -= draw(2);
        break;
    default: break;
    }
}

static void change(lc_model *m) {
    lc_graph *g = m->graphs[draw((uint32_t)m->graph_count)];
    if (g->tensor_count == 0 || g->node_count == 0) return;
    lc_tensor *t = &g->tensors[draw((uint32_t)g->tensor_count)];
    lc_node *node = &g->nodes[draw((uint32_t)g->node_count)];
    switch (draw(9)) {
    case 0:
        if (t->rank > 0) {
            const uint32_t d = draw((uint32_t)t->rank);
            t->dims[d] = draw(4) ? (int32_t)draw(6) : abs(NUMBER % 70000);
            if (t->signature) t->signature[d] = draw(2) ? -1 : t->dims[d];
        }
        break;
    case 1:
        if (t->rank > 0) t->rank--;
        break;
    case 2: t->type = (lc_dtype)draw(LC_DTYPE_COUNT); break;
    case 3: change_quant(m, t); break;
    case 4: change_options(node); break;
    case 5:
        if (t->data && t->size) {
            uint8_t *data = lc_arena_data(&m->arena, t->size);
            if (!data) abort();
            memcpy(data, t->data, t->size);
            for (uint32_t k = 0; k < 1 + draw(4); k++) {
                const int32_t v = NUMBER;
                const size_t at = draw((uint32_t)(t->size < 60000 ? t->size : 60000)), left = t->size - at;
                memcpy(data + at, &v, left < 4 ? left : 4);
            }
            t->data = data;
        }
        break;
    case 6:
        if (node->input_count) node->inputs[draw(node->input_count)] = draw(2) ? LC_ABSENT : (int32_t)draw((uint32_t)g->tensor_count);
        break;
    case 7:
        if (node->input_count) node->input_count -= draw(2);
        break;
    default: t->is_variable = draw(2); break;
    }
    refit(m, t);
}

static void fill(lc_session *s) {
    for (size_t i = 0; i < lc_session_input_count(s); i++) {
        const lc_tensor_view in = lc_session_input(s, i);
        uint8_t *p = in.data;
        const uint8_t with = (uint8_t)draw(256);
        for (size_t k = 0; p && k < in.size; k++) p[k] = draw(3) ? with : (uint8_t)draw(256);
        if (in.type == LC_BOOL)
            for (size_t k = 0; p && k < in.size; k++) p[k] &= 1;
    }
}

static void run(lc_model *model, const char *isa) {
    const lc_session_options options = {.isa = isa, .max_memory = 4 << 20, .max_loops = 100};
    lc_session *s;
    lc_error err;
    lc_status status = lc_session_create(model, &options, &s, &err);
    if (status != LC_OK) {
        if (s || err.status != status || !err.message[0]) abort();
        return;
    }
    const uint64_t macs = fuzz_work(model, s);
    for (int round = 0; round < 2 && macs < 2000000; round++) {
        fill(s);
        status = lc_session_run(s, &err);
        if (status != LC_OK && !err.message[0]) abort();
        unsigned sum = 0; /* every output byte is there to be read */
        for (size_t i = 0; status == LC_OK && i < lc_session_output_count(s); i++) {
            const lc_tensor_view out = lc_session_output(s, i);
            for (size_t k = 0; k < out.size; k++) sum += ((const uint8_t *)out.data)[k];
            if (out.type == LC_STRING) {
                size_t length;
                (void)lc_tensor_string(&out, 0, &length);
            }
        }
        if (sum == 1u << 31) abort();
    }
    lc_session_destroy(s);
}

typedef struct written {
    uint8_t data[1 << 18];
    size_t size;
} written;

static lc_status append(void *user, const void *data, size_t size, lc_error *err) {
    written *w = user;
    if (size > sizeof w->data - w->size) return lc_fail(err, LC_LIMIT, "too large for here");
    if (size) memcpy(w->data + w->size, data, size);
    w->size += size;
    return LC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static written w;
    lc_model *m;
    lc_error err;
    if (!cases) runs_for_all(NULL, keep);
    bytes = data;
    bytes_end = data + size;
    const runs_case *c = &cases[draw(65536) % case_count];
    if (lc_model_from_memory(c->model, c->model_size, NULL, &m, &err) != LC_OK) abort();
    for (uint32_t n = draw(6); n > 0; n--) change(m);
    w.size = 0;
    const lc_sink sink = {.write = append, .user = &w};
    const lc_status status = lc_emit_tflite(m, &sink, NULL, &err);
    lc_model_destroy(m);
    const lc_open_options options = {.limits = {.max_memory = 8 << 20}};
    uint8_t *exact = status == LC_OK ? malloc(w.size ? w.size : 1) : NULL; /* exactly this much: the sanitizer guards its end */
    if (!exact) return 0;
    memcpy(exact, w.data, w.size);
    if (lc_model_from_memory(exact, w.size, &options, &m, &err) == LC_OK) {
        run(m, "ref");
        run(m, NULL);
        lc_model_destroy(m);
    }
    free(exact);
    return 0;
}
