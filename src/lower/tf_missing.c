/*
 * tf_missing.c: operators that have no builtin form. The lowering goes on past them, so that the error at its end lists all of them, each
 * once: which node it came from, its types, why, and what can be done, the best first: another way to write that part of the model, Flex
 * operators where the Flex delegate has them, custom operators, cutting the part off. With options that allow it they are kept instead
 * (tf_flex.c).
 */
#include "lower/problems.h"
#include "lower/tf_facts.h"
#include "lower/tf_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- the list ----------------------------------------------------------------------------------------------------- */

/* "float32, int32" of the inputs. */
static const char *types_of(lc_tf_call *c) {
    lc_text text = {0};
    for (uint32_t i = 0; i < c->in_count && i < 6; i++) {
        const lc_tf_value v = c->in[i];
        const lc_graph *g = c->b->graph;
        const bool tensor = v.kind == LC_TF_TENSOR && v.tensor >= 0 && (size_t)v.tensor < g->tensor_count;
        const char *name = tensor                     ? lc_dtype_name(g->tensors[v.tensor].type)
                           : v.kind == LC_TF_VARIABLE ? "variable"
                           : v.kind == LC_TF_TABLE    ? "table"
                           : v.kind == LC_TF_LIST     ? "list"
                                                      : "nothing";
        lc_text_printf(&text, "%s%s", i ? ", " : "", name);
    }
    if (c->in_count > 6) lc_text_add(&text, ", ...");
    const char *copy = text.failed ? NULL : lc_arena_printf(&c->lower->scratch, "%s", text.data ? text.data : "");
    lc_text_deinit(&text);
    return copy;
}

static void list(lc_tf_call *c, const char *why) {
    lc_tf_lower *l = c->lower;
    for (size_t i = 0; i < l->missing_count; i++)
        if (lc_str_eq(l->missing[i].op, c->node->op)) {
            l->missing[i].count++;
            return;
        }
    void *items = l->missing;
    const char *node = lc_arena_strndup(&l->scratch, c->node->name.data, c->node->name.size), *types = types_of(c);
    if (!node || !types || !why || !lc_arena_grow(&l->scratch, &items, &l->missing_capacity, l->missing_count + 1, sizeof *l->missing)) {
        lc_build_check(c->b, lc_fail_memory(l->err, "operators"));
        return;
    }
    l->missing = items;
    l->missing[l->missing_count++] = (lc_tf_missing_op){.op = c->node->op, .node = node, .types = types, .why = why, .count = 1};
}

void lc_tf_missing(lc_tf_call *c, const char *why, ...) {
    char text[300];
    va_list args;
    va_start(args, why);
    vsnprintf(text, sizeof text, why, args);
    va_end(args);
    for (uint32_t k = 0; k < c->out_count; k++) c->out[k] = (lc_tf_value){LC_TF_MISSING, -1, 0};
    if (!lc_tf_ok(c)) return;
    const char *kept = lc_arena_printf(&c->lower->scratch, "%s", text);
    if (!kept) lc_build_check(c->b, lc_fail_memory(c->lower->err, "operators"));
    else if (!c->why) list(c, kept);
    else if (!*c->why) *c->why = kept;
}

void lc_tf_op_unknown(lc_tf_call *c) {
    const bool known = lc_tf_fact_of(c->lower, c->node->op) != NULL;
    lc_tf_missing(c, known ? "nothing in TFLite does the same" : "it is no operator of TensorFlow 2.21");
}

void lc_tf_without_builtin(lc_tf_call *c, const char *why, size_t nodes, size_t graphs) {
    if (lc_tf_keep(c, &why, nodes, graphs) || !lc_tf_ok(c)) return;
    for (uint32_t k = 0; k < c->out_count; k++) c->out[k] = (lc_tf_value){LC_TF_MISSING, -1, 0};
    list(c, why);
}

/* ---- ways out ------------------------------------------------------------------------------------------------------- */

/* What can be done about an operator in the model itself. A star at an end stands for anything; the first that fits counts. */
static const struct way {
    const char *op, *text;
} ways[] = {
    {"XlaCallModule", "export from JAX with jax2tf.convert(f, native_serialization=False), so that the graph holds TensorFlow's operators"},
    {"PyFunc*", "write the Python function with tf operators: tf.py_function does not leave the Python program"},
    {"EagerPyFunc", "write the Python function with tf operators: tf.py_function does not leave the Python program"},
    {"Decode*", "decode files and bytes before the model, and give it the numbers: cut behind it with --input-arrays"},
    {"Encode*", "encode behind the model: end it before, with --output-arrays"},
    {"Parse*", "parse records before the model: cut behind it with --input-arrays, or export a signature that takes tensors"},
    {"ReadFile", "read files before the model: cut behind it with --input-arrays"},
    {"WriteFile", "write files behind the model"},
    {"Iterator*", "the input pipeline stays outside: name what it gives with --input-arrays"},
    {"*Dataset*", "the input pipeline stays outside: name what it gives with --input-arrays"},
    {"Queue*", "the input pipeline stays outside: name what it gives with --input-arrays"},
    {"Reader*", "the input pipeline stays outside: name what it gives with --input-arrays"},
    {"Apply*", "this is the training graph: export the inference one (the serving signature)"},
    {"ResourceApply*", "this is the training graph: export the inference one (the serving signature)"},
    {"ResourceSparseApply*", "this is the training graph: export the inference one (the serving signature)"},
    {"*Grad", "this is a gradient: export the inference graph, not the training one"},
    {"*Backprop*", "this is a gradient: export the inference graph, not the training one"},
    {"CudnnRNN*", "build the layer without cuDNN (LSTM(..., use_cudnn=False), or export on a machine without a GPU) with the same weights"},
    {"CTC*", "decode the model's output outside, where the text is wanted"},
    {"*Tokenize*", "split text into tokens before the model, and give it their numbers"},
    {"Unicode*", "split text into tokens before the model, and give it their numbers"},
    {"StringNGrams", "make the n-grams before the model, and give it their numbers"},
    {"String*", "work on text before the model, and give it the numbers: cut behind it with --input-arrays"},
    {"*Regex*", "work on text before the model, and give it the numbers: cut behind it with --input-arrays"},
    {"*SentencepieceOp", "split text into tokens before the model, and give it their numbers"},
    {"*Summary*", "summaries belong to training: leave them out of what is exported"},
    {"SaveV2", "this saves a checkpoint: name what the model gives with --output-arrays"},
    {"RestoreV2", "this reads a checkpoint: name what the model gives with --output-arrays"},
    {"MutableHashTable*", "use tf.lookup.StaticHashTable, filled when it is made"},
    {"LookupTableInsert*", "use tf.lookup.StaticHashTable, filled when it is made"},
    {"LookupTableRemove*", "use tf.lookup.StaticHashTable, filled when it is made"},
    {"TPU*", "export the model for the CPU, without TPU rewriting"},
    {"Collective*", "export the model outside of the distribution strategy"},
    {"Eig", "for symmetric matrices use tf.linalg.eigh, which litec has"},
    {"FractionalMaxPool", "use max_pool with whole strides"},
    {"FractionalAvgPool", "use avg_pool with whole strides"},
    {"ExtractGlimpse*", "use tf.image.crop_and_resize, which litec has"},
    {"DrawBoundingBoxes*", "draw boxes outside of the model"},
};

static bool fits(const char *pattern, lc_str op) {
    const size_t n = strlen(pattern);
    const bool open = pattern[0] == '*', rest = pattern[n - 1] == '*';
    const lc_str word = {pattern + open, n - open - rest};
    if (word.size > op.size || (!open && !rest && word.size != op.size)) return false;
    for (size_t at = open && !rest ? op.size - word.size : 0; at + word.size <= op.size; at++) {
        if (!memcmp(op.data + at, word.data, word.size)) return true;
        if (!open || !rest) return false; /* only there */
    }
    return false;
}

static const char *way_out(lc_str op) {
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (fits(ways[i].op, op)) return ways[i].text;
    return NULL;
}

/* ---- the message -------------------------------------------------------------------------------------------------------- */

enum { NAME = 90 }; /* bytes of a name that are shown; of a longer one its beginning and its end, which is the layer's and the node's */

static void put_name(lc_text *text, const char *name, size_t n) {
    if (n <= NAME) lc_text_add_n(text, name, n);
    else {
        lc_text_add_n(text, name, NAME / 3);
        lc_text_add(text, "...");
        lc_text_add_n(text, name + n - (NAME - NAME / 3 - 3), NAME - NAME / 3 - 3);
    }
}

static void put_entry(lc_text *text, const lc_tf_missing_op *m) {
    put_name(text, m->op.data ? m->op.data : "", m->op.size);
    lc_text_add(text, " (");
    if (m->count > 1) lc_text_printf(text, "%u nodes, first ", m->count);
    lc_text_add(text, "\"");
    put_name(text, m->node, strlen(m->node));
    lc_text_printf(text, "\"%s%s): %s", m->types[0] ? " on " : "", m->types, m->why);
}

/* As many as the message has room for. */
static void put_all(lc_text *text, const lc_tf_lower *l, size_t room) {
    size_t i = 0;
    for (; i < l->missing_count; i++) {
        const size_t before = text->size;
        lc_text_add(text, i ? "; " : "");
        put_entry(text, &l->missing[i]);
        if (text->failed || (text->size > room && i > 0)) {
            if (!text->failed) text->size = before;
            break;
        }
    }
    if (text->data) text->data[text->size] = 0;
    if (i == l->missing_count || text->failed) return;
    lc_text_printf(text, "; and %zu more: ", l->missing_count - i);
    for (size_t k = i; k < l->missing_count && text->size < room + 120; k++) {
        lc_text_add(text, k > i ? ", " : "");
        put_name(text, l->missing[k].op.data, l->missing[k].op.size);
        if (text->size >= room + 120 && k + 1 < l->missing_count) lc_text_add(text, " ...");
    }
}

/* "A, B" of those that the Flex delegate has, or has not; returns how many. */
static size_t put_flex(lc_text *text, const lc_tf_lower *l, bool flex) {
    size_t n = 0;
    for (size_t i = 0; i < l->missing_count; i++) {
        const lc_tf_fact *fact = lc_tf_fact_of(l, l->missing[i].op);
        if ((fact && fact->flex) != flex) continue;
        if (n < 4) {
            lc_text_add(text, n ? ", " : "");
            put_name(text, l->missing[i].op.data, l->missing[i].op.size);
        } else if (n == 4) lc_text_add(text, " ...");
        n++;
    }
    return n;
}

static void put_hint(lc_text *text, const lc_tf_lower *l) {
    const lc_lower_options *o = l->options;
    size_t told = 0;
    for (size_t i = 0; i < l->missing_count && told < 2; i++) {
        const char *way = way_out(l->missing[i].op);
        if (!way || (text->data && strstr(text->data, way))) continue;
        put_name(text, l->missing[i].op.data, l->missing[i].op.size);
        lc_text_printf(text, ": %s; ", way);
        told++;
    }
    if (!told) lc_text_add(text, "write that part of the model with other operators; ");
    lc_text flex = {0};
    const size_t n = put_flex(&flex, l, true);
    if (n && !o->select_tf_ops) {
        lc_text_add(text, "or --select-tf-ops: ");
        if (n == l->missing_count) lc_text_add(text, "the Flex delegate runs it");
        else lc_text_printf(text, "the Flex delegate runs %s", flex.data ? flex.data : "some");
        lc_text_add(text, "; ");
    }
    lc_text_deinit(&flex);
    if (!o->allow_custom_ops) lc_text_add(text, "or --allow-custom-ops, and a kernel of your own; ");
    lc_text_add(text, "or cut it off with --output-arrays");
}

/* One problem for each operator. */
static lc_status note_all(const lc_tf_lower *l, const char *hint) {
    for (size_t i = 0; i < l->missing_count; i++) {
        const lc_tf_missing_op *m = &l->missing[i];
        lc_text kind = {0}, text = {0};
        put_name(&kind, m->op.data ? m->op.data : "", m->op.size);
        lc_text_add(&text, "node \"");
        put_name(&text, m->node, strlen(m->node));
        lc_text_printf(&text, "\" (%s%s%s)", kind.data ? kind.data : "?", m->types[0] ? " on " : "", m->types);
        if (m->count > 1) lc_text_printf(&text, " and %u more of its kind", m->count - 1);
        lc_text_printf(&text, ": no TFLite form: %s", m->why);
        const lc_status status = kind.failed || text.failed
                                     ? lc_fail_memory(l->err, "the list of problems")
                                     : lc_problems_add(l->options->problems, m->node, kind.data, text.data, hint, l->err);
        lc_text_deinit(&kind);
        lc_text_deinit(&text);
        LC_TRY(status);
    }
    return LC_OK;
}

lc_status lc_tf_missing_report(lc_tf_lower *l) {
    if (!l->missing_count) return LC_OK;
    lc_text text = {0}, hint = {0};
    put_all(&text, l, sizeof l->err->message - 240);
    put_hint(&hint, l);
    lc_fail(l->err, LC_UNSUPPORTED, "%zu operator%s no TFLite form: %s", l->missing_count, l->missing_count == 1 ? " has" : "s have",
            text.data ? text.data : "?");
    lc_error_hint(l->err, "%s", hint.data ? hint.data : "");
    const lc_status noted = l->options->problems ? note_all(l, hint.data) : LC_OK;
    lc_text_deinit(&text);
    lc_text_deinit(&hint);
    return noted ? noted : LC_UNSUPPORTED;
}
