/*
 * compare_feed.c: real numbers into tensors of any type, and numbers that are made up where there is no data: evenly spread, from a
 * generator with a seed, so that a comparison can be repeated (SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
 */
#include "api/compare.h"

#include "base/half.h"

#include <math.h>
#include <string.h>

#define STORE(ctype, low, high) \
    do { \
        ctype *p = (ctype *)to->data + first; \
        for (size_t i = 0; i < n; i++) p[i] = (ctype)within(values[i] * factor + zero, low, high); \
    } while (0)

/* Nearest, ties to even; NaN becomes the lowest. */
static double within(double x, double low, double high) { return x >= high ? high : x > low ? nearbyint(x) : low; }

bool lc_cmp_write(const lc_tensor_view *to, uint64_t first, size_t n, const double *values) {
    const bool stepped = to->scale > 0;
    const double factor = stepped ? 1 / (double)to->scale : 1, zero = stepped ? (double)to->zero_point : 0;
    switch (to->type) {
    case LC_FLOAT32:
        for (size_t i = 0; i < n; i++) ((float *)to->data)[first + i] = (float)values[i];
        break;
    case LC_FLOAT64: memcpy((double *)to->data + first, values, n * sizeof *values); break;
    case LC_FLOAT16:
        for (size_t i = 0; i < n; i++) ((uint16_t *)to->data)[first + i] = lc_float_to_half((float)values[i]);
        break;
    case LC_BFLOAT16:
        for (size_t i = 0; i < n; i++) ((uint16_t *)to->data)[first + i] = lc_float_to_bfloat((float)values[i]);
        break;
    case LC_INT8: STORE(int8_t, INT8_MIN, INT8_MAX); break;
    case LC_UINT8: STORE(uint8_t, 0, UINT8_MAX); break;
    case LC_INT16: STORE(int16_t, INT16_MIN, INT16_MAX); break;
    case LC_UINT16: STORE(uint16_t, 0, UINT16_MAX); break;
    case LC_INT32: STORE(int32_t, INT32_MIN, INT32_MAX); break;
    case LC_UINT32: STORE(uint32_t, 0, UINT32_MAX); break;
    case LC_INT64: STORE(int64_t, -0x1p62, 0x1p62); break;
    case LC_UINT64: STORE(uint64_t, 0, 0x1p62); break;
    case LC_BOOL:
        for (size_t i = 0; i < n; i++) ((uint8_t *)to->data)[first + i] = values[i] != 0;
        break;
    default: return false;
    }
    return true;
}

static uint64_t next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static bool is_real(lc_dtype type) { return type == LC_FLOAT32 || type == LC_FLOAT64 || type == LC_FLOAT16 || type == LC_BFLOAT16; }

/* The session of B at the shapes of A's, all at once: one alone may not go with the others. */
static lc_status same_shapes(lc_session *a, lc_session *b, const int32_t *of_b, lc_error *err) {
    const size_t n = lc_session_input_count(a);
    lc_tensor_view *views = lc_calloc(n + 1, sizeof *views);
    const int32_t **dims = lc_calloc(n + 1, sizeof *dims);
    int32_t *ranks = lc_calloc(n + 1, sizeof *ranks);
    lc_status status = views && dims && ranks ? LC_OK : lc_fail_memory(err, "made-up numbers");
    bool same = lc_session_exec(b) != NULL;
    for (size_t i = 0; i < n && status == LC_OK; i++) {
        const size_t in_b = (size_t)of_b[i];
        const lc_tensor_view v = lc_session_input(b, in_b);
        views[i] = lc_session_input(a, i);
        dims[in_b] = views[i].dims;
        ranks[in_b] = views[i].rank;
        same = same && v.rank == ranks[in_b] && (v.rank <= 0 || memcmp(v.dims, views[i].dims, (size_t)v.rank * sizeof *v.dims) == 0);
    }
    if (status == LC_OK && !same) status = lc_session_resize_inputs(b, dims, ranks, err);
    if (status == LC_OK && !lc_session_exec(b)) status = lc_session_run(b, err); /* which says why it cannot */
    lc_free(views);
    lc_free((void *)dims);
    lc_free(ranks);
    return status;
}

lc_status lc_cmp_made_up(lc_session *a, lc_session *b, const int32_t *of_b, const lc_cmp_span *spans, uint64_t *state, lc_error *err) {
    lc_status status = lc_session_exec(a) ? LC_OK : lc_session_run(a, err); /* which says why it cannot */
    if (status) {
        lc_error_hint(err, "made-up numbers have the model's own shapes: give samples of a size it can run, --data FILE");
        return status;
    }
    LC_TRY(same_shapes(a, b, of_b, err));
    for (size_t i = 0; i < lc_session_input_count(a); i++) {
        const lc_tensor_view va = lc_session_input(a, i), vb = lc_session_input(b, (size_t)of_b[i]);
        const bool real = is_real(va.type) || va.scale > 0 || is_real(vb.type) || vb.scale > 0;
        const uint64_t n = va.type == LC_STRING ? 1 : lc_cmp_elements(&va);
        double block[256];
        for (uint64_t from = 0; from < n; from += 256) {
            const size_t count = n - from < 256 ? (size_t)(n - from) : 256;
            for (size_t k = 0; k < count; k++) {
                const double x = (double)(next(state) >> 11) * 0x1p-53;
                block[k] = real ? spans[i].low + x * (spans[i].high - spans[i].low) : x < 0.5 ? 0 : 1;
            }
            if (lc_cmp_write(&va, from, count, block) && lc_cmp_write(&vb, from, count, block)) continue;
            lc_fail(err, LC_INVALID, "input \"%.80s\" is %s: nothing can be made up for it", va.name, lc_dtype_name(va.type));
            lc_error_hint(err, "give samples: --data FILE");
            return LC_INVALID;
        }
    }
    return LC_OK;
}
