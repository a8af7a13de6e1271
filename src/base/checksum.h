/* Hashes by xxHash: XXH3 64-bit for names, records and recipes, XXH3 128-bit for file digests.
 * Not cryptographic: they detect damage and change, not malice. */
#ifndef LPOT_BASE_CHECKSUM_H
#define LPOT_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

uint64_t lpot_hash64(const void *data, size_t size, uint64_t seed);

typedef struct lpot_digest {
  uint64_t low, high;
} lpot_digest;

lpot_digest lpot_digest_of(const void *data, size_t size);
/* Digest of a file's bytes, read in blocks. */
LPOT_MUST_CHECK lpot_status lpot_digest_file(const char *path, lpot_digest *ret, lpot_error *err);
/* Writes 32 hexadecimal digits and a NUL. */
void lpot_digest_text(const lpot_digest *digest, char out[33]);

#endif
