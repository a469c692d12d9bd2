/*
 * test_ops.c: one case, many modes. Every case that LiteRT computed (tests/data/ops) runs as
 *
 *   shape rule             output types and shapes are those LiteRT gave
 *   shape rule, open       any one dimension of any input open: the rule agrees with the closed answer wherever it commits itself
 *   reference kernel       values within the case's tolerance; inputs lie at the end of their block, so that a sanitizer sees a read past
 * it in place               for operators with INPLACE: output in the memory of an input of equal bytes each SIMD kernel       of every
 * instruction set this machine has a model                built as a graph, written as .tflite, read again, run in a session
 *
 * and every operator that ops.def says has a kernel has cases.
 */
#include "case.h"
#include "runs.h"

#include "litec/litec.h"
#include "support/fault.h"
#include <math.h>

static uint32_t seen[LC_OP_COUNT];
static uint32_t open_committed, inplace_runs, fast_runs;
static double worst;

static bool near(const char *where, const op_case *c, const case_tensor *want, const void *got) {
    uint64_t n = 0;
    lc_shape_elements(&want->shape, &n);
    if (want->type != LC_FLOAT32 && want->type != LC_FLOAT16) {
        if (!want->size || !memcmp(want->data, got, want->size)) return true;
        size_t width = want->size / n, i = 0;
        while (!memcmp(want->data + i * width, (const char *)got + i * width, width)) i++;
        print_error("%s %s: element %zu of %llu differs\n", c->name, where, i, (unsigned long long)n);
        return false;
    }
    if (want->type == LC_FLOAT16) return !memcmp(want->data, got, want->size);
    for (uint64_t i = 0; i < n; i++) {
        float w, g;
        memcpy(&w, want->data + i * 4, 4);
        memcpy(&g, (const char *)got + i * 4, 4);
        if (w == g || (isnan(w) && isnan(g))) continue;
        double difference = fabs((double)w - g) / (fabs(w) > 1 ? fabs(w) : 1);
        if (difference > worst) worst = difference;
        if (difference <= c->tolerance) continue;
        print_error("%s %s: element %llu is %.9g, LiteRT has %.9g\n", c->name, where, (unsigned long long)i, g, w);
        return false;
    }
    return true;
}

/* ---- shape rule ------------------------------------------------------------------------------------------------------ */

static void shape_rule(op_case *c) {
    lc_infer_tensor out[CASE_TENSORS];
    lc_error err;
    char a[LC_SHAPE_TEXT], b[LC_SHAPE_TEXT];
    if (case_infer(c, out, &err) != LC_OK) fail_msg("%s: %s", c->name, err.message);
    for (uint32_t i = 0; i < c->out_count; i++) {
        if (out[i].type != c->out[i].type)
            fail_msg("%s: type %s, LiteRT gives %s", c->name, lc_dtype_name(out[i].type), lc_dtype_name(c->out[i].type));
        for (int32_t d = 0; d < out[i].shape.rank; d++)
            if (out[i].shape.dims[d] < 0) return; /* depends on an input that is not constant */
        if (!lc_shape_equal(&out[i].shape, &c->out[i].shape))
            fail_msg("%s: shape %s, LiteRT gives %s", c->name, lc_shape_text(&out[i].shape, a), lc_shape_text(&c->out[i].shape, b));
    }
}

static void shape_rule_open(op_case *c) {
    for (uint32_t i = 0; i < c->in_count; i++)
        for (int32_t d = 0; c->in[i].present && !c->in[i].constant && d < c->in[i].shape.rank; d++) {
            lc_infer_tensor out[CASE_TENSORS];
            int32_t kept = c->in[i].shape.dims[d];
            c->in[i].shape.dims[d] = -1;
            lc_status status = case_infer(c, out, NULL);
            c->in[i].shape.dims[d] = kept;
            if (status != LC_OK) {
                /* Only shapes that say more than their size may be needed: a filter's, or a vector's length. */
                if (i == 0) fail_msg("%s: refuses input 0 with dimension %d open", c->name, d);
                continue;
            }
            for (uint32_t k = 0; k < c->out_count; k++) {
                /* SQUEEZE without dimensions drops what is 1: an open dimension stays */
                if (c->op == LC_OP_SQUEEZE && kept == 1 && out[k].shape.rank != c->out[k].shape.rank) continue;
                assert_int_equal(out[k].shape.rank, c->out[k].shape.rank);
                for (int32_t e = 0; e < out[k].shape.rank; e++) {
                    open_committed += out[k].shape.dims[e] >= 0;
                    if (out[k].shape.dims[e] >= 0 && out[k].shape.dims[e] != c->out[k].shape.dims[e])
                        fail_msg("%s: with dimension %d of input %u open, output dimension %d is %d and not %d", c->name, d, i, e,
                                 out[k].shape.dims[e], c->out[k].shape.dims[e]);
                }
            }
        }
}

/* ---- kernels ---------------------------------------------------------------------------------------------------------- */

typedef struct binding {
    lc_value values[2 * CASE_TENSORS];
    lc_value *in[CASE_TENSORS], *out[CASE_TENSORS];
    void *blocks[2 * CASE_TENSORS];
} binding;

/* A block of exactly `size` bytes, from the heap so that a sanitizer guards both its ends. */
static void *exact(const void *data, size_t size) {
    void *p = lc_malloc_aligned(size ? size : 1);
    assert_non_null(p);
    if (data && size) memcpy(p, data, size);
    else memset(p, 0x5a, size);
    return p;
}

static void bind(op_case *c, binding *b, int inplace) {
    memset(b, 0, sizeof *b);
    for (uint32_t i = 0; i < c->in_count; i++) {
        const case_tensor *t = &c->in[i];
        if (!t->present) continue;
        b->blocks[i] = exact(t->data, t->size);
        b->values[i] = (lc_value){.type = t->type, .shape = t->shape, .data = b->blocks[i], .size = t->size, .constant = t->constant};
        b->in[i] = &b->values[i];
    }
    for (uint32_t i = 0; i < c->out_count; i++) {
        const case_tensor *t = &c->out[i];
        lc_value *v = &b->values[CASE_TENSORS + i];
        b->blocks[CASE_TENSORS + i] = exact(NULL, t->size);
        *v = (lc_value){.type = t->type, .shape = t->shape, .data = b->blocks[CASE_TENSORS + i], .size = t->size};
        if (inplace >= 0) v->data = b->in[inplace]->data;
        b->out[i] = v;
    }
}

static void unbind(binding *b) {
    for (size_t i = 0; i < sizeof b->blocks / sizeof *b->blocks; i++) lc_free_aligned(b->blocks[i]);
}

static void kernel(op_case *c, const struct lc_simd *simd, int inplace, const char *where) {
    binding b;
    lc_error err;
    lc_arena arena = {0};
    bind(c, &b, inplace);
    if (lc_kernel_run_once(&c->node, b.in, c->in_count, b.out, c->out_count, simd, &arena, &err) != LC_OK)
        fail_msg("%s %s: %s", c->name, where, err.message);
    for (uint32_t i = 0; i < c->out_count; i++)
        if (!near(where, c, &c->out[i], b.out[i]->data)) fail_msg("%s %s", c->name, where);
    lc_arena_deinit(&arena);
    unbind(&b);
}

static void run_case(op_case *c, lc_arena *arena) {
    (void)arena;
    seen[c->op]++;
    shape_rule(c);
    shape_rule_open(c);
    kernel(c, NULL, -1, "reference");
    bool inplace = lc_op_get(c->op)->flags & LC_OPF_INPLACE;
    for (int i = 0; inplace && i < 2 && i < (int)c->in_count; i++)
        if (c->in[i].present && c->in[i].size == c->out[0].size && c->in[i].type == c->out[0].type) {
            kernel(c, NULL, i, "reference in place");
            inplace_runs++;
        }
    static const char *const sets[] = {"portable", "avx2", "avx512", "neon"};
    for (size_t k = 0; lc_kernel_fast(c->op) && k < sizeof sets / sizeof *sets; k++) {
        const struct lc_simd *simd = NULL;
        if (lc_simd_get(sets[k], &simd, NULL) != LC_OK || !simd) continue;
        kernel(c, simd, -1, sets[k]);
        for (int i = 0; inplace && i < 2 && i < (int)c->in_count; i++)
            if (c->in[i].present && c->in[i].size == c->out[0].size && c->in[i].type == c->out[0].type) kernel(c, simd, i, sets[k]);
        fast_runs++;
    }
}

static void test_cases(void **state) {
    (void)state;
    uint32_t total = case_for_all(run_case);
    print_message("%u cases, %u in place, %u SIMD runs, largest difference %.2g, %u open dimensions decided\n", total, inplace_runs,
                  fast_runs, worst, open_committed);
    assert_true(total > 1000 && inplace_runs > 300 && open_committed > 1000);
}

static bool in_runs[LC_OP_COUNT];
static void note_run(const char *path, const runs_case *c) {
    (void)path;
    runs_mark(c, in_runs);
}

/* In tests/data/ops, or among the models of tests/data/runs. */
static void test_every_kernel_has_cases(void **state) {
    (void)state;
    runs_for_all(NULL, note_run);
#define COUNT_no(ID)
#define COUNT_graph(ID) COUNT_yes(ID)
#define COUNT_yes(ID) \
    if (!seen[LC_OP_##ID] && !in_runs[LC_OP_##ID]) fail_msg("%s has a kernel and no case", #ID);
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast, flags) COUNT_##kernel(ID)
#include "ops/ops.def"
}

/* ---- a model: built, written, read, run ------------------------------------------------------------------------------------ */

static uint32_t model_runs;

static void build(op_case *c, lc_model **model) {
    lc_error err;
    int32_t in[CASE_TENSORS], out[CASE_TENSORS];
    char name[16];
    if (lc_model_new(NULL, model, &err) != LC_OK) fail_msg("%s", err.message);
    lc_graph *g = (*model)->graphs[0];
    for (uint32_t i = 0; i < c->in_count + c->out_count; i++) {
        bool input = i < c->in_count;
        case_tensor *t = input ? &c->in[i] : &c->out[i - c->in_count];
        int32_t *index = input ? &in[i] : &out[i - c->in_count];
        snprintf(name, sizeof name, "t%u", i);
        *index = LC_ABSENT;
        if (!t->present) continue;
        lc_tensor proto = {.name = lc_str_of(name),
                           .type = t->type,
                           .rank = input ? t->shape.rank : 0,
                           .dims = t->shape.dims,
                           .data_at = LC_NO_OFFSET,
                           .has_rank = true};
        if (input && t->constant) {
            proto.data = t->data;
            proto.size = t->size;
        }
        assert_int_equal(lc_graph_add_tensor(g, &proto, index, &err), LC_OK);
        if (input && !t->constant) assert_int_equal(lc_graph_add_input(g, *index, &err), LC_OK);
        if (!input) assert_int_equal(lc_graph_add_output(g, *index, &err), LC_OK);
    }
    lc_node *node;
    assert_int_equal(lc_graph_add_node(g, c->op, c->node.attrs_table, c->node.attrs, in, c->in_count, out, c->out_count, &node, &err),
                     LC_OK);
    if (lc_graph_infer_node(g, 0, &err) != LC_OK) fail_msg("%s: %s", c->name, err.message);
    if (lc_model_check(*model, &err) != LC_OK) fail_msg("%s: %s", c->name, err.message);
    const lc_op_def *def = lc_op_get(c->op);
    int32_t version = lc_op_version(g, node);
    node->version = version; /* what the writer will put there */
    if (version < 1 || (def->max_version && version > def->max_version))
        fail_msg("%s: version %d of %d", c->name, version, def->max_version);
}

static void model_case(op_case *c, lc_arena *arena) {
    lc_error err;
    lc_model *model, *again;
    lc_session *session;
    void *data;
    size_t size, at = 0;
    (void)arena;
    build(c, &model);
    lc_graph *g = model->graphs[0];
    for (size_t i = 0; i < g->output_count; i++)
        for (int32_t d = 0; d < g->tensors[g->outputs[i]].rank; d++)
            if (lc_tensor_dim(&g->tensors[g->outputs[i]], d) < 0) { /* an index computed at run time: no plan */
                lc_model_destroy(model);
                return;
            }
    if (lc_model_to_memory(model, &data, &size, &err) != LC_OK) fail_msg("%s: %s", c->name, err.message);
    if (lc_model_from_memory(data, size, NULL, &again, &err) != LC_OK) fail_msg("%s: %s", c->name, err.message);
    if (!lc_model_equal(model, again, &err)) fail_msg("%s: %s", c->name, err.message);
    lc_model_destroy(model);
    if (lc_session_create(again, &(lc_session_options){.isa = "ref"}, &session, &err) != LC_OK) fail_msg("%s: %s", c->name, err.message);
    for (uint32_t i = 0; i < c->in_count; i++) {
        if (!c->in[i].present || c->in[i].constant) continue;
        lc_tensor_view v = lc_session_input(session, at++);
        assert_int_equal(v.size, c->in[i].size);
        if (v.size) memcpy(v.data, c->in[i].data, v.size);
    }
    if (lc_session_run(session, &err) != LC_OK) fail_msg("%s: %s", c->name, err.message);
    for (uint32_t i = 0; i < c->out_count; i++) {
        lc_tensor_view v = lc_session_output(session, i);
        assert_int_equal(v.size, c->out[i].size);
        assert_true(near("session", c, &c->out[i], v.data));
    }
    lc_session_destroy(session);
    lc_model_destroy(again);
    lc_free(data);
    model_runs++;
}

static void test_models(void **state) {
    (void)state;
    uint32_t total = case_for_all(model_case);
    print_message("%u of %u cases written, read and run as a model\n", model_runs, total);
    assert_true(model_runs + 8 >= total);
}

/* ---- allocations fail ------------------------------------------------------------------------------------------------------- */

static lc_status infer_and_run(void *arg, lc_error *err) {
    op_case *c = arg;
    binding b;
    lc_arena arena = {0};
    memset(&b, 0, sizeof b);
    for (uint32_t i = 0; i < c->in_count; i++) {
        b.values[i] = (lc_value){
            .type = c->in[i].type, .shape = c->in[i].shape, .data = c->in[i].data, .size = c->in[i].size, .constant = c->in[i].constant};
        b.in[i] = c->in[i].present ? &b.values[i] : NULL;
    }
    static uint8_t result[65536];
    b.values[CASE_TENSORS] = (lc_value){.type = c->out[0].type, .shape = c->out[0].shape, .data = result, .size = c->out[0].size};
    b.out[0] = &b.values[CASE_TENSORS];
    lc_status status = lc_kernel_run_once(&c->node, b.in, c->in_count, b.out, 1, NULL, &arena, err);
    lc_arena_deinit(&arena);
    if (status != LC_OK) return status;
    lc_model *model;
    LC_TRY(lc_model_new(NULL, &model, err));
    int32_t in[CASE_TENSORS], out = 0;
    lc_node *node;
    for (uint32_t i = 0; status == LC_OK && i <= c->in_count; i++) {
        case_tensor *t = i < c->in_count ? &c->in[i] : &c->out[0];
        lc_tensor proto = {.name = LC_STR("t"),
                           .type = t->type,
                           .rank = t->shape.rank,
                           .dims = t->shape.dims,
                           .has_rank = true,
                           .data = t->constant ? t->data : NULL,
                           .size = t->constant ? t->size : 0};
        status = lc_graph_add_tensor(model->graphs[0], &proto, i < c->in_count ? &in[i] : &out, err);
    }
    if (status == LC_OK)
        status = lc_graph_add_node(model->graphs[0], c->op, c->node.attrs_table, c->node.attrs, in, c->in_count, &out, 1, &node, err);
    if (status == LC_OK) status = lc_graph_infer_node(model->graphs[0], 0, err);
    lc_model_destroy(model);
    return status;
}

static void fault_case(op_case *c, lc_arena *arena) {
    (void)arena;
    static bool done[LC_OP_COUNT];
    for (uint32_t i = 0; i < c->in_count; i++)
        if (!c->in[i].present) return;
    if (done[c->op] || c->out_count != 1 || c->out[0].size > 65536) return;
    done[c->op] = true;
    assert_true(fault_check(infer_and_run, c, NULL) > 0);
}

static void test_allocation_failures(void **state) {
    (void)state;
    case_for_all(fault_case);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_every_kernel_has_cases),
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
