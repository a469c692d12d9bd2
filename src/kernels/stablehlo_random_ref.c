/*
 * stablehlo_random_ref.c: StableHLO RNG_BIT_GENERATOR: Threefry2x32 with 20 rounds and Philox4x32 with 10 (Salmon, Moraes, Dror, Shaw:
 * Parallel random numbers: as easy as 1, 2, 3; SC 2011), both from a key and a counter. The state is words of 32 bits, low half first: key
 * 0, key 1, counter 0, counter 1; a Philox state of three numbers has counter 2 and 3 behind them, one of two takes the key's. The new
 * state is the old with its counter moved on, of which words 0 and 1 alone carry.
 */
#include "base/philox.h"
#include "kernels/ref.h"

#include <string.h>

static uint32_t rotate(uint32_t x, unsigned by) { return x << by | x >> (32 - by); }

static void threefry(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]) {
    static const uint8_t by[8] = {13, 15, 26, 6, 17, 29, 16, 24};
    const uint32_t k[3] = {key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDAu};
    uint32_t a = counter[0] + k[0], b = counter[1] + k[1];
    for (unsigned round = 0; round < 20; round++) {
        a += b;
        b = rotate(b, by[round % 8]) ^ a;
        if (round % 4 == 3) {
            const unsigned n = round / 4 + 1;
            a += k[n % 3];
            b += k[(n + 1) % 3] + n;
        }
    }
    out[0] = a;
    out[1] = b;
}

static lc_status prepare(lc_kernel_ctx *ctx) { return lc_ref_input(ctx, 0, LC_T(UINT64)); }

static lc_status run(lc_kernel_ctx *ctx) {
    const bool is_threefry = LC_OP_ATTRS(ctx->node, StablehloRngBitGeneratorOptions)->algorithm == LC_RngAlgorithm_THREEFRY;
    const lc_value *state = ctx->in[0], *out = ctx->out[1];
    const size_t per_call = is_threefry ? 8 : 16;
    uint32_t s[6], block[4], counter[4];
    memcpy(s, state->data, state->size);
    memcpy(counter, s + 2, 2 * sizeof *s);
    memcpy(counter + 2, state->size == sizeof s ? s + 4 : s, 2 * sizeof *s);
    for (size_t at = 0; at < out->size; at += per_call) {
        (is_threefry ? threefry : lc_philox)(s, counter, block);
        memcpy((char *)out->data + at, block, out->size - at < per_call ? out->size - at : per_call);
        if (++counter[0] == 0) counter[1]++;
    }
    memcpy(s + 2, counter, 2 * sizeof *s);
    memcpy(ctx->out[0]->data, s, state->size);
    return LC_OK;
}

const lc_kernel lc_kernel_STABLEHLO_RNG_BIT_GENERATOR = {.prepare = prepare, .run = run};
