/*
 * resource.c: see resource.h. The store is a growing array of named slots, searched in order: models have a handful of resources, and
 * a limit keeps a hostile one from making more. A handle is checked at each use, as a tensor may hold any number.
 */
#include "kernels/resource.h"

#include <string.h>

#define MAX_RESOURCES 65536u

typedef struct slot {
    lc_resource resource;
    lc_str name;       /* owned */
    struct slot *next; /* in its bucket */
    int32_t handle;
} slot;

#define BUCKETS 256u

struct lc_resources {
    slot **slots;
    size_t count, capacity;
    slot *buckets[BUCKETS];
    int32_t *done;
    size_t done_count, done_capacity; /* graphs that CALL_ONCE has run */
    uint64_t bytes, max_bytes;
    int32_t owners;
};

lc_status lc_resources_create(uint64_t max_bytes, lc_resources **resources, lc_error *err) {
    *resources = lc_calloc(1, sizeof **resources);
    if (!*resources) return lc_fail_memory(err, "resources");
    (*resources)->max_bytes = max_bytes;
    (*resources)->owners = 1;
    return LC_OK;
}

void lc_resources_retain(lc_resources *r) { __atomic_add_fetch(&r->owners, 1, __ATOMIC_RELAXED); }

void lc_resources_destroy(lc_resources *r) {
    if (!r || __atomic_sub_fetch(&r->owners, 1, __ATOMIC_ACQ_REL) > 0) return;
    for (size_t i = 0; i < r->count; i++) {
        slot *s = r->slots[i];
        if (s->resource.object) (s->resource.destroy ? s->resource.destroy : lc_free)(s->resource.object);
        lc_free(s);
    }
    lc_free(r->slots);
    lc_free(r->done);
    lc_free(r);
}

/* Makes room for one more; false when memory is out. */
static bool grow(void **items, size_t *capacity, size_t count, size_t size) {
    size_t wider, bytes;
    if (count < *capacity) return true;
    if (!lc_mul_size(*capacity ? *capacity : 8, 2, &wider) || !lc_mul_size(wider, size, &bytes)) return false;
    void *p = lc_realloc(*items, bytes);
    if (!p) return false;
    *items = p;
    *capacity = wider;
    return true;
}

lc_status lc_resource_find(lc_resources *r, lc_resource_kind kind, lc_str name, int32_t *handle, lc_error *err) {
    slot **bucket = &r->buckets[lc_hash(name.data ? name.data : "", name.size, (uint64_t)kind) % BUCKETS];
    for (slot *s = *bucket; s; s = s->next) {
        if (s->resource.kind == kind && lc_str_eq(s->name, name)) return *handle = s->handle, LC_OK;
    }
    if (r->count >= MAX_RESOURCES) return lc_fail(err, LC_LIMIT, "the model makes more than %u variables and tables", MAX_RESOURCES);
    void *items = r->slots;
    if (!grow(&items, &r->capacity, r->count, sizeof *r->slots)) return lc_fail_memory(err, "resource");
    r->slots = items;
    size_t bytes;
    if (!lc_add_size(sizeof(slot), name.size, &bytes)) return lc_fail_memory(err, "resource");
    slot *s = lc_calloc(1, bytes);
    if (!s) return lc_fail_memory(err, "resource");
    if (name.size) memcpy(s + 1, name.data, name.size);
    *s = (slot){.resource = {.kind = kind}, .name = {(const char *)(s + 1), name.size}, .next = *bucket, .handle = (int32_t)r->count};
    *bucket = s;
    r->slots[r->count++] = s;
    *handle = s->handle;
    return LC_OK;
}

lc_resource *lc_resource_of(lc_kernel_ctx *ctx, const lc_value *handle, lc_resource_kind kind) {
    int32_t h = -1;
    const lc_resources *r = ctx->resources;
    if (handle && (handle->type == LC_RESOURCE || handle->type == LC_INT32) && handle->size >= sizeof h && handle->data)
        memcpy(&h, handle->data, sizeof h);
    if (r && h >= 0 && (size_t)h < r->count && r->slots[h]->resource.kind == kind) return &r->slots[h]->resource;
    lc_fail(ctx->err, LC_INVALID, "handle %d names no %s of this session", h, kind == LC_RESOURCE_VARIABLE ? "variable" : "table");
    return NULL;
}

lc_status lc_resources_charge(lc_resources *r, int64_t bytes, lc_error *err) {
    if (bytes < 0) {
        const uint64_t less = (uint64_t)-bytes;
        r->bytes = less < r->bytes ? r->bytes - less : 0;
        return LC_OK;
    }
    uint64_t sum;
    if (!lc_add_u64(r->bytes, (uint64_t)bytes, &sum) || sum > r->max_bytes)
        return lc_fail(err, LC_LIMIT, "variables and tables need more than the limit of %llu bytes", (unsigned long long)r->max_bytes);
    r->bytes = sum;
    return LC_OK;
}

lc_status lc_resources_once(lc_resources *r, int32_t index, bool *already, lc_error *err) {
    *already = true;
    for (size_t i = 0; i < r->done_count; i++)
        if (r->done[i] == index) return LC_OK;
    *already = false;
    void *items = r->done;
    if (!grow(&items, &r->done_capacity, r->done_count, sizeof *r->done)) return lc_fail_memory(err, "resource");
    r->done = items;
    r->done[r->done_count++] = index;
    return LC_OK;
}
