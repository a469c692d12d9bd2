/*
 * runtime_check.c: whether a TensorFlow release's runtime has all operators of a model, in the versions that it uses; and making it so.
 */
#include "api/quantize.h"
#include "ops/op.h"
#include "pass/pass.h"

#include <inttypes.h>
#include <string.h>

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

/* Whether some release has the operator in that version: not what no stock runtime has, nor what the host brings itself. */
static bool lacks(uint32_t needs, const lc_node *n, uint32_t release) { return needs ? needs > release : n->op != LC_OP_CUSTOM; }

typedef struct lacking {
    lc_text list;    /* operators that a release lacks, each once: "GELU version 2 (2.14), ..." */
    uint32_t newest; /* the release that has them all; 0: no release is known that has */
    size_t count;
} lacking;

static void list_lacking(const lc_model *model, uint32_t release, lacking *l) {
    char text[16];
    for (size_t g = 0; g < model->graph_count; g++)
        for (size_t i = 0; i < model->graphs[g]->node_count; i++) {
            const lc_node *n = &model->graphs[g]->nodes[i];
            if (n->op == LC_NODE_DEAD) continue;
            const int32_t version = lc_op_written_version(model->graphs[g], n);
            const uint32_t needs = lc_op_runtime_version(n->op, version);
            lc_text one = {0};
            if (!lacks(needs, n, release)) continue;
            l->newest = !needs || (l->count && !l->newest) ? 0 : needs > l->newest ? needs : l->newest;
            l->count++;
            lc_text_printf(&one, "%s version %" PRId32 " (%s)", lc_op_name(n->op), version,
                           needs ? lc_op_release_text(needs, text) : "in no release");
            if (one.data && !has_item(&l->list, one.data)) {
                lc_text_add(&l->list, l->list.size ? ", " : "");
                lc_text_add(&l->list, one.data);
            }
            lc_text_deinit(&one);
        }
}

lc_status lc_model_check_runtime(const lc_model *model, uint32_t release, lc_error *err) {
    lc_error local;
    lacking l = {0};
    char wanted[16], needed[16];
    if (!err) err = &local;
    lc_error_clear(err);
    if (!model || !release) return lc_fail(err, LC_ARGUMENT, "lc_model_check_runtime needs a model and a release");
    list_lacking(model, release, &l);
    if (!l.count) return LC_OK;
    if (!l.list.data) {
        lc_fail_memory(err, "report");
    } else {
        lc_fail(err, LC_UNSUPPORTED, "the runtime of TensorFlow %s lacks %s", lc_op_release_text(release, wanted), l.list.data);
        if (l.newest)
            lc_error_hint(
                err, "TensorFlow %s has all; or keep integers from these operators (--layer op:NAME=float), or take others in the model",
                lc_op_release_text(l.newest, needed));
        else lc_error_hint(err, "no runtime is known that has all: take other operators in the model");
    }
    lc_text_deinit(&l.list);
    return err->status;
}

/* What a file says of its versions may be more than it needs. *changed: there was such an operator. */
static void lower_versions(lc_model *model, uint32_t release, bool *changed) {
    for (size_t g = 0; g < model->graph_count; g++)
        for (size_t i = 0; i < model->graphs[g]->node_count; i++) {
            lc_node *n = &model->graphs[g]->nodes[i];
            if (n->op == LC_NODE_DEAD || n->op == LC_OP_CUSTOM || n->version <= 0) continue;
            if (!lacks(lc_op_runtime_version(n->op, n->version), n, release)) continue;
            n->version = 0;
            *changed = true;
        }
}

/* The release that the file's author named is not that of these operators; the writer finds it anew. */
static void forget_release(lc_model *model) {
    size_t to = 0;
    for (size_t i = 0; i < model->metadata_count; i++)
        if (!lc_str_is(model->metadata[i].name, "min_runtime_version")) model->metadata[to++] = model->metadata[i];
    model->metadata_count = to;
}

lc_status lc_model_fit_runtime(lc_model *model, uint32_t release, lc_error *err) {
    lc_error local;
    bool versions = false, forms = false;
    if (!err) err = &local;
    lc_error_clear(err);
    if (!model || !release) return lc_fail(err, LC_ARGUMENT, "lc_model_fit_runtime needs a model and a release");
    lower_versions(model, release, &versions);
    lc_quant_forget(model);
    LC_TRY(lc_pass_older(model, release, &forms, err));
    if (versions || forms) forget_release(model);
    return lc_model_check_runtime(model, release, err);
}
