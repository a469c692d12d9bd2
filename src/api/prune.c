/*
 * prune.c: lc_model_prune: a fork of the model, its weights pruned, then clustered, then stored sparsely; and what a model takes
 * when it is compressed.
 */
#include "quant/prune.h"

#include "emit/emit.h"
#include "quant/quant.h"
#include "source/zlib_memory.h"

#include <math.h>
#include <string.h>

static lc_status check(const lc_prune_options *o, lc_error *err) {
    if (o->clusters == 1 || o->clusters > 256) {
        lc_fail(err, LC_ARGUMENT, "%u clusters", (unsigned)o->clusters);
        lc_error_hint(err, "2 to 256; 16 is usual");
        return LC_ARGUMENT;
    }
    if (o->sparsity || (o->layers && o->layers[0]) || o->clusters || o->sparse) return LC_OK;
    lc_fail(err, LC_ARGUMENT, "nothing to do: neither sparsity nor clusters");
    lc_error_hint(err, "for example a sparsity of 0.5 or 2:4, or 16 clusters");
    return LC_ARGUMENT;
}

/* What changed, against the model it came from: the same graphs and tensors. */
static lc_status measure(const lc_model *from, const lc_weights_list *list, lc_prune_stats *stats, lc_error *err) {
    double signal = 0, noise = 0;
    for (size_t i = 0; i < list->count; i++) {
        const lc_weights *w = &list->items[i];
        size_t g = 0;
        while (w->graph->model->graphs[g] != w->graph) g++;
        lc_arena temporary = {0};
        const float *was = w->data ? lc_quant_floats(&from->graphs[g]->tensors[w->tensor], &temporary) : NULL;
        if (w->data && !was) {
            lc_arena_deinit(&temporary);
            return lc_fail_memory(err, "weights");
        }
        if (was && memcmp(was, w->data, w->count * sizeof *was) != 0) {
            stats->constants++;
            stats->weights += w->count;
            for (size_t k = 0; k < w->count; k++) {
                const double a = was[k], b = w->data[k];
                stats->zeros += b == 0;
                if (!isfinite(a)) continue;
                signal += a * a;
                noise += (a - b) * (a - b);
            }
        }
        lc_arena_deinit(&temporary);
    }
    stats->error = signal > 0 ? sqrt(noise / signal) : 0;
    return LC_OK;
}

static lc_status change(const lc_model *from, lc_model *to, const lc_prune_options *o, lc_prune_stats *stats, lc_error *err) {
    lc_arena temporary = {0};
    lc_weights_list list;
    lc_status status = LC_OK;
    if (o->sparsity || (o->layers && o->layers[0]) || o->clusters) {
        status = lc_weights_collect(to, o, &temporary, &list, err);
        if (status == LC_OK) status = lc_weights_prune(&list, err);
        if (status == LC_OK && o->clusters) status = lc_weights_cluster(&list, o->clusters, err);
        if (status == LC_OK) status = measure(from, &list, stats, err);
    }
    if (status == LC_OK && o->sparse) status = lc_weights_sparsify(to, o, &stats->sparse, err);
    lc_arena_deinit(&temporary);
    return status;
}

lc_status lc_model_prune(lc_model *model, const lc_prune_options *options, lc_model **pruned, lc_error *err) {
    lc_error local;
    lc_prune_stats stats = {0};
    if (!err) err = &local;
    lc_error_clear(err);
    if (!pruned) return lc_fail(err, LC_ARGUMENT, "lc_model_prune needs a place for the model");
    *pruned = NULL;
    if (!model || !options) return lc_fail(err, LC_ARGUMENT, "lc_model_prune needs a model and options");
    LC_TRY(check(options, err));
    LC_TRY(lc_model_fork(model, pruned, err));
    const lc_status status = change(model, *pruned, options, &stats, err);
    if (status) {
        lc_model_destroy(*pruned);
        *pruned = NULL;
        return status;
    }
    if (options->stats) *options->stats = stats;
    return LC_OK;
}

/* ---- compressed size ---------------------------------------------------------------------------------------------------------- */

enum { PIECE = 1 << 16 };

typedef struct packer {
    z_stream z;
    uint64_t size;
    unsigned char out[PIECE];
} packer;

/* Compresses what came and counts what comes out. */
static lc_status pack(packer *p, int flush, lc_error *err) {
    do {
        p->z.next_out = p->out;
        p->z.avail_out = PIECE;
        const int code = deflate(&p->z, flush);
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return lc_fail_memory(err, "compression");
        p->size += PIECE - p->z.avail_out;
    } while (p->z.avail_out == 0);
    return LC_OK;
}

static lc_status take(void *user, const void *data, size_t size, lc_error *err) {
    packer *p = user;
    for (size_t at = 0; at < size;) {
        const size_t n = size - at < PIECE ? size - at : PIECE;
        p->z.next_in = (z_const Bytef *)data + at;
        p->z.avail_in = (uInt)n;
        LC_TRY(pack(p, Z_NO_FLUSH, err));
        at += n;
    }
    return LC_OK;
}

lc_status lc_model_gzip_size(const lc_model *model, uint64_t *plain, uint64_t *compressed, lc_error *err) {
    lc_error local;
    uint64_t written = 0;
    if (!err) err = &local;
    lc_error_clear(err);
    if (!model || !compressed) return lc_fail(err, LC_ARGUMENT, "lc_model_gzip_size needs a model and a place for the size");
    packer *p = lc_calloc(1, sizeof *p);
    if (!p) return lc_fail_memory(err, "compression");
    p->z = (z_stream){LC_ZLIB_MEMORY};
    lc_status status = LC_OK;
    if (deflateInit2(&p->z, 6, Z_DEFLATED, 15 + 16 /* gzip */, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
        lc_free(p);
        return lc_fail_memory(err, "compression");
    }
    const lc_sink sink = {.write = take, .user = p};
    status = lc_emit_tflite(model, &sink, &written, err);
    if (status == LC_OK) status = pack(p, Z_FINISH, err);
    deflateEnd(&p->z);
    if (plain) *plain = written;
    *compressed = p->size;
    lc_free(p);
    return status;
}
