/*
 * move.c: see move.h. The plain kernel runs on stand-ins of its operands: int8 for packed integers, int32 for strings, where string k of
 * all moved inputs together is the number k. What comes out is packed again, or the strings are picked by number. The stand-ins live in
 * scratch. An output has a stand-in when it is of the moved type.
 */
#include "kernels/move.h"
#include "kernels/quant.h"
#include "kernels/string_value.h"

#include <string.h>

typedef struct stand_ins {
    const lc_kernel *plain;
    void *state;         /* of the plain kernel */
    size_t scratch;      /* of the plain kernel; the stand-ins' data lies behind */
    size_t picked;       /* where the strings of one output are collected, in scratch */
    lc_value **io;       /* inputs, outputs */
    lc_value *values;    /* what io points to for moved ones */
    size_t *at;          /* in scratch, of each */
    lc_strings *strings; /* opened inputs */
} stand_ins;

enum { ALIGN = 64 };

static bool is_moved(uint32_t inputs, uint32_t i) { return inputs == LC_MOVES_ALL || (i < 32 && (inputs >> i & 1)); }

static lc_dtype moved_type(const lc_kernel_ctx *ctx, uint32_t inputs) {
    for (uint32_t i = 0; i < ctx->in_count; i++)
        if (is_moved(inputs, i) && ctx->in[i]) return ctx->in[i]->type;
    return LC_FLOAT32;
}

bool lc_move_is_odd(const lc_kernel_ctx *ctx, uint32_t inputs) {
    const lc_dtype type = moved_type(ctx, inputs);
    return type == LC_STRING || type == LC_INT4 || type == LC_UINT4 || type == LC_INT2;
}

/* Gives value i of io a stand-in of n elements. */
static lc_status stand_in(lc_kernel_ctx *ctx, stand_ins *s, uint32_t i, lc_dtype type, size_t *end) {
    lc_value *v = &s->values[i];
    uint64_t n;
    size_t bytes;
    *v = *s->io[i];
    v->type = type == LC_STRING ? LC_INT32 : LC_INT8;
    if (v->shape.rank < 0 || !lc_shape_elements(&v->shape, &n) || !lc_mul_size((size_t)n, type == LC_STRING ? 4 : 1, &bytes) ||
        !lc_add_size(*end, ALIGN - 1, end))
        return lc_fail(ctx->err, LC_LIMIT, "an operand is too large");
    v->size = bytes;
    v->data = NULL;
    v->constant = false;
    v->def = NULL; /* numbers have no scale */
    s->io[i] = v;
    s->at[i] = *end / ALIGN * ALIGN;
    if (!lc_add_size(s->at[i], bytes, end)) return lc_fail(ctx->err, LC_LIMIT, "an operand is too large");
    return LC_OK;
}

static lc_kernel_ctx inner_of(const lc_kernel_ctx *ctx, const stand_ins *s) {
    lc_kernel_ctx inner = *ctx;
    inner.in = s->io;
    inner.out = s->io + ctx->in_count;
    inner.state = s->state;
    return inner;
}

lc_status lc_move_prepare(lc_kernel_ctx *ctx, const lc_kernel *plain, uint32_t inputs) {
    const lc_dtype type = moved_type(ctx, inputs);
    const size_t n = (size_t)ctx->in_count + ctx->out_count;
    size_t end, most = 0;
    for (uint32_t i = 0; i < ctx->in_count; i++)
        if (is_moved(inputs, i) && ctx->in[i] && ctx->in[i]->type != type) return lc_ref_refuse(ctx, ctx->in[i]->type);
    for (uint32_t i = 0; i < ctx->in_count && type != LC_STRING; i++)
        if (is_moved(inputs, i)) LC_TRY(lc_ref_input(ctx, i, 1u << type)); /* all their bytes are there */
    stand_ins *s = lc_arena_alloc(ctx->arena, sizeof *s);
    if (s) {
        s->io = lc_arena_array(ctx->arena, n, sizeof *s->io);
        s->values = lc_arena_array(ctx->arena, n, sizeof *s->values);
        s->at = lc_arena_array(ctx->arena, n, sizeof *s->at);
        s->strings = lc_arena_array(ctx->arena, ctx->in_count, sizeof *s->strings);
    }
    if (!s || !s->io || !s->values || !s->at || !s->strings) return lc_fail_memory(ctx->err, "kernel state");
    for (uint32_t i = 0; i < n; i++) s->io[i] = i < ctx->in_count ? ctx->in[i] : ctx->out[i - ctx->in_count];
    end = 0;
    for (uint32_t i = 0; i < n; i++)
        if (s->io[i] && (i < ctx->in_count ? is_moved(inputs, i) : s->io[i]->type == type)) LC_TRY(stand_in(ctx, s, i, type, &end));
    lc_kernel_ctx inner = inner_of(ctx, s);
    inner.scratch_size = 0;
    LC_TRY(lc_kernel_choose(&inner, &plain));
    s->plain = plain;
    if (plain->prepare) LC_TRY(plain->prepare(&inner));
    s->state = inner.state;
    s->scratch = (inner.scratch_size + ALIGN - 1) / ALIGN * ALIGN;
    for (uint32_t i = 0; i < n; i++) {
        const size_t count = s->io[i] ? s->io[i]->size / 4 : 0;
        if (i >= ctx->in_count && type == LC_STRING && s->io[i] == &s->values[i] && count > most) most = count;
    }
    s->picked = (end + ALIGN - 1) / ALIGN * ALIGN;
    ctx->state = s;
    ctx->state_size = sizeof *s;
    if (!lc_mul_size(most, sizeof(lc_str), &end) || !lc_add_size(end, s->picked, &end) || !lc_add_size(end, s->scratch, &ctx->scratch_size))
        return lc_fail(ctx->err, LC_LIMIT, "an operand is too large");
    if (!ctx->scratch_size) ctx->scratch_size = ALIGN;
    ctx->label = inner.label;
    return LC_OK;
}

static void unpack(lc_value *to, const lc_value *from) {
    for (size_t i = 0; i < to->size; i++) ((int8_t *)to->data)[i] = (int8_t)lc_int_at(from->data, from->type, (int64_t)i);
}

static void pack(lc_value *to, const lc_value *from) {
    const uint32_t bits = lc_dtype_bits(to->type);
    const size_t per = 8 / bits;
    if (to->size) memset(to->data, 0, to->size);
    for (size_t i = 0; i < from->size; i++)
        ((uint8_t *)to->data)[i / per] |= (uint8_t)((((const uint8_t *)from->data)[i] & ((1u << bits) - 1)) << (i % per * bits));
}

/* Numbers the strings of input i, *next the first free number. */
static lc_status number(lc_kernel_ctx *ctx, stand_ins *s, uint32_t i, int32_t *next) {
    LC_TRY(lc_strings_open(ctx, ctx->in[i], "an input", &s->strings[i]));
    const size_t n = s->strings[i].count;
    if (n > (size_t)(INT32_MAX - *next)) return lc_fail(ctx->err, LC_LIMIT, "more than %d strings", INT32_MAX);
    for (size_t k = 0; k < n; k++) ((int32_t *)s->values[i].data)[k] = *next + (int32_t)k;
    *next += (int32_t)n;
    return LC_OK;
}

static lc_status pick(lc_kernel_ctx *ctx, const stand_ins *s, uint32_t out, lc_str *picked) {
    const lc_value *numbers = &s->values[ctx->in_count + out];
    const size_t n = numbers->size / 4;
    uint32_t from = 0; /* the input the last one came from: often the next one's, too */
    int64_t first = 0;
    for (size_t k = 0; k < n; k++) {
        const int64_t wanted = ((const int32_t *)numbers->data)[k];
        if (wanted < first) from = 0, first = 0;
        while (from < ctx->in_count && wanted - first >= (int64_t)s->strings[from].count) first += (int64_t)s->strings[from++].count;
        if (from == ctx->in_count) return lc_ref_changed(ctx);
        picked[k] = lc_strings_at(&s->strings[from], (size_t)(wanted - first));
    }
    return lc_strings_put(ctx, out, &numbers->shape, picked, n);
}

lc_status lc_move_run(lc_kernel_ctx *ctx, uint32_t inputs) {
    stand_ins *s = ctx->state;
    const lc_dtype type = moved_type(ctx, inputs);
    char *base = (char *)ctx->scratch + s->scratch;
    const uint32_t n = ctx->in_count + ctx->out_count;
    int32_t next = 0;
    for (uint32_t i = 0; i < n; i++) s->values[i].data = base + s->at[i];
    for (uint32_t i = 0; i < ctx->in_count; i++) {
        if (s->io[i] != &s->values[i]) continue;
        if (type == LC_STRING) LC_TRY(number(ctx, s, i, &next));
        else unpack(&s->values[i], ctx->in[i]);
    }
    lc_kernel_ctx inner = inner_of(ctx, s);
    LC_TRY(s->plain->run(&inner));
    for (uint32_t i = 0; i < ctx->out_count; i++) {
        if (s->io[ctx->in_count + i] != &s->values[ctx->in_count + i]) continue;
        if (type == LC_STRING) LC_TRY(pick(ctx, s, i, (lc_str *)(void *)(base + s->picked)));
        else pack(ctx->out[i], &s->values[ctx->in_count + i]);
    }
    return LC_OK;
}
