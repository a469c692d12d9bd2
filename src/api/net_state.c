/*
 * net_state.c: the state of an optimizer from a file of Keras, in whichever way that file has it.
 *
 *   Keras 3                          iteration, learning_rate, then the arrays in the order of the slots here
 *   Keras 2 since 2.11               iteration, then the same without Nadam's product; SGD has its momenta even where it does not use them
 *   older, and optimizers.legacy     iter, then all arrays of one kind, in the order of the variables, then all of the next
 *
 * An .h5 file has names. Where one of the three ways fits all of them, array k of a kind belongs to trainable variable k, so that nothing depends
 * on the order of kinds. A .keras file has numbers only, and so have in effect the first versions of Keras ("Variable_3"): there the order tells.
 *
 * Stays true: all of the state is taken or nothing, and why nothing is said. Shapes are compared, of named arrays also the ends of the names.
 *
 * Facts: optimizers of tf_keras 2.21 (optimizer.py, legacy/optimizer_v2.py), keras/src/optimizers/base_optimizer.py.
 */
#include "api/net.h"

#include "ir/constant.h"
#include "source/keras_state.h"
#include "train/state_names.h"

#include <math.h>
#include <string.h>

bool lc_net_is_keras2(const lc_net *net) { return net->keras && lc_keras_is_keras2(net->keras); }

typedef enum style { KERAS3, KERAS2, OLDER, STYLES } style;

typedef struct taking {
    lc_net *net;
    const lc_keras_state *state;
    const lc_slot *slots;
    const lc_keras_weight **from; /* [n] what goes into each slot; NULL: nothing, it stays as it began */
    uint32_t n;
    const char *class_name, *why;
} taking;

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

static bool refuse(taking *t, const char *format, const char *name) {
    t->why = lc_arena_printf(&t->net->arena, format, name);
    return false;
}

/* ---- names ------------------------------------------------------------------------------------------------------------------ */

/* A name of a file without the number of its tensor: "dense/kernel/m" of "dense/kernel/m:0". */
static lc_str bare(const char *name) {
    const char *colon = strrchr(name, ':');
    const size_t n = colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1) ? (size_t)(colon - name) : strlen(name);
    return (lc_str){name, n};
}

static lc_str end_of(lc_str s) {
    for (size_t i = s.size; i > 0; i--)
        if (s.data[i - 1] == '/') return (lc_str){s.data + i, s.size - i};
    return s;
}

static bool ends_with(lc_str s, const char *end) {
    const size_t n = strlen(end);
    return s.size >= n && memcmp(s.data + s.size - n, end, n) == 0;
}

/* What of an optimizer is one number: NULL when it is not of these. */
static const char *scalar_of(lc_str name) {
    static const char *const names[][2] = {{"iteration", "iteration"},         {"iterations", "iteration"}, {"iter", "iteration"},
                                           {"learning_rate", "learning_rate"}, {"variable", "variable"},    {"momentum_cache", "variable"}};
    const lc_str end = end_of(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (lc_str_eq(end, lc_str_of(names[i][0]))) return names[i][1];
    return NULL;
}

/* Whether an array has the name of this state in a style; what is left is the name of its variable. */
static bool is_state(lc_str name, style s, const lc_state_name *n, lc_str *variable) {
    const char *word = s == KERAS3 ? n->state : s == KERAS2 ? n->keras2 : n->older;
    if (!word) return false;
    const size_t size = strlen(word);
    const char mark = s == KERAS3 ? '_' : '/';
    if (name.size <= size + 1) return false;
    const size_t rest = name.size - size - 1;
    if (s == KERAS2) {
        *variable = (lc_str){name.data + size + 1, rest};
        return memcmp(name.data, word, size) == 0 && name.data[size] == mark;
    }
    *variable = (lc_str){name.data, rest};
    return ends_with(name, word) && name.data[rest] == mark;
}

/* The longest name of a state that fits: "velocity_hat" before "hat". */
static const lc_state_name *state_of(const taking *t, lc_str name, style s, lc_str *variable) {
    const lc_state_name *best = NULL, *n;
    lc_str rest;
    for (uint32_t i = 0; (n = lc_state_names(t->class_name, i)); i++)
        if (is_state(name, s, n, &rest) && (!best || rest.size < variable->size)) {
            best = n;
            *variable = rest;
        }
    return best;
}

/* Every array is a number or has a name of this style, and there is an array. */
static bool is_style(const taking *t, style s) {
    lc_str variable;
    bool found = false;
    for (uint32_t i = 0; i < t->state->optimizer_count; i++) {
        const lc_str name = bare(t->state->optimizer[i].name ? t->state->optimizer[i].name : "");
        if (state_of(t, name, s, &variable)) found = true;
        else if (!scalar_of(name)) return false;
    }
    return found;
}

/* ---- arrays ----------------------------------------------------------------------------------------------------------------- */

static bool fits(const lc_slot *slot, const lc_keras_weight *w) {
    uint64_t bytes;
    const bool number = slot->type == LC_INT64 ? w->type == LC_INT64 || w->type == LC_INT32 : lc_floats_can_load(w->type);
    if (!number || !lc_dtype_bytes(w->type, slot->n, &bytes) || bytes != w->size) return false;
    if (!slot->variable) return slot->n == 1;
    bool same = slot->rank == w->rank;
    for (int32_t i = 0; same && i < w->rank; i++) same = slot->dims[i] == w->dims[i];
    return same;
}

static void copy(const lc_slot *slot, const lc_keras_weight *w) {
    int32_t number;
    if (slot->type == LC_FLOAT32) {
        lc_floats_load(w->type, w->data, 0, slot->n, slot->data);
    } else if (w->type == LC_INT64) {
        memcpy(slot->data, w->data, slot->n * sizeof(int64_t));
    } else { /* the iteration */
        memcpy(&number, w->data, sizeof number);
        *(int64_t *)slot->data = number;
    }
}

/* Keras 2's SGD keeps momenta that it does not use where it has no momentum. */
static bool is_idle(const taking *t, const char *state) { return is(t->class_name, "SGD") && is(state, "momentum"); }

/* Slot k of those of a state; -1: there are not so many. */
static int64_t slot_of(const taking *t, const char *state, uint32_t k) {
    for (uint32_t i = 0; i < t->n; i++)
        if (t->slots[i].variable && is(t->slots[i].state, state) && k-- == 0) return i;
    return -1;
}

static int64_t scalar_slot(const taking *t, const char *name) {
    for (uint32_t i = 0; i < t->n; i++)
        if (!t->slots[i].variable && is(t->slots[i].name, name)) return i;
    return -1;
}

/* "kernel" of both: where arrays were mixed up, they had the same shape by chance. Names of Keras 3 have no slashes, and what a layer that litec
 * has no names for calls its variables is not known: a number stands for it. */
static bool same_end(const lc_slot *slot, lc_str variable, style s) {
    const lc_str end = end_of(bare(slot->variable->path));
    if (end.size && end.data[0] >= '0' && end.data[0] <= '9') return true;
    if (s != KERAS3) return lc_str_eq(end, end_of(variable));
    return variable.size >= end.size && memcmp(variable.data + variable.size - end.size, end.data, end.size) == 0;
}

static bool take_named(taking *t, style s) {
    const lc_state_name *n;
    for (uint32_t i = 0; i < t->state->optimizer_count; i++) {
        const lc_keras_weight *w = &t->state->optimizer[i];
        const lc_str name = bare(w->name);
        lc_str variable;
        if (state_of(t, name, s, &variable) || !scalar_of(name)) continue;
        const int64_t at = scalar_slot(t, scalar_of(name));
        if (at >= 0 && !fits(&t->slots[at], w)) return refuse(t, "'%s' is not one number", w->name);
        if (at >= 0) t->from[at] = w;
    }
    for (uint32_t k = 0; (n = lc_state_names(t->class_name, k)); k++) {
        uint32_t count = 0;
        bool idle = false;
        for (uint32_t i = 0; i < t->state->optimizer_count; i++) {
            const lc_keras_weight *w = &t->state->optimizer[i];
            lc_str variable;
            if (state_of(t, bare(w->name), s, &variable) != n) continue;
            const int64_t at = slot_of(t, n->state, count++);
            idle = at < 0 && (count == 1 || idle) && is_idle(t, n->state);
            if (at < 0 && !idle) return refuse(t, "its '%s' is more than the optimizer has", w->name);
            if (at < 0) continue;
            if (!fits(&t->slots[at], w) || !same_end(&t->slots[at], variable, s)) return refuse(t, "its '%s' has no place here", w->name);
            t->from[at] = w;
        }
        if (!idle && slot_of(t, n->state, count) >= 0) return refuse(t, "it lacks arrays of '%s'", n->state);
    }
    return true;
}

/* ---- order ------------------------------------------------------------------------------------------------------------------ */

typedef struct order {
    taking *t;
    uint32_t at; /* of the file's */
    bool good;
} order;

static void next(order *o, int64_t slot) {
    const taking *t = o->t;
    if (!o->good || slot < 0) return;
    o->good = o->at < t->state->optimizer_count && fits(&t->slots[slot], &t->state->optimizer[o->at]);
    if (o->good) t->from[slot] = &t->state->optimizer[o->at++];
}

/* The slots as they are here; optional ones may be missing. */
static bool in_order(taking *t, bool rate, bool product) {
    order o = {.t = t, .good = true};
    memset(t->from, 0, t->n * sizeof *t->from);
    for (uint32_t i = 0; i < t->n; i++) {
        const bool left_out = (is(t->slots[i].name, "learning_rate") && !rate) || (is(t->slots[i].name, "variable") && !product);
        if (!left_out) next(&o, i);
    }
    uint32_t learn = 0;
    for (uint32_t i = 0; i < t->net->variable_count; i++) learn += t->net->variables[i].trainable;
    if (o.good && is_idle(t, "momentum") && slot_of(t, "momentum", 0) < 0 && t->state->optimizer_count - o.at == learn)
        o.at += lc_net_is_keras2(t->net) ? learn : 0;
    return o.good && o.at == t->state->optimizer_count;
}

/* All arrays of a kind, then all of the next; behind them what amsgrad would need, one number each. */
static bool by_kinds(taking *t) {
    order o = {.t = t, .good = true};
    const lc_state_name *n;
    memset(t->from, 0, t->n * sizeof *t->from);
    if (t->state->optimizer_count && fits(&t->slots[0], &t->state->optimizer[0]) && t->state->optimizer[0].rank == 0) next(&o, 0);
    for (uint32_t k = 0; (n = lc_state_names(t->class_name, k)); k++)
        for (uint32_t i = 0; slot_of(t, n->state, i) >= 0; i++) next(&o, slot_of(t, n->state, i));
    while (o.good && o.at < t->state->optimizer_count && t->state->optimizer[o.at].rank == 1 && t->state->optimizer[o.at].dims[0] == 1)
        o.at++;
    return o.good && o.at == t->state->optimizer_count && o.at > 1;
}

/* An optimizer that has not made a step may have no arrays yet: iteration, learning rate. */
static bool not_begun(taking *t) {
    order o = {.t = t, .good = true};
    memset(t->from, 0, t->n * sizeof *t->from);
    for (uint32_t i = 0; i < t->n && o.at < t->state->optimizer_count && !t->slots[i].variable; i++) next(&o, i);
    return o.good && o.at == t->state->optimizer_count;
}

static bool take_ordered(taking *t) {
    if (not_begun(t)) return true;
    const bool keras2 = lc_net_is_keras2(t->net);
    for (int rate = !keras2; rate < 2; rate++)
        for (int product = !keras2; product < 2; product++)
            if (in_order(t, rate, product)) return true;
    const char *first = t->state->optimizer[0].name;
    if (keras2 && first && (*first < '0' || *first > '9') && by_kinds(t)) return true;
    return refuse(t, "its arrays are not those of %s here", t->class_name);
}

/* ----------------------------------------------------------------------------------------------------------------------------- */

void lc_net_settle_product(lc_net *net) {
    uint32_t n;
    const lc_slot *slots = lc_optimizer_slots(net->optimizer, &n);
    const int64_t steps = lc_optimizer_iteration(net->optimizer);
    double betas[2];
    if (strcmp(slots[n - 1].name, "variable") != 0 || !lc_optimizer_betas(net->optimizer, betas)) return;
    float *product = slots[n - 1].data;
    *product = 1;
    for (int64_t i = 1; i <= steps && *product > 0; i++) *product = *product * (float)betas[0] * (1 - 0.5f * powf(0.96f, (float)i));
}

lc_status lc_net_take_slots(lc_net *net, const lc_keras_state *state, const char **why, lc_error *err) {
    static const style tried[STYLES] = {OLDER, KERAS2, KERAS3};
    taking t = {.net = net, .state = state, .class_name = lc_optimizer_class(net->optimizer)};
    t.slots = lc_optimizer_slots(net->optimizer, &t.n);
    t.from = lc_arena_array(&net->arena, (size_t)t.n + 1, sizeof *t.from);
    if (!t.from) return lc_fail_memory(err, "the state of the optimizer");
    *why = NULL;
    if (!state->optimizer_count) return LC_OK;
    bool named = false, good = false;
    for (int i = 0; i < STYLES && !named; i++)
        if ((named = is_style(&t, tried[i]))) good = take_named(&t, tried[i]);
    if (!named) good = take_ordered(&t);
    if (!good) {
        *why = t.why;
        return t.why ? LC_OK : lc_fail_memory(err, "the state of the optimizer");
    }
    for (uint32_t i = 0; i < t.n; i++)
        if (t.from[i]) copy(&t.slots[i], t.from[i]);
    const int64_t product = scalar_slot(&t, "variable");
    if (product >= 0 && !t.from[product]) lc_net_settle_product(net);
    return LC_OK;
}
