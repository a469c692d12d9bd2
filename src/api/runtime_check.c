/*
 * runtime_check.c: whether a TensorFlow release's runtime has all operators of a model, in the versions that it uses.
 */
#include "api/api.h"
#include "ops/op.h"

#include <inttypes.h>
#include <string.h>

/* 20800 as "2.8", 10105 as "1.1.5". */
static void add_release(lc_text *out, uint32_t release) {
    lc_text_printf(out, "%" PRIu32 ".%" PRIu32, release / 10000, release / 100 % 100);
    if (release % 100) lc_text_printf(out, ".%" PRIu32, release % 100);
}

/* Whether `list`, "a, b, c", has an item: of its own, for MUL ends BATCH_MATMUL. */
static bool has_item(const lc_text *list, const char *item) {
    const size_t n = strlen(item);
    for (const char *p = list->data; p && *p; p += p[0] == ',' ? 2 : 0) {
        const size_t size = strcspn(p, ",");
        if (size == n && memcmp(p, item, n) == 0) return true;
        p += size;
    }
    return false;
}

/* Operators that a release lacks, each once: "GELU version 2 (2.14), ...". *newest: the release that has them all. */
static void list_lacking(const lc_model *model, uint32_t release, uint32_t *newest, lc_text *list) {
    for (size_t g = 0; g < model->graph_count; g++)
        for (size_t i = 0; i < model->graphs[g]->node_count; i++) {
            const lc_node *n = &model->graphs[g]->nodes[i];
            const int32_t version = lc_op_version(model->graphs[g], n);
            const uint32_t needs = lc_op_runtime_version(n->op, version);
            lc_text one = {0};
            if (needs <= release) continue;
            if (needs > *newest) *newest = needs;
            lc_text_printf(&one, "%s version %" PRId32 " (", lc_op_name(n->op), version);
            add_release(&one, needs);
            lc_text_add(&one, ")");
            if (one.data && !has_item(list, one.data)) {
                lc_text_add(list, list->size ? ", " : "");
                lc_text_add(list, one.data);
            }
            lc_text_deinit(&one);
        }
}

lc_status lc_model_check_runtime(const lc_model *model, uint32_t release, lc_error *err) {
    lc_error local;
    lc_text list = {0}, wanted = {0}, needed = {0};
    uint32_t newest = 0;
    if (!err) err = &local;
    lc_error_clear(err);
    if (!model || !release) return lc_fail(err, LC_ARGUMENT, "lc_model_check_runtime needs a model and a release");
    list_lacking(model, release, &newest, &list);
    if (!newest) return LC_OK;
    add_release(&wanted, release);
    add_release(&needed, newest);
    if (list.data && wanted.data && needed.data) {
        lc_fail(err, LC_UNSUPPORTED, "the runtime of TensorFlow %s lacks %s", wanted.data, list.data);
        lc_error_hint(err, "TensorFlow %s has all; or another form of these operators: --layer op:NAME=float, --per-tensor", needed.data);
    } else {
        lc_fail_memory(err, "report");
    }
    lc_text_deinit(&list);
    lc_text_deinit(&wanted);
    lc_text_deinit(&needed);
    return err->status;
}
