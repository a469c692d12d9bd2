/*
 * text_ref.c: SKIP_GRAM and LSH_PROJECTION.
 *
 * SKIP_GRAM lists the n-grams of a sentence: n of its words in order, joined by spaces, with up to max_skip_size words left out between two
 * of them; with include_all_ngrams the shorter ones too, each behind those that it begins. Their number grows like (max_skip_size + 1)^(n -
 * 1), so they are counted first, and a list of more than 2 GiB is refused; what cannot become a whole n-gram is not followed.
 *
 * LSH_PROJECTION: bit j of hash i is the sign of the sum over the items of weight * fingerprint(hash[i][j], item). The fingerprint is
 * FarmHash's Fingerprint64 (Geoff Pike, Google), read as a signed number.
 */
#include "kernels/ref.h"
#include "kernels/string_value.h"

#include <string.h>

/* ---- SKIP_GRAM ------------------------------------------------------------------------------------------------------ */

typedef struct grams {
    const lc_str *words;
    int32_t count, size, skip; /* of words; n; max_skip_size */
    bool all;
    int32_t *stack;    /* [size]: the words of the present gram */
    char *buffer;      /* NULL: only count */
    uint64_t n, bytes; /* grams so far, and their bytes */
    uint64_t total;    /* grams of a buffer */
} grams;

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Words are parted at spaces; a space at the very beginning belongs to a last word, as in LiteRT. words NULL: only count. */
static int32_t split(lc_str text, lc_str *words) {
    int32_t n = 0;
    size_t from = 0;
    for (size_t i = 1; i < text.size; i++) {
        if (!is_space(text.data[i])) continue;
        if (i > from && !is_space(text.data[from])) {
            if (words) words[n] = (lc_str){text.data + from, i - from};
            n++;
        }
        from = i + 1;
    }
    if (text.size > from) {
        if (words) words[n] = (lc_str){text.data + from, text.size - from};
        n++;
    }
    return n;
}

static void put_word(void *buffer, uint64_t i, uint64_t value) {
    const uint32_t v = (uint32_t)value;
    memcpy((char *)buffer + i * sizeof v, &v, sizeof v);
}

/* The gram of the first `depth` words of the stack. False when the list becomes too large. */
static bool emit(grams *g, int32_t depth) {
    const uint64_t start = g->buffer ? (g->total + 2) * 4 + g->bytes : 0;
    uint64_t at = start;
    if (g->buffer) put_word(g->buffer, g->n + 1, start);
    for (int32_t i = 0; i < depth; i++) {
        const lc_str word = g->words[g->stack[i]];
        if (g->buffer && i) g->buffer[at] = ' ';
        at += i > 0;
        if (g->buffer) memcpy(g->buffer + at, word.data, word.size);
        at += word.size;
    }
    g->n++;
    g->bytes += at - start;
    return (g->n + 2) * 4 + g->bytes <= INT32_MAX;
}

/* Another word may follow at `depth`: stack[depth] is the last one tried there. */
static bool can_step(const grams *g, int32_t depth) {
    if (depth >= g->size || g->stack[depth] + 1 >= g->count) return false;
    if (!g->all && g->count - 1 - (g->stack[depth] + 1) < g->size - 1 - depth) return false; /* too few words left */
    return depth == 0 || (int64_t)g->stack[depth] - g->stack[depth - 1] <= g->skip;
}

static bool list(grams *g) {
    g->n = g->bytes = 0;
    memset(g->stack, 0, (size_t)g->size * sizeof *g->stack);
    for (int32_t depth = 1; depth >= 0;) {
        if (can_step(g, depth)) {
            g->stack[depth]++;
            if (++depth < g->size) g->stack[depth] = g->stack[depth - 1];
            continue;
        }
        if ((depth == g->size || (g->all && depth > 0)) && !emit(g, depth)) return false;
        depth--;
    }
    return true;
}

static lc_status put_grams(lc_kernel_ctx *ctx, grams *g) {
    const bool any = g->size > 0 && g->count >= g->size && (g->size == 1 || g->all || g->skip >= 0);
    if (any && !list(g)) {
        lc_fail(ctx->err, LC_LIMIT, "its n-grams are more than 2 GiB");
        lc_error_hint(ctx->err, "use a shorter text");
        return LC_LIMIT;
    }
    g->total = g->n;
    const lc_shape shape = {1, {(int32_t)g->n}};
    LC_TRY(lc_kernel_resize(ctx, 0, &shape, (size_t)((g->n + 2) * 4 + g->bytes)));
    g->buffer = ctx->out[0]->data;
    if (any) list(g);
    put_word(g->buffer, 0, g->n);
    put_word(g->buffer, g->n + 1, (g->n + 2) * 4 + g->bytes);
    return LC_OK;
}

static lc_status run_skip_gram(lc_kernel_ctx *ctx) {
    const lc_SkipGramOptions *o = LC_OP_ATTRS(ctx->node, SkipGramOptions);
    lc_strings in;
    LC_TRY(lc_strings_open(ctx, ctx->in[0], "input", &in));
    if (in.count == 0) return lc_fail(ctx->err, LC_INVALID, "input has no string");
    const lc_str text = lc_strings_at(&in, 0);
    if (text.size > INT32_MAX) return lc_fail(ctx->err, LC_LIMIT, "its text is larger than 2 GiB");
    grams g = {.count = split(text, NULL), .size = o->ngram_size, .skip = o->max_skip_size, .all = o->include_all_ngrams};
    const size_t depth = g.size > 0 && g.size <= g.count ? (size_t)g.size : 1;
    lc_str *words = lc_calloc(g.count ? (size_t)g.count : 1, sizeof *words);
    g.stack = lc_calloc(depth, sizeof *g.stack);
    g.words = words;
    lc_status status = words && g.stack ? LC_OK : lc_fail_memory(ctx->err, "words");
    if (status == LC_OK) {
        split(text, words);
        status = put_grams(ctx, &g);
    }
    lc_free(words);
    lc_free(g.stack);
    return status;
}

const lc_kernel lc_kernel_SKIP_GRAM = {.run = run_skip_gram};

/* ---- FarmHash's Fingerprint64 --------------------------------------------------------------------------------------- */

static const uint64_t K0 = 0xc3a5c85c97cb3127u, K1 = 0xb492b66fbe98f273u, K2 = 0x9ae16a3b2f90404fu;

static uint64_t read64(const uint8_t *p) {
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--) v = v << 8 | p[i];
    return v;
}
static uint64_t read32(const uint8_t *p) { return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24; }
static uint64_t rotate(uint64_t x, int by) { return by ? x >> by | x << (64 - by) : x; }
static uint64_t shift_mix(uint64_t x) { return x ^ x >> 47; }

static uint64_t hash_pair(uint64_t u, uint64_t v, uint64_t factor) {
    const uint64_t a = shift_mix((u ^ v) * factor);
    return shift_mix((v ^ a) * factor) * factor;
}

static uint64_t hash_short(const uint8_t *s, size_t n) {
    const uint64_t factor = K2 + n * 2;
    if (n >= 8) {
        const uint64_t a = read64(s) + K2, b = read64(s + n - 8);
        return hash_pair(rotate(b, 37) * factor + a, (rotate(a, 25) + b) * factor, factor);
    }
    if (n >= 4) return hash_pair(n + (read32(s) << 3), read32(s + n - 4), factor);
    if (n == 0) return K2;
    const uint32_t y = s[0] + ((uint32_t)s[n >> 1] << 8), z = (uint32_t)n + ((uint32_t)s[n - 1] << 2);
    return shift_mix(y * K2 ^ z * K0) * K2;
}

static uint64_t hash_17_to_32(const uint8_t *s, size_t n) {
    const uint64_t factor = K2 + n * 2, a = read64(s) * K1, b = read64(s + 8), c = read64(s + n - 8) * factor, d = read64(s + n - 16) * K2;
    return hash_pair(rotate(a + b, 43) + rotate(c, 30) + d, a + rotate(b + K2, 18) + c, factor);
}

static uint64_t hash_33_to_64(const uint8_t *s, size_t n) {
    const uint64_t factor = K2 + n * 2, a = read64(s) * K2, b = read64(s + 8), c = read64(s + n - 8) * factor, d = read64(s + n - 16) * K2;
    const uint64_t y = rotate(a + b, 43) + rotate(c, 30) + d, z = hash_pair(y, a + rotate(b + K2, 18) + c, factor);
    const uint64_t e = read64(s + 16) * factor, f = read64(s + 24), g = (y + read64(s + n - 32)) * factor,
                   h = (z + read64(s + n - 24)) * factor;
    return hash_pair(rotate(e + f, 43) + rotate(g, 30) + h, e + rotate(f + a, 18) + g, factor);
}

typedef struct pair {
    uint64_t a, b;
} pair;

static pair hash_32_weakly(const uint8_t *s, uint64_t a, uint64_t b) {
    const uint64_t w = read64(s), x = read64(s + 8), y = read64(s + 16), z = read64(s + 24);
    a += w;
    b = rotate(b + a + z, 21);
    const uint64_t c = a;
    a += x + y;
    b += rotate(a, 44);
    return (pair){a + z, b + c};
}

static uint64_t fingerprint(const uint8_t *s, size_t n) {
    if (n <= 16) return hash_short(s, n);
    if (n <= 32) return hash_17_to_32(s, n);
    if (n <= 64) return hash_33_to_64(s, n);
    const uint64_t seed = 81;
    uint64_t x = seed * K2 + read64(s), y = seed * K1 + 113, z = shift_mix(y * K2 + 113) * K2, t;
    pair v = {0, 0}, w = {0, 0};
    const uint8_t *end = s + (n - 1) / 64 * 64, *last = end + ((n - 1) & 63) - 63;
    do {
        x = rotate(x + y + v.a + read64(s + 8), 37) * K1;
        y = rotate(y + v.b + read64(s + 48), 42) * K1;
        x ^= w.b;
        y += v.a + read64(s + 40);
        z = rotate(z + w.a, 33) * K1;
        v = hash_32_weakly(s, v.b * K1, x + w.a);
        w = hash_32_weakly(s + 32, z + w.b, y + read64(s + 16));
        t = z, z = x, x = t;
        s += 64;
    } while (s != end);
    const uint64_t factor = K1 + ((z & 0xff) << 1);
    s = last;
    w.a += (n - 1) & 63;
    v.a += w.a;
    w.a += v.a;
    x = rotate(x + y + v.a + read64(s + 8), 37) * factor;
    y = rotate(y + v.b + read64(s + 48), 42) * factor;
    x ^= w.b * 9;
    y += v.a * 9 + read64(s + 40);
    z = rotate(z + w.a, 33) * factor;
    v = hash_32_weakly(s, v.b * factor, x + w.a);
    w = hash_32_weakly(s + 32, z + w.b, y + read64(s + 16));
    t = z, z = x, x = t;
    return hash_pair(hash_pair(v.a, w.a, factor) + shift_mix(y) * K0 + z, hash_pair(v.b, w.b, factor) + x, factor);
}

/* ---- LSH_PROJECTION ------------------------------------------------------------------------------------------------- */

static size_t item_bytes(const lc_value *in) { return (size_t)(lc_ref_elements(in) / in->shape.dims[0]) * lc_ref_width(in); }

static lc_status prepare_lsh(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32)));
    LC_TRY(lc_ref_input(ctx, 1, LC_T_WHOLE));
    LC_TRY(lc_ref_input(ctx, 2, LC_T(FLOAT32)));
    ctx->scratch_size = sizeof(float) + item_bytes(ctx->in[1]);
    return LC_OK;
}

static uint32_t sign_bit(const lc_kernel_ctx *ctx, const float *weights, float seed) {
    const lc_value *in = ctx->in[1];
    const size_t bytes = item_bytes(in);
    const uint8_t *item = in->data;
    uint8_t *key = ctx->scratch;
    double score = 0;
    memcpy(key, &seed, sizeof seed);
    for (int64_t i = 0; i < in->shape.dims[0]; i++, item += bytes) {
        if (bytes) memcpy(key + sizeof seed, item, bytes);
        const uint64_t print = fingerprint(key, sizeof seed + bytes);
        const double value = (double)(int64_t)print;
        score += weights ? (double)weights[i] * value : value;
    }
    return score > 0;
}

static lc_status run_lsh(lc_kernel_ctx *ctx) {
    const bool dense = LC_OP_ATTRS(ctx->node, LSHProjectionOptions)->type == LC_LSHProjectionType_DENSE;
    const int64_t hashes = ctx->in[0]->shape.dims[0], bits = ctx->in[0]->shape.dims[1];
    const float *seeds = ctx->in[0]->data, *weights = ctx->in_count > 2 && ctx->in[2] ? ctx->in[2]->data : NULL;
    int32_t *out = ctx->out[0]->data;
    for (int64_t i = 0; i < hashes; i++) {
        uint32_t hash = 0;
        for (int64_t j = 0; j < bits; j++) {
            const uint32_t bit = sign_bit(ctx, weights, seeds[i * bits + j]);
            if (dense) out[i * bits + j] = (int32_t)bit;
            hash = hash << 1 | bit;
        }
        if (!dense) out[i] = (int32_t)(hash + (uint32_t)i * (1u << (bits & 31)));
    }
    return LC_OK;
}

const lc_kernel lc_kernel_LSH_PROJECTION = {.prepare = prepare_lsh, .run = run_lsh};
