/*
 * check_model.c: what belongs to the model as a whole: schema version, number of operators, operator codes, metadata, external
 * buffer groups, and the ranges that lie behind the flatbuffer.
 *
 * Stricter than LiteRT: metadata must have a name (LiteRT dereferences it) and a buffer in range (it skips the entry); ranges
 * behind the flatbuffer may be shared but not overlap in part, so that the constants of a model are never more bytes than its
 * file; file names of external groups must stay below the model's directory (LiteRT opens whatever they say).
 */
#include "runtime/check.h"
#include <string.h>

static lc_status check_codes(const lc_check *c) {
    const lc_Model *m = c->model;
    for (size_t i = 0; i < m->operator_codes.n; i++) {
        const lc_OperatorCode *code = &m->operator_codes.data[i];
        int32_t op = lc_tflite_op(code);
        if (!lc_op_get(op)) {
            return lc_check_fail(c, LC_RULE_OPCODE, code->at, "operator code %zu: %d is no builtin operator (litec knows 0 to %d)", i, op,
                                 LC_OP_COUNT - 1);
        }
        if (code->version < 1) {
            return lc_check_fail(c, LC_RULE_OPCODE_VERSION, code->at, "operator code %zu %s: version %d", i, lc_op_name(op), code->version);
        }
        if (op == LC_OP_CUSTOM && code->custom_code.size == 0) {
            return lc_check_fail(c, LC_RULE_CUSTOM_NAME, code->at, "operator code %zu: custom operator without a name", i);
        }
    }
    return LC_OK;
}

static lc_status check_metadata(const lc_check *c) {
    const lc_Model *m = c->model;
    for (size_t i = 0; i < m->metadata.n; i++) {
        const lc_Metadata *d = &m->metadata.data[i];
        if (!d->name.data) return lc_check_fail(c, LC_RULE_METADATA_NAME, d->at, "metadata %zu has no name", i);
        if (d->buffer >= m->buffers.n) {
            return lc_check_fail(c, LC_RULE_METADATA_BUFFER, d->at, "metadata %zu: buffer %u does not exist (there are %u)", i, d->buffer,
                                 m->buffers.n);
        }
        if (lc_buffer_size(&m->buffers.data[d->buffer]) > UINT32_MAX) {
            return lc_check_fail(c, LC_RULE_METADATA_BUFFER, d->at, "metadata %zu: its buffer %u is larger than 4 GiB", i, d->buffer);
        }
    }
    for (size_t i = 0; i < m->metadata_buffer.n; i++) {
        int32_t b = m->metadata_buffer.data[i];
        if (b < 0 || (uint32_t)b >= m->buffers.n) {
            return lc_check_fail(c, LC_RULE_METADATA_BUFFER, m->at, "metadata_buffer %zu: buffer %d does not exist (there are %u)", i, b,
                                 m->buffers.n);
        }
        if (lc_buffer_size(&m->buffers.data[b]) > UINT32_MAX) {
            return lc_check_fail(c, LC_RULE_METADATA_BUFFER, m->at, "metadata_buffer %zu: buffer %d is larger than 4 GiB", i, b);
        }
    }
    return LC_OK;
}

/* ---- external buffers ---------------------------------------------------------------------------------------- */

/* NULL when the name is a relative path that stays below its directory, else what is wrong with it. */
static const char *path_fault(lc_str s) {
    if (!s.data || s.size == 0) return "is empty";
    if (memchr(s.data, 0, s.size)) return "has a NUL in it";
    if (memchr(s.data, '\\', s.size)) return "has a backslash in it";
    if (s.data[0] == '/') return "is absolute";
    if (s.size >= 2 && s.data[1] == ':') return "names a drive";
    for (const char *p = s.data, *end = s.data + s.size; p <= end;) {
        const char *slash = memchr(p, '/', (size_t)(end - p));
        size_t n = (size_t)((slash ? slash : end) - p);
        if (n == 0) return "has an empty part";
        if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.')) return "has a part '.' or '..'";
        if (!slash) break;
        p = slash + 1;
    }
    return NULL;
}

static bool less_id(const void *context, uint32_t a, uint32_t b) {
    const lc_Model *m = context;
    return m->external_buffers.data[a].id < m->external_buffers.data[b].id;
}

static lc_status check_external(const lc_check *c) {
    const lc_Model *m = c->model;
    for (size_t i = 0; i < m->external_buffer_groups.n; i++) {
        const lc_ExternalBufferGroup *g = &m->external_buffer_groups.data[i];
        const char *fault = path_fault(g->name);
        if (fault) {
            int shown = g->name.size > 80 ? 80 : (int)g->name.size;
            return lc_check_fail(c, LC_RULE_EXTERNAL_NAME, g->at, "external buffer group %zu: file name \"%.*s\" %s", i, shown,
                                 g->name.data ? g->name.data : "", fault);
        }
    }
    size_t n = m->external_buffers.n;
    uint32_t *order = lc_arena_array(c->scratch, n, sizeof *order);
    if (!order) return lc_fail_memory(c->err, "checking external buffers");
    for (size_t i = 0; i < n; i++) {
        const lc_ExternalBuffer *b = &m->external_buffers.data[i];
        uint64_t end;
        order[i] = (uint32_t)i;
        if (b->id == 0) return lc_check_fail(c, LC_RULE_EXTERNAL_ID, b->at, "external buffer %zu: id 0 means none", i);
        if (b->group >= m->external_buffer_groups.n) {
            return lc_check_fail(c, LC_RULE_EXTERNAL_GROUP, b->at, "external buffer %zu (id %u): group %u does not exist (there are %u)", i,
                                 b->id, b->group, m->external_buffer_groups.n);
        }
        if (!lc_add_u64(b->offset, b->length, &end)) {
            return lc_check_fail(c, LC_RULE_EXTERNAL_RANGE, b->at, "external buffer %zu (id %u): offset %llu and length %llu overflow", i,
                                 b->id, (unsigned long long)b->offset, (unsigned long long)b->length);
        }
    }
    lc_sort_indices(order, n, less_id, m);
    for (size_t i = 1; i < n; i++) {
        const lc_ExternalBuffer *a = &m->external_buffers.data[order[i - 1]], *b = &m->external_buffers.data[order[i]];
        if (a->id == b->id) {
            return lc_check_fail(c, LC_RULE_EXTERNAL_ID, b->at, "external buffers %u and %u both have the id %u", order[i - 1], order[i],
                                 b->id);
        }
    }
    return LC_OK;
}

/* ---- ranges behind the flatbuffer ----------------------------------------------------------------------------- */

typedef struct range {
    uint64_t begin, size, at;
} range;

static bool less_range(const void *context, uint32_t a, uint32_t b) {
    const range *r = context;
    return r[a].begin != r[b].begin ? r[a].begin < r[b].begin : r[a].size < r[b].size;
}

static lc_status check_overlap(const lc_check *c) {
    const lc_Model *m = c->model;
    size_t n = 0, capacity = 0;
    void *list = NULL;
    for (size_t i = 0; i < m->buffers.n; i++) {
        const lc_Buffer *b = &m->buffers.data[i];
        if (!b->data.data || b->offset <= 1 || b->size == 0) continue;
        if (!lc_arena_grow(c->scratch, &list, &capacity, n + 1, sizeof(range))) return lc_fail_memory(c->err, "checking buffers");
        ((range *)list)[n++] = (range){b->offset, b->size, b->at};
    }
    for (size_t g = 0; g < m->subgraphs.n; g++) {
        for (size_t i = 0; i < m->subgraphs.data[g].operators.n; i++) {
            const lc_Operator *o = &m->subgraphs.data[g].operators.data[i];
            if (!o->custom_options.data || o->large_custom_options_offset <= 1 || o->large_custom_options_size == 0) continue;
            if (!lc_arena_grow(c->scratch, &list, &capacity, n + 1, sizeof(range))) return lc_fail_memory(c->err, "checking buffers");
            ((range *)list)[n++] = (range){o->large_custom_options_offset, o->large_custom_options_size, o->at};
        }
    }
    if (n < 2) return LC_OK;
    if (n > UINT32_MAX) return lc_fail_memory(c->err, "checking buffers");
    const range *r = list;
    uint32_t *order = lc_arena_array(c->scratch, n, sizeof *order);
    if (!order) return lc_fail_memory(c->err, "checking buffers");
    for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    lc_sort_indices(order, n, less_range, r);
    for (size_t i = 1; i < n; i++) {
        const range *a = &r[order[i - 1]], *b = &r[order[i]];
        if (a->begin == b->begin && a->size == b->size) continue;
        if (b->begin - a->begin < a->size) {
            return lc_check_fail(c, LC_RULE_BUFFER_OVERLAP, b->at, "the %llu bytes at %llu and the %llu bytes at %llu overlap",
                                 (unsigned long long)a->size, (unsigned long long)a->begin, (unsigned long long)b->size,
                                 (unsigned long long)b->begin);
        }
    }
    return LC_OK;
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

/* A table or vector may be named by many others, and each of them is read, checked and written on its own: a megabyte could stand
 * for gigabytes. A struct takes a few times the bytes of its table, so no honest file comes near 64. */
lc_status lc_check_unfolded(const lc_check *c, uint64_t unfolded, uint64_t size) {
    uint64_t most;
    if (!lc_mul_u64(size, 64, &most) || !lc_add_u64(most, UINT64_C(64) << 20, &most) || unfolded <= most) return LC_OK;
    return lc_check_fail(c, LC_RULE_UNFOLD, 0, "its tables and vectors unfold to %llu bytes, the file has %llu",
                         (unsigned long long)unfolded, (unsigned long long)size);
}

lc_status lc_check_model(const lc_check *c) {
    const lc_Model *m = c->model;
    if (m->version != 3) return lc_check_fail(c, LC_RULE_VERSION, m->at, "schema version %u, wanted 3", m->version);
    if (m->subgraphs.n == 0) return lc_check_fail(c, LC_RULE_SUBGRAPH_NONE, m->at, "the model has no subgraph");
    uint64_t nodes = 0;
    for (size_t g = 0; g < m->subgraphs.n; g++) {
        if (!lc_add_u64(nodes, m->subgraphs.data[g].operators.n, &nodes) || nodes > c->limits->max_nodes) {
            return lc_check_fail(c, LC_RULE_NODES, m->subgraphs.data[g].at, "more than %u operators", c->limits->max_nodes);
        }
    }
    LC_TRY(check_codes(c));
    LC_TRY(check_metadata(c));
    LC_TRY(check_external(c));
    return check_overlap(c);
}
