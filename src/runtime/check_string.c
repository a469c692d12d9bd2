/*
 * check_string.c: the buffer of a constant string tensor: little-endian int32 numbers
 *
 *     count, offset[0] ... offset[count], then the characters; string i is [offset[i], offset[i + 1])
 *
 * so offset[0] is the size of the header and offset[count] that of the buffer. LiteRT's verifier compares each offset with the
 * end of the header only and so lets falling ones pass; here they may not fall. Many tensors may name one buffer; the first of
 * them walks it (lc_check.strings remembers), or a small file could ask for endless work.
 */
#include "runtime/check.h"

lc_status lc_check_string(const lc_check *c, size_t graph, size_t tensor, uint64_t elements) {
    const lc_Tensor *t = &c->model->subgraphs.data[graph].tensors.data[tensor];
    const lc_Buffer *b = lc_tflite_data(c->model, t);
    uint64_t size = lc_buffer_size(b), header;
    if (size > INT32_MAX) {
        return lc_check_fail_tensor(c, LC_RULE_STRING_HEADER, graph, tensor, "its strings take %llu bytes, offsets reach %d",
                                    (unsigned long long)size, INT32_MAX);
    }
    lc_cursor in = lc_cursor_make(b->data.data, (size_t)size);
    uint32_t count = lc_read_u32(&in);
    /* 4 * (count + 2), which 64 bits always hold. */
    if (in.failed || !lc_add_u64(count, 2, &header) || !lc_mul_u64(header, 4, &header) || header > size) {
        return lc_check_fail_tensor(c, LC_RULE_STRING_HEADER, graph, tensor, "buffer %u of %llu bytes cannot hold a header of %u strings",
                                    t->buffer, (unsigned long long)size, count);
    }
    if (count != elements) {
        return lc_check_fail_tensor(c, LC_RULE_STRING_COUNT, graph, tensor, "has %u strings, its shape has %llu elements", count,
                                    (unsigned long long)elements);
    }
    if (c->strings[t->buffer]) return LC_OK;
    c->strings[t->buffer] = 1;
    uint64_t last = lc_read_u32(&in);
    if (last != header) {
        return lc_check_fail_tensor(c, LC_RULE_STRING_OFFSET, graph, tensor, "offset 0 is %llu, the header ends at %llu",
                                    (unsigned long long)last, (unsigned long long)header);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t next = lc_read_u32(&in);
        if (next < last || next > size) {
            return lc_check_fail_tensor(c, LC_RULE_STRING_OFFSET, graph, tensor, "string %u is [%llu, %llu) of %llu bytes", i,
                                        (unsigned long long)last, (unsigned long long)next, (unsigned long long)size);
        }
        last = next;
    }
    if (last != size) {
        return lc_check_fail_tensor(c, LC_RULE_STRING_OFFSET, graph, tensor, "the last offset is %llu, the buffer has %llu bytes",
                                    (unsigned long long)last, (unsigned long long)size);
    }
    return LC_OK;
}
