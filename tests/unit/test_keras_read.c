/*
 * test_keras_read.c: whole Keras files to lc_keras_model. The files of tests/data/keras (made by
 * tests/oracle/make_keras_cases.py) have weights that say where they belong: weight k of a layer called <something>_<N> is
 * filled with 10 N + k. Also: truncations, failing allocations, and the errors of files that are not whole models.
 */
#include "source/keras_read.h"
#include "source/zip.h"
#include "support/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DATA LC_TEST_DIR "/data/keras/"
#define BAD LC_TEST_DIR "/data/bad/"

typedef struct reading {
    lc_map map;
    lc_budget budget;
    lc_arena arena, data;
    lc_keras_model *model;
    lc_error err;
} reading;

static lc_status read_bytes(reading *r, const void *data, size_t size) {
    lc_budget_init(&r->budget, &(lc_limits){.max_memory = 64u << 20});
    r->map = (lc_map){.data = data, .size = size};
    lc_error_clear(&r->err);
    lc_zip_check check = {0};
    lc_keras_reading how = {&r->map, &r->budget, &r->arena, &r->data, &check, NULL, NULL};
    if (!lc_zip_probe(data, size)) return lc_keras_read_h5(&how, &r->model, &r->err);
    const lc_status status = lc_keras_read_zip(&how, &r->model, &r->err);
    const lc_status checked = lc_zip_check_end(&check, &r->err);
    return checked == LC_OK ? status : checked;
}

static void end(reading *r) {
    lc_arena_deinit(&r->arena);
    lc_arena_deinit(&r->data);
}

static float number_at(const lc_keras_weight *w, size_t i) {
    float f = 0;
    uint16_t h;
    const uint8_t *p = w->data;
    switch (w->type) {
    case LC_FLOAT32: memcpy(&f, p + 4 * i, 4); return f;
    case LC_BFLOAT16: {
        memcpy(&h, p + 2 * i, 2);
        uint32_t u = (uint32_t)h << 16;
        memcpy(&f, &u, 4);
        return f;
    }
    case LC_FLOAT16: { /* small whole numbers only */
        memcpy(&h, p + 2 * i, 2);
        f = (float)(h & 0x3FF) / 1024 + 1;
        if (!(h & 0x7FFF)) return 0;
        for (int e = (h >> 10 & 31) - 15; e != 0; e += e > 0 ? -1 : 1) f = e > 0 ? f * 2 : f / 2;
        return f;
    }
    default: fail_msg("weight '%s' is of type %s", w->name, lc_dtype_name(w->type));
    }
    return 0;
}

/* 0 when the layer's option says so; without it the part is there. */
static uint32_t has_part(const lc_keras_layer *l, const char *option) {
    const lc_json *v = lc_json_get(l->config, option);
    return !lc_json_is(v, LC_JSON_BOOL) || v->boolean;
}

/* How many weights a layer of this class has with all its parts. */
static uint32_t expected_weights(const lc_keras_layer *l) {
    uint32_t bias = has_part(l, "use_bias"), n = 0;
    if (strcmp(l->class_name, "Dense") == 0 || strcmp(l->class_name, "Conv2D") == 0 || strcmp(l->class_name, "DepthwiseConv2D") == 0)
        n = 1 + bias;
    if (strcmp(l->class_name, "SeparableConv2D") == 0) n = 2 + bias;
    if (strcmp(l->class_name, "PReLU") == 0) n = 1;
    if (strcmp(l->class_name, "BatchNormalization") == 0) n = 2 + has_part(l, "scale") + has_part(l, "center");
    return n;
}

static size_t check_weights(const lc_keras_model *m) {
    size_t n = 0;
    for (uint32_t i = 0; i < m->layer_count; i++) {
        const lc_keras_layer *l = &m->layers[i];
        if (l->model) {
            n += check_weights(l->model);
            continue;
        }
        if (l->weight_count != expected_weights(l))
            fail_msg("layer '%s' (%s) has %u weights, should have %u", l->name, l->class_name, l->weight_count, expected_weights(l));
        const char *number = strrchr(l->name, '_');
        for (uint32_t k = 0; k < l->weight_count; k++) {
            const lc_keras_weight *w = &l->weights[k];
            uint64_t elements = 1;
            for (int32_t d = 0; d < w->rank; d++) elements *= (uint64_t)w->dims[d];
            assert_int_equal(w->size, elements * lc_dtype_bits(w->type) / 8);
            for (size_t e = 0; e < elements; e++) {
                float want = 10.0f * (float)atoi(number + 1) + (float)k;
                if (number_at(w, e) != want)
                    fail_msg("layer '%s' weight %u (%s) holds %g, should hold %g", l->name, k, w->name, (double)number_at(w, e),
                             (double)want);
            }
            n++;
        }
    }
    return n;
}

static const lc_keras_layer *layer(const lc_keras_model *m, const char *name) {
    for (uint32_t i = 0; i < m->layer_count; i++)
        if (strcmp(m->layers[i].name, name) == 0) return &m->layers[i];
    fail_msg("no layer '%s' in model '%s'", name, m->name);
    return NULL;
}

/* "stem:0:0 inner:0:0" */
static void check_refs(const lc_keras_model *m, const lc_keras_ref *refs, uint32_t count, const char *want) {
    char text[400] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s:%d:%d", i ? " " : "", m->layers[refs[i].layer].name, refs[i].node,
                                 refs[i].tensor);
    assert_string_equal(text, want);
}

static void check_call(const lc_keras_model *m, const char *name, uint32_t call, const char *want) {
    const lc_keras_layer *l = layer(m, name);
    if (call >= l->call_count) fail_msg("layer '%s' has %u calls", name, l->call_count);
    check_refs(m, l->calls[call].inputs, l->calls[call].input_count, want);
}

static void check_nested(const lc_keras_model *m) {
    assert_string_equal(m->name, "outer");
    assert_string_equal(m->class_name, "Functional");
    check_refs(m, m->inputs, m->input_count, "img:0:0 other:0:0");
    check_refs(m, m->outputs, m->output_count, "probability:0:0 cat:0:0");
    assert_null(m->output_names);
    check_call(m, "stem_8", 0, "img:0:0");
    check_call(m, "inner", 0, "stem_7:0:0");
    check_call(m, "inner", 1, "inner:0:0");
    check_call(m, "sum", 0, "inner:0:0 inner:1:0");
    check_call(m, "fun", 0, "sum:0:0");
    check_call(m, "flat", 0, "fun:0:0");
    check_call(m, "shared_9", 1, "up_10:0:0");
    check_call(m, "cat", 0, "shared_9:0:0 shared_9:1:0");
    const lc_keras_model *inner = layer(m, "inner")->model;
    assert_string_equal(inner->class_name, "Sequential");
    assert_string_equal(inner->layers[0].class_name, "InputLayer");
    assert_int_equal(inner->layer_count, 3);
    const lc_keras_model *fun = layer(inner, "fun")->model;
    check_refs(fun, fun->inputs, fun->input_count, "fi:0:0");
    check_refs(fun, fun->outputs, fun->output_count, "norm_2:0:0");
    assert_string_equal(layer(m, "fun")->model->layers[1].class_name, "Conv2D");
    lc_source_stats stats = lc_keras_count(m);
    assert_int_equal(stats.layers, 24);
    assert_int_equal(stats.parameters, 1427);
}

static void test_files(void **state) {
    (void)state;
    static const struct {
        const char *file, *version;
        size_t weights;
        bool nested;
    } files[] = {
        {DATA "k2_nested.h5", "2.21.0", 31, true},          {DATA "k2_nested.keras", "2.21.0", 31, true},
        {DATA "k3_nested.h5", "3.15.1", 31, true},          {DATA "k3_nested.keras", "3.15.1", 31, true},
        {DATA "k2_sequential.h5", "2.21.0", 3, false},      {DATA "k3_sequential.h5", "3.15.1", 5, false},
        {DATA "k3_sequential.keras", "3.15.1", 5, false},   {DATA "k3_deflated.keras", "3.15.1", 5, false},
        {DATA "k212_sequential.keras", "3.15.1", 5, false}, {DATA "windows_sequential.keras", "3.15.1", 5, false},
        {DATA "k3_keyed.keras", "3.15.1", 4, false},        {DATA "split.h5", "2.4.0", 12, false},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        reading r = {0};
        lc_map map;
        lc_error err;
        if (lc_map_open(&map, files[i].file, NULL, &err) != LC_OK) fail_msg("%s", err.message);
        if (read_bytes(&r, map.data, map.size) != LC_OK) fail_msg("%s: %s", files[i].file, r.err.message);
        assert_string_equal(r.model->keras_version, files[i].version);
        size_t n = check_weights(r.model);
        if (n != files[i].weights) fail_msg("%s: %zu weights, should be %zu", files[i].file, n, files[i].weights);
        if (files[i].nested) check_nested(r.model);
        end(&r);
        lc_map_close(&map);
    }
}

static void test_sequential(void **state) {
    (void)state;
    reading r = {0};
    lc_map map;
    assert_int_equal(lc_map_open(&map, DATA "k2_sequential.h5", NULL, NULL), LC_OK);
    assert_int_equal(read_bytes(&r, map.data, map.size), LC_OK);
    assert_string_equal(r.model->layers[0].class_name, "InputLayer");
    assert_string_equal(r.model->layers[0].name, "first_1_input"); /* as Keras 2 calls it */
    check_refs(r.model, r.model->outputs, r.model->output_count, "p_2:0:0");
    /* Weights stored contiguously are borrowed. */
    const uint8_t *data = r.model->layers[1].weights[0].data;
    assert_true(data > map.data && data < map.data + map.size);
    end(&r);
    lc_map_close(&map);
}

static void test_zip_in_place(void **state) {
    (void)state;
    static const char *const files[] = {DATA "k3_sequential.keras", DATA "k3_deflated.keras"};
    for (int i = 0; i < 2; i++) {
        reading r = {0};
        lc_map map;
        assert_int_equal(lc_map_open(&map, files[i], NULL, NULL), LC_OK);
        assert_int_equal(read_bytes(&r, map.data, map.size), LC_OK);
        const uint8_t *data = layer(r.model, "first_1")->weights[0].data;
        assert_int_equal(data > map.data && data < map.data + map.size, i == 0);
        end(&r);
        lc_map_close(&map);
    }
}

static void test_keyed(void **state) {
    (void)state;
    reading r = {0};
    lc_map map;
    assert_int_equal(lc_map_open(&map, DATA "k3_keyed.keras", NULL, NULL), LC_OK);
    assert_int_equal(read_bytes(&r, map.data, map.size), LC_OK);
    const lc_keras_model *m = r.model;
    check_refs(m, m->inputs, m->input_count, "b:0:0 a:0:0"); /* by key: aa, zz */
    assert_int_equal(m->output_count, 2);
    assert_string_equal(m->output_names[0], "x");
    assert_string_equal(m->output_names[1], "y");
    assert_string_equal(layer(m, "multiply")->class_name, "Multiply");
    assert_string_equal(lc_json_str(layer(m, "multiply")->entry, "module", ""), "keras.src.ops.numpy");
    assert_true(lc_json_at(layer(m, "multiply")->calls[0].args, 1)->real == 2.0);
    assert_int_equal(layer(m, "d_2")->weights[0].type, LC_BFLOAT16);
    assert_int_equal(layer(m, "d_1")->weights[0].type, LC_FLOAT16);
    end(&r);
    lc_map_close(&map);
}

static void check_dense(const lc_keras_model *m, float first) {
    const lc_keras_layer *d = layer(m, "d");
    assert_int_equal(d->weight_count, 2);
    assert_true(number_at(&d->weights[0], 0) == first && number_at(&d->weights[1], 0) == first + 1);
}

/* "s1/d", "d" and "s2/d" in deep / s2 / f1 / s1: a model that says nothing of itself gets what the others leave. */
static void test_deep_names(void **state) {
    (void)state;
    reading r = {0};
    lc_map map;
    assert_int_equal(lc_map_open(&map, DATA "k3_deep_names.h5", NULL, NULL), LC_OK);
    assert_int_equal(read_bytes(&r, map.data, map.size), LC_OK);
    const lc_keras_model *s2 = layer(layer(r.model, "deep")->model, "s2")->model, *f1 = layer(s2, "f1")->model;
    check_dense(layer(f1, "s1")->model, 100);
    check_dense(f1, 200);
    check_dense(s2, 300);
    end(&r);
    lc_map_close(&map);
}

/* Two layers of one name: the models around them decide, from their names in the weights' names. */
static void test_same_names(void **state) {
    (void)state;
    reading r = {0};
    lc_map map;
    assert_int_equal(lc_map_open(&map, DATA "k3_same_names.h5", NULL, NULL), LC_OK);
    assert_int_equal(read_bytes(&r, map.data, map.size), LC_OK);
    const lc_keras_model *both = layer(r.model, "both")->model;
    const lc_keras_layer *a = layer(layer(both, "a")->model, "d"), *b = layer(layer(both, "b")->model, "d");
    assert_int_equal(a->weight_count, 2);
    assert_int_equal(b->weight_count, 2);
    assert_true(number_at(&a->weights[0], 0) == 100 && number_at(&a->weights[1], 0) == 101);
    assert_true(number_at(&b->weights[0], 0) == 200 && number_at(&b->weights[1], 0) == 201);
    end(&r);
    lc_map_close(&map);
}

/* A layer made of parts has the weights of all of them, under their names; the state of random numbers is none. */
static void test_parts(void **state) {
    (void)state;
    static const char *const names[] = {"backward_layer/cell/vars/0", "backward_layer/cell/vars/1", "backward_layer/cell/vars/2",
                                        "forward_layer/cell/vars/0",  "forward_layer/cell/vars/1",  "forward_layer/cell/vars/2"};
    reading r = {0};
    lc_map map;
    assert_int_equal(lc_map_open(&map, DATA "k3_parts.keras", NULL, NULL), LC_OK);
    assert_int_equal(read_bytes(&r, map.data, map.size), LC_OK);
    const lc_keras_layer *l = layer(r.model, "bi_1");
    assert_int_equal(l->weight_count, 6);
    for (int k = 0; k < 6; k++) assert_string_equal(l->weights[k].name, names[k]);
    assert_int_equal(layer(r.model, "drop")->weight_count, 0);
    end(&r);
    lc_map_close(&map);
}

static void test_errors(void **state) {
    (void)state;
    static const struct {
        const char *file;
        lc_status status;
        const char *text;
    } bad[] = {
        {BAD "weights_only.h5", LC_INVALID, "has no model_config: it holds the weights"},
        {BAD "no_weights.h5", LC_INVALID, "'fc' (Dense) is not listed"},
        {BAD "missing_dataset.h5", LC_INVALID, "layer 'fc' (Dense): weight 'fc/kernel:0' is listed but has no dataset"},
        {BAD "wrong_type.h5", LC_UNSUPPORTED, "layer 'fc' (Dense): '/model_weights/fc/fc/kernel:0' is of type"},
        {BAD "soft_link.h5", LC_UNSUPPORTED, "is a soft link"},
        {BAD "external_link.h5", LC_UNSUPPORTED, "is an external link"},
        {BAD "external_storage.h5", LC_UNSUPPORTED, "external storage"},
        {BAD "virtual_dataset.h5", LC_UNSUPPORTED, "virtual dataset"},
        {BAD "unknown_filter.h5", LC_UNSUPPORTED, "(lzf)"},
        {BAD "terabytes.h5", LC_LIMIT, "more data than any compression"},
        {BAD "summed_bomb.h5", LC_LIMIT, "more data than any compression"},
        {BAD "config_deep.h5", LC_LIMIT, "nested deeper"},
        {BAD "config_not_json.h5", LC_INVALID, "attribute model_config: JSON, line 1"},
        {BAD "cyclic.h5", LC_INVALID, "lead in a circle: each of 'sum', 'a', 'b'"},
        {BAD "unknown_inbound.h5", LC_INVALID, "layer 'nowhere', which is not there"},
        {BAD "no_config.keras", LC_INVALID, "no config.json"},
        {BAD "no_weights.keras", LC_INVALID, "without model.weights.h5"},
        {DATA "bad_twice.h5", LC_INVALID, "'/model_weights/fc' lists 'k' twice"},
        {DATA "bad_listed_twice.h5", LC_INVALID, "'layer_names' lists 'fc' twice"},
        {DATA "bad_no_group.h5", LC_INVALID, "layer 'fc' (Dense) has no group 'fc' in '/model_weights'"},
        {DATA "bad_no_weights.h5", LC_INVALID, "no group 'model_weights'"},
        {DATA "bad_no_owner.h5", LC_INVALID, "weight 'k' of the nested model 'fc' belongs to none of its layers"},
        {DATA "bad_nothing.h5", LC_INVALID, "holds no Keras model"},
        {DATA "bad_two_configs.h5", LC_INVALID, "has 2 strings, one is expected"},
        {DATA "bad_rank.h5", LC_UNSUPPORTED, "layer 'fc' (Dense): '/model_weights/fc/k' has 9 dimensions"},
        {DATA "bad_opaque.h5", LC_UNSUPPORTED, "'/model_weights/fc/k' is of type opaque"},
        {DATA "bad_gap.keras", LC_INVALID, "has 2 variables but none with number 1"},
        {DATA "bad_same_group.keras", LC_INVALID, "a group of weights is there twice"},
        {DATA "bad_soft_part.keras", LC_UNSUPPORTED, "'/layers/dense/part' is a soft link"},
        {DATA "bad_npz.keras", LC_INVALID, "weights are an .npz"},
        {DATA "bad_shards.keras", LC_INVALID, "model.weights.json: JSON, line 1"},
        {DATA "bad_cut_config.keras", LC_INVALID, "config.json: JSON, line 1"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        reading r = {0};
        lc_map map;
        assert_int_equal(lc_map_open(&map, bad[i].file, NULL, NULL), LC_OK);
        lc_status status = read_bytes(&r, map.data, map.size);
        if (status != bad[i].status || !strstr(r.err.message, bad[i].text))
            fail_msg("%s: %s %s", bad[i].file, lc_status_name(status), r.err.message);
        assert_null(r.model);
        end(&r);
        lc_map_close(&map);
    }
}

static void test_truncated(void **state) {
    (void)state;
    static const char *const files[] = {DATA "k2_sequential.h5", DATA "k3_sequential.keras", DATA "k3_deflated.keras"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        lc_map map;
        assert_int_equal(lc_map_open(&map, files[f], NULL, NULL), LC_OK);
        for (size_t size = 0; size<map.size; size += map.size> 4000 ? 97 : 1) {
            uint8_t *copy = malloc(size ? size : 1);
            memcpy(copy, map.data, size);
            reading r = {0};
            if (read_bytes(&r, copy, size) == LC_OK) fail_msg("%s cut to %zu bytes is read", files[f], size);
            if (!r.err.message[0]) fail_msg("%s cut to %zu bytes: no message", files[f], size);
            end(&r);
            free(copy);
        }
        lc_map_close(&map);
    }
}

static lc_status work(void *arg, lc_error *err) {
    reading r = {0};
    lc_map map;
    LC_TRY(lc_map_open(&map, arg, NULL, err));
    lc_status status = read_bytes(&r, map.data, map.size);
    *err = r.err;
    end(&r);
    lc_map_close(&map);
    return status;
}

static void test_allocations(void **state) {
    (void)state;
    static const char *const files[] = {DATA "k2_sequential.h5", DATA "k3_nested.keras", DATA "k3_deflated.keras", DATA "split.h5",
                                        DATA "k3_keyed.keras"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) fault_check(work, (void *)(uintptr_t)files[f], &(fault_options){.step = 17});
}

/* The source table: verify says what a file is, find says what it is not. */
static void test_sources(void **state) {
    (void)state;
    lc_source_input in;
    lc_error err;
    char *summary = NULL;
    const lc_source *s;
    assert_int_equal(lc_source_open(DATA "k3_nested.keras", NULL, &in, &s, &err), LC_OK);
    assert_string_equal(s->name, "keras-zip");
    assert_int_equal(s->verify(&in, NULL, &summary, &err), LC_OK);
    assert_non_null(strstr(summary, "valid Keras zip file: Functional model of Keras 3.15.1, 24 layers, 1,427 parameters"));
    lc_free(summary);
    lc_source_close(&in);
    static const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } others[] = {
        {"\211PNG\r\n\032\nxxxx", 12, "PNG picture"},
        {"\377\330\377\340", 4, "JPEG"},
        {"\037\213\010", 3, "gzip"},
        {"\177ELF\002", 5, "ELF"},
        {"{\"a_name\": 1234}", 16, "JSON"},
        {"hello\n", 6, "text"},
        {"\200\004\225", 3, "pickle"},
        {"\010\007\022\007pytorch", 11, "ONNX"},
        {"\0\0\0\0\0\0", 6, "zeros"},
        {"version https://git-lfs.github.com/spec/v1\n", 43, "Git LFS"},
        {"<!DOCTYPE html>", 15, "web page"},
        {"", 0, "empty"},
        {"\223NUMPY\001\000", 8, "NumPy"},
        {"\001\002\003\004\005", 5, "no known format"},
        {"\x20\0\0\0\0\0\0\0{\"a\":", 13, "safetensors"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        lc_map m = {.data = (const uint8_t *)others[i].bytes, .size = others[i].size};
        assert_null(lc_source_find(&m, &err));
        if (!strstr(err.message, others[i].text) || !err.hint[0]) fail_msg("'%s': %s", others[i].text, err.message);
    }
    assert_int_equal(lc_source_open(DATA, NULL, &in, &s, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "a directory without a model"));
    char dir[] = "/tmp/litec-test-XXXXXX", file[64];
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/config.json", dir);
    assert_int_equal(lc_file_save(file, "{}", 2, &err), LC_OK);
    assert_int_equal(lc_source_open(dir, NULL, &in, &s, &err), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "a directory that holds an unpacked .keras model"));
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),       cmocka_unit_test(test_sequential), cmocka_unit_test(test_zip_in_place),
        cmocka_unit_test(test_keyed),       cmocka_unit_test(test_same_names), cmocka_unit_test(test_deep_names),
        cmocka_unit_test(test_parts),       cmocka_unit_test(test_errors),     cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_allocations), cmocka_unit_test(test_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
