#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/checksum.h"
#include "base/memory.h"

static void hashes_are_those_of_xxhash(void **state) {
  (void)state;
  /* The values that xxhsum -H3 and -H2 print for an empty input. */
  assert_true(lpot_hash64("", 0, 0) == UINT64_C(0x2d06800538d394c2));
  const lpot_digest digest = lpot_digest_of("", 0);
  char text[33];
  lpot_digest_text(&digest, text);
  assert_string_equal(text, "99aa06d3014798d86001c324468d497f");
}

static void hash_depends_on_bytes_and_seed(void **state) {
  (void)state;
  assert_true(lpot_hash64("abc", 3, 0) != lpot_hash64("abd", 3, 0));
  assert_true(lpot_hash64("abc", 3, 0) != lpot_hash64("abc", 3, 1));
  assert_true(lpot_hash64("abc", 3, 7) == lpot_hash64("abc", 3, 7));
}

static void digest_of_a_file_is_that_of_its_bytes(void **state) {
  (void)state;
  /* Around the block size, where an end of file is easily missed. */
  static const size_t sizes[] = {0, 1, 1048575, 1048576, 1048577, 2500000};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    unsigned char *bytes = lpot_calloc(sizes[i], 1);
    for (size_t j = 0; j < sizes[i]; j++) {
      bytes[j] = (unsigned char)(j * 7 + j / 300);
    }
    char path[] = "/tmp/lpot_checksum_XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes, sizes[i]), sizes[i]);
    close(descriptor);
    lpot_digest of_file = {0};
    assert_int_equal(lpot_digest_file(path, &of_file, NULL), LPOT_OK);
    lpot_digest of_bytes = lpot_digest_of(bytes, sizes[i]);
    assert_true(of_file.low == of_bytes.low && of_file.high == of_bytes.high);
    unlink(path);
    lpot_free(bytes);
  }
}

static void digest_of_what_is_no_file_fails(void **state) {
  (void)state;
  lpot_digest digest = {0};
  assert_int_equal(lpot_digest_file("/nowhere/file", &digest, NULL), LPOT_NOT_FOUND);
  assert_int_equal(lpot_digest_file("/tmp", &digest, NULL), LPOT_IO);
  lpot_memory_fail_after(1);
  assert_int_equal(lpot_digest_file("/etc/passwd", &digest, NULL), LPOT_NO_MEMORY);
  lpot_memory_fail_after(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hashes_are_those_of_xxhash),
      cmocka_unit_test(hash_depends_on_bytes_and_seed),
      cmocka_unit_test(digest_of_a_file_is_that_of_its_bytes),
      cmocka_unit_test(digest_of_what_is_no_file_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
