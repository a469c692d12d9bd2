/*
 * net_checkpoint.c: the optimizer's state in checkpoints of TensorFlow 1, and checkpoints as files of weights.
 *
 *   dense/kernel, dense/kernel/Adam, dense/kernel/Adam_1, beta1_power, beta2_power, global_step
 *
 * The names and numbers are those of tf.compat.v1.train (train/state_names.def), whose Saver goes on from them: Momentum keeps the sum of gradients,
 * which is Keras's momentum divided by minus the learning rate. An optimizer that TensorFlow 1 does not have keeps its state under its own name.
 *
 * Read are checkpoints of TensorFlow 1, where a name is a key, and those with a graph of objects (save_weights of Keras 2, SavedModels), which says
 * what its keys were called. A variable is found by its path, or where the names of models around it are in one of the two and not in the other;
 * there must be exactly one. The optimizer's state is taken where the net is compiled and all of it is there.
 */
#include "api/net.h"

#include "emit/bundle_emit.h"
#include "ir/constant.h"
#include "ir/strings.h"
#include "proto/proto.h"
#include "source/checkpoint.h"
#include "train/state_names.h"

#include <math.h>
#include <string.h>

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

/* ---- names ------------------------------------------------------------------------------------------------------------------- */

/* "Adam_1" for a state of the net's optimizer. RMSProp numbers its momentum behind the average gradient where it has one. */
static const char *tensorflow_name(const lc_net *net, const char *state) {
    const char *class_name = lc_optimizer_class(net->optimizer);
    const lc_state_name *n = lc_state_name_of(class_name, state);
    uint32_t count;
    const lc_slot *slots = lc_optimizer_slots(net->optimizer, &count);
    bool centered = false;
    for (uint32_t i = 0; i < count; i++) centered = centered || is(slots[i].state, "average_gradient");
    return centered && is(class_name, "RMSprop") && is(state, "momentum") ? "RMSProp_2" : n ? n->tensorflow : state;
}

/* Momentum is kept in another unit: what the numbers here are multiplied by. */
static double unit_of(const lc_net *net, const char *state) {
    return is(lc_optimizer_class(net->optimizer), "SGD") && is(state, "momentum") ? -1 / (double)lc_optimizer_learning_rate(net->optimizer)
                                                                                  : 1;
}

static lc_status no_rate(lc_error *err) {
    lc_fail(err, LC_UNSUPPORTED, "the learning rate is 0: TensorFlow 1 has no form for a momentum then");
    lc_error_hint(err, "set a learning rate, or save without the optimizer's state (lc_net_save_options.no_optimizer)");
    return LC_UNSUPPORTED;
}

/* ---- to a checkpoint ------------------------------------------------------------------------------------------------------------ */

typedef struct listing {
    lc_arena *arena;
    lc_emit_variable *list;
    uint32_t n;
    lc_error *err;
} listing;

static lc_status put(listing *l, const char *name, lc_dtype type, int32_t rank, const int32_t *dims, const void *data, size_t size) {
    static const int32_t none[1];
    if (!name || !data) return lc_fail_memory(l->err, "the optimizer's state");
    l->list[l->n++] =
        (lc_emit_variable){.name = name, .type = type, .rank = rank, .dims = rank ? dims : none, .data = data, .size = size, .tensor = -1};
    return LC_OK;
}

static lc_status put_number(listing *l, const char *name, double value) {
    float *kept = lc_arena_alloc(l->arena, sizeof *kept);
    if (kept) *kept = (float)value;
    return put(l, name, LC_FLOAT32, 0, NULL, kept, sizeof *kept);
}

/* An array beside its variable; slot NULL: zeros. */
static lc_status put_array(listing *l, const lc_net *net, const lc_variable *v, const char *name, const lc_slot *slot, double unit) {
    const char *path = lc_net_unique_path(net, v, l->arena);
    const float *from = slot ? slot->data : NULL;
    float *made = from && unit == 1 ? NULL : lc_arena_array(l->arena, v->n + 1, sizeof *made);
    for (size_t i = 0; from && made && i < v->n; i++) made[i] = (float)(from[i] * unit);
    return put(l, path ? lc_arena_printf(l->arena, "%s/%s", path, name) : NULL, LC_FLOAT32, v->rank, v->dims, made ? made : from,
               v->n * sizeof(float));
}

lc_status lc_net_list_slots(const lc_net *net, lc_arena *arena, lc_emit_variable **list, uint32_t *n, lc_error *err) {
    uint32_t count;
    double betas[2];
    const lc_slot *slots = lc_optimizer_slots(net->optimizer, &count);
    const char *class_name = lc_optimizer_class(net->optimizer);
    listing l = {.arena = arena, .n = *n, .err = err};
    bool momentum = false;
    l.list = lc_arena_array(arena, (size_t)*n + count + net->variable_count + 5, sizeof *l.list);
    if (!l.list) return lc_fail_memory(err, "the optimizer's state");
    memcpy(l.list, *list, *n * sizeof *l.list);
    for (uint32_t i = 0; i < count; i++) {
        if (!slots[i].variable) continue;
        const double unit = unit_of(net, slots[i].state);
        if (!isfinite(unit)) return no_rate(err);
        momentum = momentum || is(slots[i].state, "momentum");
        LC_TRY(put_array(&l, net, slots[i].variable, tensorflow_name(net, slots[i].state), &slots[i], unit));
    }
    for (uint32_t i = 0; is(class_name, "RMSprop") && !momentum && i < net->variable_count; i++) /* TensorFlow's has one in any case */
        if (net->variables[i].trainable) LC_TRY(put_array(&l, net, &net->variables[i], tensorflow_name(net, "momentum"), NULL, 1));
    if (lc_optimizer_betas(net->optimizer, betas)) { /* of the step that comes next */
        const double steps = (double)lc_optimizer_iteration(net->optimizer) + 1;
        LC_TRY(put_number(&l, "beta1_power", pow(betas[0], steps)));
        LC_TRY(put_number(&l, "beta2_power", pow(betas[1], steps)));
    }
    LC_TRY(put(&l, "global_step", LC_INT64, 0, NULL, slots[0].data, sizeof(int64_t)));
    *list = l.list;
    *n = l.n;
    return LC_OK;
}

/* ---- what a checkpoint has -------------------------------------------------------------------------------------------------------- */

typedef struct held {
    lc_str name; /* as it was called when it was made */
    const lc_ckpt_entry *entry;
} held;

typedef struct loading {
    lc_net *net;
    const char *path;
    lc_arena arena;
    lc_budget budget;
    lc_ckpt *ckpt;
    held *list;
    size_t n;
    lc_error *err;
} loading;

static bool from_optimizer(lc_str key) {
    static const char mark[] = ".OPTIMIZER_SLOT";
    return (key.size >= 10 && memcmp(key.data, "optimizer/", 10) == 0) || memmem(key.data, key.size, mark, sizeof mark - 1) != NULL;
}

/* The names that a graph of objects tells; false: there is none. */
static lc_status list_objects(loading *l, bool *found) {
    const lc_ckpt_entry *e = lc_ckpt_find(l->ckpt, LC_STR("_CHECKPOINTABLE_OBJECT_GRAPH"));
    const void *data;
    size_t size;
    lc_str bytes;
    void *message;
    *found = e && e->type == LC_STRING && e->elements == 1;
    if (!*found) return LC_OK;
    LC_TRY(lc_ckpt_read(l->ckpt, e, &data, &size, l->err));
    if (!lc_strings_find(data, size, 1, 0, &bytes)) return *found = false, LC_OK;
    LC_TRY(lc_pb_read(LC_PB_TrackableObjectGraph, bytes.data, bytes.size, &l->budget, &l->arena, &message, l->err));
    const lc_pb_TrackableObjectGraph *g = message;
    size_t n = 0;
    for (uint32_t i = 0; i < g->nodes.n; i++) n += g->nodes.data[i].attributes.n; /* charged to the budget when they were read */
    l->list = lc_arena_array(&l->arena, n + 1, sizeof *l->list);
    if (!l->list) return lc_fail_memory(l->err, "variables");
    for (uint32_t i = 0; i < g->nodes.n; i++)
        for (uint32_t k = 0; k < g->nodes.data[i].attributes.n; k++) {
            const lc_pb_TrackableObjectGraph_TrackableObject_SerializedTensor *t = &g->nodes.data[i].attributes.data[k];
            const lc_ckpt_entry *entry = t->checkpoint_key.data ? lc_ckpt_find(l->ckpt, t->checkpoint_key) : NULL;
            if (entry && t->full_name.size && !from_optimizer(t->checkpoint_key)) l->list[l->n++] = (held){t->full_name, entry};
        }
    return LC_OK;
}

static lc_status list_all(loading *l) {
    bool objects;
    LC_TRY(lc_ckpt_open(l->path, &l->budget, &l->arena, &l->ckpt, l->err));
    LC_TRY(list_objects(l, &objects));
    if (objects) return LC_OK;
    const size_t n = lc_ckpt_count(l->ckpt);
    l->list = lc_arena_array(&l->arena, n + 1, sizeof *l->list);
    if (!l->list) return lc_fail_memory(l->err, "variables");
    for (; l->n < n; l->n++) l->list[l->n] = (held){lc_ckpt_at(l->ckpt, l->n)->name, lc_ckpt_at(l->ckpt, l->n)};
    return LC_OK;
}

static bool ends_below(lc_str whole, lc_str end) {
    return whole.size > end.size + 1 && whole.data[whole.size - end.size - 1] == '/' &&
           memcmp(whole.data + whole.size - end.size, end.data, end.size) == 0;
}

/* The one entry that may be this variable; by its whole name, else by the end of either; NULL: none, or several. */
static const lc_ckpt_entry *find(const loading *l, lc_str name, bool *several) {
    const lc_ckpt_entry *found = NULL;
    *several = false;
    for (size_t i = 0; i < l->n; i++)
        if (lc_str_eq(l->list[i].name, name)) {
            *several = *several || (found && found != l->list[i].entry);
            found = l->list[i].entry;
        }
    if (found) return *several ? NULL : found;
    for (size_t i = 0; i < l->n; i++) {
        const lc_str other = l->list[i].name;
        const bool scope = ends_below(other, name) && !memchr(other.data, '/', other.size - name.size - 1);
        if (!scope && !(ends_below(name, other) && memchr(other.data, '/', other.size))) continue;
        *several = *several || (found && found != l->list[i].entry);
        found = l->list[i].entry;
    }
    return *several ? NULL : found;
}

static lc_status check_shape(const loading *l, const lc_ckpt_entry *e, const char *path, int32_t rank, const int32_t *dims) {
    bool same = e->rank == rank;
    for (int32_t i = 0; same && i < rank; i++) same = e->dims[i] == dims[i];
    if (same && lc_floats_can_load(e->type)) return LC_OK;
    return lc_fail(l->err, LC_INVALID, "%.200s: \"%.200s\" has another shape or type than in the model", l->path, path);
}

/* The numbers of an entry into float32. */
static lc_status read_floats(loading *l, const lc_ckpt_entry *e, size_t n, double unit, float *out) {
    const void *data;
    size_t size;
    uint64_t bytes;
    LC_TRY(lc_ckpt_read(l->ckpt, e, &data, &size, l->err));
    if (!lc_dtype_bytes(e->type, n, &bytes) || bytes != size)
        return lc_fail(l->err, LC_INVALID, "%.200s: \"%.200s\" has another size than in the model", l->path, e->name.data);
    lc_floats_load(e->type, data, 0, n, out);
    for (size_t i = 0; unit != 1 && i < n; i++) out[i] = (float)(out[i] / unit);
    return LC_OK;
}

/* ---- from a checkpoint ------------------------------------------------------------------------------------------------------------ */

/* All variables, into memory of their own: a file that does not fit changes nothing. */
static lc_status read_variables(loading *l, float **values, const lc_ckpt_entry **from) {
    const lc_net *net = l->net;
    for (uint32_t i = 0; i < net->variable_count; i++) {
        const lc_variable *v = &net->variables[i];
        const char *path = lc_net_unique_path(net, v, &l->arena);
        bool several;
        if (!path) return lc_fail_memory(l->err, "variables");
        LC_TRY(lc_budget_tables(&l->budget, l->n, "names of variables", l->err));
        from[i] = find(l, lc_str_of(path), &several);
        if (!from[i]) {
            lc_fail(l->err, LC_INVALID, "%.200s has %s that could be \"%.200s\"", l->path, several ? "several variables" : "no variable",
                    path);
            lc_error_hint(l->err, "it is of another architecture, or its layers have other names: litec freeze shows the names in a graph; "
                                  ".h5 and .weights.h5 files go by the order of layers");
            return LC_INVALID;
        }
        for (uint32_t k = 0; k < i; k++)
            if (from[k] == from[i])
                return lc_fail(l->err, LC_INVALID, "%.200s has one variable that could be \"%.200s\" and \"%.200s\"", l->path,
                               net->variables[k].path, path);
        LC_TRY(check_shape(l, from[i], path, v->rank, v->dims));
        LC_TRY(lc_budget_memory(&l->budget, v->n * sizeof(float), "variables", l->err));
        values[i] = lc_arena_data(&l->arena, v->n * sizeof(float) + 1);
        if (!values[i]) return lc_fail_memory(l->err, "variables");
        LC_TRY(read_floats(l, from[i], v->n, 1, values[i]));
    }
    return LC_OK;
}

/* The step: TensorFlow counts it where it was told to, else a power of beta tells. -1: nothing does. */
static lc_status read_step(loading *l, int64_t *step) {
    const lc_ckpt_entry *e = lc_ckpt_find(l->ckpt, LC_STR("global_step")), *power = lc_ckpt_find(l->ckpt, LC_STR("beta1_power"));
    const void *data;
    size_t size;
    double betas[2];
    float beta;
    *step = -1;
    if (e && e->rank == 0 && (e->type == LC_INT64 || e->type == LC_INT32)) {
        int32_t small;
        LC_TRY(lc_ckpt_read(l->ckpt, e, &data, &size, l->err));
        if (e->type == LC_INT64) memcpy(step, data, sizeof *step);
        else memcpy(&small, data, sizeof small), *step = small;
    } else if (power && power->rank == 0 && power->type == LC_FLOAT32 && lc_optimizer_betas(l->net->optimizer, betas)) {
        LC_TRY(read_floats(l, power, 1, 1, &beta));
        const double n = beta > 0 && betas[0] > 0 && betas[0] < 1 ? round(log((double)beta) / log(betas[0])) - 1 : -1;
        *step = n >= 0 && n < 1e15 ? (int64_t)n : -1;
    }
    return LC_OK;
}

/* The state beside the variables; nothing where some of it is not there. */
static lc_status read_slots(loading *l, const lc_ckpt_entry *const *from, float **values, int64_t *step, bool *whole) {
    lc_net *net = l->net;
    uint32_t n, at = 0;
    const lc_slot *slots = lc_optimizer_slots(net->optimizer, &n);
    LC_TRY(read_step(l, step));
    *whole = *step >= 0;
    for (uint32_t i = 0; i < n && *whole; i++) {
        if (!slots[i].variable) continue;
        const lc_variable *v = slots[i].variable;
        const char *name = lc_arena_printf(&l->arena, "%s/%s", from[v - net->variables]->name.data, tensorflow_name(net, slots[i].state));
        if (!name) return lc_fail_memory(l->err, "variables");
        const lc_ckpt_entry *e = lc_ckpt_find(l->ckpt, lc_str_of(name));
        const double unit = unit_of(net, slots[i].state);
        *whole = e && isfinite(unit);
        if (!*whole) break;
        LC_TRY(check_shape(l, e, name, v->rank, v->dims));
        LC_TRY(lc_budget_memory(&l->budget, v->n * sizeof(float), "variables", l->err));
        values[at] = lc_arena_data(&l->arena, v->n * sizeof(float) + 1);
        if (!values[at]) return lc_fail_memory(l->err, "variables");
        LC_TRY(read_floats(l, e, v->n, unit, values[at++]));
    }
    return LC_OK;
}

static lc_status load(loading *l) {
    lc_net *net = l->net;
    uint32_t n = 0, at = 0;
    int64_t step;
    bool whole = false;
    const lc_slot *slots = net->optimizer ? lc_optimizer_slots(net->optimizer, &n) : NULL;
    LC_TRY(list_all(l));
    float **values = lc_arena_array(&l->arena, (size_t)net->variable_count + 1, sizeof *values),
          **state = lc_arena_array(&l->arena, (size_t)n + 1, sizeof *state);
    const lc_ckpt_entry **from = lc_arena_array(&l->arena, (size_t)net->variable_count + 1, sizeof *from);
    if (!values || !state || !from) return lc_fail_memory(l->err, "variables");
    LC_TRY(read_variables(l, values, from));
    if (n) LC_TRY(read_slots(l, from, state, &step, &whole));
    for (uint32_t i = 0; i < net->variable_count; i++) memcpy(net->variables[i].value, values[i], net->variables[i].n * sizeof(float));
    for (uint32_t i = 0; whole && i < n; i++)
        if (slots[i].variable) memcpy(slots[i].data, state[at++], slots[i].n * sizeof(float));
    if (whole) {
        memcpy(slots[0].data, &step, sizeof step);
        lc_net_settle_product(net);
    }
    return LC_OK;
}

bool lc_net_is_checkpoint(const char *path) {
    char index[4096];
    const int n = path ? snprintf(index, sizeof index, "%s.index", path) : -1;
    lc_map map;
    if (n < 0 || (size_t)n >= sizeof index) return false;
    if (lc_path_is_dir(path) || lc_path_ends(path, ".index")) return true;
    if (lc_map_open(&map, index, NULL, NULL) != LC_OK) return false;
    lc_map_close(&map);
    return true;
}

lc_status lc_net_load_checkpoint(lc_net *net, const char *path, lc_error *err) {
    loading l = {.net = net, .path = path, .err = err};
    lc_budget_init(&l.budget, &net->limits);
    const lc_status status = load(&l);
    lc_ckpt_close(l.ckpt);
    lc_arena_deinit(&l.arena);
    return status;
}
