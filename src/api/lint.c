/*
 * lint.c: what a conversion will come to, before it is wanted: everything that does not convert (lower/problems.h), or what the result costs
 * and which operators int8 quantisation would leave as float. The model is really converted, in memory; nothing is written.
 */
#include "api/inspect.h"
#include "api/quantize.h"
#include "lower/problems.h"
#include "ops/op.h"

#include <inttypes.h>
#include <string.h>

/* An operator and how often it is there. */
typedef struct tally {
    lc_str name;
    uint32_t count;
} tally;

typedef struct tallies {
    tally *items;
    size_t count, capacity;
} tallies;

typedef struct lint {
    const char *path;
    lc_arena arena;
    lc_problems problems;
    lc_model *model; /* NULL: it does not convert */
    lc_convert_stats stats;
    lc_report report;
    uint64_t file_bytes;
    uint32_t runtime;                /* oldest TensorFlow release, as lc_op_runtime_version gives it; 0: not known */
    tallies floats, custom;          /* operators that stay float, and those no stock runtime has */
    lc_quant_report int8;            /* what quantising says of its operators */
    uint64_t int8_bytes, int8_arena; /* of the int8 form; 0: not known */
} lint;

static lc_status count(lint *l, tallies *t, lc_str name, lc_error *err) {
    for (size_t i = 0; i < t->count; i++)
        if (lc_str_eq(t->items[i].name, name)) return t->items[i].count++, LC_OK;
    void *items = t->items;
    if (!lc_arena_grow(&l->arena, &items, &t->capacity, t->count + 1, sizeof *t->items)) return lc_fail_memory(err, "report");
    t->items = items;
    t->items[t->count++] = (tally){name, 1};
    return LC_OK;
}

static lc_status look_at(lint *l, const lc_graph *g, const lc_node *n, lc_error *err) {
    if (n->op == LC_OP_CUSTOM) LC_TRY(count(l, &l->custom, lc_report_op_name(n), err));
    const uint32_t release = lc_op_runtime_version(n->op, lc_op_version(g, n));
    if (release > l->runtime) l->runtime = release;
    return LC_OK;
}

/* What int8 would come to: made with one range for all tensors, which changes no size. Left at 0 where there is no such form. */
static lc_status measure_int8(lint *l, lc_error *err) {
    const lc_quantize_options how = {.scheme = LC_SCHEME_INT8, .default_low = -1, .default_high = 1};
    lc_quant_source source;
    lc_model *small = NULL;
    lc_session *session = NULL;
    lc_error ignored;
    lc_status status = lc_quant_prepare(l->model, &how, &source, &ignored);
    if (status) return status == LC_NO_MEMORY ? lc_fail_memory(err, "report") : LC_OK;
    status = lc_quant_make(&source, &how, &l->int8, &small, &ignored);
    if (status == LC_OK && l->int8.integer) status = lc_quant_file_size(small, &l->int8_bytes, &ignored);
    if (status == LC_OK && l->int8.integer && lc_session_create(small, NULL, &session, &ignored) == LC_OK)
        l->int8_arena = lc_session_memory(session).arena;
    lc_session_destroy(session);
    lc_model_destroy(small);
    lc_quant_source_deinit(&source);
    const lc_quant_notes *floats = &l->int8.floats;
    for (size_t i = 0; i < floats->count; i++) LC_TRY(count(l, &l->floats, lc_str_of(floats->items[i].op), err));
    return status == LC_NO_MEMORY ? lc_fail_memory(err, "report") : LC_OK;
}

static lc_status measure(lint *l, lc_error *err) {
    for (size_t g = 0; g < l->model->graph_count; g++)
        for (size_t i = 0; i < l->model->graphs[g]->node_count; i++)
            LC_TRY(look_at(l, l->model->graphs[g], &l->model->graphs[g]->nodes[i], err));
    LC_TRY(lc_quant_file_size(l->model, &l->file_bytes, err));
    LC_TRY(measure_int8(l, err));
    l->report = (lc_report){.model = l->model, .parts = LC_REPORT_SUMMARY};
    return lc_report_begin(&l->report, err);
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static void add_tallies(lc_text *out, const tallies *t) {
    for (size_t i = 0; i < t->count; i++) {
        lc_text_add(out, i ? ", " : "");
        lc_text_add_safe(out, t->items[i].name.data, t->items[i].name.size);
        if (t->items[i].count > 1) lc_text_printf(out, " (%" PRIu32 ")", t->items[i].count);
    }
}

static void add_release(lc_text *out, uint32_t release) {
    lc_text_printf(out, "%u.%u.%u", (unsigned)(release / 10000), (unsigned)(release / 100 % 100), (unsigned)(release % 100));
}

static void add_problems(lc_text *out, const lint *l) {
    lc_text_printf(out, ": does not convert: %zu problem%s\n", l->problems.count, l->problems.count == 1 ? "" : "s");
    const char *told = "";
    for (size_t i = 0; i < l->problems.count; i++) {
        const lc_problem *p = &l->problems.list[i];
        lc_text_add(out, "  ");
        lc_text_add_safe(out, p->message, strlen(p->message));
        lc_text_add(out, "\n");
        const bool last = i + 1 == l->problems.count || strcmp(l->problems.list[i + 1].hint, p->hint) != 0;
        if (!p->hint[0] || !last || strcmp(p->hint, told) == 0) continue; /* one for several that stand together */
        lc_text_add(out, "    hint: ");
        lc_text_add_safe(out, p->hint, strlen(p->hint));
        lc_text_add(out, "\n");
        told = p->hint;
    }
    if (l->problems.unseen)
        lc_text_printf(out, "  not looked at, since what they need is not there: %" PRIu32 " more\n", l->problems.unseen);
}

static void add_cost(lc_text *out, const lint *l) {
    char a[32], b[32];
    const lc_report *r = &l->report;
    lc_text_printf(out, ": converts: %" PRIu32 " layers -> %zu operators\n", l->stats.layers, r->operators);
    lc_text_printf(out, "  file     %s, of which weights %s\n", lc_sized(l->file_bytes, a), lc_sized(r->constant_bytes, b));
    lc_text_printf(out, "  one run  %s multiply-accumulates", lc_grouped(r->macs, a));
    if (r->session) {
        lc_text_printf(out, "; arena %s\n", lc_sized(lc_session_memory(r->session).arena, a));
    } else {
        lc_text_add(out, "; memory not planned: ");
        lc_text_add_safe(out, r->why.message, strlen(r->why.message));
        lc_text_add(out, "\n");
    }
    lc_text_printf(out, "  int8     %" PRIu32 " of %" PRIu32 " operators on floats have an integer form", l->int8.integer,
                   l->int8.operators);
    if (l->floats.count) {
        lc_text_add(out, "; float stays ");
        add_tallies(out, &l->floats);
    }
    if (l->int8_bytes) lc_text_printf(out, "; then the file has %s", lc_sized(l->int8_bytes, a));
    if (l->int8_arena) lc_text_printf(out, ", arena %s", lc_sized(l->int8_arena, a));
    lc_text_add(out, "\n  runtime  ");
    if (l->runtime) {
        lc_text_add(out, "TensorFlow Lite ");
        add_release(out, l->runtime);
        lc_text_add(out, " or later");
    } else {
        lc_text_add(out, "any LiteRT");
    }
    if (l->custom.count) {
        lc_text_add(out, ", with kernels of your own for ");
        add_tallies(out, &l->custom);
    }
    lc_text_add(out, "\n");
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void put_text(lc_text *out, const char *key, const char *text) {
    lc_text_printf(out, "\"%s\":", key);
    lc_text_add_json(out, text, strlen(text));
}

static void put_tallies(lc_text *out, const char *key, const tallies *t) {
    lc_text_printf(out, "\"%s\":[", key);
    for (size_t i = 0; i < t->count; i++) {
        lc_text_add(out, i ? ",{\"op\":" : "{\"op\":");
        lc_text_add_json(out, t->items[i].name.data, t->items[i].name.size);
        lc_text_printf(out, ",\"count\":%" PRIu32 "}", t->items[i].count);
    }
    lc_text_add(out, "]");
}

static void put_problems(lc_text *out, const lint *l) {
    lc_text_add(out, ",\"problems\":[");
    for (size_t i = 0; i < l->problems.count; i++) {
        const lc_problem *p = &l->problems.list[i];
        lc_text_add(out, i ? ",{" : "{");
        put_text(out, "where", p->where);
        lc_text_add(out, ",");
        put_text(out, "kind", p->kind);
        lc_text_add(out, ",");
        put_text(out, "message", p->message);
        lc_text_add(out, ",");
        put_text(out, "hint", p->hint);
        lc_text_add(out, "}");
    }
    lc_text_printf(out, "],\"unseen\":%" PRIu32, l->problems.unseen);
}

static void put_cost(lc_text *out, const lint *l) {
    const lc_report *r = &l->report;
    lc_text_printf(out, ",\"format\":\"%s\",\"layers\":%" PRIu32 ",\"operators\":%zu,\"parameters\":%" PRIu64, l->stats.format,
                   l->stats.layers, r->operators, r->parameters);
    lc_text_printf(out, ",\"file_bytes\":%" PRIu64 ",\"weight_bytes\":%" PRIu64 ",\"macs\":%" PRIu64, l->file_bytes, r->constant_bytes,
                   r->macs);
    if (r->session) lc_text_printf(out, ",\"arena_bytes\":%" PRIu64, (uint64_t)lc_session_memory(r->session).arena);
    else lc_text_add(out, ",\"arena_bytes\":null");
    lc_text_add(out, ",\"runtime\":");
    if (l->runtime) {
        lc_text_add(out, "\"");
        add_release(out, l->runtime);
        lc_text_add(out, "\",");
    } else {
        lc_text_add(out, "null,");
    }
    put_tallies(out, "custom", &l->custom);
    lc_text_printf(out, ",\"int8\":{\"operators\":%" PRIu32 ",\"integer\":%" PRIu32 ",", l->int8.operators, l->int8.integer);
    put_tallies(out, "float", &l->floats);
    lc_text_printf(out, ",\"file_bytes\":%" PRIu64 ",\"arena_bytes\":%" PRIu64 "}", l->int8_bytes, l->int8_arena);
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static lc_status write_report(const lint *l, lc_report_format format, char **text, lc_error *err) {
    lc_text out = {0};
    if (format == LC_REPORT_JSON) {
        lc_text_add(&out, "{");
        put_text(&out, "file", l->path);
        lc_text_printf(&out, ",\"converts\":%s", l->model ? "true" : "false");
        put_problems(&out, l);
        if (l->model) put_cost(&out, l);
        lc_text_add(&out, "}\n");
    } else {
        lc_text_add_safe(&out, l->path, strlen(l->path));
        if (l->model) add_cost(&out, l);
        else add_problems(&out, l);
    }
    *text = lc_text_take(&out);
    return *text ? LC_OK : lc_fail_memory(err, "report");
}

lc_status lc_lint(const char *path, lc_report_format format, const lc_convert_options *options, bool *converts, char **text,
                  lc_error *err) {
    static const lc_convert_options defaults = {0};
    lc_error local;
    if (!err) err = &local;
    lc_error_clear(err);
    if (!text || !path) return lc_fail(err, LC_ARGUMENT, "lc_lint needs %s", path ? "a place for the text" : "the path of a model");
    *text = NULL;
    if (format != LC_REPORT_TEXT && format != LC_REPORT_JSON) return lc_fail(err, LC_ARGUMENT, "lc_lint: unknown format");
    lint l = {.path = path};
    lc_status status = lc_convert_with(path, options ? options : &defaults, &l.problems, &l.model, &l.stats, err);
    if (status == LC_UNSUPPORTED && l.problems.count) status = LC_OK; /* that is the answer */
    if (status == LC_OK && l.model) status = measure(&l, err);
    if (status == LC_OK) {
        lc_error_clear(err);
        status = write_report(&l, format, text, err);
    }
    if (converts) *converts = status == LC_OK && l.model;
    lc_report_end(&l.report);
    lc_model_destroy(l.model);
    lc_problems_deinit(&l.problems);
    lc_arena_deinit(&l.int8.arena);
    lc_arena_deinit(&l.arena);
    return status;
}
