/*
 * fuzz_h5.c: an HDF5 file is walked whole: every link, every attribute anybody asks for, every dataset. Then it is read as a
 * Keras model, and as the weights of one that is told: by names of layers, and as a store in two shards.
 */
#include "fuzz/fuzz_keras.inc"

static void walk(lc_h5 *h5, lc_h5_object *group, int depth) {
    static const char *const names[] = {"layer_names", "weight_names", "model_config", "keras_version", "one", "vlen", "fixed"};
    const lc_h5_link *links;
    size_t count;
    lc_error err;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        lc_h5_value v;
        bool found;
        lc_str *s;
        size_t n;
        if (lc_h5_attribute(h5, group, names[k], &v, &found, &err) != LC_OK || !found) continue;
        if (lc_h5_strings(h5, &v, names[k], &s, &n, &err) != LC_OK) continue;
        for (size_t i = 0; i < n; i++)
            if (s[i].size) touched += (unsigned)(s[i].data[0] + s[i].data[s[i].size - 1]);
    }
    if (lc_h5_mark(group) || depth > 20) return;
    if (lc_h5_is_dataset(group)) {
        lc_h5_value v;
        if (lc_h5_read(h5, group, &v, &err) != LC_OK) {
            if (!err.message[0]) abort();
            return;
        }
        for (size_t i = 0; i < v.size; i += 64) touched += v.data[i];
        if (v.size) touched += v.data[v.size - 1];
        return;
    }
    if (!lc_h5_is_group(group) || lc_h5_links(h5, group, &links, &count, &err) != LC_OK) return;
    for (size_t i = 0; i < count; i++) {
        lc_h5_object *o;
        if (lc_h5_follow(h5, group, &links[i], &o, &err) == LC_OK) walk(h5, o, depth + 1);
    }
}

static void read_weights(const uint8_t *data, size_t size, bool by_name) {
    static const char text[] = "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"seq\", \"layers\": ["
                               "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"x\", \"batch_input_shape\": [null, 4]}},"
                               "{\"class_name\": \"Dense\", \"config\": {\"name\": \"first_1\"}},"
                               "{\"class_name\": \"Dropout\", \"config\": {\"name\": \"drop\"}},"
                               "{\"class_name\": \"Dense\", \"config\": {\"name\": \"last_3\"}}]}}";
    const lc_limits limits = {.max_memory = 16u << 20, .max_tables = 20000, .max_nodes = 5000};
    lc_map map = {.data = data, .size = size};
    lc_budget budget;
    lc_arena arena = {0};
    lc_error err;
    lc_keras_model *m;
    const lc_json *root;
    lc_h5 *files[2];
    lc_budget_init(&budget, &limits);
    lc_error_clear(&err);
    lc_keras_reading r = {&map, &budget, &arena, &arena, NULL, NULL, NULL};
    lc_keras_store store = {files, 2, NULL};
    if (lc_json_parse(text, sizeof text - 1, &budget, &arena, &root, &err) != LC_OK ||
        lc_keras_config(root, NULL, &budget, &arena, &m, &err) != LC_OK)
        abort();
    lc_status status = lc_h5_open(data, size, 0, &budget, &arena, &arena, &files[0], &err);
    if (status == LC_OK) status = lc_h5_open(data, size, 0, &budget, &arena, &arena, &files[1], &err);
    if (status == LC_OK) status = by_name ? lc_keras_h5_weights(&r, files[0], m, &err) : lc_keras_read_store(&r, &store, m, &err);
    if (status == LC_OK) check_model(m);
    else if (!err.message[0]) abort();
    lc_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const lc_limits limits = {.max_memory = 16u << 20, .max_tables = 20000};
    lc_budget budget;
    lc_arena arena = {0};
    lc_error err;
    lc_h5 *h5;
    lc_budget_init(&budget, &limits);
    lc_error_clear(&err);
    (void)lc_h5_probe(data, size);
    if (lc_h5_open(data, size, 0, &budget, &arena, &arena, &h5, &err) == LC_OK) walk(h5, lc_h5_root(h5), 0);
    else if (!err.message[0]) abort();
    lc_arena_deinit(&arena);
    read_weights(data, size, true);
    read_weights(data, size, false);
    return read_keras(lc_keras_read_h5, data, size);
}
