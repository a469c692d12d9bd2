/*
 * fuzz_op.c: the bytes choose an operator, its options, types, small shapes and values. Its shape rule decides; what it accepts runs as
 * reference kernel and as SIMD kernel of every instruction set of this machine, on blocks of exactly the tensors' sizes, and their
 * answers must agree. Missing bytes read as zero, so that every input is a whole case.
 */
#include "fuzz/fuzz.h"

#include "kernels/kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_INPUTS 5
#define MOST_OUTPUTS 3
#define MOST_BYTES (1u << 16)

static const uint8_t *bytes, *bytes_end;

static uint32_t draw(uint32_t below) {
    uint32_t v = bytes < bytes_end ? *bytes++ : 0;
    return v % below;
}

/* What fits a family better than chance: a letter is a size drawn once, equal letters fit; "#v": constants below v; type first. */
static const struct {
    const char *what, *inputs;
} fitting[] = {
    {"conv", "fnhwc;foijc;fo"},
    {"depthwise", "fnhwc;f1ijc;fo"},
    {"pool", "fnhwc"},
    {"pad", "fnc;i22#3;f"},
    {"fully_connected", "fnc;foc;fo"},
    {"batch_matmul", "fnc;fco"},
    {"transpose_conv", "i4#4;foijc;fnhwc;fo"},
    {"RANGE", "i#2;i#6;i#3"},
    {"FILL", "i2#4;f"},
    {"SPLIT_V", "fnh;i1#5;i#2"},
    {"SPLIT", "i#2;fnh"},
    {"tile", "fnh;i2#4"},
    {"gather", "fnhw;ioi#3"},
    {"resize", "fnhwc;i2#5"},
    {"space", "fnhwc;i2#4;i22#3"},
    {"reduce", "fnhwc;i2#4"},
    {"transpose", "fnhw;i3#3"},
    {"SLICE", "fnh;i2#3;i2#3"},
    {"STRIDED_SLICE", "fnhw;i3#4;i3#4;i3#3"},
    {"softmax", "fnhc"},
    {"binary", "fnhc;fnhc"},
    {"activation", "fnhc;fc"},
    {"concat", "fnhc;fnhc;fnhc;fnhc"},
    {"arg", "fnhc;i#3"},
    {"cumsum", "fnhc;i#3"},
};

typedef struct one {
    lc_node node;
    lc_value in[MOST_INPUTS], out[MOST_OUTPUTS];
    lc_infer_tensor shapes_in[MOST_INPUTS], shapes_out[MOST_OUTPUTS];
    uint32_t in_count, out_count;
    union {
        max_align_t align;
        uint8_t bytes[512];
    } options;
    int32_t vectors[4][4];
} one;

static void draw_options(one *o, lc_table_id table) {
    static const int32_t values[] = {1, 0, 2, 3, -1, 4, 5, 1, 1, 0, 7, 100, INT32_MAX, INT32_MIN};
    o->node.attrs_table = table;
    o->node.attrs = table == LC_TABLE_NONE ? NULL : &o->options;
    for (uint16_t i = 0; table != LC_TABLE_NONE && i < lc_schema_tables[table].field_count; i++) {
        const lc_field *f = &lc_table_fields(table)[i];
        int32_t v = values[draw(sizeof values / sizeof *values)];
        float real = (float)v * 0.25f;
        uint8_t *at = o->options.bytes + f->offset;
        switch (f->kind) {
        case LC_KIND_bool: *at = v & 1; break;
        case LC_KIND_i8:
        case LC_KIND_enum_i8: *at = (uint8_t)v; break;
        case LC_KIND_i32:
        case LC_KIND_u32:
        case LC_KIND_enum_i32:
        case LC_KIND_enum_u32: memcpy(at, &v, 4); break;
        case LC_KIND_f32: memcpy(at, &real, 4); break;
        case LC_KIND_vec_i32: {
            lc_vec_i32 vec = {o->vectors[i & 3], draw(5)};
            for (uint32_t k = 0; k < vec.n; k++) o->vectors[i & 3][k] = values[draw(7)];
            memcpy(at, &vec, sizeof vec);
            break;
        }
        default: break;
        }
    }
}

static bool give_data(lc_value *v, uint32_t below) {
    uint64_t n, size;
    if (!lc_shape_elements(&v->shape, &n) || !lc_dtype_bytes(v->type, n, &size) || size > MOST_BYTES) return false;
    v->size = (size_t)size;
    v->data = malloc(v->size ? v->size : 1); /* exactly this much: the sanitizer guards its end */
    if (!v->data) abort();
    memset(v->data, 0, v->size);
    size_t width = lc_dtype_bits(v->type) / 8;
    for (uint64_t i = 0; width && i < n; i++) {
        int64_t whole = below ? (int64_t)draw(below) : (int64_t)draw(17) - 8;
        float real = (float)whole * 0.375f;
        if (v->type == LC_BOOL) whole &= 1;
        if (v->type == LC_FLOAT32) memcpy((char *)v->data + i * width, &real, 4);
        else memcpy((char *)v->data + i * width, &whole, width < 8 ? width : 8);
    }
    return true;
}

static bool draw_inputs(one *o) {
    static const lc_dtype kinds[] = {LC_FLOAT32, LC_INT32,   LC_INT64, LC_BOOL,   LC_UINT8,
                                     LC_INT8,    LC_FLOAT16, LC_INT4,  LC_STRING, LC_FLOAT64};
    const lc_op_def *def = lc_op_get(o->node.op);
    uint32_t most = def->in_max < 0 || def->in_max > MOST_INPUTS ? MOST_INPUTS : (uint32_t)def->in_max;
    const char *fit = "";
    int32_t sizes[128];
    for (int k = 0; k < 128; k++) sizes[k] = k > '0' && k <= '9' ? k - '0' : 0;
    for (const char *k = "nhwcijo"; *k; k++) sizes[(int)*k] = (int32_t)draw(6) + (*k != 'n');
    sizes['c'] *= 1 + (int32_t)draw(8); /* SIMD works across channels */
    if (draw(4))
        for (size_t f = 0; !*fit && f < sizeof fitting / sizeof *fitting; f++)
            if (!strcmp(fitting[f].what, lc_op_def_name(def)) || !strcmp(fitting[f].what, lc_op_family(o->node.op)))
                fit = fitting[f].inputs;
    if (def->in_min > (int32_t)most) return false;
    o->in_count = (uint32_t)def->in_min + draw(most - (uint32_t)def->in_min + 1);
    lc_dtype type = kinds[draw(10)];
    for (uint32_t i = 0; i < o->in_count; i++) {
        lc_value *v = &o->in[i];
        uint32_t below = 0;
        if (*fit) {
            v->type = *fit++ == 'f' ? LC_FLOAT32 : LC_INT32;
            for (; *fit && *fit != ';' && *fit != '#'; fit++) v->shape.dims[v->shape.rank++] = sizes[(int)*fit];
            if (*fit == '#') below = (uint32_t)(fit[1] - '0'), fit += 2;
            if (*fit == ';') fit++;
            v->constant = below || (i > 0 && draw(2));
        } else {
            v->type = draw(5) ? type : kinds[draw(10)];
            v->shape.rank = (int32_t)draw(6);
            for (int32_t d = 0; d < v->shape.rank; d++) v->shape.dims[d] = (int32_t)draw(6);
            v->constant = draw(2);
        }
        if (!give_data(v, below)) return false;
    }
    return true;
}

static void compare(const lc_value *a, const void *b) {
    if (a->type != LC_FLOAT32) {
        if (a->size && memcmp(a->data, b, a->size)) abort();
        return;
    }
    for (size_t i = 0; i < a->size / 4; i++) {
        float x, y;
        memcpy(&x, (const char *)a->data + 4 * i, 4);
        memcpy(&y, (const char *)b + 4 * i, 4);
        if (x == y || isnan(x) || isnan(y)) continue;
        if (!(fabsf(x - y) <= 1e-4f * (1 + fabsf(x)))) abort();
    }
}

static void run(one *o) {
    static const char *const sets[] = {"ref", "portable", "avx2", "avx512", "neon"};
    lc_value *in[MOST_INPUTS], *out[MOST_OUTPUTS], other[MOST_OUTPUTS];
    bool reference = false;
    for (uint32_t i = 0; i < o->in_count; i++) in[i] = &o->in[i];
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        const struct lc_simd *simd = NULL;
        lc_arena arena = {0};
        lc_error err;
        if (lc_simd_get(sets[s], &simd, NULL) != LC_OK) continue;
        if (s > 0 && (!reference || !lc_kernel_fast(o->node.op))) break;
        for (uint32_t i = 0; i < o->out_count; i++) {
            other[i] = o->out[i];
            if (s > 0) {
                other[i].data = malloc(other[i].size ? other[i].size : 1);
                if (!other[i].data) abort();
            }
            out[i] = &other[i];
        }
        lc_status status = lc_kernel_run_once(&o->node, in, o->in_count, out, o->out_count, simd, &arena, &err);
        if (status != LC_OK && status != LC_UNSUPPORTED && status != LC_INVALID) abort();
        if (status != LC_OK && !err.message[0]) abort();
        if (s == 0) reference = status == LC_OK;
        else if (status != LC_OK) abort(); /* the reference can, so this can */
        for (uint32_t i = 0; s > 0 && i < o->out_count; i++) {
            compare(&o->out[i], other[i].data);
            free(other[i].data);
        }
        lc_arena_deinit(&arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    one *o = calloc(1, sizeof *o);
    if (!o) abort();
    bytes = data;
    bytes_end = data + size;
    o->node.op = (int32_t)draw(LC_OP_COUNT);
    const lc_op_def *def = lc_op_get(o->node.op);
    o->out_count = (uint32_t)def->out_min > MOST_OUTPUTS ? MOST_OUTPUTS : (uint32_t)def->out_min;
    if (def->options == LC_TABLE_NONE || lc_schema_tables[def->options].size <= sizeof o->options) {
        draw_options(o, def->options);
        bool ok = draw_inputs(o);
        for (uint32_t i = 0; i < o->in_count; i++) {
            const lc_value *v = &o->in[i];
            o->shapes_in[i] = (lc_infer_tensor){.present = true,
                                                .type = v->type,
                                                .shape = v->shape,
                                                .data = v->constant ? v->data : NULL,
                                                .size = v->constant ? v->size : 0};
        }
        for (uint32_t i = 0; i < o->out_count; i++) o->shapes_out[i] = (lc_infer_tensor){.present = true, .type = o->in[0].type};
        lc_error err;
        lc_infer_ctx ctx = {&o->node, o->shapes_in, o->in_count, o->shapes_out, o->out_count, &err};
        lc_status status = ok ? lc_op_infer(&ctx) : LC_INVALID;
        if (ok && status != LC_OK && !err.message[0]) abort();
        for (uint32_t i = 0; status == LC_OK && i < o->out_count; i++) {
            o->out[i] = (lc_value){.type = o->shapes_out[i].type, .shape = o->shapes_out[i].shape};
            if (!give_data(&o->out[i], 0)) status = LC_UNSUPPORTED; /* open, or too large for here */
        }
        if (status == LC_OK && o->out_count) run(o);
        for (uint32_t i = 0; i < MOST_INPUTS; i++) free(o->in[i].data);
        for (uint32_t i = 0; i < MOST_OUTPUTS; i++) free(o->out[i].data);
    }
    free(o);
    return 0;
}
