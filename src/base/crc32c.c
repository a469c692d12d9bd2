/*
 * crc32c.c: CRC-32C as fast as memory is read.
 *
 * A checksum is a polynomial over GF(2) modulo P, its bits reflected: bit 31 stands for x^0. One byte more multiplies it by x^8, so
 * the checksums of two neighbours add up to that of both once the first is multiplied by x^(8 * length of the second). The processor's
 * instruction takes 8 bytes in three cycles but can begin one in each cycle: three neighbouring lanes are run side by side and put
 * together so. Without the instruction eight tables take 8 bytes at a time ("slicing by 8", Kounavis and Berry, ISCC 2005).
 *
 * The tables are not 2,048 numbers to believe: a table is linear, so its entries for the 8 single bits make it, and those of all
 * eight tables are one sequence, P multiplied by x again and again. lc_crc32c gives the same number on every path (test_crc32c).
 */
#include "base/crc32c.h"

#define POLYNOMIAL 0x82f63b78u /* x^32 and 0x1edc6f41, reflected */

/* a * b modulo P. */
static uint32_t multiply(uint32_t a, uint32_t b) {
    uint32_t product = 0;
    for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
        product ^= b & (0u - !!(a & bit));
        b = b >> 1 ^ (POLYNOMIAL & (0u - (b & 1)));
    }
    return product;
}

/* x^(8 * bytes) modulo P. */
static uint32_t power(uint64_t bytes) {
    uint32_t result = 1u << 31, square = 1u << 23; /* x^0, x^8 */
    for (; bytes; bytes >>= 1) {
        if (bytes & 1) result = multiply(result, square);
        square = multiply(square, square);
    }
    return result;
}

uint32_t lc_crc32c_combine(uint32_t first, uint32_t second, uint64_t size) { return multiply(first, power(size)) ^ second; }

/* ---- with the processor's instruction ---------------------------------------------------------------------------------- */

#if defined __x86_64__
#define HARDWARE __attribute__((target("sse4.2")))
#define HAVE_HARDWARE __builtin_cpu_supports("sse4.2")
#define STEP(crc, v) ((uint32_t)__builtin_ia32_crc32di(crc, v))
#define STEP_BYTE(crc, v) __builtin_ia32_crc32qi(crc, v)
#elif defined __aarch64__ && defined __ARM_FEATURE_CRC32
#define HARDWARE
#define HAVE_HARDWARE 1
#ifdef __clang__
#define STEP(crc, v) __builtin_arm_crc32cd(crc, v)
#define STEP_BYTE(crc, v) __builtin_arm_crc32cb(crc, v)
#else
#define STEP(crc, v) __builtin_aarch64_crc32cx(crc, v)
#define STEP_BYTE(crc, v) __builtin_aarch64_crc32cb(crc, v)
#endif
#endif

#ifdef HARDWARE
static inline uint64_t load(const uint8_t *p) {
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

/* Lanes of this many bytes, and x^(8 * bytes): putting three together costs as much as 1 KiB. */
enum { LONG_LANE = 16384, SHORT_LANE = 1024 };
#define LONG_POWER 0xbf455269u
#define SHORT_POWER 0xe4172b16u

HARDWARE static uint32_t three_lanes(uint32_t crc, const uint8_t *p, size_t lane, uint32_t x) {
    uint32_t second = 0, third = 0;
    for (const uint8_t *end = p + lane; p < end; p += 8) {
        crc = STEP(crc, load(p));
        second = STEP(second, load(p + lane));
        third = STEP(third, load(p + 2 * lane));
    }
    return multiply(multiply(crc, x) ^ second, x) ^ third;
}

HARDWARE static uint32_t extend_hardware(uint32_t crc, const uint8_t *p, size_t n) {
    for (; n >= 3 * LONG_LANE; n -= 3 * LONG_LANE, p += 3 * LONG_LANE) crc = three_lanes(crc, p, LONG_LANE, LONG_POWER);
    for (; n >= 3 * SHORT_LANE; n -= 3 * SHORT_LANE, p += 3 * SHORT_LANE) crc = three_lanes(crc, p, SHORT_LANE, SHORT_POWER);
    for (; n >= 8; n -= 8, p += 8) crc = STEP(crc, load(p));
    for (; n; n--, p++) crc = STEP_BYTE(crc, *p);
    return crc;
}
#endif

/* ---- without ------------------------------------------------------------------------------------------------------------ */

/* The entry for byte n of a table, from its entries for the bits 0x80, 0x40 ... 0x01. */
#define ENTRY(n, a, b, c, d, e, f, g, h) \
    ((n)&128 ? a : 0) ^ ((n)&64 ? b : 0) ^ ((n)&32 ? c : 0) ^ ((n)&16 ? d : 0) ^ ((n)&8 ? e : 0) ^ ((n)&4 ? f : 0) ^ ((n)&2 ? g : 0) ^ \
        ((n)&1 ? h : 0)
#define FOUR(n, ...) ENTRY(n, __VA_ARGS__), ENTRY(n + 1, __VA_ARGS__), ENTRY(n + 2, __VA_ARGS__), ENTRY(n + 3, __VA_ARGS__)
#define SIXTEEN(n, ...) FOUR(n, __VA_ARGS__), FOUR(n + 4, __VA_ARGS__), FOUR(n + 8, __VA_ARGS__), FOUR(n + 12, __VA_ARGS__)
#define SIXTY_FOUR(n, ...) SIXTEEN(n, __VA_ARGS__), SIXTEEN(n + 16, __VA_ARGS__), SIXTEEN(n + 32, __VA_ARGS__), SIXTEEN(n + 48, __VA_ARGS__)
#define TABLE(...) \
    { SIXTY_FOUR(0, __VA_ARGS__), SIXTY_FOUR(64, __VA_ARGS__), SIXTY_FOUR(128, __VA_ARGS__), SIXTY_FOUR(192, __VA_ARGS__) }

/* tables[k][n]: byte n, multiplied by x^8 k + 1 times. */
static const uint32_t tables[8][256] = {
    TABLE(0x82f63b78, 0x417b1dbc, 0x20bd8ede, 0x105ec76f, 0x8ad958cf, 0xc79a971f, 0xe13b70f7, 0xf26b8303),
    TABLE(0xfbc3faf9, 0xff17c604, 0x7f8be302, 0x3fc5f181, 0x9d14c3b8, 0x4e8a61dc, 0x274530ee, 0x13a29877),
    TABLE(0x8b277743, 0xc76580d9, 0xe144fb14, 0x70a27d8a, 0x38513ec5, 0x9edea41a, 0x4f6f520d, 0xa541927e),
    TABLE(0x52a0c93f, 0xaba65fe7, 0xd725148b, 0xe964b13d, 0xf64463e6, 0x7b2231f3, 0xbf672381, 0xdd45aab8),
    TABLE(0x6ea2d55c, 0x37516aae, 0x1ba8b557, 0x8f2261d3, 0xc5670b91, 0xe045beb0, 0x7022df58, 0x38116fac),
    TABLE(0x1c08b7d6, 0x0e045beb, 0x85f4168d, 0xc00c303e, 0x6006181f, 0xb2f53777, 0xdb8ca0c3, 0xef306b19),
    TABLE(0xf56e0ef4, 0x7ab7077a, 0x3d5b83bd, 0x9c5bfaa6, 0x4e2dfd53, 0xa5e0c5d1, 0xd0065990, 0x68032cc8),
    TABLE(0x34019664, 0x1a00cb32, 0x0d006599, 0x847609b4, 0x423b04da, 0x211d826d, 0x9278fa4e, 0x493c7d27),
};

uint32_t lc_crc32c_plain(uint32_t crc, const void *data, size_t size) {
    const uint8_t *p = data;
    crc = ~crc;
    for (; size >= 8; size -= 8, p += 8) {
        crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        crc = tables[7][crc & 255] ^ tables[6][crc >> 8 & 255] ^ tables[5][crc >> 16 & 255] ^ tables[4][crc >> 24] ^ tables[3][p[4]] ^
              tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];
    }
    for (; size; size--, p++) crc = crc >> 8 ^ tables[0][(crc ^ *p) & 255];
    return ~crc;
}

uint32_t lc_crc32c(uint32_t crc, const void *data, size_t size) {
#ifdef HARDWARE
    if (HAVE_HARDWARE) return ~extend_hardware(~crc, data, size);
#endif
    return lc_crc32c_plain(crc, data, size);
}
