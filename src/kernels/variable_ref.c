/*
 * variable_ref.c: VAR_HANDLE gives the handle of a variable by container and name; ASSIGN_VARIABLE copies a value into it; READ_VARIABLE
 * copies it out. The variable lives in the session's store (resource.h) and takes the type and shape of what is assigned. One that was
 * never assigned cannot be read: the model's initialisation has to run first.
 */
#include "kernels/resource.h"
#include "kernels/ref.h"

#include <string.h>

typedef struct variable {
    lc_dtype type;
    lc_shape shape;
    size_t size, capacity;
    void *data;
} variable;

static void destroy(void *object) {
    lc_free(((variable *)object)->data);
    lc_free(object);
}

static lc_status prepare_handle(lc_kernel_ctx *ctx) {
    const lc_VarHandleOptions *o = LC_OP_ATTRS(ctx->node, VarHandleOptions);
    lc_text name = {0};
    int32_t *handle = lc_kernel_state(ctx, sizeof *handle);
    if (!handle) return LC_NO_MEMORY;
    if (!ctx->resources) return lc_fail(ctx->err, LC_UNSUPPORTED, "variables need a session");
    /* container and name as LiteRT pairs them; a NUL cannot be in either */
    lc_text_add_n(&name, o->container.data ? o->container.data : "", o->container.size);
    lc_text_add_n(&name, "", 1);
    lc_text_add_n(&name, o->shared_name.data ? o->shared_name.data : "", o->shared_name.size);
    lc_status status = name.failed
                           ? lc_fail_memory(ctx->err, "variable")
                           : lc_resource_find(ctx->resources, LC_RESOURCE_VARIABLE, (lc_str){name.data, name.size}, handle, ctx->err);
    lc_text_deinit(&name);
    return status;
}

static lc_status give_handle(lc_kernel_ctx *ctx) {
    memcpy(ctx->out[0]->data, ctx->state, sizeof(int32_t));
    return LC_OK;
}

static lc_status assign(lc_kernel_ctx *ctx) {
    lc_resource *r = lc_resource_of(ctx, ctx->in[0], LC_RESOURCE_VARIABLE);
    const lc_value *v = ctx->in[1];
    if (!r) return LC_INVALID;
    if (!r->object) {
        r->object = lc_calloc(1, sizeof(variable));
        if (!r->object) return lc_fail_memory(ctx->err, "variable");
        r->destroy = destroy;
    }
    variable *to = r->object;
    if (v->size > to->capacity) {
        LC_TRY(lc_resources_charge(ctx->resources, (int64_t)(v->size - to->capacity), ctx->err));
        void *data = lc_realloc(to->data, v->size);
        if (!data) {
            LC_TRY(lc_resources_charge(ctx->resources, -(int64_t)(v->size - to->capacity), ctx->err));
            return lc_fail_memory(ctx->err, "variable");
        }
        to->data = data;
        to->capacity = v->size;
    }
    to->type = v->type;
    to->shape = v->shape;
    to->size = v->size;
    if (v->size) memcpy(to->data, v->data, v->size);
    return LC_OK;
}

static lc_status read_variable(lc_kernel_ctx *ctx) {
    const lc_resource *r = lc_resource_of(ctx, ctx->in[0], LC_RESOURCE_VARIABLE);
    lc_value *out = ctx->out[0];
    if (!r) return LC_INVALID;
    const variable *v = r->object;
    if (!v) {
        lc_fail(ctx->err, LC_INVALID, "the variable is read before anything is assigned to it");
        lc_error_hint(ctx->err, "run the signature that initialises the model's variables first, and let the sessions share them");
        return LC_INVALID;
    }
    if (v->type != out->type)
        return lc_fail(ctx->err, LC_INVALID, "the variable holds %s, its reader wants %s", lc_dtype_name(v->type),
                       lc_dtype_name(out->type));
    LC_TRY(lc_kernel_resize(ctx, 0, &v->shape, v->size));
    if (v->size) memcpy(out->data, v->data, v->size);
    return LC_OK;
}

const lc_kernel lc_kernel_VAR_HANDLE = {.prepare = prepare_handle, .run = give_handle}, lc_kernel_ASSIGN_VARIABLE = {.run = assign},
                lc_kernel_READ_VARIABLE = {.run = read_variable};
