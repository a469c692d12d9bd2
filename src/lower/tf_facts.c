/*
 * tf_facts.c: see tf_facts.h. The table is written by tests/oracle/make_flex_table.py; the user's OpDefs are read once, at the beginning.
 * What an OpDef says of an operator's outputs becomes the same short text that the table has, so there is one way to read it.
 */
#include "lower/tf_facts.h"

#include "lower/tf_impl.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const lc_tf_fact facts[] = {
#define LC_FLEX(name, flex, outputs, types, shapes, defaults) {#name, flex, outputs, types, shapes, defaults, NULL},
#include "lower/tf_flex.def"
};
static const lc_tf_row fact_rows[] = {
#define LC_FLEX(name, flex, outputs, types, shapes, defaults) {#name, lc_tf_op_unknown, LC_OP_NONE, outputs, false},
#include "lower/tf_flex.def"
};
enum { FACTS = sizeof facts / sizeof *facts };

/* ---- the user's operators ----------------------------------------------------------------------------------------- */

/* "a b:N" and "$T 3" of an OpDef. */
static lc_status describe(lc_tf_lower *l, const lc_pb_OpDef *def, lc_tf_fact *fact, lc_tf_row *row) {
    lc_text outputs = {0}, types = {0};
    for (uint32_t i = 0; i < def->output_arg.n; i++) {
        const lc_pb_OpDef_ArgDef *a = &def->output_arg.data[i];
        const lc_str many = a->type_list_attr.size ? a->type_list_attr : a->number_attr;
        const lc_str type = a->type_list_attr.size ? a->type_list_attr : a->type_attr;
        lc_text_printf(&outputs, "%s%.*s", i ? " " : "", LC_TF_NAME(a->name));
        if (many.size) lc_text_printf(&outputs, ":%.*s", LC_TF_NAME(many));
        if (type.size) lc_text_printf(&types, "%s$%.*s", i ? " " : "", LC_TF_NAME(type));
        else lc_text_printf(&types, "%s%d", i ? " " : "", a->type);
    }
    *fact = (lc_tf_fact){.shapes = "*", .defaults = "", .def = def};
    fact->name = lc_arena_strndup(&l->scratch, def->name.data, def->name.size);
    fact->outputs = lc_arena_strndup(&l->scratch, outputs.data ? outputs.data : "", outputs.size);
    fact->types = lc_arena_strndup(&l->scratch, types.data ? types.data : "", types.size);
    *row = (lc_tf_row){fact->name, lc_tf_op_unknown, LC_OP_NONE, fact->outputs, false};
    const bool fine = !outputs.failed && !types.failed && fact->name && fact->outputs && fact->types;
    lc_text_deinit(&outputs);
    lc_text_deinit(&types);
    return fine ? LC_OK : lc_fail_memory(l->err, "operators");
}

static lc_status add_own(lc_tf_lower *l, const lc_pb_OpDef *def) {
    if (!def->name.size) {
        lc_fail(l->err, LC_ARGUMENT, "an OpDef has no name");
        lc_error_hint(l->err, "write it as TensorFlow prints it: name: \"MyOp\" input_arg { ... } output_arg { ... } attr { ... }");
        return LC_ARGUMENT;
    }
    const int32_t at = lc_names_add(&l->own_names, def->name, NULL);
    if (at < 0) return lc_fail(l->err, LC_ARGUMENT, "two OpDefs are called \"%.*s\"", LC_TF_NAME(def->name));
    return describe(l, def, &l->own_facts[at], &l->own_rows[at]);
}

/* A text that begins with "op" is a list of them. */
static bool is_list(lc_str text) {
    const char *p = text.data, *end = text.data + text.size;
    while (p < end) {
        if (*p == '#')
            while (p < end && *p != '\n') p++;
        else if (!strchr(" \t\r\n", *p)) break;
        else p++;
    }
    return end - p > 2 && p[0] == 'o' && p[1] == 'p' && strchr(" \t\r\n{:", p[2]);
}

lc_status lc_tf_facts(lc_tf_lower *l) {
    const lc_lower_options *o = l->options;
    if (!lc_names_init(&l->fact_names, &l->scratch, FACTS)) return lc_fail_memory(l->err, "operators");
    for (uint32_t i = 0; i < FACTS; i++) lc_names_add(&l->fact_names, lc_str_of(facts[i].name), NULL);
    void **read = lc_arena_array(&l->scratch, (size_t)o->custom_opdef_count + 1, sizeof *read);
    uint64_t count = 0;
    if (!read) return lc_fail_memory(l->err, "operators");
    for (uint32_t i = 0; i < o->custom_opdef_count; i++) {
        const lc_str text = o->custom_opdefs[i];
        const lc_pb_id id = is_list(text) ? LC_PB_OpList : LC_PB_OpDef;
        if (lc_pb_read_text(id, text, &l->budget, &l->scratch, &read[i], l->err)) {
            const lc_status status = l->err->status;
            lc_error_prefix(l->err, "OpDef %u of the custom operators", i + 1);
            lc_error_hint(l->err, "write it as TensorFlow prints it: name: \"MyOp\" input_arg { ... } output_arg { ... } attr { ... }");
            return status == LC_INVALID ? (l->err->status = LC_ARGUMENT) : status;
        }
        count += id == LC_PB_OpList ? ((const lc_pb_OpList *)read[i])->op.n : 1;
    }
    LC_TRY(lc_budget_tables(&l->budget, count, "custom operators", l->err));
    l->own_facts = lc_arena_array(&l->scratch, (size_t)count + 1, sizeof *l->own_facts);
    l->own_rows = lc_arena_array(&l->scratch, (size_t)count + 1, sizeof *l->own_rows);
    if (!l->own_facts || !l->own_rows || !lc_names_init(&l->own_names, &l->scratch, (uint32_t)count))
        return lc_fail_memory(l->err, "operators");
    for (uint32_t i = 0; i < o->custom_opdef_count; i++) {
        const lc_pb_OpList *list = is_list(o->custom_opdefs[i]) ? read[i] : NULL;
        for (uint32_t k = 0; list && k < list->op.n; k++) LC_TRY(add_own(l, &list->op.data[k]));
        if (!list) LC_TRY(add_own(l, read[i]));
    }
    return LC_OK;
}

const lc_tf_fact *lc_tf_fact_of(const lc_tf_lower *l, lc_str op) {
    const int32_t own = lc_names_find(&l->own_names, op), at = own < 0 ? lc_names_find(&l->fact_names, op) : -1;
    return own >= 0 ? &l->own_facts[own] : at >= 0 ? &facts[at] : NULL;
}

const lc_tf_row *lc_tf_own_row(const lc_tf_lower *l, lc_str op) {
    const int32_t own = lc_names_find(&l->own_names, op);
    return own < 0 ? NULL : &l->own_rows[own];
}

const lc_tf_row *lc_tf_fact_row(const lc_tf_lower *l, lc_str op) {
    const int32_t at = lc_names_find(&l->fact_names, op);
    return at < 0 ? NULL : &fact_rows[at];
}

uint32_t lc_tf_fact_outputs(const lc_tf_fact *fact, const lc_pb_NodeDef *node) {
    const lc_tf_row row = {.outputs = fact->outputs};
    return fact->outputs[0] ? lc_tf_output_count(&row, node) : 0;
}

/* ---- attributes --------------------------------------------------------------------------------------------------------- */

static uint32_t list_size(const char *text) {
    uint32_t n = 1;
    for (; *text; text++) n += *text == ',';
    return n;
}

/* A number of the table, whatever the program's locale writes for a point. */
static float decimal(const char *text) {
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const float f = plain ? strtof_l(text, NULL, plain) : strtof(text, NULL);
    if (plain) freelocale(plain);
    return f;
}

/* The value behind its letter, see tf_flex.def. NULL: memory is out. */
static lc_pb_AttrValue *parse(lc_arena *arena, const char *text) {
    lc_pb_AttrValue *a = lc_arena_alloc(arena, sizeof *a);
    if (!a) return NULL;
    const char letter = *text++;
    switch (letter) {
    case 'b':
        a->b = *text == '1';
        lc_pb_set(a, AttrValue, b);
        return a;
    case 'i':
        a->i = strtoll(text, NULL, 10);
        lc_pb_set(a, AttrValue, i);
        return a;
    case 'f':
        a->f = decimal(text);
        lc_pb_set(a, AttrValue, f);
        return a;
    case 't':
        a->type = (int32_t)strtol(text, NULL, 10);
        lc_pb_set(a, AttrValue, type);
        return a;
    case 's':
        a->s = lc_str_of(text);
        lc_pb_set(a, AttrValue, s);
        return a;
    default: break;
    }
    const uint32_t n = list_size(text);
    a->list = lc_arena_alloc(arena, sizeof *a->list);
    if (!a->list) return NULL;
    lc_pb_set(a, AttrValue, list);
    if (letter == 'I') a->list->i.data = lc_arena_array(arena, n, sizeof *a->list->i.data);
    else a->list->f.data = lc_arena_array(arena, n, sizeof *a->list->f.data);
    if (letter == 'I' ? !a->list->i.data : !a->list->f.data) return NULL;
    for (uint32_t i = 0; i < n; i++) {
        if (letter == 'I') a->list->i.data[a->list->i.n++] = strtoll(text, NULL, 10);
        else a->list->f.data[a->list->f.n++] = decimal(text);
        text += strcspn(text, ",");
        text += *text == ',';
    }
    return a;
}

const lc_pb_AttrValue *lc_tf_attr_of(const lc_tf_attrs *attrs, lc_str name) {
    for (uint32_t i = 0; i < attrs->n; i++)
        if (lc_str_eq(attrs->data[i].key, name)) return attrs->data[i].value;
    return NULL;
}

static void add(lc_tf_attrs *attrs, lc_str key, const lc_pb_AttrValue *value) {
    if (!value || !key.size || key.data[0] == '_' || memchr(key.data, 0, key.size)) return;
    attrs->data[attrs->n++] = (lc_pb_NodeDef_AttrEntry){.key = key, .value = (lc_pb_AttrValue *)(uintptr_t)value};
    lc_pb_set(&attrs->data[attrs->n - 1], NodeDef_AttrEntry, key);
    lc_pb_set(&attrs->data[attrs->n - 1], NodeDef_AttrEntry, value);
}

static int by_key(const void *a, const void *b) {
    return lc_str_compare(((const lc_pb_NodeDef_AttrEntry *)a)->key, ((const lc_pb_NodeDef_AttrEntry *)b)->key);
}

lc_tf_attrs lc_tf_all_attrs(lc_tf_call *c, const lc_tf_fact *fact) {
    lc_arena *arena = &c->lower->scratch;
    const lc_pb_OpDef *def = fact ? fact->def : NULL;
    uint32_t room = c->node->attr.n + (def ? def->attr.n : 0);
    char *text = fact && !def ? lc_arena_strndup(arena, fact->defaults, strlen(fact->defaults)) : NULL;
    for (const char *p = text ? text : ""; *p; p++) room += *p == '=';
    lc_tf_attrs attrs = {.data = lc_arena_array(arena, (size_t)room + 1, sizeof *attrs.data)};
    bool fine = attrs.data && (!fact || def || text);
    for (uint32_t i = 0; fine && i < c->node->attr.n; i++) {
        char name[200];
        const lc_str key = c->node->attr.data[i].key;
        if (key.size >= sizeof name) continue; /* no operator has such an attribute */
        if (key.size) memcpy(name, key.data, key.size);
        name[key.size] = 0;
        add(&attrs, key, lc_tf_attr(c, name));
    }
    const lc_tf_attrs given = attrs;
    for (uint32_t i = 0; fine && def && i < def->attr.n; i++)
        if (!lc_tf_attr_of(&given, def->attr.data[i].name)) add(&attrs, def->attr.data[i].name, def->attr.data[i].default_value);
    for (char *p = text; fine && p && *p;) {
        char *equals = strchr(p, '='), *end = p + strcspn(p, " ");
        const bool last = !*end;
        *end = 0;
        const lc_str key = {p, (size_t)(equals - p)};
        if (!lc_tf_attr_of(&given, key)) {
            const lc_pb_AttrValue *value = parse(arena, equals + 1);
            fine = value != NULL;
            add(&attrs, key, value);
        }
        p = last ? end : end + 1;
    }
    if (!fine) {
        lc_build_check(c->b, lc_fail_memory(c->lower->err, "attributes"));
        return (lc_tf_attrs){0};
    }
    qsort(attrs.data, attrs.n, sizeof *attrs.data, by_key);
    return attrs;
}
