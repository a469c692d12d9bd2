/*
 * saved_model.c: which of the MetaGraphs of a SavedModel is meant. Each has a set of tags; "serve" is the one for inference. TensorFlow
 * wants all tags to agree; without a wish from the caller a SavedModel with a single MetaGraph is that one, whatever its tags (TensorFlow
 * Hub's modules of version 1 have none).
 */
#include "source/tf_read.h"

void lc_tf_tags_text(const lc_pb_MetaGraphDef *meta, lc_text *out) {
    const lc_pb_MetaGraphDef_MetaInfoDef *info = meta->meta_info_def;
    for (uint32_t i = 0; info && i < info->tags.n; i++) lc_text_printf(out, "%s%.*s", i ? "," : "", LC_NAMED(info->tags.data[i]));
    if (!info || !info->tags.n) lc_text_add(out, "(none)");
}

static bool has_tag(const lc_pb_MetaGraphDef *meta, lc_str tag) {
    const lc_pb_MetaGraphDef_MetaInfoDef *info = meta->meta_info_def;
    for (uint32_t i = 0; info && i < info->tags.n; i++)
        if (lc_str_eq(info->tags.data[i], tag)) return true;
    return false;
}

/* All of the wanted tags; and no others, when `exact`. */
static bool has_tags(const lc_pb_MetaGraphDef *meta, const lc_str *tags, uint32_t count, bool exact) {
    for (uint32_t i = 0; i < count; i++)
        if (!has_tag(meta, tags[i])) return false;
    return !exact || (meta->meta_info_def ? meta->meta_info_def->tags.n : 0) == count;
}

lc_status lc_tf_saved_meta(lc_tf_reading *r, const char *tags, lc_pb_MetaGraphDef **meta) {
    lc_str *wanted;
    uint32_t n;
    const uint32_t metas = r->saved->meta_graphs.n;
    *meta = NULL;
    if (!metas) {
        lc_fail(r->err, LC_INVALID, "a SavedModel without a graph in it");
        lc_error_hint(r->err, "it was probably not written to the end: export or copy it again");
        return LC_INVALID;
    }
    LC_TRY(lc_tf_split_list(tags ? tags : "serve", ',', r->arena, &wanted, &n, r->err));
    for (int exact = 1; exact >= 0; exact--)
        for (uint32_t i = 0; i < metas && !*meta; i++)
            if (has_tags(&r->saved->meta_graphs.data[i], wanted, n, exact == 1)) *meta = &r->saved->meta_graphs.data[i];
    if (*meta) return LC_OK;
    lc_text list = {0};
    for (uint32_t i = 0; i < metas && i < 20; i++) {
        if (i) lc_text_add(&list, "; ");
        lc_tf_tags_text(&r->saved->meta_graphs.data[i], &list);
    }
    if (!tags && metas == 1 && !list.failed) {
        *meta = &r->saved->meta_graphs.data[0];
        lc_tf_note(r, "the SavedModel's graph has no tag \"serve\"; its tags are %s", list.data);
    } else {
        lc_fail(r->err, LC_NOT_FOUND, "the SavedModel has no graph with the tags \"%s\"", tags ? tags : "serve");
        lc_error_hint(r->err, "choose one with --tags; there is: %s", list.data ? list.data : "");
    }
    lc_text_deinit(&list);
    return *meta ? LC_OK : LC_NOT_FOUND;
}
