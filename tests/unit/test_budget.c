/*
 * test_budget.c: lc_model_quantize_budget on a classifier with two layers that int8 does not suit: EXP, whose results go over five powers of
 * ten, and LOG behind it. Also recipes as files.
 */
#include "litec/litec.h"

#include "ops/build.h"
#include "support/ckpt_files.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 16, HIDDEN = 64, CLASSES = 5, SAMPLES = 200, BATCH = 8 };

static char labelled[64 * 1024], plain[64 * 1024]; /* the samples as tables */

static uint32_t noise_state;
static float noise(void) { return (float)((noise_state = noise_state * 1664525u + 1013904223u) >> 8) / 8388608.0f - 1; }

/* first_in, first_out: factors of the weights of the first input and of the first output. */
static int32_t dense(lc_builder *b, int32_t x, int32_t in, int32_t out, float reach, float first_in, float first_out, const char *name) {
    const lc_FullyConnectedOptions o = {.keep_num_dims = false};
    float *w = lc_build_data(b, (size_t)in * (size_t)out * sizeof *w);
    assert_non_null(w);
    for (int32_t i = 0; i < in * out; i++) w[i] = reach * noise() * (i % in ? 1 : first_in) * (i < in ? first_out : 1);
    const int32_t inputs[] = {x, lc_build_const(b, "w", LC_FLOAT32, (int32_t[]){out, in}, 2, w, (size_t)in * (size_t)out * sizeof *w, true),
                              -1};
    const int32_t y = lc_build_op(b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &o, inputs, 2);
    lc_build_rename(b, y, name);
    return y;
}

/* PLAIN: nothing is in the way. EXPONENTS: EXP and LOG. OUTLIER: a channel that nobody reads has values so large that the others are too fine
 * for int8, not for int16. */
typedef enum kind { PLAIN, EXPONENTS, OUTLIER } kind;

/* Of texts: 1 for each "a", else 0. */
static int32_t count_letters(lc_builder *b, int32_t x) {
    static const int32_t text[] = {1, 12, 13, 'a'}; /* one string, its ends, its bytes */
    const int32_t letter = lc_build_const(b, "letter", LC_STRING, NULL, 0, text, 13, false);
    return lc_build_cast(b, lc_build_op(b, LC_OP_EQUAL, LC_TABLE_EqualOptions, NULL, (int32_t[]){x, letter}, 2), LC_FLOAT32);
}

/* The name of the last layer holds what means something in a recipe. */
static void make_graph(lc_model *model, lc_graph *graph, lc_dtype type, kind which) {
    lc_error err;
    lc_builder b;
    noise_state = 3;
    lc_builder_init(&b, model, graph, &err);
    const int32_t x = lc_build_placeholder(&b, "x", type, (int32_t[]){-1, WIDTH}, 2);
    int32_t y = dense(&b, type == LC_STRING ? count_letters(&b, x) : x, WIDTH, HIDDEN, 1.2f, 1, which == OUTLIER ? 300 : 1, "first");
    if (which == EXPONENTS) {
        y = lc_build_unary(&b, LC_OP_EXP, y);
        lc_build_rename(&b, y, "exp");
        y = lc_build_unary(&b, LC_OP_LOG, y);
        lc_build_rename(&b, y, "log");
    }
    y = dense(&b, y, HIDDEN, CLASSES, 1, which == OUTLIER ? 0 : 1, 1, "op:last;a=b");
    if (which == OUTLIER) { /* has no form with int16 */
        y = lc_build_unary(&b, LC_OP_ELU, y);
        lc_build_rename(&b, y, "elu");
    }
    if (b.status != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, y, &err), LC_OK);
}

static lc_model *make_model(kind which) {
    lc_error err;
    lc_model *model;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    make_graph(model, model->graphs[0], LC_FLOAT32, which);
    return model;
}

/* Samples whose labels are what the float model says, for a tenth of them something else. */
static void make_samples(lc_model *model) {
    lc_error err;
    lc_session *s;
    assert_int_equal(lc_session_create(model, NULL, &s, &err), LC_OK);
    size_t n = 0, m = 0;
    noise_state = 17;
    for (int i = 0; i < SAMPLES; i++) {
        float *x = lc_session_input(s, 0).data;
        for (int k = 0; k < WIDTH; k++) {
            x[k] = noise();
            n += (size_t)sprintf(labelled + n, "%.6f,", x[k]);
            m += (size_t)sprintf(plain + m, "%s%.6f", k ? "," : "", x[k]);
        }
        assert_int_equal(lc_session_run(s, &err), LC_OK);
        const float *y = lc_session_output(s, 0).data;
        int best = 0;
        for (int k = 1; k < CLASSES; k++) best = y[k] > y[best] ? k : best;
        n += (size_t)sprintf(labelled + n, "%d\n", i % 10 ? best : (best + 1) % CLASSES);
        m += (size_t)sprintf(plain + m, "\n");
    }
    lc_session_destroy(s);
}

static int set_up(void **state) {
    lc_model *model = make_model(EXPONENTS);
    make_samples(model);
    lc_model_destroy(model);
    return ckpt_test_folder_make(state);
}
static lc_data *open_table(const lc_model *m, bool labels) {
    static const char names[] = "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,label\n";
    lc_error err;
    lc_data *d;
    char text[64 * 1024];
    const int n = snprintf(text, sizeof text, "%s%s", labels ? names : "", labels ? labelled : plain);
    const char *file = labels ? "l.csv" : "p.csv";
    ckpt_folder_write(&ckpt_test_folder, file, text, (size_t)n);
    if (lc_data_open(m, (const char *const[]){ckpt_folder_path(&ckpt_test_folder, file), NULL}, &(lc_data_options){.batch = BATCH}, &d,
                     &err))
        fail_msg("%s", err.message);
    return d;
}

static lc_data *open_signature(const lc_model *m, const char *signature) {
    lc_data *d;
    lc_error err;
    ckpt_folder_write(&ckpt_test_folder, "s.csv", plain, strlen(plain));
    if (lc_data_open(m, (const char *const[]){ckpt_folder_path(&ckpt_test_folder, "s.csv"), NULL},
                     &(lc_data_options){.batch = BATCH, .signature = signature, .most = 64}, &d, &err))
        fail_msg("%s", err.message);
    return d;
}

typedef struct asked {
    lc_model *model;
    bool labels, decibels;
    double max_drop;
    int32_t threads;
    uint32_t search;
    const char *recipe;
    lc_quantize_options how; /* scheme FLOAT: int8 */
} asked;

static lc_status ask(const asked *a, lc_model **to, lc_tradeoff *t, lc_error *err) {
    lc_data *samples = open_table(a->model, false), *eval = open_table(a->model, a->labels);
    lc_quantize_options o = a->how;
    if (o.scheme == LC_SCHEME_FLOAT) o.scheme = LC_SCHEME_INT8;
    o.data = &samples;
    o.data_count = 1;
    o.recipe = a->recipe;
    o.threads = a->threads;
    const lc_tradeoff_options b = {
        .eval = &eval, .eval_count = 1, .max_drop = a->max_drop, .decibels = a->decibels, .search_samples = a->search ? a->search : 64};
    const lc_status status = lc_model_quantize_budget(a->model, &o, &b, to, t, err);
    lc_data_close(samples);
    lc_data_close(eval);
    return status;
}

static const lc_tradeoff_layer *layer(const lc_tradeoff *t, const char *name) {
    for (size_t i = 0; i < t->layer_count; i++)
        if (strcmp(t->layers[i].name, name) == 0) return &t->layers[i];
    fail_msg("no layer %s", name);
    return NULL;
}

/* What the result is worth, by lc_eval_models. */
static double drop_of(lc_model *model, lc_model *to) {
    lc_data *d = open_table(model, true);
    lc_eval e;
    lc_error err;
    assert_int_equal(lc_eval_models((lc_model *const[]){model, to}, 2, d, NULL, &e, &err), LC_OK);
    const double drop = 100 * ((double)e.models[0].right - (double)e.models[1].right) / (double)e.samples;
    assert_int_equal(e.models[0].right, SAMPLES * 9 / 10);
    lc_eval_deinit(&e);
    lc_data_close(d);
    return drop;
}

static void same_bytes(lc_model *a, lc_model *b) {
    void *x, *y;
    size_t n, m;
    lc_error err;
    assert_int_equal(lc_model_to_memory(a, &x, &n, &err), LC_OK);
    assert_int_equal(lc_model_to_memory(b, &y, &m, &err), LC_OK);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    lc_free(x);
    lc_free(y);
}

/* The samples of every signature count: one that int8 suits says nothing about the other. */
static void test_signatures(void **state) {
    (void)state;
    static const char *const keys[] = {"easy", "hard"};
    lc_error err;
    lc_model *model = make_model(PLAIN), *to;
    lc_data *data[2];
    lc_signature signatures[2];
    lc_signature_entry entries[2][2];
    make_graph(model, lc_model_add_graph(model, lc_str_of("second")), LC_FLOAT32, EXPONENTS);
    for (int i = 0; i < 2; i++) {
        entries[i][0] = (lc_signature_entry){lc_str_of("x"), model->graphs[i]->inputs[0]};
        entries[i][1] = (lc_signature_entry){lc_str_of("y"), model->graphs[i]->outputs[0]};
        signatures[i] = (lc_signature){lc_str_of(keys[i]), i, &entries[i][0], 1, &entries[i][1], 1, lc_str_of("")};
    }
    model->signatures = signatures;
    model->signature_count = 2;
    for (int i = 0; i < 2; i++) data[i] = open_signature(model, keys[i]);
    const lc_quantize_options o = {.scheme = LC_SCHEME_INT8, .data = data, .data_count = 2};
    for (size_t n = 1; n <= 2; n++)
        for (int decibels = 0; decibels < 2; decibels++) {
            lc_tradeoff t;
            const lc_tradeoff_options b = {
                .eval = data, .eval_count = n, .max_drop = decibels ? 60 : 15, .decibels = decibels, .search_samples = 32};
            if (lc_model_quantize_budget(model, &o, &b, &to, &t, &err)) fail_msg("%s", err.message);
            assert_int_equal(t.samples, 64 * n);
            assert_int_equal(t.rows[t.chosen].layers > 0, n == 2);
            assert_true(t.rows[t.chosen].within);
            lc_tradeoff_deinit(&t);
            lc_model_destroy(to);
        }
    for (int i = 0; i < 2; i++) lc_data_close(data[i]);
    model->signatures = NULL;
    model->signature_count = 0;
    lc_model_destroy(model);
}

/* Samples that are text are kept as others are. */
static void test_text(void **state) {
    (void)state;
    lc_error err;
    lc_model *model, *to;
    lc_data *data;
    lc_tradeoff t;
    enum { ROWS = 24, HEAD = 128 };
    static char npy[HEAD + ROWS * WIDTH * 4];
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    make_graph(model, model->graphs[0], LC_STRING, EXPONENTS);
    memset(npy, ' ', HEAD);
    memcpy(npy, "\x93NUMPY\x01\x00\x76\x00", 10);
    const int n = snprintf(npy + 10, HEAD - 10, "{'descr': '<U1', 'fortran_order': False, 'shape': (%d, %d), }", ROWS, WIDTH);
    npy[10 + n] = ' ';
    npy[HEAD - 1] = '\n';
    for (int i = 0; i < ROWS * WIDTH; i++) npy[HEAD + 4 * i] = "ab"[noise() > 0];
    ckpt_folder_write(&ckpt_test_folder, "t.npy", npy, sizeof npy);
    if (lc_data_open(model, (const char *const[]){ckpt_folder_path(&ckpt_test_folder, "t.npy"), NULL}, &(lc_data_options){.batch = BATCH},
                     &data, &err))
        fail_msg("%s", err.message);
    const lc_quantize_options o = {.scheme = LC_SCHEME_INT8, .data = &data, .data_count = 1};
    const lc_tradeoff_options b = {.eval = &data, .eval_count = 1, .max_drop = 40, .decibels = true, .search_samples = 16};
    if (lc_model_quantize_budget(model, &o, &b, &to, &t, &err)) fail_msg("%s", err.message);
    assert_true(t.search_samples == 16 && t.rows[t.chosen].layers > 0);
    lc_tradeoff_deinit(&t);
    lc_model_destroy(to);
    lc_data_close(data);
    lc_model_destroy(model);
}

static void test_bad_layers(void **state) {
    (void)state;
    lc_model *model = make_model(EXPONENTS), *to[2], *again;
    lc_tradeoff t[2];
    lc_error err;
    for (int i = 0; i < 2; i++) /* the result does not depend on threads */
        if (ask(&(asked){.model = model, .labels = true, .max_drop = 3, .threads = i ? 3 : 1, .search = 120}, &to[i], &t[i], &err))
            fail_msg("%s", err.message);
    same_bytes(to[0], to[1]);
    assert_string_equal(t[0].recipe, t[1].recipe);

    const lc_tradeoff_row *chosen = &t[0].rows[t[0].chosen];
    assert_int_equal(t[0].score, LC_SCORE_TOP1);
    assert_true(fabs(t[0].reference - 0.9) < 1e-9);
    assert_true(chosen->within && chosen->samples == SAMPLES && chosen->drop <= 3);
    assert_true(fabs(drop_of(model, to[0]) - chosen->drop) < 1e-9);
    assert_int_equal(layer(&t[0], "first")->scheme, LC_SCHEME_INT8);
    assert_int_equal(layer(&t[0], "op:last;a=b")->scheme, LC_SCHEME_INT8);
    assert_int_not_equal(layer(&t[0], "log")->scheme, LC_SCHEME_INT8);
    assert_true(layer(&t[0], "log")->snr < layer(&t[0], "first")->snr - 6);
    bool over = false; /* all of it int8 was too much, by far */
    for (size_t i = 1; i < t[0].row_count; i++) over |= !t[0].rows[i].layers && !t[0].rows[i].within && t[0].rows[i].drop > 5;
    assert_true(over);

    /* the recipe makes the same model again, also from a file */
    char *recipe;
    lc_data *samples = open_table(model, false);
    assert_int_equal(lc_recipe_save(t[0].recipe, ckpt_folder_path(&ckpt_test_folder, "r.json"), &err), LC_OK);
    if (lc_recipe_load(ckpt_folder_path(&ckpt_test_folder, "r.json"), NULL, &recipe, &err)) fail_msg("%s", err.message);
    const lc_quantize_options o = {.scheme = LC_SCHEME_INT8, .data = &samples, .data_count = 1, .recipe = recipe};
    if (lc_model_quantize(model, &o, &again, &err)) fail_msg("%s", err.message);
    same_bytes(to[0], again);
    lc_free(recipe);
    lc_data_close(samples);
    lc_model_destroy(again);
    for (int i = 0; i < 2; i++) {
        lc_model_destroy(to[i]);
        lc_tradeoff_deinit(&t[i]);
    }
    lc_model_destroy(model);
}

static void test_scores(void **state) {
    (void)state;
    lc_model *model = make_model(EXPONENTS), *to;
    lc_tradeoff t;
    lc_error err;
    char *text;
    if (ask(&(asked){.model = model, .max_drop = 2}, &to, &t, &err)) fail_msg("%s", err.message);
    assert_int_equal(t.score, LC_SCORE_AGREEMENT);
    assert_true(t.reference == 1 && t.rows[t.chosen].drop <= 2 && t.rows[t.chosen].layers > 0);
    assert_int_equal(lc_tradeoff_report(&t, LC_REPORT_TEXT, &text, &err), LC_OK);
    assert_non_null(strstr(text, "200 samples without labels"));
    lc_free(text);
    lc_model_destroy(to);
    lc_tradeoff_deinit(&t);

    double last = 0; /* a smaller budget, a larger file */
    for (int k = 0; k < 3; k++) {
        const double budget[] = {60, 40, 1};
        if (ask(&(asked){.model = model, .decibels = true, .max_drop = budget[k]}, &to, &t, &err)) fail_msg("%s", err.message);
        assert_int_equal(t.score, LC_SCORE_SNR);
        const lc_tradeoff_row *r = &t.rows[t.chosen];
        assert_true(r->drop <= budget[k] && fabs(t.reference - r->score - r->drop) < 1e-6);
        assert_true((double)r->bytes >= last);
        last = (double)r->bytes;
        assert_int_equal(lc_tradeoff_report(&t, LC_REPORT_JSON, &text, &err), LC_OK);
        assert_non_null(strstr(text, "\"score\":\"snr_db\""));
        lc_free(text);
        lc_model_destroy(to);
        lc_tradeoff_deinit(&t);
    }
    lc_model_destroy(model);
}

static void test_nothing_to_do(void **state) {
    (void)state;
    lc_model *model = make_model(PLAIN), *to;
    lc_tradeoff t;
    lc_error err;
    if (ask(&(asked){.model = model, .labels = true, .max_drop = 3}, &to, &t, &err)) fail_msg("%s", err.message);
    assert_int_equal(t.rows[t.chosen].layers, 0);
    assert_int_equal(t.search_samples, 0); /* nothing was searched */
    assert_string_equal(t.recipe, "*=int8");
    lc_model_destroy(to);
    lc_tradeoff_deinit(&t);
    lc_model_destroy(model);
}

static void test_limits(void **state) {
    (void)state;
    lc_model *model = make_model(EXPONENTS), *to;
    lc_tradeoff t;
    lc_error err;
    /* what the caller fixed stays, and spoils it */
    assert_int_equal(ask(&(asked){.model = model, .labels = true, .max_drop = 1, .recipe = "log=int8;exp=int8"}, &to, &t, &err),
                     LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "no form of the model is within the budget"));
    assert_true(err.hint[0] && !to && !t.row_count);
    lc_model_destroy(model);

    /* only integers: int16 where int8 is not good enough */
    model = make_model(OUTLIER);
    const asked integers = {
        .model = model, .max_drop = 5, .search = SAMPLES, .how = {.only_integer = true, .input_type = LC_INT8, .output_type = LC_INT8}};
    if (ask(&integers, &to, &t, &err)) fail_msg("%s", err.message);
    assert_int_equal(layer(&t, "first")->scheme, LC_SCHEME_INT16X8);
    assert_int_equal(layer(&t, "elu")->scheme, LC_SCHEME_INT8);
    assert_int_equal(t.rows[t.chosen].integer, 3);
    assert_true(t.rows[t.chosen].drop <= 5);
    lc_model_destroy(to);
    lc_tradeoff_deinit(&t);
    lc_model_destroy(model);
}

static lc_status no_data(void *user, uint64_t index, lc_session *session, bool *end, lc_error *err) {
    (void)user, (void)index, (void)session, (void)err;
    *end = true;
    return LC_OK;
}

static void test_refused(void **state) {
    (void)state;
    lc_model *model = make_model(PLAIN), *to;
    lc_tradeoff t;
    lc_error err;
    lc_data *data = open_table(model, true), *unknown;
    assert_int_equal(lc_data_from(no_data, NULL, &unknown, &err), LC_OK);
    const lc_quantize_options o = {.scheme = LC_SCHEME_DYNAMIC};
    const lc_tradeoff_options bad[] = {{.max_drop = 1},
                                       {.eval = &data, .eval_count = 1, .max_drop = -1},
                                       {.eval = &data, .eval_count = 1, .max_drop = (double)NAN},
                                       {.eval = &data, .eval_count = 1, .max_drop = 101},
                                       {.eval = &data, .eval_count = 1, .max_drop = (double)INFINITY, .decibels = true},
                                       {.eval = &unknown, .eval_count = 1, .max_drop = 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(lc_model_quantize_budget(model, &o, &bad[i], &to, &t, &err), LC_ARGUMENT);
        assert_true(err.message[0] && !to);
    }
    assert_int_equal(lc_model_quantize_budget(model, &(lc_quantize_options){0}, &bad[1], &to, &t, &err), LC_ARGUMENT);
    assert_int_equal(lc_model_quantize_budget(model, &o, NULL, &to, NULL, NULL), LC_ARGUMENT);
    assert_int_equal(
        lc_model_quantize_budget(model, &o, &(lc_tradeoff_options){.eval = &data, .eval_count = 1, .output = "none"}, &to, &t, &err),
        LC_NOT_FOUND);
    char *text;
    assert_int_equal(lc_tradeoff_report(&t, LC_REPORT_TEXT, &text, &err), LC_ARGUMENT); /* there is none */
    lc_data_close(data);
    lc_data_close(unknown);
    lc_model_destroy(model);
}

static void test_recipe(void **state) {
    (void)state;
    char *recipe;
    lc_error err;
    const char *path = ckpt_folder_path(&ckpt_test_folder, "r.json");
    const struct {
        const char *saved, *read;
    } cases[] = {{"", ""},
                 {"*=int8", "*=int8"},
                 {"a=float;b=int4;a=int8", "b=int4;a=int8"}, /* the last counts */
                 {"*=int8;;x/\"y\"=float;", "*=int8;x/\"y\"=float"},
                 {"a=b=float16", "a?b=float16"},
                 {"a=float;*=int8", "a=float;*=int8"}}; /* no default: it comes last */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (lc_recipe_save(cases[i].saved, path, &err)) fail_msg("%s: %s", cases[i].saved, err.message);
        if (lc_recipe_load(path, NULL, &recipe, &err)) fail_msg("%s: %s", cases[i].saved, err.message);
        assert_string_equal(recipe, cases[i].read);
        lc_free(recipe);
    }
    assert_int_equal(lc_recipe_save("a", path, &err), LC_ARGUMENT);
    assert_int_equal(lc_recipe_save("=float", path, &err), LC_ARGUMENT);
    assert_int_equal(lc_recipe_save("a=int7", path, &err), LC_NOT_FOUND);
    assert_int_equal(lc_recipe_save("a=int8", ckpt_folder_path(&ckpt_test_folder, "none/r.json"), &err), LC_NOT_FOUND);
}

typedef struct life {
    lc_model *model;
    const char *file;
} life;

static lc_status live(void *arg, lc_error *err) {
    const life *l = arg;
    const lc_data_options batches = {.batch = BATCH, .most = 40};
    const char *const file[] = {l->file, NULL};
    lc_data *data;
    lc_model *to;
    lc_tradeoff t;
    char *text;
    LC_TRY(lc_data_open(l->model, file, &batches, &data, err));
    const lc_quantize_options o = {.scheme = LC_SCHEME_INT8, .data = &data, .data_count = 1, .threads = 1};
    lc_status status = lc_model_quantize_budget(
        l->model, &o, &(lc_tradeoff_options){.eval = &data, .eval_count = 1, .max_drop = 5, .search_samples = 16}, &to, &t, err);
    lc_data_close(data);
    if (status) return status;
    lc_model_destroy(to);
    status = lc_tradeoff_report(&t, LC_REPORT_TEXT, &text, err);
    if (status == LC_OK) lc_free(text);
    lc_tradeoff_deinit(&t);
    return status;
}

static void test_faults(void **state) {
    (void)state;
    life l = {.model = make_model(EXPONENTS)};
    lc_error err;
    lc_data_close(open_table(l.model, true)); /* writes the file */
    l.file = ckpt_folder_path(&ckpt_test_folder, "l.csv");
    if (live(&l, &err)) fail_msg("%s", err.message); /* what is made once is made */
    fault_check(live, &l, &(fault_options){.step = 23});
    lc_model_destroy(l.model);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, ckpt_test_folder_clean)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_bad_layers), CASE(test_signatures), CASE(test_text),   CASE(test_scores), CASE(test_nothing_to_do),
        CASE(test_limits),     CASE(test_refused),    CASE(test_recipe), CASE(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
