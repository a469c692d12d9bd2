/*
 * tf_random.c: random numbers.
 *
 * Stateless ones are TensorFlow's own, bit for bit before the last rounding: Philox (Salmon et al., 2011) from key and counter, by
 * STABLEHLO_RNG_BIT_GENERATOR where the number of words is known, else by integer operators on a vector of counters (a batch that is open).
 * Not so StatelessTruncatedNormal, StatelessMultinomial, StatelessShuffle: the distribution is theirs, the numbers are not.
 *
 * Stateful ones are RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL and MULTINOMIAL with TensorFlow's seeds; what is made from them (integers,
 * truncated normal numbers by inversion, shuffling by random sort keys) has TensorFlow's distribution.
 */
#include "lower/tf_math.h"

#include <math.h>
#include <string.h>

#define TWO_PI 6.28318530717958647693
#define UNIT 0x1p-23 /* what a uniform float32 is a multiple of */
#define GATHERS (LC_TF_NUMBERS | LC_TF_HALVES | LC_TF_T(BOOL) | LC_TF_T(STRING))

enum { PHILOX = 1, THREEFRY = 2, ROUNDS = 10, WORDS_MOST = 1 << 28 };

/* How many numbers of what shape. */
typedef struct wanted {
    lc_shape shape;  /* as far as it is known */
    int32_t dims;    /* int32 tensor */
    int64_t count;   /* -1: the run knows */
    int32_t counted; /* its count as an int32 scalar, made when it is needed */
} wanted;

static bool shape_wanted(lc_tf_call *c, uint32_t i, wanted *w) {
    const int32_t shape = lc_tf_in(c, i);
    uint64_t n;
    *w = (wanted){.shape = lc_tf_shape_value(c, shape), .dims = lc_tf_int32(c, shape), .count = -1, .counted = -1};
    bool known = w->shape.rank != LC_RANK_UNKNOWN;
    for (int32_t d = 0; d < w->shape.rank; d++) known = known && w->shape.dims[d] >= 0;
    if (known && lc_shape_elements(&w->shape, &n) && n <= WORDS_MOST) w->count = (int64_t)n;
    else if (known) lc_tf_fail(c, LC_LIMIT, "it makes more than %d random numbers at once", WORDS_MOST);
    return lc_tf_ok(c);
}

static int32_t count_of(lc_tf_call *c, wanted *w) {
    const int32_t axis = 0;
    if (w->count >= 0) return lc_tf_scalar(c, (double)w->count, LC_INT32);
    if (w->counted < 0) w->counted = lc_build_reduce(c->b, LC_OP_REDUCE_PROD, w->dims, &axis, 1, false);
    return w->counted;
}

/* A vector of that many numbers, in its shape. */
static int32_t shaped(lc_tf_call *c, const wanted *w, int32_t x) {
    return w->count >= 0 ? lc_tf_reshape(c, x, w->shape.dims, w->shape.rank) : lc_tf_reshape_like(c, x, w->dims);
}

/* ---- Philox ----------------------------------------------------------------------------------------------------------------- */

typedef struct stream {
    int32_t key;     /* int64 [1] */
    int32_t counter; /* int64 [2] */
} stream;

static int32_t joined(lc_tf_call *c, int32_t a, int32_t b) {
    const int32_t parts[2] = {a, b};
    return lc_tf_concat(c, parts, 2, 0);
}

/* `n` words of the stream as int32 or int64, by the builtin. */
static int32_t generated(lc_tf_call *c, stream s, int32_t n, lc_dtype type) {
    const int32_t state = lc_tf_bits_as(c, joined(c, s.key, s.counter), LC_UINT64);
    const lc_StablehloRngBitGeneratorOptions o = {.algorithm = LC_RngAlgorithm_PHILOX};
    const lc_build_output made[2] = {{.type = LC_UINT64, .rank = 1, .dims = {3}}, {.type = type, .rank = 1, .dims = {n}}};
    int32_t out[2];
    lc_build_op_declared(c->b, LC_OP_STABLEHLO_RNG_BIT_GENERATOR, LC_TABLE_StablehloRngBitGeneratorOptions, &o, &state, 1, made, out, 2);
    return out[1];
}

/* Low (0) or high (1) words of int64s. */
static int32_t word(lc_tf_call *c, int32_t words, int32_t k) { return lc_tf_gather(c, words, lc_tf_scalar(c, k, LC_INT32), -1, 0); }

static int32_t row_pair(lc_tf_call *c, int32_t low, int32_t high, int32_t k) {
    const int32_t first = word(c, low, k), rows[2] = {first, word(c, high, k)};
    return lc_tf_pack(c, rows, 2, 0);
}

/* The same by operators: `groups` (int32 scalar) times four words, flat. The four words of a group are rows 0 and 1 of `even` and `odd`
 * by turns. A round multiplies the even ones; the halves of the products change places. */
static int32_t computed(lc_tf_call *c, stream s, int32_t groups) {
    static const int64_t factors[2] = {0xD2511F53, 0xCD9E8D57}, steps[2] = {0x9E3779B9, 0xBB67AE85};
    const int32_t column[2] = {2, 1}, rows[2] = {4, -1}, flat = -1, turn[2] = {1, 0}, back[2] = {1, 0};
    int64_t step[2];
    const int32_t factor = lc_tf_reshape(c, lc_tf_const_ints(c, factors, 2, LC_INT64), column, 2), order = lc_tf_vector(c, turn, 2);
    int32_t key = lc_tf_reshape(c, lc_tf_bits_as(c, s.key, LC_INT32), column, 2);
    const int32_t place = lc_build_cast(c->b, lc_tf_range(c, groups), LC_INT64), base = lc_tf_cut_at(c, s.counter, 0, 0, 1);
    const int32_t low = lc_tf_bits_as(c, lc_tf_add(c, place, base), LC_INT32); /* [groups, 2] */
    const int32_t top = lc_tf_bits_as(c, lc_tf_cut_at(c, s.counter, 0, 1, 2), LC_INT32), zeros = lc_tf_unary(c, LC_OP_ZEROS_LIKE, low);
    const int32_t high = lc_tf_add(c, zeros, top);
    int32_t even = row_pair(c, low, high, 0), odd = row_pair(c, low, high, 1); /* [2, groups] */
    for (int r = 0; r < ROUNDS && lc_tf_ok(c); r++) {
        const int32_t natural = lc_build_cast(c->b, lc_tf_bits_as(c, even, LC_UINT32), LC_INT64);
        const int32_t product = lc_tf_gather(c, lc_tf_mul(c, natural, factor), order, 0, 0), words = lc_tf_bits_as(c, product, LC_INT32);
        const int32_t mixed = lc_tf_binary(c, LC_OP_BITWISE_XOR, word(c, words, 1), odd);
        even = lc_tf_binary(c, LC_OP_BITWISE_XOR, mixed, key);
        odd = word(c, words, 0);
        for (int i = 0; i < 2; i++) step[i] = (int32_t)(uint32_t)steps[i];
        if (r + 1 < ROUNDS) key = lc_tf_add(c, key, lc_tf_reshape(c, lc_tf_const_ints(c, step, 2, LC_INT32), column, 2));
    }
    const int32_t both[2] = {even, odd};
    const int32_t lines = lc_tf_reshape(c, lc_tf_pack(c, both, 2, 1), rows, 2);
    return lc_tf_reshape(c, lc_build_transpose(c->b, lines, back, 2), &flat, 1);
}

/* `each` words for each number and one more where they are odd, so that they come in pairs; flat int32. */
static int32_t words_of(lc_tf_call *c, stream s, wanted *w, int32_t each) {
    if (w->count >= 0) return generated(c, s, (int32_t)(w->count + 1) / 2 * 2 * each, LC_INT32);
    const int32_t n = lc_tf_add_with(c, lc_tf_with(c, LC_OP_MUL, count_of(c, w), each), 3);
    return computed(c, s, lc_tf_with(c, LC_OP_FLOOR_DIV, n, 4));
}

/* The first of them that are wanted. */
static int32_t cut(lc_tf_call *c, wanted *w, int32_t x) {
    const lc_shape s = lc_tf_shape(c, x);
    return s.rank == 1 && s.dims[0] >= 0 && s.dims[0] == w->count ? x : lc_tf_cut(c, x, 0, LC_ABSENT, count_of(c, w), 1);
}

/* Key and counter that TensorFlow mixes from a seed of two numbers. */
static stream stream_of_seed(lc_tf_call *c, int32_t seed) {
    static const int64_t scramble = INT64_C(0x02461e293ec8f720), zero = 0;
    const lc_dtype type = lc_tf_type(c, seed);
    const int32_t wide = type == LC_UINT64 ? lc_tf_bits_as(c, seed, LC_INT64) : lc_build_cast(c->b, seed, LC_INT64);
    const stream from = {lc_tf_const_ints(c, &scramble, 1, LC_INT64), wide};
    const int32_t mix = generated(c, from, 2, LC_INT64), key = lc_tf_cut_at(c, mix, 0, 0, 1),
                  none = lc_tf_const_ints(c, &zero, 1, LC_INT64);
    return (stream){key, joined(c, none, lc_tf_cut_at(c, mix, 0, 1, 2))};
}

/* Key, counter and algorithm (inputs i, i + 1, i + 2) of the operators whose names end in V2. */
static bool stream_given(lc_tf_call *c, uint32_t i, stream *s) {
    const int64_t algorithm = lc_tf_need_int(c, lc_tf_in(c, i + 2), "alg");
    if (lc_tf_ok(c) && algorithm == THREEFRY) {
        lc_tf_missing(c, "litec computes Philox only, its algorithm is ThreeFry");
        return false;
    }
    s->key = lc_tf_bits_as(c, lc_tf_in(c, i), LC_INT64);
    s->counter = lc_tf_bits_as(c, lc_tf_in(c, i + 1), LC_INT64);
    if (lc_tf_ok(c) && lc_tf_shape(c, s->counter).rank == 1 && lc_tf_shape(c, s->counter).dims[0] != 2)
        lc_tf_fail(c, LC_INVALID, "its counter needs 2 elements");
    return lc_tf_ok(c);
}

/* StatelessRandomGetKeyCounter(Alg): key, counter, Philox. */
void lc_tf_op_key_counter(lc_tf_call *c) {
    const stream s = stream_of_seed(c, lc_tf_in(c, 0));
    lc_tf_give(c, 0, lc_tf_bits_as(c, s.key, LC_UINT64));
    lc_tf_give(c, 1, lc_tf_bits_as(c, s.counter, LC_UINT64));
    if (c->out_count > 2) lc_tf_give(c, 2, lc_tf_scalar(c, PHILOX, LC_INT32));
}
void lc_tf_op_random_alg(lc_tf_call *c) { lc_tf_give(c, 0, lc_tf_scalar(c, PHILOX, LC_INT32)); }

/* Where this stateless operator takes its numbers from: a seed (input 1), or key, counter and alg. */
static bool stream_of(lc_tf_call *c, stream *s) {
    const size_t n = strlen(c->row->name);
    if (n > 2 && strcmp(c->row->name + n - 2, "V2") == 0) return stream_given(c, 1, s);
    *s = stream_of_seed(c, lc_tf_in(c, 1));
    return lc_tf_ok(c);
}

/* ---- from words to numbers ----------------------------------------------------------------------------------------------------- */

/* [0, 1) from the low bits, as many as the type's mantissa has. */
static int32_t unit(lc_tf_call *c, int32_t words, int32_t bits) {
    const int32_t low = lc_tf_with(c, LC_OP_FLOOR_MOD, words, ldexp(1, bits));
    return lc_tf_mul_with(c, lc_build_cast(c->b, low, LC_FLOAT32), ldexp(1, -bits));
}

/* float64's [0, 1) from pairs of words, 20 bits and 32. */
static int32_t unit_of_pairs(lc_tf_call *c, int32_t words) {
    const int32_t pairs[2] = {-1, 2}, x = lc_tf_reshape(c, words, pairs, 2);
    const int32_t first = unit(c, word(c, x, 0), 20);
    const int32_t second = lc_build_cast(c->b, lc_tf_bits_as(c, word(c, x, 1), LC_UINT32), LC_FLOAT32);
    return lc_tf_add(c, first, lc_tf_mul_with(c, second, 0x1p-52));
}

static int32_t uniform(lc_tf_call *c, stream s, wanted *w, lc_dtype type) {
    if (type == LC_FLOAT64) return cut(c, w, unit_of_pairs(c, words_of(c, s, w, 2)));
    return cut(c, w, unit(c, words_of(c, s, w, 1), type == LC_FLOAT16 ? 10 : type == LC_BFLOAT16 ? 7 : 23));
}

/* Box and Muller (1958): two normal numbers from two uniform ones. */
static int32_t normal(lc_tf_call *c, stream s, wanted *w, lc_dtype type) {
    const bool wide = type == LC_FLOAT64;
    const int32_t pairs[2] = {-1, 2}, flat = -1;
    const int32_t words = words_of(c, s, w, wide ? 2 : 1), u = wide ? unit_of_pairs(c, words) : unit(c, words, 23);
    const int32_t x = lc_tf_reshape(c, u, pairs, 2);
    const int32_t first = lc_tf_most_with(c, word(c, x, 0), 1e-7), angle = lc_tf_mul_with(c, word(c, x, 1), TWO_PI);
    const int32_t radius = lc_tf_unary(c, LC_OP_SQRT, lc_tf_mul_with(c, lc_tf_unary(c, LC_OP_LOG, first), -2));
    const int32_t sine = lc_tf_mul(c, lc_tf_unary(c, LC_OP_SIN, angle), radius),
                  cosine = lc_tf_mul(c, lc_tf_unary(c, LC_OP_COS, angle), radius);
    const int32_t both[2] = {sine, cosine};
    return cut(c, w, lc_tf_reshape(c, lc_tf_pack(c, both, 2, 1), &flat, 1));
}

/* Normal numbers within two standard deviations of 0, by inversion of uniform ones. */
static int32_t truncated(lc_tf_call *c, int32_t u) {
    const double below = 0.02275013194817920720; /* of the distribution lies below -2 */
    const int32_t middle = lc_tf_add_with(c, u, UNIT / 2);
    return lc_tf_ndtri(c, lc_tf_add_with(c, lc_tf_mul_with(c, middle, 1 - 2 * below), below));
}

static bool real_type(lc_tf_call *c, lc_dtype *type) {
    *type = lc_tf_made_type(c, "dtype", LC_FLOAT32);
    if (lc_tf_ok(c) && !lc_tf_is_real(*type))
        lc_tf_fail(c, LC_INVALID, "attribute \"dtype\" is %s, needs a floating-point type", lc_dtype_name(*type));
    return lc_tf_ok(c);
}

typedef int32_t (*numbers_fn)(lc_tf_call *c, stream s, wanted *w, lc_dtype type);

static int32_t truncated_normal(lc_tf_call *c, stream s, wanted *w, lc_dtype type) {
    (void)type;
    return truncated(c, uniform(c, s, w, LC_FLOAT32));
}

static void stateless_real(lc_tf_call *c, numbers_fn make) {
    lc_dtype type;
    stream s;
    wanted w;
    if (!real_type(c, &type) || !shape_wanted(c, 0, &w) || !stream_of(c, &s)) return;
    lc_tf_give(c, 0, lc_build_cast(c->b, shaped(c, &w, make(c, s, &w, type)), type));
}

void lc_tf_op_stateless_uniform(lc_tf_call *c) { stateless_real(c, uniform); }
void lc_tf_op_stateless_normal(lc_tf_call *c) { stateless_real(c, normal); }
void lc_tf_op_stateless_truncated_normal(lc_tf_call *c) { stateless_real(c, truncated_normal); }

/* ---- integers ---------------------------------------------------------------------------------------------------------------------- */

/* Words as whole numbers of `type`, whose bits are those of int32 or int64. */
static int32_t whole_words(lc_tf_call *c, stream s, wanted *w, lc_dtype type) {
    const int32_t pairs[2] = {-1, 2};
    if (lc_dtype_bits(type) == 32) return cut(c, w, words_of(c, s, w, 1));
    return cut(c, w, lc_tf_bits_as(c, lc_tf_reshape(c, words_of(c, s, w, 2), pairs, 2), LC_INT64));
}

/* a + b modulo r, of a and b in [0, r), without overflow. */
static int32_t add_modulo(lc_tf_call *c, int32_t a, int32_t b, int32_t r) {
    return lc_tf_binary(c, LC_OP_FLOOR_MOD, lc_tf_sub(c, a, lc_tf_sub(c, r, b)), r);
}

/* int64 words, read as numbers up to 2^64, modulo r: 2^64 is added to the negative ones. */
static int32_t modulo(lc_tf_call *c, int32_t words, int32_t r) {
    const int32_t half = lc_tf_binary(c, LC_OP_FLOOR_MOD, lc_tf_limit(c, LC_INT64, true), r);
    const int32_t one = lc_tf_binary(c, LC_OP_FLOOR_MOD, lc_tf_scalar(c, 1, LC_INT64), r), two_63 = add_modulo(c, half, one, r);
    const int32_t two_64 = add_modulo(c, two_63, two_63, r), rest = lc_tf_binary(c, LC_OP_FLOOR_MOD, words, r);
    const int32_t more = lc_tf_choose_else(c, lc_tf_less_with(c, words, 0), two_64, 0);
    return add_modulo(c, rest, more, r);
}

static bool whole_type(lc_tf_call *c, lc_dtype *type, lc_dtype otherwise) {
    *type = lc_tf_made_type(c, "dtype", otherwise);
    if (lc_tf_ok(c) && (!lc_tf_is_integer(*type) || lc_dtype_bits(*type) < 32))
        lc_tf_fail(c, LC_INVALID, "attribute \"dtype\" is %s, needs integers of 32 or 64 bits", lc_dtype_name(*type));
    return lc_tf_ok(c);
}

/* As many bits as the type has. */
void lc_tf_op_stateless_full_int(lc_tf_call *c) {
    lc_dtype type;
    stream s;
    wanted w;
    if (!whole_type(c, &type, LC_UINT64) || !shape_wanted(c, 0, &w) || !stream_of(c, &s)) return;
    lc_tf_give(c, 0, lc_tf_bits_as(c, shaped(c, &w, whole_words(c, s, &w, type)), type));
}

static int32_t as_int64(lc_tf_call *c, int32_t x) {
    return lc_tf_type(c, x) == LC_UINT64 ? lc_tf_bits_as(c, x, LC_INT64) : lc_build_cast(c->b, x, LC_INT64);
}

/* minval + word mod (maxval - minval) */
void lc_tf_op_stateless_uniform_int(lc_tf_call *c) {
    lc_dtype type;
    stream s;
    wanted w;
    if (!whole_type(c, &type, LC_INT64) || !shape_wanted(c, 0, &w) || !stream_of(c, &s)) return;
    const uint32_t at = c->in_count > 4 ? 4 : 2; /* minval and maxval are last */
    const int32_t low = as_int64(c, lc_tf_in(c, at)), high = as_int64(c, lc_tf_in(c, at + 1)), range = lc_tf_sub(c, high, low);
    int32_t x = whole_words(c, s, &w, type);
    if (lc_dtype_bits(type) == 64) x = modulo(c, x, range);
    else x = lc_tf_binary(c, LC_OP_FLOOR_MOD, lc_build_cast(c->b, lc_tf_bits_as(c, x, LC_UINT32), LC_INT64), range);
    lc_tf_give(c, 0, lc_tf_land(c, shaped(c, &w, lc_tf_add(c, x, low)), type));
}

/* ---- with a state ----------------------------------------------------------------------------------------------------------------------
 */

/* RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL of a shape, with the node's seeds; `other`: a second stream beside it. */
static int32_t random_of(lc_tf_call *c, int32_t op, int32_t shape, int other) {
    const lc_RandomOptions o = {.seed = lc_tf_attr_int(c, "seed", 0), .seed2 = lc_tf_attr_int(c, "seed2", 0)};
    lc_RandomOptions used = o;
    if (other && (o.seed || o.seed2)) used.seed2 = (int64_t)((uint64_t)o.seed2 + 0x5bd1e995u);
    return lc_build_op(c->b, op, LC_TABLE_RandomOptions, &used, &shape, 1);
}

void lc_tf_op_random(lc_tf_call *c) { /* RandomUniform, RandomStandardNormal */
    lc_dtype type;
    if (!real_type(c, &type)) return;
    lc_tf_give(c, 0, lc_build_cast(c->b, random_of(c, c->row->op, lc_tf_int32(c, lc_tf_in(c, 0)), 0), type));
}

void lc_tf_op_truncated_normal(lc_tf_call *c) {
    lc_dtype type;
    if (!real_type(c, &type)) return;
    const int32_t u = random_of(c, LC_OP_RANDOM_UNIFORM, lc_tf_int32(c, lc_tf_in(c, 0)), 0);
    lc_tf_give(c, 0, lc_build_cast(c->b, truncated(c, u), type));
}

/* minval + (46 random bits) mod (maxval - minval) */
void lc_tf_op_random_uniform_int(lc_tf_call *c) {
    const int32_t shape = lc_tf_int32(c, lc_tf_in(c, 0));
    const lc_dtype type = lc_tf_type(c, lc_tf_in(c, 1));
    if (lc_tf_ok(c) && !lc_tf_is_integer(type)) lc_tf_fail(c, LC_INVALID, "its minval is %s, needs integers", lc_dtype_name(type));
    const int32_t low = as_int64(c, lc_tf_in(c, 1)), high = as_int64(c, lc_tf_in(c, 2)), range = lc_tf_sub(c, high, low);
    int32_t part[2];
    for (int i = 0; i < 2; i++)
        part[i] = lc_build_cast(c->b, lc_tf_mul_with(c, random_of(c, LC_OP_RANDOM_UNIFORM, shape, i), 1 / UNIT), LC_INT64);
    const int32_t bits = lc_tf_add(c, lc_tf_mul_with(c, part[0], 1 / UNIT), part[1]);
    lc_tf_give(c, 0, lc_tf_land(c, lc_tf_add(c, lc_tf_binary(c, LC_OP_FLOOR_MOD, bits, range), low), type));
}

void lc_tf_op_multinomial(lc_tf_call *c) {
    const lc_dtype type = lc_tf_made_type(c, "output_dtype", LC_INT64);
    const lc_RandomOptions o = {.seed = lc_tf_attr_int(c, "seed", 0), .seed2 = lc_tf_attr_int(c, "seed2", 0)};
    const int32_t logits = lc_tf_in(c, 0), samples = lc_tf_int32(c, lc_tf_in(c, 1));
    if (lc_tf_ok(c) && type != LC_INT32 && type != LC_INT64)
        lc_tf_fail(c, LC_INVALID, "attribute \"output_dtype\" is %s, needs int32 or int64", lc_dtype_name(type));
    const int32_t in[2] = {lc_build_cast(c->b, logits, LC_FLOAT32), samples};
    lc_tf_give(c, 0, lc_build_typed(c->b, LC_OP_MULTINOMIAL, LC_TABLE_RandomOptions, &o, in, 2, type));
}

/* How many of the running sums of exp(logit) do not exceed u times the whole sum. */
void lc_tf_op_stateless_multinomial(lc_tf_call *c) {
    const lc_dtype type = lc_tf_made_type(c, "output_dtype", LC_INT64);
    int32_t x = lc_tf_in(c, 0);
    const int32_t samples = lc_tf_int32(c, lc_tf_in(c, 1)), last = 1, beside = 2;
    lc_tf_rank_of(c, x, 2);
    if (!lc_tf_ok(c)) return;
    const stream s = stream_of_seed(c, lc_tf_in(c, 2));
    x = lc_build_cast(c->b, x, LC_FLOAT32);
    const int32_t top = lc_build_reduce(c->b, LC_OP_REDUCE_MAX, x, &last, 1, true), e = lc_tf_unary(c, LC_OP_EXP, lc_tf_sub(c, x, top));
    const int32_t sums = lc_tf_cumsum(c, e, 1, false, false);
    const int32_t rows = lc_tf_dim(c, x, 0), dims[2] = {rows, lc_tf_reshape(c, samples, NULL, 0)}, shape = lc_tf_pack(c, dims, 2, 0);
    wanted w = {.shape = lc_tf_shape_value(c, shape), .dims = shape, .count = -1, .counted = -1};
    uint64_t n;
    if (w.shape.rank != LC_RANK_UNKNOWN && lc_shape_elements(&w.shape, &n) && n <= WORDS_MOST) w.count = (int64_t)n;
    const int32_t u = lc_tf_expand(c, shaped(c, &w, uniform(c, s, &w, LC_FLOAT32)), 2), whole = lc_tf_cut_at(c, sums, 1, -1, 0);
    const int32_t limit = lc_tf_mul(c, u, lc_tf_expand(c, whole, 1));
    const int32_t below = lc_tf_binary(c, LC_OP_LESS_EQUAL, lc_tf_expand(c, sums, 1), limit);
    const int32_t found = lc_build_reduce(c->b, LC_OP_SUM, lc_build_cast(c->b, below, LC_INT32), &beside, 1, false);
    const int32_t most = lc_tf_sub_with(c, lc_tf_dim(c, x, 1), 1);
    lc_tf_give(c, 0, lc_build_cast(c->b, lc_tf_least(c, found, most), type));
}

/* ---- shuffling --------------------------------------------------------------------------------------------------------------------------
 */

/* Rows of x in the order of their random keys. */
static void by_keys(lc_tf_call *c, int32_t x, int32_t keys, int32_t n) {
    int32_t values, order;
    lc_tf_top_k(c, keys, n, &values, &order);
    lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_gather(c, lc_tf_movable(c, x, GATHERS), order, 0, 0), lc_tf_type(c, x)));
}

void lc_tf_op_random_shuffle(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    if (!lc_tf_ok(c)) return;
    if (lc_tf_ranked(c, x).rank == 0) lc_tf_give(c, 0, x);
    if (!lc_tf_ok(c) || lc_tf_ranked(c, x).rank == 0) return;
    const int32_t n = lc_tf_dim(c, x, 0), shape = lc_tf_pack(c, &n, 1, 0);
    by_keys(c, x, random_of(c, LC_OP_RANDOM_UNIFORM, shape, 0), n);
}

void lc_tf_op_stateless_shuffle(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    stream s;
    if (!stream_given(c, 1, &s)) return;
    if (lc_tf_ranked(c, x).rank == 0) lc_tf_give(c, 0, x);
    if (!lc_tf_ok(c) || lc_tf_ranked(c, x).rank == 0) return;
    const int32_t n = lc_tf_dim(c, x, 0), shape = lc_tf_pack(c, &n, 1, 0);
    wanted w = {.shape = lc_tf_shape_value(c, shape), .dims = shape, .count = -1, .counted = -1};
    if (w.shape.rank == 1 && w.shape.dims[0] >= 0) w.count = w.shape.dims[0];
    by_keys(c, x, cut(c, &w, words_of(c, s, &w, 1)), n);
}
