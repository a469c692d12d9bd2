/*
 * test_keras_models.c: Keras models of both generations with Keras's own results (tests/data/layers/<family>.gz, see support/keras_corpus.h):
 * each configuration is read, lowered, rewritten and run, with the fast kernels and with the plain ones, for a batch of 3 and then,
 * in the same session, of 1; every output is compared. A family is a row below.
 *
 * Then what is not a model of Keras: the same configurations with a member dropped, a number made absurd, a text or a class exchanged.
 * Whatever comes of it, it is a model that is right or an error that says something. (Which mutation a number makes never changes.)
 */
#include "support/fault.h"
#include "support/keras_corpus.h"

#include "litec/runtime.h"
#include "pass/pass.h"
#include "source/keras_read.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const families[] = {"attention", "core", "image", "odd", "operation", "recurrent"};
enum { MOST_PORTS = 16 };

/* ---- a configuration to a model --------------------------------------------------------------------------------------------------- */

static void hear(void *user, const char *text) { lc_text_printf(user, "\n%s", text); }

/* Everything but the mutation is as in src/source/keras_source.c. `arena` must live as long as the model. */
static lc_status make(const lc_json *entry, const lc_json *config, const lc_limits *limits, lc_arena *arena, lc_model **model,
                      bool *lowered, lc_text *notes, lc_error *err) {
    lc_budget budget;
    lc_keras_model *keras;
    lc_lower_options options = {.note = hear, .note_user = notes};
    lc_budget_init(&budget, limits);
    lc_error_clear(err);
    *model = NULL;
    *lowered = false;
    LC_TRY(lc_keras_config(config, lc_json_str(entry, "version", NULL), &budget, arena, &keras, err));
    *lowered = true; /* what was wrong before is given a hint by the source */
    keras_corpus_weights(entry, keras, arena);
    LC_TRY(lc_model_new(limits, model, err));
    lc_status status = lc_lower_keras(keras, &options, *model, err);
    if (status == LC_OK) status = lc_model_check(*model, err);
    if (status == LC_OK) status = lc_optimize(*model, err);
    if (status == LC_OK) status = lc_model_check(*model, err);
    if (status != LC_OK) {
        lc_model_destroy(*model);
        *model = NULL;
    }
    return status;
}

/* ---- running and comparing -------------------------------------------------------------------------------------------------------- */

typedef struct trial {
    const lc_json *entry;
    const char *name, *isa;
    int64_t batch;
    lc_text *out; /* what is wrong, for all models of a family */
} trial;

static bool wrong(const trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(const trial *t, const char *format, ...) {
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lc_text_printf(t->out, "\n%s (batch %d, kernels %s): %s", t->name, (int)t->batch, t->isa ? t->isa : "default", text);
    return false;
}

/* NaN and infinity are words. */
static double expected(const lc_json *value, double scale) {
    if (value->kind == LC_JSON_STRING) return strtod(value->string, NULL);
    return value->real * scale;
}

/* first: only the rows of the first third, the batch of 1 of a run of 3. */
static bool compare(const trial *t, const char *layer, const lc_json *want, const lc_tensor_view *got, bool first) {
    const lc_json *dims = lc_json_at(want, 1), *values = lc_json_at(want, 4);
    const size_t step = (size_t)lc_json_at(want, 2)->integer;
    const double scale = lc_json_at(want, 3)->real;
    const bool real = strncmp(lc_json_at(want, 0)->string, "float", 5) == 0;
    size_t n = 1;
    double largest = 0;
    if (strcmp(lc_json_at(want, 0)->string, lc_dtype_name(got->type)))
        return wrong(t, "output '%s' is %s, Keras's %s", layer, lc_dtype_name(got->type), lc_json_at(want, 0)->string);
    if (got->rank != (int32_t)dims->count) return wrong(t, "output '%s' has rank %d, Keras's %u", layer, got->rank, dims->count);
    for (uint32_t d = 0; d < dims->count; d++) {
        const int64_t k = first && d == 0 ? 1 : dims->items[d].integer;
        if (got->dims[d] != k) return wrong(t, "output '%s' has %d in dimension %u, Keras's %d", layer, got->dims[d], d, (int)k);
        n *= (size_t)k;
    }
    for (uint32_t i = 0; i < values->count; i++) {
        const double v = fabs(expected(&values->items[i], scale));
        if (isfinite(v) && v > largest) largest = v;
    }
    for (uint32_t i = 0; i < values->count && i * step < n; i++) {
        const double a = keras_corpus_get(got->type, got->data, i * step), b = expected(&values->items[i], scale);
        if (a == b || (isnan(a) && isnan(b)) || (real && fabs(a - b) <= 1e-4 * largest + scale / 2)) continue;
        return wrong(t, "element %zu of output '%s' is %.9g, Keras's %.9g (largest %.4g)", i * step, layer, a, b, largest);
    }
    return true;
}

/* The output that bears this name, and only one does; else the one at this place. */
static size_t place_of(const lc_session *s, const lc_json *names, uint32_t i) {
    uint32_t same = 0;
    for (uint32_t k = 0; k < names->count; k++) same += strcmp(names->items[k].string, names->items[i].string) == 0;
    const int32_t found = same == 1 ? lc_session_find_output(s, names->items[i].string) : -1;
    return found >= 0 ? (size_t)found : i;
}

static bool give_strings(const trial *t, lc_session *s, uint32_t i, const lc_json *values, size_t n, lc_error *err) {
    const char **strings = calloc(n + 1, sizeof *strings);
    for (size_t k = 0; k < n; k++) strings[k] = values->items[k].string;
    const lc_status status = lc_session_set_strings(s, i, strings, NULL, n, err);
    free(strings);
    return status == LC_OK || wrong(t, "input %u: %s", i, err->message);
}

static bool give_inputs(const trial *t, lc_session *s, bool first, lc_error *err) {
    const lc_json *inputs = lc_json_get(t->entry, "inputs");
    int32_t shapes[MOST_PORTS][LC_MAX_RANK], ranks[MOST_PORTS];
    const int32_t *shape_of[MOST_PORTS];
    assert_true(inputs->count <= MOST_PORTS);
    if (lc_session_input_count(s) != inputs->count) return wrong(t, "%zu inputs", lc_session_input_count(s));
    for (uint32_t i = 0; i < inputs->count; i++) {
        const lc_json *dims = lc_json_at(&inputs->items[i], 1);
        for (uint32_t d = 0; d < dims->count; d++) shapes[i][d] = first && d == 0 ? 1 : (int32_t)dims->items[d].integer;
        ranks[i] = (int32_t)dims->count;
        shape_of[i] = shapes[i];
    }
    if (lc_session_resize_inputs(s, shape_of, ranks, err)) return wrong(t, "%s", err->message);
    for (uint32_t i = 0; i < inputs->count; i++) {
        const lc_json *in = &inputs->items[i];
        lc_tensor_view v = lc_session_input(s, i);
        size_t n = 1;
        for (int32_t d = 0; d < v.rank; d++) n *= (size_t)v.dims[d];
        if (strcmp(lc_json_at(in, 0)->string, lc_dtype_name(v.type)))
            return wrong(t, "input %u is %s, Keras's %s", i, lc_dtype_name(v.type), lc_json_at(in, 0)->string);
        if (v.type != LC_STRING) keras_corpus_input(in, i, v.type, v.data, n);
        else if (!give_strings(t, s, i, lc_json_at(in, 2), n, err)) return false;
    }
    return true;
}

static bool run(trial *t, lc_session *s) {
    const lc_json *runs = lc_json_get(t->entry, "runs"), *names = lc_json_get(t->entry, "names");
    const lc_json *outputs = NULL;
    lc_error err;
    for (uint32_t r = 0; r < runs->count; r++) {
        const lc_json *one = &runs->items[r];
        const bool same = lc_json_at(one, 1)->boolean;
        if (!same) outputs = lc_json_at(one, 2);
        t->batch = lc_json_at(one, 0)->integer;
        if (!give_inputs(t, s, r > 0, &err)) return false;
        if (lc_session_run(s, &err)) return wrong(t, "%s", err.message);
        if (lc_session_output_count(s) != outputs->count)
            return wrong(t, "%zu outputs, Keras's %u", lc_session_output_count(s), outputs->count);
        for (uint32_t i = 0; i < outputs->count; i++) {
            const lc_tensor_view got = lc_session_output(s, place_of(s, names, i));
            if (!compare(t, names->items[i].string, &outputs->items[i], &got, same)) return false;
        }
    }
    return true;
}

static bool run_entry(const lc_json *entry, lc_arena *arena, lc_text *out) {
    static const char *const isas[] = {NULL, "ref"};
    trial t = {.entry = entry, .name = lc_json_get(entry, "name")->string, .out = out};
    lc_model *model;
    lc_session *s;
    lc_error err;
    lc_text notes = {0};
    bool good = true, lowered;
    const lc_status status = make(entry, lc_json_get(entry, "config"), NULL, arena, &model, &lowered, &notes, &err);
    if (notes.data) good = wrong(&t, "Keras's own arguments are all known, but:%s", notes.data);
    lc_text_deinit(&notes);
    if (status) return wrong(&t, "%s (%s)", err.message, err.hint);
    for (size_t i = 0; good && i < sizeof isas / sizeof *isas; i++) {
        const lc_session_options options = {.isa = t.isa = isas[i]};
        if (lc_session_create(model, &options, &s, &err)) {
            good = wrong(&t, "%s", err.message);
            break;
        }
        good = run(&t, s);
        lc_session_destroy(s);
    }
    lc_model_destroy(model);
    return good;
}

static void test_family(void **state) {
    keras_corpus corpus;
    lc_text out = {0};
    size_t count = 0, bad = 0;
    keras_corpus_open(&corpus, LC_TEST_DIR, *state);
    for (;; count++) {
        lc_arena arena = {0};
        const lc_json *entry = keras_corpus_next(&corpus, &arena);
        if (entry) bad += !run_entry(entry, &arena, &out);
        lc_arena_deinit(&arena);
        if (!entry) break;
    }
    keras_corpus_close(&corpus);
    if (bad) print_error("%s\n", out.data);
    lc_text_deinit(&out);
    if (bad) fail_msg("%zu of %zu models of %s", bad, count, (const char *)*state);
    assert_true(count > 40);
}

/* ---- what is no model ------------------------------------------------------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t below(size_t n) { /* splitmix64 (Steele, Lea, Flood 2014) */
    uint64_t z = (random_state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return n ? (uint32_t)((z ^ z >> 31) % n) : 0;
}

static uint32_t count_values(const lc_json *v) {
    uint32_t n = 1;
    for (uint32_t i = 0; i < v->count; i++) n += count_values(&v->items[i]);
    return n;
}

/* Value number *at of a tree, in order. */
static lc_json *value_at(lc_json *v, uint32_t *at) {
    if ((*at)-- == 0) return v;
    for (uint32_t i = 0; i < v->count; i++) {
        lc_json *found = value_at((lc_json *)(uintptr_t)&v->items[i], at);
        if (found) return found;
    }
    return NULL;
}

static lc_json *copy_items(const lc_json *v, lc_arena *arena) {
    lc_json *items = lc_arena_array(arena, v->count + 1, sizeof *items);
    assert_non_null(items);
    if (v->count) memcpy(items, v->items, v->count * sizeof *items);
    for (uint32_t i = 0; i < v->count; i++)
        if (items[i].count) items[i].items = copy_items(&items[i], arena);
    return items;
}

static void become_integer(lc_json *v, int64_t k) { *v = (lc_json){.kind = LC_JSON_INT, .key = v->key, .integer = k, .real = (double)k}; }

static void become_other(lc_json *v) {
    static const int64_t integers[] = {
        -1, 0, 1, 2, 3, -2, 7, 64, 100000, 1 << 20, INT32_MAX, INT32_MIN, UINT32_MAX, (int64_t)1 << 40, INT64_MAX, INT64_MIN};
    static const double reals[] = {0.5, -0.5, 1e-300, 1e300, -1e30, NAN, INFINITY, 3.0};
    static const char *const strings[] = {"",        "relu",  "softmax", "same", "valid",         "causal", "channels_first",
                                          "float16", "int32", "Dense",   "GRU",  "Bidirectional", "sum",    "bilinear",
                                          "none",    "%s%n",  "float32"};
    switch (below(6)) {
    case 0:
    case 1: become_integer(v, integers[below(sizeof integers / sizeof *integers)]); break;
    case 2: *v = (lc_json){.kind = LC_JSON_REAL, .key = v->key, .real = reals[below(sizeof reals / sizeof *reals)]}; break;
    case 3: *v = (lc_json){.kind = LC_JSON_STRING, .key = v->key, .string = strings[below(sizeof strings / sizeof *strings)]}; break;
    case 4: *v = (lc_json){.kind = LC_JSON_BOOL, .key = v->key, .boolean = below(2)}; break;
    default: *v = (lc_json){.kind = below(2) ? LC_JSON_NULL : LC_JSON_ARRAY, .key = v->key, .items = v->items}; break;
    }
}

/* One change at one place. Most of a configuration is names and initialisers, so numbers and truths are preferred. */
static void mutate(lc_json *root, uint32_t count, lc_json *other, uint32_t other_count, lc_arena *arena) {
    lc_json *v = NULL;
    for (int tries = 0; tries < 6; tries++) {
        uint32_t at = below(count);
        lc_json *found = value_at(root, &at);
        if (found) v = found; /* else the tree became smaller */
        if (found && (found->kind == LC_JSON_INT || found->kind == LC_JSON_BOOL || found->kind == LC_JSON_ARRAY)) break;
    }
    if (!v) return;
    lc_json *items = (lc_json *)(uintptr_t)v->items;
    const char *key = v->key;
    const uint32_t how = below(8);
    if (how < 2 && v->kind == LC_JSON_INT) { /* near */
        become_integer(v, (int64_t)((uint64_t)v->integer + below(5) - 2));
    } else if (how < 3 && v->count) { /* drop one */
        const uint32_t i = below(v->count);
        memmove(&items[i], &items[i + 1], (v->count - i - 1) * sizeof *items);
        v->count--;
    } else if (how < 4 && v->kind == LC_JSON_ARRAY && v->count) { /* one twice; items have room for one more only once */
        lc_json more = *v;
        more.items = items = copy_items(v, arena);
        items[v->count] = items[below(v->count)];
        more.count++;
        *v = more;
    } else if (how < 6 && other) { /* of another model: a value of the same name, if there is one nearby */
        for (int tries = 0; tries < 60; tries++) {
            uint32_t at = below(other_count);
            const lc_json *from = value_at(other, &at);
            if (!from || from == other || (key && tries < 50 && (!from->key || strcmp(from->key, key)))) continue;
            *v = *from;
            v->key = key;
            v->items = from->count ? copy_items(from, arena) : NULL;
            break;
        }
    } else {
        become_other(v);
    }
}

static bool small_work(lc_session *s) {
    double macs = 0;
    for (size_t i = 0; i < lc_session_profile_count(s); i++) macs += (double)lc_session_profile(s, i).macs;
    return macs < 1e6 && lc_session_memory(s).arena < 1 << 20;
}

/* A model that came out can be planned and run, or says why not. */
static void try_to_run(lc_model *model) {
    const lc_session_options options = {.isa = "ref", .max_memory = 16 << 20, .max_loops = 200};
    lc_session *s;
    lc_error err;
    lc_error_clear(&err);
    if (lc_session_create(model, &options, &s, &err)) {
        assert_true(err.message[0]);
        return;
    }
    if (small_work(s) && lc_session_run(s, &err)) assert_true(err.message[0]);
    lc_session_destroy(s);
}

static void must_say(lc_status status, const lc_error *err, bool lowered, const lc_json *entry, unsigned long number) {
    if (status == LC_OK || (err->message[0] && err->status == status && (!lowered || err->hint[0]))) return;
    fail_msg("%s, mutation %lu: status %d says \"%s\" (hint \"%s\")", lc_json_get(entry, "name")->string, number, (int)status, err->message,
             err->hint);
}

static void mutate_entry(const lc_json *entry, const lc_json *before, unsigned long times) {
    const lc_limits limits = {.max_memory = 16u << 20, .max_tables = 20000, .max_nodes = 5000};
    const lc_json *config = lc_json_get(entry, "config");
    const char *only = getenv("LC_MUTATION"); /* to see one again */
    for (unsigned long k = 0; k < times; k++) {
        lc_arena arena = {0};
        lc_json root = *config, other = {0};
        lc_model *model;
        bool lowered;
        lc_error err;
        random_state = k;
        for (const char *p = lc_json_get(entry, "name")->string; *p; p++) random_state = random_state * 31 + (unsigned char)*p;
        root.items = copy_items(config, &arena);
        if (before) {
            other = *before;
            other.items = copy_items(before, &arena);
        }
        const uint32_t count = count_values(&root);
        for (uint32_t n = 1 + below(3); n; n--) mutate(&root, count, before ? &other : NULL, before ? count_values(&other) : 0, &arena);
        if (only) print_message("%s %lu\n", lc_json_get(entry, "name")->string, k);
        lc_text notes = {0};
        const lc_status status = make(entry, &root, &limits, &arena, &model, &lowered, &notes, &err);
        lc_text_deinit(&notes);
        must_say(status, &err, lowered, entry, k);
        if (status == LC_OK) try_to_run(model);
        lc_model_destroy(model);
        lc_arena_deinit(&arena);
    }
}

/* LC_FUZZ_FACTOR=10 in the environment: ten times as many. */
static void test_mutations(void **state) {
    const char *factor = getenv("LC_FUZZ_FACTOR");
    const unsigned long times = (unsigned long)(12 * (factor ? strtod(factor, NULL) : 1));
    keras_corpus corpus;
    lc_arena arenas[2] = {{0}}; /* of this model and the one before */
    const lc_json *before = NULL;
    keras_corpus_open(&corpus, LC_TEST_DIR, *state);
    for (size_t i = 0;; i++) {
        lc_arena_deinit(&arenas[i % 2]);
        arenas[i % 2] = (lc_arena){0};
        const lc_json *entry = keras_corpus_next(&corpus, &arenas[i % 2]);
        if (!entry) break;
        mutate_entry(entry, before, times);
        before = lc_json_get(entry, "config");
    }
    lc_arena_deinit(&arenas[0]);
    lc_arena_deinit(&arenas[1]);
    keras_corpus_close(&corpus);
}

/* ---- no memory ---------------------------------------------------------------------------------------------------------------- */

static lc_status make_once(void *arg, lc_error *err) {
    lc_arena arena = {0};
    lc_model *model;
    lc_text notes = {0};
    bool lowered;
    const lc_json *entry = arg;
    const lc_status status = make(entry, lc_json_get(entry, "config"), NULL, &arena, &model, &lowered, &notes, err);
    lc_text_deinit(&notes);
    lc_model_destroy(model);
    lc_arena_deinit(&arena);
    return status;
}

static void test_faults(void **state) {
    (void)state;
    static const char *const names[] = {"odd_merge_maximum_masks_three.k3", "odd_nested_mask_dict.k3", "odd_ops_einsum_three.k3",
                                        "odd_bi_backward_units.k3", "odd_td_td_flatten.k3"};
    keras_corpus corpus;
    size_t found = 0;
    keras_corpus_open(&corpus, LC_TEST_DIR, "odd");
    for (;;) {
        lc_arena arena = {0};
        const lc_json *entry = keras_corpus_next(&corpus, &arena);
        for (size_t i = 0; entry && i < sizeof names / sizeof *names; i++) {
            if (strcmp(lc_json_get(entry, "name")->string, names[i]) != 0) continue;
            fault_check(make_once, (void *)(uintptr_t)entry, &(fault_options){.step = 7});
            found++;
        }
        lc_arena_deinit(&arena);
        if (!entry) break;
    }
    keras_corpus_close(&corpus);
    assert_int_equal(found, sizeof names / sizeof *names);
}

int main(int argc, char **argv) {
    enum { COUNT = sizeof families / sizeof *families };
    struct CMUnitTest tests[2 * COUNT + 1];
    char names[COUNT][64];
    for (size_t i = 0; i < COUNT; i++) {
        void *family = (void *)(uintptr_t)families[i];
        snprintf(names[i], sizeof names[i], "%s_mutations", families[i]);
        tests[2 * i] = (struct CMUnitTest){families[i], test_family, NULL, NULL, family};
        tests[2 * i + 1] = (struct CMUnitTest){names[i], test_mutations, NULL, NULL, family};
    }
    tests[2 * COUNT] = (struct CMUnitTest)cmocka_unit_test(test_faults);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
