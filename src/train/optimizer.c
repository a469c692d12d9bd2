/*
 * What all optimizers have. The trainable variables are cut into pieces of a fixed length; a step goes over the pieces once (twice where a norm
 * of the gradients is wanted first), and everything that happens to a piece happens while it is in the cache: clipping, weight decay, the
 * family's update, the moving average. A piece is never shared by two threads and no sum crosses one but through `partial`, which is added up
 * in order, so the result does not depend on the number of threads.
 */
#include "train/optimizer_impl.h"

#include "base/alloc.h"
#include <stdio.h>
#include <string.h>

#define LC_PIECE 16384 /* elements: with state and gradient about half of a core's second cache */

/* ---- making one --------------------------------------------------------------------------------------------------- */

typedef struct kind {
    const char *name;
    void (*setup)(lc_optimizer *o, lc_config *c);
    void (*update)(const lc_optimizer *o, const lc_piece *p);
    int32_t (*append)(struct lc_update *u);
} kind;

static const kind kinds[] = {
#define LC_OPTIMIZER(class, setup, update, append) {#class, setup, update, append},
#include "train/optimizers.def"
};

static int64_t count_option(lc_config *c, const char *argument, int64_t least) {
    const int64_t v = lc_config_integer(c, argument);
    if (v == LC_NONE) return 0;
    if (v < least) lc_config_fail(c, "%s is %lld, at least %lld is wanted", argument, (long long)v, (long long)least);
    return v;
}

static void read_common(lc_optimizer *o, lc_config *c) {
    const lc_json *rate = lc_config_json(c, "learning_rate");
    o->has_schedule = lc_json_is(rate, LC_JSON_OBJECT);
    if (!o->has_schedule) o->learning_rate = (float)lc_config_number(c, "learning_rate");
    else if (c->status == LC_OK) c->status = lc_schedule_read(rate, &o->schedule, c->err);
    o->weight_decay = (float)lc_config_number(c, "weight_decay");
    const lc_json *decay = lc_json_get(c->json, "weight_decay");
    if (strcmp(c->class.name, "AdamW") == 0 && decay && decay->kind == LC_JSON_NULL) lc_config_fail(c, "weight_decay must be a number");
    o->clipnorm = (float)lc_config_number(c, "clipnorm");
    o->clipvalue = (float)lc_config_number(c, "clipvalue");
    o->global_clipnorm = (float)lc_config_number(c, "global_clipnorm");
    if (!isnan(o->clipnorm) + !isnan(o->clipvalue) + !isnan(o->global_clipnorm) > 1)
        lc_config_fail(c, "only one of clipnorm, clipvalue and global_clipnorm can be given");
    o->use_ema = lc_config_flag(c, "use_ema");
    o->ema_momentum = (float)(o->use_ema ? lc_config_between(c, "ema_momentum", 0, 1) : 0);
    o->ema_overwrite = o->use_ema ? count_option(c, "ema_overwrite_frequency", 1) : 0;
    o->loss_scale = (float)lc_config_number(c, "loss_scale_factor");
    o->accumulate = count_option(c, "gradient_accumulation_steps", 2);
}

/* Elements of an array in the memory of all: each begins on a cache line. */
static uint64_t padded(size_t n) { return ((uint64_t)n + 15) / 16 * 16; }

/* The slots of one state for one member: an array, named "dense_kernel_momentum". */
static void add_slot(lc_optimizer *o, const struct lc_member *m, const char *name, float first, char **text, float **memory,
                     float **array) {
    lc_slot *slot = &o->slots[o->slot_count++];
    const lc_variable *v = m->variable;
    *slot = (lc_slot){.name = *text, .state = name, .variable = v, .type = LC_FLOAT32, .data = *memory, .n = v->n, .rank = v->rank};
    memcpy(slot->dims, v->dims, sizeof slot->dims);
    for (const char *s = v->path; *s; s++) *(*text)++ = *s == '/' ? '_' : *s;
    *(*text)++ = '_';
    for (; *name; name++) *(*text)++ = *name;
    *(*text)++ = '\0';
    *array = *memory;
    for (size_t i = 0; first != 0 && i < v->n; i++) (*memory)[i] = first;
    *memory += padded(v->n);
}

static uint32_t state_count(const lc_optimizer *o) {
    uint32_t n = (uint32_t)o->use_ema + (o->accumulate != 0);
    for (int i = 0; i < LC_MOST_STATES; i++) n += o->states[i].name != NULL;
    return n;
}

static void make_slots(lc_optimizer *o) {
    char *text = o->names;
    float *memory = o->memory;
    o->slots[o->slot_count++] = (lc_slot){.name = "iteration", .type = LC_INT64, .data = &o->iteration, .n = 1};
    if (!o->has_schedule)
        o->slots[o->slot_count++] = (lc_slot){.name = "learning_rate", .type = LC_FLOAT32, .data = &o->learning_rate, .n = 1};
    for (uint32_t i = 0; o->use_ema && i < o->count; i++) add_slot(o, &o->members[i], "average", 0, &text, &memory, &o->members[i].average);
    for (uint32_t i = 0; o->accumulate && i < o->count; i++)
        add_slot(o, &o->members[i], "gradient_accumulator", 0, &text, &memory, &o->members[i].accumulated);
    for (int s = 0, after; s < LC_MOST_STATES; s = after) {
        for (after = s + 1; after < LC_MOST_STATES && o->states[after].with_last; after++) {}
        for (uint32_t i = 0; i < o->count; i++)
            for (int k = s; k < after; k++)
                if (o->states[k].name)
                    add_slot(o, &o->members[i], o->states[k].name, o->states[k].first, &text, &memory, &o->members[i].state[k]);
    }
    if (o->has_product) o->slots[o->slot_count++] = (lc_slot){.name = "variable", .type = LC_FLOAT32, .data = &o->product, .n = 1};
}

static lc_status allocate(lc_optimizer *o, const lc_variable *variables, uint32_t count, lc_error *err) {
    uint64_t elements = 0, letters = 0;
    for (uint32_t i = 0; i < count; i++) {
        const lc_variable *v = &variables[i];
        if (!v->trainable) continue;
        LC_TRY(lc_variable_check(v, err));
        o->count++;
        o->pieces += (int64_t)((v->n + LC_PIECE - 1) / LC_PIECE);
        elements += padded(v->n);
        letters += strlen(v->path) + sizeof "_gradient_accumulator" + 1;
    }
    const uint32_t states = state_count(o);
    if (elements > SIZE_MAX / sizeof(float) / 8) return lc_fail_memory(err, "an optimizer");
    o->members = lc_calloc((size_t)o->count + 1, sizeof *o->members);
    o->partial = lc_calloc((size_t)o->pieces + 1, sizeof *o->partial);
    o->slots = lc_calloc((size_t)o->count * states + 3, sizeof *o->slots);
    o->names = lc_malloc((size_t)letters * (states + 1) + 1);
    o->memory = lc_calloc_aligned((size_t)elements * states * sizeof(float) + sizeof(float));
    if (!o->members || !o->partial || !o->slots || !o->names || !o->memory) return lc_fail_memory(err, "an optimizer");
    int64_t piece = 0;
    struct lc_member *m = o->members;
    for (uint32_t i = 0; i < count; i++) {
        if (!variables[i].trainable) continue;
        *m++ = (struct lc_member){.variable = &variables[i], .first_piece = piece, .scale = 1, .decays = true};
        piece += (int64_t)((variables[i].n + LC_PIECE - 1) / LC_PIECE);
    }
    m->first_piece = piece;
    make_slots(o);
    return LC_OK;
}

lc_status lc_optimizer_create(const lc_json *object, const lc_variable *variables, uint32_t count, lc_optimizer **optimizer,
                              lc_error *err) {
    *optimizer = NULL;
    lc_config c;
    LC_TRY(lc_config_open(LC_CLASS_OPTIMIZER, object, &c, err));
    lc_optimizer *o = lc_calloc(1, sizeof *o);
    if (!o) return lc_fail_memory(err, "an optimizer");
    o->product = 1;
    read_common(o, &c);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, c.class.name) != 0) continue;
        o->class_name = kinds[i].name;
        kinds[i].setup(o, &c);
        o->update = kinds[i].update;
        o->append = kinds[i].append;
    }
    lc_status status = c.status;
    if (status == LC_OK) status = allocate(o, variables, count, err);
    if (status != LC_OK) lc_optimizer_destroy(o);
    else *optimizer = o;
    return status;
}

void lc_optimizer_destroy(lc_optimizer *o) {
    if (!o) return;
    lc_free(o->members);
    lc_free(o->partial);
    lc_free(o->slots);
    lc_free(o->names);
    lc_free_aligned(o->memory);
    lc_free(o);
}

void lc_optimizer_exclude_from_weight_decay(lc_optimizer *o, const char *words) {
    for (uint32_t i = 0; i < o->count; i++) {
        o->members[i].decays = true;
        for (const char *word = words; word && *word;) {
            const size_t n = strcspn(word, " ");
            if (n && memmem(o->members[i].variable->path, strlen(o->members[i].variable->path), word, n)) o->members[i].decays = false;
            word += n + (word[n] == ' ');
        }
    }
}

/* ---- a step ------------------------------------------------------------------------------------------------------- */

typedef struct step {
    lc_optimizer *o;
    bool updates;  /* false: the gradients are only added up */
    bool squares;  /* partial: the sum of the squares of each piece's gradient; else whether there is one that is not finite */
    float average; /* momentum of the moving average */
    bool overwrite;
} step;

static struct lc_member *member_of(const lc_optimizer *o, int64_t piece) {
    uint32_t low = 0, high = o->count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (o->members[middle].first_piece <= piece) low = middle;
        else high = middle;
    }
    return &o->members[low];
}

/* Where a piece lies in its variable: its first element, its length. */
static size_t begin_of(const struct lc_member *m, int64_t piece, size_t *n) {
    const size_t begin = (size_t)(piece - m->first_piece) * LC_PIECE;
    *n = m->variable->n - begin < LC_PIECE ? m->variable->n - begin : LC_PIECE;
    return begin;
}

/* The gradient as the optimizer is to see it: unscaled, added up. */
static void prepare(const step *s, const struct lc_member *m, size_t begin, size_t n) {
    const lc_optimizer *o = s->o;
    float *restrict g = m->variable->grad + begin;
    if (!isnan(o->loss_scale))
        for (size_t i = 0; i < n; i++) g[i] /= o->loss_scale;
    if (!o->accumulate) return;
    float *restrict sum = m->accumulated + begin;
    const float steps = (float)o->accumulate;
    for (size_t i = 0; i < n; i++) {
        const float added = g[i] + sum[i];
        g[i] = added / steps;
        sum[i] = s->updates ? 0 : added;
    }
}

static void prepare_work(void *arg, int64_t from, int64_t to, int32_t thread) {
    (void)thread;
    const step *s = arg;
    for (int64_t piece = from; piece < to; piece++) {
        const struct lc_member *m = member_of(s->o, piece);
        size_t n;
        const size_t begin = begin_of(m, piece, &n);
        if (!m->variable->grad) continue;
        prepare(s, m, begin, n);
        const float *g = m->variable->grad + begin;
        double sum = 0;
        for (size_t i = 0; s->squares && i < n; i++) sum += (double)g[i] * g[i];
        s->o->partial[piece] = sum;
    }
}

static void update_piece(const step *s, struct lc_member *m, size_t begin, size_t n) {
    lc_optimizer *o = s->o;
    float *restrict w = m->variable->value + begin;
    if (m->variable->grad && s->updates) {
        float *restrict g = m->variable->grad + begin;
        if (o->clipvalue > 0)
            for (size_t i = 0; i < n; i++) g[i] = g[i] < -o->clipvalue ? -o->clipvalue : g[i] > o->clipvalue ? o->clipvalue : g[i];
        else if (o->clipnorm > 0)
            for (size_t i = 0; i < n; i++) g[i] = g[i] * o->clipnorm / m->scale;
        else if (o->global_clipnorm > 0)
            for (size_t i = 0; i < n; i++) g[i] *= m->scale;
        if (!isnan(o->weight_decay) && m->decays)
            for (size_t i = 0; i < n; i++) w[i] -= w[i] * o->weight_decay * o->rate;
        lc_piece p = {.value = w, .grad = g, .n = n};
        for (int k = 0; k < LC_MOST_STATES; k++) p.state[k] = m->state[k] ? m->state[k] + begin : NULL;
        o->update(o, &p);
    }
    if (!o->use_ema) return;
    float *restrict average = m->average + begin;
    const float kept = s->average, rest = 1 - kept;
    for (size_t i = 0; i < n; i++) average[i] = kept * average[i] + rest * w[i];
    if (s->overwrite) memcpy(w, average, n * sizeof *w);
}

static void update_work(void *arg, int64_t from, int64_t to, int32_t thread) {
    (void)thread;
    const step *s = arg;
    for (int64_t piece = from; piece < to; piece++) {
        struct lc_member *m = member_of(s->o, piece);
        size_t n;
        const size_t begin = begin_of(m, piece, &n);
        update_piece(s, m, begin, n);
    }
}

/* From the sums of squares: what each gradient is scaled by. */
static void find_scales(lc_optimizer *o) {
    double all = 0;
    for (uint32_t i = 0; i < o->count; i++) {
        struct lc_member *m = &o->members[i];
        double sum = 0;
        for (int64_t piece = m->first_piece; piece < o->members[i + 1].first_piece; piece++) sum += o->partial[piece];
        all += sum;
        m->scale = fmaxf((float)sqrt(sum), o->clipnorm);
        if (isnan(sum)) m->scale = (float)sum;
    }
    if (!(o->global_clipnorm > 0)) return;
    const float norm = (float)sqrt(all), most = o->global_clipnorm;
    const float scale = most * fminf(1 / norm, 1 / most) + (norm - norm); /* NaN when the norm is infinite: as Keras */
    for (uint32_t i = 0; i < o->count; i++) o->members[i].scale = scale;
}

void lc_optimizer_step(lc_optimizer *o, lc_pool *pool) {
    const int64_t steps = o->accumulate ? o->iteration / o->accumulate : o->iteration;
    step s = {.o = o, .updates = !o->accumulate || (o->iteration + 1) % o->accumulate == 0};
    s.squares = s.updates && (o->clipnorm > 0 || o->global_clipnorm > 0);
    s.average = steps != 0 ? o->ema_momentum : 0;
    s.overwrite = o->ema_overwrite && (steps + 1) % o->ema_overwrite == 0;
    o->rate = lc_optimizer_learning_rate(o);
    o->step = (float)(steps + 1);
    if (o->has_product && s.updates) o->product = o->product * o->a[0] * (1 - 0.5f * powf(0.96f, o->step));
    memset(o->partial, 0, (size_t)o->pieces * sizeof *o->partial);
    if (s.squares || o->accumulate || !isnan(o->loss_scale)) lc_pool_run(pool, o->pieces, 1, prepare_work, &s);
    if (s.squares) find_scales(o);
    lc_pool_run(pool, o->pieces, 1, update_work, &s);
    for (uint32_t i = 0; i < o->count; i++)
        if (o->members[i].variable->grad) lc_constraint_run(o->members[i].variable);
    o->iteration++;
}

/* ---- looking at one ----------------------------------------------------------------------------------------------- */

static void finite_work(void *arg, int64_t from, int64_t to, int32_t thread) {
    (void)thread;
    const lc_optimizer *o = arg;
    for (int64_t piece = from; piece < to; piece++) {
        const struct lc_member *m = member_of(o, piece);
        size_t n;
        const size_t begin = begin_of(m, piece, &n);
        uint32_t bad = 0; /* on the bits, which compilers turn into SIMD: this is done in every step */
        for (size_t i = 0; m->variable->grad && i < n; i++) {
            uint32_t bits;
            memcpy(&bits, &m->variable->grad[begin + i], sizeof bits);
            bad |= (bits & 0x7f800000u) == 0x7f800000u;
        }
        o->partial[piece] = bad;
    }
}

const lc_variable *lc_optimizer_not_finite(const lc_optimizer *o, lc_pool *pool) {
    lc_pool_run(pool, o->pieces, 1, finite_work, (void *)(uintptr_t)o);
    for (int64_t piece = 0; piece < o->pieces; piece++)
        if (o->partial[piece] != 0) return member_of(o, piece)->variable;
    return NULL;
}

const lc_slot *lc_optimizer_slots(lc_optimizer *o, uint32_t *count) {
    *count = o->slot_count;
    return o->slots;
}

float lc_optimizer_loss_scale(const lc_optimizer *o) { return isnan(o->loss_scale) ? 1 : o->loss_scale; }

const char *lc_optimizer_class(const lc_optimizer *o) { return o->class_name; }

bool lc_optimizer_betas(const lc_optimizer *o, double betas[2]) {
    static const char *const kin[] = {"Adam", "AdamW", "Adamax", "Nadam"};
    for (size_t i = 0; i < sizeof kin / sizeof *kin; i++)
        if (strcmp(o->class_name, kin[i]) == 0) {
            betas[0] = (double)o->a[0];
            betas[1] = (double)o->a[1];
            return true;
        }
    return false;
}

bool lc_optimizer_has_schedule(const lc_optimizer *o) { return o->has_schedule; }

int64_t lc_optimizer_iteration(const lc_optimizer *o) { return o->iteration; }

float lc_optimizer_learning_rate(const lc_optimizer *o) {
    return o->has_schedule ? lc_schedule_rate(&o->schedule, o->iteration) : o->learning_rate;
}

lc_status lc_optimizer_set_learning_rate(lc_optimizer *o, float rate, lc_error *err) {
    if (o->has_schedule) {
        lc_fail(err, LC_ARGUMENT, "the learning rate follows a schedule: it cannot be set");
        lc_error_hint(err, "give the optimizer a number as learning_rate");
        return LC_ARGUMENT;
    }
    o->learning_rate = rate;
    return LC_OK;
}

void lc_optimizer_finalize(lc_optimizer *o) {
    for (uint32_t i = 0; o->use_ema && i < o->count; i++)
        memcpy(o->members[i].variable->value, o->members[i].average, o->members[i].variable->n * sizeof(float));
}
