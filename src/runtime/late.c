/*
 * late.c: see late.h. Dynamic values keep their block from run to run and from iteration to iteration of a loop; it grows when it
 * must. It is charged to the budget of the exec, with all else it takes, so a model cannot ask for more than max_memory.
 */
#include "runtime/late.h"

#include <string.h>

/* What a late step keeps between runs. */
struct lc_late {
    lc_arena arena; /* kernel state; emptied when it is prepared again */
    lc_infer_tensor *io;
    lc_shape *shapes; /* [inputs + outputs] it was prepared for */
    bool ready;
};

bool lc_value_bytes(lc_dtype type, const lc_shape *shape, size_t *bytes) {
    uint64_t n, wide;
    if (shape->rank < 0 || !lc_shape_elements(shape, &n)) return false;
    if (type == LC_RESOURCE) return lc_mul_u64(n ? n : 1, sizeof(int32_t), &wide) && lc_u64_to_size(wide, bytes);
    return lc_dtype_bytes(type, n, &wide) && lc_u64_to_size(wide, bytes);
}

void lc_value_make_dynamic(lc_value *v) {
    v->dynamic = true;
    v->shape.rank = -1;
    v->data = NULL;
    v->size = 0;
}

lc_status lc_value_resize(lc_exec *exec, lc_value *v, const lc_shape *shape, size_t bytes, lc_error *err) {
    uint64_t n;
    char text[LC_SHAPE_TEXT];
    if (v->type == LC_STRING ? !lc_shape_elements(shape, &n) : !lc_value_bytes(v->type, shape, &bytes))
        return lc_fail(err, LC_LIMIT, "tensor \"%.80s\" of type %s and shape %s is too large to run",
                       v->def->name.data ? v->def->name.data : "", lc_dtype_name(v->type), lc_shape_text(shape, text));
    if (bytes > v->capacity || !v->data) {
        size_t wanted = bytes ? bytes : 1;
        if (v->capacity) { /* it grew once and may grow again */
            size_t wider;
            if (lc_add_size(v->capacity, v->capacity / 2, &wider) && wider > wanted) wanted = wider;
        }
        if (!lc_exec_charge(exec, v->capacity, wanted)) {
            lc_fail(err, LC_LIMIT, "tensor \"%.80s\" of %zu bytes would pass the memory limit of %llu",
                    v->def->name.data ? v->def->name.data : "", bytes, (unsigned long long)exec->options.max_memory);
            lc_error_hint(err, "use a smaller input, or raise the memory limit");
            return LC_LIMIT;
        }
        void *data = lc_malloc_aligned(wanted);
        if (!data) {
            lc_exec_charge(exec, wanted, v->capacity);
            return lc_fail_memory(err, "tensor");
        }
        lc_free_aligned(v->data);
        v->data = data;
        v->capacity = wanted;
    }
    v->shape = *shape;
    v->size = bytes;
    return LC_OK;
}

lc_status lc_value_assign(lc_exec *exec, lc_value *to, const lc_value *from, lc_error *err) {
    if (to->type != from->type)
        return lc_fail(err, LC_INVALID, "tensor \"%.80s\" is %s, what it shall become is %s", to->def->name.data ? to->def->name.data : "",
                       lc_dtype_name(to->type), lc_dtype_name(from->type));
    if (from->shape.rank < 0 || (from->size && !from->data))
        return lc_fail(err, LC_INVALID, "tensor \"%.80s\" is read before anything writes it",
                       from->def->name.data ? from->def->name.data : "");
    if (to->dynamic) LC_TRY(lc_value_resize(exec, to, &from->shape, from->size, err));
    else if (!lc_shape_equal(&to->shape, &from->shape) || to->size != from->size) {
        char a[LC_SHAPE_TEXT], b[LC_SHAPE_TEXT];
        return lc_fail(err, LC_INVALID, "tensor \"%.80s\" has shape %s, what it shall become has %s",
                       to->def->name.data ? to->def->name.data : "", lc_shape_text(&to->shape, a), lc_shape_text(&from->shape, b));
    }
    if (from->size && to->data != from->data) memmove(to->data, from->data, from->size);
    return LC_OK;
}

lc_status lc_exec_resize(lc_kernel_ctx *ctx, uint32_t out, const lc_shape *shape, size_t bytes) {
    if (out >= ctx->out_count || !ctx->out[out]) return lc_fail(ctx->err, LC_INVALID, "there is no output %u", (unsigned)out);
    lc_value *v = ctx->out[out];
    if (v->dynamic) return lc_value_resize(ctx->exec, v, shape, bytes, ctx->err);
    if (lc_shape_equal(&v->shape, shape)) return LC_OK;
    char a[LC_SHAPE_TEXT], b[LC_SHAPE_TEXT];
    return lc_fail(ctx->err, LC_INVALID, "output %u was planned with shape %s and now has %s", (unsigned)out, lc_shape_text(&v->shape, a),
                   lc_shape_text(shape, b));
}

static void late_deinit(void *p) {
    struct lc_late *late = p;
    lc_arena_deinit(&late->arena);
}

lc_status lc_late_init(lc_exec *exec, lc_step *step, lc_error *err) {
    const size_t n = (size_t)step->node->input_count + step->node->output_count;
    struct lc_late *late = lc_arena_alloc(&exec->arena, sizeof *late);
    if (!late) return lc_fail_memory(err, "operator");
    late->io = lc_arena_array(&exec->arena, n ? n : 1, sizeof *late->io);
    late->shapes = lc_arena_array(&exec->arena, n ? n : 1, sizeof *late->shapes);
    if (!late->io || !late->shapes) return lc_fail_memory(err, "operator");
    LC_TRY(lc_exec_at_end(exec, late_deinit, late, err));
    for (uint32_t i = 0; i < step->node->output_count; i++)
        if (step->node->outputs[i] >= 0) lc_value_make_dynamic(&exec->values[step->node->outputs[i]]);
    step->late = late;
    return LC_OK;
}

/* True when the shapes are those of the last preparation; notes them. */
static bool same_shapes(struct lc_late *late, const lc_kernel_ctx *ctx) {
    bool same = late->ready;
    for (uint32_t i = 0; i < ctx->in_count + ctx->out_count; i++) {
        const lc_value *v = i < ctx->in_count ? ctx->in[i] : ctx->out[i - ctx->in_count];
        const lc_shape none = {.rank = -1};
        const lc_shape *now = v ? &v->shape : &none;
        same &= lc_shape_equal(&late->shapes[i], now);
        late->shapes[i] = *now;
    }
    return same;
}

/* The output's shape is complete: it gets memory. Else it has none until the kernel says more. A string has its shape, but the kernel sizes
 * it. */
static lc_status size_output(lc_exec *exec, lc_value *v, const lc_shape *shape, lc_error *err) {
    bool open = shape->rank < 0;
    for (int32_t d = 0; d < shape->rank; d++) open |= shape->dims[d] < 0;
    if (!open && v->type != LC_STRING) return lc_value_resize(exec, v, shape, 0, err);
    v->shape = *shape;
    if (open) v->shape.rank = -1;
    v->size = 0;
    return LC_OK;
}

lc_status lc_late_run(lc_exec *exec, lc_step *step, lc_error *err) {
    struct lc_late *late = step->late;
    lc_kernel_ctx *ctx = &step->ctx;
    LC_TRY(lc_exec_infer(step, late->io, true, err));
    for (uint32_t i = 0; i < ctx->out_count; i++)
        if (ctx->out[i]) LC_TRY(size_output(exec, ctx->out[i], &late->io[ctx->in_count + i].shape, err));
    ctx->err = err;
    if (!same_shapes(late, ctx)) {
        late->ready = false;
        lc_arena_deinit(&late->arena);
        ctx->arena = &late->arena;
        ctx->state = NULL;
        ctx->state_size = ctx->scratch_size = 0;
        ctx->label = NULL;
        LC_TRY(lc_exec_choose_kernel(exec, step, err));
        late->ready = true;
    }
    LC_TRY(lc_exec_late_scratch(exec, ctx->scratch_size, &ctx->scratch, err));
    LC_TRY(step->kernel->run(ctx));
    for (uint32_t i = 0; i < ctx->out_count; i++)
        if (ctx->out[i] && (ctx->out[i]->shape.rank < 0 || (ctx->out[i]->type == LC_STRING && ctx->out[i]->size == 0)))
            return lc_fail(err, LC_UNSUPPORTED, "output %u did not get a shape", (unsigned)i);
    return LC_OK;
}
