/*
 * crc32c.h: the checksum of TensorFlow's tables and tensors: CRC-32C (Castagnoli), as iSCSI has it (RFC 3720, appendix B.4).
 */
#ifndef LC_BASE_CRC32C_H
#define LC_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what gave `crc` with `size` bytes behind it; crc 0: of these bytes alone. */
uint32_t lc_crc32c(uint32_t crc, const void *data, size_t size);
/* The same by a table, whatever the processor: for tests, which compare. */
uint32_t lc_crc32c_plain(uint32_t crc, const void *data, size_t size);
/* The same from the checksums of both parts, the second of which has `size` bytes. */
uint32_t lc_crc32c_combine(uint32_t first, uint32_t second, uint64_t size);

/* Files keep checksums masked, since the checksum of bytes that hold their own checksum says little. */
static inline uint32_t lc_crc32c_mask(uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8u; }
static inline uint32_t lc_crc32c_unmask(uint32_t masked) {
    masked -= 0xa282ead8u;
    return masked >> 17 | masked << 15;
}

#endif
