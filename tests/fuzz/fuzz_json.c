/*
 * fuzz_json.c: text is parsed as JSON and every value touched; what parses is read as the configuration of a Keras model, and as a file with
 * an architecture.
 */
#include "fuzz/fuzz_keras.inc"

static unsigned visit(const lc_json *v, int depth) {
    unsigned n = 1;
    if (depth > 64) abort();
    if (v->key) n += (unsigned)strlen(v->key);
    if (v->kind == LC_JSON_STRING) n += (unsigned)strlen(v->string);
    if (v->kind == LC_JSON_ARRAY || v->kind == LC_JSON_OBJECT)
        for (uint32_t i = 0; i < v->count; i++) {
            if ((v->items[i].key != NULL) != (v->kind == LC_JSON_OBJECT)) abort();
            n += visit(&v->items[i], depth + 1);
        }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const lc_limits limits = {.max_memory = 16u << 20, .max_nodes = 5000};
    lc_budget budget;
    lc_arena arena = {0};
    lc_error err;
    const lc_json *root;
    lc_keras_model *m;
    lc_budget_init(&budget, &limits);
    lc_error_clear(&err);
    if (lc_json_parse((const char *)data, size, &budget, &arena, &root, &err) == LC_OK) {
        touched += visit(root, 0);
        if (lc_keras_config(root, size & 1 ? "3.9.0" : "2.15.0", &budget, &arena, &m, &err) == LC_OK) check_model(m);
        else if (!err.message[0]) abort();
    } else if (!err.message[0]) {
        abort();
    }
    lc_arena_deinit(&arena);
    (void)lc_keras_json_probe(data, size);
    return read_keras(lc_keras_read_json, data, size);
}
