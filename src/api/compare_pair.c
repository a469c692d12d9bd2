/*
 * compare_pair.c: which value of B is which of A. Two converters agree on little: names get prefixes and the operator's own name behind them,
 * several are joined by ';', operators are fused here and not there, and stand in another order. So names and structure help each other:
 *
 *   1. inputs and outputs belong together;
 *   2. the same name on both sides, once each;
 *   3. a part of a name (between '/', ';') that one value alone has on each side;
 *   4. what is left between two pairs, in the order of the operators, when kind and shape agree.
 *
 * After each of these, pairs spread: the same operator behind a pair has the same inputs; the same operator on a pair, where there is one alone,
 * has the same outputs. A pair always has the same shape. What no rule says stays alone: a wrong pair would be worse than none.
 */
#include "api/compare.h"

#include <stdlib.h>
#include <string.h>

#define MOST_PARTS 12 /* between '/' of one name; further ones are not looked at */
#define WINDOW 4096   /* values that are looked at from one on: with it the work grows as the model does */

typedef struct pairing {
    lc_cmp_side *a, *b;
    int32_t *work; /* values of b whose pair may spread */
    size_t work_count;
    bool guess; /* operands that may change places belong together as they stand */
} pairing;

/* Same shape; -1 (open) fits anything. Ranks may differ when the elements are as many: [1,1,n] and [n]. */
static bool shapes_fit(const lc_tensor *x, const lc_tensor *y) {
    uint64_t m, n;
    bool open = false;
    for (int32_t d = 0; d < x->rank; d++) open |= lc_tensor_dim(x, d) < 0;
    for (int32_t d = 0; d < y->rank; d++) open |= lc_tensor_dim(y, d) < 0;
    if (x->rank != y->rank) return !open && lc_tensor_elements(x, &m) && lc_tensor_elements(y, &n) && m == n;
    for (int32_t d = 0; d < x->rank; d++)
        if (lc_tensor_dim(x, d) >= 0 && lc_tensor_dim(y, d) >= 0 && lc_tensor_dim(x, d) != lc_tensor_dim(y, d)) return false;
    return true;
}

static bool pair(pairing *p, int32_t ia, int32_t ib) {
    if (ia < 0 || ib < 0) return false;
    lc_cmp_value *a = &p->a->values[ia], *b = &p->b->values[ib];
    if (a->pair >= 0 || b->pair >= 0 || a->constant != b->constant || !shapes_fit(lc_cmp_tensor(p->a, a), lc_cmp_tensor(p->b, b)))
        return false;
    a->pair = ib;
    b->pair = ia;
    p->work[p->work_count++] = ib; /* each value once, so there is room */
    return true;
}

/* ---- from a pair to its neighbours ------------------------------------------------------------------------------------ */

static bool same_operator(const lc_node *a, const lc_node *b) {
    return a && b && a->op == b->op && a->input_count == b->input_count && a->output_count == b->output_count &&
           lc_str_eq(a->custom_code, b->custom_code);
}

static void pair_called(pairing *p, const lc_node *a, const lc_node *b) {
    int32_t of_a[64], of_b[64];
    const uint32_t n = lc_op_calls(a, of_a, 64);
    if (n != lc_op_calls(b, of_b, 64) || n > 64) return;
    for (uint32_t i = 0; i < n; i++) {
        if (of_a[i] < 0 || of_b[i] < 0 || !p->a->value_of[of_a[i]] || !p->b->value_of[of_b[i]]) continue;
        const lc_graph *ga = p->a->model->graphs[of_a[i]], *gb = p->b->model->graphs[of_b[i]];
        for (size_t k = 0; ga->input_count == gb->input_count && k < ga->input_count; k++)
            pair(p, p->a->value_of[of_a[i]][ga->inputs[k]], p->b->value_of[of_b[i]][gb->inputs[k]]);
        for (size_t k = 0; ga->output_count == gb->output_count && k < ga->output_count; k++)
            pair(p, p->a->value_of[of_a[i]][ga->outputs[k]], p->b->value_of[of_b[i]][gb->outputs[k]]);
    }
}

static int32_t kind(const lc_cmp_side *s, int32_t value) {
    const lc_node *n = value < 0 ? NULL : lc_cmp_node(s, &s->values[value]);
    return n ? n->op : -1;
}

/* The inputs of two operators whose two operands may change places: as they stand, when what made them says so or we may guess. */
static void pair_operands(pairing *p, const lc_cmp_value *va, const lc_node *a, const lc_cmp_value *vb, const lc_node *b) {
    const int32_t a0 = lc_cmp_input(p->a, va, a, 0), a1 = lc_cmp_input(p->a, va, a, 1);
    const int32_t b0 = lc_cmp_input(p->b, vb, b, 0), b1 = lc_cmp_input(p->b, vb, b, 1);
    if (a0 < 0 || a1 < 0 || b0 < 0 || b1 < 0) return;
    const bool straight = kind(p->a, a0) == kind(p->b, b0) && kind(p->a, a1) == kind(p->b, b1);
    const bool crossed = kind(p->a, a0) == kind(p->b, b1) && kind(p->a, a1) == kind(p->b, b0);
    const bool known = p->a->values[a0].pair >= 0 || p->a->values[a1].pair >= 0 || p->b->values[b0].pair >= 0 || p->b->values[b1].pair >= 0;
    if (known) { /* one pair says what the other is */
        if (p->a->values[a0].pair == b0) pair(p, a1, b1);
        else if (p->a->values[a0].pair == b1) pair(p, a1, b0);
        else if (p->a->values[a1].pair == b1) pair(p, a0, b0);
        else if (p->a->values[a1].pair == b0) pair(p, a0, b1);
    } else if (crossed && !straight) {
        pair(p, a0, b1);
        pair(p, a1, b0);
    } else if (!crossed || p->guess) {
        pair(p, a0, b0);
        pair(p, a1, b1);
    }
}

static bool commutes(const lc_node *n) {
    const lc_op_def *def = lc_op_of(n);
    return def && (def->flags & LC_OPF_COMMUTES) && n->input_count == 2;
}

/* The operators that made a pair: what they read and what else they give. */
static void spread_back(pairing *p, const lc_cmp_value *va, const lc_cmp_value *vb) {
    const lc_node *a = lc_cmp_node(p->a, va), *b = lc_cmp_node(p->b, vb);
    if (!same_operator(a, b) || va->output != vb->output) return;
    if (commutes(a)) pair_operands(p, va, a, vb, b);
    else
        for (uint32_t i = 0; i < a->input_count; i++) pair(p, lc_cmp_input(p->a, va, a, i), lc_cmp_input(p->b, vb, b, i));
    for (uint32_t i = 0; i < a->output_count; i++)
        if (a->outputs[i] >= 0 && b->outputs[i] >= 0)
            pair(p, p->a->value_of[va->graph][a->outputs[i]], p->b->value_of[vb->graph][b->outputs[i]]);
    pair_called(p, a, b);
}

static bool reads(const lc_cmp_side *s, const lc_cmp_value *v, const lc_node *n, int32_t value) {
    for (uint32_t i = 0; i < n->input_count; i++)
        if (lc_cmp_input(s, v, n, i) == value) return true;
    return false;
}

/* The one value without a partner that an operator of kind `op` makes of `value`; -1: none, or several. */
static int32_t only_reader(const lc_cmp_side *s, int32_t value, const lc_node *like) {
    int32_t found = -1;
    for (size_t i = (size_t)value + 1; i < s->count && i < (size_t)value + WINDOW; i++) {
        const lc_cmp_value *v = &s->values[i];
        const lc_node *n = lc_cmp_node(s, v);
        if (v->pair >= 0 || v->output != 0 || !same_operator(n, like) || !reads(s, v, n, value)) continue;
        if (found >= 0) return -1;
        found = (int32_t)i;
    }
    return found;
}

/* ---- names ------------------------------------------------------------------------------------------------------------- */

/* A part of a name and whose it is. */
typedef struct name_key {
    uint64_t hash;
    int32_t value;
    bool of_b;
} name_key;

typedef struct name_keys {
    lc_arena *arena;
    name_key *items;
    size_t count, capacity;
} name_keys;

static bool add_key(name_keys *k, const char *s, size_t n, int32_t value, bool of_b) {
    void *items = k->items;
    if (!lc_arena_grow(k->arena, &items, &k->capacity, k->count + 1, sizeof *k->items)) return false;
    k->items = items;
    k->items[k->count++] = (name_key){lc_hash(s, n, 0), value, of_b};
    return true;
}

/* "a/b/c:0" -> "a", "a/b", "a/b/c", "b", "b/c", "c". */
static bool add_parts(name_keys *k, lc_str name, int32_t value, bool of_b) {
    size_t begin[MOST_PARTS + 1], parts = 0, end = name.size;
    while (end > 0 && name.data[end - 1] >= '0' && name.data[end - 1] <= '9') end--;
    if (end > 0 && name.data[end - 1] == ':') end--; /* the output of a node, and what makes a name unique behind it */
    else end = name.size;
    for (size_t i = 0; i < end && parts < MOST_PARTS; i++)
        if (i == 0 || name.data[i - 1] == '/') begin[parts++] = i;
    begin[parts] = end + 1;
    for (size_t i = 0; i < parts; i++)
        for (size_t j = i + 1; j <= parts; j++)
            if (begin[j] - 1 > begin[i] && !add_key(k, name.data + begin[i], begin[j] - 1 - begin[i], value, of_b)) return false;
    return true;
}

static bool add_name(name_keys *k, lc_str name, int32_t value, bool of_b, bool whole) {
    if (!name.data || name.size == 0) return true;
    if (whole) return add_key(k, name.data, name.size, value, of_b);
    for (size_t from = 0, i = 0; i <= name.size; i++) {
        if (i < name.size && name.data[i] != ';') continue;
        if (!add_parts(k, (lc_str){name.data + from, i - from}, value, of_b)) return false;
        from = i + 1;
    }
    return true;
}

static bool add_side(name_keys *k, const lc_cmp_side *s, bool of_b, bool whole) {
    for (size_t g = 0; g < s->model->graph_count; g++) { /* all forms of a value may bear its name */
        const lc_graph *graph = s->model->graphs[g];
        for (size_t t = 0; s->value_of[g] && t < graph->tensor_count; t++)
            if (s->value_of[g][t] >= 0 && !add_name(k, graph->tensors[t].name, s->value_of[g][t], of_b, whole)) return false;
    }
    return true;
}

static int by_hash(const void *pa, const void *pb) {
    const name_key *a = pa, *b = pb;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    if (a->of_b != b->of_b) return a->of_b ? 1 : -1;
    return a->value < b->value ? -1 : a->value > b->value;
}

/* Two values that share a part of their names nobody else has. */
typedef struct candidate {
    int32_t a, b;
} candidate;

/* What comes later first: of operators that were fused the last has the value that remains. */
static int later_first(const void *pa, const void *pb) {
    const candidate *a = pa, *b = pb;
    if (a->a != b->a) return a->a > b->a ? -1 : 1;
    return a->b > b->b ? -1 : a->b < b->b;
}

static lc_status pair_names(pairing *p, bool whole, lc_error *err) {
    lc_arena arena = {0};
    name_keys k = {.arena = &arena};
    size_t found = 0;
    candidate *list = NULL;
    if (add_side(&k, p->a, false, whole) && add_side(&k, p->b, true, whole)) list = lc_arena_array(&arena, k.count + 1, sizeof *list);
    if (!list) {
        lc_arena_deinit(&arena);
        return lc_fail_memory(err, "comparison");
    }
    if (k.count) qsort(k.items, k.count, sizeof *k.items, by_hash);
    for (size_t i = 0, j; i < k.count; i = j) {
        for (j = i + 1; j < k.count && k.items[j].hash == k.items[i].hash; j++) {}
        const name_key *first = &k.items[i], *last = &k.items[j - 1];
        bool alone = !first->of_b && last->of_b;
        for (size_t x = i; x < j; x++) alone = alone && k.items[x].value == (k.items[x].of_b ? last->value : first->value);
        if (alone) list[found++] = (candidate){first->value, last->value};
    }
    if (found) qsort(list, found, sizeof *list, later_first);
    for (size_t i = 0; i < found; i++) pair(p, list[i].a, list[i].b);
    lc_arena_deinit(&arena);
    return LC_OK;
}

/* ---- all together -------------------------------------------------------------------------------------------------------- */

static void spread(pairing *p) {
    while (p->work_count > 0) {
        const int32_t ib = p->work[--p->work_count];
        spread_back(p, &p->a->values[p->b->values[ib].pair], &p->b->values[ib]);
    }
}

/* From inputs to outputs, in B's order: an operator of one kind on the same things. */
static void spread_forward(pairing *p) {
    for (size_t i = 0; i < p->b->count; i++) {
        const lc_cmp_value *v = &p->b->values[i];
        const lc_node *n = lc_cmp_node(p->b, v);
        int32_t of_b = -1;
        if (!n || v->pair >= 0 || v->output != 0) continue;
        for (uint32_t k = 0; k < n->input_count && of_b < 0; k++) {
            const int32_t in = lc_cmp_input(p->b, v, n, k);
            if (in >= 0 && !p->b->values[in].constant && p->b->values[in].pair >= 0) of_b = in;
        }
        if (of_b < 0 || only_reader(p->b, of_b, n) != (int32_t)i) continue;
        pair(p, only_reader(p->a, p->b->values[of_b].pair, n), (int32_t)i);
        spread(p);
    }
}

/* Between two pairs, in order: the same kind of operator. */
static void pair_in_order(pairing *p) {
    int32_t from = -1;
    for (size_t i = 0; i < p->b->count; i++) {
        const lc_cmp_value *v = &p->b->values[i];
        if (v->constant) continue;
        if (v->pair >= 0) {
            if (v->pair > from) from = v->pair;
            continue;
        }
        int32_t until = (int32_t)p->a->count;
        for (size_t j = i + 1; j < p->b->count && j < i + WINDOW && until == (int32_t)p->a->count; j++)
            if (!p->b->values[j].constant && p->b->values[j].pair > from) until = p->b->values[j].pair;
        for (int32_t x = from + 1; x < until && x - from < WINDOW; x++) {
            const lc_node *a = lc_cmp_node(p->a, &p->a->values[x]), *b = lc_cmp_node(p->b, v);
            if (!same_operator(a, b) || v->output != p->a->values[x].output || !pair(p, x, (int32_t)i)) continue;
            from = x;
            break;
        }
    }
}

lc_status lc_cmp_pair(lc_cmp_side *a, lc_cmp_side *b, const lc_cmp_ends *e, lc_error *err) {
    pairing p = {.a = a, .b = b, .work = lc_calloc(b->count ? b->count : 1, sizeof(int32_t))};
    if (!p.work) return lc_fail_memory(err, "comparison");
    for (size_t i = 0; i < e->input_count; i++) pair(&p, a->value_of[e->graph_a][e->inputs_a[i]], b->value_of[e->graph_b][e->inputs_b[i]]);
    for (size_t i = 0; i < e->output_count; i++)
        pair(&p, a->value_of[e->graph_a][e->outputs_a[i]], b->value_of[e->graph_b][e->outputs_b[i]]);
    spread(&p);
    lc_status status = pair_names(&p, true, err);
    spread(&p);
    if (status == LC_OK) status = pair_names(&p, false, err);
    spread(&p);
    if (status == LC_OK) {
        spread_forward(&p);
        pair_in_order(&p);
        p.guess = true;
        p.work_count = 0;
        for (size_t i = 0; i < b->count; i++)
            if (b->values[i].pair >= 0) p.work[p.work_count++] = (int32_t)i;
        spread(&p);
    }
    lc_free(p.work);
    return status;
}
