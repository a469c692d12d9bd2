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

static lc_status same_shape(lc_session *b, size_t index, const lc_tensor_view *a, lc_error *err) {
    const lc_tensor_view v = lc_session_input(b, index);
    if (v.rank == a->rank && (a->rank <= 0 || memcmp(v.dims, a->dims, (size_t)a->rank * sizeof *a->dims) == 0)) return LC_OK;
    return lc_session_resize_input(b, index, a->dims, a->rank, err);
}

lc_status lc_cmp_made_up(lc_session *a, lc_session *b, const int32_t *of_b, const lc_cmp_span *spans, uint64_t *state, lc_error *err) {
    lc_status status = lc_session_exec(a) ? LC_OK : lc_session_run(a, err); /* which says why it cannot */
    if (status) {
        lc_error_hint(err, "made-up numbers have the model's own shapes: give samples of a size it can run, --data FILE");
        return status;
    }
    for (size_t i = 0; i < lc_session_input_count(a); i++) {
        const lc_tensor_view va = lc_session_input(a, i);
        const size_t in_b = (size_t)of_b[i];
        LC_TRY(same_shape(b, in_b, &va, err));
        const lc_tensor_view vb = lc_session_input(b, in_b);
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
