#include "base/checksum.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "base/memory.h"

#define BLOCK_SIZE ((size_t)1024 * 1024)

uint64_t lpot_hash64(const void *data, size_t size, uint64_t seed) {
  return XXH3_64bits_withSeed(data, size, seed);
}

lpot_digest lpot_digest_of(const void *data, size_t size) {
  XXH128_hash_t hash = XXH3_128bits(data, size);
  return (lpot_digest){.low = hash.low64, .high = hash.high64};
}

static lpot_status digest_stream(FILE *file, const char *path, XXH3_state_t *state, uint8_t *block,
                                 lpot_error *err) {
  size_t size = 0;
  do {
    size = fread(block, 1, BLOCK_SIZE, file);
    XXH3_128bits_update(state, block, size);
  } while (size == BLOCK_SIZE);
  if (ferror(file)) {
    return LPOT_FAIL(err, LPOT_IO, "file '%s' cannot be read: %s", path, strerror(errno));
  }
  return LPOT_OK;
}

lpot_status lpot_digest_file(const char *path, lpot_digest *ret, lpot_error *err) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    lpot_status status = errno == ENOENT || errno == ENOTDIR ? LPOT_NOT_FOUND : LPOT_IO;
    return LPOT_FAIL(err, status, "file '%s': %s", path, strerror(errno));
  }
  uint8_t *block = lpot_alloc_aligned(BLOCK_SIZE);
  XXH3_state_t *state = XXH3_createState();
  lpot_status status = LPOT_OK;
  if (block == NULL || state == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  } else {
    XXH3_128bits_reset(state);
    status = digest_stream(file, path, state, block, err);
  }
  if (status == LPOT_OK) {
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    *ret = (lpot_digest){.low = hash.low64, .high = hash.high64};
  }
  XXH3_freeState(state);
  lpot_free(block);
  fclose(file);
  return status;
}

void lpot_digest_text(const lpot_digest *digest, char out[33]) {
  snprintf(out, 33, "%016" PRIx64 "%016" PRIx64, digest->high, digest->low);
}
