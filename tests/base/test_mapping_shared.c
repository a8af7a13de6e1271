#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/checksum.h"
#include "base/mapping_shared.h"

#define SIZE ((size_t)300000)

/* Bytes that differ from process to process and test to test, unless seed is the same. */
static uint8_t *make_bytes(unsigned seed) {
  uint8_t *bytes = malloc(SIZE);
  assert_non_null(bytes);
  for (size_t i = 0; i < SIZE; i++) {
    seed = seed * 1103515245U + 12345U;
    bytes[i] = (uint8_t)(seed >> 16);
  }
  return bytes;
}

static unsigned fresh_seed(unsigned number) {
  return (unsigned)getpid() * 16U + number;
}

/* The memory files of this process called name: how many, and the inode of the last. */
static size_t count_files(const char *name, ino_t *ret_inode) {
  char wanted[96];
  char path[64];
  char found[96];
  size_t count = 0;
  (void)snprintf(wanted, sizeof wanted, "/memfd:%s (deleted)", name);
  for (int i = 0; i < 256; i++) {
    struct stat information;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", i);
    ssize_t length = readlink(path, found, sizeof found - 1);
    found[length < 0 ? 0 : length] = '\0';
    if (strcmp(found, wanted) == 0 && fstat(i, &information) == 0) {
      *ret_inode = information.st_ino;
      count++;
    }
  }
  return count;
}

static void name_of(const uint8_t *bytes, char name[64]) {
  (void)snprintf(name, 64, "lpot-%llu-%016llx", (unsigned long long)geteuid(),
                 (unsigned long long)lpot_hash64(bytes, SIZE, 0));
}

static void bytes_are_equal_read_only_and_gone_with_the_mapping(void **state) {
  (void)state;
  char name[64];
  ino_t inode = 0;
  uint8_t *bytes = make_bytes(fresh_seed(1));
  name_of(bytes, name);
  lpot_mapping *mapping = lpot_mapping_share(bytes, SIZE);
  assert_non_null(mapping);
  assert_int_equal(lpot_mapping_size(mapping), SIZE);
  assert_memory_equal(lpot_mapping_data(mapping), bytes, SIZE);
  assert_true(lpot_mapping_data(mapping) != bytes);
  assert_int_equal(count_files(name, &inode), 1);
  lpot_mapping_release(mapping, lpot_mapping_data(mapping), SIZE);
  assert_memory_equal(lpot_mapping_data(mapping), bytes, SIZE);
  lpot_mapping_unref(mapping);
  assert_int_equal(count_files(name, &inode), 0);
  free(bytes);
}

/* In a child: its exit code is 0 when it has the same file as all others. */
static void share_in_child(const uint8_t *bytes, const char *name, int start, int result) {
  char byte = 0;
  ino_t inode = 0;
  if (read(start, &byte, 1) != 0) { /* the parent closes its end: all begin at once */
    _exit(1);
  }
  lpot_mapping *mapping = lpot_mapping_share(bytes, SIZE);
  if (mapping == NULL || count_files(name, &inode) != 1 ||
      write(result, &inode, sizeof inode) != (ssize_t)sizeof inode) {
    _exit(2);
  }
  sleep(60); /* holds it until it is ended */
  _exit(3);
}

static void processes_that_begin_at_once_have_one_file(void **state) {
  (void)state;
  enum { CHILDREN = 6 };
  char name[64];
  int start[2];
  int result[2];
  pid_t children[CHILDREN];
  uint8_t *bytes = make_bytes(fresh_seed(2));
  name_of(bytes, name);
  assert_int_equal(pipe(start), 0);
  assert_int_equal(pipe(result), 0);
  for (int i = 0; i < CHILDREN; i++) {
    children[i] = fork();
    assert_true(children[i] >= 0);
    if (children[i] == 0) {
      close(start[1]);
      share_in_child(bytes, name, start[0], result[1]);
    }
  }
  close(start[0]);
  close(start[1]);
  close(result[1]);
  ino_t first = 0;
  for (int i = 0; i < CHILDREN; i++) {
    ino_t inode = 0;
    assert_int_equal(read(result[0], &inode, sizeof inode), sizeof inode);
    first = i == 0 ? inode : first;
    assert_int_equal(inode, first);
  }
  /* The first one dies: the others' memory is there, and a new process finds it. */
  kill(children[0], 9);
  assert_int_equal(waitpid(children[0], NULL, 0), children[0]);
  lpot_mapping *mapping = lpot_mapping_share(bytes, SIZE);
  assert_non_null(mapping);
  ino_t inode = 0;
  assert_int_equal(count_files(name, &inode), 1);
  assert_int_equal(inode, first);
  lpot_mapping_unref(mapping);
  for (int i = 1; i < CHILDREN; i++) {
    kill(children[i], 9);
    assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
  }
  close(result[0]);
  free(bytes);
}

/* A file of this process called as wanted, and told of as such, with other bytes or seals. */
static int plant(const char *name, const uint8_t *wanted, const uint8_t *bytes, size_t size,
                 int seals) {
  int file = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  assert_true(file >= 0);
  assert_int_equal(write(file, bytes, size), size);
  assert_int_equal(fcntl(file, F_ADD_SEALS, seals), 0);
  assert_non_null(lpot_mapping_shared_index());
  lpot_mapping_index_put(lpot_mapping_shared_index(), lpot_hash64(wanted, SIZE, 0), getpid(), file);
  return file;
}

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static void a_file_with_other_bytes_is_not_used(void **state) {
  (void)state;
  char name[64];
  uint8_t *bytes = make_bytes(fresh_seed(3));
  uint8_t *others = make_bytes(fresh_seed(3));
  name_of(bytes, name);
  others[SIZE - 1] ^= 1;
  int file = plant(name, bytes, others, SIZE, ALL_SEALS);
  assert_null(lpot_mapping_share(bytes, SIZE));
  close(file);
  lpot_mapping *mapping = lpot_mapping_share(bytes, SIZE); /* What was told of is not there. */
  assert_non_null(mapping);
  lpot_mapping_unref(mapping);
  free(others);
  free(bytes);
}

static void files_that_may_change_or_are_short_are_passed_over(void **state) {
  (void)state;
  char name[64];
  char other_name[80];
  uint8_t *bytes = make_bytes(fresh_seed(4));
  name_of(bytes, name);
  (void)snprintf(other_name, sizeof other_name, "%s0", name);
  const struct {
    const char *name;
    size_t size;
    int seals;
  } planted[] = {{name, SIZE, F_SEAL_SHRINK | F_SEAL_GROW},
                 {name, SIZE - 1, ALL_SEALS},
                 {other_name, SIZE, ALL_SEALS}};
  for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++) {
    int file = plant(planted[i].name, bytes, bytes, planted[i].size, planted[i].seals);
    lpot_mapping *mapping = lpot_mapping_share(bytes, SIZE);
    assert_non_null(mapping);
    ino_t inode = 0;
    struct stat information;
    assert_int_equal(fstat(file, &information), 0);
    assert_int_equal(count_files(name, &inode), planted[i].name == name ? 2 : 1);
    assert_true(inode != information.st_ino);
    assert_memory_equal(lpot_mapping_data(mapping), bytes, SIZE);
    lpot_mapping_unref(mapping);
    close(file);
  }
  free(bytes);
}

static void half_of_the_open_files_are_left_to_others(void **state) {
  (void)state;
  assert_non_null(lpot_mapping_shared_index()); /* It has a file of its own. */
  uint8_t *bytes = make_bytes(fresh_seed(5));
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  int next = dup(0);
  assert_true(next > 0);
  close(next);
  struct rlimit few = {.rlim_cur = (rlim_t)next + 8, .rlim_max = limit.rlim_max};
  if (few.rlim_cur / 2 > (rlim_t)next) {
    few.rlim_cur = 2 * (rlim_t)next;
  }
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
  lpot_mapping *mapping = lpot_mapping_share(bytes, SIZE);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_null(mapping);
  assert_int_equal(dup(0), next); /* nothing stayed open */
  close(next);
  free(bytes);
}

static void nothing_is_not_shared(void **state) {
  (void)state;
  assert_null(lpot_mapping_share("", 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_are_equal_read_only_and_gone_with_the_mapping),
      cmocka_unit_test(processes_that_begin_at_once_have_one_file),
      cmocka_unit_test(a_file_with_other_bytes_is_not_used),
      cmocka_unit_test(files_that_may_change_or_are_short_are_passed_over),
      cmocka_unit_test(half_of_the_open_files_are_left_to_others),
      cmocka_unit_test(nothing_is_not_shared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
