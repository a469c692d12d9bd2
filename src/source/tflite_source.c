/*
 * tflite_source.c: .tflite as a source format. The graph is in the file already, so loading is lc_tflite_load
 * (runtime/load.c) and there is nothing to lower; verifying is the same without building the graph.
 *
 * Parameters are the elements of constants that hold weights, not shapes, axes and indices (plain integers without a scale);
 * constants that share their bytes count once.
 */
#include "runtime/load.h"
#include "source/source.h"

static bool probe(const lc_map *map) { return lc_tflite_probe(map->data, map->size); }

/* Bytes seen before, by address: open addressing over twice as many places as there are constants. */
typedef struct seen {
    const void **places;
    size_t mask;
} seen;

static bool seen_before(seen *s, const void *p) {
    uintptr_t key = (uintptr_t)p;
    size_t k = (size_t)lc_hash(&key, sizeof key, 0);
    for (;; k++) {
        const void **place = &s->places[k & s->mask];
        if (*place == p) return true;
        if (*place) continue;
        *place = p;
        return false;
    }
}

static bool is_weight(const lc_tensor *t) {
    const bool plain_integer = t->type == LC_INT32 || t->type == LC_INT64 || t->type == LC_UINT32 || t->type == LC_UINT64;
    if (!t->data || t->type == LC_STRING || t->type == LC_BOOL || lc_dtype_bits(t->type) == 0) return false;
    return !plain_integer || (t->quant && t->quant->scale.n > 0);
}

static lc_status count(const lc_model *model, lc_source_stats *stats, lc_error *err) {
    size_t constants = 0, places = 64, nodes = 0;
    *stats = (lc_source_stats){0};
    for (size_t g = 0; g < model->graph_count; g++) {
        nodes += model->graphs[g]->node_count;
        for (size_t i = 0; i < model->graphs[g]->tensor_count; i++) constants += model->graphs[g]->tensors[i].data != NULL;
    }
    while (places / 2 < constants) {
        if (!lc_mul_size(places, 2, &places)) return lc_fail_memory(err, "counting parameters");
    }
    seen s = {lc_calloc(places, sizeof *s.places), places - 1};
    if (!s.places) return lc_fail_memory(err, "counting parameters");
    for (size_t g = 0; g < model->graph_count; g++) {
        for (size_t i = 0; i < model->graphs[g]->tensor_count; i++) {
            const lc_tensor *t = &model->graphs[g]->tensors[i];
            uint64_t n;
            if (is_weight(t) && lc_tensor_elements(t, &n) && !seen_before(&s, t->data) &&
                !lc_add_u64(stats->parameters, n, &stats->parameters))
                stats->parameters = UINT64_MAX; /* a sparse constant may count for more than it stores */
        }
    }
    lc_free(s.places);
    stats->layers = nodes > UINT32_MAX ? UINT32_MAX : (uint32_t)nodes;
    return LC_OK;
}

static lc_status load(lc_source_input *input, const lc_source_options *options, lc_source_stats *stats, lc_model **model, lc_error *err) {
    *model = NULL;
    lc_model *m;
    LC_TRY(lc_tflite_load(input->map.data, input->map.size, options ? &options->limits : NULL, &m, err));
    lc_status status = stats ? count(m, stats, err) : LC_OK;
    if (status != LC_OK) {
        lc_model_destroy(m);
        return status;
    }
    m->map = input->map;
    input->map = (lc_map){0};
    *model = m;
    return LC_OK;
}

/* ---- verify --------------------------------------------------------------------------------------------------- */

/* "1 operator", "7,123 operators" */
static void add_count(lc_text *line, uint64_t n, const char *what) {
    char digits[32];
    lc_text_printf(line, "%s %s%s", lc_grouped(n, digits), what, n == 1 ? "" : "s");
}

static lc_status summarise(const lc_Model *m, size_t size, char **summary, lc_error *err) {
    uint64_t operators = 0, tensors = 0;
    for (size_t g = 0; g < m->subgraphs.n; g++) {
        operators += m->subgraphs.data[g].operators.n; /* sums of counts of things in memory */
        tensors += m->subgraphs.data[g].tensors.n;
    }
    lc_text line = {0};
    lc_text_printf(&line, "valid TFLite v%u: ", m->version);
    add_count(&line, m->subgraphs.n, "graph");
    lc_text_add(&line, ", ");
    add_count(&line, operators, "operator");
    lc_text_add(&line, ", ");
    add_count(&line, tensors, "tensor");
    lc_text_add(&line, ", ");
    add_count(&line, size, "byte");
    *summary = lc_text_take(&line);
    lc_text_deinit(&line);
    return *summary ? LC_OK : lc_fail_memory(err, "the summary");
}

static lc_status verify(const lc_source_input *input, const lc_limits *limits, char **summary, lc_error *err) {
    if (summary) *summary = NULL;
    lc_budget budget;
    lc_budget_init(&budget, limits);
    lc_arena arena = {0};
    lc_Model *m;
    lc_status status = lc_tflite_read(input->map.data, input->map.size, &budget, &arena, &m, err);
    if (status == LC_OK && summary) status = summarise(m, input->map.size, summary, err);
    lc_arena_deinit(&arena);
    return status;
}

extern const lc_source lc_source_tflite;
const lc_source lc_source_tflite = {
    .name = "tflite",
    .what = "TensorFlow Lite model (.tflite)",
    .probe = probe,
    .load = load,
    .verify = verify,
};
