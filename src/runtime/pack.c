/*
 * pack.c: weights rearranged for kernels, made once a model. The store hangs on the model (lc_model.runtime); the first session
 * that prepares a node fills its block under the lock, later ones find it. Blocks are read-only from then on and live as long
 * as the model. Key: node, slot, instruction set. The layout never depends on the batch or on threads.
 */
#include "ir/constant.h"
#include "ir/sparse.h"
#include "runtime/exec.h"

#include <pthread.h>
#include <string.h>

typedef struct entry {
    const lc_node *node;
    const struct lc_simd *simd;
    uint32_t slot;
    lc_packed packed;
    struct entry *next;
} entry;

#define BUCKETS 256u

typedef struct store {
    pthread_mutex_t lock;
    entry *buckets[BUCKETS];
    uint64_t bytes;
} store;

static pthread_mutex_t create_lock = PTHREAD_MUTEX_INITIALIZER;

static void store_destroy(void *runtime) {
    store *s = runtime;
    if (!s) return;
    for (uint32_t b = 0; b < BUCKETS; b++) {
        for (entry *e = s->buckets[b], *next; e; e = next) {
            next = e->next;
            lc_free_aligned(e->packed.data);
            lc_free(e);
        }
    }
    pthread_mutex_destroy(&s->lock);
    lc_free(s);
}

static store *store_get(lc_model *model) {
    pthread_mutex_lock(&create_lock);
    store *s = model->runtime;
    if (!s && (s = lc_calloc(1, sizeof *s)) != NULL) {
        pthread_mutex_init(&s->lock, NULL);
        model->runtime = s;
        model->runtime_deinit = store_destroy;
    }
    pthread_mutex_unlock(&create_lock);
    return s;
}

static lc_status make_constant(lc_model *model, lc_tensor *t, uint64_t max_memory, uint64_t *dense, lc_error *err) {
    LC_TRY(lc_tensor_make(model, t, err));
    if (!lc_add_u64(*dense, lc_tensor_dense_bytes(t), dense) || *dense > max_memory)
        return lc_fail(
            err, LC_LIMIT,
            "tensor \"%.80s\": the model's sparse constants need more than the memory limit of %llu bytes when they are made dense",
            t->name.data ? t->name.data : "", (unsigned long long)max_memory);
    return lc_tensor_densify(model, t, err);
}

lc_status lc_model_make_constants(lc_model *model, uint64_t max_memory, lc_error *err) {
    lc_status status = LC_OK;
    uint64_t dense = 0;
    pthread_mutex_lock(&create_lock);
    for (size_t g = 0; g < model->graph_count && status == LC_OK; g++)
        for (size_t t = 0; t < model->graphs[g]->tensor_count && status == LC_OK; t++)
            status = make_constant(model, &model->graphs[g]->tensors[t], max_memory, &dense, err);
    pthread_mutex_unlock(&create_lock);
    return status;
}

/* `packed` bytes are there, for all sessions; `more` are wanted. */
static bool affordable(const lc_exec *exec, uint64_t packed, uint64_t more) {
    uint64_t sum;
    return !exec ||
           (lc_add_u64(packed, more, &sum) && lc_add_u64(sum, exec->options.budget->bytes, &sum) && sum <= exec->options.max_memory);
}

lc_status lc_pack_get(lc_kernel_ctx *ctx, uint32_t slot, size_t size, void (*fill)(const lc_kernel_ctx *ctx, void *data),
                      const lc_packed **packed) {
    store *s = store_get(ctx->owner);
    if (!s) return lc_fail_memory(ctx->err, "packed weights");
    const struct { const void *node, *simd; } key = {ctx->node, ctx->simd};
    entry **bucket = &s->buckets[lc_hash(&key, sizeof key, slot) % BUCKETS];
    lc_status status = LC_OK;
    pthread_mutex_lock(&s->lock);
    entry *e = *bucket;
    while (e && !(e->node == ctx->node && e->simd == ctx->simd && e->slot == slot && e->packed.size == size)) e = e->next;
    if (!e && !affordable(ctx->exec, s->bytes, size)) {
        status = lc_fail(ctx->err, LC_LIMIT, "packed weights of %zu bytes would pass the memory limit of %llu", size,
                         (unsigned long long)ctx->exec->options.max_memory);
        lc_error_hint(ctx->err, "raise the memory limit");
    } else if (!e) {
        e = lc_calloc(1, sizeof *e);
        void *data = e ? lc_malloc_aligned(size ? size : 1) : NULL;
        if (!data) {
            lc_free(e);
            e = NULL;
            status = lc_fail_memory(ctx->err, "packed weights");
        } else {
            *e = (entry){.node = ctx->node, .simd = ctx->simd, .slot = slot, .packed = {data, size}, .next = *bucket};
            fill(ctx, data);
            *bucket = e;
            s->bytes += size;
        }
    }
    pthread_mutex_unlock(&s->lock);
    *packed = e ? &e->packed : NULL;
    return status;
}

uint64_t lc_pack_bytes(const lc_model *model) {
    store *s = model->runtime;
    if (!s) return 0;
    pthread_mutex_lock(&s->lock);
    uint64_t bytes = s->bytes;
    pthread_mutex_unlock(&s->lock);
    return bytes;
}
