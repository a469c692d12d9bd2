/*
 * tflite_tables.c: buffers and operator codes of a .tflite file, each written once.
 *
 * Equal constants share a buffer. To find an equal one without reading every weight, the key is a hash of the size and
 * samples of the bytes (lc_constant_key); only where the keys agree are all bytes compared, and a constant that turns out to be
 * another one is entered under the hash of all its bytes. A model whose weights differ is written without being read twice.
 *
 * A hostile model may hold many buffers whose keys lie together: after PROBES places the search gives up and the buffer is
 * written on its own, so the work stays linear. Sharing is an economy, never a need.
 */
#include "emit/tflite_tables.h"
#include "ops/op.h"
#include <string.h>

enum { PROBES = 32 };

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

static lc_status grow_buffers(lc_emit_tables *t, size_t n, lc_error *err) {
    void *buffers = t->buffers, *contents = t->contents;
    if (!lc_arena_grow(t->arena, &buffers, &t->buffer_capacity, n, sizeof *t->buffers)) return lc_fail_memory(err, "writing the model");
    t->buffers = buffers;
    if (!lc_arena_grow(t->arena, &contents, &t->content_capacity, n, sizeof *t->contents)) return lc_fail_memory(err, "writing the model");
    t->contents = contents;
    return LC_OK;
}

lc_status lc_emit_tables_init(lc_emit_tables *t, lc_arena *arena, size_t constants, size_t nodes, lc_error *err) {
    *t = (lc_emit_tables){.arena = arena};
    LC_TRY(index_init(&t->buffer_index, arena, constants, err));
    /* Few models have more than a handful of codes; more are still written, only found again less well. */
    LC_TRY(index_init(&t->code_index, arena, nodes, err));
    t->made = lc_arena_array(arena, constants, sizeof *t->made);
    if (!t->made) return lc_fail_memory(err, "writing the model");
    LC_TRY(grow_buffers(t, 1, err));
    lc_schema_init(LC_TABLE_Buffer, &t->buffers[0]);
    t->buffer_count = 1;
    return LC_OK;
}

/* ---- buffers -------------------------------------------------------------------------------------------------- */

typedef enum found_buffer { NOTHING, OTHER, EQUAL } found_buffer;

/* What there is under a key: nothing, only other constants, or an equal one. *place: where in the index the constant would go. */
static found_buffer find_buffer(const lc_emit_tables *t, lc_constant bytes, uint64_t key, size_t *place, uint32_t *number) {
    found_buffer found = NOTHING;
    uint32_t probe = 0;
    while (index_next(&t->buffer_index, key, &probe, place)) {
        const uint32_t candidate = t->buffer_index.values[*place] - 1;
        if (lc_constant_equal(t->contents[candidate], bytes)) {
            *number = candidate;
            return EQUAL;
        }
        found = OTHER;
    }
    return found;
}

lc_status lc_emit_buffer(lc_emit_tables *t, lc_constant bytes, uint32_t *number, lc_error *err) {
    *number = 0;
    if (!bytes.data && !bytes.deferred) return LC_OK;
    uint64_t key = lc_constant_key(bytes);
    size_t place;
    found_buffer found = find_buffer(t, bytes, key, &place, number);
    if (found == OTHER) {
        key = lc_constant_hash(bytes);
        found = find_buffer(t, bytes, key, &place, number);
    }
    if (found == EQUAL) return LC_OK;
    if (t->buffer_count >= UINT32_MAX) return lc_fail(err, LC_LIMIT, "the model has more buffers than a .tflite file can number");
    LC_TRY(grow_buffers(t, t->buffer_count + 1, err));
    t->contents[t->buffer_count] = bytes;
    lc_Buffer *b = &t->buffers[t->buffer_count];
    lc_schema_init(LC_TABLE_Buffer, b);
    const void *data = bytes.data;
    if (bytes.deferred) {
        t->made[t->made_count] = *bytes.deferred;
        data = &t->made[t->made_count++];
    }
    b->data = (lc_vec_u8){data, bytes.size > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes.size};
    if (bytes.size > INT32_MAX) { /* no vector can be that long: behind the flatbuffer (schema.h) */
        b->offset = 2;
        b->size = bytes.size;
    }
    *number = (uint32_t)t->buffer_count++;
    index_put(&t->buffer_index, key, place, *number);
    return LC_OK;
}

const lc_deferred *lc_emit_deferred(const lc_emit_tables *t, const void *data) {
    const uintptr_t at = (uintptr_t)data, first = (uintptr_t)t->made;
    return at >= first && at < first + t->made_count * sizeof *t->made ? data : NULL;
}

/* ---- operator codes ------------------------------------------------------------------------------------------- */

lc_status lc_emit_code_add(lc_emit_tables *t, const lc_OperatorCode *code, lc_error *err) {
    void *p = t->codes;
    if (t->code_count >= UINT32_MAX) return lc_fail(err, LC_LIMIT, "the model has more operator codes than a .tflite file can number");
    if (!lc_arena_grow(t->arena, &p, &t->code_capacity, t->code_count + 1, sizeof *t->codes))
        return lc_fail_memory(err, "writing the model");
    t->codes = p;
    t->codes[t->code_count++] = *code;
    return LC_OK;
}

lc_status lc_emit_code(lc_emit_tables *t, int32_t op, int32_t version, lc_str custom_code, uint32_t *number, lc_error *err) {
    const int32_t pair[2] = {op, version};
    uint64_t key =
        lc_hash(custom_code.data ? custom_code.data : "", custom_code.size, lc_hash(pair, sizeof pair, custom_code.data ? 1 : 0));
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
    code.deprecated_builtin_code = (int8_t)(op < LC_OP_PLACEHOLDER_FOR_GREATER_OP_CODES ? op : LC_OP_PLACEHOLDER_FOR_GREATER_OP_CODES);
    code.builtin_code = op;
    code.version = version;
    code.custom_code = custom_code;
    *number = (uint32_t)t->code_count;
    LC_TRY(lc_emit_code_add(t, &code, err));
    index_put(&t->code_index, key, place, *number);
    return LC_OK;
}
