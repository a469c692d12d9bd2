/*
 * fuzz_proto.c: the first byte picks a message and a form (even: wire, odd: text), the rest is read as that. What is read is written, read
 * again, printed and read from that text: each time the wire form must come out the same, and as long as it said it would be.
 */
#include "fuzz/fuzz.h"

#include "proto/proto.h"

#include <stdlib.h>
#include <string.h>

/* In this order for good: seeds count on it. */
static const lc_pb_id roots[] = {LC_PB_GraphDef,         LC_PB_SavedModel,        LC_PB_MetaGraphDef,         LC_PB_NodeDef,
                                 LC_PB_AttrValue,        LC_PB_TensorProto,       LC_PB_FunctionDef,          LC_PB_OpList,
                                 LC_PB_SavedObjectGraph, LC_PB_StructuredValue,   LC_PB_TrackableObjectGraph, LC_PB_BundleHeaderProto,
                                 LC_PB_BundleEntryProto, LC_PB_SavedTensorSlices, LC_PB_CheckpointState,      LC_PB_VariableDef,
                                 LC_PB_WhileContextDef,  LC_PB_GraphDebugInfo,    LC_PB_SignatureDef,         LC_PB_CollectionDef};

static void fresh(lc_budget *budget) { lc_budget_init(budget, &(lc_limits){.max_memory = 64u << 20}); }

static void must_equal(const lc_text *a, const lc_text *b) {
    if (a->failed || b->failed || a->size != b->size || (a->size && memcmp(a->data, b->data, a->size) != 0)) abort();
}

static void check(lc_pb_id id, const void *message) {
    lc_text first = {0}, second = {0}, third = {0}, text = {0};
    lc_arena arena = {0};
    lc_budget budget;
    lc_error err;
    void *again;
    uint64_t size;
    lc_error_clear(&err);
    lc_pb_write(id, message, &first);
    if (lc_pb_size(id, message, &size, &err) != LC_OK || size != first.size) abort();
    fresh(&budget);
    if (lc_pb_read(id, first.data, first.size, &budget, &arena, &again, &err) != LC_OK) {
        if (err.status != LC_LIMIT) abort();
    } else {
        lc_pb_write(id, again, &second);
        must_equal(&first, &second);
    }
    lc_pb_print(id, message, &text);
    fresh(&budget);
    if (lc_pb_read_text(id, (lc_str){text.data, text.size}, &budget, &arena, &again, &err) != LC_OK) {
        if (err.status != LC_LIMIT) abort();
    } else if (!text.data || !strstr(text.data, ": nan\n")) { /* text has one NaN only */
        lc_pb_write(id, again, &third);
        must_equal(&first, &third);
    }
    lc_text_deinit(&first);
    lc_text_deinit(&second);
    lc_text_deinit(&third);
    lc_text_deinit(&text);
    lc_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    lc_arena arena = {0};
    lc_budget budget;
    lc_error err;
    void *message;
    if (size < 1) return 0;
    const lc_pb_id id = roots[(data[0] >> 1) % (sizeof roots / sizeof *roots)];
    lc_error_clear(&err);
    fresh(&budget);
    const lc_status status = data[0] & 1 ? lc_pb_read_text(id, (lc_str){(const char *)data + 1, size - 1}, &budget, &arena, &message, &err)
                                         : lc_pb_read(id, data + 1, size - 1, &budget, &arena, &message, &err);
    if (status == LC_OK) check(id, message);
    else if (message || err.status != status || !err.message[0] || (status != LC_INVALID && status != LC_LIMIT)) abort();
    else if (status == LC_INVALID && (!err.rule[0] || err.offset > size)) abort();
    lc_arena_deinit(&arena);
    return 0;
}
