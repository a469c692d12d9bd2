/*
 * test_graph_emit.c: models written as SavedModels and as checkpoints with MetaGraphs, read again by litec's own readers: they must compute
 * the same. The models are those of tests/data/layers, every tenth of them. The judge of the files is TensorFlow: tests/oracle/check_tf_emit.py.
 */
#include "emit/graph_emit.h"
#include "emit/meta_graph_emit.h"
#include "emit/saved_model_emit.h"
#include "ir/constant.h"
#include "litec/litec.h"
#include "lower/training.h"
#include "ops/op.h"
#include "source/keras_read.h"
#include "support/ckpt_files.h"
#include "support/fault.h"
#include "support/keras_corpus.h"
#include "support/keras_fixture.h"
#include "support/variables.h"

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "ops/runs.h"

#ifndef EVERY
#define EVERY 10
#endif
enum { MOST_PORTS = 64 };
static lc_error err;

#define IN(name) ckpt_folder_path(&ckpt_test_folder, name)
static void assert_ok(lc_status status) {
    if (status != LC_OK) fail_msg("%s", err.message);
}

/* ---- two models that must compute the same --------------------------------------------------------------------------------- */

/* Names as they are in a SavedModel: identifiers. */
static int by_name(const lc_session *s, size_t i, size_t k, bool input) {
    const char *a = input ? lc_session_input(s, i).name : lc_session_output(s, i).name;
    const char *b = input ? lc_session_input(s, k).name : lc_session_output(s, k).name;
    for (;; a++, b++) {
        const int x = *a && !isalnum((unsigned char)*a) ? '_' : *a, y = *b && !isalnum((unsigned char)*b) ? '_' : *b;
        if (x != y || !x) return x - y;
    }
}

/* The places of inputs or outputs by the alphabet: of a SavedModel they stand so. */
static size_t sorted(const lc_session *s, bool input, size_t places[MOST_PORTS]) {
    const size_t n = input ? lc_session_input_count(s) : lc_session_output_count(s);
    for (size_t i = 0; i < n && i < MOST_PORTS; i++) {
        size_t k = i;
        for (; k && by_name(s, places[k - 1], i, input) > 0; k--) places[k] = places[k - 1];
        places[k] = i;
    }
    return n;
}

static void fill(const lc_tensor_view *v, uint32_t seed) {
    for (size_t i = 0; i < v->size / (lc_dtype_bits(v->type) / 8); i++) {
        const float x = fixture_value(seed, i);
        if (v->type == LC_FLOAT32) ((float *)v->data)[i] = x;
        else if (v->type == LC_INT32) ((int32_t *)v->data)[i] = (int32_t)(i % 3);
        else if (v->type == LC_INT64) ((int64_t *)v->data)[i] = (int64_t)(i % 3);
        else memset(v->data, 0, v->size);
    }
}

/* "" when both outputs are alike, else what differs. */
static const char *differ(const lc_tensor_view *a, const lc_tensor_view *b) {
    if (a->type != b->type) return "types";
    if (a->rank != b->rank || a->size != b->size) return "shapes";
    if (a->type == LC_FLOAT64) {
        for (size_t i = 0; i < a->size / 8; i++) {
            const double x = ((const double *)a->data)[i], y = ((const double *)b->data)[i];
            if (!(fabs(x - y) <= 1e-12 * fabs(x)) && !(isnan(x) && isnan(y)) && x != y) return "values";
        }
        return "";
    }
    if (a->type != LC_FLOAT32) return a->size && memcmp(a->data, b->data, a->size) ? "values" : "";
    float most = 1;
    const float *x = a->data, *y = b->data;
    for (size_t i = 0; i < a->size / 4; i++)
        if (isfinite(x[i]) && fabsf(x[i]) > most) most = fabsf(x[i]);
    for (size_t i = 0; i < a->size / 4; i++)
        if (!(fabsf(x[i] - y[i]) <= 1e-5f * most) && !(isnan(x[i]) && isnan(y[i])) && x[i] != y[i]) return "values";
    return "";
}

/* Runs both on the same inputs: those given, as the first lists them (NULL: made up). "" when all outputs are alike. */
static const char *compare_on(lc_model *a, lc_model *b, const runs_tensor *given) {
    lc_session *s[2];
    size_t in[2][MOST_PORTS], out[2][MOST_PORTS], n[2], m[2];
    const char *wrong = "";
    assert_ok(lc_session_create(a, NULL, &s[0], &err));
    assert_ok(lc_session_create(b, NULL, &s[1], &err));
    for (int k = 0; k < 2; k++) {
        n[k] = sorted(s[k], true, in[k]);
        m[k] = sorted(s[k], false, out[k]);
    }
    if (n[0] > MOST_PORTS || m[0] > MOST_PORTS) wrong = "skipped";
    else if (n[0] != n[1] || m[0] != m[1]) wrong = "numbers of inputs or outputs";
    for (size_t i = 0; i < n[0] && !*wrong; i++) {
        const lc_tensor_view x = lc_session_input(s[0], in[0][i]), y = lc_session_input(s[1], in[1][i]);
        if (x.size != y.size || x.type != y.type || x.type == LC_STRING) wrong = x.type == LC_STRING ? "skipped" : "inputs";
        else {
            if (!given) fill(&x, (uint32_t)i);
            else if (given[in[0][i]].size != x.size) wrong = "skipped";
            else if (x.size) memcpy(x.data, given[in[0][i]].data, x.size);
            if (x.size) memcpy(y.data, x.data, x.size);
        }
    }
    for (int k = 0; k < 2 && !*wrong; k++)
        if (lc_session_run(s[k], &err) != LC_OK) wrong = k == 0 ? "skipped" : err.message;
    for (size_t i = 0; i < m[0] && !*wrong; i++) {
        const lc_tensor_view x = lc_session_output(s[0], out[0][i]), y = lc_session_output(s[1], out[1][i]);
        wrong = differ(&x, &y);
    }
    lc_session_destroy(s[0]);
    lc_session_destroy(s[1]);
    return wrong;
}

static const char *compare(lc_model *a, lc_model *b) { return compare_on(a, b, NULL); }

/* ---- the corpus ------------------------------------------------------------------------------------------------------------ */

/* training NULL: weights are constants. */
static lc_status lower(const lc_json *entry, lc_arena *arena, lc_training *training, lc_model **model) {
    lc_budget budget;
    lc_keras_model *keras;
    lc_lower_options options = {.training = training, .unroll = training != NULL};
    lc_budget_init(&budget, NULL);
    LC_TRY(lc_keras_config(lc_json_get(entry, "config"), lc_json_str(entry, "version", NULL), &budget, arena, &keras, &err));
    keras_corpus_weights(entry, keras, arena);
    LC_TRY(lc_model_new(NULL, model, &err));
    const lc_status status = lc_lower_keras(keras, &options, *model, &err);
    if (status != LC_OK) lc_model_destroy(*model);
    return status;
}

/* Is it one of the reasons for which a graph of TensorFlow cannot say something? */
static bool no_form(void) {
    static const char *const reasons[] = {"no form in TensorFlow", "is quantised", "is stored sparse", "which TensorFlow lacks",
                                          "keeps its value"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strstr(err.message, reasons[i])) return true;
    return false;
}

typedef struct tally {
    size_t same, without_form, skipped;
    lc_text wrong;
} tally;

/* The arrays that the lowering found, as variables. */
static size_t variables_of(const lc_training *t, lc_arena *arena, lc_emit_variable **v) {
    *v = lc_arena_array(arena, t->count, sizeof **v);
    for (uint32_t i = 0; i < t->count; i++) {
        const lc_trained *from = &t->list[i];
        uint64_t bytes = sizeof(float);
        for (int32_t d = 0; d < from->rank; d++) bytes *= (uint64_t)from->dims[d];
        (*v)[i] = (lc_emit_variable){from->name, LC_FLOAT32, from->rank, from->dims, from->data, (size_t)bytes, from->tensor, from->learns};
    }
    return t->count;
}

/* Writes `what`, reads it again and compares with `model`. */
static void try_form(const char *name, lc_model *model, lc_model *what, const lc_emit_variable *v, size_t n, const runs_tensor *given,
                     tally *t) {
    lc_model *back;
    lc_status read;
    const lc_status status = lc_emit_saved_model(what, IN("sm"), v, n, &err);
    if (status == LC_UNSUPPORTED && no_form()) {
        t->without_form++;
        if (getenv("LC_TELL")) printf("%s: %s\n", name, err.message);
    } else if (status != LC_OK) {
        lc_text_printf(&t->wrong, "\n%s, %zu variables: %s", name, n, err.message);
    } else if ((read = lc_convert(IN("sm"), NULL, &back, &err)) == LC_UNSUPPORTED) {
        if (getenv("LC_TELL")) printf("%s: %s\n", name, err.message);
        t->skipped++; /* what TensorFlow has and TFLite lacks, for these types */
    } else if (read != LC_OK) {
        lc_text_printf(&t->wrong, "\n%s, %zu variables: reading it again: %s", name, n, err.message);
    } else {
        const char *differs = compare_on(model, back, given);
        if (!strcmp(differs, "skipped")) t->skipped++;
        else if (*differs) lc_text_printf(&t->wrong, "\n%s, %zu variables: other %s", name, n, differs);
        else t->same++;
        lc_model_destroy(back);
    }
}

static void try_one(const lc_json *entry, lc_arena *arena, tally *t) {
    const char *name = lc_json_str(entry, "name", "?");
    lc_model *model, *with;
    lc_training training = {.everything = true, .inference = true, .counter = -1};
    if (lower(entry, arena, NULL, &model) != LC_OK) {
        t->skipped++;
        return;
    }
    try_form(name, model, model, NULL, 0, NULL, t);
    if (lower(entry, arena, &training, &with) == LC_OK) {
        lc_emit_variable *v;
        const size_t n = variables_of(&training, arena, &v);
        if (with->graph_count == 1) try_form(name, model, with, v, n, NULL, t);
        else t->skipped++; /* in a loop variables are inputs of its body, which nobody gives it */
        lc_model_destroy(with);
    } else {
        if (getenv("LC_TELL")) printf("%s: training: has no form in: %s\n", name, err.message);
        t->skipped++;
    }
    lc_model_destroy(model);
}

/* What a family must give at least: so that a writer which says of everything that it has no form does not pass. */
static void models_come_back(void **state) {
    (void)state;
    static const char *const families[] = {"attention", "core", "image", "odd", "operation", "recurrent"};
    tally t = {0};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        keras_corpus c;
        keras_corpus_open(&c, LC_TEST_DIR, families[i]);
        for (size_t k = 0;; k++) {
            lc_arena arena = {0};
            const lc_json *entry = keras_corpus_next(&c, &arena);
            /* always: one in which the difference of two open dimensions was once taken for fixed */
            const bool wanted = entry && (k % EVERY == 0 || !strcmp(lc_json_str(entry, "name", ""), "rnn_mask_argument.k3"));
            if (wanted) try_one(entry, &arena, &t);
            lc_arena_deinit(&arena);
            if (!entry) break;
        }
        keras_corpus_close(&c);
    }
    print_message("%zu the same, %zu without a form, %zu skipped\n", t.same, t.without_form, t.skipped);
    if (t.wrong.size) fail_msg("%s", t.wrong.data);
    assert_true(t.same > 9 * (t.without_form + t.skipped));
}

/* ---- operators one by one -------------------------------------------------------------------------------------------------- */

static tally ops;
static size_t op_cases;

/* Not alike for reasons that are no fault of the writer: roundings of float16, float64 that the reader makes float32, ranges of FAKE_QUANT without
 * zero, which TFLite's form of it does not take, an axis of a scalar, which TensorFlow does not. */
static bool excepted(const char *name) {
    static const char *const names[] = {"GELU float16", "ATAN2 float64", "fake quant 8 [0.5, 6]", "fake quant 8 [-3, -1]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return true;
    return strstr(name, "float32 [] axes [0]") != NULL;
}

static void try_operator(const char *path, const runs_case *c) {
    if (op_cases++ % EVERY || excepted(c->name)) return;
    lc_model *m;
    runs_tensor given[MOST_PORTS];
    runs_reader at = c->first;
    if (lc_model_from_memory(c->model, c->model_size, NULL, &m, &err) != LC_OK) return;
    const uint32_t n = runs_u32(&at);
    for (uint32_t i = 0; i < n && i < MOST_PORTS; i++) given[i] = runs_take(&at);
    char name[200];
    snprintf(name, sizeof name, "%s %s", path, c->name);
    try_form(name, m, m, NULL, 0, given, &ops);
    lc_model_destroy(m);
}

/* Those of LiteRT's answers (tests/data/runs) that are about floats and integers which are not quantised. */
static void operators_come_back(void **state) {
    (void)state;
    runs_for_all(NULL, try_operator);
    print_message("%zu the same, %zu without a form, %zu skipped\n", ops.same, ops.without_form, ops.skipped);
    if (ops.wrong.size && getenv("LC_TELL")) printf("%s\n", ops.wrong.data);
    if (ops.wrong.size) fail_msg("%s", ops.wrong.data);
}

/* ---- variables --------------------------------------------------------------------------------------------------------------- */

/* A small picture through one layer of each kind that has weights. */
static lc_model *make_picture_model(fixture *f, lc_training *training) {
    fixture_begin(f, "3.9.0");
    const int x = fixture_input(f, "x", "[null, 6, 6, 2]");
    const int c =
        fixture_layer(f, "Conv2D", "c", "{\"filters\": 3, \"kernel_size\": [3, 3], \"activation\": \"relu\"}", "3x3x2x3 3", 1, (int[]){x});
    const int d =
        fixture_layer(f, "DepthwiseConv2D", "d", "{\"kernel_size\": [2, 2], \"depth_multiplier\": 2}", "2x2x3x2 6", 1, (int[]){c});
    const int p = fixture_layer(f, "Flatten", "f", "{}", "", 1, (int[]){d});
    const int y = fixture_layer(f, "Dense", "y", "{\"units\": 4, \"activation\": \"softmax\"}", "54x4 4", 1, (int[]){p});
    fixture_output(f, y);
    lc_model *m = fixture_lower(f, &(const lc_lower_options){.training = training}, &err);
    if (!m) fail_msg("%s", err.message);
    return m;
}

static size_t count_ops(const lc_pb_GraphDef *g, const char *op) {
    size_t n = 0;
    for (uint32_t i = 0; i < g->node.n; i++) n += lc_str_is(g->node.data[i].op, op);
    return n;
}

/* The weights are as Keras has them, so none is transposed; all are constants. */
static void frozen_weights_are_as_they_were(void **state) {
    (void)state;
    for (int trained = 0; trained < 2; trained++) {
        static fixture f;
        lc_arena arena = {0};
        lc_pb_GraphDef *g;
        lc_training training = {.everything = true, .inference = true, .counter = -1};
        lc_emit_variable *v = NULL;
        lc_model *m = make_picture_model(&f, trained ? &training : NULL);
        const size_t n = trained ? variables_of(&training, &arena, &v) : 0;
        assert_ok(lc_emit_graph(m, v, n, &arena, &g, &err));
        assert_int_equal(count_ops(g, "Transpose"), 0);
        assert_int_equal(count_ops(g, "Conv2D"), 1);
        assert_int_equal(count_ops(g, "DepthwiseConv2dNative"), 1);
        assert_int_equal(count_ops(g, "MatMul"), 1);
        assert_int_equal(count_ops(g, "Placeholder"), 1);
        if (trained) assert_int_equal(count_ops(g, "Reshape"), 1); /* Flatten */
        lc_arena_deinit(&arena);
        lc_model_destroy(m);
        fixture_end(&f);
    }
}

static void variables_come_back(void **state) {
    (void)state;
    static fixture f, g;
    lc_arena arena = {0};
    lc_emit_variable *v;
    size_t n;
    lc_model *m = make_picture_model(&f, NULL), *with = make_picture_model(&g, NULL), *back;
    assert_ok(variables_take(with, &arena, &v, &n, &err));
    assert_int_equal(n, 6);

    assert_ok(lc_emit_saved_model(with, IN("sm"), v, n, &err));
    assert_ok(lc_convert(IN("sm"), NULL, &back, &err));
    assert_string_equal(compare(m, back), "");
    lc_model_destroy(back);

    assert_ok(lc_emit_meta_graph(with, IN("m.ckpt"), v, n, &err));
    assert_ok(lc_convert(IN("m.ckpt"), LC_CONVERT(.input_arrays = "x", .output_arrays = "y"), &back, &err));
    assert_string_equal(compare(m, back), "");
    lc_model_destroy(back);

    lc_freeze_options freeze = {.output_nodes = "y"};
    assert_ok(lc_freeze(IN("m.ckpt.meta"), IN("frozen.pb"), &freeze, &err));
    assert_ok(lc_convert(IN("frozen.pb"), NULL, &back, &err));
    assert_string_equal(compare(m, back), "");
    lc_model_destroy(back);

    lc_model_destroy(m);
    lc_model_destroy(with);
    lc_arena_deinit(&arena);
    fixture_end(&f);
    fixture_end(&g);
}

static void several_signatures(void **state) {
    (void)state;
    static fixture f;
    lc_model *m = make_picture_model(&f, NULL), *back;
    lc_signature two[2] = {m->signatures[0], m->signatures[0]};
    two[1].key = LC_STR("classify");
    m->signatures = two;
    m->signature_count = 2;
    assert_ok(lc_emit_saved_model(m, IN("sm"), NULL, 0, &err));
    assert_ok(lc_convert(IN("sm"), LC_CONVERT(.signatures = "classify,serving_default"), &back, &err));
    assert_int_equal(back->signature_count, 2);
    assert_string_equal(compare(m, back), "");
    lc_model_destroy(back);
    lc_model_destroy(m);
    fixture_end(&f);
}

/* ---- what is refused --------------------------------------------------------------------------------------------------------- */

static void refused(lc_model *m, const char *message) {
    lc_arena arena = {0};
    lc_pb_GraphDef *g;
    assert_int_equal(lc_emit_graph(m, NULL, 0, &arena, &g, &err), LC_UNSUPPORTED);
    if (!strstr(err.message, message)) fail_msg("%s", err.message);
    lc_arena_deinit(&arena);
    assert_int_equal(lc_emit_saved_model(m, IN("sm"), NULL, 0, &err), LC_UNSUPPORTED);
    assert_int_equal(lc_emit_meta_graph(m, IN("m"), NULL, 0, &err), LC_UNSUPPORTED);
    assert_false(lc_path_is_dir(IN("sm")) || lc_path_is_file(IN("m.meta")) || lc_path_is_file(IN("m.index")));
}

static void variables_in_wrong_places(void **state) {
    (void)state;
    static fixture f;
    lc_arena arena = {0};
    lc_emit_variable *v;
    size_t n;
    lc_model *m = make_picture_model(&f, NULL);
    assert_ok(variables_take(m, &arena, &v, &n, &err));
    v[0].tensor = v[1].tensor;
    assert_int_equal(lc_emit_saved_model(m, IN("sm"), v, n, &err), LC_ARGUMENT);
    if (!strstr(err.message, "of another type or shape")) fail_msg("%s", err.message);
    v[0].tensor = m->graphs[0]->outputs[0];
    assert_int_equal(lc_emit_meta_graph(m, IN("m"), v, n, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "no input of it"));
    assert_int_equal(lc_emit_saved_model(m, IN("sm"), v + 1, n - 1, &err), LC_ARGUMENT); /* of the first only its input is left */
    assert_non_null(strstr(err.message, "is no input of signature 'serving_default', and no variable"));
    lc_model_destroy(m);
    lc_arena_deinit(&arena);
    fixture_end(&f);
}

static void what_has_no_form(void **state) {
    (void)state;
    static fixture f;
    lc_model *m = make_picture_model(&f, NULL);
    lc_node *node = &m->graphs[0]->nodes[0];
    const int32_t op = node->op;
    node->op = LC_OP_SVDF;
    refused(m, "layer 'c': the operator SVDF has no form in TensorFlow");
    node->op = op;
    const float scale = 0.5f;
    m->graphs[0]->tensors[node->outputs[0]].quant = lc_tensor_steps(&m->arena, &scale, NULL, 1, 0);
    refused(m, "is quantised");
    lc_model_destroy(m);
    fixture_end(&f);
}

static void a_full_disk_leaves_the_old_ones(void **state) {
    (void)state;
    static fixture f;
    struct rlimit before;
    lc_model *m = make_picture_model(&f, NULL), *back;
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    assert_ok(lc_emit_saved_model(m, IN("sm"), NULL, 0, &err));
    assert_ok(lc_emit_meta_graph(m, IN("m"), NULL, 0, &err));
    int failures = 0;
    for (rlim_t most = 0, step = 150;; most += step) {
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){most, before.rlim_max});
        const lc_status first = lc_emit_saved_model(m, IN("sm"), NULL, 0, &err), second = lc_emit_meta_graph(m, IN("m"), NULL, 0, &err);
        setrlimit(RLIMIT_FSIZE, &before);
        if (first == LC_OK && second == LC_OK) break;
        failures += (first == LC_IO) + (second == LC_IO);
        assert_true((first == LC_OK || first == LC_IO) && (second == LC_OK || second == LC_IO));
    }
    assert_true(failures > 10);
    const char *const there[] = {"sm", "m"};
    for (int i = 0; i < 2; i++) {
        assert_ok(lc_convert(IN(there[i]), i ? LC_CONVERT(.input_arrays = "x", .output_arrays = "y") : NULL, &back, &err));
        assert_string_equal(compare(m, back), "");
        lc_model_destroy(back);
    }
    ckpt_folder_write(&ckpt_test_folder, "sm/notes.txt", "x", 1);
    assert_int_equal(lc_emit_saved_model(m, IN("sm"), NULL, 0, &err), LC_IO);
    assert_non_null(strstr(err.message, "notes.txt"));
    lc_model_destroy(m);
    fixture_end(&f);
}

/* ---- memory ------------------------------------------------------------------------------------------------------------------ */

typedef struct places {
    const char *folder, *prefix;
} places;

static lc_status write_both(void *arg, lc_error *e) {
    const places *p = arg;
    static fixture f;
    lc_arena arena = {0};
    lc_emit_variable *v;
    size_t n;
    fault_pause(true);
    lc_model *m = make_picture_model(&f, NULL);
    fault_pause(false);
    lc_status status = variables_take(m, &arena, &v, &n, e);
    if (status == LC_OK) status = lc_emit_saved_model(m, p->folder, v, n, e);
    if (status == LC_OK) status = lc_emit_meta_graph(m, p->prefix, v, n, e);
    lc_arena_deinit(&arena);
    fault_pause(true);
    lc_model_destroy(m);
    fixture_end(&f);
    fault_pause(false);
    return status;
}

static void every_allocation_fails(void **state) {
    (void)state;
    places p = {IN("sm"), IN("m")};
    fault_check(write_both, &p, &(fault_options){.step = 7});
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup_teardown(test, ckpt_test_folder_make, ckpt_test_folder_clean)
    const struct CMUnitTest tests[] = {
        EACH(models_come_back),
        EACH(operators_come_back),
        EACH(frozen_weights_are_as_they_were),
        EACH(variables_come_back),
        EACH(several_signatures),
        EACH(variables_in_wrong_places),
        EACH(what_has_no_form),
        EACH(a_full_disk_leaves_the_old_ones),
        EACH(every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
