/*
 * optimizer_graph.c: a step of each optimizer as operators. Formulas, order and state are those of optimizer.c and the families' files; the
 * state's variables are called "<state>/<variable>", the count of steps "iteration".
 */
#include "train/graph.h"
#include "train/optimizer_impl.h"

#include <stdlib.h>
#include <string.h>

/* A step in the making, and the variable in hand. */
typedef struct lc_update {
    const lc_optimizer *o;
    lc_builder *b;
    const lc_graph_state *store;
    int32_t rate, step;          /* scalars; step counts from 1 */
    int32_t product, correction; /* Nadam's; what the whole step shares */
    const lc_graph_variable *v;
    const lc_variable *variable;
    float *const *first; /* [LC_MOST_STATES] as the state is now */
    int32_t w, g;
} lc_update;

/* ---- state ------------------------------------------------------------------------------------------------------------ */

static const char *name_of(lc_update *u, int k) {
    const char *name = lc_arena_printf(&u->b->model->arena, "%s/%s", u->o->states[k].name, u->v->name);
    if (!name) lc_build_check(u->b, lc_fail_memory(u->b->err, "a variable"));
    return name;
}
static bool has(const lc_update *u, int k) { return u->o->states[k].name != NULL; }
static int32_t read(lc_update *u, int k) {
    const char *name = name_of(u, k);
    return name ? u->store->read(u->store->user, u->b, name, u->first[k], u->variable->dims, u->variable->rank) : -1;
}
/* State k becomes x, which is returned. */
static int32_t keep(lc_update *u, int k, int32_t x) {
    const char *name = name_of(u, k);
    if (name) u->store->write(u->store->user, u->b, name, x);
    return x;
}
/* State k moves towards x by a part: s + (x - s) part. */
static int32_t approach(lc_update *u, int k, int32_t x, double part) {
    const int32_t s = read(u, k);
    return keep(u, k, lc_gr_add(u->b, s, lc_gr_times(u->b, lc_gr_sub(u->b, x, s), part)));
}

/* 1 - beta^step */
static int32_t correction(lc_update *u, float beta) { return lc_gr_from(u->b, 1, lc_gr_power_of(u->b, (double)beta, u->step)); }
static int32_t root_above(lc_update *u, int32_t x, float epsilon) { return lc_gr_root(u->b, lc_gr_plus(u->b, x, (double)epsilon)); }

/* The variable less x. */
static int32_t less(lc_update *u, int32_t x) { return lc_gr_sub(u->b, u->w, x); }

/* ---- one function an optimizer: what becomes of the variable -------------------------------------------------------------- */

int32_t lc_sgd_append(lc_update *u) {
    lc_builder *b = u->b;
    const float *a = u->o->a;
    const int32_t now = lc_gr_mul(b, u->g, u->rate);
    if (!has(u, 0)) return less(u, now);
    const int32_t m = keep(u, 0, lc_gr_sub(b, lc_gr_times(b, read(u, 0), (double)a[0]), now));
    return u->o->flag ? less(u, lc_gr_sub(b, now, lc_gr_times(b, m, (double)a[0]))) : lc_gr_add(b, u->w, m);
}

int32_t lc_adam_append(lc_update *u) {
    lc_builder *b = u->b;
    const float *a = u->o->a;
    const int32_t m = approach(u, 0, u->g, (double)a[3]);
    int32_t v = approach(u, 1, lc_gr_square(b, u->g), (double)a[4]);
    if (has(u, 2)) v = keep(u, 2, lc_gr_max(b, read(u, 2), v));
    if (u->correction < 0) { /* rate sqrt(1 - beta_2^t) / (1 - beta_1^t), the same for all variables */
        const int32_t above = lc_gr_root(b, correction(u, a[1]));
        u->correction = lc_gr_div(b, lc_gr_mul(b, u->rate, above), correction(u, a[0]));
    }
    return less(u, lc_gr_div(b, lc_gr_mul(b, m, u->correction), lc_gr_plus(b, lc_gr_root(b, v), (double)a[2])));
}

int32_t lc_adamax_append(lc_update *u) {
    lc_builder *b = u->b;
    const float *a = u->o->a;
    const int32_t m = approach(u, 0, u->g, (double)a[3]);
    const int32_t size = keep(u, 1, lc_gr_max(b, lc_gr_times(b, read(u, 1), (double)a[1]), lc_build_unary(b, LC_OP_ABS, u->g)));
    const int32_t below = lc_gr_mul(b, correction(u, a[0]), lc_gr_plus(b, size, (double)a[2]));
    return less(u, lc_gr_div(b, lc_gr_mul(b, m, u->rate), below));
}

/* beta_1 (1 - 0.96^t / 2) */
static int32_t nadam_momentum(lc_update *u, int32_t step) {
    const int32_t fading = lc_gr_times(u->b, lc_gr_power_of(u->b, 0.96, step), 0.5);
    return lc_gr_times(u->b, lc_gr_from(u->b, 1, fading), (double)u->o->a[0]);
}

int32_t lc_nadam_append(lc_update *u) {
    static const int32_t one = 1;
    lc_builder *b = u->b;
    const float *a = u->o->a;
    const int32_t now = nadam_momentum(u, u->step), next = nadam_momentum(u, lc_gr_plus(b, u->step, 1));
    if (u->product < 0) { /* of the momenta of all steps */
        const char *name = "momentum_product";
        u->product = lc_gr_mul(b, u->store->read(u->store->user, b, name, &u->o->product, &one, 1), now);
        u->store->write(u->store->user, b, name, u->product);
    }
    const int32_t m = approach(u, 0, u->g, 1 - (double)a[0]), v = approach(u, 1, lc_gr_square(b, u->g), 1 - (double)a[1]);
    const int32_t ahead = lc_gr_div(b, lc_gr_mul(b, m, next), lc_gr_from(b, 1, lc_gr_mul(b, u->product, next)));
    const int32_t here = lc_gr_div(b, lc_gr_mul(b, u->g, lc_gr_from(b, 1, now)), lc_gr_from(b, 1, u->product));
    const int32_t below = lc_gr_plus(b, lc_gr_root(b, lc_gr_div(b, v, correction(u, a[1]))), (double)a[2]);
    return less(u, lc_gr_div(b, lc_gr_mul(b, lc_gr_add(b, ahead, here), u->rate), below));
}

int32_t lc_rmsprop_append(lc_update *u) {
    lc_builder *b = u->b;
    const float *a = u->o->a;
    int32_t v = approach(u, 0, lc_gr_square(b, u->g), (double)a[3]);
    if (has(u, 2)) v = lc_gr_sub(b, v, lc_gr_square(b, approach(u, 2, u->g, (double)a[3])));
    const int32_t change = lc_gr_div(b, lc_gr_mul(b, u->g, u->rate), root_above(u, v, a[2]));
    return less(u, has(u, 1) ? keep(u, 1, lc_gr_add(b, lc_gr_times(b, read(u, 1), (double)a[1]), change)) : change);
}

int32_t lc_adagrad_append(lc_update *u) {
    lc_builder *b = u->b;
    const int32_t sum = keep(u, 0, lc_gr_add(b, read(u, 0), lc_gr_square(b, u->g)));
    return less(u, lc_gr_div(b, lc_gr_mul(b, u->g, u->rate), root_above(u, sum, u->o->a[0])));
}

int32_t lc_adadelta_append(lc_update *u) {
    lc_builder *b = u->b;
    const float *a = u->o->a;
    const int32_t grads = approach(u, 0, lc_gr_square(b, u->g), (double)a[2]), changes = read(u, 1);
    const int32_t change = lc_gr_div(b, lc_gr_mul(b, u->g, root_above(u, changes, a[1])), root_above(u, grads, a[1]));
    const int32_t more = lc_gr_times(b, lc_gr_sub(b, lc_gr_square(b, change), changes), (double)a[2]);
    keep(u, 1, lc_gr_add(b, changes, more));
    return less(u, lc_gr_mul(b, change, u->rate));
}

static int32_t raised(lc_builder *b, int32_t x, float power) {
    return power == 0.5f ? lc_gr_root(b, x) : lc_gr_with(b, LC_OP_POW, x, (double)power);
}

int32_t lc_ftrl_append(lc_update *u) {
    lc_builder *b = u->b;
    const float *a = u->o->a;
    const int32_t sum = read(u, 0), grown = keep(u, 0, lc_gr_add(b, sum, lc_gr_square(b, u->g)));
    const int32_t used = a[3] != 0 ? lc_gr_add(b, u->g, lc_gr_times(b, u->w, (double)a[3])) : u->g;
    const int32_t high = lc_gr_div(b, raised(b, grown, a[0]), u->rate), low = lc_gr_div(b, raised(b, sum, a[0]), u->rate);
    const int32_t step = lc_gr_sub(b, used, lc_gr_mul(b, lc_gr_sub(b, high, low), u->w));
    const int32_t linear = keep(u, 1, lc_gr_add(b, read(u, 1), step));
    const int32_t clipped = lc_gr_within(b, linear, -(double)a[1], (double)a[1]);
    /* high + 2 l2 + beta / rate */
    int32_t below = lc_gr_plus(b, high, 2 * (double)a[2]);
    if (a[4] != 0) below = lc_gr_add(b, below, lc_gr_div(b, lc_gr_number(b, (double)a[4]), u->rate));
    return lc_gr_div(b, lc_gr_sub(b, clipped, linear), below);
}

int32_t lc_lion_append(lc_update *u) {
    lc_builder *b = u->b;
    const float *a = u->o->a;
    const int32_t m = read(u, 0);
    const int32_t x = lc_gr_add(b, lc_gr_times(b, m, (double)a[0]), lc_gr_times(b, u->g, 1 - (double)a[0]));
    keep(u, 0, lc_gr_add(b, lc_gr_times(b, m, (double)a[1]), lc_gr_times(b, u->g, 1 - (double)a[1])));
    return less(u, lc_gr_mul(b, lc_build_unary(b, LC_OP_SIGN, x), u->rate));
}

/* ---- a step ------------------------------------------------------------------------------------------------------------ */

static int32_t squares(lc_builder *b, int32_t g) { return lc_gr_all(b, LC_OP_SUM, lc_gr_square(b, g)); }

/* What all gradients are multiplied by: clip / max(norm, clip); -1: nothing. */
static int32_t global_scale(const lc_optimizer *o, lc_builder *b, const lc_graph_variable *list, uint32_t n) {
    int32_t sum = -1;
    if (!(o->global_clipnorm > 0)) return -1;
    for (uint32_t i = 0; i < n; i++)
        if (list[i].gradient >= 0) sum = sum < 0 ? squares(b, list[i].gradient) : lc_gr_add(b, sum, squares(b, list[i].gradient));
    if (sum < 0) return -1;
    const double most = (double)o->global_clipnorm;
    return lc_gr_div(b, lc_gr_number(b, most), lc_gr_max(b, lc_gr_root(b, sum), lc_gr_number(b, most)));
}

static int32_t clipped(const lc_update *u, int32_t scale) {
    lc_builder *b = u->b;
    const lc_optimizer *o = u->o;
    if (o->clipvalue > 0) return lc_gr_within(b, u->g, -(double)o->clipvalue, (double)o->clipvalue);
    if (o->clipnorm > 0) {
        const int32_t norm = lc_gr_max(b, lc_gr_root(b, squares(b, u->g)), lc_gr_number(b, (double)o->clipnorm));
        return lc_gr_div(b, lc_gr_times(b, u->g, (double)o->clipnorm), norm);
    }
    return scale >= 0 ? lc_gr_mul(b, u->g, scale) : u->g;
}

static bool refuses(const lc_optimizer *o, lc_builder *b) {
    const char *what = o->use_ema ? "use_ema" : o->accumulate ? "gradient_accumulation_steps" : NULL;
    if (!what) return false;
    lc_build_fail(b, LC_UNSUPPORTED, "training on a device knows no %s of an optimizer", what);
    lc_build_hint(b, "compile the model with an optimizer without it%s", o->accumulate ? ", and train with larger batches" : "");
    return true;
}

lc_status lc_optimizer_append(lc_optimizer *o, lc_builder *b, const lc_graph_state *state, lc_graph_variable *list, uint32_t n) {
    static const int32_t one = 1;
    if (refuses(o, b)) return b->status;
    float *iteration = lc_build_data(b, sizeof *iteration);
    if (!iteration) return b->status;
    *iteration = (float)o->iteration;
    const int32_t before = state->read(state->user, b, "iteration", iteration, &one, 1);
    lc_update u = {.o = o, .b = b, .store = state, .product = -1, .correction = -1};
    u.step = lc_gr_plus(b, before, 1);
    state->write(state->user, b, "iteration", u.step);
    u.rate = o->has_schedule ? lc_schedule_append(&o->schedule, b, before) : lc_gr_number(b, (double)o->learning_rate);
    const int32_t scale = global_scale(o, b, list, n);
    for (uint32_t i = 0; i < n && b->status == LC_OK; i++) {
        list[i].updated = -1;
        if (list[i].gradient < 0) continue;
        const struct lc_member *m = NULL;
        for (uint32_t k = 0; k < o->count; k++)
            if (o->members[k].variable->value == list[i].data) m = &o->members[k];
        if (!m) continue; /* it does not learn */
        u.v = &list[i];
        u.variable = m->variable;
        u.first = m->state;
        u.w = list[i].value;
        u.g = list[i].gradient;
        u.g = clipped(&u, scale);
        if (!isnan(o->weight_decay) && m->decays)
            u.w = lc_gr_sub(b, u.w, lc_gr_mul(b, lc_gr_times(b, u.w, (double)o->weight_decay), u.rate));
        list[i].updated = lc_constraint_append(m->variable, b, o->append(&u));
    }
    return b->status;
}
