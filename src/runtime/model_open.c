/*
 * model_open.c: the public ways to a loaded .tflite model, and what it says of its inputs and outputs.
 */
#include "runtime/load.h"

#include "ops/op.h"

#include <string.h>

lc_status lc_model_open(const char *path, const lc_open_options *options, lc_model **model, lc_error *err) {
    *model = NULL;
    const lc_limits *limits = options ? &options->limits : NULL;
    lc_map map;
    LC_TRY(lc_map_open(&map, path, limits, err));
    lc_status status = lc_tflite_load(map.data, map.size, limits, model, err);
    if (status == LC_OK) {
        (*model)->map = map;
    } else {
        lc_map_close(&map);
        lc_error_prefix(err, "%s", path);
    }
    return status;
}

/* Flatbuffer numbers are read in place, which needs the alignment the format promises from the start of the file. */
#define FILE_ALIGN 16u

lc_status lc_model_from_memory(const void *data, size_t size, const lc_open_options *options, lc_model **model, lc_error *err) {
    *model = NULL;
    if (!data) return lc_fail(err, LC_ARGUMENT, "no data: the pointer is NULL");
    const lc_limits *limits = options ? &options->limits : NULL;
    void *copy = NULL;
    if ((uintptr_t)data % FILE_ALIGN != 0) {
        copy = lc_malloc_aligned(size ? size : 1);
        if (!copy) return lc_fail_memory(err, "model");
        memcpy(copy, data, size);
        data = copy;
    }
    lc_status status = lc_tflite_load(data, size, limits, model, err);
    if (status == LC_OK) (*model)->buffer = copy;
    else lc_free_aligned(copy);
    return status;
}

size_t lc_model_input_count(const lc_model *m) { return m->graph_count ? m->graphs[0]->input_count : 0; }
size_t lc_model_output_count(const lc_model *m) { return m->graph_count ? m->graphs[0]->output_count : 0; }

static lc_tensor_view describe(const lc_model *m, int32_t index, bool output) {
    const lc_tensor *t = &m->graphs[0]->tensors[index];
    lc_tensor_view view = {.name = t->name.data ? t->name.data : "", .type = t->type, .rank = t->rank};
    view.any_rank = lc_tensor_any_rank(t, lc_model_states_ranks(m));
    for (int32_t d = 0; d < t->rank && d < LC_MAX_RANK; d++) {
        view.dims[d] = t->dims[d];
        view.signature[d] = lc_tensor_dim(t, d);
    }
    uint64_t n, bytes;
    if (lc_tensor_elements(t, &n) && lc_dtype_bytes(t->type, n, &bytes) && bytes <= SIZE_MAX) view.size = (size_t)bytes;
    lc_tensor_scale(t, &view.scale, &view.zero_point);
    for (size_t s = 0; s < m->signature_count; s++) {
        const lc_signature *sig = &m->signatures[s];
        if (sig->graph != 0) continue;
        const lc_signature_entry *entries = output ? sig->outputs : sig->inputs;
        for (uint32_t i = 0; i < (output ? sig->output_count : sig->input_count); i++) {
            if (entries[i].tensor != index || !entries[i].name.data) continue;
            view.name = entries[i].name.data;
            return view;
        }
    }
    return view;
}

lc_tensor_view lc_model_input(const lc_model *m, size_t index) {
    if (index >= lc_model_input_count(m)) return (lc_tensor_view){0};
    return describe(m, m->graphs[0]->inputs[index], false);
}

lc_tensor_view lc_model_output(const lc_model *m, size_t index) {
    if (index >= lc_model_output_count(m)) return (lc_tensor_view){0};
    return describe(m, m->graphs[0]->outputs[index], true);
}

const char *lc_model_signature(const lc_model *m, size_t index) {
    if (index >= m->signature_count) return NULL;
    return m->signatures[index].key.data ? m->signatures[index].key.data : "";
}
