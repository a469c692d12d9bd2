/*
 * Quantised dense layers of Keras 3, and what it adds to their kernels (LoRA). Keras rounds the input when it runs, multiplies whole numbers
 * and scales the result:
 *
 *   int8     s = 127 / (max|x| + 1e-7) along what is summed, q = round(x s);   y = sum(q K) / (s k)     K int8, k its scales
 *   int4     y = sum(x (K - zero) k) by groups of rows, two numbers in a byte;  or as int8, with scales of columns
 *   float8   x and K rounded to float8_e4m3fn after division by their scales; the bias to bfloat16
 *
 * s is the same for all that is summed, so  sum(q K) / (s k) = sum((q / s) (K / k)): the input is rounded and scaled back in front of an
 * ordinary product with an ordinary float32 kernel. Whole numbers up to 127 are exact in float32, the rounding is Keras's own; what
 * differs is the last bit of a sum.
 *
 * Of an embedding, int8 and int4 are a table of whole numbers and a scale for each row of it; int4 in blocks becomes a table of floats.
 *
 * LoRA: kernel + a b alpha / rank. A .keras file has the sum as its kernel; .h5 keeps the three, in the order in which they can be trained.
 *
 * Refuses: GPTQ and AWQ (their calibration is code), other policies by name, LoRA apart from a kernel whose input is rounded.
 */
#include "lower/quantised.h"

#include "ir/constant.h"
#include "lower/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum kind { KIND_FLOAT, KIND_INT8, KIND_INT4, KIND_FLOAT8 } kind;

/* ---- the policy ------------------------------------------------------------------------------------------------------- */

/* "int8_from_float32", or {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8", ...}}; other policies compute in floats. */
static kind read_kind(lc_call *c) {
    static const struct {
        const char *name;
        kind kind;
    } kinds[] = {{"int8", KIND_INT8}, {"int4", KIND_INT4}, {"float8", KIND_FLOAT8}};
    const lc_json *dtype = lc_opt(c, "dtype");
    const char *name = lc_json_is(dtype, LC_JSON_STRING) ? dtype->string : lc_json_str(lc_json_get(dtype, "config"), "mode", NULL);
    if (!name || (lc_json_is(dtype, LC_JSON_STRING) && !strstr(name, "_from_"))) return KIND_FLOAT;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const size_t n = strlen(kinds[i].name);
        if (strncmp(name, kinds[i].name, n) == 0 && (!name[n] || name[n] == '_' || name[n] == '/')) return kinds[i].kind;
    }
    lc_opt_fail(c, "dtype", "litec knows the quantisations int8, int4 and float8");
    lc_build_hint(c->b, "save the model before it is quantised, and convert that one");
    return KIND_FLOAT;
}

/* False when the configuration says that the input stays as it is. Files without one have Keras's default. */
static bool rounds_input(lc_call *c, bool otherwise) {
    const lc_json *config = lc_json_get(lc_opt(c, "quantization_config"), "config");
    const lc_json *quantizer = lc_json_get(config, "activation_quantizer");
    if (!config) return otherwise;
    if (!quantizer || lc_json_is(quantizer, LC_JSON_NULL)) return false;
    if (strcmp(lc_json_str(quantizer, "class_name", ""), "AbsMaxQuantizer") != 0)
        lc_opt_fail(c, "quantization_config", "litec knows the activation quantizer AbsMaxQuantizer");
    return true;
}

/* ---- weights ---------------------------------------------------------------------------------------------------------- */

/* The place of a weight: by name where the file has names (.h5), else by its place in Keras's own list. */
static const lc_keras_weight *find(lc_call *c, const char *name, uint32_t place) {
    const size_t n = strlen(name);
    bool by_name = false;
    for (uint32_t i = 0; i < c->layer->weight_count; i++) {
        const char *stored = c->layer->weights[i].name, *last = stored ? strrchr(stored, '/') : NULL;
        if (!last || strncmp(stored, "vars/", 5) == 0) continue;
        by_name = by_name || (last[1] >= 'a' && last[1] <= 'z');
        if (strncmp(last + 1, name, n) == 0 && (!last[1 + n] || last[1 + n] == ':')) return &c->layer->weights[i];
    }
    if (!by_name && place < c->layer->weight_count) return &c->layer->weights[place];
    if (c->b->status == LC_OK) {
        lc_build_fail(c->b, LC_INVALID, "the file holds no %s for it (%u arrays)", name, c->layer->weight_count);
        lc_build_hint(c->b, "save the whole quantised model again with model.save()");
    }
    return NULL;
}

static uint64_t count_of(const int32_t *dims, int32_t rank) {
    uint64_t n = 1;
    for (int32_t i = 0; i < rank; i++)
        if (dims[i] < 0 || !lc_mul_u64(n, (uint64_t)dims[i], &n)) return UINT64_MAX;
    return n;
}

/* Whether it holds as many numbers of this type as it should; reports what is wrong. */
static bool holds(lc_call *c, const lc_keras_weight *w, const char *name, lc_dtype type, uint64_t n) {
    uint64_t bytes;
    if (!w || c->b->status != LC_OK) return false;
    if (w->type == type && w->rank >= 0 && w->rank <= LC_MAX_RANK && count_of(w->dims, w->rank) == n && lc_dtype_bytes(type, n, &bytes) &&
        bytes == w->size && (!bytes || w->data))
        return true;
    lc_build_fail(c->b, LC_INVALID, "its %s is %s with %llu numbers, the config and its input need %s with %llu", name,
                  lc_dtype_name(w->type), (unsigned long long)(w->rank >= 0 && w->rank <= LC_MAX_RANK ? count_of(w->dims, w->rank) : 0),
                  lc_dtype_name(type), (unsigned long long)n);
    return false;
}

/* Nearest float8_e4m3fn: three bits behind the first, steps of 2^-9 below 2^-6, at most 448. */
static float to_float8(float v) {
    int exponent;
    if (!(fabsf(v) < 448)) return isnan(v) ? v : copysignf(448, v);
    frexpf(v, &exponent);
    const float step = ldexpf(1, exponent - 4 < -9 ? -9 : exponent - 4);
    return rintf(v / step) * step;
}

static float to_bfloat16(float v) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    if (isnan(v)) return v;
    bits = (bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static int8_t byte_at(const lc_keras_weight *w, size_t i) { return ((const int8_t *)w->data)[i]; }

static const lc_keras_weight *checked(lc_call *c, const char *name, uint32_t place, const int32_t *dims, int32_t rank) {
    const lc_keras_weight *w = find(c, name, place);
    return w ? lc_weight(c, (uint32_t)(w - c->layer->weights), name, dims, rank) : NULL;
}

static bool named(const uint8_t *labels, int32_t n, uint8_t label) {
    for (int32_t i = 0; i < n; i++)
        if (labels[i] == label) return true;
    return false;
}

/* Of each dimension of the kernel: how far apart its numbers lie in the scales, which stand in the order of the result. */
static uint64_t scale_strides(const lc_equation *e, const int32_t *dims, uint64_t *strides) {
    uint64_t n = 1;
    memset(strides, 0, LC_MAX_RANK * sizeof *strides);
    for (int32_t k = e->y_n - 1; k >= 0; k--)
        for (int32_t i = 0; i < e->w_n; i++)
            if (e->w[i] == e->y[k]) strides[i] = n, n *= (uint64_t)dims[i];
    return n;
}

static void fill_float(lc_call *c, const char *name, const int32_t *dims, int32_t rank, float *out) {
    const lc_keras_weight *w = checked(c, name, 0, dims, rank);
    if (w) lc_floats_load(w->type, w->data, 0, (size_t)count_of(dims, rank), out);
}

static void fill_int8(lc_call *c, const lc_equation *e, const int32_t *dims, uint64_t count, float *out) {
    uint64_t strides[LC_MAX_RANK];
    const uint64_t scales = scale_strides(e, dims, strides);
    const bool bias = c->layer->weight_count > 2;
    const lc_keras_weight *w = find(c, "kernel", 0), *scale = find(c, "kernel_scale", bias ? 2 : 1);
    if (!holds(c, w, "kernel", LC_INT8, count) || !holds(c, scale, "kernel_scale", LC_FLOAT32, scales)) return;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t rest = i, at = 0;
        for (int32_t d = e->w_n - 1; d >= 0; d--) {
            at += rest % (uint64_t)dims[d] * strides[d];
            rest /= (uint64_t)dims[d];
        }
        out[i] = (float)(byte_at(w, i) / lc_weight_at(scale, at));
    }
}

static void fill_int4(lc_call *c, const lc_equation *e, const int32_t *dims, uint64_t count, bool bias, bool *by_columns, float *out) {
    uint64_t rows = 1, columns;
    for (int32_t i = 0; i < e->w_n; i++)
        if (!named(e->y, e->y_n, e->w[i])) rows *= (uint64_t)dims[i];
    columns = count / rows;
    const lc_keras_weight *w = find(c, "kernel", 0), *scale = find(c, "kernel_scale", bias ? 2 : 1);
    if (!holds(c, w, "kernel", LC_INT8, rows * ((columns + 1) / 2)) || !scale) return;
    *by_columns = scale->rank == 1;
    const uint64_t groups = *by_columns || scale->rank < 1 ? 1 : (uint64_t)scale->dims[0];
    const lc_keras_weight *zero = *by_columns ? NULL : find(c, "kernel_zero", bias ? 3 : 2),
                          *group = *by_columns ? NULL : find(c, "g_idx", bias ? 4 : 3);
    if (groups > rows || !holds(c, scale, "kernel_scale", LC_FLOAT32, groups * columns)) {
        if (c->b->status == LC_OK) lc_build_fail(c->b, LC_INVALID, "its kernel_scale has more groups than its kernel has rows");
        return;
    }
    if (!*by_columns && (!holds(c, zero, "kernel_zero", LC_INT8, groups * columns) || !holds(c, group, "g_idx", LC_FLOAT32, rows))) return;
    for (uint64_t r = 0; r < rows; r++) {
        const double g = group ? lc_weight_at(group, r) : 0;
        if (!(g >= 0 && g < (double)groups)) {
            lc_build_fail(c->b, LC_INVALID, "its g_idx names group %g of %llu", g, (unsigned long long)groups);
            return;
        }
        for (uint64_t k = 0; k < columns; k++) {
            const uint8_t two = (uint8_t)byte_at(w, r * ((columns + 1) / 2) + k / 2), four = k % 2 ? two >> 4 : two & 15;
            const int value = four < 8 ? four : four - 16;
            const size_t at = (size_t)g * columns + k;
            out[r * columns + k] = (float)(zero ? (value - byte_at(zero, at)) * lc_weight_at(scale, at) : value / lc_weight_at(scale, at));
        }
    }
}

static float scalar_weight(lc_call *c, const char *name, uint32_t place) {
    const lc_keras_weight *w = find(c, name, place);
    const float v = holds(c, w, name, LC_FLOAT32, 1) ? (float)lc_weight_at(w, 0) : 1;
    if (c->b->status == LC_OK && !(v > 0)) lc_build_fail(c->b, LC_INVALID, "its %s is %g", name, (double)v);
    return v;
}

static void fill_float8(lc_call *c, uint64_t count, bool bias, float *out) {
    const float scale = scalar_weight(c, "kernel_scale", bias ? 4 : 3);
    const lc_keras_weight *w = find(c, "kernel", 0);
    if (!holds(c, w, "kernel", LC_FLOAT32, count)) return;
    for (uint64_t i = 0; i < count; i++) out[i] = to_float8((float)lc_weight_at(w, i) / scale) * scale;
}

/* ---- the input -------------------------------------------------------------------------------------------------------- */

static int32_t with(lc_call *c, int32_t op, int32_t x, const char *name, double v) {
    return lc_build_with_scalar(c->b, op, x, name, (float)v);
}

/* round(x s) / s. */
static int32_t rounded(lc_call *c, const lc_equation *e, int32_t x) {
    int32_t axes[LC_MAX_RANK];
    uint32_t n = 0;
    for (int32_t i = 0; i < e->x_n; i++)
        if (!named(e->y, e->y_n, e->x[i])) axes[n++] = i;
    int32_t s = lc_build_unary(c->b, LC_OP_ABS, x);
    if (n) s = lc_build_reduce(c->b, LC_OP_REDUCE_MAX, s, axes, n, true);
    s = lc_build_binary(c->b, LC_OP_DIV, lc_build_scalar(c->b, "levels", 127), with(c, LC_OP_ADD, s, "epsilon", 1e-7), LC_LOWER_ACT(NONE));
    x = lc_build_unary(c->b, LC_OP_ROUND, lc_build_binary(c->b, LC_OP_MUL, x, s, LC_LOWER_ACT(NONE)));
    return lc_build_binary(c->b, LC_OP_DIV, x, s, LC_LOWER_ACT(NONE));
}

/* float8_e4m3fn by the bits of float32: half a step of the last of three bits is added, half to even, and the others cut off. Below 2^-6
 * all steps are 2^-9: there ROUND does it. (Adding and taking away a large number would, too, but the passes see that it is nothing.) */
static int32_t rounded_float8(lc_call *c, int32_t x, float scale) {
    lc_tf_call *m = lc_eager_maker(c);
    x = with(c, LC_OP_MINIMUM, with(c, LC_OP_MAXIMUM, with(c, LC_OP_DIV, x, "scale", scale), "least", -448), "most", 448);
    int32_t bits = lc_build_typed(c->b, LC_OP_BITCAST, LC_TABLE_BitcastOptions, NULL, &x, 1, LC_INT32);
    const int32_t twenty = lc_tf_scalar(m, 20, LC_INT32), step = lc_tf_scalar(m, 1 << 20, LC_INT32);
    const int32_t odd_in[2] = {bits, twenty};
    int32_t odd = lc_build_op(c->b, LC_OP_RIGHT_SHIFT, LC_TABLE_NONE, NULL, odd_in, 2);
    odd = lc_build_binary(c->b, LC_OP_FLOOR_MOD, odd, lc_tf_scalar(m, 2, LC_INT32), LC_LOWER_ACT(NONE));
    bits = lc_build_binary(c->b, LC_OP_ADD, bits, lc_tf_scalar(m, (1 << 19) - 1, LC_INT32), LC_LOWER_ACT(NONE));
    bits = lc_build_binary(c->b, LC_OP_ADD, bits, odd, LC_LOWER_ACT(NONE));
    bits =
        lc_build_binary(c->b, LC_OP_SUB, bits, lc_build_binary(c->b, LC_OP_FLOOR_MOD, bits, step, LC_LOWER_ACT(NONE)), LC_LOWER_ACT(NONE));
    const int32_t large = lc_build_typed(c->b, LC_OP_BITCAST, LC_TABLE_BitcastOptions, NULL, &bits, 1, LC_FLOAT32);
    const int32_t small = with(c, LC_OP_MUL, lc_build_unary(c->b, LC_OP_ROUND, with(c, LC_OP_MUL, x, "steps", 512)), "step", 1.0 / 512);
    x = lc_build_select(c->b, with(c, LC_OP_LESS, lc_build_unary(c->b, LC_OP_ABS, x), "border", 0.015625), small, large);
    return with(c, LC_OP_MUL, x, "scale", scale);
}

/* ---- LoRA ------------------------------------------------------------------------------------------------------------- */

static bool has_lora(const lc_call *c) {
    for (uint32_t i = 0; i < c->layer->weight_count; i++) {
        const char *stored = c->layer->weights[i].name, *last = stored ? strrchr(stored, '/') : NULL;
        if (last && strncmp(last, "/lora_", 6) == 0) return true;
    }
    return false;
}

static int32_t apart(lc_call *c) {
    lc_opt_fail(c, "lora_rank", "its LoRA is kept apart from the quantised weights");
    return lc_build_hint(c->b, "save the model as .keras: Keras then merges the two");
}

/* out[dims] += a b alpha / rank, for a [all but the last of dims, rank], b [rank, the last]. */
static void add_lora(lc_call *c, const char *name, const int32_t *dims, int32_t n, float *out) {
    const int32_t rank = lc_opt_int(c, "lora_rank", 1, 1 << 20, 0);
    const double scale = lc_opt_num(c, "lora_alpha", rank) / rank;
    int32_t a_dims[LC_MAX_RANK], b_dims[2] = {rank, dims[n - 1]};
    uint64_t work;
    char which[32];
    memcpy(a_dims, dims, (size_t)n * sizeof *dims);
    a_dims[n - 1] = rank;
    snprintf(which, sizeof which, "lora_%s_a", name);
    const lc_keras_weight *a = checked(c, which, UINT32_MAX, a_dims, n);
    snprintf(which, sizeof which, "lora_%s_b", name);
    const lc_keras_weight *b = checked(c, which, UINT32_MAX, b_dims, 2);
    if (!a || !b) return;
    if (!lc_mul_u64(count_of(dims, n), (uint64_t)rank, &work) || work > (uint64_t)1 << 36) {
        lc_build_fail(c->b, LC_LIMIT, "its LoRA takes too much work to merge");
        return;
    }
    const size_t columns = (size_t)dims[n - 1], rows = columns ? (size_t)count_of(dims, n) / columns : 0;
    float *each = lc_tf_table_data(lc_eager_maker(c), (uint64_t)rank * columns, sizeof *each);
    if (!each) return;
    lc_floats_load(b->type, b->data, 0, (size_t)rank * columns, each);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < (size_t)rank; k++) {
            const float factor = (float)(lc_weight_at(a, r * (size_t)rank + k) * scale);
            for (size_t i = 0; i < columns; i++) out[r * columns + i] += factor * each[k * columns + i];
        }
}

/* ---- together --------------------------------------------------------------------------------------------------------- */

/* The layer with a float32 kernel and bias. The numbers of the kernel are made at its first call; later ones use its constants. */
static void replace(lc_call *c, kind k, const lc_equation *e, const int32_t *dims, bool has_bias, bool *by_columns) {
    const uint64_t n = count_of(dims, e->w_n);
    lc_keras_layer *layer = lc_arena_alloc(&c->lower->scratch, sizeof *layer);
    lc_keras_weight *w = lc_arena_array(&c->lower->scratch, 2, sizeof *w);
    if (!layer || !w) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "a quantised layer"));
        return;
    }
    float *kernel = n < UINT64_MAX ? lc_tf_table_data(lc_eager_maker(c), n, sizeof *kernel) : NULL;
    if (!kernel && c->b->status == LC_OK) lc_build_fail(c->b, LC_LIMIT, "its kernel is too large");
    if (c->b->status != LC_OK) return;
    if (k == KIND_FLOAT) fill_float(c, "kernel", dims, e->w_n, kernel);
    else if (k == KIND_INT8) fill_int8(c, e, dims, n, kernel);
    else if (k == KIND_INT4) fill_int4(c, e, dims, n, has_bias, by_columns, kernel);
    else fill_float8(c, n, has_bias, kernel);
    if (has_lora(c) && !c->slots[0] && c->b->status == LC_OK)
        add_lora(c, "kernel", dims, e->w_n, kernel); /* slot 0: the kernel as a constant */
    w[0] = (lc_keras_weight){.name = "kernel", .type = LC_FLOAT32, .rank = e->w_n, .data = kernel, .size = (size_t)n * sizeof *kernel};
    memcpy(w[0].dims, dims, (size_t)e->w_n * sizeof *dims);
    const lc_keras_weight *bias = has_bias ? find(c, "bias", 1) : NULL;
    if (bias) w[1] = *bias;
    if (bias && k == KIND_FLOAT8 && holds(c, bias, "bias", LC_FLOAT32, count_of(bias->dims, bias->rank))) {
        float *data = lc_build_data(c->b, bias->size);
        for (size_t i = 0; data && i < bias->size / sizeof *data; i++) data[i] = to_bfloat16((float)lc_weight_at(bias, i));
        w[1].data = data;
    }
    *layer = *c->layer;
    layer->weights = w;
    layer->weight_count = has_bias ? 2 : 1;
    c->layer = layer;
}

int32_t lc_quantised_input(lc_call *c, const lc_equation *e, const int32_t *dims, bool has_bias, int32_t x) {
    const kind k = read_kind(c);
    bool by_columns = true;
    if ((k == KIND_FLOAT && !has_lora(c)) || c->b->status != LC_OK) return x;
    const bool rounds = k == KIND_INT8 || k == KIND_INT4 ? rounds_input(c, k == KIND_INT8) : k == KIND_FLOAT8;
    if (rounds && has_lora(c)) return apart(c);
    float scale = 1;
    if (k == KIND_FLOAT8) scale = scalar_weight(c, "inputs_scale", has_bias ? 2 : 1);
    replace(c, k, e, dims, has_bias, &by_columns);
    if (c->b->status != LC_OK) return -1;
    if (k == KIND_FLOAT8) return rounded_float8(c, x, scale);
    return rounds && by_columns ? rounded(c, e, x) : x;
}

/* ---- Embedding ---------------------------------------------------------------------------------------------------------- */

/* Rows of int8 over their scales, which stand as [rows, 1]. */
static int32_t scaled_rows(lc_call *c, const int32_t *dims, const int8_t *table, bool owned, const lc_keras_weight *scale, int32_t index) {
    const int32_t scales[2] = {dims[0], 1};
    lc_tf_call *m = lc_eager_maker(c);
    if (!c->slots[0]) {
        float *data = lc_build_data(c->b, scale->size);
        if (data) lc_floats_load(scale->type, scale->data, 0, (size_t)dims[0], data); /* those of the file may be unaligned */
        c->slots[0] = lc_build_const(c->b, "embeddings", LC_INT8, dims, 2, table, (size_t)count_of(dims, 2), owned) + 1;
        c->slots[1] = lc_build_const(c->b, "embeddings_scale", LC_FLOAT32, scales, 2, data, scale->size, true) + 1;
    }
    if (c->b->status != LC_OK) return -1;
    const int32_t rows = lc_build_cast(c->b, lc_tf_gather(m, c->slots[0] - 1, index, 0, 0), LC_FLOAT32);
    return lc_build_binary(c->b, LC_OP_DIV, rows, lc_tf_gather(m, c->slots[1] - 1, index, 0, 0), LC_LOWER_ACT(NONE));
}

/* Two numbers in a byte, the first in its low half. */
static int four_at(const lc_keras_weight *w, const int32_t *dims, size_t row, size_t i) {
    const uint8_t two = (uint8_t)byte_at(w, row * (((size_t)dims[1] + 1) / 2) + i / 2), four = i % 2 ? two >> 4 : two & 15;
    return four < 8 ? four : four - 16;
}

/* Blocks of a row have a scale and a zero each; g_idx says which block is whose. */
static void fill_blocks(lc_call *c, const int32_t *dims, const lc_keras_weight *w, const lc_keras_weight *scale, float *out) {
    const size_t rows = (size_t)dims[0], width = (size_t)dims[1];
    const uint64_t groups = scale->rank == 2 && scale->dims[1] > 0 ? (uint64_t)scale->dims[1] : 0, n = groups * rows;
    const lc_keras_weight *zero = find(c, "embeddings_zero", 2), *group = find(c, "g_idx", 3);
    if (groups > width || !holds(c, scale, "embeddings_scale", LC_FLOAT32, n) || !holds(c, zero, "embeddings_zero", LC_INT8, n) ||
        !holds(c, group, "g_idx", LC_FLOAT32, width)) {
        if (c->b->status == LC_OK) lc_build_fail(c->b, LC_INVALID, "its embeddings_scale has more blocks than a row has numbers");
        return;
    }
    for (size_t i = 0; i < width; i++) {
        const double g = lc_weight_at(group, i);
        if (!(g >= 0 && g < (double)groups)) {
            lc_build_fail(c->b, LC_INVALID, "its g_idx names block %g of %llu", g, (unsigned long long)groups);
            return;
        }
        for (size_t r = 0; r < rows; r++) {
            const size_t at = r * (size_t)groups + (size_t)g;
            out[r * width + i] = (float)((four_at(w, dims, r, i) - byte_at(zero, at)) * lc_weight_at(scale, at));
        }
    }
}

int32_t lc_quantised_embedding(lc_call *c, const int32_t *dims, int32_t index) {
    kind k = read_kind(c);
    if (k == KIND_FLOAT8) k = KIND_FLOAT; /* leaves embeddings as they are */
    const bool lora = has_lora(c);
    if (c->b->status != LC_OK || (k == KIND_FLOAT && !lora)) return -1;
    if (k != KIND_FLOAT && lora) return apart(c);
    const uint64_t n = count_of(dims, 2), stored = k == KIND_INT4 ? (uint64_t)dims[0] * (((uint64_t)dims[1] + 1) / 2) : n;
    const lc_keras_weight *w = find(c, "embeddings", 0), *scale = k == KIND_FLOAT ? NULL : find(c, "embeddings_scale", 1);
    if (k != KIND_FLOAT && (!holds(c, w, "embeddings", LC_INT8, stored) || !scale)) return -1;
    const bool by_rows = k == KIND_INT8 || (k == KIND_INT4 && scale->rank == 1);
    if (by_rows && !holds(c, scale, "embeddings_scale", LC_FLOAT32, (uint64_t)dims[0])) return -1;
    if (k == KIND_INT8) return scaled_rows(c, dims, w->data, false, scale, index);
    void *table = c->slots[0] ? NULL : lc_tf_table_data(lc_eager_maker(c), n, by_rows ? 1 : sizeof(float));
    if (!c->slots[0] && !table && c->b->status == LC_OK) lc_build_fail(c->b, LC_LIMIT, "its table is too large");
    if (c->b->status != LC_OK) return -1;
    if (by_rows) {
        for (size_t i = 0; table && i < n; i++) ((int8_t *)table)[i] = (int8_t)four_at(w, dims, i / (size_t)dims[1], i % (size_t)dims[1]);
        return scaled_rows(c, dims, table, true, scale, index);
    }
    if (table) {
        if (k == KIND_INT4) fill_blocks(c, dims, w, scale, table);
        else fill_float(c, "embeddings", dims, 2, table);
        if (lora && c->b->status == LC_OK) add_lora(c, "embeddings", dims, 2, table);
        c->slots[0] = lc_build_const(c->b, "embeddings", LC_FLOAT32, dims, 2, table, (size_t)n * sizeof(float), true) + 1;
    }
    return c->b->status == LC_OK ? lc_tf_gather(lc_eager_maker(c), c->slots[0] - 1, index, 0, 0) : -1;
}
