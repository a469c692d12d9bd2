/*
 * resource.h: what outlives a run: variables (VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE) and hash tables. A session owns one
 * store; sessions may share one (lc_session_options.share). A RESOURCE tensor holds a handle: an int32 that indexes the store.
 *
 * A resource is an object of some kind under a name. The kernels that make a kind say what its object is and how it is destroyed.
 * Not for several threads at once: sessions that share a store run one after the other.
 */
#ifndef LC_KERNELS_RESOURCE_H
#define LC_KERNELS_RESOURCE_H

#include "kernels/kernel.h"

typedef enum lc_resource_kind { LC_RESOURCE_VARIABLE = 1, LC_RESOURCE_TABLE } lc_resource_kind;

typedef struct lc_resource {
    lc_resource_kind kind;
    void *object;                  /* NULL until somebody makes it; lc_malloc'd */
    void (*destroy)(void *object); /* frees the object and what it owns; NULL: lc_free */
} lc_resource;

typedef struct lc_resources lc_resources;

/* max_bytes bounds what the objects hold together. Caller owns *resources. */
lc_status lc_resources_create(uint64_t max_bytes, lc_resources **resources, lc_error *err);
/* Another owner; lc_resources_destroy drops one. */
void lc_resources_retain(lc_resources *resources);
void lc_resources_destroy(lc_resources *resources);

/* The handle of the resource of this kind and name (any bytes), made when there is none. */
lc_status lc_resource_find(lc_resources *resources, lc_resource_kind kind, lc_str name, int32_t *handle, lc_error *err);
/* The resource of a handle that a tensor holds (one element is read); NULL, and an error that says so, when it is none of this kind. */
lc_resource *lc_resource_of(lc_kernel_ctx *ctx, const lc_value *handle, lc_resource_kind kind);
/* Accounts for an object that grows (or shrinks: bytes < 0). LC_LIMIT when the store would pass max_bytes. */
lc_status lc_resources_charge(lc_resources *resources, int64_t bytes, lc_error *err);
/* Marks graph `index` as having run in this store (CALL_ONCE); true when it had already. */
lc_status lc_resources_once(lc_resources *resources, int32_t index, bool *already, lc_error *err);

#endif
