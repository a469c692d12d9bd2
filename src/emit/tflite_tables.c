/*
 * tflite_tables.c: buffers and operator codes of a .tflite file, each written once.
 *
 * Equal constants share a buffer. To find an equal one without reading every weight, the key is a hash of the size and three
 * samples of the bytes (begin, middle, end); only where the keys agree are all bytes compared. A model whose weights differ is
 * written without being read twice.
 *
 * A hostile model may hold many buffers that agree in key and differ elsewhere: after PROBES places the search gives up and the
 * buffer is written on its own, so the work stays linear. Sharing is an economy, never a need.
 */
#include "emit/tflite_tables.h"
#include "ops/op.h"
#include <string.h>

enum { PROBES = 32, SAMPLE = 64 };

static lc_status index_init(lc_emit_index *x, lc_arena *arena, size_t n, lc_error *err) {
    size_t places = 64, wanted;
    if (!lc_mul_size(n, 2, &wanted)) return lc_fail_memory(err, "writing the model");
    while (places < wanted) {
        if (!lc_mul_size(places, 2, &places)) return lc_fail_memory(err, "writing the model");
    }
    x->keys = lc_arena_array(arena, places, sizeof *x->keys);
    x->values = lc_arena_array(arena, places, sizeof *x->values);
    if (!x->keys || !x->values) return lc_fail_memory(err, "writing the model");
    x->mask = places - 1;
    return LC_OK;
}

/* The next place that holds `key`, starting at *probe; false when a free place (its position in *place) or the end of the
 * search (*place SIZE_MAX) comes first. */
static bool index_next(const lc_emit_index *x, uint64_t key, uint32_t *probe, size_t *place) {
    for (; *probe < PROBES; ++*probe) {
        *place = ((size_t)key + *probe) & x->mask;
        if (x->values[*place] == 0) return false;
        if (x->keys[*place] == key) return ++*probe, true;
    }
    *place = SIZE_MAX;
    return false;
}

static void index_put(lc_emit_index *x, uint64_t key, size_t place, uint32_t number) {
    if (place == SIZE_MAX) return;
    x->keys[place] = key;
    x->values[place] = number + 1;
}

lc_status lc_emit_tables_init(lc_emit_tables *t, lc_arena *arena, size_t constants, size_t nodes, lc_error *err) {
    *t = (lc_emit_tables){.arena = arena};
    LC_TRY(index_init(&t->buffer_index, arena, constants, err));
    /* Few models have more than a handful of codes; more are still written, only found again less well. */
    LC_TRY(index_init(&t->code_index, arena, nodes, err));
    void *p = NULL;
    if (!lc_arena_grow(arena, &p, &t->buffer_capacity, 1, sizeof *t->buffers)) return lc_fail_memory(err, "writing the model");
    t->buffers = p;
    lc_schema_init(LC_TABLE_Buffer, &t->buffers[0]);
    t->buffer_count = 1;
    return LC_OK;
}

/* ---- buffers -------------------------------------------------------------------------------------------------- */

static uint64_t sample_key(const uint8_t *data, size_t size) {
    uint64_t key = lc_hash(&size, sizeof size, 0);
    if (size <= 3 * SAMPLE) return lc_hash(data, size, key);
    key = lc_hash(data, SAMPLE, key);
    key = lc_hash(data + size / 2 - SAMPLE / 2, SAMPLE, key);
    return lc_hash(data + size - SAMPLE, SAMPLE, key);
}

lc_status lc_emit_buffer(lc_emit_tables *t, const void *data, size_t size, uint32_t *number, lc_error *err) {
    *number = 0;
    if (!data) return LC_OK;
    uint64_t key = sample_key(data, size);
    uint32_t probe = 0;
    size_t place;
    while (index_next(&t->buffer_index, key, &probe, &place)) {
        uint32_t found = t->buffer_index.values[place] - 1;
        const lc_Buffer *b = &t->buffers[found];
        if (lc_buffer_size(b) == size && (b->data.data == data || size == 0 || memcmp(b->data.data, data, size) == 0)) {
            *number = found;
            return LC_OK;
        }
    }
    if (t->buffer_count >= UINT32_MAX)
        return lc_fail(err, LC_LIMIT, "the model has more buffers than a .tflite file can number");
    void *p = t->buffers;
    if (!lc_arena_grow(t->arena, &p, &t->buffer_capacity, t->buffer_count + 1, sizeof *t->buffers))
        return lc_fail_memory(err, "writing the model");
    t->buffers = p;
    lc_Buffer *b = &t->buffers[t->buffer_count];
    lc_schema_init(LC_TABLE_Buffer, b);
    b->data = (lc_vec_u8){data, size > UINT32_MAX ? UINT32_MAX : (uint32_t)size};
    if (size > INT32_MAX) { /* no vector can be that long: behind the flatbuffer (schema.h) */
        b->offset = 2;
        b->size = size;
    }
    *number = (uint32_t)t->buffer_count++;
    index_put(&t->buffer_index, key, place, *number);
    return LC_OK;
}

/* ---- operator codes ------------------------------------------------------------------------------------------- */

lc_status lc_emit_code_add(lc_emit_tables *t, const lc_OperatorCode *code, lc_error *err) {
    void *p = t->codes;
    if (t->code_count >= UINT32_MAX)
        return lc_fail(err, LC_LIMIT, "the model has more operator codes than a .tflite file can number");
    if (!lc_arena_grow(t->arena, &p, &t->code_capacity, t->code_count + 1, sizeof *t->codes))
        return lc_fail_memory(err, "writing the model");
    t->codes = p;
    t->codes[t->code_count++] = *code;
    return LC_OK;
}

lc_status lc_emit_code(lc_emit_tables *t, int32_t op, int32_t version, lc_str custom_code, uint32_t *number, lc_error *err) {
    const int32_t pair[2] = {op, version};
    uint64_t key = lc_hash(custom_code.data ? custom_code.data : "", custom_code.size,
                           lc_hash(pair, sizeof pair, custom_code.data ? 1 : 0));
    uint32_t probe = 0;
    size_t place;
    while (index_next(&t->code_index, key, &probe, &place)) {
        *number = t->code_index.values[place] - 1;
        const lc_OperatorCode *c = &t->codes[*number];
        if (c->builtin_code == op && c->version == version && !c->custom_code.data == !custom_code.data &&
            lc_str_eq(c->custom_code, custom_code))
            return LC_OK;
    }
    lc_OperatorCode code;
    lc_schema_init(LC_TABLE_OperatorCode, &code);
    /* Readers of before 2020 know the old field only; 127 tells them that they cannot know the operator. */
    code.deprecated_builtin_code =
        (int8_t)(op < LC_OP_PLACEHOLDER_FOR_GREATER_OP_CODES ? op : LC_OP_PLACEHOLDER_FOR_GREATER_OP_CODES);
    code.builtin_code = op;
    code.version = version;
    code.custom_code = custom_code;
    *number = (uint32_t)t->code_count;
    LC_TRY(lc_emit_code_add(t, &code, err));
    index_put(&t->code_index, key, place, *number);
    return LC_OK;
}
