/*
 * test_keras_emit.c: what src/emit writes for Keras is read back: HDF5 files of many members and long texts, zip archives with 64-bit numbers,
 * the models of tests/data/keras in all three forms, the state of an optimizer; equal contents give equal bytes; failing allocations.
 * tests/oracle/check_keras_emit.py asks Keras itself.
 */
#include "emit/hdf5_write.h"
#include "emit/keras_emit.h"
#include "emit/zip_write.h"
#include "lower/keras_place.h"
#include "source/keras_state.h"
#include "support/fault.h"
#include "support/keras_corpus.h"
#include "support/keras_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA LC_TEST_DIR "/data/keras/"

static lc_status append(void *user, const void *data, size_t size, lc_error *err) {
    lc_text *t = user;
    lc_text_add_n(t, data, size);
    return t->failed ? lc_fail_memory(err, "test") : LC_OK;
}

/* ---- HDF5 ---------------------------------------------------------------------------------------------------------------- */

typedef struct file {
    lc_arena arena;
    lc_h5_writer *w;
    lc_text bytes;
    lc_budget budget;
    lc_h5 *h5;
    lc_error err;
} file;

static void begin(file *f) {
    *f = (file){0};
    lc_error_clear(&f->err);
    lc_budget_init(&f->budget, NULL);
    f->w = lc_h5_writer_new(&f->arena);
    assert_non_null(f->w);
}

static void finish(file *f) {
    uint64_t size;
    lc_text twice = {0};
    assert_int_equal(lc_h5_write(f->w, &(lc_sink){.write = append, .user = &f->bytes}, &size, &f->err), LC_OK);
    assert_int_equal(size, f->bytes.size);
    assert_int_equal(lc_h5_write(f->w, &(lc_sink){.write = append, .user = &twice}, NULL, &f->err), LC_OK);
    assert_int_equal(twice.size, size);
    assert_memory_equal(twice.data, f->bytes.data, size);
    lc_text_deinit(&twice);
    if (lc_h5_open(f->bytes.data, f->bytes.size, 0, &f->budget, &f->arena, &f->arena, &f->h5, &f->err)) fail_msg("%s", f->err.message);
}

static void end(file *f) {
    lc_text_deinit(&f->bytes);
    lc_arena_deinit(&f->arena);
}

static lc_h5_object *object_at(file *f, const char *path) {
    lc_h5_object *o;
    if (lc_h5_get(f->h5, lc_h5_root(f->h5), lc_str_of(path), &o, &f->err)) fail_msg("%s: %s", path, f->err.message);
    return o;
}

static void test_types(void **state) {
    (void)state;
    static const lc_dtype types[] = {LC_FLOAT16, LC_FLOAT32, LC_FLOAT64, LC_INT8,   LC_INT16,  LC_INT32,
                                     LC_INT64,   LC_UINT8,   LC_UINT16,  LC_UINT32, LC_UINT64, LC_BFLOAT16};
    uint8_t numbers[6 * 8];
    file f;
    begin(&f);
    for (size_t i = 0; i < sizeof numbers; i++) numbers[i] = (uint8_t)(i * 7 + 1);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const lc_keras_weight a = {NULL, types[i], 2, {2, 3}, numbers, 6 * (size_t)lc_dtype_bits(types[i]) / 8};
        char path[32];
        snprintf(path, sizeof path, "a/%s", lc_dtype_name(types[i]));
        assert_int_equal(lc_h5_put_array(f.w, lc_h5_writer_root(f.w), path, &a, &f.err), LC_OK);
    }
    const lc_keras_weight scalar = {NULL, LC_INT64, 0, {0}, numbers, 8}, none = {NULL, LC_FLOAT32, 2, {0, 3}, NULL, 0};
    assert_int_equal(lc_h5_put_array(f.w, lc_h5_writer_root(f.w), "scalar", &scalar, &f.err), LC_OK);
    assert_int_equal(lc_h5_put_array(f.w, lc_h5_writer_root(f.w), "none", &none, &f.err), LC_OK);
    finish(&f);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        lc_h5_value v;
        char path[32];
        snprintf(path, sizeof path, "a/%s", lc_dtype_name(types[i]));
        assert_int_equal(lc_h5_read(f.h5, object_at(&f, path), &v, &f.err), LC_OK);
        assert_int_equal(v.rank, 2);
        assert_int_equal(v.dims[1], 3);
        assert_int_equal(v.size, 6 * (size_t)lc_dtype_bits(types[i]) / 8);
        assert_memory_equal(v.data, numbers, v.size);
        if (types[i] == LC_BFLOAT16) assert_int_equal(v.type.kind, LC_H5_OPAQUE);
        else assert_int_equal(v.type.dtype, types[i]);
    }
    lc_h5_value v;
    assert_int_equal(lc_h5_read(f.h5, object_at(&f, "scalar"), &v, &f.err), LC_OK);
    assert_int_equal(v.rank, 0);
    assert_memory_equal(v.data, numbers, 8);
    assert_int_equal(lc_h5_read(f.h5, object_at(&f, "none"), &v, &f.err), LC_OK);
    assert_int_equal(v.dims[1], 3);
    assert_int_equal(v.count, 0);
    end(&f);
}

/* B-trees of one, two and three levels, and the borders between. */
static void test_many_members(void **state) {
    (void)state;
    static const int counts[] = {0, 1, 8, 9, 256, 257, 8192, 8193, 9001};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        file f;
        lc_h5_node *group;
        const lc_h5_link *links;
        size_t count;
        char path[64];
        begin(&f);
        assert_int_equal(lc_h5_put_group(f.w, lc_h5_writer_root(f.w), "layers", &group, &f.err), LC_OK);
        for (int i = 0; i < counts[k]; i++) {
            const int32_t number = (i * 7919) % counts[k];
            lc_keras_weight a = {NULL, LC_INT32, 0, {0}, NULL, 4};
            int32_t *value = lc_arena_alloc(&f.arena, sizeof *value);
            *value = number;
            a.data = value;
            snprintf(path, sizeof path, "m%d", number);
            assert_int_equal(lc_h5_put_array(f.w, group, path, &a, &f.err), LC_OK);
        }
        finish(&f);
        assert_int_equal(lc_h5_links(f.h5, object_at(&f, "layers"), &links, &count, &f.err), LC_OK);
        assert_int_equal(count, counts[k]);
        for (int i = 0; i < counts[k]; i += 1 + counts[k] / 300) {
            lc_h5_value v;
            int32_t found;
            snprintf(path, sizeof path, "layers/m%d", i);
            assert_int_equal(lc_h5_read(f.h5, object_at(&f, path), &v, &f.err), LC_OK);
            memcpy(&found, v.data, sizeof found);
            assert_int_equal(found, i);
        }
        end(&f);
    }
}

static void test_texts(void **state) {
    (void)state;
    enum { LONG = 300000 };
    file f;
    lc_h5_value v;
    bool found;
    lc_str *strings, *names;
    size_t count;
    begin(&f);
    char *text = lc_arena_alloc(&f.arena, LONG);
    for (size_t i = 0; i < LONG; i++) text[i] = (char)('a' + i % 26);
    names = lc_arena_array(&f.arena, LC_H5_MOST_STRINGS, sizeof *names);
    for (size_t i = 0; i < LC_H5_MOST_STRINGS; i++) names[i] = lc_str_of(lc_arena_printf(&f.arena, "a_layer_with_a_long_name_%zu", i));
    lc_h5_node *root = lc_h5_writer_root(f.w);
    assert_int_equal(lc_h5_put_text(f.w, root, "long", (lc_str){text, LONG}, &f.err), LC_OK);
    assert_int_equal(lc_h5_put_text(f.w, root, "empty", LC_STR(""), &f.err), LC_OK);
    assert_int_equal(lc_h5_put_strings(f.w, root, "names", names, LC_H5_MOST_STRINGS, &f.err), LC_OK);
    assert_int_equal(lc_h5_put_strings(f.w, root, "no_names", NULL, 0, &f.err), LC_OK);
    assert_int_equal(lc_h5_put_strings(f.w, root, "too_many", names, LC_H5_MOST_STRINGS + 1, &f.err), LC_ARGUMENT);
    finish(&f);
    assert_int_equal(lc_h5_attribute(f.h5, lc_h5_root(f.h5), "long", &v, &found, &f.err), LC_OK);
    assert_int_equal(lc_h5_strings(f.h5, &v, "long", &strings, &count, &f.err), LC_OK);
    assert_int_equal(count, 1);
    assert_int_equal(strings[0].size, LONG);
    assert_memory_equal(strings[0].data, text, LONG);
    assert_int_equal(lc_h5_attribute(f.h5, lc_h5_root(f.h5), "empty", &v, &found, &f.err), LC_OK);
    assert_int_equal(lc_h5_strings(f.h5, &v, "empty", &strings, &count, &f.err), LC_OK);
    assert_int_equal(strings[0].size, 0);
    assert_int_equal(lc_h5_attribute(f.h5, lc_h5_root(f.h5), "names", &v, &found, &f.err), LC_OK);
    assert_int_equal(lc_h5_strings(f.h5, &v, "names", &strings, &count, &f.err), LC_OK);
    assert_int_equal(count, LC_H5_MOST_STRINGS);
    for (size_t i = 0; i < count; i++) assert_true(lc_str_eq(strings[i], names[i]));
    assert_int_equal(lc_h5_attribute(f.h5, lc_h5_root(f.h5), "no_names", &v, &found, &f.err), LC_OK);
    assert_true(found && v.count == 0);
    end(&f);
}

static void test_refused(void **state) {
    (void)state;
    file f;
    lc_h5_node *group;
    const float one = 1;
    const lc_keras_weight a = {NULL, LC_FLOAT32, 1, {1}, &one, 4}, wrong = {NULL, LC_FLOAT32, 1, {2}, &one, 4},
                          other = {NULL, LC_STRING, 1, {1}, &one, 4};
    begin(&f);
    lc_h5_node *root = lc_h5_writer_root(f.w);
    assert_int_equal(lc_h5_put_array(f.w, root, "a/b", &a, &f.err), LC_OK);
    assert_int_equal(lc_h5_put_array(f.w, root, "a/b", &a, &f.err), LC_ARGUMENT);
    assert_int_equal(lc_h5_put_array(f.w, root, "a", &a, &f.err), LC_ARGUMENT);
    assert_int_equal(lc_h5_put_array(f.w, root, "a/b/c", &a, &f.err), LC_ARGUMENT);
    assert_int_equal(lc_h5_put_group(f.w, root, "a/b", &group, &f.err), LC_ARGUMENT);
    assert_int_equal(lc_h5_put_group(f.w, root, "a//b", &group, &f.err), LC_ARGUMENT);
    assert_int_equal(lc_h5_put_group(f.w, root, ".", &group, &f.err), LC_ARGUMENT);
    assert_int_equal(lc_h5_put_array(f.w, root, "c", &wrong, &f.err), LC_ARGUMENT);
    assert_int_equal(lc_h5_put_array(f.w, root, "d", &other, &f.err), LC_ARGUMENT);
    assert_true(lc_h5_written(f.w, root, "a/b") && !lc_h5_written(f.w, root, "c") && !lc_h5_written(f.w, root, "a/x"));
    finish(&f);
    object_at(&f, "a/b");
    end(&f);
}

/* ---- zip ----------------------------------------------------------------------------------------------------------------- */

static void test_zip(void **state) {
    (void)state;
    for (uint64_t wide = 0; wide < 3; wide++) { /* all numbers in 64 bits for 1, the larger ones for 2 */
        lc_arena arena = {0};
        lc_text bytes = {0};
        lc_budget budget;
        lc_error err;
        lc_zip zip;
        char name[32];
        lc_budget_init(&budget, NULL);
        lc_zip_writer z = {.sink = &(lc_sink){.write = append, .user = &bytes}, .arena = &arena, .wide = wide == 2 ? 4 : wide};
        for (size_t i = 0; i < 9; i++) {
            snprintf(name, sizeof name, "folder/m%zu", i);
            assert_int_equal(lc_zip_put_data(&z, name, "abcdefgh", i, &err), LC_OK);
        }
        assert_int_equal(lc_zip_end(&z, &err), LC_OK);
        const lc_map map = {.data = (const uint8_t *)bytes.data, .size = bytes.size};
        if (lc_zip_open(&map, &budget, &arena, &zip, &err)) fail_msg("%s", err.message);
        assert_int_equal(zip.count, 9);
        for (size_t i = 0; i < 9; i++) {
            const uint8_t *data;
            size_t size;
            assert_true(lc_str_is(zip.members[i].name, lc_arena_printf(&arena, "folder/m%zu", i)));
            assert_int_equal(zip.members[i].method, 0);
            assert_int_equal(lc_zip_read(&zip, &zip.members[i], &budget, &arena, &data, &size, &err), LC_OK);
            assert_int_equal(size, i);
            assert_memory_equal(data, "abcdefgh", i);
        }
        lc_text_deinit(&bytes);
        lc_arena_deinit(&arena);
    }
}

/* A member that is other bytes the second time is noticed. */
static lc_status unsteady(void *user, const lc_sink *sink, lc_error *err) {
    const char c = (char)('a' + (*(int *)user)++);
    return sink->write(sink->user, &c, 1, err);
}

static void test_unsteady(void **state) {
    (void)state;
    lc_arena arena = {0};
    lc_text bytes = {0};
    lc_error err;
    int times = 0;
    lc_zip_writer z = {.sink = &(lc_sink){.write = append, .user = &bytes}, .arena = &arena};
    assert_int_equal(lc_zip_put(&z, "m", unsteady, &times, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "changed while it was written"));
    lc_text_deinit(&bytes);
    lc_arena_deinit(&arena);
}

/* ---- places -------------------------------------------------------------------------------------------------------------- */

static void check_places(const char *class_name, const char *config, const char *weights, const char *zip, const char *h5) {
    fixture f;
    lc_keras_place *places;
    lc_error err;
    lc_text a = {0}, b = {0};
    fixture_begin(&f, "3.15.0");
    const int x = fixture_input(&f, "x", "[null, 4]"), l = fixture_layer(&f, class_name, "l", config, weights, 1, &x);
    for (uint32_t i = 0; i < f.layers[l].weight_count; i++) f.layers[l].weights[i].name = NULL; /* made here, by number */
    assert_int_equal(lc_keras_places(&f.layers[l], &f.arena, &places, &err), LC_OK);
    lc_text_add(&a, "");
    lc_text_add(&b, "");
    for (uint32_t i = 0; i < f.layers[l].weight_count; i++) {
        lc_text_printf(&a, "%s%s", i ? " " : "", places[i].zip);
        lc_text_printf(&b, "%s%s%s", i ? " " : "", places[i].trainable ? "" : "-", places[i].h5);
    }
    assert_string_equal(a.data, zip);
    assert_string_equal(b.data, h5);
    /* From the other side: named by their places, in another order. */
    lc_keras_layer *layer = &f.layers[l];
    const uint32_t n = layer->weight_count;
    lc_keras_weight *turned = lc_arena_array(&f.arena, n + 1, sizeof *turned);
    const char *last_group = NULL;
    uint32_t at = n;
    for (uint32_t i = 0; i < n; i++) { /* groups backwards, their members in order */
        const size_t front = (size_t)(strrchr(places[i].zip, '/') - places[i].zip);
        if (!last_group || strncmp(last_group, places[i].zip, front + 1) != 0) {
            uint32_t k = 0;
            for (uint32_t j = i; j < n && strncmp(places[i].zip, places[j].zip, front + 1) == 0; j++) k++;
            at -= k;
            for (uint32_t j = 0; j < k; j++) {
                turned[at + j] = layer->weights[i + j];
                turned[at + j].name = places[i + j].zip;
            }
        }
        last_group = places[i].zip;
    }
    const lc_keras_place *first = places;
    lc_keras_weight *original = layer->weights;
    layer->weights = turned;
    assert_int_equal(lc_keras_places(layer, &f.arena, &places, &err), LC_OK);
    for (uint32_t i = 0; i < n; i++) {
        assert_string_equal(places[i].zip, first[i].zip);
        assert_string_equal(places[i].h5, first[i].h5);
        assert_ptr_equal(places[i].weight->data, original[i].data);
        assert_int_equal(places[i].trainable, first[i].trainable);
    }
    lc_text_deinit(&a);
    lc_text_deinit(&b);
    fixture_end(&f);
}

static void test_places(void **state) {
    (void)state;
    check_places("Dense", "{}", "4x3 3", "vars/0 vars/1", "kernel bias");
    check_places("SeparableConv2D", "{\"use_bias\": false}", "2 2", "vars/0 vars/1", "depthwise_kernel pointwise_kernel");
    check_places("BatchNormalization", "{}", "3 3 3 3", "vars/0 vars/1 vars/2 vars/3", "gamma beta -moving_mean -moving_variance");
    check_places("BatchNormalization", "{\"scale\": false}", "3 3 3", "vars/0 vars/1 vars/2", "beta -moving_mean -moving_variance");
    check_places("LSTM", "{}", "4x8 2x8 8", "cell/vars/0 cell/vars/1 cell/vars/2",
                 "lstm_cell/kernel lstm_cell/recurrent_kernel lstm_cell/bias");
    check_places(
        "Bidirectional", "{\"layer\": {\"class_name\": \"GRU\", \"config\": {\"name\": \"g\", \"use_bias\": false}}}", "1 2 3 4",
        "forward_layer/cell/vars/0 forward_layer/cell/vars/1 backward_layer/cell/vars/0 backward_layer/cell/vars/1",
        "forward_g/gru_cell/kernel forward_g/gru_cell/recurrent_kernel backward_g/gru_cell/kernel backward_g/gru_cell/recurrent_kernel");
    check_places(
        "RNN",
        "{\"cell\": {\"class_name\": \"StackedRNNCells\", \"config\": {\"name\": \"s\", \"cells\": ["
        "{\"class_name\": \"LSTMCell\", \"config\": {\"name\": \"one\"}}, {\"class_name\": \"GRUCell\", \"config\": {\"name\": \"two\"}},"
        "{\"class_name\": \"LSTMCell\", \"config\": {\"name\": \"three\", \"use_bias\": false}}]}}}",
        "1 2 3 4 5 6 7 8",
        "cell/cells/lstm_cell/vars/0 cell/cells/lstm_cell/vars/1 cell/cells/lstm_cell/vars/2 cell/cells/gru_cell/vars/0 "
        "cell/cells/gru_cell/vars/1 cell/cells/gru_cell/vars/2 cell/cells/lstm_cell_1/vars/0 cell/cells/lstm_cell_1/vars/1",
        "s/one/kernel s/one/recurrent_kernel s/one/bias s/two/kernel s/two/recurrent_kernel s/two/bias s/three/kernel "
        "s/three/recurrent_kernel");
    check_places("MultiHeadAttention", "{\"use_bias\": false}", "1 2 3 4",
                 "query_dense/vars/0 key_dense/vars/0 value_dense/vars/0 output_dense/vars/0",
                 "query/kernel key/kernel value/kernel attention_output/kernel");
    check_places("Whatever", "{}", "1 2", "vars/0 vars/1", "variable variable_1");
}

/* ---- models -------------------------------------------------------------------------------------------------------------- */

typedef struct reading {
    lc_map map;
    bool borrowed;
    lc_zip_check check;
    lc_budget budget;
    lc_arena arena;
    lc_keras_model *model;
    lc_keras_state state;
} reading;

static lc_status read_map(reading *r, lc_error *err) {
    lc_budget_init(&r->budget, NULL);
    const lc_keras_reading how = {&r->map, &r->budget, &r->arena, &r->arena, &r->check, NULL, NULL};
    LC_TRY(lc_zip_probe(r->map.data, r->map.size) ? lc_keras_read_zip(&how, &r->model, err) : lc_keras_read_h5(&how, &r->model, err));
    LC_TRY(lc_zip_check_end(&r->check, err));
    return lc_keras_state_of(&how, &r->state, err);
}

static void stop(reading *r) {
    lc_zip_check_end(&r->check, NULL);
    if (!r->borrowed) lc_map_close(&r->map);
    lc_arena_deinit(&r->arena);
}

static void start(reading *r, const char *path) {
    lc_error err = {0};
    *r = (reading){0};
    if (lc_map_open(&r->map, path, NULL, &err) || read_map(r, &err)) fail_msg("%s: %s", path, err.message);
}

static void start_bytes(reading *r, const lc_text *bytes) {
    lc_error err = {0};
    *r = (reading){.map = {.data = (const uint8_t *)bytes->data, .size = bytes->size}, .borrowed = true};
    if (read_map(r, &err)) fail_msg("%s", err.message);
}

static lc_keras_file file_of(const reading *r) {
    return (lc_keras_file){.model = r->model,
                           .config = r->state.config,
                           .compile_config = r->state.compile_config,
                           .optimizer = r->state.optimizer,
                           .optimizer_count = r->state.optimizer_count,
                           .optimizer_name = r->state.optimizer_name};
}

static void check_weight(const lc_keras_weight *a, const lc_keras_weight *b) {
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->rank, b->rank);
    assert_memory_equal(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims);
    assert_int_equal(a->size, b->size);
    assert_memory_equal(a->data, b->data, a->size);
}

static void check_equal(const lc_keras_model *a, const lc_keras_model *b, lc_arena *arena) {
    assert_int_equal(a->layer_count, b->layer_count);
    for (uint32_t i = 0; i < a->layer_count; i++) {
        const lc_keras_layer *x = &a->layers[i], *y = &b->layers[i];
        lc_keras_place *p, *q;
        assert_string_equal(x->name, y->name);
        assert_string_equal(x->class_name, y->class_name);
        while (x->inner && y->inner) x = x->inner, y = y->inner;
        assert_int_equal(!x->model, !y->model);
        if (x->model) check_equal(x->model, y->model, arena);
        assert_int_equal(x->weight_count, y->weight_count);
        assert_int_equal(lc_keras_places(x, arena, &p, NULL), LC_OK);
        assert_int_equal(lc_keras_places(y, arena, &q, NULL), LC_OK);
        for (uint32_t k = 0; k < x->weight_count; k++) check_weight(p[k].weight, q[k].weight);
        assert_true(lc_str_eq(x->vocabulary, y->vocabulary) || (!x->vocabulary.data && !y->vocabulary.data));
    }
}

static const char *const models[] = {"k3_sequential.keras", "k3_nested.keras",  "k3_parts.keras",  "k3_deflated.keras", "k3_sequential.h5",
                                     "k3_nested.h5",        "k2_sequential.h5", "k2_nested.h5",    "split.h5",          "k3_keyed.keras",
                                     "state/sgd.keras",     "state/sgd.h5",     "k3_deep_names.h5"};

typedef lc_status (*emit_fn)(const lc_keras_file *file, const lc_sink *sink, lc_error *err);

static void test_models(void **state) {
    (void)state;
    static const emit_fn forms[] = {lc_emit_keras_to, lc_emit_keras_h5_to};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
            reading r, again;
            lc_error err = {0};
            lc_text bytes = {0}, twice = {0};
            char path[400];
            snprintf(path, sizeof path, "%s%s", DATA, models[i]);
            start(&r, path);
            const lc_keras_file f = file_of(&r);
            if (forms[k](&f, &(lc_sink){.write = append, .user = &bytes}, &err)) fail_msg("%s: %s", path, err.message);
            assert_int_equal(forms[k](&f, &(lc_sink){.write = append, .user = &twice}, &err), LC_OK);
            assert_int_equal(bytes.size, twice.size);
            assert_memory_equal(bytes.data, twice.data, twice.size);
            start_bytes(&again, &bytes);
            check_equal(r.model, again.model, &r.arena);
            assert_int_equal(again.state.optimizer_count, r.state.optimizer_count);
            for (uint32_t j = 0; j < r.state.optimizer_count; j++) check_weight(&r.state.optimizer[j], &again.state.optimizer[j]);
            assert_int_equal(!again.state.compile_config, !r.state.compile_config);
            stop(&again);
            stop(&r);
            lc_text_deinit(&bytes);
            lc_text_deinit(&twice);
        }
}

/* .weights.h5 into the architecture alone. */
static void test_weights(void **state) {
    (void)state;
    reading r;
    lc_error err = {0};
    lc_text bytes = {0};
    lc_h5 *h5;
    lc_keras_model *bare;
    start(&r, DATA "k3_parts.keras");
    const lc_keras_file f = file_of(&r);
    assert_int_equal(lc_emit_keras_weights_to(&f, &(lc_sink){.write = append, .user = &bytes}, &err), LC_OK);
    const lc_keras_reading how = {&r.map, &r.budget, &r.arena, &r.arena, NULL, NULL, NULL};
    assert_int_equal(lc_h5_open(bytes.data, bytes.size, 0, &r.budget, &r.arena, &r.arena, &h5, &err), LC_OK);
    assert_int_equal(lc_keras_config(r.state.config, "3.15.0", &r.budget, &r.arena, &bare, &err), LC_OK);
    assert_int_equal(lc_keras_read_store(&how, &(lc_keras_store){.files = &h5, .count = 1}, bare, &err), LC_OK);
    check_equal(r.model, bare, &r.arena);
    stop(&r);
    lc_text_deinit(&bytes);
}

/* ---- state --------------------------------------------------------------------------------------------------------------- */

static void test_state(void **state) {
    (void)state;
    static const char *const files[] = {DATA "state/sgd.keras", DATA "state/sgd.h5"};
    for (size_t i = 0; i < 2; i++) {
        lc_arena arena = {0};
        lc_error err;
        lc_keras_state s;
        char name[64], line[400];
        FILE *values = fopen(DATA "state/values.txt", "r");
        assert_non_null(values);
        assert_int_equal(lc_keras_state_read(files[i], NULL, &arena, &s, &err), LC_OK);
        uint32_t n = 0;
        for (; fgets(line, sizeof line, values); n++) {
            int rank, used;
            assert_true(n < s.optimizer_count);
            assert_int_equal(sscanf(line, "%63s %d%n", name, &rank, &used), 2);
            const lc_keras_weight *w = &s.optimizer[n];
            if (i == 1) assert_string_equal(w->name, name);
            assert_int_equal(w->rank, rank);
            assert_int_equal(w->type, n ? LC_FLOAT32 : LC_INT64);
            const char *at = line + used;
            for (size_t k = 0; k < w->size / (n ? 4 : 8); k++) {
                char *next;
                assert_true(strtod(at, &next) == keras_corpus_get(w->type, w->data, k));
                at = next;
            }
        }
        fclose(values);
        assert_int_equal(n, s.optimizer_count);
        assert_string_equal(lc_json_str(s.compile_config, "loss", ""), "mse");
        const lc_json *optimizer = lc_json_get(s.compile_config, "optimizer");
        assert_string_equal(lc_json_str(optimizer, "class_name", ""), "SGD");
        assert_string_equal(lc_json_str(optimizer, "module", ""), "keras.optimizers");
        assert_true(lc_json_get(lc_json_get(optimizer, "config"), "momentum")->real == 0.5);
        assert_string_equal(s.optimizer_name, lc_json_str(lc_json_get(optimizer, "config"), "name", "?"));
        lc_arena_deinit(&arena);
    }
    lc_arena arena = {0};
    lc_error err;
    lc_keras_state s;
    assert_int_equal(lc_keras_state_read(DATA "k3_sequential.keras", NULL, &arena, &s, &err), LC_OK);
    assert_true(s.config && !s.compile_config && !s.optimizer_count);
    assert_int_equal(lc_keras_state_read(DATA "k3_sequential.json", NULL, &arena, &s, &err), LC_INVALID);
    assert_int_equal(lc_keras_state_read(DATA "state/none.keras", NULL, &arena, &s, &err), LC_NOT_FOUND);
    lc_arena_deinit(&arena);
}

/* Numbers with a gap, a name without an array, one name twice. */
static void test_bad_state(void **state) {
    (void)state;
    static const lc_str missing[] = {{"sgd/iteration", 13}, {"sgd/other", 9}}, twice[] = {{"sgd/iteration", 13}, {"sgd/iteration", 13}};
    static const char *const messages[] = {"none with number 1", "lists 'sgd/other', which is not there", "is there twice"};
    for (int i = 0; i < 3; i++) {
        file f;
        lc_h5_node *group;
        lc_keras_state s;
        const float one = 1;
        const lc_keras_weight a = {NULL, LC_FLOAT32, 0, {0}, &one, 4};
        begin(&f);
        lc_h5_node *root = lc_h5_writer_root(f.w);
        if (i == 0) {
            assert_int_equal(lc_h5_put_array(f.w, root, "optimizer/vars/0", &a, &f.err), LC_OK);
            assert_int_equal(lc_h5_put_array(f.w, root, "optimizer/vars/2", &a, &f.err), LC_OK);
        } else {
            assert_int_equal(lc_h5_put_text(f.w, root, "model_config", LC_STR("{}"), &f.err), LC_OK);
            assert_int_equal(lc_h5_put_array(f.w, root, "optimizer_weights/sgd/iteration", &a, &f.err), LC_OK);
            assert_int_equal(lc_h5_put_group(f.w, root, "optimizer_weights", &group, &f.err), LC_OK);
            assert_int_equal(lc_h5_put_strings(f.w, group, "weight_names", i == 1 ? missing : twice, 2, &f.err), LC_OK);
        }
        finish(&f);
        const lc_map map = {.data = (const uint8_t *)f.bytes.data, .size = f.bytes.size};
        const lc_keras_reading how = {&map, &f.budget, &f.arena, &f.arena, NULL, NULL, NULL};
        assert_int_equal(lc_keras_state_of(&how, &s, &f.err), LC_INVALID);
        if (!strstr(f.err.message, messages[i])) fail_msg("%s", f.err.message);
        end(&f);
    }
}

/* ---- failures ------------------------------------------------------------------------------------------------------------ */

static lc_status nowhere(void *user, const void *data, size_t size, lc_error *err) {
    (void)user, (void)data, (void)size, (void)err;
    return LC_OK;
}

typedef struct work {
    lc_keras_file file;
    emit_fn emit;
} work;

static lc_status emit_work(void *arg, lc_error *err) {
    const work *w = arg;
    return w->emit(&w->file, &(lc_sink){.write = nowhere}, err);
}

static lc_status state_work(void *arg, lc_error *err) {
    lc_arena arena = {0};
    lc_keras_state s;
    const lc_status status = lc_keras_state_read(arg, NULL, &arena, &s, err);
    lc_arena_deinit(&arena);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    static const emit_fn forms[] = {lc_emit_keras_to, lc_emit_keras_h5_to, lc_emit_keras_weights_to};
    reading r;
    start(&r, DATA "state/sgd.keras");
    for (size_t i = 0; i < 3; i++) fault_check(emit_work, &(work){file_of(&r), forms[i]}, NULL);
    stop(&r);
    start(&r, DATA "k3_parts.keras");
    for (size_t i = 0; i < 3; i++) fault_check(emit_work, &(work){file_of(&r), forms[i]}, NULL);
    stop(&r);
    fault_check(state_work, (void *)(uintptr_t)(DATA "state/sgd.keras"), NULL);
    fault_check(state_work, (void *)(uintptr_t)(DATA "state/sgd.h5"), NULL);
}

/* A sink that fails ends the writing with its error, whichever write it is. */
static lc_status full(void *user, const void *data, size_t size, lc_error *err) {
    (void)data, (void)size;
    return (*(int *)user)-- > 0 ? LC_OK : lc_fail(err, LC_IO, "disk full");
}

static void test_full(void **state) {
    (void)state;
    static const emit_fn forms[] = {lc_emit_keras_to, lc_emit_keras_h5_to, lc_emit_keras_weights_to};
    reading r;
    start(&r, DATA "state/sgd.keras");
    const lc_keras_file f = file_of(&r);
    for (size_t i = 0; i < 3; i++) {
        int failed = 0;
        for (int n = 0; n < 100; n++) {
            int left = n;
            lc_error err = {0};
            const lc_status status = forms[i](&f, &(lc_sink){.write = full, .user = &left}, &err);
            if (status == LC_OK) break;
            assert_int_equal(status, LC_IO);
            assert_string_equal(err.message, "disk full");
            failed++;
        }
        assert_in_range(failed, 1, 99);
    }
    stop(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),   cmocka_unit_test(test_many_members), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_zip),          cmocka_unit_test(test_unsteady),
        cmocka_unit_test(test_places),  cmocka_unit_test(test_models),       cmocka_unit_test(test_weights),
        cmocka_unit_test(test_state),   cmocka_unit_test(test_bad_state),    cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
